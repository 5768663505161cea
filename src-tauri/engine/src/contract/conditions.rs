//! Conditions in the grammar of Gatus: `[STATUS] == 200`, `len([BODY].items) > 0`, `[RESPONSE_TIME] < 500ms`.
//!
//! The grammar is that of <https://github.com/TwiN/gatus#conditions>: two operands around one of `==`, `!=`, `<`, `<=`,
//! `>`, `>=`, with a blank on either side of it. An operand is a placeholder (`[STATUS]`, `[RESPONSE_TIME]`, `[IP]`,
//! `[CONNECTED]`, `[CERTIFICATE_EXPIRATION]`, `[BODY]` with a path, `[HEADER].Name`), one of `len(…)`, `has(…)` and
//! `age(…)` around a placeholder, `pat(…)` or `any(…)` on one side of `==` and `!=`, or a literal.
//!
//! Three things are stricter than in Gatus, since a figure that can't be vouched for is never a pass: a path that leads
//! nowhere fails whatever the operator, a comparison by size fails when a side is no number, and a condition that looks at
//! nothing that came back is refused. One is finer: numbers are compared with their fractions.

mod operand;
mod value;

use patchbay_contracts::{Code, Problem, health::ConditionResult, probe::ProbeReport};

pub(crate) use self::{
    operand::{Function, Operand, Source, Step},
    value::{as_text, walk},
};
use crate::Result;

/// The longest condition, in bytes.
const LONGEST: usize = 4096;
/// The most elements that `[*]` looks at, all wildcards of a condition together.
const MOST_ELEMENTS: usize = 10_000;
/// How many failing elements are shown.
const SHOWN_ELEMENTS: usize = 3;

/// A condition that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    text: String,
    left: Operand,
    operator: Operator,
    right: Operand,
}

/// How two operands are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    LessOrEqual,
    GreaterOrEqual,
    Less,
    Greater,
}

impl Operator {
    /// In the order in which Gatus looks for them.
    const ALL: [(&'static str, Self); 6] = [
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        (">", Self::Greater),
        ("<", Self::Less),
    ];

    fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, operator)| *operator == self).map_or("", |(text, _)| text)
    }

    const fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// Understands a condition.
///
/// # Errors
/// [`Code::InvalidDefinition`] with the nearest known placeholder or function where there is one.
pub fn parse(text: &str) -> Result<Condition> {
    let trimmed = text.trim();
    if trimmed.len() > LONGEST {
        return Err(wrong(&text[..text.floor_char_boundary(60)], format!("a condition has at most {LONGEST} bytes")));
    }
    let (left, operator, right) = split(trimmed)?;
    let left = operand::parse(trimmed, left)?;
    let right = operand::parse(trimmed, right)?;
    if !operator.is_equality() {
        for side in [&left, &right] {
            if let Some(function) = side.matcher() {
                return Err(wrong(
                    trimmed,
                    format!("{function}(…) compares with == and != only, not with {}", operator.as_str()),
                ));
            }
        }
    }
    if left.matcher().is_some() && right.matcher().is_some() {
        return Err(wrong(trimmed, "pat(…) and any(…) can stand on one side only"));
    }
    if !left.reads() && !right.reads() {
        let near = [&left, &right].into_iter().find_map(operand::nearest_to_literal);
        let problem = wrong(trimmed, "neither side looks at what came back");
        return Err(match near {
            Some(near) => problem.next(format!("Did you mean {near}?")),
            None => problem.next("Begin with a placeholder, such as [STATUS] == 200"),
        });
    }
    Ok(Condition { text: trimmed.to_owned(), left, operator, right })
}

/// The two operands and the operator between them.
fn split(text: &str) -> Result<(&str, Operator, &str)> {
    for (sign, operator) in Operator::ALL {
        let spaced = format!(" {sign} ");
        if let Some((left, right)) = text.split_once(&spaced) {
            let (left, right) = (left.trim(), right.trim());
            if left.is_empty() || right.is_empty() {
                return Err(wrong(text, format!("there is nothing on one side of {sign}")));
            }
            return Ok((left, operator, right));
        }
    }
    if text.is_empty() {
        return Err(wrong(text, "it is empty").next("Write a condition, such as [STATUS] == 200"));
    }
    let unspaced = Operator::ALL.iter().find_map(|(sign, _)| text.split_once(sign).map(|sides| (sign, sides)));
    Err(match unspaced {
        Some((sign, (left, right))) if !left.trim().is_empty() && !right.trim().is_empty() => wrong(
            text,
            format!("{sign} needs a blank on either side"),
        )
        .next(format!("Write {} {sign} {}", left.trim(), right.trim())),
        Some((sign, _)) => wrong(text, format!("there is nothing on one side of {sign}")),
        None => wrong(text, "there is no comparison in it")
            .next("Compare with one of == != < <= > >=, as in [STATUS] == 200, or has([BODY].id) == true"),
    })
}

fn wrong(text: &str, why: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidDefinition, format!("`{text}` is not a condition")).why(why)
}

/// A path in the notation of `[BODY]`: `.data[0].id`, `[0].id`.
pub(crate) fn parse_path(text: &str) -> Option<Vec<Step>> {
    operand::path(text, text).ok()
}

impl Condition {
    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it looks at the body.
    pub fn reads_body(&self) -> bool {
        self.left.reads_body() || self.right.reads_body()
    }

    /// The two operands and the operator between them, for what judges by other means.
    pub(crate) fn sides(&self) -> (&Operand, &'static str, &Operand) {
        (&self.left, self.operator.as_str(), &self.right)
    }

    /// The literals in it, which may hold references.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        self.left.literals().into_iter().chain(self.right.literals())
    }

    /// The same with `fill` applied to each literal, for references such as `${order_id}`. What is put in is never
    /// parsed, so that a captured value can't change what is compared.
    ///
    /// # Errors
    /// Those of `fill`.
    pub fn filled(&self, fill: impl Fn(&str) -> Result<String>) -> Result<Self> {
        Ok(Self {
            text: self.text.clone(),
            left: self.left.filled(&fill)?,
            operator: self.operator,
            right: self.right.filled(&fill)?,
        })
    }

    /// Whether it holds for an exchange, with the values in place.
    pub fn judge(&self, report: &ProbeReport) -> ConditionResult {
        let mut budget = MOST_ELEMENTS;
        let (holds, resolved) = self.judge_within(report, &mut budget);
        ConditionResult { text: self.text.clone(), holds, resolved }
    }

    fn judge_within(&self, report: &ProbeReport, budget: &mut usize) -> (bool, String) {
        if let Some(path) = self.left.wildcard().or_else(|| self.right.wildcard()) {
            return self.judge_each(path, report, budget);
        }
        let left = value::of(&self.left, report);
        let right = value::of(&self.right, report);
        let holds = match self.operator {
            Operator::Equal => value::equal(&self.left, &left, &self.right, &right),
            Operator::NotEqual => value::equal(&self.left, &left, &self.right, &right).map(|equal| !equal),
            Operator::Less => value::order(&left, &right).map(|(a, b)| a < b),
            Operator::LessOrEqual => value::order(&left, &right).map(|(a, b)| a <= b),
            Operator::Greater => value::order(&left, &right).map(|(a, b)| a > b),
            Operator::GreaterOrEqual => value::order(&left, &right).map(|(a, b)| a >= b),
        };
        (holds.unwrap_or(false), format!("{} {} {}", left.shown, self.operator.as_str(), right.shown))
    }

    /// Judges once for each element that the first `[*]` stands for. No element at all is a failure: an empty answer
    /// shows nothing.
    fn judge_each(&self, path: &[Step], report: &ProbeReport, budget: &mut usize) -> (bool, String) {
        let count = value::elements(path, report);
        if count == 0 {
            return (false, format!("{} (there are no elements)", self.text));
        }
        if count > *budget {
            return (false, format!("{} (more than {MOST_ELEMENTS} elements, too many to judge)", self.text));
        }
        *budget -= count;
        let mut failures = Vec::new();
        let mut failed = 0;
        for index in 0..count {
            let mut one = self.clone();
            if !one.left.fix_wildcard(index) {
                one.right.fix_wildcard(index);
            }
            let (holds, resolved) = one.judge_within(report, budget);
            if !holds {
                failed += 1;
                if failures.len() < SHOWN_ELEMENTS {
                    failures.push(format!("[{index}] {resolved}"));
                }
            }
        }
        match failed {
            0 => (true, format!("{} ({count} elements)", self.text)),
            _ if failed > failures.len() => (false, format!("{} and {} more", failures.join(", "), failed - failures.len())),
            _ => (false, failures.join(", ")),
        }
    }
}
