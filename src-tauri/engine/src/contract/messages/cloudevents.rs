//! CloudEvents 1.0 in the JSON event format, structured: <https://github.com/cloudevents/spec>, `cloudevents/spec.md` and
//! `cloudevents/formats/json-format.md`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use patchbay_contracts::contract::Severity;
use serde_json::{Map, Value, json};

use super::{
    finding::Finding,
    texts::{is_media_type, is_rfc3339, is_uri, is_uri_reference},
};
use crate::contract::{
    schema::escape,
    validate::{bounded, describe},
};

/// The longest name of an extension that the specification recommends, in characters.
const LONGEST_NAME: usize = 20;

/// What the value of an attribute must be.
#[derive(Clone, Copy)]
enum Kind {
    /// A text with something in it.
    Text,
    UriReference,
    Uri,
    MediaType,
    Time,
}

/// The attributes of the specification, and whether each must be there.
const ATTRIBUTES: [(&str, Kind, bool); 8] = [
    ("id", Kind::Text, true),
    ("source", Kind::UriReference, true),
    ("specversion", Kind::Text, true),
    ("type", Kind::Text, true),
    ("datacontenttype", Kind::MediaType, false),
    ("dataschema", Kind::Uri, false),
    ("subject", Kind::Text, false),
    ("time", Kind::Time, false),
];

/// Everything about an event that is not as the specification asks, its payload left out.
pub(super) fn judge(event: &Map<String, Value>, findings: &mut Vec<Finding>) {
    // An attribute that is null is one that isn't set.
    let set = |name: &str| event.get(name).filter(|value| !value.is_null());
    for (name, kind, required) in ATTRIBUTES {
        match set(name) {
            Some(value) => attribute(name, kind, value, findings),
            None if required => findings.push(
                Finding::envelope(&format!("{name} missing"), format!("/{name}"), format!("/{name} is missing"))
                    .expecting(json!({ "required": [name] })),
            ),
            None => {}
        }
    }
    if let Some(Value::String(version)) = set("specversion")
        && version != "1.0"
    {
        let message = format!("/specversion is {}, and \"1.0\" is expected", json!(version));
        findings.push(
            Finding::envelope("specversion", "/specversion", message).expecting(json!("1.0")).with(version.as_str().into()),
        );
    }
    for (name, value) in event {
        let known = ATTRIBUTES.iter().any(|(known, ..)| known == name) || name == "data" || name == "data_base64";
        if !known {
            extension(name, value, findings);
        }
    }
    data(event, findings);
}

fn attribute(name: &str, kind: Kind, value: &Value, findings: &mut Vec<Finding>) {
    let pointer = format!("/{name}");
    let Value::String(text) = value else {
        let message = format!("{pointer} is {}, and a text is expected", describe(value));
        findings.push(
            Finding::envelope(&format!("{name} kind"), pointer, message)
                .expecting(json!({ "type": "string" }))
                .with(bounded(value)),
        );
        return;
    };
    let wrong = if text.is_empty() {
        Some(("is an empty text".to_owned(), json!({ "minLength": 1 })))
    } else if let Some(bad) = text.chars().find(|c| !allowed(*c)) {
        Some((format!("holds the character U+{:04X}, which no attribute may hold", bad as u32), json!("no control characters")))
    } else {
        let (holds, what) = match kind {
            Kind::Text => (true, ""),
            Kind::UriReference => (is_uri_reference(text), "a URI reference (RFC 3986)"),
            Kind::Uri => (is_uri(text), "a URI with its scheme (RFC 3986)"),
            Kind::MediaType => (is_media_type(text), "a media type such as application/json (RFC 2046)"),
            Kind::Time => (is_rfc3339(text), "a time such as 2026-01-31T12:30:00Z (RFC 3339)"),
        };
        (!holds).then(|| (format!("is {}, which is not {what}", describe(value)), json!(what)))
    };
    if let Some((message, expected)) = wrong {
        findings.push(
            Finding::envelope(name, pointer.clone(), format!("{pointer} {message}")).expecting(expected).with(bounded(value)),
        );
    }
}

/// Characters that a text attribute may hold (spec.md, "Type System").
fn allowed(c: char) -> bool {
    let code = c as u32;
    !c.is_control() && !(0xFDD0..=0xFDEF).contains(&code) && code & 0xFFFE != 0xFFFE
}

fn extension(name: &str, value: &Value, findings: &mut Vec<Finding>) {
    let pointer = format!("/{}", escape(name));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) {
        let message = format!("{pointer} is not a name for an attribute: only a to z and 0 to 9 are allowed");
        findings.push(
            Finding::envelope(&format!("name {name}"), pointer, message)
                .expecting(json!({ "pattern": "^[a-z0-9]+$" }))
                .with(name.into()),
        );
        return;
    }
    if name.len() > LONGEST_NAME {
        let message = format!("{pointer} has a name of {} characters, and at most {LONGEST_NAME} are recommended", name.len());
        let finding = Finding::envelope(&format!("length {name}"), pointer.clone(), message)
            .expecting(json!({ "maxLength": LONGEST_NAME }));
        findings.push(finding.with(name.into()).weighing(Severity::Warning));
    }
    let fits = match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(number) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Value::String(text) => text.chars().all(allowed),
        Value::Array(_) | Value::Object(_) => false,
    };
    if !fits {
        let message = format!(
            "{pointer} is {}, and an extension is true or false, a whole number of 32 bits, or a text without control characters",
            describe(value)
        );
        let expected = json!({ "type": ["boolean", "integer", "string"] });
        findings.push(Finding::envelope(&format!("value {name}"), pointer, message).expecting(expected).with(bounded(value)));
    }
}

fn data(event: &Map<String, Value>, findings: &mut Vec<Finding>) {
    let Some(encoded) = event.get("data_base64").filter(|value| !value.is_null()) else { return };
    if event.contains_key("data") {
        let message = "/data_base64 stands beside /data, and only one of them is allowed";
        findings.push(Finding::envelope("data", "/data_base64", message).with(bounded(encoded)));
        return;
    }
    if encoded.as_str().is_none_or(|text| STANDARD.decode(text).is_err()) {
        let message = format!("/data_base64 is {}, which is not Base64 (RFC 4648)", describe(encoded));
        findings.push(Finding::envelope("data_base64", "/data_base64", message).with(bounded(encoded)));
    }
}

/// Whether the content type says that the data is JSON. Without one it is.
pub(super) fn is_json(content_type: Option<&Value>) -> bool {
    let Some(text) = content_type.and_then(Value::as_str) else { return true };
    let media = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media.split_once('/').is_some_and(|(_, subtype)| subtype == "json" || subtype.ends_with("+json"))
}

/// The payload of an event with its name in the event: the data, decoded where it is Base64 of JSON.
pub(super) fn payload(event: &Map<String, Value>) -> Option<(&'static str, std::borrow::Cow<'_, Value>)> {
    if let Some(data) = event.get("data") {
        return Some(("/data", std::borrow::Cow::Borrowed(data)));
    }
    let encoded = event.get("data_base64")?.as_str()?;
    let bytes = STANDARD.decode(encoded).ok()?;
    let value = if is_json(event.get("datacontenttype")) {
        serde_json::from_slice(&bytes).ok()?
    } else {
        Value::String(encoded.to_owned())
    };
    Some(("/data_base64", std::borrow::Cow::Owned(value)))
}
