//! `cargo xtask bench contract`: which tool finds which of the deliberate faults, what it makes up, and how long it takes.
//!
//! Every service is a fresh process on loopback, and only one runs at a time. A fault counts as found if the tool's exit
//! status says so, and it reports something that it does not report about the clean twin.

use super::folder;
use super::outcome::{Results, Run};
use super::tools::Tool;
use super::twin::{Card, Twin};
use crate::failure::{About, Failure, Outcome};
use crate::paths::write_if_changed;
use crate::process::{cargo, run as run_program, say, shown, timed};
use crate::setup::{self, Need};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// The longest that a tool may take with one service.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often the clean twin is tried at least, each time with another seed.
const CLEAN_RUNS: u64 = 3;

/// What a person may choose.
#[derive(Debug)]
pub struct Options {
    runs: u64,
    tools: Vec<Tool>,
    faults: RangeInclusive<u64>,
    build: bool,
}

impl Options {
    /// Reads `[--runs N] [--only TOOL]… [--faults A-B] [--no-build]`.
    pub fn read(words: &[&str]) -> Outcome<Self> {
        let mut options = Self { runs: 1, tools: Vec::new(), faults: 1..=u64::MAX, build: true };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if *word == "--no-build" {
                options.build = false;
                continue;
            }
            let value =
                words.next().ok_or_else(|| Failure::usage(format!("`{word}` is unknown, or a value is missing after it.")))?;
            let wrong = || Failure::usage(format!("`{value}` can't be the value of {word}."));
            match *word {
                "--runs" => options.runs = value.parse().ok().filter(|runs| (1..=100).contains(runs)).ok_or_else(wrong)?,
                "--only" => options.tools.push(Tool::named(value).ok_or_else(wrong)?),
                "--faults" => {
                    let (first, last) = value.split_once('-').unwrap_or((value, value));
                    options.faults = first.parse().map_err(|_| wrong())?..=last.parse().map_err(|_| wrong())?;
                }
                _ => return Err(Failure::usage(format!("`{word}` is no option of this benchmark."))),
            }
        }
        if options.tools.is_empty() {
            options.tools = Tool::ALL.to_vec();
        }
        Ok(options)
    }
}

/// Builds, installs, runs and prints.
pub fn run(options: &Options) -> Outcome {
    if options.build {
        setup::ensure(&[Need::Build])?;
        timed("building for release", || {
            let packages = ["--package", "patchbay-cli", "--package", "patchbay-tests"];
            let programs = ["--bin", "patchbay", "--bin", "faulty_service"];
            run_program(cargo().args(["build", "--locked", "--release"]).args(packages).args(programs))
        })?;
    }
    std::fs::create_dir_all(folder()).about(|| format!("make the folder {}", shown(&folder())))?;
    for tool in &options.tools {
        tool.install()?;
    }
    let card = Card::read()?;
    let number = |fault: &serde_json::Value| fault["number"].as_u64().unwrap_or(0);
    let faults: Vec<u64> = card.faults.iter().map(number).filter(|number| options.faults.contains(number)).collect();
    let mut results = Results::new(&card, &faults);
    for tool in &options.tools {
        let clean = if tool.has_seed() { CLEAN_RUNS.max(options.runs) } else { CLEAN_RUNS };
        let clean = (1..=clean).map(|seed| (None, seed));
        let again = if tool.has_seed() { options.runs } else { 1 };
        let faulty = faults.iter().flat_map(|fault| (1..=again).map(|seed| (Some(*fault), seed)));
        for (fault, seed) in clean.chain(faulty) {
            let twin = Twin::start(fault)?;
            let found = tool.try_on(&twin.url, seed, &card, PATIENCE)?;
            let run = Run { tool: *tool, fault, seed, found };
            say(&run.line());
            results.runs.push(run);
            // An hour's work is not to be lost to a ctrl-C in its last minute.
            save(&results, false)?;
        }
    }
    save(&results, true)?;
    print!("{}", results.table());
    say(&format!("the results are in {}", shown(&file())));
    Ok(())
}

fn file() -> PathBuf {
    folder().join("contract.json")
}

fn save(results: &Results, complete: bool) -> Outcome {
    let text = serde_json::to_string_pretty(&results.json(complete)).about(|| "write the results as JSON".to_owned())?;
    write_if_changed(&file(), text.as_bytes()).map(drop)
}
