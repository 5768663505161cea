//! Texts with values that are computed anew for each request.

use std::{
    io::Write,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use rand::{RngExt, SeedableRng, rngs::SmallRng};

/// A text in which some stretches are different each time.
#[derive(Debug, Clone, Default)]
pub struct Template {
    parts: Vec<Part>,
}

/// A stretch of a template.
#[derive(Debug, Clone)]
pub enum Part {
    /// The same each time.
    Text(Vec<u8>),
    /// Computed.
    Value(Source, Escape),
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A random UUID (version 4), another for each request, the same throughout it.
    Uuid,
    /// The number of the iteration, from 1.
    Iteration,
    /// The number of the virtual user, from 1.
    User,
    /// Milliseconds since 1970.
    UnixMs,
    /// A random whole number of nine digits at most.
    Random,
    /// A column of a file's row; the row is that of the iteration.
    Column {
        /// Which file.
        feed: usize,
        /// Which column.
        column: usize,
    },
    /// A value that was captured from an earlier answer of the same iteration, or in the setup.
    Captured(usize),
}

/// How a value is written, so that it can't break out of the place that it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// As it is.
    None,
    /// In an address: percent-encoded, all but what RFC 3986 calls unreserved.
    Address,
    /// In a text literal of JSON.
    Json,
    /// In a form (application/x-www-form-urlencoded).
    Form,
    /// In a header line: control characters are left out.
    Header,
}

/// What the values of a virtual user are.
#[derive(Debug)]
pub struct Values {
    captured: Vec<Option<Arc<[u8]>>>,
    rows: Vec<usize>,
    rng: SmallRng,
    uuid: [u8; 36],
    iteration: u64,
    user: u64,
}

impl Template {
    /// A template of parts.
    pub fn new(parts: Vec<Part>) -> Self {
        let kept = parts.into_iter().filter(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Self { parts: kept.collect() }
    }

    /// The same text each time.
    pub fn fixed(text: &[u8]) -> Self {
        Self::new(vec![Part::Text(text.to_vec())])
    }

    /// Whether it is the same each time.
    pub fn is_fixed(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The stretches that are the same each time.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_slice()),
            Part::Value(..) => None,
        })
    }

    /// The bytes of a text that is the same each time.
    pub(crate) fn fixed_bytes(&self) -> Vec<u8> {
        self.texts().collect::<Vec<_>>().concat()
    }

    /// Appends it with its values.
    pub(crate) fn render(&self, values: &mut Values, feeds: &[super::Feed], into: &mut Vec<u8>) {
        for part in &self.parts {
            match part {
                Part::Text(text) => into.extend_from_slice(text),
                Part::Value(source, escape) => values.write(*source, *escape, feeds, into),
            }
        }
    }
}

impl Values {
    /// Those of a user before its first iteration.
    pub(crate) fn new(captures: usize, feeds: usize, seed: u64, user: u64) -> Self {
        Self {
            captured: vec![None; captures],
            rows: vec![0; feeds],
            rng: SmallRng::seed_from_u64(seed ^ user.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            uuid: [b'0'; 36],
            iteration: 0,
            user,
        }
    }

    /// Sets a captured value.
    pub fn set(&mut self, capture: usize, value: &[u8]) {
        if let Some(place) = self.captured.get_mut(capture) {
            *place = Some(Arc::from(value));
        }
    }

    /// Begins an iteration: what was captured in the one before is forgotten.
    pub(crate) fn begin(&mut self, iteration: u64, first: &[(usize, Arc<[u8]>)]) {
        self.iteration = iteration;
        self.captured.fill(None);
        for (capture, value) in first {
            if let Some(place) = self.captured.get_mut(*capture) {
                *place = Some(Arc::clone(value));
            }
        }
    }

    /// Takes a row of a file for this iteration.
    pub(crate) fn take_row(&mut self, feed: usize, row: usize) {
        self.rows[feed] = row;
    }

    /// A number below `count`.
    pub(crate) fn choose(&mut self, count: u64) -> u64 {
        self.rng.random_range(0..count.max(1))
    }

    /// Begins a request: it has a UUID of its own.
    pub(crate) fn next_request(&mut self) {
        let mut bytes: [u8; 16] = self.rng.random();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut at = 0;
        for (place, byte) in bytes.into_iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                self.uuid[at] = b'-';
                at += 1;
            }
            self.uuid[at] = HEX[usize::from(byte >> 4)];
            self.uuid[at + 1] = HEX[usize::from(byte & 15)];
            at += 2;
        }
    }

    fn write(&mut self, source: Source, escape: Escape, feeds: &[super::Feed], into: &mut Vec<u8>) {
        // Writing into memory can't fail.
        match source {
            Source::Uuid => into.extend_from_slice(&self.uuid),
            Source::Iteration => drop(write!(into, "{}", self.iteration)),
            Source::User => drop(write!(into, "{}", self.user)),
            Source::UnixMs => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
                drop(write!(into, "{now}"));
            }
            Source::Random => {
                let number: u32 = self.rng.random_range(0..1_000_000_000);
                drop(write!(into, "{number}"));
            }
            Source::Column { feed, column } => {
                let row = feeds.get(feed).zip(self.rows.get(feed)).and_then(|(feed, row)| feed.rows.get(*row));
                if let Some(value) = row.and_then(|row| row.get(column)) {
                    escaped(value, escape, into);
                }
            }
            Source::Captured(capture) => {
                if let Some(Some(value)) = self.captured.get(capture) {
                    escaped(value, escape, into);
                }
            }
        }
    }
}

fn escaped(value: &[u8], escape: Escape, into: &mut Vec<u8>) {
    match escape {
        Escape::None => into.extend_from_slice(value),
        Escape::Header => into.extend(value.iter().copied().filter(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))),
        Escape::Address | Escape::Form => {
            for &byte in value {
                match byte {
                    b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => into.push(byte),
                    b' ' if escape == Escape::Form => into.push(b'+'),
                    _ => drop(write!(into, "%{byte:02X}")),
                }
            }
        }
        Escape::Json => {
            for &byte in value {
                match byte {
                    b'"' | b'\\' => into.extend_from_slice(&[b'\\', byte]),
                    b'\n' => into.extend_from_slice(b"\\n"),
                    b'\r' => into.extend_from_slice(b"\\r"),
                    b'\t' => into.extend_from_slice(b"\\t"),
                    0..=0x1f => drop(write!(into, "\\u{byte:04x}")),
                    _ => into.push(byte),
                }
            }
        }
    }
}
