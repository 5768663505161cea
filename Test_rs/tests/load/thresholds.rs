//! The grammar of thresholds, and how they are judged.

use patchbay_contracts::run::Verdict;
use patchbay_load::{
    figures::{Doubts, Figures},
    thresholds::parse,
};

#[test]
fn good_thresholds_are_read() {
    for text in [
        "p95 < 500ms",
        "p95<500ms",
        "  p99.9   <=  1s ",
        "p50 > 0",
        "p99.99 < 1m30s",
        "p42 < 1us",
        "med < 5ms",
        "mean < 50ms",
        "avg >= 1ms",
        "min > 1µs",
        "max <= 2s",
        "errors < 0.1%",
        "errors == 0",
        "errors == 0%",
        "errors <= 100%",
        "rate > 100/s",
        "rate >= 6000/min",
        "requests > 1000",
        "requests == 0",
        "p50 == 5ms",
    ] {
        let threshold = parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        assert_eq!(threshold.to_string(), text.trim());
    }
}

#[test]
fn mistakes_are_told_with_what_was_expected() {
    for (text, told) in [
        ("", "no comparison"),
        ("p95", "the operators are <, <=, >, >= and =="),
        ("p95 500ms", "no comparison"),
        ("p95 < 500", "write a number with a unit"),
        ("p95 <", "the value is missing"),
        ("< 500ms", "the metric is missing"),
        ("p95 = 500ms", "`=` is not an operator"),
        ("p95 != 500ms", "`!=` is not an operator"),
        ("p95 ≤ 500ms", "`≤` is not an operator"),
        ("p95 => 500ms", "`=>` is not an operator"),
        ("p95 < -1ms", "write a number with a unit"),
        ("p95 < 10%", "write a number with a unit"),
        ("p100 < 1s", "lies between 0 and 100"),
        ("p0 < 1s", "lies between 0 and 100"),
        ("pp < 1s", "did you mean"),
        ("latency < 1s", "there is no metric `latency`"),
        ("meen < 1s", "did you mean `mean`"),
        ("error < 1%", "did you mean `errors`"),
        ("Rate > 1/s", "did you mean `rate`"),
        ("P95 < 1s", "did you mean `p95`"),
        ("errors < 0.1", "write it in per cent"),
        ("errors < 101%", "write it in per cent"),
        ("rate > 100", "write a count over a time"),
        ("rate > fast/s", "write a count over a time"),
        ("requests > 1.5", "whole number"),
        ("requests > many", "whole number"),
    ] {
        let problem = parse(text).expect_err(text);
        assert!(problem.to_string().contains(told), "{text}: expected `{told}` in `{problem}`");
        assert!(!problem.next.is_empty(), "{text}: says nothing of what to do");
    }
    let long = parse(&format!("p95 < {}ms", "9".repeat(5000))).expect_err("long");
    assert!(long.to_string().len() < 300, "a long mistake is echoed whole");
}

/// A thousand answers in ten seconds of 1 to 1000 ms, so that each percentile is its own number times ten.
fn figures() -> Figures {
    let mut latency = hdrhistogram::Histogram::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
    for ms in 1..=1000 {
        latency.record(ms * 1_000_000).unwrap();
    }
    Figures {
        latency,
        waited: Vec::new(),
        sent: 1000,
        answered: 1000,
        failed: 10,
        ended: 1000,
        dropped: 0,
        answered_in_time: 1000,
        seconds: 10.0,
        doubts: Doubts::default(),
    }
}

fn check(change: impl Fn(&mut Figures), expected: &[(&str, Verdict)]) {
    let mut figures = figures();
    change(&mut figures);
    let with_waiting = figures.latency_with_waiting();
    for (text, verdict) in expected {
        let result = parse(text).unwrap().judge(&figures, &with_waiting);
        assert_eq!(result.verdict, *verdict, "{text}: {}", result.actual);
        assert!(!result.actual.is_empty());
    }
}

use Verdict::{Fail, Inconclusive, Pass};

#[test]
fn exact_figures_pass_or_fail() {
    check(
        |_| {},
        &[
            ("p50 < 510ms", Pass),
            ("p50 < 490ms", Fail),
            ("p50 == 500ms", Pass),
            ("p50 == 510ms", Fail),
            ("med > 490ms", Pass),
            ("p95 <= 955ms", Pass),
            ("p95 > 955ms", Fail),
            ("mean < 505ms", Pass),
            ("mean < 495ms", Fail),
            ("min < 2ms", Pass),
            ("max < 1s", Fail),
            ("max < 1005ms", Pass),
            ("errors < 1%", Fail),
            ("errors <= 1%", Pass),
            ("errors < 1.1%", Pass),
            ("rate >= 100/s", Pass),
            ("rate > 100/s", Fail),
            ("rate > 5990/min", Pass),
            ("requests == 1000", Pass),
            ("requests > 1000", Fail),
        ],
    );
}

#[test]
fn a_percentile_needs_samples() {
    check(|_| {}, &[("p99.9 < 2s", Pass), ("p99.99 < 2s", Inconclusive), ("p99.99 < 1ms", Fail)]);
}

#[test]
fn what_was_never_answered_leaves_a_doubt() {
    // Twenty waited 1.5 s each: what they would have taken is unknown, and at most that share of the percentiles.
    check(
        |figures| figures.waited = vec![1_500_000_000; 20],
        &[
            ("p50 < 515ms", Pass),
            ("p95 < 1s", Pass),
            ("p99 < 1400ms", Fail),
            ("p99 < 10s", Inconclusive),
            ("max < 1400ms", Fail),
            ("max < 10s", Inconclusive),
            ("max > 1400ms", Pass),
            ("mean < 10s", Inconclusive),
            ("errors <= 1%", Inconclusive),
            ("errors < 0.5%", Fail),
            ("errors < 5%", Pass),
        ],
    );
    // Those that had only just been sent say nothing, and make nothing better.
    check(|figures| figures.waited = vec![1; 500], &[("p50 < 490ms", Fail), ("p50 < 510ms", Inconclusive)]);
}

#[test]
fn a_busy_generator_takes_no_credit_and_lays_no_blame() {
    check(
        |figures| figures.doubts.generator_busy = true,
        &[
            ("p50 < 510ms", Pass),
            ("p50 < 490ms", Inconclusive),
            ("p50 > 490ms", Inconclusive),
            ("rate > 90/s", Pass),
            ("rate > 110/s", Inconclusive),
            ("rate < 110/s", Inconclusive),
            ("errors < 1%", Fail),
        ],
    );
}

#[test]
fn a_late_generator_and_a_cancelled_run_pass_nothing() {
    check(
        |figures| figures.doubts.generator_late = true,
        &[("p50 < 510ms", Inconclusive), ("p50 < 490ms", Inconclusive), ("errors < 1%", Fail), ("errors < 2%", Inconclusive)],
    );
    check(
        |figures| figures.doubts.cancelled = true,
        &[("p50 < 510ms", Inconclusive), ("p50 < 490ms", Fail), ("rate > 1/s", Inconclusive)],
    );
}

#[test]
fn without_answers_a_latency_is_not_judged() {
    check(
        |figures| {
            figures.latency.reset();
            figures.answered = 0;
        },
        &[("p50 < 1s", Inconclusive), ("max > 1s", Inconclusive)],
    );
}
