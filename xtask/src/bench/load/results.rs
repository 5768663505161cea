//! What the runs came to, as a table and as JSON.

use super::counts::Counts;
use super::measured::Used;
use super::tools::{Case, Tool};
use crate::bench::spread::Spread;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A core counts as full from this share on.
const FULL: f64 = 0.95;

/// From this share of one core on, what else ran on the machine is told beside the figures.
const BUSY: f64 = 0.05;

/// One tool in one round of one case.
pub struct Run {
    /// What was put under load.
    pub case: Case,
    /// By what.
    pub tool: Tool,
    /// Which time, from 1.
    pub round: u32,
    /// What it used.
    pub used: Used,
    /// What it did, or why there is no telling.
    pub counts: Result<Counts, String>,
}

/// Which side held the rate down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Client,
    Server,
    Both,
    Neither,
}

impl Bound {
    const fn words(self) -> &'static str {
        match self {
            Self::Client => "client-bound",
            Self::Server => "held by the server",
            Self::Both => "both cores were full",
            Self::Neither => "neither core was full",
        }
    }
}

impl Run {
    /// Microseconds of a processor for one request.
    fn cost(&self) -> Option<f64> {
        self.counts.as_ref().ok().map(|counts| self.used.processor * 1e6 / counts.completed as f64)
    }

    fn rate(&self) -> Option<f64> {
        self.counts.as_ref().ok().map(|counts| counts.completed as f64 / counts.seconds)
    }

    fn errors(&self) -> u64 {
        self.counts.as_ref().map_or(0, |counts| counts.errors)
    }

    fn bound(&self) -> Bound {
        match (self.used.client_share >= FULL, self.used.server_share >= FULL) {
            (true, false) => Bound::Client,
            (false, true) => Bound::Server,
            (true, true) => Bound::Both,
            (false, false) => Bound::Neither,
        }
    }

    /// One line on it.
    pub fn line(&self) -> String {
        let head = format!("round {}, {}, {}", self.round, self.case.name(), self.tool.name());
        match (&self.counts, self.cost(), self.rate()) {
            (Ok(_), Some(cost), Some(rate)) => {
                format!("{head}: {cost:.2} µs of processor a request, {rate:.0} requests/s, {}", self.bound().words())
            }
            (counts, ..) => format!("{head}: not measured: {}", counts.as_ref().err().map_or("no requests", String::as_str)),
        }
    }

    fn json(&self) -> Value {
        let (used, counts) = (&self.used, self.counts.as_ref().ok());
        json!({
            "case": self.case.name(), "connections": self.case.connections, "streams": self.case.streams,
            "tool": self.tool.name(), "round": self.round,
            "completed": counts.map(|counts| counts.completed), "errors": counts.map(|counts| counts.errors),
            "loadSeconds": counts.map(|counts| counts.seconds), "failure": self.counts.as_ref().err(),
            "wallSeconds": used.wall, "processorSeconds": used.processor, "exitStatus": used.status,
            "processorMicrosecondsPerRequest": self.cost(), "requestsPerSecond": self.rate(), "peakBytes": used.peak,
            "clientShare": used.client_share, "serverShare": used.server_share, "otherShare": used.other_share,
            "bound": self.bound().words(),
            "connectionsOpen": used.connections,
        })
    }
}

/// All runs.
pub struct Results {
    /// In the order in which they were made.
    pub runs: Vec<Run>,
    /// What could not be run, and why.
    pub missing: Vec<(Case, Tool, String)>,
    /// What the figures belong to.
    pub machine: String,
    /// How long each run was meant to be.
    pub seconds: u64,
}

/// One tool in all rounds of one case.
struct Group<'a> {
    tool: Tool,
    runs: Vec<&'a Run>,
}

impl Group<'_> {
    fn cost(&self) -> Spread {
        Spread::of(self.runs.iter().filter_map(|run| run.cost()))
    }

    fn rate(&self) -> Spread {
        Spread::of(self.runs.iter().filter_map(|run| run.rate()))
    }

    fn share(&self, of: fn(&Used) -> f64) -> f64 {
        Spread::of(self.runs.iter().map(|run| of(&run.used))).median * 100.0
    }

    fn peak(&self) -> f64 {
        self.runs.iter().map(|run| run.used.peak).max().unwrap_or(0) as f64 / 1e6
    }

    /// Whether its rate is one of the client and of nothing else.
    fn ranks(&self) -> bool {
        self.runs.iter().all(|run| run.bound() == Bound::Client)
    }

    /// What its rate tells, if it is not ranked.
    fn held(&self) -> String {
        let bounds: Vec<Bound> = self.runs.iter().map(|run| run.bound()).collect();
        match bounds.first() {
            Some(first) if bounds.iter().all(|bound| bound == first) => first.words().to_owned(),
            _ => {
                let client = bounds.iter().filter(|bound| **bound == Bound::Client).count();
                format!("client-bound in {client} of {} rounds", bounds.len())
            }
        }
    }
}

/// Ours over a peer's processor time a request.
struct Ratio {
    case: Case,
    ours: Tool,
    peer: Tool,
    /// Of the medians.
    medians: f64,
    /// Of each round by itself.
    rounds: Spread,
}

impl Ratio {
    /// Whether the limit is met. There is one only for Patchbay with all that it can do at once.
    fn met(&self) -> Option<bool> {
        self.limit().map(|limit| self.medians <= limit)
    }

    fn limit(&self) -> Option<f64> {
        self.peer.limit().filter(|_| self.ours == Tool::PatchbayLive)
    }

    fn text(&self) -> String {
        let Self { medians, rounds, .. } = self;
        let limit = match (self.limit(), self.met()) {
            (Some(limit), Some(met)) => format!("at most {limit}: {}", if met { "met" } else { "not met" }),
            _ => String::new(),
        };
        let names = format!("{} to {}", self.ours.name(), self.peer.name());
        format!("  {names:<24} {medians:>6.3} ({:.3} to {:.3} by round)  {limit}", rounds.least, rounds.most)
            .trim_end()
            .to_owned()
    }

    fn json(&self) -> Value {
        json!({
            "case": self.case.name(), "tool": self.ours.name(), "peer": self.peer.name(), "ofMedians": self.medians,
            "byRound": self.rounds.json(), "limit": self.limit(), "met": self.met(),
        })
    }
}

impl Results {
    fn cases(&self) -> Vec<Case> {
        let mut cases: Vec<Case> = Vec::new();
        for case in self.runs.iter().map(|run| run.case).chain(self.missing.iter().map(|(case, ..)| *case)) {
            if !cases.contains(&case) {
                cases.push(case);
            }
        }
        cases
    }

    /// The runs of a case that gave figures, by tool.
    fn groups(&self, case: Case) -> Vec<Group<'_>> {
        let of = |tool: Tool| self.runs.iter().filter(move |run| run.case == case && run.tool == tool && run.counts.is_ok());
        let groups = Tool::ALL.into_iter().map(|tool| Group { tool, runs: of(tool).collect() });
        groups.filter(|group| !group.runs.is_empty()).collect()
    }

    fn ratios(&self, case: Case) -> Vec<Ratio> {
        let is_ours = |tool: Tool| matches!(tool, Tool::PatchbayLive | Tool::Patchbay);
        let groups = self.groups(case);
        let (ours, peers): (Vec<&Group>, Vec<&Group>) = groups.iter().partition(|group| is_ours(group.tool));
        let ratio = |ours: &Group, peer: &Group| {
            let by_round = ours.runs.iter().filter_map(|run| {
                let other = peer.runs.iter().find(|other| other.round == run.round)?;
                Some(run.cost()? / other.cost()?)
            });
            let medians = ours.cost().median / peer.cost().median;
            Ratio { case, ours: ours.tool, peer: peer.tool, medians, rounds: Spread::of(by_round) }
        };
        ours.iter().flat_map(|ours| peers.iter().map(move |peer| ratio(ours, peer))).collect()
    }

    /// For a person.
    pub fn table(&self) -> String {
        let mut text = format!("{}, {} s a run\n", self.machine, self.seconds);
        for case in self.cases() {
            // Writing into a text can't fail.
            let _ = writeln!(text, "\n{}", case.name());
            text.push_str(&self.rows(case));
            for ratio in self.ratios(case) {
                let _ = writeln!(text, "{}", ratio.text());
            }
        }
        let others = Spread::of(self.runs.iter().map(|run| run.used.other_share));
        if others.most >= BUSY {
            let (median, most) = (others.median * 100.0, others.most * 100.0);
            let took = format!("Other programs took {median:.0}% of one core in the middle run, {most:.0}% in the worst");
            let _ = writeln!(text, "\n{took}: these are figures of a busy machine.");
        }
        text
    }

    fn rows(&self, case: Case) -> String {
        let mut text = format!(
            "  {:<14} {:<14} {:>28} {:>30} {:>7} {:>8} {:>7} {:>7}  {}\n",
            "tool", "version", "processor µs a request", "requests/s", "errors", "peak MB", "client", "server", "rate"
        );
        let groups = self.groups(case);
        let mut ranked: Vec<&Group> = groups.iter().filter(|group| group.ranks()).collect();
        ranked.sort_by(|a, b| b.rate().median.total_cmp(&a.rate().median));
        for group in &groups {
            let place = ranked.iter().position(|other| other.tool == group.tool);
            let rate = place.map_or_else(|| group.held(), |place| format!("{} of {}", place + 1, ranked.len()));
            let errors: u64 = group.runs.iter().map(|run| run.errors()).sum();
            let row = format!(
                "  {:<14} {:<14} {:>28} {:>30} {errors:>7} {:>8.1} {:>6.0}% {:>6.0}%  {rate}",
                group.tool.name(),
                group.tool.version(),
                group.cost().text(2),
                group.rate().text(0),
                group.peak(),
                group.share(|used| used.client_share),
                group.share(|used| used.server_share),
            );
            let _ = writeln!(text, "{row}");
        }
        for (_, tool, why) in self.missing.iter().filter(|(of, ..)| *of == case) {
            let _ = writeln!(text, "  {:<14} not measured: {why}", tool.name());
        }
        for run in self.runs.iter().filter(|run| run.case == case) {
            if let Err(why) = &run.counts {
                let _ = writeln!(text, "  {:<14} not measured in round {}: {why}", run.tool.name(), run.round);
            }
        }
        text
    }

    /// For a program. `complete` says whether all runs that were asked for are in it.
    pub fn json(&self, complete: bool) -> Value {
        let cases = self.cases();
        let groups = cases.iter().flat_map(|case| self.groups(*case).into_iter().map(|group| (*case, group)));
        let tools: Vec<Value> = groups
            .map(|(case, group)| {
                json!({
                    "case": case.name(), "tool": group.tool.name(), "version": group.tool.version(), "rounds": group.runs.len(),
                    "processorMicrosecondsPerRequest": group.cost().json(), "requestsPerSecond": group.rate().json(),
                    "peakMegabytes": group.peak(), "rateIsTheClients": group.ranks(), "held": group.held(),
                })
            })
            .collect();
        let ratios: Vec<Value> = cases.iter().flat_map(|case| self.ratios(*case)).map(|ratio| ratio.json()).collect();
        let missing = |(case, tool, why): &(Case, Tool, String)| json!({"case": case.name(), "tool": tool.name(), "why": why});
        json!({
            "complete": complete, "machine": self.machine, "seconds": self.seconds, "tools": tools, "ratios": ratios,
            "notMeasured": self.missing.iter().map(missing).collect::<Vec<_>>(),
            "runs": self.runs.iter().map(Run::json).collect::<Vec<_>>(),
        })
    }
}
