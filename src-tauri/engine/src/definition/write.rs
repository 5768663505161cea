//! Values as YAML text: plain where that is safe, quoted where it isn't.

use serde_json::Value;

use super::{scalar::plain, tree::Style};

/// The longest list that is written on one line.
const ONE_LINE: usize = 80;

/// Whether a value fits behind its key, on the same line.
pub fn is_inline(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => {
            let scalars = items.iter().all(|item| !item.is_object() && !item.is_array());
            scalars && (items.is_empty() || flow(value).len() <= ONE_LINE)
        }
        Value::String(text) => !is_literal(text),
        _ => true,
    }
}

/// A value on one line; collections in brackets.
pub fn flow(value: &Value) -> String {
    match value {
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(key, value)| format!("{}: {}", scalar(key, true, None), flow(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => scalar(text, true, None),
        other => other.to_string(),
    }
}

/// A value for one line in block context: a text may be plain there that would need quotes in brackets.
pub fn inline(value: &Value, old: Option<Style>) -> String {
    match value {
        Value::String(text) => scalar(text, false, old),
        other => flow(other),
    }
}

/// A value over several lines, without the indentation of the whole.
pub fn block(value: &Value, step: usize) -> Vec<String> {
    match value {
        Value::Object(fields) if !fields.is_empty() => fields.iter().flat_map(|(key, value)| entry(key, value, step)).collect(),
        Value::Array(items) if !is_inline(value) => items.iter().flat_map(|item| self::item(item, step)).collect(),
        other => vec![inline(other, None)],
    }
}

/// `key: value`, over as many lines as it takes.
pub fn entry(key: &str, value: &Value, step: usize) -> Vec<String> {
    let key = scalar(key, false, None);
    match value {
        Value::String(text) if is_literal(text) => {
            let (header, lines) = literal(text);
            std::iter::once(format!("{key}: {header}")).chain(indented(lines, step)).collect()
        }
        value if is_inline(value) => vec![format!("{key}: {}", inline(value, None))],
        value => std::iter::once(format!("{key}:")).chain(indented(block(value, step), step)).collect(),
    }
}

/// `- value`, over as many lines as it takes.
pub fn item(value: &Value, step: usize) -> Vec<String> {
    match value {
        Value::String(text) if is_literal(text) => {
            let (header, lines) = literal(text);
            std::iter::once(format!("- {header}")).chain(indented(lines, step)).collect()
        }
        value => {
            let lines = block(value, step);
            let first = lines.iter().take(1).map(|line| format!("- {line}"));
            first.chain(indented(lines.iter().skip(1).cloned().collect(), 2)).collect()
        }
    }
}

/// Lines with so many blanks before each; empty ones stay empty.
pub fn indented(lines: Vec<String>, by: usize) -> Vec<String> {
    let indent = " ".repeat(by);
    lines.into_iter().map(|line| if line.is_empty() { line } else { format!("{indent}{line}") }).collect()
}

/// Whether a text reads best as a literal block (`|`), and can be written as one.
pub fn is_literal(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.starts_with([' ', '\t', '\n'])
        && !body.ends_with('\n')
        && body.lines().all(|line| line.is_empty() || !line.trim().is_empty())
        && body.chars().all(|c| c == '\n' || is_printable(c))
}

/// The header and the lines of a literal block.
pub fn literal(text: &str) -> (&'static str, Vec<String>) {
    let header = if text.ends_with('\n') { "|" } else { "|-" };
    (header, text.lines().map(str::to_owned).collect())
}

/// A text as a scalar: as `old` was written where there was one, else plain where that is safe.
pub fn scalar(text: &str, flow: bool, old: Option<Style>) -> String {
    let single = !text.is_empty() && text.chars().all(is_printable);
    match old {
        Some(Style::Single) if single => format!("'{}'", text.replace('\'', "''")),
        Some(Style::Double) => double(text),
        _ if is_plain(text, flow) => text.to_owned(),
        _ => double(text),
    }
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}

fn double(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if is_printable(c) => quoted.push(c),
            c if u32::from(c) <= 0xff => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) <= 0xffff => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a text stays the same text without quotes, for this reader and for those of YAML 1.1.
fn is_plain(text: &str, flow: bool) -> bool {
    const WORDS: [&str; 4] = ["yes", "no", "on", "off"];
    let Some(first) = text.chars().next() else { return false };
    let number_like =
        text.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, '_' | ':' | '.' | '-' | '+' | 'x' | 'o' | 'T' | 'Z'))
            && (first.is_ascii_digit() || matches!(first, '.' | '-' | '+'));
    let indicator = "-?:,[]{}#&*!|>'\"%@`=<~".contains(first);
    let inside = text.contains(": ")
        || text.contains(" #")
        || text.ends_with(':')
        || text.chars().any(|c| !is_printable(c))
        || (flow && text.contains([',', '[', ']', '{', '}', ':', '"']));
    !indicator
        && !inside
        && !number_like
        && text.trim() == text
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        && !text.starts_with("...")
        && matches!(plain(text), Ok(Value::String(_)))
}
