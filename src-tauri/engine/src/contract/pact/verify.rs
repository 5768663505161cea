//! A provider held to its pacts, one interaction after the other.

use patchbay_contracts::{
    Code, Problem,
    contract::{Check, CheckResult, ContractKind, ContractOptions, ContractProgress, ContractReport, EndpointResult, Severity},
    run::Verdict,
};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    super::{
        judge::{self, check},
        wanted,
    },
    broker::Broker,
    interactions::{Asked, Pact, read},
    judging::Judging,
    source::{PactFile, Source},
    states,
};
use crate::{Result, http::Context, secrets::Redactor};

/// Holds a provider to its pacts: each interaction is brought into its state, asked, judged, and its state taken down
/// where that is asked for. Interactions run one after the other, since they share the provider's state.
///
/// What can't be read is in the report's problems, and the rest is verified all the same. A provider that hangs or closes
/// leaves its interaction inconclusive. Cancelling keeps what was judged, as partial, and publishes nothing. `progress`
/// hears of each interaction.
///
/// # Errors
/// [`Code::InvalidInput`] for options that make no sense together; for a broker, those of fetching the list of its pacts.
pub async fn verify(
    context: &Context,
    source: &Source,
    options: &ContractOptions,
    cancel: &CancellationToken,
    mut progress: impl FnMut(ContractProgress) + Send,
) -> Result<ContractReport> {
    states::check(options)?;
    let clock = std::sync::Arc::clone(&context.ports.clock);
    let (at, began) = (clock.now(), clock.elapsed());
    let deadline = options.budget.map(|budget| Instant::now() + budget.0);
    let (from, files, problems) = fetch(context, source, options).await?;
    let redactor = context.secrets.redactor();
    let mut run =
        Run { context, options, deadline, endpoints: Vec::new(), problems, notes: Vec::new(), partial: false, redactor };
    let pacts = run.pacts(&files);
    let total = pacts.iter().map(|(_, pact)| pact.interactions.len()).sum();
    for (file, pact) in &pacts {
        let results = run.pact(file, pact, total, cancel, &mut progress).await;
        if options.pact.publish.is_some() {
            run.publish(&from, file, pact, &results).await;
        }
    }
    let first = pacts.first().map(|(_, pact)| pact);
    let provider = options.pact.provider.clone().or_else(|| first.map(|pact| pact.provider.clone()));
    let version = first.map(|pact| pact.specification.clone());
    let mut report = run.report();
    report.integration = provider.unwrap_or_else(|| from.clone());
    report.version = version;
    report.file = context.secrets.redactor().text(&from);
    (report.at, report.duration_ms) = (at, clock.elapsed().saturating_sub(began).as_secs_f64() * 1e3);
    Ok(report)
}

/// What the source is called, its pacts, and what could not be read of it.
async fn fetch(context: &Context, source: &Source, options: &ContractOptions) -> Result<(String, Vec<PactFile>, Vec<Problem>)> {
    Ok(match source {
        Source::Pacts { from, pacts, problems } => (from.clone(), pacts.clone(), problems.clone()),
        Source::Broker(address) => {
            let (pacts, problems) = Broker::new(context, address, options).pacts().await?;
            (address.clone(), pacts, problems)
        }
    })
}

/// A run under way.
struct Run<'a> {
    context: &'a Context,
    options: &'a ContractOptions,
    deadline: Option<Instant>,
    endpoints: Vec<EndpointResult>,
    problems: Vec<Problem>,
    notes: Vec<String>,
    partial: bool,
    redactor: Redactor,
}

impl Run<'_> {
    /// The pacts that can be read, with the interactions that were asked for.
    fn pacts<'f>(&mut self, files: &'f [PactFile]) -> Vec<(&'f PactFile, Pact)> {
        let mut pacts = Vec::new();
        for file in files {
            match read(file) {
                Ok(mut pact) => {
                    let consumers = &self.options.pact.consumers;
                    if consumers.is_empty() || consumers.contains(&pact.consumer) {
                        pact.interactions.retain(|asked| wanted(self.options, &[&asked.label]));
                        pacts.push((file, pact));
                    }
                }
                Err(problem) => self.problems.push(problem),
            }
        }
        let unset = |asked: &Asked| !asked.states.is_empty() && self.options.pact.states.is_none();
        if pacts.iter().any(|(_, pact)| pact.interactions.iter().any(unset)) {
            self.notes.push("Provider states were not set up, since nothing says how: give --states".to_owned());
        }
        pacts
    }

    /// Verifies a pact; gives the position of its first result.
    async fn pact(
        &mut self,
        file: &PactFile,
        pact: &Pact,
        total: usize,
        cancel: &CancellationToken,
        progress: &mut (impl FnMut(ContractProgress) + Send),
    ) -> Vec<(usize, usize)> {
        let mut results = Vec::new();
        for (index, asked) in pact.interactions.iter().enumerate() {
            let result = tokio::select! {
                biased;
                () = cancel.cancelled() => None,
                result = self.interaction(file, asked) => Some(result),
            };
            let Some(mut result) = result else {
                self.partial = true;
                self.tear_down(asked).await;
                break;
            };
            judge::redact(&mut result, &self.redactor);
            results.push((index, self.endpoints.len()));
            self.endpoints.push(result.clone());
            progress(ContractProgress { done: self.endpoints.len(), total, results: vec![result] });
        }
        results
    }

    /// A cancelled interaction leaves no state behind either, as far as that can be helped.
    async fn tear_down(&self, asked: &Asked) {
        if self.options.pact.tear_down {
            let down = states::change(self.context, self.options, &asked.states, states::Action::TearDown);
            // The person waits.
            let _ = tokio::time::timeout(std::time::Duration::from_secs(2), down).await;
        }
    }

    async fn interaction(&self, file: &PactFile, asked: &Asked) -> EndpointResult {
        let mut result = EndpointResult::new(&asked.label);
        let place = |below: &str| file.place(&format!("{}{below}", asked.pointer));
        let judging = Judging { context: self.context, options: self.options, file, asked };
        let judged = async {
            match self.deadline {
                Some(deadline) if deadline <= Instant::now() => Err(out_of_time()),
                Some(deadline) => {
                    tokio::time::timeout_at(deadline, judging.run(&mut result)).await.unwrap_or_else(|_| Err(out_of_time()))
                }
                None => judging.run(&mut result).await,
            }
        };
        if let Err(problem) = judged.await {
            result.checks.push(check(Check::Reachable, Verdict::Inconclusive, problem.what.clone(), place("")));
            result.problem = Some(Problem { place: problem.place.clone().or_else(|| place("")), ..problem });
        }
        if asked.pending {
            for failed in result.checks.iter_mut().filter(|check| check.verdict != Verdict::Pass) {
                (failed.verdict, failed.severity) = (Verdict::Fail, Severity::Warning);
                failed.message.push_str(" (the pact is pending, so this fails no run)");
            }
        }
        result.conclude();
        result
    }

    /// Tells the broker. Only a whole run is told of, and only one in which every interaction could be judged; checks that
    /// the person leaves out or only wants to be warned of count all the same, since others rely on what is published.
    async fn publish(&mut self, from: &str, file: &PactFile, pact: &Pact, results: &[(usize, usize)]) {
        let version = self.options.pact.publish.as_deref().unwrap_or_default();
        let judged = |(_, endpoint): &(usize, usize)| {
            self.endpoints.get(*endpoint).is_some_and(|endpoint| endpoint.verdict != Verdict::Inconclusive)
        };
        let why = if self.partial || results.len() < pact.interactions.len() {
            "the run was cancelled"
        } else if results.len() < interactions(file) {
            "not all of its interactions were asked for"
        } else if results.is_empty() || !results.iter().all(judged) {
            "some of its interactions could not be judged"
        } else {
            let told: Vec<Value> = results
                .iter()
                .filter_map(|(asked, endpoint)| Some(told(pact.interactions.get(*asked)?, self.endpoints.get(*endpoint)?)))
                .collect();
            let broker = Broker::new(self.context, from, self.options);
            match broker.publish(&file.value, version, &told).await {
                Ok(()) => self.notes.push(format!("The results of {} were published as version {version}", pact.consumer)),
                Err(problem) => self.problems.push(problem),
            }
            return;
        };
        self.notes.push(format!("The results of {} were not published: {why}", pact.consumer));
    }

    fn report(mut self) -> ContractReport {
        // What was learnt to be a credential half-way may stand in earlier results.
        let redactor = self.context.secrets.redactor();
        self.endpoints.iter_mut().for_each(|result| judge::redact(result, &redactor));
        for Problem { what, why, next, .. } in &mut self.problems {
            [what, why, next].into_iter().for_each(|text| *text = redactor.text(text));
        }
        self.notes.iter_mut().for_each(|note| *note = redactor.text(note));
        let mut report = ContractReport {
            base_url: redactor.text(self.options.url.as_deref().or(self.options.pact.messages.as_deref()).unwrap_or_default()),
            partial: self.partial,
            endpoints: self.endpoints,
            problems: self.problems,
            notes: self.notes,
            ..ContractReport::new(ContractKind::Pact, "", "")
        };
        report.conclude();
        report
    }
}

fn out_of_time() -> Problem {
    Problem::new(Code::Timeout, "It was not judged, since the time budget ran out").next("Give the run more time")
}

fn interactions(file: &PactFile) -> usize {
    ["interactions", "messages"].into_iter().filter_map(|list| file.value.get(list)?.as_array()).map(Vec::len).sum()
}

/// One interaction, as a broker is told of it.
fn told(asked: &Asked, result: &EndpointResult) -> Value {
    let failed = |check: &&CheckResult| check.verdict == Verdict::Fail;
    let mismatches: Vec<Value> = result.checks.iter().filter(failed).map(mismatch).collect();
    let mut told = json!({ "success": mismatches.is_empty(), "interactionDescription": asked.description });
    if let Some(map) = told.as_object_mut() {
        if let Some(id) = &asked.id {
            map.insert("interactionId".to_owned(), id.clone().into());
        }
        if !mismatches.is_empty() {
            map.insert("mismatches".to_owned(), mismatches.into());
        }
    }
    told
}

fn mismatch(failed: &CheckResult) -> Value {
    let attribute = match failed.check {
        Check::ContentType | Check::Body => "body",
        other => other.as_str(),
    };
    let mut told = json!({ "attribute": attribute, "description": failed.message });
    if let (Some(map), Some(pointer)) = (told.as_object_mut(), &failed.pointer) {
        map.insert("identifier".to_owned(), pointer.clone().into());
    }
    told
}
