//! A line the height of a row, without axes.

use super::{Scale, path};

/// A sparkline as plain data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Spark {
    /// The whole width in pixels.
    pub width: f64,
    /// The whole height in pixels.
    pub height: f64,
    /// The path of the line; gaps break it.
    pub line: String,
    /// Points that stand alone between two gaps.
    pub dots: Vec<(f64, f64)>,
    /// The path of short strokes on the floor, one where a value is missing.
    pub missing: String,
    /// The last point, where there is one and it has a value.
    pub last: Option<(f64, f64)>,
}

/// A sparkline of values from zero up, in ascending order of time; `None` is a gap.
pub fn sparkline(points: &[(f64, Option<f64>)], width: f64, height: f64) -> Spark {
    const MARGIN: f64 = 2.0;
    let (width, height) = (width.clamp(8.0, 4096.0), height.clamp(8.0, 1024.0));
    let mut spark = Spark { width, height, ..Spark::default() };
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return spark;
    };
    let range = if last.0 > first.0 { (first.0, last.0) } else { (first.0 - 1.0, first.0 + 1.0) };
    let runs = path::runs(points, range, &[]);
    let values = runs.iter().flatten().map(|(_, value)| *value);
    let (low, high) = values.fold((0f64, 0f64), |(low, high), value| (low.min(value), high.max(value)));
    let high = if high > low { high } else { low + 1.0 };
    let x = Scale { values: range, pixels: (MARGIN, width - MARGIN), logarithmic: false };
    let y = Scale { values: (low, high), pixels: (height - MARGIN, MARGIN), logarithmic: false };
    let thin = path::thinned(&runs, &x, &y);
    spark.line = path::line(&thin);
    spark.dots = thin.iter().filter(|run| run.len() == 1).map(|run| run[0]).collect();
    let mut column = f64::NEG_INFINITY;
    for (at, _) in points.iter().filter(|(_, value)| !value.is_some_and(path::drawable)) {
        let pixel = x.pixel(*at);
        if pixel.floor() > column {
            column = pixel.floor();
            spark.missing.push('M');
            path::number(&mut spark.missing, pixel);
            spark.missing.push(' ');
            path::number(&mut spark.missing, height - MARGIN);
            spark.missing.push_str("v-4");
        }
    }
    spark.last = last.1.filter(|value| path::drawable(*value)).map(|value| (x.pixel(last.0), y.pixel(value)));
    spark
}
