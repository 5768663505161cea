//! What lines are called, and the unit of their values.

use std::collections::BTreeSet;

/// Labels of a series.
pub type Labels = Vec<(String, String)>;

/// For each label set, those labels in which the sets differ: `code=200, method=GET`. Empty where nothing differs.
pub fn differences(sets: &[Labels]) -> Vec<String> {
    fn value<'a>(set: &'a Labels, name: &str) -> Option<&'a str> {
        set.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_str())
    }
    let names: BTreeSet<&str> = sets.iter().flatten().map(|(name, _)| name.as_str()).collect();
    let differing: Vec<&str> =
        names.into_iter().filter(|name| sets.windows(2).any(|pair| value(&pair[0], name) != value(&pair[1], name))).collect();
    sets.iter()
        .map(|set| {
            let named = differing.iter().filter_map(|name| value(set, name).map(|value| format!("{name}={value}")));
            named.collect::<Vec<_>>().join(", ")
        })
        .collect()
}

/// The unit that a metric's name ends with, by the base units of
/// <https://prometheus.io/docs/practices/naming/#base-units> and their common relatives.
pub fn unit(name: &str) -> &'static str {
    let name =
        ["_total", "_sum", "_created", "_max", "_min"].iter().fold(name, |name, end| name.strip_suffix(end).unwrap_or(name));
    match name.rsplit('_').next().unwrap_or_default() {
        "seconds" => "s",
        "milliseconds" => "ms",
        "microseconds" => "µs",
        "nanoseconds" => "ns",
        "bytes" => "bytes",
        "celsius" => "°C",
        "volts" => "V",
        "amperes" => "A",
        "joules" => "J",
        "grams" => "g",
        "meters" => "m",
        "hertz" => "Hz",
        "percent" => "%",
        _ => "",
    }
}

/// The unit of a rate: `bytes/s`, or `/s` for a count.
pub fn rate_unit(name: &str) -> String {
    format!("{}/s", unit(name))
}
