//! What runs found, shown whole: on the page that ran them, and on the page of a stored run.

mod body;
mod contract;
mod load;
mod load_generator;
mod load_tables;
mod probe;
mod runs;
mod waterfall;

pub use contract::{Board, ContractReportView, Results};
pub use load::{LoadCharts, LoadReportView, LoadTiles};
pub use load_tables::Errors;
pub use probe::ProbeReportView;
pub use runs::{ExportButtons, RunList, RunView};
pub use waterfall::WaterfallView;
