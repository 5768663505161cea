//! Who decides when the next iteration begins, in k6's executors.

use std::time::Duration;

use patchbay_contracts::{
    Code, Problem,
    integration::{Executor, Level, LoadSpec, Protocol, Spacing, Stage},
    units::{Rate, Span},
};
use patchbay_load as plan;
use serde_json::{Value, json};

use super::unsupported;
use crate::Result;

/// A workload in k6's words.
#[derive(Debug)]
pub(super) struct Workload {
    /// The scenario, as k6's options have it.
    pub(super) scenario: Value,
    /// When no more iterations begin.
    pub(super) duration: Duration,
    /// Iterations that are due by then; open workloads only.
    pub(super) arrivals: Option<f64>,
    pub(super) timeout: Duration,
}

/// The most iterations that there can be, where data files or the plan say so.
pub(super) fn make(spec: &LoadSpec, last: Option<u64>, notes: &mut Vec<String>) -> Result<Workload> {
    let timeout = spec.timeout.unwrap_or(plan::DEFAULT_TIMEOUT).0;
    let grace = spec.grace.unwrap_or(plan::DEFAULT_GRACE).0.min(timeout);
    let iterations = spec.iterations.into_iter().chain(last).min();
    check(spec, timeout)?;
    let streams = spec.streams.unwrap_or(1).max(1);
    if streams > 1 {
        notes.push(format!(
            "k6 opens a connection for each of its users: {streams} users with a connection each stand for a connection with \
             {streams} streams."
        ));
    }
    if spec.spacing == Spacing::Poisson {
        notes
            .push("k6 spaces arrivals evenly and not by a Poisson process, so queues are shorter than with Patchbay.".to_owned());
    }
    if spec.connect_rate.is_some() {
        notes.push("k6 opens connections as they are needed; the rate at which they may be opened has no effect.".to_owned());
    }
    let mut made = if spec.executor.is_open() { open(spec, iterations, streams)? } else { closed(spec, iterations, streams)? };
    made.timeout = timeout;
    made.scenario["gracefulStop"] = json!(span(grace));
    if spec.warm_up.is_some_and(|warm_up| warm_up.0 >= made.duration) {
        return Err(Problem::new(Code::InvalidInput, "The run ends before the warm-up does, so nothing would be measured"));
    }
    Ok(made)
}

fn check(spec: &LoadSpec, timeout: Duration) -> Result<()> {
    if spec.protocol == Protocol::WebSocket {
        return Err(unsupported("A load plan over WebSocket can't be written for k6")
            .why("there a message is the request and the next one its answer, which k6 doesn't time")
            .next("Choose protocol: http/1.1 or http/2"));
    }
    if timeout.is_zero() {
        return Err(Problem::new(Code::InvalidInput, "A timeout of nothing lets no request be answered"));
    }
    if spec.connections == Some(0) {
        return Err(Problem::new(Code::InvalidInput, "0 connections won't do").why("there is at least 1"));
    }
    if !spec.executor.is_open() && spec.rate.is_some() {
        return Err(Problem::new(Code::InvalidInput, format!("A rate has no effect with {}", spec.executor.as_str()))
            .next("Set executor: constant-arrival-rate, or leave the rate out"));
    }
    if spec.executor.is_ramping() == spec.stages.is_empty() {
        let wrong = if spec.stages.is_empty() { "There are no stages for" } else { "Stages have no effect with" };
        return Err(Problem::new(Code::InvalidInput, format!("{wrong} {}", spec.executor.as_str())));
    }
    Ok(())
}

fn bounded(what: &str) -> Problem {
    unsupported(format!("{what} can't end a ramping run of k6"))
        .why("its ramping executors end by the time alone")
        .next("Choose a constant executor, or leave it out")
}

fn closed(spec: &LoadSpec, iterations: Option<u64>, streams: u32) -> Result<Workload> {
    let users = spec.connections.unwrap_or(plan::DEFAULT_CONNECTIONS).saturating_mul(streams);
    let duration = length(spec)?;
    let scenario = match (spec.executor, iterations) {
        (Executor::RampingConnections, None) => {
            let mut stages = Vec::new();
            for stage in &spec.stages {
                let Level::Connections(count) = stage.to else { return Err(wrong_level(spec, stage)) };
                stages.push(json!({ "target": count.saturating_mul(streams), "duration": span(stage.over.0) }));
            }
            let started = spec.connections.unwrap_or(0).saturating_mul(streams);
            // A request that is under way when its user goes is awaited.
            let down = span(spec.timeout.unwrap_or(plan::DEFAULT_TIMEOUT).0);
            json!({ "executor": "ramping-vus", "startVUs": started, "stages": stages, "gracefulRampDown": down })
        }
        (Executor::RampingConnections, Some(_)) => return Err(bounded("A number of iterations")),
        (_, Some(iterations)) => json!({
            "executor": "shared-iterations",
            "vus": u64::from(users).min(iterations),
            "iterations": iterations,
            "maxDuration": span(duration),
        }),
        (_, None) => json!({ "executor": "constant-vus", "vus": users, "duration": span(duration) }),
    };
    Ok(Workload { scenario, duration, arrivals: None, timeout: duration })
}

fn open(spec: &LoadSpec, iterations: Option<u64>, streams: u32) -> Result<Workload> {
    let most = spec.connections.unwrap_or(plan::DEFAULT_CONNECTION_CAP).saturating_mul(streams);
    let mut duration = length(spec)?;
    let (mut scenario, peak, arrivals) = if spec.executor.is_ramping() {
        if iterations.is_some() {
            return Err(bounded("A number of iterations"));
        }
        ramp(spec)?
    } else {
        let rate = spec.rate.filter(|rate| rate.hertz() > 0.0).ok_or_else(|| {
            Problem::new(Code::InvalidInput, "The arrival rate is missing").next("Add one, such as rate: 200/s")
        })?;
        if let Some(iterations) = iterations {
            let due = iterations as f64 / rate.hertz();
            if due < duration.as_secs_f64() {
                duration = Duration::from_secs_f64(due);
            }
        }
        let (targets, unit) = whole(&[rate]);
        let scenario = json!({
            "executor": "constant-arrival-rate",
            "rate": targets[0],
            "timeUnit": span(unit),
            "duration": span(duration),
        });
        (scenario, rate.hertz(), rate.hertz() * duration.as_secs_f64())
    };
    // Users that are made while the load goes on come late, so there are enough from the start for answers in half a second.
    let ready = ((peak / 2.0).ceil() as u32).clamp(1, most);
    scenario["preAllocatedVUs"] = json!(ready);
    scenario["maxVUs"] = json!(most);
    Ok(Workload { scenario, duration, arrivals: Some(arrivals), timeout: duration })
}

fn ramp(spec: &LoadSpec) -> Result<(Value, f64, f64)> {
    let mut rates = vec![spec.rate.unwrap_or(Rate::per_second(0.0))];
    for stage in &spec.stages {
        let Level::Rate(rate) = stage.to else { return Err(wrong_level(spec, stage)) };
        rates.push(rate);
    }
    let (targets, unit) = whole(&rates);
    let stages: Vec<Value> = spec
        .stages
        .iter()
        .zip(&targets[1..])
        .map(|(stage, target)| json!({ "target": target, "duration": span(stage.over.0) }))
        .collect();
    let peak = rates.iter().map(|rate| rate.hertz()).fold(0.0, f64::max);
    let areas = spec
        .stages
        .iter()
        .zip(rates.windows(2))
        .map(|(stage, ends)| (ends[0].hertz() + ends[1].hertz()) / 2.0 * stage.over.0.as_secs_f64());
    let arrivals = areas.sum();
    let scenario = json!({
        "executor": "ramping-arrival-rate",
        "startRate": targets[0],
        "timeUnit": span(unit),
        "stages": stages,
    });
    Ok((scenario, peak, arrivals))
}

fn wrong_level(spec: &LoadSpec, stage: &Stage) -> Problem {
    Problem::new(Code::InvalidInput, format!("A stage to {} has no effect with {}", stage.to, spec.executor.as_str()))
}

fn length(spec: &LoadSpec) -> Result<Duration> {
    if !spec.executor.is_ramping() {
        return Ok(spec.duration.unwrap_or(plan::DEFAULT_DURATION).0);
    }
    let sum = spec.stages.iter().fold(Duration::ZERO, |sum, stage| sum.saturating_add(stage.over.0));
    match spec.duration {
        Some(duration) if duration.0 != sum => {
            Err(Problem::new(Code::InvalidInput, format!("A duration of {duration} won't do"))
                .why(format!("the stages take {} together; leave it out", Span(sum))))
        }
        _ => Ok(sum),
    }
}

/// Rates as whole numbers in a time, which is what k6 takes.
fn whole(rates: &[Rate]) -> (Vec<u64>, Duration) {
    let exact = |unit: f64| {
        rates.iter().all(|rate| {
            let count = rate.hertz() * unit;
            (count - count.round()).abs() <= 1e-9 * count.max(1.0)
        })
    };
    let units = [1.0, 10.0, 100.0, 1000.0].into_iter().flat_map(|times| [1.0, 60.0, 3600.0, 86_400.0].map(|unit| unit * times));
    // In a thousand days, what is lost is less than any clock shows.
    let unit = units.into_iter().find(|unit| exact(*unit)).unwrap_or(86_400_000.0);
    (rates.iter().map(|rate| (rate.hertz() * unit).round() as u64).collect(), Duration::from_secs_f64(unit))
}

/// A time as k6 reads it.
pub(super) fn span(duration: Duration) -> String {
    if duration.subsec_nanos() == 0 {
        return format!("{}s", duration.as_secs());
    }
    format!("{}ms", duration.as_secs_f64() * 1e3)
}
