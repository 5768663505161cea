//! Figures and states in words.

use patchbay_contracts::{Timestamp, health::Status, run::Verdict};

use super::{Colour, Out};

/// Milliseconds with a unit that suits them.
pub(crate) fn ms(value: f64) -> String {
    match value {
        v if v >= 60_000.0 => format!("{:.1} min", v / 60_000.0),
        v if v >= 1000.0 => format!("{:.2} s", v / 1000.0),
        v if v >= 100.0 => format!("{v:.0} ms"),
        v if v >= 1.0 => format!("{v:.1} ms"),
        v => format!("{:.0} µs", v * 1000.0),
    }
}

/// Bytes with a unit that suits them.
pub(crate) fn bytes(value: u64) -> String {
    let value = value as f64;
    match value {
        v if v >= 1e9 => format!("{:.1} GB", v / 1e9),
        v if v >= 1e6 => format!("{:.1} MB", v / 1e6),
        v if v >= 1e4 => format!("{:.1} kB", v / 1e3),
        v => format!("{v:.0} B"),
    }
}

/// A fraction as a share.
pub(crate) fn share(value: f64) -> String {
    let text = format!("{:.2}", value * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// How long ago.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    match (now - at) / 1000 {
        s if s < 5 => "just now".to_owned(),
        s if s < 120 => format!("{s} s ago"),
        s if s < 7_200 => format!("{} min ago", s / 60),
        s if s < 172_800 => format!("{} h ago", s / 3600),
        s => format!("{} d ago", s / 86_400),
    }
}

pub(crate) fn status(out: &Out, status: Status) -> String {
    let (sign, colour) = match status {
        Status::Healthy => ("●", Colour::Green),
        Status::Degraded => ("◐", Colour::Yellow),
        Status::Down => ("✕", Colour::Red),
        Status::Unobserved => ("○", Colour::Dim),
    };
    out.paint(colour, &format!("{sign} {}", status.as_str()))
}

pub(crate) fn verdict(out: &Out, verdict: Verdict) -> String {
    let (sign, colour) = match verdict {
        Verdict::Pass => ("✓", Colour::Green),
        Verdict::Fail => ("✕", Colour::Red),
        Verdict::Inconclusive => ("?", Colour::Yellow),
    };
    out.paint(colour, &format!("{sign} {}", verdict.as_str()))
}
