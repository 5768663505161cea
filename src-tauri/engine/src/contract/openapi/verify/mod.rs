//! Holding a service to an OpenAPI document: every operation is called with the document's examples and with generated
//! input, valid and broken, resources are followed over their life, and each answer is judged.
//!
//! Operations are tried side by side, and each by itself in a fixed order, so that the same seed makes the same requests.
//! What the document doesn't say is not judged.

mod call;
mod cases;
mod compile;
mod coverage;
mod drive;
mod judge;
mod keep;
mod ledger;
mod lifecycle;
mod links;
mod plan;
mod resources;
mod run;
mod setup;
mod small;
mod trial;
mod wire;
mod written;

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use patchbay_contracts::{
    Code, Problem,
    contract::{CheckResult, ContractOptions, ContractProgress, ContractReport, Coverage, EndpointResult},
    integration::{Auth, AuthSpec},
};
use tokio_util::sync::CancellationToken;

use self::{
    call::Common,
    compile::{Compiled, compile},
    judge::Finding,
    plan::Weights,
    resources::collections,
    run::Run,
    wire::{Ended, Wire},
};
use super::Api;
use crate::{
    Result,
    contract::{document::Document, judge::redact},
    http::{Bounds, Context, Pool, address, spelled_out},
    secrets::template::fill_plain,
};

/// The seed where none is given.
pub const SEED: u64 = 20_260_131;
/// How many operations are tried side by side.
const TOGETHER: usize = 8;
/// How much of an answer is taken in.
const BOUNDS: Bounds = Bounds { body: 4 * 1024 * 1024, headers: 200, redirects: 0 };

/// Holds a service to a document. A run that is cancelled or whose budget runs out keeps what was judged until then and is
/// never a pass; `progress` hears of each finished operation.
///
/// # Errors
/// Where nothing can be judged at all: the document is of another kind or can't be used, and no address is known.
pub async fn verify(
    context: &Context,
    document: &Document,
    options: &ContractOptions,
    cancel: &CancellationToken,
    mut progress: impl FnMut(ContractProgress) + Send,
) -> Result<ContractReport> {
    let clock = Arc::clone(&context.ports.clock);
    let (at, began) = (clock.now(), clock.elapsed());
    let api = Api::read(context, document).await?;
    let Compiled { ops, problems: unusable, cut } = compile(&api, options);
    let base = base_url(context, &api, options)?;
    let seed = options.seed.unwrap_or(SEED);
    let common = Common { base: base.clone(), headers: options.headers.clone(), auth: auth(options)? };
    let pool = Pool::new(context, &address(&fill_plain(&base, &context.scope)?)?, BOUNDS).await?;
    let wire = Wire::new(context.clone(), common, cancel.clone(), options.budget.map(|span| span.0), pool);
    let collections = collections(&ops);
    let run = Arc::new(Run::new(ops, collections, wire, seed));
    let chosen: Vec<usize> = run.ops.iter().enumerate().filter(|(_, op)| op.chosen).map(|(index, _)| index).collect();
    let total = chosen.len();
    let finish = Finish { api: &api, weights: Weights::new(&options.warn) };
    let redactor = context.secrets.redactor();
    let mut results: Vec<Option<EndpointResult>> = chosen.iter().map(|_| None).collect();
    let mut finished = stream::iter(chosen.clone())
        .map(|index| {
            let run = Arc::clone(&run);
            async move {
                run.tried(index).await;
                index
            }
        })
        .buffer_unordered(TOGETHER);
    let mut done = 0;
    run.anchor().await;
    while let Some(index) = finished.next().await {
        done += 1;
        let mut result = finish.result(&run, index);
        redact(&mut result, &redactor);
        progress(ContractProgress { done, total, results: vec![result] });
    }
    drop(finished);
    run.confirm_latency().await;
    let ended = run.wire.ended();
    run.clear_away().await;
    // One operation may have shown what is wrong with another, whose result was told already.
    for (index, place) in chosen.iter().copied().zip(&mut results) {
        let mut result = finish.result(&run, index);
        redact(&mut result, &redactor);
        *place = Some(result);
    }
    let endpoints: Vec<EndpointResult> = results.into_iter().flatten().collect();
    let partial = ended.is_some();
    let mut notes = Vec::new();
    match ended {
        Some(Ended::Late) => notes.push("The time budget ran out before everything was tried".to_owned()),
        Some(Ended::Cancelled) => notes.push("It was cancelled before everything was tried".to_owned()),
        None => {}
    }
    if cut {
        notes.push(format!("The document has more operations than a run takes; the first {total} were judged"));
    }
    if total == 0 {
        notes.push("No operation was chosen, so that nothing was judged".to_owned());
    }
    let mut problems = api.problems.clone();
    if api.broken.is_empty() {
        // Oddities that cost no operation are no reason to doubt what was judged.
        notes.extend(problems.drain(..).map(|problem| problem.to_string()));
    }
    problems.extend(unusable);
    problems.extend(api.unjudged.iter().cloned());
    let seen = run.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let coverage = Coverage {
        operations: run.ops.iter().zip(&seen).filter(|(op, _)| op.chosen).map(|(op, seen)| seen.coverage(op)).collect(),
    };
    let mut report = ContractReport {
        version: Some(api.version.clone()).filter(|version| !version.is_empty()),
        base_url: redactor.text(&base),
        at,
        duration_ms: clock.elapsed().saturating_sub(began).as_secs_f64() * 1e3,
        partial,
        endpoints,
        seed: Some(seed),
        coverage: Some(coverage),
        problems,
        notes,
        ..ContractReport::new(document.kind, if api.title.is_empty() { &document.file } else { &api.title }, &document.file)
    };
    report.conclude();
    Ok(report)
}

/// The last touches on a result.
struct Finish<'a> {
    api: &'a Api,
    weights: Weights,
}

impl Finish<'_> {
    fn result(&self, run: &Run, index: usize) -> EndpointResult {
        let label = run.ops.get(index).map_or("", |op| &op.label);
        let touch = |result: CheckResult, finding: &Finding| CheckResult {
            place: self.api.place(&finding.asked),
            severity: self.weights.of(finding.check, finding.severity),
            ..result
        };
        let Some(ledger) = run.ledgers.of(index) else { return EndpointResult::new(label) };
        ledger.conclude(label, touch)
    }
}

/// The address to call: that of the person, else the first server of the document.
fn base_url(context: &Context, api: &Api, options: &ContractOptions) -> Result<String> {
    let missing = || {
        Problem::new(Code::InvalidInput, "It is not known which address to call")
            .why("the document names no whole address of a server")
            .next("Name one: --url http://localhost:8080")
    };
    let server = api.servers.iter().find(|server| server.contains("://"));
    let base = options.url.as_ref().or(server).ok_or_else(missing)?;
    let base = base.trim().trim_end_matches('/').to_owned();
    // What is wrong with it is told before anything is sent.
    let whole = address(&fill_plain(&base, &context.scope)?)?;
    Ok(if base.contains("://") || base.contains("${") { base } else { whole.to_string().trim_end_matches('/').to_owned() })
}

/// How requests authenticate. A type alone names the secrets of an integration, and a document belongs to none.
fn auth(options: &ContractOptions) -> Result<Option<AuthSpec>> {
    match &options.auth {
        None => Ok(None),
        Some(Auth::Spec(spec)) => Ok(Some(spec.clone())),
        Some(Auth::Kind(kind)) => spelled_out(*kind, None).map(Some),
    }
}
