//! Messages taken one by one from a stream: JSON lines, one JSON document, a list of them, or several one after another.
//!
//! Nobody has to say which it is. A line that is whole JSON is a message; a line that only begins one goes on over the
//! next lines; a list gives its elements. A message that can't be read is told and left out, and the next one is found
//! again behind it. No more than one message is held at a time, and a message beyond the bound is passed over unread.

use std::{collections::VecDeque, io};

use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// The longest message in bytes, unless somebody says otherwise.
pub const LONGEST: usize = 1024 * 1024;

/// A message, or what can't be read as one.
#[derive(Debug)]
pub(super) struct Item {
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    /// How many bytes it has.
    pub(super) bytes: usize,
    /// The message; or why there is none, as the rest of a sentence that begins with the message.
    pub(super) value: Result<Value, String>,
    /// The start of what can't be read.
    pub(super) shown: Option<String>,
}

/// How much of what can't be read is shown, in bytes.
const SHOWN: usize = 200;

/// The messages of one stream.
pub(super) struct Messages<R> {
    source: R,
    longest: usize,
    /// The line of the next byte.
    line: u64,
    /// Bytes of what is read now.
    buffer: Vec<u8>,
    /// The line on which that began.
    began: u64,
    /// Whether the next value is an element of a list.
    listed: bool,
    /// Messages that were read and not yet given.
    ready: VecDeque<Item>,
    fresh: bool,
}

/// How the reading of a piece ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// At its own end.
    Whole,
    /// Beyond the bound; the rest was not read.
    TooLong,
    /// At the end of the stream.
    Stream,
}

impl<R: AsyncBufRead + Unpin> Messages<R> {
    pub(super) fn new(source: R, longest: usize) -> Self {
        let ready = VecDeque::new();
        Self { source, longest, line: 1, buffer: Vec::new(), began: 1, listed: false, ready, fresh: true }
    }

    /// The next message; none at the end.
    ///
    /// # Errors
    /// Those of the stream.
    pub(super) async fn next(&mut self) -> io::Result<Option<Item>> {
        if std::mem::take(&mut self.fresh) {
            self.byte_order_mark().await?;
        }
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some(item));
            }
            match self.blank().await? {
                None => {
                    if std::mem::take(&mut self.listed) {
                        self.began = self.line;
                        self.broken("ends before the list is closed with ]");
                        continue;
                    }
                    return Ok(None);
                }
                Some(b'[') if !self.listed => {
                    self.skip(1).await?;
                    self.listed = true;
                }
                Some(b']') if self.listed => {
                    self.skip(1).await?;
                    self.listed = false;
                }
                Some(b',') if self.listed => self.skip(1).await?,
                Some(_) if self.listed => self.element().await?,
                Some(_) => self.value_by_line().await?,
            }
        }
    }

    async fn byte_order_mark(&mut self) -> io::Result<()> {
        if self.source.fill_buf().await?.starts_with("\u{feff}".as_bytes()) {
            self.source.consume(3);
        }
        Ok(())
    }

    /// Passes over blanks; gives the byte behind them.
    async fn blank(&mut self) -> io::Result<Option<u8>> {
        loop {
            let chunk = self.source.fill_buf().await?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let blanks = chunk.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let lines = count_lines(&chunk[..blanks]);
            let next = chunk.get(blanks).copied();
            self.source.consume(blanks);
            self.line += lines;
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    async fn skip(&mut self, bytes: usize) -> io::Result<()> {
        self.source.fill_buf().await?;
        self.source.consume(bytes);
        Ok(())
    }

    /// Reads an element of a list, which ends before a comma or bracket of the list's own.
    async fn element(&mut self) -> io::Result<()> {
        self.begin();
        let mut scan = Scan::default();
        let within = |byte| {
            let ends = scan.depth == 0 && !scan.text && matches!(byte, b',' | b']');
            if !ends {
                scan.see(byte);
            }
            !ends
        };
        match self.take_while(within).await? {
            End::Whole => self.parse_buffer(false),
            End::TooLong => {
                // Without its end there is no telling what else belongs to the list.
                self.listed = false;
                self.too_long();
                self.rest_of_line().await?;
            }
            End::Stream => {
                self.listed = false;
                self.broken("ends before the list is closed with ]");
            }
        }
        Ok(())
    }

    /// Reads a line; goes on over the next ones where it only begins a value.
    async fn value_by_line(&mut self) -> io::Result<()> {
        self.begin();
        let end = self.take_while(|byte| byte != b'\n').await?;
        if end == End::TooLong {
            self.too_long();
            return self.rest_of_line().await;
        }
        if end == End::Stream || !ends_early(&self.buffer) {
            self.parse_buffer(true);
            return Ok(());
        }
        let mut scan = Scan::default();
        self.buffer.iter().for_each(|byte| scan.see(*byte));
        let last = self.buffer.trim_ascii_end().last().copied();
        let next = self.blank().await?;
        // An object can't follow what isn't waiting for a value: the line was cut off, and this is the next message.
        let expects_value = last == Some(b':') || last == Some(b'[') || last == Some(b',') && scan.open.last() == Some(&b'[');
        if next.is_none() || next == Some(b'{') && !expects_value || scan.text {
            self.parse_buffer(true);
            return Ok(());
        }
        self.buffer.push(b'\n');
        // The byte that closes the value belongs to it.
        let mut closed = false;
        let within = |byte| {
            let wanted = !closed;
            scan.see(byte);
            closed = scan.depth == 0 && !scan.text;
            wanted
        };
        let end = self.take_while(within).await?;
        match end {
            End::TooLong => {
                self.too_long();
                self.rest_of_line().await?;
            }
            End::Whole | End::Stream => self.parse_buffer(true),
        }
        Ok(())
    }

    fn begin(&mut self) {
        self.buffer.clear();
        self.began = self.line;
    }

    /// Takes bytes into the buffer as long as `wanted` says so of the next one, which it is asked once.
    async fn take_while(&mut self, mut wanted: impl FnMut(u8) -> bool) -> io::Result<End> {
        loop {
            let chunk = self.source.fill_buf().await?;
            if chunk.is_empty() {
                return Ok(End::Stream);
            }
            let room = self.longest.saturating_sub(self.buffer.len());
            let mut taken = 0;
            let mut end = None;
            for byte in chunk {
                if !wanted(*byte) {
                    end = Some(End::Whole);
                    break;
                }
                if taken == room {
                    end = Some(End::TooLong);
                    break;
                }
                taken += 1;
            }
            self.line += count_lines(&chunk[..taken]);
            self.buffer.extend_from_slice(&chunk[..taken]);
            self.source.consume(taken);
            if let Some(end) = end {
                return Ok(end);
            }
        }
    }

    /// Passes over the rest of a line without holding it.
    async fn rest_of_line(&mut self) -> io::Result<()> {
        loop {
            let chunk = self.source.fill_buf().await?;
            if chunk.is_empty() {
                return Ok(());
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(chunk.len());
            self.source.consume(taken);
            if end.is_some() {
                return Ok(());
            }
        }
    }

    /// Makes messages of what is in the buffer: usually one, or several behind each other on a line.
    fn parse_buffer(&mut self, several: bool) {
        let bytes = self.buffer.len();
        let mut values = serde_json::Deserializer::from_slice(&self.buffer).into_iter::<Value>();
        let mut found = Vec::new();
        let mut failure = None;
        for value in values.by_ref() {
            match value {
                Ok(value) => found.push(value),
                Err(error) => {
                    failure = Some(sentence(&error));
                    break;
                }
            }
        }
        if !several && found.len() > 1 {
            found.clear();
            failure = Some("isn't JSON: there is more than one value between two commas".to_owned());
        }
        for value in found {
            let line = self.began;
            match value {
                // A line that is a list is a batch of messages.
                Value::Array(batch) if several => {
                    self.ready.extend(batch.into_iter().map(|value| Item { line, bytes, value: Ok(value), shown: None }));
                }
                value => self.ready.push_back(Item { line, bytes, value: Ok(value), shown: None }),
            }
        }
        if let Some(failure) = failure {
            self.broken(&failure);
        }
    }

    fn too_long(&mut self) {
        let longest = self.longest;
        self.broken(&format!("is longer than the {longest} bytes that are read of one"));
    }

    fn broken(&mut self, why: &str) {
        let start = &self.buffer[..self.buffer.len().min(SHOWN)];
        let text = String::from_utf8_lossy(start);
        let shown = if self.buffer.len() > SHOWN { format!("{text}…") } else { text.into_owned() };
        self.ready.push_back(Item { line: self.began, bytes: self.buffer.len(), value: Err(why.to_owned()), shown: Some(shown) });
    }
}

/// Brackets and texts of JSON, followed byte by byte.
#[derive(Default)]
struct Scan {
    depth: usize,
    open: Vec<u8>,
    text: bool,
    escaped: bool,
}

/// How many open brackets are told apart; beyond that only their number counts.
const TOLD_APART: usize = 4_096;

impl Scan {
    fn see(&mut self, byte: u8) {
        if self.text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.text = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.text = true,
            b'{' | b'[' => {
                self.depth += 1;
                if self.open.len() < TOLD_APART {
                    self.open.push(byte);
                }
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.open.truncate(self.depth);
            }
            _ => {}
        }
    }
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Whether bytes are the beginning of JSON, with the end missing.
fn ends_early(bytes: &[u8]) -> bool {
    let values = serde_json::Deserializer::from_slice(bytes).into_iter::<serde::de::IgnoredAny>();
    values.last().is_some_and(|last| last.is_err_and(|error| error.is_eof()))
}

/// Why bytes are no JSON, as the rest of a sentence.
fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    if text.starts_with("recursion limit") {
        return "is nested deeper than 127 levels".to_owned();
    }
    match error.line() {
        0 | 1 => format!("isn't JSON: {text} at column {}", error.column()),
        line => format!("isn't JSON: {text} at column {} of its line {line}", error.column()),
    }
}
