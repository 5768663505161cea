//! `contract match`.

use std::path::Path;

use patchbay_contracts::{Code, Problem, contract::CheckResult, run::Verdict};
use patchbay_engine::contract::pact::{Matched, Part, match_case, specification};
use serde::Serialize;
use serde_json::Value;

use super::contract;
use crate::{
    Outcome,
    arguments::MatchArguments,
    output::{Out, words},
};

/// A case larger than this isn't one, in bytes.
const CASE: u64 = 16 << 20;

/// What the command answers.
#[derive(Serialize)]
struct Answer {
    matches: bool,
    mismatches: Vec<CheckResult>,
    /// Each case by itself, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cases: Vec<Case>,
}

#[derive(Serialize)]
struct Case {
    file: String,
    #[serde(flatten)]
    matched: Matched,
}

/// Needs no workspace, and calls nothing.
pub(super) async fn run(out: &Out, arguments: &MatchArguments) -> Outcome {
    let spec = specification(&arguments.spec)?;
    let kind = arguments.kind.as_deref().and_then(Part::named);
    let mut cases = Vec::with_capacity(arguments.cases.len());
    for file in &arguments.cases {
        let case = read(file)?;
        let matched = match_case(&case, spec, kind)
            .await
            .map_err(|problem| Problem { what: format!("{}: {}", file.display(), problem.what), ..problem })?;
        cases.push(Case { file: file.display().to_string(), matched });
    }
    let text = cases.iter().map(|case| text(out, case)).collect::<String>();
    let matches = cases.iter().all(|case| case.matched.matches);
    let mismatches = cases.iter().flat_map(|case| case.matched.mismatches.clone()).collect();
    let cases = if cases.len() > 1 { cases } else { Vec::new() };
    out.result(&Answer { matches, mismatches, cases }, || text);
    Ok(if matches { Verdict::Pass } else { Verdict::Fail })
}

fn text(out: &Out, case: &Case) -> String {
    let Case { file, matched } = case;
    let verdict = if matched.matches { Verdict::Pass } else { Verdict::Fail };
    let word = if matched.matches { "matches" } else { "does not match" };
    let head = format!("{}  {file}: the {} {word}\n", words::verdict(out, verdict), matched.kind.as_str());
    matched.mismatches.iter().fold(head, |text, mismatch| text + &contract::failure(out, mismatch))
}

fn read(file: &Path) -> Result<Value, Problem> {
    let cannot = |why: String| Problem::new(Code::InvalidInput, format!("{} can't be read", file.display())).why(why);
    let length = std::fs::metadata(file).map_err(|error| cannot(error.to_string()))?.len();
    if length > CASE {
        return Err(cannot(format!("it has {length} bytes, and a case has at most {CASE}")));
    }
    let bytes = std::fs::read(file).map_err(|error| cannot(error.to_string()))?;
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    serde_json::from_slice(text).map_err(|error| cannot(format!("it is not JSON: {error}")))
}
