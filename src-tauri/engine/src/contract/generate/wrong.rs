//! Values that break a schema in one place.

use serde_json::{Value, json};

use super::{
    Case, Generator,
    numbers::Limits,
    shapes::{Shape, count, main_type, properties, required, shapes, types},
    values::Fill,
};
use crate::contract::schema::escape;

/// How deep places to break are looked for.
const DEEPEST: usize = 4;
/// How many properties of one object are looked at.
const WIDEST: usize = 64;
/// The most alternatives that are broken.
const ALTERNATIVES: usize = 4;
/// The longest list that is made to exceed a `maxItems`.
const LONGEST: usize = 101;

impl Generator {
    /// Values that should break a schema. Not each is sure to.
    pub(super) fn wrong(&self, schema: &Value, depth: usize) -> Vec<Case> {
        if depth > DEEPEST || !self.step() {
            return Vec::new();
        }
        shapes(schema, &self.schema).iter().take(ALTERNATIVES).flat_map(|shape| self.wrong_shape(shape, depth)).collect()
    }

    fn wrong_shape(&self, shape: &Shape, depth: usize) -> Vec<Case> {
        let mut cases = wrong_types(shape);
        if let Some(value) = shape.get("const") {
            let other = json!(format!("not {}", value.as_str().unwrap_or("it")));
            cases.push(Case::new(other, "const", format!("is not {value}, the only value that is allowed")));
        }
        if let Some(options) = shape.get("enum").and_then(Value::as_array) {
            cases.extend(not_among(options));
        }
        if shape.contains_key("const") || shape.contains_key("enum") {
            return cases;
        }
        match main_type(shape).as_deref() {
            Some("object") => cases.extend(self.wrong_objects(shape, depth)),
            Some("array") => cases.extend(self.wrong_arrays(shape, depth)),
            Some("string") => cases.extend(self.wrong_texts(shape)),
            Some("integer") => cases.extend(Limits::of(shape, true).wrong()),
            Some("number") => cases.extend(Limits::of(shape, false).wrong()),
            _ => {}
        }
        cases
    }

    fn wrong_objects(&self, shape: &Shape, depth: usize) -> Vec<Case> {
        let Some(Value::Object(base)) = self.plain_shape(shape, Fill::All, depth) else { return Vec::new() };
        let required = required(shape);
        let mut cases = Vec::new();
        for name in required.iter().take(WIDEST) {
            let mut members = base.clone();
            members.shift_remove(*name);
            let case = Case::new(Value::Object(members), "required", "is missing, and it is required");
            cases.push(Case { pointer: format!("/{}", escape(name)), ..case });
        }
        if shape.get("additionalProperties").or(shape.get("unevaluatedProperties")) == Some(&Value::Bool(false)) {
            let mut members = base.clone();
            members.insert("unexpected".to_owned(), json!("extra"));
            let case = Case::new(Value::Object(members), "additionalProperties", "is a member that the contract forbids");
            cases.push(Case { pointer: "/unexpected".to_owned(), ..case });
        }
        if let Some(least) = count(shape, "minProperties").filter(|least| *least > 0) {
            let members = base.iter().take(least - 1).map(|(name, value)| (name.clone(), value.clone())).collect();
            cases.push(Case::new(Value::Object(members), "minProperties", format!("has fewer than {least} members")));
        }
        if let Some(most) = count(shape, "maxProperties").filter(|most| *most < LONGEST) {
            let mut members = base.clone();
            for number in 0..=most {
                members.entry(format!("more{number}")).or_insert_with(|| json!("text"));
            }
            cases.push(Case::new(Value::Object(members), "maxProperties", format!("has more than {most} members")));
        }
        for (name, needs) in shape.get("dependentRequired").and_then(Value::as_object).into_iter().flatten() {
            for needed in needs.as_array().into_iter().flatten().filter_map(Value::as_str) {
                let mut members = base.clone();
                members.shift_remove(needed);
                let case = Case::new(Value::Object(members), "dependentRequired", format!("is missing, and {name} asks for it"));
                cases.push(Case { pointer: format!("/{}", escape(needed)), ..case });
            }
        }
        for (name, schema) in properties(shape).take(WIDEST) {
            cases.extend(self.wrong(schema, depth + 1).into_iter().map(|case| {
                let mut members = base.clone();
                members.insert(name.clone(), case.value);
                Case { value: Value::Object(members), pointer: format!("/{}{}", escape(name), case.pointer), ..case }
            }));
        }
        if let Some(further @ Value::Object(_)) = shape.get("additionalProperties") {
            cases.extend(self.wrong(further, depth + 1).into_iter().map(|case| {
                let mut members = base.clone();
                members.insert("further".to_owned(), case.value);
                Case { value: Value::Object(members), pointer: format!("/further{}", case.pointer), ..case }
            }));
        }
        cases
    }

    fn wrong_arrays(&self, shape: &Shape, depth: usize) -> Vec<Case> {
        let mut cases = Vec::new();
        let least = count(shape, "minItems").unwrap_or(0);
        if least > 0 {
            let value = self.items(shape, least - 1, Fill::All, depth);
            cases.extend(value.map(|value| {
                Case::new(value, "minItems", format!("has {} elements, and at least {least} are asked for", least - 1))
            }));
        }
        if let Some(most) = count(shape, "maxItems").filter(|most| *most < LONGEST) {
            let value = self.items(shape, most + 1, Fill::All, depth);
            cases.extend(
                value.map(|value| {
                    Case::new(value, "maxItems", format!("has {} elements, and at most {most} are allowed", most + 1))
                }),
            );
        }
        let Some(Value::Array(base)) = self.items(shape, least.max(1), Fill::All, depth) else { return cases };
        if shape.get("uniqueItems") == Some(&Value::Bool(true))
            && let Some(first) = base.first()
        {
            let mut elements = base.clone();
            elements.push(first.clone());
            cases.push(Case::new(Value::Array(elements), "uniqueItems", "has the same element twice"));
        }
        let places = shape.get("prefixItems").and_then(Value::as_array).map_or(1, |items| items.len().clamp(1, 8));
        for index in 0..places.min(base.len()) {
            for case in self.wrong(&self.item(shape, index), depth + 1) {
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

/// Values of other types, those first that are easily taken for the right one.
fn wrong_types(shape: &Shape) -> Vec<Case> {
    let types = types(shape);
    let digits = Limits::of(shape, types.iter().any(|kind| kind == "integer")).plain().to_string();
    let candidates: &[(Value, &str)] = &match main_type(shape).as_deref() {
        Some("string") => [
            (json!(123), "a number"),
            (json!(true), "true"),
            (json!({}), "an object"),
            (json!(["a"]), "a list"),
            (Value::Null, "null"),
        ],
        Some("integer" | "number") => [
            (json!(digits), "a text of digits"),
            (json!("abc"), "a text"),
            (json!(true), "true"),
            (json!({}), "an object"),
            (Value::Null, "null"),
        ],
        Some("boolean") => [
            (json!("true"), "a text"),
            (json!("maybe"), "a text"),
            (json!(2), "a number"),
            (json!([]), "a list"),
            (Value::Null, "null"),
        ],
        Some("object") => [
            (json!([]), "a list"),
            (json!("text"), "a text"),
            (json!(1), "a number"),
            (json!(true), "true"),
            (Value::Null, "null"),
        ],
        Some("array") => [
            (json!({}), "an object"),
            (json!("text"), "a text"),
            (json!(1), "a number"),
            (json!(true), "true"),
            (Value::Null, "null"),
        ],
        Some("null") => [
            (json!("text"), "a text"),
            (json!(1), "a number"),
            (json!(true), "true"),
            (json!({}), "an object"),
            (json!([]), "a list"),
        ],
        _ => return Vec::new(),
    };
    let asked = types.join(" or ");
    candidates
        .iter()
        .map(|(value, found)| Case::new(value.clone(), "type", format!("is {found}, and the type {asked} is asked for")))
        .collect()
}

fn not_among(options: &[Value]) -> Vec<Case> {
    let mut candidates = vec![json!("not-a-listed-value")];
    match options.first() {
        Some(Value::String(text)) if !text.is_empty() => {
            // Letters of another case are often taken for the same word.
            let (upper, lower) = (text.to_uppercase(), text.to_lowercase());
            candidates.push(json!(if upper == *text { lower } else { upper }));
            candidates.push(json!(format!("{text}x")));
            candidates.push(json!(""));
        }
        Some(Value::Number(_)) => {
            let most = options.iter().filter_map(Value::as_i64).max().unwrap_or(0);
            candidates = vec![json!(most.saturating_add(1)), json!(-987_654)];
        }
        _ => {}
    }
    candidates
        .into_iter()
        .filter(|value| !options.contains(value))
        .map(|value| Case::new(value.clone(), "enum", format!("is {value}, which is not among the values that are allowed")))
        .collect()
}
