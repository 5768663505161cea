//! What `load` may be told.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use patchbay_contracts::units::{Rate, Span};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay load orders                                          (as its file says)
  patchbay load http://127.0.0.1:8617/health --connections 32 --duration 10s
  patchbay load orders/'list orders' --rate 200/s --duration 30s --threshold 'p95 < 500ms' --threshold 'errors < 1%'
  patchbay load orders --export k6=orders.js                    (the same plan for k6, which is not run here)
  patchbay load orders --export k6-operator=orders.yaml --parallelism 4
  patchbay load orders --from-k6 summary.json                   (what k6 found, as a run)")]
pub(crate) struct LoadArguments {
    /// NAME, NAME/ENDPOINT or an address
    pub(crate) target: String,
    /// Start so many requests in a time, whatever the service does
    #[arg(long, value_name = "R")]
    pub(crate) rate: Option<Rate>,
    /// So many connections at once
    #[arg(long, value_name = "N")]
    pub(crate) connections: Option<u32>,
    /// How long
    #[arg(long, value_name = "D")]
    pub(crate) duration: Option<Span>,
    /// The first part of the run, left out of the figures
    #[arg(long, value_name = "D")]
    pub(crate) warm_up: Option<Span>,
    /// The longest that one request may take
    #[arg(long, value_name = "D")]
    pub(crate) timeout: Option<Span>,
    /// What must hold at the end, such as 'p95 < 500ms'; may be repeated
    #[arg(long = "threshold", value_name = "T")]
    pub(crate) thresholds: Vec<String>,
    /// Write a report: junit=FILE, json=FILE or html=FILE; may be repeated
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
