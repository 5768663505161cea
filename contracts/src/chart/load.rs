//! The charts of a load run, the same while it goes on, when it has ended, and in its report as a file.

use super::{Chart, Rule, Series, Stretch, StretchKind, Style, Tone, Unit, Weight, XAxis};
use crate::{
    integration::LoadSpec,
    load::{LoadSlice, planned},
    units::{Rate, Span},
};

/// How many points the line of what was asked for has at the most.
const ASKED_FOR: f64 = 2_000.0;

/// Rate and failures, latency, and what is under way, on one axis of time. `seconds` is how long the run takes in all,
/// while it is under way.
pub fn load_charts(slices: &[LoadSlice], spec: &LoadSpec, seconds: Option<f64>) -> [Chart; 3] {
    let ended = slices.last().map_or(0.0, |slice| f64::from(slice.second));
    let warm = slices.iter().rev().find(|slice| slice.warm_up).map(|slice| f64::from(slice.second));
    let base = Chart {
        x: XAxis::Elapsed,
        range: (0.0, seconds.unwrap_or(ended).max(ended).max(1.0)),
        stretches: warm.map(|to| Stretch { from: 0.0, to, kind: StretchKind::WarmUp }).into_iter().collect(),
        from_zero: true,
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
    let mut rate = vec![
        line("answers", Style::Area, Tone::Accent, &|slice| Some(slice.answered as f64)),
        line("failures", Style::Line(Weight::P95), Tone::Bad, &|slice| Some(slice.failed as f64)),
    ];
    if spec.executor.is_open() {
        // An arrival of a chain is a request for each of its endpoints.
        let requests = spec.chain.len().max(1) as f64;
        rate.push(asked_for(spec, base.range.1, requests));
    }
    let rate = Chart {
        title: "Answers and failures a second".to_owned(),
        unit: Unit::PerSecond,
        series: rate,
        rules: rules(&spec.thresholds, &["rate"]),
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
        rules: rules(&spec.thresholds, &["p50", "p95", "p99"]),
        ..base.clone()
    };
    let under_way = Chart {
        title: "Under way".to_owned(),
        unit: Unit::Count,
        series: vec![
            line("in flight", Style::Line(Weight::P95), Tone::Accent, &|slice| Some(slice.in_flight as f64)),
            line("connections", Style::Line(Weight::P50), Tone::Quiet, &|slice| Some(slice.connections as f64)),
        ],
        ..base
    };
    [rate, latency, under_way]
}

/// The level that a run is going to ask for, over time.
pub fn load_plan(spec: &LoadSpec) -> Chart {
    let points = planned(spec);
    let end = points.last().map_or(1.0, |(at, _)| *at).max(1.0);
    let open = spec.executor.is_open();
    let warm = spec.warm_up.map(|span| span.0.as_secs_f64().min(end)).filter(|to| *to > 0.0);
    Chart {
        title: "What is planned".to_owned(),
        unit: if open { Unit::PerSecond } else { Unit::Count },
        x: XAxis::Elapsed,
        range: (0.0, end),
        series: vec![Series {
            label: match (open, spec.chain.is_empty()) {
                (true, true) => "requests started".to_owned(),
                (true, false) => "rounds started".to_owned(),
                (false, _) => "connections".to_owned(),
            },
            style: Style::Area,
            tone: Tone::Accent,
            points: points.into_iter().map(|(at, level)| (at, Some(level))).collect(),
            hidden: false,
        }],
        stretches: warm.map(|to| Stretch { from: 0.0, to, kind: StretchKind::WarmUp }).into_iter().collect(),
        from_zero: true,
        ..Chart::default()
    }
}

fn asked_for(spec: &LoadSpec, end: f64, requests: f64) -> Series {
    let plan = planned(spec);
    let step = (end / ASKED_FOR).ceil().max(1.0);
    let count = (end / step).floor() as usize;
    let points = (0..=count).map(|at| {
        let x = at as f64 * step;
        (x, level_at(&plan, x).map(|level| level * requests))
    });
    Series { label: "asked for".to_owned(), style: Style::Dashed, tone: Tone::Quiet, points: points.collect(), hidden: false }
}

/// The level at a time; nothing after the end.
fn level_at(plan: &[(f64, f64)], x: f64) -> Option<f64> {
    let next = plan.partition_point(|(at, _)| *at <= x);
    match (next.checked_sub(1).and_then(|last| plan.get(last)), plan.get(next)) {
        (Some(from), Some(to)) => Some(from.1 + (to.1 - from.1) * (x - from.0) / (to.0 - from.0)),
        (Some(last), None) if x <= last.0 => Some(last.1),
        _ => None,
    }
}

/// The thresholds on one of these figures, as lines across: `p95 < 500ms`, `rate > 100/s`. One of a single endpoint, or
/// over a window, is about another figure than the one that is drawn.
fn rules(thresholds: &[String], figures: &[&str]) -> Vec<Rule> {
    let value = |text: &str| {
        let span = text.parse::<Span>().ok().map(Span::as_ms);
        span.or_else(|| text.parse::<Rate>().ok().map(Rate::hertz))
    };
    let rule = |threshold: &String| {
        let (figure, bound) = threshold.split_once(['<', '>'])?;
        let at = figures.contains(&figure.trim()).then(|| value(bound.trim_start_matches('=').trim()))??;
        Some(Rule { at, label: threshold.clone() })
    };
    thresholds.iter().filter_map(rule).collect()
}
