//! What a person or a program gets to read.

pub(crate) mod live;
pub(crate) mod table;
pub(crate) mod words;

use std::{
    io::{IsTerminal, Write},
    sync::atomic::{AtomicUsize, Ordering},
};

use patchbay_contracts::Problem;
use serde::Serialize;

/// Where results and messages go, and in which shape.
pub(crate) struct Out {
    pub(crate) json: bool,
    colour: bool,
    live: bool,
    /// Whether what is live may have colours.
    tints: bool,
    /// How many lines of a picture stand above the cursor.
    lines: AtomicUsize,
}

impl Out {
    pub(crate) fn new(json: bool) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = !json && !plain && std::io::stdout().is_terminal();
        let live = std::io::stderr().is_terminal();
        Self { json, colour, live, tints: live && !plain, lines: AtomicUsize::new(0) }
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

    /// Whether several lines can be drawn in place.
    pub(crate) fn draws(&self) -> bool {
        self.live && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// Several lines that the next picture replaces. They are cut at the edge, since what wraps could not be drawn over; the
    /// terminal is left as it was after each picture, so nothing is to be restored wherever the program ends.
    pub(crate) fn picture(&self, lines: &[String]) {
        let mut text = self.away();
        text.push_str("\x1b[?7l");
        for line in lines {
            text.push_str(&format!("\x1b[2K{line}\n"));
        }
        text.push_str("\x1b[?7h");
        self.lines.store(lines.len(), Ordering::Relaxed);
        let _ = std::io::stderr().write_all(text.as_bytes());
        let _ = std::io::stderr().flush();
    }

    /// What takes a picture away.
    fn away(&self) -> String {
        match self.lines.swap(0, Ordering::Relaxed) {
            0 => "\r\x1b[K".to_owned(),
            lines => format!("\r\x1b[{lines}A\x1b[J"),
        }
    }

    /// Takes the live lines away.
    pub(crate) fn clear(&self) {
        if self.live {
            let _ = std::io::stderr().write_all(self.away().as_bytes());
        }
    }

    /// A colour on standard error.
    pub(crate) fn tint(&self, colour: Colour, text: &str) -> String {
        if self.tints { format!("\x1b[{}m{text}\x1b[0m", colour as u8) } else { text.to_owned() }
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
