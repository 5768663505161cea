//! Stored series by family, as a person chooses them.

use std::collections::BTreeMap;

use patchbay_contracts::{
    Timestamp,
    metrics::{MetricKind, SeriesInfo},
};

/// What is drawn in one chart: all series of a name, or those with these labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The name of the series, or of the family for a histogram.
    pub name: String,
    /// Labels that must be equal.
    pub labels: Vec<(String, String)>,
}

impl Choice {
    /// What the chart is called: `http_requests_total{method="GET"}`.
    pub fn title(&self) -> String {
        if self.labels.is_empty() { self.name.clone() } else { format!("{}{}", self.name, braced(&self.labels)) }
    }
}

/// Labels as Prometheus writes them.
pub fn braced(labels: &[(String, String)]) -> String {
    let all: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    format!("{{{}}}", all.join(", "))
}

/// A family as the list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct FamilyEntry {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: MetricKind,
    /// Its help text.
    pub help: String,
    /// What there is to choose in it.
    pub items: Vec<Item>,
}

/// One thing to choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What it draws.
    pub choice: Choice,
    /// The newest value; for a histogram how many observations there were.
    pub last: f64,
    /// Its time.
    pub last_at: Timestamp,
}

impl FamilyEntry {
    /// All of the family in one chart. A family of several names, such as a summary's sum and count, has no such chart.
    pub fn whole(&self) -> Option<Choice> {
        let name = &self.items.first()?.choice.name;
        let one_name = self.items.iter().all(|item| item.choice.name == *name);
        one_name.then(|| Choice { name: name.clone(), labels: Vec::new() })
    }
}

/// Whether the buckets of a family are one thing and nobody looks at them singly.
const fn is_histogram(kind: MetricKind) -> bool {
    matches!(kind, MetricKind::Histogram | MetricKind::GaugeHistogram)
}

/// The series by family, families and what is in them in order of their names.
pub fn families(series: &[SeriesInfo]) -> Vec<FamilyEntry> {
    let mut all: BTreeMap<&str, FamilyEntry> = BTreeMap::new();
    for one in series {
        let family = all.entry(&one.family).or_insert_with(|| FamilyEntry {
            name: one.family.clone(),
            kind: one.kind,
            help: one.help.clone(),
            items: Vec::new(),
        });
        let item = if is_histogram(one.kind) {
            // A histogram is there once for each set of labels, and its count stands for it.
            if !(one.name.ends_with("_count") || one.name.ends_with("_gcount")) {
                continue;
            }
            Choice { name: one.family.clone(), labels: one.labels.clone() }
        } else {
            Choice { name: one.name.clone(), labels: one.labels.clone() }
        };
        family.items.push(Item { choice: item, last: one.last, last_at: one.last_at });
    }
    all.into_values()
        .map(|mut family| {
            family.items.sort_by(|a, b| (&a.choice.name, &a.choice.labels).cmp(&(&b.choice.name, &b.choice.labels)));
            family
        })
        .filter(|family| !family.items.is_empty())
        .collect()
}

/// What is shown before anything was chosen: how long requests take and how many there are, where it can be told from
/// the names; else the first two families.
pub fn telling(families: &[FamilyEntry]) -> Vec<Choice> {
    let of_requests = |family: &&FamilyEntry| family.name.contains("http") || family.name.contains("request");
    let latency = families.iter().filter(of_requests).find(|family| is_histogram(family.kind));
    let rate = families.iter().filter(of_requests).find(|family| family.kind == MetricKind::Counter);
    let mut found: Vec<Choice> = [rate, latency].into_iter().flatten().filter_map(FamilyEntry::whole).collect();
    if found.is_empty() {
        found = families.iter().filter_map(FamilyEntry::whole).take(2).collect();
    }
    found
}
