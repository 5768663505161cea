//! Puts tools under `target/bench`, or says what a person has to install.

use super::folder;
use crate::failure::{About, Failure, Outcome};
use crate::process::{find, output, timed};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Calls `install` with the empty folder `target/bench/NAME`, unless this version was put there before.
pub fn once(name: &str, version: &str, install: impl FnOnce(&Path) -> Outcome) -> Outcome {
    let place = folder().join(name);
    let mark = place.join("installed.txt");
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == version) {
        return Ok(());
    }
    // What an interrupted installation left is no good start for another.
    let _ = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(&place).about(|| format!("make the folder {}", place.display()))?;
    timed(&format!("installing into target/bench/{name}"), || install(&place))?;
    std::fs::write(&mark, version).about(|| format!("write {}", mark.display()))
}

/// Where a program is that can't be done without.
pub fn needed(name: &str) -> Outcome<PathBuf> {
    find(name)
        .ok_or_else(|| Failure::cannot(format!("`{name}` is not in the PATH. Install it, or leave its tools out with --only.")))
}

/// A program of a Python environment.
pub fn in_venv(place: &Path, name: &str) -> PathBuf {
    let folder = if cfg!(windows) { "Scripts" } else { "bin" };
    place.join(folder).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// What this machine is, for the figures.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = output(Command::new("uname").args(["-sm"])).unwrap_or_else(|| std::env::consts::OS.to_owned());
    format!("{kernel}, {cores} cores")
}
