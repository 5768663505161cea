//! Redirects: where they lead, and what must not be sent there.

use patchbay_contracts::{
    Code, Problem,
    integration::{Auth, AuthSpec, Method},
    probe::{ProbeReport, ProbeRequest},
};
use patchbay_engine::http::{Bounds, send};
use patchbay_tests::http::{answer, context, get, secret, serve};

fn code(report: &ProbeReport) -> Option<Code> {
    report.problem.as_ref().map(|problem| problem.code)
}

fn problem(report: &ProbeReport) -> &Problem {
    report.problem.as_ref().unwrap_or_else(|| panic!("no problem: {report:?}"))
}

#[tokio::test]
async fn redirects_are_followed_by_the_rules() {
    for (status, method, then) in [
        ("301 Moved", Method::Post, ("GET", "")),
        ("302 Found", Method::Post, ("GET", "")),
        ("303 See", Method::Put, ("GET", "")),
        ("307 Temporary", Method::Post, ("POST", "body")),
        ("308 Permanent", Method::Put, ("PUT", "body")),
        ("302 Found", Method::Put, ("PUT", "body")),
        ("301 Moved", Method::Get, ("GET", "body")),
    ] {
        let server = serve(move |request, _| match request.path.as_str() {
            "/a/start" => answer(status, "location: ../b?x=1#part\r\n", ""),
            _ => answer("200 OK", "", "done"),
        })
        .await;
        let request =
            ProbeRequest { method, body: Some("body".into()), follow_redirects: true, ..get(format!("{}/a/start", server.url)) };
        let report = send(&context(), &request, Bounds::default()).await;
        let last = server.received().pop().expect("it was called");
        assert_eq!((last.method.as_str(), last.body.as_str()), then, "{status} {method}");
        assert_eq!(last.path, "/b?x=1");
        assert_eq!(last.header("content-type").is_some(), !then.1.is_empty());
        assert_eq!(report.redirects.len(), 1);
        assert_eq!(report.redirects[0].to, format!("{}/b?x=1", server.url));
        assert_eq!(report.request.method, then.0);
        assert_eq!(report.response.and_then(|response| response.body.text).as_deref(), Some("done"));
    }
    let server = serve(|_, _| answer("302 Found", "location: /b\r\n", "")).await;
    let report = send(&context(), &get(&server.url), Bounds::default()).await;
    assert_eq!(report.response.map(|response| response.status), Some(302), "without being asked to, it follows none");
    assert!(report.problem.is_none());
}

#[tokio::test]
async fn redirects_that_lead_nowhere_end() {
    for (location, told) in [
        ("/same", "go in circles"),
        ("/next{n}", "never end"),
        ("file:///etc/passwd", "file is not HTTP"),
        ("http://", "no address"),
    ] {
        let server = serve(move |_, count| {
            let location = location.replace("{n}", &count.to_string());
            answer("302 Found", &format!("location: {location}\r\n"), "")
        })
        .await;
        let request = ProbeRequest { follow_redirects: true, ..get(format!("{}/same", server.url)) };
        let report = send(&context(), &request, Bounds { redirects: 5, ..Bounds::default() }).await;
        assert_eq!(code(&report), Some(Code::Redirects), "{location}: {:?}", report.problem);
        assert!(problem(&report).to_string().contains(told), "{}", problem(&report));
        assert!(server.received().len() <= 6);
        assert_eq!(report.response.map(|response| response.status), Some(302), "the last answer is kept");
    }
}

#[tokio::test]
async fn credentials_stay_with_their_host() {
    let context = context();
    let other = serve(|_, _| answer("200 OK", "", "other")).await;
    let target = format!("http://localhost:{}/landing", other.port);
    let location = target.clone();
    let first = serve(move |_, _| answer("307 Temporary", &format!("location: {location}\r\n"), "")).await;
    let both = format!("localhost:{}", other.port);
    let own = format!("127.0.0.1:{}", first.port);
    secret(&context, "own", "own-value-123", &[&own]).await;
    secret(&context, "shared", "shared-value-456", &[&own, &both]).await;
    let request = ProbeRequest {
        follow_redirects: true,
        headers: vec![
            ("X-Own".into(), "${secret:own}".into()),
            ("X-Shared".into(), "${secret:shared}".into()),
            ("Cookie".into(), "session=abcdef".into()),
            ("X-Plain".into(), "plain".into()),
        ],
        auth: Some(Auth::Spec(AuthSpec::Bearer { token: "${secret:own}".into() })),
        ..get(&first.url)
    };
    let report = send(&context, &request, Bounds::default()).await;
    assert!(report.problem.is_none(), "{:?}", report.problem);
    let before = &first.received()[0];
    assert_eq!(before.header("authorization"), Some("Bearer own-value-123"));
    assert_eq!(before.header("x-own"), Some("own-value-123"));
    assert_eq!(before.header("cookie"), Some("session=abcdef"));
    let after = &other.received()[0];
    assert_eq!((after.header("authorization"), after.header("x-own"), after.header("cookie")), (None, None, None));
    assert_eq!((after.header("x-shared"), after.header("x-plain")), (Some("shared-value-456"), Some("plain")));
    let mut withheld = report.redirects[0].withheld.clone();
    withheld.sort();
    assert_eq!(withheld, ["Authorization", "Cookie", "X-Own"]);
    // A body or an address with a secret doesn't go there either, and then nothing does.
    let request = ProbeRequest { method: Method::Post, body: Some("k=${secret:own}".into()), ..request };
    let report = send(&context, &request, Bounds::default()).await;
    assert_eq!(code(&report), Some(Code::SecretHost), "{:?}", report.problem);
    assert_eq!(other.received().len(), 1);
    let thief = format!("http://localhost:{}/steal?t=own-value-123", other.port);
    let echo = serve(move |_, _| answer("302 Found", &format!("location: {thief}\r\n"), "")).await;
    let report = send(&context, &ProbeRequest { follow_redirects: true, ..get(&echo.url) }, Bounds::default()).await;
    assert_eq!(code(&report), Some(Code::SecretHost), "{:?}", report.problem);
    assert_eq!(other.received().len(), 1);
}
