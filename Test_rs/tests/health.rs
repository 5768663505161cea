//! The figures of health: what is up, what is down, and what nobody saw.

use std::time::Duration;

use patchbay_contracts::{
    Code, Problem, Timestamp,
    health::{ConditionResult, HealthCheck, Segment, Status},
    integration::Integration,
    units::Span,
};
use patchbay_engine::{
    monitor::{
        figures::{self, MAX_SEGMENTS, MAX_SLICES, Pace, Point},
        history, record,
        schedule::{self, Sleeplessness},
        standing, status, summary,
    },
    store::Store,
};
use serde_json::json;

/// A pace of ten: a check each 10 ms, unobserved after 30.
fn pace() -> Pace {
    Pace::new(Span::millis(10), Span::millis(10))
}

/// Checks as `+` and `-` at every tenth millisecond; a blank is none.
fn points(text: &str) -> Vec<Point> {
    let held = text.chars().enumerate().filter(|(_, c)| *c != ' ');
    held.map(|(i, c)| (i as Timestamp * 10, c == '+', (c == '+').then_some(i as f64))).collect()
}

/// Segments as `up 0-20`, `down 20-30`, `? 30-60`.
fn shown(segments: &[Segment]) -> String {
    let word = |status| match status {
        Status::Healthy => "up",
        Status::Down => "down",
        Status::Degraded => "degraded",
        Status::Unobserved => "?",
    };
    let one = |segment: &Segment| format!("{} {}-{}", word(segment.status), segment.from, segment.to);
    segments.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[test]
fn segments() {
    let none: &[(Timestamp, Timestamp)] = &[];
    for (checks, unobserved, range, now, expected) in [
        ("", none, (0, 100), 1000, "? 0-100"),
        ("+++++", none, (0, 50), 50, "up 0-50"),
        ("++-++", none, (0, 50), 50, "up 0-20, down 20-30, up 30-50"),
        // The last check before the range speaks for its beginning.
        ("+-+++", none, (15, 50), 50, "down 15-20, up 20-50"),
        // Three intervals without a check are bridged, four are not: then a check speaks for one interval.
        ("+  ++", none, (0, 50), 50, "up 0-50"),
        ("+   +", none, (0, 50), 50, "up 0-10, ? 10-40, up 40-50"),
        ("-   +", none, (0, 50), 50, "down 0-10, ? 10-40, up 40-50"),
        // Nobody looked before the first check, nor after the last one.
        ("   ++", none, (0, 200), 200, "? 0-30, up 30-50, ? 50-200"),
        ("++", none, (0, 200), 35, "up 0-35"),
        // What lies ahead is nothing yet.
        ("++", none, (0, 200), 20, "up 0-20"),
        // Recorded sleep is unobserved, and so is the time until the next check.
        ("+ ++", &[(5, 15)], (0, 40), 40, "up 0-5, ? 5-20, up 20-40"),
        ("-    +", &[(12, 45)], (0, 60), 60, "down 0-10, ? 10-50, up 50-60"),
        ("++", &[(10, 200)], (0, 100), 300, "up 0-10, ? 10-100"),
    ] {
        let read = figures::segments(&points(checks), unobserved, range, now, pace());
        assert_eq!(shown(&read), expected, "{checks:?} {unobserved:?} {range:?} {now}");
    }
}

#[test]
fn very_many_segments_become_few_and_hide_no_failure() {
    let checks: String = (0..10_000).map(|i| if i % 5 == 2 { '-' } else { '+' }).collect();
    let segments = figures::segments(&points(&checks), &[], (0, 100_000), 100_000, pace());
    assert!(segments.len() <= MAX_SEGMENTS);
    assert!(segments.iter().all(|segment| segment.status == Status::Down), "each stretch has a failure");
    assert_eq!((segments[0].from, segments[segments.len() - 1].to), (0, 100_000));
}

#[test]
fn observed_share() {
    let share = |checks: &str| figures::observed(&figures::segments(&points(checks), &[], (0, 100), 100, pace()));
    assert_eq!(share(""), 0.0);
    assert_eq!(share("++++++++++"), 1.0);
    assert_eq!(share("-----+++++"), 1.0, "a failure is an observation");
    assert_eq!(share("+         "), 0.1);
    assert_eq!(figures::observed(&[]), 0.0);
}

#[test]
fn quantiles_are_measured_values() {
    let values: Vec<f64> = (1..=100).map(f64::from).collect();
    for (q, expected) in [(0.0, 1.0), (0.5, 50.0), (0.95, 95.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)] {
        assert_eq!(figures::quantile(&values, q), Some(expected), "{q}");
    }
    assert_eq!(figures::quantile(&[], 0.5), None);
    assert_eq!(figures::quantile(&[7.0], 0.01), Some(7.0));
}

#[test]
fn slices_suit_the_range() {
    let hour = 3_600_000;
    let pace = Pace::new(Span::secs(30), Span::secs(10));
    for range in [hour / 60, hour, 6 * hour, 24 * hour, 7 * 24 * hour, 30 * 24 * hour, 400 * 24 * hour] {
        let from = 1_700_000_012_345;
        let points: Vec<Point> = (0..range / 30_000).map(|i| (from + i * 30_000, i % 10 != 0, Some((i % 100) as f64))).collect();
        let slices = figures::slices(&points, (from, from + range), pace);
        assert!(slices.len() as i64 <= MAX_SLICES, "{range}: {}", slices.len());
        assert_eq!(slices.iter().map(|slice| slice.checks as usize).sum::<usize>(), points.len());
        assert_eq!(slices.iter().map(|slice| slice.failures as usize).sum::<usize>(), points.iter().filter(|p| !p.1).count());
        assert!(slices.iter().all(|slice| slice.at % slice.width_ms == 0 && slice.width_ms >= 30_000));
        assert!(slices.windows(2).all(|pair| pair[1].at >= pair[0].at + pair[0].width_ms));
    }
    let slices = figures::slices(&[(0, true, Some(3.0)), (1, true, Some(1.0)), (2, false, None)], (0, 1000), pace);
    assert_eq!(
        (slices.len(), slices[0].checks, slices[0].failures, slices[0].p50_ms, slices[0].p99_ms),
        (1, 3, 1, Some(1.0), Some(3.0))
    );
}

fn orders(more: serde_json::Value) -> Integration {
    let mut definition = json!({ "name": "orders" });
    for (key, value) in more.as_object().unwrap() {
        definition[key] = value.clone();
    }
    serde_json::from_value(definition).unwrap()
}

#[test]
fn promises() {
    let slo =
        orders(json!({ "slo": { "availability": "99.9%", "latency_p50": "10ms", "latency_p99": "50ms", "error_rate": "0.1%" } }))
            .slo
            .unwrap();
    let shown = |points: &[Point]| {
        let results = figures::promises(&slo, points);
        results.iter().map(|r| format!("{} {} {:?} {:?}", r.name, r.target, r.actual.as_deref(), r.holds)).collect::<Vec<_>>()
    };
    assert_eq!(
        shown(&[]),
        ["availability 99.9% None None", "latency p50 10ms None None", "latency p99 50ms None None", "error rate 0.1% None None"]
    );
    let checks =
        |failures: i64| (0..1000).map(|i| (i, i >= failures, Some(if i < 989 { 10.0 } else { 50.25 }))).collect::<Vec<Point>>();
    assert_eq!(
        shown(&checks(1)),
        [
            "availability 99.9% Some(\"99.9%\") Some(true)",
            "latency p50 10ms Some(\"10ms\") Some(true)",
            "latency p99 50ms Some(\"50.250ms\") Some(false)",
            "error rate 0.1% Some(\"0.1%\") Some(true)",
        ]
    );
    assert_eq!(shown(&checks(2))[0], "availability 99.9% Some(\"99.8%\") Some(false)");
    assert_eq!(shown(&[(0, false, None)])[3], "error rate 0.1% Some(\"100%\") Some(false)");
    assert_eq!(shown(&checks(2))[3], "error rate 0.1% Some(\"0.2%\") Some(false)");
}

const SECOND: Timestamp = 1000;

fn made(at: Timestamp, healthy: bool, latency_ms: f64) -> HealthCheck {
    HealthCheck {
        integration: "orders".into(),
        at,
        healthy,
        latency_ms: Some(latency_ms),
        http_status: Some(if healthy { 200 } else { 503 }),
        conditions: vec![ConditionResult { text: "[STATUS] == 200".into(), holds: healthy, resolved: "503 == 200".into() }],
        problem: None,
        certificate_not_after: None,
    }
}

/// Records checks, one each 30 s from time 0, as `+` and `-`.
async fn recorded(integration: &Integration, checks: &str) -> Store {
    let store = Store::open(":memory:").await.unwrap();
    for (i, c) in checks.chars().enumerate().filter(|(_, c)| *c != ' ') {
        record(&store, integration, &made(i as Timestamp * 30 * SECOND, c == '+', 20.0)).await.unwrap();
    }
    store
}

/// Incidents, oldest first, as `opened-ended failures`.
async fn incidents(store: &Store) -> Vec<String> {
    let mut incidents = store.incidents(Some("orders"), 100).await.unwrap();
    incidents.reverse();
    let ended = |ended: Option<Timestamp>| ended.map_or(String::new(), |at| (at / SECOND).to_string());
    incidents.iter().map(|i| format!("{}-{} {}", i.opened / SECOND, ended(i.ended), i.failures)).collect()
}

#[tokio::test]
async fn incidents_open_and_end_after_so_many() {
    for (failures, successes, checks, expected) in [
        (1, 1, "++-++", &["60-90 1"][..]),
        (1, 1, "--", &["0- 2"]),
        (1, 1, "-+-+", &["0-30 1", "60-90 1"]),
        (3, 1, "--+--+", &[]),
        (3, 1, "+---", &["30- 3"]),
        (3, 1, "+-----+", &["30-180 5"]),
        (2, 2, "--+-++-+", &["0-120 3"]),
        (1, 2, "-+-+", &["0- 2"]),
    ] {
        let integration = orders(json!({ "health": { "failures": failures, "successes": successes } }));
        let store = recorded(&integration, checks).await;
        assert_eq!(incidents(&store).await, expected, "{failures} {successes} {checks}");
    }
    let store = recorded(&orders(json!({ "health": {} })), "-").await;
    assert_eq!(store.incidents(None, 1).await.unwrap()[0].cause, "`[STATUS] == 200` does not hold: 503 == 200");
    let mut refused = made(60 * SECOND, false, 1.0);
    refused.problem = Some(Problem::new(Code::Refused, "127.0.0.1:1 refuses connections"));
    store.close_incident("orders", 30 * SECOND).await.unwrap();
    record(&store, &orders(json!({})), &refused).await.unwrap();
    assert_eq!(store.incidents(None, 1).await.unwrap()[0].cause, "127.0.0.1:1 refuses connections");
}

#[tokio::test]
async fn the_status_by_its_rules() {
    for (definition, checks, now, expected) in [
        (json!({}), "", 0, (Status::Unobserved, None)),
        (json!({ "health": {} }), "+", 90, (Status::Healthy, None)),
        (json!({ "health": {} }), "+", 91, (Status::Unobserved, Some(30))),
        (json!({ "health": {} }), "-", 91, (Status::Unobserved, Some(30))),
        (json!({ "health": {} }), "-++", 61, (Status::Healthy, Some(30))),
        (json!({ "health": {} }), "+    ++", 181, (Status::Healthy, Some(150))),
        (json!({ "health": {} }), "+--", 61, (Status::Down, Some(30))),
        (json!({ "health": { "failures": 3 } }), "+--", 61, (Status::Degraded, Some(30))),
        (json!({ "health": { "successes": 2 } }), "+--+", 91, (Status::Down, Some(30))),
        (json!({ "health": {}, "slo": { "latency_p95": "19ms" } }), "+", 1, (Status::Degraded, None)),
        (json!({ "health": {}, "slo": { "latency_p95": "20ms" } }), "+", 1, (Status::Healthy, None)),
        (json!({ "health": {}, "slo": { "availability": "99%" } }), "-+", 31, (Status::Degraded, None)),
        // A check may take up to its timeout, so one that hangs delays the next; that alone is not unobserved.
        (json!({ "health": { "interval": "5s", "timeout": "30s" } }), "+", 89, (Status::Healthy, None)),
        (json!({ "health": { "interval": "5s" } }), "+", 16, (Status::Unobserved, Some(5))),
        (json!({ "health": { "interval": "10m" } }), "+", 1800, (Status::Healthy, None)),
    ] {
        let integration = orders(definition);
        let store = recorded(&integration, checks).await;
        let read = status(&store, &integration, now * SECOND).await.unwrap();
        assert_eq!((read.status, read.since.map(|at| at / SECOND)), expected, "{checks} {now}");
    }
    let (healthy, now) = (orders(json!({ "health": {} })), 30 * SECOND);
    assert_eq!(standing(&healthy, &[(0, true, None)], None, now).last_check, Some(0));
}

#[tokio::test]
async fn a_summary_for_the_overview() {
    let integration = orders(json!({ "health": {} }));
    let checks: String = (0..200).map(|i| if i % 10 == 9 { '-' } else { '+' }).collect();
    let store = recorded(&integration, &checks).await;
    let read = summary(&store, &integration, 199 * 30 * SECOND).await.unwrap();
    assert_eq!((read.standing.status, read.latency.len()), (Status::Down, 60));
    assert_eq!((read.latency[0].0, read.latency[59].0), (140 * 30 * SECOND, 199 * 30 * SECOND));
    // The last hour has the checks 79 to 199, of which 79, 89, … 199 failed.
    assert_eq!(read.error_share, Some(1.0 - 108.0 / 121.0));
    let few = summary(&recorded(&integration, "+-").await, &integration, 3 * 3600 * SECOND).await.unwrap();
    assert_eq!((few.standing.status, few.latency.len(), few.error_share), (Status::Unobserved, 2, None));
}

#[tokio::test]
async fn a_history_of_a_range() {
    let integration = orders(json!({ "health": {}, "slo": { "availability": "75%" } }));
    let store = recorded(&integration, "++--++++").await;
    store.add_unobserved("orders", 155 * SECOND, 170 * SECOND).await.unwrap();
    let read = history(&store, &integration, 45 * SECOND, 240 * SECOND, 240 * SECOND).await.unwrap();
    let scaled: Vec<Segment> =
        read.segments.iter().map(|s| Segment { from: s.from / SECOND, to: s.to / SECOND, status: s.status }).collect();
    assert_eq!(shown(&scaled), "up 45-60, down 60-120, up 120-155, ? 155-180, up 180-240");
    assert_eq!((read.checks, read.uptime), (6, Some(4.0 / 6.0)));
    assert!((read.observed - 170.0 / 195.0).abs() < 1e-9, "{}", read.observed);
    assert_eq!(read.latest.iter().map(|check| check.at / SECOND).collect::<Vec<_>>(), [210, 180, 150, 120, 90, 60]);
    assert_eq!((read.slo[0].actual.as_deref(), read.slo[0].holds), (Some("66.67%"), Some(false)));
    assert_eq!(read.slices.iter().map(|slice| slice.checks).sum::<u32>(), 6);
    let problem = history(&store, &integration, 5, 5, 5).await.unwrap_err();
    assert_eq!(problem.code, Code::InvalidInput);
}

#[test]
fn the_next_time_is_counted_from_the_time_that_was_meant() {
    let ms = Duration::from_millis;
    for (due, every, now, expected) in [
        (1000, 100, 1000, 1100),
        (1000, 100, 1030, 1100),
        (1000, 100, 1099, 1100),
        (1000, 100, 1100, 1200),
        // Times that have passed are left out, not caught up on.
        (1000, 100, 1950, 2000),
        (1000, 100, 900, 1100),
    ] {
        assert_eq!(schedule::next(ms(due), ms(every), ms(now)), ms(expected), "{due} {every} {now}");
    }
    assert_eq!(schedule::first(ms(1000), ms(60_000), 0.5), ms(3500));
    assert_eq!(schedule::first(ms(1000), ms(100), 0.5), ms(1050));
}

#[test]
fn sleep_shows_in_the_clocks() {
    // Time of day and elapsed time in seconds since the last glance; whether nobody was there to look.
    for (of_day, passed, away) in [
        (1, 1, false),
        (10, 10, false),
        // Asleep: the time of day goes on, the elapsed time does not.
        (3600, 1, true),
        (12, 1, true),
        // Asleep where both go on, or the program stood still.
        (3600, 3600, true),
        (31, 31, true),
        // The clock was set back, or put right by a little.
        (-3600, 1, false),
        (5, 1, false),
    ] {
        let mut watch = Sleeplessness::new(1_000_000, Duration::from_secs(100));
        let now = 1_000_000 + of_day * SECOND;
        let read = watch.glance(now, Duration::from_secs(100 + passed));
        assert_eq!(read, away.then_some((1_000_000, now)), "{of_day} {passed}");
        assert_eq!(watch.glance(now + SECOND, Duration::from_secs(101 + passed)), None);
    }
}
