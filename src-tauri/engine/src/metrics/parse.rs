//! From bytes to a report.

use patchbay_contracts::{Code, Problem, metrics::ScrapeReport};

use super::{document::Document, line::Dialect, openmetrics, text};

/// The most bytes of a document.
pub const MAX_BYTES: usize = 64 << 20;
/// The most bytes of a line.
pub const MAX_LINE: usize = 256 << 10;
/// The most lines of a document, comments and empty ones included.
pub const MAX_LINES: usize = 1_000_000;
/// The most labels of a sample.
pub const MAX_LABELS: usize = 256;
/// The most samples of a document.
pub const MAX_SAMPLES: usize = 200_000;
/// The most families of a document.
pub const MAX_FAMILIES: usize = 100_000;
/// The most mistakes that are listed one by one.
pub const MAX_PROBLEMS: usize = 100;

/// Reads metrics: OpenMetrics 1.0 strictly as its specification says, or Prometheus text 0.0.4 with the tolerance that
/// Prometheus has.
///
/// The content type decides which of them it is. Where it doesn't say, a line `# EOF` does, unless the document declares
/// counters in the way that only the text format allows: some services end a text document with that line as well.
///
/// The report's `at` is 0, for the caller to set. What can't be read is a problem with `source`, line and column; the
/// rest is read all the same. A document of OpenMetrics that has a problem is one that the specification refuses.
pub fn parse(source: &str, content_type: Option<&str>, bytes: &[u8]) -> ScrapeReport {
    let mut report = ScrapeReport {
        source: source.to_owned(),
        at: 0,
        duration_ms: None,
        bytes: bytes.len() as u64,
        families: Vec::new(),
        samples: 0,
        problems: Vec::new(),
    };
    if let Some(problem) = foreign(source, content_type, bytes) {
        report.problems.push(problem);
        return report;
    }
    let mut document = Document::new(source);
    match dialect(content_type, bytes) {
        Dialect::OpenMetrics => openmetrics::read(&mut document, bytes),
        Dialect::Text => text::read(&mut document, bytes),
    }
    (report.families, report.samples, report.problems) = document.finish();
    report
}

/// What is no text of metrics at all, and is better named than complained of line by line.
fn foreign(source: &str, content_type: Option<&str>, bytes: &[u8]) -> Option<Problem> {
    if bytes.len() > MAX_BYTES {
        let what = format!("{source} has {} bytes, more than {} MiB", bytes.len(), MAX_BYTES >> 20);
        return Some(Problem::new(Code::TooLarge, what).next("Expose fewer series, or split them over several addresses"));
    }
    let start = &bytes[..bytes.len().min(512)];
    let trimmed = start.trim_ascii_start();
    let media_type = content_type.unwrap_or_default().to_ascii_lowercase();
    let what = if trimmed.starts_with(b"<") || media_type.starts_with("text/html") {
        "an HTML or XML page"
    } else if media_type.contains("protobuf") {
        "Prometheus's binary format"
    } else if trimmed.starts_with(b"[") || (trimmed.starts_with(b"{") && serde_json::from_slice::<AnyJson>(bytes).is_ok()) {
        "a JSON document"
    } else if start.contains(&0) && !media_type.starts_with("text/") && std::str::from_utf8(start).is_err() {
        "binary data"
    } else {
        return None;
    };
    let first = String::from_utf8_lossy(trimmed).lines().next().unwrap_or_default().chars().take(80).collect::<String>();
    Some(
        Problem::new(Code::BadResponse, format!("{source} gave {what} where metrics in text were expected"))
            .why(if what == "a JSON document" || what.starts_with("an HTML") {
                format!("it begins with `{first}`")
            } else {
                String::new()
            })
            .next("Check the address; most services expose metrics under /metrics"),
    )
}

type AnyJson = serde::de::IgnoredAny;

fn dialect(content_type: Option<&str>, bytes: &[u8]) -> Dialect {
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    if content_type.starts_with("application/openmetrics-text") {
        return Dialect::OpenMetrics;
    }
    if content_type.starts_with("text/plain") && content_type.contains("version=") {
        return Dialect::Text;
    }
    let marked = bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"# EOF"));
    if marked && !has_text_counters(bytes) { Dialect::OpenMetrics } else { Dialect::Text }
}

/// Whether a counter is declared as `x_total` and has a sample of just that name. In OpenMetrics the family is `x`.
fn has_text_counters(bytes: &[u8]) -> bool {
    let mut declared: Option<&[u8]> = None;
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Some(name) = line.strip_prefix(b"# TYPE ").and_then(|rest| rest.strip_suffix(b" counter")) {
            declared = Some(name).filter(|name| name.ends_with(b"_total"));
        } else if let Some(rest) = declared.and_then(|name| line.strip_prefix(name))
            && matches!(rest.first(), Some(b' ' | b'{'))
        {
            return true;
        }
    }
    false
}
