//! What the page computes without a browser: addresses, keys, words, the palette's search, edits from the form.

use patchbay_contracts::{
    health::Status,
    integration::{Health, Integration, Slo},
    units::{Share, Span},
    workspace::IntegrationSummary,
};
use patchbay_frontend::{
    keys::{Meaning, Stroke, meaning},
    route::{Route, Tab},
    utils::{
        edits::Place,
        hosts,
        input::{Looks, looks},
        order, search, text,
        yaml::{self, Part},
    },
};
use serde_json::{Value, json};

#[test]
fn routes_come_back_from_their_addresses() {
    let awkward = "a/b c%?#ü..";
    let mut routes = vec![
        Route::Overview,
        Route::Integrations,
        Route::Add,
        Route::Probe,
        Route::Contracts,
        Route::Load,
        Route::Metrics,
        Route::Incidents,
        Route::History,
        Route::Run(42),
        Route::Settings,
        Route::Log,
    ];
    routes.extend(Tab::ALL.map(|tab| Route::Integration { name: awkward.to_owned(), tab }));
    for route in routes {
        let path = route.path();
        assert!(path.is_ascii() && !path.contains([' ', '#', '?']), "{path} needs no further encoding");
        assert_eq!(Route::parse(&path), route, "{path}");
        assert_eq!(Route::parse(&route.href()), route, "{path} with its #");
    }
}

#[test]
fn addresses_of_nothing_are_told_apart() {
    let check = |hash: &str, expect: Route| assert_eq!(Route::parse(hash), expect, "{hash}");
    check("", Route::Overview);
    check("#/", Route::Overview);
    check("/integrations/orders", Route::integration("orders"));
    for unknown in
        ["/nowhere", "/integrations/orders/nowhere", "/history/x", "/integrations/%zz", "/integrations/%ff", "/settings/x"]
    {
        check(unknown, Route::Unknown(unknown.trim_matches('/').to_owned()));
    }
}

#[test]
fn each_place_but_the_overview_leads_up_to_it() {
    let tabs = Tab::ALL.map(|tab| Route::Integration { name: "x".to_owned(), tab });
    for start in tabs.into_iter().chain([Route::Run(1), Route::Log, Route::Add, Route::Unknown("x".to_owned())]) {
        let mut place = start.clone();
        for _ in 0..4 {
            match place.parent() {
                Some(parent) => place = parent,
                None => break,
            }
        }
        assert_eq!(place, Route::Overview, "from {start:?}");
    }
    assert_eq!(Route::Overview.parent(), None);
}

#[test]
fn keys_mean_what_the_help_says() {
    let plain = |key| Stroke { key, ctrl: false, alt: false, typing: false, after_g: false };
    let check = |stroke: Stroke<'_>, expect: Meaning| assert_eq!(meaning(stroke), expect, "{stroke:?}");
    check(Stroke { ctrl: true, typing: true, ..plain("k") }, Meaning::Palette);
    check(plain("k"), Meaning::Nothing);
    check(plain("?"), Meaning::Keys);
    check(Stroke { typing: true, ..plain("?") }, Meaning::Nothing);
    check(plain("g"), Meaning::Prefix);
    check(Stroke { after_g: true, ..plain("m") }, Meaning::Go(Route::Metrics));
    check(Stroke { after_g: true, ..plain("z") }, Meaning::Nothing);
    check(plain("m"), Meaning::Nothing);
    check(Stroke { typing: true, after_g: true, ..plain("m") }, Meaning::Nothing);
    check(Stroke { alt: true, ..plain("1") }, Meaning::Go(Route::Overview));
    check(Stroke { alt: true, typing: true, ..plain("9") }, Meaning::Go(Route::Settings));
    check(Stroke { alt: true, ..plain("0") }, Meaning::Nothing);
    check(Stroke { alt: true, ..plain("ArrowLeft") }, Meaning::Back);
    check(plain("ArrowLeft"), Meaning::Nothing);
    check(Stroke { typing: true, ..plain("Escape") }, Meaning::Escape);
    check(Stroke { ctrl: true, ..plain("a") }, Meaning::Nothing);
    check(plain("a"), Meaning::Go(Route::Add));
    check(plain("/"), Meaning::Filter);
}

#[test]
fn durations_have_their_unit_and_three_digits() {
    let check = |ms: f64, expect: &str| assert_eq!(text::duration(ms), expect, "{ms}");
    check(0.0, "0 µs");
    check(0.0423, "42.3 µs");
    check(0.9999, "1 ms");
    check(1.0, "1 ms");
    check(12.34, "12.3 ms");
    check(123.4, "123 ms");
    check(999.4, "999 ms");
    check(999.6, "1 s");
    check(1_240.0, "1.24 s");
    check(59_949.0, "59.9 s");
    check(59_960.0, "1 min");
    check(185_000.0, "3 min 5 s");
    check(7_800_000.0, "2 h 10 min");
    check(356_400_000.0, "4 d 3 h");
    check(f64::NAN, "–");
    check(-1.0, "–");
}

#[test]
fn sizes_counts_and_shares_read_well() {
    let size = |bytes: u64, expect: &str| assert_eq!(text::bytes(bytes), expect, "{bytes}");
    size(0, "0 B");
    size(1_023, "1023 B");
    size(1_024, "1 KiB");
    size(4_300, "4.2 KiB");
    size(1_048_575, "1 MiB");
    size(u64::MAX, "16384 PiB");
    assert_eq!(text::count(7), "7");
    assert_eq!(text::count(1_204_332), "1\u{202f}204\u{202f}332");
    assert_eq!(text::counted(1, "check"), "1 check");
    assert_eq!(text::counted(2, "check"), "2 checks");
    let share = |share: f64, expect: &str| assert_eq!(text::share(share), expect, "{share}");
    share(0.0, "0 %");
    share(1.0, "100 %");
    share(0.5, "50 %");
    share(0.00001, "< 0.01 %");
    share(0.999999, "> 99.99 %");
    share(0.9786, "97.86 %");
    share(f64::NAN, "–");
    assert_eq!(text::share_coarse(0.999), "99 %");
    assert_eq!(text::share_coarse(1.0), "100 %");
}

#[test]
fn times_are_relative_and_exact() {
    let now = 1_767_225_600_000;
    let check = |passed: i64, expect: &str| assert_eq!(text::ago(now - passed, now), expect, "{passed}");
    check(0, "just now");
    check(4_999, "just now");
    check(-800, "just now");
    check(5_000, "5 s ago");
    check(59_999, "59 s ago");
    check(60_000, "1 min ago");
    check(3_600_000, "1 h ago");
    check(86_400_000 * 3, "3 d ago");
    check(86_400_000 * 61, "2 months ago");
    check(-86_400_000 * 3, "in 3 d");
    check(i64::MAX, "3 h ago".replace("3 h", &format!("{} months", (i64::MAX) / (30 * 86_400_000))).as_str());
    assert_eq!(text::exact(now, 0), "2026-01-01 00:00:00.000 +00:00");
    assert_eq!(text::exact(now, -90), "2025-12-31 22:30:00.000 -01:30");
    assert_eq!(text::exact(951_782_400_000, 60), "2000-02-29 01:00:00.000 +01:00");
    assert_eq!(text::exact(-1, 0), "1969-12-31 23:59:59.999 +00:00");
    assert_eq!(text::clock_time(now + 3_723_000, 60), "02:02:03");
}

#[test]
fn long_names_keep_both_ends() {
    let check = |name: &str, limit: usize, expect: &str| {
        let cut = text::middle_cut(name, limit);
        assert_eq!(cut, expect);
        assert!(cut.chars().count() <= limit.max(1), "{cut} has at most {limit} characters");
    };
    check("orders", 6, "orders");
    check("orders!", 6, "ord…s!");
    check("ünïcödé-näme", 5, "ün…me");
    check("abc", 1, "…");
    check("abc", 0, "…");
}

#[test]
fn the_palette_finds_by_a_few_letters() {
    let texts = [
        "orders",
        "payments",
        "Go to Overview",
        "Go to Load",
        "orders: Load",
        "orders: Definition",
        "Check orders now",
        "Theme: dark",
    ];
    let check = |query: &str, first: Option<&str>| {
        let found = search::filter(query, texts);
        assert_eq!(found.first().map(|at| texts[*at]), first, "{query}");
    };
    check("orders", Some("orders"));
    check("ord", Some("orders"));
    check("ORD", Some("orders"));
    check("gtl", Some("Go to Load"));
    check("ordlo", Some("orders: Load"));
    check("o load", Some("orders: Load"));
    check("check", Some("Check orders now"));
    check("dark", Some("Theme: dark"));
    check("zzz", None);
    assert_eq!(search::filter("  ", texts), (0..texts.len()).collect::<Vec<_>>(), "all in their order without a query");
    // Work is bounded by the product of the lengths, whatever the letters.
    assert!(search::score(&"a".repeat(200), &"a".repeat(2_000)).is_some());
}

#[test]
fn those_in_trouble_come_first() {
    let one = |name: &str, status, watched, problems: usize| IntegrationSummary {
        name: name.to_owned(),
        file: String::new(),
        system: String::new(),
        base_url: String::new(),
        status,
        since: None,
        last_check: None,
        latency: Vec::new(),
        error_share: None,
        watched,
        contract: None,
        problems: vec![patchbay_contracts::Problem::new(patchbay_contracts::Code::InvalidDefinition, "x"); problems],
    };
    let all = [
        one("idle", Status::Unobserved, false, 0),
        one("b-fine", Status::Healthy, true, 0),
        one("a-fine", Status::Healthy, true, 0),
        one("silent", Status::Unobserved, true, 0),
        one("broken-file", Status::Unobserved, false, 2),
        one("slow", Status::Degraded, true, 0),
        one("dead", Status::Down, true, 0),
    ];
    let names: Vec<&str> = order::by_urgency(&all).into_iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["dead", "slow", "broken-file", "silent", "a-fine", "b-fine", "idle"]);
}

#[test]
fn what_was_pasted_is_recognised() {
    let check = |pasted: &str, expect: Looks| assert_eq!(looks(pasted), expect, "{pasted}");
    check("  ", Looks::Empty);
    check("https://api.example.org/v1", Looks::Address);
    check("localhost:8080/health", Looks::Address);
    check("api.example.org", Looks::Address);
    check("curl -H 'a: b' https://x.example", Looks::Curl);
    check("$ curl x", Looks::Curl);
    check("# a comment\nintegration:\n  name: x", Looks::File);
    check("integration: { name: x }", Looks::File);
    check("hello world", Looks::Unknown);
    check("orders", Looks::Unknown);
    check("ü", Looks::Unknown);
}

#[test]
fn hosts_of_a_secret_are_hosts() {
    let good = |list: &str, expect: &[&str]| {
        assert_eq!(hosts::parse(list).as_deref(), Ok(&*expect.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>()))
    };
    good("", &[]);
    good("API.example.org, localhost:8080  *.example.org", &["api.example.org", "localhost:8080", "*.example.org"]);
    good("[::1]:4010 127.0.0.1", &["[::1]:4010", "127.0.0.1"]);
    let bad = |list: &str, says: &str| {
        let error = hosts::parse(list).expect_err(list);
        assert!(error.contains(says), "{list}: {error}");
    };
    bad("https://api.example.org/v1", "api.example.org in place of");
    bad("api.example.org/v1", "api.example.org in place of");
    bad("host:0", "host:port");
    bad("host:99999", "host:port");
    bad("*.", "host:port");
    bad("a..b", "host:port");
    bad("[zz]", "host:port");
}

#[test]
fn the_editor_colours_lines_without_changing_them() {
    let text =
        "# top\nintegration:\n  - name: \"it's # no comment\" # one\n  url: ${env:base_url}/x ${secret:\n  it's: don't # c\n\n";
    for (line, parts) in text.split('\n').zip(yaml::parts(text)) {
        assert_eq!(parts.iter().map(|(_, text)| *text).collect::<String>(), line, "the parts are the line");
    }
    let check = |line: &str, expect: &[(Part, &str)]| assert_eq!(yaml::parts(line), [expect.to_vec()], "{line}");
    check("# all", &[(Part::Comment, "# all")]);
    check("key: v # c", &[(Part::Key, "key:"), (Part::Plain, " v "), (Part::Comment, "# c")]);
    check(
        "  - a: ${env:x}!",
        &[(Part::Plain, "  - "), (Part::Key, "a:"), (Part::Plain, " "), (Part::Reference, "${env:x}"), (Part::Plain, "!")],
    );
    check("http://x", &[(Part::Plain, "http://x")]);
    check("a: 'b # c'", &[(Part::Key, "a:"), (Part::Plain, " 'b # c'")]);
}

#[test]
fn places_are_counted_as_browsers_do() {
    let check =
        |text: &str, line, column, expect| assert_eq!(yaml::offset(text, line, column), expect, "{text:?} {line}:{column}");
    check("ab\ncd", 1, 1, 0);
    check("ab\ncd", 2, 2, 4);
    check("ab\ncd", 2, 99, 5);
    check("ab\ncd", 9, 1, 5);
    check("🦀x\ny", 1, 2, 2);
    check("🦀x\ny", 2, 1, 4);
    check("", 3, 3, 0);
    let indent = |text: &str, cursor, expect: &str| assert_eq!(yaml::indentation(text, cursor), expect, "{text:?} at {cursor}");
    indent("  a: 1", 6, "  ");
    indent("  a:", 4, "    ");
    indent("🦀\n  b", 6, "  ");
    indent("", 0, "");
}

#[test]
fn the_form_changes_single_places() {
    let bare: Integration = serde_json::from_value(json!({ "name": "x" })).expect("a name is enough");
    let health = Health {
        interval: Span::secs(30),
        endpoint: None,
        conditions: Vec::new(),
        timeout: None,
        failures: None,
        successes: None,
        enabled: true,
    };
    let whole = Integration {
        health: Some(health),
        slo: Some(Slo { availability: Some(Share(0.999)), latency_p95: Some(Span::millis(500)), ..Slo::default() }),
        base_url: Some("http://h".to_owned()),
        ..bare.clone()
    };
    let check = |definition: &Integration, place: Place, text: &str, pointer: &str, value: Value| {
        let edit = place.edit(definition, text);
        assert_eq!((edit.pointer.as_str(), edit.value), (pointer, value), "{place:?} {text:?}");
    };
    check(&bare, Place::BaseUrl, " http://x ", "/integration/base_url", json!("http://x"));
    check(&whole, Place::BaseUrl, "", "/integration/base_url", Value::Null);
    check(&bare, Place::Availability, "99%", "/integration/slo", json!({ "availability": "99%" }));
    check(&whole, Place::Availability, "99%", "/integration/slo/availability", json!("99%"));
    check(&whole, Place::Availability, "", "/integration/slo/availability", Value::Null);
    let one = Integration { slo: Some(Slo { error_rate: Some(Share(0.01)), ..Slo::default() }), ..bare.clone() };
    check(&one, Place::ErrorRate, "", "/integration/slo", Value::Null);
    check(&bare, Place::Interval, "5m", "/integration/health", json!({ "interval": "5m" }));
    check(&whole, Place::Interval, "5m", "/integration/health/interval", json!("5m"));
    check(&bare, Place::Enabled, "true", "/integration/health", json!({ "interval": "30s" }));
    check(&whole, Place::Enabled, "false", "/integration/health/enabled", json!(false));
    check(&whole, Place::Enabled, "true", "/integration/health/enabled", Value::Null);

    assert_eq!(Place::Availability.value(&whole), "99.9%");
    assert_eq!(Place::Interval.value(&whole), "30s");
    assert_eq!(Place::Interval.value(&bare), "");
    assert!(Place::Interval.mistake("soon").is_some_and(|what| what.contains("30s")));
    assert!(Place::Availability.mistake("99.9").is_some());
    assert!(Place::BaseUrl.mistake("ftp://x").is_some());
    for (place, text) in
        [(Place::Interval, "30s"), (Place::ErrorRate, "0.1%"), (Place::BaseUrl, "${env:base_url}"), (Place::BaseUrl, "")]
    {
        assert_eq!(place.mistake(text), None, "{place:?} {text}");
    }
}
