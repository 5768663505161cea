//! Contracts, load and metrics over all integrations.

use std::collections::BTreeMap;

use patchbay_contracts::{
    contract::ContractOptions,
    ipc::{ListRuns, ShowIntegration, StartContract},
    run::{RunKind, RunSummary},
    workspace::IntegrationSummary,
};
use yew::prelude::*;

use crate::{
    components::{
        Button, Column, EmptyState, Glyph, Kind, LinkButton, Loading, MiddleCut, ProblemView, Table, Time, VerdictBadge,
    },
    hooks::{go, use_data, use_job_started, use_notify, use_query},
    route::{Route, Tab},
    utils::text,
};

fn nothing_registered() -> Html {
    html! {
        <EmptyState glyph={Glyph::Integrations} title="No integrations yet" hint="Register one, and it is listed here.">
            <LinkButton to={Route::Add} glyph={Glyph::Plus}>{ "Add an integration" }</LinkButton>
        </EmptyState>
    }
}

/// The properties of [`LastRunsPage`].
#[derive(Properties, PartialEq)]
pub struct LastRunsPageProps {
    /// Contract or load.
    pub kind: RunKind,
}

/// Each integration with its last run of a kind.
#[component]
pub fn LastRunsPage(props: &LastRunsPageProps) -> Html {
    let data = use_data();
    let query = use_query((props.kind, data.run_changes), |(kind, _)| ListRuns {
        integration: None,
        kind: Some(*kind),
        limit: 1_000,
        before: None,
    });
    let Some(integrations) = data.integrations.clone() else {
        return if data.problem.is_some() {
            Html::default()
        } else {
            html! { <Loading what="the integrations" /> }
        };
    };
    if integrations.is_empty() {
        return nothing_registered();
    }
    let mut last: BTreeMap<&str, &RunSummary> = BTreeMap::new();
    for run in query.data.iter().flat_map(|runs| runs.iter()) {
        // They come newest first.
        if let Some(name) = &run.integration {
            last.entry(name).or_insert(run);
        }
    }
    let columns = vec![
        Column::words("Verdict"),
        Column::words("Integration"),
        Column::wide("Last result"),
        Column::figures("Took"),
        Column::figures("When"),
        Column::actions("Actions"),
    ];
    html! {
        <>
            if let Some(problem) = query.problem.clone() { <ProblemView {problem} /> }
            <Table label={if props.kind == RunKind::Contract { "Contracts" } else { "Load runs" }} {columns} test="last-runs">
                { for integrations.iter().map(|one| html! {
                    <LastRun key={one.name.clone()} kind={props.kind} one={one.clone()} run={last.get(one.name.as_str()).map(|run| (*run).clone())} />
                }) }
            </Table>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct LastRunProps {
    kind: RunKind,
    one: IntegrationSummary,
    run: Option<RunSummary>,
}

#[component]
fn LastRun(props: &LastRunProps) -> Html {
    let (notify, started) = (use_notify(), use_job_started());
    let tab = if props.kind == RunKind::Contract { Tab::Contract } else { Tab::Load };
    let to = Route::Integration { name: props.one.name.clone(), tab };
    let href = to.href();
    let test = {
        let (integration, to) = (props.one.name.clone(), to.clone());
        Callback::from(move |event: MouseEvent| {
            event.stop_propagation();
            let (started, to) = (started.clone(), to.clone());
            notify.perform(StartContract { integration: integration.clone(), options: ContractOptions::default() }, move |job| {
                started.emit(job);
                go(&to);
            });
        })
    };
    html! {
        <tr class="row-link" data-test="last-run-row" data-name={props.one.name.clone()} onclick={move |_: MouseEvent| go(&to)}>
            <td>
                if let Some(run) = &props.run { <VerdictBadge verdict={run.verdict} partial={run.partial} /> }
                else { <span class="muted">{ "no run yet" }</span> }
            </td>
            <td><a href={href.clone()}><MiddleCut text={props.one.name.clone()} limit=36 /></a></td>
            <td class="wrap">{ props.run.as_ref().map(|run| run.headline.clone()).unwrap_or_default() }</td>
            <td class="figure">{ props.run.as_ref().map(|run| text::duration(run.duration_ms)).unwrap_or_default() }</td>
            <td class="figure muted">if let Some(run) = &props.run { <Time at={run.at} /> }</td>
            <td class="actions">
                if props.kind == RunKind::Contract {
                    <Button kind={Kind::Quiet} glyph={Glyph::Play} test="start-contract" onclick={test}>{ "Test" }</Button>
                } else {
                    // What load to put on a service is decided on its page, never by one click in a list.
                    <a {href} class="button quiet" data-test="open-load">{ "Set up" }</a>
                }
            </td>
        </tr>
    }
}

/// Each integration with where its metrics come from.
#[component]
pub fn MetricsPage() -> Html {
    let data = use_data();
    let Some(integrations) = data.integrations.clone() else {
        return if data.problem.is_some() {
            Html::default()
        } else {
            html! { <Loading what="the integrations" /> }
        };
    };
    if integrations.is_empty() {
        return nothing_registered();
    }
    let columns =
        vec![Column::words("Integration"), Column::wide("Metrics from"), Column::figures("Every"), Column::actions("Actions")];
    html! {
        <Table label="Metrics" {columns} test="metrics-sources">
            { for integrations.iter().map(|one| html! { <MetricsSource key={one.name.clone()} name={one.name.clone()} /> }) }
        </Table>
    }
}

#[derive(Properties, PartialEq)]
struct MetricsSourceProps {
    name: String,
}

#[component]
fn MetricsSource(props: &MetricsSourceProps) -> Html {
    let data = use_data();
    let query = use_query((props.name.clone(), data.workspace_changes), |(name, _)| ShowIntegration { name: name.clone() });
    let metrics = query.data.as_ref().and_then(|detail| detail.definition.as_ref()?.metrics.clone());
    let to = Route::Integration { name: props.name.clone(), tab: Tab::Metrics };
    let href = to.href();
    html! {
        <tr class="row-link" data-test="metrics-row" data-name={props.name.clone()} onclick={move |_: MouseEvent| go(&to)}>
            <td><a href={href.clone()}><MiddleCut text={props.name.clone()} limit=36 /></a></td>
            <td class="code muted">
                { match (&metrics, &query.data) {
                    (Some(metrics), _) => html! { <MiddleCut text={metrics.url.clone()} limit=60 /> },
                    (None, Some(_)) => html! { "the definition names no metrics" },
                    (None, None) => Html::default(),
                } }
            </td>
            <td class="figure">{ metrics.map(|metrics| text::duration(metrics.interval.as_ms())).unwrap_or_default() }</td>
            <td class="actions"><a {href} class="button quiet">{ "Open" }</a></td>
        </tr>
    }
}
