//! YAML as a tree whose every node knows its place, bounded before anything looks at it.
//!
//! Scalars follow the core schema of YAML 1.2.2 (10.3): `no` and `yes` are texts, `true` and `null` are not.

use std::{collections::HashMap, sync::Arc};

use patchbay_contracts::{Code, Place, Problem};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde_json::{Map, Value};

use super::{scalar::plain, syntax};

/// The most bytes that a file may have.
pub const MAX_BYTES: usize = 1024 * 1024;
/// How deep mappings and lists may lie in each other, aliases followed.
pub const MAX_DEPTH: usize = 64;
/// How many values a file may have, each alias counted as all that it stands for.
pub const MAX_NODES: usize = 100_000;

/// What a text may have at most, and what it is called where it has more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) bytes: usize,
    pub(crate) depth: usize,
    /// Values, each alias counted as all that it stands for.
    pub(crate) nodes: usize,
    /// What the text is: "an integration file".
    pub(crate) noun: &'static str,
    /// What to do with a text that is too large.
    pub(crate) smaller: &'static str,
    /// What to do with a text that holds several documents.
    pub(crate) several: &'static str,
    /// Whether `<<` merges, as in YAML 1.1 and in what other tools write.
    pub(crate) merges: bool,
}

/// Those of an integration file.
pub(crate) const INTEGRATION: Limits = Limits {
    bytes: MAX_BYTES,
    depth: MAX_DEPTH,
    nodes: MAX_NODES,
    noun: "an integration file",
    smaller: "Move large bodies and schemas into files of their own and name them with `$ref`",
    several: "Give each integration a file of its own",
    merges: false,
};

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Single,
    Double,
    /// `|` or `>`.
    Block,
}

/// A value and its place. Offsets are bytes, lines and columns count from 1, columns in characters.
pub struct Node {
    pub kind: Kind,
    /// Where it begins, its anchor and tag included. A block scalar begins with its first line of content, not its `|`.
    pub start: usize,
    /// Where its content ends; trailing comments lie behind it.
    pub end: usize,
    pub line: u32,
    pub column: u32,
    weight: usize,
    height: usize,
}

/// What a node is.
pub enum Kind {
    Scalar { value: Value, style: Style },
    List { items: Vec<Arc<Node>>, flow: bool },
    Map { entries: Vec<Entry>, flow: bool },
    Alias(Arc<Node>),
}

/// A key of a mapping with its value.
pub struct Entry {
    pub key: String,
    pub start: usize,
    pub end: usize,
    pub line: u32,
    pub column: u32,
    pub value: Arc<Node>,
}

impl Node {
    /// The node itself, or the one that an alias stands for.
    pub fn resolved(&self) -> &Self {
        match &self.kind {
            Kind::Alias(target) => target.resolved(),
            _ => self,
        }
    }

    /// The entry of a mapping by its key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.resolved().kind {
            Kind::Map { entries, .. } => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// An item of a list.
    pub fn item(&self, index: usize) -> Option<&Arc<Self>> {
        match &self.resolved().kind {
            Kind::List { items, .. } => items.get(index),
            _ => None,
        }
    }

    /// Whether nothing at all is written: `key:` and no more.
    pub fn is_absent(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { value: Value::Null, .. }) && self.start == self.end
    }

    /// The value without its places, aliases followed. The size was bounded when the tree was read.
    pub fn value(&self) -> Value {
        match &self.kind {
            Kind::Scalar { value, .. } => value.clone(),
            Kind::List { items, .. } => items.iter().map(|item| item.value()).collect(),
            Kind::Map { entries, .. } => {
                let mut map = Map::with_capacity(entries.len());
                for entry in entries.iter().filter(|entry| entry.key != MERGE) {
                    map.entry(entry.key.clone()).or_insert_with(|| entry.value.value());
                }
                for merged in entries.iter().filter(|entry| entry.key == MERGE) {
                    merge(&merged.value.value(), &mut map);
                }
                Value::Object(map)
            }
            Kind::Alias(target) => target.value(),
        }
    }
}

/// The key whose value is merged into its mapping (a type of YAML 1.1; where it isn't allowed, it is a mistake).
const MERGE: &str = "<<";

/// Merges a mapping, or each mapping of a list, into another one, whose own fields win.
fn merge(from: &Value, into: &mut Map<String, Value>) {
    match from {
        Value::Object(fields) => {
            for (key, value) in fields {
                into.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        Value::Array(all) => all.iter().for_each(|one| merge(one, into)),
        _ => {}
    }
}

/// What became of a text.
pub struct Tree {
    /// The top of the tree; after a mistake in the syntax, that which stood before it.
    pub root: Option<Arc<Node>>,
    /// Mistakes in the YAML itself.
    pub problems: Vec<Problem>,
    /// Whether a mistake in the syntax hides the rest of the file.
    pub partial: bool,
}

/// Reads an integration file, or another file of the workspace. Never fails: mistakes are in the result.
pub fn read(file: &str, bytes: &[u8]) -> Tree {
    read_within(file, bytes, INTEGRATION)
}

/// Reads a text within limits. Never fails: mistakes are in the result.
pub(crate) fn read_within(file: &str, bytes: &[u8], limits: Limits) -> Tree {
    let refuse = |problem| Tree { root: None, problems: vec![problem], partial: true };
    if bytes.len() > limits.bytes {
        return refuse(syntax::too_large(file, bytes.len(), &limits));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Reader::new(file, text, limits).run(),
        Err(error) => refuse(syntax::not_utf8(file, bytes, error.valid_up_to())),
    }
}

enum Frame {
    List { items: Vec<Arc<Node>>, open: Open },
    Map { entries: Vec<Entry>, key: Option<Key>, seen: HashMap<String, u32>, open: Open },
}

struct Open {
    anchor: usize,
    flow: bool,
    /// Behind the bracket; `None` for block style, and for a pair in a list in brackets that has none of its own.
    inner: Option<usize>,
    start: usize,
    line: u32,
    column: u32,
}

struct Key {
    text: String,
    start: usize,
    end: usize,
    line: u32,
    column: u32,
}

struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    limits: Limits,
    /// The byte offset of each character; empty where the text is ASCII and they are the same.
    offsets: Vec<u32>,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Arc<Node>>,
    problems: Vec<Problem>,
    root: Option<Arc<Node>>,
    weight: usize,
    documents: usize,
}

impl<'t> Reader<'t> {
    fn new(file: &'t str, text: &'t str, limits: Limits) -> Self {
        let offsets = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(at, _)| at as u32).chain([text.len() as u32]).collect()
        };
        Self {
            file,
            text,
            limits,
            offsets,
            frames: Vec::new(),
            anchors: HashMap::new(),
            problems: Vec::new(),
            root: None,
            weight: 0,
            documents: 0,
        }
    }

    fn run(mut self) -> Tree {
        let mut partial = false;
        let text = self.text;
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let outcome = match event {
                Ok((event, span)) => self.take(event, span),
                Err(error) => {
                    let mark = error.marker();
                    Err(syntax::explain(self.file, text, (mark.line(), mark.col()), error.info(), self.limits.depth))
                }
            };
            if let Err(problem) = outcome {
                self.problems.push(problem);
                partial = true;
                break;
            }
        }
        // What was open when a mistake ended the reading is closed, so that mistakes before it are found as well.
        while let Some(frame) = self.frames.pop() {
            if let Err(problem) = self.close(frame) {
                self.problems.push(problem);
                break;
            }
        }
        Tree { root: self.root, problems: self.problems, partial }
    }

    fn offset(&self, index: usize) -> usize {
        if self.offsets.is_empty() {
            index.min(self.text.len())
        } else {
            self.offsets.get(index).map_or(self.text.len(), |offset| *offset as usize)
        }
    }

    fn problem(&self, line: u32, column: u32, what: impl Into<String>) -> Problem {
        Problem::new(Code::InvalidDefinition, what).at(Place { file: self.file.to_owned(), line, column })
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let (line, column) = (span.start.line() as u32, span.start.col() as u32 + 1);
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(self
                        .problem(line, column, "The file holds more than one document")
                        .why("`---` begins another one")
                        .next(self.limits.several));
                }
                Ok(())
            }
            Event::MappingStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "map", line, column);
                let open = self.open(anchor, &span, '{')?;
                self.frames.push(Frame::Map { entries: Vec::new(), key: None, seen: HashMap::new(), open });
                Ok(())
            }
            Event::SequenceStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "seq", line, column);
                let open = self.open(anchor, &span, '[')?;
                self.frames.push(Frame::List { items: Vec::new(), open });
                Ok(())
            }
            Event::MappingEnd | Event::SequenceEnd => match self.frames.pop() {
                Some(frame) => self.close(frame),
                None => Ok(()),
            },
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.as_deref(), &span),
            Event::Alias(anchor) => self.alias(anchor, &span),
            _ => Ok(()),
        }
    }

    fn open(&self, anchor: usize, span: &Span, bracket: char) -> Result<Open, Problem> {
        let (line, column) = (span.start.line() as u32, span.start.col() as u32 + 1);
        if self.frames.len() >= self.limits.depth {
            return Err(syntax::too_deep(Place { file: self.file.to_owned(), line, column }, self.limits.depth));
        }
        let (start, end) = (self.offset(span.start.index()), self.offset(span.end.index()));
        // The parser's span of a bracket takes in an anchor before it and blanks behind it.
        let last_line = self.text[start..end].rsplit('\n').next().unwrap_or_default();
        let bracketed = last_line.trim_end().ends_with(bracket) && !last_line.contains('#');
        let inner = bracketed.then(|| start + self.text[start..end].trim_end().len());
        let flow =
            bracketed || matches!(self.frames.last(), Some(Frame::List { open, .. } | Frame::Map { open, .. }) if open.flow);
        Ok(Open { anchor, flow, inner, start, line, column })
    }

    fn close(&mut self, frame: Frame) -> Result<(), Problem> {
        let (kind, open, last) = match frame {
            Frame::List { items, open } => {
                let last = items.last().map_or(open.start, |item| item.end);
                (Kind::List { items, flow: open.flow }, open, last)
            }
            Frame::Map { mut entries, key, open, .. } => {
                // A key whose value was never reached; only after a mistake in the syntax.
                if let Some(key) = key {
                    let (end, line, column) = (key.end, key.line, key.column);
                    entries.push(key.with(absent(end, line, column)));
                }
                let last = entries.last().map_or(open.start, |entry| entry.value.end.max(entry.end));
                (Kind::Map { entries, flow: open.flow }, open, last)
            }
        };
        let (weight, height) = match &kind {
            Kind::List { items, .. } => measure(items.iter()),
            Kind::Map { entries, .. } => measure(entries.iter().map(|entry| &entry.value)),
            _ => (0, 0),
        };
        let node = Node {
            kind,
            start: open.start,
            end: open.inner.map_or(last, |inner| closing(self.text, last.max(inner))),
            line: open.line,
            column: open.column,
            weight: weight + 1,
            height: height + 1,
        };
        self.place(Arc::new(node), open.anchor)
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, tag: Option<&Tag>, span: &Span) -> Result<(), Problem> {
        let (line, column) = (span.start.line() as u32, span.start.col() as u32 + 1);
        let (start, mut end) = (self.offset(span.start.index()), self.offset(span.end.index()));
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        if style == Style::Block {
            end = block_end(self.text, start, end, span.start.col());
        }
        let is_key = matches!(self.frames.last(), Some(Frame::Map { key: None, .. }));
        if is_key && tag.is_none() && anchor == 0 {
            return self.key(Key { text: text.to_owned(), start, end, line, column });
        }
        let value = match (style, tag) {
            (_, Some(tag)) => self.tagged(text, tag, line, column),
            (Style::Plain, None) => match plain(text) {
                Ok(value) => value,
                Err(why) => {
                    self.problems.push(
                        self.problem(line, column, format!("`{text}` has no counterpart in JSON"))
                            .why(why)
                            .next("Put it in quotes if it is a text"),
                    );
                    Value::Null
                }
            },
            (_, None) => Value::String(text.to_owned()),
        };
        // An empty plain scalar in a flow mapping spans the blank behind it.
        let written = style != Style::Plain || !text.is_empty() || tag.is_some() || anchor != 0;
        let (start, end) = if written { (start, end) } else { (start, start) };
        let kind = Kind::Scalar { value, style };
        self.place(Arc::new(Node { kind, start, end, line, column, weight: 1, height: 0 }), anchor)
    }

    fn tagged(&mut self, text: &str, tag: &Tag, line: u32, column: u32) -> Value {
        let fitting = if tag.is_yaml_core_schema() {
            match (tag.suffix.as_str(), plain(text)) {
                ("str", _) => Some(Value::String(text.to_owned())),
                ("null", Ok(value @ Value::Null)) | ("bool", Ok(value @ Value::Bool(_))) => Some(value),
                ("float", Ok(value @ Value::Number(_))) => Some(value),
                ("int", Ok(value)) if value.is_i64() || value.is_u64() => Some(value),
                _ => None,
            }
        } else {
            None
        };
        fitting.unwrap_or_else(|| {
            self.problems.push(
                self.problem(line, column, "A tag does not fit here")
                    .why("only !!str, !!int, !!float, !!bool and !!null are known, in front of a value of that kind")
                    .next("Take the tag away"),
            );
            Value::String(text.to_owned())
        })
    }

    fn collection_tag(&mut self, tag: Option<&Tag>, kind: &str, line: u32, column: u32) {
        if tag.is_some_and(|tag| !(tag.is_yaml_core_schema() && tag.suffix == kind)) {
            self.problems.push(
                self.problem(line, column, "A tag does not fit here")
                    .why(format!("a collection like this may only be tagged !!{kind}"))
                    .next("Take the tag away"),
            );
        }
    }

    fn alias(&mut self, anchor: usize, span: &Span) -> Result<(), Problem> {
        let (line, column) = (span.start.line() as u32, span.start.col() as u32 + 1);
        let (start, end) = (self.offset(span.start.index()), self.offset(span.end.index()));
        let Some(target) = self.anchors.get(&anchor).cloned() else {
            return Err(self
                .problem(line, column, "An alias stands inside of what it stands for")
                .why("the value would never end")
                .next("Write the value out"));
        };
        // A plain `key` may be an alias as well; its text is that of the scalar that it stands for.
        if let Some(Frame::Map { key: None, .. }) = self.frames.last() {
            return match &target.resolved().kind {
                Kind::Scalar { value: Value::String(text), .. } => self.key(Key { text: text.clone(), start, end, line, column }),
                _ => Err(self.problem(line, column, "A key must be a text").why("it is an alias for something else")),
            };
        }
        let (weight, height) = (target.weight, target.height);
        let kind = Kind::Alias(target);
        self.place(Arc::new(Node { kind, start, end, line, column, weight, height }), 0)
    }

    fn key(&mut self, found: Key) -> Result<(), Problem> {
        if let Some(Frame::Map { key, seen, .. }) = self.frames.last_mut() {
            let first = seen.get(&found.text).copied();
            seen.entry(found.text.clone()).or_insert(found.line);
            let (line, column, text) = (found.line, found.column, found.text.clone());
            *key = Some(found);
            if let Some(first) = first {
                self.problems.push(
                    self.problem(line, column, format!("The field \"{}\" stands here twice", syntax::short(&text)))
                        .why(format!("line {first} has it already, and only one can count"))
                        .next("Take one of the two away"),
                );
            } else if text == "<<" && !self.limits.merges {
                self.problems.push(
                    self.problem(line, column, "Merge keys (`<<`) are not part of YAML 1.2")
                        .next("Write the fields out, or let an alias stand for a whole value"),
                );
            }
        }
        Ok(())
    }

    /// Puts a finished node where it belongs.
    fn place(&mut self, node: Arc<Node>, anchor: usize) -> Result<(), Problem> {
        if let Kind::Alias(_) | Kind::Scalar { .. } = node.kind {
            self.weight += node.weight;
        } else {
            self.weight += 1;
        }
        let Limits { nodes, depth, .. } = self.limits;
        if self.weight > nodes || self.frames.len() + node.height > depth {
            self.frames.clear();
            return Err(self
                .problem(node.line, node.column, "The file holds more than can be read")
                .why(format!("at most {nodes} values and {depth} levels are allowed, aliases counted as what they stand for"))
                .next("Write less, or split the file"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, Arc::clone(&node));
        }
        match self.frames.last_mut() {
            None => self.root = Some(node),
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map { entries, key, .. }) => match key.take() {
                Some(key) => entries.push(key.with(node)),
                None => match &node.kind {
                    Kind::Scalar { value, .. } => {
                        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                        let (start, end, line, column) = (node.start, node.end, node.line, node.column);
                        return self.key(Key { text, start, end, line, column });
                    }
                    _ => {
                        return Err(self
                            .problem(node.line, node.column, "A key must be a text")
                            .why("a mapping or a list stands in its place")
                            .next("If the value holds `{` or `[`, put it in quotes"));
                    }
                },
            },
        }
        Ok(())
    }
}

impl Key {
    fn with(self, value: Arc<Node>) -> Entry {
        Entry { key: self.text, start: self.start, end: self.end, line: self.line, column: self.column, value }
    }
}

fn absent(at: usize, line: u32, column: u32) -> Arc<Node> {
    let kind = Kind::Scalar { value: Value::Null, style: Style::Plain };
    Arc::new(Node { kind, start: at, end: at, line, column, weight: 1, height: 0 })
}

fn measure<'n>(children: impl Iterator<Item = &'n Arc<Node>>) -> (usize, usize) {
    children.fold((0, 0), |(weight, height), child| (weight + child.weight, height.max(child.height)))
}

/// Behind the bracket that closes a collection whose last value ends at `at`. The parser's own span takes in what
/// follows, comments too.
fn closing(text: &str, mut at: usize) -> usize {
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' => at += 1,
            b'#' => at += text[at..].find('\n').unwrap_or(text.len() - at),
            _ => return at + 1,
        }
    }
    at
}

/// Where a block scalar ends: behind the last line that is indented as its first one, before comments that follow.
fn block_end(text: &str, start: usize, end: usize, indent: usize) -> usize {
    let mut last = start;
    let mut at = start;
    for (number, line) in text[start..end].split_inclusive('\n').enumerate() {
        let content = line.trim_end_matches(['\n', '\r']);
        let blank = content.trim().is_empty();
        let belongs = number == 0 || blank || content.len() - content.trim_start_matches(' ').len() >= indent;
        if !belongs {
            break;
        }
        if !blank {
            last = at + content.len();
        }
        at += line.len();
    }
    last
}
