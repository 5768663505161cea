//! What a run is going to do: the request's bytes, the times, the connections and the threads, all checked.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    thread::available_parallelism,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use patchbay_contracts::{
    Code, Problem,
    integration::{Executor, Level, LoadSpec, Protocol, Spacing, Stage},
    units::{Rate, Span},
};

use crate::{
    curve::Curve,
    script::Script,
    thresholds::{self, Threshold},
    utils::files,
    wire::Wire,
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

/// The most stages of a run.
const MOST_STAGES: usize = 1000;
/// The most streams on a connection; few services allow more.
const MOST_STREAMS: u32 = 256;
const LONGEST_DURATION: Duration = Duration::from_secs(24 * 3600);
/// What a request waits for its answer, and what a run waits at the end.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(3600);
/// A thread of its own is worth it for so many virtual users of a closed workload …
const USERS_A_THREAD: u32 = 128;
/// … and for so many requests a second of an open one.
const RATE_A_THREAD: f64 = 20_000.0;
/// The most addresses of one host that are tried.
const MOST_ADDRESSES: usize = 16;

/// A run, checked and worked out. Times are nanoseconds of the run.
pub(crate) struct Plan {
    pub(crate) script: Script,
    pub(crate) wire: Wire,
    pub(crate) addresses: Vec<SocketAddr>,
    /// What it took to find them, in milliseconds.
    pub(crate) dns_ms: f64,
    pub(crate) thresholds: Vec<Threshold>,
    /// What was asked for, with the defaults filled in.
    pub(crate) spec: LoadSpec,
    /// Iterations a second; nothing in a closed workload.
    pub(crate) rate: Option<Arc<Curve>>,
    /// How many connections there may be.
    pub(crate) allowed: Curve,
    pub(crate) connections: u32,
    /// Connections that may be opened a second.
    pub(crate) connect_rate: Option<f64>,
    pub(crate) threads: usize,
    /// When the warm-up is over.
    pub(crate) measured_from: u64,
    /// When no more requests are due.
    pub(crate) end: u64,
    pub(crate) timeout: u64,
    pub(crate) grace: u64,
    /// How long a user waits before its next request, from and to.
    pub(crate) think: Option<(u64, u64)>,
    pub(crate) seed: u64,
    /// After so long a threshold that can't be held any more ends the run.
    pub(crate) abort_after: Option<u64>,
    /// What the plan itself has to say of the figures.
    pub(crate) notes: Vec<String>,
}

impl Plan {
    /// Checks a script and what is asked for. Resolves the host.
    pub(crate) fn new(script: Script, spec: &LoadSpec) -> Result<Self, Problem> {
        script.check()?;
        let times = Times::read(spec)?;
        let end = nanos(times.duration);
        possible(spec)?;
        let rate = rate(spec, end)?;
        let names: Vec<&str> = script.steps.iter().map(|step| step.name.as_str()).collect();
        let thresholds = spec.thresholds.iter().map(|text| thresholds::parse_for(text, &names)).collect::<Result<Vec<_>, _>>()?;
        let streams = streams(spec)?;
        let wire = Wire::new(&script, spec.protocol, streams, spec.keep_alive, spec.session_reuse)?;
        let mut notes = Vec::new();
        let connections = connections(spec, rate.is_some(), &mut notes)?;
        let allowed = allowed(spec, connections, end)?;
        let connect_rate = connect_rate(spec)?;
        let began = Instant::now();
        let addresses = resolve(&script.host, script.port)?;
        let dns_ms = began.elapsed().as_secs_f64() * 1e3;
        let threads = threads(rate.as_ref().map(Curve::highest), connections * streams as u32, connections);
        let filled = LoadSpec {
            connections: Some(connections),
            duration: Some(times.duration),
            timeout: Some(times.timeout),
            grace: Some(times.grace),
            ..spec.clone()
        };
        Ok(Self {
            script,
            wire,
            addresses,
            dns_ms,
            thresholds,
            spec: filled,
            rate: rate.map(Arc::new),
            allowed,
            connections,
            connect_rate,
            threads,
            measured_from: nanos(times.warm_up),
            end,
            timeout: nanos(times.timeout),
            grace: nanos(times.grace.min(times.timeout)),
            think: spec.think_time.map(|range| (nanos(range.from), nanos(range.to))),
            seed: spec
                .seed
                .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64)),
            abort_after: spec.abort_after.map(nanos),
            notes,
        })
    }

    /// No latency is longer than this: an arrival waits for a connection no longer than a time-out, the answer takes no
    /// longer than another, and a time-out is seen a little late.
    pub(crate) fn longest_latency(&self) -> u64 {
        2 * self.timeout + self.grace + 60_000_000_000
    }

    /// The mean rate that was asked for over the measured time; nothing in a closed workload.
    pub(crate) fn target_rate(&self) -> Option<f64> {
        let curve = self.rate.as_ref()?;
        let seconds = (self.end - self.measured_from) as f64 / 1e9;
        Some((curve.area_until(self.end) - curve.area_until(self.measured_from)) / seconds)
    }
}

/// Checks what is asked for beside the times and the level of the load.
fn possible(spec: &LoadSpec) -> Result<(), Problem> {
    if spec.iterations == Some(0) {
        return Err(invalid("number of iterations", 0, "there is at least 1"));
    }
    if spec.spacing != Spacing::Even && !spec.executor.is_open() {
        return Err(Problem::new(Code::InvalidInput, format!("A spacing has no effect with {}", spec.executor.as_str()))
            .why("there each connection sends its next request when the last was answered")
            .next("Set executor: constant-arrival-rate, or leave the spacing out"));
    }
    if let Some(think) = spec.think_time
        && (think.from > think.to || think.to.0 > LONGEST_DURATION)
    {
        return Err(invalid("think time", think, "it goes from the shorter to the longer time, which is 24h at most"));
    }
    Ok(())
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
            duration: duration(spec)?,
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

/// How long the run is: as long as its stages, where there are any.
fn duration(spec: &LoadSpec) -> Result<Span, Problem> {
    if !spec.executor.is_ramping() {
        if !spec.stages.is_empty() {
            return Err(Problem::new(Code::InvalidInput, format!("Stages have no effect with {}", spec.executor.as_str()))
                .next("Set executor: ramping-arrival-rate or ramping-connections, or leave the stages out"));
        }
        return Ok(spec.duration.unwrap_or(DEFAULT_DURATION));
    }
    if spec.stages.is_empty() {
        return Err(Problem::new(Code::InvalidInput, format!("{} has no stages", spec.executor.as_str()))
            .next("Add some, such as stages: [{ to: 200/s, over: 30s }]"));
    }
    if spec.stages.len() > MOST_STAGES {
        return Err(Problem::new(Code::InvalidInput, format!("There are more than {MOST_STAGES} stages")));
    }
    let sum = spec.stages.iter().fold(Duration::ZERO, |sum, stage| sum.saturating_add(stage.over.0));
    match spec.duration {
        Some(duration) if duration.0 != sum => {
            Err(invalid("duration", duration, &format!("the stages take {} together; leave it out", Span(sum))))
        }
        _ => Ok(Span(sum)),
    }
}

fn rate(spec: &LoadSpec, end: u64) -> Result<Option<Curve>, Problem> {
    if !spec.executor.is_open() {
        return match spec.rate {
            None => Ok(None),
            Some(rate) => {
                Err(Problem::new(Code::InvalidInput, format!("A rate of {rate} has no effect with {}", spec.executor.as_str()))
                    .why("there each connection sends its next request when the last was answered")
                    .next("Set executor: constant-arrival-rate, or leave the rate out"))
            }
        };
    }
    if !spec.executor.is_ramping() {
        let Some(rate) = spec.rate else {
            return Err(Problem::new(Code::InvalidInput, "The arrival rate is missing")
                .why("constant-arrival-rate starts requests at a rate, whatever the service does")
                .next("Add one, such as rate: 200/s"));
        };
        let hertz = rate.hertz();
        if !(hertz.is_finite() && hertz > 0.0 && hertz <= HIGHEST_RATE) {
            return Err(invalid("rate", rate, "it lies above 0 and is no more than 1000000/s"));
        }
        return Ok(Some(Curve::constant(hertz, end)));
    }
    let check = |rate: Rate| match rate.hertz() {
        hertz if (0.0..=HIGHEST_RATE).contains(&hertz) => Ok(hertz),
        _ => Err(invalid("rate", rate, "it is no less than 0 and no more than 1000000/s")),
    };
    let level = |stage: &Stage| match stage.to {
        Level::Rate(rate) => Ok((check(rate)?, stage.over)),
        Level::Connections(count) => Err(invalid("stage", count, "ramping-arrival-rate leads to rates, such as 200/s")),
    };
    let stages = spec.stages.iter().map(level).collect::<Result<Vec<_>, _>>()?;
    let curve = Curve::stages(spec.rate.map(check).transpose()?.unwrap_or(0.0), stages.into_iter());
    if curve.area_until(end) < 1.0 {
        return Err(Problem::new(Code::InvalidInput, "The stages come to less than one request"));
    }
    Ok(Some(curve))
}

/// How many connections there may be over time.
fn allowed(spec: &LoadSpec, connections: u32, end: u64) -> Result<Curve, Problem> {
    if spec.executor != Executor::RampingConnections {
        return Ok(Curve::constant(f64::from(connections), end));
    }
    let level = |stage: &Stage| match stage.to {
        Level::Connections(count) => Ok((f64::from(count), stage.over)),
        Level::Rate(rate) => Err(invalid("stage", rate, "ramping-connections leads to numbers of connections, such as 50")),
    };
    let stages = spec.stages.iter().map(level).collect::<Result<Vec<_>, _>>()?;
    Ok(Curve::stages(f64::from(spec.connections.unwrap_or(0)), stages.into_iter()))
}

fn connect_rate(spec: &LoadSpec) -> Result<Option<f64>, Problem> {
    match spec.connect_rate {
        Some(rate) if !(rate.hertz().is_finite() && rate.hertz() > 0.0) => Err(invalid("connect rate", rate, "it lies above 0")),
        rate => Ok(rate.map(Rate::hertz)),
    }
}

fn streams(spec: &LoadSpec) -> Result<usize, Problem> {
    match (spec.protocol, spec.streams) {
        (_, None | Some(1)) => Ok(1),
        (Protocol::Http2, Some(streams @ 2..=MOST_STREAMS)) => Ok(streams as usize),
        (Protocol::Http2, Some(streams)) => Err(invalid(
            "number of streams",
            streams,
            &format!("there are at least 1 and at most {MOST_STREAMS} on a connection"),
        )),
        (protocol, Some(streams)) => Err(invalid(
            "number of streams",
            streams,
            &format!("over {} there is one request at a time on a connection", protocol.as_str()),
        )
        .next("Set protocol: http/2, or ask for more connections")),
    }
}

fn connections(spec: &LoadSpec, is_open: bool, notes: &mut Vec<String>) -> Result<u32, Problem> {
    let highest = spec.stages.iter().filter_map(|stage| match stage.to {
        Level::Connections(count) => Some(count),
        Level::Rate(_) => None,
    });
    let asked =
        if spec.executor == Executor::RampingConnections { highest.chain(spec.connections).max() } else { spec.connections };
    if let Some(connections) = asked {
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
    let wanted = if is_open { DEFAULT_CONNECTION_CAP } else { DEFAULT_CONNECTIONS };
    let possible = files::make_room_for(wanted).max(1);
    if possible < wanted {
        notes.push(format!(
            "This process may open no more than {possible} connections, so {possible} were the most that there could be."
        ));
    }
    Ok(wanted.min(possible))
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

fn threads(rate: Option<f64>, users: u32, connections: u32) -> usize {
    let cores = available_parallelism().map_or(1, std::num::NonZero::get);
    let wanted = match rate {
        None => users.div_ceil(USERS_A_THREAD) as usize,
        Some(rate) => (rate / RATE_A_THREAD).ceil() as usize,
    };
    wanted.clamp(1, cores.min(connections.max(1) as usize))
}
