//! One HTTP exchange against services on loopback: its phases, bodies, certificates, redirects, secrets and failures.

use std::{io::Write as _, process::Command, time::Duration};

use patchbay_contracts::{
    Code, Problem,
    integration::{Auth, AuthKind, AuthSpec, Backoff, ErrorHandling, Jitter, Method},
    probe::{ProbeReport, ProbeRequest},
    units::Span,
};
use patchbay_engine::{
    http::{Bounds, Context, delay_before, send, send_with_retries},
    secrets::template::Scope,
};
use patchbay_tests::http::{
    Authority, Step, answer, context, context_with, free_port, get, json, secret, self_signed, serve, serve_raw, serve_tls,
};

const LATER: (i32, i32) = (2020, 2100);

async fn probe(request: &ProbeRequest) -> ProbeReport {
    send(&context(), request, Bounds::default()).await
}

fn code(report: &ProbeReport) -> Option<Code> {
    report.problem.as_ref().map(|problem| problem.code)
}

fn problem(report: &ProbeReport) -> &Problem {
    report.problem.as_ref().unwrap_or_else(|| panic!("no problem: {report:?}"))
}

#[tokio::test]
async fn an_exchange_is_shown_whole() {
    let server = serve(|_, _| json("201 Created", r#"{"id": 7, "tags": ["a"]}"#)).await;
    let request = ProbeRequest {
        method: Method::Post,
        url: format!("http://localhost:{}/orders?a=1#fragment", server.port),
        query: vec![("q".into(), "x y".into())],
        headers: vec![("X-Trace".into(), "abc".into())],
        body: Some(r#"{"amount": 5}"#.into()),
        ..ProbeRequest::default()
    };
    let report = probe(&request).await;
    let response = report.response.as_ref().expect("it answered");
    assert_eq!((response.status, response.reason.as_str(), response.version.as_str()), (201, "Created", "HTTP/1.1"));
    assert_eq!(response.body.json, Some(serde_json::json!({ "id": 7, "tags": ["a"] })));
    assert_eq!(response.body.media_type, "application/json");
    assert!(response.headers.contains(&("content-type".into(), "application/json".into())));
    assert!(response.remote.as_deref().is_some_and(|remote| remote.ends_with(&server.port.to_string())));
    assert_eq!(report.request.url, format!("http://localhost:{}/orders?a=1&q=x+y", server.port));
    assert_eq!(report.request.headers[0], ("host".into(), format!("localhost:{}", server.port)));
    let sent = &server.received()[0];
    assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", "/orders?a=1&q=x+y"));
    assert_eq!(sent.body, r#"{"amount": 5}"#);
    for (name, value) in &report.request.headers {
        assert_eq!(sent.header(&name.to_ascii_lowercase()), Some(value.as_str()), "{name} was sent as it is shown");
    }
    assert_eq!(sent.headers.len(), report.request.headers.len(), "and nothing besides");
    assert_eq!(sent.header("content-type"), Some("application/json"));
    let timing = report.timing;
    assert!(timing.dns_ms.is_some() && timing.connect_ms.is_some() && timing.tls_ms.is_none(), "{timing:?}");
    let parts = [timing.dns_ms, timing.connect_ms, timing.first_byte_ms, timing.download_ms];
    let sum: f64 = parts.into_iter().flatten().sum();
    assert!(sum > 0.0 && sum <= timing.total_ms + 0.001, "{timing:?}");
    assert!(report.problem.is_none() && report.notes.is_empty(), "{report:?}");
}

#[tokio::test]
async fn each_phase_gets_the_time_that_it_took() {
    let wait = Duration::from_millis(150);
    let server = serve(move |_, _| {
        vec![
            Step::Wait(wait),
            Step::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na".to_vec()),
            Step::Wait(wait),
            Step::Send(b"b".to_vec()),
        ]
    })
    .await;
    let timing = probe(&get(&server.url)).await.timing;
    // Lower bounds only: a loaded machine may take longer, and never shorter.
    assert!(timing.first_byte_ms.is_some_and(|ms| ms >= 140.0), "{timing:?}");
    assert!(timing.download_ms.is_some_and(|ms| ms >= 140.0), "{timing:?}");
    assert!(timing.dns_ms.is_none(), "an IP address isn't looked up");
    assert!(timing.total_ms >= 290.0, "{timing:?}");
}

#[tokio::test]
async fn bodies_are_decompressed_and_both_sizes_told() {
    let text = r#"{"text": "patchbay patchbay patchbay patchbay patchbay patchbay patchbay patchbay"}"#;
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes it")
    };
    let zlib = || {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).expect("memory takes it")
    };
    let bare = || {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).expect("memory takes it")
    };
    let br = || {
        let mut out = Vec::new();
        brotli::BrotliCompress(&mut text.as_bytes(), &mut out, &brotli::enc::BrotliEncoderParams::default()).expect("it fits");
        out
    };
    for (coding, bytes) in [
        ("identity", text.as_bytes().to_vec()),
        ("gzip", gzip(text.as_bytes())),
        ("x-gzip", gzip(text.as_bytes())),
        ("deflate", zlib()),
        ("deflate", bare()),
        ("br", br()),
        ("br, gzip", gzip(&br())),
    ] {
        let wire = bytes.len() as u64;
        let server = serve(move |_, _| {
            answer("200 OK", &format!("content-type: application/json\r\ncontent-encoding: {coding}\r\n"), &bytes)
        })
        .await;
        let report = probe(&get(&server.url)).await;
        let response = report.response.as_ref().unwrap_or_else(|| panic!("{coding}: {report:?}"));
        let body = &response.body;
        assert_eq!((body.wire_bytes, body.bytes, body.truncated), (wire, text.len() as u64, false), "{coding}");
        assert_eq!(body.text.as_deref(), Some(text), "{coding}");
        assert!(body.json.is_some(), "{coding}");
        assert!(response.headers.iter().any(|(name, value)| name == "content-encoding" && value == coding));
    }
}

#[tokio::test]
async fn bodies_are_told_apart() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for (media_type, bytes, text, json, hex) in [
        ("text/plain", "plain".as_bytes().to_vec(), Some("plain"), false, None),
        ("text/plain; charset=ISO-8859-1", b"caf\xe9".to_vec(), Some("café"), false, None),
        ("text/plain", b"caf\xe9".to_vec(), Some("caf\u{fffd}"), false, None),
        ("", br#"{"a":1}"#.to_vec(), Some(r#"{"a":1}"#), true, None),
        ("application/problem+json", b"[1]".to_vec(), Some("[1]"), true, None),
        ("application/octet-stream", vec![0, 1, 255], None, false, Some("00 01 ff")),
        ("image/png", b"\x89PNG".to_vec(), None, false, Some("89 50 4e 47")),
        ("text/html", b"<b>[1]</b>".to_vec(), Some("<b>[1]</b>"), false, None),
        ("application/json", deep.clone().into_bytes(), Some(deep.as_str()), false, None),
        ("text/plain", Vec::new(), None, false, None),
    ] {
        let sent = bytes.clone();
        let header = if media_type.is_empty() { String::new() } else { format!("content-type: {media_type}\r\n") };
        let server = serve(move |_, _| answer("200 OK", &header, &sent)).await;
        let report = probe(&get(&server.url)).await;
        let body = &report.response.as_ref().expect("it answered").body;
        assert_eq!(body.text.as_deref(), text, "{media_type}");
        assert_eq!(body.json.is_some(), json, "{media_type}");
        assert_eq!(body.hex.as_deref(), hex, "{media_type}");
        assert_eq!(body.bytes, bytes.len() as u64);
        assert!(report.problem.is_none());
    }
}

#[tokio::test]
async fn a_body_that_says_json_and_is_none_is_noted() {
    let server = serve(|_, _| json("200 OK", "{'a': 1}")).await;
    let report = probe(&get(&server.url)).await;
    assert!(report.notes.iter().any(|note| note.contains("says that it is JSON")), "{:?}", report.notes);
}

#[tokio::test]
async fn hostile_answers_are_bounded_and_kept_as_far_as_they_came() {
    let head = |more: &str| format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n{more}\r\n").into_bytes();
    let chunked = || head("transfer-encoding: chunked\r\n");
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        bomb.write_all(&[b'a'; 1 << 20]).expect("memory takes it");
    }
    let bomb = bomb.finish().expect("memory takes it");
    let mut half = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    half.write_all(b"hello hello hello").expect("memory takes it");
    let half = half.finish().expect("memory takes it");
    let flood: String = (0..5000).map(|n| format!("x-{n}: y\r\n")).collect();
    let endless = Step::Forever(vec![b'a'; 8192]);
    let gzip =
        |bytes: &[u8]| [head(&format!("content-encoding: gzip\r\ncontent-length: {}\r\n", bytes.len())), bytes.to_vec()].concat();
    for (name, steps, expected, part) in [
        ("an endless body", vec![Step::Send(head("")), endless], Code::TooLarge, Some("aaa")),
        ("a gzip bomb", vec![Step::Send(gzip(&bomb))], Code::TooLarge, Some("aaa")),
        ("a damaged gzip body", vec![Step::Send(gzip(&half[..half.len() - 9]))], Code::BadResponse, Some("hello")),
        (
            "a slow drip",
            vec![Step::Send(head("content-length: 100\r\n")), Step::Send(b"ab".to_vec()), Step::Hold],
            Code::Timeout,
            Some("ab"),
        ),
        (
            "a broken chunk",
            vec![Step::Send([chunked(), b"3\r\nabc\r\nzz\r\n".to_vec()].concat())],
            Code::BadResponse,
            Some("abc"),
        ),
        ("a chunk cut off", vec![Step::Send([chunked(), b"3\r\nabc\r\n9\r\nde".to_vec()].concat())], Code::Reset, Some("abc")),
        (
            "a content-length too long",
            vec![Step::Send([head("content-length: 50\r\n"), b"abc".to_vec()].concat())],
            Code::Reset,
            Some("abc"),
        ),
        ("a flood of headers", vec![Step::Send(head(&flood))], Code::TooLarge, None),
        ("no answer at all", vec![Step::Reset], Code::Reset, None),
        ("half a head", vec![Step::Send(b"HTTP/1.1 200 OK\r\ncontent-".to_vec())], Code::Reset, None),
        ("something else than HTTP", vec![Step::Send(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())], Code::BadResponse, None),
        ("silence", vec![Step::Hold], Code::Timeout, None),
    ] {
        let server = serve(move |_, _| steps.clone()).await;
        let request = ProbeRequest { timeout: Some(Span::millis(1500)), ..get(&server.url) };
        let report = send(&context(), &request, Bounds { body: 100_000, ..Bounds::default() }).await;
        assert_eq!(code(&report), Some(expected), "{name}: {:?}", report.problem);
        let body = report.response.as_ref().map(|response| &response.body);
        assert_eq!(body.is_some(), part.is_some(), "{name}");
        if let (Some(body), Some(part)) = (body, part) {
            assert!(body.truncated, "{name}");
            assert!(body.bytes <= 100_000, "{name}: {}", body.bytes);
            assert!(body.text.as_deref().is_some_and(|text| text.starts_with(part)), "{name}: {body:?}");
        }
        let problem = problem(&report);
        assert!(!problem.what.is_empty() && !problem.why.is_empty(), "{name}: {problem:?}");
    }
}

#[tokio::test]
async fn a_timeout_says_in_which_phase() {
    let silent_tls = serve_raw(vec![Step::Hold]).await;
    let silent = serve(|_, _| vec![Step::Hold]).await;
    let slow = serve(|_, _| vec![Step::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na".to_vec()), Step::Hold]).await;
    for (url, told) in [
        (format!("https://127.0.0.1:{}", silent_tls.port), "TLS handshake"),
        (silent.url.clone(), "first byte"),
        (slow.url.clone(), "downloading"),
    ] {
        let report = probe(&ProbeRequest { timeout: Some(Span::millis(400)), ..get(url) }).await;
        assert_eq!(code(&report), Some(Code::Timeout));
        assert!(problem(&report).why.contains(told), "{}", problem(&report));
        assert!(problem(&report).what.contains("400ms"), "{}", problem(&report));
    }
}

#[tokio::test]
async fn what_can_not_be_reached_is_told_apart() {
    let closed = free_port().await;
    let plain = serve_raw(answer("400 Bad Request", "", "that is not HTTP")).await;
    let tls = serve_tls(self_signed(&["localhost"], LATER), |_, _| answer("200 OK", "", "hi")).await;
    for (url, expected, told) in [
        (format!("http://127.0.0.1:{closed}/"), Code::Refused, "listens"),
        ("http://no-such-host.invalid/".to_owned(), Code::Dns, "no-such-host.invalid"),
        (format!("https://127.0.0.1:{}/", plain.port), Code::Tls, "http://"),
        (format!("http://127.0.0.1:{}/", tls.port), Code::BadResponse, "https://"),
    ] {
        let report = probe(&ProbeRequest { timeout: Some(Span::secs(10)), ..get(url) }).await;
        assert_eq!(code(&report), Some(expected), "{:?}", report.problem);
        assert!(problem(&report).to_string().contains(told), "{}", problem(&report));
        assert!(report.response.is_none());
    }
}

#[tokio::test]
async fn addresses_that_are_none_are_refused_with_what_would_do() {
    for (url, told) in [
        ("", "Write one, such as http://localhost:8080/health"),
        ("   ", "empty"),
        ("htp:/x", "Did you mean http://x?"),
        ("htps://x.example", "Did you mean https://x.example?"),
        ("http:/x.example", "Did you mean http://x.example?"),
        ("localhost:99999", "port"),
        ("http://localhost:0/", "port 0"),
        ("file:///etc/passwd", "a file is not a service"),
        ("mailto:a@b.example", "is not HTTP"),
        ("ftp://x.example/", "is not HTTP"),
        ("http://", "names no host"),
        ("http://a b/", "no host name has"),
        ("http://300.1.1.1/", "IP address"),
        ("http://[::1/", "brackets"),
        ("/health", "a path without a host"),
        ("${env:nothing}/x", "nothing"),
    ] {
        let report = probe(&get(url)).await;
        let problem = problem(&report);
        assert!(matches!(problem.code, Code::InvalidInput | Code::VariableMissing), "{url}: {problem:?}");
        assert!(problem.to_string().contains(told), "{url}: {problem}");
    }
}

#[tokio::test]
async fn a_bad_certificate_is_explained_precisely_and_can_be_accepted() {
    let authority = Authority::default();
    let names: &[&str] = &["localhost", "127.0.0.1"];
    for (config, told) in
        [(self_signed(names, LATER), "self-signed"), (authority.server(names, LATER), "Patchbay Test Authority")]
    {
        let server = serve_tls(config, |_, _| answer("200 OK", "", "hi")).await;
        let refused = probe(&get(&server.url)).await;
        assert_eq!(code(&refused), Some(Code::Certificate), "{:?}", refused.problem);
        assert!(problem(&refused).to_string().contains(told), "{}", problem(&refused));
        assert!(refused.response.is_none() && server.received().is_empty(), "nothing was sent");
        let accepted = probe(&ProbeRequest { accept_invalid_certificate: true, ..get(&server.url) }).await;
        assert!(accepted.problem.is_none(), "{:?}", accepted.problem);
        assert!(accepted.notes.iter().any(|note| note.contains("bad certificate was accepted")), "{:?}", accepted.notes);
        assert!(accepted.timing.tls_ms.is_some_and(|ms| ms > 0.0) && accepted.timing.connect_ms.is_some());
        let certificate = accepted.response.and_then(|response| response.certificate).expect("it was shown");
        assert!(!certificate.valid);
        assert_eq!(certificate.names, ["localhost", "127.0.0.1"]);
        assert!(certificate.subject.contains("Patchbay Test Server"));
        assert_eq!(certificate.protocol.as_deref(), Some("TLSv1.3"));
        assert_eq!((certificate.not_before, certificate.not_after), (1_577_836_800_000, 4_102_444_800_000));
    }
}

/// The machine's trusted certificates are read once in a process, so that this one runs in a process of its own.
#[tokio::test]
async fn certificates_of_a_trusted_authority() {
    const OWN_PROCESS: &str = "PATCHBAY_TEST_AUTHORITY";
    if std::env::var_os(OWN_PROCESS).is_none() {
        return in_own_process(OWN_PROCESS, "certificates_of_a_trusted_authority");
    }
    let authority = Authority::default();
    let file = std::env::var_os("SSL_CERT_FILE").expect("the outer process set it");
    std::fs::write(file, authority.pem()).expect("the folder is ours");
    let good: &[&str] = &["localhost", "127.0.0.1"];
    for (names, years, told) in [
        (good, LATER, None),
        (good, (2010, 2015), Some("it expired on 2015-01-01")),
        (good, (2090, 2100), Some("valid only from 2090-01-01")),
        (&["orders.example"] as &[&str], LATER, Some("it is for orders.example, and 127.0.0.1 is called")),
    ] {
        let server = serve_tls(authority.server(names, years), |_, _| answer("200 OK", "", "hi")).await;
        let report = probe(&get(&server.url)).await;
        match told {
            None => {
                let response = report.response.unwrap_or_else(|| panic!("{:?}", report.problem));
                assert!(response.certificate.is_some_and(|certificate| certificate.valid));
                assert!(report.notes.is_empty(), "{:?}", report.notes);
            }
            Some(told) => {
                assert_eq!(code(&report), Some(Code::Certificate));
                assert!(problem(&report).why.contains(told), "{}", problem(&report));
            }
        }
    }
}

fn in_own_process(variable: &str, test: &str) {
    let folder = tempfile::tempdir().expect("there is room");
    let output = Command::new(std::env::current_exe().expect("it runs"))
        .args([test, "--exact", "--nocapture"])
        .env(variable, "1")
        .env("SSL_CERT_FILE", folder.path().join("authority.pem"))
        .env_remove("SSL_CERT_DIR")
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "it ran");
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
        let report = probe(&request).await;
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
    let report = probe(&get(&server.url)).await;
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
    let report = probe(&request).await;
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
async fn headers_and_methods_that_can_not_be_are_told() {
    let server = serve(|_, _| answer("200 OK", "", "")).await;
    for (method, name, value, expected) in [
        (Method::Get, "bad name", "x", Code::InvalidInput),
        (Method::Get, "X-Ok", "a\nb", Code::InvalidInput),
        (Method::Connect, "X-Ok", "a", Code::Unsupported),
    ] {
        let request = ProbeRequest { method, headers: vec![(name.into(), value.into())], ..get(&server.url) };
        assert_eq!(code(&probe(&request).await), Some(expected), "{method} {name}");
    }
    for method in Method::ALL {
        let report = probe(&ProbeRequest { method, ..get(&server.url) }).await;
        assert!(report.problem.is_none(), "{method}: {:?}", report.problem);
        assert_eq!(server.received().last().map(|sent| sent.method.clone()).as_deref(), Some(method.as_str()));
    }
}

async fn attempts(context: &Context, request: &ProbeRequest, handling: &ErrorHandling) -> (ProbeReport, u32) {
    send_with_retries(context, request, handling, Bounds::default()).await
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let handling = ErrorHandling { retries: 3, delay: Some(Span::millis(1)), ..ErrorHandling::default() };
    for (method, key, status, expected) in [
        (Method::Get, false, "503 Unavailable", 3),
        (Method::Get, false, "429 Slow", 3),
        (Method::Get, false, "500 Error", 1),
        (Method::Get, false, "404 Not Found", 1),
        (Method::Post, false, "503 Unavailable", 1),
        (Method::Post, true, "503 Unavailable", 3),
        (Method::Put, false, "502 Bad", 3),
        (Method::Delete, false, "504 Late", 3),
    ] {
        let server = serve(move |_, count| match count {
            0 | 1 => answer(status, "retry-after: 0\r\n", ""),
            _ => answer("200 OK", "", ""),
        })
        .await;
        let mut request = ProbeRequest { method, ..get(&server.url) };
        if key {
            request.headers.push(("Idempotency-Key".into(), "${uuid}".into()));
        }
        let (report, attempts) = attempts(&context(), &request, &handling).await;
        assert_eq!(attempts, expected, "{method} {status}");
        assert_eq!(server.received().len(), expected as usize);
        assert_eq!(report.response.is_some_and(|response| response.status == 200), expected == 3);
        if key {
            let keys: Vec<_> = server.received().iter().map(|sent| sent.header("idempotency-key").map(str::to_owned)).collect();
            assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
            let uuid = keys[0].clone().expect("it was sent");
            assert!(uuid.len() == 36 && &uuid[14..15] == "4" && "89ab".contains(&uuid[19..20]), "{uuid}");
        }
    }
    let refused = get(format!("http://127.0.0.1:{}/", free_port().await));
    let (report, count) = attempts(&context(), &refused, &handling).await;
    assert_eq!((count, code(&report)), (4, Some(Code::Refused)));
    let slow = serve(|_, count| if count == 0 { vec![Step::Hold] } else { answer("200 OK", "", "") }).await;
    let handling = ErrorHandling { timeout: Some(Span::millis(300)), ..handling };
    let (report, count) = attempts(&context(), &get(&slow.url), &handling).await;
    assert_eq!((count, report.response.map(|response| response.status)), (2, Some(200)));
}

#[tokio::test]
async fn retry_after_is_obeyed_within_bounds() {
    let handling = ErrorHandling { retries: 3, max_delay: Some(Span::secs(2)), ..ErrorHandling::default() };
    for header in ["3600", "Wed, 21 Oct 2099 07:28:00 GMT"] {
        let server = serve(move |_, _| answer("503 Unavailable", &format!("retry-after: {header}\r\n"), "")).await;
        let (report, count) = attempts(&context(), &get(&server.url), &handling).await;
        assert_eq!(count, 1, "{header}");
        assert!(report.notes.iter().any(|note| note.contains("asks to wait")), "{:?}", report.notes);
    }
    // A date in the past asks for no wait, whatever the backoff would be.
    let handling = ErrorHandling { delay: Some(Span::secs(3600)), max_delay: Some(Span::secs(3600)), ..handling };
    let server = serve(|_, count| match count {
        0 => answer("503 Unavailable", "retry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\n", ""),
        _ => answer("200 OK", "", ""),
    })
    .await;
    let (report, count) = attempts(&context(), &get(&server.url), &handling).await;
    assert_eq!((count, report.response.map(|response| response.status)), (2, Some(200)));
}

#[test]
fn waits_grow_and_spread_as_they_are_told_to() {
    let handling = |backoff, jitter| ErrorHandling {
        backoff,
        jitter,
        delay: Some(Span::millis(100)),
        max_delay: Some(Span::millis(1000)),
        ..ErrorHandling::default()
    };
    for (backoff, jitter, chance, waits) in [
        (Backoff::None, Jitter::Full, 0.5, [0, 0, 0, 0]),
        (Backoff::Constant, Jitter::None, 0.5, [100, 100, 100, 100]),
        (Backoff::Linear, Jitter::None, 0.5, [100, 200, 300, 400]),
        (Backoff::Exponential, Jitter::None, 0.5, [100, 200, 400, 800]),
        (Backoff::Exponential, Jitter::Full, 0.0, [0, 0, 0, 0]),
        (Backoff::Exponential, Jitter::Full, 0.5, [50, 100, 200, 400]),
        (Backoff::Exponential, Jitter::Equal, 0.0, [50, 100, 200, 400]),
        (Backoff::Exponential, Jitter::Equal, 0.5, [75, 150, 300, 600]),
    ] {
        let handling = handling(backoff, jitter);
        let got: Vec<u64> = (1..=4).map(|attempt| delay_before(attempt, &handling, chance).as_millis() as u64).collect();
        assert_eq!(got, waits, "{backoff:?} {jitter:?} {chance}");
    }
    let handling = handling(Backoff::Exponential, Jitter::None);
    assert_eq!(delay_before(1000, &handling, 0.0), Duration::from_secs(1), "the longest wait is the longest");
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
