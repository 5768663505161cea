//! Opening: where, what is refused, and several at once.

use super::*;

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
