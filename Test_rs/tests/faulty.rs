//! The service with deliberate faults: each fault can be seen from outside, and its clean twin has none of them.

use std::time::{Duration, Instant};

use patchbay_tests::faulty::{
    document::{openapi_3_0, openapi_3_1},
    faults::{FAULTS, Fault, numbered},
    requests::{KEY, TOKEN},
    schemas::{Direction, meaning},
    service,
    store::{KNOWN_CUSTOMER, KNOWN_EXPORT, KNOWN_ORDER, KNOWN_SKU},
};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

/// The service in this process.
struct Peer {
    url: String,
    client: Client,
}

/// What came back.
struct Reply {
    status: u16,
    headers: reqwest::header::HeaderMap,
    bytes: Vec<u8>,
}

impl Reply {
    /// The body, or null where it is no JSON.
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn id(&self) -> String {
        self.json()["id"].as_str().unwrap_or_default().to_owned()
    }
}

impl Peer {
    async fn start(fault: Option<&Fault>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let service = service(fault);
        // Nothing is encrypted here, and the client asks for a provider all the same. Another test may have brought it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { url, client: Client::builder().no_proxy().build().expect("a client") }
    }

    fn bare(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.client.request(method, format!("{}{path}", self.url))
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let request_id = "7f1f3c8e-0b5a-4d5e-9a49-0c5d2a1b3c4d";
        self.bare(method, path).bearer_auth(TOKEN).header("X-API-Key", KEY).header("X-Request-Id", request_id)
    }

    async fn get(&self, path: &str) -> Reply {
        receive(self.request("GET", path)).await
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Reply {
        receive(self.request(method, path).header("content-type", "application/json").body(body.to_string())).await
    }
}

async fn receive(request: RequestBuilder) -> Reply {
    let response = request.send().await.expect("the service answers");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Reply { status, headers, bytes: response.bytes().await.expect("a body").to_vec() }
}

fn order() -> Value {
    json!({"customerId": KNOWN_CUSTOMER, "currency": "EUR", "priority": 5, "note": "Ring twice.",
        "items": [{"sku": KNOWN_SKU, "quantity": 2, "unitPriceCents": 1250}]})
}

fn customer() -> Value {
    json!({"name": "Ada Byron", "email": "ada@example.com", "password": "correct-horse", "addresses": [],
        "contact": {"type": "email", "email": "ada@example.com"}})
}

fn with(mut value: Value, pointer: &str, new: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    value.pointer_mut(parent).expect("a parent")[name] = new;
    value
}

fn product() -> Value {
    json!({"kind": "physical", "name": "Hammer", "category": "tools", "tags": ["steel"], "weightGrams": 800,
        "price": {"amountCents": 1999, "currency": "EUR"}})
}

/// Whether a service shows the fault of that name to somebody who looks for it.
async fn shows(peer: &Peer, name: &str) -> bool {
    let known_order = format!("/orders/{KNOWN_ORDER}");
    let known_customer = format!("/customers/{KNOWN_CUSTOMER}");
    let patch = |body: Value| async move { peer.send("PATCH", &format!("/orders/{KNOWN_ORDER}"), &body).await };
    match name {
        "order-total-is-text" => peer.get(&known_order).await.json()["totalCents"].is_string(),
        "created-at-missing" => peer.send("POST", "/orders", &order()).await.json().get("createdAt").is_none(),
        "customer-extra-field" => peer.get(&known_customer).await.json().get("riskScore").is_some(),
        "order-updated-null" => peer.get(&known_order).await.json()["updatedAt"].is_null(),
        "status-misspelt" => patch(json!({"status": "cancelled"})).await.json()["status"] == "canceled",
        "export-date-format" => {
            peer.get(&format!("/exports/{KNOWN_EXPORT}")).await.json()["finishedAt"].as_str().is_some_and(|at| !at.contains('T'))
        }
        "customer-created-200" => peer.send("POST", "/customers", &customer()).await.status == 200,
        "receipt-as-html" => peer.get(&format!("{known_order}/receipt")).await.header("content-type").starts_with("text/html"),
        "total-count-missing" => peer.get("/orders").await.header("x-total-count").is_empty(),
        "location-wrong" => {
            let created = peer.send("POST", "/orders", &order()).await;
            peer.get(created.header("location")).await.status == 404
        }
        "empty-note-500" => patch(json!({"note": ""})).await.status == 500,
        "limit-boundary-500" => {
            peer.get("/orders?limit=99").await.status == 200 && peer.get("/orders?limit=100").await.status == 500
        }
        "unicode-name-500" => peer.send("POST", "/customers", &with(customer(), "/name", json!("Zoë"))).await.status == 500,
        "missing-contact-500" => {
            let mut lonely = customer();
            lonely.as_object_mut().expect("an object").shift_remove("contact");
            peer.send("POST", "/customers", &lonely).await.status == 500
        }
        "long-note-refused" => patch(json!({"note": "n".repeat(256)})).await.status == 422,
        "malformed-json-500" => {
            let broken = peer.request("POST", "/orders").header("content-type", "application/json").body("{\"currency\":");
            receive(broken).await.status == 500
        }
        "two-tags-500" => {
            peer.get("/products?tag=new").await.status == 200 && peer.get("/products?tag=new&tag=sale").await.status == 500
        }
        "quantity-limit" => peer.send("POST", "/orders", &with(order(), "/items/0/quantity", json!(1001))).await.status == 201,
        "status-filter-enum" => peer.get("/orders?status=lost").await.status == 200,
        "export-format-optional" => peer.send("POST", "/exports", &json!({"from": "2026-01-01"})).await.status == 202,
        "priority-as-text" => patch(json!({"priority": "3"})).await.status == 200,
        "export-without-token" => receive(peer.bare("GET", &format!("/exports/{KNOWN_EXPORT}"))).await.status == 200,
        "any-token" => receive(peer.bare("GET", "/orders").bearer_auth("somebody-else's")).await.status == 200,
        "any-key" => {
            let bare = peer.bare("PUT", "/products/TOL-9999").bearer_auth(TOKEN).header("content-type", "application/json");
            receive(bare.body(product().to_string())).await.status == 201
        }
        _ => shows_over_time(peer, name).await,
    }
}

/// The same for faults that need more than one request, or a closer look at one.
async fn shows_over_time(peer: &Peer, name: &str) -> bool {
    let known_order = format!("/orders/{KNOWN_ORDER}");
    let known_customer = format!("/customers/{KNOWN_CUSTOMER}");
    match name {
        "deleted-order-readable" => {
            assert_eq!(receive(peer.request("DELETE", &known_order)).await.status, 204);
            peer.get(&known_order).await.status == 200
        }
        "created-customer-unreadable" => {
            let created = peer.send("POST", "/customers", &customer()).await;
            assert_eq!(created.status, 201);
            peer.get(&format!("/customers/{}", created.id())).await.status == 404
        }
        "created-order-changed" => {
            let created = peer.send("POST", "/orders", &order()).await;
            assert_eq!(created.json()["priority"], 5);
            peer.get(&format!("/orders/{}", created.id())).await.json()["priority"] != 5
        }
        "customer-update-lost" => {
            let replaced = peer.send("PUT", &known_customer, &customer()).await;
            assert_eq!(replaced.json()["name"], "Ada Byron");
            peer.get(&known_customer).await.json()["name"] != "Ada Byron"
        }
        "patch-drops-note" => {
            assert_eq!(peer.get(&known_order).await.json()["note"], "Ring twice.");
            assert_eq!(peer.send("PATCH", &known_order, &json!({"priority": 4})).await.status, 200);
            peer.get(&known_order).await.json()["note"].is_null()
        }
        "export-link-dead" => {
            let created = peer.send("POST", "/exports", &json!({"format": "csv"})).await;
            assert_eq!(created.status, 202);
            peer.get(&format!("/exports/{}", created.id())).await.status == 404
        }
        "password-shown" => peer.get(&known_customer).await.json().get("password").is_some(),
        "client-chosen-id" => {
            let id = "11111111-2222-4333-8444-555555555555";
            peer.send("POST", "/customers", &with(customer(), "/id", json!(id))).await.id() == id
        }
        "page-too-long" => peer.get("/products?pageSize=50").await.json()["items"].as_array().map(Vec::len) == Some(51),
        "wrong-kind" => {
            let page = peer.get("/products?category=music").await.json();
            page["items"][0]["kind"] == "physical" && page["items"][0].get("downloadUrl").is_some()
        }
        "nested-quantity-text" => {
            let list = peer.get("/orders?limit=1").await.json();
            list.pointer("/items/0/items/1/quantity").is_some_and(Value::is_string)
        }
        "head-not-routed" => {
            let path = format!("/products/{KNOWN_SKU}");
            assert_eq!(peer.get(&path).await.status, 200);
            receive(peer.request("HEAD", &path)).await.status == 405
        }
        "health-slow" => {
            let started = Instant::now();
            assert_eq!(receive(peer.bare("GET", "/health")).await.status, 200);
            started.elapsed() >= Duration::from_millis(1500)
        }
        "list-cut-off" => {
            let list = peer.get("/orders?status=shipped").await;
            list.status == 200 && list.json().is_null()
        }
        "name-latin-1" => String::from_utf8(peer.get(&known_customer).await.bytes).is_err(),
        "not-found-body" => {
            let missing = peer.get("/orders/ffffffff-0000-4000-8000-000000000000").await;
            assert_eq!(missing.status, 404);
            missing.json().get("code").is_none()
        }
        other => panic!("nobody has said how {other} is seen"),
    }
}

#[tokio::test]
async fn each_fault_shows_and_the_clean_twin_has_none() {
    for fault in FAULTS {
        assert!(shows(&Peer::start(Some(fault)).await, fault.name).await, "fault {} {} can't be seen", fault.number, fault.name);
        assert!(!shows(&Peer::start(None).await, fault.name).await, "the clean twin shows {}", fault.name);
    }
}

#[test]
fn the_list_of_faults_is_whole() {
    assert_eq!(FAULTS.len(), 40);
    let document = openapi_3_0();
    let mut names: Vec<&str> = FAULTS.iter().map(|fault| fault.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 40, "each name is there once");
    for (at, fault) in FAULTS.iter().enumerate() {
        assert_eq!(fault.number as usize, at + 1);
        assert_eq!(numbered(fault.number), Some(fault));
        let (method, path) = fault.operation.split_once(' ').expect("METHOD /path");
        assert!(document["paths"][path].get(method.to_lowercase()).is_some(), "{} is no operation", fault.operation);
        let known = patchbay_contracts::contract::Check::named(fault.check);
        assert!(known.is_some(), "{} is no check", fault.check);
    }
}

/// A request of the hostile list, and the status that the clean twin owes it.
struct Owed(u16, RequestBuilder, &'static str);

fn hostile(peer: &Peer) -> Vec<Owed> {
    let json_body = |method: &str, path: &str, body: &str| {
        peer.request(method, path).header("content-type", "application/json").body(body.to_owned())
    };
    let order_path = format!("/orders/{KNOWN_ORDER}");
    let post_order = |body: Value| json_body("POST", "/orders", &body.to_string());
    let post_customer = |body: Value| json_body("POST", "/customers", &body.to_string());
    let form = |body: &str| {
        peer.bare("POST", "/login").header("content-type", "application/x-www-form-urlencoded").body(body.to_owned())
    };
    vec![
        Owed(200, peer.bare("GET", "/health"), "/health"),
        Owed(422, peer.bare("GET", "/health?more=1"), "/health"),
        Owed(401, peer.bare("GET", "/orders?limit=x"), "/orders"),
        Owed(401, peer.bare("GET", "/orders").header("authorization", format!("Basic {TOKEN}")), "/orders"),
        Owed(422, peer.request("GET", "/orders?limit=0"), "/orders"),
        Owed(422, peer.request("GET", "/orders?limit=101"), "/orders"),
        Owed(422, peer.request("GET", "/orders?limit=%2B5"), "/orders"),
        Owed(422, peer.request("GET", "/orders?limit=5.0"), "/orders"),
        Owed(422, peer.request("GET", "/orders?limit=1&limit=2"), "/orders"),
        Owed(422, peer.request("GET", "/orders?limit=99999999999999999999999"), "/orders"),
        Owed(422, peer.request("GET", "/orders?createdAfter=2026-02-30T00:00:00Z"), "/orders"),
        Owed(422, peer.request("GET", "/orders?status=%FF"), "/orders"),
        Owed(200, peer.request("GET", "/orders?limit=100&offset=10000"), "/orders"),
        Owed(422, peer.request("GET", "/orders/not-an-id"), "/orders/{orderId}"),
        Owed(422, peer.request("GET", "/orders/%FF"), "/orders/{orderId}"),
        Owed(404, peer.request("GET", "/orders/ffffffff-0000-4000-8000-000000000000"), "/orders/{orderId}"),
        Owed(404, json_body("PATCH", "/orders/ffffffff-0000-4000-8000-000000000000", "{\"priority\":1}"), "/orders/{orderId}"),
        Owed(422, json_body("PATCH", "/orders/ffffffff-0000-4000-8000-000000000000", "{}"), "/orders/{orderId}"),
        Owed(422, json_body("PATCH", &order_path, "{\"priority\":6}"), "/orders/{orderId}"),
        Owed(422, json_body("PATCH", &order_path, "{\"discountPercent\":100}"), "/orders/{orderId}"),
        Owed(200, json_body("PATCH", &order_path, "{\"discountPercent\":99.5,\"priority\":2.0}"), "/orders/{orderId}"),
        Owed(200, json_body("PATCH", &order_path, "{\"note\":null}"), "/orders/{orderId}"),
        Owed(200, json_body("PATCH", &order_path, &json!({"note": "ß".repeat(500)}).to_string()), "/orders/{orderId}"),
        Owed(422, json_body("PATCH", &order_path, &json!({"note": "ß".repeat(501)}).to_string()), "/orders/{orderId}"),
        Owed(201, post_order(order()), "/orders"),
        Owed(422, post_order(with(order(), "/extra", json!(1))), "/orders"),
        Owed(422, post_order(with(order(), "/items", json!([]))), "/orders"),
        Owed(422, post_order(with(order(), "/items/0/quantity", json!(1e300))), "/orders"),
        Owed(422, post_order(with(order(), "/customerId", json!("7f1f3c8e"))), "/orders"),
        Owed(
            422,
            peer.bare("POST", "/orders").bearer_auth(TOKEN).header("content-type", "application/json").body(order().to_string()),
            "/orders",
        ),
        Owed(400, json_body("POST", "/orders", ""), "/orders"),
        Owed(400, json_body("POST", "/orders", "{\"currency\": \"\\ud800\"}"), "/orders"),
        Owed(400, json_body("POST", "/orders", &"[".repeat(100_000)), "/orders"),
        Owed(400, json_body("POST", "/orders", "{\"priority\": 1e999}"), "/orders"),
        Owed(400, peer.request("POST", "/orders").header("content-type", "application/json").body(vec![0xff, 0xfe]), "/orders"),
        Owed(400, peer.request("POST", "/orders"), "/orders"),
        Owed(415, peer.request("POST", "/orders").header("content-type", "text/plain").body(order().to_string()), "/orders"),
        Owed(413, json_body("POST", "/orders", &" ".repeat((1 << 20) + 1)), "/orders"),
        Owed(422, post_customer(with(customer(), "/id", json!(KNOWN_CUSTOMER))), "/customers"),
        Owed(422, post_customer(with(customer(), "/email", json!("nobody"))), "/customers"),
        Owed(422, post_customer(with(customer(), "/contact/type", json!("phone"))), "/customers"),
        Owed(422, post_customer(with(customer(), "/password", json!("short"))), "/customers"),
        Owed(201, post_customer(with(customer(), "/name", json!("\u{0}\u{1F980}\u{202E}"))), "/customers"),
        Owed(422, peer.request("GET", "/products?tag=A"), "/products"),
        Owed(422, peer.request("GET", "/products?q="), "/products"),
        Owed(200, peer.request("GET", "/products?tag=new&tag=sale&sort=-price&pageSize=50"), "/products"),
        Owed(401, peer.bare("PUT", "/products/TOL-0001").bearer_auth(TOKEN).header("X-API-Key", "x"), "/products/{sku}"),
        Owed(401, peer.bare("PUT", "/products/TOL-0001").header("X-API-Key", KEY), "/products/{sku}"),
        Owed(200, json_body("PUT", "/products/TOL-0001", &product().to_string()), "/products/{sku}"),
        Owed(
            422,
            json_body("PUT", "/products/TOL-0001", &with(product(), "/kind", json!("digital")).to_string()),
            "/products/{sku}",
        ),
        Owed(404, peer.request("HEAD", "/products/ZZZ-0000"), "/products/{sku}"),
        Owed(202, json_body("POST", "/exports", "{\"format\":\"json\"}"), "/exports"),
        Owed(422, json_body("POST", "/exports", "{\"format\":\"json\",\"from\":\"2026-13-01\"}"), "/exports"),
        Owed(200, form("username=ada&password=correct-horse"), "/login"),
        Owed(401, form("username=ada&password=another-horse"), "/login"),
        Owed(422, form("username=ada&password=correct-horse&username=ada"), "/login"),
        Owed(422, form("username=ada"), "/login"),
        Owed(400, form("username=%FF&password=correct-horse"), "/login"),
    ]
}

#[tokio::test]
async fn the_clean_twin_holds_to_its_document_whatever_it_is_sent() {
    let peer = Peer::start(None).await;
    let document = openapi_3_0();
    for Owed(status, request, path) in hostile(&peer) {
        let request = request.build().expect("a request");
        let (method, shown) = (request.method().as_str().to_lowercase(), format!("{} {}", request.method(), request.url()));
        let reply = receive(RequestBuilder::from_parts(peer.client.clone(), request)).await;
        assert_eq!(reply.status, status, "{shown}: {}", String::from_utf8_lossy(&reply.bytes));
        let response = &document["paths"][path][&method]["responses"][status.to_string()];
        assert!(response.is_object(), "{shown}: {status} is not documented");
        let response = match response["$ref"].as_str() {
            Some(reference) => document.pointer(reference.trim_start_matches('#')).expect("it leads somewhere"),
            None => response,
        };
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            assert!(header["required"] != true || !reply.header(name).is_empty(), "{shown}: no {name}");
        }
        match response["content"].as_object().and_then(|content| content.iter().next()) {
            Some((media, content)) => {
                assert_eq!(reply.header("content-type"), media, "{shown}");
                let schema = meaning(&content["schema"], &document, Direction::Response);
                let rule = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).expect("a schema");
                let errors: Vec<String> = rule.iter_errors(&reply.json()).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{shown}: {errors:?}");
            }
            None => assert!(reply.bytes.is_empty(), "{shown}"),
        }
    }
}

#[tokio::test]
async fn a_method_or_an_address_that_is_not_there_is_said_so() {
    let peer = Peer::start(None).await;
    let wrong = peer.send("POST", &format!("/orders/{KNOWN_ORDER}"), &json!({})).await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, "GET, PATCH, DELETE"));
    for path in ["/", "/orders/", "/nothing", "/orders/a/b/c"] {
        let missing = peer.get(path).await;
        assert_eq!((missing.status, missing.json()["code"].as_str()), (404, Some("not_found")), "{path}");
    }
    assert_eq!(peer.get("/openapi.json").await.json(), openapi_3_0());
    assert_eq!(peer.get("/openapi-3.1.json").await.json(), openapi_3_1());
}

#[test]
fn the_newer_document_says_the_same_in_its_own_words() {
    let newer = openapi_3_1();
    let note = newer.pointer("/components/schemas/Order/properties/note").expect("a note");
    assert_eq!(note["type"], json!(["string", "null"]));
    let discount = newer.pointer("/components/schemas/Order/properties/discountPercent").expect("a discount");
    assert_eq!((discount["exclusiveMaximum"].clone(), discount.get("maximum")), (json!(100), None));
    assert!(!newer.to_string().contains("nullable"));
}

#[tokio::test]
async fn two_services_keep_nothing_in_common() {
    let (one, other) = (Peer::start(None).await, Peer::start(None).await);
    let created = one.send("POST", "/orders", &order()).await;
    assert_eq!(one.get(&format!("/orders/{}", created.id())).await.status, 200);
    assert_eq!(other.get(&format!("/orders/{}", created.id())).await.status, 404);
}
