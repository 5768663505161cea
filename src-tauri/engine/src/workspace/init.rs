//! A workspace to begin with.

use std::{
    fs,
    path::{Path, PathBuf},
};

use patchbay_contracts::{Code, Problem};

use super::{
    SETTINGS_FILE, STATE_FOLDER,
    files::{self, Existing},
    hold,
};
use crate::Result;

/// The file of the example.
const EXAMPLE_FILE: &str = "example.yaml";
const EXAMPLE: &str = include_str!("example.yaml");
const SETTINGS: &str = include_str!("patchbay.yaml");

/// See [`Workspace::init`](super::Workspace::init).
pub fn init(dir: &Path) -> Result<PathBuf> {
    let fail = |error: std::io::Error| {
        Problem::new(Code::Workspace, format!("The folder {} can't be made", dir.display()))
            .why(error.to_string())
            .next("Name another folder")
    };
    fs::create_dir_all(dir).map_err(fail)?;
    let dir = dir.canonicalize().map_err(fail)?;
    if let Some(problem) = files::read_only(&dir) {
        return Err(problem);
    }
    hold::prepare(&dir.join(STATE_FOLDER))?;
    for (name, text) in [(SETTINGS_FILE, SETTINGS), (EXAMPLE_FILE, EXAMPLE)] {
        match files::write(&dir, &dir.join(name), text, Existing::Refuse) {
            Err(problem) if problem.code != Code::AlreadyExists => return Err(problem),
            _ => {}
        }
    }
    Ok(dir.join(EXAMPLE_FILE))
}
