//! Failures that are put up with until a day, which checks a run makes, and what reports say of them.

use patchbay_contracts::{
    Code,
    contract::{Check, CheckResult, ContractKind, ContractOptions, ContractReport, EndpointResult, Severity},
    run::{Report, Run, RunKind, RunSummary, Verdict},
};
use patchbay_engine::{
    contract::{
        accepted::{AcceptedFailures, Entry, accept},
        check_options, choose, judged, wanted,
    },
    report::{Format, junit::junit, render},
    utils::pattern,
};
use patchbay_tests::program::Desk;
use serde_json::Value;

/// 2026-11-27, noon.
const NOW: i64 = 1_795_780_800_000;

fn failing() -> ContractReport {
    let mut endpoint = EndpointResult::new("GET /orders/{id}");
    endpoint.checks = vec![
        CheckResult::new(Check::Status, Verdict::Pass, "The status is 200"),
        CheckResult {
            pointer: Some("/total".to_owned()),
            ..CheckResult::new(Check::ResponseSchema, Verdict::Fail, "/total is the text \"1\", and a number is expected")
        },
    ];
    endpoint.conclude();
    let mut report =
        ContractReport { endpoints: vec![endpoint], ..ContractReport::new(ContractKind::Openapi, "orders", "openapi.yaml") };
    report.conclude();
    report
}

fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("accepted.yaml");
    std::fs::write(&path, text).expect("a file");
    (folder, path)
}

fn entry(operation: &str, pointer: Option<&str>, until: &str) -> String {
    let pointer = pointer.map(|pointer| format!("    pointer: {pointer}\n")).unwrap_or_default();
    format!(
        "accepted:\n  - operation: {operation}\n    check: response-schema\n{pointer}    reason: rounds until release 14\n    until: {until}\n"
    )
}

fn applied(text: &str) -> ContractReport {
    let (_folder, path) = file(text);
    let mut report = failing();
    AcceptedFailures::read(&path, "accepted.yaml").expect("it can be read").apply(&mut report, NOW);
    report
}

#[test]
fn an_accepted_failure_fails_no_run_until_its_day_is_over() {
    assert_eq!(failing().verdict, Verdict::Fail);
    for (operation, pointer) in [("GET /orders/{id}", None), ("GET *", Some("/total")), ("'*{id}'", Some("/t*"))] {
        let report = applied(&entry(operation, pointer, "2026-11-27"));
        assert_eq!(report.verdict, Verdict::Pass, "{operation} {pointer:?}");
        let accepted = report.endpoints[0].checks[1].accepted.as_ref().expect("it is marked");
        assert_eq!((accepted.reason.as_str(), accepted.until.as_str()), ("rounds until release 14", "2026-11-27"));
        assert_eq!(accepted.place.as_ref().map(|place| place.line), Some(2));
        assert!(report.notes.is_empty(), "{:?}", report.notes);
    }
    for (operation, pointer) in [("GET /orders", None), ("POST *", None), ("GET *", Some("/tota")), ("get *", None)] {
        assert_eq!(applied(&entry(operation, pointer, "2027-01-31")).verdict, Verdict::Fail, "{operation} {pointer:?}");
    }
    let expired = applied(&entry("GET *", None, "2026-11-26"));
    assert_eq!(expired.verdict, Verdict::Fail);
    assert!(expired.notes[0].contains("until 2026-11-26 and is not any more"), "{:?}", expired.notes);
}

#[test]
fn an_entry_that_is_not_needed_any_more_is_told() {
    let text = entry("GET /orders/{id}", None, "2027-01-31").replace("response-schema", "latency");
    let report = applied(&text);
    assert_eq!(report.verdict, Verdict::Fail);
    assert!(report.notes[0].starts_with("accepted.yaml:2:16: latency at GET /orders/{id}"), "{:?}", report.notes);
}

#[test]
fn mistakes_in_the_file_are_told_with_their_place() {
    let (good, wrong) = (entry("GET *", None, "2027-01-31"), |from: &str, to: &str| {
        let (_folder, path) = file(&entry("GET *", None, "2027-01-31").replace(from, to));
        AcceptedFailures::read(&path, "accepted.yaml").expect_err("it has a mistake")
    });
    assert!(good.contains("response-schema"));
    let problem = wrong("response-schema", "respnse-schema");
    assert_eq!(problem.place.as_ref().map(|place| (place.line, place.column)), Some((3, 12)));
    assert!(problem.next.contains("response-schema"), "{problem}");
    let problem = wrong("2027-01-31", "soon");
    assert_eq!(problem.place.as_ref().map(|place| place.line), Some(5));
    assert!(problem.next.contains("2027-01-31"), "{problem}");
    assert!(wrong("reason: rounds until release 14", "reason: ''").to_string().contains("reason"));
    assert!(wrong("until:", "untill:").to_string().contains("until"));
}

#[test]
fn accepting_adds_to_the_file_and_keeps_what_stands_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("accepted.yaml");
    let entry = |pointer: Option<&str>| Entry {
        operation: "GET /orders/{id}".to_owned(),
        check: "response-schema".to_owned(),
        pointer: pointer.map(str::to_owned),
        reason: "rounds: \"until\" release 14 # really".to_owned(),
        until: "2027-01-31".to_owned(),
    };
    accept(&path, "accepted.yaml", &entry(Some("/total")), NOW).expect("a new file");
    let first = std::fs::read_to_string(&path).expect("it is there");
    std::fs::write(&path, format!("# ours\n{first}")).expect("written");
    accept(&path, "accepted.yaml", &entry(None), NOW).expect("one more");
    let text = std::fs::read_to_string(&path).expect("it is there");
    assert!(text.starts_with(&format!("# ours\n{first}")) && text.matches("- operation").count() == 2, "{text}");
    let mut report = failing();
    AcceptedFailures::read(&path, "accepted.yaml").expect("it can be read").apply(&mut report, NOW);
    let accepted = report.endpoints[0].checks[1].accepted.as_ref().expect("accepted");
    assert_eq!(accepted.reason, "rounds: \"until\" release 14 # really");

    let refused = |change: fn(&mut Entry)| {
        let mut entry = entry(None);
        change(&mut entry);
        accept(&path, "accepted.yaml", &entry, NOW).expect_err("refused").code
    };
    assert_eq!(refused(|entry| entry.until = "2026-11-26".to_owned()), Code::InvalidInput);
    assert_eq!(refused(|entry| entry.until = "31.1.2027".to_owned()), Code::InvalidInput);
    assert_eq!(refused(|entry| entry.reason = " ".to_owned()), Code::InvalidInput);
    assert_eq!(refused(|entry| entry.check = "weather".to_owned()), Code::InvalidInput);
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text, "nothing was written");
    // A file in another form is left as it is, with a word on what to do.
    std::fs::write(&path, "accepted: []\n").expect("written");
    let problem = accept(&path, "accepted.yaml", &self::Entry { ..entry(None) }, NOW).expect_err("it can't grow");
    assert!(problem.next.contains("by hand"), "{problem}");
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "accepted: []\n");
}

#[test]
fn a_star_stands_for_any_text() {
    let table = [
        ("GET /a", "GET /a", true),
        ("GET /a", "GET /ab", false),
        ("GET *", "GET /a", true),
        ("*", "", true),
        ("", "", true),
        ("", "a", false),
        ("*a*b", "xaxxb", true),
        ("*a*b", "xab", true),
        ("*ab*ab", "xab", false),
        ("a*a", "a", false),
        ("ä*", "äß", true),
        ("**", "anything", true),
    ];
    for (wanted, text, holds) in table {
        assert_eq!(pattern::matches(wanted, text), holds, "{wanted} {text}");
    }
}

#[test]
fn only_and_skip_choose_operations_and_checks() {
    let options = |only: &[&str], skip: &[&str]| ContractOptions {
        only: only.iter().map(|name| (*name).to_owned()).collect(),
        skip: skip.iter().map(|name| (*name).to_owned()).collect(),
        ..ContractOptions::default()
    };
    let names = ["GET /orders", "listOrders", "orders"];
    assert!(wanted(&options(&[], &[]), &names));
    assert!(wanted(&options(&["GET *"], &[]), &names) && wanted(&options(&["orders"], &[]), &names));
    assert!(!wanted(&options(&["POST *"], &[]), &names) && !wanted(&options(&[], &["listOrders"]), &names));
    // The name of a check chooses no operation.
    assert!(wanted(&options(&["status"], &["latency"]), &names));
    assert!(judged(&options(&["status", "GET *"], &[]), Check::Status) && !judged(&options(&["status"], &[]), Check::Latency));
    assert!(!judged(&options(&[], &["latency"]), Check::Latency) && judged(&options(&["GET *"], &[]), Check::Latency));
    for mistyped in ["respnse-schema", "server-eror"] {
        assert!(check_options(&options(&[], &[mistyped])).is_err(), "{mistyped}");
    }
    check_options(&options(&["GET /orders", "list-orders", "status", "*-schema"], &["pets"])).expect("none of these is a slip");

    let mut report = failing();
    choose(&mut report, &ContractOptions { warn: vec!["response-schema".to_owned()], ..ContractOptions::default() });
    assert_eq!((report.verdict, report.endpoints[0].checks[1].severity), (Verdict::Pass, Severity::Warning));
    let mut report = failing();
    choose(&mut report, &options(&[], &["response-schema"]));
    assert_eq!((report.verdict, report.endpoints[0].checks.len()), (Verdict::Pass, 1));
    let mut report = failing();
    choose(&mut report, &options(&["latency"], &[]));
    assert_eq!(report.verdict, Verdict::Inconclusive, "a run that judged nothing is no pass");
}

fn run_of(report: ContractReport) -> Run {
    let summary = RunSummary {
        id: 7,
        integration: Some(report.integration.clone()),
        kind: RunKind::Contract,
        at: NOW,
        duration_ms: 1.0,
        verdict: report.verdict,
        partial: false,
        headline: String::new(),
    };
    Run { summary, report: Report::Contract(report) }
}

#[test]
fn reports_show_what_is_accepted_as_such() {
    let sarif = |report: ContractReport| -> Value {
        serde_json::from_str(&render(&run_of(report), Format::Sarif).expect("a report")).expect("JSON")
    };
    let log = sarif(failing());
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "response-schema");
    let result = &run["results"][0];
    assert_eq!(
        (result["level"].as_str(), result["kind"].as_str(), &result["ruleIndex"]),
        (Some("error"), Some("fail"), &Value::from(0))
    );
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "openapi.yaml");
    assert!(result.get("suppressions").is_none());

    let accepted = applied(&entry("GET *", None, "2027-01-31"));
    let suppressed = sarif(accepted.clone());
    assert_eq!(suppressed["runs"][0]["results"][0]["suppressions"][0]["status"], "accepted");
    assert_eq!(suppressed["runs"][0]["results"][0]["partialFingerprints"], result["partialFingerprints"], "a line may move");
    let xml = junit(&accepted);
    assert!(xml.contains("failures=\"0\"") && xml.contains("Accepted until 2027-01-31: rounds until release 14"), "{xml}");
    assert!(junit(&failing()).contains("failures=\"1\""));
    let html = render(&run_of(accepted), Format::Html).expect("a report");
    assert!(html.contains("Accepted until 2027-01-31") && html.contains("<td class=\"figure\">! 1</td>"), "{html}");
}

#[test]
fn a_failure_of_the_sample_service_is_accepted_on_the_command_line() {
    let mut desk = Desk::new();
    desk.set("PATCHBAY_SECRET_SAMPLE_TOKEN", "patchbay-sample");
    let sample = desk.sample(&["--fault", "type-change"]);
    desk.write("sample-orders.yaml", &patchbay_engine::sample::definition(&sample.url));
    let failed = desk.run(&["contract", "test", "sample-orders", "--report", "sarif=out.sarif"]).exits(1);
    assert!(failed.stdout.contains("/amount"), "{}", failed.stdout);
    let log = std::fs::read_to_string(desk.workspace().join("out.sarif")).expect("written");
    assert!(log.contains("sample-orders.yaml") && log.contains("startLine"), "{log}");

    let accept = |check: &str| {
        desk.run(&[
            "contract",
            "accept",
            "last",
            "*",
            check,
            "--pointer",
            "/*amount",
            "--reason",
            "known",
            "--until",
            "2999-12-31",
        ])
    };
    let nothing = accept("latency").exits(2);
    assert!(nothing.stderr.contains("did not fail"), "{}", nothing.stderr);
    accept("response-schema").exits(0);
    let held = desk.run(&["contract", "test", "sample-orders", "--json"]).exits(0).json();
    assert_eq!(held["summary"]["verdict"], "pass");
    assert!(held.to_string().contains("\"reason\":\"known\""), "{held}");
    let shown = desk.run(&["report", "last"]).exits(0).stdout;
    assert!(shown.contains("accepted until 2999-12-31: known"), "{shown}");
    // One check alone, and a word on a slip.
    desk.run(&["contract", "test", "sample-orders", "--only", "latency", "--only", "status"]).exits(0);
    let slip = desk.run(&["contract", "test", "sample-orders", "--skip", "respons-schema"]).exits(2);
    assert!(slip.stderr.contains("`response-schema`"), "{}", slip.stderr);
    let checks = desk.run(&["contract", "checks", "--json"]).exits(0).json();
    assert_eq!(checks.as_array().map(Vec::len), Some(Check::ALL.len()));
}
