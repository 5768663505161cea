//! AsyncAPI 2 and 3: the messages of channels, operations and components.
//! <https://www.asyncapi.com/docs/reference/specification/v3.0.0>, and the same with `v2.6.0`.

use std::{collections::HashMap, sync::Arc};

use jsonschema::Draft;
use patchbay_contracts::{Code, Problem};
use serde_json::Value;

use super::{
    contract::{Contract, MessageType, as_word, mistake},
    envelope::{Envelope, Form},
    shape::{Dialect, Shapes, named_draft},
};
use crate::{
    Result,
    contract::{
        document::{Bundle, Document, join},
        schema::escape,
    },
};

/// The most uses of messages that are looked at.
const MOST_USES: usize = 20_000;

/// The messages of an AsyncAPI document.
pub(super) fn read(document: &Document, mut shapes: Shapes) -> Result<Contract> {
    let bundle = Arc::clone(&shapes.bundle);
    let mut problems = Vec::new();
    let mut found = Found { bundle: &bundle, types: Vec::new(), by_place: HashMap::new(), uses: 0 };
    let three = document.value.get("asyncapi").and_then(as_word).is_some_and(|version| version.starts_with('3'));
    found.channels(three);
    found.components();
    let mut types = Vec::new();
    for Used { at, names, channels } in found.types {
        let message = Message { bundle: &bundle, at: &at };
        types.push(message.read(names, channels, &mut shapes, &mut problems));
    }
    if types.is_empty() {
        return Err(
            mistake(document, "/channels", "The document has no messages").next("Give its channels or components messages")
        );
    }
    same_names(&mut types);
    let info = |key: &str| document.value.pointer("/info").and_then(|info| info.get(key)).and_then(as_word);
    Ok(Contract {
        title: info("title").unwrap_or_else(|| document.file.clone()),
        version: info("version"),
        envelope: Envelope::of(Form::Auto),
        types,
        problems,
    })
}

/// Messages of one name that are not the same: they are told apart by their channel.
fn same_names(types: &mut [MessageType]) {
    let mut count: HashMap<String, usize> = HashMap::new();
    for kind in types.iter() {
        *count.entry(kind.label()).or_default() += 1;
    }
    for kind in types {
        if count.get(&kind.label()).is_some_and(|count| *count > 1)
            && let (Some(channel), Some(name)) = (kind.channels.first().cloned(), kind.names.first().cloned())
        {
            kind.names.insert(0, format!("{name} ({channel})"));
        }
    }
}

/// A message where it is written, with the names and channels by which it is used.
struct Used {
    at: String,
    names: Vec<String>,
    channels: Vec<String>,
}

struct Found<'a> {
    bundle: &'a Bundle,
    types: Vec<Used>,
    by_place: HashMap<String, usize>,
    uses: usize,
}

impl Found<'_> {
    fn value(&self, pointer: &str) -> Option<(String, &Value)> {
        let at = self.bundle.resolve(pointer)?;
        let value = self.bundle.root.pointer(&at)?;
        Some((at, value))
    }

    /// The keys of a mapping, each with its pointer.
    fn entries(&self, pointer: &str) -> Vec<(String, String)> {
        let Some((at, Value::Object(all))) = self.value(pointer) else { return Vec::new() };
        all.keys().map(|key| (key.clone(), join(&at, key))).collect()
    }

    fn channels(&mut self, three: bool) {
        for (key, channel) in self.entries("/channels") {
            if three {
                let address = self.value(&join(&channel, "address")).and_then(|(_, value)| as_word(value));
                let channel_name = address.unwrap_or(key);
                for (name, message) in self.entries(&join(&channel, "messages")) {
                    self.add(&message, Some(name), Some(&channel_name));
                }
                continue;
            }
            for way in ["publish", "subscribe"] {
                let message = join(&join(&channel, way), "message");
                match self.value(&join(&message, "oneOf")) {
                    Some((at, Value::Array(all))) => {
                        for index in 0..all.len() {
                            self.add(&format!("{at}/{index}"), None, Some(&key));
                        }
                    }
                    _ => self.add(&message, None, Some(&key)),
                }
            }
        }
    }

    fn components(&mut self) {
        for (name, message) in self.entries("/components/messages") {
            self.add(&message, Some(name), None);
        }
    }

    fn add(&mut self, pointer: &str, name: Option<String>, channel: Option<&str>) {
        self.uses += 1;
        let Some((at, Value::Object(_))) = self.value(pointer) else { return };
        if self.uses > MOST_USES {
            return;
        }
        let index = *self.by_place.entry(at.clone()).or_insert_with(|| {
            self.types.push(Used { at, names: Vec::new(), channels: Vec::new() });
            self.types.len() - 1
        });
        if let Some(used) = self.types.get_mut(index) {
            used.names.extend(name.filter(|name| !used.names.contains(name)).into_iter().collect::<Vec<_>>());
            used.channels.extend(channel.filter(|known| !used.channels.iter().any(|other| other == known)).map(str::to_owned));
        }
    }
}

/// A message of the document, its traits included.
struct Message<'a> {
    bundle: &'a Bundle,
    at: &'a str,
}

impl Message<'_> {
    /// The pointers of the message and of its traits, those that say more first.
    fn parts(&self) -> Vec<String> {
        let mut parts = vec![self.at.to_owned()];
        let traits = self.bundle.root.pointer(&join(self.at, "traits")).and_then(Value::as_array).map_or(0, Vec::len);
        parts.extend((0..traits).filter_map(|index| self.bundle.resolve(&format!("{}/traits/{index}", self.at))));
        parts
    }

    /// A part's member by its key, references followed.
    fn member(&self, key: &str) -> Option<(String, &Value)> {
        self.parts().into_iter().find_map(|part| {
            let at = self.bundle.resolve(&join(&part, key))?;
            let value = self.bundle.root.pointer(&at)?;
            Some((at, value))
        })
    }

    fn word(&self, key: &str) -> Option<String> {
        self.member(key).and_then(|(_, value)| as_word(value))
    }

    fn read(&self, keys: Vec<String>, channels: Vec<String>, shapes: &mut Shapes, problems: &mut Vec<Problem>) -> MessageType {
        // The end of the pointer names a message that nothing else names.
        let last = || self.at.split('/').rfind(|part| !["message", "publish", "subscribe", "oneOf"].contains(part));
        let own = ["name", "messageId"].into_iter().filter_map(|key| self.word(key));
        let mut names: Vec<String> = own.chain(keys).chain(self.word("title")).collect();
        if names.is_empty() {
            names.push(channels.first().cloned().or_else(|| last().map(str::to_owned)).unwrap_or_default());
        }
        let mut kind = MessageType::new(String::new(), self.at.to_owned());
        let mut known = std::collections::HashSet::new();
        names.retain(|name| known.insert(name.clone()));
        kind.names = names;
        kind.channels = channels;
        kind.version = self.word("x-version");
        match self.payload(shapes) {
            Ok(payload) => kind.payload = payload,
            Err(problem) => {
                kind.unjudged = Some(problem.to_string());
                problems.push(problem);
            }
        }
        for part in self.parts() {
            let pointer = join(&part, "headers");
            if self.bundle.root.pointer(&pointer).is_none() {
                continue;
            }
            match self.schema(&pointer, None, shapes) {
                Ok(shape) => kind.headers.push(shape),
                Err(problem) => problems.push(problem),
            }
        }
        kind.correlation = self.member("correlationId").and_then(|(_, value)| location(value.get("location")?.as_str()?));
        if let Some((_, Value::Array(examples))) = self.member("examples") {
            kind.examples = examples.iter().filter_map(|example| example.get("payload").cloned()).collect();
        }
        kind
    }

    fn payload(&self, shapes: &mut Shapes) -> Result<Option<super::shape::Shape>> {
        let pointer = join(self.at, "payload");
        if self.bundle.root.pointer(&pointer).is_none() {
            return Ok(None);
        }
        self.schema(&pointer, self.word("schemaFormat"), shapes).map(Some)
    }

    /// A schema, which AsyncAPI 3 may wrap together with its format.
    fn schema(&self, pointer: &str, format: Option<String>, shapes: &mut Shapes) -> Result<super::shape::Shape> {
        let at = self.bundle.resolve(pointer).unwrap_or_else(|| pointer.to_owned());
        let wrapped = self.bundle.root.pointer(&at).filter(|value| value.get("schemaFormat").is_some_and(Value::is_string));
        let format = wrapped.and_then(|value| value.get("schemaFormat")).and_then(as_word).or(format);
        let pointer = if wrapped.is_some() { join(&at, "schema") } else { pointer.to_owned() };
        let dialect = dialect(format.as_deref()).ok_or_else(|| {
            let named = format.unwrap_or_default();
            let problem = Problem::new(Code::Unsupported, format!("A schema of the format {named} can't be judged by"));
            let problem = problem.why("JSON Schema, and the schemas of AsyncAPI and OpenAPI, can");
            Problem { place: self.bundle.place(&pointer), ..problem }
        })?;
        shapes.shape(&pointer, dialect)
    }
}

/// What a `schemaFormat` stands for; none for what isn't JSON Schema or near it.
fn dialect(format: Option<&str>) -> Option<Dialect> {
    let Some(format) = format else { return Some(Dialect::JsonSchema(Draft::Draft7)) };
    let format = format.to_ascii_lowercase();
    if format.contains("openapi") || format.contains("vnd.oai") {
        let newer = format.contains("version=3.1");
        return Some(if newer { Dialect::JsonSchema(Draft::Draft202012) } else { Dialect::Openapi30 });
    }
    let known = format.contains("asyncapi") || format.contains("aai.asyncapi") || format.contains("schema+json");
    (known || format.contains("schema+yaml")).then(|| Dialect::JsonSchema(named_draft(&format).unwrap_or(Draft::Draft7)))
}

/// Where a correlation id is, by its runtime expression: `$message.header#/id` is `/headers/id`.
fn location(expression: &str) -> Option<String> {
    let (place, pointer) = expression.strip_prefix("$message.")?.split_once('#')?;
    let part = match place {
        "header" => "headers",
        "payload" => "payload",
        _ => return None,
    };
    Some(format!("/{}{pointer}", escape(part)))
}
