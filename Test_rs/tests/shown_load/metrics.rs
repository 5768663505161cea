//! A load run as OpenMetrics while it goes on: the text by itself, and a run that is scraped by us and by Prometheus.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use patchbay_contracts::{
    load::{LoadError, LoadProgress, LoadSlice, LoadTotals, Quantiles},
    metrics::{MetricKind, ScrapeReport},
};
use patchbay_engine::{
    load_metrics::{Exposed, MEDIA_TYPE, Shown},
    metrics,
};
use patchbay_tests::{
    peers,
    program::{Desk, RunningSample},
};
use serde_json::Value;

fn progress() -> LoadProgress {
    LoadProgress {
        elapsed_ms: 2_500.0,
        total_ms: 10_000.0,
        totals: LoadTotals {
            sent: 110,
            answered: 100,
            failed: 7,
            dropped: 2,
            unanswered: 1,
            target_rate: Some(50.0),
            connects: 4,
            ..LoadTotals::default()
        },
        errors: vec![
            LoadError { kind: "status 503".to_owned(), count: 5, example: String::new() },
            LoadError { kind: "refused".to_owned(), count: 2, example: String::new() },
        ],
        latency: Quantiles { count: 100, mean_ms: 3.0, p50_ms: 2.0, p99_ms: 12.5, max_ms: 20.0, ..Quantiles::default() },
        new_slices: vec![LoadSlice { second: 2, in_flight: 3, connections: 4, ..LoadSlice::default() }],
    }
}

fn read(text: &str) -> ScrapeReport {
    let report = metrics::parse("run", Some(MEDIA_TYPE), text.as_bytes());
    assert!(report.problems.is_empty(), "{:?}\n{text}", report.problems);
    report
}

/// The value of a series, by its name and one of its labels.
fn value(report: &ScrapeReport, name: &str, label: Option<(&str, &str)>) -> Option<f64> {
    let samples = report.families.iter().flat_map(|family| &family.samples);
    let mut own = samples.filter(|sample| {
        let has = |(key, value): (&str, &str)| sample.labels.iter().any(|(own, is)| own == key && is == value);
        sample.name == name && label.is_none_or(has)
    });
    own.next().map(|sample| sample.value)
}

#[test]
fn a_run_is_told_in_openmetrics() {
    let mut shown = Shown::new("an \"odd\\ name");
    shown.take(&progress());
    let text = shown.text();
    assert!(text.ends_with("\n# EOF\n") && text.matches("# EOF").count() == 1, "{text}");
    let report = read(&text);
    let check = |name: &str, label: Option<(&str, &str)>, expect: f64| {
        assert_eq!(value(&report, name, label), Some(expect), "{name} {label:?} in\n{text}");
    };
    let requests = "patchbay_load_requests_total";
    check(requests, Some(("outcome", "ok")), 93.0);
    check(requests, Some(("outcome", "failed")), 7.0);
    check(requests, Some(("outcome", "dropped")), 2.0);
    check(requests, Some(("outcome", "unanswered")), 1.0);
    check(requests, Some(("target", "an \"odd\\ name")), 93.0);
    check("patchbay_load_errors_total", Some(("kind", "status 503")), 5.0);
    check("patchbay_load_errors_total", Some(("kind", "refused")), 2.0);
    check("patchbay_load_sent_total", None, 110.0);
    check("patchbay_load_in_flight", None, 3.0);
    check("patchbay_load_connections", None, 4.0);
    check("patchbay_load_target_rate", None, 50.0);
    check("patchbay_load_latency_seconds", Some(("quantile", "0.99")), 0.0125);
    check("patchbay_load_latency_seconds_count", None, 100.0);
    assert!((value(&report, "patchbay_load_latency_seconds_sum", None).expect("a sum") - 0.3).abs() < 1e-9);
    let kind = |name: &str| report.families.iter().find(|family| family.name == name).map(|family| family.kind);
    assert_eq!(kind("patchbay_load_requests"), Some(MetricKind::Counter));
    assert_eq!(kind("patchbay_load_latency_seconds"), Some(MetricKind::Summary));
    assert_eq!(kind("patchbay_load_in_flight"), Some(MetricKind::Gauge));
}

#[test]
fn before_anything_came_counts_are_zero_and_latency_is_not() {
    let report = read(&Shown::new("orders").text());
    assert_eq!(value(&report, "patchbay_load_requests_total", Some(("outcome", "ok"))), Some(0.0));
    assert!(value(&report, "patchbay_load_latency_seconds", Some(("quantile", "0.5"))).is_none_or(f64::is_nan));
    assert_eq!(value(&report, "patchbay_load_target_rate", None), None, "a closed workload has none");
}

#[tokio::test]
async fn it_is_served_until_it_is_dropped() {
    // Another test of this process may have been before it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exposed = Exposed::start(0, "orders").await.expect("a port is free");
    let url = exposed.url();
    let answer = reqwest::get(&url).await.expect("it answers");
    assert_eq!(answer.headers()["content-type"], MEDIA_TYPE);
    let port = url.trim_start_matches("http://127.0.0.1:").trim_end_matches("/metrics").parse().expect("a port");
    assert!(Exposed::start(port, "orders").await.is_err(), "the port is taken");
    exposed.take(&progress());
    let text = reqwest::get(&url).await.expect("it answers").text().await.expect("text");
    assert_eq!(value(&read(&text), "patchbay_load_sent_total", None), Some(110.0));
    drop(exposed);
    let deadline = Instant::now() + Duration::from_secs(10);
    while reqwest::get(&url).await.is_ok() {
        assert!(Instant::now() < deadline, "it still answers");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A run under way, and where it can be scraped.
fn running(desk: &Desk, sample: &RunningSample, duration: &str) -> (Child, String) {
    let url = format!("{}/health", sample.url);
    let words = ["load", &url, "--rate", "50/s", "--duration", duration, "--metrics-port", "0", "--json"];
    let mut child = desk.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let said = lines.find_map(|line| line.ok()?.strip_prefix("metrics at ").map(str::to_owned));
    (child, said.expect("it says where it can be scraped"))
}

#[test]
fn a_run_is_scraped_while_it_goes_on() {
    let desk = Desk::new();
    let sample = desk.sample(&[]);
    let (mut child, url) = running(&desk, &sample, "8s");
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let scraped: ScrapeReport =
            serde_json::from_value(desk.run(&["scrape", &url, "--json"]).exits(0).json()).expect("a scrape");
        assert!(scraped.problems.is_empty(), "{:?}", scraped.problems);
        if value(&scraped, "patchbay_load_requests_total", Some(("outcome", "ok"))).is_some_and(|count| count > 10.0) {
            assert_eq!(value(&scraped, "patchbay_load_target_rate", None), Some(50.0));
            break;
        }
        assert!(Instant::now() < deadline, "nothing is counted");
        std::thread::sleep(Duration::from_millis(200));
    }
    let output = {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut child.stdout.take().expect("a pipe"), &mut text).expect("text");
        child.wait().expect("it ends");
        serde_json::from_str::<Value>(&text).expect("one JSON document")
    };
    assert!(output["report"]["totals"]["answered"].as_u64().is_some_and(|count| count > 100), "{}", output["report"]["totals"]);
    desk.run(&["scrape", &url]).exits(3);
}

#[test]
fn prometheus_reads_a_run() {
    let desk = Desk::new();
    let sample = desk.sample(&[]);
    let (mut child, url) = running(&desk, &sample, "60s");
    let peer = peers::prometheus_of(url.trim_start_matches("http://").trim_end_matches("/metrics"));
    let query = format!("{}/api/v1/query?query=patchbay_load_requests_total%7Boutcome%3D%22ok%22%7D", peer.url);
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        let answer = desk.run(&["probe", &query, "--json"]).json();
        let found = &answer["report"]["response"]["body"]["json"]["data"]["result"][0]["value"][1];
        if found.as_str().and_then(|count| count.parse::<f64>().ok()).is_some_and(|count| count > 10.0) {
            break;
        }
        assert!(Instant::now() < deadline, "Prometheus has nothing of the run: {answer}");
        std::thread::sleep(Duration::from_millis(500));
    }
    child.kill().expect("it still runs");
    child.wait().expect("it ended");
}
