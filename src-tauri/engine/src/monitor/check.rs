//! One health check.

use patchbay_contracts::{
    Code, Problem,
    health::HealthCheck,
    integration::{Endpoint, Health, Integration, Method},
    probe::ProbeReport,
};

use super::pace::timeout;
use crate::{
    Result,
    contract::{
        Schemas,
        conditions::{self, Condition},
    },
    http::{self, Bounds, Context},
    secrets::template,
};

/// What must hold where a health check names no conditions.
pub const DEFAULT_CONDITION: &str = "[STATUS] < 400";

/// Makes one health check: one exchange with the endpoint that `health` names, or the first one, or `base_url` where
/// there is none, judged by its conditions.
///
/// Nothing is tried again, whatever `error_handling` says: a check is to show what a caller meets, and a service that
/// answers at the third attempt is not well. How many failures make an incident is for `health.failures` to say.
///
/// A check that could not even be sent has a problem and is not healthy; see [`carried_out`].
pub async fn check(context: &Context, integration: &Integration) -> HealthCheck {
    check_with(context, integration, &Schemas::closed()).await
}

/// The same as [`check`], with the files that the schema of a request body may refer to.
pub async fn check_with(context: &Context, integration: &Integration, schemas: &Schemas) -> HealthCheck {
    let mut check = HealthCheck {
        integration: integration.name.clone(),
        at: context.ports.clock.now(),
        healthy: false,
        latency_ms: None,
        http_status: None,
        conditions: Vec::new(),
        problem: None,
        certificate_not_after: None,
    };
    match exchange(context, integration, schemas).await {
        Ok((conditions, report)) => judge(&mut check, &conditions, report),
        Err(problem) => check.problem = Some(problem),
    }
    check
}

/// Whether a check says something of the service. One that failed on this side, for a mistake in the file or a keychain
/// that is locked, does not: it is neither a success nor a failure, and the time stays unobserved.
pub fn carried_out(check: &HealthCheck) -> bool {
    check.problem.as_ref().is_none_or(|problem| {
        matches!(
            problem.code,
            Code::Dns
                | Code::Refused
                | Code::Reset
                | Code::Unreachable
                | Code::Timeout
                | Code::Tls
                | Code::Certificate
                | Code::BadResponse
                | Code::TooLarge
                | Code::Redirects
        )
    })
}

async fn exchange(context: &Context, integration: &Integration, schemas: &Schemas) -> Result<(Vec<Condition>, ProbeReport)> {
    let conditions = conditions(context, integration.health.as_ref())?;
    let mut request = http::request_with(integration, &endpoint(integration)?, schemas)?;
    request.timeout = Some(timeout(integration));
    Ok((conditions, http::send(context, &request, Bounds::default()).await))
}

fn conditions(context: &Context, health: Option<&Health>) -> Result<Vec<Condition>> {
    let own = health.map_or(&[][..], |health| &health.conditions);
    if own.is_empty() {
        return Ok(vec![conditions::parse(DEFAULT_CONDITION)?]);
    }
    let fill = |text: &str| template::fill_plain(text, &context.scope);
    own.iter().map(|text| conditions::parse(text)?.filled(fill)).collect()
}

/// The endpoint that is checked.
fn endpoint(integration: &Integration) -> Result<Endpoint> {
    if let Some(name) = integration.health.as_ref().and_then(|health| health.endpoint.as_deref()) {
        return integration.endpoint(name).cloned().ok_or_else(|| {
            let labels: Vec<String> = integration.endpoints.iter().map(Endpoint::label).collect();
            let problem = Problem::new(
                Code::InvalidDefinition,
                format!("The health check of `{}` names the endpoint `{name}`, which there is not", integration.name),
            );
            match crate::utils::nearest(name, labels.iter().map(String::as_str)) {
                Some(near) => problem.next(format!("Did you mean `{near}`?")),
                None => problem.next("Name one of its endpoints, or leave the name out for the first one"),
            }
        });
    }
    Ok(integration.endpoints.first().cloned().unwrap_or_else(whole_service))
}

/// An endpoint for an integration that has none: its address itself.
fn whole_service() -> Endpoint {
    Endpoint {
        name: None,
        method: Method::Get,
        path: "/".to_owned(),
        params: Default::default(),
        query: Default::default(),
        headers: Default::default(),
        auth: None,
        request: None,
        expect: None,
        request_schema: None,
        response_schema: None,
        capture: Default::default(),
        rate_limit: None,
    }
}

fn judge(check: &mut HealthCheck, conditions: &[Condition], report: ProbeReport) {
    check.at = report.at;
    check.conditions = conditions.iter().map(|condition| condition.judge(&report)).collect();
    if let Some(response) = &report.response {
        check.latency_ms = Some(report.timing.total_ms);
        check.http_status = Some(response.status);
        check.certificate_not_after = response.certificate.as_ref().map(|certificate| certificate.not_after);
    }
    // A body that is larger than we take in says nothing against the service. A check that asks whether there is a
    // connection at all, `[CONNECTED] == false`, is content without an answer.
    let excused = report.problem.as_ref().is_none_or(|problem| {
        problem.code == Code::TooLarge || conditions.iter().any(|condition| condition.text().contains("[CONNECTED]"))
    });
    check.healthy = excused && check.conditions.iter().all(|condition| condition.holds);
    check.problem = report.problem.filter(|problem| problem.code != Code::TooLarge);
}
