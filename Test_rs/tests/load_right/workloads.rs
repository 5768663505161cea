//! How load comes and goes: ramps, limits, pauses, and connections.

use std::{
    sync::atomic::AtomicBool,
    thread,
    time::{Duration, Instant},
};

use patchbay_contracts::{
    integration::{Executor, Level, LoadSpec, Spacing, Stage},
    units::{Rate, Span},
};
use patchbay_load::script::{Order, Script};
use patchbay_tests::load::{closed, open, run, target};

use crate::lab::{Counting, alone, get, good, script, vouched};

fn quick() -> Counting {
    Counting::start(|_| good("hello"))
}

fn to_rate(rate: f64, seconds: u64) -> Stage {
    Stage { to: Level::Rate(Rate::per_second(rate)), over: Span::secs(seconds) }
}

fn to_connections(count: u32, ms: u64) -> Stage {
    Stage { to: Level::Connections(count), over: Span::millis(ms) }
}

#[test]
fn a_ramping_rate_follows_its_stages() {
    let _alone = alone();
    let stages =
        vec![to_rate(200.0, 2), to_rate(200.0, 1), to_rate(50.0, 0), to_rate(0.0, 1), to_rate(0.0, 1), to_rate(100.0, 1)];
    let spec =
        LoadSpec { executor: Executor::RampingArrivalRate, rate: Some(Rate::per_second(100.0)), stages, ..LoadSpec::default() };
    let (report, ()) = vouched(|| {
        let server = quick();
        (run(&target(server.address), &spec), ())
    });
    // The areas under the lines: 100 to 200 in two seconds, 200, a step down to 50 and on to nothing, nothing, and up again.
    let expected = [125, 175, 200, 25, 0, 50];
    let sent: Vec<u64> = report.timeline.iter().map(|slice| slice.sent).collect();
    for (second, expected) in expected.into_iter().enumerate() {
        let sent = sent.get(second).copied().unwrap_or_default();
        assert!(sent.abs_diff(expected) <= 3, "second {second}: {sent}, not {expected}");
    }
    assert_eq!(sent.iter().sum::<u64>(), 575, "{sent:?}");
    assert!((report.totals.target_rate.unwrap() - 575.0 / 6.0).abs() < 1e-6);
    assert!((report.duration_ms - 6000.0).abs() < 1.0);
}

#[test]
fn ramping_connections_come_and_go() {
    let _alone = alone();
    let stages = vec![to_connections(20, 1000), to_connections(20, 500), to_connections(4, 1000), to_connections(12, 500)];
    let spec = LoadSpec { executor: Executor::RampingConnections, stages, ..LoadSpec::default() };
    let server = Counting::start(|_| {
        thread::sleep(Duration::from_millis(5));
        good("hello")
    });
    let mut seen = Vec::new();
    let report = patchbay_load::run(&target(server.address), &spec, &AtomicBool::new(false), &mut |progress| {
        seen.push((progress.elapsed_ms, server.state.open()));
    })
    .unwrap();
    let level = |ms: f64| match ms {
        _ if ms < 1000.0 => 20.0 * ms / 1000.0,
        _ if ms < 1500.0 => 20.0,
        _ if ms < 2500.0 => 20.0 - 16.0 * (ms - 1500.0) / 1000.0,
        _ => 4.0 + 8.0 * (ms - 2500.0) / 500.0,
    };
    // What the server notices late was open or closed a little before.
    for &(ms, open) in seen.iter().filter(|(ms, _)| *ms < 2990.0) {
        let near = (-80..=20).map(|off| level(ms + f64::from(off)));
        let (least, most) = near.fold((f64::MAX, 0.0_f64), |(least, most), level| (least.min(level), most.max(level)));
        assert!(open as f64 >= least.floor() - 1.0 && open as f64 <= most + 1.0, "{open} open after {ms} ms, of {}", level(ms));
    }
    assert!(seen.iter().any(|(_, open)| *open == 20) && seen.iter().any(|(_, open)| *open <= 6), "{seen:?}");
    assert_eq!(report.totals.failed, 0, "{:?}", report.errors);
    let timeline: Vec<u64> = report.timeline.iter().map(|slice| slice.connections).collect();
    assert!(timeline[0] >= 18 && timeline[1] <= 14, "{timeline:?}");
}

#[test]
fn so_many_iterations_and_no_more() {
    let _alone = alone();
    for (name, spec) in [
        ("one thread", closed(8, 20_000)),
        ("two threads", closed(200, 20_000)),
        ("open", open(1000.0, 20_000)),
        ("open, two threads", LoadSpec { connections: Some(64), ..open(25_000.0, 20_000) }),
        ("a connection each", LoadSpec { keep_alive: false, ..closed(8, 20_000) }),
    ] {
        let (report, (requests, took)) = vouched(|| {
            let server = quick();
            let began = Instant::now();
            let report = run(&target(server.address), &LoadSpec { iterations: Some(501), ..spec.clone() });
            (report, (server.state.requests(), began.elapsed()))
        });
        let totals = report.totals;
        assert_eq!((totals.sent, totals.answered, totals.iterations), (501, 501, 501), "{name}: {totals:?}");
        assert_eq!(requests, 501, "{name}");
        assert!(took < Duration::from_secs(10), "{name}: it went on");
        assert!(!report.partial && totals.dropped == 0, "{name}");
        assert!(report.duration_ms < 10_000.0, "{name}: {}", report.duration_ms);
        println!("{name}: {:?}", report.generator);
        if let Some(achieved) = report.generator.achieved {
            assert!((0.9..1.1).contains(&achieved), "{name}: {achieved}");
        }
    }
}

#[test]
fn iterations_that_began_come_to_their_end() {
    let _alone = alone();
    for (name, spec) in [
        ("pauses within", LoadSpec { think_time: Some("30ms".parse().unwrap()), ..closed(4, 20_000) }),
        ("a connection each", LoadSpec { keep_alive: false, ..closed(4, 20_000) }),
        ("open", LoadSpec { keep_alive: false, think_time: Some("30ms".parse().unwrap()), ..open(100.0, 20_000) }),
    ] {
        let server = quick();
        let script = Script { steps: vec![get("/a"), get("/b"), get("/c")], order: Order::Chain, ..script(server.address) };
        let report = run(&script, &LoadSpec { iterations: Some(10), ..spec });
        assert_eq!(report.totals.iterations, 10, "{name}: {:?}", report.totals);
        let paths = server.state.paths();
        for path in ["/a", "/b", "/c"] {
            assert_eq!(paths.iter().filter(|seen| *seen == path).count(), 10, "{name}: {path}");
        }
    }
}

#[test]
fn arrivals_are_spaced_as_asked_for() {
    let _alone = alone();
    // The squared coefficient of variation of the distances: 0 where they are even, 1 for a Poisson process.
    for (spacing, least, most) in [(Spacing::Even, 0.0, 0.2), (Spacing::Poisson, 0.7, 1.4)] {
        let spec = LoadSpec { spacing, seed: Some(3), ..open(200.0, 4000) };
        let (_, times) = vouched(|| {
            let server = quick();
            let report = run(&target(server.address), &spec);
            (report, server.state.heads())
        });
        let mut times: Vec<Instant> = times.into_iter().map(|(at, _)| at).collect();
        times.sort();
        let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        let variation = variance / (mean * mean);
        assert!((least..=most).contains(&variation), "{spacing:?}: {variation}");
        assert!((mean - 0.005).abs() < 0.0005, "{spacing:?}: {mean}");
    }
}

#[test]
fn the_same_seed_makes_the_same_arrivals() {
    let _alone = alone();
    let counts: Vec<u64> = [5, 5, 6]
        .into_iter()
        .map(|seed| {
            let server = quick();
            run(&target(server.address), &LoadSpec { spacing: Spacing::Poisson, seed: Some(seed), ..open(300.0, 1000) })
                .totals
                .sent
        })
        .collect();
    assert_eq!(counts[0], counts[1], "{counts:?}");
    assert_ne!(counts[0], counts[2], "{counts:?}");
}

#[test]
fn users_think_between_requests() {
    let _alone = alone();
    let (report, ()) = vouched(|| {
        let server = quick();
        let spec = LoadSpec { think_time: Some("40ms..60ms".parse().unwrap()), ..closed(10, 3000) };
        (run(&target(server.address), &spec), ())
    });
    // Ten users, each with a request every 50 ms and a little more.
    assert!((480..=610).contains(&report.totals.sent), "{:?}", report.totals);
    assert!(report.latency.p50_ms < 20.0, "pauses are no latency: {:?}", report.latency);
    assert!(report.generator.concurrency < 3.0, "those that think aren't under way: {:?}", report.generator);
}

#[test]
fn connections_open_at_their_own_rate() {
    let _alone = alone();
    for spec in [closed(200, 3000), LoadSpec { connections: Some(50), ..open(400.0, 3000) }] {
        let (_, accepts) = vouched(|| {
            let server = Counting::start(|_| {
                thread::sleep(Duration::from_millis(100));
                good("hello")
            });
            let spec = LoadSpec { connect_rate: Some(Rate::per_second(25.0)), ..spec.clone() };
            let report = run(&target(server.address), &spec);
            let accepts = server.state.accepts.lock().unwrap().clone();
            (report, accepts)
        });
        let first = accepts[0];
        let after = |ms: u64| accepts.iter().filter(|at| **at - first <= Duration::from_millis(ms)).count();
        assert!((20..=32).contains(&after(1000)), "{} after 1 s", after(1000));
        if spec.rate.is_none() {
            assert!((68..=77).contains(&accepts.len()), "{} in all", accepts.len());
        }
    }
}

#[test]
fn each_request_may_have_a_connection_of_its_own() {
    let _alone = alone();
    for spec in [closed(4, 1000), open(200.0, 1000)] {
        let server = quick();
        let report = run(&target(server.address), &LoadSpec { keep_alive: false, ..spec });
        let totals = report.totals;
        assert!(totals.answered > 50 && totals.failed == 0, "{totals:?} {:?}", report.errors);
        assert!(server.state.requests() == totals.sent, "{totals:?}");
        let spare = server.state.accepted().abs_diff(server.state.requests());
        assert!(spare <= 5, "{} connections for {} requests", server.state.accepted(), server.state.requests());
        assert!(report.phases.connect.count >= totals.answered, "{:?}", report.phases);
        assert!(server.state.heads().iter().all(|(_, head)| head.contains("Connection: close")));
    }
}

#[test]
fn the_warm_up_is_in_no_figure() {
    let _alone = alone();
    let (report, ()) = vouched(|| {
        let began = Instant::now();
        let server = Counting::start(move |_| {
            thread::sleep(Duration::from_millis(if began.elapsed() < Duration::from_millis(900) { 50 } else { 1 }));
            good("hello")
        });
        let spec = LoadSpec { warm_up: Some(Span::secs(1)), ..open(100.0, 3000) };
        (run(&target(server.address), &spec), ())
    });
    assert_eq!((report.totals.sent, report.latency.count, report.schedule_lag.unwrap().count), (200, 200, 200));
    assert!(report.latency.max_ms < 50.0, "{:?}", report.latency);
    assert!((report.totals.rate - 100.0).abs() < 2.0, "{:?}", report.totals);
    assert!((report.generator.achieved.unwrap() - 1.0).abs() < 0.01, "{:?}", report.generator);
    assert_eq!(report.windows.len(), 2, "a histogram for each second that was measured");
}
