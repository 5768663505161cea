//! Pacts, and providers that are held to them.

use patchbay_contracts::contract::{CheckResult, ContractOptions, ContractReport, EndpointResult};
use patchbay_contracts::run::Verdict;
use patchbay_engine::{
    contract::{
        choose,
        pact::{PactFile, Source, verify},
    },
    http::Context,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::http::{Received, Step, answer, json as answer_json};

/// A pact of a version with these interactions.
pub fn pact(version: &str, interactions: Value) -> Value {
    json!({
        "consumer": { "name": "shop" },
        "provider": { "name": "orders" },
        "interactions": interactions,
        "metadata": { "pactSpecification": { "version": version } },
    })
}

/// The pact as a file that a person reads.
pub fn file(pact: &Value) -> PactFile {
    let text = serde_json::to_string_pretty(pact).expect("it is JSON");
    PactFile::read("shop-orders.json", text.as_bytes()).expect("it is a pact")
}

/// Where a provider is, and nothing else.
pub fn at(url: &str) -> ContractOptions {
    ContractOptions { url: Some(url.to_owned()), ..ContractOptions::default() }
}

/// Verifies one pact.
pub async fn run(context: &Context, pact: &Value, options: &ContractOptions) -> ContractReport {
    run_source(context, &Source::one(file(pact)), options).await
}

/// Verifies all pacts of a source, and holds the progress to the report.
pub async fn run_source(context: &Context, source: &Source, options: &ContractOptions) -> ContractReport {
    let mut seen = Vec::new();
    let cancel = CancellationToken::new();
    let mut report =
        verify(context, source, options, &cancel, |news| seen.extend(news.results)).await.expect("the options make sense");
    let names = |results: &[EndpointResult]| results.iter().map(|result| result.endpoint.clone()).collect::<Vec<_>>();
    assert_eq!(names(&seen), names(&report.endpoints), "each interaction is told of once");
    choose(&mut report, options);
    report
}

/// Each thing that did not hold: `label | check | pointer`.
pub fn misses(report: &ContractReport) -> Vec<String> {
    let told = |result: &EndpointResult, check: &CheckResult| {
        format!("{} | {} | {}", result.endpoint, check.check.as_str(), check.pointer.as_deref().unwrap_or("-"))
    };
    let failed = |check: &&CheckResult| check.verdict != Verdict::Pass;
    report.endpoints.iter().flat_map(|result| result.checks.iter().filter(failed).map(|check| told(result, check))).collect()
}

/// A provider of orders: reads, creates, changes its state, gives messages, hangs and closes.
pub fn orders(request: &Received) -> Vec<Step> {
    let path = request.path.split('?').next().unwrap_or_default();
    match (request.method.as_str(), path) {
        ("GET", "/orders/42") => answer_json("200 OK", r#"{"id": 42, "status": "open", "tags": ["a", "b"], "note": "more"}"#),
        ("GET", "/orders") => {
            answer("200 OK", "content-type: application/json; charset=utf-8\r\nx-total: 1\r\n", r#"[{"id": 42}]"#)
        }
        ("POST", "/orders") => answer_json("201 Created", &request.body),
        ("POST", "/states") => match serde_json::from_str::<Value>(&request.body) {
            Ok(body) if body["state"] == "impossible" => answer_json("500 Internal Server Error", "{}"),
            Ok(_) => answer_json("200 OK", r#"{"id": 42}"#),
            Err(_) => answer_json("400 Bad Request", "{}"),
        },
        // {"topic": "orders"}
        ("POST", "/messages") => answer(
            "200 OK",
            "content-type: application/json\r\npact-message-metadata: eyJ0b3BpYyI6ICJvcmRlcnMifQ==\r\n",
            r#"{"type": "created", "id": 42}"#,
        ),
        ("GET", "/hangs") => vec![Step::Hold],
        ("GET", "/closes") => vec![Step::Reset],
        _ => answer_json("404 Not Found", "{}"),
    }
}
