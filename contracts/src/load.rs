//! What a service does under load.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, integration::LoadSpec, run::Verdict};

/// What a load run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadReport {
    /// The integration or the address.
    pub target: String,
    /// `GET http://…`, with secrets as `‹secret:NAME›`.
    pub request: String,
    /// What was asked for, with the defaults filled in.
    pub spec: LoadSpec,
    /// When it began.
    pub at: Timestamp,
    /// The measured time, warm-up left out.
    pub duration_ms: f64,
    /// Pass: the thresholds held. Fail: one did not. Inconclusive: the generator was the bottleneck, or too little came.
    pub verdict: Verdict,
    /// Whether it was cancelled, and the figures are those up to then.
    pub partial: bool,
    /// Counts and rates.
    pub totals: LoadTotals,
    /// Latency of answered requests: from the intended send in an open workload, from the send in a closed one. A
    /// request that was given up, or had no answer at the end, counts with the time that it had waited.
    pub latency: Quantiles,
    /// How late the generator itself was with a request after its intended time; what a request then waited for a
    /// free connection is the service's doing and isn't in it. Open workloads only.
    #[serde(default)]
    pub schedule_lag: Option<Quantiles>,
    /// Answers by status.
    pub statuses: Vec<(u16, u64)>,
    /// Failures by kind, each with a first example.
    pub errors: Vec<LoadError>,
    /// The run, second by second. The last slice is shorter where the duration isn't in whole seconds, and has the
    /// answers of the half second after the end; slices after it have later ones.
    pub timeline: Vec<LoadSlice>,
    /// The thresholds and how they came out.
    pub thresholds: Vec<ThresholdResult>,
    /// What the figures can and can't vouch for, in words.
    pub notes: Vec<String>,
    /// The latency histogram: upper bound in milliseconds and count, empty buckets left out.
    #[serde(default)]
    pub histogram: Vec<(f64, u64)>,
}

/// Counts and rates of a load run.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct LoadTotals {
    /// Requests that were sent.
    pub sent: u64,
    /// Requests that were answered, whatever the status.
    pub answered: u64,
    /// Requests that failed, a status of 400 or more included.
    pub failed: u64,
    /// Requests that were in flight at the end, or still waited for their connection, and were never answered.
    pub unanswered: u64,
    /// Arrivals that could not be started in time since all connections were taken; open workloads only.
    pub dropped: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Answers a second that came within the measured time.
    pub rate: f64,
    /// The rate that was asked for; open workloads only.
    #[serde(default)]
    pub target_rate: Option<f64>,
    /// Failures and dropped arrivals over all that ended, from 0 to 1.
    pub error_share: f64,
    /// Connections that were opened, those of the warm-up included.
    pub connects: u64,
}

/// A distribution in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the quantiles")]
pub struct Quantiles {
    pub count: u64,
    pub min_ms: f64,
    pub mean_ms: f64,
    pub p50_ms: f64,
    pub p75_ms: f64,
    pub p90_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub p9999_ms: f64,
    pub max_ms: f64,
}

/// Failures of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadError {
    /// The kind: `refused`, `reset`, `unreachable`, `timeout connect`, `timeout response`, `tls`, `parse`, `closed`,
    /// `local`, `other` or `status 503`.
    pub kind: String,
    /// How many.
    pub count: u64,
    /// The first of them.
    pub example: String,
}

/// One second of a run.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct LoadSlice {
    /// Seconds since the run began; the slice covers the second that ends here.
    pub second: u32,
    /// Requests sent in it.
    pub sent: u64,
    /// Answers in it.
    pub answered: u64,
    /// Failures in it.
    pub failed: u64,
    /// Requests in flight at its end.
    pub in_flight: u64,
    /// Median latency of its answers; 0 where there is none.
    pub p50_ms: f64,
    /// 95th percentile.
    pub p95_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// The largest.
    pub max_ms: f64,
    /// Whether it belongs to the warm-up.
    #[serde(default)]
    pub warm_up: bool,
}

/// A threshold and how it came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdResult {
    /// As it was written.
    pub text: String,
    /// Whether it held.
    pub verdict: Verdict,
    /// What was measured, with its unit.
    pub actual: String,
}

/// How far a load run is; at most ten a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadProgress {
    /// Milliseconds since the start.
    pub elapsed_ms: f64,
    /// Milliseconds in all.
    pub total_ms: f64,
    /// Counts so far.
    pub totals: LoadTotals,
    /// Latency so far.
    pub latency: Quantiles,
    /// Seconds that were completed since the last progress.
    pub new_slices: Vec<LoadSlice>,
}
