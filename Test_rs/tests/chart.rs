//! The geometry of charts: ticks, thinning, gaps, zones, the crosshair, and the image.

use patchbay_contracts::chart::{
    Chart, Rule, Scale, Series, Stretch, StretchKind, Style, SvgOptions, Tone, Unit, Weight, XAxis, Zone, elapsed, escape, exact,
    histogram, sparkline, svg,
};

type Points = Vec<(f64, Option<f64>)>;

fn elapsed_chart(points: Points) -> Chart {
    let to = points.last().map_or(10.0, |(x, _)| *x);
    Chart {
        title: "latency".to_owned(),
        unit: Unit::Milliseconds,
        x: XAxis::Elapsed,
        range: (0.0, to),
        series: vec![Series { label: "p95".to_owned(), points, ..Series::default() }],
        ..Chart::default()
    }
}

fn solid(points: &[(f64, f64)]) -> Points {
    points.iter().map(|(x, y)| (*x, Some(*y))).collect()
}

/// The positions that follow `M` and `L` in a path.
fn positions(path: &str) -> Vec<(f64, f64)> {
    let mut found = Vec::new();
    let mut rest = path;
    while let Some(start) = rest.find(['M', 'L']) {
        rest = &rest[start + 1..];
        let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (x, y) = rest[..end].split_once(' ').expect("a position is two numbers");
        found.push((x.parse().expect("a number"), y.parse().expect("a number")));
    }
    found
}

#[test]
fn values_are_shown_with_a_unit_that_suits() {
    let check = |unit: Unit, value: f64, expect: &str| assert_eq!(unit.show(value), expect, "{unit:?} {value:?}");
    check(Unit::Milliseconds, 0.0, "0 ms");
    check(Unit::Milliseconds, 12.345, "12.3 ms");
    check(Unit::Milliseconds, 0.25, "250 µs");
    check(Unit::Milliseconds, 0.000_5, "500 ns");
    check(Unit::Milliseconds, 999.0, "999 ms");
    check(Unit::Milliseconds, 1500.0, "1.5 s");
    check(Unit::Milliseconds, 119_000.0, "119 s");
    check(Unit::Milliseconds, 180_000.0, "3 min");
    check(Unit::Seconds, 0.0125, "12.5 ms");
    check(Unit::Seconds, 7200.0, "2 h");
    check(Unit::Bytes, 0.0, "0 B");
    check(Unit::Bytes, 1023.0, "1023 B");
    check(Unit::Bytes, 1536.0, "1.5 KiB");
    check(Unit::BytesPerSecond, 3.0 * 1024.0 * 1024.0, "3 MiB/s");
    check(Unit::PerSecond, 120.0, "120/s");
    check(Unit::PerSecond, 12_345.0, "12.3k/s");
    check(Unit::Share, 0.9995, "99.95%");
    check(Unit::Share, 1.0, "100%");
    check(Unit::Percent, 0.125, "0.125%");
    check(Unit::Count, 9_999.0, "9999");
    check(Unit::Count, -12_500.0, "-12.5k");
    check(Unit::Count, 1e300, "1e300");
    check(Unit::Count, 1.5e-9, "1.5e-9");
    check(Unit::Other("°C".to_owned()), 21.5, "21.5 °C");
    check(Unit::Count, f64::NAN, "NaN");
    check(Unit::Seconds, f64::INFINITY, "+Inf");
    check(Unit::Bytes, f64::NEG_INFINITY, "-Inf");
    for (name, unit) in [("s", Unit::Seconds), ("bytes", Unit::Bytes), ("/s", Unit::PerSecond), ("", Unit::Count)] {
        assert_eq!(Unit::named(name), unit, "{name}");
    }
}

#[test]
fn ticks_of_values_are_round_and_carry_their_unit() {
    let check = |unit: Unit, from_zero: bool, values: &[f64], expect: &[&str]| {
        let mut chart = elapsed_chart(values.iter().enumerate().map(|(i, v)| (i as f64, Some(*v))).collect());
        chart.unit = unit;
        chart.from_zero = from_zero;
        let drawing = chart.draw(600.0, 200.0);
        let labels: Vec<_> = drawing.y_ticks.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(labels, expect, "{values:?}");
        let gaps: Vec<_> = drawing.y_ticks.windows(2).map(|pair| pair[0].at - pair[1].at).collect();
        assert!(gaps.iter().all(|gap| (gap - gaps[0]).abs() < 0.01 && *gap > 0.0), "{gaps:?}");
    };
    check(Unit::Milliseconds, false, &[12.0, 180.0], &["0", "50 ms", "100 ms", "150 ms", "200 ms"]);
    check(Unit::Milliseconds, false, &[900.0, 1900.0], &["0", "0.5 s", "1.0 s", "1.5 s", "2.0 s"]);
    check(Unit::Seconds, false, &[0.0, 600.0], &["0", "5 min", "10 min"]);
    check(Unit::Bytes, false, &[0.0, 4.0 * 1024.0 * 1024.0], &["0", "1 MiB", "2 MiB", "3 MiB", "4 MiB"]);
    check(Unit::PerSecond, false, &[40_000.0], &["0", "10k/s", "20k/s", "30k/s", "40k/s"]);
    check(Unit::Share, false, &[0.001, 0.004], &["0", "0.1%", "0.2%", "0.3%", "0.4%"]);
    check(Unit::Count, false, &[100.0, 104.0], &["100", "101", "102", "103", "104"]);
    check(Unit::Count, true, &[100.0, 104.0], &["0", "50", "100", "150"]);
    check(Unit::Count, false, &[-3.0, 3.0], &["-4", "-2", "0", "2", "4"]);
    check(Unit::PerSecond, false, &[0.0], &["0", "0.25/s", "0.50/s", "0.75/s", "1.00/s"]);
}

#[test]
fn huge_and_tiny_values_keep_a_finite_axis() {
    for values in [vec![1e300, -1e300], vec![1e-300, 2e-300], vec![5e-324], vec![1e15, 1e15 + 1.0], vec![-1e299], vec![0.0]] {
        for unit in [Unit::Count, Unit::Milliseconds, Unit::Bytes] {
            let mut chart = elapsed_chart(values.iter().enumerate().map(|(i, v)| (i as f64, Some(*v))).collect());
            chart.unit = unit;
            let drawing = chart.draw(600.0, 200.0);
            assert!(drawing.y.values.0.is_finite() && drawing.y.values.1 > drawing.y.values.0, "{values:?}: {:?}", drawing.y);
            assert!((2..=110).contains(&drawing.y_ticks.len()), "{values:?}: {} ticks", drawing.y_ticks.len());
            let mark = &drawing.marks[0];
            for (x, y) in positions(&mark.line).into_iter().chain(mark.dots.iter().copied()) {
                assert!(x.is_finite() && (-1.0..=201.0).contains(&y), "{values:?}: {x} {y}");
            }
        }
    }
}

#[test]
fn times_have_ticks_on_the_local_clock() {
    // 2026-03-05 12:00:00 UTC.
    const NOON: i64 = 1_772_712_000_000;
    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    let check = |from: i64, to: i64, zone: Zone, expect: &[&str]| {
        let chart = Chart { x: XAxis::Time(zone), range: (from as f64, to as f64), ..Chart::default() };
        let labels: Vec<_> = chart.draw(600.0, 200.0).x_ticks.into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, expect);
    };
    check(NOON, NOON + 15 * MINUTE, Zone::utc(), &["12:00", "12:02", "12:04", "12:06", "12:08", "12:10", "12:12", "12:14"]);
    let seconds = ["12:00:00", "12:00:05", "12:00:10", "12:00:15", "12:00:20", "12:00:25", "12:00:30"];
    check(NOON, NOON + 30_000, Zone::utc(), &seconds);
    let day = ["18:00", "5 Mar", "06:00", "12:00", "18:00"];
    check(NOON - 18 * HOUR, NOON + 6 * HOUR, Zone::utc(), &day);
    // Half an hour off UTC: ticks still stand on whole local hours.
    check(NOON, NOON + 6 * HOUR, Zone::fixed(330), &["18:00", "19:00", "20:00", "21:00", "22:00", "23:00"]);
    let week = ["27 Feb", "28 Feb", "1 Mar", "2 Mar", "3 Mar", "4 Mar", "5 Mar"];
    check(NOON - 7 * 24 * HOUR, NOON, Zone::utc(), &week);
    // A range of no width, upside down or without sense still draws.
    for (from, to) in [(NOON as f64, NOON as f64), (NOON as f64, 0.0), (-1e300, 1e300), (f64::NAN, f64::INFINITY)] {
        let drawing = Chart { range: (from, to), ..Chart::default() }.draw(600.0, 200.0);
        assert!(drawing.x.values.0 < drawing.x.values.1 && drawing.x_ticks.len() < 1001, "{from} {to}");
        assert!(drawing.x_ticks.iter().all(|tick| tick.at.is_finite()), "{from} {to}");
    }
}

#[test]
fn summer_time_moves_the_clock_and_not_the_data() {
    // Central European time: on 2026-03-29 at 01:00 UTC the clock goes from 02:00 to 03:00.
    const CHANGE: i64 = 1_774_746_000_000;
    let zone = Zone::observed(CHANGE - 5 * 3_600_000, CHANGE + 5 * 3_600_000, |at| if at < CHANGE { 60 } else { 120 });
    assert_eq!(zone.minutes_at(CHANGE - 1), 60);
    assert_eq!(zone.minutes_at(CHANGE), 120);
    assert_eq!(exact(CHANGE - 1000, &zone, 1000), "2026-03-29 01:59:59");
    assert_eq!(exact(CHANGE, &zone, 1000), "2026-03-29 03:00:00");
    let range = ((CHANGE - 3_600_000) as f64, (CHANGE + 3_600_000) as f64);
    let chart = Chart { x: XAxis::Time(zone), range, ..Chart::default() };
    let ticks = chart.draw(500.0, 200.0).x_ticks;
    assert!(ticks.windows(2).all(|pair| pair[0].at < pair[1].at), "{ticks:?}");
    let labels: Vec<_> = ticks.iter().map(|tick| tick.label.as_str()).collect();
    assert_eq!(labels, ["01:00", "01:30", "03:00", "03:30", "04:00"]);
}

#[test]
fn exact_times_follow_the_calendar() {
    let check = |at: i64, expect: &str| assert_eq!(exact(at, &Zone::utc(), 1), expect);
    check(0, "1970-01-01 00:00:00.000");
    check(-1, "1969-12-31 23:59:59.999");
    check(951_782_400_000, "2000-02-29 00:00:00.000");
    check(4_107_542_400_000, "2100-03-01 00:00:00.000");
    check(1_772_712_000_123, "2026-03-05 12:00:00.123");
    check(i64::MAX, "9999-12-31 23:59:59.999");
    for (seconds, expect) in [(0.0, "0s"), (1.5, "1.5s"), (59.0, "59s"), (90.0, "1m30s"), (7200.0, "2h"), (f64::NAN, "")] {
        assert_eq!(elapsed(seconds), expect);
    }
}

#[test]
fn thinning_keeps_the_extremes_of_each_pixel_column() {
    // A hundred thousand quiet values, with one spike and one dip that no eye may miss.
    let mut points: Points = (0..100_000).map(|i| (f64::from(i), Some(100.0 + f64::from(i % 7)))).collect();
    points[43_210].1 = Some(900.0);
    points[77_777].1 = Some(3.0);
    let drawing = elapsed_chart(points).draw(800.0, 240.0);
    let kept = positions(&drawing.marks[0].line);
    assert!(kept.len() <= 4 * (drawing.plot.width as usize + 2), "{} points are left", kept.len());
    let highest = kept.iter().map(|(_, y)| *y).fold(f64::INFINITY, f64::min);
    let lowest = kept.iter().map(|(_, y)| *y).fold(f64::NEG_INFINITY, f64::max);
    assert!((highest - drawing.y.pixel(900.0)).abs() < 0.06, "the spike is gone: {highest}");
    assert!((lowest - drawing.y.pixel(3.0)).abs() < 0.06, "the dip is gone: {lowest}");
    assert!(kept.windows(2).all(|pair| pair[0].0 <= pair[1].0), "the line runs backwards");
    // Every second value missing: no column has more than its four points all the same.
    let points: Points = (0..100_000).map(|i| (f64::from(i), (i % 2 == 0).then_some(5.0))).collect();
    let drawing = elapsed_chart(points).draw(800.0, 240.0);
    assert!(drawing.marks[0].line.len() < 100_000 && drawing.marks[0].dots.len() < 1000);
}

#[test]
fn a_gap_breaks_the_path() {
    let check = |values: &[Option<f64>], subpaths: usize, dots: usize| {
        let points = values.iter().enumerate().map(|(i, value)| (i as f64, *value)).collect();
        let drawing = elapsed_chart(points).draw(600.0, 200.0);
        let mark = &drawing.marks[0];
        assert_eq!((mark.line.matches('M').count(), mark.dots.len()), (subpaths, dots), "{values:?}: {}", mark.line);
    };
    check(&[], 0, 0);
    check(&[Some(1.0)], 0, 1);
    check(&[None, None], 0, 0);
    check(&[Some(1.0), Some(2.0), Some(3.0)], 1, 0);
    check(&[Some(1.0), Some(2.0), None, Some(3.0), Some(4.0)], 2, 0);
    check(&[Some(1.0), None, Some(3.0), None, Some(4.0)], 0, 3);
    check(&[Some(1.0), Some(2.0), Some(f64::NAN), Some(3.0), Some(4.0)], 2, 0);
    check(&[Some(1.0), Some(2.0), Some(f64::INFINITY), Some(3.0), Some(f64::NEG_INFINITY)], 1, 1);
}

#[test]
fn values_that_are_not_finite_are_counted() {
    let mut chart = elapsed_chart(solid(&[(0.0, 1.0), (1.0, f64::NAN), (2.0, f64::INFINITY), (3.0, 2.0)]));
    assert_eq!(chart.draw(600.0, 200.0).notes, ["2 values are not finite and not drawn"]);
    chart.series[0].points[1].1 = Some(1.0);
    assert_eq!(chart.draw(600.0, 200.0).notes, ["1 value is not finite and not drawn"]);
    chart.series[0].points[2].1 = None;
    assert!(chart.draw(600.0, 200.0).notes.is_empty());
}

#[test]
fn no_line_crosses_unobserved_time() {
    let mut chart = elapsed_chart(solid(&[(0.0, 1.0), (1.0, 1.0), (9.0, 1.0), (10.0, 1.0)]));
    let lines = |chart: &Chart| chart.draw(600.0, 200.0).marks[0].line.matches('M').count();
    assert_eq!(lines(&chart), 1);
    chart.stretches = vec![Stretch { from: 2.0, to: 8.0, kind: StretchKind::WarmUp }];
    assert_eq!(lines(&chart), 1, "a warm-up is observed");
    chart.stretches.push(Stretch { from: 2.0, to: 8.0, kind: StretchKind::Unobserved });
    assert_eq!(lines(&chart), 2);
    let drawing = chart.draw(600.0, 200.0);
    let hatched = drawing.stretches.iter().find(|stretch| stretch.kind == StretchKind::Unobserved).expect("it is drawn");
    assert!(!hatched.hatching.is_empty());
    for (x, y) in positions(&hatched.hatching) {
        let rect = hatched.rect;
        assert!(x >= rect.x - 0.1 && x <= rect.x + rect.width + 0.1, "{x} is outside {rect:?}");
        assert!(y >= rect.y - 0.1 && y <= rect.y + rect.height + 0.1, "{y} is outside {rect:?}");
    }
    assert!(drawing.description.contains("One stretch was not observed"), "{}", drawing.description);
    // Thousands of short ones become no more shapes than there are pixels.
    let short = |i: i32| Stretch { from: f64::from(i) / 2e3, to: f64::from(i) / 2e3 + 1e-4, kind: StretchKind::Unobserved };
    chart.stretches = (0..20_000).map(short).collect();
    assert!(chart.draw(600.0, 200.0).stretches.len() <= 600);
}

#[test]
fn a_line_enters_and_leaves_at_the_edges_of_the_range() {
    let mut chart = elapsed_chart(solid(&[(0.0, 0.0), (10.0, 100.0)]));
    chart.range = (4.0, 6.0);
    let drawing = chart.draw(600.0, 200.0);
    let ends = positions(&drawing.marks[0].line);
    assert_eq!(ends.len(), 2);
    for ((x, y), (at, value)) in ends.into_iter().zip([(4.0, 40.0), (6.0, 60.0)]) {
        assert!((x - drawing.x.pixel(at)).abs() < 0.06 && (y - drawing.y.pixel(value)).abs() < 0.06, "{x} {y}");
    }
    chart.range = (11.0, 12.0);
    let drawing = chart.draw(600.0, 200.0);
    assert!(drawing.empty && drawing.legend[0].last.is_empty());
    assert!(drawing.y_ticks.iter().all(|tick| tick.label.is_empty()), "a scale is invented: {:?}", drawing.y_ticks);
}

#[test]
fn the_legend_has_the_last_value_of_the_range() {
    let mut chart =
        elapsed_chart(vec![(0.0, Some(1.0)), (4.0, Some(2.0)), (5.0, None), (9.0, Some(3.0)), (10.0, Some(f64::NAN))]);
    let last = |chart: &Chart| chart.draw(600.0, 200.0).legend[0].last.clone();
    assert_eq!(last(&chart), "3 ms");
    chart.range = (0.0, 6.0);
    assert_eq!(last(&chart), "2 ms");
    chart.series[0].style = Style::Bars(1.0);
    assert_eq!(last(&chart), "");
}

#[test]
fn points_out_of_order_are_put_in_order() {
    let drawing = elapsed_chart(solid(&[(5.0, 1.0), (0.0, 2.0), (10.0, 3.0)])).draw(600.0, 200.0);
    let xs: Vec<_> = positions(&drawing.marks[0].line).iter().map(|(x, _)| *x).collect();
    assert!(xs.is_sorted() && xs.len() == 3, "{xs:?}");
}

#[test]
fn hidden_series_take_no_part() {
    let mut chart = elapsed_chart(solid(&[(0.0, 1.0), (10.0, 2.0)]));
    chart.series.push(Series { label: "max".to_owned(), points: solid(&[(0.0, 9000.0)]), hidden: true, ..Series::default() });
    let drawing = chart.draw(600.0, 200.0);
    assert_eq!((drawing.marks.len(), drawing.legend.len()), (1, 2));
    assert!(drawing.y.values.1 < 10.0, "the axis still reaches for what is hidden");
    assert_eq!(chart.hover(&drawing, drawing.plot.x).expect("a point is there").values.len(), 1);
}

#[test]
fn a_promise_out_of_reach_does_not_press_the_data_flat() {
    let mut chart = elapsed_chart(solid(&[(0.0, 100.0), (10.0, 300.0)]));
    let mut draw = |at: f64| {
        chart.rules = vec![Rule { at, label: "p95 < 500ms".to_owned() }];
        let drawing = chart.draw(600.0, 200.0);
        (drawing.rules.len(), drawing.y.values.1)
    };
    assert_eq!(draw(500.0), (1, 600.0));
    assert_eq!(draw(50_000.0), (0, 300.0));
    assert_eq!(draw(f64::NAN), (0, 300.0));
}

#[test]
fn charts_under_each_other_begin_at_one_line() {
    let wide = Chart { unit: Unit::Count, ..elapsed_chart(solid(&[(0.0, 123_456.0), (10.0, 1_234_567_890.25)])) };
    let narrow = elapsed_chart(solid(&[(0.0, 1.0), (10.0, 2.0)]));
    let margins = [wide.margin(600.0, 200.0), narrow.margin(600.0, 200.0)];
    assert_eq!(margins, [wide.draw(600.0, 200.0).plot.x, narrow.draw(600.0, 200.0).plot.x]);
    let widest = margins[0].max(margins[1]).max(96.0);
    for chart in [&wide, &narrow] {
        let drawing = chart.draw_beside(600.0, 200.0, widest);
        assert_eq!(drawing.plot.x, widest);
        assert_eq!(drawing.plot.x + drawing.plot.width, chart.draw(600.0, 200.0).plot.x + chart.draw(600.0, 200.0).plot.width);
    }
    // A narrow chart keeps most of itself for what it shows.
    assert_eq!(narrow.draw_beside(120.0, 200.0, 5_000.0).plot.x, 40.0);
}

#[test]
fn the_crosshair_reads_the_nearest_point() {
    let mut chart = elapsed_chart(vec![(0.0, Some(10.0)), (5.0, None), (10.0, Some(30.0))]);
    chart.series.push(Series { label: "p50".to_owned(), points: solid(&[(0.0, 5.0), (10.0, 7.0)]), ..Series::default() });
    let drawing = chart.draw(600.0, 200.0);
    let check = |x: f64, expect_x: f64, expect: [&str; 2]| {
        let hover = chart.hover(&drawing, drawing.x.pixel(x)).expect("points are there");
        let texts: Vec<_> = hover.values.iter().map(|value| value.text.as_str()).collect();
        assert_eq!((hover.x, texts.as_slice()), (expect_x, expect.as_slice()), "at {x}");
    };
    check(0.0, 0.0, ["10 ms", "5 ms"]);
    check(1.9, 0.0, ["10 ms", "5 ms"]);
    check(5.2, 5.0, ["no value", "no value"]);
    check(9.0, 10.0, ["30 ms", "7 ms"]);
    // Beyond either end it stays on the last point.
    assert_eq!(chart.hover(&drawing, -50.0).expect("points are there").x, 0.0);
    assert_eq!(chart.hover(&drawing, 5000.0).expect("points are there").x, 10.0);
    // The arrow keys go from point to point and stop at the ends.
    let mut at = None;
    let mut seen = Vec::new();
    for by in [1, 1, 1, 1, -1, -1, -1] {
        at = chart.step(&drawing, at, by).map(|hover| hover.x);
        seen.push(at.expect("points are there"));
    }
    assert_eq!(seen, [0.0, 5.0, 10.0, 10.0, 5.0, 0.0, 0.0]);
    let empty = elapsed_chart(Vec::new());
    let drawing = empty.draw(600.0, 200.0);
    assert!(empty.hover(&drawing, 100.0).is_none() && empty.step(&drawing, None, 1).is_none());
}

#[test]
fn a_drag_is_a_range_and_a_click_is_not() {
    let chart = elapsed_chart(solid(&[(0.0, 1.0), (100.0, 2.0)]));
    let drawing = chart.draw(600.0, 200.0);
    let at = |value: f64| drawing.x.pixel(value);
    let (low, high) = chart.zoom(&drawing, at(75.0), at(25.0)).expect("a drag, even to the left");
    assert!((low - 25.0).abs() < 1e-6 && (high - 75.0).abs() < 1e-6, "{low} {high}");
    assert!(chart.zoom(&drawing, 300.0, 302.0).is_none());
    let ends = chart.zoom(&drawing, -400.0, 9000.0).expect("a drag beyond both edges");
    assert_eq!(ends, (0.0, 100.0));
    for scale in [
        Scale { values: (0.0, 50.0), pixels: (10.0, 110.0), logarithmic: false },
        Scale { values: (1.0, 1000.0), pixels: (10.0, 110.0), logarithmic: true },
    ] {
        for pixel in [10.0, 37.0, 110.0] {
            assert!((scale.pixel(scale.value(pixel)) - pixel).abs() < 1e-9, "{scale:?} at {pixel}");
        }
    }
}

#[test]
fn bars_keep_the_highest_of_a_column_and_show_the_smallest() {
    let mut points: Points = (0..5000).map(|i| (f64::from(i), Some(1.0))).collect();
    points[2500].1 = Some(1_000_000.0);
    let mut chart = elapsed_chart(points);
    chart.unit = Unit::Count;
    chart.range = (0.0, 5000.0);
    chart.series[0].style = Style::Bars(1.0);
    let drawing = chart.draw(500.0, 200.0);
    let bars: Vec<_> = drawing.marks[0].fill.split_terminator('Z').collect();
    assert!(bars.len() <= drawing.plot.width as usize + 2);
    let top = |bar: &&str| -> f64 {
        let (_, rest) = bar.split_once('V').expect("a bar goes up");
        rest.split_once('H').expect("a bar goes right").0.parse().expect("a number")
    };
    let tops: Vec<f64> = bars.iter().map(top).collect();
    let floor = drawing.y.pixel(0.0);
    assert!(tops.iter().all(|top| *top <= floor - 0.9), "a bar that is there can't be seen");
    assert!(tops.iter().any(|top| (top - drawing.y.pixel(1e6)).abs() < 0.06));
}

#[test]
fn a_distribution_keeps_every_request() {
    let check = |buckets: &[(f64, u64)], total: f64| {
        let chart = histogram("distribution", buckets, &[(20.0, "p50")], 640.0);
        let drawing = chart.draw(640.0, 220.0);
        let sum: f64 = chart.series.iter().flat_map(|series| &series.points).filter_map(|(_, count)| *count).sum();
        assert_eq!(sum, total, "{buckets:?}");
        assert_eq!(drawing.empty, total == 0.0, "{buckets:?}");
        let xs: Vec<_> = drawing.x_ticks.iter().map(|tick| tick.at).collect();
        assert!(!xs.is_empty(), "{buckets:?}");
        assert!(xs.windows(2).all(|pair| pair[1] - pair[0] > 40.0), "{buckets:?}: labels stand on one another: {xs:?}");
    };
    check(&[], 0.0);
    check(&[(12.0, 5)], 5.0);
    check(&[(0.0, 3), (0.5, 7), (12.0, 90), (12.5, 4), (30_000.0, 1)], 105.0);
    check(&[(1e-9, 1), (1e9, 1)], 2.0);
    check(&[(f64::INFINITY, 9), (10.0, 1)], 1.0);
    let chart = histogram("distribution", &[(10.0, 90), (1000.0, 1)], &[(20.0, "p50 20 ms"), (900.0, "p99 900 ms")], 640.0);
    assert_eq!(chart.draw(640.0, 220.0).rules.len(), 2);
}

#[test]
fn a_sparkline_has_gaps_too() {
    let check = |points: &[(f64, Option<f64>)], subpaths: usize, dots: usize, missing: usize, last: bool| {
        let spark = sparkline(points, 120.0, 24.0);
        let is = (spark.line.matches('M').count(), spark.dots.len(), spark.missing.matches('M').count(), spark.last.is_some());
        assert_eq!(is, (subpaths, dots, missing, last), "{points:?}");
    };
    check(&[], 0, 0, 0, false);
    check(&[(5.0, Some(1.0))], 0, 1, 0, true);
    check(&[(0.0, Some(1.0)), (1.0, Some(2.0)), (2.0, None), (3.0, Some(1.0)), (4.0, Some(f64::NAN))], 1, 1, 2, false);
    check(&[(0.0, Some(0.0)), (1.0, Some(0.0))], 1, 0, 0, true);
}

#[test]
fn the_image_is_whole_and_holds_no_foreign_markup() {
    let hostile = "</title><script>alert('1')</script>&\"\u{0}\u{8}";
    let mut chart = elapsed_chart(solid(&[(0.0, 1.0), (10.0, 20.0)]));
    chart.title = hostile.to_owned();
    chart.series[0].label = hostile.to_owned();
    chart.series[0].style = Style::Line(Weight::P99);
    chart.unit = Unit::Other(hostile.to_owned());
    chart.rules = vec![Rule { at: 15.0, label: hostile.to_owned() }];
    let text = svg(&chart.draw(600.0, 200.0), SvgOptions::default());
    assert!(!text.contains("<script") && !text.contains('\u{0}') && !text.contains('\u{8}'), "{text}");
    assert!(text.contains("&lt;script&gt;") && text.contains("<title>") && text.contains("<desc>From 0s to 10s."), "{text}");
    assert!(text.contains("tone-accent weight-p99") && text.contains("<style>") && text.contains("var(--"), "{text}");
    assert!(!text.contains(" id=") && !text.contains("url(") && !text.contains(" style="), "{text}");
    balanced(&text);
    let bare = svg(&chart.draw(600.0, 200.0), SvgOptions { style: false, legend: false });
    assert!(!bare.contains("<style>") && bare.len() < text.len());
    assert_eq!(escape("a<b>&\"'\u{1}ü"), "a&lt;b&gt;&amp;&quot;&#39;\u{FFFD}ü");
}

#[test]
fn every_kind_of_chart_becomes_an_image() {
    let points = vec![(0.0, Some(1.0)), (1.0, None), (2.0, Some(3.0)), (3.0, Some(f64::NAN)), (4.0, Some(2.0))];
    for style in [Style::Line(Weight::P50), Style::Area, Style::Bars(1.0), Style::Points, Style::Dashed] {
        for tone in [Tone::Accent, Tone::Bad, Tone::Quiet, Tone::Nth(200)] {
            for size in [(0.0, 0.0), (f64::NAN, 10.0), (600.0, 200.0), (1e9, 1e9)] {
                let mut chart = elapsed_chart(points.clone());
                chart.series[0].style = style;
                chart.series[0].tone = tone;
                let text = svg(&chart.draw(size.0, size.1), SvgOptions { style: false, legend: true });
                assert!(!text.contains("NaN") && !text.contains("inf"), "{style:?} {size:?}: {text}");
                balanced(&text);
            }
        }
    }
    let empty = svg(&elapsed_chart(Vec::new()).draw(600.0, 200.0), SvgOptions::default());
    assert!(empty.contains("No values") && empty.contains("p95: no values"), "{empty}");
}

/// Each element that is opened is closed, in order.
fn balanced(text: &str) {
    let mut open = Vec::new();
    for tag in text.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("a tag ends");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{text}");
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().expect("a tag has a name"));
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
}

#[test]
fn the_summary_says_what_can_be_seen() {
    let points = vec![(0.0, Some(10.0)), (1.0, None), (2.0, Some(30.0)), (3.0, Some(20.0)), (9.0, Some(500.0))];
    let mut chart = elapsed_chart(points);
    chart.range = (0.0, 5.0);
    let rows = chart.summary();
    let row = &rows[0];
    let shown = (row.count, row.lowest.as_str(), row.mean.as_str(), row.highest.as_str(), row.last.as_str());
    assert_eq!(shown, (3, "10 ms", "20 ms", "30 ms", "20 ms"));
    let text = chart.draw(600.0, 200.0).description;
    assert_eq!(text, "From 0s to 5s. p95: lowest 10 ms, mean 20 ms, highest 30 ms, last 20 ms.");
}
