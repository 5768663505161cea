//! From stored values to the points of a line: gaps, rates, quantiles, and fewer points. All of it pure.

use std::collections::BTreeMap;

use patchbay_contracts::Timestamp;

/// Values as they were stored, ascending in time.
pub type Stored = [(Timestamp, f64)];
/// Points of a line, ascending in time; `None` is a gap.
pub type Points = Vec<(Timestamp, Option<f64>)>;

/// The most points of a line.
pub const MAX_POINTS: usize = 2000;

/// So many intervals without a value make a gap.
const GAP_INTERVALS: i64 = 3;

/// The longest distance in milliseconds between two values that still belong together: three times the usual one.
///
/// The usual distance is the median, since the interval may have been another at another time, and since a series may
/// carry times of its own.
pub fn longest_step(stored: &Stored) -> i64 {
    let mut steps: Vec<i64> = stored.windows(2).map(|pair| pair[1].0 - pair[0].0).filter(|step| *step > 0).collect();
    if steps.is_empty() {
        return i64::MAX;
    }
    let middle = steps.len() / 2;
    steps.select_nth_unstable(middle).1.saturating_mul(GAP_INTERVALS)
}

/// The values themselves. A NaN is a gap, and so is a stretch without values.
pub fn values(stored: &Stored) -> Points {
    let longest = longest_step(stored);
    let mut points = Points::with_capacity(stored.len());
    for (i, (at, value)) in stored.iter().enumerate() {
        if i > 0 && at - stored[i - 1].0 > longest {
            points.push((stored[i - 1].0 + longest / GAP_INTERVALS, None));
        }
        points.push((*at, Some(*value).filter(|value| value.is_finite())));
    }
    points
}

/// What a counter grew by from each value to the next, at the time of the next.
///
/// A counter that is lower than before was reset and has since grown from zero to what it is: the rule of Prometheus's
/// `increase` (<https://prometheus.io/docs/prometheus/latest/querying/functions/#rate>), without its extrapolation,
/// which is for windows and not for neighbours. Across a gap there is no telling, so there it is `None`.
pub fn increases(stored: &Stored) -> Points {
    let longest = longest_step(stored);
    let step = |pair: &[(Timestamp, f64)]| {
        let ((before, low), (at, high)) = (pair[0], pair[1]);
        let grown = if high < low { high } else { high - low };
        (at, Some(grown).filter(|grown| at > before && at - before <= longest && grown.is_finite()))
    };
    stored.windows(2).map(step).collect()
}

/// What a counter grew by a second.
pub fn rates(stored: &Stored) -> Points {
    let spans = stored.windows(2).map(|pair| (pair[1].0 - pair[0].0) as f64 / 1e3);
    increases(stored).into_iter().zip(spans).map(|((at, grown), span)| (at, grown.map(|grown| grown / span))).collect()
}

/// Each value with its time, for histograms that count what is there now.
pub fn as_they_are(stored: &Stored) -> Points {
    stored.iter().map(|(at, value)| (*at, Some(*value).filter(|value| value.is_finite()))).collect()
}

/// Adds several lines up, time by time. A gap in one of them is a gap in the sum.
pub fn sum(lines: impl IntoIterator<Item = Points>) -> BTreeMap<Timestamp, Option<f64>> {
    let mut sums: BTreeMap<Timestamp, Option<f64>> = BTreeMap::new();
    for (at, value) in lines.into_iter().flatten() {
        let sum = sums.entry(at).or_insert(Some(0.0));
        *sum = sum.zip(value).map(|(sum, value)| sum + value);
    }
    sums
}

/// The quotient of two sums, time by time: `None` where one is missing or nothing was counted.
pub fn quotient(sum: &BTreeMap<Timestamp, Option<f64>>, count: &BTreeMap<Timestamp, Option<f64>>) -> Points {
    sum.iter()
        .filter_map(|(at, sum)| {
            let count = *count.get(at)?;
            Some((*at, sum.zip(count).filter(|(_, count)| *count > 0.0).map(|(sum, count)| sum / count)))
        })
        .collect()
}

/// A quantile at each time of a histogram, from what each of its buckets counted at that time.
///
/// `buckets` are upper bounds and lines of cumulative counts; bounds that stand several times are added up, as if
/// `sum by (le)` had been applied.
pub fn quantiles(q: f64, buckets: &[(f64, Points)]) -> Points {
    let mut moments: BTreeMap<Timestamp, Option<Vec<(f64, f64)>>> = BTreeMap::new();
    for (bound, line) in buckets {
        for (at, count) in line {
            let moment = moments.entry(*at).or_insert_with(|| Some(Vec::new()));
            match (moment.as_mut(), count) {
                (Some(counts), Some(count)) => counts.push((*bound, *count)),
                _ => *moment = None,
            }
        }
    }
    moments.into_iter().map(|(at, counts)| (at, counts.and_then(|counts| quantile(q, counts)))).collect()
}

/// The quantile `q` of one histogram by linear interpolation within the bucket that it falls into.
///
/// Prometheus's `histogram_quantile` for classic histograms, as
/// <https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile> describes it: the lowest bucket
/// begins at zero if its bound is above zero; a quantile in the highest bucket is the bound below it; counts that shrink
/// from bucket to bucket are lifted. `None` where that gives NaN: without observations, without the bucket `+Inf`, with
/// that bucket alone, or with `q` outside of 0 to 1.
pub fn quantile(q: f64, mut buckets: Vec<(f64, f64)>) -> Option<f64> {
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut merged: Vec<(f64, f64)> = Vec::with_capacity(buckets.len());
    for (bound, count) in buckets {
        match merged.last_mut() {
            Some(last) if last.0 == bound => last.1 += count,
            _ => merged.push((bound, count)),
        }
    }
    let mut highest = 0.0_f64;
    for (_, count) in &mut merged {
        highest = highest.max(*count);
        *count = highest;
    }
    let (last, all) = *merged.last()?;
    if last != f64::INFINITY || merged.len() < 2 || all <= 0.0 || !(0.0..=1.0).contains(&q) {
        return None;
    }
    let rank = q * all;
    let finite = &merged[..merged.len() - 1];
    let Some(i) = finite.iter().position(|(_, count)| *count >= rank) else {
        return finite.last().map(|(bound, _)| *bound);
    };
    let (end, count) = finite[i];
    let (start, before) = match i.checked_sub(1) {
        Some(below) => finite[below],
        None if end <= 0.0 => return Some(end),
        None => (0.0, 0.0),
    };
    if count <= before {
        return Some(start);
    }
    Some(start + (end - start) * ((rank - before) / (count - before)))
}

/// The same line in at most `most` points, which keeps the extremes of each stretch, its first point and its gaps.
pub fn thin(points: Points, most: usize) -> Points {
    if points.len() <= most {
        return points;
    }
    let stretch = points.len().div_ceil((most / 4).max(1));
    let mut thinned = Points::with_capacity(most);
    for part in points.chunks(stretch) {
        let by_value = |a: &&(Timestamp, Option<f64>), b: &&(Timestamp, Option<f64>)| {
            a.1.unwrap_or_default().total_cmp(&b.1.unwrap_or_default())
        };
        let present = || part.iter().filter(|(_, value)| value.is_some());
        let gap = part.iter().find(|(_, value)| value.is_none());
        let mut kept: Vec<_> =
            [part.first(), present().min_by(by_value), present().max_by(by_value), gap].into_iter().flatten().copied().collect();
        kept.sort_by_key(|(at, _)| *at);
        kept.dedup_by_key(|(at, _)| *at);
        thinned.extend(kept);
    }
    thinned
}

/// The line from `from` on, with gaps that follow each other made one, and none at either end.
pub fn tidy(points: Points, from: Timestamp) -> Points {
    let mut tidy = Points::with_capacity(points.len());
    for point in points.into_iter().filter(|(at, _)| *at >= from) {
        let gap_before = tidy.last().is_none_or(|(_, value): &(Timestamp, Option<f64>)| value.is_none());
        if point.1.is_some() || !gap_before {
            tidy.push(point);
        }
    }
    if tidy.last().is_some_and(|(_, value)| value.is_none()) {
        tidy.pop();
    }
    tidy
}
