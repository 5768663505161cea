//! The HTML report of each kind of run.

use patchbay_contracts::{
    chart::{Chart, Series, Stretch, StretchKind, Style, Tone, Unit, Weight, XAxis, histogram},
    load::{LoadReport, LoadSlice, Quantiles},
    probe::ProbeReport,
    run::{Report, Run},
};

use super::page::{PLOT, Page, ms, when};

pub(super) fn render(run: &Run) -> String {
    match &run.report {
        Report::Probe(probe) => probe_page(run, probe),
        Report::Contract(contract) => super::contract::page(run, contract),
        Report::Load(load) => load_page(run, load),
    }
}

fn load_page(run: &Run, load: &LoadReport) -> String {
    let mut page = Page::new(&format!("Load: {}", load.target), load.verdict, load.partial);
    let totals = &load.totals;
    page.line(&load.request);
    page.facts(&[
        ("Begun", when(load.at)),
        ("Measured", ms(load.duration_ms)),
        ("Rate", format!("{:.1}/s", totals.rate)),
        ("Asked for", totals.target_rate.map(|rate| format!("{rate:.1}/s")).unwrap_or_default()),
        ("Answers", totals.answered.to_string()),
        ("Errors", format!("{} ({:.2}%)", totals.failed, totals.error_share * 100.0)),
        ("Unanswered", totals.unanswered.to_string()),
        ("Never started", totals.dropped.to_string()),
        ("Connections opened", totals.connects.to_string()),
        ("Run", run.summary.id.to_string()),
    ]);
    for note in &load.notes {
        page.line(note);
    }
    if !load.thresholds.is_empty() {
        page.heading("Thresholds");
        let rows: Vec<Vec<String>> = load
            .thresholds
            .iter()
            .map(|threshold| vec![threshold.verdict.as_str().to_owned(), threshold.text.clone(), threshold.actual.clone()])
            .collect();
        page.table(&["verdict", "threshold", "measured"], &rows, 2);
    }
    page.heading("Over time");
    page.chart(&timeline(
        load,
        "Latency",
        Unit::named("ms"),
        &[
            ("p50", Style::Line(Weight::P50), Tone::Accent, |slice| answered(slice, slice.p50_ms)),
            ("p95", Style::Line(Weight::P95), Tone::Accent, |slice| answered(slice, slice.p95_ms)),
            ("p99", Style::Line(Weight::P99), Tone::Accent, |slice| answered(slice, slice.p99_ms)),
        ],
    ));
    page.chart(&timeline(
        load,
        "Answers and failures a second",
        Unit::named("/s"),
        &[
            ("answers", Style::Area, Tone::Accent, |slice| Some(slice.answered as f64)),
            ("failures", Style::Line(Weight::P95), Tone::Bad, |slice| Some(slice.failed as f64)),
        ],
    ));
    page.chart(&timeline(
        load,
        "Requests in flight",
        Unit::named(""),
        &[("in flight", Style::Line(Weight::P95), Tone::Quiet, |slice| Some(slice.in_flight as f64))],
    ));
    page.heading("Distribution");
    let q = &load.latency;
    page.chart(&histogram("Latency", &load.histogram, &[(q.p50_ms, "p50"), (q.p95_ms, "p95"), (q.p99_ms, "p99")], PLOT.0));
    let mut rows = vec![quantile_row("latency", q)];
    rows.extend(load.schedule_lag.as_ref().map(|lag| quantile_row("schedule lag", lag)));
    page.table(&["", "count", "min", "mean", "p50", "p90", "p95", "p99", "p99.9", "p99.99", "max"], &rows, 1);
    page.heading("Answers by status");
    let rows: Vec<Vec<String>> =
        load.statuses.iter().map(|(status, count)| vec![status.to_string(), count.to_string()]).collect();
    page.table(&["status", "count"], &rows, 1);
    if !load.errors.is_empty() {
        page.heading("Errors by kind");
        let row = |error: &patchbay_contracts::load::LoadError| {
            vec![error.kind.clone(), error.example.clone(), error.count.to_string()]
        };
        page.table(&["kind", "first example", "count"], &load.errors.iter().map(row).collect::<Vec<_>>(), 2);
    }
    page.finish()
}

/// Quantiles of a second in which nothing was answered are no zeroes but gaps.
fn answered(slice: &LoadSlice, value: f64) -> Option<f64> {
    (slice.answered > 0).then_some(value)
}

type Reading = (&'static str, Style, Tone, fn(&LoadSlice) -> Option<f64>);

fn timeline(load: &LoadReport, title: &str, unit: Unit, readings: &[Reading]) -> Chart {
    let end = load.timeline.last().map_or(1.0, |slice| f64::from(slice.second));
    let warm_up = load.timeline.iter().filter(|slice| slice.warm_up).map(|slice| f64::from(slice.second)).reduce(f64::max);
    Chart {
        title: title.to_owned(),
        unit,
        x: XAxis::Elapsed,
        range: (0.0, end.max(1.0)),
        series: readings
            .iter()
            .map(|(label, style, tone, read)| Series {
                label: (*label).to_owned(),
                style: *style,
                tone: *tone,
                points: load.timeline.iter().map(|slice| (f64::from(slice.second), read(slice))).collect(),
                hidden: false,
            })
            .collect(),
        stretches: warm_up.map(|to| Stretch { from: 0.0, to, kind: StretchKind::WarmUp }).into_iter().collect(),
        from_zero: true,
        ..Chart::default()
    }
}

fn quantile_row(name: &str, q: &Quantiles) -> Vec<String> {
    let figures = [q.min_ms, q.mean_ms, q.p50_ms, q.p90_ms, q.p95_ms, q.p99_ms, q.p999_ms, q.p9999_ms, q.max_ms];
    [name.to_owned(), q.count.to_string()].into_iter().chain(figures.map(ms)).collect()
}

fn probe_page(run: &Run, probe: &ProbeReport) -> String {
    let mut page =
        Page::new(&format!("Probe: {} {}", probe.request.method, probe.request.url), run.summary.verdict, run.summary.partial);
    let timing = &probe.timing;
    let phase = |value: Option<f64>| value.map(ms).unwrap_or_default();
    page.facts(&[
        (
            "Status",
            probe.response.as_ref().map(|response| format!("{} {}", response.status, response.reason)).unwrap_or_default(),
        ),
        ("Begun", when(probe.at)),
        ("Total", ms(timing.total_ms)),
        ("DNS", phase(timing.dns_ms)),
        ("Connect", phase(timing.connect_ms)),
        ("TLS", phase(timing.tls_ms)),
        ("First byte", phase(timing.first_byte_ms)),
        ("Download", phase(timing.download_ms)),
        ("Run", run.summary.id.to_string()),
    ]);
    if let Some(problem) = &probe.problem {
        page.line(&problem.to_string());
    }
    for note in &probe.notes {
        page.line(note);
    }
    let rows =
        |headers: &[(String, String)]| headers.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect::<Vec<_>>();
    if let Some(response) = &probe.response {
        page.heading("Response");
        page.table(&["header", "value"], &rows(&response.headers), 2);
        let body = &response.body;
        match (&body.json, &body.text, &body.hex) {
            (Some(json), _, _) => page.code(&serde_json::to_string_pretty(json).unwrap_or_default()),
            (_, Some(text), _) | (_, _, Some(text)) => page.code(text),
            _ => page.line("The body is empty"),
        }
    }
    page.heading("Request");
    page.table(&["header", "value"], &rows(&probe.request.headers), 2);
    page.code(&probe.request.curl);
    page.finish()
}
