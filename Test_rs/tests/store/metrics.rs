//! Scraped samples.

use super::*;

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
