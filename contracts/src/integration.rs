//! The integration file: one YAML file for each thing that a piece of software plugs into.
//!
//! Texts may hold `${env:NAME}` (a variable of the chosen environment), `${secret:NAME}` (a credential, bound to the
//! hosts it may be sent to) and `${NAME}` (a value captured from an earlier endpoint).

mod auth;
mod load;
mod tls;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

pub use self::{
    auth::{ApiKeyPlace, Auth, AuthKind, AuthSpec},
    load::{
        DataFeed, Executor, FeedOrder, Level, LoadLimits, LoadOptions, LoadSpec, Protocol, Spacing, SpanRange, Stage, Weighted,
    },
    tls::{Tls, secret_of},
};
use crate::{
    Code, Problem,
    units::{Rate, Share, Span},
};

/// The whole file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationFile {
    /// The integration that this file defines.
    pub integration: Integration,
}

/// One thing that a piece of software plugs into.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Integration {
    /// Its name, unique in the workspace: letters, digits, `-`, `_`, `.` and spaces.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// The version of the contract that this file describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The kind of system.
    #[serde(default, skip_serializing_if = "is_default")]
    pub system: System,
    /// Where it answers. Without it, the variable `base_url` of the chosen environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// How to authenticate, unless an endpoint says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// How connections over TLS are secured, beyond what this machine does for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Headers sent with every request.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, String>,
    /// The operations, in the order in which a contract run calls them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<Endpoint>,
    /// The shape of request bodies, unless an endpoint says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_schema: Option<BodySchema>,
    /// The shape of response bodies, unless an endpoint says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_schema: Option<BodySchema>,
    /// What to do when a call fails.
    #[serde(default, skip_serializing_if = "is_default")]
    pub error_handling: ErrorHandling,
    /// The health check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// Where the service exposes Prometheus metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
    /// What the service promises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo: Option<Slo>,
    /// How to put it under load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadSpec>,
    /// What no load run of it may exceed, whatever is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_limits: Option<LoadLimits>,
    /// A document that the service is held to as well: OpenAPI, Swagger, Pact, AsyncAPI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<ContractSource>,
}

/// A document that a service is held to, beside the endpoints of its file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractSource {
    /// The file, relative to this one, or an address.
    pub file: String,
    /// Only these: names of checks, or of operations with `*` for any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Not these: names of checks, or of operations with `*` for any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip: Vec<String>,
    /// Checks that are shown and fail no run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warn: Vec<String>,
    /// What generated requests are made from; the same seed makes the same requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The longest that the whole run may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Span>,
    /// The file of accepted failures, relative to this one; without it, `accepted.yaml` beside the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
    /// Where Pact's provider states are changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub states: Option<String>,
}

impl Integration {
    /// The endpoint by its name, or by `METHOD /path`.
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints
            .iter()
            .find(|endpoint| endpoint.name.as_deref() == Some(name))
            .or_else(|| self.endpoints.iter().find(|endpoint| endpoint.label() == name || endpoint.path == name))
    }

    /// The endpoint of that name, or the first one where no name is given.
    ///
    /// # Errors
    /// [`Code::NotFound`], with the endpoints that there are.
    pub fn endpoint_or_first(&self, name: Option<&str>) -> Result<&Endpoint, Problem> {
        let found = match name {
            Some(name) => self.endpoint(name),
            None => self.endpoints.first(),
        };
        found.ok_or_else(|| match name {
            None => Problem::new(Code::NotFound, format!("`{}` has no endpoints", self.name))
                .next("Add one under `endpoints:` in its file"),
            Some(name) => {
                let labels: Vec<String> = self.endpoints.iter().map(Endpoint::label).collect();
                Problem::new(Code::NotFound, format!("`{}` has no endpoint `{name}`", self.name))
                    .next(format!("It has {}", labels.join(", ")))
            }
        })
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The kind of system at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// HTTP with resources and verbs.
    #[default]
    Rest,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Its name; without one it is called `METHOD /path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The HTTP method.
    #[serde(default)]
    pub method: Method,
    /// The path under `base_url`, with `{parameters}`, or a whole URL.
    pub path: String,
    /// Values for the `{parameters}` of the path.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub params: IndexMap<String, Scalar>,
    /// The query.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub query: IndexMap<String, Scalar>,
    /// Headers, over those of the integration.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, String>,
    /// How to authenticate, instead of the integration's way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// What is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestSpec>,
    /// What must come back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    /// The shape of the request body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_schema: Option<BodySchema>,
    /// The shape of the response body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_schema: Option<BodySchema>,
    /// Values taken from the response for later endpoints: a name, and where it is (`$.id`, `header:Location`).
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub capture: IndexMap<String, String>,
    /// The most that this endpoint may be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<Rate>,
}

impl Endpoint {
    /// The name, or `METHOD /path`.
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("{} {}", self.method.as_str(), self.path))
    }
}

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names are the methods' own")]
pub enum Method {
    #[default]
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    Trace,
    Connect,
    Query,
}

impl Method {
    /// The methods that a person picks from.
    pub const ALL: [Self; 9] =
        [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete, Self::Head, Self::Options, Self::Trace, Self::Query];

    /// The method as it stands in a request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Connect => "CONNECT",
            Self::Query => "QUERY",
        }
    }

    /// The method of that name, in any case of letters.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().chain([Self::Connect]).find(|method| method.as_str().eq_ignore_ascii_case(name))
    }

    /// Whether repeating it has no further effect (RFC 9110, 9.2.2).
    pub const fn is_idempotent(self) -> bool {
        !matches!(self, Self::Post | Self::Patch | Self::Connect)
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text, number or truth value of YAML, held as the text that is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Scalar(#[schemars(extend("type" = ["string", "number", "boolean"]))] pub String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            value @ (Value::Number(_) | Value::Bool(_)) => Ok(Self(value.to_string())),
            _ => Err(de::Error::custom("expected a text, a number, true or false")),
        }
    }
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestSpec {
    /// The body: a text is sent as it is, anything else as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The body from a file, relative to the integration's, sent as it is; in place of `body`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its media type; `application/json` for anything but a text, `application/octet-stream` for a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Whether to send a fresh `Idempotency-Key`, the same for each retry.
    #[serde(default, skip_serializing_if = "is_default")]
    pub idempotency_key: bool,
}

/// What must come back.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The status: a number, a class such as `2xx`, or a list of them. Without it, any 2xx.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusPattern>,
    /// Headers that must be there; the value must be equal, or `*` for any.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, Scalar>,
    /// The longest that the whole exchange may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Span>,
    /// Conditions in Gatus's grammar.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
}

/// One status, a class, or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum StatusPattern {
    /// This status.
    Code(#[schemars(range(min = 100, max = 599))] u16),
    /// A class: `2xx`.
    Class(#[schemars(regex(pattern = r"^[1-5](xx|XX|[0-9][0-9])$"))] String),
    /// Any of these.
    Any(Vec<StatusPattern>),
}

impl StatusPattern {
    /// Whether `status` is meant.
    pub fn matches(&self, status: u16) -> bool {
        match self {
            Self::Code(code) => *code == status,
            Self::Class(class) => {
                let text = status.to_string();
                class.len() == 3
                    && class.bytes().zip(text.bytes()).all(|(want, is)| want.eq_ignore_ascii_case(&b'x') || want == is)
            }
            Self::Any(any) => any.iter().any(|pattern| pattern.matches(status)),
        }
    }
}

impl std::fmt::Display for StatusPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "{code}"),
            Self::Class(class) => f.write_str(class),
            Self::Any(any) => {
                for (i, pattern) in any.iter().enumerate() {
                    if i > 0 {
                        f.write_str(" or ")?;
                    }
                    write!(f, "{pattern}")?;
                }
                Ok(())
            }
        }
    }
}

/// The shape of a body: the short form (`field: type`) or a full JSON Schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct BodySchema(pub Value);

/// What to do when a call fails.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorHandling {
    /// How often to try again.
    #[serde(default)]
    #[schemars(range(max = 20))]
    pub retries: u32,
    /// How the wait grows.
    #[serde(default)]
    pub backoff: Backoff,
    /// How the wait is spread.
    #[serde(default)]
    pub jitter: Jitter,
    /// The first wait; 200ms without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Span>,
    /// The longest wait; 10s without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_delay: Option<Span>,
    /// The longest that one attempt may take; 30s without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// When to stop calling for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit_breaker: Option<CircuitBreaker>,
}

/// How the wait between attempts grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Backoff {
    /// No wait.
    None,
    /// The same each time.
    Constant,
    /// By the same amount each time.
    Linear,
    /// Doubling.
    #[default]
    Exponential,
}

/// How the wait between attempts is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// Not at all.
    None,
    /// Anywhere from nothing to the whole wait.
    #[default]
    Full,
    /// Anywhere from half of the wait to the whole.
    Equal,
}

/// When to stop calling a failing service for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CircuitBreaker {
    /// After so many failures in a row.
    #[schemars(range(min = 1))]
    pub failures: u32,
    /// For so long.
    pub cool_down: Span,
}

/// The health check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// How often.
    #[serde(default = "half_a_minute")]
    pub interval: Span,
    /// Which endpoint, by name or `METHOD /path`; the first one without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// What must hold, in Gatus's grammar. Without any: `[STATUS] < 400`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// The longest that a check may take; that of `error_handling` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// How many failures in a row open an incident; 1 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub failures: Option<u32>,
    /// How many successes in a row end it; 1 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub successes: Option<u32>,
    /// `false` to leave it out for a while.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
}

fn half_a_minute() -> Span {
    Span::secs(30)
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

/// Where the service exposes Prometheus metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// The address, whole or under `base_url`.
    pub url: String,
    /// How often.
    #[serde(default = "quarter_minute")]
    pub interval: Span,
    /// How to authenticate there; not at all without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
}

fn quarter_minute() -> Span {
    Span::secs(15)
}

/// What the service promises.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slo {
    /// The share of checks that succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<Share>,
    /// The median latency of checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_p50: Option<Span>,
    /// The 95th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_p95: Option<Span>,
    /// The 99th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_p99: Option<Span>,
    /// The share of calls that fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<Share>,
}
