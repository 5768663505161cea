//! Examples of what a schema asks for: the same schema always gives the same one.

use serde_json::{Map, Value, json};

/// How deep references and nesting are followed; a schema may refer to itself.
const DEEPEST: usize = 16;
/// The most elements or characters that a minimum makes an example have.
const LONGEST: u64 = 1000;

/// A value that a JSON Schema allows, as far as that can be found without searching: `const`, `default`, the first of
/// `examples` and `enum`, then the type with its bounds and format. Only what is required is put into an object with
/// `required`; all properties are where none is. A `pattern` is not solved.
///
/// References are followed within the schema (`#/…`) only.
pub fn example(schema: &Value) -> Value {
    of(schema, schema, 0)
}

fn of(schema: &Value, root: &Value, depth: usize) -> Value {
    let Value::Object(fields) = schema else {
        return Value::Null;
    };
    if depth > DEEPEST {
        return Value::Null;
    }
    let given = ["const", "default", "example"].iter().find_map(|key| fields.get(*key));
    let given = given.or_else(|| fields.get("examples").and_then(|all| all.get(0)));
    if let Some(value) = given.or_else(|| fields.get("enum").and_then(|all| all.get(0))) {
        return value.clone();
    }
    if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
        let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return target.map_or(Value::Null, |target| of(target, root, depth + 1));
    }
    if let Some(all) = fields.get("allOf").and_then(Value::as_array) {
        return all_of(fields, all, root, depth);
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(first) = fields.get(key).and_then(|all| all.get(0)) {
            return of(first, root, depth + 1);
        }
    }
    match kind(fields) {
        "object" => object(fields, root, depth),
        "array" => array(fields, root, depth),
        "string" => Value::String(text(fields)),
        "integer" => number(fields, true),
        "number" => number(fields, false),
        "boolean" => Value::Bool(true),
        _ => Value::Null,
    }
}

/// The type, or what the other keywords are for.
fn kind(fields: &Map<String, Value>) -> &str {
    let named = match fields.get("type") {
        Some(Value::String(kind)) => Some(kind.as_str()),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        _ => None,
    };
    let has = |keys: &[&str]| keys.iter().any(|key| fields.contains_key(*key));
    named.unwrap_or_else(|| match () {
        () if has(&["properties", "required", "additionalProperties"]) => "object",
        () if has(&["items", "prefixItems", "minItems"]) => "array",
        () if has(&["minLength", "maxLength", "pattern", "format"]) => "string",
        () if has(&["minimum", "maximum", "multipleOf"]) => "number",
        () => "null",
    })
}

/// The parts of an `allOf` laid over each other, where they are objects; else the first of them that says something.
fn all_of(fields: &Map<String, Value>, all: &[Value], root: &Value, depth: usize) -> Value {
    let mut own = fields.clone();
    own.remove("allOf");
    let parts = all.iter().map(|part| of(part, root, depth + 1)).chain([of(&Value::Object(own), root, depth + 1)]);
    let mut merged = Map::new();
    let mut other = Value::Null;
    for part in parts {
        match part {
            Value::Object(members) => merged.extend(members),
            Value::Null => {}
            value if other.is_null() => other = value,
            _ => {}
        }
    }
    if merged.is_empty() { other } else { Value::Object(merged) }
}

fn object(fields: &Map<String, Value>, root: &Value, depth: usize) -> Value {
    let empty = Map::new();
    let properties = fields.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let required = fields.get("required").and_then(Value::as_array);
    let mut members = Map::new();
    match required {
        Some(required) => {
            for name in required.iter().filter_map(Value::as_str) {
                members.insert(name.to_owned(), properties.get(name).map_or(Value::Null, |part| of(part, root, depth + 1)));
            }
        }
        None => members.extend(properties.iter().map(|(name, part)| (name.clone(), of(part, root, depth + 1)))),
    }
    Value::Object(members)
}

fn array(fields: &Map<String, Value>, root: &Value, depth: usize) -> Value {
    let mut elements: Vec<Value> = fields
        .get("prefixItems")
        .and_then(Value::as_array)
        .map(|items| items.iter().map(|item| of(item, root, depth + 1)).collect())
        .unwrap_or_default();
    let least = fields.get("minItems").and_then(Value::as_u64).unwrap_or(1).min(LONGEST) as usize;
    let most = fields.get("maxItems").and_then(Value::as_u64).unwrap_or(LONGEST) as usize;
    if let Some(item) = fields.get("items").filter(|item| item.is_object()) {
        let unique = fields.get("uniqueItems") == Some(&Value::Bool(true));
        while elements.len() < least.min(most) {
            let element = of(item, root, depth + 1);
            elements.push(if unique { distinct(element, item, elements.len()) } else { element });
        }
    }
    Value::Array(elements)
}

/// The same value for the first element, and another for each one after it.
fn distinct(element: Value, item: &Value, index: usize) -> Value {
    let step = item.get("multipleOf").and_then(Value::as_f64).unwrap_or(1.0);
    match element {
        Value::Number(number) => plain(number.as_f64().unwrap_or_default() + index as f64 * step),
        Value::String(text) if index > 0 => Value::String(format!("{text}{index}")),
        other => other,
    }
}

/// A number without a fraction where it has none.
fn plain(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

fn text(fields: &Map<String, Value>) -> String {
    let formatted = match fields.get("format").and_then(Value::as_str).unwrap_or_default() {
        "email" | "idn-email" => "someone@example.com",
        "uuid" => "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "date" => "2026-01-31",
        "time" => "12:30:00Z",
        "date-time" => "2026-01-31T12:30:00Z",
        "duration" => "PT30S",
        "uri" | "iri" | "uri-reference" => "https://example.com/",
        "hostname" => "example.com",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        _ => "text",
    };
    let mut value = formatted.to_owned();
    let least = fields.get("minLength").and_then(Value::as_u64).unwrap_or(0).min(LONGEST) as usize;
    while value.len() < least {
        value.push('x');
    }
    if let Some(most) = fields.get("maxLength").and_then(Value::as_u64) {
        value.truncate(most as usize);
    }
    value
}

fn number(fields: &Map<String, Value>, whole: bool) -> Value {
    let bound = |key: &str| fields.get(key).and_then(Value::as_f64);
    let step = bound("multipleOf").filter(|step| *step > 0.0).unwrap_or(1.0);
    let mut value = if bound("multipleOf").is_some() { step } else { 1.0 };
    let round_up = |number: f64| (number / step).ceil() * step;
    if let Some(least) = bound("minimum").filter(|least| *least > value) {
        value = round_up(least);
    }
    if let Some(least) = bound("exclusiveMinimum").filter(|least| *least >= value) {
        value = round_up(least);
        if value <= least {
            value += step;
        }
    }
    if let Some(most) = bound("maximum").filter(|most| *most < value) {
        value = (most / step).floor() * step;
    }
    if let Some(most) = bound("exclusiveMaximum").filter(|most| *most <= value) {
        value = (most / step).floor() * step;
        if value >= most {
            value -= step;
        }
    }
    // Between two whole numbers lies none of them; the middle of the bounds holds to both.
    if !whole && bound("multipleOf").is_none() {
        let low = bound("minimum").or(bound("exclusiveMinimum"));
        let high = bound("maximum").or(bound("exclusiveMaximum"));
        if let (Some(low), Some(high)) = (low, high)
            && (value <= low || value >= high)
        {
            value = f64::midpoint(low, high);
        }
    }
    plain(value)
}
