//! Just enough of YAML's looks for an editor: what to colour, and where a line and a column are.

/// What a stretch of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A value, punctuation, space.
    Plain,
    /// From `#` to the end of the line.
    Comment,
    /// A key with its colon.
    Key,
    /// `${…}`.
    Reference,
}

/// The lines of a text, each cut into parts that together are the line.
pub fn parts(text: &str) -> Vec<Vec<(Part, &str)>> {
    text.split('\n').map(line_parts).collect()
}

fn line_parts(line: &str) -> Vec<(Part, &str)> {
    let comment = comment_start(line).unwrap_or(line.len());
    let (mut rest, comment) = line.split_at(comment);
    let mut parts = Vec::new();
    if let Some(colon) = key_end(rest) {
        let start = rest.find(|c: char| c != ' ' && c != '-').unwrap_or(0).min(colon);
        parts.push((Part::Plain, &rest[..start]));
        parts.push((Part::Key, &rest[start..colon]));
        rest = &rest[colon..];
    }
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        parts.push((Part::Plain, &rest[..start]));
        parts.push((Part::Reference, &rest[start..=start + length]));
        rest = &rest[start + length + 1..];
    }
    parts.push((Part::Plain, rest));
    parts.push((Part::Comment, comment));
    parts.retain(|(_, text)| !text.is_empty());
    parts
}

/// Where a comment begins: a `#` at the start or behind a space, outside quotes.
fn comment_start(line: &str) -> Option<usize> {
    let mut quote = None;
    let mut before = ' ';
    for (at, letter) in line.char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            // An apostrophe inside a word opens nothing.
            None if matches!(letter, '"' | '\'') && !before.is_alphanumeric() => quote = Some(letter),
            None if letter == '#' && before.is_whitespace() => return Some(at),
            None => {}
        }
        before = letter;
    }
    None
}

/// Where the key at the start of a line ends, its colon included.
fn key_end(line: &str) -> Option<usize> {
    let start = line.find(|c: char| c != ' ' && c != '-')?;
    if line[start..].starts_with(['"', '\'', '{', '[', '|', '>', '$']) {
        return None;
    }
    let colon = start + line[start..].find(':')?;
    let behind = line[colon + 1..].chars().next();
    behind.is_none_or(char::is_whitespace).then_some(colon + 1)
}

/// The place of a line and a column, both from 1, in UTF-16 units as browsers count them. What lies outside the text
/// is moved into it.
pub fn offset(text: &str, line: u32, column: u32) -> u32 {
    let mut units = 0;
    for (at, content) in text.split('\n').enumerate() {
        if at as u32 + 1 == line {
            let before = content.chars().take(column.saturating_sub(1) as usize);
            return units + before.map(|letter| letter.len_utf16() as u32).sum::<u32>();
        }
        units += content.chars().map(|letter| letter.len_utf16() as u32).sum::<u32>() + 1;
    }
    units.saturating_sub(1)
}

/// The spaces at the start of the line in which the cursor stands (counted in UTF-16 units), two more behind a colon.
pub fn indentation(text: &str, cursor: u32) -> String {
    let mut units = 0;
    let before: String = text
        .chars()
        .take_while(|letter| {
            units += letter.len_utf16() as u32;
            units <= cursor
        })
        .collect();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let mut indentation: String = line.chars().take_while(|letter| *letter == ' ').collect();
    if line.trim_end().ends_with(':') {
        indentation.push_str("  ");
    }
    indentation
}
