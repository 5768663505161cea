//! Whether a service holds to its contract.

mod capture;
pub mod conditions;
pub mod document;
mod judge;
pub mod schema;
mod schemas;
mod validate;
mod verify;

pub use self::{schemas::Schemas, verify::verify};
