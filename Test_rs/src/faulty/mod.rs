//! A service with deliberate faults, to see which of them a contract test finds, and its clean twin, to see what one
//! makes up.
//!
//! The clean twin holds to its document whatever it is sent: it checks each parameter and each body by the document's
//! own schemas. Each fault of [`faults::FAULTS`] is one small departure from it.

mod answers;
mod customers;
pub mod document;
pub mod faults;
mod orders;
mod products;
pub mod requests;
pub mod schemas;
pub mod store;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use serde_json::Value;

use self::{
    answers::Answer,
    faults::Fault,
    requests::{Call, Operation},
    store::Store,
};

/// How long the slow answer takes, where the document promises one second.
const SLOW: Duration = Duration::from_millis(1500);

struct Faulty {
    fault: &'static str,
    operations: Vec<Operation>,
    documents: [(&'static str, Value); 2],
    store: Mutex<Store>,
}

/// The service with that fault, or the clean twin. Each call gives one with a state of its own.
pub fn service(fault: Option<&Fault>) -> Router {
    let fault = fault.map_or("", |fault| fault.name);
    let document = document::openapi_3_0();
    let faulty = Faulty {
        fault,
        operations: requests::operations(&document, fault),
        documents: [("/openapi.json", document), ("/openapi-3.1.json", document::openapi_3_1())],
        store: Mutex::new(Store::seeded()),
    };
    Router::new().fallback(respond).with_state(Arc::new(faulty))
}

async fn respond(State(faulty): State<Arc<Faulty>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if parts.method == Method::GET
        && let Some((_, document)) = faulty.documents.iter().find(|(path, _)| *path == parts.uri.path())
    {
        return response(Answer::json(200, document), false);
    }
    let body = axum::body::to_bytes(body, document::MAX_BODY).await.ok();
    let checked = {
        let mut store = faulty.store.lock().unwrap_or_else(PoisonError::into_inner);
        store.requests += 1;
        let head = (parts.method.as_str(), &parts.uri, &parts.headers);
        requests::check(&faulty.operations, head, body.as_deref(), (faulty.fault, &store.tokens))
    };
    let answer = match checked {
        Ok(call) => carry_out(&faulty, &call).await,
        Err(refusal) => refusal.into(),
    };
    response(answer, parts.method == Method::HEAD)
}

async fn carry_out(faulty: &Faulty, call: &Call) -> Answer {
    if faulty.fault == "health-slow" && call.operation == "getHealth" {
        tokio::time::sleep(SLOW).await;
    }
    let mut store = faulty.store.lock().unwrap_or_else(PoisonError::into_inner);
    answers::answer(&mut store, call, faulty.fault)
}

fn response(answer: Answer, head: bool) -> Response {
    let bare = head || answer.body.is_empty();
    let mut response = Response::new(if bare { Body::empty() } else { Body::from(answer.body) });
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if !bare {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.media));
    }
    for (name, value) in answer.headers {
        // All that is put into a header was checked to be plain before.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}
