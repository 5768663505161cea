//! The HTML report of a load run: the verdict, the run over time, each endpoint, and what the generator says of itself.

use patchbay_contracts::{
    chart::{histogram, load_charts},
    load::{Comparison, EndpointLoad, LoadError, LoadReport, Quantiles},
    run::Run,
};

use super::page::{PLOT, Page, ms, when};

pub(super) fn page(run: &Run, load: &LoadReport) -> String {
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
        ("Rounds", if load.spec.chain.is_empty() { String::new() } else { totals.iterations.to_string() }),
        ("Connections opened", totals.connects.to_string()),
        ("Executor", load.spec.executor.as_str().to_owned()),
        ("Protocol", load.spec.protocol.as_str().to_owned()),
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
    if let Some(comparison) = &load.comparison {
        compared(&mut page, comparison);
    }
    page.heading("Over time");
    for chart in load_charts(&load.timeline, &load.spec, None) {
        page.chart(&chart);
    }
    page.heading("Distribution");
    let q = &load.latency;
    page.chart(&histogram("Latency", &load.histogram, &[(q.p50_ms, "p50"), (q.p95_ms, "p95"), (q.p99_ms, "p99")], PLOT.0));
    distributions(&mut page, load);
    if !load.endpoints.is_empty() {
        page.heading("Endpoints");
        let rows: Vec<Vec<String>> = load.endpoints.iter().map(endpoint_row).collect();
        page.table(&["endpoint", "sent", "answered", "failed", "p50", "p95", "p99", "max"], &rows, 1);
    }
    page.heading("Answers by status");
    let rows: Vec<Vec<String>> =
        load.statuses.iter().map(|(status, count)| vec![status.to_string(), count.to_string()]).collect();
    page.table(&["status", "count"], &rows, 1);
    if !load.errors.is_empty() {
        page.heading("Errors by kind");
        let row = |error: &LoadError| vec![error.kind.clone(), error.example.clone(), error.count.to_string()];
        page.table(&["kind", "first example", "count"], &load.errors.iter().map(row).collect::<Vec<_>>(), 2);
    }
    generator(&mut page, load);
    page.finish()
}

fn compared(page: &mut Page, comparison: &Comparison) {
    page.heading(&format!("Compared with run {}", comparison.baseline));
    page.line(&comparison.sentence());
    let rows: Vec<Vec<String>> = comparison
        .figures
        .iter()
        .map(|figure| {
            vec![
                figure.name.clone(),
                figure.change.as_str().to_owned(),
                figure.before_told(),
                figure.now_told(),
                figure.difference_told(),
                figure.p_told(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        page.table(&["figure", "change", "before", "now", "difference", "p-value"], &rows, 2);
    }
    if !comparison.test.is_empty() {
        page.line(&comparison.test);
    }
}

/// Latency, how late requests went out, and the phases, a row each.
fn distributions(page: &mut Page, load: &LoadReport) {
    let mut rows = vec![quantile_row("latency", &load.latency)];
    rows.extend(load.schedule_lag.as_ref().map(|lag| quantile_row("schedule lag", lag)));
    let phases = &load.phases;
    let phases = [("TCP", &phases.connect), ("TLS", &phases.tls), ("first byte", &phases.first_byte)];
    rows.extend(phases.into_iter().filter(|(_, of)| of.count > 0).map(|(name, of)| quantile_row(name, of)));
    page.table(&["", "count", "min", "mean", "p50", "p90", "p95", "p99", "p99.9", "p99.99", "max"], &rows, 1);
}

fn quantile_row(name: &str, q: &Quantiles) -> Vec<String> {
    let figures = [q.min_ms, q.mean_ms, q.p50_ms, q.p90_ms, q.p95_ms, q.p99_ms, q.p999_ms, q.p9999_ms, q.max_ms];
    [name.to_owned(), q.count.to_string()].into_iter().chain(figures.map(ms)).collect()
}

fn endpoint_row(endpoint: &EndpointLoad) -> Vec<String> {
    let q = &endpoint.latency;
    let counts = [endpoint.sent, endpoint.answered, endpoint.failed].map(|count| count.to_string());
    let shown = |value: f64| if q.count == 0 { "–".to_owned() } else { ms(value) };
    let figures = [q.p50_ms, q.p95_ms, q.p99_ms, q.max_ms].map(shown);
    std::iter::once(endpoint.name.clone()).chain(counts).chain(figures).collect()
}

fn generator(page: &mut Page, load: &LoadReport) {
    // A run of an older Patchbay says nothing of its generator.
    if load.generator.threads == 0 {
        return;
    }
    page.heading("The generator");
    page.line(&load.generator_sentence());
    let rows: Vec<Vec<String>> =
        load.generator_told().into_iter().map(|told| vec![told.name.to_owned(), told.meaning.to_owned(), told.value]).collect();
    page.table(&["figure", "what it is", "value"], &rows, 2);
    if !load.generator.drain.is_empty() {
        page.line(&load.generator.drain);
    }
    if !load.generator.clock.is_empty() {
        page.line(&format!("Its clock is {}.", load.generator.clock));
    }
}
