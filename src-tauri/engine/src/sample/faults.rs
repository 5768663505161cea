//! What the sample service does wrong on demand.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Request, State as Shared},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use patchbay_contracts::sample::Faults;
use serde_json::{Value, json};

use super::{Order, State};

/// Latency, stalls, errors and refused tokens, before a request is looked at. Counts every request on its way out.
pub(super) async fn misbehave(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let began = state.ports.clock.elapsed();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<axum::extract::MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    state.lock().figures.begin();
    let guard = InFlight(&state);
    let response = answer(&state, request, next).await;
    drop(guard);
    let took = state.ports.clock.elapsed().saturating_sub(began);
    state.lock().figures.end(method.as_str(), &route, response.status().as_u16(), took);
    response
}

/// Takes a request off the gauge even when its client went away.
struct InFlight<'a>(&'a State);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.lock().figures.leave();
    }
}

async fn answer(state: &State, request: Request, next: Next) -> Response {
    let faults = state.lock().faults.clone();
    if let Some(latency) = faults.latency {
        tokio::time::sleep(latency.0).await;
    }
    if faults.stall {
        // Long enough for any client to give up, and not for ever, so that connections can't pile up without end.
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    if faults.errors.is_some_and(|share| state.ports.random.unit() < share.0) {
        return problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The order book caught fire, as it was told to");
    }
    if request.uri().path().starts_with("/api/")
        && let Err(refusal) = authorise(state, &faults, &request)
    {
        return refusal;
    }
    next.run(request).await
}

#[allow(clippy::result_large_err, reason = "the refusal is the response itself")]
fn authorise(state: &State, faults: &Faults, request: &Request) -> Result<(), Response> {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let (challenge, what) = match given {
        None => ("Bearer realm=\"orders\"", "A bearer token is required"),
        Some(_) if faults.expired_token => {
            ("Bearer error=\"invalid_token\", error_description=\"The token expired\"", "The token expired")
        }
        Some(token) if token != state.token => ("Bearer error=\"invalid_token\"", "The token is not known"),
        Some(_) => return Ok(()),
    };
    let mut refusal = problem(StatusCode::UNAUTHORIZED, "unauthorized", what);
    refusal.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static(challenge));
    Err(refusal)
}

/// An order as it is shown, with the faults that change its shape.
pub(super) fn show(order: &Order, faults: &Faults) -> Value {
    let mut shown = json!({
        "id": order.id, "status": order.status, "amount": order.amount,
        "currency": order.currency, "created_at": order.created_at,
    });
    if faults.type_change {
        shown["amount"] = Value::String(order.amount.to_string());
    }
    if faults.missing_field
        && let Some(fields) = shown.as_object_mut()
    {
        fields.shift_remove("status");
    }
    shown
}

/// An error as the API shows it.
pub(super) fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response()
}
