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

use patchbay_contracts::contract::ContractOptions;
use tokio::io::AsyncBufRead;

use crate::{
    Result,
    utils::folders::{self, Wanted},
};

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

/// The files of folders that hold messages.
const WANTED: Wanted = Wanted { endings: &["json", "jsonl", "ndjson", "jsonlines"], what: "messages", most: 100_000 };

/// The files of a path: itself, or all files with messages in a folder and the folders below it, by name. Files whose names
/// begin with a dot, and links, are left out of folders.
///
/// # Errors
/// [`Code::NotFound`](patchbay_contracts::Code::NotFound) or [`Code::InvalidInput`](patchbay_contracts::Code::InvalidInput)
/// where there is nothing, and [`Code::TooLarge`](patchbay_contracts::Code::TooLarge) beyond 100,000 files.
pub fn files(path: &Path) -> Result<Vec<PathBuf>> {
    folders::files(path, WANTED)
}
