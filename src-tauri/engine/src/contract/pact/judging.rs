//! One interaction: its state, its request, and what came held against what is expected.

use std::collections::HashMap;

use pact_matching::{Mismatch, generate_request, match_sync_message_response};
use pact_models::{
    PactSpecification,
    generators::GeneratorTestMode,
    http_parts::HttpPart,
    interaction::Interaction,
    pact::Pact as _,
    sync_pact::RequestResponsePact,
    v4::{
        async_message::AsynchronousMessage, http_parts::HttpRequest, message_parts::MessageContents,
        sync_message::SynchronousMessage, synch_http::SynchronousHttp,
    },
};
use patchbay_contracts::{
    Code, Problem,
    contract::{Check, CheckResult, ContractOptions, EndpointResult},
    probe::{ProbeReport, Response},
    run::Verdict,
};
use serde_json::{Map, Value, json};

use super::{
    super::{judge::check, schema::escape},
    exchange,
    interactions::{Asked, Way},
    matching::{AnyInteraction, Part, compare},
    mismatch::{self, Bodies},
    source::PactFile,
    states::{self, Action},
    tame,
};
use crate::{Result, http::Context};

/// The most of a body that a report holds, in bytes.
const BODY: usize = 64 * 1024;

/// What an interaction is judged with.
pub(super) struct Judging<'a> {
    pub(super) context: &'a Context,
    pub(super) options: &'a ContractOptions,
    pub(super) file: &'a PactFile,
    pub(super) asked: &'a Asked,
}

impl Judging<'_> {
    /// Judges the interaction into `result`.
    ///
    /// # Errors
    /// Why it could not be judged.
    pub(super) async fn run(&self, result: &mut EndpointResult) -> Result<()> {
        let (way, interaction) = self.asked.interaction.as_ref().map_err(Clone::clone)?;
        let up = states::change(self.context, self.options, &self.asked.states, Action::SetUp).await;
        let ready = up.holds();
        let values = self.values(&up.values);
        result.checks.extend(up.checks.into_iter().map(|check| self.at_states(check)));
        let judged = match (ready, way) {
            (false, _) => Ok(()),
            (true, Way::Http) => self.http(interaction, &values, result).await,
            (true, Way::Message) => self.message(interaction, result).await,
            (true, Way::Exchange) => self.exchange(interaction, result).await,
        };
        if self.options.pact.tear_down {
            let down = states::change(self.context, self.options, &self.asked.states, Action::TearDown).await;
            let failed = down.checks.into_iter().filter(|check| check.verdict != Verdict::Pass);
            result.checks.extend(failed.map(|check| self.at_states(check)));
        }
        judged
    }

    fn at_states(&self, check: CheckResult) -> CheckResult {
        let names = ["providerStates", "providerState", "provider_state"];
        let value = self.file.value.pointer(&self.asked.pointer);
        let name = names.into_iter().find(|name| value.is_some_and(|value| value.get(name).is_some())).unwrap_or_default();
        CheckResult { place: self.file.place(&format!("{}/{name}", self.asked.pointer)), ..check }
    }

    /// What generators may take: the parameters of the states, and what setting them up gave.
    fn values(&self, given: &Map<String, Value>) -> HashMap<String, Value> {
        let params = self.asked.states.iter().flat_map(|state| state.params.clone());
        params.chain(given.iter().map(|(name, value)| (name.clone(), value.clone()))).collect()
    }

    async fn http(
        &self,
        interaction: &AnyInteraction,
        values: &HashMap<String, Value>,
        result: &mut EndpointResult,
    ) -> Result<()> {
        let base = self.options.url.as_deref().ok_or_else(|| {
            Problem::new(Code::InvalidInput, "It was not called, since nothing says where the provider is").next("Give --url")
        })?;
        let asked = interaction.as_v4_http().ok_or_else(|| Problem::internal("no HTTP interaction"))?;
        let values: HashMap<&str, Value> = values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let generated: HttpRequest =
            tame::caught("The request", generate_request(&asked.request, &GeneratorTestMode::Provider, &values)).await?;
        let request = exchange::request(&generated, base, self.options)?;
        let report = exchange::send(self.context, &request).await;
        let response = self.answered(report, result)?;
        let actual = SynchronousHttp { response: exchange::response(&response)?, ..SynchronousHttp::default() };
        let judged = tame::caught("The answer", compare(Part::Response, asked.boxed(), actual.boxed())).await??;
        let failed = self.failures(judged, "/response");
        let asks_headers = asked.response.headers.as_ref().is_some_and(|headers| !headers.is_empty());
        let passes = [
            (Check::Status, true, "/response/status", "The status is as expected"),
            (Check::Header, asks_headers, "/response/headers", "The headers are as expected"),
            (Check::Body, asked.response.body().is_present(), "/response/body", "The body matches what is expected"),
        ];
        self.judged(failed, &passes, result);
        Ok(())
    }

    async fn message(&self, interaction: &AnyInteraction, result: &mut EndpointResult) -> Result<()> {
        let body = json!({ "description": self.asked.description, "providerStates": self.states() });
        let Some(contents) = self.ask(&body, result).await? else { return Ok(()) };
        let asks = match interaction.as_v4_async_message() {
            Some(asked) => (!asked.contents.metadata.is_empty(), asked.contents.contents.is_present()),
            None => (false, false),
        };
        let actual = AsynchronousMessage { contents, ..AsynchronousMessage::default() };
        let copy = copy(interaction, Way::Message)?;
        let judged = tame::caught("The message", compare(Part::Message, copy, actual.boxed())).await??;
        let failed = self.failures(judged, "");
        let passes = [
            (Check::Metadata, asks.0, "/metadata", "The metadata is as expected"),
            (Check::Body, asks.1, "/contents", "The message matches what is expected"),
        ];
        self.judged(failed, &passes, result);
        Ok(())
    }

    async fn exchange(&self, interaction: &AnyInteraction, result: &mut EndpointResult) -> Result<()> {
        let asked = interaction.as_v4_sync_message().ok_or_else(|| Problem::internal("no synchronous message"))?;
        if asked.response.len() > 1 {
            return Err(Problem::new(Code::Unsupported, "A message with several answers can't be verified")
                .why(format!("it has {}", asked.response.len())));
        }
        let request = asked.request.to_json();
        let body = json!({ "description": self.asked.description, "providerStates": self.states(), "request": request });
        let Some(contents) = self.ask(&body, result).await? else { return Ok(()) };
        let bodies = Bodies { expected: asked.response.first().and_then(json_of), actual: json_of(&contents) };
        let judged = tame::caught("The answer", answers(&asked, vec![contents])).await?;
        let failed = self.failures((judged, bodies), "/response/0");
        self.judged(failed, &[(Check::Body, true, "/response/0", "The answer matches what is expected")], result);
        Ok(())
    }

    fn states(&self) -> Vec<Value> {
        self.asked.states.iter().map(pact_models::provider_states::ProviderState::to_json).collect()
    }

    /// Asks the provider for a message. None where it answered that it can't, which is judged then.
    async fn ask(&self, body: &Value, result: &mut EndpointResult) -> Result<Option<MessageContents>> {
        let address = self.options.pact.messages.as_deref().or(self.options.url.as_deref()).ok_or_else(|| {
            Problem::new(Code::InvalidInput, "It was not asked for, since nothing says where messages come from")
                .next("Give --messages")
        })?;
        let mut request = exchange::post(address, body);
        if self.options.url.as_deref().is_none_or(|url| exchange::same_origin(url, address)) {
            request = exchange::filtered(request, self.options);
        }
        let report = exchange::send(self.context, &request).await;
        let response = self.answered(report, result)?;
        if !(200..300).contains(&response.status) {
            let message = format!("The provider gave no message: it answered {} {}", response.status, response.reason);
            let place = self.file.place(&self.asked.pointer);
            let actual = Some(response.status.into());
            result.checks.push(CheckResult { actual, ..check(Check::Status, Verdict::Fail, message.trim_end(), place) });
            return Ok(None);
        }
        exchange::message(&response).map(Some)
    }

    /// Notes what was sent and what came; gives the answer.
    fn answered(&self, report: ProbeReport, result: &mut EndpointResult) -> Result<Response> {
        let answer = exchange::answer(&report).cloned();
        let ProbeReport { request, response, timing, .. } = report;
        result.request = Some(request);
        result.status = response.as_ref().map(|response| response.status);
        result.body = response.and_then(|response| response.body.text.or(response.body.hex)).map(|body| cut(&body));
        (result.timing, result.attempts, result.cases) = (timing, 1, 1);
        answer
    }

    /// Mismatches as checks, each with the place of what the pact asks. `below` is where the expected part stands.
    fn failures(&self, (found, bodies): (Vec<Mismatch>, Bodies), below: &str) -> Vec<CheckResult> {
        mismatch::checks(found, &bodies).into_iter().map(|check| self.failure(check, below)).collect()
    }

    fn failure(&self, check: CheckResult, below: &str) -> CheckResult {
        let part = format!("{}{below}", self.asked.pointer);
        let value = |pointer: &str| self.file.value.pointer(pointer);
        let pointer = match check.check {
            Check::Status => format!("{part}/status"),
            Check::Header => self.named(&part, "headers", &check.message),
            Check::Metadata if value(&format!("{part}/metaData")).is_some() => self.named(&part, "metaData", &check.message),
            Check::Metadata => self.named(&part, "metadata", &check.message),
            Check::ContentType | Check::Body => {
                let name = if value(&format!("{part}/contents")).is_some() { "contents" } else { "body" };
                let body = format!("{part}/{name}");
                let content = format!("{body}/content");
                let wrapped = value(&body).is_some_and(|body| body.get("content").is_some() && body.get("contentType").is_some());
                let body = if wrapped { content } else { body };
                format!("{body}{}", check.pointer.as_deref().filter(|pointer| pointer.starts_with('/')).unwrap_or_default())
            }
            _ => part,
        };
        CheckResult { place: self.file.place(&pointer), ..check }
    }

    /// The pointer of the header or the key that a message names.
    fn named(&self, part: &str, list: &str, message: &str) -> String {
        let list = format!("{part}/{list}");
        let message = message.to_ascii_lowercase();
        let map = self.file.value.pointer(&list).and_then(Value::as_object);
        let quoted = |name: &&String| message.contains(&format!("'{}'", name.to_ascii_lowercase()));
        let plain = |name: &&String| message.contains(&name.to_ascii_lowercase());
        let found = map.and_then(|map| map.keys().find(quoted).or_else(|| map.keys().find(plain)));
        found.map_or_else(|| list.clone(), |name| format!("{list}/{}", escape(name)))
    }

    /// The failures, and a pass for each thing that was asked for and held.
    fn judged(&self, failed: Vec<CheckResult>, passes: &[(Check, bool, &str, &str)], result: &mut EndpointResult) {
        for (kind, asked, below, message) in passes {
            let about = |check: &CheckResult| check.check == *kind || *kind == Check::Body && check.check == Check::ContentType;
            if *asked && !failed.iter().any(about) {
                let place = self.file.place(&format!("{}{below}", self.asked.pointer));
                result.checks.push(check(*kind, Verdict::Pass, *message, place));
            }
        }
        result.checks.extend(failed);
        if result.checks.is_empty() {
            let place = self.file.place(&self.asked.pointer);
            result.checks.push(check(Check::Reachable, Verdict::Pass, "The provider answered, and nothing more is asked", place));
        }
    }
}

/// The interaction once more, in the form that it came in: the crates compare by value.
fn copy(interaction: &AnyInteraction, way: Way) -> Result<AnyInteraction> {
    let copy = match way {
        Way::Message if interaction.is_v4() => interaction.as_v4_async_message().map(|message| message.boxed()),
        Way::Message => interaction.as_message().map(|message| message.boxed()),
        Way::Http => interaction.as_v4_http().map(|http| http.boxed()),
        Way::Exchange => interaction.as_v4_sync_message().map(|message| message.boxed()),
    };
    copy.ok_or_else(|| Problem::internal("an interaction of another kind than it was read as"))
}

async fn answers(asked: &SynchronousMessage, came: Vec<MessageContents>) -> Vec<Mismatch> {
    let pact = RequestResponsePact { specification_version: PactSpecification::V4, ..RequestResponsePact::default() }.boxed();
    match_sync_message_response(asked, &asked.response, &came, &pact).await
}

fn json_of(contents: &MessageContents) -> Option<Value> {
    contents.contents.value().and_then(|bytes| serde_json::from_slice(&bytes).ok())
}

fn cut(text: &str) -> String {
    if text.len() <= BODY { text.to_owned() } else { format!("{}…", &text[..text.floor_char_boundary(BODY)]) }
}
