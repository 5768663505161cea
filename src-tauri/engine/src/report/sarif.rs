//! Failures in the format that code review tools read: SARIF 2.1.0.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::collections::BTreeSet;

use patchbay_contracts::{
    Code, Place, Problem,
    contract::{Check, CheckResult, ContractReport, EndpointResult, Severity},
    run::{Report, Run, Verdict},
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use crate::Result;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// What may not stand in a path of a URI (RFC 3986, 3.3).
const PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`').add(b'{').add(b'}');

/// A contract run as a SARIF log: a rule for each check, a result for each that did not hold.
///
/// # Errors
/// [`Code::InvalidInput`] for a run of another kind, which says nothing of any line of a file.
pub fn render(run: &Run) -> Result<String> {
    let Report::Contract(report) = &run.report else {
        return Err(Problem::new(Code::InvalidInput, "Only a contract run has a SARIF report")
            .why("SARIF tells what is wrong at which line of a file")
            .next("Write it as html, json or junit"));
    };
    let mut text = serde_json::to_string_pretty(&log(report)).map_err(Problem::internal)?;
    text.push('\n');
    Ok(text)
}

fn log(report: &ContractReport) -> Value {
    let broken = || {
        report.endpoints.iter().flat_map(|endpoint| {
            let checks = endpoint.checks.iter().filter(|check| check.verdict != Verdict::Pass);
            checks.map(move |check| (endpoint, check))
        })
    };
    let rules: Vec<Check> = broken().map(|(_, check)| check.check).collect::<BTreeSet<_>>().into_iter().collect();
    let mut results: Vec<Value> = broken().map(|(endpoint, check)| result(report, endpoint, check, &rules)).collect();
    results.extend(report.problems.iter().map(|problem| {
        json!({
            "ruleId": "contract",
            "level": "warning",
            "message": { "text": problem.to_string() },
            "locations": [location(report, problem.place.as_ref())],
        })
    }));
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Patchbay",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|check| rule(*check)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{ "executionSuccessful": !report.partial }],
            "results": results,
        }],
    })
}

fn rule(check: Check) -> Value {
    json!({
        "id": check.as_str(),
        "shortDescription": { "text": check.description() },
        "defaultConfiguration": { "level": level(check.severity()) },
    })
}

const fn level(severity: Severity) -> &'static str {
    severity.as_str()
}

fn result(report: &ContractReport, endpoint: &EndpointResult, check: &CheckResult, rules: &[Check]) -> Value {
    let failed = check.verdict == Verdict::Fail;
    let mut text = format!("{}: {}", endpoint.endpoint, check.message);
    for (label, value) in [("Expected", &check.expected), ("Actual", &check.actual)] {
        if let Some(value) = value {
            text.push_str(&format!("\n{label}: {value}"));
        }
    }
    let curl = check.request.as_ref().or(endpoint.request.as_ref()).map(|request| request.curl.as_str()).unwrap_or_default();
    if !curl.is_empty() {
        text.push_str(&format!("\nRepeat: {curl}"));
    }
    let mut result = json!({
        "ruleId": check.check.as_str(),
        "ruleIndex": rules.iter().position(|rule| *rule == check.check),
        // What could not be judged is no failure and no pass.
        "kind": if failed { "fail" } else { "open" },
        "level": if failed { level(check.severity) } else { "none" },
        "message": { "text": text },
        "locations": [location(report, check.place.as_ref())],
        "partialFingerprints": { "patchbay/v1": fingerprint(report, endpoint, check) },
        "properties": { "operation": endpoint.endpoint, "pointer": check.pointer, "status": check.status },
    });
    if let Some(accepted) = &check.accepted {
        result["suppressions"] = json!([{
            "kind": "external",
            "status": "accepted",
            "justification": format!("{} (until {})", accepted.reason, accepted.until),
        }]);
    }
    result
}

/// The same for the same failure of another run, whatever the line has become.
fn fingerprint(report: &ContractReport, endpoint: &EndpointResult, check: &CheckResult) -> String {
    let pointer = check.pointer.as_deref().unwrap_or_default();
    let text = format!("{}\n{}\n{}\n{pointer}", report.file, endpoint.endpoint, check.check.as_str());
    crate::definition::revision(&text)
}

fn location(report: &ContractReport, place: Option<&Place>) -> Value {
    let file = place.map_or(report.file.as_str(), |place| place.file.as_str());
    let uri =
        if file.contains("://") { file.to_owned() } else { utf8_percent_encode(&file.replace('\\', "/"), PATH).to_string() };
    let mut physical = json!({ "artifactLocation": { "uri": uri } });
    if let Some(place) = place {
        physical["region"] = json!({ "startLine": place.line, "startColumn": place.column });
    }
    json!({ "physicalLocation": physical })
}
