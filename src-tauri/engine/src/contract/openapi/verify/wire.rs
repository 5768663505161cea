//! Sending: with a bound on time, patience with a rate limit, and an end when the run is cancelled or its time is up.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use patchbay_contracts::{Code, Problem, integration::Auth, probe::ProbeRequest};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    call::{Call, Common},
    plan::Op,
};
use crate::{
    Result,
    http::{Context, Exchanged, Pool},
};

/// The longest that one exchange may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest wait that a rate limit may ask for at once, and in the whole run.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));
/// How often a request is repeated that met a rate limit.
const REPEATS: u32 = 4;

/// Sends the requests of a run.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) context: Context,
    pub(super) common: Arc<Common>,
    pub(super) cancel: CancellationToken,
    /// When the time budget runs out.
    pub(super) until: Option<Instant>,
    pool: Pool,
    waited: Arc<Mutex<Duration>>,
}

/// Why nothing more is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was cancelled.
    Cancelled,
    /// The time budget has run out.
    Late,
}

/// What came of a request.
#[derive(Debug)]
pub(super) enum Came {
    /// An answer, perhaps one that isn't whole.
    Answer(Box<Exchanged>),
    /// None, and why.
    Nothing(Box<Exchanged>, Problem),
    /// It was not sent, or its answer isn't judged: a rate limit that did not pass, the end of the run.
    Unsent,
}

impl Wire {
    pub(super) fn new(context: Context, common: Common, cancel: CancellationToken, budget: Option<Duration>, pool: Pool) -> Self {
        let until = budget.and_then(|budget| Instant::now().checked_add(budget));
        Self { context, common: Arc::new(common), cancel, until, pool, waited: Arc::default() }
    }

    /// Whether the run has come to an end before its time.
    pub(super) fn ended(&self) -> Option<Ended> {
        if self.cancel.is_cancelled() {
            return Some(Ended::Cancelled);
        }
        self.until.filter(|until| Instant::now() >= *until).map(|_| Ended::Late)
    }

    /// Sends a request to an operation.
    ///
    /// # Errors
    /// Where it can't be made: a reference without a value, a credential that isn't bound to the host.
    pub(super) async fn send(&self, op: &Op, call: &Call) -> Result<Came> {
        let request = call.request(op, &self.common);
        let made_up = call.made_up(op);
        let mut repeats = 0;
        let mut reset = false;
        loop {
            if self.ended().is_some() {
                return Ok(Came::Unsent);
            }
            let left = self.until.map_or(TIMEOUT, |until| until.saturating_duration_since(Instant::now()).min(TIMEOUT));
            let exchanged = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Ok(Came::Unsent),
                exchanged = self.pool.send_made(&self.context, &request, &made_up, left) => exchanged?,
            };
            let Some(answer) = &exchanged.answer else {
                let problem = exchanged.problem.clone().unwrap_or_else(|| Problem::new(Code::BadResponse, "There was no answer"));
                // That it took too long for what was left of the budget is not the service's fault.
                if self.ended().is_some() || problem.code == Code::Timeout && left < TIMEOUT {
                    return Ok(Came::Unsent);
                }
                // A connection that was kept may be closed by the other side just when it is used again.
                if problem.code == Code::Reset && !reset {
                    reset = true;
                    continue;
                }
                return Ok(Came::Nothing(Box::new(exchanged), problem));
            };
            if answer.status != 429 {
                return Ok(Came::Answer(Box::new(exchanged)));
            }
            repeats += 1;
            let asked = answer.header("retry-after").and_then(|text| text.trim().parse::<u64>().ok()).map(Duration::from_secs);
            let wait = asked.unwrap_or(Duration::from_millis(200) * repeats);
            if repeats > REPEATS || !self.may_wait(wait) {
                return Ok(Came::Unsent);
            }
            tokio::select! {
                () = self.cancel.cancelled() => return Ok(Came::Unsent),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// The status of a bare GET of an address of the service, with the credential of the run.
    pub(super) async fn get(&self, target: &url::Url) -> Option<u16> {
        if self.ended().is_some() {
            return None;
        }
        let request = ProbeRequest {
            url: super::call::literal(target.as_str()),
            headers: self.common.headers.clone(),
            auth: self.common.auth.clone().map(Auth::Spec),
            ..ProbeRequest::default()
        };
        let exchanged = self.pool.send(&self.context, &request, TIMEOUT).await.ok()?;
        exchanged.answer.map(|answer| answer.status)
    }

    /// Counts a wait; false where it is too long.
    fn may_wait(&self, wait: Duration) -> bool {
        let mut waited = self.waited.lock().unwrap_or_else(PoisonError::into_inner);
        let (once, all) = PATIENCE;
        if wait > once || *waited + wait > all {
            return false;
        }
        *waited += wait;
        true
    }
}
