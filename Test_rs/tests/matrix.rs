//! What the contract page computes without a browser: the table of operations against checks, what changed between two
//! runs, and where two values differ.

use patchbay_contracts::{
    contract::{Accepted, Check, CheckResult, ContractKind, ContractReport, EndpointResult, Severity},
    run::{Report, Verdict},
};
use patchbay_frontend::utils::{
    compare::{Change, compare},
    difference::{Difference, Piece, Stretch, difference, folded, marked, opposed},
    matrix::{Filter, Judged, Matrix, Outcome, broken, merged, moved},
    text,
};
use serde_json::{Value, json};

/// An operation with checks of these outcomes.
fn operation(label: &str, checks: &[(Check, Outcome)]) -> Judged {
    let mut result = EndpointResult::new(label);
    result.checks = checks.iter().map(|(check, outcome)| check_of(*check, *outcome)).collect();
    result.conclude();
    Judged::new(result, None)
}

fn check_of(check: Check, outcome: Outcome) -> CheckResult {
    let verdict = match outcome {
        Outcome::Held => Verdict::Pass,
        Outcome::Unclear => Verdict::Inconclusive,
        _ => Verdict::Fail,
    };
    let mut result = CheckResult::new(check, verdict, format!("{} {}", check.as_str(), outcome.as_str()));
    result.severity = if outcome == Outcome::Warning { Severity::Warning } else { Severity::Error };
    let accepted = Accepted { reason: "known".to_owned(), until: "2030-01-01".to_owned(), place: None };
    result.accepted = (outcome == Outcome::Accepted).then_some(accepted);
    result
}

#[test]
fn the_table_has_the_checks_that_occur_in_the_order_of_all_and_counts_each_outcome() {
    let results = [
        operation(
            "GET /orders",
            &[(Check::Latency, Outcome::Held), (Check::Status, Outcome::Failed), (Check::Status, Outcome::Held)],
        ),
        operation("POST /orders", &[(Check::ServerError, Outcome::Accepted), (Check::Status, Outcome::Warning)]),
        operation("DELETE /orders", &[]),
    ];
    let matrix = Matrix::of(&results);
    assert_eq!(matrix.columns, [Check::Status, Check::ServerError, Check::Latency]);
    let words: Vec<Vec<String>> =
        matrix.rows.iter().map(|row| row.cells.iter().map(|cell| cell.unwrap_or_default().words()).collect()).collect();
    assert_eq!(words[0], ["1 failed, 1 held", "not judged", "1 held"]);
    assert_eq!(words[1], ["1 warning", "1 accepted", "not judged"]);
    assert_eq!(words[2], ["not judged"; 3]);
    assert_eq!(matrix.rows[0].cells[0].and_then(|cell| cell.outcome()), Some(Outcome::Failed));
    assert!(matrix.rows[2].cells.iter().all(Option::is_none), "what was not judged has no cell");
    assert_eq!(matrix.failed(), ["GET /orders"], "neither a warning, nor what is accepted, nor what was not judged failed");
}

#[test]
fn the_report_of_any_kind_of_contract_is_read_back_as_it_was_written() {
    for kind in [ContractKind::Patchbay, ContractKind::Openapi, ContractKind::JsonSchema] {
        let report = Report::Contract(ContractReport::new(kind, "orders", "openapi.yaml"));
        let text = serde_json::to_string(&report).expect("a report is JSON");
        assert_eq!(serde_json::from_str::<Report>(&text).expect("it is read back"), report, "{text}");
        assert_eq!(
            serde_json::to_value(&report).expect("JSON")["kind"],
            "contract",
            "the kind of run and not that of the contract"
        );
    }
}

#[test]
fn the_gravest_outcome_is_what_a_cell_shows() {
    let mut expected = Outcome::ALL.to_vec();
    expected.reverse();
    for (at, outcome) in expected.iter().enumerate() {
        let checks: Vec<_> = expected[..=at].iter().map(|outcome| (Check::Body, *outcome)).collect();
        let matrix = Matrix::of(&[operation("GET /", &checks)]);
        assert_eq!(matrix.rows[0].cells[0].and_then(|cell| cell.outcome()), Some(*outcome));
    }
}

#[test]
fn a_filter_leaves_what_did_not_hold_and_has_the_words() {
    let results = [
        operation("GET /orders/{id}", &[(Check::Status, Outcome::Held)]),
        operation("POST /orders", &[(Check::ResponseSchema, Outcome::Failed)]),
        operation("GET /users", &[(Check::Order, Outcome::Warning)]),
        operation("PUT /users", &[(Check::Status, Outcome::Accepted)]),
        operation("DELETE /users", &[]),
    ];
    let matrix = Matrix::of(&results);
    let check = |failing: bool, text: &str, expect: &[usize]| {
        assert_eq!(matrix.shown(&Filter { failing, text: text.to_owned() }), expect, "{failing} {text:?}");
    };
    check(false, "", &[0, 1, 2, 3, 4]);
    check(true, "", &[1, 2, 4]);
    check(false, "ORDERS get", &[0]);
    check(false, "response-schema", &[1]);
    check(true, "users", &[2, 4]);
    check(false, "status", &[3]);
    check(false, "nowhere", &[]);
    let found = broken(&matrix, &[0, 1, 2, 3]);
    let rows: Vec<usize> = found.iter().map(|one| one.row).collect();
    assert_eq!(rows, [1, 2, 3], "the gravest first, and what held not at all");
}

#[test]
fn keys_move_between_cells_and_stop_at_the_edges() {
    let check = |from, key: &str, expect| assert_eq!(moved(from, key, 12, 4), expect, "{key} from {from:?}");
    check((0, 0), "ArrowUp", Some((0, 0)));
    check((0, 0), "ArrowLeft", Some((0, 0)));
    check((3, 2), "ArrowDown", Some((4, 2)));
    check((11, 3), "ArrowDown", Some((11, 3)));
    check((11, 3), "ArrowRight", Some((11, 3)));
    check((5, 2), "Home", Some((5, 0)));
    check((5, 0), "End", Some((5, 3)));
    check((5, 0), "PageDown", Some((11, 0)));
    check((5, 0), "PageUp", Some((0, 0)));
    check((5, 0), "x", None);
    assert_eq!(moved((0, 0), "ArrowDown", 0, 4), None, "there is nowhere to go");
}

#[test]
fn operations_that_are_run_again_take_their_old_place() {
    let before = [operation("a", &[]), operation("b", &[]), operation("c", &[])];
    let later = [operation("b", &[(Check::Status, Outcome::Held)]), operation("d", &[])];
    let all = merged(&before, &later);
    let labels: Vec<&str> = all.iter().map(|one| one.endpoint.as_str()).collect();
    assert_eq!(labels, ["a", "b", "c", "d"]);
    assert!(all[1] == later[0] && all[0] == before[0]);
}

#[test]
fn two_runs_are_told_apart_operation_by_operation_and_check_by_check() {
    let then = [
        operation("holds", &[(Check::Status, Outcome::Held)]),
        operation("breaks", &[(Check::Status, Outcome::Held), (Check::Latency, Outcome::Held)]),
        operation("mended", &[(Check::Status, Outcome::Failed)]),
        operation("broken", &[(Check::Status, Outcome::Failed), (Check::Latency, Outcome::Held)]),
        operation("unheard", &[(Check::Status, Outcome::Failed)]),
        operation("gone", &[(Check::Status, Outcome::Held)]),
    ];
    let now = [
        operation("holds", &[(Check::Status, Outcome::Held)]),
        operation("breaks", &[(Check::Status, Outcome::Failed), (Check::Latency, Outcome::Held)]),
        operation("mended", &[(Check::Status, Outcome::Held)]),
        operation("broken", &[(Check::Status, Outcome::Failed), (Check::Latency, Outcome::Failed)]),
        operation("unheard", &[]),
        operation("young", &[(Check::Status, Outcome::Failed)]),
    ];
    let comparison = compare(&then, &now);
    for (label, expect) in [
        ("holds", Change::Steady),
        ("breaks", Change::NewlyFailed),
        ("mended", Change::Fixed),
        ("broken", Change::StillFailing),
        ("unheard", Change::Steady),
        ("young", Change::New),
    ] {
        assert_eq!(comparison.operation(label), expect, "{label}");
    }
    assert_eq!(comparison.check("breaks", Check::Status), Change::NewlyFailed);
    assert_eq!(comparison.check("breaks", Check::Latency), Change::Steady);
    assert_eq!(comparison.check("broken", Check::Latency), Change::NewlyFailed);
    assert_eq!(comparison.check("broken", Check::Status), Change::StillFailing);
    assert_eq!(comparison.check("mended", Check::Status), Change::Fixed);
    assert_eq!(comparison.check("young", Check::Status), Change::Steady, "a new operation is new as a whole");
    assert_eq!(comparison.missing, ["gone"]);
    assert_eq!(Change::ALL.map(|change| comparison.count(change)), [1, 1, 1, 1]);
}

/// A side as text, with what is marked between guillemets; `~` stands for a line that this side lacks.
fn side(difference: &Difference, of: fn(&patchbay_frontend::utils::difference::Pair) -> &Option<Vec<Piece>>) -> Vec<String> {
    let piece = |piece: &Piece| if piece.differs { format!("«{}»", piece.text) } else { piece.text.clone() };
    let line =
        |pieces: &Option<Vec<Piece>>| pieces.as_ref().map_or_else(|| "~".to_owned(), |pieces| pieces.iter().map(piece).collect());
    difference.lines.iter().map(|pair| line(of(pair))).collect()
}

fn sides(difference: &Difference) -> (Vec<String>, Vec<String>) {
    (side(difference, |pair| &pair.expected), side(difference, |pair| &pair.actual))
}

#[test]
fn documents_are_compared_by_structure() {
    let expected = json!({ "id": 7, "state": "created", "lines": [{ "sku": "a" }, { "sku": "b" }], "note": null });
    let actual = json!({ "id": "7", "state": "creating", "lines": [{ "sku": "b" }], "extra": true });
    let found = difference(Some(&expected), Some(&actual));
    let (left, right) = sides(&found);
    let left_expected = [
        "{",
        "  «\"id\": 7,»",
        "  \"state\": \"creat«ed»\",",
        "  \"lines\": [",
        "    «{»",
        "      «\"sku\": \"a\"»",
        "    «},»",
        "    {",
        "      \"sku\": \"b\"",
        "    }",
        "  ],",
        "  «\"note\": null»",
        "~",
        "}",
    ];
    let right_expected = [
        "{",
        "  «\"id\": \"7\",»",
        "  \"state\": \"creat«ing»\",",
        "  \"lines\": [",
        "~",
        "~",
        "~",
        "    {",
        "      \"sku\": \"b\"",
        "    }",
        "  ],",
        "~",
        "  «\"extra\": true»",
        "}",
    ];
    assert_eq!(left, left_expected);
    assert_eq!(right, right_expected);
    assert_eq!(found.places, ["/id", "/state", "/lines/0", "/note", "/extra"]);
    assert!(!found.cut);
}

#[test]
fn equal_documents_have_no_difference_whatever_the_order_of_their_members() {
    let found = difference(Some(&json!({ "a": 1, "b": [1, { "c": 2 }] })), Some(&json!({ "b": [1, { "c": 2 }], "a": 1 })));
    assert_eq!(found.places, Vec::<String>::new());
    assert!(found.lines.iter().all(|pair| !pair.differs && pair.expected.is_some() && pair.actual.is_some()));
}

#[test]
fn names_become_pointers_and_missing_sides_nothing() {
    let found = difference(Some(&json!({ "a/b": { "c~d": 1 } })), Some(&json!({ "a/b": { "c~d": 2 } })));
    assert_eq!(found.places, ["/a~1b/c~0d"]);
    let found = difference(None, Some(&json!(3)));
    assert_eq!(sides(&found), (vec!["~".to_owned()], vec!["«3»".to_owned()]));
    assert_eq!(difference(None, None).lines, Vec::new());
}

#[test]
fn texts_are_compared_line_by_line_and_within_a_line() {
    let found = difference(Some(&json!("one\ntwo\nthree\nfour")), Some(&json!("one\nthree\nfive\nsix")));
    let (left, right) = sides(&found);
    assert_eq!(left, ["one", "«two»", "three", "f«our»", "~"]);
    assert_eq!(right, ["one", "~", "three", "f«ive»", "«six»"]);
    let found = difference(Some(&json!("application/json")), Some(&json!("application/jsön")));
    assert_eq!(sides(&found), (vec!["application/js«o»n".to_owned()], vec!["application/js«ö»n".to_owned()]));
}

#[test]
fn a_rule_is_not_compared_with_what_breaks_it() {
    let found = opposed(Some(&json!({ "required": ["id"] })), Some(&json!({ "state": "new" })));
    let (left, right) = sides(&found);
    assert!(left.iter().all(|line| !line.contains('«')), "{left:?}");
    assert!(right.iter().any(|line| line == "  «\"state\": \"new\"»"), "{right:?}");
}

#[test]
fn an_enormous_document_is_cut_and_a_deep_one_is_walked() {
    let wide = Value::Array((0..20_000).map(Value::from).collect());
    let other = Value::Array((0..20_000).map(|at| Value::from(at + 1)).collect());
    let found = difference(Some(&wide), Some(&other));
    assert!(found.cut && found.lines.len() <= 4_000);
    let deep = |leaf: i32| (0..120).fold(json!(leaf), |inner, _| json!({ "in": inner }));
    let found = difference(Some(&deep(1)), Some(&deep(2)));
    assert_eq!(found.places, ["/in".repeat(120)]);
}

#[test]
fn the_place_of_a_pointer_is_marked_in_a_document() {
    let document = json!({ "id": 1, "lines": [{ "sku": "a" }, { "sku": "b", "tags": { "x": 1 } }] });
    let check = |pointer: &str, expect: &[&str]| {
        let lines = marked(&document, pointer);
        let plain: Vec<&str> = lines.iter().map(|(line, _)| line.as_str()).collect();
        assert_eq!(plain.join("\n"), serde_json::to_string_pretty(&document).expect("JSON"), "the document is whole");
        let found: Vec<&str> = lines.iter().filter(|(_, marked)| *marked).map(|(line, _)| line.trim()).collect();
        assert_eq!(found, expect, "{pointer}");
    };
    check("/id", &["\"id\": 1,"]);
    check("/lines/1/tags", &["\"tags\": {", "\"x\": 1", "}"]);
    check("/lines/0/missing", &["{"]);
    check("/nowhere", &["{"]);
    check("/id/deeper", &["\"id\": 1,"]);
    assert!(marked(&document, "").iter().all(|(_, marked)| *marked), "an empty pointer names the whole");
}

#[test]
fn equal_lines_far_from_a_difference_are_left_out() {
    let stretches = folded(20, |at| at == 10, 2);
    let mut expect = vec![Stretch::Left(8)];
    expect.extend((8..=12).map(Stretch::Line));
    expect.push(Stretch::Left(7));
    assert_eq!(stretches, expect);
    assert_eq!(folded(4, |at| at == 2, 1), [0, 1, 2, 3].map(Stretch::Line), "one line is not worth leaving out");
    assert_eq!(folded(0, |_| true, 3), []);
}

#[test]
fn days_are_written_and_recognised() {
    assert_eq!(text::day(0, 0), "1970-01-01");
    assert_eq!(text::day(1_772_841_600_000, 30), "2026-04-06");
    for (day, known) in [
        ("2028-02-29", true),
        ("2026-02-29", false),
        ("2026-13-01", false),
        ("2026-1-01", false),
        ("", false),
        ("2026-04-31", false),
    ] {
        assert_eq!(text::is_day(day), known, "{day}");
    }
}
