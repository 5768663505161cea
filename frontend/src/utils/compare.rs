//! Two contract runs beside each other: what has begun to fail, what has ceased to, and what is new.

use std::collections::{BTreeMap, BTreeSet};

use patchbay_contracts::{contract::Check, run::Verdict};

use super::matrix::{Judged, Outcome};

/// What became of an operation, or of one of its checks, since an earlier run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It failed neither then nor now.
    Steady,
    /// The earlier run did not have it.
    New,
    /// It fails as it did.
    StillFailing,
    /// It failed, and holds now.
    Fixed,
    /// It did not fail, and does now.
    NewlyFailed,
}

impl Change {
    /// Those that are worth a word, the gravest first.
    pub const ALL: [Self; 4] = [Self::NewlyFailed, Self::Fixed, Self::StillFailing, Self::New];

    /// The words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Steady => "as before",
            Self::New => "new",
            Self::StillFailing => "still failing",
            Self::Fixed => "fixed",
            Self::NewlyFailed => "newly failed",
        }
    }

    const fn of(before: bool, now: bool) -> Self {
        match (before, now) {
            (true, true) => Self::StillFailing,
            (true, false) => Self::Fixed,
            (false, true) => Self::NewlyFailed,
            (false, false) => Self::Steady,
        }
    }
}

/// What became of each operation since an earlier run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    operations: BTreeMap<String, Change>,
    checks: BTreeMap<(String, Check), Change>,
    /// Operations of the earlier run that this one did not judge.
    pub missing: Vec<String>,
}

impl Comparison {
    /// What became of an operation.
    pub fn operation(&self, label: &str) -> Change {
        self.operations.get(label).copied().unwrap_or(Change::Steady)
    }

    /// What became of a check of an operation. Of an operation that is new, nothing did.
    pub fn check(&self, label: &str, check: Check) -> Change {
        self.checks.get(&(label.to_owned(), check)).copied().unwrap_or(Change::Steady)
    }

    /// Of how many operations that became.
    pub fn count(&self, change: Change) -> usize {
        self.operations.values().filter(|own| **own == change).count()
    }
}

/// What became of the operations and checks of an earlier run. An operation that could not be judged now is neither fixed
/// nor newly failed.
pub fn compare(before: &[Judged], now: &[Judged]) -> Comparison {
    let earlier: BTreeMap<&str, &Judged> = before.iter().map(|one| (one.endpoint.as_str(), one)).collect();
    let mut comparison = Comparison::default();
    let mut present = BTreeSet::new();
    for one in now {
        present.insert(one.endpoint.as_str());
        let Some(then) = earlier.get(one.endpoint.as_str()) else {
            comparison.operations.insert(one.endpoint.clone(), Change::New);
            continue;
        };
        let change = match one.verdict {
            Verdict::Inconclusive => Change::Steady,
            verdict => Change::of(then.verdict == Verdict::Fail, verdict == Verdict::Fail),
        };
        comparison.operations.insert(one.endpoint.clone(), change);
        let (failed_then, failed_now) = (failing(then), failing(one));
        for (check, fails) in &failed_now {
            let change = Change::of(failed_then.get(check).copied().unwrap_or(false), *fails);
            comparison.checks.insert((one.endpoint.clone(), *check), change);
        }
    }
    comparison.missing =
        before.iter().filter(|one| !present.contains(one.endpoint.as_str())).map(|one| one.endpoint.clone()).collect();
    comparison
}

/// Each check that was judged, and whether it failed.
fn failing(result: &Judged) -> BTreeMap<Check, bool> {
    let mut found = BTreeMap::new();
    for check in &result.checks {
        *found.entry(check.check).or_insert(false) |= Outcome::of(check) == Outcome::Failed;
    }
    found
}
