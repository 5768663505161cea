//! Hosts that a person lists for a secret.

/// The hosts in a list with commas or spaces: `host`, `host:port` or `*.domain`.
///
/// # Errors
/// A sentence on the first entry that is none of these. An address pasted whole is the likely mistake, and is named.
pub fn parse(text: &str) -> Result<Vec<String>, String> {
    let entries = text.split([',', ' ', '\n', '\t']).filter(|entry| !entry.is_empty());
    entries.map(|entry| host(entry).map(|()| entry.to_ascii_lowercase())).collect()
}

fn host(entry: &str) -> Result<(), String> {
    if let Some((_, rest)) = entry.split_once("://") {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        return Err(format!("Write the host alone, {host} in place of {entry}."));
    }
    if let Some((host, _)) = entry.split_once('/') {
        return Err(format!("Write the host alone, {host} in place of {entry}."));
    }
    let bad = || Err(format!("{entry} is no host. Write it as host, host:port or *.domain."));
    if let Some(address) = entry.strip_prefix('[') {
        let Some((address, port)) = address.split_once(']') else { return bad() };
        let port_ok = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return if address.parse::<std::net::Ipv6Addr>().is_ok() && port_ok { Ok(()) } else { bad() };
    }
    let (name, port) = entry.split_once(':').map_or((entry, None), |(name, port)| (name, Some(port)));
    let name = name.strip_prefix("*.").unwrap_or(name);
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && label.chars().all(|letter| letter.is_alphanumeric() || "-_".contains(letter))
    };
    if name.split('.').all(label) && port.is_none_or(is_port) { Ok(()) } else { bad() }
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0)
}
