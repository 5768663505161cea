//! `load`.

use patchbay_contracts::{
    Code, Problem,
    integration::{Executor, LoadOptions, LoadSpec},
    ipc::{Backend, UnderstandRequest},
    load::{LoadProgress, LoadReport},
    run::{Progress, Report},
    units::Span,
};
use patchbay_engine::{Engine, definition, engine::Subject};

use super::{interrupt, k6, looks_like_a_name, split_target, wanted_reports, write_reports};
use crate::{
    Outcome,
    arguments::LoadArguments,
    output::{Colour, Out, table::Table, words},
};

pub(super) async fn run(engine: &Engine, out: &Out, arguments: &LoadArguments) -> Outcome {
    let wanted = wanted_reports(&arguments.reports)?;
    let (subject, endpoint) = subject(engine, &arguments.target).await?;
    let spec = spec(subject.definition.load.clone().unwrap_or_default(), endpoint, arguments);
    if !arguments.exports.is_empty() {
        return k6::export(engine, out, subject, &spec, arguments).await;
    }
    if let Some(summary) = &arguments.from_k6 {
        return k6::import(engine, out, subject, &spec, summary, &wanted).await;
    }
    let summary = engine
        .wait_for(engine.start_load_of(subject, spec, LoadOptions::default()), &interrupt(), |progress| {
            if let Progress::Load(news) = progress {
                out.live(&live(&news));
            }
        })
        .await?;
    out.clear();
    let run = engine.store().run(summary.id).await?;
    write_reports(out, &run, &wanted)?;
    let Report::Load(report) = &run.report else { return Err(Problem::internal("a load run gave another kind of report")) };
    out.result(&run, || text(out, report, run.summary.id));
    Ok(report.verdict)
}

async fn subject(engine: &Engine, target: &str) -> Result<(Subject, Option<String>), Problem> {
    if let Some((name, endpoint)) = split_target(engine, target) {
        return Ok((engine.subject(&name)?, endpoint));
    }
    if looks_like_a_name(target) {
        let name = target.split('/').next().unwrap_or_default();
        return engine.subject(name).map(|subject| (subject, None));
    }
    let understood = engine.understand(UnderstandRequest { input: target.to_owned() }).await?;
    let text = definition::from_request(&understood.request, None)?;
    Subject::read(&understood.request.url, &text)
        .map(|subject| (subject, None))
        .map_err(|problem| Problem::new(Code::InvalidInput, format!("`{target}` can't be put under load")).why(problem.what))
}

/// What the file says, with what the command line says in its place.
fn spec(mut spec: LoadSpec, endpoint: Option<String>, arguments: &LoadArguments) -> LoadSpec {
    spec.endpoint = endpoint.or(spec.endpoint);
    if let Some(rate) = arguments.rate {
        spec.executor = Executor::ConstantArrivalRate;
        spec.rate = Some(rate);
    } else if arguments.connections.is_some() {
        spec.executor = Executor::ConstantConnections;
        spec.rate = None;
    }
    spec.connections = arguments.connections.or(spec.connections);
    // Stages have a length of their own.
    let usual = (!spec.executor.is_ramping()).then_some(Span::secs(10));
    spec.duration = arguments.duration.or(spec.duration).or(usual);
    spec.warm_up = arguments.warm_up.or(spec.warm_up);
    spec.timeout = arguments.timeout.or(spec.timeout);
    if !arguments.thresholds.is_empty() {
        spec.thresholds.clone_from(&arguments.thresholds);
    }
    spec
}

fn live(news: &LoadProgress) -> String {
    format!(
        "{:>3.0}%  {:.0}/s  p50 {}  p95 {}  p99 {}  errors {}",
        news.elapsed_ms / news.total_ms.max(1.0) * 100.0,
        news.totals.rate,
        words::ms(news.latency.p50_ms),
        words::ms(news.latency.p95_ms),
        words::ms(news.latency.p99_ms),
        words::share(news.totals.error_share)
    )
}

pub(super) fn text(out: &Out, report: &LoadReport, run: i64) -> String {
    let totals = &report.totals;
    let mut text = format!("{}  {}\n\n", out.paint(Colour::Bold, &report.target), report.request);
    let mut table = Table::bare();
    let target = totals.target_rate.map(|rate| format!(" of {rate:.0}/s asked for")).unwrap_or_default();
    table.row(["rate".to_owned(), format!("{:.1}/s{target}", totals.rate)]);
    table
        .row(["answers".to_owned(), format!("{} of {} sent in {}", totals.answered, totals.sent, words::ms(report.duration_ms))]);
    table.row(["errors".to_owned(), format!("{} ({})", totals.failed, words::share(totals.error_share))]);
    if totals.unanswered + totals.dropped > 0 {
        table.row(["left out".to_owned(), format!("{} unanswered, {} never started", totals.unanswered, totals.dropped)]);
    }
    table.row(["received".to_owned(), words::bytes(totals.bytes_received)]);
    text.push_str(&table.text());
    text.push('\n');
    let mut table = Table::new(&["", "p50", "p90", "p95", "p99", "p99.9", "max"]).right(&[1, 2, 3, 4, 5, 6]);
    let mut quantiles = |name: &str, q: &patchbay_contracts::load::Quantiles| {
        let cells = [q.p50_ms, q.p90_ms, q.p95_ms, q.p99_ms, q.p999_ms, q.max_ms].map(words::ms);
        table.row(std::iter::once(name.to_owned()).chain(cells));
    };
    quantiles("latency", &report.latency);
    if let Some(lag) = &report.schedule_lag {
        quantiles("schedule lag", lag);
    }
    text.push_str(&table.text());
    let mut table = Table::bare().right(&[1]);
    for (status, count) in &report.statuses {
        table.row([format!("status {status}"), count.to_string()]);
    }
    for error in report.errors.iter().filter(|error| !error.kind.starts_with("status")) {
        table.row([error.kind.clone(), error.count.to_string(), error.example.clone()]);
    }
    text.push('\n');
    text.push_str(&table.text());
    for threshold in &report.thresholds {
        text.push_str(&format!("{}  {}  was {}\n", words::verdict(out, threshold.verdict), threshold.text, threshold.actual));
    }
    for note in &report.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    let partial = if report.partial { " (cancelled half-way)" } else { "" };
    text.push_str(&format!("\n{}{partial}  run {run}\n", words::verdict(out, report.verdict)));
    text
}
