//! The schedule of an open workload: when each iteration is meant to begin, whatever the service does.

use std::sync::Arc;

use patchbay_contracts::integration::Spacing;
use rand::{RngExt, SeedableRng, rngs::SmallRng};

use crate::curve::Curve;

/// The arrivals of one worker. Those that wait are not listed: their times are worked out a second time when they are
/// taken, so a queue of any length takes no memory.
#[derive(Debug, Clone)]
pub(crate) struct Arrivals {
    noticing: Schedule,
    taking: Schedule,
    /// How many have been seen to be due and were neither started nor given up.
    waiting: u64,
}

/// Walks through the times of arrivals.
#[derive(Debug, Clone)]
struct Schedule {
    curve: Arc<Curve>,
    /// No arrival is due from then on.
    end: u64,
    /// The area under the curve of rates at the next arrival, which counts arrivals.
    count: f64,
    /// How much of it lies between two arrivals, on average.
    stride: f64,
    /// Makes the distances between arrivals random.
    rng: Option<SmallRng>,
    line: usize,
    next: Option<u64>,
}

impl Schedule {
    fn find(&mut self) {
        self.next = self.curve.time_of(self.count, &mut self.line).filter(|&time| time < self.end);
    }

    /// The time of the next one, which then is the one after it.
    fn step(&mut self) -> Option<u64> {
        let time = self.next?;
        self.count += self.stride * self.rng.as_mut().map_or(1.0, exponential);
        self.find();
        Some(time)
    }
}

/// A random number with the mean 1, distributed as the distances between independent events are.
fn exponential(rng: &mut SmallRng) -> f64 {
    // 1 - u lies above 0, so its logarithm is finite.
    -(1.0 - rng.random::<f64>()).ln()
}

impl Arrivals {
    /// The arrivals of worker `index` of `workers`, which share a rate.
    pub(crate) fn new(curve: &Arc<Curve>, spacing: Spacing, seed: u64, index: usize, workers: usize, end: u64) -> Self {
        let mut rng = (spacing == Spacing::Poisson).then(|| SmallRng::seed_from_u64(seed.wrapping_add(index as u64)));
        let stride = workers as f64;
        let count = rng.as_mut().map_or(index as f64, |rng| stride * exponential(rng));
        let mut schedule = Schedule { curve: Arc::clone(curve), end, count, stride, rng, line: 0, next: None };
        schedule.find();
        Self { noticing: schedule.clone(), taking: schedule, waiting: 0 }
    }

    /// When the next one is due that hasn't been seen; nothing where there are no more.
    pub(crate) const fn next(&self) -> Option<u64> {
        self.noticing.next
    }

    /// The next arrival that is due by now and was not seen before.
    pub(crate) fn notice(&mut self, now: u64) -> Option<u64> {
        self.noticing.next.filter(|&time| time <= now)?;
        self.waiting += 1;
        self.noticing.step()
    }

    /// How many wait to be started.
    pub(crate) const fn waiting(&self) -> u64 {
        self.waiting
    }

    /// When the one that waits longest was due.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.taking.next.filter(|_| self.waiting > 0)
    }

    /// Takes the one that waits longest.
    pub(crate) fn take(&mut self) -> Option<u64> {
        self.oldest()?;
        self.waiting -= 1;
        self.taking.step()
    }
}
