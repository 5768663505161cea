//! Where a response ends, and what isn't one.

use std::sync::atomic::Ordering;

use patchbay_load::Target;
use patchbay_tests::load::{Reply, Server, closed, failures, run};

/// What is different about the target of a case.
type Change = fn(&mut Target);

/// Runs one connection against a reply for a moment; returns the report and how many connections it took.
fn answers(
    reply: impl Fn() -> Reply + Send + Sync + 'static,
    change: impl Fn(&mut Target),
) -> (patchbay_contracts::load::LoadReport, u64) {
    let server = Server::start(move |_| reply());
    let mut target = server.target();
    change(&mut target);
    let report = run(&target, &closed(1, 250));
    let connections = server.log.connections.load(Ordering::Relaxed);
    (report, connections)
}

/// The replies are whole answers, whose connection is used again, or isn't.
#[test]
fn whole_answers_are_told_apart() {
    let get: Change = |_| {};
    let head: Change = |target| target.method = "HEAD".into();
    let cases: [(&str, &'static str, Change, u16, bool); 15] = [
        ("length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", get, 200, true),
        ("no body", "HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", get, 200, true),
        (
            "chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n",
            get,
            200,
            true,
        ),
        (
            "extensions and trailers",
            "HTTP/1.1 201 Created\r\ntransfer-encoding: gzip, Chunked\r\n\r\n1;a=b\r\nx\r\n0;last\r\nA: 1\r\nB: 2\r\n\r\n",
            get,
            201,
            true,
        ),
        ("head with a length", "HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n", head, 200, true),
        ("head chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", head, 200, true),
        ("204", "HTTP/1.1 204 No Content\r\n\r\n", get, 204, true),
        ("304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", get, 304, true),
        (
            "interim answers first",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
            get,
            200,
            true,
        ),
        ("two equal lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", get, 200, true),
        ("told to close", "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1\r\n\r\nx", get, 200, false),
        ("HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", get, 200, false),
        ("HTTP/1.0 that keeps", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", get, 200, true),
        ("a redirect is an answer", "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", get, 302, true),
        ("a body to a HEAD spoils the connection", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", head, 200, false),
    ];
    for (name, reply, change, status, kept) in cases {
        let (report, connections) = answers(move || Reply::Bytes(reply.into()), change);
        let totals = report.totals;
        assert!(totals.answered > 0, "{name}: nothing answered; {:?}", report.errors);
        assert_eq!(report.statuses, [(status, totals.answered)], "{name}");
        assert_eq!(totals.failed, 0, "{name}: {:?}", report.errors);
        assert_eq!(connections == 1, kept, "{name}: {connections} connections for {} answers", totals.answered);
    }
}

#[test]
fn a_body_may_last_until_the_close() {
    let (report, connections) = answers(|| Reply::Last(b"HTTP/1.1 200 OK\r\n\r\nuntil the end".to_vec()), |_| {});
    assert!(report.totals.answered > 1, "{:?}", report.errors);
    assert_eq!(report.totals.failed, 0, "{:?}", report.errors);
    assert!(connections >= report.totals.answered);
}

#[test]
fn an_answer_may_come_byte_by_byte() {
    for reply in [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n",
    ] {
        let (report, connections) = answers(move || Reply::Dripped(reply.into()), |_| {});
        assert!(report.totals.answered > 0, "{:?}", report.errors);
        assert_eq!((report.totals.failed, connections), (0, 1), "{:?}", report.errors);
    }
}

#[test]
fn large_bodies_are_drained_and_counted() {
    let length = 3_000_000;
    let (report, _) = answers(
        move || {
            let mut reply = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_bytes();
            reply.resize(reply.len() + length, b'x');
            Reply::Bytes(reply)
        },
        |_| {},
    );
    assert!(report.totals.answered > 0);
    assert!(report.totals.bytes_received >= report.totals.answered * length as u64, "{:?}", report.totals);
}

#[test]
fn a_body_goes_out_whole() {
    let body = vec![b'y'; 2_000_000];
    let sent = body.clone();
    let server = Server::start(move |seen| {
        let right = seen.bytes.ends_with(&sent) && seen.bytes.starts_with(b"POST /x?y=%20z HTTP/1.1\r\n");
        Reply::Bytes(if right { patchbay_tests::load::ok() } else { patchbay_tests::load::status(400) })
    });
    let target = Target {
        method: "POST".into(),
        path: "/x?y=%20z".into(),
        headers: vec![("X-Own".into(), "1".into()), ("Host".into(), "other".into())],
        body,
        ..server.target()
    };
    let report = run(&target, &closed(2, 300));
    assert!(report.totals.answered > 0, "{:?}", report.errors);
    assert_eq!(report.statuses, [(200, report.totals.answered)]);
}

#[test]
fn what_is_no_answer_is_a_failure_of_its_kind() {
    let long = |bytes: usize| format!("HTTP/1.1 200 OK\r\nA: {}\r\n", "a".repeat(bytes));
    let many: String = (0..300).map(|number| format!("A{number}: b\r\n")).collect();
    for (name, reply, kind) in [
        ("no HTTP", "SSH-2.0-OpenSSH_9.2\r\n".to_owned(), "parse"),
        ("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx".into(), "parse"),
        ("a length in words", "HTTP/1.1 200 OK\r\nContent-Length: one\r\n\r\nx".into(), "parse"),
        ("a length beyond all", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nx".into(), "parse"),
        ("a chunk in words", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx".into(), "parse"),
        ("a chunk too long", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n".into(), "parse"),
        ("a chunk beyond all", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11112222333344445\r\nx".into(), "parse"),
        (
            "an endless chunk line",
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;{}", "a".repeat(9000)),
            "parse",
        ),
        ("a protocol that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\n\r\n".into(), "parse"),
        ("a long head", long(70_000), "parse"),
        ("many headers", format!("HTTP/1.1 200 OK\r\n{many}\r\n"), "parse"),
        ("half a head", "HTTP/1.1 200 OK\r\nContent-".into(), "closed"),
        ("half a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".into(), "closed"),
        ("half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab".into(), "closed"),
        ("nothing", String::new(), "closed"),
    ] {
        let (report, _) = answers(move || Reply::Last(reply.clone().into_bytes()), |_| {});
        assert_eq!(report.totals.answered, 0, "{name}");
        assert!(failures(&report, kind) > 0, "{name}: {:?}", report.errors);
        assert_eq!(failures(&report, kind), report.totals.failed, "{name}: {:?}", report.errors);
        assert!(report.errors[0].example.len() > 10, "{name}: {:?}", report.errors);
    }
}
