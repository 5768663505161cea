//! Results as JUnit XML.

use std::collections::BTreeMap;

use patchbay_contracts::{
    load::{LoadReport, ThresholdResult},
    run::Verdict,
};
use patchbay_engine::report::junit::{junit, junit_load};
use patchbay_tests::{
    contract::{contract, run, service},
    http::serve,
};

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
        duration_ms: 1500.0,
        verdict,
        thresholds: thresholds
            .into_iter()
            .map(|(text, verdict)| ThresholdResult { text: text.into(), verdict, actual: "7 ms".into() })
            .collect(),
        notes: vec!["the generator was the bottleneck".into()],
        ..LoadReport::new("orders <a>", "", Default::default())
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
