//! What the service answers to a request that keeps to the document.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Value, json};

use super::{
    customers, orders, products,
    requests::{Call, Refusal},
    store::{Store, moment},
};

/// An answer before it is one of HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Without the content type.
    pub headers: Vec<(&'static str, String)>,
    /// The content type, or an empty text where there is no body.
    pub media: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A JSON body.
    pub fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), media: "application/json", body: body.to_string().into_bytes() }
    }

    /// No body at all.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), media: "", body: Vec::new() }
    }

    /// The same with a header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// What a service says that fell over.
    pub fn broken() -> Self {
        Refusal::new(500, "internal", "Something went wrong.").into()
    }

    /// There is no such `what`.
    pub fn missing(what: &str) -> Self {
        Refusal::new(404, "not_found", format!("There is no such {what}.")).into()
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let mut answer = Self::json(refusal.status, &json!({"code": refusal.code, "message": refusal.message}));
        if refusal.status == 401 {
            answer = answer.with("www-authenticate", "Bearer");
        }
        match refusal.allow {
            Some(allow) => answer.with("allow", allow),
            None => answer,
        }
    }
}

/// Carries out a call. `fault` is the name of the fault that is switched on, or an empty text.
pub fn answer(store: &mut Store, call: &Call, fault: &str) -> Answer {
    match call.operation.as_str() {
        "getHealth" => Answer::json(200, &json!({"status": "up", "version": "1.4.0", "requests": store.requests})),
        "login" => login(store, call),
        "listOrders" => orders::list(store, call, fault),
        "createOrder" => orders::create(store, call, fault),
        "getOrder" => orders::read(store, call, fault),
        "updateOrder" => orders::change(store, call, fault),
        "deleteOrder" => orders::delete(store, call, fault),
        "getReceipt" => orders::receipt(store, call, fault),
        "createCustomer" => customers::create(store, call, fault),
        "getCustomer" => customers::read(store, call, fault),
        "replaceCustomer" => customers::replace(store, call, fault),
        "searchProducts" => products::search(store, call, fault),
        "getProduct" | "headProduct" => products::read(store, call),
        "putProduct" => products::put(store, call),
        "createExport" => create_export(store, call, fault),
        "getExport" => read_export(store, call, fault),
        _ => Answer::missing("operation"),
    }
}

fn login(store: &mut Store, call: &Call) -> Answer {
    if call.body["username"] != "ada" || call.body["password"] != "correct-horse" {
        return Refusal::new(401, "unauthorised", "The name or the password is wrong.").into();
    }
    let token = format!("token-{}", store.requests);
    if store.tokens.len() < 1000 {
        store.tokens.push(token.clone());
    }
    let expires = moment(7200 + store.requests);
    Answer::json(200, &json!({"token": token, "tokenType": "Bearer", "expiresAt": expires}))
}

fn create_export(store: &mut Store, call: &Call, fault: &str) -> Answer {
    let id = store.next_id("0e");
    let format = call.body.get("format").cloned().unwrap_or_else(|| json!("csv"));
    let mut export = json!({"id": id, "state": "queued", "format": format, "progress": 0, "finishedAt": null, "resultUrl": null});
    store.exports.insert(id.clone(), export.clone());
    if fault == "export-link-dead" {
        export["id"] = json!(store.next_id("0f"));
    }
    Answer::json(202, &export).with("location", format!("/exports/{id}")).with("retry-after", "1")
}

fn read_export(store: &mut Store, call: &Call, fault: &str) -> Answer {
    let now = store.now();
    let Some(export) = store.exports.get_mut(call.text("exportId")) else { return Answer::missing("export") };
    if export["state"] != "done" {
        export["state"] = json!("done");
        export["progress"] = json!(100);
        export["finishedAt"] = json!(now);
        export["resultUrl"] = json!(format!("https://files.example.com/exports/{}", call.text("exportId")));
    }
    let mut export = export.clone();
    if fault == "export-date-format" {
        export["finishedAt"] = json!(export["finishedAt"].as_str().unwrap_or_default().replace('T', " "));
    }
    Answer::json(200, &export)
}

/// The entity tag of a value: the same for the same value.
pub fn tag(value: &Value) -> String {
    let mut hasher = DefaultHasher::new();
    value.to_string().hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}
