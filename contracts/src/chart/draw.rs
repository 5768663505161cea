//! From what there is to show to where it stands.

use super::{
    Anchor, Chart, Drawing, DrawnRule, DrawnStretch, LegendEntry, Mark, Rect, Scale, Series, StretchKind, Style, Tick, XAxis,
    path, ticks,
    time::{self, BOUNDS},
};

/// The width of a digit of the axes' type, 12 pixels high.
const DIGIT: f64 = 6.8;
/// Room above the plot, so that the topmost label is whole.
const TOP: f64 = 8.0;
/// Room below the plot for its labels.
const BOTTOM: f64 = 22.0;
/// Room to the left of the plot, unless its labels need more.
const LEFT: f64 = 64.0;
/// Room to the right of the plot.
const RIGHT: f64 = 12.0;
/// The least height that a tick of the values has to itself.
const TICK_HEIGHT: f64 = 36.0;
/// The least width that a tick of the horizontal axis has to itself.
const TICK_WIDTH: f64 = 68.0;
/// Sizes that make sense, in pixels.
const SIZES: (f64, f64) = (80.0, 8192.0);

/// A series, cut to the range, in its own units.
struct Cut<'a> {
    index: usize,
    series: &'a Series,
    runs: Vec<Vec<(f64, f64)>>,
}

/// The room for labels of these lengths, of which a narrow chart gives no more than a third of itself.
fn left(ticks: &[(f64, String)], width: f64) -> f64 {
    let longest = ticks.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(0) as f64;
    (longest * DIGIT + 12.0).max(LEFT).min(width / 3.0).max(24.0).ceil()
}

impl Chart {
    /// The chart at a size in pixels.
    pub fn draw(&self, width: f64, height: f64) -> Drawing {
        self.draw_beside(width, height, 0.0)
    }

    /// The room that the labels of the vertical axis take at the left, in pixels.
    pub fn margin(&self, width: f64, height: f64) -> f64 {
        let (width, height) = (size(width), size(height));
        let (axis, _) = self.value_axis(&self.cuts(self.sound_range()), height);
        left(&axis.ticks, width)
    }

    /// As [`Chart::draw`], with at least so many pixels at the left: charts that stand under each other begin at one line
    /// where each is given the widest of their margins.
    pub fn draw_beside(&self, width: f64, height: f64, least: f64) -> Drawing {
        let (width, height) = (size(width), size(height));
        let range = self.sound_range();
        let cuts = self.cuts(range);
        let empty = cuts.iter().all(|cut| cut.runs.is_empty());
        let (axis, rules_in_reach) = self.value_axis(&cuts, height);

        let margin = left(&axis.ticks, width).max(least.min(width / 3.0).ceil());
        let plot = Rect { x: margin, y: TOP, width: (width - margin - RIGHT).max(1.0), height: (height - TOP - BOTTOM).max(1.0) };
        let x =
            Scale { values: range, pixels: (plot.x, plot.x + plot.width), logarithmic: matches!(self.x, XAxis::Logarithmic(_)) };
        let y = Scale { values: (axis.low, axis.high), pixels: (plot.y + plot.height, plot.y), logarithmic: false };
        // Without a value there is no scale, and ticks would invent one; the floor stays.
        let kept = if empty { 1 } else { axis.ticks.len() };
        let y_ticks = axis
            .ticks
            .into_iter()
            .take(kept)
            .map(|(value, label)| if empty { (value, String::new()) } else { (value, label) })
            .map(|(value, label)| Tick { at: y.pixel(value), label, anchor: Anchor::End, major: value == 0.0 })
            .collect();
        let marks = cuts.iter().map(|cut| self.mark(cut, &x, &y)).collect();
        Drawing {
            width,
            height,
            plot,
            x,
            y,
            x_ticks: self.x_ticks(&x, plot, width),
            y_ticks,
            marks,
            stretches: self.drawn_stretches(&x, plot),
            rules: self.drawn_rules(&x, &y, plot, &rules_in_reach),
            legend: self.legend(range),
            title: self.title.clone(),
            description: self.describe(range),
            notes: self.notes(),
            empty,
        }
    }

    /// The range, with its ends in order, apart, and within what the axis can name.
    pub(super) fn sound_range(&self) -> (f64, f64) {
        let (a, b) = self.range;
        let (least, most, apart) = match &self.x {
            XAxis::Time(_) => (BOUNDS.0 as f64, BOUNDS.1 as f64, 1.0),
            XAxis::Elapsed => (-1e12, 1e12, 1e-3),
            XAxis::Logarithmic(_) => (1e-12, 1e15, 0.0),
        };
        let sound = |value: f64| if value.is_finite() { value.clamp(least, most) } else { least.max(0.0) };
        let (low, high) = (sound(a.min(b)), sound(a.max(b)));
        if let XAxis::Logarithmic(_) = self.x {
            return if high / low < 1.001 { (low / 2.0, high * 2.0) } else { (low, high) };
        }
        if high - low < apart { (low, low + apart) } else { (low, high) }
    }

    /// The unobserved stretches, ascending, those that touch joined.
    pub(super) fn breaks(&self) -> Vec<(f64, f64)> {
        self.joined(StretchKind::Unobserved, 0.0)
    }

    /// The stretches of a kind, ascending; those less than `apart` from one another are joined.
    fn joined(&self, kind: StretchKind, apart: f64) -> Vec<(f64, f64)> {
        let sound = self.stretches.iter().filter(|stretch| stretch.kind == kind && stretch.to > stretch.from);
        let mut all: Vec<_> = sound.map(|stretch| (stretch.from, stretch.to)).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut joined: Vec<(f64, f64)> = Vec::with_capacity(all.len());
        for (from, to) in all {
            match joined.last_mut() {
                Some(last) if from - last.1 <= apart => last.1 = last.1.max(to),
                _ => joined.push((from, to)),
            }
        }
        joined
    }

    fn cuts(&self, range: (f64, f64)) -> Vec<Cut<'_>> {
        let breaks = self.breaks();
        self.series
            .iter()
            .enumerate()
            .filter(|(_, series)| !series.hidden)
            .map(|(index, series)| {
                let sorted = ascending(&series.points);
                let runs = match series.style {
                    // A bar reaches to its right edge, and its value holds for all of it: nothing is interpolated.
                    Style::Bars(_) | Style::Points => vec![
                        sorted
                            .iter()
                            .filter_map(|(x, value)| Some((*x, value.filter(|value| path::drawable(*value))?)))
                            .filter(|(x, _)| self.right_edge(series.style, *x) >= range.0 && *x <= range.1)
                            .collect(),
                    ],
                    _ => path::runs(&sorted, range, &breaks),
                };
                Cut { index, series, runs: runs.into_iter().filter(|run: &Vec<_>| !run.is_empty()).collect() }
            })
            .collect()
    }

    fn right_edge(&self, style: Style, x: f64) -> f64 {
        match (style, &self.x) {
            (Style::Bars(ratio), XAxis::Logarithmic(_)) => x * ratio,
            (Style::Bars(width), _) => x + width,
            _ => x,
        }
    }

    /// The axis of values, and for each rule whether the axis reaches it.
    fn value_axis(&self, cuts: &[Cut], height: f64) -> (ticks::Axis, Vec<bool>) {
        let from_zero = self.from_zero || self.unit.starts_at_zero() || cuts.iter().any(|cut| cut.series.style.starts_at_zero());
        let values = cuts.iter().flat_map(|cut| cut.runs.iter().flatten().map(|(_, value)| *value));
        let (mut low, mut high) =
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            (low, high) = (0.0, 0.0);
        }
        // A promise far above what was measured would press the measurements flat: it is left out rather than they.
        let span = (high - low.min(if from_zero { 0.0 } else { low })).max(high.abs() * 0.1);
        let in_reach: Vec<bool> = self
            .rules
            .iter()
            .map(|rule| path::drawable(rule.at) && rule.at <= high + span * 1.5 && rule.at >= low - span * 1.5)
            .collect();
        for (rule, _) in self.rules.iter().zip(&in_reach).filter(|(_, in_reach)| **in_reach) {
            (low, high) = (low.min(rule.at), high.max(rule.at));
        }
        let wanted = ((height - TOP - BOTTOM) / TICK_HEIGHT).clamp(2.0, 10.0) as usize;
        (ticks::axis(low, high, from_zero, wanted, &self.unit), in_reach)
    }

    fn mark(&self, cut: &Cut, x: &Scale, y: &Scale) -> Mark {
        let floor = y.pixel(0f64.clamp(y.values.0, y.values.1));
        let mut mark =
            Mark { series: cut.index, class: class(cut.series), line: String::new(), fill: String::new(), dots: Vec::new() };
        match cut.series.style {
            Style::Bars(_) => {
                let edges = (x.pixels.0, x.pixels.1);
                let bars: Vec<_> = cut
                    .runs
                    .iter()
                    .flatten()
                    .map(|(at, value)| {
                        let right = x.pixel(self.right_edge(cut.series.style, *at));
                        (x.pixel(*at).clamp(edges.0, edges.1), right.clamp(edges.0, edges.1), *value)
                    })
                    .filter(|(_, _, value)| *value != 0.0)
                    .map(|(left, right, value)| (left, right, y.pixel(value)))
                    .collect();
                mark.fill = path::bars(&bars, floor);
            }
            Style::Points => {
                mark.dots = path::thinned(&cut.runs, x, y).into_iter().flatten().collect();
            }
            style => {
                let runs = path::thinned(&cut.runs, x, y);
                mark.line = path::line(&runs);
                if style == Style::Area {
                    mark.fill = path::area(&runs, floor);
                }
                mark.dots = runs.iter().filter(|run| run.len() == 1).map(|run| run[0]).collect();
            }
        }
        mark
    }

    fn x_ticks(&self, x: &Scale, plot: Rect, width: f64) -> Vec<Tick> {
        let (from, to) = x.values;
        let gap = (to - from) * (TICK_WIDTH / plot.width).min(1.0);
        let raw: Vec<(f64, String, bool)> = match &self.x {
            XAxis::Time(zone) => time::ticks(from.ceil() as i64, to.floor() as i64, gap, zone)
                .into_iter()
                .map(|(at, label, major)| (at as f64, label, major))
                .collect(),
            XAxis::Elapsed => time::elapsed_ticks(from, to, gap).into_iter().map(|(at, label)| (at, label, false)).collect(),
            XAxis::Logarithmic(unit) => ticks::logarithmic(from, to, TICK_WIDTH / plot.width, unit)
                .into_iter()
                .map(|(at, label)| (at, label, false))
                .collect(),
        };
        raw.into_iter()
            .map(|(value, label, major)| {
                let at = x.pixel(value);
                let half = label.chars().count() as f64 * DIGIT / 2.0;
                let anchor = match at {
                    at if at + half > width => Anchor::End,
                    at if at - half < 0.0 => Anchor::Start,
                    _ => Anchor::Middle,
                };
                Tick { at, label, anchor, major }
            })
            .collect()
    }

    fn drawn_stretches(&self, x: &Scale, plot: Rect) -> Vec<DrawnStretch> {
        let (low, high) = x.values;
        // What is less than a pixel apart looks like one, and thousands of short ones must not become thousands of shapes.
        let pixel = if x.logarithmic { 0.0 } else { (high - low) / plot.width };
        [StretchKind::WarmUp, StretchKind::Incident, StretchKind::Unobserved]
            .into_iter()
            .flat_map(|kind| self.joined(kind, pixel).into_iter().map(move |ends| (kind, ends)))
            .filter(|(_, (from, to))| *to > low && *from < high)
            .map(|(kind, (from, to))| {
                let (left, right) = (x.pixel(from.max(low)), x.pixel(to.min(high)));
                let rect = Rect { x: left, width: (right - left).max(1.0), ..plot };
                let hatched = kind == StretchKind::Unobserved;
                DrawnStretch { kind, rect, hatching: if hatched { path::hatching(rect) } else { String::new() } }
            })
            .collect()
    }

    fn drawn_rules(&self, x: &Scale, y: &Scale, plot: Rect, in_reach: &[bool]) -> Vec<DrawnRule> {
        let (right, bottom) = (plot.x + plot.width, plot.y + plot.height);
        let across = self.rules.iter().zip(in_reach).filter(|(_, in_reach)| **in_reach).map(|(rule, _)| {
            let at = y.pixel(rule.at);
            // The label stands above its line, or below it at the very top.
            let text = if at - plot.y < 14.0 { at + 13.0 } else { at - 4.0 };
            DrawnRule { line: (plot.x, at, right, at), text: (right, text), anchor: Anchor::End, label: rule.label.clone() }
        });
        let mut row = 0;
        let mut taken = f64::NEG_INFINITY;
        let mut marks: Vec<_> = self.marks.iter().filter(|rule| rule.at >= x.values.0 && rule.at <= x.values.1).collect();
        marks.sort_by(|a, b| a.at.total_cmp(&b.at));
        let down = marks.into_iter().map(|rule| {
            let at = x.pixel(rule.at);
            let long = rule.label.chars().count() as f64 * DIGIT + 4.0;
            let (from, to, anchor) =
                if at + long > right { (at - long, at, Anchor::End) } else { (at, at + long, Anchor::Start) };
            // Labels that would stand on one another go down a row each.
            row = if from < taken { row + 1 } else { 0 };
            taken = taken.max(to);
            let text_x = if anchor == Anchor::End { at - 4.0 } else { at + 4.0 };
            DrawnRule {
                line: (at, plot.y, at, bottom),
                text: (text_x, plot.y + 11.0 + f64::from(row) * 14.0),
                anchor,
                label: rule.label.clone(),
            }
        });
        across.chain(down).collect()
    }

    fn legend(&self, range: (f64, f64)) -> Vec<LegendEntry> {
        let last = |series: &Series| {
            let within =
                |(x, value): &(f64, Option<f64>)| value.filter(|value| *x >= range.0 && *x <= range.1 && path::drawable(*value));
            match series.style {
                Style::Bars(_) => None,
                _ => ascending(&series.points).iter().rev().find_map(within),
            }
        };
        let entry = |(index, series): (usize, &Series)| LegendEntry {
            series: index,
            label: series.label.clone(),
            class: class(series),
            last: last(series).map(|value| self.unit.show(value)).unwrap_or_default(),
            hidden: series.hidden,
        };
        self.series.iter().enumerate().map(entry).collect()
    }

    fn notes(&self) -> Vec<String> {
        let lost = self
            .series
            .iter()
            .filter(|series| !series.hidden)
            .flat_map(|series| &series.points)
            .filter(|(_, value)| value.is_some_and(|value| !path::drawable(value)))
            .count();
        match lost {
            0 => Vec::new(),
            1 => vec!["1 value is not finite and not drawn".to_owned()],
            _ => vec![format!("{lost} values are not finite and not drawn")],
        }
    }
}

fn size(pixels: f64) -> f64 {
    if pixels.is_finite() { pixels.clamp(SIZES.0, SIZES.1) } else { SIZES.0 }
}

fn class(series: &Series) -> String {
    format!("{} {}", series.tone.class(), series.style.class())
}

/// The points in ascending order; those that come so are not copied.
pub(super) fn ascending(points: &[(f64, Option<f64>)]) -> std::borrow::Cow<'_, [(f64, Option<f64>)]> {
    if points.is_sorted_by(|a, b| a.0 <= b.0) {
        return points.into();
    }
    let mut sorted: Vec<_> = points.iter().copied().filter(|(x, _)| x.is_finite()).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    sorted.into()
}
