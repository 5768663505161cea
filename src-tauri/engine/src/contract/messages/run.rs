//! A run: each message in turn, each thing that the contract asks of it, and what the stream as a whole shows.

use std::sync::Arc;

use indexmap::IndexMap;
use patchbay_contracts::{
    Code, Problem,
    contract::{Check, ContractProgress, ContractReport, Coverage, EndpointResult, OperationCoverage, Severity},
};
use serde_json::Value;
use tokio::io::{AsyncBufRead, BufReader};
use tokio_util::sync::CancellationToken;

use super::{
    Input, MessageOptions,
    contract::{Contract, Found, MessageType, label},
    envelope::{Envelope, Seen},
    finding::{Finding, Groups},
    read::{Item, Messages},
    stream::{At, Stream},
};
use crate::{
    Result,
    contract::{
        document::{Bundle, Document},
        judge::redact,
        run::{check_options, judged as is_judged, wanted},
    },
    http::Context,
};

/// The name of the result about the stream as a whole.
const STREAM: &str = "the stream";
/// The name of the result about what can't be read as messages.
const UNREADABLE: &str = "unreadable messages";
/// The name of the result about messages beyond the types that are told apart.
const OTHERS: &str = "messages of other types";
/// How many types that the contract doesn't have are told apart.
const MOST_UNKNOWN: usize = 100;
/// After how many messages progress is told.
const STRIDE: u64 = 2_000;
/// The most of a message that a report holds, in bytes.
const SHOWN: usize = 64 * 1024;

/// Holds messages to a contract: each to its envelope, its metadata and the schema of its type and version, and the stream
/// as a whole to ids that come once, causes that came before, and clocks that go forwards.
///
/// The report has a result for each type that came, with the number of its messages in `cases`, and one for the stream. A
/// fault that many messages have is told once, with its number and the places of the first ones. `progress` hears of the
/// results so far every few thousand messages. Cancelling keeps what was judged until then, as partial.
///
/// # Errors
/// [`Code::InvalidDefinition`] where the contract can't be used at all; what is wrong with parts of it is in the report.
/// [`Code::InvalidInput`] or [`Code::NotFound`] where no input can be read.
pub async fn check(
    context: &Context,
    document: &Document,
    inputs: Vec<Input>,
    options: &MessageOptions,
    cancel: &CancellationToken,
    mut progress: impl FnMut(ContractProgress) + Send,
) -> Result<ContractReport> {
    check_options(&options.contract)?;
    let (mut contract, bundle) = super::contract::read(context, document).await?;
    if let Some(name) = &options.envelope {
        let metadata = contract.envelope.metadata.take();
        contract.envelope = Envelope { metadata, ..Envelope::named(name)? };
    }
    let clock = Arc::clone(&context.ports.clock);
    let (at, began) = (clock.now(), clock.elapsed());
    let stream = Stream::new(options.window, context.ports.random.bits());
    let mut run = Run { contract: &contract, options, stream, tallies: IndexMap::new(), number: 0, unknown: 0 };
    let mut partial = false;
    for input in inputs {
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => None,
            outcome = run.input(input, &mut progress) => Some(outcome),
        };
        match outcome {
            Some(outcome) => outcome?,
            None => {
                partial = true;
                break;
            }
        }
    }
    let mut report = run.report(&bundle, document);
    report.at = at;
    report.duration_ms = clock.elapsed().saturating_sub(began).as_secs_f64() * 1e3;
    report.partial = partial;
    report.conclude();
    let redactor = context.secrets.redactor();
    report.endpoints.iter_mut().for_each(|result| redact(result, &redactor));
    let total = report.endpoints.len();
    progress(ContractProgress { done: total, total, results: report.endpoints.clone() });
    Ok(report)
}

/// The messages of one type.
#[derive(Default)]
struct Tally {
    cases: u64,
    groups: Groups,
    /// The first message with a fault.
    example: Option<String>,
}

struct Run<'a> {
    contract: &'a Contract,
    options: &'a MessageOptions,
    stream: Stream,
    tallies: IndexMap<String, Tally>,
    number: u64,
    /// How many types came that the contract doesn't have.
    unknown: usize,
}

impl Run<'_> {
    async fn input(&mut self, input: Input, progress: &mut (impl FnMut(ContractProgress) + Send)) -> Result<()> {
        match input {
            Input::File(path) => {
                let name = path.display().to_string();
                let file = tokio::fs::File::open(&path).await.map_err(|error| unreadable(&name, &error))?;
                self.stream_of(&name, BufReader::with_capacity(64 * 1024, file), progress).await
            }
            Input::Stream { name, reader } => self.stream_of(&name, reader, progress).await,
        }
    }

    async fn stream_of<R: AsyncBufRead + Unpin>(
        &mut self,
        name: &str,
        reader: R,
        progress: &mut (impl FnMut(ContractProgress) + Send),
    ) -> Result<()> {
        let mut messages = Messages::new(reader, self.options.longest.max(1));
        while let Some(item) = messages.next().await.map_err(|error| unreadable(name, &error))? {
            self.number += 1;
            let spot = format!("{name}:{} (message {})", item.line, self.number);
            self.message(item, &spot);
            if self.number.is_multiple_of(STRIDE) {
                let done = usize::try_from(self.number).unwrap_or(usize::MAX);
                progress(ContractProgress { done, total: 0, results: Vec::new() });
                // A long file keeps nobody else from being heard, a cancellation least of all.
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    fn message(&mut self, item: Item, spot: &str) {
        let value = match item.value {
            Ok(value) => value,
            Err(why) => {
                let finding = Finding::envelope(&why, "", format!("A message {why}"));
                let finding = Finding { actual: item.shown.clone().map(Value::String), ..finding };
                self.note(UNREADABLE.to_owned(), vec![Check::Envelope], vec![finding], spot, || item.shown.unwrap_or_default());
                return;
            }
        };
        let mut findings = Vec::new();
        let mut judged = Vec::new();
        let Some(seen) = self.contract.envelope.open(&value, &mut findings, &mut judged) else {
            return self.note(UNREADABLE.to_owned(), judged, findings, spot, || value.to_string());
        };
        let payload = seen.payload.as_ref().map(|(_, payload)| &**payload);
        let found = self.contract.find(&seen, payload);
        let label = match found {
            Found::Type(kind) => {
                by_type(kind, &seen, &value, item.bytes, &mut findings, &mut judged);
                kind.label()
            }
            Found::Unknown(finding) => {
                judged.push(Check::Payload);
                findings.push(*finding);
                self.other_label(&seen)
            }
            Found::Anything if seen.name.is_some() => self.other_label(&seen),
            Found::Anything => "messages".to_owned(),
        };
        if let (Some(shape), Some((at, metadata))) = (&self.contract.envelope.metadata, &seen.metadata) {
            judged.push(Check::Metadata);
            let metadata = metadata.cloned().unwrap_or(Value::Null);
            shape.judge(Check::Metadata, at, &metadata, item.bytes, &mut findings);
        }
        if self.contract.envelope.has_ids() {
            self.stream.take(&seen, &value, At { number: self.number, spot });
        }
        self.note(label, judged, findings, spot, || value.to_string());
    }

    /// What a message of a type that the contract doesn't have is counted under.
    fn other_label(&mut self, seen: &Seen<'_>) -> String {
        let name: String = seen.name.unwrap_or("no type").chars().take(200).collect();
        let version: Option<String> = seen.version.as_ref().map(|version| version.chars().take(50).collect());
        let label = label(&name, version.as_deref());
        if self.tallies.contains_key(&label) {
            return label;
        }
        self.unknown += 1;
        if self.unknown > MOST_UNKNOWN { OTHERS.to_owned() } else { label }
    }

    /// Counts a message, with all that was found about it.
    fn note(&mut self, label: String, judged: Vec<Check>, findings: Vec<Finding>, spot: &str, text: impl FnOnce() -> String) {
        if !wanted(&self.options.contract, &[&label]) {
            return;
        }
        let tally = self.tallies.entry(label).or_default();
        tally.cases += 1;
        let judges = |check: Check| is_judged(&self.options.contract, check);
        let mut once = Vec::new();
        for check in judged {
            if judges(check) && !once.contains(&check) {
                once.push(check);
                tally.groups.judged(check);
            }
        }
        let mut any = false;
        let mut told = Vec::new();
        for mut finding in findings.into_iter().filter(|finding| judges(finding.check)) {
            if self.options.contract.warn.iter().any(|name| name == finding.check.as_str()) {
                finding.severity = Severity::Warning;
            }
            any = true;
            // A fault in many places of one message is one message with it.
            let key = (finding.check, finding.rule.clone());
            if !told.contains(&key) {
                told.push(key);
                tally.groups.add(finding, spot);
            }
        }
        if any && tally.example.is_none() {
            let text = text();
            tally.example = Some(match text.len() {
                ..=SHOWN => text,
                _ => format!("{}…", &text[..text.floor_char_boundary(SHOWN)]),
            });
        }
    }

    fn report(mut self, bundle: &Bundle, document: &Document) -> ContractReport {
        let mut notes = Vec::new();
        self.stream.end();
        let mut endpoints = Vec::new();
        // In the order of the contract, and what it doesn't have behind.
        let order: Vec<String> = self.contract.types.iter().map(MessageType::label).collect();
        let known = |label: &String| order.iter().position(|known| known == label).unwrap_or(order.len());
        let mut tallies: Vec<(String, Tally)> = std::mem::take(&mut self.tallies).into_iter().collect();
        tallies.sort_by_key(|(label, _)| known(label));
        for (label, tally) in tallies {
            let mut result = EndpointResult::new(label);
            result.cases = u32::try_from(tally.cases).unwrap_or(u32::MAX);
            result.checks = tally.groups.results(|pointer| bundle.place(pointer), passed);
            result.body = tally.example;
            result.conclude();
            endpoints.push(result);
        }
        let coverage = self.coverage(&endpoints);
        let stream = &self.stream;
        if stream.judged > 0 && wanted(&self.options.contract, &[STREAM]) {
            endpoints.push(self.stream_result(bundle));
        } else if self.number > 0 {
            notes.push("Duplicates and causes were not judged, since the messages have no ids".to_owned());
        }
        let stream = &self.stream;
        if stream.forgotten > 0 {
            let window = self.options.window;
            notes.push(format!(
                "The stream is longer than the {window} messages that are remembered: {} were forgotten, and duplicates and causes further apart can't be told; --window remembers more",
                stream.forgotten
            ));
        }
        if stream.unwatched > 0 {
            notes
                .push(format!("{} messages name causes that were not looked for, since too many had not come", stream.unwatched));
        }
        if stream.sources_left_out {
            notes.push("There are too many sources to follow the clock of each".to_owned());
        }
        if self.number == 0 {
            notes.push("There was no message".to_owned());
        }
        for problem in &document.problems {
            notes.push(problem.to_string());
        }
        ContractReport {
            version: self.contract.version.clone(),
            endpoints,
            coverage: Some(coverage),
            problems: self.contract.problems.clone(),
            notes,
            ..ContractReport::new(document.kind, self.contract.title.clone(), document.file.clone())
        }
    }

    fn stream_result(&mut self, bundle: &Bundle) -> EndpointResult {
        let mut result = EndpointResult::new(STREAM);
        result.cases = u32::try_from(self.stream.judged).unwrap_or(u32::MAX);
        let groups = std::mem::take(&mut self.stream.groups);
        result.checks = groups.results(|pointer| bundle.place(pointer), passed);
        result.checks.retain(|check| is_judged(&self.options.contract, check.check));
        for check in &mut result.checks {
            if self.options.contract.warn.iter().any(|name| name == check.check.as_str()) {
                check.severity = Severity::Warning;
            }
        }
        result.conclude();
        result
    }

    /// Which types of the contract came.
    fn coverage(&self, endpoints: &[EndpointResult]) -> Coverage {
        let operations = self.contract.types.iter().map(|kind| {
            let operation = kind.label();
            let called = endpoints.iter().any(|result| result.endpoint == operation);
            OperationCoverage { operation, called, ..OperationCoverage::default() }
        });
        Coverage { operations: operations.collect() }
    }
}

/// What a message's own type asks of it.
fn by_type(
    kind: &MessageType,
    seen: &Seen<'_>,
    message: &Value,
    bytes: usize,
    findings: &mut Vec<Finding>,
    judged: &mut Vec<Check>,
) {
    let whole = ("", std::borrow::Cow::Borrowed(message));
    // A schema that describes the envelope as well is meant for all of the message.
    let payload = if kind.describes_envelope() { Some(&whole) } else { seen.payload.as_ref() };
    match (&kind.payload, payload) {
        (Some(shape), Some((at, payload))) => {
            judged.push(Check::Payload);
            shape.judge(Check::Payload, at, payload, bytes, findings);
        }
        (Some(shape), None) => {
            judged.push(Check::Payload);
            // Nothing is a payload too where the schema allows it to be missing.
            if !shape.fits(&Value::Null) {
                let finding = Finding::new(Check::Payload, "missing", "/data", "The message has no payload");
                findings.push(finding.asked_at(kind.at.clone()));
            }
        }
        (None, _) => {
            if let Some(why) = &kind.unjudged {
                let finding = Finding::new(Check::Payload, "unjudged", "", format!("The payload was not judged: {why}"));
                findings.push(finding.asked_at(kind.at.clone()).untold());
            }
        }
    }
    for shape in &kind.headers {
        let Some(headers) = seen.headers else { continue };
        judged.push(Check::Metadata);
        shape.judge(Check::Metadata, "/headers", headers, bytes, findings);
    }
    if let (Some(shape), Some((at, metadata))) = (&kind.metadata, &seen.metadata) {
        judged.push(Check::Metadata);
        shape.judge(Check::Metadata, at, metadata.unwrap_or(&Value::Null), bytes, findings);
    }
    if let Some(pointer) = kind.correlation.as_deref().filter(|_| seen.headers.is_some()) {
        judged.push(Check::Metadata);
        if message.pointer(pointer).is_none_or(Value::is_null) {
            let sentence = format!("{pointer} is missing, where the contract says that the correlation id is");
            let finding = Finding::new(Check::Metadata, "correlation", pointer, sentence).weighing(Severity::Warning);
            findings.push(finding.asked_at(format!("{}/correlationId", kind.at)));
        }
    }
}

fn passed(check: Check, count: u64) -> String {
    let messages = if count == 1 { "1 message".to_owned() } else { format!("{count} messages") };
    match check {
        Check::Envelope => format!("{messages} in the envelope that the contract asks for"),
        Check::Payload => format!("{messages} with a payload as its schema asks"),
        Check::Metadata => format!("{messages} with the metadata that the contract asks for"),
        Check::Duplicate => format!("{messages} with an id that came once"),
        Check::Causation => format!("{messages} whose causes came before"),
        _ => format!("{messages} in order"),
    }
}

fn unreadable(name: &str, error: &std::io::Error) -> Problem {
    let code = if error.kind() == std::io::ErrorKind::NotFound { Code::NotFound } else { Code::InvalidInput };
    Problem::new(code, format!("`{name}` can't be read")).why(error.to_string())
}
