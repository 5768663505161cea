//! Thresholds while a run goes on and over parts of it, runs that are cut short, and memory.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use patchbay_contracts::{
    integration::{LoadSpec, Protocol},
    run::Verdict,
    units::Span,
};
use patchbay_load::script::Script;
use patchbay_tests::load::{Reply, Server, closed, open, run, status, target};

use crate::lab::{Counting, alone, get, good, script, vouched};

fn judged(texts: &[&str], spec: LoadSpec) -> LoadSpec {
    LoadSpec { thresholds: texts.iter().map(|text| (*text).to_owned()).collect(), ..spec }
}

#[test]
fn thresholds_are_about_one_endpoint() {
    let _alone = alone();
    let (report, ()) = vouched(|| {
        let server = Counting::start(|head| {
            if head.starts_with("GET /slow") {
                thread::sleep(Duration::from_millis(30));
            }
            if head.starts_with("GET /bad") { status(500) } else { good("hello") }
        });
        let script = Script { steps: vec![get("/fast"), get("/slow"), get("/bad")], ..script(server.address) };
        let texts = [
            "/fast: p50 < 20ms",
            "/slow: p50 < 20ms",
            "/slow: p50 > 29ms",
            "/bad: errors > 99%",
            "/fast: errors == 0",
            "/slow: requests > 10",
        ];
        (run(&script, &judged(&texts, closed(6, 2000))), ())
    });
    let verdicts: Vec<Verdict> = report.thresholds.iter().map(|result| result.verdict).collect();
    use Verdict::{Fail, Pass};
    assert_eq!(verdicts, [Pass, Fail, Pass, Pass, Pass, Pass], "{:?}", report.thresholds);
}

#[test]
fn thresholds_hold_in_each_window() {
    let _alone = alone();
    // In the second second the service is slow and fails; over the whole run hardly anything is.
    let (report, ()) = vouched(|| {
        let server = Server::start(|seen| {
            let bad = seen.at > Duration::from_millis(1200) && seen.at < Duration::from_millis(1500);
            if bad {
                thread::sleep(Duration::from_millis(60));
            }
            Reply::Bytes(if bad { status(503) } else { good("hello") })
        });
        let texts = [
            "p90 < 40ms",
            "p90 < 40ms over 1s",
            "errors < 10%",
            "errors < 10% over 1s",
            "rate > 150/s over 1s",
            "rate > 150/s over 2s",
            "p50 < 40ms over 6s",
        ];
        (run(&server.target(), &judged(&texts, open(200.0, 4500))), ())
    });
    let verdicts: Vec<Verdict> = report.thresholds.iter().map(|result| result.verdict).collect();
    use Verdict::{Fail, Inconclusive, Pass};
    // The half second at the end is no whole window, and six seconds are longer than the run.
    assert_eq!(verdicts, [Pass, Fail, Pass, Fail, Pass, Pass, Inconclusive], "{:?}", report.thresholds);
    assert!(report.thresholds[1].actual.contains("from 1s to 2s"), "{:?}", report.thresholds);
}

#[test]
fn what_is_answered_after_the_end_is_no_lack_of_rate() {
    let _alone = alone();
    let (report, ()) = vouched(|| {
        let server = Counting::start(|_| {
            thread::sleep(Duration::from_millis(1700));
            good("hello")
        });
        let texts = ["requests >= 50 over 1s", "p50 < 1s over 1s", "errors < 1% over 1s"];
        (run(&target(server.address), &judged(&texts, LoadSpec { connections: Some(300), ..open(50.0, 3000) })), ())
    });
    let verdicts: Vec<Verdict> = report.thresholds.iter().map(|result| result.verdict).collect();
    assert_eq!(verdicts[0], Verdict::Pass, "{:?}", report.thresholds);
    assert_eq!(verdicts[1], Verdict::Fail, "{:?}", report.thresholds);
    assert_eq!(verdicts[2], Verdict::Pass, "{:?}", report.thresholds);
}

#[test]
fn a_window_whose_requests_were_never_answered_is_not_passed() {
    let _alone = alone();
    let (report, ()) = vouched(|| {
        let server = Server::start(|seen| {
            if seen.at > Duration::from_millis(2200) {
                thread::sleep(Duration::from_secs(5));
            }
            Reply::Bytes(good("hello"))
        });
        let texts = ["p99 < 100ms over 1s", "errors < 1% over 1s"];
        (run(&server.target(), &judged(&texts, LoadSpec { grace: Some(Span::millis(300)), ..open(200.0, 3000) })), ())
    });
    assert!(report.totals.unanswered > 100, "{:?}", report.totals);
    for result in &report.thresholds {
        assert_ne!(result.verdict, Verdict::Pass, "{:?}", report.thresholds);
    }
}

#[test]
fn a_breach_ends_the_run_after_a_delay() {
    let _alone = alone();
    for spec in [closed(4, 20_000), open(200.0, 20_000)] {
        let server = Server::start(|seen| Reply::Bytes(if seen.number % 2 == 0 { status(500) } else { good("hello") }));
        let spec = judged(&["rate > 1000000/s", "errors < 1%"], LoadSpec { abort_after: Some(Span::millis(1000)), ..spec });
        let began = Instant::now();
        let report = run(&server.target(), &spec);
        let took = began.elapsed();
        assert!(took > Duration::from_millis(1000) && took < Duration::from_secs(4), "{took:?}");
        assert!(report.duration_ms >= 1000.0 && report.duration_ms < 4000.0, "{}", report.duration_ms);
        assert_eq!((report.verdict, report.thresholds[1].verdict), (Verdict::Fail, Verdict::Fail), "{:?}", report.thresholds);
        let told = report.notes.iter().find(|note| note.contains("ended early")).unwrap();
        assert!(told.contains("errors < 1%"), "a rate may still be reached: {told}");
    }
    // What holds goes on to the end.
    let server = Counting::start(|_| good("hello"));
    let report = run(
        &target(server.address),
        &judged(&["errors < 1%"], LoadSpec { abort_after: Some(Span::millis(200)), ..closed(2, 1500) }),
    );
    assert!((report.duration_ms - 1500.0).abs() < 1.0, "{:?}", report.notes);
}

#[test]
fn a_run_may_be_cancelled_at_any_moment() {
    let _alone = alone();
    let slow = || {
        Counting::start(|_| {
            thread::sleep(Duration::from_millis(30));
            good("hello")
        })
    };
    let thought = LoadSpec { think_time: Some("5s".parse().unwrap()), ..closed(4, 30_000) };
    for (name, spec) in [
        ("closed", closed(8, 30_000)),
        ("two threads", closed(200, 30_000)),
        ("open", open(100.0, 30_000)),
        ("warm-up", LoadSpec { warm_up: Some(Span::secs(20)), ..open(100.0, 30_000) }),
        ("pauses", thought),
        ("HTTP/2", LoadSpec { protocol: Protocol::Http2, ..closed(2, 30_000) }),
        ("WebSocket", LoadSpec { protocol: Protocol::WebSocket, ..closed(2, 30_000) }),
    ] {
        for after in [0, 1, 12, 60, 350] {
            let server = slow();
            let cancel = AtomicBool::new(after == 0);
            let began = Instant::now();
            let report = thread::scope(|scope| {
                scope.spawn(|| {
                    thread::sleep(Duration::from_millis(after));
                    cancel.store(true, Ordering::Relaxed);
                });
                patchbay_load::run(&target(server.address), &judged(&["p50 < 10s"], spec.clone()), &cancel, &mut |_| {}).unwrap()
            });
            assert!(began.elapsed() < Duration::from_secs(3), "{name} after {after} ms: it went on for {:?}", began.elapsed());
            assert!(report.partial, "{name} after {after} ms");
            assert_ne!(report.verdict, Verdict::Pass, "{name} after {after} ms");
            let totals = report.totals;
            if report.spec.protocol == Protocol::Http1 && name != "warm-up" && name != "pauses" {
                let waiting =
                    report.notes.iter().filter(|note| note.contains("still waited for their connection")).count() as u64;
                assert!(totals.answered + totals.unanswered == totals.sent || waiting > 0, "{name} after {after} ms: {totals:?}");
            }
            assert!(report.notes.iter().any(|note| note.contains("cancelled")), "{name} after {after} ms: {:?}", report.notes);
        }
    }
}

#[test]
fn a_run_may_be_cancelled_while_it_waits_for_the_last_answers() {
    let _alone = alone();
    let server = Counting::start(|_| {
        thread::sleep(Duration::from_secs(4));
        good("hello")
    });
    let cancel = AtomicBool::new(false);
    let began = Instant::now();
    let report = patchbay_load::run(&target(server.address), &open(50.0, 500), &cancel, &mut |progress| {
        cancel.store(progress.elapsed_ms > 900.0, Ordering::Relaxed);
    })
    .unwrap();
    assert!(began.elapsed() < Duration::from_secs(3), "it went on");
    assert_eq!(report.totals.unanswered, 25, "{:?}", report.totals);
    assert_ne!(report.verdict, Verdict::Pass);
    assert!(!report.notes.iter().any(|note| note.contains("5s after the end")), "it wasn't that long: {:?}", report.notes);
}
