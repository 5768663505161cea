//! Real services, registered, probed, scraped and put under load for a moment.

use std::collections::BTreeSet;

use patchbay_tests::{
    peers::{self, Peer},
    program::Desk,
};
use serde_json::Value;

/// Registers the service as a person would, and makes one exchange, a contract run and two seconds of load.
fn use_it(desk: &Desk, name: &str, peer: &Peer, path: &str) {
    desk.run(&["add", &format!("{}{path}", peer.url), "--name", name]).exits(0);
    let probe = desk.run(&["probe", name, "--json"]).exits(0).json();
    assert_eq!(probe["report"]["response"]["status"], 200, "{name}");
    assert!(probe["report"]["timing"]["first_byte_ms"].as_f64().expect("a figure") > 0.0);
    desk.run(&["contract", "test", name]).exits(0);
    let words = ["load", name, "--connections", "4", "--duration", "2s", "--threshold", "errors < 1%", "--json"];
    let load = desk.run(&words).held_or_was_held_up().json();
    assert!(load["report"]["totals"]["answered"].as_u64().expect("a count") > 20, "{name}: {}", load["report"]["totals"]);
    assert_eq!(load["report"]["totals"]["failed"], 0, "{name}");
    let checks = desk.run(&["monitor", "--once", name, "--json"]).exits(0).json();
    assert_eq!(checks[0]["healthy"], true, "{name}");
}

/// The series of a scrape, as the text itself names them: each line that is no comment is one.
fn series_of(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line[..line.rfind(' ').expect("a value")].to_owned()).collect()
}

fn written(one: &Value) -> String {
    let labels: Vec<String> = one["labels"]
        .as_array()
        .expect("labels")
        .iter()
        .map(|pair| {
            let value = pair[1].as_str().expect("a value").replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            format!("{}=\"{value}\"", pair[0].as_str().expect("a name"))
        })
        .collect();
    let name = one["name"].as_str().expect("a name");
    if labels.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", labels.join(",")) }
}

/// Sorts the labels of a written series, as the database does.
fn canonical(series: &str) -> String {
    let Some((name, labels)) = series.split_once('{') else { return series.to_owned() };
    let labels = labels.trim_end_matches('}');
    let mut parts: Vec<&str> = Vec::new();
    let (mut start, mut inside, mut escaped) = (0, false, false);
    for (at, letter) in labels.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => inside = !inside,
            ',' if !inside => {
                parts.push(&labels[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&labels[start..]);
    parts.sort_unstable();
    format!("{name}{{{}}}", parts.join(","))
}

/// Scrapes twice, and finds every series that the service shows in the database, each of which can be drawn.
fn scrape_it(desk: &Desk, name: &str, peer: &Peer) {
    desk.write(
        &format!("{name}.yaml"),
        &format!(
            "integration:\n  name: {name}\n  base_url: {}\n  endpoints: [{{ path: /metrics }}]\n  metrics: {{ url: /metrics }}\n",
            peer.url
        ),
    );
    let exposed = || {
        let text = desk.run(&["probe", &format!("{}/metrics", peer.url), "--json"]).exits(0).json();
        series_of(text["report"]["response"]["body"]["text"].as_str().expect("text"))
    };
    // What comes and goes between two looks (a device, a process) is in one of them only.
    let before = exposed();
    let scraped = desk.run(&["scrape", name, "--json"]).exits(0).json();
    let after = exposed();
    desk.run(&["scrape", name, "--json"]).exits(0);
    let stored = desk.run(&["query", name, "--json"]).exits(0).json();
    let stored: BTreeSet<String> = stored.as_array().expect("a list").iter().map(|one| canonical(&written(one))).collect();
    let steady: BTreeSet<String> = before.intersection(&after).map(|series| canonical(series)).collect();
    let lost: Vec<&String> = steady.difference(&stored).collect();
    assert!(lost.is_empty(), "{name}: {} of {} series were lost: {lost:?}", lost.len(), steady.len());
    assert!(steady.len() > 200, "{name} shows {} series", steady.len());

    let mut drawn = 0;
    for family in scraped["families"]
        .as_array()
        .expect("families")
        .iter()
        .filter(|family| !family["samples"].as_array().is_none_or(Vec::is_empty))
        .take(40)
    {
        let family_name = family["name"].as_str().expect("a name");
        let lines = desk.run(&["query", name, family_name, "--json"]).exits(0).json();
        assert!(!lines.as_array().expect("a list").is_empty(), "{name}: {family_name} can't be drawn");
        drawn += 1;
    }
    assert!(drawn >= 30, "{name}: {drawn} families");
}

#[test]
fn nginx_is_used_like_any_service() {
    let (desk, nginx) = (Desk::new(), peers::nginx());
    use_it(&desk, "static-site", &nginx, "/");
    use_it(&desk, "hello", &nginx, "/hello");
}

#[test]
fn every_series_of_the_node_exporter_is_stored_and_can_be_drawn() {
    let (desk, exporter) = (Desk::new(), peers::node_exporter());
    use_it(&desk, "exporter", &exporter, "/");
    scrape_it(&desk, "node", &exporter);
}

#[test]
fn every_series_of_prometheus_is_stored_and_can_be_drawn() {
    let (desk, prometheus) = (Desk::new(), peers::prometheus());
    use_it(&desk, "prometheus-ready", &prometheus, "/-/healthy");
    scrape_it(&desk, "prometheus", &prometheus);
}
