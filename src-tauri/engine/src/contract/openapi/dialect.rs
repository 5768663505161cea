//! The three dialects of schemas, turned into plain JSON Schema.
//!
//! Swagger 2.0 and OpenAPI 3.0 have a subset of JSON Schema's keywords, some with another meaning; whatever they don't know
//! is left out. OpenAPI 3.1 is JSON Schema 2020-12 with a few keywords more.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value, json};

use super::schema::Shared;
use crate::contract::document::{escape, fragment, join};

pub(super) mod circles;
mod discriminator;
mod format;
pub(super) mod older;

/// What the name of a schema ends in that is taken without what its discriminator asks: as the base of another one.
pub(super) const BASE: &str = "#base";
/// How many schemas are looked through for the marks of one schema's properties, each once: what refers to itself would have
/// no end, and a chain of references no bound.
const SEEN: usize = 200;

/// In which dialect schemas are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Swagger 2.0.
    Swagger2,
    /// OpenAPI 3.0.
    OpenApi30,
    /// OpenAPI 3.1.
    OpenApi31,
}

/// What a value is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// What is sent.
    Request,
    /// What is answered.
    Response,
}

impl Direction {
    /// The mark of properties that the other direction alone has.
    const fn forbidden(self) -> &'static str {
        match self {
            Self::Request => "readOnly",
            Self::Response => "writeOnly",
        }
    }
}

/// A schema that others refer to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) pointer: String,
    /// Whether it is the base of another one, which has been chosen already.
    pub(super) base: bool,
}

impl Key {
    pub(super) fn name(&self) -> String {
        if self.base { format!("{}{BASE}", self.pointer) } else { self.pointer.clone() }
    }

    fn reference(&self) -> Value {
        let pointer = format!("/$defs/{}", escape(&self.name()));
        Value::String(fragment(&pointer))
    }
}

/// A converted schema, with those that it refers to.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) value: Value,
    pub(super) keys: Vec<Key>,
}

/// The conversion of one schema.
pub(super) struct Converter<'s> {
    shared: &'s Shared,
    direction: Direction,
    key: &'s Key,
    keys: Vec<Key>,
}

impl<'s> Converter<'s> {
    pub(super) const fn new(shared: &'s Shared, direction: Direction, key: &'s Key) -> Self {
        Self { shared, direction, key, keys: Vec::new() }
    }

    pub(super) fn convert(mut self) -> Piece {
        let value = match self.root().pointer(&self.key.pointer) {
            Some(schema) => self.schema(&self.key.pointer, schema, &BTreeSet::new()),
            None => Value::Bool(true),
        };
        Piece { value, keys: self.keys }
    }

    fn root(&self) -> &'s Value {
        &self.shared.bundle.root
    }

    fn dialect(&self) -> Dialect {
        self.shared.dialect
    }

    /// What the reference at a pointer leads to, one step.
    fn target(&self, at: &str) -> Option<&'s str> {
        self.shared.bundle.target(at)
    }

    fn refer(&mut self, key: Key) -> Value {
        let reference = key.reference();
        self.keys.push(key);
        reference
    }

    /// A schema; `unasked` are properties that a schema around it, of which it is a part, does not require.
    fn schema(&mut self, at: &str, schema: &Value, unasked: &BTreeSet<String>) -> Value {
        let Value::Object(map) = schema else { return Value::Bool(schema.as_bool().unwrap_or(true)) };
        let mut out = Map::new();
        if let Some(Value::String(_)) = map.get("$ref") {
            // A reference that leads nowhere is told where the document is read.
            if let Some(target) = self.target(at) {
                let base = at.rsplit('/').nth(1) == Some("allOf") && self.is_base(target);
                let reference = self.refer(Key { pointer: target.to_owned(), base });
                out.insert("$ref".to_owned(), reference);
            }
            // Before 3.1 nothing beside a reference counts (OpenAPI 3.0.4, 4.8.23.1).
            if self.dialect() != Dialect::OpenApi31 || older::references_alone(self.root(), map) {
                return Value::Object(out);
            }
        }
        let mut unasked = unasked.clone();
        self.marked(at, map, &mut HashSet::new(), &mut unasked);
        for (key, value) in map {
            if let Some(value) = self.keyword(&join(at, key), key, value, &unasked) {
                out.insert(key.clone(), value);
            }
        }
        if self.dialect() == Dialect::OpenApi31 {
            self.older(at, map, &mut out);
        }
        self.meaning(map, &mut out);
        self.discriminate(at, map, &mut out);
        Value::Object(out)
    }

    /// A keyword's value, where the dialect has it.
    fn keyword(&mut self, at: &str, key: &str, value: &Value, unasked: &BTreeSet<String>) -> Option<Value> {
        let new = self.dialect() == Dialect::OpenApi31;
        let none = BTreeSet::new();
        Some(match key {
            "properties" => Value::Object(self.properties(at, value.as_object()?)),
            "patternProperties" | "dependentSchemas" if new => self.map(at, value.as_object()?),
            "allOf" => self.list(at, value.as_array()?, unasked),
            "anyOf" | "oneOf" if self.dialect() != Dialect::Swagger2 => self.list(at, value.as_array()?, unasked),
            "prefixItems" if new => self.list(at, value.as_array()?, &none),
            "items" if value.is_array() => return None,
            "items" | "additionalProperties" => self.schema(at, value, &none),
            "not" if self.dialect() != Dialect::Swagger2 => self.schema(at, value, &none),
            "if" | "then" | "else" if new => self.schema(at, value, unasked),
            "contains" | "propertyNames" | "unevaluatedItems" | "unevaluatedProperties" if new => self.schema(at, value, &none),
            "required" => {
                let asked = value.as_array()?.iter().filter(|name| name.as_str().is_none_or(|name| !unasked.contains(name)));
                Value::Array(asked.cloned().collect())
            }
            "enum" | "pattern" | "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties"
            | "multipleOf" | "uniqueItems" | "minimum" | "maximum" | "title" | "description" | "default" => value.clone(),
            "exclusiveMinimum" | "exclusiveMaximum" if new => value.clone(),
            "const" | "minContains" | "maxContains" | "dependentRequired" | "contentEncoding" | "contentMediaType" if new => {
                value.clone()
            }
            "readOnly" | "writeOnly" if value.is_boolean() => value.clone(),
            _ => return None,
        })
    }

    fn list(&mut self, at: &str, schemas: &[Value], unasked: &BTreeSet<String>) -> Value {
        schemas.iter().enumerate().map(|(index, schema)| self.schema(&format!("{at}/{index}"), schema, unasked)).collect()
    }

    fn map(&mut self, at: &str, schemas: &Map<String, Value>) -> Value {
        let none = BTreeSet::new();
        let convert = |(name, schema): (&String, &Value)| (name.clone(), self.schema(&join(at, name), schema, &none));
        Value::Object(schemas.iter().map(convert).collect())
    }

    fn properties(&mut self, at: &str, schemas: &Map<String, Value>) -> Map<String, Value> {
        let mut properties = Map::new();
        for (name, schema) in schemas {
            let at = join(at, name);
            let converted = if self.is_marked(&at, schema, &mut HashSet::new()) {
                json!({ self.direction.forbidden(): true, "not": {} })
            } else {
                self.schema(&at, schema, &BTreeSet::new())
            };
            properties.insert(name.clone(), converted);
        }
        properties
    }

    /// Whether a property is one that only the other direction has.
    fn is_marked(&self, at: &str, schema: &Value, seen: &mut HashSet<String>) -> bool {
        let Value::Object(map) = schema else { return false };
        if !is_new(at, seen) {
            return false;
        }
        let own = map.get(self.direction.forbidden()) == Some(&Value::Bool(true));
        if map.contains_key("$ref") {
            if own && self.dialect() == Dialect::OpenApi31 {
                return true;
            }
            let target = self.target(at).and_then(|target| Some((target, self.root().pointer(target)?)));
            return target.is_some_and(|(at, schema)| self.is_marked(at, schema, seen));
        }
        let mut parts = map.get("allOf").and_then(Value::as_array).into_iter().flatten().enumerate();
        own || parts.any(|(index, part)| self.is_marked(&format!("{at}/allOf/{index}"), part, seen))
    }

    /// Adds the properties of a schema, and of what it is made of by `allOf`, that only the other direction has.
    fn marked(&self, at: &str, map: &Map<String, Value>, seen: &mut HashSet<String>, names: &mut BTreeSet<String>) {
        if !is_new(at, seen) {
            return;
        }
        for (name, schema) in map.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if self.is_marked(&join(&format!("{at}/properties"), name), schema, &mut HashSet::new()) {
                names.insert(name.clone());
            }
        }
        let parts = map.get("allOf").and_then(Value::as_array).into_iter().flatten().enumerate();
        let parts = parts.map(|(index, _)| format!("{at}/allOf/{index}"));
        for part in parts.chain(map.contains_key("$ref").then(|| at.to_owned())) {
            if let Some(end) = self.shared.bundle.resolve(&part)
                && let Some(Value::Object(part)) = self.root().pointer(&end)
            {
                self.marked(&end, part, seen, names);
            }
        }
    }

    /// What keywords mean together.
    fn meaning(&self, map: &Map<String, Value>, out: &mut Map<String, Value>) {
        let new = self.dialect() == Dialect::OpenApi31;
        if let Some(types) = types(map.get("type"), new) {
            out.insert("type".to_owned(), types);
        }
        if !new {
            for (limit, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
                if map.get(exclusive) == Some(&Value::Bool(true))
                    && let Some(value) = out.shift_remove(limit)
                {
                    out.insert(exclusive.to_owned(), value);
                }
            }
        }
        format::apply(map, out);
        if !new {
            self.null(map, out);
        }
    }

    /// `nullable` adds null to the type beside it, and nothing where there is none (OpenAPI 3.0.4, 4.8.24.1); an `enum`
    /// stays as it is. Swagger's `x-nullable` is nobody's standard, and is taken as generously as it is meant.
    fn null(&self, map: &Map<String, Value>, out: &mut Map<String, Value>) {
        let own = self.dialect() == Dialect::OpenApi30 && map.get("nullable") == Some(&Value::Bool(true));
        let extension = map.get("x-nullable") == Some(&Value::Bool(true));
        if !own && !extension {
            return;
        }
        if let Some(Value::String(name)) = out.get("type") {
            let both = json!([name, "null"]);
            out.insert("type".to_owned(), both);
        }
        if extension {
            if let Some(Value::Array(values)) = out.get_mut("enum")
                && !values.contains(&Value::Null)
            {
                values.push(Value::Null);
            }
            if !out.contains_key("type") {
                let inner = Value::Object(std::mem::take(out));
                out.insert("anyOf".to_owned(), json!([{ "type": "null" }, inner]));
            }
        }
    }
}

/// Whether a schema was not looked through yet, and still may be.
fn is_new(at: &str, seen: &mut HashSet<String>) -> bool {
    seen.len() < SEEN && seen.insert(at.to_owned())
}

/// The types that JSON knows; Swagger's `file` is none, and anything may be in one.
fn types(written: Option<&Value>, new: bool) -> Option<Value> {
    const TYPES: [&str; 6] = ["boolean", "object", "array", "number", "integer", "string"];
    match written? {
        Value::String(name) if TYPES.contains(&name.as_str()) || new && name == "null" => Some(Value::from(name.as_str())),
        types @ Value::Array(_) if new => Some(types.clone()),
        _ => None,
    }
}
