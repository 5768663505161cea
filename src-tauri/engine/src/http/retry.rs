//! Trying again.

use std::time::Duration;

use jiff::fmt::rfc2822;
use patchbay_contracts::{
    Code, Timestamp,
    integration::{Backoff, ErrorHandling, Jitter},
    probe::{ProbeReport, ProbeRequest},
    units::Span,
};

use super::{
    Bounds, Context,
    send::{redact, send_unredacted, with_uuid},
};

/// The first wait where the definition doesn't say.
const DELAY: Duration = Duration::from_millis(200);
/// The longest wait where the definition doesn't say.
const MAX_DELAY: Duration = Duration::from_secs(10);

/// How many attempts an exchange took, the first included.
pub type Attempts = u32;

/// Makes an exchange, and again where it failed in a way that may pass: no connection, a timeout, or one of 429, 502, 503
/// and 504. Only what may be repeated is: an idempotent method, or a request with an `Idempotency-Key`, which stays the
/// same throughout. `Retry-After` is obeyed up to the longest delay; where the service asks for a longer wait, nothing more
/// is sent, and a note says so.
///
/// Drop the future to cancel.
pub async fn send_with_retries(
    context: &Context,
    request: &ProbeRequest,
    handling: &ErrorHandling,
    bounds: Bounds,
) -> (ProbeReport, Attempts) {
    let (mut report, attempts) = send_spaced_unredacted(context, request, handling, bounds, Duration::ZERO).await;
    redact(&mut report, &context.secrets.redactor());
    (report, attempts)
}

/// The same with at least `gap` between the end of an attempt and the next, and with the answer as it came: secrets that
/// the service sent back are still in it. It must not be shown or kept.
pub(crate) async fn send_spaced_unredacted(
    context: &Context,
    request: &ProbeRequest,
    handling: &ErrorHandling,
    bounds: Bounds,
    gap: Duration,
) -> (ProbeReport, Attempts) {
    let context = with_uuid(context);
    let mut request = request.clone();
    request.timeout = request.timeout.or(handling.timeout);
    let repeatable = request.method.is_idempotent()
        || request.headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("idempotency-key") && !value.trim().is_empty());
    let mut attempt = 1;
    loop {
        let mut report = send_unredacted(&context, &request, bounds).await;
        if !repeatable || attempt > handling.retries || !may_pass(&report) {
            return (report, attempt);
        }
        let longest = handling.max_delay.map_or(MAX_DELAY, |span| span.0);
        let wait = match retry_after(&report, context.ports.clock.now()) {
            Some(asked) if asked > longest => {
                report.notes.push(format!(
                    "It was not tried again: the service asks to wait {}, and max_delay is {}",
                    Span(asked),
                    Span(longest)
                ));
                return (report, attempt);
            }
            Some(asked) => asked,
            None => delay_before(attempt, handling, context.ports.random.unit()),
        };
        tokio::time::sleep(wait.max(gap)).await;
        attempt += 1;
    }
}

/// Whether the next attempt may come out otherwise.
fn may_pass(report: &ProbeReport) -> bool {
    if let Some(response) = &report.response {
        return matches!(response.status, 429 | 502 | 503 | 504)
            || report.problem.as_ref().is_some_and(|problem| matches!(problem.code, Code::Timeout | Code::Reset));
    }
    report.problem.as_ref().is_some_and(|problem| {
        matches!(problem.code, Code::Dns | Code::Refused | Code::Reset | Code::Unreachable | Code::Timeout)
    })
}

/// The wait before the attempt after attempt number `attempt` (from 1), with `chance` from 0 up to 1.
pub fn delay_before(attempt: Attempts, handling: &ErrorHandling, chance: f64) -> Duration {
    let first = handling.delay.map_or(DELAY, |span| span.0);
    let longest = handling.max_delay.map_or(MAX_DELAY, |span| span.0);
    let attempt = attempt.max(1);
    let wait = match handling.backoff {
        Backoff::None => Duration::ZERO,
        Backoff::Constant => first,
        Backoff::Linear => first.saturating_mul(attempt),
        // 2^30 times any delay is beyond every longest wait.
        Backoff::Exponential => first.saturating_mul(1 << (attempt - 1).min(30)),
    }
    .min(longest);
    match handling.jitter {
        Jitter::None => wait,
        Jitter::Full => wait.mul_f64(chance.clamp(0.0, 1.0)),
        Jitter::Equal => wait / 2 + (wait / 2).mul_f64(chance.clamp(0.0, 1.0)),
    }
}

/// How long the service asks to wait: seconds, or an HTTP date (RFC 9110, 10.2.3).
fn retry_after(report: &ProbeReport, now: Timestamp) -> Option<Duration> {
    let response = report.response.as_ref()?;
    let value =
        response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after")).map(|(_, value)| value.trim())?;
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(value).ok()?.as_millisecond();
    Some(Duration::from_millis(u64::try_from(at.saturating_sub(now)).unwrap_or(0)))
}
