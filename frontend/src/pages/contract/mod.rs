//! Contract runs of one subject, an integration, any document or files: start them, watch one being filled, read it, run parts of
//! it again, and compare it with another.

mod again;
mod bar;
mod board;
mod session;

use std::rc::Rc;

use patchbay_contracts::{
    contract::{ContractOptions, ContractSubject, FileCheck},
    ipc::{StartContract, StartDocumentContract, StartFileCheck},
    run::{Finished, JobId, RunId, RunKind, RunSummary},
};
use yew::prelude::*;

pub use self::{again::use_again, bar::Watched, session::SessionRuns};
use self::{
    bar::{Compare, Other, Watch},
    board::use_board,
};
use super::integration::job::{CancelButton, JobEnd, Start, use_start};
use crate::{
    components::{Button, EmptyState, Glyph, Kind, Loading, Panel, ProblemView},
    reports::{Board, ContractReportView, ExportButtons, Results, RunList},
    state::Live,
    utils::{
        matrix::{Judged, Matrix, merged},
        text,
    },
};

/// Starts a run of these operations, or files, or types of messages; of all where none is named.
fn start_of(subject: &ContractSubject, start: &Start, only: Vec<String>) {
    match subject {
        ContractSubject::Integration { name } => {
            let options = ContractOptions { only, ..ContractOptions::default() };
            start.run(StartContract { integration: name.clone(), options });
        }
        ContractSubject::Document { source, options } => {
            let options = ContractOptions { only, ..(**options).clone() };
            start.run(StartDocumentContract { source: source.clone(), options });
        }
        ContractSubject::Files { check } => {
            let options = ContractOptions { only, ..check.options.clone() };
            start.run(StartFileCheck { check: FileCheck { options, ..(**check).clone() } });
        }
    }
}

/// The words in which runs of a subject are spoken of.
struct Words {
    run: &'static str,
    never: &'static str,
    hint: &'static str,
}

const fn words(subject: &ContractSubject) -> Words {
    match subject {
        ContractSubject::Files { .. } => Words {
            run: "Check again",
            never: "Nothing has been checked",
            hint: "Checking reads each file, and says where it is not as it should be.",
        },
        _ => Words {
            run: "Run the contract",
            never: "The contract was never run",
            hint: "Running it calls each operation, and holds the status, the headers, the time and the body to what the contract says.",
        },
    }
}

/// The properties of [`ContractRuns`].
#[derive(Properties, PartialEq)]
pub struct ContractRunsProps {
    /// What is run.
    pub subject: ContractSubject,
    /// Its newest job.
    pub job: Option<(JobId, Live)>,
    /// Its past runs, newest first; none until they are known.
    pub runs: Option<Rc<Vec<RunSummary>>>,
    /// What a run does, in a sentence.
    pub what: AttrValue,
    /// By what a change of its files is seen, where it can be watched.
    #[prop_or_default]
    pub watched: Option<Watched>,
}

/// A run of some operations again: what it started from.
#[derive(Debug, Clone, PartialEq)]
struct Again {
    /// The newest run when it started.
    after: Option<RunId>,
    /// All operations as they were.
    board: Board,
    /// How many are run again.
    count: usize,
}

/// The buttons, the run that is under way or that is looked at, and the others to choose from.
#[component]
pub fn ContractRuns(props: &ContractRunsProps) -> Html {
    let start = use_start();
    let chosen = use_state_eq(|| None::<RunId>);
    let again = use_state_eq(|| None::<Again>);
    let other = use_state_eq(Other::default);
    let running = props.job.as_ref().filter(|(_, live)| live.finished.is_none());
    let runs = props.runs.clone().unwrap_or_default();
    let newest = runs.first().map(|run| run.id);
    {
        // A run that has just ended is what one wants to see.
        let chosen = chosen.setter();
        use_effect_with(newest, move |_| chosen.set(None));
    }
    let shown = chosen.filter(|id| runs.iter().any(|run| run.id == *id)).or(newest);
    let (stored, problem) = use_board(shown);
    let (compared, _) = use_board(other.of(&runs, shown));
    // Operations that were run again stand among those that weren't.
    let extended = again.as_ref().filter(|again| shown == newest && newest > again.after);
    let board = match (stored, extended) {
        (Some(stored), Some(again)) => Some(again.board.with(&stored)),
        (stored, _) => stored,
    };
    let before = compared.map(|board| board.results).or(extended.map(|again| again.board.results.clone()));
    let run_all = {
        let (start, subject, chosen, again) = (start.clone(), props.subject.clone(), chosen.setter(), again.setter());
        Callback::from(move |()| {
            chosen.set(None);
            again.set(None);
            start_of(&subject, &start, Vec::new());
        })
    };
    let run_some = {
        let (start, subject, chosen, again) = (start.clone(), props.subject.clone(), chosen.setter(), again.setter());
        let board = board.clone();
        Callback::from(move |only: Vec<String>| {
            let Some(board) = board.clone() else { return };
            chosen.set(None);
            again.set(Some(Again { after: newest, board, count: only.len() }));
            start_of(&subject, &start, only);
        })
    };
    let busy = start.busy || running.is_some();
    let (noun, words) = (props.subject.noun(), words(&props.subject));
    let failed = use_memo(board.clone().map(|board| board.results), |results| {
        results.as_ref().map(|results| Matrix::of(results).failed()).unwrap_or_default()
    });
    let finished = props.job.as_ref().and_then(|(_, live)| live.finished.clone());
    let title = match extended {
        Some(again) => format!("Last run, {} run again", text::counted(again.count as u64, noun)),
        None if shown == newest => "Last run".to_owned(),
        None => "Past run".to_owned(),
    };
    html! {
        <>
            <div class="toolbar">
                if let Some((id, _)) = running {
                    <CancelButton job={*id} test="contract-cancel" />
                } else {
                    <Button kind={Kind::Primary} glyph={Glyph::Play} busy={start.busy} test="contract-run" onclick={run_all.reform(|_: MouseEvent| ())}>
                        { words.run }
                    </Button>
                }
                if !failed.is_empty() {
                    <Button glyph={Glyph::Refresh} disabled={busy} test="rerun-failed" onclick={
                        let (run_some, failed) = (run_some.clone(), failed.clone());
                        Callback::from(move |_: MouseEvent| run_some.emit((*failed).clone()))
                    }>{ format!("Run failed again ({})", failed.len()) }</Button>
                }
                if let Some(watched) = props.watched.clone() { <Watch {watched} {busy} on_saved={run_all} /> }
                <span class="grow" />
                if runs.len() > 1 {
                    <Compare runs={runs.clone()} {shown} other={*other} on_change={
                        let other = other.setter();
                        Callback::from(move |next| other.set(next))
                    } />
                }
            </div>
            <p class="muted">{ props.what.clone() }</p>
            <JobEnd refused={start.problem.clone()} {finished} />
            if let Some((_, live)) = running {
                <Underway live={live.clone()} {noun} whole={again.as_ref().map(|again| again.board.results.clone())} />
            } else if let Some(problem) = problem {
                <ProblemView {problem} />
            } else if let (Some(board), Some(id)) = (board, shown) {
                <Panel {title} aside={html! { <ExportButtons {id} kind={RunKind::Contract} /> }} test="shown-run">
                    <ContractReportView {board} {before} on_rerun={(!busy).then_some(run_some)} />
                </Panel>
            } else if props.runs.as_ref().is_some_and(|runs| runs.is_empty()) {
                <EmptyState glyph={Glyph::Contract} title={words.never} hint={words.hint} />
            } else {
                <Loading what="the runs" />
            }
            if running.is_none() && runs.len() > 1 {
                <Panel title="Earlier runs"><RunList {runs} current={shown} on_choose={
                    let chosen = chosen.setter();
                    Callback::from(move |id| chosen.set(Some(id)))
                } /></Panel>
            }
        </>
    }
}

/// The properties of [`Underway`].
#[derive(Properties, PartialEq)]
pub struct UnderwayProps {
    /// The job.
    pub live: Live,
    /// The operations as they were, where only some are run again.
    #[prop_or_default]
    pub whole: Option<Rc<Vec<Judged>>>,
    /// What one result is about.
    #[prop_or("operation".into())]
    pub noun: AttrValue,
}

/// How far a run is, and what it has found so far.
#[component]
pub fn Underway(props: &UnderwayProps) -> Html {
    let deps = (props.live.results.clone(), props.whole.clone());
    let results = use_memo(deps, |(found, whole)| match whole {
        Some(whole) => merged(whole, found),
        None => found.to_vec(),
    });
    let far = match props.live.judged.unwrap_or((0, 0)) {
        (0, 0) => "Reading the contract".to_owned(),
        // Nobody knows how long a stream is before its end.
        (done, 0) => text::counted(done as u64, "message"),
        (done, total) => format!("{done} of {}", text::counted(total as u64, &props.noun)),
    };
    let (done, total) = props.live.judged.unwrap_or((0, 0));
    html! {
        <Panel title="Under way" test="contract-progress">
            <div class="stack">
                <p class="row">
                    <progress class="progress" value={done.to_string()} max={total.max(1).to_string()} aria-label="How far it is" />
                    <span>{ far }</span>
                </p>
                if !results.is_empty() { <Results {results} before={props.whole.clone()} noun={props.noun.clone()} /> }
            </div>
        </Panel>
    }
}

/// The run that a job has stored.
pub fn stored(live: &Live) -> Option<&RunSummary> {
    match &live.finished {
        Some(Finished::Stored { run }) => Some(run),
        _ => None,
    }
}
