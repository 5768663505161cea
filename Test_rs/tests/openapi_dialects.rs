//! What the schemas of OpenAPI 3.0, OpenAPI 3.1 and Swagger 2.0 mean: which values fit them, in which direction.

use patchbay_engine::contract::{
    document::Document,
    openapi::{
        Api, Dialect,
        Direction::{self, Request, Response},
    },
};
use patchbay_tests::http::context;
use serde_json::{Value, json};

async fn api(value: Value) -> Api {
    let document = Document::read("api.json", value.to_string().as_bytes()).unwrap_or_else(|problem| panic!("{problem}"));
    Api::read(&context(), &document).await.unwrap_or_else(|problem| panic!("{problem}"))
}

/// A document of a dialect with one schema, `S`, and others.
fn with_schemas(dialect: Dialect, schemas: &Value) -> (Value, &'static str) {
    let info = json!({ "title": "t", "version": "1" });
    match dialect {
        Dialect::Swagger2 => (json!({ "swagger": "2.0", "info": info, "paths": {}, "definitions": schemas }), "/definitions/S"),
        Dialect::OpenApi30 => (
            json!({ "openapi": "3.0.3", "info": info, "paths": {}, "components": { "schemas": schemas } }),
            "/components/schemas/S",
        ),
        Dialect::OpenApi31 => (
            json!({ "openapi": "3.1.0", "info": info, "paths": {}, "components": { "schemas": schemas } }),
            "/components/schemas/S",
        ),
    }
}

async fn judge(dialect: Dialect, schemas: &Value, value: &Value, direction: Direction) -> bool {
    let (document, pointer) = with_schemas(dialect, schemas);
    let api = api(document).await;
    assert_eq!(api.dialect, dialect);
    let schema = api.schema(pointer);
    let validator =
        schema.validator(direction).unwrap_or_else(|problem| panic!("{schemas}: {problem}\n{:#}", schema.json_schema(direction)));
    validator.is_valid(value)
}

/// Each row: a schema, values that fit it, values that don't.
async fn table(dialect: Dialect, direction: Direction, rows: &[(Value, &[Value], &[Value])]) {
    for (schema, fitting, others) in rows {
        let schemas = if schema.get("S").is_some() { schema.clone() } else { json!({ "S": schema }) };
        for (values, expected) in [(fitting, true), (others, false)] {
            for value in *values {
                assert_eq!(
                    judge(dialect, &schemas, value, direction).await,
                    expected,
                    "{dialect:?} {direction:?} {schemas}: {value}"
                );
            }
        }
    }
}

#[tokio::test]
async fn schemas_of_3_0_mean_what_3_0_says() {
    table(
        Dialect::OpenApi30,
        Response,
        &[
            (json!({"type": "string", "nullable": true}), &[json!("a"), json!(null)], &[json!(1)]),
            (json!({"type": "string"}), &[json!("a")], &[json!(null)]),
            // Without a type beside it, it adds nothing; null must be in the enum as well.
            (json!({"type": "string", "nullable": true, "enum": ["a"]}), &[json!("a")], &[json!(null), json!("b")]),
            (json!({"type": "string", "nullable": true, "enum": ["a", null]}), &[json!("a"), json!(null)], &[json!("b")]),
            (
                json!({"S": {"nullable": true, "allOf": [{"$ref": "#/components/schemas/T"}]}, "T": {"type": "object"}}),
                &[json!({})],
                &[json!(null)],
            ),
            (
                json!({"S": {"$ref": "#/components/schemas/T", "nullable": true, "minProperties": 5}, "T": {"type": "object"}}),
                &[json!({})],
                &[json!(null)],
            ),
            (json!({"type": "number", "minimum": 1, "exclusiveMinimum": true}), &[json!(1.1)], &[json!(1), json!(0)]),
            (json!({"type": "number", "maximum": 1, "exclusiveMaximum": true}), &[json!(0.9)], &[json!(1)]),
            (json!({"type": "number", "maximum": 1, "exclusiveMaximum": false}), &[json!(1)], &[json!(1.1)]),
            (json!({"type": "integer", "format": "int32"}), &[json!(2147483647), json!(-2147483648)], &[json!(2147483648_i64), json!(1.5)]),
            (json!({"type": "integer", "format": "int32", "minimum": 5}), &[json!(5)], &[json!(4), json!(2147483648_i64)]),
            (json!({"type": "integer", "format": "int64"}), &[json!(i64::MAX), json!(1.0)], &[json!(u64::MAX)]),
            (json!({"type": "string", "format": "byte"}), &[json!("YWI="), json!("")], &[json!("YW"), json!("*")]),
            (json!({"type": "string", "format": "date"}), &[json!("2026-01-31")], &[json!("2026-02-31"), json!("31.1.2026")]),
            (json!({"type": "string", "format": "date-time"}), &[json!("2026-01-31T12:00:00Z")], &[json!("2026-01-31")]),
            (json!({"type": "string", "format": "uuid"}), &[json!("123e4567-e89b-12d3-a456-426614174000")], &[json!("123")]),
            (json!({"type": "string", "format": "email"}), &[json!("a@b.example")], &[json!("a")]),
            (json!({"type": "string", "format": "uri"}), &[json!("https://a.example/")], &[json!("not an address")]),
            (json!({"type": "string", "format": "ipv4"}), &[json!("127.0.0.1")], &[json!("127.0.0.256")]),
            (json!({"type": "string", "format": "ipv6"}), &[json!("::1")], &[json!("1")]),
            (json!({"type": "string", "format": "hostname"}), &[json!("a.example")], &[json!("-a-")]),
            (json!({"type": "string", "format": "password"}), &[json!("x")], &[json!(1)]),
            (json!({"type": "string", "format": "of-our-own"}), &[json!("x")], &[json!(1)]),
            (json!({"type": "number", "format": "float"}), &[json!(1.5), json!(1)], &[json!("1")]),
            // Keywords that 3.0 doesn't have say nothing, and neither do examples.
            (json!({"type": "string", "const": "a", "example": 1, "xml": {"name": 5}}), &[json!("b")], &[]),
            (
                json!({"type": "object", "additionalProperties": false, "properties": {"a": {}}, "allOf": [{"properties": {"b": {}}}]}),
                &[json!({"a": 1})],
                &[json!({"b": 1})],
            ),
            (json!({"type": "object", "additionalProperties": {"type": "integer"}}), &[json!({"a": 1})], &[json!({"a": "1"})]),
            (
                json!({"S": {"type": "object", "required": ["v"], "properties": {"v": {"type": "integer"}, "next": {"$ref": "#/components/schemas/S"}}}}),
                &[json!({"v": 1, "next": {"v": 2, "next": {"v": 3}}})],
                &[json!({"v": 1, "next": {"v": 2, "next": {}}})],
            ),
            (json!({"oneOf": [{"type": "integer"}, {"type": "number"}]}), &[json!(1.5)], &[json!(1)]),
            (json!({"not": {"type": "string"}}), &[json!(1)], &[json!("a")]),
        ],
    )
    .await;
}

#[tokio::test]
async fn schemas_of_3_1_are_json_schema() {
    table(
        Dialect::OpenApi31,
        Response,
        &[
            (json!({"type": ["string", "null"]}), &[json!("a"), json!(null)], &[json!(1)]),
            (json!({"type": "string", "nullable": true}), &[json!("a")], &[json!(null)]),
            (json!({"exclusiveMinimum": 1}), &[json!(1.1)], &[json!(1)]),
            (json!({"const": "a"}), &[json!("a")], &[json!("b")]),
            (json!({"prefixItems": [{"type": "integer"}], "items": false}), &[json!([1])], &[json!(["a"]), json!([1, 2])]),
            (
                json!({"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": false}),
                &[json!({"a": 1})],
                &[json!({"b": 1})],
            ),
            (
                json!({"S": {"$ref": "#/components/schemas/T", "minProperties": 1}, "T": {"type": "object"}}),
                &[json!({"a": 1})],
                &[json!({}), json!("a")],
            ),
            (
                json!({"$defs": {"a": {"type": "integer"}}, "properties": {"x": {"$ref": "#/components/schemas/S/$defs/a"}}, "type": "object"}),
                &[json!({"x": 1})],
                &[json!({"x": "1"})],
            ),
            (json!({"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}}), &[json!("ab"), json!(2)], &[json!("a"), json!(1)]),
            (json!({"patternProperties": {"^a": {"type": "integer"}}}), &[json!({"ab": 1})], &[json!({"ab": "1"})]),
            (json!({"dependentRequired": {"a": ["b"]}}), &[json!({"b": 1})], &[json!({"a": 1})]),
            (json!({"type": "integer", "format": "int32"}), &[json!(1)], &[json!(2147483648_i64)]),
            (json!(false), &[], &[json!(1)]),
            (json!(true), &[json!(1)], &[]),
        ],
    )
    .await;
}

#[tokio::test]
async fn schemas_of_swagger_mean_what_swagger_says() {
    table(
        Dialect::Swagger2,
        Response,
        &[
            (json!({"type": "string", "x-nullable": true}), &[json!("a"), json!(null)], &[json!(1)]),
            (json!({"type": "string", "nullable": true}), &[json!("a")], &[json!(null)]),
            (json!({"type": "string", "x-nullable": true, "enum": ["a"]}), &[json!("a"), json!(null)], &[json!("b")]),
            (
                json!({"S": {"x-nullable": true, "allOf": [{"$ref": "#/definitions/T"}]}, "T": {"type": "object"}}),
                &[json!({}), json!(null)],
                &[json!(1)],
            ),
            (json!({"type": "file"}), &[json!("anything")], &[]),
            (json!({"oneOf": [{"type": "string"}]}), &[json!(1)], &[]),
            (json!({"type": "number", "minimum": 1, "exclusiveMinimum": true}), &[json!(2)], &[json!(1)]),
            (
                json!({
                    "S": {"type": "object", "discriminator": "kind", "required": ["kind"], "properties": {"kind": {"type": "string"}}},
                    "Cat": {"allOf": [{"$ref": "#/definitions/S"}, {"required": ["lives"], "properties": {"lives": {"type": "integer"}}}]},
                }),
                &[json!({"kind": "Cat", "lives": 9}), json!({"kind": "S"})],
                &[json!({"kind": "Cat"}), json!({"kind": "Dog"}), json!({})],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_only_one_direction_has_is_asked_for_by_none_and_forbidden_in_the_other() {
    let schema = json!({
        "S": {
            "type": "object",
            "required": ["id", "name", "password"],
            "properties": {
                "id": {"type": "integer", "readOnly": true},
                "name": {"type": "string"},
                "password": {"$ref": "#/components/schemas/Password"},
            },
        },
        "Password": {"type": "string", "writeOnly": true},
    });
    let (full, sent, answered) =
        (json!({"id": 1, "name": "a", "password": "p"}), json!({"name": "a", "password": "p"}), json!({"id": 1, "name": "a"}));
    for (value, request, response) in [
        (&full, false, false),
        (&sent, true, false),
        (&answered, false, true),
        (&json!({"id": "1", "name": "a"}), false, false),
        (&json!({"password": "p"}), false, false),
    ] {
        assert_eq!(judge(Dialect::OpenApi30, &schema, value, Request).await, request, "request {value}");
        assert_eq!(judge(Dialect::OpenApi30, &schema, value, Response).await, response, "response {value}");
    }
    // The violation can be told from others.
    let (document, pointer) = with_schemas(Dialect::OpenApi30, &schema);
    let api = api(document).await;
    let schema = api.schema(pointer);
    let validator = schema.validator(Response).expect("it is valid");
    let error = validator.iter_errors(&full).next().expect("the password must not be there");
    let at = error.schema_path().as_str().to_owned();
    let parent = at.strip_suffix("/not").expect("it is forbidden");
    assert_eq!(schema.json_schema(Response).pointer(parent).and_then(|part| part.get("writeOnly")), Some(&json!(true)));
    assert_eq!(schema.source(&at), "/components/schemas/S/properties/password");
    // By parts of a schema as well.
    table(
        Dialect::OpenApi30,
        Request,
        &[(
            json!({"S": {"allOf": [{"$ref": "#/components/schemas/New"}, {"required": ["id"], "properties": {"id": {"readOnly": true}}}], "required": ["id", "name"]}, "New": {"required": ["name"]}}),
            &[json!({"name": "a"})],
            &[json!({}), json!({"id": 1, "name": "a"})],
        )],
    )
    .await;
}

#[tokio::test]
async fn the_discriminator_names_the_schema_to_judge_by() {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let cat = json!({"type": "object", "required": ["kind", "lives"], "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}});
    let dog = json!({"type": "object", "required": ["kind", "bark"], "properties": {"kind": {"type": "string"}, "bark": {"type": "boolean"}}});
    let listed = json!({"S": {"oneOf": [reference("Cat"), reference("Dog")], "discriminator": {"propertyName": "kind"}}, "Cat": cat, "Dog": dog});
    let mapped = json!({
        "S": {
            "anyOf": [reference("Cat"), reference("Dog")],
            "discriminator": {"propertyName": "kind", "mapping": {"c": "#/components/schemas/Cat", "d": "Dog"}},
        },
        "Cat": cat, "Dog": dog,
    });
    // Cats and dogs are built on what chooses between them.
    let inherited = json!({
        "S": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}, "discriminator": {"propertyName": "kind", "mapping": {"c": "#/components/schemas/Cat"}}},
        "Cat": {"allOf": [reference("S"), {"required": ["lives"], "properties": {"lives": {"type": "integer"}}}]},
        "Dog": {"allOf": [reference("S"), {"required": ["bark"]}]},
        "Puppy": {"allOf": [reference("Dog"), {"required": ["age"]}]},
    });
    let circular = json!({
        "S": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}, "oneOf": [reference("Cat"), reference("Dog")], "discriminator": {"propertyName": "kind"}},
        "Cat": {"allOf": [reference("S"), {"required": ["lives"]}]},
        "Dog": {"allOf": [reference("S"), {"required": ["bark"]}]},
    });
    for dialect in [Dialect::OpenApi30, Dialect::OpenApi31] {
        table(
            dialect,
            Response,
            &[
                (
                    listed.clone(),
                    &[json!({"kind": "Cat", "lives": 9}), json!({"kind": "Dog", "bark": true, "lives": "many"})],
                    &[
                        json!({"kind": "Cat", "bark": true}),
                        json!({"kind": "Cow", "lives": 9}),
                        json!({"lives": 9}),
                        json!("Cat"),
                        json!(null),
                    ],
                ),
                (
                    mapped.clone(),
                    &[json!({"kind": "c", "lives": 9}), json!({"kind": "d", "bark": true}), json!({"kind": "Cat", "lives": 9})],
                    &[json!({"kind": "c", "bark": true}), json!({"kind": "x", "lives": 9, "bark": true})],
                ),
                (
                    inherited.clone(),
                    &[
                        json!({"kind": "c", "lives": 9}),
                        json!({"kind": "Dog", "bark": 1}),
                        json!({"kind": "Puppy", "bark": 1, "age": 1}),
                        json!({"kind": "S"}),
                    ],
                    &[
                        json!({"kind": "c"}),
                        json!({"kind": "Dog"}),
                        json!({"kind": "Puppy", "bark": 1}),
                        json!({"kind": "Cow"}),
                        json!({}),
                    ],
                ),
                (
                    circular.clone(),
                    &[json!({"kind": "Cat", "lives": 9})],
                    &[json!({"kind": "Cat", "bark": 9}), json!({"kind": "Cow", "bark": 1}), json!({"lives": 9, "bark": 1})],
                ),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn a_schema_that_consists_of_itself_ends() {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    for schemas in [
        json!({"S": {"allOf": [reference("S"), {"type": "object"}]}}),
        json!({"S": {"type": "object", "anyOf": [reference("T")]}, "T": {"oneOf": [reference("S")]}}),
        json!({"S": {"type": "object", "allOf": [reference("S"), reference("S"), reference("T"), reference("T")]}, "T": {"allOf": [reference("S"), reference("S"), reference("T")]}}),
        json!({"S": {"type": "object", "not": {"not": reference("S")}}}),
    ] {
        assert!(judge(Dialect::OpenApi31, &schemas, &json!({}), Response).await, "{schemas}");
        assert!(!judge(Dialect::OpenApi31, &schemas, &json!(1), Response).await, "{schemas}");
    }
}
