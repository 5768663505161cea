//! Holds a tree to the JSON Schema of the types, and collects every mistake with its place, what was expected, and the
//! nearest known word. The schema is generated from the types, so that neither can know a field that the other doesn't.

use patchbay_contracts::{
    Code, Place, Problem,
    units::{Rate, Share, Span},
};
use regex::Regex;
use serde_json::{Map, Value};

use super::{
    MAX_PROBLEMS,
    syntax::short,
    tree::{Kind, Node},
};
use crate::utils::nearest;

/// Checks a tree.
pub struct Checker<'a> {
    file: &'a str,
    schema: &'a Value,
    /// Whether the file breaks off, so that what is missing may only not have been reached.
    partial: bool,
    problems: Vec<Problem>,
    /// Mistakes beyond those that are told.
    more: usize,
}

/// Where a value stands, for messages: a value that isn't written stands at its key.
#[derive(Clone, Copy)]
struct At<'a> {
    line: u32,
    column: u32,
    /// The field that holds the value, or its list.
    field: &'a str,
    /// Whether what is written here may be a credential, and must not be repeated.
    secret: bool,
    depth: usize,
}

impl<'a> Checker<'a> {
    /// A checker of the file against the schema.
    pub fn new(file: &'a str, schema: &'a Value, partial: bool) -> Self {
        Self { file, schema, partial, problems: Vec::new(), more: 0 }
    }

    /// The mistakes of the tree, and how many more there are than are told.
    pub fn run(mut self, root: &Node) -> (Vec<Problem>, usize) {
        let schema = self.schema;
        let at = At { line: root.line, column: root.column, field: "file", secret: false, depth: 0 };
        self.check(root, schema, at);
        (self.problems, self.more)
    }

    /// Counts a mistake where enough of them are told: finding the nearest word to each of thousands takes its time.
    fn is_full(&mut self) -> bool {
        let full = self.problems.len() >= MAX_PROBLEMS;
        self.more += usize::from(full);
        full
    }

    fn report(&mut self, at: At<'_>, what: impl Into<String>, why: impl Into<String>, next: impl Into<String>) {
        let place = Place { file: self.file.to_owned(), line: at.line, column: at.column };
        self.problems.push(Problem::new(Code::InvalidDefinition, what).why(why).next(next).at(place));
    }

    fn check(&mut self, node: &Node, schema: &'a Value, at: At<'_>) {
        // The schema recurs (a status may be a list of statuses), and so may not the checker without end.
        if at.depth > 200 {
            return;
        }
        let at = At { depth: at.depth + 1, ..at };
        let node = node.resolved();
        let (schema, name) = self.resolve(schema);
        if let Some(name @ ("Span" | "Rate" | "Share")) = name {
            return self.quantity(node, schema, name, at);
        }
        if let Some(branches) = alternatives(schema) {
            return self.alternatives(node, branches, at);
        }
        if let Some(words) = words(schema) {
            return self.word(node, &words, at);
        }
        let Some(Value::Object(schema)) = Some(schema) else { return };
        if !schema.get("type").is_none_or(|kinds| type_fits(kinds, node)) {
            let expected = self.expected(&Value::Object(schema.clone()));
            return self.mismatch(node, &expected, at);
        }
        match &node.kind {
            Kind::Map { .. } => self.mapping(node, schema, at),
            Kind::List { items, .. } => {
                if let Some(of) = schema.get("items") {
                    for item in items {
                        self.check(item, of, At { line: item.line, column: item.column, ..at });
                    }
                }
            }
            Kind::Scalar { value: Value::String(text), .. } => self.text(text, schema, at),
            Kind::Scalar { value: Value::Number(number), .. } => self.number(number.as_f64(), schema, at),
            _ => {}
        }
    }

    /// Follows references; gives the last definition's name.
    fn resolve(&self, schema: &'a Value) -> (&'a Value, Option<&'a str>) {
        let (mut schema, mut name) = (schema, None);
        for _ in 0..16 {
            let only = schema.get("allOf").and_then(Value::as_array).filter(|all| all.len() == 1).map(|all| &all[0]);
            let target = schema.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
            match (only, target) {
                (Some(only), _) => schema = only,
                (None, Some(pointer)) => {
                    name = pointer.rsplit('/').next();
                    match self.schema.pointer(pointer) {
                        Some(found) => schema = found,
                        None => break,
                    }
                }
                (None, None) => break,
            }
        }
        (schema, name)
    }

    fn mapping(&mut self, node: &Node, schema: &'a Map<String, Value>, at: At<'_>) {
        let Kind::Map { entries, .. } = &node.kind else { return };
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties");
        // A field that was mistyped isn't told as missing as well.
        let mut meant: Vec<&str> = Vec::new();
        for entry in entries {
            let known = properties.and_then(|properties| properties.get(&entry.key));
            let place = At {
                line: if entry.value.is_absent() { entry.line } else { entry.value.line },
                column: if entry.value.is_absent() { entry.column } else { entry.value.column },
                field: &entry.key,
                secret: at.secret || holds_secret(&entry.key) || (at.field == "tls" && entry.key == "key"),
                depth: at.depth,
            };
            match (known, others) {
                (Some(known), _) => self.check(&entry.value, known, place),
                (None, Some(Value::Bool(false))) if entry.key != "<<" => {
                    let key_place = At { line: entry.line, column: entry.column, ..at };
                    meant.extend(self.unknown(&entry.key, properties.unwrap_or(&empty), key_place));
                }
                (None, Some(of @ Value::Object(_))) => self.check(&entry.value, of, place),
                _ => {}
            }
        }
        if self.partial {
            return;
        }
        for field in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            if !meant.contains(&field) && !entries.iter().any(|entry| entry.key == field) {
                let meaning = properties.and_then(|properties| properties.get(field)).and_then(|schema| self.meaning(schema));
                let next = if at.depth == 1 { String::new() } else { format!("Add \"{field}\" to \"{}\"", at.field) };
                self.report(at, format!("The field \"{field}\" is missing"), meaning.unwrap_or_default(), next);
            }
        }
    }

    /// The first sentence of a field's documentation.
    fn meaning(&self, schema: &'a Value) -> Option<String> {
        let text = schema.get("description").or_else(|| self.resolve(schema).0.get("description"))?.as_str()?;
        let first = text.split(['\n', ';', ':']).next().unwrap_or(text);
        Some(lower_first(first.trim_end_matches(['.', ' '])))
    }

    /// Reports a field that isn't known; gives the one that was probably meant.
    fn unknown<'p>(&mut self, key: &str, properties: &'p Map<String, Value>, at: At<'_>) -> Option<&'p str> {
        if self.is_full() {
            return None;
        }
        let names: Vec<&'p str> = properties.keys().map(String::as_str).collect();
        let near = nearest(key, names.iter().copied());
        let next = match near {
            Some(word) => format!("Did you mean \"{word}\"?"),
            None => match self.home_of(key) {
                Some(home) => format!("\"{key}\" is a field of {home}: move it there"),
                None => "Take it away, or put it where it belongs".to_owned(),
            },
        };
        // A typing error in the name of a field is no credential; a whole line pasted in its place could be one.
        let shown = if at.secret && key.len() > 24 { String::new() } else { format!(" \"{}\"", short(key)) };
        self.report(at, format!("Unknown field{shown}"), format!("expected {}", one_of(&names)), next);
        near
    }

    /// The part of the file that knows a field of this very name.
    fn home_of(&self, key: &str) -> Option<String> {
        let integration = self.schema.pointer("/definitions/Integration/properties")?.as_object()?;
        if integration.contains_key(key) {
            return Some("`integration`".to_owned());
        }
        integration.iter().find_map(|(name, schema)| {
            let (part, _) = self.resolve(schema);
            let part = part.get("items").unwrap_or(part);
            let parts = alternatives(part).map_or_else(|| vec![part], |branches| branches.iter().collect());
            let knows = parts.into_iter().any(|part| self.resolve(part).0.pointer(&format!("/properties/{key}")).is_some());
            knows.then(|| format!("`{name}`"))
        })
    }

    fn alternatives(&mut self, node: &Node, branches: &'a [Value], at: At<'_>) {
        let mut flat = Vec::new();
        self.flatten(branches, &mut flat, 0);
        // An optional value is told by what it is where it's there.
        let nothing = matches!(&node.kind, Kind::Scalar { value: Value::Null, .. });
        flat.retain(|branch| nothing || branch.get("type").and_then(Value::as_str) != Some("null"));
        if let [only] = flat.as_slice() {
            return self.check(node, only, at);
        }
        let fitting: Vec<&'a Value> = flat.iter().copied().filter(|branch| branch_fits(self.resolve(branch).0, node)).collect();
        match fitting.as_slice() {
            [] => {
                let expected = self.expected_of(&flat);
                self.mismatch(node, &expected, at);
            }
            [one] => self.check(node, one, at),
            several => {
                let several = several.to_vec();
                if let Some(tagged) = self.tagged(node, &several, at) {
                    return self.check(node, tagged, at);
                }
                let all: Option<Vec<&str>> = several
                    .iter()
                    .map(|branch| words(self.resolve(branch).0))
                    .collect::<Option<Vec<_>>>()
                    .map(|all| all.concat());
                if let Some(all) = all {
                    return self.word(node, &all, at);
                }
                if several.iter().any(|branch| branch.get("properties").is_some_and(|p| tag_of(p).is_some())) {
                    return; // What is wrong with the tag was said.
                }
                // The branch with the fewest mistakes is the one that was meant.
                let before = self.problems.len();
                let mut best: Option<Vec<Problem>> = None;
                for branch in several {
                    self.check(node, branch, at);
                    let found = self.problems.split_off(before);
                    if best.as_ref().is_none_or(|best| found.len() < best.len()) {
                        best = Some(found);
                    }
                }
                self.problems.extend(best.unwrap_or_default());
            }
        }
    }

    fn flatten(&self, branches: &'a [Value], flat: &mut Vec<&'a Value>, depth: usize) {
        for branch in branches {
            let (resolved, name) = self.resolve(branch);
            match alternatives(resolved) {
                Some(inner) if depth < 8 => self.flatten(inner, flat, depth + 1),
                // A quantity is known by the name of its definition, which the reference carries.
                _ => flat.push(if name.is_some() { branch } else { resolved }),
            }
        }
    }

    /// Of mappings that are told apart by a field such as `type`, the one that is meant; says what is wrong with that field.
    fn tagged(&mut self, node: &Node, branches: &[&'a Value], at: At<'_>) -> Option<&'a Value> {
        let tags: Vec<(&'a str, &'a str)> =
            branches.iter().map(|branch| branch.get("properties").and_then(tag_of)).collect::<Option<Vec<_>>>()?;
        let field = tags.first()?.0;
        let known: Vec<&str> = tags.iter().map(|(_, word)| *word).collect();
        let Some(entry) = node.entry(field) else {
            if !self.partial {
                self.report(
                    at,
                    format!("The field \"{field}\" is missing"),
                    format!("expected {}", one_of(&known)),
                    format!("Add \"{field}\" to \"{}\"", at.field),
                );
            }
            return None;
        };
        let place = At { line: entry.value.line, column: entry.value.column, field, ..at };
        if let Kind::Scalar { value: Value::String(word), .. } = &entry.value.resolved().kind {
            if let Some(found) = tags.iter().position(|(_, tag)| tag == word) {
                return Some(branches[found]);
            }
            self.word(&entry.value, &known, place);
        } else {
            self.mismatch(entry.value.resolved(), &one_of(&known), place);
        }
        None
    }

    fn word(&mut self, node: &Node, known: &[&str], at: At<'_>) {
        let node = node.resolved();
        let expected = format!("expected {}", one_of(known));
        let Kind::Scalar { value: Value::String(word), .. } = &node.kind else {
            return self.mismatch(node, expected.trim_start_matches("expected "), at);
        };
        if known.contains(&word.as_str()) || self.is_full() {
            return;
        }
        let nearest = nearest(word, known.iter().copied());
        let next = nearest.map(|nearest| format!("Did you mean \"{nearest}\"?"));
        if at.field == "system" && super::OTHER_SYSTEMS.contains(&word.to_ascii_lowercase().as_str()) {
            return self.report(
                at,
                format!("The system \"{word}\" is not supported by this version of Patchbay"),
                expected,
                "Leave the file as it is until a version supports it, or describe the HTTP side of it as `rest`",
            );
        }
        let shown = if at.secret { String::new() } else { format!(" \"{}\"", short(word)) };
        self.report(at, format!("Unknown value{shown} for \"{}\"", at.field), expected, next.unwrap_or_default());
    }

    fn quantity(&mut self, node: &Node, schema: &Value, name: &str, at: At<'_>) {
        let (meant, example, units): (&str, &str, &[&str]) = match name {
            "Span" => ("a duration with its unit", "500ms, 30s, 5m or 2h", &["s", "ms"]),
            "Rate" => ("a count over a time", "200/s or 100/min", &["/s", "/min"]),
            _ => ("a share in per cent", "99.9% or 0.1%", &["%"]),
        };
        let bare = match &node.kind {
            Kind::Scalar { value: Value::Number(number), .. } => Some(number.to_string()),
            Kind::Scalar { value: Value::String(text), .. } => {
                let fits = match name {
                    "Span" => text.parse::<Span>().is_ok(),
                    "Rate" => text.parse::<Rate>().is_ok(),
                    _ => text.parse::<Share>().is_ok(),
                };
                let shaped = schema.get("pattern").and_then(Value::as_str).and_then(|pattern| Regex::new(pattern).ok());
                if fits && shaped.is_none_or(|pattern| pattern.is_match(text)) {
                    return;
                }
                if self.is_full() {
                    return;
                }
                text.trim().parse::<f64>().ok().map(|_| text.trim().to_owned())
            }
            _ => return self.mismatch(node, &format!("{meant}, such as {example}"), at),
        };
        match bare {
            Some(number) => {
                let written: Vec<String> = units.iter().map(|unit| format!("{number}{unit}")).collect();
                self.report(
                    at,
                    format!("\"{}\" has no unit", at.field),
                    format!("expected {meant}, found {number}"),
                    format!("Write {}", written.join(" or ")),
                );
            }
            None => {
                let found = found(node, at.secret);
                self.report(
                    at,
                    format!("\"{}\" can't be read", at.field),
                    format!("expected {meant}, found {found}"),
                    format!("Write it like {example}"),
                );
            }
        }
    }

    fn text(&mut self, text: &str, schema: &Map<String, Value>, at: At<'_>) {
        let length = text.chars().count() as u64;
        if schema.get("minLength").and_then(Value::as_u64).is_some_and(|least| length < least) {
            self.report(at, format!("\"{}\" is empty", at.field), "expected a text", "");
        } else if let Some(most) = schema.get("maxLength").and_then(Value::as_u64).filter(|most| length > *most) {
            self.report(at, format!("\"{}\" is too long", at.field), format!("at most {most} characters are allowed"), "");
        }
        let pattern = schema.get("pattern").and_then(Value::as_str).and_then(|pattern| Regex::new(pattern).ok());
        if pattern.is_some_and(|pattern| !pattern.is_match(text)) {
            let expected =
                if at.field == "status" { "expected a status such as 201, a class such as 2xx, or a list of them" } else { "" };
            let shown = if at.secret { String::new() } else { format!(" \"{}\"", short(text)) };
            self.report(at, format!("\"{}\" can't be{shown}", at.field), expected, "");
        }
    }

    fn number(&mut self, number: Option<f64>, schema: &Map<String, Value>, at: At<'_>) {
        let Some(number) = number else { return };
        let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
        let (least, most) = (bound("minimum"), bound("maximum"));
        let most = most.or_else(|| match schema.get("format").and_then(Value::as_str) {
            Some("uint8") => Some(f64::from(u8::MAX)),
            Some("uint16") => Some(f64::from(u16::MAX)),
            Some("uint32") => Some(f64::from(u32::MAX)),
            _ => None,
        });
        if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
            let range = match (least, most) {
                (Some(least), Some(most)) => format!("expected a number from {least} to {most}"),
                (Some(least), None) => format!("expected a number of at least {least}"),
                (None, Some(most)) => format!("expected a number of at most {most}"),
                (None, None) => String::new(),
            };
            self.report(at, format!("\"{}\" can't be {number}", at.field), range, "");
        }
    }

    fn mismatch(&mut self, node: &Node, expected: &str, at: At<'_>) {
        if (self.partial && node.is_absent()) || self.is_full() {
            return;
        }
        let next = match &node.kind {
            Kind::Scalar { value: value @ (Value::Number(_) | Value::Bool(_)), .. }
                if expected.starts_with("a text") && !at.secret =>
            {
                format!("Put it in quotes: \"{value}\"")
            }
            Kind::Scalar { value: value @ (Value::Number(_) | Value::Bool(_)), .. } if expected.starts_with("a text") => {
                let _ = value;
                "Put it in quotes".to_owned()
            }
            Kind::Map { entries, flow: true }
                if expected.starts_with("a text") && entries.iter().all(|e| e.value.is_absent()) =>
            {
                "If it is a text that begins with `{`, put it in quotes".to_owned()
            }
            Kind::Scalar { value: Value::String(_), .. } if expected.starts_with("a list") => {
                "Write it as a list: [ … ], or `- …` lines".to_owned()
            }
            _ => String::new(),
        };
        let found = found(node, at.secret);
        self.report(at, format!("\"{}\" is of the wrong kind", at.field), format!("expected {expected}, found {found}"), next);
    }

    /// What a schema asks for, in words.
    fn expected(&self, schema: &Value) -> String {
        let kinds: Vec<&str> = match schema.get("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => vec![],
        };
        let fields = schema.get("properties").and_then(Value::as_object);
        let named: Vec<String> = kinds
            .iter()
            .filter(|kind| **kind != "null")
            .map(|kind| match *kind {
                "string" => "a text".to_owned(),
                "integer" => "a whole number".to_owned(),
                "number" => "a number".to_owned(),
                "boolean" => "true or false".to_owned(),
                "array" => "a list".to_owned(),
                "object" => match fields {
                    Some(fields) => format!("a mapping with {}", fields.keys().cloned().collect::<Vec<_>>().join(", ")),
                    None => "a mapping of names to values".to_owned(),
                },
                other => other.to_owned(),
            })
            .collect();
        named.join(" or ")
    }

    fn expected_of(&self, branches: &[&'a Value]) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut known: Vec<&str> = Vec::new();
        for branch in branches {
            let (resolved, name) = self.resolve(branch);
            let part = match (name, words(resolved), resolved.get("properties").and_then(tag_of)) {
                (Some("Span"), ..) => "a duration with its unit, such as 500ms, 30s, 5m or 2h".to_owned(),
                (Some("Rate"), ..) => "a count over a time, such as 200/s or 100/min".to_owned(),
                (Some("Share"), ..) => "a share in per cent, such as 99.9%".to_owned(),
                (_, Some(words), _) => {
                    known.extend(words);
                    continue;
                }
                (_, _, Some((field, _))) => format!("a mapping with \"{field}\""),
                _ => self.expected(resolved),
            };
            if !part.is_empty() && !parts.contains(&part) {
                parts.push(part);
            }
        }
        if !known.is_empty() {
            parts.insert(0, one_of(&known));
        }
        parts.join(" or ")
    }
}

fn alternatives(schema: &Value) -> Option<&[Value]> {
    schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array).map(Vec::as_slice)
}

/// The words of an enumeration.
fn words(schema: &Value) -> Option<Vec<&str>> {
    match (schema.get("const"), schema.get("enum")) {
        (Some(Value::String(word)), _) => Some(vec![word]),
        (_, Some(Value::Array(words))) => words.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// The field by which mappings are told apart, and its word here.
fn tag_of(properties: &Value) -> Option<(&str, &str)> {
    properties.as_object()?.iter().find_map(|(name, schema)| Some((name.as_str(), schema.get("const")?.as_str()?)))
}

fn branch_fits(schema: &Value, node: &Node) -> bool {
    if words(schema).is_some() {
        return type_fits(&Value::String("string".to_owned()), node);
    }
    schema.get("type").is_none_or(|kinds| type_fits(kinds, node))
}

fn type_fits(kinds: &Value, node: &Node) -> bool {
    let fits = |kind: &str| match &node.resolved().kind {
        Kind::Map { .. } => kind == "object",
        Kind::List { .. } => kind == "array",
        Kind::Scalar { value, .. } => match value {
            Value::Null => kind == "null",
            Value::Bool(_) => kind == "boolean",
            Value::String(_) => kind == "string",
            Value::Number(number) => kind == "number" || (kind == "integer" && !number.is_f64()),
            _ => false,
        },
        Kind::Alias(_) => false,
    };
    match kinds {
        Value::String(kind) => fits(kind),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).any(fits),
        _ => true,
    }
}

/// What stands in a place, in words; a credential is not repeated.
fn found(node: &Node, secret: bool) -> String {
    match &node.kind {
        Kind::Map { .. } => "a mapping".to_owned(),
        Kind::List { .. } => "a list".to_owned(),
        Kind::Scalar { value: Value::Null, .. } => "nothing".to_owned(),
        Kind::Scalar { value: Value::String(_), .. } if secret => "a text".to_owned(),
        Kind::Scalar { value: Value::Number(_), .. } if secret => "a number".to_owned(),
        Kind::Scalar { value: Value::String(text), .. } => format!("the text \"{}\"", short(text)),
        Kind::Scalar { value: Value::Number(number), .. } => format!("the number {number}"),
        Kind::Scalar { value, .. } => value.to_string(),
        Kind::Alias(_) => "an alias".to_owned(),
    }
}

fn one_of(names: &[&str]) -> String {
    match names {
        [only] => format!("\"{only}\""),
        _ => format!("one of {}", names.join(", ")),
    }
}

/// Whether a field of this name may hold a credential.
pub fn holds_secret(key: &str) -> bool {
    const NAMES: [&str; 15] = [
        "auth",
        "token",
        "password",
        "secret",
        "authorization",
        "proxy-authorization",
        "x-api-key",
        "api-key",
        "api_key",
        "apikey",
        "x-auth-token",
        "access_token",
        "client_secret",
        "cookie",
        "credentials",
    ];
    NAMES.iter().any(|name| key.eq_ignore_ascii_case(name))
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    // A word that is all capitals, such as HTTP, stays.
    match (characters.next(), characters.next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain([second]).chain(characters).collect()
        }
        _ => text.to_owned(),
    }
}
