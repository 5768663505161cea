//! What a service did under load.

use std::rc::Rc;

use patchbay_contracts::{
    chart::{Chart, Rule, Series, Stretch, StretchKind, Style, Tone, Unit, Weight, XAxis, histogram},
    load::{LoadReport, LoadSlice, LoadTotals, Quantiles},
    run::Verdict,
    units::Span,
};
use yew::prelude::*;

use super::load_tables::{Errors, QuantileTable, Statuses, Thresholds};
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
            <LoadCharts {slices} thresholds={report.spec.thresholds.clone()} />
            <ChartGroup><ChartView chart={distribution} height=150.0 test="distribution" /></ChartGroup>
            <div class="columns">
                <QuantileTable latency={report.latency} lag={report.schedule_lag} />
                <Statuses statuses={report.statuses.clone()} />
            </div>
            <Errors errors={report.errors.clone()} />
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
    /// The thresholds as they were written; those on latency and on the rate are drawn.
    #[prop_or_default]
    pub thresholds: Vec<String>,
    /// Seconds that the run takes in all, while it is under way.
    #[prop_or_default]
    pub seconds: Option<f64>,
}

/// Rate and failures over latency, on one axis of time.
#[component]
pub fn LoadCharts(props: &LoadChartsProps) -> Html {
    let deps = (props.slices.clone(), props.thresholds.clone(), props.seconds);
    let charts = use_memo(deps, |(slices, thresholds, seconds)| charts(slices, thresholds, *seconds));
    html! {
        <ChartGroup>
            <ChartView chart={charts.0.clone()} height=150.0 test="load-rate" />
            <ChartView chart={charts.1.clone()} height=180.0 test="load-latency" />
        </ChartGroup>
    }
}

fn charts(slices: &[LoadSlice], thresholds: &[String], seconds: Option<f64>) -> (Rc<Chart>, Rc<Chart>) {
    let ended = slices.last().map_or(0.0, |slice| f64::from(slice.second));
    let warm = slices.iter().rev().find(|slice| slice.warm_up).map(|slice| f64::from(slice.second));
    let base = Chart {
        x: XAxis::Elapsed,
        range: (0.0, seconds.unwrap_or(ended).max(ended).max(1.0)),
        stretches: warm.map(|to| Stretch { from: 0.0, to, kind: StretchKind::WarmUp }).into_iter().collect(),
        ..Chart::default()
    };
    let line = |label: &str, style: Style, tone: Tone, value: &dyn Fn(&LoadSlice) -> Option<f64>| Series {
        label: label.to_owned(),
        style,
        tone,
        points: slices.iter().map(|slice| (f64::from(slice.second), value(slice))).collect(),
        hidden: false,
    };
    // A second without an answer has no latency: a gap, and not zero.
    let quantile = |of: fn(&LoadSlice) -> f64| move |slice: &LoadSlice| (slice.answered > 0).then(|| of(slice));
    let rate = Chart {
        title: "Answers and failures a second".to_owned(),
        unit: Unit::PerSecond,
        series: vec![
            line("answers", Style::Area, Tone::Accent, &|slice| Some(slice.answered as f64)),
            line("failures", Style::Line(Weight::P95), Tone::Bad, &|slice| Some(slice.failed as f64)),
        ],
        rules: rules(thresholds, &["rate"]),
        ..base.clone()
    };
    let latency = Chart {
        title: "Latency".to_owned(),
        unit: Unit::Milliseconds,
        series: vec![
            line("p50", Style::Line(Weight::P50), Tone::Accent, &quantile(|slice| slice.p50_ms)),
            line("p95", Style::Line(Weight::P95), Tone::Accent, &quantile(|slice| slice.p95_ms)),
            line("p99", Style::Line(Weight::P99), Tone::Accent, &quantile(|slice| slice.p99_ms)),
        ],
        rules: rules(thresholds, &["p50", "p95", "p99"]),
        ..base
    };
    (Rc::new(rate), Rc::new(latency))
}

/// The thresholds on one of these figures, as lines across: `p95 < 500ms`, `rate > 100/s`.
fn rules(thresholds: &[String], figures: &[&str]) -> Vec<Rule> {
    let value = |text: &str| {
        let span = text.parse::<Span>().ok().map(Span::as_ms);
        span.or_else(|| text.parse::<patchbay_contracts::units::Rate>().ok().map(patchbay_contracts::units::Rate::hertz))
    };
    let rule = |threshold: &String| {
        let (figure, bound) = threshold.split_once(['<', '>'])?;
        let at = figures.contains(&figure.trim()).then(|| value(bound.trim_start_matches('=').trim()))??;
        Some(Rule { at, label: threshold.clone() })
    };
    thresholds.iter().filter_map(rule).collect()
}
