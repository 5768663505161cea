//! The routes of the sample service.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State as Shared},
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use patchbay_contracts::sample::Faults;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    State,
    faults::{misbehave, problem, show},
    openapi,
};

type App = Shared<Arc<State>>;

/// A request body may be this large.
const BODY: usize = 64 * 1024;

pub(super) fn router(state: Arc<State>) -> Router {
    let faulty = Router::new()
        .route("/health", get(health))
        .route("/api/v1/orders", get(list).post(create))
        .route("/api/v1/orders/{id}", get(read).delete(remove))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&state), misbehave));
    Router::new()
        .merge(faulty)
        .route("/", get(about))
        .route("/openapi.json", get(async || Json(openapi::document())))
        .route("/metrics", get(metrics))
        .route("/_patchbay/faults", get(faults).put(set_faults))
        .fallback(async || problem(StatusCode::NOT_FOUND, "not_found", "There is nothing here; see /openapi.json"))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(state)
}

async fn about() -> Json<Value> {
    Json(json!({
        "name": "Patchbay sample orders",
        "openapi": "/openapi.json",
        "metrics": "/metrics",
        "health": "/health",
        "orders": "/api/v1/orders",
    }))
}

async fn health(Shared(state): App) -> Json<Value> {
    Json(json!({ "status": "ok", "orders": state.lock().orders.len() }))
}

#[derive(Deserialize)]
struct Page {
    limit: Option<usize>,
}

async fn list(Shared(state): App, Query(page): Query<Page>) -> Json<Value> {
    let inner = state.lock();
    let limit = page.limit.unwrap_or(20).min(100);
    let orders: Vec<Value> = inner.orders.values().rev().take(limit).map(|order| show(order, &inner.faults)).collect();
    Json(json!({ "orders": orders, "total": inner.orders.len() }))
}

#[derive(Deserialize)]
struct NewOrder {
    amount: f64,
    currency: String,
}

async fn create(Shared(state): App, body: Bytes) -> Response {
    let order: NewOrder = match serde_json::from_slice(&body) {
        Ok(order) => order,
        Err(error) => return problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid_order", &error.to_string()),
    };
    if !(order.amount.is_finite() && order.amount > 0.0) {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid_order", "`amount` must be more than 0");
    }
    if order.currency.len() != 3 || !order.currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid_order", "`currency` must be three capital letters");
    }
    let now = state.ports.clock.now();
    let mut inner = state.lock();
    let created = inner.add(order.amount, order.currency, now);
    let status = if inner.faults.wrong_status { StatusCode::OK } else { StatusCode::CREATED };
    let place = [(header::LOCATION, format!("/api/v1/orders/{}", created.id))];
    (status, place, Json(show(&created, &inner.faults))).into_response()
}

async fn read(Shared(state): App, Path(id): Path<String>) -> Response {
    let inner = state.lock();
    match id.parse().ok().and_then(|number: u64| inner.orders.get(&number)) {
        Some(order) => Json(show(order, &inner.faults)).into_response(),
        None => problem(StatusCode::NOT_FOUND, "not_found", "There is no such order"),
    }
}

async fn remove(Shared(state): App, Path(id): Path<String>) -> Response {
    match id.parse().ok().and_then(|number: u64| state.lock().orders.remove(&number)) {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => problem(StatusCode::NOT_FOUND, "not_found", "There is no such order"),
    }
}

async fn metrics(Shared(state): App, headers: HeaderMap) -> Response {
    let openmetrics = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("application/openmetrics-text"));
    let inner = state.lock();
    let text = inner.figures.text(inner.orders.len(), openmetrics);
    let kind = if openmetrics {
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    } else {
        "text/plain; version=0.0.4; charset=utf-8"
    };
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

async fn faults(Shared(state): App) -> Json<Faults> {
    Json(state.lock().faults.clone())
}

async fn set_faults(Shared(state): App, body: Bytes) -> Response {
    match serde_json::from_slice::<Faults>(&body) {
        Ok(faults) => {
            state.lock().faults = faults.clone();
            Json(faults).into_response()
        }
        Err(error) => problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid_faults", &error.to_string()),
    }
}
