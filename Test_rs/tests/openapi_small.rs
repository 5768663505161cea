//! The request that is shown with a failure is the smallest that shows it, also where resources are deleted or links are
//! followed; and nothing is done to what was not made by the run itself.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use patchbay_contracts::contract::{Check, CheckResult, ContractOptions, ContractReport};
use patchbay_engine::contract::{document::Document, openapi::verify};
use patchbay_tests::http::{Received, Server, Step, answer, context, json as reply, serve};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const PATHS: &str = "
openapi: 3.0.3
info: { title: T, version: '1' }
paths:
  /carts:
    post:
      requestBody: { required: true, content: { application/json: { schema: { type: object, required: [owner], properties: { owner: { type: string }, note: { type: string }, lines: { type: array, items: { type: integer } } } } } } }
      responses:
        '201':
          description: made
          content: { application/json: { schema: { type: object, required: [id], properties: { id: { type: string }, next: { type: string } } } } }
          links:
            bill: { operationId: bill, parameters: { id: '$response.body#/id' } }
            next: { operationId: bill, parameters: { id: '$response.body#/next' } }
            drop: { operationId: drop, parameters: { id: '$response.body#/id' } }
        '400': { description: no }
    get: { responses: { '200': { description: all, content: { application/json: { schema: { type: array, items: { type: object, properties: { id: { type: string } } } } } } } } }
  /carts/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    delete:
      operationId: drop
      parameters: [{ name: force, in: query, schema: { type: boolean } }, { name: why, in: query, schema: { type: string, minLength: 2 } }]
      responses: { '204': { description: gone }, '400': { description: no }, '404': { description: none } }
  /carts/{id}/bill:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get: { operationId: bill, responses: { '200': { description: ok } } }
";

/// A service with one cart that is somebody's, whose bills are nowhere and which breaks over forced deletions.
fn carts(ids: &Mutex<BTreeSet<String>>, number: usize, request: &Received) -> Vec<Step> {
    let mut ids = ids.lock().expect("nobody has panicked");
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let id = path.trim_start_matches("/carts").trim_start_matches('/').to_owned();
    match (request.method.as_str(), id.as_str()) {
        ("POST", "") => {
            let sent: Value = serde_json::from_str(&request.body).unwrap_or_default();
            let lines = sent.get("lines").is_none_or(|lines| {
                lines
                    .as_array()
                    .is_some_and(|lines| lines.iter().all(|line| line.as_f64().is_some_and(|line| line.fract() == 0.0)))
            });
            let note = sent.get("note").is_none_or(Value::is_string);
            let typed = request.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
            if !(sent["owner"].is_string() && lines && note && typed) {
                return answer("400 Bad Request", "", "");
            }
            let id = format!("made-{number}");
            ids.insert(id.clone());
            reply("201 Created", &json!({ "id": id }).to_string())
        }
        ("GET", "") => reply("200 OK", &json!(ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>()).to_string()),
        ("DELETE", id) => {
            let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            if value("force").is_some_and(|force| !matches!(force, "true" | "false"))
                || value("why").is_some_and(|why| why.len() < 2)
            {
                return answer("400 Bad Request", "", "");
            }
            if !ids.contains(id) {
                return answer("404 Not Found", "", "");
            }
            if value("force").is_some() {
                return answer("500 Internal Server Error", "", "");
            }
            ids.remove(id);
            answer("204 No Content", "", "")
        }
        _ => answer("404 Not Found", "", ""),
    }
}

async fn held(server: &Server, only: &[&str]) -> ContractReport {
    let document = Document::read("carts.yaml", PATHS.as_bytes()).unwrap_or_else(|problem| panic!("{problem}"));
    let only = only.iter().map(|name| (*name).to_owned()).collect();
    let options = ContractOptions { url: Some(server.url.clone()), only, ..ContractOptions::default() };
    verify(&context(), &document, &options, &CancellationToken::new(), |_| ()).await.unwrap_or_else(|problem| panic!("{problem}"))
}

fn failed(report: &ContractReport, check: Check) -> Vec<&CheckResult> {
    let all = report.endpoints.iter().flat_map(|endpoint| &endpoint.checks);
    all.filter(|result| result.check == check && result.verdict != patchbay_contracts::run::Verdict::Pass).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_and_links_are_shown_small_and_leave_others_alone() {
    let ids = Arc::new(Mutex::new(BTreeSet::from(["somebody-s".to_owned()])));
    let known = Arc::clone(&ids);
    let server = serve(move |request, number| carts(&known, number, request)).await;
    let report = held(&server, &[]).await;
    let errors = failed(&report, Check::ServerError);
    let request = errors.iter().find_map(|error| error.request.as_ref()).expect("it breaks over forced deletions");
    assert!(request.url.contains("force=") && !request.url.contains("why="), "{}", request.url);
    let links = failed(&report, Check::Link);
    // What may be missing in an answer can't be followed there, which is nobody's fault.
    assert_eq!(links.len(), 1, "{links:#?}");
    assert!(links[0].message.contains("The link bill leads to"), "{}", links[0].message);
    let body = links[0].request.as_ref().and_then(|request| request.body.clone()).unwrap_or_default();
    let sent: Value = serde_json::from_str(&body).expect("it is JSON");
    assert_eq!(sent.as_object().map(|members| members.len()), Some(1), "{body}");
    assert!(ids.lock().expect("nobody has panicked").contains("somebody-s"));
}
