//! Lines of the text format that the crate prometheus-parse reads rightly.
//!
//! The crate splits a line with one regular expression and its labels at commas and equals signs. So it is right about a
//! line whose name has no colon, whose labels are there if their braces are, whose label values hold none of `,` `=` `}`
//! `"` `\`, whose value is a plain number, and whose time, if any, is one that its calendar knows. Such a line is *plain*;
//! most lines of most services are. The crate is given plain lines alone, without their `# TYPE` lines: with them it
//! would fold buckets into histograms, in no order, and drop the times and the counts of their parts.

use patchbay_contracts::metrics::Sample;
use prometheus_parse::{Scrape, Value};

/// More labels are left to our own reader: here each name is compared with all before it.
const MAX_PLAIN_LABELS: usize = 16;

/// Whether prometheus-parse reads this line rightly.
pub fn is_plain(line: &str) -> bool {
    let bytes = line.as_bytes();
    let Some(mut at) = name_end(bytes, 0) else { return false };
    if bytes.get(at) == Some(&b'{') {
        match labels_end(bytes, at) {
            Some(end) => at = end,
            None => return false,
        }
    }
    if bytes.get(at) != Some(&b' ') {
        return false;
    }
    let mut tokens = line[at + 1..].split(' ');
    tokens.next().is_some_and(is_plain_number) && tokens.next().is_none_or(is_plain_time) && tokens.next().is_none()
}

/// The end of a name without colons.
fn name_end(bytes: &[u8], from: usize) -> Option<usize> {
    let first = bytes.get(from)?;
    if !(first.is_ascii_alphabetic() || *first == b'_') {
        return None;
    }
    let rest = bytes[from..].iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_'));
    Some(rest.map_or(bytes.len(), |length| from + length))
}

/// The end of a label set that splits at commas and equals signs, with at least one label and no name twice.
fn labels_end(bytes: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    let mut names: Vec<&[u8]> = Vec::new();
    loop {
        let end = name_end(bytes, at)?;
        let name = &bytes[at..end];
        if names.contains(&name) || names.len() == MAX_PLAIN_LABELS || bytes.get(end..end + 2) != Some(b"=\"") {
            return None;
        }
        names.push(name);
        let value = end + 2;
        let close = value + bytes[value..].iter().position(|byte| matches!(byte, b'"' | b'\\' | b',' | b'=' | b'}'))?;
        if bytes[close] != b'"' {
            return None;
        }
        match bytes.get(close + 1)? {
            b'}' => return Some(close + 2),
            b',' => at = close + 2,
            _ => return None,
        }
    }
}

fn is_plain_number(token: &str) -> bool {
    matches!(token, "NaN" | "+Inf" | "-Inf")
        || (token.bytes().any(|byte| byte.is_ascii_digit())
            && token.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'-' | b'e' | b'E')))
}

/// Milliseconds of at most 13 digits: up to the year 2286, which the crate's calendar knows.
fn is_plain_time(token: &str) -> bool {
    let digits = token.strip_prefix('-').unwrap_or(token);
    (1..=13).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads plain lines with prometheus-parse, one sample a line, in order.
///
/// `None` where the crate did not give exactly these samples back: then our own reader reads the lines, and says what is
/// wrong with them.
pub fn read(lines: &[&str]) -> Option<Vec<Sample>> {
    let read = Scrape::parse(lines.iter().map(|line| Ok((*line).to_owned()))).ok()?;
    if read.samples.len() != lines.len() {
        return None;
    }
    read.samples.iter().zip(lines).map(|(sample, line)| take_over(sample, line)).collect()
}

/// The crate's sample as ours. It keeps labels in a hash map and fills a missing time with the present, so their order
/// and whether there is a time come from the line.
fn take_over(sample: &prometheus_parse::Sample, line: &str) -> Option<Sample> {
    let Value::Untyped(value) = sample.value else { return None };
    let after_name = line.strip_prefix(sample.metric.as_str())?;
    let (labels, rest) = match after_name.strip_prefix('{') {
        Some(inside) => inside.split_once('}')?,
        None => ("", after_name),
    };
    let labels = labels
        .split(',')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let name = pair.split_once('=')?.0;
            Some((name.to_owned(), sample.labels.get(name)?.to_owned()))
        })
        .collect::<Option<Vec<_>>>()?;
    let timestamp = (rest.split_ascii_whitespace().count() > 1).then(|| sample.timestamp.timestamp_millis());
    (labels.len() == sample.labels.len()).then(|| Sample {
        name: sample.metric.clone(),
        labels,
        value,
        timestamp,
        exemplar: None,
    })
}
