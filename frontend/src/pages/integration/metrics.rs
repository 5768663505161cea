//! The metrics page of an integration: what series there are, and charts of those that were chosen.

mod list;

use std::rc::Rc;

use patchbay_contracts::{
    Timestamp,
    chart::{Chart, Series, Style, TONES, Tone, Unit, Weight, XAxis},
    integration::Metrics,
    ipc::{EditDefinition, ListSeries, QuerySeries, ScrapeNow},
    metrics::{Line, ScrapeReport, SeriesInfo, SeriesQuery, Shape},
    workspace::Edit,
};
use yew::prelude::*;

use super::TabProps;
use crate::{
    chart::{ChartGroup, ChartView, RangePicker, use_span, zone},
    components::{Button, EmptyState, Field, Glyph, Input, Kind, Loading, ProblemList, ProblemView},
    hooks::{use_data, use_notify, use_query},
    utils::{
        families::{self, Choice, Families, families},
        text,
    },
};
use list::SeriesList;

/// How many charts stand on the page at once.
const CHARTS: usize = 8;
/// How many lines one chart draws; more can't be told apart.
const LINES: usize = 24;

/// The metrics page.
#[component]
pub fn MetricsTab(props: &TabProps) -> Html {
    let name = props.detail.summary.name.clone();
    let Some(definition) = &props.detail.definition else {
        return html! { <EmptyState glyph={Glyph::Metrics} title="The file can't be read" hint="Once its mistakes are mended, metrics are shown here." /> };
    };
    match &definition.metrics {
        None => html! { <AddMetrics {name} /> },
        Some(metrics) => html! { <Stored key={name.clone()} name={name.clone()} metrics={metrics.clone()} /> },
    }
}

#[derive(Properties, PartialEq)]
struct AddMetricsProps {
    name: String,
}

/// No section yet, and the way to one.
#[component]
fn AddMetrics(props: &AddMetricsProps) -> Html {
    let url = use_state_eq(|| "/metrics".to_owned());
    let notify = use_notify();
    let add = {
        let (notify, name, url) = (notify, props.name.clone(), url.clone());
        Callback::from(move |()| {
            let said = notify.clone();
            let value = serde_json::json!({ "url": url.trim(), "interval": "15s" });
            let edits = vec![Edit { pointer: "/integration/metrics".to_owned(), value }];
            notify.perform(EditDefinition { name: name.clone(), edits }, move |_| said.undoable("Added a metrics section"));
        })
    };
    let on_input = {
        let url = url.setter();
        Callback::from(move |text| url.set(text))
    };
    html! {
        <EmptyState glyph={Glyph::Metrics} title="No metrics are scraped" test="metrics-empty"
            hint="If the service exposes Prometheus metrics, name their address, whole or under the base URL. The file gets a section for it, which can be undone.">
            <form class="form-row" onsubmit={add.reform(|event: SubmitEvent| event.prevent_default())}>
                <Field label="Address of the metrics">
                    <Input value={(*url).clone()} {on_input} code=true test="metrics-url" />
                </Field>
                <Button kind={Kind::Primary} glyph={Glyph::Plus} submit=true disabled={url.trim().is_empty()} test="metrics-add">
                    { "Add the section" }
                </Button>
            </form>
        </EmptyState>
    }
}

/// The series as they were fetched. Those that are fetched anew are taken for others without comparing them one by one.
#[derive(Clone)]
struct Fetched(Option<Rc<Vec<SeriesInfo>>>);

impl PartialEq for Fetched {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(own), Some(other)) => Rc::ptr_eq(own, other),
            (None, None) => true,
            _ => false,
        }
    }
}

#[derive(Properties, PartialEq)]
struct StoredProps {
    name: String,
    metrics: Metrics,
}

/// The series and the charts.
#[component]
fn Stored(props: &StoredProps) -> Html {
    let data = use_data();
    let scrapes = data.scrapes(&props.name);
    let series = use_query((props.name.clone(), scrapes), |(name, _)| ListSeries { integration: name.clone() });
    let chosen = use_state_eq(|| None::<Rc<Vec<Choice>>>);
    let (span, range, choose_span) = use_span();
    let all = use_memo(Fetched(series.data.clone()), |series| {
        Families::new(families(series.0.as_ref().map_or(&[], |all| all.as_slice())))
    });
    let telling = use_memo((*all).clone(), |all| families::telling(all));
    let charted = (*chosen).clone().unwrap_or(telling);
    let on_toggle = {
        let (chosen, charted) = (chosen.setter(), charted.clone());
        Callback::from(move |choice: Choice| {
            let mut next = (*charted).clone();
            match next.iter().position(|known| *known == choice) {
                Some(at) => drop(next.remove(at)),
                None => next.push(choice),
            }
            let surplus = next.len().saturating_sub(CHARTS);
            next.drain(..surplus);
            chosen.set(Some(Rc::new(next)));
        })
    };
    let aside = html! {
        <>
            <RangePicker {span} on_change={choose_span} />
            <Scrape name={props.name.clone()} />
        </>
    };
    let nothing = series.data.as_ref().is_some_and(|series| series.is_empty());
    html! {
        <div class="stack" data-test="metrics-page">
            <div class="row">
                <span class="muted">{ format!("{} every {}", props.metrics.url, props.metrics.interval) }</span>
                <div class="row end grow">{ aside }</div>
            </div>
            if let Some(problem) = series.problem { <ProblemView {problem} /> }
            if series.data.is_none() && series.loading { <Loading what="the series" /> }
            if nothing {
                <EmptyState glyph={Glyph::Metrics} title="Nothing was scraped yet" test="metrics-nothing"
                    hint="Scrape now, or turn monitoring on in the settings: then it happens by itself." />
            } else if series.data.is_some() {
                <div class="metrics">
                    <SeriesList families={(*all).clone()} chosen={charted.clone()} on_toggle={on_toggle.clone()} />
                    <div class="metrics-charts">
                        if charted.is_empty() {
                            <EmptyState glyph={Glyph::Metrics} title="No series is chosen" test="metrics-unchosen"
                                hint="Choose one in the list; up to eight stand under each other on one axis of time." />
                        }
                        <ChartGroup key={span.word()}>
                            { for charted.iter().map(|choice| html! {
                                <SeriesChart key={choice.title()} integration={props.name.clone()} choice={choice.clone()} {range} {scrapes}
                                    on_close={on_toggle.reform({ let own = choice.clone(); move |()| own.clone() })} />
                            }) }
                        </ChartGroup>
                    </div>
                </div>
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct ScrapeProps {
    name: String,
}

/// Scrapes now, and says what could not be read.
#[component]
fn Scrape(props: &ScrapeProps) -> Html {
    let notify = use_notify();
    let busy = use_state_eq(|| false);
    let report = use_state_eq(|| None::<Rc<ScrapeReport>>);
    let onclick = {
        let (busy, report, name) = (busy.setter(), report.setter(), props.name.clone());
        Callback::from(move |_: MouseEvent| {
            let (busy, report, notify, integration) = (busy.clone(), report.clone(), notify.clone(), name.clone());
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                match crate::ipc::call(ScrapeNow { integration }).await {
                    Ok(scraped) => {
                        let took = scraped.duration_ms.map(|ms| format!(" in {}", text::duration(ms))).unwrap_or_default();
                        notify.done(format!("Scraped {}{took}", text::counted(scraped.samples, "sample")));
                        report.set(Some(Rc::new(scraped)));
                    }
                    Err(problem) => notify.failed(problem),
                }
                busy.set(false);
            });
        })
    };
    let close = {
        let report = report.setter();
        Callback::from(move |()| report.set(None))
    };
    html! {
        <>
            <Button glyph={Glyph::Refresh} busy={*busy} {onclick} test="scrape-now">{ "Scrape now" }</Button>
            if let Some(report) = report.as_ref().filter(|report| !report.problems.is_empty()) {
                <crate::components::Drawer title="Lines that could not be read" on_close={close} test="scrape-problems">
                    <p class="muted">{ format!("{} were read and stored all the same.", text::counted(report.samples, "sample")) }</p>
                    <ProblemList problems={report.problems.clone()} />
                </crate::components::Drawer>
            }
        </>
    }
}

#[derive(Properties, PartialEq)]
struct SeriesChartProps {
    integration: String,
    choice: Choice,
    range: (Timestamp, Timestamp),
    scrapes: u64,
    on_close: Callback<()>,
}

/// One chart of what was chosen.
#[component]
fn SeriesChart(props: &SeriesChartProps) -> Html {
    let deps = (props.integration.clone(), props.choice.clone(), props.range, props.scrapes);
    let query = use_query(deps, |(integration, choice, (from, to), _)| QuerySeries {
        query: SeriesQuery {
            integration: integration.clone(),
            name: choice.name.clone(),
            labels: choice.labels.clone(),
            shape: Shape::Auto,
            from: *from,
            to: *to,
        },
    });
    let lines = query.data.clone();
    let chart = use_memo((props.choice.title(), lines, props.range), |(title, lines, range)| {
        Rc::new(chart(title, lines.as_ref().map_or(&[], |lines| lines.as_slice()), *range))
    });
    let onclick = props.on_close.reform(|_: MouseEvent| ());
    let aside = html! {
        <Button kind={Kind::Quiet} glyph={Glyph::Close} label="Take this chart away" test="chart-close" {onclick} />
    };
    let surplus = query.data.as_ref().map_or(0, |lines| lines.len().saturating_sub(LINES));
    html! {
        <div class="chart-box">
            if let Some(problem) = query.problem.clone() { <ProblemView {problem} /> }
            if query.data.is_none() && query.loading {
                <Loading what="the values" />
            } else {
                <ChartView chart={(*chart).clone()} test="metric-chart" {aside} />
            }
            if surplus > 0 {
                <p class="muted">{ format!("{LINES} of {} lines are drawn. Choose single series in the list to see others.", LINES + surplus) }</p>
            }
        </div>
    }
}

/// The lines as a chart. Quantiles are one hue in three weights; anything else is side by side.
fn chart(title: &str, lines: &[Line], (from, to): (Timestamp, Timestamp)) -> Chart {
    let quantile = |label: &str| match label.rsplit(' ').next() {
        Some("p50") => Some(Weight::P50),
        Some("p95") => Some(Weight::P95),
        Some("p99") => Some(Weight::P99),
        _ => None,
    };
    let quantiles_only = !lines.is_empty() && lines.len() <= 3 && lines.iter().all(|line| quantile(&line.label).is_some());
    let mut hues: Vec<&str> = Vec::new();
    let series = lines.iter().take(LINES).map(|line| {
        let weight = quantile(&line.label);
        // Lines that differ only in the quantile are of one hue.
        let subject = weight.map_or(line.label.as_str(), |_| line.label.rsplit_once(' ').map_or("", |(subject, _)| subject));
        let hue = hues.iter().position(|known| *known == subject).unwrap_or_else(|| {
            hues.push(subject);
            hues.len() - 1
        });
        let style = match weight {
            Some(weight) => Style::Line(weight),
            // The hues begin again after six, and then the lines are dashed.
            None if hue >= usize::from(TONES) => Style::Dashed,
            None => Style::Line(Weight::P95),
        };
        Series {
            label: line.label.clone(),
            style,
            tone: if quantiles_only || lines.len() == 1 {
                Tone::Accent
            } else {
                Tone::Nth(u8::try_from(hue % usize::from(TONES)).unwrap_or(0))
            },
            points: line.points.iter().map(|(at, value)| (*at as f64, *value)).collect(),
            hidden: false,
        }
    });
    Chart {
        title: title.to_owned(),
        unit: Unit::named(lines.first().map_or("", |line| &line.unit)),
        x: XAxis::Time(zone(from, to)),
        range: (from as f64, to as f64),
        series: series.collect(),
        ..Chart::default()
    }
}
