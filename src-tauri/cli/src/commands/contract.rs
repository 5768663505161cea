//! `contract test` and `contract lint`.

use std::path::{Path, PathBuf};

use patchbay_contracts::{
    Code, Problem,
    contract::{CheckResult, ContractReport, EndpointResult},
    run::{Progress, Report, Verdict},
};
use patchbay_engine::{Engine, definition, engine::Subject};
use serde_json::Value;

use super::{integrations::read, interrupt, wanted_reports, write_reports};
use crate::{
    Outcome,
    arguments::ContractCommand,
    output::{Colour, Out, describe, words},
};

pub(super) async fn test(engine: &Engine, out: &Out, command: ContractCommand) -> Outcome {
    let ContractCommand::Test { contract, url, reports } = command else { return Ok(Verdict::Pass) };
    let wanted = wanted_reports(&reports)?;
    let subject = subject(engine, &contract)?;
    let summary = engine
        .wait_for(async { engine.start_contract_of(subject, url) }, &interrupt(), |progress| {
            if let Progress::Contract(news) = progress {
                out.live(&format!("{} of {} endpoints", news.done, news.total));
            }
        })
        .await?;
    out.clear();
    let run = engine.store().run(summary.id).await?;
    write_reports(out, &run, &wanted)?;
    let Report::Contract(report) = &run.report else {
        return Err(Problem::internal("a contract run gave another kind of report"));
    };
    out.result(&run, || text(out, report, run.summary.id));
    Ok(report.verdict)
}

/// The integration of that name, or the file's.
fn subject(engine: &Engine, contract: &str) -> Result<Subject, Problem> {
    match engine.subject(contract) {
        Err(problem) if problem.code == Code::NotFound && Path::new(contract).is_file() => {
            Subject::read(contract, &read(Path::new(contract))?)
        }
        other => other,
    }
}

pub(super) fn text(out: &Out, report: &ContractReport, run: i64) -> String {
    let mut text = String::new();
    for endpoint in &report.endpoints {
        let timing = if endpoint.status.is_some() { words::ms(endpoint.timing.total_ms) } else { String::new() };
        let attempts = if endpoint.attempts > 1 { format!(", {} attempts", endpoint.attempts) } else { String::new() };
        text.push_str(&format!("{}  {}  {}{attempts}\n", words::verdict(out, endpoint.verdict), endpoint.endpoint, timing));
        failures(out, endpoint, &mut text);
    }
    let partial = if report.partial { " (cancelled half-way)" } else { "" };
    text.push_str(&format!(
        "\n{}{partial}  {} against {} in {}  run {run}\n",
        words::verdict(out, report.verdict),
        report.integration,
        report.base_url,
        words::ms(report.duration_ms)
    ));
    text
}

fn failures(out: &Out, endpoint: &EndpointResult, text: &mut String) {
    let mut any = false;
    for check in endpoint.checks.iter().filter(|check| check.verdict != Verdict::Pass) {
        text.push_str(&failure(out, check));
        any = true;
    }
    if let Some(problem) = &endpoint.problem {
        text.push_str(&format!("    {problem}\n"));
    }
    if any && let Some(request) = &endpoint.request {
        text.push_str(&format!("    repeat    {}\n", out.paint(Colour::Dim, &request.curl)));
    }
}

fn failure(out: &Out, check: &CheckResult) -> String {
    let pointer = check.pointer.as_deref().map(|pointer| if pointer.is_empty() { "(whole body)" } else { pointer });
    let mut text = format!("    {}  {}\n", check.check.as_str(), check.message);
    if let Some(pointer) = pointer {
        text.push_str(&format!("    at        {pointer}\n"));
    }
    if let Some(expected) = &check.expected {
        text.push_str(&format!("    expected  {}\n", out.paint(Colour::Green, &short(expected))));
    }
    if let Some(actual) = &check.actual {
        text.push_str(&format!("    actual    {}\n", out.paint(Colour::Red, &short(actual))));
    }
    if let Some(place) = &check.place {
        text.push_str(&format!("    asked in  {place}\n"));
    }
    text
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    };
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

pub(super) fn lint(out: &Out, files: &[PathBuf]) -> Outcome {
    let mut problems = Vec::new();
    for file in files {
        match read(file) {
            Ok(text) => problems.extend(definition::parse(&file.display().to_string(), text.as_bytes()).problems),
            Err(problem) => problems.push(problem),
        }
    }
    out.result(&problems, || match problems.len() {
        0 => {
            format!("{} without a mistake", if files.len() == 1 { "1 file".to_owned() } else { format!("{} files", files.len()) })
        }
        _ => problems.iter().map(|problem| describe(problem) + "\n").collect(),
    });
    Ok(if problems.is_empty() { Verdict::Pass } else { Verdict::Fail })
}
