//! Formats of texts and numbers: values that are just within each one, and just outside.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// How deep schemas are walked.
const DEEPEST: usize = 64;

/// Whether a text is of a format.
type Judge = fn(&str) -> bool;

/// Formats of OpenAPI that JSON Schema has no rule for.
pub(super) const OPENAPI: &[(&str, Judge)] = &[("byte", is_base64)];

fn is_base64(text: &str) -> bool {
    STANDARD.decode(text).is_ok()
}

/// Writes the limits of `int32` and `int64` out as `minimum` and `maximum`, where the schema has none.
pub(super) fn bound_integers(schema: &mut Value, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    match schema {
        Value::Object(fields) => {
            let limits = match fields.get("format").and_then(Value::as_str) {
                Some("int32") => Some((json!(i32::MIN), json!(i32::MAX))),
                Some("int64") => Some((json!(i64::MIN), json!(i64::MAX))),
                _ => None,
            };
            let numeric = fields.get("type").is_some_and(|kind| {
                let numeric = |name: &Value| matches!(name.as_str(), Some("integer" | "number"));
                numeric(kind) || kind.as_array().is_some_and(|all| all.iter().any(numeric))
            });
            if let Some((least, most)) = limits.filter(|_| numeric) {
                if !fields.contains_key("minimum") && !fields.contains_key("exclusiveMinimum") {
                    fields.insert("minimum".to_owned(), least);
                }
                if !fields.contains_key("maximum") && !fields.contains_key("exclusiveMaximum") {
                    fields.insert("maximum".to_owned(), most);
                }
            }
            for (key, value) in fields.iter_mut() {
                // What stands in these is data.
                if !matches!(key.as_str(), "enum" | "const" | "example" | "examples" | "default") {
                    bound_integers(value, depth + 1);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| bound_integers(item, depth + 1)),
        _ => {}
    }
}

/// Values of a format, an ordinary one first; none for a format that isn't known.
pub(super) fn valid(format: &str) -> &'static [&'static str] {
    match format {
        "date" => &["2026-01-31", "2024-02-29", "1999-12-31"],
        "date-time" => &["2026-01-31T12:30:00Z", "2024-02-29T23:59:59Z", "2026-01-31T12:30:00+02:00", "2026-01-31T12:30:00.123Z"],
        "time" => &["12:30:00Z", "23:59:59Z", "00:00:00Z"],
        "duration" => &["PT30S", "P1D", "P1Y2M3DT4H5M6S"],
        "email" | "idn-email" => &["someone@example.com", "first.last+tag@sub.example.org"],
        "uuid" => &["3f2504e0-4f89-41d3-9a0c-0305e82c3301", "9b2f1c3e-7d64-4a5b-8c1d-2e3f4a5b6c7d"],
        "uri" | "iri" => &["https://example.com/", "https://example.com/a/b?c=d#e"],
        "uri-reference" | "iri-reference" => &["https://example.com/", "/a/b?c=d"],
        "uri-template" => &["/a/{b}"],
        "url" => &["https://example.com/"],
        "hostname" | "idn-hostname" => &["example.com", "a-b.example.org"],
        "ipv4" => &["192.0.2.1", "0.0.0.0", "255.255.255.255"],
        "ipv6" => &["2001:db8::1", "::1"],
        "byte" => &["dGV4dA==", "AA=="],
        "json-pointer" => &["/a/b"],
        "relative-json-pointer" => &["1/a"],
        "regex" => &["^a+$"],
        _ => &[],
    }
}

/// Texts that are not of a format, each with what is wrong; none where no such judgement is sure.
pub(super) fn invalid(format: &str) -> &'static [(&'static str, &'static str)] {
    match format {
        "date" => &[
            ("not-a-date", "no date"),
            ("2026-02-30", "a day that the month doesn't have"),
            ("31.01.2026", "a date in another notation"),
        ],
        "date-time" => &[
            ("not-a-date-time", "no date and time"),
            ("2026-13-01T00:00:00Z", "a month that no year has"),
            ("2026-01-31", "a date without a time"),
        ],
        "time" => &[("not-a-time", "no time"), ("25:00:00Z", "an hour that no day has")],
        "duration" => &[("not-a-duration", "no duration")],
        "email" | "idn-email" => &[("not-an-email", "no e-mail address"), ("@example.com", "an e-mail address without a name")],
        "uuid" => &[("not-a-uuid", "no UUID"), ("3f2504e0-4f89-41d3-9a0c-0305e82c330", "a UUID that lacks a digit")],
        "uri" | "iri" => &[("not a uri", "no URI")],
        "hostname" => &[("not a host", "no host name")],
        "ipv4" => &[("256.1.1.1", "no IPv4 address"), ("not-an-address", "no IPv4 address")],
        "ipv6" => &[("12345::1", "no IPv6 address"), ("not-an-address", "no IPv6 address")],
        "byte" => &[("%%%", "not Base64")],
        _ => &[],
    }
}
