//! Whether two runs differ by more than chance.
//!
//! Each figure is tested by itself. For a quantile the two histograms are put together, and the test asks whether the share
//! of latencies above the quantile of both is the same in each; so the whole histograms count, and not only two numbers made
//! from them. Latencies of one moment resemble each other, so the shares are compared by how they vary from one stretch of
//! the run to the next, not as if each latency were drawn by itself: Welch's t-test on the stretches of each run, whose
//! spread is taken to be no smaller than that of independent draws. Holm's correction makes the level one for all figures
//! together: in a hundred pairs of runs of the same service, one shows a difference where there is none.

use hdrhistogram::Histogram;
use patchbay_contracts::{
    Problem,
    load::{Change, ComparedFigure, Comparison, LoadReport},
};

use crate::hdr;

/// How often a difference is seen where there is none, for all figures together.
pub const LEVEL: f64 = 0.01;
/// Fewer stretches say nothing of how they vary.
const FEWEST: usize = 5;
/// A quantile needs so many latencies above it, in both runs together, for its share to be compared.
const FEWEST_ABOVE: f64 = 20.0;

/// The quantiles that are compared.
const QUANTILES: [(&str, f64); 5] = [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999)];

/// Compares a run with one before, of that number.
pub fn compare(number: i64, before: &LoadReport, now: &LoadReport) -> Comparison {
    let test =
        format!("Welch's t-test on the stretches of both runs, at a level of {}% for all figures together (Holm)", LEVEL * 100.0);
    let mut comparison = Comparison { baseline: number, test, ..Comparison::default() };
    match figures(before, now) {
        Ok(figures) => comparison.figures = figures,
        Err(problem) => comparison.problem = Some(problem.to_string()),
    }
    comparison
}

fn figures(before: &LoadReport, now: &LoadReport) -> Result<Vec<ComparedFigure>, Problem> {
    let windows = |report: &LoadReport| report.windows.iter().map(|text| hdr::read(text)).collect::<Result<Vec<_>, _>>();
    let (first, second) = (windows(before)?, windows(now)?);
    let mut figures = Vec::new();
    if let Some(all) = pooled(&first, &second)? {
        for (name, quantile) in QUANTILES {
            let limit = all.value_at_quantile(quantile);
            let sides = [&first, &second].map(|windows| windows.iter().map(|window| above(window, limit)).collect::<Vec<_>>());
            let enough = all.len() as f64 * (1.0 - quantile) >= FEWEST_ABOVE;
            let at = |windows: &[Histogram<u64>]| Ok::<_, Problem>(quantile_of(windows, quantile)?.unwrap_or_default());
            let p_value = if enough { shares(&sides[0], &sides[1]) } else { None };
            figures.push(figure(name, at(&first)?, at(&second)?, p_value, false));
        }
    }
    let errors =
        |report: &LoadReport| whole_seconds(report).map(|(answered, failed)| (answered + failed, failed)).collect::<Vec<_>>();
    let p_value = shares(&errors(before), &errors(now));
    figures.push(figure("errors", before.totals.error_share, now.totals.error_share, p_value, false));
    let rates = |report: &LoadReport| whole_seconds(report).map(|(answered, _)| answered).collect::<Vec<_>>();
    let p_value = means(&rates(before), &rates(now));
    figures.push(figure("rate", before.totals.rate, now.totals.rate, p_value, true));
    decide(&mut figures);
    Ok(figures)
}

fn figure(name: &str, before: f64, now: f64, p_value: Option<f64>, more_is_better: bool) -> ComparedFigure {
    let change = match p_value {
        None => Change::Unknown,
        Some(_) if before == now => Change::Same,
        Some(_) if (now > before) == more_is_better => Change::Better,
        Some(_) => Change::Worse,
    };
    ComparedFigure { name: name.to_owned(), before, now, p_value: p_value.unwrap_or(1.0), change }
}

/// Holm's correction: the smallest of n values is held to a level of 1/n, the next one to 1/(n-1), and so on until one of
/// them is above its level.
fn decide(figures: &mut [ComparedFigure]) {
    let mut order: Vec<usize> = (0..figures.len()).filter(|&place| figures[place].change != Change::Unknown).collect();
    order.sort_by(|&a, &b| figures[a].p_value.total_cmp(&figures[b].p_value));
    let mut holds = true;
    for (rank, place) in order.iter().enumerate() {
        holds &= figures[*place].p_value < LEVEL / (order.len() - rank) as f64;
        if !holds {
            figures[*place].change = Change::Same;
        }
    }
}

/// Answers without a failure, and failures, of each whole second that was measured.
fn whole_seconds(report: &LoadReport) -> impl Iterator<Item = (f64, f64)> {
    let last = report.timeline.len().saturating_sub(1);
    let whole = report.timeline.iter().take(last).filter(|slice| !slice.warm_up);
    whole.map(|slice| {
        let failed = slice.failed as f64;
        ((slice.answered as f64 - failed).max(0.0), failed)
    })
}

fn pooled(first: &[Histogram<u64>], second: &[Histogram<u64>]) -> Result<Option<Histogram<u64>>, Problem> {
    let mut all = first.iter().chain(second);
    let Some(one) = all.next() else { return Ok(None) };
    let mut sum = one.clone();
    // A run with another time-out has another range.
    sum.auto(true);
    all.try_for_each(|window| sum.add(window)).map_err(Problem::internal)?;
    Ok(Some(sum).filter(|sum| !sum.is_empty()))
}

fn quantile_of(windows: &[Histogram<u64>], quantile: f64) -> Result<Option<f64>, Problem> {
    Ok(pooled(windows, &[])?.map(|sum| sum.value_at_quantile(quantile) as f64 / 1e6))
}

/// How many latencies a stretch has, and how many of them are above a limit.
fn above(window: &Histogram<u64>, limit: u64) -> (f64, f64) {
    let all = window.len();
    (all as f64, (all - window.count_between(0, limit)) as f64)
}

/// A mean with its variance, and the degrees of freedom of that.
struct Estimate {
    mean: f64,
    variance: f64,
    freedom: f64,
}

/// How likely two sets of stretches, each with a count of all and of those that are meant, differ as much by chance;
/// nothing where there are too few.
fn shares(first: &[(f64, f64)], second: &[(f64, f64)]) -> Option<f64> {
    let common = {
        let (all, meant) = first.iter().chain(second).fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        if all > 0.0 { meant / all } else { return None }
    };
    let estimate = |stretches: &[(f64, f64)]| {
        let used: Vec<_> = stretches.iter().filter(|(all, _)| *all > 0.0).collect();
        if used.len() < FEWEST {
            return None;
        }
        let all: f64 = used.iter().map(|(all, _)| all).sum();
        let mean = used.iter().map(|(_, meant)| meant).sum::<f64>() / all;
        // The variance of a ratio of sums, from how the stretches scatter around it.
        let scatter: f64 = used.iter().map(|(all, meant)| (meant - mean * all).powi(2)).sum();
        let count = used.len() as f64;
        let variance = (scatter / (all * all) * count / (count - 1.0)).max(common * (1.0 - common) / all);
        Some(Estimate { mean, variance, freedom: count - 1.0 })
    };
    Some(welch(&estimate(first)?, &estimate(second)?))
}

/// The same for figures that each stretch has one of.
fn means(first: &[f64], second: &[f64]) -> Option<f64> {
    let estimate = |values: &[f64]| {
        if values.len() < FEWEST {
            return None;
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0) / count;
        Some(Estimate { mean, variance, freedom: count - 1.0 })
    };
    Some(welch(&estimate(first)?, &estimate(second)?))
}

/// Welch's t-test, for both sides.
fn welch(first: &Estimate, second: &Estimate) -> f64 {
    let variance = first.variance + second.variance;
    let difference = (first.mean - second.mean).abs();
    if variance <= 0.0 {
        return if difference > 0.0 { 0.0 } else { 1.0 };
    }
    let part = |estimate: &Estimate| estimate.variance.powi(2) / estimate.freedom;
    let freedom = variance.powi(2) / (part(first) + part(second)).max(f64::MIN_POSITIVE);
    let t = difference / variance.sqrt();
    incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5)
}

/// The regularised incomplete beta function, by its continued fraction (DLMF 8.17.22).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast on one side of the mean, and the other follows by symmetry.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp() / a;
    let safe = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut c, mut d) = (1.0, 1.0 / safe(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..500 {
        let m = f64::from(m);
        for factor in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / safe(1.0 + factor * d);
            c = safe(1.0 + factor / c);
            fraction *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-14 {
            break;
        }
    }
    front * fraction
}

/// The logarithm of the gamma function, by Stirling's series (DLMF 5.11.1) where it is good enough.
fn ln_gamma(x: f64) -> f64 {
    if x < 12.0 {
        return ln_gamma(x + 1.0) - x.ln();
    }
    let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5)) - 1.0 / (1680.0 * x.powi(7));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}
