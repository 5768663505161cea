//! `cargo xtask bench load`: how much of a processor a request costs Patchbay and other load generators, and how many
//! requests each makes.
//!
//! The server has one core and the client another, in every run a fresh process each, and the tools take turns, so that
//! what changes on the machine meets all of them. Rates are compared only where the client's core was the full one: else
//! they are the server's. Processor time a request can be compared even then.

mod counts;
mod measured;
mod memory;
mod options;
mod proc;
mod results;
mod server;
mod tools;

use super::folder;
use super::install::machine;
use crate::failure::{About, Failure, Outcome};
use crate::paths::write_if_changed;
use crate::process::{cargo, run as run_program, say, shown, timed};
use crate::setup::{self, Need};
use measured::{CLIENT_CORE, Limits, Used};
use options::Options;
use results::{Results, Run};
use serde_json::Value;
use server::{Kind, Server};
use std::path::PathBuf;
use tools::{Case, Tool};

/// Builds, installs, runs and prints.
pub fn bench(words: &[&str]) -> Outcome {
    let options = Options::read(words)?;
    if server::nginx_program().is_none() {
        setup::ensure(&[Need::Servers])?;
    }
    if options.build {
        setup::ensure(&[Need::Build])?;
        timed("building for release", || {
            let packages = ["--package", "patchbay-cli", "--package", "patchbay-tests"];
            let programs = ["--bin", "patchbay", "--bin", "fixed_server"];
            run_program(cargo().args(["build", "--locked", "--release"]).args(packages).args(programs))
        })?;
    }
    std::fs::create_dir_all(folder()).about(|| format!("make the folder {}", shown(&folder())))?;
    for tool in &options.tools {
        tool.install()?;
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores <= CLIENT_CORE {
        return Err(Failure::cannot("this benchmark needs two cores, one for the server and one for the client."));
    }
    // As this program itself is to stay on one core, it asks first how many there are.
    let machine = machine();
    measured::make_room()?;
    if options.memory { memory::bench(&options, &machine) } else { speed(&options, machine) }
}

fn speed(options: &Options, machine: String) -> Outcome {
    let mut results = Results { runs: Vec::new(), missing: Vec::new(), machine, seconds: options.seconds };
    for case in cases(options) {
        let mut tools = Vec::new();
        for tool in options.tools.iter().copied().filter(|tool| tool.speaks(case)) {
            match tool.lacks(case) {
                Some(option) => results.missing.push((case, tool, format!("`patchbay load` has no {option}"))),
                None => tools.push(tool),
            }
        }
        for round in 1..=options.rounds {
            for tool in tools.iter().copied() {
                let used = one(tool, case, Limits::of(options.seconds))?;
                let run = Run { case, tool, round, counts: tool.counts(&used), used };
                say(&run.line());
                results.runs.push(run);
                // Half an hour's work is not to be lost to a ctrl-C in its last minute.
                save("load.json", &results.json(false))?;
            }
        }
    }
    let file = save("load.json", &results.json(true))?;
    print!("{}", results.table());
    say(&format!("the results are in {}", shown(&file)));
    Ok(())
}

/// Each server with each number of connections, as far as a chosen tool has a part in it.
fn cases(options: &Options) -> Vec<Case> {
    let servers = [(Kind::Fixed, 1), (Kind::Nginx, 1), (Kind::NginxHttp2, 1), (Kind::NginxHttp2, 10)];
    let all = servers.into_iter().flat_map(|(server, streams)| {
        options.connections.iter().map(move |connections| Case { server, connections: *connections, streams })
    });
    all.filter(|case| options.tools.iter().any(|tool| tool.speaks(*case))).collect()
}

/// Runs one tool against a server of its own, in a folder of its own that is empty before.
fn one(tool: Tool, case: Case, limits: Limits) -> Outcome<Used> {
    let work = folder().join("work").join(tool.name());
    let _ = std::fs::remove_dir_all(&work);
    std::fs::create_dir_all(&work).about(|| format!("make the folder {}", work.display()))?;
    let server = Server::start(case.server)?;
    let command = tool.command(&server.url, case, limits.seconds, &work)?;
    measured::run(command, tool.draws(), &work, server.process(), limits)
}

fn save(name: &str, results: &Value) -> Outcome<PathBuf> {
    let file = folder().join(name);
    let text = serde_json::to_string_pretty(results).about(|| "write the results as JSON".to_owned())?;
    write_if_changed(&file, text.as_bytes())?;
    Ok(file)
}
