//! Operations against checks: what a contract run found, as a table that can be read, filtered and walked through.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
    rc::Rc,
};

use patchbay_contracts::{
    contract::{Check, CheckResult, EndpointResult, Severity},
    run::{RunId, Verdict},
};

use super::text;

/// The result of one operation, handed on without copying it. Two are equal where they are the same one: a run of many
/// operations is drawn ten times a second, and comparing bodies would take longer than drawing them.
#[derive(Debug, Clone)]
pub struct Judged {
    result: Rc<EndpointResult>,
    run: Option<RunId>,
}

impl Judged {
    /// Makes it shareable, with the number under which its run is stored.
    pub fn new(result: EndpointResult, run: Option<RunId>) -> Self {
        Self { result: Rc::new(result), run }
    }

    /// The run that it is stored with; none while that is under way.
    pub const fn run(&self) -> Option<RunId> {
        self.run
    }
}

impl PartialEq for Judged {
    fn eq(&self, other: &Self) -> bool {
        self.run == other.run && Rc::ptr_eq(&self.result, &other.result)
    }
}

impl Deref for Judged {
    type Target = EndpointResult;

    fn deref(&self) -> &EndpointResult {
        &self.result
    }
}

/// How one check came out, as a person reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It held.
    Held,
    /// It did not, and somebody has decided to put up with that.
    Accepted,
    /// It did not, and is only a warning.
    Warning,
    /// It could not be judged.
    Unclear,
    /// It did not.
    Failed,
}

impl Outcome {
    /// All of them, the gravest first.
    pub const ALL: [Self; 5] = [Self::Failed, Self::Unclear, Self::Warning, Self::Accepted, Self::Held];

    /// How a check came out.
    pub fn of(check: &CheckResult) -> Self {
        match check.verdict {
            Verdict::Pass => Self::Held,
            Verdict::Inconclusive => Self::Unclear,
            Verdict::Fail if check.accepted.is_some() => Self::Accepted,
            Verdict::Fail if check.severity == Severity::Warning => Self::Warning,
            Verdict::Fail => Self::Failed,
        }
    }

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Accepted => "accepted",
            Self::Warning => "warning",
            Self::Unclear => "inconclusive",
            Self::Failed => "failed",
        }
    }

    /// So many of them: `1 warning`, `2 warnings`, `3 failed`.
    pub fn counted(self, count: u32) -> String {
        let plural = if self == Self::Warning && count != 1 { "s" } else { "" };
        format!("{} {}{plural}", text::count(u64::from(count)), self.as_str())
    }
}

/// How often a check came out how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally([u32; 5]);

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, outcome: Outcome) {
        self.0[outcome as usize] += 1;
    }

    /// How many came out so.
    pub fn count(&self, outcome: Outcome) -> u32 {
        self.0[outcome as usize]
    }

    /// The gravest that occurs.
    pub fn outcome(&self) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|outcome| self.count(*outcome) > 0)
    }

    /// `2 failed, 14 held`; `not judged` where nothing was counted.
    pub fn words(&self) -> String {
        let counted = Outcome::ALL.into_iter().filter(|outcome| self.count(*outcome) > 0);
        let words: Vec<String> = counted.map(|outcome| outcome.counted(self.count(outcome))).collect();
        if words.is_empty() { "not judged".to_owned() } else { words.join(", ") }
    }
}

/// One operation and its checks.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The operation.
    pub result: Judged,
    /// A cell for each column; none where that check was not judged.
    pub cells: Vec<Option<Tally>>,
}

/// Operations against checks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix {
    /// The checks that occur, in the order of [`Check::ALL`].
    pub columns: Vec<Check>,
    /// The operations, in the order of the contract.
    pub rows: Vec<Row>,
}

impl Matrix {
    /// The table of these results.
    pub fn of(results: &[Judged]) -> Self {
        let occurring: BTreeSet<Check> =
            results.iter().flat_map(|result| result.checks.iter().map(|check| check.check)).collect();
        let columns: Vec<Check> = Check::ALL.iter().copied().filter(|check| occurring.contains(check)).collect();
        let place: BTreeMap<Check, usize> = columns.iter().enumerate().map(|(at, check)| (*check, at)).collect();
        let row = |result: &Judged| {
            let mut cells = vec![None; columns.len()];
            for check in &result.checks {
                if let Some(cell) = place.get(&check.check).and_then(|at| cells.get_mut(*at)) {
                    cell.get_or_insert_with(Tally::default).add(Outcome::of(check));
                }
            }
            Row { result: result.clone(), cells }
        };
        let rows = results.iter().map(row).collect();
        Self { columns, rows }
    }

    /// The rows that a filter leaves, in order.
    pub fn shown(&self, filter: &Filter) -> Vec<usize> {
        let words: Vec<String> = filter.text.split_whitespace().map(str::to_lowercase).collect();
        let fits = |row: &Row| {
            let failing = row.result.verdict != Verdict::Pass
                || row.cells.iter().flatten().any(|cell| cell.outcome() > Some(Outcome::Accepted));
            (!filter.failing || failing) && (words.is_empty() || has_all(&row.result, &words))
        };
        self.rows.iter().enumerate().filter(|(_, row)| fits(row)).map(|(at, _)| at).collect()
    }

    /// The labels of the operations that failed, in order.
    pub fn failed(&self) -> Vec<String> {
        let failed = self.rows.iter().filter(|row| row.result.verdict == Verdict::Fail);
        failed.map(|row| row.result.endpoint.clone()).collect()
    }
}

/// Whether each of the words, in lower case, stands in the label or in what is said of a check that did not hold.
fn has_all(result: &EndpointResult, words: &[String]) -> bool {
    let mut text = result.endpoint.to_lowercase();
    for check in result.checks.iter().filter(|check| check.verdict != Verdict::Pass) {
        text.push('\n');
        text.push_str(check.check.as_str());
        text.push(' ');
        text.push_str(&check.message.to_lowercase());
    }
    words.iter().all(|word| text.contains(word.as_str()))
}

/// Which operations are shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only those of which something did not hold.
    pub failing: bool,
    /// Only those that have all of these words, in their label or in what failed.
    pub text: String,
}

/// Something that did not hold: the place of its operation among the rows, and its own among the operation's checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken {
    /// The row.
    pub row: usize,
    /// The check.
    pub check: usize,
    /// How it came out.
    pub outcome: Outcome,
}

/// All that did not hold in these rows, the gravest first and otherwise in order.
pub fn broken(matrix: &Matrix, rows: &[usize]) -> Vec<Broken> {
    let mut found: Vec<Broken> = Vec::new();
    for row in rows {
        let checks = matrix.rows.get(*row).map(|row| row.result.checks.iter().enumerate()).into_iter().flatten();
        found.extend(checks.map(|(check, result)| Broken { row: *row, check, outcome: Outcome::of(result) }));
    }
    found.retain(|one| one.outcome != Outcome::Held);
    found.sort_by_key(|one| std::cmp::Reverse(one.outcome));
    found
}

/// How many rows a page key moves by.
const PAGE: usize = 10;

/// Where a key leads from a cell, given as row and column; `None` where it means nothing here.
pub fn moved((row, column): (usize, usize), key: &str, rows: usize, columns: usize) -> Option<(usize, usize)> {
    let (last_row, last_column) = (rows.checked_sub(1)?, columns.checked_sub(1)?);
    Some(match key {
        "ArrowUp" => (row.saturating_sub(1), column),
        "ArrowDown" => ((row + 1).min(last_row), column),
        "ArrowLeft" => (row, column.saturating_sub(1)),
        "ArrowRight" => (row, (column + 1).min(last_column)),
        "PageUp" => (row.saturating_sub(PAGE), column),
        "PageDown" => ((row + PAGE).min(last_row), column),
        "Home" => (row, 0),
        "End" => (row, last_column),
        _ => return None,
    })
}

/// Results with those that came later in their place. An operation that is new stands at the end.
pub fn merged(before: &[Judged], later: &[Judged]) -> Vec<Judged> {
    let mut all = before.to_vec();
    let mut place: BTreeMap<&str, usize> = before.iter().enumerate().map(|(at, one)| (one.endpoint.as_str(), at)).collect();
    for one in later {
        match place.get(one.endpoint.as_str()).and_then(|at| all.get_mut(*at)) {
            Some(known) => *known = one.clone(),
            None => {
                place.insert(&one.endpoint, all.len());
                all.push(one.clone());
            }
        }
    }
    all
}
