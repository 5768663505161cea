//! Single cases of the Pact specification, matched as `patchbay contract match` does.

use std::path::{Path, PathBuf};

use patchbay_contracts::{Code, contract::Check};
use patchbay_engine::contract::pact::{Matched, Part, match_case, specification};
use patchbay_tests::{metrics::samples, program::Desk};
use serde_json::{Value, json};

async fn matched(spec: &str, case: &Value) -> Matched {
    match_case(case, specification(spec).expect("a version"), None).await.unwrap_or_else(|problem| panic!("{problem}\n{case:#}"))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() { files(&entry, found) } else { found.push(entry) }
    }
}

#[tokio::test]
async fn each_public_case_comes_out_as_it_says() {
    let Some(folder) = samples().map(|samples| samples.join("pact")).filter(|folder| folder.is_dir()) else { return };
    let mut wrong = Vec::new();
    for version in std::fs::read_dir(folder).expect("the cases").map(|entry| entry.expect("an entry").path()) {
        let name = version.file_name().expect("a name").to_string_lossy().into_owned();
        let mut cases = Vec::new();
        files(&version, &mut cases);
        assert!(!cases.is_empty(), "no cases in {name}");
        for file in cases {
            let text = std::fs::read_to_string(&file).expect("a case");
            let case: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).expect("JSON");
            let kind = ["request", "response", "message"].into_iter().find(|kind| file.starts_with(version.join(kind)));
            for kind in [None, kind.and_then(Part::named)] {
                let result = match_case(&case, specification(&name).expect("a version"), kind).await;
                match result {
                    Ok(matched) if Some(matched.matches) == case["match"].as_bool() => {
                        assert_eq!(matched.matches, matched.mismatches.is_empty());
                    }
                    Ok(matched) => wrong.push(format!("{}: {:?}", file.display(), matched.mismatches)),
                    Err(problem) => wrong.push(format!("{}: {problem}", file.display())),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} cases are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Cases of version 4, each with whether it matches.
fn version_4() -> Vec<(&'static str, bool, Value)> {
    let body = |content: Value| json!({ "contentType": "application/json", "encoded": false, "content": content });
    let rules = |category: &str, path: &str, rule: Value| json!({ category: { path: { "combine": "AND", "matchers": [rule] } } });
    vec![
        (
            "a status by its class",
            true,
            json!({
                "expected": { "status": 200, "matchingRules": { "status": { "$": { "matchers": [{ "match": "statusCode", "status": "success" }] } } } },
                "actual": { "status": 204 },
            }),
        ),
        (
            "a status of another class",
            false,
            json!({
                "expected": { "status": 200, "matchingRules": { "status": { "$": { "matchers": [{ "match": "statusCode", "status": "success" }] } } } },
                "actual": { "status": 404 },
            }),
        ),
        (
            "more than is expected in a response",
            true,
            json!({ "expected": { "status": 200, "body": body(json!({ "a": 1 })) }, "actual": { "status": 200, "body": body(json!({ "a": 1, "b": 2 })) } }),
        ),
        (
            "more than is expected in a request",
            false,
            json!({ "expected": { "method": "POST", "body": body(json!({ "a": 1 })) }, "actual": { "method": "POST", "body": body(json!({ "a": 1, "b": 2 })) } }),
        ),
        (
            "a header with several values",
            true,
            json!({ "expected": { "headers": { "X-A": ["1", "2"] } }, "actual": { "headers": { "x-a": ["1", "2"] } } }),
        ),
        (
            "a header with its values in another order",
            false,
            json!({ "expected": { "headers": { "X-A": ["1", "2"] } }, "actual": { "headers": { "x-a": ["2", "1"] } } }),
        ),
        (
            "a query parameter with two values",
            true,
            json!({ "expected": { "method": "GET", "path": "/", "query": { "a": ["1", "2"] } }, "actual": { "method": "GET", "path": "/", "query": { "a": ["1", "2"] } } }),
        ),
        (
            "a path by a pattern",
            true,
            json!({
                "expected": { "method": "GET", "path": "/orders/1", "matchingRules": { "path": { "matchers": [{ "match": "regex", "regex": "/orders/\\d+" }] } } },
                "actual": { "method": "GET", "path": "/orders/4711" },
            }),
        ),
        (
            "an element that a list must contain",
            true,
            json!({
                "expected": {
                    "body": body(json!([{ "name": "b" }])),
                    "matchingRules": rules("body", "$", json!({ "match": "arrayContains", "variants": [{ "index": 0, "rules": { "$.name": { "matchers": [{ "match": "equality" }] } }, "generators": {} }] })),
                },
                "actual": { "body": body(json!([{ "name": "a" }, { "name": "b" }])) },
            }),
        ),
        (
            "base64 that holds the same bytes as text",
            true,
            json!({
                "expected": { "body": { "contentType": "text/plain", "encoded": "base64", "content": "aGVsbG8=" } },
                "actual": { "body": { "contentType": "text/plain", "encoded": false, "content": "hello" } },
            }),
        ),
        (
            "a null body where something came",
            false,
            json!({ "expected": { "body": { "content": null } }, "actual": { "body": body(json!({ "a": 1 })) } }),
        ),
        (
            "no body asked for, and something came",
            true,
            json!({ "expected": { "status": 200 }, "actual": { "status": 200, "body": body(json!({ "a": 1 })) } }),
        ),
        (
            "an empty body asked for, and something came",
            false,
            json!({ "expected": { "body": { "content": "" } }, "actual": { "body": body(json!({ "a": 1 })) } }),
        ),
        (
            "another content type",
            false,
            json!({
                "expected": { "headers": { "Content-Type": ["application/json"] }, "body": body(json!({ "a": 1 })) },
                "actual": { "headers": { "Content-Type": ["text/html"] }, "body": { "contentType": "text/html", "encoded": false, "content": "<p/>" } },
            }),
        ),
        (
            "a form with its fields in another order",
            true,
            json!({
                "expected": { "method": "POST", "body": { "contentType": "application/x-www-form-urlencoded", "encoded": false, "content": "a=1&b=2" } },
                "actual": { "method": "POST", "body": { "contentType": "application/x-www-form-urlencoded", "encoded": false, "content": "b=2&a=1" } },
            }),
        ),
        (
            "an XML text by a pattern at its element",
            true,
            json!({
                "expected": {
                    "headers": { "Content-Type": ["application/xml"] },
                    "body": { "contentType": "application/xml", "encoded": false, "content": "<a><b>red</b></a>" },
                    "matchingRules": rules("body", "$.a.b", json!({ "match": "regex", "regex": "red|blue" })),
                },
                "actual": {
                    "headers": { "Content-Type": ["application/xml"] },
                    "body": { "contentType": "application/xml", "encoded": false, "content": "<a><b>blue</b></a>" },
                },
            }),
        ),
        (
            "a message by the rules for its contents",
            true,
            json!({
                "expected": { "contents": body(json!({ "id": 1 })), "matchingRules": rules("contents", "$.id", json!({ "match": "integer" })) },
                "actual": { "contents": body(json!({ "id": 4711 })) },
            }),
        ),
        (
            "a message of which a field is not as the rules say",
            false,
            json!({
                "expected": { "contents": body(json!({ "id": 1 })), "matchingRules": rules("content", "$.id", json!({ "match": "integer" })) },
                "actual": { "contents": body(json!({ "id": "x" })) },
            }),
        ),
        (
            "a message with other metadata",
            false,
            json!({
                "expected": { "contents": body(json!({ "id": 1 })), "metadata": { "topic": "orders" } },
                "actual": { "contents": body(json!({ "id": 1 })), "metadata": { "topic": "payments" } },
            }),
        ),
    ]
}

#[tokio::test]
async fn version_4_is_matched_by_its_own_rules() {
    for (name, matches, case) in version_4() {
        let matched = matched("4", &case).await;
        assert_eq!(matched.matches, matches, "{name}: {:?}", matched.mismatches);
    }
}

#[tokio::test]
async fn a_mismatch_says_what_and_where() {
    let case = json!({
        "expected": { "status": 200, "headers": { "X-Kind": "a" }, "body": { "items": [{ "a/b": 1 }] } },
        "actual": { "status": 500, "headers": { "X-Kind": "b" }, "body": { "items": [{ "a/b": "1" }] } },
    });
    let matched = matched("3", &case).await;
    let checks: Vec<Check> = matched.mismatches.iter().map(|mismatch| mismatch.check).collect();
    assert_eq!(checks, [Check::Status, Check::Header, Check::Body]);
    let body = &matched.mismatches[2];
    assert_eq!(body.pointer.as_deref(), Some("/items/0/a~1b"));
    assert_eq!((body.expected.as_ref(), body.actual.as_ref()), (Some(&json!(1)), Some(&json!("1"))));
    assert_eq!(
        (matched.mismatches[0].expected.as_ref(), matched.mismatches[0].actual.as_ref()),
        (Some(&json!(200)), Some(&json!(500)))
    );
}

#[tokio::test]
async fn version_1_compares_queries_as_texts_and_later_ones_as_parameters() {
    let case = json!({
        "expected": { "method": "GET", "path": "/", "query": "a=1&b=2" },
        "actual": { "method": "GET", "path": "/", "query": "b=2&a=1" },
    });
    assert!(!matched("1", &case).await.matches);
    assert!(matched("1.1", &case).await.matches);
    assert!(matched("2", &case).await.matches);
    let encoded = json!({ "expected": { "method": "GET", "query": "a=b=c" }, "actual": { "method": "GET", "query": "a=b%3Dc" } });
    assert!(matched("1", &encoded).await.matches);
}

#[tokio::test]
async fn what_the_libraries_would_panic_on_is_a_mistake_with_its_place() {
    let deep = format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
    let cases = [
        (json!({ "expected": { "status": "200" }, "actual": { "status": 200 } }), "/expected/status"),
        (json!({ "expected": { "status": 200 }, "actual": { "status": -1 } }), "/actual/status"),
        (json!({ "expected": { "headers": { "Content-Type": [] } }, "actual": {} }), "/expected/headers/Content-Type"),
        (json!({ "expected": { "headers": 5 }, "actual": {} }), "/expected/headers"),
        (json!({ "expected": { "body": deep }, "actual": { "body": "<a/>" } }), "/expected/body"),
    ];
    for (case, pointer) in cases {
        let problem = match_case(&case, specification("3").expect("a version"), None).await.expect_err("a mistake");
        assert_eq!(problem.code, Code::InvalidDefinition);
        assert!(problem.to_string().contains(pointer), "{problem} says nothing of {pointer}");
    }
    for case in [json!({}), json!([]), json!({ "expected": {} }), json!({ "expected": 1, "actual": 2 })] {
        assert!(match_case(&case, specification("2").expect("a version"), None).await.is_err());
    }
    let message = json!({ "expected": { "contents": {} }, "actual": { "contents": {} } });
    let problem = match_case(&message, specification("2").expect("a version"), None).await.expect_err("no messages there");
    assert_eq!(problem.code, Code::InvalidInput);
    assert_eq!(specification("5").expect_err("no such version").code, Code::InvalidInput);
}

#[test]
fn the_command_answers_with_its_status_and_one_document() {
    let desk = Desk::new();
    let write = |name: &str, case: &Value| {
        let file = desk.folder().join(name);
        std::fs::write(&file, case.to_string()).expect("a file");
        file.display().to_string()
    };
    let good = write("good.json", &json!({ "match": true, "expected": { "status": 200 }, "actual": { "status": 200 } }));
    let bad = write("bad.json", &json!({ "match": false, "expected": { "status": 200 }, "actual": { "status": 404 } }));
    let broken = write("broken.json", &json!({ "expected": { "status": 200 } }));

    let answer = desk.run(&["contract", "match", &good, "--spec", "3", "--json"]).exits(0).json();
    assert_eq!(answer, json!({ "matches": true, "mismatches": [] }));
    let answer = desk.run(&["contract", "match", &bad, "--spec", "3", "--json"]).exits(1).json();
    assert_eq!(answer["matches"], json!(false));
    assert_eq!(answer["mismatches"][0]["check"], json!("status"));
    let text = desk.run(&["contract", "match", &good, &bad, "--spec", "4"]).exits(1).stdout;
    assert!(text.contains("good.json: the response matches") && text.contains("bad.json: the response does not match"), "{text}");
    let both = desk.run(&["contract", "match", &good, &bad, "--spec", "4", "--kind", "response", "--json"]).exits(1).json();
    assert_eq!(both["cases"].as_array().map(Vec::len), Some(2));
    desk.run(&["contract", "match", &broken, "--spec", "3"]).exits(2);
    desk.run(&["contract", "match", &good, "--spec", "7"]).exits(2);
    desk.run(&["contract", "match", "nowhere.json", "--spec", "3"]).exits(2);
}
