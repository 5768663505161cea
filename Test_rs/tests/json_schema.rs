//! Documents held against JSON Schemas of every draft.

use patchbay_contracts::Code;
use patchbay_engine::contract::{
    document::Document,
    json_schema::{Draft, JsonSchema, Options, Violation, validate},
};
use patchbay_tests::{
    http::{context, json as answer_json, serve},
    program::Desk,
};
use serde_json::{Value, json};

fn document(value: &Value) -> Document {
    Document::parse("d.json", value.to_string().as_bytes()).expect("it is JSON")
}

async fn violations(schema: &Value, instance: &Value, draft: Option<Draft>) -> Vec<Violation> {
    let found = validate(&context(), &document(schema), &document(instance), draft).await;
    found.unwrap_or_else(|problem| panic!("{schema}: {problem}"))
}

#[tokio::test]
async fn each_draft_judges_by_its_own_rules() {
    use Draft::{Draft4, Draft6, Draft7, Draft201909, Draft202012};
    let all = [Draft4, Draft6, Draft7, Draft201909, Draft202012];
    let late = [Draft201909, Draft202012];
    for (schema, instance, valid) in [
        (json!({"type": "integer"}), json!(1.5), &[][..]),
        (json!({"type": "integer"}), json!(1.0), &all[1..]),
        (json!({"type": "integer"}), json!(1e30), &all),
        (json!({"minLength": 2}), json!("😀"), &[]),
        (json!({"maxLength": 1}), json!("😀"), &all),
        (json!({"pattern": "^\\d+$"}), json!("12"), &all),
        (json!({"pattern": "^\\p{Letter}+$"}), json!("é"), &all),
        (json!({"minimum": 2, "exclusiveMinimum": true}), json!(2), &[]),
        (json!({"const": 1}), json!(2), &all[..1]),
        (json!({"if": {"type": "string"}, "then": false}), json!("a"), &all[..2]),
        // Beside a reference nothing counts until 2019-09.
        (json!({"$ref": "#/definitions/a", "maximum": 1, "definitions": {"a": {"type": "integer"}}}), json!(2), &all[..3]),
        (json!({"items": [{"type": "string"}]}), json!([1]), &[]),
        (json!({"prefixItems": [{"type": "string"}]}), json!([1]), &all[..4]),
        (json!({"dependentRequired": {"a": ["b"]}}), json!({"a": 1}), &all[..3]),
        (json!({"format": "ipv4"}), json!("nothing"), &late),
        (json!({"$defs": {"a": {"$anchor": "x", "type": "string"}}, "allOf": [{"$ref": "#x"}]}), json!("a"), &late),
        (json!({"enum": [1]}), json!(1.0), &all),
        (json!({"uniqueItems": true}), json!([1, true, 1.0]), &[]),
        (json!({"properties": {"__proto__": {"type": "string"}}}), json!({"__proto__": 1}), &[]),
    ] {
        for draft in all {
            // A keyword that is no keyword of a draft may be written as the draft doesn't allow.
            if let Ok(found) = validate(&context(), &document(&schema), &document(&instance), Some(draft)).await {
                assert_eq!(found.is_empty(), valid.contains(&draft), "{} {schema} {instance}: {found:?}", draft.as_str());
            } else {
                assert!(!valid.contains(&draft), "{} {schema}", draft.as_str());
            }
        }
    }
}

#[tokio::test]
async fn the_draft_is_that_of_the_schema_unless_one_is_given() {
    let schema = |draft: &str| json!({"$schema": draft, "format": "ipv4"});
    assert_eq!(violations(&schema("http://json-schema.org/draft-07/schema#"), &json!("a"), None).await.len(), 1);
    assert_eq!(violations(&schema("http://json-schema.org/draft-04/schema#"), &json!("a"), None).await.len(), 1);
    assert_eq!(violations(&schema("https://json-schema.org/draft/2020-12/schema"), &json!("a"), None).await.len(), 0);
    assert_eq!(violations(&json!({"format": "ipv4"}), &json!("a"), None).await.len(), 0);
    assert_eq!(violations(&json!({"format": "ipv4"}), &json!("a"), Some(Draft::Draft6)).await.len(), 1);
    let options = Options { draft: None, format_assertion: true };
    let strict = JsonSchema::new(&context(), &document(&json!({"format": "ipv4"})), options).await.expect("it is one");
    assert_eq!(strict.violations(&document(&json!("a"))).len(), 1);
    for (text, draft) in [
        ("4", Draft::Draft4),
        ("draft-07", Draft::Draft7),
        ("draft6", Draft::Draft6),
        ("2019-09", Draft::Draft201909),
        ("draft2020-12", Draft::Draft202012),
    ] {
        assert_eq!(text.parse::<Draft>().ok(), Some(draft), "{text}");
    }
    assert_eq!("5".parse::<Draft>().map_err(|problem| problem.code), Err(Code::InvalidInput));
}

#[tokio::test]
async fn every_violation_has_both_pointers_and_both_places() {
    let schema = "type: object\nrequired: [id]\nproperties:\n  n: {type: integer, minimum: 3}\n  list:\n    items: {$ref: '#/$defs/item'}\n$defs:\n  item:\n    type: string\n";
    let schema = Document::parse("s.yaml", schema.as_bytes()).expect("it is YAML");
    let instance = Document::parse("i.json", b"{\n  \"n\": 1,\n  \"list\": [\"a\", 2, null]\n}").expect("it is JSON");
    let mut found = validate(&context(), &schema, &instance, None).await.expect("it is a schema");
    found.sort_by(|one, other| one.instance.cmp(&other.instance));
    let shown: Vec<_> = found
        .iter()
        .map(|violation| {
            let place = |place: &Option<patchbay_contracts::Place>| place.as_ref().map(ToString::to_string).unwrap_or_default();
            (
                violation.instance.as_str(),
                violation.schema.as_str(),
                place(&violation.instance_place),
                place(&violation.schema_place),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("/id", "/required", "i.json:1:1".to_owned(), "s.yaml:2:1".to_owned()),
            ("/list/1", "/$defs/item/type", "i.json:3:17".to_owned(), "s.yaml:9:11".to_owned()),
            ("/list/2", "/$defs/item/type", "i.json:3:20".to_owned(), "s.yaml:9:11".to_owned()),
            ("/n", "/properties/n/minimum", "i.json:2:8".to_owned(), "s.yaml:4:31".to_owned()),
        ]
    );
    assert_eq!((&found[3].expected, &found[3].actual), (&json!({"minimum": 3}), &Some(json!(1))));
    assert!(found[3].message.contains("at least 3"), "{}", found[3].message);
    let whole = violations(&json!({"type": "object"}), &json!(5), None).await;
    assert!(whole[0].message.starts_with("The document is"), "{}", whole[0].message);
}

#[tokio::test]
async fn references_lead_to_files_beside_the_schema_and_nowhere_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
        std::fs::write(&path, text).expect("it can be written");
        path.to_str().expect("it is UTF-8").to_owned()
    };
    write("in/parts/name.yaml", "type: string\nminLength: 2\n");
    write("in/parts/all.json", r#"{"definitions": {"n": {"$ref": "name.yaml"}}}"#);
    write("secret.json", "{}");
    let run = async |text: &str, instance: &Value| {
        let schema = Document::open_any(&context(), &write("in/s.json", text), false).await?;
        validate(&context(), &schema, &document(instance), None).await
    };
    let found = run(r#"{"$ref": "parts/all.json#/definitions/n"}"#, &json!("a")).await.expect("it can be read");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].schema, "/minLength");
    let place = found[0].schema_place.clone().expect("it has one");
    assert!(place.file.ends_with("in/parts/name.yaml") && place.line == 2, "{place}");
    // Beside the address that it gives itself, as its files lie beside it.
    let found =
        run(r#"{"$id": "https://a.example/x/s.json", "$ref": "parts/name.yaml"}"#, &json!("a")).await.expect("it can be read");
    assert_eq!(found.len(), 1);
    for (text, said) in [
        (r#"{"$ref": "../secret.json"}"#, "outside of the folder"),
        (r#"{"$ref": "file:///etc/passwd"}"#, "is refused"),
        (r#"{"$ref": "nothing.json"}"#, "leads nowhere"),
        (r#"{"$ref": "http://127.0.0.1:1/a.json"}"#, "--fetch"),
        (r##"{"$ref": "#/nothing"}"##, "nothing"),
        (r##"{"$ref": "#"}"##, "itself"),
        (r##"{"$ref": "#/a", "a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}}"##, "itself"),
        (r##"{"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"anyOf": [{"not": {"$ref": "#"}}]}}}"##, "itself"),
        (r#"{"type": "sting"}"#, "not a valid JSON Schema"),
        (r#"{"properties": {"a": {"minimum": "5"}}}"#, "not a valid JSON Schema"),
        (r#"{"pattern": "("}"#, "not a valid JSON Schema"),
    ] {
        let problem = run(text, &json!(1)).await.expect_err(text);
        assert!(problem.to_string().contains(said), "{text}: {problem}");
        assert_eq!(problem.code, Code::InvalidDefinition, "{text}: {problem}");
    }
    // What contains itself is no circle.
    let tree = r##"{"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"anyOf": [{"$ref": "#"}]}}}"##;
    assert_eq!(run(tree, &json!({"left": {"right": {"left": 1}}})).await.expect("it is one").len(), 1);
}

#[tokio::test]
async fn addresses_are_fetched_only_where_asked_for() {
    let server = serve(|request, _| match request.path.as_str() {
        "/s.json" => answer_json("200 OK", r#"{"properties": {"a": {"$ref": "parts/a.json"}}}"#),
        "/parts/a.json" => answer_json("200 OK", r#"{"type": "string"}"#),
        _ => answer_json("404 Not Found", "{}"),
    })
    .await;
    let address = format!("{}/s.json", server.url);
    let closed = Document::open_any(&context(), &address, false).await.expect("the schema itself is read");
    let problem = validate(&context(), &closed, &document(&json!({"a": 1})), None).await.expect_err("a part is missing");
    assert!(problem.to_string().contains("--fetch"), "{problem}");
    let open = Document::open_any(&context(), &address, true).await.expect("it is read");
    let found = validate(&context(), &open, &document(&json!({"a": 1})), None).await.expect("it is a schema");
    assert_eq!((found.len(), found[0].instance.as_str()), (1, "/a"));
    assert_eq!(found[0].schema_place.as_ref().map(|place| place.file.clone()), Some(format!("{}/parts/a.json", server.url)));
}

#[tokio::test]
async fn a_large_document_is_judged_whole() {
    let instance = Value::Array((0..2_000).map(|number| json!(number)).collect());
    assert_eq!(violations(&json!({"items": {"type": "string"}}), &instance, None).await.len(), 2_000);
}

#[test]
fn the_command_judges_files_without_a_workspace() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it can be written");
        path.to_str().expect("it is UTF-8").to_owned()
    };
    let schema = file("s.json", r#"{"type": "object", "required": ["id"], "properties": {"at": {"format": "date"}}}"#);
    let (good, bad, date) =
        (file("good.json", r#"{"id": 1}"#), file("bad.yaml", "name: a\n"), file("date.json", r#"{"id": 1, "at": "x"}"#));
    desk.run(&["schema", "validate", &schema, &good]).exits(0);
    let text = desk.run(&["schema", "validate", &schema, &good, &bad]).exits(1).stdout;
    assert!(text.contains("/id is missing") && text.contains("bad.yaml") && text.contains("s.json:1:20"), "{text}");
    let ran = desk.run(&["schema", "validate", &schema, &bad, &good, "--json"]).exits(1).json();
    assert_eq!(ran["valid"], false);
    assert_eq!(ran["instances"][0]["violations"][0]["instance"], "/id");
    assert_eq!(ran["instances"][0]["violations"][0]["schema"], "/required");
    assert_eq!(ran["instances"][1]["valid"], true);
    desk.run(&["schema", "validate", &schema, &date]).exits(0);
    desk.run(&["schema", "validate", "--format-assertion", &schema, &date]).exits(1);
    desk.run(&["schema", "validate", "--draft", "7", &schema, &date]).exits(1);
    desk.run(&["schema", "validate", "--draft", "3", &schema, &date]).exits(2);
    desk.run(&["schema", "validate", &schema, "nothing.json"]).exits(2);
    let broken = file("broken.json", r#"{"id": }"#);
    let ran = desk.run(&["schema", "validate", &schema, &broken, "--json"]).exits(2);
    assert_eq!(ran.json()["problem"]["place"]["column"], 8);
    desk.run(&["schema", "validate", &file("no.json", r#"{"type": 5}"#), &good]).exits(2);
    // As before, our own.
    let own = desk.run(&["schema"]).exits(0).json();
    assert_eq!(own, desk.run(&["schema", "integration", "--json"]).exits(0).json());
    assert_eq!(own["title"], "Patchbay integration");
}
