//! Whether a service holds to its contract.

mod capture;
pub mod conditions;
pub mod schema;
mod schemas;
mod validate;

pub use self::schemas::Schemas;
