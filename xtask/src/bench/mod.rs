//! Benchmarks against other tools, each with figures that anybody can repeat.

mod bounded;
mod contract;
mod install;
// It needs `/proc`, and a way to give a program a core of its own.
#[cfg(target_os = "linux")]
mod load;
mod outcome;
mod spread;
mod tools;
mod twin;

use crate::failure::{Failure, Outcome};
use crate::paths::target;
use std::path::PathBuf;

const THERE_ARE: &str = "There are `cargo xtask bench contract` and `cargo xtask bench load`.";

/// Runs the benchmark that is named, with its own options.
pub fn bench(words: &[&str]) -> Outcome {
    match words {
        ["contract", options @ ..] => contract::run(&contract::Options::read(options)?),
        #[cfg(target_os = "linux")]
        ["load", options @ ..] => load::bench(options),
        #[cfg(not(target_os = "linux"))]
        ["load", ..] => Err(Failure::cannot("load generators are measured on Linux only.")),
        [] => Err(Failure::usage(format!("Which benchmark? {THERE_ARE}"))),
        [other, ..] => Err(Failure::usage(format!("`{other}` is no benchmark. {THERE_ARE}"))),
    }
}

/// Where benchmarks keep the tools that they install, what those write, and the results.
fn folder() -> PathBuf {
    target().join("bench")
}
