//! The integration file: both forms load, whatever bytes come the reader stays calm, and each value has its place.

use std::{env, fs, path::Path};

use patchbay_contracts::{
    Code,
    integration::{Auth, AuthSpec, Method, StatusPattern},
};
use patchbay_engine::definition::{self, MAX_BYTES, MAX_DEPTH, MAX_PROBLEMS, parse};
use patchbay_tests::definitions::{FULL, SHORT, mistakes, read, with};
use serde_json::{Value, json};

#[test]
fn the_short_form_loads_as_it_stands() {
    let parsed = read(SHORT.as_bytes());
    assert_eq!(mistakes(SHORT), Vec::<String>::new());
    let stripe = parsed.definition.expect("no mistakes");
    assert_eq!(stripe.name, "stripe-payment");
    assert_eq!(stripe.endpoints[0].method, Method::Post);
    assert_eq!(stripe.endpoints[0].label(), "POST /v1/charges");
    assert_eq!(stripe.endpoints[0].rate_limit.expect("a limit").to_string(), "100/min");
    assert_eq!(stripe.error_handling.retries, 3);
    assert_eq!(stripe.request_schema.expect("a schema").0, json!({"amount": "number", "currency": "string", "source": "string"}));
}

#[test]
fn the_full_form_loads() {
    assert_eq!(mistakes(FULL), Vec::<String>::new());
    let orders = read(FULL.as_bytes()).definition.expect("no mistakes");
    assert!(matches!(&orders.auth, Some(Auth::Spec(AuthSpec::Bearer { token })) if token == "${secret:orders-token}"));
    let create = &orders.endpoints[0];
    assert_eq!(create.expect.as_ref().and_then(|expect| expect.status.clone()), Some(StatusPattern::Code(201)));
    assert_eq!(
        create.request.as_ref().and_then(|request| request.body.clone()),
        Some(json!({"amount": 99.99, "currency": "USD"}))
    );
    assert_eq!(create.request_schema.as_ref().map(|schema| &schema.0), Some(&json!({"$ref": "schemas/order.json"})));
    assert_eq!(create.capture.get("order_id").map(String::as_str), Some("$.id"));
    assert_eq!(orders.slo.expect("promises").availability.map(|share| share.to_string()), Some("99.9%".to_owned()));
    assert_eq!(orders.load.expect("a load").thresholds.len(), 2);
}

#[test]
fn each_example_loads_without_a_mistake() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/examples");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("the examples are there").flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "yaml") {
            let bytes = fs::read(entry.path()).expect("an example can be read");
            let name = entry.file_name().to_string_lossy().into_owned();
            let problems: Vec<String> = parse(&name, &bytes).problems.iter().map(ToString::to_string).collect();
            assert_eq!(problems, Vec::<String>::new(), "{name}");
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen} examples");
}

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/schema/integration.schema.json");
    let current = format!("{}\n", serde_json::to_string_pretty(&definition::json_schema()).expect("a schema is JSON"));
    if env::var_os("PATCHBAY_BLESS").is_some() {
        fs::write(&file, &current).expect("the schema can be written");
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == current, "run `PATCHBAY_BLESS=1 cargo test -p patchbay-tests --test definitions` and commit the schema");
}

#[test]
fn the_schema_for_editors_agrees_with_the_reader() {
    let schema = definition::json_schema();
    let judge = jsonschema::draft7::new(&schema).expect("the schema is a schema");
    for (text, holds) in [
        (json!({"integration": {"name": "a"}}), true),
        (json!({"integration": {"name": "a", "health": {"interval": "30s"}}}), true),
        (json!({"integration": {"name": "a", "health": {"interval": 30}}}), false),
        (json!({"integration": {"name": "a", "nme": "b"}}), false),
        (json!({"integration": {}}), false),
        (json!({"integration": {"name": "a", "system": "rst"}}), false),
    ] {
        assert_eq!(judge.is_valid(&text), holds, "{text}");
        let reads = read(text.to_string().as_bytes()).problems.iter().all(|problem| problem.what.contains("endpoint"));
        assert_eq!(reads, holds, "{text}");
    }
}

#[test]
fn whatever_bytes_come_the_reader_stays_calm() {
    let laughs = {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for i in 1..30 {
            let row: Vec<String> = (0..10).map(|_| format!("*a{}", i - 1)).collect();
            text.push_str(&format!("a{i}: &a{i} [{}]\n", row.join(", ")));
        }
        text
    };
    let many = format!("integration:\n{}", (0..70_000).map(|i| format!(" k{i}: x\n")).collect::<String>());
    let cases: Vec<(&str, Vec<u8>, Code, &str)> = vec![
        ("huge", vec![b'#'; MAX_BYTES + 1], Code::TooLarge, "larger"),
        ("deep", "[".repeat(100_000).into_bytes(), Code::InvalidDefinition, "too deep"),
        (
            "deep block",
            (0..200).map(|i| format!("{}a:\n", " ".repeat(i))).collect::<String>().into_bytes(),
            Code::InvalidDefinition,
            "too deep",
        ),
        ("laughs", laughs.into_bytes(), Code::InvalidDefinition, "more than can be read"),
        ("many", many.into_bytes(), Code::InvalidDefinition, "Unknown field"),
        ("many nodes", format!("a: [{}]", "x,".repeat(200_000)).into_bytes(), Code::InvalidDefinition, "more than can be read"),
        ("latin-1", b"integration:\n  name: caf\xe9\n".to_vec(), Code::InvalidDefinition, "not UTF-8"),
        ("utf-16", b"\xff\xfei\0n\0".to_vec(), Code::InvalidDefinition, "not UTF-8"),
        ("nul", b"integration: a\0b".to_vec(), Code::InvalidDefinition, "can't be read"),
    ];
    for (name, bytes, code, words) in cases {
        let parsed = read(&bytes);
        assert!(parsed.definition.is_none(), "{name}");
        assert!(parsed.problems.len() <= MAX_PROBLEMS + 1, "{name}");
        assert!(
            parsed.problems.iter().any(|p| p.code == code && p.what.contains(words)),
            "{name}: {:?}",
            parsed.problems.first()
        );
    }
    let latin = read(b"integration:\n  name: caf\xe9\n");
    assert_eq!(
        latin.problems[0].to_string(),
        "orders.yaml:2:12: The file is not UTF-8: the byte 0xE9 at offset 24 can't be read. Save the file as UTF-8"
    );
    let depth = |levels: usize| format!("{}x{}", "[".repeat(levels), "]".repeat(levels));
    let body = |levels| with(&format!("  endpoints: [{{ path: /, request: {{ body: {} }} }}]", depth(levels)));
    assert_eq!(mistakes(&body(MAX_DEPTH - 8)), Vec::<String>::new());
    assert_eq!(mistakes(&body(MAX_DEPTH)).len(), 1);
}

#[test]
fn a_byte_order_mark_carriage_returns_and_aliases_are_fine() {
    for text in [
        "\u{feff}integration:\n  name: a\n",
        "integration:\r\n  name: a\r\n  version: \"1\"\r\n",
        "integration:\n  name: &n a\n  version: *n\n",
        "integration: {\"name\": \"a\"}",
        "# first\n---\nintegration:\n  name: a\n...\n",
        "integration:\n  name: !!str 5\n",
    ] {
        assert_eq!(mistakes(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn scalars_are_those_of_yaml_1_2() {
    let text = "integration: { name: a, endpoints: [{ path: /, request: { body: [no, yes, on, 1, -1, +1, 0o17, 0x1F, 1.5, 1e3, .5, true, False, null, ~, \"1\", '1', 1_000, 12:30, 007, 1.2.3, 18446744073709551615, 1.] } }] }";
    let parsed = read(text.as_bytes());
    let body = parsed.definition.expect("no mistakes").endpoints.remove(0).request.and_then(|request| request.body);
    let expected: Value = json!([
        "no",
        "yes",
        "on",
        1,
        -1,
        1,
        15,
        31,
        1.5,
        1000.0,
        0.5,
        true,
        false,
        null,
        null,
        "1",
        "1",
        "1_000",
        "12:30",
        7,
        "1.2.3",
        18446744073709551615u64,
        1.0
    ]);
    assert_eq!(body, Some(expected));
}

#[test]
fn a_pointer_leads_to_its_place() {
    let parsed = read(FULL.as_bytes());
    for (pointer, line, column) in [
        ("/integration/name", 2, 9),
        ("/integration/endpoints", 8, 3),
        ("/integration/endpoints/0", 9, 7),
        ("/integration/endpoints/0/expect/conditions/0", 14, 60),
        ("/integration/endpoints/0/response_schema/required/0", 16, 51),
        ("/integration/endpoints/0/response_schema/properties/id", 16, 7),
        ("/integration/endpoints/7/name", 8, 3),
        ("", 1, 1),
    ] {
        let place = parsed.positions.place(pointer).expect("a file that was read has places");
        assert_eq!((place.line, place.column), (line, column), "{pointer}");
    }
}

#[test]
fn a_revision_tells_texts_apart() {
    assert_eq!(definition::revision("a"), definition::revision("a"));
    assert_ne!(definition::revision("a"), definition::revision("b"));
    assert_ne!(definition::revision(""), definition::revision("\0"));
}

#[test]
fn whatever_is_done_to_a_sound_file_the_reader_stays_calm_and_the_places_lie_inside() {
    const PIECES: [&str; 16] =
        ["{", "}", "[", "]", ":", "-", "#", "\"", "'", "\n", "\t", "&a ", "*a", "!!int ", "${", "é\u{feff}"];
    let mut seed: u64 = 20_260_102;
    let mut below = |bound: usize| {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) as usize % bound
    };
    let mut sound = 0;
    for round in 0..600 {
        let mut text: Vec<char> = FULL.chars().collect();
        for _ in 0..=below(3) {
            let at = below(text.len());
            match below(3) {
                0 => drop(text.drain(at..(at + 1 + below(12)).min(text.len()))),
                1 => drop(text.splice(at..at, PIECES[below(PIECES.len())].chars())),
                _ => {
                    let copied: Vec<char> = text[at..(at + 30).min(text.len())].to_vec();
                    let to = below(text.len());
                    text.splice(to..to, copied);
                }
            }
        }
        let text: String = text.into_iter().collect();
        let parsed = read(text.as_bytes());
        assert_eq!(parsed.definition.is_some(), parsed.problems.is_empty(), "round {round}: {text}");
        sound += usize::from(parsed.definition.is_some());
        for place in parsed.problems.iter().filter_map(|problem| problem.place.as_ref()) {
            let line = text.split('\n').nth(place.line as usize - 1).unwrap_or_default();
            assert!(place.line as usize <= text.split('\n').count(), "round {round}: {place}\n{text}");
            assert!(place.column as usize <= line.chars().count() + 1, "round {round}: {place}\n{text}");
        }
    }
    // Without some of each the test would show nothing.
    assert!((20..580).contains(&sound), "{sound} of 600 were still sound");
}

#[test]
fn the_example_of_the_sample_service_is_the_one_that_is_registered() {
    let registered = patchbay_engine::sample::definition("http://127.0.0.1:8617");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/examples");
    let example = folder.join("sample-orders.yaml");
    if env::var_os("PATCHBAY_BLESS").is_some() {
        fs::write(&example, &registered).expect("the example can be written");
    }
    assert!(fs::read_to_string(example).is_ok_and(|example| example == registered), "run with PATCHBAY_BLESS=1 and commit");
}
