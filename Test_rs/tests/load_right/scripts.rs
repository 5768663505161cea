//! Mixes, chains, values, and what is looked for in answers.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use patchbay_contracts::{
    integration::{FeedOrder, LoadSpec},
    run::Verdict,
};
use patchbay_load::script::{
    Answer, Body, Feed, Inspect, Order, Script,
    template::{Escape, Part, Source, Template, Values},
};
use patchbay_tests::load::{closed, failures, open, run};

use crate::lab::{Counting, alone, get, good, script, step};

fn text(text: &str) -> Part {
    Part::Text(text.as_bytes().to_vec())
}

#[test]
fn endpoints_of_a_mix_have_their_shares() {
    let _alone = alone();
    for spec in [closed(4, 30_000), open(2000.0, 30_000)] {
        let server = Counting::start(|_| good("hello"));
        let mut steps = vec![get("/one"), get("/three"), get("/six")];
        for (step, weight) in steps.iter_mut().zip([1, 3, 6]) {
            step.weight = weight;
        }
        let script = Script { steps, ..script(server.address) };
        let report = run(&script, &LoadSpec { iterations: Some(2000), seed: Some(1), ..spec });
        let paths = server.state.paths();
        for (own, share) in report.endpoints.iter().zip([0.1, 0.3, 0.6]) {
            let seen = paths.iter().filter(|path| **path == own.name).count() as u64;
            assert_eq!((own.sent, own.answered, own.latency.count), (seen, seen, seen), "{own:?}");
            // Four standard deviations of a binomial count of 2000.
            let allowed = 4.0 * (share * (1.0 - share) / 2000.0_f64).sqrt();
            assert!((seen as f64 / 2000.0 - share).abs() < allowed, "{}: {seen}", own.name);
        }
        assert_eq!(report.endpoints.iter().map(|own| own.sent).sum::<u64>(), 2000);
    }
}

/// Takes a token from an answer, in a body `token=…`.
struct Taking {
    /// Where it is put.
    capture: usize,
    calls: AtomicU64,
}

impl Inspect for Taking {
    fn inspect(&self, answer: &Answer<'_>, values: &mut Values) -> Result<(), String> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let token = answer.body.strip_prefix(b"token=").ok_or("there is no token")?;
        let named = answer.headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("kind") && value == "token");
        if !named || answer.status != 200 || answer.cut || answer.took == 0 {
            return Err(format!("the answer isn't as it was sent: {answer:?}"));
        }
        values.set(self.capture, token);
        Ok(())
    }
}

#[test]
fn a_chain_hands_on_what_it_captured() {
    let _alone = alone();
    for (spec, order) in [
        (closed(8, 30_000), "closed"),
        (open(300.0, 30_000), "open"),
        (LoadSpec { keep_alive: false, ..closed(4, 30_000) }, "apart"),
    ] {
        let next = AtomicU64::new(1);
        let server = Counting::start(move |head| match head.starts_with("GET /login") {
            // With what must be escaped in an address and in JSON.
            true => {
                let body = format!("token=a b\"{}", next.fetch_add(1, Ordering::Relaxed));
                format!("HTTP/1.1 200 OK\r\nKind: token\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
            }
            false => good("hello"),
        });
        let inspect = Arc::new(Taking { capture: 1, calls: AtomicU64::new(0) });
        let mut login = get("/login");
        login.inspect = Some(Arc::clone(&inspect) as Arc<dyn Inspect>);
        let place = vec![
            text("/use?"),
            Part::Value(Source::Captured(1), Escape::Address),
            text("&first="),
            Part::Value(Source::Captured(0), Escape::None),
        ];
        let mut used = step("use", Template::new(place));
        used.headers.push(("Token".into(), Template::new(vec![Part::Value(Source::Captured(1), Escape::Header)])));
        let script = Script {
            steps: vec![login, used],
            order: Order::Chain,
            captures: 2,
            captured: vec![(0, Arc::from(b"setup".as_slice()))],
            ..script(server.address)
        };
        let report = run(&script, &LoadSpec { iterations: Some(100), ..spec });
        assert_eq!(
            (report.totals.failed, report.totals.iterations, report.totals.sent),
            (0, 100, 200),
            "{order}: {:?}",
            report.errors
        );
        assert_eq!(inspect.calls.load(Ordering::Relaxed), 100);
        let heads: Vec<String> =
            server.state.heads().into_iter().map(|(_, head)| head).filter(|head| head.starts_with("GET /use")).collect();
        // Each user's own token, once.
        let tokens: BTreeSet<u64> = heads
            .iter()
            .map(|head| {
                let number = head.split("/use?a%20b%22").nth(1).and_then(|rest| rest.split('&').next()).unwrap();
                assert!(head.contains(&format!("&first=setup HTTP/1.1\r\n")), "{head}");
                assert!(head.contains(&format!("Token: a b\"{number}\r\n")), "{head}");
                number.parse().unwrap()
            })
            .collect();
        assert_eq!(tokens, (1..=100).collect(), "{order}");
    }
}

/// Refuses each third answer.
struct Picky(AtomicU64);

impl Inspect for Picky {
    fn inspect(&self, _: &Answer<'_>, _: &mut Values) -> Result<(), String> {
        if self.0.fetch_add(1, Ordering::Relaxed) % 3 == 2 { Err("the amount is 7, not 8".into()) } else { Ok(()) }
    }
}

#[test]
fn assertions_that_do_not_hold_are_failures_with_words() {
    let _alone = alone();
    let server = Counting::start(|_| good("hello"));
    let mut first = get("/first");
    first.inspect = Some(Arc::new(Picky(AtomicU64::new(0))));
    let script = Script { steps: vec![first, get("/second")], order: Order::Chain, ..script(server.address) };
    let spec = LoadSpec {
        iterations: Some(99),
        thresholds: vec!["errors < 1%".into(), "/second: errors == 0".into()],
        ..closed(3, 20_000)
    };
    let report = run(&script, &spec);
    assert_eq!(failures(&report, "assertion"), 33, "{:?}", report.errors);
    assert!(report.errors[0].example.contains("the amount is 7, not 8"), "{:?}", report.errors);
    assert_eq!(report.totals.failed, 33);
    // What went wrong isn't gone on with.
    assert_eq!((report.endpoints[0].sent, report.endpoints[1].sent), (99, 66));
    assert_eq!((report.endpoints[0].failed, report.endpoints[1].failed), (33, 0));
    assert!((report.totals.error_share - 33.0 / 165.0).abs() < 1e-9, "{:?}", report.totals);
    assert_eq!(report.thresholds[0].verdict, Verdict::Fail);
    assert_eq!(report.thresholds[1].verdict, Verdict::Pass, "{:?} {:?}", report.thresholds, report.notes);
}

#[test]
fn rows_of_files_are_taken_in_their_order() {
    let _alone = alone();
    let rows: Vec<Vec<Arc<[u8]>>> =
        (0..50).map(|row| vec![Arc::from(format!("r{row}").as_bytes()), Arc::from(b"x y".as_slice())]).collect();
    let rows = Arc::new(rows);
    let place = || {
        let column = |column| Part::Value(Source::Column { feed: 0, column }, Escape::Address);
        step("row", Template::new(vec![text("/"), column(0), text("?"), column(1)]))
    };
    for (order, iterations) in [(FeedOrder::Sequential, Some(120)), (FeedOrder::Random, Some(400)), (FeedOrder::Once, None)] {
        for spec in [closed(1, 20_000), closed(200, 20_000), open(500.0, 20_000)] {
            let server = Counting::start(|_| good("hello"));
            let feeds = vec![Feed { rows: Arc::clone(&rows), order }];
            let script = Script { steps: vec![place()], feeds, ..script(server.address) };
            let one_by_one = spec.connections == Some(1);
            let report = run(&script, &LoadSpec { iterations, seed: Some(2), ..spec });
            let paths = server.state.paths();
            let counts: Vec<usize> =
                (0..50).map(|row| paths.iter().filter(|path| **path == format!("/r{row}?x%20y")).count()).collect();
            assert_eq!(counts.iter().sum::<usize>(), paths.len(), "{order:?}: {paths:?}");
            match order {
                FeedOrder::Sequential => {
                    // Twice round, and the first twenty once more.
                    assert!(
                        counts[..20].iter().all(|count| *count == 3) && counts[20..].iter().all(|count| *count == 2),
                        "{counts:?}"
                    );
                    assert!(!one_by_one || paths[..3] == ["/r0?x%20y", "/r1?x%20y", "/r2?x%20y"], "{paths:?}");
                }
                FeedOrder::Random => {
                    assert!(counts.iter().filter(|count| **count > 0).count() > 45, "{counts:?}");
                    assert!(counts.iter().any(|count| *count != counts[0]), "{counts:?}");
                }
                FeedOrder::Once => {
                    assert!(counts.iter().all(|count| *count == 1), "{counts:?}");
                    assert_eq!((report.totals.sent, report.partial), (50, false));
                }
            }
        }
    }
}

#[test]
fn computed_values_are_what_they_say() {
    let _alone = alone();
    let server = Counting::start(|_| good("hello"));
    let value = |source| Part::Value(source, Escape::None);
    let parts = vec![
        text("/"),
        value(Source::Uuid),
        text("/"),
        value(Source::Iteration),
        text("/"),
        value(Source::User),
        text("/"),
        value(Source::UnixMs),
        text("/"),
        value(Source::Random),
        text("/"),
        value(Source::Uuid),
    ];
    let script = Script { steps: vec![step("values", Template::new(parts))], ..script(server.address) };
    let _ = run(&script, &LoadSpec { iterations: Some(600), ..closed(200, 20_000) });
    let paths = server.state.paths();
    let parts: Vec<Vec<&str>> = paths.iter().map(|path| path.split('/').skip(1).collect()).collect();
    let set = |place: usize| parts.iter().map(|parts| parts[place]).collect::<BTreeSet<_>>();
    assert_eq!(set(0).len(), 600, "each request has a UUID of its own");
    for parts in &parts {
        let uuid = parts[0];
        assert!(uuid.len() == 36 && &uuid[14..15] == "4" && "89ab".contains(&uuid[19..20]), "{uuid}");
        assert_eq!(parts[0], parts[5], "the same throughout a request");
        let now: u64 = parts[3].parse().unwrap();
        assert!(now > 1_600_000_000_000 && now < 4_000_000_000_000, "{now}");
    }
    let numbers = |place: usize| parts.iter().map(|parts| parts[place].parse::<u64>().unwrap()).collect::<BTreeSet<_>>();
    assert_eq!(numbers(1), (1..=600).collect(), "iterations are numbered from 1");
    assert!(numbers(2).iter().all(|user| (1..=200).contains(user)) && numbers(2).len() > 1, "{:?}", numbers(2));
    assert!(set(4).len() > 590);
}

#[test]
fn statuses_are_taken_as_the_step_says() {
    let _alone = alone();
    let server = Counting::start(|_| b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec());
    let mut missing = get("/");
    missing.accepts = vec![(404, 404)];
    let report =
        run(&Script { steps: vec![missing], ..script(server.address) }, &LoadSpec { iterations: Some(20), ..closed(2, 10_000) });
    assert_eq!((report.totals.failed, report.totals.answered), (0, 20), "{:?}", report.errors);
    let mut created = get("/");
    created.accepts = vec![(201, 201)];
    let report =
        run(&Script { steps: vec![created], ..script(server.address) }, &LoadSpec { iterations: Some(20), ..closed(2, 10_000) });
    assert_eq!(failures(&report, "status 404"), 20);
}

#[test]
fn a_body_with_values_has_its_own_length() {
    let _alone = alone();
    let server = Counting::start(|_| good("hello"));
    let mut post = get("/");
    post.method = "POST".into();
    let parts = vec![text("{\"n\":\""), Part::Value(Source::Column { feed: 0, column: 0 }, Escape::Json), text("\"}")];
    post.body = Body::Bytes(Template::new(parts));
    let rows: Vec<Vec<Arc<[u8]>>> = ["", "a\"b\n", "long enough"].iter().map(|row| vec![Arc::from(row.as_bytes())]).collect();
    let feeds = vec![Feed { rows: Arc::new(rows), order: FeedOrder::Once }];
    let report = run(&Script { steps: vec![post], feeds, ..script(server.address) }, &closed(1, 10_000));
    assert_eq!((report.totals.answered, report.totals.failed), (3, 0), "{:?}", report.errors);
    // {"n":""} has 8 bytes.
    assert_eq!(server.state.body_bytes.load(Ordering::Relaxed), 8 * 3 + 6 + 11);
}
