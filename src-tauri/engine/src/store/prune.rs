//! Takes away what is older than it is kept.

use patchbay_contracts::Timestamp;

use super::Store;
use crate::Result;

/// Series whose samples are pruned in one transaction. Whoever wants to store a result waits no longer than that.
const SERIES_AT_ONCE: usize = 1000;

/// Rows that are pruned in one transaction.
const ROWS_AT_ONCE: u32 = 5000;

/// What was taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Runs with their reports.
    pub runs: u64,
    /// Health checks.
    pub checks: u64,
    /// Incidents that had ended.
    pub incidents: u64,
    /// Samples of metrics.
    pub samples: u64,
    /// Series that have no sample left.
    pub series: u64,
}

impl Store {
    /// Takes away all that is older than `before`: runs by their beginning, checks and samples by their time, incidents
    /// and unobserved time by their end (an open incident stays), and series without samples. Then gives the room back
    /// to the disk. Works in small transactions, so that results can be stored meanwhile; what was taken away before an
    /// error stays away.
    ///
    /// # Errors
    /// [`Code::Database`](crate::Code::Database) where it can't be written.
    pub async fn prune(&self, before: Timestamp) -> Result<Pruned> {
        self.prune_all(before).await.map_err(self.failed("Old results could not be taken away"))
    }

    async fn prune_all(&self, before: Timestamp) -> std::result::Result<Pruned, sqlx::Error> {
        let runs = self
            .prune_rows("DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE at < ?1 ORDER BY at LIMIT ?2)", before)
            .await?;
        let incidents = self
            .prune_rows("DELETE FROM incidents WHERE id IN (SELECT id FROM incidents WHERE ended < ?1 LIMIT ?2)", before)
            .await?;
        self.prune_rows(
            "DELETE FROM unobserved WHERE (integration, from_at) IN \
             (SELECT integration, from_at FROM unobserved WHERE to_at < ?1 LIMIT ?2)",
            before,
        )
        .await?;
        let mut checks = 0;
        let integrations: Vec<String> =
            sqlx::query_scalar("SELECT DISTINCT integration FROM checks").fetch_all(&self.0.readers).await?;
        for integration in integrations {
            loop {
                let mut transaction = self.write().await?;
                let gone = sqlx::query(
                    "DELETE FROM checks WHERE id IN (SELECT id FROM checks WHERE integration = ? AND at < ? ORDER BY at LIMIT ?)",
                )
                .bind(&integration)
                .bind(before)
                .bind(ROWS_AT_ONCE)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
                transaction.commit().await?;
                checks += gone;
                if gone < u64::from(ROWS_AT_ONCE) {
                    break;
                }
            }
        }
        let (samples, series) = self.prune_samples(before).await?;
        self.shrink().await?;
        Ok(Pruned { runs, checks, incidents, samples, series })
    }

    /// Gives free pages back to the disk, some at a time.
    async fn shrink(&self) -> std::result::Result<(), sqlx::Error> {
        let mut before = i64::MAX;
        loop {
            let free: i64 = sqlx::query_scalar("PRAGMA freelist_count").fetch_one(&self.0.writer).await?;
            // Without progress there is nothing more to be had: the database may have been made without this.
            if free == 0 || free >= before {
                return Ok(());
            }
            before = free;
            sqlx::raw_sql("PRAGMA incremental_vacuum(5000)").execute(&self.0.writer).await?;
        }
    }

    async fn prune_rows(&self, statement: &'static str, before: Timestamp) -> std::result::Result<u64, sqlx::Error> {
        let mut all = 0;
        loop {
            let mut transaction = self.write().await?;
            let gone = sqlx::query(statement).bind(before).bind(ROWS_AT_ONCE).execute(&mut *transaction).await?.rows_affected();
            transaction.commit().await?;
            all += gone;
            if gone < u64::from(ROWS_AT_ONCE) {
                return Ok(all);
            }
        }
    }

    async fn prune_samples(&self, before: Timestamp) -> std::result::Result<(u64, u64), sqlx::Error> {
        let ids: Vec<i64> = sqlx::query_scalar("SELECT id FROM series ORDER BY id").fetch_all(&self.0.readers).await?;
        let (mut samples, mut series) = (0, 0);
        for chunk in ids.chunks(SERIES_AT_ONCE) {
            let (Some(first), Some(last)) = (chunk.first(), chunk.last()) else { continue };
            // While series go, nobody may write by numbers that are remembered.
            let mut cache = self.0.series.lock().await;
            let mut transaction = self.write().await?;
            // The table is ordered by series and then by time: for each series this is one stretch of it.
            samples += sqlx::query(
                "DELETE FROM samples WHERE (series, at) IN (SELECT series, at FROM series JOIN samples ON series = id \
                 WHERE id BETWEEN ? AND ? AND at < ?)",
            )
            .bind(first)
            .bind(last)
            .bind(before)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
            let gone = sqlx::query(
                "DELETE FROM series WHERE id BETWEEN ? AND ? AND NOT EXISTS (SELECT 1 FROM samples WHERE series = id)",
            )
            .bind(first)
            .bind(last)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
            transaction.commit().await?;
            if gone > 0 {
                cache.clear();
            }
            series += gone;
        }
        Ok((samples, series))
    }
}
