//! What a person may choose.

use super::tools::Tool;
use crate::failure::{Failure, Outcome};

/// The command line of `cargo xtask bench load`.
#[derive(Debug)]
pub struct Options {
    /// How often each tool has its turn.
    pub rounds: u32,
    /// How many connections, one case each.
    pub connections: Vec<u32>,
    /// How long each run puts load on the server.
    pub seconds: u64,
    /// Which tools.
    pub tools: Vec<Tool>,
    /// Whether to build first.
    pub build: bool,
    /// Whether memory is measured, and not speed.
    pub memory: bool,
    /// How many requests the run is to have that shows whether memory grows.
    pub requests: u64,
}

impl Options {
    /// Reads `[--memory [--requests N]] [--rounds N] [--connections 64,512] [--seconds S] [--only TOOL]… [--no-build]`.
    pub fn read(words: &[&str]) -> Outcome<Self> {
        let memory = words.contains(&"--memory");
        let (rounds, connections) = if memory { (1, vec![64, 10_000]) } else { (5, vec![64, 512]) };
        let mut options = Self { rounds, connections, seconds: 10, tools: Vec::new(), build: true, memory, requests: 10_000_000 };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--memory" => continue,
                "--no-build" => {
                    options.build = false;
                    continue;
                }
                _ => {}
            }
            let value =
                words.next().ok_or_else(|| Failure::usage(format!("`{word}` is unknown, or a value is missing after it.")))?;
            let wrong = || Failure::usage(format!("`{value}` can't be the value of {word}."));
            let number = |least: u64, most: u64| {
                value.parse().ok().filter(|number: &u64| (least..=most).contains(number)).ok_or_else(wrong)
            };
            match *word {
                "--rounds" => options.rounds = u32::try_from(number(1, 100)?).map_err(|_| wrong())?,
                // In less than two seconds there is no middle of a run to look at.
                "--seconds" => options.seconds = number(2, 600)?,
                "--requests" if memory => options.requests = number(1, 1_000_000_000)?,
                "--connections" => {
                    let read = |part: &str| part.parse().ok().filter(|count| (1..=16_000).contains(count)).ok_or_else(wrong);
                    options.connections = value.split(',').map(read).collect::<Outcome<_>>()?;
                }
                "--only" => options.tools.push(Tool::named(value).ok_or_else(wrong)?),
                _ => return Err(Failure::usage(format!("`{word}` is no option of this benchmark."))),
            }
        }
        if options.tools.is_empty() {
            options.tools = Tool::ALL.to_vec();
        }
        if memory {
            options.tools.retain(|tool| matches!(tool, Tool::PatchbayLive | Tool::Wrk | Tool::Oha));
            if options.tools.is_empty() {
                return Err(Failure::usage("Memory is measured of patchbay-live, wrk and oha."));
            }
        }
        Ok(options)
    }
}
