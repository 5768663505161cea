//! OpenAPI and Swagger documents as a model, and what their schemas mean.

use std::{collections::BTreeMap, path::Path};

use patchbay_engine::contract::{
    document::{self, Document},
    openapi::{
        Api,
        Direction::{Request, Response},
        Media, Operation, ParameterPlace, SchemeKind, StatusKey, media_for,
    },
};
use patchbay_tests::{http::context, metrics::samples};
use serde_json::json;

async fn read(text: &str) -> Api {
    let document = Document::read("api.yaml", text.as_bytes()).unwrap_or_else(|problem| panic!("{problem}"));
    Api::read(&context(), &document).await.unwrap_or_else(|problem| panic!("{problem}"))
}

fn operation<'a>(api: &'a Api, label: &str) -> &'a Operation {
    api.operations
        .iter()
        .find(|operation| operation.label() == label)
        .unwrap_or_else(|| panic!("{label} is not among the operations: {:?}", api.problems))
}

const ORDERS: &str = r"openapi: 3.0.3
info: {title: Orders, version: 1.2.0}
servers:
  - url: https://{env}.example.com:{port}/v1/
    variables: {env: {default: api}, port: {default: 8443}}
security: [{key: []}, {}]
paths:
  /orders/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer}}
      - {name: verbose, in: query, schema: {type: boolean}}
      - $ref: '#/components/parameters/Trace'
    get:
      operationId: readOrder
      tags: [orders]
      deprecated: true
      parameters:
        - {name: verbose, in: query, required: true, explode: false, schema: {type: array, items: {type: string}}, examples: {a: {value: [x]}, b: {$ref: '#/components/examples/B'}}}
        - {name: filter, in: query, content: {application/json: {schema: {type: object}, example: {a: 1}}}}
        - {name: Authorization, in: header, schema: {type: string}}
      responses:
        200:
          description: ok
          headers: {X-Version: {required: true, schema: {type: string}}, Content-Type: {schema: {type: string}}}
          content:
            application/json: {schema: {$ref: '#/components/schemas/Order'}, examples: {one: {value: {id: 1}}}}
            application/*+json: {schema: {type: object}}
          links: {self: {operationId: readOrder, parameters: {id: $response.body#/id}}}
        4XX: {$ref: '#/components/responses/Error'}
        default: {description: other}
    head: {responses: {'200': {description: ok}}}
    trace: {responses: {}}
    put:
      security: [{token: [write]}]
      servers: [{url: /other}]
      requestBody: {$ref: '#/components/requestBodies/Order'}
      responses: {'204': {description: done}}
components:
  parameters: {Trace: {name: X-Trace, in: header, schema: {type: string}}}
  examples: {B: {value: [y, z]}}
  schemas: {Order: {type: object, required: [id], properties: {id: {type: integer}}}}
  responses: {Error: {description: e, content: {application/problem+json: {schema: {type: object}}}}}
  requestBodies: {Order: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}}
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    token: {type: http, scheme: Bearer}
";

#[tokio::test]
async fn a_document_becomes_its_operations() {
    let api = read(ORDERS).await;
    assert_eq!(api.problems, Vec::new());
    assert_eq!((api.title.as_str(), api.version.as_str()), ("Orders", "1.2.0"));
    assert_eq!(api.servers, ["https://api.example.com:8443/v1"]);
    let labels: Vec<String> = api.operations.iter().map(Operation::label).collect();
    assert_eq!(labels, ["GET", "HEAD", "TRACE", "PUT"].map(|method| format!("{method} /orders/{{id}}")));
    let get = operation(&api, "GET /orders/{id}");
    assert_eq!(
        (get.id.as_deref(), get.deprecated, get.tags.as_slice()),
        (Some("readOrder"), true, ["orders".to_owned()].as_slice())
    );
    let parameters: BTreeMap<&str, _> = get.parameters.iter().map(|parameter| (parameter.name.as_str(), parameter)).collect();
    assert_eq!(parameters.keys().copied().collect::<Vec<_>>(), ["X-Trace", "filter", "id", "verbose"]);
    let verbose = parameters["verbose"];
    assert_eq!((verbose.required, verbose.explode, verbose.style.as_str()), (true, false, "form"));
    assert_eq!(verbose.examples, [json!(["x"]), json!(["y", "z"])]);
    assert_eq!(parameters["X-Trace"].place, ParameterPlace::Header);
    assert_eq!(
        (parameters["filter"].media_type.as_deref(), &parameters["filter"].examples),
        (Some("application/json"), &vec![json!({"a": 1})])
    );
    assert_eq!((parameters["id"].style.as_str(), parameters["id"].required), ("simple", true));
    // Own ones replace those of the path where they stand, and places are known.
    assert_eq!(api.place(&verbose.pointer).map(|place| place.line), Some(18));
    let ok = get.response_for(200).expect("it is documented");
    assert_eq!(
        ok.headers.iter().map(|header| (header.name.as_str(), header.required)).collect::<Vec<_>>(),
        [("X-Version", true)]
    );
    assert_eq!(ok.links[0].operation_id.as_deref(), Some("readOrder"));
    assert_eq!(ok.media_for("application/json; charset=utf-8").map(|media| media.media_type.as_str()), Some("application/json"));
    assert_eq!(ok.media_for("application/hal+json").map(|media| media.media_type.as_str()), Some("application/*+json"));
    assert!(ok.media_for("text/html").is_none());
    assert_eq!(
        ok.media_for("application/json").map(|media| media.examples.clone()),
        Some(vec![("one".to_owned(), json!({"id": 1}))])
    );
    assert_eq!(get.response_for(404).map(|response| response.status), Some(StatusKey::Range(4)));
    assert_eq!(get.response_for(500).map(|response| response.status), Some(StatusKey::Default));
    assert!(operation(&api, "PUT /orders/{id}").response_for(200).is_none());
    assert_eq!(get.security, [vec![("key".to_owned(), vec![])], vec![]]);
    let put = operation(&api, "PUT /orders/{id}");
    assert_eq!(put.security, [vec![("token".to_owned(), vec!["write".to_owned()])]]);
    assert_eq!(put.servers, ["/other"]);
    let body = put.body.as_ref().expect("it has one");
    assert!(body.required);
    let schema = body.content[0].schema.clone().expect("it has one");
    assert!(schema.validator(Request).expect("it is valid").is_valid(&json!({"id": 1})));
    assert!(!schema.validator(Request).expect("it is valid").is_valid(&json!({})));
    assert_eq!(schema.place("/$defs/~1components~1schemas~1Order/required").map(|place| place.line), Some(41));
    assert!(api.schemes.iter().any(|scheme| scheme.kind == SchemeKind::Http { scheme: "bearer".to_owned() }));
}

#[test]
fn the_media_type_that_fits_best_counts() {
    let media = |names: &[&str]| -> Vec<Media> {
        let media = |name: &&str| Media {
            media_type: (*name).to_owned(),
            schema: None,
            examples: Vec::new(),
            encoding: None,
            pointer: String::new(),
        };
        names.iter().map(media).collect()
    };
    for (documented, actual, expected) in [
        (vec!["application/json"], "application/json", Some("application/json")),
        (vec!["application/json"], "Application/JSON;charset=utf-8", Some("application/json")),
        (vec!["application/json; charset=utf-8"], "application/json", Some("application/json; charset=utf-8")),
        (vec!["*/*", "application/*", "application/json"], "application/json", Some("application/json")),
        (vec!["*/*", "application/*"], "application/xml", Some("application/*")),
        (vec!["*/*", "application/*"], "text/plain", Some("*/*")),
        (vec!["application/*+json"], "application/problem+json", Some("application/*+json")),
        (vec!["application/json"], "application/problem+json", None),
        (
            vec!["application/json;version=1", "application/json;version=2"],
            "application/json; version=2",
            Some("application/json;version=2"),
        ),
        (vec!["application/json;version=1"], "application/json; version=2", None),
        (vec![], "application/json", None),
    ] {
        let all = media(&documented);
        assert_eq!(media_for(&all, actual).map(|media| media.media_type.as_str()), expected, "{documented:?} {actual}");
    }
}

#[tokio::test]
async fn swagger_becomes_the_same_model() {
    let api = read(
        r"swagger: '2.0'
info: {title: Old, version: '1'}
host: api.example.com
basePath: /v1/
schemes: [https, ws]
consumes: [application/json]
produces: [application/json, application/xml]
parameters: {Limit: {name: limit, in: query, type: integer, format: int32, maximum: 10}}
paths:
  /a/{id}:
    parameters: [{name: id, in: path, required: true, type: string}]
    post:
      parameters:
        - $ref: '#/parameters/Limit'
        - {name: tags, in: query, type: array, items: {type: string}, collectionFormat: multi}
        - {name: ids, in: query, type: array, items: {type: integer}, collectionFormat: pipes}
        - {name: body, in: body, required: true, schema: {$ref: '#/definitions/A'}}
      responses:
        '200': {description: ok, schema: {$ref: '#/definitions/A'}, headers: {X-Rate: {type: integer}}, examples: {application/json: {n: 1}}}
        '204': {description: nothing}
    put:
      consumes: [multipart/form-data]
      parameters:
        - {name: file, in: formData, required: true, type: file}
        - {name: note, in: formData, type: string, maxLength: 3}
      responses: {default: {description: ok}}
definitions: {A: {type: object, required: [n], properties: {n: {type: integer}}}}
securityDefinitions: {b: {type: basic}}
security: [{b: []}]
",
    )
    .await;
    assert_eq!(api.problems, Vec::new());
    assert_eq!(api.servers, ["https://api.example.com/v1"]);
    let post = operation(&api, "POST /a/{id}");
    let parameter = |name: &str| post.parameters.iter().find(|parameter| parameter.name == name).expect("it is there");
    assert_eq!((parameter("tags").style.as_str(), parameter("tags").explode), ("form", true));
    assert_eq!((parameter("ids").style.as_str(), parameter("ids").explode), ("pipeDelimited", false));
    let limit = parameter("limit").schema.clone().expect("it has one").validator(Request).expect("it is valid");
    assert!(limit.is_valid(&json!(10)) && !limit.is_valid(&json!(11)) && !limit.is_valid(&json!(-2147483649_i64)));
    assert_eq!(post.parameters.len(), 4);
    let body = post.body.as_ref().expect("it has one");
    assert_eq!((body.required, body.content[0].media_type.as_str()), (true, "application/json"));
    let ok = post.response_for(200).expect("it is documented");
    assert_eq!(
        ok.content.iter().map(|media| media.media_type.as_str()).collect::<Vec<_>>(),
        ["application/json", "application/xml"]
    );
    assert_eq!(ok.content[0].examples, [("example".to_owned(), json!({"n": 1}))]);
    assert!(ok.headers[0].schema.clone().expect("it has one").validator(Response).expect("it is valid").is_valid(&json!(1)));
    assert!(post.response_for(204).expect("it is documented").content.is_empty());
    let form = operation(&api, "PUT /a/{id}").body.clone().expect("it has one");
    assert_eq!(form.content[0].media_type, "multipart/form-data");
    let schema = form.content[0].schema.clone().expect("it has one");
    let validator = schema.validator(Request).expect("it is valid");
    assert!(validator.is_valid(&json!({"file": "x", "note": "abc"})));
    assert!(!validator.is_valid(&json!({"note": "abc"})) && !validator.is_valid(&json!({"file": "x", "note": "abcd"})));
    assert_eq!(schema.place("/properties/note/maxLength").map(|place| place.line), Some(25));
    assert_eq!(post.security, [vec![("b".to_owned(), vec![])]]);
    assert_eq!(api.schemes[0].kind, SchemeKind::Http { scheme: "basic".to_owned() });
}

#[tokio::test]
async fn a_broken_operation_is_told_and_the_others_can_be_used() {
    let api = read(
        r"openapi: 3.0.0
info: {title: t, version: '1'}
paths:
  /good: {get: {responses: {'200': {description: ok}}}}
  /reference: {get: {responses: {'200': {description: ok, content: {a/b: {schema: {$ref: '#/components/schemas/Holder'}}}}}}}
  /place: {get: {parameters: [{name: a, in: body}], responses: {}}}
  /missing/{id}: {get: {responses: {}}}
  /limits: {get: {parameters: [{name: a, in: query, schema: {type: integer, minimum: 5, maximum: 4}}], responses: {}}}
  /lengths: {get: {responses: {'200': {description: ok, content: {a/b: {schema: {type: array, items: {$ref: '#/components/schemas/Long'}}}}}}}}
  /item: {$ref: 'nowhere.yaml'}
  /none: {get: 5}
  /status: {get: {responses: {'2000': {description: what}}}}
components:
  schemas:
    Holder: {type: object, properties: {a: {$ref: '#/components/schemas/Nothing'}}}
    Long: {type: string, minLength: 3, maxLength: 2}
",
    )
    .await;
    let labels: Vec<String> = api.operations.iter().map(Operation::label).collect();
    assert_eq!(labels, ["GET /good", "GET /status"]);
    assert_eq!(
        api.broken,
        ["GET /reference", "GET /place", "GET /missing/{id}", "GET /limits", "GET /lengths", "/item", "GET /none"]
    );
    for (label, line, said) in [
        ("GET /reference", 15, "leads nowhere"),
        ("GET /place", 6, "goes nowhere"),
        ("GET /missing/{id}", 7, "{id}"),
        ("GET /limits", 8, "`minimum` above `maximum`"),
        ("GET /lengths", 16, "`minLength` above `maxLength`"),
        ("GET /none", 11, "not an operation"),
    ] {
        let problem = api
            .problems
            .iter()
            .find(|problem| problem.what.contains(label))
            .unwrap_or_else(|| panic!("{label}: {:#?}", api.problems));
        assert!(problem.what.contains(said), "{problem}");
        assert_eq!(problem.place.as_ref().map(|place| place.line), Some(line), "{problem}");
    }
    assert!(api.problems.iter().any(|problem| problem.what.contains("nowhere.yaml")));
    assert!(api.problems.iter().any(|problem| problem.what.contains("2000")));
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("it can be read") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[tokio::test]
async fn every_sample_is_readable_or_says_where_it_is_not() {
    let Some(samples) = samples() else { return };
    let mut found = Vec::new();
    files(&samples.join("openapi"), &mut found);
    assert!(found.len() > 50, "the samples are there: {found:?}");
    let mut operations = 0;
    for path in found {
        let shown = path.display().to_string();
        let read = match document::open(&context(), &shown, false).await {
            Ok(document) => Api::read(&context(), &document).await,
            Err(problem) => Err(problem),
        };
        match read {
            Ok(api) => {
                operations += api.operations.len();
                assert!(api.problems.iter().all(|problem| problem.place.is_some()), "{shown}: {:#?}", api.problems);
                for operation in &api.operations {
                    let bodies = operation.body.iter().flat_map(|body| &body.content);
                    let answers = operation.responses.iter().flat_map(|response| &response.content);
                    let schemas = bodies.map(|media| (media, Request)).chain(answers.map(|media| (media, Response)));
                    for (media, direction) in schemas {
                        if let Some(schema) = &media.schema
                            && let Err(problem) = schema.validator(direction)
                        {
                            assert!(problem.place.is_some(), "{shown} {}: {problem}", operation.label());
                        }
                    }
                }
            }
            Err(problem) => assert!(problem.place.is_some(), "{shown}: {problem}"),
        }
    }
    assert!(operations > 300, "{operations}");
}
