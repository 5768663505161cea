//! Expositions of metrics: the shared samples, and ones made by chance together with what they mean.

use std::{fmt::Write as _, path::PathBuf};

use patchbay_contracts::metrics::Sample;
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// The folder of sample files that are not part of the repository, if it is on this machine: `PATCHBAY_SAMPLES`, or
/// `../shared/samples` beside the repository. A test that needs it says so where it is missing.
pub fn samples() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples");
    let beside_root = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples");
    let folder = std::env::var_os("PATCHBAY_SAMPLES").map(PathBuf::from);
    let found = folder.into_iter().chain([beside_root(), beside()]).find(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("left out: the sample files are neither at PATCHBAY_SAMPLES nor at ../shared/samples");
    }
    found
}

/// An exposition in the text format, and the samples that it was made from, in order.
pub struct Exposition {
    /// The text.
    pub text: String,
    /// What it says.
    pub samples: Vec<Sample>,
}

/// Makes an exposition by chance: plain lines, and all that is allowed beside them. The same for the same seed.
pub fn exposition(seed: u64, lines: usize) -> Exposition {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut made = Exposition { text: String::new(), samples: Vec::new() };
    for line in 0..lines {
        if dice.random_bool(0.1) {
            made.text.push_str(["\n", "# a comment\n", "  \t\n", "#TYPE is a comment too\n"][dice.random_range(0..4)]);
        }
        let (odd_values, odd_blanks) = (dice.random_bool(0.5), dice.random_bool(0.5));
        let sample = sample(&mut dice, line, odd_values);
        render(&mut dice, &mut made.text, &sample, odd_blanks);
        made.samples.push(sample);
    }
    made
}

fn sample(dice: &mut StdRng, line: usize, odd: bool) -> Sample {
    let names: &[&str] = if odd { &["job:rate5m", ":x", "a.b", "größe", "with space", "_"] } else { &["up", "a_total", "_x9"] };
    let values: &[&str] = if odd {
        &["", "a,b", "a=b", "}", "{", "\"", "\\", "line\nbreak", " # ", "ü€", "C:\\DIR\\", "\\n", "x\\"]
    } else {
        &["", "GET", "a b", "ü€", "{", "#", "/v1/{", " "]
    };
    let labels = (0..dice.random_range(0..4))
        .map(|i| (format!("{}{i}", ["l", "le", "_", "quantile"][i]), values[dice.random_range(0..values.len())].to_owned()))
        .chain([("line".to_owned(), line.to_string())])
        .collect();
    let numbers = [0.0, 1.0, -1.5, 1e300, 4.059092e6, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 5e-324, 0.1];
    Sample {
        name: names[dice.random_range(0..names.len())].to_owned(),
        labels,
        value: numbers[dice.random_range(0..numbers.len())],
        timestamp: dice.random_bool(0.3).then(|| dice.random_range(-4_000_000_000_000..4_000_000_000_000)),
        exemplar: None,
    }
}

fn render(dice: &mut StdRng, text: &mut String, sample: &Sample, odd: bool) {
    let blank = |dice: &mut StdRng| if odd { ["", " ", "\t", "  "][dice.random_range(0..4)] } else { "" };
    let gap = |dice: &mut StdRng| if odd { [" ", "\t", "  "][dice.random_range(0..3)] } else { " " };
    let needs_quotes = sample.name.contains([' ', '.']) || !sample.name.is_ascii();
    text.push_str(blank(dice));
    if needs_quotes {
        let _ = write!(text, "{{{}\"{}\"", blank(dice), sample.name);
    } else {
        let _ = write!(text, "{}{}{{", sample.name, blank(dice));
    }
    for (i, (name, value)) in sample.labels.iter().enumerate() {
        if i > 0 || needs_quotes {
            let _ = write!(text, "{},{}", blank(dice), blank(dice));
        }
        let escaped = value.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"");
        let _ = write!(text, "{name}{}={}\"{escaped}\"", blank(dice), blank(dice));
    }
    let comma = odd && dice.random_bool(0.2);
    let _ = write!(text, "{}}}{}{}", if comma { "," } else { "" }, gap(dice), number(sample.value));
    if let Some(timestamp) = sample.timestamp {
        let _ = write!(text, "{}{timestamp}", gap(dice));
    }
    text.push_str(blank(dice));
    text.push('\n');
}

/// A number as Go writes it.
fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        format!("{value:e}")
    }
}
