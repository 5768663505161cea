//! A request with its references filled in, twice over: as it is sent, and as it may be shown.

mod text;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use patchbay_contracts::{
    Code, Problem,
    integration::{ApiKeyPlace, Auth, AuthSpec},
    probe::ProbeRequest,
    secret::Sensitive,
};
use reqwest::{
    Method,
    header::{HeaderName, HeaderValue},
};
use url::Url;

pub(super) use self::text::SEGMENT;
pub(crate) use self::text::pieces;
use self::text::{Escape, Text};
use super::{Context, address::address, from_endpoint};
use crate::Result;

/// What Patchbay calls itself.
const USER_AGENT: &str = concat!("Patchbay/", env!("CARGO_PKG_VERSION"));
/// The encodings that it takes off a body.
const ACCEPT_ENCODING: &str = "gzip, deflate, br";
/// How long a credential must be for the redactor to look out for it, in bytes.
const WORTH_LEARNING: usize = 4;
/// The most header fields of a request.
const MOST_HEADERS: usize = 500;

/// A header of a request.
#[derive(Debug, Clone)]
pub(super) struct Header {
    /// As it was written.
    pub(super) shown_name: String,
    pub(super) name: HeaderName,
    pub(super) value: HeaderValue,
    /// The value without secrets.
    pub(super) shown: String,
    /// The secrets in it.
    pub(super) secrets: Vec<String>,
    /// Whether it says who sends the request, so that it isn't sent on to another host.
    pub(super) credential: bool,
}

/// A body of a request.
#[derive(Debug, Clone)]
pub(super) struct Content {
    pub(super) value: Sensitive<String>,
    pub(super) shown: String,
    pub(super) secrets: Vec<String>,
}

/// User and password of `Authorization: Basic`, without secrets, for the curl line.
#[derive(Debug, Clone)]
pub(super) struct Basic {
    pub(super) user: String,
    pub(super) password: String,
}

/// A request, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) shown_url: String,
    pub(super) headers: Vec<Header>,
    pub(super) content: Option<Content>,
    pub(super) basic: Option<Basic>,
    /// Whether any secret is in it.
    pub(super) has_secrets: bool,
}

impl Outgoing {
    /// Fills a request in.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] for an address, a method or a header that can't be, and those of the references.
    pub(super) async fn prepare(context: &Context, request: &ProbeRequest) -> Result<Self> {
        Self::prepare_made(context, request, &[]).await
    }

    /// The same, where the headers with the values `made_up` are no credentials whatever their names say.
    ///
    /// # Errors
    /// As of [`prepare`](Self::prepare).
    pub(super) async fn prepare_made(context: &Context, request: &ProbeRequest, made_up: &[String]) -> Result<Self> {
        Preparation { context, made_up, headers: Vec::new(), basic: None, has_secrets: false }.run(request).await
    }
}

/// The body of a request with its references filled in and secrets left out, for checks before it is sent.
pub(crate) async fn filled_body(context: &Context, request: &ProbeRequest) -> Result<Option<Sensitive<String>>> {
    Ok(Outgoing::prepare(context, request).await?.content.map(|content| content.value))
}

/// A request that is being filled in.
struct Preparation<'a> {
    context: &'a Context,
    /// Values of headers that are nobody's credential.
    made_up: &'a [String],
    headers: Vec<Header>,
    basic: Option<Basic>,
    has_secrets: bool,
}

impl Preparation<'_> {
    async fn run(mut self, request: &ProbeRequest) -> Result<Outgoing> {
        let method = Method::from_bytes(request.method.as_str().as_bytes()).map_err(Problem::internal)?;
        if method == Method::CONNECT {
            return Err(Problem::new(Code::Unsupported, "CONNECT can't be sent")
                .why("it asks a proxy for a tunnel, and there is no answer to show")
                .next("Choose another method"));
        }
        let auth = auth_of(request)?;
        let (mut url, mut shown_url) = self.address(&request.url).await?;
        url.set_fragment(None);
        shown_url.set_fragment(None);
        let user_info = (url.username().to_owned(), url.password().unwrap_or_default().to_owned());
        for url in [&mut url, &mut shown_url] {
            // It fails only for addresses without a host, and this one has one.
            let _ = url.set_username("");
            let _ = url.set_password(None);
        }
        let mut query = request.query.clone();
        if let Some(AuthSpec::ApiKey { name, value, place: ApiKeyPlace::Query }) = &auth {
            query.push((name.clone(), value.clone()));
        }
        for (name, value) in &query {
            let name = self.fill(name, Escape::None, &url).await?;
            let value = self.fill(value, Escape::None, &url).await?;
            url.query_pairs_mut().append_pair(name.value.expose(), value.value.expose());
            shown_url.query_pairs_mut().append_pair(&name.shown, &value.shown);
        }
        for (name, value) in &request.headers {
            if name.trim().is_empty() && value.trim().is_empty() {
                continue;
            }
            let filled = self.fill(value, Escape::None, &url).await?;
            self.header(name, filled, false)?;
        }
        self.authenticate(auth, user_info, &url).await?;
        let content = self.content(request, &url).await?;
        self.customary(content.as_ref());
        self.has_secrets |= content.as_ref().is_some_and(|content| !content.secrets.is_empty());
        if self.headers.len() > MOST_HEADERS {
            return Err(Problem::new(Code::InvalidInput, format!("A request has at most {MOST_HEADERS} headers")));
        }
        let shown_url = text::with_labels(shown_url.as_str());
        let shown_url = self.context.secrets.redactor().text(&shown_url);
        let Self { headers, basic, has_secrets, .. } = self;
        Ok(Outgoing { method, url, shown_url, headers, content, basic, has_secrets })
    }

    /// The address as it is called and as it is shown. The host comes first and without secrets: it decides which secrets
    /// may follow.
    async fn address(&mut self, text: &str) -> Result<(Url, Url)> {
        if !text.contains("${") {
            let url = address(text)?;
            return Ok((url.clone(), url));
        }
        let (front, rest) = text::split_address(text, &self.context.scope)?;
        let target = address(&front)?;
        let rest = self.fill(&rest, Escape::Address, &target).await?;
        let url = address(&format!("{front}{}", rest.value.expose()))?;
        let shown = address(&format!("{front}{}", rest.shown))?;
        if url.origin() != target.origin() {
            return Err(Problem::new(Code::InvalidInput, "The host of the address depends on what is filled in behind it")
                .next("Separate the host from the path with a slash"));
        }
        Ok((url, shown))
    }

    async fn fill(&mut self, text: &str, escape: Escape, target: &Url) -> Result<Text> {
        let filled = text::fill(text, escape, self.context, target).await?;
        self.has_secrets |= !filled.secrets.is_empty();
        Ok(filled)
    }

    /// Sets a header; `over` takes the place of one with the same name. A credential that is no secret yet is treated as
    /// one from here on: it is not shown, and where it comes back it isn't shown either.
    fn header(&mut self, name: &str, text: Text, over: bool) -> Result<()> {
        let parsed = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| {
            Problem::new(Code::InvalidInput, format!("`{}` can't be the name of a header", &name[..name.floor_char_boundary(80)]))
                .why("names have letters, digits and hyphens")
        })?;
        let value = text.value.expose().trim().to_owned();
        let made_up = text.secrets.is_empty() && self.made_up.contains(&value);
        let credential = !made_up && super::understand::is_credential(parsed.as_str());
        let shown = if credential && text.secrets.is_empty() && !value.is_empty() {
            self.hide(&value, parsed.as_str())
        } else {
            text.shown.trim().to_owned()
        };
        let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
            Problem::new(
                Code::InvalidInput,
                format!("The value of the header {parsed} has a line break or another control character"),
            )
            .next("Take it out")
        })?;
        value.set_sensitive(credential || !text.secrets.is_empty());
        if over {
            self.headers.retain(|header| header.name != parsed);
        }
        let shown_name = name.trim().to_owned();
        self.headers.push(Header { shown_name, name: parsed, value, shown, secrets: text.secrets, credential });
        Ok(())
    }

    /// Makes the redactor learn a credential that stands in plain; gives it back as it may be shown.
    fn hide(&self, value: &str, name: &str) -> String {
        let redactor = self.context.secrets.redactor();
        // `Bearer abc`: the scheme is no secret, and the token may come back without it.
        let (scheme, token) = match value.split_once(' ') {
            Some((scheme, token))
                if scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !token.trim().is_empty() =>
            {
                (Some(scheme), token.trim())
            }
            _ => (None, value),
        };
        // A very short one says little, and would be found everywhere from here on.
        if token.len() >= WORTH_LEARNING {
            redactor.learn(name, token);
        }
        if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"))
            && let Some((_, password)) = super::understand::decode_basic(token)
            && password.len() >= WORTH_LEARNING
        {
            redactor.learn("password", &password);
        }
        match scheme {
            Some(scheme) => format!("{scheme} ‹secret:{name}›"),
            None => format!("‹secret:{name}›"),
        }
    }

    async fn authenticate(&mut self, auth: Option<AuthSpec>, user_info: (String, String), target: &Url) -> Result<()> {
        match auth {
            Some(AuthSpec::None) | Some(AuthSpec::ApiKey { place: ApiKeyPlace::Query, .. }) => Ok(()),
            Some(AuthSpec::Bearer { token }) => {
                let token = self.fill(&token, Escape::None, target).await?;
                let text = Text {
                    value: Sensitive::new(format!("Bearer {}", token.value.expose().trim())),
                    shown: format!("Bearer {}", token.shown.trim()),
                    secrets: token.secrets,
                };
                self.header("Authorization", text, true)
            }
            Some(AuthSpec::Basic { username, password }) => {
                let user = self.fill(&username, Escape::None, target).await?;
                let password = self.fill(&password, Escape::None, target).await?;
                self.basic(user, password)
            }
            Some(AuthSpec::ApiKey { name, value, place: ApiKeyPlace::Header }) => {
                let mut value = self.fill(&value, Escape::None, target).await?;
                if value.secrets.is_empty() {
                    let label =
                        HeaderName::from_bytes(name.as_bytes()).map_or_else(|_| "api-key".to_owned(), |name| name.to_string());
                    value.shown = self.hide(value.value.expose(), &label);
                }
                self.header(&name, value, true)?;
                if let Some(header) = self.headers.last_mut() {
                    header.credential = true;
                    header.value.set_sensitive(true);
                }
                Ok(())
            }
            None if user_info.0.is_empty() && user_info.1.is_empty() => Ok(()),
            None => {
                let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
                let user = decode(&user_info.0);
                let user = Text { shown: user.clone(), value: Sensitive::new(user), secrets: Vec::new() };
                let password = decode(&user_info.1);
                let shown = if password.is_empty() { String::new() } else { self.hide(&password, "password") };
                self.basic(user, Text { value: Sensitive::new(password), shown, secrets: Vec::new() })
            }
        }
    }

    fn basic(&mut self, user: Text, password: Text) -> Result<()> {
        let plain = password.value.expose();
        let shown = match plain.is_empty() || !password.secrets.is_empty() || password.shown.contains("‹secret:") {
            true => password.shown,
            // A password that stands in plain in a definition is still one.
            false => self.hide(plain, "password"),
        };
        let encoded = STANDARD.encode(format!("{}:{plain}", user.value.expose()));
        let mut secrets = user.secrets;
        secrets.extend(password.secrets);
        let label = secrets.last().cloned().unwrap_or_else(|| "authorization".to_owned());
        self.context.secrets.redactor().also(&label, &encoded);
        self.has_secrets |= !secrets.is_empty();
        self.basic = Some(Basic { user: user.shown, password: shown });
        let text =
            Text { value: Sensitive::new(format!("Basic {encoded}")), shown: format!("Basic ‹secret:{label}›"), secrets };
        self.header("Authorization", text, true)
    }

    async fn content(&mut self, request: &ProbeRequest, target: &Url) -> Result<Option<Content>> {
        let Some(body) = request.body.as_deref().filter(|body| !body.is_empty()) else { return Ok(None) };
        let media_type = self.headers.iter().find(|header| header.name == reqwest::header::CONTENT_TYPE);
        let media_type = media_type.map(|header| header.shown.to_ascii_lowercase()).unwrap_or_default();
        let escape = match media_type.split(';').next().unwrap_or_default().trim() {
            "application/x-www-form-urlencoded" => Escape::Form,
            "" => Escape::Json,
            named if super::body::says_json(named) => Escape::Json,
            _ => Escape::None,
        };
        let Text { value, shown, secrets } = self.fill(body, escape, target).await?;
        Ok(Some(Content { value, shown, secrets }))
    }

    /// The headers that every request has, where it hasn't its own.
    fn customary(&mut self, content: Option<&Content>) {
        use reqwest::header::{ACCEPT, ACCEPT_ENCODING as ENCODING, CONTENT_TYPE, USER_AGENT as AGENT};
        let media_type = content.map(|content| {
            let text = content.value.expose().trim_start();
            let json = text.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
            if json { "application/json" } else { "text/plain; charset=utf-8" }
        });
        let customary =
            [(AGENT, Some(USER_AGENT)), (ACCEPT, Some("*/*")), (ENCODING, Some(ACCEPT_ENCODING)), (CONTENT_TYPE, media_type)];
        for (name, value) in customary {
            let Some(value) = value else { continue };
            if self.headers.iter().all(|header| header.name != name) {
                let shown_name = name.to_string();
                let header = Header {
                    shown_name,
                    name,
                    value: HeaderValue::from_static(value),
                    shown: value.to_owned(),
                    secrets: Vec::new(),
                    credential: false,
                };
                self.headers.push(header);
            }
        }
    }
}

/// How a request authenticates, with the short form spelled out.
fn auth_of(request: &ProbeRequest) -> Result<Option<AuthSpec>> {
    Ok(match &request.auth {
        None => None,
        Some(Auth::Spec(spec)) => Some(spec.clone()),
        Some(Auth::Kind(kind)) => Some(from_endpoint::spelled_out(*kind, request.integration.as_deref())?),
    })
}
