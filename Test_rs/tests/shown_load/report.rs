//! What a load run leaves behind: the page, the timeline as CSV, and the words that all outputs have in common.

use patchbay_contracts::{
    integration::{Executor, LoadSpec},
    load::{
        Change, ComparedFigure, Comparison, EndpointLoad, Generator, LoadError, LoadReport, LoadSlice, LoadTotals, Phases,
        Quantiles,
    },
    run::{Report, Run, RunSummary},
    units::{Rate, Span},
};
use patchbay_engine::report::{self, Format};
use patchbay_tests::{program::Desk, results};

fn quantiles(count: u64, p50_ms: f64) -> Quantiles {
    Quantiles { count, p50_ms, p95_ms: p50_ms * 3.0, p99_ms: p50_ms * 5.0, max_ms: p50_ms * 9.0, ..Quantiles::default() }
}

/// A run with something of everything.
fn full() -> LoadReport {
    let spec = LoadSpec {
        executor: Executor::ConstantArrivalRate,
        rate: Some(Rate::per_second(200.0)),
        duration: Some(Span::secs(3)),
        thresholds: vec!["p95 < 500ms".to_owned()],
        ..LoadSpec::default()
    };
    let slice = |second, answered| LoadSlice {
        second,
        sent: 200,
        answered,
        failed: 1,
        in_flight: 4,
        connections: 12,
        p50_ms: 1.5,
        p95_ms: 4.25,
        p99_ms: 9.0,
        max_ms: 20.0,
        warm_up: second == 1,
    };
    let endpoint = |name: &str, failed| EndpointLoad {
        name: name.to_owned(),
        sent: 300,
        answered: 299,
        failed,
        latency: quantiles(299, 1.5),
    };
    LoadReport {
        duration_ms: 3_000.0,
        totals: LoadTotals { sent: 600, answered: 598, target_rate: Some(200.0), rate: 199.3, ..LoadTotals::default() },
        latency: quantiles(598, 1.5),
        schedule_lag: Some(quantiles(600, 0.02)),
        timeline: vec![slice(1, 200), slice(2, 198), slice(3, 0)],
        histogram: vec![(1.0, 300), (2.0, 298)],
        errors: vec![LoadError { kind: "status 503".to_owned(), count: 3, example: "<b>Busy</b>".to_owned() }],
        endpoints: vec![endpoint("create order", 3), endpoint("list <orders>", 0)],
        phases: Phases { dns_ms: 0.4, connect: quantiles(12, 0.3), first_byte: quantiles(598, 1.4), ..Phases::default() },
        generator: Generator {
            achieved: Some(1.0),
            littles_law_residual: Some(0.012),
            concurrency: 0.8,
            headroom: Some(0.91),
            threads: 1,
            ..Generator::default()
        },
        comparison: Some(Comparison {
            baseline: 41,
            test: "Permutation of windows, 5 %".to_owned(),
            figures: vec![
                ComparedFigure { name: "p95".to_owned(), before: 3.0, now: 4.5, p_value: 0.000_2, change: Change::Worse },
                ComparedFigure { name: "errors".to_owned(), before: 0.0, now: 0.005, p_value: 0.4, change: Change::Same },
            ],
            problem: None,
        }),
        ..LoadReport::new("orders", "GET http://127.0.0.1:1/", spec)
    }
}

fn stored(report: Report) -> Run {
    let summary = RunSummary {
        id: 42,
        integration: Some("orders".to_owned()),
        kind: report.kind(),
        at: report.at(),
        duration_ms: 3_000.0,
        verdict: report.verdict(),
        partial: report.partial(),
        headline: String::new(),
    };
    Run { summary, report }
}

fn run(report: LoadReport) -> Run {
    stored(Report::Load(report))
}

#[test]
fn the_page_of_a_load_run_has_all_of_its_tables_and_plots() {
    let page = report::render(&run(full()), Format::Html).expect("a page");
    for heading in ["Compared with run 41", "Over time", "Distribution", "Endpoints", "Errors by kind", "The generator"] {
        assert!(page.contains(&format!("<h2>{heading}</h2>")), "{heading}");
    }
    assert_eq!(page.matches("<svg").count(), 4, "rate, latency, what is under way, the distribution");
    for shown in
        ["asked for", "connections", "in flight", "create order", "Worse than run 41: p95.", "+50.0%", "&lt; 0.001", "TCP"]
    {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(page.contains("list &lt;orders&gt;") && !page.contains("<b>Busy"), "what came from outside is text");
    assert!(!page.contains("<script"), "nothing runs in it");
}

#[test]
fn a_run_of_an_older_patchbay_says_nothing_of_its_generator() {
    let old = LoadReport { generator: Generator::default(), comparison: None, endpoints: Vec::new(), ..full() };
    let page = report::render(&run(old), Format::Html).expect("a page");
    assert!(!page.contains("The generator</h2>") && !page.contains("Compared with") && !page.contains(">Endpoints<"));
}

#[test]
fn the_timeline_as_csv_has_a_line_a_second_and_gaps_where_nothing_was_answered() {
    let text = report::render(&run(full()), Format::Csv).expect("a table");
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(
        lines,
        [
            "second_s,warm_up,sent_per_s,answered_per_s,failed_per_s,in_flight,connections,p50_ms,p95_ms,p99_ms,max_ms",
            "1,true,200,200,1,4,12,1.5,4.25,9,20",
            "2,false,200,198,1,4,12,1.5,4.25,9,20",
            "3,false,200,0,1,4,12,,,,",
            "",
        ]
    );
    assert!(report::render(&stored(results::contract("orders")), Format::Csv).is_err(), "a contract run has no timeline");
    assert_eq!(Format::of_file("x.csv".as_ref()).expect("a kind"), Format::Csv);
}

#[test]
fn the_words_on_the_generator_say_when_it_held_the_figures_back() {
    let report = full();
    assert!(report.generator_sentence().contains("kept up"));
    let check = |generator: Generator, says: &str| {
        let held = LoadReport { generator: Generator { bottleneck: true, ..generator }, ..full() };
        let sentence = held.generator_sentence();
        assert!(sentence.contains("bottleneck") && sentence.contains(says) && sentence.contains("nothing passes"), "{sentence}");
    };
    check(Generator { stalls: 3, headroom: Some(0.99), ..Generator::default() }, "stood still 3 times");
    check(Generator { stalls: 1, ..Generator::default() }, "stood still once");
    check(Generator { headroom: Some(0.02), ..Generator::default() }, "busy all the time");
    check(Generator { headroom: Some(0.8), ..Generator::default() }, "too late");
    let told: Vec<(&str, String)> = report.generator_told().into_iter().map(|told| (told.name, told.value)).collect();
    assert!(told.contains(&("Achieved", "100%".to_owned())), "{told:?}");
    assert!(told.contains(&("Schedule lag, p99", "100 µs".to_owned())), "{told:?}");
    assert!(told.contains(&("Little's law", "1.2%".to_owned())), "{told:?}");
    assert!(told.contains(&("Never started", "0".to_owned())) && told.contains(&("Stalls", "none".to_owned())), "{told:?}");
    let closed = LoadReport {
        totals: LoadTotals { target_rate: None, ..report.totals },
        generator: Generator { achieved: None, ..report.generator.clone() },
        schedule_lag: None,
        ..report
    };
    let names: Vec<&str> = closed.generator_told().into_iter().map(|told| told.name).collect();
    assert!(
        !names.contains(&"Achieved") && !names.contains(&"Schedule lag, p99") && !names.contains(&"Never started"),
        "{names:?}"
    );
}

#[test]
fn a_comparison_comes_to_a_sentence() {
    let figure = |name: &str, change| ComparedFigure { name: name.to_owned(), change, ..ComparedFigure::default() };
    let check = |figures: Vec<ComparedFigure>, problem: Option<&str>, expect: &str| {
        let comparison = Comparison { baseline: 7, test: String::new(), figures, problem: problem.map(str::to_owned) };
        assert!(comparison.sentence().contains(expect), "{}", comparison.sentence());
    };
    check(vec![figure("p50", Change::Same)], None, "No figure differs");
    check(vec![figure("p99", Change::Worse)], None, "Worse than run 7: p99.");
    check(vec![figure("rate", Change::Better)], None, "Better than run 7: rate.");
    check(vec![figure("rate", Change::Better), figure("p50", Change::Worse)], None, "p50 worse, rate better");
    check(vec![figure("p50", Change::Unknown)], None, "Too little was measured");
    check(Vec::new(), Some("Another endpoint was called."), "Another endpoint");
    assert_eq!(figure("p50", Change::Unknown).p_told(), "–", "no test was made");
    assert_eq!(figure("p50", Change::Same).difference_told(), "", "nothing is no measure of something");
}

#[test]
fn the_command_writes_the_timeline_of_a_run_and_tells_of_its_endpoints() {
    let desk = Desk::new();
    let sample = desk.sample(&[]);
    desk.write(
        "two.yaml",
        &format!(
            "integration:\n  name: two\n  base_url: {}\n  endpoints:\n    - {{ name: health, path: /health }}\n    - {{ name: metrics, path: /metrics }}\n  load: {{ mix: [{{ endpoint: health, weight: 3 }}, {{ endpoint: metrics }}], connections: 2 }}\n",
            sample.url
        ),
    );
    let file = desk.folder().join("timeline.csv");
    let words = format!("csv={}", file.display());
    let ran = desk.run(&["load", "two", "--duration", "2s", "--report", &words]).held_or_was_held_up();
    assert!(ran.stdout.contains("headroom") && ran.stdout.contains("first byte"), "{}", ran.stdout);
    let text = std::fs::read_to_string(&file).expect("a file");
    assert!(text.starts_with("second_s,") && text.lines().count() >= 3, "{text}");
    let again = desk.folder().join("again.csv");
    desk.run(&["report", "last", "-o", again.to_str().expect("UTF-8")]).exits(0);
    assert_eq!(std::fs::read_to_string(again).expect("a file"), text);
}
