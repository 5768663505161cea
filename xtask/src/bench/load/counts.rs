//! What each load generator says that it did.

use serde_json::Value;

/// The count of a run, by the tool itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counts {
    /// Requests that were answered, whatever the status.
    pub completed: u64,
    /// Requests that failed, by their status or without any.
    pub errors: u64,
    /// Seconds for which it put load on the server, as it measured them.
    pub seconds: f64,
}

/// What k6 runs. What it would print by itself is for a person, so it prints what is needed as JSON.
pub const K6_SCRIPT: &str = "\
import http from 'k6/http';
export const options = { discardResponseBodies: true };
export default function () { http.get(__ENV.ADDRESS); }
export function handleSummary(data) {
  const { http_reqs, http_req_failed } = data.metrics;
  const seconds = data.state.testRunDurationMs / 1000;
  return { stdout: JSON.stringify({ requests: http_reqs.values.count, failed: http_req_failed.values.passes, seconds }) };
}
";

/// Of `patchbay --json load`.
pub fn patchbay(stdout: &str) -> Option<Counts> {
    let run: Value = serde_json::from_str(stdout).ok()?;
    let (report, totals) = (&run["report"], &run["report"]["totals"]);
    let seconds = report["duration_ms"].as_f64()? / 1000.0;
    Some(Counts { completed: totals["answered"].as_u64()?, errors: totals["failed"].as_u64()?, seconds })
}

/// Of wrk, where lines on errors are there only if there were any:
///
/// ```text
///   186142 requests in 2.00s, 13.14MB read
///   Socket errors: connect 0, read 3, write 0, timeout 0
///   Non-2xx or 3xx responses: 12
/// ```
pub fn wrk(stdout: &str) -> Option<Counts> {
    let mut lines = stdout.lines().map(str::trim);
    let (completed, rest) = lines.clone().find_map(|line| line.split_once(" requests in "))?;
    let socket = lines.clone().find_map(|line| line.strip_prefix("Socket errors: ")).unwrap_or_default();
    let status = lines.find_map(|line| line.strip_prefix("Non-2xx or 3xx responses: ")).unwrap_or("0");
    let socket: u64 = socket.split([' ', ',']).filter_map(|word| word.parse::<u64>().ok()).sum();
    Some(Counts {
        completed: completed.parse().ok()?,
        errors: socket + status.parse::<u64>().ok()?,
        seconds: seconds(rest.split(',').next()?)?,
    })
}

/// Of `oha --output-format json`. Requests that the end of the time cut off are no errors.
pub fn oha(stdout: &str) -> Option<Counts> {
    let report: Value = serde_json::from_str(stdout).ok()?;
    let sum = |of: &str, counts: &dyn Fn(&str) -> bool| -> Option<u64> {
        let entries = report[of].as_object()?.iter();
        Some(entries.filter(|(name, _)| counts(name)).filter_map(|(_, count)| count.as_u64()).sum())
    };
    let failed = sum("statusCodeDistribution", &|status| status >= "400")?;
    let errors = sum("errorDistribution", &|error| error != "aborted due to deadline")?;
    Some(Counts {
        completed: sum("statusCodeDistribution", &|_| true)?,
        errors: errors + failed,
        seconds: report["summary"]["total"].as_f64()?,
    })
}

/// Of hey, which keeps a million answers at most and counts all in its rate:
///
/// ```text
///   Total:        2.0013 secs
///   Requests/sec: 29373.7155
/// Status code distribution:
///   [200] 58786 responses
/// Error distribution:
///   [4]   Get "http://127.0.0.1:8000/": EOF
/// ```
pub fn hey(stdout: &str) -> Option<Counts> {
    let field = |name: &str| stdout.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim);
    let seconds: f64 = field("Total:")?.strip_suffix(" secs")?.parse().ok()?;
    let rate: f64 = field("Requests/sec:")?.parse().ok()?;
    let bracketed = |line: &str| -> Option<(u64, String)> {
        let (number, rest) = line.trim().strip_prefix('[')?.split_once(']')?;
        Some((number.parse().ok()?, rest.trim().to_owned()))
    };
    let lines: Vec<(u64, String)> = stdout.lines().filter_map(bracketed).collect();
    let answers = |rest: &str| rest.strip_suffix(" responses").and_then(|count| count.parse::<u64>().ok());
    let failed: u64 = lines.iter().filter(|(status, _)| *status >= 400).filter_map(|(_, rest)| answers(rest)).sum();
    let errors: u64 = lines.iter().filter(|(_, rest)| answers(rest).is_none()).map(|(count, _)| count).sum();
    let all = (rate * seconds).round() as u64;
    Some(Counts { completed: all.saturating_sub(errors), errors: errors + failed, seconds })
}

/// Of k6 with our script.
pub fn k6(stdout: &str) -> Option<Counts> {
    let report: Value = serde_json::from_str(stdout.trim()).ok()?;
    let errors = report["failed"].as_u64()?;
    Some(Counts { completed: report["requests"].as_u64()?, errors, seconds: report["seconds"].as_f64()? })
}

/// Of h2load, whose rate is of the time that it was told, and whose first line has the time until everything was closed:
///
/// ```text
/// finished in 2.12s, 80213.50 req/s, 3.21MB/s
/// requests: 160427 total, 160491 started, 160427 done, 160427 succeeded, 0 failed, 0 errored, 0 timeout
/// ```
pub fn h2load(stdout: &str) -> Option<Counts> {
    let parts = |name: &str| stdout.lines().find_map(|line| line.strip_prefix(name)).map(|line| line.split(", "));
    let requests = parts("requests: ")?;
    let count = |name: &str| requests.clone().find_map(|part| part.strip_suffix(name))?.trim().parse::<u64>().ok();
    let rate: f64 = parts("finished in ")?.find_map(|part| part.strip_suffix(" req/s"))?.parse().ok()?;
    let completed = count("done")?;
    // Those that timed out or broke off are among the failed.
    Some(Counts { completed, errors: count("failed")?, seconds: completed as f64 / rate })
}

/// `250.13ms`, `2.00s`, `1.50m` or `1.00h` as seconds.
fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    digits.parse::<f64>().ok().map(|number| number * unit)
}
