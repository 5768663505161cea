//! A load plan written for k6, run by the real k6, and what it found read back into the history.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use patchbay_contracts::ipc::dispatch;
use patchbay_engine::{
    Engine,
    engine::Config,
    ports::{Dice, Ports, SystemClock},
    secrets::keychain,
};
use patchbay_tests::{
    mutual::{Asks, Issuer, Mutual, VALID},
    peers,
    program::Desk,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};

/// A request as it came in: names of headers in lower case and in order.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

type Answer = fn(&Seen, usize) -> (u16, String);

/// A service on loopback that keeps what it gets, and ends with the test.
struct Recorder {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    _runtime: Runtime,
}

impl Recorder {
    fn new(answer: Answer) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let router = Router::new().fallback(record).with_state((Arc::clone(&seen), answer));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("loopback has ports");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url, seen, _runtime: runtime }
    }

    /// What came since this was asked last.
    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().expect("nobody panics with it"))
    }
}

async fn record(State((all, answer)): State<(Arc<Mutex<Vec<Seen>>>, Answer)>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a small body");
    let mut headers: Vec<(String, String)> =
        parts.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned())).collect();
    headers.sort();
    let seen = Seen {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        headers,
        body: String::from_utf8(body.to_vec()).expect("text"),
    };
    let (status, body) = {
        let mut all = all.lock().expect("nobody panics with it");
        all.push(seen.clone());
        answer(&seen, all.len() - 1)
    };
    (StatusCode::from_u16(status).expect("a status"), [(CONTENT_TYPE, "application/json")], body).into_response()
}

fn fine(_: &Seen, _: usize) -> (u16, String) {
    (200, r#"{"id": "a/b c", "status": "created", "total": 3, "items": [1, 2]}"#.to_owned())
}

/// Runs an exported script and gives what k6 came to; its summary is `summary.json` in the workspace. It ends by itself
/// after seconds, and is ended after a minute.
fn k6(desk: &Desk, script: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(peers::k6());
    command.args(["run", "--no-usage-report", "--quiet", script]).current_dir(desk.workspace()).stdin(Stdio::null());
    command.env("HOME", desk.folder()).envs(variables.iter().copied());
    for name in ["PATCHBAY_SUMMARY", "K6_OUT", "http_proxy", "HTTP_PROXY"] {
        if !variables.iter().any(|(known, _)| *known == name) {
            command.env_remove(name);
        }
    }
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("k6 starts");
    let id = child.id();
    let (ended, over) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        if over.recv_timeout(Duration::from_secs(60)).is_err() {
            // By its number, which stays its own until it is waited for.
            let _ = Command::new("kill").arg(id.to_string()).status();
        }
    });
    let output = child.wait_with_output().expect("k6 ends");
    let _ = ended.send(());
    watch.join().expect("the watch ends");
    output
}

#[track_caller]
fn exits(output: &Output, status: i32) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(output.status.code(), Some(status), "{}\n{}", text(&output.stdout), text(&output.stderr));
}

fn text_of(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

const SECRET: &str = "canary-5d41402abc4b2a76";

#[test]
fn k6_sends_the_very_requests_of_patchbays_own_run() {
    let service = Recorder::new(fine);
    let mut desk = Desk::new();
    desk.set("PATCHBAY_SECRET_SHOP_TOKEN", SECRET);
    desk.set("PATCHBAY_SECRET_QUERY_KEY", SECRET);
    desk.write(
        "shop.yaml",
        &format!(
            r#"integration:
  name: shop
  base_url: {}/base
  auth: {{ type: bearer, token: "${{secret:shop-token}}" }}
  headers: {{ Accept: application/json, X-Trace: "a, \"b\" $${{not a reference}}" }}
  endpoints:
    - name: create
      method: POST
      path: /orders/{{id}}/`it's`?first=1
      params: {{ id: "4/2 ä" }}
      query: {{ q: "a b&c", key: "${{secret:query-key}}" }}
      request: {{ body: {{ amount: 99.99, note: "</script> \" \\ \u2028 ü ${{secret:shop-token}}" }} }}
    - name: plain
      path: /health
"#,
            service.url
        ),
    );
    for endpoint in ["create", "plain"] {
        let target = format!("shop/{endpoint}");
        desk.run(&["load", &target, "--connections", "1", "--duration", "500ms"]).held_or_was_held_up();
        let own = service.take();
        let words = ["load", &target, "--connections", "1", "--duration", "1s", "--export", "k6=shop.js", "--json"];
        desk.run(&words).exits(0);
        let script = text_of(&desk.workspace().join("shop.js"));
        assert!(!script.contains(SECRET), "{script}");
        let ran = k6(&desk, "shop.js", &[("PATCHBAY_SECRET_SHOP_TOKEN", SECRET), ("PATCHBAY_SECRET_QUERY_KEY", SECRET)]);
        exits(&ran, 0);
        let theirs = service.take();
        assert_eq!(theirs.first(), own.first(), "the first request to {endpoint}");
        assert!(theirs.iter().all(|one| *one == theirs[0]), "each of its requests is the same");
        assert!(own[0].header("authorization").ends_with(SECRET));
    }
    // Without the variable nothing goes out, and k6 says which one is missing.
    let ran = k6(&desk, "shop.js", &[]);
    assert_ne!(ran.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("PATCHBAY_SECRET_SHOP_TOKEN"), "{ran:?}");
    assert!(service.take().is_empty());
}

#[test]
fn a_chain_runs_with_its_setup_data_captures_and_checks() {
    let service = Recorder::new(|seen, _| match seen.path.as_str() {
        "/login" => (200, r#"{"token": "t\"1"}"#.to_owned()),
        _ => fine(seen, 0),
    });
    let desk = Desk::new();
    desk.write("users.csv", "user,age\n\"Ann \"\"A\"\"\",31\nBen,32\nCid,33\n");
    desk.write(
        "shop.yaml",
        &format!(
            r#"integration:
  name: shop
  base_url: {}
  endpoints:
    - {{ name: login, method: POST, path: /login, capture: {{ token: "$.token" }} }}
    - name: create
      method: POST
      path: /orders
      headers: {{ X-Token: "${{token}}" }}
      request: {{ body: {{ user: "${{user}}", age: 1 }}, idempotency_key: true }}
      expect:
        status: [200, 2xx]
        latency: 5s
        headers: {{ content-type: "application/json" }}
        conditions: ["[BODY].status == created", "[BODY].total > 2", "len([BODY].items) == 2", "[BODY].status == pat(cr*d)",
          "[STATUS] == any(200, 201)", "has([BODY].nothing) == false", "[RESPONSE_TIME] < 5s"]
      capture: {{ order_id: "$.id" }}
    - {{ name: show, path: "/orders/${{order_id}}" }}
    - {{ name: leave, method: DELETE, path: "/login/${{token}}" }}
  load:
    connections: 1
    duration: 20s
    chain: [create, show]
    setup: [login]
    teardown: [leave]
    data: [{{ file: users.csv, order: once }}]
    think_time: 10ms..20ms
    timeout: 5s
    thresholds: ["errors < 1%", "create: p50 < 5s", "requests == 6", "show: max < 5s", "p95 < 5s over 1s"]
"#,
            service.url
        ),
    );
    let said = desk.run(&["load", "shop", "--export", "k6=shop.js"]).exits(0).stdout;
    assert!(said.contains("note: The threshold `p95 < 5s over 1s` is left out"), "{said}");
    exits(&k6(&desk, "shop.js", &[]), 0);
    let seen = service.take();
    let lines: Vec<String> = seen.iter().map(|one| format!("{} {}", one.method, one.path)).collect();
    let round = ["POST /orders", "GET /orders/a%2Fb%20c"];
    let expected: Vec<&str> = ["POST /login"].into_iter().chain(round.repeat(3)).chain(["DELETE /login/t%221"]).collect();
    assert_eq!(lines, expected);
    let created: Vec<&Seen> = seen.iter().filter(|one| one.path == "/orders").collect();
    let users: Vec<String> = created
        .iter()
        .map(|one| serde_json::from_str::<Value>(&one.body).expect("JSON")["user"].as_str().expect("a user").to_owned())
        .collect();
    assert_eq!(users, ["Ann \"A\"", "Ben", "Cid"]);
    assert_eq!(created[0].header("x-token"), "t\"1");
    assert_ne!(created[0].header("idempotency-key"), created[1].header("idempotency-key"));
    assert_eq!(created[0].header("idempotency-key").len(), 36);

    let summary = text_of(&desk.workspace().join("summary.json"));
    assert!(!summary.contains("setup_data"), "what the setup captured may be a credential");
    // One threshold can't be judged by k6, so the whole isn't a pass.
    let run = desk.run(&["load", "shop", "--from-k6", "summary.json", "--json"]).exits(3).json();
    let report = &run["report"];
    assert_eq!(report["totals"]["sent"], 6);
    assert_eq!(report["totals"]["answered"], 6);
    assert_eq!(report["totals"]["failed"], 0);
    assert_eq!(report["totals"]["iterations"], 3);
    assert_eq!(report["endpoints"][1]["sent"], 3);
    let verdicts: Vec<&str> =
        report["thresholds"].as_array().expect("a list").iter().map(|one| one["verdict"].as_str().expect("a word")).collect();
    assert_eq!(verdicts, ["pass", "pass", "pass", "pass", "inconclusive"]);
    assert!(report["latency"]["p95_ms"].as_f64().expect("a figure") > 0.0);
    let history = desk.run(&["history", "shop", "--kind", "load", "--json"]).exits(0).json();
    assert_eq!(history[0]["id"], run["summary"]["id"]);
}

#[test]
fn broken_thresholds_fail_with_k6_and_in_the_history() {
    let service = Recorder::new(|seen, count| if count % 2 == 0 { (503, "{}".to_owned()) } else { fine(seen, 0) });
    let desk = Desk::new();
    desk.write(
        "shop.yaml",
        &format!(
            r#"integration:
  name: shop
  base_url: {}
  endpoints:
    - {{ name: one, path: /one }}
    - {{ name: two, path: "/two,{{x}}:'\"", params: {{ x: "1" }}, expect: {{ conditions: ["[BODY].id == nobody"] }} }}
  load:
    executor: constant-arrival-rate
    rate: 20/s
    connections: 20
    duration: 2s
    timeout: 5s
    mix: [{{ endpoint: one, weight: 3 }}, {{ endpoint: two }}]
    thresholds: ["errors < 5%", "rate > 1/s", "p95 < 5s", "one: errors < 99%", "requests < 3"]
"#,
            service.url
        ),
    );
    desk.run(&["load", "shop", "--export", "k6=shop.js"]).exits(0);
    let mut command = Command::new(peers::k6());
    command.args(["run", "--no-usage-report", "--quiet", "--summary-export", "export.json", "shop.js"]);
    let ran = command.current_dir(desk.workspace()).env("HOME", desk.folder()).output().expect("k6 starts");
    exits(&ran, 99);
    let count = service.take().len() as u64;
    // The data of the script, and k6's own export, which writes a threshold's outcome the other way round.
    for file in ["summary.json", "export.json"] {
        let run = desk.run(&["load", "shop", "--from-k6", file, "--json"]).exits(1).json();
        let report = &run["report"];
        assert_eq!(report["verdict"], "fail", "{file}");
        assert_eq!(report["totals"]["sent"], count, "{file}");
        let failed = report["totals"]["failed"].as_u64().expect("a count");
        // Every other request, and those to `two` that were answered with the wrong body.
        assert!(failed >= count / 2 && failed < count, "{file}: {failed} of {count}");
        let verdicts: Vec<&str> =
            report["thresholds"].as_array().expect("a list").iter().map(|one| one["verdict"].as_str().expect("a word")).collect();
        assert_eq!(verdicts, ["fail", "pass", "pass", "pass", "fail"], "{file}: {}", report["thresholds"]);
    }
    let history = desk.run(&["history", "shop", "--json"]).exits(0).json();
    assert_eq!(history[0]["verdict"], "fail");
    assert_eq!(history.as_array().expect("a list").len(), 2);
}

#[test]
fn a_manifest_holds_the_script_and_names_its_secrets() {
    let mut desk = Desk::new();
    desk.set("PATCHBAY_SECRET_SHOP_API_KEY", SECRET);
    desk.write(
        "shop.yaml",
        "integration:
  name: shop
  base_url: https://shop.example
  auth: api_key
  endpoints: [{ name: \"o'ne: \\\"x\\\" */\", path: /one }]
  load: { executor: ramping-arrival-rate, stages: [{ to: 90/min, over: 10s }], thresholds: [\"requests > 8\", \"errors < 1%\"] }
",
    );
    let words = ["load", "shop", "--export", "k6-operator=shop.yml", "--parallelism", "4", "--json"];
    let said = desk.run(&words).exits(0).json();
    assert_eq!(said[0]["variables"][0], "PATCHBAY_SECRET_SHOP_API_KEY");
    let text = text_of(&desk.workspace().join("shop.yml"));
    assert!(!text.contains(SECRET));
    let (map, run) = text.split_once("\n---\n").expect("two documents");
    let read =
        |text: &str| patchbay_engine::contract::document::Document::parse("shop.yml", text.as_bytes()).expect("YAML").value;
    let (map, run) = (read(map), read(run));
    assert_eq!(map["kind"], "ConfigMap");
    assert_eq!((run["apiVersion"].as_str(), run["kind"].as_str()), (Some("k6.io/v1alpha1"), Some("TestRun")));
    assert_eq!(run["spec"]["parallelism"], 4);
    assert_eq!(run["spec"]["script"]["configMap"]["name"], map["metadata"]["name"]);
    let env = run["spec"]["runner"]["env"].as_array().expect("a list");
    let key = env.iter().find(|one| one["name"] == "PATCHBAY_SECRET_SHOP_API_KEY").expect("the secret");
    assert_eq!(key["valueFrom"]["secretKeyRef"]["key"], "PATCHBAY_SECRET_SHOP_API_KEY");
    let script = map["data"]["script.js"].as_str().expect("the script");
    assert!(script.contains("\"count>2\""), "a share of the requests for each pod");
    // k6 understands it: the options come out as they went in.
    std::fs::write(desk.workspace().join("shop.js"), script).expect("a file");
    let mut command = Command::new(peers::k6());
    let ran = command
        .args(["inspect", "shop.js"])
        .current_dir(desk.workspace())
        .env("HOME", desk.folder())
        .output()
        .expect("k6 starts");
    exits(&ran, 0);
    let options: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    let load = &options["scenarios"]["load"];
    assert_eq!(load["executor"], "ramping-arrival-rate");
    assert_eq!(load["stages"][0]["target"], 90);
    assert_eq!(load["timeUnit"], "1m0s");
}

#[test]
fn what_k6_has_no_word_for_is_refused_or_said() {
    let desk = Desk::new();
    let write = |load: &str| {
        desk.write(
            "shop.yaml",
            &format!(
                "integration:\n  name: shop\n  base_url: http://127.0.0.1:9\n  load_limits: {{ rate: 100/s }}\n  endpoints: [{{ path: /one, capture: {{ later: $.id }} }}, {{ path: '/${{later}}' }}]\n  load: {load}\n"
            ),
        );
    };
    let refused = |load: &str, status: i32, says: &str| {
        write(load);
        let ran = desk.run(&["load", "shop", "--export", "k6=shop.js"]).exits(status);
        assert!(ran.stderr.contains(says), "{load} should say {says:?}:\n{}", ran.stderr);
        assert!(!desk.workspace().join("shop.js").exists());
    };
    let open = "executor: constant-arrival-rate, rate: 5/s";
    refused(&format!("{{ {open}, protocol: websocket }}"), 3, "WebSocket");
    refused(&format!("{{ {open}, protocol: http/2 }}"), 3, "HTTP/2 without TLS");
    refused("{ executor: ramping-arrival-rate, stages: [{ to: 5/s, over: 1s }], iterations: 3 }", 3, "number of iterations");
    refused("{ executor: constant-arrival-rate, rate: 500/s }", 2, "load_limits");
    refused(&format!("{{ {open}, chain: ['/${{later}}', /one] }}"), 2, "captures `later`");
    write(&format!("{{ {open}, spacing: poisson, connect_rate: 5/s }}"));
    let said = desk.run(&["load", "shop", "--export", "k6=shop.js"]).exits(0).stdout;
    let script = text_of(&desk.workspace().join("shop.js"));
    for word in ["Poisson", "opens connections"] {
        assert!(said.contains(word) && script.contains(word), "{said}");
    }
    let ran = desk.run(&["load", "shop", "--export", "locust=x.py"]).exits(2);
    assert!(ran.stderr.contains("k6-operator"), "{}", ran.stderr);
    desk.write("bad.json", "{\"metrics\": {}}");
    desk.run(&["load", "shop", "--from-k6", "bad.json"]).exits(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_exports_and_imports_as_the_command_does() {
    let desk = Desk::new();
    desk.write("shop.yaml", "integration: { name: shop, base_url: 'http://127.0.0.1:9', endpoints: [{ path: /one }] }");
    let ports =
        Ports { clock: Arc::new(SystemClock::default()), random: Arc::new(Dice::seeded(1)), keychain: keychain::memory() };
    let config = Config { workspace: Some(desk.workspace()), ports: Some(ports), ..Config::default() };
    let engine = Engine::open(config).await.expect("it opens");
    let spec = json!({ "connections": 2, "duration": "1s", "thresholds": ["p50 < 10ms", "errors < 1%"] });
    for (format, has) in [("k6", "constant-vus"), ("k6-operator", "kind: TestRun")] {
        let words = json!({ "integration": "shop", "spec": spec, "format": format });
        let file = dispatch(&engine, "export_load", words).await.expect("a file");
        let file = Path::new(file.as_str().expect("a path"));
        assert!(file.starts_with(desk.workspace().join("reports")), "{}", file.display());
        assert!(text_of(file).contains(has));
    }
    let metrics = json!({
        "http_reqs": { "count": 200, "rate": 100 },
        "http_req_failed": { "passes": 4, "fails": 196, "value": 0.02, "thresholds": { "rate<0.01": true } },
        "http_req_duration": { "count": 200, "med": 5, "p(50)": 5, "p(95)": 9, "thresholds": { "p(50)<10": false } },
    });
    let summary =
        json!({ "metrics": metrics, "patchbay": { "integration": "shop", "spec": spec, "ended": 1_800_000_002_000_i64 } });
    desk.write("summary.json", &summary.to_string());
    let file = desk.workspace().join("summary.json");
    let words = json!({ "integration": "shop", "summary": file });
    let run = dispatch(&engine, "import_load", words.clone()).await.expect("a run");
    assert_eq!((run["verdict"].as_str(), run["at"].as_i64()), (Some("fail"), Some(1_800_000_000_000)));
    let report = dispatch(&engine, "run", json!({ "id": run["id"] })).await.expect("a report")["report"].clone();
    assert_eq!(report["totals"]["failed"], 4);
    assert_eq!(report["totals"]["rate"], 100.0);
    assert_eq!(report["latency"]["p95_ms"], 9.0);
    let verdicts: Vec<&Value> = report["thresholds"].as_array().expect("a list").iter().map(|one| &one["verdict"]).collect();
    assert_eq!(verdicts, ["pass", "fail"]);
    // Another integration's summary isn't taken for one of this.
    desk.write("summary.json", &summary.to_string().replace("\"shop\"", "\"store\""));
    assert!(dispatch(&engine, "import_load", words).await.is_err());
    engine.close().await;
}

#[test]
fn k6_shows_the_certificate_of_the_client_and_its_key_is_in_no_script() {
    let issuer = Issuer::new("Private Authority");
    let client = issuer.issue("Orders Client", &[], VALID);
    let service = Mutual::start(&issuer, Asks::Always(&issuer), |_| "200 OK\n\nhello".to_owned());
    let desk = Desk::new();
    desk.write("ca.pem", &issuer.pem());
    // What tools often put into one file.
    desk.write("client.pem", &format!("{}{}", client.key, client.certificate));
    desk.write(
        "orders.yaml",
        &format!(
            "integration:\n  name: orders\n  base_url: {}\n  tls: {{ ca: ca.pem, certificate: client.pem, key: \"${{secret:client-key}}\" }}\n  \
             endpoints: [{{ name: one, path: /one }}]\n  load: {{ endpoint: one, connections: 1, iterations: 5 }}\n",
            service.url("localhost")
        ),
    );
    desk.run(&["load", "orders", "--export", "k6=plan.js", "--export", "k6-operator=plan.yaml"]).exits(0);
    for file in ["plan.js", "plan.yaml"] {
        let text = text_of(&desk.workspace().join(file));
        for line in client.key.lines().filter(|line| !line.starts_with("-----")) {
            assert!(!text.contains(line), "{file}");
        }
        assert!(text.contains("tlsAuth") && text.contains("PATCHBAY_SECRET_CLIENT_KEY"), "{file}: {text}");
        assert!(text.contains("SSL_CERT_FILE=ca.pem"), "{file} says what k6 has no option for: {text}");
    }
    let ca = desk.workspace().join("ca.pem").display().to_string();
    let variables = [("SSL_CERT_FILE", ca.as_str()), ("PATCHBAY_SECRET_CLIENT_KEY", client.key.as_str())];
    exits(&k6(&desk, "plan.js", &variables), 0);
    let calls = service.calls();
    assert!(calls.len() == 5 && calls.iter().all(|call| call.is_by(&client)), "{calls:?}");

    let without = k6(&desk, "plan.js", &variables[..1]);
    assert!(!without.status.success());
    assert!(String::from_utf8_lossy(&without.stderr).contains("PATCHBAY_SECRET_CLIENT_KEY is not set"), "{without:?}");
    assert_eq!(service.calls().len(), 5);
}
