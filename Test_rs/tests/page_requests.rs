//! What the page makes of requests, series and documents, before and after the backend had them.

use patchbay_contracts::{
    integration::{ApiKeyPlace, Auth, AuthSpec, Method},
    metrics::{MetricKind, SeriesInfo},
    probe::ProbeRequest,
    units::Span,
};
use patchbay_engine::http::understand;
use patchbay_frontend::utils::{
    curl::{host, is_curl, line, taken_over, with_query},
    families::{Families, families, search, telling},
    find::find,
};
use serde_json::{Value, json};

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A request that is registered goes to the backend as a curl line, and has to arrive as it was.
#[test]
fn a_curl_line_is_understood_as_the_request_that_it_was_made_from() {
    let plain = ProbeRequest { url: "https://api.example.com/v1/orders".to_owned(), ..ProbeRequest::default() };
    let with_body = ProbeRequest { body: Some("it's {\"a\": \"b\\nc\"} $HOME `x` \"y\"\nend".to_owned()), ..plain.clone() };
    let bearer = Auth::Spec(AuthSpec::Bearer { token: "${secret:orders-token}".to_owned() });
    let basic = Auth::Spec(AuthSpec::Basic { username: "me".to_owned(), password: "${secret:orders-password}".to_owned() });
    let requests = [
        plain.clone(),
        ProbeRequest { method: Method::Delete, ..plain.clone() },
        ProbeRequest { method: Method::Post, headers: pairs(&[("Content-Type", "application/json")]), ..with_body.clone() },
        ProbeRequest { method: Method::Put, headers: pairs(&[("Content-Type", "text/plain"), ("X-Note", "it's")]), ..with_body },
        ProbeRequest { follow_redirects: true, accept_invalid_certificate: true, ..plain.clone() },
        ProbeRequest { timeout: Some(Span::millis(2500)), ..plain.clone() },
        ProbeRequest { auth: Some(bearer), ..plain.clone() },
        ProbeRequest { auth: Some(basic), ..plain },
    ];
    for request in requests {
        let line = line(&request);
        assert!(is_curl(&line), "{line}");
        let understood = understand(&line).unwrap_or_else(|problem| panic!("{line}: {problem}")).understood;
        assert_eq!(understood.ignored, Vec::<String>::new(), "{line}");
        assert_eq!(understood.request, request, "{line}");
    }
}

#[test]
fn a_key_in_the_query_or_a_header_stays_a_reference() {
    for (place, expect) in [(ApiKeyPlace::Query, "key=${secret:k}"), (ApiKeyPlace::Header, "key: ${secret:k}")] {
        let spec = AuthSpec::ApiKey { name: "key".to_owned(), value: "${secret:k}".to_owned(), place };
        let request = ProbeRequest { url: "https://x.test/".to_owned(), auth: Some(Auth::Spec(spec)), ..ProbeRequest::default() };
        assert!(line(&request).contains(expect), "{}", line(&request));
    }
}

#[test]
fn parameters_are_added_to_those_of_the_address() {
    let check = |url: &str, query: &[(&str, &str)], expect: &str| assert_eq!(with_query(url, &pairs(query)), expect);
    check("http://h/p", &[], "http://h/p");
    check("http://h/p", &[("a", "b c&d")], "http://h/p?a=b%20c%26d");
    check("http://h/p?x=1#part", &[("a", "ü")], "http://h/p?x=1&a=%C3%BC#part");
    check("http://h", &[("t", "${env:t} x"), ("", "no name")], "http://h?t=${env:t}%20x");
    check("http://h", &[("t", "${never ends")], "http://h?t=%24%7Bnever%20ends");
}

#[test]
fn a_line_for_curl_is_told_from_an_address() {
    for text in
        ["curl http://h", "  curl -X POST \\\n http://h", "$ curl http://h", "curl.exe http://h", "/usr/bin/curl http://h"]
    {
        assert!(is_curl(text), "{text}");
    }
    for text in ["", "curl", "curl ", "curl.haxx.se/x y", "http://h/curl", "http://h/a curl", "curling http://h"] {
        assert!(!is_curl(text), "{text}");
    }
}

#[test]
fn the_host_is_read_where_it_stands_in_plain() {
    let check = |url: &str, expect: &str| assert_eq!(host(url), expect, "{url}");
    check("https://api.example.com:8443/a?b#c", "api.example.com:8443");
    check("http://me:pw@h/x", "h");
    check("h:1/x", "h:1");
    check("${env:base_url}/x", "");
    check("", "");
}

#[test]
fn an_address_leaves_the_rest_of_the_request_as_it_was() {
    let old = ProbeRequest {
        integration: Some("orders".to_owned()),
        method: Method::Post,
        url: "localhost:1/x?a=1".to_owned(),
        query: pairs(&[("b", "2")]),
        headers: pairs(&[("Accept", "*/*")]),
        body: Some("{}".to_owned()),
        follow_redirects: true,
        ..ProbeRequest::default()
    };
    let read = |input: &str| taken_over(&old, understand(input).expect("it is understood").understood.request, input);
    let next = read("localhost:1/x");
    assert_eq!((next.url.as_str(), next.method), ("http://localhost:1/x", Method::Post));
    assert_eq!((&next.headers, &next.body, next.follow_redirects), (&old.headers, &old.body, true));
    assert_eq!(read("DELETE localhost:1/x").method, Method::Delete);
    let next = read("curl -H 'X-A: 1' http://localhost:1/y");
    assert_eq!((next.url.as_str(), next.method, next.body), ("http://localhost:1/y", Method::Get, None));
    assert_eq!(next.integration.as_deref(), Some("orders"));
}

#[test]
fn finds_name_their_places() {
    let document = json!({ "id": 7, "items": [{ "name": "Red pen", "a/b~c": "pencil" }, { "pen": [1, 2] }], "none": null });
    let check = |wanted: &str, expect: &[(&str, &str)]| assert_eq!(find(&document, wanted).places, pairs(expect), "{wanted}");
    check("", &[]);
    check("  ", &[]);
    check("pen", &[("/items/0/name", "\"Red pen\""), ("/items/0/a~1b~0c", "\"pencil\""), ("/items/1/pen", "[…] 2")]);
    check("7", &[("/id", "7")]);
    check("NULL", &[("/none", "null")]);
    check("nowhere", &[]);
    assert_eq!(find(&json!("whole"), "whole").places, pairs(&[("", "\"whole\"")]));
    for pointer in find(&document, "e").places.iter().map(|(pointer, _)| pointer) {
        assert!(document.pointer(pointer).is_some(), "{pointer} leads nowhere");
    }
    let many = Value::Array(vec![json!("same"); 10_000]);
    let found = find(&many, "same");
    assert!(found.more && found.places.len() <= 200);
    // A document as deep as a hostile one can be does not exhaust the stack.
    let mut deep = json!("end");
    for _ in 0..5_000 {
        deep = Value::Array(vec![deep]);
    }
    assert_eq!(find(&deep, "end").places.len(), 1);
    std::mem::forget(deep);
}

fn series(family: &str, kind: MetricKind, name: &str, labels: &[(&str, &str)]) -> SeriesInfo {
    let (family, name) = (family.to_owned(), name.to_owned());
    SeriesInfo { name, family, kind, labels: pairs(labels), help: String::new(), last: 1.0, last_at: 0 }
}

#[test]
fn a_histogram_is_one_thing_for_each_set_of_labels() {
    let mut all = Vec::new();
    for method in ["POST", "GET"] {
        for le in ["0.1", "+Inf"] {
            all.push(series("http_seconds", MetricKind::Histogram, "http_seconds_bucket", &[("le", le), ("method", method)]));
        }
        all.push(series("http_seconds", MetricKind::Histogram, "http_seconds_sum", &[("method", method)]));
        all.push(series("http_seconds", MetricKind::Histogram, "http_seconds_count", &[("method", method)]));
    }
    all.push(series("rpc", MetricKind::Summary, "rpc_sum", &[]));
    all.push(series("rpc", MetricKind::Summary, "rpc_count", &[]));
    all.push(series("http_requests", MetricKind::Counter, "http_requests_total", &[("code", "200")]));
    let families = Families::new(families(&all));
    let shape: Vec<_> = families
        .iter()
        .map(|family| (family.name.as_str(), family.items.iter().map(|item| item.choice.title()).collect::<Vec<_>>()))
        .collect();
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        shape,
        [
            ("http_requests", names(&["http_requests_total{code=\"200\"}"])),
            ("http_seconds", names(&["http_seconds{method=\"GET\"}", "http_seconds{method=\"POST\"}"])),
            ("rpc", names(&["rpc_count", "rpc_sum"])),
        ]
    );
    assert_eq!(families[2].whole(), None, "a sum and a count have no chart in common");
    let shown: Vec<_> = telling(&families).iter().map(|choice| choice.title()).collect();
    assert_eq!(shown, ["http_requests_total", "http_seconds"]);
}

#[test]
fn families_are_found_for_their_own_sake_or_for_that_of_a_series() {
    let all = [
        series("jobs", MetricKind::Gauge, "jobs", &[("queue", "Mail")]),
        series("jobs", MetricKind::Gauge, "jobs", &[("queue", "print")]),
        series("mail_sent", MetricKind::Counter, "mail_sent_total", &[]),
        series("up", MetricKind::Gauge, "up", &[]),
    ];
    let families = Families::new(families(&all));
    let check = |wanted: &str, expect: &[(&str, &[&str])]| {
        let found = search(&families, wanted);
        let shape: Vec<(String, Vec<String>)> = found
            .iter()
            .map(|found| (found.family.name.clone(), found.items().map(|item| item.choice.title()).collect()))
            .collect();
        let expect: Vec<(String, Vec<String>)> = expect
            .iter()
            .map(|(name, items)| ((*name).to_owned(), items.iter().map(|item| (*item).to_owned()).collect()))
            .collect();
        assert_eq!(shape, expect, "{wanted:?}");
        assert!(found.iter().all(|found| found.count() == found.items().count()));
    };
    let jobs: &[&str] = &["jobs{queue=\"Mail\"}", "jobs{queue=\"print\"}"];
    check(" ", &[("jobs", jobs), ("mail_sent", &["mail_sent_total"]), ("up", &["up"])]);
    check("JOBS", &[("jobs", jobs)]);
    check("mail", &[("jobs", &jobs[..1]), ("mail_sent", &["mail_sent_total"])]);
    check("queue print", &[("jobs", &jobs[1..])]);
    check("nothing", &[]);
}
