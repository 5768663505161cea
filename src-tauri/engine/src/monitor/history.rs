//! Health within a range of time.

use patchbay_contracts::{
    Code, Problem, Timestamp,
    health::HealthHistory,
    integration::{Integration, Slo},
};

use super::{
    figures::{self, Point},
    pace::pace,
};
use crate::{Result, store::Store};

/// The checks that a history lists one by one.
const LISTED: u32 = 100;

/// How an integration did from `from` to `to`, as it is known at `now`.
///
/// # Errors
/// [`Code::InvalidInput`] where the range ends before it begins; what the store says.
pub async fn history(
    store: &Store,
    integration: &Integration,
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
) -> Result<HealthHistory> {
    if from >= to {
        return Err(Problem::new(Code::InvalidInput, "The range ends before it begins"));
    }
    let (name, pace) = (&integration.name, pace(integration));
    // The last check before the range speaks for its beginning.
    let before = from.saturating_sub(pace.longest);
    let points: Vec<Point> = store.latency_points(name, before, to).await?;
    let unobserved = store.unobserved(name, before, to).await?;
    let latest = store.checks(name, from, to, LISTED).await?;
    let within = &points[points.partition_point(|point| point.0 < from)..];
    let segments = figures::segments(&points, &unobserved, (from, to), now, pace);
    Ok(HealthHistory {
        integration: name.clone(),
        from,
        to,
        uptime: figures::uptime(within),
        observed: figures::observed(&segments),
        checks: within.len() as u64,
        slices: figures::slices(within, (from, to), pace),
        segments,
        latest,
        slo: figures::promises(integration.slo.as_ref().unwrap_or(&Slo::default()), within),
    })
}
