//! What is expected beside what came, line by line, with the differing places marked: by structure where both are JSON of
//! one kind, as text otherwise.

use serde_json::{Map, Value};

/// The most lines that are compared; what is longer is cut, and said to be.
const LINES: usize = 4_000;
/// The most steps that are spent on matching the elements of two lists, or the lines of two texts.
const STEPS: usize = 250_000;

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// Whether the other side has something else there.
    pub differs: bool,
}

/// A line of both sides. A side that has nothing there has no pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// What is expected.
    pub expected: Option<Vec<Piece>>,
    /// What came.
    pub actual: Option<Vec<Piece>>,
    /// Whether the two are not the same.
    pub differs: bool,
}

/// Two values beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// The lines, in order.
    pub lines: Vec<Pair>,
    /// Where the two differ, as JSON pointers, in order; empty for the whole, and for texts.
    pub places: Vec<String>,
    /// Whether lines are left out at the end.
    pub cut: bool,
}

/// Compares what is expected with what came. A side that is missing has no lines.
pub fn difference(expected: Option<&Value>, actual: Option<&Value>) -> Difference {
    let mut out = Out::default();
    match (expected, actual) {
        (Some(Value::String(expected)), Some(Value::String(actual))) => out.texts(expected, actual),
        (Some(expected), Some(actual)) => out.values(&Lead::default(), expected, actual, ""),
        (expected, actual) => out.apart(&Lead::default(), expected, actual, ""),
    }
    out.finish()
}

/// Two values beside each other that are no values of one kind, such as a rule and what breaks it: nothing of the rule is
/// marked, and all of what came.
pub fn opposed(rule: Option<&Value>, actual: Option<&Value>) -> Difference {
    let mut out = Out::default();
    out.apart(&Lead::default(), rule, actual, "");
    for pair in &mut out.lines {
        pair.expected.iter_mut().flatten().for_each(|piece| piece.differs = false);
    }
    out.finish()
}

/// What stands before a value on its line, and behind it on each side.
#[derive(Debug, Clone, Default)]
struct Lead {
    depth: usize,
    label: Option<String>,
    commas: (bool, bool),
}

impl Lead {
    fn head(&self) -> String {
        let label = self.label.as_ref().map(|label| format!("{}: ", Value::from(label.as_str()))).unwrap_or_default();
        format!("{}{label}", "  ".repeat(self.depth))
    }

    fn inner(&self, label: Option<&str>, commas: (bool, bool)) -> Self {
        Self { depth: self.depth + 1, label: label.map(str::to_owned), commas }
    }
}

fn comma(there: bool) -> &'static str {
    if there { "," } else { "" }
}

fn plain(text: String) -> Vec<Piece> {
    vec![Piece { text, differs: false }]
}

#[derive(Default)]
struct Out {
    lines: Vec<Pair>,
    places: Vec<String>,
}

impl Out {
    fn finish(mut self) -> Difference {
        let cut = self.lines.len() > LINES;
        self.lines.truncate(LINES);
        Difference { lines: self.lines, places: self.places, cut }
    }

    fn full(&self) -> bool {
        self.lines.len() > LINES
    }

    fn same(&mut self, expected: String, actual: String) {
        self.lines.push(Pair { expected: Some(plain(expected)), actual: Some(plain(actual)), differs: false });
    }

    /// Two values, member by member where both have members.
    fn values(&mut self, lead: &Lead, expected: &Value, actual: &Value, pointer: &str) {
        if self.full() {
            return;
        }
        match (expected, actual) {
            (Value::Object(left), Value::Object(right)) if !left.is_empty() && !right.is_empty() => {
                self.around(lead, ("{", "}"), |out| out.members(lead, left, right, pointer));
            }
            (Value::Array(left), Value::Array(right)) if !left.is_empty() && !right.is_empty() => {
                self.around(lead, ("[", "]"), |out| out.elements(lead, left, right, pointer));
            }
            _ if expected == actual => {
                for (left, right) in written(lead, expected, lead.commas.0).into_iter().zip(written(lead, actual, lead.commas.1))
                {
                    self.same(left, right);
                }
            }
            (Value::String(left), Value::String(right)) => {
                self.places.push(pointer.to_owned());
                let (left, right) = (Value::from(left.as_str()).to_string(), Value::from(right.as_str()).to_string());
                let mut pieces = changed(&left, &right);
                for (side, there) in [(&mut pieces.0, lead.commas.0), (&mut pieces.1, lead.commas.1)] {
                    side.insert(0, Piece { text: lead.head(), differs: false });
                    side.push(Piece { text: comma(there).to_owned(), differs: false });
                    side.retain(|piece| !piece.text.is_empty());
                }
                self.lines.push(Pair { expected: Some(pieces.0), actual: Some(pieces.1), differs: true });
            }
            _ => self.apart(lead, Some(expected), Some(actual), pointer),
        }
    }

    fn around(&mut self, lead: &Lead, (open, close): (&str, &str), inside: impl FnOnce(&mut Self)) {
        let head = lead.head();
        self.same(format!("{head}{open}"), format!("{head}{open}"));
        inside(self);
        let end = format!("{}{close}", "  ".repeat(lead.depth));
        self.same(format!("{end}{}", comma(lead.commas.0)), format!("{end}{}", comma(lead.commas.1)));
    }

    fn members(&mut self, lead: &Lead, left: &Map<String, Value>, right: &Map<String, Value>, pointer: &str) {
        let surplus = right.iter().filter(|(name, _)| !left.contains_key(*name));
        let all: Vec<(&String, Option<&Value>, Option<&Value>)> = left
            .iter()
            .map(|(name, value)| (name, Some(value), right.get(name)))
            .chain(surplus.map(|(name, value)| (name, None, Some(value))))
            .collect();
        let last_left = all.iter().rposition(|(_, value, _)| value.is_some());
        let last_right = all.iter().rposition(|(_, _, value)| value.is_some());
        for (at, (name, expected, actual)) in all.into_iter().enumerate() {
            let own = lead.inner(Some(name), (Some(at) < last_left, Some(at) < last_right));
            self.either(&own, expected, actual, &format!("{pointer}/{}", token(name)));
        }
    }

    fn elements(&mut self, lead: &Lead, left: &[Value], right: &[Value], pointer: &str) {
        for (expected, actual) in aligned(left, right) {
            let commas = (expected.is_some_and(|at| at + 1 < left.len()), actual.is_some_and(|at| at + 1 < right.len()));
            let place = actual.or(expected).unwrap_or_default();
            let value = |side: &'_ [Value], at: Option<usize>| at.and_then(|at| side.get(at)).cloned();
            let (expected, actual) = (value(left, expected), value(right, actual));
            self.either(&lead.inner(None, commas), expected.as_ref(), actual.as_ref(), &format!("{pointer}/{place}"));
        }
    }

    fn either(&mut self, lead: &Lead, expected: Option<&Value>, actual: Option<&Value>, pointer: &str) {
        match (expected, actual) {
            (Some(expected), Some(actual)) => self.values(lead, expected, actual, pointer),
            (expected, actual) => self.apart(lead, expected, actual, pointer),
        }
    }

    /// Two values that have nothing in common, or only one.
    fn apart(&mut self, lead: &Lead, expected: Option<&Value>, actual: Option<&Value>, pointer: &str) {
        if self.full() || (expected.is_none() && actual.is_none()) {
            return;
        }
        self.places.push(pointer.to_owned());
        let side = |value: Option<&Value>, there| value.map(|value| written(lead, value, there)).unwrap_or_default();
        let mut left = side(expected, lead.commas.0).into_iter();
        let mut right = side(actual, lead.commas.1).into_iter();
        let mark = |text: String| {
            let indent = text.len() - text.trim_start().len();
            let mut pieces = vec![
                Piece { text: text.chars().take(indent).collect(), differs: false },
                Piece { text: text.trim_start().to_owned(), differs: true },
            ];
            pieces.retain(|piece| !piece.text.is_empty());
            pieces
        };
        loop {
            let (expected, actual) = (left.next().map(mark), right.next().map(mark));
            if expected.is_none() && actual.is_none() {
                return;
            }
            self.lines.push(Pair { expected, actual, differs: true });
        }
    }

    /// Two texts, line by line.
    fn texts(&mut self, expected: &str, actual: &str) {
        let left: Vec<&str> = expected.split('\n').take(LINES + 1).collect();
        let right: Vec<&str> = actual.split('\n').take(LINES + 1).collect();
        for (expected, actual) in aligned(&left, &right) {
            let line = |side: &[&str], at: Option<usize>| at.and_then(|at| side.get(at)).map(|line| (*line).to_owned());
            let pair = match (line(&left, expected), line(&right, actual)) {
                (Some(left), Some(right)) if left == right => {
                    self.same(left, right);
                    continue;
                }
                (Some(left), Some(right)) => {
                    let (left, right) = changed(&left, &right);
                    Pair { expected: Some(left), actual: Some(right), differs: true }
                }
                (left, right) => {
                    let whole = |text: String| vec![Piece { text, differs: true }];
                    Pair { expected: left.map(whole), actual: right.map(whole), differs: true }
                }
            };
            self.lines.push(pair);
        }
        if self.lines.iter().any(|pair| pair.differs) {
            self.places.push(String::new());
        }
    }
}

/// A value as indented JSON, a line each, behind what leads to it.
fn written(lead: &Lead, value: &Value, there: bool) -> Vec<String> {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().map(|line| format!("{}{line}", "  ".repeat(lead.depth))).collect();
    if let Some(first) = lines.first_mut() {
        *first = format!("{}{}", lead.head(), text.lines().next().unwrap_or_default());
    }
    if let Some(last) = lines.last_mut() {
        last.push_str(comma(there));
    }
    lines
}

/// A name as a JSON pointer has it (RFC 6901).
fn token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Two lines with what they do not share at both ends marked.
fn changed(left: &str, right: &str) -> (Vec<Piece>, Vec<Piece>) {
    let (one, two): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let start = one.iter().zip(&two).take_while(|(a, b)| a == b).count();
    let room = one.len().min(two.len()) - start;
    let end = one.iter().rev().zip(two.iter().rev()).take(room).take_while(|(a, b)| a == b).count();
    let pieces = |side: &[char]| {
        let middle = side.len() - end;
        let part = |from: usize, to: usize| side.get(from..to).unwrap_or_default().iter().collect::<String>();
        let mut pieces = vec![
            Piece { text: part(0, start), differs: false },
            Piece { text: part(start, middle), differs: true },
            Piece { text: part(middle, side.len()), differs: false },
        ];
        pieces.retain(|piece| !piece.text.is_empty());
        pieces
    };
    (pieces(&one), pieces(&two))
}

/// Which element of one list stands beside which of the other: equal ones where that can be, by the longest common
/// subsequence, and what lies between them in order.
fn aligned<T: PartialEq>(left: &[T], right: &[T]) -> Vec<(Option<usize>, Option<usize>)> {
    let start = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    let room = left.len().min(right.len()) - start;
    let end = left.iter().rev().zip(right.iter().rev()).take(room).take_while(|(a, b)| a == b).count();
    let (until_left, until_right) = (left.len() - end, right.len() - end);
    let mut pairs: Vec<_> = (0..start).map(|at| (Some(at), Some(at))).collect();
    let inner = |side: &'_ [T], until: usize| start..until.min(side.len());
    let (rows, columns) = (inner(left, until_left), inner(right, until_right));
    let mut between = (start, start);
    for (row, column) in common(left, right, rows, columns) {
        beside(&mut pairs, between.0..row, between.1..column);
        pairs.push((Some(row), Some(column)));
        between = (row + 1, column + 1);
    }
    beside(&mut pairs, between.0..until_left, between.1..until_right);
    pairs.extend((0..end).map(|at| (Some(until_left + at), Some(until_right + at))));
    pairs
}

/// Puts two stretches beside each other in order.
fn beside(pairs: &mut Vec<(Option<usize>, Option<usize>)>, left: std::ops::Range<usize>, right: std::ops::Range<usize>) {
    let longest = left.len().max(right.len());
    let nth = |range: &std::ops::Range<usize>, at: usize| (at < range.len()).then(|| range.start + at);
    pairs.extend((0..longest).map(|at| (nth(&left, at), nth(&right, at))));
}

/// The longest common subsequence of two stretches; nothing where finding it would take too long.
fn common<T: PartialEq>(
    left: &[T],
    right: &[T],
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
) -> Vec<(usize, usize)> {
    let (height, width) = (rows.len(), columns.len());
    if height == 0 || width == 0 || height.saturating_mul(width) > STEPS {
        return Vec::new();
    }
    // lengths[r * (width + 1) + c] is the length for what follows row r and column c.
    let mut lengths = vec![0_u32; (height + 1) * (width + 1)];
    let at = |row: usize, column: usize| row * (width + 1) + column;
    let equal = |row: usize, column: usize| left.get(rows.start + row) == right.get(columns.start + column);
    for row in (0..height).rev() {
        for column in (0..width).rev() {
            lengths[at(row, column)] = match equal(row, column) {
                true => lengths[at(row + 1, column + 1)] + 1,
                false => lengths[at(row + 1, column)].max(lengths[at(row, column + 1)]),
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut found = Vec::new();
    while row < height && column < width {
        if equal(row, column) {
            found.push((rows.start + row, columns.start + column));
            (row, column) = (row + 1, column + 1);
        } else if lengths[at(row + 1, column)] >= lengths[at(row, column + 1)] {
            row += 1;
        } else {
            column += 1;
        }
    }
    found
}

/// A document as indented JSON, with the lines of the place that a JSON pointer names marked. Where the place is not
/// there, the line on which what should hold it begins is.
pub fn marked(document: &Value, pointer: &str) -> Vec<(String, bool)> {
    let tokens: Vec<String> = pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).collect();
    let mut lines = Vec::new();
    mark(&Lead::default(), document, Some(&tokens), false, &mut lines);
    lines
}

fn mark(lead: &Lead, value: &Value, path: Option<&[String]>, within: bool, lines: &mut Vec<(String, bool)>) {
    if lines.len() > LINES {
        return;
    }
    let within = within || path.is_some_and(<[String]>::is_empty);
    let Some([next, rest @ ..]) = path else {
        lines.extend(written(lead, value, lead.commas.0).into_iter().map(|line| (line, within)));
        return;
    };
    let children: Vec<(Option<&str>, String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (Some(name.as_str()), name.clone(), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(at, value)| (None, at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let leads = children.iter().any(|(_, own, _)| own == next);
    let (open, close) = if value.is_array() { ("[", "]") } else { ("{", "}") };
    if children.is_empty() {
        lines.extend(written(lead, value, lead.commas.0).into_iter().map(|line| (line, true)));
        return;
    }
    lines.push((format!("{}{open}", lead.head()), within || !leads));
    let last = children.len() - 1;
    for (at, (label, own, value)) in children.into_iter().enumerate() {
        let inner = lead.inner(label, (at < last, false));
        mark(&inner, value, (own == *next).then_some(rest), within, lines);
    }
    lines.push((format!("{}{close}{}", "  ".repeat(lead.depth), comma(lead.commas.0)), within));
}

/// A stretch of lines: shown, or so many that are the same on both sides and left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    /// The line of that number.
    Line(usize),
    /// So many lines.
    Left(usize),
}

/// What is shown of `count` lines: those that matter, and `around` of them before and behind. A single line is never left
/// out, since saying so takes as much room.
pub fn folded(count: usize, matters: impl Fn(usize) -> bool, around: usize) -> Vec<Stretch> {
    let mut near = vec![false; count];
    for at in (0..count).filter(|at| matters(*at)) {
        near[at.saturating_sub(around)..count.min(at + around + 1)].fill(true);
    }
    let mut shown = Vec::new();
    let mut at = 0;
    while let Some(first) = near.get(at) {
        let run = near.iter().skip(at).take_while(|own| *own == first).count();
        if *first || run == 1 {
            shown.extend((at..at + run).map(Stretch::Line));
        } else {
            shown.push(Stretch::Left(run));
        }
        at += run;
    }
    shown
}
