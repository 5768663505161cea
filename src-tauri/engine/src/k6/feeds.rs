//! Files that an integration brings along: values for requests, and bodies.

use std::path::{Component, Path};

use patchbay_contracts::{Code, Problem, integration::DataFeed};
use serde_json::{Map, Value};

use super::{Files, unsupported};
use crate::Result;

/// The largest file that goes into a script, in bytes.
const LARGEST: u64 = 8 << 20;

/// A data file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Feed {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Value>,
}

/// Reads a file beside the integration's.
///
/// # Errors
/// [`Code::Workspace`] where it can't be read, [`Code::InvalidDefinition`] where it lies outside of the folder,
/// [`Code::TooLarge`] beyond 8 MiB.
pub(super) fn file(files: &Files, name: &str) -> Result<Vec<u8>> {
    let outside = || {
        Problem::new(Code::InvalidDefinition, format!("The file `{name}` lies outside of the workspace"))
            .next("Put it beside the integration's file, and name it relative to that")
    };
    let path = Path::new(name);
    if !path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir | Component::ParentDir)) {
        return Err(outside());
    }
    let cannot =
        |error: std::io::Error| Problem::new(Code::Workspace, format!("The file `{name}` can't be read")).why(error.to_string());
    let folder = files.folder.canonicalize().map_err(cannot)?;
    let beside = files.file.parent().unwrap_or_else(|| Path::new(""));
    let path = folder.join(beside).join(path).canonicalize().map_err(cannot)?;
    if !path.starts_with(&folder) {
        return Err(outside());
    }
    let length = path.metadata().map_err(cannot)?.len();
    if length > LARGEST {
        return Err(Problem::new(Code::TooLarge, format!("The file `{name}` has {length} bytes"))
            .why(format!("a script takes in at most {} MiB of a file", LARGEST >> 20)));
    }
    std::fs::read(&path).map_err(cannot)
}

/// Reads a data file: CSV (RFC 4180) with a head line, or JSON with an array of objects.
pub(super) fn read(files: &Files, feed: &DataFeed) -> Result<Feed> {
    let name = &feed.file;
    let text = String::from_utf8(file(files, name)?).map_err(|_| broken(name, "it is not UTF-8"))?;
    let text = text.trim_start_matches('\u{feff}');
    let read = if text.trim_start().starts_with('[') { json(name, text)? } else { csv(name, text)? };
    if read.rows.is_empty() {
        return Err(broken(name, "it has no rows"));
    }
    Ok(read)
}

fn broken(name: &str, why: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidDefinition, format!("The data file `{name}` can't be used")).why(why)
}

fn json(name: &str, text: &str) -> Result<Feed> {
    let rows: Vec<Map<String, Value>> = serde_json::from_str(text)
        .map_err(|error| broken(name, format!("line {}: an array of objects is expected", error.line())))?;
    let mut columns: Vec<String> = Vec::new();
    for column in rows.iter().flat_map(Map::keys) {
        if !columns.contains(column) {
            columns.push(column.clone());
        }
    }
    // Values are texts in requests, as those of CSV are.
    let texts = rows.into_iter().map(|row| {
        let texts = columns.iter().map(|column| {
            let text = match row.get(column) {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            (column.clone(), Value::String(text))
        });
        Value::Object(texts.collect())
    });
    Ok(Feed { rows: texts.collect(), columns })
}

fn csv(name: &str, text: &str) -> Result<Feed> {
    let mut lines = records(name, text)?.into_iter();
    let (_, columns) = lines.next().ok_or_else(|| broken(name, "it has no head line"))?;
    let columns: Vec<String> = columns.iter().map(|column| column.trim().to_owned()).collect();
    if columns.iter().any(String::is_empty) {
        return Err(broken(name, "a column of the head line has no name"));
    }
    let rows = lines.map(|(line, fields)| {
        if fields.len() != columns.len() {
            let why = format!("line {line} has {} fields, and the head line has {}", fields.len(), columns.len());
            return Err(broken(name, why));
        }
        Ok(Value::Object(columns.iter().cloned().zip(fields.into_iter().map(Value::String)).collect()))
    });
    Ok(Feed { rows: rows.collect::<Result<_>>()?, columns })
}

/// The records, each with the number of its first line; lines without anything are passed over.
fn records(name: &str, text: &str) -> Result<Vec<(usize, Vec<String>)>> {
    let mut records = Vec::new();
    let (mut fields, mut field, mut quoted, mut was_quoted) = (Vec::new(), String::new(), false, false);
    let (mut line, mut began) = (1, 1);
    let mut chars = text.chars().peekable();
    loop {
        let c = chars.next();
        if c == Some('\n') {
            line += 1;
        }
        match c {
            None if quoted => return Err(broken(name, format!("a quote of line {began} is not closed"))),
            Some('"') if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            Some('"') if quoted => quoted = false,
            Some(c) if quoted => field.push(c),
            Some('"') if field.is_empty() && !was_quoted => (quoted, was_quoted) = (true, true),
            Some(',') => {
                fields.push(std::mem::take(&mut field));
                was_quoted = false;
            }
            Some('\r') if chars.peek() == Some(&'\n') => {}
            None | Some('\n') => {
                if !fields.is_empty() || !field.is_empty() || was_quoted {
                    fields.push(std::mem::take(&mut field));
                    records.push((began, std::mem::take(&mut fields)));
                }
                (was_quoted, began) = (false, line);
                if c.is_none() {
                    return Ok(records);
                }
            }
            Some(c) => field.push(c),
        }
    }
}

/// A body from a file as an expression: a text where it is one.
pub(super) fn body(files: &Files, name: &str) -> Result<String> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let bytes = file(files, name)?;
    if bytes.is_empty() {
        return Err(unsupported(format!("The file `{name}`, which is to be sent, is empty")));
    }
    Ok(match String::from_utf8(bytes) {
        Ok(text) => super::js::string(&text),
        Err(other) => format!("encoding.b64decode({})", super::js::string(&STANDARD.encode(other.as_bytes()))),
    })
}
