//! Stored series by family, as a person chooses them.

use std::{collections::BTreeMap, ops::Deref, rc::Rc};

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

/// All families, handed on without copying them. Two are equal where they are the same ones: comparing tens of thousands of
/// series would take longer than drawing those that are in sight.
#[derive(Debug, Clone, Default)]
pub struct Families(Rc<Vec<Rc<FamilyEntry>>>);

impl Families {
    /// Makes them shareable.
    pub fn new(all: Vec<FamilyEntry>) -> Self {
        Self(Rc::new(all.into_iter().map(Rc::new).collect()))
    }
}

impl PartialEq for Families {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for Families {
    type Target = [Rc<FamilyEntry>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// A family that fits the words of a search, and which of its series do.
#[derive(Debug, Clone)]
pub struct Found {
    /// The family.
    pub family: Rc<FamilyEntry>,
    /// The places of the series that fit; all of them where the family itself does.
    fitting: Option<Rc<[usize]>>,
}

impl PartialEq for Found {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.family, &other.family) && self.fitting == other.fitting
    }
}

impl Found {
    /// How many series fit.
    pub fn count(&self) -> usize {
        self.fitting.as_ref().map_or(self.family.items.len(), |fitting| fitting.len())
    }

    /// The series that fit, in order.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        let count = self.count();
        (0..count).filter_map(move |at| {
            let place = self.fitting.as_ref().map_or(Some(at), |fitting| fitting.get(at).copied());
            self.family.items.get(place?)
        })
    }
}

/// The families that have all of the words, in whatever case: a family is found for its own sake, or for that of a series
/// in it, and then with that series only.
pub fn search(families: &Families, wanted: &str) -> Vec<Found> {
    let words: Vec<String> = wanted.split_whitespace().map(str::to_lowercase).collect();
    let fits = |text: &str| {
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let found = |family: &Rc<FamilyEntry>| {
        if words.is_empty() || fits(&format!("{} {}", family.name, family.help)) {
            return Some(Found { family: family.clone(), fitting: None });
        }
        let places = family.items.iter().enumerate().filter(|(_, item)| fits(&item.choice.title()));
        let fitting: Rc<[usize]> = places.map(|(at, _)| at).collect();
        (!fitting.is_empty()).then(|| Found { family: family.clone(), fitting: Some(fitting) })
    };
    families.iter().filter_map(found).collect()
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
pub fn telling(families: &[Rc<FamilyEntry>]) -> Vec<Choice> {
    let of_requests = |family: &&Rc<FamilyEntry>| family.name.contains("http") || family.name.contains("request");
    let latency = families.iter().filter(of_requests).find(|family| is_histogram(family.kind));
    let rate = families.iter().filter(of_requests).find(|family| family.kind == MetricKind::Counter);
    let mut found: Vec<Choice> = [rate, latency].into_iter().flatten().filter_map(|family| family.whole()).collect();
    if found.is_empty() {
        found = families.iter().filter_map(|family| family.whole()).take(2).collect();
    }
    found
}
