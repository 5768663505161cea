//! Whether what was written reads as it was written: what a service may do to a value without changing what it means is no
//! difference.

use serde_json::{Value, json};

use crate::contract::{
    generate::{Generator, shape_properties},
    schema::escape,
};

/// How deep values are compared.
const DEEPEST: usize = 8;

/// A field that does not read as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lost {
    pub(super) pointer: String,
    pub(super) sent: Value,
    /// None where it isn't there at all.
    pub(super) came: Option<Value>,
}

/// The fields of `sent` that `schema`, which describes what is read, knows of, and that don't read as they were sent.
pub(super) fn lost(sent: &Value, came: &Value, schema: &Value) -> Vec<Lost> {
    let mut all = Vec::new();
    walk(sent, came, schema, schema, "", &mut all, 0);
    all
}

fn walk(sent: &Value, came: &Value, schema: &Value, root: &Value, at: &str, all: &mut Vec<Lost>, depth: usize) {
    let (Value::Object(sent), Value::Object(came)) = (sent, came) else { return };
    if depth > DEEPEST {
        return;
    }
    for (name, value) in sent {
        let Some(described) =
            shape_properties(schema, root).into_iter().find(|(known, _)| known == name).map(|(_, schema)| schema)
        else {
            continue;
        };
        let hidden = described.get("writeOnly") == Some(&Value::Bool(true)) || described == Value::Bool(false);
        let filled = described.get("readOnly") == Some(&Value::Bool(true));
        if hidden || filled || crate::http::is_credential_field(name) || value.is_null() {
            continue;
        }
        let pointer = format!("{at}/{}", escape(name));
        match came.get(name) {
            // Nothing and an empty thing are told apart by few.
            None | Some(Value::Null) if empty(value) || described.get("default") == Some(value) => {}
            Some(other) if value.is_object() && other.is_object() => {
                walk(value, other, &described, root, &pointer, all, depth + 1)
            }
            Some(other) if same(value, other, 0) => {}
            // What the reading must not have by its own schema can't be read there as it was sent.
            _ if !may_be(value, &described, root) => {}
            None => all.push(Lost { pointer, sent: value.clone(), came: None }),
            Some(other) => all.push(Lost { pointer, sent: value.clone(), came: Some(other.clone()) }),
        }
    }
}

/// Whether a schema within the document `root` allows a value.
fn may_be(value: &Value, schema: &Value, root: &Value) -> bool {
    let definitions = root.get("$defs").cloned().unwrap_or_else(|| json!({}));
    Generator::new(&json!({ "allOf": [schema], "$defs": definitions })).map_or(true, |generator| generator.allows(value))
}

fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Whether two values mean the same: 1 and 1.0, texts but for blanks at the ends and the case of letters, one moment in
/// two time zones, a list in another order.
pub(super) fn same(one: &Value, other: &Value, depth: usize) -> bool {
    if one == other {
        return true;
    }
    if depth > DEEPEST {
        return true;
    }
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => (one - other).abs() <= 1e-9_f64.max(one.abs() * 1e-9),
            _ => false,
        },
        (Value::String(one), Value::String(other)) => same_text(one, other),
        (Value::Number(number), Value::String(text)) | (Value::String(text), Value::Number(number)) => {
            text.trim().parse::<f64>().ok() == number.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            let mut left: Vec<&Value> = other.iter().collect();
            one.len() == other.len()
                && one.iter().all(|item| {
                    let found = left.iter().position(|candidate| same(item, candidate, depth + 1));
                    found.map(|at| left.swap_remove(at)).is_some()
                })
        }
        // What a service adds to an element is its own.
        (Value::Object(one), Value::Object(other)) => one.iter().all(|(name, value)| match other.get(name) {
            Some(came) => same(value, came, depth + 1),
            None => empty(value),
        }),
        (empty_one, Value::Null) => empty(empty_one),
        _ => false,
    }
}

fn same_text(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if plain(one) == plain(other) || one.trim_end_matches('/') == other.trim_end_matches('/') {
        return true;
    }
    match (one.parse::<jiff::Timestamp>(), other.parse::<jiff::Timestamp>()) {
        // Fractions of a second are often not kept.
        (Ok(one), Ok(other)) => one.as_second() == other.as_second(),
        _ => false,
    }
}

/// Whether a resource that is read after its deletion says itself that it is deleted: a field that the document describes
/// has changed since.
pub(super) fn marked(before: &Value, after: &Value, schema: &Value) -> bool {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return before != after };
    let described = shape_properties(schema, schema);
    let names = before.keys().chain(after.keys());
    names.into_iter().any(|name| {
        let told = described.iter().any(|(known, _)| known == name);
        told && before.get(name) != after.get(name)
    })
}
