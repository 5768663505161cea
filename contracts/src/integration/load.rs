//! How an integration is put under load: the workload, its pace, its requests and what must hold.

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{is_yes, yes};
use crate::units::{BadQuantity, Rate, Span};

/// How to put an integration under load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadSpec {
    /// Who decides when the next request goes out.
    #[serde(default)]
    pub executor: Executor,
    /// Which endpoint, by name or `METHOD /path`; the first one without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Several endpoints, of which each request takes one, by weight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mix: Vec<Weighted>,
    /// Several endpoints that each user calls in order, with what they capture on the way. One round is an iteration, and
    /// an arrival rate is one of iterations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
    /// Endpoints that are called once before the run; what they capture is known to the requests of the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub setup: Vec<String>,
    /// Endpoints that are called once after the run, also where it failed or was cancelled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teardown: Vec<String>,
    /// Files with a value for each user or request, as CSV with a head line or as a JSON array of objects. Requests refer
    /// to a column as `${column}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<DataFeed>,
    /// Requests to start in a time, for an arrival-rate executor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// Connections: how many work at once, or for an arrival-rate executor the most that may be open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub connections: Option<u32>,
    /// Requests that are under way at once on each connection; more than 1 over HTTP/2 only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub streams: Option<u32>,
    /// Where a ramping executor leads, one stage after the other: to a rate or to a number of connections.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// How long; the sum of the stages where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<Span>,
    /// After so many iterations the run is over, if it isn't before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub iterations: Option<u64>,
    /// How arrivals are spaced.
    #[serde(default, skip_serializing_if = "is_default")]
    pub spacing: Spacing,
    /// How long a user waits between an answer and the next request of a closed workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub think_time: Option<SpanRange>,
    /// How fast connections are opened at the start; as fast as they can be without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_rate: Option<Rate>,
    /// The first part of the run, left out of the figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<Span>,
    /// The longest that one request may take; that of `error_handling` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// How long to wait, once no more requests go out, for the answers to those that did; 5s without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<Span>,
    /// `false` for a new connection for each request.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub keep_alive: bool,
    /// `false` for a whole TLS handshake on each connection, in place of taking up an earlier session.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub session_reuse: bool,
    /// The protocol.
    #[serde(default, skip_serializing_if = "is_default")]
    pub protocol: Protocol,
    /// What random choices are made from; the same seed makes the same ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What must hold at the end, such as `p95 < 500ms`, `errors < 0.1%`, `rate > 100/s`, for one endpoint
    /// `create order: p95 < 500ms`, in each window of a time `errors < 1% over 10s`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<String>,
    /// After so long a run ends as soon as a threshold can't be held any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_after: Option<Span>,
}

impl Default for LoadSpec {
    fn default() -> Self {
        Self {
            executor: Executor::default(),
            endpoint: None,
            mix: Vec::new(),
            chain: Vec::new(),
            setup: Vec::new(),
            teardown: Vec::new(),
            data: Vec::new(),
            rate: None,
            connections: None,
            streams: None,
            stages: Vec::new(),
            duration: None,
            iterations: None,
            spacing: Spacing::default(),
            think_time: None,
            connect_rate: None,
            warm_up: None,
            timeout: None,
            grace: None,
            keep_alive: true,
            session_reuse: true,
            protocol: Protocol::default(),
            seed: None,
            thresholds: Vec::new(),
            abort_after: None,
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Who decides when the next request goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Executor {
    /// Closed: each connection sends its next request when the last was answered.
    #[default]
    ConstantConnections,
    /// Closed, with a number of connections that follows the stages.
    RampingConnections,
    /// Open: requests start at a rate, whatever the service does.
    ConstantArrivalRate,
    /// Open, with a rate that follows the stages.
    RampingArrivalRate,
}

impl Executor {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::ConstantConnections, Self::RampingConnections, Self::ConstantArrivalRate, Self::RampingArrivalRate];

    /// The name as files have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConstantConnections => "constant-connections",
            Self::RampingConnections => "ramping-connections",
            Self::ConstantArrivalRate => "constant-arrival-rate",
            Self::RampingArrivalRate => "ramping-arrival-rate",
        }
    }

    /// Whether requests start at a rate, whatever the service does.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::ConstantArrivalRate | Self::RampingArrivalRate)
    }

    /// Whether it follows stages.
    pub const fn is_ramping(self) -> bool {
        matches!(self, Self::RampingConnections | Self::RampingArrivalRate)
    }
}

/// How arrivals are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Spacing {
    /// Evenly.
    #[default]
    Even,
    /// By a Poisson process, as independent users arrive.
    Poisson,
}

/// What requests are sent over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    #[serde(rename = "http/1.1")]
    Http1,
    /// HTTP/2: agreed on within TLS, and without TLS taken for granted.
    #[serde(rename = "http/2")]
    Http2,
    /// WebSocket: a message is the request, and the next message that comes is its answer.
    #[serde(rename = "websocket")]
    WebSocket,
}

impl Protocol {
    /// The name as files have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "http/1.1",
            Self::Http2 => "http/2",
            Self::WebSocket => "websocket",
        }
    }
}

/// An endpoint of a mix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Weighted {
    /// Its name, or `METHOD /path`.
    pub endpoint: String,
    /// How often, beside the others of the mix.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub weight: u32,
}

const fn one() -> u32 {
    1
}

/// A file with values for requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataFeed {
    /// The file, relative to the integration's: CSV with a head line, or JSON with an array of objects.
    pub file: String,
    /// Which row an iteration takes.
    #[serde(default)]
    pub order: FeedOrder,
}

/// Which row of a data file an iteration takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FeedOrder {
    /// One after the other, and again from the first.
    #[default]
    Sequential,
    /// Any of them.
    Random,
    /// One after the other; with the last of them the run is over.
    Once,
}

/// A stage of a ramping executor.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Where it leads, in a straight line from where the stage before ended; the first begins at `rate` or `connections`,
    /// or at nothing.
    pub to: Level,
    /// How long it takes; at once with 0s.
    pub over: Span,
}

/// A rate, or a number of connections.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Level {
    /// Such as `200/s`.
    Rate(Rate),
    /// Such as `50`.
    Connections(u32),
}

impl FromStr for Level {
    type Err = BadQuantity;

    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        if text.contains('/') {
            return text.parse().map(Self::Rate);
        }
        text.trim().parse().map(Self::Connections).map_err(|_| {
            BadQuantity(format!("`{text}` is neither a rate nor a number of connections; write 200/s for one, 50 for the other"))
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(rate) => rate.fmt(f),
            Self::Connections(count) => count.fmt(f),
        }
    }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Rate(rate) => rate.serialize(serializer),
            Self::Connections(count) => count.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Count(u32),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Count(count) => Ok(Self::Connections(count)),
            Written::Text(text) => text.parse().map_err(de::Error::custom),
        }
    }
}

impl JsonSchema for Level {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Level".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "oneOf": [
                { "type": "integer", "minimum": 0, "description": "A number of connections" },
                { "type": "string", "pattern": r"^\s*[0-9.]+\s*/\s*(s|sec|second|m|min|minute|h|hour|d|day)\s*$",
                  "description": "A rate, such as 200/s" }
            ]
        })
    }
}

/// A time, or two between which any is taken: `1s`, `500ms..2s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanRange {
    /// The shortest.
    pub from: Span,
    /// The longest.
    pub to: Span,
}

impl FromStr for SpanRange {
    type Err = BadQuantity;

    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        let (from, to) = match text.split_once("..") {
            Some((from, to)) => (from.parse()?, to.parse()?),
            None => {
                let span = text.parse()?;
                (span, span)
            }
        };
        if from > to {
            return Err(BadQuantity(format!("`{text}` begins with the longer time; write the shorter one first")));
        }
        Ok(Self { from, to })
    }
}

impl fmt::Display for SpanRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to { self.from.fmt(f) } else { write!(f, "{}..{}", self.from, self.to) }
    }
}

impl Serialize for SpanRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SpanRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for SpanRange {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SpanRange".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "A time such as 1s, or two between which any is taken, such as 500ms..2s" })
    }
}

/// What no load run of an integration may exceed, whatever is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadLimits {
    /// The highest rate of iterations; a closed workload, which has no rate of its own, is refused where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// The most connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<u32>,
    /// The longest run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<Span>,
}

/// What belongs to one start of a run and not to a file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LoadOptions {
    /// Whether a host that is neither loopback nor private may be put under load. Asked once for each host.
    pub confirmed: bool,
    /// A stored run that this one is compared with.
    pub baseline: Option<i64>,
    /// A port of the loopback address at which the run can be scraped as OpenMetrics while it goes on; 0 for any.
    pub metrics_port: Option<u16>,
}
