//! A run under way: what is known, what was made, and one trial after the other.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use patchbay_contracts::{
    Problem,
    contract::{Check, Severity},
    integration::Method,
    probe::SentRequest,
};
use serde_json::{Value, json};

use super::{
    call::Call,
    coverage::Seen,
    judge::{Finding, Judged, Kind, judge},
    ledger::{Found, Ledgers},
    plan::Op,
    resources::{Collection, Instance},
    trial::Trial,
    wire::{Came, Wire},
};
use crate::{Result, http::Exchanged};

/// The most of a body that a result holds, in bytes.
const BODY: usize = 64 * 1024;
/// The most resources that are kept in mind.
const MOST_INSTANCES: usize = 2000;
/// How often a slow answer is asked for again.
const REPEATS: u32 = 3;
/// The keyword of trials that send what is only ever read.
pub(super) const READ_ONLY: &str = "readOnly";

/// A run.
pub(super) struct Run {
    pub(super) ops: Vec<Op>,
    pub(super) collections: Vec<Collection>,
    pub(super) wire: Wire,
    pub(super) ledgers: Ledgers,
    pub(super) seed: u64,
    pub(super) seen: Mutex<Vec<Seen>>,
    instances: Mutex<Vec<Instance>>,
    /// Resources that others refer to, by their collection; nothing is done to them.
    anchors: Mutex<BTreeMap<usize, Instance>>,
    numbers: Vec<AtomicU64>,
}

tokio::task_local! {
    /// The operation that is being tried.
    static TRIED: usize;
}

/// How far the numbers of two operations are apart.
const APART: u64 = 100_000;

/// What came of a trial.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) status: Option<u16>,
    pub(super) exchanged: Option<Box<Exchanged>>,
    pub(super) judged: Vec<Check>,
    pub(super) findings: Vec<Finding>,
    pub(super) problem: Option<Problem>,
    /// What it has made.
    pub(super) made: Option<Instance>,
    /// Whether it was not sent at all.
    pub(super) unsent: bool,
}

impl Outcome {
    /// Whether it was taken.
    pub(super) fn accepted(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    pub(super) fn body(&self) -> Option<&Value> {
        self.exchanged.as_ref()?.answer.as_ref()?.body.json.as_ref()
    }

    pub(super) fn sent(&self) -> Option<SentRequest> {
        self.exchanged.as_ref().map(|exchanged| exchanged.sent())
    }

    fn take(&mut self, judged: Judged) {
        self.judged.extend(judged.checks);
        self.findings.extend(judged.findings);
    }

    pub(super) fn judge(&mut self, check: Check, finding: Option<Finding>) {
        self.judged.push(check);
        self.findings.extend(finding);
    }
}

impl Run {
    pub(super) fn new(ops: Vec<Op>, collections: Vec<Collection>, wire: Wire, seed: u64) -> Self {
        let seen = ops.iter().map(|_| Seen::default()).collect();
        let ledgers = Ledgers::new(ops.len());
        let numbers = (0..=ops.len()).map(|_| AtomicU64::new(1)).collect();
        Self {
            ops,
            collections,
            wire,
            ledgers,
            seed,
            seen: Mutex::new(seen),
            instances: Mutex::default(),
            anchors: Mutex::default(),
            numbers,
        }
    }

    /// The resources that were made and not deleted yet, as far as is known.
    pub(super) fn standing(&self) -> MutexGuard<'_, Vec<Instance>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The resources that others refer to.
    pub(super) fn anchors(&self) -> MutexGuard<'_, BTreeMap<usize, Instance>> {
        self.anchors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn remember(&self, instance: Instance) {
        let mut standing = self.standing();
        if standing.len() < MOST_INSTANCES {
            standing.push(instance);
        }
    }

    pub(super) fn forget(&self, instance: &Instance) {
        self.standing().retain(|known| known != instance);
    }

    /// A number that no other request of the run has, and that doesn't depend on what other operations do meanwhile.
    pub(super) fn next_number(&self) -> u64 {
        let tried = TRIED.try_with(|tried| *tried).unwrap_or(self.ops.len());
        let count = self.numbers.get(tried).map_or(0, |number| number.fetch_add(1, Ordering::Relaxed));
        tried as u64 * APART + count
    }

    /// Tries everything of an operation.
    pub(super) async fn tried(&self, op: usize) {
        TRIED.scope(op, self.operation(op)).await;
    }

    /// Sends a request that is judged by nobody: it prepares something.
    pub(super) async fn send(&self, call: &Call) -> Result<Came> {
        match self.ops.get(call.op) {
            Some(op) => self.wire.send(op, call).await,
            None => Ok(Came::Unsent),
        }
    }

    /// Makes a trial and judges it, and keeps nothing.
    pub(super) async fn assess(&self, trial: &Trial) -> Outcome {
        let mut outcome = Outcome::default();
        let Some(op) = self.ops.get(trial.call.op) else { return outcome };
        let came = match self.wire.send(op, &trial.call).await {
            Ok(came) => came,
            Err(problem) => {
                outcome.problem = Some(problem);
                return outcome;
            }
        };
        let exchanged = match came {
            Came::Unsent => return Outcome { unsent: true, ..outcome },
            Came::Nothing(exchanged, problem) => {
                outcome.judge(Check::Reachable, Some(unreachable(op, trial, &problem)));
                return Outcome { exchanged: Some(exchanged), problem: Some(problem), ..outcome };
            }
            Came::Answer(exchanged) => exchanged,
        };
        outcome.status = exchanged.answer.as_ref().map(|answer| answer.status);
        outcome.judge(Check::Reachable, exchanged.problem.as_ref().map(|problem| unreachable(op, trial, problem)));
        let mut judged = judge(op, &exchanged, trial.kind);
        for finding in judged.findings.iter_mut().filter(|finding| finding.check == Check::ServerError) {
            finding.pointer.clone_from(&trial.pointer);
            finding.message = format!("{}: {}", finding.message, trial.what);
        }
        outcome.take(judged);
        outcome.exchanged = Some(exchanged);
        accepted_or_refused(op, trial, &mut outcome);
        self.keep_made(trial, &mut outcome);
        if trial.read_back && outcome.accepted() && matches!(trial.kind, Kind::Valid | Kind::Unknown) {
            self.read_back(trial, &mut outcome).await;
        }
        // What comes of input that should have been refused is no matter of the answer's own.
        let astray = matches!(trial.kind, Kind::Negative | Kind::Odd) && outcome.accepted() && trial.keyword != READ_ONLY;
        let blamed = |check: Check| match check {
            Check::ServerError | Check::Reachable => true,
            Check::InvalidAccepted => !trial.strange,
            _ => !trial.strange && !astray,
        };
        outcome.findings.retain(|finding| op.judges(finding.check) && blamed(finding.check));
        outcome.judged.retain(|check| op.judges(*check));
        outcome
    }

    /// What a POST to a collection has made, whatever was sent, is kept in mind, so that it is cleared away.
    fn keep_made(&self, trial: &Trial, outcome: &mut Outcome) {
        if !outcome.accepted() || outcome.status == Some(202) {
            return;
        }
        let collection = self.collections.iter().position(|collection| collection.create == trial.call.op);
        if let (Some(collection), Some(exchanged)) = (collection, &outcome.exchanged) {
            outcome.made = self.made(collection, &trial.call, exchanged);
        }
    }

    /// Makes a trial, judges it, and keeps what was found.
    pub(super) async fn attempt(&self, trial: &Trial) -> Outcome {
        let mut trial = trial.clone();
        let mut outcome = self.assess(&trial).await;
        if self.crowded(&trial, &outcome) {
            let again = self.once_more(&trial).await;
            // Where it is refused again it was not for something of the kind that is there already.
            let same = again.1.status == outcome.status && outcome.status != Some(409);
            if !again.1.unsent && !same {
                (trial, outcome) = again;
            }
        }
        self.record(&trial, &outcome);
        outcome
    }

    /// Whether a request may have been refused only because something of the kind is there already. Some say so with 409,
    /// others as of any other mistake.
    fn crowded(&self, trial: &Trial, outcome: &Outcome) -> bool {
        if trial.kind == Kind::Stranger || self.ops.get(trial.call.op).is_none_or(Op::reads) {
            return false;
        }
        let creates = self.collections.iter().any(|collection| collection.create == trial.call.op);
        match outcome.status {
            Some(409) => true,
            Some(400 | 422) => creates && trial.firm && matches!(trial.kind, Kind::Valid | Kind::Unknown),
            _ => false,
        }
    }

    /// The same with other texts, and on a resource that is new.
    async fn once_more(&self, trial: &Trial) -> (Trial, Outcome) {
        let mut trial = trial.clone();
        trial.call = self.varied(&trial.call, self.next_number(), &trial.pointer);
        if let Some(collection) = trial.instance.as_ref().and_then(|instance| instance.collection)
            && let Some(fresh) = self.create(collection, 0).await
        {
            self.lead(&mut trial.call, &fresh);
            trial.instance = Some(fresh);
        }
        let outcome = self.assess(&trial).await;
        (trial, outcome)
    }

    /// Keeps what was judged and found.
    pub(super) fn record(&self, trial: &Trial, outcome: &Outcome) {
        if outcome.unsent {
            return;
        }
        let Some(mut ledger) = self.ledgers.of(trial.call.op) else { return };
        ledger.cases += 1;
        if let Some(status) = outcome.status {
            *ledger.statuses.entry(status).or_default() += 1;
        }
        if ledger.first.is_none()
            && let Some(exchanged) = &outcome.exchanged
        {
            let text = exchanged.answer.as_ref().and_then(|answer| answer.body.text.as_deref());
            let body = text.map(|text| text[..text.floor_char_boundary(BODY)].to_owned());
            ledger.first = Some((exchanged.sent(), outcome.status, body, exchanged.took.as_secs_f64() * 1e3));
        }
        outcome.judged.iter().for_each(|check| ledger.judged(*check));
        for finding in &outcome.findings {
            ledger.found(Found {
                finding: finding.clone(),
                trial: Some(trial.clone()),
                sent: outcome.sent(),
                status: outcome.status,
                times: 1,
            });
        }
        if let (None, Some(problem)) = (&outcome.status, &outcome.problem)
            && ledger.problem.is_none()
        {
            ledger.problem = Some(problem.clone());
        }
        drop(ledger);
        self.saw(trial.call.op, outcome);
    }

    /// Keeps in mind which statuses and fields came.
    fn saw(&self, op: usize, outcome: &Outcome) {
        let (Some(status), Some(operation)) = (outcome.status, self.ops.get(op)) else { return };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = seen.get_mut(op) {
            seen.answer(operation, status, outcome.body());
        }
    }

    /// A failure of one operation that another's request has shown.
    pub(super) fn blame(&self, op: usize, check: Check, finding: Option<Finding>, shown: Option<(SentRequest, Option<u16>)>) {
        self.blamed(op, check, finding, shown, None);
    }

    /// The same, where the request that has shown it can be made again.
    pub(super) fn blamed(
        &self,
        op: usize,
        check: Check,
        finding: Option<Finding>,
        shown: Option<(SentRequest, Option<u16>)>,
        trial: Option<Trial>,
    ) {
        if !self.ops.get(op).is_some_and(|op| op.judges(check)) {
            return;
        }
        let Some(mut ledger) = self.ledgers.of(op) else { return };
        ledger.judged(check);
        if let Some(finding) = finding {
            let (sent, status) = shown.map_or((None, None), |(sent, status)| (Some(sent), status));
            ledger.found(Found { finding, trial, sent, status, times: 1 });
        }
    }

    /// A read of a resource that was deleted, judged by itself like any other request.
    pub(super) async fn read_deleted(&self, op: usize, instance: &Instance) -> Option<Outcome> {
        let call = self.base(op, Some(instance), false)?;
        let asked = self.ops.get(op)?.pointer.clone();
        let what = "What it reads has been deleted".to_owned();
        let trial =
            Trial { kind: Kind::Unknown, keyword: "deleted", what, firm: false, read_back: false, ..Trial::valid(call, &asked) };
        let outcome = self.assess(&trial).await;
        if outcome.unsent {
            return None;
        }
        self.record(&trial, &outcome);
        Some(outcome)
    }

    /// A slow answer may be this machine's own doing while much goes on at once. It counts where the same request is slow
    /// each time once all is quiet.
    pub(super) async fn confirm_latency(&self) {
        for (index, op) in self.ops.iter().enumerate() {
            let Some(limit) = op.latency else { continue };
            let slow = self.ledgers.of(index).map(|ledger| ledger.failures()).unwrap_or_default();
            for found in slow.into_iter().filter(|found| found.finding.check == Check::Latency) {
                let mut again = found.trial.is_some();
                for _ in 0..REPEATS {
                    let Some(trial) = found.trial.as_ref().filter(|_| again && self.wire.ended().is_none()) else { break };
                    let outcome = self.assess(&Trial { read_back: false, ..trial.clone() }).await;
                    again = outcome.exchanged.is_none_or(|exchanged| exchanged.took > limit);
                }
                if !again && let Some(mut ledger) = self.ledgers.of(index) {
                    ledger.withdraw(&found.finding);
                }
            }
        }
    }

    /// The operation that reads what a path leads to.
    pub(super) fn reader_of(&self, path: &str) -> Option<usize> {
        let wanted = super::plan::anonymous(path.trim_end_matches('/'));
        self.ops.iter().position(|op| op.method == Method::Get && super::plan::anonymous(op.path.trim_end_matches('/')) == wanted)
    }
}

/// Whether it was right to accept or to refuse.
fn accepted_or_refused(op: &Op, trial: &Trial, outcome: &mut Outcome) {
    let Some(status) = outcome.status else { return };
    let accepted = (200..300).contains(&status);
    if trial.keyword == READ_ONLY {
        return taken_over(trial, outcome);
    }
    match trial.kind {
        Kind::Negative | Kind::Odd => {
            let finding = accepted.then(|| Finding {
                pointer: trial.pointer.clone(),
                severity: if trial.hint { Severity::Warning } else { Severity::Error },
                expected: Some(json!("4xx")),
                actual: Some(json!(status)),
                ..Finding::new(
                    Check::InvalidAccepted,
                    trial.keyword,
                    &trial.asked,
                    format!("It was accepted with {status}, and the contract calls it invalid: {}", trial.what),
                )
            });
            outcome.judge(Check::InvalidAccepted, finding);
        }
        Kind::Valid | Kind::Unknown if trial.firm => {
            if matches!(status, 401 | 403) || !op.succeeds() {
                return;
            }
            let refused = matches!(status, 400 | 415 | 422);
            let finding = refused.then(|| Finding {
                pointer: trial.pointer.clone(),
                expected: Some(json!("no 400, 415 or 422")),
                actual: Some(json!(status)),
                ..Finding::new(
                    Check::ValidRejected,
                    trial.keyword,
                    &trial.asked,
                    format!("It was refused with {status}, and the contract calls it valid: {}", trial.what),
                )
            });
            outcome.judge(Check::ValidRejected, finding);
        }
        Kind::Stranger => {
            let finding = accepted.then(|| Finding {
                expected: Some(json!("401 or 403")),
                actual: Some(json!(status)),
                ..Finding::new(
                    Check::AuthIgnored,
                    trial.keyword,
                    &trial.asked,
                    format!("It was answered with {status} {}, and the contract asks for a credential", trial.what),
                )
            });
            outcome.judge(Check::AuthIgnored, finding);
        }
        _ => {}
    }
}

/// A field that is only ever read may be sent, and is not to be taken over.
fn taken_over(trial: &Trial, outcome: &mut Outcome) {
    let sent = trial.call.value().and_then(|value| value.pointer(&trial.pointer)).cloned();
    let came = outcome.body().and_then(|body| body.pointer(&trial.pointer)).cloned();
    let taken = outcome.accepted() && sent.is_some() && sent == came;
    let finding = taken.then(|| Finding {
        pointer: trial.pointer.clone(),
        expected: Some(json!({ "readOnly": true })),
        actual: came,
        ..Finding::new(
            Check::InvalidAccepted,
            READ_ONLY,
            &trial.asked,
            format!("{} is only ever read, and what was sent was taken over", trial.pointer),
        )
    });
    outcome.judge(Check::InvalidAccepted, finding);
}

/// That a request brought no whole answer.
fn unreachable(op: &Op, trial: &Trial, problem: &Problem) -> Finding {
    let why = if problem.why.is_empty() { String::new() } else { format!(": {}", problem.why) };
    Finding {
        pointer: trial.pointer.clone(),
        ..Finding::new(Check::Reachable, format!("{:?}", problem.code), &op.pointer, format!("{}{why}", problem.what))
    }
}

/// Whether a problem says that there is no service at all, which is no failure of an operation.
pub(super) fn absent(problem: &Problem) -> bool {
    use patchbay_contracts::Code::{Certificate, Dns, Refused, Tls, Unreachable};
    matches!(problem.code, Dns | Refused | Unreachable | Tls | Certificate)
}
