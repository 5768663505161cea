//! Whether a service holds to its contract.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Place, Problem, Timestamp,
    probe::{SentRequest, Waterfall},
    run::Verdict,
};

/// What a contract run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContractReport {
    /// The integration.
    pub integration: String,
    /// The version of the contract.
    #[serde(default)]
    pub version: Option<String>,
    /// The file that holds the contract.
    pub file: String,
    /// The address that was called.
    pub base_url: String,
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub duration_ms: f64,
    /// Pass: each endpoint held. Fail: one did not. Inconclusive: one could not be called, and none failed.
    pub verdict: Verdict,
    /// Whether it was cancelled half-way.
    pub partial: bool,
    /// Each endpoint, in the order of the file.
    pub endpoints: Vec<EndpointResult>,
}

/// What one endpoint showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndpointResult {
    /// Its name.
    pub endpoint: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Each thing that was judged.
    pub checks: Vec<CheckResult>,
    /// What was sent, last attempt.
    #[serde(default)]
    pub request: Option<SentRequest>,
    /// The status that came.
    #[serde(default)]
    pub status: Option<u16>,
    /// The body that came, cut at 64 KiB.
    #[serde(default)]
    pub body: Option<String>,
    /// Where the time went, last attempt.
    #[serde(default)]
    pub timing: Waterfall,
    /// How many attempts it took.
    pub attempts: u32,
    /// Why it could not be called.
    #[serde(default)]
    pub problem: Option<Problem>,
}

/// What was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// The service could be called and answered.
    Reachable,
    /// The status.
    Status,
    /// A header.
    Header,
    /// The time that it took.
    Latency,
    /// A condition in Gatus's grammar.
    Condition,
    /// The request body against its schema, before it is sent.
    RequestSchema,
    /// The response body against its schema.
    ResponseSchema,
    /// A value to be captured for later endpoints.
    Capture,
}

impl Check {
    /// The name as reports show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reachable => "reachable",
            Self::Status => "status",
            Self::Header => "header",
            Self::Latency => "latency",
            Self::Condition => "condition",
            Self::RequestSchema => "request-schema",
            Self::ResponseSchema => "response-schema",
            Self::Capture => "capture",
        }
    }
}

/// One thing that was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// What.
    pub check: Check,
    /// Whether it held.
    pub verdict: Verdict,
    /// One sentence on it.
    pub message: String,
    /// The JSON pointer into the body (RFC 6901), where it is about the body; empty for the whole of it.
    #[serde(default)]
    pub pointer: Option<String>,
    /// What the contract asks.
    #[serde(default)]
    pub expected: Option<Value>,
    /// What came.
    #[serde(default)]
    pub actual: Option<Value>,
    /// Where the contract asks it.
    #[serde(default)]
    pub place: Option<Place>,
}

/// How far a contract run is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContractProgress {
    /// Endpoints that were judged.
    pub done: usize,
    /// Endpoints in all.
    pub total: usize,
    /// The newest result.
    #[serde(default)]
    pub latest: Option<EndpointResult>,
}
