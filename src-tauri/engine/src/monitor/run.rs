//! The task that makes checks and scrapes when they are due.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use patchbay_contracts::{
    Code, Problem, Timestamp,
    health::{HealthCheck, Status},
    integration::Integration,
};
use tokio::{
    sync::Notify,
    task::{Id, JoinError, JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use super::{
    check::{carried_out, check_with},
    schedule::{self, Sleeplessness},
    standing::{self, Standing},
};
use crate::{
    Result,
    contract::Schemas,
    definition::Positions,
    http::Context,
    metrics,
    ports::Ports,
    secrets::{Secrets, template::Scope},
    store::Store,
    workspace::Workspace,
};

/// How often the clocks are looked at.
const GLANCE: Duration = Duration::from_millis(500);

/// How many exchanges are under way at once.
const AT_ONCE: usize = 16;

/// No interval is shorter; a file with a shorter one is refused where it is read.
const SHORTEST: Duration = Duration::from_secs(1);

/// So long after sleep nothing is asked: the network comes back later than the machine.
const WAKING: Duration = Duration::from_secs(5);

/// What the monitor works with. Clones are the same.
#[derive(Clone)]
pub struct Parts {
    /// Time and chance.
    pub ports: Ports,
    /// Where results go.
    pub store: Store,
    /// What is to be watched.
    pub workspace: Workspace,
    /// Credentials.
    pub secrets: Secrets,
}

/// What the monitor tells.
#[derive(Debug, Clone, PartialEq)]
pub enum MonitorEvent {
    /// A health check was made and stored.
    Checked(HealthCheck),
    /// An integration does better or worse than before.
    StatusChanged {
        /// The integration.
        integration: String,
        /// How it did.
        from: Status,
        /// How it does.
        to: Status,
    },
    /// Metrics were scraped and stored.
    Scraped {
        /// The integration.
        integration: String,
        /// How many samples.
        samples: u64,
    },
    /// Something can't be checked, scraped or stored. Told once, not each time.
    Problem(Problem),
}

/// Makes the checks and scrapes of a workspace at their intervals until it is stopped or dropped.
pub struct Monitor {
    stop: CancellationToken,
    refresh: Arc<Notify>,
    task: Option<JoinHandle<()>>,
}

impl Monitor {
    /// Starts. Must be called within a tokio runtime. `on` is called from its threads and should return soon.
    pub fn start(parts: Parts, on: impl Fn(MonitorEvent) + Send + Sync + 'static) -> Self {
        let (stop, refresh) = (CancellationToken::new(), Arc::new(Notify::new()));
        let clock = &parts.ports.clock;
        let driver = Driver {
            sleeplessness: Sleeplessness::new(clock.now(), clock.elapsed()),
            parts,
            on: Box::new(on),
            slots: BTreeMap::new(),
            running: JoinSet::new(),
            slept: None,
            known: HashMap::new(),
            told: HashMap::new(),
            tasks: HashMap::new(),
        };
        let task = tokio::spawn(driver.run(stop.clone(), Arc::clone(&refresh)));
        Self { stop, refresh, task: Some(task) }
    }

    /// Takes over what changed in the workspace or in the chosen environment. What is watched already keeps its time.
    pub fn refresh(&self) {
        self.refresh.notify_one();
    }

    /// Stops, and returns when nothing of it is under way any more. Exchanges are broken off and not counted.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            // A task that panicked is over as well.
            let _ = task.await;
        }
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl std::fmt::Debug for Monitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Monitor").finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Check,
    Scrape,
}

type Key = (Kind, String);

/// Something that is done again and again.
struct Slot {
    integration: Arc<Integration>,
    /// The files that it may refer to.
    schemas: Schemas,
    /// Where its values stand.
    positions: Positions,
    every: Duration,
    /// When it is due, by the elapsed time.
    due: Duration,
    busy: bool,
}

/// What a task came back with.
struct Done {
    integration: Arc<Integration>,
    outcome: Outcome,
}

enum Outcome {
    Check(HealthCheck),
    Scrape(Result<(u64, Option<Problem>)>),
}

struct Driver {
    parts: Parts,
    on: Box<dyn Fn(MonitorEvent) + Send + Sync>,
    slots: BTreeMap<Key, Slot>,
    running: JoinSet<Done>,
    sleeplessness: Sleeplessness,
    /// The last time in which nobody looked.
    slept: Option<(Timestamp, Timestamp)>,
    /// How each integration did when it was last looked at.
    known: HashMap<String, Status>,
    /// The problems that were told and are not over.
    told: HashMap<Key, Problem>,
    /// What each task under way is for.
    tasks: HashMap<Id, Key>,
}

impl Driver {
    async fn run(mut self, stop: CancellationToken, refresh: Arc<Notify>) {
        self.reload().await;
        while !stop.is_cancelled() {
            self.look_at_clocks().await;
            self.start_what_is_due();
            let wait = self.until_next();
            tokio::select! {
                () = stop.cancelled() => break,
                () = refresh.notified() => self.reload().await,
                Some(done) = self.running.join_next_with_id(), if !self.running.is_empty() => {
                    self.look_at_clocks().await;
                    match done {
                        Ok((id, done)) => self.finish(id, done).await,
                        Err(error) => self.broke_off(error),
                    }
                }
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.running.shutdown().await;
    }

    fn tell(&self, event: MonitorEvent) {
        (self.on)(event);
    }

    /// Tells a problem unless the same happened the last time; `None` says that it is over. Its reason may hold a line's
    /// number or a time, and does not make it another one.
    fn tell_once(&mut self, key: &Key, problem: Option<Problem>) {
        let Some(problem) = problem else {
            self.told.remove(key);
            return;
        };
        let same = |told: &Problem| (told.code, &told.what) == (problem.code, &problem.what);
        if !self.told.get(key).is_some_and(same) {
            self.told.insert(key.clone(), problem.clone());
            self.tell(MonitorEvent::Problem(problem));
        }
    }

    /// Makes the slots those of the workspace.
    async fn reload(&mut self) {
        let workspace = self.parts.workspace.clone();
        let entries = tokio::task::spawn_blocking(move || workspace.entries()).await.unwrap_or_default();
        let now = self.parts.ports.clock.elapsed();
        let mut before = std::mem::take(&mut self.slots);
        for entry in entries {
            let Some(integration) = entry.parsed.definition.clone() else { continue };
            let integration = Arc::new(integration);
            let schemas = Schemas::within(self.parts.workspace.dir(), &entry.file);
            let checks = integration.health.as_ref().filter(|health| health.enabled).map(|health| health.interval);
            let scrapes = integration.metrics.as_ref().map(|metrics| metrics.interval);
            for (kind, every) in [(Kind::Check, checks), (Kind::Scrape, scrapes)] {
                let Some(every) = every.map(|every| every.0.max(SHORTEST)) else { continue };
                let key = (kind, integration.name.clone());
                let old = before.remove(&key);
                let busy = old.as_ref().is_some_and(|old| old.busy);
                let due = match old.filter(|old| old.every == every) {
                    Some(old) => old.due,
                    None => schedule::first(now, every, self.parts.ports.random.unit()),
                };
                let (integration, schemas) = (Arc::clone(&integration), schemas.clone());
                let positions = entry.parsed.positions.clone();
                self.slots.insert(key, Slot { integration, schemas, positions, every, due, busy });
            }
        }
        self.known.retain(|name, _| self.slots.contains_key(&(Kind::Check, name.clone())));
        self.told.retain(|key, _| self.slots.contains_key(key));
    }

    /// Notices sleep: stores that nobody looked, and begins anew a little later.
    async fn look_at_clocks(&mut self) {
        let clock = &self.parts.ports.clock;
        let (wall, elapsed) = (clock.now(), clock.elapsed());
        let Some((from, to)) = self.sleeplessness.glance(wall, elapsed) else { return };
        self.slept = Some((from, to));
        for slot in self.slots.values_mut() {
            slot.due = schedule::first(elapsed + WAKING, slot.every, self.parts.ports.random.unit());
        }
        let watched: Vec<Arc<Integration>> = self.checked().map(|slot| Arc::clone(&slot.integration)).collect();
        for integration in watched {
            if let Err(problem) = self.parts.store.add_unobserved(&integration.name, from, to).await {
                self.tell_once(&(Kind::Check, integration.name.clone()), Some(problem));
            }
            self.look_at_status(&integration).await;
        }
    }

    fn checked(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|((kind, _), _)| *kind == Kind::Check).map(|(_, slot)| slot)
    }

    /// Starts what is due, the longest overdue first, as far as there is room.
    fn start_what_is_due(&mut self) {
        let now = self.parts.ports.clock.elapsed();
        let mut due: Vec<(Duration, Key)> =
            self.slots.iter().filter(|(_, slot)| slot.due <= now).map(|(key, slot)| (slot.due, key.clone())).collect();
        due.sort();
        for (_, key) in due {
            let Some(slot) = self.slots.get_mut(&key) else { continue };
            if !slot.busy && self.running.len() >= AT_ONCE {
                continue;
            }
            slot.due = schedule::next(slot.due, slot.every, now);
            // One that still waits for its last answer leaves this time out.
            if slot.busy {
                continue;
            }
            slot.busy = true;
            let (integration, schemas, parts) = (Arc::clone(&slot.integration), slot.schemas.clone(), self.parts.clone());
            let context = context(&parts, &integration).secured_for(&integration, &schemas, Some(&slot.positions));
            let kind = key.0;
            let task = self.running.spawn(async move {
                let outcome = match kind {
                    Kind::Check => Outcome::Check(check_with(&context, &integration, &schemas).await),
                    Kind::Scrape => Outcome::Scrape(scrape(&parts, &context, &integration).await),
                };
                Done { integration, outcome }
            });
            self.tasks.insert(task.id(), key);
        }
    }

    fn until_next(&self) -> Duration {
        let now = self.parts.ports.clock.elapsed();
        let full = self.running.len() >= AT_ONCE;
        let next = self.slots.values().filter(|slot| !full || slot.due > now).map(|slot| slot.due).min();
        next.map_or(GLANCE, |due| due.saturating_sub(now).min(GLANCE))
    }

    /// A task panicked. What it was for is due again at its next time.
    fn broke_off(&mut self, error: JoinError) {
        if let Some(key) = self.tasks.remove(&error.id()) {
            if let Some(slot) = self.slots.get_mut(&key) {
                slot.busy = false;
            }
            self.tell_once(&key, Some(Problem::internal(error)));
        }
    }

    async fn finish(&mut self, id: Id, done: Done) {
        let elapsed = self.parts.ports.clock.elapsed();
        let Some(key) = self.tasks.remove(&id) else { return };
        let Some(slot) = self.slots.get_mut(&key) else {
            // It went out of the workspace meanwhile.
            return;
        };
        slot.busy = false;
        match done.outcome {
            Outcome::Check(check) => {
                if self.slept.is_some_and(|(_, woke)| check.at < woke) {
                    // The machine slept while it waited; neither a failure nor a latency means anything.
                    slot.due = schedule::first(elapsed + WAKING, slot.every, self.parts.ports.random.unit());
                    return;
                }
                self.finish_check(key, &done.integration, check).await;
            }
            Outcome::Scrape(Ok((samples, problem))) => {
                self.tell_once(&key, problem);
                self.tell(MonitorEvent::Scraped { integration: key.1, samples });
            }
            Outcome::Scrape(Err(problem)) => self.tell_once(&key, Some(problem)),
        }
    }

    async fn finish_check(&mut self, key: Key, integration: &Integration, check: HealthCheck) {
        if !carried_out(&check) {
            self.tell_once(&key, check.problem);
            self.look_at_status(integration).await;
            return;
        }
        // What it was before this check, for the first one of this program's life.
        self.look_at_status(integration).await;
        let stored = standing::record(&self.parts.store, integration, &check).await;
        self.tell_once(&key, stored.err());
        self.tell(MonitorEvent::Checked(check));
        self.look_at_status(integration).await;
    }

    /// Tells when an integration does otherwise than it did.
    async fn look_at_status(&mut self, integration: &Integration) {
        let now = self.parts.ports.clock.now();
        let Ok(Standing { status: to, .. }) = standing::status(&self.parts.store, integration, now).await else {
            // A database that can't be read can't be written either, which is told.
            return;
        };
        let from = self.known.insert(integration.name.clone(), to);
        if let Some(from) = from.filter(|from| *from != to) {
            self.tell(MonitorEvent::StatusChanged { integration: integration.name.clone(), from, to });
        }
    }
}

/// What an exchange of this integration may refer to.
fn context(parts: &Parts, integration: &Integration) -> Context {
    let workspace = parts.workspace.clone();
    let scope = Scope::new(Some(integration.name.clone()), move |integration, name| workspace.variable(integration, name));
    Context::new(parts.ports.clone(), parts.secrets.clone(), scope)
}

/// Scrapes and stores. Gives the number of samples, and a problem where not all could be read.
async fn scrape(parts: &Parts, context: &Context, integration: &Integration) -> Result<(u64, Option<Problem>)> {
    let report = metrics::scrape(context, integration).await?;
    let samples = parts.store.add_scrape(&integration.name, &report).await?;
    let problem = report.problems.first().map(|first| {
        Problem::new(Code::BadResponse, format!("Not all of the metrics of `{}` could be read", integration.name))
            .why(first.to_string())
            .next("Scrape it by hand to see all mistakes")
    });
    Ok((samples, problem))
}
