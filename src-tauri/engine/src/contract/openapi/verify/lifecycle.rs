//! Resources over their life: created and read, changed and read, deleted and gone.

use patchbay_contracts::{contract::Check, integration::Method};
use serde_json::{Value, json};

use super::{
    call::Payload,
    judge::{Finding, Kind},
    keep::{Lost, lost, marked, same},
    plan::Op,
    resources::Instance,
    run::{Outcome, Run},
    trial::Trial,
};
use crate::contract::{generate::shape_properties, schema::escape, validate::bounded};

impl Run {
    /// Reads what a request has just written, and compares.
    pub(super) async fn read_back(&self, trial: &Trial, outcome: &mut Outcome) {
        let Some(op) = self.ops.get(trial.call.op) else { return };
        // What is only promised may take its time.
        if outcome.status == Some(202) {
            return;
        }
        match op.method {
            Method::Post => self.created(op, trial, outcome).await,
            Method::Put | Method::Patch => self.changed(op, trial, outcome).await,
            _ => {}
        }
    }

    async fn created(&self, op: &Op, trial: &Trial, outcome: &mut Outcome) {
        let Some(made) = outcome.made.clone() else { return };
        self.compare_answer(op, trial, outcome);
        let Some(read) = made.collection.and_then(|index| self.collections.get(index)).and_then(|collection| collection.read)
        else {
            return;
        };
        let Some(Some(got)) = self.quiet_read(read, &made).await else { return };
        let label = self.ops.get(read).map_or("", |op| &op.label);
        let Some(status) = got.status else { return };
        if matches!(status, 404 | 410) {
            let finding = Finding {
                expected: Some(json!("2xx")),
                actual: Some(json!(status)),
                ..Finding::new(
                    Check::UnreadableAfterCreate,
                    "missing",
                    &op.pointer,
                    format!("It was created with {}, and {label} then answers {status}", outcome.status.unwrap_or_default()),
                )
            };
            outcome.judge(Check::UnreadableAfterCreate, Some(finding));
            return;
        }
        if !(200..300).contains(&status) {
            return;
        }
        outcome.judge(Check::UnreadableAfterCreate, None);
        self.location(op, outcome).await;
        let said = format!("it was created, and {label} then has");
        for finding in self.losses(read, trial, &got, Check::UnreadableAfterCreate, &said) {
            outcome.judge(Check::UnreadableAfterCreate, Some(finding));
        }
    }

    /// Where the document describes the header Location of what was created, it leads there (RFC 9110, 10.2.2).
    async fn location(&self, op: &Op, outcome: &mut Outcome) {
        let Some(status) = outcome.status.filter(|status| matches!(status, 200 | 201)) else { return };
        let Some(spec) = op
            .answer(status)
            .and_then(|answer| answer.headers.iter().find(|header| header.name.eq_ignore_ascii_case("location")))
        else {
            return;
        };
        let target = outcome.exchanged.as_ref().and_then(|exchanged| {
            let location = exchanged.answer.as_ref()?.header("location")?;
            let target = exchanged.url().join(&location).ok()?;
            (target.origin() == exchanged.url().origin()).then_some((location, target))
        });
        let Some((location, target)) = target else { return };
        let Some(found) = self.wire.get(&target).await else { return };
        let finding = matches!(found, 404 | 410).then(|| Finding {
            expected: Some(json!("an address that can be read")),
            actual: Some(json!(location)),
            ..Finding::new(
                Check::Header,
                "Location leads",
                &spec.asked.pointer,
                format!("The header Location is `{location}`, and there is nothing ({found})"),
            )
        });
        outcome.judge(Check::Header, finding);
    }

    /// The answer to a creation tells of what was created; it must be what was sent.
    fn compare_answer(&self, op: &Op, trial: &Trial, outcome: &mut Outcome) {
        let (Some(sent), Some(came), Some(status)) = (self.json_sent(trial), outcome.body().cloned(), outcome.status) else {
            return;
        };
        let schema = schema_of(op, status);
        let Some(schema) = schema else { return };
        let losses = unsaid(lost(&sent, &came, &schema), &outcome.findings);
        let came = losses.into_iter().filter(|lost| lost.came.is_some());
        let findings: Vec<Finding> = came
            .map(|lost| loss(Check::UnreadableAfterCreate, lost, "it was created, and the answer has", &trial.asked))
            .collect();
        for finding in findings {
            outcome.judge(Check::UnreadableAfterCreate, Some(finding));
        }
    }

    async fn changed(&self, op: &Op, trial: &Trial, outcome: &mut Outcome) {
        let Some(read) = self.reader_of(&op.path) else { return };
        let path = self.led_to(&trial.call, op);
        let Some(Some(got)) = self.quiet_read(read, &path).await else { return };
        if !got.accepted() {
            return;
        }
        outcome.judge(Check::ChangeNotKept, None);
        let label = self.ops.get(read).map_or("", |op| &op.label).to_owned();
        let said = format!("it was changed with {}, and {label} then has", outcome.status.unwrap_or_default());
        for finding in self.losses(read, trial, &got, Check::ChangeNotKept, &said) {
            outcome.judge(Check::ChangeNotKept, Some(finding));
        }
    }

    /// What a request's path leads to.
    fn led_to(&self, call: &super::call::Call, op: &Op) -> Instance {
        Instance {
            collection: None,
            template: super::plan::anonymous(op.path.trim_end_matches('/')),
            values: self.path_values(call),
        }
    }

    /// A read of what was written, which is judged by itself like any other; the outer none says that it can't be made.
    async fn quiet_read(&self, read: usize, instance: &Instance) -> Option<Option<Outcome>> {
        let call = self.base(read, Some(instance), false)?;
        let asked = self.ops.get(read)?.pointer.clone();
        let what = "It reads what was just written".to_owned();
        let trial = Trial { keyword: "written", what, firm: false, read_back: false, ..Trial::valid(call, &asked) };
        let outcome = Box::pin(self.assess(&trial)).await;
        self.record(&trial, &outcome);
        Some((!outcome.unsent).then_some(outcome))
    }

    fn json_sent(&self, trial: &Trial) -> Option<Value> {
        match &trial.call.payload {
            Payload::Value(_, value) => Some(value.clone()),
            _ => None,
        }
    }

    /// What was sent and does not read so.
    fn losses(&self, read: usize, trial: &Trial, got: &Outcome, check: Check, said: &str) -> Vec<Finding> {
        let (Some(sent), Some(came), Some(op), Some(status)) =
            (self.json_sent(trial), got.body(), self.ops.get(read), got.status)
        else {
            return Vec::new();
        };
        let Some(schema) = schema_of(op, status) else { return Vec::new() };
        unsaid(lost(&sent, came, &schema), &got.findings).into_iter().map(|lost| loss(check, lost, said, &trial.asked)).collect()
    }

    /// A resource of its own is changed in one field at a time; the others must stay.
    pub(super) async fn patch_one_by_one(&self, patch: usize) {
        let Some(op) = self.ops.get(patch).filter(|op| op.method == Method::Patch && op.judges(Check::ChangeNotKept)) else {
            return;
        };
        let Some(read) = self.reader_of(&op.path) else { return };
        // Without one of its own, that of the document's examples is as good.
        let example = self.base(patch, None, false).map(|call| self.led_to(&call, op));
        let Some(instance) = self.instance_for(patch).await.or(example) else { return };
        let media = op.body.as_ref().and_then(|body| body.medias.first());
        let Some(generator) = media.and_then(|media| media.generator.as_ref()) else { return };
        let writable: Vec<String> =
            shape_properties(generator.schema(), generator.schema()).into_iter().map(|(name, _)| name).collect();
        let Some(Value::Object(whole)) = self.base(patch, Some(&instance), false).and_then(|call| call.value().cloned()) else {
            return;
        };
        for (name, value) in whole.iter().take(10) {
            let Some(call) = self.base(patch, Some(&instance), false) else { return };
            let call = call.with_value(json!({ name: value }));
            if !generator.allows(&json!({ name: value })) {
                continue;
            }
            let call = self.varied(&call, self.next_number(), "");
            let Some(Some(before)) = self.quiet_read(read, &instance).await else { return };
            let trial = Trial {
                pointer: format!("/{}", escape(name)),
                keyword: "properties",
                what: format!("Only {name} is changed"),
                instance: Some(instance.clone()),
                ..Trial::valid(call, &op.pointer)
            };
            let outcome = self.attempt(&trial).await;
            if !outcome.accepted() || outcome.status == Some(202) {
                continue;
            }
            let Some(Some(after)) = self.quiet_read(read, &instance).await else { return };
            let (Some(Value::Object(before)), Some(after)) = (before.body(), after.body()) else { continue };
            for other in before.keys().filter(|other| *other != name && writable.contains(other)) {
                let (was, is) = (before.get(other).unwrap_or(&Value::Null), after.get(other).unwrap_or(&Value::Null));
                if same(was, is, 0) {
                    continue;
                }
                let finding = Finding {
                    pointer: format!("/{}", escape(other)),
                    expected: Some(bounded(was)),
                    actual: Some(bounded(is)),
                    ..Finding::new(
                        Check::ChangeNotKept,
                        "other",
                        &op.pointer,
                        format!("Only {name} was changed, and /{other} has changed too"),
                    )
                };
                self.blame(patch, Check::ChangeNotKept, Some(finding), outcome.sent().map(|sent| (sent, outcome.status)));
            }
        }
    }

    /// A resource is made, deleted, and looked for.
    pub(super) async fn delete_and_look(&self, delete: usize) {
        let Some(op) = self.ops.get(delete) else { return };
        let Some(instance) = self.instance_for(delete).await.filter(|instance| instance.collection.is_some()) else { return };
        if super::plan::anonymous(op.path.trim_end_matches('/')) != instance.template {
            return;
        }
        let read = self.reader_of(&op.path);
        let before = match read {
            Some(read) => self.quiet_read(read, &instance).await.flatten(),
            None => None,
        };
        let Some(call) = self.base(delete, Some(&instance), false) else { return };
        let trial = Trial { read_back: false, instance: Some(instance.clone()), ..Trial::valid(call.clone(), &op.pointer) };
        let outcome = self.attempt(&trial).await;
        if !outcome.accepted() {
            return;
        }
        self.forget(&instance);
        let was_there = before.as_ref().is_some_and(Outcome::accepted);
        if let (Some(read), true, true) = (read, was_there, outcome.status != Some(202)) {
            self.gone(delete, read, &instance, before.as_ref(), &outcome).await;
        }
        // What is done to something that is gone must not bring the service down.
        let again = Trial {
            kind: Kind::Unknown,
            firm: false,
            keyword: "deleted",
            what: "It is deleted a second time".to_owned(),
            ..trial
        };
        self.attempt(&again).await;
        let others = self.ops.iter().enumerate().filter(|(_, other)| {
            super::plan::anonymous(other.path.trim_end_matches('/')) == instance.template
                && matches!(other.method, Method::Put | Method::Patch)
        });
        for (index, other) in others {
            if let Some(call) = self.base(index, Some(&instance), false) {
                let trial = Trial {
                    kind: Kind::Unknown,
                    firm: false,
                    read_back: false,
                    keyword: "deleted",
                    what: "What it changes has been deleted".to_owned(),
                    ..Trial::valid(call, &other.pointer)
                };
                self.attempt(&trial).await;
            }
        }
    }

    async fn gone(&self, delete: usize, read: usize, instance: &Instance, before: Option<&Outcome>, deleted: &Outcome) {
        let Some(after) = self.read_deleted(read, instance).await else { return };
        let Some(status) = after.status else { return };
        let (Some(op), Some(reader)) = (self.ops.get(delete), self.ops.get(read)) else { return };
        let readable = (200..300).contains(&status);
        // One that says itself that it is deleted is kept on purpose.
        let schema = schema_of(reader, status).unwrap_or(Value::Bool(true));
        let told = match (before.and_then(Outcome::body), after.body()) {
            (Some(before), Some(after)) => marked(before, after, &schema),
            _ => false,
        };
        let finding = (readable && !told).then(|| Finding {
            expected: Some(json!("404 or 410")),
            actual: Some(json!(status)),
            ..Finding::new(
                Check::ReadableAfterDelete,
                "readable",
                &op.pointer,
                format!(
                    "It was deleted with {}, and {} then still answers {status}",
                    deleted.status.unwrap_or_default(),
                    reader.label
                ),
            )
        });
        self.blame(delete, Check::ReadableAfterDelete, finding, deleted.sent().map(|sent| (sent, deleted.status)));
    }
}

/// Those of which the schema doesn't tell already.
fn unsaid(losses: Vec<Lost>, findings: &[Finding]) -> Vec<Lost> {
    let told = |lost: &Lost| {
        findings.iter().any(|finding| finding.check == Check::ResponseSchema && lost.pointer.starts_with(&finding.pointer))
    };
    losses.into_iter().filter(|lost| !told(lost)).collect()
}

fn loss(check: Check, lost: Lost, said: &str, asked: &str) -> Finding {
    let Lost { pointer, sent, came } = lost;
    let found = match &came {
        Some(_) => format!("{said} another value at {pointer}"),
        None => format!("{said} nothing at {pointer}"),
    };
    let mut chars = found.chars();
    let message: String = chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect();
    Finding {
        pointer,
        expected: Some(bounded(&sent)),
        actual: came.as_ref().map(bounded),
        ..Finding::new(check, "kept", asked, message)
    }
}

/// The schema of the first JSON body that a status may have.
fn schema_of(op: &Op, status: u16) -> Option<Value> {
    let media = op.answer(status)?.medias.iter().find(|media| super::plan::Form::of(&media.name) == super::plan::Form::Json)?;
    media.generator.as_ref().map(|generator| generator.schema().clone())
}
