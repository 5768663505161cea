//! What keeps a load run from hurting somebody: limits that stand in the integration's file, and a question before a host is
//! put under load that isn't one's own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};

use patchbay_contracts::{
    Code, Problem,
    integration::{Executor, Integration, Level, LoadSpec},
    units::Span,
};
use patchbay_load::{DEFAULT_CONNECTION_CAP, DEFAULT_CONNECTIONS, DEFAULT_DURATION};
use url::{Host, Url};

use crate::Result;

/// Holds what is asked for against the limits of the file.
///
/// # Errors
/// [`Code::InvalidInput`] with the limit, where more is asked for.
pub fn within_limits(definition: &Integration, spec: &LoadSpec) -> Result<()> {
    let Some(limits) = &definition.load_limits else { return Ok(()) };
    let over = |what: String, limit: String| {
        Err(Problem::new(Code::InvalidInput, format!("{what} is more than `{}` allows", definition.name))
            .why(format!("its file has load_limits: {limit}"))
            .next("Ask for less, or change the limit in the file"))
    };
    if let Some(limit) = limits.rate {
        let Some(highest) = highest_rate(spec) else {
            return Err(Problem::new(
                Code::InvalidInput,
                format!("{} has no rate that could be limited", spec.executor.as_str()),
            )
            .why(format!("the file of `{}` has load_limits: {{ rate: {limit} }}", definition.name))
            .next("Use constant-arrival-rate or ramping-arrival-rate"));
        };
        if highest > limit.hertz() {
            return over(format!("A rate of {highest}/s"), format!("{{ rate: {limit} }}"));
        }
    }
    if let Some(limit) = limits.connections {
        let most = connections(spec);
        if most > limit {
            return over(format!("A number of {most} connections"), format!("{{ connections: {limit} }}"));
        }
    }
    if let Some(limit) = limits.duration {
        let duration = duration(spec);
        if duration > limit {
            return over(format!("A duration of {duration}"), format!("{{ duration: {limit} }}"));
        }
    }
    Ok(())
}

/// The most connections that are asked for; what an open workload may open without another word counts.
fn connections(spec: &LoadSpec) -> u32 {
    let stages = spec.stages.iter().filter_map(|stage| match stage.to {
        Level::Connections(count) => Some(count),
        Level::Rate(_) => None,
    });
    let usual = if spec.executor.is_open() { DEFAULT_CONNECTION_CAP } else { DEFAULT_CONNECTIONS };
    let ramps = spec.executor == Executor::RampingConnections;
    let own = if ramps { spec.connections.unwrap_or(0) } else { spec.connections.unwrap_or(usual) };
    stages.filter(|_| ramps).max().unwrap_or(0).max(own)
}

fn duration(spec: &LoadSpec) -> Span {
    if spec.executor.is_ramping() {
        return Span(spec.stages.iter().fold(std::time::Duration::ZERO, |sum, stage| sum.saturating_add(stage.over.0)));
    }
    spec.duration.unwrap_or(DEFAULT_DURATION)
}

/// Iterations a second, at the highest; nothing in a closed workload.
fn highest_rate(spec: &LoadSpec) -> Option<f64> {
    if !spec.executor.is_open() {
        return None;
    }
    let stages = spec.stages.iter().filter_map(|stage| match stage.to {
        Level::Rate(rate) => Some(rate.hertz()),
        Level::Connections(_) => None,
    });
    stages.chain(spec.rate.map(patchbay_contracts::units::Rate::hertz)).max_by(f64::total_cmp)
}

/// The host that somebody has to agree to, as it is remembered afterwards, and the question; nothing for loopback and
/// private addresses. Resolves names, so it may take a while.
pub fn needs_confirmation(address: &str, spec: &LoadSpec) -> Option<(String, Problem)> {
    let url = Url::parse(address).ok()?;
    let host = url.host()?.to_owned();
    let port = url.port_or_known_default().unwrap_or(80);
    let own = match &host {
        Host::Ipv4(ip) => is_own(IpAddr::V4(*ip)),
        Host::Ipv6(ip) => is_own(IpAddr::V6(*ip)),
        // A name that can't be resolved can't be put under load either, which the run itself says.
        Host::Domain(name) => (name.as_str(), port).to_socket_addrs().map_or(true, |mut found| found.all(|it| is_own(it.ip()))),
    };
    if own {
        return None;
    }
    let host = host.to_string();
    let load = match highest_rate(spec) {
        Some(rate) => format!("{rate} requests a second"),
        None => format!("{} connections, each as fast as it is answered,", connections(spec)),
    };
    let what = format!("Put {host} under a load of {load} for {}?", duration(spec));
    let question = Problem::new(Code::NeedsConfirmation, what)
        .why("it is neither this machine nor in a private network, so it may be somebody else's, and others may pay for it")
        .next("Agree in the window, or say --yes; it is asked once for each host");
    Some((host, question))
}

/// Loopback, private (RFC 1918, RFC 4193) and link-local addresses.
fn is_own(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_own_v4(ip),
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or_else(|| is_own_v6(ip), is_own_v4),
    }
}

const fn is_own_v4(ip: Ipv4Addr) -> bool {
    ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
}

const fn is_own_v6(ip: Ipv6Addr) -> bool {
    ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified()
}
