//! What a person types or pastes: addresses and lines for curl, and the lines that Patchbay writes itself.

use std::{path::PathBuf, process::Command};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use patchbay_contracts::{
    Code,
    integration::{Auth, AuthSpec, Method},
    probe::ProbeRequest,
    secret::Sensitive,
    units::Span,
};
use patchbay_engine::http::{Bounds, UnderstoodWithSecrets, send, understand};
use patchbay_tests::http::{answer, context, secret, serve};

fn of(input: &str) -> UnderstoodWithSecrets {
    understand(input).unwrap_or_else(|problem| panic!("{input}: {problem}"))
}

fn request(input: &str) -> ProbeRequest {
    of(input).understood.request
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

#[test]
fn addresses_get_the_scheme_that_was_probably_meant() {
    for (input, method, url) in [
        ("https://api.example.com/v1", Method::Get, "https://api.example.com/v1"),
        ("  http://localhost:8080 ", Method::Get, "http://localhost:8080/"),
        ("localhost:8080/health", Method::Get, "http://localhost:8080/health"),
        ("127.0.0.1:9090", Method::Get, "http://127.0.0.1:9090/"),
        ("[::1]:9090/x", Method::Get, "http://[::1]:9090/x"),
        ("app.localhost", Method::Get, "http://app.localhost/"),
        ("api.example.com/v1?x=1", Method::Get, "https://api.example.com/v1?x=1"),
        ("api.example.com:8443", Method::Get, "https://api.example.com:8443/"),
        ("//api.example.com/v1", Method::Get, "https://api.example.com/v1"),
        ("POST https://api.example.com/v1", Method::Post, "https://api.example.com/v1"),
        ("delete localhost:1/x", Method::Delete, "http://localhost:1/x"),
        ("${env:base_url}/health", Method::Get, "${env:base_url}/health"),
        ("PUT ${env:base_url}/health", Method::Put, "${env:base_url}/health"),
    ] {
        let request = request(input);
        assert_eq!((request.method, request.url.as_str()), (method, url), "{input}");
    }
    for (input, told) in [
        ("", "empty"),
        ("htp:/x", "Did you mean http://x?"),
        ("localhost:99999", "port"),
        ("file:///etc/passwd", "a file is not a service"),
    ] {
        let problem = understand(input).err().unwrap_or_else(|| panic!("{input} was taken"));
        assert!(problem.code == Code::InvalidInput && problem.to_string().contains(told), "{input}: {problem}");
    }
}

#[test]
fn curl_lines_are_read_as_curl_reads_them() {
    type Case<'a> = (&'a str, Method, &'a str, &'a [(&'a str, &'a str)], Option<&'a str>);
    let cases: &[Case] = &[
        ("curl https://x.example", Method::Get, "https://x.example/", &[], None),
        ("$ curl x.example/a", Method::Get, "http://x.example/a", &[], None),
        ("curl -X PUT 'https://x.example/a b'", Method::Put, "https://x.example/a%20b", &[], None),
        ("curl -XDELETE x.example", Method::Delete, "http://x.example/", &[], None),
        ("curl --request=PATCH --url https://x.example/", Method::Patch, "https://x.example/", &[], None),
        ("curl -I https://x.example", Method::Head, "https://x.example/", &[], None),
        ("curl -d a=1 -d b=2 x.example", Method::Post, "http://x.example/", &[FORM], Some("a=1&b=2")),
        ("curl --data-raw '@x' x.example", Method::Post, "http://x.example/", &[FORM], Some("@x")),
        (
            "curl -G -d a=1 --data-urlencode 'q=x y&z' x.example/s?p=0",
            Method::Get,
            "http://x.example/s?p=0&a=1&q=x%20y%26z",
            &[],
            None,
        ),
        (
            "curl --data-urlencode '=a b' --data-urlencode 'c d' x.example",
            Method::Post,
            "http://x.example/",
            &[FORM],
            Some("a%20b&c%20d"),
        ),
        ("curl x.example --url-query a=b%20c", Method::Get, "http://x.example/?a=b%2520c", &[], None),
        (
            r#"curl --json '{"a": "it'\''s"}' x.example"#,
            Method::Post,
            "http://x.example/",
            &[("Content-Type", "application/json"), ("Accept", "application/json")],
            Some(r#"{"a": "it's"}"#),
        ),
        (
            r#"curl x.example -H "Content-Type: application/json" -d "{\"a\": \"\$1 \\ \x\"}""#,
            Method::Post,
            "http://x.example/",
            &[("Content-Type", "application/json")],
            Some(r#"{"a": "$1 \ \x"}"#),
        ),
        (
            "curl x.example -H $'X-Text: a\\tb\\'c\\u00e9\\xc3\\xa9'",
            Method::Get,
            "http://x.example/",
            &[("X-Text", "a\tb'céé")],
            None,
        ),
        ("curl x.example -H 'X-Empty;' -H 'X-A:b:c'", Method::Get, "http://x.example/", &[("X-Empty", ""), ("X-A", "b:c")], None),
        (
            "curl x.example -A agent -e http://from.example",
            Method::Get,
            "http://x.example/",
            &[("User-Agent", "agent"), ("Referer", "http://from.example")],
            None,
        ),
        ("curl x.example -r 0-99", Method::Get, "http://x.example/", &[("Range", "bytes=0-99")], None),
        ("curl \\\n  -X POST \\\r\n  x.example \\  \n  -d 'a=\nb'", Method::Post, "http://x.example/", &[FORM], Some("a=\nb")),
        (
            "curl ^\"https://x.example/a?b=1^&c=2^\" ^\n  -H ^\"X-A: b^\"",
            Method::Get,
            "https://x.example/a?b=1&c=2",
            &[("X-A", "b")],
            None,
        ),
        ("curl http://x.example/?a=1&b=2", Method::Get, "http://x.example/?a=1&b=2", &[], None),
        ("curl -- x.example", Method::Get, "http://x.example/", &[], None),
        ("curl.exe -T file x.example", Method::Put, "http://x.example/", &[], None),
        ("/usr/bin/curl x.example # health", Method::Get, "http://x.example/", &[], None),
        ("curl -d '${x}' x.example/$a", Method::Post, "http://x.example/$a", &[FORM], Some("$${x}")),
    ];
    for (input, method, url, headers, body) in cases {
        let request = request(input);
        assert_eq!((request.method, request.url.as_str()), (*method, *url), "{input}");
        assert_eq!(request.headers, pairs(headers), "{input}");
        assert_eq!(request.body.as_deref(), *body, "{input}");
    }
}

#[test]
fn options_about_the_exchange_and_options_without_a_meaning() {
    let understood = of(
        "curl -sSkL --compressed -o out.txt -x http://u:p@proxy:1 --max-time 2.5 --frob -w '%{http_code}' x.example y.example | jq .",
    );
    let request = understood.understood.request;
    assert!(request.follow_redirects && request.accept_invalid_certificate);
    assert_eq!(request.timeout, Some(Span::millis(2500)));
    assert_eq!(request.url, "http://x.example/");
    assert_eq!(understood.understood.ignored, ["-o out.txt", "-x", "--frob", "-w %{http_code}", "y.example", "| jq ."]);
    for (input, ignored) in [
        ("curl x.example -d @body.json", "-d @body.json (files are not read)"),
        ("curl x.example -F 'f=@pic.png'", "-F f=@pic.png (files are not read)"),
        ("curl x.example -b jar.txt", "-b jar.txt (files are not read)"),
        ("curl x.example -H 'Accept-Encoding: zstd'", "Accept-Encoding: zstd"),
        ("curl x.example --next y.example", "--next"),
        ("curl x.example\ncurl y.example", "curl y.example"),
        ("curl x.example && echo done", "&& echo done"),
        ("curl x.example > out", "> out"),
    ] {
        assert!(of(input).understood.ignored.iter().any(|told| told == ignored), "{input}: {:?}", of(input).understood.ignored);
        assert_eq!(request_url(input), "http://x.example/");
    }
}

fn request_url(input: &str) -> String {
    request(input).url
}

#[test]
fn a_multipart_form_of_texts_is_written_out() {
    let request = request("curl x.example -F name=value -F 'n2=a;type=text/plain' --form-string 'n3=@x'");
    let media_type = &request.headers[0].1;
    let boundary = media_type.strip_prefix("multipart/form-data; boundary=").expect("it is one");
    let part =
        |name: &str, value: &str| format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let expected = format!("{}{}{}--{boundary}--\r\n", part("name", "value"), part("n2", "a"), part("n3", "@x"));
    assert_eq!((request.method, request.body), (Method::Post, Some(expected)));
}

#[test]
fn lines_that_can_not_be_read_say_why() {
    for (input, told) in [
        ("curl", "names no address"),
        ("curl -s", "names no address"),
        ("curl 'http://x.example", "single quote"),
        ("curl \"http://x.example", "double quote"),
        ("curl $'http://x.example", "$' quote"),
        ("curl x.example -H", "lacks its value"),
        ("curl x.example -X GRT", "Did you mean GET?"),
        ("curl file:///etc/passwd", "a file is not a service"),
    ] {
        let problem = understand(input).err().unwrap_or_else(|| panic!("{input} was taken"));
        assert_eq!(problem.code, Code::InvalidInput);
        assert!(problem.to_string().contains(told), "{input}: {problem}");
    }
    assert!(understand(&"a".repeat(5 << 20)).is_err());
}

fn secrets(understood: &UnderstoodWithSecrets) -> Vec<(&str, &str, &str)> {
    understood.extracted.iter().map(|e| (e.name.as_str(), e.value.expose().as_str(), e.host.as_str())).collect()
}

fn bearer(token: &str) -> Option<Auth> {
    Some(Auth::Spec(AuthSpec::Bearer { token: token.into() }))
}

fn basic(username: &str, password: &str) -> Option<Auth> {
    Some(Auth::Spec(AuthSpec::Basic { username: username.into(), password: password.into() }))
}

#[test]
fn credentials_in_plain_are_taken_out_and_named() {
    let encoded = STANDARD.encode("me:pw:1");
    let cases = [
        ("curl api.example -H 'Authorization: Bearer abc'", bearer("${secret:api.example-token}"), "api.example-token", "abc"),
        ("curl api.example --oauth2-bearer abc", bearer("${secret:api.example-token}"), "api.example-token", "abc"),
        (
            &format!("curl api.example -H 'authorization: basic {encoded}'"),
            basic("me", "${secret:api.example-password}"),
            "api.example-password",
            "pw:1",
        ),
        ("curl api.example -u me:pw:1", basic("me", "${secret:api.example-password}"), "api.example-password", "pw:1"),
        ("curl api.example -u sk_live_1:", basic("${secret:api.example-api-key}", ""), "api.example-api-key", "sk_live_1"),
        ("https://me:p%40w@api.example/", basic("me", "${secret:api.example-password}"), "api.example-password", "p@w"),
    ];
    for (input, auth, name, value) in &cases {
        let understood = of(input);
        assert_eq!(understood.understood.request.auth, *auth, "{input}");
        assert_eq!(secrets(&understood), [(*name, *value, "api.example")], "{input}");
        assert_eq!(understood.understood.secrets, [*name]);
        assert!(!format!("{understood:?}").contains(*value), "{input}");
    }
    for (input, header, name, value) in [
        ("curl api.example -H 'X-API-Key: k1'", ("X-API-Key", "${secret:api.example-api-key}"), "api.example-api-key", "k1"),
        (
            "curl api.example -H 'Authorization: token k2'",
            ("Authorization", "token ${secret:api.example-authorization}"),
            "api.example-authorization",
            "k2",
        ),
        ("curl api.example -b 'a=1; b=2'", ("Cookie", "${secret:api.example-cookie}"), "api.example-cookie", "a=1; b=2"),
        (
            "curl api.example -H 'PRIVATE-TOKEN: k3'",
            ("PRIVATE-TOKEN", "${secret:api.example-private-token}"),
            "api.example-private-token",
            "k3",
        ),
    ] {
        let understood = of(input);
        assert_eq!(understood.understood.request.headers, pairs(&[header]), "{input}");
        assert_eq!(secrets(&understood), [(name, value, "api.example")]);
    }
    let understood = of("curl 'https://api.example:8443/x?a=1&api_key=k4&b=%20c' -d 'user=me&password=p%20w' ");
    let request = &understood.understood.request;
    assert_eq!(request.url, "https://api.example:8443/x?a=1&b=%20c");
    assert_eq!(request.query, pairs(&[("api_key", "${secret:api.example-8443-api_key}")]));
    assert_eq!(request.body.as_deref(), Some("user=me&password=${secret:api.example-8443-password}"));
    assert_eq!(
        secrets(&understood),
        [("api.example-8443-api_key", "k4", "api.example:8443"), ("api.example-8443-password", "p w", "api.example:8443")]
    );
    let understood = of(r#"curl api.example --json '{"user": "me", "in": {"client_secret": "a\"b"}, "n": 1}'"#);
    assert_eq!(
        understood.understood.request.body.as_deref(),
        Some(r#"{"user": "me", "in": {"client_secret": "${secret:api.example-client_secret}"}, "n": 1}"#)
    );
    assert_eq!(secrets(&understood), [("api.example-client_secret", "a\"b", "api.example")]);
}

#[test]
fn a_shell_variable_in_the_place_of_a_credential_becomes_the_secret_of_that_name() {
    let understood =
        of(r#"curl api.example -H "Authorization: Bearer $GITHUB_TOKEN" -H "X-Api-Key: ${API_KEY}" -H 'Idempotency-Key: k'"#);
    let request = &understood.understood.request;
    assert_eq!(request.auth, bearer("${secret:github-token}"));
    assert_eq!(request.headers, pairs(&[("X-Api-Key", "${secret:api-key}"), ("Idempotency-Key", "k")]));
    assert!(understood.extracted.is_empty());
    assert_eq!(understood.understood.secrets, ["github-token", "api-key"]);
}

#[tokio::test]
async fn kept_credentials_are_sent_to_their_host_only() {
    let context = context();
    let server = serve(|request, _| answer("200 OK", "", request.header("authorization").unwrap_or_default())).await;
    let host = format!("127.0.0.1:{}", server.port);
    // The name is taken by another value, so that the new one gets another name, in the request too.
    let taken = format!("127.0.0.1-{}-token", server.port);
    context.secrets.hold(&taken, Sensitive::new("other".into()), vec![host.clone()]).await.expect("memory takes it");
    let understood = of(&format!("curl {}/ -H 'Authorization: Bearer pasted-1'", server.url));
    let understood = understood.keep(&context.secrets).await.expect("memory takes it");
    assert_eq!(understood.request.auth, bearer(&format!("${{secret:{taken}-2}}")));
    assert_eq!(understood.secrets, [format!("{taken}-2")]);
    let report = send(&context, &understood.request, Bounds::default()).await;
    assert!(report.problem.is_none(), "{:?}", report.problem);
    assert_eq!(server.received()[0].header("authorization"), Some("Bearer pasted-1"));
    assert_eq!(report.response.and_then(|response| response.body.text), Some(format!("Bearer ‹secret:{taken}-2›")));
    let elsewhere = ProbeRequest { url: format!("http://localhost:{}/", server.port), ..understood.request };
    let report = send(&context, &elsewhere, Bounds::default()).await;
    assert_eq!(report.problem.map(|problem| problem.code), Some(Code::SecretHost));
}

#[tokio::test]
async fn a_line_that_patchbay_writes_is_read_back_as_the_same_request() {
    let server = serve(|_, _| answer("200 OK", "", "")).await;
    for (method, body, header) in [
        (Method::Get, None, "plain"),
        (Method::Post, Some("it's a \"body\" with $dollars, `ticks` and \\ back\nslashes"), "quote ' and \" it"),
        (Method::Put, Some("x"), "ünïcödé"),
        (Method::Head, None, "a"),
        (Method::Delete, None, "!history"),
    ] {
        let request = ProbeRequest {
            method,
            url: format!("{}/a%20b?c=d&e='f'", server.url),
            headers: pairs(&[("X-Text", header), ("Content-Type", "text/plain")]),
            body: body.map(str::to_owned),
            ..ProbeRequest::default()
        };
        let report = send(&context(), &request, Bounds::default()).await;
        assert!(report.problem.is_none(), "{:?}", report.problem);
        let again = self::request(&report.request.curl);
        assert_eq!((again.method, &again.body), (request.method, &request.body), "{}", report.request.curl);
        for pair in &request.headers {
            assert!(again.headers.contains(pair), "{pair:?} in {}", report.request.curl);
        }
        send(&context(), &again, Bounds::default()).await;
        let received = server.received();
        let [.., first, second] = received.as_slice() else { panic!("both were sent") };
        assert_eq!((&first.method, &first.path, &first.body), (&second.method, &second.path, &second.body));
    }
}

/// The line does in a shell what Patchbay did, with the secret from a variable.
#[tokio::test]
async fn a_line_that_patchbay_writes_works_in_a_shell() {
    if !Command::new("curl").arg("--version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("left out: there is no curl");
        return;
    }
    let context = context();
    let value = "it's \"secret\" $HOME `id` \\ é";
    secret(&context, "api-key.1", value, &["127.0.0.1"]).await;
    // A shell can't percent-encode, so that what stands in an address must do without.
    secret(&context, "in-url", "abc-123", &["127.0.0.1"]).await;
    let server = serve(|_, _| answer("200 OK", "", "")).await;
    for (method, auth, body) in [
        (Method::Get, None, None),
        (Method::Head, None, None),
        (Method::Post, basic("me", "${secret:api-key.1}"), Some("a 'b' ${secret:api-key.1}\n\"c\" !x $y")),
        (Method::Put, bearer("${secret:api-key.1}"), Some("@not-a-file")),
        (Method::Delete, None, None),
    ] {
        let request = ProbeRequest {
            method,
            auth,
            url: format!("{}/a%20b?c='d'&e=${{secret:in-url}}x", server.url),
            headers: pairs(&[("X-Key", "k ${secret:api-key.1} k"), ("Content-Type", "text/plain")]),
            body: body.map(str::to_owned),
            ..ProbeRequest::default()
        };
        let report = send(&context, &request, Bounds::default()).await;
        assert!(report.problem.is_none(), "{:?}", report.problem);
        let line = report.request.curl.clone();
        assert!(!line.contains("secret\""), "{line}");
        let script = format!("{line} -s");
        let status = tokio::task::spawn_blocking(move || {
            Command::new("sh")
                .args(["-c", &script])
                .env("SECRET_API_KEY_1", value)
                .env("SECRET_IN_URL", "abc-123")
                .output()
                .expect("there is a shell")
                .status
        });
        assert!(status.await.expect("it does not panic").success(), "{line}");
        let received = server.received();
        let [.., ours, curls] = received.as_slice() else { panic!("both were sent") };
        assert_eq!((&ours.method, &ours.path, &ours.body), (&curls.method, &curls.path, &curls.body), "{line}");
        for name in ["x-key", "content-type", "authorization", "user-agent", "accept"] {
            assert_eq!(ours.header(name), curls.header(name), "{name}: {line}");
        }
    }
}

/// Real lines of other projects, where the folder with them is at hand.
#[test]
fn samples_are_understood() {
    let folder = std::env::var_os("PATCHBAY_SAMPLES")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples"))
        .join("curl");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("left out: there are no samples");
        return;
    };
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        let text = std::fs::read_to_string(&path).expect("samples are text");
        let understood = of(&text);
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let request = &understood.understood.request;
        match name.as_str() {
            "dollar-sign-input.sh" => {
                assert_eq!((request.method, request.url.as_str()), (Method::Post, "https://test.dk/"));
                assert_eq!(understood.extracted[0].name, "test.dk-cookie");
                assert!(understood.extracted[0].value.expose().starts_with("CookieTestConsent={stamp:'x"));
                assert!(request.body.as_deref().is_some_and(|body| body.starts_with(r#"{"key":"#)));
            }
            "from-chrome-input.sh" => {
                assert_eq!((request.method, request.body.as_deref()), (Method::Post, Some("private=false")));
                assert_eq!(understood.understood.secrets, ["requestb.in-cookie"]);
                assert!(!format!("{understood:?}").contains("d9e3031f00abce"));
            }
            "get-input.sh" => assert_eq!(request.url, "http://somesite.com/getdata?id=1234"),
            _ => {}
        }
    }
}
