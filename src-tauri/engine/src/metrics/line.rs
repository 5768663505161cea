//! Our own reader of one sample line, in both dialects.
//!
//! Sources of the grammar: <https://prometheus.io/docs/instrumenting/exposition_formats/> for the text format 0.0.4, and
//! the ABNF of <https://prometheus.io/docs/specs/om/open_metrics_spec/> for OpenMetrics 1.0. Names in quotation marks
//! (`{"my.metric",l="v"}`) are those of <https://prometheus.io/docs/guides/utf8/>.

use std::collections::HashSet;

use patchbay_contracts::{
    Timestamp,
    metrics::{Exemplar, Sample},
};

use super::{
    MAX_LABELS,
    native::{self, Native},
};

/// Which of the two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Prometheus text 0.0.4: blanks are free, times are whole milliseconds.
    Text,
    /// OpenMetrics 1.0: exactly one space wherever there is one, times are seconds.
    OpenMetrics,
}

/// A line that could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleLine {
    /// What it says.
    pub sample: Sample,
    /// The time in the format's own unit, for comparing times that are closer than a millisecond.
    pub time: Option<f64>,
    /// The native histogram that stands in place of the value, which is 0 then.
    pub native: Option<Native>,
}

/// Why a line can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The byte of the line at which reading stopped.
    pub at: usize,
    /// What is wrong there.
    pub what: String,
    /// What would be right; may be empty.
    pub next: String,
}

impl Unread {
    pub(super) fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into(), next: String::new() }
    }

    fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }
}

/// Reads one sample line, without its line break.
///
/// # Errors
/// [`Unread`] with the byte at which the line stops making sense.
pub fn read(dialect: Dialect, text: &str) -> Result<SampleLine, Unread> {
    let mut cursor = Cursor { text, at: 0, dialect };
    cursor.blanks();
    let (name, labels) = cursor.series()?;
    cursor.gap_before_value()?;
    let native = cursor.native()?;
    let value = if native.is_some() { 0.0 } else { cursor.number("a value")? };
    let sample = Sample { name, labels, value, timestamp: None, exemplar: None };
    let mut line = SampleLine { sample, time: None, native };
    if cursor.another()? && cursor.peek() != Some(b'#') {
        let (time, timestamp) = cursor.time(dialect)?;
        line.time = Some(time);
        line.sample.timestamp = Some(timestamp);
        cursor.another()?;
    }
    if cursor.peek() == Some(b'#') {
        line.sample.exemplar = Some(cursor.exemplar()?);
    }
    if cursor.at < text.len() {
        return Err(Unread::new(cursor.at, format!("`{}` stands after the end of the sample", cut(&text[cursor.at..]))));
    }
    Ok(line)
}

/// Whether a metric may have this name without quotation marks.
pub fn is_name(name: &str) -> bool {
    name.bytes().enumerate().all(|(i, byte)| is_name_byte(byte, i == 0, true)) && !name.is_empty()
}

/// Reads a name as it stands in a line of metadata: bare, or in quotation marks. Gives it and what follows it.
///
/// # Errors
/// [`Unread`] where there is no name, or one with characters that need quotation marks.
pub(super) fn metadata_name(dialect: Dialect, text: &str, at: usize) -> Result<(String, usize), Unread> {
    let mut cursor = Cursor { text, at, dialect };
    if cursor.peek() == Some(b'"') {
        let name = cursor.quoted()?;
        return if name.is_empty() { Err(Unread::new(at, "The name is empty")) } else { Ok((name, cursor.at)) };
    }
    let name = cursor.word(true).to_owned();
    match cursor.peek() {
        None | Some(b' ' | b'\t') if !name.is_empty() => Ok((name, cursor.at)),
        None => Err(Unread::new(cursor.at, "The name of the metric is missing")),
        _ => Err(cursor.unfit("a metric's name")),
    }
}

/// Undoes the escapes of a help text or a label value: `\\`, `\n` and, where `quotes`, `\"`. Any other is left as it is.
pub(super) fn unescape(text: &str, quotes: bool) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match rest.next() {
            Some('n') => plain.push('\n'),
            Some('\\') => plain.push('\\'),
            Some('"') if quotes => plain.push('"'),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    plain
}

/// Reads a number as the dialect writes it.
///
/// The text format asks for what Go's `ParseFloat` takes; Prometheus itself has refused its hexadecimal and underscored
/// forms since 2.13, and so do we. OpenMetrics has a grammar of its own (`number` in its ABNF).
pub(super) fn float(dialect: Dialect, token: &str) -> Option<f64> {
    if dialect == Dialect::OpenMetrics && !is_openmetrics_number(token) {
        return None;
    }
    token.parse().ok()
}

fn is_openmetrics_number(token: &str) -> bool {
    let unsigned = token.strip_prefix(['+', '-']).unwrap_or(token);
    if ["inf", "infinity"].iter().any(|word| unsigned.eq_ignore_ascii_case(word)) || token.eq_ignore_ascii_case("nan") {
        return true;
    }
    is_real(token)
}

/// `realnumber` of the ABNF: no infinities, no NaN.
fn is_real(token: &str) -> bool {
    let unsigned = token.strip_prefix(['+', '-']).unwrap_or(token);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|e| {
            let e = e.strip_prefix(['+', '-']).unwrap_or(e);
            !e.is_empty() && digits(e)
        })
}

const fn is_name_byte(byte: u8, first: bool, colon: bool) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || (colon && byte == b':') || (!first && byte.is_ascii_digit())
}

/// The start of a text, for quoting in a message.
fn cut(text: &str) -> String {
    let mut start: String = text.chars().take(40).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
    dialect: Dialect,
}

type Labels = Vec<(String, String)>;

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips blanks where they are free.
    fn blanks(&mut self) {
        if self.dialect == Dialect::Text {
            while matches!(self.peek(), Some(b' ' | b'\t')) {
                self.at += 1;
            }
        }
    }

    fn word(&mut self, colon: bool) -> &'a str {
        let from = self.at;
        while self.peek().is_some_and(|byte| is_name_byte(byte, self.at == from, colon)) {
            self.at += 1;
        }
        &self.text[from..self.at]
    }

    fn token(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let end = rest.find([' ', '\t']).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// The character at hand does not fit what is expected.
    fn unfit(&self, expected: &str) -> Unread {
        match self.text[self.at..].chars().next() {
            Some(c) => Unread::new(self.at, format!("`{c}` can't stand here; expected {expected}")),
            None => Unread::new(self.at, format!("The line ends where {expected} is expected")),
        }
    }

    /// A name and its labels, or braces with the name in quotation marks first.
    fn series(&mut self) -> Result<(String, Labels), Unread> {
        let name = self.word(true).to_owned();
        if name.is_empty() && self.peek() != Some(b'{') {
            return Err(self.unfit("a metric's name"));
        }
        let before = self.at;
        self.blanks();
        // After a blank, braces may also hold a native histogram in place of the value.
        let no_labels = self.peek() != Some(b'{') || (self.at > before && native::begins(&self.text[self.at..]));
        if no_labels {
            self.at = before;
            return Ok((name, Vec::new()));
        }
        self.at += 1;
        let (quoted, labels) = self.labels(name.is_empty())?;
        match (name.is_empty(), quoted) {
            (true, Some(quoted)) => Ok((quoted, labels)),
            (true, None) => Err(Unread::new(before, "The sample has no name")
                .next("Write the name before the braces, or first within them in quotation marks")),
            (false, _) => Ok((name, labels)),
        }
    }

    /// What follows an opening brace, up to and with the closing one.
    fn labels(&mut self, name_inside: bool) -> Result<(Option<String>, Labels), Unread> {
        let mut metric = None;
        let mut labels: Labels = Vec::new();
        let mut names: HashSet<String> = HashSet::new();
        self.blanks();
        while self.peek() != Some(b'}') {
            let from = self.at;
            let quoted = self.peek() == Some(b'"');
            let name = if quoted { self.quoted()? } else { self.word(false).to_owned() };
            if name.is_empty() {
                return Err(self.unfit("a label's name"));
            }
            self.blanks();
            if quoted && name_inside && metric.is_none() && labels.is_empty() && self.peek() != Some(b'=') {
                metric = Some(name);
            } else {
                if self.peek() != Some(b'=') {
                    return Err(self.unfit("`=` after the label's name"));
                }
                self.at += 1;
                self.blanks();
                let value = self.quoted()?;
                // Few names are compared faster than they are hashed; many are not.
                let twice = if labels.len() < 16 {
                    labels.iter().any(|(other, _)| *other == name)
                } else {
                    if names.is_empty() {
                        names = labels.iter().map(|(other, _)| other.clone()).collect();
                    }
                    !names.insert(name.clone())
                };
                if twice {
                    return Err(Unread::new(from, format!("The label `{name}` stands twice")));
                }
                if labels.len() == MAX_LABELS {
                    return Err(Unread::new(from, format!("The sample has more than {MAX_LABELS} labels")));
                }
                labels.push((name, value));
            }
            self.blanks();
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    self.blanks();
                    // The text format allows a comma after the last label, OpenMetrics does not.
                    if self.dialect == Dialect::OpenMetrics && self.peek() == Some(b'}') {
                        return Err(self.unfit("a label's name"));
                    }
                }
                Some(b'}') => {}
                _ => return Err(self.unfit("`,` or `}` after the label's value")),
            }
        }
        self.at += 1;
        Ok((metric, labels))
    }

    /// A text in quotation marks, its escapes undone.
    fn quoted(&mut self) -> Result<String, Unread> {
        if self.peek() != Some(b'"') {
            return Err(self.unfit("a quotation mark `\"`"));
        }
        let from = self.at + 1;
        let mut at = from;
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(at) {
                None => return Err(Unread::new(from - 1, "The quotation mark that opens here is never closed")),
                Some(b'\\') => at += 2,
                Some(b'"') => break,
                Some(_) => at += 1,
            }
        }
        self.at = at + 1;
        Ok(unescape(&self.text[from..at], true))
    }

    /// What must stand between the series and its value.
    fn gap_before_value(&mut self) -> Result<(), Unread> {
        match self.dialect {
            Dialect::OpenMetrics => self.space("a space and a value"),
            Dialect::Text => {
                let braces = self.text.as_bytes()[..self.at].last() == Some(&b'}');
                let before = self.at;
                self.blanks();
                let glued = self.at == before && !braces && self.at < self.text.len();
                if glued { Err(self.unfit("a blank or `{` after the metric's name")) } else { Ok(()) }
            }
        }
    }

    fn space(&mut self, expected: &str) -> Result<(), Unread> {
        if self.peek() != Some(b' ') {
            return Err(self.unfit(expected));
        }
        self.at += 1;
        Ok(())
    }

    /// Whether something follows; the blank before it is skipped.
    fn another(&mut self) -> Result<bool, Unread> {
        if self.at == self.text.len() {
            return Ok(false);
        }
        match self.dialect {
            Dialect::Text => self.blanks(),
            Dialect::OpenMetrics => {
                self.space("a single space")?;
                if matches!(self.peek(), None | Some(b' ' | b'\t')) {
                    return Err(Unread::new(self.at - 1, "A blank stands where the line should go on or end"));
                }
            }
        }
        Ok(self.at < self.text.len())
    }

    /// A native histogram, if one stands here.
    fn native(&mut self) -> Result<Option<Native>, Unread> {
        if self.peek() != Some(b'{') {
            return Ok(None);
        }
        let (native, end) = native::read(self.text, self.at)?;
        self.at = end;
        Ok(Some(native))
    }

    fn number(&mut self, what: &str) -> Result<f64, Unread> {
        let from = self.at;
        let token = self.token();
        if token.is_empty() {
            return Err(self.unfit(what));
        }
        float(self.dialect, token).ok_or_else(|| {
            Unread::new(from, format!("`{}` is not {what}", cut(token)))
                .next("Write a decimal number such as 42, 1.5 or 1e9, or NaN, +Inf or -Inf")
        })
    }

    /// A time in the format's own unit, and in milliseconds.
    fn time(&mut self, dialect: Dialect) -> Result<(f64, Timestamp), Unread> {
        let from = self.at;
        let token = self.token();
        let time = match dialect {
            Dialect::Text => token.parse::<i64>().ok().map(|ms| (ms as f64, ms)),
            Dialect::OpenMetrics if is_real(token) => token.parse::<f64>().ok().and_then(|seconds| {
                let ms = (seconds * 1e3).round();
                // Beyond this a double no longer tells milliseconds apart; the year is 287396.
                (ms.abs() <= 9_007_199_254_740_992.0).then_some((seconds, ms as Timestamp))
            }),
            Dialect::OpenMetrics => None,
        };
        time.ok_or_else(|| {
            Unread::new(from, format!("`{}` is not a time", cut(token))).next(match dialect {
                Dialect::Text => "The text format writes times in whole milliseconds since 1970",
                Dialect::OpenMetrics => "OpenMetrics writes times in seconds since 1970",
            })
        })
    }

    /// `# {labels} value [time]`. Its time is in seconds, also where the text format borrows it.
    fn exemplar(&mut self) -> Result<Exemplar, Unread> {
        self.at += 1;
        match self.dialect {
            Dialect::OpenMetrics => self.space("a space and the exemplar's labels")?,
            Dialect::Text => self.blanks(),
        }
        if self.peek() != Some(b'{') {
            return Err(self.unfit("the exemplar's labels"));
        }
        let from = self.at;
        self.at += 1;
        let (_, labels) = self.labels(false)?;
        // The OpenMetrics specification, "Exemplars": the combined length of names and values, in UTF-8 characters.
        let length: usize = labels.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
        if self.dialect == Dialect::OpenMetrics && length > 128 {
            return Err(Unread::new(from, format!("The exemplar's labels have {length} characters; 128 is the most")));
        }
        self.gap_before_value()?;
        let value = self.number("an exemplar's value")?;
        let timestamp = if self.another()? { Some(self.time(Dialect::OpenMetrics)?.1) } else { None };
        if self.dialect == Dialect::Text {
            self.blanks();
        }
        Ok(Exemplar { labels, value, timestamp })
    }
}
