//! A load run on a terminal while it goes on. util-linux's `script` is the terminal.

use std::{
    io::{Read, Write},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use patchbay_tests::program::Desk;

/// What Ctrl-C types.
const INTERRUPT: &[u8] = b"\x03";

/// What a command of these words draws on a terminal, and what it prints, which goes into a file; interrupted after a while
/// where that is asked for.
fn drawn(desk: &Desk, words: &[&str], variables: &[(&str, &str)], interrupt: Option<Duration>) -> (String, String) {
    let plain = desk.command(words);
    let quoted = |text: &std::ffi::OsStr| format!("'{}'", text.to_string_lossy());
    let line: Vec<String> = std::iter::once(plain.get_program()).chain(plain.get_args()).map(quoted).collect();
    let file = desk.folder().join("printed");
    let mut script = Command::new("script");
    script.args(["--quiet", "--flush", "--command"]).arg(format!("exec {} > '{}'", line.join(" "), file.display()));
    script.arg("/dev/null").current_dir(desk.workspace());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    script.env_remove("NO_COLOR").env("TERM", "xterm-256color").env("SHELL", "/bin/sh").envs(variables.iter().copied());
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script of util-linux is there");
    let mut keys = child.stdin.take().expect("a pipe");
    let mut screen = child.stdout.take().expect("a pipe");
    if let Some(after) = interrupt {
        std::thread::sleep(after);
        keys.write_all(INTERRUPT).and_then(|()| keys.flush()).expect("it is typed");
    }
    let mut all = Vec::new();
    screen.read_to_end(&mut all).expect("what is drawn");
    child.wait().expect("it ends");
    drop(keys);
    (String::from_utf8_lossy(&all).into_owned(), std::fs::read_to_string(file).expect("what was printed"))
}

#[test]
fn a_run_is_drawn_in_place_in_several_lines_and_taken_away_at_its_end() {
    let desk = Desk::new();
    let sample = desk.sample(&[]);
    let url = format!("{}/health", sample.url);
    let began = Instant::now();
    let (drawn, said) = drawn(&desk, &["load", &url, "--rate", "50/s", "--duration", "3s"], &[], None);
    let seconds = began.elapsed().as_secs_f64();
    for shown in ["p95", "of 50/s", "in flight over", "left", "█", "errors"] {
        assert!(drawn.contains(shown), "{shown}: {drawn:?}");
    }
    let pictures = drawn.matches("\x1b[?7l").count();
    assert!((2..=(seconds * 10.0) as usize + 1).contains(&pictures), "{pictures} pictures in {seconds} s");
    assert_eq!(drawn.matches("\x1b[?7h").count(), pictures, "each picture leaves the terminal as it was");
    assert!(drawn.contains("\x1b[6A"), "it is drawn over: {drawn:?}");
    assert!(drawn.contains("\x1b[1m"), "with colours");
    assert!(drawn.trim_end().ends_with("\x1b[J") || drawn.trim_end().ends_with("\x1b[K"), "and gone in the end: {drawn:?}");
    assert!(said.contains("latency") && !said.contains('\x1b'), "the result is in the pipe: {said}");
}

#[test]
fn without_colours_the_picture_has_none_and_a_dumb_terminal_gets_one_line() {
    let desk = Desk::new();
    let sample = desk.sample(&[]);
    let url = format!("{}/health", sample.url);
    let words = ["load", &url, "--connections", "1", "--duration", "1s"];
    let (plain, ..) = drawn(&desk, &words, &[("NO_COLOR", "1")], None);
    assert!(plain.contains("p95") && !plain.contains("\x1b[1m") && !plain.contains("\x1b[2m"), "{plain:?}");
    let (dumb, ..) = drawn(&desk, &words, &[("TERM", "dumb")], None);
    assert!(dumb.contains("p95") && !dumb.contains("\x1b[?7l"), "{dumb:?}");
}

#[test]
fn an_interrupted_run_keeps_what_it_has_and_leaves_the_terminal_as_it_was() {
    let desk = Desk::new();
    let sample = desk.sample(&[]);
    let url = format!("{}/health", sample.url);
    let words = ["load", &url, "--connections", "1", "--duration", "60s"];
    let (drawn, said) = drawn(&desk, &words, &[], Some(Duration::from_secs(3)));
    assert!(said.contains("cancelled half-way"), "{said}");
    assert_eq!(drawn.matches("\x1b[?7l").count(), drawn.matches("\x1b[?7h").count(), "{drawn:?}");
    assert!(!drawn.contains("\x1b[?25l"), "the cursor is never hidden");
}
