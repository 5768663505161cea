//! `history` and `report`.

use std::path::Path;

use patchbay_contracts::{
    Code, Problem,
    ipc::{Backend, ListRuns},
    run::{Report, RunId, RunKind, Verdict},
};
use patchbay_engine::{Engine, report};

use super::{contract, load, now};
use crate::{
    Outcome,
    arguments::Kind,
    output::{Out, table::Table, words},
};

pub(super) async fn history(engine: &Engine, out: &Out, name: Option<String>, kind: Option<Kind>, limit: u32) -> Outcome {
    let kind = kind.map(|kind| match kind {
        Kind::Probe => RunKind::Probe,
        Kind::Contract => RunKind::Contract,
        Kind::Load => RunKind::Load,
    });
    let runs = engine.runs(ListRuns { integration: name, kind, limit, before: None }).await?;
    let now = now();
    out.result(&runs, || {
        if runs.is_empty() {
            return "Nothing was done here yet.\nNext: patchbay probe, contract test or load".to_owned();
        }
        let mut table = Table::new(&["run", "when", "kind", "integration", "verdict", "what came out"]).right(&[0]);
        for run in &runs {
            let partial = if run.partial { " (partial)" } else { "" };
            table.row([
                run.id.to_string(),
                words::ago(run.at, now),
                run.kind.as_str().to_owned(),
                run.integration.clone().unwrap_or_else(|| "–".to_owned()),
                words::verdict(out, run.verdict) + partial,
                run.headline.clone(),
            ]);
        }
        table.text()
    });
    Ok(Verdict::Pass)
}

pub(super) async fn report(engine: &Engine, out: &Out, run: &str, file: Option<&Path>) -> Outcome {
    let id = number(engine, run, None).await?;
    let run = engine.store().run(id).await?;
    match file {
        Some(file) => {
            report::write(file, &run, report::Format::of_file(file)?)?;
            out.result(&serde_json::json!({ "run": id, "file": file.display().to_string() }), || {
                format!("Wrote {}", file.display())
            });
        }
        None => out.result(&run, || match &run.report {
            Report::Contract(found) => contract::text(out, found, id),
            Report::Load(found) => load::text(out, found, id),
            Report::Probe(found) => super::probe::text(out, found),
        }),
    }
    Ok(Verdict::Pass)
}

/// The number of a run that is named by it, or as `last`: of that kind, where one is given.
pub(super) async fn number(engine: &Engine, run: &str, kind: Option<RunKind>) -> Result<RunId, Problem> {
    match run {
        "last" => {
            let newest = engine.runs(ListRuns { integration: None, kind, limit: 1, before: None }).await?;
            newest.first().map(|run| run.id).ok_or_else(|| Problem::new(Code::NotFound, "Nothing was done here yet"))
        }
        number => number.parse().map_err(|_| {
            Problem::new(Code::InvalidInput, format!("`{number}` is not a run"))
                .next("Give the number that `patchbay history` shows, or `last`")
        }),
    }
}
