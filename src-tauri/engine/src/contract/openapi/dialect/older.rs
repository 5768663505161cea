//! Schemas of OpenAPI 3.1 in a dialect of their own: what `jsonSchemaDialect` or `$schema` names.
//!
//! Older drafts of JSON Schema are read as what they mean in 2020-12. Of others nothing is known, and neither is where a
//! dynamic reference leads; both are told, so that nobody takes what is not judged for what holds.

use std::collections::BTreeSet;

use patchbay_contracts::{Code, Problem};
use serde_json::{Map, Value};

use super::Converter;
use crate::contract::document::{Bundle, join};

/// Dialects whose keywords are known, but for those in which nothing beside a reference counts.
const KNOWN: [&str; 4] = [
    "https://spec.openapis.org/oas/3.1/dialect/",
    "https://spec.openapis.org/oas/3.1/schema-base/",
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
];
/// Dialects in which nothing beside a reference counts.
const ALONE: [&str; 3] = [
    "http://json-schema.org/draft-07/schema",
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-04/schema",
];

/// Whether nothing beside the reference of a schema counts.
pub(super) fn references_alone(root: &Value, map: &Map<String, Value>) -> bool {
    let named = map.get("$schema").or_else(|| root.get("jsonSchemaDialect")).and_then(Value::as_str);
    named.is_some_and(|named| ALONE.iter().any(|known| named.starts_with(known)))
}

impl Converter<'_> {
    /// Keywords that 2020-12 has under other names: lists of `items`, `additionalItems`, `dependencies`.
    pub(super) fn older(&mut self, at: &str, map: &Map<String, Value>, out: &mut Map<String, Value>) {
        let none = BTreeSet::new();
        if let Some(Value::Array(items)) = map.get("items") {
            let items = self.list(&join(at, "items"), items, &none);
            out.insert("prefixItems".to_owned(), items);
            if let Some(further) = map.get("additionalItems") {
                let further = self.schema(&join(at, "additionalItems"), further, &none);
                out.insert("items".to_owned(), further);
            }
        }
        let (mut required, mut schemas) = (Map::new(), Map::new());
        for (name, needs) in map.get("dependencies").and_then(Value::as_object).into_iter().flatten() {
            match needs {
                Value::Array(_) => required.insert(name.clone(), needs.clone()),
                schema => schemas.insert(name.clone(), self.schema(&join(&join(at, "dependencies"), name), schema, &none)),
            };
        }
        for (key, value) in [("dependentRequired", required), ("dependentSchemas", schemas)] {
            if !value.is_empty() && !out.contains_key(key) {
                out.insert(key.to_owned(), Value::Object(value));
            }
        }
        // A limit that stands beside its own exclusion, as the fourth draft has it.
        for (limit, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            if let Some(Value::Bool(excluded)) = map.get(exclusive) {
                out.shift_remove(exclusive);
                if let Some(value) = excluded.then(|| out.shift_remove(limit)).flatten() {
                    out.insert(exclusive.to_owned(), value);
                }
            }
        }
    }
}

/// What in the schemas of a document of OpenAPI 3.1 is not judged.
pub(in crate::contract::openapi) fn unjudged(bundle: &Bundle) -> Vec<Problem> {
    let mut found: Vec<(String, String)> = Vec::new();
    let known = |named: &str| KNOWN.iter().chain(&ALONE).any(|known| named.trim_end_matches('#').starts_with(known));
    let unknown = |value: Option<&Value>| value.and_then(Value::as_str).filter(|named| !known(named)).map(str::to_owned);
    if let Some(named) = unknown(bundle.root.get("jsonSchemaDialect")) {
        found.push(("/jsonSchemaDialect".to_owned(), format!("Nothing is known of the dialect {named}")));
    }
    bundle.each_object(&mut |map, pointer| {
        if let Some(named) = unknown(map.get("$schema")) {
            found.push((format!("{pointer}/$schema"), format!("Nothing is known of the dialect {named}")));
        }
        for key in ["$dynamicRef", "$recursiveRef"] {
            if map.get(key).is_some_and(Value::is_string) {
                found.push((format!("{pointer}/{key}"), format!("Where `{key}` leads is not followed")));
            }
        }
    });
    found.truncate(20);
    let told = |(pointer, what): (String, String)| {
        let problem = Problem::new(Code::Unsupported, what)
            .why("schemas are judged as JSON Schema 2020-12, and what it asks beyond that is not judged")
            .next("Write it in JSON Schema 2020-12, with plain references");
        Problem { place: bundle.place(&pointer), ..problem }
    };
    found.into_iter().map(told).collect()
}
