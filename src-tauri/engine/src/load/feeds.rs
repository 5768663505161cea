//! Files with values for requests: CSV with a head line, or JSON with an array of objects.

use std::{path::Path, sync::Arc};

use patchbay_contracts::{Code, Problem, integration::DataFeed};
use patchbay_load::script::Feed;
use serde_json::Value;

use crate::Result;

/// The largest file, in bytes.
const LARGEST: u64 = 256 << 20;
/// The most rows of a file.
const MOST_ROWS: usize = 2_000_000;
/// The most columns of a file.
const MOST_COLUMNS: usize = 1000;

/// A file that was read.
pub(super) struct Read {
    pub(super) columns: Vec<String>,
    pub(super) feed: Feed,
}

/// Reads a file in `folder`.
///
/// # Errors
/// A file that can't be read, is too large or has no rows; with the line where one is broken.
pub(super) fn read(folder: &Path, feed: &DataFeed) -> Result<Read> {
    let cannot = |why: String| Problem::new(Code::InvalidInput, format!("The data file `{}` can't be read", feed.file)).why(why);
    let path = folder.join(&feed.file);
    let length = std::fs::metadata(&path).map_err(|error| cannot(error.to_string()))?.len();
    if length > LARGEST {
        return Err(cannot(format!("it has {length} bytes, and at most {LARGEST} are read")));
    }
    let bytes = std::fs::read(&path).map_err(|error| cannot(error.to_string()))?;
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let is_json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| matches!(byte, b'[' | b'{'));
    let (columns, rows) = if is_json { json(bytes) } else { csv(bytes) }.map_err(cannot)?;
    if rows.is_empty() {
        return Err(cannot("it has no rows".to_owned()));
    }
    Ok(Read { columns, feed: Feed { rows: Arc::new(rows), order: feed.order } })
}

type Table = (Vec<String>, Vec<Vec<Arc<[u8]>>>);

fn csv(bytes: &[u8]) -> std::result::Result<Table, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(bytes);
    let columns: Vec<String> = reader.headers().map_err(|error| error.to_string())?.iter().map(str::to_owned).collect();
    if columns.len() > MOST_COLUMNS {
        return Err(format!("it has {} columns, and at most {MOST_COLUMNS} are read", columns.len()));
    }
    let mut rows = Vec::new();
    for record in reader.byte_records() {
        let record = record.map_err(|error| error.to_string())?;
        if rows.len() == MOST_ROWS {
            return Err(format!("it has more than {MOST_ROWS} rows"));
        }
        rows.push(record.iter().map(Arc::from).collect());
    }
    Ok((columns, rows))
}

fn json(bytes: &[u8]) -> std::result::Result<Table, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let Value::Array(items) = value else { return Err("JSON has to be an array of objects".to_owned()) };
    if items.len() > MOST_ROWS {
        return Err(format!("it has more than {MOST_ROWS} rows"));
    }
    let Some(Value::Object(first)) = items.first() else { return Err("JSON has to be an array of objects".to_owned()) };
    let columns: Vec<String> = first.keys().cloned().collect();
    let text = |value: &Value| -> Arc<[u8]> {
        match value {
            Value::String(text) => Arc::from(text.as_bytes()),
            other => Arc::from(other.to_string().into_bytes()),
        }
    };
    let mut rows = Vec::with_capacity(items.len());
    for (number, item) in items.iter().enumerate() {
        let row = columns.iter().map(|column| {
            let value = item.get(column).ok_or_else(|| format!("the object number {} has no `{column}`", number + 1))?;
            Ok(text(value))
        });
        rows.push(row.collect::<std::result::Result<_, String>>()?);
    }
    Ok((columns, rows))
}
