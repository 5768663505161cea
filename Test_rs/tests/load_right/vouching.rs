//! What the generator says of itself.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use patchbay_contracts::{integration::LoadSpec, run::Verdict, units::Span};
use patchbay_load::script::{Answer, Inspect, Order, Script, template::Values};
use patchbay_tests::load::{Reply, Server, closed, open, run, target};

use crate::lab::{Counting, alone, get, good, script, vouched};

/// A server that takes 5 ms.
fn steady() -> Counting {
    Counting::start(|_| {
        thread::sleep(Duration::from_millis(5));
        good("hello")
    })
}

#[test]
fn what_is_under_way_is_rate_times_latency() {
    let _alone = alone();
    let chain = |address| Script { steps: vec![get("/a"), get("/b"), get("/c")], order: Order::Chain, ..script(address) };
    let one = |address| Script { steps: vec![get("/")], ..script(address) };
    let think = LoadSpec { think_time: Some("10ms".parse().unwrap()), ..closed(10, 2500) };
    let warm = LoadSpec { warm_up: Some(Span::millis(500)), ..open(400.0, 2500) };
    type Steps = dyn Fn(std::net::SocketAddr) -> Script;
    let cases: [(&str, &Steps, LoadSpec); 6] = [
        ("open", &one, open(400.0, 2500)),
        ("open after a warm-up", &one, warm),
        ("closed", &one, closed(10, 2500)),
        ("closed with pauses", &one, think),
        ("a chain, open", &chain, open(100.0, 2500)),
        ("a chain, closed", &chain, closed(10, 2500)),
    ];
    for (name, steps, spec) in cases {
        let (report, ()) = vouched(|| {
            let server = steady();
            (run(&steps(server.address), &spec), ())
        });
        let generator = &report.generator;
        let residual = generator.littles_law_residual.unwrap();
        println!("{name}: {residual:.4}, {:.2} under way, headroom {:?}", generator.concurrency, generator.headroom);
        assert!(residual < 0.05, "{name}: {generator:?}");
        assert!(generator.headroom.unwrap() > 0.3, "{name}: {generator:?}");
        if report.schedule_lag.is_some() {
            let achieved = generator.achieved.unwrap();
            assert!((achieved - 1.0).abs() < 0.01, "{name}: {achieved}");
        }
        assert!(!report.notes.iter().any(|note| note.contains("Little")), "{name}: {:?}", report.notes);
    }
}

#[test]
fn requests_that_fail_were_under_way_too() {
    let _alone = alone();
    let (report, ()) = vouched(|| {
        let server = Server::start(|seen| {
            thread::sleep(Duration::from_millis(10));
            if seen.number % 2 == 0 { Reply::Last(Vec::new()) } else { Reply::Bytes(good("hello")) }
        });
        (run(&server.target(), &open(200.0, 2000)), ())
    });
    assert!(report.totals.failed > 100, "{:?}", report.totals);
    assert!(report.generator.littles_law_residual.unwrap() < 0.1, "{:?}", report.generator);
    assert!(!report.notes.iter().any(|note| note.contains("Little")), "{:?}", report.notes);
}

/// Keeps the generator busy with each answer.
struct Spinning(Duration);

impl Inspect for Spinning {
    fn inspect(&self, _: &Answer<'_>, _: &mut Values) -> Result<(), String> {
        let began = Instant::now();
        while began.elapsed() < self.0 {
            std::hint::spin_loop();
        }
        Ok(())
    }
}

#[test]
fn a_generator_that_is_the_bottleneck_passes_nothing() {
    let _alone = alone();
    let thresholds: Vec<String> = ["p50 < 10s", "rate > 1/s", "errors < 1%"].map(String::from).to_vec();
    for (name, spec) in
        [("closed", closed(16, 1500)), ("open", LoadSpec { grace: Some(Span::millis(200)), ..open(2000.0, 1500) })]
    {
        let server = Counting::start(|_| good("hello"));
        let mut busy = get("/");
        busy.inspect = Some(Arc::new(Spinning(Duration::from_millis(1))));
        let script = Script { steps: vec![busy], ..script(server.address) };
        let report = run(&script, &LoadSpec { thresholds: thresholds.clone(), ..spec });
        assert!(report.generator.bottleneck, "{name}: {:?}", report.generator);
        assert_eq!(report.verdict, Verdict::Inconclusive, "{name}: {:?}", report.notes);
        assert!(report.notes.iter().any(|note| note.starts_with("The generator")), "{name}: {:?}", report.notes);
        assert!(report.notes.iter().any(|note| note.contains("passes nothing")), "{name}: {:?}", report.notes);
        assert!(report.generator.headroom.unwrap() < 0.3, "{name}: {:?}", report.generator);
    }
}

#[test]
fn an_open_generator_that_is_only_just_too_slow_lays_no_blame() {
    let _alone = alone();
    // 98% of the time go into the answers, so nearly all of a latency is the wait for this thread.
    let server = Counting::start(|_| good("hello"));
    let mut busy = get("/");
    busy.inspect = Some(Arc::new(Spinning(Duration::from_micros(980))));
    let script = Script { steps: vec![busy], ..script(server.address) };
    let spec = LoadSpec { thresholds: vec!["p99 < 100us".into(), "p50 < 10s".into()], ..open(1000.0, 2000) };
    let report = run(&script, &spec);
    assert!(report.generator.bottleneck, "{:?} {:?}", report.generator, report.notes);
    assert_ne!(report.thresholds[0].verdict, Verdict::Fail, "{:?}", report.thresholds);
    assert_eq!(report.verdict, Verdict::Inconclusive, "{:?}", report.notes);
}

#[test]
fn dropped_arrivals_are_counted_and_said() {
    let _alone = alone();
    let (report, sent) = vouched(|| {
        let server = Counting::start(|_| {
            thread::sleep(Duration::from_millis(100));
            good("hello")
        });
        let spec = LoadSpec { connections: Some(2), timeout: Some(Span::millis(300)), ..open(100.0, 1500) };
        (run(&target(server.address), &spec), server.state.requests.load(Ordering::Relaxed))
    });
    let totals = report.totals;
    assert_eq!(totals.sent, sent, "{totals:?}");
    assert_eq!(totals.sent + totals.dropped, 150, "{totals:?}");
    // Two connections do 20 a second.
    assert!(totals.dropped > 90, "{totals:?}");
    assert!((report.generator.achieved.unwrap() - totals.sent as f64 / 150.0).abs() < 0.01, "{:?}", report.generator);
    assert!(report.notes.iter().any(|note| note.contains("arrivals were dropped")), "{:?}", report.notes);
    assert!(report.generator.littles_law_residual.unwrap() < 0.15, "{:?}", report.generator);
}
