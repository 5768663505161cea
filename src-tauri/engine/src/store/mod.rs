//! Results: runs, health checks, incidents and metrics, in a SQLite database.
//!
//! One connection writes, each time within `BEGIN IMMEDIATE`, and several read beside it (WAL). What was acknowledged,
//! by a function here having returned `Ok`, survives the end of the process by any means (SIGKILL included), since its
//! commit has left the process, and a loss of power as well, since `synchronous = FULL` waits for the disk at each
//! commit. That costs some milliseconds a commit, at a few commits a second. A run that was started and never stored
//! isn't there at all.

mod health;
mod metrics;
mod open;
mod prune;
mod runs;
mod settings;

use std::sync::Arc;

use patchbay_contracts::{Code, Problem};
use sqlx::{Sqlite, SqlitePool, Transaction};

pub use self::{
    metrics::{MOST_POINTS, MOST_SERIES, SeriesKey},
    prune::Pruned,
};
use crate::Result;

/// The results database. Clones are the same one.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    location: String,
    writer: SqlitePool,
    readers: SqlitePool,
    series: tokio::sync::Mutex<metrics::Cache>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Store").field(&self.0.location).finish()
    }
}

impl Store {
    /// Opens the database at `location`, and makes it where it isn't there yet: a path, a SQLite URL
    /// (`sqlite:results.db`, `sqlite:///var/lib/results.db?mode=rw`), or `:memory:` for one that goes with the program.
    ///
    /// # Errors
    /// [`Code::DatabaseTooNew`] where a newer Patchbay wrote it; then nothing in it is touched. [`Code::InvalidInput`]
    /// for a location that can't be one, and [`Code::Database`] for a folder, a file that is no database or belongs to
    /// another program, one that is damaged, and one that can't be read or written; none of them is changed.
    /// [`Code::InUse`] where another program keeps it locked.
    pub async fn open(location: &str) -> Result<Self> {
        open::open(location).await
    }

    /// Where the database is: an absolute path, or `:memory:`.
    pub fn location(&self) -> &str {
        &self.0.location
    }

    /// Closes all connections. What is under way is finished first; every later call fails.
    pub async fn close(&self) {
        self.0.readers.close().await;
        self.0.writer.close().await;
    }

    /// What is damaged in the database, in SQLite's words; empty where nothing is. Reads all of it.
    ///
    /// # Errors
    /// [`Code::Database`] where it is too damaged even for that.
    pub async fn damage(&self) -> Result<Vec<String>> {
        let found: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(20)")
            .fetch_all(&self.0.readers)
            .await
            .map_err(self.failed("The results database could not be checked"))?;
        Ok(found.into_iter().filter(|line| line != "ok").collect())
    }

    /// A transaction that holds the right to write from its beginning.
    async fn write(&self) -> std::result::Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.0.writer.begin_with("BEGIN IMMEDIATE").await
    }

    /// Turns SQLite's errors into a problem that says `what` happened.
    fn failed(&self, what: &'static str) -> impl Fn(sqlx::Error) -> Problem + '_ {
        move |error| problem(what, &self.0.location, &error)
    }
}

/// What an error of SQLite means for a person. Codes: <https://www.sqlite.org/rescode.html>.
fn problem(what: impl Into<String>, location: &str, error: &sqlx::Error) -> Problem {
    let code = match error {
        sqlx::Error::Database(error) => error.code().and_then(|code| code.parse::<u32>().ok()),
        sqlx::Error::PoolTimedOut => Some(BUSY),
        _ => None,
    };
    let (code, why, next) = match code.map(|code| code & 0xff) {
        Some(BUSY | 6) => (
            Code::InUse,
            "another program keeps it locked".to_owned(),
            "Close the program that works on it, another copy of Patchbay perhaps, and try again".to_owned(),
        ),
        Some(8) => (
            Code::Database,
            format!("{location} can't be written"),
            "Make it writable, or choose another place with --db".to_owned(),
        ),
        Some(11) => (
            Code::Database,
            format!("{location} is damaged"),
            format!("Move it away and start again; `sqlite3 {location} .recover` may save what is left in it"),
        ),
        Some(13) => (Code::Database, "the disk is full".to_owned(), "Make room, or choose another place with --db".to_owned()),
        Some(14) => (
            Code::Database,
            format!("{location} can't be opened"),
            "See that its folder is there and can be written, or choose another place with --db".to_owned(),
        ),
        Some(26) => (Code::Database, format!("{location} is not a database"), "Choose another place with --db".to_owned()),
        _ => (Code::Database, error.to_string(), String::new()),
    };
    Problem::new(code, what).why(why).next(next)
}

/// SQLITE_BUSY.
const BUSY: u32 = 5;
