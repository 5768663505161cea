//! One request to one place, and what a request may look like.

use std::{fmt, sync::Arc};

use patchbay_contracts::{Code, Problem};

use crate::script::{Body, Step};

/// What requests call themselves where they don't say otherwise.
pub(crate) const USER_AGENT: &str = concat!("patchbay/", env!("CARGO_PKG_VERSION"));

/// One request to one place, the same each time. It may hold secrets, so its `Debug` shows none of it but
/// [`Target::shown`].
#[derive(Clone)]
pub struct Target {
    /// The integration or the address, for the report.
    pub name: String,
    /// `GET http://…`, with secrets as `‹secret:NAME›`, for the report.
    pub shown: String,
    /// The method, such as `GET`.
    pub method: String,
    /// The host's name or address; an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query as they go out, percent-encoded; begins with `/`.
    pub path: String,
    /// Header lines. `Host`, `User-Agent` and `Content-Length` are added where they are missing.
    pub headers: Vec<(String, String)>,
    /// The body, sent with each request.
    pub body: Vec<u8>,
    /// TLS with its roots and client certificates, for https; ALPN is set here. Nothing for http.
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("name", &self.name).field("shown", &self.shown).finish_non_exhaustive()
    }
}

/// The host as it stands in a request.
pub(crate) fn authority(host: &str, port: u16, tls: bool) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let usual = if tls { 443 } else { 80 };
    if port == usual { host } else { format!("{host}:{port}") }
}

/// Whether a step can go out as it is.
///
/// # Errors
/// [`Code::InvalidInput`] where a part has bytes that it can't have; the part isn't shown, since it may be secret.
pub(crate) fn check(step: &Step, host: &str) -> Result<(), Problem> {
    if step.method.is_empty() || !step.method.bytes().all(is_token) || step.method == "CONNECT" {
        return Err(Problem::new(Code::InvalidInput, format!("`{}` is no method to send a request with", step.method)));
    }
    if host.is_empty() || !host.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/') {
        return Err(bad("The host is not a name or an address"));
    }
    let begins = step.path.texts().next().is_some_and(|text| text.starts_with(b"/"));
    if !begins || !step.path.texts().flatten().all(u8::is_ascii_graphic) {
        return Err(bad("The path has characters that must be percent-encoded, or doesn't begin with `/`"));
    }
    step.headers.iter().try_for_each(|(name, value)| check_header(step, name, value))
}

fn bad(what: &str) -> Problem {
    Problem::new(Code::InvalidInput, what)
}

fn check_header(step: &Step, name: &str, value: &crate::script::template::Template) -> Result<(), Problem> {
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(bad("The name of a header has characters that it can't have"));
    }
    if value.texts().flatten().any(|&byte| (byte < b' ' && byte != b'\t') || byte == 0x7f) {
        return Err(bad(&format!("The value of the header `{name}` has control characters, such as a line end")));
    }
    if name.eq_ignore_ascii_case("transfer-encoding") {
        return Err(bad("The header `Transfer-Encoding` can't be set").why("the body is sent whole, with its length"));
    }
    if name.eq_ignore_ascii_case("content-length") {
        let length = match &step.body {
            Body::Bytes(template) if template.is_fixed() => template.fixed_bytes().len() as u64,
            Body::Bytes(_) => {
                return Err(bad("The header `Content-Length` can't be set").why("the body is another each time"));
            }
            Body::File { length, .. } => *length,
        };
        if value.fixed_bytes().trim_ascii() != length.to_string().as_bytes() {
            let why = format!("the body has {length} bytes");
            return Err(bad("The header `Content-Length` is wrong").why(why).next("Leave it out; it is added"));
        }
    }
    Ok(())
}

/// A character of a token (RFC 9110, 5.6.2).
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~') && byte != b'"'
}
