//! From a document to the model.

use std::sync::Arc;

use patchbay_contracts::{Code, Problem, contract::ContractKind};
use serde_json::Value;

use super::{Api, Dialect, Schema, check, dialect::older::unjudged, schema::Shared};
use crate::{
    Result,
    contract::document::{Base, Bundle, Document},
    http::Context,
};

/// The most operations that are read.
pub(super) const MAX_OPERATIONS: usize = 10_000;
/// The most problems that are told.
const MAX_PROBLEMS: usize = 500;

impl Api {
    /// Reads the API that a document describes, with all that it refers to. Mistakes in a part of it are problems of the
    /// result, and the rest can be used.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] for a document of another kind, [`Code::InvalidDefinition`] for one without `paths`.
    pub async fn read(context: &Context, document: &Document) -> Result<Self> {
        let dialect = match document.kind {
            ContractKind::Swagger => Dialect::Swagger2,
            ContractKind::Openapi if is_3_1(&document.value) => Dialect::OpenApi31,
            ContractKind::Openapi => Dialect::OpenApi30,
            other => {
                return Err(Problem::new(Code::InvalidInput, format!("{} is not an OpenAPI document", document.file))
                    .why(format!("it is {}", other.as_str()))
                    .next("Name an OpenAPI or a Swagger document"));
            }
        };
        let paths = document.value.get("paths");
        let without =
            dialect == Dialect::OpenApi31 && ["webhooks", "components"].iter().any(|key| document.value.get(key).is_some());
        if !paths.map_or(without, Value::is_object) {
            let problem = Problem::new(Code::InvalidDefinition, "The document describes no paths")
                .why("`paths` is missing, or is no mapping")
                .next("Add `paths`, with a mapping of each path");
            return Err(Problem { place: document.place("/paths"), ..problem });
        }
        let mut bundle = document.bundle(context).await;
        if dialect == Dialect::Swagger2 {
            super::swagger::forms(&mut bundle);
        }
        check::contradictions(&mut bundle, dialect);
        Ok(build(bundle, dialect, &document.base))
    }
}

/// YAML may have taken the version for a number.
fn is_3_1(value: &Value) -> bool {
    match value.get("openapi") {
        Some(Value::String(version)) => version.trim().starts_with("3.1"),
        Some(other) => other.to_string().starts_with("3.1"),
        None => false,
    }
}

fn build(mut bundle: Bundle, dialect: Dialect, base: &Base) -> Api {
    let problems = std::mem::take(&mut bundle.problems);
    let unjudged = if dialect == Dialect::OpenApi31 { unjudged(&bundle) } else { Vec::new() };
    let shared = Arc::new(Shared::new(bundle, dialect));
    let mut reader = Reader { shared: &shared, problems, broken: Vec::new() };
    let schemes = reader.schemes();
    let servers = reader.servers("", base);
    let operations = reader.operations(&schemes, base);
    let text = |pointer: &str| match shared.bundle.root.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    let (title, version) = (text("/info/title"), text("/info/version"));
    let Reader { mut problems, broken, .. } = reader;
    let key = |problem: &Problem| problem.place.as_ref().map(|place| (place.file.clone(), place.line, place.column));
    problems.sort_by_key(key);
    problems.dedup();
    let more = problems.len().saturating_sub(MAX_PROBLEMS);
    if more > 0 {
        problems.truncate(MAX_PROBLEMS);
        problems.push(Problem::new(Code::InvalidDefinition, format!("The document has {more} further mistakes")));
    }
    Api { title, version, servers, operations, schemes, problems, unjudged, dialect, broken, shared: Arc::clone(&shared) }
}

/// The reading of a document.
pub(super) struct Reader<'s> {
    pub(super) shared: &'s Arc<Shared>,
    pub(super) problems: Vec<Problem>,
    pub(super) broken: Vec<String>,
}

impl<'s> Reader<'s> {
    pub(super) fn root(&self) -> &'s Value {
        &self.shared.bundle.root
    }

    pub(super) fn bundle(&self) -> &'s Bundle {
        &self.shared.bundle
    }

    pub(super) fn swagger(&self) -> bool {
        self.shared.dialect == Dialect::Swagger2
    }

    /// Where the references at a pointer end, and what stands there.
    pub(super) fn resolve(&self, pointer: &str) -> Option<(String, &'s Value)> {
        let end = self.bundle().resolve(pointer)?;
        let value = self.root().pointer(&end)?;
        Some((end, value))
    }

    pub(super) fn schema(&self, pointer: String) -> Schema {
        Schema::new(pointer, Arc::clone(self.shared))
    }

    /// A mistake at a pointer.
    pub(super) fn mistake(&self, pointer: &str, what: &str, why: &str, next: &str) -> Problem {
        let problem = Problem::new(Code::InvalidDefinition, what).why(why).next(next);
        Problem { place: self.bundle().place(pointer), ..problem }
    }

    /// Tells a mistake that leaves everything usable.
    pub(super) fn tell(&mut self, pointer: &str, what: &str, why: &str, next: &str) {
        let problem = self.mistake(pointer, what, why, next);
        self.problems.push(problem);
    }

    /// The servers of the document, of a path or of an operation.
    pub(super) fn servers(&self, at: &str, base: &Base) -> Vec<String> {
        if self.swagger() {
            return if at.is_empty() { super::swagger::servers(self.root(), base) } else { Vec::new() };
        }
        let all = self.root().pointer(&format!("{at}/servers")).and_then(Value::as_array);
        let Some(all) = all.filter(|all| !all.is_empty()) else {
            // Without servers, it is the root of where the document came from (OpenAPI 3.0.4, 4.8.1.1).
            return if at.is_empty() { vec![absolute("/", base)] } else { Vec::new() };
        };
        let url = |server: &Value| {
            let mut url = server.get("url")?.as_str()?.to_owned();
            for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
                let default = match variable.get("default") {
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                    None => continue,
                };
                url = url.replace(&format!("{{{name}}}"), &default);
            }
            Some(absolute(&url, base))
        };
        all.iter().filter_map(url).collect()
    }
}

/// A relative server is relative to where the document came from (OpenAPI 3.0.4, 4.8.5).
fn absolute(url: &str, base: &Base) -> String {
    let whole = match base {
        Base::Address(from) if !url.contains("://") => from.join(url).ok().map(|url| url.to_string()),
        _ => None,
    };
    let url = whole.unwrap_or_else(|| url.to_owned());
    if url.len() > 1 { url.trim_end_matches('/').to_owned() } else { url }
}
