//! The health of an integration: how it does, how it did, and whether it keeps its promises.

use std::rc::Rc;

use patchbay_contracts::{
    chart::{Chart, Series, Stretch, StretchKind, Style, Tone, Unit, Weight, XAxis},
    health::{HealthCheck, HealthHistory, HealthSlice, Status},
    ipc::{CheckNow, EditDefinition, GetHealth},
    workspace::Edit,
};
use yew::prelude::*;

use super::{TabProps, checks::LatestChecks, segment_bar::SegmentBar};
use crate::{
    chart::{ChartGroup, ChartView, RangePicker, use_span, zone},
    components::{Button, Column, EmptyState, Glyph, Icon, Kind, Loading, Panel, ProblemList, ProblemView, Table},
    hooks::{go, use_data, use_notify, use_query},
    route::{Route, Tab},
    utils::text,
};

/// The health page.
#[component]
pub fn HealthTab(props: &TabProps) -> Html {
    let name = props.detail.summary.name.clone();
    let data = use_data();
    let (span, (from, to), on_change) = use_span();
    let deps = (name.clone(), from, to, data.health_changes(&name));
    let query =
        use_query(deps, |(integration, from, to, _)| GetHealth { integration: integration.clone(), from: *from, to: *to });
    let defined = props.detail.definition.as_ref().map(|definition| definition.health.is_some());
    let on_place = {
        let to = Route::Integration { name: name.clone(), tab: Tab::Definition };
        Callback::from(move |_: (u32, u32)| go(&to))
    };
    html! {
        <>
            if !props.detail.summary.problems.is_empty() { <ProblemList problems={props.detail.summary.problems.clone()} {on_place} /> }
            <div class="toolbar">
                <RangePicker {span} {on_change} />
                <span class="grow" />
                <CheckNowButton integration={name.clone()} />
            </div>
            if let Some(problem) = query.problem.clone() { <ProblemView {problem} /> }
            { match &query.data {
                None if query.problem.is_none() => html! { <Loading what="the checks" /> },
                Some(history) if history.checks == 0 && defined == Some(false) => html! { <Unwatched integration={name} /> },
                Some(history) => html! { <History key={span.word()} history={history.clone()} watched={props.detail.summary.watched} /> },
                None => Html::default(),
            } }
        </>
    }
}

#[derive(Properties, PartialEq)]
struct NamedProps {
    integration: String,
}

/// Makes a check at once.
#[component]
fn CheckNowButton(props: &NamedProps) -> Html {
    let notify = use_notify();
    let busy = use_state(|| false);
    let onclick = {
        let (integration, busy) = (props.integration.clone(), busy.clone());
        Callback::from(move |_: MouseEvent| {
            busy.set(true);
            let (said, done) = (notify.clone(), busy.setter());
            notify.perform_whatever(CheckNow { integration: integration.clone() }, move |reply| {
                done.set(false);
                match reply {
                    Ok(check) => said.done(outcome(&check)),
                    Err(problem) => said.failed(problem),
                }
            });
        })
    };
    html! { <Button glyph={Glyph::Refresh} busy={*busy} test="check-now" {onclick}>{ "Check now" }</Button> }
}

fn outcome(check: &HealthCheck) -> String {
    let took = check.latency_ms.map(|ms| format!(" in {}", text::duration(ms))).unwrap_or_default();
    match (check.healthy, &check.problem) {
        (true, _) => format!("The check held{took}"),
        (false, Some(problem)) => format!("The check failed: {}", problem.what),
        (false, None) => format!("The check failed{took}"),
    }
}

/// What to do where the definition has no health check.
#[component]
fn Unwatched(props: &NamedProps) -> Html {
    let notify = use_notify();
    let onclick = {
        let integration = props.integration.clone();
        Callback::from(move |_: MouseEvent| {
            let edits = vec![Edit { pointer: "/integration/health".to_owned(), value: serde_json::json!({ "interval": "30s" }) }];
            let said = notify.clone();
            notify.perform(EditDefinition { name: integration.clone(), edits }, move |saved| {
                said.undoable(format!("“{}” is checked every 30 s", saved.name));
            });
        })
    };
    html! {
        <EmptyState glyph={Glyph::Unobserved} title="Nobody watches this one"
            hint="Its definition has no health check. One calls an endpoint at an interval and judges the answer by conditions.">
            <Button kind={Kind::Primary} glyph={Glyph::Plus} test="watch" {onclick}>{ "Check it every 30 s" }</Button>
        </EmptyState>
    }
}

#[derive(Properties, PartialEq)]
struct HistoryProps {
    history: Rc<HealthHistory>,
    watched: bool,
}

/// Figures, segments, charts, promises and checks of a range.
#[component]
fn History(props: &HistoryProps) -> Html {
    let history = &props.history;
    if history.checks == 0 {
        let hint = if props.watched {
            "The first one comes within an interval, or at once with “Check now”."
        } else {
            "The health check is switched off, or can’t run. “Check now” makes one all the same."
        };
        return html! { <EmptyState glyph={Glyph::Unobserved} title="No checks in this range" {hint} /> };
    }
    let (latency, failures) = charts(history);
    html! {
        <>
            <Figures history={history.clone()} />
            <SegmentBar history={history.clone()} />
            <ChartGroup>
                <ChartView chart={Rc::new(latency)} test="latency-chart" />
                if history.slices.iter().any(|slice| slice.failures > 0) {
                    <ChartView chart={Rc::new(failures)} height=96.0 test="failures-chart" />
                }
            </ChartGroup>
            if !history.slo.is_empty() { <Promises history={history.clone()} /> }
            <LatestChecks checks={history.latest.clone()} />
        </>
    }
}

/// Uptime, the observed share, checks and the newest latency.
#[component]
fn Figures(props: &FiguresProps) -> Html {
    let history = &props.history;
    let newest = history.latest.first().and_then(|check| check.latency_ms);
    let failed = history.slices.iter().map(|slice| u64::from(slice.failures)).sum::<u64>();
    let figures = [
        ("Checks that held", history.uptime.map_or_else(|| "–".to_owned(), text::share), "uptime"),
        ("Observed", text::share(history.observed), "observed"),
        ("Checks", text::count(history.checks), "checks"),
        ("Failed", text::count(failed), "failed"),
        ("Newest latency", newest.map_or_else(|| "–".to_owned(), text::duration), "newest-latency"),
    ];
    html! {
        <dl class="figures">
            { for figures.into_iter().map(|(label, value, test)| html! {
                <div><dt>{ label }</dt><dd data-test={test}>{ value }</dd></div>
            }) }
        </dl>
    }
}

#[derive(Properties, PartialEq)]
struct FiguresProps {
    history: Rc<HealthHistory>,
}

/// The promises of the definition and how they hold in this range.
#[component]
fn Promises(props: &FiguresProps) -> Html {
    let columns = vec![Column::words("Holds"), Column::wide("Promise"), Column::figures("Promised"), Column::figures("Measured")];
    html! {
        <Panel title="Promises" test="slo">
            <Table label="Promises" {columns}>
                { for props.history.slo.iter().map(|slo| {
                    let (glyph, class, word) = match slo.holds {
                        Some(true) => (Glyph::Healthy, "healthy", "holds"),
                        Some(false) => (Glyph::Down, "down", "broken"),
                        None => (Glyph::Unobserved, "unobserved", "no data"),
                    };
                    html! {
                        <tr data-test="slo-row" data-holds={slo.holds.map(|holds| holds.to_string())}>
                            <td><span class={classes!("badge", class)}><Icon {glyph} /><span>{ word }</span></span></td>
                            <td>{ &slo.name }</td>
                            <td class="figure">{ &slo.target }</td>
                            <td class="figure">{ slo.actual.as_deref().unwrap_or("–") }</td>
                        </tr>
                    }
                }) }
            </Table>
        </Panel>
    }
}

/// Latency by quantile, and failures, over the range.
fn charts(history: &HealthHistory) -> (Chart, Chart) {
    let range = (history.from as f64, history.to as f64);
    let axis = XAxis::Time(zone(history.from, history.to));
    let stretches: Vec<Stretch> = history
        .segments
        .iter()
        .filter_map(|segment| {
            let kind = match segment.status {
                Status::Unobserved => StretchKind::Unobserved,
                Status::Down => StretchKind::Incident,
                Status::Healthy | Status::Degraded => return None,
            };
            Some(Stretch { from: segment.from as f64, to: segment.to as f64, kind })
        })
        .collect();
    // A slice is drawn at its middle, where its checks are on the average.
    let middle = |slice: &HealthSlice| slice.at as f64 + slice.width_ms as f64 / 2.0;
    let quantile = |label: &str, weight, value: fn(&HealthSlice) -> Option<f64>| Series {
        label: label.to_owned(),
        style: Style::Line(weight),
        points: history.slices.iter().map(|slice| (middle(slice), value(slice))).collect(),
        ..Series::default()
    };
    let latency = Chart {
        title: "Latency of checks".to_owned(),
        unit: Unit::Milliseconds,
        x: axis.clone(),
        range,
        series: vec![
            quantile("p99", Weight::P99, |slice| slice.p99_ms),
            quantile("p95", Weight::P95, |slice| slice.p95_ms),
            quantile("p50", Weight::P50, |slice| slice.p50_ms),
        ],
        stretches: stretches.clone(),
        ..Chart::default()
    };
    let width = history.slices.first().map_or(1.0, |slice| slice.width_ms as f64);
    let failures = Chart {
        title: "Failed checks".to_owned(),
        x: axis,
        range,
        series: vec![Series {
            label: "failed".to_owned(),
            style: Style::Bars(width),
            tone: Tone::Bad,
            points: history.slices.iter().map(|slice| (slice.at as f64, Some(f64::from(slice.failures)))).collect(),
            ..Series::default()
        }],
        stretches,
        from_zero: true,
        ..Chart::default()
    };
    (latency, failures)
}
