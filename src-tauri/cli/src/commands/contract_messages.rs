//! `contract messages`.

use std::path::Path;

use patchbay_contracts::{
    Problem,
    contract::{ContractOptions, ContractReport},
    run::{Report, Run, RunKind, RunSummary},
};
use patchbay_engine::{
    Engine,
    contract::{
        document,
        messages::{Input, MessageOptions, check, files},
    },
    engine::{Config, headline},
    secrets::guard_panics,
};
use tokio::io::{BufReader, stdin};

use super::{contract, interrupt, wanted_reports, write_reports};
use crate::{
    Outcome,
    arguments::MessagesArguments,
    output::{Out, words},
};

/// The name by which standard input is shown.
const STDIN: &str = "standard input";

pub(super) async fn run(out: &Out, arguments: MessagesArguments, config: Config) -> Outcome {
    let wanted = wanted_reports(&arguments.reports)?;
    let inputs = inputs(&arguments)?;
    let options = MessageOptions {
        envelope: arguments.envelope,
        window: arguments.window,
        contract: ContractOptions {
            only: arguments.only,
            skip: arguments.skip,
            warn: arguments.warn,
            fetch: arguments.fetch,
            ..ContractOptions::default()
        },
        ..MessageOptions::default()
    };
    // Nothing is stored: a stream may have no end.
    let engine = Engine::open(Config { database: Some(":memory:".to_owned()), ..config }).await?;
    guard_panics(engine.credentials().redactor());
    let context = engine.context(None);
    let document = document::open(&context, &arguments.contract, arguments.fetch).await?;
    let told = |news: patchbay_contracts::contract::ContractProgress| {
        if news.total == 0 {
            out.live(&format!("{} messages", news.done));
        }
    };
    let report = check(&context, &document, inputs, &options, &interrupt(), told).await?;
    out.clear();
    let run = stored_nowhere(report);
    write_reports(out, &run, &wanted)?;
    engine.close().await;
    let Report::Contract(report) = run.report else {
        return Err(Problem::internal("a contract run gave another kind of report"));
    };
    out.result(&report, || text(out, &report));
    Ok(report.verdict)
}

/// The inputs; a file that isn't there is told before anything is read.
fn inputs(arguments: &MessagesArguments) -> Result<Vec<Input>, Problem> {
    let standard = || Input::Stream { name: STDIN.to_owned(), reader: Box::new(BufReader::with_capacity(64 * 1024, stdin())) };
    if arguments.inputs.is_empty() {
        return Ok(vec![standard()]);
    }
    let mut inputs = Vec::new();
    for path in &arguments.inputs {
        if path == Path::new("-") {
            inputs.push(standard());
        } else {
            inputs.extend(files(path)?.into_iter().map(Input::File));
        }
    }
    Ok(inputs)
}

fn stored_nowhere(report: ContractReport) -> Run {
    let (at, duration_ms, verdict, partial) = (report.at, report.duration_ms, report.verdict, report.partial);
    let integration = Some(report.integration.clone());
    let report = Report::Contract(report);
    let headline = headline(&report);
    let summary = RunSummary { id: 0, integration, kind: RunKind::Contract, at, duration_ms, verdict, partial, headline };
    Run { summary, report }
}

fn text(out: &Out, report: &ContractReport) -> String {
    let mut text = String::new();
    for result in &report.endpoints {
        text.push_str(&format!("{}  {}  {}\n", words::verdict(out, result.verdict), result.endpoint, count(result.cases)));
        contract::failures(out, result, &mut text);
    }
    let unseen: Vec<&str> = report
        .coverage
        .iter()
        .flat_map(|coverage| &coverage.operations)
        .filter(|operation| !operation.called)
        .map(|operation| operation.operation.as_str())
        .collect();
    if !unseen.is_empty() {
        text.push_str(&format!("\nNot seen: {}\n", unseen.join(", ")));
    }
    for problem in &report.problems {
        text.push_str(&format!("\n{}\n", crate::output::describe(problem)));
    }
    for note in &report.notes {
        text.push_str(&format!("\nnote: {note}\n"));
    }
    let partial = if report.partial { " (cancelled half-way)" } else { "" };
    text.push_str(&format!(
        "\n{}{partial}  {} in {}\n",
        words::verdict(out, report.verdict),
        report.integration,
        words::ms(report.duration_ms)
    ));
    text
}

fn count(messages: u32) -> String {
    if messages == 1 { "1 message".to_owned() } else { format!("{messages} messages") }
}
