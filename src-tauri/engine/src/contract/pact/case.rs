//! A file with one case of the specification's form: read, and judged as a report shows it.

use std::path::Path;

use patchbay_contracts::{
    Code, Place, Problem,
    contract::{Check, CheckResult, EndpointResult},
    run::Verdict,
};
use serde_json::Value;

use super::matching::{PactSpecification, Part, match_case};
use crate::{
    Result,
    contract::document::{Document, MAX_BYTES, read_file},
};

/// The most of a body that a report holds, in bytes.
const BODY: usize = 64 * 1024;

/// Reads a file with one case; `shown` is the name by which it is told of. Its bytes come as well, for the places in it.
///
/// # Errors
/// [`Code::NotFound`] or [`Code::InvalidInput`] where it can't be read, [`Code::TooLarge`] beyond [`MAX_BYTES`], and
/// [`Code::InvalidDefinition`] with the place where it is not JSON.
pub fn read_case(path: &Path, shown: &str) -> Result<(Value, Vec<u8>)> {
    let (bytes, _) = read_file(path, shown)?;
    if bytes.len() > MAX_BYTES {
        return Err(Problem::new(Code::TooLarge, format!("`{shown}` is larger than a case may be"))
            .why(format!("at most {} MiB are read", MAX_BYTES >> 20)));
    }
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let case = serde_json::from_slice(text).map_err(|error| {
        let at = |number: usize| u32::try_from(number.max(1)).unwrap_or(u32::MAX);
        let place = Place { file: shown.to_owned(), line: at(error.line()), column: at(error.column()) };
        Problem::new(Code::InvalidDefinition, format!("`{shown}` can't be read"))
            .why(format!("it is not JSON: {error}"))
            .at(place)
    })?;
    Ok((case, bytes))
}

/// Judges the case of a file: what does not match, each with the place of what is expected, and a pass for each thing that
/// is expected and came.
///
/// # Errors
/// As [`read_case`] and [`match_case`].
pub(in crate::contract) async fn judge_case(
    path: &Path,
    shown: &str,
    specification: PactSpecification,
    part: Option<Part>,
) -> Result<EndpointResult> {
    let (case, bytes) = read_case(path, shown)?;
    let matched = match_case(&case, specification, part).await?;
    // A text that is read as a case may yet be none for the places, as with a key that stands twice.
    let document = Document::parse(shown, &bytes).ok();
    let place = |pointer: &str| document.as_ref().and_then(|document| document.place(pointer));
    let mut result = EndpointResult::new(shown);
    result.cases = 1;
    let expected = case.get("expected").unwrap_or(&Value::Null);
    for (check, name, message) in asked(matched.kind) {
        let about =
            |mismatch: &CheckResult| mismatch.check == *check || *check == Check::Body && mismatch.check == Check::ContentType;
        if expected.get(*name).is_some() && !matched.mismatches.iter().any(about) {
            let place = place(&format!("/expected/{name}"));
            result.checks.push(CheckResult { place, ..CheckResult::new(*check, Verdict::Pass, *message) });
        }
    }
    for mismatch in matched.mismatches {
        let place = place(&format!("/expected{}", below(expected, &mismatch)));
        result.checks.push(CheckResult { place, ..mismatch });
    }
    if result.checks.is_empty() {
        result.checks.push(CheckResult::new(Check::Body, Verdict::Pass, "Nothing is expected, and anything matches"));
    }
    result.conclude();
    if result.verdict == Verdict::Fail {
        let actual = case.get("actual").and_then(body).map(|(_, body)| body.to_string());
        result.body = actual.filter(|body| body.len() <= BODY);
    }
    Ok(result)
}

/// What may be expected of a part: what it is judged as, the key that it stands under, and the words for when it is met.
fn asked(part: Part) -> &'static [(Check, &'static str, &'static str)] {
    const METHOD: (Check, &str, &str) = (Check::Method, "method", "The method is as expected");
    const PATH: (Check, &str, &str) = (Check::Path, "path", "The path is as expected");
    const QUERY: (Check, &str, &str) = (Check::Query, "query", "The query is as expected");
    const STATUS: (Check, &str, &str) = (Check::Status, "status", "The status is as expected");
    const HEADERS: (Check, &str, &str) = (Check::Header, "headers", "The headers are as expected");
    const BODY: (Check, &str, &str) = (Check::Body, "body", "The body matches what is expected");
    const METADATA: &str = "The metadata is as expected";
    match part {
        Part::Request => &[METHOD, PATH, QUERY, HEADERS, BODY],
        Part::Response => &[STATUS, HEADERS, BODY],
        Part::Message => &[
            (Check::Metadata, "metaData", METADATA),
            (Check::Metadata, "metadata", METADATA),
            (Check::Body, "contents", "The message matches what is expected"),
        ],
    }
}

/// The body of one side of a case, with its pointer in that side. Version 4 says of what type it is around it.
fn body(side: &Value) -> Option<(String, &Value)> {
    let (name, body) = ["contents", "body"].into_iter().find_map(|name| Some((name, side.get(name)?)))?;
    match body.get("content").filter(|_| body.get("contentType").is_some()) {
        Some(content) => Some((format!("/{name}/content"), content)),
        None => Some((format!("/{name}"), body)),
    }
}

/// Where in what is expected a mismatch is asked for.
fn below(expected: &Value, mismatch: &CheckResult) -> String {
    let name = match mismatch.check {
        Check::Method => "/method",
        Check::Path => "/path",
        Check::Query => "/query",
        Check::Status => "/status",
        Check::Header => "/headers",
        Check::Metadata if expected.get("metaData").is_some() => "/metaData",
        Check::Metadata => "/metadata",
        _ => {
            let at = body(expected).map(|(at, _)| at).unwrap_or_default();
            let pointer = mismatch.pointer.as_deref().filter(|pointer| pointer.starts_with('/')).unwrap_or_default();
            return format!("{at}{pointer}");
        }
    };
    name.to_owned()
}
