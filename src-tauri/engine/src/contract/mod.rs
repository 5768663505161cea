//! Whether a service holds to its contract.

pub mod accepted;
pub(crate) mod capture;
pub mod conditions;
pub mod document;
pub mod files;
pub mod generate;
pub mod json_schema;
mod judge;
pub mod messages;
pub mod mock;
pub mod openapi;
pub mod pact;
mod run;
pub mod schema;
mod schemas;
mod validate;
mod verify;

pub use self::{
    document::Document,
    run::{Contract, check_options, choose, judged, wanted},
    schemas::Schemas,
    verify::verify,
};
