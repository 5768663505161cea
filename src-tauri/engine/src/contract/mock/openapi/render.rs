//! Values for answers: samples into which what is known is put, as far as the schema allows it.

use serde_json::{Map, Value, json};

use super::{super::exchange::Refusal, compile::ReplyMedia, input::scalar};
use crate::contract::{
    generate::{Generator, plain_text, shape_items, shape_properties},
    mock::routes::letters,
    schema::escape,
};

/// How many scalars of an error's body are looked at.
const MOST_FIELDS: usize = 100;

/// A value with a schema that it keeps to.
pub(super) struct Draft<'a> {
    pub(super) value: Value,
    generator: Option<&'a Generator>,
    /// Whether it fits its schema; what doesn't to begin with needn't later.
    fits: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn new(value: Value, generator: Option<&'a Generator>) -> Self {
        let fits = generator.is_none_or(|generator| generator.allows(&value));
        Self { value, generator, fits }
    }

    /// Puts a value at a pointer whose parent is there, unless the schema is against it.
    pub(super) fn put(&mut self, pointer: &str, value: Value) -> bool {
        let Some((parent, key)) = pointer.rsplit_once('/') else { return false };
        let key = key.replace("~1", "/").replace("~0", "~");
        let before = self.value.clone();
        match self.value.pointer_mut(parent) {
            Some(Value::Object(members)) => {
                members.insert(key, value);
            }
            Some(Value::Array(items)) => match key.parse().ok().and_then(|index: usize| items.get_mut(index)) {
                Some(item) => *item = value,
                None => return false,
            },
            _ => return false,
        }
        if self.fits && self.generator.is_some_and(|generator| !generator.allows(&self.value)) {
            self.value = before;
            return false;
        }
        true
    }

    /// Puts the members of a resource where the schema has them: at the top, or in the one member that holds the resource.
    pub(super) fn overlay(&mut self, known: &Map<String, Value>) {
        let root = self.generator.map_or(Value::Bool(true), |generator| generator.schema().clone());
        let top = shape_properties(&root, &root);
        let shared = |names: &[(String, Value)]| names.iter().filter(|(name, _)| known.contains_key(name)).count();
        let mut best = (shared(&top), String::new(), top.clone());
        for (name, schema) in &top {
            let inner = shape_properties(schema, &root);
            let count = shared(&inner);
            if count > best.0 && self.value.get(name).is_some_and(Value::is_object) {
                best = (count, format!("/{}", escape(name)), inner);
            }
        }
        let (_, at, described) = best;
        let open = described.is_empty();
        for (name, value) in known {
            if open || described.iter().any(|(known, _)| known == name) {
                self.put(&format!("{at}/{}", escape(name)), value.clone());
            }
        }
    }

    /// Puts an identity where the schema, or the value itself, has one.
    pub(super) fn identify(&mut self, id: &str, parameter: &str, noun: &str) -> bool {
        let Some(pointer) = self.identity_pointer(parameter, noun) else { return false };
        let schema = self.schema_at(&pointer);
        let root = self.generator.map_or(Value::Bool(true), |generator| generator.schema().clone());
        let typed = scalar(id, &schema, &root);
        self.put(&pointer, typed) || self.put(&pointer, Value::String(id.to_owned()))
    }

    /// Where an identity is, or may be.
    pub(super) fn identity_pointer(&self, parameter: &str, noun: &str) -> Option<String> {
        let names = |members: Vec<String>| identity_name(&members, parameter, noun);
        let top = self.names("");
        if let Some(name) = names(top.clone()) {
            return Some(format!("/{}", escape(&name)));
        }
        let inner = top.iter().map(|name| format!("/{}", escape(name)));
        inner.filter(|at| self.value.pointer(at).is_some_and(Value::is_object)).take(5).find_map(|at| {
            let name = names(self.names(&at))?;
            Some(format!("{at}/{}", escape(&name)))
        })
    }

    /// The members that are there or may be.
    fn names(&self, at: &str) -> Vec<String> {
        let root = self.generator.map_or(Value::Bool(true), |generator| generator.schema().clone());
        let there = self.value.pointer(at).and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.clone());
        there.chain(shape_properties(&self.schema_at(at), &root).into_iter().map(|(name, _)| name)).collect()
    }

    /// The schema of what is at a pointer.
    fn schema_at(&self, pointer: &str) -> Value {
        let root = self.generator.map_or(Value::Bool(true), |generator| generator.schema().clone());
        let mut schema = root.clone();
        for part in pointer.split('/').skip(1) {
            let name = part.replace("~1", "/").replace("~0", "~");
            let property = shape_properties(&schema, &root).into_iter().find(|(known, _)| *known == name);
            schema = property.map_or(Value::Bool(true), |(_, schema)| schema);
        }
        schema
    }
}

/// The member that identifies, among others: that with the name of the path's parameter, `id`, and what is usual.
pub(in crate::contract::mock) fn identity_name(members: &[String], parameter: &str, noun: &str) -> Option<String> {
    let wanted =
        [letters(parameter), "id".to_owned(), format!("{noun}id"), "uuid".to_owned(), "key".to_owned(), "slug".to_owned()];
    wanted.iter().find_map(|wanted| members.iter().find(|name| letters(name) == *wanted).cloned())
}

/// The identity that a resource has.
pub(super) fn identity_of(resource: &Map<String, Value>, parameter: &str, noun: &str) -> Option<String> {
    let names: Vec<String> = resource.keys().cloned().collect();
    let value = resource.get(&identity_name(&names, parameter, noun)?)?;
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(_) | Value::Number(_) => Some(plain_text(value)),
        _ => None,
    }
}

/// A list's answer: the items in the list that the schema describes, at the top or in a member.
pub(super) fn list(sample: &Value, items: &[Map<String, Value>], media: &ReplyMedia, label: (&str, &str)) -> Option<Value> {
    let root = media.schema().clone();
    let place = match sample {
        Value::Array(_) => String::new(),
        Value::Object(members) => {
            let described = shape_properties(&root, &root);
            let of_objects = |name: &&String| {
                let schema = described.iter().find(|(known, _)| known == *name).map(|(_, schema)| schema);
                let item = schema.and_then(|schema| shape_items(schema, &root).into_iter().next());
                item.is_some_and(|item| !shape_properties(&item, &root).is_empty())
            };
            let lists = members.iter().filter(|(_, value)| value.is_array()).map(|(name, _)| name);
            format!("/{}", escape(lists.clone().find(of_objects).or_else(|| lists.clone().next())?))
        }
        _ => return None,
    };
    let element = element(&root, &place).and_then(|schema| Generator::new(&schema).ok());
    let first = element.as_ref().and_then(Generator::ordinary).or_else(|| sample.pointer(&format!("{place}/0")).cloned());
    let made: Vec<Value> = items
        .iter()
        .map(|known| {
            let mut draft = Draft::new(first.clone().unwrap_or_else(|| json!({})), element.as_ref());
            if !draft.value.is_object() {
                return Value::Object(known.clone());
            }
            draft.overlay(known);
            if let Some(id) = identity_of(known, label.0, label.1) {
                draft.identify(&id, label.0, label.1);
            }
            draft.value
        })
        .collect();
    let whole = match place.as_str() {
        "" => Value::Array(made),
        _ => {
            let mut draft = Draft::new(sample.clone(), None);
            let count = made.len();
            draft.put(&place, Value::Array(made));
            let mut draft = Draft::new(draft.value, media.generator.as_ref());
            for name in draft
                .names("")
                .into_iter()
                .filter(|name| ["total", "count", "totalcount", "totalitems", "size"].contains(&letters(name).as_str()))
            {
                if draft.value.get(&name).is_some_and(Value::is_number) {
                    draft.put(&format!("/{}", escape(&name)), count.into());
                }
            }
            draft.value
        }
    };
    media.allows(&whole).then_some(whole)
}

/// The schema of a list's elements, as its own document.
fn element(root: &Value, place: &str) -> Option<Value> {
    let list = match place.strip_prefix('/') {
        None => root.clone(),
        Some(name) => {
            let name = name.replace("~1", "/").replace("~0", "~");
            shape_properties(root, root).into_iter().find(|(known, _)| *known == name).map(|(_, schema)| schema)?
        }
    };
    let item = shape_items(&list, root).into_iter().next()?;
    let mut item = item.as_object()?.clone();
    if let Some(definitions) = root.get("$defs") {
        item.insert("$defs".to_owned(), definitions.clone());
    }
    Some(Value::Object(item))
}

/// An error's body as the document describes it, with what is wrong in the fields that are meant for it.
pub(super) fn error(sample: &Value, generator: Option<&Generator>, refusal: &Refusal, status: u16) -> Value {
    let mut draft = Draft::new(sample.clone(), generator);
    let mut fields = Vec::new();
    scalars(sample, "", &mut fields);
    for (pointer, value) in fields {
        let name = letters(pointer.rsplit('/').find(|part| !part.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or_default());
        let put = match (name.as_str(), &value) {
            (
                "message" | "detail" | "details" | "description" | "error" | "errormessage" | "errordescription" | "reason"
                | "msg",
                Value::String(_),
            ) => Value::String(refusal.detail.clone()),
            ("title", Value::String(_)) => Value::String(refusal.title.to_owned()),
            ("status" | "statuscode" | "code", Value::Number(_)) => status.into(),
            ("pointer" | "field" | "property" | "path" | "location", Value::String(_)) if refusal.pointer.is_some() => {
                Value::String(refusal.pointer.clone().unwrap_or_default())
            }
            _ => continue,
        };
        draft.put(&pointer, put);
    }
    draft.value
}

fn scalars(value: &Value, at: &str, all: &mut Vec<(String, Value)>) {
    if all.len() >= MOST_FIELDS || at.len() > 500 {
        return;
    }
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| scalars(value, &format!("{at}/{}", escape(name)), all)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| scalars(value, &format!("{at}/{index}"), all)),
        scalar => all.push((at.to_owned(), scalar.clone())),
    }
}

/// A value in a media type.
pub(super) fn written(value: &Value, media_type: &str) -> Vec<u8> {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence.ends_with("/json") || essence.ends_with("+json") {
        return value.to_string().into_bytes();
    }
    if essence == "application/x-www-form-urlencoded" {
        return crate::contract::generate::form(value).into_bytes();
    }
    if essence.ends_with("/xml") || essence.ends_with("+xml") {
        if let Value::String(text) = value {
            return text.clone().into_bytes();
        }
        let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned();
        xml("response", value, &mut text, 0);
        return text.into_bytes();
    }
    let text = plain_text(value);
    // Where a body is described, nothing would be no body.
    if text.is_empty() { b"mock".to_vec() } else { text.into_bytes() }
}

fn xml(name: &str, value: &Value, text: &mut String, depth: usize) {
    let name: String = name.chars().map(|c| if c.is_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '_' }).collect();
    match value {
        _ if depth > 64 => {}
        Value::Array(items) => items.iter().for_each(|item| xml(&name, item, text, depth + 1)),
        Value::Object(members) => {
            text.push_str(&format!("<{name}>"));
            members.iter().for_each(|(key, value)| xml(key, value, text, depth + 1));
            text.push_str(&format!("</{name}>"));
        }
        scalar => {
            let escaped = plain_text(scalar).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            text.push_str(&format!("<{name}>{escaped}</{name}>"));
        }
    }
}
