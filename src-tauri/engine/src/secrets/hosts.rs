//! Which hosts a secret may be sent to.

use std::fmt;

use patchbay_contracts::{Code, Problem};
use url::{Host, Url};

use crate::Result;

/// Endings that no registry gives to strangers, so that everything below one of them may be meant at once.
const PRIVATE_ENDINGS: [&str; 8] = ["localhost", "local", "internal", "intranet", "lan", "corp", "home", "test"];

/// The most that a secret may be bound to.
pub(super) const MOST: usize = 50;

/// A host that a secret may be sent to: `host` (any port), `host:port`, or `*.domain` (every host below the domain, at
/// any depth, and not the domain itself), the last with a port too where one is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    below: bool,
    host: String,
    port: Option<u16>,
}

impl HostPattern {
    /// Reads a pattern. An address such as `https://api.example.com/v1` stands for its host, and for its port where it
    /// names one.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] for anything else, and for a wildcard over everything below a public ending (`*.com`).
    pub fn parse(text: &str) -> Result<Self> {
        // Nothing before an @ is quoted: a pasted address may hold credentials there.
        let bad = |why: &str| {
            Problem::new(
                Code::InvalidInput,
                format!("`{}` is not a host that a secret can be bound to", shorten(text.rsplit('@').next().unwrap_or_default())),
            )
            .why(why)
            .next("Write a host (api.example.com), a host and port (localhost:8080), or *.example.com for all below it")
        };
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.len() > 300 {
            return Err(bad("it is empty or too long"));
        }
        if trimmed.contains("://") {
            let url = Url::parse(trimmed).map_err(|error| bad(&error.to_string()))?;
            let host = url.host().ok_or_else(|| bad("the address names no host"))?;
            return Ok(Self { below: false, host: plain(&host), port: url.port() });
        }
        let (below, rest) = match trimmed.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, trimmed),
        };
        let (host, port) = split_port(rest).map_err(bad)?;
        if host.contains(['/', '@', '*', '?', '#']) {
            return Err(bad("a wildcard stands only at the front, and nothing but a port stands behind the host"));
        }
        // An IPv6 address may be written without its brackets where no port follows.
        let bracketed =
            if host.matches(':').count() > 1 && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
        let parsed = Host::parse(&bracketed).map_err(|error| bad(&error.to_string()))?;
        if below {
            let Host::Domain(domain) = &parsed else { return Err(bad("an IP address has nothing below it")) };
            if !domain.trim_end_matches('.').contains('.') && !PRIVATE_ENDINGS.contains(&domain.as_str()) {
                return Err(bad("that would be a whole public ending"));
            }
        }
        Ok(Self { below, host: plain(&parsed), port })
    }

    /// Whether `target` is meant. An address without a host is never meant.
    pub fn matches(&self, target: &Url) -> bool {
        let Some(host) = target.host().map(|host| plain(&host)) else { return false };
        if self.port.is_some() && self.port != target.port_or_known_default() {
            return false;
        }
        if self.below {
            host.strip_suffix(&self.host).is_some_and(|front| front.len() > 1 && front.ends_with('.'))
        } else {
            host == self.host
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.below { "*." } else { "" }, self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// Reads patterns, each once, in their order.
///
/// # Errors
/// As for [`HostPattern::parse`]; [`Code::TooLarge`] for more than fifty.
pub fn parse_all<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<HostPattern>> {
    let mut all: Vec<HostPattern> = Vec::new();
    for text in texts {
        let pattern = HostPattern::parse(text)?;
        if !all.contains(&pattern) {
            all.push(pattern);
        }
        if all.len() > MOST {
            return Err(Problem::new(Code::TooLarge, format!("A secret can be bound to {MOST} hosts at most"))
                .next("Use a wildcard such as *.example.com"));
        }
    }
    Ok(all)
}

/// The host of an address with its port where it isn't the customary one, as a person would bind a secret to it.
pub fn host_of(target: &Url) -> Option<String> {
    let host = plain(&target.host()?);
    Some(match target.port() {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}

/// A sentence of caution where a secret would cross the network unencrypted: plain http to anything but this machine.
pub fn exposure(target: &Url) -> Option<String> {
    let loopback = match target.host()? {
        Host::Domain(domain) => domain == "localhost" || domain.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let open = matches!(target.scheme(), "http" | "ws");
    (open && !loopback).then(|| {
        format!(
            "A secret went to {} over plain {}: anyone on the way can read it",
            host_of(target).unwrap_or_default(),
            target.scheme()
        )
    })
}

/// The host in the form in which two are compared: lower case, punycode, no full stop at the end, brackets around IPv6.
fn plain<S: AsRef<str>>(host: &Host<S>) -> String {
    match host {
        Host::Domain(domain) => domain.as_ref().trim_end_matches('.').to_ascii_lowercase(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => format!("[{address}]"),
    }
}

fn split_port(text: &str) -> std::result::Result<(&str, Option<u16>), &'static str> {
    let colon = match text.strip_prefix('[') {
        Some(_) => text.find(']').ok_or("the bracket is not closed").map(|end| text[end..].find(':').map(|at| end + at))?,
        None if text.matches(':').count() == 1 => text.find(':'),
        None => None,
    };
    match colon {
        None => Ok((text, None)),
        Some(at) => match text[at + 1..].parse::<u16>() {
            Ok(port) if port > 0 => Ok((&text[..at], Some(port))),
            _ => Err("the port must be a number from 1 to 65535"),
        },
    }
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 80 { text.to_owned() } else { text.chars().take(79).chain(['…']).collect() }
}
