//! Where the ticks of an axis of values go.

use super::unit::{Unit, on_axis};

/// An axis of values: where it begins and ends, and its ticks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub low: f64,
    pub high: f64,
    pub ticks: Vec<(f64, String)>,
}

/// The smallest of 1, 2, 2.5 and 5 times a power of ten that is no less than `least`.
pub(super) fn nice_step(least: f64) -> f64 {
    if !(least.is_finite() && least > 0.0) {
        return 1.0;
    }
    let power = 10f64.powf(least.log10().floor());
    let power = if power > 0.0 { power } else { f64::MIN_POSITIVE };
    [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| *step >= least * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

/// Steps of minutes and hours go by the clock and not by tens.
fn step_for(suffix: &str, least: f64) -> f64 {
    let ladder: &[f64] = match suffix {
        " min" | " h" => &[1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0],
        _ if suffix.contains("iB") => &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0],
        _ => &[],
    };
    ladder.iter().copied().find(|step| least > 0.5 && *step >= least).unwrap_or_else(|| nice_step(least))
}

/// An axis over `low..=high` with about `wanted` ticks, its ends on ticks.
pub(super) fn axis(low: f64, high: f64, from_zero: bool, wanted: usize, unit: &Unit) -> Axis {
    // Below this the arithmetic of steps runs out of digits, and nothing measured is that small.
    let sound = |value: f64| if value.abs() < 1e-290 { 0.0 } else { value };
    let (mut low, mut high) = (sound(low.min(high)), sound(low.max(high)));
    if from_zero {
        (low, high) = (low.min(0.0), high.max(0.0));
    }
    if low == high {
        // A level line stands in the middle of its chart, and nothing at all on its floor.
        let pad = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
        (low, high) = if from_zero && low == 0.0 { (0.0, 1.0) } else { (low - pad, high + pad) };
    }
    let scaled = unit.scaled(low.abs().max(high.abs()));
    let divisor = scaled.divisor;
    let step = step_for(&scaled.suffix, (high - low) / divisor / wanted.max(1) as f64);
    let first = (low / divisor / step + 1e-9).floor();
    let last = (high / divisor / step - 1e-9).ceil();
    let count = (last - first).clamp(1.0, 100.0) as u32;
    let ticks = (0..=count)
        .map(|i| {
            let number = (first + f64::from(i)) * step;
            let label = on_axis(number, step);
            // A bare zero needs no unit and reads faster.
            let label = if label == "0" { label } else { format!("{label}{}", scaled.suffix) };
            (number * divisor, label)
        })
        .collect();
    Axis { low: first * step * divisor, high: last * step * divisor, ticks }
}

/// Ticks of a logarithmic axis at 1, 2 and 5 times the powers of ten, as many of them as have `room` (a share of the
/// axis's length) to themselves.
pub(super) fn logarithmic(low: f64, high: f64, room: f64, unit: &Unit) -> Vec<(f64, String)> {
    let length = (high / low).log10();
    if !(length.is_finite() && length > 0.0) {
        return Vec::new();
    }
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let all = |digits: &[f64]| -> Vec<f64> {
        (first..=last)
            .flat_map(|power| digits.iter().map(move |digit| digit * 10f64.powi(power)))
            .filter(|value| *value >= low * (1.0 - 1e-9) && *value <= high * (1.0 + 1e-9))
            .collect()
    };
    let fits = |values: &[f64]| values.windows(2).all(|pair| (pair[1] / pair[0]).log10() / length >= room);
    let values =
        [&[1.0, 2.0, 5.0][..], &[1.0, 3.0], &[1.0]].into_iter().map(all).find(|values| fits(values)).unwrap_or_else(|| {
            let powers = all(&[1.0]);
            let every = (room * length).ceil().max(1.0) as usize;
            powers.into_iter().step_by(every).collect()
        });
    values.into_iter().map(|value| (value, unit.show(value))).collect()
}
