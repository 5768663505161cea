//! What a pact asks, one interaction at a time, so that one which can't be read leaves the others.

use pact_models::{
    PactSpecification,
    interaction::{http_interaction_from_json, message_interaction_from_json},
    provider_states::ProviderState,
};
use patchbay_contracts::{Code, Problem};
use serde_json::Value;

use super::{
    matching::{AnyInteraction, as_message, specification},
    source::PactFile,
    tame::{self, Mistake},
};
use crate::Result;

/// The most interactions of one pact.
const MOST: usize = 10_000;

/// How an interaction is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// A request, and a response.
    Http,
    /// A message that the provider sends.
    Message,
    /// A message that the provider answers with others.
    Exchange,
}

/// One interaction of a pact.
#[derive(Debug)]
pub(super) struct Asked {
    /// Its JSON pointer in the pact.
    pub(super) pointer: String,
    /// `consumer: description given state`.
    pub(super) label: String,
    /// The id that a broker gave it.
    pub(super) id: Option<String>,
    pub(super) description: String,
    pub(super) states: Vec<ProviderState>,
    /// Whether it may fail without failing the run.
    pub(super) pending: bool,
    /// The interaction, or why it can't be read.
    pub(super) interaction: Result<(Way, AnyInteraction)>,
}

/// A pact, read.
#[derive(Debug)]
pub(super) struct Pact {
    pub(super) consumer: String,
    pub(super) provider: String,
    pub(super) specification: String,
    pub(super) interactions: Vec<Asked>,
}

/// Reads a pact.
///
/// # Errors
/// [`Code::InvalidDefinition`] with the place, where it names no parties, is of an unknown version or asks nothing.
pub(super) fn read(file: &PactFile) -> Result<Pact> {
    let value = &file.value;
    let at = |pointer: &str, what: String| {
        let problem = Problem::new(Code::InvalidDefinition, format!("`{}` is no pact that can be verified: {what}", file.file));
        Problem { place: file.place(pointer), ..problem }
    };
    let party = |name: &str| {
        let party = value.get(name).and_then(|party| party.get("name")).and_then(Value::as_str);
        party.map(str::to_owned).ok_or_else(|| at("", format!("it names no {name}")))
    };
    let (consumer, provider) = (party("consumer")?, party("provider")?);
    let (pointer, version) = version_of(value);
    let spec = specification(&version).map_err(|problem| at(pointer, problem.what))?;
    let mut interactions = Vec::new();
    for (list, http) in [("interactions", true), ("messages", false)] {
        let items = match value.get(list) {
            None => continue,
            Some(Value::Array(items)) => items,
            Some(other) => return Err(at(&format!("/{list}"), format!("`{list}` is {} and no list", tame::kind_of(other)))),
        };
        if items.len() > MOST {
            return Err(at(&format!("/{list}"), format!("it has {} {list}, and {MOST} is the bound", items.len())));
        }
        for (index, item) in items.iter().enumerate() {
            let pointer = format!("/{list}/{index}");
            interactions.push(asked(file, &consumer, pointer, item, &spec, http));
        }
    }
    if interactions.is_empty() {
        return Err(at("", "it has neither interactions nor messages".to_owned()));
    }
    Ok(Pact { consumer, provider, specification: version, interactions })
}

/// The version that a pact says, and where. One that says none is read as version 3, which reads the older ones too.
fn version_of(value: &Value) -> (&'static str, String) {
    let places = [
        "/metadata/pactSpecification/version",
        "/metadata/pact-specification/version",
        "/metadata/pact_specification/version",
        "/metadata/pactSpecificationVersion",
    ];
    places
        .into_iter()
        .find_map(|pointer| {
            let version = value.pointer(pointer)?;
            Some((pointer, version.as_str().map_or_else(|| version.to_string(), str::to_owned)))
        })
        .unwrap_or(("", "3".to_owned()))
}

fn asked(file: &PactFile, consumer: &str, pointer: String, item: &Value, spec: &PactSpecification, http: bool) -> Asked {
    let text = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = pointer.rsplit('/').next().and_then(|index| index.parse::<usize>().ok()).map_or(0, |index| index + 1);
    let description = text("description").unwrap_or_else(|| format!("interaction {number}"));
    let states = if item.is_object() { states(item) } else { Vec::new() };
    let given = states.iter().map(|state| state.name.as_str()).collect::<Vec<_>>().join(" and ");
    let given = if given.is_empty() { given } else { format!(" given {given}") };
    let interaction = interaction(item, spec, http).map_err(|mistake| {
        let place = file.place(&format!("{pointer}{}", mistake.pointer));
        Problem { place, ..mistake.problem(&format!("`{description}`")) }
    });
    Asked {
        label: format!("{consumer}: {description}{given}"),
        id: text("_id"),
        pending: file.pending || item.get("pending").and_then(Value::as_bool).unwrap_or(false),
        pointer,
        description,
        states,
        interaction,
    }
}

fn states(item: &Value) -> Vec<ProviderState> {
    let mut states = ProviderState::from_json(item);
    states.retain(|state| !state.name.is_empty());
    states
}

fn interaction(item: &Value, spec: &PactSpecification, http: bool) -> std::result::Result<(Way, AnyInteraction), Mistake> {
    let mistake = |pointer: &str, what: String| Mistake { pointer: pointer.to_owned(), what };
    if !item.is_object() {
        return Err(mistake("", format!("it is {} and no object", tame::kind_of(item))));
    }
    let kind = match (spec, item.get("type").and_then(Value::as_str)) {
        (PactSpecification::V4, Some("Synchronous/HTTP")) => Way::Http,
        (PactSpecification::V4, Some("Asynchronous/Messages")) => Way::Message,
        (PactSpecification::V4, Some("Synchronous/Messages")) => Way::Exchange,
        (PactSpecification::V4, other) => {
            return Err(mistake("/type", format!("its type {} is none of version 4", other.unwrap_or("is missing and"))));
        }
        _ if http => Way::Http,
        _ => Way::Message,
    };
    let part = |name: &str| match item.get(name) {
        Some(part) => tame::part(part).map_err(|mistake| mistake.below(&format!("/{name}"))),
        None => Err(mistake("", format!("it has no {name}"))),
    };
    let read = match kind {
        Way::Http => {
            part("request")?;
            part("response")?;
            let path = item.pointer("/request/path");
            if path.is_some_and(|path| !path.is_string()) {
                return Err(mistake("/request/path", "the path is no text".to_owned()));
            }
            http_interaction_from_json("", item, spec)
        }
        Way::Message => {
            tame::part(item)?;
            message_interaction_from_json("", &as_message(item, spec), spec)
        }
        Way::Exchange => {
            part("request")?;
            message_interaction_from_json("", item, spec)
        }
    };
    read.map(|read| (kind, read)).map_err(|error| mistake("", error.to_string()))
}
