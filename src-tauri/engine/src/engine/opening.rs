//! How an engine comes up: which folder, which database, and what runs beside it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use patchbay_contracts::{Code, Problem, ipc::Event, workspace::Settings};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::{Config, EVENTS, Engine, Inner, jobs::Jobs, lock};
use crate::{
    Result, log,
    monitor::{Monitor, MonitorEvent, Parts},
    ports::{Dice, Ports, SystemClock},
    secrets::{self, Secrets},
    store::Store,
    workspace::Workspace,
};

/// How often results that are older than they are kept are taken out.
const PRUNING: Duration = Duration::from_secs(6 * 3600);

impl Engine {
    /// Opens a workspace.
    ///
    /// # Errors
    /// What stands in the way: a missing folder, a database of a newer program, a second copy of the program.
    pub async fn open(config: Config) -> Result<Self> {
        let place = Folder::choose(config.workspace.as_deref(), config.attended)?;
        let workspace = Workspace::open(&place.dir)?;
        if let Some(name) = &config.environment {
            workspace.use_environment(name)?;
        }
        let hold = if config.attended { Some(workspace.hold()?) } else { None };
        let location = match (config.database, place.remembers) {
            (Some(location), _) => location,
            (None, true) => workspace.state_dir().join("patchbay.db").display().to_string(),
            (None, false) => ":memory:".to_owned(),
        };
        let store = Store::open(&location).await?;
        let ports = match config.ports {
            Some(ports) => ports,
            None => machine().await,
        };
        let secrets = Secrets::new(Arc::clone(&ports.keychain), |name| std::env::var(name).ok());
        log::redact_with(secrets.redactor());
        let settings = store.settings().await?;
        let background = CancellationToken::new();
        let engine = Self(Arc::new(Inner {
            ports,
            workspace,
            store,
            secrets,
            settings: Mutex::new(settings),
            events: broadcast::channel(EVENTS).0,
            jobs: Jobs::default(),
            sample: tokio::sync::Mutex::default(),
            mocks: Mutex::default(),
            monitor: Mutex::default(),
            _ends_background: background.clone().drop_guard(),
            background,
            _hold: hold,
            _watch: Mutex::default(),
        }));
        tracing::info!(workspace = %engine.0.workspace.dir().display(), database = engine.0.store.location(), "opened");
        if config.attended {
            engine.attend()?;
        }
        Ok(engine)
    }

    /// Watches the files, prunes old results, and runs the checks where they are wanted.
    fn attend(&self) -> Result<()> {
        let weak = Arc::downgrade(&self.0);
        let watch = self.0.workspace.watch(move || {
            if let Some(inner) = weak.upgrade() {
                Self(inner).workspace_changed();
            }
        })?;
        *lock(&self.0._watch) = Some(watch);
        if self.settings().monitor {
            self.start_monitor();
        }
        let weak = Arc::downgrade(&self.0);
        let ended = self.0.background.clone();
        tokio::spawn(async move {
            loop {
                if let Some(engine) = weak.upgrade().map(Self) {
                    let kept = i64::from(engine.settings().keep_days) * 86_400_000;
                    if let Err(problem) = engine.0.store.prune(engine.now() - kept).await {
                        engine.notice(problem);
                    }
                }
                tokio::select! {
                    () = ended.cancelled() => return,
                    () = tokio::time::sleep(PRUNING) => {}
                }
            }
        });
        Ok(())
    }

    /// Runs the checks and scrapes at their intervals from now on.
    pub fn start_monitor(&self) {
        let mut monitor = lock(&self.0.monitor);
        if monitor.is_some() {
            return;
        }
        let weak = Arc::downgrade(&self.0);
        let parts = Parts {
            ports: self.0.ports.clone(),
            store: self.0.store.clone(),
            workspace: self.0.workspace.clone(),
            secrets: self.0.secrets.clone(),
        };
        *monitor = Some(Monitor::start(parts, move |event| {
            let Some(engine) = weak.upgrade().map(Self) else { return };
            engine.tell(match event {
                MonitorEvent::Checked(check) => Event::HealthChanged { integration: check.integration },
                MonitorEvent::StatusChanged { integration, .. } => Event::HealthChanged { integration },
                MonitorEvent::Scraped { integration, .. } => Event::Scraped { integration },
                MonitorEvent::Problem(problem) => {
                    tracing::warn!("{problem}");
                    Event::Notice { problem }
                }
            });
        }));
    }

    /// Stops the checks.
    pub async fn stop_monitor(&self) {
        let monitor = lock(&self.0.monitor).take();
        if let Some(monitor) = monitor {
            monitor.stop().await;
        }
    }

    pub(super) fn workspace_changed(&self) {
        if let Some(monitor) = lock(&self.0.monitor).as_ref() {
            monitor.refresh();
        }
        self.tell(Event::WorkspaceChanged);
    }

    pub(super) fn monitoring(&self) -> bool {
        lock(&self.0.monitor).is_some()
    }

    pub(super) fn set_settings(&self, settings: Settings) {
        *lock(&self.0.settings) = settings;
    }
}

/// The machine's own clock, chance and keychain.
async fn machine() -> Ports {
    // The keychain is asked over the session's bus, which may take its time.
    let keychain = tokio::task::spawn_blocking(secrets::keychain::os).await.unwrap_or_else(|_| secrets::keychain::memory());
    Ports { clock: Arc::new(SystemClock::default()), random: Arc::new(Dice::default()), keychain }
}

/// The folder to work in, and whether results are kept there.
struct Folder {
    dir: PathBuf,
    remembers: bool,
}

impl Folder {
    fn choose(asked: Option<&Path>, attended: bool) -> Result<Self> {
        let kept = |dir: PathBuf| Ok(Self { dir, remembers: true });
        if let Some(dir) = asked {
            return kept(dir.to_owned());
        }
        if let Some(dir) = std::env::var_os("PATCHBAY_WORKSPACE").filter(|dir| !dir.is_empty()) {
            return kept(dir.into());
        }
        let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        if let Some(dir) = here.ancestors().find(|dir| dir.join("patchbay.yaml").is_file() || dir.join(".patchbay").is_dir()) {
            return kept(dir.to_owned());
        }
        let home = std::env::home_dir().map(|home| home.join("Patchbay"));
        match home {
            Some(home) if home.is_dir() => kept(home),
            // A window keeps what it is given; so the first one makes its folder.
            Some(home) if attended => {
                std::fs::create_dir_all(&home).map_err(|error| {
                    Problem::new(Code::Workspace, format!("The folder {} can't be made", home.display()))
                        .why(error.to_string())
                        .next("Choose another with --workspace")
                })?;
                kept(home)
            }
            // A single command in some folder leaves nothing behind.
            _ => Ok(Self { dir: here, remembers: false }),
        }
    }
}
