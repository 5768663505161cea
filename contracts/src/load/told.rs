//! The figures of a load run in words, the same in the window, in reports and on the command line.

use super::{Change, ComparedFigure, Comparison, LoadReport};
use crate::{
    chart::Unit,
    integration::{Level, LoadSpec},
};

/// Connections of a closed workload without another word.
const CONNECTIONS: f64 = 10.0;
/// Seconds of a run without another word.
const SECONDS: f64 = 10.0;

/// A figure with its name and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its name.
    pub name: &'static str,
    /// Its value, with its unit.
    pub value: String,
    /// What it means, as part of a sentence.
    pub meaning: &'static str,
}

/// A thread with less than this share of its time left was busy all along.
const LITTLE_HEADROOM: f64 = 0.1;

impl LoadReport {
    /// Whether the figures are the service's own, and why not, in a sentence or two.
    pub fn generator_sentence(&self) -> String {
        let of = &self.generator;
        if !of.bottleneck {
            return "The generator kept up: the figures are the service's own.".to_owned();
        }
        let why = match of.stalls {
            1 => "stood still once".to_owned(),
            2.. => format!("stood still {} times", of.stalls),
            0 if of.headroom.is_some_and(|left| left < LITTLE_HEADROOM) => "was busy all the time".to_owned(),
            0 => "came too late to its requests".to_owned(),
        };
        format!("The generator was the bottleneck: it {why}. The figures say little of the service, and nothing passes.")
    }

    /// What the generator says of itself, figure by figure; those that weren't measured are left out.
    pub fn generator_told(&self) -> Vec<Told> {
        let of = &self.generator;
        let share = |value: Option<f64>| value.map(|value| format!("{:.1}%", value * 100.0));
        let lag = self.schedule_lag.as_ref().filter(|lag| lag.count > 0).map(|lag| Unit::Milliseconds.show(lag.p99_ms));
        let stalls = match of.stalls {
            0 => "none".to_owned(),
            count => format!("{count}, {} at the longest", Unit::Milliseconds.show(of.longest_stall_ms)),
        };
        let open = self.totals.target_rate.is_some();
        let known = of.threads > 0;
        let resolved = (self.phases.dns_ms > 0.0).then(|| Unit::Milliseconds.show(self.phases.dns_ms));
        let told = [
            ("Achieved", of.achieved.map(|share| Unit::Share.show(share)), "arrivals started over those that were due"),
            ("Schedule lag, p99", lag, "how late it was with a request by its own doing"),
            ("Never started", open.then(|| self.totals.dropped.to_string()), "arrivals that no connection became free for"),
            ("Headroom", share(of.headroom), "time that the busiest thread had left"),
            ("Little's law", share(of.littles_law_residual), "off between observed and counted concurrency"),
            ("Concurrency", known.then(|| Unit::Count.show(of.concurrency)), "in flight and waiting, on average"),
            ("Stalls", known.then_some(stalls), "times at which it stood still"),
            ("Threads", known.then(|| of.threads.to_string()), "that sent requests"),
            ("Resolved in", resolved, "the host, once, before the start"),
        ];
        told.into_iter().filter_map(|(name, value, meaning)| Some(Told { name, value: value?, meaning })).collect()
    }
}

impl Change {
    /// The word as a person reads it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "no difference",
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Unknown => "too little to tell",
        }
    }
}

impl ComparedFigure {
    fn unit(&self) -> Unit {
        match self.name.as_str() {
            "errors" => Unit::Share,
            "rate" => Unit::PerSecond,
            _ => Unit::Milliseconds,
        }
    }

    /// The value before, with its unit.
    pub fn before_told(&self) -> String {
        self.unit().show(self.before)
    }

    /// The value now, with its unit.
    pub fn now_told(&self) -> String {
        self.unit().show(self.now)
    }

    /// How much more or less it is than before; empty where before was nothing.
    pub fn difference_told(&self) -> String {
        if self.before == 0.0 || !self.before.is_finite() || !self.now.is_finite() {
            return String::new();
        }
        let share = (self.now / self.before - 1.0) * 100.0;
        // What rounds to nothing has no sign.
        if share.abs() < 0.05 { "±0%".to_owned() } else { format!("{share:+.1}%") }
    }

    /// The p-value, as it's usually written.
    pub fn p_told(&self) -> String {
        match self.p_value {
            p if !p.is_finite() || self.change == Change::Unknown => "–".to_owned(),
            p if p < 0.001 => "< 0.001".to_owned(),
            p => format!("{p:.3}"),
        }
    }
}

impl Comparison {
    /// What the comparison comes to, in a sentence.
    pub fn sentence(&self) -> String {
        if let Some(problem) = &self.problem {
            return problem.clone();
        }
        let names = |change: Change| -> Vec<&str> {
            self.figures.iter().filter(|figure| figure.change == change).map(|figure| figure.name.as_str()).collect()
        };
        let (worse, better) = (names(Change::Worse), names(Change::Better));
        let run = self.baseline;
        match (worse.is_empty(), better.is_empty()) {
            (true, true) if names(Change::Same).is_empty() => {
                format!("Too little was measured to tell a difference from run {run}.")
            }
            (true, true) => format!("No figure differs from those of run {run} by more than chance would have it."),
            (false, true) => format!("Worse than run {run}: {}.", worse.join(", ")),
            (true, false) => format!("Better than run {run}: {}.", better.join(", ")),
            (false, false) => format!("Against run {run}: {} worse, {} better.", worse.join(", "), better.join(", ")),
        }
    }
}

/// The level that is asked for over time, in straight lines: seconds of the run, and iterations a second of an open workload
/// or connections of a closed one.
pub fn planned(spec: &LoadSpec) -> Vec<(f64, f64)> {
    let level = if spec.executor.is_open() {
        spec.rate.map_or(0.0, |rate| rate.hertz())
    } else {
        let silent = if spec.executor.is_ramping() { 0.0 } else { CONNECTIONS };
        spec.connections.map_or(silent, f64::from)
    };
    if !spec.executor.is_ramping() {
        let seconds = spec.duration.map_or(SECONDS, |duration| duration.0.as_secs_f64());
        return vec![(0.0, level), (seconds, level)];
    }
    let mut points = vec![(0.0, level)];
    let mut at = 0.0;
    for stage in &spec.stages {
        at += stage.over.0.as_secs_f64();
        let to = match stage.to {
            Level::Rate(rate) => rate.hertz(),
            Level::Connections(count) => f64::from(count),
        };
        points.push((at, to));
    }
    points
}
