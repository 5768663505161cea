//! Health checks, unobserved time and incidents.

use super::*;

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
