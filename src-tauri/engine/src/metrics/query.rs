//! From stored series to the lines of a chart.

use patchbay_contracts::{
    Code, Problem, Timestamp,
    metrics::{Line, MetricKind, SeriesInfo, SeriesQuery, Shape},
};

use super::{
    legend::{self, Labels},
    lines::{self, MAX_POINTS, Points},
};
use crate::{Result, store::Store, utils::nearest};

/// The most lines of a chart. What is left out is said by a last line without points.
pub const MAX_DRAWN: usize = 20;

/// How far before the range values are read, so that a rate has its first neighbour: in milliseconds.
const LOOK_BACK: i64 = 5 * 60 * 1000;

/// One series as it is stored: its labels and its values.
struct Series {
    labels: Labels,
    values: Vec<(Timestamp, f64)>,
}

/// Lines to draw, the largest last value first.
///
/// `Auto` takes the value of a gauge, the rate of a counter, p50, p95, p99 and the average of a histogram over all its
/// label sets together, and the quantiles that a summary has. `Quantile` gives one line for each label set. At most
/// [`MAX_DRAWN`] lines come; where there are more, a last line without points says how many. Each has at most
/// [`MAX_POINTS`] points, thinned so that extremes stay.
///
/// # Errors
/// [`Code::NotFound`] where nothing by that name is stored, [`Code::InvalidInput`] where the shape doesn't suit it, and
/// what the store says.
pub async fn query(store: &Store, query: &SeriesQuery) -> Result<Vec<Line>> {
    if query.from >= query.to {
        return Err(Problem::new(Code::InvalidInput, "The range ends before it begins"));
    }
    let infos = store.series(&query.integration).await?;
    let of_family = |info: &&SeriesInfo| info.family == query.name;
    let exact = infos.iter().find(|info| info.name == query.name);
    let Some(found) = infos.iter().find(of_family).or(exact) else {
        return Err(not_found(query, &infos));
    };
    // A summary's own name is that of its quantiles as well as of its family; so is a gauge's.
    let whole_family = found.family == query.name;
    let reader = Reader { store, query };
    let histogram = matches!(found.kind, MetricKind::Histogram | MetricKind::GaugeHistogram);
    match query.shape {
        Shape::Auto if whole_family && histogram => reader.histogram(found.kind, &[0.5, 0.95, 0.99], true).await,
        Shape::Auto if whole_family && found.kind == MetricKind::Summary => reader.summary().await,
        Shape::Auto => match sample_kind(found, exact.is_some(), query) {
            (name, true) => reader.rates(&name).await,
            (name, false) => reader.values(&name).await,
        },
        Shape::Quantile { q } if !(0.0..=1.0).contains(&q) => {
            Err(Problem::new(Code::InvalidInput, format!("{q} is no quantile")).next("Write one from 0 to 1, such as 0.95"))
        }
        Shape::Quantile { q } if whole_family && histogram => reader.histogram(found.kind, &[q], false).await,
        Shape::Quantile { .. } => {
            Err(Problem::new(Code::InvalidInput, format!("`{}` is not a histogram, so it has no quantiles", query.name)))
        }
        Shape::Value => reader.values(&series_name(found, exact.is_some(), query)).await,
        Shape::Rate => reader.rates(&series_name(found, exact.is_some(), query)).await,
    }
}

fn not_found(query: &SeriesQuery, infos: &[SeriesInfo]) -> Problem {
    let names = infos.iter().flat_map(|info| [info.name.as_str(), info.family.as_str()]);
    let problem = Problem::new(Code::NotFound, format!("No metric `{}` of `{}` is stored", query.name, query.integration));
    match nearest(&query.name, names) {
        Some(near) => problem.next(format!("Did you mean `{near}`?")),
        None if infos.is_empty() => problem.next("Give the integration a `metrics` section, or scrape it once"),
        None => problem,
    }
}

/// The series that stands for a family: itself, a counter's total, a histogram's count.
fn series_name(found: &SeriesInfo, exact: bool, query: &SeriesQuery) -> String {
    match found.kind {
        _ if exact => query.name.clone(),
        MetricKind::Counter => format!("{}_total", query.name),
        MetricKind::Histogram => format!("{}_count", query.name),
        MetricKind::GaugeHistogram => format!("{}_gcount", query.name),
        MetricKind::Info => format!("{}_info", query.name),
        _ => found.name.clone(),
    }
}

/// The series to draw, and whether it only grows.
fn sample_kind(found: &SeriesInfo, exact: bool, query: &SeriesQuery) -> (String, bool) {
    let name = series_name(found, exact, query);
    let grows = match found.kind {
        MetricKind::Counter => !name.ends_with("_created"),
        MetricKind::Histogram | MetricKind::Summary => ["_bucket", "_count", "_sum"].iter().any(|end| name.ends_with(end)),
        _ => false,
    };
    (name, grows)
}

struct Reader<'a> {
    store: &'a Store,
    query: &'a SeriesQuery,
}

impl Reader<'_> {
    async fn load(&self, name: &str) -> Result<Vec<Series>> {
        let query = self.query;
        let from = query.from.saturating_sub(LOOK_BACK);
        let stored = self.store.points(&query.integration, name, &query.labels, from, query.to).await?;
        Ok(stored.into_iter().map(|(key, values)| Series { labels: key.labels, values }).collect())
    }

    async fn values(&self, name: &str) -> Result<Vec<Line>> {
        let lines = self.load(name).await?.into_iter().map(|series| (series.labels, lines::values(&series.values)));
        Ok(self.finish(name, legend::unit(name), lines.collect()))
    }

    async fn rates(&self, name: &str) -> Result<Vec<Line>> {
        let lines = self.load(name).await?.into_iter().map(|series| (series.labels, lines::rates(&series.values)));
        Ok(self.finish(name, &legend::rate_unit(name), lines.collect()))
    }

    /// A summary's quantiles as the service gives them, and its average.
    async fn summary(&self) -> Result<Vec<Line>> {
        let name = &self.query.name;
        let quantiles = self.load(name).await?.into_iter().map(|series| (series.labels, lines::values(&series.values)));
        let mut lines = self.finish(name, legend::unit(name), quantiles.collect());
        lines.extend(self.average("_sum", "_count").await?);
        Ok(lines)
    }

    /// The quantiles of a histogram: of all label sets together, or of each.
    async fn histogram(&self, kind: MetricKind, quantiles: &[f64], together: bool) -> Result<Vec<Line>> {
        let name = &self.query.name;
        let gauge = kind == MetricKind::GaugeHistogram;
        let mut sets: Vec<(Labels, Vec<(f64, Points)>)> = Vec::new();
        for mut series in self.load(&format!("{name}_bucket")).await? {
            let Some(at) = series.labels.iter().position(|(label, _)| label == "le") else { continue };
            let Ok(bound) = series.labels.remove(at).1.parse::<f64>() else { continue };
            let line = if gauge { lines::as_they_are(&series.values) } else { lines::increases(&series.values) };
            let labels = if together { Labels::new() } else { series.labels };
            match sets.iter_mut().find(|(set, _)| *set == labels) {
                Some((_, buckets)) => buckets.push((bound, line)),
                None => sets.push((labels, vec![(bound, line)])),
            }
        }
        let mut all = Vec::new();
        for q in quantiles {
            let of_sets = sets.iter().map(|(labels, buckets)| (labels.clone(), lines::quantiles(*q, buckets)));
            let mut lines = self.finish(name, legend::unit(name), of_sets.collect());
            for line in lines.iter_mut().filter(|line| !line.points.is_empty()) {
                let quantile = quantile_name(*q);
                line.label = if together || line.label == *name { quantile } else { format!("{quantile} {}", line.label) };
            }
            all.extend(lines);
        }
        if together && !gauge {
            all.extend(self.average("_sum", "_count").await?);
        }
        Ok(all)
    }

    /// What one observation was on average, over all label sets together.
    async fn average(&self, sum: &str, count: &str) -> Result<Option<Line>> {
        let name = &self.query.name;
        let grown = |series: Vec<Series>| lines::sum(series.iter().map(|series| lines::increases(&series.values)));
        let sums = grown(self.load(&format!("{name}{sum}")).await?);
        let counts = grown(self.load(&format!("{name}{count}")).await?);
        let points = self.drawn(lines::quotient(&sums, &counts));
        Ok((!points.is_empty()).then(|| Line { label: "average".to_owned(), unit: legend::unit(name).to_owned(), points }))
    }

    /// Names the lines by the labels in which they differ, and keeps the largest.
    fn finish(&self, name: &str, unit: &str, lines: Vec<(Labels, Points)>) -> Vec<Line> {
        let mut lines: Vec<(Labels, Points)> = lines
            .into_iter()
            .map(|(labels, points)| (labels, self.drawn(points)))
            .filter(|(_, points)| !points.is_empty())
            .collect();
        let last = |points: &Points| points.iter().rev().find_map(|(_, value)| *value).unwrap_or(f64::NEG_INFINITY);
        lines.sort_by(|a, b| last(&b.1).total_cmp(&last(&a.1)).then_with(|| a.0.cmp(&b.0)));
        let left_out = lines.len().saturating_sub(MAX_DRAWN);
        lines.truncate(MAX_DRAWN);
        let (labels, points): (Vec<Labels>, Vec<Points>) = lines.into_iter().unzip();
        let names = legend::differences(&labels);
        let mut lines: Vec<Line> = names
            .into_iter()
            .zip(points)
            .map(|(label, points)| Line {
                label: if label.is_empty() { name.to_owned() } else { label },
                unit: unit.to_owned(),
                points,
            })
            .collect();
        if left_out > 0 {
            let label = format!("{left_out} more, whose last values are smaller");
            lines.push(Line { label, unit: unit.to_owned(), points: Vec::new() });
        }
        lines
    }

    fn drawn(&self, points: Points) -> Points {
        lines::thin(lines::tidy(points, self.query.from), MAX_POINTS)
    }
}

/// `p95`, `p99.9`.
fn quantile_name(q: f64) -> String {
    // Six decimals hide what the multiplication left behind.
    let text = format!("{:.6}", q * 100.0);
    format!("p{}", text.trim_end_matches('0').trim_end_matches('.'))
}
