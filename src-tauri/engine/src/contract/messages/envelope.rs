//! What stands around a payload: the envelope of Patchbay's own, that of CloudEvents, headers beside a payload, one that the
//! contract describes itself, or none.

use std::borrow::Cow;

use patchbay_contracts::{Code, Problem, contract::Check};
use serde_json::{Map, Value, json};

use super::{
    cloudevents,
    contract::as_word,
    finding::Finding,
    shape::Shape,
    texts::{is_rfc3339, rfc3339},
};
use crate::{
    Result,
    contract::validate::{bounded, describe},
    utils::nearest,
};

/// The words for envelopes.
pub const ENVELOPES: [&str; 4] = ["patchbay", "cloudevents", "none", "auto"];

/// What stands around a payload.
pub(in crate::contract) enum Form {
    /// id, type, version, timestamp, source, data and metadata.
    Patchbay,
    /// CloudEvents 1.0.
    CloudEvents,
    /// Nothing: the message is the payload.
    None,
    /// What each message looks like: CloudEvents, Patchbay's own, headers and payload, or a bare payload.
    Auto,
    /// As a schema of the contract says.
    Own(Box<Shape>),
}

/// An envelope and where its parts are.
pub(in crate::contract) struct Envelope {
    pub(in crate::contract) form: Form,
    /// Where a contract says that the parts are.
    pub(super) fields: Option<Fields>,
    /// What the metadata of every message must be.
    pub(in crate::contract) metadata: Option<Shape>,
}

/// Where the parts of an envelope are: JSON pointers into the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::contract) struct Fields {
    pub(super) id: Cow<'static, str>,
    kind: Cow<'static, str>,
    version: Cow<'static, str>,
    pub(super) timestamp: Cow<'static, str>,
    source: Cow<'static, str>,
    data: Cow<'static, str>,
    metadata: Cow<'static, str>,
    pub(super) correlation: Cow<'static, str>,
    pub(super) causation: Cow<'static, str>,
}

/// A pointer to nothing: `-` names the element behind the last one of a list.
const NOWHERE: Cow<'static, str> = Cow::Borrowed("/-");

/// Where Patchbay's own envelope has them.
pub(super) static PATCHBAY: Fields = Fields {
    id: Cow::Borrowed("/id"),
    kind: Cow::Borrowed("/type"),
    version: Cow::Borrowed("/version"),
    timestamp: Cow::Borrowed("/timestamp"),
    source: Cow::Borrowed("/source"),
    data: Cow::Borrowed("/data"),
    metadata: Cow::Borrowed("/metadata"),
    correlation: Cow::Borrowed("/metadata/correlation_id"),
    causation: Cow::Borrowed("/metadata/causation_id"),
};
/// With the attributes of the correlation extension (`cloudevents/extensions/correlation.md`).
static CLOUDEVENTS: Fields = Fields {
    id: Cow::Borrowed("/id"),
    kind: Cow::Borrowed("/type"),
    version: Cow::Borrowed("/dataversion"),
    timestamp: Cow::Borrowed("/time"),
    source: Cow::Borrowed("/source"),
    data: Cow::Borrowed("/data"),
    metadata: NOWHERE,
    correlation: Cow::Borrowed("/correlationid"),
    causation: Cow::Borrowed("/causationid"),
};
static WRAPPED: Fields = Fields {
    id: Cow::Borrowed("/id"),
    kind: Cow::Borrowed("/name"),
    version: Cow::Borrowed("/version"),
    timestamp: Cow::Borrowed("/timestamp"),
    source: Cow::Borrowed("/source"),
    data: Cow::Borrowed("/payload"),
    metadata: NOWHERE,
    correlation: NOWHERE,
    causation: NOWHERE,
};
static NONE: Fields = Fields {
    id: NOWHERE,
    kind: NOWHERE,
    version: NOWHERE,
    timestamp: NOWHERE,
    source: NOWHERE,
    data: Cow::Borrowed(""),
    metadata: NOWHERE,
    correlation: NOWHERE,
    causation: NOWHERE,
};

impl Fields {
    /// Says where a part is.
    pub(super) fn set(&mut self, name: &str, pointer: &str) -> Result<()> {
        const NAMES: [&str; 9] =
            ["id", "type", "version", "timestamp", "source", "data", "metadata", "correlation_id", "causation_id"];
        let field = match name {
            "id" => &mut self.id,
            "type" => &mut self.kind,
            "version" => &mut self.version,
            "timestamp" => &mut self.timestamp,
            "source" => &mut self.source,
            "data" => &mut self.data,
            "metadata" => &mut self.metadata,
            "correlation_id" => &mut self.correlation,
            "causation_id" => &mut self.causation,
            _ => {
                let problem = Problem::new(Code::InvalidDefinition, format!("`{name}` is no part of an envelope"));
                return Err(match nearest(name, NAMES) {
                    Some(near) => problem.next(format!("Did you mean `{near}`?")),
                    None => problem.next(format!("There are {}", NAMES.join(", "))),
                });
            }
        };
        *field = Cow::Owned(pointer.to_owned());
        Ok(())
    }
}

/// Where an envelope has its parts, for making one.
pub(in crate::contract) struct Parts<'a> {
    pub(in crate::contract) id: &'a str,
    pub(in crate::contract) kind: &'a str,
    pub(in crate::contract) version: &'a str,
    pub(in crate::contract) timestamp: &'a str,
    pub(in crate::contract) metadata: &'a str,
    pub(in crate::contract) data: &'a str,
}

/// What a message says of itself.
pub(super) struct Seen<'a> {
    /// Where its parts are.
    pub(super) fields: &'a Fields,
    pub(super) name: Option<&'a str>,
    pub(super) name_at: &'a str,
    pub(super) version: Option<String>,
    pub(super) version_at: &'a str,
    pub(super) id: Option<Cow<'a, str>>,
    /// The source, where ids are unique only within one.
    pub(super) within: Option<&'a str>,
    pub(super) source: Option<&'a str>,
    /// Nanoseconds since 1970.
    pub(super) at: Option<i64>,
    pub(super) correlation: Option<&'a str>,
    pub(super) causation: Option<&'a str>,
    /// Where the payload stands, and the payload.
    pub(super) payload: Option<(&'a str, Cow<'a, Value>)>,
    pub(super) headers: Option<&'a Value>,
    /// Where metadata should stand, and the metadata.
    pub(super) metadata: Option<(&'a str, Option<&'a Value>)>,
}

impl Envelope {
    pub(in crate::contract) fn of(form: Form) -> Self {
        Self { form, fields: None, metadata: None }
    }

    /// The envelope of that name.
    ///
    /// # Errors
    /// [`Code::InvalidDefinition`] for another word.
    pub(super) fn named(name: &str) -> Result<Self> {
        Ok(Self::of(match name {
            "patchbay" => Form::Patchbay,
            "cloudevents" => Form::CloudEvents,
            "none" => Form::None,
            "auto" => Form::Auto,
            _ => {
                let problem = Problem::new(Code::InvalidDefinition, format!("`{name}` is not an envelope"));
                return Err(match nearest(name, ENVELOPES) {
                    Some(near) => problem.next(format!("Did you mean `{near}`?")),
                    None => problem.next("Write patchbay, cloudevents, none, or a JSON Schema"),
                });
            }
        }))
    }

    /// Where its parts are.
    pub(in crate::contract) fn parts(&self) -> Parts<'_> {
        let fields = self.fields.as_ref().unwrap_or(&PATCHBAY);
        Parts {
            id: &fields.id,
            kind: &fields.kind,
            version: &fields.version,
            timestamp: &fields.timestamp,
            metadata: &fields.metadata,
            data: &fields.data,
        }
    }

    /// Whether messages have what a stream is judged by.
    pub(super) fn has_ids(&self) -> bool {
        self.fields.is_some() || !matches!(self.form, Form::None)
    }

    /// Judges the envelope of a message and takes it apart.
    pub(super) fn open<'a>(
        &'a self,
        message: &'a Value,
        findings: &mut Vec<Finding>,
        judged: &mut Vec<Check>,
    ) -> Option<Seen<'a>> {
        let form = match &self.form {
            Form::Auto => look(message),
            form => form,
        };
        if let Form::Own(shape) = form {
            judged.push(Check::Envelope);
            shape.judge(Check::Envelope, "", message, 0, findings);
        }
        let fields = self.fields.as_ref().unwrap_or(match form {
            Form::CloudEvents => &CLOUDEVENTS,
            Form::None => &NONE,
            Form::Auto => &WRAPPED,
            Form::Patchbay | Form::Own(_) => &PATCHBAY,
        });
        let object = message.as_object();
        match (form, object) {
            (Form::Patchbay | Form::CloudEvents, None) => {
                judged.push(Check::Envelope);
                let found = format!("The message is {}, and an object is expected", describe(message));
                let finding = Finding::envelope("object", "", found).expecting(json!({ "type": "object" }));
                findings.push(finding.with(bounded(message)));
                return None;
            }
            (Form::Patchbay, Some(object)) => {
                judged.push(Check::Envelope);
                judged.push(Check::Metadata);
                patchbay(object, findings);
            }
            (Form::CloudEvents, Some(object)) => {
                judged.push(Check::Envelope);
                cloudevents::judge(object, findings);
            }
            _ => {}
        }
        Some(seen(form, fields, message))
    }
}

/// What a message looks like.
fn look(message: &Value) -> &'static Form {
    let Some(object) = message.as_object() else { return &Form::None };
    let has = |key: &str| object.contains_key(key);
    if has("specversion") {
        &Form::CloudEvents
    } else if has("payload") && object.keys().all(|key| AROUND_PAYLOAD.contains(&key.as_str())) {
        &Form::Auto
    } else if has("id") && has("type") && has("data") && (has("timestamp") || has("metadata")) {
        &Form::Patchbay
    } else {
        &Form::None
    }
}

/// What may stand beside headers and payload in a message that was written down.
const AROUND_PAYLOAD: [&str; 14] = [
    "payload",
    "headers",
    "name",
    "type",
    "message",
    "messageId",
    "id",
    "channel",
    "key",
    "version",
    "timestamp",
    "source",
    "bindings",
    "topic",
];

fn seen<'a>(form: &Form, fields: &'a Fields, message: &'a Value) -> Seen<'a> {
    const NAMES: [&str; 6] = ["/name", "/message", "/type", "/headers/type", "/headers/messageType", "/headers/ce_type"];
    const VERSIONS: [&str; 3] = ["/dataversion", "/version", "/schemaversion"];
    let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let cloud = matches!(form, Form::CloudEvents);
    let wrapped = matches!(form, Form::Auto);
    let name_at = match wrapped {
        true => NAMES.into_iter().find(|pointer| text(pointer).is_some()).unwrap_or("/name"),
        false => &fields.kind,
    };
    let version_at = match cloud {
        true => VERSIONS.into_iter().find(|pointer| message.pointer(pointer).is_some()).unwrap_or("/dataversion"),
        false => &fields.version,
    };
    let payload = match (form, message) {
        (Form::CloudEvents, Value::Object(event)) => cloudevents::payload(event),
        _ => message.pointer(&fields.data).map(|data| (&*fields.data, Cow::Borrowed(data))),
    };
    let source = text(&fields.source);
    Seen {
        fields,
        name: text(name_at),
        name_at,
        version: message.pointer(version_at).and_then(as_word),
        version_at,
        id: message.pointer(&fields.id).and_then(id),
        within: source.filter(|_| cloud),
        source,
        at: text(&fields.timestamp).and_then(rfc3339),
        correlation: text(&fields.correlation),
        causation: text(&fields.causation),
        payload,
        headers: message.get("headers").filter(|_| wrapped),
        metadata: (fields.metadata != NOWHERE).then(|| (&*fields.metadata, message.pointer(&fields.metadata))),
    }
}

fn id(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) if !text.is_empty() => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// The envelope of Patchbay's own. `causation_id` and `user_id` may be null or missing: the first message of a chain has no
/// cause, and a machine is no user.
fn patchbay(message: &Map<String, Value>, findings: &mut Vec<Finding>) {
    for name in ["id", "type", "version", "timestamp", "source"] {
        let pointer = format!("/{name}");
        match message.get(name) {
            None => findings.push(missing(Check::Envelope, name, pointer)),
            Some(Value::String(text)) if text.is_empty() => {
                let message = format!("{pointer} is an empty text");
                findings.push(Finding::envelope(name, pointer, message).expecting(json!({ "minLength": 1 })).with("".into()));
            }
            Some(Value::String(text)) if name == "timestamp" && !is_rfc3339(text) => {
                let message = format!(
                    "{pointer} is {}, which is not a time such as 2026-01-31T12:30:00Z (RFC 3339)",
                    describe(&json!(text))
                );
                let finding = Finding::envelope(name, pointer, message).expecting(json!({ "format": "date-time" }));
                findings.push(finding.with(bounded(&json!(text))));
            }
            Some(Value::String(_)) => {}
            Some(Value::Number(_)) if name == "version" => {}
            Some(value) => findings.push(not_text(Check::Envelope, name, pointer, value)),
        }
    }
    if !message.contains_key("data") {
        findings.push(missing(Check::Envelope, "data", "/data".to_owned()));
    }
    match message.get("metadata") {
        None => findings.push(missing(Check::Envelope, "metadata", "/metadata".to_owned())),
        Some(Value::Object(metadata)) => {
            for name in ["correlation_id", "causation_id", "user_id"] {
                let pointer = format!("/metadata/{name}");
                match metadata.get(name) {
                    None | Some(Value::Null) if name != "correlation_id" => {}
                    None => findings.push(missing(Check::Metadata, name, pointer)),
                    Some(Value::String(text)) if text.is_empty() => {
                        let message = format!("{pointer} is an empty text");
                        let finding = Finding::new(Check::Metadata, name, pointer, message).expecting(json!({ "minLength": 1 }));
                        findings.push(finding.with("".into()));
                    }
                    Some(Value::String(_)) => {}
                    Some(value) => findings.push(not_text(Check::Metadata, name, pointer, value)),
                }
            }
        }
        Some(value) => {
            let message = format!("/metadata is {}, and an object is expected", describe(value));
            let finding = Finding::envelope("metadata", "/metadata", message).expecting(json!({ "type": "object" }));
            findings.push(finding.with(bounded(value)));
        }
    }
}

fn missing(check: Check, name: &str, pointer: String) -> Finding {
    let message = format!("{pointer} is missing");
    Finding::new(check, format!("{name} missing"), pointer, message).expecting(json!({ "required": [name] }))
}

fn not_text(check: Check, name: &str, pointer: String, value: &Value) -> Finding {
    let message = format!("{pointer} is {}, and a text is expected", describe(value));
    Finding::new(check, format!("{name} kind"), pointer, message).expecting(json!({ "type": "string" })).with(bounded(value))
}
