//! The results store: what it keeps, what it refuses, and what survives a kill.

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

#[tokio::test]
async fn makes_and_opens_a_database_where_it_is_told() {
    async fn check(dir: &Path, location: &str, file: &str) {
        let store = Store::open(location).await.unwrap_or_else(|problem| panic!("{location}: {problem}"));
        store.add_check(&results::check("orders", START, true)).await.unwrap();
        store.close().await;
        assert_eq!(store.location(), dir.join(file).to_str().unwrap());
        let again = Store::open(location).await.unwrap();
        assert_eq!(again.last_checks("orders", 10).await.unwrap().len(), 1, "{location}");
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    check(dir.path(), &at("plain.db"), "plain.db").await;
    check(dir.path(), &at("grüße 100%.db"), "grüße 100%.db").await;
    check(dir.path(), &at("new/folder/deep.db"), "new/folder/deep.db").await;
    check(dir.path(), &format!("sqlite:{}", at("url.db")), "url.db").await;
    check(dir.path(), &format!("sqlite://{}?mode=rwc", at("url2.db")), "url2.db").await;
    check(dir.path(), &format!("sqlite://{}", at("a%20b.db")), "a b.db").await;
    std::fs::write(dir.path().join("empty.db"), "").unwrap();
    check(dir.path(), &at("empty.db"), "empty.db").await;
    std::fs::remove_file(dir.path().join("plain.db")).unwrap();
    std::fs::File::create(dir.path().join("plain.db")).unwrap();
    check(dir.path(), &format!("sqlite:{}?mode=rw", at("plain.db")), "plain.db").await;
}

#[tokio::test]
async fn memory_is_a_place_too_and_each_has_its_own() {
    for location in [":memory:", "sqlite::memory:", "sqlite://:memory:", "sqlite:any?mode=memory"] {
        let (one, other) = (Store::open(location).await.unwrap(), Store::open(location).await.unwrap());
        assert_eq!(one.location(), ":memory:");
        let adding = (0..20).map(|n| {
            let store = one.clone();
            tokio::spawn(async move { store.add_check(&results::check("orders", START + n, true)).await })
        });
        for added in adding.collect::<Vec<_>>() {
            added.await.unwrap().unwrap();
        }
        assert_eq!(one.last_checks("orders", 100).await.unwrap().len(), 20);
        assert_eq!(other.last_checks("orders", 100).await.unwrap().len(), 0);
        one.prune(Timestamp::MAX).await.unwrap();
    }
    assert!(!Path::new(":memory:").exists() && !Path::new("any").exists());
}

/// A store with one of everything in it, closed.
async fn filled(path: &Path) {
    let store = Store::open(path.to_str().unwrap()).await.unwrap();
    store.add_run(&results::probe(Some("orders"), 200, 100_000), 1.0, "one".to_owned()).await.unwrap();
    store.add_check(&results::check("orders", START, true)).await.unwrap();
    store.add_scrape("orders", &results::scrape(START, 500, 1.0)).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn what_cannot_be_the_database_is_refused_and_left_as_it_is() {
    async fn check(dir: &Path, location: &str, code: Code, why: &str) {
        let before = snapshot(dir);
        let problem = Store::open(location).await.expect_err(location);
        assert_eq!(problem.code, code, "{location}: {problem}");
        assert!(problem.to_string().contains(why), "{location}: {problem} does not say `{why}`");
        assert!(!problem.next.is_empty(), "{location}: {problem} says nothing of what to do");
        let after = snapshot(dir);
        let sizes = |files: &BTreeMap<PathBuf, Vec<u8>>| files.iter().map(|(f, b)| (f.clone(), b.len())).collect::<Vec<_>>();
        assert!(before == after, "{location}: something was changed: {:?} became {:?}", sizes(&before), sizes(&after));
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(dir.join("folder")).unwrap();
    std::fs::write(dir.join("notes.txt"), "shopping list, and quite a long one at that\n".repeat(500)).unwrap();
    std::fs::write(dir.join("short"), "x").unwrap();
    std::fs::write(dir.join("cut.db"), "SQLite format 3\0").unwrap();
    sql(&dir.join("other.db"), "CREATE TABLE bookmarks (url TEXT)").await;
    sql(&dir.join("marked.db"), "PRAGMA application_id = 7; CREATE TABLE t (a)").await;
    filled(&dir.join("newer.db")).await;
    sql(&dir.join("newer.db"), "PRAGMA user_version = 1000").await;
    filled(&dir.join("oddly.db")).await;
    sql(&dir.join("oddly.db"), "PRAGMA user_version = -3").await;
    // Its tables can't be read: the page that lists them is noise.
    filled(&dir.join("noise.db")).await;
    let mut bytes = std::fs::read(dir.join("noise.db")).unwrap();
    bytes[100..4096].fill(0xA5);
    std::fs::write(dir.join("noise.db"), &bytes).unwrap();
    // Half of it is missing.
    filled(&dir.join("half.db")).await;
    let bytes = std::fs::read(dir.join("half.db")).unwrap();
    std::fs::write(dir.join("half.db"), &bytes[..bytes.len() / 8192 * 4096]).unwrap();

    check(dir, &at("folder"), Code::Database, "folder").await;
    check(dir, &at("notes.txt"), Code::Database, "another kind").await;
    check(dir, &at("short"), Code::Database, "another kind").await;
    check(dir, &at("cut.db"), Code::Database, "another kind").await;
    check(dir, &at("other.db"), Code::Database, "another program").await;
    check(dir, &at("marked.db"), Code::Database, "another program").await;
    check(dir, &at("newer.db"), Code::DatabaseTooNew, "version 1000").await;
    check(dir, &at("oddly.db"), Code::DatabaseTooNew, "version -3").await;
    check(dir, &at("noise.db"), Code::Database, "damaged").await;
    check(dir, &at("half.db"), Code::Database, "damaged").await;
    check(dir, &format!("sqlite:{}?mode=rw", at("nowhere.db")), Code::Database, "nowhere.db").await;
    check(dir, &at("short/results.db"), Code::Database, "short/results.db").await;
    check(dir, "", Code::InvalidInput, "empty").await;
    check(dir, "postgres://localhost/results", Code::InvalidInput, "postgres").await;
    check(dir, "sqlite:x.db?immutable=1", Code::InvalidInput, "immutable").await;
    check(dir, "sqlite:", Code::InvalidInput, "no file").await;
    #[cfg(unix)]
    check(dir, "/dev/null", Code::Database, "no file").await;
}

#[tokio::test]
async fn a_newer_database_is_known_even_where_only_its_log_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("results.db");
    filled(&path).await;
    // As a newer program leaves it when it is killed right after it has brought the database up to date.
    let mut newer = raw(&path).await;
    sqlx::raw_sql("PRAGMA wal_autocheckpoint = 0; BEGIN; CREATE TABLE later (a); PRAGMA user_version = 2; COMMIT")
        .execute(&mut newer)
        .await
        .unwrap();
    let killed = tempfile::tempdir().unwrap();
    for file in ["results.db", "results.db-wal"] {
        std::fs::copy(dir.path().join(file), killed.path().join(file)).unwrap();
    }
    let header = std::fs::read(killed.path().join("results.db")).unwrap();
    assert_eq!(header[60..64], 1_i32.to_be_bytes(), "the file itself does not know yet");
    let before = snapshot(killed.path());
    let problem = Store::open(killed.path().join("results.db").to_str().unwrap()).await.unwrap_err();
    assert_eq!(problem.code, Code::DatabaseTooNew, "{problem}");
    let after = snapshot(killed.path());
    assert!(before.iter().all(|(file, bytes)| after.get(file) == Some(bytes)), "the database or its log was changed");
}

#[tokio::test]
async fn damage_that_shows_later_is_a_problem_and_is_found_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("results.db");
    filled(&path).await;
    let healthy = Store::open(path.to_str().unwrap()).await.unwrap();
    assert_eq!(healthy.damage().await.unwrap(), Vec::<String>::new());
    healthy.close().await;
    let mut connection = raw(&path).await;
    let page: i64 =
        sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE name = 'checks'").fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let from = (page as usize - 1) * 4096;
    bytes[from..from + 4096].fill(0xA5);
    std::fs::write(&path, bytes).unwrap();
    let store = Store::open(path.to_str().unwrap()).await.unwrap();
    assert!(store.damage().await.map_or(true, |found| !found.is_empty()));
    let problem = store.last_checks("orders", 10).await.unwrap_err();
    assert_eq!(problem.code, Code::Database);
    assert!(problem.why.contains("damaged") && problem.next.contains(".recover"), "{problem}");
    // The rest can still be read.
    assert_eq!(store.runs(None, None, 10, None).await.unwrap().len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_place_that_cannot_be_written_is_refused_and_left_as_it_is() {
    use std::os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    };
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("closed");
    std::fs::create_dir(&home).unwrap();
    filled(&home.join("results.db")).await;
    // Root may write anywhere, so somebody else must try.
    let helper = dir.path().join("store_writer");
    std::fs::copy(env!("CARGO_BIN_EXE_store_writer"), &helper).unwrap();
    let open = |mode: u32| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(dir.path(), open(0o755)).unwrap();
    std::fs::set_permissions(&helper, open(0o755)).unwrap();
    let am_root = std::fs::metadata(&home).unwrap().uid() == 0;
    let check = |name: &str, folder: u32, file: u32, why: &str| {
        std::fs::set_permissions(home.join("results.db"), open(file)).unwrap();
        std::fs::set_permissions(&home, open(folder)).unwrap();
        let mut command = Command::new(&helper);
        command.args(["open", home.join(name).to_str().unwrap()]).env_clear().current_dir("/");
        if am_root {
            command.uid(65_534).gid(65_534);
        }
        let answer = command.output().unwrap();
        std::fs::set_permissions(&home, open(0o755)).unwrap();
        let text = String::from_utf8(answer.stdout).unwrap();
        let problem: patchbay_contracts::Problem = serde_json::from_str(&text)
            .unwrap_or_else(|_| panic!("{name} {folder:o} {file:o}: {text} {}", String::from_utf8_lossy(&answer.stderr)));
        assert_eq!(problem.code, Code::Database, "{problem}");
        assert!(problem.why.contains(why), "{name} {folder:o} {file:o}: {problem}");
        assert!(problem.next.contains("--db"), "{problem}");
    };
    let before = snapshot(&home);
    check("results.db", 0o555, 0o444, "ermission");
    check("results.db", 0o555, 0o666, "can't be");
    check("results.db", 0o777, 0o444, "ermission");
    check("results.db", 0o777, 0o000, "ermission");
    check("new.db", 0o555, 0o666, "can't be opened");
    check("deeper/new.db", 0o555, 0o666, "folder can't be made");
    std::fs::set_permissions(home.join("results.db"), open(0o644)).unwrap();
    assert!(before == snapshot(&home), "something was changed");
}

#[tokio::test]
async fn many_open_the_same_new_database_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("results.db");
    let opening: Vec<_> = (0..6)
        .map(|n| {
            let path = path.to_str().unwrap().to_owned();
            tokio::spawn(async move {
                let store = Store::open(&path).await?;
                store.add_check(&results::check("orders", START + n, true)).await?;
                patchbay_engine::Result::Ok(store)
            })
        })
        .collect();
    let mut stores = Vec::new();
    for opened in opening {
        stores.push(opened.await.unwrap().unwrap());
    }
    for store in stores {
        assert_eq!(store.last_checks("orders", 10).await.unwrap().len(), 6);
    }
}

#[tokio::test]
async fn waits_for_another_program_that_writes() {
    let (dir, store) = store().await;
    let mut other = raw(&dir.path().join("results.db")).await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.add_check(&results::check("orders", START, true)).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    // Reading goes on meanwhile.
    assert!(!waiting.is_finished() && store.last_checks("orders", 1).await.unwrap().is_empty());
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(store.last_checks("orders", 1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn reading_and_writing_go_on_together() {
    let (_dir, store) = store().await;
    let mut working = Vec::new();
    for n in 0..40 {
        let store = store.clone();
        working.push(tokio::spawn(async move {
            match n % 4 {
                0 => store.add_check(&results::check("orders", START + n, true)).await,
                1 => store.add_run(&results::contract("orders"), 1.0, String::new()).await.map(drop),
                2 => store.add_scrape("orders", &results::scrape(START + n, 300, 1.0)).await.map(drop),
                _ => store.series("orders").await.map(drop),
            }
        }));
    }
    for work in working {
        work.await.unwrap().unwrap();
    }
    assert_eq!(store.last_checks("orders", 100).await.unwrap().len(), 10);
    assert_eq!(store.runs(None, None, 100, None).await.unwrap().len(), 10);
    assert_eq!(store.series("orders").await.unwrap().len(), 300);
}

#[tokio::test]
async fn what_is_given_up_half_way_leaves_no_half() {
    let (_dir, store) = store().await;
    let mut kept = 0;
    for n in 0..60_u64 {
        let report = results::scrape(START + n as i64, 400, 1.0);
        let adding = store.add_scrape("orders", &report);
        if tokio::time::timeout(Duration::from_micros(n * 150), adding).await.is_ok() {
            kept += 1;
        }
    }
    let points = store.points("orders", "requests_total", &[], 0, Timestamp::MAX).await.unwrap();
    let errors = store.points("orders", "errors_total", &[], 0, Timestamp::MAX).await.unwrap();
    let times: BTreeSet<usize> = points.iter().chain(&errors).map(|(_, points)| points.len()).collect();
    assert!(times.len() <= 1, "each series has as many samples as any other: {times:?}");
    assert!(times.first().copied().unwrap_or(0) >= kept);
    assert_eq!(store.add_scrape("orders", &results::scrape(START + 1000, 400, 1.0)).await.unwrap(), 400);
}

#[tokio::test]
async fn runs_come_back_as_they_were() {
    let (dir, store) = store().await;
    async fn check(store: &Store, report: Report, integration: Option<&str>, kind: RunKind, verdict: Verdict, partial: bool) {
        let added = store.add_run(&report, 12.5, "  one\nline\t of it ".to_owned()).await.unwrap();
        assert_eq!(added.integration.as_deref(), integration);
        assert_eq!((added.kind, added.verdict, added.partial), (kind, verdict, partial));
        assert_eq!((added.at, added.duration_ms, added.headline.as_str()), (report.at(), 12.5, "one line of it"));
        let run = store.run(added.id).await.unwrap();
        assert_eq!((&run.summary, &run.report), (&added, &report));
        assert_eq!(store.runs(None, None, 1, None).await.unwrap(), [added]);
    }
    check(&store, results::probe(Some("orders"), 200, 100), Some("orders"), RunKind::Probe, Verdict::Pass, false).await;
    check(&store, results::probe(None, 399, 0), None, RunKind::Probe, Verdict::Pass, false).await;
    check(&store, results::probe(None, 404, 3_000_000), None, RunKind::Probe, Verdict::Fail, false).await;
    check(&store, results::contract("orders"), Some("orders"), RunKind::Contract, Verdict::Fail, false).await;
    check(&store, results::load("orders", 3600), Some("orders"), RunKind::Load, Verdict::Inconclusive, true).await;
    check(&store, results::load("http://127.0.0.1:1/", 1), None, RunKind::Load, Verdict::Inconclusive, true).await;
    let Report::Probe(mut unanswered) = results::probe(None, 200, 0) else { unreachable!("it is a probe") };
    unanswered.response = None;
    unanswered.problem = Some(patchbay_contracts::Problem::new(Code::Cancelled, "Stopped"));
    check(&store, Report::Probe(unanswered), None, RunKind::Probe, Verdict::Inconclusive, true).await;
    let mut connection = raw(&dir.path().join("results.db")).await;
    let large: i64 = sqlx::query_scalar("SELECT max(length(body)) FROM reports").fetch_one(&mut connection).await.unwrap();
    assert!(large < 300_000, "three megabytes of text are kept in {large} bytes");
}

#[tokio::test]
async fn runs_are_listed_by_integration_and_kind_and_in_pages() {
    let (_dir, store) = store().await;
    for n in 0..30 {
        let report = match n % 3 {
            0 => results::probe(Some("orders"), 200, 0),
            1 => results::contract("orders"),
            _ => results::load("stripe", 1),
        };
        store.add_run(&report, 1.0, format!("run {n}")).await.unwrap();
    }
    let count = async |integration, kind| store.runs(integration, kind, 1000, None).await.unwrap().len();
    assert_eq!(count(None, None).await, 30);
    assert_eq!(count(Some("orders"), None).await, 20);
    assert_eq!(count(Some("orders"), Some(RunKind::Contract)).await, 10);
    assert_eq!(count(None, Some(RunKind::Load)).await, 10);
    assert_eq!(count(Some("nobody"), None).await, 0);
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        let page = store.runs(Some("orders"), None, 7, before).await.unwrap();
        before = page.last().map(|run| run.id);
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 7);
        pages.extend(page);
    }
    assert_eq!(pages, store.runs(Some("orders"), None, 1000, None).await.unwrap());
    assert!(pages.windows(2).all(|two| two[0].id > two[1].id), "newest first");
}

#[tokio::test]
async fn a_removed_run_is_gone_for_good_and_its_number_with_it() {
    let (dir, store) = store().await;
    let run = store.add_run(&results::contract("orders"), 1.0, String::new()).await.unwrap();
    store.remove_run(run.id).await.unwrap();
    assert_eq!(store.run(run.id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(store.remove_run(run.id).await.unwrap_err().code, Code::NotFound);
    let reports: i64 = sqlx::query_scalar("SELECT count(*) FROM reports")
        .fetch_one(&mut raw(&dir.path().join("results.db")).await)
        .await
        .unwrap();
    assert_eq!(reports, 0, "its report went with it");
    store.close().await;
    let store = Store::open(store.location()).await.unwrap();
    assert!(store.add_run(&results::contract("orders"), 1.0, String::new()).await.unwrap().id > run.id);
}

#[tokio::test]
async fn a_report_that_could_not_be_read_back_is_not_taken() {
    let (_dir, store) = store().await;
    let Report::Load(mut report) = results::load("orders", 1) else { unreachable!("it is a load report") };
    report.totals.rate = f64::NAN;
    let problem = store.add_run(&Report::Load(report), f64::NAN, String::new()).await.unwrap_err();
    assert_eq!(problem.code, Code::Internal);
    assert_eq!(store.runs(None, None, 10, None).await.unwrap(), []);
    let endless = store.add_run(&results::contract("orders"), f64::INFINITY, "x".repeat(5000)).await.unwrap();
    assert_eq!((endless.duration_ms, endless.headline.chars().count()), (0.0, 300));
}

#[tokio::test]
async fn checks_come_back_by_range_newest_first() {
    let (_dir, store) = store().await;
    // Out of order, and two in the same millisecond.
    for n in [3, 1, 2, 0, 2] {
        store.add_check(&results::check("orders", START + n, n != 1)).await.unwrap();
    }
    store.add_check(&results::check("stripe", START, true)).await.unwrap();
    async fn check(store: &Store, from: i64, to: i64, limit: u32, expect: &[i64]) {
        let checks = store.checks("orders", START + from, START + to, limit).await.unwrap();
        assert_eq!(checks.iter().map(|check| check.at - START).collect::<Vec<_>>(), expect, "{from}..={to}, {limit}");
        for check in checks {
            assert_eq!(check, results::check("orders", check.at, check.at != START + 1));
        }
    }
    check(&store, 0, 3, 10, &[3, 2, 2, 1, 0]).await;
    check(&store, 1, 2, 10, &[2, 2, 1]).await;
    check(&store, 0, 3, 2, &[3, 2]).await;
    check(&store, 4, 9, 10, &[]).await;
    check(&store, 3, 0, 10, &[]).await;
    assert_eq!(store.last_checks("orders", 1).await.unwrap(), [results::check("orders", START + 3, true)]);
    let points = store.latency_points("orders", START, START + 2).await.unwrap();
    let expect =
        [(START, true, Some(12.5)), (START + 1, false, None), (START + 2, true, Some(12.5)), (START + 2, true, Some(12.5))];
    assert_eq!(points, expect);
}

#[tokio::test]
async fn unobserved_stretches_become_one_where_they_meet() {
    async fn check(stretches: &[(i64, i64)], range: (i64, i64), expect: &[(i64, i64)]) {
        let store = Store::open(":memory:").await.unwrap();
        store.add_unobserved("other", 0, 1000).await.unwrap();
        for (from, to) in stretches {
            store.add_unobserved("orders", *from, *to).await.unwrap();
        }
        assert_eq!(store.unobserved("orders", range.0, range.1).await.unwrap(), expect, "{stretches:?} within {range:?}");
    }
    let all = (0, 1000);
    check(&[(10, 20)], all, &[(10, 20)]).await;
    check(&[(30, 40), (10, 20)], all, &[(10, 20), (30, 40)]).await;
    check(&[(10, 20), (20, 30)], all, &[(10, 30)]).await;
    check(&[(10, 20), (15, 30), (5, 11)], all, &[(5, 30)]).await;
    check(&[(10, 20), (30, 40), (50, 60), (15, 55)], all, &[(10, 60)]).await;
    check(&[(10, 60), (20, 30)], all, &[(10, 60)]).await;
    check(&[(10, 20), (30, 40)], (15, 35), &[(15, 20), (30, 35)]).await;
    check(&[(10, 20)], (20, 30), &[]).await;
    check(&[(10, 10)], all, &[(10, 10)]).await;
    let problem = Store::open(":memory:").await.unwrap().add_unobserved("orders", 2, 1).await.unwrap_err();
    assert_eq!(problem.code, Code::InvalidInput);
}

#[tokio::test]
async fn an_incident_opens_once_counts_and_ends() {
    let (_dir, store) = store().await;
    assert_eq!(store.current_incident("orders").await.unwrap(), None);
    assert_eq!(store.bump_incident("orders").await.unwrap(), None);
    assert_eq!(store.close_incident("orders", START).await.unwrap(), None);
    let opened = store.open_incident("orders", START, 3, "refused").await.unwrap();
    assert_eq!((opened.opened, opened.ended, opened.failures, opened.cause.as_str()), (START, None, 3, "refused"));
    assert_eq!(store.open_incident("orders", START + 5, 1, "again").await.unwrap(), opened, "one is open at most");
    store.open_incident("stripe", START + 1, 1, "timeout").await.unwrap();
    assert_eq!(store.bump_incident("orders").await.unwrap().unwrap().failures, 4);
    let ended = store.close_incident("orders", START + 9).await.unwrap().unwrap();
    assert_eq!((ended.id, ended.ended, ended.failures), (opened.id, Some(START + 9), 4));
    assert_eq!(store.current_incident("orders").await.unwrap(), None);
    let next = store.open_incident("orders", START + 20, 1, "reset").await.unwrap();
    assert_ne!(next.id, opened.id);
    assert_eq!(store.incidents(Some("orders"), 10).await.unwrap(), [next.clone(), ended]);
    assert_eq!(store.incidents(None, 2).await.unwrap().iter().map(|one| one.opened - START).collect::<Vec<_>>(), [20, 1]);
    assert_eq!(store.current_incident("orders").await.unwrap(), Some(next));
}

fn one_sample(name: &str, labels: &[(&str, &str)], value: f64, timestamp: Option<Timestamp>) -> Sample {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sample { name: name.to_owned(), labels, value, timestamp, exemplar: None }
}

fn scrape(at: Timestamp, family: &str, kind: MetricKind, samples: Vec<Sample>) -> ScrapeReport {
    let family = Family { name: family.to_owned(), kind, help: "Grüße".to_owned(), unit: String::new(), samples };
    ScrapeReport { families: vec![family], ..results::scrape(at, 0, 0.0) }
}

#[tokio::test]
async fn every_value_survives_as_it_was() {
    let (_dir, store) = store().await;
    let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, 0.1, -1e308, 5e-324, 9_007_199_254_740_993.0, f64::MAX];
    for (n, value) in values.iter().enumerate() {
        let one = one_sample("g", &[], *value, None);
        assert_eq!(store.add_scrape("orders", &scrape(START + n as i64, "g", MetricKind::Gauge, vec![one])).await.unwrap(), 1);
    }
    let points = store.points("orders", "g", &[], 0, Timestamp::MAX).await.unwrap();
    assert_eq!(points.len(), 1);
    let (key, points) = &points[0];
    assert_eq!((key.name.as_str(), key.family.as_str(), key.kind), ("g", "g", MetricKind::Gauge));
    assert_eq!(points.len(), values.len());
    for (n, ((at, stored), value)) in points.iter().zip(values).enumerate() {
        assert_eq!(*at, START + n as i64);
        assert!(stored.to_bits() == value.to_bits() || (stored.is_nan() && value.is_nan()), "{value} came back as {stored}");
    }
}

#[tokio::test]
async fn a_series_is_its_name_and_labels_in_any_order() {
    let (_dir, store) = store().await;
    let odd = "a \"quoted\"\nvalue, with } = \\ and 🦀";
    let first = vec![
        one_sample("http", &[("b", "2"), ("a", "1")], 1.0, None),
        one_sample("http", &[("a", "1"), ("b", odd)], 2.0, None),
        one_sample("http", &[], 3.0, None),
    ];
    let second = vec![one_sample("http", &[("a", "1"), ("b", "2")], 10.0, None)];
    store.add_scrape("orders", &scrape(START, "http", MetricKind::Untyped, first)).await.unwrap();
    store.add_scrape("orders", &scrape(START + 1, "http", MetricKind::Counter, second)).await.unwrap();
    let series = store.series("orders").await.unwrap();
    assert_eq!(series.len(), 3);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let two = series.iter().find(|one| one.labels.contains(&pair("b", "2"))).unwrap();
    assert_eq!(two.labels, [pair("a", "1"), pair("b", "2")]);
    assert_eq!((two.last, two.last_at, two.kind, two.help.as_str()), (10.0, START + 1, MetricKind::Counter, "Grüße"));
    assert!(series.iter().any(|one| one.labels == [pair("a", "1"), pair("b", odd)] && one.last == 2.0));
    async fn check(store: &Store, labels: &[(String, String)], expect: &[usize]) {
        let points = store.points("orders", "http", labels, 0, Timestamp::MAX).await.unwrap();
        assert_eq!(points.iter().map(|(_, points)| points.len()).collect::<Vec<_>>(), expect, "{labels:?}");
    }
    check(&store, &[], &[2, 1, 1]).await;
    check(&store, &[pair("a", "1")], &[2, 1]).await;
    check(&store, &[pair("b", odd)], &[1]).await;
    check(&store, &[pair("b", odd), pair("a", "2")], &[]).await;
    assert_eq!(store.points("stripe", "http", &[], 0, Timestamp::MAX).await.unwrap(), []);
    assert_eq!(store.series("stripe").await.unwrap(), []);
}

#[tokio::test]
async fn a_family_stands_for_its_series_where_no_series_has_its_name() {
    let (_dir, store) = store().await;
    let histogram = ["latency_bucket", "latency_sum", "latency_count"].map(|name| one_sample(name, &[], 1.0, None)).to_vec();
    let summary = ["rpc", "rpc_sum", "rpc_count"].map(|name| one_sample(name, &[], 1.0, None)).to_vec();
    store.add_scrape("orders", &scrape(START, "latency", MetricKind::Histogram, histogram)).await.unwrap();
    store.add_scrape("orders", &scrape(START, "rpc", MetricKind::Summary, summary)).await.unwrap();
    async fn check(store: &Store, name: &str, expect: &[&str]) {
        let points = store.points("orders", name, &[], START, START).await.unwrap();
        assert_eq!(points.iter().map(|(key, _)| key.name.as_str()).collect::<Vec<_>>(), expect, "{name}");
    }
    check(&store, "latency", &["latency_bucket", "latency_count", "latency_sum"]).await;
    check(&store, "latency_sum", &["latency_sum"]).await;
    check(&store, "rpc", &["rpc"]).await;
    check(&store, "nothing", &[]).await;
}

#[tokio::test]
async fn a_sample_lies_at_its_own_time_unless_that_is_far_ahead() {
    async fn check(samples: &[(Option<Timestamp>, f64)], written: u64, expect: &[(Timestamp, f64)]) {
        let store = Store::open(":memory:").await.unwrap();
        let samples = samples.iter().map(|(at, value)| one_sample("g", &[], *value, *at)).collect();
        let report = scrape(START, "g", MetricKind::Gauge, samples);
        assert_eq!(store.add_scrape("orders", &report).await.unwrap(), written);
        assert_eq!(store.points("orders", "g", &[], i64::MIN, i64::MAX).await.unwrap()[0].1, expect);
    }
    check(&[(None, 1.0)], 1, &[(START, 1.0)]).await;
    check(&[(Some(START - 5000), 1.0)], 1, &[(START - 5000, 1.0)]).await;
    check(&[(Some(START + 5000), 1.0)], 1, &[(START + 5000, 1.0)]).await;
    check(&[(Some(START + 3_600_000), 1.0)], 1, &[(START, 1.0)]).await;
    check(&[(Some(i64::MAX), 1.0)], 1, &[(START, 1.0)]).await;
    check(&[(Some(i64::MIN), 1.0)], 1, &[(i64::MIN, 1.0)]).await;
    check(&[(None, 1.0), (Some(START), 2.0), (None, 3.0)], 1, &[(START, 3.0)]).await;
    check(&[(Some(2), 2.0), (Some(1), 1.0)], 2, &[(1, 1.0), (2, 2.0)]).await;
}

#[tokio::test]
async fn thousands_of_series_are_stored_scrape_by_scrape() {
    let (_dir, store) = store().await;
    for round in 0..5 {
        let began = Instant::now();
        let written = store.add_scrape("orders", &results::scrape(START + round, 5000, round as f64)).await.unwrap();
        println!("5000 samples, scrape {round}: {:?}", began.elapsed());
        assert_eq!(written, 5000);
    }
    let began = Instant::now();
    let series = store.series("orders").await.unwrap();
    println!("5000 series listed: {:?}", began.elapsed());
    assert_eq!(series.len(), 5000);
    assert!(series.iter().all(|one| one.last == 4.0 && one.last_at == START + 4));
    let began = Instant::now();
    let points = store.points("orders", "errors", &[], START + 1, START + 3).await.unwrap();
    println!("2500 series with 3 points each: {:?}", began.elapsed());
    assert_eq!(points.len(), 2500);
    for (_, points) in points {
        assert_eq!(points, [(START + 1, 1.0), (START + 2, 2.0), (START + 3, 3.0)]);
    }
}

#[tokio::test]
async fn too_many_series_are_refused_in_words_and_as_a_whole() {
    let (_dir, store) = store().await;
    assert_eq!(store.add_scrape("orders", &results::scrape(START, MOST_SERIES, 1.0)).await.unwrap(), MOST_SERIES as u64);
    // Known series may go on; one more may not come.
    let known = one_sample("requests_total", &[("path", "/orders/7"), ("method", "GET")], 2.0, None);
    assert_eq!(store.add_scrape("orders", &scrape(START + 1, "requests", MetricKind::Counter, vec![known])).await.unwrap(), 1);
    let one_more = ["requests_total", "new_total"].map(|name| one_sample(name, &[("path", "/new")], 1.0, None)).to_vec();
    let problem = store.add_scrape("orders", &scrape(START + 2, "new", MetricKind::Counter, one_more)).await.unwrap_err();
    assert_eq!(problem.code, Code::TooLarge);
    assert!(
        problem.why.contains("50002") && problem.why.contains("requests_total") && problem.next.contains("label"),
        "{problem}"
    );
    assert_eq!(store.points("orders", "new", &[], 0, i64::MAX).await.unwrap(), []);
    assert_eq!(store.add_scrape("stripe", &results::scrape(START + 3, 10, 1.0)).await.unwrap(), 10, "the bound is for each");
}

#[tokio::test]
async fn series_that_another_program_pruned_are_numbered_anew() {
    let (_dir, store) = store().await;
    let other = Store::open(store.location()).await.unwrap();
    store.add_scrape("orders", &results::scrape(START, 100, 1.0)).await.unwrap();
    assert_eq!(other.prune(START + 1).await.unwrap().series, 100);
    // Other series, which must not be taken for the ones that went.
    other.add_scrape("stripe", &results::scrape(START + 1, 100, 7.0)).await.unwrap();
    assert_eq!(store.add_scrape("orders", &results::scrape(START + 2, 100, 2.0)).await.unwrap(), 100);
    let points = store.points("orders", "requests_total", &[], 0, i64::MAX).await.unwrap();
    assert!(points.len() == 50 && points.iter().all(|(_, points)| points == &[(START + 2, 2.0)]));
    let points = store.points("stripe", "requests_total", &[], 0, i64::MAX).await.unwrap();
    assert!(points.len() == 50 && points.iter().all(|(_, points)| points == &[(START + 1, 7.0)]));
}

#[tokio::test]
async fn pruning_takes_what_is_old_and_gives_the_room_back() {
    let (dir, store) = store().await;
    let old = START - 10_000_000;
    let Report::Probe(mut probe) = results::probe(Some("orders"), 200, 10) else { unreachable!("it is a probe") };
    probe.at = old;
    for _ in 0..20 {
        let hex: String = (0..200_000).map(|_| char::from(rand::rng().random_range(b'!'..b'~'))).collect();
        probe.notes = vec![hex];
        store.add_run(&Report::Probe(probe.clone()), 1.0, String::new()).await.unwrap();
    }
    let kept = store.add_run(&results::contract("orders"), 1.0, String::new()).await.unwrap();
    for n in 0..10 {
        store.add_check(&results::check("orders", old + n, true)).await.unwrap();
    }
    store.add_check(&results::check("orders", START, true)).await.unwrap();
    store.open_incident("orders", old, 1, "long ago").await.unwrap();
    store.close_incident("orders", old + 5).await.unwrap();
    store.open_incident("stripe", old, 1, "still going on").await.unwrap();
    store.add_unobserved("orders", old, old + 5).await.unwrap();
    store.add_unobserved("orders", START - 5, START + 5).await.unwrap();
    store.add_scrape("orders", &results::scrape(old, 3000, 1.0)).await.unwrap();
    store.add_scrape("orders", &results::scrape(START, 10, 1.0)).await.unwrap();
    let mut connection = raw(&dir.path().join("results.db")).await;
    let mut pages = async || sqlx::query_scalar::<_, i64>("PRAGMA page_count").fetch_one(&mut connection).await.unwrap();
    let before = pages().await;
    let pruned = store.prune(START - 1000).await.unwrap();
    // Requests 0 to 4 have samples of both times, and errors 5 to 9 only new ones.
    assert_eq!(pruned, Pruned { runs: 20, checks: 10, incidents: 1, samples: 3000, series: 2995 });
    assert_eq!(store.runs(None, None, 100, None).await.unwrap(), [kept]);
    assert_eq!(store.last_checks("orders", 100).await.unwrap().len(), 1);
    assert_eq!(store.incidents(None, 100).await.unwrap().len(), 1);
    assert_eq!(store.unobserved("orders", 0, i64::MAX).await.unwrap(), [(START - 5, START + 5)]);
    assert_eq!(store.series("orders").await.unwrap().len(), 10);
    let after = pages().await;
    assert!(after * 4 < before, "{before} pages before and {after} after");
    assert_eq!(store.prune(START - 1000).await.unwrap(), Pruned::default());
    assert_eq!(store.add_scrape("orders", &results::scrape(START + 1, 3000, 2.0)).await.unwrap(), 3000);
}

#[tokio::test]
async fn settings_are_kept_and_what_cannot_be_read_is_the_default() {
    let (dir, store) = store().await;
    assert_eq!(store.settings().await.unwrap(), Settings::default());
    let settings = Settings { theme: Theme::Dark, keep_days: 7, monitor: false };
    store.save_settings(&settings).await.unwrap();
    store.save_settings(&settings).await.unwrap();
    store.close().await;
    let store = Store::open(store.location()).await.unwrap();
    assert_eq!(store.settings().await.unwrap(), settings);
    sql(&dir.path().join("results.db"), r#"UPDATE settings SET body = '{"theme":"sepia"}'"#).await;
    assert_eq!(store.settings().await.unwrap(), Settings::default());
}

/// Lets the helper write into the database, kills it at some moment and gives what it had said by then.
fn write_and_kill(database: &str, round: usize, patience: Duration) -> Vec<Acknowledged> {
    let mut writer = Command::new(env!("CARGO_BIN_EXE_store_writer"))
        .args(["write", database, &round.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(writer.stdout.take().unwrap());
    let reading = std::thread::spawn(move || {
        // A line without its end was not acknowledged: the process died while it said so.
        let mut said = Vec::new();
        let mut lines = lines;
        let mut line = String::new();
        while lines.read_line(&mut line).unwrap() > 0 {
            if let Some(whole) = line.strip_suffix('\n') {
                said.push(Acknowledged::parse(whole).unwrap_or_else(|| panic!("what is `{whole}`?")));
            }
            line.clear();
        }
        said
    });
    std::thread::sleep(patience);
    writer.kill().unwrap();
    assert!(!writer.wait().unwrap().success(), "it was killed, and did not end by itself");
    reading.join().unwrap()
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill_at_any_moment() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("results.db");
    let database = path.to_str().unwrap();
    let mut acknowledged: Vec<Acknowledged> = Vec::new();
    let (mut rounds, mut counted) = (0, 0);
    // Rounds that were killed before the first result count only as what they are: kills while opening.
    while counted < 12 {
        rounds += 1;
        assert!(rounds < 60, "the helper hardly ever gets to write anything");
        let patience = Duration::from_micros(rand::rng().random_range(1_000..400_000));
        let said = write_and_kill(database, rounds, patience);
        counted += usize::from(!said.is_empty());
        acknowledged.extend(said);
        if !path.exists() {
            continue;
        }
        let store = Store::open(database).await.unwrap_or_else(|problem| panic!("after kill {rounds}: {problem}"));
        verify(&store, &acknowledged).await;
        store.close().await;
        let mut connection = raw(&path).await;
        let integrity: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut connection).await.unwrap();
        assert_eq!(integrity, ["ok"]);
        let orphans: Vec<(String,)> = sqlx::query_as("PRAGMA foreign_key_check").fetch_all(&mut connection).await.unwrap();
        assert_eq!(orphans, []);
        let halves: i64 = sqlx::query_scalar("SELECT count(*) FROM runs WHERE id NOT IN (SELECT run FROM reports)")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(halves, 0, "a run without its report");
    }
    println!("{} results acknowledged, {rounds} kills, {counted} of them while writing", acknowledged.len());
}

async fn verify(store: &Store, acknowledged: &[Acknowledged]) {
    let checks: BTreeSet<Timestamp> =
        store.latency_points("orders", 0, i64::MAX).await.unwrap().into_iter().map(|(at, _, _)| at).collect();
    let mut samples: BTreeMap<Timestamp, usize> = BTreeMap::new();
    for name in ["requests", "errors"] {
        for (_, points) in store.points("orders", name, &[], 0, i64::MAX).await.unwrap() {
            for (at, value) in points {
                assert_eq!(value, at as f64);
                *samples.entry(at).or_default() += 1;
            }
        }
    }
    assert!(samples.values().all(|count| *count == 200), "a scrape is there whole or not at all");
    for result in acknowledged {
        match result {
            Acknowledged::Run(id, headline) => {
                let run = store.run(*id).await.unwrap_or_else(|problem| panic!("{result:?}: {problem}"));
                assert_eq!(run.summary.headline, *headline);
            }
            Acknowledged::Check(at) => assert!(checks.contains(at), "{result:?} is lost"),
            Acknowledged::Scrape(at, count) => assert_eq!(samples.get(at), Some(count), "{result:?} is lost"),
        }
    }
}
