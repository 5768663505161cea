//! What was judged and found of each operation, gathered until the end of a run.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use indexmap::IndexMap;
use patchbay_contracts::{
    Problem,
    contract::{Check, CheckResult, EndpointResult},
    probe::SentRequest,
    run::Verdict,
};

use super::{judge::Finding, trial::Trial};
use crate::contract::validate::bounded;

/// The most failures of one check and operation that are told one by one.
const MOST: usize = 12;

/// The ledgers of all operations.
#[derive(Debug)]
pub(super) struct Ledgers(Vec<Mutex<Ledger>>);

impl Ledgers {
    pub(super) fn new(operations: usize) -> Self {
        Self((0..operations).map(|_| Mutex::default()).collect())
    }

    /// The ledger of an operation.
    pub(super) fn of(&self, op: usize) -> Option<MutexGuard<'_, Ledger>> {
        self.0.get(op).map(|ledger| ledger.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What was judged and found of one operation.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// How many answers each check was made of.
    judged: BTreeMap<Check, u32>,
    found: IndexMap<(Check, String, String), Found>,
    /// Checks that could not be made, and why.
    open: IndexMap<(Check, String), ()>,
    pub(super) cases: u32,
    /// The first exchange, for the head of the result.
    pub(super) first: Option<(SentRequest, Option<u16>, Option<String>, f64)>,
    pub(super) problem: Option<Problem>,
    /// Statuses that came.
    pub(super) statuses: BTreeMap<u16, u32>,
}

/// A failure, what shows it, and how often it was seen.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) finding: Finding,
    pub(super) trial: Option<Trial>,
    pub(super) sent: Option<SentRequest>,
    pub(super) status: Option<u16>,
    pub(super) times: u32,
}

impl Ledger {
    /// Counts a check that was made.
    pub(super) fn judged(&mut self, check: Check) {
        *self.judged.entry(check).or_default() += 1;
    }

    /// Keeps a failure. The first that shows it is kept.
    pub(super) fn found(&mut self, found: Found) {
        let check = found.finding.check;
        self.judged.entry(check).or_default();
        let same = self.found.keys().filter(|(known, ..)| *known == check).count();
        match self.found.entry(found.finding.key()) {
            indexmap::map::Entry::Occupied(mut entry) => entry.get_mut().times += 1,
            indexmap::map::Entry::Vacant(entry) if same < MOST => {
                entry.insert(found);
            }
            indexmap::map::Entry::Vacant(_) => {}
        }
    }

    /// Notes a check that could not be made.
    pub(super) fn open(&mut self, check: Check, why: impl Into<String>) {
        self.open.insert((check, why.into()), ());
    }

    /// There is no service to be judged.
    pub(super) fn unreachable(&mut self, problem: Problem) {
        self.judged.clear();
        self.found.clear();
        self.open(Check::Reachable, problem.what.clone());
        self.problem = Some(problem);
    }

    /// Takes a failure back that was none.
    pub(super) fn withdraw(&mut self, finding: &Finding) {
        self.found.shift_remove(&finding.key());
    }

    /// Drops failures that only repeat another: where the ordinary request is refused or breaks the service, so do others.
    pub(super) fn settle(&mut self) {
        for check in [Check::ValidRejected, Check::ServerError] {
            let ordinary = |found: &Found| found.trial.as_ref().is_some_and(|trial| trial.keyword == "ordinary");
            let plain = self.found.values().any(|found| found.finding.check == check && ordinary(found));
            if plain {
                self.found.retain(|_, found| found.finding.check != check || ordinary(found));
                continue;
            }
            // A random value has most likely only met by chance what another was made to show.
            let random = |found: &Found| {
                let whole = |trial: &Trial| trial.pointer.is_empty() && matches!(trial.keyword, "random" | "properties");
                found.trial.as_ref().is_some_and(whole)
            };
            if self.found.values().any(|found| found.finding.check == check && !random(found)) {
                self.found.retain(|_, found| found.finding.check != check || !random(found));
            }
        }
    }

    /// The failures, to be made small.
    pub(super) fn failures(&self) -> Vec<Found> {
        self.found.values().cloned().collect()
    }

    /// Puts a smaller request in the place of the one that showed a failure.
    pub(super) fn shrunk(&mut self, found: Found) {
        if let Some(known) = self.found.get_mut(&found.finding.key()) {
            *known = Found { times: known.times, ..found };
        }
    }

    /// The result of the operation. `finish` puts the last touches on a failure: its place and its weight.
    pub(super) fn conclude(&self, label: &str, finish: impl Fn(CheckResult, &Finding) -> CheckResult) -> EndpointResult {
        let mut result = EndpointResult::new(label);
        result.cases = self.cases;
        result.attempts = self.cases;
        if let Some((sent, status, body, ms)) = &self.first {
            (result.request, result.status, result.body) = (Some(sent.clone()), *status, body.clone());
            result.timing.total_ms = *ms;
        }
        result.problem.clone_from(&self.problem);
        for check in Check::ALL {
            let failures: Vec<&Found> = self.found.values().filter(|found| found.finding.check == *check).collect();
            for found in &failures {
                result.checks.push(finish(failure(found), &found.finding));
            }
            for ((_, why), ()) in self.open.iter().filter(|((open, _), ())| open == check) {
                result.checks.push(CheckResult::new(*check, Verdict::Inconclusive, why.clone()));
            }
            if let (true, Some(times)) = (failures.is_empty(), self.judged.get(check)) {
                result.checks.push(CheckResult::new(*check, Verdict::Pass, passed(*check, *times)));
            }
        }
        result.conclude();
        result
    }
}

fn failure(found: &Found) -> CheckResult {
    let Finding { check, severity, pointer, message, expected, actual, .. } = &found.finding;
    let often = if found.times > 1 { format!(" ({} times)", found.times) } else { String::new() };
    CheckResult {
        pointer: Some(pointer.clone()),
        expected: expected.as_ref().map(bounded),
        actual: actual.as_ref().map(bounded),
        severity: *severity,
        request: found.sent.clone(),
        status: found.status,
        ..CheckResult::new(*check, Verdict::Fail, format!("{message}{often}"))
    }
}

fn passed(check: Check, times: u32) -> String {
    let answers = if times == 1 { "1 answer".to_owned() } else { format!("{times} answers") };
    match check {
        Check::InvalidAccepted => format!("Invalid input was refused: {answers}"),
        Check::ValidRejected => format!("Valid input was taken: {answers}"),
        Check::AuthIgnored => format!("Without a proper credential it was refused: {answers}"),
        other => format!("It held: {answers} ({})", other.as_str()),
    }
}
