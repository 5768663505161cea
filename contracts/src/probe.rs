//! One exchange, shown whole.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Problem, Timestamp,
    integration::{Auth, Method},
    units::Span,
};

/// What to send. Texts may hold `${env:…}` and `${secret:…}`; they are filled in where the request is sent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ProbeRequest {
    /// The integration that it belongs to, whose variables and secrets it may use.
    #[serde(default)]
    pub integration: Option<String>,
    /// The endpoint of the integration that it was made from.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The HTTP method.
    #[serde(default)]
    pub method: Method,
    /// The whole address.
    pub url: String,
    /// Query parameters, added to those of the address.
    #[serde(default)]
    pub query: Vec<(String, String)>,
    /// Headers in order.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// How to authenticate.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// The body as text.
    #[serde(default)]
    pub body: Option<String>,
    /// The longest that the whole exchange may take; 30 s without it.
    #[serde(default)]
    pub timeout: Option<Span>,
    /// Whether redirects are followed.
    #[serde(default)]
    pub follow_redirects: bool,
    /// Whether a bad certificate is accepted, and shown as such.
    #[serde(default)]
    pub accept_invalid_certificate: bool,
}

/// What was sent and what came back. Secrets are replaced by `‹secret:NAME›` throughout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeReport {
    /// The integration, where it belongs to one.
    #[serde(default)]
    pub integration: Option<String>,
    /// When it began.
    pub at: Timestamp,
    /// The request as it was sent last, after redirects.
    pub request: SentRequest,
    /// The answers on the way, where redirects were followed.
    #[serde(default)]
    pub redirects: Vec<Redirect>,
    /// The answer; none where the exchange failed.
    pub response: Option<Response>,
    /// Where the time went.
    pub timing: Waterfall,
    /// Why there is no answer, or why its body isn't whole.
    #[serde(default)]
    pub problem: Option<Problem>,
    /// What deserves attention and is no failure: an accepted bad certificate, say.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// A request as it went out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SentRequest {
    /// The method.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// The headers in order.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    #[serde(default)]
    pub body: Option<String>,
    /// The same as a curl line, with secrets as shell variables.
    #[serde(default)]
    pub curl: String,
}

/// An answer that pointed elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Redirect {
    /// Its status.
    pub status: u16,
    /// The address that gave it.
    pub from: String,
    /// The address that it named.
    pub to: String,
    /// Credentials that were not sent on, since the host is another.
    #[serde(default)]
    pub withheld: Vec<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The reason phrase that is customary for the status.
    pub reason: String,
    /// `HTTP/1.1`, `HTTP/2`.
    pub version: String,
    /// The headers in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// The address that answered, with its port.
    #[serde(default)]
    pub remote: Option<String>,
    /// The certificate, over TLS.
    #[serde(default)]
    pub certificate: Option<Certificate>,
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Body {
    /// The media type, without parameters.
    pub media_type: String,
    /// Bytes as they came over the wire.
    pub wire_bytes: u64,
    /// Bytes after decompression, up to the bound.
    pub bytes: u64,
    /// The body as text, where it is text.
    #[serde(default)]
    pub text: Option<String>,
    /// The body as JSON, where it is JSON.
    #[serde(default)]
    pub json: Option<Value>,
    /// The first bytes in hexadecimal, where it is neither.
    #[serde(default)]
    pub hex: Option<String>,
    /// Whether the bound, the deadline or a break cut it short.
    #[serde(default)]
    pub truncated: bool,
}

/// What a server's certificate says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Whom it was issued to.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// The names that it is good for.
    pub names: Vec<String>,
    /// From when.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// `TLSv1.3`, `TLSv1.2`.
    #[serde(default)]
    pub protocol: Option<String>,
    /// Whether it was found valid.
    pub valid: bool,
}

/// Where the time of an exchange went, in milliseconds. A phase that did not take place is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Waterfall {
    /// Resolving the name.
    pub dns_ms: Option<f64>,
    /// Connecting.
    pub connect_ms: Option<f64>,
    /// The TLS handshake.
    pub tls_ms: Option<f64>,
    /// From the request to the first byte of the answer.
    pub first_byte_ms: Option<f64>,
    /// From the first byte to the last.
    pub download_ms: Option<f64>,
    /// All of it, redirects included.
    pub total_ms: f64,
}

/// A curl line or an address, understood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Understood {
    /// The request that it describes.
    pub request: ProbeRequest,
    /// Options that were not understood or have no meaning here.
    #[serde(default)]
    pub ignored: Vec<String>,
    /// Credentials that stood in it in plain: they were put into memory as secrets, and the request names them.
    #[serde(default)]
    pub secrets: Vec<String>,
}

/// Values for a template, by name.
pub type Variables = IndexMap<String, String>;
