//! Workspace folders for tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

use patchbay_engine::workspace::Workspace;
use tempfile::TempDir;

/// A folder with an open workspace; gone when it's dropped.
pub struct Folder {
    /// The folder, which holds `files` alone.
    pub dir: TempDir,
    /// The workspace in it.
    pub workspace: Workspace,
}

impl Folder {
    /// A workspace of these files.
    ///
    /// # Panics
    /// Where the system has no temporary folder.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let dir = TempDir::new().expect("there is a temporary folder");
        for (file, text) in files {
            write(dir.path(), file, text);
        }
        let workspace = Workspace::open(dir.path()).expect("a folder that was just made opens");
        Self { dir, workspace }
    }

    /// Writes a file as somebody else would.
    pub fn write(&self, file: &str, text: &str) {
        write(self.dir.path(), file, text);
    }

    /// The text of a file on the disk.
    ///
    /// # Panics
    /// Where it can't be read.
    pub fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).expect("the file can be read")
    }

    /// The path of a file.
    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// The names of all entries, in order.
    pub fn names(&self) -> Vec<String> {
        self.workspace.entries().into_iter().map(|entry| entry.name).collect()
    }

    /// The mistakes of an entry as a person reads them.
    ///
    /// # Panics
    /// Where there is no such entry.
    pub fn mistakes(&self, name: &str) -> Vec<String> {
        let entry = self.workspace.entry(name).expect("the entry is there");
        entry.parsed.problems.iter().map(ToString::to_string).collect()
    }
}

/// A small sound definition.
pub fn small(name: &str) -> String {
    format!("integration:\n  name: {name} # its name\n  base_url: http://localhost:1\n")
}

fn write(dir: &Path, file: &str, text: &str) {
    let path = dir.join(file);
    fs::create_dir_all(path.parent().unwrap_or(dir)).expect("the folder can be made");
    fs::write(path, text).expect("the file can be written");
}
