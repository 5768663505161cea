//! What needs a process of its own, which is this test binary started again: a generator that is stopped, and its memory.

use std::{
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use patchbay_contracts::{integration::LoadSpec, load::LoadReport, run::Verdict};
use patchbay_load::script::{Body, Script};
use patchbay_tests::load::{closed, open, run, target};

use crate::lab::{Counting, alone, get, good, script};

const ADDRESS: &str = "PATCHBAY_TEST_LOAD_RIGHT_ADDRESS";
const CONNECTIONS: &str = "PATCHBAY_TEST_LOAD_RIGHT_CONNECTIONS";
const FILE: &str = "PATCHBAY_TEST_LOAD_RIGHT_FILE";

/// Starts one of the ignored tests below in a process of its own.
fn start(name: &str, words: &[(&str, String)]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([&format!("children::{name}"), "--exact", "--ignored", "--nocapture"])
        .envs(words.iter().map(|(name, value)| (*name, value.clone())))
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

fn word(name: &str) -> String {
    std::env::var(name).unwrap()
}

#[test]
#[ignore = "is started by other tests in a process of its own"]
fn child_is_open() {
    let spec = LoadSpec { thresholds: vec!["p50 < 10s".into(), "p99 < 1ms over 1s".into()], ..open(500.0, 3000) };
    let report = run(&target(word(ADDRESS).parse().unwrap()), &spec);
    println!("REPORT {}", serde_json::to_string(&report).unwrap());
}

#[test]
#[ignore = "is started by other tests in a process of its own"]
fn child_is_closed() {
    let spec = LoadSpec { thresholds: vec!["p50 < 10s".into()], ..closed(2, 3000) };
    let report = run(&target(word(ADDRESS).parse().unwrap()), &spec);
    println!("REPORT {}", serde_json::to_string(&report).unwrap());
}

/// Peak and growth of the resident memory of this process, in KiB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
#[ignore = "is started by other tests in a process of its own"]
fn child_has_connections() {
    let connections: u32 = word(CONNECTIONS).parse().unwrap();
    // Each user thinks, so that connections and not requests are what there are many of.
    let think_time = Some("1s..2s".parse().unwrap());
    let spec = LoadSpec { think_time, ..closed(connections, if connections > 1000 { 8000 } else { 2000 }) };
    let report = run(&target(word(ADDRESS).parse().unwrap()), &spec);
    let most = report.timeline.iter().map(|slice| slice.connections).max().unwrap_or_default();
    println!("MEMORY {} {most} {:?}", memory("VmHWM"), report.errors);
}

#[test]
#[ignore = "is started by other tests in a process of its own"]
fn child_sends_a_file() {
    let file = std::fs::File::open(word(FILE)).unwrap();
    let length = file.metadata().unwrap().len();
    let mut upload = get("/up");
    upload.method = "PUT".into();
    upload.body = Body::File { file: file.into(), length };
    let script = Script { steps: vec![upload], ..script(word(ADDRESS).parse().unwrap()) };
    let before = memory("VmHWM");
    let report = run(&script, &LoadSpec { iterations: Some(6), ..closed(2, 30_000) });
    println!("MEMORY {} {} {:?}", memory("VmHWM") - before, report.totals.answered, report.errors);
}

#[cfg(unix)]
#[test]
fn a_generator_that_is_stopped_takes_the_blame() {
    let _alone = alone();
    for name in ["child_is_open", "child_is_closed"] {
        let server = Counting::start(|_| {
            thread::sleep(Duration::from_micros(500));
            good("hello")
        });
        let child = start(name, &[(ADDRESS, server.address.to_string())]);
        let signal = |name: &str| {
            let done = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status().unwrap();
            assert!(done.success());
        };
        while server.state.requests() < 500 {
            thread::sleep(Duration::from_millis(5));
        }
        signal("STOP");
        thread::sleep(Duration::from_millis(200));
        signal("CONT");
        let report: LoadReport = serde_json::from_str(&printed(child, "REPORT ")).unwrap();
        let generator = &report.generator;
        assert!(generator.stalls >= 1 && generator.longest_stall_ms >= 100.0, "{name}: {generator:?}");
        assert!(generator.bottleneck, "{name}: {generator:?}");
        assert_eq!(report.verdict, Verdict::Inconclusive, "{name}: {:?} {:?}", report.notes, report.thresholds);
        assert!(report.notes.iter().any(|note| note.contains("generator itself stood still")), "{name}: {:?}", report.notes);
        assert!(report.notes.iter().any(|note| note.contains("inconclusive")), "{name}: {:?}", report.notes);
        if let Some(lag) = report.schedule_lag {
            assert!(lag.max_ms >= 190.0, "{lag:?}");
            // 100 arrivals of 1500 were due meanwhile.
            assert!(lag.p95_ms > 20.0, "{lag:?}");
            assert_eq!(report.totals.sent, 1500, "{:?}", report.totals);
            assert_eq!(
                report.thresholds[1].verdict,
                Verdict::Inconclusive,
                "its own delay is nobody's breach: {:?}",
                report.thresholds
            );
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn ten_thousand_connections_take_little_memory() {
    let _alone = alone();
    for (connections, most) in [(64, 40), (10_000, 96)] {
        let server = Parked::start();
        // The generator lets its process have as many files open as it is asked for, and so the server's too.
        let _ = run(&target(server.address), &LoadSpec { connections: Some(10_500), ..open(1000.0, 1) });
        let words = [(ADDRESS, server.address.to_string()), (CONNECTIONS, connections.to_string())];
        let line = printed(start("child_has_connections", &words), "MEMORY ");
        println!("{connections} connections: {line} (peak in KiB, most open at once)");
        let mut figures = line.split(' ');
        let peak: u64 = figures.next().unwrap().parse().unwrap();
        let open: u64 = figures.next().unwrap().parse().unwrap();
        assert!(line.ends_with("[]"), "{line}");
        // Some may be on their way at the end of a second.
        assert!(open > connections * 9 / 10 && open <= connections, "{line}");
        assert!(peak < most * 1024, "{peak} KiB");
    }
}

/// A server with one thread for all its connections: it looks at each of them in turn.
#[cfg(target_os = "linux")]
struct Parked {
    address: std::net::SocketAddr,
    stop: std::sync::Arc<AtomicBool>,
}

#[cfg(target_os = "linux")]
impl Parked {
    fn start() -> Self {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = std::sync::Arc::new(AtomicBool::new(false));
        let stopped = std::sync::Arc::clone(&stop);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while !stopped.load(Ordering::Relaxed) {
                    let accepted = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
                    let Ok(Ok((mut stream, _))) = accepted else { continue };
                    tokio::spawn(async move {
                        let mut piece = [0; 512];
                        while matches!(stream.read(&mut piece).await, Ok(count) if count > 0) {
                            if stream.write_all(&good("hello")).await.is_err() {
                                return;
                            }
                        }
                    });
                }
            });
        });
        Self { address, stop }
    }
}

#[cfg(target_os = "linux")]
impl Drop for Parked {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_large_file_is_sent_without_being_held() {
    let _alone = alone();
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("large");
    let bytes = 50 << 20;
    std::fs::File::create(&path).unwrap().set_len(bytes).unwrap();
    let server = Counting::start(|_| good("thanks"));
    let words = [(ADDRESS, server.address.to_string()), (FILE, path.display().to_string())];
    let line = printed(start("child_sends_a_file", &words), "MEMORY ");
    println!("{line} (growth in KiB, answers)");
    let grown: u64 = line.split(' ').next().unwrap().parse().unwrap();
    assert!(line.ends_with(" 6 []"), "{line}");
    assert_eq!(server.state.body_bytes.load(Ordering::Relaxed), 6 * bytes);
    assert!(grown < 20 * 1024, "{grown} KiB");
}
