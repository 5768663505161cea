//! Collections of resources, as far as the document's paths tell: what is created by a POST to `/things` and is then at
//! `/things/{id}`; and how the identity of a new one is found in the answer.

use serde_json::Value;
use url::Url;

use super::plan::{Op, anonymous, names_in};
use crate::{contract::generate::plain_text, http::Exchanged};
use patchbay_contracts::integration::Method;

/// The longest identity, in bytes.
const LONGEST: usize = 500;

/// A collection.
#[derive(Debug, Clone)]
pub(super) struct Collection {
    /// The operation that creates.
    pub(super) create: usize,
    /// The path of one of its resources, as an operation has it.
    pub(super) item: String,
    pub(super) read: Option<usize>,
    pub(super) delete: Option<usize>,
}

/// One resource that was created, by the values of all parameters in its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instance {
    /// The index of the collection; none for one that was found in a list.
    pub(super) collection: Option<usize>,
    /// The path without names: `/orders/{}`.
    pub(super) template: String,
    pub(super) values: Vec<String>,
}

impl Instance {
    /// Whether an operation's path leads to it, or to something below it.
    pub(super) fn serves(&self, path: &str) -> bool {
        under(&anonymous(path), &self.template)
    }
}

/// Whether a path without names is a template or below it.
fn under(path: &str, template: &str) -> bool {
    path.strip_prefix(template).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':']))
}

/// The collections of a document.
pub(super) fn collections(ops: &[Op]) -> Vec<Collection> {
    let mut all: Vec<Collection> = Vec::new();
    for (index, create) in ops.iter().enumerate().filter(|(_, op)| op.method == Method::Post) {
        let parent = anonymous(create.path.trim_end_matches('/'));
        let items: Vec<usize> = (0..ops.len())
            .filter(|other| {
                ops.get(*other).is_some_and(|op| {
                    let path = anonymous(op.path.trim_end_matches('/'));
                    path.strip_prefix(parent.as_str()) == Some("/{}")
                })
            })
            .collect();
        let of = |method: Method| items.iter().copied().find(|item| ops.get(*item).is_some_and(|op| op.method == method));
        let Some(first) = items.first().and_then(|item| ops.get(*item)) else { continue };
        all.push(Collection { create: index, item: first.path.clone(), read: of(Method::Get), delete: of(Method::Delete) });
    }
    all
}

impl Collection {
    /// The path without names.
    pub(super) fn template(&self) -> String {
        anonymous(self.item.trim_end_matches('/'))
    }

    /// What one of its resources is called: `order` for `/orders/{id}`.
    pub(super) fn noun(&self) -> String {
        noun_of(&self.item)
    }

    /// Whether a field of that name refers to one of its resources: `orderId`, `order_id`.
    pub(super) fn referred(&self, name: &str) -> bool {
        let (name, noun) = (letters(name), self.noun());
        !noun.is_empty()
            && name.strip_suffix("id").is_some_and(|front| front == noun || front.ends_with(&noun) && front.len() > noun.len())
    }
}

fn noun_of(item: &str) -> String {
    let mut segments = item.trim_end_matches('/').split('/').filter(|segment| !segment.contains('{'));
    singular(&letters(segments.next_back().unwrap_or_default()))
}

/// The letters and digits in lower case.
fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn singular(noun: &str) -> String {
    if let Some(stem) = noun.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if noun.ends_with(ending) {
            return noun[..noun.len() - 2].to_owned();
        }
    }
    match noun.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') => stem.to_owned(),
        _ => noun.to_owned(),
    }
}

/// The identity of what was just created: where a link of the document leads with it, by the name of the path's parameter,
/// from the Location header, or as `id`.
pub(super) fn identity(ops: &[Op], collection: &Collection, exchanged: &Exchanged) -> Option<String> {
    let answer = exchanged.answer.as_ref()?;
    let name = names_in(&collection.item).last().copied().unwrap_or_default();
    if let Some(spec) = ops.get(collection.create).and_then(|op| op.answer(answer.status)) {
        for link in &spec.links {
            let leads = ops.get(link.target).is_some_and(|op| anonymous(&op.path) == anonymous(&collection.item));
            let expression = link.parameters.get(name).or_else(|| link.parameters.get(&format!("path.{name}")));
            if let (true, Some(Value::String(expression))) = (leads, expression)
                && let Some(pointer) = expression.strip_prefix("$response.body#")
                && let Some(value) = answer.body.json.as_ref().and_then(|body| body.pointer(pointer))
            {
                return scalar(value);
            }
        }
    }
    if let Some(body) = &answer.body.json {
        let noun = collection.noun();
        if let Some(found) = named(body, name, &noun) {
            return Some(found);
        }
        // Some put the resource into an envelope: `{ "data": { … } }`.
        let inner = body.as_object().into_iter().flatten().filter(|(_, value)| value.is_object());
        for (_, value) in inner.take(5) {
            if let Some(found) = named(value, name, &noun) {
                return Some(found);
            }
        }
    }
    from_location(collection, exchanged)
}

/// The last segment of the Location header, where that is of the shape of the collection's paths.
pub(super) fn from_location(collection: &Collection, exchanged: &Exchanged) -> Option<String> {
    let location = exchanged.answer.as_ref()?.header("location")?;
    let target = exchanged.url().join(&location).ok()?;
    let segment = |url: &Url| url.path().trim_end_matches('/').rsplit('/').next().map(str::to_owned);
    let before: Vec<&str> = collection.item.trim_end_matches('/').split('/').collect();
    let noun = before.iter().rev().nth(1).copied().unwrap_or_default();
    let parts: Vec<&str> = target.path().trim_end_matches('/').split('/').collect();
    if parts.iter().rev().nth(1) != Some(&noun) {
        return None;
    }
    let text = percent_encoding::percent_decode_str(&segment(&target)?).decode_utf8().ok()?.into_owned();
    (!text.is_empty() && text.len() <= LONGEST).then_some(text)
}

/// The member of a body that says which resource it is about, of those at a path.
pub(super) fn identity_field(body: &Value, item: &str) -> Option<String> {
    let name = names_in(item).last().copied().unwrap_or_default();
    let members = body.as_object()?;
    let scalar = |(_, value): &(&String, &Value)| value.is_string() || value.is_number();
    let wanted = wanted(name, &noun_of(item));
    wanted
        .iter()
        .find_map(|wanted| members.iter().filter(scalar).find(|(name, _)| letters(name) == *wanted))
        .map(|(name, _)| name.clone())
}

/// The names that identities go by, the likeliest first.
fn wanted(name: &str, noun: &str) -> [String; 6] {
    [letters(name), "id".to_owned(), format!("{noun}id"), "uuid".to_owned(), "key".to_owned(), "slug".to_owned()]
}

fn named(body: &Value, name: &str, noun: &str) -> Option<String> {
    let members = body.as_object()?;
    let wanted = wanted(name, noun);
    wanted
        .iter()
        .find_map(|wanted| members.iter().find(|(name, _)| letters(name) == *wanted).and_then(|(_, value)| scalar(value)))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() || text.len() > LONGEST => None,
        Value::String(_) | Value::Number(_) => Some(plain_text(value)),
        _ => None,
    }
}

/// The identities in a list: those of the elements of the body, or of the first list in it.
pub(super) fn listed(body: &Value, path: &str) -> Vec<String> {
    let name = names_in(path).last().copied().unwrap_or_default();
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').filter(|segment| !segment.contains('{')).collect();
    let noun = singular(&letters(segments.last().unwrap_or(&"")));
    let items = match body {
        Value::Array(items) => Some(items),
        Value::Object(members) => members.values().find_map(Value::as_array),
        _ => None,
    };
    items.into_iter().flatten().take(20).filter_map(|item| named(item, name, &noun)).collect()
}
