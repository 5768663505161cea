//! Metrics are read whole, and what can't be read is said with its place.

use std::{
    fmt::Write as _,
    io::Read as _,
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use patchbay_contracts::{
    Code,
    metrics::{Exemplar, MetricKind, Sample, ScrapeReport},
};
use patchbay_engine::metrics::{
    MAX_LINE, MAX_LINES, MAX_PROBLEMS, MAX_SAMPLES,
    line::{self, Dialect},
    parse, plain,
};
use patchbay_tests::metrics::{exposition, samples};

const OPENMETRICS: Option<&str> = Some("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// One sample as a line: `family|kind|name{labels} value @time # exemplar`.
fn shown(report: &ScrapeReport) -> Vec<String> {
    let labels = |labels: &[(String, String)]| labels.iter().map(|(n, v)| format!("{n}={v:?}")).collect::<Vec<_>>().join(",");
    let one = |family: &patchbay_contracts::metrics::Family, sample: &Sample| {
        let mut text =
            format!("{}|{:?}|{}{{{}}} {}", family.name, family.kind, sample.name, labels(&sample.labels), sample.value);
        if let Some(time) = sample.timestamp {
            let _ = write!(text, " @{time}");
        }
        if let Some(exemplar) = &sample.exemplar {
            let _ = write!(text, " # {{{}}} {} {:?}", labels(&exemplar.labels), exemplar.value, exemplar.timestamp);
        }
        text
    };
    report.families.iter().flat_map(|family| family.samples.iter().map(move |sample| one(family, sample))).collect()
}

fn check(content_type: Option<&str>, text: &str, expected: &[&str]) {
    let report = parse("test", content_type, text.as_bytes());
    assert_eq!(report.problems, [], "{text}");
    assert_eq!(shown(&report), expected, "{text}");
    assert_eq!(report.samples as usize, expected.len());
}

/// The problems as `line:column what`, of which each expected one must be the beginning.
fn check_refused(content_type: Option<&str>, text: &str, expected: &[&str]) -> ScrapeReport {
    let report = parse("test", content_type, text.as_bytes());
    let problems: Vec<String> = report
        .problems
        .iter()
        .map(|problem| match &problem.place {
            Some(place) => format!("{}:{} {}", place.line, place.column, problem.what),
            None => problem.what.clone(),
        })
        .collect();
    assert_eq!(problems.len(), expected.len(), "{text}\n{problems:#?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{text}\n{problem}\n{expected}");
    }
    report
}

#[test]
fn the_text_format() {
    check(None, "", &[]);
    check(None, "\n\n", &[]);
    check(None, "up 1", &["up|Untyped|up{} 1"]);
    check(None, "up 1\r\n", &["up|Untyped|up{} 1"]);
    check(None, "  up\t1  1395066363000 \n", &["up|Untyped|up{} 1 @1395066363000"]);
    check(None, "up{} 1\n", &["up|Untyped|up{} 1"]);
    check(None, "up { a = \"b\" , } 1\n", &["up|Untyped|up{a=\"b\"} 1"]);
    check(None, "up{a=\"b\"}1\n", &["up|Untyped|up{a=\"b\"} 1"]);
    check(
        None,
        "job:up:rate5m{z=\"1\",a=\"2\"} -3.5e-2 -7\n",
        &["job:up:rate5m|Untyped|job:up:rate5m{z=\"1\",a=\"2\"} -0.035 @-7"],
    );
    check(None, "x{a=\"},=\\\"\\\\\\n\\q\"} NaN\n", &["x|Untyped|x{a=\"},=\\\"\\\\\\n\\\\q\"} NaN"]);
    check(None, "{\"my.metric\",\"a.b\"=\"c\"} +Inf\n", &["my.metric|Untyped|my.metric{a.b=\"c\"} inf"]);
    check(None, "{\"my.metric\"} -Inf\n", &["my.metric|Untyped|my.metric{} -inf"]);
    check(None, "a{x=\"1\"} 12 # {trace=\"7\"} 0.5 1.25\n", &["a|Untyped|a{x=\"1\"} 12 # {trace=\"7\"} 0.5 Some(1250)"]);
    check(
        None,
        "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\nh_max 9\n",
        &[
            "h|Histogram|h_bucket{le=\"1\"} 1",
            "h|Histogram|h_bucket{le=\"+Inf\"} 2",
            "h|Histogram|h_sum{} 3",
            "h|Histogram|h_count{} 2",
            "h_max|Untyped|h_max{} 9",
        ],
    );
    check(
        None,
        "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 3\ns_count 2\n# TYPE c_total counter\nc_total 4\n# EOF\n",
        &["s|Summary|s{quantile=\"0.5\"} 1", "s|Summary|s_sum{} 3", "s|Summary|s_count{} 2", "c_total|Counter|c_total{} 4"],
    );
}

#[test]
fn metadata_is_kept_in_order() {
    let report = parse(
        "test",
        None,
        b"# HELP b Two\\nlines \\\\ and \"quotes\" \n# TYPE b gauge\nb 1\na 2\n#  TYPE \"c.d\"   counter \n{\"c.d\"} 1\n# UNIT e seconds\n# HELP e\n",
    );
    assert_eq!(report.problems, []);
    let families: Vec<_> =
        report.families.iter().map(|f| (f.name.as_str(), f.kind, f.help.as_str(), f.unit.as_str(), f.samples.len())).collect();
    assert_eq!(
        families,
        [
            ("b", MetricKind::Gauge, "Two\nlines \\ and \"quotes\" ", "", 1),
            ("a", MetricKind::Untyped, "", "", 1),
            ("c.d", MetricKind::Counter, "", "", 1),
            ("e", MetricKind::Untyped, "", "seconds", 0),
        ]
    );
}

#[test]
fn what_the_text_format_refuses() {
    for (text, expected) in [
        ("up\n", "1:3 The line ends where a value is expected"),
        ("up{a=\"b\" 1\n", "1:10 `1` can't stand here; expected `,` or `}`"),
        ("up{a=\"b} 1\n", "1:6 The quotation mark that opens here is never closed"),
        ("up{a=\"b\\\"} 1\n", "1:6 The quotation mark that opens here is never closed"),
        ("up{ä=\"b\"} 1\n", "1:4 `ä` can't stand here; expected a label's name"),
        ("up{a=\"ä\",a=\"c\"} 1\n", "1:10 The label `a` stands twice"),
        ("up{a} 1\n", "1:5 `}` can't stand here; expected `=`"),
        ("{a=\"b\"} 1\n", "1:1 The sample has no name"),
        ("0up 1\n", "1:1 `0` can't stand here; expected a metric's name"),
        ("a.b 1\n", "1:2 `.` can't stand here; expected a blank or `{`"),
        ("up 0x1p-3\n", "1:4 `0x1p-3` is not a value"),
        ("up 1_000\n", "1:4 `1_000` is not a value"),
        ("up 1 1.5\n", "1:6 `1.5` is not a time"),
        ("up 1 2 3\n", "1:8 `3` stands after the end of the sample"),
        ("ok 1\nup {count:1,sum:2} 3 4\n", "2:22 `4` stands after the end of the sample"),
        ("up{} {count:1}\n", "1:6 The native histogram lacks its count or its sum"),
        ("up{} {count:1,sum:2\n", "1:6 The native histogram that begins here has no end"),
        ("up{} {count:1,sum:2,tint:3}\n", "1:21 `tint:3` is not a field of a native histogram"),
        ("up{} {count:1,sum:2,schema:99}\n", "1:6 The native histogram has the schema 99"),
        ("up{} {count:1,sum:2,positive_spans:[0:2],positive_deltas:[1]}\n", "1:6 The native histogram's spans are for 2 buckets"),
        ("up{} {count:1,sum:2,positive_spans:[0:9999999999]}\n", "1:6 The native histogram's spans are for 9999999999"),
        ("# TYPE\n", "1:7 The name of the metric is missing"),
        ("# TYPE up nonsense\n", "1:11 `nonsense` is not a type of metric"),
        ("# TYPE up gauge\n# TYPE up gauge\n", "2:3 `up` has a second TYPE line"),
        ("up 1\n# TYPE up gauge\n", "2:3 The type of `up` stands after its samples"),
        ("a 1\nup{x=\"1\",y=\"2\"} 1\nup{y=\"2\",x=\"1\"} 2\n", "3:1 `up` is exposed twice with the same labels"),
    ] {
        check_refused(None, text, &[expected]);
    }
    let report = parse("test", None, b"a 1\nb{c=\"\xff\"} 2\nd 3\n");
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].place.as_ref().map(|place| (place.line, place.column)), Some((2, 6)));
    assert_eq!(shown(&report), ["a|Untyped|a{} 1", "d|Untyped|d{} 3"], "the other lines are read");
}

#[test]
fn openmetrics() {
    check(
        None,
        "# TYPE a counter\n# UNIT a \na_total{x=\"1\"} 1 1.5 # {t=\"ü\"} 0.5 1700000000.1234\na_created{x=\"1\"} 9 1.5\n# EOF\n",
        &["a|Counter|a_total{x=\"1\"} 1 @1500 # {t=\"ü\"} 0.5 Some(1700000000123)", "a|Counter|a_created{x=\"1\"} 9 @1500"],
    );
    check(OPENMETRICS, "up +inf -1.\n# EOF", &["up|Untyped|up{} inf @-1000"]);
    check(OPENMETRICS, "up Infinity .5e1\n# EOF", &["up|Untyped|up{} inf @5000"]);
    check(OPENMETRICS, "# EOF\n", &[]);
    check(
        OPENMETRICS,
        "# TYPE h histogram\nh_bucket{le=\"1\"} 1 1\nh_bucket{le=\"+Inf\"} 2 1\nh_bucket{le=\"1\"} 1 2\nh_bucket{le=\"+Inf\"} 1 2\n# EOF\n",
        &[
            "h|Histogram|h_bucket{le=\"1\"} 1 @1000",
            "h|Histogram|h_bucket{le=\"+Inf\"} 2 @1000",
            "h|Histogram|h_bucket{le=\"1\"} 1 @2000",
            "h|Histogram|h_bucket{le=\"+Inf\"} 1 @2000",
        ],
    );
    check(
        OPENMETRICS,
        "# TYPE \"my.metric\" gauge\n{\"my.metric\",a=\"b\"} 1\n# EOF\n",
        &["my.metric|Gauge|my.metric{a=\"b\"} 1"],
    );
    check(
        OPENMETRICS,
        "# TYPE i info\ni_info{v=\"1\"} 1\ni_info{v=\"2\"} 1\n# TYPE g gaugehistogram\ng_bucket{le=\"-1\"} 1\ng_bucket{le=\"+Inf\"} 2\ng_gcount 2\ng_gsum -4\n# EOF\n",
        &[
            "i|Info|i_info{v=\"1\"} 1",
            "i|Info|i_info{v=\"2\"} 1",
            "g|GaugeHistogram|g_bucket{le=\"-1\"} 1",
            "g|GaugeHistogram|g_bucket{le=\"+Inf\"} 2",
            "g|GaugeHistogram|g_gcount{} 2",
            "g|GaugeHistogram|g_gsum{} -4",
        ],
    );
}

#[test]
fn what_openmetrics_refuses() {
    for (text, expected) in [
        ("", "1:1 The document does not end with `# EOF`"),
        ("a 1\n", "1:1 The document does not end with `# EOF`"),
        ("a 1\n\n# EOF\n", "2:1 A line is empty"),
        ("# a comment\n# EOF\n", "1:1 Only `# HELP`"),
        ("a  1\n# EOF\n", "1:3 ` ` can't stand here; expected a value"),
        ("a 1 \n# EOF\n", "1:4 A blank stands where the line should go on or end"),
        (" a 1\n# EOF\n", "1:1 ` ` can't stand here; expected a metric's name"),
        ("a{x=\"1\",} 1\n# EOF\n", "1:9 `}` can't stand here; expected a label's name"),
        ("a{x=\"1\"}1\n# EOF\n", "1:9 `1` can't stand here; expected a space and a value"),
        ("a 1 9007199254740993\n# EOF\n", "1:5 `9007199254740993` is not a time"),
        ("# TYPE a counter\na 1\n# EOF\n", "2:1 `a` is no name of a sample of this type"),
        ("# TYPE a counter\na_total -1\n# EOF\n", "2:1 `a_total` is -1"),
        ("# TYPE a histogram\na_bucket{le=\"1\"} 1\n# EOF\n", "2:1 The histogram has no bucket with `le=\"+Inf\"`"),
        (
            "# TYPE a histogram\na_bucket{le=\"2\"} 1\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\n# EOF\n",
            "3:1 The bucket up to 1 stands after the one up to 2",
        ),
        (
            "# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n# EOF\n",
            "3:1 The bucket up to inf holds less than the one before",
        ),
        (
            "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 2\n# EOF\n",
            "2:1 The histogram's count is not that of its bucket `+Inf`",
        ),
        ("# TYPE a_created gauge\na_created 1\n# TYPE a counter\na_total 1\n# EOF\n", "3:1 `a` clashes with an earlier metric"),
        ("a 1\nb 1\na{x=\"1\"} 1\n# EOF\n", "3:1 The lines of `a` do not stand together"),
        ("a 1\na 2\n# EOF\n", "2:1 `a` is exposed twice"),
        ("a 1 1\na 2\n# EOF\n", "2:1 Some samples with these labels have a time and others have none"),
        ("# TYPE a stateset\na{b=\"c\"} 1\n# EOF\n", "2:1 `a` has no label `a`"),
        ("# TYPE a counter\na_total 1 # {x=\"y\"} 1 NaN\n# EOF\n", "2:23 `NaN` is not a time"),
    ] {
        check_refused(OPENMETRICS, text, &[expected]);
    }
    let long = format!("# TYPE a counter\na_total 1 # {{x=\"{}\"}} 1\n# EOF\n", "ü".repeat(128));
    check_refused(OPENMETRICS, &long, &["2:13 The exemplar's labels have 129 characters"]);
}

#[test]
fn the_conformance_samples_of_openmetrics() {
    let Some(folder) = samples() else { return };
    let mut cases = 0;
    for case in std::fs::read_dir(folder.join("openmetrics")).unwrap() {
        let case = case.unwrap();
        let name = case.file_name().into_string().unwrap();
        let bytes = std::fs::read(case.path().join("metrics")).unwrap();
        for content_type in [OPENMETRICS, None] {
            let report = parse(&name, content_type, &bytes);
            assert_eq!(!report.problems.is_empty(), name.starts_with("bad_"), "{name}: {:#?}", report.problems);
        }
        cases += 1;
    }
    assert!(cases > 0, "the folder of cases is empty");
}

#[test]
fn real_expositions_are_read_whole() {
    let Some(folder) = samples() else { return };
    for file in std::fs::read_dir(folder.join("prometheus/exposition")).unwrap() {
        let file = file.unwrap().path();
        let text = std::fs::read_to_string(&file).unwrap();
        let report = parse("file", None, text.as_bytes());
        assert_eq!(report.problems, [], "{}", file.display());
        same_as_line_by_line(&text, &report);
    }
}

/// Compares with the number of lines that are no comments, and with our own reader, line by line.
fn same_as_line_by_line(text: &str, report: &ScrapeReport) {
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert!(!lines.is_empty());
    let mut read = shown(report);
    let mut expected: Vec<String> = Vec::new();
    for line in &lines {
        let sample = line::read(Dialect::Text, line).unwrap().sample;
        let family = report.families.iter().find(|f| f.samples.iter().any(|s| s.name == sample.name)).unwrap();
        let one = ScrapeReport {
            families: vec![patchbay_contracts::metrics::Family { samples: vec![sample], help: String::new(), ..family.clone() }],
            ..report.clone()
        };
        expected.extend(shown(&one));
    }
    read.sort();
    expected.sort();
    assert_eq!(read, expected);
}

#[test]
fn both_readers_agree_with_what_was_written() {
    let (mut plain_lines, mut odd_lines) = (0, 0);
    for seed in 0..60 {
        let made = exposition(seed, 200);
        let report = parse("made", None, made.text.as_bytes());
        assert_eq!(report.problems, [], "seed {seed}");
        // Families gather samples of one name; the label `line` tells them apart and gives the order back.
        let mut read: Vec<&Sample> = report.families.iter().flat_map(|family| &family.samples).collect();
        read.sort_by_key(|sample| sample.labels.last().and_then(|(_, line)| line.parse::<usize>().ok()));
        assert_eq!(read.len(), made.samples.len());
        for (read, written) in read.iter().zip(&made.samples) {
            same(read, written);
        }
        let lines: Vec<&str> = made.text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).collect();
        for (line, written) in lines.iter().zip(&made.samples) {
            same(&line::read(Dialect::Text, line).unwrap().sample, written);
            if plain::is_plain(line) {
                same(&plain::read(&[line]).unwrap()[0], written);
                plain_lines += 1;
            } else {
                odd_lines += 1;
            }
        }
    }
    assert!(plain_lines > 1000 && odd_lines > 1000, "both readers must have been at work: {plain_lines}, {odd_lines}");
}

fn same(read: &Sample, written: &Sample) {
    assert_eq!(read.value.to_bits(), written.value.to_bits(), "{read:?} {written:?}");
    let bare = |sample: &Sample| Sample { value: 0.0, ..sample.clone() };
    assert_eq!(bare(read), bare(written));
}

#[test]
fn what_prometheus_parse_would_mangle_is_not_plain() {
    for line in [
        "a:b 1",
        "a{} 1",
        "a{b=\"}\"} 1",
        "a{b=\"c,d\"} 1",
        "a{b=\"c=d\"} 1",
        "a{b=\"c\\n\"} 1",
        "{\"a\"} 1",
        "a{b=\"c\",b=\"d\"} 1",
        "a 1 99999999999999999",
        "a 1 1.5",
        "a 1 # {} 1",
        "a wrong",
        "a",
        "# TYPE a counter",
        "",
    ] {
        assert!(!plain::is_plain(line), "{line}");
    }
    // A number with digits and signs in the wrong places looks plain; the crate leaves it out, and our reader says why.
    assert!(plain::is_plain("a 1e"));
    assert_eq!(plain::read(&["b 1", "a 1e"]), None);
    check_refused(None, "b 1\na 1e\n", &["2:3 `1e` is not a value"]);
}

#[test]
fn bounds() {
    let mut text = String::new();
    for i in 0..MAX_SAMPLES + 2 {
        let _ = writeln!(text, "a{{i=\"{i}\"}} 1");
    }
    let report =
        check_refused(None, &text, &["200001:1 The document has more than 200000 samples; the last 2 lines are left out"]);
    assert_eq!(report.samples as usize, MAX_SAMPLES);
    assert_eq!(report.problems[0].code, Code::TooLarge);

    let long = format!("a 1\n# HELP a {}\nb 2\n", "x".repeat(MAX_LINE));
    let report = check_refused(None, &long, &["2:1 The line has"]);
    assert_eq!(report.samples, 2);

    let labels = (0..300).map(|i| format!("l{i}=\"\"")).collect::<Vec<_>>().join(",");
    check_refused(None, &format!("a{{{labels}}} 1\n"), &["1:"]);
    let many = (0..200).map(|i| format!("l{i}=\"\"")).collect::<Vec<_>>().join(",");
    assert_eq!(parse("test", None, format!("a{{{many}}} 1\n").as_bytes()).problems, []);
    check_refused(None, &format!("a{{{many},l150=\"\"}} 1\n"), &["1:1493 The label `l150` stands twice"]);

    check_refused(None, &"\n".repeat(MAX_LINES + 5), &["1000001:1 The document has more than 1000000 lines"]);

    let report = parse("test", None, "?\n".repeat(1000).as_bytes());
    assert_eq!(report.problems.len(), MAX_PROBLEMS + 1);
    assert_eq!(report.problems[MAX_PROBLEMS].what, "900 further mistakes are not listed");

    let report = parse("test", None, &vec![b'#'; (64 << 20) + 1]);
    assert_eq!((report.problems.len(), report.problems[0].code), (1, Code::TooLarge));
}

#[test]
fn ten_megabytes_are_read() {
    let mut text = String::new();
    let mut count = 0;
    while text.len() < 10 << 20 {
        if count % 100 == 0 {
            let _ = writeln!(text, "# HELP http_{count}_total Requests\n# TYPE http_{count}_total counter");
        }
        let family = count / 100 * 100;
        let _ = writeln!(text, "http_{family}_total{{method=\"GET\",path=\"/api/v1/orders/{count}\",code=\"200\"}} {count}");
        count += 1;
    }
    let began = Instant::now();
    let report = parse("test", None, text.as_bytes());
    println!("{} samples of {} bytes in {:?}", report.samples, text.len(), began.elapsed());
    assert_eq!(report.problems, []);
    assert_eq!(report.samples, count);
    assert_eq!(report.families.len() as u64, count.div_ceil(100));
}

#[test]
fn what_is_no_metrics_is_named() {
    for (content_type, text, expected) in [
        (Some("text/html"), "<!doctype html><title>Sign in</title>", "test gave an HTML or XML page"),
        (None, "\n  <html>", "test gave an HTML or XML page"),
        (Some("application/json"), "{\"status\": \"UP\"}", "test gave a JSON document"),
        (None, "[1]", "test gave a JSON document"),
        (Some("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily"), "x", "test gave Prometheus's binary"),
    ] {
        check_refused(content_type, text, &[expected]);
    }
    check_refused(None, "{\"status\" : 1", &["1:11 `:` can't stand here"]);
}

#[test]
fn native_histograms_become_classic_ones() {
    let native = "{count:24,sum:100,schema:0,zero_threshold:0.001,zero_count:4,positive_spans:[0:2,1:2],negative_spans:[0:2,1:2],\
                  positive_deltas:[2,1,-3,3],negative_deltas:[2,1,-2,3]}";
    // Buckets by hand: base 2, so index i counts up to 2^i; negative ones -1, -2, -8, -16 count 2, 3, 1, 4.
    let expected = [
        ("-16", 0.0),
        ("-8", 4.0),
        ("-4", 5.0),
        ("-2", 5.0),
        ("-1", 8.0),
        ("-0.5", 10.0),
        ("-0.001", 10.0),
        ("0.001", 14.0),
        ("0.5", 14.0),
        ("1", 16.0),
        ("2", 19.0),
        ("4", 19.0),
        ("8", 19.0),
        ("16", 22.0),
        ("+Inf", 24.0),
    ];
    for (content_type, end) in [(None, "5000"), (OPENMETRICS, "5 # {t=\"u\"} 3\n# EOF")] {
        let text = format!("# TYPE h histogram\nh{{a=\"b\"}} {native} {end}\n");
        let report = parse("test", content_type, text.as_bytes());
        assert_eq!(report.problems, [], "{text}");
        assert_eq!((report.families.len(), report.families[0].kind), (1, MetricKind::Histogram));
        let samples = &report.families[0].samples;
        assert_eq!(report.samples as usize, samples.len());
        let buckets: Vec<_> =
            samples.iter().filter(|s| s.name == "h_bucket").map(|s| (s.labels[1].1.as_str(), s.value)).collect();
        assert_eq!(buckets, expected);
        let rest: Vec<_> = samples.iter().filter(|s| s.name != "h_bucket").map(|s| (s.name.as_str(), s.value)).collect();
        assert_eq!(rest, [("h_sum", 100.0), ("h_count", 24.0)]);
        assert!(samples.iter().all(|s| s.timestamp == Some(5000) && s.labels[0] == ("a".to_owned(), "b".to_owned())));
        let with_exemplar: Vec<_> = samples.iter().filter(|s| s.exemplar.is_some()).map(|s| s.labels[1].1.as_str()).collect();
        assert_eq!(with_exemplar, if content_type.is_some() { &["4"][..] } else { &[] });
    }
    check(
        None,
        "h {count:3,sum:4,schema:-53,custom_values:[1,5],positive_spans:[0:3],positive_deltas:[1,0,0]}\n",
        &[
            "h|Histogram|h_bucket{le=\"1\"} 1",
            "h|Histogram|h_bucket{le=\"5\"} 2",
            "h|Histogram|h_bucket{le=\"+Inf\"} 3",
            "h|Histogram|h_sum{} 4",
            "h|Histogram|h_count{} 3",
        ],
    );
    check(
        None,
        "h {count:0,sum:0}\n",
        &["h|Histogram|h_bucket{le=\"+Inf\"} 0", "h|Histogram|h_sum{} 0", "h|Histogram|h_count{} 0"],
    );
    check_refused(
        OPENMETRICS,
        "# TYPE h gauge\nh {count:0,sum:0}\n# EOF\n",
        &["2:1 `h` has a native histogram and is not declared as one"],
    );
}

#[test]
fn no_document_makes_it_panic() {
    use rand::{RngExt, SeedableRng};
    let mut dice = rand::rngs::StdRng::seed_from_u64(1);
    let native = "# TYPE h histogram\nh {count:24,sum:100,schema:0,zero_count:4,positive_spans:[0:2,1:2],positive_deltas:[2,1,-3,3]} 1 # {ü=\"\\é\"} 1 2\n# EOF\n";
    let odd = ["\\", "\"", "{", "}", ",", "=", "ü", "\n", " ", "#", ":", "[", "]", "9", "-", "e", "\0", "\u{feff}"];
    for seed in 0..300 {
        let mut text = if seed % 3 == 0 { native.to_owned() } else { exposition(seed, 5).text };
        for _ in 0..dice.random_range(1..6) {
            let at = (0..=dice.random_range(0..=text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            let to = (at..=text.len()).find(|to| *to > at + 1 && text.is_char_boundary(*to)).unwrap_or(text.len());
            text.replace_range(at..to, odd[dice.random_range(0..odd.len())]);
        }
        for content_type in [None, OPENMETRICS] {
            let report = parse("test", content_type, text.as_bytes());
            let places = report.problems.iter().filter_map(|problem| problem.place.as_ref());
            let lines = text.split('\n').count() as u32;
            places.for_each(|place| assert!((1..=lines).contains(&place.line) && place.column >= 1, "{text}\n{place}"));
            assert_eq!(report.samples as usize, report.families.iter().map(|family| family.samples.len()).sum::<usize>());
        }
    }
}

#[test]
fn exemplars_keep_all_their_parts() {
    let report = parse(
        "test",
        OPENMETRICS,
        b"# TYPE a histogram\na_bucket{le=\"1\"} 1 # {} 0.25\na_bucket{le=\"+Inf\"} 2 5 # {trace_id=\"x\",span_id=\"y\"} 7e0 1.001\n# EOF\n",
    );
    let exemplars: Vec<_> = report.families[0].samples.iter().filter_map(|sample| sample.exemplar.clone()).collect();
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        exemplars,
        [
            Exemplar { labels: vec![], value: 0.25, timestamp: None },
            Exemplar { labels: vec![pair("trace_id", "x"), pair("span_id", "y")], value: 7.0, timestamp: Some(1001) },
        ]
    );
    assert_eq!(report.problems.len(), 1, "one bucket has a time and the other none");
}

#[test]
fn every_series_of_a_real_node_exporter() {
    let binary = "/usr/bin/prometheus-node-exporter";
    if !std::path::Path::new(binary).exists() {
        eprintln!("left out: {binary} is not installed");
        return;
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut exporter = Command::new(binary)
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let text = get_metrics(port);
    let _ = exporter.kill();
    let _ = exporter.wait();
    let text = text.expect("the exporter answers within ten seconds");
    let report = parse("node", Some("text/plain; version=0.0.4"), text.as_bytes());
    assert_eq!(report.problems, []);
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
    assert!(lines > 200, "a node exporter exposes more than {lines} series");
    assert_eq!(report.samples as usize, lines);
    same_as_line_by_line(&text, &report);
}

fn get_metrics(port: u16) -> Option<String> {
    use std::io::Write as _;
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).ok()?;
            return answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}
