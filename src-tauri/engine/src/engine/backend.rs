//! The commands, as `contracts` declares them. Both shells call these.

use std::path::Path;

use patchbay_contracts::{
    Code, Problem,
    health::{HealthCheck, HealthHistory, Incident},
    integration::{Auth, AuthSpec},
    ipc::{self, Backend, Event},
    metrics::{Line, ScrapeReport, SeriesInfo},
    mock::{MOCK_TOKEN, MockState},
    probe::{ProbeRequest, Understood},
    run::{Job, Report, Run, RunSummary},
    sample::SampleState,
    secret::SecretInfo,
    workspace::{AppState, DoctorReport, IntegrationDetail, IntegrationSummary, LogLine, Saved},
};

use super::{Engine, Subject};
use crate::{Result, contract::mock::MockOptions, definition, http, k6::Format, log, metrics, monitor, report};

/// The most runs that one call gives.
const RUNS: u32 = 1_000;
/// The most incidents that one call gives.
const INCIDENTS: u32 = 500;

impl Backend for Engine {
    async fn app(&self, _: ipc::GetApp) -> Result<AppState> {
        let workspace = &self.0.workspace;
        Ok(AppState {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            workspace: workspace.dir().display().to_string(),
            database: self.0.store.location().to_owned(),
            environment: workspace.environment(),
            environments: workspace.environments(),
            keychain: self.0.secrets.state(),
            read_only: workspace.read_only(),
            problems: workspace.problems(),
            monitoring: self.monitoring(),
            undo: workspace.undoable(),
            settings: self.settings(),
        })
    }

    async fn list(&self, _: ipc::ListIntegrations) -> Result<Vec<IntegrationSummary>> {
        let mut all = Vec::new();
        for entry in self.0.workspace.entries() {
            all.push(self.summary(&entry).await?);
        }
        Ok(all)
    }

    async fn show(&self, arguments: ipc::ShowIntegration) -> Result<IntegrationDetail> {
        let entry = self.0.workspace.entry(&arguments.name)?;
        Ok(IntegrationDetail {
            summary: self.summary(&entry).await?,
            definition: entry.parsed.definition.clone(),
            text: entry.text.to_string(),
            revision: entry.revision.clone(),
            incident: self.0.store.current_incident(&entry.name).await?,
        })
    }

    async fn add(&self, arguments: ipc::AddIntegration) -> Result<Saved> {
        let input = arguments.input.trim();
        // A file names itself; anything else is an address or a curl line.
        let text = if input.contains('\n') && input.contains("integration:") {
            arguments.input.clone()
        } else {
            let understood = self.understand(ipc::UnderstandRequest { input: input.to_owned() }).await?;
            definition::from_request(&understood.request, arguments.name.as_deref())?
        };
        let saved = self.0.workspace.add(arguments.name.as_deref(), &text)?;
        tracing::info!(integration = saved.name, file = saved.file, "registered");
        self.workspace_changed();
        Ok(saved)
    }

    async fn save(&self, arguments: ipc::SaveDefinition) -> Result<Saved> {
        let saved = self.0.workspace.save(&arguments.name, &arguments.text, &arguments.revision)?;
        self.workspace_changed();
        Ok(saved)
    }

    async fn edit(&self, arguments: ipc::EditDefinition) -> Result<Saved> {
        let saved = self.0.workspace.edit(&arguments.name, &arguments.edits)?;
        self.workspace_changed();
        Ok(saved)
    }

    async fn check_definition(&self, arguments: ipc::CheckDefinition) -> Result<Vec<Problem>> {
        Ok(definition::parse("", arguments.text.as_bytes()).problems)
    }

    async fn remove(&self, arguments: ipc::RemoveIntegration) -> Result<()> {
        self.0.workspace.remove(&arguments.name)?;
        tracing::info!(integration = arguments.name, "removed");
        self.workspace_changed();
        Ok(())
    }

    async fn undo(&self, _: ipc::Undo) -> Result<String> {
        let undone = self.0.workspace.undo()?;
        self.workspace_changed();
        Ok(undone)
    }

    async fn select_environment(&self, arguments: ipc::SelectEnvironment) -> Result<AppState> {
        self.0.workspace.select_environment(&arguments.name)?;
        self.workspace_changed();
        self.app(ipc::GetApp {}).await
    }

    async fn save_settings(&self, arguments: ipc::SaveSettings) -> Result<AppState> {
        if arguments.settings.keep_days == 0 {
            return Err(Problem::new(Code::InvalidInput, "Results must be kept for at least one day"));
        }
        self.0.store.save_settings(&arguments.settings).await?;
        self.set_settings(arguments.settings.clone());
        if arguments.settings.monitor {
            self.start_monitor();
        } else {
            self.stop_monitor().await;
        }
        self.app(ipc::GetApp {}).await
    }

    async fn understand(&self, arguments: ipc::UnderstandRequest) -> Result<Understood> {
        http::understand(&arguments.input)?.keep(&self.0.secrets).await
    }

    async fn endpoint_request(&self, arguments: ipc::EndpointRequest) -> Result<ProbeRequest> {
        let Subject { definition, schemas, .. } = self.placed(&arguments.integration)?;
        let endpoint = definition.endpoint_or_first(arguments.endpoint.as_deref())?;
        http::request_with(&definition, endpoint, &schemas)
    }

    async fn probe(&self, arguments: ipc::SendProbe) -> Result<Run> {
        let context = self.context_named(arguments.request.integration.as_deref());
        let mut probe = http::send(&context, &arguments.request, http::Bounds::default()).await;
        probe.integration.clone_from(&arguments.request.integration);
        let total = probe.timing.total_ms;
        let report = Report::Probe(probe);
        let summary = self.keep(&report, total).await?;
        Ok(Run { summary, report })
    }

    async fn start_contract(&self, arguments: ipc::StartContract) -> Result<Job> {
        self.start_contract_of(self.subject(&arguments.integration)?, arguments.options).await
    }

    async fn start_document_contract(&self, arguments: ipc::StartDocumentContract) -> Result<Job> {
        self.start_document_contract_of(arguments.source, arguments.options).await
    }

    async fn start_file_check(&self, arguments: ipc::StartFileCheck) -> Result<Job> {
        self.start_file_check_of(arguments.check).await
    }

    async fn accept_failure(&self, arguments: ipc::AcceptFailure) -> Result<String> {
        self.accept_failure_of(arguments).await
    }

    async fn start_load(&self, arguments: ipc::StartLoad) -> Result<Job> {
        self.start_load_of(self.subject(&arguments.integration)?, arguments.spec, arguments.options).await
    }

    async fn export_load(&self, arguments: ipc::ExportLoad) -> Result<String> {
        let format = Format::named(&arguments.format)?;
        let subject = self.subject(&arguments.integration)?;
        let exported = self.export_load_of(subject, &arguments.spec, format, arguments.parallelism).await?;
        self.write_load(&arguments.integration, &exported, format)
    }

    async fn import_load(&self, arguments: ipc::ImportLoad) -> Result<RunSummary> {
        let subject = self.subject(&arguments.integration)?;
        let spec = subject.definition.load.clone().unwrap_or_default();
        self.import_load_of(subject, &spec, Path::new(&arguments.summary)).await
    }

    async fn cancel(&self, arguments: ipc::CancelJob) -> Result<()> {
        self.0.jobs.cancel(arguments.job)
    }

    async fn jobs(&self, _: ipc::ListJobs) -> Result<Vec<Job>> {
        Ok(self.0.jobs.list())
    }

    async fn runs(&self, arguments: ipc::ListRuns) -> Result<Vec<RunSummary>> {
        let limit = arguments.limit.min(RUNS);
        self.0.store.runs(arguments.integration.as_deref(), arguments.kind, limit, arguments.before).await
    }

    async fn run(&self, arguments: ipc::GetRun) -> Result<Run> {
        self.0.store.run(arguments.id).await
    }

    async fn export(&self, arguments: ipc::ExportRun) -> Result<String> {
        let run = self.0.store.run(arguments.id).await?;
        let format = report::Format::named(&arguments.format)?;
        let file = self.0.workspace.dir().join("reports").join(report::file_name(&run, format));
        report::write(&file, &run, format)?;
        Ok(file.display().to_string())
    }

    async fn check_now(&self, arguments: ipc::CheckNow) -> Result<HealthCheck> {
        let Subject { definition, schemas, parsed, .. } = self.placed(&arguments.integration)?;
        let context = self.context_of(&definition, &schemas, &parsed.positions);
        let check = monitor::check_with(&context, &definition, &schemas).await;
        monitor::record(&self.0.store, &definition, &check).await?;
        self.tell(Event::HealthChanged { integration: definition.name });
        Ok(check)
    }

    async fn health(&self, arguments: ipc::GetHealth) -> Result<HealthHistory> {
        let definition = self.subject(&arguments.integration)?.definition;
        monitor::history(&self.0.store, &definition, arguments.from, arguments.to, self.now()).await
    }

    async fn incidents(&self, arguments: ipc::ListIncidents) -> Result<Vec<Incident>> {
        self.0.store.incidents(arguments.integration.as_deref(), INCIDENTS).await
    }

    async fn scrape_now(&self, arguments: ipc::ScrapeNow) -> Result<ScrapeReport> {
        let Subject { definition, schemas, parsed, .. } = self.placed(&arguments.integration)?;
        let scraped = metrics::scrape(&self.context_of(&definition, &schemas, &parsed.positions), &definition).await?;
        self.0.store.add_scrape(&definition.name, &scraped).await?;
        self.tell(Event::Scraped { integration: definition.name });
        Ok(scraped)
    }

    async fn series(&self, arguments: ipc::ListSeries) -> Result<Vec<SeriesInfo>> {
        self.0.store.series(&arguments.integration).await
    }

    async fn query(&self, arguments: ipc::QuerySeries) -> Result<Vec<Line>> {
        metrics::query(&self.0.store, &arguments.query).await
    }

    async fn secrets(&self, _: ipc::ListSecrets) -> Result<Vec<SecretInfo>> {
        self.0.secrets.list(&self.secrets_in_use()).await
    }

    async fn set_secret(&self, arguments: ipc::SetSecret) -> Result<SecretInfo> {
        let mut hosts = arguments.hosts;
        if hosts.is_empty() {
            hosts = self.hosts_of_secret(&arguments.name);
        }
        if hosts.is_empty() {
            return Err(Problem::new(Code::InvalidInput, format!("Secret `{}` is not bound to any host", arguments.name))
                .why("A secret goes only to the hosts that it is meant for, and no integration names it yet")
                .next("Give the hosts that may receive it"));
        }
        let mut info = self.0.secrets.set(&arguments.name, arguments.value, hosts).await?;
        info.used_by = self.secrets_in_use().remove(&arguments.name).unwrap_or_default();
        tracing::info!(name = arguments.name, "secret set");
        self.workspace_changed();
        Ok(info)
    }

    async fn remove_secret(&self, arguments: ipc::RemoveSecret) -> Result<()> {
        self.0.secrets.remove(&arguments.name).await?;
        tracing::info!(name = arguments.name, "secret removed");
        self.workspace_changed();
        Ok(())
    }

    async fn sample(&self, _: ipc::GetSample) -> Result<SampleState> {
        Ok(self.sample_state().await)
    }

    async fn start_sample(&self, _: ipc::StartSample) -> Result<SampleState> {
        self.start_the_sample().await
    }

    async fn stop_sample(&self, _: ipc::StopSample) -> Result<SampleState> {
        Ok(self.stop_the_sample().await)
    }

    async fn set_faults(&self, arguments: ipc::SetFaults) -> Result<SampleState> {
        self.set_sample_faults(arguments.faults).await
    }

    async fn mocks(&self, _: ipc::GetMocks) -> Result<Vec<MockState>> {
        Ok(self.mock_states())
    }

    async fn start_mock(&self, arguments: ipc::StartMock) -> Result<MockState> {
        let ipc::StartMock { contract, port, seed, faults } = arguments;
        let auth = Some(Auth::Spec(AuthSpec::Bearer { token: MOCK_TOKEN.to_owned() }));
        self.start_mock_of(&contract, MockOptions { port, seed, faults, auth, ..MockOptions::default() }).await
    }

    async fn stop_mock(&self, arguments: ipc::StopMock) -> Result<Vec<MockState>> {
        self.stop_the_mock(arguments.id)
    }

    async fn log(&self, arguments: ipc::GetLog) -> Result<Vec<LogLine>> {
        Ok(log::lines(arguments.level, arguments.limit as usize))
    }

    async fn doctor(&self, _: ipc::RunDoctor) -> Result<DoctorReport> {
        Ok(self.look_at_machine())
    }
}
