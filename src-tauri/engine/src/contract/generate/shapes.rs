//! A schema as the alternatives that it allows, each one flat: references followed, `allOf` laid over each other, one
//! branch of each `oneOf` and `anyOf` taken.

use serde_json::{Map, Value, json};

/// How many references and combinations are followed at one place.
const DEEPEST: usize = 16;
/// The most alternatives of one schema.
const MOST: usize = 16;
/// What combines schemas and is resolved here.
const COMBINING: [&str; 8] = ["$ref", "allOf", "oneOf", "anyOf", "if", "then", "else", "$dynamicRef"];

/// A flat schema.
pub(super) type Shape = Map<String, Value>;

/// The alternatives of a schema within the document `root`, at most 16; none where it allows nothing.
pub(super) fn shapes(schema: &Value, root: &Value) -> Vec<Shape> {
    resolve(schema, root, 0)
}

fn resolve(schema: &Value, root: &Value, depth: usize) -> Vec<Shape> {
    let fields = match schema {
        Value::Object(fields) => fields,
        Value::Bool(false) => return Vec::new(),
        _ => return vec![Shape::new()],
    };
    // `not: {}` is how a schema forbids everything.
    let nothing = |not: &Value| matches!(not, Value::Bool(true)) || not.as_object().is_some_and(Map::is_empty);
    if depth > DEEPEST || fields.get("not").is_some_and(nothing) {
        return Vec::new();
    }
    let own: Shape = fields
        .iter()
        .filter(|(key, _)| !COMBINING.contains(&key.as_str()) && !matches!(key.as_str(), "$defs" | "definitions"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut all = vec![own];
    for key in ["$ref", "$dynamicRef"] {
        if let Some(reference) = fields.get(key).and_then(Value::as_str) {
            let target = target(reference, root).map(|target| resolve(target, root, depth + 1)).unwrap_or_default();
            all = crossed(all, &target);
        }
    }
    for part in fields.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        all = crossed(all, &resolve(part, root, depth + 1));
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(branches) = fields.get(key).and_then(Value::as_array) {
            let branches: Vec<Shape> = branches.iter().flat_map(|branch| resolve(branch, root, depth + 1)).take(MOST).collect();
            all = crossed(all, &branches);
        }
    }
    if let Some(condition) = fields.get("if") {
        let both = json!({ "allOf": [condition, fields.get("then").unwrap_or(&Value::Bool(true))] });
        let mut ways = resolve(&both, root, depth + 1);
        ways.extend(resolve(fields.get("else").unwrap_or(&Value::Bool(true)), root, depth + 1));
        all = crossed(all, &ways);
    }
    all
}

/// What a reference within the document leads to.
fn target<'a>(reference: &str, root: &'a Value) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#')?;
    let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8_lossy();
    root.pointer(&pointer)
}

fn crossed(all: Vec<Shape>, with: &[Shape]) -> Vec<Shape> {
    all.iter().flat_map(|one| with.iter().filter_map(move |other| merged(one, other))).take(MOST).collect()
}

/// Two flat schemas that both hold; none where they can't.
fn merged(one: &Shape, other: &Shape) -> Option<Shape> {
    let mut sum = one.clone();
    for (key, value) in other {
        let Some(known) = sum.get(key) else {
            sum.insert(key.clone(), value.clone());
            continue;
        };
        let both = both(key, known, value)?;
        sum.insert(key.clone(), both);
    }
    // Of the branches of a discriminator all but one go together with none of the others.
    let members = sum.get("properties");
    let blocked = required(&sum).iter().filter_map(|name| members?.get(*name)).any(contradicts);
    (!blocked).then_some(sum)
}

/// Whether a schema names values that it doesn't allow itself.
fn contradicts(schema: &Value) -> bool {
    let (mut consts, mut enums) = (Vec::new(), Vec::new());
    named(schema, &mut consts, &mut enums, 0);
    let Some(first) = consts.first() else { return false };
    consts.iter().any(|other| other != first) || enums.iter().any(|values| !values.contains(first))
}

fn named<'a>(schema: &'a Value, consts: &mut Vec<&'a Value>, enums: &mut Vec<&'a Vec<Value>>, depth: usize) {
    consts.extend(schema.get("const"));
    enums.extend(schema.get("enum").and_then(Value::as_array));
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten().filter(|_| depth < DEEPEST) {
        named(part, consts, enums, depth + 1);
    }
}

fn both(key: &str, one: &Value, other: &Value) -> Option<Value> {
    if one == other {
        return Some(one.clone());
    }
    let all_of = || json!({ "allOf": [one, other] });
    let numbers = one.as_f64().zip(other.as_f64());
    Some(match key {
        "type" => {
            let (one, other) = (names(one), names(other));
            let shared: Vec<&str> = one.iter().filter_map(|name| narrower(name, &other)).collect();
            if shared.is_empty() {
                return None;
            }
            json!(shared)
        }
        "properties" | "patternProperties" | "dependentSchemas" => {
            let (one, other) = (one.as_object()?, other.as_object()?);
            let mut sum = one.clone();
            for (name, schema) in other {
                let schema = sum.get(name).map_or_else(|| schema.clone(), |known| json!({ "allOf": [known, schema] }));
                sum.insert(name.clone(), schema);
            }
            Value::Object(sum)
        }
        "required" | "examples" => {
            let mut sum = one.as_array()?.clone();
            sum.extend(other.as_array()?.iter().filter(|item| !one.as_array().is_some_and(|all| all.contains(item))).cloned());
            Value::Array(sum)
        }
        "enum" => {
            let other = other.as_array()?;
            let shared: Vec<Value> = one.as_array()?.iter().filter(|item| other.contains(item)).cloned().collect();
            if shared.is_empty() {
                return None;
            }
            Value::Array(shared)
        }
        "const" => return None,
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" | "minContains" => {
            if numbers?.0 >= numbers?.1 { one.clone() } else { other.clone() }
        }
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" | "maxContains" => {
            if numbers?.0 <= numbers?.1 { one.clone() } else { other.clone() }
        }
        "additionalProperties" | "items" | "propertyNames" | "contains" | "unevaluatedProperties" => match (one, other) {
            (Value::Bool(false), _) | (_, Value::Bool(false)) => Value::Bool(false),
            (Value::Bool(true), schema) | (schema, Value::Bool(true)) => schema.clone(),
            _ => all_of(),
        },
        "not" => json!({ "anyOf": [one, other] }),
        "uniqueItems" => Value::Bool(true),
        // The validator is asked in the end; the first one is as good a start as the other.
        _ => one.clone(),
    })
}

/// The names of `type`.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::String(name) => vec![name.clone()],
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn narrower<'a>(name: &'a str, others: &'a [String]) -> Option<&'a str> {
    let has = |wanted: &str| others.iter().any(|other| other == wanted);
    match name {
        _ if has(name) => Some(name),
        "number" if has("integer") => Some("integer"),
        "integer" if has("number") => Some("integer"),
        _ => None,
    }
}

/// The types that a shape allows, its likeliest first: those that it names, or those that its keywords are for; none
/// where it says nothing of types.
pub(super) fn types(shape: &Shape) -> Vec<String> {
    if let Some(named) = shape.get("type") {
        return names(named);
    }
    let has = |keys: &[&str]| keys.iter().any(|key| shape.contains_key(*key));
    let guess = match () {
        () if has(&["properties", "required", "additionalProperties", "patternProperties", "minProperties"]) => "object",
        () if has(&["items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"]) => "array",
        () if has(&["minLength", "maxLength", "pattern", "format"]) => "string",
        () if has(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]) => "number",
        () => return Vec::new(),
    };
    vec![guess.to_owned()]
}

/// The first type that isn't null.
pub(super) fn main_type(shape: &Shape) -> Option<String> {
    let types = types(shape);
    types.iter().find(|name| *name != "null").or(types.first()).cloned()
}

/// The values that a schema gives by itself: `examples`, `example`, `default`.
pub(super) fn given(schema: &Value, root: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    for shape in shapes(schema, root) {
        all.extend(shape.get("examples").and_then(Value::as_array).into_iter().flatten().take(10).cloned());
        all.extend(["example", "default"].iter().filter_map(|key| shape.get(*key)).cloned());
    }
    all
}

/// A non-negative whole number of a keyword.
pub(super) fn count(shape: &Shape, key: &str) -> Option<usize> {
    let value = shape.get(key)?;
    value
        .as_u64()
        .and_then(|count| usize::try_from(count).ok())
        .or_else(|| value.as_f64().filter(|count| *count >= 0.0).map(|count| count as usize))
}

/// The properties of a shape.
pub(super) fn properties(shape: &Shape) -> impl Iterator<Item = (&String, &Value)> {
    shape.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// The names of the required properties.
pub(super) fn required(shape: &Shape) -> Vec<&str> {
    shape.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}
