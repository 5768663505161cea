//! What a person set.

use patchbay_contracts::{Problem, workspace::Settings};

use super::Store;
use crate::Result;

impl Store {
    /// The settings; the defaults where none were saved, or where a newer Patchbay saved what this one can't read.
    ///
    /// # Errors
    /// [`Code::Database`](crate::Code::Database) where they can't be read.
    pub async fn settings(&self) -> Result<Settings> {
        let body: Option<String> = sqlx::query_scalar("SELECT body FROM settings WHERE id = 1")
            .fetch_optional(&self.0.readers)
            .await
            .map_err(self.failed("The settings could not be read"))?;
        let Some(body) = body else { return Ok(Settings::default()) };
        Ok(serde_json::from_str(&body).unwrap_or_else(|error| {
            tracing::warn!(%error, "the stored settings can't be read; the defaults are used");
            Settings::default()
        }))
    }

    /// Saves the settings.
    ///
    /// # Errors
    /// [`Code::Database`](crate::Code::Database) where they can't be written.
    pub async fn save_settings(&self, settings: &Settings) -> Result<()> {
        let body = serde_json::to_string(settings).map_err(Problem::internal)?;
        let failed = self.failed("The settings could not be saved");
        let mut transaction = self.write().await.map_err(&failed)?;
        sqlx::query("INSERT INTO settings (id, body) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body")
            .bind(body)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }
}
