//! Providers on loopback, held to pacts: by file, by folder and by a broker.

use std::sync::{Arc, Mutex};

use patchbay_contracts::{
    Code,
    contract::{Check, ContractKind, ContractOptions, PactOptions, Severity},
    integration::{Auth, AuthSpec},
    run::Verdict,
    units::Span,
};
use patchbay_engine::contract::pact::{Source, verify};
use patchbay_tests::{
    http::{Received, answer, context, free_port, json as answer_json, secret, serve},
    pacts::{at, file, misses, orders, pact, run, run_source},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// One reading of an order that the provider answers as asked.
fn reading() -> Value {
    json!({
        "description": "a reading",
        "request": { "method": "GET", "path": "/orders/42" },
        "response": { "status": 200, "headers": { "Content-Type": "application/json" }, "body": { "id": 42 } },
    })
}

#[tokio::test]
async fn versions_2_to_4_hold_and_the_requests_are_as_the_pacts_say() {
    let server = serve(|request, _| orders(request)).await;
    let version_2 = pact(
        "2.0.0",
        json!([reading(), {
            "description": "a list",
            "request": { "method": "get", "path": "/orders", "query": "state=open%20now&state=new&flag=", "headers": { "X-Client": "${secret:x}" } },
            "response": {
                "status": 200,
                "headers": { "X-Total": "7" },
                "body": [{ "id": 1 }],
                "matchingRules": { "$.headers.X-Total": { "match": "regex", "regex": "\\d+" }, "$.body": { "min": 1, "match": "type" } },
            },
        }]),
    );
    let version_4 = pact(
        "4.0",
        json!([{
            "type": "Synchronous/HTTP",
            "description": "a creation",
            "request": {
                "method": "POST", "path": "/orders",
                "headers": { "Content-Type": ["application/json"] },
                "body": { "contentType": "application/json", "encoded": false, "content": { "note": "${env:HOME} $ {}" } },
            },
            "response": {
                "status": 200,
                "body": { "contentType": "application/json", "encoded": false, "content": { "note": "${env:HOME} $ {}" } },
                "matchingRules": { "status": { "$": { "matchers": [{ "match": "statusCode", "status": "success" }] } } },
            },
        }]),
    );
    for pact in [version_2, pact("3.0.0", json!([reading()])), version_4] {
        let report = run(&context(), &pact, &at(&server.url)).await;
        assert_eq!(misses(&report), Vec::<String>::new());
        assert_eq!((report.verdict, report.kind, report.partial), (Verdict::Pass, ContractKind::Pact, false));
        assert_eq!((report.integration.as_str(), report.file.as_str()), ("orders", "shop-orders.json"));
        assert!(report.endpoints.iter().all(|result| result.cases == 1 && result.request.is_some()));
    }
    let received = server.received();
    assert!(
        received[1].path.starts_with("/orders?") && received[1].path.contains("state=open%20now&state=new"),
        "{}",
        received[1].path
    );
    assert_eq!(received[1].header("x-client"), Some("${secret:x}"), "what stands in a pact is no reference");
    assert_eq!(serde_json::from_str::<Value>(&received[3].body).expect("JSON"), json!({ "note": "${env:HOME} $ {}" }));
}

#[tokio::test]
async fn a_failure_says_what_is_asked_where_and_what_came() {
    let server = serve(|request, _| orders(request)).await;
    let asked = pact(
        "3.0.0",
        json!([
            { "description": "wrong status", "request": { "method": "GET", "path": "/orders/42" }, "response": { "status": 204 } },
            { "description": "wrong header", "request": { "method": "GET", "path": "/orders" }, "response": { "status": 200, "headers": { "X-Total": "2" } } },
            { "description": "wrong body", "request": { "method": "GET", "path": "/orders/42" }, "response": { "status": 200, "body": { "status": "closed", "tags": ["a", "c"] } } },
            { "description": "wrong type", "request": { "method": "GET", "path": "/orders/42" }, "response": { "status": 200, "headers": { "Content-Type": "text/plain" }, "body": "hello" } },
        ]),
    );
    let report = run(&context(), &asked, &at(&server.url)).await;
    assert_eq!(report.verdict, Verdict::Fail);
    assert_eq!(
        misses(&report),
        [
            "shop: wrong status | status | -",
            "shop: wrong header | header | -",
            "shop: wrong body | body | /status",
            "shop: wrong body | body | /tags/1",
            "shop: wrong type | content-type | -",
            "shop: wrong type | header | -",
        ]
    );
    let text = serde_json::to_string_pretty(&asked).expect("JSON");
    let line = |needle: &str| text.lines().position(|line| line.contains(needle)).map(|index| index as u32 + 1);
    let check = |endpoint: usize, check: Check| {
        report.endpoints[endpoint]
            .checks
            .iter()
            .find(|found| found.check == check && found.verdict == Verdict::Fail)
            .expect("a failure")
    };
    let placed = |endpoint, kind| check(endpoint, kind).place.as_ref().map(|place| place.line);
    assert_eq!(placed(0, Check::Status), line("204"));
    assert_eq!(placed(1, Check::Header), line("\"X-Total\""));
    assert_eq!(placed(2, Check::Body), line("\"closed\""));
    assert_eq!(
        (check(2, Check::Body).expected.as_ref(), check(2, Check::Body).actual.as_ref()),
        (Some(&json!("closed")), Some(&json!("open")))
    );
    let sent = report.endpoints[2].request.as_ref().expect("a request");
    assert!(sent.curl.contains(&format!("{}/orders/42", server.url)), "{}", sent.curl);
    assert_eq!(report.endpoints[2].status, Some(200));
}

fn with_state(description: &str, state: &str) -> Value {
    json!({
        "description": description,
        "providerStates": [{ "name": state, "params": { "kind": "big" } }],
        "request": {
            "method": "GET", "path": "/orders/1",
            "generators": { "path": { "type": "ProviderState", "expression": "/orders/${id}" } },
        },
        "response": { "status": 200 },
    })
}

#[tokio::test]
async fn states_are_set_up_with_parameters_and_taken_down() {
    let server = serve(|request, _| orders(request)).await;
    let asked = pact("3.0.0", json!([with_state("one", "an order"), with_state("two", "impossible")]));
    let states = PactOptions { states: Some(format!("{}/states", server.url)), tear_down: true, ..PactOptions::default() };
    let report = run(&context(), &asked, &ContractOptions { pact: states, ..at(&server.url) }).await;
    assert_eq!(report.endpoints[0].endpoint, "shop: one given an order");
    assert_eq!(
        misses(&report),
        ["shop: two given impossible | provider-state | -", "shop: two given impossible | provider-state | -"]
    );
    assert_eq!(report.verdict, Verdict::Fail);
    let told: Vec<String> = server
        .received()
        .iter()
        .map(|request| match serde_json::from_str::<Value>(&request.body) {
            Ok(body) => {
                format!("{} {} {}", body["action"].as_str().unwrap_or("?"), body["state"].as_str().unwrap_or("?"), body["params"])
            }
            Err(_) => request.path.clone(),
        })
        .collect();
    let big = r#"{"kind":"big"}"#;
    assert_eq!(
        told,
        [
            format!("setup an order {big}"),
            // The generator took what setting the state up gave.
            "/orders/42".to_owned(),
            format!("teardown an order {big}"),
            format!("setup impossible {big}"),
            format!("teardown impossible {big}"),
        ]
    );
}

#[tokio::test]
async fn without_a_way_to_set_states_up_the_report_says_so() {
    let server = serve(|request, _| orders(request)).await;
    let report = run(&context(), &pact("3.0.0", json!([with_state("one", "an order")])), &at(&server.url)).await;
    assert!(report.notes.iter().any(|note| note.contains("states were not set up")), "{:?}", report.notes);
    let options = ContractOptions {
        pact: PactOptions { states: Some("nonsense".to_owned()), ..PactOptions::default() },
        ..at(&server.url)
    };
    let source = Source::one(file(&pact("3.0.0", json!([reading()]))));
    let refused =
        verify(&context(), &source, &options, &CancellationToken::new(), |_| {}).await.expect_err("no way to set states up");
    assert_eq!(refused.code, Code::InvalidInput);
}

#[cfg(unix)]
#[tokio::test]
async fn states_are_set_up_by_a_command() {
    let server = serve(|request, _| orders(request)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let line = format!(
        "command: printf '%s %s %s\\n' \"$PACT_ACTION\" \"$PACT_STATE\" \"$PACT_PARAMS\" >> '{}'; [ \"$PACT_STATE\" != impossible ] && echo '{{\"id\": 42}}'",
        log.display()
    );
    let states = PactOptions { states: Some(line), tear_down: true, ..PactOptions::default() };
    let hostile = with_state("hostile", "$(touch x); 'y'");
    let asked = pact("3.0.0", json!([with_state("one", "an order"), with_state("two", "impossible"), hostile]));
    let report = run(&context(), &asked, &ContractOptions { pact: states, ..at(&server.url) }).await;
    let verdicts: Vec<Verdict> = report.endpoints.iter().map(|result| result.verdict).collect();
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Fail, Verdict::Pass]);
    let told = std::fs::read_to_string(log).expect("the command ran");
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[..2], [r#"setup an order {"kind":"big"}"#, r#"teardown an order {"kind":"big"}"#]);
    assert_eq!(lines[4], r#"setup $(touch x); 'y' {"kind":"big"}"#);
}

#[tokio::test]
async fn credentials_are_put_on_each_request_and_are_nowhere_in_the_report() {
    const CANARY: &str = "canary-0b51e9-token";
    let server = serve(|request, _| {
        let authorization = request.header("authorization").unwrap_or("none").to_owned();
        if authorization != format!("Bearer {CANARY}") {
            return answer_json("401 Unauthorized", "{}");
        }
        let body = json!({ "token": CANARY, "id": 42, "echo": authorization }).to_string();
        answer("200 OK", &format!("content-type: application/json\r\nx-echo: {authorization}\r\n"), body)
    })
    .await;
    let context = context();
    secret(&context, "token", CANARY, &["127.0.0.1"]).await;
    let asked = pact(
        "3.0.0",
        json!([
            { "description": "held", "request": { "method": "GET", "path": "/a", "headers": { "Authorization": "Bearer of the pact" } }, "response": { "status": 200, "body": { "id": 42 } } },
            { "description": "broken", "request": { "method": "GET", "path": "/a" }, "response": { "status": 200, "headers": { "X-Echo": "no" }, "body": { "token": "no", "echo": 7 } } },
        ]),
    );
    let auth = Some(Auth::Spec(AuthSpec::Bearer { token: "${secret:token}".to_owned() }));
    let headers = vec![("X-Also".to_owned(), "${secret:token}".to_owned())];
    let options = ContractOptions { auth, headers, ..at(&server.url) };
    let report = run(&context, &asked, &options).await;
    assert_eq!(report.endpoints[0].verdict, Verdict::Pass, "{:?}", report.endpoints[0]);
    assert_eq!(report.endpoints[1].verdict, Verdict::Fail);
    assert_eq!(server.received()[0].header("x-also"), Some(CANARY));
    let text = serde_json::to_string(&report).expect("JSON");
    assert!(!text.contains(CANARY), "{text}");

    // A secret of another host goes nowhere.
    secret(&context, "other", "another-secret-value", &["example.com"]).await;
    let auth = Some(Auth::Spec(AuthSpec::Bearer { token: "${secret:other}".to_owned() }));
    let before = server.received().len();
    let report = run(&context, &asked, &ContractOptions { auth, ..at(&server.url) }).await;
    assert_eq!(report.endpoints[0].problem.as_ref().map(|problem| problem.code), Some(Code::SecretHost));
    assert_eq!((report.verdict, server.received().len()), (Verdict::Inconclusive, before));
}

#[tokio::test]
async fn messages_are_asked_for_and_judged() {
    let server = serve(|request, _| orders(request)).await;
    let message = |description: &str, kind: &str, topic: &str| {
        json!({
            "description": description,
            "providerStates": [{ "name": "an order" }],
            "contents": { "type": kind, "id": 1 },
            "metaData": { "contentType": "application/json", "topic": topic },
            "matchingRules": { "body": { "$.id": { "matchers": [{ "match": "integer" }] } } },
        })
    };
    let mut version_3 = pact("3.0.0", json!([]));
    version_3["messages"] = json!([
        message("held", "created", "orders"),
        message("other type", "deleted", "orders"),
        message("other topic", "created", "x")
    ]);
    let options = ContractOptions {
        pact: PactOptions { messages: Some(format!("{}/messages", server.url)), ..PactOptions::default() },
        ..ContractOptions::default()
    };
    let report = run(&context(), &version_3, &options).await;
    assert_eq!(
        misses(&report),
        ["shop: other type given an order | body | /type", "shop: other topic given an order | metadata | -"]
    );
    let asked: Value = serde_json::from_str(&server.received()[0].body).expect("JSON");
    assert_eq!((asked["description"].as_str(), asked["providerStates"][0]["name"].as_str()), (Some("held"), Some("an order")));

    let body = |content: Value| json!({ "contentType": "application/json", "encoded": false, "content": content });
    let version_4 = pact(
        "4.0",
        json!([
            { "type": "Asynchronous/Messages", "description": "held", "contents": body(json!({ "type": "created", "id": 42 })), "metadata": { "topic": "orders" } },
            { "type": "Asynchronous/Messages", "description": "broken", "contents": body(json!({ "type": "created", "id": "x" })) },
            { "type": "Synchronous/Messages", "description": "asked", "request": { "contents": body(json!({ "q": 1 })) }, "response": [{ "contents": body(json!({ "id": 42 })) }] },
            { "type": "Synchronous/Messages", "description": "asked in vain", "request": { "contents": body(json!({ "q": 1 })) }, "response": [{ "contents": body(json!({ "id": 43 })) }] },
        ]),
    );
    let report = run(&context(), &version_4, &options).await;
    assert_eq!(misses(&report), ["shop: broken | body | /id", "shop: asked in vain | body | /id"]);
}

#[tokio::test]
async fn what_hangs_or_closes_is_inconclusive_and_the_others_are_verified() {
    let server = serve(|request, _| orders(request)).await;
    let get =
        |path: &str| json!({ "description": path, "request": { "method": "GET", "path": path }, "response": { "status": 200 } });
    let asked = pact("3.0.0", json!([get("/hangs"), get("/closes"), get("/orders/42")]));
    let report = run(&context(), &asked, &at(&server.url)).await;
    let verdicts: Vec<Verdict> = report.endpoints.iter().map(|result| result.verdict).collect();
    assert_eq!(verdicts, [Verdict::Inconclusive, Verdict::Inconclusive, Verdict::Pass]);
    assert_eq!(report.endpoints[0].problem.as_ref().map(|problem| problem.code), Some(Code::Timeout));
    assert!(report.endpoints[1].problem.is_some());
    assert_eq!(report.verdict, Verdict::Inconclusive);
    let nowhere = run(&context(), &asked, &at(&format!("http://127.0.0.1:{}", free_port().await))).await;
    assert!(nowhere.endpoints.iter().all(|result| result.problem.as_ref().is_some_and(|problem| problem.code == Code::Refused)));
    let late = ContractOptions { budget: Some(Span(std::time::Duration::ZERO)), ..at(&server.url) };
    assert!(run(&context(), &asked, &late).await.endpoints.iter().all(|result| result.verdict == Verdict::Inconclusive));
}

#[tokio::test]
async fn a_cancelled_run_keeps_what_it_has_and_is_no_pass() {
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let server = serve(move |request, before| {
        if before == 1 {
            stop.cancel();
            return vec![patchbay_tests::http::Step::Hold];
        }
        orders(request)
    })
    .await;
    let options = at(&server.url);
    // As a job in the background, which is how the engine runs it.
    let job = tokio::spawn(async move {
        let source = Source::one(file(&pact("3.0.0", json!([reading(), reading(), reading()]))));
        verify(&context(), &source, &options, &cancel, |_| {}).await
    });
    let report = job.await.expect("no panic").expect("a report");
    assert_eq!((report.endpoints.len(), report.partial, report.verdict), (1, true, Verdict::Inconclusive));
}

#[tokio::test]
async fn broken_pacts_are_told_of_with_their_place_and_the_rest_is_verified() {
    let server = serve(|request, _| orders(request)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    let broken =
        json!({ "description": "broken", "request": { "method": "GET", "path": "/orders/42" }, "response": { "status": "ok" } });
    write("a.json", &serde_json::to_string_pretty(&pact("3.0.0", json!([broken, 7, reading()]))).expect("JSON"));
    write("b.json", &serde_json::to_string_pretty(&pact("9.0.0", json!([reading()]))).expect("JSON"));
    write("c.json", "{\n  \"consumer\": ");
    write("d.json", "{}");
    write("e.json", &pact("2.0.0", json!([reading()])).to_string());
    write("notes.txt", "no pact");
    let source = Source::open(&context(), &folder.path().display().to_string(), &at(&server.url)).await.expect("a folder");
    let report = run_source(&context(), &source, &at(&server.url)).await;
    let verdicts: Vec<Verdict> = report.endpoints.iter().map(|result| result.verdict).collect();
    assert_eq!(verdicts, [Verdict::Inconclusive, Verdict::Inconclusive, Verdict::Pass, Verdict::Pass]);
    let problem = report.endpoints[0].problem.as_ref().expect("a mistake");
    assert_eq!(problem.code, Code::InvalidDefinition);
    assert!(problem.place.as_ref().is_some_and(|place| place.line > 5 && place.file.ends_with("a.json")), "{problem}");
    assert_eq!(report.problems.len(), 3, "{:?}", report.problems);
    assert!(report.problems.iter().any(|problem| problem.to_string().contains("version 9.0.0")), "{:?}", report.problems);
    assert!(report.problems.iter().any(|problem| problem.place.as_ref().is_some_and(|place| place.file.ends_with("c.json"))));
    assert_eq!(report.verdict, Verdict::Inconclusive);
    let nothing = Source::open(&context(), "nowhere.json", &at(&server.url)).await.expect_err("no such file");
    assert_eq!(nothing.code, Code::NotFound);
}

#[tokio::test]
async fn interactions_and_checks_are_chosen_by_name() {
    let server = serve(|request, _| orders(request)).await;
    let mut wrong = reading();
    wrong["description"] = json!("a wrong one");
    wrong["response"]["status"] = json!(404);
    let asked = pact("3.0.0", json!([reading(), wrong]));
    let only = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let report = run(&context(), &asked, &ContractOptions { only: only(&["*reading*"]), ..at(&server.url) }).await;
    assert_eq!((report.endpoints.len(), report.verdict), (1, Verdict::Pass));
    let report = run(&context(), &asked, &ContractOptions { skip: only(&["shop: a wrong*"]), ..at(&server.url) }).await;
    assert_eq!(report.endpoints.len(), 1);
    let report = run(&context(), &asked, &ContractOptions { skip: only(&["status"]), ..at(&server.url) }).await;
    assert_eq!((report.endpoints.len(), report.verdict), (2, Verdict::Pass));
    let report = run(&context(), &asked, &ContractOptions { warn: only(&["status"]), ..at(&server.url) }).await;
    assert_eq!((misses(&report).len(), report.verdict), (1, Verdict::Pass));
}

/// A broker with one pact that is pending and one that is not, which notes what it is told.
fn broker(request: &Received, base: &str) -> Vec<patchbay_tests::http::Step> {
    let hal = |value: Value| answer("200 OK", "content-type: application/hal+json\r\n", value.to_string());
    let consumer = if request.path.contains("new-shop") { "new-shop" } else { "shop" };
    match (request.method.as_str(), request.path.as_str()) {
        _ if request.header("authorization") != Some("Bearer broker-canary-77") => answer_json("401 Unauthorized", "{}"),
        ("GET", "/broker/") => hal(json!({ "_links": {
            "pb:provider-pacts-for-verification": { "href": format!("{base}/broker/for/{{provider}}"), "templated": true },
        } })),
        ("POST", "/broker/for/orders") => hal(json!({ "_embedded": { "pacts": [
            { "shortDescription": "latest", "verificationProperties": { "pending": false, "notices": [] }, "_links": { "self": { "href": format!("{base}/broker/pacts/shop") } } },
            { "shortDescription": "wip", "verificationProperties": { "pending": true, "notices": [] }, "_links": { "self": { "href": format!("{base}/broker/pacts/new-shop") } } },
        ] } })),
        ("GET", "/broker/pacts/shop" | "/broker/pacts/new-shop") => {
            let mut interaction = reading();
            interaction["_id"] = json!(format!("id-of-{consumer}"));
            if consumer == "new-shop" {
                interaction["response"]["status"] = json!(201);
            }
            let mut value = pact("3.0.0", json!([interaction]));
            value["consumer"]["name"] = json!(consumer);
            value["_links"] = json!({
                "pb:publish-verification-results": { "href": format!("{base}/broker/results/{consumer}") },
                "pb:provider": { "href": format!("{base}/broker/provider/orders") },
            });
            hal(value)
        }
        ("GET", "/broker/provider/orders") => hal(json!({ "_links": {
            "pb:branch-version": { "href": format!("{base}/broker/branches/{{branch}}/versions/{{version}}") },
        } })),
        ("PUT" | "POST", _) => hal(json!({})),
        _ => answer_json("404 Not Found", "{}"),
    }
}

#[tokio::test]
async fn a_broker_gives_the_pacts_and_is_told_of_the_results() {
    let provider = serve(|request, _| orders(request)).await;
    let base = Arc::new(Mutex::new(String::new()));
    let known = Arc::clone(&base);
    let server = serve(move |request, _| broker(request, &known.lock().expect("no panic"))).await;
    base.lock().expect("no panic").clone_from(&server.url);
    let context = context();
    secret(&context, "broker", "broker-canary-77", &["127.0.0.1"]).await;
    let options = ContractOptions {
        pact: PactOptions {
            provider: Some("orders".to_owned()),
            broker_auth: Some(Auth::Spec(AuthSpec::Bearer { token: "${secret:broker}".to_owned() })),
            publish: Some("1.2.3+a/b".to_owned()),
            branch: Some("feat/x".to_owned()),
            pending: true,
            wip_since: Some("2026-01-31".to_owned()),
            ..PactOptions::default()
        },
        ..at(&provider.url)
    };
    let address = format!("{}/broker/", server.url);
    // An address that answers as a broker does is one; so is one that is called so.
    let source = Source::open(&context, &address, &options).await.expect("a broker");
    assert!(matches!(&source, Source::Broker(found) if *found == address));
    assert!(
        matches!(Source::open(&context, &format!("pact-broker:{address}"), &options).await, Ok(Source::Broker(found)) if found == address)
    );

    let report = run_source(&context, &source, &options).await;
    assert_eq!(misses(&report), ["new-shop: a reading | status | -"]);
    assert_eq!(report.verdict, Verdict::Pass, "a pending pact fails no run: {:?}", report.problems);
    let pending = report.endpoints[1].checks.iter().find(|check| check.verdict == Verdict::Fail).expect("it failed");
    assert_eq!(pending.severity, Severity::Warning);
    assert!(!serde_json::to_string(&report).expect("JSON").contains("broker-canary-77"));

    let received = server.received();
    let sent = |method: &str, path: &str| {
        let found = received.iter().find(|request| request.method == method && request.path == path);
        let request =
            found.unwrap_or_else(|| panic!("no {method} {path} in {:?}", received.iter().map(|r| &r.path).collect::<Vec<_>>()));
        serde_json::from_str::<Value>(&request.body).expect("JSON")
    };
    let wanted = sent("POST", "/broker/for/orders");
    assert_eq!(
        (&wanted["includePendingStatus"], &wanted["includeWipPactsSince"], &wanted["providerVersionBranch"]),
        (&json!(true), &json!("2026-01-31"), &json!("feat/x"))
    );
    sent("PUT", "/broker/branches/feat%2Fx/versions/1%2E2%2E3%2Ba%2Fb");
    let held = sent("POST", "/broker/results/shop");
    assert_eq!((&held["success"], &held["providerApplicationVersion"]), (&json!(true), &json!("1.2.3+a/b")));
    assert_eq!(held["testResults"][0]["interactionId"], json!("id-of-shop"));
    let failed = sent("POST", "/broker/results/new-shop");
    assert_eq!((&failed["success"], &failed["testResults"][0]["mismatches"][0]["attribute"]), (&json!(false), &json!("status")));
}

#[tokio::test]
async fn only_a_whole_run_is_published() {
    let base = Arc::new(Mutex::new(String::new()));
    let known = Arc::clone(&base);
    let server = serve(move |request, _| broker(request, &known.lock().expect("no panic"))).await;
    base.lock().expect("no panic").clone_from(&server.url);
    let context = context();
    secret(&context, "broker", "broker-canary-77", &["127.0.0.1"]).await;
    let options = ContractOptions {
        pact: PactOptions {
            provider: Some("orders".to_owned()),
            broker_auth: Some(Auth::Spec(AuthSpec::Bearer { token: "${secret:broker}".to_owned() })),
            publish: Some("1".to_owned()),
            ..PactOptions::default()
        },
        ..at(&format!("http://127.0.0.1:{}", free_port().await))
    };
    let source = Source::Broker(format!("{}/broker/", server.url));
    let report = run_source(&context, &source, &options).await;
    assert_eq!(report.verdict, Verdict::Inconclusive);
    assert!(report.notes.iter().any(|note| note.contains("were not published")), "{:?}", report.notes);
    assert!(server.received().iter().all(|request| !request.path.contains("results")));
    // Without its name the broker can't be asked.
    let nameless = ContractOptions { pact: PactOptions { provider: None, ..options.pact.clone() }, ..options };
    let refused = verify(&context, &source, &nameless, &CancellationToken::new(), |_| {}).await.expect_err("no provider");
    assert_eq!(refused.code, Code::InvalidInput);
}

#[tokio::test]
async fn a_check_that_is_left_out_here_is_published_all_the_same() {
    let provider = serve(|request, _| orders(request)).await;
    let base = Arc::new(Mutex::new(String::new()));
    let known = Arc::clone(&base);
    let server = serve(move |request, _| broker(request, &known.lock().expect("no panic"))).await;
    base.lock().expect("no panic").clone_from(&server.url);
    let context = context();
    secret(&context, "broker", "broker-canary-77", &["127.0.0.1"]).await;
    let options = ContractOptions {
        skip: vec!["status".to_owned()],
        pact: PactOptions {
            provider: Some("orders".to_owned()),
            broker_auth: Some(Auth::Spec(AuthSpec::Bearer { token: "${secret:broker}".to_owned() })),
            publish: Some("1".to_owned()),
            ..PactOptions::default()
        },
        ..at(&provider.url)
    };
    let report = run_source(&context, &Source::Broker(format!("{}/broker/", server.url)), &options).await;
    assert_eq!(report.verdict, Verdict::Pass);
    let received = server.received();
    let told = received.iter().find(|request| request.path == "/broker/results/new-shop").expect("it was published");
    assert_eq!(serde_json::from_str::<Value>(&told.body).expect("JSON")["success"], json!(false));
}
