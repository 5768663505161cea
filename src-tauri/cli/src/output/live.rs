//! A load run on a terminal while it goes on: several lines that are drawn anew in place.

use std::time::{Duration, Instant};

use patchbay_contracts::load::LoadProgress;

use super::{Colour, Out, words};

/// The least time between two pictures.
const PACE: Duration = Duration::from_millis(100);
/// How many seconds the line of the rate shows.
const SECONDS: usize = 40;
/// How many kinds of failure are named.
const KINDS: usize = 3;
/// How many characters the bar of the progress is long.
const BAR: usize = 40;

const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A run that is watched.
pub(crate) struct LoadView<'a> {
    out: &'a Out,
    target: String,
    drawn: Option<Instant>,
    /// Answers a second, the newest last.
    rates: Vec<u64>,
    in_flight: u64,
    connections: u64,
}

impl<'a> LoadView<'a> {
    pub(crate) fn new(out: &'a Out, target: &str) -> Self {
        Self { out, target: target.to_owned(), drawn: None, rates: Vec::new(), in_flight: 0, connections: 0 }
    }

    /// Takes what has come, and draws it where the last picture is old enough.
    pub(crate) fn take(&mut self, news: &LoadProgress) {
        for slice in &news.new_slices {
            self.rates.push(slice.answered);
            (self.in_flight, self.connections) = (slice.in_flight, slice.connections);
        }
        self.rates.drain(..self.rates.len().saturating_sub(SECONDS));
        if self.drawn.is_some_and(|at| at.elapsed() < PACE) {
            return;
        }
        self.drawn = Some(Instant::now());
        if self.out.draws() { self.out.picture(&self.lines(news)) } else { self.out.live(&one_line(news)) }
    }

    fn lines(&self, news: &LoadProgress) -> Vec<String> {
        let (totals, latency) = (&news.totals, &news.latency);
        let share = (news.elapsed_ms / news.total_ms.max(1.0)).clamp(0.0, 1.0);
        let full = (share * BAR as f64).round() as usize;
        let label = |text: &str| self.out.tint(Colour::Dim, &format!("{text:<10}"));
        let asked = totals.target_rate.map(|rate| format!(" of {rate:.0}/s")).unwrap_or_default();
        let quantile = |ms: f64| if latency.count == 0 { "–".to_owned() } else { words::ms(ms) };
        let figures = [("p50", latency.p50_ms), ("p95", latency.p95_ms), ("p99", latency.p99_ms), ("max", latency.max_ms)];
        let figures: Vec<String> = figures.into_iter().map(|(name, ms)| format!("{name} {}", quantile(ms))).collect();
        let kinds = [("failed", totals.failed), ("never started", totals.dropped), ("unanswered", totals.unanswered)];
        let kinds: Vec<String> =
            kinds.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}")).collect();
        let errors = match kinds.is_empty() {
            true => "none".to_owned(),
            false => {
                let causes: Vec<String> =
                    news.errors.iter().take(KINDS).map(|error| format!("{} {}", error.count, error.kind)).collect();
                let causes = if causes.is_empty() { String::new() } else { format!(": {}", causes.join(", ")) };
                self.out.tint(Colour::Red, &format!("{}  {}{causes}", words::share(totals.error_share), kinds.join(", ")))
            }
        };
        vec![
            self.out.tint(Colour::Bold, &self.target),
            format!(
                "{}{}  {:.0}%  {} left",
                "█".repeat(full),
                self.out.tint(Colour::Dim, &"░".repeat(BAR - full)),
                share * 100.0,
                left(news.total_ms - news.elapsed_ms)
            ),
            format!("{}{:.1}/s{asked}  {}", label("rate"), totals.rate, spark(&self.rates)),
            format!("{}{}", label("latency"), figures.join("  ")),
            format!("{}{errors}", label("errors")),
            format!("{}{} in flight over {} connections", label("under way"), self.in_flight, self.connections),
        ]
    }
}

/// The same in one line, for a terminal that can't go back.
fn one_line(news: &LoadProgress) -> String {
    format!(
        "{:>3.0}%  {:.0}/s  p50 {}  p95 {}  p99 {}  errors {}",
        news.elapsed_ms / news.total_ms.max(1.0) * 100.0,
        news.totals.rate,
        words::ms(news.latency.p50_ms),
        words::ms(news.latency.p95_ms),
        words::ms(news.latency.p99_ms),
        words::share(news.totals.error_share)
    )
}

/// Values as heights, from zero to the highest.
fn spark(values: &[u64]) -> String {
    let highest = values.iter().copied().max().unwrap_or(0).max(1);
    let height = |value: &u64| {
        let step = (*value as f64 / highest as f64 * (HEIGHTS.len() - 1) as f64).round() as usize;
        HEIGHTS[step.min(HEIGHTS.len() - 1)]
    };
    values.iter().map(height).collect()
}

fn left(ms: f64) -> String {
    let seconds = (ms.max(0.0) / 1e3).ceil() as u64;
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {} s", seconds / 60, seconds % 60) }
}
