//! A mismatch as the crates tell it, as a check of ours.

use std::cmp::Ordering;

use pact_matching::Mismatch;
use pact_models::path_exp::{DocPath, PathToken};
use patchbay_contracts::{
    contract::{Check, CheckResult},
    run::Verdict,
};
use serde_json::Value;

use super::super::schema::escape;

/// The most of a text that a check quotes, in bytes.
const QUOTED: usize = 16 * 1024;
/// The most mismatches that are told of one part.
const MOST: usize = 200;

/// Both bodies as JSON, where they are JSON: what stands at a place is then shown as it is, and not as text.
#[derive(Default)]
pub(super) struct Bodies {
    pub(super) expected: Option<Value>,
    pub(super) actual: Option<Value>,
}

/// The checks that failed, in an order that is the same each time.
pub(super) fn checks(mismatches: Vec<Mismatch>, bodies: &Bodies) -> Vec<CheckResult> {
    let mut checks: Vec<_> = mismatches.into_iter().map(|mismatch| check(mismatch, bodies)).collect();
    checks.sort_by(by_place);
    checks.dedup_by(|a, b| by_place(a, b) == Ordering::Equal);
    checks.truncate(MOST);
    checks
}

fn by_place(a: &CheckResult, b: &CheckResult) -> Ordering {
    (a.check, &a.pointer, &a.message).cmp(&(b.check, &b.pointer, &b.message))
}

fn check(mismatch: Mismatch, bodies: &Bodies) -> CheckResult {
    match mismatch {
        Mismatch::MethodMismatch { expected, actual, .. } => {
            let message = format!("The method is {actual}, and {expected} is expected");
            told(Check::Method, message, Some(expected.into()), Some(actual.into()))
        }
        Mismatch::PathMismatch { expected, actual, mismatch } => {
            told(Check::Path, mismatch, Some(expected.into()), Some(actual.into()))
        }
        Mismatch::StatusMismatch { expected, actual, mismatch } => {
            let message = if mismatch.starts_with("expected ") {
                format!("The status is {actual}, and {expected} is expected")
            } else {
                mismatch
            };
            told(Check::Status, message, Some(expected.into()), Some(actual.into()))
        }
        Mismatch::QueryMismatch { parameter, expected, actual, mismatch } => {
            told(Check::Query, named("query parameter", &parameter, mismatch), Some(expected.into()), Some(actual.into()))
        }
        Mismatch::HeaderMismatch { key, expected, actual, mismatch } => {
            told(Check::Header, named("header", &key, mismatch), Some(expected.into()), Some(actual.into()))
        }
        Mismatch::BodyTypeMismatch { expected, actual, mismatch, .. } => {
            told(Check::ContentType, mismatch, Some(expected.into()), Some(actual.into()))
        }
        Mismatch::MetadataMismatch { key, expected, actual, mismatch } => {
            let value = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
            told(Check::Metadata, named("metadata", &key, mismatch), Some(value(expected)), Some(value(actual)))
        }
        Mismatch::BodyMismatch { path, expected, actual, mismatch } => {
            let pointer = pointer(&path);
            let at = |body: &Option<Value>, told: Option<bytes::Bytes>| {
                let found = body.as_ref().zip(pointer.as_deref()).and_then(|(body, pointer)| body.pointer(pointer));
                found.map_or_else(|| told.map(|told| text(&told)), |value| Some(bounded(value)))
            };
            let (expected, actual) = (at(&bodies.expected, expected), at(&bodies.actual, actual));
            CheckResult { pointer: Some(pointer.unwrap_or(path)), ..told(Check::Body, mismatch, expected, actual) }
        }
    }
}

fn told(check: Check, message: String, expected: Option<Value>, actual: Option<Value>) -> CheckResult {
    let message = if message.is_empty() { "It does not match".to_owned() } else { cut(&message) };
    let cut = |value: Value| bounded(&value);
    CheckResult { expected: expected.map(cut), actual: actual.map(cut), ..CheckResult::new(check, Verdict::Fail, message) }
}

/// The message, with the name of what it is about where it doesn't say it itself.
fn named(kind: &str, name: &str, message: String) -> String {
    if message.to_ascii_lowercase().contains(&name.to_ascii_lowercase()) { message } else { format!("{kind} {name}: {message}") }
}

fn text(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::String(cut(text)),
        Err(_) => Value::String(format!("{} bytes that are no text", bytes.len())),
    }
}

fn cut(text: &str) -> String {
    if text.len() <= QUOTED { text.to_owned() } else { format!("{}…", &text[..text.floor_char_boundary(QUOTED)]) }
}

fn bounded(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(cut(text)),
        Value::Array(_) | Value::Object(_) => {
            let text = value.to_string();
            if text.len() <= QUOTED { value.clone() } else { Value::String(cut(&text)) }
        }
        other => other.clone(),
    }
}

/// A path of Pact's (`$.a[0]['b c']`) as a JSON pointer; none for a path that names more than one place.
pub(super) fn pointer(path: &str) -> Option<String> {
    if matches!(path, "" | "/" | "$") {
        return Some(String::new());
    }
    let mut pointer = String::new();
    for token in DocPath::new(path).ok()?.tokens() {
        match token {
            PathToken::Root => {}
            PathToken::Field(name) => pointer.push_str(&format!("/{}", escape(name))),
            PathToken::Index(index) => pointer.push_str(&format!("/{index}")),
            PathToken::Star | PathToken::StarIndex => return None,
        }
    }
    Some(pointer)
}
