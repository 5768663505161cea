//! The shapes of bodies: the short form made into JSON Schema, and examples made from a schema.
//!
//! The short form names a type for each field:
//!
//! ```yaml
//! id: string
//! amount: number
//! note?: string            # may be left out; `note: string?` says the same
//! state: open | closed     # not this: alternatives are types, `string | null`
//! placed: date-time        # formats: email, uuid, date, time, date-time, duration, uri, hostname, ipv4, ipv6
//! tags: [string]           # a list of texts
//! customer: { name: string }
//! ```
//!
//! Fields that it doesn't name are allowed, as a consumer should allow them.

mod example;
mod form;

use patchbay_contracts::{Code, Problem, integration::BodySchema};
use serde_json::{Map, Value, json};

pub use self::example::example;
use crate::{Result, utils::nearest::nearest};

/// How deep a short form may be nested.
const DEEPEST: usize = 64;

/// Words for types, each with its JSON Schema type.
const TYPES: [(&str, &str); 7] = [
    ("string", "string"),
    ("number", "number"),
    ("integer", "integer"),
    ("boolean", "boolean"),
    ("object", "object"),
    ("array", "array"),
    ("null", "null"),
];
/// Words for texts of a format, as JSON Schema names them.
const FORMATS: [&str; 10] = ["email", "uuid", "date", "time", "date-time", "duration", "uri", "hostname", "ipv4", "ipv6"];
/// What people write elsewhere, and what it is called here.
const ALIASES: [(&str, &str); 14] = [
    ("int", "integer"),
    ("int32", "integer"),
    ("int64", "integer"),
    ("long", "integer"),
    ("float", "number"),
    ("double", "number"),
    ("decimal", "number"),
    ("bool", "boolean"),
    ("str", "string"),
    ("text", "string"),
    ("map", "object"),
    ("datetime", "date-time"),
    ("timestamp", "date-time"),
    ("url", "uri"),
];

/// A schema that was expanded, and where its parts come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Expanded {
    /// The JSON Schema.
    pub schema: Value,
    /// Whether it was written in the short form.
    pub short: bool,
    sources: Vec<Source>,
}

/// Where a part of an expanded schema comes from.
#[derive(Debug, Clone, PartialEq)]
struct Source {
    /// The JSON pointer into the schema.
    at: String,
    /// The JSON pointer into what was written.
    from: String,
    /// Whether it was taken over as it stands, so that all below it has the same pointer in both.
    whole: bool,
}

impl Expanded {
    /// The JSON pointer into what was written for a JSON pointer into the schema.
    pub fn source(&self, pointer: &str) -> String {
        if !self.short {
            return pointer.to_owned();
        }
        let under = |known: &str| pointer.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let longest = self.sources.iter().filter(|source| under(&source.at)).max_by_key(|source| source.at.len());
        longest.map_or_else(String::new, |source| match source.whole {
            true => format!("{}{}", source.from, &pointer[source.at.len()..]),
            false => source.from.clone(),
        })
    }
}

/// The JSON Schema (draft 2020-12) that a schema of the integration file stands for; a full JSON Schema is given back as
/// it is.
///
/// # Errors
/// [`Code::InvalidDefinition`] for an unknown word, with the nearest known one, and for what is no schema at all.
pub fn expand(schema: &BodySchema) -> Result<Value> {
    expand_with_sources(schema).map(|expanded| expanded.schema)
}

/// The same as [`expand`], with the places that its parts come from.
///
/// # Errors
/// As for [`expand`].
pub fn expand_with_sources(schema: &BodySchema) -> Result<Expanded> {
    if form::is_json_schema(&schema.0) {
        return Ok(Expanded { schema: schema.0.clone(), short: false, sources: Vec::new() });
    }
    let mut expansion = Expansion { sources: Vec::new() };
    let schema = expansion.part(&schema.0, "", "", 0)?;
    Ok(Expanded { schema, short: true, sources: expansion.sources })
}

/// An expansion under way.
struct Expansion {
    sources: Vec<Source>,
}

impl Expansion {
    /// One part; `at` is its pointer in the schema and `from` that in what was written.
    fn part(&mut self, value: &Value, at: &str, from: &str, depth: usize) -> Result<Value> {
        if depth > DEEPEST {
            return Err(Problem::new(Code::InvalidDefinition, format!("A schema is nested deeper than {DEEPEST} levels")));
        }
        let whole = form::is_json_schema(value);
        self.sources.push(Source { at: at.to_owned(), from: from.to_owned(), whole });
        match value {
            // A field can be held to more than its type.
            Value::Object(_) if whole => Ok(value.clone()),
            Value::String(text) => words(text, from),
            // `null` without quotes is YAML's null, and can only be meant as the type.
            Value::Null => Ok(json!({ "type": "null" })),
            Value::Array(items) => match items.as_slice() {
                [] => Ok(json!({ "type": "array" })),
                [item] => {
                    let item = self.part(item, &format!("{at}/items"), &format!("{from}/0"), depth + 1)?;
                    Ok(json!({ "type": "array", "items": item }))
                }
                _ => Err(wrong(from, "a list in a schema has one element, the type of all of them")
                    .next("Write [string], or `array` for a list of anything")),
            },
            Value::Object(fields) => self.object(fields, at, from, depth),
            Value::Bool(_) | Value::Number(_) => Err(wrong(from, &format!("`{value}` is a value, and a type is expected"))
                .next(format!("Write one of {}", known_words()))),
        }
    }

    fn object(&mut self, fields: &Map<String, Value>, at: &str, from: &str, depth: usize) -> Result<Value> {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (written, value) in fields {
            let (name, optional_name) = match written.strip_suffix('?') {
                Some(name) if !name.is_empty() => (name, true),
                _ => (written.as_str(), false),
            };
            let (value, optional_type) = match value.as_str().and_then(|text| text.trim().strip_suffix('?')) {
                Some(kind) => (Value::String(kind.to_owned()), true),
                None => (value.clone(), false),
            };
            let at = format!("{at}/properties/{}", escape(name));
            let from = format!("{from}/{}", escape(written));
            properties.insert(name.to_owned(), self.part(&value, &at, &from, depth + 1)?);
            if !optional_name && !optional_type {
                required.push(Value::String(name.to_owned()));
            }
        }
        Ok(json!({ "type": "object", "properties": properties, "required": required }))
    }
}

/// `string`, `integer | null`, `[string]`, `email`.
fn words(text: &str, from: &str) -> Result<Value> {
    let alternatives: Vec<&str> = text.split('|').map(str::trim).collect();
    if let [one] = alternatives.as_slice() {
        return word(one, from);
    }
    let all = alternatives.iter().map(|alternative| word(alternative, from)).collect::<Result<Vec<_>>>()?;
    // Alternatives that are types only are one `type`, which makes for a shorter message when none fits.
    let plain: Option<Vec<Value>> = all
        .iter()
        .map(|schema| schema.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.get("type")).cloned())
        .collect();
    Ok(match plain {
        Some(types) => json!({ "type": types }),
        None => json!({ "anyOf": all }),
    })
}

fn word(text: &str, from: &str) -> Result<Value> {
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let item = words(inner.trim(), from)?;
        return Ok(json!({ "type": "array", "items": item }));
    }
    if let Some((_, kind)) = TYPES.iter().find(|(word, _)| *word == text) {
        return Ok(json!({ "type": kind }));
    }
    if FORMATS.contains(&text) {
        return Ok(json!({ "type": "string", "format": text }));
    }
    match text {
        "any" => Ok(json!({})),
        "list" => Ok(json!({ "type": "array" })),
        _ => Err(unknown(text, from)),
    }
}

fn unknown(text: &str, from: &str) -> Problem {
    let lower = text.to_ascii_lowercase();
    let alias = ALIASES.iter().find(|(alias, _)| *alias == lower).map(|(_, word)| *word);
    let problem = wrong(from, &format!("`{text}` is not a type"));
    match alias.or_else(|| nearest(text, all_words())) {
        Some(near) => problem.next(format!("Did you mean `{near}`?")),
        None => problem.next(format!("Write one of {}", known_words())),
    }
}

fn all_words() -> impl Iterator<Item = &'static str> {
    TYPES.iter().map(|(word, _)| *word).chain(["any", "list"]).chain(FORMATS)
}

fn known_words() -> String {
    all_words().collect::<Vec<_>>().join(", ")
}

fn wrong(from: &str, why: &str) -> Problem {
    let what = match from {
        "" => "The schema can't be read".to_owned(),
        pointer => format!("The schema can't be read at {pointer}"),
    };
    Problem::new(Code::InvalidDefinition, what).why(why)
}

/// A key as a part of a JSON pointer (RFC 6901).
pub(crate) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Whether a value is one of the short form's type words.
fn is_word(text: &str) -> bool {
    TYPES.iter().any(|(word, _)| *word == text) || matches!(text, "any" | "list")
}
