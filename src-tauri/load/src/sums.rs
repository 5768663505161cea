//! The sums over all workers while a run goes on.

use std::collections::VecDeque;

use hdrhistogram::Histogram;
use patchbay_contracts::{
    Problem,
    load::{LoadSlice, LoadTotals, Quantiles},
};

mod windows;

pub(crate) use self::windows::Windows;
use crate::{
    plan::Plan,
    worker::{
        ledger::Part,
        tally::{Counts, Example, STATUSES, Stalls, StepTally, Tally, histogram, histogram_where, phase_histogram},
    },
};

/// What all workers have handed over so far. Counts and latencies are of requests that began after the warm-up.
pub(crate) struct Sums {
    pub(crate) counts: Counts,
    pub(crate) latency: Histogram<u64>,
    pub(crate) lag: Histogram<u64>,
    pub(crate) statuses: Box<[u64; STATUSES]>,
    pub(crate) bad_statuses: Box<[u64; STATUSES]>,
    pub(crate) connecting: Histogram<u64>,
    pub(crate) securing: Histogram<u64>,
    pub(crate) first_byte: Histogram<u64>,
    /// Each step by itself, where there are several.
    pub(crate) steps: Vec<StepTally>,
    /// The measured time in parts, for comparisons and for thresholds over windows.
    pub(crate) windows: Windows,
    pub(crate) in_time: u64,
    pub(crate) connects: u64,
    pub(crate) excess: u64,
    pub(crate) stalls: Stalls,
    /// The first example of each kind that any worker gave.
    pub(crate) examples: Vec<Example>,
    pub(crate) slices: Vec<LoadSlice>,
    /// Seconds that aren't complete, the first of them following the last slice.
    open: VecDeque<OpenSlice>,
    /// Histograms for another use.
    spare: Vec<Histogram<u64>>,
    workers: Vec<Progress>,
    measured_from: u64,
    longest: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    /// The second that the worker is in; all before it are complete.
    reached: u32,
    in_flight: u64,
    open: u64,
}

/// A second that isn't complete.
pub(crate) struct OpenSlice {
    pub(crate) counts: Counts,
    pub(crate) latency: Histogram<u64>,
    /// Each step by itself, where a threshold is over windows of one.
    pub(crate) steps: Vec<StepTally>,
}

impl Sums {
    pub(crate) fn new(plan: &Plan) -> Result<Self, Problem> {
        let longest = plan.longest_latency();
        let steps = plan.script.steps.len();
        let steps = || (0..if steps > 1 { steps } else { 0 }).map(|_| StepTally::new(longest)).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            counts: Counts::default(),
            latency: histogram(longest)?,
            lag: histogram_where(plan.rate.is_some(), longest)?,
            statuses: Box::new([0; STATUSES]),
            bad_statuses: Box::new([0; STATUSES]),
            connecting: phase_histogram(longest)?,
            securing: phase_histogram(longest)?,
            first_byte: phase_histogram(longest)?,
            steps: steps()?,
            windows: Windows::new(plan)?,
            in_time: 0,
            connects: 0,
            excess: 0,
            stalls: Stalls::default(),
            examples: Vec::new(),
            slices: Vec::new(),
            open: VecDeque::new(),
            spare: Vec::new(),
            workers: vec![Progress::default(); plan.threads],
            measured_from: plan.measured_from,
            longest,
        })
    }

    /// Adds what a worker handed over, and gives the tally back empty for another use.
    pub(crate) fn add(&mut self, part: Part) -> Result<Box<Tally>, Problem> {
        let Part { worker, mut tally } = part;
        self.counts.add(&tally.counts[1]);
        add(&mut self.latency, &tally.latency[1])?;
        add(&mut self.lag, &tally.lag)?;
        add(&mut self.connecting, &tally.connecting)?;
        add(&mut self.securing, &tally.securing)?;
        add(&mut self.first_byte, &tally.first_byte)?;
        for (sum, more) in self.steps.iter_mut().zip(&tally.steps) {
            sum.add(more)?;
        }
        for (sum, more) in self.statuses.iter_mut().zip(tally.statuses.iter()) {
            *sum += more;
        }
        for (sum, more) in self.bad_statuses.iter_mut().zip(tally.bad_statuses.iter()) {
            *sum += more;
        }
        self.in_time += tally.in_time;
        self.connects += tally.connects;
        self.excess += tally.excess;
        self.stalls.add(tally.stalls);
        for example in tally.examples.drain(..) {
            if !self.examples.iter().any(|known| known.kind == example.kind) {
                self.examples.push(example);
            }
        }
        let slice = self.open_slice(tally.second)?;
        for measured in [0, 1] {
            slice.counts.add(&tally.counts[measured]);
            add(&mut slice.latency, &tally.latency[measured])?;
        }
        for (sum, more) in slice.steps.iter_mut().zip(&tally.steps) {
            sum.add(more)?;
        }
        self.workers[worker] = Progress { reached: tally.reached, in_flight: tally.in_flight, open: tally.open };
        self.close_slices()?;
        tally.clear();
        Ok(tally)
    }

    fn open_slice(&mut self, second: u32) -> Result<&mut OpenSlice, Problem> {
        // A tally that was kept back for long may come after its second was closed; it then counts to the next.
        let place = (second as usize).saturating_sub(self.slices.len());
        while self.open.len() <= place {
            let latency = self.spare.pop().map_or_else(|| histogram(self.longest), Ok)?;
            let steps = if self.windows.wants_steps() { self.steps.len() } else { 0 };
            let steps = (0..steps).map(|_| StepTally::new(self.longest)).collect::<Result<_, _>>()?;
            self.open.push_back(OpenSlice { counts: Counts::default(), latency, steps });
        }
        Ok(&mut self.open[place])
    }

    /// Closes the seconds that all workers have left behind. A second in which no worker handed anything over, since the
    /// whole program stood still, lies in front of one that has something and is closed empty.
    fn close_slices(&mut self) -> Result<(), Problem> {
        let complete = self.workers.iter().map(|worker| worker.reached).min().unwrap_or_default();
        let in_flight = self.workers.iter().map(|worker| worker.in_flight).sum();
        let connections = self.workers.iter().map(|worker| worker.open).sum();
        while self.slices.len() < complete as usize
            && let Some(mut open) = self.open.pop_front()
        {
            let second = self.slices.len() as u32;
            let quantiles = quantiles(&open.latency);
            self.slices.push(LoadSlice {
                second: second + 1,
                sent: open.counts.sent,
                answered: open.counts.answered,
                failed: open.counts.failed(),
                in_flight,
                p50_ms: quantiles.p50_ms,
                p95_ms: quantiles.p95_ms,
                p99_ms: quantiles.p99_ms,
                max_ms: quantiles.max_ms,
                warm_up: u64::from(second) * 1_000_000_000 < self.measured_from,
                connections,
            });
            if u64::from(second) * 1_000_000_000 >= self.measured_from {
                self.windows.add(second, &open)?;
            }
            open.latency.reset();
            self.spare.push(open.latency);
        }
        Ok(())
    }

    /// Counts and rates, for a measured time of so many seconds.
    pub(crate) fn totals(&self, seconds: f64, target_rate: Option<f64>) -> LoadTotals {
        let failed = self.counts.failed();
        let ended = self.ended();
        LoadTotals {
            sent: self.counts.sent,
            answered: self.counts.answered,
            failed,
            unanswered: 0,
            dropped: self.counts.dropped,
            bytes_received: self.counts.received_bytes,
            bytes_sent: self.counts.sent_bytes,
            rate: if seconds > 0.0 { self.in_time as f64 / seconds } else { 0.0 },
            target_rate,
            error_share: if ended == 0 { 0.0 } else { (failed + self.counts.dropped) as f64 / ended as f64 },
            connects: self.connects,
            iterations: self.counts.iterations,
        }
    }

    /// Requests and arrivals that came to an end.
    pub(crate) fn ended(&self) -> u64 {
        self.counts.answered + self.counts.unmet() + self.counts.dropped
    }
}

fn add(sum: &mut Histogram<u64>, more: &Histogram<u64>) -> Result<(), Problem> {
    // All histograms of a run have the same bounds, so this can only fail by a defect.
    sum.add(more).map_err(Problem::internal)
}

/// The usual quantiles of a histogram of nanoseconds.
pub(crate) fn quantiles(histogram: &Histogram<u64>) -> Quantiles {
    if histogram.is_empty() {
        return Quantiles::default();
    }
    let mut at = [0.0; 7];
    for (place, value) in at.iter_mut().zip(histogram.value_at_quantiles([0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999])) {
        *place = value as f64 / 1e6;
    }
    let [p50_ms, p75_ms, p90_ms, p95_ms, p99_ms, p999_ms, p9999_ms] = at;
    Quantiles {
        count: histogram.len(),
        min_ms: histogram.min() as f64 / 1e6,
        mean_ms: histogram.mean() / 1e6,
        p50_ms,
        p75_ms,
        p90_ms,
        p95_ms,
        p99_ms,
        p999_ms,
        p9999_ms,
        max_ms: histogram.max() as f64 / 1e6,
    }
}
