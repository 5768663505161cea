//! The benchmark's service with each of its deliberate faults, and its clean twin.

use patchbay_contracts::{
    contract::{ContractOptions, ContractReport},
    integration::{Auth, AuthSpec},
    run::Verdict,
};
use patchbay_engine::contract::{document::Document, openapi::verify};
use patchbay_tests::{
    faulty::{
        document::openapi_3_0,
        faults::{FAULTS, Fault},
        requests::{KEY, TOKEN},
        service,
    },
    http::context,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

async fn held(fault: Option<&'static Fault>, seed: u64) -> ContractReport {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has ports");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let task = tokio::spawn(async move { axum::serve(listener, service(fault)).await });
    let document = Document::read("openapi.json", openapi_3_0().to_string().as_bytes()).expect("it can be read");
    let options = ContractOptions {
        url: Some(url),
        auth: Some(Auth::Spec(AuthSpec::Bearer { token: TOKEN.to_owned() })),
        headers: vec![("X-API-Key".to_owned(), KEY.to_owned())],
        seed: Some(seed),
        // The other operations only help out, which makes forty runs affordable.
        // One is only seen in what another operation has created.
        only: fault.iter().filter(|fault| fault.name != "name-latin-1").map(|fault| fault.operation.to_owned()).collect(),
        ..ContractOptions::default()
    };
    let report = verify(&context(), &document, &options, &CancellationToken::new(), |_| {}).await.expect("it can be run");
    task.abort();
    report
}

fn failures(report: &ContractReport) -> Vec<String> {
    let all = report.endpoints.iter().flat_map(|endpoint| endpoint.checks.iter().map(move |check| (&endpoint.endpoint, check)));
    all.filter(|(_, check)| check.verdict != Verdict::Pass)
        .map(|(operation, check)| {
            let curl = check.request.as_ref().map(|request| request.curl.as_str()).unwrap_or_default();
            format!(
                "{operation} {} {} {} | {} | {curl}",
                check.check.as_str(),
                check.verdict.as_str(),
                check.pointer.as_deref().unwrap_or_default(),
                check.message
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clean_twin_has_no_finding() {
    for seed in [1, 2, 3] {
        let report = held(None, seed).await;
        eprintln!("{} ms, {} cases", report.duration_ms, report.endpoints.iter().map(|endpoint| endpoint.cases).sum::<u32>());
        assert_eq!(failures(&report), Vec::<String>::new(), "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_is_found() {
    let mut missed = Vec::new();
    for fault in FAULTS {
        let report = held(Some(fault), 1).await;
        let found = failures(&report);
        eprintln!(
            "{} {}: {:.0} ms\n    {}",
            fault.number,
            fault.name,
            report.duration_ms,
            found.iter().map(|line| line.chars().take(330).collect::<String>()).collect::<Vec<_>>().join("\n    ")
        );
        if !found.iter().any(|line| line.starts_with(fault.operation) || line.contains(fault.check)) {
            missed.push(format!("{} {} ({}): {found:#?}", fault.number, fault.name, fault.operation));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
