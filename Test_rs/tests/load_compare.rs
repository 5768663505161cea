//! Whether two load runs differ: how often the test cries wolf, and how often it misses what is there. By simulation, with
//! latencies from a known distribution in place of a service.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Serializer, V2DeflateSerializer},
};
use patchbay_contracts::{
    integration::LoadSpec,
    load::{Change, LoadReport, LoadSlice, LoadTotals},
};
use patchbay_load::compare::compare;
use rand::{RngExt, SeedableRng, rngs::SmallRng};

const SECONDS: u32 = 60;
/// Pairs of runs for the rate of false alarms. With 300 of them a true rate of 1% shows 8 or more once in 70 times.
const PAIRS: u64 = 300;

/// What a simulated service is like.
#[derive(Clone, Copy)]
struct Service {
    /// All latencies times this.
    scale: f64,
    /// Those of the slowest hundredth times this as well.
    tail: f64,
    /// How much the seconds differ from each other: the spread of a factor that all latencies of a second share.
    drift: f64,
    /// Answers a second.
    rate: u64,
}

const USUAL: Service = Service { scale: 1.0, tail: 1.0, drift: 0.0, rate: 400 };
/// As many answers in a minute as a shift of 5% takes to be found: 120,000.
const BUSY: Service = Service { rate: 2000, ..USUAL };

/// A number from the normal distribution, by the method of Box and Muller.
fn normal(rng: &mut SmallRng) -> f64 {
    let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// The 99th percentile of the distribution, as a factor of the median.
const P99: f64 = 2.326_347_874;
const SPREAD: f64 = 0.5;

/// A run: log-normal latencies around 10 ms.
fn run(service: Service, seed: u64) -> LoadReport {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut windows = Vec::new();
    let mut timeline = Vec::new();
    for second in 1..=SECONDS {
        let mut window = Histogram::<u64>::new_with_bounds(100, 60_000_000_000, 3).unwrap();
        let shared = (service.drift * normal(&mut rng)).exp();
        for _ in 0..service.rate {
            let z = normal(&mut rng);
            let tail = if z > P99 - 0.05 { service.tail } else { 1.0 };
            window.record((1e7 * service.scale * shared * tail * (SPREAD * z).exp()) as u64).unwrap();
        }
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&window, &mut bytes).unwrap();
        windows.push(STANDARD.encode(bytes));
        timeline.push(LoadSlice { second, sent: service.rate, answered: service.rate, ..LoadSlice::default() });
    }
    let totals = LoadTotals { rate: service.rate as f64, ..LoadTotals::default() };
    LoadReport { windows, timeline, totals, ..LoadReport::new("simulated", "", LoadSpec::default()) }
}

/// How many of the pairs show a change of `figure`, or of any.
fn seen(first: Service, second: Service, figure: Option<&str>, pairs: u64) -> u64 {
    let changed = |pair: &u64| {
        let comparison = compare(1, &run(first, 2 * pair + 1), &run(second, 2 * pair + 2));
        assert_eq!(comparison.problem, None);
        let wanted = |name: &str| figure.is_none_or(|wanted| wanted == name);
        comparison.figures.iter().any(|one| wanted(&one.name) && matches!(one.change, Change::Better | Change::Worse))
    };
    let half = pairs / 2;
    std::thread::scope(|scope| {
        let other = scope.spawn(|| (half..pairs).filter(changed).count());
        (0..half).filter(changed).count() as u64 + other.join().unwrap() as u64
    })
}

#[test]
fn two_runs_of_the_same_service_differ_in_one_of_a_hundred_at_most() {
    let alarms = seen(USUAL, USUAL, None, PAIRS);
    assert!(alarms <= 7, "{alarms} of {PAIRS}, where 3 would be the level");
}

#[test]
fn a_service_whose_seconds_differ_raises_no_more_alarms() {
    // Where each latency is taken to be drawn by itself, nearly all of these pairs differ.
    let restless = Service { drift: 0.05, ..USUAL };
    let alarms = seen(restless, restless, None, PAIRS);
    assert!(alarms <= 7, "{alarms} of {PAIRS}, where 3 would be the level");
}

#[test]
fn a_shift_of_p99_by_5_percent_is_found() {
    let slower = Service { scale: 1.05, ..BUSY };
    let found = seen(BUSY, slower, Some("p99"), 100);
    assert!(found >= 95, "{found} of 100");
}

#[test]
fn a_change_has_a_direction() {
    let change = |first: Service, second: Service| {
        let comparison = compare(7, &run(first, 1), &run(second, 2));
        assert_eq!(comparison.baseline, 7);
        comparison.figures.into_iter().find(|figure| figure.name == "p99").unwrap()
    };
    let slower = Service { scale: 1.2, ..BUSY };
    let worse = change(BUSY, slower);
    assert_eq!(worse.change, Change::Worse);
    assert!((worse.now / worse.before - 1.2).abs() < 0.03, "{worse:?}");
    assert_eq!(change(slower, BUSY).change, Change::Better);
    let tail_only = Service { tail: 1.5, ..BUSY };
    assert_eq!(change(BUSY, tail_only).change, Change::Worse, "the median is as it was");
}

#[test]
fn what_is_too_short_is_not_judged() {
    let short = |mut report: LoadReport| {
        report.windows.truncate(3);
        report.timeline.truncate(3);
        report
    };
    let comparison = compare(1, &short(run(USUAL, 1)), &short(run(Service { scale: 2.0, ..USUAL }, 2)));
    assert!(comparison.figures.iter().all(|figure| figure.change == Change::Unknown), "{:?}", comparison.figures);
}

#[test]
fn a_histogram_that_can_not_be_read_is_told() {
    let broken = LoadReport { windows: vec!["no histogram".into()], ..run(USUAL, 1) };
    let comparison = compare(1, &broken, &run(USUAL, 2));
    assert!(comparison.problem.is_some_and(|problem| problem.contains("can't be read")));
    assert!(comparison.figures.is_empty());
}
