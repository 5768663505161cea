//! Stored metrics become lines: gaps, resets, quantiles, legends, bounds.

use patchbay_contracts::{
    Code, Timestamp,
    metrics::{Line, SeriesQuery, Shape},
};
use patchbay_engine::{
    metrics::{
        MAX_DRAWN, legend,
        lines::{self, MAX_POINTS},
        parse, query,
    },
    store::Store,
};

const N: Option<f64> = None;

fn check(read: &[(Timestamp, Option<f64>)], expected: &[(Timestamp, Option<f64>)]) {
    assert_eq!(read, expected);
}

#[test]
fn a_stretch_without_values_is_a_gap() {
    check(&lines::values(&[]), &[]);
    check(&lines::values(&[(5, 1.0)]), &[(5, Some(1.0))]);
    let steady = [(0, 1.0), (10, 2.0), (20, 3.0), (50, 4.0), (60, 5.0)];
    check(&lines::values(&steady), &[(0, Some(1.0)), (10, Some(2.0)), (20, Some(3.0)), (50, Some(4.0)), (60, Some(5.0))]);
    let broken = [(0, 1.0), (10, 2.0), (20, 3.0), (51, 4.0), (61, 5.0)];
    check(
        &lines::values(&broken),
        &[(0, Some(1.0)), (10, Some(2.0)), (20, Some(3.0)), (30, N), (51, Some(4.0)), (61, Some(5.0))],
    );
    check(&lines::values(&[(0, 1.0), (10, f64::NAN), (20, f64::INFINITY)]), &[(0, Some(1.0)), (10, N), (20, N)]);
}

#[test]
fn rates_account_for_resets_and_leave_gaps_open() {
    check(&lines::rates(&[(0, 5.0)]), &[]);
    check(&lines::rates(&[(0, 5.0), (10_000, 25.0), (20_000, 25.0)]), &[(10_000, Some(2.0)), (20_000, Some(0.0))]);
    // The counter began anew and has since grown by 4.
    check(&lines::rates(&[(0, 100.0), (10_000, 4.0), (20_000, 14.0)]), &[(10_000, Some(0.4)), (20_000, Some(1.0))]);
    let broken = [(0, 0.0), (10_000, 10.0), (20_000, 20.0), (60_000, 60.0), (70_000, 70.0)];
    check(&lines::rates(&broken), &[(10_000, Some(1.0)), (20_000, Some(1.0)), (60_000, N), (70_000, Some(1.0))]);
    check(&lines::rates(&[(0, 1.0), (1000, f64::NAN), (2000, 3.0)]), &[(1000, N), (2000, N)]);
}

#[test]
fn quantiles_are_those_of_histogram_quantile() {
    const INF: f64 = f64::INFINITY;
    let buckets = vec![(0.1, 10.0), (0.2, 30.0), (0.5, 40.0), (INF, 50.0)];
    // Worked by hand from the description of histogram_quantile in Prometheus's documentation.
    for (q, buckets, expected) in [
        (0.5, buckets.clone(), Some(0.1 + 0.1 * (15.0 / 20.0))),
        (0.1, buckets.clone(), Some(0.05)),
        (0.2, buckets.clone(), Some(0.1)),
        (0.8, buckets.clone(), Some(0.5)),
        (0.95, buckets.clone(), Some(0.5)),
        (1.0, buckets.clone(), Some(0.5)),
        (0.0, buckets.clone(), Some(0.0)),
        (1.1, buckets.clone(), None),
        (f64::NAN, buckets, None),
        (0.5, vec![], None),
        (0.5, vec![(INF, 4.0)], None),
        (0.5, vec![(1.0, 4.0)], None),
        (0.5, vec![(1.0, 0.0), (INF, 0.0)], None),
        (0.5, vec![(INF, 4.0), (2.0, 4.0), (1.0, 0.0)], Some(1.5)),
        (0.5, vec![(-1.0, 4.0), (INF, 4.0)], Some(-1.0)),
        (0.5, vec![(-2.0, 0.0), (-1.0, 4.0), (INF, 4.0)], Some(-1.5)),
        // The same bound twice is added up, and a count that shrinks is lifted to the one before.
        (0.5, vec![(1.0, 1.0), (1.0, 1.0), (2.0, 2.0), (2.0, 2.0), (INF, 4.0)], Some(1.0)),
        (0.75, vec![(1.0, 2.0), (2.0, 1.0), (4.0, 4.0), (INF, 4.0)], Some(3.0)),
    ] {
        let read = lines::quantile(q, buckets.clone());
        match (read, expected) {
            (Some(read), Some(expected)) => assert!((read - expected).abs() < 1e-12, "{q} {buckets:?}: {read} {expected}"),
            _ => assert_eq!(read, expected, "{q} {buckets:?}"),
        }
    }
}

#[test]
fn thinning_keeps_extremes_and_gaps() {
    let mut points: Vec<(Timestamp, Option<f64>)> = (0..100_000).map(|i| (i, Some((i % 7) as f64))).collect();
    points[31_415].1 = Some(1e9);
    points[27_182].1 = Some(-1e9);
    points[50_000].1 = None;
    let thin = lines::thin(points.clone(), MAX_POINTS);
    assert!(thin.len() <= MAX_POINTS && thin.len() > MAX_POINTS / 4, "{}", thin.len());
    for kept in [points[31_415], points[27_182], points[50_000], points[0]] {
        assert!(thin.contains(&kept), "{kept:?}");
    }
    assert!(thin.windows(2).all(|pair| pair[0].0 < pair[1].0), "ascending in time");
    let few = vec![(1, Some(1.0)), (2, None)];
    assert_eq!(lines::thin(few.clone(), MAX_POINTS), few);
}

#[test]
fn gaps_are_made_one_and_cut_off_at_the_ends() {
    let points = vec![(0, Some(1.0)), (1, N), (2, N), (3, Some(2.0)), (4, N), (5, N), (6, Some(3.0)), (7, N)];
    check(&lines::tidy(points, 1), &[(3, Some(2.0)), (4, N), (6, Some(3.0))]);
}

#[test]
fn legends_name_what_differs() {
    let set = |labels: &[(&str, &str)]| labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>();
    let sets = [set(&[("a", "1"), ("b", "x")]), set(&[("a", "2"), ("b", "x")]), set(&[("b", "x"), ("c", "3")])];
    assert_eq!(legend::differences(&sets), ["a=1", "a=2", "c=3"]);
    assert_eq!(legend::differences(&sets[..1]), [""]);
    for (name, unit) in [
        ("http_request_duration_seconds", "s"),
        ("process_resident_memory_bytes", "bytes"),
        ("node_network_receive_bytes_total", "bytes"),
        ("http_requests_total", ""),
        ("latency_milliseconds_sum", "ms"),
        ("up", ""),
    ] {
        assert_eq!(legend::unit(name), unit, "{name}");
    }
}

/// A store with scrapes of these texts, ten seconds apart from time 0.
async fn stored(texts: &[String]) -> Store {
    let store = Store::open(":memory:").await.unwrap();
    for (i, text) in texts.iter().enumerate() {
        let mut report = parse("orders", None, text.as_bytes());
        assert_eq!(report.problems, [], "{text}");
        report.at = i as Timestamp * 10_000;
        store.add_scrape("orders", &report).await.unwrap();
    }
    store
}

async fn ask(store: &Store, name: &str, labels: &[(&str, &str)], shape: Shape, from: Timestamp) -> Vec<Line> {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let query_of = SeriesQuery { integration: "orders".into(), name: name.into(), labels, shape, from, to: 1_000_000 };
    query(store, &query_of).await.unwrap()
}

/// Label, unit and points of each line.
fn shown(lines: &[Line]) -> Vec<String> {
    lines
        .iter()
        .map(|line| {
            let points = line.points.iter().map(|(at, value)| match value {
                Some(value) => format!("{}:{}", at / 1000, (value * 1e6).round() / 1e6),
                None => format!("{}:-", at / 1000),
            });
            format!("{} [{}] {}", line.label, line.unit, points.collect::<Vec<_>>().join(" "))
        })
        .collect()
}

#[tokio::test]
async fn what_suits_the_kind() {
    let text = |i: u32| {
        format!(
            "# TYPE jobs gauge\njobs{{q=\"a\"}} {i}\njobs{{q=\"b\"}} 7\n\
             # TYPE http_requests_total counter\nhttp_requests_total{{code=\"200\",m=\"GET\"}} {}\nhttp_requests_total{{code=\"500\",m=\"GET\"}} {i}\n\
             # TYPE t_seconds histogram\nt_seconds_bucket{{le=\"1\",r=\"x\"}} {}\nt_seconds_bucket{{le=\"2\",r=\"x\"}} {}\nt_seconds_bucket{{le=\"+Inf\",r=\"x\"}} {}\nt_seconds_sum{{r=\"x\"}} {}\nt_seconds_count{{r=\"x\"}} {}\n\
             t_seconds_bucket{{le=\"1\",r=\"y\"}} 0\nt_seconds_bucket{{le=\"2\",r=\"y\"}} {}\nt_seconds_bucket{{le=\"+Inf\",r=\"y\"}} {}\nt_seconds_sum{{r=\"y\"}} {}\nt_seconds_count{{r=\"y\"}} {}\n\
             # TYPE gc_seconds summary\ngc_seconds{{quantile=\"0.5\"}} 0.25\ngc_seconds{{quantile=\"1\"}} {i}\ngc_seconds_sum {}\ngc_seconds_count {}\n",
            i * 20,
            i * 10,
            i * 10,
            i * 10,
            i * 5,
            i * 10,
            i * 10,
            i * 10,
            i * 15,
            i * 10,
            i * 2,
            i * 4
        )
    };
    let store = stored(&[text(1), text(2), text(3)]).await;
    for (name, labels, shape, expected) in [
        ("jobs", &[][..], Shape::Auto, &["q=b [] 0:7 10:7 20:7", "q=a [] 0:1 10:2 20:3"][..]),
        ("jobs", &[("q", "a")], Shape::Auto, &["jobs [] 0:1 10:2 20:3"]),
        ("jobs", &[("q", "a")], Shape::Rate, &["jobs [/s] 10:0.1 20:0.1"]),
        ("http_requests_total", &[], Shape::Auto, &["code=200 [/s] 10:2 20:2", "code=500 [/s] 10:0.1 20:0.1"]),
        ("http_requests_total", &[("code", "500")], Shape::Value, &["http_requests_total [] 0:1 10:2 20:3"]),
        (
            "t_seconds",
            &[],
            Shape::Auto,
            // All together, ten are within 1 s and ten from 1 s to 2 s: the median is at the border.
            &["p50 [s] 10:1 20:1", "p95 [s] 10:1.9 20:1.9", "p99 [s] 10:1.98 20:1.98", "average [s] 10:1 20:1"],
        ),
        ("t_seconds", &[], Shape::Quantile { q: 0.5 }, &["p50 r=y [s] 10:1.5 20:1.5", "p50 r=x [s] 10:0.5 20:0.5"]),
        ("t_seconds", &[("r", "y")], Shape::Quantile { q: 0.999 }, &["p99.9 [s] 10:1.999 20:1.999"]),
        ("t_seconds", &[("r", "x")], Shape::Value, &["t_seconds_count [] 0:10 10:20 20:30"]),
        ("t_seconds_count", &[("r", "x")], Shape::Auto, &["t_seconds_count [/s] 10:1 20:1"]),
        ("t_seconds_sum", &[("r", "y")], Shape::Auto, &["t_seconds_sum [s/s] 10:1.5 20:1.5"]),
        (
            "gc_seconds",
            &[],
            Shape::Auto,
            &["quantile=1 [s] 0:1 10:2 20:3", "quantile=0.5 [s] 0:0.25 10:0.25 20:0.25", "average [s] 10:0.5 20:0.5"],
        ),
    ] {
        assert_eq!(shown(&ask(&store, name, labels, shape, 0).await), expected, "{name} {labels:?} {shape:?}");
    }
    // The value before the range is the first neighbour of the first rate within it.
    let lines = ask(&store, "http_requests_total", &[("code", "200")], Shape::Auto, 10_000).await;
    assert_eq!(shown(&lines), ["http_requests_total [/s] 10:2 20:2"]);
}

#[tokio::test]
async fn openmetrics_families() {
    let text = |i: u32| {
        format!(
            "# TYPE a counter\na_total {i}\na_created 5\n# TYPE v info\nv_info{{x=\"1\"}} 1\n\
             # TYPE g gaugehistogram\ng_bucket{{le=\"2\"}} {i}\ng_bucket{{le=\"+Inf\"}} {i}\ng_gcount {i}\ng_gsum 0\n# EOF\n"
        )
    };
    let store = stored(&[text(10), text(20)]).await;
    assert_eq!(shown(&ask(&store, "a", &[], Shape::Auto, 0).await), ["a_total [/s] 10:1"]);
    assert_eq!(shown(&ask(&store, "a_created", &[], Shape::Auto, 0).await), ["a_created [] 0:5 10:5"]);
    assert_eq!(shown(&ask(&store, "v", &[], Shape::Auto, 0).await), ["v_info [] 0:1 10:1"]);
    // What is there now, not what came since.
    assert_eq!(shown(&ask(&store, "g", &[], Shape::Quantile { q: 0.5 }, 0).await), ["p50 [] 0:1 10:1"]);
}

#[tokio::test]
async fn a_reset_of_one_bucket_is_a_reset_of_all() {
    let text = |within: u32, all: u32| {
        format!(
            "# TYPE t histogram\nt_bucket{{le=\"1\"}} {within}\nt_bucket{{le=\"2\"}} {all}\nt_bucket{{le=\"+Inf\"}} {all}\nt_sum 1\nt_count {all}\n"
        )
    };
    let store = stored(&[text(100, 200), text(4, 8), text(4, 8), text(8, 12)]).await;
    assert_eq!(shown(&ask(&store, "t", &[], Shape::Quantile { q: 0.5 }, 0).await), ["p50 [] 10:1 20:- 30:0.5"]);
}

#[tokio::test]
async fn few_lines_and_a_word_on_the_rest() {
    let text: String = (0..57).map(|i| format!("jobs{{q=\"{i:02}\"}} {i}\n")).collect();
    let store = stored(&[text.clone(), text]).await;
    let lines = ask(&store, "jobs", &[], Shape::Auto, 0).await;
    assert_eq!(lines.len(), MAX_DRAWN + 1);
    assert_eq!((lines[0].label.as_str(), lines[MAX_DRAWN - 1].label.as_str()), ("q=56", "q=37"));
    assert_eq!((lines[MAX_DRAWN].label.as_str(), lines[MAX_DRAWN].points.len()), ("37 more, whose last values are smaller", 0));
}

#[tokio::test]
async fn what_cannot_be_drawn() {
    let store = stored(&["# TYPE jobs gauge\njobs 1\n".to_owned()]).await;
    for (name, shape, from, code, what) in [
        ("jbos", Shape::Auto, 0, Code::NotFound, "No metric `jbos` of `orders` is stored. Did you mean `jobs`?"),
        ("jobs", Shape::Quantile { q: 0.5 }, 0, Code::InvalidInput, "`jobs` is not a histogram, so it has no quantiles"),
        ("jobs", Shape::Quantile { q: 95.0 }, 0, Code::InvalidInput, "95 is no quantile. Write one from 0 to 1, such as 0.95"),
        ("jobs", Shape::Auto, 2_000_000, Code::InvalidInput, "The range ends before it begins"),
    ] {
        let asked = SeriesQuery { integration: "orders".into(), name: name.into(), labels: vec![], shape, from, to: 1_000_000 };
        let problem = query(&store, &asked).await.unwrap_err();
        assert_eq!((problem.code, problem.to_string().as_str()), (code, what));
    }
}
