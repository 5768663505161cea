//! Contract runs against services on loopback that hold to it, break it in one place, or can't be called.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use patchbay_contracts::{
    Code,
    contract::{Check, CheckResult, ContractProgress, ContractReport, EndpointResult},
    integration::BodySchema,
    load::{LoadReport, ThresholdResult},
    run::Verdict,
};
use patchbay_engine::{
    contract::{
        Schemas,
        schema::{example, expand},
        verify,
    },
    definition,
    http::{Context, request_for},
    report::junit::{junit, junit_load},
};
use patchbay_tests::http::{Received, Step, answer, context, free_port, json, secret, serve};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// The contract that most of these tests are about, at an address.
fn contract(url: &str) -> String {
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

const CREATED: &str = r#"{"id": 42, "status": "created", "amount": 9.5}"#;
const OPEN: &str = r#"{"id": 42, "state": "open"}"#;

/// A service that holds to the contract, with another answer in one place.
fn service(request: &Received, created: &str, status: &str, version: &str) -> Vec<Step> {
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/orders") => answer(status, &format!("content-type: application/json\r\n{version}"), created),
        ("GET", "/orders/42") => json("200 OK", OPEN),
        _ => json("404 Not Found", "{}"),
    }
}

async fn run_in(
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

async fn run(text: &str) -> ContractReport {
    run_in(&context(), text, &Schemas::closed(), &CancellationToken::new()).await.0
}

fn of(endpoint: &EndpointResult, check: Check) -> Vec<&CheckResult> {
    endpoint.checks.iter().filter(|result| result.check == check).collect()
}

/// The checks that did not pass, each as one line.
fn misses(report: &ContractReport) -> Vec<String> {
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

#[tokio::test]
async fn a_service_that_holds_passes() {
    let server = serve(|request, _| service(request, CREATED, "201 Created", "x-version: 7\r\n")).await;
    let (report, progress) = run_in(&context(), &contract(&server.url), &Schemas::closed(), &CancellationToken::new()).await;
    assert_eq!(misses(&report), Vec::<String>::new());
    assert_eq!((report.verdict, report.partial), (Verdict::Pass, false));
    assert_eq!((report.version.as_deref(), report.file.as_str()), (Some("1.2"), "orders.yaml"));
    assert_eq!(report.base_url, server.url);
    let checks: Vec<Check> = report.endpoints[0].checks.iter().map(|check| check.check).collect();
    use Check::{Capture, Condition, Header, Latency, Reachable, RequestSchema, ResponseSchema, Status};
    assert_eq!(checks, [RequestSchema, Reachable, Status, Header, Header, Latency, Condition, ResponseSchema, Capture, Capture]);
    assert_eq!(report.endpoints[0].body.as_deref(), Some(CREATED));
    assert_eq!((report.endpoints[1].attempts, report.endpoints[1].status), (1, Some(200)));
    assert_eq!(of(&report.endpoints[0], Capture)[0].actual, Some(json!("42")));
    let sent = &server.received()[0];
    assert_eq!(sent.header("x-client"), Some("patchbay"));
    assert_eq!(sent.header("idempotency-key").map(str::len), Some(36));
    assert_eq!(sent.body, r#"{"amount":9.5,"currency":"USD"}"#);
    let last = progress.last().expect("the end is told");
    assert_eq!((last.done, last.total), (2, 2));
}

#[tokio::test]
async fn each_break_is_told_with_its_place() {
    let version = "x-version: 7\r\n";
    for (created, status, header, expected) in [
        (CREATED, "200 OK", version, vec!["create status fail 15:17 The status is 200, and 201 is expected"]),
        (
            CREATED,
            "201 Created",
            "",
            vec![
                "create header fail 16:63 The header X-Version did not come",
                "create capture fail 24:43 `version` can't be captured: The answer has no header X-Version",
            ],
        ),
        (
            r#"{"id": 42, "status": "created", "amount": "9.5"}"#,
            "201 Created",
            version,
            vec![r#"create response-schema fail 22:17 /amount is the text "9.5", and a number is expected"#],
        ),
        (
            r#"{"id": 42, "status": "lost", "amount": 1}"#,
            "201 Created",
            version,
            vec!["create condition fail 18:22 `[BODY].status == created` does not hold: lost == created"],
        ),
        (
            r#"{"status": "created", "amount": 1}"#,
            "201 Created",
            version,
            vec![
                "create response-schema fail 19:7 /id is missing",
                "create capture fail 24:28 `order_id` can't be captured: There is no $.id in the body",
                "read reachable inconclusive 25:7 It was not called, since ${order_id} has no value",
            ],
        ),
        (
            r#"{"id": 41, "status": "created", "amount": 1, "note": 5}"#,
            "201 Created",
            version,
            vec![
                "create response-schema fail 23:16 /note is the number 5, and a text is expected",
                "read status fail 33:7 The status is 404, and 2xx is expected",
                "read condition fail 33:30 `[BODY].id == ${order_id}` does not hold: [BODY].id (not there) == 41",
                "read response-schema inconclusive 27:7 The body was not judged, since the status 404 is not the one expected",
            ],
        ),
        (
            "<html>",
            "201 Created",
            version,
            vec![
                "create condition fail 18:22 `[BODY].status == created` does not hold: [BODY].status (the body is not JSON) == created",
                "create response-schema fail 19:7 The body is not JSON, and its schema is for JSON: expected value at line 1 column 1",
                "create capture fail 24:28 `order_id` can't be captured: There is no $.id, the body is not JSON",
                "read reachable inconclusive 25:7 It was not called, since ${order_id} has no value",
            ],
        ),
    ] {
        let server = serve(move |request, _| service(request, created, status, header)).await;
        let report = run(&contract(&server.url)).await;
        assert_eq!(misses(&report), expected, "{created} {status}");
        assert_eq!(report.verdict, Verdict::Fail);
    }
}

#[tokio::test]
async fn a_deviation_says_what_was_asked_and_what_came() {
    let created = r#"{"id": "42", "status": "created", "amount": 9.5}"#;
    let server = serve(move |request, _| service(request, created, "201 Created", "x-version: 7\r\n")).await;
    let report = run(&contract(&server.url)).await;
    let deviation = of(&report.endpoints[0], Check::ResponseSchema)[0];
    assert_eq!(deviation.pointer.as_deref(), Some("/id"));
    assert_eq!((&deviation.expected, &deviation.actual), (&Some(json!({ "type": "integer" })), &Some(json!("42"))));
    assert_eq!(deviation.place.as_ref().map(ToString::to_string).as_deref(), Some("orders.yaml:20:13"));
    let status = of(&report.endpoints[0], Check::Status)[0];
    assert_eq!((&status.expected, &status.actual), (&Some(json!(201)), &Some(json!(201))));
}

#[tokio::test]
async fn latency_is_held_to_its_bound() {
    let server = serve(|_, _| [vec![Step::Wait(Duration::from_millis(120))], answer("200 OK", "", "")].concat()).await;
    let text = |bound: &str| {
        format!(
            "integration:\n  name: o\n  base_url: {}\n  endpoints:\n    - path: /\n      expect: {{ latency: {bound} }}\n",
            server.url
        )
    };
    let report = run(&text("100ms")).await;
    assert_eq!(of(&report.endpoints[0], Check::Latency)[0].verdict, Verdict::Fail);
    assert!(of(&report.endpoints[0], Check::Latency)[0].message.contains("at most 100ms is expected"));
    assert_eq!(run(&text("60s")).await.verdict, Verdict::Pass);
    // A service that never answers breaks a promise of latency, and without one nothing can be said of it.
    let silent = serve(|_, _| vec![Step::Hold]).await;
    for (expect, verdict) in [("{ latency: 100ms }", Verdict::Fail), ("{ status: 200 }", Verdict::Inconclusive)] {
        let text = format!(
            "integration:\n  name: o\n  base_url: {}\n  endpoints:\n    - path: /\n      expect: {expect}\n  error_handling: {{ timeout: 300ms }}\n",
            silent.url
        );
        let report = run(&text).await;
        assert_eq!(report.verdict, verdict, "{expect}");
        assert_eq!(report.endpoints[0].problem.as_ref().map(|problem| problem.code), Some(Code::Timeout));
    }
}

#[tokio::test]
async fn a_service_that_can_not_be_called_is_inconclusive() {
    let url = format!("http://127.0.0.1:{}", free_port().await);
    let report = run(&contract(&url)).await;
    assert_eq!(report.verdict, Verdict::Inconclusive);
    assert_eq!(report.endpoints[0].problem.as_ref().map(|problem| problem.code), Some(Code::Refused));
    let second = report.endpoints[1].problem.as_ref().expect("it was not called");
    assert_eq!(second.code, Code::VariableMissing);
    assert!(second.why.contains("`create` should have given it"), "{second}");
    let report = run("integration:\n  name: o\n  base_url: http://127.0.0.1:1\n").await;
    assert_eq!((report.verdict, report.endpoints.len()), (Verdict::Inconclusive, 0), "nothing was judged");
}

#[tokio::test]
async fn an_answer_that_breaks_the_protocol_fails() {
    let server = serve(|_, _| vec![Step::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{".to_vec())]).await;
    let text = format!(
        "integration:\n  name: o\n  base_url: {}\n  endpoints:\n    - path: /\n      response_schema: {{ id: string }}\n      expect: {{ conditions: [\"[BODY].id == 1\", \"[STATUS] == 200\"] }}\n",
        server.url
    );
    let report = run(&text).await;
    assert_eq!(report.verdict, Verdict::Fail);
    let verdicts: Vec<(Check, Verdict)> = report.endpoints[0].checks.iter().map(|check| (check.check, check.verdict)).collect();
    use Verdict::{Fail, Inconclusive, Pass};
    assert_eq!(
        verdicts,
        [
            (Check::Reachable, Fail),
            (Check::Status, Pass),
            (Check::Condition, Inconclusive),
            (Check::Condition, Pass),
            (Check::ResponseSchema, Inconclusive)
        ]
    );
}

#[tokio::test]
async fn a_request_that_breaks_its_own_schema_is_not_sent() {
    let server = serve(|_, _| json("200 OK", "{}")).await;
    let text = format!(
        "integration:\n  name: o\n  base_url: {}\n  endpoints:\n    - method: POST\n      path: /\n      request: {{ body: {{ amount: lots, extra: 1 }} }}\n      request_schema: {{ amount: number, currency: string }}\n",
        server.url
    );
    let report = run(&text).await;
    assert_eq!(
        misses(&report),
        [
            "POST / request-schema fail 8:7 /currency is missing",
            r#"POST / request-schema fail 8:33 /amount is the text "lots", and a number is expected"#,
        ]
    );
    assert_eq!(report.endpoints[0].attempts, 0);
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_body_is_made_from_the_schema_and_an_inherited_one_is_for_requests_with_a_body() {
    let server =
        serve(
            |request, _| {
                if request.method == "DELETE" { answer("204 No Content", "", "") } else { json("200 OK", r#"{"id": "1"}"#) }
            },
        )
        .await;
    let text = format!(
        "integration:\n  name: o\n  base_url: {}\n  endpoints:\n    - {{ method: POST, path: /a }}\n    - {{ method: GET, path: /b }}\n    - {{ method: DELETE, path: /c }}\n  request_schema: {{ amount: number, when: date }}\n  response_schema: {{ id: string }}\n",
        server.url
    );
    let report = run(&text).await;
    assert_eq!(misses(&report), Vec::<String>::new());
    assert_eq!(report.verdict, Verdict::Pass);
    let bodies: Vec<String> = server.received().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies, [r#"{"amount":1,"when":"2026-01-31"}"#, "", ""]);
    let judged = |index: usize| of(&report.endpoints[index], Check::ResponseSchema).len();
    assert_eq!((judged(0), judged(1), judged(2)), (1, 1, 0));
}

#[tokio::test]
async fn schemas_may_refer_to_files_of_the_workspace_and_to_nothing_else() {
    let folder = tempfile::tempdir().expect("there is room");
    std::fs::create_dir_all(folder.path().join("work/schemas")).expect("the folder is ours");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("the folder is ours");
    write(
        "work/schemas/order.json",
        r##"{"type": "object", "required": ["id"], "properties": {"id": {"$ref": "id.json#/definitions/id"}}}"##,
    );
    write("work/schemas/id.json", r#"{"definitions": {"id": {"type": "string", "default": "made"}}}"#);
    write("work/schemas/broken.json", "{");
    write("outside.json", "{}");
    let schemas = Schemas::within(&folder.path().join("work"), "orders.yaml");
    let server = serve(|_, _| json("200 OK", r#"{"id": 5}"#)).await;
    for (reference, told) in [
        ("schemas/order.json", "/id is the number 5, and a text is expected"),
        ("schemas/none.json", "schemas/none.json"),
        ("schemas/broken.json", "isn't JSON"),
        ("../outside.json", "can't be read"),
        ("/etc/passwd", "can't be read"),
        ("file:///etc/passwd", "another address"),
        ("http://127.0.0.1:1/schema.json", "another address"),
    ] {
        let text = format!(
            "integration:\n  name: o\n  base_url: {}\n  endpoints:\n    - path: /\n      response_schema: {{ $ref: \"{reference}\" }}\n",
            server.url
        );
        let (report, _) = run_in(&context(), &text, &schemas, &CancellationToken::new()).await;
        let found = misses(&report);
        assert!(found.len() == 1 && found[0].contains(told), "{reference}: {found:?}");
        let verdict = if reference == "schemas/order.json" { Verdict::Fail } else { Verdict::Inconclusive };
        assert_eq!(report.verdict, verdict, "{reference}");
    }
    let text = format!(
        "integration:\n  name: o\n  base_url: {}\n  endpoints:\n    - {{ method: POST, path: /, request_schema: {{ $ref: schemas/order.json }} }}\n",
        server.url
    );
    let (report, _) = run_in(&context(), &text, &schemas, &CancellationToken::new()).await;
    assert_eq!(misses(&report), Vec::<String>::new());
    assert_eq!(server.received().pop().map(|request| request.body).as_deref(), Some(r#"{"id":"made"}"#));
}

#[tokio::test]
async fn the_circuit_breaker_leaves_a_failing_service_alone() {
    let server = serve(|_, count| if count == 0 { json("200 OK", "{}") } else { json("500 Error", "{}") }).await;
    let endpoints: String = (0..6).map(|n| format!("    - path: /{n}\n")).collect();
    let text = format!(
        "integration:\n  name: o\n  base_url: {}\n  endpoints:\n{endpoints}  error_handling: {{ circuit_breaker: {{ failures: 2, cool_down: 30s }} }}\n",
        server.url
    );
    let report = run(&text).await;
    use Verdict::{Fail, Inconclusive, Pass};
    let verdicts: Vec<Verdict> = report.endpoints.iter().map(|endpoint| endpoint.verdict).collect();
    assert_eq!(verdicts, [Pass, Fail, Fail, Inconclusive, Inconclusive, Inconclusive]);
    assert_eq!(server.received().len(), 3);
    let problem = report.endpoints[3].problem.as_ref().expect("it was not called");
    assert!(problem.why.contains("2 calls in a row failed") && problem.next.contains("30s"), "{problem}");
}

#[tokio::test]
async fn rate_limits_space_calls_of_the_same_operation() {
    let server = serve(|_, _| json("200 OK", "{}")).await;
    let text = format!(
        "integration:\n  name: o\n  base_url: {}\n  endpoints:\n    - {{ name: a, path: /x, rate_limit: 5/s }}\n    - {{ name: b, path: /x, rate_limit: 5/s }}\n    - {{ name: c, path: /y, rate_limit: 5/s }}\n    - {{ name: d, path: /x, rate_limit: 1/h }}\n",
        server.url
    );
    let began = Instant::now();
    let report = run(&text).await;
    assert!(began.elapsed() >= Duration::from_millis(190), "the second call waits");
    assert_eq!(server.received().len(), 3);
    assert_eq!(report.endpoints[3].verdict, Verdict::Inconclusive);
    assert!(misses(&report)[0].contains("rate limit of 1/h"), "{:?}", misses(&report));
}

#[tokio::test]
async fn retries_count_as_attempts_of_one_call() {
    let server = serve(|_, count| if count < 2 { json("503 Later", "{}") } else { json("200 OK", "{}") }).await;
    let text = format!(
        "integration:\n  name: o\n  base_url: {}\n  endpoints:\n    - path: /\n  error_handling: {{ retries: 3, delay: 1ms }}\n",
        server.url
    );
    let report = run(&text).await;
    assert_eq!((report.verdict, report.endpoints[0].attempts), (Verdict::Pass, 3));
}

#[tokio::test]
async fn a_cancelled_run_keeps_what_it_judged() {
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let server = serve(move |_, count| {
        if count == 1 {
            stop.cancel();
            return vec![Step::Hold];
        }
        json("200 OK", "{}")
    })
    .await;
    let text = format!(
        "integration:\n  name: o\n  base_url: {}\n  endpoints:\n    - path: /a\n    - path: /b\n    - path: /c\n",
        server.url
    );
    let (report, _) = run_in(&context(), &text, &Schemas::closed(), &cancel).await;
    assert_eq!((report.partial, report.endpoints.len(), report.verdict), (true, 1, Verdict::Inconclusive));
    assert!(junit(&report).contains("cancelled"));
}

#[tokio::test]
async fn secrets_and_captured_credentials_are_used_and_never_shown() {
    let server = serve(|request, _| match request.path.as_str() {
        "/login" => json("200 OK", r#"{"access_token": "session-token-1", "user": "me", "echo": "client-secret-9"}"#),
        _ => {
            let authorised = request.header("authorization") == Some("Bearer session-token-1");
            let body = format!(r#"{{"you": {:?}}}"#, request.header("authorization").unwrap_or_default());
            json(if authorised { "200 OK" } else { "401 Unauthorized" }, &body)
        }
    })
    .await;
    let text = format!(
        r#"integration:
  name: o
  base_url: {}
  endpoints:
    - name: login
      method: POST
      path: /login
      request: {{ body: {{ client_secret: "${{secret:client}}" }} }}
      request_schema: {{ client_secret: string }}
      response_schema: {{ access_token: integer, echo: integer }}
      capture: {{ access_token: $.access_token, user: $.user }}
    - name: me
      path: /me
      auth: {{ type: bearer, token: "${{access_token}}" }}
      expect: {{ conditions: ["[BODY].you == nobody"] }}
"#,
        server.url
    );
    let context = context();
    secret(&context, "client", "client-secret-9", &["127.0.0.1"]).await;
    // The second time the token is known already, and must still be taken as it came.
    for round in 0..2 {
        let (report, _) = run_in(&context, &text, &Schemas::closed(), &CancellationToken::new()).await;
        assert_eq!(report.endpoints[1].status, Some(200), "round {round}: {:?}", misses(&report));
        assert_eq!(server.received()[round * 2].body, r#"{"client_secret":"client-secret-9"}"#);
        assert_eq!(of(&report.endpoints[0], Check::Capture)[1].actual, Some(json!("me")));
        for text in [serde_json::to_string(&report).expect("a report is JSON"), junit(&report)] {
            assert!(!text.contains("session-token-1") && !text.contains("client-secret-9"), "round {round}: {text}");
        }
    }
}

#[tokio::test]
async fn a_large_body_is_cut_in_the_report() {
    let body = format!(r#"{{"text": "{}"}}"#, "é".repeat(100_000));
    let server = serve(move |_, _| json("200 OK", &body)).await;
    let text = format!(
        "integration:\n  name: o\n  base_url: {}\n  endpoints:\n    - path: /\n      response_schema: {{ text: number }}\n",
        server.url
    );
    let report = run(&text).await;
    assert!(report.endpoints[0].body.as_ref().is_some_and(|body| body.len() <= 64 * 1024 + 4));
    let text = serde_json::to_string(&report).expect("a report is JSON");
    assert!(text.len() < 200_000, "{}", text.len());
}

#[tokio::test]
async fn a_body_with_deviations_without_end_is_judged_up_to_a_bound() {
    let body = format!("[{}1]", "1,".repeat(50_000));
    let long = format!("[{}1]", "1,".repeat(1_000_000));
    for (body, most) in [(body, 100), (long, 1)] {
        let server = serve(move |_, _| json("200 OK", &body)).await;
        let text = format!(
            "integration:\n  name: o\n  base_url: {}\n  endpoints:\n    - path: /\n      response_schema: [string]\n",
            server.url
        );
        assert_eq!(of(&run(&text).await.endpoints[0], Check::ResponseSchema).len(), most);
    }
}

#[test]
fn the_short_form_stands_for_a_json_schema() {
    let object =
        |properties: Value, required: &[&str]| json!({ "type": "object", "properties": properties, "required": required });
    for (short, expected) in [
        (json!("string"), json!({ "type": "string" })),
        (json!("any"), json!({})),
        (json!("list"), json!({ "type": "array" })),
        (json!("[integer]"), json!({ "type": "array", "items": { "type": "integer" } })),
        (json!(["date-time"]), json!({ "type": "array", "items": { "type": "string", "format": "date-time" } })),
        (json!([]), json!({ "type": "array" })),
        (json!("string | null"), json!({ "type": ["string", "null"] })),
        (json!("uuid|integer"), json!({ "anyOf": [{ "type": "string", "format": "uuid" }, { "type": "integer" }] })),
        (
            json!({ "a": "number", "b?": "boolean", "c": "email?" }),
            object(
                json!({ "a": { "type": "number" }, "b": { "type": "boolean" }, "c": { "type": "string", "format": "email" } }),
                &["a"],
            ),
        ),
        (
            json!({ "a": { "b": ["string"] } }),
            object(json!({ "a": object(json!({ "b": { "type": "array", "items": { "type": "string" } } }), &["b"]) }), &["a"]),
        ),
        (
            json!([{ "id": "uri" }]),
            json!({ "type": "array", "items": object(json!({ "id": { "type": "string", "format": "uri" } }), &["id"]) }),
        ),
        // Fields may be called as keywords are.
        (
            json!({ "type": "string", "title": "string" }),
            object(json!({ "type": { "type": "string" }, "title": { "type": "string" } }), &["type", "title"]),
        ),
        (
            json!({ "id": "string", "type": "string" }),
            object(json!({ "id": { "type": "string" }, "type": { "type": "string" } }), &["id", "type"]),
        ),
        (
            json!({ "items": ["string"], "required": "boolean" }),
            object(
                json!({ "items": { "type": "array", "items": { "type": "string" } }, "required": { "type": "boolean" } }),
                &["items", "required"],
            ),
        ),
        (
            json!({ "minimum": "number", "maximum": "number" }),
            object(json!({ "minimum": { "type": "number" }, "maximum": { "type": "number" } }), &["minimum", "maximum"]),
        ),
        // A field can be held to more than its type.
        (
            json!({ "n": { "type": "integer", "minimum": 1 } }),
            object(json!({ "n": { "type": "integer", "minimum": 1 } }), &["n"]),
        ),
        // Full schemas stay as they are.
        (json!({ "type": "object", "required": ["id"] }), json!({ "type": "object", "required": ["id"] })),
        (json!({ "type": "string", "format": "email" }), json!({ "type": "string", "format": "email" })),
        (json!({ "$ref": "a.json" }), json!({ "$ref": "a.json" })),
        (json!({ "enum": ["a", 1] }), json!({ "enum": ["a", 1] })),
        (json!({ "properties": { "a": { "type": "string" } } }), json!({ "properties": { "a": { "type": "string" } } })),
        (json!({ "anyOf": [{ "type": "string" }] }), json!({ "anyOf": [{ "type": "string" }] })),
        (
            json!({ "type": ["string", "null"], "description": "a text" }),
            json!({ "type": ["string", "null"], "description": "a text" }),
        ),
    ] {
        let schema = BodySchema(short.clone());
        assert_eq!(expand(&schema).unwrap_or_else(|problem| panic!("{short}: {problem}")), expected, "{short}");
        if !short.to_string().contains("$ref") {
            Schemas::closed().check(&schema).unwrap_or_else(|problem| panic!("{short}: {problem}"));
        }
    }
    for (short, told) in [
        (json!({ "a": "strng" }), "Did you mean `string`?"),
        (json!({ "a": "int" }), "Did you mean `integer`?"),
        (json!({ "a": "DateTime" }), "Did you mean `date-time`?"),
        (json!({ "a": { "b": "bool" } }), "at /a/b"),
        (json!({ "a": 5 }), "`5` is a value"),
        (json!(["string", "number"]), "has one element"),
        (json!({ "a": "string | nul" }), "Did you mean `null`?"),
        (json!({ "a": "banana" }), "Write one of string"),
    ] {
        let problem = expand(&BodySchema(short.clone())).err().unwrap_or_else(|| panic!("{short} was taken"));
        assert_eq!(problem.code, Code::InvalidDefinition);
        assert!(problem.to_string().contains(told), "{short}: {problem}");
    }
}

#[test]
fn examples_are_what_their_schema_asks_for() {
    for schema in [
        json!({ "id": "uuid", "mail": "email", "when": "date-time", "day": "date", "at": "time", "for": "duration", "page": "uri", "host": "hostname", "four": "ipv4", "six": "ipv6" }),
        json!({ "a": "integer", "b?": "string", "c": ["number"], "d": "any", "e": "null", "f": "object", "g": "array", "h": "boolean" }),
        json!({ "type": "object", "required": ["n", "s", "l"], "properties": {
            "n": { "type": "number", "exclusiveMinimum": 10, "maximum": 10.5 },
            "s": { "type": "string", "minLength": 30, "maxLength": 40 },
            "l": { "type": "array", "items": { "type": "integer", "multipleOf": 5, "minimum": 12 }, "minItems": 3, "uniqueItems": true } } }),
        json!({ "type": "integer", "maximum": -3 }),
        json!({ "type": "integer", "exclusiveMaximum": 0, "multipleOf": 4 }),
        json!({ "allOf": [{ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] }, { "properties": { "b": { "const": 1 } }, "required": ["b"] }] }),
        json!({ "oneOf": [{ "type": "string", "enum": ["x"] }, { "type": "integer" }] }),
        json!({ "$defs": { "node": { "type": "object", "properties": { "next": { "$ref": "#/$defs/node" } } } }, "$ref": "#/$defs/node" }),
        json!({ "type": ["null", "string"], "default": "d" }),
        json!({ "type": "array", "prefixItems": [{ "type": "string" }, { "type": "boolean" }] }),
        json!({ "minLength": 3 }),
    ] {
        let expanded = expand(&BodySchema(schema.clone())).unwrap_or_else(|problem| panic!("{schema}: {problem}"));
        let made = example(&expanded);
        assert_eq!(made, example(&expanded), "the same schema gives the same example");
        let validator = jsonschema::options().should_validate_formats(true).build(&expanded).expect("it is a schema");
        let recursive = schema.to_string().contains("node");
        let errors: Vec<String> = validator.iter_errors(&made).map(|error| error.to_string()).collect();
        assert!(errors.is_empty() || recursive, "{schema} gave {made}: {errors:?}");
    }
}

#[test]
fn a_request_is_what_its_endpoint_describes() {
    let parse = |text: &str| {
        let parsed = definition::parse("o.yaml", text.as_bytes());
        parsed.definition.unwrap_or_else(|| panic!("{:?}", parsed.problems))
    };
    let integration = parse(
        r#"integration:
  name: my orders
  base_url: "http://x.example/base/"
  auth: bearer
  headers: { Accept: text/plain, X-Both: a }
  endpoints:
    - path: /a/{id}/{v}
      params: { id: "a/b c", v: "${env:v}-1" }
      query: { q: x y, n: 5, ok: true }
      headers: { x-both: b }
    - { path: "/b?c=d", auth: none }
    - { path: "https://other.example/c" }
    - { method: POST, path: "/d", auth: basic, request: { body: "text" } }
    - { method: PUT, path: "/", auth: { type: api_key, value: "${secret:k}" }, request: { body: [1], content_type: application/x-custom } }
  error_handling: { timeout: 3s }
"#,
    );
    let requests: Vec<_> =
        integration.endpoints.iter().map(|endpoint| request_for(&integration, endpoint).expect("it is sound")).collect();
    let urls: Vec<&str> = requests.iter().map(|request| request.url.as_str()).collect();
    assert_eq!(
        urls,
        [
            "http://x.example/base/a/a%2Fb%20c/${env:v}-1",
            "http://x.example/base/b?c=d",
            "https://other.example/c",
            "http://x.example/base/d",
            "http://x.example/base/",
        ]
    );
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(requests[0].query, [pair("q", "x y"), pair("n", "5"), pair("ok", "true")]);
    assert_eq!(requests[0].headers, [pair("Accept", "text/plain"), pair("x-both", "b")]);
    let auth: Vec<Value> = requests.iter().map(|request| serde_json::to_value(&request.auth).expect("it is JSON")).collect();
    assert_eq!(
        auth,
        [
            json!({ "type": "bearer", "token": "${secret:my-orders-token}" }),
            json!({ "type": "none" }),
            json!({ "type": "bearer", "token": "${secret:my-orders-token}" }),
            json!({ "type": "basic", "username": "${env:username}", "password": "${secret:my-orders-password}" }),
            json!({ "type": "api_key", "name": "X-API-Key", "value": "${secret:k}", "in": "header" }),
        ]
    );
    assert_eq!(requests[3].body.as_deref(), Some("text"));
    assert_eq!(requests[4].headers.last(), Some(&pair("Content-Type", "application/x-custom")));
    assert_eq!((requests[4].body.as_deref(), requests[4].timeout.map(|span| span.to_string())), (Some("[1]"), Some("3s".into())));
    let mut endpoint = integration.endpoints[0].clone();
    endpoint.path = "/a/{idd}".into();
    let problem = request_for(&integration, &endpoint).expect_err("it has no value");
    assert!(problem.to_string().contains("Did you mean {id}?"), "{problem}");
    let without = parse("integration: { name: o, endpoints: [{ path: /a }] }");
    assert_eq!(request_for(&without, &without.endpoints[0]).expect("it is sound").url, "${env:base_url}/a");
}

/// The elements of an XML document with their attributes, read strictly: anything that isn't well-formed panics.
fn elements(xml: &str) -> Vec<(String, BTreeMap<String, String>)> {
    assert!(xml.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t')), "control characters");
    let mut open: Vec<String> = Vec::new();
    let mut found = Vec::new();
    let mut rest = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").expect("it begins as XML does");
    while let Some((text, tag)) = rest.split_once('<') {
        assert!(!text.contains('>'), "{text}");
        let (tag, after) = tag.split_once('>').expect("tags end");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let pattern = regex::Regex::new(r#"\G?([a-z]+)="([^"<]*)"\s*"#.trim_start_matches(r"\G?")).expect("it is one");
        let values = pattern.captures_iter(attributes).map(|found| (found[1].to_owned(), found[2].to_owned())).collect();
        assert_eq!(pattern.replace_all(attributes, ""), "", "attributes are well-formed");
        found.push((name.to_owned(), values));
        if !empty {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty());
    for reference in xml.split('&').skip(1) {
        let name = reference.split(';').next().unwrap_or_default();
        assert!(["amp", "lt", "gt", "quot", "#10", "#9", "#13"].contains(&name), "&{name}");
    }
    found
}

#[tokio::test]
async fn junit_says_what_the_report_says() {
    let created = "{\"id\": 42, \"status\": \"<&\\u0001\\\"]]>\", \"amount\": \"x\"}";
    let server = serve(move |request, _| service(request, created, "200 OK", "x-version: 7\r\n")).await;
    let report = run(&contract(&server.url)).await;
    let xml = junit(&report);
    let elements = elements(&xml);
    let of = |name: &str| elements.iter().filter(|(element, _)| element == name).map(|(_, values)| values).collect::<Vec<_>>();
    let suite = of("testsuite")[0];
    assert_eq!((suite["tests"].as_str(), suite["failures"].as_str(), suite["errors"].as_str()), ("14", "3", "0"), "{xml}");
    assert_eq!(of("testcase").len(), 14);
    assert_eq!(of("testcase")[0]["classname"], "orders.create");
    let types: Vec<&str> = of("failure").iter().map(|failure| failure["type"].as_str()).collect();
    assert_eq!(types, ["status", "condition", "response-schema"]);
    assert!(of("failure")[2]["message"].contains("/amount is the text &quot;x&quot;"), "{xml}");
    assert!(xml.contains("at orders.yaml:22:17"), "{xml}");
    let refused = run(&contract("http://127.0.0.1:1")).await;
    let xml = junit(&refused);
    assert!(xml.contains("errors=\"2\"") && xml.contains("<error type=\"reachable\""), "{xml}");
}

#[test]
fn junit_has_a_case_for_each_threshold() {
    let report = |verdict, thresholds: Vec<(&str, Verdict)>| LoadReport {
        target: "orders <a>".into(),
        request: String::new(),
        spec: Default::default(),
        at: 0,
        duration_ms: 1500.0,
        verdict,
        partial: false,
        totals: Default::default(),
        latency: Default::default(),
        schedule_lag: None,
        statuses: Vec::new(),
        errors: Vec::new(),
        timeline: Vec::new(),
        thresholds: thresholds
            .into_iter()
            .map(|(text, verdict)| ThresholdResult { text: text.into(), verdict, actual: "7 ms".into() })
            .collect(),
        notes: vec!["the generator was the bottleneck".into()],
        histogram: Vec::new(),
    };
    use Verdict::{Fail, Inconclusive, Pass};
    for (report, tests, failures, errors) in [
        (report(Pass, vec![("p95 < 500ms", Pass), ("errors < 1%", Pass)]), "2", "0", "0"),
        (report(Fail, vec![("p95 < 5ms", Fail), ("errors < 1%", Pass)]), "2", "1", "0"),
        // The generator could not vouch for what its thresholds say.
        (report(Inconclusive, vec![("p95 < 500ms", Pass)]), "2", "0", "1"),
        (report(Pass, Vec::new()), "1", "0", "0"),
    ] {
        let elements = elements(&junit_load(&report));
        let suite = &elements.iter().find(|(name, _)| name == "testsuite").expect("there is one").1;
        assert_eq!((suite["tests"].as_str(), suite["failures"].as_str(), suite["errors"].as_str()), (tests, failures, errors));
        assert_eq!(suite["time"], "1.500");
    }
}
