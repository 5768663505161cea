//! What OpenMetrics asks of the samples of a family, by its type. The rules are those of the sections "Metric Types" and
//! "Text format" of <https://prometheus.io/docs/specs/om/open_metrics_spec/>.

use std::collections::HashSet;

use patchbay_contracts::metrics::{Family, MetricKind, Sample};

use super::{
    document::series_mark,
    line::{Dialect, SampleLine, float},
};

/// What a sample's name may add to its family's.
pub(super) fn suffixes(kind: MetricKind) -> &'static [&'static str] {
    match kind {
        MetricKind::Counter => &["_total", "_created"],
        MetricKind::Histogram => &["_bucket", "_count", "_sum", "_created"],
        MetricKind::GaugeHistogram => &["_bucket", "_gcount", "_gsum"],
        MetricKind::Summary => &["", "_count", "_sum", "_created"],
        MetricKind::Info => &["_info"],
        MetricKind::Gauge | MetricKind::StateSet | MetricKind::Untyped => &[""],
    }
}

/// The samples of a family that share their labels, apart from the one that tells its parts from each other.
pub(super) struct Group {
    kind: MetricKind,
    /// The shared labels.
    pub key: String,
    /// The line of its first sample.
    pub line: u32,
    /// The time of the samples at hand; the outer `None` before the first.
    time: Option<Option<f64>>,
    /// Series that were seen without a time.
    seen: HashSet<u64>,
    point: Point,
    faults: Vec<String>,
}

/// What was seen of a histogram at one time.
#[derive(Default)]
struct Point {
    bound: Option<f64>,
    cumulated: f64,
    infinite: Option<f64>,
    count: Option<f64>,
    sum: Option<f64>,
    negative_bound: bool,
}

impl Group {
    /// The labels that the sample's group has in common.
    pub fn key(family: &Family, suffix: &str, sample: &Sample) -> String {
        let own = match (family.kind, suffix) {
            (MetricKind::Histogram | MetricKind::GaugeHistogram, "_bucket") => "le",
            (MetricKind::Summary, "") => "quantile",
            (MetricKind::StateSet, _) => family.name.as_str(),
            // Every label of an info is part of its value.
            (MetricKind::Info, _) => return String::new(),
            _ => "",
        };
        let mut shared: Vec<_> = sample.labels.iter().filter(|(name, _)| name != own).collect();
        shared.sort_unstable();
        shared.iter().fold(String::new(), |key, (name, value)| key + name + "\0" + value + "\0")
    }

    pub fn new(kind: MetricKind, key: String, line: u32) -> Self {
        Self { kind, key, line, time: None, seen: HashSet::new(), point: Point::default(), faults: Vec::new() }
    }

    /// Looks at the next sample of the group. Gives what is wrong with it.
    pub fn add(&mut self, family: &Family, suffix: &str, line: &SampleLine) -> Vec<String> {
        let mut faults = Vec::new();
        let sample = &line.sample;
        self.look_at_time(line, &mut faults);
        if line.time.is_none() && !self.seen.insert(series_mark(&sample.name, &sample.labels)) {
            faults.push(format!("`{}` is exposed twice with the same labels and without times", sample.name));
        }
        look_at_value(family.kind, suffix, sample, &mut faults);
        look_at_labels(family, suffix, sample, &mut faults);
        let may_have_exemplar = matches!(
            (family.kind, suffix),
            (MetricKind::Counter, "_total") | (MetricKind::Histogram | MetricKind::GaugeHistogram, "_bucket")
        );
        if sample.exemplar.is_some() && !may_have_exemplar {
            faults.push(format!("`{}` can't have an exemplar; only counters' totals and buckets can", sample.name));
        }
        if matches!(family.kind, MetricKind::Histogram | MetricKind::GaugeHistogram) {
            self.point.add(suffix, sample, &mut faults);
        }
        faults
    }

    fn look_at_time(&mut self, line: &SampleLine, faults: &mut Vec<String>) {
        let Some(before) = self.time.replace(line.time) else { return };
        match (before, line.time) {
            (None, Some(_)) | (Some(_), None) => {
                faults.push("Some samples with these labels have a time and others have none".to_owned());
            }
            (Some(before), Some(now)) => {
                if now < before && self.kind != MetricKind::Info {
                    faults.push("The times of samples with the same labels go backwards".to_owned());
                }
                if now != before {
                    let point = std::mem::take(&mut self.point);
                    self.faults.extend(point.end(self.kind));
                }
            }
            (None, None) => {}
        }
    }

    /// What is wrong with the group as a whole.
    pub fn end(&self) -> Vec<String> {
        self.faults.iter().cloned().chain(self.point.end(self.kind)).collect()
    }
}

impl Point {
    fn add(&mut self, suffix: &str, sample: &Sample, faults: &mut Vec<String>) {
        match suffix {
            "_bucket" => self.add_bucket(sample, faults),
            "_count" | "_gcount" => self.count = Some(sample.value),
            "_sum" | "_gsum" => self.sum = Some(sample.value),
            _ => {}
        }
    }

    fn add_bucket(&mut self, sample: &Sample, faults: &mut Vec<String>) {
        // A bound that is missing or no number is reported with the labels.
        let Some(bound) = label(sample, "le").and_then(|le| float(Dialect::OpenMetrics, le)) else { return };
        if self.bound.is_some_and(|before| bound <= before) {
            faults.push(format!("The bucket up to {bound} stands after the one up to {}", self.bound.unwrap_or_default()));
        }
        if sample.value < self.cumulated {
            faults.push(format!("The bucket up to {bound} holds less than the one before; buckets are cumulative"));
        }
        self.bound = Some(bound);
        self.cumulated = sample.value;
        self.negative_bound |= bound < 0.0;
        if bound == f64::INFINITY {
            self.infinite = Some(sample.value);
        }
    }

    fn end(&self, kind: MetricKind) -> Vec<String> {
        let mut faults = Vec::new();
        if self.bound.is_none() && self.count.is_none() && self.sum.is_none() {
            return faults;
        }
        let gauge = kind == MetricKind::GaugeHistogram;
        match self.infinite {
            None => faults.push("The histogram has no bucket with `le=\"+Inf\"`".to_owned()),
            Some(all) if self.count.is_some_and(|count| count != all) => {
                faults.push("The histogram's count is not that of its bucket `+Inf`".to_owned());
            }
            Some(_) => {}
        }
        if self.sum.is_some() && self.count.is_none() {
            faults.push("The histogram has a sum and no count".to_owned());
        }
        if !gauge && self.negative_bound && self.sum.is_some() {
            faults.push("A histogram with negative bounds can't have a sum, which would not be a counter".to_owned());
        }
        if gauge && !self.negative_bound && self.sum.is_some_and(|sum| sum < 0.0) {
            faults.push("The histogram's sum is negative and none of its bounds is".to_owned());
        }
        faults
    }
}

fn label<'s>(sample: &'s Sample, name: &str) -> Option<&'s str> {
    sample.labels.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_str())
}

fn look_at_value(kind: MetricKind, suffix: &str, sample: &Sample, faults: &mut Vec<String>) {
    let value = sample.value;
    let counts = match kind {
        MetricKind::Counter => suffix == "_total",
        MetricKind::Histogram => suffix != "_created",
        MetricKind::GaugeHistogram => matches!(suffix, "_bucket" | "_gcount"),
        MetricKind::Summary => matches!(suffix, "_count" | "_sum"),
        _ => false,
    };
    if counts && (value.is_nan() || value < 0.0) {
        faults.push(format!("`{}` is {value}; what only grows is never NaN nor below zero", sample.name));
    }
    match kind {
        MetricKind::GaugeHistogram if suffix == "_gsum" && value.is_nan() => {
            faults.push(format!("`{}` is NaN, which a sum can't be", sample.name));
        }
        MetricKind::Summary if suffix.is_empty() && value < 0.0 => {
            faults.push(format!("`{}` is {value}; a summary's quantile is never below zero", sample.name));
        }
        MetricKind::Info if value != 1.0 => faults.push(format!("`{}` is {value}; an info is always 1", sample.name)),
        MetricKind::StateSet if value != 0.0 && value != 1.0 => {
            faults.push(format!("`{}` is {value}; a state is 0 or 1", sample.name));
        }
        _ => {}
    }
}

fn look_at_labels(family: &Family, suffix: &str, sample: &Sample, faults: &mut Vec<String>) {
    let name = &sample.name;
    match (family.kind, suffix) {
        (MetricKind::Histogram | MetricKind::GaugeHistogram, "_bucket") => match label(sample, "le") {
            None => faults.push(format!("`{name}` has no label `le`, the bucket's upper bound")),
            Some(le) if float(Dialect::OpenMetrics, le).is_none_or(f64::is_nan) => {
                faults.push(format!("The bound `le=\"{le}\"` is not a number"));
            }
            Some(_) => {}
        },
        (MetricKind::Summary, "") => match label(sample, "quantile") {
            None => faults.push(format!("`{name}` has no label `quantile`")),
            Some(q) if !float(Dialect::OpenMetrics, q).is_some_and(|q| (0.0..=1.0).contains(&q)) => {
                faults.push(format!("The quantile `{q}` is not a number from 0 to 1"));
            }
            Some(_) => {}
        },
        (MetricKind::StateSet, _) if label(sample, &family.name).is_none() => {
            faults.push(format!("`{name}` has no label `{}`, which names the state", family.name));
        }
        _ => {}
    }
}
