//! Prometheus metrics: read, stored, and made into lines.
//!
//! [`parse()`] reads the text format 0.0.4 and OpenMetrics 1.0. In the text format, the crate prometheus-parse reads each
//! line that it reads rightly ([`plain`]) and our own reader ([`line`]) all others; OpenMetrics is read by our own reader
//! alone, since the crate knows nothing of it. What neither can read is a problem with its place.
//!
//! [`scrape()`] fetches what a service exposes, and [`query()`] makes lines of what was stored.

pub mod legend;
pub mod line;
pub mod lines;
pub mod plain;

mod document;
mod native;
mod openmetrics;
mod parse;
mod query;
mod rules;
mod scrape;
mod text;

pub use native::Native;
pub use parse::{MAX_BYTES, MAX_FAMILIES, MAX_LABELS, MAX_LINE, MAX_LINES, MAX_PROBLEMS, MAX_SAMPLES, parse};
pub use query::{MAX_DRAWN, query};
pub use scrape::{read_file, scrape, scrape_address};
