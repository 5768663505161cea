//! The formats of OpenAPI (its registry of formats), as far as they can be judged.

use serde_json::{Map, Value, json};

/// Base64 as RFC 4648, 4 writes it.
const BASE64: &str = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$";
/// Those that JSON Schema knows as well.
const KNOWN: [&str; 17] = [
    "date",
    "date-time",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "iri",
    "iri-reference",
    "uuid",
    "json-pointer",
    "regex",
];

/// Adds what a format asks for.
pub(super) fn apply(map: &Map<String, Value>, out: &mut Map<String, Value>) {
    let Some(format) = map.get("format").and_then(Value::as_str) else { return };
    match format {
        "int32" => also(out, [("minimum", json!(i32::MIN)), ("maximum", json!(i32::MAX))]),
        "int64" => also(out, [("minimum", json!(i64::MIN)), ("maximum", json!(i64::MAX))]),
        "byte" | "base64" => also(out, [("pattern", Value::from(BASE64))]),
        known if KNOWN.contains(&known) => {
            out.insert("format".to_owned(), Value::from(known));
        }
        // `password`, `binary`, `float` and `double` ask for nothing that JSON could break, and others aren't known.
        _ => {}
    }
}

/// Adds keywords; where the schema has one of them already, all of them beside it.
fn also<const N: usize>(out: &mut Map<String, Value>, keywords: [(&str, Value); N]) {
    let keywords = keywords.map(|(key, value)| (key.to_owned(), value));
    let taken = |key: &String| {
        out.contains_key(key)
            || key == "minimum" && out.contains_key("exclusiveMinimum")
            || key == "maximum" && out.contains_key("exclusiveMaximum")
    };
    if !keywords.iter().any(|(key, _)| taken(key)) {
        out.extend(keywords);
        return;
    }
    let beside = Value::Object(keywords.into_iter().collect());
    match out.get_mut("allOf") {
        Some(Value::Array(all)) => all.push(beside),
        _ => {
            out.insert("allOf".to_owned(), Value::Array(vec![beside]));
        }
    }
}
