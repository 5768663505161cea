//! `contract match`.

use std::path::Path;

use patchbay_contracts::{Problem, contract::CheckResult, run::Verdict};
use patchbay_engine::contract::{
    files,
    pact::{Matched, Part, match_case, read_case, specification},
};
use serde::Serialize;

use super::contract;
use crate::{
    Outcome,
    arguments::MatchArguments,
    output::{Out, words},
};

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
    for named in &arguments.cases {
        for file in files::cases(&named.display().to_string())? {
            let (case, _) = read_case(Path::new(&file), &file)?;
            let matched = match_case(&case, spec, kind)
                .await
                .map_err(|problem| Problem { what: format!("{file}: {}", problem.what), ..problem })?;
            cases.push(Case { file, matched });
        }
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
