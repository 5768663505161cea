//! The one writer of a workspace, told from others by a lock that the operating system frees when it dies.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    process,
};

use patchbay_contracts::{Code, Problem};

use crate::{Result, definition};

/// The name of the schema for editors in the state folder.
pub const SCHEMA_FILE: &str = "integration.schema.json";

/// The workspace is held for as long as this lives.
#[derive(Debug)]
pub struct Hold {
    // Closing the file frees the lock; so does the end of the process, however it comes.
    _lock: File,
}

/// Where the state of a workspace lies: `.patchbay` inside, or in the user's data folder where that can't be written.
pub fn state_dir(workspace: &Path, read_only: bool) -> PathBuf {
    if !read_only {
        return workspace.join(super::STATE_FOLDER);
    }
    let mark = definition::revision(&workspace.to_string_lossy());
    let folder = data_home().unwrap_or_else(std::env::temp_dir);
    folder.join("patchbay").join("workspaces").join(&mark[..16])
}

/// Where the user's programs keep their data (XDG base directories, and their like elsewhere).
fn data_home() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if cfg!(windows) {
        folder("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        folder("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        folder("XDG_DATA_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/share")))
    }
}

/// Makes the state folder, keeps it out of version control, and puts the schema for editors into it.
///
/// # Errors
/// [`Code::Workspace`] where it can't be written.
pub fn prepare(state: &Path) -> Result<()> {
    let fail = |error: std::io::Error| {
        Problem::new(Code::Workspace, "The folder for Patchbay's own state can't be written")
            .why(format!("{}: {error}", state.display()))
            .next("Look at its permissions and at the free space")
    };
    fs::create_dir_all(state).map_err(fail)?;
    let schema = serde_json::to_string_pretty(&definition::json_schema()).map_err(Problem::internal)?;
    for (name, text) in [(".gitignore", "*\n"), (SCHEMA_FILE, schema.as_str())] {
        let file = state.join(name);
        if fs::read(&file).is_ok_and(|is| is == text.as_bytes()) {
            continue;
        }
        fs::write(&file, text).map_err(fail)?;
    }
    Ok(())
}

/// Takes the lock.
///
/// # Errors
/// [`Code::InUse`] with what holds it, [`Code::Workspace`] where the state folder can't be written.
pub fn hold(state: &Path) -> Result<Hold> {
    prepare(state)?;
    let fail = |error: std::io::Error| {
        Problem::new(Code::Workspace, "The workspace can't be locked").why(format!("{}: {error}", state.display()))
    };
    // Who holds it stands beside the lock: on some systems nobody else can read a locked file.
    let holder = state.join("holder");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(state.join("lock")).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => {
            let program = std::env::current_exe().ok();
            let program = program.as_deref().and_then(Path::file_stem).map_or("patchbay".into(), |name| name.to_string_lossy());
            if let Err(error) = fs::write(&holder, format!("{program}, process {}", process::id())) {
                tracing::debug!(%error, "the holder could not be written down");
            }
            Ok(Hold { _lock: file })
        }
        Err(TryLockError::WouldBlock) => {
            let by = fs::read_to_string(&holder).unwrap_or_default();
            let by = if by.is_empty() || by.len() > 300 { "another copy of Patchbay".to_owned() } else { by };
            Err(Problem::new(Code::InUse, "Another copy of Patchbay has this workspace open")
                .why(format!("it is held by {by}"))
                .next("Use that one, or close it first"))
        }
        Err(TryLockError::Error(error)) => Err(fail(error)),
    }
}
