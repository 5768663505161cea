//! The results store: what it keeps, what it refuses, and what survives a kill.

mod health;
mod keeping;
mod kill;
mod metrics;
mod open;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use patchbay_contracts::{
    Code, Timestamp,
    metrics::{Family, MetricKind, Sample, ScrapeReport},
    run::{Report, RunKind, Verdict},
    workspace::{Settings, Theme},
};
use patchbay_engine::store::{MOST_SERIES, Pruned, Store};
use patchbay_tests::results::{self, Acknowledged, START};
use rand::RngExt;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

async fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("results.db").to_str().unwrap()).await.unwrap();
    (dir, store)
}

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite:{}?mode=rwc", path.display())).await.unwrap()
}

async fn sql(path: &Path, statements: &'static str) {
    let mut connection = raw(path).await;
    sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Every file below a folder with its bytes.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(snapshot(&path));
        } else {
            files.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    files
}

/// A store with one of everything in it, closed.
async fn filled(path: &Path) {
    let store = Store::open(path.to_str().unwrap()).await.unwrap();
    store.add_run(&results::probe(Some("orders"), 200, 100_000), 1.0, "one".to_owned()).await.unwrap();
    store.add_check(&results::check("orders", START, true)).await.unwrap();
    store.add_scrape("orders", &results::scrape(START, 500, 1.0)).await.unwrap();
    store.close().await;
}

fn one_sample(name: &str, labels: &[(&str, &str)], value: f64, timestamp: Option<Timestamp>) -> Sample {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sample { name: name.to_owned(), labels, value, timestamp, exemplar: None }
}

fn scrape(at: Timestamp, family: &str, kind: MetricKind, samples: Vec<Sample>) -> ScrapeReport {
    let family = Family { name: family.to_owned(), kind, help: "Grüße".to_owned(), unit: String::new(), samples };
    ScrapeReport { families: vec![family], ..results::scrape(at, 0, 0.0) }
}
