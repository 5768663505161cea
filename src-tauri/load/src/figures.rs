//! What a run measured, in the form that thresholds are judged by: each figure with how sure it is.

use hdrhistogram::Histogram;

use crate::worker::tally::StepTally;

/// What spoils a run's figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Doubts {
    /// The generator stood still for a while, or could not send as asked: latencies are upper bounds, rates are lower
    /// ones, and nothing passes.
    pub generator_late: bool,
    /// The generator was busy all the time in a closed workload: latencies are upper bounds and rates are lower ones,
    /// so what holds, holds, and what doesn't can't be laid at the service's door.
    pub generator_busy: bool,
    /// The run was cancelled; nothing passes.
    pub cancelled: bool,
}

/// A figure between two bounds; they are equal where it is known exactly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// It is no less than this.
    pub low: f64,
    /// It is no more than this; infinite where nothing is known.
    pub high: f64,
}

impl Bounds {
    /// A figure that is known.
    pub const fn exact(value: f64) -> Self {
        Self { low: value, high: value }
    }
}

/// What a run measured.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Latency in nanoseconds of all that was answered or given up.
    pub latency: Histogram<u64>,
    /// How long those had waited, in nanoseconds, that were never answered by the end: lower bounds of their latency.
    pub waited: Vec<u64>,
    /// Requests that were sent.
    pub sent: u64,
    /// Requests that were answered, whatever the status.
    pub answered: u64,
    /// Requests that failed, a status of 400 or more included.
    pub failed: u64,
    /// Requests and arrivals that came to an end: answered, failed without an answer, or dropped.
    pub ended: u64,
    /// Arrivals that were dropped.
    pub dropped: u64,
    /// Answers that came within the measured time.
    pub answered_in_time: u64,
    /// The measured time in seconds.
    pub seconds: f64,
    /// What spoils the figures.
    pub doubts: Doubts,
}

const NANOS_PER_MS: f64 = 1e6;

impl Figures {
    /// Those of one step. How many arrivals were dropped isn't known of a step alone.
    pub(crate) fn of_step(step: &StepTally, waited: Vec<u64>, seconds: f64, doubts: Doubts) -> Self {
        Self {
            latency: step.latency.clone(),
            waited,
            sent: step.sent,
            answered: step.answered,
            failed: step.failed,
            ended: step.answered + step.unmet,
            dropped: 0,
            answered_in_time: step.in_time,
            seconds,
            doubts,
        }
    }

    /// Latency in which the unanswered count with the time they waited, but only those that waited at least the median:
    /// a younger one says nothing of the service and would make the figures look better than they are.
    pub fn latency_with_waiting(&self) -> Histogram<u64> {
        let mut all = self.latency.clone();
        let median = if all.is_empty() { 0 } else { all.value_at_quantile(0.5) };
        for &age in self.waited.iter().filter(|&&age| age >= median) {
            all.saturating_record(age);
        }
        all
    }

    /// How many samples the latencies have, without the unanswered.
    pub fn samples(&self) -> u64 {
        self.latency.len()
    }

    /// Failures and dropped arrivals over all that ended, from 0 to 1; 0 where nothing ended.
    pub fn error_share(&self) -> f64 {
        share(self.failed + self.dropped, self.ended)
    }

    /// The same, from none of the unanswered failing to all of them.
    pub fn error_bounds(&self) -> Bounds {
        let bad = self.failed + self.dropped;
        let open = self.waited.len() as u64;
        Bounds { low: share(bad, self.ended + open), high: share(bad + open, self.ended + open) }
    }

    /// Answers a second within the measured time.
    pub fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.answered_in_time as f64 / self.seconds } else { 0.0 }
    }

    /// The same; more of them where the generator held the service back.
    pub fn rate_bounds(&self) -> Bounds {
        Bounds { low: self.rate(), high: if self.overstated() { f64::INFINITY } else { self.rate() } }
    }

    /// A latency in milliseconds at a quantile from 0 to 1, given those that [`Self::latency_with_waiting`] returns.
    pub fn quantile_bounds(&self, with_waiting: &Histogram<u64>, quantile: f64) -> Bounds {
        let answered = self.latency.len();
        let all = answered + self.waited.len() as u64;
        // Where every unanswered one takes longer than all others, the ranks of the others stay what they are.
        let rank = (quantile * all as f64).ceil().max(1.0);
        let high = if rank > answered as f64 {
            f64::INFINITY
        } else {
            to_ms(self.latency.value_at_quantile((rank - 0.5) / answered as f64))
        };
        self.latency_bounds(to_ms(with_waiting.value_at_quantile(quantile)).min(high), high)
    }

    /// The mean latency in milliseconds.
    pub fn mean_bounds(&self, with_waiting: &Histogram<u64>) -> Bounds {
        let mean = with_waiting.mean() / NANOS_PER_MS;
        self.latency_bounds(mean, if self.waited.is_empty() { mean } else { f64::INFINITY })
    }

    /// The smallest latency in milliseconds.
    pub fn min_bounds(&self) -> Bounds {
        let min = to_ms(self.latency.min());
        self.latency_bounds(min, min)
    }

    /// The largest latency in milliseconds.
    pub fn max_bounds(&self, with_waiting: &Histogram<u64>) -> Bounds {
        let max = to_ms(with_waiting.max());
        self.latency_bounds(max, if self.waited.is_empty() { max } else { f64::INFINITY })
    }

    fn latency_bounds(&self, low: f64, high: f64) -> Bounds {
        Bounds { low: if self.overstated() { 0.0 } else { low }, high }
    }

    /// Whether the generator's own delays are in the latencies.
    const fn overstated(&self) -> bool {
        self.doubts.generator_late || self.doubts.generator_busy
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn to_ms(nanos: u64) -> f64 {
    nanos as f64 / NANOS_PER_MS
}
