//! A library with books, loans and readers that keeps to its OpenAPI document, but for one fault on demand.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// The token that the library takes.
pub const TOKEN: &str = "library-token-of-the-tests";

/// A library on loopback; gone when dropped.
pub struct Library {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    shelves: Arc<Shelves>,
    task: JoinHandle<()>,
}

impl Drop for Library {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Library {
    /// Each request so far: method, path with query, body.
    pub fn requests(&self) -> Vec<String> {
        self.shelves.requests.lock().expect("nobody panics").clone()
    }

    /// What is left in it.
    pub fn left(&self) -> usize {
        let state = self.shelves.state.lock().expect("nobody panics");
        state.books.len() + state.loans.len()
    }
}

#[derive(Default)]
struct Kept {
    books: BTreeMap<u64, Value>,
    loans: BTreeMap<(u64, u64), Value>,
    readers: BTreeMap<u64, Value>,
}

struct Shelves {
    fault: String,
    state: Mutex<Kept>,
    requests: Mutex<Vec<String>>,
    next: AtomicU64,
}

/// Starts a library with a fault; without any where `fault` is empty.
pub async fn library(fault: &str) -> Library {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has ports");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let shelves = Arc::new(Shelves {
        fault: fault.to_owned(),
        state: Mutex::default(),
        requests: Mutex::default(),
        next: AtomicU64::new(1),
    });
    let app = Router::new().fallback(answer).with_state(Arc::clone(&shelves));
    let task = tokio::spawn(async move {
        axum::serve(listener, app).await.expect("it serves until it is dropped");
    });
    Library { url, shelves, task }
}

/// Its document.
pub fn document(url: &str) -> Value {
    let mut document = DOCUMENT.clone();
    document["servers"] = json!([{ "url": url }]);
    document
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn media(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

fn refused(description: &str) -> Value {
    json!({ "description": description, "content": { "application/problem+json": { "schema": reference("Problem") } } })
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let problem =
        |codes: &[&str]| codes.iter().map(|code| ((*code).to_owned(), refused("refused"))).collect::<serde_json::Map<_, _>>();
    let with = |own: Value, codes: &[&str]| {
        let mut all = problem(codes);
        all.extend(own.as_object().expect("responses are an object").clone());
        Value::Object(all)
    };
    let id = |name: &str| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "integer", "minimum": 1 } });
    let book = json!({ "200": { "description": "a book", "headers": { "ETag": { "required": true, "schema": { "type": "string", "pattern": "^\"[0-9]+\"$" } } }, "content": media(reference("Book")) } });
    let secured = json!([{ "token": [] }]);
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Library", "version": "1.0" },
        "paths": {
            "/books": {
                "get": {
                    "operationId": "listBooks", "tags": ["books"],
                    "parameters": [
                        { "name": "limit", "in": "query", "schema": { "type": "integer", "minimum": 1, "maximum": 100 } },
                        { "name": "genre", "in": "query", "schema": reference("Genre") },
                        { "name": "q", "in": "query", "schema": { "type": "string", "maxLength": 50 } }
                    ],
                    "responses": with(json!({ "200": { "description": "books", "content": media(json!({
                        "type": "object", "required": ["items", "total"], "additionalProperties": false,
                        "properties": { "items": { "type": "array", "items": reference("Book") }, "total": { "type": "integer", "minimum": 0 } }
                    })) } }), &["400"])
                },
                "post": {
                    "operationId": "addBook", "tags": ["books"], "security": secured,
                    "requestBody": { "required": true, "content": media(reference("NewBook")) },
                    "responses": with(json!({ "201": {
                        "description": "added",
                        "headers": { "Location": { "required": true, "schema": { "type": "string", "format": "uri-reference" } } },
                        "content": media(reference("Book")),
                        "links": { "itself": { "operationId": "getBook", "parameters": { "bookId": "$response.body#/id" } } }
                    } }), &["401", "409", "415", "422", "400"])
                }
            },
            "/books/{bookId}": {
                "parameters": [id("bookId")],
                "get": { "operationId": "getBook", "tags": ["books"], "x-patchbay-latency": "300ms", "responses": with(book.clone(), &["400", "404"]) },
                "put": { "operationId": "replaceBook", "security": secured, "requestBody": { "required": true, "content": media(reference("NewBook")) }, "responses": with(book.clone(), &["400", "401", "404", "409", "415", "422"]) },
                "patch": { "operationId": "changeBook", "security": secured, "requestBody": { "required": true, "content": media(reference("BookChange")) }, "responses": with(book, &["400", "401", "404", "409", "415", "422"]) },
                "delete": { "operationId": "removeBook", "security": secured, "responses": with(json!({ "204": { "description": "removed" } }), &["400", "401", "404"]) }
            },
            "/books/{bookId}/loans": {
                "parameters": [id("bookId")],
                "post": { "operationId": "lend", "security": secured, "requestBody": { "required": true, "content": media(reference("NewLoan")) }, "responses": with(json!({ "201": { "description": "lent", "content": media(reference("Loan")) } }), &["400", "401", "404", "415", "422"]) }
            },
            "/books/{bookId}/loans/{loanId}": {
                "parameters": [id("bookId"), id("loanId")],
                "get": { "operationId": "getLoan", "responses": with(json!({ "200": { "description": "a loan", "content": media(reference("Loan")) } }), &["400", "404"]) },
                "delete": { "operationId": "endLoan", "security": secured, "responses": with(json!({ "204": { "description": "ended" } }), &["400", "401", "404"]) }
            },
            "/readers": {
                "post": { "operationId": "addReader", "security": secured, "requestBody": { "required": true, "content": media(reference("NewReader")) }, "responses": with(json!({ "201": { "description": "added", "content": media(reference("Reader")) } }), &["400", "401", "409", "415", "422"]) }
            },
            "/readers/{readerId}": {
                "parameters": [id("readerId")],
                "get": { "operationId": "getReader", "responses": with(json!({ "200": { "description": "a reader", "content": media(reference("Reader")) } }), &["400", "404"]) },
                "delete": { "operationId": "removeReader", "security": secured, "responses": with(json!({ "200": { "description": "kept as removed", "content": media(reference("Reader")) } }), &["400", "401", "404"]) }
            }
        },
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": schemas()
        }
    })
});

fn schemas() -> Value {
    let fields = json!({
        "title": { "type": "string", "minLength": 1, "maxLength": 100 },
        "isbn": { "type": "string", "pattern": "^[0-9]{13}$" },
        "pages": { "type": "integer", "minimum": 1, "maximum": 10000 },
        "genre": reference("Genre"),
        "price": { "type": "number", "minimum": 0, "multipleOf": 0.01 },
        "published": { "type": "string", "format": "date" },
        "tags": { "type": "array", "maxItems": 5, "uniqueItems": true, "items": { "type": "string", "minLength": 1, "maxLength": 20 } },
        "rating": { "type": ["number", "null"], "minimum": 0, "maximum": 5 },
        "author": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string", "minLength": 1 }, "email": { "type": "string", "format": "email" } } }
    });
    let mut book = fields.clone();
    book["id"] = json!({ "type": "integer", "readOnly": true });
    book["added"] = json!({ "type": "string", "format": "date-time", "readOnly": true });
    json!({
        "Genre": { "type": "string", "enum": ["novel", "poetry", "science"] },
        "NewBook": { "type": "object", "additionalProperties": false, "required": ["title", "isbn", "pages"], "properties": fields },
        "BookChange": { "type": "object", "additionalProperties": false, "minProperties": 1, "properties": fields },
        "Book": { "type": "object", "additionalProperties": false, "required": ["id", "added", "title", "isbn", "pages"], "properties": book },
        "NewLoan": { "type": "object", "required": ["readerId", "days"], "properties": { "readerId": { "type": "integer" }, "days": { "type": "integer", "minimum": 1, "maximum": 60 }, "note": { "type": "string" } } },
        "Loan": { "type": "object", "required": ["id", "readerId", "days"], "properties": { "id": { "type": "integer" }, "readerId": { "type": "integer" }, "days": { "type": "integer" }, "note": { "type": "string" } } },
        "NewReader": { "type": "object", "required": ["email", "password"], "properties": { "email": { "type": "string", "format": "email" }, "password": { "type": "string", "minLength": 8, "writeOnly": true }, "name": { "type": "string", "maxLength": 40 } } },
        "Reader": { "type": "object", "required": ["id", "email", "status"], "properties": { "id": { "type": "integer" }, "email": { "type": "string", "format": "email" }, "name": { "type": "string" }, "status": { "enum": ["active", "removed"] }, "password": { "type": "string", "writeOnly": true } } },
        "Problem": { "type": "object", "required": ["title", "status"], "properties": { "title": { "type": "string" }, "status": { "type": "integer" } } }
    })
}

fn validator(name: &str) -> Arc<jsonschema::Validator> {
    static BUILT: LazyLock<Mutex<BTreeMap<String, Arc<jsonschema::Validator>>>> = LazyLock::new(Mutex::default);
    let mut built = BUILT.lock().expect("nobody panics");
    Arc::clone(built.entry(name.to_owned()).or_insert_with(|| Arc::new(compiled(name))))
}

fn compiled(name: &str) -> jsonschema::Validator {
    let schema = json!({ "$ref": format!("#/components/schemas/{name}"), "components": { "schemas": schemas() } });
    jsonschema::options().should_validate_formats(true).build(&schema).expect("the schemas are right")
}

fn reply(status: u16, kind: &str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    if !kind.is_empty() {
        response.headers_mut().insert(header::CONTENT_TYPE, kind.parse().expect("a media type"));
    }
    response
}

fn json_reply(status: u16, body: &Value) -> Response {
    reply(status, "application/json", body.to_string())
}

fn refuse(status: u16) -> Response {
    reply(status, "application/problem+json", json!({ "title": "refused", "status": status }).to_string())
}

async fn answer(State(shelves): State<Arc<Shelves>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    shelves.requests.lock().expect("nobody panics").push(format!("{} {} {text}", parts.method, parts.uri));
    let segments: Vec<&str> = parts.uri.path().split('/').filter(|part| !part.is_empty()).collect();
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let call = Call { method: parts.method.as_str(), headers: &parts.headers, query: &query, text: &text };
    if shelves.fault == "hang" && call.method == "GET" && segments.len() == 1 {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    if shelves.fault == "slow" && call.method == "GET" && segments.len() == 2 {
        tokio::time::sleep(Duration::from_millis(350)).await;
    }
    shelves.route(&call, &segments)
}

struct Call<'a> {
    method: &'a str,
    headers: &'a HeaderMap,
    query: &'a [(String, String)],
    text: &'a str,
}

impl Shelves {
    fn has(&self, fault: &str) -> bool {
        self.fault == fault
    }

    fn route(&self, call: &Call<'_>, segments: &[&str]) -> Response {
        let mut ids = Vec::new();
        for text in segments.iter().skip(1).step_by(2) {
            match text.parse::<u64>() {
                Ok(id) if id > 0 => ids.push(id),
                _ if self.has("any id") => {
                    return json_reply(200, &self.shown(0, &json!({ "title": "x", "isbn": "1234567890123", "pages": 1 })));
                }
                _ => return refuse(400),
            }
        }
        let open = matches!(call.method, "GET") || self.has("open door") && call.method == "DELETE" && segments.len() == 2;
        if !open {
            let token = call
                .headers
                .get(header::AUTHORIZATION)
                .and_then(|value| value.to_str().ok())
                .and_then(|value| value.strip_prefix("Bearer "));
            let fits = if self.has("any token") { token.is_some() } else { token == Some(TOKEN) };
            if !fits {
                return refuse(401);
            }
        }
        match (call.method, segments.first().copied(), ids.as_slice(), segments.len()) {
            ("GET", Some("books"), [], 1) => self.list(call),
            ("POST", Some("books"), [], 1) => self.add(call),
            (_, Some("books"), [id], 2) => self.book(call, *id),
            ("POST", Some("books"), [id], 3) => self.lend(call, *id),
            (_, Some("books"), [book, loan], 4) => self.loan(call, (*book, *loan)),
            ("POST", Some("readers"), [], 1) => self.add_reader(call),
            (_, Some("readers"), [id], 2) => self.reader(call, *id),
            _ => refuse(404),
        }
    }

    fn list(&self, call: &Call<'_>) -> Response {
        for (name, value) in call.query {
            let fine = match name.as_str() {
                "limit" if self.has("any limit") => true,
                "limit" => value.parse::<u64>().is_ok_and(|limit| (1..=100).contains(&limit)),
                "genre" => ["novel", "poetry", "science"].contains(&value.as_str()),
                "q" if self.has("crash on quote") && value.contains('\'') => return reply(500, "text/plain", "oops".to_owned()),
                "q" => value.chars().count() <= 50,
                _ => true,
            };
            if !fine {
                return refuse(400);
            }
        }
        let books = &self.state.lock().expect("nobody panics").books;
        let items: Vec<Value> = books.iter().take(20).map(|(id, book)| self.shown(*id, book)).collect();
        let mut page = json!({ "items": items, "total": books.len() });
        if self.has("extra field") {
            page["debug"] = json!(true);
        }
        if self.has("total as text") {
            page["total"] = json!(books.len().to_string());
        }
        if self.has("html") {
            return reply(200, "text/html", page.to_string());
        }
        if self.has("broken json") {
            return reply(200, "application/json", format!("{page},"));
        }
        json_reply(200, &page)
    }

    /// A body of that schema, or the refusal of another.
    #[allow(clippy::result_large_err, reason = "it is answered at once")]
    fn body(&self, call: &Call<'_>, schema: &str) -> Result<Value, Response> {
        let kind = call.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/json") {
            return Err(refuse(415));
        }
        let Ok(body) = serde_json::from_str::<Value>(call.text) else { return Err(refuse(400)) };
        let fault = |name: &str, pointer: &str| {
            self.has(name) && validator(schema).iter_errors(&body).all(|error| error.instance_path().as_str() == pointer)
        };
        let lenient = self.has("anything goes") && schema == "NewBook" && body.is_object()
            || fault("negative pages", "/pages") && body["pages"].is_number()
            || fault("long titles", "/title") && body["title"].is_string()
            || fault("any author mail", "/author/email");
        if !validator(schema).is_valid(&body) && !lenient {
            return Err(refuse(422));
        }
        if self.has("strict pages") && schema == "NewBook" && body["pages"] == 10000 {
            return Err(refuse(422));
        }
        Ok(body)
    }

    fn add(&self, call: &Call<'_>) -> Response {
        let body = match self.body(call, "NewBook") {
            Ok(body) => body,
            Err(response) => return response,
        };
        if self.has("crash on tags") && body["tags"].as_array().is_some_and(Vec::is_empty) {
            return reply(500, "text/plain", "oops".to_owned());
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut kept = body;
        if self.has("loses genre") {
            kept.as_object_mut().expect("it was validated").remove("genre");
        }
        if let Some(title) = kept["title"].as_str().filter(|title| !title.trim().is_empty()) {
            kept["title"] = json!(title.trim());
        }
        let shown = self.shown(id, &kept);
        if !self.has("forgets") {
            self.state.lock().expect("nobody panics").books.insert(id, kept);
        }
        let status = if self.has("200 for 201") { 200 } else { 201 };
        let mut response = json_reply(status, &shown);
        if !self.has("no location") {
            let at = if self.has("wrong location") { id + 1_000_000 } else { id };
            response.headers_mut().insert(header::LOCATION, format!("/books/{at}").parse().expect("a path"));
        }
        response
    }

    fn shown(&self, id: u64, book: &Value) -> Value {
        let mut shown = book.clone();
        shown["id"] = json!(id);
        shown["added"] = json!(if self.has("bad time") { "yesterday" } else { "2026-01-31T12:30:00Z" });
        if self.has("null isbn") {
            shown["isbn"] = Value::Null;
        }
        shown
    }

    fn book(&self, call: &Call<'_>, id: u64) -> Response {
        let mut state = self.state.lock().expect("nobody panics");
        let Some(book) = state.books.get(&id).cloned() else {
            return match (self.has("410"), self.has("crash on unknown")) {
                (true, _) => refuse(410),
                (_, true) => reply(500, "text/plain", "oops".to_owned()),
                _ => refuse(404),
            };
        };
        match call.method {
            "GET" => {
                let mut response = json_reply(200, &self.shown(id, &book));
                if !self.has("no etag") {
                    let tag = if self.has("weak etag") { "W/1".to_owned() } else { format!("\"{id}\"") };
                    response.headers_mut().insert(header::ETAG, tag.parse().expect("a tag"));
                }
                response
            }
            "PUT" | "PATCH" => {
                let schema = if call.method == "PUT" { "NewBook" } else { "BookChange" };
                let body = match self.body(call, schema) {
                    Ok(body) => body,
                    Err(response) => return response,
                };
                let mut changed = if call.method == "PUT" || self.has("patch resets") {
                    json!({ "title": "x", "isbn": "1234567890123", "pages": 1 })
                } else {
                    book.clone()
                };
                for (name, value) in body.as_object().into_iter().flatten() {
                    changed[name] = value.clone();
                }
                if !(self.has("put forgets") && call.method == "PUT") {
                    state.books.insert(id, changed.clone());
                }
                let mut response = json_reply(200, &self.shown(id, &changed));
                response.headers_mut().insert(header::ETAG, format!("\"{id}\"").parse().expect("a tag"));
                response
            }
            "DELETE" => {
                if !self.has("deletes nothing") {
                    state.books.remove(&id);
                }
                reply(204, "", String::new())
            }
            _ => refuse(405),
        }
    }

    fn lend(&self, call: &Call<'_>, book: u64) -> Response {
        let body = match self.body(call, "NewLoan") {
            Ok(body) => body,
            Err(response) => return response,
        };
        let mut state = self.state.lock().expect("nobody panics");
        if !state.books.contains_key(&book) {
            return refuse(404);
        }
        // Who lends must be known.
        if !body["readerId"].as_u64().is_some_and(|reader| state.readers.contains_key(&reader)) {
            return refuse(422);
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut loan = body;
        loan["id"] = json!(id);
        state.loans.insert((book, id), loan.clone());
        json_reply(201, &loan)
    }

    fn loan(&self, call: &Call<'_>, key: (u64, u64)) -> Response {
        let mut state = self.state.lock().expect("nobody panics");
        let Some(loan) = state.loans.get(&key).cloned() else { return refuse(404) };
        match call.method {
            "GET" => json_reply(200, &loan),
            "DELETE" => {
                state.loans.remove(&key);
                reply(204, "", String::new())
            }
            _ => refuse(405),
        }
    }

    fn add_reader(&self, call: &Call<'_>) -> Response {
        let body = match self.body(call, "NewReader") {
            Ok(body) => body,
            Err(response) => return response,
        };
        let email = body["email"].as_str().unwrap_or_default().to_lowercase();
        let mut state = self.state.lock().expect("nobody panics");
        if state.readers.values().any(|reader| reader["email"] == email.as_str()) {
            return refuse(409);
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut reader = json!({ "id": id, "email": email, "status": "active" });
        if let Some(name) = body.get("name") {
            reader["name"] = name.clone();
        }
        if self.has("tells password") {
            reader["password"] = body["password"].clone();
        }
        state.readers.insert(id, reader.clone());
        json_reply(201, &reader)
    }

    fn reader(&self, call: &Call<'_>, id: u64) -> Response {
        let mut state = self.state.lock().expect("nobody panics");
        let Some(reader) = state.readers.get_mut(&id) else { return refuse(404) };
        if call.method == "DELETE" {
            reader["status"] = json!("removed");
        }
        json_reply(200, reader)
    }
}
