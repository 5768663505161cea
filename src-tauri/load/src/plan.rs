//! What a run is going to do: the request's bytes, the times, the connections and the threads, all checked.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    thread::available_parallelism,
    time::Duration,
};

use patchbay_contracts::{
    Code, Problem,
    integration::LoadSpec,
    units::Span,
};
use rustls::pki_types::ServerName;

use crate::{
    Target, target,
    thresholds::{self, Threshold},
    utils::files,
    worker::connection::Wire,
};

/// How long a run is without another word.
pub const DEFAULT_DURATION: Span = Span::secs(10);
/// The longest that one request may take without another word.
pub const DEFAULT_TIMEOUT: Span = Span::secs(30);
/// How long answers are awaited after the end without another word.
pub const DEFAULT_GRACE: Span = Span::secs(5);
/// Connections of a closed workload without another word.
pub const DEFAULT_CONNECTIONS: u32 = 10;
/// The most connections that an open workload opens without another word.
pub const DEFAULT_CONNECTION_CAP: u32 = 1000;
/// The most connections that a run may ask for.
pub const MOST_CONNECTIONS: u32 = 20_000;
/// The highest rate a second that a run may ask for.
pub const HIGHEST_RATE: f64 = 1e6;

const LONGEST_DURATION: Duration = Duration::from_secs(24 * 3600);
/// What a request waits for its answer, and what a run waits at the end.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(3600);
/// A thread of its own is worth it for so many connections of a closed workload …
const CONNECTIONS_A_THREAD: u32 = 128;
/// … and for so many requests a second of an open one.
const RATE_A_THREAD: f64 = 20_000.0;
/// The most addresses of one host that are tried.
const MOST_ADDRESSES: usize = 16;

/// A run, checked and worked out. Times are nanoseconds of the run.
pub(crate) struct Plan {
    pub(crate) wire: Wire,
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) thresholds: Vec<Threshold>,
    /// What was asked for, with the defaults filled in.
    pub(crate) spec: LoadSpec,
    /// Requests a second; nothing in a closed workload.
    pub(crate) rate: Option<f64>,
    pub(crate) connections: u32,
    pub(crate) threads: usize,
    /// When the warm-up is over.
    pub(crate) measured_from: u64,
    /// When no more requests are due.
    pub(crate) end: u64,
    pub(crate) timeout: u64,
    pub(crate) grace: u64,
    /// What the plan itself has to say of the figures.
    pub(crate) notes: Vec<String>,
}

impl Plan {
    /// Checks a target and what is asked for. Resolves the host.
    pub(crate) fn new(target: &Target, spec: &LoadSpec) -> Result<Self, Problem> {
        let times = Times::read(spec)?;
        let rate = rate(spec)?;
        let thresholds = spec.thresholds.iter().map(|text| thresholds::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let request = target::request(target)?;
        let tls = tls(target)?;
        let mut notes = Vec::new();
        let connections = connections(spec, rate, &mut notes)?;
        let addresses = resolve(&target.host, target.port)?;
        let threads = threads(rate, connections);
        let filled = LoadSpec {
            connections: Some(connections),
            duration: Some(times.duration),
            timeout: Some(times.timeout),
            grace: Some(times.grace),
            ..spec.clone()
        };
        Ok(Self {
            wire: Wire { request, to_head: target.method == "HEAD", tls },
            addresses,
            thresholds,
            spec: filled,
            rate,
            connections,
            threads,
            measured_from: nanos(times.warm_up),
            end: nanos(times.duration),
            timeout: nanos(times.timeout),
            grace: nanos(times.grace.min(times.timeout)),
            notes,
        })
    }

    /// No latency is longer than this: an arrival waits for a connection no longer than a time-out, the answer takes no
    /// longer than another, and a time-out is seen a little late.
    pub(crate) fn longest_latency(&self) -> u64 {
        2 * self.timeout + self.grace + 60_000_000_000
    }
}

struct Times {
    duration: Span,
    warm_up: Span,
    timeout: Span,
    grace: Span,
}

impl Times {
    fn read(spec: &LoadSpec) -> Result<Self, Problem> {
        let times = Self {
            duration: spec.duration.unwrap_or(DEFAULT_DURATION),
            warm_up: spec.warm_up.unwrap_or(Span(Duration::ZERO)),
            timeout: spec.timeout.unwrap_or(DEFAULT_TIMEOUT),
            grace: spec.grace.unwrap_or(DEFAULT_GRACE),
        };
        let shortest = Duration::from_millis(1);
        if times.duration.0 < shortest || times.duration.0 > LONGEST_DURATION {
            return Err(invalid("duration", times.duration, "it lies between 1ms and 24h"));
        }
        if times.timeout.0 < shortest || times.timeout.0 > LONGEST_TIMEOUT {
            return Err(invalid("timeout", times.timeout, "it lies between 1ms and 1h"));
        }
        if times.grace.0 > LONGEST_TIMEOUT {
            return Err(invalid("grace", times.grace, "it is no longer than 1h"));
        }
        if times.warm_up >= times.duration {
            let why = format!("the run ends after {}, so nothing would be measured", times.duration);
            return Err(invalid("warm-up", times.warm_up, &why));
        }
        Ok(times)
    }
}

fn nanos(span: Span) -> u64 {
    // The bounds above leave it far below what fits.
    u64::try_from(span.0.as_nanos()).unwrap_or(u64::MAX)
}

fn invalid(what: &str, value: impl std::fmt::Display, why: &str) -> Problem {
    Problem::new(Code::InvalidInput, format!("A {what} of {value} won't do")).why(why)
}

fn rate(spec: &LoadSpec) -> Result<Option<f64>, Problem> {
    match (spec.executor.is_open(), spec.rate) {
        (false, None) => Ok(None),
        (false, Some(rate)) => {
            Err(Problem::new(Code::InvalidInput, format!("A rate of {rate} has no effect with constant-connections"))
                .why("there each connection sends its next request when the last was answered")
                .next("Set executor: constant-arrival-rate, or leave the rate out"))
        }
        (true, None) => Err(Problem::new(Code::InvalidInput, "The arrival rate is missing")
            .why("constant-arrival-rate starts requests at a rate, whatever the service does")
            .next("Add one, such as rate: 200/s")),
        (true, Some(rate)) => {
            let hertz = rate.hertz();
            if hertz.is_finite() && hertz > 0.0 && hertz <= HIGHEST_RATE {
                Ok(Some(hertz))
            } else {
                Err(invalid("rate", rate, "it lies above 0 and is no more than 1000000/s"))
            }
        }
    }
}

fn connections(spec: &LoadSpec, rate: Option<f64>, notes: &mut Vec<String>) -> Result<u32, Problem> {
    if let Some(connections) = spec.connections {
        if connections == 0 || connections > MOST_CONNECTIONS {
            let why = format!("there are at least 1 and at most {MOST_CONNECTIONS}");
            return Err(Problem::new(Code::InvalidInput, format!("{connections} connections won't do")).why(why));
        }
        let possible = files::make_room_for(connections);
        if possible < connections {
            return Err(Problem::new(Code::Unsupported, format!("{connections} connections can't be open at once"))
                .why(format!(
                    "this process may have about {possible} more files and connections open, and may not raise that limit"
                ))
                .next("Ask for fewer connections, or raise the hard limit of open files (ulimit -Hn) before starting Patchbay"));
        }
        return Ok(connections);
    }
    let wanted = if rate.is_some() { DEFAULT_CONNECTION_CAP } else { DEFAULT_CONNECTIONS };
    let possible = files::make_room_for(wanted).max(1);
    if possible < wanted {
        notes.push(format!(
            "This process may open no more than {possible} connections, so {possible} were the most that there could be."
        ));
    }
    Ok(wanted.min(possible))
}

fn tls(target: &Target) -> Result<Option<(Arc<rustls::ClientConfig>, ServerName<'static>)>, Problem> {
    let Some(config) = &target.tls else { return Ok(None) };
    let name = ServerName::try_from(target.host.clone()).map_err(|_| {
        Problem::new(Code::InvalidInput, format!("`{}` is no host name that a certificate could have", target.host))
    })?;
    let mut config = rustls::ClientConfig::clone(config);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some((Arc::new(config), name)))
}

fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Problem> {
    let unresolved = |why: String| {
        Problem::new(Code::Dns, format!("The host `{host}` can't be resolved"))
            .why(why)
            .next("Check the spelling and that this machine can reach its name server")
    };
    let found = (host, port).to_socket_addrs().map_err(|error| unresolved(error.to_string()))?;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found {
        if addresses.len() < MOST_ADDRESSES && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(unresolved("it has no address".into())) } else { Ok(addresses) }
}

fn threads(rate: Option<f64>, connections: u32) -> usize {
    let cores = available_parallelism().map_or(1, std::num::NonZero::get);
    let wanted = match rate {
        None => connections.div_ceil(CONNECTIONS_A_THREAD) as usize,
        Some(rate) => (rate / RATE_A_THREAD).ceil() as usize,
    };
    wanted.clamp(1, cores.min(connections as usize))
}
