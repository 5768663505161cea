//! Schemas of a contract, ready to judge by, each with the way back to where its parts are written.

use std::sync::Arc;

use jsonschema::{Draft, Registry};
use patchbay_contracts::{Code, Problem, contract::Check, integration::BodySchema};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::finding::Finding;
use crate::{
    Result,
    contract::{
        document::Bundle,
        schema::{Expanded, expand_with_sources},
        validate,
    },
};

/// The address under which a contract is known to its own schemas.
const ADDRESS: &str = "patchbay:///contract";
/// What can stand in the fragment of an address as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A contract with its references followed, to make schemas of.
pub(super) struct Shapes {
    pub(super) bundle: Arc<Bundle>,
    /// The whole, in the meaning of JSON Schema, with the draft by which it is read.
    roots: Vec<(Draft, Registry<'static>)>,
    /// The same in the meaning of OpenAPI 3.0.
    openapi: Option<Registry<'static>>,
}

/// What a schema is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// JSON Schema of a draft.
    JsonSchema(Draft),
    /// The schemas of OpenAPI 3.0, where `nullable` allows null.
    Openapi30,
    /// The short form, or JSON Schema.
    Short,
}

/// A schema that is ready to judge by.
pub(in crate::contract) struct Shape {
    /// The JSON Schema. Its local references are those of the bundled contract.
    pub(in crate::contract) schema: Value,
    /// Where it stands in the bundled contract.
    pub(in crate::contract) at: String,
    validator: jsonschema::Validator,
    bundle: Arc<Bundle>,
    short: Option<Expanded>,
}

impl Shapes {
    pub(super) fn new(bundle: Bundle) -> Self {
        Self { bundle: Arc::new(bundle), roots: Vec::new(), openapi: None }
    }

    /// The schema at a pointer of the bundled contract.
    ///
    /// # Errors
    /// [`Code::InvalidDefinition`] with its place, where it is none or refers to what isn't there.
    pub(super) fn shape(&mut self, pointer: &str, dialect: Dialect) -> Result<Shape> {
        let bundle = Arc::clone(&self.bundle);
        let placed = |problem: Problem| Problem { place: problem.place.clone().or_else(|| bundle.place(pointer)), ..problem };
        if let Some(problem) = bundle.broken_below(pointer) {
            return Err(problem.clone());
        }
        let nothing = || Problem::new(Code::InvalidDefinition, "There is no schema here");
        let at = bundle.resolve(pointer).ok_or_else(|| placed(nothing()))?;
        let written = bundle.root.pointer(&at).ok_or_else(|| placed(nothing()))?;
        let short = match dialect {
            Dialect::Short => Some(expand_with_sources(&BodySchema(written.clone())).map_err(&placed)?).filter(|all| all.short),
            _ => None,
        };
        let (built, schema) = match &short {
            Some(expanded) => {
                let mut schema = expanded.schema.clone();
                absolute(&mut schema);
                (self.validator(&schema, dialect, None), expanded.schema.clone())
            }
            None => {
                let wrapper = serde_json::json!({ "$ref": format!("{ADDRESS}#{}", utf8_percent_encode(&at, PLAIN)) });
                let own = written.get("$schema").and_then(Value::as_str).and_then(named_draft);
                (self.validator(&wrapper, dialect, own), written.clone())
            }
        };
        let validator = built.map_err(placed)?;
        Ok(Shape { schema, at, validator, bundle, short })
    }

    fn validator(&mut self, schema: &Value, dialect: Dialect, own: Option<Draft>) -> Result<jsonschema::Validator> {
        let draft = match (dialect, own) {
            (Dialect::Openapi30, _) => Draft::Draft4,
            (_, Some(draft)) | (Dialect::JsonSchema(draft), None) => draft,
            (Dialect::Short, None) => Draft::Draft202012,
        };
        let registry = match dialect {
            Dialect::Openapi30 => {
                if self.openapi.is_none() {
                    let mut root = self.bundle.root.clone();
                    from_openapi(&mut root);
                    self.openapi = Some(registry(root, draft)?);
                }
                self.openapi.as_ref()
            }
            _ => {
                if !self.roots.iter().any(|(known, _)| *known == draft) {
                    self.roots.push((draft, registry(self.bundle.root.clone(), draft)?));
                }
                self.roots.iter().find(|(known, _)| *known == draft).map(|(_, registry)| registry)
            }
        };
        let options = jsonschema::options().with_draft(draft).should_validate_formats(true).offline();
        let options = match registry {
            Some(registry) => options.with_registry(registry),
            None => options,
        };
        options.build(schema).map_err(|error| {
            Problem::new(Code::InvalidDefinition, "The schema is not a valid JSON Schema")
                .why(match error.instance_path().as_str() {
                    "" => error.to_string(),
                    pointer => format!("at {pointer}: {error}"),
                })
                .next("The keywords and their values are described at json-schema.org")
        })
    }
}

fn registry(root: Value, draft: Draft) -> Result<Registry<'static>> {
    let failed = |error: &dyn std::fmt::Display| {
        Problem::new(Code::InvalidDefinition, "The schemas of the contract can't be read").why(error.to_string())
    };
    let builder = Registry::new().draft(draft).add(ADDRESS, root).map_err(|error| failed(&error))?;
    builder.prepare().map_err(|error| failed(&error))
}

/// The draft that a `$schema` names.
pub(super) fn named_draft(uri: &str) -> Option<Draft> {
    [
        ("draft-04", Draft::Draft4),
        ("draft-06", Draft::Draft6),
        ("draft-07", Draft::Draft7),
        ("2019-09", Draft::Draft201909),
        ("2020-12", Draft::Draft202012),
    ]
    .into_iter()
    .find(|(name, _)| uri.contains(name))
    .map(|(_, draft)| draft)
}

/// Makes local references of an expanded schema lead to the contract. The depth was bounded when it was read.
fn absolute(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(target) if key == "$ref" && target.starts_with('#') => *target = format!("{ADDRESS}{target}"),
                    value => absolute(value),
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(absolute),
        _ => {}
    }
}

/// Says in JSON Schema what `nullable` says in OpenAPI 3.0: null is allowed beside the type.
fn from_openapi(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("nullable") == Some(&Value::Bool(true)) {
                if let Some(Value::String(name)) = fields.get("type") {
                    let types = serde_json::json!([name, "null"]);
                    fields.insert("type".to_owned(), types);
                }
                if let Some(Value::Array(options)) = fields.get_mut("enum")
                    && !options.contains(&Value::Null)
                {
                    options.push(Value::Null);
                }
            }
            fields.values_mut().for_each(from_openapi);
        }
        Value::Array(all) => all.iter_mut().for_each(from_openapi),
        _ => {}
    }
}

impl Shape {
    /// Whether a value is as the schema asks.
    pub(in crate::contract) fn fits(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// How far a value is from the schema: the things that are not as it asks, at most 100, and the members that it doesn't
    /// know.
    pub(super) fn distance(&self, value: &Value) -> usize {
        let known = self.schema.get("properties").and_then(Value::as_object);
        let members = value.as_object().into_iter().flatten();
        let unknown = members.filter(|(key, _)| known.is_none_or(|known| !known.contains_key(*key))).count();
        self.validator.iter_errors(value).take(100).count() + unknown
    }

    /// Everything about a part of a message that is not as the schema asks. `prefix` is where the part begins.
    pub(super) fn judge(&self, check: Check, prefix: &str, value: &Value, bytes: usize, findings: &mut Vec<Finding>) {
        for deviation in validate::deviations(&self.validator, value, bytes as u64) {
            let asked = self.written(&deviation.schema);
            findings.push(Finding::deviation(check, prefix, deviation).asked_at(asked));
        }
    }

    /// The validator itself.
    pub(in crate::contract) const fn validator(&self) -> &jsonschema::Validator {
        &self.validator
    }

    /// The schema as a document of its own, with all that it refers to.
    pub(in crate::contract) fn standalone(&self) -> Value {
        let mut whole = match &self.bundle.root {
            Value::Object(root) => root.clone(),
            _ => Map::new(),
        };
        // It is read in the newest draft, whatever the contract says of itself.
        whole.shift_remove("$schema");
        match (&self.short, &self.schema) {
            (Some(_), Value::Object(own)) => whole.extend(own.clone()),
            _ if !self.at.is_empty() => {
                whole.insert("$ref".to_owned(), format!("#{}", utf8_percent_encode(&self.at, PLAIN)).into());
            }
            _ => {}
        }
        Value::Object(whole)
    }

    /// Where in the contract that part of the schema is written which an evaluation came to.
    fn written(&self, evaluation: &str) -> String {
        let within = match &self.short {
            Some(expanded) => expanded.source(evaluation),
            // The way begins with the reference to the schema.
            None => evaluation.strip_prefix("/$ref").unwrap_or(evaluation).to_owned(),
        };
        let mut at = self.at.clone();
        for part in within.split('/').skip(1) {
            if part == "$ref" {
                at = self.bundle.resolve(&at).unwrap_or(at);
            } else {
                at.push('/');
                at.push_str(part);
            }
        }
        at
    }
}
