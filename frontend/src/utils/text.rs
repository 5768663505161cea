//! Quantities, times and names as the page shows them.

use patchbay_contracts::Timestamp;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A duration in milliseconds, with the unit that leaves it between one and four digits: `0.42 ms`, `12.3 ms`, `1.24 s`,
/// `3 min 5 s`, `2 h 10 min`, `4 d 3 h`. What is no number shows as a dash.
pub fn duration(ms: f64) -> String {
    if !ms.is_finite() || ms < 0.0 {
        return "–".to_owned();
    }
    // The bounds lie where the next smaller unit would round up to them.
    match ms {
        ms if ms < 0.9995 => format!("{} µs", digits(ms * 1e3)),
        ms if ms < 999.5 => format!("{} ms", digits(ms)),
        ms if ms < 59_950.0 => format!("{} s", digits(ms / 1e3)),
        ms => {
            let seconds = (ms / 1e3).round() as i64;
            let (big, big_unit, small, small_unit) = match seconds {
                s if s < 3_600 => (s / 60, "min", s % 60, "s"),
                s if s < 86_400 => (s / 3_600, "h", s % 3_600 / 60, "min"),
                s => (s / 86_400, "d", s % 86_400 / 3_600, "h"),
            };
            if small == 0 { format!("{big} {big_unit}") } else { format!("{big} {big_unit} {small} {small_unit}") }
        }
    }
}

/// Three significant digits without zeros behind the point; whole numbers stay whole.
fn digits(value: f64) -> String {
    let decimals = match value {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A size in bytes, in binary units: `512 B`, `4.2 KiB`, `17 MiB`.
pub fn bytes(count: u64) -> String {
    if count < 1024 {
        return format!("{count} B");
    }
    let mut size = count as f64;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
        if size < 1023.5 {
            break;
        }
        size /= 1024.0;
        unit = next;
    }
    format!("{} {unit}", digits(size))
}

/// A count with its digits in groups of three, a narrow space between them: `1 204 332`.
pub fn count(value: u64) -> String {
    let plain = value.to_string();
    let mut text = String::with_capacity(plain.len() + plain.len() / 3 * 3);
    for (at, digit) in plain.chars().enumerate() {
        if at > 0 && (plain.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `1 check`, `2 checks`: a count and its noun, whose plural takes an `s`.
pub fn counted(value: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(value), if value == 1 { "" } else { "s" })
}

/// A share from 0 to 1 in per cent. All but all is never shown as all, and all but nothing never as nothing.
pub fn share(share: f64) -> String {
    if !share.is_finite() {
        return "–".to_owned();
    }
    let per_cent = share * 100.0;
    match per_cent {
        p if p <= 0.0 => "0 %".to_owned(),
        p if p >= 100.0 => "100 %".to_owned(),
        p if p < 0.01 => "< 0.01 %".to_owned(),
        p if p > 99.99 => "> 99.99 %".to_owned(),
        p => format!("{} %", format!("{p:.2}").trim_end_matches('0').trim_end_matches('.')),
    }
}

/// How far something has come, in whole per cent that reach 100 only at its end.
pub fn share_coarse(share: f64) -> String {
    format!("{} %", (share.clamp(0.0, 1.0) * 100.0).floor())
}

/// How long ago, or in how long, in words short enough for a table.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let passed = now.saturating_sub(at);
    // The page's clock moves in steps of some seconds, so what has just come in may seem to lie ahead.
    if (-10 * SECOND..5 * SECOND).contains(&passed) {
        return "just now".to_owned();
    }
    let far = passed.saturating_abs();
    let text = match far {
        t if t < MINUTE => format!("{} s", t / SECOND),
        t if t < HOUR => format!("{} min", t / MINUTE),
        t if t < DAY => format!("{} h", t / HOUR),
        t if t < 60 * DAY => format!("{} d", t / DAY),
        t => format!("{} months", t / (30 * DAY)),
    };
    if passed >= 0 { format!("{text} ago") } else { format!("in {text}") }
}

/// The exact time, `offset` minutes ahead of UTC: `2026-03-07 14:05:09.120 +01:00`.
pub fn exact(at: Timestamp, offset: i32) -> String {
    let local = at.saturating_add(i64::from(offset) * MINUTE);
    let (year, month, day) = civil(local.div_euclid(DAY));
    let rest = local.rem_euclid(DAY);
    let (hours, minutes, seconds, millis) = (rest / HOUR, rest % HOUR / MINUTE, rest % MINUTE / SECOND, rest % SECOND);
    let sign = if offset < 0 { '-' } else { '+' };
    let (ahead_h, ahead_m) = (offset.abs() / 60, offset.abs() % 60);
    format!("{year:04}-{month:02}-{day:02} {hours:02}:{minutes:02}:{seconds:02}.{millis:03} {sign}{ahead_h:02}:{ahead_m:02}")
}

/// The time of day, `14:05:09`, `offset` minutes ahead of UTC.
pub fn clock_time(at: Timestamp, offset: i32) -> String {
    exact(at, offset).get(11..19).unwrap_or_default().to_owned()
}

/// The day, `2026-03-07`, in UTC, so many days later.
pub fn day(at: Timestamp, later: i64) -> String {
    exact(at.saturating_add(later.saturating_mul(DAY)), 0).get(..10).unwrap_or_default().to_owned()
}

/// Whether a text is a day of the calendar, such as `2026-03-07`.
pub fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let number = |part: &str, digits: usize| {
        let plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse::<u32>().ok()).flatten()
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else { return false };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Year, month and day of a day counted from 1970-01-01, after Howard Hinnant's `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// `text` in at most `limit` characters, with an ellipsis in the middle of what is cut: both ends of a long name tell
/// it from its neighbours, the middle rarely does.
pub fn middle_cut(text: &str, limit: usize) -> String {
    let length = text.chars().count();
    if length <= limit {
        return text.to_owned();
    }
    let kept = limit.saturating_sub(1);
    let head = kept.div_ceil(2);
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(length - (kept - head)).collect();
    format!("{start}…{end}")
}
