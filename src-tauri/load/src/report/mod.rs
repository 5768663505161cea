//! From the sums of a run to its report: the figures, what they can't vouch for, and the verdict.

mod notes;

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use patchbay_contracts::{
    Problem, Timestamp,
    integration::FeedOrder,
    load::{EndpointLoad, Generator, LoadError, LoadReport, LoadTotals, Phases, ThresholdResult},
    run::Verdict,
    units::Span,
};

use crate::{
    failure::Kind,
    figures::{Doubts, Figures},
    hdr,
    plan::Plan,
    sums::{Sums, quantiles},
    thresholds::Threshold,
    worker::{Effort, Ending},
};

/// A generator whose 99th percentile of lag is above this didn't offer the load that was asked for; in nanoseconds.
const LARGEST_LAG: u64 = 10_000_000;
/// A generator that waits for less than this share of the time, or uses more than the rest of a processor, has no more
/// to give.
const LEAST_WAITING: f64 = 0.1;
/// One that sent too little is to blame for it where it waited for less than this share of the time.
const LITTLE_WAITING: f64 = 0.2;
/// The share of the requests that must have been sent for the rate to count as reached.
const ENOUGH: f64 = 0.99;
/// Buckets of the reported histogram for each doubling of the latency.
const BUCKETS_A_DOUBLING: f64 = 8.0;

/// What the times in a report are.
const CLOCK: &str = if cfg!(target_os = "linux") {
    "monotonic, in nanoseconds; an answer has come when the system has received the last of it"
} else {
    "monotonic, in nanoseconds; an answer has come when the last of it is read"
};

/// What ended a run before its time.
pub(crate) struct Cut {
    /// The person did, at whatever moment.
    pub(crate) cancelled: bool,
    /// A threshold that couldn't be held any more.
    pub(crate) breach: Option<String>,
}

/// What a run came to, before it is put into words.
struct Findings<'a> {
    plan: &'a Plan,
    sums: &'a Sums,
    endings: &'a [Ending],
    totals: LoadTotals,
    figures: Figures,
    /// The latencies with those of the unanswered.
    latency: Histogram<u64>,
    generator: Generator,
    breach: Option<String>,
    verdict: Verdict,
}

/// Builds the report.
pub(crate) fn build(plan: &Plan, sums: Sums, endings: &[Ending], at: Timestamp, cut: Cut) -> Result<LoadReport, Problem> {
    let last_due = endings.iter().map(|ending| ending.until).max().unwrap_or_default();
    // A cancel that came when all was over anyway changed nothing.
    let exhausted = ran_out(plan, endings) && !cut.cancelled && cut.breach.is_none();
    // A run of so many iterations is over with the last answer.
    let stopped = if exhausted { endings.iter().map(|ending| ending.at).max().unwrap_or_default() } else { last_due };
    let cancelled = cut.cancelled && stopped < plan.end;
    let seconds = stopped.min(plan.end).saturating_sub(plan.measured_from) as f64 / 1e9;
    let mut totals = sums.totals(seconds, plan.target_rate());
    let waited = unanswered(endings, &mut totals);
    totals.error_share = share(totals.failed + totals.dropped, sums.ended() + backlog(endings));
    let doubts = doubts(plan, &sums, endings, cancelled, exhausted);
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
        doubts,
    };
    let latency = figures.latency_with_waiting();
    let thresholds = judged(plan, &sums, endings, &figures, &latency);
    let local = sums.counts.errors[Kind::Local as usize];
    let verdict = verdict(&figures, local, Verdict::of(thresholds.iter().map(|result| result.verdict)));
    let generator = generator(plan, &sums, endings, &figures);
    let findings = Findings { plan, sums: &sums, endings, totals, figures, latency, generator, breach: cut.breach, verdict };
    let notes = findings.notes();
    let script = &plan.script;
    let shown = match script.steps.as_slice() {
        [only] => only.shown.clone(),
        steps => steps.iter().map(|step| step.shown.as_str()).collect::<Vec<_>>().join(", "),
    };
    Ok(LoadReport {
        at,
        duration_ms: seconds * 1e3,
        verdict,
        partial: cancelled,
        totals,
        latency: quantiles(&findings.latency),
        schedule_lag: plan.rate.as_ref().map(|_| quantiles(&sums.lag)),
        statuses: statuses(&sums),
        errors: errors(&sums),
        thresholds,
        notes,
        histogram: buckets(&findings.latency),
        hdr: hdr::text(&hdr::encode(&findings.latency)?),
        windows: sums.windows.texts(),
        endpoints: endpoints(plan, &sums),
        phases: Phases {
            dns_ms: plan.dns_ms,
            connect: quantiles(&sums.connecting),
            tls: quantiles(&sums.securing),
            first_byte: quantiles(&sums.first_byte),
        },
        generator: findings.generator,
        timeline: sums.slices,
        ..LoadReport::new(&script.name, shown, plan.spec.clone())
    })
}

/// Whether there were no more iterations to begin before the end.
fn ran_out(plan: &Plan, endings: &[Ending]) -> bool {
    let limited = plan.spec.iterations.is_some() || plan.script.feeds.iter().any(|feed| feed.order == FeedOrder::Once);
    limited && endings.iter().any(|ending| ending.until < plan.end)
}

/// The first threshold that is breached and will stay so, as it stands while the run goes on.
pub(crate) fn breached(plan: &Plan, sums: &Sums, seconds: f64) -> Option<String> {
    let figures = Figures {
        latency: sums.latency.clone(),
        waited: Vec::new(),
        sent: sums.counts.sent,
        answered: sums.counts.answered,
        failed: sums.counts.failed(),
        ended: sums.ended(),
        dropped: sums.counts.dropped,
        answered_in_time: sums.in_time,
        seconds,
        // A breach of the generator's own making is no reason to stop.
        doubts: doubts(plan, sums, &[], false, true),
    };
    let results = judged(plan, sums, &[], &figures, &figures.latency);
    let found = plan
        .thresholds
        .iter()
        .zip(results)
        .find(|(threshold, result)| threshold.is_final() && result.verdict == Verdict::Fail && figures.ended > 0);
    found.map(|(_, result)| format!("{} (it was {})", result.text, result.actual))
}

/// How each threshold came out.
fn judged(plan: &Plan, sums: &Sums, endings: &[Ending], figures: &Figures, latency: &Histogram<u64>) -> Vec<ThresholdResult> {
    let mut windows = sums.windows.results();
    let mut judge = |threshold: &Threshold| {
        if threshold.over().is_some() {
            let open = endings.iter().flat_map(|ending| &ending.unanswered);
            let open = open.filter(|waited| threshold.step().is_none_or(|place| place == waited.step)).count() > 0;
            return over_windows(threshold, windows.next().flatten(), figures.doubts, open || backlog(endings) > 0);
        }
        let Some(place) = threshold.step() else { return threshold.judge(figures, latency) };
        let unanswered = endings.iter().flat_map(|ending| &ending.unanswered);
        let waited = unanswered.filter(|waited| waited.step == place).map(|waited| waited.nanos).collect();
        let own = Figures::of_step(&sums.steps[place], waited, figures.seconds, figures.doubts);
        threshold.judge(&own, &own.latency_with_waiting())
    };
    plan.thresholds.iter().map(&mut judge).collect()
}

/// `open`: whether some requests were never answered, which are in no window.
fn over_windows(threshold: &Threshold, worst: Option<&ThresholdResult>, doubts: Doubts, open: bool) -> ThresholdResult {
    let Some(worst) = worst else {
        let actual = "the run has no whole window of that length".to_owned();
        return ThresholdResult { text: threshold.to_string(), verdict: Verdict::Inconclusive, actual };
    };
    let mut result = worst.clone();
    let generator = doubts.generator_late || doubts.generator_busy;
    let vouched_for = match result.verdict {
        Verdict::Pass => !(generator || doubts.cancelled || open),
        // The generator's own delays are in each window's figures too.
        _ => !(generator && threshold.suffers_from_delays()),
    };
    if !vouched_for {
        result.verdict = Verdict::Inconclusive;
    }
    result
}

fn endpoints(plan: &Plan, sums: &Sums) -> Vec<EndpointLoad> {
    let own = |(step, sums): (&crate::script::Step, &crate::worker::tally::StepTally)| EndpointLoad {
        name: step.name.clone(),
        sent: sums.sent,
        answered: sums.answered,
        failed: sums.failed,
        latency: quantiles(&sums.latency),
    };
    plan.script.steps.iter().zip(&sums.steps).map(own).collect()
}

/// What the generator says of itself.
fn generator(plan: &Plan, sums: &Sums, endings: &[Ending], figures: &Figures) -> Generator {
    let nanos = figures.seconds * 1e9;
    let presence: u128 = endings.iter().map(|ending| ending.presence).sum();
    let concurrency = if nanos > 0.0 { presence as f64 / nanos } else { 0.0 };
    // Rate times mean latency is the sum of all latencies over the time, and what is under way is counted up to the last
    // answer, as latencies are.
    let latency = &figures.latency;
    let waited: f64 = figures.waited.iter().map(|&nanos| nanos as f64).sum();
    let sum = latency.mean() * latency.len() as f64 + waited + sums.counts.lost_nanos as f64;
    let whole: f64 = endings.iter().map(|ending| ending.whole_presence as f64).sum();
    let larger = whole.max(sum);
    let used = |ending: &Ending| {
        let effort = ending.effort;
        let idle = effort.waiting / effort.seconds.max(1e-9);
        let processor = effort.processor.filter(|_| plan.rate.is_none());
        // One that has to wait for a processor has neither used it nor time left.
        processor.map_or(idle, |used| (1.0 - used / effort.seconds.max(1e-9)).clamp(0.0, idle))
    };
    let due = plan.rate.as_ref().map(|curve| {
        // Where there are no more to begin, one worker notices first, and no other could have begun any after that.
        let untils = endings.iter().map(|ending| ending.until);
        let until = if ran_out(plan, endings) { untils.min() } else { untils.max() }.unwrap_or(plan.end);
        curve.area_until(until) - curve.area_until(plan.measured_from)
    });
    Generator {
        achieved: due.filter(|due| *due > 0.0).map(|due| sums.counts.begun as f64 / due),
        littles_law_residual: (larger > 0.0 && !latency.is_empty()).then(|| (whole - sum).abs() / larger),
        concurrency,
        headroom: endings.iter().map(used).min_by(f64::total_cmp),
        stalls: sums.stalls.count,
        longest_stall_ms: sums.stalls.longest as f64 / 1e6,
        threads: u32::try_from(plan.threads).unwrap_or(u32::MAX),
        bottleneck: figures.doubts.generator_late || figures.doubts.generator_busy,
        clock: CLOCK.to_owned(),
        drain: format!(
            "No request is due after the end. Those under way are awaited for {}; what then has no answer is counted, with the \
             time that it had waited as a lower bound of its latency.",
            Span(std::time::Duration::from_nanos(plan.grace))
        ),
    }
}

/// Adds those that were never answered to the totals, and returns how long each had waited.
fn unanswered(endings: &[Ending], totals: &mut LoadTotals) -> Vec<u64> {
    let mut waited = Vec::new();
    for ending in endings {
        waited.extend(ending.unanswered.iter().map(|waited| waited.nanos));
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

fn doubts(plan: &Plan, sums: &Sums, endings: &[Ending], cancelled: bool, exhausted: bool) -> Doubts {
    let lagged = plan.rate.is_some() && !sums.lag.is_empty() && sums.lag.value_at_quantile(0.99) > LARGEST_LAG;
    let local = sums.counts.errors[Kind::Local as usize] > 0;
    Doubts {
        generator_late: lagged || local || sums.stalls.count > 0 || (!exhausted && fell_short_by_itself(plan, sums, endings)),
        generator_busy: endings.iter().any(|ending| is_busy(plan, &ending.effort)),
        cancelled,
    }
}

/// Whether fewer requests went out than were due, and the generator had hardly any time left to send more.
fn fell_short_by_itself(plan: &Plan, sums: &Sums, endings: &[Ending]) -> bool {
    let Some(rate) = &plan.rate else { return false };
    let due = rate.area_until(plan.end) - rate.area_until(plan.measured_from);
    let ended = endings.iter().all(|ending| ending.at >= plan.end);
    let pressed = endings.iter().any(|ending| ending.effort.waiting < LITTLE_WAITING * ending.effort.seconds);
    ended && pressed && ((sums.counts.begun + sums.counts.unmet()) as f64) < due * ENOUGH
}

/// Whether a worker had no more to give. In an open workload the wait for the next arrival takes processor time as well.
fn is_busy(plan: &Plan, effort: &Effort) -> bool {
    effort.seconds > 0.0
        && (effort.waiting < LEAST_WAITING * effort.seconds
            || plan.rate.is_none() && effort.processor.is_some_and(|used| used > (1.0 - LEAST_WAITING) * effort.seconds))
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
        Verdict::Pass if doubts.generator_late || doubts.generator_busy || doubts.cancelled || all_failed => {
            Verdict::Inconclusive
        }
        verdict => verdict,
    }
}

/// How often each status came. A protocol without statuses has none.
fn statuses(sums: &Sums) -> Vec<(u16, u64)> {
    (0_u16..).zip(sums.statuses.iter().copied()).filter(|&(status, count)| status > 0 && count > 0).collect()
}

/// The failures by kind, the most frequent first.
pub(crate) fn errors(sums: &Sums) -> Vec<LoadError> {
    let example =
        |kind| sums.examples.iter().find(|example| example.kind == kind).map_or_else(String::new, |found| found.text.clone());
    let mut errors: Vec<LoadError> = Kind::ALL
        .into_iter()
        .zip(sums.counts.errors)
        .map(|(kind, count)| LoadError { kind: kind.as_str().into(), count, example: example(Ok(kind)) })
        .chain((0_u16..).zip(sums.bad_statuses.iter().copied()).map(|(status, count)| LoadError {
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
