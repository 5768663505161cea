//! How much of a contract a run has seen.

use serde::{Deserialize, Serialize};

/// What was seen of the whole contract.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// Each operation, in the order of the contract.
    pub operations: Vec<OperationCoverage>,
}

/// What was seen of one operation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct OperationCoverage {
    /// The operation, by the name that its result carries.
    pub operation: String,
    /// Whether it was called.
    pub called: bool,
    /// Documented statuses that came: `200`, `4XX`, `default`.
    pub statuses_seen: Vec<String>,
    /// Documented statuses that did not come.
    pub statuses_unseen: Vec<String>,
    /// How many documented response fields came, each JSON pointer pattern counted once.
    pub fields_seen: u32,
    /// Documented response fields that did not come, as JSON pointers with `*` for any element; at most 100.
    pub fields_unseen: Vec<String>,
}

impl Coverage {
    /// Operations called, and operations in all.
    pub fn operations(&self) -> (usize, usize) {
        (self.operations.iter().filter(|operation| operation.called).count(), self.operations.len())
    }

    /// Documented statuses seen, and in all.
    pub fn statuses(&self) -> (usize, usize) {
        let seen: usize = self.operations.iter().map(|operation| operation.statuses_seen.len()).sum();
        let unseen: usize = self.operations.iter().map(|operation| operation.statuses_unseen.len()).sum();
        (seen, seen + unseen)
    }

    /// Documented response fields seen, and in all.
    pub fn fields(&self) -> (usize, usize) {
        let seen: usize = self.operations.iter().map(|operation| operation.fields_seen as usize).sum();
        let unseen: usize = self.operations.iter().map(|operation| operation.fields_unseen.len()).sum();
        (seen, seen + unseen)
    }
}
