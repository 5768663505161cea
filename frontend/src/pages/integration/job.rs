//! The job of an integration that is under way, and the runs that it had before.

use std::rc::Rc;

use patchbay_contracts::{
    Code, Problem,
    ipc::{CancelJob, ListRuns},
    run::{Finished, JobId, RunId, RunKind, RunSummary},
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{
    components::{Button, Glyph, Panel, ProblemView},
    hooks::{Query, use_data, use_job_started, use_jobs, use_notify, use_query},
    ipc::{Call, call},
    reports::{ExportButtons, RunList, RunView},
    state::Live,
};

/// How many past runs are listed.
const LISTED: u32 = 30;

/// The newest job of that kind for that integration, under way or ended in this session.
#[hook]
pub fn use_newest_job(kind: RunKind, integration: &str) -> Option<(JobId, Live)> {
    let jobs = use_jobs();
    let own = |live: &&Live| live.job.as_ref().is_some_and(|job| job.kind == kind && job.target == integration);
    jobs.all.iter().rev().find(|(_, live)| own(live)).map(|(id, live)| (*id, live.clone()))
}

/// Past runs of that kind, newest first.
#[hook]
pub fn use_past_runs(kind: RunKind, integration: &str) -> Query<Vec<RunSummary>> {
    let data = use_data();
    use_query((integration.to_owned(), data.run_changes), move |(integration, _)| ListRuns {
        integration: Some(integration.clone()),
        kind: Some(kind),
        limit: LISTED,
        before: None,
    })
}

/// What starting a job gave.
pub struct Start {
    /// Whether the backend was asked and hasn't answered.
    pub busy: bool,
    /// Why it did not start.
    pub problem: Option<Problem>,
    set: UseStateSetter<(bool, Option<Problem>)>,
    started: Callback<patchbay_contracts::run::Job>,
}

impl Start {
    /// Starts a job.
    pub fn run<C: Call + patchbay_contracts::ipc::Command<Reply = patchbay_contracts::run::Job>>(&self, command: C) {
        let (set, started) = (self.set.clone(), self.started.clone());
        set.set((true, None));
        spawn_local(async move {
            match call(command).await {
                Ok(job) => {
                    started.emit(job);
                    set.set((false, None));
                }
                Err(problem) => set.set((false, Some(problem))),
            }
        });
    }
}

impl Clone for Start {
    fn clone(&self) -> Self {
        Self { busy: self.busy, problem: self.problem.clone(), set: self.set.clone(), started: self.started.clone() }
    }
}

/// Starts jobs, and keeps why one did not start.
#[hook]
pub fn use_start() -> Start {
    let state = use_state(|| (false, None));
    let started = use_job_started();
    Start { busy: state.0, problem: state.1.clone(), set: state.setter(), started }
}

/// The properties of [`CancelButton`].
#[derive(Properties, PartialEq)]
pub struct CancelButtonProps {
    /// The job.
    pub job: JobId,
    /// The name by which tests find it.
    pub test: AttrValue,
}

/// Stops a job; what it has found is kept.
#[component]
pub fn CancelButton(props: &CancelButtonProps) -> Html {
    let notify = use_notify();
    let asked = use_state_eq(|| false);
    let onclick = {
        let (job, asked) = (props.job, asked.setter());
        Callback::from(move |_: MouseEvent| {
            asked.set(true);
            notify.perform(CancelJob { job }, |()| ());
        })
    };
    html! {
        <Button glyph={Glyph::Stop} test={props.test.clone()} busy={*asked} {onclick}>
            { if *asked { "Stopping" } else { "Cancel" } }
        </Button>
    }
}

/// The properties of [`JobEnd`].
#[derive(Properties, PartialEq)]
pub struct JobEndProps {
    /// Why the job could not be started.
    pub refused: Option<Problem>,
    /// How the last one ended.
    pub finished: Option<Finished>,
}

/// Why there is no new result.
#[component]
pub fn JobEnd(props: &JobEndProps) -> Html {
    match (&props.refused, &props.finished) {
        (Some(problem), _) => html! { <ProblemView problem={problem.clone()} /> },
        (None, Some(Finished::Failed { problem })) if problem.code != Code::Cancelled => {
            html! { <ProblemView problem={problem.clone()} /> }
        }
        _ => Html::default(),
    }
}

/// The properties of [`PastRuns`].
#[derive(Properties, PartialEq)]
pub struct PastRunsProps {
    /// What the runs are called.
    pub title: AttrValue,
    /// Their kind.
    pub kind: RunKind,
    /// The runs, newest first; at least one.
    pub runs: Rc<Vec<RunSummary>>,
}

/// The last run whole, and those before it to choose from.
#[component]
pub fn PastRuns(props: &PastRunsProps) -> Html {
    let chosen = use_state_eq(|| None::<RunId>);
    let newest = props.runs.first().map(|run| run.id);
    {
        // A run that has just ended is what one wants to see.
        let chosen = chosen.setter();
        use_effect_with(newest, move |_| chosen.set(None));
    }
    let Some(id) = chosen.filter(|id| props.runs.iter().any(|run| run.id == *id)).or(newest) else {
        return Html::default();
    };
    let on_choose = {
        let chosen = chosen.setter();
        Callback::from(move |id| chosen.set(Some(id)))
    };
    let title = if newest == Some(id) { "Last run" } else { "Past run" };
    html! {
        <>
            <Panel {title} aside={html! { <ExportButtons {id} kind={props.kind} /> }} test="shown-run"><RunView key={id} {id} /></Panel>
            if props.runs.len() > 1 {
                <Panel title={props.title.clone()}><RunList runs={props.runs.clone()} current={id} {on_choose} /></Panel>
            }
        </>
    }
}
