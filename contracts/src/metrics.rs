//! Metrics that a service exposes in Prometheus's text format.

use serde::{Deserialize, Serialize};

use crate::{Problem, Timestamp};

/// What kind of metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are the format's own")]
pub enum MetricKind {
    Counter,
    Gauge,
    Histogram,
    GaugeHistogram,
    Summary,
    Info,
    StateSet,
    #[default]
    Untyped,
}

/// One scrape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScrapeReport {
    /// The integration, the address or the file.
    pub source: String,
    /// When.
    pub at: Timestamp,
    /// How long it took, for an address.
    #[serde(default)]
    pub duration_ms: Option<f64>,
    /// Bytes that came.
    pub bytes: u64,
    /// Families in the order in which they came.
    pub families: Vec<Family>,
    /// Samples in all.
    pub samples: u64,
    /// Lines that could not be read, each with its place. Nothing is dropped in silence.
    pub problems: Vec<Problem>,
}

/// Metrics under one name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Family {
    /// The name.
    pub name: String,
    /// The kind.
    pub kind: MetricKind,
    /// The help text.
    #[serde(default)]
    pub help: String,
    /// The unit, where it was given.
    #[serde(default)]
    pub unit: String,
    /// The samples.
    pub samples: Vec<Sample>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Sample {
    /// The whole name, suffix included: `http_requests_total`, `latency_bucket`.
    pub name: String,
    /// The labels in the order in which they came.
    pub labels: Vec<(String, String)>,
    /// The value.
    #[serde(with = "any_float")]
    pub value: f64,
    /// The time that the service gave, in milliseconds.
    #[serde(default)]
    pub timestamp: Option<Timestamp>,
    /// The exemplar: its labels, value and time.
    #[serde(default)]
    pub exemplar: Option<Exemplar>,
}

/// A trace behind a value.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Exemplar {
    /// Its labels.
    pub labels: Vec<(String, String)>,
    /// Its value.
    #[serde(with = "any_float")]
    pub value: f64,
    /// Its time in milliseconds.
    #[serde(default)]
    pub timestamp: Option<Timestamp>,
}

/// A stored series, without its values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesInfo {
    /// The name.
    pub name: String,
    /// The family that it belongs to.
    pub family: String,
    /// The kind of the family.
    pub kind: MetricKind,
    /// The labels, sorted by name.
    pub labels: Vec<(String, String)>,
    /// The help text of the family.
    #[serde(default)]
    pub help: String,
    /// The newest value.
    #[serde(with = "any_float")]
    pub last: f64,
    /// Its time.
    pub last_at: Timestamp,
}

/// How stored values become a line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "as")]
pub enum Shape {
    /// As they were stored.
    Value,
    /// Increase a second, counter resets accounted for.
    Rate,
    /// A quantile (0 to 1) of a histogram's increase.
    Quantile {
        /// Which.
        q: f64,
    },
    /// What suits the kind: values for gauges, rates for counters, p50, p95 and p99 for histograms.
    Auto,
}

/// What to draw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesQuery {
    /// The integration.
    pub integration: String,
    /// The name of the series, or of the family for a histogram.
    pub name: String,
    /// Labels that must be equal.
    #[serde(default)]
    pub labels: Vec<(String, String)>,
    /// How.
    pub shape: Shape,
    /// From.
    pub from: Timestamp,
    /// Until.
    pub to: Timestamp,
}

/// A line to draw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What it is called in the legend.
    pub label: String,
    /// The unit of its values: `s`, `bytes`, `/s`, or empty.
    pub unit: String,
    /// Times and values, ascending in time; `None` is a gap.
    pub points: Vec<(Timestamp, Option<f64>)>,
}

/// Floats in JSON with NaN and the infinities, which JSON lacks, as Prometheus writes them: `"NaN"`, `"+Inf"`, `"-Inf"`.
pub mod any_float {
    use serde::{Deserialize, Deserializer, Serializer, de};

    /// Writes a number, or one of the three words.
    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() {
            serializer.serialize_f64(*value)
        } else {
            serializer.serialize_str(if value.is_nan() {
                "NaN"
            } else if *value > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            })
        }
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Word(String),
    }

    /// Reads a number or one of the three words.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(value) => Ok(value),
            Written::Word(word) => match word.as_str() {
                "NaN" => Ok(f64::NAN),
                "+Inf" => Ok(f64::INFINITY),
                "-Inf" => Ok(f64::NEG_INFINITY),
                _ => Err(de::Error::custom("expected a number, NaN, +Inf or -Inf")),
            },
        }
    }
}
