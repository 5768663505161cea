//! What the Pact crates can't be handed as it stands.

use std::{future::Future, panic::AssertUnwindSafe};

use futures_util::FutureExt;
use pact_models::{
    matchingrules::{Category, MatchingRule, MatchingRules, RuleList},
    path_exp::{DocPath, PathToken},
};
use patchbay_contracts::{Code, Problem};
use serde_json::{Map, Value};

use crate::Result;

/// The deepest nesting of a body. The crates compare recursively.
const DEEPEST: usize = 200;

/// A mistake of a pact, with the JSON pointer of what is mistaken.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) pointer: String,
    pub(super) what: String,
}

impl Mistake {
    fn new(pointer: impl Into<String>, what: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), what: what.into() }
    }

    /// The same, seen from a level above.
    pub(super) fn below(self, pointer: &str) -> Self {
        Self { pointer: format!("{pointer}{}", self.pointer), ..self }
    }

    /// As a problem of what is called `of`.
    pub(super) fn problem(&self, of: &str) -> Problem {
        let at = if self.pointer.is_empty() { String::new() } else { format!("at {}", self.pointer) };
        Problem::new(Code::InvalidDefinition, format!("{of} can't be read: {}", self.what)).why(at)
    }
}

/// Holds a request, a response or the contents of a message to what the crates take for granted.
pub(super) fn part(part: &Value) -> std::result::Result<(), Mistake> {
    let Value::Object(map) = part else { return Err(Mistake::new("", format!("{} is no object", kind_of(part)))) };
    if let Some(status) = map.get("status")
        && !status.as_u64().is_some_and(|status| (100..=999).contains(&status))
    {
        return Err(Mistake::new("/status", format!("the status {status} is no number from 100 to 999")));
    }
    headers(map)?;
    for name in ["body", "contents"] {
        let Some(body) = map.get(name) else { continue };
        let depth = body.as_str().or_else(|| body.get("content").and_then(Value::as_str)).map_or_else(|| depth(body), nesting);
        if depth > DEEPEST {
            return Err(Mistake::new(format!("/{name}"), format!("the body is nested {depth} deep, and {DEEPEST} is the bound")));
        }
    }
    Ok(())
}

fn headers(map: &Map<String, Value>) -> std::result::Result<(), Mistake> {
    let headers = match map.get("headers") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(headers)) => headers,
        Some(other) => return Err(Mistake::new("/headers", format!("the headers are {} and no object", kind_of(other)))),
    };
    for (name, value) in headers {
        let empty = match value {
            Value::Array(values) => values.is_empty(),
            Value::Object(_) | Value::Null => true,
            _ => false,
        };
        if empty {
            let pointer = format!("/headers/{}", super::super::schema::escape(name));
            return Err(Mistake::new(pointer, format!("the header {name} has no value")));
        }
    }
    Ok(())
}

/// What a value is, in words.
pub(super) const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// How deep elements are nested in a text, where it is XML; roughly, and never less than it is.
pub(super) fn nesting(text: &str) -> usize {
    if !text.trim_start().starts_with('<') {
        return 0;
    }
    let bytes = text.as_bytes();
    let (mut now, mut deepest) = (0_usize, 0_usize);
    for (index, _) in text.match_indices('<') {
        match bytes.get(index + 1) {
            Some(b'/') => now = now.saturating_sub(1),
            Some(b'!' | b'?') | None => {}
            Some(_) => {
                let rest = &text[index..];
                let empty = rest.find('>').is_some_and(|end| rest[..end].ends_with('/'));
                if !empty {
                    now += 1;
                }
                deepest = deepest.max(now);
            }
        }
    }
    deepest
}

/// Runs what calls into the crates; a panic of theirs becomes a problem.
pub(super) async fn caught<T>(what: &str, call: impl Future<Output = T>) -> Result<T> {
    AssertUnwindSafe(call).catch_unwind().await.map_err(|_| {
        Problem::new(Code::InvalidDefinition, format!("{what} can't be judged"))
            .why("the Pact library gave up on it")
            .next("Look for a malformed matching rule or path in it")
    })
}

/// Moves the rules on what an XML element says from the element to its text. The specification writes them at the element,
/// where the crate would hold them against the element's name.
pub(super) fn rules_on_texts(rules: &mut MatchingRules) {
    let Some(body) = rules.rules.get_mut(&Category::BODY) else { return };
    let on_elements: Vec<DocPath> = body.rules.keys().filter(|path| is_element(path)).cloned().collect();
    for path in on_elements {
        let Some(list) = body.rules.get_mut(&path) else { continue };
        let (on_text, on_element) = std::mem::take(&mut list.rules).into_iter().partition(is_on_text);
        list.rules = on_element;
        let on_text = RuleList { rules: on_text, ..list.clone() };
        if list.rules.is_empty() {
            body.rules.remove(&path);
        }
        if !on_text.rules.is_empty() {
            body.rules.entry(path.join("#text")).or_insert(on_text);
        }
    }
}

fn is_element(path: &DocPath) -> bool {
    matches!(path.tokens().last(), Some(PathToken::Field(name)) if !name.starts_with(['@', '#']))
}

const fn is_on_text(rule: &MatchingRule) -> bool {
    use MatchingRule::{Boolean, Date, Decimal, Include, Integer, Number, Regex, Semver, Time, Timestamp};
    matches!(rule, Regex(_) | Include(_) | Timestamp(_) | Time(_) | Date(_) | Number | Integer | Decimal | Boolean | Semver)
}
