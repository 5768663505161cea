//! Units of a chart's values, and values as a person reads them.

/// What the values of a chart are measured in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Unit {
    /// A bare number.
    #[default]
    Count,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Events a second.
    PerSecond,
    /// Bytes a second.
    BytesPerSecond,
    /// A share from 0 to 1, shown in per cent.
    Share,
    /// Per cent, from 0 to 100.
    Percent,
    /// Any other, written after the number.
    Other(String),
}

/// A factor and a suffix that suit a magnitude: 1 500 ms are 1.5 of `s`.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaled {
    /// What a value is divided by.
    pub divisor: f64,
    /// What stands after the number, a space included where one belongs there.
    pub suffix: String,
}

/// Upper ends in milliseconds, exclusive, and the unit that suits below it.
const TIMES: [(f64, f64, &str); 7] = [
    (1e-3, 1e-6, " ns"),
    (1.0, 1e-3, " µs"),
    (1e3, 1.0, " ms"),
    (120e3, 1e3, " s"),
    (7200e3, 60e3, " min"),
    (172_800e3, 3600e3, " h"),
    (f64::INFINITY, 86_400e3, " d"),
];

const BYTES: [&str; 6] = [" B", " KiB", " MiB", " GiB", " TiB", " PiB"];

/// Counts keep all their digits up to here.
const WHOLE: f64 = 10_000.0;

impl Unit {
    /// The unit by the name that it has in a [`Line`](crate::metrics::Line) or in OpenMetrics' `# UNIT`.
    pub fn named(name: &str) -> Self {
        match name.trim() {
            "" => Self::Count,
            "ms" | "milliseconds" => Self::Milliseconds,
            "s" | "seconds" => Self::Seconds,
            "bytes" | "B" => Self::Bytes,
            "/s" => Self::PerSecond,
            "bytes/s" | "B/s" => Self::BytesPerSecond,
            "ratio" => Self::Share,
            "%" | "percent" => Self::Percent,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Whether an axis of it starts at zero, since a part of the height would lie about the proportion.
    pub const fn starts_at_zero(&self) -> bool {
        !matches!(self, Self::Count | Self::Other(_))
    }

    /// What suits values up to `magnitude`.
    pub fn scaled(&self, magnitude: f64) -> Scaled {
        let magnitude = if magnitude.is_finite() { magnitude.abs() } else { 0.0 };
        let (divisor, suffix) = match self {
            Self::Count => counts(magnitude, ""),
            Self::PerSecond => counts(magnitude, "/s"),
            Self::Other(unit) if unit.starts_with('/') => counts(magnitude, unit),
            Self::Other(unit) => counts(magnitude, &format!(" {unit}")),
            Self::Milliseconds => times(magnitude),
            Self::Seconds => {
                let (divisor, suffix) = times(magnitude * 1e3);
                (divisor / 1e3, suffix)
            }
            Self::Bytes => bytes(magnitude, ""),
            Self::BytesPerSecond => bytes(magnitude, "/s"),
            Self::Share => (0.01, "%".to_owned()),
            Self::Percent => (1.0, "%".to_owned()),
        };
        Scaled { divisor, suffix }
    }

    /// One value with its unit, to three significant digits and no digit before the point lost: `12.3 ms`, `1.5 MiB`,
    /// `120/s`, `99.95%`. NaN and the infinities are written as Prometheus writes them.
    pub fn show(&self, value: f64) -> String {
        if !value.is_finite() {
            return if value.is_nan() {
                "NaN".to_owned()
            } else if value > 0.0 {
                "+Inf".to_owned()
            } else {
                "-Inf".to_owned()
            };
        }
        let scaled = self.scaled(value);
        let number = value / scaled.divisor;
        // Shares near 100% carry their meaning in the digits after the point.
        let extra = usize::from(matches!(self, Self::Share | Self::Percent));
        format!("{}{}", significant(number, 3 + extra), scaled.suffix)
    }
}

fn counts(magnitude: f64, unit: &str) -> (f64, String) {
    let (divisor, letter) = match magnitude {
        m if m < WHOLE => (1.0, ""),
        m if m < 1e6 => (1e3, "k"),
        m if m < 1e9 => (1e6, "M"),
        m if m < 1e12 => (1e9, "G"),
        m if m < 1e15 => (1e12, "T"),
        _ => (1.0, ""),
    };
    (divisor, format!("{letter}{unit}"))
}

fn times(ms: f64) -> (f64, String) {
    if ms == 0.0 {
        return (1.0, " ms".to_owned());
    }
    let (_, divisor, suffix) = TIMES.into_iter().find(|(end, ..)| ms < *end).unwrap_or(TIMES[TIMES.len() - 1]);
    (divisor, suffix.to_owned())
}

fn bytes(magnitude: f64, per: &str) -> (f64, String) {
    let mut divisor = 1.0;
    let mut name = BYTES[0];
    for next in &BYTES[1..] {
        if magnitude < divisor * 1024.0 {
            break;
        }
        divisor *= 1024.0;
        name = next;
    }
    (divisor, format!("{name}{per}"))
}

/// A number to so many significant digits, trailing zeros left out; beyond 10¹⁵ with an exponent.
pub(super) fn significant(number: f64, digits: usize) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let exponent = number.abs().log10().floor();
    if !(-6.0..15.0).contains(&exponent) {
        let text = format!("{number:.*e}", digits.saturating_sub(1));
        return match text.split_once('e') {
            Some((mantissa, exponent)) => format!("{}e{exponent}", trimmed(mantissa.to_owned())),
            None => text,
        };
    }
    let decimals = (digits as f64 - 1.0 - exponent).max(0.0) as usize;
    trimmed(format!("{number:.decimals$}"))
}

fn trimmed(text: String) -> String {
    if !text.contains('.') {
        return text;
    }
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// A number of an axis whose ticks are `step` apart, both already divided by the axis's divisor.
pub(super) fn on_axis(number: f64, step: f64) -> String {
    if number.abs() >= 1e15 {
        return significant(number, 3);
    }
    let mut decimals = 0;
    let mut scaled = step;
    // As many decimals as the step itself has: 0.25 needs two.
    while decimals < 12 && (scaled - scaled.round()).abs() > 1e-6 * scaled.abs().max(1e-12) {
        scaled *= 10.0;
        decimals += 1;
    }
    let text = format!("{number:.decimals$}");
    if text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.') { "0".to_owned() } else { text }
}
