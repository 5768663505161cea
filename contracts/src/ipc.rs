//! The commands and events between the window and the backend.
//!
//! Each command is declared once, below, with its arguments and its reply. The declaration makes a type for the page to
//! call with, and a method of [`Backend`]: a command that the backend does not implement does not compile.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Code, Problem, Timestamp,
    contract::{Check, ContractOptions, FileCheck},
    health::{HealthCheck, HealthHistory, Incident},
    integration::{LoadOptions, LoadSpec},
    metrics::{Line, ScrapeReport, SeriesInfo, SeriesQuery},
    mock::MockState,
    probe::{ProbeRequest, Understood},
    run::{Finished, Job, JobId, Progress, Run, RunId, RunKind, RunSummary},
    sample::{Faults, SampleState},
    secret::{SecretInfo, Sensitive},
    workspace::{AppState, DoctorReport, Edit, IntegrationDetail, IntegrationSummary, LogLevel, LogLine, Saved, Settings},
};

/// A command: arguments that know the type of their reply.
pub trait Command: DeserializeOwned {
    /// Its name on the wire.
    const NAME: &'static str;
    /// What it gives back.
    type Reply: Serialize + DeserializeOwned;
}

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident as $method:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? } -> $reply:ty;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Deserialize)]
            #[cfg_attr(target_arch = "wasm32", derive(Serialize))]
            pub struct $name { $($(#[$field_doc])* pub $field: $type),* }

            impl Command for $name {
                const NAME: &'static str = stringify!($method);
                type Reply = $reply;
            }
        )*

        /// The names of all commands.
        pub const COMMANDS: &[&str] = &[$(stringify!($method)),*];

        /// What carries out the commands.
        pub trait Backend: Sync {
            $(
                $(#[$doc])*
                fn $method(&self, arguments: $name) -> impl Future<Output = Result<$reply, Problem>> + Send;
            )*
        }

        /// Carries out the command of that name.
        ///
        /// # Errors
        /// What the command itself says; [`Code::InvalidInput`] where there is no such command or the arguments aren't its.
        pub async fn dispatch<B: Backend>(backend: &B, name: &str, arguments: Value) -> Result<Value, Problem> {
            match name {
                $(stringify!($method) => {
                    let reply = backend.$method(read(name, arguments)?).await?;
                    serde_json::to_value(reply).map_err(Problem::internal)
                })*
                _ => Err(Problem::new(Code::InvalidInput, format!("There is no command `{name}`"))),
            }
        }
    };
}

fn read<T: DeserializeOwned>(name: &str, arguments: Value) -> Result<T, Problem> {
    // The reason is left out where it could quote an argument: one of them is a credential.
    serde_json::from_value(arguments)
        .map_err(|_| Problem::new(Code::InvalidInput, format!("The arguments of `{name}` are not as declared")))
}

commands! {
    /// What the program is and has.
    GetApp as app {} -> AppState;
    /// All integrations and how they do.
    ListIntegrations as list {} -> Vec<IntegrationSummary>;
    /// One integration whole.
    ShowIntegration as show { /// Its name.
        name: String } -> IntegrationDetail;
    /// Registers an integration from an address, a curl line or the text of a file.
    AddIntegration as add { /// What to register.
        input: String, /// Its name; made from the input without it.
        name: Option<String> } -> Saved;
    /// Replaces the text of an integration's file.
    SaveDefinition as save { /// The integration.
        name: String, /// The new text.
        text: String, /// The mark of the text that it was made from.
        revision: String } -> Saved;
    /// Changes places of an integration's file and keeps the rest, comments included.
    EditDefinition as edit { /// The integration.
        name: String, /// The changes, in order.
        edits: Vec<Edit> } -> Saved;
    /// Mistakes of a text that isn't saved yet.
    CheckDefinition as check_definition { /// The text.
        text: String } -> Vec<Problem>;
    /// Takes an integration's file out of the workspace; `undo` brings it back.
    RemoveIntegration as remove { /// Its name.
        name: String } -> ();
    /// Takes the last change to a definition back; says what it was.
    Undo as undo {} -> String;
    /// Chooses the environment.
    SelectEnvironment as select_environment { /// Its name.
        name: String } -> AppState;
    /// Changes the settings.
    SaveSettings as save_settings { /// All of them.
        settings: Settings } -> AppState;

    /// Understands an address or a curl line.
    UnderstandRequest as understand { /// What was typed or pasted.
        input: String } -> Understood;
    /// The request that an endpoint describes, its references not yet filled in.
    EndpointRequest as endpoint_request { /// The integration.
        integration: String, /// The endpoint; the first one without it.
        endpoint: Option<String> } -> ProbeRequest;
    /// Makes one exchange and stores it.
    SendProbe as probe { /// What to send.
        request: ProbeRequest } -> Run;

    /// Starts a contract run of an integration: of its endpoints, and of the document that its file names.
    StartContract as start_contract { /// The integration.
        integration: String, /// How.
        #[serde(default)] options: ContractOptions } -> Job;
    /// Starts a contract run of a document that belongs to no integration.
    StartDocumentContract as start_document_contract { /// The file or its address.
        source: String, /// How.
        #[serde(default)] options: ContractOptions } -> Job;
    /// Starts a check of files, with no service called: documents by a JSON Schema, messages by their contract, Pact cases.
    StartFileCheck as start_file_check { /// Which files, and by what.
        check: FileCheck } -> Job;
    /// Writes down that a failure of a run is put up with until a day; gives the file that says so from now on.
    AcceptFailure as accept_failure { /// The run.
        run: RunId, /// The endpoint or operation, as the run names it.
        endpoint: String, /// What failed.
        check: Check, /// Where in the body; any place without it.
        pointer: Option<String>, /// Why it is put up with.
        reason: String, /// The last day, such as `2027-01-31`.
        until: String } -> String;
    /// Starts a load run.
    StartLoad as start_load { /// The integration.
        integration: String, /// How.
        spec: LoadSpec, /// What belongs to this start alone.
        #[serde(default)] options: LoadOptions } -> Job;
    /// Writes a load plan for k6 into the workspace's `reports` folder, secrets left out; gives the file.
    ExportLoad as export_load { /// The integration.
        integration: String, /// How.
        spec: LoadSpec, /// `k6` for a script, `k6-operator` for a manifest.
        format: String, /// How many pods share the load, for a manifest.
        #[serde(default)] parallelism: Option<u32> } -> String;
    /// Stores what k6 found with an exported plan as a run.
    ImportLoad as import_load { /// The integration.
        integration: String, /// The file of k6's summary.
        summary: String } -> RunSummary;
    /// Cancels a job; its partial result is kept.
    CancelJob as cancel { /// The job.
        job: JobId } -> ();
    /// The jobs under way.
    ListJobs as jobs {} -> Vec<Job>;

    /// Stored runs, newest first.
    ListRuns as runs { /// Only of this integration.
        integration: Option<String>, /// Only of this kind.
        kind: Option<RunKind>, /// At most so many, 1000 at most.
        limit: u32, /// Only older than this run.
        before: Option<RunId> } -> Vec<RunSummary>;
    /// One stored run whole.
    GetRun as run { /// Its number.
        id: RunId } -> Run;
    /// Writes a run's report into the workspace's `reports` folder; gives the file.
    ExportRun as export { /// The run.
        id: RunId, /// `html`, `json`, `junit`, `sarif` or `csv`.
        format: String } -> String;

    /// Makes a health check now.
    CheckNow as check_now { /// The integration.
        integration: String } -> HealthCheck;
    /// Health within a range of time.
    GetHealth as health { /// The integration.
        integration: String, /// From.
        from: Timestamp, /// Until.
        to: Timestamp } -> HealthHistory;
    /// Incidents, newest first.
    ListIncidents as incidents { /// Only of this integration.
        integration: Option<String> } -> Vec<Incident>;
    /// Scrapes now and stores what came.
    ScrapeNow as scrape_now { /// The integration.
        integration: String } -> ScrapeReport;
    /// The stored series of an integration.
    ListSeries as series { /// The integration.
        integration: String } -> Vec<SeriesInfo>;
    /// Lines to draw.
    QuerySeries as query { /// What.
        query: SeriesQuery } -> Vec<Line>;

    /// All secrets, without their values.
    ListSecrets as secrets {} -> Vec<SecretInfo>;
    /// Sets or replaces a secret.
    SetSecret as set_secret { /// Its name.
        name: String, /// Its value; empty keeps the one that it has, and only the hosts change.
        value: Sensitive<String>, /// The hosts that it may be sent to.
        hosts: Vec<String> } -> SecretInfo;
    /// Removes a secret.
    RemoveSecret as remove_secret { /// Its name.
        name: String } -> ();

    /// The sample service.
    GetSample as sample {} -> SampleState;
    /// Starts the sample service, and registers it where it isn't.
    StartSample as start_sample {} -> SampleState;
    /// Stops the sample service.
    StopSample as stop_sample {} -> SampleState;
    /// Tells the sample service what to do wrong.
    SetFaults as set_faults { /// All of it.
        faults: Faults } -> SampleState;

    /// The mocks that run.
    GetMocks as mocks {} -> Vec<MockState>;
    /// Serves a contract on loopback.
    StartMock as start_mock { /// The integration of that name, or a file.
        contract: String, /// The port; 0 for any that is free.
        port: u16, /// What bodies are made from.
        seed: Option<u64>, /// What it does wrong.
        faults: Faults } -> MockState;
    /// Stops a mock; gives those that still run.
    StopMock as stop_mock { /// Its number.
        id: u64 } -> Vec<MockState>;

    /// What the program did, newest last.
    GetLog as log { /// At least so grave.
        level: LogLevel, /// At most so many lines.
        limit: u32 } -> Vec<LogLine>;
    /// What this machine has and lacks.
    RunDoctor as doctor {} -> DoctorReport;
}

/// What the backend tells the window unasked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "one is held at a time")]
pub enum Event {
    /// Files of the workspace changed, here or in an editor.
    WorkspaceChanged,
    /// A health check ended, or a status changed.
    HealthChanged {
        /// The integration.
        integration: String,
    },
    /// Metrics were scraped.
    Scraped {
        /// The integration.
        integration: String,
    },
    /// A job came further; at most ten a second for each job.
    Progress {
        /// The job.
        job: JobId,
        /// How far.
        progress: Progress,
    },
    /// A job ended.
    Finished {
        /// The job.
        job: JobId,
        /// How.
        finished: Finished,
    },
    /// A run was stored.
    RunStored {
        /// The run.
        run: RunSummary,
    },
    /// The sample service started, stopped or changed.
    SampleChanged {
        /// As it is now.
        sample: SampleState,
    },
    /// Something went wrong in the background.
    Notice {
        /// What.
        problem: Problem,
    },
}
