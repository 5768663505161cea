//! Services that fail, requests that make no sense, and the verdict.

use std::{
    io::Read,
    net::{SocketAddr, TcpListener},
    sync::atomic::AtomicBool,
    thread,
    time::{Duration, Instant},
};

use patchbay_contracts::{
    Code,
    integration::{Executor, LoadSpec},
    run::Verdict,
    units::{Rate, Span},
};
use patchbay_load::Target;
use patchbay_tests::load::{Reply, Server, closed, failures, ok, open, run, status, target, trusting};

/// Where nobody listens. A port that was free a moment ago would be another test's by now.
fn refusing() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 1))
}

#[test]
fn a_refusing_service_fails_and_is_not_stormed() {
    let address = refusing();
    for (spec, most) in [(closed(10, 1000), 200), (open(200.0, 1000), 200)] {
        let report = run(&target(address), &spec);
        let refused = failures(&report, "refused");
        assert!(refused >= 10 && refused <= most, "{refused} refusals; {:?}", report.errors);
        assert_eq!((report.totals.sent, report.totals.answered, report.totals.failed), (0, 0, refused));
        assert_eq!((report.verdict, report.totals.error_share), (Verdict::Fail, 1.0));
        assert!(report.notes.iter().any(|note| note.contains("Nothing was answered")), "{:?}", report.notes);
        assert!(report.notes.iter().any(|note| note.contains("refus")), "{:?}", report.notes);
    }
}

#[test]
fn an_open_workload_accounts_for_each_arrival_that_is_refused() {
    let report = run(&target(refusing()), &open(1000.0, 1000));
    let totals = report.totals;
    assert_eq!(totals.failed + totals.dropped + totals.unanswered, 1000, "{totals:?}");
}

#[test]
fn a_reset_is_told_from_a_close() {
    // Closing a socket that has unread bytes resets the connection.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().take(100_000).flatten() {
            let _ = stream.peek(&mut [0; 8]);
        }
    });
    let report = run(&target(address), &closed(2, 400));
    assert!(failures(&report, "reset") > 0, "{:?}", report.errors);
    assert_eq!(report.verdict, Verdict::Fail);
}

#[test]
fn a_silent_service_runs_into_the_timeout() {
    let server = Server::start(|_| Reply::Silence);
    let spec = LoadSpec { timeout: Some(Span::millis(150)), ..closed(3, 700) };
    let report = run(&server.target(), &spec);
    let given_up = failures(&report, "timeout response");
    assert!((3..=30).contains(&given_up), "{:?}", report.errors);
    assert!(report.latency.count >= given_up && report.latency.min_ms > 149.0, "{:?}", report.latency);
    assert_eq!(report.verdict, Verdict::Fail);
    assert!(report.notes.iter().any(|note| note.contains("given up after 150ms")), "{:?}", report.notes);
}

#[test]
fn an_endless_body_runs_into_the_timeout() {
    let mut head = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n".to_vec();
    head.resize(100_000, b'x');
    let server = Server::start(move |_| Reply::Endless(head.clone()));
    let spec = LoadSpec { timeout: Some(Span::millis(200)), ..closed(2, 500) };
    let report = run(&server.target(), &spec);
    assert!(failures(&report, "timeout download") >= 2, "{:?}", report.errors);
    assert_eq!(report.totals.answered, 0);
}

#[test]
fn a_tls_handshake_that_never_ends_is_a_timeout_of_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let held: Vec<_> = listener.incoming().take(1000).flatten().collect();
        drop(held);
    });
    let target = Target { tls: Some(trusting(rustls::RootCertStore::empty())), ..target(address) };
    let spec = LoadSpec { timeout: Some(Span::millis(150)), ..closed(2, 500) };
    let report = run(&target, &spec);
    assert!(failures(&report, "timeout tls") >= 2, "{:?}", report.errors);
    assert_eq!(report.totals.sent, 0);
}

#[test]
fn tls_works_and_its_failures_are_told() {
    let server = Server::start_tls(|_| Reply::Bytes(ok()));
    let report = run(&server.target(), &closed(4, 600));
    assert!(report.totals.answered > 4, "{:?}", report.errors);
    assert_eq!((report.totals.failed, report.totals.connects), (0, 4), "{:?}", report.errors);
    assert_eq!(report.totals.answered + report.totals.unanswered, report.totals.sent);

    let stranger = Target { tls: Some(trusting(rustls::RootCertStore::empty())), ..server.target() };
    let report = run(&stranger, &closed(2, 300));
    assert!(failures(&report, "tls") > 0, "{:?}", report.errors);
    assert!(report.errors[0].example.contains("ertificate"), "{:?}", report.errors);

    let wrong_name = Target { host: "127.0.0.1".into(), ..server.target() };
    assert!(failures(&run(&wrong_name, &closed(1, 300)), "tls") > 0);

    let plain = Server::start(|_| Reply::Bytes(ok()));
    let speaking_tls = Target { tls: Some(trusting(rustls::RootCertStore::empty())), ..plain.target() };
    let report = run(&speaking_tls, &closed(1, 300));
    assert_eq!(report.totals.answered, 0);
    // The server waits for the end of a request that will never come, or hangs up on it.
    assert!(report.totals.failed + report.totals.unanswered > 0, "{:?}", report.totals);
}

#[test]
fn statuses_from_400_are_failures_with_an_example() {
    let server = Server::start(|seen| Reply::Bytes(if seen.number % 4 == 3 { status(503) } else { ok() }));
    let report = run(&server.target(), &closed(1, 300));
    let bad = failures(&report, "status 503");
    assert!(bad > 0);
    assert_eq!(report.totals.failed, bad);
    assert_eq!(report.totals.answered, report.statuses.iter().map(|&(_, count)| count).sum::<u64>());
    assert!((report.totals.error_share - bad as f64 / report.totals.answered as f64).abs() < 1e-9);
    assert!(report.errors[0].example.contains("answer to the request of"), "{:?}", report.errors);

    let failing = Server::start(|_| Reply::Bytes(status(500)));
    assert_eq!(run(&failing.target(), &closed(1, 200)).verdict, Verdict::Fail, "all answers are failures");
}

#[test]
fn a_service_that_serves_one_answer_a_connection_is_no_failure() {
    let server = Server::start(|_| Reply::Last(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok".to_vec()));
    for spec in [closed(4, 300), open(200.0, 300)] {
        let report = run(&server.target(), &spec);
        assert!(report.totals.answered > 4);
        assert_eq!(report.totals.failed, 0, "{:?}", report.errors);
        assert!(report.totals.connects >= report.totals.answered);
    }
}

#[test]
fn an_early_refusal_of_a_large_body_is_an_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().take(10_000).flatten() {
            thread::spawn(move || {
                use std::io::Write;
                let _ = stream.read(&mut [0; 1000]);
                let _ = stream.write_all(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = stream.shutdown(std::net::Shutdown::Write);
                // Not closed with bytes unread, which would take the answer back.
                while matches!(stream.read(&mut [0; 65536]), Ok(count) if count > 0) {}
            });
        }
    });
    let target = Target { method: "POST".into(), body: vec![b'x'; 8_000_000], ..target(address) };
    let report = run(&target, &closed(1, 300));
    assert_eq!(report.statuses.first().map(|&(status, _)| status), Some(413), "{:?}", report.errors);
    assert_eq!(failures(&report, "status 413"), report.totals.failed, "{:?}", report.errors);
}

#[test]
fn a_host_without_an_address_is_a_problem_before_the_start() {
    let target = Target { host: "no-such-host.invalid".into(), port: 80, ..target("127.0.0.1:80".parse().unwrap()) };
    let problem = patchbay_load::run(&target, &closed(1, 100), &AtomicBool::new(false), &mut |_| {}).unwrap_err();
    assert_eq!(problem.code, Code::Dns, "{problem}");
}

#[test]
fn what_makes_no_sense_is_refused_at_once() {
    let arrivals = |rate: Option<Rate>| LoadSpec { executor: Executor::ConstantArrivalRate, rate, ..LoadSpec::default() };
    let hertz = |rate| arrivals(Some(Rate::per_second(rate)));
    let span = |ms| Some(Span::millis(ms));
    for (name, spec, told) in [
        ("no rate", arrivals(None), "rate is missing"),
        ("a rate of nothing", hertz(0.0), "rate of 0/s"),
        ("a negative rate", hertz(-1.0), "rate of -1/s"),
        ("no number", hertz(f64::NAN), "rate"),
        ("an absurd rate", hertz(2e6), "no more than 1000000/s"),
        (
            "a rate where it has no effect",
            LoadSpec { rate: Some(Rate::per_second(5.0)), ..closed(1, 100) },
            "constant-arrival-rate",
        ),
        ("no connections", closed(0, 100), "0 connections"),
        ("absurdly many", closed(20_001, 100), "at most 20000"),
        ("no time", closed(1, 0), "duration of 0s"),
        ("more than a day", closed(1, 24 * 3600 * 1000 + 1), "24h"),
        ("all warm-up", LoadSpec { warm_up: span(100), ..closed(1, 100) }, "nothing would be measured"),
        ("no patience", LoadSpec { timeout: span(0), ..closed(1, 100) }, "timeout of 0s"),
        ("too much patience", LoadSpec { timeout: span(4_000_000), ..closed(1, 100) }, "1h"),
        ("a bad threshold", LoadSpec { thresholds: vec!["p95 < 5".into()], ..closed(1, 100) }, "p95 < 5"),
    ] {
        let address = "127.0.0.1:1".parse().unwrap();
        let began = Instant::now();
        let problem = patchbay_load::run(&target(address), &spec, &AtomicBool::new(false), &mut |_| {}).expect_err(name);
        assert_eq!(problem.code, Code::InvalidInput, "{name}: {problem}");
        assert!(problem.to_string().contains(told), "{name}: {problem}");
        assert!(began.elapsed() < Duration::from_secs(5), "{name}: it was tried");
    }
}

#[test]
fn a_request_that_would_smuggle_is_refused_and_not_shown() {
    type Change = fn(&mut Target);
    let changes: [(&str, Change); 9] = [
        ("a line end in a value", |target| target.headers = vec![("A".into(), "hush\r\nB: c".into())]),
        ("a zero in a value", |target| target.headers = vec![("A".into(), "hush\0".into())]),
        ("a space in a name", |target| target.headers = vec![("A hush".into(), "b".into())]),
        ("no method", |target| target.method = String::new()),
        ("a space in the method", |target| target.method = "GET /hush".into()),
        ("a space in the path", |target| target.path = "/hush hush".into()),
        ("no slash", |target| target.path = "hush".into()),
        ("an encoding", |target| target.headers = vec![("Transfer-Encoding".into(), "chunked".into())]),
        ("a wrong length", |target| target.headers = vec![("content-length".into(), "7".into())]),
    ];
    for (name, change) in changes {
        let mut target = target("127.0.0.1:1".parse().unwrap());
        change(&mut target);
        let problem = patchbay_load::run(&target, &closed(1, 100), &AtomicBool::new(false), &mut |_| {}).expect_err(name);
        assert_eq!(problem.code, Code::InvalidInput, "{name}");
        let is_method = name.contains("method");
        assert!(is_method || !problem.to_string().contains("hush"), "{name}: {problem}");
        assert!(!format!("{target:?}").contains("hush"), "{name}: Debug shows {target:?}");
    }
}
