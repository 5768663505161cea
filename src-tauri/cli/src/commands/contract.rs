//! `contract test`, `accept`, `checks` and `lint`.

use std::path::{Path, PathBuf};

use patchbay_contracts::{
    Code, Problem,
    contract::{Check, CheckResult, ContractOptions, ContractReport, EndpointResult, PactOptions, Severity},
    integration::Auth,
    ipc::{AcceptFailure, Backend},
    run::{Progress, Report, RunKind, Verdict},
};
use patchbay_engine::{Engine, definition, engine::Subject};
use serde_json::Value;

use super::{integrations::read, interrupt, runs, wanted_reports, write_reports};
use crate::{
    Outcome,
    arguments::{ContractCommand, TestArguments},
    output::{Colour, Out, describe, table::Table, words},
};

pub(super) async fn run(engine: &Engine, out: &Out, command: ContractCommand) -> Outcome {
    match command {
        ContractCommand::Test(arguments) => test(engine, out, *arguments).await,
        ContractCommand::Accept { run, operation, check, pointer, reason, until } => {
            let id = runs::number(engine, &run, Some(RunKind::Contract)).await?;
            let check = named_check(&check)?;
            let accept = AcceptFailure { run: id, endpoint: operation, check, pointer, reason, until };
            let file = engine.accept_failure(accept).await?;
            out.result(&serde_json::json!({ "file": file }), || format!("Written down in {file}"));
            Ok(Verdict::Pass)
        }
        // Answered before anything was opened.
        ContractCommand::Lint { .. } | ContractCommand::Checks | ContractCommand::Match(_) | ContractCommand::Messages(_) => {
            Ok(Verdict::Pass)
        }
    }
}

async fn test(engine: &Engine, out: &Out, arguments: TestArguments) -> Outcome {
    let wanted = wanted_reports(&arguments.reports)?;
    let contract = arguments.contract.clone();
    let options = options(arguments)?;
    let subject = subject(engine, &contract)?;
    let start = async {
        match subject {
            Some(subject) => engine.start_contract_of(subject, options).await,
            None => engine.start_document_contract_of(contract, options).await,
        }
    };
    let summary = engine
        .wait_for(start, &interrupt(), |progress| {
            if let Progress::Contract(news) = progress {
                out.live(&format!("{} of {}", news.done, news.total));
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

fn options(arguments: TestArguments) -> Result<ContractOptions, Problem> {
    let auth = |text: Option<String>| text.map(|text| Auth::from_flag(&text)).transpose();
    let pact = arguments.pact;
    Ok(ContractOptions {
        url: arguments.url,
        auth: auth(arguments.auth)?,
        headers: arguments.headers.iter().map(|line| header(line)).collect::<Result<_, _>>()?,
        seed: arguments.seed,
        only: arguments.only,
        skip: arguments.skip,
        warn: arguments.warn,
        budget: arguments.budget,
        accepted: arguments.accepted.map(absolute),
        fetch: arguments.fetch,
        pact: PactOptions {
            states: pact.states,
            tear_down: pact.tear_down,
            provider: pact.provider,
            consumers: pact.consumers,
            broker_auth: auth(pact.broker_auth)?,
            publish: pact.publish,
            branch: pact.branch,
            pending: pact.pending,
            wip_since: pact.wip_since,
            messages: pact.messages,
        },
    })
}

/// A file on the command line is meant from the folder where it was typed, whatever the workspace is.
fn absolute(file: PathBuf) -> String {
    std::path::absolute(&file).unwrap_or(file).display().to_string()
}

fn header(line: &str) -> Result<(String, String), Problem> {
    let (name, value) = line
        .split_once(':')
        .ok_or_else(|| Problem::new(Code::InvalidInput, "A header has no value").next("Write it as --header 'NAME: VALUE'"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn named_check(name: &str) -> Result<Check, Problem> {
    Check::named(name).ok_or_else(|| {
        Problem::new(Code::InvalidInput, format!("There is no check `{name}`")).next("`patchbay contract checks` lists them")
    })
}

/// The integration of that name, or the file's where it is one; `None` for a contract of another kind.
fn subject(engine: &Engine, contract: &str) -> Result<Option<Subject>, Problem> {
    let path = Path::new(contract);
    match engine.subject(contract) {
        Err(problem) if problem.code == Code::NotFound => {
            if contract.contains("://") || contract.starts_with("pact-broker:") || path.is_dir() {
                return Ok(None);
            }
            if !path.is_file() {
                return Err(problem);
            }
            // Contracts of other kinds may be larger than an integration file, which always has this word.
            let text = match std::fs::metadata(path).is_ok_and(|file| file.len() <= definition::MAX_BYTES as u64) {
                true => read(path)?,
                false => return Ok(None),
            };
            match text.contains("integration") && definition::parse(contract, text.as_bytes()).is_meant(text.as_bytes()) {
                true => Subject::read(contract, &text).map(Some),
                false => Ok(None),
            }
        }
        other => other.map(Some),
    }
}

pub(super) fn checks(out: &Out) -> Outcome {
    let all: Vec<Value> = Check::ALL
        .iter()
        .map(|check| {
            serde_json::json!({
                "name": check.as_str(), "severity": check.severity().as_str(), "description": check.description(),
            })
        })
        .collect();
    out.result(&all, || {
        let mut table = Table::new(&["check", "weighs", "what it asks"]);
        for check in Check::ALL {
            table.row([check.as_str(), check.severity().as_str(), check.description()]);
        }
        table.text()
    });
    Ok(Verdict::Pass)
}

pub(super) fn text(out: &Out, report: &ContractReport, run: i64) -> String {
    let mut text = String::new();
    for endpoint in &report.endpoints {
        let timing = if endpoint.status.is_some() { words::ms(endpoint.timing.total_ms) } else { String::new() };
        let attempts = match (endpoint.cases, endpoint.attempts) {
            (2.., _) => format!(", {} cases", endpoint.cases),
            (_, 2..) => format!(", {} attempts", endpoint.attempts),
            _ => String::new(),
        };
        text.push_str(&format!("{}  {}  {}{attempts}\n", words::verdict(out, endpoint.verdict), endpoint.endpoint, timing));
        failures(out, endpoint, &mut text);
    }
    for problem in &report.problems {
        text.push_str(&format!("{}\n", describe(problem)));
    }
    for note in &report.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    if let Some(coverage) = &report.coverage {
        let of = |(seen, all): (usize, usize)| format!("{seen} of {all}");
        text.push_str(&format!(
            "\ncovered   {} operations, {} statuses, {} response fields\n",
            of(coverage.operations()),
            of(coverage.statuses()),
            of(coverage.fields())
        ));
    }
    if let Some(seed) = report.seed {
        text.push_str(&format!("seed      {seed}\n"));
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

pub(super) fn failures(out: &Out, endpoint: &EndpointResult, text: &mut String) {
    let mut any = false;
    for check in endpoint.checks.iter().filter(|check| check.verdict != Verdict::Pass) {
        text.push_str(&failure(out, check));
        any |= check.request.is_none();
    }
    if let Some(problem) = &endpoint.problem {
        text.push_str(&format!("    {problem}\n"));
    }
    if any && let Some(request) = &endpoint.request {
        text.push_str(&format!("    repeat    {}\n", out.paint(Colour::Dim, &request.curl)));
    }
}

pub(super) fn failure(out: &Out, check: &CheckResult) -> String {
    let pointer = check.pointer.as_deref().map(|pointer| if pointer.is_empty() { "(whole body)" } else { pointer });
    let weight = match (&check.accepted, check.severity) {
        (Some(accepted), _) => format!(" (accepted until {}: {})", accepted.until, accepted.reason),
        (None, Severity::Warning) => " (warning)".to_owned(),
        (None, Severity::Error) => String::new(),
    };
    let mut text = format!("    {}{weight}  {}\n", check.check.as_str(), check.message);
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
    if let Some(request) = &check.request {
        let status = check.status.map(|status| format!("  (answered {status})")).unwrap_or_default();
        text.push_str(&format!("    repeat    {}{status}\n", out.paint(Colour::Dim, &request.curl)));
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
