//! Prometheus metrics: read, stored, and made into lines.
//!
//! [`parse()`] reads the text format 0.0.4 and OpenMetrics 1.0. In the text format, the crate prometheus-parse reads each
//! line that it reads rightly ([`plain`]) and our own reader ([`line`]) all others; OpenMetrics is read by our own reader
//! alone, since the crate knows nothing of it. What neither can read is a problem with its place.

pub mod line;
pub mod plain;

mod document;
mod openmetrics;
mod parse;
mod rules;
mod text;

pub use parse::{MAX_BYTES, MAX_FAMILIES, MAX_LABELS, MAX_LINE, MAX_PROBLEMS, MAX_SAMPLES, parse};
