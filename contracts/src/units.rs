//! Quantities as people write them: `30s`, `100/min`, `99.9%`.

use std::{fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A quantity that can't be read; the text says what would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadQuantity(pub String);

impl fmt::Display for BadQuantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadQuantity {}

/// A duration written with its unit: `500ms`, `30s`, `1m30s`, `2h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

const SPAN_UNITS: [(&str, f64); 7] =
    [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

impl Span {
    /// So many milliseconds.
    pub const fn millis(ms: u64) -> Self {
        Self(Duration::from_millis(ms))
    }

    /// So many seconds.
    pub const fn secs(s: u64) -> Self {
        Self(Duration::from_secs(s))
    }

    /// Milliseconds, with fractions.
    pub fn as_ms(self) -> f64 {
        self.0.as_secs_f64() * 1e3
    }
}

impl FromStr for Span {
    type Err = BadQuantity;

    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        let bad =
            || BadQuantity(format!("`{text}` is not a duration; write a number with a unit, such as 500ms, 30s, 5m, 2h or 7d"));
        let mut rest = text.trim();
        if rest.is_empty() || rest.len() > 64 {
            return Err(bad());
        }
        if rest == "0" {
            return Ok(Self(Duration::ZERO));
        }
        let mut total = 0.0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(bad)?;
            let number: f64 = rest[..digits].parse().map_err(|_| bad())?;
            rest = &rest[digits..];
            let letters = rest.find(|c: char| c.is_ascii_digit() || c == '.' || c == ' ').unwrap_or(rest.len());
            let seconds = match &rest[..letters] {
                "d" => 86_400.0,
                "min" => 60.0,
                unit => SPAN_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(bad)?.1,
            };
            total += number * seconds;
            rest = rest[letters..].trim_start();
        }
        Duration::try_from_secs_f64(total).map(Self).map_err(|_| bad())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        for (size, unit) in [
            (86_400_000_000_000, "d"),
            (3_600_000_000_000, "h"),
            (60_000_000_000, "m"),
            (1_000_000_000, "s"),
            (1_000_000, "ms"),
            (1_000, "us"),
        ] {
            if nanos >= size && nanos.is_multiple_of(size) {
                return write!(f, "{}{unit}", nanos / size);
            }
        }
        match nanos {
            0 => f.write_str("0s"),
            n if n > 1_000_000_000 => write!(f, "{}s", self.0.as_secs_f64()),
            n if n > 1_000_000 => write!(f, "{}ms", n as f64 / 1e6),
            n => write!(f, "{n}ns"),
        }
    }
}

/// A rate written as a count over a time: `200/s`, `100/min`, `5000/h`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// How many in the time.
    pub count: f64,
    /// The time.
    pub per: Duration,
}

impl Rate {
    /// So many a second.
    pub fn per_second(count: f64) -> Self {
        Self { count, per: Duration::from_secs(1) }
    }

    /// The same rate in events a second.
    pub fn hertz(self) -> f64 {
        self.count / self.per.as_secs_f64()
    }
}

const RATE_UNITS: [(&str, u64); 10] = [
    ("s", 1),
    ("sec", 1),
    ("second", 1),
    ("m", 60),
    ("min", 60),
    ("minute", 60),
    ("h", 3600),
    ("hour", 3600),
    ("d", 86_400),
    ("day", 86_400),
];

impl FromStr for Rate {
    type Err = BadQuantity;

    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        let bad = || BadQuantity(format!("`{text}` is not a rate; write a count over a time, such as 200/s, 100/min or 5000/h"));
        let (count, unit) = text.split_once('/').unwrap_or((text, "s"));
        let count: f64 = count.trim().parse().map_err(|_| bad())?;
        let seconds = RATE_UNITS.iter().find(|(name, _)| *name == unit.trim()).ok_or_else(bad)?.1;
        if !count.is_finite() || count < 0.0 {
            return Err(bad());
        }
        Ok(Self { count, per: Duration::from_secs(seconds) })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per.as_secs() {
            60 => "min",
            3600 => "h",
            86_400 => "d",
            _ => "s",
        };
        write!(f, "{}/{unit}", self.count)
    }
}

/// A share written in per cent: `99.9%`. Held as a fraction from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(pub f64);

impl FromStr for Share {
    type Err = BadQuantity;

    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        let bad = || BadQuantity(format!("`{text}` is not a share; write it in per cent, such as 99.9% or 0.1%"));
        let number = text.trim().strip_suffix('%').ok_or_else(bad)?;
        let per_cent: f64 = number.trim().parse().map_err(|_| bad())?;
        if !(0.0..=100.0).contains(&per_cent) {
            return Err(bad());
        }
        Ok(Self(per_cent / 100.0))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Six decimals hide what the division by a hundred left behind, and no SLO needs more.
        let text = format!("{:.6}", self.0 * 100.0);
        write!(f, "{}%", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Text from and to serde, and a JSON Schema with a pattern and an example, for a type that is written as a string.
macro_rules! written_as_text {
    ($type:ident, $pattern:literal, $description:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "description": $description })
            }
        }
    };
}

written_as_text!(
    Span,
    r"^\s*(0|([0-9.]+(ns|us|µs|ms|s|m|min|h|d)\s*)+)\s*$",
    "A duration with its unit, such as 500ms, 30s, 1m30s or 2h"
);
written_as_text!(
    Rate,
    r"^\s*[0-9.]+\s*/\s*(s|sec|second|m|min|minute|h|hour|d|day)\s*$",
    "A count over a time, such as 200/s or 100/min"
);
written_as_text!(Share, r"^\s*[0-9.]+\s*%\s*$", "A share in per cent, such as 99.9%");
