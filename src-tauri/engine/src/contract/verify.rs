//! A contract run: each endpoint in the order of the file, each thing that it promises judged.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use patchbay_contracts::{
    Code, Place, Problem,
    contract::{Check, CheckResult, ContractKind, ContractProgress, ContractReport, EndpointResult},
    integration::{Auth, AuthSpec, BodySchema, CircuitBreaker, Endpoint, Integration, Method},
    probe::{ProbeReport, ProbeRequest, SentRequest},
    run::Verdict,
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Schemas, conditions, judge, schema::expand_with_sources, validate};
use crate::{
    Result,
    definition::Positions,
    http::{Bounds, Context, filled_body, pieces, request_with, send_spaced_unredacted, with_uuid},
    secrets::template::fill_plain,
};

/// The most of a body that a report holds, in bytes.
const BODY: usize = 64 * 1024;
/// The longest wait that a rate limit may ask of a contract run.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a run is about.
#[derive(Clone, Copy)]
struct Subject<'a> {
    integration: &'a Integration,
    positions: &'a Positions,
    schemas: &'a Schemas,
}

/// Holds a service to its contract. Endpoints are called in the order of the file, and what one captures feeds the later
/// ones; one that needs what could not be captured is inconclusive, and so are all others once the circuit breaker opened.
/// Rate limits are kept by waiting.
///
/// A run without a judgement on anything is inconclusive and never a pass. Cancelling keeps what was judged until then, as
/// partial. `progress` hears of each result.
///
/// `file` is the file that holds the contract, for the report; `positions` says where its values stand, and `schemas` which
/// files its schemas may refer to.
pub async fn verify(
    context: &Context,
    file: &str,
    integration: &Integration,
    positions: &Positions,
    schemas: &Schemas,
    cancel: &CancellationToken,
    mut progress: impl FnMut(ContractProgress),
) -> ContractReport {
    let subject = Subject { integration, positions, schemas };
    let clock = std::sync::Arc::clone(&context.ports.clock);
    let (at, began) = (clock.now(), clock.elapsed());
    let mut run = Run { context: context.clone(), subject, missed: BTreeMap::new(), failures: 0, called: HashMap::new() };
    let total = integration.endpoints.len();
    let mut endpoints: Vec<EndpointResult> = Vec::with_capacity(total);
    let mut partial = false;
    for (index, endpoint) in integration.endpoints.iter().enumerate() {
        let result = tokio::select! {
            biased;
            () = cancel.cancelled() => None,
            result = run.endpoint(index, endpoint) => Some(result),
        };
        let Some(result) = result else {
            partial = true;
            break;
        };
        progress(ContractProgress { done: index + 1, total, results: vec![result.clone()] });
        endpoints.push(result);
    }
    let redactor = context.secrets.redactor();
    let base_url = fill_plain(integration.base_url.as_deref().unwrap_or("${env:base_url}"), &context.scope).unwrap_or_default();
    // What was learnt to be a credential half-way may stand in earlier results.
    endpoints.iter_mut().for_each(|result| judge::redact(result, &redactor));
    let mut report = ContractReport {
        version: integration.version.clone(),
        base_url: redactor.text(&base_url),
        at,
        duration_ms: clock.elapsed().saturating_sub(began).as_secs_f64() * 1e3,
        partial,
        endpoints,
        ..ContractReport::new(ContractKind::Patchbay, &integration.name, file)
    };
    report.conclude();
    report
}

/// A run under way.
struct Run<'a> {
    context: Context,
    subject: Subject<'a>,
    /// Values that should have been captured and were not, each with the endpoint that should have given it.
    missed: BTreeMap<String, String>,
    /// Calls that failed in a row.
    failures: u32,
    /// When each operation was called last.
    called: HashMap<String, tokio::time::Instant>,
}

impl Run<'_> {
    async fn endpoint(&mut self, index: usize, endpoint: &Endpoint) -> EndpointResult {
        let at = format!("/integration/endpoints/{index}");
        let mut result = EndpointResult::new(endpoint.label());
        if let Err(problem) = self.call(&at, endpoint, &mut result).await {
            let problem = match &problem.place {
                Some(_) => problem,
                None => Problem { place: self.place(&at), ..problem },
            };
            let place = problem.place.clone();
            result.checks.push(judge::check(Check::Reachable, Verdict::Inconclusive, problem.what.clone(), place));
            result.problem = Some(problem);
        }
        result.cases = result.attempts.min(1);
        result.conclude();
        for name in endpoint.capture.keys() {
            if !self.context.scope.captured.contains_key(name) {
                self.missed.insert(name.clone(), result.endpoint.clone());
            }
        }
        judge::redact(&mut result, &self.context.secrets.redactor());
        result
    }

    fn place(&self, pointer: &str) -> Option<Place> {
        self.subject.positions.place(pointer)
    }

    /// Calls an endpoint and judges it. An error says why it could not be called.
    async fn call(&mut self, at: &str, endpoint: &Endpoint, result: &mut EndpointResult) -> Result<()> {
        let integration = self.subject.integration;
        self.breaker(integration.error_handling.circuit_breaker.as_ref())?;
        let request = request_with(integration, endpoint, self.subject.schemas)?;
        self.references(&request, endpoint)?;
        let context = with_uuid(&self.context);
        let fits = self.request_schema(&context, at, endpoint, &request, &mut result.checks).await?;
        if !fits {
            result.problem = Some(
                Problem::new(Code::InvalidDefinition, format!("`{}` was not called", result.endpoint))
                    .why("its request is not as its own schema asks")
                    .next("Correct the request or the schema"),
            );
            return Ok(());
        }
        let gap = self.pace(endpoint).await?;
        let (report, attempts) =
            send_spaced_unredacted(&context, &request, &integration.error_handling, Bounds::default(), gap).await;
        self.called.insert(operation(endpoint), tokio::time::Instant::now());
        let failed = report.response.as_ref().is_none_or(|response| response.status >= 500);
        self.failures = if failed { self.failures + 1 } else { 0 };
        result.attempts = attempts;
        self.judge(at, endpoint, report, result);
        Ok(())
    }

    fn judge(&mut self, at: &str, endpoint: &Endpoint, report: ProbeReport, result: &mut EndpointResult) {
        let judging = judge::Judging {
            at,
            endpoint,
            inherited: self.subject.integration.response_schema.as_ref(),
            positions: self.subject.positions,
            schemas: self.subject.schemas,
            redactor: self.context.secrets.redactor(),
        };
        judging.run(&report, &mut self.context.scope, &mut result.checks);
        let ProbeReport { request, response, timing, problem, .. } = report;
        result.request = Some(SentRequest { body: request.body.map(|body| cut(&body)), ..request });
        result.status = response.as_ref().map(|response| response.status);
        result.body = response.and_then(|response| response.body.text.or(response.body.hex)).map(|body| cut(&body));
        result.timing = timing;
        result.problem = problem;
    }

    /// After so many failures in a row nothing more is called.
    fn breaker(&self, breaker: Option<&CircuitBreaker>) -> Result<()> {
        match breaker {
            Some(CircuitBreaker { failures, cool_down }) if self.failures >= (*failures).max(1) => {
                Err(Problem::new(Code::Cancelled, "It was not called, since the circuit breaker is open")
                    .why(format!("{} calls in a row failed", self.failures))
                    .next(format!("Look into the failures before this one, and leave the service alone for {cool_down}")))
            }
            _ => Ok(()),
        }
    }

    /// Everything that the request and the conditions refer to must have been captured.
    fn references(&self, request: &ProbeRequest, endpoint: &Endpoint) -> Result<()> {
        let conditions: Vec<_> = endpoint
            .expect
            .iter()
            .flat_map(|expect| &expect.conditions)
            .filter_map(|text| conditions::parse(text).ok())
            .collect();
        let literals = conditions.iter().flat_map(conditions::Condition::literals);
        for name in texts(request).into_iter().chain(literals).flat_map(captured) {
            if name == "uuid" || self.context.scope.captured.contains_key(name) {
                continue;
            }
            let problem = Problem::new(Code::VariableMissing, format!("It was not called, since ${{{name}}} has no value"));
            return Err(match self.missed.get(name) {
                Some(from) => {
                    problem.why(format!("`{from}` should have given it, and did not")).next(format!("Look into `{from}` first"))
                }
                None => problem
                    .why("no endpoint before this one captures it")
                    .next(format!("Add `capture: {{ {name}: $.… }}` to an earlier endpoint")),
            });
        }
        Ok(())
    }

    /// Judges the request's body by its schema; says whether it may be sent.
    async fn request_schema(
        &self,
        context: &Context,
        at: &str,
        endpoint: &Endpoint,
        request: &ProbeRequest,
        checks: &mut Vec<CheckResult>,
    ) -> Result<bool> {
        let integration = self.subject.integration;
        let inherited = integration.request_schema.as_ref().filter(|_| {
            request.body.is_some() || matches!(endpoint.method, Method::Post | Method::Put | Method::Patch | Method::Query)
        });
        let (schema, pointer): (&BodySchema, String) = match (&endpoint.request_schema, inherited) {
            (Some(own), _) => (own, format!("{at}/request_schema")),
            (None, Some(inherited)) => (inherited, "/integration/request_schema".to_owned()),
            (None, None) => return Ok(true),
        };
        let place = self.place(&pointer);
        let at_schema = |problem: Problem| Problem { place: problem.place.or_else(|| place.clone()), ..problem };
        let expanded = expand_with_sources(schema).map_err(at_schema)?;
        let validator = self.subject.schemas.validator(&expanded.schema).map_err(at_schema)?;
        let body = filled_body(context, request).await?;
        let Some(body) = body else {
            let message = "The contract has a request schema, and no body is sent";
            checks.push(judge::check(Check::RequestSchema, Verdict::Fail, message, place));
            return Ok(false);
        };
        let Ok(value) = serde_json::from_str::<Value>(body.expose()) else {
            checks.push(judge::check(
                Check::RequestSchema,
                Verdict::Fail,
                "The request body is not JSON, and its schema is for JSON",
                place,
            ));
            return Ok(false);
        };
        let deviations = validate::deviations(&validator, &value, body.expose().len() as u64);
        if deviations.is_empty() {
            checks.push(judge::check(Check::RequestSchema, Verdict::Pass, "The request body is as its schema asks", place));
            return Ok(true);
        }
        checks.extend(deviations.into_iter().map(|deviation| {
            let place = self.place(&format!("{pointer}{}", expanded.source(&deviation.schema)));
            judge::deviation(Check::RequestSchema, deviation, place)
        }));
        Ok(false)
    }

    /// Waits until the rate limit allows the call; gives the gap to keep between attempts.
    async fn pace(&self, endpoint: &Endpoint) -> Result<Duration> {
        let Some(rate) = endpoint.rate_limit else { return Ok(Duration::ZERO) };
        let too_long = || {
            Problem::new(
                Code::InvalidDefinition,
                format!("It was not called, since its rate limit of {rate} asks for too long a wait"),
            )
            .why(format!("a contract run waits at most {} s", PATIENCE.as_secs()))
        };
        let gap = Duration::try_from_secs_f64(1.0 / rate.hertz()).map_err(|_| too_long())?;
        let Some(last) = self.called.get(&operation(endpoint)) else { return Ok(gap.min(PATIENCE)) };
        let wait = gap.saturating_sub(last.elapsed());
        if wait > PATIENCE {
            return Err(too_long());
        }
        tokio::time::sleep(wait).await;
        Ok(gap.min(PATIENCE))
    }
}

/// What a rate limit counts together.
fn operation(endpoint: &Endpoint) -> String {
    format!("{} {}", endpoint.method, endpoint.path)
}

/// All texts of a request that may hold references.
fn texts(request: &ProbeRequest) -> Vec<&str> {
    let mut texts = vec![request.url.as_str()];
    texts.extend(request.query.iter().chain(&request.headers).map(|(_, value)| value.as_str()));
    texts.extend(request.body.as_deref());
    match &request.auth {
        Some(Auth::Spec(AuthSpec::Bearer { token })) => texts.push(token),
        Some(Auth::Spec(AuthSpec::Basic { username, password })) => texts.extend([username.as_str(), password.as_str()]),
        Some(Auth::Spec(AuthSpec::ApiKey { value, .. })) => texts.push(value),
        _ => {}
    }
    texts
}

/// The names of captured values that a text refers to.
fn captured(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).into_iter().filter_map(|piece| piece.strip_prefix("${")?.strip_suffix('}')).filter(|name| !name.contains(':'))
}

fn cut(text: &str) -> String {
    if text.len() <= BODY { text.to_owned() } else { format!("{}…", &text[..text.floor_char_boundary(BODY)]) }
}
