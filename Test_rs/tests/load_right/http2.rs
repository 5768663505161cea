//! HTTP/2, against nginx and against a server that says what nginx wouldn't.

use std::{
    fs::File,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use patchbay_contracts::{
    integration::{Executor, Level, LoadSpec, Protocol, Stage},
    load::LoadReport,
    units::Span,
};
use patchbay_load::{
    Target,
    script::{
        Answer, Body, Inspect, Script,
        template::{Template, Values},
    },
};
use patchbay_tests::{
    load::{closed, failures, open, run, target},
    peers::{Peer, nginx_http2},
};

use crate::lab::{Counting, alone, get, good, script};

fn over(spec: LoadSpec, streams: u32) -> LoadSpec {
    LoadSpec { protocol: Protocol::Http2, streams: Some(streams), ..spec }
}

fn at(peer: &Peer, path: &str) -> Target {
    let address: SocketAddr = peer.url.trim_start_matches("http://").parse().unwrap();
    Target { path: path.into(), ..target(address) }
}

fn all_answered(name: &str, report: &LoadReport) {
    let totals = report.totals;
    assert_eq!((totals.failed, totals.dropped, totals.unanswered), (0, 0, 0), "{name}: {totals:?} {:?}", report.errors);
    assert_eq!(totals.answered, totals.sent, "{name}: {totals:?}");
    assert_eq!(report.statuses, [(200, totals.answered)], "{name}");
}

#[test]
fn streams_share_a_connection() {
    let _alone = alone();
    let peer = nginx_http2(1_000_000);
    for (streams, connections) in [(1, 2), (10, 2), (10, 200)] {
        let report =
            run(&at(&peer, "/hello"), &LoadSpec { iterations: Some(5000), ..over(closed(connections, 30_000), streams) });
        all_answered("closed", &report);
        assert_eq!((report.totals.answered, report.totals.connects), (5000, connections.into()), "{:?}", report.totals);
        println!("{connections} connections of {streams}: {:.0}/s, {:?}", report.totals.rate, report.latency);
    }
    let report = run(&at(&peer, "/hello"), &over(LoadSpec { connections: Some(2), ..open(500.0, 2000) }, 10));
    all_answered("open", &report);
    assert_eq!(report.totals.sent, 1000);
    assert!(report.totals.connects <= 2, "{:?}", report.totals);
}

/// Checks the length and the first header lines of an answer.
struct Sized(usize);

impl Inspect for Sized {
    fn inspect(&self, answer: &Answer<'_>, _: &mut Values) -> Result<(), String> {
        let typed = answer.headers.iter().any(|(name, value)| name == "server" && value.starts_with("nginx"));
        match (answer.body.len() == self.0, typed) {
            (true, true) => Ok(()),
            _ => Err(format!("{} bytes, {:?}", answer.body.len(), answer.headers)),
        }
    }
}

#[test]
fn large_bodies_go_both_ways() {
    let _alone = alone();
    let peer = nginx_http2(1_000_000);
    let address = peer.url.trim_start_matches("http://").parse().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("upload");
    std::fs::write(&path, vec![b'y'; 2_000_000]).unwrap();
    let file = Arc::new(File::open(&path).unwrap());
    for streams in [1, 10] {
        let mut large = get("/large");
        // Only the first megabyte is kept for looking into.
        large.inspect = Some(Arc::new(Sized(1 << 20)));
        let report = run(
            &Script { steps: vec![large], ..script(address) },
            &LoadSpec { iterations: Some(40), ..over(closed(2, 30_000), streams) },
        );
        all_answered("down", &report);
        assert!(report.totals.bytes_received > 40 * 3_000_000, "{:?}", report.totals);
        for body in
            [Body::Bytes(Template::fixed(&vec![b'z'; 2_000_000])), Body::File { file: Arc::clone(&file), length: 2_000_000 }]
        {
            let mut up = get("/up");
            up.method = "POST".into();
            up.body = body;
            up.inspect = Some(Arc::new(Sized(6)));
            let report = run(
                &Script { steps: vec![up], ..script(address) },
                &LoadSpec { iterations: Some(40), ..over(closed(2, 30_000), streams) },
            );
            all_answered("up", &report);
            assert!(report.totals.bytes_sent > 40 * 2_000_000, "{:?}", report.totals);
        }
    }
}

#[test]
fn a_connection_that_is_said_goodbye_to_is_replaced() {
    let _alone = alone();
    let peer = nginx_http2(50);
    for streams in [1, 10] {
        let report = run(&at(&peer, "/hello"), &LoadSpec { iterations: Some(1000), ..over(closed(2, 30_000), streams) });
        assert_eq!(report.totals.answered + report.totals.failed, 1000, "{:?} {:?}", report.totals, report.errors);
        // nginx takes no request beyond its last; with several under way some were already out.
        assert!(report.totals.failed <= if streams == 1 { 0 } else { 400 }, "{:?} {:?}", report.totals, report.errors);
        assert!(report.totals.connects >= 15, "{:?}", report.totals);
        assert!(report.errors.iter().all(|error| error.kind == "closed" || error.kind == "reset"), "{:?}", report.errors);
    }
    let report = run(&at(&peer, "/hello"), &over(LoadSpec { connections: Some(4), ..open(400.0, 2000) }, 1));
    all_answered("open", &report);
    assert!(report.totals.connects >= 15, "{:?}", report.totals);
}

#[test]
fn a_service_without_http_2_says_so() {
    let _alone = alone();
    let server = Counting::start(|_| good("hello"));
    let report = run(&target(server.address), &over(closed(2, 400), 1));
    assert_eq!(report.totals.answered, 0);
    assert!(report.errors.iter().any(|error| error.example.contains("does not speak HTTP/2")), "{:?}", report.errors);
}

const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, (payload.len() >> 8) as u8, payload.len() as u8, kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// The whole answer 200 of a stream.
fn answer(stream: u32) -> Vec<u8> {
    frame(1, 5, stream, &[0x88])
}

/// A server of one's own making: `request` is given each request's stream and number on its connection, from 1.
struct Raw {
    address: SocketAddr,
    connections: Arc<AtomicU64>,
    resets: Arc<AtomicU64>,
    open: Arc<AtomicU64>,
}

fn raw(greeting: Vec<u8>, request: impl Fn(&mut TcpStream, u32, u64) + Send + Sync + 'static) -> Raw {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Raw {
        address: listener.local_addr().unwrap(),
        connections: Arc::default(),
        resets: Arc::default(),
        open: Arc::default(),
    };
    let (connections, resets, open) = (Arc::clone(&server.connections), Arc::clone(&server.resets), Arc::clone(&server.open));
    let request = Arc::new(request);
    thread::spawn(move || {
        for mut stream in listener.incoming().take(10_000).flatten() {
            let (request, greeting, resets, open) =
                (Arc::clone(&request), greeting.clone(), Arc::clone(&resets), Arc::clone(&open));
            connections.fetch_add(1, Ordering::Relaxed);
            open.fetch_add(1, Ordering::Relaxed);
            thread::spawn(move || {
                let _ = stream.set_nodelay(true);
                talk(&mut stream, &greeting, &*request, &resets);
                open.fetch_sub(1, Ordering::Relaxed);
            });
        }
    });
    server
}

fn talk(stream: &mut TcpStream, greeting: &[u8], request: &dyn Fn(&mut TcpStream, u32, u64), resets: &AtomicU64) {
    let mut preface = [0; 24];
    if stream.read_exact(&mut preface).is_err() || stream.write_all(greeting).is_err() {
        return;
    }
    let mut head = [0; 9];
    let mut number = 0;
    while stream.read_exact(&mut head).is_ok() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        if stream.read_exact(&mut payload).is_err() {
            return;
        }
        let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        match head[3] {
            1 => {
                number += 1;
                request(stream, id, number);
            }
            3 => drop(resets.fetch_add(1, Ordering::Relaxed)),
            _ => {}
        }
    }
}

#[test]
fn frames_of_no_stream_harm_nobody() {
    let _alone = alone();
    for (name, strange) in [
        ("a reset of the connection", frame(3, 0, 0, &[0, 0, 0, 8])),
        ("an answer to nobody", answer(0)),
        ("a body for nobody", frame(0, 1, 0, b"body")),
        ("an answer to a stream that never was", answer(99)),
        ("an unknown frame", frame(77, 255, 0, b"what")),
        ("a window for nobody", frame(8, 0, 9999, &[0, 0, 1, 0])),
    ] {
        let sent = strange.clone();
        let server = raw([SETTINGS, &strange].concat(), move |stream, id, _| {
            let _ = stream.write_all(&[sent.clone(), answer(id), sent.clone()].concat());
        });
        for spec in [closed(2, 20_000), open(200.0, 20_000)] {
            let report = run(&target(server.address), &LoadSpec { iterations: Some(50), ..over(spec, 4) });
            let totals = report.totals;
            assert_eq!(totals.answered + totals.failed + totals.unanswered, totals.sent, "{name}: {totals:?}");
            assert!(totals.sent <= 50 && report.generator.concurrency < 60.0, "{name}: {totals:?} {:?}", report.generator);
        }
    }
}

#[test]
fn no_request_follows_a_goodbye() {
    let _alone = alone();
    // Each connection is told after its second answer that it is over, and stays open; what comes afterwards has no answer.
    let late = Arc::new(AtomicU64::new(0));
    let own = Arc::clone(&late);
    let server = raw(SETTINGS.to_vec(), move |stream, id, number| {
        if number > 2 {
            own.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let _ = stream.write_all(&answer(id));
        if number == 2 {
            thread::sleep(Duration::from_millis(4));
            let _ = stream.write_all(&frame(7, 0, 0, &[id.to_be_bytes(), [0; 4]].concat()));
        }
    });
    let pauses = LoadSpec { think_time: Some("50ms".parse().unwrap()), ..closed(2, 20_000) };
    for (name, spec) in [("open", LoadSpec { connections: Some(3), ..open(20.0, 20_000) }), ("closed with pauses", pauses)] {
        let spec = LoadSpec { timeout: Some(Span::millis(500)), iterations: Some(40), ..over(spec, 1) };
        let report = run(&target(server.address), &spec);
        assert_eq!((report.totals.answered, report.totals.failed), (40, 0), "{name}: {:?}", report.errors);
        assert!(report.totals.connects >= 19, "{name}: {:?}", report.totals);
    }
    assert_eq!(late.load(Ordering::Relaxed), 0);
}

#[test]
fn a_stream_may_fail_alone() {
    let _alone = alone();
    // Each fifth request is reset, each seventh is never answered.
    let server = raw(SETTINGS.to_vec(), |stream, id, number| match number {
        _ if number % 5 == 0 => drop(stream.write_all(&frame(3, 0, id, &[0, 0, 0, 7]))),
        _ if number % 7 == 0 => {}
        _ => drop(stream.write_all(&answer(id))),
    });
    let spec = LoadSpec { timeout: Some(Span::millis(100)), iterations: Some(70), ..over(closed(1, 20_000), 4) };
    let report = run(&target(server.address), &spec);
    assert_eq!(failures(&report, "reset"), 14, "{:?}", report.errors);
    assert_eq!(failures(&report, "timeout response"), 8, "{:?}", report.errors);
    assert_eq!((report.totals.answered, report.totals.connects), (48, 1), "{:?}", report.totals);
    assert_eq!(server.resets.load(Ordering::Relaxed), 8, "what is given up is taken back");
}

#[test]
fn each_request_may_have_a_connection_of_its_own() {
    let _alone = alone();
    let server = raw(SETTINGS.to_vec(), |stream, id, _| drop(stream.write_all(&answer(id))));
    let report =
        run(&target(server.address), &LoadSpec { keep_alive: false, iterations: Some(40), ..over(closed(2, 20_000), 1) });
    assert_eq!((report.totals.answered, report.totals.failed), (40, 0), "{:?}", report.errors);
    assert!(server.connections.load(Ordering::Relaxed) >= 40, "{:?}", report.totals);
}

#[test]
fn streams_come_back_after_a_ramp_down() {
    let _alone = alone();
    let open = Arc::new(Mutex::new(0_u64));
    let own = Arc::clone(&open);
    let server = raw(SETTINGS.to_vec(), move |stream, id, _| {
        *own.lock().unwrap() += 1;
        let mut stream = stream.try_clone().unwrap();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(10 + u64::from(id) % 7));
            let _ = stream.write_all(&answer(id));
        });
    });
    let stages = [(8, 300), (2, 400), (2, 300), (8, 0), (8, 1000)];
    let stages = stages.into_iter().map(|(count, ms)| Stage { to: Level::Connections(count), over: Span::millis(ms) }).collect();
    let spec = LoadSpec { executor: Executor::RampingConnections, stages, ..over(LoadSpec::default(), 4) };
    let mut late = Vec::new();
    let report =
        patchbay_load::run(&target(server.address), &spec, &std::sync::atomic::AtomicBool::new(false), &mut |progress| {
            late.push((progress.elapsed_ms, *open.lock().unwrap(), server.open.load(Ordering::Relaxed)));
        })
        .unwrap();
    assert_eq!(report.totals.failed, 0, "{:?}", report.errors);
    // In the last stage each of 32 users has a request every 13 ms or so.
    let mean = |from: f64, to: f64| {
        let within: Vec<_> = late.iter().filter(|(ms, ..)| (from..to).contains(ms)).collect();
        let (first, last) = (within[0], within[within.len() - 1]);
        (last.1 - first.1) as f64 / (last.0 - first.0) * 13.5
    };
    assert!(mean(1100.0, 2000.0) > 20.0, "{} users have anything to do of 32: {late:?}", mean(1100.0, 2000.0));
}
