//! Values made from schemas: valid at every boundary, broken in one place, the same for the same seed, and shrunk.

use std::{cell::Cell, collections::HashSet};

use patchbay_engine::contract::generate::{
    Case, Chance, Generator, Style, candidates, form, header_text, multipart, path_text, query_pairs, shrink,
};
use serde_json::{Value, json};

fn generator(schema: &Value) -> Generator {
    Generator::new(schema).unwrap_or_else(|problem| panic!("{schema}: {problem}"))
}

fn valid(schema: &Value) -> Vec<Case> {
    generator(schema).valid(&mut Chance::new(7), 200, 10)
}

fn values(cases: &[Case]) -> Vec<Value> {
    cases.iter().map(|case| case.value.clone()).collect()
}

/// An order with most of what schemas have.
fn order() -> Value {
    json!({
        "type": "object",
        "required": ["id", "customer", "lines"],
        "additionalProperties": false,
        "properties": {
            "id": { "type": "string", "format": "uuid" },
            "customer": { "$ref": "#/$defs/customer" },
            "lines": { "type": "array", "minItems": 1, "maxItems": 3, "items": { "$ref": "#/$defs/line" } },
            "state": { "enum": ["open", "closed"] },
            "note": { "type": ["string", "null"], "minLength": 2, "maxLength": 10 },
            "tags": { "type": "array", "uniqueItems": true, "items": { "type": "string", "pattern": "^[a-z]{2,5}$" } },
            "due": { "type": "string", "format": "date" },
            "payment": { "oneOf": [
                { "type": "object", "required": ["card"], "properties": { "card": { "type": "string" } } },
                { "type": "object", "required": ["iban"], "properties": { "iban": { "type": "string" } } }
            ] }
        },
        "$defs": {
            "customer": { "allOf": [
                { "type": "object", "required": ["name"], "properties": { "name": { "type": "string", "minLength": 1 } } },
                { "type": "object", "properties": { "email": { "type": "string", "format": "email" } } }
            ] },
            "line": { "type": "object", "required": ["sku", "quantity"], "properties": {
                "sku": { "type": "string", "pattern": "^[A-Z]{3}-\\d{4}$" },
                "quantity": { "type": "integer", "minimum": 1, "maximum": 100 },
                "price": { "type": "number", "exclusiveMinimum": 0, "multipleOf": 0.01 }
            } }
        }
    })
}

#[test]
fn boundaries_are_among_the_valid_values() {
    for (schema, wanted) in [
        (json!({ "type": "integer", "minimum": 1, "maximum": 100 }), json!([1, 2, 99, 100])),
        (json!({ "type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 10 }), json!([2, 9])),
        (json!({ "type": "integer" }), json!([0, -1])),
        (json!({ "type": "integer", "format": "int32" }), json!([-2_147_483_648_i64, 2_147_483_647, 0, -1])),
        (json!({ "type": "integer", "format": "int64" }), json!([i64::MIN, i64::MAX])),
        (json!({ "type": "integer", "minimum": 0, "multipleOf": 5 }), json!([0, 5, 15])),
        (json!({ "type": "number", "minimum": 0, "maximum": 1 }), json!([0, 1, 0.5])),
        (json!({ "type": "number", "minimum": 0.01, "multipleOf": 0.01, "maximum": 0.3 }), json!([0.01, 0.3, 0.03])),
        (json!({ "type": "string", "minLength": 2, "maxLength": 4 }), json!(["aa", "aaaa", "éééé"])),
        (json!({ "type": "string" }), json!([""])),
        (json!({ "type": "string", "format": "date" }), json!(["2024-02-29"])),
        (json!({ "type": "string", "format": "date-time" }), json!(["2026-01-31T12:30:00+02:00"])),
        (json!({ "type": "string", "format": "ipv6" }), json!(["::1"])),
        (json!({ "type": "string", "format": "byte" }), json!(["dGV4dA=="])),
        (json!({ "enum": ["a", 1, null] }), json!(["a", 1, null])),
        (json!({ "const": 4 }), json!([4])),
        (json!({ "type": ["string", "null"] }), json!([null])),
        (json!({ "type": "boolean" }), json!([true, false])),
        (json!({ "type": "array", "items": { "type": "integer" }, "maxItems": 2 }), json!([[], [1, 1]])),
        (json!({ "type": "object", "additionalProperties": { "type": "integer" } }), json!([{}, { "further": 1 }])),
        (
            json!({ "type": "object", "properties": { "a": { "type": "boolean" } }, "required": ["a"] }),
            json!([{ "a": true }, { "a": false }]),
        ),
        (json!({ "type": "string", "examples": ["first"], "default": "second" }), json!(["first", "second"])),
        (json!({ "oneOf": [{ "type": "integer" }, { "type": "boolean" }] }), json!([1, true])),
    ] {
        let cases = values(&valid(&schema));
        for value in wanted.as_array().into_iter().flatten() {
            assert!(cases.contains(value), "{schema} lacks {value}: {cases:?}");
        }
    }
}

#[test]
fn each_value_is_what_it_says_for_many_schemas() {
    let schemas = [
        order(),
        json!({ "type": "string", "pattern": "^(GET|POST) /[a-z]+(\\?[a-z]=\\d)?$" }),
        json!({ "type": "string", "pattern": "^\\+?[1-9]\\d{1,14}$" }),
        json!({ "type": "string", "pattern": "[A-Z]{2}", "minLength": 5 }),
        json!({ "type": "string", "format": "hostname", "maxLength": 12 }),
        json!({ "type": "number", "multipleOf": 0.1, "minimum": -1 }),
        json!({ "type": "integer", "minimum": 1.5, "maximum": 2.5 }),
        json!({ "type": "array", "uniqueItems": true, "minItems": 3, "items": { "type": "integer", "minimum": 1, "maximum": 4 } }),
        json!({ "type": "array", "prefixItems": [{ "type": "string" }, { "type": "integer" }], "items": false, "minItems": 2 }),
        json!({ "type": "object", "minProperties": 2, "maxProperties": 3, "additionalProperties": { "type": "string", "minLength": 3 } }),
        json!({ "type": "object", "properties": { "a": {}, "b": {} }, "dependentRequired": { "a": ["b"] } }),
        json!({ "anyOf": [{ "type": "string", "maxLength": 3 }, { "type": "integer", "minimum": 10 }] }),
        json!({ "type": "object", "properties": { "kind": { "const": "x" } }, "required": ["kind"], "if": { "properties": { "kind": { "const": "x" } } }, "then": { "required": ["more"] } }),
        json!({ "not": { "type": "string" } }),
        json!({ "type": "object", "required": ["a"], "properties": { "a": { "not": { "type": ["string", "number"] } }, "b": { "type": "string", "not": { "enum": ["text"] } } } }),
        json!({ "type": "string", "pattern": "^(?!000)[A-Z]{3}-\\d{4}$" }),
        json!({ "type": "string", "pattern": "^(?=.*[A-Z])(?=.*\\d).{8,16}$" }),
        json!({ "type": "string", "pattern": "^(((?=.*[a-z])(?=.*[A-Z]))|((?=.*[a-z])(?=.*[0-9])))", "minLength": 6 }),
        json!({ "type": "string", "pattern": "^[a-zA-Z]((?!--|__)[a-zA-Z0-9-_])+$", "minLength": 3, "maxLength": 32 }),
        json!({ "type": "object", "required": ["at", "name"], "properties": { "at": { "type": "string", "format": "date-time", "example": "2018-01-01T00:01:01" }, "name": { "type": "string", "example": null } } }),
        json!({}),
        json!(true),
    ];
    for schema in schemas {
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect("the schema is one");
        let good = valid(&schema);
        assert!(!good.is_empty(), "{schema}");
        for case in &good {
            assert!(validator.is_valid(&case.value), "{schema}: {case:?}");
        }
        assert!(generator(&schema).ordinary().is_some_and(|value| validator.is_valid(&value)), "{schema}");
        for case in generator(&schema).negative(200) {
            assert!(!validator.is_valid(&case.value), "{schema}: {case:?}");
            assert!(!case.sentence().is_empty());
        }
        let texts: HashSet<String> = good.iter().map(|case| case.value.to_string()).collect();
        assert_eq!(texts.len(), good.len(), "each value once: {schema}");
    }
}

#[test]
fn each_deviation_is_there_once_with_its_place_and_keyword() {
    let cases = generator(&order()).negative(500);
    let has = |pointer: &str, keyword: &str| cases.iter().any(|case| case.pointer == pointer && case.keyword == keyword);
    for (pointer, keyword) in [
        ("", "type"),
        ("/id", "required"),
        ("/customer", "required"),
        ("/lines", "required"),
        ("/unexpected", "additionalProperties"),
        ("/id", "type"),
        ("/id", "format"),
        ("/due", "format"),
        ("/lines", "minItems"),
        ("/lines", "maxItems"),
        ("/state", "enum"),
        ("/note", "minLength"),
        ("/note", "maxLength"),
        ("/tags", "uniqueItems"),
        ("/tags/0", "pattern"),
        ("/customer/name", "required"),
        ("/customer/name", "minLength"),
        ("/customer/email", "format"),
        ("/lines/0/quantity", "minimum"),
        ("/lines/0/quantity", "maximum"),
        ("/lines/0/quantity", "type"),
        ("/lines/0/price", "exclusiveMinimum"),
        ("/lines/0/price", "multipleOf"),
        ("/lines/0/sku", "pattern"),
        ("/lines/0/sku", "required"),
        ("/payment/card", "required"),
    ] {
        assert!(
            has(pointer, keyword),
            "{pointer} {keyword} is not among {:?}",
            cases.iter().map(Case::sentence).collect::<Vec<_>>()
        );
    }
    // Null is allowed for the note, so that it is no deviation there.
    assert!(!cases.iter().any(|case| case.pointer == "/note" && case.value["note"].is_null()));
    let depths: Vec<usize> = cases.iter().map(|case| case.pointer.matches('/').count()).collect();
    assert!(depths.is_sorted(), "outer places first");
}

#[test]
fn a_seed_gives_the_same_cases_and_another_gives_others() {
    let schema = order();
    let cases = |seed| values(&generator(&schema).valid(&mut Chance::new(seed), 100, 20));
    assert_eq!(cases(1), cases(1));
    assert_ne!(cases(1), cases(2));
    // The numbers are the published ones of SplitMix64 for the seed 1234567.
    let mut chance = Chance::new(1_234_567);
    assert_eq!([chance.next(), chance.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
}

#[test]
fn recursion_and_size_are_bounded() {
    let tree = json!({
        "$ref": "#/$defs/node",
        "$defs": { "node": { "type": "object", "required": ["name"], "properties": {
            "name": { "type": "string" },
            "parent": { "$ref": "#/$defs/node" },
            "children": { "type": "array", "items": { "$ref": "#/$defs/node" } }
        } } }
    });
    let cases = valid(&tree);
    assert!(cases.len() > 5);
    assert!(cases.iter().all(|case| case.value.to_string().len() < 64 * 1024));
    assert!(generator(&tree).negative(50).len() > 5);

    // Nothing finite fits, and that is no reason to go on for ever.
    let endless = json!({ "$ref": "#/$defs/a", "$defs": { "a": { "type": "object", "required": ["a"], "properties": { "a": { "$ref": "#/$defs/a" } } } } });
    assert_eq!(generator(&endless).ordinary(), None);
    assert!(valid(&endless).is_empty());
    let itself = json!({ "$ref": "#/$defs/a", "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/a" }, { "type": "string" }] } } });
    assert!(!valid(&itself).is_empty());

    let wide = json!({ "type": "object", "properties": (0..2000).map(|number| (format!("p{number}"), json!({ "type": "string" }))).collect::<serde_json::Map<_, _>>() });
    assert!(generator(&wide).valid(&mut Chance::new(1), 50, 5).len() <= 50);
    let huge = json!({ "type": "string", "minLength": 100_000_000 });
    let huge = generator(&huge);
    assert_eq!(huge.ordinary(), None);
    assert!(huge.notes()[0].contains("100000000"), "{:?}", huge.notes());
    let around = generator(&json!({ "type": "string", "pattern": "^(?=.*x)[a-z]+$" }));
    assert!(
        around.valid(&mut Chance::new(1), 10, 0).iter().all(|case| case.value.as_str().is_some_and(|text| text.contains('x')))
    );
    assert!(around.ordinary().is_some());
    let back = generator(&json!({ "type": "string", "pattern": "^(a|b)\\1$" }));
    assert_eq!(back.ordinary(), None);
    assert!(back.notes()[0].contains("pattern"), "{:?}", back.notes());
}

#[tokio::test]
async fn shrinking_reaches_the_smallest_that_fails() {
    let whole = json!({ "id": "a-long-text", "lines": [{ "quantity": 517, "note": "x" }, { "quantity": 3 }, { "quantity": 8 }], "more": { "deep": [1, 2, 3] } });
    let over = |value: &Value| {
        value["lines"]
            .as_array()
            .is_some_and(|lines| lines.iter().any(|line| line["quantity"].as_i64().is_some_and(|quantity| quantity > 100)))
    };
    let tries = Cell::new(0);
    let smallest = shrink(whole.clone(), 500, |value| {
        tries.set(tries.get() + 1);
        let fails = over(&value);
        async move { fails }
    })
    .await;
    assert_eq!(smallest, json!({ "lines": [{ "quantity": 101 }] }));
    assert!(tries.get() < 500);
    let bounded = shrink(whole.clone(), 3, |value| {
        let fails = over(&value);
        async move { fails }
    })
    .await;
    assert!(over(&bounded));
    assert_eq!(shrink(whole.clone(), 100, |_| async { false }).await, whole);
    assert_eq!(candidates(&json!("ab"))[0], json!(""));
}

#[test]
fn parameters_are_written_in_each_style() {
    let (scalar, list, object) = (json!("a b/ü"), json!(["a", "b,c"]), json!({ "r": 100, "g": 2 }));
    use Style::{DeepObject, Form, Label, Matrix, PipeDelimited, Simple, SpaceDelimited, TabDelimited};
    for (style, explode, value, wanted) in [
        (Simple, false, &scalar, "a%20b%2F%C3%BC"),
        (Simple, false, &list, "a,b%2Cc"),
        (Simple, false, &object, "r,100,g,2"),
        (Simple, true, &object, "r=100,g=2"),
        (Label, false, &scalar, ".a%20b%2F%C3%BC"),
        (Label, false, &list, ".a,b%2Cc"),
        (Label, true, &list, ".a.b%2Cc"),
        (Label, true, &object, ".r=100.g=2"),
        (Matrix, false, &scalar, ";p=a%20b%2F%C3%BC"),
        (Matrix, false, &list, ";p=a,b%2Cc"),
        (Matrix, true, &list, ";p=a;p=b%2Cc"),
        (Matrix, false, &object, ";p=r,100,g,2"),
        (Matrix, true, &object, ";r=100;g=2"),
    ] {
        assert_eq!(path_text("p", value, style, explode), wanted, "{style:?} {explode} {value}");
    }
    assert_eq!(path_text("p", &json!(".."), Simple, false), "%2E%2E");
    for (style, explode, value, wanted) in [
        (Form, true, &scalar, "p=a%20b%2F%C3%BC"),
        (Form, true, &list, "p=a&p=b%2Cc"),
        (Form, false, &list, "p=a,b%2Cc"),
        (Form, true, &object, "r=100&g=2"),
        (Form, false, &object, "p=r,100,g,2"),
        (SpaceDelimited, false, &list, "p=a%20b%2Cc"),
        (PipeDelimited, false, &list, "p=a|b%2Cc"),
        (TabDelimited, false, &list, "p=a%09b%2Cc"),
        (DeepObject, true, &object, "p%5Br%5D=100&p%5Bg%5D=2"),
    ] {
        assert_eq!(query_pairs("p", value, style, explode, false).as_deref(), Some(wanted), "{style:?} {explode} {value}");
    }
    assert_eq!(query_pairs("p", &json!([]), Form, true, false), None);
    assert_eq!(query_pairs("p", &json!("a/b"), Form, true, true).as_deref(), Some("p=a/b"));
    assert_eq!(header_text(&object, true), "r=100,g=2");
    assert_eq!(header_text(&list, false), "a,b,c");
    assert_eq!(form(&json!({ "a": "x y", "b": [1, 2], "c": { "d": true } })), "a=x+y&b=1&b=2&c=%7B%22d%22%3Atrue%7D");
    let parts = multipart(&json!({ "name": "x", "data": "bytes" }), &["data".to_owned()], "edge");
    assert_eq!(
        parts,
        "--edge\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nx\r\n--edge\r\nContent-Disposition: form-data; \
         name=\"data\"; filename=\"file.bin\"\r\nContent-Type: application/octet-stream\r\n\r\nbytes\r\n--edge--\r\n"
    );
}
