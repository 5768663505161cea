//! Whole values: ordinary ones and random ones.

use std::sync::PoisonError;

use serde_json::{Map, Value, json};

use super::{
    Chance, Generator,
    numbers::Limits,
    shapes::{Shape, count, main_type, properties, required, shapes, types},
};

/// How deep optional properties are filled in.
const FILLED: usize = 3;
/// How deep values are nested at all.
const DEEPEST: usize = 12;
/// The most elements that a minimum makes a list have.
const MOST_ITEMS: usize = 200;

/// Keywords that a scalar can be held against by themselves.
const ALONE: [&str; 13] = [
    "type",
    "enum",
    "const",
    "not",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
];
/// What is tried where a schema names no type, as JSON.
const OTHERS: [&str; 6] = ["\"text\"", "1", "true", "{}", "[]", "null"];

/// Which properties an object gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    /// Only what is required.
    Required,
    /// All of them.
    All,
}

impl Generator {
    /// An ordinary value of a schema; none where that takes too much.
    pub(super) fn plain(&self, schema: &Value, fill: Fill, depth: usize) -> Option<Value> {
        if depth > DEEPEST || !self.step() {
            return None;
        }
        shapes(schema, &self.schema).iter().find_map(|shape| self.plain_shape(shape, fill, depth))
    }

    pub(super) fn plain_shape(&self, shape: &Shape, fill: Fill, depth: usize) -> Option<Value> {
        if let Some(value) = shape.get("const") {
            return Some(value.clone());
        }
        // An example is somebody's word for what is ordinary; that of a whole object has what its author thought of.
        let given = ["example", "default"].iter().find_map(|key| shape.get(*key));
        let given = given.or_else(|| shape.get("examples").and_then(|all| all.get(0)));
        let structured = matches!(given, Some(Value::Object(_) | Value::Array(_)));
        // One that its own schema refuses would spoil the whole value that it is put in.
        if let Some(value) = given.filter(|value| !structured && self.holds(shape, value)) {
            return Some(value.clone());
        }
        if let Some(options) = shape.get("enum").and_then(Value::as_array) {
            return options.iter().find(|option| !option.is_null()).or(options.first()).cloned();
        }
        match main_type(shape).as_deref() {
            Some("object") => self.plain_object(shape, fill, depth),
            Some("array") => self.plain_array(shape, fill, depth),
            Some("string") => self.plain_text(shape).map(Value::String),
            Some("integer") => Some(Limits::of(shape, true).plain()),
            Some("number") => Some(Limits::of(shape, false).plain()),
            Some("boolean") => Some(Value::Bool(true)),
            Some("null") => Some(Value::Null),
            _ => OTHERS.iter().map(|text| serde_json::from_str(text).unwrap_or_default()).find(|value| self.holds(shape, value)),
        }
    }

    /// Whether a value is as the keywords ask that are about values of its kind alone; the validator has the last word.
    fn holds(&self, shape: &Shape, value: &Value) -> bool {
        let own: Map<String, Value> = shape
            .iter()
            .filter(|(key, _)| ALONE.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if own.is_empty() || own.get("not").is_some_and(|not| not.to_string().contains("$ref")) {
            return true;
        }
        let own = Value::Object(own);
        let key = format!("{value} {own}");
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held.entry(key).or_insert_with(|| super::validator(&own).map_or(true, |validator| validator.is_valid(value)))
    }

    fn plain_object(&self, shape: &Shape, fill: Fill, depth: usize) -> Option<Value> {
        let required = required(shape);
        let most = count(shape, "maxProperties").unwrap_or(usize::MAX);
        let mut members = Map::new();
        for name in &required {
            let schema = self.property(shape, name);
            members.insert((*name).to_owned(), self.plain(&schema, fill, depth + 1)?);
        }
        if fill == Fill::All && depth < FILLED {
            for (name, schema) in properties(shape) {
                if members.len() < most
                    && !members.contains_key(name)
                    && let Some(value) = self.plain(schema, fill, depth + 1)
                {
                    members.insert(name.clone(), value);
                }
            }
        }
        let least = count(shape, "minProperties").unwrap_or(0).min(MOST_ITEMS);
        for (name, schema) in properties(shape) {
            if members.len() < least && !members.contains_key(name) {
                members.extend(self.plain(schema, fill, depth + 1).map(|value| (name.clone(), value)));
            }
        }
        let mut number = 0;
        while members.len() < least && number < MOST_ITEMS {
            number += 1;
            let name = format!("key{number}");
            let schema = self.property(shape, &name);
            members.insert(name, self.plain(&schema, fill, depth + 1)?);
        }
        // In the order of the document, as a person would write it.
        let mut ordered: Map<String, Value> = Map::new();
        for (name, _) in properties(shape) {
            if let Some(value) = members.shift_remove(name) {
                ordered.insert(name.clone(), value);
            }
        }
        ordered.extend(members);
        Some(Value::Object(ordered))
    }

    /// The schema of a member of that name.
    pub(super) fn property(&self, shape: &Shape, name: &str) -> Value {
        if let Some(schema) = shape.get("properties").and_then(|all| all.get(name)) {
            return schema.clone();
        }
        match shape.get("additionalProperties") {
            Some(schema @ Value::Object(_)) => schema.clone(),
            _ => json!({ "type": "string" }),
        }
    }

    fn plain_array(&self, shape: &Shape, fill: Fill, depth: usize) -> Option<Value> {
        let least = count(shape, "minItems").unwrap_or(0);
        let most = count(shape, "maxItems").unwrap_or(usize::MAX);
        let wanted = if fill == Fill::All && depth <= FILLED { least.max(1) } else { least };
        match self.items(shape, wanted.min(most), fill, depth) {
            Some(items) => Some(items),
            // Recursion ends where a list may be empty.
            None if least == 0 => Some(json!([])),
            None => None,
        }
    }

    /// A list of so many elements.
    pub(super) fn items(&self, shape: &Shape, wanted: usize, fill: Fill, depth: usize) -> Option<Value> {
        if wanted > MOST_ITEMS {
            self.note(format!("A list of {wanted} elements is asked for, and at most {MOST_ITEMS} are made"));
            return None;
        }
        let unique = shape.get("uniqueItems") == Some(&Value::Bool(true));
        let mut elements: Vec<Value> = Vec::new();
        let mut chance = Chance::new(wanted as u64);
        let mut tries = 0;
        while elements.len() < wanted {
            tries += 1;
            if tries > wanted * 10 + 10 {
                return None;
            }
            let schema = self.item(shape, elements.len());
            let element = if tries == 1 || !unique {
                self.plain(&schema, fill, depth + 1)?
            } else {
                self.random(&schema, &mut chance, depth + 1)?
            };
            if !unique || !elements.contains(&element) {
                elements.push(element);
            }
        }
        Some(Value::Array(elements))
    }

    /// The schema of an element.
    pub(super) fn item(&self, shape: &Shape, index: usize) -> Value {
        let first = shape.get("prefixItems").and_then(|all| all.get(index));
        let schema = first.or_else(|| shape.get("items")).cloned().unwrap_or_else(|| json!({ "type": "string" }));
        match shape.get("contains").filter(|_| index == 0) {
            Some(contained) => json!({ "allOf": [schema, contained] }),
            None => schema,
        }
    }

    /// A random value of a schema; none where that takes too much.
    pub(super) fn random(&self, schema: &Value, chance: &mut Chance, depth: usize) -> Option<Value> {
        if depth > DEEPEST || !self.step() {
            return None;
        }
        let shapes = shapes(schema, &self.schema);
        let shape = chance.pick(&shapes)?;
        self.random_shape(shape, chance, depth)
            .or_else(|| shapes.iter().find_map(|shape| self.plain_shape(shape, Fill::Required, depth)))
    }

    fn random_shape(&self, shape: &Shape, chance: &mut Chance, depth: usize) -> Option<Value> {
        if let Some(value) = shape.get("const") {
            return Some(value.clone());
        }
        if let Some(options) = shape.get("enum").and_then(Value::as_array) {
            return chance.pick(options).cloned();
        }
        let types = types(shape);
        let kind = if chance.one_in(8) { chance.pick(&types).cloned() } else { main_type(shape) };
        match kind.as_deref() {
            Some("object") => {
                let required = required(shape);
                let mut members = Map::new();
                for (name, schema) in properties(shape) {
                    if required.contains(&name.as_str()) || depth < FILLED && !chance.one_in(3) {
                        match self.random(schema, chance, depth + 1) {
                            Some(value) => members.insert(name.clone(), value),
                            None if required.contains(&name.as_str()) => return None,
                            None => None,
                        };
                    }
                }
                for name in required {
                    if !members.contains_key(name) {
                        members.insert(name.to_owned(), self.random(&self.property(shape, name), chance, depth + 1)?);
                    }
                }
                Some(Value::Object(members))
            }
            Some("array") => {
                let least = count(shape, "minItems").unwrap_or(0).min(MOST_ITEMS);
                let most = count(shape, "maxItems").unwrap_or(least + 3).min(least + 3);
                let wanted = least + usize::try_from(chance.below((most.saturating_sub(least) + 1) as u64)).unwrap_or(0);
                let unique = shape.get("uniqueItems") == Some(&Value::Bool(true));
                let mut elements: Vec<Value> = Vec::new();
                for _ in 0..wanted * 3 {
                    if elements.len() == wanted {
                        break;
                    }
                    let element = self.random(&self.item(shape, elements.len()), chance, depth + 1)?;
                    if !unique || !elements.contains(&element) {
                        elements.push(element);
                    }
                }
                Some(Value::Array(elements))
            }
            Some("string") => self.random_text(shape, chance).map(Value::String),
            Some("integer") => Some(Limits::of(shape, true).random(chance)),
            Some("number") => Some(Limits::of(shape, false).random(chance)),
            Some("boolean") => Some(Value::Bool(chance.one_in(2))),
            Some("null") => Some(Value::Null),
            _ => chance.pick(&[json!("text"), json!(1), json!(true), json!({ "a": 1 }), json!([1])]).cloned(),
        }
    }
}
