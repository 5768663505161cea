//! From the sums of a run to its report: the figures, what they can't vouch for, and the verdict.

mod notes;

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use patchbay_contracts::{
    Timestamp,
    load::{LoadError, LoadReport, LoadTotals},
    run::Verdict,
};

use crate::{
    Target,
    failure::Kind,
    figures::{Doubts, Figures},
    plan::Plan,
    sums::{Sums, quantiles},
    worker::{Effort, Ending},
};

/// A generator whose 99th percentile of lag is above this didn't offer the load that was asked for; in nanoseconds.
const LARGEST_LAG: u64 = 10_000_000;
/// A generator that waits for less than this share of the time, or uses more than the rest of a processor, has no more
/// to give.
const LEAST_WAITING: f64 = 0.05;
/// One that sent too little is to blame for it where it waited for less than this share of the time.
const LITTLE_WAITING: f64 = 0.2;
/// The share of the requests that must have been sent for the rate to count as reached.
const ENOUGH: f64 = 0.99;
/// Buckets of the reported histogram for each doubling of the latency.
const BUCKETS_A_DOUBLING: f64 = 8.0;

/// What a run came to, before it is put into words.
struct Findings<'a> {
    plan: &'a Plan,
    sums: &'a Sums,
    endings: &'a [Ending],
    totals: LoadTotals,
    figures: Figures,
    /// The latencies with those of the unanswered.
    latency: Histogram<u64>,
    verdict: Verdict,
}

/// Builds the report.
pub(crate) fn build(target: &Target, plan: &Plan, sums: Sums, endings: &[Ending], at: Timestamp, cancelled: bool) -> LoadReport {
    let stopped = endings.iter().map(|ending| ending.at).max().unwrap_or_default();
    // A cancel that came when all was over anyway changed nothing.
    let cancelled = cancelled && stopped < plan.end;
    let seconds = stopped.min(plan.end).saturating_sub(plan.measured_from) as f64 / 1e9;
    let mut totals = sums.totals(seconds, plan.rate);
    let waited = unanswered(endings, &mut totals);
    totals.error_share = share(totals.failed + totals.dropped, sums.ended() + backlog(endings));
    let figures = Figures {
        latency: sums.latency.clone(),
        waited,
        sent: totals.sent,
        answered: totals.answered,
        failed: totals.failed,
        // Those that were never started are among the dropped and among the waiting; here they count once, as waiting.
        ended: sums.ended(),
        dropped: sums.counts.dropped,
        answered_in_time: sums.in_time,
        seconds,
        doubts: doubts(plan, &sums, endings, cancelled),
    };
    let latency = figures.latency_with_waiting();
    let thresholds: Vec<_> = plan.thresholds.iter().map(|threshold| threshold.judge(&figures, &latency)).collect();
    let local = sums.counts.errors[Kind::Local as usize];
    let verdict = verdict(&figures, local, Verdict::of(thresholds.iter().map(|result| result.verdict)));
    let findings = Findings { plan, sums: &sums, endings, totals, figures, latency, verdict };
    let notes = findings.notes();
    LoadReport {
        at,
        duration_ms: seconds * 1e3,
        verdict,
        partial: cancelled,
        totals,
        latency: quantiles(&findings.latency),
        schedule_lag: plan.rate.map(|_| quantiles(&sums.lag)),
        statuses: statuses(&sums),
        errors: errors(&sums),
        thresholds,
        notes,
        histogram: buckets(&findings.latency),
        timeline: sums.slices,
        ..LoadReport::new(&target.name, &target.shown, plan.spec.clone())
    }
}

/// Adds those that were never answered to the totals, and returns how long each had waited.
fn unanswered(endings: &[Ending], totals: &mut LoadTotals) -> Vec<u64> {
    let mut waited = Vec::new();
    for ending in endings {
        waited.extend_from_slice(&ending.unanswered);
        totals.unanswered += ending.unanswered.len() as u64;
        if let Some(mut backlog) = ending.backlog.clone() {
            totals.dropped += backlog.waiting();
            while let Some(intended) = backlog.take() {
                waited.push(ending.at.saturating_sub(intended));
            }
        }
    }
    waited
}

/// Arrivals that were never started.
fn backlog(endings: &[Ending]) -> u64 {
    endings.iter().filter_map(|ending| ending.backlog.as_ref()).map(|backlog| backlog.waiting()).sum()
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn doubts(plan: &Plan, sums: &Sums, endings: &[Ending], cancelled: bool) -> Doubts {
    let lagged = plan.rate.is_some() && !sums.lag.is_empty() && sums.lag.value_at_quantile(0.99) > LARGEST_LAG;
    let local = sums.counts.errors[Kind::Local as usize] > 0;
    Doubts {
        generator_late: lagged || local || sums.stalls.count > 0 || fell_short_by_itself(plan, sums, endings),
        generator_busy: plan.rate.is_none() && endings.iter().any(|ending| is_busy(&ending.effort)),
        cancelled,
    }
}

/// Whether fewer requests went out than were due, and the generator had hardly any time left to send more.
fn fell_short_by_itself(plan: &Plan, sums: &Sums, endings: &[Ending]) -> bool {
    let Some(rate) = plan.rate else { return false };
    let due = rate * (plan.end - plan.measured_from) as f64 / 1e9;
    let ended = endings.iter().all(|ending| ending.at >= plan.end);
    let pressed = endings.iter().any(|ending| ending.effort.waiting < LITTLE_WAITING * ending.effort.seconds);
    ended && pressed && ((sums.counts.sent + sums.counts.unmet()) as f64) < due * ENOUGH
}

/// Whether a worker had no more to give.
fn is_busy(effort: &Effort) -> bool {
    effort.seconds > 0.0
        && (effort.waiting < LEAST_WAITING * effort.seconds
            || effort.processor.is_some_and(|used| used > (1.0 - LEAST_WAITING) * effort.seconds))
}

/// `local` of the failures were this machine's own.
fn verdict(figures: &Figures, local: u64, thresholds: Verdict) -> Verdict {
    let doubts = figures.doubts;
    let all_failed = figures.answered == 0 || figures.failed + figures.dropped >= figures.ended;
    // However late the generator was: where all that it tried failed, and not by its own fault, the service failed.
    let service_failed = all_failed && figures.failed > local;
    match thresholds {
        // Before anything could be answered there is nothing to judge by.
        _ if doubts.cancelled && figures.ended == 0 => Verdict::Inconclusive,
        _ if service_failed || (all_failed && !doubts.generator_late) => Verdict::Fail,
        Verdict::Pass if doubts.generator_late || doubts.cancelled || all_failed => Verdict::Inconclusive,
        verdict => verdict,
    }
}

fn statuses(sums: &Sums) -> Vec<(u16, u64)> {
    (0_u16..).zip(sums.statuses.iter().copied()).filter(|&(_, count)| count > 0).collect()
}

/// The failures by kind, the most frequent first.
fn errors(sums: &Sums) -> Vec<LoadError> {
    let example =
        |kind| sums.examples.iter().find(|example| example.kind == kind).map_or_else(String::new, |found| found.text.clone());
    let mut errors: Vec<LoadError> = Kind::ALL
        .into_iter()
        .zip(sums.counts.errors)
        .map(|(kind, count)| LoadError { kind: kind.as_str().into(), count, example: example(Ok(kind)) })
        .chain(statuses(sums).into_iter().filter(|&(status, _)| status >= 400).map(|(status, count)| LoadError {
            kind: format!("status {status}"),
            count,
            example: example(Err(status)),
        }))
        .filter(|error| error.count > 0)
        .collect();
    errors.sort_by_key(|error| std::cmp::Reverse(error.count));
    errors
}

/// The histogram in few enough buckets for a picture: each is a tenth wider than the one before.
fn buckets(latency: &Histogram<u64>) -> Vec<(f64, u64)> {
    let mut buckets = BTreeMap::new();
    for value in latency.iter_recorded() {
        let place = ((value.value_iterated_to().max(1) as f64).log2() * BUCKETS_A_DOUBLING).ceil() as i64;
        *buckets.entry(place).or_insert(0) += value.count_at_value();
    }
    buckets.into_iter().map(|(place, count)| ((place as f64 / BUCKETS_A_DOUBLING).exp2() / 1e6, count)).collect()
}
