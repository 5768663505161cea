//! Everything that turns a checkout of Patchbay into something that runs, started as `cargo xtask …`.
//!
//! A script would do for one system. This is Rust so that the same commands work on Linux, macOS and Windows, and so
//! that a machine with a Rust toolchain needs nothing else to begin with.

mod bench;
mod dist;
mod failure;
mod icons;
mod package;
mod paths;
mod process;
mod run;
mod session;
mod setup;
mod test;
mod tour;
mod wasm;

use failure::{Failure, Outcome};
use setup::Need;
use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  run [-- ARGS]    set up, build and open the window; without a display, take the same tour on the command line
  test [FILTER]    set up, then format, lints and every test; with FILTER only the tests whose names contain it
  setup [--check]  install what this machine lacks; with --check only say what that is
  setup --on SYSTEM
                   say what another machine needs: debian, fedora, arch, suse, macos or windows
  dist             build the page that the window shows, into dist/
  package          both programs, built for release, as one archive in target/package/
  bench contract [--runs N] [--only TOOL]… [--faults A-B] [--no-build]
                   find 40 deliberate faults with Patchbay and with other tools, which are installed into target/bench
  bench load [--rounds N] [--connections 64,512] [--seconds S] [--only TOOL]… [--no-build]
                   how much processor time a request costs Patchbay, wrk, oha, hey, k6 and h2load, one core each for the
                   server and the client
  bench load --memory [--requests N] […]
                   how much memory Patchbay, wrk and oha take for 64 and 10,000 connections and over ten million requests
  icons            render icons/patchbay.svg into every size the bundles want
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message.is_empty() {
                eprintln!("error: {}", failure.message);
            }
            ExitCode::from(failure.exit)
        }
    }
}

fn dispatch(arguments: &[String]) -> Outcome {
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", arguments),
    };
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match (command, rest.as_slice()) {
        ("run", ["--", window_arguments @ ..] | window_arguments) => run::run(window_arguments),
        ("test", []) => test::everything(),
        ("test", [filter]) if !filter.starts_with('-') => test::only(filter),
        ("setup", []) => setup::ensure(&Need::ALL),
        ("setup", ["--check"]) => setup::report(),
        ("setup", ["--on", system]) => setup::describe(system),
        ("dist", []) => {
            setup::ensure(&[Need::Build])?;
            dist::build()
        }
        ("package", []) => package::package(),
        ("bench", words) => bench::bench(words),
        ("icons", []) => icons::render(),
        ("help" | "-h" | "--help", _) => {
            print!("{USAGE}");
            Ok(())
        }
        _ => Err(Failure::usage(format!("`{}` is not something that xtask knows.\n\n{USAGE}", arguments.join(" ")))),
    }
}
