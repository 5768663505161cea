//! What of a value is left once it is written: where everything is text, much that is broken is as good as valid, and some
//! values can't be written at all.

use serde_json::{Map, Value};

use super::{
    call::{Call, Payload, form_text},
    plan::{BodyMedia, Form, In, Op, Param},
};
use crate::contract::generate::{Generator, Style, plain_text, scalar_read, shape_items, shape_properties, types_of};

/// Whether a body is one that a service has to take: made from a description, and of a kind in which it can be made.
pub(super) fn sure_body(op: &Op, call: &Call) -> bool {
    let Some(body) = &op.body else { return true };
    let Payload::Value(index, value) = &call.payload else { return true };
    let Some(media) = body.medias.get(*index) else { return true };
    // Without a word of what it is, nothing says that this one is right; and no picture is made from a text.
    if (media.generator.is_none() || !media.is_plain()) && !media.examples.contains(value) {
        return false;
    }
    // What has no text is no body.
    let text = match media.form {
        Form::Json | Form::Multipart => return true,
        Form::Urlencoded => form_text(media, value),
        Form::Text => plain_text(value),
    };
    !body.required || !text.is_empty()
}

/// Whether a body that is broken is so when it comes. `pointer` is the place in it that was broken.
pub(super) fn broken_as_written(media: &BodyMedia, generator: &Generator, pointer: &str, value: &Value) -> bool {
    let schema = generator.schema();
    match media.form {
        Form::Json => true,
        Form::Text => {
            let judged = media.name.starts_with("text/plain") && media.writes(value) && !value.is_null();
            judged && !generator.allows(&scalar_read(&plain_text(value), schema, schema))
        }
        Form::Urlencoded | Form::Multipart => {
            let Value::Object(members) = value else { return false };
            // How a field of its own style is read back when it is broken is anybody's guess.
            let field = pointer.split('/').nth(1).unwrap_or_default().replace("~1", "/").replace("~0", "~");
            if media.style(&field).is_some() && members.contains_key(&field) {
                return false;
            }
            [false, true].iter().all(|last| !generator.allows(&form_read(members, schema, *last)))
        }
    }
}

/// A form's fields as a service reads them: lists are names that come again, of which one that wants no list reads the first
/// or the `last`; an object is a text of JSON.
fn form_read(members: &Map<String, Value>, root: &Value, last: bool) -> Value {
    let described = shape_properties(root, root);
    let mut read = Map::new();
    for (name, value) in members {
        let schema = described.iter().find(|(known, _)| known == name).map_or(Value::Bool(true), |(_, schema)| schema.clone());
        let kinds = types_of(&schema, root);
        let has = |kind: &str| kinds.iter().any(|known| known == kind);
        let texts: Vec<&Value> = match value {
            Value::Array(items) => items.iter().collect(),
            other => vec![other],
        };
        if has("array") {
            let item = shape_items(&schema, root).into_iter().next().unwrap_or(Value::Bool(true));
            if !texts.is_empty() {
                read.insert(name.clone(), texts.into_iter().map(|text| field(text, &item, root)).collect());
            }
        } else if let Some(text) = if last { texts.last() } else { texts.first() } {
            read.insert(name.clone(), field(text, &schema, root));
        }
    }
    Value::Object(read)
}

/// One field of a form.
fn field(value: &Value, schema: &Value, root: &Value) -> Value {
    let kinds = types_of(schema, root);
    let text = plain_text(value);
    match serde_json::from_str::<Value>(&text) {
        Ok(parsed @ (Value::Object(_) | Value::Array(_))) if !kinds.iter().any(|kind| kind == "string") => parsed,
        _ => scalar_read(&text, schema, root),
    }
}

/// Whether a refusal of a valid value says something: any text may be looked up and not found.
pub(super) fn firm(param: &Param, value: &Value) -> bool {
    let schema = param.generator.as_ref().map_or(&Value::Null, |generator| generator.schema());
    let narrow = ["enum", "const", "format", "pattern"].iter().any(|key| schema.get(*key).is_some());
    match param.place {
        In::Path => narrow || !value.is_string(),
        // An empty value and none are one for many, and so are an empty element and none.
        _ => !parts(value).iter().any(|text| text.trim().is_empty()),
    }
}

/// Whether a broken value is surely broken once it is text.
pub(super) fn sure(param: &Param, value: &Value) -> bool {
    let schema = param.generator.as_ref().map_or(&Value::Null, |generator| generator.schema());
    let kinds = types_of(schema, schema);
    let wants = |kind: &str| !kinds.is_empty() && kinds.iter().all(|known| known == kind || known == "null");
    // Without brackets, what is one text is a field of another name, or an object of which nothing is known.
    if !param.json && param.style != Style::DeepObject && wants("object") && !value.is_object() {
        return false;
    }
    match value {
        // An object where a scalar is asked for has no agreed form.
        Value::Object(_) => param.json || wants("object"),
        // A list of one and the one are the same, and of several some read the last, others the first.
        Value::Array(items) => param.json || wants("array") && !items.iter().any(|item| plain_text(item).trim().is_empty()),
        scalar => {
            let text = plain_text(scalar);
            !text.trim().is_empty() || param.required && param.place == In::Query && scalar.is_string()
        }
    }
}

/// Whether a place in a parameter is written by itself: how anything is written within a member is not said (OpenAPI 3.0.4,
/// 4.8.12.4), except in brackets and as JSON.
pub(super) fn is_flat(param: &Param, pointer: &str) -> bool {
    let Some(schema) = param.generator.as_ref().map(Generator::schema).filter(|_| !param.json) else { return true };
    if pointer.is_empty() || param.style == Style::DeepObject {
        return true;
    }
    let name = pointer.trim_start_matches('/').replace("~1", "/").replace("~0", "~");
    let member = shape_properties(schema, schema).into_iter().find(|(known, _)| *known == name);
    let structured = |schema: &Value, root| types_of(schema, root).iter().any(|kind| matches!(kind.as_str(), "object" | "array"));
    pointer.matches('/').count() < 2 && !member.is_some_and(|(_, inner)| structured(&inner, schema))
}

/// Whether a value is written as nothing at all.
pub(super) fn is_absent(param: &Param, value: &Value) -> bool {
    let empty = match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    empty && !param.json
}

/// Whether a part of an object is written as nothing at all in brackets: what has no members has no `name[key]=value`.
fn vanishes(value: &Value, depth: usize) -> bool {
    match value {
        Value::Object(members) => members.is_empty() && depth > 0 || members.values().any(|inner| vanishes(inner, depth + 1)),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The texts that a value is written as.
fn parts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(plain_text).collect(),
        Value::Object(members) => members.values().map(plain_text).collect(),
        scalar => vec![plain_text(scalar)],
    }
}

/// Whether the parts of a value can't be told apart once they are written one after the other.
fn runs_together(param: &Param, value: &Value) -> bool {
    let (Value::Array(_) | Value::Object(_)) = value else { return false };
    if param.json || param.style == Style::DeepObject {
        return false;
    }
    let object = value.is_object();
    let mut between = match (param.place, param.style) {
        (In::Path, Style::Label) if param.explode => vec!['.'],
        (In::Path, Style::Matrix) if param.explode => vec![';'],
        (In::Query, _) if param.explode => Vec::new(),
        (_, Style::SpaceDelimited) => vec![' '],
        (_, Style::PipeDelimited) => vec!['|'],
        (_, Style::TabDelimited) => vec!['\t'],
        _ => vec![','],
    };
    if object && param.explode && param.place != In::Query {
        between.push('=');
    }
    let names = value.as_object().into_iter().flatten().map(|(name, _)| name.clone());
    parts(value).into_iter().chain(names).any(|text| text.contains(between.as_slice()))
}

/// Whether a value can be written where the parameter goes.
pub(super) fn can_be_sent(param: &Param, value: &Value) -> bool {
    let texts = parts(value);
    if matches!(value, Value::Null) || runs_together(param, value) {
        return false;
    }
    let all = |test: &dyn Fn(&str) -> bool| texts.iter().all(|text| test(text));
    match param.place {
        In::Path => {
            !texts.is_empty()
                && all(&|text| {
                    let dots = text.chars().all(|c| c == '.');
                    !text.is_empty()
                        && !dots
                        && text.len() <= 1000
                        && text.chars().all(|c| !c.is_control() && !matches!(c, '/' | '\\' | ';' | '%' | '?' | '#'))
                })
        }
        In::Query => all(&|text| text.len() <= 2000) && !(param.style == Style::DeepObject && vanishes(value, 0)),
        In::Header => {
            !texts.is_empty()
                && all(&|text| {
                    !text.is_empty()
                        && text.trim() == text
                        && text.len() <= 2000
                        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
                })
        }
        In::Cookie => {
            // How several values go into one cookie when they stand alone is not said (OpenAPI 3.0.4, 4.8.12.4).
            let several = param.explode && !param.json && (value.is_object() || texts.len() > 1);
            !texts.is_empty()
                && !several
                && all(&|text| {
                    !text.is_empty()
                        && text.len() <= 1000
                        && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\'))
                })
        }
    }
}
