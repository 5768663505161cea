//! Messages held to contracts: envelopes, payloads, and what only a stream shows.

use patchbay_contracts::{
    Code,
    contract::{Check, ContractKind, ContractOptions},
    run::Verdict,
};
use patchbay_engine::contract::messages::{Input, MessageOptions, check};
use patchbay_tests::{
    http::context,
    messages::{ORDERS, created, fault, faults, held, judged, lines, not_passed, with},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

fn caused(number: u32, by: &str) -> Value {
    let paid = with(created(number), "/type", Some(json!("order.paid")));
    with(paid, "/metadata/causation_id", Some(json!(by)))
}

#[tokio::test]
async fn messages_that_hold_pass() {
    let text = lines(&[created(1), caused(2, "m1"), with(created(3), "/metadata/user_id", None)]);
    let report = judged(ORDERS, text).await;
    assert_eq!(faults(&report), Vec::<String>::new());
    assert_eq!(
        (report.verdict, report.kind, report.integration.as_str()),
        (Verdict::Pass, ContractKind::Messages, "orders events")
    );
    let cases: Vec<(&str, u32)> = report.endpoints.iter().map(|result| (result.endpoint.as_str(), result.cases)).collect();
    assert_eq!(cases, [("order.created 1.0", 2), ("order.paid 1.0", 1), ("the stream", 3)]);
    let coverage = report.coverage.expect("it says what came");
    assert_eq!(coverage.operations(), (2, 3));
}

#[tokio::test]
async fn each_break_is_told_by_its_check_and_pointer() {
    for (pointer, value, expected) in [
        ("/id", None, "order.created 1.0 envelope /id fail"),
        ("/id", Some(json!("")), "order.created 1.0 envelope /id fail"),
        ("/id", Some(json!(7)), "order.created 1.0 envelope /id fail"),
        ("/type", None, "order.created 1.0 envelope /type fail"),
        ("/version", Some(json!(true)), "order.created 1.0 envelope /version fail"),
        ("/timestamp", None, "order.created 1.0 envelope /timestamp fail"),
        ("/timestamp", Some(json!("2026-03-01 10:00:00Z")), "order.created 1.0 envelope /timestamp fail"),
        ("/timestamp", Some(json!("2026-03-01T10:00:00")), "order.created 1.0 envelope /timestamp fail"),
        ("/timestamp", Some(json!("2026-02-30T10:00:00Z")), "order.created 1.0 envelope /timestamp fail"),
        ("/timestamp", Some(json!(1_772_000_000)), "order.created 1.0 envelope /timestamp fail"),
        ("/source", Some(json!(null)), "order.created 1.0 envelope /source fail"),
        ("/metadata", None, "order.created 1.0 envelope /metadata fail"),
        ("/metadata", Some(json!([])), "order.created 1.0 envelope /metadata fail"),
        ("/metadata/correlation_id", None, "order.created 1.0 metadata /metadata/correlation_id fail"),
        ("/metadata/causation_id", Some(json!(5)), "order.created 1.0 metadata /metadata/causation_id fail"),
        ("/metadata/user_id", Some(json!({})), "order.created 1.0 metadata /metadata/user_id fail"),
        ("/data/amount", Some(json!("9.5")), "order.created 1.0 payload /data/amount fail"),
        ("/data/order_id", None, "order.created 1.0 payload /data/order_id fail"),
        ("/data", Some(json!("text")), "order.created 1.0 payload /data fail"),
        ("/type", Some(json!("order.creatd")), "order.creatd 1.0 payload /type fail"),
        ("/version", Some(json!("1.1")), "order.created 1.1 payload /version fail"),
    ] {
        let report = judged(ORDERS, lines(&[with(created(1), pointer, value.clone())])).await;
        let found = faults(&report);
        assert!(found.iter().any(|fault| fault == expected), "{pointer} {value:?}: {found:?}");
        assert_eq!(report.verdict, Verdict::Fail, "{pointer} {value:?}");
        let others: Vec<&String> = found.iter().filter(|fault| *fault != expected).collect();
        assert!(others.is_empty() || pointer == "/type", "{pointer} {value:?}: {others:?}");
    }
}

#[tokio::test]
async fn a_failure_says_what_is_asked_where_and_what_came() {
    let broken = with(created(2), "/data/lines", Some(json!([{ "sku": "a" }, { "sku": 4 }, { "sku": 5 }])));
    let report = judged(ORDERS, lines(&[created(1), broken.clone(), with(broken, "/id", Some(json!("m3")))])).await;
    let fault = fault(&report, Check::Payload);
    assert_eq!(fault.pointer.as_deref(), Some("/data/lines/1/sku"));
    assert_eq!((fault.expected.as_ref(), fault.actual.as_ref()), (Some(&json!({ "type": "string" })), Some(&json!(4))));
    assert_eq!(
        fault.message,
        "/data/lines/1/sku is the number 4, and a text is expected, in in:2 (message 2); 2 messages in all, also in:3 (message 3)"
    );
    let place = fault.place.as_ref().expect("the contract asks it somewhere");
    assert_eq!((place.file.as_str(), place.line, place.column), ("orders.yaml", 8, 66));
    let body = report.endpoints[0].body.as_deref().expect("the first broken message is shown");
    assert_eq!(serde_json::from_str::<Value>(body).expect("in full")["id"], "m2");
}

#[tokio::test]
async fn unknown_types_and_versions_name_the_nearest() {
    let typo = with(created(1), "/type", Some(json!("order.payd")));
    let version = with(created(2), "/version", Some(json!("2.1")));
    let report = judged(ORDERS, lines(&[typo, version])).await;
    let messages: Vec<&str> = not_passed(&report).iter().map(|(_, check)| check.message.as_str()).collect();
    assert!(
        messages[0].starts_with("/type is `order.payd`, which is not in the contract; the nearest is `order.paid`"),
        "{messages:?}"
    );
    assert!(messages[1].contains("no such version of `order.created`; the nearest is `2.0`"), "{messages:?}");
    // A version without a message is judged by the schema of that version.
    let second = json!({ "order_id": "o1", "total": -1 });
    let second = with(with(created(1), "/version", Some(json!("2.0"))), "/data", Some(second));
    assert_eq!(faults(&judged(ORDERS, lines(&[second])).await), ["order.created 2.0 payload /data/total fail"]);
}

#[tokio::test]
async fn duplicates_causes_and_clocks_are_judged_over_the_stream() {
    let at = |message: Value, time: &str| with(message, "/timestamp", Some(json!(time)));
    for (name, messages, expected, told) in [
        (
            "the same message twice",
            vec![created(1), created(1)],
            vec!["the stream duplicate /id fail"],
            "which message 1 has as well, with the same content",
        ),
        (
            "one id for two messages",
            vec![created(1), with(created(1), "/data/amount", Some(json!(1)))],
            vec!["the stream duplicate /id fail"],
            "with other content",
        ),
        (
            "a cause that never came",
            vec![created(1), caused(2, "m9")],
            vec!["the stream causation /metadata/causation_id fail"],
            "did not come before it, nor after it",
        ),
        (
            "a cause that comes later",
            vec![caused(1, "m2"), created(2)],
            vec!["the stream causation /metadata/causation_id fail"],
            "and it comes later: it is message 2",
        ),
        ("its own cause", vec![caused(1, "m1")], vec![], ""),
        (
            "a clock that runs backwards",
            vec![at(created(1), "2026-03-01T10:00:05Z"), at(created(2), "2026-03-01T11:00:04.5+01:00")],
            vec!["the stream order /timestamp fail"],
            "is 500 ms before that of message 1",
        ),
        (
            "the same time in another zone",
            vec![at(created(1), "2026-03-01T10:00:05Z"), at(created(2), "2026-03-01t11:00:05+01:00")],
            vec![],
            "",
        ),
        (
            "an effect before its cause by two clocks",
            vec![
                at(created(1), "2026-03-01T10:00:05Z"),
                with(at(caused(2, "m1"), "2026-03-01T10:00:01Z"), "/source", Some(json!("bank"))),
            ],
            vec!["the stream order /timestamp fail"],
            "older by its clock than its cause",
        ),
        (
            "a chain that changes its correlation",
            vec![created(1), with(caused(2, "m1"), "/metadata/correlation_id", Some(json!("c2")))],
            vec!["the stream order /metadata/correlation_id fail"],
            "another correlation_id than its cause",
        ),
    ] {
        let report = judged(ORDERS, lines(&messages)).await;
        assert_eq!(faults(&report), expected, "{name}");
        assert!(not_passed(&report).iter().all(|(_, check)| check.message.contains(told)), "{name}: {:?}", not_passed(&report));
        // Clocks warn; the rest fails.
        let fails = expected.iter().any(|fault| !fault.contains(" order "));
        assert_eq!(report.verdict, if fails { Verdict::Fail } else { Verdict::Pass }, "{name}");
    }
}

#[tokio::test]
async fn a_stream_beyond_the_window_says_what_it_cannot_tell() {
    let options = MessageOptions { window: 10, ..MessageOptions::default() };
    let many = |last: Value| lines(&(0..30).map(created).chain([last]).collect::<Vec<_>>());
    let report = held(ORDERS, many(created(40)), &options).await.expect("it is read");
    assert_eq!(faults(&report), ["the stream duplicate /id inconclusive"]);
    assert_eq!(report.verdict, Verdict::Inconclusive);
    assert!(report.notes.iter().any(|note| note.contains("21 were forgotten")), "{:?}", report.notes);
    // A cause that was forgotten is neither there nor missing.
    let report = held(ORDERS, many(caused(40, "m1")), &options).await.expect("it is read");
    assert!(
        faults(&report).contains(&"the stream causation /metadata/causation_id inconclusive".to_owned()),
        "{:?}",
        faults(&report)
    );
    // Within the window it is found all the same.
    let again = with(created(25), "/timestamp", Some(json!("2026-03-01T10:01:00Z")));
    let report = held(ORDERS, many(again), &options).await.expect("it is read");
    assert_eq!(faults(&report), ["the stream duplicate /id fail"]);
}

#[tokio::test]
async fn every_way_to_write_messages_down_is_read() {
    let (one, two) = (created(1), created(2));
    let pretty = |value: &Value| serde_json::to_string_pretty(value).expect("it is JSON");
    for (name, text) in [
        ("lines", lines(&[one.clone(), two.clone()])),
        ("lines without an end, and blank ones", format!("\n{one}\r\n\r\n{two}")),
        ("a list", json!([one, two]).to_string()),
        ("a list over many lines", pretty(&json!([one, two]))),
        ("two lists", format!("[{one}]\n[{two}]\n")),
        ("documents over many lines", format!("{}\n{}\n", pretty(&one), pretty(&two))),
        ("two on a line", format!("{one} {two}")),
        ("a mark before", format!("\u{feff}{one}\n{two}")),
        ("a line, and a document over many", format!("{one}\n{}", pretty(&two))),
    ] {
        let report = judged(ORDERS, text).await;
        assert_eq!(faults(&report), Vec::<String>::new(), "{name}");
        assert_eq!(report.endpoints[0].cases, 2, "{name}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_the_rest_is_judged() {
    let good = created(1);
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let deep = good.to_string().replace("\"o1\"", &deep);
    let long = good.to_string().replace("\"o1\"", &format!("\"{}\"", "x".repeat(3_000)));
    for (name, broken, told, line) in [
        ("cut off", good.to_string()[..40].to_owned(), "isn't JSON: EOF", 2),
        ("cut off in a text", r#"{"id": "m"#.to_owned(), "isn't JSON: EOF", 2),
        ("no JSON", "hello".to_owned(), "isn't JSON: expected value", 2),
        ("a comma too much", r#"{"id": 1,}"#.to_owned(), "isn't JSON: trailing comma", 2),
        ("deep", deep, "is nested deeper than 127 levels", 2),
        ("long", long, "is longer than the 2000 bytes", 2),
        ("a number", "5".to_owned(), "is the number 5, and an object is expected", 2),
    ] {
        let options = MessageOptions { longest: 2_000, ..MessageOptions::default() };
        let text = format!("{good}\n{broken}\n{}\n", created(2));
        let report = held(ORDERS, text, &options).await.expect("the rest is judged");
        let found = not_passed(&report);
        assert_eq!(found.len(), 1, "{name}: {:?}", faults(&report));
        assert_eq!((found[0].0.endpoint.as_str(), found[0].1.check), ("unreadable messages", Check::Envelope), "{name}");
        assert!(found[0].1.message.contains(told), "{name}: {}", found[0].1.message);
        assert!(found[0].1.message.contains(&format!("in:{line} ")), "{name}: {}", found[0].1.message);
        assert_eq!(report.endpoints[0].cases, 2, "{name}: both good ones are judged");
    }
    let report = judged(ORDERS, b"{\"id\": \"\xff\xfe\"}\n".to_vec()).await;
    assert_eq!(faults(&report), ["unreadable messages envelope  fail"]);
    let report = judged(ORDERS, format!("[{good}, {{\"a\": }}, {}", created(2))).await;
    assert_eq!(report.endpoints[0].cases, 1);
    assert_eq!(report.endpoints.iter().find(|result| result.endpoint == "unreadable messages").expect("two").cases, 2);
}

#[tokio::test]
async fn a_line_without_an_end_is_never_held() {
    // 200 MB of one line, then a message: what is held is bounded, and the message is found.
    use tokio::io::AsyncReadExt;
    let endless = tokio::io::repeat(b'x').take(200_000_000);
    let after = std::io::Cursor::new(format!("\n{}\n", created(1)).into_bytes());
    let reader = Box::new(tokio::io::BufReader::new(endless.chain(after)));
    let document =
        patchbay_engine::contract::document::Document::read("orders.yaml", ORDERS.as_bytes()).expect("it is a contract");
    let inputs = vec![Input::Stream { name: "in".to_owned(), reader }];
    let options = MessageOptions::default();
    let report = check(&context(), &document, inputs, &options, &CancellationToken::new(), |_| ()).await.expect("it is read");
    assert_eq!(faults(&report), ["unreadable messages envelope  fail"]);
    assert_eq!(report.endpoints[0].cases, 1);
}

#[tokio::test]
async fn a_stream_that_is_cancelled_keeps_what_it_has() {
    let (mut writer, reader) = tokio::io::duplex(64);
    let document =
        patchbay_engine::contract::document::Document::read("orders.yaml", ORDERS.as_bytes()).expect("it is a contract");
    let cancel = CancellationToken::new();
    let (stop, options, context) = (cancel.clone(), MessageOptions::default(), context());
    let inputs = vec![Input::Stream { name: "in".to_owned(), reader: Box::new(tokio::io::BufReader::new(reader)) }];
    let held = check(&context, &document, inputs, &options, &cancel, |_| ());
    let write = async {
        // The pipe holds less than the blanks, so the message has been read once they are written.
        let text = format!("{}{}", lines(&[created(1)]), " ".repeat(200));
        tokio::io::AsyncWriteExt::write_all(&mut writer, text.as_bytes()).await.expect("the pipe is open");
        stop.cancel();
        std::future::pending::<()>().await;
    };
    let report = tokio::select! { report = held => report.expect("what was read is judged"), () = write => unreachable!() };
    assert_eq!((report.partial, report.verdict, report.endpoints[0].cases), (true, Verdict::Inconclusive, 1));
}

#[tokio::test]
async fn nothing_is_no_pass() {
    let report = judged(ORDERS, "").await;
    assert_eq!((report.verdict, report.endpoints.len()), (Verdict::Inconclusive, 0));
    assert!(report.notes.contains(&"There was no message".to_owned()));
}

#[tokio::test]
async fn mistakes_in_a_contract_have_their_place() {
    for (contract, told, line) in [
        ("messages:\n  typs: []\n", "Did you mean `types`?", 2),
        ("messages:\n  envelope: patchbai\n", "Did you mean `patchbay`?", 2),
        ("messages:\n  types:\n    - version: 1\n", "has no `type`", 3),
        ("messages:\n  types:\n    - type: a\n      schema: { a: strng }\n", "Did you mean `string`?", 4),
        ("messages:\n  types:\n    - type: a\n      schema: { $ref: missing.json }\n", "missing.json", 4),
        ("messages:\n  types:\n    - type: a\n      schema: { type: object, required: 5 }\n", "5", 4),
        ("messages:\n  fields: { idd: /a }\n", "Did you mean `id`?", 2),
        ("messages:\n  types: 5\n", "must be a list", 2),
    ] {
        let outcome = held(contract, "{}\n", &MessageOptions::default()).await;
        let problems = match outcome {
            Ok(report) => {
                assert_ne!(report.verdict, Verdict::Pass, "{contract}");
                report.problems
            }
            Err(problem) => vec![problem],
        };
        let found = problems.iter().find(|problem| problem.to_string().contains(told));
        let problem = found.unwrap_or_else(|| panic!("{contract}: {problems:?}"));
        assert_eq!(problem.place.as_ref().map(|place| place.line), Some(line), "{contract}: {problem}");
    }
    let other = held("openapi: 3.0.3\ninfo: { title: a, version: '1' }\npaths: {}\n", "{}", &MessageOptions::default()).await;
    assert_eq!(other.expect_err("an API is no message").code, Code::InvalidDefinition);
}

#[tokio::test]
async fn a_contract_can_describe_its_own_envelope() {
    let contract = r"messages:
  envelope:
    type: object
    required: [header, body]
    properties: { header: { type: object, required: [uid, kind] } }
  fields: { id: /header/uid, type: /header/kind, data: /body, causation_id: /header/cause, metadata: /header }
  metadata: { tenant: string }
  types:
    - { type: a, schema: { n: integer } }
";
    let message = |uid: &str, n: Value| json!({ "header": { "uid": uid, "kind": "a", "tenant": "t" }, "body": { "n": n } });
    let report = judged(contract, lines(&[message("1", json!(1)), message("2", json!(2))])).await;
    assert_eq!((faults(&report), report.verdict), (Vec::new(), Verdict::Pass));
    let bad = [message("1", json!("x")), message("1", json!(2)), with(message("3", json!(1)), "/header/tenant", None)];
    let report = judged(contract, lines(&bad)).await;
    assert_eq!(
        faults(&report),
        ["a payload /body/n fail", "a metadata /header/tenant fail", "the stream duplicate /header/uid fail"]
            .map(str::to_owned)
            .into_iter()
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
    );
    let report = judged(contract, "{\"body\": {\"n\": 1}}\n").await;
    assert!(faults(&report).contains(&"a envelope /header fail".to_owned()), "{:?}", faults(&report));
}

#[tokio::test]
async fn a_json_schema_is_a_contract_for_each_message() {
    let schema = r##"{"$schema": "http://json-schema.org/draft-07/schema#", "title": "an order",
        "definitions": {"money": {"type": "number", "exclusiveMinimum": 0}},
        "type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "total": {"$ref": "#/definitions/money"}}}"##;
    let report = judged(schema, "{\"id\": \"a\", \"total\": 5}\n{\"id\": \"a\"}\n").await;
    assert_eq!((faults(&report), report.verdict, report.endpoints.len()), (Vec::new(), Verdict::Pass, 1));
    assert!(report.notes.iter().any(|note| note.contains("no ids")));
    let report = judged(schema, "{\"total\": 0}\n").await;
    assert_eq!(faults(&report), ["an order payload /id fail", "an order payload /total fail"]);
    let place = not_passed(&report)[1].1.place.as_ref().expect("the definition");
    assert_eq!((place.line, place.column), (2, 73));
}

#[tokio::test]
async fn only_skip_and_warn_choose() {
    let text = lines(&[with(created(1), "/data/amount", None), with(created(1), "/id", None)]);
    let choose = |contract: ContractOptions| MessageOptions { contract, ..MessageOptions::default() };
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let only = choose(ContractOptions { only: names(&["payload"]), ..ContractOptions::default() });
    assert_eq!(faults(&held(ORDERS, text.clone(), &only).await.expect("read")), ["order.created 1.0 payload /data/amount fail"]);
    let skip = choose(ContractOptions { skip: names(&["payload", "envelope"]), ..ContractOptions::default() });
    assert_eq!(faults(&held(ORDERS, text.clone(), &skip).await.expect("read")), Vec::<String>::new());
    let other = choose(ContractOptions { only: names(&["order.paid*"]), ..ContractOptions::default() });
    assert_eq!(held(ORDERS, text.clone(), &other).await.expect("read").verdict, Verdict::Inconclusive);
    let warn = choose(ContractOptions { warn: names(&["payload", "envelope"]), ..ContractOptions::default() });
    let report = held(ORDERS, text, &warn).await.expect("read");
    assert_eq!((report.verdict, faults(&report).len()), (Verdict::Pass, 2));
}

/// The command, as its user runs it.
mod command {
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    use patchbay_tests::{
        messages::{ORDERS, created, lines, with},
        program::Desk,
    };
    use serde_json::json;

    fn piped(mut command: Command, text: &str) -> (Option<i32>, String) {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    }

    #[test]
    fn files_folders_and_standard_input_are_read() {
        let desk = Desk::new();
        desk.write("orders-events.yaml", ORDERS);
        std::fs::create_dir_all(desk.workspace().join("recorded/deep")).expect("folders");
        desk.write("recorded/1.jsonl", &lines(&[created(1)]));
        desk.write("recorded/deep/2.json", &json!([created(2)]).to_string());
        desk.write("recorded/notes.txt", "not a message");
        desk.write("broken.jsonl", &lines(&[with(created(3), "/data/amount", Some(json!("x")))]));
        let ran = desk.run(&["contract", "messages", "orders-events.yaml", "recorded", "--json"]).exits(0);
        let report = ran.json();
        assert_eq!((report["verdict"].as_str(), report["endpoints"][0]["cases"].as_u64()), (Some("pass"), Some(2)));
        let ran =
            desk.run(&["contract", "messages", "orders-events.yaml", "recorded", "broken.jsonl", "--report", "junit=m.xml"]);
        let ran = ran.exits(1);
        assert!(ran.stdout.contains("/data/amount is the text \"x\""), "{}", ran.stdout);
        assert!(ran.stdout.contains("broken.jsonl:1 (message 3)"), "{}", ran.stdout);
        assert!(ran.stdout.contains("Not seen: order.created 2.0, order.paid 1.0"), "{}", ran.stdout);
        let junit = std::fs::read_to_string(desk.workspace().join("m.xml")).expect("the report");
        assert!(junit.contains("order.created 1.0") && junit.contains("<failure"), "{junit}");
        for words in
            [&["contract", "messages", "orders-events.yaml"][..], &["contract", "messages", "orders-events.yaml", "-"][..]]
        {
            let (status, text) = piped(desk.command(words), &lines(&[created(1), created(1)]));
            assert_eq!(status, Some(1), "{text}");
            assert!(text.contains("standard input:2 (message 2)"), "{text}");
        }
        let (status, _) = piped(desk.command(&["contract", "messages", "orders-events.yaml"]), "");
        assert_eq!(status, Some(3));
        for words in [["nothing.yaml", "-"], ["orders-events.yaml", "nothing.jsonl"]] {
            desk.run(&["contract", "messages", words[0], words[1]]).exits(2);
        }
    }
}
