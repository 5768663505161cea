//! Services that keep to their documents in ways of their own: nothing of them is called a failure.

use std::{collections::HashMap, sync::Mutex};

use patchbay_contracts::{
    contract::{ContractOptions, ContractReport},
    run::Verdict,
};
use patchbay_engine::contract::{document::Document, openapi::verify};
use patchbay_tests::{
    contract::misses,
    http::{Received, Server, Step, answer, context, json as reply, serve},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

async fn held(paths: &str, server: &Server) -> ContractReport {
    let text = format!("openapi: 3.0.3\ninfo: {{ title: T, version: '1' }}\npaths:\n{paths}");
    let document = Document::read("contract.yaml", text.as_bytes()).unwrap_or_else(|problem| panic!("{problem}"));
    let options = ContractOptions { url: Some(server.url.clone()), ..ContractOptions::default() };
    verify(&context(), &document, &options, &CancellationToken::new(), |_| ()).await.unwrap_or_else(|problem| panic!("{problem}"))
}

fn bad() -> Vec<Step> {
    answer("400 Bad Request", "", "")
}

fn done() -> Vec<Step> {
    reply("200 OK", "{}")
}

/// The query's pairs, or a form's.
fn pairs(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn query(request: &Received) -> Vec<(String, String)> {
    pairs(request.path.split_once('?').map_or("", |(_, query)| query))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_has_nothing_but_texts() {
    let paths = "
  /people:
    post:
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded:
            schema:
              type: object
              required: [name, age]
              properties:
                name: { type: string }
                age: { type: integer, minimum: 0 }
                tags: { type: array, minItems: 1, items: { type: string } }
                kinds: { type: array, items: { type: string, enum: [a, b] } }
                near: { type: object, properties: { x: { type: integer } } }
            encoding: { kinds: { explode: false }, near: { style: deepObject, explode: true } }
      responses: { '200': { description: ok }, '400': { description: no } }
";
    let server = serve(|request, _| {
        let all = pairs(&request.body);
        let first = |name: &str| all.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let kinds = all.iter().filter(|(name, _)| name == "kinds").flat_map(|(_, value)| value.split(','));
        let right = first("name").is_some()
            && first("age").is_some_and(|age| age.parse::<f64>().is_ok_and(|age| age >= 0.0 && age.fract() == 0.0))
            && kinds.clone().all(|kind| matches!(kind, "a" | "b" | ""))
            && first("near").is_none()
            && first("near[x]").is_none_or(|x| x.parse::<f64>().is_ok());
        if right { done() } else { bad() }
    })
    .await;
    let report = held(paths, &server).await;
    assert_eq!((misses(&report), report.verdict), (Vec::new(), Verdict::Pass));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_is_not_there_is_not_broken() {
    let paths = "
  /found:
    get:
      parameters:
        - { name: filter, in: query, schema: { type: object, properties: { x: { type: integer } } } }
        - { name: plain, in: query, explode: false, schema: { type: object, properties: { y: { type: integer } } } }
        - { name: ids, in: query, explode: false, schema: { type: array, minItems: 1, items: { type: integer } } }
        - { name: X-Near, in: header, schema: { allOf: [{ type: object, properties: { far: { type: boolean }, at: { type: string }, in: { type: object, properties: { deep: { type: string } } } } }] } }
      responses: { '200': { description: ok }, '400': { description: no } }
  /found/{spot}:
    get:
      parameters:
        - { name: spot, in: path, required: true, style: label, explode: true, schema: { type: object, required: [x], properties: { x: { type: integer } } } }
      responses: { '200': { description: ok }, '400': { description: no } }
";
    let server = serve(|request, _| {
        let number = |text: &str| text.parse::<f64>().is_ok_and(|number| number.fract() == 0.0);
        let (path, _) = request.path.split_once('?').unwrap_or((&request.path, ""));
        if let Some(spot) = path.strip_prefix("/found/.") {
            // It reads up to the next dot.
            let x = spot.split('.').find_map(|part| part.strip_prefix("x="));
            return if x.is_some_and(number) { done() } else { bad() };
        }
        let near: Vec<&str> = request.header("x-near").map(|near| near.split(',').collect()).unwrap_or_default();
        let near = near.chunks(2).all(|pair| pair[0] != "far" || pair.get(1).is_some_and(|far| matches!(*far, "true" | "false")));
        let right = near
            && query(request).iter().all(|(name, value)| match name.as_str() {
                "x" => number(value),
                "plain" => value
                    .split(',')
                    .collect::<Vec<_>>()
                    .chunks(2)
                    .all(|pair| pair[0] != "y" || pair.get(1).is_some_and(|y| number(y))),
                "ids" => value.split(',').all(number),
                _ => true,
            });
        if right { done() } else { bad() }
    })
    .await;
    let report = held(paths, &server).await;
    assert_eq!((misses(&report), report.verdict), (Vec::new(), Verdict::Pass));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_was_only_guessed_may_be_refused() {
    let paths = "
  /notes:
    post:
      requestBody: { required: true, content: { application/xml: { schema: { type: object, required: [id], properties: { id: { type: integer } } } } } }
      responses: { '200': { description: ok }, '400': { description: no } }
  /pictures:
    post:
      requestBody: { required: true, content: { image/png: { schema: { type: string, format: binary } } } }
      responses: { '200': { description: ok }, '400': { description: no } }
  /anything:
    post:
      requestBody: { required: true, content: { application/json: {} } }
      responses: { '200': { description: ok }, '400': { description: no } }
  /given:
    post:
      requestBody: { required: true, content: { application/xml: { schema: { type: object }, example: '<note><id>1</id></note>' } } }
      responses: { '200': { description: ok }, '400': { description: no } }
";
    let server = serve(|request, _| if request.body.starts_with("<note>") { done() } else { bad() }).await;
    let report = held(paths, &server).await;
    let misses = misses(&report);
    assert_eq!(misses.len(), 3, "{misses:#?}");
    assert!(misses.iter().all(|miss| miss.contains(" inconclusive ") && !miss.contains("/given")), "{misses:#?}");
    assert_eq!(report.verdict, Verdict::Inconclusive);
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_that_clients_number_themselves_don_t_get_into_each_other_s_way() {
    let paths = "
  /pets:
    post:
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } }
      responses: { '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } }, '400': { description: no } }
  /pets/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    get: { responses: { '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } }, '400': { description: no }, '404': { description: none } } }
    delete: { responses: { '204': { description: gone }, '400': { description: no }, '404': { description: none } } }
components: { schemas: { Pet: { type: object, required: [id, name], properties: { id: { type: integer, example: 10 }, name: { type: string } } } } }
";
    for _ in 0..3 {
        let pets: Mutex<HashMap<i64, Value>> = Mutex::default();
        let server = serve(move |request, _| {
            let mut pets = pets.lock().expect("nobody has panicked");
            if request.method == "POST" {
                let sent: Value = serde_json::from_str(&request.body).unwrap_or_default();
                let typed = request.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
                let whole = |value: &Value| value.as_f64().filter(|number| number.fract() == 0.0).map(|number| number as i64);
                let (Some(id), true, true) = (whole(&sent["id"]), sent["name"].is_string(), typed) else { return bad() };
                pets.insert(id, sent.clone());
                return reply("200 OK", &sent.to_string());
            }
            let id = request.path.rsplit('/').next().unwrap_or_default();
            let Some(id) = id.parse::<f64>().ok().filter(|id| id.fract() == 0.0).map(|id| id as i64) else { return bad() };
            match (pets.get(&id).cloned(), request.method.as_str()) {
                (Some(_), "DELETE") => {
                    pets.remove(&id);
                    answer("204 No Content", "", "")
                }
                (Some(pet), "GET") => reply("200 OK", &pet.to_string()),
                _ => answer("404 Not Found", "", ""),
            }
        })
        .await;
        let report = held(paths, &server).await;
        assert_eq!((misses(&report), report.verdict), (Vec::new(), Verdict::Pass));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_about_what_no_request_has_is_no_fault_of_the_service() {
    let paths = "
  /users/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    get:
      operationId: user
      responses: { '200': { description: ok, links: { self: { operationId: user, parameters: { id: '$request.body#/id' } } } }, '400': { description: no } }
";
    let server = serve(|request, _| {
        let id = request.path.rsplit('/').next().unwrap_or_default();
        if id.parse::<f64>().is_ok_and(|id| id.fract() == 0.0) { done() } else { bad() }
    })
    .await;
    let report = held(paths, &server).await;
    let misses = misses(&report);
    assert_eq!(misses.len(), 1, "{misses:#?}");
    assert!(misses[0].starts_with("GET /users/{id} link inconclusive") && misses[0].contains("$request.body#/id"), "{misses:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_were_made_up_are_nobody_s_secret() {
    let paths = "
  /open:
    get:
      parameters: [{ name: api_key, in: header, required: true, schema: { type: string } }, { name: sid, in: cookie, required: true, schema: { type: string, minLength: 4 } }]
      responses: { '200': { description: ok } }
";
    let server = serve(|_, _| reply("201 Created", r#"{ "text": "text" }"#)).await;
    let report = held(paths, &server).await;
    let shown = serde_json::to_string(&report).expect("it is JSON");
    assert!(shown.contains("sid=text") && !shown.contains("‹secret"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_media_type_is_asked_for_and_judged_by_itself() {
    let paths = "
  /report:
    get:
      responses:
        '200':
          description: ok
          content:
            application/json: { schema: { type: object, required: [a], properties: { a: { type: integer } } } }
            application/vnd.acme+json: { schema: { type: object, required: [b], properties: { b: { type: integer } } } }
            text/csv: { schema: { type: string } }
";
    // One that knows a single form, and one that knows all of them but one wrongly.
    let single = serve(|_, _| reply("200 OK", &json!({ "a": 1 }).to_string())).await;
    let report = held(paths, &single).await;
    assert_eq!((misses(&report), report.verdict), (Vec::new(), Verdict::Pass));
    let wrong = serve(|request, _| match request.header("accept") {
        Some("application/vnd.acme+json") => answer("200 OK", "content-type: application/vnd.acme+json\r\n", r#"{"a":1}"#),
        Some("text/csv") => answer("200 OK", "content-type: text/csv\r\n", "a\n1\n"),
        _ => reply("200 OK", r#"{"a":1}"#),
    })
    .await;
    let report = held(paths, &wrong).await;
    let misses = misses(&report);
    assert_eq!(misses.len(), 1, "{misses:#?}");
    assert!(misses[0].starts_with("GET /report response-schema fail"), "{misses:#?}");
}
