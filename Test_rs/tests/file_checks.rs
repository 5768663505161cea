//! Files checked from the window: documents by a JSON Schema, messages by their contract, Pact cases, as jobs whose reports
//! are kept.

use std::{path::PathBuf, sync::Arc, time::Duration};

use patchbay_contracts::{
    Code,
    contract::{Check, CheckResult, ContractKind, ContractReport, ContractSubject, EndpointResult, FileCheck},
    ipc::{self, Event},
    run::{Finished, Progress, Report, Run, RunKind, Verdict},
};
use patchbay_engine::{
    Engine,
    contract::document::MAX_BYTES,
    engine::Config,
    ports::{Dice, Ports, SystemClock},
    report::{Format, render},
    secrets::keychain,
};
use patchbay_tests::{
    http::{Step, json as answer_json, serve},
    messages::{ORDERS, created, lines, with},
    program::Desk,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const SCHEMA: &str = r##"{
  "title": "An order",
  "type": "object",
  "required": ["id"],
  "properties": {
    "id": { "type": "string" },
    "lines": { "items": { "$ref": "#/$defs/line" } }
  },
  "$defs": {
    "line": { "type": "object", "properties": { "count": { "type": "integer", "minimum": 1 } } }
  }
}
"##;

/// An engine on a workspace of its own.
struct Bench {
    engine: Engine,
    folder: TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let ports =
            Ports { clock: Arc::new(SystemClock::default()), random: Arc::new(Dice::seeded(1)), keychain: keychain::memory() };
        let config = Config {
            workspace: Some(folder.path().to_owned()),
            database: Some(":memory:".to_owned()),
            ports: Some(ports),
            ..Config::default()
        };
        Self { engine: Engine::open(config).await.expect("it opens"), folder }
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// Starts a check as the page does.
    async fn start(&self, check: &Value) -> Result<u64, patchbay_contracts::Problem> {
        let job = ipc::dispatch(&self.engine, "start_file_check", json!({ "check": check })).await?;
        Ok(job["id"].as_u64().expect("a job has a number"))
    }

    /// Runs a check to its end: how it ended, and the progress on the way.
    async fn run(&self, check: Value) -> (Finished, Vec<(usize, usize)>) {
        self.run_command("start_file_check", json!({ "check": check })).await
    }

    /// Runs a job of a command to its end.
    async fn run_command(&self, name: &str, arguments: Value) -> (Finished, Vec<(usize, usize)>) {
        let mut events = self.engine.events();
        let job = ipc::dispatch(&self.engine, name, arguments.clone()).await;
        let job = job.unwrap_or_else(|problem| panic!("{arguments}: {problem}"));
        let own = job["id"].as_u64().expect("a job has a number");
        let mut told = Vec::new();
        loop {
            match events.recv().await.expect("the engine is there") {
                Event::Progress { job, progress: Progress::Contract(progress) } if job == own => {
                    told.push((progress.done, progress.total));
                }
                Event::Finished { job, finished } if job == own => return (finished, told),
                _ => {}
            }
        }
    }

    /// The stored run of a check.
    async fn stored(&self, check: Value) -> (Run, ContractReport) {
        match self.run(check.clone()).await.0 {
            Finished::Stored { run } => {
                let run = self.engine.store().run(run.id).await.expect("it is stored");
                let Report::Contract(report) = run.report.clone() else { panic!("another kind of report") };
                (run, report)
            }
            Finished::Failed { problem } => panic!("{check}: {problem}"),
        }
    }

    async fn failed(&self, check: Value) -> patchbay_contracts::Problem {
        match self.run(check.clone()).await.0 {
            Finished::Stored { run } => panic!("{check} came to something: {run:?}"),
            Finished::Failed { problem } => problem,
        }
    }
}

fn by_schema(schema: &str, files: &[&str]) -> Value {
    json!({ "by": { "kind": "json-schema", "schema": schema }, "files": files })
}

fn by_contract(contract: &str, files: &[&str]) -> Value {
    json!({ "by": { "kind": "messages", "contract": contract }, "files": files })
}

fn cases(files: &[&str]) -> Value {
    json!({ "by": { "kind": "pact-cases", "specification": "3" }, "files": files })
}

fn result<'a>(report: &'a ContractReport, name: &str) -> &'a EndpointResult {
    let names: Vec<&str> = report.endpoints.iter().map(|result| result.endpoint.as_str()).collect();
    report.endpoints.iter().find(|result| result.endpoint == name).unwrap_or_else(|| panic!("{name} is none of {names:?}"))
}

fn broken(result: &EndpointResult) -> Vec<&CheckResult> {
    result.checks.iter().filter(|check| check.verdict != Verdict::Pass).collect()
}

fn place(check: &CheckResult) -> String {
    check.place.as_ref().map(ToString::to_string).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_held_to_a_schema_each_with_both_pointers() {
    let bench = Bench::new().await;
    bench.write("order.schema.json", SCHEMA);
    bench.write("orders/good.json", r#"{ "id": "1", "lines": [{ "count": 2 }] }"#);
    bench.write("orders/bad.yaml", "lines:\n  - count: 1\n  - count: 0\n");
    let (run, report) = bench.stored(by_schema("order.schema.json", &["orders"])).await;

    assert_eq!((report.verdict, report.partial, report.kind), (Verdict::Fail, false, ContractKind::JsonSchema));
    assert_eq!((report.integration.as_str(), report.file.as_str()), ("An order", "order.schema.json"));
    assert_eq!(report.endpoints.len(), 2);
    let good = result(&report, "orders/good.json");
    assert_eq!((good.verdict, good.cases), (Verdict::Pass, 1));
    assert_eq!(good.checks.iter().map(|check| check.check).collect::<Vec<_>>(), [Check::Schema]);

    let bad = result(&report, "orders/bad.yaml");
    let found = broken(bad);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|check| check.check == Check::Schema && check.verdict == Verdict::Fail));
    let missing = found.iter().find(|check| check.pointer.as_deref() == Some("/id")).expect("it is missing");
    assert!(missing.message.starts_with("/id is missing") && missing.message.contains("/required"), "{}", missing.message);
    assert_eq!(place(missing), "order.schema.json:4:3");
    let small = found.iter().find(|check| check.pointer.as_deref() == Some("/lines/1/count")).expect("it is too small");
    assert_eq!((small.expected.as_ref(), small.actual.as_ref()), (Some(&json!({ "minimum": 1 })), Some(&json!(0))));
    assert!(small.message.contains("in line 3, column 12"), "{}", small.message);
    assert!(small.message.contains("/$defs/line/properties/count/minimum"), "{}", small.message);
    assert_eq!(place(small), "order.schema.json:10:90");
    let body = bad.body.as_deref().expect("the document is shown");
    assert_eq!(serde_json::from_str::<Value>(body).expect("as JSON")["lines"][1]["count"], 0);

    // It is kept as other contract runs are, belongs to no integration, and can be run again.
    assert_eq!((run.summary.kind, run.summary.integration.as_deref()), (RunKind::Contract, None));
    assert!(run.summary.headline.starts_with("1 of 2 files hold to order.schema.json"), "{}", run.summary.headline);
    let Some(ContractSubject::Files { check }) = &report.subject else { panic!("{:?}", report.subject) };
    let again = bench.stored(serde_json::to_value(check).expect("JSON")).await.1;
    assert_eq!(again.endpoints.len(), 2);

    // The reports that are there for contract runs show it.
    let junit = render(&run, Format::Junit).expect("it can be written");
    assert!(junit.contains("orders/good.json") && junit.contains("schema /lines/1/count"), "{junit}");
    let sarif: Value = serde_json::from_str(&render(&run, Format::Sarif).expect("it can be written")).expect("JSON");
    let region = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(region["artifactLocation"]["uri"], "order.schema.json");
    let html = render(&run, Format::Html).expect("it can be written");
    assert!(html.contains("orders/bad.yaml") && html.contains("/lines/1/count"));
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_formats_and_what_is_chosen_count() {
    let bench = Bench::new().await;
    let schema = bench.write("s.json", r#"{ "properties": { "at": { "format": "date" } } }"#);
    bench.write("a.json", r#"{ "at": "soon" }"#);
    bench.write("b.json", r#"{ "at": "2026-01-31" }"#);
    let check = |more: Value| {
        let mut check = by_schema(&schema.display().to_string(), &["a.json", "b.json"]);
        let by = check["by"].as_object_mut().expect("an object");
        by.extend(more.as_object().expect("an object").clone());
        check
    };
    assert_eq!(bench.stored(check(json!({}))).await.1.verdict, Verdict::Pass, "formats are remarks in the newest draft");
    for stricter in [json!({ "draft": "7" }), json!({ "formats": true })] {
        let report = bench.stored(check(stricter)).await.1;
        assert_eq!((result(&report, "a.json").verdict, result(&report, "b.json").verdict), (Verdict::Fail, Verdict::Pass));
    }
    let only = FileCheck {
        options: patchbay_contracts::contract::ContractOptions { only: vec!["b.json".to_owned()], ..Default::default() },
        ..serde_json::from_value(check(json!({ "draft": "7" }))).expect("a check")
    };
    let report = bench.stored(serde_json::to_value(only).expect("JSON")).await.1;
    assert_eq!((report.verdict, report.endpoints.len()), (Verdict::Pass, 1));
    // A schema within the folder that it judges is none of the documents.
    let report = bench.stored(by_schema("s.json", &["."])).await.1;
    assert_eq!(report.endpoints.iter().map(|one| one.endpoint.as_str()).collect::<Vec<_>>(), ["a.json", "b.json"]);
    // Named as one, it is.
    assert_eq!(bench.stored(by_schema("s.json", &["s.json", "s.json"])).await.1.endpoints.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_a_result_of_its_own_and_never_a_pass() {
    let bench = Bench::new().await;
    bench.write("s.json", "{}");
    bench.write("good.json", "{}");
    bench.write("broken.json", "{\n  \"id\": }");
    bench.write("empty/readme.txt", "nothing");
    bench.write("huge.json", format!("\"{}\"", "x".repeat(MAX_BYTES)));
    for (file, verdict, said) in [
        ("missing.json", Verdict::Inconclusive, "can't be read"),
        ("huge.json", Verdict::Inconclusive, "larger"),
        ("empty", Verdict::Inconclusive, "no files"),
        ("broken.json", Verdict::Fail, "broken.json"),
    ] {
        for check in [by_schema("s.json", &[file, "good.json"]), cases(&[file])] {
            let report = bench.stored(check.clone()).await.1;
            assert_eq!(report.verdict, verdict, "{check}");
            let own = result(&report, file);
            let found = broken(own);
            assert_eq!((found.len(), found[0].check, found[0].verdict), (1, Check::Readable, verdict), "{check}: {found:?}");
            assert!(found[0].message.contains(said) || place(found[0]).contains(said), "{check}: {}", found[0].message);
            assert!(place(found[0]).starts_with(file), "{check}: {}", place(found[0]));
            assert!(own.problem.is_some());
        }
    }
    let report = bench.stored(by_schema("s.json", &["broken.json", "good.json"])).await.1;
    assert_eq!(place(broken(result(&report, "broken.json"))[0]), "broken.json:2:9");
    assert_eq!(result(&report, "good.json").verdict, Verdict::Pass);
    // Nothing of a case is judged where it is none.
    let report = bench.stored(cases(&["good.json"])).await.1;
    assert_eq!((report.verdict, broken(&report.endpoints[0])[0].check), (Verdict::Fail, Check::Readable));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_schema_or_a_contract_there_is_no_result() {
    let bench = Bench::new().await;
    bench.write("a.json", "{}");
    bench.write("no.json", r#"{ "type": 5 }"#);
    bench.write("huge.json", format!("\"{}\"", "x".repeat(MAX_BYTES)));
    for (check, code) in [
        (by_schema("missing.json", &["a.json"]), Code::NotFound),
        (by_schema("huge.json", &["a.json"]), Code::TooLarge),
        (by_schema("no.json", &["a.json"]), Code::InvalidDefinition),
        (by_contract("missing.yaml", &["a.json"]), Code::NotFound),
        (by_contract("no.yaml", &["a.json"]), Code::NotFound),
    ] {
        assert_eq!(bench.failed(check.clone()).await.code, code, "{check}");
    }
    bench.write("events.yaml", ORDERS);
    // A stream with a hole says nothing of what came before what.
    assert_eq!(bench.failed(by_contract("events.yaml", &["a.json", "gone.jsonl"])).await.code, Code::NotFound);
    assert_eq!(bench.failed(by_contract("events.yaml", &["http://127.0.0.1:1/a"])).await.code, Code::InvalidInput);
    // Slips are told at once, and no job is begun.
    for (check, said) in [
        (by_schema("no.json", &[]), "No file"),
        (by_schema("no.json", &[" ", ""]), "No file"),
        (by_schema(" ", &["a.json"]), "by what"),
        (json!({ "by": { "kind": "json-schema", "schema": "no.json", "draft": "5" }, "files": ["a.json"] }), "draft"),
        (json!({ "by": { "kind": "messages", "contract": "c", "envelope": "cloudevent" }, "files": ["a"] }), "cloudevents"),
        (json!({ "by": { "kind": "pact-cases", "specification": "9" }, "files": ["a.json"] }), "version 9"),
        (json!({ "by": { "kind": "pact-cases", "specification": "3", "part": "reply" }, "files": ["a.json"] }), "reply"),
    ] {
        let problem = bench.start(&check).await.expect_err("a slip");
        assert_eq!(problem.code, Code::InvalidInput, "{check}: {problem}");
        assert!(problem.to_string().contains(said), "{check}: {problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_folder_are_one_stream_with_its_duplicates() {
    let bench = Bench::new().await;
    bench.write("orders.yaml", ORDERS);
    let broken_amount = with(created(2), "/data/amount", Some(json!("9.5")));
    bench.write("day/1.jsonl", lines(&[created(1), broken_amount]));
    bench.write("day/2.jsonl", lines(&[created(3), created(1)]));
    let (run, report) = bench.stored(by_contract("orders.yaml", &["day"])).await;
    assert_eq!((report.verdict, report.kind), (Verdict::Fail, ContractKind::Messages));
    assert_eq!(report.integration, "orders events");
    let orders = result(&report, "order.created 1.0");
    assert_eq!(orders.cases, 4);
    let payload = broken(orders);
    assert_eq!((payload[0].check, payload[0].pointer.as_deref()), (Check::Payload, Some("/data/amount")));
    assert_eq!(
        (payload[0].expected.as_ref(), payload[0].actual.as_ref()),
        (Some(&json!({ "type": "number" })), Some(&json!("9.5")))
    );
    assert!(place(payload[0]).starts_with("orders.yaml:8:"), "{}", place(payload[0]));
    let duplicate = broken(result(&report, "the stream"));
    assert_eq!((duplicate[0].check, duplicate[0].pointer.as_deref()), (Check::Duplicate, Some("/id")));
    assert!(duplicate[0].message.contains("2.jsonl:2"), "{}", duplicate[0].message);
    assert!(run.summary.headline.contains("0 of 2 parts hold to orders.yaml"), "{}", run.summary.headline);
    // Another envelope finds nothing that it knows.
    let mut check = by_contract("orders.yaml", &["day/1.jsonl"]);
    check["by"]["envelope"] = json!("cloudevents");
    let report = bench.stored(check).await.1;
    assert!(report.endpoints.iter().any(|result| broken(result).iter().any(|check| check.check == Check::Envelope)));
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_of_pact_match_or_say_what_and_where() {
    let bench = Bench::new().await;
    let case = |status: u16, count: Value| {
        let side = |status: u16, count: Value| json!({ "status": status, "headers": { "X-A": "1" }, "body": { "lines": [{ "count": count }] } });
        serde_json::to_string_pretty(&json!({ "expected": side(200, json!(2)), "actual": side(status, count) })).expect("JSON")
    };
    bench.write("cases/good.json", case(200, json!(2)));
    bench.write("cases/bad.json", case(404, json!("2")));
    let (run, report) = bench.stored(cases(&["cases"])).await;
    assert_eq!((report.verdict, report.kind), (Verdict::Fail, ContractKind::Pact));
    let held: Vec<Check> = result(&report, "cases/good.json").checks.iter().map(|check| check.check).collect();
    assert_eq!(held, [Check::Status, Check::Header, Check::Body]);
    assert_eq!(result(&report, "cases/good.json").verdict, Verdict::Pass);
    let bad = result(&report, "cases/bad.json");
    let found = broken(bad);
    assert_eq!(found.iter().map(|check| check.check).collect::<Vec<_>>(), [Check::Status, Check::Body]);
    assert_eq!((found[0].expected.as_ref(), found[0].actual.as_ref()), (Some(&json!(200)), Some(&json!(404))));
    assert_eq!(found[1].pointer.as_deref(), Some("/lines/0/count"));
    assert_eq!((found[1].expected.as_ref(), found[1].actual.as_ref()), (Some(&json!(2)), Some(&json!("2"))));
    let text = std::fs::read_to_string(bench.folder.path().join("cases/bad.json")).expect("a file");
    let expected = text.find("\"expected\"").expect("it is there");
    let line = text[..expected + text[expected..].find("\"count\"").expect("it is there")].lines().count();
    assert!(place(found[1]).starts_with(&format!("cases/bad.json:{line}:")), "{}", place(found[1]));
    assert_eq!(serde_json::from_str::<Value>(bad.body.as_deref().expect("shown")).expect("JSON")["lines"][0]["count"], "2");
    assert!(run.summary.headline.starts_with("1 of 2 cases match · cases/bad.json"), "{}", run.summary.headline);
    // A version without messages can't judge one.
    bench.write("message.json", r#"{ "expected": { "contents": 1 }, "actual": { "contents": 1 } }"#);
    let mut check = cases(&["message.json"]);
    assert_eq!(bench.stored(check.clone()).await.1.verdict, Verdict::Pass);
    check["by"]["specification"] = json!("2");
    assert_eq!(bench.stored(check).await.1.verdict, Verdict::Inconclusive);
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_counts_files_and_a_cancelled_check_keeps_what_it_has() {
    let bench = Bench::new().await;
    bench.write("s.json", SCHEMA);
    for number in 0..30 {
        bench.write(&format!("many/{number:02}.json"), r#"{ "id": "1" }"#);
    }
    let (finished, told) = bench.run(by_schema("s.json", &["many"])).await;
    assert!(matches!(finished, Finished::Stored { .. }), "{finished:?}");
    assert_eq!(told.last(), Some(&(30, 30)), "{told:?}");

    // One that never ends: an address that doesn't answer.
    let server = serve(|request, _| match request.path.as_str() {
        "/slow.json" => vec![Step::Wait(Duration::from_secs(60))],
        _ => answer_json("200 OK", "{ \"id\": \"1\" }"),
    })
    .await;
    let (quick, slow) = (format!("{}/quick.json", server.url), format!("{}/slow.json", server.url));
    let mut events = bench.engine.events();
    let own = bench.start(&by_schema("s.json", &["many/00.json", &quick, &slow])).await.expect("it starts");
    while server.received().len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    ipc::dispatch(&bench.engine, "cancel", json!({ "job": own })).await.expect("it is under way");
    let run = loop {
        match events.recv().await.expect("the engine is there") {
            Event::Finished { job, finished: Finished::Stored { run } } if job == own => break run,
            Event::Finished { job, finished } if job == own => panic!("{finished:?}"),
            _ => {}
        }
    };
    assert!(run.partial && run.verdict == Verdict::Inconclusive, "{run:?}");
    let run = bench.engine.store().run(run.id).await.expect("it is stored");
    let Report::Contract(report) = run.report else { panic!("another kind of report") };
    assert_eq!(report.endpoints.iter().map(|one| one.verdict).collect::<Vec<_>>(), [Verdict::Pass, Verdict::Pass]);
    assert_eq!(report.endpoints[1].endpoint, quick);
    // Cancelled before the schema was there, it has nothing to keep.
    let own = bench.start(&by_schema(&slow, &["many/00.json"])).await.expect("it starts");
    ipc::dispatch(&bench.engine, "cancel", json!({ "job": own })).await.expect("it is under way");
    let problem = loop {
        match events.recv().await.expect("the engine is there") {
            Event::Finished { job, finished: Finished::Failed { problem } } if job == own => break problem,
            _ => {}
        }
    };
    assert_eq!(problem.code, Code::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_failure_of_a_file_fails_no_check() {
    let bench = Bench::new().await;
    bench.write("s.json", SCHEMA);
    bench.write("a.json", "{}");
    let (run, _) = bench.stored(by_schema("s.json", &["a.json"])).await;
    let accept = json!({ "run": run.summary.id, "endpoint": "a.json", "check": "schema", "pointer": "/id",
        "reason": "until release 14", "until": "2999-01-31" });
    let file = ipc::dispatch(&bench.engine, "accept_failure", accept).await.expect("it is accepted");
    assert!(file.as_str().is_some_and(|file| file.ends_with("accepted.yaml")), "{file}");
    assert_eq!(bench.stored(by_schema("s.json", &["a.json"])).await.1.verdict, Verdict::Pass);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_deviations_of_many_files_are_counted_and_not_all_told() {
    let bench = Bench::new().await;
    bench.write("s.json", r#"{ "items": { "type": "string" } }"#);
    bench.write("a.json", serde_json::to_string(&(0..1_000).collect::<Vec<_>>()).expect("JSON"));
    let (_, report) = bench.stored(by_schema("s.json", &["a.json"])).await;
    assert_eq!(report.endpoints[0].checks.len(), 101);
    assert!(report.endpoints[0].checks[100].message.contains("900 further"), "{}", report.endpoints[0].checks[100].message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_a_document_is_kept_with_how_it_was_made_and_without_what_is_secret() {
    let bench = Bench::new().await;
    let contract = bench.write("events.yaml", ORDERS).display().to_string();
    let server = serve(|_, _| answer_json("200 OK", &created(1).to_string())).await;
    let run = async |url: &str, more: Value| {
        let mut options = json!({ "url": url, "headers": [["X-Api-Key", "canary-4c1d-header"]], "pact": { "publish": "7" } });
        options.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let (finished, _) = bench.run_command("start_document_contract", json!({ "source": contract, "options": options })).await;
        let Finished::Stored { run } = finished else { panic!("{finished:?}") };
        let run = bench.engine.store().run(run.id).await.expect("it is stored");
        let text = serde_json::to_string(&run).expect("JSON");
        assert!(!text.contains("canary-4c1d"), "{text}");
        let Report::Contract(report) = run.report else { panic!("another kind of report") };
        report.subject
    };
    let subject = run(&server.url, json!({ "auth": { "type": "bearer", "token": "canary-4c1d-token" } })).await;
    let Some(ContractSubject::Document { source, options }) = subject else { panic!("{subject:?}") };
    assert_eq!((source.as_str(), options.url.as_deref()), (contract.as_str(), Some(server.url.as_str())));
    let auth = serde_json::to_value(&options.auth).expect("JSON");
    assert!(auth["token"].as_str().is_some_and(|token| token.starts_with("${secret:")), "{auth}");
    assert!(options.headers[0].1.starts_with("${secret:"), "{:?}", options.headers);
    assert_eq!(options.pact.publish, None, "what is run again reaches nobody else");
    // One that names a user in its address is kept without how it was made.
    let with_user = server.url.replace("http://", "http://somebody@");
    assert_eq!(run(&with_user, json!({})).await, None);
}

#[test]
fn the_command_takes_folders_too() {
    let desk = Desk::new();
    std::fs::create_dir(desk.workspace().join("all")).expect("a folder");
    desk.write("s.json", SCHEMA);
    desk.write("all/a.json", r#"{ "id": "1" }"#);
    desk.write("all/b.yaml", "id: 2\n");
    let ran = desk.run(&["schema", "validate", "s.json", "all", "--json"]).exits(1).json();
    assert_eq!(ran["instances"].as_array().map(Vec::len), Some(2), "{ran}");
    std::fs::create_dir(desk.workspace().join("cases")).expect("a folder");
    for name in ["one", "two"] {
        desk.write(&format!("cases/{name}.json"), r#"{ "expected": { "status": 200 }, "actual": { "status": 200 } }"#);
    }
    let ran = desk.run(&["contract", "match", "cases", "--spec", "3", "--json"]).exits(0).json();
    assert_eq!(ran["cases"].as_array().map(Vec::len), Some(2), "{ran}");
}
