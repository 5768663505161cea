//! Kills.

use super::*;

/// Lets the helper write into the database, kills it at some moment and gives what it had said by then. The moment is
/// counted from its start, or where it is to write something, from the first result that it stored.
fn write_and_kill(database: &str, round: usize, writes: bool, patience: Duration) -> Vec<Acknowledged> {
    let mut writer = Command::new(env!("CARGO_BIN_EXE_store_writer"))
        .args(["write", database, &round.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(writer.stdout.take().unwrap());
    let (first, began) = std::sync::mpsc::channel();
    let reading = std::thread::spawn(move || {
        // A line without its end was not acknowledged: the process died while it said so.
        let mut said = Vec::new();
        let mut lines = lines;
        let mut line = String::new();
        while lines.read_line(&mut line).unwrap() > 0 {
            if let Some(whole) = line.strip_suffix('\n') {
                said.push(Acknowledged::parse(whole).unwrap_or_else(|| panic!("what is `{whole}`?")));
                let _ = first.send(());
            }
            line.clear();
        }
        said
    });
    if writes {
        began.recv_timeout(Duration::from_secs(60)).expect("the helper stores something within a minute");
    }
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
    // Every third kill comes while the database is being made or opened, the others while something is written.
    for round in 1..=18 {
        let writes = round % 3 != 1;
        let patience = Duration::from_micros(rand::rng().random_range(0..300_000));
        let said = write_and_kill(database, round, writes, patience);
        assert!(!writes || !said.is_empty());
        acknowledged.extend(said);
        if !path.exists() {
            continue;
        }
        let store = Store::open(database).await.unwrap_or_else(|problem| panic!("after kill {round}: {problem}"));
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
    println!("{} results acknowledged", acknowledged.len());
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
