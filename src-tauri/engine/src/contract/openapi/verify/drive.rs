//! One operation from its first request to its last.

use patchbay_contracts::{contract::Check, integration::Method};

use super::{
    call::{Call, as_read},
    cases::{strangers, trials},
    judge::Kind,
    plan::{Form, In},
    resources::Instance,
    run::{Outcome, Run, absent},
    trial::Trial,
    written::sure_body,
};

/// How many requests in a row may bring no answer before an operation is left alone.
const SILENT: u32 = 2;

impl Run {
    /// Tries everything of an operation.
    pub(super) async fn operation(&self, index: usize) {
        let Some(op) = self.ops.get(index) else { return };
        let instance = if op.path.contains('{') { self.instance_for(index).await } else { None };
        // What was found and not made here is nobody's to delete.
        let instance = instance.filter(|instance| op.method != Method::Delete || instance.collection.is_some());
        let Some(base) = self.base(index, instance.as_ref(), false) else {
            return self.unmade(index);
        };
        let there = instance.is_some() || !op.path.contains('{');
        let kind = if there { Kind::Valid } else { Kind::Unknown };
        let base = self.identified(&base);
        // What a service has made may have an identity that the document doesn't allow in a path.
        let led = self.leads_validly(&base);
        let firm = led && sure_body(op, &base);
        let ordinary = Trial { kind, firm, instance: instance.clone(), ..Trial::valid(base.clone(), &op.pointer) };
        if op.method == Method::Delete && there {
            self.delete_and_look(index).await;
        } else {
            let outcome = self.attempt(&ordinary).await;
            if !self.may_go_on(index, &outcome) {
                return;
            }
            self.follow(&ordinary, &outcome).await;
            if led && !firm && matches!(outcome.status, Some(400 | 415 | 422)) {
                self.unsure(index);
                return self.refuse_strangers(index, instance.as_ref()).await;
            }
            if self.locked(index, &outcome) {
                return self.refuse_strangers(index, instance.as_ref()).await;
            }
        }
        let mut silent = 0;
        for trial in trials(self, &base, instance.as_ref()) {
            if self.wire.ended().is_some() {
                return;
            }
            let trial = if trial.kind == Kind::Valid && !there { Trial { kind: Kind::Unknown, ..trial } } else { trial };
            let trial = if led || trial.pointer.starts_with("path.") { trial } else { Trial { firm: false, ..trial } };
            let trial = self.renewed(trial).await;
            let outcome = self.attempt(&trial).await;
            silent = if outcome.problem.is_some() && outcome.status.is_none() { silent + 1 } else { 0 };
            if silent >= SILENT {
                break;
            }
        }
        self.refuse_strangers(index, instance.as_ref()).await;
        self.patch_one_by_one(index).await;
        if let Some(mut ledger) = self.ledgers.of(index) {
            ledger.settle();
        }
        self.shrink(index).await;
    }

    /// A deletion takes what it is about with it, so that each has one of its own.
    async fn renewed(&self, trial: Trial) -> Trial {
        let delete = self.ops.get(trial.call.op).is_some_and(|op| op.method == Method::Delete);
        let made = trial.instance.as_ref().and_then(|instance| instance.collection);
        if !delete || !matches!(trial.kind, Kind::Valid | Kind::Stranger) || made.is_none() {
            return trial;
        }
        match self.instance_for(trial.call.op).await {
            Some(fresh) => {
                let mut call = trial.call.clone();
                self.lead(&mut call, &fresh);
                Trial { call, instance: Some(fresh), ..trial }
            }
            None => trial,
        }
    }

    async fn refuse_strangers(&self, index: usize, instance: Option<&Instance>) {
        let Some(op) = self.ops.get(index) else { return };
        let Some(base) = self.base(index, instance, false) else { return };
        for trial in strangers(op, &base, instance) {
            let trial = self.renewed(trial).await;
            self.attempt(&trial).await;
        }
    }

    /// Whether there is a service that answers; if not, the operation is not judged.
    fn may_go_on(&self, index: usize, outcome: &Outcome) -> bool {
        let Some(mut ledger) = self.ledgers.of(index) else { return false };
        if outcome.unsent {
            return false;
        }
        let Some(problem) = outcome.problem.as_ref().filter(|_| outcome.status.is_none()) else { return true };
        if absent(problem) || outcome.exchanged.is_none() {
            ledger.unreachable(problem.clone());
        }
        false
    }

    /// Whether the operation asks for a credential that was not given, or is not taken.
    fn locked(&self, index: usize, outcome: &Outcome) -> bool {
        let locked = matches!(outcome.status, Some(401 | 403)) && self.ops.get(index).is_some_and(super::plan::Op::secured);
        if locked && let Some(mut ledger) = self.ledgers.of(index) {
            let why = match self.wire.common.auth {
                None => "It asks for a credential, and none was given: give one, such as --auth 'bearer:${secret:NAME}'",
                Some(_) => "It asks for a credential, and the one that was given is refused",
            };
            ledger.open(Check::ValidRejected, why);
        }
        locked
    }

    /// Whether the path of a request is as the document describes it.
    fn leads_validly(&self, call: &Call) -> bool {
        let params = self.ops.get(call.op).into_iter().flat_map(|op| &op.params).zip(&call.params);
        let mut path = params.filter(|(param, _)| param.place == In::Path);
        path.all(|(param, value)| match (&param.generator, value) {
            (Some(generator), Some(value)) => generator.allows(value) || generator.allows(&as_read(param, value)),
            _ => true,
        })
    }

    /// Says that it can't be told whether a refusal was right.
    fn unsure(&self, index: usize) {
        if let Some(mut ledger) = self.ledgers.of(index) {
            let why = "Its body could only be guessed, and was refused: give an example of it in the contract";
            ledger.open(Check::ValidRejected, why);
        }
    }

    /// Says that no valid request could be made.
    fn unmade(&self, index: usize) {
        let Some(op) = self.ops.get(index) else { return };
        let Some(mut ledger) = self.ledgers.of(index) else { return };
        let params = op.params.iter().filter_map(|param| param.generator.as_ref());
        let bodies = op.body.iter().flat_map(|body| &body.medias).filter_map(|media| media.generator.as_ref());
        let mut notes: Vec<String> = params.chain(bodies).flat_map(crate::contract::generate::Generator::notes).collect();
        let medias = || op.body.iter().filter(|body| body.required).flat_map(|body| &body.medias);
        if medias().all(|media| self.body_value(media).is_none()) {
            notes.extend(medias().map(|media| match media.form {
                Form::Text => format!("a body of {} is made from an example only, and there is none", media.name),
                _ => format!("no body of {} that fits its schema was found", media.name),
            }));
        }
        let why = if notes.is_empty() { String::new() } else { format!(": {}", notes.join("; ")) };
        ledger.open(Check::Reachable, format!("No valid request could be made from the contract{why}"));
    }

    /// Deletes what was made, the last first.
    pub(super) async fn clear_away(&self) {
        let standing: Vec<Instance> = self.standing().iter().rev().cloned().collect();
        for instance in standing {
            let delete =
                instance.collection.and_then(|index| self.collections.get(index)).and_then(|collection| collection.delete);
            let Some(call) = delete.and_then(|delete| self.base(delete, Some(&instance), false)) else { continue };
            if self.send(&call).await.is_err() || self.wire.ended().is_some() {
                return;
            }
        }
    }
}
