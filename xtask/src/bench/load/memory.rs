//! `cargo xtask bench load --memory`: how much memory a load generator takes for its connections, and whether it takes more
//! the longer it runs.

use super::counts::Counts;
use super::measured::{Limits, Used};
use super::options::Options;
use super::server::Kind;
use super::tools::{Case, Tool};
use super::{one, save};
use crate::failure::Outcome;
use crate::process::{say, shown};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The most that Patchbay may take with so many connections, in megabytes.
const LIMITS: [(u32, f64); 2] = [(64, 20.0), (10_000, 64.0)];
/// How many connections the long run has.
const CONNECTIONS: u32 = 64;
/// The longest that it may take, in seconds.
const LONGEST: u64 = 1800;
/// How long the rate is looked at first, from which the length of the long run follows.
const GLANCE: u64 = 3;

/// The most that a tool took with so many connections.
struct Peak {
    tool: Tool,
    connections: u32,
    used: Used,
    counts: Result<Counts, String>,
}

/// What a tool had in memory over many requests.
struct Growth {
    tool: Tool,
    requests: u64,
    used: Used,
    counts: Result<Counts, String>,
}

/// Runs and prints.
pub fn bench(options: &Options, machine: &str) -> Outcome {
    let (mut peaks, mut growths) = (Vec::new(), Vec::new());
    let keep = |peaks: &[Peak], growths: &[Growth], complete: bool| {
        let (peaks, growths): (Vec<Value>, Vec<Value>) =
            (peaks.iter().map(Peak::json).collect(), growths.iter().map(Growth::json).collect());
        save("load-memory.json", &json!({"complete": complete, "machine": machine, "peaks": peaks, "growth": growths}))
    };
    for connections in options.connections.iter().copied() {
        for _ in 0..options.rounds {
            for tool in options.tools.iter().copied() {
                let used = one(tool, case(connections), Limits::of(options.seconds))?;
                let peak = Peak { tool, connections, counts: tool.counts(&used), used };
                say(&peak.line());
                peaks.push(peak);
                keep(&peaks, &growths, false)?;
            }
        }
    }
    for tool in options.tools.iter().copied() {
        let growth = grow(tool, options.requests)?;
        say(&growth.line());
        growths.push(growth);
        keep(&peaks, &growths, false)?;
    }
    let file = keep(&peaks, &growths, true)?;
    let mut text = format!("{machine}\n\n");
    for line in peaks.iter().map(Peak::line).chain(growths.iter().map(Growth::line)) {
        // Writing into a text can't fail.
        let _ = writeln!(text, "{line}");
    }
    print!("{text}");
    say(&format!("the results are in {}", shown(&file)));
    Ok(())
}

fn case(connections: u32) -> Case {
    Case { server: Kind::Fixed, connections, streams: 1 }
}

/// Runs for as long as so many requests take, going by a glance at the rate, and a fifth longer.
fn grow(tool: Tool, requests: u64) -> Outcome<Growth> {
    let glance = one(tool, case(CONNECTIONS), Limits::of(GLANCE))?;
    let (used, counts) = match tool.counts(&glance) {
        Ok(counts) => {
            let rate = counts.completed as f64 / counts.seconds;
            let seconds = (requests as f64 / rate * 1.2).ceil().clamp(GLANCE as f64, LONGEST as f64) as u64;
            say(&format!("{}, {requests} requests: {seconds} s", tool.name()));
            let used = one(tool, case(CONNECTIONS), Limits::of(seconds))?;
            let counts = tool.counts(&used);
            (used, counts)
        }
        Err(why) => (glance, Err(why)),
    };
    Ok(Growth { tool, requests, used, counts })
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

impl Peak {
    fn limit(&self) -> Option<f64> {
        let limit = LIMITS.iter().find(|(connections, _)| *connections == self.connections);
        limit.filter(|_| self.tool == Tool::PatchbayLive).map(|(_, limit)| *limit)
    }

    /// Whether the limit is met. Nobody can tell where the connections that count were not open.
    fn met(&self) -> Option<bool> {
        let open = self.used.connections >= usize::try_from(self.connections).ok()? && self.counts.is_ok();
        self.limit().filter(|_| open).map(|limit| megabytes(self.used.peak) <= limit)
    }

    fn line(&self) -> String {
        let limit = match (self.limit(), self.met()) {
            (Some(limit), Some(met)) => format!(", at most {limit} MB: {}", if met { "met" } else { "not met" }),
            (Some(limit), None) => format!(", at most {limit} MB: can't be told"),
            (None, _) => String::new(),
        };
        let failure = self.counts.as_ref().err().map(|why| format!(" ({why})")).unwrap_or_default();
        let errors = self.counts.as_ref().map_or(0, |counts| counts.errors);
        format!(
            "{:<14} {:>6} connections, {:>6} open, {errors} errors{failure}: peak {:.1} MB{limit}",
            self.tool.name(),
            self.connections,
            self.used.connections,
            megabytes(self.used.peak)
        )
    }

    fn json(&self) -> Value {
        json!({
            "tool": self.tool.name(), "version": self.tool.version(), "connections": self.connections,
            "connectionsOpen": self.used.connections, "peakBytes": self.used.peak, "limitMegabytes": self.limit(),
            "met": self.met(), "failure": self.counts.as_ref().err(),
            "completed": self.counts.as_ref().ok().map(|counts| counts.completed),
            "errors": self.counts.as_ref().ok().map(|counts| counts.errors),
        })
    }
}

impl Growth {
    /// Memory after the first twentieth of the run, at least three seconds in, and at the last look before its end.
    fn ends(&self) -> Option<(u64, u64)> {
        let resident = &self.used.resident;
        let warm = resident.get((resident.len() / 20).max(2))?;
        Some((*warm, *resident.last()?))
    }

    fn line(&self) -> String {
        let made = match &self.counts {
            Ok(counts) if counts.completed < self.requests => {
                format!("{} requests, fewer than {}", counts.completed, self.requests)
            }
            Ok(counts) => format!("{} requests", counts.completed),
            Err(why) => format!("not all requests ({why})"),
        };
        let Some((first, last)) = self.ends() else {
            return format!("{:<14} {made}: too short to tell whether memory grows", self.tool.name());
        };
        let (first, last) = (megabytes(first), megabytes(last));
        format!(
            "{:<14} {made} in {:.0} s: {first:.1} MB after warm-up, {last:.1} MB at the end, {:+.1} MB; peak {:.1} MB",
            self.tool.name(),
            self.used.wall,
            last - first,
            megabytes(self.used.peak)
        )
    }

    fn json(&self) -> Value {
        json!({
            "tool": self.tool.name(), "version": self.tool.version(), "connections": CONNECTIONS, "wanted": self.requests,
            "completed": self.counts.as_ref().ok().map(|counts| counts.completed),
            "failure": self.counts.as_ref().err(), "seconds": self.used.wall,
            "firstBytes": self.ends().map(|(first, _)| first), "lastBytes": self.ends().map(|(_, last)| last),
            "peakBytes": self.used.peak, "residentBytesEachSecond": self.used.resident,
        })
    }
}
