//! The integration file: read with the place of every mistake, and changed without losing a comment.
//!
//! A text becomes a tree whose nodes know their places ([`tree`]), the tree is held to the JSON Schema of the types
//! ([`check`]) and to what no schema can tell ([`rules`]), and only a file without any mistake becomes a definition.

mod check;
mod edit;
mod references;
mod rules;
mod scalar;
pub(crate) mod syntax;
mod template;
pub(crate) mod tree;
mod write;

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use patchbay_contracts::{
    Code, Place, Problem,
    integration::{Integration, IntegrationFile},
};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::utils::nearest;

pub use edit::edit;
pub use rules::schema_files;
pub use template::{from_request, from_url};
pub use tree::{MAX_BYTES, MAX_DEPTH, MAX_NODES};

/// The most mistakes that are told of one file.
pub const MAX_PROBLEMS: usize = 100;

/// Kinds of system that Patchbay knows of, and that this version does nothing with.
pub const OTHER_SYSTEMS: [&str; 18] = [
    "graphql",
    "grpc",
    "soap",
    "websocket",
    "sse",
    "kafka",
    "rabbitmq",
    "amqp",
    "mqtt",
    "nats",
    "redis",
    "sqs",
    "sns",
    "webhook",
    "pulsar",
    "postgres",
    "mysql",
    "mongodb",
];

/// What a text defines.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The definition; only of a text without a mistake, so that nothing is done by half a definition.
    pub definition: Option<Integration>,
    /// The name that the text gives, as far as it can be read.
    pub name: Option<String>,
    /// Every mistake, by its place, at most [`MAX_PROBLEMS`].
    pub problems: Vec<Problem>,
    /// Where each value stands.
    pub positions: Positions,
}

impl Parsed {
    /// Whether the text means to be an integration at all: other tools' YAML lies in the same folders.
    pub fn is_meant(&self, bytes: &[u8]) -> bool {
        const TOP: &str = "integration";
        if let Some(root) = &self.positions.root
            && let tree::Kind::Map { entries, .. } = &root.kind
        {
            if entries.iter().any(|entry| entry.key == TOP) {
                return true;
            }
            let mistyped = |entry: &tree::Entry| nearest(&entry.key, [TOP]).is_some() && entry.value.entry("name").is_some();
            if let [only] = entries.as_slice()
                && mistyped(only)
            {
                return true;
            }
        }
        // What can't be read as YAML tells what it is only by how a line begins.
        let begins = |line: &[u8]| {
            let line = line.trim_ascii_start();
            let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
            let line = line.strip_prefix(b"{").unwrap_or(line).trim_ascii_start();
            line.strip_prefix(b"\"").or(line.strip_prefix(b"'")).unwrap_or(line).starts_with(TOP.as_bytes())
        };
        self.positions.root.is_none() && bytes[..bytes.len().min(64 * 1024)].split(|byte| *byte == b'\n').any(begins)
    }

    /// The same with a further mistake, and so without a definition.
    #[must_use]
    pub fn with_problem(mut self, problem: Problem) -> Self {
        self.definition = None;
        self.problems.push(problem);
        self
    }
}

/// Where the values of a file stand.
#[derive(Clone)]
pub struct Positions {
    file: String,
    root: Option<Arc<tree::Node>>,
}

impl fmt::Debug for Positions {
    // The tree holds the file's texts, and a mistaken file may hold a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Positions").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Positions {
    /// Those of a tree that was read from `file`.
    pub(crate) fn of(file: &str, root: Option<Arc<tree::Node>>) -> Self {
        Self { file: file.to_owned(), root }
    }

    /// The place of a JSON pointer from the file's root (RFC 6901), such as `/integration/health/interval`; of its
    /// nearest ancestor where it isn't written. `None` where the file could not be read at all.
    ///
    /// The place of a text, number or item is its own; that of a mapping or list is its key.
    pub fn place(&self, pointer: &str) -> Option<Place> {
        let mut node: &tree::Node = self.root.as_deref()?;
        let (mut line, mut column) = (node.line, node.column);
        for part in pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            let next: &tree::Node = if let Some(entry) = node.entry(&part) {
                let scalar = matches!(entry.value.kind, tree::Kind::Scalar { .. }) && !entry.value.is_absent();
                (line, column) = if scalar { (entry.value.line, entry.value.column) } else { (entry.line, entry.column) };
                &entry.value
            } else if let Some(item) = part.parse().ok().and_then(|index| node.item(index)) {
                (line, column) = (item.line, item.column);
                item
            } else {
                break;
            };
            node = next;
        }
        Some(Place { file: self.file.clone(), line, column })
    }
}

/// Reads an integration file. Never fails: what is wrong is in the result, each mistake with its place, what was
/// expected and the nearest known word. `file` is the name that the places carry.
pub fn parse(file: &str, bytes: &[u8]) -> Parsed {
    let tree = tree::read(file, bytes);
    let positions = Positions::of(file, tree.root.clone());
    let mut problems = tree.problems;
    let Some(root) = tree.root else {
        if problems.is_empty() {
            problems.push(
                Problem::new(Code::InvalidDefinition, "The file is empty")
                    .why("expected a mapping with \"integration\"")
                    .next("`patchbay init` writes an example to begin with")
                    .at(Place { file: file.to_owned(), line: 1, column: 1 }),
            );
        }
        return Parsed { definition: None, name: None, problems, positions };
    };
    let (mistakes, more) = check::Checker::new(file, &SCHEMA, tree.partial).run(&root);
    problems.extend(mistakes);
    let value = root.value();
    if !tree.partial {
        problems.extend(rules::problems(&value, &positions));
    }
    let name = value.pointer("/integration/name").and_then(Value::as_str).map(str::to_owned);
    let definition = finish::<IntegrationFile>(file, value, &mut problems, more).map(|file| file.integration);
    Parsed { definition, name, problems, positions }
}

/// The typed value of a text without mistakes; sorts the mistakes and cuts them to what a person can read.
fn finish<T: DeserializeOwned>(file: &str, value: Value, problems: &mut Vec<Problem>, more: usize) -> Option<T> {
    if problems.is_empty() {
        match serde_json::from_value(value) {
            Ok(typed) => return Some(typed),
            Err(error) => problems.push(
                Problem::new(Code::InvalidDefinition, "The file does not fit the format")
                    .why(without_quotes(&error.to_string()))
                    .at(Place { file: file.to_owned(), line: 1, column: 1 }),
            ),
        }
    }
    let place = |problem: &Problem| problem.place.as_ref().map_or((0, 0), |place| (place.line, place.column));
    problems.sort_by_key(place);
    let more = more + problems.len().saturating_sub(MAX_PROBLEMS);
    if more > 0 {
        problems.truncate(MAX_PROBLEMS);
        problems.push(Problem::new(Code::InvalidDefinition, format!("The file has {more} further mistakes")));
    }
    None
}

/// An error text without what it quotes from the file: that could be a credential.
fn without_quotes(text: &str) -> String {
    let parts = text.split('"').enumerate();
    parts.map(|(i, part)| if i % 2 == 0 { part } else { "…" }).collect()
}

/// Reads another file of the workspace by the same rules: the value of a text without a mistake, the mistakes, and
/// where each value stands. An empty file is the type's default. `schema` is that of [`schema_of`].
pub(crate) fn parse_as<T: DeserializeOwned + Default>(
    file: &str,
    bytes: &[u8],
    schema: &Value,
) -> (Option<T>, Vec<Problem>, Positions) {
    let tree = tree::read(file, bytes);
    let positions = Positions::of(file, tree.root.clone());
    let mut problems = tree.problems;
    let Some(root) = tree.root else {
        return (problems.is_empty().then(T::default), problems, positions);
    };
    let (mistakes, more) = check::Checker::new(file, schema, tree.partial).run(&root);
    problems.extend(mistakes);
    let typed = finish(file, root.value(), &mut problems, more);
    (typed, problems, positions)
}

/// The JSON Schema of a type, in the draft that [`parse_as`] reads.
pub(crate) fn schema_of<T: JsonSchema>() -> Value {
    SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().to_value()
}

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = schema_of::<IntegrationFile>();
    if let Some(top) = schema.as_object_mut() {
        top.insert("title".to_owned(), Value::from("Patchbay integration"));
        top.insert("description".to_owned(), Value::from("One thing that a piece of software plugs into."));
    }
    schema
});

/// The JSON Schema (draft 7, which editors know best) of the integration file, generated from its types.
pub fn json_schema() -> Value {
    SCHEMA.clone()
}

/// A mark of a text: FNV-1a of 128 bits, in hexadecimal. Two texts with the same mark are the same to all intents.
pub fn revision(text: &str) -> String {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash = text.bytes().fold(BASIS, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    format!("{hash:032x}")
}
