//! Closed and open workloads: counts against the server's own, latencies against known delays.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use patchbay_contracts::{integration::LoadSpec, load::LoadProgress, run::Verdict, units::Span};
use patchbay_tests::load::{Reply, Server, closed, ok, open, run};

#[test]
fn a_closed_workload_counts_what_the_server_counts() {
    for connections in [1, 10, 300] {
        let server = Server::start(|_| Reply::Bytes(ok()));
        let report = run(&server.target(), &closed(connections, 800));
        let totals = report.totals;
        assert_eq!(totals.sent, server.requests(), "{connections}: {totals:?}");
        assert_eq!((totals.answered, totals.failed, totals.unanswered), (totals.sent, 0, 0), "{connections}");
        // What the server is slow to accept was connected all the same.
        assert_eq!(totals.connects, u64::from(connections), "{connections}");
        assert!(server.log.connections.load(Ordering::Relaxed) <= totals.connects, "{connections}");
        assert_eq!(totals.bytes_received, totals.answered * ok().len() as u64, "{connections}");
        assert_eq!(report.latency.count, totals.answered, "{connections}");
        assert_eq!(report.statuses, [(200, totals.answered)]);
        let slices = &report.timeline;
        assert_eq!(slices.iter().map(|slice| slice.sent).sum::<u64>(), totals.sent, "{connections}");
        assert_eq!(slices.iter().map(|slice| slice.answered).sum::<u64>(), totals.answered, "{connections}");
        assert_eq!(slices.iter().map(|slice| slice.second).collect::<Vec<_>>(), (1..=slices.len() as u32).collect::<Vec<_>>());
        assert_eq!(report.histogram.iter().map(|&(_, count)| count).sum::<u64>(), totals.answered, "{connections}");
        assert!(report.histogram.is_sorted_by(|a, b| a.0 < b.0) && report.histogram.len() < 400);
        assert!(report.schedule_lag.is_none() && totals.target_rate.is_none());
        assert_ne!(report.verdict, Verdict::Fail);
    }
}

#[test]
fn an_open_workload_sends_what_was_asked_for() {
    let server = Server::start(|_| Reply::Bytes(ok()));
    let report = run(&server.target(), &open(400.0, 1500));
    assert_eq!(report.totals.sent, 600, "{:?}", report.totals);
    assert_eq!((report.totals.answered, server.requests()), (600, 600));
    assert_eq!(report.totals.target_rate, Some(400.0));
    assert_eq!(report.schedule_lag.map(|lag| lag.count), Some(600));
    assert_eq!(report.totals.dropped + report.totals.unanswered + report.totals.failed, 0);
    assert!(!report.notes.iter().any(|note| note.contains("service was the bottleneck")), "{:?}", report.notes);
}

#[test]
fn latency_is_that_of_a_known_delay() {
    // One in ten takes 50 ms longer.
    let server = Server::start(|seen| {
        if seen.number % 10 == 0 {
            thread::sleep(Duration::from_millis(50));
        }
        Reply::Bytes(ok())
    });
    let report = run(&server.target(), &closed(4, 2000));
    let mut took = server.log.took.lock().unwrap().clone();
    took.sort();
    let slow = took.iter().filter(|took| **took >= Duration::from_millis(50)).count() as u64;
    let seen_slow: u64 = report.histogram.iter().filter(|(ms, _)| *ms >= 50.0).map(|&(_, count)| count).sum();
    assert!(slow > 10 && seen_slow >= slow, "{slow} were slow, {seen_slow} were seen to be");
    assert!(report.latency.p95_ms >= 50.0, "{:?}", report.latency);
    assert!(report.latency.p50_ms < 50.0, "{:?}", report.latency);
    for (measured, quantile) in [(report.latency.p50_ms, 0.5), (report.latency.p95_ms, 0.95), (report.latency.p99_ms, 0.99)] {
        let served = took[(quantile * took.len() as f64) as usize - 1].as_secs_f64() * 1e3;
        assert!(measured >= served * 0.999, "measured {measured} ms where the server took {served} ms at {quantile}");
    }
}

/// A service that answers at once but for a second in which it answers nothing.
fn freezing(from: u64, to: u64) -> Server {
    let (from, to) = (Duration::from_millis(from), Duration::from_millis(to));
    Server::start(move |seen| {
        if seen.at >= from && seen.at < to {
            thread::sleep(to - seen.at);
        }
        Reply::Bytes(ok())
    })
}

#[test]
fn an_open_workload_sees_a_frozen_service() {
    let server = freezing(2000, 3000);
    let spec = LoadSpec { connections: Some(50), ..open(500.0, 5000) };
    let report = run(&server.target(), &spec);
    let latency = report.latency;
    assert_eq!(report.totals.sent, 2500, "what is due goes out, if late: {:?}", report.totals);
    // A fifth of the requests was due in the freeze. Measured from the send, only the fifty in flight would have seen it.
    assert!(latency.p99_ms > 500.0 && latency.p90_ms > 100.0, "{latency:?}");
    assert!(latency.p50_ms < 400.0, "{latency:?}");
    let waited: u64 = report.histogram.iter().filter(|(ms, _)| *ms > 300.0).map(|&(_, count)| count).sum();
    assert!(waited > 200, "only {waited} saw the freeze");
    assert!(report.timeline.iter().any(|slice| slice.answered < 100), "the timeline hides the freeze: {:?}", report.timeline);
}

#[test]
fn a_freeze_across_the_end_leaves_requests_unanswered() {
    for cancelled in [false, true] {
        let server = freezing(300, 4000);
        let grace = Some(Span::millis(400));
        let thresholds = vec!["p50 < 10s".into(), "max < 10s".into(), "errors < 0.1%".into()];
        let spec = LoadSpec { connections: Some(20), grace, thresholds, ..open(100.0, if cancelled { 60_000 } else { 800 }) };
        let cancel = AtomicBool::new(false);
        let report = patchbay_load::run(&server.target(), &spec, &cancel, &mut |progress| {
            cancel.store(cancelled && progress.elapsed_ms > 1200.0, Ordering::Relaxed);
        })
        .unwrap();
        let totals = report.totals;
        assert_eq!(totals.unanswered, 20, "{totals:?}");
        assert!(totals.dropped > 0, "{totals:?}");
        assert_eq!(totals.answered + totals.unanswered, totals.sent);
        // Those that waited are in the figures, and what they would have taken isn't vouched for.
        assert!(report.latency.max_ms > 400.0, "{:?}", report.latency);
        assert!(report.latency.count > totals.answered);
        assert_ne!(report.verdict, Verdict::Pass);
        assert_eq!(report.thresholds[1].verdict, Verdict::Inconclusive, "{:?}", report.thresholds);
        assert!(report.notes.iter().any(|note| note.contains("20 requests had no answer")), "{:?}", report.notes);
        assert_eq!(report.partial, cancelled);
        let said = report.notes.iter().filter(|note| note.contains("cancelled")).count();
        assert_eq!(said, usize::from(cancelled), "once is enough: {:?}", report.notes);
    }
}

#[test]
fn arrivals_that_wait_too_long_are_dropped_and_counted() {
    let server = Server::start(|_| {
        thread::sleep(Duration::from_millis(150));
        Reply::Bytes(ok())
    });
    let spec = LoadSpec { connections: Some(1), timeout: Some(Span::millis(400)), ..open(50.0, 1500) };
    let report = run(&server.target(), &spec);
    let totals = report.totals;
    assert!(totals.dropped > 20, "{totals:?}");
    assert_eq!(totals.sent + totals.dropped, 75, "each arrival is accounted for: {totals:?}");
    assert!(totals.error_share > 0.3, "{totals:?}");
    assert!(report.latency.p50_ms > 200.0, "{:?}", report.latency);
    assert!(report.notes.iter().any(|note| note.contains("dropped")), "{:?}", report.notes);
}

#[test]
fn the_warm_up_is_left_out() {
    let server = Server::start(|seen| {
        let cold = seen.at < Duration::from_millis(300);
        Reply::Bytes(if cold { patchbay_tests::load::status(500) } else { ok() })
    });
    for spec in [closed(2, 1500), open(100.0, 1500)] {
        let before = server.requests();
        let report = run(&server.target(), &LoadSpec { warm_up: Some(Span::millis(900)), ..spec });
        assert_eq!(report.statuses.iter().map(|&(status, _)| status).collect::<Vec<_>>(), [200], "{:?}", report.errors);
        assert_eq!(report.totals.failed, 0);
        assert!((report.duration_ms - 600.0).abs() < 1.0, "{}", report.duration_ms);
        let sent: u64 = report.timeline.iter().map(|slice| slice.sent).sum();
        assert_eq!(sent, server.requests() - before, "the timeline has all of it");
        assert!(report.totals.sent < sent);
        assert!(report.timeline[0].warm_up && !report.timeline[1].warm_up, "{:?}", report.timeline);
    }
}

#[test]
fn a_cancelled_run_keeps_what_it_has() {
    for spec in [closed(2, 60_000), open(100.0, 60_000)] {
        let server = Server::start(|_| Reply::Bytes(ok()));
        let cancel = AtomicBool::new(false);
        let began = Instant::now();
        let report = patchbay_load::run(&server.target(), &spec, &cancel, &mut |progress| {
            cancel.store(progress.elapsed_ms > 500.0, Ordering::Relaxed);
        })
        .unwrap();
        assert!(began.elapsed() < Duration::from_secs(20), "it went on");
        assert!(report.partial && report.totals.answered > 0);
        assert!(report.duration_ms >= 500.0 && report.duration_ms < 20_000.0, "{}", report.duration_ms);
        assert_eq!(report.totals.answered + report.totals.unanswered, report.totals.sent);
        assert_ne!(report.verdict, Verdict::Pass);
        let said = report.notes.iter().filter(|note| note.contains("cancelled")).count();
        assert_eq!(said, 1, "it is said, and once: {:?}", report.notes);
        assert_eq!(report.totals.dropped, 0);
    }
}

#[test]
fn a_run_may_be_cancelled_before_it_begins() {
    let server = Server::start(|_| Reply::Bytes(ok()));
    let report = patchbay_load::run(&server.target(), &closed(2, 60_000), &AtomicBool::new(true), &mut |_| {}).unwrap();
    assert!(report.partial);
    assert_eq!(report.verdict, Verdict::Inconclusive);
}

#[test]
fn progress_comes_at_most_ten_times_a_second() {
    let server = Server::start(|_| Reply::Bytes(ok()));
    let seen: Mutex<Vec<(Instant, LoadProgress)>> = Mutex::default();
    let report = patchbay_load::run(&server.target(), &closed(2, 2500), &AtomicBool::new(false), &mut |progress| {
        seen.lock().unwrap().push((Instant::now(), progress));
    })
    .unwrap();
    let seen = seen.into_inner().unwrap();
    assert!(seen.len() > 3, "only {} reports", seen.len());
    for pair in seen.windows(2) {
        assert!(pair[1].0 - pair[0].0 >= Duration::from_millis(99));
        assert!(pair[1].1.totals.sent >= pair[0].1.totals.sent && pair[1].1.elapsed_ms > pair[0].1.elapsed_ms);
    }
    let slices: Vec<_> = seen.iter().flat_map(|(_, progress)| progress.new_slices.clone()).collect();
    assert!(slices.len() >= 2, "{slices:?}");
    assert_eq!(slices, report.timeline[..slices.len()], "each second is told once, as it is in the report");
    assert!(seen.iter().all(|(_, progress)| progress.total_ms == 2500.0));
}

#[test]
fn failures_are_told_by_kind_while_it_goes_on() {
    let server = Server::start(|seen| match seen.number % 2 {
        0 => Reply::Bytes(ok()),
        _ => Reply::Bytes(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n".to_vec()),
    });
    let mut last = None;
    patchbay_load::run(&server.target(), &closed(1, 1000), &AtomicBool::new(false), &mut |progress| last = Some(progress))
        .unwrap();
    let last = last.expect("it told how far it was");
    assert_eq!(last.errors.len(), 1, "{:?}", last.errors);
    let error = &last.errors[0];
    assert_eq!((error.kind.as_str(), error.count), ("status 503", last.totals.failed));
    assert!(error.count > 0 && !error.example.is_empty(), "{error:?}");
}
