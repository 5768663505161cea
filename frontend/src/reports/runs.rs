//! Stored runs: a list to choose from, one of them whole, and its report as a file.

use std::rc::Rc;

use patchbay_contracts::{
    ipc::{ExportRun, GetRun},
    run::{Report, Run, RunId, RunKind, RunSummary},
};
use yew::prelude::*;

use super::{Board, ContractReportView, LoadReportView, ProbeReportView};
use crate::{
    components::{Button, Glyph, Kind, Loading, ProblemView, Time, VerdictBadge},
    hooks::{use_notify, use_query},
    utils::text,
};

/// The properties of [`RunList`].
#[derive(Properties, PartialEq)]
pub struct RunListProps {
    /// The runs, newest first.
    pub runs: Rc<Vec<RunSummary>>,
    /// The one that is shown.
    pub current: Option<RunId>,
    /// Told of a choice.
    pub on_choose: Callback<RunId>,
    /// Whether each says whose it is.
    #[prop_or_default]
    pub named: bool,
}

/// Runs to choose from.
#[component]
pub fn RunList(props: &RunListProps) -> Html {
    html! {
        <ul class="runs" data-test="past-runs">
            { for props.runs.iter().map(|run| {
                let (on_choose, id) = (props.on_choose.clone(), run.id);
                html! {
                    <li key={run.id}>
                        <button type="button" class="run" aria-current={(props.current == Some(id)).then_some("true")}
                            onclick={Callback::from(move |_: MouseEvent| on_choose.emit(id))} data-test="past-run"
                            title={run.headline.clone()}>
                            <VerdictBadge verdict={run.verdict} partial={run.partial} />
                            <span class="run-headline">
                                if let Some(name) = run.integration.as_ref().filter(|_| props.named) { <strong>{ name }{ " " }</strong> }
                                { &run.headline }
                            </span>
                            <span class="muted">{ text::duration(run.duration_ms) }</span>
                            <span class="muted"><Time at={run.at} /></span>
                        </button>
                    </li>
                }
            }) }
        </ul>
    }
}

/// The properties of [`RunView`].
#[derive(Properties, PartialEq)]
pub struct RunViewProps {
    /// The run.
    pub id: RunId,
    /// Told of the run when it is there.
    #[prop_or_default]
    pub on_loaded: Callback<Rc<Run>>,
    /// Runs the operations of these labels again, where it is a contract run that can be.
    #[prop_or_default]
    pub on_rerun: Option<Callback<Vec<String>>>,
}

/// A stored run whole. Another run needs another `key`.
#[component]
pub fn RunView(props: &RunViewProps) -> Html {
    let query = use_query(props.id, |id| GetRun { id: *id });
    {
        let on_loaded = props.on_loaded.clone();
        use_effect_with(query.data.clone(), move |run| {
            if let Some(run) = run {
                on_loaded.emit(run.clone());
            }
        });
    }
    let report = use_memo(query.data.clone(), |run| run.as_ref().map(|run| Shown::of(&run.report, run.summary.id)));
    match (&*report, query.problem) {
        (Some(Shown::Probe(report)), _) => html! { <ProbeReportView report={report.clone()} /> },
        (Some(Shown::Contract(report)), _) => {
            html! { <ContractReportView board={report.clone()} on_rerun={props.on_rerun.clone()} /> }
        }
        (Some(Shown::Load(report)), _) => html! { <LoadReportView report={report.clone()} /> },
        (None, Some(problem)) => html! { <ProblemView {problem} /> },
        (None, None) => html! { <Loading what="the run" /> },
    }
}

/// A report whose parts can be handed on without copying them.
enum Shown {
    Probe(Rc<patchbay_contracts::probe::ProbeReport>),
    Contract(Board),
    Load(Rc<patchbay_contracts::load::LoadReport>),
}

impl Shown {
    fn of(report: &Report, run: RunId) -> Self {
        match report {
            Report::Probe(report) => Self::Probe(Rc::new(report.clone())),
            Report::Contract(report) => Self::Contract(Board::of(report, run)),
            Report::Load(report) => Self::Load(Rc::new(report.clone())),
        }
    }
}

/// The properties of [`ExportButtons`].
#[derive(Properties, PartialEq)]
pub struct ExportButtonsProps {
    /// The run.
    pub id: RunId,
    /// Its kind, which decides what it can be written as.
    pub kind: RunKind,
}

/// Writes a run's report as a file.
#[component]
pub fn ExportButtons(props: &ExportButtonsProps) -> Html {
    let notify = use_notify();
    let formats: &[(&str, &str)] = match props.kind {
        RunKind::Contract => &[("html", "HTML"), ("junit", "JUnit"), ("sarif", "SARIF"), ("json", "JSON")],
        RunKind::Load => &[("html", "HTML"), ("csv", "CSV"), ("junit", "JUnit"), ("json", "JSON")],
        RunKind::Probe => &[("html", "HTML"), ("json", "JSON")],
    };
    html! {
        <div class="row tight" role="group" aria-label="Export the report">
            { for formats.iter().map(|(format, shown)| {
                let (notify, id) = (notify.clone(), props.id);
                let onclick = Callback::from(move |_: MouseEvent| {
                    let said = notify.clone();
                    notify.perform(ExportRun { id, format: (*format).to_owned() }, move |file| said.done(format!("Written to {file}")));
                });
                html! {
                    <Button kind={Kind::Quiet} glyph={Glyph::Download} label={format!("Write the report as {shown}")}
                        test={format!("export-{format}")} {onclick}>{ *shown }</Button>
                }
            }) }
        </div>
    }
}
