//! OpenAPI 3.0 and 3.1 and Swagger 2.0 as one small model: what verification and the mock need of them, and no more.
//!
//! Sources: the OpenAPI Specification 3.0.4 and 3.1.1, and the Swagger 2.0 Specification. Schemas stay in the document and
//! are turned into plain JSON Schema where one is asked for ([`Schema::json_schema`]).

mod check;
mod dialect;
mod media;
mod operation;
mod parameter;
mod read;
mod schema;
mod security;
mod swagger;
mod verify;

use std::sync::Arc;

use patchbay_contracts::{Place, Problem};
use serde_json::Value;

pub use self::{
    dialect::{Dialect, Direction},
    media::{Media, media_for},
    schema::Schema,
    security::{Scheme, SchemeKind},
    verify::{SEED, verify},
};
use super::document::Bundle;

/// An API as a document describes it.
#[derive(Debug, Clone)]
pub struct Api {
    /// Its title.
    pub title: String,
    /// The version of the API, not of the format.
    pub version: String,
    /// The addresses that it is served at, variables filled with their defaults; relative ones as they are written.
    pub servers: Vec<String>,
    /// Each operation that can be used, in the order of the document.
    pub operations: Vec<Operation>,
    /// How it can be authenticated with.
    pub schemes: Vec<Scheme>,
    /// What is wrong with the document, each with its place. An operation that can't be used is one of them, its label first.
    pub problems: Vec<Problem>,
    /// What in its schemas is not judged.
    pub unjudged: Vec<Problem>,
    /// Which dialect its schemas are written in.
    pub dialect: Dialect,
    /// The labels of the operations that can't be used.
    pub broken: Vec<String>,
    shared: Arc<schema::Shared>,
}

/// Schemes that are needed together, each with the scopes that it has to have.
pub type Together = Vec<(String, Vec<String>)>;

impl Api {
    /// The whole document, with all that it refers to. Each `pointer` of the model leads into it.
    pub fn root(&self) -> &Value {
        &self.bundle().root
    }

    /// The place of a pointer into the root.
    pub fn place(&self, pointer: &str) -> Option<Place> {
        self.bundle().place(pointer)
    }

    /// The schema at a pointer into the root.
    pub fn schema(&self, pointer: &str) -> Schema {
        Schema::new(pointer.to_owned(), Arc::clone(&self.shared))
    }

    fn bundle(&self) -> &Bundle {
        &self.shared.bundle
    }
}

/// One method of one path.
#[derive(Debug, Clone)]
pub struct Operation {
    /// In upper case.
    pub method: String,
    /// As in the document: `/orders/{id}`.
    pub path: String,
    /// Its `operationId`.
    pub id: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether it should no longer be used.
    pub deprecated: bool,
    /// Where it stands.
    pub pointer: String,
    /// The addresses of its own, where it has any; otherwise those of the API count.
    pub servers: Vec<String>,
    /// Those of the path and its own, which replace them by name and place.
    pub parameters: Vec<Parameter>,
    /// What it is sent.
    pub body: Option<RequestBody>,
    /// What it answers.
    pub responses: Vec<Response>,
    /// The ways to authenticate, one of which is enough; one without any scheme means that none is needed. Empty where
    /// nothing is asked for.
    pub security: Vec<Together>,
}

impl Operation {
    /// `GET /orders/{id}`.
    pub fn label(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// What is documented for a status: the code itself, else its range, else the default.
    pub fn response_for(&self, status: u16) -> Option<&Response> {
        let found = |key: StatusKey| self.responses.iter().find(|response| response.status == key);
        found(StatusKey::Code(status))
            .or_else(|| found(StatusKey::Range((status / 100) as u8)))
            .or_else(|| found(StatusKey::Default))
    }
}

/// Where a parameter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParameterPlace {
    /// Into the path's template.
    Path,
    /// Behind the question mark.
    Query,
    /// Into a header field.
    Header,
    /// Into the `Cookie` field.
    Cookie,
}

/// One parameter of an operation.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Where it goes.
    pub place: ParameterPlace,
    /// Whether it must be there.
    pub required: bool,
    /// How it is written: `form`, `simple`, `matrix`, `label`, `spaceDelimited`, `pipeDelimited`, `deepObject`, and
    /// `tabDelimited` (Swagger's `tsv`).
    pub style: String,
    /// Whether each element is a parameter of its own.
    pub explode: bool,
    /// Whether reserved characters stay as they are.
    pub allow_reserved: bool,
    /// Whether it may be empty.
    pub allow_empty: bool,
    /// What it may be.
    pub schema: Option<Schema>,
    /// The media type that it is written in, where it has `content`.
    pub media_type: Option<String>,
    /// Examples of it, those of the document first.
    pub examples: Vec<Value>,
    /// Where it stands.
    pub pointer: String,
    /// Whether it should no longer be used.
    pub deprecated: bool,
}

/// What an operation is sent.
#[derive(Debug, Clone)]
pub struct RequestBody {
    /// Whether it must be there.
    pub required: bool,
    /// In each media type.
    pub content: Vec<Media>,
    /// Where it stands.
    pub pointer: String,
}

impl RequestBody {
    /// What is documented for a content type.
    pub fn media_for(&self, content_type: &str) -> Option<&Media> {
        media_for(&self.content, content_type)
    }
}

/// Which statuses a response is documented for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusKey {
    /// One.
    Code(u16),
    /// A hundred: `2XX` is 2.
    Range(u8),
    /// All others.
    Default,
}

/// What an operation answers.
#[derive(Debug, Clone)]
pub struct Response {
    /// For which statuses.
    pub status: StatusKey,
    /// Header fields.
    pub headers: Vec<Header>,
    /// In each media type; empty where it has no body.
    pub content: Vec<Media>,
    /// What can be called with what it holds.
    pub links: Vec<Link>,
    /// Where it stands.
    pub pointer: String,
}

impl Response {
    /// What is documented for a content type.
    pub fn media_for(&self, content_type: &str) -> Option<&Media> {
        media_for(&self.content, content_type)
    }
}

/// A header field of a response.
#[derive(Debug, Clone)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Whether it must be there.
    pub required: bool,
    /// Whether an object is written as `key=value` pairs.
    pub explode: bool,
    /// What it may be.
    pub schema: Option<Schema>,
    /// Where it stands.
    pub pointer: String,
}

/// What can be called with what a response holds.
#[derive(Debug, Clone)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// The `operationId` of what is called.
    pub operation_id: Option<String>,
    /// The pointer of what is called, where it is told by one.
    pub operation_pointer: Option<String>,
    /// Parameters, by name or by `place.name`, and the runtime expressions or values that they are given.
    pub parameters: Vec<(String, Value)>,
    /// The body, as a runtime expression or a value.
    pub body: Option<Value>,
    /// Where it stands.
    pub pointer: String,
}
