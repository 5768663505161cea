//! What a person or a program gets to read.

pub(crate) mod table;
pub(crate) mod words;

use std::io::{IsTerminal, Write};

use patchbay_contracts::Problem;
use serde::Serialize;

/// Where results and messages go, and in which shape.
pub(crate) struct Out {
    pub(crate) json: bool,
    colour: bool,
    live: bool,
}

impl Out {
    pub(crate) fn new(json: bool) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = !json && !plain && std::io::stdout().is_terminal();
        Self { json, colour, live: std::io::stderr().is_terminal() }
    }

    /// The result: text for a person, made only where it is shown, or a JSON document.
    pub(crate) fn result<T: Serialize>(&self, value: &T, text: impl FnOnce() -> String) {
        if self.json {
            // The types of this project can all be written as JSON.
            let mut document = serde_json::to_string_pretty(value).unwrap_or_default();
            document.push('\n');
            print(&document);
        } else {
            let mut text = text();
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            print(&text);
        }
    }

    /// A message on standard error.
    pub(crate) fn say(&self, text: &str) {
        self.clear();
        // A closed standard error is no reason to fail.
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// A line that the next one replaces; only on a terminal.
    pub(crate) fn live(&self, text: &str) {
        if self.live {
            let _ = write!(std::io::stderr(), "\r\x1b[K{text}");
            let _ = std::io::stderr().flush();
        }
    }

    /// Takes the live line away.
    pub(crate) fn clear(&self) {
        if self.live {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    /// Says what went wrong; under --json also as the document.
    pub(crate) fn problem(&self, problem: &Problem) {
        self.clear();
        if self.json {
            self.result(&serde_json::json!({ "problem": problem }), String::new);
        }
        let _ = writeln!(std::io::stderr(), "{}", describe(problem));
    }

    pub(crate) fn paint(&self, colour: Colour, text: &str) -> String {
        if self.colour { format!("\x1b[{}m{text}\x1b[0m", colour as u8) } else { text.to_owned() }
    }
}

/// A colour of the terminal's own palette.
#[derive(Clone, Copy)]
pub(crate) enum Colour {
    Bold = 1,
    Dim = 2,
    Red = 31,
    Green = 32,
    Yellow = 33,
}

/// What happened, why, and what to do next, a line each.
pub(crate) fn describe(problem: &Problem) -> String {
    let mut text = String::from("error: ");
    if let Some(place) = &problem.place {
        text.push_str(&format!("{place}: "));
    }
    text.push_str(&problem.what);
    for (label, line) in [("why", &problem.why), ("next", &problem.next)] {
        if !line.is_empty() {
            text.push_str(&format!("\n  {label}: {line}"));
        }
    }
    text
}

fn print(text: &str) {
    // `patchbay list | head -1` closes the pipe early, and that is no failure.
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
}
