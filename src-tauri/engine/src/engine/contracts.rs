//! Contract runs: of an integration's endpoints, of the document that its file names, and of documents from anywhere.

use std::path::{Path, PathBuf};

use patchbay_contracts::{
    Code, Problem,
    contract::{ContractOptions, ContractProgress, ContractReport, ContractSubject, EndpointResult},
    integration::{Auth, AuthSpec, ContractSource, Integration},
    ipc::{AcceptFailure, Event},
    run::{Job, JobId, Progress, Report, RunKind, Verdict},
    secret::Sensitive,
};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Engine, PACE, Subject};
use crate::{
    Result,
    contract::{self, Contract, accepted},
    http,
    secrets::hosts::host_of,
    utils::{limit::Spacing, pattern},
};

impl Engine {
    /// Starts a contract run of an integration: of its endpoints, and of the document that its file names.
    ///
    /// # Errors
    /// An address that is none, a name of a check that there isn't, a schema file that can't be read.
    pub async fn start_contract_of(&self, subject: Subject, mut options: ContractOptions) -> Result<Job> {
        contract::check_options(&options)?;
        let Subject { file, mut definition, parsed, schemas } = subject;
        definition.base_url = Some(match &options.url {
            Some(url) => address(url)?,
            None => self.base_url(&definition)?,
        });
        options.url.clone_from(&definition.base_url);
        self.hold_credentials(&mut options, None).await?;
        if let Some(auth) = &options.auth {
            definition.auth = Some(auth.clone());
        }
        if let Some(Auth::Kind(kind)) = definition.auth {
            definition.auth = Some(Auth::Spec(http::spelled_out(kind, Some(&definition.name))?));
        }
        definition.headers.extend(options.headers.iter().cloned());
        let wanted = with_what_they_need(&mut definition, &options);
        Ok(self.start(RunKind::Contract, definition.name.clone(), |engine, reins| async move {
            let mut listener = Listener::new(engine.clone(), reins.id);
            let context = engine.context_of(&definition, &schemas, &parsed.positions);
            let verified =
                contract::verify(&context, &file, &definition, &parsed.positions, &schemas, &reins.cancel, |mut news| {
                    news.results.retain(|result| wanted.contains(&result.endpoint));
                    listener.hear(news);
                });
            let mut report = verified.await;
            report.endpoints.retain(|result| wanted.contains(&result.endpoint));
            report.conclude();
            if let Some(source) = &definition.contract
                && !report.partial
            {
                let document = engine.beside(&file, &source.file);
                let options = options_of(source, &definition, options.clone());
                listener.behind(report.endpoints.len());
                let own = engine.verify_document(&context, &document, &options, &reins.cancel, &mut listener).await;
                report = joined(report, own);
            }
            let chosen = options.accepted.clone().or(definition.contract.and_then(|source| source.accepted));
            let beside = engine.workspace().dir().join(&file);
            engine.finish_contract(&mut report, &options, chosen.as_deref(), &beside)?;
            report.subject = Some(ContractSubject::Integration { name: definition.name });
            Ok(Report::Contract(report))
        }))
    }

    /// Starts a contract run of a document that belongs to no integration: a file or its address.
    ///
    /// # Errors
    /// An address that is none, or a name of a check that there isn't. What is wrong with the document itself ends the job.
    pub async fn start_document_contract_of(&self, source: String, mut options: ContractOptions) -> Result<Job> {
        contract::check_options(&options)?;
        if let Some(url) = &options.url {
            options.url = Some(address(url)?);
        }
        let context = self.context(None);
        self.hold_credentials(&mut options, Some(&source)).await?;
        Ok(self.start(RunKind::Contract, source.clone(), |engine, reins| async move {
            let mut listener = Listener::new(engine.clone(), reins.id);
            let mut report = engine.verify_document(&context, &source, &options, &reins.cancel, &mut listener).await?;
            engine.finish_contract(&mut report, &options, options.accepted.as_deref(), Path::new(&source))?;
            report.subject = engine.document_subject(&source, options);
            Ok(Report::Contract(report))
        }))
    }

    /// What a run of a document is kept as, so that it can be made again; nothing where a credential would be kept with it.
    /// Made again, it publishes nothing.
    fn document_subject(&self, source: &str, mut options: ContractOptions) -> Option<ContractSubject> {
        let reference = |value: &str| value.starts_with("${") && value.find('}') == Some(value.len() - 1);
        let auths = options.auth.iter_mut().chain(&mut options.pact.broker_auth);
        let plain = auths.filter_map(credential).any(|(_, value)| !reference(value))
            || options.headers.iter().any(|(name, value)| http::is_credential(name) && !reference(value));
        let redactor = self.0.secrets.redactor();
        let told = [Some(source), options.url.as_deref(), options.pact.states.as_deref(), options.pact.messages.as_deref()];
        let headers = options.headers.iter().map(|(_, value)| value.as_str());
        let secret = |text: &str| {
            redactor.text(text) != text
                || Url::parse(text).is_ok_and(|url| url.password().is_some() || !url.username().is_empty())
        };
        if plain || told.into_iter().flatten().chain(headers).any(secret) {
            return None;
        }
        options.pact.publish = None;
        Some(ContractSubject::Document { source: source.to_owned(), options: Box::new(options) })
    }

    async fn verify_document(
        &self,
        context: &http::Context,
        source: &str,
        options: &ContractOptions,
        cancel: &CancellationToken,
        listener: &mut Listener,
    ) -> Result<ContractReport> {
        let opened = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Problem::new(Code::Cancelled, "Cancelled before the contract was read")),
            opened = Contract::open(context, source, options, self.workspace().dir()) => opened?,
        };
        opened.verify(context, options, cancel, |news| listener.hear(news)).await
    }

    /// A file that another one names relative to itself; an address is itself.
    fn beside(&self, file: &str, named: &str) -> String {
        if named.contains("://") {
            return named.to_owned();
        }
        let file = self.workspace().dir().join(file);
        file.parent().map_or_else(|| PathBuf::from(named), |folder| folder.join(named)).display().to_string()
    }

    /// Leaves out the checks that nobody wants, weighs the others as they are wanted, and marks accepted failures.
    pub(super) fn finish_contract(
        &self,
        report: &mut ContractReport,
        options: &ContractOptions,
        chosen: Option<&str>,
        beside: &Path,
    ) -> Result<()> {
        contract::choose(report, options);
        let path = match chosen {
            Some(file) => self.workspace().dir().join(file),
            None => self.accepted_beside(beside),
        };
        let shown = self.shown(&path);
        accepted::AcceptedFailures::read(&path, &shown)?.apply(report, self.now());
        report.accepted_file = Some(path.display().to_string());
        Ok(())
    }

    /// The file of accepted failures beside a contract; that of the workspace for a contract from an address.
    fn accepted_beside(&self, contract: &Path) -> PathBuf {
        let address = contract.to_string_lossy().contains("://");
        let folder = contract.parent().filter(|folder| !folder.as_os_str().is_empty() && !address);
        folder.map_or_else(|| self.workspace().dir().to_owned(), Path::to_owned).join(accepted::FILE)
    }

    fn shown(&self, path: &Path) -> String {
        let relative = path.strip_prefix(self.workspace().dir()).unwrap_or(path);
        relative.display().to_string()
    }

    /// Writes down that a failure of a stored run is put up with until a day; gives the file.
    pub(super) async fn accept_failure_of(&self, arguments: AcceptFailure) -> Result<String> {
        let run = self.0.store.run(arguments.run).await?;
        let Report::Contract(report) = &run.report else {
            return Err(Problem::new(Code::InvalidInput, format!("Run {} is no contract run", arguments.run)));
        };
        let failed =
            report.endpoints.iter().filter(|endpoint| pattern::matches(&arguments.endpoint, &endpoint.endpoint)).any(
                |endpoint| endpoint.checks.iter().any(|check| check.check == arguments.check && check.verdict == Verdict::Fail),
            );
        if !failed {
            let what = format!("In run {}, {} did not fail at {}", arguments.run, arguments.check.as_str(), arguments.endpoint);
            return Err(Problem::new(Code::NotFound, what).next("`patchbay report RUN` shows what failed"));
        }
        let path = match &report.accepted_file {
            Some(file) => PathBuf::from(file),
            None => self.accepted_beside(Path::new(&report.file)),
        };
        let entry = accepted::Entry {
            operation: arguments.endpoint,
            check: arguments.check.as_str().to_owned(),
            pointer: arguments.pointer.filter(|pointer| !pointer.is_empty()),
            reason: arguments.reason,
            until: arguments.until,
        };
        accepted::accept(&path, &self.shown(&path), &entry, self.now())?;
        tracing::info!(operation = entry.operation, check = entry.check, until = entry.until, "accepted a failure");
        Ok(path.display().to_string())
    }

    /// Credentials that were typed in plain are kept in memory, bound to the host that is called, and named from there on:
    /// nothing else keeps them out of reports.
    async fn hold_credentials(&self, options: &mut ContractOptions, source: Option<&str>) -> Result<()> {
        let host = |text: Option<&str>| text.and_then(|text| Url::parse(text).ok()).and_then(|url| host_of(&url));
        let origin = host(source.map(|source| source.strip_prefix("pact-broker:").unwrap_or(source)));
        let called = host(options.url.as_deref()).or_else(|| origin.clone());
        let mut plain: Vec<(&str, &mut String, &Option<String>)> = Vec::new();
        plain.extend(options.auth.iter_mut().filter_map(credential).map(|(name, value)| (name, value, &called)));
        plain.extend(options.pact.broker_auth.iter_mut().filter_map(credential).map(|(name, value)| (name, value, &origin)));
        let headers = options.headers.iter_mut().filter(|(name, _)| http::is_credential(name));
        plain.extend(headers.map(|(_, value)| ("header", value, &called)));
        for (name, value, host) in plain.into_iter().filter(|(_, value, _)| !value.contains("${")) {
            let Some(host) = host else {
                return Err(Problem::new(
                    Code::InvalidInput,
                    "A credential is written out, and it isn't known which host it is for",
                )
                .why("one that is bound to no host could be sent anywhere")
                .next("Name the address with --url, or the credential as ${secret:NAME}"));
            };
            let held = self.0.secrets.hold(name, Sensitive::new(value.clone()), vec![host.clone()]).await?;
            *value = format!("${{secret:{held}}}");
        }
        Ok(())
    }
}

/// What must be kept secret of an authentication, with a name for it.
fn credential(auth: &mut Auth) -> Option<(&'static str, &mut String)> {
    match auth {
        Auth::Spec(AuthSpec::Bearer { token }) => Some(("token", token)),
        Auth::Spec(AuthSpec::Basic { password, .. }) => Some(("password", password)),
        Auth::Spec(AuthSpec::ApiKey { value, .. }) => Some(("api-key", value)),
        _ => None,
    }
}

/// Leaves only the endpoints that are wanted, and those that capture what they refer to; gives the labels of the wanted ones.
fn with_what_they_need(definition: &mut Integration, options: &ContractOptions) -> Vec<String> {
    let endpoints = &definition.endpoints;
    let mut needed: Vec<bool> = endpoints.iter().map(|endpoint| contract::wanted(options, &[&endpoint.label()])).collect();
    let chosen = endpoints.iter().zip(&needed).filter(|(_, needed)| **needed).map(|(endpoint, _)| endpoint.label()).collect();
    // What is needed stands before what needs it.
    for index in (0..endpoints.len()).rev() {
        let text = if needed[index] { serde_json::to_string(&endpoints[index]).unwrap_or_default() } else { continue };
        for (earlier, needed) in endpoints[..index].iter().zip(&mut needed) {
            *needed |= earlier.capture.keys().any(|name| text.contains(&format!("${{{name}}}")));
        }
    }
    let mut kept = needed.into_iter();
    definition.endpoints.retain(|_| kept.next().unwrap_or(true));
    chosen
}

/// Hands progress on, not too often, and nothing of it lost.
pub(super) struct Listener {
    engine: Engine,
    job: JobId,
    spacing: Spacing,
    waiting: Vec<EndpointResult>,
    before: usize,
}

impl Listener {
    pub(super) fn new(engine: Engine, job: JobId) -> Self {
        Self { engine, job, spacing: Spacing::new(PACE), waiting: Vec::new(), before: 0 }
    }

    /// What comes now is behind so many results of the same run.
    fn behind(&mut self, count: usize) {
        self.before = count;
    }

    pub(super) fn hear(&mut self, mut news: ContractProgress) {
        self.waiting.append(&mut news.results);
        if self.spacing.due() || news.done == news.total {
            news.results = std::mem::take(&mut self.waiting);
            news.done += self.before;
            news.total += self.before;
            self.engine.tell(Event::Progress { job: self.job, progress: Progress::Contract(news) });
        }
    }
}

/// What a person chose, else what the integration's file says.
fn options_of(source: &ContractSource, definition: &Integration, options: ContractOptions) -> ContractOptions {
    let or = |own: Vec<String>, file: &[String]| if own.is_empty() { file.to_vec() } else { own };
    let mut pact = options.pact;
    pact.states = pact.states.or_else(|| source.states.clone());
    ContractOptions {
        auth: options.auth.or_else(|| definition.auth.clone()),
        headers: definition.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        only: or(options.only, &source.only),
        skip: or(options.skip, &source.skip),
        warn: or(options.warn, &source.warn),
        seed: options.seed.or(source.seed),
        budget: options.budget.or(source.budget),
        pact,
        ..options
    }
}

/// The report of an integration with that of its document. A document that can't be read leaves the run inconclusive.
fn joined(mut report: ContractReport, own: Result<ContractReport>) -> ContractReport {
    match own {
        Ok(own) => {
            if report.endpoints.is_empty() {
                report.file = own.file;
                report.kind = own.kind;
            }
            report.duration_ms += own.duration_ms;
            report.partial |= own.partial;
            report.endpoints.extend(own.endpoints);
            report.seed = own.seed;
            report.coverage = own.coverage;
            report.problems.extend(own.problems);
            report.notes.extend(own.notes);
        }
        Err(problem) => report.problems.push(problem),
    }
    report.conclude();
    report
}

fn address(text: &str) -> Result<String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err(Problem::new(Code::InvalidInput, format!("`{text}` is not an address"))
            .next("Write it whole, such as http://127.0.0.1:8617")),
    }
}
