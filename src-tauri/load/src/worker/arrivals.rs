//! The schedule of an open workload: when each request is meant to go out, whatever the service does.

/// The arrivals of one worker, evenly spaced. Which of them wait is a pair of numbers, since the times of all follow from
/// the rate; so a queue of any length takes no memory.
#[derive(Debug, Clone)]
pub(crate) struct Arrivals {
    /// Nanoseconds of the run at which the first is due.
    first: f64,
    /// Nanoseconds between two.
    interval: f64,
    /// No arrival is due from then on.
    end: u64,
    /// How many have been seen to be due.
    noticed: u64,
    /// How many of those have been started, or were given up.
    taken: u64,
}

impl Arrivals {
    /// The arrivals of worker `index` of `workers`, which share a rate a second.
    pub(crate) fn new(rate: f64, index: usize, workers: usize, end: u64) -> Self {
        let interval = 1e9 / rate;
        Self { first: index as f64 * interval, interval: interval * workers as f64, end, noticed: 0, taken: 0 }
    }

    /// When the arrival of that number is due.
    fn time(&self, number: u64) -> u64 {
        (self.first + number as f64 * self.interval) as u64
    }

    /// When the next one is due that hasn't been seen; nothing where there are no more.
    pub(crate) fn next(&self) -> Option<u64> {
        Some(self.time(self.noticed)).filter(|&time| time < self.end)
    }

    /// The next arrival that is due by now and was not seen before.
    pub(crate) fn notice(&mut self, now: u64) -> Option<u64> {
        let time = self.next().filter(|&time| time <= now)?;
        self.noticed += 1;
        Some(time)
    }

    /// How many wait to be started.
    pub(crate) const fn waiting(&self) -> u64 {
        self.noticed - self.taken
    }

    /// When the one that waits longest was due.
    pub(crate) fn oldest(&self) -> Option<u64> {
        (self.waiting() > 0).then(|| self.time(self.taken))
    }

    /// Takes the one that waits longest.
    pub(crate) fn take(&mut self) -> Option<u64> {
        let time = self.oldest()?;
        self.taken += 1;
        Some(time)
    }
}
