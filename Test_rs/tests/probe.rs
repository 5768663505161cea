//! One HTTP exchange against services on loopback: its phases, bodies, certificates, redirects, secrets and failures.

use std::{io::Write as _, process::Command, time::Duration};

use patchbay_contracts::{
    Code, Problem,
    integration::Method,
    probe::{ProbeReport, ProbeRequest},
    units::Span,
};
use patchbay_engine::http::{Bounds, send};
use patchbay_tests::http::{
    Authority, Step, answer, context, free_port, get, json, self_signed, self_signed_authority, serve, serve_raw, serve_tls,
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
    for _ in 0..8 {
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
    for (config, told) in [
        (self_signed(names, LATER), "self-signed"),
        (self_signed_authority(names, LATER), "self-signed"),
        (authority.server(names, LATER), "Patchbay Test Authority"),
    ] {
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

/// Proxies are read from the environment, so that this one runs in a process of its own too.
#[tokio::test]
async fn a_proxy_is_used_on_the_way_out_and_told() {
    const OWN_PROCESS: &str = "PATCHBAY_TEST_PROXY";
    let proxy = serve(|_, _| answer("200 OK", "", "by proxy")).await;
    if std::env::var_os(OWN_PROCESS).is_none() {
        let url = format!("http://localhost:{}", proxy.port);
        let test = "a_proxy_is_used_on_the_way_out_and_told";
        // The process is waited for in a thread of its own, since the proxy answers from this one.
        tokio::task::spawn_blocking(move || in_own_process_with(OWN_PROCESS, test, &[("http_proxy", &url)]))
            .await
            .expect("it does not panic");
        let sent = proxy.received();
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert_eq!(sent[0].path, "http://orders.invalid/health");
        return;
    }
    let report = probe(&get("http://orders.invalid/health")).await;
    assert_eq!(report.response.and_then(|response| response.body.text).as_deref(), Some("by proxy"));
    assert!(report.notes.iter().any(|note| note.contains("the proxy localhost")), "{:?}", report.notes);
    // This machine is called directly.
    let report = probe(&get(&proxy.url)).await;
    assert!(report.response.is_some() && report.notes.is_empty(), "{:?}", report.notes);
    assert_eq!(proxy.received()[0].path, "/");
}

fn in_own_process(variable: &str, test: &str) {
    in_own_process_with(variable, test, &[]);
}

fn in_own_process_with(variable: &str, test: &str, more: &[(&str, &str)]) {
    let folder = tempfile::tempdir().expect("there is room");
    let output = Command::new(std::env::current_exe().expect("it runs"))
        .args([test, "--exact", "--nocapture"])
        .env(variable, "1")
        .env("SSL_CERT_FILE", folder.path().join("authority.pem"))
        .env_remove("SSL_CERT_DIR")
        .envs(more.iter().copied())
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "it ran");
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
