//! `list`, `show`, `add`, `remove`.

use std::path::Path;

use patchbay_contracts::{
    Code, Problem,
    ipc::{AddIntegration, Backend, GetHealth, ListIncidents, ListIntegrations, RemoveIntegration, ShowIntegration},
    run::Verdict,
    units::Span,
};
use patchbay_engine::Engine;

use super::now;
use crate::{
    Outcome,
    output::{Colour, Out, describe, table::Table, words},
};

/// A definition larger than this isn't one.
const FILE: u64 = 1 << 20;

pub(super) async fn list(engine: &Engine, out: &Out) -> Outcome {
    let all = engine.list(ListIntegrations {}).await?;
    let now = now();
    out.result(&all, || {
        if all.is_empty() {
            return format!(
                "No integrations in {} yet.\nNext: patchbay add https://…, or patchbay sample --register to try it on the bundled service.",
                engine.workspace().dir().display()
            );
        }
        let mut table = Table::new(&["name", "status", "checked", "latency", "errors", "contract", "address"]).right(&[3, 4]);
        for one in &all {
            let latency = one.latency.iter().rev().find_map(|(_, latency)| *latency);
            table.row([
                one.name.clone(),
                words::status(out, one.status),
                one.last_check.map_or_else(|| "never".to_owned(), |at| words::ago(at, now)),
                latency.map_or_else(|| "–".to_owned(), words::ms),
                one.error_share.map_or_else(|| "–".to_owned(), words::share),
                one.contract.map_or_else(|| "–".to_owned(), |verdict| words::verdict(out, verdict)),
                one.base_url.clone(),
            ]);
        }
        table.text()
    });
    for problem in engine.workspace().problems().iter().chain(all.iter().flat_map(|one| &one.problems)) {
        out.say(&describe(problem));
    }
    Ok(Verdict::Pass)
}

pub(super) async fn show(engine: &Engine, out: &Out, name: &str, range: Span) -> Outcome {
    let detail = engine.show(ShowIntegration { name: name.to_owned() }).await?;
    let to = now();
    let from = to - range.0.as_millis() as i64;
    let health = match &detail.definition {
        Some(_) => Some(engine.health(GetHealth { integration: name.to_owned(), from, to }).await?),
        None => None,
    };
    let incidents = engine.incidents(ListIncidents { integration: Some(name.to_owned()) }).await?;
    let document = serde_json::json!({ "integration": detail, "health": health, "incidents": incidents });
    out.result(&document, || {
        let one = &detail.summary;
        let mut text = format!("{}  {}\n\n", out.paint(Colour::Bold, &one.name), words::status(out, one.status));
        let mut table = Table::bare();
        table.row(["file", &one.file]);
        table.row(["address", &one.base_url]);
        if let Some(definition) = &detail.definition {
            let labels: Vec<String> = definition.endpoints.iter().map(patchbay_contracts::integration::Endpoint::label).collect();
            table.row(["endpoints".to_owned(), labels.join(", ")]);
        }
        if let Some(health) = &health {
            table.row(["checks".to_owned(), format!("{} in the last {range}", health.checks)]);
            table.row(["uptime".to_owned(), health.uptime.map_or_else(|| "unobserved".to_owned(), words::share)]);
            table.row(["observed".to_owned(), format!("{} of the time", words::share(health.observed))]);
            for slo in &health.slo {
                let sign = match slo.holds {
                    Some(true) => "✓",
                    Some(false) => "✕",
                    None => "?",
                };
                let actual = slo.actual.as_deref().unwrap_or("no data");
                table.row([slo.name.clone(), format!("{sign} {actual} (promised {})", slo.target)]);
            }
        }
        text.push_str(&table.text());
        if !incidents.is_empty() {
            text.push_str("\nIncidents\n");
            let mut table = Table::bare();
            for incident in incidents.iter().take(10) {
                let end = incident
                    .ended
                    .map_or_else(|| "open".to_owned(), |ended| format!("for {}", words::ms((ended - incident.opened) as f64)));
                table.row([words::ago(incident.opened, to), end, incident.cause.clone()]);
            }
            text.push_str(&table.text());
        }
        text
    });
    for problem in &detail.summary.problems {
        out.say(&describe(problem));
    }
    Ok(Verdict::Pass)
}

pub(super) async fn add(engine: &Engine, out: &Out, input: &str, name: Option<String>) -> Outcome {
    let input = if Path::new(input).is_file() { read(Path::new(input))? } else { input.to_owned() };
    let saved = engine.add(AddIntegration { input, name }).await?;
    out.result(&saved, || format!("Registered {} in {}.\nNext: patchbay probe {0}", saved.name, saved.file));
    for problem in &saved.problems {
        out.say(&describe(problem));
    }
    Ok(if saved.problems.is_empty() { Verdict::Pass } else { Verdict::Fail })
}

pub(super) async fn remove(engine: &Engine, out: &Out, name: String) -> Outcome {
    let entry = engine.workspace().entry(&name)?;
    engine.remove(RemoveIntegration { name }).await?;
    // The way back of a single command: the text that was there.
    out.result(&serde_json::json!({ "removed": entry.name, "file": entry.file, "text": entry.text.to_string() }), || {
        format!("Removed {} ({}). Its results stay in the history.", entry.name, entry.file)
    });
    Ok(Verdict::Pass)
}

/// A definition's text, bounded before it is read.
pub(super) fn read(path: &Path) -> Result<String, Problem> {
    let shown = path.display();
    let cannot = |why: String| Problem::new(Code::InvalidInput, format!("{shown} can't be read")).why(why);
    let length = std::fs::metadata(path).map_err(|error| cannot(error.to_string()))?.len();
    if length > FILE {
        return Err(cannot(format!("It has {length} bytes, and an integration file has at most {FILE}")));
    }
    let bytes = std::fs::read(path).map_err(|error| cannot(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| cannot(format!("It is not UTF-8: {error}")).next("Save it as UTF-8"))
}
