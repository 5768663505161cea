//! Whether a service held to its contract: the verdict, the operations against the checks, what did not hold, and how much
//! of the contract was seen.

mod accept;
mod check;
mod coverage;
mod detail;
mod difference;
mod grid;
mod results;

use std::rc::Rc;

use patchbay_contracts::{
    contract::{ContractReport, ContractSubject},
    run::{RunId, Verdict},
};
use yew::prelude::*;

use self::coverage::CoverageView;
pub use self::results::Results;
use crate::{
    components::{CopyButton, Glyph, Icon, MiddleCut, ProblemView, Time, VerdictBadge, in_words},
    utils::{
        matrix::{Judged, merged},
        text,
    },
};

/// How many problems of a contract are shown before the rest is asked for.
const PROBLEMS: usize = 10;

/// What a run found, its operations apart from the rest so that both can be handed on without copying.
#[derive(Debug, Clone, PartialEq)]
pub struct Board {
    /// All but the operations.
    pub report: Rc<ContractReport>,
    /// The operations.
    pub results: Rc<Vec<Judged>>,
}

impl Board {
    /// Takes the report of a stored run apart.
    pub fn of(report: &ContractReport, run: RunId) -> Self {
        let mut report = report.clone();
        let results = std::mem::take(&mut report.endpoints).into_iter().map(|result| Judged::new(result, Some(run))).collect();
        Self { report: Rc::new(report), results: Rc::new(results) }
    }

    /// The same with operations that were run again later in their place.
    pub fn with(&self, later: &Self) -> Self {
        let results = merged(&self.results, &later.results);
        let mut report = (*self.report).clone();
        report.verdict = Verdict::of(results.iter().map(|result| result.verdict));
        report.partial |= later.report.partial;
        report.at = later.report.at;
        report.notes.extend(later.report.notes.iter().filter(|note| !self.report.notes.contains(note)).cloned());
        Self { report: Rc::new(report), results: Rc::new(results) }
    }
}

/// The properties of [`ContractReportView`].
#[derive(Properties, PartialEq)]
pub struct ContractReportViewProps {
    /// What the run found.
    pub board: Board,
    /// Runs the operations of these labels again.
    #[prop_or_default]
    pub on_rerun: Option<Callback<Vec<String>>>,
    /// The operations of the run that this one is compared with.
    #[prop_or_default]
    pub before: Option<Rc<Vec<Judged>>>,
}

/// The verdict, what the run can't vouch for, each operation, and what was seen.
#[component]
pub fn ContractReportView(props: &ContractReportViewProps) -> Html {
    let report = &props.board.report;
    html! {
        <div class="stack" data-test="contract-report">
            <Head board={props.board.clone()} />
            { for report.notes.iter().map(|note| html! {
                <p class="note" data-test="note"><Icon glyph={Glyph::Degraded} /><span>{ in_words(note) }</span></p>
            }) }
            <Results results={props.board.results.clone()} on_rerun={props.on_rerun.clone()} before={props.before.clone()} noun={noun(report)} />
            <Problems report={report.clone()} />
            if let Some(coverage) = &report.coverage {
                <CoverageView coverage={coverage.clone()} called={if called(report) { "Operations called" } else { "Types of messages that came" }} />
            }
        </div>
    }
}

/// What one result of a run is about.
fn noun(report: &ContractReport) -> &'static str {
    report.subject.as_ref().map_or("operation", ContractSubject::noun)
}

/// Whether a service was called; files are checked without.
const fn called(report: &ContractReport) -> bool {
    !matches!(report.subject, Some(ContractSubject::Files { .. }))
}

#[derive(Properties, PartialEq)]
struct HeadProps {
    board: Board,
}

/// The line over a run.
#[component]
fn Head(props: &HeadProps) -> Html {
    let Board { report, results } = &props.board;
    let held = results.iter().filter(|result| result.verdict == Verdict::Pass).count();
    let words = match report.verdict {
        Verdict::Pass if !called(report) => "Everything that was checked holds.",
        Verdict::Fail if !called(report) => "Not everything that was checked holds.",
        Verdict::Pass if report.partial => "All that was called before the run was cancelled held.",
        Verdict::Pass => "The service holds to its contract.",
        Verdict::Fail => "The service does not hold to its contract.",
        Verdict::Inconclusive => "Nothing failed, and not everything could be judged.",
    };
    html! {
        <p class="outcome">
            <VerdictBadge verdict={report.verdict} partial={report.partial} test="contract-verdict" />
            <span>{ words }</span>
            <span>{ format!("{held} of {} held", text::counted(results.len() as u64, noun(report))) }</span>
            <span>{ text::duration(report.duration_ms) }</span>
            <span class="muted"><Time at={report.at} /></span>
            <span class="muted">{ report.kind.as_str() }{ report.version.as_ref().map(|version| format!(", version {version}")).unwrap_or_default() }</span>
            <span class="muted code" title="The file of the contract"><MiddleCut text={report.file.clone()} limit=40 /></span>
            if !report.base_url.is_empty() {
                <span class="muted code" title="The address that was called"><MiddleCut text={report.base_url.clone()} limit=48 /></span>
            }
            if let Some(seed) = report.seed {
                <span class="seed muted" title="The same seed makes the same requests">
                    { "seed " }<span class="code" data-test="seed">{ seed }</span>
                    <CopyButton text={seed.to_string()} label="Copy the seed" test="copy-seed" />
                </span>
            }
        </p>
    }
}

#[derive(Properties, PartialEq)]
struct ProblemsProps {
    report: Rc<ContractReport>,
}

/// Parts of the contract that could not be read or judged.
#[component]
fn Problems(props: &ProblemsProps) -> Html {
    let all = use_state_eq(|| false);
    let problems = &props.report.problems;
    if problems.is_empty() {
        return Html::default();
    }
    let shown = if *all { problems.len() } else { PROBLEMS };
    let more = problems.len().saturating_sub(shown);
    html! {
        <div class="problems" data-test="contract-problems">
            <h3>{ format!("{} of the contract could not be read or judged", text::counted(problems.len() as u64, "part")) }</h3>
            { for problems.iter().take(shown).map(|problem| html! { <ProblemView problem={problem.clone()} mild=true /> }) }
            if more > 0 {
                <button type="button" class="link start" onclick={Callback::from(move |_: MouseEvent| all.set(true))}>
                    { format!("Show {more} more") }
                </button>
            }
        </div>
    }
}
