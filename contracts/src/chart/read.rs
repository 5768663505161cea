//! From a drawing back to values: the crosshair, the zoom, and the summary in words.

use super::{Chart, Drawing, StretchKind, Style, XAxis, draw::ascending, elapsed, exact, path};

/// How far from the crosshair, in pixels, a series' point may be and still be read there.
const REACH: f64 = 8.0;
/// The narrowest drag, in pixels, that is a zoom and not a click.
const LEAST_DRAG: f64 = 4.0;

/// What the crosshair shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Hover {
    /// Where it stands, in the units of the axis.
    pub x: f64,
    /// Where it stands, in pixels.
    pub pixel: f64,
    /// Where it stands, in words.
    pub label: String,
    /// The shown series, in the order of the legend.
    pub values: Vec<HoverValue>,
    /// What holds there: `unobserved`, `warm-up`.
    pub stretch: Option<StretchKind>,
}

/// A series at the crosshair.
#[derive(Debug, Clone, PartialEq)]
pub struct HoverValue {
    /// Which series of the chart.
    pub series: usize,
    /// Its value there; `None` in a gap or with no point near by.
    pub value: Option<f64>,
    /// The value with its unit, or `no value`.
    pub text: String,
    /// The pixel of the value.
    pub y: Option<f64>,
}

/// A series in five numbers, for those who can't see the chart.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesSummary {
    /// Its name.
    pub label: String,
    /// Values within the range.
    pub count: usize,
    /// The lowest, with its unit; empty without any value.
    pub lowest: String,
    /// The highest.
    pub highest: String,
    /// The mean.
    pub mean: String,
    /// The last.
    pub last: String,
}

impl Chart {
    /// What the crosshair shows nearest to a pixel; nothing where no shown series has a point within the range.
    pub fn hover(&self, drawing: &Drawing, pixel: f64) -> Option<Hover> {
        let wanted = drawing.x.value(pixel);
        let nearest = |x: f64, best: Option<f64>| match best {
            Some(best) if distance(drawing, best, wanted) <= distance(drawing, x, wanted) => Some(best),
            _ => Some(x),
        };
        let mut best = None;
        for (_, series) in self.shown() {
            if let Some(i) = nearest_index(&ascending(&series.points), wanted, drawing) {
                best = nearest(ascending(&series.points)[i].0, best);
            }
        }
        best.map(|x| self.hover_at(drawing, x))
    }

    /// What the crosshair shows one point further to the right (`by` 1) or to the left (-1) of where it stands; the
    /// first or the last point where it stands nowhere.
    pub fn step(&self, drawing: &Drawing, from: Option<f64>, by: i32) -> Option<Hover> {
        let (low, high) = drawing.x.values;
        let Some(from) = from else {
            return self.hover(drawing, if by > 0 { drawing.plot.x } else { drawing.plot.x + drawing.plot.width });
        };
        let start = drawing.x.pixel(from);
        let mut next: Option<f64> = None;
        for (_, series) in self.shown() {
            let points = ascending(&series.points);
            // A step is at least a pixel, so that a key pressed is a change seen.
            let found = if by > 0 {
                let after = points.partition_point(|(x, _)| drawing.x.pixel(*x) < start + 1.0);
                points.get(after).filter(|(x, _)| *x <= high)
            } else {
                let before = points.partition_point(|(x, _)| drawing.x.pixel(*x) <= start - 1.0);
                before.checked_sub(1).and_then(|i| points.get(i)).filter(|(x, _)| *x >= low)
            };
            if let Some((x, _)) = found {
                next = Some(match next {
                    Some(other) if by > 0 => other.min(*x),
                    Some(other) => other.max(*x),
                    None => *x,
                });
            }
        }
        Some(self.hover_at(drawing, next.unwrap_or(from)))
    }

    /// What the crosshair shows at a position, in the units of the axis, that came from another chart of the page.
    pub fn hover_at(&self, drawing: &Drawing, x: f64) -> Hover {
        let values = self
            .shown()
            .map(|(index, series)| {
                let points = ascending(&series.points);
                let near = nearest_index(&points, x, drawing).map(|i| points[i]);
                let value = near.filter(|(at, _)| distance(drawing, *at, x) <= REACH).and_then(|(_, value)| value);
                HoverValue {
                    series: index,
                    value,
                    text: value.map_or_else(|| "no value".to_owned(), |value| self.unit.show(value)),
                    y: value.filter(|value| path::drawable(*value)).map(|value| drawing.y.pixel(value)),
                }
            })
            .collect();
        let stretch = self.stretches.iter().find(|stretch| x >= stretch.from && x < stretch.to).map(|stretch| stretch.kind);
        Hover { x, pixel: drawing.x.pixel(x), label: self.x_label(x, drawing.x.values), values, stretch }
    }

    /// The range that a drag from one pixel to another chooses; nothing where it is too narrow to be meant, or where
    /// the axis could not show it.
    pub fn zoom(&self, drawing: &Drawing, from: f64, to: f64) -> Option<(f64, f64)> {
        if (from - to).abs() < LEAST_DRAG {
            return None;
        }
        let (low, high) = (drawing.x.value(from.min(to)), drawing.x.value(from.max(to)));
        let wide_enough = match self.x {
            XAxis::Time(_) => high - low >= 10.0,
            XAxis::Elapsed => high - low >= 0.01,
            XAxis::Logarithmic(_) => high / low >= 1.01,
        };
        wide_enough.then_some((low, high))
    }

    /// The series that are shown, in five numbers each, within the range.
    pub fn summary(&self) -> Vec<SeriesSummary> {
        let (from, to) = self.sound_range();
        self.shown()
            .map(|(_, series)| {
                let points = ascending(&series.points);
                let values: Vec<f64> = points
                    .iter()
                    .filter(|(x, _)| *x >= from && *x <= to)
                    .filter_map(|(_, value)| value.filter(|value| path::drawable(*value)))
                    .collect();
                let show = |value: Option<f64>| value.map(|value| self.unit.show(value)).unwrap_or_default();
                let count = values.len() as f64;
                SeriesSummary {
                    label: series.label.clone(),
                    count: values.len(),
                    lowest: show(values.iter().copied().reduce(f64::min)),
                    highest: show(values.iter().copied().reduce(f64::max)),
                    // Divided before they are added, since the sum of large values may not be a number any more.
                    mean: show((!values.is_empty()).then(|| values.iter().map(|value| value / count).sum())),
                    last: show(values.last().copied()),
                }
            })
            .collect()
    }

    pub(super) fn describe(&self, range: (f64, f64)) -> String {
        let mut text = format!("From {} to {}.", self.x_label(range.0, range), self.x_label(range.1, range));
        let hours = self.breaks().iter().filter(|(from, to)| *to > range.0 && *from < range.1).count();
        for row in self.summary() {
            if row.count == 0 {
                text.push_str(&format!(" {}: no values.", row.label));
            } else if self.series.iter().any(|series| series.label == row.label && matches!(series.style, Style::Bars(_))) {
                text.push_str(&format!(" {}: highest {}.", row.label, row.highest));
            } else {
                text.push_str(&format!(
                    " {}: lowest {}, mean {}, highest {}, last {}.",
                    row.label, row.lowest, row.mean, row.highest, row.last
                ));
            }
        }
        match hours {
            0 => {}
            1 => text.push_str(" One stretch was not observed."),
            n => text.push_str(&format!(" {n} stretches were not observed.")),
        }
        text
    }

    fn shown(&self) -> impl Iterator<Item = (usize, &super::Series)> {
        self.series.iter().enumerate().filter(|(_, series)| !series.hidden)
    }

    fn x_label(&self, x: f64, range: (f64, f64)) -> String {
        match &self.x {
            XAxis::Time(zone) => exact(x.round() as i64, zone, if range.1 - range.0 < 10_000.0 { 1 } else { 1000 }),
            XAxis::Elapsed => elapsed(x),
            XAxis::Logarithmic(unit) => unit.show(x),
        }
    }
}

fn distance(drawing: &Drawing, a: f64, b: f64) -> f64 {
    (drawing.x.pixel(a) - drawing.x.pixel(b)).abs()
}

/// The point nearest to a position, among those within the drawing's range.
fn nearest_index(points: &[(f64, Option<f64>)], x: f64, drawing: &Drawing) -> Option<usize> {
    let after = points.partition_point(|(at, _)| *at < x);
    let within = |i: &usize| points.get(*i).is_some_and(|(at, _)| *at >= drawing.x.values.0 && *at <= drawing.x.values.1);
    let candidates = [after.checked_sub(1), Some(after)];
    let far = |i: &usize| distance(drawing, points[*i].0, x);
    candidates.into_iter().flatten().filter(within).min_by(|a, b| far(a).total_cmp(&far(b)))
}
