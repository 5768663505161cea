//! A schema of a document, and the plain JSON Schema that it means.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use patchbay_contracts::{Code, Place, Problem};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{
    Dialect, Direction,
    dialect::{BASE, Converter, Key, Piece, circles},
};
use crate::{
    Result,
    contract::document::{Bundle, is_below, unescape},
};

/// What all schemas of a document share.
pub(super) struct Shared {
    pub(super) bundle: Bundle,
    pub(super) dialect: Dialect,
    /// The schemas that are built on another one by `allOf`, by its pointer.
    children: OnceLock<HashMap<String, Vec<String>>>,
    pieces: Mutex<HashMap<(Key, Direction), Arc<Piece>>>,
    whole: Mutex<HashMap<(String, Direction), Arc<Value>>>,
    validators: Mutex<HashMap<(String, Direction), Arc<jsonschema::Validator>>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(bundle: Bundle, dialect: Dialect) -> Self {
        Self {
            bundle,
            dialect,
            children: OnceLock::new(),
            pieces: Mutex::default(),
            whole: Mutex::default(),
            validators: Mutex::default(),
        }
    }

    /// Where a pointer ends up by references that have nothing beside them that counts.
    fn end(&self, pointer: &str) -> String {
        let mut at = pointer;
        // Circles of nothing but references lead nowhere, so this ends.
        while let Some(target) = self.bundle.target(at) {
            let alone = || self.bundle.root.pointer(at).and_then(Value::as_object).is_some_and(|map| map.len() == 1);
            if self.dialect == Dialect::OpenApi31 && !alone() {
                break;
            }
            at = target;
        }
        at.to_owned()
    }

    /// All schemas that are built on this one by `allOf`, however indirectly.
    pub(super) fn descendants(&self, pointer: &str) -> Vec<String> {
        let children = self.children.get_or_init(|| {
            let mut children: HashMap<String, Vec<String>> = HashMap::new();
            for reference in &self.bundle.references {
                if let Some((child, index)) = reference.at.rsplit_once("/allOf/")
                    && index.bytes().all(|byte| byte.is_ascii_digit())
                    && is_named(child)
                {
                    children.entry(reference.target.clone()).or_default().push(child.to_owned());
                }
            }
            children
        });
        let (mut found, mut seen) = (Vec::new(), HashSet::from([pointer]));
        let mut waiting = vec![pointer];
        while let Some(at) = waiting.pop() {
            for child in children.get(at).into_iter().flatten() {
                if seen.insert(child) {
                    found.push(child.clone());
                    waiting.push(child);
                }
            }
        }
        found
    }

    fn piece(&self, key: &Key, direction: Direction) -> Arc<Piece> {
        let cached = (key.clone(), direction);
        if let Some(piece) = self.pieces.lock().unwrap_or_else(PoisonError::into_inner).get(&cached) {
            return Arc::clone(piece);
        }
        let piece = Arc::new(Converter::new(self, direction, key).convert());
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner).insert(cached, Arc::clone(&piece));
        piece
    }

    fn whole(&self, pointer: &str, direction: Direction) -> Arc<Value> {
        let cached = (pointer.to_owned(), direction);
        if let Some(whole) = self.whole.lock().unwrap_or_else(PoisonError::into_inner).get(&cached) {
            return Arc::clone(whole);
        }
        let top = self.piece(&Key { pointer: pointer.to_owned(), base: false }, direction);
        let mut definitions = Map::new();
        let mut waiting: Vec<Key> = top.keys.clone();
        while let Some(key) = waiting.pop() {
            let name = key.name();
            if !definitions.contains_key(&name) {
                let piece = self.piece(&key, direction);
                definitions.insert(name, piece.value.clone());
                waiting.extend(piece.keys.iter().cloned());
            }
        }
        let mut whole = Map::new();
        whole.insert("$schema".to_owned(), Value::from("https://json-schema.org/draft/2020-12/schema"));
        match &top.value {
            Value::Object(map) => whole.extend(map.clone()),
            Value::Bool(false) => {
                whole.insert("not".to_owned(), Value::Object(Map::new()));
            }
            _ => {}
        }
        circles::cut(&mut definitions);
        if !definitions.is_empty() {
            whole.insert("$defs".to_owned(), Value::Object(definitions));
        }
        let whole = Arc::new(Value::Object(whole));
        self.whole.lock().unwrap_or_else(PoisonError::into_inner).insert(cached, Arc::clone(&whole));
        whole
    }
}

/// Whether a pointer is that of a schema with a name of its own.
fn is_named(pointer: &str) -> bool {
    let parent = pointer.rsplit('/').nth(1);
    matches!(parent, Some("schemas" | "definitions" | "$defs"))
}

/// A schema of a document.
#[derive(Clone)]
pub struct Schema {
    pointer: String,
    /// Where it ends up, where nothing but a reference stands there: what many refer to is made ready once.
    end: String,
    shared: Arc<Shared>,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({})", self.pointer)
    }
}

impl Schema {
    pub(super) fn new(pointer: String, shared: Arc<Shared>) -> Self {
        let end = shared.end(&pointer);
        Self { pointer, end, shared }
    }

    /// Where it stands in the document's root.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// As it is written, references followed; nothing where one is broken.
    pub fn value(&self) -> Option<&Value> {
        self.shared.bundle.root.pointer(&self.shared.bundle.resolve(&self.end)?)
    }

    /// The plain JSON Schema (draft 2020-12) that judges as this one means it, self-contained. What is judged by it is
    /// part of a request or of a response: a property that is only for the other one is asked for by nothing, and is
    /// forbidden by `{"readOnly": true, "not": {}}` or `{"writeOnly": true, "not": {}}` in its place, so that this
    /// violation can be told from others.
    ///
    /// References become `#/$defs/POINTER`, where the name is the pointer into the document's root; [`source`](Self::source)
    /// leads back.
    pub fn json_schema(&self, direction: Direction) -> Value {
        (*self.shared.whole(&self.end, direction)).clone()
    }

    /// A validator of [`json_schema`](Self::json_schema), formats included; made once.
    ///
    /// # Errors
    /// [`Code::InvalidDefinition`] with the place where the schema isn't one.
    pub fn validator(&self, direction: Direction) -> Result<Arc<jsonschema::Validator>> {
        let cached = (self.end.clone(), direction);
        if let Some(validator) = self.shared.validators.lock().unwrap_or_else(PoisonError::into_inner).get(&cached) {
            return Ok(Arc::clone(validator));
        }
        let whole = self.shared.whole(&self.end, direction);
        let built = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true).build(&whole);
        let validator = built.map(Arc::new).map_err(|error| {
            let problem = Problem::new(Code::InvalidDefinition, "A schema is not valid")
                .why(error.to_string())
                .next("The keywords and their values are described in the OpenAPI Specification");
            Problem { place: self.place(error.instance_path().as_str()), ..problem }
        })?;
        self.shared.validators.lock().unwrap_or_else(PoisonError::into_inner).insert(cached, Arc::clone(&validator));
        Ok(validator)
    }

    /// The pointer into the document's root of a pointer into [`json_schema`](Self::json_schema), such as that of a
    /// violation; what has no counterpart is told as the nearest schema around it. A path of evaluation, which leads
    /// through `$ref`, may be given as well.
    pub fn source(&self, schema_pointer: &str) -> String {
        let mut at = self.end.clone();
        let mut parts = schema_pointer.split('/').skip(1).peekable();
        while let Some(part) = parts.next() {
            if part == "$defs"
                && let Some(name) = parts.next()
            {
                let name = percent_decode_str(name).decode_utf8_lossy().into_owned();
                let name = unescape(&name).into_owned();
                at = name.strip_suffix(BASE).unwrap_or(&name).to_owned();
            } else if part == "$ref" {
                match self.shared.bundle.references.binary_search_by(|reference| reference.at.as_str().cmp(&at)) {
                    Ok(found) => at = self.shared.bundle.references.get(found).map(|found| found.target.clone()).unwrap_or(at),
                    Err(_) => break,
                }
            } else {
                let next = format!("{at}/{part}");
                if self.shared.bundle.root.pointer(&next).is_none() {
                    break;
                }
                at = next;
            }
        }
        at
    }

    /// The place of [`source`](Self::source).
    pub fn place(&self, schema_pointer: &str) -> Option<Place> {
        self.shared.bundle.place(&self.source(schema_pointer))
    }

    /// Whether this schema lies below a pointer.
    pub fn is_below(&self, pointer: &str) -> bool {
        is_below(&self.pointer, pointer)
    }
}
