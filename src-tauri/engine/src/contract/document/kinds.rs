//! What a document is, told by what stands in it.

use patchbay_contracts::{Code, Problem, contract::ContractKind};
use serde_json::Value;

use crate::{Result, utils::nearest};

/// Keywords by which a JSON Schema without `$schema` is known. Words that other documents have at their top as well, such
/// as `title` or `description`, say nothing.
const KEYWORDS: [&str; 22] = [
    "$ref",
    "$defs",
    "definitions",
    "type",
    "properties",
    "patternProperties",
    "additionalProperties",
    "required",
    "items",
    "prefixItems",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "enum",
    "const",
    "format",
    "pattern",
    "minimum",
    "maximum",
    "$id",
];

/// Keys that tell what a document is, with what they are written for.
const MARKS: [(&str, &str); 7] = [
    ("integration", "an integration file of Patchbay"),
    ("openapi", "an OpenAPI document"),
    ("swagger", "a Swagger document"),
    ("asyncapi", "an AsyncAPI document"),
    ("messages", "a message contract of Patchbay"),
    ("interactions", "a pact"),
    ("$schema", "a JSON Schema"),
];

/// The kind of a contract.
///
/// # Errors
/// [`Code::InvalidDefinition`] that says what was looked for, and what comes nearest; [`Code::Unsupported`] for a version
/// that isn't known.
pub fn recognise(value: &Value) -> Result<ContractKind> {
    let Value::Object(map) = value else {
        return match value {
            // `true` and `false` are whole schemas, from draft 6 on.
            Value::Bool(_) => Ok(ContractKind::JsonSchema),
            _ => Err(unknown(value)),
        };
    };
    if map.contains_key("integration") {
        return Ok(ContractKind::Patchbay);
    }
    if let Some(version) = map.get("openapi") {
        return versioned(version, "OpenAPI", &["3.0", "3.1"], ContractKind::Openapi);
    }
    if let Some(version) = map.get("swagger") {
        return versioned(version, "Swagger", &["2.0", "2"], ContractKind::Swagger);
    }
    if let Some(version) = map.get("asyncapi") {
        return versioned(version, "AsyncAPI", &["2", "3"], ContractKind::Asyncapi);
    }
    let has = |key: &str| map.contains_key(key);
    if has("consumer") && has("provider") && (has("interactions") || has("messages")) {
        return Ok(ContractKind::Pact);
    }
    if map.get("messages").is_some_and(Value::is_object) && !has("$schema") {
        return Ok(ContractKind::Messages);
    }
    if map.get("$schema").is_some_and(Value::is_string) || (KEYWORDS.iter().any(|key| has(key)) && is_schema(value)) {
        return Ok(ContractKind::JsonSchema);
    }
    Err(unknown(value))
}

/// A version such as `3.0.3`, which YAML may have taken for a number.
fn versioned(version: &Value, name: &str, known: &[&str], kind: ContractKind) -> Result<ContractKind> {
    let text = match version {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    let fits = |prefix: &&str| text == **prefix || text.strip_prefix(*prefix).is_some_and(|rest| rest.starts_with(['.', '-']));
    if known.iter().any(fits) {
        return Ok(kind);
    }
    Err(Problem::new(
        Code::Unsupported,
        format!("This version of {name} is not known: {}", crate::definition::syntax::short(&text)),
    )
    .why(format!("{name} {} can be read", known.join(" and ")))
    .next("Correct the version, or convert the document"))
}

/// Whether the keywords that a value has are written as a JSON Schema has them: `type` may be a field of anything.
fn is_schema(value: &Value) -> bool {
    let Value::Object(map) = value else { return value.is_boolean() };
    const TYPES: [&str; 8] = ["null", "boolean", "object", "array", "number", "integer", "string", "any"];
    let a_type = |value: &Value| value.as_str().is_some_and(|name| TYPES.contains(&name));
    map.iter().all(|(key, value)| match key.as_str() {
        "type" => a_type(value) || value.as_array().is_some_and(|all| all.iter().all(a_type)),
        "properties" | "patternProperties" | "$defs" | "definitions" => value.is_object(),
        "required" | "enum" | "allOf" | "anyOf" | "oneOf" => value.is_array() || value.is_boolean(),
        "items" | "additionalProperties" | "not" | "if" => value.is_object() || value.is_boolean() || value.is_array(),
        "$ref" | "$id" | "pattern" | "format" => value.is_string(),
        "minimum" | "maximum" => value.is_number(),
        _ => true,
    })
}

fn unknown(value: &Value) -> Problem {
    let problem = Problem::new(Code::InvalidDefinition, "It can't be told what kind of contract this is").why(
        "looked for `integration`, `openapi`, `swagger`, `asyncapi`, `messages`, a pact's `consumer`, `provider` and \
         `interactions`, and the keywords of JSON Schema",
    );
    let Value::Object(map) = value else {
        let found = super::super::validate::describe(value);
        return problem
            .next(format!("The document is {found}, and a contract is an object; perhaps it is a value to be judged by one"));
    };
    for (part, missing) in [("consumer", "provider"), ("provider", "consumer")] {
        if map.contains_key(part) && (map.contains_key("interactions") || map.contains_key("messages")) {
            return problem.next(format!("It comes nearest to a pact, and `{missing}` is missing"));
        }
    }
    if map.contains_key("consumer") && map.contains_key("provider") {
        return problem.next("It comes nearest to a pact, and `interactions` or `messages` is missing");
    }
    let near = map.keys().find_map(|key| {
        let word = nearest(key, MARKS.iter().map(|(mark, _)| *mark))?;
        MARKS.iter().find(|(mark, _)| *mark == word).map(|(mark, what)| (key, *mark, *what))
    });
    if let Some((key, mark, what)) = near {
        return match key == mark {
            true => problem.next(format!("`{mark}` is there as in {what}, and its value is not as it should be")),
            false => {
                let key = crate::definition::syntax::short(key);
                problem.next(format!("`{key}` comes nearest to `{mark}`, which begins {what}"))
            }
        };
    }
    if map.contains_key("paths") {
        return problem.next("It has `paths` as an OpenAPI document has; add `openapi: 3.0.3` and `info`");
    }
    if map.contains_key("channels") {
        return problem.next("It has `channels` as an AsyncAPI document has; add `asyncapi: 3.0.0` and `info`");
    }
    if map.contains_key("type") || map.contains_key("properties") {
        return problem.next("It comes nearest to a JSON Schema, and its keywords are not as they should be");
    }
    problem.next("Compare it with an example of the kind that it should be")
}
