//! The workspace folder: integration files, environments, and what becomes of them.
//!
//! Everything is read when the workspace is opened, and again when [`Workspace::reload`] or a [`Watch`] finds a change;
//! listing costs nothing. A file with a mistake is an entry with problems, and the other files load all the same.

mod changes;
mod environments;
mod files;
mod hold;
mod init;
mod watch;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
    time::SystemTime,
};

use patchbay_contracts::{Code, Problem};
use serde_json::Value;

pub use self::{hold::Hold, watch::Watch};
use crate::{
    Result,
    contract::Schemas,
    definition::{self, Parsed},
    utils::nearest,
};
use changes::Change;
use environments::Settings;

/// The workspace's own file: environments and their variables.
pub const SETTINGS_FILE: &str = "patchbay.yaml";
/// The folder of Patchbay's own state inside of a workspace.
pub const STATE_FOLDER: &str = ".patchbay";

/// An integration file.
#[derive(Clone)]
pub struct Entry {
    /// The integration's name; that of the file, without its ending, where the text doesn't give one.
    pub name: String,
    /// The path under the workspace, with `/` between its parts.
    pub file: String,
    /// The text as it stands.
    pub text: Arc<str>,
    /// A mark of the text.
    pub revision: String,
    /// What it defines, and its mistakes.
    pub parsed: Arc<Parsed>,
}

impl fmt::Debug for Entry {
    // The text of a mistaken file may hold a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).field("file", &self.file).finish_non_exhaustive()
    }
}

/// An open workspace. Clones share it.
#[derive(Clone)]
pub struct Workspace(Arc<Inner>);

struct Inner {
    /// Links followed, so that a path can be told to lie inside.
    dir: PathBuf,
    state_dir: PathBuf,
    read_only: Option<Problem>,
    /// Held while files are read or written, so that no change is lost between the two.
    busy: Mutex<()>,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    problems: Vec<Problem>,
    folders: Vec<PathBuf>,
    /// The documents that integrations are held to, as they were when they were last looked at.
    documents: BTreeMap<PathBuf, Option<(u64, SystemTime)>>,
    settings: Settings,
    settings_text: String,
    /// The environment that was chosen for this run alone.
    environment: Option<String>,
    undo: Vec<Change>,
    /// What was read of each file, by its path: a text that did not change is not read again, nor is a foreign one.
    known: HashMap<String, Known>,
}

#[derive(Clone)]
struct Known {
    revision: String,
    /// The text and its reading; `None` where the file is another tool's.
    entry: Option<(Arc<str>, Arc<Parsed>)>,
}

impl fmt::Debug for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Workspace").field(&self.0.dir).finish()
    }
}

impl Workspace {
    /// Opens a folder and reads what is in it. A folder without a single integration is fine, and so is one that can't
    /// be written.
    ///
    /// # Errors
    /// [`Code::Workspace`] where there is no such folder, or it can't be read.
    pub fn open(dir: &Path) -> Result<Self> {
        let shown = dir.display();
        let dir = dir.canonicalize().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Problem::new(Code::Workspace, format!("There is no folder {shown}"))
                .next("Make one with `patchbay init`, or name another with --workspace"),
            _ => Problem::new(Code::Workspace, format!("The folder {shown} can't be opened")).why(error.to_string()),
        })?;
        if !dir.is_dir() {
            return Err(Problem::new(Code::Workspace, format!("{shown} is not a folder"))
                .next("A workspace is the folder that the integration files lie in"));
        }
        std::fs::read_dir(&dir).map_err(|error| {
            Problem::new(Code::Workspace, format!("The folder {shown} can't be read"))
                .why(error.to_string())
                .next("Look at its permissions")
        })?;
        let read_only = files::read_only(&dir);
        let state_dir = hold::state_dir(&dir, read_only.is_some());
        let inner = Inner { dir, state_dir, read_only, busy: Mutex::default(), state: RwLock::default() };
        let workspace = Self(Arc::new(inner));
        workspace.reload();
        Ok(workspace)
    }

    /// Makes a workspace: the folder, one commented example, `patchbay.yaml` with an environment, and the schema for
    /// editors. Files that are there already are left alone. Gives the example's path.
    ///
    /// # Errors
    /// [`Code::Workspace`] where the folder can't be written.
    pub fn init(dir: &Path) -> Result<PathBuf> {
        init::init(dir)
    }

    /// The folder, links followed.
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// Where Patchbay keeps what is no definition: `.patchbay` inside, which keeps itself out of version control, or a
    /// folder among the user's data where the workspace can't be written. It is made when it's first asked for.
    pub fn state_dir(&self) -> PathBuf {
        if let Err(problem) = hold::prepare(&self.0.state_dir) {
            tracing::warn!(%problem, "the state folder is missing");
        }
        self.0.state_dir.clone()
    }

    /// Why nothing can be changed here; `None` where it can.
    pub fn read_only(&self) -> Option<Problem> {
        self.0.read_only.clone()
    }

    /// Takes the workspace for this process, as the one that runs its checks and changes its files. The operating system
    /// frees it when the process ends, however it ends.
    ///
    /// # Errors
    /// [`Code::InUse`] with what holds it.
    pub fn hold(&self) -> Result<Hold> {
        hold::hold(&self.0.state_dir)
    }

    /// All integrations by their names, mistaken ones among them.
    pub fn entries(&self) -> Vec<Entry> {
        self.read().entries.clone()
    }

    /// What is wrong with the workspace itself: `patchbay.yaml`, a folder that can't be read, too many files.
    pub fn problems(&self) -> Vec<Problem> {
        self.read().problems.clone()
    }

    /// One integration, by its name or by its file.
    ///
    /// # Errors
    /// [`Code::NotFound`] with the nearest name.
    pub fn entry(&self, name: &str) -> Result<Entry> {
        let state = self.read();
        let by_name = state.entries.iter().find(|entry| entry.name == name);
        by_name.or_else(|| state.entries.iter().find(|entry| entry.file == name)).cloned().ok_or_else(|| {
            let names = state.entries.iter().map(|entry| entry.name.as_str());
            let next = match nearest(name, names) {
                Some(near) => format!("Did you mean \"{near}\"?"),
                None if state.entries.is_empty() => "The workspace has none yet: `patchbay add` registers one".to_owned(),
                None => "`patchbay list` shows all".to_owned(),
            };
            Problem::new(Code::NotFound, format!("There is no integration \"{name}\"")).next(next)
        })
    }

    /// Reads the folder again. Says whether anything changed.
    pub fn reload(&self) -> bool {
        let _busy = self.busy();
        self.reload_now()
    }

    /// Calls `changed`, on a thread of its own, whenever the integrations or the environments changed, here or in an
    /// editor. They are read again by then.
    ///
    /// # Errors
    /// [`Code::Internal`] where no thread can be started.
    pub fn watch(&self, changed: impl Fn() + Send + 'static) -> Result<Watch> {
        watch::start(self.clone(), changed)
    }

    /// The names of all environments, in the order of `patchbay.yaml`.
    pub fn environments(&self) -> Vec<String> {
        self.read().settings.environments.keys().cloned().collect()
    }

    /// The chosen environment; the first one where none is chosen, and empty where there is none.
    pub fn environment(&self) -> String {
        self.read().environment()
    }

    /// Chooses an environment for as long as the program runs; nothing is written.
    ///
    /// # Errors
    /// [`Code::NotFound`] with the nearest name.
    pub fn use_environment(&self, name: &str) -> Result<()> {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        if !state.settings.environments.contains_key(name) {
            return Err(environments::unknown(name, &state.settings));
        }
        state.environment = Some(name.to_owned());
        Ok(())
    }

    /// The value of a variable: in the chosen environment that of the integration before that of all, else that of the
    /// process environment.
    pub fn variable(&self, integration: Option<&str>, name: &str) -> Option<String> {
        let state = self.read();
        let chosen = state.settings.variable(&state.environment(), integration, name);
        chosen.or_else(|| process_variable(name))
    }

    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        self.read().folders.clone()
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn busy(&self) -> MutexGuard<'_, ()> {
        self.0.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`reload`](Self::reload), for a caller who holds `busy`.
    fn reload_now(&self) -> bool {
        let before = self.read().known.clone();
        let search = files::search(&self.0.dir);
        let mut problems = search.problems;
        let mut known = HashMap::new();
        let mut entries = Vec::new();
        for found in search.found {
            let read = self.known(&found.file, found.content, before.get(&found.file));
            if let Some((text, parsed)) = &read.entry {
                entries.push(self.entry_of(&found.file, text, &read.revision, parsed));
            }
            known.insert(found.file, read);
        }
        refuse_doubles(&mut entries);
        entries.sort_by(|a, b| (&a.name, &a.file).cmp(&(&b.name, &b.file)));

        let documents = self.documents(&entries);
        let path = self.0.dir.join(SETTINGS_FILE);
        let settings_text = match files::text(&self.0.dir, &path) {
            Ok(text) => text.unwrap_or_default(),
            Err(problem) => {
                problems.push(problem);
                String::new()
            }
        };
        let (settings, mistakes) = environments::parse(SETTINGS_FILE, settings_text.as_bytes());
        problems.extend(mistakes);

        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        let same = state.settings_text == settings_text
            && state.documents == documents
            && state.problems == problems
            && state.entries.len() == entries.len()
            && state.entries.iter().zip(&entries).all(|(a, b)| {
                a.name == b.name && a.file == b.file && a.revision == b.revision && a.parsed.problems == b.parsed.problems
            });
        if state.environment.as_ref().is_some_and(|chosen| !settings.environments.contains_key(chosen)) {
            state.environment = None;
        }
        state.folders = search.folders;
        // A folder that is not there can't be watched.
        let beside = documents.keys().filter_map(|file| file.parent()).filter(|folder| folder.is_dir());
        state.folders.extend(beside.map(Path::to_owned));
        state.documents = documents;
        state.known = known;
        state.entries = entries;
        state.problems = problems;
        state.settings = settings;
        state.settings_text = settings_text;
        !same
    }

    /// The files of the documents that integrations are held to, each with its size and the time of its last change; none
    /// where it is not there. What they hold is read when it is needed.
    fn documents(&self, entries: &[Entry]) -> BTreeMap<PathBuf, Option<(u64, SystemTime)>> {
        let named = entries.iter().filter_map(|entry| Some((entry, entry.parsed.definition.as_ref()?.contract.as_ref()?)));
        let local = named.filter(|(_, contract)| !contract.file.contains("://"));
        local
            .map(|(entry, contract)| {
                let file = self.0.dir.join(&entry.file).with_file_name(&contract.file);
                let mark = file.metadata().ok().and_then(|found| Some((found.len(), found.modified().ok()?)));
                (file, mark)
            })
            .collect()
    }

    /// What a file holds, from the last reading where it did not change.
    fn known(&self, file: &str, content: Result<Vec<u8>>, before: Option<&Known>) -> Known {
        let bytes = match content {
            Ok(bytes) => bytes,
            // What was an integration stays one; what was another tool's stays that.
            Err(problem) => {
                let foreign = before.is_some_and(|before| before.entry.is_none());
                let parsed = definition::parse(file, b"");
                let parsed = Parsed { name: None, problems: vec![problem], ..parsed };
                return Known { revision: String::new(), entry: (!foreign).then(|| ("".into(), Arc::new(parsed))) };
            }
        };
        let text = String::from_utf8_lossy(&bytes);
        let revision = definition::revision(&text);
        if let Some(before) = before.filter(|before| before.revision == revision) {
            return before.clone();
        }
        let parsed = definition::parse(file, &bytes);
        let entry = parsed.is_meant(&bytes).then(|| (text.into(), Arc::new(parsed)));
        Known { revision, entry }
    }

    fn entry_of(&self, file: &str, text: &Arc<str>, revision: &str, parsed: &Arc<Parsed>) -> Entry {
        let stem = file.rsplit('/').next().unwrap_or(file);
        let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
        let named = parsed.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let missing = self.missing_schemas(file, parsed);
        let parsed = match missing.is_empty() {
            true => Arc::clone(parsed),
            false => Arc::new(missing.into_iter().fold(Parsed::clone(parsed), Parsed::with_problem)),
        };
        Entry {
            name: named.unwrap_or(stem).to_owned(),
            file: file.to_owned(),
            text: Arc::clone(text),
            revision: revision.to_owned(),
            parsed,
        }
    }

    /// Mistakes of schemas that lie in files of their own. They are looked for each time: those files change as well.
    fn missing_schemas(&self, file: &str, parsed: &Parsed) -> Vec<Problem> {
        let Some(integration) = &parsed.definition else { return Vec::new() };
        let own = [("request_schema", &integration.request_schema), ("response_schema", &integration.response_schema)];
        let own = own.into_iter().map(|(field, schema)| (format!("/integration/{field}"), schema));
        let of_endpoints = integration.endpoints.iter().enumerate().flat_map(|(i, endpoint)| {
            [("request_schema", &endpoint.request_schema), ("response_schema", &endpoint.response_schema)]
                .map(|(field, schema)| (format!("/integration/endpoints/{i}/{field}"), schema))
        });
        let schemas = Schemas::within(&self.0.dir, file);
        let mistakes = own.chain(of_endpoints).filter_map(|(pointer, schema)| {
            let schema = schema.as_ref().filter(|schema| !definition::schema_files(&schema.0).is_empty())?;
            let mut problem = schemas.check(schema).err()?;
            let deeper = match &schema.0 {
                Value::Object(fields) if fields.contains_key("$ref") => format!("{pointer}/$ref"),
                _ => pointer,
            };
            problem.place = parsed.positions.place(&deeper);
            Some(problem)
        });
        mistakes.collect()
    }
}

impl State {
    fn environment(&self) -> String {
        let chosen = self.environment.as_ref().or(self.settings.environment.as_ref());
        chosen.or_else(|| self.settings.environments.keys().next()).cloned().unwrap_or_default()
    }
}

/// Two integrations of one name: neither can be used until one of them has another.
fn refuse_doubles(entries: &mut [Entry]) {
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, entry) in entries.iter().enumerate() {
        by_name.entry(entry.name.clone()).or_default().push(i);
    }
    for (name, same) in by_name.into_iter().filter(|(_, same)| same.len() > 1) {
        let files: Vec<String> = same.iter().map(|i| entries[*i].file.clone()).collect();
        for i in same {
            let entry = &mut entries[i];
            let others: Vec<&str> = files.iter().filter(|file| **file != entry.file).take(5).map(String::as_str).collect();
            let mut problem = Problem::new(Code::InvalidDefinition, format!("The name \"{name}\" is taken"))
                .why(format!("{} has it as well", others.join(", ")))
                .next("Give one of them another name");
            problem.place = entry.parsed.positions.place("/integration/name");
            entry.parsed = Arc::new(Parsed::clone(&entry.parsed).with_problem(problem));
        }
    }
}

fn process_variable(name: &str) -> Option<String> {
    // The standard library panics on names that no variable can have.
    let sound = !name.is_empty() && !name.contains(['=', '\0']);
    sound.then(|| std::env::var(name).ok()).flatten()
}
