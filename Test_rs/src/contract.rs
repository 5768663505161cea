//! A contract to be held to, and runs of it.

use patchbay_contracts::{
    contract::{Check, CheckResult, ContractProgress, ContractReport, EndpointResult},
    run::Verdict,
};
use patchbay_engine::{
    contract::{Schemas, verify},
    definition,
    http::Context,
};
use tokio_util::sync::CancellationToken;

use crate::http::{Received, Step, answer, context, json};

/// The contract that most of these tests are about, at an address.
pub fn contract(url: &str) -> String {
    format!(
        r#"integration:
  name: orders
  version: "1.2"
  base_url: {url}
  headers: {{ X-Client: patchbay }}
  endpoints:
    - name: create
      method: POST
      path: /orders
      request:
        body: {{ amount: 9.5, currency: USD }}
        idempotency_key: true
      request_schema: {{ amount: number, currency: string }}
      expect:
        status: 201
        headers: {{ Content-Type: application/json, X-Version: "*" }}
        latency: 5s
        conditions: ["[BODY].status == created"]
      response_schema:
        id: integer
        status: string
        amount: number
        note?: string
      capture: {{ order_id: $.id, version: "header:X-Version" }}
    - name: read
      path: /orders/${{order_id}}
      response_schema:
        type: object
        required: [id]
        properties:
          id: {{ const: 42 }}
          state: {{ enum: [open, closed] }}
      expect: {{ conditions: ["[BODY].id == ${{order_id}}"] }}
"#
    )
}

/// What creating an order answers.
pub const CREATED: &str = r#"{"id": 42, "status": "created", "amount": 9.5}"#;
/// What reading it answers.
pub const OPEN: &str = r#"{"id": 42, "state": "open"}"#;

/// A service that holds to the contract, with another answer in one place.
pub fn service(request: &Received, created: &str, status: &str, version: &str) -> Vec<Step> {
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/orders") => answer(status, &format!("content-type: application/json\r\n{version}"), created),
        ("GET", "/orders/42") => json("200 OK", OPEN),
        _ => json("404 Not Found", "{}"),
    }
}

/// A run of a contract, and what was told of it on the way.
pub async fn run_in(
    context: &Context,
    text: &str,
    schemas: &Schemas,
    cancel: &CancellationToken,
) -> (ContractReport, Vec<ContractProgress>) {
    let parsed = definition::parse("orders.yaml", text.as_bytes());
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    let integration = parsed.definition.expect("it has no mistake");
    let mut progress = Vec::new();
    let report =
        verify(context, "orders.yaml", &integration, &parsed.positions, schemas, cancel, |step| progress.push(step)).await;
    (report, progress)
}

/// A run without secrets and files.
pub async fn run(text: &str) -> ContractReport {
    run_in(&context(), text, &Schemas::closed(), &CancellationToken::new()).await.0
}

/// The checks of one kind.
pub fn of(endpoint: &EndpointResult, check: Check) -> Vec<&CheckResult> {
    endpoint.checks.iter().filter(|result| result.check == check).collect()
}

/// The checks that did not pass, each as one line.
pub fn misses(report: &ContractReport) -> Vec<String> {
    let line = |endpoint: &EndpointResult, check: &CheckResult| {
        let place = check.place.as_ref().map(|place| format!("{}:{}", place.line, place.column)).unwrap_or_default();
        format!("{} {} {} {place} {}", endpoint.endpoint, check.check.as_str(), check.verdict.as_str(), check.message)
    };
    report
        .endpoints
        .iter()
        .flat_map(|endpoint| endpoint.checks.iter().map(move |check| (endpoint, check)))
        .filter(|(_, check)| check.verdict != Verdict::Pass)
        .map(|(endpoint, check)| line(endpoint, check))
        .collect()
}
