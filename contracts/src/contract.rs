//! Whether a service holds to its contract.

mod check;
mod coverage;
mod options;
mod subject;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::{
    check::{Check, Severity},
    coverage::{Coverage, OperationCoverage},
    options::{ContractOptions, PactOptions},
    subject::{CheckedBy, ContractSubject, FileCheck},
};

use crate::{
    Place, Problem, Timestamp,
    probe::{SentRequest, Waterfall},
    run::Verdict,
};

/// What a contract run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContractReport {
    /// The integration, or the title of a document that belongs to none.
    pub integration: String,
    /// In which form the contract is written. `kind` itself is what tells a run's report from those of other runs.
    #[serde(default, rename = "contract_kind")]
    pub kind: ContractKind,
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
    /// Each endpoint, operation, interaction or message, in the order of the file.
    pub endpoints: Vec<EndpointResult>,
    /// What the generated requests were made from; the same seed makes the same requests.
    #[serde(default)]
    pub seed: Option<u64>,
    /// How much of the contract was seen.
    #[serde(default)]
    pub coverage: Option<Coverage>,
    /// Parts of the contract that could not be read or judged, each with its place.
    #[serde(default)]
    pub problems: Vec<Problem>,
    /// What deserves attention and is no failure: a time budget that ran out, an acceptance that has expired.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The file in which accepted failures of this contract are written down, whether it is there or not.
    #[serde(default)]
    pub accepted_file: Option<String>,
    /// What was run, so that it can be run again; unknown of runs that an older program stored, and of runs that are stored
    /// nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<ContractSubject>,
}

impl ContractReport {
    /// A report of nothing yet, of a contract of that kind in that file.
    pub fn new(kind: ContractKind, name: impl Into<String>, file: impl Into<String>) -> Self {
        Self {
            integration: name.into(),
            kind,
            version: None,
            file: file.into(),
            base_url: String::new(),
            at: 0,
            duration_ms: 0.0,
            verdict: Verdict::Inconclusive,
            partial: false,
            endpoints: Vec::new(),
            seed: None,
            coverage: None,
            problems: Vec::new(),
            notes: Vec::new(),
            accepted_file: None,
            subject: None,
        }
    }

    /// Makes the verdict what its endpoints come to: a run that judged nothing, left a part of the contract unjudged or
    /// was cancelled is no pass.
    pub fn conclude(&mut self) {
        self.verdict = match Verdict::of(self.endpoints.iter().map(|endpoint| endpoint.verdict)) {
            Verdict::Pass if self.partial || self.endpoints.is_empty() || !self.problems.is_empty() => Verdict::Inconclusive,
            verdict => verdict,
        };
    }
}

/// In which form a contract is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContractKind {
    /// An integration file of Patchbay's own.
    #[default]
    Patchbay,
    /// OpenAPI 3.0 or 3.1.
    Openapi,
    /// Swagger 2.0.
    Swagger,
    /// Pact, versions 1 to 4.
    Pact,
    /// A JSON Schema of one kind of document.
    JsonSchema,
    /// AsyncAPI 2 or 3.
    Asyncapi,
    /// A message contract of Patchbay's own.
    Messages,
}

impl ContractKind {
    /// The name as reports show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patchbay => "Patchbay",
            Self::Openapi => "OpenAPI",
            Self::Swagger => "Swagger",
            Self::Pact => "Pact",
            Self::JsonSchema => "JSON Schema",
            Self::Asyncapi => "AsyncAPI",
            Self::Messages => "messages",
        }
    }
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
    /// How many requests or messages it was judged by.
    #[serde(default = "one")]
    pub cases: u32,
}

fn one() -> u32 {
    1
}

impl EndpointResult {
    /// A result without anything judged yet.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            verdict: Verdict::Inconclusive,
            checks: Vec::new(),
            request: None,
            status: None,
            body: None,
            timing: Waterfall::default(),
            attempts: 0,
            problem: None,
            cases: 0,
        }
    }

    /// Makes the verdict what its checks come to. Nothing judged is no pass.
    pub fn conclude(&mut self) {
        self.verdict = match self.checks.is_empty() {
            true => Verdict::Inconclusive,
            false => Verdict::of(self.checks.iter().map(CheckResult::weight)),
        };
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
    /// How much it weighs. A warning that doesn't hold fails no run.
    #[serde(default)]
    pub severity: Severity,
    /// The smallest request that shows it, where it isn't that of the whole endpoint.
    #[serde(default)]
    pub request: Option<SentRequest>,
    /// The status that this request brought.
    #[serde(default)]
    pub status: Option<u16>,
    /// Why a failure is put up with, and until when. It fails no run then.
    #[serde(default)]
    pub accepted: Option<Accepted>,
}

impl CheckResult {
    /// What was judged, whether it held, and one sentence on it.
    pub fn new(check: Check, verdict: Verdict, message: impl Into<String>) -> Self {
        Self {
            check,
            verdict,
            message: message.into(),
            pointer: None,
            expected: None,
            actual: None,
            place: None,
            severity: check.severity(),
            request: None,
            status: None,
            accepted: None,
        }
    }

    /// What it adds to the verdict of its endpoint: a warning or an accepted failure adds nothing bad.
    pub fn weight(&self) -> Verdict {
        match self.verdict {
            Verdict::Fail if self.severity == Severity::Warning || self.accepted.is_some() => Verdict::Pass,
            verdict => verdict,
        }
    }
}

/// A failure that somebody has decided to put up with for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Why.
    pub reason: String,
    /// The last day on which it is put up with, such as `2027-01-31` (UTC).
    pub until: String,
    /// Where that is written.
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
    /// All results since the update before. A later result of the same endpoint takes the place of an earlier one.
    #[serde(default)]
    pub results: Vec<EndpointResult>,
}
