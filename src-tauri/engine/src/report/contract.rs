//! The HTML report of a contract run: a matrix of operations against checks, what did not hold, and what was covered.

use patchbay_contracts::{
    contract::{Check, CheckResult, ContractReport, ContractSubject, Coverage, EndpointResult, Severity},
    run::{Run, Verdict},
};
use serde_json::Value;

use super::page::{Page, ms, when};

pub(super) fn page(run: &Run, contract: &ContractReport) -> String {
    let mut page = Page::new(&format!("Contract: {}", contract.integration), contract.verdict, contract.partial);
    let count = |verdict| contract.endpoints.iter().filter(|endpoint| endpoint.verdict == verdict).count();
    let cases: u64 = contract.endpoints.iter().map(|endpoint| u64::from(endpoint.cases)).sum();
    // Files are checked without a service, and have no endpoints.
    let files = match &contract.subject {
        Some(ContractSubject::Files { check }) => Some(check.by.noun()),
        _ => None,
    };
    let (holding, each, heading) = match files {
        Some(_) => ("Results that hold", "Results and checks", "Results"),
        None => ("Endpoints that hold", "Operations and checks", "Endpoints"),
    };
    page.facts(&[
        ("Service", contract.base_url.clone()),
        ("Contract", format!("{} ({})", contract.file, contract.kind.as_str())),
        ("Version", contract.version.clone().unwrap_or_default()),
        ("Begun", when(contract.at)),
        ("Took", ms(contract.duration_ms)),
        (holding, format!("{} of {}", count(Verdict::Pass), contract.endpoints.len())),
        ("Cases", if cases > 0 { cases.to_string() } else { String::new() }),
        ("Seed", contract.seed.map(|seed| seed.to_string()).unwrap_or_default()),
        ("Run", run.summary.id.to_string()),
    ]);
    for note in &contract.notes {
        page.line(note);
    }
    for problem in &contract.problems {
        page.line(&problem.to_string());
    }
    if !contract.endpoints.is_empty() {
        page.heading(each);
        matrix(&mut page, contract, files.unwrap_or("operation"));
        page.heading(heading);
    }
    for endpoint in &contract.endpoints {
        let title = match endpoint.status {
            Some(status) if endpoint.cases <= 1 => {
                format!("{}  ·  {status} in {}", endpoint.endpoint, ms(endpoint.timing.total_ms))
            }
            _ if endpoint.cases > 1 => format!("{}  ·  {} cases", endpoint.endpoint, endpoint.cases),
            _ => endpoint.endpoint.clone(),
        };
        page.part(&title, endpoint.verdict, |page| endpoint_part(page, endpoint));
    }
    if let Some(coverage) = &contract.coverage {
        coverage_part(&mut page, coverage, if files.is_some() { "Types of messages that came" } else { "Operations called" });
    }
    page.finish()
}

/// A sign for each operation and check, in the order of [`Check::ALL`]; only checks that occur have a column.
fn matrix(page: &mut Page, contract: &ContractReport, noun: &str) {
    let occurs =
        |check: &&Check| contract.endpoints.iter().any(|endpoint| endpoint.checks.iter().any(|result| result.check == **check));
    let checks: Vec<Check> = Check::ALL.iter().filter(occurs).copied().collect();
    let head: Vec<&str> = std::iter::once(noun).chain(checks.iter().map(|check| check.as_str())).collect();
    let rows: Vec<Vec<String>> = contract
        .endpoints
        .iter()
        .map(|endpoint| {
            let cell = |check: &Check| sign(endpoint.checks.iter().filter(|result| result.check == *check));
            std::iter::once(endpoint.endpoint.clone()).chain(checks.iter().map(cell)).collect()
        })
        .collect();
    page.table(&head, &rows, 1);
}

/// The gravest of several results as a sign, with their number where it is a failure.
fn sign<'a>(results: impl Iterator<Item = &'a CheckResult>) -> String {
    let (mut held, mut failed, mut lesser, mut open) = (0, 0, 0, 0);
    for result in results {
        match (result.verdict, result.weight()) {
            (Verdict::Pass, _) => held += 1,
            (Verdict::Fail, Verdict::Fail) => failed += 1,
            (Verdict::Fail, _) => lesser += 1,
            (Verdict::Inconclusive, _) => open += 1,
        }
    }
    match (failed, lesser, open, held) {
        (0, 0, 0, 0) => String::new(),
        (0, 0, 0, _) => "✓".to_owned(),
        (0, 0, open, _) => format!("? {open}"),
        (0, lesser, ..) => format!("! {lesser}"),
        (failed, ..) => format!("✕ {failed}"),
    }
}

fn endpoint_part(page: &mut Page, endpoint: &EndpointResult) {
    if let Some(problem) = &endpoint.problem {
        page.line(&problem.to_string());
    }
    let (held, rest): (Vec<&CheckResult>, Vec<_>) = endpoint.checks.iter().partition(|check| check.verdict == Verdict::Pass);
    for check in rest {
        page.part(&format!("{}: {}", check.check.as_str(), check.message), check.weight(), |page| broken(page, check));
    }
    let rows: Vec<Vec<String>> = held.iter().map(|check| vec![check.check.as_str().to_owned(), check.message.clone()]).collect();
    if !rows.is_empty() {
        page.table(&["held", ""], &rows, 2);
    }
    if let Some(request) = &endpoint.request {
        page.code(&request.curl);
    }
    if let Some(body) = endpoint.body.as_deref().filter(|body| !body.is_empty()) {
        page.code(body);
    }
}

fn broken(page: &mut Page, check: &CheckResult) {
    if let Some(accepted) = &check.accepted {
        page.line(&format!("Accepted until {}: {}", accepted.until, accepted.reason));
    } else if check.severity == Severity::Warning {
        page.line("A warning, which fails no run.");
    }
    if let Some(pointer) = &check.pointer {
        page.line(&format!("at {}", if pointer.is_empty() { "the whole body" } else { pointer }));
    }
    if check.expected.is_some() || check.actual.is_some() {
        page.beside(("expected", &shown(check.expected.as_ref())), ("actual", &shown(check.actual.as_ref())));
    }
    if let Some(place) = &check.place {
        page.line(&format!("asked in {place}"));
    }
    if let Some(request) = &check.request {
        let status = check.status.map(|status| format!(" (answered {status})")).unwrap_or_default();
        page.line(&format!("The smallest request that shows it{status}:"));
        page.code(&request.curl);
    }
}

fn coverage_part(page: &mut Page, coverage: &Coverage, called: &str) {
    page.heading("Coverage");
    let of = |(seen, all): (usize, usize)| format!("{seen} of {all}");
    page.facts(&[
        (called, of(coverage.operations())),
        ("Statuses seen", of(coverage.statuses())),
        ("Response fields seen", of(coverage.fields())),
    ]);
    let rows: Vec<Vec<String>> = coverage
        .operations
        .iter()
        .filter(|operation| !operation.statuses_unseen.is_empty() || !operation.fields_unseen.is_empty() || !operation.called)
        .map(|operation| {
            vec![operation.operation.clone(), operation.statuses_unseen.join(", "), operation.fields_unseen.join(", ")]
        })
        .collect();
    if !rows.is_empty() {
        page.table(&["operation", "statuses not seen", "fields not seen"], &rows, 3);
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}
