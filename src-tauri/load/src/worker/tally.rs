//! What a worker counts, and hands over ten times a second.

use hdrhistogram::Histogram;
use patchbay_contracts::Problem;

use crate::{failure::Kind, plan::Plan};

/// Significant digits of the latency histograms: a value is off by a thousandth at most.
const DIGITS: u8 = 3;

/// The same of the phases, where a hundredth is enough: with an eighth of the memory.
const DIGITS_OF_PHASES: u8 = 2;

/// Below so many nanoseconds histograms don't tell one value from another, which saves a fourth of their memory.
const LEAST: u64 = 100;

/// Statuses have three digits.
pub(crate) const STATUSES: usize = 1000;

/// Counts of one kind of request, those of the warm-up or the others.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    /// Answers with a status that is a failure.
    pub(crate) refused: u64,
    /// Failures by the place of their kind in [`Kind::ALL`]. All but assertions are without an answer.
    pub(crate) errors: [u64; Kind::ALL.len()],
    pub(crate) dropped: u64,
    /// What all requests took that failed without a latency of their own, in nanoseconds.
    pub(crate) lost_nanos: u64,
    /// Iterations that began.
    pub(crate) begun: u64,
    /// Iterations that came to their end.
    pub(crate) iterations: u64,
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
        self.lost_nanos += other.lost_nanos;
        self.begun += other.begun;
        self.iterations += other.iterations;
        self.received_bytes += other.received_bytes;
        self.sent_bytes += other.sent_bytes;
    }

    /// Whether anything was sent or came to an end.
    pub(crate) fn has_any(&self) -> bool {
        self.sent + self.answered + self.unmet() + self.dropped > 0
    }

    /// Failures without an answer.
    pub(crate) fn unmet(&self) -> u64 {
        self.errors.iter().sum::<u64>() - self.errors[Kind::Assertion as usize]
    }

    /// All failures.
    pub(crate) fn failed(&self) -> u64 {
        self.refused + self.errors.iter().sum::<u64>()
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
    /// Those of them that are failures.
    pub(crate) bad_statuses: Box<[u64; STATUSES]>,
    /// How late the generator was; empty in a closed workload.
    pub(crate) lag: Histogram<u64>,
    /// Answers that came after the warm-up and before the end, whenever their request began.
    pub(crate) in_time: u64,
    pub(crate) connects: u64,
    /// From the start of a connection to its TCP handshake, from there to that of TLS, and from the send of a request to the
    /// first byte of its answer.
    pub(crate) connecting: Histogram<u64>,
    pub(crate) securing: Histogram<u64>,
    pub(crate) first_byte: Histogram<u64>,
    /// Each step by itself, where there are several. Without the warm-up.
    pub(crate) steps: Vec<StepTally>,
    pub(crate) in_flight: u64,
    /// Connections that are open.
    pub(crate) open: u64,
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

/// What one step came to.
pub(crate) struct StepTally {
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    /// Failures without an answer.
    pub(crate) unmet: u64,
    pub(crate) in_time: u64,
    pub(crate) latency: Histogram<u64>,
}

impl StepTally {
    pub(crate) fn new(longest: u64) -> Result<Self, Problem> {
        Ok(Self { sent: 0, answered: 0, failed: 0, unmet: 0, in_time: 0, latency: histogram(longest)? })
    }

    pub(crate) fn add(&mut self, other: &Self) -> Result<(), Problem> {
        self.sent += other.sent;
        self.answered += other.answered;
        self.failed += other.failed;
        self.unmet += other.unmet;
        self.in_time += other.in_time;
        self.latency.add(&other.latency).map_err(Problem::internal)
    }

    pub(crate) fn clear(&mut self) {
        (self.sent, self.answered, self.failed, self.unmet, self.in_time) = (0, 0, 0, 0, 0);
        self.latency.reset();
    }
}

/// An empty histogram for latencies of up to so many nanoseconds.
pub(crate) fn histogram(longest: u64) -> Result<Histogram<u64>, Problem> {
    Histogram::new_with_bounds(LEAST, longest.max(2 * LEAST), DIGITS).map_err(Problem::internal)
}

/// An empty histogram for what a phase of a request takes.
pub(crate) fn phase_histogram(longest: u64) -> Result<Histogram<u64>, Problem> {
    Histogram::new_with_bounds(LEAST, longest.max(2 * LEAST), DIGITS_OF_PHASES).map_err(Problem::internal)
}

/// The same as for a latency, and next to no memory where nothing will be entered.
pub(crate) fn histogram_where(used: bool, longest: u64) -> Result<Histogram<u64>, Problem> {
    histogram(if used { longest } else { 2 * LEAST })
}

impl Tally {
    /// For a plan.
    pub(crate) fn new(plan: &Plan) -> Result<Self, Problem> {
        let longest = plan.longest_latency();
        let steps = plan.script.steps.len();
        let steps = if steps > 1 { steps } else { 0 };
        Ok(Self {
            second: 0,
            reached: 0,
            counts: [Counts::default(); 2],
            latency: [histogram_where(plan.measured_from > 0, longest)?, histogram(longest)?],
            statuses: Box::new([0; STATUSES]),
            bad_statuses: Box::new([0; STATUSES]),
            lag: histogram_where(plan.rate.is_some(), longest)?,
            in_time: 0,
            connects: 0,
            connecting: phase_histogram(longest)?,
            securing: phase_histogram(longest)?,
            first_byte: phase_histogram(longest)?,
            steps: (0..steps).map(|_| StepTally::new(longest)).collect::<Result<_, _>>()?,
            in_flight: 0,
            open: 0,
            excess: 0,
            stalls: Stalls::default(),
            examples: Vec::new(),
        })
    }

    /// Empties it for another use.
    pub(crate) fn clear(&mut self) {
        self.counts = [Counts::default(); 2];
        let others = [&mut self.lag, &mut self.connecting, &mut self.securing, &mut self.first_byte];
        for histogram in self.latency.iter_mut().chain(others).filter(|histogram| !histogram.is_empty()) {
            histogram.reset();
        }
        self.steps.iter_mut().for_each(StepTally::clear);
        self.statuses.fill(0);
        self.bad_statuses.fill(0);
        self.in_time = 0;
        self.connects = 0;
        self.excess = 0;
        self.stalls = Stalls::default();
        self.examples.clear();
    }
}
