//! What the program did, for the window and for `-v`. Every line passes the redactors before it is kept or written.

use std::{
    collections::VecDeque,
    fmt::Write as _,
    io::Write as _,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use patchbay_contracts::{
    Timestamp,
    workspace::{LogLevel, LogLine},
};
use tracing::{Event, Level, Subscriber, field::Visit};
use tracing_subscriber::{EnvFilter, Layer, layer::Context, prelude::*};

use crate::secrets::Redactor;

/// How many lines are kept.
const LINES: usize = 2_000;

/// A line longer than this is cut: what a service sent can end up in one.
const LENGTH: usize = 4_000;

struct Log {
    lines: Mutex<VecDeque<LogLine>>,
    redactors: Mutex<Vec<Redactor>>,
    /// Lines at least so grave are written to standard error as well.
    shown: OnceLock<LogLevel>,
}

static LOG: Log = Log { lines: Mutex::new(VecDeque::new()), redactors: Mutex::new(Vec::new()), shown: OnceLock::new() };

/// Starts to keep what the program does. `shown` is how grave a line must be to be written to standard error too; the
/// variable `PATCHBAY_LOG` holds a filter in tracing's grammar for what is recorded at all. Later calls change nothing.
pub fn install(shown: LogLevel) {
    if LOG.shown.set(shown).is_err() {
        return;
    }
    let filter = EnvFilter::try_from_env("PATCHBAY_LOG").unwrap_or_else(|_| EnvFilter::new(recorded(shown)));
    // Somebody else's subscriber, in a test say, may be there already: then that one keeps the lines.
    let _ = tracing_subscriber::registry().with(filter).with(Keep).try_init();
}

/// What is recorded without a filter of the person's own: the libraries only as far as they are asked for.
fn recorded(shown: LogLevel) -> &'static str {
    match shown {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "info,patchbay_engine=debug,patchbay=debug",
        _ => "warn,patchbay_engine=info,patchbay=info",
    }
}

/// Has every later line pass `redactor`.
pub fn redact_with(redactor: Redactor) {
    lock(&LOG.redactors).push(redactor);
}

/// The newest lines that are at least so grave, oldest first.
pub fn lines(level: LogLevel, limit: usize) -> Vec<LogLine> {
    let lines = lock(&LOG.lines);
    let mut newest: Vec<LogLine> = lines.iter().rev().filter(|line| line.level >= level).take(limit).cloned().collect();
    newest.reverse();
    newest
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Keep;

impl<S: Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        let metadata = event.metadata();
        keep(LogLine { at: now(), level: level(*metadata.level()), target: metadata.target().to_owned(), text: text.whole() });
    }
}

fn keep(mut line: LogLine) {
    for redactor in lock(&LOG.redactors).iter() {
        line.text = redactor.text(&line.text);
    }
    if line.text.len() > LENGTH {
        let end = (0..=LENGTH).rev().find(|end| line.text.is_char_boundary(*end)).unwrap_or(0);
        line.text.truncate(end);
        line.text.push('…');
    }
    if LOG.shown.get().is_some_and(|shown| line.level >= *shown) {
        // A closed standard error is no reason to fail.
        let _ = writeln!(std::io::stderr(), "{} {}: {}", word(line.level), line.target, line.text);
    }
    let mut lines = lock(&LOG.lines);
    if lines.len() == LINES {
        lines.pop_front();
    }
    lines.push_back(line);
}

fn now() -> Timestamp {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Timestamp)
}

fn level(level: Level) -> LogLevel {
    match level {
        Level::TRACE => LogLevel::Trace,
        Level::DEBUG => LogLevel::Debug,
        Level::INFO => LogLevel::Info,
        Level::WARN => LogLevel::Warn,
        Level::ERROR => LogLevel::Error,
    }
}

const fn word(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

/// The message of an event, with its fields behind it.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Text {
    fn whole(self) -> String {
        self.message + &self.fields
    }
}

impl Visit for Text {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        // Writing to a String can't fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }

    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else {
            let _ = write!(self.fields, " {}={value}", field.name());
        }
    }
}
