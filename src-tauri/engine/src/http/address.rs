//! Addresses as people write them.

use patchbay_contracts::{Code, Problem};
use url::{Host, ParseError, Url};

use crate::{Result, utils::nearest};

/// The longest address, in bytes.
const LONGEST: usize = 64 * 1024;

/// Reads the address of a service. Without a scheme, `http` is assumed for this machine and `https` for any other.
///
/// # Errors
/// [`Code::InvalidInput`] with what would do, for anything that HTTP can't be spoken with.
pub fn address(text: &str) -> Result<Url> {
    let text = text.trim();
    if text.is_empty() {
        return Err(
            Problem::new(Code::InvalidInput, "The address is empty").next("Write one, such as http://localhost:8080/health")
        );
    }
    if text.len() > LONGEST {
        return Err(Problem::new(Code::InvalidInput, format!("The address has more than {LONGEST} bytes")));
    }
    let whole = with_scheme(text)?;
    let url = Url::parse(&whole).map_err(|error| unreadable(text, error))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong_scheme(text, url.scheme()));
    }
    if url.port() == Some(0) {
        return Err(wrong(text).why("port 0 can't be connected to").next("Write a port from 1 to 65535"));
    }
    Ok(url)
}

/// Whether an address is this very machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost" || domain.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        None => false,
    }
}

/// The text with a scheme in front.
fn with_scheme(text: &str) -> Result<String> {
    if let Some((scheme, _)) = text.split_once("://") {
        // In `localhost:80/?to=http://x` what stands before is no scheme.
        if !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')) {
            return Ok(text.to_owned());
        }
    }
    if text.starts_with('/') && !text.starts_with("//") {
        return Err(wrong(text)
            .why("it is a path without a host")
            .next(format!("Write the whole address, such as http://localhost:8080{text}")));
    }
    let bare = text.trim_start_matches('/');
    if let Some((scheme, rest)) = bare.split_once(':')
        && !rest.starts_with(|c: char| c.is_ascii_digit())
        && scheme.bytes().all(|b| b.is_ascii_alphabetic())
    {
        // `http:/host` and `htp:host`: somebody meant a scheme.
        return Err(match (scheme.to_ascii_lowercase().as_str(), rest.trim_start_matches('/')) {
            ("http" | "https", host) if !host.is_empty() => {
                wrong(text).why("two slashes belong behind the scheme").next(format!("Did you mean {scheme}://{host}?"))
            }
            _ => wrong_scheme(text, scheme),
        });
    }
    let guess = Url::parse(&format!("http://{bare}")).map_err(|error| unreadable(text, error))?;
    let scheme = if is_loopback(&guess) { "http" } else { "https" };
    Ok(format!("{scheme}://{bare}"))
}

fn wrong(text: &str) -> Problem {
    // What stands before an @ may be a password.
    let shown = text.rsplit('@').next().unwrap_or_default();
    let shown = &shown[..shown.floor_char_boundary(200)];
    Problem::new(Code::InvalidInput, format!("`{shown}` is not an address that can be called"))
}

fn wrong_scheme(text: &str, scheme: &str) -> Problem {
    let problem = wrong(text);
    let rest = text.split_once(':').map_or("", |(_, rest)| rest).trim_start_matches('/');
    match nearest(scheme, ["http", "https"]) {
        Some(near) if !rest.is_empty() => {
            problem.why(format!("`{scheme}` is unknown")).next(format!("Did you mean {near}://{rest}?"))
        }
        _ if scheme == "file" => {
            problem.why("a file is not a service").next("Write an address that begins with http:// or https://")
        }
        _ => problem
            .why(format!("`{scheme}` is not HTTP"))
            .next("Write an address that begins with http:// or https://, such as http://localhost:8080/"),
    }
}

fn unreadable(text: &str, error: ParseError) -> Problem {
    let problem = wrong(text);
    match error {
        ParseError::EmptyHost => problem.why("it names no host").next("Write one, such as http://localhost:8080/"),
        ParseError::InvalidPort => {
            problem.why("the port is not a number from 1 to 65535").next("Correct the port, or leave it out")
        }
        ParseError::InvalidIpv4Address => problem.why("the IP address has too many parts, or one of them is over 255"),
        ParseError::InvalidIpv6Address => {
            problem.why("the IPv6 address can't be read").next("Write it in brackets, such as http://[::1]:8080/")
        }
        ParseError::InvalidDomainCharacter | ParseError::IdnaError => {
            problem.why("the host has characters that no host name has").next("Check it for blanks and stray punctuation")
        }
        other => problem.why(other.to_string()),
    }
}
