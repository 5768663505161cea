//! The few words that the window's program takes.

use std::{ffi::OsString, path::PathBuf};

/// What to open.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) workspace: Option<PathBuf>,
    pub(crate) database: Option<String>,
    pub(crate) environment: Option<String>,
}

/// What to do.
pub(crate) enum Start {
    Open(Arguments),
    Say(&'static str),
}

const HELP: &str = "Patchbay's window.

Usage: patchbay-desktop [--workspace DIR] [--db FILE] [--env NAME]

  --workspace DIR  the folder of integration files; ~/Patchbay without it
  --db FILE        the results database; inside the workspace without it
  --env NAME       the environment to choose

The command `patchbay` does all that the window does, without one.";

impl Arguments {
    /// Reads the arguments after the program's name.
    pub(crate) fn read(words: impl Iterator<Item = OsString>) -> Result<Start, String> {
        let mut words = words.peekable();
        let mut read = Self::default();
        while let Some(word) = words.next() {
            let text = word.to_string_lossy().into_owned();
            let (name, inline) =
                text.split_once('=').map_or((text.as_str(), None), |(name, value)| (name, Some(value.to_owned())));
            let mut value = || {
                inline
                    .clone()
                    .map(OsString::from)
                    .or_else(|| words.next())
                    .ok_or_else(|| format!("`{name}` needs a value after it"))
            };
            match name {
                "--workspace" => read.workspace = Some(value()?.into()),
                "--db" => read.database = Some(value()?.to_string_lossy().into_owned()),
                "--env" => read.environment = Some(value()?.to_string_lossy().into_owned()),
                "--help" | "-h" => return Ok(Start::Say(HELP)),
                "--version" | "-V" => return Ok(Start::Say(concat!("patchbay-desktop ", env!("CARGO_PKG_VERSION")))),
                _ => return Err(format!("`{text}` is not understood; see patchbay-desktop --help")),
            }
        }
        Ok(Start::Open(read))
    }
}
