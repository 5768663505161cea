//! `load`.

use std::{io::IsTerminal, path::Path};

use patchbay_contracts::{
    Code, Problem,
    integration::{DataFeed, Executor, Level, LoadOptions, LoadSpec, Protocol, Spacing},
    ipc::{Backend, UnderstandRequest},
    load::{Change, Comparison, LoadReport, Quantiles},
    run::{Progress, Report},
    units::Span,
};
use patchbay_engine::{Engine, definition, engine::Subject};

use super::{interrupt, k6, looks_like_a_name, split_target, wanted_reports, write_reports};
use crate::{
    Outcome,
    arguments::LoadArguments,
    output::{Colour, Out, live::LoadView, table::Table, words},
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
    let mut options =
        LoadOptions { confirmed: arguments.yes, baseline: arguments.baseline, metrics_port: arguments.metrics_port };
    let cancel = interrupt();
    let mut view = LoadView::new(out, &subject.definition.name);
    let summary = loop {
        let (subject, spec, chosen) = (subject.clone(), spec.clone(), options.clone());
        let start = async {
            let job = engine.start_load_of(subject, spec, chosen).await?;
            if let Some(url) = &job.metrics {
                out.say(&format!("metrics at {url}"));
            }
            Ok(job)
        };
        let run = engine.wait_for(start, &cancel, |progress| {
            if let Progress::Load(news) = progress {
                view.take(&news);
            }
        });
        match run.await {
            Err(question) if question.code == Code::NeedsConfirmation && ask(&question) => options.confirmed = true,
            other => break other?,
        }
    };
    out.clear();
    let run = engine.store().run(summary.id).await?;
    write_reports(out, &run, &wanted)?;
    let Report::Load(report) = &run.report else { return Err(Problem::internal("a load run gave another kind of report")) };
    out.result(&run, || text(out, report, run.summary.id));
    Ok(report.verdict)
}

/// Asks a person, where there is one.
fn ask(question: &Problem) -> bool {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return false;
    }
    eprint!("{} ({}) [y/N] ", question.what, question.why);
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

async fn subject(engine: &Engine, target: &str) -> Result<(Subject, Option<String>), Problem> {
    if let Some((name, endpoint)) = split_target(engine, target) {
        return Ok((engine.subject(&name)?, endpoint));
    }
    if [".yaml", ".yml"].iter().any(|ending| target.ends_with(ending)) && Path::new(target).is_file() {
        let text = std::fs::read_to_string(target)
            .map_err(|error| Problem::new(Code::InvalidInput, format!("`{target}` can't be read")).why(error.to_string()))?;
        let file = std::path::absolute(target).map_or_else(|_| target.to_owned(), |path| path.display().to_string());
        return Subject::read(&file, &text).map(|subject| (subject, None));
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
    if let Some(endpoint) = endpoint {
        spec.endpoint = Some(endpoint);
        (spec.mix, spec.chain) = (Vec::new(), Vec::new());
    }
    if !arguments.mix.is_empty() || !arguments.chain.is_empty() {
        spec.endpoint = None;
        (spec.mix, spec.chain) = (arguments.mix.clone(), arguments.chain.clone());
    }
    pace(&mut spec, arguments);
    spec.connections = arguments.connections.or(spec.connections);
    spec.iterations = arguments.iterations.or(spec.iterations);
    spec.think_time = arguments.think_time.or(spec.think_time);
    spec.connect_rate = arguments.connect_rate.or(spec.connect_rate);
    spec.warm_up = arguments.warm_up.or(spec.warm_up);
    spec.timeout = arguments.timeout.or(spec.timeout);
    spec.streams = arguments.streams.or(spec.streams);
    spec.seed = arguments.seed.or(spec.seed);
    spec.abort_after = arguments.abort_after.or(spec.abort_after);
    spec.keep_alive &= !arguments.no_keep_alive;
    spec.session_reuse &= !arguments.no_session_reuse;
    match arguments.spacing.as_deref() {
        Some("poisson") => spec.spacing = Spacing::Poisson,
        Some(_) => spec.spacing = Spacing::Even,
        None => {}
    }
    if arguments.http2 {
        spec.protocol = Protocol::Http2;
    } else if arguments.websocket {
        spec.protocol = Protocol::WebSocket;
    }
    if !arguments.data.is_empty() {
        // Named on the command line they are where the person is, and not beside the integration's file.
        spec.data = arguments.data.iter().map(here).collect();
    }
    if !arguments.thresholds.is_empty() {
        spec.thresholds.clone_from(&arguments.thresholds);
    }
    spec
}

/// Who decides when the next request goes out, and for how long.
fn pace(spec: &mut LoadSpec, arguments: &LoadArguments) {
    if !arguments.stages.is_empty() {
        let rates = arguments.stages.iter().any(|stage| matches!(stage.to, Level::Rate(_)));
        spec.executor = if rates { Executor::RampingArrivalRate } else { Executor::RampingConnections };
        spec.stages.clone_from(&arguments.stages);
        (spec.rate, spec.duration) = (arguments.rate, arguments.duration);
        if !rates {
            spec.connections = None;
        }
    } else if let Some(rate) = arguments.rate {
        spec.executor = Executor::ConstantArrivalRate;
        (spec.rate, spec.stages) = (Some(rate), Vec::new());
    } else if arguments.connections.is_some() {
        spec.executor = Executor::ConstantConnections;
        (spec.rate, spec.stages) = (None, Vec::new());
    }
    if !spec.executor.is_ramping() {
        spec.duration = arguments.duration.or(spec.duration).or(Some(Span::secs(10)));
    }
}

fn here(feed: &DataFeed) -> DataFeed {
    let file = std::path::absolute(&feed.file).map_or_else(|_| feed.file.clone(), |path| path.display().to_string());
    DataFeed { file, order: feed.order }
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
    let mut quantiles = |name: &str, q: &Quantiles| {
        let cells = [q.p50_ms, q.p90_ms, q.p95_ms, q.p99_ms, q.p999_ms, q.max_ms].map(words::ms);
        table.row(std::iter::once(name.to_owned()).chain(cells));
    };
    quantiles("latency", &report.latency);
    if let Some(lag) = &report.schedule_lag {
        quantiles("schedule lag", lag);
    }
    let phases = &report.phases;
    for (name, of) in [("tcp", &phases.connect), ("tls", &phases.tls), ("first byte", &phases.first_byte)] {
        if of.count > 0 {
            quantiles(name, of);
        }
    }
    text.push_str(&table.text());
    endpoints(&mut text, report);
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
    if let Some(comparison) = &report.comparison {
        compared(&mut text, out, comparison);
    }
    generator(&mut text, out, report);
    for note in &report.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    let partial = if report.partial { " (cancelled half-way)" } else { "" };
    text.push_str(&format!("\n{}{partial}  run {run}\n", words::verdict(out, report.verdict)));
    text
}

/// Each endpoint by itself.
fn endpoints(text: &mut String, report: &LoadReport) {
    if report.endpoints.is_empty() {
        return;
    }
    let head = ["endpoint", "sent", "answered", "failed", "p50", "p95", "p99", "max"];
    let mut table = Table::new(&head).right(&[1, 2, 3, 4, 5, 6, 7]);
    for endpoint in &report.endpoints {
        let q = &endpoint.latency;
        let shown = |value: f64| if q.count == 0 { "–".to_owned() } else { words::ms(value) };
        let counts = [endpoint.sent, endpoint.answered, endpoint.failed].map(|count| count.to_string());
        let figures = [q.p50_ms, q.p95_ms, q.p99_ms, q.max_ms].map(shown);
        table.row(std::iter::once(endpoint.name.clone()).chain(counts).chain(figures));
    }
    text.push('\n');
    text.push_str(&table.text());
}

/// What the generator says of itself.
fn generator(text: &mut String, out: &Out, report: &LoadReport) {
    // A run of an older Patchbay says nothing of its generator.
    if report.generator.threads == 0 {
        return;
    }
    let colour = if report.generator.bottleneck { Colour::Yellow } else { Colour::Dim };
    text.push_str(&format!("\n{}\n", out.paint(colour, &report.generator_sentence())));
    let mut table = Table::bare().right(&[1]);
    for told in report.generator_told() {
        table.row([told.name.to_lowercase(), told.value, told.meaning.to_owned()]);
    }
    text.push_str(&table.text());
}

/// Each figure before and now.
fn compared(text: &mut String, out: &Out, comparison: &Comparison) {
    text.push_str(&format!("\n{}\n", out.paint(Colour::Bold, &comparison.sentence())));
    if comparison.figures.is_empty() {
        return;
    }
    let head = ["figure", "before", "now", "difference", "p-value", "change"];
    let mut table = Table::new(&head).right(&[1, 2, 3, 4]);
    for figure in &comparison.figures {
        let change = match figure.change {
            Change::Worse => out.paint(Colour::Red, figure.change.as_str()),
            Change::Better => out.paint(Colour::Green, figure.change.as_str()),
            Change::Same | Change::Unknown => figure.change.as_str().to_owned(),
        };
        table.row([
            figure.name.clone(),
            figure.before_told(),
            figure.now_told(),
            figure.difference_told(),
            figure.p_told(),
            change,
        ]);
    }
    text.push_str(&table.text());
}
