//! Pieces of JavaScript in which no text can be taken for anything but a text.

use std::fmt::Write;

/// A text in which some stretches are computed for each request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// The same each time.
    Fixed(String),
    /// An expression of our own making, and the function that makes its value fit where it stands.
    Value(String, Option<&'static str>),
}

impl Text {
    pub(super) fn push(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.parts.last_mut() {
            Some(Part::Fixed(last)) => last.push_str(text),
            _ => self.parts.push(Part::Fixed(text.to_owned())),
        }
    }

    pub(super) fn push_value(&mut self, expression: &str, escape: Option<&'static str>) {
        self.parts.push(Part::Value(expression.to_owned(), escape));
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn is_fixed(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Fixed(_)))
    }

    /// An expression that is a text.
    pub(super) fn expression(&self) -> String {
        let mut all: Vec<String> = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Fixed(text) => string(text),
                Part::Value(expression, None) => format!("text({expression})"),
                Part::Value(expression, Some(escape)) => format!("{escape}({expression})"),
            })
            .collect();
        if all.is_empty() {
            all.push("''".to_owned());
        }
        all.join(" + ")
    }
}

/// A text literal. It holds no line ends and nothing that YAML or an older reader of JavaScript would take for one.
pub(super) fn string(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            _ if is_odd(c) => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    // Writing into memory can't fail.
                    let _ = write!(literal, "\\u{unit:04x}");
                }
            }
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

/// Characters that aren't shown, or that some reader takes for the end of a line.
fn is_odd(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{ad}') || is_format(c)
}

/// What changes the direction of writing or has no width: it could make a script read as something that it isn't.
const fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

/// JSON as JavaScript.
pub(super) fn json(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::String(text) => string(text),
        Value::Array(all) => format!("[{}]", all.iter().map(json).collect::<Vec<_>>().join(", ")),
        Value::Object(all) => {
            let members: Vec<String> = all.iter().map(|(name, value)| format!("{}: {}", string(name), json(value))).collect();
            if members.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", members.join(", ")) }
        }
        other => other.to_string(),
    }
}

/// Lines of comment, wrapped.
pub(super) fn comment(text: &str, first: &str, rest: &str) -> String {
    const WIDTH: usize = 116;
    let mut lines = String::new();
    let mut line = format!("// {first}");
    let mut empty = true;
    let plain: String = text.chars().map(|c| if is_odd(c) { ' ' } else { c }).collect();
    for word in plain.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(line.trim_end());
            lines.push('\n');
            line = format!("// {rest}");
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push_str(line.trim_end());
    lines.push('\n');
    lines
}
