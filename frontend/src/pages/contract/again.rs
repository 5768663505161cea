//! A stored contract run made again, from wherever it is looked at.

use patchbay_contracts::{
    contract::{ContractKind, ContractReport, ContractSubject},
    run::{JobId, RunId, RunKind, Verdict},
};
use yew::prelude::*;

use super::{Underway, start_of, stored};
use crate::{
    components::{Button, Glyph},
    hooks::use_data,
    pages::integration::job::{CancelButton, JobEnd, Start, use_newest_job, use_start},
    state::Live,
};

/// A run that can be made again, and the job that makes it.
#[derive(Clone)]
pub struct Again {
    subject: Option<ContractSubject>,
    failed: Vec<String>,
    start: Start,
    job: Option<(JobId, Live)>,
    /// Runs these operations, or all where none is named; none where nothing can be run now.
    pub run: Option<Callback<Vec<String>>>,
}

/// What a run was made of. Of those that an older program stored, only integrations can be told from the rest.
fn subject_of(report: &ContractReport) -> Option<ContractSubject> {
    let integration = || ContractSubject::Integration { name: report.integration.clone() };
    report.subject.clone().or_else(|| (report.kind == ContractKind::Patchbay).then(integration))
}

/// Makes a run again, where what it was made of is known and still there. `on_stored` is told of the new one.
#[hook]
pub fn use_again(report: Option<&ContractReport>, on_stored: Callback<RunId>) -> Again {
    let data = use_data();
    let start = use_start();
    let subject = report.and_then(subject_of).filter(|subject| match subject {
        ContractSubject::Integration { name } => data.integration(name).is_some(),
        // Whether a file is still there is known when it is read.
        ContractSubject::Document { .. } | ContractSubject::Files { .. } => true,
    });
    let newest = use_newest_job(RunKind::Contract, &subject.as_ref().map(ContractSubject::target).unwrap_or_default());
    // Jobs that others have started are none of this run's.
    let before = use_state_eq(|| None::<JobId>);
    let last = newest.as_ref().map_or(0, |(id, _)| *id);
    let job = newest.filter(|(id, _)| before.is_some_and(|before| *id > before));
    {
        let run = job.as_ref().and_then(|(_, live)| stored(live)).map(|run| run.id);
        use_effect_with(run, move |run| {
            if let Some(run) = run {
                on_stored.emit(*run);
            }
        });
    }
    let busy = start.busy || job.as_ref().is_some_and(|(_, live)| live.finished.is_none());
    let run = subject.clone().filter(|_| !busy).map(|subject| {
        let (start, before) = (start.clone(), before.setter());
        Callback::from(move |only| {
            before.set(Some(last));
            start_of(&subject, &start, only);
        })
    });
    let failed = report.map(|report| {
        let failed = report.endpoints.iter().filter(|result| result.verdict == Verdict::Fail);
        failed.map(|result| result.endpoint.clone()).collect()
    });
    Again { subject, failed: failed.unwrap_or_default(), start, job, run }
}

impl Again {
    /// The buttons, and how far it is; nothing where the run can't be made again.
    pub fn view(&self) -> Html {
        let Some(subject) = &self.subject else { return Html::default() };
        let running = self.job.as_ref().filter(|(_, live)| live.finished.is_none());
        let press = |only: Vec<String>| {
            let run = self.run.clone().unwrap_or_default();
            Callback::from(move |_: MouseEvent| run.emit(only.clone()))
        };
        let finished = self.job.as_ref().and_then(|(_, live)| live.finished.clone());
        html! {
            <>
                <div class="toolbar">
                    if let Some((id, _)) = running {
                        <CancelButton job={*id} test="run-again-cancel" />
                    } else {
                        <Button glyph={Glyph::Play} busy={self.start.busy} test="run-again" onclick={press(Vec::new())}>{ "Run again" }</Button>
                        if !self.failed.is_empty() {
                            <Button glyph={Glyph::Refresh} disabled={self.run.is_none()} test="run-failed-again" onclick={press(self.failed.clone())}>
                                { format!("Run failed again ({})", self.failed.len()) }
                            </Button>
                        }
                    }
                </div>
                <JobEnd refused={self.start.problem.clone()} {finished} />
                if let Some((_, live)) = running { <Underway live={live.clone()} noun={subject.noun()} /> }
            </>
        }
    }
}
