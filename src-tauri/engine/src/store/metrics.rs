//! Scraped samples.
//!
//! A series is known by its integration, its name and its labels, sorted and written as JSON. Its values lie under its
//! number. SQLite turns NaN into NULL, so NULL is NaN; the infinities it keeps.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use patchbay_contracts::{
    Code, Problem, Timestamp,
    metrics::{Family, MetricKind, Sample, ScrapeReport, SeriesInfo},
};
use sqlx::{QueryBuilder, Sqlite, Transaction};

use super::Store;
use crate::Result;

/// The most series that one integration may have. A label that holds an id makes a new series of each request, and would
/// fill any disk.
pub const MOST_SERIES: usize = 50_000;

/// The most points that one query gives.
pub const MOST_POINTS: usize = 5_000_000;

/// The most series of all integrations whose numbers are remembered.
const MOST_REMEMBERED: usize = 10 * MOST_SERIES;

/// How far a service's clock may run ahead, in milliseconds. A time beyond that would be the newest for ever.
const AHEAD: i64 = 10 * 60 * 1000;

/// The longest help text that is kept, in bytes.
const LONGEST_HELP: usize = 4096;

/// Rows written by one statement. More save little, and fewer cost a round trip to the connection's thread each.
const ROWS: usize = 500;

/// A stored series, as its points are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesKey {
    /// The whole name, suffix included.
    pub name: String,
    /// The labels, sorted by name.
    pub labels: Vec<(String, String)>,
    /// The kind of the family.
    pub kind: MetricKind,
    /// The family that it belongs to.
    pub family: String,
}

/// The numbers of the series that were written lately, by integration.
#[derive(Default)]
pub(super) struct Cache {
    integrations: HashMap<String, Known>,
}

#[derive(Default)]
struct Known {
    /// By name and labels.
    series: HashMap<(String, String), Numbered>,
    /// The highest number among them.
    newest: i64,
}

#[derive(Clone, Copy)]
struct Numbered {
    id: i64,
    /// Of family, kind and help, which may change while the series stays.
    about: u64,
}

impl Cache {
    /// For when series may have gone.
    pub(super) fn clear(&mut self) {
        self.integrations.clear();
    }
}

/// A sample that is to be written.
struct Due<'a> {
    key: (String, String),
    family: &'a Family,
    at: Timestamp,
    value: f64,
}

impl Store {
    /// Stores every sample of a scrape, all or none; gives how many. A sample lies at the time that the service gave it,
    /// else at that of the scrape; so does one that the service puts more than ten minutes ahead of it. A second sample
    /// of the same series and time replaces the first.
    ///
    /// # Errors
    /// [`Code::TooLarge`] where the integration would have more than [`MOST_SERIES`] series; [`Code::Database`] where it
    /// can't be written.
    pub async fn add_scrape(&self, integration: &str, report: &ScrapeReport) -> Result<u64> {
        let due: Vec<Due<'_>> = report
            .families
            .iter()
            .flat_map(|family| family.samples.iter().map(move |sample| (family, sample)))
            .map(|(family, sample)| Due {
                key: (sample.name.clone(), canonical(&sample.labels)),
                family,
                at: time_of(sample, report.at),
                value: sample.value,
            })
            .collect();
        let mut cache = self.0.series.lock().await;
        if cache.integrations.values().map(|known| known.series.len()).sum::<usize>() > MOST_REMEMBERED {
            cache.clear();
        }
        let mut again = true;
        loop {
            let failed = match self.write_samples(&mut cache, integration, &due).await {
                Ok(written) => return Ok(written),
                Err(failed) => failed,
            };
            // What is remembered may not be what was written.
            cache.integrations.remove(integration);
            match failed {
                // Another copy of the program has pruned a series that is remembered here.
                Failed::Sqlite(error) if again && is_foreign_key(&error) => again = false,
                Failed::Sqlite(error) => return Err(self.failed("The scraped samples could not be stored")(error)),
                Failed::Problem(problem) => return Err(problem),
            }
        }
    }

    async fn write_samples(&self, cache: &mut Cache, integration: &str, due: &[Due<'_>]) -> std::result::Result<u64, Failed> {
        let mut transaction = self.write().await?;
        let known = cache.integrations.entry(integration.to_owned()).or_default();
        if known.series.is_empty() {
            remember(&mut transaction, integration, known).await?;
        }
        number(&mut transaction, integration, known, due).await?;
        let mut rows: Vec<(i64, Timestamp, f64)> = Vec::with_capacity(due.len());
        for one in due {
            let numbered = known.series.get(&one.key).ok_or_else(|| Problem::internal("a series got no number"))?;
            rows.push((numbered.id, one.at, one.value));
        }
        // In the order of the table, and each series and time once: a statement can't replace what it wrote itself.
        rows.sort_by_key(|(id, at, _)| (*id, *at));
        rows.dedup_by(|later, earlier| {
            let same = (later.0, later.1) == (earlier.0, earlier.1);
            if same {
                earlier.2 = later.2;
            }
            same
        });
        for chunk in rows.chunks(ROWS) {
            let mut query = QueryBuilder::new("INSERT INTO samples (series, at, value) ");
            query.push_values(chunk, |mut row, (id, at, value)| {
                row.push_bind(*id).push_bind(*at).push_bind(Some(*value).filter(|value| !value.is_nan()));
            });
            query.push(" ON CONFLICT (series, at) DO UPDATE SET value = excluded.value");
            // Only the statement for a full chunk comes again and is worth keeping.
            query.build().persistent(chunk.len() == ROWS).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(rows.len() as u64)
    }

    /// All series of an integration with their newest values, by name and labels.
    ///
    /// # Errors
    /// [`Code::Database`] where they can't be read.
    pub async fn series(&self, integration: &str) -> Result<Vec<SeriesInfo>> {
        type Row = (String, String, String, String, String, Option<f64>, Timestamp);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT name, family, kind, labels, help, value, at FROM series \
             JOIN samples ON series = id AND at = (SELECT max(at) FROM samples WHERE series = id) \
             WHERE integration = ? ORDER BY name, labels",
        )
        .bind(integration)
        .fetch_all(&self.0.readers)
        .await
        .map_err(self.failed("The series could not be read"))?;
        rows.into_iter()
            .map(|(name, family, kind, labels, help, value, at)| {
                Ok(SeriesInfo {
                    name,
                    family,
                    kind: kind_of(&kind),
                    labels: labels_of(&labels)?,
                    help,
                    last: value.unwrap_or(f64::NAN),
                    last_at: at,
                })
            })
            .collect()
    }

    /// The values within a range (both ends included) of each series of that name, or where there is none, of each
    /// series of the family of that name. `labels` must all be equal. By name and labels; values oldest first; series
    /// without a value in the range are left out.
    ///
    /// # Errors
    /// [`Code::TooLarge`] beyond [`MOST_POINTS`]; [`Code::Database`] where they can't be read.
    pub async fn points(
        &self,
        integration: &str,
        name: &str,
        labels: &[(String, String)],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(SeriesKey, Vec<(Timestamp, f64)>)>> {
        let failed = self.failed("The samples could not be read");
        let rows: Vec<(i64, String, String, String, String)> = sqlx::query_as(
            "SELECT id, name, labels, kind, family FROM series WHERE integration = ?1 AND name = ?2 UNION ALL \
             SELECT id, name, labels, kind, family FROM series WHERE integration = ?1 AND family = ?2 AND NOT EXISTS \
             (SELECT 1 FROM series WHERE integration = ?1 AND name = ?2) ORDER BY name, labels",
        )
        .bind(integration)
        .bind(name)
        .fetch_all(&self.0.readers)
        .await
        .map_err(&failed)?;
        let mut wanted = Vec::new();
        for (id, name, written, kind, family) in rows {
            let has = labels_of(&written)?;
            if labels.iter().all(|label| has.contains(label)) {
                wanted.push((id, SeriesKey { name, labels: has, kind: kind_of(&kind), family }));
            }
        }
        let mut values: HashMap<i64, Vec<(Timestamp, f64)>> = HashMap::new();
        let mut room = MOST_POINTS;
        for chunk in wanted.chunks(ROWS) {
            let mut query = QueryBuilder::new("SELECT series, at, value FROM samples WHERE series IN (");
            let mut ids = query.separated(", ");
            for (id, _) in chunk {
                ids.push_bind(*id);
            }
            query.push(") AND at BETWEEN ").push_bind(from).push(" AND ").push_bind(to);
            query.push(" ORDER BY series, at LIMIT ").push_bind(room as i64 + 1);
            let rows: Vec<(i64, Timestamp, Option<f64>)> =
                query.build_query_as().persistent(chunk.len() == ROWS).fetch_all(&self.0.readers).await.map_err(&failed)?;
            room = room.checked_sub(rows.len()).ok_or_else(|| {
                Problem::new(Code::TooLarge, format!("`{name}` has more than {MOST_POINTS} samples in that range"))
                    .next("Choose a shorter range, or name more labels")
            })?;
            for (id, at, value) in rows {
                values.entry(id).or_default().push((at, value.unwrap_or(f64::NAN)));
            }
        }
        Ok(wanted.into_iter().filter_map(|(id, key)| values.remove(&id).map(|values| (key, values))).collect())
    }
}

enum Failed {
    Sqlite(sqlx::Error),
    Problem(Problem),
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

fn is_foreign_key(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_foreign_key_violation())
}

/// Reads the series that are there and not yet known.
async fn remember(
    transaction: &mut Transaction<'_, Sqlite>,
    integration: &str,
    known: &mut Known,
) -> std::result::Result<(), sqlx::Error> {
    type Row = (i64, String, String, String, String, String);
    let rows: Vec<Row> =
        sqlx::query_as("SELECT id, name, labels, family, kind, help FROM series WHERE integration = ? AND id > ?")
            .bind(integration)
            .bind(known.newest)
            .fetch_all(&mut **transaction)
            .await?;
    for (id, name, labels, family, kind, help) in rows {
        known.newest = known.newest.max(id);
        known.series.insert((name, labels), Numbered { id, about: about(&family, &kind, &help) });
    }
    Ok(())
}

/// Sees to it that every series that is due is stored and known, with its family, kind and help as they are now.
async fn number(
    transaction: &mut Transaction<'_, Sqlite>,
    integration: &str,
    known: &mut Known,
    due: &[Due<'_>],
) -> std::result::Result<(), Failed> {
    let mut fresh: Vec<&Due<'_>> = Vec::new();
    let mut seen: HashSet<&(String, String)> = HashSet::new();
    for one in due {
        if !seen.insert(&one.key) {
            continue;
        }
        let Some(numbered) = known.series.get_mut(&one.key) else {
            fresh.push(one);
            continue;
        };
        let (kind, help) = (kind_name(one.family.kind), short(&one.family.help));
        let now = about(&one.family.name, kind, help);
        if numbered.about != now {
            sqlx::query("UPDATE series SET family = ?, kind = ?, help = ? WHERE id = ?")
                .bind(&one.family.name)
                .bind(kind)
                .bind(help)
                .bind(numbered.id)
                .execute(&mut **transaction)
                .await?;
            numbered.about = now;
        }
    }
    if fresh.is_empty() {
        return Ok(());
    }
    if known.series.len() + fresh.len() > MOST_SERIES {
        return Err(Failed::Problem(
            Problem::new(Code::TooLarge, format!("The metrics of `{integration}` were not stored"))
                .why(format!(
                    "they would have {} series, and {MOST_SERIES} are the most; `{}` is one of the new ones",
                    known.series.len() + fresh.len(),
                    fresh.first().map_or("", |one| one.key.0.as_str())
                ))
                .next("Look for a label whose value is different each time, such as an id, and have the service leave it out"),
        ));
    }
    for chunk in fresh.chunks(ROWS) {
        let mut query = QueryBuilder::new("INSERT INTO series (integration, name, labels, family, kind, help) ");
        query.push_values(chunk, |mut row, one| {
            row.push_bind(integration)
                .push_bind(&one.key.0)
                .push_bind(&one.key.1)
                .push_bind(&one.family.name)
                .push_bind(kind_name(one.family.kind))
                .push_bind(short(&one.family.help));
        });
        // Another copy of the program may have been first.
        query.push(" ON CONFLICT DO NOTHING");
        query.build().persistent(chunk.len() == ROWS).execute(&mut **transaction).await?;
    }
    remember(transaction, integration, known).await?;
    Ok(())
}

fn time_of(sample: &Sample, scraped: Timestamp) -> Timestamp {
    sample.timestamp.filter(|at| *at <= scraped.saturating_add(AHEAD)).unwrap_or(scraped)
}

fn canonical(labels: &[(String, String)]) -> String {
    let mut sorted: Vec<&(String, String)> = labels.iter().collect();
    sorted.sort();
    serde_json::to_string(&sorted).expect("texts can be written as JSON")
}

fn labels_of(written: &str) -> Result<Vec<(String, String)>> {
    serde_json::from_str(written)
        .map_err(|error| Problem::new(Code::Database, "The labels of a stored series can't be read").why(error.to_string()))
}

fn about(family: &str, kind: &str, help: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (family, kind, help).hash(&mut hasher);
    hasher.finish()
}

fn short(help: &str) -> &str {
    &help[..help.floor_char_boundary(LONGEST_HELP)]
}

const KINDS: [(MetricKind, &str); 8] = [
    (MetricKind::Counter, "counter"),
    (MetricKind::Gauge, "gauge"),
    (MetricKind::Histogram, "histogram"),
    (MetricKind::GaugeHistogram, "gaugehistogram"),
    (MetricKind::Summary, "summary"),
    (MetricKind::Info, "info"),
    (MetricKind::StateSet, "stateset"),
    (MetricKind::Untyped, "untyped"),
];

fn kind_name(kind: MetricKind) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("untyped", |(_, name)| name)
}

/// A kind that this version doesn't know is shown as one without a type.
fn kind_of(name: &str) -> MetricKind {
    KINDS.iter().find(|(_, known)| *known == name).map_or(MetricKind::Untyped, |(kind, _)| *kind)
}
