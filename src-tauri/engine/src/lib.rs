//! All behaviour of Patchbay, knowing neither a window nor a terminal.
//!
//! [`Engine`] is what a shell holds: one method for each thing that the program can do. It is handed its clock, its
//! random source, its keychain and its database, so that a test can hand it its own ([`ports`]).

pub mod contract;
pub mod definition;
pub mod engine;
pub mod http;
pub mod k6;
pub mod load;
pub mod load_metrics;
pub mod log;
pub mod metrics;
pub mod monitor;
pub mod ports;
pub mod report;
pub mod sample;
pub mod secrets;
pub mod store;
pub mod utils;
pub mod workspace;

pub use engine::Engine;
pub use patchbay_contracts::{Code, Place, Problem, Timestamp};

/// What every fallible function of the engine gives back.
pub type Result<T> = std::result::Result<T, Problem>;
