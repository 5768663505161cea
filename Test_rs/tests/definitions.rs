//! The integration file: both forms load, and every mistake is told with its place, what was expected and the nearest
//! known word.

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
    assert_eq!(create.request.as_ref().and_then(|request| request.body.clone()), Some(json!({"amount": 99.99, "currency": "USD"})));
    assert_eq!(create.request_schema.as_ref().map(|schema| &schema.0), Some(&json!({"$ref": "schemas/order.json"})));
    assert_eq!(create.capture.get("order_id").map(String::as_str), Some("$.id"));
    assert_eq!(orders.slo.expect("promises").availability.map(|share| share.0), Some(0.999));
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

/// One mistake: the place and the words that a person reads.
fn check(text: &str, expected: &str) {
    assert_eq!(mistakes(text), [expected], "{text}");
}

#[test]
fn a_mistake_has_its_place_and_the_nearest_word() {
    check(
        &with("  endpoints:\n    - metod: GET\n      path: /"),
        "orders.yaml:4:7: Unknown field \"metod\": expected one of name, method, path, params, query, headers, auth, request, expect, request_schema, response_schema, capture, rate_limit. Did you mean \"method\"?",
    );
    check(
        "integration:\n  name: a\n  interval: 30s\n",
        "orders.yaml:3:3: Unknown field \"interval\": expected one of name, version, description, system, base_url, auth, headers, endpoints, request_schema, response_schema, error_handling, health, metrics, slo, load. \"interval\" is a field of `health`: move it there",
    );
    check("integration:\n  version: \"1\"\n", "orders.yaml:2:3: The field \"name\" is missing: \"name\" is its name, unique in the workspace: letters, digits, `-`, `_`, `.` and spaces. Add \"name\" to \"integration\"");
    check("integrtion:\n  name: a\n", "orders.yaml:1:1: Unknown field \"integrtion\": expected one of integration. Did you mean \"integration\"?");
}
