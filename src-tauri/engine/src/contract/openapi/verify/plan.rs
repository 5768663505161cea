//! What a run works on: the operations of a document, with everything compiled that each request needs again.

use std::{collections::BTreeMap, time::Duration};

use patchbay_contracts::{
    contract::{Check, Severity},
    integration::Method,
};
use serde_json::Value;

use crate::contract::{
    generate::{Generator, Style},
    openapi::Schema,
};

/// An operation.
#[derive(Debug)]
pub(super) struct Op {
    /// `GET /orders/{id}`.
    pub(super) label: String,
    pub(super) method: Method,
    /// As in the document: `/orders/{id}`.
    pub(super) path: String,
    /// Its JSON pointer in the document.
    pub(super) pointer: String,
    pub(super) params: Vec<Param>,
    pub(super) body: Option<Body>,
    pub(super) answers: Vec<Answer>,
    /// The ways to authenticate, any of which will do; empty where none is needed.
    pub(super) security: Vec<Vec<Scheme>>,
    pub(super) latency: Option<Duration>,
    /// Checks that are turned off for it.
    pub(super) off: Vec<Check>,
    /// Whether it is to be judged itself.
    pub(super) chosen: bool,
}

/// Where a parameter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum In {
    Path,
    Query,
    Header,
    Cookie,
}

/// A parameter.
#[derive(Debug)]
pub(super) struct Param {
    pub(super) name: String,
    pub(super) place: In,
    pub(super) required: bool,
    pub(super) style: Style,
    pub(super) explode: bool,
    pub(super) reserved: bool,
    /// Whether it is written as JSON.
    pub(super) json: bool,
    /// None where its schema can't be used.
    pub(super) generator: Option<Generator>,
    pub(super) examples: Vec<Value>,
    pub(super) pointer: String,
}

/// A request body.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) required: bool,
    /// The first is the one that most cases use.
    pub(super) medias: Vec<BodyMedia>,
    pub(super) pointer: String,
}

/// One form of a request body.
#[derive(Debug)]
pub(super) struct BodyMedia {
    /// `application/json`.
    pub(super) name: String,
    pub(super) form: Form,
    /// None where there is no schema, or it can't be used.
    pub(super) generator: Option<Generator>,
    pub(super) examples: Vec<Value>,
    pub(super) asked: Asked,
    /// The fields of a form that are written in a style of their own.
    pub(super) styles: Vec<(String, Style, bool)>,
}

impl BodyMedia {
    /// Whether a value can be written in it: text has one form only, and of XML and the like nothing can be made but what
    /// the document gives as text.
    pub(super) fn writes(&self, value: &Value) -> bool {
        self.form != Form::Text || !matches!(value, Value::Object(_) | Value::Array(_))
    }

    /// Whether any text is one of its bodies, so that a made-up one is as good as another.
    pub(super) fn is_plain(&self) -> bool {
        let essence = self.name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        self.form != Form::Text || matches!(essence.as_str(), "text/plain" | "application/octet-stream")
    }

    /// Whether an example of the document is a body: one that is right by its schema, or a text of which the schema says
    /// nothing, as of XML.
    pub(super) fn takes(&self, example: &Value) -> bool {
        let text = !self.is_plain() && example.is_string();
        self.writes(example) && (text || self.generator.as_ref().is_none_or(|generator| generator.allows(example)))
    }

    /// A field's style, and whether its elements stand alone.
    pub(super) fn style(&self, name: &str) -> Option<(Style, bool)> {
        self.styles.iter().find(|(known, ..)| known == name).map(|(_, style, explode)| (*style, *explode))
    }
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Urlencoded,
    Multipart,
    /// Anything else, as text.
    Text,
}

impl Form {
    /// By the media type.
    pub(super) fn of(media_type: &str) -> Self {
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-www-form-urlencoded" => Self::Urlencoded,
            "multipart/form-data" => Self::Multipart,
            "*/*" | "application/*" => Self::Json,
            json if json.ends_with("/json") || json.ends_with("+json") => Self::Json,
            _ => Self::Text,
        }
    }
}

/// What may be answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// `200`, `4XX`, `default`.
    pub(super) status: String,
    pub(super) headers: Vec<HeaderSpec>,
    pub(super) medias: Vec<AnswerMedia>,
    pub(super) links: Vec<Link>,
    pub(super) pointer: String,
}

impl Answer {
    /// How closely it is about a status: 3 for that very one, 2 for its hundred, 1 for all that are left.
    pub(super) fn about(&self, status: u16) -> u8 {
        let text = status.to_string();
        match self.status.to_ascii_uppercase().as_str() {
            "DEFAULT" => 1,
            same if same == text => 3,
            range if range.ends_with("XX") && range.chars().next() == text.chars().next() => 2,
            _ => 0,
        }
    }
}

/// A header of an answer.
#[derive(Debug)]
pub(super) struct HeaderSpec {
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) explode: bool,
    pub(super) generator: Option<Generator>,
    pub(super) asked: Asked,
}

/// One form of an answer's body.
#[derive(Debug)]
pub(super) struct AnswerMedia {
    pub(super) name: String,
    pub(super) generator: Option<Generator>,
    pub(super) asked: Asked,
}

/// Where something is asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The JSON pointer in the document.
    pub(super) pointer: String,
    /// The schema there, which knows where its parts stand.
    pub(super) schema: Option<Schema>,
}

impl Asked {
    /// The pointer in the document of a part of the schema, which may be a path of evaluation.
    pub(super) fn part(&self, below: &str) -> String {
        self.schema.as_ref().map_or_else(|| self.pointer.clone(), |schema| schema.source(below))
    }
}

/// A link of an answer.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) name: String,
    /// The index of the operation that it leads to.
    pub(super) target: usize,
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) body: Option<Value>,
    pub(super) pointer: String,
}

/// A part of a way to authenticate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scheme {
    Bearer,
    Basic,
    /// In a header, in the query, in a cookie.
    Key {
        name: String,
        place: In,
    },
    /// One that can't be spoken here: mutual TLS.
    Other,
}

impl Scheme {
    /// The header that carries it, where one does.
    pub(super) fn header(&self) -> Option<&str> {
        match self {
            Self::Bearer | Self::Basic => Some("Authorization"),
            Self::Key { name, place: In::Header } => Some(name),
            _ => None,
        }
    }
}

impl Op {
    /// What the document says of a status.
    pub(super) fn answer(&self, status: u16) -> Option<&Answer> {
        self.answers.iter().filter(|answer| answer.about(status) > 0).max_by_key(|answer| answer.about(status))
    }

    /// Whether the document names a status, or its hundred, for what is answered.
    pub(super) fn names(&self, status: u16) -> bool {
        self.answers.iter().any(|answer| answer.about(status) > 0)
    }

    /// Whether a check is made of it.
    pub(super) fn judges(&self, check: Check) -> bool {
        !self.off.contains(&check)
    }

    /// Whether the document names any success; without one nothing says that anything is to be taken.
    pub(super) fn succeeds(&self) -> bool {
        let success = |answer: &Answer| matches!(answer.status.chars().next(), Some('1'..='3' | 'd' | 'D'));
        self.answers.is_empty() || self.answers.iter().any(success)
    }

    /// The names of the parameters in the path, in its order.
    pub(super) fn path_names(&self) -> Vec<&str> {
        names_in(&self.path)
    }

    /// Whether a credential is needed: a way without any makes it optional.
    pub(super) fn secured(&self) -> bool {
        !self.security.is_empty() && self.security.iter().all(|way| !way.is_empty())
    }

    /// Whether it only reads (RFC 9110, 9.2.1).
    pub(super) const fn reads(&self) -> bool {
        matches!(self.method, Method::Get | Method::Head | Method::Options | Method::Trace | Method::Query)
    }
}

/// The names within braces of a path.
pub(super) fn names_in(path: &str) -> Vec<&str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

/// A path with the names of its parameters left out, so that paths that differ only in them are equal.
pub(super) fn anonymous(path: &str) -> String {
    let mut parts = path.split('{');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str("{}");
        text.push_str(part.split_once('}').map_or("", |(_, rest)| rest));
    }
    text
}

/// What a person chose of the checks.
#[derive(Debug, Clone, Default)]
pub(super) struct Weights {
    warn: Vec<String>,
}

impl Weights {
    pub(super) fn new(warn: &[String]) -> Self {
        Self { warn: warn.to_vec() }
    }

    /// How much a failure weighs.
    pub(super) fn of(&self, check: Check, own: Severity) -> Severity {
        if self.warn.iter().any(|name| name == check.as_str()) { Severity::Warning } else { own }
    }
}
