//! A pact's request as a request of ours, and an answer of ours as a pact's.
//!
//! Everything goes through [`crate::http`], so that credentials go only to their hosts, and nothing is unbounded.

use std::{collections::HashMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use pact_models::{
    bodies::OptionalBody,
    content_types::ContentType,
    headers::parse_header,
    http_parts::HttpPart,
    v4::{
        http_parts::{HttpRequest, HttpResponse},
        message_parts::MessageContents,
    },
};
use patchbay_contracts::{
    Code, Problem,
    contract::ContractOptions,
    integration::{ErrorHandling, Method},
    probe::{ProbeReport, ProbeRequest, Response},
    units::Span,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use crate::{
    Result,
    http::{Bounds, Context, send_spaced_unredacted},
};

/// The longest that one exchange may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// All but what RFC 3986 calls unreserved.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Header in which a provider gives the metadata of a message, as JSON in base64.
const METADATA: &str = "pact-message-metadata";

/// A text of a pact: what looks like a reference in it is none.
fn literal(text: &str) -> String {
    text.replace("${", "$${")
}

/// The request to send to the provider.
///
/// # Errors
/// [`Code::Unsupported`] for a method or a body that can't be sent.
pub(super) fn request(asked: &HttpRequest, base: &str, options: &ContractOptions) -> Result<ProbeRequest> {
    let method = Method::named(&asked.method)
        .ok_or_else(|| Problem::new(Code::Unsupported, format!("The method {} can't be sent", literal(&asked.method))))?;
    let path = literal(&asked.path.replace('?', "%3F").replace('#', "%23"));
    let slash = if path.starts_with('/') || path.is_empty() { "" } else { "/" };
    let query = query(asked);
    let mark = if query.is_empty() { "" } else { "?" };
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut names: Vec<_> = asked.headers.iter().flatten().collect();
    names.sort();
    for (name, values) in names {
        headers.push((name.clone(), literal(&values.join(", "))));
    }
    let body = match asked.body() {
        OptionalBody::Present(bytes, ..) => Some(std::str::from_utf8(bytes).map(literal).map_err(|_| {
            Problem::new(Code::Unsupported, "The request can't be sent: its body is binary")
                .why(format!("it has {} bytes that are no UTF-8 text", bytes.len()))
        })?),
        _ => None,
    };
    let typed = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if let Some(content_type) = asked.content_type().filter(|_| body.is_some() && !typed) {
        headers.push(("Content-Type".to_owned(), literal(&content_type.to_string())));
    }
    let request = ProbeRequest {
        method,
        url: format!("{}{slash}{path}{mark}{query}", base.trim_end_matches('/')),
        headers,
        body,
        timeout: Some(Span(TIMEOUT)),
        ..ProbeRequest::default()
    };
    Ok(filtered(request, options))
}

/// With the headers and the authentication that the person gave, in place of the pact's own.
pub(super) fn filtered(mut request: ProbeRequest, options: &ContractOptions) -> ProbeRequest {
    request.headers.retain(|(name, _)| options.headers.iter().all(|(own, _)| !own.eq_ignore_ascii_case(name)));
    if options.auth.is_some() {
        request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
        request.auth.clone_from(&options.auth);
    }
    request.headers.extend(options.headers.iter().cloned());
    request
}

fn query(asked: &HttpRequest) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, COMPONENT).to_string();
    let mut parameters: Vec<_> = asked.query.iter().flatten().collect();
    parameters.sort_by(|a, b| a.0.cmp(b.0));
    let pairs = parameters.into_iter().flat_map(|(name, values)| {
        values.iter().map(move |value| match value {
            Some(value) => format!("{}={}", encoded(name), encoded(value)),
            None => encoded(name),
        })
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// A POST of JSON that Patchbay itself makes.
pub(super) fn post(url: &str, body: &Value) -> ProbeRequest {
    ProbeRequest {
        method: Method::Post,
        url: url.to_owned(),
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: Some(literal(&body.to_string())),
        timeout: Some(Span(TIMEOUT)),
        ..ProbeRequest::default()
    }
}

/// Sends it once. The answer may still hold credentials that the service sent back.
pub(super) async fn send(context: &Context, request: &ProbeRequest) -> ProbeReport {
    let bounds = Bounds { body: super::source::MAX_BYTES, ..Bounds::default() };
    send_spaced_unredacted(context, request, &ErrorHandling::default(), bounds, Duration::ZERO).await.0
}

/// The answer of an exchange, where it is whole.
///
/// # Errors
/// Why there is none.
pub(super) fn answer(report: &ProbeReport) -> Result<&Response> {
    match (&report.problem, &report.response) {
        (Some(problem), _) => Err(problem.clone()),
        (None, Some(response)) if response.body.truncated => {
            Err(Problem::new(Code::TooLarge, "The answer is larger than the bound")
                .why(format!("at most {} MiB are read", super::source::MAX_BYTES >> 20)))
        }
        (None, Some(response)) => Ok(response),
        (None, None) => Err(Problem::internal("an exchange without answer and problem")),
    }
}

/// Whether two addresses are of one service, so that one may get the credentials of the other.
pub(super) fn same_origin(a: &str, b: &str) -> bool {
    let origin = |address: &str| Url::parse(address).ok().map(|url| url.origin());
    origin(a).is_some_and(|a| Some(a) == origin(b))
}

/// An answer as the crates compare it.
///
/// # Errors
/// [`Code::Unsupported`] for a binary body of which not every byte is known.
pub(super) fn response(answer: &Response) -> Result<HttpResponse> {
    let mut headers: HashMap<String, Vec<String>> = HashMap::new();
    for (name, value) in &answer.headers {
        headers.entry(name.to_ascii_lowercase()).or_default().extend(parse_header(name, value));
    }
    let content_type = headers.get("content-type").and_then(|values| ContentType::parse(values.first()?.as_str()).ok());
    Ok(HttpResponse {
        status: answer.status,
        headers: (!headers.is_empty()).then_some(headers),
        body: body(answer, content_type)?,
        ..HttpResponse::default()
    })
}

fn body(answer: &Response, content_type: Option<ContentType>) -> Result<OptionalBody> {
    let bytes = match (&answer.body.text, &answer.body.hex) {
        (Some(text), _) => Bytes::from(text.clone()),
        (None, Some(hex)) => unhex(hex),
        (None, None) => return Ok(OptionalBody::Empty),
    };
    if answer.body.text.is_none() && bytes.len() as u64 != answer.body.bytes {
        return Err(Problem::new(Code::Unsupported, "The answer can't be compared: its body is binary").why(format!(
            "it has {} bytes, and {} of them are known",
            answer.body.bytes,
            bytes.len()
        )));
    }
    Ok(OptionalBody::Present(bytes, content_type, None))
}

fn unhex(text: &str) -> Bytes {
    text.split_ascii_whitespace().filter_map(|byte| u8::from_str_radix(byte, 16).ok()).collect()
}

/// An answer as the message that a provider gives: its body is the contents, and a header holds the metadata.
///
/// # Errors
/// As for [`response`]; [`Code::BadResponse`] for metadata that can't be read.
pub(super) fn message(answer: &Response) -> Result<MessageContents> {
    let HttpResponse { body, headers, .. } = response(answer)?;
    let first = |name: &str| headers.as_ref().and_then(|headers| headers.get(name)?.first().cloned());
    let mut metadata: HashMap<String, Value> = HashMap::new();
    if let Some(content_type) = first("content-type") {
        metadata.insert("contentType".to_owned(), content_type.into());
    }
    if let Some(text) = first(METADATA) {
        let unreadable = || {
            Problem::new(Code::BadResponse, "The metadata of the message can't be read")
                .why(format!("the header {METADATA} holds no JSON object in base64"))
        };
        let bytes = STANDARD.decode(text.trim()).map_err(|_| unreadable())?;
        let given: HashMap<String, Value> = serde_json::from_slice(&bytes).map_err(|_| unreadable())?;
        metadata.extend(given);
    }
    Ok(MessageContents { contents: body, metadata, ..MessageContents::default() })
}
