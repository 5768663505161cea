//! Mistakes in the YAML itself, explained by what stands at their place.

use patchbay_contracts::{Code, Place, Problem};

use super::tree::Limits;

/// A text cut to what fits into a message, control characters left out.
pub fn short(text: &str) -> String {
    const MOST: usize = 48;
    let mut kept: String = text.chars().filter(|c| !c.is_control()).take(MOST).collect();
    if text.chars().nth(MOST).is_some() {
        kept.push('…');
    }
    kept
}

/// Bytes that are not UTF-8, with the offset of the first of them.
pub fn not_utf8(file: &str, bytes: &[u8], offset: usize) -> Problem {
    let before = &bytes[..offset];
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
    let next = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        "It begins like UTF-16; save it as UTF-8"
    } else {
        "Save the file as UTF-8"
    };
    Problem::new(Code::InvalidDefinition, "The file is not UTF-8")
        .why(format!("the byte 0x{:02X} at offset {offset} can't be read", bytes[offset]))
        .next(next)
        .at(Place { file: file.to_owned(), line: line as u32, column: column as u32 })
}

/// A text of so many bytes, which are more than are allowed.
pub fn too_large(file: &str, bytes: usize, limits: &Limits) -> Problem {
    Problem::new(Code::TooLarge, format!("The file is larger than {} may be", limits.noun))
        .why(format!("it has {bytes} bytes, and {} are allowed", limits.bytes))
        .next(limits.smaller)
        .at(Place { file: file.to_owned(), line: 1, column: 1 })
}

/// Mappings and lists in each other beyond all measure.
pub fn too_deep(place: Place, most: usize) -> Problem {
    Problem::new(Code::InvalidDefinition, "Mappings and lists lie too deep in each other")
        .why(format!("at most {most} levels are allowed"))
        .at(place)
}

/// A mistake that the YAML parser found at a line (from 1) and a column (from 0). The text around the place is looked
/// at, since it says more than the parser's own words, and none of it is repeated: it could be a credential.
pub fn explain(file: &str, text: &str, (line, column): (usize, usize), found: &str, most: usize) -> Problem {
    // The end of a text without a last line break is told as a line that isn't there.
    let lines = text.split('\n').count();
    let (line, column) = if line > lines { (lines, usize::MAX) } else { (line, column) };
    let content = text.split('\n').nth(line.saturating_sub(1)).unwrap_or_default().trim_end_matches('\r');
    let column = column.min(content.chars().count());
    let place = Place { file: file.to_owned(), line: line.max(1) as u32, column: column as u32 + 1 };
    let problem = Problem::new(Code::InvalidDefinition, "The YAML can't be read");
    let before = || content.chars().take(column);
    let open = before().filter(|c| matches!(c, '[' | '{')).count();
    if open > most + before().filter(|c| matches!(c, ']' | '}')).count() {
        return too_deep(place, most);
    }
    let indent = &content[..content.len() - content.trim_start().len()];
    let here = content.chars().nth(column);
    let (why, next) = if indent.contains('\t') {
        ("the line is indented with a tab, and YAML allows only spaces".to_owned(), "Replace the tab by spaces")
    } else if let Some(c @ ('@' | '`' | '%')) = here {
        (format!("a text can't begin with `{c}`"), "Put the text in quotes")
    } else if open_flow(content) && content.contains("${") {
        (
            "a reference such as `${env:…}` inside of `{ }` or `[ ]` ends them too early".to_owned(),
            "Put the reference in quotes: \"${env:…}\"",
        )
    } else if content.contains(": ") && content.matches(": ").count() + usize::from(content.ends_with(':')) > 1 {
        (found.to_owned(), "If the value holds a colon, put it in quotes; if it is a field of its own, begin a new line")
    } else if content.trim().is_empty() || here.is_none() {
        (found.to_owned(), "Look for a quote, a `{` or a `[` above that is not closed")
    } else {
        (found.to_owned(), "Compare the indentation with that of the lines above, and look for a quote that is not closed")
    };
    problem.why(why).next(next).at(place)
}

fn open_flow(line: &str) -> bool {
    line.contains(['{', '['])
}
