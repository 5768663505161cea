//! Failures that somebody has decided to put up with for a while, written down with a reason and a last day.
//!
//! ```yaml
//! accepted:
//!   - operation: GET /orders/{id}     # `*` stands for any text
//!     check: response-schema
//!     pointer: /total                 # any place without it
//!     reason: The new billing service rounds; fixed with release 14
//!     until: 2027-01-31
//! ```

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use patchbay_contracts::{
    Code, Place, Problem, Timestamp,
    contract::{Accepted, Check, ContractReport},
    run::Verdict,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Result, definition, utils::pattern};

/// The name of the file where nobody names another.
pub const FILE: &str = "accepted.yaml";
/// The largest such file, in bytes.
const LARGEST: u64 = 1024 * 1024;
/// What a new file begins with.
const HEAD: &str = "# Failures of contracts that are put up with until a day. After it they fail again.\naccepted:\n";

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AcceptedFile {
    /// Each failure that is put up with.
    #[serde(default)]
    accepted: Vec<Entry>,
}

/// A failure that is put up with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The operation, endpoint or interaction as reports name it; `*` stands for any text.
    pub operation: String,
    /// The name of the check.
    pub check: String,
    /// The JSON pointer of the place, `*` for any text; any place without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Why it is put up with.
    pub reason: String,
    /// The last day, such as `2027-01-31` (UTC).
    pub until: String,
}

static SCHEMA: LazyLock<Value> = LazyLock::new(definition::schema_of::<AcceptedFile>);

/// Accepted failures as a file has them.
#[derive(Debug, Clone, Default)]
pub struct AcceptedFailures {
    entries: Vec<(Entry, Option<Place>)>,
}

impl AcceptedFailures {
    /// Reads a file; one that isn't there accepts nothing. `shown` is the name that places carry.
    ///
    /// # Errors
    /// [`Code::InvalidDefinition`] with the first mistake and its place; [`Code::Workspace`] where it can't be read.
    pub fn read(path: &Path, shown: &str) -> Result<Self> {
        match text_of(path, shown)? {
            Some(text) => Self::parse(shown, text.as_bytes()),
            None => Ok(Self::default()),
        }
    }

    fn parse(shown: &str, bytes: &[u8]) -> Result<Self> {
        let (file, problems, positions) = definition::parse_as::<AcceptedFile>(shown, bytes, &SCHEMA);
        if let Some(problem) = problems.into_iter().next() {
            return Err(problem);
        }
        let mut entries = Vec::new();
        for (index, entry) in file.unwrap_or_default().accepted.into_iter().enumerate() {
            let at = |field: &str| positions.place(&format!("/accepted/{index}/{field}"));
            let wrong = |field: &str, problem: Problem| Problem { place: at(field), ..problem };
            check_name(&entry.check).map_err(|problem| wrong("check", problem))?;
            day(&entry.until).map_err(|problem| wrong("until", problem))?;
            if entry.reason.trim().is_empty() {
                return Err(wrong("reason", no_reason()));
            }
            entries.push((entry, at("operation")));
        }
        Ok(Self { entries })
    }

    /// Marks the failures that are put up with on that day, and concludes the report anew. What has expired, or was not
    /// needed by a whole run, is noted.
    pub fn apply(&self, report: &mut ContractReport, now: Timestamp) {
        let today = today(now);
        let mut used = vec![false; self.entries.len()];
        for endpoint in &mut report.endpoints {
            for check in endpoint.checks.iter_mut().filter(|check| check.verdict == Verdict::Fail) {
                let found = self.entries.iter().position(|(entry, _)| {
                    entry.check == check.check.as_str()
                        && pattern::matches(&entry.operation, &endpoint.endpoint)
                        && entry
                            .pointer
                            .as_ref()
                            .is_none_or(|wanted| pattern::matches(wanted, check.pointer.as_deref().unwrap_or_default()))
                });
                let Some(index) = found else { continue };
                let (entry, place) = &self.entries[index];
                used[index] = true;
                // Days of this form are in the order of their texts.
                if entry.until.as_str() >= today.as_str() {
                    let (reason, until) = (entry.reason.clone(), entry.until.clone());
                    check.accepted = Some(Accepted { reason, until, place: place.clone() });
                } else {
                    report.notes.push(format!(
                        "The failure of {} at {} was accepted until {} and is not any more: {}",
                        entry.check, endpoint.endpoint, entry.until, entry.reason
                    ));
                }
            }
            if !endpoint.checks.is_empty() {
                endpoint.conclude();
            }
        }
        if !report.partial {
            for ((entry, place), _) in self.entries.iter().zip(&used).filter(|(_, used)| !**used) {
                let known = report.endpoints.iter().any(|endpoint| pattern::matches(&entry.operation, &endpoint.endpoint));
                if known {
                    let place = place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
                    report.notes.push(format!(
                        "{place}{} at {} is accepted, and did not fail; the entry can go",
                        entry.check, entry.operation
                    ));
                }
            }
        }
        report.conclude();
    }
}

/// Adds a failure to a file, which is made where it is missing; what stands in it is kept as it is.
///
/// # Errors
/// [`Code::InvalidInput`] for an entry that makes no sense, [`Code::InvalidDefinition`] where the file has a mistake already,
/// [`Code::Workspace`] where it can't be written.
pub fn accept(path: &Path, shown: &str, entry: &Entry, now: Timestamp) -> Result<()> {
    check_name(&entry.check)?;
    day(&entry.until)?;
    if entry.until < today(now) {
        return Err(Problem::new(Code::InvalidInput, format!("{} is over", entry.until)).next("Give a day that is still to come"));
    }
    if entry.reason.trim().is_empty() {
        return Err(no_reason());
    }
    let mut text = text_of(path, shown)?.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| HEAD.to_owned());
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let quoted = |value: &str| Value::String(value.to_owned()).to_string();
    text.push_str(&format!("  - operation: {}\n    check: {}\n", quoted(&entry.operation), entry.check));
    if let Some(pointer) = &entry.pointer {
        text.push_str(&format!("    pointer: {}\n", quoted(pointer)));
    }
    text.push_str(&format!("    reason: {}\n    until: {}\n", quoted(entry.reason.trim()), entry.until));
    // Written by hand in another form, say in brackets, the file can't simply grow at its end.
    AcceptedFailures::parse(shown, text.as_bytes())
        .map_err(|problem| problem.next(format!("Correct {shown} first, or add the entry by hand under `accepted:`")))?;
    write(path, shown, &text)
}

fn write(path: &Path, shown: &str, text: &str) -> Result<()> {
    let cannot =
        |error: std::io::Error| Problem::new(Code::Workspace, format!("{shown} can't be written")).why(error.to_string());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_owned);
    let mut temporary = tempfile::NamedTempFile::new_in(&folder).map_err(cannot)?;
    temporary.write_all(text.as_bytes()).map_err(cannot)?;
    if let Ok(metadata) = std::fs::metadata(path) {
        std::fs::set_permissions(temporary.path(), metadata.permissions()).map_err(cannot)?;
    }
    temporary.persist(path).map_err(|error| cannot(error.error))?;
    Ok(())
}

fn text_of(path: &Path, shown: &str) -> Result<Option<String>> {
    let cannot = |why: String| Problem::new(Code::Workspace, format!("{shown} can't be read")).why(why);
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot(error.to_string())),
        Ok(metadata) if metadata.len() > LARGEST => return Err(cannot(format!("it has more than {LARGEST} bytes"))),
        Ok(_) => {}
    }
    std::fs::read_to_string(path).map(Some).map_err(|error| cannot(error.to_string()))
}

fn check_name(name: &str) -> Result<()> {
    if Check::named(name).is_some() {
        return Ok(());
    }
    let names = Check::ALL.iter().map(|check| check.as_str());
    let problem = Problem::new(Code::InvalidInput, format!("There is no check `{name}`"));
    Err(match crate::utils::nearest(name, names.clone()) {
        Some(nearest) => problem.next(format!("Did you mean `{nearest}`?")),
        None => problem.next(format!("There are {}", names.collect::<Vec<_>>().join(", "))),
    })
}

fn day(text: &str) -> Result<()> {
    match text.parse::<jiff::civil::Date>() {
        Ok(date) if date.to_string() == text => Ok(()),
        _ => Err(Problem::new(Code::InvalidInput, format!("`{text}` is not a day")).next("Write it as in 2027-01-31")),
    }
}

fn no_reason() -> Problem {
    Problem::new(Code::InvalidInput, "An accepted failure needs a reason")
        .next("Say why it is put up with, for whoever reads it when the day comes")
}

fn today(now: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(now).map(|now| now.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}
