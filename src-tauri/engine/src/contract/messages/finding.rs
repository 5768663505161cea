//! What isn't as the contract asks, gathered so that a fault in a million messages is told once, with its number.

use indexmap::IndexMap;
use patchbay_contracts::{
    Place,
    contract::{Check, CheckResult, Severity},
    run::Verdict,
};
use serde_json::Value;

use crate::contract::validate::Deviation;

/// How many kinds of faults are told of one type of message.
const MOST_GROUPS: usize = 100;
/// How many further messages with the same fault are named.
const NAMED: usize = 4;

/// One thing about one message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    pub(super) check: Check,
    /// What makes two findings the same fault.
    pub(super) rule: String,
    /// Where in the message (RFC 6901).
    pub(super) pointer: String,
    /// A sentence that begins with the place in the message.
    pub(super) message: String,
    pub(super) expected: Option<Value>,
    pub(super) actual: Option<Value>,
    /// Where the contract asks it, as a JSON pointer into the contract.
    pub(super) asked: Option<String>,
    pub(super) severity: Severity,
    pub(super) verdict: Verdict,
}

impl Finding {
    pub(super) fn new(check: Check, rule: impl Into<String>, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            check,
            rule: rule.into(),
            pointer: pointer.into(),
            message: message.into(),
            expected: None,
            actual: None,
            asked: None,
            severity: check.severity(),
            verdict: Verdict::Fail,
        }
    }

    pub(super) fn envelope(rule: &str, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Check::Envelope, rule, pointer, message)
    }

    /// What a schema found in a part of the message that begins at `prefix`.
    pub(super) fn deviation(check: Check, prefix: &str, deviation: Deviation) -> Self {
        let Deviation { pointer, message, expected, actual, schema, keyword: _ } = deviation;
        let rest = message.strip_prefix(if pointer.is_empty() { "The body" } else { &pointer }).unwrap_or(&message);
        let whole = format!("{prefix}{pointer}");
        let sentence = if whole.is_empty() { format!("The message{rest}") } else { format!("{whole}{rest}") };
        let mut finding = Self::new(check, format!("{schema} {}", pattern(&whole)), whole, sentence);
        finding.expected = Some(expected);
        finding.actual = actual;
        finding
    }

    pub(super) fn expecting(mut self, expected: Value) -> Self {
        self.expected = Some(expected);
        self
    }

    pub(super) fn with(mut self, actual: Value) -> Self {
        self.actual = Some(actual);
        self
    }

    pub(super) fn asked_at(mut self, pointer: impl Into<String>) -> Self {
        self.asked = Some(pointer.into());
        self
    }

    pub(super) fn weighing(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Not a fault but something that can't be told.
    pub(super) fn untold(mut self) -> Self {
        self.verdict = Verdict::Inconclusive;
        self
    }
}

/// A pointer with `*` for each index, so that the same fault in every element of a list is one.
fn pattern(pointer: &str) -> String {
    let part = |part: &str| {
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) { "*".to_owned() } else { part.to_owned() }
    };
    pointer.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// The findings of one kind of message, the same ones together.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: IndexMap<(Check, String), Group>,
    /// Findings beyond the kinds that are told.
    further: u64,
    /// For each check, how many messages it judged.
    judged: IndexMap<Check, u64>,
}

#[derive(Debug)]
struct Group {
    first: Finding,
    seen: Vec<String>,
    count: u64,
}

impl Groups {
    /// Counts a message that a check looked at.
    pub(super) fn judged(&mut self, check: Check) {
        *self.judged.entry(check).or_default() += 1;
    }

    /// Takes in a finding of the message that is at `spot` in the input, such as `orders.jsonl:12 (message 12)`.
    pub(super) fn add(&mut self, finding: Finding, spot: &str) {
        let key = (finding.check, finding.rule.clone());
        if self.groups.len() >= MOST_GROUPS && !self.groups.contains_key(&key) {
            self.further += 1;
            return;
        }
        let group = self.groups.entry(key).or_insert_with(|| Group { first: finding, seen: Vec::new(), count: 0 });
        group.count += 1;
        if group.seen.len() <= NAMED {
            group.seen.push(spot.to_owned());
        }
    }

    /// Whether anything was found by a check.
    pub(super) fn any(&self, check: Check) -> bool {
        self.groups.keys().any(|(known, _)| *known == check)
    }

    /// The results: each fault, and a pass for each check that found none. `passed` says what one passing means.
    pub(super) fn results(
        self,
        place: impl Fn(&str) -> Option<Place>,
        passed: impl Fn(Check, u64) -> String,
    ) -> Vec<CheckResult> {
        let mut results = Vec::new();
        let mut judged: Vec<(Check, u64)> = self.judged.iter().map(|(check, count)| (*check, *count)).collect();
        judged.sort_unstable();
        for (check, count) in judged {
            if !self.any(check) {
                results.push(CheckResult::new(check, Verdict::Pass, passed(check, count)));
            }
        }
        let mut groups: Vec<Group> = self.groups.into_values().collect();
        groups.sort_by_key(|group| group.first.check);
        let last = groups.last().map(|group| group.first.check);
        results.extend(groups.into_iter().map(|group| group.result(&place)));
        if let (true, Some(check)) = (self.further > 0, last) {
            let message = format!("{} further faults are of other kinds, and only {MOST_GROUPS} kinds are told", self.further);
            results.push(CheckResult::new(check, Verdict::Fail, message));
        }
        results
    }
}

impl Group {
    fn result(self, place: impl Fn(&str) -> Option<Place>) -> CheckResult {
        let Self { first, seen, count } = self;
        let (one, others) = seen.split_first().map_or(("", &[][..]), |(one, others)| (one.as_str(), others));
        let message = match count {
            1 => format!("{}, in {one}", first.message),
            _ => {
                let named = others.join(", ");
                let more = count - 1 - others.len() as u64;
                let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!("{}, in {one}; {count} messages in all, also {named}{rest}", first.message)
            }
        };
        CheckResult {
            pointer: Some(first.pointer),
            expected: first.expected,
            actual: first.actual,
            place: first.asked.as_deref().and_then(place),
            severity: first.severity,
            ..CheckResult::new(first.check, first.verdict, message)
        }
    }
}
