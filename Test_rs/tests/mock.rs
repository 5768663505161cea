//! Mocks of contracts of each kind: what they answer, what they refuse, what they remember, and that they pass the
//! verification of the contract that they are made of.

use patchbay_contracts::{
    Code,
    contract::{Check, ContractKind, ContractOptions, ContractReport, PactOptions},
    integration::{Auth, Method},
    probe::{ProbeRequest, Response},
    run::Verdict,
    sample::Faults,
};
use patchbay_engine::{
    contract::{
        Contract, Document,
        messages::{Input, MessageOptions, check},
        mock::{Mock, MockOptions},
        pact,
    },
    http::{Bounds, send},
};
use patchbay_tests::{
    contract::misses,
    http::context,
    messages::{ORDERS as EVENTS, faults},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// An API with what an API usually has.
const ORDERS: &str = include_str!("../fixtures/mock/orders.yaml");

async fn mock_with(text: &str, options: MockOptions) -> Mock {
    let document = Document::read("contract.yaml", text.as_bytes()).unwrap_or_else(|problem| panic!("{problem}"));
    Mock::start(&context(), &document, options).await.unwrap_or_else(|problem| panic!("{problem}"))
}

async fn mock(text: &str) -> Mock {
    mock_with(text, MockOptions { seed: None, ..MockOptions::default() }).await
}

struct Said {
    status: u16,
    body: Value,
    text: String,
    response: Response,
}

impl Said {
    fn header(&self, name: &str) -> Option<&str> {
        self.response.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

async fn ask_with(mock: &Mock, line: &str, headers: &[(&str, &str)], body: Option<&str>) -> Said {
    let (method, path) = line.split_once(' ').expect("METHOD /path");
    let mut headers: Vec<(String, String)> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    if body.is_some() && !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    let request = ProbeRequest {
        method: Method::named(method).expect("a method"),
        url: format!("{}{path}", mock.url()),
        headers,
        body: body.map(str::to_owned),
        ..ProbeRequest::default()
    };
    let report = send(&context(), &request, Bounds::default()).await;
    let response = report.response.unwrap_or_else(|| panic!("{line}: {:?}", report.problem));
    let text = response.body.text.clone().unwrap_or_default();
    let body = response.body.json.clone().or_else(|| serde_json::from_str(&text).ok()).unwrap_or(Value::Null);
    Said { status: response.status, body, text, response }
}

/// The same with the credential.
async fn ask(mock: &Mock, line: &str, body: Option<Value>) -> Said {
    let credential = format!("Bearer {}", mock.credential().expose());
    ask_with(mock, line, &[("authorization", &credential)], body.map(|body| body.to_string()).as_deref()).await
}

async fn verified(mock: &Mock, text: &str) -> ContractReport {
    let document = Document::read("contract.yaml", text.as_bytes()).expect("it is a contract");
    let auth = Auth::from_flag(&format!("bearer:{}", mock.credential().expose())).expect("it is one");
    let pact =
        PactOptions { states: Some(format!("{}/_patchbay/states", mock.url())), tear_down: true, ..PactOptions::default() };
    let options = match document.kind {
        ContractKind::Pact => ContractOptions { url: Some(mock.url()), pact, ..ContractOptions::default() },
        _ => ContractOptions { url: Some(mock.url()), auth: Some(auth), ..ContractOptions::default() },
    };
    let contract = match document.kind {
        ContractKind::Pact => Contract::Pacts(pact::Source::one(document.into())),
        _ => Contract::Document(document),
    };
    let verified = contract.verify(&context(), &options, &CancellationToken::new(), |_| ()).await;
    verified.unwrap_or_else(|problem| panic!("{problem}"))
}

#[tokio::test]
async fn examples_come_first_and_what_is_made_fits() {
    let mock = mock(ORDERS).await;
    let said = ask(&mock, "GET /orders", None).await;
    assert_eq!((said.status, said.body[0]["id"].as_str()), (200, Some("o-1")), "{}", said.text);
    let said = ask(&mock, "GET /orders/o-1", None).await;
    assert_eq!((said.status, &said.body["amount"]), (200, &json!(12.5)), "{}", said.text);
    // Nothing is given for it, so it is made; what the path says is in it.
    let said = ask(&mock, "GET /customers/c7", None).await;
    assert_eq!((said.status, said.body["id"].as_str()), (200, Some("c7")), "{}", said.text);
    assert!(said.body["email"].as_str().is_some_and(|mail| mail.contains('@')));
    assert_eq!(said.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn the_same_seed_makes_the_same_bodies() {
    let with = |seed| MockOptions { seed: Some(seed), ..MockOptions::default() };
    let mut bodies = Vec::new();
    for seed in [1, 1, 2] {
        let mock = mock_with(ORDERS, with(seed)).await;
        bodies.push(ask(&mock, "GET /customers/c7", None).await.text);
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_ne!(bodies[0], bodies[2]);
}

#[tokio::test]
async fn resources_are_made_read_changed_listed_and_deleted() {
    let mock = mock(ORDERS).await;
    let made = ask(&mock, "POST /orders", Some(json!({ "amount": 5, "currency": "EUR" }))).await;
    assert_eq!((made.status, &made.body["amount"], &made.body["currency"]), (201, &json!(5), &json!("EUR")), "{}", made.text);
    let id = made.body["id"].as_str().expect("an identity").to_owned();
    assert_eq!(made.header("location"), Some(format!("{}/orders/{id}", mock.url()).as_str()));
    let path = format!("/orders/{id}");
    let read = ask(&mock, &format!("GET {path}"), None).await;
    assert_eq!((read.status, read.body.clone()), (200, made.body.clone()));
    let listed = ask(&mock, "GET /orders", None).await;
    let ids: Vec<&str> = listed.body.as_array().expect("a list").iter().filter_map(|order| order["id"].as_str()).collect();
    assert_eq!(ids, ["o-1", &id]);
    assert_eq!(ask(&mock, "GET /orders?limit=1", None).await.body.as_array().map(Vec::len), Some(1));
    let changed = ask(&mock, &format!("PATCH {path}"), Some(json!({ "amount": 6 }))).await;
    assert_eq!((changed.status, &changed.body["amount"], &changed.body["currency"]), (200, &json!(6), &json!("EUR")));
    let put = ask(&mock, &format!("PUT {path}"), Some(json!({ "amount": 7, "currency": "USD" }))).await;
    assert_eq!((put.status, &put.body["currency"], put.body["id"].as_str()), (200, &json!("USD"), Some(id.as_str())));
    assert_eq!(ask(&mock, &format!("GET {path}"), None).await.body["amount"], json!(7));
    assert_eq!(ask(&mock, &format!("DELETE {path}"), None).await.status, 204);
    let gone = ask(&mock, &format!("GET {path}"), None).await;
    assert_eq!(
        (gone.status, gone.body["message"].as_str()),
        (404, Some(format!("There is no order {id}").as_str())),
        "{}",
        gone.text
    );
    assert_eq!(ask(&mock, &format!("DELETE {path}"), None).await.status, 404);
    // Another one gets an identity of its own.
    let other = ask(&mock, "POST /orders", Some(json!({ "amount": 1, "currency": "EUR" }))).await;
    assert_eq!(other.status, 201);
    assert_ne!(ask(&mock, "POST /orders", Some(json!({ "amount": 1, "currency": "EUR" }))).await.body["id"], other.body["id"]);
    // What lies within something that isn't there isn't there either.
    assert_eq!(ask(&mock, "GET /orders/nowhere/lines", None).await.status, 404);
    assert_eq!(ask(&mock, "GET /orders/o-1/lines", None).await.status, 200);
}

#[tokio::test]
async fn what_is_sent_is_validated_and_the_answer_says_where() {
    let mock = mock(ORDERS).await;
    for (line, body, status, pointer, told) in [
        ("POST /orders", Some(json!({ "amount": "5", "currency": "EUR" })), 422, "/amount", "a number is expected"),
        ("POST /orders", Some(json!({ "amount": 5 })), 422, "/currency", "is missing"),
        ("POST /orders", Some(json!({ "amount": 5, "currency": "FRF" })), 422, "/currency", "one of"),
        ("POST /orders", Some(json!({ "amount": -1, "currency": "EUR" })), 422, "/amount", "at least 0"),
        ("POST /orders", Some(json!({ "id": "x", "amount": 1, "currency": "EUR" })), 422, "/id", ""),
        ("POST /orders", None, 400, "", "There is no body"),
        ("GET /orders?limit=0", None, 400, "query.limit", "at least 1"),
        ("GET /orders?limit=many", None, 400, "query.limit", "a whole number is expected"),
        ("GET /orders?status=new&status=lost", None, 400, "query.status", "one of"),
        ("GET /search", None, 400, "query.q", "is missing"),
        ("GET /search?q=a&filter[max]=x", None, 400, "query.filter", "a number is expected"),
    ] {
        let said = ask(&mock, line, body.clone()).await;
        assert_eq!(said.status, status, "{line} {body:?}: {}", said.text);
        let message = said.body["message"].as_str().or(said.body["detail"].as_str()).unwrap_or_default();
        assert!(message.contains(told), "{line} {body:?}: {}", said.text);
        let field = said.body.get("field").or(said.body.get("pointer")).and_then(Value::as_str);
        assert_eq!(field.unwrap_or_default(), pointer, "{line} {body:?}: {}", said.text);
    }
    for (line, headers, body, status) in [
        ("POST /orders", vec![("content-type", "text/plain")], Some("x"), 415),
        ("POST /orders", vec![], Some("{\"amount\": 5,"), 400),
        ("GET /orders", vec![("accept", "image/png")], None, 406),
        ("GET /orders", vec![("accept", "text/html, application/*;q=0.5")], None, 200),
        ("GET /orders?status=new&status=paid&limit=2", vec![], None, 200),
        ("GET /search?q=a&filter[max]=5", vec![], None, 200),
        ("GET /nothing", vec![], None, 404),
        ("DELETE /orders", vec![], None, 405),
        ("HEAD /orders", vec![], None, 200),
        ("OPTIONS /orders", vec![], None, 204),
    ] {
        let credential = format!("Bearer {}", mock.credential().expose());
        let mut all = headers.clone();
        all.push(("authorization", credential.as_str()));
        let said = ask_with(&mock, line, &all, body).await;
        assert_eq!(said.status, status, "{line} {headers:?}: {}", said.text);
        if status == 405 {
            assert_eq!(said.header("allow"), Some("GET, HEAD, OPTIONS, POST"));
        }
        if line.starts_with("HEAD") {
            assert_eq!(said.text, "");
        }
    }
}

#[tokio::test]
async fn what_is_protected_takes_one_credential() {
    let mock = mock(ORDERS).await;
    let token = mock.credential().expose().clone();
    for (headers, status) in [
        (vec![], 401),
        (vec![("authorization", "Bearer wrong".to_owned())], 401),
        (vec![("authorization", format!("Bearer {token}"))], 200),
        (vec![("x-api-key", token.clone())], 200),
        (vec![("x-api-key", "wrong".to_owned())], 401),
    ] {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let said = ask_with(&mock, "GET /orders", &headers, None).await;
        assert_eq!(said.status, status, "{headers:?}");
        assert_eq!(said.header("www-authenticate").is_some(), status == 401);
        // What isn't protected asks for nothing.
        assert_eq!(ask_with(&mock, "GET /health", &headers, None).await.status, 200);
    }
    let auth = Some(Auth::from_flag("basic:me:secret").expect("it is one"));
    let given = mock_with(ORDERS, MockOptions { auth, ..MockOptions::default() }).await;
    // me:secret and you:secret
    for (value, status) in [("Basic bWU6c2VjcmV0", 200), ("Basic eW91OnNlY3JldA==", 401)] {
        assert_eq!(ask_with(&given, "GET /admin", &[("authorization", value)], None).await.status, status, "{value}");
    }
}

#[tokio::test]
async fn requests_are_kept_in_mind_and_ports_are_told_apart() {
    let mock = mock(ORDERS).await;
    ask(&mock, "GET /orders?limit=1", None).await;
    ask(&mock, "GET /nothing", None).await;
    let seen: Vec<(String, String, u16)> =
        mock.requests().into_iter().map(|request| (request.method, request.path, request.status)).collect();
    assert_eq!(seen, [("GET".to_owned(), "/orders?limit=1".to_owned(), 200), ("GET".to_owned(), "/nothing".to_owned(), 404)]);
    let port = mock.url().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let document = Document::read("contract.yaml", ORDERS.as_bytes()).expect("it is a contract");
    let taken = Mock::start(&context(), &document, MockOptions { port, ..MockOptions::default() }).await;
    assert_eq!(taken.map(drop).expect_err("it is taken").code, Code::InUse);
    let url = mock.url();
    drop(mock);
    let report = send(&context(), &ProbeRequest { url, ..ProbeRequest::default() }, Bounds::default()).await;
    assert!(report.response.is_none(), "it has stopped");
}

#[tokio::test]
async fn a_mock_of_an_api_passes_its_contract() {
    for (name, text) in [("orders", ORDERS), ("swagger", include_str!("../fixtures/mock/swagger.json"))] {
        let mock = mock(text).await;
        let report = verified(&mock, text).await;
        assert_eq!((misses(&report), report.verdict), (Vec::new(), Verdict::Pass), "{name}: {:?}", report.problems);
        assert!(report.endpoints.iter().all(|endpoint| endpoint.cases > 0), "{name}");
    }
}

#[tokio::test]
async fn what_clients_number_is_there_once_and_paths_end_before_their_fragment() {
    let text = |conflict: &str| {
        format!(
            "openapi: 3.0.3\ninfo: {{ title: T, version: '1' }}\npaths:\n  /tags:\n    post:\n      requestBody: {{ required: true, \
             content: {{ application/json: {{ schema: {{ type: object, required: [label], properties: {{ label: {{ type: string }} }} }} }} }} }}\n      \
             responses: {{ '201': {{ description: made, content: {{ application/json: {{ schema: {{ type: object, properties: {{ label: {{ type: string }} }} }} }} }} }}, \
             '400': {{ description: no }}{conflict} }}\n  /tags/{{label}}:\n    get: {{ parameters: [{{ name: label, in: path, required: true, schema: {{ type: string }} }}], \
             responses: {{ '200': {{ description: ok }}, '404': {{ description: none }} }} }}\n  /login#refresh: {{ post: {{ responses: {{ '204': {{ description: ok }} }} }} }}\n"
        )
    };
    for (conflict, second) in [("", 201), (", '409': { description: there }", 409)] {
        let mock = mock(&text(conflict)).await;
        let made = ask(&mock, "POST /tags", Some(json!({ "label": "blue" }))).await;
        assert_eq!((made.status, &made.body["label"]), (201, &json!("blue")));
        let again = ask(&mock, "POST /tags", Some(json!({ "label": "blue" }))).await;
        assert_eq!(again.status, second);
        assert_eq!(ask(&mock, "GET /tags/blue", None).await.status, 200);
        assert_eq!(ask(&mock, "POST /login", None).await.status, 204);
    }
}

#[tokio::test]
async fn numbers_are_given_once() {
    for (most, all) in [(3, vec!["1", "2", "3", "1004", "1005"]), (10_000, vec!["1001", "1002", "1003", "1004", "1005"])] {
        let text = format!(
            "openapi: 3.0.3\ninfo: {{ title: T, version: '1' }}\npaths:\n  /jobs:\n    post: {{ responses: {{ '201': {{ description: made, \
             content: {{ application/json: {{ schema: {{ type: object, properties: {{ id: {{ type: integer }} }} }} }} }} }} }} }}\n  /jobs/{{id}}:\n    \
             delete: {{ parameters: [{{ name: id, in: path, required: true, schema: {{ type: integer, minimum: 1, maximum: {most} }} }}], \
             responses: {{ '204': {{ description: ok }}, '404': {{ description: none }} }} }}\n"
        );
        let mock = mock(&text).await;
        let mut given = Vec::new();
        for _ in 0..5 {
            let made = ask(&mock, "POST /jobs", None).await.body["id"].to_string();
            // One that the path doesn't take is refused there.
            let gone = ask(&mock, &format!("DELETE /jobs/{made}"), None).await.status;
            assert_eq!(gone, if made.len() > 1 && most == 3 { 400 } else { 204 });
            given.push(made);
        }
        assert_eq!(given, all);
    }
}

#[tokio::test]
async fn faults_make_the_verification_fail_in_their_place() {
    for (fault, expected) in [
        ("wrong-status", vec![Check::Status]),
        ("missing-field", vec![Check::ResponseSchema]),
        ("type-change", vec![Check::ResponseSchema]),
        ("errors=100%", vec![Check::ServerError]),
    ] {
        let mut wrong = Faults::default();
        wrong.turn_on(fault).expect("it is a fault");
        let mock = mock_with(ORDERS, MockOptions { faults: wrong, ..MockOptions::default() }).await;
        let report = verified(&mock, ORDERS).await;
        assert_eq!(report.verdict, Verdict::Fail, "{fault}");
        let found: Vec<Check> = report
            .endpoints
            .iter()
            .flat_map(|endpoint| &endpoint.checks)
            .filter(|check| check.verdict == Verdict::Fail)
            .map(|check| check.check)
            .collect();
        assert!(expected.iter().all(|check| found.contains(check)), "{fault}: {:?}", misses(&report));
    }
}

#[tokio::test]
async fn a_mock_of_messages_gives_messages_that_hold() {
    const ASYNC: &str = "asyncapi: 3.0.0\ninfo: { title: a, version: '1' }\nchannels:\n  c:\n    address: c\n    messages:\n      left: { headers: { type: object, required: [tenant], properties: { tenant: { type: string } } }, correlationId: { location: '$message.header#/cid' }, payload: { type: object, required: [why, at], properties: { why: { enum: [bored, ill] }, at: { type: string, format: date-time } } } }\n";
    const CLOUD: &str = "messages:\n  envelope: cloudevents\n  types: [{ type: a.b, version: '1', schema: { n: integer } }, { type: c.d, schema: { s: uuid } }]\n";
    const OWN: &str = "messages:\n  envelope: { type: object, required: [header, body], properties: { header: { type: object, required: [uid, kind], properties: { uid: { type: string }, kind: { type: string } } } } }\n  fields: { id: /header/uid, type: /header/kind, data: /body, metadata: /header }\n  metadata: { tenant: string }\n  types: [{ type: a, schema: { n: integer } }]\n";
    for contract in [EVENTS, ASYNC, CLOUD, OWN] {
        for seed in [None, Some(7)] {
            let mock = mock_with(contract, MockOptions { seed, ..MockOptions::default() }).await;
            let said = ask(&mock, "GET /messages?count=5", None).await;
            assert_eq!(said.status, 200, "{}", said.text);
            let document = Document::read("contract.yaml", contract.as_bytes()).expect("it is a contract");
            let inputs = vec![Input::Stream {
                name: "mock".to_owned(),
                reader: Box::new(std::io::Cursor::new(said.text.clone().into_bytes())),
            }];
            let report =
                check(&context(), &document, inputs, &MessageOptions::default(), &CancellationToken::new(), |_| ()).await;
            let report = report.expect("it can be judged");
            assert_eq!((faults(&report), report.verdict), (Vec::new(), Verdict::Pass), "{contract}\n{}", said.text);
            assert!(
                report.coverage.expect("it says what came").operations.iter().all(|operation| operation.called),
                "{contract}"
            );
        }
    }
    let mock = mock(EVENTS).await;
    let said = ask(&mock, "GET /messages/order.paid?count=2", None).await;
    assert_eq!((said.status, said.body.as_array().map(Vec::len)), (200, Some(2)));
    for (line, status) in
        [("GET /messages/order.lost", 404), ("GET /messages?count=0", 400), ("POST /messages", 405), ("GET /else", 404)]
    {
        assert_eq!(ask(&mock, line, None).await.status, status, "{line}");
    }
}

#[tokio::test]
async fn a_mock_of_a_schema_gives_documents_that_fit_and_judges_others() {
    let schema = r##"{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "required": ["id", "tags"],
        "definitions": {"tag": {"type": "string", "minLength": 3}},
        "properties": {"id": {"type": "integer", "minimum": 10}, "tags": {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/tag"}}}}"##;
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).expect("JSON")).expect("a schema");
    let mock = mock_with(schema, MockOptions { seed: Some(3), ..MockOptions::default() }).await;
    let said = ask(&mock, "GET /", None).await;
    assert!(said.status == 200 && validator.is_valid(&said.body), "{}", said.text);
    let said = ask(&mock, "GET /?count=20", None).await;
    assert!(
        said.body.as_array().is_some_and(|all| all.len() == 20 && all.iter().all(|one| validator.is_valid(one))),
        "{}",
        said.text
    );
    assert_eq!(ask(&mock, "POST /", Some(json!({ "id": 10, "tags": ["abc"] }))).await.status, 200);
    let said = ask(&mock, "POST /", Some(json!({ "id": 10, "tags": ["a"] }))).await;
    assert_eq!((said.status, said.body["pointer"].as_str()), (422, Some("/tags/0")), "{}", said.text);
}

#[tokio::test]
async fn a_mock_of_an_integration_passes_its_contract() {
    let contract = |url: &str| {
        format!(
            r#"integration:
  name: orders
  base_url: {url}
  endpoints:
    - name: create
      method: POST
      path: /orders
      request: {{ body: {{ amount: 9.5, currency: USD }} }}
      request_schema: {{ amount: number, currency: string }}
      expect:
        status: 201
        headers: {{ Content-Type: application/json, X-Version: "*" }}
        conditions: ["[BODY].status == created", "[BODY].amount > 9", "len([BODY].lines) == 2"]
      response_schema: {{ id: integer, status: string, amount: number, lines: [{{ sku: string }}] }}
      capture: {{ order_id: $.id, version: "header:X-Version" }}
    - name: read
      path: /orders/${{order_id}}
      response_schema: {{ type: object, required: [id], properties: {{ id: {{ type: integer }}, state: {{ enum: [open, closed] }} }} }}
      expect: {{ conditions: ["[BODY].id == ${{order_id}}", "has([BODY].links.self) == true"] }}
    - name: remove
      method: DELETE
      path: /orders/${{order_id}}
      expect: {{ status: 204 }}
    - name: read again
      path: /orders/${{order_id}}
      expect: {{ status: 404 }}
"#
        )
    };
    let mock = mock(&contract("http://127.0.0.1")).await;
    let report = patchbay_tests::contract::run(&contract(&mock.url())).await;
    assert_eq!((misses(&report), report.verdict), (Vec::new(), Verdict::Pass));
    let said = ask(&mock, "POST /orders", Some(json!({ "amount": "x", "currency": "USD" }))).await;
    assert_eq!((said.status, said.body["pointer"].as_str()), (400, Some("/amount")), "{}", said.text);
    assert_eq!(ask(&mock, "GET /else", None).await.status, 404);
    assert_eq!(ask(&mock, "PUT /orders", None).await.status, 405);
    let faults = Faults { missing_field: true, ..Faults::default() };
    let mock = mock_with(&contract("http://127.0.0.1"), MockOptions { faults, ..MockOptions::default() }).await;
    let report = patchbay_tests::contract::run(&contract(&mock.url())).await;
    assert!(misses(&report).iter().any(|miss| miss.starts_with("create response-schema fail")), "{:?}", misses(&report));
}

const PACT: &str = r#"{
  "consumer": {"name": "shop"}, "provider": {"name": "orders"},
  "interactions": [
    {"description": "an order that is there", "providerStates": [{"name": "order 1 exists"}],
     "request": {"method": "GET", "path": "/orders/1", "query": {"full": ["yes"]}},
     "response": {"status": 200, "headers": {"Content-Type": "application/json"}, "body": {"id": 1, "state": "open"},
       "matchingRules": {"body": {"$.id": {"matchers": [{"match": "integer"}]}}}}},
    {"description": "an order that isn't there", "providerStates": [{"name": "there are no orders"}],
     "request": {"method": "GET", "path": "/orders/1", "query": {"full": ["yes"]}},
     "response": {"status": 404}},
    {"description": "a new order",
     "request": {"method": "POST", "path": "/orders", "headers": {"Content-Type": "application/json"}, "body": {"amount": 5},
       "matchingRules": {"body": {"$.amount": {"matchers": [{"match": "number"}]}}}},
     "response": {"status": 201, "body": {"id": 2}}}
  ],
  "metadata": {"pactSpecification": {"version": "3.0.0"}}
}"#;

#[tokio::test]
async fn a_mock_of_a_pact_answers_its_interactions() {
    let mock = mock(PACT).await;
    for (line, headers, body, status) in [
        ("GET /orders/1?full=yes", vec![("x-patchbay-state", "order 1 exists")], None, 200),
        ("GET /orders/1?full=yes", vec![("x-patchbay-state", "there are no orders")], None, 404),
        ("GET /orders/1?full=no", vec![], None, 400),
        ("POST /orders", vec![], Some("{\"amount\": 77}"), 201),
        ("POST /orders", vec![], Some("{\"amount\": \"x\"}"), 400),
        ("GET /nothing", vec![], None, 404),
    ] {
        let said = ask_with(&mock, line, &headers, body).await;
        assert_eq!(said.status, status, "{line} {headers:?}: {}", said.text);
    }
    // As a verification does it: the state is set up, and then the request is made.
    for (state, status) in [("there are no orders", 404), ("order 1 exists", 200)] {
        let said = ask(&mock, "POST /_patchbay/states", Some(json!({ "state": state, "action": "setup" }))).await;
        assert_eq!(said.status, 200, "{}", said.text);
        assert_eq!(ask_with(&mock, "GET /orders/1?full=yes", &[], None).await.status, status, "{state}");
        ask(&mock, "POST /_patchbay/states", Some(json!({ "state": state, "action": "teardown" }))).await;
    }
}

#[tokio::test]
async fn a_mock_of_a_pact_passes_it() {
    // What a pact has recorded is taken, even where its own rules are against it; another such body isn't.
    let strict = PACT.replace(r#"{"match": "number"}"#, r#"{"match": "regex", "regex": "[A-Z]+"}"#);
    for text in [PACT, &strict] {
        let mock = mock(text).await;
        let report = verified(&mock, text).await;
        assert_eq!((misses(&report), report.verdict), (Vec::new(), Verdict::Pass));
    }
    assert_eq!(ask_with(&mock(&strict).await, "POST /orders", &[], Some("{\"amount\": 77}")).await.status, 400);
}

#[tokio::test]
async fn broken_contracts_are_told_and_not_served() {
    for (text, code) in [
        ("integration: { name: a, endpoints: [] }", Code::InvalidDefinition),
        ("integration: { name: a, endpoints: [{ path: 5 }] }", Code::InvalidDefinition),
        ("{\"consumer\": {\"name\": \"a\"}, \"provider\": {\"name\": \"b\"}, \"interactions\": [5]}", Code::InvalidDefinition),
        ("messages: { envelope: nothing }", Code::InvalidDefinition),
    ] {
        let document = Document::read("contract.yaml", text.as_bytes()).expect("it is a contract by its form");
        let outcome = Mock::start(&context(), &document, MockOptions::default()).await;
        let problem = outcome.err().unwrap_or_else(|| panic!("{text} is served"));
        assert_eq!(problem.code, code, "{text}");
    }
}
