//! Credentials go where they were meant to go, and nowhere else: not to another host, not into a file, not into a log,
//! not over the wire to the page.

use std::{path::Path, sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use patchbay_contracts::ipc::{self, Event};
use patchbay_engine::{
    Engine,
    engine::Config,
    ports::{Dice, Ports, SystemClock},
    secrets::keychain,
};
use patchbay_tests::{echo::Echo, program::Desk};
use serde_json::{Value, json};

/// With what base64, URLs and JSON each write differently.
const CANARY: &str = "c4n@ry+7fK9/wQ\"x&z=%41ü~end";

/// Each way to write the canary, whole and in the parts that a log may cut it to.
fn forms() -> Vec<String> {
    let mut forms = vec![CANARY.to_owned(), "c4n@ry".to_owned(), "fK9/wQ".to_owned()];
    for before in ["", "x", "xx"] {
        let encoded = BASE64_STANDARD.encode(format!("{before}{CANARY}{before}"));
        // The first and the last four letters depend on what stands around the value.
        forms.push(encoded[4..encoded.len() - 8].to_owned());
        forms.push(encoded[4..encoded.len() - 8].replace('+', "-").replace('/', "_"));
    }
    forms.push(percent_encoding::utf8_percent_encode(CANARY, percent_encoding::NON_ALPHANUMERIC).to_string());
    forms.push("c4n%40ry".to_owned());
    forms.push(serde_json::to_string(CANARY).expect("a JSON text").trim_matches('"').to_owned());
    forms.sort();
    forms.dedup();
    forms
}

fn assert_clean(place: &str, bytes: &[u8]) {
    for form in forms() {
        let found = bytes.windows(form.len()).position(|window| window == form.as_bytes());
        if let Some(at) = found {
            let around = &bytes[at.saturating_sub(80)..(at + form.len() + 20).min(bytes.len())];
            panic!("the canary stands in {place} as {form:?}: …{}…", String::from_utf8_lossy(around));
        }
    }
}

/// All files below a folder, the database with its log among them.
fn assert_folder_clean(folder: &Path) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files += assert_folder_clean(&path);
        } else {
            assert_clean(&path.display().to_string(), &std::fs::read(&path).expect("a file"));
            files += 1;
        }
    }
    files
}

fn definition(echo: &Echo) -> String {
    format!(
        "integration:
  name: canary
  base_url: {base}
  auth: {{ type: bearer, token: \"${{secret:canary}}\" }}
  endpoints:
    - {{ name: plain, path: /plain }}
    - name: everywhere
      method: POST
      path: /everywhere
      query: {{ key: \"${{secret:canary}}\" }}
      headers: {{ X-Key: \"${{secret:canary}}\" }}
      request: {{ body: {{ key: \"${{secret:canary}}\" }} }}
      response_schema: {{ amount: number, plain: integer, authorization: integer }}
      expect: {{ conditions: [\"[BODY].authorization == nothing\", \"[BODY].plain == pat(nothing)\"], headers: {{ X-Echo: nothing }} }}
      capture: {{ stolen: \"$.authorization\" }}
    - {{ name: basic, path: /broken, auth: {{ type: basic, username: me, password: \"${{secret:canary}}\" }} }}
    - {{ name: key, path: /broken, auth: {{ type: api_key, in: query, name: key, value: \"${{secret:canary}}\" }} }}
    - {{ name: after, path: \"/after/{{part}}\", params: {{ part: \"${{stolen}}\" }} }}
  health: {{ interval: 1s, endpoint: everywhere, conditions: [\"[STATUS] == 500\", \"[BODY].authorization == x\"] }}
  load: {{ endpoint: everywhere, connections: 2, duration: 1s, thresholds: [\"errors < 1%\"] }}
",
        base = echo.url("")
    )
}

/// Calls a command as the page does, and looks at what comes back as it would go over the wire.
async fn call(engine: &Engine, name: &str, arguments: Value) -> Result<Value, Value> {
    let reply = ipc::dispatch(engine, name, arguments).await;
    let reply = reply.map_err(|problem| serde_json::to_value(problem).expect("JSON"));
    assert_clean(&format!("the reply of {name}"), serde_json::to_string(&reply).expect("JSON").as_bytes());
    reply
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_of_the_page_gives_a_credential_away() {
    patchbay_engine::log::install(patchbay_contracts::workspace::LogLevel::Error);
    let echo = Echo::start().await;
    let folder = tempfile::TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("canary.yaml"), definition(&echo)).expect("a file");
    let ports =
        Ports { clock: Arc::new(SystemClock::default()), random: Arc::new(Dice::seeded(1)), keychain: keychain::memory() };
    let config = Config { workspace: Some(folder.path().to_owned()), attended: true, ports: Some(ports), ..Config::default() };
    let engine = Engine::open(config).await.expect("it opens");
    let mut events = engine.events();
    let set = json!({ "name": "canary", "value": CANARY, "hosts": ["127.0.0.1"] });
    call(&engine, "set_secret", set).await.expect("it is kept");

    // What the page does with it: replies are looked at in `call`.
    call(&engine, "secrets", json!({})).await.expect("a list");
    for endpoint in ["plain", "everywhere", "basic", "key"] {
        let request =
            call(&engine, "endpoint_request", json!({ "integration": "canary", "endpoint": endpoint })).await.expect("it");
        let run = call(&engine, "probe", json!({ "request": request })).await.expect("an exchange");
        let body = run["report"]["response"]["body"]["text"].as_str().unwrap_or_default();
        assert!(body.contains("‹secret:canary›"), "{endpoint}: it was sent, and shown without its value: {run}");
    }
    let free = patchbay_tests::free_port();
    let failing = [
        json!({ "url": format!("http://127.0.0.1:{free}/?key=${{secret:canary}}") }),
        json!({ "url": "http://127.0.0.1:1/", "headers": [["X-Key", "${secret:canary}"]] }),
        json!({ "url": format!("http://localhost:{}/", echo.address.port()), "headers": [["X-Key", "${secret:canary}"]] }),
        json!({ "url": echo.url("/redirect?a=1"), "follow_redirects": true, "auth": { "type": "bearer", "token": "${secret:canary}" },
                "headers": [["X-Key", "${secret:canary}"]] }),
    ];
    for request in failing {
        call(&engine, "probe", json!({ "request": request })).await.expect("a report, whatever came");
    }
    let curl = format!("curl -u 'me:{CANARY}' -H 'X-Api-Key: {CANARY}' {}", echo.url("/pasted"));
    let understood = call(&engine, "understand", json!({ "input": curl })).await.expect("it is understood");
    call(&engine, "probe", json!({ "request": understood["request"] })).await.expect("an exchange");
    call(&engine, "add", json!({ "input": curl, "name": "pasted" })).await.expect("it is registered");

    let contract = call(&engine, "start_contract", json!({ "integration": "canary" })).await.expect("a job");
    finish(&mut events, contract["id"].as_u64().expect("a number")).await;
    let shown = call(&engine, "show", json!({ "name": "canary" })).await.expect("it");
    let spec = shown["definition"]["load"].clone();
    let load = call(&engine, "start_load", json!({ "integration": "canary", "spec": spec })).await.expect("a job");
    finish(&mut events, load["id"].as_u64().expect("a number")).await;
    call(&engine, "check_now", json!({ "integration": "canary" })).await.expect("a check");
    call(&engine, "health", json!({ "integration": "canary", "from": 0, "to": i64::MAX / 4 })).await.expect("a history");
    call(&engine, "incidents", json!({})).await.expect("a list");

    let runs = call(&engine, "runs", json!({ "limit": 100 })).await.expect("a list");
    let runs = runs.as_array().expect("a list");
    assert!(runs.len() >= 11, "{}", runs.len());
    for run in runs {
        call(&engine, "run", json!({ "id": run["id"] })).await.expect("a run");
        for format in ["html", "json", "junit"] {
            // A probe has no JUnit report, and says so.
            let _ = call(&engine, "export", json!({ "id": run["id"], "format": format })).await;
        }
    }
    call(&engine, "log", json!({ "level": "trace", "limit": 2000 })).await.expect("lines");
    while let Ok(event) = events.try_recv() {
        assert_clean("an event", serde_json::to_string(&event).expect("JSON").as_bytes());
    }
    assert_clean("the engine's own picture", format!("{engine:?} {:?}", engine.credentials()).as_bytes());
    engine.close().await;
    assert!(assert_folder_clean(folder.path()) > 20, "the database, the definitions and the reports were looked at");
}

async fn finish(events: &mut tokio::sync::broadcast::Receiver<Event>, id: u64) {
    let end = async {
        loop {
            let event = events.recv().await.expect("events");
            assert_clean("an event", serde_json::to_string(&event).expect("JSON").as_bytes());
            if matches!(&event, Event::Finished { job, .. } if *job == id) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), end).await.expect("the job ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_of_the_command_line_gives_a_credential_away_even_at_trace_level() {
    let echo = Echo::start().await;
    let mut desk = Desk::new();
    desk.set("PATCHBAY_SECRET_CANARY", CANARY);
    desk.write("canary.yaml", &definition(&echo));
    let html = desk.workspace().join("report.html");
    let report = format!("html={}", html.display());
    let commands: [&[&str]; 11] = [
        &["list"],
        &["probe", "canary/everywhere"],
        &["probe", "canary/everywhere", "--json"],
        &["probe", "canary/basic", "-L"],
        &["contract", "test", "canary", "--report", &report],
        &["contract", "test", "canary", "--json", "--url", "http://127.0.0.1:1"],
        &["load", "canary", "--duration", "1s", "--json"],
        &["monitor", "--once"],
        &["secret", "list"],
        &["history"],
        &["show", "canary", "--json"],
    ];
    for words in commands {
        let mut all = vec!["-vvv"];
        all.extend(words);
        let desk = &desk;
        let ran = tokio::task::block_in_place(|| desk.run(&all));
        assert_clean(&format!("the output of {words:?}"), ran.stdout.as_bytes());
        assert_clean(&format!("the messages of {words:?}"), ran.stderr.as_bytes());
        assert!(words[0] != "probe" || ran.stdout.contains("‹secret:canary›"), "{words:?}: {}", ran.stdout);
    }
    assert!(assert_folder_clean(&desk.workspace()) >= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_does_not_print_a_credential() {
    let mut desk = Desk::new();
    desk.set("PATCHBAY_SECRET_CANARY", CANARY);
    let helper = Path::new(env!("CARGO_BIN_EXE_panicking"));
    let output = std::process::Command::new(helper).env("PATCHBAY_SECRET_CANARY", CANARY).output().expect("it starts");
    assert!(!output.status.success(), "it panics");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("‹secret:canary›"), "the hook was there: {said}");
    assert_clean("the panic's message", &output.stderr);
}
