//! Plans that make no sense are refused before anything is sent, and say why.

use std::{
    fs::File,
    sync::{Arc, atomic::AtomicBool},
};

use patchbay_contracts::{
    Code,
    integration::{Executor, FeedOrder, Level, LoadSpec, Protocol, Spacing, SpanRange, Stage},
    units::{Rate, Span},
};
use patchbay_load::script::{Body, Feed, Order, Script, template::Template};
use patchbay_tests::load::{closed, open, run, target};

use crate::lab::{Counting, alone, get, good, script};

fn stage(to: Level, ms: u64) -> Stage {
    Stage { to, over: Span::millis(ms) }
}

fn ramp(executor: Executor, stages: Vec<Stage>) -> LoadSpec {
    LoadSpec { executor, stages, ..LoadSpec::default() }
}

#[test]
fn impossible_plans_are_refused() {
    let _alone = alone();
    let server = Counting::start(|_| good("hello"));
    let script = Script { steps: vec![get("/a"), get("/b")], ..script(server.address) };
    let hertz = |rate| Level::Rate(Rate::per_second(rate));
    let thresholds = |text: &str| LoadSpec { thresholds: vec![text.to_owned()], ..closed(1, 100) };
    let backwards = SpanRange { from: Span::secs(2), to: Span::secs(1) };
    let cases: Vec<(&str, LoadSpec, &str)> = vec![
        ("no connections", closed(0, 100), "0 connections"),
        ("no iterations", LoadSpec { iterations: Some(0), ..closed(1, 100) }, "iterations"),
        (
            "stages of a constant",
            LoadSpec { stages: vec![stage(Level::Connections(5), 100)], ..closed(1, 100) },
            "Stages have no effect",
        ),
        ("a ramp without stages", ramp(Executor::RampingArrivalRate, vec![]), "no stages"),
        (
            "stages of the other kind",
            ramp(Executor::RampingArrivalRate, vec![stage(Level::Connections(5), 100)]),
            "leads to rates",
        ),
        ("and the other way round", ramp(Executor::RampingConnections, vec![stage(hertz(5.0), 100)]), "numbers of connections"),
        ("stages to nothing", ramp(Executor::RampingArrivalRate, vec![stage(hertz(0.0), 1000)]), "less than one request"),
        (
            "stages without connections",
            ramp(Executor::RampingConnections, vec![stage(Level::Connections(0), 1000)]),
            "0 connections",
        ),
        ("stages without time", ramp(Executor::RampingConnections, vec![stage(Level::Connections(5), 0)]), "duration of 0s"),
        (
            "a stage below nothing",
            ramp(Executor::RampingArrivalRate, vec![stage(hertz(50.0), 1000), stage(hertz(-5.0), 1000)]),
            "rate of -5/s",
        ),
        (
            "a beginning that is no number",
            LoadSpec {
                rate: Some(Rate::per_second(f64::NAN)),
                ..ramp(Executor::RampingArrivalRate, vec![stage(hertz(50.0), 1000)])
            },
            "rate of",
        ),
        (
            "a beginning below nothing",
            LoadSpec {
                rate: Some(Rate::per_second(-10.0)),
                ..ramp(Executor::RampingArrivalRate, vec![stage(hertz(50.0), 1000)])
            },
            "rate of -10/s",
        ),
        (
            "another duration than the stages",
            LoadSpec { duration: Some(Span::secs(7)), ..ramp(Executor::RampingArrivalRate, vec![stage(hertz(50.0), 1000)]) },
            "the stages take 1s",
        ),
        ("streams over HTTP/1.1", LoadSpec { streams: Some(2), ..closed(1, 100) }, "one request at a time"),
        (
            "streams over WebSocket",
            LoadSpec { streams: Some(2), protocol: Protocol::WebSocket, ..closed(1, 100) },
            "one request at a time",
        ),
        ("no streams", LoadSpec { streams: Some(0), protocol: Protocol::Http2, ..closed(1, 100) }, "at least 1"),
        ("too many streams", LoadSpec { streams: Some(1000), protocol: Protocol::Http2, ..closed(1, 100) }, "at most 256"),
        ("no metric", thresholds("p95th < 5ms"), "did you mean `p95`"),
        ("no metric at all", thresholds("latency < 5ms"), "there is no metric"),
        ("no endpoint", thresholds("/c: p95 < 5ms"), "Did you mean"),
        ("half a window", thresholds("p95 < 5ms over 1500ms"), "whole number of seconds"),
        ("no window", thresholds("p95 < 5ms over 0s"), "whole number of seconds"),
        ("a pause that ends before it begins", LoadSpec { think_time: Some(backwards), ..closed(1, 100) }, "think time"),
        ("connections at no rate", LoadSpec { connect_rate: Some(Rate::per_second(0.0)), ..closed(1, 100) }, "connect rate"),
        ("spacing without arrivals", LoadSpec { spacing: Spacing::Poisson, ..closed(1, 100) }, "spacing"),
        ("a warm-up of all", LoadSpec { warm_up: Some(Span::secs(1)), ..open(5.0, 1000) }, "nothing would be measured"),
    ];
    for (name, spec, told) in cases {
        let outcome = patchbay_load::run(&script, &spec, &AtomicBool::new(false), &mut |_| {});
        let problem = outcome.map(|report| report.totals).expect_err(name);
        assert_eq!(problem.code, Code::InvalidInput, "{name}: {problem}");
        let words = format!("{problem} {problem:?}");
        assert!(words.contains(told), "{name}: {words}");
    }
    assert_eq!(server.state.requests(), 0);
}

#[test]
fn impossible_scripts_are_refused() {
    let _alone = alone();
    let address = "127.0.0.1:1".parse().unwrap();
    let mut weightless = get("/a");
    weightless.weight = 0;
    let feeds = vec![Feed { rows: Arc::new(Vec::new()), order: FeedOrder::Sequential }];
    let mut upload = get("/a");
    let file = tempfile::NamedTempFile::new().unwrap();
    upload.body = Body::File { file: Arc::new(File::open(file.path()).unwrap()), length: 10 };
    let socket = LoadSpec { protocol: Protocol::WebSocket, ..closed(1, 100) };
    let mut bare = get("/a");
    bare.path = Template::default();
    let cases = [
        ("no step", Script { steps: vec![], ..script(address) }, closed(1, 100), "no request"),
        ("no weight", Script { steps: vec![get("/b"), weightless], ..script(address) }, closed(1, 100), "weight of 0"),
        ("no rows", Script { steps: vec![get("/b")], feeds, ..script(address) }, closed(1, 100), "no rows"),
        ("no path", Script { steps: vec![bare], ..script(address) }, closed(1, 100), "path"),
        ("a file as a message", Script { steps: vec![upload], ..script(address) }, socket.clone(), "file"),
        (
            "two places over one socket",
            Script { steps: vec![get("/a"), get("/b")], order: Order::Chain, ..script(address) },
            socket,
            "one address",
        ),
    ];
    for (name, script, spec, told) in cases {
        let problem =
            patchbay_load::run(&script, &spec, &AtomicBool::new(false), &mut |_| {}).map(|report| report.totals).expect_err(name);
        assert_eq!(problem.code, Code::InvalidInput, "{name}: {problem}");
        assert!(format!("{problem}").contains(told), "{name}: {problem}");
    }
}

#[test]
fn a_rate_without_a_duration_has_the_usual_one() {
    let _alone = alone();
    let server = Counting::start(|_| good("hello"));
    let spec = LoadSpec { duration: None, iterations: Some(20), ..open(200.0, 1) };
    let report = run(&target(server.address), &spec);
    assert_eq!(report.totals.answered, 20, "{:?}", report.errors);
    assert_eq!(report.spec.duration, Some(patchbay_load::DEFAULT_DURATION));
    assert_eq!(report.spec.connections, Some(patchbay_load::DEFAULT_CONNECTION_CAP));
}
