//! Telling a full JSON Schema from the short form.
//!
//! Both are mappings, and a field may well be called `type` or `title`. A mapping is a JSON Schema if it has a `$` keyword,
//! or if each of its keys is a keyword with a value that the keyword can have, and one of them says something about the
//! body's structure. `{ type: object, required: [id] }` is one; `{ type: string, title: string }` names two fields.

use serde_json::Value;

use super::is_word;

/// What the value of a keyword can be.
#[derive(Clone, Copy)]
enum Can {
    /// A type's name, or a list of them.
    Type,
    /// A schema: a mapping, true or false.
    Schema,
    /// A mapping of schemas.
    Schemas,
    /// A list of schemas.
    SchemaList,
    /// A list of anything.
    List,
    /// A list of texts.
    Names,
    /// A number.
    Number,
    /// True or false.
    Flag,
    /// A text that isn't one of the short form's types.
    Text,
    /// A mapping of any kind.
    Mapping,
    /// Anything but one of the short form's types.
    Any,
}

/// Keywords of the drafts from 4 to 2020-12, what they hold, and whether they say something about the structure.
const KEYWORDS: [(&str, Can, bool); 52] = [
    ("type", Can::Type, true),
    ("properties", Can::Schemas, true),
    ("required", Can::Names, true),
    ("additionalProperties", Can::Schema, true),
    ("patternProperties", Can::Schemas, true),
    ("propertyNames", Can::Schema, true),
    ("unevaluatedProperties", Can::Schema, true),
    ("dependentRequired", Can::Mapping, true),
    ("dependentSchemas", Can::Schemas, true),
    ("dependencies", Can::Mapping, true),
    ("items", Can::Schema, true),
    ("prefixItems", Can::SchemaList, true),
    ("additionalItems", Can::Schema, true),
    ("unevaluatedItems", Can::Schema, true),
    ("contains", Can::Schema, true),
    ("allOf", Can::SchemaList, true),
    ("anyOf", Can::SchemaList, true),
    ("oneOf", Can::SchemaList, true),
    ("not", Can::Schema, true),
    ("if", Can::Schema, true),
    ("then", Can::Schema, false),
    ("else", Can::Schema, false),
    ("enum", Can::List, true),
    ("const", Can::Any, true),
    ("definitions", Can::Schemas, false),
    ("minimum", Can::Number, true),
    ("maximum", Can::Number, true),
    ("exclusiveMinimum", Can::Any, true),
    ("exclusiveMaximum", Can::Any, true),
    ("multipleOf", Can::Number, true),
    ("minLength", Can::Number, true),
    ("maxLength", Can::Number, true),
    ("minItems", Can::Number, true),
    ("maxItems", Can::Number, true),
    ("minContains", Can::Number, true),
    ("maxContains", Can::Number, true),
    ("minProperties", Can::Number, true),
    ("maxProperties", Can::Number, true),
    ("uniqueItems", Can::Flag, true),
    ("pattern", Can::Text, true),
    ("format", Can::Text, false),
    ("contentEncoding", Can::Text, false),
    ("contentMediaType", Can::Text, false),
    ("contentSchema", Can::Schema, false),
    ("title", Can::Text, false),
    ("description", Can::Text, false),
    ("default", Can::Any, false),
    ("example", Can::Any, false),
    ("examples", Can::List, false),
    ("deprecated", Can::Flag, false),
    ("readOnly", Can::Flag, false),
    ("writeOnly", Can::Flag, false),
];

const TYPE_NAMES: [&str; 7] = ["string", "number", "integer", "boolean", "object", "array", "null"];

/// Whether what stands in the file is a full JSON Schema.
pub(super) fn is_json_schema(value: &Value) -> bool {
    let Value::Object(fields) = value else {
        return value.is_boolean();
    };
    const REFERENCES: [&str; 8] =
        ["$schema", "$id", "$ref", "$defs", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef"];
    if fields.keys().any(|key| REFERENCES.contains(&key.as_str())) {
        return true;
    }
    let mut structural = false;
    for (key, value) in fields {
        if key == "$comment" || key.starts_with("x-") {
            continue;
        }
        match KEYWORDS.iter().find(|(keyword, ..)| keyword == key) {
            Some((_, can, says)) if fits(*can, value) => structural |= says,
            _ => return false,
        }
    }
    structural
}

fn fits(can: Can, value: &Value) -> bool {
    let is_type = |value: &Value| value.as_str().is_some_and(|text| TYPE_NAMES.contains(&text));
    let is_schema = |value: &Value| value.is_object() || value.is_boolean();
    let list = |test: &dyn Fn(&Value) -> bool| value.as_array().is_some_and(|all| all.iter().all(test));
    match can {
        Can::Type => is_type(value) || list(&is_type),
        Can::Schema => is_schema(value) || list(&is_schema) && value.as_array().is_some_and(|all| !all.is_empty()),
        Can::Schemas => value.as_object().is_some_and(|all| all.values().all(is_schema)),
        Can::SchemaList => list(&is_schema),
        Can::List => value.is_array() && !list(&|value| value.as_str().is_some_and(is_word)),
        Can::Names => list(&Value::is_string),
        Can::Number => value.is_number(),
        Can::Flag => value.is_boolean(),
        Can::Text => value.as_str().is_some_and(|text| !is_word(text)),
        Can::Mapping => value.is_object(),
        Can::Any => !value.as_str().is_some_and(is_word),
    }
}
