//! New integration files made from addresses and requests: they load without a mistake and hold no credential.

use patchbay_contracts::{
    Code,
    integration::{ApiKeyPlace, Auth, AuthSpec, Integration, Method},
    probe::ProbeRequest,
};
use patchbay_engine::definition::{from_request, from_url, parse};
use serde_json::json;

/// The definition of a text that must be sound.
fn sound(text: &str) -> Integration {
    let parsed = parse("new.yaml", text.as_bytes());
    let problems: Vec<String> = parsed.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, Vec::<String>::new(), "{text}");
    parsed.definition.expect("no mistakes")
}

#[test]
fn an_address_becomes_an_endpoint_and_its_health_check() {
    for (address, name, base, path) in [
        ("https://api.example.com/v1/health", "api-example", "https://api.example.com", "/v1/health"),
        ("http://localhost:8080", "localhost-8080", "http://localhost:8080", "/"),
        ("localhost:8080/health", "localhost-8080", "http://localhost:8080", "/health"),
        ("http://10.0.0.1/x", "10.0.0.1", "http://10.0.0.1", "/x"),
        ("http://[::1]:9/x", "--1-9", "http://[::1]:9", "/x"),
        ("https://www.example.co.uk/", "example-co", "https://www.example.co.uk", "/"),
        ("https://example.com/a/{id}/${x}", "example", "https://example.com", "/a/%7Bid%7D/$%7Bx%7D"),
    ] {
        let new = sound(&from_url(address, None).expect(address));
        assert_eq!(new.name.trim_start_matches('-'), name.trim_start_matches('-'), "{address}");
        assert_eq!(new.base_url.as_deref(), Some(base), "{address}");
        assert_eq!((new.endpoints[0].method, new.endpoints[0].path.as_str()), (Method::Get, path), "{address}");
        let health = new.health.expect("a health check");
        assert_eq!(
            (health.interval.to_string().as_str(), health.conditions),
            ("30s", vec!["[STATUS] < 400".to_owned()]),
            "{address}"
        );
    }
    assert_eq!(sound(&from_url("http://a.b/", Some("my own")).expect("an address")).name, "my own");
}

#[test]
fn an_address_of_metrics_becomes_metrics() {
    let new = sound(&from_url("http://localhost:9100/metrics", None).expect("an address"));
    assert_eq!(new.metrics.expect("metrics").url, "/metrics");
    assert!(new.health.is_none() && new.endpoints.is_empty());
}

#[test]
fn what_is_no_address_is_refused() {
    for text in ["", "ftp://a/b", "http://", "file:///etc/passwd", "http://a b/", &format!("http://a/{}", "x".repeat(9000))] {
        assert_eq!(from_url(text, None).expect_err(text).code, Code::InvalidInput, "{text}");
    }
}

#[test]
fn a_request_becomes_an_endpoint_with_all_that_it_sends() {
    let request = ProbeRequest {
        method: Method::Post,
        url: "https://api.example.com/v1/orders?dry=yes&page=1".to_owned(),
        query: vec![("q".to_owned(), "a: b".to_owned())],
        headers: vec![
            ("Accept".to_owned(), "application/json".to_owned()),
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("X-Note".to_owned(), "- #1: \"quoted\", ${x}".to_owned()),
        ],
        auth: Some(Auth::Spec(AuthSpec::Bearer { token: "${secret:mine}".to_owned() })),
        body: Some(r#"{"amount": 99.99, "note": "two\nlines", "raw": "${y}", "no": null}"#.to_owned()),
        ..ProbeRequest::default()
    };
    let text = from_request(&request, Some("orders")).expect("a request");
    let new = sound(&text);
    assert_eq!(new.auth, request.auth);
    let endpoint = &new.endpoints[0];
    assert_eq!(
        endpoint.query.iter().map(|(k, v)| (k.as_str(), v.0.as_str())).collect::<Vec<_>>(),
        [("dry", "yes"), ("page", "1"), ("q", "a: b")]
    );
    assert_eq!(endpoint.headers.get("X-Note").map(String::as_str), Some("- #1: \"quoted\", $${x}"));
    let sent = endpoint.request.clone().expect("a body");
    assert_eq!(sent.body, Some(json!({"amount": 99.99, "note": "two\nlines", "raw": "$${y}", "no": null})));
    assert_eq!(sent.content_type.as_deref(), Some("application/json"));
    assert!(new.health.is_none(), "a request that changes something is not repeated all day");
    assert!(text.contains("patchbay secret set mine"), "{text}");
}

#[test]
fn a_name_that_stands_twice_in_the_query_is_kept_in_the_path() {
    let new = sound(&from_url("http://a.b/x?tag=1&tag=2", None).expect("an address"));
    assert_eq!(new.endpoints[0].path, "/x?tag=1&tag=2");
    assert!(new.endpoints[0].query.is_empty());
}

#[test]
fn no_credential_is_written() {
    let plain = "hunter2hunter2";
    let with = |change: &dyn Fn(&mut ProbeRequest)| {
        let mut request = ProbeRequest { url: "https://a.example.com/x".to_owned(), ..ProbeRequest::default() };
        change(&mut request);
        request
    };
    let requests = [
        with(&|request| request.url = format!("https://me:{plain}@a.example.com/")),
        with(&|request| request.url = format!("https://a.example.com/?api_key={plain}")),
        with(&|request| request.url = format!("https://a.example.com/?token={plain}&token={plain}")),
        with(&|request| request.headers = vec![("Authorization".to_owned(), format!("Token {plain}"))]),
        with(&|request| request.headers = vec![("x-api-key".to_owned(), plain.to_owned())]),
        with(&|request| request.auth = Some(Auth::Spec(AuthSpec::Bearer { token: plain.to_owned() }))),
        with(&|request| {
            request.auth = Some(Auth::Spec(AuthSpec::Basic { username: "me".to_owned(), password: plain.to_owned() }))
        }),
        with(&|request| {
            request.auth =
                Some(Auth::Spec(AuthSpec::ApiKey { name: "K".to_owned(), value: plain.to_owned(), place: ApiKeyPlace::Query }));
        }),
    ];
    for request in requests {
        let text = from_request(&request, None).expect("a request");
        assert!(!text.contains(plain), "{text}");
        assert!(text.contains("${secret:a-example-"), "{text}");
        sound(&text);
    }
}
