//! How often something may happen.

use std::time::{Duration, Instant};

/// Lets something through at most once in a time.
#[derive(Debug)]
pub struct Spacing {
    apart: Duration,
    last: Option<Instant>,
}

impl Spacing {
    /// At most once in `apart`.
    pub const fn new(apart: Duration) -> Self {
        Self { apart, last: None }
    }

    /// Whether it may happen now; if so, that counts.
    pub fn due(&mut self) -> bool {
        let due = self.last.is_none_or(|last| last.elapsed() >= self.apart);
        if due {
            self.last = Some(Instant::now());
        }
        due
    }
}
