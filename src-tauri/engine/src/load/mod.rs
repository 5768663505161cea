//! From an integration to a load run and back.

mod care;
mod feeds;
mod inspect;
mod script;
mod setup;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use patchbay_contracts::{
    Problem,
    integration::{Integration, LoadSpec},
    load::{LoadError, LoadProgress, LoadReport},
};
use patchbay_load::script::Script;
use tokio_util::sync::CancellationToken;

pub use self::care::{needs_confirmation, within_limits};
pub(crate) use self::script::COMPUTED_NAMES;
use self::setup::Calls;
use crate::{Result, contract::Schemas, http::Context, secrets::Redactor};

/// A load run that can be carried out: all references are filled in, and requests are as they go out.
#[derive(Debug)]
pub struct Plan {
    script: Script,
    spec: LoadSpec,
    redactor: Redactor,
    teardown: Calls,
}

/// Makes a plan: for the endpoints of the mix or the chain, else for the one endpoint that `spec` names, the first one
/// without a name. Calls the endpoints of the setup. Files are looked for in `folder`.
///
/// # Errors
/// An endpoint that isn't there, a variable, a captured value or a credential that is missing, an address that is none, a
/// file that can't be read, a call of the setup that failed.
pub async fn plan(
    context: &Context,
    definition: &Integration,
    schemas: &Schemas,
    folder: &Path,
    mut spec: LoadSpec,
) -> Result<Plan> {
    spec.timeout = spec.timeout.or(definition.error_handling.timeout);
    let mut context = context.clone();
    let setup = Calls::new(definition, schemas, &spec.setup)?;
    let teardown = Calls::new(definition, schemas, &spec.teardown)?;
    setup.make(&mut context).await?;
    let making = script::Making::new(&context, definition, schemas, folder);
    let script = match making.run(&mut spec).await {
        Ok(script) => script,
        Err(problem) => {
            // What the setup made is taken down although there will be no run.
            teardown.make_all(&mut context).await;
            return Err(problem);
        }
    };
    let redactor = context.secrets.redactor();
    Ok(Plan { script, spec, redactor, teardown: teardown.with(context) })
}

/// Carries a plan out on threads of its own, and calls the endpoints of the teardown. Cancelled, it gives what it has by
/// then, marked as partial.
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
    let Plan { script, spec, redactor, mut teardown } = plan;
    let working = tokio::task::spawn_blocking(move || {
        let mut tell = |mut news: LoadProgress| {
            redact(&mut news.errors, &redactor);
            progress(news);
        };
        let report = patchbay_load::run(&script, &spec, &stopping, &mut tell);
        report.map(|report| redacted(report, &redactor))
    });
    let watching = tokio::spawn(async move {
        cancel.cancelled().await;
        stop.store(true, Ordering::Relaxed);
    });
    let report = working.await;
    watching.abort();
    let failed = teardown.finish().await;
    let mut report = report.map_err(Problem::internal)??;
    report.notes.extend(failed.iter().map(|problem| format!("The teardown did not go well: {problem}")));
    Ok(report)
}

/// What a service sent may stand in the examples of its errors.
fn redact(errors: &mut [LoadError], redactor: &Redactor) {
    for error in errors {
        error.example = redactor.text(&error.example);
    }
}

fn redacted(mut report: LoadReport, redactor: &Redactor) -> LoadReport {
    redact(&mut report.errors, redactor);
    for note in &mut report.notes {
        *note = redactor.text(note);
    }
    report
}
