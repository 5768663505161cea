//! What `patchbay load` takes.

use std::{path::PathBuf, str::FromStr};

use clap::{Args, ValueHint};
use patchbay_contracts::{
    integration::{DataFeed, FeedOrder, Level, SpanRange, Stage, Weighted},
    units::{Rate, Span},
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay load orders                                          (as its file says)
  patchbay load http://127.0.0.1:8617/health --connections 32 --duration 10s
  patchbay load orders/'list orders' --rate 200/s --duration 30s --threshold 'p95 < 500ms' --threshold 'errors < 1%'
  patchbay load orders --stage 200/s:30s --stage 200/s:1m --stage 0/s:10s --spacing poisson
  patchbay load orders --mix 'list orders=9' --mix 'create order' --connections 20
  patchbay load orders --chain login --chain 'create order' --data users.csv --iterations 500
  patchbay load orders --baseline 42 --threshold 'create order: p99 < 1s over 10s' --abort-after 20s
  patchbay load orders --export k6=orders.js                    (the same plan for k6, which is not run here)
  patchbay load orders --export k6-operator=orders.yaml --parallelism 4
  patchbay load orders --from-k6 summary.json                   (what k6 found, as a run)")]
pub(crate) struct LoadArguments {
    /// NAME, NAME/ENDPOINT, an address, or a file that defines an integration
    pub(crate) target: String,
    /// Start so many iterations in a time, whatever the service does
    #[arg(long, value_name = "R")]
    pub(crate) rate: Option<Rate>,
    /// So many connections at once; with --rate or stages of rates, the most
    #[arg(long, value_name = "N")]
    pub(crate) connections: Option<u32>,
    /// A stage: the rate (200/s) or the number of connections (50) that it leads to, and how long it takes; may be repeated
    #[arg(long = "stage", value_name = "LEVEL:D", value_parser = stage)]
    pub(crate) stages: Vec<Stage>,
    /// How long
    #[arg(long, value_name = "D")]
    pub(crate) duration: Option<Span>,
    /// End after so many iterations, if not before
    #[arg(long, value_name = "N")]
    pub(crate) iterations: Option<u64>,
    /// How arrivals are spaced: even or poisson
    #[arg(long, value_name = "HOW", value_parser = ["even", "poisson"])]
    pub(crate) spacing: Option<String>,
    /// How long a user waits between an answer and its next request, such as 1s or 500ms..2s
    #[arg(long, value_name = "D")]
    pub(crate) think_time: Option<SpanRange>,
    /// How fast connections are opened at the start
    #[arg(long, value_name = "R")]
    pub(crate) connect_rate: Option<Rate>,
    /// One endpoint of several that are called by weight, 1 without one; may be repeated
    #[arg(long, value_name = "ENDPOINT[=WEIGHT]", value_parser = weighted, conflicts_with = "chain")]
    pub(crate) mix: Vec<Weighted>,
    /// One endpoint of several that each user calls in order, with what they capture; may be repeated
    #[arg(long, value_name = "ENDPOINT")]
    pub(crate) chain: Vec<String>,
    /// A CSV or JSON file whose columns are values for requests: ${column}; may be repeated
    #[arg(long, value_name = "FILE[:ORDER]", value_parser = data)]
    pub(crate) data: Vec<DataFeed>,
    /// The first part of the run, left out of the figures
    #[arg(long, value_name = "D")]
    pub(crate) warm_up: Option<Span>,
    /// The longest that one request may take
    #[arg(long, value_name = "D")]
    pub(crate) timeout: Option<Span>,
    /// Speak HTTP/2; without TLS it is taken for granted that the service does
    #[arg(long, conflicts_with = "websocket")]
    pub(crate) http2: bool,
    /// Speak WebSocket: the endpoint's body is the message, and the next message that comes is its answer
    #[arg(long)]
    pub(crate) websocket: bool,
    /// Over HTTP/2: requests that are under way at once on each connection
    #[arg(long, value_name = "N")]
    pub(crate) streams: Option<u32>,
    /// A new connection for each request
    #[arg(long)]
    pub(crate) no_keep_alive: bool,
    /// A whole TLS handshake on each connection
    #[arg(long)]
    pub(crate) no_session_reuse: bool,
    /// What random choices are made from; the same seed makes the same ones
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// What must hold at the end, such as 'p95 < 500ms', 'create order: p99 < 1s', 'errors < 1% over 10s'; may be repeated
    #[arg(long = "threshold", value_name = "T")]
    pub(crate) thresholds: Vec<String>,
    /// After so long, end as soon as a threshold can't be held any more
    #[arg(long, value_name = "D")]
    pub(crate) abort_after: Option<Span>,
    /// Compare with this stored run
    #[arg(long, value_name = "RUN")]
    pub(crate) baseline: Option<i64>,
    /// Put a host under load that is neither this machine nor private, without being asked
    #[arg(long)]
    pub(crate) yes: bool,
    /// Serve the run as OpenMetrics at this port of 127.0.0.1 while it goes on; 0 for any that is free
    #[arg(long, value_name = "P")]
    pub(crate) metrics_port: Option<u16>,
    /// Write a report: html=FILE, csv=FILE (the timeline), junit=FILE or json=FILE; may be repeated
    #[arg(long = "report", value_name = "KIND=FILE")]
    pub(crate) reports: Vec<String>,
    /// Write the plan for another machine and run nothing: k6=FILE or k6-operator=FILE; may be repeated
    #[arg(long = "export", value_name = "KIND=FILE", conflicts_with_all = ["reports", "from_k6"])]
    pub(crate) exports: Vec<String>,
    /// How many pods share the load of an exported manifest
    #[arg(long, value_name = "N", requires = "exports")]
    pub(crate) parallelism: Option<u32>,
    /// Store the summary that k6 wrote with the exported plan as a run, and run nothing
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) from_k6: Option<PathBuf>,
}

/// `200/s:30s` or `50:30s`.
fn stage(text: &str) -> Result<Stage, String> {
    let (level, over) = text
        .rsplit_once(':')
        .ok_or_else(|| "write where it leads and how long it takes, such as 200/s:30s or 50:1m".to_owned())?;
    Ok(Stage {
        to: Level::from_str(level).map_err(|bad| bad.to_string())?,
        over: Span::from_str(over).map_err(|bad| bad.to_string())?,
    })
}

/// `create order=3`; without a number behind the last `=`, the whole is the name.
fn weighted(text: &str) -> Result<Weighted, String> {
    match text.rsplit_once('=') {
        Some((endpoint, weight)) if weight.parse::<u32>().is_ok() => match weight.parse() {
            Ok(weight) if weight > 0 => Ok(Weighted { endpoint: endpoint.to_owned(), weight }),
            _ => Err("a weight is at least 1".to_owned()),
        },
        _ => Ok(Weighted { endpoint: text.to_owned(), weight: 1 }),
    }
}

/// `users.csv` or `users.csv:random`.
fn data(text: &str) -> Result<DataFeed, String> {
    let order = |name: &str| match name {
        "sequential" => Some(FeedOrder::Sequential),
        "random" => Some(FeedOrder::Random),
        "once" => Some(FeedOrder::Once),
        _ => None,
    };
    match text.rsplit_once(':') {
        Some((file, name)) if order(name).is_some() => {
            Ok(DataFeed { file: file.to_owned(), order: order(name).unwrap_or_default() })
        }
        _ => Ok(DataFeed { file: text.to_owned(), order: FeedOrder::default() }),
    }
}
