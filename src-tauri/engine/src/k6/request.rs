//! An endpoint's request as JavaScript: the very request that Patchbay's own run sends.

use patchbay_contracts::{
    Code, Problem,
    integration::{ApiKeyPlace, Auth, AuthSpec, Endpoint, StatusPattern},
    probe::ProbeRequest,
};
use serde_json::Value;

use super::{
    Source, conditions, feeds,
    js::{self, Text},
    unsupported,
    values::{Marks, Values, is_runtime},
};
use crate::{
    Result,
    contract::conditions::{Step, parse_path},
    http::{self, is_credential, is_credential_field, pieces},
};

/// One request of a script.
#[derive(Debug)]
pub(super) struct Request {
    /// The endpoint.
    pub(super) name: String,
    /// Its method and address as people read them.
    pub(super) shown: String,
    pub(super) https: bool,
    method: &'static str,
    url: Text,
    headers: Vec<(String, String)>,
    /// An expression; nothing for a request without a body.
    body: Option<String>,
    /// The statuses that are no failure, from and to.
    accepts: Vec<(u16, u16)>,
    /// Each check beside that of the status, in words, and as an expression over the answer `r`.
    pub(super) checks: Vec<(String, String)>,
    /// What is captured, each with an expression over the answer `r`.
    pub(super) captures: Vec<(String, String)>,
    pub(super) reads_body: bool,
    /// What is different from Patchbay's own.
    pub(super) notes: Vec<String>,
}

impl Request {
    /// Whether more than the status is judged.
    pub(super) const fn judges(&self) -> bool {
        !self.checks.is_empty() || !self.captures.is_empty()
    }

    /// The request as a member of the script's list.
    pub(super) fn literal(&self, tag: &str, weight: u32) -> String {
        let headers: Vec<String> =
            self.headers.iter().map(|(name, value)| format!("      {}: {value},\n", js::string(name))).collect();
        let body = self.body.as_ref().map_or("null".to_owned(), |body| format!("({body})"));
        let accepts: Vec<String> = self.accepts.iter().map(|(from, to)| format!("{{ min: {from}, max: {to} }}")).collect();
        let within: Vec<String> = self.accepts.iter().map(|(from, to)| format!("[{from}, {to}]")).collect();
        let checks: Vec<String> = self
            .checks
            .iter()
            .map(|(what, holds)| format!("      {}: (r, v) => {holds},\n", js::string(&format!("{}: {what}", self.name))))
            .collect();
        let captures: Vec<String> =
            self.captures.iter().map(|(name, value)| format!("      {}: (r) => {value},\n", js::string(name))).collect();
        let of_lines = |lines: Vec<String>| if lines.is_empty() { String::new() } else { format!("\n{}    ", lines.concat()) };
        format!(
            "  {{
    name: {name},
    tag: {tag},
    shown: {shown},
    weight: {weight},
    method: {method},
    url: (v) => {url},
    headers: (v) => ({{{headers}}}),
    body: (v) => {body},
    accepts: [{within}],
    expected: http.expectedStatuses({accepts}),
    checks: {{{checks}}},
    captures: {{{captures}}},
  }},\n",
            name = js::string(&self.name),
            tag = js::string(tag),
            shown = js::string(&self.shown),
            method = js::string(self.method),
            url = self.url.expression(),
            headers = of_lines(headers),
            within = within.join(", "),
            accepts = accepts.join(", "),
            checks = of_lines(checks),
            captures = of_lines(captures),
        )
    }
}

/// Makes the request of an endpoint.
pub(super) async fn make(source: Source<'_>, endpoint: &Endpoint, values: &mut Values) -> Result<Request> {
    let mut plain = endpoint.clone();
    let file = plain.request.as_mut().and_then(|request| request.file.take());
    if let (Some(_), Some(request)) = (&file, &mut plain.request) {
        // It stands in the way of a body that is made from the schema.
        request.body = Some(Value::String(String::new()));
    }
    let request = http::request_with(source.definition, &plain, source.schemas)?;
    check_host(&request, endpoint)?;
    let mut making = Making { source, endpoint, notes: Vec::new(), headers: Vec::new() };
    let parts = making.marked(request, values)?;
    let ready = http::ready(source.context, &parts.request).await?;
    let marks = &parts.marks;
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in &ready.headers {
        if is_credential(name) {
            // Credentials were taken out, so this one was made from the user in the address.
            headers.push((name.clone(), making.in_plain("authorization", "the address", values)?));
        } else {
            headers.push((name.clone(), marks.take(value, None).expression()));
        }
    }
    let media_type = ready.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let media_type = media_type.map(|(_, value)| value.to_ascii_lowercase()).unwrap_or_default();
    let own_type = parts.request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let body = match &file {
        Some(file) => {
            if !own_type {
                let media_type = endpoint.request.as_ref().and_then(|request| request.content_type.clone());
                let media_type = media_type.unwrap_or_else(|| "application/octet-stream".to_owned());
                headers.push(("Content-Type".to_owned(), js::string(&media_type)));
            }
            Some(feeds::body(source.files, file)?)
        }
        None if ready.body.is_empty() => None,
        None => {
            let text = String::from_utf8(ready.body).map_err(Problem::internal)?;
            Some(marks.take(&text, Some(&|before: &str| escape_of(&media_type, own_type, before))).expression())
        }
    };
    for (name, value) in std::mem::take(&mut making.headers) {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        headers.push((name, value));
    }
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
    let mut shown = ready.url.clone();
    let has_query = shown.query().is_some();
    shown.set_query(None);
    let shown = format!("{} {}{}", ready.method, marks.shown(shown.as_str()), if has_query { "?…" } else { "" });
    let (checks, mut reads_body) = making.checks(values)?;
    let captures = captures(endpoint)?;
    reads_body |= !captures.is_empty();
    Ok(Request {
        name: endpoint.label(),
        shown,
        https: ready.url.scheme() == "https",
        method: endpoint.method.as_str(),
        url: marks.take(ready.url.as_str(), None),
        headers,
        body,
        accepts: accepts(endpoint.expect.as_ref().and_then(|expect| expect.status.as_ref())),
        checks,
        captures,
        reads_body,
        notes: making.notes,
    })
}

/// The host decides where secrets go, so it is known before the run.
fn check_host(request: &ProbeRequest, endpoint: &Endpoint) -> Result<()> {
    let mut front = String::new();
    for piece in pieces(&request.url) {
        if is_runtime(piece) {
            return Err(unsupported(format!("The host of `{}` is known only while it runs", endpoint.label()))
                .next("Write the host, or ${env:NAME}"));
        }
        front.push_str(piece);
        let after = front.split_once("://").map_or(front.as_str(), |(_, rest)| rest);
        // What a variable holds may well be the whole host, so what follows it is none of it.
        if after.contains(['/', '?', '#']) || piece.starts_with("${env:") {
            break;
        }
    }
    Ok(())
}

struct Making<'a> {
    source: Source<'a>,
    endpoint: &'a Endpoint,
    notes: Vec<String>,
    /// Those that hold credentials, as expressions.
    headers: Vec<(String, String)>,
}

struct Marked {
    request: ProbeRequest,
    marks: Marks,
}

impl Making<'_> {
    /// The request with marks in place of references, and without its credentials.
    fn marked(&mut self, mut request: ProbeRequest, values: &mut Values) -> Result<Marked> {
        let context = self.source.context;
        let mut all: Vec<&str> = vec![&request.url];
        all.extend(request.query.iter().flat_map(|(name, value)| [name.as_str(), value]));
        all.extend(request.headers.iter().map(|(_, value)| value.as_str()));
        all.extend(request.body.as_deref());
        let mut marks = Marks::apart_from(&all)?;
        let mut query = std::mem::take(&mut request.query);
        let auth = match request.auth.take() {
            Some(Auth::Spec(AuthSpec::ApiKey { name, value, place: ApiKeyPlace::Query })) => {
                query.push((name.clone(), value));
                Some((name, None))
            }
            Some(Auth::Spec(spec)) => Some((String::new(), Some(spec))),
            Some(Auth::Kind(kind)) => Some((String::new(), Some(http::spelled_out(kind, request.integration.as_deref())?))),
            None => None,
        };
        request.url = marks.put(&request.url, values, context, Some("inAddress"))?;
        if auth.is_some() {
            request.url = without_user(&request.url);
        }
        for (name, value) in query {
            let secret = is_credential_field(&name) || auth.as_ref().is_some_and(|(own, spec)| spec.is_none() && *own == name);
            let value = if secret && !pieces(&value).into_iter().any(is_runtime) && !value.is_empty() {
                let expression = self.variable(&name, "the query", values)?;
                marks.mark(expression, Some("inForm"))?
            } else {
                marks.put(&value, values, context, Some("inForm"))?
            };
            request.query.push((marks.put(&name, values, context, Some("inForm"))?, value));
        }
        for (name, value) in std::mem::take(&mut request.headers) {
            if is_credential(&name) {
                let value = self.credential(&name, &value, values)?;
                self.headers.push((name, value));
            } else {
                request.headers.push((name, marks.put(&value, values, context, Some("inHeader"))?));
            }
        }
        if let Some((_, Some(spec))) = auth {
            self.authenticate(spec, values)?;
        }
        if let Some(body) = &request.body {
            request.body = Some(marks.put(body, values, context, None)?);
        }
        Ok(Marked { request, marks })
    }

    /// The value of a header that says who sends the request, as an expression.
    fn credential(&mut self, name: &str, value: &str, values: &mut Values) -> Result<String> {
        let text = values.text(value, self.source.context, Some("inHeader"))?;
        if text.is_fixed() && !text.is_empty() {
            return self.in_plain(name, &format!("the header {name}"), values);
        }
        Ok(text.expression())
    }

    fn authenticate(&mut self, spec: AuthSpec, values: &mut Values) -> Result<()> {
        let context = self.source.context;
        let (name, value) = match spec {
            AuthSpec::None | AuthSpec::ApiKey { place: ApiKeyPlace::Query, .. } => return Ok(()),
            AuthSpec::Bearer { token } => {
                let text = values.text(&token, context, Some("inHeader"))?;
                let token = if text.is_fixed() { self.variable("token", "the bearer token", values)? } else { text.expression() };
                ("Authorization".to_owned(), format!("\"Bearer \" + ({token}).trim()"))
            }
            AuthSpec::Basic { username, password } => {
                let user = values.text(&username, context, None)?;
                let password = values.text(&password, context, None)?;
                let password = if password.is_fixed() && !password.is_empty() {
                    self.variable("password", "the password", values)?
                } else {
                    password.expression()
                };
                let pair = format!("{} + \":\" + {password}", user.expression());
                ("Authorization".to_owned(), format!("\"Basic \" + encoding.b64encode({pair})"))
            }
            AuthSpec::ApiKey { name, value, place: ApiKeyPlace::Header } => {
                let text = values.text(&value, context, Some("inHeader"))?;
                let value = if text.is_fixed() { self.variable(&name, "the API key", values)? } else { text.expression() };
                (name, value)
            }
        };
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        self.headers.push((name, value));
        Ok(())
    }

    /// A whole value that stands in plain in the definition, and comes from a variable in the script.
    fn in_plain(&mut self, name: &str, place: &str, values: &mut Values) -> Result<String> {
        self.variable(name, &format!("the whole value of {place}"), values)
    }

    fn variable(&mut self, name: &str, what: &str, values: &mut Values) -> Result<String> {
        let suffix: String = name.to_ascii_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let stem: String = format!("{}-plain-{suffix}", self.source.definition.name)
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .take(64)
            .collect();
        self.notes.push(format!(
            "In `{}`, {what} stands in plain in the definition or the environment; the script has it from the variable {}.",
            self.endpoint.label(),
            crate::secrets::environment_name(&stem)
        ));
        values.secret(&stem)
    }

    /// What is checked beside the status, and whether that takes the body.
    fn checks(&mut self, values: &mut Values) -> Result<(Vec<(String, String)>, bool)> {
        let (mut checks, mut reads_body) = (Vec::new(), false);
        let label = self.endpoint.label();
        if self.endpoint.response_schema.is_some() || self.source.definition.response_schema.is_some() {
            self.notes.push(format!("The shape of the body that `{label}` answers isn't checked: k6 has no JSON Schema."));
        }
        let Some(expect) = &self.endpoint.expect else { return Ok((checks, reads_body)) };
        for (name, wanted) in &expect.headers {
            let read = format!("header(r, {})", js::string(name));
            let holds = if wanted.0 == "*" {
                format!("{read} !== undefined")
            } else {
                format!("{read} === {}", values.text(&wanted.0, self.source.context, None)?.expression())
            };
            checks.push((format!("the header {name}"), holds));
        }
        if let Some(latency) = expect.latency {
            checks.push((format!("within {latency}"), format!("r.timings.duration <= {}", latency.as_ms())));
        }
        for text in &expect.conditions {
            match conditions::compile(text, values, self.source.context)? {
                Some((holds, body)) => {
                    checks.push((text.clone(), holds));
                    reads_body |= body;
                }
                None => self.notes.push(format!("The condition `{text}` of `{label}` isn't checked: k6 can't tell.")),
            }
        }
        Ok((checks, reads_body))
    }
}

/// An address without the user in it.
fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

/// How a value fits into a body, after what is before it.
fn escape_of(media_type: &str, is_own: bool, before: &str) -> Option<&'static str> {
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    match media_type {
        "application/x-www-form-urlencoded" => Some("inForm"),
        // Without a type of its own, a body is taken for JSON.
        _ if !is_own || media_type.ends_with("/json") || media_type.ends_with("+json") => {
            http::in_literal(before, false).then_some("inJson")
        }
        _ => None,
    }
}

/// The statuses that are no failure; those below 400 where nothing is said.
fn accepts(pattern: Option<&StatusPattern>) -> Vec<(u16, u16)> {
    match pattern {
        None => vec![(100, 399)],
        Some(pattern) => {
            let mut ranges: Vec<(u16, u16)> = Vec::new();
            for status in (100..600).filter(|status| pattern.matches(*status)) {
                match ranges.last_mut() {
                    Some((_, to)) if *to + 1 == status => *to = status,
                    _ => ranges.push((status, status)),
                }
            }
            ranges
        }
    }
}

/// What is captured, each with the expression that finds it.
fn captures(endpoint: &Endpoint) -> Result<Vec<(String, String)>> {
    let found = endpoint.capture.iter().map(|(name, place)| {
        let wrong = || {
            Problem::new(Code::InvalidDefinition, format!("`{place}` says nothing that can be captured"))
                .next("Write $.id for a member of the body, header:Location for a header, or status")
        };
        let place = place.trim();
        let expression = if place == "status" {
            "String(r.status)".to_owned()
        } else if let Some(header) = place.strip_prefix("header:") {
            format!("header(r, {})", js::string(header.trim()))
        } else {
            let path = place.strip_prefix('$').or_else(|| place.strip_prefix("[BODY]")).ok_or_else(wrong)?;
            match path_of(&parse_path(path).ok_or_else(wrong)?).ok_or_else(wrong)?.as_str() {
                "[]" => "(r.body === null ? undefined : String(r.body))".to_owned(),
                steps => format!("found(find(r, {steps}))"),
            }
        };
        Ok((name.clone(), expression))
    });
    found.collect()
}

/// A path as an array of names and indices; nothing where it leads to several places.
pub(super) fn path_of(steps: &[Step]) -> Option<String> {
    let steps: Option<Vec<String>> = steps
        .iter()
        .map(|step| match step {
            Step::Key(key) => Some(js::string(key)),
            Step::Index(index) => Some(index.to_string()),
            Step::Each => None,
        })
        .collect();
    Some(format!("[{}]", steps?.join(", ")))
}
