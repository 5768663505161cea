//! Health over time: checks, uptime, incidents.

use serde::{Deserialize, Serialize};

use crate::{Problem, Timestamp};

/// How an integration does, in the order of trust: an icon, a word, a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The last check held, and so do the promises.
    Healthy,
    /// The last check held, and a promise (latency, error rate, availability) does not; or it failed fewer times in a
    /// row than opens an incident.
    Degraded,
    /// An incident is open.
    Down,
    /// No check within the last three intervals, or none at all.
    Unobserved,
}

impl Status {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Unobserved => "unobserved",
        }
    }
}

/// One health check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// The integration.
    pub integration: String,
    /// When it began.
    pub at: Timestamp,
    /// Whether all conditions held.
    pub healthy: bool,
    /// How long the answer took.
    #[serde(default)]
    pub latency_ms: Option<f64>,
    /// The status that came.
    #[serde(default)]
    pub http_status: Option<u16>,
    /// Each condition.
    pub conditions: Vec<ConditionResult>,
    /// Why there was no answer.
    #[serde(default)]
    pub problem: Option<Problem>,
    /// Until when the certificate is valid, over TLS.
    #[serde(default)]
    pub certificate_not_after: Option<Timestamp>,
}

/// A condition and how it came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConditionResult {
    /// As it was written.
    pub text: String,
    /// Whether it held.
    pub holds: bool,
    /// The same with the values in place: `503 == 200`.
    pub resolved: String,
}

/// Health within a range of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthHistory {
    /// The integration.
    pub integration: String,
    /// The range.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// The share of checks that held; `None` without any.
    pub uptime: Option<f64>,
    /// The share of the range that was observed.
    pub observed: f64,
    /// Checks within the range.
    pub checks: u64,
    /// Latency and failures by slice of time; slices without a check are left out.
    pub slices: Vec<HealthSlice>,
    /// What held from when to when, unobserved time included.
    pub segments: Vec<Segment>,
    /// The newest checks, newest first, at most 100.
    pub latest: Vec<HealthCheck>,
    /// The promises and how they hold in this range.
    pub slo: Vec<SloResult>,
}

/// A slice of time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HealthSlice {
    /// Its start.
    pub at: Timestamp,
    /// Its width.
    pub width_ms: i64,
    /// Checks in it.
    pub checks: u32,
    /// Failures in it.
    pub failures: u32,
    /// Latency quantiles of answered checks; `None` without any.
    pub p50_ms: Option<f64>,
    /// 95th percentile.
    pub p95_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
}

/// A stretch of time in one status.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// From.
    pub from: Timestamp,
    /// Until.
    pub to: Timestamp,
    /// The status: healthy, down or unobserved.
    pub status: Status,
}

/// A promise and how it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SloResult {
    /// `availability`, `latency p95`, `error rate`.
    pub name: String,
    /// What was promised, with its unit.
    pub target: String,
    /// What was measured, with its unit; `None` without data.
    pub actual: Option<String>,
    /// Whether it holds; `None` without data.
    pub holds: Option<bool>,
}

/// A stretch of failure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Its number.
    pub id: i64,
    /// The integration.
    pub integration: String,
    /// When the first failing check began.
    pub opened: Timestamp,
    /// When the first check that held again began.
    #[serde(default)]
    pub ended: Option<Timestamp>,
    /// Failing checks in it.
    pub failures: u64,
    /// The first failure, in a sentence.
    pub cause: String,
}
