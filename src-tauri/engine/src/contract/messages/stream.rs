//! What only a whole stream shows: ids that come twice, causes that never came, clocks that run backwards.
//!
//! Memory is bounded: of each of the last messages a few numbers are remembered, and of the older ones nothing. What can't
//! be told without them is said to be unknown, and not taken for a fault or for a pass.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

use patchbay_contracts::contract::Check;
use serde_json::{Value, json};

use super::{
    envelope::Seen,
    finding::{Finding, Groups},
};

/// How many messages are remembered, unless somebody says otherwise: some 60 MB.
pub const WINDOW: usize = 800_000;
/// How many causes that haven't come are waited for.
const MOST_WAITING: usize = 100_000;
/// How many sources are told apart.
const MOST_SOURCES: usize = 100_000;

/// What is remembered of a message.
#[derive(Clone, Copy)]
struct Entry {
    number: u64,
    content: u64,
    correlation: u64,
    at: Option<i64>,
}

/// A cause that has not come yet.
struct Waiting {
    finding: Finding,
    spot: String,
    number: u64,
    count: u64,
    /// Whether nothing had been forgotten when it was missed.
    sure: bool,
}

/// Where a message is.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    /// Its number in the whole run, from 1.
    pub(super) number: u64,
    /// Its place in the input, as it is shown.
    pub(super) spot: &'a str,
}

/// What is known of a stream so far.
pub(super) struct Stream {
    window: usize,
    /// Makes the marks of ids unforeseeable, so that nobody can write two ids with one mark.
    key: u128,
    known: HashMap<u128, Entry>,
    order: VecDeque<u128>,
    waiting: HashMap<u128, Waiting>,
    sources: HashMap<u128, (i64, u64)>,
    pub(super) groups: Groups,
    /// Messages with an id.
    pub(super) judged: u64,
    pub(super) forgotten: u64,
    pub(super) unwatched: u64,
    pub(super) sources_left_out: bool,
}

impl Stream {
    pub(super) fn new(window: usize, key: u128) -> Self {
        Self {
            window: window.max(1),
            key,
            known: HashMap::new(),
            order: VecDeque::new(),
            waiting: HashMap::new(),
            sources: HashMap::new(),
            groups: Groups::default(),
            judged: 0,
            forgotten: 0,
            unwatched: 0,
            sources_left_out: false,
        }
    }

    /// Takes in the next message.
    pub(super) fn take(&mut self, seen: &Seen<'_>, message: &Value, at: At<'_>) {
        if let (Some(source), Some(stamp)) = (seen.source, seen.at) {
            self.clock(source, stamp, &seen.fields.timestamp, at);
        }
        let Some(id) = seen.id.as_deref() else { return };
        self.judged += 1;
        self.groups.judged(Check::Duplicate);
        self.groups.judged(Check::Causation);
        let mark = self.mark(&(seen.within, id));
        let bare = self.mark(&(None::<&str>, id));
        let content = self.short(&message.to_string());
        let correlation = seen.correlation.map_or(0, |id| self.short(id));
        if let Some(first) = self.known.get(&mark) {
            let same = if first.content == content { "with the same content" } else { "with other content" };
            let number = first.number;
            let pointer = &*seen.fields.id;
            let message = format!("{pointer} is `{}`, which message {number} has as well, {same}", cut(id));
            let finding = Finding::new(Check::Duplicate, same, pointer, message).with(id.into());
            self.groups.add(finding.expecting(json!("an id of its own")), at.spot);
        } else {
            self.remember(mark, Entry { number: at.number, content, correlation, at: seen.at });
            if mark != bare {
                // A cause is named by its id alone, whatever its source.
                self.arrived(bare, at);
            }
        }
        self.arrived(mark, at);
        if let Some(cause) = seen.causation
            && cause != id
        {
            self.cause(cause, seen, correlation, at);
        }
    }

    /// Within a source, later messages have later times.
    fn clock(&mut self, source: &str, stamp: i64, pointer: &str, at: At<'_>) {
        let mark = self.mark(&source);
        let full = self.sources.len() >= MOST_SOURCES;
        match self.sources.get_mut(&mark) {
            Some((last, number)) => {
                self.groups.judged(Check::Order);
                if stamp < *last {
                    let message = format!(
                        "The time of a message from `{}` is {} before that of message {number} from the same source",
                        cut(source),
                        gap(*last, stamp)
                    );
                    let finding = Finding::new(Check::Order, "clock", pointer, message).with(json!(shown(stamp)));
                    self.groups.add(finding.expecting(json!({ "not before": shown(*last) })), at.spot);
                } else {
                    (*last, *number) = (stamp, at.number);
                }
            }
            None if full => self.sources_left_out = true,
            None => {
                self.sources.insert(mark, (stamp, at.number));
                self.groups.judged(Check::Order);
            }
        }
    }

    fn remember(&mut self, mark: u128, entry: Entry) {
        if self.order.len() >= self.window
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
            self.forgotten += 1;
        }
        self.known.insert(mark, entry);
        self.order.push_back(mark);
    }

    /// A message that others may have named as their cause before it came.
    fn arrived(&mut self, mark: u128, at: At<'_>) {
        let Some(waiting) = self.waiting.remove(&mark) else { return };
        let mut finding = waiting.finding;
        finding.rule = "later".to_owned();
        finding.message = format!("{}, and it comes later: it is message {}", finding.message, at.number);
        for _ in 0..waiting.count {
            self.groups.add(finding.clone(), &waiting.spot);
        }
    }

    /// What caused a message came before it, belongs to the same chain and was not later by the clock.
    fn cause(&mut self, cause: &str, seen: &Seen<'_>, correlation: u64, at: At<'_>) {
        let within = self.mark(&(seen.within, cause));
        let bare = self.mark(&(None::<&str>, cause));
        let Some(entry) = self.known.get(&within).or_else(|| self.known.get(&bare)).copied() else {
            let message = format!("The cause of message {}, `{}`, did not come before it", at.number, cut(cause));
            let finding = Finding::new(Check::Causation, "never", &*seen.fields.causation, message).with(cause.into());
            let finding = finding.expecting(json!("the id of an earlier message"));
            let full = self.waiting.len() >= MOST_WAITING;
            match self.waiting.get_mut(&bare) {
                Some(waiting) => waiting.count += 1,
                None if full => self.unwatched += 1,
                None => {
                    let sure = self.forgotten == 0;
                    let spot = at.spot.to_owned();
                    self.waiting.insert(bare, Waiting { finding, spot, number: at.number, count: 1, sure });
                }
            }
            return;
        };
        self.groups.judged(Check::Order);
        if let (Some(effect), Some(before)) = (seen.at, entry.at)
            && effect < before
        {
            let message = format!(
                "Message {} is {} older by its clock than its cause, message {}",
                at.number,
                gap(before, effect),
                entry.number
            );
            let finding = Finding::new(Check::Order, "effect", &*seen.fields.timestamp, message).with(json!(shown(effect)));
            self.groups.add(finding.expecting(json!({ "not before": shown(before) })), at.spot);
        }
        if correlation != 0 && entry.correlation != 0 && correlation != entry.correlation {
            let message = format!("Message {} has another correlation_id than its cause, message {}", at.number, entry.number);
            let finding = Finding::new(Check::Order, "chain", &*seen.fields.correlation, message);
            let given = seen.correlation.unwrap_or_default();
            self.groups.add(finding.with(given.into()).expecting(json!("that of its cause")), at.spot);
        }
    }

    /// Ends the stream: causes that are still waited for never came.
    pub(super) fn end(&mut self) {
        let mut waiting: Vec<Waiting> = std::mem::take(&mut self.waiting).into_values().collect();
        waiting.sort_by_key(|waiting| waiting.number);
        for Waiting { mut finding, spot, count, sure, .. } in waiting {
            if sure {
                finding.message.push_str(", nor after it");
            } else {
                finding.rule = "forgotten".to_owned();
                finding.message.push_str(" among those that are remembered, nor after it");
                finding = finding.untold();
            }
            for _ in 0..count {
                self.groups.add(finding.clone(), &spot);
            }
        }
        if self.forgotten == 0 {
            return;
        }
        if !self.groups.any(Check::Duplicate) {
            let message = format!(
                "No id came twice within {} messages, and ids further apart were not compared: {} were forgotten",
                self.window, self.forgotten
            );
            self.groups
                .add(Finding::new(Check::Duplicate, "forgotten", "/id", message).untold(), "a stream longer than the window");
        }
    }

    fn mark<T: Hash>(&self, value: &T) -> u128 {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (self.key, salt).hash(&mut hasher);
            value.hash(&mut hasher);
            u128::from(hasher.finish())
        };
        half(0) << 64 | half(1)
    }

    fn short(&self, text: &str) -> u64 {
        // Zero stands for nothing.
        (self.mark(&text) as u64).max(1)
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn gap(later: i64, earlier: i64) -> String {
    let nanoseconds = later.saturating_sub(earlier);
    match nanoseconds {
        ..1_000_000 => format!("{nanoseconds} ns"),
        1_000_000..1_000_000_000 => format!("{} ms", nanoseconds / 1_000_000),
        _ => format!("{:.1} s", nanoseconds as f64 / 1e9),
    }
}

fn shown(stamp: i64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(stamp)).map_or_else(|_| stamp.to_string(), |stamp| stamp.to_string())
}
