//! Native histograms in text.
//!
//! The text formats have no agreed form for them. The one that is in use, by the Python client and in the drafts of
//! OpenMetrics 2.0, writes the whole histogram in place of the value:
//! `{count:24,sum:100,schema:0,zero_threshold:0.001,zero_count:4,positive_spans:[0:2,1:2],positive_deltas:[2,1,-3,3]}`.
//! What the fields mean is written in <https://prometheus.io/docs/specs/native_histograms/>. Here it becomes the classic
//! histogram that says the same: cumulative buckets, a sum and a count.

use patchbay_contracts::metrics::Sample;

use super::line::Unread;

/// The most buckets of one histogram.
const MAX_BUCKETS: u64 = 4096;

/// The schema whose bounds are given one by one.
const CUSTOM_BOUNDS: i32 = -53;

/// A native histogram as it is written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Native {
    count: f64,
    sum: f64,
    schema: i32,
    zero_threshold: f64,
    zero_count: f64,
    custom_values: Vec<f64>,
    positive: Side,
    negative: Side,
}

/// The buckets on one side of zero.
#[derive(Debug, Clone, PartialEq, Default)]
struct Side {
    /// How many indices are left out, and how many buckets follow.
    spans: Vec<(i64, u64)>,
    /// Each count as the difference to the one before.
    deltas: Vec<f64>,
}

/// Whether this is a native histogram and no set of labels: `{`, a word and a colon.
pub(super) fn begins(text: &str) -> bool {
    let inside = text.strip_prefix('{').unwrap_or_default();
    let after = inside.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '_');
    after.len() < inside.len() && after.starts_with(':')
}

/// Reads what begins with `{` at `at`. Gives it and the byte after it.
pub(super) fn read(text: &str, at: usize) -> Result<(Native, usize), Unread> {
    let end = at + text[at..].find('}').ok_or_else(|| Unread::new(at, "The native histogram that begins here has no end"))?;
    let mut native = Native::default();
    let mut from = at + 1;
    let (mut has_count, mut has_sum) = (false, false);
    while from < end {
        let rest = &text[from..end];
        // A comma within brackets does not end a field.
        let close = rest
            .find('[')
            .filter(|open| !rest[..*open].contains(','))
            .map_or(0, |open| rest[open..].find(']').map_or(rest.len(), |close| open + close));
        let length = rest[close..].find(',').map_or(rest.len(), |comma| close + comma);
        let field = &rest[..length];
        let (name, value) = field.split_once(':').unwrap_or((field, ""));
        has_count |= name == "count";
        has_sum |= name == "sum";
        native.set(name, value).ok_or_else(|| {
            let shown: String = field.chars().take(40).collect();
            Unread::new(from, format!("`{shown}` is not a field of a native histogram"))
        })?;
        from += length + 1;
    }
    if !has_count || !has_sum {
        return Err(Unread::new(at, "The native histogram lacks its count or its sum"));
    }
    if !(-4..=8).contains(&native.schema) && native.schema != CUSTOM_BOUNDS {
        return Err(Unread::new(at, format!("The native histogram has the schema {}, which is unknown", native.schema)));
    }
    for side in [&native.positive, &native.negative] {
        let buckets = side.spans.iter().fold(0_u64, |sum, (_, length)| sum.saturating_add(*length));
        if buckets > MAX_BUCKETS || buckets != side.deltas.len() as u64 {
            return Err(Unread::new(
                at,
                format!("The native histogram's spans are for {buckets} buckets, and its counts for others"),
            ));
        }
    }
    Ok((native, end + 1))
}

impl Native {
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "count" => self.count = value.parse().ok()?,
            "sum" => self.sum = value.parse().ok()?,
            "schema" => self.schema = value.parse().ok()?,
            "zero_threshold" => self.zero_threshold = value.parse().ok()?,
            "zero_count" => self.zero_count = value.parse().ok()?,
            "custom_values" => self.custom_values = list(value, |one| one.parse().ok())?,
            "positive_spans" => self.positive.spans = spans(value)?,
            "negative_spans" => self.negative.spans = spans(value)?,
            "positive_deltas" => self.positive.deltas = list(value, |one| one.parse().ok())?,
            "negative_deltas" => self.negative.deltas = list(value, |one| one.parse().ok())?,
            _ => return None,
        }
        Some(())
    }

    /// The classic histogram of the same name, labels and time: its buckets, its sum and its count.
    ///
    /// Where buckets are left out, the lower bound of the next one is given a bucket as well, so that what it counts is
    /// not spread over the gap.
    pub fn classic(&self, of: &Sample, gauge: bool) -> Vec<Sample> {
        let mut bounds: Vec<(f64, f64)> = Vec::new();
        let mut cumulated = 0.0;
        let mut add = |lower: f64, upper: f64, count: f64| {
            if bounds.last().is_none_or(|(last, _)| *last < lower) && lower.is_finite() {
                bounds.push((lower, cumulated));
            }
            cumulated += count;
            if bounds.last().is_none_or(|(last, _)| *last < upper) && upper.is_finite() {
                bounds.push((upper, cumulated));
            }
        };
        for (index, count) in self.negative.counts().into_iter().rev() {
            add(-self.bound(index), -self.bound(index - 1), count);
        }
        if self.zero_count > 0.0 {
            add(if self.negative.deltas.is_empty() { 0.0 } else { -self.zero_threshold }, self.zero_threshold, self.zero_count);
        }
        for (index, count) in self.positive.counts() {
            add(self.bound(index - 1), self.bound(index), count);
        }
        bounds.push((f64::INFINITY, self.count));
        let named =
            |suffix: &str, value: f64| Sample { name: format!("{}{suffix}", of.name), value, exemplar: None, ..of.clone() };
        let mut exemplar = of.exemplar.clone();
        let mut samples: Vec<Sample> = Vec::with_capacity(bounds.len() + 2);
        for (bound, count) in bounds {
            let mut sample = named("_bucket", count);
            let le = if bound == f64::INFINITY { "+Inf".to_owned() } else { bound.to_string() };
            sample.labels.push(("le".to_owned(), le));
            // It belongs to the bucket that its value falls into.
            if exemplar.as_ref().is_some_and(|exemplar| exemplar.value <= bound || bound == f64::INFINITY) {
                sample.exemplar = exemplar.take();
            }
            samples.push(sample);
        }
        samples.push(named(if gauge { "_gsum" } else { "_sum" }, self.sum));
        samples.push(named(if gauge { "_gcount" } else { "_count" }, self.count));
        samples
    }

    /// The upper bound of the bucket of that index: 2 to the index times 2 to minus the schema.
    fn bound(&self, index: i64) -> f64 {
        if self.schema == CUSTOM_BOUNDS {
            return match usize::try_from(index) {
                Ok(index) => self.custom_values.get(index).copied().unwrap_or(f64::INFINITY),
                Err(_) => f64::NEG_INFINITY,
            };
        }
        (index as f64 * f64::from(-self.schema).exp2()).exp2()
    }
}

impl Side {
    /// Index and count of each bucket, ascending.
    fn counts(&self) -> Vec<(i64, f64)> {
        let mut deltas = self.deltas.iter();
        let (mut index, mut count, mut counts) = (0_i64, 0.0, Vec::new());
        for (left_out, length) in &self.spans {
            index = index.saturating_add(*left_out);
            for delta in deltas.by_ref().take(*length as usize) {
                count += delta;
                counts.push((index, count));
                index = index.saturating_add(1);
            }
        }
        counts
    }
}

/// What stands between brackets, parted by commas.
fn list<T>(value: &str, one: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let inside = value.strip_prefix('[')?.strip_suffix(']')?;
    if inside.is_empty() { Some(Vec::new()) } else { inside.split(',').map(one).collect() }
}

fn spans(value: &str) -> Option<Vec<(i64, u64)>> {
    list(value, |span| {
        let (left_out, length) = span.split_once(':')?;
        Some((left_out.parse().ok()?, length.parse().ok()?))
    })
}
