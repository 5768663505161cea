//! Where pacts come from: a file, a folder, an address or a broker.

use std::{fmt, path::Path, sync::Arc};

use patchbay_contracts::{Code, Place, Problem, contract::ContractOptions, integration::Method};
use serde_json::Value;

use super::{super::document::Document, broker};
use crate::{Result, http::Context};

/// The most bytes of a pact.
pub(super) const MAX_BYTES: u64 = 16 << 20;
/// The most pacts of a folder or a broker.
pub(super) const MOST: usize = 1000;

/// Finds the place of a JSON pointer in a pact's text.
type Places = Arc<dyn Fn(&str) -> Option<Place> + Send + Sync>;

/// A pact as it was written.
#[derive(Clone)]
pub struct PactFile {
    /// The file or the address, as it is shown.
    pub file: String,
    /// What stands in it.
    pub value: Value,
    /// Whether a broker says that it may fail without failing the run.
    pub pending: bool,
    places: Option<Places>,
}

impl fmt::Debug for PactFile {
    // Bodies may hold what a person would not want in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PactFile").field("file", &self.file).finish_non_exhaustive()
    }
}

impl PactFile {
    /// A pact that was read elsewhere. `places` finds the place of a JSON pointer in its text.
    pub fn new(file: impl Into<String>, value: Value, places: impl Fn(&str) -> Option<Place> + Send + Sync + 'static) -> Self {
        Self { file: file.into(), value, pending: false, places: Some(Arc::new(places)) }
    }

    /// A pact without a text that places could be in.
    pub(super) fn bare(file: impl Into<String>, value: Value, pending: bool) -> Self {
        Self { file: file.into(), value, pending, places: None }
    }

    /// Reads the text of a pact.
    ///
    /// # Errors
    /// As for [`Document::parse`].
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self> {
        Document::parse(file, bytes).map(Self::from)
    }

    /// The place of a pointer, or of the nearest above it.
    pub fn place(&self, pointer: &str) -> Option<Place> {
        self.places.as_ref().and_then(|places| places(pointer))
    }
}

impl From<Document> for PactFile {
    fn from(document: Document) -> Self {
        Self::new(document.file.clone(), document.value.clone(), move |pointer| document.place(pointer))
    }
}

/// What is verified.
#[derive(Debug, Clone)]
pub enum Source {
    /// Pacts, and what could not be read beside them.
    Pacts {
        /// What they came from, as it is shown.
        from: String,
        /// Those that could be read.
        pacts: Vec<PactFile>,
        /// What could not.
        problems: Vec<Problem>,
    },
    /// All pacts of a provider that a broker has.
    Broker(
        /// Its address.
        String,
    ),
}

impl Source {
    /// One pact that was read elsewhere.
    pub fn one(pact: PactFile) -> Self {
        Self::Pacts { from: pact.file.clone(), pacts: vec![pact], problems: Vec::new() }
    }

    /// Opens a file, a folder of pacts, an address of a pact, or a broker: `pact-broker:` and its address, or an address
    /// that answers as a broker does.
    ///
    /// # Errors
    /// [`Code::NotFound`] where there is nothing; [`Code::InvalidDefinition`] for a single pact that can't be read; the
    /// problem of the exchange for an address that gives none. Of a folder, the other pacts are given all the same.
    pub async fn open(context: &Context, source: &str, options: &ContractOptions) -> Result<Self> {
        if let Some(address) = source.strip_prefix("pact-broker:") {
            return Ok(Self::Broker(address.to_owned()));
        }
        if source.starts_with("http://") || source.starts_with("https://") {
            let broker = broker::Broker::new(context, source, options);
            let value = broker.exchange(Method::Get, source, None).await?;
            if broker::is_root(&value) {
                return Ok(Self::Broker(source.to_owned()));
            }
            return Ok(Self::one(PactFile::bare(context.secrets.redactor().text(source), value, false)));
        }
        let path = Path::new(source);
        if path.is_dir() { folder(path, source) } else { Ok(Self::one(file(path)?)) }
    }
}

fn folder(path: &Path, source: &str) -> Result<Source> {
    let cannot = |error: std::io::Error| {
        Problem::new(Code::InvalidInput, format!("The folder `{source}` can't be read")).why(error.to_string())
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(cannot)? {
        let file = entry.map_err(cannot)?.path();
        if file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(Problem::new(Code::NotFound, format!("There are no pacts in `{source}`")).why("no file there ends in .json"));
    }
    files.sort();
    let mut problems = Vec::new();
    if files.len() > MOST {
        let what = format!("Only the first {MOST} of {} files in `{source}` were read", files.len());
        problems.push(Problem::new(Code::TooLarge, what));
        files.truncate(MOST);
    }
    let mut pacts = Vec::new();
    for path in files {
        match file(&path) {
            Ok(pact) => pacts.push(pact),
            Err(problem) => problems.push(problem),
        }
    }
    Ok(Source::Pacts { from: source.to_owned(), pacts, problems })
}

fn file(path: &Path) -> Result<PactFile> {
    let shown = path.display().to_string();
    let cannot = |error: std::io::Error| {
        let code = if error.kind() == std::io::ErrorKind::NotFound { Code::NotFound } else { Code::InvalidInput };
        Problem::new(code, format!("`{shown}` can't be read")).why(error.to_string())
    };
    let length = std::fs::metadata(path).map_err(cannot)?.len();
    if length > MAX_BYTES {
        return Err(Problem::new(Code::TooLarge, format!("`{shown}` is larger than a pact may be"))
            .why(format!("it has {length} bytes, and {MAX_BYTES} are allowed")));
    }
    PactFile::read(&shown, &std::fs::read(path).map_err(cannot)?)
}
