//! The short form of schemas, examples made from schemas, and the requests that endpoints describe.

use patchbay_contracts::{Code, integration::BodySchema};
use patchbay_engine::{
    contract::{
        Schemas,
        schema::{example, expand},
    },
    definition,
    http::request_for,
};
use serde_json::{Value, json};

#[test]
fn the_short_form_stands_for_a_json_schema() {
    let object =
        |properties: Value, required: &[&str]| json!({ "type": "object", "properties": properties, "required": required });
    for (short, expected) in [
        (json!("string"), json!({ "type": "string" })),
        (json!("any"), json!({})),
        (json!("list"), json!({ "type": "array" })),
        (json!("[integer]"), json!({ "type": "array", "items": { "type": "integer" } })),
        (json!(["date-time"]), json!({ "type": "array", "items": { "type": "string", "format": "date-time" } })),
        (json!([]), json!({ "type": "array" })),
        (json!("string | null"), json!({ "type": ["string", "null"] })),
        (json!("uuid|integer"), json!({ "anyOf": [{ "type": "string", "format": "uuid" }, { "type": "integer" }] })),
        (
            json!({ "a": "number", "b?": "boolean", "c": "email?" }),
            object(
                json!({ "a": { "type": "number" }, "b": { "type": "boolean" }, "c": { "type": "string", "format": "email" } }),
                &["a"],
            ),
        ),
        (
            json!({ "a": { "b": ["string"] } }),
            object(json!({ "a": object(json!({ "b": { "type": "array", "items": { "type": "string" } } }), &["b"]) }), &["a"]),
        ),
        (
            json!([{ "id": "uri" }]),
            json!({ "type": "array", "items": object(json!({ "id": { "type": "string", "format": "uri" } }), &["id"]) }),
        ),
        // Fields may be called as keywords are.
        (
            json!({ "type": "string", "title": "string" }),
            object(json!({ "type": { "type": "string" }, "title": { "type": "string" } }), &["type", "title"]),
        ),
        (
            json!({ "id": "string", "type": "string" }),
            object(json!({ "id": { "type": "string" }, "type": { "type": "string" } }), &["id", "type"]),
        ),
        (
            json!({ "items": ["string"], "required": "boolean" }),
            object(
                json!({ "items": { "type": "array", "items": { "type": "string" } }, "required": { "type": "boolean" } }),
                &["items", "required"],
            ),
        ),
        (
            json!({ "minimum": "number", "maximum": "number" }),
            object(json!({ "minimum": { "type": "number" }, "maximum": { "type": "number" } }), &["minimum", "maximum"]),
        ),
        // A field can be held to more than its type.
        (
            json!({ "n": { "type": "integer", "minimum": 1 } }),
            object(json!({ "n": { "type": "integer", "minimum": 1 } }), &["n"]),
        ),
        // Full schemas stay as they are.
        (json!({ "type": "object", "required": ["id"] }), json!({ "type": "object", "required": ["id"] })),
        (json!({ "type": "string", "format": "email" }), json!({ "type": "string", "format": "email" })),
        (json!({ "$ref": "a.json" }), json!({ "$ref": "a.json" })),
        (json!({ "enum": ["a", 1] }), json!({ "enum": ["a", 1] })),
        (json!({ "properties": { "a": { "type": "string" } } }), json!({ "properties": { "a": { "type": "string" } } })),
        (json!({ "anyOf": [{ "type": "string" }] }), json!({ "anyOf": [{ "type": "string" }] })),
        (
            json!({ "type": ["string", "null"], "description": "a text" }),
            json!({ "type": ["string", "null"], "description": "a text" }),
        ),
    ] {
        let schema = BodySchema(short.clone());
        assert_eq!(expand(&schema).unwrap_or_else(|problem| panic!("{short}: {problem}")), expected, "{short}");
        if !short.to_string().contains("$ref") {
            Schemas::closed().check(&schema).unwrap_or_else(|problem| panic!("{short}: {problem}"));
        }
    }
    for (short, told) in [
        (json!({ "a": "strng" }), "Did you mean `string`?"),
        (json!({ "a": "int" }), "Did you mean `integer`?"),
        (json!({ "a": "DateTime" }), "Did you mean `date-time`?"),
        (json!({ "a": { "b": "bool" } }), "at /a/b"),
        (json!({ "a": 5 }), "`5` is a value"),
        (json!(["string", "number"]), "has one element"),
        (json!({ "a": "string | nul" }), "Did you mean `null`?"),
        (json!({ "a": "banana" }), "Write one of string"),
    ] {
        let problem = expand(&BodySchema(short.clone())).err().unwrap_or_else(|| panic!("{short} was taken"));
        assert_eq!(problem.code, Code::InvalidDefinition);
        assert!(problem.to_string().contains(told), "{short}: {problem}");
    }
}

#[test]
fn examples_are_what_their_schema_asks_for() {
    for schema in [
        json!({ "id": "uuid", "mail": "email", "when": "date-time", "day": "date", "at": "time", "for": "duration", "page": "uri", "host": "hostname", "four": "ipv4", "six": "ipv6" }),
        json!({ "a": "integer", "b?": "string", "c": ["number"], "d": "any", "e": "null", "f": "object", "g": "array", "h": "boolean" }),
        json!({ "type": "object", "required": ["n", "s", "l"], "properties": {
            "n": { "type": "number", "exclusiveMinimum": 10, "maximum": 10.5 },
            "s": { "type": "string", "minLength": 30, "maxLength": 40 },
            "l": { "type": "array", "items": { "type": "integer", "multipleOf": 5, "minimum": 12 }, "minItems": 3, "uniqueItems": true } } }),
        json!({ "type": "integer", "maximum": -3 }),
        json!({ "type": "integer", "exclusiveMaximum": 0, "multipleOf": 4 }),
        json!({ "allOf": [{ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] }, { "properties": { "b": { "const": 1 } }, "required": ["b"] }] }),
        json!({ "oneOf": [{ "type": "string", "enum": ["x"] }, { "type": "integer" }] }),
        json!({ "$defs": { "node": { "type": "object", "properties": { "next": { "$ref": "#/$defs/node" } } } }, "$ref": "#/$defs/node" }),
        json!({ "type": ["null", "string"], "default": "d" }),
        json!({ "type": "array", "prefixItems": [{ "type": "string" }, { "type": "boolean" }] }),
        json!({ "minLength": 3 }),
    ] {
        let expanded = expand(&BodySchema(schema.clone())).unwrap_or_else(|problem| panic!("{schema}: {problem}"));
        let made = example(&expanded);
        assert_eq!(made, example(&expanded), "the same schema gives the same example");
        let validator = jsonschema::options().should_validate_formats(true).build(&expanded).expect("it is a schema");
        let recursive = schema.to_string().contains("node");
        let errors: Vec<String> = validator.iter_errors(&made).map(|error| error.to_string()).collect();
        assert!(errors.is_empty() || recursive, "{schema} gave {made}: {errors:?}");
    }
}

#[test]
fn a_request_is_what_its_endpoint_describes() {
    let parse = |text: &str| {
        let parsed = definition::parse("o.yaml", text.as_bytes());
        parsed.definition.unwrap_or_else(|| panic!("{:?}", parsed.problems))
    };
    let integration = parse(
        r#"integration:
  name: my orders
  base_url: "http://x.example/base/"
  auth: bearer
  headers: { Accept: text/plain, X-Both: a }
  endpoints:
    - path: /a/{id}/{v}
      params: { id: "a/b c", v: "${env:v}-1" }
      query: { q: x y, n: 5, ok: true }
      headers: { x-both: b }
    - { path: "/b?c=d", auth: none }
    - { path: "https://other.example/c" }
    - { method: POST, path: "/d", auth: basic, request: { body: "text" } }
    - { method: PUT, path: "/", auth: { type: api_key, value: "${secret:k}" }, request: { body: [1], content_type: application/x-custom } }
  error_handling: { timeout: 3s }
"#,
    );
    let requests: Vec<_> =
        integration.endpoints.iter().map(|endpoint| request_for(&integration, endpoint).expect("it is sound")).collect();
    let urls: Vec<&str> = requests.iter().map(|request| request.url.as_str()).collect();
    assert_eq!(
        urls,
        [
            "http://x.example/base/a/a%2Fb%20c/${env:v}-1",
            "http://x.example/base/b?c=d",
            "https://other.example/c",
            "http://x.example/base/d",
            "http://x.example/base/",
        ]
    );
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(requests[0].query, [pair("q", "x y"), pair("n", "5"), pair("ok", "true")]);
    assert_eq!(requests[0].headers, [pair("Accept", "text/plain"), pair("x-both", "b")]);
    let auth: Vec<Value> = requests.iter().map(|request| serde_json::to_value(&request.auth).expect("it is JSON")).collect();
    assert_eq!(
        auth,
        [
            json!({ "type": "bearer", "token": "${secret:my-orders-token}" }),
            json!({ "type": "none" }),
            json!({ "type": "bearer", "token": "${secret:my-orders-token}" }),
            json!({ "type": "basic", "username": "${env:username}", "password": "${secret:my-orders-password}" }),
            json!({ "type": "api_key", "name": "X-API-Key", "value": "${secret:k}", "in": "header" }),
        ]
    );
    assert_eq!(requests[3].body.as_deref(), Some("text"));
    assert_eq!(requests[4].headers.last(), Some(&pair("Content-Type", "application/x-custom")));
    assert_eq!((requests[4].body.as_deref(), requests[4].timeout.map(|span| span.to_string())), (Some("[1]"), Some("3s".into())));
    let mut endpoint = integration.endpoints[0].clone();
    endpoint.path = "/a/{idd}".into();
    let problem = request_for(&integration, &endpoint).expect_err("it has no value");
    assert!(problem.to_string().contains("Did you mean {id}?"), "{problem}");
    let without = parse("integration: { name: o, endpoints: [{ path: /a }] }");
    assert_eq!(request_for(&without, &without.endpoints[0]).expect("it is sound").url, "${env:base_url}/a");
}
