//! Where things are in the repository, and files that are written only when they differ.

use crate::failure::{About, Outcome};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// The top of the repository.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// The folder that Cargo builds into. All that xtask leaves behind is in it too, apart from `dist/`.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(chosen) => root().join(chosen),
        None => root().join("target"),
    }
}

/// The built program `name` of the profile `profile`, with the system's own ending.
pub fn program(profile: &str, name: &str) -> PathBuf {
    let folder = if profile == "dev" { "debug" } else { profile };
    target().join(folder).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Every file under `folder`, in a fixed order.
pub fn files_under(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).about(|| format!("list {}", folder.display()))? {
            let path = entry.about(|| format!("list {}", folder.display()))?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A number that changes when a name or the content of one of `files` changes.
///
/// Contents rather than times, since a fresh checkout gives every file a new time.
pub fn fingerprint(files: &[PathBuf]) -> Outcome<String> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.hash(&mut hasher);
        fs::read(file).about(|| format!("read {}", file.display()))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Writes `content` unless the file already holds it, so that what is built from the file is not built again.
pub fn write_if_changed(path: &Path, content: &[u8]) -> Outcome<bool> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).about(|| format!("make the folder {}", folder.display()))?;
    }
    fs::write(path, content).about(|| format!("write {}", path.display()))?;
    Ok(true)
}
