//! A mock of a pact: each interaction is answered where the request is as it says.

use std::{collections::HashMap, panic::AssertUnwindSafe};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::FutureExt as _;
use pact_matching::{generate_response, match_request};
use pact_models::{
    content_types::ContentType,
    generators::GeneratorTestMode,
    headers::parse_header,
    interaction::Interaction,
    pact::{Pact, load_pact_from_json},
    prelude::{OptionalBody, RequestResponsePact},
    v4::{http_parts::HttpRequest, synch_http::SynchronousHttp},
};
use patchbay_contracts::{Code, Problem};
use serde_json::Value;

use super::exchange::{Answer, Asked, Refusal};
use crate::{Result, contract::document::Document};

/// Where provider states are changed, as a verification does it.
pub(super) const STATES: &str = "/_patchbay/states";
/// Where messages are asked for by their description.
pub(super) const MESSAGES: &str = "/_patchbay/messages";
/// The header by which a request chooses the state that it is answered from.
const STATE: &str = "x-patchbay-state";

/// A pact that is served.
pub(super) struct Service {
    interactions: Vec<SynchronousHttp>,
    messages: Vec<(String, Value, Value)>,
    /// The states that were set up last, and not taken down.
    states: Vec<String>,
}

impl Service {
    /// Reads a pact.
    ///
    /// # Errors
    /// [`Code::InvalidDefinition`] where it can't be read or has nothing to be served.
    pub(super) fn new(document: &Document) -> Result<Self> {
        let unreadable = |why: String| {
            let problem = Problem::new(Code::InvalidDefinition, format!("{} can't be read as a pact", document.file));
            Problem { place: document.place(""), ..problem.why(why) }
        };
        let lists = ["interactions", "messages"].into_iter().filter_map(|key| document.value.get(key).and_then(Value::as_array));
        if lists.flatten().any(|interaction| !interaction.is_object()) {
            return Err(unreadable("an interaction is not an object".to_owned()));
        }
        let value = document.value.clone();
        let file = document.file.clone();
        // The crate may panic over what it doesn't expect.
        let loaded = std::panic::catch_unwind(AssertUnwindSafe(|| load_pact_from_json(&file, &value)));
        let pact = loaded.map_err(|_| unreadable("its parts are not as the specification has them".to_owned()))?;
        let pact = pact.map_err(|error| unreadable(error.to_string()))?;
        let interactions: Vec<SynchronousHttp> =
            pact.interactions().iter().filter_map(|interaction| interaction.as_v4_http()).collect();
        let messages = messages(&document.value);
        if interactions.is_empty() && messages.is_empty() {
            return Err(unreadable("it has no interaction over HTTP and no message".to_owned()));
        }
        Ok(Self { interactions, messages, states: Vec::new() })
    }

    /// Answers a request.
    pub(super) async fn answer(&mut self, asked: &Asked) -> Answer {
        match (asked.method.as_str(), asked.path.as_str()) {
            ("POST", STATES) => return self.change_states(asked),
            ("POST", MESSAGES) => return self.message(asked),
            _ => {}
        }
        let request = request(asked);
        let wanted = asked.header(STATE).map(str::to_owned);
        let mut best: Option<(usize, Vec<String>)> = None;
        let mut fitting: Vec<&SynchronousHttp> = Vec::new();
        for interaction in &self.interactions {
            if let Some(wanted) = &wanted
                && !interaction.provider_states.iter().any(|state| state.name == *wanted)
            {
                continue;
            }
            match mismatches(interaction, &request).await {
                Some(mismatches) if mismatches.is_empty() => fitting.push(interaction),
                Some(mismatches) if is_own(interaction, &mismatches).await => fitting.push(interaction),
                Some(mismatches) if best.as_ref().is_none_or(|(count, _)| mismatches.len() < *count) => {
                    best = Some((mismatches.len(), mismatches));
                }
                _ => {}
            }
        }
        // Of those that ask for the same, the one whose states are set up counts, and without any the one that needs none.
        let ready = |interaction: &&&SynchronousHttp| {
            let set = interaction.provider_states.iter().filter(|state| self.states.contains(&state.name)).count();
            (set == interaction.provider_states.len(), set)
        };
        if let Some(interaction) = fitting.iter().rev().max_by_key(ready) {
            return response(interaction).await;
        }
        match best {
            Some((_, mismatches)) => {
                let detail = format!("No interaction is asked for so: {}", mismatches.join("; "));
                Answer::problem(&Refusal::invalid(detail), 400)
            }
            None => {
                let detail = format!("The pact has no interaction {} {}", asked.method, asked.path);
                Answer::problem(&Refusal::not_found(detail), 404)
            }
        }
    }

    fn change_states(&mut self, asked: &Asked) -> Answer {
        let Ok(change) = serde_json::from_slice::<Value>(&asked.body) else {
            return Answer::problem(&Refusal::invalid("The body is not JSON"), 400);
        };
        let Some(state) = change.get("state").and_then(Value::as_str) else {
            return Answer::problem(&Refusal::invalid("The body names no `state`").at("/state"), 400);
        };
        match change.get("action").and_then(Value::as_str) {
            Some("teardown") => self.states.retain(|known| known != state),
            _ => {
                self.states.retain(|known| known != state);
                self.states.push(state.to_owned());
                // Without tear-down they would grow for ever; only the last ones count.
                if self.states.len() > 16 {
                    self.states.remove(0);
                }
            }
        }
        Answer::json(200, &Value::Object(serde_json::Map::new()))
    }

    fn message(&self, asked: &Asked) -> Answer {
        let body: Value = serde_json::from_slice(&asked.body).unwrap_or(Value::Null);
        let description = body.get("description").and_then(Value::as_str).unwrap_or_default();
        let Some((_, contents, metadata)) = self.messages.iter().find(|(known, ..)| known == description) else {
            return Answer::problem(&Refusal::not_found(format!("The pact has no message `{description}`")), 404);
        };
        let kind = metadata.get("contentType").or_else(|| metadata.get("content-type")).and_then(Value::as_str);
        let bytes = match contents {
            Value::String(text) => text.clone().into_bytes(),
            other => other.to_string().into_bytes(),
        };
        Answer::typed(200, kind.unwrap_or("application/json"), bytes)
            .with("pact-message-metadata", STANDARD.encode(metadata.to_string()))
    }
}

/// The messages of a pact: description, contents, metadata.
fn messages(pact: &Value) -> Vec<(String, Value, Value)> {
    let lists = ["messages", "interactions"].into_iter().filter_map(|key| pact.get(key).and_then(Value::as_array)).flatten();
    let is_message = |value: &&Value| value.get("contents").is_some();
    let message = |value: &Value| {
        let contents = value.get("contents")?;
        // Version 4 says beside the content what it is.
        let content = contents.get("content").filter(|_| contents.get("contentType").is_some()).unwrap_or(contents);
        let metadata = value
            .get("metadata")
            .or_else(|| value.get("metaData"))
            .cloned()
            .unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        Some((value.get("description")?.as_str()?.to_owned(), content.clone(), metadata))
    };
    lists.filter(is_message).filter_map(message).collect()
}

/// A request as the crates compare it.
fn request(asked: &Asked) -> HttpRequest {
    let mut headers: HashMap<String, Vec<String>> = HashMap::new();
    for (name, value) in &asked.headers {
        headers.entry(name.clone()).or_default().extend(parse_header(name, value));
    }
    let mut query: HashMap<String, Vec<Option<String>>> = HashMap::new();
    for (name, value) in asked.pairs() {
        query.entry(name).or_default().push(Some(value));
    }
    let content_type = asked.header("content-type").and_then(|text| ContentType::parse(text).ok());
    let body =
        if asked.body.is_empty() { OptionalBody::Missing } else { OptionalBody::Present(asked.body.clone(), content_type, None) };
    HttpRequest {
        method: asked.method.clone(),
        path: super::exchange::decoded(&asked.path),
        query: (!query.is_empty()).then_some(query),
        headers: Some(headers),
        body,
        ..HttpRequest::default()
    }
}

/// How a request differs from what an interaction asks for; none where it is about another method or path.
async fn mismatches(interaction: &SynchronousHttp, request: &HttpRequest) -> Option<Vec<String>> {
    let pact: Box<dyn Pact + Send + Sync + std::panic::RefUnwindSafe> = RequestResponsePact::default().boxed();
    let boxed = interaction.boxed();
    let matching = match_request(interaction.request.clone(), request.clone(), &pact, &boxed);
    let result = AssertUnwindSafe(matching).catch_unwind().await.ok()?.ok()?;
    if result.method.is_some() || result.path.as_ref().is_some_and(|path| !path.is_empty()) {
        return None;
    }
    Some(result.mismatches().iter().map(pact_matching::Mismatch::description).take(20).collect())
}

/// Whether a request differs only as the one that the pact has recorded does, which its own rules are against.
async fn is_own(interaction: &SynchronousHttp, found: &[String]) -> bool {
    let own = mismatches(interaction, &interaction.request).await.unwrap_or_default();
    found.iter().all(|mismatch| own.contains(mismatch))
}

/// The answer of an interaction, its generators applied.
async fn response(interaction: &SynchronousHttp) -> Answer {
    let context = HashMap::new();
    let generated =
        AssertUnwindSafe(generate_response(&interaction.response, &GeneratorTestMode::Provider, &context)).catch_unwind().await;
    let response = generated.unwrap_or_else(|_| interaction.response.clone());
    let mut answer = Answer::empty(response.status);
    for (name, values) in response.headers.iter().flatten() {
        answer = answer.with(&name.to_ascii_lowercase(), values.join(", "));
    }
    if let OptionalBody::Present(bytes, kind, _) = &response.body {
        answer.body = bytes.to_vec();
        if !answer.headers.iter().any(|(name, _)| name == "content-type") {
            let kind = kind.clone().or_else(|| response.content_type());
            answer = answer.with("content-type", kind.map_or_else(|| "application/json".to_owned(), |kind| kind.to_string()));
        }
    }
    answer
}
