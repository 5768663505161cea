//! Certificates of clients and private issuers: what a file says of TLS holds for each use of an integration, the
//! certificate goes where it belongs and nowhere else, and whatever is wrong with it is told.

use patchbay_contracts::{
    Code, Problem,
    ipc::{Backend, CheckNow, ScrapeNow, SendProbe, StartLoad},
    probe::ProbeRequest,
    run::Verdict,
};
use patchbay_engine::monitor::carried_out;
use patchbay_tests::{
    mutual::{Asks, Issuer, Mutual, Office, Pair, VALID, json},
    program::Desk,
};

const NAMED: &str = "  tls: { ca: certs/ca.pem, certificate: certs/client.pem, key: \"${secret:client-key}\" }\n";

/// The service that most tests call: a path of its own for each kind of use.
fn answers(line: &str) -> String {
    match line {
        "GET /metrics" => "200 OK\ncontent-type: text/plain\n\nup 1\n".to_owned(),
        "GET /api/things" => json("[]"),
        _ => json(r#"{"id":"7"}"#),
    }
}

/// The definition of an integration at this address, with these lines on TLS.
fn definition(url: &str, tls: &str) -> String {
    format!(
        "integration:
  name: orders
  base_url: {url}
{tls}  endpoints:
    - {{ name: one, path: /one, capture: {{ id: $.id }} }}
    - {{ name: two, path: \"/two/{{id}}\", params: {{ id: \"${{id}}\" }} }}
  health: {{ endpoint: one, conditions: [\"[STATUS] == 200\"] }}
  metrics: {{ url: /metrics }}
  load: {{ endpoint: one, connections: 2, iterations: 40, keep_alive: false }}
"
    )
}

/// Those who take part: an authority, a client of it, a service that lets in nobody else, and an office that knows them.
struct Parties {
    issuer: Issuer,
    client: Pair,
    service: Mutual,
    office: Office,
}

impl Parties {
    async fn meet(tls: &str) -> Self {
        let issuer = Issuer::new("Private Authority");
        let client = issuer.issue("Orders Client", &[], VALID);
        let service = Mutual::start(&issuer, Asks::Always(&issuer), answers);
        let office = Office::open(&[
            ("orders.yaml", &definition(&service.url("localhost"), tls)),
            ("certs/ca.pem", &issuer.pem()),
            ("certs/client.pem", &client.certificate),
        ])
        .await;
        office.secret("client-key", &client.key, &["localhost"]).await;
        Self { issuer, client, service, office }
    }
}

fn problem(found: Option<Problem>) -> Problem {
    found.expect("a problem")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_use_of_an_integration_shows_its_certificate() {
    let mut parties = Parties::meet(NAMED).await;
    let office = &mut parties.office;
    let probe = office.probe("orders", "one").await;
    assert_eq!(probe.response.map(|response| response.status), Some(200), "{:?}", probe.problem);
    assert!(probe.notes.is_empty(), "{:?}", probe.notes);

    let contract = office.contract("orders").await;
    assert_eq!(contract.verdict, Verdict::Pass, "{contract:?}");

    let check = office.engine.check_now(CheckNow { integration: "orders".into() }).await.expect("a check");
    assert!(check.healthy && carried_out(&check), "{check:?}");

    let scraped = office.engine.scrape_now(ScrapeNow { integration: "orders".into() }).await.expect("a scrape");
    assert_eq!(scraped.families.len(), 1, "{scraped:?}");

    let before = parties.service.handshakes();
    let load = office.load("orders").await;
    assert_eq!((load.totals.answered, load.totals.failed), (40, 0), "{:?}", load.errors);
    let (full, resumed) = parties.service.handshakes();
    assert!(resumed - before.1 >= 30, "sessions are taken up again: {full} full, {resumed} resumed");

    let calls = parties.service.calls();
    assert!(calls.len() >= 45 && calls.iter().all(|call| call.is_by(&parties.client)), "{calls:?}");
    for line in ["GET /one", "GET /two/7", "GET /metrics"] {
        assert!(calls.iter().any(|call| call.line == line), "{line}: {calls:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_monitor_shows_it_too() {
    let parties = Parties::meet(&format!("{NAMED}  description: watched\n")).await;
    parties.office.write("slow.yaml", "integration:\n  name: other\n");
    let text = definition(&parties.service.url("localhost"), NAMED);
    let text = text.replace("health: {", "health: { interval: 1s,").replace("/metrics }", "/metrics, interval: 1s }");
    parties.office.write("orders.yaml", &text);
    let parts = patchbay_engine::monitor::Parts {
        workspace: parties.office.engine.workspace().clone(),
        store: parties.office.engine.store().clone(),
        ports: parties.office.engine.ports().clone(),
        secrets: parties.office.engine.credentials().clone(),
    };
    let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
    let monitor = patchbay_engine::monitor::Monitor::start(parts, move |event| {
        let _ = sender.send(event);
    });
    let (mut checked, mut scraped) = (false, false);
    let both = async {
        while !(checked && scraped) {
            match told.recv().await.expect("it goes on") {
                patchbay_engine::monitor::MonitorEvent::Checked(check) => {
                    assert!(check.healthy, "{check:?}");
                    checked = true;
                }
                patchbay_engine::monitor::MonitorEvent::Scraped { samples, .. } => {
                    assert_eq!(samples, 1);
                    scraped = true;
                }
                _ => {}
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), both).await.expect("both happen");
    monitor.stop().await;
    assert!(parties.service.calls().iter().all(|call| call.is_by(&parties.client)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_of_an_integration_is_verified_with_its_certificate() {
    let mut parties = Parties::meet(&format!("{NAMED}  contract: {{ file: openapi.json }}\n")).await;
    let document = r#"{"openapi":"3.0.3","info":{"title":"Things","version":"1"},"servers":[{"url":"https://elsewhere.invalid"}],
        "paths":{"/api/things":{"get":{"operationId":"things","responses":{"200":{"description":"all",
        "content":{"application/json":{"schema":{"type":"array"}}}}}}}}}"#;
    parties.office.write("openapi.json", document);
    let report = parties.office.contract("orders").await;
    let things = report.endpoints.iter().find(|endpoint| endpoint.endpoint.contains("things")).expect("the operation");
    assert_eq!(things.verdict, Verdict::Pass, "{things:?}");
    let calls = parties.service.calls();
    assert!(calls.iter().filter(|call| call.line.contains("/api/things")).all(|call| call.is_by(&parties.client)), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_issuer_alone_is_trusted_for_its_integration_only() {
    let issuer = Issuer::new("Private Authority");
    let service = Mutual::start(&issuer, Asks::No, answers);
    let url = service.url("localhost");
    let mut office = Office::open(&[
        ("orders.yaml", &definition(&url, "  tls: { ca: certs/ca.pem }\n")),
        ("other.yaml", &definition(&url, "").replace("name: orders", "name: other")),
        ("certs/ca.pem", &issuer.pem()),
    ])
    .await;
    let trusted = office.probe("orders", "one").await;
    assert!(trusted.problem.is_none(), "{:?}", trusted.problem);
    assert!(trusted.response.and_then(|response| response.certificate).is_some_and(|certificate| certificate.valid));
    assert_eq!(office.contract("orders").await.verdict, Verdict::Pass);
    assert_eq!(office.load("orders").await.totals.answered, 40);

    let refused = problem(office.probe("other", "one").await.problem);
    assert_eq!(refused.code, Code::Certificate, "{refused}");
    assert!(refused.next.contains("tls: { ca:"), "the way out is named: {refused}");

    // The machine's own issuers are trusted besides: a file with another authority changes nothing for those, and does
    // not vouch for this service.
    office.write("certs/ca.pem", &Issuer::new("Stranger").pem());
    let changed = problem(office.probe("orders", "one").await.problem);
    assert_eq!(changed.code, Code::Certificate, "the changed file is noticed: {changed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_asks_in_vain_is_told_apart() {
    let issuer = Issuer::new("Private Authority");
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let service = Mutual::with(&issuer, Asks::Always(&issuer), &[version], answers);
        let office = Office::open(&[
            ("orders.yaml", &definition(&service.url("localhost"), "  tls: { ca: ca.pem }\n")),
            ("ca.pem", &issuer.pem()),
        ])
        .await;
        for _ in 0..20 {
            let told = problem(office.probe("orders", "one").await.problem);
            assert_eq!(told.code, Code::Tls, "{told}");
            assert!(told.what.contains("asks for a client certificate"), "{told}");
            assert!(told.why.contains("Private Authority"), "it says whose it takes: {told}");
            assert!(told.next.contains("tls: { certificate:"), "{told}");
        }
        let check = office.engine.check_now(CheckNow { integration: "orders".into() }).await.expect("a check");
        assert!(carried_out(&check) && !check.healthy, "that it lets nobody in is the service's doing: {check:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_refuses_the_certificate_is_told_apart() {
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let (issuer, stranger) = (Issuer::new("Private Authority"), Issuer::new("Stranger"));
        let service = Mutual::with(&issuer, Asks::Always(&issuer), &[version], answers);
        let client = stranger.issue("Orders Client", &[], VALID);
        let mut office = Office::open(&[
            ("orders.yaml", &definition(&service.url("localhost"), NAMED).replace("iterations: 40", "duration: 1s")),
            ("certs/ca.pem", &issuer.pem()),
            ("certs/client.pem", &client.certificate),
        ])
        .await;
        office.secret("client-key", &client.key, &["localhost"]).await;
        let told = problem(office.probe("orders", "one").await.problem);
        assert!(matches!(told.code, Code::Tls | Code::Reset), "{told}");
        assert!(told.why.contains("Orders Client"), "{told}");
        // Its word may be lost with the connection.
        if told.code == Code::Tls {
            assert!(told.what.contains("refuses the client certificate"), "{told}");
            assert!(told.why.contains("Orders Client") && told.why.contains("Stranger"), "{told}");
        }
        let load = office.load("orders").await;
        assert_eq!(load.totals.answered, 0);
        assert!(service.calls().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_redirect_to_another_host_the_certificate_stays_behind() {
    let mut parties = Parties::meet(NAMED).await;
    let other = Mutual::start(&parties.issuer, Asks::Perhaps(&parties.issuer), answers);
    let to = other.url("127.0.0.1");
    let service = Mutual::start(&parties.issuer, Asks::Always(&parties.issuer), move |line| match line {
        "GET /one" => format!("302 Found\nlocation: {to}/landed"),
        "GET /two" => "302 Found\nlocation: /here".to_owned(),
        _ => json("{}"),
    });
    let office = &mut parties.office;
    let text = definition(&service.url("localhost"), NAMED).replace("/two/{id}\", params: { id: \"${id}\" }", "/two\"");
    office.write("orders.yaml", &text);

    let probe = office.probe("orders", "one").await;
    assert_eq!(probe.response.as_ref().map(|response| response.status), Some(200), "{:?}", probe.problem);
    assert_eq!(probe.redirects[0].withheld, ["client certificate"]);
    assert!(other.calls().iter().all(|call| call.is_anonymous()) && other.calls().len() == 1, "{:?}", other.calls());

    let within = office.probe("orders", "two").await;
    assert!(within.problem.is_none() && within.redirects[0].withheld.is_empty(), "{within:?}");
    assert!(service.calls().iter().all(|call| call.is_by(&parties.client)));

    // Bound to that host as well, it goes along, as a token would.
    office.secret("client-key", &parties.client.key, &["localhost", "127.0.0.1"]).await;
    let probe = office.probe("orders", "one").await;
    assert!(probe.problem.is_none() && probe.redirects[0].withheld.is_empty(), "{probe:?}");
    assert!(other.calls()[1].is_by(&parties.client));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_on_another_host_does_not_see_it() {
    let mut parties = Parties::meet(NAMED).await;
    let other = Mutual::start(&parties.issuer, Asks::Perhaps(&parties.issuer), answers);
    let strict = Mutual::start(&parties.issuer, Asks::Always(&parties.issuer), answers);
    let text = format!(
        "{}    - {{ name: away, path: \"{}/away\" }}\n    - {{ name: strict, path: \"{}/away\" }}\n  load: {{ endpoint: away, connections: 2, iterations: 10 }}\n",
        definition(&parties.service.url("localhost"), NAMED).split("  health:").next().expect("the endpoints"),
        other.url("127.0.0.1"),
        strict.url("127.0.0.1"),
    );
    let office = &mut parties.office;
    office.write("orders.yaml", &text);
    let probe = office.probe("orders", "away").await;
    assert!(probe.problem.is_none(), "{:?}", probe.problem);
    assert!(probe.notes.iter().any(|note| note.contains("client certificate was not shown to 127.0.0.1")), "{:?}", probe.notes);
    assert_eq!(office.load("orders").await.totals.answered, 10);
    assert!(office.contract("orders").await.endpoints.iter().any(|endpoint| endpoint.verdict == Verdict::Pass));
    assert!(other.calls().len() >= 12 && other.calls().iter().all(|call| call.is_anonymous()), "{:?}", other.calls());

    let told = problem(office.probe("orders", "strict").await.problem);
    assert!(told.code == Code::Tls && told.why.contains("not bound to 127.0.0.1"), "{told}");
    assert!(strict.calls().is_empty());

    // An address typed by hand, on behalf of the integration or not, is no other.
    let request = ProbeRequest { integration: Some("orders".into()), url: other.url("127.0.0.1"), ..ProbeRequest::default() };
    office.engine.probe(SendProbe { request }).await.expect("a report");
    assert!(other.calls().iter().all(|call| call.is_anonymous()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_bound_to_the_host_is_refused_before_anything_is_connected() {
    let mut parties = Parties::meet(NAMED).await;
    let office = &mut parties.office;
    office.secret("client-key", &parties.client.key, &["orders.example.com"]).await;
    let told = problem(office.probe("orders", "one").await.problem);
    assert_eq!(told.code, Code::SecretHost, "{told}");
    assert!(told.what.contains("client certificate") && told.why.contains("orders.example.com"), "{told}");
    assert_eq!(told.place.as_ref().map(|place| (place.line, place.column)), Some((4, 64)), "{told}");
    let check = office.engine.check_now(CheckNow { integration: "orders".into() }).await.expect("a check");
    assert!(!carried_out(&check), "nobody asked the service: {check:?}");
    assert_eq!(
        office.engine.scrape_now(ScrapeNow { integration: "orders".into() }).await.expect_err("no scrape").code,
        Code::SecretHost
    );
    let spec = office.engine.subject("orders").expect("it").definition.load.expect("a plan");
    let load = StartLoad { integration: "orders".into(), spec, options: Default::default() };
    assert_eq!(office.engine.start_load(load).await.expect_err("no run").code, Code::SecretHost);
    assert_ne!(office.contract("orders").await.verdict, Verdict::Pass);
    assert_eq!(parties.service.connections(), 0);

    office.engine.credentials().remove("client-key").await.expect("it was there");
    let told = problem(office.probe("orders", "one").await.problem);
    assert!(told.code == Code::SecretMissing && told.next.contains("--host localhost < client.key"), "{told}");
    assert_eq!(parties.service.connections(), 0);
}

/// What may be wrong with the files and the key, and what is said of it.
#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_in_files_and_key_is_told_before_anything_is_connected() {
    let parties = Parties::meet(NAMED).await;
    let (issuer, office) = (&parties.issuer, &parties.office);
    let (ca, certificate, key) = (issuer.pem(), parties.client.certificate.clone(), parties.client.key.clone());
    let expired = issuer.issue("Late", &[], (2001, 2002));
    let early = issuer.issue("Early", &[], (2080, 2090));
    let large = format!("{certificate}{}", "#".repeat(1 << 20));
    let cut = &certificate[..certificate.len() - 60];
    let damaged = certificate.replacen("MII", "M@@", 1);
    let one_line = key.replace('\n', " ");
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let odd = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";
    let no_certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    // The issuer's file, the client's file, the key, the column of the place, and words of what is said.
    let cases: [(&str, &str, &str, u32, &[&str]); 17] = [
        ("", &certificate, &key, 14, &["certs/ca.pem", "no certificates", "not in PEM"]),
        ("hello", &certificate, &key, 14, &["certs/ca.pem", "not in PEM"]),
        (&key, &certificate, &key, 14, &["certs/ca.pem", "no certificate is in it"]),
        (no_certificate, &certificate, &key, 14, &["certs/ca.pem", "number 1 is damaged"]),
        (&ca, "hello", &key, 41, &["certs/client.pem", "not in PEM", "openssl x509"]),
        (&ca, cut, &key, 41, &["certs/client.pem", "PEM is damaged"]),
        (&ca, &damaged, &key, 41, &["certs/client.pem", "PEM is damaged"]),
        (&ca, no_certificate, &key, 41, &["certs/client.pem", "damaged"]),
        (&ca, &large, &key, 41, &["certs/client.pem", "too large", "1048576"]),
        (&ca, &expired.certificate, &expired.key, 41, &["certs/client.pem", "expired", "2002-01-01", "Private Authority"]),
        (&ca, &early.certificate, &early.key, 41, &["not valid yet", "2080-01-01", "clock"]),
        (&ca, &certificate, &expired.key, 64, &["does not belong to the certificate", "Orders Client"]),
        (&ca, &certificate, "hunter2", 64, &["secret `client-key`", "not in PEM", "patchbay secret set client-key < client.key"]),
        (&ca, &certificate, &certificate, 64, &["holds a certificate and no key"]),
        (&ca, &certificate, encrypted, 64, &["passphrase", "openssl pkey -in client.key | patchbay secret set client-key"]),
        (&ca, &certificate, odd, 64, &["private key", "can't be used", "P-256"]),
        (&ca, &certificate, &one_line, 64, &["line breaks"]),
    ];
    for (ca, certificate, key, column, words) in cases {
        office.write("certs/ca.pem", ca);
        office.write("certs/client.pem", certificate);
        office.secret("client-key", key, &["localhost"]).await;
        let told = office.probe("orders", "one").await.problem.unwrap_or_else(|| panic!("a problem with {words:?}"));
        let text = told.to_string();
        assert_eq!(told.code, Code::InvalidDefinition, "{text}");
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert!(!told.why.is_empty() && !told.next.is_empty(), "{text}");
        let place = told.place.expect("a place");
        assert_eq!((place.line, place.column.abs_diff(column)), (4, 0), "{column}: {text}");
        assert!(!text.contains("hunter2") && !text.contains("MII"), "{text}");
        let check = office.engine.check_now(CheckNow { integration: "orders".into() }).await.expect("a check");
        assert!(!carried_out(&check), "nobody asked the service: {check:?}");
    }
    for (file, words) in [("none.pem", "none.pem"), ("certs", "no file"), ("../outside.pem", "")] {
        let tls = NAMED.replace("certs/client.pem", file);
        office.write("orders.yaml", &definition(&parties.service.url("localhost"), &tls));
        office.secret("client-key", &key, &["localhost"]).await;
        office.write("certs/ca.pem", &ca);
        let told = problem(office.probe("orders", "one").await.problem).to_string();
        assert!(told.contains(words) && told.contains("orders.yaml:4:"), "{told}");
    }
    assert_eq!(parties.service.connections(), 0);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn links_that_leave_the_workspace_are_refused() {
    let parties = Parties::meet(NAMED).await;
    let elsewhere = tempfile::TempDir::new().expect("a folder");
    std::fs::write(elsewhere.path().join("client.pem"), &parties.client.certificate).expect("a file");
    let link = parties.office.folder().join("certs/client.pem");
    std::fs::remove_file(&link).expect("it was there");
    std::os::unix::fs::symlink(elsewhere.path().join("client.pem"), &link).expect("a link");
    let told = problem(parties.office.probe("orders", "one").await.problem);
    assert!(told.code == Code::InvalidDefinition && told.what.contains("outside of the workspace"), "{told}");
    assert_eq!(parties.service.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_used_from_the_next_exchange_on() {
    let parties = Parties::meet(NAMED).await;
    parties.office.probe("orders", "one").await;
    let renewed = parties.issuer.issue("Orders Client, renewed", &[], VALID);
    parties.office.write("certs/client.pem", &renewed.certificate);
    parties.office.secret("client-key", &renewed.key, &["localhost"]).await;
    parties.office.probe("orders", "one").await;
    let calls = parties.service.calls();
    assert!(calls[0].is_by(&parties.client) && calls[1].is_by(&renewed), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_asks_and_answers_with_a_refusal_is_remarked_upon() {
    let issuer = Issuer::new("Private Authority");
    let service = Mutual::start(&issuer, Asks::Perhaps(&issuer), |line| match line {
        "GET /one" => "400 Bad Request\n\nNo required SSL certificate was sent".to_owned(),
        _ => json("{}"),
    });
    let office = Office::open(&[
        (
            "orders.yaml",
            &definition(&service.url("localhost"), "  tls: { ca: ca.pem }\n")
                .replace("/two/{id}\", params: { id: \"${id}\" }", "/two\""),
        ),
        ("ca.pem", &issuer.pem()),
    ])
    .await;
    let remarks = office.probe("orders", "one").await.notes;
    assert!(remarks.iter().any(|note| note.contains("asked for a client certificate, and none was shown")), "{remarks:?}");
    let remarks = office.probe("orders", "two").await.notes;
    assert!(remarks.is_empty(), "one that is content is not remarked upon: {remarks:?}");
}

/// The key is in no reply, event, report, log, database or file, not even in part, whatever is done with it.
#[tokio::test(flavor = "multi_thread")]
async fn no_command_of_the_page_gives_the_key_away() {
    patchbay_engine::log::install(patchbay_contracts::workspace::LogLevel::Error);
    let mut parties = Parties::meet(NAMED).await;
    let mut events = parties.office.engine.events();
    let key = parties.client.key.trim_end().to_owned();
    let lines: Vec<String> = key.lines().filter(|line| !line.starts_with("-----")).map(str::to_owned).collect();
    let clean = |place: &str, text: &str| {
        for line in &lines {
            let part = &line[line.len() / 4..line.len() * 3 / 4];
            assert!(!text.contains(part), "{place}: {text}");
        }
    };
    let call = async |office: &Office, name: &str, arguments: serde_json::Value| {
        let reply = patchbay_contracts::ipc::dispatch(&office.engine, name, arguments).await;
        let text = format!("{reply:?} {}", serde_json::to_string(&reply).expect("JSON"));
        clean(name, &text);
        reply
    };
    // Without the line end behind the last line, as a pipe into the keychain leaves it, and with those of Windows.
    for value in [key.clone(), key.replace('\n', "\r\n")] {
        let set = serde_json::json!({ "name": "client-key", "value": value, "hosts": ["localhost"] });
        call(&parties.office, "set_secret", set).await.expect("it is kept");
        let probe = parties.office.probe("orders", "one").await;
        assert!(probe.problem.is_none(), "{:?}", probe.problem);
        clean("the probe", &format!("{probe:?}"));
    }
    let contract = parties.office.contract("orders").await;
    let load = parties.office.load("orders").await;
    clean("the reports", &format!("{contract:?} {load:?}"));
    for wrong in [key.replace('\n', " "), key[..key.len() - 40].to_owned(), format!("{key}{key}").replace("-----END", "----END")]
    {
        let set = serde_json::json!({ "name": "client-key", "value": wrong, "hosts": ["localhost"] });
        call(&parties.office, "set_secret", set).await.expect("it is kept");
        let probe = parties.office.probe("orders", "one").await;
        assert!(probe.problem.is_some(), "{probe:?}");
        clean("the probe", &format!("{probe:?}"));
        call(&parties.office, "check_now", serde_json::json!({ "integration": "orders" })).await.expect("a check");
    }
    call(&parties.office, "secrets", serde_json::json!({})).await.expect("a list");
    call(&parties.office, "show", serde_json::json!({ "name": "orders" })).await.expect("it");
    let runs = call(&parties.office, "runs", serde_json::json!({ "limit": 100 })).await.expect("a list");
    for run in runs.as_array().expect("a list") {
        for format in ["html", "json"] {
            call(&parties.office, "export", serde_json::json!({ "id": run["id"], "format": format })).await.expect("a file");
        }
    }
    call(&parties.office, "log", serde_json::json!({ "level": "trace", "limit": 2000 })).await.expect("lines");
    while let Ok(event) = events.try_recv() {
        clean("an event", &serde_json::to_string(&event).expect("JSON"));
    }
    let context = parties.office.engine.context(None);
    let subject = parties.office.engine.subject("orders").expect("it");
    let own = context.secured_for(&subject.definition, &patchbay_engine::contract::Schemas::closed(), None);
    clean("what a call may use", &format!("{:?} {:?}", parties.office.engine, own.tls));
    parties.office.engine.close().await;
    nowhere_in(parties.office.folder(), &lines.iter().map(String::as_str).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_takes_a_key_of_many_lines_and_shows_it_nowhere() {
    let issuer = Issuer::new("Private Authority");
    let client = issuer.issue("Orders Client", &[], VALID);
    let service = Mutual::start(&issuer, Asks::Always(&issuer), answers);
    let mut desk = Desk::new();
    desk.set("PATCHBAY_SECRET_CLIENT_KEY", &client.key);
    std::fs::create_dir(desk.workspace().join("certs")).expect("a folder");
    desk.write("orders.yaml", &definition(&service.url("localhost"), NAMED));
    desk.write("certs/ca.pem", &issuer.pem());
    desk.write("certs/client.pem", &client.certificate);
    let report = desk.workspace().join("report.html");
    let report = format!("html={}", report.display());
    let commands: [(&[&str], i32); 9] = [
        (&["probe", "orders/one"], 0),
        (&["probe", "orders/one", "--json"], 0),
        (&["contract", "test", "orders", "--report", &report], 0),
        (&["contract", "test", "orders.yaml", "--json"], 0),
        (&["load", "orders", "--json"], 0),
        (&["scrape", "orders"], 0),
        (&["monitor", "--once"], 0),
        (&["show", "orders", "--json"], 0),
        (&["probe", "orders/one", "--json"], 3),
    ];
    let body: Vec<&str> = client.key.lines().filter(|line| !line.starts_with("-----")).collect();
    for (number, (words, status)) in commands.into_iter().enumerate() {
        if number == 8 {
            desk.set("PATCHBAY_SECRET_CLIENT_KEY", &client.key.replace('\n', " "));
        }
        let mut all = vec!["-vvv"];
        all.extend(words);
        let ran = tokio::task::block_in_place(|| desk.run(&all));
        for line in &body {
            let part = &line[line.len() / 4..line.len() * 3 / 4];
            assert!(
                !ran.stdout.contains(part) && !ran.stderr.contains(part),
                "{words:?}: {part}\n{}\n{}",
                ran.stdout,
                ran.stderr
            );
        }
        let ran = if words[0] == "load" { ran.held_or_was_held_up() } else { ran.exits(status) };
        assert!(!ran.stderr.contains("BEGIN PRIVATE"), "{words:?}");
    }
    assert!(service.calls().iter().all(|call| call.is_by(&client)) && service.calls().len() > 45);
    nowhere_in(&desk.workspace(), &body);
}

/// No file below the folder, the database among them, holds a part of the key.
fn nowhere_in(folder: &std::path::Path, lines: &[&str]) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            nowhere_in(&path, lines);
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file");
        for line in lines {
            let part = &line.as_bytes()[line.len() / 4..line.len() * 3 / 4];
            assert!(!bytes.windows(part.len()).any(|window| window == part), "{}", path.display());
        }
    }
}
