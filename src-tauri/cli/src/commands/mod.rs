//! The commands, each over the engine's own function.

mod contract;
mod contract_match;
mod contract_messages;
mod integrations;
mod k6;
mod load;
mod metrics;
mod mock;
mod monitor;
mod probe;
mod runs;
mod sample;
mod schema;
mod secret;

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use patchbay_contracts::{Code, Problem, Timestamp, ipc::Backend, run::Verdict, units::Span};
use patchbay_engine::{Engine, engine::Config, secrets::guard_panics, workspace::Workspace};
use tokio_util::sync::CancellationToken;

use crate::{
    Outcome,
    arguments::{Arguments, Command, ContractCommand},
    output::{Out, table::Table},
};

/// Carries out what the command line asks for.
pub(crate) async fn carry_out(arguments: Arguments, out: &Out) -> Outcome {
    let mut config =
        Config { workspace: arguments.workspace, database: arguments.db, environment: arguments.env, ..Config::default() };
    match arguments.command {
        Command::Init { dir } => return init(out, &dir),
        Command::Schema { command } => return schema::run(out, command).await,
        Command::Sample(sample) if sample.at.is_some() => return sample::tell(out, &sample).await,
        Command::Contract(ContractCommand::Lint { files }) => return contract::lint(out, &files),
        Command::Contract(ContractCommand::Checks) => return contract::checks(out),
        Command::Contract(ContractCommand::Messages(messages)) => return contract_messages::run(out, *messages, config).await,
        Command::Contract(ContractCommand::Match(cases)) => return contract_match::run(out, &cases).await,
        Command::Mock(arguments) => return mock::run(out, arguments, config).await,
        // Answered before anything was opened.
        Command::Completions { .. } => return Ok(Verdict::Pass),
        _ => {}
    }
    // Checks at intervals are the one thing that two copies must not both do.
    config.attended = matches!(&arguments.command, Command::Monitor { once: false, .. });
    let engine = Engine::open(config).await?;
    guard_panics(engine.credentials().redactor());
    let outcome = match arguments.command {
        Command::Sample(sample) => sample::run(&engine, out, &sample).await,
        Command::List => integrations::list(&engine, out).await,
        Command::Show { name, range } => integrations::show(&engine, out, &name, range).await,
        Command::Add { input, name } => integrations::add(&engine, out, &input, name).await,
        Command::Remove { name } => integrations::remove(&engine, out, name).await,
        Command::Probe(probe) => probe::run(&engine, out, &probe).await,
        Command::Contract(command) => contract::run(&engine, out, command).await,
        Command::Load(load) => load::run(&engine, out, &load).await,
        Command::Scrape { source } => metrics::scrape(&engine, out, &source).await,
        Command::Query { name, series, labels, range, rate, quantile } => match series {
            None => metrics::list(&engine, out, &name).await,
            Some(series) => metrics::query(&engine, out, metrics::Query { name, series, labels, range, rate, quantile }).await,
        },
        Command::Monitor { names, once: true, .. } => monitor::once(&engine, out, &names).await,
        Command::Monitor { names, duration, .. } => monitor::watch(&engine, out, &names, duration).await,
        Command::Secret(secret) => secret::run(&engine, out, secret).await,
        Command::History { name, kind, limit } => runs::history(&engine, out, name, kind, limit).await,
        Command::Report { run, output } => runs::report(&engine, out, &run, output.as_deref()).await,
        Command::Doctor => doctor(&engine, out).await,
        Command::Init { .. } | Command::Mock(_) | Command::Schema { .. } | Command::Completions { .. } => Ok(Verdict::Pass),
    };
    engine.close().await;
    outcome
}

fn init(out: &Out, dir: &Path) -> Outcome {
    let example = Workspace::init(dir)?;
    let shown = serde_json::json!({ "workspace": dir.display().to_string(), "example": example.display().to_string() });
    out.result(&shown, || {
        format!(
            "{} is a workspace now, with one example in {}.\n\nNext:\n  patchbay --workspace {} list\n  patchbay sample --register   (in another terminal, a service to try it on)",
            dir.display(),
            example.display(),
            dir.display()
        )
    });
    Ok(Verdict::Pass)
}

async fn doctor(engine: &Engine, out: &Out) -> Outcome {
    let report = engine.doctor(patchbay_contracts::ipc::RunDoctor {}).await?;
    out.result(&report, || {
        let mut table = Table::bare();
        for finding in &report.findings {
            let sign = match finding.ok {
                Some(true) => "✓",
                Some(false) => "✕",
                None => " ",
            };
            table.row([sign, &finding.name, &finding.found, &finding.next]);
        }
        table.text()
    });
    Ok(Verdict::Pass)
}

/// Is cancelled by Ctrl-C. A second one ends the program at once, as it does everywhere.
pub(crate) fn interrupt() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            cancelled.cancel();
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
    token
}

/// Waits for Ctrl-C, for the end of the time where there is one, or for the end of what runs by itself.
pub(crate) async fn until_over(duration: Option<Span>, ended: impl Future<Output = ()>) {
    let over = async {
        match duration {
            Some(duration) => tokio::time::sleep(duration.0).await,
            None => std::future::pending().await,
        }
    };
    let end = interrupt();
    tokio::select! {
        () = end.cancelled() => {}
        () = over => {}
        () = ended => {}
    }
}

/// The time of day.
pub(crate) fn now() -> Timestamp {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Timestamp)
}

/// Splits `NAME/ENDPOINT` where NAME is an integration of the workspace. An address is no integration.
pub(crate) fn split_target(engine: &Engine, target: &str) -> Option<(String, Option<String>)> {
    if target.contains("://") {
        return None;
    }
    // The whole may be a name too, so the longest name wins.
    let known = engine.workspace().entries();
    known
        .iter()
        .filter_map(|entry| {
            let rest = target.strip_prefix(entry.name.as_str())?;
            if rest.is_empty() {
                return Some((entry.name.clone(), None));
            }
            rest.strip_prefix('/').map(|endpoint| (entry.name.clone(), Some(endpoint.to_owned())))
        })
        .max_by_key(|(name, _)| name.len())
}

/// Whether a text that is no integration can only have been meant as the name of one.
pub(crate) fn looks_like_a_name(target: &str) -> bool {
    !target.contains([':', '.', ' ']) && !target.starts_with("localhost")
}

/// Writes a run's reports, as `--report KIND=FILE` asks.
pub(crate) fn write_reports(
    out: &Out,
    run: &patchbay_contracts::run::Run,
    wanted: &[(patchbay_engine::report::Format, std::path::PathBuf)],
) -> Result<(), Problem> {
    for (format, file) in wanted {
        patchbay_engine::report::write(file, run, *format)?;
        out.say(&format!("wrote {}", file.display()));
    }
    Ok(())
}

/// Understands `--report KIND=FILE` before anything is called, so that a long run isn't lost to a slip.
pub(crate) fn wanted_reports(texts: &[String]) -> Result<Vec<(patchbay_engine::report::Format, std::path::PathBuf)>, Problem> {
    texts
        .iter()
        .map(|text| {
            let (kind, file) = text.split_once('=').ok_or_else(|| {
                Problem::new(Code::InvalidInput, format!("--report {text} names no file"))
                    .next("Write --report KIND=FILE, such as --report junit=contract.xml")
            })?;
            Ok((patchbay_engine::report::Format::named(kind)?, file.into()))
        })
        .collect()
}
