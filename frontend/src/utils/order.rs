//! In which order things are listed.

use patchbay_contracts::{health::Status, workspace::IntegrationSummary};

/// Those that need somebody first: down, degraded, with mistakes, unobserved, healthy; by name within each.
pub fn by_urgency(integrations: &[IntegrationSummary]) -> Vec<&IntegrationSummary> {
    let rank = |one: &IntegrationSummary| match one.status {
        Status::Down => 0,
        Status::Degraded => 1,
        _ if !one.problems.is_empty() => 2,
        // One that is to be watched and isn't has a reason; one that isn't to be watched needs nobody.
        Status::Unobserved if one.watched => 3,
        Status::Healthy => 4,
        Status::Unobserved => 5,
    };
    let mut sorted: Vec<&IntegrationSummary> = integrations.iter().collect();
    sorted.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name)));
    sorted
}
