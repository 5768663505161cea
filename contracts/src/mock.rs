//! Mocks of contracts, as this program runs them.

use serde::{Deserialize, Serialize};

use crate::{Problem, Timestamp, contract::ContractKind, sample::Faults};

/// The credential that a mock takes which the window started: it guards nothing.
pub const MOCK_TOKEN: &str = "patchbay-mock";

/// A mock that runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MockState {
    /// Its number, unique within the program's life.
    pub id: u64,
    /// The contract that it serves.
    pub file: String,
    /// In which form that is written.
    pub kind: ContractKind,
    /// Where it answers: `http://127.0.0.1:PORT`.
    pub url: String,
    /// What it does wrong.
    pub faults: Faults,
    /// The last requests that came, the newest last; at most 1,000.
    pub requests: Vec<MockRequest>,
    /// Parts of the contract that can't be served.
    pub problems: Vec<Problem>,
}

/// A request that a mock was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MockRequest {
    /// When it came.
    pub at: Timestamp,
    /// The method.
    pub method: String,
    /// The path with its query, cut at 2,000 characters.
    pub path: String,
    /// The status that it was answered with.
    pub status: u16,
    /// How long the answer took.
    pub duration_ms: f64,
}
