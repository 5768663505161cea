//! A server that gives back what it was sent, in every way that could carry a credential further.

use std::net::SocketAddr;

use axum::{
    Json, Router,
    extract::Request,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::any,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use tokio::net::TcpListener;

/// The running server. It ends with the test's runtime.
pub struct Echo {
    /// Where it answers.
    pub address: SocketAddr,
}

impl Echo {
    /// Starts it on a free port of the loopback address.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let routes = Router::new().route("/redirect", any(move |uri: Uri| redirect(address, uri))).fallback(any(echo));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address }
    }

    /// Its address with a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// All that came, plain, in base64 and percent-encoded, in the body and in a header.
async fn echo(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let headers: Vec<String> =
        parts.headers.keys().map(|name| format!("{name}: {}", value(&parts.headers, name.as_str()))).collect();
    let plain = format!("{} {}\n{}\n\n{}", parts.method, parts.uri, headers.join("\n"), String::from_utf8_lossy(&body));
    let authorization = value(&parts.headers, "authorization");
    let encoded: String = percent_encoding::utf8_percent_encode(&plain, percent_encoding::NON_ALPHANUMERIC).collect();
    // One, two and three bytes before it: all three ways in which base64 can fall on a value.
    let shifted: Vec<String> = ["", "x", "xx"].iter().map(|before| BASE64_STANDARD.encode(format!("{before}{plain}"))).collect();
    let document =
        json!({ "plain": plain, "base64": shifted, "encoded": encoded, "authorization": authorization, "amount": "wrong" });
    let status = if parts.uri.path() == "/broken" { StatusCode::IM_A_TEAPOT } else { StatusCode::OK };
    (status, [(header::HeaderName::from_static("x-echo"), authorization)], Json(document)).into_response()
}

fn value(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}

/// To the same server by another name.
async fn redirect(address: SocketAddr, uri: Uri) -> Response {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let place = format!("http://localhost:{}/elsewhere{query}", address.port());
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, place)]).into_response()
}
