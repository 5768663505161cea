//! A document while it is read: its lines, its families so far, and its mistakes with their places.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use patchbay_contracts::{
    Code, Place, Problem,
    metrics::{Family, MetricKind, Sample},
};

use super::{MAX_FAMILIES, MAX_LINE, MAX_LINES, MAX_PROBLEMS, MAX_SAMPLES, line::Unread};

/// A line that is text and not too long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// Its number, from 1.
    pub number: u32,
    /// Its text, without the line break.
    pub text: &'a str,
}

/// What was read so far.
pub(super) struct Document<'a> {
    source: &'a str,
    /// In the order of their first lines.
    pub families: Vec<Family>,
    by_name: HashMap<String, usize>,
    /// Samples so far.
    pub samples: u64,
    problems: Vec<Problem>,
    unlisted: u64,
}

impl<'a> Document<'a> {
    pub fn new(source: &'a str) -> Self {
        Self { source, families: Vec::new(), by_name: HashMap::new(), samples: 0, problems: Vec::new(), unlisted: 0 }
    }

    /// Divides a document into lines; those that are no UTF-8 or too long become problems.
    pub fn lines<'t>(&mut self, bytes: &'t [u8]) -> Vec<Line<'t>> {
        let mut lines = Vec::new();
        if bytes.is_empty() {
            return lines;
        }
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        for (i, raw) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let number = u32::try_from(i + 1).unwrap_or(u32::MAX);
            if i == MAX_LINES {
                self.add(
                    Code::TooLarge,
                    number,
                    1,
                    format!("The document has more than {MAX_LINES} lines; the rest is left out"),
                    "",
                );
                break;
            }
            if raw.len() > MAX_LINE {
                self.add(Code::TooLarge, number, 1, format!("The line has {} bytes; {MAX_LINE} is the most", raw.len()), "");
                continue;
            }
            match std::str::from_utf8(raw) {
                Ok(text) => lines.push(Line { number, text }),
                Err(error) => {
                    let before = std::str::from_utf8(&raw[..error.valid_up_to()]).unwrap_or_default();
                    let column = before.chars().count() + 1;
                    self.add(Code::BadResponse, number, column, "The line is not UTF-8".to_owned(), "");
                }
            }
        }
        lines
    }

    /// Notes what is wrong at a byte of a line.
    pub fn wrong(&mut self, line: Line<'_>, unread: Unread) {
        let at = (0..=unread.at.min(line.text.len())).rev().find(|at| line.text.is_char_boundary(*at)).unwrap_or(0);
        let column = line.text[..at].chars().count() + 1;
        self.add(Code::BadResponse, line.number, column, unread.what, &unread.next);
    }

    /// Notes what is wrong with a whole line.
    pub fn wrong_line(&mut self, line: u32, what: impl Into<String>) {
        self.add(Code::BadResponse, line, 1, what.into(), "");
    }

    fn add(&mut self, code: Code, line: u32, column: usize, what: String, next: &str) {
        if self.problems.len() == MAX_PROBLEMS {
            self.unlisted += 1;
            return;
        }
        let column = u32::try_from(column).unwrap_or(u32::MAX);
        self.problems.push(Problem::new(code, what).next(next).at(Place { file: self.source.to_owned(), line, column }));
    }

    /// Whether another sample has room; the first that hasn't is a problem that counts the rest.
    pub fn has_room(&mut self, line: Line<'_>, left: usize) -> bool {
        if self.samples < MAX_SAMPLES as u64 {
            return true;
        }
        let what = format!("The document has more than {MAX_SAMPLES} samples; the last {left} lines are left out");
        self.add(Code::TooLarge, line.number, 1, what, "Expose fewer series, or split them over several addresses");
        false
    }

    /// The family of that name, if it was named before.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The family of that name, new where it wasn't named before. `None` where there are too many.
    pub fn family(&mut self, name: &str, line: Line<'_>) -> Option<usize> {
        if let Some(index) = self.find(name) {
            return Some(index);
        }
        if self.families.len() == MAX_FAMILIES {
            let what = format!("The document has more than {MAX_FAMILIES} metrics; `{name}` is left out");
            self.add(Code::TooLarge, line.number, 1, what, "");
            return None;
        }
        self.families.push(Family { name: name.to_owned(), kind: MetricKind::Untyped, ..Family::default() });
        self.by_name.insert(name.to_owned(), self.families.len() - 1);
        Some(self.families.len() - 1)
    }

    /// Adds a sample to a family.
    pub fn push(&mut self, family: usize, sample: Sample) {
        self.families[family].samples.push(sample);
        self.samples += 1;
    }

    /// The families, the number of samples and the problems, a last one for those that found no room.
    pub fn finish(mut self) -> (Vec<Family>, u64, Vec<Problem>) {
        if self.unlisted > 0 {
            let what = format!("{} further mistakes are not listed", self.unlisted);
            self.problems.push(Problem::new(Code::BadResponse, what));
        }
        (self.families, self.samples, self.problems)
    }
}

/// A number that tells series apart: the name and the labels in any order.
pub(super) fn series_mark(name: &str, labels: &[(String, String)]) -> u64 {
    let mut sorted: Vec<_> = labels.iter().collect();
    sorted.sort_unstable();
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    sorted.hash(&mut hasher);
    hasher.finish()
}
