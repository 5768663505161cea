//! Takes the values of secrets out of texts.

use std::{
    cmp::Reverse,
    collections::BTreeSet,
    sync::{Arc, OnceLock, PoisonError, RwLock, TryLockError},
};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{GeneralPurpose, general_purpose::NO_PAD},
};
use serde_json::Value;

use super::views;

/// How many kinds of escape may lie over each other: percent-encoding within JSON, say.
const DEPTH: u8 = 2;

/// Values shorter than this are replaced only where they stand as a word of their own.
const SHORT: usize = 4;

/// Up to so many bytes of patterns, the search has a table of its own for each, which is several times as fast and takes
/// up to a kilobyte a byte.
const TABLE: usize = 16 << 10;

/// What stands before the name where a value was.
const LABEL: &str = "‹secret:";

/// Replaces the values of secrets by `‹secret:NAME›`. Clones share what they know, so that one which was handed out
/// early also replaces what is learnt later.
///
/// A value is found in plain, in base64 (standard and URL-safe, at each of the three alignments, so also within
/// `user:password`), and in percent-encoded, JSON-escaped and HTML-escaped form whichever of its characters are escaped
/// and in whichever case of digits, up to two of these over each other. Where values overlap, all of the text that they
/// cover goes, under the name of the longest. A value of less than four bytes is replaced only as a word of its own:
/// with no letter, digit or underscore next to it, and not in base64. A label of a known name is left as it is, so that
/// a text may pass twice.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<RwLock<Arc<Known>>>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} values)", self.known().values.len())
    }
}

impl Redactor {
    /// Learns the value of a secret. Values that it had before are still replaced.
    pub fn learn(&self, name: &str, value: &str) {
        let trimmed = value.trim();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let news: Vec<(String, String)> = BTreeSet::from([value, trimmed])
            .into_iter()
            .filter(|value| !value.is_empty() && !known.values.iter().any(|(n, v)| n == name && v == value))
            .map(|value| (name.to_owned(), value.to_owned()))
            .collect();
        if !news.is_empty() {
            // The search is built again at the next use, so that learning many values costs one build.
            *known = Arc::new(Known { values: known.values.iter().cloned().chain(news).collect(), search: OnceLock::new() });
        }
    }

    /// Learns a value that was made from a secret in a way that the secret can't be seen in it: a hash, a signature.
    pub fn also(&self, name: &str, value: &str) {
        self.learn(name, value);
    }

    /// The text without secrets.
    pub fn text(&self, text: &str) -> String {
        self.known().text(text).unwrap_or_else(|| text.to_owned())
    }

    /// The bytes without secrets; they need not be UTF-8.
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.known().bytes(bytes).unwrap_or_else(|| bytes.to_vec())
    }

    /// Takes secrets out of every text of a JSON value, the names of members included. A number that reads exactly like
    /// a secret becomes a text. Members whose names would become the same are told apart by a number.
    pub fn json(&self, value: &mut Value) {
        let known = self.known();
        if !known.values.is_empty() {
            known.json(value);
        }
    }

    /// As [`text`](Self::text), but for a moment in which nothing may wait, such as a panic; `None` where the lock is
    /// taken.
    pub(super) fn text_at_once(&self, text: &str) -> Option<String> {
        let known = match self.known.try_read() {
            Ok(known) => Arc::clone(&known),
            Err(TryLockError::Poisoned(poisoned)) => Arc::clone(&poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(known.text(text).unwrap_or_else(|| text.to_owned()))
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Default)]
struct Known {
    /// Names and values.
    values: Vec<(String, String)>,
    /// None where nothing is known, or the search can't be built.
    search: OnceLock<Option<Search>>,
}

impl Known {
    fn search(&self) -> Option<&Search> {
        self.search.get_or_init(|| Search::new(&self.values)).as_ref()
    }

    /// `None` where nothing was found.
    fn text(&self, text: &str) -> Option<String> {
        // A hit begins and ends between characters, since the values do; the conversion is a matter of type.
        self.bytes(text.as_bytes()).map(|bytes| match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })
    }

    fn bytes(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        if self.values.is_empty() {
            return None;
        }
        let Some(search) = self.search() else {
            // Better nothing than a secret: the automaton can't be built only where values are absurdly large.
            return Some("‹redacted›".as_bytes().to_vec());
        };
        let hits = search.hits(bytes, &self.values);
        if hits.is_empty() {
            return None;
        }
        let mut out = Vec::with_capacity(bytes.len());
        let mut from = 0;
        for hit in hits {
            out.extend_from_slice(&bytes[from..hit.start]);
            out.extend_from_slice(LABEL.as_bytes());
            out.extend_from_slice(self.values[hit.value].0.as_bytes());
            out.extend_from_slice("›".as_bytes());
            from = hit.end;
        }
        out.extend_from_slice(&bytes[from..]);
        Some(out)
    }

    fn json(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(clean) = self.text(text) {
                    *text = clean;
                }
            }
            Value::Number(number) => {
                let text = number.to_string();
                if self.values.iter().any(|(_, value)| *value == text) {
                    *value = Value::String(self.text(&text).unwrap_or_default());
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(members) => {
                if members.keys().any(|key| self.text(key).is_some()) {
                    let mut clean = serde_json::Map::with_capacity(members.len());
                    for (key, member) in std::mem::take(members) {
                        let shown = self.text(&key).unwrap_or(key);
                        let mut name = shown.clone();
                        let mut number = 2;
                        while clean.contains_key(&name) {
                            name = format!("{shown} ({number})");
                            number += 1;
                        }
                        clean.insert(name, member);
                    }
                    *members = clean;
                }
                members.values_mut().for_each(|member| self.json(member));
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
}

/// A form of a value that is searched for.
struct Form {
    /// Which value, and its length; none for the beginning of a label.
    value: Option<(usize, usize)>,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Plain,
    /// Only where it stands as a word of its own.
    Word,
    /// Base64, of which the character before and the one after may hold bits of the value as well.
    Base64 {
        before: bool,
        after: bool,
    },
}

/// A stretch of the text that holds a value.
#[derive(Clone, Copy)]
struct Hit {
    start: usize,
    end: usize,
    value: usize,
    /// Length of the longest value in it, whose name it gets.
    longest: usize,
}

struct Search {
    automaton: AhoCorasick,
    forms: Vec<Form>,
    shortest: usize,
    spaces: bool,
}

impl Search {
    fn new(values: &[(String, String)]) -> Option<Self> {
        let mut patterns: Vec<Vec<u8>> = vec![LABEL.as_bytes().to_vec()];
        let mut forms = vec![Form { value: None, kind: Kind::Plain }];
        for (index, (_, value)) in values.iter().enumerate() {
            let kind = if value.len() < SHORT { Kind::Word } else { Kind::Plain };
            patterns.push(value.as_bytes().to_vec());
            forms.push(Form { value: Some((index, value.len())), kind });
            if value.len() >= SHORT {
                for (pattern, kind) in base64_forms(value.as_bytes()) {
                    patterns.push(pattern);
                    forms.push(Form { value: Some((index, value.len())), kind });
                }
            }
        }
        // Every match is wanted, not the first or the longest: values may overlap in the text.
        let bytes: usize = patterns.iter().map(Vec::len).sum();
        let kind = if bytes <= TABLE { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA };
        let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).kind(Some(kind)).build(&patterns).ok()?;
        Some(Self {
            automaton,
            forms,
            shortest: values.iter().map(|(_, value)| value.len()).min().unwrap_or(usize::MAX),
            spaces: values.iter().any(|(_, value)| value.contains(' ')),
        })
    }

    /// All that is to go, ascending and apart from each other.
    fn hits(&self, text: &[u8], values: &[(String, String)]) -> Vec<Hit> {
        // No encoding is shorter than what it encodes.
        if text.len() < self.shortest {
            return Vec::new();
        }
        let mut hits = Vec::new();
        let mut labels = Vec::new();
        self.look(text, &|offset| offset, 0, &mut hits, &mut labels);
        labels.retain_mut(|(start, end)| match known_label(&text[*start..], values) {
            Some(length) => {
                *end = *start + length;
                true
            }
            None => false,
        });
        hits.retain(|hit: &Hit| {
            let before = labels.partition_point(|(start, _)| *start <= hit.start);
            before.checked_sub(1).and_then(|at| labels.get(at)).is_none_or(|(_, end)| hit.end > *end)
        });
        hits.sort_by_key(|hit| hit.start);
        let mut merged: Vec<Hit> = Vec::with_capacity(hits.len());
        for hit in hits {
            match merged.last_mut() {
                Some(last) if hit.start < last.end => last.absorb(hit),
                _ => merged.push(hit),
            }
        }
        merged
    }

    fn look(
        &self,
        bytes: &[u8],
        source: &dyn Fn(usize) -> usize,
        depth: u8,
        hits: &mut Vec<Hit>,
        labels: &mut Vec<(usize, usize)>,
    ) {
        self.scan(bytes, source, hits, (depth == 0).then_some(&mut *labels));
        if depth == DEPTH {
            return;
        }
        for (begins, escape) in views::READINGS {
            if let Some(view) = views::read(bytes, begins, escape) {
                self.look(&view.bytes, &|offset| source(view.source(offset)), depth + 1, hits, labels);
            }
        }
        // A form differs from other percent-encoding only in its spaces.
        if self.spaces
            && let Some(view) = views::read_form(bytes)
        {
            self.look(&view.bytes, &|offset| source(view.source(offset)), depth + 1, hits, labels);
        }
    }

    fn scan(
        &self,
        bytes: &[u8],
        source: &dyn Fn(usize) -> usize,
        hits: &mut Vec<Hit>,
        mut labels: Option<&mut Vec<(usize, usize)>>,
    ) {
        // The hits of this scan come by their ends, so that one which overlaps earlier ones overlaps the last of them.
        let floor = hits.len();
        for found in self.automaton.find_overlapping_iter(bytes) {
            let form = &self.forms[found.pattern().as_usize()];
            let (mut start, mut end) = (found.start(), found.end());
            let Some((value, longest)) = form.value else {
                if let Some(labels) = labels.as_deref_mut() {
                    labels.push((start, end));
                }
                continue;
            };
            match form.kind {
                Kind::Plain => {}
                Kind::Word => {
                    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
                    if before.copied().is_some_and(is_word) || bytes.get(end).copied().is_some_and(is_word) {
                        continue;
                    }
                }
                Kind::Base64 { before, after } => {
                    if before && start.checked_sub(1).and_then(|at| bytes.get(at)).copied().is_some_and(is_base64) {
                        start -= 1;
                    }
                    if after && bytes.get(end).copied().is_some_and(is_base64) {
                        end += 1;
                    }
                }
            }
            let mut hit = Hit { start: source(start), end: source(end), value, longest };
            while hits.len() > floor
                && let Some(last) = hits.last().copied()
                && hit.start < last.end
            {
                hit.absorb(last);
                hits.pop();
            }
            hits.push(hit);
        }
    }
}

impl Hit {
    fn absorb(&mut self, other: Self) {
        self.start = self.start.min(other.start);
        self.end = self.end.max(other.end);
        // Among equals, the one that was learnt first.
        if (other.longest, Reverse(other.value)) > (self.longest, Reverse(self.value)) {
            self.longest = other.longest;
            self.value = other.value;
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// The length of the label that `bytes` begin with, where it names a known secret.
fn known_label(bytes: &[u8], values: &[(String, String)]) -> Option<usize> {
    let rest = bytes.strip_prefix(LABEL.as_bytes())?;
    let length = rest.iter().take(super::LONGEST_NAME + 1).position(|byte| !super::is_name_byte(*byte))?;
    let known = rest[length..].starts_with("›".as_bytes()) && values.iter().any(|(name, _)| name.as_bytes() == &rest[..length]);
    known.then_some(LABEL.len() + length + "›".len())
}

/// The characters of base64 that the value alone decides, wherever it begins within a group of three bytes.
fn base64_forms(value: &[u8]) -> Vec<(Vec<u8>, Kind)> {
    let mut forms: Vec<(Vec<u8>, Kind)> = Vec::with_capacity(6);
    for alphabet in [STANDARD, URL_SAFE] {
        let engine = GeneralPurpose::new(&alphabet, NO_PAD);
        for offset in 0..3 {
            let mut bytes = vec![0; offset];
            bytes.extend_from_slice(value);
            let encoded = engine.encode(&bytes);
            // A character holds six bits. Those that reach into the bytes before or after the value may be anything.
            let first = (offset * 8).div_ceil(6);
            let last = bytes.len() * 8 / 6;
            let kind = Kind::Base64 { before: offset > 0, after: bytes.len() * 8 % 6 != 0 };
            let form = encoded.as_bytes()[first..last].to_vec();
            if !forms.iter().any(|(known, _)| *known == form) {
                forms.push((form, kind));
            }
        }
    }
    forms
}
