//! How an integration does now.

use patchbay_contracts::{
    Problem, Timestamp,
    health::{HealthCheck, Incident, Status},
    integration::Integration,
};

use super::{
    figures::{self, Pace, Point},
    pace::pace,
};
use crate::{Result, store::Store};

/// The time over which promises are judged for the status, in milliseconds: the last hour.
const PROMISES_OVER: i64 = 3_600_000;

/// The checks that a summary shows.
const SHOWN: u32 = 60;

/// How an integration does, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The status.
    pub status: Status,
    /// Since when, where that is known: a promise is broken at no one moment, and a long time of health may reach
    /// further back than was looked at.
    pub since: Option<Timestamp>,
    /// When the last check began.
    pub last_check: Option<Timestamp>,
}

/// What the overview shows of an integration.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// How it does.
    pub standing: Standing,
    /// Latency of the last checks, oldest first, at most 60: time, and milliseconds where there was an answer.
    pub latency: Vec<(Timestamp, Option<f64>)>,
    /// The share of the last hour's checks that failed; `None` without any.
    pub error_share: Option<f64>,
}

/// How an integration does, from its latest checks (ascending in time) and its open incident. The rules are those of
/// [`Status`].
pub fn standing(integration: &Integration, points: &[Point], incident: Option<&Incident>, now: Timestamp) -> Standing {
    let pace = pace(integration);
    let Some((last, held, _)) = points.last().copied() else {
        return Standing { status: Status::Unobserved, since: None, last_check: None };
    };
    let as_of = |status, since| Standing { status, since, last_check: Some(last) };
    if now.saturating_sub(last) > pace.longest {
        return as_of(Status::Unobserved, Some(last.saturating_add(pace.interval)));
    }
    if let Some(incident) = incident {
        return as_of(Status::Down, Some(incident.opened));
    }
    let since = streak(points, pace);
    if !held {
        return as_of(Status::Degraded, since.or_else(|| points.first().map(|first| first.0)));
    }
    let recent = &points[points.partition_point(|point| point.0 < now.saturating_sub(PROMISES_OVER))..];
    let broken = integration
        .slo
        .as_ref()
        .is_some_and(|slo| figures::promises(slo, recent).iter().any(|promise| promise.holds == Some(false)));
    if broken { as_of(Status::Degraded, None) } else { as_of(Status::Healthy, since) }
}

/// When the row of equal outcomes began that the last check belongs to. `None` where it goes on to the first point.
fn streak(points: &[Point], pace: Pace) -> Option<Timestamp> {
    let breaks = |pair: &[Point]| pair[0].1 != pair[1].1 || pair[1].0 - pair[0].0 > pace.longest;
    points.windows(2).rposition(breaks).map(|before| points[before + 1].0)
}

/// How an integration does.
///
/// # Errors
/// What the store says.
pub async fn status(store: &Store, integration: &Integration, now: Timestamp) -> Result<Standing> {
    let (points, incident) = facts(store, integration, now).await?;
    Ok(standing(integration, &points, incident.as_ref(), now))
}

/// What the overview shows of an integration, in three queries at most.
///
/// # Errors
/// What the store says.
pub async fn summary(store: &Store, integration: &Integration, now: Timestamp) -> Result<Summary> {
    let (points, incident) = facts(store, integration, now).await?;
    let hour = &points[points.partition_point(|point| point.0 < now.saturating_sub(PROMISES_OVER))..];
    Ok(Summary {
        standing: standing(integration, &points, incident.as_ref(), now),
        latency: points[points.len().saturating_sub(SHOWN as usize)..].iter().map(|(at, _, latency)| (*at, *latency)).collect(),
        error_share: figures::uptime(hour).map(|share| 1.0 - share),
    })
}

/// The checks of the last hour, or the last 60 where those reach further back; and the open incident.
async fn facts(store: &Store, integration: &Integration, now: Timestamp) -> Result<(Vec<Point>, Option<Incident>)> {
    let name = &integration.name;
    let incident = store.current_incident(name).await?;
    let hour = store.latency_points(name, now.saturating_sub(PROMISES_OVER), now).await?;
    if hour.len() >= SHOWN as usize {
        return Ok((hour, incident));
    }
    let last = store.checks(name, Timestamp::MIN, now, SHOWN).await?;
    Ok((last.iter().rev().map(|check| (check.at, check.healthy, check.latency_ms)).collect(), incident))
}

/// Stores a check that was carried out, and opens, continues or ends the integration's incident by it.
///
/// # Errors
/// What the store says.
pub async fn record(store: &Store, integration: &Integration, check: &HealthCheck) -> Result<()> {
    store.add_check(check).await?;
    let health = integration.health.as_ref();
    let open = store.current_incident(&integration.name).await?;
    let needed = match (&open, check.healthy) {
        (None, true) => return Ok(()),
        (None, false) => health.and_then(|health| health.failures),
        (Some(_), false) => return store.bump_incident(&integration.name).await.map(drop),
        (Some(_), true) => health.and_then(|health| health.successes),
    };
    let needed = needed.unwrap_or(1).max(1);
    let row: Vec<HealthCheck> = store.last_checks(&integration.name, needed).await?;
    let Some(first) = row.last().filter(|_| row.len() == needed as usize && row.iter().all(|one| one.healthy == check.healthy))
    else {
        return Ok(());
    };
    if check.healthy {
        store.close_incident(&integration.name, first.at).await.map(drop)
    } else {
        store.open_incident(&integration.name, first.at, u64::from(needed), &cause(first)).await.map(drop)
    }
}

/// Why a check failed, in a sentence without a full stop.
pub fn cause(check: &HealthCheck) -> String {
    let problem = |problem: &Problem| {
        if problem.why.is_empty() { problem.what.clone() } else { format!("{}: {}", problem.what, problem.why) }
    };
    let failing = || check.conditions.iter().find(|condition| !condition.holds);
    check
        .problem
        .as_ref()
        .map(problem)
        .or_else(|| failing().map(|condition| format!("`{}` does not hold: {}", condition.text, condition.resolved)))
        .unwrap_or_else(|| "The check failed".to_owned())
}
