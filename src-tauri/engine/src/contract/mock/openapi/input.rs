//! What a request says, read and judged as the document describes it: parameters and body.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{
    super::exchange::{Asked, Refusal, decoded, plus},
    compile::{BodyForm, BodyMedia, Op, Param},
};
use crate::contract::{
    generate::{Generator, plain_text, scalar_read, shape_items, shape_properties, types_of},
    openapi::ParameterPlace,
    validate,
};

/// The most members of a form that are read.
const MOST_MEMBERS: usize = 1_000;

/// Judges all parameters of a request.
pub(super) fn parameters(op: &Op, asked: &Asked, path: &[(String, String)]) -> Result<(), Refusal> {
    for param in &op.params {
        let place = place(param.place);
        let at = format!("{place}.{}", param.name);
        let candidates = read(param, asked, path);
        let Some(first) = candidates.first() else {
            if param.required {
                let detail = format!("The {place} parameter {} is missing, and it is required", param.name);
                return Err(Refusal::invalid(detail).at(at));
            }
            continue;
        };
        let Some(generator) = &param.generator else { continue };
        if candidates.iter().any(|value| generator.allows(value)) || param.allow_empty && plain_text(first).is_empty() {
            continue;
        }
        let deviation = validate::deviations(generator.validator(), first, 0).into_iter().next();
        let why = deviation.map_or_else(String::new, |deviation| deviation.message.replacen("The body", "it", 1));
        return Err(Refusal::invalid(format!("The {place} parameter {} is not as documented: {why}", param.name)).at(at));
    }
    Ok(())
}

pub(super) const fn place(place: ParameterPlace) -> &'static str {
    match place {
        ParameterPlace::Path => "path",
        ParameterPlace::Query => "query",
        ParameterPlace::Header => "header",
        ParameterPlace::Cookie => "cookie",
    }
}

/// What a parameter may be meant as, the likeliest first; nothing where it isn't there.
fn read(param: &Param, asked: &Asked, path: &[(String, String)]) -> Vec<Value> {
    match param.place {
        ParameterPlace::Path => match path.iter().find(|(name, _)| *name == param.name) {
            Some((_, raw)) => meant(param, path_text(param, raw), decoded),
            None => Vec::new(),
        },
        ParameterPlace::Query => query(param, asked),
        ParameterPlace::Header => {
            asked.header(&param.name).map_or_else(Vec::new, |text| meant(param, text.trim(), str::to_owned))
        }
        ParameterPlace::Cookie => asked.cookie(&param.name).map_or_else(Vec::new, |text| meant(param, text, str::to_owned)),
    }
}

/// A path's parameter without what its style puts before it.
fn path_text<'a>(param: &Param, raw: &'a str) -> &'a str {
    match param.style.as_str() {
        "label" => raw.strip_prefix('.').unwrap_or(raw),
        "matrix" => {
            let rest = raw.strip_prefix(';').unwrap_or(raw);
            rest.strip_prefix(param.name.as_str()).and_then(|rest| rest.strip_prefix('=')).unwrap_or(rest)
        }
        _ => raw,
    }
}

/// One text as what the schema may mean by it.
fn meant(param: &Param, raw: &str, decode: fn(&str) -> String) -> Vec<Value> {
    let text = decode(raw);
    if param.json {
        return vec![serde_json::from_str(&text).unwrap_or(Value::String(text))];
    }
    let Some(generator) = &param.generator else { return vec![Value::String(text)] };
    let (schema, root) = (generator.schema(), generator.schema());
    let kinds = types_of(schema, root);
    let has = |name: &str| kinds.iter().any(|kind| kind == name);
    let mut all = Vec::new();
    let between = match (param.place, param.style.as_str()) {
        (ParameterPlace::Path, "label") if param.explode => '.',
        (ParameterPlace::Path, "matrix") if param.explode => ';',
        _ => ',',
    };
    if has("array") {
        let item = shape_items(schema, root).into_iter().next().unwrap_or(Value::Bool(true));
        let named = format!("{}=", param.name);
        let parts = raw.split(between).map(|part| part.strip_prefix(named.as_str()).unwrap_or(part));
        all.push(parts.map(|part| scalar(decode(part.trim()).as_str(), &item, root)).collect());
    }
    if has("object") {
        let parts: Vec<&str> = raw.split(between).collect();
        // What has no pairs is no object.
        let paired = if param.explode { parts.iter().all(|part| part.contains('=')) } else { parts.len().is_multiple_of(2) };
        let pairs: Vec<(String, String)> = match param.explode {
            true => {
                parts.iter().filter_map(|part| part.split_once('=')).map(|(name, value)| (decode(name), decode(value))).collect()
            }
            false => parts.chunks_exact(2).filter_map(|pair| Some((decode(pair.first()?), decode(pair.get(1)?)))).collect(),
        };
        if paired {
            all.push(members(&pairs, schema, root));
        }
    }
    all.push(scalar(&text, schema, root));
    all.push(Value::String(text));
    all
}

fn query(param: &Param, asked: &Asked) -> Vec<Value> {
    let raw = asked.raw_pairs();
    let own: Vec<&str> = raw.iter().filter(|(name, _)| plus(name) == param.name).map(|(_, value)| *value).collect();
    let Some(generator) = &param.generator else {
        return own.first().map(|text| Value::String(plus(text))).into_iter().collect();
    };
    let (schema, root) = (generator.schema(), generator.schema());
    let kinds = types_of(schema, root);
    let has = |name: &str| kinds.iter().any(|kind| kind == name);
    if param.json {
        return own.first().map_or_else(Vec::new, |text| meant(param, text, plus));
    }
    let mut all = Vec::new();
    if has("object") && !has("string") {
        let pairs: Vec<(String, String)> = match param.style.as_str() {
            // Without brackets it is no object, and not what is described.
            "deepObject" => {
                let bare = own.first().map(|text| Value::String(plus(text)));
                return deep(&param.name, asked, schema, root).or(bare).into_iter().collect();
            }
            "form" if param.explode => {
                let known = shape_properties(schema, root);
                let pairs = asked.pairs().into_iter();
                pairs.filter(|(name, _)| known.iter().any(|(known, _)| known == name)).collect()
            }
            _ => {
                let parts: Vec<String> = own.iter().flat_map(|text| split(param, text)).collect();
                if !parts.len().is_multiple_of(2) {
                    return own.first().map(|text| Value::String(plus(text))).into_iter().collect();
                }
                parts.chunks_exact(2).filter_map(|pair| Some((pair.first()?.clone(), pair.get(1)?.clone()))).collect()
            }
        };
        return if pairs.is_empty() { Vec::new() } else { vec![members(&pairs, schema, root)] };
    }
    let Some(first) = own.first() else { return all };
    if has("array") {
        let item = shape_items(schema, root).into_iter().next().unwrap_or(Value::Bool(true));
        let texts: Vec<String> = match param.explode {
            true => own.iter().map(|text| plus(text)).collect(),
            false => own.iter().flat_map(|text| split(param, text)).collect(),
        };
        all.push(texts.iter().map(|text| scalar(text, &item, root)).collect());
    }
    if own.len() == 1 || !has("array") {
        let text = plus(first);
        all.push(scalar(&text, schema, root));
        all.push(Value::String(text));
    }
    all
}

/// The elements of a list within one text.
fn split(param: &Param, raw: &str) -> Vec<String> {
    match param.style.as_str() {
        "spaceDelimited" => plus(raw).split(' ').map(str::to_owned).collect(),
        "pipeDelimited" => plus(raw).split('|').map(str::to_owned).collect(),
        "tabDelimited" => plus(raw).split('\t').map(str::to_owned).collect(),
        _ => raw.split(',').map(plus).collect(),
    }
}

/// `name[key]=value`, and `name[key][inner]=value` below.
fn deep(name: &str, asked: &Asked, schema: &Value, root: &Value) -> Option<Value> {
    let mut members = Map::new();
    for (key, text) in asked.pairs().into_iter().take(MOST_MEMBERS) {
        let Some(path) = key.strip_prefix(name).and_then(|rest| rest.strip_prefix('[')).and_then(|rest| rest.strip_suffix(']'))
        else {
            continue;
        };
        let parts: Vec<&str> = path.split("][").take(16).collect();
        let mut described = schema.clone();
        for part in &parts {
            described = property(&described, root, part);
        }
        put(&mut members, &parts, &text, &described, root);
    }
    (!members.is_empty()).then_some(Value::Object(members))
}

fn put(members: &mut Map<String, Value>, parts: &[&str], text: &str, schema: &Value, root: &Value) {
    let Some((first, rest)) = parts.split_first() else { return };
    if !rest.is_empty() {
        let inner = members.entry((*first).to_owned()).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(inner) = inner {
            put(inner, rest, text, schema, root);
        }
        return;
    }
    repeat(members, first, text, schema, root);
}

/// A member of a form: one that comes again, or is described as a list, is a list.
fn repeat(members: &mut Map<String, Value>, name: &str, text: &str, schema: &Value, root: &Value) {
    if types_of(schema, root).iter().any(|kind| kind == "array") && schema.is_object() {
        let item = shape_items(schema, root).into_iter().next().unwrap_or(Value::Bool(true));
        let list = members.entry(name.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(scalar(text, &item, root));
        }
        return;
    }
    members.insert(name.to_owned(), scalar(text, schema, root));
}

fn property(schema: &Value, root: &Value, name: &str) -> Value {
    let known = shape_properties(schema, root).into_iter().find(|(known, _)| known == name);
    known.map_or(Value::Bool(true), |(_, schema)| schema)
}

fn members(pairs: &[(String, String)], schema: &Value, root: &Value) -> Value {
    let mut members = Map::new();
    for (name, text) in pairs.iter().take(MOST_MEMBERS) {
        repeat(&mut members, name, text, &property(schema, root, name), root);
    }
    Value::Object(members)
}

/// A text as the likeliest type that a schema allows, JSON where that is an object.
pub(super) fn scalar(text: &str, schema: &Value, root: &Value) -> Value {
    let kinds = types_of(schema, root);
    let has = |name: &str| kinds.iter().any(|kind| kind == name);
    match scalar_read(text, schema, root) {
        Value::String(text) if has("object") && !has("string") => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        value => value,
    }
}

/// Reads and judges the body; none where there is none, or where it is of a kind that isn't read.
pub(super) fn body(op: &Op, asked: &Asked) -> Result<Option<Value>, Refusal> {
    let Some(body) = &op.body else { return Ok(None) };
    if asked.body.is_empty() {
        return match body.required {
            true => Err(Refusal::invalid("There is no body, and one is required").at("")),
            false => Ok(None),
        };
    }
    let content_type = asked.header("content-type").unwrap_or("application/json");
    let Some(media) = body.media_for(content_type) else {
        let named: Vec<&str> = body.medias.iter().map(|media| media.name.as_str()).collect();
        let detail = format!("The body is {content_type}, and {} is expected", named.join(" or "));
        return Err(Refusal::new(&[415, 400, 422], "Unsupported media type", detail));
    };
    let (value, judged) = match BodyForm::of(content_type) {
        BodyForm::Json => {
            let read = serde_json::from_slice::<Value>(&asked.body);
            (read.map_err(|error| Refusal::invalid(format!("The body is not JSON: {error}")).at(""))?, true)
        }
        BodyForm::Urlencoded => (form(&asked.body, media), true),
        BodyForm::Multipart => (multipart(&asked.body, content_type, media.generator.as_ref()), true),
        BodyForm::Text => {
            let text = String::from_utf8_lossy(&asked.body);
            let schema = media.generator.as_ref().map_or(&Value::Bool(true), Generator::schema);
            match content_type.starts_with("text/plain") {
                true => (scalar_read(&text, schema, schema), true),
                false => (Value::String(text.into_owned()), false),
            }
        }
    };
    let Some(generator) = media.generator.as_ref().filter(|_| judged) else { return Ok(Some(value)) };
    match validate::deviations(generator.validator(), &value, asked.body.len() as u64).into_iter().next() {
        None => Ok(Some(value)),
        Some(deviation) => {
            let refusal = Refusal::new(&[422, 400], "The body is not as documented", deviation.message).at(deviation.pointer);
            // Without a documented 422 it is 400, as most have it.
            Err(if op.names(422) { refusal } else { Refusal { statuses: &[400, 422], ..refusal } })
        }
    }
}

fn form(body: &[u8], media: &BodyMedia) -> Value {
    let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().take(MOST_MEMBERS).collect();
    let schema = media.generator.as_ref().map_or(&Value::Bool(true), Generator::schema);
    let mut styled = Vec::new();
    for field in &media.fields {
        let asked = Asked {
            method: String::new(),
            path: String::new(),
            query: String::from_utf8_lossy(body).into_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
        };
        let candidates = query(field, &asked);
        let fits = |value: &&Value| field.generator.as_ref().is_none_or(|generator| generator.allows(value));
        if let Some(value) = candidates.iter().find(fits).or(candidates.first()) {
            styled.push((field.name.clone(), value.clone()));
        }
        let inner = format!("{}[", field.name);
        pairs.retain(|(name, _)| *name != field.name && !name.starts_with(&inner));
    }
    let mut whole = members(&pairs, schema, schema);
    if let Value::Object(members) = &mut whole {
        members.extend(styled);
    }
    whole
}

/// The parts of a `multipart/form-data` body (RFC 7578); files are texts.
fn multipart(body: &[u8], content_type: &str, generator: Option<&Generator>) -> Value {
    let boundary = content_type.split(';').filter_map(|part| part.trim().strip_prefix("boundary=")).next();
    let boundary = boundary.unwrap_or_default().trim_matches('"');
    let text = String::from_utf8_lossy(body);
    let (mut pairs, mut parsed) = (Vec::new(), Vec::new());
    for part in text.split(&format!("--{boundary}")).take(MOST_MEMBERS) {
        let Some((head, content)) = part.split_once("\r\n\r\n") else { continue };
        let name = head.split(';').filter_map(|piece| piece.trim().strip_prefix("name=\"")).next();
        let Some(name) = name.and_then(|rest| rest.split('"').next()) else { continue };
        let content = content.strip_suffix("\r\n").unwrap_or(content);
        // A part may say that it is JSON, and then it is no text.
        match serde_json::from_str::<Value>(content) {
            Ok(value) if head.to_ascii_lowercase().contains("application/json") => parsed.push((name.to_owned(), value)),
            _ => pairs.push((name.to_owned(), content.to_owned())),
        }
    }
    let schema = generator.map_or(&Value::Bool(true), Generator::schema);
    let mut whole = members(&pairs, schema, schema);
    if let Value::Object(members) = &mut whole {
        for (name, value) in parsed {
            let kinds = types_of(&property(schema, schema, &name), schema);
            match members.get_mut(&name) {
                Some(Value::Array(items)) => items.push(value),
                None if kinds.first().is_some_and(|kind| kind == "array") && !value.is_array() => {
                    members.insert(name, Value::Array(vec![value]));
                }
                _ => {
                    members.insert(name, value);
                }
            }
        }
    }
    whole
}
