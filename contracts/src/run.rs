//! Runs: what was done, when, with what outcome.

use serde::{Deserialize, Serialize};

use crate::{
    Code, Problem, Timestamp,
    contract::{ContractProgress, ContractReport, ContractSubject},
    load::{LoadProgress, LoadReport},
    probe::ProbeReport,
};

/// The outcome of a run or of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// It could not be judged; never a pass.
    Inconclusive,
}

impl Verdict {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// The outcome of several: one failure fails all, and one without a judgement leaves all without.
    pub fn of(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().fold(Self::Pass, |sum, next| match (sum, next) {
            (Self::Fail, _) | (_, Self::Fail) => Self::Fail,
            (Self::Inconclusive, _) | (_, Self::Inconclusive) => Self::Inconclusive,
            _ => Self::Pass,
        })
    }
}

/// What kind of run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunKind {
    /// One exchange.
    Probe,
    /// A contract run.
    Contract,
    /// A load run.
    Load,
}

impl RunKind {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::Contract => "contract",
            Self::Load => "load",
        }
    }
}

/// A stored run's number, unique in the database.
pub type RunId = i64;

/// A run in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its number.
    pub id: RunId,
    /// The integration, where it belongs to one.
    #[serde(default)]
    pub integration: Option<String>,
    /// The kind.
    pub kind: RunKind,
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub duration_ms: f64,
    /// The outcome.
    pub verdict: Verdict,
    /// Whether it was cancelled half-way.
    pub partial: bool,
    /// One line on what came out.
    pub headline: String,
}

/// A run with all that it found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its line in the list.
    pub summary: RunSummary,
    /// What it found.
    pub report: Report,
}

/// What a run found, by kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[allow(clippy::large_enum_variant, reason = "one is held at a time")]
pub enum Report {
    /// One exchange.
    Probe(ProbeReport),
    /// A contract run.
    Contract(ContractReport),
    /// A load run.
    Load(LoadReport),
}

impl Report {
    /// The integration that was run, where it belongs to one. A load run against a bare address belongs to none.
    pub fn integration(&self) -> Option<&str> {
        match self {
            Self::Probe(report) => report.integration.as_deref(),
            // Files that are checked by themselves belong to none, whatever their contract is called.
            Self::Contract(report) if matches!(report.subject, Some(ContractSubject::Files { .. })) => None,
            Self::Contract(report) => Some(&report.integration),
            // An address has this mark, and the name of an integration can't.
            Self::Load(report) => Some(report.target.as_str()).filter(|target| !target.contains("://")),
        }
    }

    /// The kind of run.
    pub const fn kind(&self) -> RunKind {
        match self {
            Self::Probe(_) => RunKind::Probe,
            Self::Contract(_) => RunKind::Contract,
            Self::Load(_) => RunKind::Load,
        }
    }

    /// When it began.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Probe(report) => report.at,
            Self::Contract(report) => report.at,
            Self::Load(report) => report.at,
        }
    }

    /// The outcome. A probe passes with a whole answer of a status below 400, fails with any other answer that is whole,
    /// and is inconclusive without one.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Probe(report) => match (&report.response, &report.problem) {
                (Some(response), None) if response.status < 400 => Verdict::Pass,
                (Some(_), None) => Verdict::Fail,
                _ => Verdict::Inconclusive,
            },
            Self::Contract(report) => report.verdict,
            Self::Load(report) => report.verdict,
        }
    }

    /// Whether it was cancelled half-way.
    pub fn partial(&self) -> bool {
        match self {
            Self::Probe(report) => report.problem.as_ref().is_some_and(|problem| problem.code == Code::Cancelled),
            Self::Contract(report) => report.partial,
            Self::Load(report) => report.partial,
        }
    }
}

/// A running job's number, unique within the program's life.
pub type JobId = u64;

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Progress {
    /// A contract run.
    Contract(ContractProgress),
    /// A load run.
    Load(Box<LoadProgress>),
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Finished {
    /// With a result, stored under this number.
    Stored {
        /// The run.
        run: RunSummary,
    },
    /// Without one.
    Failed {
        /// Why.
        problem: Problem,
    },
}

/// A job that is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// The kind.
    pub kind: RunKind,
    /// The integration or the address.
    pub target: String,
    /// When it began.
    pub at: Timestamp,
    /// Where it can be scraped as OpenMetrics while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<String>,
}
