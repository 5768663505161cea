//! The load page of an integration: say how, start, watch, read what came out.

mod calls;
mod form;
mod k6;
mod more;
mod stages;
mod thresholds;

use std::rc::Rc;

use patchbay_contracts::{
    Code,
    integration::{LoadOptions, LoadSpec},
    ipc::{EditDefinition, StartLoad},
    run::{RunId, RunKind},
    workspace::Edit,
};
use yew::prelude::*;

use super::{
    TabProps,
    contract::NoEndpoints,
    job::{CancelButton, JobEnd, PastRuns, use_newest_job, use_past_runs, use_start},
};
use crate::{
    components::{Button, EmptyState, Glyph, Kind, Loading, Panel, ProblemView},
    hooks::use_notify,
    reports::{Errors, LoadCharts, LoadTiles},
    state::Live,
    utils::text,
};
use form::LoadForm;

/// The load page.
#[component]
pub fn LoadTab(props: &TabProps) -> Html {
    let name = props.detail.summary.name.clone();
    let job = use_newest_job(RunKind::Load, &name);
    let past = use_past_runs(RunKind::Load, &name);
    let start = use_start();
    // What was started last is what the form holds again when the run is over.
    let sent = use_state_eq(|| None::<LoadSpec>);
    let baseline = use_state_eq(|| None::<RunId>);
    let metrics_port = use_state_eq(|| None::<u16>);
    let notify = use_notify();
    let endpoints: Vec<AttrValue> = match &props.detail.definition {
        Some(definition) => definition.endpoints.iter().map(|endpoint| endpoint.label().into()).collect(),
        None => Vec::new(),
    };
    if endpoints.is_empty() {
        return html! { <NoEndpoints name={name} readable={props.detail.definition.is_some()} /> };
    }
    let defined = props.detail.definition.as_ref().and_then(|definition| definition.load.clone());
    let begin = {
        let (start, integration, sent) = (start.clone(), name.clone(), sent.setter());
        let (baseline, metrics_port) = (*baseline, *metrics_port);
        move |spec: LoadSpec, confirmed: bool| {
            sent.set(Some(spec.clone()));
            let options = LoadOptions { confirmed, baseline, metrics_port };
            start.run(StartLoad { integration: integration.clone(), spec, options });
        }
    };
    let on_start = {
        let begin = begin.clone();
        Callback::from(move |spec: LoadSpec| begin(spec, false))
    };
    let on_confirm = {
        let sent = (*sent).clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(spec) = sent.clone() {
                begin(spec, true);
            }
        })
    };
    let on_keep = {
        let (notify, name) = (notify, name.clone());
        Callback::from(move |spec: LoadSpec| {
            let Ok(value) = serde_json::to_value(&spec) else { return };
            let said = notify.clone();
            let edits = vec![Edit { pointer: "/integration/load".to_owned(), value }];
            notify
                .perform(EditDefinition { name: name.clone(), edits }, move |_| said.undoable("Kept in the integration's file"));
        })
    };
    let running = job.as_ref().filter(|(_, live)| live.finished.is_none());
    let finished = job.as_ref().and_then(|(_, live)| live.finished.clone());
    let (asks, refused) = match start.problem.clone() {
        Some(problem) if problem.code == Code::NeedsConfirmation => (Some(problem), None),
        other => (None, other),
    };
    let runs = past.data.clone().unwrap_or_default();
    let on_baseline = {
        let baseline = baseline.setter();
        Callback::from(move |chosen| baseline.set(chosen))
    };
    let on_metrics_port = {
        let metrics_port = metrics_port.setter();
        Callback::from(move |chosen| metrics_port.set(chosen))
    };
    html! {
        <div class="stack" data-test="load-page">
            if let Some((id, live)) = running {
                <Panel title="Under way" aside={html! { <CancelButton job={*id} test="load-cancel" /> }} test="load-progress">
                    <LiveLoad live={live.clone()} spec={(*sent).clone().or(defined).unwrap_or_default()} />
                </Panel>
            } else {
                <LoadForm {endpoints} {defined} sent={(*sent).clone()} {runs} baseline={*baseline} {on_baseline} busy={start.busy}
                    {on_start} {on_keep} on_metrics_port={on_metrics_port} metrics_port={*metrics_port} integration={name.clone()} />
                if let Some(problem) = asks {
                    <div data-test="load-question">
                        <ProblemView {problem} mild=true>
                            <div class="row question">
                                <Button kind={Kind::Primary} glyph={Glyph::Play} busy={start.busy} test="load-confirm" onclick={on_confirm}>
                                    { "Start all the same" }
                                </Button>
                            </div>
                        </ProblemView>
                    </div>
                }
                <JobEnd {refused} {finished} />
                { match (&past.data, &past.problem) {
                    (_, Some(problem)) => html! { <ProblemView problem={problem.clone()} /> },
                    (None, None) => html! { <Loading what="the runs" /> },
                    (Some(runs), None) if runs.is_empty() => html! {
                        <EmptyState glyph={Glyph::Load} title="No load run yet"
                            hint="Start one above. Begin small: a few connections for ten seconds already show where the time goes." />
                    },
                    (Some(runs), None) => html! { <PastRuns title="Earlier runs" kind={RunKind::Load} runs={runs.clone()} /> },
                } }
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct LiveLoadProps {
    live: Live,
    spec: LoadSpec,
}

/// A run as far as it has come.
#[component]
fn LiveLoad(props: &LiveLoadProps) -> Html {
    let live = &props.live;
    let slices = use_memo(live.slices.clone(), |slices| slices.iter().copied().collect::<Vec<_>>());
    let Some(load) = &live.load else {
        return html! { <p class="muted" role="status">{ "Connecting…" }</p> };
    };
    html! {
        <div class="stack">
            <p class="row">
                <progress class="progress" value={format!("{:.3}", live.share().unwrap_or(0.0))} max="1" aria-label="How far the run is" />
                <span data-test="load-elapsed">
                    { format!("{} of {}", text::duration((load.elapsed_ms / 1e3).floor() * 1e3), text::duration(load.total_ms)) }
                </span>
            </p>
            <LoadTiles totals={load.totals} latency={load.latency} />
            if !load.errors.is_empty() { <Errors errors={load.errors.clone()} /> }
            <LoadCharts slices={Rc::clone(&slices)} spec={props.spec.clone()} seconds={load.total_ms / 1e3} />
        </div>
    }
}
