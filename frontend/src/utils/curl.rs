//! A request as a curl line, with its references as they were written.

use patchbay_contracts::{
    integration::{ApiKeyPlace, Auth, AuthSpec, Method},
    probe::ProbeRequest,
};

/// Whether a text is a line for curl, with or without the prompt that documentation shows before it.
pub fn is_curl(text: &str) -> bool {
    let text = text.trim_start();
    let text = ["$ ", "> ", "% ", "# "].iter().find_map(|prompt| text.strip_prefix(prompt)).unwrap_or(text).trim_start();
    let Some((first, rest)) = text.split_once(char::is_whitespace) else { return false };
    (matches!(first, "curl" | "curl.exe") || first.ends_with("/curl")) && !rest.trim().is_empty()
}

/// The host of an address with its port, where they stand in it in plain.
pub fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if host.contains("${") { String::new() } else { host.to_owned() }
}

/// What becomes of the request in the editors when `input` was understood as `new`. A curl line says all of it. An
/// address says nothing of headers and body, so that those that were typed stay, and names a method only where it
/// stands before it.
pub fn taken_over(old: &ProbeRequest, new: ProbeRequest, input: &str) -> ProbeRequest {
    if is_curl(input) {
        return ProbeRequest { integration: old.integration.clone(), ..new };
    }
    let named = input.split_whitespace().next().and_then(Method::named).filter(|_| input.trim().contains(char::is_whitespace));
    let mut query = new.query;
    query.extend(old.query.iter().cloned());
    ProbeRequest {
        method: named.unwrap_or(old.method),
        url: new.url,
        query,
        auth: new.auth.or_else(|| old.auth.clone()),
        ..old.clone()
    }
}

/// The request as one line that the backend understands again. References such as `${secret:NAME}` stay references,
/// so that no credential is in it.
pub fn line(request: &ProbeRequest) -> String {
    let mut words = vec!["curl".to_owned()];
    let with_body = request.body.as_ref().is_some_and(|body| !body.is_empty());
    let implied = if with_body { Method::Post } else { Method::Get };
    if request.method != implied {
        words.extend(["-X".to_owned(), request.method.as_str().to_owned()]);
    }
    let mut query = request.query.clone();
    let mut headers = request.headers.clone();
    match &request.auth {
        Some(Auth::Spec(AuthSpec::Bearer { token })) => headers.push(("Authorization".to_owned(), format!("Bearer {token}"))),
        Some(Auth::Spec(AuthSpec::Basic { username, password })) => {
            words.extend(["-u".to_owned(), quoted(&format!("{username}:{password}"))]);
        }
        Some(Auth::Spec(AuthSpec::ApiKey { name, value, place: ApiKeyPlace::Header })) => {
            headers.push((name.clone(), value.clone()))
        }
        Some(Auth::Spec(AuthSpec::ApiKey { name, value, place: ApiKeyPlace::Query })) => {
            query.push((name.clone(), value.clone()))
        }
        _ => {}
    }
    words.push(quoted(&with_query(&request.url, &query)));
    for (name, value) in headers.iter().filter(|(name, _)| !name.trim().is_empty()) {
        words.extend(["-H".to_owned(), quoted(&format!("{name}: {value}"))]);
    }
    if let Some(body) = request.body.as_ref().filter(|_| with_body) {
        words.extend(["--data-raw".to_owned(), quoted(body)]);
    }
    if request.follow_redirects {
        words.push("-L".to_owned());
    }
    if request.accept_invalid_certificate {
        words.push("-k".to_owned());
    }
    if let Some(timeout) = request.timeout {
        words.extend(["--max-time".to_owned(), (timeout.as_ms() / 1e3).to_string()]);
    }
    words.join(" ")
}

/// An address with parameters added to those that it has, before its fragment.
pub fn with_query(url: &str, query: &[(String, String)]) -> String {
    let query: Vec<String> = query
        .iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    if query.is_empty() {
        return url.to_owned();
    }
    let (address, fragment) = url.split_once('#').map_or((url, None), |(address, fragment)| (address, Some(fragment)));
    let glue = if address.contains('?') { "&" } else { "?" };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{address}{glue}{}{fragment}", query.join("&"))
}

/// Percent-encodes what has a meaning in a query; the signs of a reference are kept.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        encode_into(&mut out, &rest[..start]);
        out.push_str(&rest[start..=start + length]);
        rest = &rest[start + length + 1..];
    }
    encode_into(&mut out, rest);
    out
}

fn encode_into(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/,".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

/// A word that the shell takes as it is.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
