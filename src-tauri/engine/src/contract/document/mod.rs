//! A contract as it is written: a JSON or YAML text of any known kind, with the place of each of its values.
//!
//! What a document is, is told by what stands in it and never by its name ([`recognise`]). References to other documents
//! are followed, and checked, when they are bundled ([`Bundle`]).

mod json;
mod kinds;
mod open;
mod pointer;
mod references;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use patchbay_contracts::{Code, Place, Problem, contract::ContractKind};
use serde_json::Value;
use url::Url;

use crate::{
    Result,
    definition::{
        Positions,
        tree::{self, Limits},
    },
};

pub(crate) use self::references::is_below;
pub use self::{
    kinds::recognise,
    open::open,
    pointer::{escape, join, unescape},
    references::{Bundle, Reference},
};
pub(in crate::contract) use self::{
    open::read_file,
    pointer::fragment,
    references::{allowed, refused, shown_as},
};

/// The most bytes that a document may have.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;
/// How deep its values may lie in each other.
pub const MAX_DEPTH: usize = 200;
/// How many values it may have, aliases of YAML counted as what they stand for.
pub const MAX_NODES: usize = 2_000_000;

const LIMITS: Limits = Limits {
    bytes: MAX_BYTES,
    depth: MAX_DEPTH,
    nodes: MAX_NODES,
    noun: "a contract",
    smaller: "Split it into several files, and refer to them with `$ref`",
    several: "Give each document a file of its own",
    merges: true,
};

/// Where relative references lead from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// From a file, and to nothing outside of a folder.
    File {
        /// The file, with links resolved.
        file: PathBuf,
        /// The folder that references may not leave: the file's own, or the workspace that it lies in.
        within: PathBuf,
    },
    /// From an address.
    Address(Url),
    /// Nowhere: the text came from neither.
    Nowhere,
}

/// A contract's text, read.
#[derive(Clone)]
pub struct Document {
    /// The file as it is shown, relative to the workspace where it lies inside, or the address.
    pub file: String,
    /// What it is.
    pub kind: ContractKind,
    /// What stands in it, keys in their order.
    pub value: Value,
    /// Where its relative references lead from.
    pub base: Base,
    /// Whether references to addresses are fetched.
    pub fetch: bool,
    /// Mistakes that leave the rest readable: keys that stand twice, tags of YAML that nothing knows.
    pub problems: Vec<Problem>,
    places: Arc<Places>,
}

impl fmt::Debug for Document {
    // The value may hold what a person would not want in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("file", &self.file).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Where the values of a text stand.
enum Places {
    /// Known from the reading.
    Yaml(Positions),
    /// Found in the text when they are first asked for: most documents are read without ever needing one.
    Json { text: String, index: OnceLock<json::Index> },
}

impl Document {
    /// Reads a contract and recognises what it is. `file` is the name that places carry.
    ///
    /// # Errors
    /// [`Code::TooLarge`] beyond the bounds of size; [`Code::InvalidDefinition`] with the place where the text can't be read
    /// or is no contract of a known kind.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self> {
        let mut document = Self::parse(file, bytes)?;
        document.kind = recognise(&document.value).map_err(|problem| match document.place("") {
            Some(place) => problem.at(place),
            None => problem,
        })?;
        Ok(document)
    }

    /// Reads a text without asking what it is, such as a part of a contract or a value to be judged. Its kind is
    /// [`ContractKind::JsonSchema`] until somebody knows better.
    ///
    /// # Errors
    /// As for [`read`](Self::read), but for texts of no known kind.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_BYTES {
            return Err(crate::definition::syntax::too_large(file, bytes.len(), &LIMITS));
        }
        let text =
            std::str::from_utf8(bytes).map_err(|error| crate::definition::syntax::not_utf8(file, bytes, error.valid_up_to()))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (value, problems, places) = match json::read(file, text) {
            json::Outcome::Json(value, problems) => {
                (value, problems, Places::Json { text: text.to_owned(), index: OnceLock::new() })
            }
            json::Outcome::Refused(problem) => return Err(problem),
            json::Outcome::Other => yaml(file, text)?,
        };
        Ok(Self {
            file: file.to_owned(),
            kind: ContractKind::JsonSchema,
            value,
            base: Base::Nowhere,
            fetch: false,
            problems,
            places: Arc::new(places),
        })
    }

    /// Lets references lead to all files of a workspace, where the document lies in it, and shows the file relative to it.
    #[must_use]
    pub fn in_workspace(mut self, folder: &Path) -> Self {
        if let Base::File { file, within } = &mut self.base
            && let Ok(folder) = folder.canonicalize()
            && let Ok(relative) = file.strip_prefix(&folder)
        {
            self.file = relative.to_string_lossy().replace('\\', "/");
            *within = folder;
        }
        self
    }

    /// The place of a JSON pointer (RFC 6901) from the document's root; of its nearest ancestor where nothing is there.
    ///
    /// The place of a text, number or item is its own; that of an object or list is its key.
    pub fn place(&self, pointer: &str) -> Option<Place> {
        match &*self.places {
            // The name may have changed since the text was read.
            Places::Yaml(positions) => positions.place(pointer).map(|place| Place { file: self.file.clone(), ..place }),
            Places::Json { text, index } => {
                let (line, column) = index.get_or_init(|| json::Index::of(text)).place(text, &self.value, pointer);
                Some(Place { file: self.file.clone(), line, column })
            }
        }
    }
}

fn yaml(file: &str, text: &str) -> Result<(Value, Vec<Problem>, Places)> {
    let tree::Tree { root, mut problems, partial } = tree::read_within(file, text.as_bytes(), LIMITS);
    let place = || Place { file: file.to_owned(), line: 1, column: 1 };
    if partial {
        // What ended the reading is the last mistake.
        return Err(problems.pop().unwrap_or_else(|| Problem::internal("a text that was not read, without a reason")));
    }
    let Some(root) = root else {
        return Err(Problem::new(Code::InvalidDefinition, "The file is empty")
            .why("a contract is a JSON or YAML document")
            .next("Look whether it was saved, or name another file")
            .at(place()));
    };
    let value = root.value();
    Ok((value, problems, Places::Yaml(Positions::of(file, Some(root)))))
}
