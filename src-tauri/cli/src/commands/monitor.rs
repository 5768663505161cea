//! `monitor`.

use patchbay_contracts::{
    Code, Problem,
    health::{HealthCheck, Status},
    ipc::{Backend, CheckNow, Event, ListIntegrations, ScrapeNow},
    run::Verdict,
    units::Span,
};
use patchbay_engine::Engine;
use tokio::sync::broadcast::error::RecvError;

use super::{interrupt, now};
use crate::{
    Outcome,
    output::{Colour, Out, describe, table::Table, words},
};

/// The integrations to look at: those named, or all that have a health check.
fn chosen(engine: &Engine, names: &[String]) -> Result<Vec<String>, Problem> {
    if !names.is_empty() {
        for name in names {
            engine.subject(name)?;
        }
        return Ok(names.to_vec());
    }
    let watched = engine.workspace().entries().into_iter().filter(|entry| {
        let health = entry.parsed.definition.as_ref().and_then(|definition| definition.health.as_ref());
        health.is_some_and(|health| health.enabled)
    });
    let watched: Vec<String> = watched.map(|entry| entry.name).collect();
    if watched.is_empty() {
        return Err(Problem::new(Code::NotFound, "No integration here has a health check")
            .next("Add `health: { interval: 30s }` to an integration's file"));
    }
    Ok(watched)
}

pub(super) async fn once(engine: &Engine, out: &Out, names: &[String]) -> Outcome {
    let mut checks = Vec::new();
    for name in chosen(engine, names)? {
        let check = engine.check_now(CheckNow { integration: name.clone() }).await?;
        checks.push(check);
        let scraped = engine.subject(&name)?.definition.metrics.is_some();
        if scraped && let Err(problem) = engine.scrape_now(ScrapeNow { integration: name }).await {
            out.say(&describe(&problem));
        }
    }
    out.result(&checks, || {
        let mut table = Table::new(&["name", "check", "latency", "why"]).right(&[2]);
        for check in &checks {
            table.row([
                check.integration.clone(),
                verdict(out, check),
                check.latency_ms.map_or_else(|| "–".to_owned(), words::ms),
                reason(check),
            ]);
        }
        table.text()
    });
    Ok(if checks.iter().all(|check| check.healthy) { Verdict::Pass } else { Verdict::Fail })
}

fn verdict(out: &Out, check: &HealthCheck) -> String {
    if check.healthy { out.paint(Colour::Green, "● healthy") } else { out.paint(Colour::Red, "✕ failing") }
}

fn reason(check: &HealthCheck) -> String {
    match &check.problem {
        Some(problem) => problem.what.clone(),
        None => check
            .conditions
            .iter()
            .filter(|condition| !condition.holds)
            .map(|condition| format!("{} ({})", condition.text, condition.resolved))
            .collect::<Vec<_>>()
            .join("; "),
    }
}

/// Runs the checks at their intervals, and says each time that a status changes.
pub(super) async fn watch(engine: &Engine, out: &Out, names: &[String], duration: Option<Span>) -> Outcome {
    let names = chosen(engine, names)?;
    let mut events = engine.events();
    engine.start_monitor();
    let end = interrupt();
    let until = duration.map(|duration| tokio::time::Instant::now() + duration.0);
    let mut known: std::collections::BTreeMap<String, Status> = std::collections::BTreeMap::new();
    let mut checks = 0_u64;
    out.say(&format!(
        "checking {} until {}",
        names.join(", "),
        duration.map_or_else(|| "Ctrl-C".to_owned(), |d| format!("{d} are over"))
    ));
    loop {
        let over = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        let event = tokio::select! {
            () = end.cancelled() => break,
            () = over => break,
            event = events.recv() => event,
        };
        match event {
            Ok(Event::HealthChanged { integration }) if names.contains(&integration) => {
                checks += 1;
                let all = engine.list(ListIntegrations {}).await?;
                let Some(one) = all.iter().find(|one| one.name == integration) else { continue };
                if known.insert(integration.clone(), one.status) != Some(one.status) {
                    out.say(&format!("{integration}  {}", words::status(out, one.status)));
                }
                out.live(&format!("{checks} checks"));
            }
            Ok(Event::Notice { problem }) => out.say(&describe(&problem)),
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => break,
        }
    }
    out.clear();
    let all = engine.list(ListIntegrations {}).await?;
    let looked_at: Vec<_> = all.into_iter().filter(|one| names.contains(&one.name)).collect();
    let now = now();
    out.result(&looked_at, || {
        let mut table = Table::new(&["name", "status", "since", "errors"]).right(&[3]);
        for one in &looked_at {
            table.row([
                one.name.clone(),
                words::status(out, one.status),
                one.since.map_or_else(|| "–".to_owned(), |at| words::ago(at, now)),
                one.error_share.map_or_else(|| "–".to_owned(), words::share),
            ]);
        }
        table.text()
    });
    Ok(Verdict::of(looked_at.iter().map(|one| match one.status {
        Status::Healthy | Status::Degraded => Verdict::Pass,
        Status::Down => Verdict::Fail,
        Status::Unobserved => Verdict::Inconclusive,
    })))
}
