//! What no load run of an integration may exceed, whatever sends it.

use std::time::Duration;

use patchbay_contracts::{
    Code, Problem,
    integration::{Level, LoadLimits, LoadSpec},
};

use super::workload::Workload;
use crate::Result;

/// Holds a plan to the limits of its integration.
///
/// # Errors
/// [`Code::InvalidInput`] with the limit.
pub(super) fn hold(spec: &LoadSpec, workload: &Workload, limits: &LoadLimits) -> Result<()> {
    let beyond = |what: String, limit: String| {
        Problem::new(Code::InvalidInput, format!("{what} is more than the integration allows"))
            .why(format!("load_limits in its file says {limit}"))
            .next("Ask for less, or change the limit")
    };
    if let Some(limit) = limits.rate {
        if !spec.executor.is_open() {
            return Err(beyond("A closed workload, which has no rate of its own,".to_owned(), limit.to_string())
                .next("Ask for an arrival rate"));
        }
        let rates = spec.stages.iter().filter_map(|stage| match stage.to {
            Level::Rate(rate) => Some(rate),
            Level::Connections(_) => None,
        });
        if let Some(rate) = rates.chain(spec.rate).find(|rate| rate.hertz() > limit.hertz()) {
            return Err(beyond(format!("A rate of {rate}"), limit.to_string()));
        }
    }
    if let Some(limit) = limits.connections {
        let fields = ["vus", "maxVUs", "startVUs"].into_iter().filter_map(|name| workload.scenario[name].as_u64());
        let stages = workload.scenario["stages"].as_array().into_iter().flatten();
        let ramps = stages.filter(|_| !spec.executor.is_open()).filter_map(|stage| stage["target"].as_u64());
        if let Some(most) = fields.chain(ramps).max().filter(|most| *most > u64::from(limit)) {
            return Err(beyond(format!("A number of {most} connections"), limit.to_string()));
        }
    }
    if let Some(limit) = limits.duration
        && workload.duration > limit.0 + Duration::from_millis(1)
    {
        return Err(beyond(format!("A run of {}", patchbay_contracts::units::Span(workload.duration)), limit.to_string()));
    }
    Ok(())
}
