//! Prometheus text format 0.0.4.

use std::collections::HashSet;

use patchbay_contracts::metrics::{MetricKind, Sample};

use super::{
    MAX_SAMPLES, Native,
    document::{Document, Line, series_mark},
    line::{self, Dialect, Unread},
    plain,
};

/// Reads a document in the text format.
pub(super) fn read(document: &mut Document<'_>, bytes: &[u8]) {
    let lines: Vec<Line<'_>> = document
        .lines(bytes)
        .into_iter()
        .map(|line| Line { text: line.text.strip_suffix('\r').unwrap_or(line.text), ..line })
        .collect();
    // One more than there is room for, so that a document of exactly as many is whole.
    let plain: Vec<&str> =
        lines.iter().map(|line| line.text).filter(|text| plain::is_plain(text)).take(MAX_SAMPLES + 1).collect();
    let by_crate = plain::read(&plain);
    let crate_reads = by_crate.is_some();
    let mut by_crate = by_crate.unwrap_or_default().into_iter();
    let mut seen = HashSet::new();
    let mut state = Declared::default();
    for (i, line) in lines.iter().enumerate() {
        let text = line.text.trim_start_matches([' ', '\t']);
        if text.is_empty() {
            continue;
        }
        if text.starts_with('#') {
            comment(document, &mut state, *line);
            continue;
        }
        if !document.has_room(*line, lines.len() - i) {
            return;
        }
        let of_crate = if crate_reads && plain::is_plain(line.text) { by_crate.next() } else { None };
        let by_us = || line::read(Dialect::Text, line.text).map(|read| (read.sample, read.native));
        let (sample, native) = match of_crate.map_or_else(by_us, |sample| Ok((sample, None))) {
            Ok(read) => read,
            Err(unread) => {
                document.wrong(*line, unread);
                continue;
            }
        };
        if !seen.insert(series_mark(&sample.name, &sample.labels)) {
            let what = format!("`{}` is exposed twice with the same labels; both samples are shown", sample.name);
            document.wrong_line(line.number, what);
        }
        match native {
            Some(native) => place_native(document, &native, &sample, *line),
            None => place(document, sample, *line),
        }
    }
}

/// Which families had their lines of metadata.
#[derive(Default)]
struct Declared {
    help: HashSet<usize>,
    kind: HashSet<usize>,
    unit: HashSet<usize>,
}

/// A line that begins with `#`: metadata, or a comment for people.
fn comment(document: &mut Document<'_>, declared: &mut Declared, line: Line<'_>) {
    let text = line.text;
    let mut at = text.find('#').map_or(0, |at| at + 1);
    let skip = |at: usize| at + text[at..].len() - text[at..].trim_start_matches([' ', '\t']).len();
    let word_from = skip(at);
    // `#TYPE` without a blank is a comment, to Prometheus as well.
    if word_from == at {
        return;
    }
    let word = text[word_from..].split([' ', '\t']).next().unwrap_or_default();
    if !matches!(word, "HELP" | "TYPE" | "UNIT") {
        return;
    }
    at = skip(word_from + word.len());
    let (name, after) = match line::metadata_name(Dialect::Text, text, at) {
        Ok(read) => read,
        Err(unread) => return document.wrong(line, unread),
    };
    let from = skip(after);
    let rest = &text[from..];
    let Some(family) = document.family(&name, line) else { return };
    let again = match word {
        "HELP" => !declared.help.insert(family),
        "TYPE" => !declared.kind.insert(family),
        _ => !declared.unit.insert(family),
    };
    if again {
        return document.wrong(line, Unread::new(word_from, format!("`{name}` has a second {word} line; the first counts")));
    }
    match word {
        "HELP" => document.families[family].help = line::unescape(rest, false),
        "UNIT" => document.families[family].unit = rest.trim_end().to_owned(),
        _ => {
            if !document.families[family].samples.is_empty() {
                document.wrong(line, Unread::new(word_from, format!("The type of `{name}` stands after its samples")));
            }
            match kind(rest.trim_end()) {
                Some(kind) => document.families[family].kind = kind,
                None => {
                    let what = format!("`{}` is not a type of metric; `{name}` is taken as untyped", rest.trim_end());
                    document.wrong(line, Unread::new(from, what));
                }
            }
        }
    }
}

/// The types of the text format, and those of OpenMetrics, which some services write here as well.
fn kind(word: &str) -> Option<MetricKind> {
    Some(match word {
        "counter" => MetricKind::Counter,
        "gauge" => MetricKind::Gauge,
        "histogram" => MetricKind::Histogram,
        "summary" => MetricKind::Summary,
        "untyped" | "unknown" => MetricKind::Untyped,
        "gaugehistogram" => MetricKind::GaugeHistogram,
        "info" => MetricKind::Info,
        "stateset" => MetricKind::StateSet,
        _ => return None,
    })
}

/// Puts a sample into its family: the one of its own name, or the one whose kind adds this suffix, or a new one.
fn place(document: &mut Document<'_>, sample: Sample, line: Line<'_>) {
    let with_suffix = || {
        let at = sample.name.rfind('_')?;
        let family = document.find(&sample.name[..at])?;
        super::rules::suffixes(document.families[family].kind).contains(&&sample.name[at..]).then_some(family)
    };
    let family = document.find(&sample.name).or_else(with_suffix);
    if let Some(family) = family.or_else(|| document.family(&sample.name, line)) {
        document.push(family, sample);
    }
}

/// Puts a native histogram into the family of its name as the classic one that says the same.
fn place_native(document: &mut Document<'_>, native: &Native, sample: &Sample, line: Line<'_>) {
    let Some(family) = document.family(&sample.name, line) else { return };
    let kind = &mut document.families[family].kind;
    if *kind == MetricKind::Untyped {
        *kind = MetricKind::Histogram;
    }
    let gauge = *kind == MetricKind::GaugeHistogram;
    for part in native.classic(sample, gauge) {
        document.push(family, part);
    }
}
