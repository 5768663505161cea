//! Messages held to a contract: a contract of Patchbay's own, an AsyncAPI document or a JSON Schema, against a file, a
//! folder or a stream.
//!
//! ```yaml
//! messages:
//!   title: orders events
//!   envelope: patchbay            # or cloudevents, none, or a JSON Schema; patchbay without it
//!   types:
//!     - type: order.created
//!       version: "1.0"
//!       schema: { order_id: string, amount: number }
//! ```
//!
//! Patchbay's envelope has `id`, `type`, `version`, `timestamp` (RFC 3339), `source`, `data` and `metadata` with
//! `correlation_id`, and `causation_id` and `user_id` where there are any. With an envelope of its own a contract says in
//! `fields` where these parts are, as JSON pointers. Without `types` only envelopes are judged.

mod asyncapi;
mod cloudevents;
mod contract;
mod envelope;
mod finding;
mod read;
mod run;
mod shape;
mod stream;
mod texts;

use std::path::{Path, PathBuf};

use patchbay_contracts::{Code, Problem, contract::ContractOptions};
use tokio::io::AsyncBufRead;

use crate::Result;

pub(super) use self::{
    contract::{Contract, MessageType, read},
    envelope::Form,
    shape::Shape,
};
pub use self::{envelope::ENVELOPES, read::LONGEST, run::check, stream::WINDOW};

/// Where messages come from.
pub enum Input {
    /// A file.
    File(PathBuf),
    /// A stream, with the name that it is shown by.
    Stream {
        /// Such as `standard input`.
        name: String,
        /// The bytes.
        reader: Box<dyn AsyncBufRead + Send + Unpin>,
    },
}

/// How messages are held to a contract.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageOptions {
    /// One of [`ENVELOPES`], in place of the contract's own.
    pub envelope: Option<String>,
    /// How many messages are remembered to find duplicates and causes.
    pub window: usize,
    /// The longest message, in bytes.
    pub longest: usize,
    /// Which checks and types are judged, and which only warn.
    pub contract: ContractOptions,
}

impl Default for MessageOptions {
    fn default() -> Self {
        Self { envelope: None, window: WINDOW, longest: LONGEST, contract: ContractOptions::default() }
    }
}

/// The most files that are taken from folders.
const MOST_FILES: usize = 100_000;
/// How deep folders are looked through.
const DEEPEST: usize = 16;
/// The endings of files with messages.
const ENDINGS: [&str; 4] = ["json", "jsonl", "ndjson", "jsonlines"];

/// The files of a path: itself, or all files with messages in a folder and the folders below it, by name. Files whose names
/// begin with a dot, and links, are left out of folders.
///
/// # Errors
/// [`Code::NotFound`] or [`Code::InvalidInput`] where there is nothing, and [`Code::TooLarge`] beyond 100,000 files.
pub fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let cannot = |path: &Path, error: std::io::Error| {
        let code = if error.kind() == std::io::ErrorKind::NotFound { Code::NotFound } else { Code::InvalidInput };
        Problem::new(code, format!("`{}` can't be read", path.display())).why(error.to_string())
    };
    if !path.metadata().map_err(|error| cannot(path, error))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![(path.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| cannot(&folder, error))? {
            let entry = entry.map_err(|error| cannot(&folder, error))?;
            let kind = entry.file_type().map_err(|error| cannot(&folder, error))?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if kind.is_dir() && depth < DEEPEST {
                folders.push((entry.path(), depth + 1));
            } else if kind.is_file() && is_messages(&entry.path()) {
                found.push(entry.path());
            }
            if found.len() > MOST_FILES {
                return Err(Problem::new(Code::TooLarge, format!("`{}` has more than {MOST_FILES} files", path.display())));
            }
        }
    }
    if found.is_empty() {
        return Err(Problem::new(Code::InvalidInput, format!("`{}` has no files with messages", path.display()))
            .why(format!("looked for names that end in .{}", ENDINGS.join(", ."))));
    }
    found.sort();
    Ok(found)
}

fn is_messages(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}
