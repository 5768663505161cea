//! Changes to the files of a workspace, each of which can be taken back while the program runs.

use std::path::PathBuf;

use patchbay_contracts::{
    Code, Problem,
    workspace::{Edit, Saved},
};
use serde_json::Value;

use super::{
    Entry, SETTINGS_FILE, Workspace, environments,
    files::{self, Existing},
};
use crate::{
    Result,
    definition::{self, MAX_BYTES},
};

/// How many changes can be taken back.
const REMEMBERED: usize = 50;

/// What was done to a file.
pub struct Change {
    /// In words: "removing orders".
    what: String,
    file: String,
    /// The text before; `None` where there was no file.
    before: Option<String>,
    /// The mark of the text after; `None` where the file was removed.
    after: Option<String>,
}

impl Workspace {
    /// Writes a new integration file. `name` stands for the name in the text where it's given. A text with mistakes is
    /// written all the same, as long as it means to be an integration.
    ///
    /// # Errors
    /// [`Code::AlreadyExists`] where the name is taken, [`Code::InvalidDefinition`] where the text is no integration,
    /// [`Code::Workspace`] where nothing can be written.
    pub fn add(&self, name: Option<&str>, text: &str) -> Result<Saved> {
        let _busy = self.busy();
        self.may_write(text)?;
        let mut text = text.to_owned();
        let mut parsed = definition::parse("text", text.as_bytes());
        if !parsed.is_meant(text.as_bytes()) {
            let why = parsed.problems.first().map(ToString::to_string).unwrap_or_default();
            return Err(Problem::new(Code::InvalidDefinition, "The text is no integration file")
                .why(why)
                .next("It begins with \"integration:\"; `patchbay init` writes an example"));
        }
        if let Some(name) = name.filter(|name| parsed.name.as_deref() != Some(*name)) {
            let edit = Edit { pointer: "/integration/name".to_owned(), value: Value::from(name) };
            text = definition::edit(&text, &[edit])?;
            parsed = definition::parse("text", text.as_bytes());
        }
        let Some(name) = parsed.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()) else {
            return Err(Problem::new(Code::InvalidDefinition, "The integration has no name")
                .why("\"name\" is missing under \"integration\", or can't be read")
                .next("Add one to the text, or give one beside it"));
        };
        self.reload_now();
        self.free(&name, None)?;
        let file = self.write_new(&name, &text)?;
        self.remember(format!("adding {name}"), &file, None, Some(&text));
        self.saved(&file)
    }

    /// A name like this one that no integration has yet: the name itself, or with a number behind it.
    pub fn free_name(&self, base: &str) -> String {
        let entries = self.entries();
        let taken = |name: &str| entries.iter().any(|entry| entry.name == name);
        let numbered = (2..).map(|number| format!("{base}-{number}"));
        std::iter::once(base.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
    }

    /// Replaces the text of an integration's file. A text with mistakes is written all the same.
    ///
    /// # Errors
    /// [`Code::Conflict`] where the file is no longer that of `revision`, [`Code::NotFound`] where there is no such
    /// integration, [`Code::AlreadyExists`] where the new text takes another one's name.
    pub fn save(&self, name: &str, text: &str, revision: &str) -> Result<Saved> {
        let _busy = self.busy();
        self.may_write(text)?;
        let entry = self.entry(name)?;
        let current = self.current(&entry)?;
        if definition::revision(&current) != revision {
            self.reload_now();
            return Err(changed_since(&entry.file).next("Look at the new text, and make the change again"));
        }
        self.replace(&entry, current, text)
    }

    /// Changes places of an integration's file and keeps all else, comments and the order of keys included.
    ///
    /// # Errors
    /// [`Code::NotFound`] where there is no such integration, [`Code::InvalidInput`] where a place can't be changed so,
    /// [`Code::InvalidDefinition`] where the file is no sound YAML.
    pub fn edit(&self, name: &str, edits: &[Edit]) -> Result<Saved> {
        let _busy = self.busy();
        let entry = self.entry(name)?;
        let current = self.current(&entry)?;
        let text = definition::edit(&current, edits).map_err(|problem| named(problem, &entry.file))?;
        self.may_write(&text)?;
        self.replace(&entry, current, &text)
    }

    /// Takes an integration's file away; [`undo`](Self::undo) brings it back.
    ///
    /// # Errors
    /// [`Code::NotFound`] where there is no such integration, [`Code::Workspace`] where the file can't be removed.
    pub fn remove(&self, name: &str) -> Result<()> {
        let _busy = self.busy();
        self.may_write("")?;
        let entry = self.entry(name)?;
        let current = self.current(&entry)?;
        files::remove(self.dir(), &self.path(&entry.file))?;
        self.remember(format!("removing {}", entry.name), &entry.file, Some(current), None);
        self.reload_now();
        Ok(())
    }

    /// What [`undo`](Self::undo) would take back: "removing orders".
    pub fn undoable(&self) -> Option<String> {
        self.read().undo.last().map(|change| change.what.clone())
    }

    /// Takes the last change back; says what it was.
    ///
    /// # Errors
    /// [`Code::NotFound`] where there is none, [`Code::Conflict`] where the file changed since; that change is then
    /// forgotten, since taking it back would lose the other one.
    pub fn undo(&self) -> Result<String> {
        let _busy = self.busy();
        let change = self.0.state.write().unwrap_or_else(std::sync::PoisonError::into_inner).undo.pop();
        let Some(change) = change else {
            return Err(
                Problem::new(Code::NotFound, "There is nothing to undo").why("no file was changed since Patchbay started")
            );
        };
        let path = self.path(&change.file);
        let current = files::text(self.dir(), &path)?;
        if current.as_deref().map(definition::revision) != change.after {
            self.reload_now();
            return Err(changed_since(&change.file)
                .next(format!("{} is not taken back, so that nothing is lost", upper_first(&change.what))));
        }
        let outcome = match (&change.before, &current) {
            (Some(before), Some(_)) => files::write(self.dir(), &path, before, Existing::Replace),
            (Some(before), None) => files::write(self.dir(), &path, before, Existing::Refuse),
            (None, _) => files::remove(self.dir(), &path),
        };
        self.reload_now();
        if let Err(problem) = outcome {
            self.0.state.write().unwrap_or_else(std::sync::PoisonError::into_inner).undo.push(change);
            return Err(problem);
        }
        Ok(change.what)
    }

    /// Chooses an environment and writes the choice into `patchbay.yaml`, whose comments stay. In a workspace that can't
    /// be written the choice holds for as long as the program runs.
    ///
    /// # Errors
    /// [`Code::NotFound`] with the nearest name, [`Code::Workspace`] where the file can't be written.
    pub fn select_environment(&self, name: &str) -> Result<()> {
        self.use_environment(name)?;
        if self.0.read_only.is_some() {
            return Ok(());
        }
        let _busy = self.busy();
        let path = self.path(SETTINGS_FILE);
        let current = files::text(self.dir(), &path)?.unwrap_or_default();
        let (settings, _) = environments::parse(SETTINGS_FILE, current.as_bytes());
        if settings.environment.as_deref() != Some(name) {
            let edit = Edit { pointer: "/workspace/environment".to_owned(), value: Value::from(name) };
            let text = definition::edit(&current, &[edit]).map_err(|problem| named(problem, SETTINGS_FILE))?;
            files::write(self.dir(), &path, &text, Existing::Replace)?;
        }
        self.reload_now();
        // The file says it now.
        self.0.state.write().unwrap_or_else(std::sync::PoisonError::into_inner).environment = None;
        Ok(())
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir().join(file)
    }

    fn may_write(&self, text: &str) -> Result<()> {
        if let Some(problem) = &self.0.read_only {
            return Err(problem.clone());
        }
        if text.len() > MAX_BYTES {
            return Err(Problem::new(Code::TooLarge, "The text is larger than an integration file may be")
                .why(format!("it has {} bytes, and {MAX_BYTES} are allowed", text.len())));
        }
        Ok(())
    }

    /// The text of an entry's file as it is now, whatever was read before.
    fn current(&self, entry: &Entry) -> Result<String> {
        files::text(self.dir(), &self.path(&entry.file))?.ok_or_else(|| {
            self.reload_now();
            Problem::new(Code::Conflict, format!("{} is no longer there", entry.file)).why("somebody else removed it")
        })
    }

    fn replace(&self, entry: &Entry, current: String, text: &str) -> Result<Saved> {
        if text != current {
            let name = definition::parse(&entry.file, text.as_bytes()).name.map(|name| name.trim().to_owned());
            let renamed = name.filter(|name| !name.is_empty() && *name != entry.name);
            if let Some(name) = &renamed {
                self.free(name, Some(&entry.file))?;
            }
            files::write(self.dir(), &self.path(&entry.file), text, Existing::Replace)?;
            let what = match renamed {
                Some(name) => format!("renaming {} to {name}", entry.name),
                None => format!("changing {}", entry.name),
            };
            self.remember(what, &entry.file, Some(current), Some(text));
        }
        self.saved(&entry.file)
    }

    /// Refuses a name that another file has.
    fn free(&self, name: &str, file: Option<&str>) -> Result<()> {
        match self.read().entries.iter().find(|entry| entry.name == name && Some(entry.file.as_str()) != file) {
            None => Ok(()),
            Some(taken) => Err(Problem::new(Code::AlreadyExists, format!("The name \"{name}\" is taken"))
                .why(format!("{} has it", taken.file))
                .next("Give another name")),
        }
    }

    /// Writes a file of a name that is free, made from that of the integration.
    fn write_new(&self, name: &str, text: &str) -> Result<String> {
        let stem = files::stem(name);
        for number in 1..=1000 {
            let file = if number == 1 { format!("{stem}.yaml") } else { format!("{stem}-{number}.yaml") };
            match files::write(self.dir(), &self.path(&file), text, Existing::Refuse) {
                Err(problem) if problem.code == Code::AlreadyExists => {}
                Err(problem) => return Err(problem),
                Ok(()) => return Ok(file),
            }
        }
        Err(Problem::new(Code::AlreadyExists, format!("There are a thousand files called {stem} already")))
    }

    fn remember(&self, what: String, file: &str, before: Option<String>, after: Option<&str>) {
        let mut state = self.0.state.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if state.undo.len() >= REMEMBERED {
            state.undo.remove(0);
        }
        state.undo.push(Change { what, file: file.to_owned(), before, after: after.map(definition::revision) });
    }

    /// What came of a change: the file as it is read now.
    fn saved(&self, file: &str) -> Result<Saved> {
        self.reload_now();
        let state = self.read();
        let entry = state.entries.iter().find(|entry| entry.file == file).ok_or_else(|| {
            Problem::new(Code::InvalidDefinition, format!("{file} was saved, and is no integration any more"))
                .why("it does not begin with \"integration:\"")
                .next("Undo brings the last text back")
        })?;
        Ok(Saved {
            name: entry.name.clone(),
            file: entry.file.clone(),
            text: entry.text.to_string(),
            revision: entry.revision.clone(),
            problems: entry.parsed.problems.clone(),
        })
    }
}

/// A problem of a text that didn't know its file.
fn named(mut problem: Problem, file: &str) -> Problem {
    if let Some(place) = &mut problem.place {
        file.clone_into(&mut place.file);
    }
    problem
}

fn changed_since(file: &str) -> Problem {
    Problem::new(Code::Conflict, format!("{file} was changed by someone else"))
        .why("its text is no longer the one that this is about")
}

fn upper_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
