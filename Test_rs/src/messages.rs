//! Message contracts, and streams that are held to them.

use patchbay_contracts::{
    contract::{Check, CheckResult, ContractReport, EndpointResult},
    run::Verdict,
};
use patchbay_engine::{
    Result,
    contract::{
        document::Document,
        messages::{Input, MessageOptions, check},
    },
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::http::context;

/// A contract with two types, one of them in two versions.
pub const ORDERS: &str = r#"messages:
  title: orders events
  version: "3"
  envelope: patchbay
  types:
    - type: order.created
      version: "1.0"
      schema: { order_id: string, amount: number, lines: [{ sku: string }] }
    - type: order.created
      version: "2.0"
      schema:
        type: object
        required: [order_id, total]
        properties: { order_id: { type: string }, total: { type: number, minimum: 0 } }
    - type: order.paid
      version: 1.0
      schema: { order_id: string }
"#;

/// A message that fits [`ORDERS`]; the first of a chain.
pub fn created(number: u32) -> Value {
    json!({
        "id": format!("m{number}"), "type": "order.created", "version": "1.0",
        "timestamp": format!("2026-03-01T10:00:{:02}Z", number % 60), "source": "shop",
        "data": { "order_id": "o1", "amount": 9.5, "lines": [{ "sku": "a" }] },
        "metadata": { "correlation_id": "c1", "causation_id": null, "user_id": "u1" },
    })
}

/// The same with another value at a pointer; none takes it away.
pub fn with(mut message: Value, pointer: &str, value: Option<Value>) -> Value {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer into the message");
    let parent = message.pointer_mut(parent).and_then(Value::as_object_mut).expect("its parent is an object");
    match value {
        Some(value) => parent.insert(key.to_owned(), value),
        None => parent.remove(key),
    };
    message
}

/// JSON lines.
pub fn lines(messages: &[Value]) -> String {
    messages.iter().map(|message| format!("{message}\n")).collect()
}

/// Holds a text to a contract.
pub async fn held(contract: &str, text: impl Into<Vec<u8>>, options: &MessageOptions) -> Result<ContractReport> {
    let document = Document::read("orders.yaml", contract.as_bytes())?;
    let reader = Box::new(std::io::Cursor::new(text.into()));
    let inputs = vec![Input::Stream { name: "in".to_owned(), reader }];
    check(&context(), &document, inputs, options, &CancellationToken::new(), |_| ()).await
}

/// The same with nothing chosen, for a contract that can be read.
pub async fn judged(contract: &str, text: impl Into<Vec<u8>>) -> ContractReport {
    held(contract, text, &MessageOptions::default()).await.unwrap_or_else(|problem| panic!("{problem}"))
}

/// Everything that didn't pass, each as `type check pointer verdict`.
pub fn faults(report: &ContractReport) -> Vec<String> {
    not_passed(report)
        .into_iter()
        .map(|(result, check)| {
            let pointer = check.pointer.as_deref().unwrap_or_default();
            format!("{} {} {pointer} {}", result.endpoint, check.check.as_str(), check.verdict.as_str())
        })
        .collect()
}

/// Everything that didn't pass, in full.
pub fn not_passed(report: &ContractReport) -> Vec<(&EndpointResult, &CheckResult)> {
    let checks = report.endpoints.iter().flat_map(|result| result.checks.iter().map(move |check| (result, check)));
    checks.filter(|(_, check)| check.verdict != Verdict::Pass).collect()
}

/// The first check of a kind that didn't pass.
pub fn fault(report: &ContractReport, check: Check) -> &CheckResult {
    let found = not_passed(report).into_iter().find(|(_, result)| result.check == check);
    found.unwrap_or_else(|| panic!("no {} among {:?}", check.as_str(), faults(report))).1
}
