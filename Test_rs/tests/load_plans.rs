//! Load runs of an integration, from its file to what the service sees: endpoints, values, set-up, limits and care.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use patchbay_tests::{
    load::{Reply, Server, ok, status},
    program::Desk,
};
use serde_json::Value;

/// A service that remembers what it was sent.
struct Recorded {
    server: Server,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Recorded {
    fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let server = Server::start(move |request| {
            let text = String::from_utf8_lossy(&request.bytes).into_owned();
            let reply = answer(&text);
            kept.lock().unwrap().push(text);
            Reply::Bytes(reply)
        });
        Self { server, seen }
    }

    fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// The request lines with how often each came.
    fn lines(&self) -> HashMap<String, usize> {
        let mut lines = HashMap::new();
        for request in self.seen() {
            let line = request.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
            *lines.entry(line).or_default() += 1;
        }
        lines
    }
}

fn json(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

fn desk(service: &Recorded, rest: &str) -> Desk {
    let desk = Desk::new();
    desk.write("shop.yaml", &format!("integration:\n  name: shop\n  base_url: {}\n{rest}", service.url()));
    desk
}

fn report(desk: &Desk, words: &[&str], status: i32) -> Value {
    let mut all = vec!["load", "shop", "--json"];
    all.extend(words);
    let ran = desk.run(&all);
    // A run whose generator was held up on a busy machine passes nothing, and says so.
    assert!(ran.status == status || (status == 0 && ran.status == 3), "{}\n{}", ran.stdout, ran.stderr);
    ran.json()["report"].clone()
}

const SHOP: &str = "
  endpoints:
    - { name: login, method: POST, path: /login, capture: { token: $.token } }
    - { name: create, method: POST, path: /orders, headers: { X-Token: '${token}' }, request: { body: { n: 1 } }, capture: { id: $.id } }
    - { name: read, path: '/orders/{id}', params: { id: '${id}' }, headers: { X-Token: '${token}' } }
    - { name: list, path: /orders }
";

/// Each order has an id of its own, and a token is good for what was created with it.
fn shop(request: &str) -> Vec<u8> {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    match request.split(' ').next().unwrap_or_default() {
        "POST" if request.starts_with("POST /login") => json(200, &format!("{{\"token\":\"t/{number}\"}}")),
        "POST" => json(201, &format!("{{\"id\":\"order {number}\"}}")),
        _ => json(200, "{}"),
    }
}

#[test]
fn a_chain_goes_in_order_with_what_it_captures() {
    let service = Recorded::start(shop);
    let desk = desk(&service, SHOP);
    let words = ["--chain", "login", "--chain", "create", "--chain", "read", "--iterations", "12", "--connections", "3"];
    let report = report(&desk, &words, 0);
    assert_eq!(report["totals"]["iterations"], 12, "{report}");
    assert_eq!(report["totals"]["answered"], 36);
    let names: Vec<_> = report["endpoints"].as_array().unwrap().iter().map(|endpoint| endpoint["name"].clone()).collect();
    assert_eq!(names, ["login", "create", "read"]);
    let header = |request: &str| request.lines().find_map(|line| line.strip_prefix("X-Token: ").map(str::to_owned));
    let reads: Vec<String> = service.seen().into_iter().filter(|request| request.starts_with("GET /orders/")).collect();
    assert_eq!(reads.len(), 12);
    for read in &reads {
        assert!(read.starts_with("GET /orders/order%20"), "the id is one part of the path: {read}");
        let token = header(read).unwrap();
        assert!(token.starts_with("t/"), "a header is sent as it is: {token}");
        let created =
            service.seen().into_iter().any(|other| other.starts_with("POST /orders") && header(&other) == Some(token.clone()));
        assert!(created, "the token is that of the same iteration");
    }
}

#[test]
fn a_mix_follows_its_weights() {
    let service = Recorded::start(|_| ok());
    let desk = desk(&service, "  endpoints:\n    - { name: a, path: /a }\n    - { name: b, path: /b }\n");
    let report = report(&desk, &["--mix", "a=9", "--mix", "b", "--iterations", "2000", "--connections", "4", "--seed", "7"], 0);
    let lines = service.lines();
    assert_eq!(lines["GET /a"] + lines["GET /b"], 2000, "{report}");
    // Four times the standard deviation of 2000 draws with a share of a tenth is 54.
    assert!((146..=254).contains(&lines["GET /b"]), "{lines:?}");
    assert_eq!(report["endpoints"][1]["answered"], lines["GET /b"]);
}

#[test]
fn a_data_file_gives_each_iteration_a_row() {
    let service = Recorded::start(|_| ok());
    let rest = "
  endpoints:
    - { name: greet, method: POST, path: '/greet/{who}', params: { who: '${name}' }, request: { body: { text: 'to ${name}', age: 3 } } }
  load: { data: [{ file: people.csv, order: once }], connections: 2 }
";
    let desk = desk(&service, rest);
    desk.write("people.csv", "name,city\nAda,London\n\"Say \"\"hi\"\"\",x\nB/ob,y\n");
    let report = report(&desk, &["--duration", "20s"], 0);
    assert_eq!(report["totals"]["answered"], 3, "with the last row the run is over: {report}");
    assert!(report["duration_ms"].as_f64().unwrap() < 10_000.0);
    let lines = service.lines();
    for line in ["POST /greet/Ada", "POST /greet/Say%20%22hi%22", "POST /greet/B%2Fob"] {
        assert_eq!(lines.get(line), Some(&1), "{lines:?}");
    }
    let quoted = service.seen().into_iter().find(|request| request.contains("hi%22")).unwrap();
    let body: Value = serde_json::from_str(quoted.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(body["text"], "to Say \"hi\"");
}

#[test]
fn values_are_computed_for_each_request() {
    let service = Recorded::start(|_| ok());
    let rest = "  endpoints:\n    - { name: x, method: POST, path: '/x/${iteration}', request: { body: '${user} ${random}', idempotency_key: true } }\n";
    report(&desk(&service, rest), &["--iterations", "20", "--connections", "2"], 0);
    let lines = service.lines();
    assert!((1..=20).all(|number| lines.contains_key(&format!("POST /x/{number}"))), "{lines:?}");
    let keys: std::collections::HashSet<String> = service
        .seen()
        .iter()
        .filter_map(|request| {
            request.lines().find_map(|line| line.to_lowercase().strip_prefix("idempotency-key: ").map(str::to_owned))
        })
        .collect();
    assert_eq!(keys.len(), 20, "each request has a key of its own");
}

#[test]
fn a_body_comes_from_a_file() {
    let service = Recorded::start(|_| ok());
    let desk = desk(&service, "  endpoints:\n    - { name: up, method: PUT, path: /up, request: { file: big.bin } }\n");
    let content: String = (0..200_000_u32).map(|number| char::from(b'a' + (number % 26) as u8)).collect();
    desk.write("big.bin", &content);
    report(&desk, &["--iterations", "5", "--connections", "2"], 0);
    let seen = service.seen();
    assert_eq!(seen.len(), 5);
    assert!(seen.iter().all(|request| request.split("\r\n\r\n").nth(1) == Some(content.as_str())), "each has the whole file");
    assert!(seen[0].to_lowercase().contains("content-type: application/octet-stream"), "{}", &seen[0][..300]);
}

#[test]
fn what_an_endpoint_expects_is_judged() {
    let service = Recorded::start(|_| json(200, "{\"state\":\"new\"}"));
    let rest = "
  endpoints:
    - { name: status, path: /a, expect: { status: 201 } }
    - { name: body, path: /b, expect: { conditions: ['[BODY].state == done'] } }
    - { name: fine, path: /c, expect: { status: 2xx, conditions: ['[BODY].state == new'] } }
";
    let desk = desk(&service, rest);
    let run = |endpoint: &str| {
        let ran = desk.run(&["load", &format!("shop/{endpoint}"), "--iterations", "10", "--connections", "1", "--json"]);
        let report = ran.json()["report"].clone();
        (report["totals"]["failed"].as_u64().unwrap(), report["errors"].clone(), report["verdict"].clone())
    };
    let (failed, errors, verdict) = run("status");
    assert_eq!((failed, &errors[0]["kind"], &verdict), (10, &"status 200".into(), &"fail".into()), "{errors}");
    let (failed, errors, _) = run("body");
    assert_eq!((failed, &errors[0]["kind"]), (10, &"assertion".into()), "{errors}");
    assert!(errors[0]["example"].as_str().unwrap().contains("[BODY].state == done"), "{errors}");
    assert_eq!(run("fine").0, 0);
}

#[test]
fn set_up_and_tear_down_are_called_once() {
    let service = Recorded::start(shop);
    let rest = format!("{SHOP}    - {{ name: logout, method: DELETE, path: /login, headers: {{ X-Token: '${{token}}' }} }}\n");
    let desk = desk(
        &service,
        &format!("{rest}  load: {{ setup: [login], teardown: [logout], mix: [{{ endpoint: create }}, {{ endpoint: list }}] }}\n"),
    );
    let report = report(&desk, &["--iterations", "30", "--connections", "2"], 0);
    assert_eq!(report["totals"]["answered"], 30, "they are no part of the figures: {report}");
    let lines = service.lines();
    assert_eq!((lines["POST /login"], lines["DELETE /login"]), (1, 1), "{lines:?}");
    let seen = service.seen();
    assert!(seen[0].starts_with("POST /login") && seen[31].starts_with("DELETE /login"));
    let tokens: std::collections::HashSet<&str> =
        seen.iter().filter_map(|request| request.lines().find_map(|line| line.strip_prefix("X-Token: "))).collect();
    assert_eq!(tokens.len(), 1, "all know the token of the set-up: {tokens:?}");
}

#[test]
fn a_set_up_that_fails_keeps_the_run_from_beginning() {
    let service = Recorded::start(|request| if request.starts_with("POST /login") { status(500) } else { ok() });
    let desk = desk(&service, &format!("{SHOP}  load: {{ setup: [login], endpoint: list }}\n"));
    let ran = desk.run(&["load", "shop"]).exits(3);
    assert!(ran.stderr.contains("`login` answered 500"), "{}", ran.stderr);
    assert!(!service.lines().contains_key("GET /orders"));
}

#[test]
fn limits_of_the_file_are_hard() {
    let service = Recorded::start(|_| ok());
    let desk = desk(
        &service,
        "  endpoints: [{ path: / }]\n  load_limits: { rate: 50/s, connections: 20, duration: 5s }\n  load: { executor: constant-arrival-rate, rate: 20/s, connections: 10, duration: 500ms }\n",
    );
    report(&desk, &[], 0);
    for (words, limit) in [
        (vec!["--rate", "51/s"], "rate: 50/s"),
        (vec!["--rate", "10/s", "--connections", "21"], "connections: 20"),
        (vec!["--rate", "10/s", "--duration", "6s"], "duration: 5s"),
        (vec!["--stage", "60/s:1s"], "rate: 50/s"),
        (vec!["--connections", "5", "--duration", "1s"], "rate: 50/s"),
    ] {
        let mut all = vec!["load", "shop"];
        all.extend(&words);
        let ran = desk.run(&all).exits(2);
        assert!(ran.stderr.contains(limit), "{words:?}: {}", ran.stderr);
    }
}

#[test]
fn somebody_else_s_host_is_asked_about_first() {
    let desk = Desk::new();
    // A block that is set aside for documentation (RFC 5737); nothing is sent there, since nobody agrees.
    let ran = desk.run(&["load", "http://192.0.2.7/", "--rate", "150/s", "--duration", "1m"]).exits(2);
    assert!(ran.stderr.contains("192.0.2.7") && ran.stderr.contains("150 requests a second"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--yes"), "{}", ran.stderr);
    let private = desk.run(&["load", "http://10.255.255.1/", "--iterations", "1", "--timeout", "50ms", "--duration", "300ms"]);
    assert!(!private.stderr.contains("--yes"), "a private address is asked nothing: {}", private.stderr);
}

#[test]
fn a_run_is_compared_with_one_before() {
    let service = Recorded::start(|_| ok());
    let desk =
        desk(&service, "  endpoints: [{ path: / }]\n  load: { executor: constant-arrival-rate, rate: 100/s, duration: 7s }\n");
    let first = desk.run(&["load", "shop", "--json"]).json();
    let number = first["summary"]["id"].as_i64().or(first["id"].as_i64()).unwrap().to_string();
    let comparison = report(&desk, &["--baseline", &number], 0)["comparison"].clone();
    assert_eq!(comparison["baseline"].to_string(), number);
    let names: Vec<_> = comparison["figures"].as_array().unwrap().iter().map(|figure| figure["name"].clone()).collect();
    assert!(names.contains(&"p99".into()) && names.contains(&"rate".into()), "{comparison}");
    assert!(comparison["test"].as_str().unwrap().contains("Welch"), "{comparison}");
    let ran = desk.run(&["load", "shop", "--baseline", "999"]).exits(2);
    assert!(ran.stderr.contains("999"), "{}", ran.stderr);
}

#[test]
fn plans_that_make_no_sense_are_refused_with_the_way_out() {
    let service = Recorded::start(|_| ok());
    let desk = desk(&service, SHOP);
    desk.write("empty.csv", "name\n");
    for (words, wanted) in [
        (vec!["--stage", "200/s:10s", "--stage", "50:10s"], "leads to rates"),
        (vec!["--streams", "10"], "http/2"),
        (vec!["--threshold", "lis: p95 < 1s", "--mix", "list", "--mix", "login"], "Did you mean `list`?"),
        (vec!["--mix", "lsit"], "list"),
        (vec!["--data", "nowhere.csv"], "nowhere.csv"),
        (vec!["--data", "empty.csv"], "no rows"),
        (vec!["--think-time", "2s..1s"], "shorter one first"),
        (vec!["--connections", "0"], "0 connections"),
    ] {
        let mut all = vec!["load", "shop/list"];
        if words.iter().any(|word| matches!(*word, "--mix" | "--threshold")) {
            all = vec!["load", "shop"];
        }
        all.extend(&words);
        let ran = desk.run(&all).exits(2);
        assert!(ran.stderr.contains(wanted), "{words:?}: {}", ran.stderr);
    }
}

#[test]
fn a_file_can_be_the_plan() {
    let service = Recorded::start(|_| ok());
    let desk = Desk::new();
    let text = format!(
        "integration:\n  name: elsewhere\n  base_url: {}\n  endpoints: [{{ path: /plan }}]\n  load: {{ iterations: 3, connections: 1 }}\n",
        service.url()
    );
    std::fs::write(desk.folder().join("plan.yaml"), text).unwrap();
    desk.run(&["load", "../plan.yaml"]).held_or_was_held_up();
    assert_eq!(service.lines()["GET /plan"], 3);
}
