//! A level that changes over time in straight lines: a rate, or a number of connections.

use patchbay_contracts::units::Span;

const SECOND: f64 = 1e9;

/// A level over time. Times are nanoseconds of the run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curve {
    /// Where the lines meet: the time, the level, and the area under the curve up to there in levels times seconds.
    points: Vec<Point>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    time: f64,
    level: f64,
    area: f64,
}

impl Curve {
    /// The same level throughout.
    pub(crate) fn constant(level: f64, end: u64) -> Self {
        let mut curve = Self::from(level);
        curve.lead_to(level, end as f64);
        curve
    }

    /// Through stages: each leads to a level in a time.
    pub(crate) fn stages(from: f64, stages: impl Iterator<Item = (f64, Span)>) -> Self {
        let mut curve = Self::from(from);
        for (level, over) in stages {
            curve.lead_to(level, over.0.as_nanos() as f64);
        }
        curve
    }

    fn from(level: f64) -> Self {
        Self { points: vec![Point { time: 0.0, level, area: 0.0 }] }
    }

    fn lead_to(&mut self, level: f64, over: f64) {
        let Some(&last) = self.points.last() else { return };
        let area = last.area + (last.level + level) / 2.0 * over / SECOND;
        self.points.push(Point { time: last.time + over, level, area });
    }

    /// The level at a time.
    pub(crate) fn at(&self, time: u64) -> f64 {
        let time = time as f64;
        let next = self.points.partition_point(|point| point.time <= time);
        match (next.checked_sub(1).and_then(|last| self.points.get(last)), self.points.get(next)) {
            (Some(from), Some(to)) => from.level + (to.level - from.level) * (time - from.time) / (to.time - from.time),
            (Some(last), None) => last.level,
            (None, _) => 0.0,
        }
    }

    /// The highest level.
    pub(crate) fn highest(&self) -> f64 {
        self.points.iter().map(|point| point.level).fold(0.0, f64::max)
    }

    /// The area under it up to a time.
    pub(crate) fn area_until(&self, time: u64) -> f64 {
        let time = time as f64;
        let next = self.points.partition_point(|point| point.time <= time);
        let Some(from) = next.checked_sub(1).and_then(|last| self.points.get(last)) else { return 0.0 };
        let level = self.at(time as u64);
        if next == self.points.len() { from.area } else { from.area + (from.level + level) / 2.0 * (time - from.time) / SECOND }
    }

    /// When the area under it reaches so much; nothing where it never does. `line` is where to look first, and is moved on:
    /// areas are asked for in rising order.
    pub(crate) fn time_of(&self, area: f64, line: &mut usize) -> Option<u64> {
        while self.points.get(*line + 1)?.area <= area && (area > 0.0 || self.points[*line + 1].area <= 0.0) {
            *line += 1;
        }
        let (from, to) = (self.points[*line], self.points[*line + 1]);
        let (seconds, wanted) = ((to.time - from.time) / SECOND, area - from.area);
        if wanted <= 0.0 || seconds <= 0.0 {
            return Some(from.time as u64);
        }
        // The root of the parabola that the area is, in the form that doesn't subtract what is nearly equal.
        let slope = (to.level - from.level) / seconds;
        let root = (from.level * from.level + 2.0 * wanted * slope).max(0.0).sqrt();
        Some((from.time + 2.0 * wanted / (from.level + root) * SECOND) as u64)
    }
}
