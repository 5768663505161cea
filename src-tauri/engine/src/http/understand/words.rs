//! A command line of a POSIX shell (or of Windows' own, with carets) taken apart into words.

use patchbay_contracts::{Code, Problem};

use crate::Result;

/// The words of the first command of a line, and what follows it: a pipe, a redirection, another command.
pub(super) fn words(line: &str) -> Result<(Vec<String>, Option<String>)> {
    let line = without_carets(line);
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            c if c.is_whitespace() => {
                words.extend(word.take());
                // A command ends with its line; a shell that asks for more has a backslash before.
                if c == '\n' && !words.is_empty() && !line[at..].trim().is_empty() && !continues(&line[at..]) {
                    return Ok((words, Some(line[at..].trim().to_owned())));
                }
            }
            '\\' => match rest.next() {
                // A backslash at the end of a line joins the next one; some pasted lines have blanks behind it.
                Some((_, '\n')) | None => {}
                Some((_, '\r')) => {
                    rest.next_if(|(_, c)| *c == '\n');
                }
                Some((_, blank @ (' ' | '\t'))) => {
                    let end = line[at + 1..].find('\n').map(|end| at + 1 + end);
                    match end {
                        Some(end) if line[at + 1..end].trim().is_empty() => {
                            while rest.next_if(|(next, _)| *next <= end).is_some() {}
                        }
                        _ => word.get_or_insert_default().push(blank),
                    }
                }
                Some((_, escaped)) => word.get_or_insert_default().push(escaped),
            },
            '\'' => single(&mut rest, word.get_or_insert_default())?,
            '"' => double(&mut rest, word.get_or_insert_default())?,
            '$' if rest.next_if(|(_, c)| *c == '\'').is_some() => ansi(&mut rest, word.get_or_insert_default())?,
            '#' if word.is_none() && !words.is_empty() => {
                let end = line[at..].find('\n').map_or(line.len(), |end| at + end);
                while rest.next_if(|(next, _)| *next < end).is_some() {}
            }
            // An address is often pasted without quotes, so that these end a command only where they stand apart.
            '|' | ';' | '>' | '<' | '&' if word.is_none() => return Ok((words, Some(line[at..].trim().to_owned()))),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok((words, None))
}

type Rest<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

/// Whether what follows the end of a line goes on with options, as when the backslashes were lost.
fn continues(after: &str) -> bool {
    after.trim_start().starts_with('-')
}

fn unclosed(quote: &str) -> Problem {
    Problem::new(Code::InvalidInput, format!("A {quote} in the curl line is not closed")).next("Paste the whole line")
}

fn single(rest: &mut Rest<'_>, word: &mut String) -> Result<()> {
    for (_, c) in rest {
        if c == '\'' {
            return Ok(());
        }
        word.push(c);
    }
    Err(unclosed("single quote"))
}

fn double(rest: &mut Rest<'_>, word: &mut String) -> Result<()> {
    while let Some((_, c)) = rest.next() {
        match c {
            '"' => return Ok(()),
            '\\' => match rest.next() {
                Some((_, '\n')) => {}
                // Within double quotes a backslash is itself before anything else.
                Some((_, c @ ('"' | '\\' | '$' | '`'))) => word.push(c),
                Some((_, c)) => {
                    word.push('\\');
                    word.push(c);
                }
                None => break,
            },
            c => word.push(c),
        }
    }
    Err(unclosed("double quote"))
}

/// `$'…'`, with the escapes of C.
fn ansi(rest: &mut Rest<'_>, word: &mut String) -> Result<()> {
    // Escapes of single bytes may make up a character together.
    let mut bytes: Vec<u8> = Vec::new();
    while let Some((_, c)) = rest.next() {
        let plain = match c {
            '\'' => {
                word.push_str(&String::from_utf8_lossy(&bytes));
                return Ok(());
            }
            '\\' => match rest.next().map(|(_, c)| c) {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('a') => '\u{7}',
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('v') => '\u{b}',
                Some('e' | 'E') => '\u{1b}',
                Some('x') => match number(rest, 16, 2) {
                    Some(byte) => {
                        bytes.push(byte as u8);
                        continue;
                    }
                    None => 'x',
                },
                Some('u') => number(rest, 16, 4).and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER),
                Some('U') => number(rest, 16, 8).and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER),
                Some(other) => other,
                None => break,
            },
            c => c,
        };
        bytes.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Err(unclosed("$' quote"))
}

fn number(rest: &mut Rest<'_>, radix: u32, most: usize) -> Option<u32> {
    let mut value = None;
    for _ in 0..most {
        let Some((_, digit)) = rest.next_if(|(_, c)| c.is_digit(radix)) else { break };
        value = Some(value.unwrap_or(0_u32).checked_mul(radix)? + digit.to_digit(radix)?);
    }
    value
}

/// A line as Windows' command prompt has it, made into one of a POSIX shell: a caret before a character takes its meaning
/// away, and one at the end of a line joins the next. Browsers copy it with `^"` for every quote.
fn without_carets(line: &str) -> String {
    let windows = line.contains("^\"") || line.contains("^\n") || line.contains("^\r\n");
    if !windows {
        return line.to_owned();
    }
    let mut text = String::with_capacity(line.len());
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '^' => match rest.next() {
                Some('\n') => text.push(' '),
                Some('\r') => {
                    rest.next_if_eq(&'\n');
                    text.push(' ');
                }
                Some(other) => text.push(other),
                None => {}
            },
            c => text.push(c),
        }
    }
    text
}
