//! Reading and writing the files of a workspace: bounded, whole or not at all, and never outside of the folder.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use patchbay_contracts::{Code, Problem};

use crate::{Result, definition::MAX_BYTES};

/// How deep folders are searched; 1 is the workspace folder itself.
const MAX_LEVELS: usize = 4;
/// How many YAML files are looked at.
pub const MAX_FILES: usize = 2000;
/// How many entries of folders are looked at in all, whatever they are.
const MAX_LISTED: usize = 50_000;
/// Folders of other tools, and that of Patchbay's own reports.
const SKIPPED: [&str; 3] = ["reports", "target", "node_modules"];

/// A YAML file of the workspace.
pub struct Found {
    /// Its path under the workspace, with `/` between its parts.
    pub file: String,
    /// Its bytes, at most one more than an integration file may have.
    pub content: Result<Vec<u8>>,
}

/// What a search found.
#[derive(Default)]
pub struct Search {
    /// Each YAML file, by its path.
    pub found: Vec<Found>,
    /// Each folder that was searched.
    pub folders: Vec<PathBuf>,
    /// What could not be searched.
    pub problems: Vec<Problem>,
    listed: usize,
}

/// Reads all YAML files of a workspace.
pub fn search(root: &Path) -> Search {
    let mut search = Search::default();
    search.folder(root, root, 1);
    search.found.sort_by(|a, b| a.file.cmp(&b.file));
    search
}

impl Search {
    fn folder(&mut self, root: &Path, folder: &Path, level: usize) {
        let listing = match fs::read_dir(folder) {
            Ok(listing) => listing,
            Err(error) => return self.problems.push(unreadable(root, folder, &error)),
        };
        self.folders.push(folder.to_owned());
        let mut entries: Vec<_> = listing.flatten().take(MAX_LISTED.saturating_sub(self.listed)).collect();
        self.listed += entries.len();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                let skipped = name.starts_with('.') || SKIPPED.contains(&name.as_ref());
                if !skipped && level < MAX_LEVELS {
                    self.folder(root, &entry.path(), level + 1);
                }
            } else if is_yaml(&name) && !(level == 1 && name == super::SETTINGS_FILE) {
                if self.found.len() >= MAX_FILES || self.listed >= MAX_LISTED {
                    if self.problems.iter().all(|problem| problem.code != Code::TooLarge) {
                        self.problems.push(
                            Problem::new(Code::TooLarge, "The workspace holds more files than are looked at")
                                .why(format!("at most {MAX_FILES} YAML files and {MAX_LISTED} others are"))
                                .next("Open the folder of the integrations alone"),
                        );
                    }
                    return;
                }
                let file = relative(root, &entry.path());
                let content = read(root, &entry.path());
                self.found.push(Found { file, content });
            }
        }
    }
}

fn is_yaml(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml"))
}

/// A path under the workspace, with `/` between its parts on every system.
pub fn relative(root: &Path, path: &Path) -> String {
    let inner = path.strip_prefix(root).unwrap_or(path);
    inner.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn unreadable(root: &Path, path: &Path, error: &io::Error) -> Problem {
    Problem::new(Code::Workspace, format!("{} can't be read", relative(root, path)))
        .why(error.to_string())
        .next("Look at its permissions")
}

/// The file that a path stands for, links followed; refused where that lies outside of the workspace.
fn inside(root: &Path, path: &Path) -> Result<(PathBuf, Metadata)> {
    let target = path.canonicalize().map_err(|error| unreadable(root, path, &error))?;
    if !target.starts_with(root) {
        return Err(Problem::new(Code::Workspace, format!("{} is a link that leads out of the workspace", relative(root, path)))
            .next("Put the file itself into the workspace"));
    }
    let metadata = target.metadata().map_err(|error| unreadable(root, path, &error))?;
    Ok((target, metadata))
}

/// Reads a file, one byte more than an integration file may have at most.
///
/// # Errors
/// [`Code::Workspace`] where it can't be read, is no plain file, or is a link out of the workspace.
pub fn read(root: &Path, path: &Path) -> Result<Vec<u8>> {
    let (target, metadata) = inside(root, path)?;
    // A pipe would block, and a device never end.
    if !metadata.is_file() {
        return Err(Problem::new(Code::Workspace, format!("{} is not a plain file", relative(root, path))));
    }
    let mut bytes = Vec::new();
    File::open(target)
        .and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(root, path, &error))?;
    Ok(bytes)
}

/// The text of a file as it is now; `None` where there is none.
///
/// # Errors
/// As [`read`], and [`Code::InvalidDefinition`] where it isn't UTF-8.
pub fn text(root: &Path, path: &Path) -> Result<Option<String>> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(root, path, &error)),
        Ok(_) => String::from_utf8(read(root, path)?).map(Some).map_err(|_| {
            Problem::new(Code::InvalidDefinition, format!("{} is not UTF-8", relative(root, path))).next("Save the file as UTF-8")
        }),
    }
}

/// Whether a file may be there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It may not: somebody else's file is never overwritten.
    Refuse,
    /// It is replaced, and its permissions stay.
    Replace,
}

/// Writes a file whole or not at all: into a temporary file beside it, to the disk, and then under its name.
///
/// # Errors
/// [`Code::AlreadyExists`] where it is there and may not be, [`Code::Workspace`] where it can't be written.
pub fn write(root: &Path, path: &Path, text: &str, existing: Existing) -> Result<()> {
    let shown = relative(root, path);
    let fail = |error: io::Error| {
        Problem::new(Code::Workspace, format!("{shown} can't be written"))
            .why(error.to_string())
            .next("Look at the permissions of the folder and at the free space")
    };
    let (target, permissions) = match (existing, path.symlink_metadata()) {
        (Existing::Replace, Ok(_)) => {
            let (target, metadata) = inside(root, path)?;
            (target, Some(metadata.permissions()))
        }
        _ => (path.to_owned(), None),
    };
    let folder = target.parent().unwrap_or(root);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".patchbay-").suffix(".tmp");
    // A temporary file is for its owner alone unless told otherwise, and this one becomes a file like any other.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(fail)?;
    file.write_all(text.as_bytes()).map_err(fail)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions).map_err(fail)?;
    }
    file.as_file().sync_all().map_err(fail)?;
    let outcome = match existing {
        Existing::Replace => file.persist(&target),
        Existing::Refuse => file.persist_noclobber(&target),
    };
    outcome.map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => Problem::new(Code::AlreadyExists, format!("There is a file {shown} already")),
        _ => fail(error.error),
    })?;
    sync_folder(folder);
    Ok(())
}

/// Takes a file out of the workspace.
///
/// # Errors
/// [`Code::Workspace`] where it can't be removed.
pub fn remove(root: &Path, path: &Path) -> Result<()> {
    fs::remove_file(path).map_err(|error| {
        Problem::new(Code::Workspace, format!("{} can't be removed", relative(root, path))).why(error.to_string())
    })?;
    sync_folder(path.parent().unwrap_or(root));
    Ok(())
}

/// The name of a file is on the disk only when its folder is. Windows has no such call, and its file systems a journal.
fn sync_folder(folder: &Path) {
    #[cfg(unix)]
    if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
        tracing::debug!(%error, "the folder could not be synchronised");
    }
    #[cfg(not(unix))]
    let _ = folder;
}

/// Why nothing can be written into a folder; `None` where it can.
pub fn read_only(root: &Path) -> Option<Problem> {
    let error = tempfile::Builder::new().prefix(".patchbay-").suffix(".tmp").tempfile_in(root).err()?;
    Some(
        Problem::new(Code::Workspace, "The workspace can't be written")
            .why(error.to_string())
            .next("Definitions can be read and checks run; to change something, open a copy in a folder of your own"),
    )
}

/// A file name made from an integration's name: lower case letters, digits and `-`.
pub fn stem(name: &str) -> String {
    let mut stem = String::new();
    for c in name.chars().flat_map(char::to_lowercase).take(60) {
        if c.is_ascii_alphanumeric() || c == '_' {
            stem.push(c);
        } else if !stem.ends_with('-') && !stem.is_empty() {
            stem.push('-');
        }
    }
    let stem = stem.trim_end_matches('-');
    // Windows keeps these names for devices.
    const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
    let device = DEVICES.contains(&stem) || (stem.len() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")));
    match stem {
        "" => "integration".to_owned(),
        // `patchbay.yaml` in the workspace folder is the workspace's own.
        "patchbay" => "patchbay-integration".to_owned(),
        _ if device => format!("{stem}-integration"),
        _ => stem.to_owned(),
    }
}
