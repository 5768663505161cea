//! Thresholds in k6's grammar, and their outcome in k6's summary.

use patchbay_contracts::{
    Code, Problem,
    integration::LoadSpec,
    units::{Rate, Share, Span},
};
use patchbay_load::thresholds;

use crate::Result;

/// The share of requests that were not as the plan expects, checks included; a metric of our own.
pub(super) const FAILED: &str = "requests_failed";

/// An endpoint of a script, for thresholds that are about one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject {
    /// As thresholds name it.
    pub(super) name: String,
    /// As k6's tag has it.
    pub(super) tag: String,
    /// Whether more than its status is judged.
    pub(super) judges: bool,
}

/// What thresholds of a run depend on.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) subjects: Vec<Subject>,
    /// Whether there are requests beside those that are measured: a warm-up, a setup, a teardown.
    pub(super) phased: bool,
    /// The measured time in seconds, where it is known before the run.
    pub(super) measured: Option<f64>,
    /// Iterations that are due; open workloads only.
    pub(super) arrivals: Option<f64>,
    /// How many instances of k6 share the load and judge each for itself.
    pub(super) instances: u32,
    /// After so long a threshold that can't be held ends the run.
    pub(super) abort_after: Option<Span>,
}

/// A threshold of a plan, and what it is in k6.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mapped {
    /// As it was written.
    pub(super) text: String,
    /// All of these must hold; none where k6 has no word for it.
    pub(super) parts: Vec<Part>,
}

/// One threshold of k6.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    /// Such as `http_req_duration{endpoint:create order}`.
    pub(super) metric: String,
    /// Such as `p(95)`.
    pub(super) aggregate: String,
    /// Such as `p(95)<500`.
    pub(super) expression: String,
    /// Whether a breach before the end stays one, and ends the run.
    pub(super) abort: bool,
    /// The quantile from 0 to 1 that it is about.
    pub(super) quantile: Option<f64>,
}

impl Frame {
    /// A metric of the measured requests, or of one endpoint's.
    pub(super) fn metric(&self, name: &str, tag: Option<&str>) -> String {
        let mut tags: Vec<String> = tag.map(|tag| format!("endpoint:{tag}")).into_iter().collect();
        if self.phased {
            tags.push("phase:load".to_owned());
        }
        if tags.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", tags.join(",")) }
    }
}

/// The thresholds of a plan, each with a note where k6 can't hold it as it stands.
///
/// # Errors
/// [`Code::InvalidInput`] for one that can't be read, or that is about an endpoint which isn't called.
pub(super) fn map(spec: &LoadSpec, frame: &Frame, notes: &mut Vec<String>) -> Result<Vec<Mapped>> {
    let names: Vec<&str> = frame.subjects.iter().map(|subject| subject.name.as_str()).collect();
    spec.thresholds
        .iter()
        .map(|text| {
            let threshold = thresholds::parse_for(text, &names)?;
            let parts = if threshold.over().is_some() {
                notes.push(format!(
                    "The threshold `{}` is left out: k6 has none that hold in each window of a time.",
                    text.trim()
                ));
                Vec::new()
            } else {
                let subject = threshold.step().and_then(|step| frame.subjects.get(step));
                one(text, threshold.is_final(), subject, frame, notes)?
            };
            Ok(Mapped { text: text.trim().to_owned(), parts })
        })
        .collect()
}

fn one(text: &str, is_final: bool, subject: Option<&Subject>, frame: &Frame, notes: &mut Vec<String>) -> Result<Vec<Part>> {
    // It was understood just now, so these are there.
    let broken = || Problem::new(Code::InvalidInput, format!("`{text}` is not a threshold"));
    let rest = text.rsplit_once(": ").map_or(text, |(_, rest)| rest);
    let at = rest.find(['<', '>', '=']).ok_or_else(broken)?;
    let (name, after) = (rest[..at].trim(), &rest[at..]);
    let sign = ["<=", ">=", "==", "<", ">"].into_iter().find(|sign| after.starts_with(sign)).ok_or_else(broken)?;
    let value = after[sign.len()..].trim();
    let tag = subject.map(|subject| subject.tag.as_str());
    let abort = frame.abort_after.is_some() && is_final;
    let part = |metric: String, aggregate: &str, value: f64| Part {
        metric,
        aggregate: aggregate.to_owned(),
        expression: format!("{aggregate}{sign}{value}"),
        abort,
        quantile: None,
    };
    let requests = || frame.metric("http_reqs", tag);
    let instances = f64::from(frame.instances);
    Ok(match name {
        "errors" => {
            let share = if value == "0" { 0.0 } else { value.parse::<Share>().map_err(|_| broken())?.0 };
            let judges = subject.map_or_else(|| frame.subjects.iter().any(|one| one.judges), |one| one.judges);
            let mut parts = vec![part(frame.metric("http_req_failed", tag), "rate", share)];
            if judges {
                parts.push(part(frame.metric(FAILED, tag), "rate", share));
            }
            // An arrival that found no user free is a failure as well; it belongs to no endpoint.
            if let (Some(arrivals), None, "<" | "<=") = (frame.arrivals, subject, sign) {
                let most = arrivals * share / instances;
                let (sign, most) = if most > 0.0 { (sign, most) } else { ("<=", 0.0) };
                parts.push(Part {
                    expression: format!("count{sign}{most}"),
                    ..part("dropped_iterations".to_owned(), "count", most)
                });
            }
            parts
        }
        "requests" => vec![part(requests(), "count", value.parse::<f64>().map_err(|_| broken())? / instances)],
        "rate" => {
            let hertz = value.parse::<Rate>().map_err(|_| broken())?.hertz() / instances;
            if !frame.phased {
                vec![part(requests(), "rate", hertz)]
            } else if let Some(seconds) = frame.measured {
                // k6 divides by the time of the whole run, so the requests that are measured are counted.
                vec![part(requests(), "count", hertz * seconds)]
            } else {
                notes.push(format!(
                    "The threshold `{}` is left out: k6 divides by the time of the whole run, and how long the measured part \
                     of it takes isn't known before.",
                    text.trim()
                ));
                Vec::new()
            }
        }
        _ => {
            let ms = value.parse::<Span>().map_err(|_| broken())?.as_ms();
            let (aggregate, quantile) = match name {
                "med" => ("med".to_owned(), Some(0.5)),
                "mean" | "avg" => ("avg".to_owned(), None),
                "min" | "max" => (name.to_owned(), None),
                _ => {
                    let percentile: f64 = name.trim_start_matches('p').parse().map_err(|_| broken())?;
                    (format!("p({percentile})"), Some(percentile / 100.0))
                }
            };
            vec![Part { quantile, ..part(frame.metric("http_req_duration", tag), &aggregate, ms) }]
        }
    })
}
