//! The contract page of an integration: run it, watch it, read what did not hold.

use std::rc::Rc;

use patchbay_contracts::{contract::ContractOptions, ipc::StartContract, run::RunKind};
use yew::prelude::*;

use super::{
    TabProps,
    job::{CancelButton, JobEnd, PastRuns, use_newest_job, use_past_runs, use_start},
};
use crate::{
    components::{Button, EmptyState, Glyph, Kind, LinkButton, Loading, Panel, ProblemView},
    reports::EndpointList,
    route::{Route, Tab},
    utils::text,
};

/// The contract page.
#[component]
pub fn ContractTab(props: &TabProps) -> Html {
    let name = props.detail.summary.name.clone();
    let job = use_newest_job(RunKind::Contract, &name);
    let past = use_past_runs(RunKind::Contract, &name);
    let start = use_start();
    let running = job.as_ref().filter(|(_, live)| live.finished.is_none());
    let endpoints = props.detail.definition.as_ref().map_or(0, |definition| definition.endpoints.len());
    if endpoints == 0 {
        return html! { <NoEndpoints name={name} readable={props.detail.definition.is_some()} /> };
    }
    let onclick = {
        let (start, name) = (start.clone(), name.clone());
        Callback::from(move |_: MouseEvent| {
            start.run(StartContract { integration: name.clone(), options: ContractOptions::default() })
        })
    };
    let never = past.data.as_ref().is_some_and(|runs| runs.is_empty()) && running.is_none();
    let finished = job.as_ref().and_then(|(_, live)| live.finished.clone());
    html! {
        <div class="stack" data-test="contract-page">
            <div class="row">
                if let Some((id, _)) = running {
                    <CancelButton job={*id} test="contract-cancel" />
                } else {
                    <Button kind={Kind::Primary} glyph={Glyph::Play} busy={start.busy} test="contract-run" {onclick}>
                        { "Run the contract" }
                    </Button>
                }
                <span class="muted">{ format!("Calls {} in the order of the file.", text::counted(endpoints as u64, "endpoint")) }</span>
            </div>
            <JobEnd refused={start.problem.clone()} {finished} />
            if let Some((_, live)) = running {
                { {
                    let (done, total) = live.judged.unwrap_or((0, endpoints));
                    html! {
                        <Panel title="Under way" test="contract-progress">
                            <p class="row">
                                <progress class="progress" value={done.to_string()} max={total.max(1).to_string()} aria-label="Endpoints judged" />
                                <span>{ format!("{done} of {}", text::counted(total as u64, "endpoint")) }</span>
                            </p>
                            if !live.results.is_empty() { <EndpointList endpoints={Rc::new(live.results.clone())} /> }
                        </Panel>
                    }
                } }
            }
            { match (&past.data, &past.problem) {
                (_, Some(problem)) => html! { <ProblemView problem={problem.clone()} /> },
                (None, None) => html! { <Loading what="the runs" /> },
                (Some(_), None) if never => html! {
                    <EmptyState glyph={Glyph::Contract} title="The contract was never run"
                        hint="Running it calls each endpoint once, and holds the status, the headers, the time and the body to what the file says." />
                },
                (Some(runs), None) if running.is_none() => html! {
                    <PastRuns title="Earlier runs" kind={RunKind::Contract} runs={runs.clone()} />
                },
                _ => Html::default(),
            } }
        </div>
    }
}

/// The properties of [`NoEndpoints`].
#[derive(Properties, PartialEq)]
pub struct NoEndpointsProps {
    /// The integration.
    pub name: String,
    /// Whether its file could be read.
    pub readable: bool,
}

/// There is nothing to call.
#[component]
pub fn NoEndpoints(props: &NoEndpointsProps) -> Html {
    let (title, hint) = if props.readable {
        (
            "The file names no endpoint",
            "Add one under `endpoints:` with a method and a path, and it can be probed, held to its contract and put under load.",
        )
    } else {
        (
            "The file can't be read",
            "Its mistakes stand beside it, each with its line. Once they are mended, everything here works.",
        )
    };
    html! {
        <EmptyState glyph={Glyph::Contract} {title} {hint} test="no-endpoints">
            <LinkButton kind={Kind::Primary} glyph={Glyph::Edit} test="open-definition"
                to={Route::Integration { name: props.name.clone(), tab: Tab::Definition }}>{ "Open the definition" }</LinkButton>
        </EmptyState>
    }
}
