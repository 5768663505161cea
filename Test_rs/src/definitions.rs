//! Integration files for tests: those of the design, and a short way to say what is wrong with a text.

use patchbay_engine::definition::{Parsed, parse};

/// The short form that must load as it stands.
pub const SHORT: &str = r#"integration:
  name: "stripe-payment"
  version: "1.0"
  endpoints:
    - method: POST
      path: /v1/charges
      auth: api_key
      rate_limit: 100/min
  request_schema:
    amount: number
    currency: string
    source: string
  response_schema:
    id: string
    status: string
    amount: number
  error_handling:
    retries: 3
    backoff: exponential
    timeout: 30s
"#;

/// The full form, each of its parts in use.
pub const FULL: &str = r#"integration:
  name: orders
  version: "1.2"
  system: rest                       # rest, graphql, grpc, soap, websocket, sse, kafka, rabbitmq, …
  base_url: ${env:base_url}
  auth: { type: bearer, token: "${secret:orders-token}" }
  headers: { Accept: application/json }
  endpoints:
    - name: create order
      method: POST
      path: /api/v1/orders/{id}
      params: { id: "42" }
      request: { body: { amount: 99.99, currency: USD }, idempotency_key: true }
      expect:  { status: 201, latency: 500ms, conditions: ["[BODY].status == created"] }
      request_schema:  { $ref: "schemas/order.json" }
      response_schema: { type: object, required: [id] }
      capture: { order_id: "$.id" }  # feeds later endpoints
      rate_limit: 100/min
  error_handling: { retries: 3, backoff: exponential, jitter: full, timeout: 30s, circuit_breaker: { failures: 5, cool_down: 30s } }
  health:  { interval: 30s, endpoint: create order, conditions: ["[STATUS] == 200", "[RESPONSE_TIME] < 500"] }
  metrics: { url: "${env:base_url}/metrics", interval: 15s }
  slo:     { availability: 99.9%, latency_p95: 500ms, error_rate: 0.1% }
  load:    { executor: constant-arrival-rate, rate: 200/s, duration: 1m, thresholds: ["p95 < 500ms", "errors < 0.1%"] }
"#;

/// The mistakes of a text as a person reads them, one a line, in a file called `orders.yaml`.
pub fn mistakes(text: &str) -> Vec<String> {
    read(text.as_bytes()).problems.iter().map(ToString::to_string).collect()
}

/// Reads bytes as a file called `orders.yaml`.
pub fn read(bytes: &[u8]) -> Parsed {
    parse("orders.yaml", bytes)
}

/// A sound file with `lines` (indented by two) under `integration`.
pub fn with(lines: &str) -> String {
    format!("integration:\n  name: orders\n{lines}\n")
}
