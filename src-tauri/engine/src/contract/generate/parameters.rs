//! Values written as parameters and bodies that aren't JSON: the styles of OpenAPI (RFC 6570 where it has them), forms and
//! multipart.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

/// All but what RFC 3986 calls unreserved.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same, with the delimiters that `allowReserved` leaves as they are and that end no query (RFC 3986, 2.2).
const RESERVED: &AsciiSet = &COMPONENT
    .remove(b':')
    .remove(b'/')
    .remove(b'?')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b';');

/// How a parameter is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `a,b`: the path's and the headers' own.
    Simple,
    /// `.a.b` in a path.
    Label,
    /// `;name=a,b` in a path.
    Matrix,
    /// `name=a,b` or `name=a&name=b`: the query's and the cookies' own.
    Form,
    /// `name=a%20b`.
    SpaceDelimited,
    /// `name=a|b`.
    PipeDelimited,
    /// `name=a%09b`, which only Swagger 2.0 has.
    TabDelimited,
    /// `name[key]=a`.
    DeepObject,
}

/// A scalar as text; anything else as JSON.
pub fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn encoded(value: &Value) -> String {
    utf8_percent_encode(&plain_text(value), COMPONENT).to_string()
}

fn component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

/// A parameter within a path, percent-encoded. A text of nothing but dots, which would lead to another folder, is encoded
/// too.
pub fn path_text(name: &str, value: &Value, style: Style, explode: bool) -> String {
    let (front, between) = match style {
        Style::Label => (".".to_owned(), if explode { "." } else { "," }),
        Style::Matrix => (";".to_owned(), if explode { ";" } else { "," }),
        _ => (String::new(), ","),
    };
    let name = component(name);
    let named = |text: String| if style == Style::Matrix { format!("{name}={text}") } else { text };
    let text = match value {
        Value::Array(items) if style == Style::Matrix && explode => {
            items.iter().map(|item| named(encoded(item))).collect::<Vec<_>>().join(between)
        }
        Value::Array(items) => named(items.iter().map(encoded).collect::<Vec<_>>().join(between)),
        Value::Object(members) if explode => {
            members.iter().map(|(key, value)| format!("{}={}", component(key), encoded(value))).collect::<Vec<_>>().join(between)
        }
        Value::Object(members) => named(
            members.iter().map(|(key, value)| format!("{},{}", component(key), encoded(value))).collect::<Vec<_>>().join(","),
        ),
        scalar => named(encoded(scalar)),
    };
    let text = front + &text;
    if matches!(text.as_str(), "." | "..") { text.replace('.', "%2E") } else { text }
}

/// A parameter within a query, as `name=value` pairs joined by `&`, percent-encoded; none where there is nothing to write,
/// which a list or an object without members comes to. With `reserved`, delimiters are left as they are.
pub fn query_pairs(name: &str, value: &Value, style: Style, explode: bool, reserved: bool) -> Option<String> {
    let set = if reserved { RESERVED } else { COMPONENT };
    let put = |value: &Value| utf8_percent_encode(&plain_text(value), set).to_string();
    let key = component(name);
    let between = match style {
        Style::SpaceDelimited => "%20",
        Style::PipeDelimited => "|",
        Style::TabDelimited => "%09",
        _ => ",",
    };
    let text = match value {
        Value::Array(items) if items.is_empty() => return None,
        Value::Object(members) if members.is_empty() => return None,
        Value::Object(members) if style == Style::DeepObject => deep_object(name, members),
        Value::Array(items) if style == Style::DeepObject || explode && style == Style::Form => {
            items.iter().map(|item| format!("{key}={}", put(item))).collect::<Vec<_>>().join("&")
        }
        Value::Array(items) if explode => items.iter().map(|item| format!("{key}={}", put(item))).collect::<Vec<_>>().join("&"),
        Value::Array(items) => format!("{key}={}", items.iter().map(put).collect::<Vec<_>>().join(between)),
        Value::Object(members) if explode => {
            members.iter().map(|(key, value)| format!("{}={}", component(key), put(value))).collect::<Vec<_>>().join("&")
        }
        Value::Object(members) => {
            let parts: Vec<String> =
                members.iter().map(|(key, value)| format!("{}{between}{}", component(key), put(value))).collect();
            format!("{key}={}", parts.join(between))
        }
        scalar => format!("{key}={}", put(scalar)),
    };
    Some(text)
}

/// An object as `name[key]=value`, and `name[key][inner]=value` below.
pub fn deep_object(name: &str, members: &Map<String, Value>) -> String {
    let mut pairs = Vec::new();
    deep(&component(name), members, &mut pairs, 0);
    pairs.join("&")
}

fn deep(front: &str, members: &Map<String, Value>, pairs: &mut Vec<String>, depth: usize) {
    for (key, value) in members {
        let key = format!("{front}%5B{}%5D", component(key));
        match value {
            Value::Object(inner) if depth < 8 => deep(&key, inner, pairs, depth + 1),
            Value::Array(items) => pairs.extend(items.iter().map(|item| format!("{key}={}", encoded(item)))),
            scalar => pairs.push(format!("{key}={}", encoded(scalar))),
        }
    }
}

/// A parameter whose media type is JSON.
pub fn content(value: &Value) -> String {
    value.to_string()
}

/// A header's or a cookie's value in the style `simple` or `form` without names.
pub fn header_text(value: &Value, explode: bool) -> String {
    match value {
        Value::Array(items) => items.iter().map(plain_text).collect::<Vec<_>>().join(","),
        Value::Object(members) => {
            let between = if explode { "=" } else { "," };
            members.iter().map(|(key, value)| format!("{key}{between}{}", plain_text(value))).collect::<Vec<_>>().join(",")
        }
        scalar => plain_text(scalar),
    }
}

/// An object as `application/x-www-form-urlencoded` (WHATWG URL, 5.2): lists repeat their name, objects are JSON.
pub fn form(value: &Value) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Array(items) => {
                for item in items {
                    text.append_pair(name, &plain_text(item));
                }
            }
            other => {
                text.append_pair(name, &plain_text(other));
            }
        }
    }
    text.finish()
}

/// An object as `multipart/form-data` (RFC 7578): lists repeat their name, objects are parts of JSON, and those named in
/// `files` carry a file name.
pub fn multipart(value: &Value, files: &[String], boundary: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let mut part = |name: &str, value: &Value| {
        let name: String = name.chars().map(|c| if matches!(c, '"' | '\r' | '\n') { '_' } else { c }).collect();
        let file = if files.contains(&name) { "; filename=\"file.bin\"\r\nContent-Type: application/octet-stream" } else { "" };
        let kind = if value.is_object() { "\r\nContent-Type: application/json" } else { "" };
        // Writing to a text can't fail.
        let _ = write!(
            text,
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{file}{kind}\r\n\r\n{}\r\n",
            plain_text(value)
        );
    };
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Array(items) => items.iter().for_each(|item| part(name, item)),
            other => part(name, other),
        }
    }
    let _ = write!(text, "--{boundary}--\r\n");
    text
}

/// A text as the likeliest type that a schema allows.
pub(in crate::contract) fn scalar_read(text: &str, schema: &Value, root: &Value) -> Value {
    let kinds = super::types_of(schema, root);
    let has = |name: &str| kinds.iter().any(|kind| kind == name);
    if (has("integer") || has("number"))
        && let Ok(number @ Value::Number(_)) = serde_json::from_str::<Value>(text)
    {
        return number;
    }
    match text {
        "true" | "false" if has("boolean") => Value::Bool(text == "true"),
        "" if has("null") && !has("string") => Value::Null,
        _ => Value::String(text.to_owned()),
    }
}
