//! The whole of an exchange: from a request with references to a report without secrets.

use std::time::Duration;

use patchbay_contracts::{
    Problem,
    probe::{Body, ProbeReport, ProbeRequest, Redirect, Response, SentRequest, Waterfall},
};
use reqwest::{Version, header::HeaderMap};
use tokio::time::Instant;

use super::{
    Bounds, Context,
    curl_line::curl_line,
    exchange::{Deadline, Head, Hop, Outcome, exchange},
    outgoing::{Basic, Header, Outgoing},
    redirect::Journey,
};
use crate::secrets::{Redactor, hosts::exposure};

/// The longest that an exchange may take where the request doesn't say.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest that an exchange may take at all.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Makes one exchange, redirects included where the request asks for them. It never fails: what went wrong is in the
/// report, together with all that came before.
///
/// A reference `${uuid}` in the request stands for a fresh UUID (version 4), the same throughout the request.
pub async fn send(context: &Context, request: &ProbeRequest, bounds: Bounds) -> ProbeReport {
    let mut report = send_unredacted(context, request, bounds).await;
    redact(&mut report, &context.secrets.redactor());
    report
}

/// The same with the answer as it came: secrets that the service sent back are still in it. It is for taking values out
/// of the answer, and must not be shown or kept.
pub(crate) async fn send_unredacted(context: &Context, request: &ProbeRequest, bounds: Bounds) -> ProbeReport {
    let at = context.ports.clock.now();
    let context = with_uuid(context);
    let mut report = match Outgoing::prepare(&context, request).await {
        Ok(outgoing) => travel(&context, request, outgoing, bounds).await,
        Err(problem) => {
            let sent = SentRequest { method: request.method.to_string(), url: request.url.clone(), ..SentRequest::default() };
            report(sent, Some(problem))
        }
    };
    report.integration.clone_from(&request.integration);
    report.at = at;
    report
}

/// The same context with a fresh `${uuid}`, unless it has one: retries of a request share theirs.
pub(crate) fn with_uuid(context: &Context) -> Context {
    let mut context = context.clone();
    if !context.scope.captured.contains_key("uuid") {
        // RFC 9562, 5.4: version 4, variant 10.
        let bits = context.ports.random.bits() & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{bits:032x}");
        let uuid = format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
        context.scope.captured.insert("uuid".to_owned(), uuid);
    }
    context
}

fn report(request: SentRequest, problem: Option<Problem>) -> ProbeReport {
    ProbeReport {
        integration: None,
        at: 0,
        request,
        redirects: Vec::new(),
        response: None,
        timing: Waterfall::default(),
        problem,
        notes: Vec::new(),
    }
}

async fn travel(context: &Context, request: &ProbeRequest, outgoing: Outgoing, bounds: Bounds) -> ProbeReport {
    let Outgoing { method, url, shown_url, headers, content, basic, has_secrets } = outgoing;
    let mut notes: Vec<String> = exposure(&url).filter(|_| has_secrets).into_iter().collect();
    let allowed = request.timeout.map_or(TIMEOUT, |span| span.0).min(LONGEST);
    let deadline = Deadline { at: Instant::now() + allowed, allowed };
    let mut journey = Journey::start(method, url, shown_url, headers, content, bounds.redirects);
    let mut redirects = Vec::new();
    let mut before_ms = 0.0;
    loop {
        let hop = Hop {
            method: &journey.method,
            url: &journey.url,
            headers: &journey.headers,
            content: journey.content.as_ref(),
            accept_invalid_certificate: request.accept_invalid_certificate,
        };
        let mut outcome = exchange(context, &hop, deadline, bounds).await;
        notes.append(&mut outcome.notes);
        outcome.timing.total_ms += before_ms;
        let target = match &outcome.answer {
            Some((head, _)) if request.follow_redirects => {
                journey.target(head.status, &head.headers).map(|target| (head.status, target))
            }
            _ => None,
        };
        // Where an answer points nowhere, or must not be followed, it is the last one, and says why.
        let stopped = match target {
            None => None,
            Some((_, Err(problem))) => Some(problem),
            Some((status, Ok(to))) => {
                let from = journey.shown_url.clone();
                let sent = sent(&journey, basic.as_ref(), request, outcome.answer.as_ref().map(|(head, _)| head));
                match journey.follow(context, status, to).await {
                    Ok(withheld) => {
                        before_ms = outcome.timing.total_ms;
                        redirects.push(Redirect { status: status.as_u16(), from, to: journey.shown_url.clone(), withheld });
                        continue;
                    }
                    Err(problem) => return finish(sent, redirects, outcome, notes, Some(problem)),
                }
            }
        };
        let sent = sent(&journey, basic.as_ref(), request, outcome.answer.as_ref().map(|(head, _)| head));
        return finish(sent, redirects, outcome, notes, stopped);
    }
}

fn finish(
    sent: SentRequest,
    redirects: Vec<Redirect>,
    outcome: Outcome,
    notes: Vec<String>,
    stopped: Option<Problem>,
) -> ProbeReport {
    let Outcome { answer, certificate, timing, problem, .. } = outcome;
    let response = answer.map(|(head, body)| response(&head, body, certificate));
    ProbeReport { redirects, response, timing, notes, ..report(sent, stopped.or(problem)) }
}

fn response(head: &Head, body: Body, certificate: Option<patchbay_contracts::probe::Certificate>) -> Response {
    Response {
        status: head.status.as_u16(),
        reason: head.status.canonical_reason().unwrap_or_default().to_owned(),
        version: version(head.version).to_owned(),
        headers: pairs(&head.headers),
        body,
        remote: head.remote.clone(),
        certificate,
    }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_3 => "HTTP/3",
        _ => "HTTP/1.1",
    }
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}

/// The request as it went out.
fn sent(journey: &Journey, basic: Option<&Basic>, request: &ProbeRequest, head: Option<&Head>) -> SentRequest {
    use reqwest::header::{AUTHORIZATION, HOST};
    let basic = basic.filter(|_| journey.headers.iter().any(|header| header.name == AUTHORIZATION));
    let mut flags = Vec::new();
    if request.follow_redirects {
        flags.push("-L");
    }
    if request.accept_invalid_certificate {
        flags.push("-k");
    }
    let body = journey.content.as_ref().map(|content| content.shown.clone());
    let curl = curl_line(journey.method.as_str(), &journey.shown_url, &journey.headers, basic, body.as_deref(), &flags);
    let mut headers: Vec<(String, String)> = Vec::with_capacity(journey.headers.len() + 2);
    // HTTP/2 has the host in a field of its own.
    let own_host = journey.headers.iter().any(|Header { name, .. }| name == HOST);
    if !own_host && head.is_none_or(|head| head.version != Version::HTTP_2) {
        headers.push(("host".to_owned(), authority(&journey.url)));
    }
    headers.extend(journey.headers.iter().map(|header| (header.shown_name.clone(), header.shown.clone())));
    if let Some(content) = &journey.content {
        headers.push(("content-length".to_owned(), content.value.expose().len().to_string()));
    }
    SentRequest { method: journey.method.to_string(), url: journey.shown_url.clone(), headers, body, curl }
}

/// The host of an address with its port, where it isn't the customary one.
pub(super) fn authority(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Takes secrets out of everything that a report holds.
pub(super) fn redact(report: &mut ProbeReport, redactor: &Redactor) {
    let clean = |text: &mut String| *text = redactor.text(text);
    let SentRequest { method: _, url, headers, body, curl } = &mut report.request;
    clean(url);
    headers.iter_mut().for_each(|(_, value)| clean(value));
    body.iter_mut().for_each(clean);
    clean(curl);
    for Redirect { from, to, .. } in &mut report.redirects {
        clean(from);
        clean(to);
    }
    if let Some(response) = &mut report.response {
        response.headers.iter_mut().for_each(|(name, value)| {
            clean(name);
            clean(value);
        });
        response.body.text.iter_mut().for_each(clean);
        if let Some(json) = &mut response.body.json {
            redactor.json(json);
        }
        if let Some(certificate) = &mut response.certificate {
            clean(&mut certificate.subject);
            clean(&mut certificate.issuer);
            certificate.names.iter_mut().for_each(clean);
        }
    }
    if let Some(Problem { what, why, next, .. }) = &mut report.problem {
        [what, why, next].into_iter().for_each(clean);
    }
    report.notes.iter_mut().for_each(clean);
}
