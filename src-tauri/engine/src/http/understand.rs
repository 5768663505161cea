//! What a person typed or pasted, made into a request: an address, `METHOD address`, or a line for curl.

mod credentials;
mod options;
mod words;

use patchbay_contracts::{
    Code, Problem,
    integration::{Auth, AuthSpec, Method},
    probe::{ProbeRequest, Understood},
    secret::Sensitive,
    units::Span,
};
use url::Url;

pub(super) use self::credentials::decode_basic;
pub(crate) use self::credentials::{is_credential, is_credential_field};
use self::{
    credentials::Extraction,
    options::{Data, Line},
};
use super::address::address;
use crate::{Result, secrets::Secrets, utils::nearest::nearest};

/// The longest input, in bytes.
const LONGEST: usize = 4 * 1024 * 1024;

/// A credential that stood in an input in plain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extracted {
    /// The secret that the request names in its place.
    pub name: String,
    /// Its value.
    pub value: Sensitive<String>,
    /// The host that it may be sent to, with its port where the address names one.
    pub host: String,
}

/// An input that was understood, with the credentials that it held.
#[derive(Debug, Clone, PartialEq)]
pub struct UnderstoodWithSecrets {
    /// The request, which names its credentials.
    pub understood: Understood,
    /// The credentials that the request names. They are not kept anywhere yet.
    pub extracted: Vec<Extracted>,
}

impl UnderstoodWithSecrets {
    /// Keeps the credentials in memory, each bound to its host, until the program closes.
    ///
    /// # Errors
    /// Those of [`Secrets::hold`].
    pub async fn keep(self, secrets: &Secrets) -> Result<Understood> {
        let Self { mut understood, extracted } = self;
        for Extracted { name, value, host } in extracted {
            let kept = secrets.hold(&name, value, vec![host]).await?;
            if kept != name {
                rename(&mut understood.request, &format!("${{secret:{name}}}"), &format!("${{secret:{kept}}}"));
                understood.secrets.iter_mut().filter(|known| **known == name).for_each(|known| known.clone_from(&kept));
            }
        }
        Ok(understood)
    }
}

/// Puts another reference in the place of one.
fn rename(request: &mut ProbeRequest, from: &str, to: &str) {
    let change = |text: &mut String| *text = text.replace(from, to);
    change(&mut request.url);
    request.query.iter_mut().chain(&mut request.headers).for_each(|(_, value)| change(value));
    request.body.iter_mut().for_each(change);
    match &mut request.auth {
        Some(Auth::Spec(AuthSpec::Bearer { token })) => change(token),
        Some(Auth::Spec(AuthSpec::Basic { username, password })) => [username, password].into_iter().for_each(change),
        Some(Auth::Spec(AuthSpec::ApiKey { value, .. })) => change(value),
        _ => {}
    }
}

/// Understands an input. Without a scheme, `http` is assumed for this machine and `https` for any other host; in a line for
/// curl it is `http`, as curl has it.
///
/// Credentials that stand in it in plain (a password, a token, a cookie, an API key, in whichever place) are taken out, and
/// the request names them as secrets. A shell variable in the place of one, as documentation has it, becomes the secret of
/// that name. Files that a line refers to (`@file`) are not read.
///
/// # Errors
/// [`Code::InvalidInput`] with what would do.
pub fn understand(input: &str) -> Result<UnderstoodWithSecrets> {
    if input.len() > LONGEST {
        return Err(Problem::new(Code::InvalidInput, format!("The input has more than {LONGEST} bytes")));
    }
    // Documentation shows the prompt as well.
    let input = input.trim();
    let input = ["$ ", "> ", "% ", "# "].iter().find_map(|prompt| input.strip_prefix(prompt)).unwrap_or(input).trim_start();
    let first = input.split(char::is_whitespace).next().unwrap_or_default();
    if matches!(first, "curl" | "curl.exe") || first.ends_with("/curl") {
        return curl(input);
    }
    let (method, text) = match (Method::named(first), input[first.len()..].trim()) {
        (Some(method), rest) if !rest.is_empty() => (method, rest),
        _ => (Method::Get, input),
    };
    let mut request = ProbeRequest { method, ..ProbeRequest::default() };
    if text.contains("${") {
        // What its references stand for is known only where it is sent.
        text.clone_into(&mut request.url);
        return Ok(finished(request, Vec::new(), Extraction::for_host(String::new())));
    }
    let url = address(text)?;
    let mut extraction = Extraction::for_url(&url);
    extraction.address(url, &mut request);
    Ok(finished(request, Vec::new(), extraction))
}

fn finished(request: ProbeRequest, ignored: Vec<String>, extraction: Extraction) -> UnderstoodWithSecrets {
    let Extraction { named: secrets, extracted, .. } = extraction;
    UnderstoodWithSecrets { understood: Understood { request, ignored, secrets }, extracted }
}

fn curl(input: &str) -> Result<UnderstoodWithSecrets> {
    let (words, rest) = words::words(input)?;
    let mut line = options::read(words.into_iter().skip(1))?;
    let url = main_url(&mut line)?;
    line.ignored.extend(rest);
    let mut extraction = Extraction::for_url(&url);
    let mut request = ProbeRequest {
        method: method(&line)?,
        timeout: line.max_time,
        follow_redirects: line.follow,
        accept_invalid_certificate: line.insecure,
        ..ProbeRequest::default()
    };
    let (query, body) = content(&mut line, &mut request);
    let mut url = url;
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        let query = match url.query() {
            Some(before) if !before.is_empty() => format!("{before}&{query}"),
            _ => query,
        };
        url.set_query(Some(&query));
    }
    extraction.address(url, &mut request);
    headers(&mut line, &mut request, &mut extraction);
    if let Some(user) = &line.user {
        request.auth = Some(extraction.user(user));
    }
    if let Some(token) = &line.bearer {
        request.auth = Some(Auth::Spec(AuthSpec::Bearer { token: extraction.secret("token", token) }));
    }
    if let Some(body) = body {
        let media_type = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let media_type = media_type.map(|(_, value)| value.to_ascii_lowercase()).unwrap_or_default();
        request.body = Some(extraction.body(&body, &media_type));
    }
    Ok(finished(request, line.ignored, extraction))
}

/// The address that is called; further ones are told as ignored.
fn main_url(line: &mut Line) -> Result<Url> {
    let chosen = line.urls.iter().position(|url| url.contains("://")).unwrap_or(0);
    if line.urls.is_empty() {
        return Err(Problem::new(Code::InvalidInput, "The curl line names no address").next("Paste the whole line"));
    }
    let text = line.urls.remove(chosen);
    line.ignored.append(&mut line.urls);
    let whole = if text.contains("://") { text } else { format!("http://{text}") };
    address(&whole)
}

fn method(line: &Line) -> Result<Method> {
    let default = match () {
        () if line.head => Method::Head,
        () if line.get => Method::Get,
        () if line.upload => Method::Put,
        () if !line.data.is_empty() || !line.form.is_empty() => Method::Post,
        () => Method::Get,
    };
    let Some(name) = &line.method else { return Ok(default) };
    Method::named(name).ok_or_else(|| {
        let problem = Problem::new(Code::InvalidInput, format!("`{name}` is not a method that Patchbay sends"));
        match nearest(name, Method::ALL.map(Method::as_str)) {
            Some(near) => problem.next(format!("Did you mean {near}?")),
            None => problem.next(format!("Known are {}", Method::ALL.map(Method::as_str).join(", "))),
        }
    })
}

/// What goes into the query (`-G`) and what into the body, with the headers that curl adds for it.
fn content(line: &mut Line, request: &mut ProbeRequest) -> (Option<String>, Option<String>) {
    let has = |line: &Line, name: &str| line.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let query = (!line.query.is_empty()).then(|| line.query.join("&"));
    if !line.form.is_empty() {
        let (media_type, body) = multipart(&line.form);
        if !has(line, "content-type") {
            request.headers.push(("Content-Type".to_owned(), media_type));
        }
        return (query, Some(body));
    }
    if line.data.is_empty() {
        return (query, None);
    }
    let json = line.data.iter().any(|data| matches!(data, Data::Json(_)));
    let texts: Vec<&str> = line.data.iter().map(Data::text).collect();
    if line.get {
        let data = texts.join("&");
        return (Some(query.map_or(data.clone(), |query| format!("{query}&{data}"))), None);
    }
    let customary = match json {
        true => vec![("Content-Type", "application/json"), ("Accept", "application/json")],
        false => vec![("Content-Type", "application/x-www-form-urlencoded")],
    };
    for (name, value) in customary {
        if !has(line, name) {
            request.headers.push((name.to_owned(), value.to_owned()));
        }
    }
    (query, Some(if json { texts.concat() } else { texts.join("&") }))
}

/// A multipart form (RFC 7578) of texts.
fn multipart(form: &[(String, String)]) -> (String, String) {
    let mut boundary = "patchbay-form".to_owned();
    while form.iter().any(|(_, value)| value.contains(&boundary)) {
        boundary.push('-');
    }
    let mut body = String::new();
    for (name, value) in form {
        let name = name.replace('"', "%22").replace(['\r', '\n'], " ");
        body.push_str(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    body.push_str(&format!("--{boundary}--\r\n"));
    (format!("multipart/form-data; boundary={boundary}"), body)
}

/// Headers that the connection sets by itself, or that would promise what can't be kept.
const OF_CONNECTION: [&str; 6] = ["accept-encoding", "connection", "content-length", "transfer-encoding", "keep-alive", "te"];

fn headers(line: &mut Line, request: &mut ProbeRequest, extraction: &mut Extraction) {
    if let Some(agent) = line.agent.take() {
        line.headers.push(("User-Agent".to_owned(), agent));
    }
    if let Some(referer) = line.referer.take() {
        line.headers.push(("Referer".to_owned(), referer));
    }
    if !line.cookies.is_empty() {
        line.headers.push(("Cookie".to_owned(), line.cookies.join("; ")));
    }
    for (name, value) in std::mem::take(&mut line.headers) {
        let lower = name.to_ascii_lowercase();
        if OF_CONNECTION.contains(&lower.as_str()) {
            line.ignored.push(format!("{name}: {value}"));
        } else if lower == "authorization" && request.auth.is_none() {
            match extraction.authorization(&value) {
                Ok(auth) => request.auth = Some(auth),
                Err(value) => request.headers.push((name, value)),
            }
        } else {
            let value = extraction.header(&lower, &value);
            request.headers.push((name, value));
        }
    }
}

/// Seconds with a fraction, as curl takes them.
fn seconds(text: &str) -> Option<Span> {
    let seconds: f64 = text.trim().parse().ok()?;
    std::time::Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero()).map(Span)
}
