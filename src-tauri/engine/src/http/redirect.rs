//! Redirects, followed by hand: what is asked for next, and what must not be sent there.

use std::collections::HashSet;

use patchbay_contracts::{Code, Problem};
use reqwest::{
    Method, StatusCode,
    header::{self, HeaderMap, HeaderName},
};
use url::Url;

use super::{
    Context,
    outgoing::{Content, Header},
};
use crate::Result;

/// A request on its way through redirects.
pub(super) struct Journey {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) shown_url: String,
    pub(super) headers: Vec<Header>,
    pub(super) content: Option<Content>,
    visited: HashSet<(Method, Url)>,
    most: usize,
}

/// Headers that describe a body, and go with it.
const OF_CONTENT: [HeaderName; 4] =
    [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::CONTENT_LANGUAGE];

impl Journey {
    /// At its start, with at most so many redirects ahead.
    pub(super) fn start(
        method: Method,
        url: Url,
        shown_url: String,
        headers: Vec<Header>,
        content: Option<Content>,
        most: usize,
    ) -> Self {
        let visited = HashSet::from([(method.clone(), url.clone())]);
        Self { method, url, shown_url, headers, content, visited, most }
    }

    /// Where an answer points, if it is a redirect.
    pub(super) fn target(&self, status: StatusCode, headers: &HeaderMap) -> Option<Result<Url>> {
        if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let location = headers.get(header::LOCATION)?;
        let bad =
            |why: String| Problem::new(Code::Redirects, format!("{} points nowhere that can be called", self.shown_url)).why(why);
        let text = String::from_utf8_lossy(location.as_bytes());
        let shown = &text[..text.floor_char_boundary(200)];
        Some(match self.url.join(text.trim()) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
            Ok(url) => Err(bad(format!("its Location is `{shown}`, and {} is not HTTP", url.scheme()))),
            Err(error) => Err(bad(format!("its Location `{shown}` is no address: {error}"))),
        })
    }

    /// Goes on to `to`. Gives the names of the credentials that stay behind.
    ///
    /// # Errors
    /// [`Code::Redirects`] in a circle or after too many; [`Code::SecretHost`] where the address or the body would take a
    /// secret to a host that it isn't bound to.
    pub(super) async fn follow(&mut self, context: &Context, status: StatusCode, mut to: Url) -> Result<Vec<String>> {
        to.set_fragment(None);
        let shown = context.secrets.redactor().text(to.as_str());
        let method = self.next_method(status);
        if self.visited.len() > self.most {
            return Err(Problem::new(Code::Redirects, "The redirects never end")
                .why(format!("{} were followed, and {shown} would be the next", self.most))
                .next("Call the last address by itself to see what it wants"));
        }
        if !self.visited.insert((method.clone(), to.clone())) {
            return Err(Problem::new(Code::Redirects, "The redirects go in circles")
                .why(format!("{} points back to {shown}, which was called before", self.shown_url))
                .next("Services often do this when a cookie or a login is missing"));
        }
        let keeps_content = method == self.method;
        self.guard(context, &to, &shown, keeps_content).await?;
        let mut withheld = self.drop_credentials(context, &to).await;
        // Each connection shows the certificate or doesn't by itself; here it is told.
        if let Some(tls) = &context.tls
            && tls.shows(context, &self.url).await
            && !tls.shows(context, &to).await
        {
            withheld.push("client certificate".to_owned());
        }
        if !keeps_content {
            self.content = None;
            self.headers.retain(|header| !OF_CONTENT.contains(&header.name));
        }
        // A Host header that was set by hand belongs to the first host only.
        if self.url.host() != to.host() {
            self.headers.retain(|header| header.name != header::HOST);
        }
        (self.method, self.url, self.shown_url) = (method, to, shown);
        Ok(withheld)
    }

    /// RFC 9110, 15.4: after 303 the answer is fetched with GET, and after 301 and 302 a POST becomes a GET, as all
    /// clients do.
    fn next_method(&self, status: StatusCode) -> Method {
        match status.as_u16() {
            303 if self.method != Method::HEAD => Method::GET,
            301 | 302 if self.method == Method::POST => Method::GET,
            _ => self.method.clone(),
        }
    }

    /// Refuses to take a secret along in the address or the body.
    async fn guard(&self, context: &Context, to: &Url, shown: &str, keeps_content: bool) -> Result<()> {
        let refused = |secret: &str, what: &str| {
            Problem::new(Code::SecretHost, format!("The redirect to {} was not followed", to.host_str().unwrap_or_default()))
                .why(format!("{what} holds the secret `{secret}`, which is not bound to that host"))
                .next(format!("If it belongs there, add {} to the hosts of the secret", to.host_str().unwrap_or_default()))
        };
        for secret in labels(shown) {
            if !context.secrets.may_follow(secret, &self.url, to).await {
                return Err(refused(secret, "the address"));
            }
        }
        if let Some(content) = self.content.as_ref().filter(|_| keeps_content) {
            for secret in &content.secrets {
                if !context.secrets.may_follow(secret, &self.url, to).await {
                    return Err(refused(secret, "the body"));
                }
            }
        }
        Ok(())
    }

    /// Takes out the headers that must not go to `to`, and gives their names.
    async fn drop_credentials(&mut self, context: &Context, to: &Url) -> Vec<String> {
        let mut withheld = Vec::new();
        let mut kept = Vec::with_capacity(self.headers.len());
        for header in std::mem::take(&mut self.headers) {
            let mut may = self.url.origin() == to.origin() || !header.credential || !header.secrets.is_empty();
            for secret in &header.secrets {
                may = may && context.secrets.may_follow(secret, &self.url, to).await;
            }
            if may {
                kept.push(header);
            } else {
                withheld.push(header.shown_name);
            }
        }
        self.headers = kept;
        withheld
    }
}

/// The names of the secrets whose labels stand in a text.
fn labels(text: &str) -> impl Iterator<Item = &str> {
    text.split("‹secret:").skip(1).filter_map(|rest| rest.split_once('›')).map(|(name, _)| name)
}
