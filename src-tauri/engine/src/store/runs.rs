//! Runs and what they found.

use std::io::{Read, Write};

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use patchbay_contracts::{
    Code, Problem, Timestamp,
    run::{Report, Run, RunId, RunKind, RunSummary, Verdict},
};
use sqlx::{FromRow, QueryBuilder};

use super::Store;
use crate::Result;

/// Reports from this size on are compressed: bodies and timelines shrink to a tenth.
const COMPRESS_FROM: usize = 16 << 10;

/// The largest report that is stored, and that is unpacked again, in bytes of JSON.
const LARGEST: u64 = 256 << 20;

/// The longest headline, in characters.
const LONGEST_HEADLINE: usize = 300;

impl Store {
    /// Stores what a run found. `headline` is one line on what came out; `duration_ms` is how long it took.
    ///
    /// # Errors
    /// [`Code::TooLarge`] beyond 256 MiB; [`Code::Internal`] for a report that could not be read back, since it holds a
    /// number that JSON lacks; [`Code::Database`] where it can't be written.
    pub async fn add_run(&self, report: &Report, duration_ms: f64, headline: String) -> Result<RunSummary> {
        let summary = RunSummary {
            id: 0,
            integration: report.integration().map(str::to_owned),
            kind: report.kind(),
            at: report.at(),
            duration_ms: if duration_ms.is_finite() { duration_ms.max(0.0) } else { 0.0 },
            verdict: report.verdict(),
            partial: report.partial(),
            headline: one_line(&headline),
        };
        let json = serde_json::to_vec(report).map_err(Problem::internal)?;
        let (encoding, body) = tokio::task::spawn_blocking(move || pack(json)).await.map_err(Problem::internal)??;
        let failed = self.failed("The run could not be stored");
        let mut transaction = self.write().await.map_err(&failed)?;
        let id = sqlx::query(
            "INSERT INTO runs (integration, kind, at, duration_ms, verdict, partial, headline) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&summary.integration)
        .bind(summary.kind.as_str())
        .bind(summary.at)
        .bind(summary.duration_ms)
        .bind(summary.verdict.as_str())
        .bind(summary.partial)
        .bind(&summary.headline)
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?
        .last_insert_rowid();
        sqlx::query("INSERT INTO reports (run, encoding, body) VALUES (?, ?, ?)")
            .bind(id)
            .bind(encoding)
            .bind(body)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(RunSummary { id, ..summary })
    }

    /// Runs, newest first: at most `limit` (1000 at most), of one integration and of one kind where these are given, and
    /// older than the run `before`.
    ///
    /// # Errors
    /// [`Code::Database`] where they can't be read.
    pub async fn runs(
        &self,
        integration: Option<&str>,
        kind: Option<RunKind>,
        limit: u32,
        before: Option<RunId>,
    ) -> Result<Vec<RunSummary>> {
        let mut query =
            QueryBuilder::new("SELECT id, integration, kind, at, duration_ms, verdict, partial, headline FROM runs WHERE id < ");
        query.push_bind(before.unwrap_or(RunId::MAX));
        if let Some(integration) = integration {
            query.push(" AND integration = ").push_bind(integration);
        }
        if let Some(kind) = kind {
            query.push(" AND kind = ").push_bind(kind.as_str());
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(limit.min(1000));
        let rows: Vec<Row> =
            query.build_query_as().fetch_all(&self.0.readers).await.map_err(self.failed("The runs could not be read"))?;
        rows.into_iter().map(Row::summary).collect()
    }

    /// One run with its report.
    ///
    /// # Errors
    /// [`Code::NotFound`] where there is none of that number; [`Code::Database`] where it can't be read.
    pub async fn run(&self, id: RunId) -> Result<Run> {
        let failed = self.failed("The run could not be read");
        let row: Option<(Row, String, Vec<u8>)> = sqlx::query(
            "SELECT id, integration, kind, at, duration_ms, verdict, partial, headline, encoding, body \
             FROM runs JOIN reports ON run = id WHERE id = ?",
        )
        .bind(id)
        .try_map(|row: sqlx::sqlite::SqliteRow| {
            use sqlx::Row as _;
            Ok((Row::from_row(&row)?, row.try_get("encoding")?, row.try_get("body")?))
        })
        .fetch_optional(&self.0.readers)
        .await
        .map_err(&failed)?;
        let Some((row, encoding, body)) = row else { return Err(no_run(id)) };
        let report = tokio::task::spawn_blocking(move || unpack(&encoding, &body)).await.map_err(Problem::internal)??;
        Ok(Run { summary: row.summary()?, report })
    }

    /// Takes a run away with its report.
    ///
    /// # Errors
    /// [`Code::NotFound`] where there is none of that number; [`Code::Database`] where it can't be written.
    pub async fn remove_run(&self, id: RunId) -> Result<()> {
        let failed = self.failed("The run could not be removed");
        let mut transaction = self.write().await.map_err(&failed)?;
        let removed = sqlx::query("DELETE FROM runs WHERE id = ?").bind(id).execute(&mut *transaction).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        if removed.rows_affected() == 0 { Err(no_run(id)) } else { Ok(()) }
    }
}

#[derive(FromRow)]
struct Row {
    id: RunId,
    integration: Option<String>,
    kind: String,
    at: Timestamp,
    duration_ms: f64,
    verdict: String,
    partial: bool,
    headline: String,
}

impl Row {
    fn summary(self) -> Result<RunSummary> {
        let kind = [RunKind::Probe, RunKind::Contract, RunKind::Load].into_iter().find(|kind| kind.as_str() == self.kind);
        let verdict = [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive].into_iter().find(|one| one.as_str() == self.verdict);
        let (Some(kind), Some(verdict)) = (kind, verdict) else {
            return Err(unreadable(format!("run {} is of kind `{}` with verdict `{}`", self.id, self.kind, self.verdict)));
        };
        Ok(RunSummary {
            id: self.id,
            integration: self.integration,
            kind,
            at: self.at,
            duration_ms: self.duration_ms,
            verdict,
            partial: self.partial,
            headline: self.headline,
        })
    }
}

fn pack(json: Vec<u8>) -> Result<(&'static str, Vec<u8>)> {
    if json.len() as u64 > LARGEST {
        return Err(Problem::new(Code::TooLarge, format!("The report is over {} MiB", LARGEST >> 20)));
    }
    // JSON turns NaN and the infinities into null without a word, and what can't be read back was not stored.
    serde_json::from_slice::<Report>(&json)
        .map_err(|error| Problem::internal(format!("a report can't be read back: {error}")))?;
    if json.len() < COMPRESS_FROM {
        return Ok(("json", json));
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&json).map_err(Problem::internal)?;
    Ok(("json+deflate", encoder.finish().map_err(Problem::internal)?))
}

fn unpack(encoding: &str, body: &[u8]) -> Result<Report> {
    let read = match encoding {
        "json" => serde_json::from_slice(body),
        "json+deflate" => {
            let mut json = Vec::new();
            DeflateDecoder::new(body).take(LARGEST + 1).read_to_end(&mut json).map_err(|error| unreadable(error.to_string()))?;
            if json.len() as u64 > LARGEST {
                return Err(unreadable(format!("it is over {} MiB", LARGEST >> 20)));
            }
            serde_json::from_slice(&json)
        }
        other => return Err(unreadable(format!("its encoding is `{other}`"))),
    };
    read.map_err(|error| unreadable(error.to_string()))
}

fn unreadable(why: String) -> Problem {
    Problem::new(Code::Database, "A stored run can't be read").why(why).next("Remove it, or start a new database with --db")
}

fn no_run(id: RunId) -> Problem {
    Problem::new(Code::NotFound, format!("There is no run {id}"))
        .next("It may have been removed, or pruned with age; see the history")
}

fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST_HEADLINE { line } else { line.chars().take(LONGEST_HEADLINE - 1).chain(['…']).collect() }
}
