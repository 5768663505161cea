//! Many exchanges with one service over connections that are kept, for runs that send thousands of requests. It tells less
//! of each than [`send`](super::send) does: no phases, no certificate.

use std::time::Duration;

use patchbay_contracts::{
    Code, Problem,
    probe::{Body, ProbeRequest, SentRequest},
    units::Span,
};
use reqwest::{Client, header::HeaderMap};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{
    Bounds, Context, address::is_loopback, body::Intake, curl_line::curl_line, failure, outgoing::Outgoing, send::authority,
    tls::Secured,
};
use crate::Result;

/// How many idle connections are kept.
const IDLE: usize = 32;
/// How long connecting may take.
const CONNECTING: Duration = Duration::from_secs(5);

/// Connections to a service.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    base: Url,
    own: Connections,
    /// For other addresses than that of the service, which must not see the client's certificate.
    others: Option<Connections>,
    bounds: Bounds,
}

/// Connections that are secured in one way.
#[derive(Debug, Clone)]
struct Connections {
    client: Client,
    secured: Secured,
}

/// An exchange, or as much of it as there was.
#[derive(Debug)]
pub(crate) struct Exchanged {
    outgoing: Outgoing,
    /// The answer.
    pub(crate) answer: Option<Answer>,
    /// Why there is none, or why its body isn't whole.
    pub(crate) problem: Option<Problem>,
    /// From the first byte sent to the last one that came.
    pub(crate) took: Duration,
}

/// An answer as it came: secrets that the service sent back are still in it.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Body,
}

impl Answer {
    /// The first value of a header as text.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    }
}

impl Pool {
    /// For a service at this address. Redirects are not followed.
    ///
    /// # Errors
    /// Where this machine's certificates can't be used, or those of the integration.
    pub(crate) async fn new(context: &Context, base: &Url, bounds: Bounds) -> Result<Self> {
        let own = Connections::new(Secured::to(context, base).await?, base, bounds)?;
        let others = match own.secured.has_identity() {
            true => Some(Connections::new(own.secured.without_identity(), base, bounds)?),
            false => None,
        };
        Ok(Self { base: base.clone(), own, others, bounds })
    }

    /// Makes an exchange that may take so long.
    ///
    /// # Errors
    /// Where the request can't be made: a reference without a value, a credential that isn't bound to the host. That the
    /// service can't be called is told in the result.
    pub(crate) async fn send(&self, context: &Context, request: &ProbeRequest, allowed: Duration) -> Result<Exchanged> {
        self.send_made(context, request, &[], allowed).await
    }

    /// The same, where the headers with these values were made up, so that nothing of them is a credential.
    ///
    /// # Errors
    /// As of [`send`](Self::send).
    pub(crate) async fn send_made(
        &self,
        context: &Context,
        request: &ProbeRequest,
        made_up: &[String],
        allowed: Duration,
    ) -> Result<Exchanged> {
        let outgoing = Outgoing::prepare_made(context, request, made_up).await?;
        let began = Instant::now();
        let (answer, problem) = self.exchange(context, &outgoing, allowed).await;
        Ok(Exchanged { outgoing, answer, problem, took: began.elapsed() })
    }

    async fn exchange(&self, context: &Context, outgoing: &Outgoing, allowed: Duration) -> (Option<Answer>, Option<Problem>) {
        let url = &outgoing.url;
        let deadline = Instant::now() + allowed;
        let mut headers = HeaderMap::with_capacity(outgoing.headers.len());
        for header in &outgoing.headers {
            headers.append(header.name.clone(), header.value.clone());
        }
        let others = self.others.as_ref().filter(|_| url.origin() != self.base.origin());
        let Connections { client, secured } = others.unwrap_or(&self.own);
        let mut request = client.request(outgoing.method.clone(), url.clone()).headers(headers);
        if let Some(content) = &outgoing.content {
            request = request.body(content.value.expose().clone());
        }
        let late = |doing: &str| {
            Problem::new(Code::Timeout, format!("{} took longer than {}", authority(url), Span(allowed)))
                .why(format!("the time ran out while {doing}"))
                .next("Look into the service: it took the request and did not answer in time")
        };
        let mut response = match timeout_at(deadline, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return (None, Some(failure::pooled(&error, url, false, &secured.asked()))),
            Err(_) => return (None, Some(late("waiting for the answer"))),
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut intake = Intake::new(&headers, self.bounds.body);
        let mut problem = None;
        let mut complete = true;
        loop {
            match timeout_at(deadline, response.chunk()).await {
                Ok(Ok(Some(chunk))) if intake.put(&chunk) => continue,
                Ok(Ok(None)) => break,
                Ok(Ok(Some(_))) => {}
                Ok(Err(error)) => problem = Some(failure::pooled(&error, url, true, &secured.asked())),
                Err(_) => problem = Some(late("downloading the body")),
            }
            complete = false;
            break;
        }
        let redactor = context.secrets.redactor();
        let (body, fault) = intake.finish(&headers, complete, |bytes| redactor.bytes(bytes));
        let problem = problem.or_else(|| fault.map(|fault| super::exchange::unwhole(fault, url, self.bounds)));
        (Some(Answer { status, headers, body }), problem)
    }
}

impl Connections {
    fn new(secured: Secured, base: &Url, bounds: Bounds) -> Result<Self> {
        let mut builder = Client::builder()
            .tls_backend_preconfigured(secured.config()?)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECTING)
            .pool_max_idle_per_host(IDLE)
            .tcp_nodelay(true)
            .http1_max_headers(bounds.headers)
            .http2_max_header_list_size(256 * 1024);
        // A proxy is for the way out; this machine is called directly.
        if is_loopback(base) {
            builder = builder.no_proxy();
        }
        Ok(Self { client: builder.build().map_err(Problem::internal)?, secured })
    }
}

impl Exchanged {
    /// The request as it went out, as it may be shown.
    pub(crate) fn sent(&self) -> SentRequest {
        use reqwest::header::{AUTHORIZATION, HOST};
        let Outgoing { method, url, shown_url, headers, content, basic, .. } = &self.outgoing;
        let basic = basic.as_ref().filter(|_| headers.iter().any(|header| header.name == AUTHORIZATION));
        let body = content.as_ref().map(|content| content.shown.clone());
        let curl = curl_line(method.as_str(), shown_url, headers, basic, body.as_deref(), &[]);
        let mut shown = Vec::with_capacity(headers.len() + 2);
        if !headers.iter().any(|header| header.name == HOST) {
            shown.push(("host".to_owned(), authority(url)));
        }
        shown.extend(headers.iter().map(|header| (header.shown_name.clone(), header.shown.clone())));
        if let Some(content) = content {
            shown.push(("content-length".to_owned(), content.value.expose().len().to_string()));
        }
        SentRequest { method: method.to_string(), url: shown_url.clone(), headers: shown, body, curl }
    }

    /// The address that was called, with whatever secret is in it.
    pub(crate) fn url(&self) -> &Url {
        &self.outgoing.url
    }
}
