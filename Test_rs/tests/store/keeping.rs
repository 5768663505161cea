//! Runs, settings, and what goes with age.

use super::*;

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
    let settings = Settings { theme: Theme::Dark, keep_days: 7, monitor: false, load_hosts: vec!["api.example.com".to_owned()] };
    store.save_settings(&settings).await.unwrap();
    store.save_settings(&settings).await.unwrap();
    store.close().await;
    let store = Store::open(store.location()).await.unwrap();
    assert_eq!(store.settings().await.unwrap(), settings);
    sql(&dir.path().join("results.db"), r#"UPDATE settings SET body = '{"theme":"sepia"}'"#).await;
    assert_eq!(store.settings().await.unwrap(), Settings::default());
}
