//! What a worker counts, and hands over ten times a second.

use hdrhistogram::Histogram;
use patchbay_contracts::Problem;

use crate::failure::{Failure, Kind};

/// Significant digits of the latency histograms: a value is off by a thousandth at most.
const DIGITS: u8 = 3;

/// Statuses have three digits.
pub(crate) const STATUSES: usize = 1000;

/// Counts of one kind of request, those of the warm-up or the others.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    /// Answers with a status of 400 or more.
    pub(crate) refused: u64,
    /// Failures without an answer, by the place of their kind in [`Kind::ALL`].
    pub(crate) errors: [u64; Kind::ALL.len()],
    pub(crate) dropped: u64,
    pub(crate) received_bytes: u64,
    pub(crate) sent_bytes: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.answered += other.answered;
        self.refused += other.refused;
        for (sum, more) in self.errors.iter_mut().zip(other.errors) {
            *sum += more;
        }
        self.dropped += other.dropped;
        self.received_bytes += other.received_bytes;
        self.sent_bytes += other.sent_bytes;
    }

    /// Failures without an answer.
    pub(crate) fn unmet(&self) -> u64 {
        self.errors.iter().sum()
    }
}

/// The first failure of a kind, told.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    pub(crate) kind: Result<Kind, u16>,
    pub(crate) text: String,
}

/// What happened in a tenth of a second or so. Two of each: of requests that began in the warm-up, and of the others.
pub(crate) struct Tally {
    /// The second of the run, from 0, in which it began.
    pub(crate) second: u32,
    /// The second that goes on at its end; all before it are complete.
    pub(crate) reached: u32,
    pub(crate) counts: [Counts; 2],
    pub(crate) latency: [Histogram<u64>; 2],
    pub(crate) statuses: Box<[u64; STATUSES]>,
    /// How late the generator was; empty in a closed workload.
    pub(crate) lag: Histogram<u64>,
    /// Answers that came after the warm-up and before the end, whenever their request began.
    pub(crate) in_time: u64,
    pub(crate) connects: u64,
    pub(crate) in_flight: u64,
    /// Answers with bytes behind their end.
    pub(crate) excess: u64,
    pub(crate) stalls: Stalls,
    pub(crate) examples: Vec<Example>,
}

/// Times in which the generator stood still.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stalls {
    pub(crate) count: u64,
    pub(crate) longest: u64,
}

impl Stalls {
    pub(crate) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.longest = self.longest.max(other.longest);
    }
}

/// An empty histogram for latencies of up to so many nanoseconds.
pub(crate) fn histogram(longest: u64) -> Result<Histogram<u64>, Problem> {
    Histogram::new_with_bounds(1, longest.max(2), DIGITS).map_err(Problem::internal)
}

impl Tally {
    pub(crate) fn new(longest: u64) -> Result<Self, Problem> {
        Ok(Self {
            second: 0,
            reached: 0,
            counts: [Counts::default(); 2],
            latency: [histogram(longest)?, histogram(longest)?],
            statuses: Box::new([0; STATUSES]),
            lag: histogram(longest)?,
            in_time: 0,
            connects: 0,
            in_flight: 0,
            excess: 0,
            stalls: Stalls::default(),
            examples: Vec::new(),
        })
    }

    /// Empties it for another use.
    pub(crate) fn clear(&mut self) {
        self.counts = [Counts::default(); 2];
        for histogram in self.latency.iter_mut().chain([&mut self.lag]).filter(|histogram| !histogram.is_empty()) {
            histogram.reset();
        }
        self.statuses.fill(0);
        self.in_time = 0;
        self.connects = 0;
        self.excess = 0;
        self.stalls = Stalls::default();
        self.examples.clear();
    }

    /// Counts a failure without an answer.
    pub(crate) fn fail(&mut self, measured: bool, failure: &Failure) {
        self.counts[usize::from(measured)].errors[failure.kind as usize] += 1;
    }
}
