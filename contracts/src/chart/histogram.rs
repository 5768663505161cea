//! A distribution of latencies on a logarithmic axis.

use super::{Chart, Rule, Series, Style, Tone, Unit, XAxis};

/// The narrowest width of a bar in pixels.
const BAR: f64 = 7.0;
/// Latencies below a microsecond stand with it.
const LEAST: f64 = 1e-3;

/// The chart of a histogram: upper bounds in milliseconds and counts, as in
/// [`LoadReport::histogram`](crate::load::LoadReport::histogram), gathered into bars of one ratio that suit a chart of
/// `width` pixels. `marks` are quantiles or the like in milliseconds.
pub fn histogram(title: &str, buckets: &[(f64, u64)], marks: &[(f64, &str)], width: f64) -> Chart {
    let mut buckets: Vec<(f64, u64)> =
        buckets.iter().filter(|(bound, count)| bound.is_finite() && *count > 0).map(|(b, c)| (b.max(LEAST), *c)).collect();
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut chart = Chart {
        title: title.to_owned(),
        unit: Unit::Count,
        x: XAxis::Logarithmic(Unit::Milliseconds),
        range: (1.0, 1000.0),
        from_zero: true,
        ..Chart::default()
    };
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else {
        return chart;
    };
    // A little air on both sides, and never less than a third of a decade: one bucket is no wall.
    let (mut low, mut high) = (first.0 / 1.1, last.0 * 1.1);
    let wanted = 2.2;
    if high / low < wanted {
        let middle = (low * high).sqrt();
        (low, high) = (middle / wanted.sqrt(), middle * wanted.sqrt());
    }
    let bars = ((width.clamp(80.0, 8192.0) - 60.0) / BAR).clamp(10.0, 200.0).floor();
    let ratio = (high / low).powf(1.0 / bars);
    let mut counts = vec![0u64; bars as usize];
    for (bound, count) in buckets {
        let bar = ((bound / low).ln() / ratio.ln()).floor().clamp(0.0, bars - 1.0);
        let cell = &mut counts[bar as usize];
        *cell = cell.saturating_add(count);
    }
    let points = counts
        .into_iter()
        .enumerate()
        .map(|(i, count)| (low * ratio.powi(i32::try_from(i).unwrap_or(0)), Some(count as f64)))
        .collect();
    chart.range = (low, high);
    chart.marks = marks.iter().map(|(at, label)| Rule { at: at.max(LEAST), label: (*label).to_owned() }).collect();
    chart.series =
        vec![Series { label: "requests".to_owned(), style: Style::Bars(ratio), tone: Tone::Accent, points, hidden: false }];
    chart
}
