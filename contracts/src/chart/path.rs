//! From points to path texts: what lies within the range, where lines break, and how many points are enough.

use std::fmt::Write;

use super::{Rect, Scale};

/// Values beyond this, whatever their sign, are treated as infinite: the arithmetic of an axis would overflow.
const LARGEST: f64 = 1e300;

/// Whether a value can be drawn.
pub(super) fn drawable(value: f64) -> bool {
    value.is_finite() && value.abs() <= LARGEST
}

/// The stretches of a series without a gap, each of at least one point, cut to `range`. A line that enters or leaves the
/// range does so at its edge. Lines break at gaps and at `breaks` (ascending, apart), and nothing is assumed about what is
/// between.
pub(super) fn runs(points: &[(f64, Option<f64>)], range: (f64, f64), breaks: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
    // One neighbour on either side is kept, so that a line goes on to the edge.
    let first = points.partition_point(|(x, _)| *x < range.0).saturating_sub(1);
    let last = (points.partition_point(|(x, _)| *x <= range.1) + 1).min(points.len());
    let mut runs = Vec::new();
    let mut run: Vec<(f64, f64)> = Vec::new();
    for &(x, value) in points.get(first..last).unwrap_or_default() {
        let Some(value) = value.filter(|value| drawable(*value) && x.is_finite()) else {
            close(&mut runs, &mut run);
            continue;
        };
        if let Some(&(before, _)) = run.last()
            && breaks.get(breaks.partition_point(|(from, _)| *from < before)).is_some_and(|(_, to)| x >= *to)
        {
            close(&mut runs, &mut run);
        }
        run.push((x, value));
    }
    close(&mut runs, &mut run);
    runs.into_iter().map(|run| cut(&run, range)).filter(|run| !run.is_empty()).collect()
}

fn close(runs: &mut Vec<Vec<(f64, f64)>>, run: &mut Vec<(f64, f64)>) {
    if !run.is_empty() {
        runs.push(std::mem::take(run));
    }
}

fn cut(run: &[(f64, f64)], range: (f64, f64)) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::with_capacity(run.len());
    let between = |a: (f64, f64), b: (f64, f64), x: f64| {
        let share = (x - a.0) / (b.0 - a.0);
        (x, a.1 * (1.0 - share) + b.1 * share)
    };
    for (i, &point) in run.iter().enumerate() {
        if point.0 < range.0 {
            if let Some(&next) = run.get(i + 1)
                && next.0 > range.0
            {
                kept.push(between(point, next, range.0));
                if next.0 > range.1 {
                    kept.push(between(point, next, range.1));
                }
            }
        } else if point.0 <= range.1 {
            kept.push(point);
        } else if let Some(&before) = i.checked_sub(1).and_then(|i| run.get(i))
            && before.0 >= range.0
            && before.0 < range.1
        {
            kept.push(between(before, point, range.1));
        }
    }
    kept
}

/// Runs in pixels, thinned: of each pixel column the first, the lowest, the highest and the last point remain, in their
/// order. A gap that begins and ends within one column can't be seen and is closed, so that no more than four points
/// a column ever remain.
pub(super) fn thinned(runs: &[Vec<(f64, f64)>], x: &Scale, y: &Scale) -> Vec<Vec<(f64, f64)>> {
    let mut all: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut column: Vec<(f64, f64)> = Vec::new();
    let mut out: Vec<(f64, f64)> = Vec::new();
    for run in runs {
        for (i, &(at, value)) in run.iter().enumerate() {
            let pixel = (x.pixel(at), y.pixel(value));
            let same = column.last().is_some_and(|last| last.0.floor() == pixel.0.floor());
            if !same {
                flush(&mut column, &mut out);
                if i == 0 && !out.is_empty() {
                    all.push(std::mem::take(&mut out));
                }
            }
            column.push(pixel);
        }
    }
    flush(&mut column, &mut out);
    if !out.is_empty() {
        all.push(out);
    }
    all
}

fn flush(column: &mut Vec<(f64, f64)>, out: &mut Vec<(f64, f64)>) {
    if column.len() <= 4 {
        out.append(column);
        return;
    }
    let by_height = |a: &usize, b: &usize| column[*a].1.total_cmp(&column[*b].1);
    let lowest = (0..column.len()).min_by(by_height).unwrap_or(0);
    let highest = (0..column.len()).max_by(by_height).unwrap_or(0);
    let mut kept = [0, lowest, highest, column.len() - 1];
    kept.sort_unstable();
    let mut before = None;
    for i in kept {
        if before != Some(i) {
            out.push(column[i]);
        }
        before = Some(i);
    }
    column.clear();
}

/// A number of a path: a tenth of a pixel is enough for any screen.
pub(super) fn number(text: &mut String, value: f64) {
    let tenths = (value * 10.0).round() / 10.0;
    // Writing to a text can't fail. Adding zero turns -0 into 0.
    let _ = write!(text, "{}", tenths + 0.0);
}

/// Lines through runs of pixels.
pub(super) fn line(runs: &[Vec<(f64, f64)>]) -> String {
    let mut text = String::new();
    for run in runs.iter().filter(|run| run.len() > 1) {
        for (i, (x, y)) in run.iter().enumerate() {
            text.push(if i == 0 { 'M' } else { 'L' });
            number(&mut text, *x);
            text.push(' ');
            number(&mut text, *y);
        }
    }
    text
}

/// The surface between runs of pixels and a floor.
pub(super) fn area(runs: &[Vec<(f64, f64)>], floor: f64) -> String {
    let mut text = String::new();
    for run in runs.iter().filter(|run| run.len() > 1) {
        text.push('M');
        number(&mut text, run[0].0);
        text.push(' ');
        number(&mut text, floor);
        for (x, y) in run {
            text.push('L');
            number(&mut text, *x);
            text.push(' ');
            number(&mut text, *y);
        }
        text.push('V');
        number(&mut text, floor);
        text.push('Z');
    }
    text
}

/// Bars on a floor: left edge, right edge and top in pixels, ascending. Of bars within one pixel column the highest
/// remains; a bar that is there at all is at least a pixel high and a pixel wide.
pub(super) fn bars(all: &[(f64, f64, f64)], floor: f64) -> String {
    let mut kept: Vec<(f64, f64, f64)> = Vec::new();
    for &(left, right, top) in all {
        let top = if top <= floor { top.min(floor - 1.0) } else { top.max(floor + 1.0) };
        match kept.last_mut() {
            Some(last) if last.0.floor() == left.floor() => {
                if (top - floor).abs() > (last.2 - floor).abs() {
                    last.2 = top;
                }
                last.1 = last.1.max(right);
            }
            _ => kept.push((left, right, top)),
        }
    }
    let mut text = String::new();
    for (left, right, top) in kept {
        // A hair of ground between two bars, where they are wide enough to spare it.
        let right = if right - left > 3.0 { right - 1.0 } else { right.max(left + 1.0) };
        text.push('M');
        number(&mut text, left);
        text.push(' ');
        number(&mut text, floor);
        for (command, value) in [('V', top), ('H', right), ('V', floor)] {
            text.push(command);
            number(&mut text, value);
        }
        text.push('Z');
    }
    text
}

/// Diagonal lines over a rectangle, so placed that those of neighbouring rectangles meet.
pub(super) fn hatching(rect: Rect) -> String {
    const APART: f64 = 8.0;
    let mut text = String::new();
    let (right, bottom) = (rect.x + rect.width, rect.y + rect.height);
    // The lines run from lower left to upper right: x + y is the same along each.
    let mut sum = ((rect.x + rect.y) / APART).ceil() * APART;
    while sum < right + bottom {
        let (from_x, to_x) = ((sum - bottom).max(rect.x), (sum - rect.y).min(right));
        if to_x > from_x {
            text.push('M');
            number(&mut text, from_x);
            text.push(' ');
            number(&mut text, sum - from_x);
            text.push('L');
            number(&mut text, to_x);
            text.push(' ');
            number(&mut text, sum - to_x);
        }
        sum += APART;
    }
    text
}
