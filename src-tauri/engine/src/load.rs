//! From an integration to a load run and back.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use patchbay_contracts::{
    Problem,
    integration::{Integration, LoadSpec},
    load::{LoadProgress, LoadReport},
};
use patchbay_load::Target;
use tokio_util::sync::CancellationToken;

use crate::{
    Result,
    contract::Schemas,
    http::{self, Context},
    secrets::Redactor,
};

/// A load run that can be carried out: all references are filled in, and the request is as it goes out.
#[derive(Debug)]
pub struct Plan {
    target: Target,
    spec: LoadSpec,
    redactor: Redactor,
}

/// Makes a plan for the endpoint that `spec` names, the first one without a name.
///
/// # Errors
/// An endpoint that isn't there, a variable, a captured value or a credential that is missing, an address that is none.
pub async fn plan(context: &Context, definition: &Integration, schemas: &Schemas, mut spec: LoadSpec) -> Result<Plan> {
    let endpoint = definition.endpoint_or_first(spec.endpoint.as_deref())?;
    let request = http::request_with(definition, endpoint, schemas)?;
    let ready = http::ready(context, &request).await?;
    spec.endpoint = Some(endpoint.label());
    spec.timeout = spec.timeout.or(definition.error_handling.timeout);
    let host = ready.url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let query = ready.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let tls = match ready.url.scheme() {
        "https" => Some(http::tls_config().await?),
        _ => None,
    };
    let target = Target {
        name: definition.name.clone(),
        shown: format!("{} {}", ready.method, ready.shown_url),
        method: ready.method,
        host,
        port: ready.url.port_or_known_default().unwrap_or(80),
        path: format!("{}{query}", ready.url.path()),
        headers: ready.headers,
        body: ready.body,
        tls,
    };
    Ok(Plan { target, spec, redactor: context.secrets.redactor() })
}

/// Carries a plan out on threads of its own. Cancelled, it gives what it has by then, marked as partial.
///
/// # Errors
/// A plan that makes no sense, a host that can't be resolved, a limit of this machine.
pub async fn run(
    plan: Plan,
    cancel: CancellationToken,
    mut progress: impl FnMut(LoadProgress) + Send + 'static,
) -> Result<LoadReport> {
    let stop = Arc::new(AtomicBool::new(false));
    let stopping = Arc::clone(&stop);
    let working = tokio::task::spawn_blocking(move || {
        let report = patchbay_load::run(&plan.target, &plan.spec, &stopping, &mut progress);
        report.map(|report| redacted(report, &plan.redactor))
    });
    let watching = tokio::spawn(async move {
        cancel.cancelled().await;
        stop.store(true, Ordering::Relaxed);
    });
    let report = working.await;
    watching.abort();
    report.map_err(Problem::internal)?
}

/// What a service sent may stand in the examples of its errors.
fn redacted(mut report: LoadReport, redactor: &Redactor) -> LoadReport {
    for error in &mut report.errors {
        error.example = redactor.text(&error.example);
    }
    for note in &mut report.notes {
        *note = redactor.text(note);
    }
    report
}
