//! What the workers of a run share: how many iterations are left, and which rows of files were taken.

use std::sync::atomic::{AtomicU64, Ordering};

use patchbay_contracts::integration::FeedOrder;

use crate::{plan::Plan, script::template::Values};

/// Counters that all workers of a run take from.
pub(crate) struct Shared {
    /// Iterations that may still begin; nothing where there is no limit.
    left: Option<AtomicU64>,
    begun: AtomicU64,
    /// For each file, how many rows were taken.
    rows: Vec<AtomicU64>,
}

impl Shared {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            left: plan.spec.iterations.map(AtomicU64::new),
            begun: AtomicU64::new(0),
            rows: plan.script.feeds.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Takes what an iteration needs; nothing where there is none left, so that the run is over.
    pub(crate) fn take(&self, plan: &Plan, values: Option<&mut Values>) -> bool {
        if let Some(left) = &self.left
            && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
        {
            return false;
        }
        let Some(values) = values else { return true };
        values.begin(self.begun.fetch_add(1, Ordering::Relaxed) + 1, &plan.script.captured);
        for (place, feed) in plan.script.feeds.iter().enumerate() {
            let count = feed.rows.len() as u64;
            let row = match feed.order {
                FeedOrder::Random => values.choose(count),
                FeedOrder::Sequential => self.rows[place].fetch_add(1, Ordering::Relaxed) % count,
                FeedOrder::Once => match self.rows[place].fetch_add(1, Ordering::Relaxed) {
                    row if row < count => row,
                    _ => return false,
                },
            };
            values.take_row(place, row as usize);
        }
        true
    }
}
