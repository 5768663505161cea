//! Which texts of a value are references: those of `$ref` and of a discriminator's mapping, but none in examples and other
//! data, which may hold anything.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::contract::document::pointer::join;

/// A reference as it stands in a document.
pub(super) struct Found {
    /// The pointer of the object that it stands for, or of the entry of a mapping.
    pub(super) at: String,
    /// The pointer of the text itself.
    pub(super) text: String,
    /// The text.
    pub(super) reference: String,
}

/// Keywords whose value is data.
const DATA: [&str; 4] = ["example", "default", "enum", "const"];
/// Keywords whose value is a map from names that somebody chose; a name in it is no keyword.
const NAMES: [&str; 22] = [
    "properties",
    "patternProperties",
    "dependentSchemas",
    "definitions",
    "$defs",
    "schemas",
    "responses",
    "parameters",
    "requestBodies",
    "headers",
    "securitySchemes",
    "links",
    "callbacks",
    "pathItems",
    "paths",
    "webhooks",
    "content",
    "encoding",
    "channels",
    "messages",
    "operations",
    "variables",
];

/// The references at and below a pointer.
pub(super) fn references(root: &Value, pointer: &str) -> Vec<Found> {
    let mut found = Vec::new();
    if let Some(value) = root.pointer(pointer) {
        walk(value, pointer, false, &mut |map, at| references_of(map, at, &mut found));
    }
    found
}

fn references_of(map: &Map<String, Value>, at: &str, found: &mut Vec<Found>) {
    if let Some(Value::String(reference)) = map.get("$ref") {
        found.push(Found { at: at.to_owned(), text: format!("{at}/$ref"), reference: reference.clone() });
    }
    let mapping = map.get("discriminator").and_then(|discriminator| discriminator.get("mapping")).and_then(Value::as_object);
    for (name, reference) in mapping.into_iter().flatten() {
        // A mapping may name a schema as well.
        if let Value::String(reference) = reference
            && reference.contains(['#', '/', '.'])
        {
            let at = join(&format!("{at}/discriminator/mapping"), name);
            found.push(Found { text: at.clone(), at, reference: reference.clone() });
        }
    }
}

/// The pointers of schemas that have names: `#name` of an `$anchor`, and each `$id`.
pub(super) fn names(root: &Value) -> HashMap<String, String> {
    let mut names = HashMap::new();
    walk(root, "", false, &mut |map, at| {
        for (key, mark) in [("$anchor", "#"), ("$dynamicAnchor", "#"), ("$id", "")] {
            if let Some(Value::String(name)) = map.get(key) {
                names.entry(format!("{mark}{name}")).or_insert_with(|| at.to_owned());
            }
        }
    });
    names
}

/// Calls `each` with every object that may hold keywords. The depth was bounded when the document was read.
pub(super) fn walk(value: &Value, at: &str, names: bool, each: &mut impl FnMut(&Map<String, Value>, &str)) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if item.is_object() || item.is_array() {
                    walk(item, &format!("{at}/{index}"), false, each);
                }
            }
        }
        Value::Object(map) => {
            if !names {
                each(map, at);
            }
            for (key, value) in map {
                if !(value.is_object() || value.is_array()) || !names && is_data(key, value) {
                    continue;
                }
                if !names && key == "examples" {
                    examples(value, &join(at, key), each);
                    continue;
                }
                walk(value, &join(at, key), !names && NAMES.contains(&key.as_str()) && value.is_object(), each);
            }
        }
        _ => {}
    }
}

fn is_data(key: &str, value: &Value) -> bool {
    DATA.contains(&key) || key == "examples" && value.is_array() || key == "discriminator" || key.starts_with("x-")
}

/// OpenAPI's named examples: each may be a reference, and its value is data. Swagger's are data by media type.
fn examples(value: &Value, at: &str, each: &mut impl FnMut(&Map<String, Value>, &str)) {
    for (name, example) in value.as_object().into_iter().flatten() {
        if let Value::Object(map) = example {
            each(map, &join(at, name));
        }
    }
}
