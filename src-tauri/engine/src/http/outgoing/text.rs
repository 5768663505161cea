//! Texts with references, filled in so that a value can't break out of the place that it stands in.

use patchbay_contracts::secret::Sensitive;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::{
    Result,
    http::Context,
    secrets::template::{self, Scope},
};

/// How a value is written where it is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// As it is.
    None,
    /// In the path or the query of an address: a captured value or a secret is one part of it, whatever is in it. A
    /// variable is the person's own, and may well hold several parts.
    Address,
    /// In JSON: within a text literal, quotes and the like are escaped; elsewhere the value stands as it is, so that a
    /// number can be filled in.
    Json,
    /// In a form (application/x-www-form-urlencoded).
    Form,
}

/// A text that was filled in.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) value: Sensitive<String>,
    pub(super) shown: String,
    pub(super) secrets: Vec<String>,
}

/// All but what RFC 3986 calls unreserved.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What `with_labels` looks for, as the URL type writes `‹secret:` and `›`.
const LABEL_STARTS: [&str; 2] = ["%E2%80%B9secret:", "%E2%80%B9secret%3A"];
const LABEL_END: &str = "%E2%80%BA";

/// Fills a text in for `target`.
pub(super) async fn fill(text: &str, escape: Escape, context: &Context, target: &Url) -> Result<Text> {
    if !text.contains("${") {
        return Ok(Text { value: Sensitive::new(text.to_owned()), shown: text.to_owned(), secrets: Vec::new() });
    }
    // What can't be read is told before anything is looked up.
    template::check(text)?;
    let (mut value, mut shown, mut secrets) = (String::new(), String::new(), Vec::new());
    let mut within = false;
    for piece in pieces(text) {
        let filled = template::fill(piece, &context.scope, &context.secrets, target).await?;
        if is_reference(piece) {
            let escape = if within || escape != Escape::Json { escape } else { Escape::None };
            value.push_str(&escaped(filled.value.expose(), piece, escape));
            // A label is text of ours, with nothing in it that would need an escape.
            shown.push_str(&if filled.secrets.is_empty() { escaped(&filled.shown, piece, escape) } else { filled.shown });
        } else {
            within = in_literal(filled.value.expose(), within);
            value.push_str(filled.value.expose());
            shown.push_str(&filled.shown);
        }
        for secret in filled.secrets {
            if !secrets.contains(&secret) {
                secrets.push(secret);
            }
        }
    }
    Ok(Text { value: Sensitive::new(value), shown, secrets })
}

fn escaped(value: &str, piece: &str, escape: Escape) -> String {
    match escape {
        Escape::None => value.to_owned(),
        Escape::Address if piece.starts_with("${env:") => value.to_owned(),
        // A segment of nothing but dots would lead out of its folder.
        Escape::Address if matches!(value, "." | "..") => value.replace('.', "%252E"),
        Escape::Address => utf8_percent_encode(value, COMPONENT).to_string(),
        Escape::Form => url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
        Escape::Json => {
            let quoted = serde_json::Value::String(value.to_owned()).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        }
    }
}

/// Whether the end of a stretch of JSON is within a text literal, if its start is or isn't.
pub(crate) fn in_literal(text: &str, mut within: bool) -> bool {
    let mut escaped = false;
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if within => escaped = true,
            '"' => within = !within,
            _ => {}
        }
    }
    within
}

fn is_reference(piece: &str) -> bool {
    piece.starts_with("${")
}

/// The text in pieces: each reference by itself, and what is between them. Pieces may be filled in one by one.
pub(crate) fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(found) = text[at..].find("${") {
        let start = at + found;
        // `$${` is a text, with the reading that the template gives it.
        if text[from..start].ends_with('$') {
            at = start + 2;
            continue;
        }
        let Some(length) = text[start..].find('}') else { break };
        if start > from {
            pieces.push(&text[from..start]);
        }
        pieces.push(&text[start..=start + length]);
        from = start + length + 1;
        at = from;
    }
    if from < text.len() {
        pieces.push(&text[from..]);
    }
    pieces
}

/// The address up to the end of its host, filled in, and the rest as it was written.
///
/// # Errors
/// Those of references, and that a secret stands where the host is decided.
pub(super) fn split_address(text: &str, scope: &Scope) -> Result<(String, String)> {
    let mut front = String::new();
    let mut rest = text.trim();
    for piece in pieces(rest) {
        if let Some(end) = end_of_host(&front) {
            // What a variable brought in beyond the host stands as it is; `$` in it is no reference any more.
            let beyond = front.split_off(end).replace("${", "$${");
            return Ok((front, beyond + rest));
        }
        let reference = is_reference(piece);
        if !reference && let Some(end) = end_of_host(&format!("{front}{piece}")) {
            let here = end.saturating_sub(front.len());
            front.push_str(&template::fill_plain(&piece[..here], scope)?);
            return Ok((front, rest[here..].to_owned()));
        }
        front.push_str(&template::fill_plain(piece, scope)?);
        rest = &rest[piece.len()..];
    }
    match end_of_host(&front) {
        Some(end) => {
            let beyond = front.split_off(end).replace("${", "$${");
            Ok((front, beyond))
        }
        None => Ok((front, String::new())),
    }
}

/// Where the host of an address ends, once it is known to end.
fn end_of_host(text: &str) -> Option<usize> {
    let start = match text.find("://") {
        Some(at) if !text[..at].contains(['/', '?', '#']) => at + 3,
        // `host/path` without a scheme.
        _ => 0,
    };
    text[start..].find(['/', '?', '#']).map(|at| start + at)
}

/// An address as text, with the labels of secrets readable.
pub(super) fn with_labels(address: &str) -> String {
    let mut text = String::with_capacity(address.len());
    let mut rest = address;
    while let Some((at, start)) = LABEL_STARTS.iter().filter_map(|start| rest.find(start).map(|at| (at, start))).min() {
        let inside = &rest[at + start.len()..];
        text.push_str(&rest[..at]);
        match inside.find(LABEL_END) {
            Some(end) => {
                text.push_str("‹secret:");
                text.push_str(&inside[..end]);
                text.push('›');
                rest = &inside[end + LABEL_END.len()..];
            }
            None => {
                text.push_str(start);
                rest = inside;
            }
        }
    }
    text.push_str(rest);
    text
}

/// Bytes that a parameter of a path is escaped for.
pub(in crate::http) const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b']')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');
