//! Mocks of contracts that are about documents and not about a service: messages and JSON Schemas.

use std::collections::HashMap;

use patchbay_contracts::Problem;
use serde_json::{Map, Value, json};

use super::exchange::{Answer, Asked, Refusal};
use crate::{
    Result,
    contract::{
        document::Document,
        generate::{Chance, Generator},
        messages::{Contract, Form, MessageType, Shape, read},
        validate,
    },
    http::Context,
};

/// The most documents that are given at once.
const MOST: usize = 1_000;
/// The moment of the first message, in seconds since 1970: 2026-01-01.
const BEGINNING: i64 = 1_767_225_600;

/// A contract for documents that is served.
pub(super) struct Service {
    contract: Contract,
    single: bool,
    seed: u64,
    made: HashMap<String, Option<Generator>>,
    /// How many messages have been given, so that each has an id of its own.
    given: u64,
}

impl Service {
    /// Reads a contract.
    ///
    /// # Errors
    /// Those of the contract.
    pub(super) async fn new(context: &Context, document: &Document, seed: Option<u64>) -> Result<(Self, Vec<Problem>)> {
        let (contract, _) = read(context, document).await?;
        let single = document.kind == patchbay_contracts::contract::ContractKind::JsonSchema;
        let problems = contract.problems.clone();
        Ok((Self { contract, single, seed: seed.unwrap_or_default(), made: HashMap::new(), given: 0 }, problems))
    }

    /// Answers a request.
    pub(super) fn answer(&mut self, asked: &Asked) -> Answer {
        let count = asked.pairs().into_iter().find(|(name, _)| name == "count").map(|(_, value)| value.parse::<usize>());
        let count = match count {
            None => None,
            Some(Ok(count @ 1..=MOST)) => Some(count),
            Some(_) => {
                return Answer::problem(&Refusal::invalid(format!("count is a number from 1 to {MOST}")).at("query.count"), 400);
            }
        };
        let path = super::exchange::decoded(asked.path.trim_end_matches('/'));
        match (asked.method.as_str(), path.as_str()) {
            ("GET" | "HEAD", "") if self.single => self.documents(count),
            ("POST", "") if self.single => self.judged(asked),
            ("GET" | "HEAD", "" | "/messages") if !self.single => self.messages(count.unwrap_or(1), None),
            ("GET" | "HEAD", path) if !self.single && path.starts_with("/messages/") => {
                let name = path.trim_start_matches("/messages/").to_owned();
                self.messages(count.unwrap_or(1), Some(&name))
            }
            (_, "" | "/messages") => {
                let detail = format!("There is no {} {}", asked.method, asked.path);
                Answer::problem(&Refusal::new(&[405], "Method not allowed", detail), 405).with("allow", "GET, HEAD")
            }
            _ => Answer::problem(
                &Refusal::not_found(format!("There is nothing at {}; GET / shows what is served", asked.path)),
                404,
            ),
        }
    }

    /// One document, or a list of so many.
    fn documents(&mut self, count: Option<usize>) -> Answer {
        let Some(kind) = self.contract.types.first() else { return Answer::empty(404) };
        let all: Vec<Value> =
            (0..count.unwrap_or(1)).filter_map(|index| payload(kind, &mut self.made, self.seed, index)).collect();
        match (count, all.first()) {
            (_, None) => {
                Answer::problem(&Refusal::new(&[501], "Nothing to give", "No document was found that fits the schema"), 501)
            }
            (None, Some(one)) => Answer::json(200, one),
            (Some(_), _) => Answer::json(200, &Value::Array(all)),
        }
    }

    /// Holds a document that was sent to the schema.
    fn judged(&self, asked: &Asked) -> Answer {
        let value: Value = match serde_json::from_slice(&asked.body) {
            Ok(value) => value,
            Err(error) => return Answer::problem(&Refusal::invalid(format!("The body is not JSON: {error}")), 400),
        };
        let shape = self.contract.types.first().and_then(|kind| kind.payload.as_ref());
        let deviation =
            shape.and_then(|shape| validate::deviations(shape.validator(), &value, asked.body.len() as u64).into_iter().next());
        match deviation {
            None => Answer::json(200, &value),
            Some(deviation) => {
                let refusal = Refusal::new(&[422], "The body is not as the schema asks", deviation.message).at(deviation.pointer);
                Answer::problem(&refusal, 422)
            }
        }
    }

    /// So many messages of each type, or of one.
    fn messages(&mut self, count: usize, only: Option<&str>) -> Answer {
        let mut all: Vec<Value> = Vec::new();
        let mut previous: Option<String> = None;
        let mut known = false;
        for kind in &self.contract.types {
            if only.is_some_and(|only| kind.label() != *only && !kind.names.iter().any(|name| name == only)) {
                continue;
            }
            known = true;
            for index in 0..count.min(MOST.saturating_sub(all.len())) {
                let Some(payload) = payload(kind, &mut self.made, self.seed, index) else { break };
                self.given += 1;
                let message = Message { kind, seed: self.seed, number: self.given, previous: previous.as_deref() };
                let made = message.wrapped(&self.contract, payload, &mut self.made);
                previous = made.get("id").and_then(Value::as_str).map(str::to_owned);
                all.push(made);
            }
        }
        match (known, only) {
            (false, Some(only)) => {
                Answer::problem(&Refusal::not_found(format!("The contract has no messages of the type {only}")), 404)
            }
            _ => Answer::json(200, &Value::Array(all)),
        }
    }
}

/// A payload: the document's examples first, then made from the schema; the same for the same seed.
fn payload(kind: &MessageType, made: &mut HashMap<String, Option<Generator>>, seed: u64, index: usize) -> Option<Value> {
    let Some(shape) = &kind.payload else { return Some(kind.examples.first().cloned().unwrap_or_else(|| json!({}))) };
    let examples: Vec<&Value> = kind.examples.iter().filter(|example| shape.fits(example)).collect();
    if let Some(example) = examples.get(index) {
        return Some((*example).clone());
    }
    let value = generated(shape, made, seed, &kind.label(), index);
    value.or_else(|| examples.first().map(|example| (*example).clone()))
}

/// A value that fits a schema.
fn generated(
    shape: &Shape,
    made: &mut HashMap<String, Option<Generator>>,
    seed: u64,
    label: &str,
    index: usize,
) -> Option<Value> {
    let generator = made.entry(shape.at.clone()).or_insert_with(|| Generator::new(&shape.standalone()).ok()).as_ref()?;
    let ordinary = || generator.ordinary().filter(|value| shape.fits(value));
    if index == 0 && seed == 0 {
        return ordinary();
    }
    let mut chance = Chance::of(seed.wrapping_add(index as u64), label);
    let random = generator.valid(&mut chance, 16, 6).into_iter().rev().filter(|case| case.keyword == "random" && !case.strange);
    random.map(|case| case.value).find(|value| shape.fits(value)).or_else(ordinary)
}

/// A message that is being made.
struct Message<'a> {
    kind: &'a MessageType,
    seed: u64,
    number: u64,
    previous: Option<&'a str>,
}

impl Message<'_> {
    fn id(&self) -> String {
        format!("mock-{}-{}", self.seed, self.number)
    }

    fn time(&self) -> String {
        let seconds = BEGINNING.saturating_add(i64::try_from(self.number).unwrap_or(i64::MAX / 2));
        jiff::Timestamp::from_second(seconds).map_or_else(|_| "2026-01-01T00:00:00Z".to_owned(), |stamp| stamp.to_string())
    }

    /// The payload in the envelope that the contract asks for.
    fn wrapped(&self, contract: &Contract, payload: Value, made: &mut HashMap<String, Option<Generator>>) -> Value {
        let name = self.kind.names.first().cloned().unwrap_or_default();
        match &contract.envelope.form {
            _ if self.kind.describes_envelope() => payload,
            Form::None => payload,
            Form::Auto => {
                let mut message = Map::new();
                message.insert("name".to_owned(), name.into());
                let headers = self.kind.headers.first().and_then(|shape| generated(shape, made, self.seed, "headers", 0));
                if !self.kind.headers.is_empty() || self.kind.correlation.is_some() {
                    message.insert("headers".to_owned(), headers.filter(Value::is_object).unwrap_or_else(|| json!({})));
                }
                message.insert("payload".to_owned(), payload);
                let mut message = Value::Object(message);
                if let Some(pointer) = self.kind.correlation.as_deref()
                    && message.pointer(pointer).is_none()
                {
                    put(&mut message, pointer, format!("mock-{}", self.seed).into());
                }
                message
            }
            Form::CloudEvents => {
                let mut message = json!({
                    "specversion": "1.0", "id": self.id(), "source": "/patchbay/mock", "type": name, "time": self.time(),
                    "datacontenttype": "application/json", "data": payload,
                });
                if let (Some(version), Some(members)) = (&self.kind.version, message.as_object_mut()) {
                    members.insert("dataversion".to_owned(), version.as_str().into());
                }
                message
            }
            Form::Patchbay => {
                let mut message = json!({
                    "id": self.id(), "type": name, "version": self.kind.version.as_deref().unwrap_or("1.0"), "timestamp": self.time(),
                    "source": "patchbay-mock", "data": payload,
                });
                put(&mut message, "/metadata", self.metadata(contract, made));
                message
            }
            Form::Own(shape) => {
                let mut message =
                    generated(shape, made, self.seed, "envelope", 0).filter(Value::is_object).unwrap_or_else(|| json!({}));
                let parts = contract.envelope.parts();
                for (pointer, value) in [
                    (parts.id, self.id().into()),
                    (parts.kind, name.into()),
                    (parts.timestamp, self.time().into()),
                    (parts.version, self.kind.version.as_deref().map_or(Value::Null, Value::from)),
                    (parts.metadata, Value::Null),
                    (parts.data, payload),
                ] {
                    let value = if pointer == parts.metadata && value.is_null() {
                        self.own_metadata(contract, &message, pointer, made)
                    } else {
                        value
                    };
                    if !value.is_null() {
                        put(&mut message, pointer, value);
                    }
                }
                message
            }
        }
    }

    fn metadata(&self, contract: &Contract, made: &mut HashMap<String, Option<Generator>>) -> Value {
        let mut metadata = Map::new();
        for shape in contract.envelope.metadata.iter().chain(&self.kind.metadata) {
            if let Some(Value::Object(members)) = generated(shape, made, self.seed, "metadata", 0) {
                metadata.extend(members);
            }
        }
        let correlation = format!("mock-{}", self.seed);
        let usual = [
            ("correlation_id", Value::from(correlation)),
            ("causation_id", self.previous.map_or(Value::Null, Value::from)),
            ("user_id", "mock".into()),
        ];
        for (name, value) in usual {
            let before = metadata.insert(name.to_owned(), value);
            let whole = Value::Object(metadata.clone());
            let fits = contract.envelope.metadata.iter().chain(&self.kind.metadata).all(|shape| shape.fits(&whole));
            if !fits && let Some(before) = before {
                metadata.insert(name.to_owned(), before);
            }
        }
        Value::Object(metadata)
    }

    /// What the contract asks of the metadata, beside what the envelope has there already.
    fn own_metadata(
        &self,
        contract: &Contract,
        message: &Value,
        pointer: &str,
        made: &mut HashMap<String, Option<Generator>>,
    ) -> Value {
        let Some(shape) = contract.envelope.metadata.as_ref().or(self.kind.metadata.as_ref()) else { return Value::Null };
        let mut all = message.pointer(pointer).and_then(Value::as_object).cloned().unwrap_or_default();
        if let Some(Value::Object(members)) = generated(shape, made, self.seed, "metadata", 0) {
            for (name, value) in members {
                all.entry(name).or_insert(value);
            }
        }
        Value::Object(all)
    }
}

/// Puts a value at a pointer, making the objects on the way there.
fn put(message: &mut Value, pointer: &str, value: Value) {
    let mut at = message;
    for part in pointer.split('/').skip(1) {
        let key = part.replace("~1", "/").replace("~0", "~");
        if !at.is_object() {
            *at = json!({});
        }
        let Value::Object(members) = at else { return };
        at = members.entry(key).or_insert(Value::Null);
    }
    *at = value;
}
