//! Format, lints and every test, in a session that is the run's own.

use crate::dist;
use crate::failure::{About, Failure, Outcome};
use crate::paths::program;
use crate::process::{cargo, find, run, say, timed};
use crate::session::Session;
use crate::setup::{self, Need};
use std::process::Command;
use std::time::Instant;

/// Everything, as it has to hold before a change lands.
pub fn everything() -> Outcome {
    let started = Instant::now();
    let outcome = check_and_test();
    say(&format!("cargo xtask test took {} s", started.elapsed().as_secs()));
    outcome
}

/// The tests whose names contain `filter`, without the lints, for somebody who is at work on one thing.
pub fn only(filter: &str) -> Outcome {
    setup::ensure(&needs())?;
    dist::build()?;
    build_programs()?;
    run_tests(&[filter])
}

fn check_and_test() -> Outcome {
    setup::ensure(&needs())?;
    timed("format", || run(cargo().args(["fmt", "--all", "--check"])))?;
    // The window's crate takes the page in as it compiles, so there is no lint of it without a page.
    dist::build()?;
    timed("lints", || run(cargo().args(["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"])))?;
    if find("cargo-deny").is_some() {
        // Advisories need a database from the network. The tests check licences and sources where there is no cargo-deny.
        timed("licences", || run(cargo().args(["deny", "--offline", "check", "licenses", "bans", "sources"])))?;
    }
    timed("building the programs", build_programs)?;
    timed("tests", || run_tests(&[]))
}

fn needs() -> Vec<Need> {
    // Elsewhere the system brings its web view and its keychain, and WebKit's driver exists on Linux only.
    if cfg!(target_os = "linux") { Need::ALL.to_vec() } else { vec![Need::Build, Need::Servers] }
}

/// Named together each time. Cargo unites the features of what it is asked for, and would build much of the tree twice
/// if it were asked for the programs first and for the tests later.
const PACKAGES: [&str; 6] = ["--package", "patchbay-desktop", "--package", "patchbay-cli", "--package", "patchbay-tests"];

fn build_programs() -> Outcome {
    run(cargo().args(["build", "--locked"]).args(PACKAGES))?;
    run(cargo().args(["test", "--locked"]).args(PACKAGES).args(["--test", "*", "--no-run"]))
}

fn run_tests(filter: &[&str]) -> Outcome {
    let session = if cfg!(target_os = "linux") { Some(Session::start()?) } else { None };
    let mut command = cargo();
    command.args(["test", "--locked"]).args(PACKAGES).args(["--test", "*", "--no-fail-fast"]).args(filter);
    keep_toolchain(&mut command);
    if let Some(session) = &session {
        session.enter(&mut command);
    }
    command.env("PATCHBAY_BIN", program("dev", "patchbay"));
    command.env("PATCHBAY_DESKTOP_BIN", program("dev", "patchbay-desktop"));
    let own = std::env::current_exe().about(|| "find the program of xtask".to_owned())?;
    command.env("PATCHBAY_XTASK", own);
    // cargo has said itself which tests failed.
    run(&mut command).map_err(|failure| Failure { message: String::new(), ..failure })
}

/// cargo and rustup look for their own folders in the home, and the session has another one.
fn keep_toolchain(command: &mut Command) {
    let Some(home) = std::env::home_dir() else { return };
    for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        if std::env::var_os(name).is_none() {
            command.env(name, home.join(folder));
        }
    }
}
