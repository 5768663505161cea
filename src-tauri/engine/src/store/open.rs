//! Opens the database: finds out what is at a location before anything there is changed, then brings it up to date.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use patchbay_contracts::{Code, Problem};
use percent_encoding::percent_decode_str;
use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous},
};

use super::{Inner, Store, problem};
use crate::Result;

/// Every migration, in order. The version of a database is how many of them it has seen, kept in its `user_version`.
const MIGRATIONS: [&str; 1] = [include_str!("../../migrations/0001_results.sql")];

/// Marks a SQLite file as Patchbay's: "Ptby", at offset 68 of the file
/// (<https://www.sqlite.org/fileformat2.html#application_id>).
const APPLICATION: i32 = 0x5074_6279;

/// How long a connection waits for one of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What the log is cut to once all of it is in the database, in bytes.
const LOG_LIMIT: &str = "16777216";

/// How many connections read at once. Each has a thread.
const READERS: u32 = 4;

pub(super) async fn open(location: &str) -> Result<Store> {
    match Location::parse(location)? {
        Location::Memory => open_memory().await,
        Location::File { path, create } => open_file(path, create).await,
    }
}

enum Location {
    Memory,
    File { path: PathBuf, create: bool },
}

impl Location {
    fn parse(text: &str) -> Result<Self> {
        let bad = |why: String| {
            Problem::new(Code::InvalidInput, format!("`{text}` is not a place for the results database"))
                .why(why)
                .next("Name a file, such as results.db or sqlite:///home/me/results.db, or :memory:")
        };
        if text.is_empty() || text.len() > 4096 || text.contains('\0') {
            return Err(bad("it is empty, too long or holds a zero byte".to_owned()));
        }
        if text == ":memory:" {
            return Ok(Self::Memory);
        }
        let Some(rest) = text.strip_prefix("sqlite:") else {
            if let Some((scheme, _)) = text.split_once("://") {
                return Err(bad(format!("results are kept in SQLite, not in {scheme}")));
            }
            return Ok(Self::File { path: PathBuf::from(text), create: true });
        };
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (file, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (mut create, mut memory) = (true, file == ":memory:");
        for option in query.split('&').filter(|option| !option.is_empty()) {
            match option {
                "mode=rwc" => create = true,
                "mode=rw" => create = false,
                "mode=memory" => memory = true,
                other => return Err(bad(format!("`{other}` is not an option here; mode=rwc, mode=rw and mode=memory are"))),
            }
        }
        if memory {
            return Ok(Self::Memory);
        }
        let file = percent_decode_str(file).decode_utf8().map_err(|error| bad(error.to_string()))?;
        if file.is_empty() || file.contains('\0') {
            return Err(bad("it names no file".to_owned()));
        }
        Ok(Self::File { path: PathBuf::from(file.as_ref()), create })
    }
}

fn options() -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .synchronous(SqliteSynchronous::Full)
        // One large report must not leave a log of its size beside the database for ever.
        .pragma("journal_size_limit", LOG_LIMIT)
        .disable_statement_logging()
}

/// One connection for everything: another one would see another memory.
async fn open_memory() -> Result<Store> {
    let location = ":memory:".to_owned();
    let failed = |error| problem("A results database could not be made in memory", &location, &error);
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options().in_memory(true))
        .await
        .map_err(failed)?;
    let mut connection = pool.acquire().await.map_err(failed)?;
    migrate(&mut connection, &location).await?;
    drop(connection);
    Ok(Store(Arc::new(Inner { location, writer: pool.clone(), readers: pool, series: tokio::sync::Mutex::default() })))
}

async fn open_file(path: PathBuf, create: bool) -> Result<Store> {
    let looked_at = path.clone();
    let path = tokio::task::spawn_blocking(move || prepare(&looked_at, create)).await.map_err(Problem::internal)??;
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        // While another program makes the database, mends it after a kill or leaves it as the last, SQLite says at once
        // that it is locked, whatever time it was given (https://www.sqlite.org/wal.html, "Sometimes Queries Return
        // SQLITE_BUSY In WAL Mode").
        match connect(&path, create).await {
            Err(problem) if problem.code == Code::InUse && Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            done => return done,
        }
    }
}

async fn connect(path: &Path, create: bool) -> Result<Store> {
    let location = path.display().to_string();
    let failed = |error| problem("The results database could not be opened", &location, &error);
    let file = options().filename(path);
    look(&file, path, &location).await?;
    let mut bootstrap = file.clone().create_if_missing(create).connect().await.map_err(failed)?;
    if let Err(problem) = migrate(&mut bootstrap, &location).await {
        // Takes the empty files away again that SQLite has put beside the database.
        let _ = bootstrap.close().await;
        return Err(problem);
    }
    // Kept in the file from then on; done once here, since every connection that asks for it needs the file for itself.
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode = WAL").fetch_one(&mut bootstrap).await.map_err(failed)?;
    if mode != "wal" {
        return Err(Problem::new(Code::Database, "The results database could not be opened")
            .why(format!("the file system of {location} can't share memory between programs"))
            .next("Choose a place on a local disk with --db"));
    }
    let pool = SqlitePoolOptions::new().max_lifetime(None).test_before_acquire(false);
    let writer =
        pool.clone().max_connections(1).min_connections(1).idle_timeout(None).connect_with(file.clone()).await.map_err(failed)?;
    // The bootstrap connection goes after the writer has come: the last one to leave would take the log away again.
    bootstrap.close().await.map_err(failed)?;
    let readers = pool
        .max_connections(READERS)
        .idle_timeout(Duration::from_secs(60))
        .connect_with(file.read_only(true))
        .await
        .map_err(failed)?;
    Ok(Store(Arc::new(Inner { location, writer, readers, series: tokio::sync::Mutex::default() })))
}

/// Looks at what is there without SQLite, which could change it, and makes the folder where nothing is. Gives the
/// absolute path.
fn prepare(path: &Path, create: bool) -> Result<PathBuf> {
    let refused =
        |why: String| Problem::new(Code::Database, format!("{} can't be the results database", path.display())).why(why);
    let elsewhere = "Choose another place with --db";
    let absolute = std::path::absolute(path).map_err(|error| refused(error.to_string()).next(elsewhere))?;
    match fs::metadata(&absolute) {
        Ok(found) if found.is_dir() => {
            return Err(refused("it is a folder".to_owned()).next("Name a file in it, such as results.db"));
        }
        Ok(found) if !found.is_file() => return Err(refused("it is no file".to_owned()).next(elsewhere)),
        Ok(found) if found.len() == 0 => return Ok(absolute),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && create => {
            if let Some(folder) = absolute.parent() {
                fs::create_dir_all(folder).map_err(|error| {
                    refused(format!("its folder can't be made: {error}")).next("Choose a place that can be written with --db")
                })?;
            }
            return Ok(absolute);
        }
        Err(error) => return Err(refused(error.to_string()).next(elsewhere)),
    }
    let mut header = [0; 100];
    // For writing as well: SQLite would fall back to reading without a word, and the first result would be lost.
    let opened = fs::OpenOptions::new().read(true).write(true).open(&absolute);
    let mut file = opened
        .map_err(|error| refused(error.to_string()).next("Make it readable and writable, or choose another place with --db"))?;
    let whole = file.read_exact(&mut header).is_ok();
    if !whole || !header.starts_with(b"SQLite format 3\0") {
        return Err(refused("it is a file of another kind".to_owned()).next(elsewhere));
    }
    Ok(absolute)
}

/// Finds out whether the database is one to work on, without changing anything there, where that can be known so.
async fn look(file: &SqliteConnectOptions, path: &Path, location: &str) -> Result<()> {
    let failed = |error| problem("The results database could not be opened", location, &error);
    let in_use = || ["-wal", "-shm", "-journal"].iter().any(|suffix| beside(path, suffix).is_some());
    let reader = match (beside(path, ""), beside(path, "-wal")) {
        (None | Some(0), _) => return Ok(()),
        // What it says of itself may stand in the log that a killed program left. Reading changes neither.
        (_, Some(1..)) => file.clone().read_only(true),
        // Nobody works on it, so that SQLite needs no files of its own beside it.
        _ if !in_use() => file.clone().immutable(true),
        // Somebody does, or was killed while changing it: that is for SQLite to see to, before it is asked again.
        _ => return Ok(()),
    };
    let mut reader = reader.connect().await.map_err(failed)?;
    let known = identify(&mut reader, location).await;
    reader.close().await.map_err(failed)?;
    match known {
        // Somebody came in between, and what was read may have been half written.
        Err(problem) if problem.code == Code::Database && in_use() => Ok(()),
        known => known.map(drop),
    }
}

/// The size of the file that SQLite keeps beside a database, where there is one.
fn beside(path: &Path, suffix: &str) -> Option<u64> {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    fs::metadata(PathBuf::from(name)).ok().map(|found| found.len())
}

/// Whether a database is one that this program may work on; gives the version that it has.
fn judge(application: i32, version: i32, has_tables: bool, location: &str) -> Result<usize> {
    if application != APPLICATION && (has_tables || application != 0 || version != 0) {
        return Err(Problem::new(Code::Database, format!("{location} can't be the results database"))
            .why("it is the database of another program")
            .next("Choose another place with --db"));
    }
    match usize::try_from(version) {
        Ok(version) if version <= MIGRATIONS.len() => Ok(version),
        _ => Err(Problem::new(Code::DatabaseTooNew, format!("{location} was written by a newer Patchbay"))
            .why(format!("it has version {version}, and this Patchbay knows versions up to {}", MIGRATIONS.len()))
            .next("Use the newer Patchbay, or choose another place with --db; nothing in it was changed")),
    }
}

/// Asks SQLite what the database says of itself, then judges that.
async fn identify(connection: &mut SqliteConnection, location: &str) -> Result<usize> {
    let failed = |error| problem("The results database could not be read", location, &error);
    // All three as of one moment: another program may be making the database meanwhile.
    let mut moment = connection.begin().await.map_err(failed)?;
    let application: i32 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *moment).await.map_err(failed)?;
    let version: i32 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *moment).await.map_err(failed)?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *moment).await.map_err(failed)?;
    moment.rollback().await.map_err(failed)?;
    judge(application, version, tables > 0, location)
}

/// Carries out the migrations that are missing, all or none. Several programs may do so at once: the first does, and the
/// others find it done.
async fn migrate(connection: &mut SqliteConnection, location: &str) -> Result<()> {
    let failed = |error| problem("The results database could not be brought up to date", location, &error);
    if identify(connection, location).await? == 0 {
        // Lets the file shrink when results are pruned. It counts only before the first table.
        sqlx::query("PRAGMA auto_vacuum = INCREMENTAL").execute(&mut *connection).await.map_err(failed)?;
    }
    // Also where nothing is missing: it shows now, and not at the first result, whether the file can be written.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let version = identify(&mut transaction, location).await?;
    for migration in &MIGRATIONS[version..] {
        sqlx::raw_sql(*migration).execute(&mut *transaction).await.map_err(failed)?;
    }
    if version < MIGRATIONS.len() {
        // Both are written like any page, so that a rollback takes them back.
        let mark = format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {}", MIGRATIONS.len());
        sqlx::raw_sql(sqlx::AssertSqlSafe(mark)).execute(&mut *transaction).await.map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}
