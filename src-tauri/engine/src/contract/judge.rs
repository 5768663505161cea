//! What an endpoint promised, held against what came.

use patchbay_contracts::{
    Code, Place, Problem,
    contract::{Check, CheckResult, EndpointResult},
    integration::{BodySchema, Endpoint, Expect},
    probe::{ProbeReport, Response},
    run::Verdict,
    units::Span,
};
use serde_json::{Value, json};

use super::{
    Schemas,
    capture::capture,
    conditions,
    schema::{escape, expand_with_sources},
    validate::{self, Deviation, bounded},
};
use crate::{
    definition::Positions,
    http::is_credential_field,
    secrets::{
        Redactor,
        template::{Scope, fill_plain},
    },
};

/// A check without values.
pub(super) fn check(check: Check, verdict: Verdict, message: impl Into<String>, place: Option<Place>) -> CheckResult {
    CheckResult { place, ..CheckResult::new(check, verdict, message) }
}

/// A body that is not as its schema asks.
pub(super) fn deviation(check: Check, deviation: Deviation, place: Option<Place>) -> CheckResult {
    let Deviation { pointer, message, expected, actual, .. } = deviation;
    CheckResult {
        pointer: Some(pointer),
        expected: Some(expected),
        actual,
        place,
        ..CheckResult::new(check, Verdict::Fail, message)
    }
}

/// Takes secrets out of a result.
pub(super) fn redact(result: &mut EndpointResult, redactor: &Redactor) {
    let clean = |text: &mut String| *text = redactor.text(text);
    for check in &mut result.checks {
        clean(&mut check.message);
        check.pointer.iter_mut().for_each(clean);
        check.expected.iter_mut().chain(&mut check.actual).for_each(|value| redactor.json(value));
    }
    if let Some(request) = &mut result.request {
        clean(&mut request.url);
        clean(&mut request.curl);
        request.headers.iter_mut().for_each(|(_, value)| clean(value));
        request.body.iter_mut().for_each(clean);
    }
    result.body.iter_mut().for_each(clean);
    if let Some(Problem { what, why, next, .. }) = &mut result.problem {
        [what, why, next].into_iter().for_each(clean);
    }
}

/// One endpoint that is judged.
pub(super) struct Judging<'a> {
    /// Its JSON pointer in the file.
    pub(super) at: &'a str,
    pub(super) endpoint: &'a Endpoint,
    /// The response schema of the whole contract.
    pub(super) inherited: Option<&'a BodySchema>,
    pub(super) positions: &'a Positions,
    pub(super) schemas: &'a Schemas,
    pub(super) redactor: Redactor,
}

impl Judging<'_> {
    /// Judges everything, and captures what later endpoints need.
    pub(super) fn run(&self, report: &ProbeReport, scope: &mut Scope, checks: &mut Vec<CheckResult>) {
        let default = Expect::default();
        let expect = self.endpoint.expect.as_ref().unwrap_or(&default);
        checks.push(self.reachable(report));
        let Some(response) = &report.response else {
            // No answer in time is an answer to a promise of latency.
            if report.problem.as_ref().is_some_and(|problem| problem.code == Code::Timeout) {
                checks.extend(self.latency(report, expect).filter(|check| check.verdict == Verdict::Fail));
            }
            return;
        };
        let status = self.status(response, expect);
        let expected_status = status.verdict == Verdict::Pass;
        checks.push(status);
        self.headers(response, expect, checks);
        checks.extend(self.latency(report, expect));
        self.conditions(report, expect, scope, checks);
        // An answer of success is judged even where another status of success was asked for.
        let judgeable = expected_status || (200..300).contains(&response.status);
        self.response_schema(response, judgeable, checks);
        self.captures(response, judgeable, scope, checks);
    }

    fn place(&self, below: &str) -> Option<Place> {
        self.positions.place(&format!("{}{below}", self.at))
    }

    fn reachable(&self, report: &ProbeReport) -> CheckResult {
        let place = self.place("");
        match (&report.problem, &report.response) {
            (None, Some(response)) => {
                let from = response.remote.as_deref().unwrap_or("The service");
                check(Check::Reachable, Verdict::Pass, format!("{from} answered"), place)
            }
            (Some(problem), _) => {
                // What breaks the protocol is the service's own doing. That it can't be reached may be anybody's.
                let verdict = match (problem.code, &report.response) {
                    (Code::BadResponse, _) | (Code::Reset, Some(_)) => Verdict::Fail,
                    _ => Verdict::Inconclusive,
                };
                let why = if problem.why.is_empty() { String::new() } else { format!(": {}", problem.why) };
                check(Check::Reachable, verdict, format!("{}{why}", problem.what), place)
            }
            (None, None) => check(Check::Reachable, Verdict::Inconclusive, "There was no answer", place),
        }
    }

    fn status(&self, response: &Response, expect: &Expect) -> CheckResult {
        let status = response.status;
        let (holds, wanted) = match &expect.status {
            Some(pattern) => (pattern.matches(status), pattern.to_string()),
            None => ((200..300).contains(&status), "2xx".to_owned()),
        };
        let message = match holds {
            true => format!("The status is {status}"),
            false => format!("The status is {status}, and {wanted} is expected"),
        };
        CheckResult {
            expected: Some(wanted.parse::<u16>().map_or_else(|_| Value::String(wanted.clone()), Value::from)),
            actual: Some(json!(status)),
            ..check(Check::Status, if holds { Verdict::Pass } else { Verdict::Fail }, message, self.place("/expect/status"))
        }
    }

    fn headers(&self, response: &Response, expect: &Expect, checks: &mut Vec<CheckResult>) {
        for (name, wanted) in &expect.headers {
            let wanted = &wanted.0;
            let values: Vec<&str> = response
                .headers
                .iter()
                .filter(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str())
                .collect();
            let (verdict, message) = match values.first() {
                None => (Verdict::Fail, format!("The header {name} did not come")),
                Some(value) if wanted == "*" || values.contains(&wanted.as_str()) => {
                    (Verdict::Pass, format!("The header {name} is `{value}`"))
                }
                Some(value) => (Verdict::Fail, format!("The header {name} is `{value}`, and `{wanted}` is expected")),
            };
            checks.push(CheckResult {
                expected: Some(Value::String(wanted.clone())),
                actual: values.first().map(|value| bounded(&Value::String((*value).to_owned()))),
                ..check(Check::Header, verdict, message, self.place(&format!("/expect/headers/{}", escape(name))))
            });
        }
    }

    fn latency(&self, report: &ProbeReport, expect: &Expect) -> Option<CheckResult> {
        let most = expect.latency?;
        let took = report.timing.total_ms;
        let (verdict, message) = match took <= most.as_ms() {
            true => (Verdict::Pass, format!("It took {}, and at most {most} is expected", ms(took))),
            false => (Verdict::Fail, format!("It took {}, and at most {most} is expected", ms(took))),
        };
        Some(CheckResult {
            expected: Some(Value::String(most.to_string())),
            actual: Some(Value::String(ms(took))),
            ..check(Check::Latency, verdict, message, self.place("/expect/latency"))
        })
    }

    fn conditions(&self, report: &ProbeReport, expect: &Expect, scope: &Scope, checks: &mut Vec<CheckResult>) {
        let truncated = report.response.as_ref().is_some_and(|response| response.body.truncated);
        for (index, text) in expect.conditions.iter().enumerate() {
            let place = self.place(&format!("/expect/conditions/{index}"));
            let condition = conditions::parse(text).and_then(|condition| condition.filled(|text| fill_plain(text, scope)));
            checks.push(match condition {
                Err(problem) => check(Check::Condition, Verdict::Inconclusive, problem.to_string(), place),
                Ok(condition) if truncated && condition.reads_body() => check(
                    Check::Condition,
                    Verdict::Inconclusive,
                    format!("`{text}` can't be judged, since the body is not whole"),
                    place,
                ),
                Ok(condition) => {
                    let judged = condition.judge(report);
                    let (verdict, message) = match judged.holds {
                        true => (Verdict::Pass, format!("`{text}` holds")),
                        false => (Verdict::Fail, format!("`{text}` does not hold: {}", judged.resolved)),
                    };
                    CheckResult {
                        expected: Some(Value::String(text.clone())),
                        actual: Some(Value::String(judged.resolved)),
                        ..check(Check::Condition, verdict, message, place)
                    }
                }
            });
        }
    }

    fn response_schema(&self, response: &Response, judgeable: bool, checks: &mut Vec<CheckResult>) {
        let (schema, pointer) = match (&self.endpoint.response_schema, self.inherited) {
            (Some(own), _) => (own, format!("{}/response_schema", self.at)),
            // A schema of the whole contract says nothing of answers that have no body by their nature.
            (None, Some(_)) if without_body(self.endpoint, response) => return,
            (None, Some(inherited)) => (inherited, "/integration/response_schema".to_owned()),
            (None, None) => return,
        };
        let place = self.positions.place(&pointer);
        let mut say = |verdict, message: String| checks.push(check(Check::ResponseSchema, verdict, message, place.clone()));
        if !judgeable {
            return say(
                Verdict::Inconclusive,
                format!("The body was not judged, since the status {} is not the one expected", response.status),
            );
        }
        if response.body.truncated {
            return say(Verdict::Inconclusive, "The body can't be judged, since it is not whole".to_owned());
        }
        let expanded = match expand_with_sources(schema) {
            Ok(expanded) => expanded,
            Err(problem) => return say(Verdict::Inconclusive, problem.to_string()),
        };
        let validator = match self.schemas.validator(&expanded.schema) {
            Ok(validator) => validator,
            Err(problem) => return say(Verdict::Inconclusive, problem.to_string()),
        };
        let parsed;
        let body = match (&response.body.json, &response.body.text) {
            (Some(json), _) => json,
            (None, Some(text)) => match serde_json::from_str::<Value>(text) {
                Ok(json) => {
                    parsed = json;
                    &parsed
                }
                Err(error) => return say(Verdict::Fail, format!("The body is not JSON, and its schema is for JSON: {error}")),
            },
            (None, None) if response.body.bytes == 0 => {
                return say(Verdict::Fail, "There is no body, and its schema asks for one".to_owned());
            }
            (None, None) => return say(Verdict::Fail, "The body is not JSON, and its schema is for JSON".to_owned()),
        };
        let deviations = validate::deviations(&validator, body, response.body.bytes);
        if deviations.is_empty() {
            return say(Verdict::Pass, "The body is as its schema asks".to_owned());
        }
        checks.extend(deviations.into_iter().map(|found| {
            let place = self.positions.place(&format!("{pointer}{}", expanded.source(&found.schema)));
            deviation(Check::ResponseSchema, found, place)
        }));
    }

    fn captures(&self, response: &Response, judgeable: bool, scope: &mut Scope, checks: &mut Vec<CheckResult>) {
        for (name, expression) in &self.endpoint.capture {
            let place = self.place(&format!("/capture/{}", escape(name)));
            let expected = Some(Value::String(expression.clone()));
            // A value of an earlier endpoint must not stand in for one that did not come.
            scope.captured.shift_remove(name);
            if !judgeable {
                let message = format!("`{name}` was not captured, since the status {} is not the one expected", response.status);
                checks.push(CheckResult { expected, ..check(Check::Capture, Verdict::Inconclusive, message, place) });
                continue;
            }
            checks.push(match capture(expression, response) {
                Ok(value) => {
                    let shown = self.shown(name, &value);
                    scope.captured.insert(name.clone(), value);
                    let actual = Some(bounded(&Value::String(shown)));
                    CheckResult {
                        expected,
                        actual,
                        ..check(Check::Capture, Verdict::Pass, format!("`{name}` was captured"), place)
                    }
                }
                Err(problem) => {
                    let why = if problem.why.is_empty() { String::new() } else { format!(", {}", problem.why) };
                    let message = format!("`{name}` can't be captured: {}{why}", problem.what);
                    CheckResult { expected, ..check(Check::Capture, Verdict::Fail, message, place) }
                }
            });
        }
    }

    /// A captured value as it may be shown. One that is a credential by its name is a secret from here on.
    fn shown(&self, name: &str, value: &str) -> String {
        if is_credential_field(name) && value.len() >= 4 {
            let label: String = name
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' })
                .take(64)
                .collect();
            self.redactor.learn(&label, value);
        }
        self.redactor.text(value)
    }
}

/// Whether an answer has no body by its nature (RFC 9110, 6.4.1).
fn without_body(endpoint: &Endpoint, response: &Response) -> bool {
    endpoint.method == patchbay_contracts::integration::Method::Head || matches!(response.status, 204 | 205 | 304)
}

/// Milliseconds with a unit, to the tenth.
fn ms(ms: f64) -> String {
    let tenths = (ms * 10.0).round() / 10.0;
    match tenths >= 1000.0 {
        true => Span::millis(ms.round() as u64).to_string(),
        false => format!("{tenths}ms"),
    }
}
