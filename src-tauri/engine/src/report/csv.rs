//! The timeline of a load run as comma-separated values (RFC 4180), one line a second, for spreadsheets and scripts.

use std::fmt::Write as _;

use patchbay_contracts::{
    Code, Problem,
    load::LoadSlice,
    run::{Report, Run},
};

use crate::Result;

/// The columns, each with its unit in its name.
const HEAD: &str = "second_s,warm_up,sent_per_s,answered_per_s,failed_per_s,in_flight,connections,p50_ms,p95_ms,p99_ms,max_ms";

/// A load run as CSV. A second without an answer has no latency, and its cells are empty.
///
/// # Errors
/// [`Code::InvalidInput`] for a run of another kind, which has no timeline.
pub fn render(run: &Run) -> Result<String> {
    let Report::Load(load) = &run.report else {
        return Err(Problem::new(Code::InvalidInput, "Only a load run has a timeline to write as CSV")
            .next("Write it as html, json or junit"));
    };
    let mut text = format!("{HEAD}\r\n");
    for slice in &load.timeline {
        line(&mut text, slice);
    }
    Ok(text)
}

fn line(text: &mut String, slice: &LoadSlice) {
    let LoadSlice { second, sent, answered, failed, in_flight, connections, warm_up, .. } = slice;
    // Writing to a string can't fail.
    let _ = write!(text, "{second},{warm_up},{sent},{answered},{failed},{in_flight},{connections}");
    for value in [slice.p50_ms, slice.p95_ms, slice.p99_ms, slice.max_ms] {
        text.push(',');
        if *answered > 0 && value.is_finite() {
            let _ = write!(text, "{value}");
        }
    }
    text.push_str("\r\n");
}
