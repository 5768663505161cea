//! The middle of several figures, and how far they lie apart.

use serde_json::{Value, json};

/// Least, median and most of some figures; zeros where there are none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The smallest.
    pub least: f64,
    /// The one in the middle, or the mean of the two that are.
    pub median: f64,
    /// The largest.
    pub most: f64,
}

impl Spread {
    /// Of those figures, in any order.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(0.0);
        let half = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 { at(half) } else { (at(half.saturating_sub(1)) + at(half)) / 2.0 };
        Self { least: at(0), median, most: at(sorted.len().saturating_sub(1)) }
    }

    /// For a person, with so many digits after the point.
    pub fn text(self, digits: usize) -> String {
        let Self { least, median, most } = self;
        format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
    }

    /// For a program.
    pub fn json(self) -> Value {
        json!({"median": self.median, "min": self.least, "max": self.most})
    }
}
