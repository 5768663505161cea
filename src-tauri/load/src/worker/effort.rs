//! How busy a worker is.

use std::time::Duration;

use crate::utils::cpu;

/// How busy a worker was.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Effort {
    /// Elapsed time in seconds.
    pub(crate) seconds: f64,
    /// Of it, waiting for events or the next arrival.
    pub(crate) waiting: f64,
    /// Processor time in seconds, where the system tells.
    pub(crate) processor: Option<f64>,
}

/// Measures how busy a worker is until the end of the run; what it waits for after that says nothing.
pub(super) struct Watch {
    waited: u64,
    processor_before: Option<Duration>,
    read: Option<Effort>,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self { waited: 0, processor_before: cpu::thread_time(), read: None }
    }

    pub(super) const fn waited(&mut self, nanos: u64) {
        self.waited += nanos;
    }

    pub(super) fn note(&mut self, now: u64, end: u64) {
        if now >= end && self.read.is_none() {
            self.read = Some(self.read(now));
        }
    }

    pub(super) fn read(&self, now: u64) -> Effort {
        let processor = cpu::thread_time().zip(self.processor_before).map(|(after, before)| (after - before).as_secs_f64());
        self.read.unwrap_or(Effort { seconds: now as f64 / 1e9, waiting: self.waited as f64 / 1e9, processor })
    }
}
