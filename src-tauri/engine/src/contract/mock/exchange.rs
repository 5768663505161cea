//! What a mock is asked, and what it answers.

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// A request, read whole.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// In upper case.
    pub(super) method: String,
    /// As it was sent, percent-encoded.
    pub(super) path: String,
    /// As it was sent, percent-encoded.
    pub(super) query: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

impl Asked {
    /// The first value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The query's pairs, both parts decoded.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        self.raw_pairs().into_iter().map(|(name, value)| (plus(name), plus(value))).collect()
    }

    /// The query's pairs as they were sent.
    pub(super) fn raw_pairs(&self) -> Vec<(&str, &str)> {
        let parts = self.query.split('&').filter(|part| !part.is_empty());
        parts.map(|part| part.split_once('=').unwrap_or((part, ""))).collect()
    }

    /// A cookie's value.
    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        let cookies = self.headers.iter().filter(|(known, _)| known == "cookie").flat_map(|(_, value)| value.split(';'));
        cookies.filter_map(|cookie| cookie.trim().split_once('=')).find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// A text of a query or a form, decoded: a plus is a blank there.
pub(super) fn plus(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// A part of a path, decoded.
pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(super) fn json(status: u16, value: &Value) -> Self {
        Self::typed(status, "application/json", value.to_string().into_bytes())
    }

    pub(super) fn typed(status: u16, media_type: &str, body: Vec<u8>) -> Self {
        Self { status, headers: vec![("content-type".to_owned(), media_type.to_owned())], body }
    }

    /// What was wrong, as RFC 9457 has it.
    pub(super) fn problem(refusal: &Refusal, status: u16) -> Self {
        Self::typed(status, "application/problem+json", refusal.document(status).to_string().into_bytes())
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// Why a request is not answered as it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The statuses that say so, the likeliest first; the first one that is documented is answered.
    pub(super) statuses: &'static [u16],
    pub(super) title: &'static str,
    /// One sentence.
    pub(super) detail: String,
    /// Where in the request: a JSON pointer into the body, or `query.limit`.
    pub(super) pointer: Option<String>,
}

impl Refusal {
    pub(super) fn new(statuses: &'static [u16], title: &'static str, detail: impl Into<String>) -> Self {
        Self { statuses, title, detail: detail.into(), pointer: None }
    }

    pub(super) fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// The status where nothing is documented.
    pub(super) fn status(&self) -> u16 {
        self.statuses.first().copied().unwrap_or(400)
    }

    /// Nothing is at an address.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(&[404, 410], "Not found", detail)
    }

    /// The request is not as the contract asks.
    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(&[400, 422], "Bad request", detail)
    }

    /// The members of the answer's body.
    pub(super) fn document(&self, status: u16) -> Value {
        let mut document = json!({ "type": "about:blank", "title": self.title, "status": status, "detail": self.detail });
        if let (Some(pointer), Some(members)) = (&self.pointer, document.as_object_mut()) {
            members.insert("pointer".to_owned(), pointer.as_str().into());
        }
        document
    }
}

/// How well an `Accept` header takes a media type, from 0, not at all, to 1000; without the header all are taken.
pub(super) fn acceptance(accept: Option<&str>, media_type: &str) -> u32 {
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else { return 1000 };
    let essence = |text: &str| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let wanted = essence(media_type);
    let main = wanted.split('/').next().unwrap_or_default().to_owned();
    // What says most about the type decides (RFC 9110, 12.5.1).
    let mut best = (0, 0);
    for part in accept.split(',').take(100) {
        let range = essence(part);
        let told = match range.as_str() {
            "*/*" | "*" => 1,
            same if same == wanted => 3,
            range if range.strip_suffix("/*").is_some_and(|kind| kind == main) => 2,
            _ => continue,
        };
        let quality = part.split(';').skip(1).filter_map(|parameter| parameter.trim().strip_prefix("q=")).next();
        let quality = quality.and_then(|quality| quality.trim().parse::<f64>().ok()).unwrap_or(1.0).clamp(0.0, 1.0);
        if told > best.0 {
            best = (told, (quality * 1000.0) as u32);
        }
    }
    best.1
}
