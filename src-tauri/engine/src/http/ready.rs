//! A request as it goes out, for what sends it by other means: the load generator.

use std::sync::Arc;

use patchbay_contracts::{integration::AuthKind, probe::ProbeRequest};
use rustls::ClientConfig;
use url::Url;

use super::{Context, from_endpoint, outgoing::Outgoing, tls};
use crate::Result;

/// A request with everything filled in. It holds credentials in plain, so it can't be printed.
pub struct Ready {
    /// The method.
    pub method: String,
    /// The address.
    pub url: Url,
    /// The address as it may be shown.
    pub shown_url: String,
    /// The headers in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready").field("method", &self.method).field("url", &self.shown_url).finish_non_exhaustive()
    }
}

/// Fills a request in.
///
/// # Errors
/// As for a probe of the same request: an address that is none, a reference without a value, a credential that isn't
/// bound to the host.
pub async fn ready(context: &Context, request: &ProbeRequest) -> Result<Ready> {
    let outgoing = Outgoing::prepare(context, request).await?;
    let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Ok(Ready {
        method: outgoing.method.to_string(),
        headers: outgoing.headers.iter().map(|header| (header.shown_name.clone(), text(&header.value))).collect(),
        body: outgoing.content.map(|content| content.value.expose().clone().into_bytes()).unwrap_or_default(),
        url: outgoing.url,
        shown_url: outgoing.shown_url,
    })
}

/// The configuration of a client that calls `target`: it trusts whom this machine trusts and the integration besides, and
/// shows the integration's certificate where it may.
///
/// # Errors
/// Where no certificates can be used at all, or not those of the integration.
pub async fn tls_config(context: &Context, target: &Url) -> Result<Arc<ClientConfig>> {
    tls::Secured::to(context, target).await?.config().map(Arc::new)
}

/// How many issuers of certificates this machine trusts.
pub fn root_certificates() -> usize {
    tls::issuers()
}

/// The secret behind an authentication that is written as its type alone.
pub fn short_secret(integration: &str, kind: AuthKind) -> Option<String> {
    let suffix = match kind {
        AuthKind::None => return None,
        AuthKind::Bearer => "token",
        AuthKind::Basic => "password",
        AuthKind::ApiKey => "api-key",
    };
    Some(format!("{}-{suffix}", from_endpoint::secret_stem(integration)))
}
