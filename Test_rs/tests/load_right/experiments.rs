//! Percentiles, held to what the server itself logged and to what queueing theory says.

use std::{
    thread,
    time::{Duration, Instant},
};

use patchbay_contracts::{
    integration::{LoadSpec, Spacing},
    load::LoadReport,
    run::Verdict,
    units::Span,
};
use patchbay_load::hdr;
use patchbay_tests::load::{open, run};
use rand::{RngExt, SeedableRng, rngs::SmallRng};

use crate::lab::{Logging, agree, alone, apart, numbered, quantile, shown, wait_until};

/// When an arrival of an even schedule is due.
fn even(rate: f64) -> impl Fn(u64) -> f64 {
    move |number| (number - 1) as f64 / rate
}

#[test]
fn a_freeze_is_seen_by_all_that_were_due_in_it() {
    let _alone = alone();
    // A twentieth of the time, as a second in twenty is: of 5000 requests 250 are due in the freeze, and the 50 that wait
    // longest, which are one in a hundred, wait for more than four fifths of it.
    let (from, freeze) = (Duration::from_secs(2), Duration::from_millis(250));
    let percentiles = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999];
    let agrees = |report: &LoadReport, truth: &Vec<f64>| agree(report, truth, &percentiles);
    let (report, _) = shown(agrees, || {
        let server = apart(|| {
            Logging::parallel(move |_, since| {
                if since >= from && since < from + freeze {
                    thread::sleep(from + freeze - since);
                }
            })
        });
        let report = run(numbered(server.address), &open(1000.0, 5000));
        (report, server.latencies(even(1000.0)))
    });
    assert_eq!((report.totals.sent, report.totals.answered), (5000, 5000), "{:?}", report.totals);
    assert!((report.latency.p99_ms - 200.0).abs() < 10.0, "a fifth of the freeze short of its end: {:?}", report.latency);
    assert!((report.latency.max_ms - 250.0).abs() < 25.0, "{:?}", report.latency);
}

#[test]
fn a_freeze_across_the_deadline_bounds_the_percentiles() {
    let _alone = alone();
    // What is due in the last half second waits for half a second to a whole one.
    let counts = |report: &LoadReport, ()| match report.totals.unanswered {
        98..=101 => Ok(()),
        other => Err(format!("{other} had no answer: {:?}", report.totals)),
    };
    let (report, ()) = shown(
        |report, &found| counts(report, found),
        || {
            let server = apart(|| {
                Logging::parallel(|_, since| {
                    if since >= Duration::from_millis(1500) {
                        thread::sleep(Duration::from_secs(4));
                    }
                })
            });
            let thresholds = ["p50 < 100ms", "p90 < 500ms", "p90 < 10s", "p95 > 400ms", "max < 10s"].map(String::from).to_vec();
            let spec = LoadSpec { grace: Some(Span::millis(500)), thresholds, ..open(200.0, 2000) };
            (run(numbered(server.address), &spec), ())
        },
    );
    assert_eq!(report.totals.answered + report.totals.unanswered, 400, "{:?}", report.totals);
    assert_eq!(report.latency.count, 400, "each of them is in the figures: {:?}", report.latency);
    let latency = report.latency;
    // A quarter waited for 0.5 s to 1 s when it was over: the 90th percentile lies three fifths of the way up.
    assert!((latency.p90_ms - 800.0).abs() < 20.0 && (latency.max_ms - 1000.0).abs() < 20.0, "{latency:?}");
    let verdicts: Vec<Verdict> = report.thresholds.iter().map(|result| result.verdict).collect();
    let expected = [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive, Verdict::Pass, Verdict::Inconclusive];
    assert_eq!(verdicts, expected, "{:?}", report.thresholds);
    assert_eq!(report.verdict, Verdict::Fail);
    assert!(report.notes.iter().any(|note| note.contains("had no answer")), "{:?}", report.notes);
}

#[test]
fn one_request_in_ten_is_slow_on_its_own() {
    let _alone = alone();
    // The 90th percentile is where the fast ones end, and any one of them decides it.
    let percentiles = [0.5, 0.75, 0.95, 0.99, 0.999, 0.9999];
    let agrees = |report: &LoadReport, truth: &Vec<f64>| agree(report, truth, &percentiles);
    let (report, _) = shown(agrees, || {
        let server = apart(|| {
            Logging::parallel(|number, _| {
                if number % 10 == 0 {
                    wait_until(Instant::now() + Duration::from_millis(20));
                }
            })
        });
        let report = run(numbered(server.address), &open(500.0, 6000));
        (report, server.latencies(even(500.0)))
    });
    assert!(report.latency.p75_ms < 20.0 && report.latency.p95_ms >= 20.0, "{:?}", report.latency);
    let slow = hdr::read(&report.hdr)
        .unwrap()
        .iter_recorded()
        .filter(|value| value.value_iterated_to() >= 19_990_000)
        .fold(0, |sum, value| sum + value.count_at_value());
    assert!((300..330).contains(&slow), "{slow} of 3000 were slow");
}

/// A random number with the mean 1, as the distances between independent events have it.
fn exponential(rng: &mut SmallRng) -> f64 {
    -(1.0 - rng.random::<f64>()).ln()
}

/// How long each of them stays in a queue of one server, in seconds, where nothing takes any time but the service: who comes
/// is served once the one before has left.
fn stays(due: &[f64], services: &[f64]) -> Vec<f64> {
    let mut free = 0.0_f64;
    let stay = |(due, service): (&f64, &f64)| {
        free = free.max(*due) + service;
        free - due
    };
    due.iter().zip(services).map(stay).collect()
}

#[test]
fn independent_arrivals_wait_as_in_a_queue_of_one_server() {
    let _alone = alone();
    // Half the capacity, so that the mean stay is 1 / (500 - 250) s = 4 ms, and stays are distributed exponentially.
    const RATE: f64 = 250.0;
    const CAPACITY: f64 = 500.0;
    const SECONDS: u64 = 12;
    let drawn = |seed: u64, rate: f64| {
        let mut rng = SmallRng::seed_from_u64(seed);
        std::iter::repeat_with(move || exponential(&mut rng) / rate)
    };
    let (of_arrivals, of_services) = (7, 11);
    // The generator's arrivals, drawn once more, and what comes of them in a queue without any overhead.
    let arrivals = drawn(of_arrivals, RATE).scan(0.0, |sum, gap| {
        *sum += gap;
        Some(*sum)
    });
    let due: Vec<f64> = arrivals.take_while(|due| *due < SECONDS as f64).collect();
    let services: Vec<f64> = drawn(of_services, CAPACITY).take(due.len()).collect();
    let mut ideal: Vec<f64> = stays(&due, &services).into_iter().map(|stay| stay * 1e3).collect();
    ideal.sort_by(f64::total_cmp);
    let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len() as f64;

    let percentiles = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999];
    let as_it_should = |report: &LoadReport, truth: &Vec<f64>| {
        agree(report, truth, &percentiles)?;
        // The server takes some time besides its service. It adds up where the queue is long.
        let (ours, theirs) = (report.latency.mean_ms, mean(&ideal));
        println!("mean: measured {ours} ms, by the queue {theirs} ms");
        if (ours / theirs - 1.0).abs() > 0.1 {
            return Err(format!("the mean is {ours} ms, and without overhead it would be {theirs} ms"));
        }
        Ok(())
    };
    let (report, truth) = shown(as_it_should, || {
        let services = services.clone();
        let mut served = 0;
        let server = apart(|| {
            Logging::single(move |_| {
                served += 1;
                Duration::from_secs_f64(services[served - 1])
            })
        });
        let spec = LoadSpec { spacing: Spacing::Poisson, seed: Some(of_arrivals), ..open(RATE, SECONDS * 1000) };
        let report = run(numbered(server.address), &spec);
        (report, server.latencies(|number| due[number as usize - 1]))
    });
    assert_eq!(report.totals.sent as usize, due.len());
    assert!((report.latency.mean_ms - mean(&truth)).abs() < (mean(&truth) * 0.01).max(0.1), "{}", mean(&truth));
    assert!(report.generator.littles_law_residual.unwrap() < 0.05, "{:?}", report.generator);

    // And the queue is one: a Poisson count has the standard deviation of the root of its mean, and four of them leave out one
    // run in 16 000.
    let expected = RATE * SECONDS as f64;
    assert!((due.len() as f64 - expected).abs() < 4.0 * expected.sqrt(), "{} arrivals", due.len());
    // Stays follow each other closely, so the mean of n of them is much less sure than that of n independent ones. The sum
    // of the autocovariances of the waiting times, in units of the mean service time squared, is
    // ρ (2 + 5ρ - 4ρ² + ρ³) / (1 - ρ)⁴ (Daley, 1968), here 29, and the service times add 1. So the standard deviation of
    // the mean is √(30 / 3000) = 0.1 service times of 2 ms, a twentieth of the mean stay. Three of them are 15%.
    let theory = 1e3 / (CAPACITY - RATE);
    assert!((mean(&ideal) / theory - 1.0).abs() < 0.15, "the mean is {} ms, not {theory} ms", mean(&ideal));
    // A percentile of an exponential distribution is a multiple of its mean and no surer; towards the tail, where the few
    // busiest stretches decide, less sure by half.
    for (share, allowed) in [(0.5_f64, 0.15), (0.9, 0.2), (0.99, 0.3)] {
        let (ours, theirs) = (quantile(&ideal, share), -theory * (1.0 - share).ln());
        println!("p{}: {ours} ms, theory {theirs} ms", share * 100.0);
        assert!((ours / theirs - 1.0).abs() < allowed, "p{}: {ours} ms, not {theirs} ms", share * 100.0);
    }
}

#[test]
fn ten_thousand_a_second_are_paced_to_the_microsecond() {
    let _alone = alone();
    let percentiles = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999];
    let paced = |report: &LoadReport, truth: &Vec<f64>| {
        let lag = report.schedule_lag.unwrap();
        println!("lag {lag:?}, latency {:?}, {:?}", report.latency, report.generator);
        if lag.p99_ms > 0.05 {
            return Err(format!("the pacing error is more than 50 µs at 99%: {lag:?}"));
        }
        agree(report, truth, &percentiles)
    };
    let (report, _) = shown(paced, || {
        let server = apart(|| Logging::single(|_| Duration::from_micros(50)));
        let spec = LoadSpec { connections: Some(64), ..open(10_000.0, 1000) };
        let report = run(numbered(server.address), &spec);
        (report, server.latencies(even(10_000.0)))
    });
    assert_eq!(report.totals.sent, 10_000, "{:?}", report.totals);
    let achieved = report.generator.achieved.unwrap();
    assert!((achieved - 1.0).abs() < 1e-3, "{achieved}");
    let headroom = report.generator.headroom.unwrap();
    assert!(headroom > 0.2, "waiting for the next arrival is no work, though it spins: {headroom}");
}
