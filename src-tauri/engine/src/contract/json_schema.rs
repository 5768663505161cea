//! JSON Schema by itself: documents held against a schema, with all that is wrong and where.
//!
//! Drafts 4, 6, 7, 2019-09 and 2020-12. A reference may lead to files below the schema's folder; nothing is fetched unless
//! the schema was opened so. Formats are judged as each draft has it by default: up to draft 7 they are, from 2019-09 on they
//! are remarks.

use std::{
    collections::HashMap,
    fmt,
    path::PathBuf,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use jsonschema::{Retrieve, Uri, ValidationError, error::ValidationErrorKind};
use patchbay_contracts::{Code, Place, Problem};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::{
    document::{Base, Bundle, Document, allowed, read_file, refused, shown_as},
    validate,
};
use crate::{Result, http::Context};

/// The most violations that are told of one document.
pub const MAX_VIOLATIONS: usize = 10_000;
/// The address of a schema that came from nowhere.
const NOWHERE: &str = "patchbay:///schema";

/// A version of JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Draft {
    /// Draft 4 of 2013.
    Draft4,
    /// Draft 6 of 2017.
    Draft6,
    /// Draft 7 of 2018.
    Draft7,
    /// 2019-09.
    Draft201909,
    /// 2020-12.
    Draft202012,
}

impl Draft {
    /// The name as the command line has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft4 => "4",
            Self::Draft6 => "6",
            Self::Draft7 => "7",
            Self::Draft201909 => "2019-09",
            Self::Draft202012 => "2020-12",
        }
    }

    const fn inner(self) -> jsonschema::Draft {
        match self {
            Self::Draft4 => jsonschema::Draft::Draft4,
            Self::Draft6 => jsonschema::Draft::Draft6,
            Self::Draft7 => jsonschema::Draft::Draft7,
            Self::Draft201909 => jsonschema::Draft::Draft201909,
            Self::Draft202012 => jsonschema::Draft::Draft202012,
        }
    }
}

impl FromStr for Draft {
    type Err = Problem;

    /// `4`, `draft-07`, `draft7`, `2019-09`, `draft2020-12` and the like.
    fn from_str(text: &str) -> Result<Self> {
        let lower = text.trim().to_ascii_lowercase();
        let name = lower.strip_prefix("draft").unwrap_or(&lower).trim_start_matches(['-', '_', ' ', '0']);
        let all = [Self::Draft4, Self::Draft6, Self::Draft7, Self::Draft201909, Self::Draft202012];
        all.into_iter().find(|draft| draft.as_str() == name || draft.as_str().replace('-', "") == name).ok_or_else(|| {
            Problem::new(Code::InvalidInput, format!("`{text}` is no draft of JSON Schema that is known"))
                .next("Write 4, 6, 7, 2019-09 or 2020-12")
        })
    }
}

/// How a schema is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// The draft, in place of that which `$schema` names; without both it is 2020-12.
    pub draft: Option<Draft>,
    /// Whether formats are judged in every draft.
    pub format_assertion: bool,
}

/// One way in which a document is not as its schema asks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Violation {
    /// Where, as a JSON pointer into the document.
    pub instance: String,
    /// What asks, as a JSON pointer into the schema that `schema_place` names.
    pub schema: String,
    /// The sentence.
    pub message: String,
    /// What the schema asks for: the keyword with its value.
    pub expected: Value,
    /// What is there; nothing where something is missing.
    pub actual: Option<Value>,
    /// Where in the document's text.
    pub instance_place: Option<Place>,
    /// Where in the schema's text.
    pub schema_place: Option<Place>,
}

/// A schema, ready to judge.
pub struct JsonSchema {
    validator: jsonschema::Validator,
    schema: Document,
    files: Files,
}

impl fmt::Debug for JsonSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonSchema").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl JsonSchema {
    /// Reads all that a schema refers to, and makes it ready.
    ///
    /// # Errors
    /// [`Code::InvalidDefinition`] with the place where it isn't a schema, where a reference leads nowhere or is refused, or
    /// where it consists of itself.
    pub async fn new(context: &Context, schema: &Document, options: Options) -> Result<Self> {
        let bundle = schema.bundle(context).await;
        if let Some(problem) = bundle.endless() {
            return Err(problem);
        }
        let files = Files::of(schema, bundle);
        let mut building = jsonschema::options().with_base_uri(files.base.clone()).with_retriever(files.clone());
        if let Some(draft) = options.draft {
            building = building.with_draft(draft.inner());
        }
        if options.format_assertion {
            building = building.should_validate_formats(true);
        }
        let built = building.build(&schema.value);
        let validator = built.map_err(|error| match error.kind() {
            // What was found when the references were followed has a place as well.
            ValidationErrorKind::Referencing(_) => {
                files.unresolved().or_else(|| files.failure()).unwrap_or_else(|| invalid(schema, &error))
            }
            _ => invalid(schema, &error),
        })?;
        Ok(Self { validator, schema: schema.clone(), files })
    }

    /// All that is wrong with a document, at most [`MAX_VIOLATIONS`].
    pub fn violations(&self, instance: &Document) -> Vec<Violation> {
        let errors = self.validator.iter_errors(&instance.value).take(MAX_VIOLATIONS);
        errors.map(|error| self.violation(instance, &error)).collect()
    }

    fn violation(&self, instance: &Document, error: &ValidationError<'_>) -> Violation {
        let deviation = validate::deviation(error, "The document");
        let (schema, schema_place) = self.asked(error);
        Violation {
            instance_place: instance.place(&deviation.pointer),
            instance: deviation.pointer,
            schema,
            schema_place,
            message: deviation.message,
            expected: deviation.expected,
            actual: deviation.actual,
        }
    }

    /// Where the keyword stands that asks for something else.
    fn asked(&self, error: &ValidationError<'_>) -> (String, Option<Place>) {
        let canonical = error.schema_path().as_str().to_owned();
        let Some(uri) = error.absolute_keyword_location() else {
            let place = self.schema.place(&canonical);
            return (canonical, place);
        };
        let (address, fragment) = uri.as_str().split_once('#').unwrap_or((uri.as_str(), ""));
        let pointer = percent_decode_str(fragment).decode_utf8_lossy().into_owned();
        match self.files.read(address) {
            Some(document) => {
                let place = document.place(&pointer);
                (pointer, place)
            }
            None if self.files.is_own(address) => {
                let place = self.schema.place(&pointer);
                (pointer, place)
            }
            // A part with an `$id` of its own.
            None => {
                let place = self.schema.place(&canonical);
                (canonical, place)
            }
        }
    }
}

fn invalid(schema: &Document, error: &ValidationError<'_>) -> Problem {
    let pointer = error.instance_path().as_str();
    let problem = Problem::new(Code::InvalidDefinition, "The schema is not a valid JSON Schema")
        .why(match pointer {
            "" => error.to_string(),
            pointer => format!("at {pointer}: {error}"),
        })
        .next("The keywords and their values are described at json-schema.org");
    Problem { place: schema.place(pointer), ..problem }
}

/// The documents that a schema refers to.
#[derive(Clone)]
struct Files {
    /// The address that stands for the schema's own.
    base: String,
    /// Its `$id`, without a fragment, where it is a whole address.
    id: Option<Url>,
    schema: Document,
    bundle: Arc<Bundle>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    read: HashMap<String, Document>,
    /// What went wrong, kept here since the validator passes it on as text only.
    failure: Option<Problem>,
}

impl Files {
    fn of(schema: &Document, bundle: Bundle) -> Self {
        let base = match &schema.base {
            Base::File { file, .. } => Url::from_file_path(file).map_or_else(|()| NOWHERE.to_owned(), |url| url.to_string()),
            Base::Address(url) => url.to_string(),
            Base::Nowhere => NOWHERE.to_owned(),
        };
        let id = schema.value.get("$id").or_else(|| schema.value.get("id")).and_then(Value::as_str);
        let id = id.and_then(|id| Url::parse(id).ok()).map(|mut url| {
            url.set_fragment(None);
            url
        });
        Self { base, id, schema: schema.clone(), bundle: Arc::new(bundle), state: Arc::default() }
    }

    fn is_own(&self, address: &str) -> bool {
        address.is_empty() || address == self.base || self.id.as_ref().is_some_and(|id| id.as_str() == address)
    }

    fn read(&self, address: &str) -> Option<Document> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).read.get(address).cloned()
    }

    fn failure(&self) -> Option<Problem> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).failure.take()
    }

    /// A reference that leads nowhere.
    fn unresolved(&self) -> Option<Problem> {
        self.bundle.first_broken().cloned()
    }

    fn find(&self, uri: &str) -> Result<Document> {
        let address = uri.split('#').next().unwrap_or_default();
        let url = Url::parse(address).map_err(|error| refused(address, &error.to_string()))?;
        if let Some(file) = self.file_of(&url) {
            let Base::File { within, .. } = &self.schema.base else {
                return Err(refused(address, "the schema lies in no folder, so that no file can be found")
                    .next("Save the schema as a file, or write out what it refers to"));
            };
            let found = allowed(&file, within, address)?;
            let shown = shown_as(&self.schema, &found, within);
            let (bytes, _) = read_file(&found, &shown)?;
            return Document::parse(&shown, &bytes);
        }
        if let Some(document) = self.bundle.fetched(url.as_str()) {
            return Ok(document.clone());
        }
        Err(self.bundle.unread(url.as_str()).cloned().unwrap_or_else(|| {
            refused(address, "it leads to another address, and none is fetched unless that is asked for")
                .next("Allow it with --fetch, or save it as a file beside the schema")
        }))
    }

    /// The file of an address: its own, or that which lies beside the schema as the address lies beside its `$id`.
    fn file_of(&self, url: &Url) -> Option<PathBuf> {
        if url.scheme() == "file" {
            return url.to_file_path().ok();
        }
        let (Some(id), Base::File { file, .. }) = (&self.id, &self.schema.base) else { return None };
        let relative = id.make_relative(url)?;
        if relative.contains("://") || relative.starts_with('/') {
            return None;
        }
        let relative = percent_decode_str(&relative).decode_utf8().ok()?.into_owned();
        file.parent().map(|folder| folder.join(relative)).filter(|file| file.is_file())
    }
}

impl Retrieve for Files {
    fn retrieve(&self, uri: &Uri<String>) -> std::result::Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let found = self.find(uri.as_str());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match found {
            Ok(document) => {
                let value = document.value.clone();
                let address = uri.as_str().split('#').next().unwrap_or_default().to_owned();
                state.read.insert(address, document);
                Ok(value)
            }
            Err(problem) => {
                // The first one says what the others follow from.
                state.failure.get_or_insert_with(|| problem.clone());
                Err(problem.into())
            }
        }
    }
}

/// Holds one document against a schema.
///
/// # Errors
/// As for [`JsonSchema::new`].
pub async fn validate(context: &Context, schema: &Document, instance: &Document, draft: Option<Draft>) -> Result<Vec<Violation>> {
    let schema = JsonSchema::new(context, schema, Options { draft, ..Options::default() }).await?;
    Ok(schema.violations(instance))
}
