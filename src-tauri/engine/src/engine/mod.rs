//! The one thing that a shell holds.

mod backend;
mod contracts;
mod doctor;
mod file_checks;
mod jobs;
mod k6;
mod mocking;
mod opening;
mod registered;
mod sampling;
mod subject;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use patchbay_contracts::{Problem, Timestamp, integration::Integration, ipc::Event, run::Report, workspace::Settings};
use tokio::sync::broadcast;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use jobs::headline;
pub use k6::write as write_exported;
pub use subject::Subject;

use crate::{
    Result,
    contract::Schemas,
    definition::Positions,
    http::Context,
    monitor::Monitor,
    ports::Ports,
    sample::Sample,
    secrets::{Secrets, template::Scope},
    store::Store,
    workspace::{Hold, Watch, Workspace},
};

/// How many events a slow listener may be behind before it loses some.
const EVENTS: usize = 1_024;

/// Progress goes out at most this often.
const PACE: Duration = Duration::from_millis(100);

/// What to open, and with what.
#[derive(Default)]
pub struct Config {
    /// The folder of integration files. Without it: `PATCHBAY_WORKSPACE`, the current folder where it is one, `~/Patchbay`.
    pub workspace: Option<PathBuf>,
    /// The results database, a path or a `sqlite:` URL; without it, inside the workspace.
    pub database: Option<String>,
    /// The environment to choose, for as long as the engine lives.
    pub environment: Option<String>,
    /// Whether somebody stays with it: the workspace is held against a second copy, its files are watched, checks run.
    pub attended: bool,
    /// The outside world; the machine's own without it.
    pub ports: Option<Ports>,
}

/// The engine. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    ports: Ports,
    workspace: Workspace,
    store: Store,
    secrets: Secrets,
    settings: Mutex<Settings>,
    events: broadcast::Sender<Event>,
    jobs: jobs::Jobs,
    sample: tokio::sync::Mutex<Option<Sample>>,
    mocks: Mutex<mocking::Mocks>,
    monitor: Mutex<Option<Monitor>>,
    /// Work in the background ends when the engine is dropped.
    background: CancellationToken,
    _ends_background: DropGuard,
    _hold: Option<Hold>,
    _watch: Mutex<Option<Watch>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("workspace", &self.0.workspace.dir()).finish_non_exhaustive()
    }
}

impl Engine {
    /// The events from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    /// The workspace.
    pub fn workspace(&self) -> &Workspace {
        &self.0.workspace
    }

    /// The results.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The credentials.
    pub fn credentials(&self) -> &Secrets {
        &self.0.secrets
    }

    /// What the engine was handed.
    pub fn ports(&self) -> &Ports {
        &self.0.ports
    }

    /// A short name for a title bar: the workspace's folder.
    pub fn title(&self) -> String {
        let dir = self.0.workspace.dir();
        dir.file_name().map_or_else(|| dir.display().to_string(), |name| name.to_string_lossy().into_owned())
    }

    /// What a call on behalf of `integration` may use.
    pub fn context(&self, integration: Option<&str>) -> Context {
        let workspace = self.0.workspace.clone();
        let scope = Scope::new(integration.map(str::to_owned), move |integration, name| workspace.variable(integration, name));
        Context::new(self.0.ports.clone(), self.0.secrets.clone(), scope)
    }

    /// What a call of an integration may use, its connections secured as its file says.
    fn context_of(&self, definition: &Integration, schemas: &Schemas, positions: &Positions) -> Context {
        self.context(Some(&definition.name)).secured_for(definition, schemas, Some(positions))
    }

    /// The same by the integration's name; without what secures connections where its file can't be used.
    fn context_named(&self, integration: Option<&str>) -> Context {
        let subject = integration.and_then(|name| self.subject(name).ok());
        subject.map_or_else(
            || self.context(integration),
            |subject| self.context_of(&subject.definition, &subject.schemas, &subject.parsed.positions),
        )
    }

    /// Ends the jobs, keeping their partial results, stops the checks, the sample service and the mocks, and closes the database.
    pub async fn close(&self) {
        self.0.jobs.end_all().await;
        let monitor = lock(&self.0.monitor).take();
        if let Some(monitor) = monitor {
            monitor.stop().await;
        }
        self.0.sample.lock().await.take();
        *lock(&self.0.mocks) = mocking::Mocks::default();
        self.0.background.cancel();
        self.0.store.close().await;
    }

    fn now(&self) -> Timestamp {
        self.0.ports.clock.now()
    }

    fn tell(&self, event: Event) {
        // Nobody may be listening, and that is no failure.
        let _ = self.0.events.send(event);
    }

    fn settings(&self) -> Settings {
        lock(&self.0.settings).clone()
    }

    /// Stores what a run found and tells the listeners.
    async fn keep(&self, report: &Report, duration_ms: f64) -> Result<patchbay_contracts::run::RunSummary> {
        let run = self.0.store.add_run(report, duration_ms, headline(report)).await?;
        self.tell(Event::RunStored { run: run.clone() });
        Ok(run)
    }

    fn notice(&self, problem: Problem) {
        tracing::warn!("{problem}");
        self.tell(Event::Notice { problem });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
