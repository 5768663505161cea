//! What is expected of each answer under load, and what is taken from it.
//!
//! Status, headers and conditions of an endpoint's `expect` are judged. Its latency is left to thresholds, and bodies aren't
//! held to schemas: that would measure the generator.

use patchbay_contracts::{
    integration::{Endpoint, StatusPattern},
    probe::{Body, ProbeReport, Response, SentRequest, Waterfall},
};
use patchbay_load::script::{Answer, Inspect, template::Values};

use crate::{
    Result,
    contract::{
        capture,
        conditions::{self, Condition},
    },
};

/// Looks into the answers of one endpoint.
pub(super) struct Judge {
    headers: Vec<(String, String)>,
    conditions: Vec<Condition>,
    /// Where a captured value is, and its place among the captured values.
    captures: Vec<(usize, String)>,
    reads_body: bool,
}

impl Judge {
    /// Nothing where nothing is to be looked at. `place` gives each captured value its place.
    pub(super) fn new(endpoint: &Endpoint, place: impl Fn(&str) -> Option<usize>) -> Result<Option<Self>> {
        let expect = endpoint.expect.clone().unwrap_or_default();
        let conditions: Vec<Condition> = expect.conditions.iter().map(|text| conditions::parse(text)).collect::<Result<_>>()?;
        let captures: Vec<(usize, String)> = endpoint
            .capture
            .iter()
            .filter_map(|(name, expression)| place(name).map(|place| (place, expression.clone())))
            .collect();
        let headers: Vec<_> = expect.headers.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect();
        if headers.is_empty() && conditions.is_empty() && captures.is_empty() {
            return Ok(None);
        }
        let reads_body = !captures.is_empty() || conditions.iter().any(Condition::reads_body);
        Ok(Some(Self { headers, conditions, captures, reads_body }))
    }
}

impl Inspect for Judge {
    fn inspect(&self, answer: &Answer<'_>, values: &mut Values) -> std::result::Result<(), String> {
        for (name, wanted) in &self.headers {
            let found = answer.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
            match found {
                None => return Err(format!("the answer has no header {name}")),
                Some(value) if wanted != "*" && value != wanted => {
                    return Err(format!("the header {name} is `{value}` and not `{wanted}`"));
                }
                Some(_) => {}
            }
        }
        if self.conditions.is_empty() && self.captures.is_empty() {
            return Ok(());
        }
        let report = self.report(answer);
        for condition in &self.conditions {
            let judged = condition.judge(&report);
            if !judged.holds {
                return Err(format!("`{}` does not hold: {}", judged.text, judged.resolved));
            }
        }
        if let Some(response) = &report.response {
            for (place, expression) in &self.captures {
                let value = capture::capture(expression, response).map_err(|problem| problem.to_string())?;
                values.set(*place, value.as_bytes());
            }
        }
        Ok(())
    }
}

impl Judge {
    /// The answer in the form that conditions and captures read.
    fn report(&self, answer: &Answer<'_>) -> ProbeReport {
        let json = if self.reads_body && !answer.cut { serde_json::from_slice(answer.body).ok() } else { None };
        let text = self.reads_body.then(|| String::from_utf8_lossy(answer.body).into_owned());
        let bytes = answer.body.len() as u64;
        let response = Response {
            status: answer.status,
            reason: String::new(),
            version: String::new(),
            headers: answer.headers.to_vec(),
            body: Body { bytes, wire_bytes: bytes, text, json, truncated: answer.cut, ..Body::default() },
            remote: None,
            certificate: None,
        };
        ProbeReport {
            at: 0,
            integration: None,
            request: SentRequest::default(),
            redirects: Vec::new(),
            response: Some(response),
            timing: Waterfall { total_ms: answer.took as f64 / 1e6, ..Waterfall::default() },
            problem: None,
            notes: Vec::new(),
        }
    }
}

/// The statuses that a pattern means, from and to.
pub(super) fn accepted(pattern: Option<&StatusPattern>) -> Vec<(u16, u16)> {
    let Some(pattern) = pattern else { return Vec::new() };
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for status in (100..=599).filter(|status| pattern.matches(*status)) {
        match ranges.last_mut() {
            Some((_, to)) if *to + 1 == status => *to = status,
            _ => ranges.push((status, status)),
        }
    }
    ranges
}
