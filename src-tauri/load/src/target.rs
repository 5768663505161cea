//! What is put under load, and the bytes that go out for it.

use std::{fmt, sync::Arc};

use patchbay_contracts::{Code, Problem};

/// One request to one place. It may hold secrets, so its `Debug` shows none of it but [`Target::shown`].
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

/// The request as it goes out, which is the same each time.
///
/// # Errors
/// [`Code::InvalidInput`] where a part has bytes that it can't have; the part isn't shown, since it may be secret.
pub(crate) fn request(target: &Target) -> Result<Vec<u8>, Problem> {
    if target.method.is_empty() || !target.method.bytes().all(is_token) || target.method == "CONNECT" {
        return Err(Problem::new(Code::InvalidInput, format!("`{}` is no method to send a request with", target.method)));
    }
    if !target.path.starts_with('/') || !target.path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(bad("The path has characters that must be percent-encoded, or doesn't begin with `/`"));
    }
    let mut bytes = format!("{} {} HTTP/1.1\r\n", target.method, target.path).into_bytes();
    if !has(target, "host") {
        line(&mut bytes, "Host", &host(target)?);
    }
    if !has(target, "user-agent") {
        line(&mut bytes, "User-Agent", concat!("patchbay/", env!("CARGO_PKG_VERSION")));
    }
    for (name, value) in &target.headers {
        check_header(target, name, value)?;
        line(&mut bytes, name, value);
    }
    let has_body = !target.body.is_empty() || matches!(target.method.as_str(), "POST" | "PUT" | "PATCH");
    if has_body && !has(target, "content-length") {
        line(&mut bytes, "Content-Length", &target.body.len().to_string());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&target.body);
    Ok(bytes)
}

fn bad(what: &str) -> Problem {
    Problem::new(Code::InvalidInput, what)
}

fn host(target: &Target) -> Result<String, Problem> {
    if target.host.is_empty() || !target.host.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/') {
        return Err(bad("The host is not a name or an address"));
    }
    let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
    let usual = if target.tls.is_some() { 443 } else { 80 };
    Ok(if target.port == usual { host } else { format!("{host}:{}", target.port) })
}

fn check_header(target: &Target, name: &str, value: &str) -> Result<(), Problem> {
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(bad("The name of a header has characters that it can't have"));
    }
    if value.bytes().any(|byte| (byte < b' ' && byte != b'\t') || byte == 0x7f) {
        return Err(bad(&format!("The value of the header `{name}` has control characters, such as a line end")));
    }
    if name.eq_ignore_ascii_case("transfer-encoding") {
        return Err(bad("The header `Transfer-Encoding` can't be set").why("the body is sent whole, with its length"));
    }
    if name.eq_ignore_ascii_case("content-length") && value.trim() != target.body.len().to_string() {
        let why = format!("the body has {} bytes", target.body.len());
        return Err(bad("The header `Content-Length` is wrong").why(why).next("Leave it out; it is added"));
    }
    Ok(())
}

fn has(target: &Target, name: &str) -> bool {
    target.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
}

fn line(bytes: &mut Vec<u8>, name: &str, value: &str) {
    for part in [name, ": ", value, "\r\n"] {
        bytes.extend_from_slice(part.as_bytes());
    }
}

/// A character of a token (RFC 9110, 5.6.2).
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~') && byte != b'"'
}
