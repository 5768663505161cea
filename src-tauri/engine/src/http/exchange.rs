//! One request and its answer over a connection of its own.

use std::{sync::Arc, time::Duration};

use patchbay_contracts::{
    Code, Problem,
    probe::{Body, Certificate, Waterfall},
};
use reqwest::{Client, StatusCode, Url, Version, header::HeaderMap};
use tokio::time::{Instant, timeout_at};

use super::{
    Bounds, Context,
    address::is_loopback,
    body::{Fault, Intake},
    failure,
    marks::{Marks, Phase},
    outgoing::{Content, Header},
    tls::{Secured, Seen, Watch},
};
use crate::Result;

/// What is sent.
pub(super) struct Hop<'a> {
    pub(super) method: &'a reqwest::Method,
    pub(super) url: &'a Url,
    pub(super) headers: &'a [Header],
    pub(super) content: Option<&'a Content>,
    pub(super) accept_invalid_certificate: bool,
}

/// Until when the whole may take, and how long that was in words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    pub(super) at: Instant,
    pub(super) allowed: Duration,
}

/// The head of an answer.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) version: Version,
    pub(super) headers: HeaderMap,
    pub(super) remote: Option<String>,
}

/// What came of it.
pub(super) struct Outcome {
    pub(super) answer: Option<(Head, Body)>,
    pub(super) certificate: Option<Certificate>,
    pub(super) timing: Waterfall,
    pub(super) problem: Option<Problem>,
    pub(super) notes: Vec<String>,
}

impl Outcome {
    /// Of an exchange that did not come about.
    fn unsent(problem: Problem) -> Self {
        Self { answer: None, certificate: None, timing: Waterfall::default(), problem: Some(problem), notes: Vec::new() }
    }
}

/// Makes the exchange. The body is taken in only where the answer isn't a redirect that will be followed.
pub(super) async fn exchange(context: &Context, hop: &Hop<'_>, deadline: Deadline, bounds: Bounds) -> Outcome {
    let marks = Marks::begin(Arc::clone(&context.ports.clock));
    let secured = match Secured::to(context, hop.url).await {
        Ok(secured) => secured,
        Err(problem) => return Outcome::unsent(problem),
    };
    let watch = Watch::new(hop.accept_invalid_certificate, secured.clone());
    let attempt = attempt(context, hop, deadline, bounds, &marks, &watch).await;
    marks.end();
    let seen = watch.seen();
    let (answer, problem, mut notes) = match attempt {
        Ok(Attempt { head, body, problem, notes }) => (Some((head, body)), problem, notes),
        Err(problem) => (None, Some(problem), Vec::new()),
    };
    notes.extend(secured.remark(hop.url));
    notes.extend(answer.as_ref().and_then(|(head, _)| seen.asked.remark(head.status.as_u16())));
    notes.extend(remarks(hop, &marks, &seen, answer.is_some()));
    Outcome { answer, certificate: seen.certificate, timing: marks.waterfall(), problem, notes }
}

/// An answer, perhaps with only a part of its body.
struct Attempt {
    head: Head,
    body: Body,
    problem: Option<Problem>,
    notes: Vec<String>,
}

async fn attempt(
    context: &Context,
    hop: &Hop<'_>,
    deadline: Deadline,
    bounds: Bounds,
    marks: &Marks,
    watch: &Watch,
) -> Result<Attempt> {
    let client = client(hop, bounds, marks, watch)?;
    let mut request = client.request(hop.method.clone(), hop.url.clone());
    let mut headers = HeaderMap::with_capacity(hop.headers.len());
    for header in hop.headers {
        headers.append(header.name.clone(), header.value.clone());
    }
    request = request.headers(headers);
    if let Some(content) = hop.content {
        request = request.body(content.value.expose().clone());
    }
    let explain = |error: &reqwest::Error| failure::explain(error, hop.url, marks, &watch.seen());
    // Making the client reads the machine's certificates the first time, which the service isn't to blame for.
    marks.begin_again();
    let late = || failure::timed_out(deadline.allowed, hop.url, marks.phase());
    let mut response = match timeout_at(deadline.at, request.send()).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(explain(&error)),
        Err(_) => return Err(late()),
    };
    marks.first_byte();
    let head = Head {
        status: response.status(),
        version: response.version(),
        headers: response.headers().clone(),
        remote: response.remote_addr().map(|address| address.to_string()),
    };
    let mut intake = Intake::new(&head.headers, bounds.body);
    let mut problem = None;
    let mut complete = true;
    loop {
        match timeout_at(deadline.at, response.chunk()).await {
            Ok(Ok(Some(chunk))) if intake.put(&chunk) => {}
            Ok(Ok(Some(_))) => {
                complete = false;
                break;
            }
            Ok(Ok(None)) => break,
            Ok(Err(error)) => {
                (problem, complete) = (Some(explain(&error)), false);
                break;
            }
            Err(_) => {
                (problem, complete) = (Some(late()), false);
                break;
            }
        }
    }
    let mut notes = Vec::new();
    if let Some(coding) = intake.unknown_coding() {
        notes.push(format!("The body is encoded with {coding}, which Patchbay doesn't take off; its bytes are shown"));
    }
    let redactor = context.secrets.redactor();
    let (body, fault) = intake.finish(&head.headers, complete, |bytes| redactor.bytes(bytes));
    if let Some(text) = &body.text
        && body.json.is_none()
        && !body.truncated
        && super::body::says_json(&body.media_type)
        && let Err(error) = serde_json::from_str::<serde_json::Value>(text)
    {
        notes.push(format!("The body says that it is JSON and isn't: {error}"));
    }
    let problem = problem.or_else(|| fault.map(|fault| unwhole(fault, hop.url, bounds)));
    Ok(Attempt { head, body, problem, notes })
}

/// Why a body isn't whole.
pub(super) fn unwhole(fault: Fault, url: &Url, bounds: Bounds) -> Problem {
    let host = url.host_str().unwrap_or_default();
    match fault {
        Fault::TooLarge => Problem::new(Code::TooLarge, format!("The body from {host} is larger than what is taken in"))
            .why(format!("at most {} bytes are taken in, before and after decompression", bounds.body))
            .next("The part that came is kept; ask the service for less at a time"),
        Fault::Damaged => Problem::new(Code::BadResponse, format!("The compressed body from {host} is damaged"))
            .why("it does not decompress to its end")
            .next("Look into what compresses it: the service, or a proxy before it"),
    }
}

/// A client for this one exchange: a connection is never used twice, so that each exchange shows all of its phases.
fn client(hop: &Hop<'_>, bounds: Bounds, marks: &Marks, watch: &Watch) -> Result<Client> {
    let mut builder = Client::builder()
        .tls_backend_preconfigured(watch.config(marks)?)
        .dns_resolver(Arc::new(marks.clone()))
        .connector_layer(marks.clone())
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .pool_max_idle_per_host(0)
        .http1_max_headers(bounds.headers)
        .http2_max_header_list_size(256 * 1024);
    // A proxy is for the way out; this machine is called directly.
    if is_loopback(hop.url) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(Problem::internal)
}

fn remarks(hop: &Hop<'_>, marks: &Marks, seen: &Seen, answered: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if let (true, true, Some(fault)) = (answered, hop.accept_invalid_certificate, &seen.fault) {
        let problem = failure::certificate(fault, hop.url, seen);
        notes.push(format!("A bad certificate was accepted: {}", problem.why));
    }
    if let Some(name) = marks.looked_up()
        && Some(name.as_str()) != hop.url.host_str()
    {
        notes.push(format!("The request went through the proxy {name}, and the first phases are those of the proxy"));
    }
    if answered && marks.phase() == Phase::Download && hop.url.scheme() == "https" && seen.certificate.is_none() {
        notes.push("The server's certificate can't be read".to_owned());
    }
    notes
}
