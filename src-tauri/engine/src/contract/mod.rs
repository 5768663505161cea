//! Whether a service holds to its contract.

pub mod accepted;
mod capture;
pub mod conditions;
pub mod document;
pub mod json_schema;
mod judge;
pub mod messages;
pub mod openapi;
mod run;
pub mod schema;
mod schemas;
mod validate;
mod verify;

pub use self::{
    document::Document,
    run::{check_options, choose, judged, open, verify_documents, wanted},
    schemas::Schemas,
    verify::verify,
};
