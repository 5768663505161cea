//! The figures of health, from checks and nothing else: segments, slices, quantiles, promises. All of it pure.

use patchbay_contracts::{
    Timestamp,
    health::{HealthSlice, Segment, SloResult, Status},
    integration::Slo,
    units::{Share, Span},
};

/// The most slices of a history.
pub const MAX_SLICES: i64 = 200;

/// The most segments of a history. A service that changes its mind more often than a window has pixels is shown by the
/// worst of each stretch.
pub const MAX_SEGMENTS: usize = 1000;

/// So many intervals without a check are unobserved time.
pub const UNOBSERVED_INTERVALS: i64 = 3;

/// One check, as far as figures need it: when it began, whether it held, and how long the answer took.
pub type Point = (Timestamp, bool, Option<f64>);

/// How often an integration is looked at, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The time from one check to the next.
    pub interval: i64,
    /// The longest distance between two checks that leaves nothing unobserved.
    pub longest: i64,
}

impl Pace {
    /// Checks come every `interval`, but a check that runs into its `timeout` delays the next one.
    pub fn new(interval: Span, timeout: Span) -> Self {
        let ms = |span: Span| i64::try_from(span.0.as_millis()).unwrap_or(i64::MAX / 8).clamp(1, i64::MAX / 8);
        let interval = ms(interval);
        Self { interval, longest: UNOBSERVED_INTERVALS * interval.max(ms(timeout)) }
    }
}

/// What held from when to when within a range; the segments are seamless and reach up to its end or up to `now`.
///
/// A check speaks for the time until the next one. Where the next is missing for longer than the pace allows, it speaks
/// for one interval. `unobserved` are stretches in which the machine slept or the program stood still: there nobody
/// looked, and what was seen before says nothing about the time after.
///
/// `points` are ascending and begin with the last check before the range, where there is one.
pub fn segments(
    points: &[Point],
    unobserved: &[(Timestamp, Timestamp)],
    (from, to): (Timestamp, Timestamp),
    now: Timestamp,
    pace: Pace,
) -> Vec<Segment> {
    let end = to.min(now);
    let mut segments = Segments { list: Vec::new(), at: from };
    for (i, (at, healthy, _)) in points.iter().enumerate() {
        let next = points.get(i + 1).map_or(end, |next| next.0);
        let speaks_until = if next - at > pace.longest { at + pace.interval } else { next };
        let asleep = unobserved.iter().filter(|(_, until)| until > at).map(|(since, _)| *since.max(at)).min();
        let until = asleep.map_or(speaks_until, |since| since.min(speaks_until));
        segments.add(*at, Status::Unobserved, end);
        segments.add(until, if *healthy { Status::Healthy } else { Status::Down }, end);
    }
    segments.add(end, Status::Unobserved, end);
    coarser(segments.list, from, end)
}

struct Segments {
    list: Vec<Segment>,
    at: Timestamp,
}

impl Segments {
    /// Goes on to `until` in one status.
    fn add(&mut self, until: Timestamp, status: Status, end: Timestamp) {
        let until = until.min(end);
        if until <= self.at {
            return;
        }
        match self.list.last_mut() {
            Some(last) if last.status == status => last.to = until,
            _ => self.list.push(Segment { from: self.at, to: until, status }),
        }
        self.at = until;
    }
}

/// At most [`MAX_SEGMENTS`]: where there are more, the range is cut into that many pieces and each shows its worst.
fn coarser(list: Vec<Segment>, from: Timestamp, end: Timestamp) -> Vec<Segment> {
    if list.len() <= MAX_SEGMENTS {
        return list;
    }
    let width = (end - from + MAX_SEGMENTS as i64 - 1) / MAX_SEGMENTS as i64;
    let rank = |status: Status| [Status::Healthy, Status::Unobserved, Status::Down].iter().position(|other| *other == status);
    let mut coarse = Segments { list: Vec::new(), at: from };
    let mut first = 0;
    while coarse.at < end {
        let until = coarse.at + width;
        while list[first].to <= coarse.at && first + 1 < list.len() {
            first += 1;
        }
        let within = list[first..].iter().take_while(|segment| segment.from < until);
        let worst = within.map(|segment| segment.status).max_by_key(|status| rank(*status));
        coarse.add(until, worst.unwrap_or(Status::Unobserved), end);
    }
    coarse.list
}

/// The share of the segments' time that was observed; 0 where there is no time.
pub fn observed(segments: &[Segment]) -> f64 {
    let length = |segment: &Segment| (segment.to - segment.from) as f64;
    let all: f64 = segments.iter().map(length).sum();
    let seen: f64 = segments.iter().filter(|segment| segment.status != Status::Unobserved).map(length).sum();
    if all > 0.0 { seen / all } else { 0.0 }
}

/// Latency and failures by slice. Slices are as wide as the range needs, but not narrower than the interval, and begin
/// at multiples of their width, so that they stay where they are while the range moves on.
pub fn slices(points: &[Point], (from, to): (Timestamp, Timestamp), pace: Pace) -> Vec<HealthSlice> {
    // One less than the most, since the range begins and ends within a slice.
    let width = slice_width((to - from) / (MAX_SLICES - 1) + 1, pace.interval);
    let mut slices = Vec::new();
    let within = points.iter().filter(|(at, ..)| (from..to).contains(at));
    let within: Vec<&Point> = within.collect();
    for part in within.chunk_by(|a, b| a.0.div_euclid(width) == b.0.div_euclid(width)) {
        let mut latencies: Vec<f64> = part.iter().filter_map(|(_, _, latency)| *latency).collect();
        latencies.sort_by(f64::total_cmp);
        slices.push(HealthSlice {
            at: part[0].0.div_euclid(width) * width,
            width_ms: width,
            checks: part.len() as u32,
            failures: part.iter().filter(|(_, healthy, _)| !healthy).count() as u32,
            p50_ms: quantile(&latencies, 0.5),
            p95_ms: quantile(&latencies, 0.95),
            p99_ms: quantile(&latencies, 0.99),
        });
    }
    slices
}

/// The next width that a person would pick, of at least `needed` and at least one interval.
fn slice_width(needed: i64, interval: i64) -> i64 {
    const SECOND: i64 = 1000;
    const MINUTE: i64 = 60 * SECOND;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    let needed = needed.max(interval);
    let nice = [
        SECOND,
        2 * SECOND,
        5 * SECOND,
        10 * SECOND,
        15 * SECOND,
        30 * SECOND,
        MINUTE,
        2 * MINUTE,
        5 * MINUTE,
        10 * MINUTE,
        15 * MINUTE,
        30 * MINUTE,
        HOUR,
        2 * HOUR,
        3 * HOUR,
        6 * HOUR,
        12 * HOUR,
        DAY,
    ];
    nice.into_iter().find(|nice| *nice >= needed).unwrap_or_else(|| needed.div_euclid(DAY) * DAY + DAY)
}

/// The quantile of sorted values by the nearest rank: always a value that was measured.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// The share of checks that held; `None` without any.
pub fn uptime(points: &[Point]) -> Option<f64> {
    let held = points.iter().filter(|(_, healthy, _)| *healthy).count();
    (!points.is_empty()).then(|| held as f64 / points.len() as f64)
}

/// Each promise, and how it holds over these checks.
pub fn promises(slo: &Slo, points: &[Point]) -> Vec<SloResult> {
    let mut latencies: Vec<f64> = points.iter().filter_map(|(_, _, latency)| *latency).collect();
    latencies.sort_by(f64::total_cmp);
    let mut results = Vec::new();
    if let Some(target) = slo.availability {
        results.push(share("availability", target, uptime(points), |is, wants| is >= wants));
    }
    for (name, target, q) in
        [("latency p50", slo.latency_p50, 0.5), ("latency p95", slo.latency_p95, 0.95), ("latency p99", slo.latency_p99, 0.99)]
    {
        if let Some(target) = target {
            let actual = quantile(&latencies, q);
            results.push(SloResult {
                name: name.to_owned(),
                target: target.to_string(),
                actual: actual.map(|ms| milliseconds(ms, target.as_ms())),
                holds: actual.map(|ms| ms <= target.as_ms()),
            });
        }
    }
    if let Some(target) = slo.error_rate {
        results.push(share("error rate", target, uptime(points).map(|share| 1.0 - share), |is, wants| is <= wants));
    }
    results
}

fn share(name: &str, target: Share, actual: Option<f64>, holds: impl Fn(f64, f64) -> bool) -> SloResult {
    // A share of so many checks is a fraction of small numbers; what the subtraction left behind must not decide.
    let holds = |is: f64| holds((is * 1e12).round(), (target.0 * 1e12).round());
    let shown = |is: f64| {
        let short = Share((is * 1e4).round() / 1e4);
        // Rounding must not make the two look equal where they differ.
        if short == target && is != target.0 { Share(is).to_string() } else { short.to_string() }
    };
    SloResult { name: name.to_owned(), target: target.to_string(), actual: actual.map(shown), holds: actual.map(holds) }
}

/// `312ms`, with as many decimals as it needs to be told from the target.
fn milliseconds(ms: f64, target: f64) -> String {
    let whole = ms.round();
    if ms < 10.0 || (whole == target && ms != target) { format!("{ms:.3}ms") } else { format!("{whole}ms") }
}
