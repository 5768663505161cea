//! OpenMetrics 1.0, <https://prometheus.io/docs/specs/om/open_metrics_spec/>, as strictly as it is written.

use std::collections::HashSet;

use patchbay_contracts::metrics::MetricKind;

use super::{
    Native,
    document::{Document, Line},
    line::{self, Dialect, SampleLine, Unread},
    rules::{Group, suffixes},
};

/// Reads a document of OpenMetrics.
pub(super) fn read(document: &mut Document<'_>, bytes: &[u8]) {
    let lines = document.lines(bytes);
    let mut reader = Reader { document, taken: HashSet::new(), open: None };
    let mut ended = false;
    for (i, line) in lines.iter().enumerate() {
        if ended {
            reader.document.wrong_line(line.number, "Text stands after `# EOF`");
            break;
        }
        if line.text == "# EOF" {
            ended = true;
        } else if line.text.is_empty() {
            reader.document.wrong_line(line.number, "A line is empty, which OpenMetrics does not allow");
        } else if line.text.starts_with('#') {
            reader.metadata(*line);
        } else {
            if !reader.document.has_room(*line, lines.len() - i) {
                ended = true;
                break;
            }
            match line::read(Dialect::OpenMetrics, line.text) {
                Ok(sample) => reader.sample(*line, sample),
                Err(unread) => reader.document.wrong(*line, unread),
            }
        }
    }
    reader.close();
    if !ended {
        let last = lines.last().map_or(1, |line| line.number);
        reader.document.wrong_line(last, "The document does not end with `# EOF`, so it may have been cut short");
    }
}

struct Reader<'d, 'a> {
    document: &'d mut Document<'a>,
    /// The names that earlier families use or could use.
    taken: HashSet<String>,
    open: Option<Open>,
}

/// The family whose lines are being read.
struct Open {
    index: usize,
    name: String,
    line: u32,
    help: bool,
    kind: bool,
    unit: bool,
    /// Whether its names are taken, which is so from its first sample on.
    settled: bool,
    /// The group of samples that is being read.
    group: Option<Group>,
    /// The groups before it.
    groups: HashSet<String>,
}

impl Reader<'_, '_> {
    /// Opens a family, and closes the one before.
    fn open(&mut self, name: &str, line: Line<'_>) -> Option<&mut Open> {
        if self.open.as_ref().is_none_or(|open| open.name != name) {
            self.close();
            let again = self.document.find(name).is_some();
            let index = self.document.family(name, line)?;
            if again {
                self.document.wrong_line(line.number, format!("The lines of `{name}` do not stand together"));
            }
            self.open = Some(Open {
                index,
                name: name.to_owned(),
                line: line.number,
                help: false,
                kind: false,
                unit: false,
                settled: again,
                group: None,
                groups: HashSet::new(),
            });
        }
        self.open.as_mut()
    }

    fn close(&mut self) {
        self.settle();
        self.end_group();
        self.open = None;
    }

    fn end_group(&mut self) {
        if let Some(group) = self.open.as_mut().and_then(|open| open.group.take()) {
            for what in group.end() {
                self.document.wrong_line(group.line, what);
            }
        }
    }

    /// Takes the names of the open family, and looks whether its unit suits it, once its metadata is whole.
    fn settle(&mut self) {
        let Some(open) = self.open.as_mut().filter(|open| !open.settled) else { return };
        open.settled = true;
        let family = &self.document.families[open.index];
        let (kind, unit) = (family.kind, family.unit.clone());
        let (name, line) = (open.name.clone(), open.line);
        let names: HashSet<String> = suffixes(kind).iter().chain(&[""]).map(|suffix| format!("{name}{suffix}")).collect();
        if let Some(clash) = names.iter().find(|name| self.taken.contains(*name)) {
            self.document.wrong_line(line, format!("`{name}` clashes with an earlier metric over the name `{clash}`"));
        }
        self.taken.extend(names);
        if !unit.is_empty() && matches!(kind, MetricKind::Info | MetricKind::StateSet) {
            self.document.wrong_line(line, format!("`{name}` is of a type that can't have a unit"));
        }
    }

    /// A line that begins with `#`. OpenMetrics has no comments.
    fn metadata(&mut self, line: Line<'_>) {
        if let Err(unread) = self.try_metadata(line) {
            self.document.wrong(line, unread);
        }
    }

    fn try_metadata(&mut self, line: Line<'_>) -> Result<(), Unread> {
        let word = ["HELP", "TYPE", "UNIT"]
            .into_iter()
            .find(|word| line.text.strip_prefix("# ").is_some_and(|rest| rest.starts_with(&format!("{word} "))));
        let Some(word) = word else {
            return Err(Unread::new(0, "Only `# HELP`, `# TYPE`, `# UNIT` and `# EOF` may begin with `#` in OpenMetrics"));
        };
        let (name, after) = line::metadata_name(Dialect::OpenMetrics, line.text, 2 + word.len() + 1)?;
        let Some(rest) = line.text[after..].strip_prefix(' ') else {
            return Err(Unread::new(after, format!("A space and the {} of `{name}` are missing", word.to_lowercase())));
        };
        let Some(open) = self.open(&name, line) else { return Ok(()) };
        if open.settled {
            return Err(Unread::new(0, format!("The {word} line of `{name}` stands after its samples")));
        }
        let given = match word {
            "HELP" => &mut open.help,
            "TYPE" => &mut open.kind,
            _ => &mut open.unit,
        };
        if std::mem::replace(given, true) {
            return Err(Unread::new(0, format!("`{name}` has a second {word} line")));
        }
        let index = open.index;
        let family = &mut self.document.families[index];
        match word {
            "HELP" => family.help = line::unescape(rest, true),
            "TYPE" => {
                family.kind = kind(rest)
                    .ok_or_else(|| Unread::new(after + 1, format!("`{rest}` is not a type of metric in OpenMetrics")))?;
            }
            _ if rest.is_empty() => {}
            _ => {
                let fits = name.strip_suffix(rest).is_some_and(|before| before.ends_with('_'));
                if !fits || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':')) {
                    return Err(Unread::new(after + 1, format!("`{name}` does not end with `_` and the unit `{rest}`")));
                }
                rest.clone_into(&mut family.unit);
            }
        }
        Ok(())
    }

    /// A native histogram stands under its family's own name, and becomes the classic one that says the same.
    fn native(&mut self, line: Line<'_>, read: &SampleLine, native: &Native) {
        let Some(index) = self.open(&read.sample.name, line).map(|open| open.index) else { return };
        let kind = self.document.families[index].kind;
        if !matches!(kind, MetricKind::Histogram | MetricKind::GaugeHistogram) {
            let what = format!("`{}` has a native histogram and is not declared as one", read.sample.name);
            self.document.wrong_line(line.number, what);
        }
        self.settle();
        // The rules are for classic histograms; one with negative bounds may have a sum here.
        for part in native.classic(&read.sample, kind == MetricKind::GaugeHistogram) {
            self.document.push(index, part);
        }
    }

    fn sample(&mut self, line: Line<'_>, read: SampleLine) {
        if let Some(native) = &read.native {
            return self.native(line, &read, native);
        }
        let ours = self.open.as_ref().and_then(|open| {
            let suffix = read.sample.name.strip_prefix(open.name.as_str())?;
            suffixes(self.document.families[open.index].kind).iter().find(|own| **own == suffix)
        });
        let suffix = match ours {
            Some(suffix) => *suffix,
            None => {
                if self.open(&read.sample.name, line).is_none() {
                    return;
                }
                // A family without a TYPE line is of unknown type; one with it, and without this suffix, is wrong.
                let open = self.open.as_ref().map_or(0, |open| open.index);
                if !suffixes(self.document.families[open].kind).contains(&"") {
                    let what = format!("`{}` is no name of a sample of this type", read.sample.name);
                    self.document.wrong_line(line.number, what);
                }
                ""
            }
        };
        self.settle();
        let Some(open) = &self.open else { return };
        let index = open.index;
        let family = &self.document.families[index];
        let (kind, key) = (family.kind, Group::key(family, suffix, &read.sample));
        if open.group.as_ref().is_none_or(|group| group.key != key) {
            self.end_group();
            if let Some(open) = self.open.as_mut() {
                if !open.groups.insert(key.clone()) {
                    let what = format!("The samples of `{}` with the same labels do not stand together", open.name);
                    self.document.wrong_line(line.number, what);
                }
                open.group = Some(Group::new(kind, key, line.number));
            }
        }
        let family = &self.document.families[index];
        let faults = self.open.as_mut().and_then(|open| open.group.as_mut()).map(|group| group.add(family, suffix, &read));
        for what in faults.unwrap_or_default() {
            self.document.wrong_line(line.number, what);
        }
        self.document.push(index, read.sample);
    }
}

fn kind(word: &str) -> Option<MetricKind> {
    Some(match word {
        "counter" => MetricKind::Counter,
        "gauge" => MetricKind::Gauge,
        "histogram" => MetricKind::Histogram,
        "gaugehistogram" => MetricKind::GaugeHistogram,
        "summary" => MetricKind::Summary,
        "info" => MetricKind::Info,
        "stateset" => MetricKind::StateSet,
        "unknown" => MetricKind::Untyped,
        _ => return None,
    })
}
