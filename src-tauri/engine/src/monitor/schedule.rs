//! When something is due, and when the machine slept. All of it pure.

use std::time::Duration;

use patchbay_contracts::Timestamp;

/// The first time of something new, at `now` plus a share of its interval, but within five seconds: a workspace that is
/// opened is to show something soon, and not ask everything in one moment.
pub fn first(now: Duration, every: Duration, chance: f64) -> Duration {
    now + every.min(Duration::from_secs(5)).mul_f64(chance.clamp(0.0, 1.0))
}

/// The next time after one that was meant for `due` and begins at `now`. It is counted from the time that was meant, so
/// that intervals don't grow by what each exchange takes; times that have passed meanwhile are left out.
pub fn next(due: Duration, every: Duration, now: Duration) -> Duration {
    let late = now.saturating_sub(due).as_nanos();
    let skipped = u32::try_from(late / every.as_nanos().max(1)).unwrap_or(u32::MAX);
    due.saturating_add(every.saturating_mul(skipped.saturating_add(1)))
}

/// Notices when nobody was there to look, from a glance at the clocks every second or so.
#[derive(Debug, Clone, Copy)]
pub struct Sleeplessness {
    wall: Timestamp,
    elapsed: Duration,
}

/// The time of day may move this much more than the time that passed, in milliseconds, before it is taken for sleep.
const SLEPT: i64 = 10_000;

/// The longest that may pass between two glances, in milliseconds. Where the elapsed time goes on during sleep, as on
/// Windows, this is how sleep shows; elsewhere it means that the program stood still.
const STOOD_STILL: i64 = 30_000;

impl Sleeplessness {
    /// Begins to look.
    pub const fn new(wall: Timestamp, elapsed: Duration) -> Self {
        Self { wall, elapsed }
    }

    /// The time since the last glance, if nobody was there to look in it.
    pub fn glance(&mut self, wall: Timestamp, elapsed: Duration) -> Option<(Timestamp, Timestamp)> {
        let before = std::mem::replace(self, Self { wall, elapsed });
        let of_day = wall.saturating_sub(before.wall);
        let passed = i64::try_from(elapsed.saturating_sub(before.elapsed).as_millis()).unwrap_or(i64::MAX);
        let away = of_day.saturating_sub(passed) > SLEPT || (passed > STOOD_STILL && of_day > 0);
        away.then_some((before.wall, wall))
    }
}
