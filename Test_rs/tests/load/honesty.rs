//! What the generator says of itself. These need a process of their own, which is this test binary started again.

use std::{
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use patchbay_contracts::{load::LoadReport, run::Verdict};
use patchbay_tests::load::{Reply, Server, closed, ok, open, run, status, target};

/// Where the other process finds the server.
const ADDRESS: &str = "PATCHBAY_TEST_LOAD_ADDRESS";

/// Starts one of the ignored tests below in a process of its own.
fn start(name: &str, server: &Server) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([&format!("honesty::{name}"), "--exact", "--ignored", "--nocapture"])
        .env(ADDRESS, server.address.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The same with other limits of open files, such as `-Sn 100`.
#[cfg(unix)]
fn start_limited(name: &str, server: &Server, limits: &str) -> Child {
    let program = std::env::current_exe().unwrap();
    Command::new("sh")
        .args(["-c", &format!("ulimit {limits}; exec \"$0\" \"$@\"")])
        .arg(program)
        .args([&format!("honesty::{name}"), "--exact", "--ignored", "--nocapture"])
        .env(ADDRESS, server.address.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The line that it printed after a mark.
fn printed(child: Child, mark: &str) -> String {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    text.lines().find_map(|line| line.split_once(mark)).unwrap_or_else(|| panic!("no {mark} in {text}")).1.to_owned()
}

#[test]
#[ignore = "is started by other tests in a process of its own"]
fn child_runs() {
    let address = std::env::var(ADDRESS).unwrap().parse().unwrap();
    let report = run(&target(address), &open(200.0, 2500));
    println!("REPORT {}", serde_json::to_string(&report).unwrap());
}

#[test]
#[ignore = "is started by other tests in a process of its own"]
fn child_grows() {
    let address = std::env::var(ADDRESS).unwrap().parse().unwrap();
    let early = AtomicU64::new(0);
    let report = patchbay_load::run(&target(address), &closed(8, 4000), &AtomicBool::new(false), &mut |progress| {
        if progress.elapsed_ms > 1000.0 && early.load(Ordering::Relaxed) == 0 {
            early.store(resident_kib(), Ordering::Relaxed);
        }
    })
    .unwrap();
    let early = early.load(Ordering::Relaxed);
    println!("GROWTH {} {} {}", report.totals.answered, early, resident_kib());
}

#[test]
#[ignore = "is started by other tests in a process of its own"]
fn child_has_many_connections() {
    let address = std::env::var(ADDRESS).unwrap().parse().unwrap();
    let outcome = patchbay_load::run(&target(address), &closed(300, 500), &AtomicBool::new(false), &mut |_| {});
    match outcome {
        Ok(report) => println!("OUTCOME {} {:?}", report.totals.connects, report.errors),
        Err(problem) => println!("OUTCOME {:?} {problem}", problem.code),
    }
}

#[cfg(unix)]
#[test]
fn the_limit_of_open_files_is_raised_where_it_may_be() {
    let server = Server::start(|_| Reply::Bytes(ok()));
    let raised = printed(start_limited("child_has_many_connections", &server, "-Sn 100"), "OUTCOME ");
    assert_eq!(raised, "300 []");
    let refused = printed(start_limited("child_has_many_connections", &server, "-n 100"), "OUTCOME ");
    assert!(refused.starts_with("Unsupported") && refused.contains("ulimit"), "{refused}");
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[cfg(unix)]
#[test]
fn a_generator_that_stood_still_says_so() {
    let server = Server::start(|_| Reply::Bytes(ok()));
    let child = start("child_runs", &server);
    let signal = |name: &str| {
        let done = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status().unwrap();
        assert!(done.success());
    };
    while server.requests() < 100 {
        thread::sleep(Duration::from_millis(10));
    }
    signal("STOP");
    thread::sleep(Duration::from_millis(700));
    signal("CONT");
    let report: LoadReport = serde_json::from_str(&printed(child, "REPORT ")).unwrap();
    assert_eq!(report.verdict, Verdict::Inconclusive, "{:?}", report.notes);
    assert!(report.notes.iter().any(|note| note.contains("generator itself stood still")), "{:?}", report.notes);
    let lag = report.schedule_lag.unwrap();
    assert!(lag.max_ms > 500.0, "{lag:?}");
    assert_eq!(report.totals.sent, 500, "what was due meanwhile goes out afterwards: {:?}", report.totals);
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_requests() {
    let server = Server::start(|_| Reply::Bytes(ok()));
    let line = printed(start("child_grows", &server), "GROWTH ");
    let figures: Vec<u64> = line.split(' ').map(|figure| figure.parse().unwrap()).collect();
    let [answered, early, late] = figures[..] else { panic!("{line}") };
    assert!(answered > 1000 && early > 0, "{line}");
    assert!(late < early + 8 * 1024, "grew from {early} KiB to {late} KiB over {answered} requests");
}

#[test]
fn a_generator_that_can_not_keep_up_passes_nothing() {
    // A million a second is more than these threads can send, so who set the pace can't be told.
    let server = Server::start(|_| Reply::Bytes(ok()));
    let spec = patchbay_contracts::integration::LoadSpec {
        connections: Some(200),
        grace: Some(patchbay_contracts::units::Span::millis(100)),
        thresholds: vec!["rate > 1/s".into()],
        ..open(1_000_000.0, 500)
    };
    let report = run(&server.target(), &spec);
    assert_eq!(report.verdict, Verdict::Inconclusive, "{:?}", report.notes);
    assert!(report.notes.iter().any(|note| note.contains("generator")), "{:?}", report.notes);
    assert!(report.totals.dropped > 0, "{:?}", report.totals);
}

#[test]
fn few_samples_are_said_to_be_few() {
    let server = Server::start(|_| {
        thread::sleep(Duration::from_millis(20));
        Reply::Bytes(ok())
    });
    let mut spec = closed(1, 600);
    spec.thresholds = vec!["p50 < 10s".into(), "p99.9 < 10s".into()];
    let report = run(&server.target(), &spec);
    assert!(report.totals.answered < 100);
    assert_eq!(report.thresholds[1].verdict, Verdict::Inconclusive, "{:?}", report.thresholds);
    assert!(report.thresholds[1].actual.contains("too few"), "{:?}", report.thresholds);
    assert!(report.notes.iter().any(|note| note.contains("too few for") && note.contains("p99.9")), "{:?}", report.notes);
    assert_ne!(report.verdict, Verdict::Pass);
}

#[test]
fn thresholds_decide_the_verdict() {
    let slow = || {
        Server::start(|seen| {
            thread::sleep(Duration::from_millis(20));
            Reply::Bytes(if seen.number % 2 == 0 { status(404) } else { ok() })
        })
    };
    for (threshold, expected) in [("p50 < 5ms", Verdict::Fail), ("errors < 10%", Verdict::Fail), ("p50 > 10ms", Verdict::Pass)] {
        let server = slow();
        let mut spec = closed(2, 500);
        spec.thresholds = vec![threshold.into()];
        let report = run(&server.target(), &spec);
        // On a machine that is overrun the generator may stand still, which it then says.
        let stood_still = report.notes.iter().any(|note| note.contains("generator"));
        assert!(
            report.verdict == expected || stood_still && report.verdict == Verdict::Inconclusive,
            "{threshold}: {:?}",
            report.notes
        );
        assert_eq!(report.thresholds[0].text, threshold);
    }
}
