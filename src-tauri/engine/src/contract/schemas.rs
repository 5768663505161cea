//! Where a schema's `$ref` may lead: within itself, and to files in the workspace folder. Nothing is fetched.

use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use jsonschema::{Retrieve, Uri};
use patchbay_contracts::{Code, Problem, integration::BodySchema};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use crate::{Result, definition::schema_files};

/// The largest schema file, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;
/// The scheme that stands for the workspace folder. It is nobody else's, so that no other reference can lead to a file.
const SCHEME: &str = "patchbay";
const PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`');

/// The folder that schema files are read from.
#[derive(Debug, Clone, Default)]
pub struct Schemas {
    folder: Option<PathBuf>,
    file: String,
}

impl Schemas {
    /// References may lead to files in `folder`, relative to `file`, which lies in it.
    pub fn within(folder: &Path, file: &str) -> Self {
        Self { folder: Some(folder.to_owned()), file: file.to_owned() }
    }

    /// References may lead nowhere but within the schema.
    pub fn closed() -> Self {
        Self::default()
    }

    /// A file that the definition names relative to itself; nothing where files are out of reach.
    pub(crate) fn beside(&self, name: &str) -> Option<PathBuf> {
        let file = self.folder.as_ref()?.join(&self.file);
        Some(file.parent()?.join(name))
    }

    /// The bytes of a file that the definition names relative to itself, at most `most` of them. It blocks.
    ///
    /// # Errors
    /// [`Code::InvalidDefinition`] for a file that can't be read, is longer, or lies outside of the folder, as one does that a
    /// link leads to.
    pub(crate) fn bytes_beside(&self, name: &str, most: u64) -> Result<Vec<u8>> {
        let cannot = |why: String| {
            Problem::new(Code::InvalidDefinition, format!("The file `{name}` can't be read"))
                .why(why)
                .next("The path is relative to the integration's file")
        };
        let missing = |error: std::io::Error| cannot(error.to_string());
        let (Some(folder), Some(path)) = (&self.folder, self.beside(name)) else {
            return Err(cannot("the definition lies in no folder".to_owned()));
        };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let folder = folder.canonicalize().map_err(missing)?;
        let path = path.canonicalize().map_err(missing)?;
        if !path.starts_with(&folder) {
            return Err(Problem::new(Code::InvalidDefinition, format!("The file `{name}` lies outside of the workspace folder"))
                .why("a file of the workspace may lead to nothing outside of it")
                .next("Put the file itself into the workspace folder"));
        }
        // Of anything but a file, such as a pipe, reading could never end.
        if !path.metadata().map_err(missing)?.is_file() {
            return Err(cannot("it is no file".to_owned()));
        }
        let mut bytes = Vec::new();
        std::fs::File::open(&path).map_err(missing)?.take(most + 1).read_to_end(&mut bytes).map_err(missing)?;
        if bytes.len() as u64 > most {
            return Err(Problem::new(Code::InvalidDefinition, format!("The file `{name}` is too large"))
                .why(format!("at most {most} bytes are read"))
                .next("Check that it is the right file"));
        }
        Ok(bytes)
    }

    /// A validator for a JSON Schema, formats included.
    ///
    /// # Errors
    /// [`Code::InvalidDefinition`] where the schema isn't one, or where a reference leads nowhere.
    pub(super) fn validator(&self, schema: &Value) -> Result<jsonschema::Validator> {
        let reader = Reader { folder: self.folder.clone(), failure: Arc::default() };
        let failure = Arc::clone(&reader.failure);
        jsonschema::options()
            .with_base_uri(self.base())
            .with_retriever(reader)
            .should_validate_formats(true)
            .build(schema)
            .map_err(|error| {
                if let Some(problem) = failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    return problem;
                }
                Problem::new(Code::InvalidDefinition, "The schema is not a valid JSON Schema")
                    .why(match error.instance_path().as_str() {
                        "" => error.to_string(),
                        pointer => format!("at {pointer}: {error}"),
                    })
                    .next("The keywords and their values are described at json-schema.org")
            })
    }

    /// Whether a schema of an integration file can be used: it can be read, and all that it refers to is there.
    ///
    /// # Errors
    /// [`Code::InvalidDefinition`] with what is wrong.
    pub fn check(&self, schema: &BodySchema) -> Result<()> {
        self.validator(&super::schema::expand(schema)?).map(drop)
    }

    /// The schema with what it takes from files put in its place, for making examples.
    ///
    /// # Errors
    /// As for [`validator`](Self::validator).
    pub(crate) fn inlined(&self, schema: Value) -> Result<Value> {
        if schema_files(&schema).is_empty() {
            return Ok(schema);
        }
        let reader = Reader { folder: self.folder.clone(), failure: Arc::default() };
        let failure = Arc::clone(&reader.failure);
        jsonschema::options().with_base_uri(self.base()).with_retriever(reader).dereference(&schema).map_err(|error| {
            failure.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_else(|| {
                Problem::new(Code::InvalidDefinition, "A reference of the schema leads nowhere").why(error.to_string())
            })
        })
    }

    fn base(&self) -> String {
        let relative = Path::new(&self.file).is_relative();
        let file = if relative { self.file.replace('\\', "/") } else { String::new() };
        format!("{SCHEME}:///{}", utf8_percent_encode(&file, PATH))
    }
}

/// Reads referenced files.
struct Reader {
    folder: Option<PathBuf>,
    /// What went wrong, kept here since the validator passes it on as text only.
    failure: Arc<Mutex<Option<Problem>>>,
}

impl Retrieve for Reader {
    fn retrieve(&self, uri: &Uri<String>) -> std::result::Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        self.read(uri.as_str()).map_err(|problem| {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem.clone());
            problem.into()
        })
    }
}

impl Reader {
    fn read(&self, uri: &str) -> Result<Value> {
        let fail = |what: &str| Problem::new(Code::InvalidDefinition, what.to_owned());
        let Some(path) = uri.strip_prefix("patchbay:///") else {
            return Err(fail("The schema refers to another address")
                .why(format!("{uri} would have to be fetched, and a contract must not depend on what is there today"))
                .next("Save it in the workspace folder and refer to the file"));
        };
        let path = percent_decode_str(path.split(['#', '?']).next().unwrap_or_default()).decode_utf8_lossy().into_owned();
        let Some(folder) = &self.folder else {
            return Err(fail("The schema refers to a file").why(format!("{path} can't be found without a workspace folder")));
        };
        let missing = |error: std::io::Error| {
            fail("The schema refers to a file that can't be read")
                .why(format!("{path}: {error}"))
                .next("The path is relative to the integration file")
        };
        let folder = folder.canonicalize().map_err(missing)?;
        let file = folder.join(path.trim_start_matches('/')).canonicalize().map_err(missing)?;
        if !file.starts_with(&folder) {
            return Err(fail("The schema refers to a file outside of the workspace folder")
                .why(path)
                .next("Put the file into the workspace folder"));
        }
        let size = file.metadata().map_err(missing)?.len();
        if size > LARGEST {
            return Err(fail("The schema refers to a file that is too large")
                .why(format!("{path} has {size} bytes, and at most {LARGEST} are read")));
        }
        let text = std::fs::read(&file).map_err(missing)?;
        serde_json::from_slice(&text).map_err(|error| {
            fail("The schema refers to a file that isn't JSON").why(format!(
                "{path}, line {}, column {}: {error}",
                error.line(),
                error.column()
            ))
        })
    }
}
