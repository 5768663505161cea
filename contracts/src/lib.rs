//! Everything that two sides of Patchbay agree on, and no I/O: the integration file, the reports, and the commands
//! and events between the window and the backend. Builds natively and for WebAssembly.
//!
//! Times are Unix milliseconds ([`Timestamp`]); durations in reports are milliseconds as `f64`, and their names end in
//! `_ms`; sizes are bytes.

pub mod chart;
pub mod contract;
pub mod health;
pub mod integration;
pub mod ipc;
pub mod load;
pub mod metrics;
pub mod mock;
pub mod probe;
pub mod problem;
pub mod run;
pub mod sample;
pub mod secret;
pub mod units;
pub mod workspace;

pub use problem::{Code, Place, Problem};

/// Unix time in milliseconds.
pub type Timestamp = i64;
