//! A probe: one exchange, composed, sent and shown whole. With an integration its endpoints are there to choose from.

mod auth;
mod compose;
mod pairs;

use std::rc::Rc;

use patchbay_contracts::{
    Problem,
    integration::Integration,
    ipc::{AddIntegration, EndpointRequest, ListRuns, SendProbe},
    probe::{ProbeReport, ProbeRequest},
    run::{Report, Run, RunId, RunKind},
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::TabProps;
use crate::{
    components::{Button, EmptyState, Glyph, Panel, ProblemView, Select},
    hooks::{go, use_data, use_notify, use_query},
    ipc::call,
    reports::{ExportButtons, ProbeReportView, RunList, RunView},
    route::{Route, Tab},
    utils::curl,
};
pub use auth::AuthEditor;
use compose::Composer;

/// How many past probes are listed.
const LISTED: u32 = 20;

/// The probe page of an integration.
#[component]
pub fn ProbeTab(props: &TabProps) -> Html {
    let detail = &props.detail;
    let definition = detail.definition.clone().map(Rc::new);
    html! { <Bench integration={detail.summary.name.clone()} {definition} /> }
}

/// A probe of any address.
#[component]
pub fn AdHocProbe() -> Html {
    html! { <Bench /> }
}

/// What the lower half of the page shows.
#[derive(Debug, Clone, PartialEq)]
enum Shown {
    Nothing,
    /// What was sent just now.
    Sent(Rc<ProbeReport>, RunId),
    /// Why nothing was sent.
    Refused(Problem),
    /// A probe of the past.
    Past(RunId),
}

#[derive(Properties, PartialEq)]
struct BenchProps {
    #[prop_or_default]
    integration: Option<String>,
    #[prop_or_default]
    definition: Option<Rc<Integration>>,
}

/// The request above, the answer below, past probes at the end.
#[component]
fn Bench(props: &BenchProps) -> Html {
    let request = use_state_eq(|| Rc::new(ProbeRequest { integration: props.integration.clone(), ..fresh() }));
    let shown = use_state_eq(|| Shown::Nothing);
    let busy = use_state_eq(|| false);
    let notify = use_notify();
    let labels: Vec<AttrValue> = match &props.definition {
        Some(definition) => definition.endpoints.iter().map(|endpoint| endpoint.label().into()).collect(),
        None => Vec::new(),
    };
    let endpoint = use_state_eq(|| labels.first().cloned());
    use_endpoint(props.integration.clone(), (*endpoint).clone(), request.setter(), shown.setter());
    let on_change = {
        let request = request.setter();
        Callback::from(move |next: ProbeRequest| request.set(Rc::new(next)))
    };
    let on_send = {
        let (shown, busy) = (shown.setter(), busy.setter());
        Callback::from(move |request: ProbeRequest| {
            let (shown, busy) = (shown.clone(), busy.clone());
            busy.set(true);
            spawn_local(async move {
                let sent = call(SendProbe { request }).await;
                shown.set(match sent {
                    Ok(Run { summary, report: Report::Probe(report) }) => Shown::Sent(Rc::new(report), summary.id),
                    Ok(_) => Shown::Refused(Problem::internal("a probe was answered with another kind of run")),
                    Err(problem) => Shown::Refused(problem),
                });
                busy.set(false);
            });
        })
    };
    let register = {
        let request = request.clone();
        Callback::from(move |_: MouseEvent| {
            let said = notify.clone();
            let command = AddIntegration { input: curl::line(&request), name: None };
            notify.perform(command, move |saved| {
                said.undoable(format!("Registered {}", saved.name));
                go(&Route::Integration { name: saved.name, tab: Tab::Definition });
            });
        })
    };
    let on_endpoint = {
        let endpoint = endpoint.setter();
        Callback::from(move |label: String| endpoint.set(Some(label.into())))
    };
    let choices: Vec<(AttrValue, AttrValue)> = labels.iter().map(|label| (label.clone(), label.clone())).collect();
    let aside = html! {
        if props.integration.is_none() {
            <Button glyph={Glyph::Plus} disabled={request.url.trim().is_empty()} onclick={register} test="probe-register">
                { "Register as an integration" }
            </Button>
        } else if !choices.is_empty() {
            <Select label="Endpoint" options={choices} value={(*endpoint).clone().unwrap_or_default()} on_change={on_endpoint} test="probe-endpoint" />
        }
    };
    html! {
        <div class="stack" data-test="probe-page">
            <Panel title="Request" {aside}>
                <Composer request={(*request).clone()} {on_change} {on_send} busy={*busy} />
            </Panel>
            <div aria-live="polite" aria-busy={busy.then_some("true")} class="answer">
                { match &*shown {
                    Shown::Nothing if *busy => html! { <p class="muted loading" role="status">{ "Waiting for the answer…" }</p> },
                    Shown::Nothing => html! {
                        <EmptyState glyph={Glyph::Probe} title="Nothing sent yet" test="probe-empty"
                            hint="Type an address or paste a curl line, and send it with Ctrl+Enter. The whole exchange is shown here with where its time went." />
                    },
                    Shown::Refused(problem) => html! { <ProblemView problem={problem.clone()} /> },
                    Shown::Sent(report, id) => html! {
                        <Panel title="Answer" aside={html! { <ExportButtons id={*id} kind={RunKind::Probe} /> }} test="answer">
                            <ProbeReportView key={*id} report={report.clone()} />
                        </Panel>
                    },
                    Shown::Past(id) => html! {
                        <Panel title="Past probe" aside={html! { <ExportButtons id={*id} kind={RunKind::Probe} /> }} test="past-answer">
                            <RunView key={*id} id={*id} />
                        </Panel>
                    },
                } }
            </div>
            <Past integration={props.integration.clone()} shown={shown.clone()} />
        </div>
    }
}

/// What a request starts as.
fn fresh() -> ProbeRequest {
    ProbeRequest { follow_redirects: true, ..ProbeRequest::default() }
}

/// Fills the request in from the endpoint that was chosen.
#[hook]
fn use_endpoint(
    integration: Option<String>,
    endpoint: Option<AttrValue>,
    request: UseStateSetter<Rc<ProbeRequest>>,
    shown: UseStateSetter<Shown>,
) {
    use_effect_with((integration, endpoint), move |(integration, endpoint)| {
        let asked = integration.clone().zip(endpoint.clone());
        if let Some((integration, endpoint)) = asked {
            spawn_local(async move {
                let command = EndpointRequest { integration, endpoint: Some(endpoint.to_string()) };
                match call(command).await {
                    Ok(described) => request.set(Rc::new(described)),
                    Err(problem) => shown.set(Shown::Refused(problem)),
                }
            });
        }
    });
}

#[derive(Properties, PartialEq)]
struct PastProps {
    integration: Option<String>,
    shown: UseStateHandle<Shown>,
}

/// The last probes.
#[component]
fn Past(props: &PastProps) -> Html {
    let data = use_data();
    let query = use_query((props.integration.clone(), data.run_changes), |(integration, _)| ListRuns {
        integration: integration.clone(),
        kind: Some(RunKind::Probe),
        limit: LISTED,
        before: None,
    });
    let Some(runs) = query.data.filter(|runs| !runs.is_empty()) else { return Html::default() };
    let current = match &*props.shown {
        Shown::Sent(_, id) | Shown::Past(id) => Some(*id),
        _ => None,
    };
    let on_choose = {
        let shown = props.shown.setter();
        Callback::from(move |id| shown.set(Shown::Past(id)))
    };
    html! {
        <Panel title="Last probes"><RunList {runs} {current} {on_choose} named={props.integration.is_none()} /></Panel>
    }
}
