//! The tools that are compared: how each is installed, started as its own manual says, and read.
//!
//! Each is given the token and the API key, and has all its checks on; everything else is its own default. What was found
//! is a set of lines, each naming an operation and what is wrong with it, so that two runs can be compared.

use super::bounded::{self, Ended};
use super::folder;
use super::install::{in_venv, needed, once};
use super::twin::Card;
use crate::failure::{About, Outcome};
use crate::paths::{program, root};
use crate::process::run;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const SCHEMATHESIS: &str = "4.32.5";
const DREDD: &str = "14.1.0";
const PORTMAN: &str = "1.33.0";
const NEWMAN: &str = "6.2.2";
/// Portman asks for it and does not name it among what it needs.
const TSLIB: &str = "2.8.1";

/// A tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// The release build of this checkout.
    Patchbay,
    /// <https://schemathesis.readthedocs.io>
    Schemathesis,
    /// <https://dredd.org>
    Dredd,
    /// <https://github.com/apideck-libraries/portman>, whose collection newman runs.
    Portman,
}

/// What one run came to.
#[derive(Debug, Clone)]
pub struct Found {
    /// How the tool ended, in all its steps.
    pub ended: Ended,
    /// Whether its exit status says that the service does not hold to its document.
    pub failed: bool,
    /// What it reported.
    pub lines: BTreeSet<String>,
}

impl Tool {
    /// All of them, in the order in which they are run.
    pub const ALL: [Self; 4] = [Self::Patchbay, Self::Schemathesis, Self::Dredd, Self::Portman];

    /// Its name on the command line and in the results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Patchbay => "patchbay",
            Self::Schemathesis => "schemathesis",
            Self::Dredd => "dredd",
            Self::Portman => "portman",
        }
    }

    /// The tool of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// Its version.
    pub fn version(self) -> String {
        match self {
            Self::Patchbay => env!("CARGO_PKG_VERSION").to_owned(),
            Self::Schemathesis => SCHEMATHESIS.to_owned(),
            Self::Dredd => DREDD.to_owned(),
            Self::Portman => format!("{PORTMAN}, newman {NEWMAN}"),
        }
    }

    /// Whether a seed changes what it sends.
    pub const fn has_seed(self) -> bool {
        matches!(self, Self::Patchbay | Self::Schemathesis)
    }

    /// Whether a line that it reported is about the time that an answer took.
    pub fn is_about_time(self, line: &str) -> bool {
        let words = match self {
            Self::Patchbay => " latency ",
            Self::Schemathesis => "Response time limit exceeded",
            // It looks at no time.
            Self::Dredd => return false,
            Self::Portman => "Response time is less than",
        };
        line.contains(words)
    }

    /// Installs it under `target/bench`, unless that version is there already.
    pub fn install(self) -> Outcome {
        match self {
            Self::Patchbay => Ok(()),
            Self::Schemathesis => once("venv", SCHEMATHESIS, |place| {
                run(Command::new(needed("python3")?).args(["-m", "venv"]).arg(place))?;
                run(Command::new(in_venv(place, "pip")).args(["install", "--quiet", &format!("schemathesis=={SCHEMATHESIS}")]))
            }),
            Self::Dredd => once("dredd", DREDD, |place| npm(place, &[format!("dredd@{DREDD}")])),
            Self::Portman => once("portman", &format!("{PORTMAN} {NEWMAN}"), |place| {
                let portman = format!("@apideck/portman@{PORTMAN}");
                npm(place, &[portman, format!("newman@{NEWMAN}"), format!("tslib@{TSLIB}")])
            }),
        }
    }

    /// Holds the service at `url` to its document, in a folder of its own that is empty before.
    pub fn try_on(self, url: &str, seed: u64, card: &Card, patience: Duration) -> Outcome<Found> {
        let work = folder().join("work").join(self.name());
        // Some keep what failed before and try it first, which would be of help against the next service.
        let _ = std::fs::remove_dir_all(&work);
        std::fs::create_dir_all(&work).about(|| format!("make the folder {}", work.display()))?;
        match self {
            Self::Patchbay => patchbay(url, seed, card, &work, patience),
            Self::Schemathesis => schemathesis(url, seed, card, &work, patience),
            Self::Dredd => dredd(url, card, &work, patience),
            Self::Portman => portman(url, &work, patience),
        }
    }
}

fn patchbay(url: &str, seed: u64, card: &Card, work: &Path, patience: Duration) -> Outcome<Found> {
    let mut command = Command::new(program("release", "patchbay"));
    command.args(["--json", "contract", "test", &format!("{url}/openapi.json"), "--url", url]);
    command.args(["--auth", "bearer:${secret:token}", "--header", &format!("X-API-Key: {}", card.key)]);
    command.args(["--seed", &seed.to_string()]);
    // Nothing of the person who runs the benchmark: no workspace, no history.
    command.env("PATCHBAY_SECRET_TOKEN", &card.token).env("HOME", work).env_remove("PATCHBAY_WORKSPACE");
    let ended = bounded::run(&mut command, work, patience)?;
    let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_default();
    let mut lines = BTreeSet::new();
    for endpoint in list(&report["report"]["endpoints"]) {
        for check in list(&endpoint["checks"]).iter().filter(|check| check["verdict"] == "fail") {
            if check["severity"] != "warning" && check["accepted"].is_null() {
                lines.insert(format!("{} {} {}", text(&endpoint["endpoint"]), text(&check["check"]), text(&check["pointer"])));
            }
        }
    }
    Ok(Found { failed: ended.status == Some(1), ended, lines })
}

fn schemathesis(url: &str, seed: u64, card: &Card, work: &Path, patience: Duration) -> Outcome<Found> {
    let mut command = Command::new(in_venv(&folder().join("venv"), "schemathesis"));
    command.args(["run", &format!("{url}/openapi.json"), "--checks", "all", "--seed", &seed.to_string(), "--no-color"]);
    command.args(["-H", &format!("Authorization: Bearer {}", card.token), "-H", &format!("X-API-Key: {}", card.key)]);
    // The document promises a second in words, which only this option makes it look at.
    command.args(["--max-response-time", "1", "--report", "json", "--report-json-path", "report.json"]);
    let ended = bounded::run(&mut command, work, patience)?;
    let report = json_file(&work.join("report.json"));
    let mut lines = BTreeSet::new();
    for failure in list(&report["failures"]) {
        for operation in list(&failure["operations"]) {
            lines.insert(format!("{} {}", text(operation), text(&failure["title"])));
        }
    }
    Ok(Found { failed: ended.status == Some(1), ended, lines })
}

fn dredd(url: &str, card: &Card, work: &Path, patience: Duration) -> Outcome<Found> {
    let mut command = Command::new(needed("node")?);
    command.arg(folder().join("dredd/node_modules/dredd/bin/dredd")).args([&format!("{url}/openapi.json"), url]);
    command.args(["--header", &format!("Authorization: Bearer {}", card.token)]);
    command.args(["--header", &format!("X-API-Key: {}", card.key), "--loglevel", "error"]);
    command.arg("--hookfiles").arg(ours("dredd-hooks.js"));
    let ended = bounded::run(&mut command, work, patience)?;
    let plain = without_colours(&ended.stdout);
    Ok(Found { failed: ended.status == Some(1), lines: dredd_lines(&plain), ended })
}

/// An operation that failed is named twice: in passing, with its duration, and before what is wrong with it, which goes on
/// to the next empty line.
fn dredd_lines(plain: &str) -> BTreeSet<String> {
    let (mut subject, mut inside, mut lines) = (String::new(), false, BTreeSet::new());
    for line in plain.lines() {
        let told = line.strip_prefix("fail: ").or_else(|| line.strip_prefix("error: "));
        match told.map(|told| told.split_once(" duration: ").ok_or(told)) {
            Some(Ok((operation, _))) => operation.clone_into(&mut subject),
            Some(Err(wrong)) => {
                inside = true;
                lines.insert(format!("{subject} {wrong}"));
            }
            None => {
                inside &= !line.trim().is_empty();
                if inside {
                    lines.insert(format!("{subject} {line}"));
                }
            }
        }
    }
    lines
}

fn portman(url: &str, work: &Path, patience: Duration) -> Outcome<Found> {
    let modules = folder().join("portman/node_modules");
    let mut convert = Command::new(needed("node")?);
    convert.arg(modules.join("@apideck/portman/bin/portman"));
    // Its validator knows the dialect of 3.1 only, and leaves schemas of 3.0 out that differ.
    convert.args(["--url", &format!("{url}/openapi-3.1.json"), "--baseUrl", url, "--includeTests", "true"]);
    convert.args(["--runNewman", "false", "--output", "collection.json"]).arg("--portmanConfigFile").arg(ours("portman.json"));
    let converted = bounded::run(&mut convert, work, patience)?;
    if converted.status != Some(0) {
        return Ok(Found { ended: converted, failed: false, lines: BTreeSet::new() });
    }
    let mut call = Command::new(needed("node")?);
    call.arg(modules.join("newman/bin/newman.js")).args(["run", "collection.json"]);
    call.args(["--reporters", "json", "--reporter-json-export", "report.json"]);
    let mut ended = bounded::run(&mut call, work, patience.saturating_sub(converted.took))?;
    ended.took += converted.took;
    let report = json_file(&work.join("report.json"));
    let lines = list(&report["run"]["failures"]).iter().map(|failure| {
        let message = text(&failure["error"]["message"]).lines().next().unwrap_or_default().to_owned();
        format!("{} {} {message}", text(&failure["source"]["name"]), text(&failure["error"]["test"]))
    });
    Ok(Found { failed: ended.status == Some(1), lines: lines.collect(), ended })
}

fn npm(place: &Path, packages: &[String]) -> Outcome {
    std::fs::write(place.join("package.json"), "{\"private\": true}\n").about(|| format!("write into {}", place.display()))?;
    let mut command = Command::new(needed("npm")?);
    run(command.args(["install", "--silent", "--no-audit", "--no-fund"]).args(packages).current_dir(place))
}

fn ours(name: &str) -> PathBuf {
    root().join("xtask/src/bench").join(name)
}

fn json_file(path: &Path) -> Value {
    std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Takes out the sequences that colour a terminal.
fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    for (at, part) in text.split("\u{1b}[").enumerate() {
        let rest = if at == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) };
        plain.push_str(rest);
    }
    plain
}
