//! What a service does under load.

mod told;

use serde::{Deserialize, Serialize};

pub use told::{Told, planned};

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
    /// The latency histogram whole, in nanoseconds: HdrHistogram's V2 encoding, compressed, in Base64.
    #[serde(default)]
    pub hdr: String,
    /// The same for even parts of the measured time, at most 60 of them, for comparisons with other runs.
    #[serde(default)]
    pub windows: Vec<String>,
    /// Each endpoint by itself, where there are several.
    #[serde(default)]
    pub endpoints: Vec<EndpointLoad>,
    /// Where the time of requests and connections went.
    #[serde(default)]
    pub phases: Phases,
    /// What the generator says of itself.
    #[serde(default)]
    pub generator: Generator,
    /// How it compares with a run before.
    #[serde(default)]
    pub comparison: Option<Comparison>,
}

/// What one endpoint of a mix or a chain did.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EndpointLoad {
    /// Its name.
    pub name: String,
    /// Requests that were sent.
    pub sent: u64,
    /// Requests that were answered, whatever the status.
    pub answered: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Latency, as that of the whole run.
    pub latency: Quantiles,
}

/// Where the time of requests and connections went. TLS and connecting are of connections, the first byte of requests.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Phases {
    /// What it took to resolve the host, once, before the start.
    pub dns_ms: f64,
    /// TCP handshakes.
    pub connect: Quantiles,
    /// TLS handshakes.
    pub tls: Quantiles,
    /// From the send of a request to the first byte of its answer.
    pub first_byte: Quantiles,
}

/// What the generator says of itself, so that a figure of its own making isn't taken for one of the service.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Generator {
    /// Arrivals that were started over those that were due; open workloads only.
    #[serde(default)]
    pub achieved: Option<f64>,
    /// By how much Little's law is off: the mean number in flight, as observed, and the product of rate and mean latency,
    /// their difference over the larger of them. Near 0 where everything was counted.
    #[serde(default)]
    pub littles_law_residual: Option<f64>,
    /// The mean number of requests and waiting arrivals, as observed.
    #[serde(default)]
    pub concurrency: f64,
    /// The share of time that the busiest thread had left, from 0 to 1.
    #[serde(default)]
    pub headroom: Option<f64>,
    /// How often it stood still.
    pub stalls: u64,
    /// For how long at the longest.
    pub longest_stall_ms: f64,
    /// Threads that sent requests.
    pub threads: u32,
    /// Whether it held the figures back, so that nothing passes.
    pub bottleneck: bool,
    /// The clock that times are of.
    #[serde(default)]
    pub clock: String,
    /// What happens to requests that have no answer at the end.
    #[serde(default)]
    pub drain: String,
}

/// How a run compares with one before.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Comparison {
    /// The run before.
    pub baseline: i64,
    /// The test, with its level, in words.
    pub test: String,
    /// Each figure that was compared.
    pub figures: Vec<ComparedFigure>,
    /// Why there are none.
    #[serde(default)]
    pub problem: Option<String>,
}

/// One figure of two runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ComparedFigure {
    /// `p50`, `p90`, `p95`, `p99`, `p99.9`, `errors` or `rate`.
    pub name: String,
    /// Before: milliseconds, a share from 0 to 1, or answers a second.
    pub before: f64,
    /// Now.
    pub now: f64,
    /// How likely so large a difference is where there is none.
    pub p_value: f64,
    /// What it comes to.
    pub change: Change,
}

/// What a difference between two runs comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// None that could be told from chance.
    #[default]
    Same,
    /// Better than before.
    Better,
    /// Worse than before.
    Worse,
    /// Too little was measured to tell.
    Unknown,
}

impl LoadReport {
    /// A report of a run in which nothing was measured yet.
    pub fn new(target: impl Into<String>, request: impl Into<String>, spec: LoadSpec) -> Self {
        Self {
            target: target.into(),
            request: request.into(),
            spec,
            at: 0,
            duration_ms: 0.0,
            verdict: Verdict::Inconclusive,
            partial: false,
            totals: LoadTotals::default(),
            latency: Quantiles::default(),
            schedule_lag: None,
            statuses: Vec::new(),
            errors: Vec::new(),
            timeline: Vec::new(),
            thresholds: Vec::new(),
            notes: Vec::new(),
            histogram: Vec::new(),
            hdr: String::new(),
            windows: Vec::new(),
            endpoints: Vec::new(),
            phases: Phases::default(),
            generator: Generator::default(),
            comparison: None,
        }
    }
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
    /// Iterations that came to their end: rounds of a chain, and requests otherwise.
    #[serde(default)]
    pub iterations: u64,
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
    /// `local`, `assertion`, `other` or `status 503`.
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
    /// Connections that were open at its end.
    #[serde(default)]
    pub connections: u64,
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
    /// Failures so far by kind, the most frequent first.
    #[serde(default)]
    pub errors: Vec<LoadError>,
    /// Seconds that were completed since the last progress.
    pub new_slices: Vec<LoadSlice>,
}
