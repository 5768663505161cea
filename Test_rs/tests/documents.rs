//! Contracts as they are written: what they are, where their values stand, and where their references lead.

use std::{fmt::Write as _, path::Path};

use patchbay_contracts::{Code, Problem, contract::ContractKind};
use patchbay_engine::contract::document::{self, Bundle, Document, MAX_BYTES, MAX_DEPTH};
use patchbay_tests::http::{answer, context, json, serve};
use serde_json::{Value, json};

#[test]
fn what_a_document_is_stands_in_it() {
    use ContractKind as Kind;
    for (text, kind) in [
        ("integration:\n  name: orders\n", Kind::Patchbay),
        ("openapi: 3.0.3\ninfo: {title: a, version: '1'}\npaths: {}\n", Kind::Openapi),
        ("openapi: 3.1.0\n", Kind::Openapi),
        ("openapi: 3.0\n", Kind::Openapi),
        (r#"{"openapi": "3.1.1", "paths": {}}"#, Kind::Openapi),
        ("swagger: \"2.0\"\n", Kind::Swagger),
        ("swagger: 2.0\n", Kind::Swagger),
        (r#"{"consumer": {"name": "a"}, "provider": {"name": "b"}, "interactions": []}"#, Kind::Pact),
        (r#"{"consumer": {"name": "a"}, "provider": {"name": "b"}, "messages": []}"#, Kind::Pact),
        ("asyncapi: 2.6.0\n", Kind::Asyncapi),
        ("asyncapi: 3.0.0\n", Kind::Asyncapi),
        ("messages:\n  order.created: {}\n", Kind::Messages),
        (r#"{"$schema": "http://json-schema.org/draft-07/schema#"}"#, Kind::JsonSchema),
        (r#"{"type": "object", "required": ["id"]}"#, Kind::JsonSchema),
        ("properties:\n  id: { type: string }\n", Kind::JsonSchema),
        ("true", Kind::JsonSchema),
        ("\u{feff}{\"enum\": [1]}", Kind::JsonSchema),
    ] {
        let document = Document::read("a", text.as_bytes()).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        assert_eq!(document.kind, kind, "{text}");
    }
}

#[test]
fn what_is_no_contract_is_told_with_the_nearest_guess() {
    for (text, code, said) in [
        ("opnapi: 3.0.0\n", Code::InvalidDefinition, "`openapi`"),
        ("{\"swager\": \"2.0\"}", Code::InvalidDefinition, "`swagger`"),
        ("consumer: {name: a}\ninteractions: []\n", Code::InvalidDefinition, "`provider` is missing"),
        ("consumer: {name: a}\nprovider: {name: b}\n", Code::InvalidDefinition, "`interactions` or `messages`"),
        ("paths: {}\n", Code::InvalidDefinition, "openapi: 3.0.3"),
        ("openapi: 2.0.0\n", Code::Unsupported, "3.0 and 3.1"),
        ("openapi: 3.12.0\n", Code::Unsupported, "3.0 and 3.1"),
        ("swagger: 1.2\n", Code::Unsupported, "2.0"),
        ("type: customer\nname: a\n", Code::InvalidDefinition, "JSON Schema"),
        ("[1, 2]", Code::InvalidDefinition, "a list of 2"),
        ("a text", Code::InvalidDefinition, "the text"),
        ("{}", Code::InvalidDefinition, "looked for"),
        ("", Code::InvalidDefinition, "empty"),
    ] {
        let problem = Document::read("c.yaml", text.as_bytes()).expect_err(text);
        assert_eq!(problem.code, code, "{text}: {problem}");
        assert!(problem.to_string().contains(said), "{text}: {problem}");
        assert_eq!(problem.place.as_ref().map(|place| place.file.as_str()), Some("c.yaml"), "{text}: {problem}");
    }
}

/// The place of each pointer in a text.
fn places(text: &str, pointers: &[(&str, u32, u32)]) {
    let document = Document::parse("f", text.as_bytes()).unwrap_or_else(|problem| panic!("{problem}"));
    for (pointer, line, column) in pointers {
        let place = document.place(pointer).expect("it was read");
        assert_eq!((place.line, place.column), (*line, *column), "{pointer} in\n{text}");
    }
}

#[test]
fn places_are_known_in_json_and_in_yaml() {
    places(
        "{\n  \"a\": {\n    \"b/c~d\": [1, {\"é\": true, \"x\": \"ü\\\"}\"}],\n    \"e\\u0041\": null}, \"z\": 7 }\n",
        &[
            ("", 1, 1),
            ("/a", 2, 3),
            ("/a/b~1c~0d", 3, 5),
            ("/a/b~1c~0d/0", 3, 15),
            ("/a/b~1c~0d/1", 3, 18),
            ("/a/b~1c~0d/1/é", 3, 24),
            ("/a/b~1c~0d/1/x", 3, 35),
            ("/a/eA", 4, 16),
            ("/z", 4, 28),
            ("/a/nothing/here", 2, 3),
            ("/a/b~1c~0d/9", 3, 5),
        ],
    );
    places(
        "a:\n  b: text\n  c:\n    - 1\n    - d: [x, y]\n'e/f': |\n  block\n",
        &[
            ("", 1, 1),
            ("/a", 1, 1),
            ("/a/b", 2, 6),
            ("/a/c", 3, 3),
            ("/a/c/0", 4, 7),
            ("/a/c/1/d", 5, 7),
            ("/a/c/1/d/1", 5, 14),
            ("/a/nothing", 1, 1),
        ],
    );
}

#[test]
fn json_and_yaml_give_the_same_value() {
    let text =
        r#"{"b": 1, "a": [1.5, -2, 1e3, "x\n\u00e9\ud83d\ude00", true, null, {}, []], "c": {"": "", "k": 18446744073709551615}}"#;
    let expected: Value = serde_json::from_str(text).expect("it is JSON");
    let read = Document::parse("f", text.as_bytes()).expect("it can be read").value;
    assert_eq!(read, expected);
    assert_eq!(
        read.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>()),
        Some(vec!["b".into(), "a".into(), "c".into()])
    );
    let yaml = Document::parse("f", b"b: 1\na: &x {c: [200, '200']}\nd: *x\ne: {<<: *x, f: 1}\n").expect("it can be read").value;
    assert_eq!(yaml, json!({"b": 1, "a": {"c": [200, "200"]}, "d": {"c": [200, "200"]}, "e": {"f": 1, "c": [200, "200"]}}));
}

#[test]
fn broken_texts_say_where() {
    for (text, line, column) in [
        ("{\n  \"a\": 1,\n  \"b\" 2\n}", 3, 7),
        ("{\"a\": [1, 2,]}", 1, 13),
        ("{\"é\": 'x'}", 1, 7),
        ("[\n[1],\n[2\n", 4, 1),
        ("{\"a\": \"\\ud800\"}", 1, 7),
        ("{\"a\": 1e999}", 1, 7),
        ("a: [1\nb: 2\n", 2, 2),
        ("a: 1\n b: 2\n", 2, 3),
    ] {
        let problem = Document::parse("f", text.as_bytes()).expect_err(text);
        let place = problem.place.clone().unwrap_or_else(|| panic!("{text}: {problem}"));
        assert_eq!((place.line, place.column), (line, column), "{text}: {problem}");
        assert!(!problem.why.is_empty(), "{text}: {problem}");
    }
}

#[test]
fn a_key_that_stands_twice_is_told_with_its_place() {
    for (text, line, column) in
        [("{\"type\": \"object\",\n \"a\": 1, \"a\": 2, \"a\": 3}", 2, 10), ("type: object\nb: 1\ntype: string\n", 3, 1)]
    {
        let document = Document::read("f", text.as_bytes()).expect("the first one counts");
        let problem = document.problems.first().expect("it is told");
        assert!(problem.what.contains("twice"), "{problem}");
        let place = problem.place.as_ref().expect("it has a place");
        assert_eq!((place.line, place.column), (line, column), "{text}");
        assert_eq!(document.value["type"], "object");
    }
}

#[test]
fn bounds_hold() {
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Document::parse("f", deep(MAX_DEPTH).as_bytes()).is_ok());
    for text in [
        deep(MAX_DEPTH + 1),
        deep(1_000_000),
        "{\"a\":".repeat(300_000),
        "[".repeat(1_000_000),
        "- ".repeat(100_000),
        format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000)),
        (0..1000).fold(String::new(), |mut text, depth| {
            let _ = writeln!(text, "{}a:", " ".repeat(depth));
            text
        }),
    ] {
        let problem = Document::parse("f", text.as_bytes()).expect_err("it is too deep");
        assert!(problem.place.is_some(), "{problem}");
    }
    let problem = Document::parse("f", &vec![b' '; MAX_BYTES + 1]).expect_err("it is too large");
    assert_eq!(problem.code, Code::TooLarge);
    let problem = Document::parse("f", format!("[{}1]", "1,".repeat(3_000_000)).as_bytes()).expect_err("it has too many values");
    assert_eq!(problem.code, Code::TooLarge);
    let problem = Document::parse("f", b"{\"a\": \"\xff\"}").expect_err("it is not UTF-8");
    assert!(problem.what.contains("UTF-8"));
    // Nine aliases of nine aliases, and so on: a billion values in a few lines.
    let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let _ = writeln!(laughs, "a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 9].join(", "));
    }
    let problem = Document::parse("f", laughs.as_bytes()).expect_err("it stands for too much");
    assert!(problem.what.contains("more than can be read"), "{problem}");
    let merged = laughs.replace("a0: &a0 [x, x, x, x, x, x, x, x, x]", "a0: &a0 {x: 1}");
    assert!(Document::parse("f", format!("{merged}z: {{<<: *a11}}\n").as_bytes()).is_err());
}

/// A folder with files, and the bundle of the first of them.
async fn bundle(files: &[(&str, &str)], fetch: bool) -> (tempfile::TempDir, Bundle) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("it can be made");
        std::fs::write(path, text).expect("it can be written");
    }
    let source = folder.path().join(files[0].0);
    let document = document::open(&context(), source.to_str().expect("it is UTF-8"), fetch).await.expect("it can be read");
    let bundle = document.in_workspace(folder.path().join(files[0].0).parent().expect("its folder")).bundle(&context()).await;
    (folder, bundle)
}

fn end<'b>(bundle: &'b Bundle, pointer: &str) -> &'b Value {
    let end = bundle.resolve(pointer).unwrap_or_else(|| panic!("{pointer} is broken: {:?}", bundle.problems));
    bundle.root.pointer(&end).unwrap_or_else(|| panic!("{end} is not there"))
}

#[tokio::test]
async fn references_lead_within_the_document_and_to_files_below_its_folder() {
    let (_folder, bundle) = bundle(
        &[
            (
                "api.yaml",
                "openapi: 3.0.0\npaths:\n  /a/{b}: {$ref: 'paths/a.yaml#/~1a~1{b}'}\n  /c: {$ref: '#/paths/~1a~1%7Bb%7D'}\n\
                 components:\n  schemas:\n    Node: {type: object, properties: {next: {$ref: '#/components/schemas/Node'}}}\n    \
                 $ref: {type: string}\n    Ext: {$ref: 'schemas/a%20b.json'}\n    Sample: {example: {$ref: nowhere.json}}\n",
            ),
            ("paths/a.yaml", "/a/{b}:\n  get:\n    x: {$ref: '../schemas/a b.json#/definitions/x'}\n    up: {$ref: '../api.yaml#/components/schemas/Node'}\n"),
            ("schemas/a b.json", "{\n  \"title\": \"t\",\n  \"definitions\": {\n    \"x\": {\"type\": \"string\"},\n    \"y\": {\"$ref\": \"#/definitions/x\"}}}"),
        ],
        false,
    )
    .await;
    assert_eq!(bundle.problems, Vec::new());
    let path = bundle.resolve("/paths/~1a~1{b}").expect("it is there");
    assert_eq!(bundle.resolve("/paths/~1c").as_ref(), Some(&path));
    assert_eq!(end(&bundle, &format!("{path}/get/x")), &json!({"type": "string"}));
    assert_eq!(bundle.resolve(&format!("{path}/get/up")).as_deref(), Some("/components/schemas/Node"));
    assert_eq!(end(&bundle, "/components/schemas/Ext")["title"], "t");
    // What was rewritten is a pointer within the whole.
    let written = bundle.root.pointer("/components/schemas/Ext/$ref").and_then(Value::as_str).expect("a reference");
    assert!(written.starts_with("#/x-patchbay-bundled/"), "{written}");
    let x = bundle.resolve(&format!("{path}/get/x")).expect("it is there");
    let place = bundle.place(&x).expect("it has a place");
    assert_eq!((place.file.as_str(), place.line, place.column), ("schemas/a b.json", 4, 5));
    assert_eq!(bundle.source(&x), ("schemas/a b.json", "/definitions/x"));
    assert_eq!(bundle.place("/components/schemas/Node").map(|place| place.line), Some(7));
}

#[tokio::test]
async fn each_bad_reference_is_told_with_its_place_and_the_rest_stays() {
    let outside = tempfile::NamedTempFile::new().expect("a file");
    let text = format!(
        "openapi: 3.0.0\nx:\n  good: {{$ref: '#/x/end'}}\n  end: {{type: string}}\n  missing: {{$ref: '#/x/ende'}}\n  \
         file: {{$ref: nowhere.yaml}}\n  outside: {{$ref: '../../etc/passwd'}}\n  absolute: {{$ref: '{}'}}\n  \
         address: {{$ref: 'http://127.0.0.1:1/a.json'}}\n  scheme: {{$ref: 'file:///etc/passwd'}}\n  self: {{$ref: '#/x/self'}}\n  \
         one: {{$ref: '#/x/two'}}\n  two: {{$ref: '#/x/one'}}\n  into: {{$ref: '#/x/one'}}\n  broken: {{$ref: broken.json}}\n  \
         folder: {{$ref: '.'}}\n  name: {{$ref: '#nobody'}}\n",
        outside.path().display()
    );
    let (_folder, bundle) = bundle(&[("deep/api.yaml", &text), ("deep/broken.json", "{\"a\": \n}")], false).await;
    let problem = |key: &str| -> Problem {
        assert_eq!(bundle.resolve(&format!("/x/{key}")), None, "{key}");
        bundle.broken_below(&format!("/x/{key}")).unwrap_or_else(|| panic!("{key} leads somewhere")).clone()
    };
    for (key, line, said) in [
        ("missing", 5, "`end`"),
        ("file", 6, "can't be read"),
        ("outside", 7, "outside of the folder"),
        ("absolute", 8, "outside of the folder"),
        ("address", 9, "--fetch"),
        ("scheme", 10, "only files and addresses"),
        ("self", 11, "leads back to itself"),
        ("one", 12, "leads back to itself"),
        ("two", 13, "leads back to itself"),
        ("broken", 15, "broken.json:2:1"),
        ("folder", 16, "not a file"),
        ("name", 17, "leads nowhere"),
    ] {
        let problem = problem(key);
        assert!(problem.to_string().contains(said), "{key}: {problem}");
        if key != "broken" {
            assert_eq!(problem.place.as_ref().map(|place| place.line), Some(line), "{key}: {problem}");
        }
    }
    assert_eq!(bundle.resolve("/x/into"), None);
    assert_eq!(end(&bundle, "/x/good"), &json!({"type": "string"}));
    assert!(bundle.broken_below("/x/good").is_none());
    assert!(bundle.broken_below("/x").is_some());
    assert_eq!(bundle.problems.len(), 12, "{:#?}", bundle.problems);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_leads_no_further_than_a_path() {
    let elsewhere = tempfile::tempdir().expect("a folder");
    std::fs::write(elsewhere.path().join("a.json"), "{}").expect("it can be written");
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("link")).expect("links can be made");
    std::fs::write(folder.path().join("api.json"), r#"{"openapi": "3.0.0", "a": {"$ref": "link/a.json"}}"#)
        .expect("it can be written");
    let source = folder.path().join("api.json");
    let document = document::open(&context(), source.to_str().expect("it is UTF-8"), true).await.expect("it can be read");
    let bundle = document.bundle(&context()).await;
    assert!(bundle.problems[0].to_string().contains("outside of the folder"), "{:?}", bundle.problems);
}

#[tokio::test]
async fn a_workspace_opens_its_files_to_references() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("api")).expect("it can be made");
    std::fs::write(folder.path().join("api/a.yaml"), "openapi: 3.0.0\na: {$ref: ../b.yaml}\n").expect("it can be written");
    std::fs::write(folder.path().join("b.yaml"), "type: string\n").expect("it can be written");
    let source = folder.path().join("api/a.yaml");
    let alone = document::open(&context(), source.to_str().expect("it is UTF-8"), false).await.expect("it can be read");
    assert_eq!(alone.bundle(&context()).await.problems.len(), 1);
    let inside = alone.in_workspace(folder.path());
    assert_eq!(inside.file, "api/a.yaml");
    let bundle = inside.bundle(&context()).await;
    assert_eq!(bundle.problems, Vec::new());
    assert_eq!(bundle.source("/x-patchbay-bundled/1").0, "b.yaml");
}

#[tokio::test]
async fn addresses_are_read_and_their_references_only_where_asked_for() {
    let server = serve(|request, _| match request.path.as_str() {
        "/api.yaml" => answer("200 OK", "content-type: application/yaml\r\n", "openapi: 3.0.0\na: {$ref: 'parts/a.json#/x'}\n"),
        "/parts/a.json" => json("200 OK", r#"{"x": {"type": "string"}}"#),
        "/page" => answer("200 OK", "content-type: text/html\r\n", "<html><body>hello</body></html>"),
        _ => json("404 Not Found", "{}"),
    })
    .await;
    let address = format!("{}/api.yaml", server.url);
    let closed = document::open(&context(), &address, false).await.expect("the source itself is read");
    assert_eq!(closed.file, address);
    let bundle = closed.bundle(&context()).await;
    assert!(bundle.problems[0].to_string().contains("--fetch"), "{:?}", bundle.problems);
    assert_eq!(server.received().len(), 1);
    let bundle = document::open(&context(), &address, true).await.expect("it is read").bundle(&context()).await;
    assert_eq!(bundle.problems, Vec::new());
    assert_eq!(end(&bundle, "/a"), &json!({"type": "string"}));
    let problem = document::open(&context(), &format!("{}/nothing", server.url), true).await.expect_err("it is not there");
    assert!(problem.what.contains("404"), "{problem}");
    let problem = document::open(&context(), &format!("{}/page", server.url), true).await.expect_err("it is a page");
    assert!(problem.place.is_some(), "{problem}");
    let problem = document::open(&context(), "no/such/file.yaml", true).await.expect_err("it is not there");
    assert_eq!(problem.code, Code::NotFound);
    assert!(document::open(&context(), Path::new("/").to_str().expect("it is UTF-8"), false).await.is_err());
}
