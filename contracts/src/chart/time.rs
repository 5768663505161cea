//! Times on an axis: the calendar, the zone, and where the ticks go.

use crate::Timestamp;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Steps between ticks, in milliseconds.
const STEPS: [i64; 35] = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
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
    2 * DAY,
    4 * DAY,
    7 * DAY,
    14 * DAY,
    28 * DAY,
    91 * DAY,
    182 * DAY,
    364 * DAY,
];

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Times that a chart can name: the years 1 to 9999.
pub(super) const BOUNDS: (Timestamp, Timestamp) = (-62_135_596_800_000, 253_402_300_799_999);

/// The zone of a chart's times: from when on the local clock is how many minutes ahead of UTC, ascending. Plain data,
/// since what the clock did lies with the system that the chart is drawn on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zone(Vec<(Timestamp, i32)>);

impl Zone {
    /// Coordinated universal time.
    pub const fn utc() -> Self {
        Self(Vec::new())
    }

    /// A clock that is always so many minutes ahead of UTC.
    pub fn fixed(minutes: i32) -> Self {
        Self(vec![(Timestamp::MIN, minutes)])
    }

    /// The zone of a range from what a clock says at single moments. The change to or from summer time is looked up to
    /// the minute; of several changes within one day, only one is found.
    pub fn observed(from: Timestamp, to: Timestamp, minutes_at: impl Fn(Timestamp) -> i32) -> Self {
        let (from, to) = (from.clamp(BOUNDS.0, BOUNDS.1), to.clamp(BOUNDS.0, BOUNDS.1));
        let mut steps = vec![(Timestamp::MIN, minutes_at(from))];
        // A year of days is enough for any chart; a longer one takes larger strides.
        let stride = DAY.max((to - from) / 366);
        let mut at = from;
        while at < to {
            let next = (at + stride).min(to);
            let (before, after) = (minutes_at(at), minutes_at(next));
            if before != after {
                let (mut low, mut high) = (at, next);
                while high - low > MINUTE {
                    let middle = low + (high - low) / 2;
                    if minutes_at(middle) == before { low = middle } else { high = middle }
                }
                steps.push((high / MINUTE * MINUTE, after));
            }
            at = next;
        }
        Self(steps)
    }

    /// Minutes that the local clock is ahead of UTC.
    pub fn minutes_at(&self, at: Timestamp) -> i32 {
        let after = self.0.partition_point(|(from, _)| *from <= at);
        after.checked_sub(1).map_or(0, |i| self.0[i].1)
    }

    fn local(&self, at: Timestamp) -> i64 {
        at + i64::from(self.minutes_at(at)) * MINUTE
    }

    fn moment(&self, local: i64) -> Timestamp {
        // The first guess uses the offset of a moment nearby; the second is right unless the local time does not exist.
        let guess = local - i64::from(self.minutes_at(local)) * MINUTE;
        local - i64::from(self.minutes_at(guess)) * MINUTE
    }
}

/// A moment by the calendar and the clock, in one zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Civil {
    year: i64,
    /// From 1.
    month: usize,
    /// From 1.
    day: i64,
    /// Milliseconds since midnight.
    clock: i64,
}

/// The proleptic Gregorian calendar, by counting whole eras of 400 years, each 146 097 days, from 1 March of year 0.
fn civil(local: i64) -> Civil {
    let days = local.div_euclid(DAY) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    Civil { year, month: usize::try_from(month).unwrap_or(1), day, clock: local.rem_euclid(DAY) }
}

fn clock(clock: i64, step: i64) -> String {
    let (hours, minutes) = (clock / HOUR, clock / MINUTE % 60);
    let (seconds, millis) = (clock / SECOND % 60, clock % SECOND);
    match step {
        s if s < SECOND => format!("{hours:02}:{minutes:02}:{seconds:02}.{millis:03}"),
        s if s < MINUTE => format!("{hours:02}:{minutes:02}:{seconds:02}"),
        _ => format!("{hours:02}:{minutes:02}"),
    }
}

/// A moment in full, as `2026-03-05 14:03:22`, with milliseconds where `step` (milliseconds) is below a second.
pub fn exact(at: Timestamp, zone: &Zone, step: i64) -> String {
    let at = at.clamp(BOUNDS.0, BOUNDS.1);
    let civil = civil(zone.local(at));
    format!("{:04}-{:02}-{:02} {}", civil.year, civil.month, civil.day, clock(civil.clock, step.min(SECOND)))
}

/// Ticks between two moments, at most one for each `gap` milliseconds: the moment, its label, and whether a new day
/// or year begins there.
pub(super) fn ticks(from: Timestamp, to: Timestamp, gap: f64, zone: &Zone) -> Vec<(Timestamp, String, bool)> {
    let (from, to) = (from.clamp(BOUNDS.0, BOUNDS.1), to.clamp(BOUNDS.0, BOUNDS.1));
    // Labels with seconds, and those with milliseconds, are wider than the gap was made for.
    let room = |step: i64| match step {
        s if s < SECOND => gap * 1.5,
        s if s < MINUTE => gap * 1.15,
        _ => gap,
    };
    let step = STEPS.into_iter().find(|step| *step as f64 >= room(*step)).unwrap_or_else(|| {
        let years = (gap / (364 * DAY) as f64).ceil().min(1e4);
        years as i64 * 364 * DAY
    });
    let mut ticks = Vec::new();
    let mut local = zone.local(from).div_euclid(step) * step;
    let mut last = Timestamp::MIN;
    while ticks.len() < 1000 {
        let at = zone.moment(local);
        if at > to {
            break;
        }
        if at >= from && at > last {
            // Read back from the moment: a local time that summer time left out does not get a label.
            let civil = civil(zone.local(at));
            let midnight = civil.clock == 0;
            let label = match (step >= DAY || midnight, civil.month == 1 && civil.day == 1) {
                _ if step >= 91 * DAY => format!("{} {}", MONTHS[civil.month - 1], civil.year),
                (true, true) => civil.year.to_string(),
                (true, false) => format!("{} {}", civil.day, MONTHS[civil.month - 1]),
                _ => clock(civil.clock, step),
            };
            ticks.push((at, label, midnight && (step < DAY || (civil.month == 1 && civil.day == 1))));
            last = at;
        }
        local += step;
    }
    ticks
}

/// Seconds since a start as a person says them: `45s`, `1m30s`, `2h`.
pub fn elapsed(seconds: f64) -> String {
    if !seconds.is_finite() {
        return String::new();
    }
    let sign = if seconds < 0.0 { "-" } else { "" };
    let seconds = seconds.abs().min(1e12);
    if seconds < 60.0 {
        return format!("{sign}{}s", super::unit::significant((seconds * 1000.0).round() / 1000.0, 4));
    }
    let whole = seconds.round() as i64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    let mut text = sign.to_owned();
    for (count, unit) in [(hours, "h"), (minutes, "m"), (rest, "s")] {
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    text
}

/// Ticks of seconds since a start, at most one for each `gap` seconds.
pub(super) fn elapsed_ticks(from: f64, to: f64, gap: f64) -> Vec<(f64, String)> {
    let step = STEPS
        .into_iter()
        .map(|step| step as f64 / 1000.0)
        .find(|step| *step >= gap)
        .unwrap_or_else(|| super::ticks::nice_step(gap));
    let first = (from / step - 1e-9).ceil();
    (0..1000)
        .map(|i| (first + f64::from(i)) * step)
        .take_while(|at| *at <= to + step * 1e-9)
        .map(|at| (at, if at == 0.0 { "0s".to_owned() } else { elapsed(at) }))
        .collect()
}
