//! Results in the format of JUnit, which every pipeline reads.
//!
//! There is no standard; this keeps to what Jenkins' and Surefire's schemas have in common. A case that failed has a
//! `failure`; one that could not be judged has an `error`, since a `skipped` one would count as good.

use std::fmt::Write as _;

use jiff::Timestamp as Moment;
use patchbay_contracts::{
    Code, Problem, Timestamp,
    contract::{CheckResult, ContractReport, EndpointResult, Severity},
    load::LoadReport,
    run::{Report, Run, Verdict},
};
use serde_json::Value;

use crate::Result;

/// The longest text of a failure, in bytes.
const LONGEST: usize = 16 * 1024;

/// A case.
struct Case<'a> {
    group: String,
    name: String,
    seconds: f64,
    verdict: Verdict,
    kind: &'a str,
    message: String,
    detail: String,
    /// Why a case passes although something did not hold: a warning, or a failure that is accepted.
    note: Option<String>,
}

/// A run as an XML document.
///
/// # Errors
/// [`Code::InvalidInput`] for an exchange, which judges nothing.
pub fn render(run: &Run) -> Result<String> {
    match &run.report {
        Report::Contract(report) => Ok(junit(report)),
        Report::Load(report) => Ok(junit_load(report)),
        Report::Probe(_) => Err(Problem::new(Code::InvalidInput, "A single exchange has no JUnit report")
            .why("it shows what came and judges nothing")
            .next("Write it as html or json, or run the contract")),
    }
}

/// A contract run as an XML document: one case for each check, in the group of its endpoint.
pub fn junit(report: &ContractReport) -> String {
    let mut cases = Vec::new();
    for endpoint in &report.endpoints {
        // The time belongs to the endpoint; its first case carries it, so that sums are right.
        let mut seconds = endpoint.timing.total_ms / 1e3;
        for check in &endpoint.checks {
            cases.push(of_check(report, endpoint, check, std::mem::take(&mut seconds)));
        }
    }
    if report.partial {
        cases.push(Case {
            group: report.integration.clone(),
            name: "whole run".to_owned(),
            seconds: 0.0,
            verdict: Verdict::Inconclusive,
            kind: "cancelled",
            message: "The run was cancelled half-way".to_owned(),
            detail: String::new(),
            note: None,
        });
    }
    cases.extend(report.problems.iter().map(|problem| Case {
        group: report.integration.clone(),
        name: problem.place.as_ref().map_or_else(|| "contract".to_owned(), ToString::to_string),
        seconds: 0.0,
        verdict: Verdict::Inconclusive,
        kind: "contract",
        message: problem.what.clone(),
        detail: problem.to_string(),
        note: None,
    }));
    document(&report.integration, report.at, report.duration_ms, &cases)
}

/// A load run as an XML document: one case for each threshold. Without thresholds there is one for the run itself.
pub fn junit_load(report: &LoadReport) -> String {
    let mut cases: Vec<Case<'_>> = report
        .thresholds
        .iter()
        .map(|threshold| Case {
            group: report.target.clone(),
            name: threshold.text.clone(),
            seconds: 0.0,
            verdict: threshold.verdict,
            kind: "threshold",
            message: format!("{}: {} was measured", threshold.text, threshold.actual),
            detail: report.notes.join("\n"),
            note: None,
        })
        .collect();
    // A run can be worth less than its thresholds say: cancelled, or limited by the generator itself.
    if report.thresholds.is_empty() || report.verdict != Verdict::of(report.thresholds.iter().map(|one| one.verdict)) {
        cases.push(Case {
            group: report.target.clone(),
            name: "load run".to_owned(),
            seconds: 0.0,
            verdict: report.verdict,
            kind: "run",
            message: report.notes.first().cloned().unwrap_or_else(|| "The run's verdict".to_owned()),
            detail: report.notes.join("\n"),
            note: None,
        });
    }
    if let Some(first) = cases.first_mut() {
        first.seconds = report.duration_ms / 1e3;
    }
    document(&report.target, report.at, report.duration_ms, &cases)
}

fn of_check<'a>(report: &ContractReport, endpoint: &EndpointResult, check: &'a CheckResult, seconds: f64) -> Case<'a> {
    let mut name = check.check.as_str().to_owned();
    match (&check.pointer, &check.expected) {
        (Some(pointer), _) if !pointer.is_empty() => name = format!("{name} {pointer}"),
        (None, Some(Value::String(text))) => name = format!("{name} {text}"),
        _ => {}
    }
    let mut detail = check.message.clone();
    for (label, value) in [("expected", &check.expected), ("actual", &check.actual)] {
        if let Some(value) = value {
            let _ = write!(detail, "\n{label}: {value}");
        }
    }
    if let Some(place) = &check.place {
        let _ = write!(detail, "\nat {place}");
    }
    if let Some(request) = check.request.as_ref().or(endpoint.request.as_ref()) {
        let _ = write!(detail, "\nrequest: {}", request.curl);
    }
    let note = match (&check.accepted, check.verdict) {
        (Some(accepted), Verdict::Fail) => Some(format!("Accepted until {}: {}\n{detail}", accepted.until, accepted.reason)),
        (None, Verdict::Fail) if check.severity == Severity::Warning => Some(format!("Warning: {detail}")),
        _ => None,
    };
    Case {
        group: format!("{}.{}", report.integration, endpoint.endpoint),
        name,
        seconds,
        verdict: check.weight(),
        kind: check.check.as_str(),
        message: check.message.clone(),
        detail,
        note,
    }
}

fn document(name: &str, at: Timestamp, duration_ms: f64, cases: &[Case<'_>]) -> String {
    let count = |verdict: Verdict| cases.iter().filter(|case| case.verdict == verdict).count();
    let counts = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"{:.3}\"",
        cases.len(),
        count(Verdict::Fail),
        count(Verdict::Inconclusive),
        duration_ms / 1e3,
    );
    let at = Moment::from_millisecond(at).map(|at| at.strftime("%Y-%m-%dT%H:%M:%S").to_string()).unwrap_or_default();
    let name = escape(name);
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a text can't fail.
    let _ = writeln!(xml, "<testsuites name=\"{name}\" {counts}>");
    let _ = writeln!(xml, "  <testsuite name=\"{name}\" {counts} timestamp=\"{at}\">");
    for case in cases {
        let head = format!(
            "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
            escape(&case.group),
            escape(&case.name),
            case.seconds
        );
        let element = match case.verdict {
            Verdict::Pass => {
                let _ = match &case.note {
                    Some(note) => writeln!(xml, "{head}>\n      <system-out>{}</system-out>\n    </testcase>", escape_text(note)),
                    None => writeln!(xml, "{head}/>"),
                };
                continue;
            }
            Verdict::Fail => "failure",
            Verdict::Inconclusive => "error",
        };
        let _ = writeln!(xml, "{head}>");
        let _ = writeln!(
            xml,
            "      <{element} type=\"{}\" message=\"{}\">{}</{element}>",
            escape(case.kind),
            escape(&case.message),
            escape_text(&case.detail)
        );
        let _ = writeln!(xml, "    </testcase>");
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

/// A text as the value of an attribute. Line breaks are kept as references, since a parser would make blanks of them.
fn escape(text: &str) -> String {
    escape_text(text).replace('"', "&quot;").replace('\n', "&#10;").replace('\t', "&#9;")
}

/// A text as content. Characters that XML 1.0 can't hold in any form are left out.
fn escape_text(text: &str) -> String {
    let text = &text[..text.floor_char_boundary(LONGEST)];
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            '\n' | '\t' => out.push(c),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}
