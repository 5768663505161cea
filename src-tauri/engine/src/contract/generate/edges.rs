//! Valid values at the boundaries of a schema, one boundary at a time.

use serde_json::{Value, json};

use super::{
    Case, Generator,
    numbers::Limits,
    shapes::{Shape, count, main_type, properties, required, shapes, types},
    values::Fill,
};
use crate::contract::schema::escape;

/// How deep boundaries are looked for.
const DEEPEST: usize = 4;
/// How many properties of one object are looked at.
const WIDEST: usize = 64;
/// The longest list that is made to reach a `maxItems`.
const LONGEST: usize = 100;

impl Generator {
    /// The boundary values of a schema. Not each is sure to be valid.
    pub(super) fn edges(&self, schema: &Value, depth: usize) -> Vec<Case> {
        if depth > DEEPEST || !self.step() {
            return Vec::new();
        }
        let shapes = shapes(schema, &self.schema);
        let several = shapes.len() > 1;
        let mut cases = Vec::new();
        for (index, shape) in shapes.iter().enumerate() {
            if several {
                let value = self.plain_shape(shape, Fill::All, depth);
                cases.extend(value.map(|value| Case::new(value, "oneOf", format!("is of the alternative {}", index + 1))));
            }
            cases.extend(self.shape_edges(shape, depth));
        }
        cases
    }

    fn shape_edges(&self, shape: &Shape, depth: usize) -> Vec<Case> {
        let mut cases: Vec<Case> = shape
            .get("examples")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .take(5)
            .chain(["example", "default"].iter().filter_map(|key| shape.get(*key)))
            .map(|value| Case::new(value.clone(), "example", "is an example of the contract"))
            .collect();
        let kinds = types(shape);
        if kinds.len() > 1 && kinds.iter().any(|kind| kind == "null") {
            cases.push(Case::new(Value::Null, "type", "is null"));
        }
        if let Some(value) = shape.get("const") {
            cases.push(Case::new(value.clone(), "const", "is the only value that is allowed"));
            return cases;
        }
        if let Some(options) = shape.get("enum").and_then(Value::as_array) {
            cases.extend(options.iter().take(20).map(|option| Case::new(option.clone(), "enum", format!("is {option}"))));
            return cases;
        }
        // A schema with several types has the boundaries of each.
        let kinds = if kinds.is_empty() { main_type(shape).into_iter().collect() } else { kinds };
        for kind in kinds {
            match kind.as_str() {
                "object" => cases.extend(self.object_edges(shape, depth)),
                "array" => cases.extend(self.array_edges(shape, depth)),
                "string" => cases.extend(self.text_edges(shape)),
                "integer" => cases.extend(Limits::of(shape, true).edges()),
                "number" => cases.extend(Limits::of(shape, false).edges()),
                "boolean" => cases.extend([true, false].map(|value| Case::new(json!(value), "type", format!("is {value}")))),
                _ => {}
            }
        }
        cases
    }

    fn object_edges(&self, shape: &Shape, depth: usize) -> Vec<Case> {
        let Some(Value::Object(base)) = self.plain_shape(shape, Fill::All, depth) else { return Vec::new() };
        let mut cases = Vec::new();
        if depth > 0 && required(shape).is_empty() {
            cases.push(Case::new(json!({}), "required", "is an empty object"));
        }
        for (name, schema) in properties(shape).take(WIDEST) {
            if !required(shape).contains(&name.as_str()) && base.contains_key(name) {
                let mut without = base.clone();
                without.shift_remove(name);
                let case = Case::new(Value::Object(without), "required", "is left out, which is allowed");
                cases.push(Case { pointer: format!("/{}", escape(name)), ..case });
            }
            for case in self.edges(schema, depth + 1) {
                let mut members = base.clone();
                members.insert(name.clone(), case.value);
                cases.push(Case { value: Value::Object(members), pointer: format!("/{}{}", escape(name), case.pointer), ..case });
            }
        }
        // Where a schema for further members stands, they are meant; where nothing does, they are only put up with.
        if let Some(further @ Value::Object(_)) = shape.get("additionalProperties") {
            if let Some(value) = self.plain(further, Fill::All, depth + 1) {
                let mut members = base.clone();
                members.insert("further".to_owned(), value);
                cases.push(Case {
                    pointer: "/further".to_owned(),
                    ..Case::new(Value::Object(members), "additionalProperties", "is a further member")
                });
            }
            for case in self.edges(further, depth + 1).into_iter().take(5) {
                let mut members = base.clone();
                members.insert("further".to_owned(), case.value);
                cases.push(Case { value: Value::Object(members), pointer: format!("/further{}", case.pointer), ..case });
            }
        }
        cases
    }

    fn array_edges(&self, shape: &Shape, depth: usize) -> Vec<Case> {
        let mut cases = Vec::new();
        let least = count(shape, "minItems").unwrap_or(0);
        let most = count(shape, "maxItems");
        if least == 0 {
            cases.push(Case::new(json!([]), "minItems", "is an empty list"));
        } else {
            let value = self.items(shape, least, Fill::All, depth);
            cases.extend(
                value.map(|value| Case::new(value, "minItems", format!("has {least} elements, the fewest that are allowed"))),
            );
        }
        match most {
            Some(most) if most <= LONGEST => {
                let value = self.items(shape, most, Fill::All, depth);
                cases.extend(
                    value.map(|value| Case::new(value, "maxItems", format!("has {most} elements, the most that are allowed"))),
                );
            }
            _ => {
                let value = self.items(shape, least.max(2), Fill::All, depth);
                cases.extend(value.map(|value| Case::new(value, "items", "has several elements")));
            }
        }
        let Some(Value::Array(base)) = self.items(shape, least.max(1), Fill::All, depth) else { return cases };
        let places = shape.get("prefixItems").and_then(Value::as_array).map_or(1, |items| items.len().clamp(1, 8));
        for index in 0..places.min(base.len()) {
            for case in self.edges(&self.item(shape, index), depth + 1) {
                let mut elements = base.clone();
                if let Some(element) = elements.get_mut(index) {
                    *element = case.value;
                }
                cases.push(Case { value: Value::Array(elements), pointer: format!("/{index}{}", case.pointer), ..case });
            }
        }
        cases
    }
}
