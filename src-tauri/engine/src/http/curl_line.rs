//! A request as a line for curl, with secrets as shell variables.

use super::outgoing::{Basic, Header};

/// Writes the line. Texts hold `‹secret:NAME›` for secrets, which become `"$SECRET_NAME"`.
pub(super) fn curl_line(
    method: &str,
    url: &str,
    headers: &[Header],
    basic: Option<&Basic>,
    body: Option<&str>,
    flags: &[&str],
) -> String {
    let mut words = vec!["curl".to_owned()];
    match (method, body) {
        ("GET", None) | ("POST", Some(_)) => {}
        ("HEAD", None) => words.push("--head".to_owned()),
        _ => words.extend(["-X".to_owned(), quote(method)]),
    }
    let mut put = |option: &str, value: &str| words.extend([option.to_owned(), quote(value)]);
    for header in headers {
        // curl sends these by itself, and takes the encodings off again only if it was told of them by its own option.
        let own = header.name == reqwest::header::ACCEPT && header.shown == "*/*"
            || header.name == reqwest::header::ACCEPT_ENCODING
            || header.name == reqwest::header::CONTENT_LENGTH;
        let as_user = basic.is_some() && header.name == reqwest::header::AUTHORIZATION;
        if !own && !as_user {
            put("-H", &format!("{}: {}", header.shown_name, header.shown));
        }
    }
    if let Some(Basic { user, password }) = basic {
        put("-u", &format!("{user}:{password}"));
    }
    if let Some(body) = body {
        put("--data-raw", body);
    }
    let compressed = headers.iter().any(|header| header.name == reqwest::header::ACCEPT_ENCODING);
    words.extend(flags.iter().copied().chain(compressed.then_some("--compressed")).map(str::to_owned));
    words.push(quote(url));
    words.join(" ")
}

/// A text as one word of a POSIX shell, its secrets as variables.
fn quote(text: &str) -> String {
    let mut word = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("‹secret:") {
        let Some((name, after)) = after.split_once('›') else { break };
        if !before.is_empty() {
            word.push_str(&quote_plain(before));
        }
        word.push_str(&format!("\"${}\"", variable(name)));
        rest = after;
    }
    if !rest.is_empty() || word.is_empty() {
        word.push_str(&quote_plain(rest));
    }
    word
}

/// A text without secrets: bare where nothing in it means anything to a shell, else in single quotes, in which only the
/// single quote itself needs care.
fn quote_plain(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '=' | ',' | '@' | '%' | '+');
    if !text.is_empty() && text.chars().all(bare) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The shell variable that stands for a secret.
fn variable(name: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("SECRET_{name}")
}
