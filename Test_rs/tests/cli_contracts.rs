//! Contracts of other kinds on the command line: documents, mocks of them, and integrations that name one.

use std::io::{BufRead, BufReader};

use patchbay_tests::program::Desk;
use serde_json::Value;

/// A mock in a process of its own. It ends when this is dropped.
struct RunningMock {
    url: String,
    token: String,
    child: std::process::Child,
}

impl RunningMock {
    fn start(desk: &Desk, words: &[&str]) -> Self {
        let mut all = vec!["mock", "--port", "0", "--json", "--for", "5m"];
        all.extend(words);
        let mut child = desk.command(&all).stdout(std::process::Stdio::piped()).spawn().expect("the command starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut text = String::new();
        let document = loop {
            text.push_str(&lines.next().expect("the mock says where it is").expect("it is text"));
            if let Ok(document) = serde_json::from_str::<Value>(&text) {
                break document;
            }
        };
        let of = |key: &str| document[key].as_str().unwrap_or_default().to_owned();
        Self { url: of("url"), token: of("token"), child }
    }
}

impl Drop for RunningMock {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const DOCUMENT: &str = r##"openapi: 3.0.3
info: { title: Books, version: "2" }
paths:
  /books:
    get:
      tags: [books]
      parameters: [{ name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 50 } }]
      responses:
        "200": { description: some, content: { application/json: { schema: { type: array, items: { $ref: "#/components/schemas/Book" } } } } }
        "400": { description: refused }
        "401": { description: who }
    post:
      tags: [books]
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/NewBook" } } } }
      responses:
        "201": { description: made, content: { application/json: { schema: { $ref: "#/components/schemas/Book" } } } }
        "400": { description: refused }
        "401": { description: who }
        "415": { description: not JSON }
  /books/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get:
      operationId: readBook
      responses:
        "200": { description: it, content: { application/json: { schema: { $ref: "#/components/schemas/Book" } } } }
        "401": { description: who }
        "404": { description: none }
    delete:
      responses: { "204": { description: gone }, "401": { description: who }, "404": { description: none } }
security: [{ token: [] }]
components:
  securitySchemes: { token: { type: http, scheme: bearer } }
  schemas:
    NewBook:
      type: object
      required: [title, pages]
      additionalProperties: false
      properties: { title: { type: string, minLength: 1, maxLength: 40 }, pages: { type: integer, minimum: 1, maximum: 9999 } }
    Book:
      type: object
      required: [id, title, pages]
      properties: { id: { type: string }, title: { type: string }, pages: { type: integer } }
"##;

#[test]
fn a_document_is_verified_without_a_workspace_and_its_mock_passes() {
    let mut desk = Desk::new();
    desk.write("books.yaml", DOCUMENT);
    let mock = RunningMock::start(&desk, &["books.yaml"]);
    desk.set("PATCHBAY_SECRET_TOKEN", &mock.token);
    // A folder that is no workspace: nothing is left behind in it.
    desk.set("PATCHBAY_WORKSPACE", "");
    let test = |more: &[&str]| {
        let mut words = vec!["contract", "test", "books.yaml", "--url", mock.url.as_str(), "--auth", "bearer:${secret:token}"];
        words.extend(more);
        desk.run(&words)
    };
    let held = test(&["--json", "--seed", "7", "--report", "junit=out/junit.xml", "--report", "html=out/report.html"]).exits(0);
    let report = &held.json()["report"];
    assert_eq!((&report["contract_kind"], &report["seed"]), (&Value::from("openapi"), &Value::from(7)));
    assert_eq!(report["endpoints"].as_array().map(Vec::len), Some(4));
    assert_eq!(report["coverage"]["operations"].as_array().map(Vec::len), Some(4));
    assert!(!held.stdout.contains(&mock.token), "the credential is nowhere");
    let html = std::fs::read_to_string(desk.workspace().join("out/report.html")).expect("written");
    assert!(html.contains("Operations and checks") && html.contains("Coverage") && !html.contains(&mock.token));

    // What is chosen is what is judged.
    let one = test(&["--json", "--only", "readBook"]).exits(0).json();
    assert_eq!(one["report"]["endpoints"].as_array().map(Vec::len), Some(1), "{one}");
    let without = test(&["--json", "--skip", "books"]).exits(0).json();
    assert_eq!(without["report"]["endpoints"].as_array().map(Vec::len), Some(2), "{without}");

    // Without a credential nothing behind it can be judged, and that is no pass.
    let nobody = desk.run(&["contract", "test", "books.yaml", "--url", &mock.url]);
    assert_ne!(nobody.status, 0, "{}", nobody.stdout);
    assert!(desk.workspace().join("patchbay.db").metadata().is_err() && !desk.workspace().join(".patchbay").exists());
}

#[test]
fn a_fault_of_a_mock_is_found_with_its_line_and_the_request_to_repeat() {
    let desk = Desk::new();
    desk.write("books.yaml", DOCUMENT);
    let mock = RunningMock::start(&desk, &["books.yaml", "--fault", "missing-field"]);
    let auth = format!("bearer:{}", mock.token);
    let failed = desk
        .run(&["contract", "test", "books.yaml", "--url", &mock.url, "--auth", &auth, "--report", "sarif=out.sarif"])
        .exits(1);
    assert!(failed.stdout.contains("response-schema") && failed.stdout.contains("repeat    curl "), "{}", failed.stdout);
    assert!(failed.stdout.contains("asked in  books.yaml:"), "{}", failed.stdout);
    assert!(!failed.stdout.contains(&mock.token), "a credential that was typed in plain is not repeated");
    let log: Value = serde_json::from_slice(&std::fs::read(desk.workspace().join("out.sarif")).expect("written")).expect("JSON");
    let region = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert!(region["startLine"].as_u64().is_some_and(|line| line > 5), "{log}");
}

#[test]
fn an_integration_is_held_to_the_document_that_it_names() {
    let mut desk = Desk::new();
    std::fs::create_dir(desk.workspace().join("api")).expect("a folder");
    desk.write("api/books.yaml", DOCUMENT);
    let mock = RunningMock::start(&desk, &["api/books.yaml"]);
    desk.set("PATCHBAY_SECRET_BOOKS_TOKEN", &mock.token);
    desk.write(
        "shop.yaml",
        &format!(
            "integration:\n  name: books\n  base_url: {}\n  auth: bearer\n  contract: {{ file: api/books.yaml, seed: 3, skip: [latency] }}\n",
            mock.url
        ),
    );
    let held = desk.run(&["contract", "test", "books", "--json"]).exits(0).json();
    assert_eq!(held["report"]["seed"], 3);
    assert_eq!(held["report"]["endpoints"].as_array().map(Vec::len), Some(4), "{held}");
    // A credential that is typed in plain takes the place of the file's, and is repeated nowhere.
    let wrong = desk.run(&["contract", "test", "books", "--auth", "bearer:canary-7f3e91", "--json"]);
    assert_ne!(wrong.status, 0, "{}", wrong.stdout);
    assert!(wrong.stdout.contains("SECRET_TOKEN") && !wrong.stdout.contains("canary-7f3e91"), "{}", wrong.stdout);
    let gone = desk.workspace().join("api/books.yaml");
    std::fs::remove_file(gone).expect("it is there");
    let lost = desk.run(&["contract", "test", "books"]);
    assert_ne!(lost.status, 0, "a document that is not there is no pass: {}", lost.stdout);
    assert!(lost.stdout.contains("api/books.yaml"), "{}", lost.stdout);
}

#[test]
fn what_is_no_contract_is_told_with_what_was_looked_for() {
    let desk = Desk::new();
    let check = |text: &str, status: i32, says: &str| {
        desk.write("thing.yaml", text);
        let ran = desk.run(&["contract", "test", "thing.yaml", "--url", "http://127.0.0.1:9"]).exits(status);
        assert!(ran.stderr.contains(says), "{says:?} is not in {}", ran.stderr);
    };
    check("hello: world\n", 2, "`openapi`");
    // What is a contract, and none that this program knows, is no slip of the person's.
    check("openapi: 4.0.0\n", 3, "3.1");
    check("{\"openapi\": \"3.0.0\",", 2, "thing.yaml:1");
    check("", 2, "empty");
    let nothing = desk.run(&["contract", "test", "nowhere.yaml"]).exits(2);
    assert!(nothing.stderr.contains("nowhere.yaml"), "{}", nothing.stderr);
    desk.write("books.yaml", DOCUMENT);
    let loose = desk.run(&["contract", "test", "books.yaml", "--auth", "bearer:canary-7f3e91"]).exits(2);
    assert!(loose.stderr.contains("--url") && !loose.stderr.contains("canary-7f3e91"), "{}", loose.stderr);
    let kind = desk.run(&["contract", "test", "nowhere.yaml", "--auth", "barer:x"]).exits(2);
    assert!(kind.stderr.contains("bearer:TOKEN") && !kind.stderr.contains("barer:x"), "{}", kind.stderr);
}
