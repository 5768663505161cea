//! How often an integration is looked at.

use patchbay_contracts::{integration::Integration, units::Span};

use super::figures::Pace;

/// How often an integration without a health check of its own is taken to be looked at.
const DEFAULT_INTERVAL: Span = Span::secs(30);

/// The time from one check to the next.
pub fn interval(integration: &Integration) -> Span {
    integration.health.as_ref().map_or(DEFAULT_INTERVAL, |health| health.interval)
}

/// The longest that a check may take: what `health` says, else what `error_handling` says, else 30 seconds, but not
/// longer than the interval, which would only delay the next check.
pub fn timeout(integration: &Integration) -> Span {
    let own = integration.health.as_ref().and_then(|health| health.timeout);
    own.or(integration.error_handling.timeout).unwrap_or_else(|| Span::secs(30).min(interval(integration)).max(Span::secs(1)))
}

/// How often an integration is looked at.
pub fn pace(integration: &Integration) -> Pace {
    Pace::new(interval(integration), timeout(integration))
}
