//! The command line, as its user meets it.

use patchbay_tests::program::{Desk, Ran};
use serde_json::Value;

const COMMANDS: [&str; 19] = [
    "init",
    "sample",
    "list",
    "show",
    "add",
    "remove",
    "probe",
    "contract",
    "load",
    "scrape",
    "query",
    "mock",
    "monitor",
    "secret",
    "history",
    "report",
    "doctor",
    "schema",
    "completions",
];

/// A desk with the sample service registered, its token in the environment.
fn desk_with_sample(words: &[&str]) -> (Desk, patchbay_tests::program::RunningSample) {
    let mut desk = Desk::new();
    desk.set("PATCHBAY_SECRET_SAMPLE_TOKEN", "patchbay-sample");
    let sample = desk.sample(words);
    desk.write("sample-orders.yaml", &patchbay_engine::sample::definition(&sample.url));
    (desk, sample)
}

#[test]
fn every_command_has_help_and_the_version_is_told() {
    let desk = Desk::new();
    assert_eq!(desk.run(&["--version"]).exits(0).stdout.trim(), concat!("patchbay ", env!("CARGO_PKG_VERSION")));
    let help = desk.run(&["--help"]).exits(0).stdout;
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is not in:\n{help}");
        let own = desk.run(&[command, "--help"]).exits(0).stdout;
        assert!(own.contains("Usage:"), "{own}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(desk.run(&["completions", shell]).exits(0).stdout.contains("patchbay"));
    }
}

#[test]
fn bad_usage_exits_with_2_and_says_how_it_goes() {
    let desk = Desk::new();
    desk.write("orders.yaml", "integration: { name: orders, base_url: 'http://127.0.0.1:9', endpoints: [{ path: / }] }");
    let check = |words: &[&str], says: &str| {
        let ran = desk.run(words).exits(2);
        assert!(ran.stderr.contains(says), "{words:?} should say {says:?}:\n{}", ran.stderr);
    };
    check(&["prob", "x"], "probe");
    check(&["show", "order"], "orders");
    check(&["probe", "order"], "orders");
    check(&["probe", "orders/nothing"], "GET /");
    check(&["probe", "htp://localhost/"], "htp");
    check(&["load", "orders", "--rate", "fast"], "200/s");
    check(&["load", "orders", "--connections", "0"], "connections");
    check(&["load", "orders", "--threshold", "p59x < 1s"], "p59x");
    check(&["contract", "test", "orders", "--report", "pdf=x"], "junit");
    check(&["report", "many"], "history");
    check(&["report", "77"], "77");
    check(&["sample", "--fault", "flood"], "wrong-status");
    check(&["query", "orders", "up", "--quantile", "7"], "0 to 1");
    check(&["--workspace", "/nonexistent/folder", "list"], "/nonexistent/folder");
}

#[test]
fn what_can_not_be_carried_out_exits_with_3() {
    let desk = Desk::new();
    let free = patchbay_tests::free_port();
    let ran = desk.run(&["probe", &format!("http://127.0.0.1:{free}/")]).exits(3);
    assert!(ran.stderr.contains("refuse"), "{}", ran.stderr);
    let ran = desk.run(&["probe", "http://no-such-host.invalid/", "--json"]).exits(3);
    assert_eq!(ran.json()["report"]["problem"]["code"], "dns");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let ran = desk.run(&["sample", "--port", &port]).exits(3);
    assert!(ran.stderr.contains(&port) && ran.stderr.contains("next:"), "{}", ran.stderr);
}

#[test]
fn the_tour_runs_end_to_end() {
    let (desk, sample) = desk_with_sample(&[]);
    let list = desk.run(&["list", "--json"]).exits(0).json();
    assert_eq!(list[0]["name"], "sample-orders");
    assert_eq!(list[0]["status"], "unobserved");

    let probe = desk.run(&["probe", "sample-orders/create order", "--json"]).exits(0).json();
    assert_eq!(probe["report"]["response"]["status"], 201);
    assert_eq!(probe["report"]["response"]["body"]["json"]["amount"], 99.99);

    let junit = desk.folder().join("contract.xml");
    let words = format!("junit={}", junit.display());
    desk.run(&["contract", "test", "sample-orders", "--report", &words]).exits(0);
    assert!(std::fs::read_to_string(&junit).expect("a report").contains("<testsuite"));

    let load = desk.run(&["load", "sample-orders", "--rate", "50/s", "--duration", "2s", "--json"]).held_or_was_held_up().json();
    let answered = load["report"]["totals"]["answered"].as_u64().expect("a count");
    assert!((90..=101).contains(&answered), "{answered} of 100");

    let checks = desk.run(&["monitor", "--once", "--json"]).exits(0).json();
    assert_eq!(checks[0]["healthy"], true);
    assert_eq!(desk.run(&["list", "--json"]).exits(0).json()[0]["status"], "healthy");
    let show = desk.run(&["show", "sample-orders", "--json"]).exits(0).json();
    assert_eq!(show["health"]["uptime"], 1.0);

    let series = desk.run(&["query", "sample-orders", "--json"]).exits(0).json();
    assert!(series.as_array().expect("a list").iter().any(|one| one["name"] == "sample_orders"), "{series}");
    let scraped = desk.run(&["scrape", &format!("{}/metrics", sample.url), "--json"]).exits(0).json();
    assert!(scraped["samples"].as_u64().expect("a count") > 10);

    let history = desk.run(&["history", "--json"]).exits(0).json();
    let kinds: Vec<&str> = history.as_array().expect("a list").iter().filter_map(|run| run["kind"].as_str()).collect();
    assert_eq!(kinds, ["load", "contract", "probe"]);
    let page = desk.folder().join("load.html");
    desk.run(&["report", &history[0]["id"].to_string(), "-o", page.to_str().expect("UTF-8")]).exits(0);
    let page = std::fs::read_to_string(page).expect("a report");
    assert!(page.contains("<svg") && !page.contains("<script"), "a page with plots and without scripts");
}

#[test]
fn a_fault_breaks_the_contract_and_names_the_field() {
    let check = |fault: &str, pointer: Option<&str>, check: &str| {
        let (desk, _sample) = desk_with_sample(&["--fault", fault]);
        let run = desk.run(&["contract", "test", "sample-orders", "--json"]).exits(1).json();
        let failed: Vec<Value> = run["report"]["endpoints"]
            .as_array()
            .expect("endpoints")
            .iter()
            .flat_map(|endpoint| endpoint["checks"].as_array().cloned().unwrap_or_default())
            .filter(|one| one["verdict"] == "fail")
            .collect();
        assert!(
            failed.iter().any(|one| one["check"] == check && pointer.is_none_or(|pointer| one["pointer"] == pointer)),
            "{fault}: {failed:#?}"
        );
        let text = desk.run(&["contract", "test", "sample-orders"]).exits(1).stdout;
        assert!(text.contains("expected") && text.contains("actual") && text.contains("curl"), "{text}");
    };
    check("type-change", Some("/amount"), "response-schema");
    check("missing-field", None, "response-schema");
    check("wrong-status", None, "status");
    check("expired-token", None, "status");
}

#[test]
fn a_running_sample_is_told_to_misbehave_and_to_stop() {
    let (desk, sample) = desk_with_sample(&[]);
    desk.run(&["monitor", "--once"]).exits(0);
    desk.run(&["sample", "--at", &sample.url, "--fault", "errors=100%"]).exits(0);
    let checks = desk.run(&["monitor", "--once", "--json"]).exits(1).json();
    assert_eq!(checks[0]["http_status"], 500);
    desk.run(&["sample", "--at", &sample.url]).exits(0);
    desk.run(&["monitor", "--once"]).exits(0);
}

#[test]
fn a_breached_threshold_exits_with_1() {
    let (desk, sample) = desk_with_sample(&["--fault", "latency=50ms"]);
    let url = format!("{}/health", sample.url);
    let words = ["load", &url, "--connections", "2", "--duration", "1s", "--threshold", "p95 < 10ms", "--json"];
    let run = desk.run(&words).exits(1).json();
    assert_eq!(run["report"]["thresholds"][0]["verdict"], "fail");
    assert!(run["report"]["latency"]["p50_ms"].as_f64().expect("a figure") >= 50.0);
}

#[test]
fn the_monitor_runs_for_a_time_and_opens_an_incident() {
    let (desk, sample) = desk_with_sample(&[]);
    let definition = patchbay_engine::sample::definition(&sample.url).replace("interval: 5s", "interval: 1s");
    desk.write("sample-orders.yaml", &definition);
    desk.run(&["sample", "--at", &sample.url, "--fault", "errors=100%"]).exits(0);
    let looked_at = desk.run(&["monitor", "--for", "4s", "--json"]).exits(1).json();
    assert_eq!(looked_at[0]["status"], "down");
    let show = desk.run(&["show", "sample-orders", "--json"]).exits(0).json();
    assert_eq!(show["incidents"].as_array().map(Vec::len), Some(1), "{show}");
    assert!(show["health"]["checks"].as_u64().expect("a count") >= 3);
}

#[test]
fn a_second_monitor_on_the_same_workspace_is_refused() {
    let (desk, _sample) = desk_with_sample(&[]);
    let mut first = desk.command(&["monitor", "--for", "20s"]).stderr(std::process::Stdio::piped()).spawn().expect("it starts");
    let mut said = String::new();
    let mut stderr = std::io::BufReader::new(first.stderr.take().expect("a pipe"));
    std::io::BufRead::read_line(&mut stderr, &mut said).expect("it says what it checks");
    let ran = desk.run(&["monitor", "--for", "1s"]).exits(3);
    assert!(ran.stderr.contains(&first.id().to_string()), "names the process that holds it:\n{}", ran.stderr);
    // One-off commands go on working beside it.
    desk.run(&["probe", "sample-orders"]).exits(0);
    first.kill().expect("it still ran");
    first.wait().expect("it ended");
    // The first check may come after this short time; that the workspace was free is what counts.
    let ran = desk.run(&["monitor", "--for", "500ms", "--json"]);
    assert!(ran.json().is_array(), "{ran:?}");
}

#[test]
fn mistakes_in_a_file_are_told_with_their_place_and_the_other_files_load() {
    let desk = Desk::new();
    desk.write("good.yaml", "integration: { name: good, base_url: 'http://127.0.0.1:9', endpoints: [{ path: / }] }\n");
    desk.write("bad.yaml", "integration:\n  name: bad\n  endpoints:\n    - metod: GET\n      path: /\n");
    desk.write("compose.yaml", "services: { web: { image: nginx } }\n");
    let ran = desk.run(&["list"]).exits(0);
    assert!(ran.stdout.contains("good"), "{}", ran.stdout);
    assert!(ran.stderr.contains("bad.yaml:4:7") && ran.stderr.contains("method"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("compose"), "{}", ran.stderr);
    let bad = desk.workspace().join("bad.yaml");
    let ran = desk.run(&["contract", "lint", bad.to_str().expect("UTF-8")]).exits(1);
    assert!(ran.stdout.contains("method"), "{}", ran.stdout);
}

#[test]
fn init_makes_a_workspace_that_loads() {
    let desk = Desk::new();
    let dir = desk.folder().join("fresh");
    let dir = dir.to_str().expect("UTF-8");
    desk.run(&["init", dir]).exits(0);
    let list = desk.run(&["--workspace", dir, "list", "--json"]).exits(0).json();
    assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(list[0]["problems"].as_array().map(Vec::len), Some(0), "{list}");
    // A second time loses nothing.
    let before = std::fs::read_dir(dir).expect("a folder").count();
    desk.run(&["init", dir]);
    assert_eq!(std::fs::read_dir(dir).expect("a folder").count(), before);
}

#[test]
fn an_address_and_a_curl_line_become_integrations() {
    let (desk, sample) = desk_with_sample(&[]);
    let added = desk.run(&["add", &format!("{}/health", sample.url), "--name", "health", "--json"]).exits(0).json();
    assert_eq!(added["name"], "health");
    desk.run(&["probe", "health"]).exits(0);
    let curl = format!("curl -X GET -H 'Accept: application/json' '{}/api/v1/orders?limit=1'", sample.url);
    desk.run(&["add", &curl, "--name", "curled"]).exits(0);
    let probe = desk.run(&["probe", "curled", "--json"]).exits(0).json();
    assert_eq!(probe["report"]["response"]["status"], 401);
    assert!(probe["report"]["request"]["url"].as_str().expect("a url").ends_with("?limit=1"));
    let ran = desk.run(&["add", &format!("{}/health", sample.url), "--name", "health"]).exits(2);
    assert!(ran.stderr.contains("health"), "{}", ran.stderr);
    desk.run(&["remove", "health"]).exits(0);
    desk.run(&["probe", "health"]).exits(2);
}

#[test]
fn results_go_to_standard_output_and_nothing_is_coloured_in_a_pipe() {
    let (desk, _sample) = desk_with_sample(&[]);
    for words in [&["list"][..], &["probe", "sample-orders"], &["contract", "test", "sample-orders"], &["doctor"], &["history"]] {
        let ran: Ran = desk.run(words).exits(0);
        assert!(!ran.stdout.is_empty() && !ran.stdout.contains('\x1b') && !ran.stderr.contains('\x1b'), "{words:?}: {ran:?}");
    }
    for words in [&["list"][..], &["doctor"], &["history"], &["secret", "list"], &["schema"]] {
        let mut words = words.to_vec();
        words.push("--json");
        desk.run(&words).exits(0).json();
    }
    let ran = desk.run(&["show", "nothing", "--json"]).exits(2);
    assert_eq!(ran.json()["problem"]["code"], "not-found");
}
