//! One run for contracts of every kind: which documents, which of their parts, and what of the result counts.

use std::path::Path;

use patchbay_contracts::{
    Code, Problem,
    contract::{Check, ContractKind, ContractOptions, ContractProgress, ContractReport, Severity},
};
use tokio_util::sync::CancellationToken;

use super::{Document, document};
use crate::{Result, http::Context, utils::pattern};

/// The most files of a folder that are read.
const MOST: usize = 1_000;

/// The contracts that a source stands for: those of a folder, or the one of a file or an address.
///
/// # Errors
/// What keeps one from being read; [`Code::NotFound`] for a folder without any.
pub async fn open(context: &Context, source: &str, fetch: bool) -> Result<Vec<Document>> {
    let folder = Path::new(source);
    if source.contains("://") || !folder.is_dir() {
        return Ok(vec![document::open(context, source, fetch).await?]);
    }
    let cannot =
        |error: std::io::Error| Problem::new(Code::InvalidInput, format!("`{source}` can't be read")).why(error.to_string());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if matches!(ending, "json" | "yaml" | "yml") && path.file_name().is_none_or(|name| name != super::accepted::FILE) {
            files.push(path);
        }
        if files.len() > MOST {
            return Err(Problem::new(Code::TooLarge, format!("`{source}` holds more than {MOST} contracts"))
                .next("Name them one by one, or a folder with fewer"));
        }
    }
    files.sort();
    let mut documents = Vec::with_capacity(files.len());
    for file in files {
        documents.push(document::open(context, &file.display().to_string(), fetch).await?);
    }
    match documents.is_empty() {
        true => Err(Problem::new(Code::NotFound, format!("`{source}` holds no contract"))
            .why("looked for files that end in .json, .yaml or .yml")),
        false => Ok(documents),
    }
}

/// Verifies contracts that were read together. A report of several is theirs joined.
///
/// # Errors
/// What keeps a contract from being verified at all: no address to call, a kind that can't be verified so.
pub async fn verify_documents(
    context: &Context,
    documents: &[Document],
    options: &ContractOptions,
    cancel: &CancellationToken,
    mut progress: impl FnMut(ContractProgress) + Send,
) -> Result<ContractReport> {
    let mut whole: Option<ContractReport> = None;
    for document in documents {
        let before = whole.as_ref().map_or(0, |report| report.endpoints.len());
        let behind = |mut news: ContractProgress| {
            news.done += before;
            news.total += before;
            progress(news);
        };
        let report: ContractReport = match document.kind {
            kind if kind != ContractKind::Patchbay => {
                let _ = (context, options, behind);
                return Err(Problem::new(Code::Unsupported, format!("{} can't be verified yet", kind.as_str())));
            }
            _ => {
                return Err(Problem::new(Code::InvalidInput, format!("`{}` is an integration file", document.file))
                    .next("Name it alone, as a file that ends in .yaml"));
            }
        };
        match &mut whole {
            None => whole = Some(report),
            Some(whole) => {
                whole.duration_ms += report.duration_ms;
                whole.partial |= report.partial;
                whole.endpoints.extend(report.endpoints);
                whole.problems.extend(report.problems);
                whole.notes.extend(report.notes);
            }
        }
        if cancel.is_cancelled() {
            break;
        }
    }
    let mut whole = whole.ok_or_else(|| Problem::internal("no contract to verify"))?;
    whole.partial |= cancel.is_cancelled();
    whole.conclude();
    Ok(whole)
}

/// Whether an operation is to be called that goes by these names: its label, its id, its tags.
pub fn wanted(options: &ContractOptions, names: &[&str]) -> bool {
    let meant = |pattern: &&String| names.iter().any(|name| pattern::matches(pattern, name));
    let mut only = options.only.iter().filter(|name| Check::named(name).is_none()).peekable();
    (only.peek().is_none() || only.any(|pattern| meant(&pattern)))
        && !options.skip.iter().filter(|name| Check::named(name).is_none()).any(|pattern| meant(&pattern))
}

/// Whether a check is to be made.
pub fn judged(options: &ContractOptions, check: Check) -> bool {
    let named = |names: &[String]| names.iter().any(|name| name == check.as_str());
    let some = options.only.iter().any(|name| Check::named(name).is_some());
    (!some || named(&options.only)) && !named(&options.skip)
}

/// Leaves out what nobody asked for, weighs the rest as asked, and concludes anew.
pub fn choose(report: &mut ContractReport, options: &ContractOptions) {
    report.endpoints.retain_mut(|endpoint| {
        let before = endpoint.checks.len();
        // That a service can't be reached is never left out in silence.
        endpoint.checks.retain(|result| result.check == Check::Reachable || judged(options, result.check));
        for result in &mut endpoint.checks {
            if options.warn.iter().any(|name| name == result.check.as_str()) {
                result.severity = Severity::Warning;
            }
        }
        if endpoint.checks.is_empty() {
            return before == 0;
        }
        endpoint.conclude();
        true
    });
    report.conclude();
}

/// Looks for slips in what was asked for.
///
/// # Errors
/// [`Code::InvalidInput`] for a name that can only have been meant as that of a check, with the nearest one.
pub fn check_options(options: &ContractOptions) -> Result<()> {
    let known = || Check::ALL.iter().map(|check| check.as_str());
    for name in &options.warn {
        if Check::named(name).is_none() {
            let problem = Problem::new(Code::InvalidInput, format!("There is no check `{name}`"));
            return Err(match crate::utils::nearest(name, known()) {
                Some(nearest) => problem.next(format!("Did you mean `{nearest}`?")),
                None => problem.next(format!("There are {}", known().collect::<Vec<_>>().join(", "))),
            });
        }
    }
    for name in options.only.iter().chain(&options.skip) {
        // An operation has a blank or a slash in its label; ids and tags hardly come this near to a check's name.
        let near = crate::utils::nearest(name, known()).filter(|near| near.contains('-') && name.contains('-'));
        if let Some(near) = near.filter(|near| near != name && !name.contains([' ', '/', '*'])) {
            return Err(Problem::new(Code::InvalidInput, format!("There is no check `{name}`"))
                .next(format!("Did you mean `{near}`? Operations are named like `GET /orders/*`, or by their id or tag")));
        }
    }
    Ok(())
}
