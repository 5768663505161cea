//! What a contract says about messages, whatever form it is written in: an envelope, and types with their schemas.

use std::{collections::HashSet, sync::Arc};

use jsonschema::Draft;
use patchbay_contracts::{
    Code, Problem,
    contract::{Check, ContractKind},
};
use serde_json::{Map, Value, json};

use super::{
    asyncapi,
    envelope::{Envelope, Form, PATCHBAY, Seen},
    finding::Finding,
    shape::{Dialect, Shape, Shapes},
};
use crate::{
    Result,
    contract::document::{Bundle, Document, join},
    http::Context,
    utils::nearest,
};

/// The most types of messages that a contract may have.
const MOST_TYPES: usize = 10_000;

/// A contract for messages.
pub(in crate::contract) struct Contract {
    pub(in crate::contract) title: String,
    pub(in crate::contract) version: Option<String>,
    pub(in crate::contract) envelope: Envelope,
    pub(in crate::contract) types: Vec<MessageType>,
    /// Parts that can't be read or judged; the others are judged all the same.
    pub(in crate::contract) problems: Vec<Problem>,
}

/// One type of message in one version.
pub(in crate::contract) struct MessageType {
    /// Its name, first the one that it is shown by.
    pub(in crate::contract) names: Vec<String>,
    pub(in crate::contract) version: Option<String>,
    /// Where it stands in the contract.
    pub(in crate::contract) at: String,
    pub(in crate::contract) payload: Option<Shape>,
    /// Why the payload can't be judged, where it should be.
    pub(super) unjudged: Option<String>,
    /// What its headers must be: all of these.
    pub(in crate::contract) headers: Vec<Shape>,
    pub(in crate::contract) metadata: Option<Shape>,
    /// Where the messages of this type travel.
    pub(in crate::contract) channels: Vec<String>,
    /// Where the contract says that its correlation id is, as a JSON pointer into headers and payload.
    pub(in crate::contract) correlation: Option<String>,
    /// Examples of its payload that the contract gives.
    pub(in crate::contract) examples: Vec<Value>,
}

impl MessageType {
    pub(super) fn new(name: String, at: String) -> Self {
        Self {
            names: vec![name],
            version: None,
            at,
            payload: None,
            unjudged: None,
            headers: Vec::new(),
            metadata: None,
            channels: Vec::new(),
            correlation: None,
            examples: Vec::new(),
        }
    }

    /// The name with its version.
    pub(in crate::contract) fn label(&self) -> String {
        label(self.names.first().map_or("", String::as_str), self.version.as_deref())
    }

    /// Whether the payload's schema describes whole events and not only their data.
    pub(in crate::contract) fn describes_envelope(&self) -> bool {
        let properties = self.payload.as_ref().and_then(|shape| shape.schema.get("properties")).and_then(Value::as_object);
        properties
            .is_some_and(|all| all.contains_key("specversion") || ["id", "type", "data"].iter().all(|key| all.contains_key(*key)))
    }
}

/// A type's name with its version.
pub(super) fn label(name: &str, version: Option<&str>) -> String {
    version.map_or_else(|| name.to_owned(), |version| format!("{name} {version}"))
}

/// What a document says about messages, and the document with its references followed.
///
/// # Errors
/// [`Code::InvalidDefinition`] where it says nothing about messages at all or can't be understood as a whole.
pub(in crate::contract) async fn read(context: &Context, document: &Document) -> Result<(Contract, Arc<Bundle>)> {
    let shapes = Shapes::new(document.bundle(context).await);
    let bundle = Arc::clone(&shapes.bundle);
    let mut contract = match document.kind {
        ContractKind::Messages => own(document, shapes)?,
        ContractKind::Asyncapi => asyncapi::read(document, shapes)?,
        ContractKind::JsonSchema => json_schema(document, shapes)?,
        other => {
            return Err(Problem::new(Code::InvalidDefinition, format!("{} is no contract for messages", document.file))
                .why(format!("it is a contract of the kind {}", other.as_str()))
                .next("Give a `messages:` file, an AsyncAPI document or a JSON Schema"));
        }
    };
    if contract.types.len() > MOST_TYPES {
        return Err(Problem::new(Code::TooLarge, format!("{} has more than {MOST_TYPES} types of messages", document.file)));
    }
    for problem in &bundle.problems {
        if !contract.problems.contains(problem) {
            contract.problems.push(problem.clone());
        }
    }
    Ok((contract, bundle))
}

/// A JSON Schema that each message is held to.
fn json_schema(document: &Document, mut shapes: Shapes) -> Result<Contract> {
    let text = |key: &str| document.value.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let name = text("title").map_or_else(|| document.file.clone(), str::to_owned);
    let mut kind = MessageType::new(name.clone(), String::new());
    kind.payload = Some(shapes.shape("", Dialect::JsonSchema(Draft::Draft202012))?);
    kind.examples = document.value.get("examples").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(Contract { title: name, version: None, envelope: Envelope::of(Form::None), types: vec![kind], problems: Vec::new() })
}

const KEYS: [&str; 6] = ["title", "version", "envelope", "fields", "metadata", "types"];
const TYPE_KEYS: [&str; 6] = ["type", "version", "schema", "metadata", "description", "examples"];

/// A message contract of Patchbay's own.
fn own(document: &Document, mut shapes: Shapes) -> Result<Contract> {
    let top = "/messages";
    let Some(messages) = document.value.pointer(top).and_then(Value::as_object) else {
        return Err(mistake(document, top, "`messages` must be a mapping").next("Begin with `messages:` and `types:` below it"));
    };
    let mut problems = Vec::new();
    unknown_keys(messages, top, &KEYS, document, &mut problems);
    // Without its envelope a message can't be taken apart, so a mistake in it ends the reading.
    let mut envelope = own_envelope(messages, top, document, &mut shapes)?;
    if messages.contains_key("metadata") {
        match shapes.shape(&format!("{top}/metadata"), Dialect::Short) {
            Ok(shape) => envelope.metadata = Some(shape),
            Err(problem) => problems.push(problem),
        }
    }
    let mut types = Vec::new();
    match messages.get("types") {
        None | Some(Value::Null) => {}
        Some(Value::Array(all)) => {
            for (index, value) in all.iter().enumerate() {
                match own_type(value, format!("{top}/types/{index}"), document, &mut shapes, &mut problems) {
                    Ok(kind) => types.push(kind),
                    Err(problem) => problems.push(problem),
                }
            }
        }
        Some(_) => return Err(mistake(document, &format!("{top}/types"), "`types` must be a list of types of messages")),
    }
    if types.is_empty() && !problems.is_empty() {
        // Nothing could be judged by what is left, and the mistakes are in the contract.
        return Err(problems.swap_remove(0));
    }
    repeated(&types, document, &mut problems);
    let text = |key: &str| messages.get(key).and_then(as_word);
    let title = text("title").unwrap_or_else(|| document.file.clone());
    Ok(Contract { title, version: text("version"), envelope, types, problems })
}

/// A text, or a number as it is written: `version: 1.0` means the text too.
pub(super) fn as_word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn own_envelope(messages: &Map<String, Value>, top: &str, document: &Document, shapes: &mut Shapes) -> Result<Envelope> {
    let at = format!("{top}/envelope");
    let mut envelope = match messages.get("envelope") {
        None | Some(Value::Null) => Envelope::of(Form::Patchbay),
        Some(Value::String(name)) => Envelope::named(name).map_err(|problem| placed(problem, document, &at))?,
        Some(_) => Envelope::of(Form::Own(Box::new(shapes.shape(&at, Dialect::Short)?))),
    };
    if let Some(fields) = messages.get("fields") {
        let at = format!("{top}/fields");
        let Value::Object(given) = fields else {
            let problem = Problem::new(Code::InvalidDefinition, "`fields` must be a mapping of names to JSON pointers");
            return Err(placed(problem, document, &at));
        };
        let fields = envelope.fields.get_or_insert_with(|| PATCHBAY.clone());
        for (name, pointer) in given {
            let at = join(&at, name);
            let pointer = pointer.as_str().filter(|pointer| pointer.is_empty() || pointer.starts_with('/')).ok_or_else(|| {
                let problem = Problem::new(Code::InvalidDefinition, format!("`{name}` doesn't say where its value is"));
                placed(problem.next("Write a JSON pointer into the message, such as /header/id"), document, &at)
            })?;
            fields.set(name, pointer).map_err(|problem| placed(problem, document, &at))?;
        }
    }
    Ok(envelope)
}

fn own_type(
    value: &Value,
    at: String,
    document: &Document,
    shapes: &mut Shapes,
    problems: &mut Vec<Problem>,
) -> Result<MessageType> {
    let Some(fields) = value.as_object() else {
        let problem = Problem::new(Code::InvalidDefinition, "A type of message must be a mapping");
        return Err(placed(problem.next("Write `- type: order.created` with `version:` and `schema:` below it"), document, &at));
    };
    unknown_keys(fields, &at, &TYPE_KEYS, document, problems);
    let Some(name) = fields.get("type").and_then(as_word) else {
        return Err(placed(Problem::new(Code::InvalidDefinition, "A type of message has no `type`"), document, &at));
    };
    let mut kind = MessageType::new(name.clone(), at.clone());
    kind.version = fields.get("version").and_then(as_word);
    if let Some(version) = &kind.version {
        // As the types of CloudEvents often carry it.
        kind.names.push(format!("{name}.v{version}"));
    }
    for (key, part) in [("schema", &mut kind.payload), ("metadata", &mut kind.metadata)] {
        if fields.contains_key(key) {
            match shapes.shape(&format!("{at}/{key}"), Dialect::Short) {
                Ok(shape) => *part = Some(shape),
                Err(problem) => {
                    // The type is known all the same, and its messages are not called unknown.
                    if key == "schema" {
                        kind.unjudged = Some(problem.to_string());
                    }
                    problems.push(problem);
                }
            }
        }
    }
    kind.examples = fields.get("examples").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(kind)
}

/// A mistake at a pointer of the contract.
pub(super) fn mistake(document: &Document, pointer: &str, what: impl Into<String>) -> Problem {
    placed(Problem::new(Code::InvalidDefinition, what), document, pointer)
}

fn placed(problem: Problem, document: &Document, pointer: &str) -> Problem {
    let place = problem.place.clone().or_else(|| document.place(pointer));
    Problem { place, ..problem }
}

fn unknown_keys(map: &Map<String, Value>, at: &str, known: &[&str], document: &Document, problems: &mut Vec<Problem>) {
    for key in map.keys().filter(|key| !known.contains(&key.as_str()) && !key.starts_with("x-")) {
        let problem = Problem::new(Code::InvalidDefinition, format!("`{key}` is not known here"));
        let problem = match nearest(key, known.iter().copied()) {
            Some(near) => problem.next(format!("Did you mean `{near}`?")),
            None => problem.next(format!("There are {}", known.join(", "))),
        };
        problems.push(placed(problem, document, &join(at, key)));
    }
}

/// The same type in the same version twice: which one holds can't be told.
fn repeated(types: &[MessageType], document: &Document, problems: &mut Vec<Problem>) {
    let mut seen = HashSet::new();
    for kind in types {
        if !seen.insert(kind.label()) {
            let problem = Problem::new(Code::InvalidDefinition, format!("`{}` is there twice", kind.label()));
            problems.push(placed(problem.why("the first one is judged by"), document, &kind.at));
        }
    }
}

/// What a message's type and version come to in a contract.
pub(super) enum Found<'a> {
    /// That type.
    Type(&'a MessageType),
    /// A finding, and nothing to judge the payload by.
    Unknown(Box<Finding>),
    /// Nothing is asked.
    Anything,
}

impl Contract {
    /// The type that a message says it is.
    pub(super) fn find(&self, seen: &Seen<'_>, payload: Option<&Value>) -> Found<'_> {
        if self.types.is_empty() {
            return Found::Anything;
        }
        let Some(name) = seen.name else { return self.fitting(payload) };
        let version = seen.version.as_deref();
        let (type_pointer, version_pointer) = (seen.name_at, seen.version_at);
        let of_name: Vec<&MessageType> = self.types.iter().filter(|kind| kind.names.iter().any(|known| known == name)).collect();
        if of_name.is_empty() {
            let known = self.types.iter().flat_map(|kind| &kind.names).map(String::as_str);
            let near = nearest(name, known).map(|near| format!("; the nearest is `{near}`")).unwrap_or_default();
            let message = format!("{type_pointer} is `{}`, which is not in the contract{near}", cut(name));
            let finding = Finding::new(Check::Payload, "type", type_pointer, message);
            let names: Vec<&str> = self.types.iter().filter_map(|kind| kind.names.first()).take(20).map(String::as_str).collect();
            return Found::Unknown(Box::new(
                finding.expecting(json!({ "enum": names })).with(name.into()).asked_at(self.types_at()),
            ));
        }
        let exact = of_name.iter().find(|kind| version.is_some() && kind.version.as_deref() == version);
        if let Some(kind) = exact.or_else(|| of_name.iter().find(|kind| kind.version.is_none())) {
            return Found::Type(kind);
        }
        let Some(version) = version else {
            // Without a version it is whichever it fits, and the first one where it fits none.
            let fits = |kind: &&&MessageType| {
                payload.is_some_and(|payload| kind.payload.as_ref().is_none_or(|shape| shape.fits(payload)))
            };
            return of_name.iter().find(fits).or(of_name.last()).map_or(Found::Anything, |kind| Found::Type(kind));
        };
        let versions: Vec<&str> = of_name.iter().filter_map(|kind| kind.version.as_deref()).collect();
        let near = nearest(version, versions.iter().copied()).or(versions.last().copied()).unwrap_or_default();
        let message = format!(
            "{version_pointer} is `{}`, and the contract has no such version of `{name}`; the nearest is `{near}`",
            cut(version)
        );
        let finding = Finding::new(Check::Payload, "version", version_pointer, message).with(version.into());
        let at = of_name.first().map(|kind| kind.at.clone()).unwrap_or_default();
        Found::Unknown(Box::new(finding.expecting(json!({ "enum": versions })).asked_at(at)))
    }

    /// The type that a message without a name fits, or is nearest to.
    fn fitting(&self, payload: Option<&Value>) -> Found<'_> {
        if let [only] = self.types.as_slice() {
            return Found::Type(only);
        }
        let Some(payload) = payload else { return Found::Anything };
        let distance = |kind: &MessageType| kind.payload.as_ref().map_or(0, |shape| shape.distance(payload));
        match self.types.iter().map(|kind| (distance(kind), kind)).min_by_key(|(distance, _)| *distance) {
            Some((_, nearest)) => Found::Type(nearest),
            None => Found::Anything,
        }
    }

    fn types_at(&self) -> String {
        self.types
            .first()
            .map(|kind| kind.at.rsplit_once('/').map_or_else(String::new, |(at, _)| at.to_owned()))
            .unwrap_or_default()
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
