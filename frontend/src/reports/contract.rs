//! Whether a service held to its contract.

use std::{collections::BTreeMap, rc::Rc};

use patchbay_contracts::{
    contract::{CheckResult, ContractReport, EndpointResult},
    run::Verdict,
};
use serde_json::Value;
use yew::prelude::*;

use super::{
    WaterfallView,
    body::LongText,
    probe::{Curl, RequestView},
};
use crate::{
    components::{Column, Glyph, Icon, MiddleCut, ProblemView, Table, Time, VerdictBadge},
    utils::text,
};

/// The longest value that stands beside the other one, in characters; a whole document is read in its own place.
const LONG: usize = 4_000;

/// The properties of [`ContractReportView`].
#[derive(Properties, PartialEq)]
pub struct ContractReportViewProps {
    /// What the run found.
    pub report: Rc<ContractReport>,
}

/// The verdict, and each endpoint.
#[component]
pub fn ContractReportView(props: &ContractReportViewProps) -> Html {
    let report = &props.report;
    let held = report.endpoints.iter().filter(|endpoint| endpoint.verdict == Verdict::Pass).count();
    let words = match report.verdict {
        Verdict::Pass if report.partial => "All that was called before the run was cancelled held.",
        Verdict::Pass => "The service holds to its contract.",
        Verdict::Fail => "The service does not hold to its contract.",
        Verdict::Inconclusive => "Nothing failed, and not everything could be judged.",
    };
    html! {
        <div class="stack" data-test="contract-report">
            <p class="outcome">
                <VerdictBadge verdict={report.verdict} partial={report.partial} test="contract-verdict" />
                <span>{ words }</span>
                <span>{ format!("{held} of {} held", text::counted(report.endpoints.len() as u64, "endpoint")) }</span>
                <span>{ text::duration(report.duration_ms) }</span>
                <span class="muted"><Time at={report.at} /></span>
                if let Some(version) = &report.version { <span class="muted">{ "version " }{ version }</span> }
                <span class="muted code"><MiddleCut text={report.base_url.clone()} limit=48 /></span>
            </p>
            <EndpointList endpoints={Rc::new(report.endpoints.clone())} />
        </div>
    }
}

/// The properties of [`EndpointList`].
#[derive(Properties, PartialEq)]
pub struct EndpointListProps {
    /// The endpoints that were judged, in order.
    pub endpoints: Rc<Vec<EndpointResult>>,
}

/// The endpoints and how they came out. Those that did not hold are open.
#[component]
pub fn EndpointList(props: &EndpointListProps) -> Html {
    let turned = use_state_eq(BTreeMap::<usize, bool>::new);
    let columns = vec![
        Column::actions("Details"),
        Column::words("Verdict"),
        Column::wide("Endpoint"),
        Column::figures("Status"),
        Column::figures("Time"),
        Column::figures("Attempts"),
        Column::figures("Checks held"),
    ];
    html! {
        <Table label="Endpoints" {columns} test="endpoints">
            { for props.endpoints.iter().enumerate().map(|(at, endpoint)| {
                let open = turned.get(&at).copied().unwrap_or(endpoint.verdict != Verdict::Pass);
                let turned = turned.clone();
                let onclick = Callback::from(move |_: MouseEvent| {
                    let mut next = (*turned).clone();
                    next.insert(at, !open);
                    turned.set(next);
                });
                let held = endpoint.checks.iter().filter(|check| check.verdict == Verdict::Pass).count();
                html! {
                    <>
                        <tr class={open.then_some("opened")} data-test="endpoint">
                            <td class="actions">
                                <button type="button" class="fold" aria-expanded={if open { "true" } else { "false" }} {onclick}
                                    aria-label={format!("Details of {}", endpoint.endpoint)} data-test="endpoint-details">
                                    <Icon glyph={Glyph::Chevron} />
                                </button>
                            </td>
                            <td><VerdictBadge verdict={endpoint.verdict} /></td>
                            <td class="wide"><MiddleCut text={endpoint.endpoint.clone()} limit=64 /></td>
                            <td class="figure">{ endpoint.status.map_or_else(|| "–".to_owned(), |status| status.to_string()) }</td>
                            <td class="figure">{ text::duration(endpoint.timing.total_ms) }</td>
                            <td class="figure">{ endpoint.attempts }</td>
                            <td class="figure">{ format!("{held} of {}", endpoint.checks.len()) }</td>
                        </tr>
                        if open {
                            <tr class="detail"><td colspan="7"><EndpointView endpoints={props.endpoints.clone()} {at} /></td></tr>
                        }
                    </>
                }
            }) }
        </Table>
    }
}

#[derive(Properties, PartialEq)]
struct EndpointViewProps {
    endpoints: Rc<Vec<EndpointResult>>,
    at: usize,
}

/// One endpoint: what did not hold first, then what did, then the exchange.
#[component]
fn EndpointView(props: &EndpointViewProps) -> Html {
    let exchange = use_state_eq(|| false);
    let Some(endpoint) = props.endpoints.get(props.at) else { return Html::default() };
    let (held, broken): (Vec<_>, Vec<_>) = endpoint.checks.iter().partition(|check| check.verdict == Verdict::Pass);
    let toggle = {
        let exchange = exchange.clone();
        Callback::from(move |_: MouseEvent| exchange.set(!*exchange))
    };
    html! {
        <div class="stack">
            if let Some(problem) = &endpoint.problem { <ProblemView problem={problem.clone()} /> }
            { for broken.into_iter().map(check) }
            if !held.is_empty() {
                <ul class="held">
                    { for held.into_iter().map(|check| html! {
                        <li><Icon glyph={Glyph::Healthy} class="healthy" /><span class="muted">{ check.check.as_str() }</span>{ " " }{ &check.message }</li>
                    }) }
                </ul>
            }
            if let Some(request) = &endpoint.request {
                if !request.curl.is_empty() { <Curl line={request.curl.clone()} /> }
                <button type="button" class="link start" aria-expanded={if *exchange { "true" } else { "false" }} onclick={toggle}
                    data-test="endpoint-exchange">
                    { if *exchange { "Hide the exchange" } else { "Show the exchange" } }
                </button>
                if *exchange {
                    <WaterfallView timing={endpoint.timing} />
                    <RequestView request={request.clone()} />
                    if let Some(body) = &endpoint.body {
                        <h3>{ "Body of the answer" }</h3>
                        <div class="body-frame" tabindex="0" role="group" aria-label="Body of the answer"><LongText text={body.clone()} /></div>
                    }
                }
            }
        </div>
    }
}

/// One check that did not hold: expected beside actual.
fn check(check: &CheckResult) -> Html {
    let pointer =
        check.pointer.as_ref().map(|pointer| if pointer.is_empty() { "the whole body".to_owned() } else { pointer.clone() });
    html! {
        <div class="check" data-test="broken-check" data-check={check.check.as_str()}>
            <p class="row">
                <VerdictBadge verdict={check.verdict} />
                <strong>{ check.check.as_str() }</strong>
                <span>{ &check.message }</span>
            </p>
            if pointer.is_some() || check.place.is_some() {
                <p class="row muted">
                    if let Some(pointer) = pointer { <span>{ "at " }<span class="code" data-test="check-pointer">{ pointer }</span></span> }
                    if let Some(place) = &check.place {
                        <span>{ "asked for in " }<span class="code" data-test="check-place">{ place.to_string() }</span></span>
                    }
                </p>
            }
            if check.expected.is_some() || check.actual.is_some() {
                <div class="versus">
                    <div><h3>{ "Expected" }</h3><pre class="code raw" data-test="expected">{ shown(check.expected.as_ref()) }</pre></div>
                    <div><h3>{ "Actual" }</h3><pre class="code raw" data-test="actual">{ shown(check.actual.as_ref()) }</pre></div>
                </div>
            }
        </div>
    }
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "nothing".to_owned() };
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    if text.chars().count() <= LONG { text } else { text.chars().take(LONG).chain("…".chars()).collect() }
}
