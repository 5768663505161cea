//! Contract runs against services on loopback that hold to it, break it in one place, or can't be called.

use std::time::{Duration, Instant};

use patchbay_contracts::{Code, contract::Check, run::Verdict};
use patchbay_engine::{contract::Schemas, report::junit::junit};
use patchbay_tests::{
    contract::{CREATED, contract, misses, of, run, run_in, service},
    http::{Step, answer, context, free_port, json, secret, serve},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

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
