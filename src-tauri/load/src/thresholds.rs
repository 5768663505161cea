//! What must hold at the end of a run: `METRIC OP VALUE`, such as `p95 < 500ms`, `errors < 0.1%` or `rate > 100/s`.
//!
//! A metric is a percentile of the latency (`p50`, `p99.9`, any number between 0 and 100), `med`, `mean` or `avg`, `min`,
//! `max`, the share of failures `errors`, the answers a second `rate`, or the number of requests sent `requests`. OP is one
//! of `<`, `<=`, `>`, `>=` and `==`. Latencies are written with their unit, `errors` in per cent, `rate` as a count over a
//! time, `requests` as a whole number.
//!
//! `create order: p95 < 500ms` is about one endpoint of several, and `errors < 1% over 10s` holds in each window of 10
//! seconds, one behind the other.
//!
//! A threshold is judged by the bounds between which its figure must lie, not by a single number: where it holds for one
//! bound and not for the other, the outcome is inconclusive.

use std::fmt;

use hdrhistogram::Histogram;
use patchbay_contracts::{
    Code, Problem,
    load::ThresholdResult,
    run::Verdict,
    units::{Rate, Share, Span},
};

use crate::figures::{Bounds, Figures};

/// A threshold that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    text: String,
    /// One endpoint's, by its place in the script.
    step: Option<usize>,
    /// It holds in each window of so long.
    over: Option<Span>,
    metric: Metric,
    op: Op,
    value: f64,
}

/// What is compared, with the unit of its value.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Metric {
    /// A latency in milliseconds at a quantile from 0 to 1.
    Quantile(f64),
    /// Milliseconds.
    Mean,
    /// Milliseconds.
    Min,
    /// Milliseconds.
    Max,
    /// From 0 to 1.
    Errors,
    /// Answers a second.
    Rate,
    /// Requests that were sent.
    Requests,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Op {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
}

/// The longer operators first, since the shorter ones are their beginnings.
const OPS: [(&str, Op); 5] = [("<=", Op::AtMost), (">=", Op::AtLeast), ("==", Op::Equal), ("<", Op::Less), (">", Op::More)];

/// All names that a metric may have, for the nearest one to a mistake.
const NAMES: [&str; 16] = [
    "p50", "p75", "p90", "p95", "p99", "p99.9", "p99.99", "mean", "avg", "med", "min", "max", "errors", "rate", "requests",
    "p99.5",
];

/// A threshold is a short line; anything longer is a mistake, and isn't echoed whole.
const LONGEST: usize = 300;

/// How far the histogram may be off, which is what `==` allows a latency.
const RESOLUTION: f64 = 1e-3;

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Reads a threshold.
///
/// # Errors
/// [`Code::InvalidInput`] with what was expected and, for a metric that doesn't exist, the nearest one that does.
pub fn parse(text: &str) -> Result<Threshold, Problem> {
    let (_, rest) = endpoint_of(text);
    parse_rest(text, rest)
}

/// Reads a threshold of a run with these endpoints.
///
/// # Errors
/// As for [`parse`], and for an endpoint that the run doesn't call.
pub fn parse_for(text: &str, endpoints: &[&str]) -> Result<Threshold, Problem> {
    let (endpoint, rest) = endpoint_of(text);
    let threshold = parse_rest(text, rest)?;
    let Some(endpoint) = endpoint else { return Ok(threshold) };
    let Some(step) = endpoints.iter().position(|known| *known == endpoint) else {
        let nearest = endpoints.iter().min_by_key(|known| strsim::damerau_levenshtein(known, endpoint));
        return Err(mistake(text, format!("the run calls no endpoint `{endpoint}`"))
            .next(nearest.map(|nearest| format!("Did you mean `{nearest}`?")).unwrap_or_default()));
    };
    // With one endpoint its figures are those of the run.
    Ok(Threshold { step: (endpoints.len() > 1).then_some(step), ..threshold })
}

/// The endpoint in front of a threshold, and the rest: `create order: p95 < 500ms`. The names of endpoints may hold colons,
/// and what follows the last of them never does.
fn endpoint_of(text: &str) -> (Option<&str>, &str) {
    match text.rsplit_once(": ") {
        Some((endpoint, rest)) if !endpoint.trim().is_empty() => (Some(endpoint.trim()), rest),
        _ => (None, text),
    }
}

fn parse_rest(whole: &str, text: &str) -> Result<Threshold, Problem> {
    let whole = whole.trim();
    let text = text.trim();
    if text.len() > LONGEST {
        let shown: String = text.chars().take(40).collect();
        return Err(mistake(&format!("{shown}…"), format!("it is longer than {LONGEST} characters")));
    }
    let Some(at) = text.find(['<', '>', '=', '!', '≤', '≥']) else {
        return Err(mistake(text, "there is no comparison in it; the operators are <, <=, >, >= and =="));
    };
    let (name, rest) = (text[..at].trim(), &text[at..]);
    let Some((sign, op)) = OPS.into_iter().find(|(sign, _)| rest.starts_with(sign)) else {
        let sign: String = rest.chars().take_while(|c| "<>=!≤≥".contains(*c)).collect();
        return Err(mistake(text, format!("`{sign}` is not an operator; those are <, <=, >, >= and ==")));
    };
    let metric = metric(name).map_err(|why| mistake(text, why))?;
    let (written, over) = match rest[sign.len()..].trim().split_once(" over ") {
        Some((value, over)) => (value.trim(), Some(window(over.trim()).map_err(|why| mistake(text, why))?)),
        None => (rest[sign.len()..].trim(), None),
    };
    let value = value(metric, written).map_err(|why| mistake(text, why))?;
    Ok(Threshold { text: whole.to_owned(), step: None, over, metric, op, value })
}

/// A window in whole seconds, since seconds are what a run is divided into.
fn window(text: &str) -> Result<Span, String> {
    let span: Span = text.parse().map_err(|bad: patchbay_contracts::units::BadQuantity| bad.to_string())?;
    if span.0.subsec_nanos() != 0 || !(1..=86_400).contains(&span.0.as_secs()) {
        return Err(format!("a window of {span} won't do; it is a whole number of seconds, from 1s to 24h"));
    }
    Ok(span)
}

fn mistake(text: &str, why: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidInput, format!("`{text}` is not a threshold"))
        .why(why)
        .next("Write METRIC OP VALUE, such as p95 < 500ms, errors < 0.1% or rate > 100/s")
}

fn metric(name: &str) -> Result<Metric, String> {
    match name {
        "" => return Err("the metric is missing in front of the operator".into()),
        "med" => return Ok(Metric::Quantile(0.5)),
        "mean" | "avg" => return Ok(Metric::Mean),
        "min" => return Ok(Metric::Min),
        "max" => return Ok(Metric::Max),
        "errors" => return Ok(Metric::Errors),
        "rate" => return Ok(Metric::Rate),
        "requests" => return Ok(Metric::Requests),
        _ => {}
    }
    if let Some(digits) = name.strip_prefix('p')
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
        && let Ok(percentile) = digits.parse::<f64>()
    {
        return if percentile > 0.0 && percentile < 100.0 {
            Ok(Metric::Quantile(percentile / 100.0))
        } else {
            Err(format!("`{name}` is no percentile: the number lies between 0 and 100; for the ends there are `min` and `max`"))
        };
    }
    let nearest = NAMES.into_iter().min_by_key(|known| strsim::damerau_levenshtein(known, &name.to_lowercase()));
    Err(format!("there is no metric `{name}`; did you mean `{}`?", nearest.unwrap_or("p95")))
}

/// The value in its metric's unit.
fn value(metric: Metric, text: &str) -> Result<f64, String> {
    if text.is_empty() {
        return Err("the value is missing after the operator".into());
    }
    match metric {
        Metric::Quantile(_) | Metric::Mean | Metric::Min | Metric::Max => {
            text.parse::<Span>().map(Span::as_ms).map_err(|bad| bad.to_string())
        }
        Metric::Errors if text == "0" => Ok(0.0),
        Metric::Errors => text.parse::<Share>().map(|share| share.0).map_err(|bad| bad.to_string()),
        Metric::Rate if !text.contains('/') => {
            Err(format!("`{text}` is not a rate; write a count over a time, such as 200/s, 100/min or 5000/h"))
        }
        Metric::Rate => text.parse::<Rate>().map(Rate::hertz).map_err(|bad| bad.to_string()),
        Metric::Requests => {
            text.parse::<u64>().map(|n| n as f64).map_err(|_| format!("`{text}` is not a whole number of requests"))
        }
    }
}

impl Threshold {
    /// The window in each of which it is to hold; nothing where it is about the run as a whole.
    pub const fn over(&self) -> Option<Span> {
        self.over
    }

    /// The place of the endpoint that it is about; nothing where it is about all of them.
    pub const fn step(&self) -> Option<usize> {
        self.step
    }

    /// Whether a breach before the end stays one: a count or a rate that isn't there yet may still come.
    pub const fn is_final(&self) -> bool {
        !(matches!(self.metric, Metric::Requests | Metric::Rate) && matches!(self.op, Op::More | Op::AtLeast | Op::Equal))
            || self.over.is_some()
    }

    /// Whether a generator that is late makes a breach of it.
    pub(crate) const fn suffers_from_delays(&self) -> bool {
        match self.op {
            Op::Less | Op::AtMost => self.is_latency(),
            Op::More | Op::AtLeast => matches!(self.metric, Metric::Rate | Metric::Requests),
            Op::Equal => !matches!(self.metric, Metric::Errors),
        }
    }

    /// Whether it is about how much there is in a time, so that a part of that time says nothing.
    pub(crate) const fn is_amount(&self) -> bool {
        matches!(self.metric, Metric::Rate | Metric::Requests)
    }

    /// Judges by what was measured; `with_waiting` is [`Figures::latency_with_waiting`].
    pub fn judge(&self, figures: &Figures, with_waiting: &Histogram<u64>) -> ThresholdResult {
        let result = |verdict, actual| ThresholdResult { text: self.text.clone(), verdict, actual };
        if self.is_latency() && with_waiting.is_empty() {
            return result(Verdict::Inconclusive, "nothing was answered".into());
        }
        let bounds = self.bounds(figures, with_waiting);
        let verdict = match (self.holds(bounds.low), self.holds(bounds.high)) {
            (true, true) => Verdict::Pass,
            // Equality can hold in between although it holds for neither bound.
            (false, false) if self.op == Op::Equal && bounds.low < self.value && self.value < bounds.high => {
                Verdict::Inconclusive
            }
            (false, false) => Verdict::Fail,
            _ => Verdict::Inconclusive,
        };
        let actual = self.shown(bounds);
        if let Metric::Quantile(quantile) = self.metric
            && verdict == Verdict::Pass
            && let Some(needed) = too_few(figures.samples(), quantile)
        {
            let few = format!("{actual}, but {} samples are too few; it takes {needed}", figures.samples());
            return result(Verdict::Inconclusive, few);
        }
        if verdict == Verdict::Pass && (figures.doubts.generator_late || figures.doubts.cancelled) {
            return result(Verdict::Inconclusive, actual);
        }
        result(verdict, actual)
    }

    const fn is_latency(&self) -> bool {
        matches!(self.metric, Metric::Quantile(_) | Metric::Mean | Metric::Min | Metric::Max)
    }

    fn bounds(&self, figures: &Figures, with_waiting: &Histogram<u64>) -> Bounds {
        match self.metric {
            Metric::Quantile(quantile) => figures.quantile_bounds(with_waiting, quantile),
            Metric::Mean => figures.mean_bounds(with_waiting),
            Metric::Min => figures.min_bounds(),
            Metric::Max => figures.max_bounds(with_waiting),
            Metric::Errors => figures.error_bounds(),
            Metric::Rate => figures.rate_bounds(),
            Metric::Requests => Bounds::exact(figures.sent as f64),
        }
    }

    fn holds(&self, actual: f64) -> bool {
        match self.op {
            Op::Less => actual < self.value,
            Op::AtMost => actual <= self.value,
            Op::More => actual > self.value,
            Op::AtLeast => actual >= self.value,
            Op::Equal if self.is_latency() => (actual - self.value).abs() <= self.value * RESOLUTION,
            Op::Equal => (actual - self.value).abs() <= f64::EPSILON,
        }
    }

    fn shown(&self, bounds: Bounds) -> String {
        let one = |value: f64| match self.metric {
            Metric::Errors => format!("{:.4}", value * 100.0).trim_end_matches('0').trim_end_matches('.').to_owned() + "%",
            Metric::Rate => format!("{value:.1}/s"),
            Metric::Requests => format!("{value}"),
            _ => milliseconds(value),
        };
        match bounds {
            Bounds { low, high } if low == high => one(low),
            Bounds { low, high } if high.is_infinite() => format!("at least {}", one(low)),
            Bounds { low: 0.0, high } => format!("at most {}", one(high)),
            Bounds { low, high } => format!("between {} and {}", one(low), one(high)),
        }
    }
}

/// How many samples a quantile needs where there are fewer: as many that one lies above it. With fewer it is the largest
/// sample under another name.
pub fn too_few(samples: u64, quantile: f64) -> Option<u64> {
    // The rounding takes back what the division by a hundred left behind in the quantile.
    let needed = (1.0 / (1.0 - quantile) * 1e6).round() / 1e6;
    (samples < needed.ceil() as u64).then_some(needed.ceil() as u64)
}

/// Milliseconds with three or so digits, in the unit that fits.
pub(crate) fn milliseconds(ms: f64) -> String {
    match ms {
        _ if ms >= 10_000.0 => format!("{:.1}s", ms / 1e3),
        _ if ms >= 1_000.0 => format!("{:.2}s", ms / 1e3),
        _ if ms >= 100.0 => format!("{ms:.0}ms"),
        _ if ms >= 10.0 => format!("{ms:.1}ms"),
        _ if ms >= 1.0 => format!("{ms:.2}ms"),
        _ => format!("{:.0}µs", ms * 1e3),
    }
}
