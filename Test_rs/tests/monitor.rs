//! Checks and scrapes against a real service whose answers change.

use std::{sync::atomic::Ordering, time::Duration};

use patchbay_contracts::{
    Code, Timestamp,
    health::{HealthCheck, Status},
    metrics::{SeriesQuery, Shape},
};
use patchbay_engine::{
    metrics,
    monitor::{MonitorEvent, carried_out, check, history, status},
};
use patchbay_tests::monitor::{Answer, Bench, Service};

const HOUR: Duration = Duration::from_secs(3600);

const ORDERS: &str = "name: orders\nbase_url: URL\nendpoints: [{ path: /health }]\nhealth: { interval: 1s }";

fn checked(event: &MonitorEvent) -> Option<HealthCheck> {
    match event {
        MonitorEvent::Checked(check) => Some(check.clone()),
        _ => None,
    }
}

fn changed(event: &MonitorEvent) -> Option<(Status, Status)> {
    match event {
        MonitorEvent::StatusChanged { from, to, .. } => Some((*from, *to)),
        _ => None,
    }
}

#[tokio::test]
async fn one_check() {
    let service = Service::start().await;
    service.answer(|path| match path {
        "/health" => Answer::body("application/json", "{\"status\": \"UP\"}"),
        "/down" => Answer::status(503),
        "/gone" => Answer::status(404),
        "/" => Answer::status(204),
        _ => Answer::status(399),
    });
    let end = "base_url: URL\nendpoints: [{ path: /other }, { name: health, path: /health }, { name: down, path: /down }, { path: /gone }]";
    for (health, expected) in [
        ("{}", "true [STATUS] < 400:true"),
        ("{ endpoint: down }", "false [STATUS] < 400:false"),
        ("{ endpoint: GET /gone }", "false [STATUS] < 400:false"),
        ("{ endpoint: down, conditions: [\"[STATUS] == 503\"] }", "true [STATUS] == 503:true"),
        (
            "{ endpoint: health, conditions: [\"[STATUS] == 200\", \"[BODY].status == UP\"] }",
            "true [STATUS] == 200:true [BODY].status == UP:true",
        ),
        (
            "{ endpoint: health, conditions: [\"[STATUS] == 200\", \"[BODY].status == DOWN\"] }",
            "false [STATUS] == 200:true [BODY].status == DOWN:false",
        ),
    ] {
        let bench = Bench::new(
            &service,
            &[&format!("name: orders\n{end}\nerror_handling: {{ retries: 3, backoff: none }}\nhealth: {health}")],
        )
        .await;
        let before = service.requests.load(Ordering::SeqCst);
        let read = check(&bench.context(), &bench.definition("orders")).await;
        let conditions = read.conditions.iter().map(|one| format!(" {}:{}", one.text, one.holds)).collect::<String>();
        assert_eq!(format!("{}{conditions}", read.healthy), expected, "{health}: {read:?}");
        assert!(carried_out(&read) && read.problem.is_none() && read.latency_ms.is_some());
        assert_eq!(service.requests.load(Ordering::SeqCst) - before, 1, "a check is not tried again");
    }
    let bench = Bench::new(&service, &["name: bare\nbase_url: URL"]).await;
    let read = check(&bench.context(), &bench.definition("bare")).await;
    assert_eq!((read.healthy, read.http_status), (true, Some(204)), "without endpoints the address itself is asked");
}

#[tokio::test]
async fn a_check_without_an_answer() {
    let service = Service::start().await;
    service.answer(|_| Answer::status(200).after(Duration::from_secs(60)));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = format!("name: orders\nbase_url: http://{closed}\nendpoints: [{{ path: / }}]\nhealth: ");
    let slow = "name: orders\nbase_url: URL\nendpoints: [{ path: / }]\nhealth: ";
    for (definition, health, code, healthy, counts) in [
        (refused.as_str(), "{}", Code::Refused, false, true),
        (&refused, "{ conditions: [\"[CONNECTED] == false\"] }", Code::Refused, true, true),
        (slow, "{ timeout: 200ms }", Code::Timeout, false, true),
        ("name: orders\nbase_url: ${env:nowhere}\nendpoints: [{ path: / }]\nhealth: ", "{}", Code::VariableMissing, false, false),
        (
            "name: orders\nbase_url: URL\nauth: { type: bearer, token: \"${secret:none}\" }\nendpoints: [{ path: / }]\nhealth: ",
            "{}",
            Code::SecretMissing,
            false,
            false,
        ),
    ] {
        let bench = Bench::new(&service, &[&format!("{definition}{health}")]).await;
        let read = check(&bench.context(), &bench.definition("orders")).await;
        assert_eq!(
            (read.problem.as_ref().map(|problem| problem.code), read.healthy, carried_out(&read)),
            (Some(code), healthy, counts),
            "{definition}{health}: {read:?}"
        );
        assert_eq!((read.latency_ms, read.http_status), (None, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_from_beginning_to_end() {
    let service = Service::start().await;
    let bench = Bench::new(&service, &[&ORDERS.replace("1s", "1s, failures: 2, successes: 2")]).await;
    let (monitor, mut told) = bench.start();
    assert_eq!(told.until("healthy", changed).await, (Status::Unobserved, Status::Healthy));
    service.answer(|_| Answer::status(500));
    assert_eq!(told.until("degraded", changed).await, (Status::Healthy, Status::Degraded));
    assert_eq!(told.until("down", changed).await, (Status::Degraded, Status::Down));
    assert!(!told.until("a failing check", checked).await.healthy);
    service.answer(|_| Answer::status(200));
    assert_eq!(told.until("healthy again", changed).await, (Status::Down, Status::Healthy));
    monitor.stop().await;
    let store = &bench.parts.store;
    let incidents = store.incidents(Some("orders"), 10).await.unwrap();
    assert_eq!(incidents.len(), 1);
    assert!(incidents[0].failures >= 2 && incidents[0].ended > Some(incidents[0].opened), "{incidents:?}");
    let mut checks = store.last_checks("orders", 1000).await.unwrap();
    checks.reverse();
    let opened = checks.iter().find(|check| !check.healthy).unwrap().at;
    let ended = checks.iter().find(|check| check.healthy && check.at > opened).unwrap().at;
    assert_eq!((incidents[0].opened, incidents[0].ended), (opened, Some(ended)));
    assert_eq!(incidents[0].failures, checks.iter().filter(|check| !check.healthy).count() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn sleep_is_unobserved_and_never_down() {
    let service = Service::start().await;
    let bench = Bench::new(&service, &[ORDERS]).await;
    let (monitor, mut told) = bench.start();
    told.until("healthy", changed).await;
    let before = bench.parts.ports.clock.now();
    bench.clock.sleep(8 * HOUR);
    assert_eq!(told.until("unobserved", changed).await, (Status::Healthy, Status::Unobserved));
    // The network comes back some seconds after the machine; these pass.
    bench.clock.pass(Duration::from_secs(6));
    assert_eq!(told.until("healthy", changed).await, (Status::Unobserved, Status::Healthy));
    monitor.stop().await;
    let now = bench.parts.ports.clock.now();
    let slept = bench.parts.store.unobserved("orders", 0, now).await.unwrap();
    assert_eq!(slept.len(), 1, "{slept:?}");
    assert!(slept[0].0 <= before + 1000 && slept[0].1 - slept[0].0 >= 8 * 3_600_000, "{slept:?} {before}");
    let read = history(&bench.parts.store, &bench.definition("orders"), before - 10_000, now, now).await.unwrap();
    assert_eq!(read.uptime, Some(1.0));
    assert!(read.observed < 0.01, "{}", read.observed);
    assert!(read.segments.iter().all(|segment| segment.status != Status::Down));
    assert_eq!(bench.parts.store.incidents(None, 10).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_spanned_a_sleep_does_not_count() {
    let service = Service::start().await;
    let bench = Bench::new(&service, &[&ORDERS.replace("1s", "1s, timeout: 30s")]).await;
    let clock = bench.clock.clone();
    // The first request falls asleep half-way and comes to nothing; later ones are answered.
    let first = std::sync::atomic::AtomicBool::new(true);
    service.answer(move |_| {
        if first.swap(false, Ordering::SeqCst) {
            clock.sleep(HOUR);
            return Answer::status(500).after(Duration::from_millis(700));
        }
        Answer::status(200)
    });
    let (monitor, mut told) = bench.start();
    while service.requests.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(1200)).await;
    bench.clock.pass(Duration::from_secs(8));
    let first = told.until("a check", checked).await;
    assert!(first.healthy, "{first:?}");
    monitor.stop().await;
    let checks = bench.parts.store.last_checks("orders", 1000).await.unwrap();
    assert!(checks.iter().all(|check| check.healthy), "{checks:?}");
    assert_eq!(bench.parts.store.incidents(None, 10).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_the_workspace_are_followed() {
    let service = Service::start().await;
    let disabled = "name: quiet\nbase_url: URL\nendpoints: [{ path: / }]\nhealth: { interval: 1s, enabled: false }";
    let bench = Bench::new(&service, &[ORDERS, disabled, "name: none\nbase_url: URL"]).await;
    let (monitor, mut told) = bench.start();
    told.until("a check of orders", |event| checked(event).filter(|check| check.integration == "orders")).await;
    bench.write(&service, "new.yaml", &ORDERS.replace("orders", "payments"));
    monitor.refresh();
    told.until("a check of payments", |event| checked(event).filter(|check| check.integration == "payments")).await;
    bench.write(&service, "1.yaml", &disabled.replace("false", "true"));
    monitor.refresh();
    told.until("a check of quiet", |event| checked(event).filter(|check| check.integration == "quiet")).await;
    bench.remove("0.yaml");
    monitor.refresh();
    // One may still be under way; after two of another none can be.
    for _ in 0..2 {
        told.until("a check of payments", |event| checked(event).filter(|check| check.integration == "payments")).await;
    }
    told.so_far();
    told.until("a check of payments", |event| checked(event).filter(|check| check.integration == "payments")).await;
    let stray = told.so_far().into_iter().filter_map(|event| checked(&event)).any(|check| check.integration == "orders");
    assert!(!stray);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_integrations_are_not_asked_all_at_once() {
    let service = Service::start().await;
    service.answer(|_| Answer::status(200).after(Duration::from_millis(50)));
    let texts: Vec<String> = (0..60).map(|i| ORDERS.replace("orders", &format!("orders-{i}"))).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let bench = Bench::new(&service, &texts).await;
    let (monitor, mut told) = bench.start();
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 60 {
        seen.insert(told.until("a check of each", checked).await.integration);
    }
    monitor.stop().await;
    let most = service.most_at_once.load(Ordering::SeqCst);
    assert!((2..=16).contains(&most), "{most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_does_not_wait_for_answers() {
    let service = Service::start().await;
    service.answer(|_| Answer::status(200).after(HOUR));
    let bench = Bench::new(&service, &[&ORDERS.replace("1s", "1s, timeout: 1h")]).await;
    let (monitor, mut told) = bench.start();
    while service.requests.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::timeout(Duration::from_secs(20), monitor.stop()).await.expect("it stops long before the answer");
    assert_eq!(told.so_far(), []);
    assert_eq!(bench.parts.store.last_checks("orders", 10).await.unwrap(), [], "what was broken off does not count");
    assert_eq!(service.requests.load(Ordering::SeqCst), 1, "a check that waits is not begun a second time");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_checked_is_told_once_and_is_no_failure() {
    let service = Service::start().await;
    let text = format!("{ORDERS}\nauth: {{ type: bearer, token: \"${{secret:orders-token}}\" }}");
    let other = ORDERS.replace("orders", "other");
    let bench = Bench::new(&service, &[&text, &other]).await;
    let (monitor, mut told) = bench.start();
    let mut problems = Vec::new();
    let mut others = 0;
    // While the other is checked many times, this one is tried many times.
    while others < 4 || problems.is_empty() {
        told.until("a problem or a check", |event| {
            match event {
                MonitorEvent::Problem(problem) => problems.push(problem.clone()),
                MonitorEvent::Checked(_) => others += 1,
                _ => return None,
            }
            Some(())
        })
        .await;
    }
    monitor.stop().await;
    assert_eq!(problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), [Code::SecretMissing]);
    assert_eq!(bench.parts.store.last_checks("orders", 10).await.unwrap(), []);
    let read = status(&bench.parts.store, &bench.definition("orders"), bench.parts.ports.clock.now()).await.unwrap();
    assert_eq!(read.status, Status::Unobserved);
}

const METRICS: &str = "name: orders\nbase_url: URL\nmetrics: { url: /metrics, interval: 1s }";

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_scraped_stored_and_drawn() {
    let service = Service::start().await;
    let count = std::sync::atomic::AtomicUsize::new(0);
    service.answer(move |path| match path {
        "/metrics" => {
            let n = count.fetch_add(1, Ordering::SeqCst);
            Answer::body("text/plain; version=0.0.4", format!("# TYPE a_total counter\na_total {n}\nb{{c=\"}}\"}} 1\n"))
        }
        _ => Answer::status(404),
    });
    let bench = Bench::new(&service, &[METRICS]).await;
    let (monitor, mut told) = bench.start();
    for _ in 0..4 {
        let scraped = told.until("a scrape", |event| match event {
            MonitorEvent::Scraped { integration, samples } => Some((integration.clone(), *samples)),
            _ => None,
        });
        assert_eq!(scraped.await, ("orders".to_owned(), 2));
    }
    let accept = service.last_headers.lock().unwrap().iter().find(|(name, _)| name == "accept").cloned().unwrap().1;
    assert!(accept.contains("application/openmetrics-text") && accept.contains("text/plain;version=0.0.4"), "{accept}");
    monitor.stop().await;
    let to = bench.parts.ports.clock.now() + 1;
    let asked =
        SeriesQuery { integration: "orders".into(), name: "a_total".into(), labels: vec![], shape: Shape::Rate, from: 0, to };
    let lines = metrics::query(&bench.parts.store, &asked).await.unwrap();
    assert_eq!((lines.len(), lines[0].label.as_str(), lines[0].unit.as_str()), (1, "a_total", "/s"));
    assert!(lines[0].points.len() >= 3 && lines[0].points.iter().any(|(_, rate)| rate.is_some_and(|rate| rate > 0.0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_that_fails_is_told_until_it_is_over() {
    let service = Service::start().await;
    service.answer(|_| Answer::status(503));
    let bench = Bench::new(&service, &[METRICS]).await;
    let (monitor, mut told) = bench.start();
    let problem = |event: &MonitorEvent| match event {
        MonitorEvent::Problem(problem) => Some(problem.what.clone()),
        _ => None,
    };
    let first = told.until("a problem", problem).await;
    assert!(first.ends_with("/metrics answered 503 Service Unavailable where metrics were expected"), "{first}");
    let asked = service.requests.load(Ordering::SeqCst);
    while service.requests.load(Ordering::SeqCst) < asked + 3 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(told.so_far(), [], "the same problem is not told again");
    service.answer(|_| Answer::body("text/plain", "a 1\nb ?\n"));
    assert_eq!(told.until("another problem", problem).await, "Not all of the metrics of `orders` could be read");
    service.answer(|_| Answer::body("text/plain", "a 1\n"));
    told.until("a scrape", |event| matches!(event, MonitorEvent::Scraped { samples: 1, .. }).then_some(())).await;
    service.answer(|_| Answer::status(503));
    assert_eq!(told.until("the first problem again", problem).await, first);
    monitor.stop().await;
}

#[tokio::test]
async fn one_scrape() {
    let service = Service::start().await;
    service.answer(|path| match path {
        "/om" => {
            Answer::body("application/openmetrics-text; version=1.0.0; charset=utf-8", "# TYPE a counter\na_total 1 2.5\n# EOF\n")
        }
        "/text" => Answer::body("text/plain; version=0.0.4", "a_total 1 2500\n"),
        "/html" => Answer::body("text/html", "<!doctype html><title>Sign in</title>"),
        "/json" => Answer::body("application/json", "{\"status\":\"UP\"}"),
        "/binary" => Answer::body("application/octet-stream", vec![0, 159, 146, 150, 255, 0, 1]),
        "/private" => Answer::status(401),
        "/sick" => Answer::body("text/plain", "out of order\nsorry").with_status(500),
        _ => Answer::status(404),
    });
    for (url, expected) in [
        ("/om", Ok((1, 2500, ""))),
        ("/text", Ok((1, 2500, ""))),
        ("URL/text", Ok((1, 2500, ""))),
        (
            "/html",
            Ok((
                0,
                0,
                "URL/html gave an HTML or XML page where metrics in text were expected: it begins with `<!doctype html><title>Sign in</title>`",
            )),
        ),
        (
            "/json",
            Ok((0, 0, "URL/json gave a JSON document where metrics in text were expected: it begins with `{\"status\":\"UP\"}`")),
        ),
        ("/binary", Err("URL/binary gave binary data (application/octet-stream) where metrics in text were expected")),
        (
            "/private",
            Err(
                "URL/private answered 401 Unauthorized where metrics were expected. Give `metrics` an `auth`; it does not take over that of the integration",
            ),
        ),
        (
            "/sick",
            Err("URL/sick answered 500 Internal Server Error where metrics were expected: the answer begins with `out of order`"),
        ),
        (
            "/none",
            Err(
                "URL/none answered 404 Not Found where metrics were expected. Check the address; most services expose metrics under /metrics",
            ),
        ),
    ] {
        let bench = Bench::new(&service, &[&format!("name: orders\nbase_url: URL/\nmetrics: {{ url: \"{url}\" }}")]).await;
        let read = metrics::scrape(&bench.context(), &bench.definition("orders")).await;
        match (read, expected) {
            (Ok(report), Ok((samples, at, problem))) => {
                let time: Option<Timestamp> = report.families.first().and_then(|family| family.samples[0].timestamp);
                assert_eq!((report.samples, time.unwrap_or_default()), (samples, at), "{url}");
                let first = report.problems.first().map(ToString::to_string).unwrap_or_default();
                assert!(
                    first.starts_with(&problem.replace("URL", &service.url)) && first.is_empty() == problem.is_empty(),
                    "{url}: {first}"
                );
                assert!(report.at > 0 && report.duration_ms.is_some() && report.bytes > 0 && report.source == "orders");
            }
            (Err(problem), Err(expected)) => {
                let expected = expected.replace("URL", &service.url);
                assert!(problem.to_string().starts_with(&expected), "{url}: {problem}");
            }
            (read, _) => panic!("{url}: {read:?}"),
        }
    }
}
