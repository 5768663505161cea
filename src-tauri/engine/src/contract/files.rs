//! Files held to what they should be, with no service called: documents to a JSON Schema, messages to their contract, and
//! cases of the Pact specification to themselves.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use patchbay_contracts::{
    Code, Place, Problem,
    contract::{
        Check, CheckResult, CheckedBy, ContractKind, ContractOptions, ContractProgress, ContractReport, ContractSubject,
        EndpointResult, FileCheck,
    },
    run::Verdict,
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    document::{self, Document},
    json_schema::{Draft, JsonSchema, MAX_VIOLATIONS, Options, Violation},
    judge::redact,
    messages::{self, ENVELOPES, Input, MessageOptions},
    pact::{self, PactSpecification, Part},
    run::{check_options, wanted},
};
use crate::{
    Result,
    http::Context,
    utils::{
        folders::{self, Wanted},
        nearest,
    },
};

/// The most files that one check reads; a stream of messages may have more, since it has no result for each.
pub const MOST_FILES: usize = 10_000;
/// How many deviations are told of one file.
const TOLD: usize = 100;
/// How many deviations are told of all files together, but for the first of each.
const TOLD_IN_ALL: usize = 20_000;
/// The most of a document that a report holds, in bytes, and of all of them together.
const SHOWN: usize = 64 * 1024;
const SHOWN_IN_ALL: usize = 8 * 1024 * 1024;
/// How many oddities of documents are noted.
const NOTED: usize = 50;

const DOCUMENTS: Wanted = Wanted { endings: &["json", "yaml", "yml"], what: "documents", most: MOST_FILES };
const CASES: Wanted = Wanted { endings: &["json"], what: "cases", most: MOST_FILES };

/// The documents that a source names: itself, a file or an address, or those of a folder.
///
/// # Errors
/// As [`folders::files`]; a source that isn't there is given as it is, for whoever reads it to say so.
pub fn documents(source: &str) -> Result<Vec<String>> {
    within(source, DOCUMENTS)
}

/// The files with Pact cases that a path names: itself, or those of a folder.
///
/// # Errors
/// As [`documents`].
pub fn cases(source: &str) -> Result<Vec<String>> {
    within(source, CASES)
}

fn within(source: &str, wanted: Wanted) -> Result<Vec<String>> {
    let path = Path::new(source);
    if !path.is_dir() {
        return Ok(vec![source.to_owned()]);
    }
    Ok(folders::files(path, wanted)?.into_iter().map(|path| path.display().to_string()).collect())
}

/// By what files are checked, read from what a person wrote.
enum By {
    Schema { schema: String, options: Options },
    Messages { contract: String, envelope: Option<String>, window: Option<usize> },
    Cases { specification: PactSpecification, part: Option<Part> },
}

impl By {
    fn of(by: &CheckedBy) -> Result<Self> {
        let named = |name: &str| match name.trim() {
            "" => Err(Problem::new(Code::InvalidInput, "It isn't said by what the files are checked")
                .next("Name a file, or an address that begins with http:// or https://")),
            name => Ok(name.to_owned()),
        };
        Ok(match by {
            CheckedBy::JsonSchema { schema, draft, formats } => {
                let draft: Option<Draft> = draft.as_deref().map(str::parse).transpose()?;
                Self::Schema { schema: named(schema)?, options: Options { draft, format_assertion: *formats } }
            }
            CheckedBy::Messages { contract, envelope, window } => {
                if let Some(name) = envelope.as_deref().filter(|name| !ENVELOPES.contains(name)) {
                    let problem = Problem::new(Code::InvalidInput, format!("`{name}` is not an envelope"));
                    return Err(match nearest(name, ENVELOPES) {
                        Some(near) => problem.next(format!("Did you mean `{near}`?")),
                        None => problem.next(format!("There are {}", ENVELOPES.join(", "))),
                    });
                }
                Self::Messages { contract: named(contract)?, envelope: envelope.clone(), window: *window }
            }
            CheckedBy::PactCases { specification, part } => {
                let known = |name: &str| {
                    Part::named(name).ok_or_else(|| {
                        Problem::new(Code::InvalidInput, format!("A Pact case is not about `{name}`"))
                            .next("There are request, response and message")
                    })
                };
                Self::Cases { specification: pact::specification(specification)?, part: part.as_deref().map(known).transpose()? }
            }
        })
    }
}

/// Looks for slips in what was asked for, before anything is read.
///
/// # Errors
/// [`Code::InvalidInput`] for a draft, an envelope, a version or a check that there isn't, and where no file is named.
pub fn check_request(check: &FileCheck) -> Result<()> {
    check_options(&check.options)?;
    By::of(&check.by)?;
    if check.files.iter().all(|file| file.trim().is_empty()) {
        return Err(Problem::new(Code::InvalidInput, "No file is named").next("Name the files to check, or a folder of them"));
    }
    Ok(())
}

/// Where a file or a folder is that a person named: from the workspace's folder, or else from the current one.
pub fn located(named: &str, workspace: &Path) -> PathBuf {
    let (named, beside) = (named.trim(), workspace.join(named.trim()));
    if beside.exists() { beside } else { PathBuf::from(named) }
}

/// Holds files to what they should be. The report has a result for each file, or for messages one for each of their types
/// and one for the stream that they are together; a file that can't be read is a result as well, but for messages, of which
/// a stream with a hole says nothing. Paths are taken from `workspace` or else from the current folder, and shown relative
/// to the former where they lie inside. `progress` hears of each result; cancelling keeps those until then, as partial.
///
/// # Errors
/// As [`check_request`]; what keeps the schema or the contract from being read; [`Code::TooLarge`] beyond [`MOST_FILES`].
pub async fn check(
    context: &Context,
    check: &FileCheck,
    workspace: &Path,
    cancel: &CancellationToken,
    progress: impl FnMut(ContractProgress) + Send,
) -> Result<ContractReport> {
    check_request(check)?;
    let by = By::of(&check.by)?;
    let clock = Arc::clone(&context.ports.clock);
    let (at, began) = (clock.now(), clock.elapsed());
    let mut files = Files { context, check, workspace, cancel, notes: Vec::new(), told: TOLD_IN_ALL, shown: SHOWN_IN_ALL };
    let report = match by {
        By::Schema { schema, options } => files.by_schema(&schema, options, progress).await,
        By::Messages { contract, envelope, window } => files.messages(&contract, envelope, window, progress).await,
        By::Cases { specification, part } => files.cases(specification, part, progress).await,
    }?;
    let subject = FileCheck { options: what_counts(&check.options), ..check.clone() };
    Ok(ContractReport {
        at,
        duration_ms: clock.elapsed().saturating_sub(began).as_secs_f64() * 1e3,
        subject: Some(ContractSubject::Files { check: Box::new(subject) }),
        ..report
    })
}

/// What of the options means something where no service is called.
fn what_counts(options: &ContractOptions) -> ContractOptions {
    let ContractOptions { only, skip, warn, accepted, fetch, .. } = options.clone();
    ContractOptions { only, skip, warn, accepted, fetch, ..ContractOptions::default() }
}

/// A file that is checked.
struct Named {
    /// Its path or address.
    source: String,
    /// The name that it is shown by.
    shown: String,
    /// Why it can't even be looked for.
    problem: Option<Problem>,
}

/// What judges one file after the other.
enum Judge {
    Schema(Arc<JsonSchema>),
    Cases(PactSpecification, Option<Part>),
}

/// The files of one check.
struct Files<'a> {
    context: &'a Context,
    check: &'a FileCheck,
    workspace: &'a Path,
    cancel: &'a CancellationToken,
    notes: Vec<String>,
    /// How many more deviations may be told.
    told: usize,
    /// How many more bytes of documents the report may hold.
    shown: usize,
}

impl Files<'_> {
    async fn by_schema(
        &mut self,
        schema: &str,
        options: Options,
        progress: impl FnMut(ContractProgress) + Send,
    ) -> Result<ContractReport> {
        let source = self.source(schema);
        let (context, fetch) = (self.context, self.check.options.fetch);
        let opened = async {
            let document = Document::open_any(context, &source, fetch).await?.in_workspace(self.workspace);
            let ready = JsonSchema::new(context, &document, options).await?;
            Ok((document, ready))
        };
        let (document, ready) = self.unless_cancelled(opened).await?;
        self.note(&document.problems);
        let title = document.value.get("title").and_then(Value::as_str).filter(|title| !title.trim().is_empty());
        let title = title.map_or_else(|| document.file.clone(), |title| title.chars().take(200).collect());
        let mut report = ContractReport::new(ContractKind::JsonSchema, title, document.file);
        let named = self.named(documents, Some(&source))?;
        self.each(named, &mut report, progress, &Judge::Schema(Arc::new(ready))).await;
        Ok(report)
    }

    async fn cases(
        &mut self,
        specification: PactSpecification,
        part: Option<Part>,
        progress: impl FnMut(ContractProgress) + Send,
    ) -> Result<ContractReport> {
        let named = self.named(cases, None)?;
        let first = named.first().map(|named| named.shown.clone()).unwrap_or_default();
        let mut report = ContractReport::new(ContractKind::Pact, "Pact cases", first);
        self.each(named, &mut report, progress, &Judge::Cases(specification, part)).await;
        Ok(report)
    }

    async fn messages(
        &mut self,
        contract: &str,
        envelope: Option<String>,
        window: Option<usize>,
        progress: impl FnMut(ContractProgress) + Send,
    ) -> Result<ContractReport> {
        let source = self.source(contract);
        let opened = document::open(self.context, &source, self.check.options.fetch);
        let document = self.unless_cancelled(opened).await?.in_workspace(self.workspace);
        let mut inputs = Vec::new();
        for file in self.listed() {
            if is_address(file) {
                return Err(Problem::new(
                    Code::InvalidInput,
                    format!("`{file}` is an address, and messages are read from files"),
                )
                .next("Hold what an address answers to the contract by verifying the contract against it"));
            }
            inputs.extend(messages::files(&located(file, self.workspace))?.into_iter().map(Input::File));
        }
        let default = MessageOptions::default();
        let options = MessageOptions {
            envelope,
            window: window.unwrap_or(default.window),
            contract: self.check.options.clone(),
            ..default
        };
        messages::check(self.context, &document, inputs, &options, self.cancel, progress).await
    }

    /// Judges one file after the other into the report.
    async fn each(
        &mut self,
        named: Vec<Named>,
        report: &mut ContractReport,
        mut progress: impl FnMut(ContractProgress) + Send,
        judge: &Judge,
    ) {
        let redactor = self.context.secrets.redactor();
        let (cancel, total) = (self.cancel, named.len());
        progress(ContractProgress { done: 0, total, results: Vec::new() });
        for (done, mut named) in named.into_iter().enumerate() {
            let judged = match named.problem.take() {
                Some(problem) => Some(Err(problem)),
                None => tokio::select! {
                    biased;
                    () = cancel.cancelled() => None,
                    judged = self.judge(judge, &named) => Some(judged),
                },
            };
            let Some(judged) = judged else {
                report.partial = true;
                break;
            };
            let mut result = judged.unwrap_or_else(|problem| unread(&named, problem));
            redact(&mut result, &redactor);
            report.endpoints.push(result.clone());
            progress(ContractProgress { done: done + 1, total, results: vec![result] });
            // Files without end keep nobody else from being heard, a cancellation least of all.
            tokio::task::yield_now().await;
        }
        report.notes.append(&mut self.notes);
        report.conclude();
    }

    async fn judge(&mut self, judge: &Judge, named: &Named) -> Result<EndpointResult> {
        match judge {
            Judge::Schema(schema) => self.document(schema, named).await,
            Judge::Cases(specification, part) => {
                pact::judge_case(Path::new(&named.source), &named.shown, *specification, *part).await
            }
        }
    }

    /// Holds one document to the schema, beside everything else: a large one takes its time.
    async fn document(&mut self, schema: &Arc<JsonSchema>, named: &Named) -> Result<EndpointResult> {
        let mut document = Document::open_any(self.context, &named.source, false).await?;
        document.file.clone_from(&named.shown);
        self.note(&document.problems);
        let schema = Arc::clone(schema);
        let judging = tokio::task::spawn_blocking(move || {
            let violations = schema.violations(&document);
            let body = if violations.is_empty() { String::new() } else { document.value.to_string() };
            (violations, body)
        });
        let (violations, body) = judging.await.map_err(Problem::internal)?;
        let mut result = EndpointResult::new(&named.shown);
        result.cases = 1;
        if violations.is_empty() {
            result.checks.push(CheckResult::new(Check::Schema, Verdict::Pass, "The document fits the schema"));
        }
        let (all, most) = (violations.len(), TOLD.min(self.told).max(1));
        self.told = self.told.saturating_sub(all.min(most));
        result.checks.extend(violations.into_iter().take(most).map(deviation));
        if all > most {
            let least = if all == MAX_VIOLATIONS { "at least " } else { "" };
            let message = format!("{least}{} further deviations are not told one by one", all - most);
            result.checks.push(CheckResult::new(Check::Schema, Verdict::Fail, message));
        }
        if !body.is_empty() && body.len() <= SHOWN.min(self.shown) {
            self.shown -= body.len();
            result.body = Some(body);
        }
        result.conclude();
        Ok(result)
    }

    /// What a person listed, without empty lines.
    fn listed(&self) -> impl Iterator<Item = &str> {
        self.check.files.iter().map(|file| file.trim()).filter(|file| !file.is_empty())
    }

    /// The files of all that is listed that are wanted, each once; that by which they are checked is none of a folder's.
    fn named(&self, expand: fn(&str) -> Result<Vec<String>>, but: Option<&str>) -> Result<Vec<Named>> {
        let real = |source: &str| Path::new(source).canonicalize().unwrap_or_else(|_| PathBuf::from(source));
        let but = but.map(real);
        let (mut all, mut seen) = (Vec::new(), HashSet::new());
        for listed in self.listed() {
            let source = self.source(listed);
            let (sources, problem) = match expand(&source) {
                Ok(sources) => (sources, None),
                Err(problem) => (vec![source.clone()], Some(problem)),
            };
            for found in sources {
                let path = real(&found);
                let own = found != source && but.as_ref() == Some(&path);
                let shown = self.shown(&found, &path);
                if !own && wanted(&self.check.options, &[&shown]) && seen.insert(path) {
                    all.push(Named { source: found, shown, problem: problem.clone() });
                }
            }
            if all.len() > MOST_FILES {
                return Err(Problem::new(Code::TooLarge, format!("There are more than {MOST_FILES} files to check"))
                    .next("Check them in several runs, a folder at a time"));
            }
        }
        Ok(all)
    }

    /// The path or the address of what a person named.
    fn source(&self, named: &str) -> String {
        if is_address(named) { named.trim().to_owned() } else { located(named, self.workspace).display().to_string() }
    }

    /// A file relative to the workspace where it lies inside; an address without what is secret in it.
    fn shown(&self, source: &str, path: &Path) -> String {
        let workspace = self.workspace.canonicalize().unwrap_or_else(|_| self.workspace.to_owned());
        match path.strip_prefix(workspace) {
            Ok(relative) if !relative.as_os_str().is_empty() => relative.to_string_lossy().replace('\\', "/"),
            _ => self.context.secrets.redactor().text(source),
        }
    }

    fn note(&mut self, problems: &[Problem]) {
        let room = NOTED.saturating_sub(self.notes.len());
        self.notes.extend(problems.iter().take(room).map(ToString::to_string));
    }

    async fn unless_cancelled<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Problem::new(Code::Cancelled, "Cancelled before the contract was read")),
            done = work => done,
        }
    }
}

fn is_address(named: &str) -> bool {
    named.contains("://")
}

/// A deviation, with both of its places: that of the schema as the place that asks for it, that of the document in words.
fn deviation(violation: Violation) -> CheckResult {
    let Violation { instance, schema, message, expected, actual, instance_place, schema_place } = violation;
    let found = instance_place.map(|place| format!(", in line {}, column {}", place.line, place.column)).unwrap_or_default();
    let asked = if schema.is_empty() { "the schema as a whole".to_owned() } else { format!("{schema} of the schema") };
    CheckResult {
        pointer: Some(instance),
        expected: Some(expected),
        actual,
        place: schema_place,
        ..CheckResult::new(Check::Schema, Verdict::Fail, format!("{message}{found}; asked for by {asked}"))
    }
}

/// The result of a file that could not be judged. One that was read and is not what it is meant to be has failed; of one
/// that isn't there or is too large, nothing is known.
fn unread(named: &Named, problem: Problem) -> EndpointResult {
    let mut result = EndpointResult::new(&named.shown);
    let verdict = if problem.code == Code::InvalidDefinition { Verdict::Fail } else { Verdict::Inconclusive };
    let place = match &problem.place {
        Some(place) if place.file == named.source => Place { file: named.shown.clone(), ..place.clone() },
        Some(place) => place.clone(),
        None => Place { file: named.shown.clone(), line: 1, column: 1 },
    };
    let why = if problem.why.is_empty() { String::new() } else { format!(": {}", problem.why) };
    let message = format!("{}{why}", problem.what);
    result.checks.push(CheckResult { place: Some(place), ..CheckResult::new(Check::Readable, verdict, message) });
    result.cases = 1;
    result.problem = Some(problem);
    result.conclude();
    result
}
