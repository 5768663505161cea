//! k6's summary as a load report. What k6 doesn't tell stays empty, and a note says so.
//!
//! Two forms are read: what the script of ours writes (the data of k6's `handleSummary`), and what k6 itself writes with
//! `--summary-export`, in which a threshold has `true` where it was broken.

use patchbay_contracts::{
    Code, Problem, Timestamp,
    integration::LoadSpec,
    load::{EndpointLoad, LoadError, LoadReport, Quantiles, ThresholdResult},
    run::Verdict,
};
use patchbay_load::thresholds::too_few;
use serde_json::{Map, Value};

use super::{
    Source,
    script::{self, unanswered},
    thresholds::{FAILED, Frame, Mapped, Part},
};
use crate::Result;

/// The largest summary that is read, in bytes.
pub const LARGEST_SUMMARY: u64 = 16 << 20;
/// A summary is flat, so what is deep is none.
const DEEPEST: usize = 64;

/// Reads a summary of a run of `spec`, or of the plan that the summary itself names. `now` is taken for its end where it
/// doesn't say when that was.
///
/// # Errors
/// [`Code::InvalidInput`] for a text that is no summary of k6's, or is another integration's; what
/// [`export`](super::export) says of the plan.
pub async fn read(source: Source<'_>, spec: &LoadSpec, text: &str, now: Timestamp) -> Result<LoadReport> {
    let summary: Value = serde_json::from_str(text).map_err(|error| none(format!("it isn't JSON: {error}")))?;
    if depth(&summary) > DEEPEST {
        return Err(none("it is nested too deep".to_owned()));
    }
    let metrics = summary["metrics"].as_object().ok_or_else(|| none("it has no metrics".to_owned()))?;
    let figures = Figures { metrics };
    if !figures.has("http_reqs") {
        return Err(none("it has no http_reqs, so no request was sent by HTTP".to_owned()));
    }
    let origin = &summary["patchbay"];
    if let Some(other) = origin["integration"].as_str().filter(|name| *name != source.definition.name) {
        return Err(Problem::new(Code::InvalidInput, format!("The summary is not of `{}`", source.definition.name))
            .why(format!("the script that wrote it was made from `{}`", other.chars().take(100).collect::<String>())));
    }
    let own: Option<LoadSpec> = serde_json::from_value(origin["spec"].clone()).ok();
    let instances = origin["instances"].as_u64().and_then(|count| u32::try_from(count).ok()).unwrap_or(1).max(1);
    let made = script::make(source, own.as_ref().unwrap_or(spec), instances).await?;
    let ended = origin["ended"].as_i64().unwrap_or(now);
    let whole_ms = summary["state"]["testRunDurationMs"].as_f64().or_else(|| {
        let (count, rate) = (figures.value("http_reqs", "count")?, figures.value("http_reqs", "rate")?);
        (rate > 0.0).then(|| count / rate * 1e3)
    });
    let whole_ms = whole_ms.filter(|ms| ms.is_finite() && *ms >= 0.0).unwrap_or_default();
    let mut report = LoadReport::new(source.definition.name.clone(), made.shown.clone(), made.spec.clone());
    report.at = ended.saturating_sub(whole_ms as i64).max(0);
    fill(&mut report, &figures, &made.frame, whole_ms);
    report.thresholds = made.mapped.iter().map(|one| judge(one, &figures)).collect();
    let verdicts = report.thresholds.iter().map(|one| one.verdict);
    report.verdict = if report.totals.sent == 0 { Verdict::Inconclusive } else { Verdict::of(verdicts) };
    notes(&mut report, &figures, own.is_some(), instances);
    Ok(report)
}

fn none(why: String) -> Problem {
    Problem::new(Code::InvalidInput, "That is no summary of k6's")
        .why(why)
        .next("Give the file that the exported script wrote, or that k6 wrote with --summary-export")
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(all) => 1 + all.iter().map(depth).max().unwrap_or(0),
        Value::Object(all) => 1 + all.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// The metrics of a summary, in either form.
struct Figures<'a> {
    metrics: &'a Map<String, Value>,
}

impl Figures<'_> {
    fn has(&self, metric: &str) -> bool {
        self.metrics.contains_key(metric)
    }

    /// A figure that is a number from 0 on.
    fn value(&self, metric: &str, name: &str) -> Option<f64> {
        let metric = self.metrics.get(metric)?;
        let values = metric.get("values").unwrap_or(metric);
        // In one form a rate has the name `rate`, in the other `value`.
        let value = values.get(name).or_else(|| values.get("value").filter(|_| name == "rate"))?;
        value.as_f64().filter(|value| value.is_finite() && *value >= 0.0)
    }

    fn count(&self, metric: &str) -> u64 {
        self.value(metric, "count").unwrap_or_default() as u64
    }

    /// How often a rate was true.
    fn hits(&self, metric: &str) -> Option<u64> {
        self.value(metric, "passes").map(|passes| passes as u64)
    }

    /// Whether a threshold held; nothing where the summary hasn't it.
    fn held(&self, part: &Part) -> Option<bool> {
        match self.metrics.get(&part.metric)?.get("thresholds")?.get(&part.expression)? {
            // k6's own export says whether it was broken.
            Value::Bool(broken) => Some(!broken),
            outcome => outcome.get("ok")?.as_bool(),
        }
    }

    fn trend(&self, metric: &str) -> Quantiles {
        let of = |names: &[&str]| names.iter().find_map(|name| self.value(metric, name)).unwrap_or_default();
        Quantiles {
            count: self.count(metric),
            min_ms: of(&["min"]),
            mean_ms: of(&["avg"]),
            p50_ms: of(&["p(50)", "med"]),
            p75_ms: of(&["p(75)"]),
            p90_ms: of(&["p(90)"]),
            p95_ms: of(&["p(95)"]),
            p99_ms: of(&["p(99)"]),
            p999_ms: of(&["p(99.9)"]),
            p9999_ms: of(&["p(99.99)"]),
            max_ms: of(&["max"]),
        }
    }

    /// The name of a metric in the summary: of the measured part, or of all where the summary has no more.
    fn best(&self, frame: &Frame, name: &str, tag: Option<&str>) -> String {
        let own = frame.metric(name, tag);
        if self.has(&own) || tag.is_some() { own } else { name.to_owned() }
    }

    /// Requests, failures, requests without an answer, and latency.
    fn counts(&self, frame: &Frame, tag: Option<&str>) -> (u64, u64, u64, Quantiles) {
        let requests = self.best(frame, "http_reqs", tag);
        let sent = self.count(&requests);
        let failed = self.hits(&self.best(frame, FAILED, tag)).or_else(|| self.hits(&self.best(frame, "http_req_failed", tag)));
        let lost = self.count(&unanswered(&requests));
        let mut latency = self.trend(&self.best(frame, "http_req_duration", tag));
        if latency.count == 0 {
            latency.count = sent;
        }
        (sent, failed.unwrap_or_default().min(sent), lost.min(sent), latency)
    }
}

fn fill(report: &mut LoadReport, figures: &Figures<'_>, frame: &Frame, whole_ms: f64) {
    let (sent, failed, lost, latency) = figures.counts(frame, None);
    let warm_up = report.spec.warm_up.map_or(0.0, |warm_up| warm_up.as_ms());
    report.duration_ms = (whole_ms - warm_up).max(0.0);
    report.latency = latency;
    let dropped = figures.count("dropped_iterations");
    let totals = &mut report.totals;
    totals.sent = sent;
    totals.answered = sent - lost;
    totals.failed = failed;
    totals.dropped = dropped;
    totals.bytes_received = figures.count("data_received");
    totals.bytes_sent = figures.count("data_sent");
    totals.iterations = figures.count("iterations");
    if report.duration_ms > 0.0 {
        totals.rate = totals.answered as f64 / report.duration_ms * 1e3;
    }
    totals.target_rate = frame.arrivals.zip(frame.measured).map(|(arrivals, seconds)| {
        let whole = seconds + warm_up / 1e3;
        if whole > 0.0 { arrivals / whole } else { 0.0 }
    });
    let ended = sent + dropped;
    totals.error_share = if ended == 0 { 0.0 } else { (failed + dropped) as f64 / ended as f64 };
    if lost > 0 {
        report.errors.push(LoadError {
            kind: "other".to_owned(),
            count: lost,
            example: "k6 had no answer; its log says why".to_owned(),
        });
    }
    if failed > lost {
        report.errors.push(LoadError {
            kind: "assertion".to_owned(),
            count: failed - lost,
            example: "an answer was not as the plan expects; k6 counts its checks".to_owned(),
        });
    }
    if frame.subjects.len() > 1 {
        report.endpoints = frame
            .subjects
            .iter()
            .map(|subject| {
                let (sent, failed, lost, latency) = figures.counts(frame, Some(&subject.tag));
                EndpointLoad { name: subject.name.clone(), sent, answered: sent - lost, failed, latency }
            })
            .collect();
    }
    report.phases.first_byte = figures.trend(&figures.best(frame, "http_req_waiting", None));
}

/// How a threshold came out: as k6 judged it, and not as a pass where too little came.
fn judge(mapped: &Mapped, figures: &Figures<'_>) -> ThresholdResult {
    let result = |verdict, actual: String| ThresholdResult { text: mapped.text.clone(), verdict, actual };
    if mapped.parts.is_empty() {
        return result(Verdict::Inconclusive, "k6 can't judge it".to_owned());
    }
    let mut actual = Vec::new();
    let mut verdicts = Vec::new();
    for part in &mapped.parts {
        let value = figures.value(&part.metric, &part.aggregate);
        let is_time = part.metric.starts_with("http_req_duration");
        // k6 leaves a metric out of which there was nothing, and a threshold on it holds.
        let silent = part.metric == "dropped_iterations" && value.is_none();
        let count = figures.count(&part.metric);
        let shown = value.map_or_else(|| "0".to_owned(), |value| format!("{value:.4}"));
        let shown = shown.trim_end_matches('0').trim_end_matches('.');
        let unit = if is_time { "ms" } else { "" };
        actual.push(format!("{} {} {}{unit}", part.metric, part.aggregate, if shown.is_empty() { "0" } else { shown }));
        verdicts.push(match figures.held(part) {
            _ if silent => Verdict::Pass,
            None => {
                actual.push("the summary hasn't it".to_owned());
                Verdict::Inconclusive
            }
            Some(false) => Verdict::Fail,
            Some(true) if is_time && value.is_none_or(|value| value == 0.0) => {
                actual.push("nothing was answered".to_owned());
                Verdict::Inconclusive
            }
            Some(true) => match part.quantile.and_then(|quantile| too_few(count, quantile)) {
                Some(needed) if count > 0 => {
                    actual.push(format!("{count} samples are too few; it takes {needed}"));
                    Verdict::Inconclusive
                }
                _ => Verdict::Pass,
            },
        });
    }
    result(Verdict::of(verdicts), actual.join(", "))
}

fn notes(report: &mut LoadReport, figures: &Figures<'_>, has_spec: bool, instances: u32) {
    let mut note = |text: String| report.notes.push(text);
    note("These figures and verdicts are k6's, read from its summary; Patchbay measured nothing.".to_owned());
    if report.spec.executor.is_open() {
        note("k6 counts latency from the send of a request and not from the moment at which it was due.".to_owned());
    }
    note(
        "k6's summary has no statuses, no timeline, no histogram, no figures of connections and none of its own lateness, so \
         there are none here."
            .to_owned(),
    );
    if !has_spec {
        note("The summary doesn't say what was asked for; the plan is that of the integration as it is now.".to_owned());
    }
    if instances > 1 {
        note(format!("It is the summary of one of {instances} pods that shared the load."));
    }
    if !figures.has(FAILED) {
        note("Failures are those that k6 counts by the status; checks that failed are not among them.".to_owned());
    }
    report.generator.clock = "k6's".to_owned();
}
