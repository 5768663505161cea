//! A service held to its OpenAPI document: a clean one has no finding, and one with a fault has exactly that.

use std::time::Duration;

use patchbay_contracts::{
    contract::{Check, CheckResult, ContractOptions, ContractProgress, ContractReport},
    integration::{Auth, AuthSpec},
    run::Verdict,
    units::Span,
};
use patchbay_engine::contract::{document::Document, openapi::verify};
use patchbay_tests::{
    http::{Step, answer, context, free_port, json as reply_json, serve},
    library::{Library, TOKEN, document, library},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

fn options() -> ContractOptions {
    ContractOptions { auth: Some(Auth::Spec(AuthSpec::Bearer { token: TOKEN.to_owned() })), ..ContractOptions::default() }
}

async fn run(document: &Value, options: &ContractOptions) -> (ContractReport, Vec<ContractProgress>) {
    let document = Document::read("library.json", document.to_string().as_bytes()).expect("it can be read");
    let mut progress = Vec::new();
    let report = verify(&context(), &document, options, &CancellationToken::new(), |step| progress.push(step)).await;
    (report.expect("there is a document and an address"), progress)
}

async fn held(fault: &str, options: &ContractOptions) -> (Library, ContractReport) {
    let library = library(fault).await;
    let (report, _) = run(&document(&library.url), options).await;
    (library, report)
}

fn failures(report: &ContractReport) -> Vec<(&str, &CheckResult)> {
    let all =
        report.endpoints.iter().flat_map(|endpoint| endpoint.checks.iter().map(move |check| (endpoint.endpoint.as_str(), check)));
    all.filter(|(_, check)| check.verdict != Verdict::Pass).collect()
}

fn lines(report: &ContractReport) -> Vec<String> {
    failures(report)
        .into_iter()
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
async fn a_clean_service_has_no_finding() {
    for seed in 1..=5 {
        let (library, report) = held("", &ContractOptions { seed: Some(seed), ..options() }).await;
        assert_eq!(lines(&report), Vec::<String>::new(), "seed {seed}");
        assert_eq!((report.verdict, report.partial, report.seed), (Verdict::Pass, false, Some(seed)));
        assert!(report.problems.is_empty() && report.notes.is_empty(), "{:?} {:?}", report.problems, report.notes);
        assert_eq!(library.left(), 0, "what was made is cleared away");
        let coverage = report.coverage.as_ref().expect("it is counted");
        assert_eq!(coverage.operations(), (12, 12));
        for operation in &coverage.operations {
            assert!(operation.statuses_seen.iter().any(|status| status.starts_with('2')), "{operation:?}");
            assert!(operation.fields_unseen.is_empty(), "{operation:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_is_found_where_it_is_and_nothing_else() {
    let faults = [
        ("200 for 201", "POST /books", Check::Status, ""),
        ("410", "GET /books/{bookId}", Check::Status, ""),
        ("html", "GET /books", Check::ContentType, ""),
        ("broken json", "GET /books", Check::ResponseSchema, ""),
        ("total as text", "GET /books", Check::ResponseSchema, "/total"),
        ("extra field", "GET /books", Check::UndocumentedField, "/debug"),
        ("tells password", "POST /readers", Check::UndocumentedField, "/password"),
        ("bad time", "POST /books", Check::ResponseSchema, "/added"),
        ("null isbn", "POST /books", Check::ResponseSchema, "/isbn"),
        ("no location", "POST /books", Check::Header, ""),
        ("wrong location", "POST /books", Check::Header, ""),
        ("no etag", "GET /books/{bookId}", Check::Header, ""),
        ("weak etag", "GET /books/{bookId}", Check::Header, ""),
        ("crash on tags", "POST /books", Check::ServerError, "/tags"),
        ("crash on quote", "GET /books", Check::ServerError, "query.q"),
        ("crash on unknown", "GET /books/{bookId}", Check::ServerError, "path.bookId"),
        ("any limit", "GET /books", Check::InvalidAccepted, "query.limit"),
        ("any id", "GET /books/{bookId}", Check::InvalidAccepted, "path.bookId"),
        ("negative pages", "POST /books", Check::InvalidAccepted, "/pages"),
        ("long titles", "POST /books", Check::InvalidAccepted, "/title"),
        ("any author mail", "POST /books", Check::InvalidAccepted, "/author/email"),
        ("strict pages", "POST /books", Check::ValidRejected, "/pages"),
        ("open door", "DELETE /books/{bookId}", Check::AuthIgnored, ""),
        ("any token", "POST /books", Check::AuthIgnored, ""),
        ("forgets", "POST /books", Check::UnreadableAfterCreate, ""),
        ("loses genre", "POST /books", Check::UnreadableAfterCreate, "/genre"),
        ("put forgets", "PUT /books/{bookId}", Check::ChangeNotKept, "/title"),
        ("patch resets", "PATCH /books/{bookId}", Check::ChangeNotKept, "/title"),
        ("deletes nothing", "DELETE /books/{bookId}", Check::ReadableAfterDelete, ""),
        ("slow", "GET /books/{bookId}", Check::Latency, ""),
    ];
    let mut missed = Vec::new();
    for (fault, operation, check, pointer) in faults {
        let (_library, report) = held(fault, &options()).await;
        let found = failures(&report);
        let hit = found
            .iter()
            .find(|(at, result)| *at == operation && result.check == check && result.pointer.as_deref() == Some(pointer));
        let others: Vec<&(&str, &CheckResult)> = found.iter().filter(|(_, result)| result.check != check).collect();
        // The document has a link to what was forgotten, which leads nowhere then.
        let others: Vec<_> = others.into_iter().filter(|(_, result)| fault != "forgets" || result.check != Check::Link).collect();
        match hit {
            None => missed.push(format!("{fault}: not found; {:#?}", lines(&report))),
            Some(_) if !others.is_empty() => missed.push(format!("{fault}: more than that; {:#?}", lines(&report))),
            Some((_, result)) => {
                let curl = result.request.as_ref().map(|request| request.curl.as_str()).unwrap_or_default();
                if !curl.starts_with("curl ") || result.place.is_none() {
                    missed.push(format!("{fault}: no curl line or no place; {result:?}"));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_makes_the_same_requests_in_the_same_order() {
    let sent = async |seed| {
        let chosen =
            ContractOptions { seed: Some(seed), only: vec!["POST /books".to_owned(), "listBooks".to_owned()], ..options() };
        let (library, report) = held("", &chosen).await;
        assert_eq!(
            report.endpoints.iter().map(|endpoint| endpoint.endpoint.as_str()).collect::<Vec<_>>(),
            ["GET /books", "POST /books"]
        );
        let all = library.requests();
        let of = |method: &str| all.iter().filter(|line| line.starts_with(method)).cloned().collect::<Vec<_>>();
        // What was created is read by its own address.
        (of("GET /books ").into_iter().chain(of("GET /books?")).collect::<Vec<_>>(), of("POST /books "))
    };
    let first = sent(7).await;
    assert!(first.0.len() > 10 && first.1.len() > 50, "{} {}", first.0.len(), first.1.len());
    assert_eq!(first, sent(7).await);
    assert_ne!(first, sent(8).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_and_checks_are_chosen_and_weighed() {
    let (_library, report) =
        held("total as text", &ContractOptions { skip: vec!["response-schema".to_owned()], ..options() }).await;
    assert_eq!(lines(&report), Vec::<String>::new());
    let (_library, report) = held("total as text", &ContractOptions { skip: vec!["*/books*".to_owned()], ..options() }).await;
    assert_eq!(report.endpoints.len(), 3, "those of the readers");
    let (_library, report) =
        held("total as text", &ContractOptions { warn: vec!["response-schema".to_owned()], ..options() }).await;
    assert_eq!((report.verdict, failures(&report).len()), (Verdict::Pass, 1));
    let (_library, report) = held("", &ContractOptions { only: vec!["nothing".to_owned()], ..options() }).await;
    assert_eq!((report.verdict, report.endpoints.len(), report.notes.len()), (Verdict::Inconclusive, 0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_credential_what_is_locked_is_left_open() {
    let (_library, report) = held("", &ContractOptions::default()).await;
    assert_eq!(report.verdict, Verdict::Inconclusive);
    let locked = report.endpoints.iter().find(|endpoint| endpoint.endpoint == "POST /books").expect("it is there");
    let of = |check: Check| locked.checks.iter().find(|result| result.check == check).map(|result| result.verdict);
    assert_eq!((of(Check::AuthIgnored), of(Check::ValidRejected)), (Some(Verdict::Pass), Some(Verdict::Inconclusive)));
    let open = report.endpoints.iter().find(|endpoint| endpoint.endpoint == "GET /books").expect("it is there");
    assert_eq!(open.verdict, Verdict::Pass);
    let (_library, report) = held("any token", &ContractOptions::default()).await;
    assert!(lines(&report).iter().any(|line| line.contains("auth-ignored fail")), "{:#?}", lines(&report));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_misbehaves_is_told_and_ends_the_run() {
    let whole = |url: &str| document(url);
    let closing = serve(|_, _| vec![Step::Reset]).await;
    let (report, _) = run(&whole(&closing.url), &options()).await;
    assert_eq!(report.verdict, Verdict::Fail);
    assert!(lines(&report).iter().all(|line| line.contains(" reachable ")), "{:#?}", lines(&report));

    let endless = serve(|_, _| {
        vec![Step::Send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n".to_vec()), Step::Forever(vec![b' '; 65536])]
    })
    .await;
    let chosen =
        ContractOptions { only: vec!["GET /books".to_owned()], budget: Some(Span(Duration::from_secs(20))), ..options() };
    let (report, _) = run(&whole(&endless.url), &chosen).await;
    assert!(lines(&report).iter().any(|line| line.contains("GET /books reachable fail")), "{:#?}", lines(&report));

    let nobody = format!("http://127.0.0.1:{}", free_port().await);
    let (report, _) = run(&whole(&nobody), &options()).await;
    assert_eq!((report.verdict, report.partial), (Verdict::Inconclusive, false));
    assert_eq!(report.endpoints.len(), 12);
    assert!(report.endpoints.iter().all(|endpoint| endpoint.problem.is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_and_a_cancellation_keep_what_was_judged() {
    let chosen = ContractOptions {
        budget: Some(Span(Duration::from_secs(4))),
        only: vec!["GET /books".to_owned(), "*/readers*".to_owned()],
        ..options()
    };
    let (_library, report) = held("hang", &chosen).await;
    assert_eq!((report.verdict, report.partial), (Verdict::Inconclusive, true), "{:#?}", lines(&report));
    assert!(report.notes[0].contains("budget"), "{:?}", report.notes);
    let of = |name: &str| report.endpoints.iter().find(|endpoint| endpoint.endpoint == name).expect("it is there").verdict;
    assert_eq!(of("GET /books"), Verdict::Inconclusive);

    let library = library("").await;
    let text = document(&library.url).to_string();
    let document = Document::read("library.json", text.as_bytes()).expect("it can be read");
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let report = verify(&context(), &document, &options(), &cancel, move |_| stop.cancel()).await.expect("it began");
    assert_eq!((report.verdict, report.partial), (Verdict::Inconclusive, true));
    assert_eq!(report.endpoints.len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_is_waited_for_and_a_recursive_schema_ends() {
    let tree = json!({
        "openapi": "3.0.3", "info": { "title": "Trees", "version": "1" },
        "paths": { "/trees": { "post": {
            "requestBody": { "required": true, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Tree" } } } },
            "responses": { "200": { "description": "the same", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Tree" } } } }, "400": { "description": "no tree" } }
        } } },
        "components": { "schemas": { "Tree": { "type": "object", "required": ["name"], "properties": {
            "name": { "type": "string" }, "children": { "type": "array", "items": { "$ref": "#/components/schemas/Tree" } }
        } } } }
    });
    let validator = jsonschema::validator_for(&json!({ "$ref": "#/components/schemas/Tree", "components": tree["components"] }))
        .expect("it is one");
    let server = serve(move |request, count| {
        if count % 10 == 3 {
            return answer("429 Too Many Requests", "retry-after: 0\r\n", "");
        }
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let typed = request.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
        if typed && validator.is_valid(&body) { reply_json("200 OK", &request.body) } else { answer("400 Bad Request", "", "") }
    })
    .await;
    let (report, progress) = run(&tree, &ContractOptions { url: Some(server.url.clone()), ..ContractOptions::default() }).await;
    assert_eq!(lines(&report), Vec::<String>::new());
    assert_eq!(report.verdict, Verdict::Pass);
    assert!(report.endpoints[0].cases > 20);
    assert_eq!(progress.last().map(|step| (step.done, step.total)), Some((1, 1)));
    let nowhere = verify(
        &context(),
        &Document::read("trees.json", tree.to_string().as_bytes()).expect("it can be read"),
        &ContractOptions::default(),
        &CancellationToken::new(),
        |_| {},
    )
    .await;
    assert!(nowhere.expect_err("no address is known").next.contains("--url"));
}
