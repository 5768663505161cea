//! Tells when files of the workspace change, here or in an editor.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use notify::{RecursiveMode, Watcher};
use patchbay_contracts::Problem;

use super::Workspace;
use crate::Result;

/// An editor saves in several steps; they are one change.
const QUIET: Duration = Duration::from_millis(150);
/// Changes that never end are told nonetheless.
const LONGEST: Duration = Duration::from_secs(1);
/// How often files are compared where the system tells of changes; network file systems tell of none.
const RARELY: Duration = Duration::from_secs(10);
/// How often they are compared where the system tells nothing.
const OFTEN: Duration = Duration::from_secs(1);

enum Told {
    Changed,
    Stop,
}

/// The watch goes on for as long as this lives.
#[derive(Debug)]
pub struct Watch {
    stop: Sender<Told>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The thread may have ended already; there is nobody to tell then.
        let _ = self.stop.send(Told::Stop);
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id()) {
            let _ = thread.join();
        }
    }
}

/// Starts a thread that reloads the workspace and calls `changed` when that brought something new.
pub fn start(workspace: Workspace, changed: impl Fn() + Send + 'static) -> Result<Watch> {
    let (stop, told) = mpsc::channel();
    let events = stop.clone();
    let thread = thread::Builder::new().name("workspace-watch".to_owned());
    let thread = thread.spawn(move || run(&workspace, &events, &told, changed)).map_err(Problem::internal)?;
    Ok(Watch { stop, thread: Some(thread) })
}

fn run(workspace: &Workspace, events: &Sender<Told>, told: &Receiver<Told>, changed: impl Fn()) {
    let mut eyes = Eyes::new(events.clone());
    eyes.look_at(&workspace.folders());
    // What changed before the eyes were open.
    let mut due = true;
    loop {
        if !due {
            match told.recv_timeout(if eyes.open { RARELY } else { OFTEN }) {
                Ok(Told::Changed) => {
                    if !settle(told) {
                        return;
                    }
                }
                Ok(Told::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        due = false;
        if workspace.reload() {
            changed();
        }
        eyes.look_at(&workspace.folders());
    }
}

/// Waits until nothing more comes; `false` where it is to stop.
fn settle(told: &Receiver<Told>) -> bool {
    let began = Instant::now();
    while began.elapsed() < LONGEST {
        match told.recv_timeout(QUIET) {
            Ok(Told::Changed) => {}
            Ok(Told::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
            Err(RecvTimeoutError::Timeout) => break,
        }
    }
    true
}

/// The system's own notifications, for just the folders that are searched: a tree of dependencies beside them may be
/// larger than what can be watched.
struct Eyes {
    watcher: Option<notify::RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    open: bool,
}

impl Eyes {
    fn new(events: Sender<Told>) -> Self {
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let concerns = match &event {
                Ok(event) => !matches!(event.kind, notify::EventKind::Access(_)) && event.paths.iter().any(|path| matters(path)),
                // Something was missed; only looking tells what.
                Err(_) => true,
            };
            if concerns {
                let _ = events.send(Told::Changed);
            }
        });
        let watcher = watcher.map_err(|error| tracing::warn!(%error, "changes are found by looking every second")).ok();
        Self { open: watcher.is_some(), watcher, watched: BTreeSet::new() }
    }

    fn look_at(&mut self, folders: &[PathBuf]) {
        let Some(watcher) = &mut self.watcher else { return };
        let wanted: BTreeSet<PathBuf> = folders.iter().cloned().collect();
        for gone in self.watched.difference(&wanted) {
            // A folder that is gone can't be unwatched, and needn't be.
            let _ = watcher.unwatch(gone);
        }
        self.watched.retain(|folder| wanted.contains(folder));
        for new in wanted {
            if self.watched.contains(&new) {
                continue;
            }
            match watcher.watch(&new, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.watched.insert(new);
                    self.open = true;
                }
                Err(error) => {
                    tracing::warn!(%error, folder = %new.display(), "changes are found by looking every second");
                    self.open = false;
                }
            }
        }
    }
}

/// Definitions, schemas, and folders, which come and go under names without an ending.
fn matters(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    !hidden && ending.is_none_or(|ending| matches!(ending.as_str(), "yaml" | "yml" | "json") || path.is_dir())
}
