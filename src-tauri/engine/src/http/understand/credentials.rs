//! Credentials that stand in an input in plain: found, taken out, and named.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use patchbay_contracts::{
    integration::{Auth, AuthSpec},
    probe::ProbeRequest,
    secret::Sensitive,
};
use serde_json::Value;
use url::Url;

use super::Extracted;
use crate::secrets::{LONGEST_NAME, hosts::host_of};

/// Whether a header of that name says who sends the request. There is no list of all, so that names are read as people
/// form them.
pub(crate) fn is_credential(name: &str) -> bool {
    const EXACT: [&str; 5] = ["authorization", "proxy-authorization", "cookie", "x-auth", "x-key"];
    const PARTS: [&str; 9] =
        ["token", "secret", "password", "passwd", "api-key", "apikey", "api_key", "access-key", "subscription-key"];
    // Keys that open nothing.
    const HARMLESS: [&str; 5] = ["idempotency-key", "x-idempotency-key", "sec-websocket-key", "surrogate-key", "x-cache-key"];
    let name = name.to_ascii_lowercase();
    if HARMLESS.contains(&name.as_str()) {
        return false;
    }
    EXACT.contains(&name.as_str())
        || PARTS.iter().any(|part| name.contains(part))
        || name.starts_with("x-auth-")
        || name.starts_with('x') && name.ends_with("-key")
        || name.ends_with("-session")
        || name.ends_with("session-id")
}

/// Whether a parameter of a query, a form or a JSON body holds a credential.
pub(crate) fn is_credential_field(name: &str) -> bool {
    const FIELDS: [&str; 24] = [
        "password",
        "passwd",
        "pwd",
        "pass",
        "secret",
        "clientsecret",
        "token",
        "accesstoken",
        "refreshtoken",
        "idtoken",
        "authtoken",
        "apitoken",
        "apikey",
        "key",
        "accesskey",
        "secretkey",
        "privatekey",
        "auth",
        "authorization",
        "sig",
        "signature",
        "sessionid",
        "sessiontoken",
        "assertion",
    ];
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    FIELDS.contains(&plain.as_str())
}

/// User and password of `Authorization: Basic`.
pub(in crate::http) fn decode_basic(token: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(token.trim()).ok()?).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// Takes credentials out of a request for one host.
pub(super) struct Extraction {
    host: String,
    /// The secrets that the request names for what stood in it.
    pub(super) named: Vec<String>,
    pub(super) extracted: Vec<Extracted>,
}

impl Extraction {
    pub(super) fn for_host(host: String) -> Self {
        Self { host, named: Vec::new(), extracted: Vec::new() }
    }

    pub(super) fn for_url(url: &Url) -> Self {
        Self::for_host(host_of(url).unwrap_or_default())
    }

    /// A reference in the place of a value. A shell variable stands for a secret whose value isn't known here.
    pub(super) fn secret(&mut self, kind: &str, value: &str) -> String {
        let value = value.trim();
        if value.is_empty() || value.starts_with("${secret:") || value.starts_with("${env:") {
            return value.to_owned();
        }
        if let Some(variable) = shell_variable(value) {
            let name = clean(&variable.to_ascii_lowercase().replace('_', "-"));
            if !self.named.contains(&name) {
                self.named.push(name.clone());
            }
            return format!("${{secret:{name}}}");
        }
        if let Some(known) = self.extracted.iter().find(|known| known.value.expose() == value) {
            return format!("${{secret:{}}}", known.name);
        }
        let wanted = self.name(kind);
        let mut name = wanted.clone();
        let mut number = 2;
        while self.named.contains(&name) {
            name = format!("{wanted}-{number}");
            number += 1;
        }
        self.named.push(name.clone());
        self.extracted.push(Extracted { name: name.clone(), value: Sensitive::new(value.to_owned()), host: self.host.clone() });
        format!("${{secret:{name}}}")
    }

    fn name(&self, kind: &str) -> String {
        let kind = clean(kind);
        let kind = &kind[..kind.len().min(24)];
        let host = clean(&self.host);
        // Room for the kind, for a number behind it, and for the one that the store may add.
        let host = host[..host.len().min(LONGEST_NAME - kind.len() - 10)].trim_matches(['-', '.']);
        if host.is_empty() { kind.to_owned() } else { format!("{host}-{kind}") }
    }

    /// Puts the address into the request, without user, password and keys.
    pub(super) fn address(&mut self, mut url: Url, request: &mut ProbeRequest) {
        let user = percent_encoding::percent_decode_str(url.username()).decode_utf8_lossy().into_owned();
        let password = url.password().map(|text| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned());
        if !user.is_empty() || password.is_some() {
            // Neither can fail for an address with a host, which this is.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            request.auth = Some(self.user(&format!("{user}:{}", password.unwrap_or_default())));
        }
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        if pairs.iter().any(|(name, value)| is_credential_field(name) && !value.is_empty()) {
            let mut kept = String::new();
            for written in url.query().unwrap_or_default().split('&') {
                let Some((name, value)) = url::form_urlencoded::parse(written.as_bytes()).next() else { continue };
                if is_credential_field(&name) && !value.is_empty() {
                    let reference = self.secret(&name, &value);
                    request.query.push((name.into_owned(), reference));
                } else {
                    kept.push_str(if kept.is_empty() { "" } else { "&" });
                    kept.push_str(written);
                }
            }
            url.set_query((!kept.is_empty()).then_some(kept.as_str()));
        }
        request.url = literal(url.as_str());
    }

    /// `user:password`. With nothing behind the colon the user is a key, as some services have it.
    pub(super) fn user(&mut self, text: &str) -> Auth {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        Auth::Spec(match (user, password) {
            (key, "") if text.contains(':') => AuthSpec::Basic { username: self.secret("api-key", key), password: String::new() },
            (user, password) => AuthSpec::Basic { username: literal(user), password: self.secret("password", password) },
        })
    }

    /// The value of an `Authorization` header as an authentication; as the value of a header where its scheme is another.
    pub(super) fn authorization(&mut self, value: &str) -> Result<Auth, String> {
        let (scheme, token) = value.split_once(' ').unwrap_or(("", value));
        let token = token.trim();
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" => Ok(Auth::Spec(AuthSpec::Bearer { token: self.secret("token", token) })),
            "basic" => match decode_basic(token) {
                Some((user, password)) => Ok(self.user(&format!("{user}:{password}"))),
                None => Err(format!("{scheme} {}", self.secret("authorization", token))),
            },
            "" => Err(self.secret("authorization", token)),
            _ => Err(format!("{scheme} {}", self.secret("authorization", token))),
        }
    }

    /// The value of a header, or a reference in its place.
    pub(super) fn header(&mut self, name: &str, value: &str) -> String {
        if !is_credential(name) {
            return literal(value);
        }
        let kind = name.strip_prefix("x-").unwrap_or(name);
        // `token abc`, as some services write it: the word in front is none of the secret.
        match value.split_once(' ') {
            Some((scheme, rest)) if matches!(scheme.to_ascii_lowercase().as_str(), "bearer" | "token" | "basic" | "apikey") => {
                format!("{scheme} {}", self.secret(kind, rest))
            }
            _ => self.secret(kind, value),
        }
    }

    /// A body with references in the place of credentials, where its media type says how to read it.
    pub(super) fn body(&mut self, body: &str, media_type: &str) -> String {
        if media_type.starts_with("application/x-www-form-urlencoded") && !body.trim_start().starts_with(['{', '[']) {
            let pairs = body.split('&').map(|written| match url::form_urlencoded::parse(written.as_bytes()).next() {
                Some((name, value)) if is_credential_field(&name) && !value.is_empty() => {
                    format!("{}={}", written.split('=').next().unwrap_or_default(), self.secret(&name, &value))
                }
                _ => literal(written),
            });
            return pairs.collect::<Vec<_>>().join("&");
        }
        let mut text = literal(body);
        if let Ok(json) = serde_json::from_str::<Value>(body) {
            let mut found = Vec::new();
            fields(&json, &mut found);
            for (name, value) in found {
                // The value as it stands in the text, quotes included.
                let quoted = literal(&Value::String(value.clone()).to_string());
                if text.contains(&quoted) {
                    let reference = self.secret(&name, &value);
                    text = text.replace(&quoted, &format!("\"{reference}\""));
                }
            }
        }
        text
    }
}

/// Members that hold credentials, at any depth.
fn fields(json: &Value, found: &mut Vec<(String, String)>) {
    match json {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if is_credential_field(name) && !text.is_empty() => {
                        found.push((name.clone(), text.clone()))
                    }
                    other => fields(other, found),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|value| fields(value, found)),
        _ => {}
    }
}

/// A text in which `${` is meant as it stands; references of Patchbay's own stay what they are.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        out.push_str(&rest[..at]);
        let reference = rest[at..].starts_with("${env:") || rest[at..].starts_with("${secret:");
        out.push_str(if reference { "${" } else { "$${" });
        rest = &rest[at + 2..];
    }
    out.push_str(rest);
    out
}

/// `$NAME`, `${NAME}` or `%NAME%`, and nothing else.
fn shell_variable(text: &str) -> Option<&str> {
    let name = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .or_else(|| text.strip_prefix('$'))
        .or_else(|| text.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')))?;
    let valid = !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit());
    (valid && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')).then_some(name)
}

/// A text with only what the name of a secret may have.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' }).collect()
}
