//! What the benchmark came to, as a table and as JSON.

use super::install::machine;
use super::spread::Spread;
use super::tools::{Found, Tool};
use super::twin::Card;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// One tool on one service.
pub struct Run {
    /// Which tool.
    pub tool: Tool,
    /// The service's fault, or nothing for the clean twin.
    pub fault: Option<u64>,
    /// What random input was made from, where there is any.
    pub seed: u64,
    /// What came of it.
    pub found: Found,
}

impl Run {
    /// One line on it.
    pub fn line(&self) -> String {
        let service = self.fault.map_or_else(|| "the clean twin".to_owned(), |fault| format!("fault {fault}"));
        let seconds = self.found.ended.took.as_secs_f64();
        format!("{} on {service}, seed {}: {} in {seconds:.1} s", self.tool.name(), self.seed, self.verdict())
    }

    fn verdict(&self) -> String {
        let (found, count) = (&self.found, self.found.lines.len());
        match found.ended.status {
            _ if found.ended.late => "took too long".to_owned(),
            Some(0) => "holds".to_owned(),
            Some(1) if found.failed => format!("fails, {count} reported"),
            status => format!("could not be carried out (exit status {status:?})"),
        }
    }
}

/// All runs.
pub struct Results {
    /// In the order in which they were made.
    pub runs: Vec<Run>,
    faults: Vec<Value>,
}

fn number(fault: &Value) -> Option<u64> {
    fault["number"].as_u64()
}

/// What one tool came to.
struct Sum {
    tool: Tool,
    found: BTreeSet<u64>,
    sometimes: BTreeSet<u64>,
    missed: BTreeSet<u64>,
    alarms: BTreeSet<String>,
    alarmed: usize,
    broken: usize,
    seconds: Vec<f64>,
}

impl Results {
    /// Nothing yet, for those faults.
    pub fn new(card: &Card, faults: &[u64]) -> Self {
        let chosen = |fault: &&Value| number(fault).is_some_and(|number| faults.contains(&number));
        Self { runs: Vec::new(), faults: card.faults.iter().filter(chosen).cloned().collect() }
    }

    fn sums(&self) -> Vec<Sum> {
        Tool::ALL.into_iter().filter_map(|tool| self.sum(tool)).collect()
    }

    fn sum(&self, tool: Tool) -> Option<Sum> {
        let runs: Vec<&Run> = self.runs.iter().filter(|run| run.tool == tool).collect();
        let clean: Vec<&&Run> = runs.iter().filter(|run| run.fault.is_none()).collect();
        let alarms: BTreeSet<String> = clean.iter().flat_map(|run| run.found.lines.iter().cloned()).collect();
        // On a busy machine anything may be slow for once, so slowness tells of a fault only where that is the fault.
        let slow: BTreeSet<u64> = self.faults.iter().filter(|fault| fault["check"] == "latency").filter_map(number).collect();
        let shows = |run: &&&Run| {
            let about_time = run.fault.is_some_and(|fault| slow.contains(&fault));
            let tells = |line: &&String| !alarms.contains(*line) && tool.is_about_time(line) == about_time;
            run.found.failed && run.found.lines.iter().any(|line| tells(&line))
        };
        let (mut found, mut sometimes, mut missed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for number in self.faults.iter().filter_map(number) {
            let tries: Vec<&&Run> = runs.iter().filter(|run| run.fault == Some(number)).collect();
            let hits = tries.iter().copied().filter(shows).count();
            let kind = match hits {
                0 => &mut missed,
                hits if hits == tries.len() => &mut found,
                _ => &mut sometimes,
            };
            kind.insert(number);
        }
        let seconds: Vec<f64> = runs.iter().map(|run| run.found.ended.took.as_secs_f64()).collect();
        let alarmed = clean.iter().filter(|run| run.found.failed).count();
        let broken = runs.iter().filter(|run| run.found.ended.status != Some(0) && !run.found.failed).count();
        (!runs.is_empty()).then_some(Sum { tool, found, sometimes, missed, alarms, alarmed, broken, seconds })
    }

    /// For a person.
    pub fn table(&self) -> String {
        let mut text = format!(
            "{:<13} {:<22} {:>9} {:>9} {:>12} {:>22} {:>9}\n",
            "tool", "version", "found", "sometimes", "false alarms", "median (min to max), s", "in all, s"
        );
        let sums = self.sums();
        for sum in &sums {
            let found = format!("{} of {}", sum.found.len(), self.faults.len());
            let (times, all) = (Spread::of(sum.seconds.iter().copied()).text(2), sum.seconds.iter().sum::<f64>());
            let row = format!(
                "{:<13} {:<22} {found:>9} {:>9} {:>12} {times:>22} {all:>9.1}",
                sum.tool.name(),
                sum.tool.version(),
                sum.sometimes.len(),
                sum.alarms.len()
            );
            // Writing into a text can't fail.
            let _ = writeln!(text, "{row}");
        }
        for sum in sums.iter().filter(|sum| sum.broken > 0) {
            let _ = writeln!(text, "{}: {} runs ended without a verdict", sum.tool.name(), sum.broken);
        }
        let _ = writeln!(text);
        for fault in &self.faults {
            let number = number(fault).unwrap_or(0);
            let marks = sums.iter().map(|sum| format!("{} {}", sum.tool.name(), sum.mark(number)));
            let marks: Vec<String> = marks.collect();
            let _ = writeln!(text, "{number:>2} {:<28} {}", fault["name"].as_str().unwrap_or_default(), marks.join("  "));
        }
        text
    }

    /// For a program. `complete` says whether all runs that were asked for are in it.
    pub fn json(&self, complete: bool) -> Value {
        let tools: Vec<Value> = self.sums().iter().map(Sum::json).collect();
        let runs = self.runs.iter().map(|run| {
            json!({
                "tool": run.tool.name(), "fault": run.fault, "seed": run.seed, "verdict": run.verdict(),
                "seconds": run.found.ended.took.as_secs_f64(), "reported": run.found.lines,
            })
        });
        json!({"complete": complete, "machine": machine(), "faults": self.faults, "tools": tools, "runs": runs.collect::<Vec<_>>()})
    }
}

impl Sum {
    fn mark(&self, number: u64) -> &'static str {
        match number {
            number if self.found.contains(&number) => "found    ",
            number if self.sometimes.contains(&number) => "sometimes",
            _ => "-        ",
        }
    }

    fn json(&self) -> Value {
        let mut seconds = Spread::of(self.seconds.iter().copied()).json();
        seconds["all"] = json!(self.seconds.iter().sum::<f64>());
        json!({
            "tool": self.tool.name(), "version": self.tool.version(), "found": self.found, "sometimes": self.sometimes,
            "missed": self.missed, "falseAlarms": self.alarms, "cleanRunsThatFailed": self.alarmed,
            "runsWithoutVerdict": self.broken,
            "seconds": seconds,
        })
    }
}
