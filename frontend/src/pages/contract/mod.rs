//! Contract runs of one subject, an integration or any document: start them, watch one being filled, read it, run parts of
//! it again, and compare it with another.

mod bar;
mod board;

use std::rc::Rc;

use patchbay_contracts::{
    contract::ContractOptions,
    ipc::{StartContract, StartDocumentContract},
    run::{Finished, JobId, RunId, RunKind, RunSummary},
};
use yew::prelude::*;

pub use self::bar::Watched;
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

/// What is held to a contract.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// An integration of the workspace.
    Integration(String),
    /// A document that belongs to none.
    Document {
        /// The file or its address.
        source: String,
        /// How it is verified.
        options: Box<ContractOptions>,
    },
}

impl Subject {
    /// Starts a run of these operations; of all where none is named.
    fn start(&self, start: &Start, only: Vec<String>) {
        match self {
            Self::Integration(name) => {
                let options = ContractOptions { only, ..ContractOptions::default() };
                start.run(StartContract { integration: name.clone(), options });
            }
            Self::Document { source, options } => {
                let options = ContractOptions { only, ..(**options).clone() };
                start.run(StartDocumentContract { source: source.clone(), options });
            }
        }
    }
}

/// The properties of [`ContractRuns`].
#[derive(Properties, PartialEq)]
pub struct ContractRunsProps {
    /// What is held to a contract.
    pub subject: Subject,
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
            subject.start(&start, Vec::new());
        })
    };
    let run_some = {
        let (start, subject, chosen, again) = (start.clone(), props.subject.clone(), chosen.setter(), again.setter());
        let board = board.clone();
        Callback::from(move |only: Vec<String>| {
            let Some(board) = board.clone() else { return };
            chosen.set(None);
            again.set(Some(Again { after: newest, board, count: only.len() }));
            subject.start(&start, only);
        })
    };
    let busy = start.busy || running.is_some();
    let failed = use_memo(board.clone().map(|board| board.results), |results| {
        results.as_ref().map(|results| Matrix::of(results).failed()).unwrap_or_default()
    });
    let finished = props.job.as_ref().and_then(|(_, live)| live.finished.clone());
    let title = match extended {
        Some(again) => format!("Last run, {} run again", text::counted(again.count as u64, "operation")),
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
                        { "Run the contract" }
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
                <Underway live={live.clone()} whole={again.as_ref().map(|again| again.board.results.clone())} />
            } else if let Some(problem) = problem {
                <ProblemView {problem} />
            } else if let (Some(board), Some(id)) = (board, shown) {
                <Panel {title} aside={html! { <ExportButtons {id} kind={RunKind::Contract} /> }} test="shown-run">
                    <ContractReportView {board} {before} on_rerun={(!busy).then_some(run_some)} />
                </Panel>
            } else if props.runs.as_ref().is_some_and(|runs| runs.is_empty()) {
                <EmptyState glyph={Glyph::Contract} title="The contract was never run"
                    hint="Running it calls each operation, and holds the status, the headers, the time and the body to what the contract says." />
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
    pub whole: Option<Rc<Vec<Judged>>>,
}

/// How far a run is, and what it has found so far.
#[component]
pub fn Underway(props: &UnderwayProps) -> Html {
    let deps = (props.live.results.clone(), props.whole.clone());
    let results = use_memo(deps, |(found, whole)| match whole {
        Some(whole) => merged(whole, found),
        None => found.to_vec(),
    });
    let (done, total) = props.live.judged.unwrap_or((0, 0));
    html! {
        <Panel title="Under way" test="contract-progress">
            <div class="stack">
                <p class="row">
                    <progress class="progress" value={done.to_string()} max={total.max(1).to_string()} aria-label="Operations judged" />
                    <span>{ if total == 0 { "Reading the contract".to_owned() } else { format!("{done} of {}", text::counted(total as u64, "operation")) } }</span>
                </p>
                if !results.is_empty() { <Results {results} before={props.whole.clone()} /> }
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
