//! What a service did under load.

use std::rc::Rc;

use patchbay_contracts::{
    chart::{Unit, histogram, load_charts},
    integration::LoadSpec,
    load::{LoadReport, LoadSlice, LoadTotals, Quantiles},
    run::Verdict,
};
use yew::prelude::*;

use super::{
    load_generator::{ComparisonTable, GeneratorPanel},
    load_tables::{Endpoints, Errors, PhaseTable, QuantileTable, Statuses, Thresholds},
};
use crate::{
    chart::{ChartGroup, ChartView},
    components::{Glyph, Icon, MiddleCut, Time, VerdictBadge},
    utils::text,
};

/// The width that a distribution is gathered for. The chart stretches it; its bars only get wider.
const DISTRIBUTION_WIDTH: f64 = 720.0;

/// The properties of [`LoadReportView`].
#[derive(Properties, PartialEq)]
pub struct LoadReportViewProps {
    /// What the run found.
    pub report: Rc<LoadReport>,
}

/// The verdict, the figures, the run second by second, the distribution.
#[component]
pub fn LoadReportView(props: &LoadReportViewProps) -> Html {
    let report = &props.report;
    let slices = use_memo(report.clone(), |report| report.timeline.clone());
    let distribution = use_memo(report.clone(), |report| {
        let latency = &report.latency;
        let quantiles = [("p50", latency.p50_ms), ("p95", latency.p95_ms), ("p99", latency.p99_ms)];
        let labels: Vec<_> = quantiles.iter().map(|(name, ms)| (*ms, format!("{name} {}", text::duration(*ms)))).collect();
        let marks: Vec<(f64, &str)> = labels.iter().map(|(ms, label)| (*ms, label.as_str())).collect();
        histogram("Distribution of latency", &report.histogram, if latency.count > 0 { &marks } else { &[] }, DISTRIBUTION_WIDTH)
    });
    let words = match report.verdict {
        Verdict::Pass if report.thresholds.is_empty() => "The run ended; it had no threshold to be held to.",
        Verdict::Pass => "The thresholds held.",
        Verdict::Fail => "A threshold did not hold.",
        Verdict::Inconclusive => "The figures can't be vouched for; the notes say why.",
    };
    html! {
        <div class="stack" data-test="load-report">
            <p class="outcome">
                <VerdictBadge verdict={report.verdict} partial={report.partial} test="load-verdict" />
                <span>{ words }</span>
                <span>{ text::duration(report.duration_ms) }</span>
                <span class="muted"><Time at={report.at} /></span>
                <span class="muted code"><MiddleCut text={report.request.clone()} limit=56 /></span>
            </p>
            { for report.notes.iter().map(|note| html! {
                <p class="note" data-test="note"><Icon glyph={Glyph::Degraded} />{ note }</p>
            }) }
            <LoadTiles totals={report.totals} latency={report.latency} />
            <div class="narrow"><Thresholds results={report.thresholds.clone()} /></div>
            if let Some(comparison) = &report.comparison { <ComparisonTable comparison={comparison.clone()} /> }
            <LoadCharts {slices} spec={report.spec.clone()} />
            <ChartGroup><ChartView chart={distribution} height=150.0 test="distribution" /></ChartGroup>
            <Endpoints endpoints={report.endpoints.clone()} />
            <div class="columns">
                <QuantileTable latency={report.latency} lag={report.schedule_lag} />
                <div class="stack">
                    <Statuses statuses={report.statuses.clone()} />
                    <PhaseTable phases={report.phases.clone()} />
                </div>
            </div>
            <Errors errors={report.errors.clone()} />
            <GeneratorPanel report={report.clone()} />
        </div>
    }
}

/// The properties of [`LoadTiles`].
#[derive(Properties, PartialEq)]
pub struct LoadTilesProps {
    /// Counts and rates.
    pub totals: LoadTotals,
    /// Latency.
    pub latency: Quantiles,
}

/// The figures that matter most.
#[component]
pub fn LoadTiles(props: &LoadTilesProps) -> Html {
    let (totals, latency) = (&props.totals, &props.latency);
    let wanted = totals.target_rate.map(|rate| format!("of {} asked for", Unit::PerSecond.show(rate)));
    let quantile = |ms: f64| if latency.count == 0 { "–".to_owned() } else { text::duration(ms) };
    let lost = [("unanswered", totals.unanswered), ("not started", totals.dropped)];
    let lost: Vec<String> =
        lost.into_iter().filter(|(_, count)| *count > 0).map(|(word, count)| format!("{} {word}", text::count(count))).collect();
    let failed = match totals.failed {
        0 => "none failed".to_owned(),
        count => format!("{} failed", text::count(count)),
    };
    let tiles = [
        ("rate", "Answers a second", Unit::PerSecond.show(totals.rate), wanted.unwrap_or_default(), false),
        ("answered", "Answered", text::count(totals.answered), format!("of {} sent", text::count(totals.sent)), false),
        ("errors", "Failures", text::share(totals.error_share), failed, totals.failed > 0),
        ("p50", "p50", quantile(latency.p50_ms), String::new(), false),
        ("p95", "p95", quantile(latency.p95_ms), String::new(), false),
        ("p99", "p99", quantile(latency.p99_ms), format!("at most {}", quantile(latency.max_ms)), false),
        ("bytes", "Received", text::bytes(totals.bytes_received), format!("{} sent", text::bytes(totals.bytes_sent)), false),
    ];
    html! {
        <>
            <dl class="tiles">
                { for tiles.into_iter().map(|(test, name, value, more, bad)| html! {
                    <div class="tile">
                        <dt>{ name }</dt>
                        <dd class={classes!("tile-value", bad.then_some("bad"))} data-test={format!("tile-{test}")}>{ value }</dd>
                        if !more.is_empty() { <dd class="muted">{ more }</dd> }
                    </div>
                }) }
            </dl>
            if !lost.is_empty() { <p class="muted" data-test="lost">{ format!("Without an answer: {}.", lost.join(", ")) }</p> }
        </>
    }
}

/// The properties of [`LoadCharts`].
#[derive(Properties, PartialEq)]
pub struct LoadChartsProps {
    /// The run, second by second.
    pub slices: Rc<Vec<LoadSlice>>,
    /// What was asked for; its rate and its thresholds are drawn.
    pub spec: LoadSpec,
    /// Seconds that the run takes in all, while it is under way.
    #[prop_or_default]
    pub seconds: Option<f64>,
}

/// Rate and failures, latency, and what is under way, on one axis of time.
#[component]
pub fn LoadCharts(props: &LoadChartsProps) -> Html {
    let deps = (props.slices.clone(), props.spec.clone(), props.seconds);
    let charts = use_memo(deps, |(slices, spec, seconds)| load_charts(slices, spec, *seconds).map(Rc::new));
    let [rate, latency, under_way] = (*charts).clone();
    html! {
        <ChartGroup>
            <ChartView chart={rate} height=150.0 test="load-rate" />
            <ChartView chart={latency} height=180.0 test="load-latency" />
            <ChartView chart={under_way} height=110.0 test="load-under-way" />
        </ChartGroup>
    }
}
