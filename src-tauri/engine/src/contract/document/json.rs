//! JSON with bounds, doubled keys told, and the places of its values found when they are asked for.
//!
//! serde_json checks the syntax and names the place of a mistake; it does so without building anything, and so without a
//! bound of its own on depth. What is built afterwards is known to be well formed.

use patchbay_contracts::{Code, Place, Problem};
use serde::de::IgnoredAny;
use serde_json::{Map, Number, Value};

use super::{LIMITS, MAX_DEPTH, MAX_NODES, pointer::unescape};
use crate::definition::syntax;

/// The most doubled keys that are told of one text.
const MOST_DOUBLED: usize = 20;

/// What a text turned out to be.
pub(super) enum Outcome {
    /// JSON, with the mistakes that leave it readable.
    Json(Value, Vec<Problem>),
    /// JSON that can't be read.
    Refused(Problem),
    /// Perhaps something else.
    Other,
}

/// Reads a text that may be JSON.
pub(super) fn read(file: &str, text: &str) -> Outcome {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        if !means_json(text) {
            return Outcome::Other;
        }
        let column = column_of(text, error.line(), error.column());
        let place = Place { file: file.to_owned(), line: error.line() as u32, column };
        let why = error.to_string();
        let why = why.split(" at line ").next().unwrap_or(&why).to_owned();
        return Outcome::Refused(
            Problem::new(Code::InvalidDefinition, "The JSON can't be read")
                .why(why)
                .next("Look at this place, and for a comma, a quote or a bracket before it that is missing or too much")
                .at(place),
        );
    }
    let mut reader = Reader { file, scan: Scan { bytes: text.as_bytes(), at: 0 }, text, nodes: 0, problems: Vec::new() };
    match reader.value(0) {
        Ok(value) => Outcome::Json(value, reader.problems),
        Err(problem) => Outcome::Refused(*problem),
    }
}

/// Whether a text that isn't JSON was meant to be: YAML can begin with brackets as well, but hardly with `{"`.
fn means_json(text: &str) -> bool {
    let text = text.trim_start();
    match text.strip_prefix('{') {
        Some(inner) => inner.trim_start().starts_with('"'),
        None => text.strip_prefix('[').is_some_and(|inner| inner.trim_start().starts_with(['{', '[', '"'])),
    }
}

/// The column in characters, from 1, of a column in bytes as serde_json counts: 0 stands for the end of the line before.
fn column_of(text: &str, line: usize, column: usize) -> u32 {
    let content = text.split('\n').nth(line.saturating_sub(1)).unwrap_or_default();
    let before = content.get(..content.floor_char_boundary(column.saturating_sub(1))).unwrap_or(content);
    before.chars().count() as u32 + 1
}

/// A walk over text that is known to be JSON.
#[derive(Clone, Copy)]
struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Scan<'_> {
    /// The next byte that is no blank.
    fn peek(&mut self) -> u8 {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied().unwrap_or_default()
    }

    /// Passes the next byte if it is this one.
    fn pass(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    /// Passes a text in quotes; gives its range, the quotes included, and whether it has escapes.
    fn string(&mut self) -> (usize, usize, bool) {
        self.peek();
        let start = self.at;
        let mut escaped = false;
        self.at += 1;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        self.at = (self.at + 1).min(self.bytes.len());
        (start, self.at, escaped)
    }

    /// Passes a number or a word; gives its range.
    fn word(&mut self) -> (usize, usize) {
        self.peek();
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(|byte| !matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        (start, self.at)
    }
}

struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    scan: Scan<'t>,
    nodes: usize,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn place(&self, at: usize) -> Place {
        let (line, column) = Index { lines: lines(self.text), root: Spot::leaf(0) }.line_column(self.text, at);
        Place { file: self.file.to_owned(), line, column }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Box<Problem>> {
        let first = self.scan.peek();
        let at = self.scan.at;
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Box::new(
                Problem::new(Code::TooLarge, "The file holds more than can be read")
                    .why(format!("at most {MAX_NODES} values are allowed"))
                    .next(LIMITS.smaller)
                    .at(self.place(at)),
            ));
        }
        match first {
            b'{' | b'[' if depth >= MAX_DEPTH => Err(Box::new(syntax::too_deep(self.place(at), MAX_DEPTH))),
            b'{' => self.object(depth),
            b'[' => {
                let mut items = Vec::new();
                self.scan.at += 1;
                while !self.scan.pass(b']') {
                    items.push(self.value(depth + 1)?);
                    self.scan.pass(b',');
                }
                Ok(Value::Array(items))
            }
            b'"' => self.string().map(Value::String),
            _ => {
                let (start, end) = self.scan.word();
                match self.text.get(start..end).unwrap_or_default() {
                    "null" => Ok(Value::Null),
                    "true" => Ok(Value::Bool(true)),
                    "false" => Ok(Value::Bool(false)),
                    number => serde_json::from_str::<Number>(number).map(Value::Number).map_err(|_| {
                        Box::new(
                            Problem::new(
                                Code::InvalidDefinition,
                                format!("{} is larger than a number can be", syntax::short(number)),
                            )
                            .why("numbers have 64 bits")
                            .next("Write it as a text, if it is one")
                            .at(self.place(start)),
                        )
                    }),
                }
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Box<Problem>> {
        let mut map = Map::new();
        self.scan.at += 1;
        while !self.scan.pass(b'}') {
            self.scan.peek();
            let at = self.scan.at;
            let key = self.string()?;
            self.scan.pass(b':');
            let value = self.value(depth + 1)?;
            if map.contains_key(&key) {
                if self.problems.len() < MOST_DOUBLED {
                    self.problems.push(
                        Problem::new(Code::InvalidDefinition, format!("The field \"{}\" stands here twice", syntax::short(&key)))
                            .why("only one can count, and the first one does")
                            .next("Take one of the two away")
                            .at(self.place(at)),
                    );
                }
            } else {
                map.insert(key, value);
            }
            self.scan.pass(b',');
        }
        Ok(Value::Object(map))
    }

    fn string(&mut self) -> Result<String, Box<Problem>> {
        let (start, end, escaped) = self.scan.string();
        let raw = self.text.get(start..end).unwrap_or_default();
        if !escaped {
            return Ok(raw.trim_matches('"').to_owned());
        }
        serde_json::from_str(raw).map_err(|error| {
            let why = error.to_string();
            Box::new(
                Problem::new(Code::InvalidDefinition, "The JSON can't be read")
                    .why(why.split(" at line ").next().unwrap_or(&why))
                    .next("A character beyond U+FFFF is written as two escapes, one after the other")
                    .at(self.place(start)),
            )
        })
    }
}

/// The offsets of all values of a text.
pub(super) struct Index {
    /// Where each line begins.
    lines: Vec<u32>,
    root: Spot,
}

/// Where a value begins, and what lies in it.
struct Spot {
    at: u32,
    within: Within,
}

enum Within {
    Nothing,
    Items(Vec<Spot>),
    /// Each with the offset of its key, in the order of the text, doubled keys left out.
    Fields(Vec<(u32, Spot)>),
}

impl Spot {
    const fn leaf(at: usize) -> Self {
        Self { at: at as u32, within: Within::Nothing }
    }
}

fn lines(text: &str) -> Vec<u32> {
    let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at as u32 + 1);
    std::iter::once(0).chain(breaks).collect()
}

impl Index {
    /// That of a text that [`read`] has read.
    pub(super) fn of(text: &str) -> Self {
        Self { lines: lines(text), root: spot(&mut Scan { bytes: text.as_bytes(), at: 0 }, text) }
    }

    /// Line and column, from 1, of a pointer into the value that was read from the text.
    pub(super) fn place(&self, text: &str, value: &Value, pointer: &str) -> (u32, u32) {
        let (mut spot, mut value, mut at) = (&self.root, value, self.root.at);
        for part in pointer.split('/').skip(1) {
            let part = unescape(part);
            let next = match (&spot.within, value) {
                (Within::Fields(fields), Value::Object(map)) => {
                    map.iter().zip(fields).find(|((key, _), _)| **key == *part).map(|((_, value), (key, spot))| {
                        (value, spot, if value.is_object() || value.is_array() { *key } else { spot.at })
                    })
                }
                (Within::Items(items), Value::Array(values)) => part
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| Some((values.get(index)?, items.get(index)?)))
                    .map(|(value, spot)| (value, spot, spot.at)),
                _ => None,
            };
            let Some(next) = next else { break };
            (value, spot, at) = next;
        }
        self.line_column(text, at as usize)
    }

    fn line_column(&self, text: &str, at: usize) -> (u32, u32) {
        let line = self.lines.partition_point(|start| *start as usize <= at);
        let start = line.checked_sub(1).and_then(|line| self.lines.get(line)).copied().unwrap_or_default() as usize;
        let before = text.get(start..at).unwrap_or_default();
        (line as u32, before.chars().count() as u32 + 1)
    }
}

/// The depth is bounded, since the text has been read.
fn spot(scan: &mut Scan<'_>, text: &str) -> Spot {
    let first = scan.peek();
    let at = scan.at as u32;
    let within = match first {
        b'{' => {
            scan.at += 1;
            let mut fields = Vec::new();
            let mut seen = std::collections::HashSet::new();
            while !scan.pass(b'}') {
                let (key, end, escaped) = scan.string();
                scan.pass(b':');
                let value = spot(scan, text);
                let raw = text.get(key..end).unwrap_or_default();
                let name = if escaped { serde_json::from_str(raw).unwrap_or_default() } else { raw.trim_matches('"').to_owned() };
                if seen.insert(name) {
                    fields.push((key as u32, value));
                }
                scan.pass(b',');
            }
            Within::Fields(fields)
        }
        b'[' => {
            scan.at += 1;
            let mut items = Vec::new();
            while !scan.pass(b']') {
                items.push(spot(scan, text));
                scan.pass(b',');
            }
            Within::Items(items)
        }
        b'"' => {
            scan.string();
            Within::Nothing
        }
        _ => {
            scan.word();
            Within::Nothing
        }
    };
    Spot { at, within }
}
