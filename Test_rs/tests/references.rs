//! What references of a request become: secrets that are sent and never shown, captured values that stay in their place.

use patchbay_contracts::{
    Code,
    integration::{Auth, AuthKind, AuthSpec, Method},
    probe::{ProbeReport, ProbeRequest},
};
use patchbay_engine::{
    http::{Bounds, send},
    secrets::template::Scope,
};
use patchbay_tests::http::{answer, context, context_with, get, secret, serve};

fn code(report: &ProbeReport) -> Option<Code> {
    report.problem.as_ref().map(|problem| problem.code)
}

#[tokio::test]
async fn a_secret_goes_only_where_it_is_bound_and_is_never_shown() {
    let context = context();
    let value = "s3cr3t/+ \"quoted\"";
    let echo = serve(|request, _| {
        let body = serde_json::json!({
            "path": request.path, "headers": request.headers.iter().map(|(n, v)| format!("{n}: {v}")).collect::<Vec<_>>(), "body": request.body,
        });
        answer("200 OK", "content-type: application/json\r\nx-echo: s3cr3t/+ \"quoted\"\r\n", body.to_string())
    })
    .await;
    secret(&context, "key", value, &["127.0.0.1"]).await;
    let request = ProbeRequest {
        method: Method::Post,
        url: format!("{}/hooks/${{secret:key}}", echo.url),
        query: vec![("k".into(), "${secret:key}".into())],
        headers: vec![("X-Key".into(), "a ${secret:key}".into())],
        auth: Some(Auth::Spec(AuthSpec::Basic { username: "me".into(), password: "${secret:key}".into() })),
        body: Some(r#"{"key": "${secret:key}", "n": 1}"#.into()),
        ..ProbeRequest::default()
    };
    let report = send(&context, &request, Bounds::default()).await;
    assert!(report.problem.is_none(), "{:?}", report.problem);
    let sent = &echo.received()[0];
    assert_eq!(sent.path, "/hooks/s3cr3t%2F%2B%20%22quoted%22?k=s3cr3t%2F%2B+%22quoted%22");
    assert_eq!(sent.header("x-key"), Some("a s3cr3t/+ \"quoted\""));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&sent.body).expect("still JSON")["key"], value);
    let text = serde_json::to_string(&report).expect("a report is JSON");
    assert!(!text.contains("s3cr3t"), "{text}");
    assert!(!text.contains("bWU6czNjcjN0"), "nor in base64");
    assert!(report.request.url.contains("/hooks/‹secret:key›?k=‹secret:key›"), "{}", report.request.url);
    let shown = |name: &str| report.request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!((shown("X-Key"), shown("Authorization")), (Some("a ‹secret:key›"), Some("Basic ‹secret:key›")));
    assert_eq!(report.request.body.as_deref(), Some(r#"{"key": "‹secret:key›", "n": 1}"#));
    let curl = &report.request.curl;
    assert!(curl.contains(r#"-H 'X-Key: a '"$SECRET_KEY""#), "{curl}");
    assert!(curl.contains(r#"-u me:"$SECRET_KEY""#), "{curl}");
    assert!(curl.contains(r#"--data-raw '{"key": "'"$SECRET_KEY"'", "n": 1}'"#), "{curl}");
    for (name, expected) in [("key", Code::SecretHost), ("kay", Code::SecretMissing)] {
        let request = ProbeRequest {
            headers: vec![("X-Key".into(), format!("${{secret:{name}}}"))],
            ..get(format!("http://localhost:{}/", echo.port))
        };
        let report = send(&context, &request, Bounds::default()).await;
        assert_eq!(code(&report), Some(expected));
    }
    assert_eq!(echo.received().len(), 1, "neither was sent");
}

#[tokio::test]
async fn a_credential_in_plain_is_treated_as_a_secret() {
    let echo =
        serve(|request, _| answer("200 OK", "", request.headers.iter().map(|(_, v)| format!("{v}\n")).collect::<String>())).await;
    let url = format!("http://user:geheimnis@127.0.0.1:{}/", echo.port);
    let request = ProbeRequest {
        headers: vec![("X-Api-Key".into(), "plain-key-1".into()), ("Cookie".into(), "sid=cookie-2".into())],
        ..get(url)
    };
    let report = send(&context(), &request, Bounds::default()).await;
    let sent = &echo.received()[0];
    assert_eq!(sent.header("authorization"), Some("Basic dXNlcjpnZWhlaW1uaXM="));
    assert_eq!((sent.header("x-api-key"), sent.header("cookie")), (Some("plain-key-1"), Some("sid=cookie-2")));
    let text = serde_json::to_string(&report).expect("a report is JSON");
    for value in ["geheimnis", "dXNlcjpn", "plain-key-1", "cookie-2"] {
        assert!(!text.contains(value), "{value} in {text}");
    }
    assert_eq!(report.response.map(|response| response.status), Some(200));
}

#[tokio::test]
async fn captured_values_stay_where_they_are_put() {
    let mut scope = Scope::default();
    for (name, value) in [("id", "../admin?x=1"), ("dots", ".."), ("quote", "a\"b\\"), ("n", "5")] {
        scope.captured.insert(name.into(), value.into());
    }
    let context = context_with(scope);
    let server = serve(|_, _| answer("200 OK", "", "")).await;
    let request = ProbeRequest {
        method: Method::Post,
        url: format!("{}/a/${{id}}/${{dots}}/b", server.url),
        query: vec![("q".into(), "${id}".into())],
        body: Some(r#"{"text": "${quote}", "n": ${n}, "literal": "$${n}"}"#.into()),
        ..ProbeRequest::default()
    };
    let report = send(&context, &request, Bounds::default()).await;
    assert!(report.problem.is_none(), "{:?}", report.problem);
    let sent = &server.received()[0];
    assert_eq!(sent.path, "/a/..%2Fadmin%3Fx%3D1/%252E%252E/b?q=..%2Fadmin%3Fx%3D1");
    let body: serde_json::Value = serde_json::from_str(&sent.body).expect("still JSON");
    assert_eq!(body, serde_json::json!({ "text": "a\"b\\", "n": 5, "literal": "${n}" }));
    let form = ProbeRequest {
        headers: vec![("Content-Type".into(), "application/x-www-form-urlencoded".into())],
        body: Some("a=${id}&b=1".into()),
        ..request
    };
    send(&context, &form, Bounds::default()).await;
    assert_eq!(server.received()[1].body, "a=..%2Fadmin%3Fx%3D1&b=1");
}

#[tokio::test]
async fn an_authentication_by_its_type_alone_takes_the_integration_s_secret() {
    let context = context();
    let server = serve(|_, _| answer("200 OK", "", "")).await;
    secret(&context, "my-orders-token", "token-value", &["127.0.0.1"]).await;
    let request =
        ProbeRequest { integration: Some("my orders".into()), auth: Some(Auth::Kind(AuthKind::Bearer)), ..get(&server.url) };
    let report = send(&context, &request, Bounds::default()).await;
    assert!(report.problem.is_none(), "{:?}", report.problem);
    assert_eq!(server.received()[0].header("authorization"), Some("Bearer token-value"));
    let alone = ProbeRequest { auth: Some(Auth::Kind(AuthKind::Bearer)), ..get(&server.url) };
    assert_eq!(code(&send(&context, &alone, Bounds::default()).await), Some(Code::InvalidInput));
}
