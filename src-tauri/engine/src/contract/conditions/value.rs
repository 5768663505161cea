//! What the operands of a condition stand for in one exchange, and how the values compare.

use std::net::SocketAddr;

use jiff::{Timestamp as Moment, fmt::rfc2822};
use patchbay_contracts::{
    probe::{ProbeReport, Response},
    units::Span,
};
use serde_json::Value;

use super::operand::{Function, Operand, Reading, Source, Step};

/// The most characters of a value that a message shows.
const SHOWN: usize = 120;

/// An operand's value.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// The value as text; none where there is nothing to compare.
    text: Option<String>,
    /// The value as people read it.
    pub(super) shown: String,
}

impl Seen {
    fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { shown: cut(&text), text: Some(text) }
    }

    fn as_shown(text: impl Into<String>, shown: impl Into<String>) -> Self {
        Self { text: Some(text.into()), shown: shown.into() }
    }

    fn nothing(what: &str, why: &str) -> Self {
        Self { text: None, shown: format!("{what} ({why})") }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What an operand stands for.
pub(super) fn of(operand: &Operand, report: &ProbeReport) -> Seen {
    match operand {
        Operand::Literal(text) => Seen::text(text),
        Operand::Pattern(pattern) => Seen::as_shown(pattern, format!("pat({pattern})")),
        Operand::Any(options) => Seen::as_shown("", format!("any({})", options.join(", "))),
        Operand::Reading(reading) => read(reading, report),
    }
}

/// How many elements stand where the path leads.
pub(super) fn elements(path: &[Step], report: &ProbeReport) -> usize {
    let json = report.response.as_ref().and_then(|response| response.body.json.as_ref());
    json.and_then(|json| walk(path, json)).and_then(Value::as_array).map_or(0, Vec::len)
}

/// Where a path leads; wildcards lead nowhere.
pub(crate) fn walk<'a>(path: &[Step], json: &'a Value) -> Option<&'a Value> {
    path.iter().try_fold(json, |at, step| match step {
        Step::Key(key) => at.get(key),
        Step::Index(index) => at.get(index),
        Step::Each => None,
    })
}

fn read(reading: &Reading, report: &ProbeReport) -> Seen {
    let response = report.response.as_ref();
    match &reading.source {
        Source::Status => plain(reading, response.map_or(0, |response| response.status).to_string()),
        Source::ResponseTime => {
            let ms = report.timing.total_ms;
            let shown = if ms < 10.0 { format!("{ms:.1}") } else { format!("{ms:.0}") };
            match reading.function {
                Function::Itself => Seen::as_shown(ms.to_string(), shown),
                _ => plain(reading, shown),
            }
        }
        Source::Connected => plain(reading, response.is_some().to_string()),
        Source::Ip => plain(reading, response.and_then(address).unwrap_or_default()),
        Source::CertificateExpiration => certificate(reading, report),
        Source::Header(name) => header(reading, name, report),
        Source::Body(path) => body(reading, path, report),
    }
}

fn address(response: &Response) -> Option<String> {
    let remote = response.remote.as_deref()?;
    Some(remote.parse::<SocketAddr>().map_or_else(|_| remote.to_owned(), |address| address.ip().to_string()))
}

/// A function applied to a value that is a text and always there, though it may be empty.
fn plain(reading: &Reading, text: String) -> Seen {
    match reading.function {
        Function::Itself | Function::Age => Seen::text(text),
        Function::Len => Seen::text(text.chars().count().to_string()),
        Function::Has => Seen::text((!text.is_empty()).to_string()),
    }
}

fn certificate(reading: &Reading, report: &ProbeReport) -> Seen {
    let certificate = report.response.as_ref().and_then(|response| response.certificate.as_ref());
    let Some(certificate) = certificate else {
        return match reading.function {
            Function::Has => Seen::text("false"),
            _ => Seen::nothing(&reading.text, "there is no certificate"),
        };
    };
    let left = certificate.not_after - report.at;
    match reading.function {
        Function::Itself => {
            let hours = left / 3_600_000;
            let shown = if hours == 0 { format!("{}m", left / 60_000) } else { format!("{hours}h") };
            Seen::as_shown(left.to_string(), shown)
        }
        _ => plain(reading, left.to_string()),
    }
}

fn header(reading: &Reading, name: &str, report: &ProbeReport) -> Seen {
    let headers = report.response.iter().flat_map(|response| &response.headers);
    let value = headers.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    match (reading.function, value) {
        (Function::Has, value) => Seen::text(value.is_some().to_string()),
        (_, None) => Seen::nothing(&reading.text, "the header did not come"),
        (Function::Age, Some(value)) => age(reading, value, report),
        (_, Some(value)) => plain(reading, value.clone()),
    }
}

fn body(reading: &Reading, path: &[Step], report: &ProbeReport) -> Seen {
    let Some(body) = report.response.as_ref().map(|response| &response.body) else {
        return match reading.function {
            Function::Has => Seen::text("false"),
            _ => Seen::nothing(&reading.text, "there was no answer"),
        };
    };
    if path.is_empty() {
        let text = body.text.as_deref().map(str::trim);
        return match (reading.function, text, &body.json) {
            (Function::Has, ..) => Seen::text((body.bytes > 0).to_string()),
            (Function::Len, _, Some(json)) => length(json),
            (Function::Len, Some(text), None) => Seen::text(text.chars().count().to_string()),
            (Function::Age, Some(text), _) => age(reading, text, report),
            (Function::Itself, Some(text), _) => Seen::text(text),
            (_, None, _) => Seen::nothing(&reading.text, "the body is not text"),
        };
    }
    let found = body.json.as_ref().and_then(|json| walk(path, json));
    match (reading.function, found) {
        // Gatus takes a null for nothing there.
        (Function::Has, found) => Seen::text(found.is_some_and(|value| !value.is_null()).to_string()),
        (_, None) if body.json.is_none() => Seen::nothing(&reading.text, "the body is not JSON"),
        (_, None) => Seen::nothing(&reading.text, "not there"),
        (Function::Len, Some(value)) => length(value),
        (Function::Age, Some(value)) => age(reading, &as_text(value), report),
        (Function::Itself, Some(value)) => Seen::text(as_text(value)),
    }
}

fn length(value: &Value) -> Seen {
    let length = match value {
        Value::Array(all) => all.len(),
        Value::Object(all) => all.len(),
        other => as_text(other).chars().count(),
    };
    Seen::text(length.to_string())
}

/// A JSON value as it is compared: a text without its quotes, anything else as JSON.
pub(crate) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Milliseconds since the moment that `text` names: an HTTP date, RFC 3339, or Unix time in seconds or milliseconds.
fn age(reading: &Reading, text: &str, report: &ProbeReport) -> Seen {
    let text = text.trim().trim_matches('"');
    let moment = text
        .parse::<Moment>()
        .ok()
        .map(|moment| moment.as_millisecond() as f64)
        .or_else(|| rfc2822::DateTimeParser::new().parse_timestamp(text).ok().map(|moment| moment.as_millisecond() as f64))
        .or_else(|| {
            // 1e12 seconds lie beyond the year 33000, 1e12 milliseconds are in 2001: the size tells the unit.
            let number = finite(text).filter(|number| *number > 0.0)?;
            Some(if number >= 1e12 { number } else { number * 1e3 })
        });
    match moment {
        Some(moment) => {
            let ms = report.at as f64 + report.timing.total_ms - moment;
            Seen::as_shown(ms.to_string(), format!("{ms:.0}"))
        }
        None => Seen::nothing(&reading.text, "not a moment in time"),
    }
}

/// Whether two values are equal; none where that can't be said.
pub(super) fn equal(left: &Operand, left_seen: &Seen, right: &Operand, right_seen: &Seen) -> Option<bool> {
    let (a, b) = (left_seen.text.as_deref()?, right_seen.text.as_deref()?);
    Some(match (left, right) {
        (Operand::Pattern(pattern), _) => glob(pattern, b),
        (_, Operand::Pattern(pattern)) => glob(pattern, a),
        (Operand::Any(options), _) => options.iter().any(|option| same(option, b)),
        (_, Operand::Any(options)) => options.iter().any(|option| same(option, a)),
        _ => same(a, b),
    })
}

fn same(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    // Whole numbers are compared as such: beyond 2^53 an f64 takes neighbours for equal.
    if let (Ok(a), Ok(b)) = (a.parse::<i128>(), b.parse::<i128>()) {
        return a == b;
    }
    matches!((finite(a), finite(b)), (Some(a), Some(b)) if a == b)
}

/// Both values as numbers, durations in milliseconds; none where one isn't a number.
pub(super) fn order(left: &Seen, right: &Seen) -> Option<(f64, f64)> {
    Some((number(left.text.as_deref()?)?, number(right.text.as_deref()?)?))
}

fn number(text: &str) -> Option<f64> {
    finite(text).or_else(|| text.parse::<Span>().ok().map(Span::as_ms))
}

/// A decimal number; `inf` and `nan`, which Rust would read too, are texts.
fn finite(text: &str) -> Option<f64> {
    let text = text.trim();
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Whether a text matches a pattern with `*` (anything, separators too), `?` (one character), `[a-z]`, `[^a-z]` and `\`.
fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to go on when the characters after the last `*` don't fit: only the last one ever needs to be tried again,
    // which keeps this from growing exponentially.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == '*' {
            retry = Some((p + 1, t));
            p += 1;
            continue;
        }
        if t == text.len() {
            if p == pattern.len() {
                return true;
            }
        } else if let Some(width) = one(&pattern[p..], text[t]) {
            p += width;
            t += 1;
            continue;
        }
        match retry {
            Some((after, from)) if from < text.len() => {
                retry = Some((after, from + 1));
                p = after;
                t = from + 1;
            }
            _ => return false,
        }
    }
}

/// How many characters of the pattern match one character of the text; none where they don't.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match *pattern.first()? {
        '?' => Some(1),
        '\\' => (*pattern.get(1)? == c).then_some(2),
        '[' => {
            let end = 1 + pattern.iter().skip(2).position(|p| *p == ']')? + 1;
            let (negated, set) = match pattern[1] {
                '^' | '!' => (true, &pattern[2..end]),
                _ => (false, &pattern[1..end]),
            };
            let mut inside = false;
            let mut i = 0;
            while i < set.len() {
                let range = i + 2 < set.len() && set[i + 1] == '-';
                inside |= if range { set[i] <= c && c <= set[i + 2] } else { set[i] == c };
                i += if range { 3 } else { 1 };
            }
            (inside != negated).then_some(end + 1)
        }
        literal => (literal == c).then_some(1),
    }
}
