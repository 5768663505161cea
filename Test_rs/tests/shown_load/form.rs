//! The form of a load run: what stands in its fields and what is meant by it.

use patchbay_contracts::{
    chart::load_plan,
    integration::{DataFeed, Executor, FeedOrder, Level, LoadSpec, Protocol, Spacing, SpanRange, Stage, Weighted},
    load::planned,
    units::{Rate, Span},
};
use patchbay_frontend::utils::load_draft::{Calls, Draft, Listed};

/// A specification with a word on everything.
fn full() -> LoadSpec {
    LoadSpec {
        executor: Executor::RampingArrivalRate,
        mix: vec![
            Weighted { endpoint: "create order".to_owned(), weight: 1 },
            Weighted { endpoint: "list orders".to_owned(), weight: 9 },
        ],
        setup: vec!["log in".to_owned()],
        teardown: vec!["log out".to_owned()],
        data: vec![DataFeed { file: "users.csv".to_owned(), order: FeedOrder::Once }],
        rate: Some(Rate::per_second(10.0)),
        connections: Some(40),
        streams: Some(8),
        stages: vec![
            Stage { to: Level::Rate(Rate::per_second(200.0)), over: Span::secs(30) },
            Stage { to: Level::Rate(Rate::per_second(0.0)), over: Span::secs(5) },
        ],
        iterations: Some(5_000),
        spacing: Spacing::Poisson,
        connect_rate: Some(Rate::per_second(100.0)),
        warm_up: Some(Span::secs(5)),
        timeout: Some(Span::secs(2)),
        grace: Some(Span::secs(1)),
        keep_alive: false,
        session_reuse: false,
        protocol: Protocol::Http2,
        seed: Some(7),
        thresholds: vec!["p95 < 500ms".to_owned()],
        abort_after: Some(Span::secs(10)),
        ..LoadSpec::default()
    }
}

#[test]
fn a_form_that_nobody_touched_says_what_the_file_says() {
    let closed = LoadSpec {
        duration: Some(Span::secs(30)),
        chain: vec!["create order".to_owned(), "read order".to_owned()],
        think_time: Some(SpanRange { from: Span::millis(100), to: Span::secs(1) }),
        ..LoadSpec::default()
    };
    let ramping = LoadSpec {
        executor: Executor::RampingConnections,
        connections: Some(5),
        stages: vec![Stage { to: Level::Connections(50), over: Span::secs(20) }],
        ..LoadSpec::default()
    };
    for spec in [full(), closed, ramping] {
        assert_eq!(Draft::of(Some(&spec)).read().as_ref(), Ok(&spec));
    }
    let plain = Draft::of(None).read().expect("what suits can be started");
    assert_eq!((plain.executor, plain.duration), (Executor::ConstantConnections, Some(Span::secs(10))));
}

#[test]
fn another_executor_takes_only_what_it_has_a_use_for() {
    let mut draft = Draft::of(Some(&full()));
    draft.choose(Executor::ConstantConnections);
    let spec = draft.read().expect("it can be read");
    assert_eq!((spec.rate, spec.stages.len(), spec.spacing), (None, 0, Spacing::Even));
    draft.choose(Executor::RampingConnections);
    let spec = draft.read().expect("stages of connections take the place of stages of rates");
    assert!(!spec.stages.is_empty() && spec.stages.iter().all(|stage| matches!(stage.to, Level::Connections(_))), "{spec:?}");
    assert_eq!(spec.duration, None, "the stages say how long");
    draft.choose(Executor::ConstantArrivalRate);
    assert_eq!(draft.read().expect("there is a rate to begin with").rate, Some(Rate::per_second(50.0)));
}

#[test]
fn each_field_that_can_not_be_read_says_what_would_do() {
    let check = |change: fn(&mut Draft), field: &str, says: &str| {
        let mut draft = Draft::of(Some(&full()));
        change(&mut draft);
        let wrong = draft.read().expect_err(field);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong.get(field).is_some_and(|text| text.contains(says)), "{field}: {wrong:?}");
    };
    check(|draft| draft.stages[1].0 = "50".to_owned(), "stage-to-1", "200/s");
    check(|draft| draft.stages[0].1 = "soon".to_owned(), "stage-over-0", "30s");
    check(|draft| draft.stages.clear(), "stages", "at least one");
    check(|draft| draft.start_rate = "fast".to_owned(), "start-rate", "200/s");
    check(|draft| draft.connections = "0".to_owned(), "connections", "above zero");
    check(|draft| draft.warm_up = "5".to_owned(), "warm-up", "unit");
    check(|draft| draft.streams = "many".to_owned(), "streams", "whole number");
    check(|draft| draft.abort_after = "x".to_owned(), "abort-after", "duration");
    check(|draft| draft.weigh("list orders", "often".to_owned()), "mix list orders", "whole number");
    check(|draft| draft.mix.clear(), "mix", "weight");
    check(|draft| draft.connect_rate = "0/s".to_owned(), "connect-rate", "above zero");
    check(|draft| draft.grace = "long".to_owned(), "grace", "duration");
    check(|draft| draft.seed = "-1".to_owned(), "seed", "whole number");
    check(
        |draft| {
            draft.calls = Calls::Chain;
            draft.chain.clear();
        },
        "chain",
        "at least one",
    );
    check(
        |draft| {
            draft.choose(Executor::ConstantConnections);
            draft.duration = String::new();
        },
        "duration",
        "how long",
    );
}

#[test]
fn calls_around_the_run_and_files_come_and_go() {
    let mut draft = Draft::of(Some(&full()));
    draft.listed_mut(Listed::Setup).push("create customer".to_owned());
    draft.listed_mut(Listed::Teardown).clear();
    draft.data[0].0 = "  people.json ".to_owned();
    draft.data.push((" ".to_owned(), FeedOrder::Random));
    let spec = draft.read().expect("it can be read");
    assert_eq!((spec.setup, spec.teardown), (vec!["log in".to_owned(), "create customer".to_owned()], Vec::new()));
    let people = DataFeed { file: "people.json".to_owned(), order: FeedOrder::Once };
    assert_eq!(spec.data, [people], "a line without a file is none");
}

#[test]
fn a_threshold_that_is_typed_and_not_added_counts() {
    let mut draft = Draft::of(Some(&full()));
    draft.threshold = " errors < 1% ".to_owned();
    assert_eq!(draft.read().expect("it can be read").thresholds, ["p95 < 500ms", "errors < 1%"]);
    assert_eq!(Draft::of(None).rarely_used(), 0);
    let used = "streams, iterations, abort after, timeout, spacing, protocol, keep-alive, setup, teardown, data, connect rate, \
                grace, session reuse, seed";
    assert_eq!(draft.rarely_used(), 14, "{used}");
}

#[test]
fn the_planned_level_follows_the_stages() {
    assert_eq!(planned(&full()), [(0.0, 10.0), (30.0, 200.0), (35.0, 0.0)]);
    assert_eq!(planned(&LoadSpec::default()), [(0.0, 10.0), (10.0, 10.0)]);
    let plan = load_plan(&full());
    assert_eq!(plan.range, (0.0, 35.0));
    assert_eq!(plan.stretches.len(), 1, "the warm-up");
    let drawing = plan.draw(320.0, 90.0);
    assert!(!drawing.empty && drawing.marks.len() == 1, "{drawing:?}");
}
