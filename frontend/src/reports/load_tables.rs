//! The figures of a load run in tables.

use patchbay_contracts::load::{EndpointLoad, LoadError, Phases, Quantiles, ThresholdResult};
use yew::prelude::*;

use crate::{
    components::{Column, MiddleCut, Table, VerdictBadge},
    utils::text,
};

#[derive(Properties, PartialEq)]
pub struct QuantileTableProps {
    /// Latency.
    pub latency: Quantiles,
    /// How late requests went out.
    pub lag: Option<Quantiles>,
}

/// The whole distribution, and how late requests went out where that was measured.
#[component]
pub fn QuantileTable(props: &QuantileTableProps) -> Html {
    let rows = |of: &Quantiles| {
        [of.min_ms, of.mean_ms, of.p50_ms, of.p75_ms, of.p90_ms, of.p95_ms, of.p99_ms, of.p999_ms, of.p9999_ms, of.max_ms]
    };
    // A quantile that rests on less than one request is a guess.
    let needed = [1, 1, 2, 4, 10, 20, 100, 1_000, 10_000, 1];
    let names = ["least", "mean", "p50", "p75", "p90", "p95", "p99", "p99.9", "p99.99", "most"];
    let latency = rows(&props.latency);
    let lag = props.lag.as_ref().map(rows);
    let mut columns = vec![Column::words("Quantile"), Column::figures("Latency")];
    if lag.is_some() {
        columns.push(Column::figures("Sent late by"));
    }
    let shown = |at: usize, ms: f64, count: u64| if count >= needed[at] { text::duration(ms) } else { "–".to_owned() };
    html! {
        <Table label="Distribution of latency" {columns} test="quantiles">
            { for names.iter().enumerate().map(|(at, name)| html! {
                <tr>
                    <td>{ *name }</td>
                    <td class="figure">{ shown(at, latency[at], props.latency.count) }</td>
                    if let (Some(lag), Some(of)) = (&lag, &props.lag) { <td class="figure">{ shown(at, lag[at], of.count) }</td> }
                </tr>
            }) }
        </Table>
    }
}

#[derive(Properties, PartialEq)]
pub struct StatusesProps {
    /// Answers by status.
    pub statuses: Vec<(u16, u64)>,
}

/// Answers by status.
#[component]
pub fn Statuses(props: &StatusesProps) -> Html {
    let all: u64 = props.statuses.iter().map(|(_, count)| count).sum();
    if all == 0 {
        return html! { <p class="muted">{ "No request was answered." }</p> };
    }
    let columns = vec![Column::words("Status"), Column::figures("Answers"), Column::figures("Share")];
    html! {
        <Table label="Answers by status" {columns} test="statuses">
            { for props.statuses.iter().map(|(status, count)| html! {
                <tr>
                    <td class={(*status >= 400).then_some("bad")}>{ *status }</td>
                    <td class="figure">{ text::count(*count) }</td>
                    <td class="figure">{ text::share(*count as f64 / all as f64) }</td>
                </tr>
            }) }
        </Table>
    }
}

/// The properties of [`Errors`].
#[derive(Properties, PartialEq)]
pub struct ErrorsProps {
    /// Failures by kind.
    pub errors: Vec<LoadError>,
}

/// Failures by kind, each with the first of them.
#[component]
pub fn Errors(props: &ErrorsProps) -> Html {
    if props.errors.is_empty() {
        return Html::default();
    }
    let columns = vec![Column::words("Failure"), Column::figures("Count"), Column::wide("The first of them")];
    html! {
        <Table label="Failures by kind" {columns} test="errors">
            { for props.errors.iter().map(|error| html! {
                <tr>
                    <td class="bad">{ &error.kind }</td>
                    <td class="figure">{ text::count(error.count) }</td>
                    <td class="wide breakable">{ &error.example }</td>
                </tr>
            }) }
        </Table>
    }
}

#[derive(Properties, PartialEq)]
pub struct ThresholdsProps {
    /// The thresholds and how they came out.
    pub results: Vec<ThresholdResult>,
}

/// The thresholds and how they came out.
#[component]
pub fn Thresholds(props: &ThresholdsProps) -> Html {
    if props.results.is_empty() {
        return Html::default();
    }
    let columns = vec![Column::words("Verdict"), Column::wide("Threshold"), Column::figures("Measured")];
    html! {
        <Table label="Thresholds" {columns} test="thresholds">
            { for props.results.iter().map(|result| html! {
                <tr data-test="threshold">
                    <td><VerdictBadge verdict={result.verdict} /></td>
                    <td class="code wide">{ &result.text }</td>
                    <td class="figure">{ &result.actual }</td>
                </tr>
            }) }
        </Table>
    }
}

#[derive(Properties, PartialEq)]
pub struct EndpointsProps {
    /// Each endpoint by itself.
    pub endpoints: Vec<EndpointLoad>,
}

/// Each endpoint of a mix or a chain by itself.
#[component]
pub fn Endpoints(props: &EndpointsProps) -> Html {
    if props.endpoints.is_empty() {
        return Html::default();
    }
    let mut columns = vec![Column::words("Endpoint")];
    columns.extend(["Sent", "Answered", "Failed", "p50", "p95", "p99", "Most"].map(Column::figures));
    html! {
        <Table label="Endpoints" {columns} test="endpoints">
            { for props.endpoints.iter().map(|endpoint| {
                let latency = &endpoint.latency;
                let shown = |ms: f64| if latency.count == 0 { "–".to_owned() } else { text::duration(ms) };
                html! {
                    <tr data-test="endpoint" data-name={endpoint.name.clone()}>
                        <td><MiddleCut text={endpoint.name.clone()} limit=48 /></td>
                        <td class="figure">{ text::count(endpoint.sent) }</td>
                        <td class="figure">{ text::count(endpoint.answered) }</td>
                        <td class={classes!("figure", (endpoint.failed > 0).then_some("bad"))}>{ text::count(endpoint.failed) }</td>
                        { for [latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms].map(|ms| html! {
                            <td class="figure">{ shown(ms) }</td>
                        }) }
                    </tr>
                }
            }) }
        </Table>
    }
}

#[derive(Properties, PartialEq)]
pub struct PhaseTableProps {
    /// Where the time went.
    pub phases: Phases,
}

/// Where the time of connections and requests went.
#[component]
pub fn PhaseTable(props: &PhaseTableProps) -> Html {
    let phases = &props.phases;
    let rows: Vec<_> = [("TCP", phases.connect), ("TLS", phases.tls), ("First byte", phases.first_byte)]
        .into_iter()
        .filter(|(_, of)| of.count > 0)
        .collect();
    if rows.is_empty() {
        return Html::default();
    }
    let mut columns = vec![Column::words("Phase")];
    columns.extend(["Times", "p50", "p95", "p99", "Most"].map(Column::figures));
    html! {
        <Table label="Phases" {columns} test="phases">
            { for rows.into_iter().map(|(name, of)| html! {
                <tr>
                    <td>{ name }</td>
                    <td class="figure">{ text::count(of.count) }</td>
                    { for [of.p50_ms, of.p95_ms, of.p99_ms, of.max_ms].map(|ms| html! { <td class="figure">{ text::duration(ms) }</td> }) }
                </tr>
            }) }
        </Table>
    }
}
