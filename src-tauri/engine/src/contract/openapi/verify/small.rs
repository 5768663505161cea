//! Making the request that shows a failure small.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    call::Payload,
    judge::Kind,
    ledger::Found,
    plan::In,
    run::{Outcome, Run},
    trial::Trial,
};
use crate::contract::generate::{Generator, candidates};
use patchbay_contracts::{contract::Check, integration::Method};

/// How many requests are sent to make one failure small, and for all failures of an operation.
const TRIES: (u32, u32) = (40, 160);
/// The same for all failures of an operation that deletes.
const DELETIONS: u32 = 24;

impl Run {
    /// Makes the requests of an operation's failures small.
    pub(super) async fn shrink(&self, op: usize) {
        let Some(operation) = self.ops.get(op) else { return };
        let failures = self.ledgers.of(op).map(|ledger| ledger.failures()).unwrap_or_default();
        // Each try of a deletion takes a resource.
        let mut left = if operation.method == Method::Delete { DELETIONS } else { TRIES.1 };
        for found in failures {
            // A slow answer is slow anyway.
            if matches!(found.finding.check, Check::Latency | Check::Reachable) || left == 0 {
                continue;
            }
            if let Some(trial) = found.trial.clone() {
                self.shrink_one(op, found, trial, &mut left).await;
            }
        }
    }

    async fn shrink_one(&self, op: usize, found: Found, trial: Trial, left: &mut u32) {
        let mut smallest: Option<(Trial, Outcome)> = None;
        let mut current = trial;
        let mut tries = TRIES.0.min(*left);
        'smaller: while tries > 0 && self.wire.ended().is_none() {
            for candidate in self.simpler(&current) {
                if tries == 0 {
                    break 'smaller;
                }
                (tries, *left) = (tries - 1, left.saturating_sub(1));
                let Some(candidate) = self.spare(candidate).await else { break 'smaller };
                let mut outcome = self.assess(&candidate).await;
                if found.finding.check == Check::Link {
                    let links = self.linked(&candidate, &outcome, Some(&found.finding.keyword)).await;
                    outcome.findings.extend(links.into_iter().flatten());
                }
                if outcome.findings.iter().any(|finding| finding.key() == found.finding.key()) {
                    current = candidate.clone();
                    smallest = Some((candidate, outcome));
                    continue 'smaller;
                }
            }
            break;
        }
        let Some((trial, outcome)) = smallest else { return };
        let finding = outcome.findings.iter().find(|finding| finding.key() == found.finding.key()).cloned();
        let shrunk = Found {
            finding: finding.unwrap_or(found.finding),
            trial: Some(trial),
            sent: outcome.sent(),
            status: outcome.status,
            times: found.times,
        };
        if let Some(mut ledger) = self.ledgers.of(op) {
            ledger.shrunk(shrunk);
        }
    }

    /// A try as it may be made: a deletion only of what was made for it. None where there is nothing to be deleted, or
    /// where it is the path itself that is tried.
    async fn spare(&self, trial: Trial) -> Option<Trial> {
        if self.ops.get(trial.call.op)?.method != Method::Delete {
            return Some(trial);
        }
        trial.instance.as_ref()?.collection?;
        if trial.kind == Kind::Unknown || trial.pointer.starts_with("path.") {
            return None;
        }
        let fresh = self.instance_for(trial.call.op).await.filter(|instance| instance.collection.is_some())?;
        let mut trial = trial;
        self.lead(&mut trial.call, &fresh);
        trial.instance = Some(fresh);
        Some(trial)
    }

    /// Requests that are simpler by one step and to the document what this one is.
    fn simpler(&self, trial: &Trial) -> Vec<Trial> {
        let Some(op) = self.ops.get(trial.call.op) else { return Vec::new() };
        let mut all = Vec::new();
        for (index, param) in op.params.iter().enumerate() {
            let special = trial.pointer.split_once('.').is_some_and(|(_, name)| name == param.name);
            let there = trial.call.params.get(index).is_some_and(Option::is_some);
            if there && !param.required && param.place != In::Path && !special {
                let mut smaller = trial.clone();
                if let Some(place) = smaller.call.params.get_mut(index) {
                    *place = None;
                }
                all.push(smaller);
            }
        }
        let Payload::Value(media, value) = &trial.call.payload else { return all };
        let Some(generator) =
            op.body.as_ref().and_then(|body| body.medias.get(*media)).and_then(|media| media.generator.as_ref())
        else {
            return all;
        };
        let wanted = deviations(generator, value);
        let alike = |candidate: &Value| match trial.kind {
            Kind::Negative if !trial.pointer.contains('.') => deviations(generator, candidate) == wanted,
            _ => generator.allows(candidate),
        };
        let bodies = candidates(value).into_iter().filter(alike).take(60);
        all.extend(bodies.map(|value| Trial { call: trial.call.with_value(value), ..trial.clone() }));
        all
    }
}

/// Where and by which keywords a value is invalid.
fn deviations(generator: &Generator, value: &Value) -> BTreeSet<(String, String)> {
    let place =
        |error: jsonschema::ValidationError<'_>| (error.instance_path().as_str().to_owned(), error.kind().keyword().to_owned());
    generator.validator().iter_errors(value).take(10).map(place).collect()
}
