//! Health checks, stretches without any, and incidents.
//!
//! Ranges of time include both ends.

use patchbay_contracts::{
    Code, Problem, Timestamp,
    health::{HealthCheck, Incident},
};
use sqlx::{FromRow, QueryBuilder};

use super::Store;
use crate::Result;

/// The most checks that one call gives.
const MOST_CHECKS: u32 = 10_000;

/// The most incidents that one call gives.
const MOST_INCIDENTS: u32 = 1000;

impl Store {
    /// Stores a check.
    ///
    /// # Errors
    /// [`Code::Database`] where it can't be written.
    pub async fn add_check(&self, check: &HealthCheck) -> Result<()> {
        let conditions = serde_json::to_string(&check.conditions).map_err(Problem::internal)?;
        let problem = check.problem.as_ref().map(serde_json::to_string).transpose().map_err(Problem::internal)?;
        let failed = self.failed("The health check could not be stored");
        let mut transaction = self.write().await.map_err(&failed)?;
        sqlx::query(
            "INSERT INTO checks (integration, at, healthy, latency_ms, http_status, conditions, problem, \
             certificate_not_after) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&check.integration)
        .bind(check.at)
        .bind(check.healthy)
        .bind(check.latency_ms)
        .bind(check.http_status)
        .bind(conditions)
        .bind(problem)
        .bind(check.certificate_not_after)
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    /// The newest checks of an integration within a range, newest first, at most `limit` (10,000 at most).
    ///
    /// # Errors
    /// [`Code::Database`] where they can't be read.
    pub async fn checks(&self, integration: &str, from: Timestamp, to: Timestamp, limit: u32) -> Result<Vec<HealthCheck>> {
        let rows: Vec<CheckRow> = sqlx::query_as(
            "SELECT integration, at, healthy, latency_ms, http_status, conditions, problem, certificate_not_after \
             FROM checks WHERE integration = ? AND at BETWEEN ? AND ? ORDER BY at DESC, id DESC LIMIT ?",
        )
        .bind(integration)
        .bind(from)
        .bind(to)
        .bind(limit.min(MOST_CHECKS))
        .fetch_all(&self.0.readers)
        .await
        .map_err(self.failed("The health checks could not be read"))?;
        rows.into_iter().map(CheckRow::check).collect()
    }

    /// The last `n` checks of an integration (10,000 at most), newest first.
    ///
    /// # Errors
    /// [`Code::Database`] where they can't be read.
    pub async fn last_checks(&self, integration: &str, n: u32) -> Result<Vec<HealthCheck>> {
        self.checks(integration, Timestamp::MIN, Timestamp::MAX, n).await
    }

    /// Time, outcome and latency in milliseconds of every check of an integration within a range, oldest first. A check
    /// without an answer has no latency.
    ///
    /// # Errors
    /// [`Code::Database`] where they can't be read.
    pub async fn latency_points(
        &self,
        integration: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Timestamp, bool, Option<f64>)>> {
        // The index alone answers this. Nothing but the retention bounds it: a point is 24 bytes.
        sqlx::query_as("SELECT at, healthy, latency_ms FROM checks WHERE integration = ? AND at BETWEEN ? AND ? ORDER BY at")
            .bind(integration)
            .bind(from)
            .bind(to)
            .fetch_all(&self.0.readers)
            .await
            .map_err(self.failed("The health checks could not be read"))
    }

    /// Stores that nobody checked an integration from one moment to another. Stretches that overlap or touch become one.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] where it ends before it begins; [`Code::Database`] where it can't be written.
    pub async fn add_unobserved(&self, integration: &str, from: Timestamp, to: Timestamp) -> Result<()> {
        if to < from {
            return Err(Problem::new(Code::InvalidInput, "A stretch of unobserved time ends before it begins"));
        }
        let failed = self.failed("The unobserved time could not be stored");
        let mut transaction = self.write().await.map_err(&failed)?;
        let touching: Vec<(Timestamp, Timestamp)> = sqlx::query_as(
            "DELETE FROM unobserved WHERE integration = ? AND from_at <= ? AND to_at >= ? RETURNING from_at, to_at",
        )
        .bind(integration)
        .bind(to)
        .bind(from)
        .fetch_all(&mut *transaction)
        .await
        .map_err(&failed)?;
        let whole = touching.iter().fold((from, to), |whole, one| (whole.0.min(one.0), whole.1.max(one.1)));
        sqlx::query("INSERT INTO unobserved (integration, from_at, to_at) VALUES (?, ?, ?)")
            .bind(integration)
            .bind(whole.0)
            .bind(whole.1)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    /// The unobserved stretches of an integration, cut to the range, oldest first and apart from each other.
    ///
    /// # Errors
    /// [`Code::Database`] where they can't be read.
    pub async fn unobserved(&self, integration: &str, from: Timestamp, to: Timestamp) -> Result<Vec<(Timestamp, Timestamp)>> {
        sqlx::query_as(
            "SELECT max(from_at, ?2), min(to_at, ?3) FROM unobserved \
             WHERE integration = ?1 AND from_at < ?3 AND to_at > ?2 ORDER BY from_at",
        )
        .bind(integration)
        .bind(from)
        .bind(to)
        .fetch_all(&self.0.readers)
        .await
        .map_err(self.failed("The unobserved time could not be read"))
    }

    /// Opens an incident with its first failures. Where one is open already, that one comes back unchanged.
    ///
    /// # Errors
    /// [`Code::Database`] where it can't be written.
    pub async fn open_incident(&self, integration: &str, opened: Timestamp, failures: u64, cause: &str) -> Result<Incident> {
        let failed = self.failed("The incident could not be stored");
        let mut transaction = self.write().await.map_err(&failed)?;
        sqlx::query(
            "INSERT INTO incidents (integration, opened, failures, cause) VALUES (?, ?, ?, ?) \
             ON CONFLICT (integration) WHERE ended IS NULL DO NOTHING",
        )
        .bind(integration)
        .bind(opened)
        .bind(i64::try_from(failures).unwrap_or(i64::MAX))
        .bind(cause)
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        let row: IncidentRow = sqlx::query_as("SELECT * FROM incidents WHERE integration = ? AND ended IS NULL")
            .bind(integration)
            .fetch_one(&mut *transaction)
            .await
            .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(row.incident())
    }

    /// Counts one more failure of the open incident; gives it, or nothing where none is open.
    ///
    /// # Errors
    /// [`Code::Database`] where it can't be written.
    pub async fn bump_incident(&self, integration: &str) -> Result<Option<Incident>> {
        self.change_open(
            sqlx::query_as("UPDATE incidents SET failures = failures + 1 WHERE integration = ? AND ended IS NULL RETURNING *")
                .bind(integration),
        )
        .await
    }

    /// Ends the open incident; gives it, or nothing where none is open.
    ///
    /// # Errors
    /// [`Code::Database`] where it can't be written.
    pub async fn close_incident(&self, integration: &str, ended: Timestamp) -> Result<Option<Incident>> {
        self.change_open(
            sqlx::query_as("UPDATE incidents SET ended = ? WHERE integration = ? AND ended IS NULL RETURNING *")
                .bind(ended)
                .bind(integration),
        )
        .await
    }

    /// The open incident of an integration.
    ///
    /// # Errors
    /// [`Code::Database`] where it can't be read.
    pub async fn current_incident(&self, integration: &str) -> Result<Option<Incident>> {
        let row: Option<IncidentRow> = sqlx::query_as("SELECT * FROM incidents WHERE integration = ? AND ended IS NULL")
            .bind(integration)
            .fetch_optional(&self.0.readers)
            .await
            .map_err(self.failed("The incidents could not be read"))?;
        Ok(row.map(IncidentRow::incident))
    }

    /// Incidents, newest first, at most `limit` (1000 at most), of one integration where it is given.
    ///
    /// # Errors
    /// [`Code::Database`] where they can't be read.
    pub async fn incidents(&self, integration: Option<&str>, limit: u32) -> Result<Vec<Incident>> {
        let mut query = QueryBuilder::new("SELECT * FROM incidents");
        if let Some(integration) = integration {
            query.push(" WHERE integration = ").push_bind(integration);
        }
        query.push(" ORDER BY opened DESC, id DESC LIMIT ").push_bind(limit.min(MOST_INCIDENTS));
        let rows: Vec<IncidentRow> =
            query.build_query_as().fetch_all(&self.0.readers).await.map_err(self.failed("The incidents could not be read"))?;
        Ok(rows.into_iter().map(IncidentRow::incident).collect())
    }

    async fn change_open(
        &self,
        change: sqlx::query::QueryAs<'_, sqlx::Sqlite, IncidentRow, sqlx::sqlite::SqliteArguments>,
    ) -> Result<Option<Incident>> {
        let failed = self.failed("The incident could not be changed");
        let mut transaction = self.write().await.map_err(&failed)?;
        let row = change.fetch_optional(&mut *transaction).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(row.map(IncidentRow::incident))
    }
}

#[derive(FromRow)]
struct CheckRow {
    integration: String,
    at: Timestamp,
    healthy: bool,
    latency_ms: Option<f64>,
    http_status: Option<u16>,
    conditions: String,
    problem: Option<String>,
    certificate_not_after: Option<Timestamp>,
}

impl CheckRow {
    fn check(self) -> Result<HealthCheck> {
        let unreadable = |error: serde_json::Error| {
            Problem::new(Code::Database, format!("A stored health check of `{}` can't be read", self.integration))
                .why(error.to_string())
        };
        Ok(HealthCheck {
            conditions: serde_json::from_str(&self.conditions).map_err(unreadable)?,
            problem: self.problem.as_deref().map(serde_json::from_str).transpose().map_err(unreadable)?,
            integration: self.integration,
            at: self.at,
            healthy: self.healthy,
            latency_ms: self.latency_ms,
            http_status: self.http_status,
            certificate_not_after: self.certificate_not_after,
        })
    }
}

#[derive(FromRow)]
struct IncidentRow {
    id: i64,
    integration: String,
    opened: Timestamp,
    ended: Option<Timestamp>,
    failures: i64,
    cause: String,
}

impl IncidentRow {
    fn incident(self) -> Incident {
        Incident {
            id: self.id,
            integration: self.integration,
            opened: self.opened,
            ended: self.ended,
            failures: self.failures.unsigned_abs(),
            cause: self.cause,
        }
    }
}
