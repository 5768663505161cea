//! Requests as a starting point for cases: ordinary values, references to what exists, and resources that are made for
//! the purpose.

use serde_json::{Value, json};

use super::{
    call::{Call, Credential, Payload},
    plan::{BodyMedia, Form, In, Op},
    resources::{Instance, identity, identity_field, listed},
    run::Run,
    wire::Came,
    written::can_be_sent,
};
use crate::contract::{
    generate::{Chance, Generator},
    schema::escape,
};
use patchbay_contracts::integration::Method;

/// How deep resources are made within others.
const DEEPEST: usize = 4;
/// Where the numbers begin that are given to new resources: those below may be somebody's.
const LOW: u64 = 1_000_000;
/// How often a resource is tried to be made.
const TRIES: u64 = 4;

impl Run {
    /// An ordinary valid request to an operation, with what is required only, unless `whole`. The path leads to `instance`
    /// where that serves.
    pub(super) fn base(&self, op: usize, instance: Option<&Instance>, whole: bool) -> Option<Call> {
        let operation = self.ops.get(op)?;
        let mut params = Vec::with_capacity(operation.params.len());
        for param in &operation.params {
            let needed = param.required || param.place == In::Path || whole;
            let value = if needed { ordinary(&param.examples, param.generator.as_ref()) } else { None };
            let must = param.required || param.place == In::Path;
            let value = value.filter(|value| must || can_be_sent(param, value));
            // Without a value for what is needed there is no request.
            if value.is_none() && must {
                return None;
            }
            params.push(value.filter(|_| needed));
        }
        let payload = self.payload(operation);
        if payload == Payload::None && operation.body.as_ref().is_some_and(|body| body.required) {
            return None;
        }
        let mut call = Call { op, params, payload, credential: Credential::Given, accept: None };
        self.refer(&mut call);
        if let Some(instance) = instance {
            self.lead(&mut call, instance);
        }
        self.agree(&mut call);
        Some(call)
    }

    fn payload(&self, op: &Op) -> Payload {
        let medias = op.body.iter().flat_map(|body| body.medias.iter().enumerate());
        let mut values = medias.filter_map(|(index, media)| Some(Payload::Value(index, self.body_value(media)?)));
        values.next().unwrap_or(Payload::None)
    }

    /// An ordinary body of a media type; none where none can be made in it.
    pub(super) fn body_value(&self, media: &BodyMedia) -> Option<Value> {
        // Of what is not described, anything is one.
        let any = match media.form {
            Form::Text => json!("text"),
            _ => json!({}),
        };
        let undescribed = media.asked.schema.is_none().then_some(any);
        let given = media.examples.iter().find(|example| media.takes(example)).cloned();
        let made = || media.generator.as_ref()?.ordinary().filter(|value| media.writes(value));
        given.or_else(made).or(undescribed)
    }

    /// Makes the path of a request lead to a resource.
    pub(super) fn lead(&self, call: &mut Call, instance: &Instance) {
        let Some(op) = self.ops.get(call.op).filter(|op| instance.serves(&op.path)) else { return };
        let names = op.path_names();
        for (name, value) in names.iter().zip(&instance.values) {
            if let Some(at) = op.params.iter().position(|param| param.place == In::Path && param.name == *name)
                && let Some(place) = call.params.get_mut(at)
            {
                *place = Some(Value::String(value.clone()));
            }
        }
        self.agree(call);
    }

    /// Where the body of a request, or its parameters, refer to a resource by its identity, one that exists is put there.
    pub(super) fn refer(&self, call: &mut Call) {
        let Some(op) = self.ops.get(call.op) else { return };
        if let Payload::Value(media, value) = &call.payload {
            let generator = op.body.as_ref().and_then(|body| body.medias.get(*media)).and_then(|media| media.generator.as_ref());
            let mut changed = value.clone();
            let valid = generator.is_some_and(|generator| generator.allows(&changed));
            for pointer in self.references(&changed) {
                let before = changed.clone();
                if let (Some(known), Some(place)) = (self.known_for(&pointer), changed.pointer_mut(&pointer)) {
                    *place = if place.is_number() {
                        known.parse::<i64>().map_or_else(|_| place.clone(), Value::from)
                    } else {
                        Value::String(known)
                    };
                }
                if valid && generator.is_some_and(|generator| !generator.allows(&changed)) {
                    changed = before;
                }
            }
            call.payload = Payload::Value(*media, changed);
        }
        for (param, value) in
            op.params.iter().zip(&mut call.params).filter(|(param, _)| matches!(param.place, In::Query | In::Header | In::Cookie))
        {
            if value.is_some()
                && let Some(known) = self.known_for(&param.name)
            {
                *value = Some(Value::String(known));
            }
        }
    }

    /// The pointers of fields that refer to resources of a collection.
    pub(super) fn references(&self, value: &Value) -> Vec<String> {
        let mut all = Vec::new();
        fields(value, "", &mut all, 0);
        all.into_iter().filter(|pointer| self.collection_for(pointer).is_some()).collect()
    }

    fn collection_for(&self, pointer: &str) -> Option<usize> {
        let name = pointer.rsplit('/').find(|part| !part.bytes().all(|byte| byte.is_ascii_digit()))?;
        self.collections.iter().position(|collection| collection.referred(name))
    }

    /// The identity of a resource that a field of that name may refer to.
    fn known_for(&self, pointer: &str) -> Option<String> {
        let collection = self.collection_for(pointer)?;
        self.anchors().get(&collection).and_then(|instance| instance.values.last().cloned())
    }

    /// Makes one resource of each collection that requests refer to, those first that others refer to themselves.
    pub(super) async fn anchor(&self) {
        let mut waiting: Vec<usize> = Vec::new();
        for (op, _) in self.ops.iter().enumerate().filter(|(_, op)| op.chosen) {
            self.referred_by(op, &mut waiting, 0);
        }
        for collection in waiting {
            if self.wire.ended().is_none()
                && let Some(instance) = self.create(collection, 0).await
            {
                self.anchors().insert(collection, instance);
            }
        }
    }

    /// The collections that the requests of an operation refer to, in the order in which they have to be made.
    fn referred_by(&self, op: usize, all: &mut Vec<usize>, depth: usize) {
        let (Some(operation), Some(call)) = (self.ops.get(op), self.base(op, None, true)) else { return };
        let mut names: Vec<String> = call.value().map(|value| self.references(value)).unwrap_or_default();
        names.extend(operation.params.iter().filter(|param| param.place != In::Path).map(|param| param.name.clone()));
        for collection in names.iter().filter_map(|name| self.collection_for(name)) {
            let Some(made) = self.collections.get(collection) else { continue };
            if all.contains(&collection) || made.create == op {
                continue;
            }
            if depth < DEEPEST {
                self.referred_by(made.create, all, depth + 1);
            }
            if !all.contains(&collection) {
                all.push(collection);
            }
        }
    }

    /// Something that exists and that the path of an operation may lead to: made for the purpose where the document has a
    /// way to, else found in a list.
    pub(super) async fn instance_for(&self, op: usize) -> Option<Instance> {
        let path = &self.ops.get(op)?.path;
        let mut serving: Vec<(usize, String)> = self
            .collections
            .iter()
            .enumerate()
            .map(|(index, collection)| (index, collection.template()))
            .filter(|(index, template)| {
                let probe = Instance { collection: Some(*index), template: template.clone(), values: Vec::new() };
                probe.serves(path)
            })
            .collect();
        // The longest leads furthest.
        serving.sort_by_key(|(_, template)| std::cmp::Reverse(template.len()));
        for (collection, _) in serving {
            if let Some(instance) = Box::pin(self.create(collection, 0)).await {
                return Some(instance);
            }
        }
        self.found_in_list(op).await
    }

    /// Makes a resource of a collection, within new ones of those above it.
    pub(super) async fn create(&self, collection: usize, depth: usize) -> Option<Instance> {
        if depth > DEEPEST || self.wire.ended().is_some() {
            return None;
        }
        let made = self.collections.get(collection)?;
        let parent = self.parent(made.create, depth).await;
        for attempt in 0..TRIES {
            let mut call = self.base(made.create, parent.as_ref(), false)?;
            // The first try is as the document has it but for its identity; others differ, since much is to be there once
            // only.
            call = if attempt > 0 { self.varied(&call, self.next_number(), "") } else { self.identified(&call) };
            let Ok(Came::Answer(exchanged)) = self.send(&call).await else { return None };
            let status = exchanged.answer.as_ref().map_or(0, |answer| answer.status);
            if (200..300).contains(&status) {
                let instance = self.made(collection, &call, &exchanged)?;
                return Some(instance);
            }
            if !matches!(status, 409 | 400 | 422) {
                return None;
            }
        }
        None
    }

    /// The resource that an operation's own path lies within.
    pub(super) async fn parent(&self, op: usize, depth: usize) -> Option<Instance> {
        let path = &self.ops.get(op)?.path;
        let above = self.collections.iter().enumerate().filter(|(_, collection)| {
            let probe = Instance { collection: None, template: collection.template(), values: Vec::new() };
            collection.create != op && probe.serves(path)
        });
        let (above, _) = above.max_by_key(|(_, collection)| collection.template().len())?;
        Box::pin(self.create(above, depth + 1)).await
    }

    /// Keeps in mind what a request has made; none where its identity can't be told.
    pub(super) fn made(&self, collection: usize, call: &Call, exchanged: &crate::http::Exchanged) -> Option<Instance> {
        let known = self.collections.get(collection)?;
        let identity = identity(&self.ops, known, exchanged)?;
        let mut values = self.path_values(call);
        values.push(identity);
        let instance = Instance { collection: Some(collection), template: known.template(), values };
        self.remember(instance.clone());
        Some(instance)
    }

    /// The values of the parameters in a request's path.
    pub(super) fn path_values(&self, call: &Call) -> Vec<String> {
        let Some(op) = self.ops.get(call.op) else { return Vec::new() };
        let value = |name: &str| {
            let at = op.params.iter().position(|param| param.place == In::Path && param.name == name)?;
            call.params.get(at)?.as_ref().map(crate::contract::generate::plain_text)
        };
        op.path_names().into_iter().map(|name| value(name).unwrap_or_default()).collect()
    }

    async fn found_in_list(&self, op: usize) -> Option<Instance> {
        let operation = self.ops.get(op)?;
        let end = operation.path.rfind('}')? + 1;
        let item = operation.path.get(..end)?;
        let parent = item.rsplit_once('/')?.0;
        if parent.contains('{') {
            return None;
        }
        let list = self.ops.iter().position(|op| op.method == Method::Get && op.path.trim_end_matches('/') == parent)?;
        let call = self.base(list, None, false)?;
        let Ok(Came::Answer(exchanged)) = self.send(&call).await else { return None };
        let body = exchanged.answer.as_ref()?.body.json.as_ref()?;
        let values = vec![listed(body, item).into_iter().next()?];
        Some(Instance { collection: None, template: super::plan::anonymous(item), values })
    }

    /// Where the body of a request that changes a resource says which one, as its path does. Saying another would give it a
    /// new name, if it is not refused.
    pub(super) fn path_identity(&self, op: usize, value: &Value) -> Option<String> {
        let op = self.ops.get(op).filter(|op| matches!(op.method, Method::Put | Method::Patch))?;
        let item = op.path.trim_end_matches('/');
        let name = item.ends_with('}').then(|| identity_field(value, item)).flatten()?;
        Some(format!("/{}", escape(&name)))
    }

    /// Lets the body of a request say the same as its path of which resource it is about.
    fn agree(&self, call: &mut Call) {
        let (Some(op), Payload::Value(media, value)) = (self.ops.get(call.op), &call.payload) else { return };
        let Some(pointer) = self.path_identity(call.op, value) else { return };
        let generator = op.body.as_ref().and_then(|body| body.medias.get(*media)).and_then(|media| media.generator.as_ref());
        let (Some(generator), Some(path)) = (generator, self.path_values(call).pop()) else { return };
        let mut changed = value.clone();
        if let Some(place) = changed.pointer_mut(&pointer) {
            *place = match (place.is_number(), path.parse::<i64>()) {
                (true, Ok(number)) => number.into(),
                _ => Value::String(path),
            };
        }
        if generator.allows(&changed) {
            *call = call.with_value(changed);
        }
    }

    /// Where the body of a request that makes a resource says which one: two that say the same are one to many services.
    pub(super) fn own_identity(&self, op: usize, value: &Value) -> Option<String> {
        let collection = self.collections.iter().find(|collection| collection.create == op)?;
        let name = identity_field(value, &collection.item)?;
        Some(format!("/{}", escape(&name)))
    }

    /// The same request for a resource that no other request of the run makes, where its body says which one.
    pub(super) fn identified(&self, call: &Call) -> Call {
        let Payload::Value(media, value) = &call.payload else { return call.clone() };
        let Some(pointer) = self.own_identity(call.op, value) else { return call.clone() };
        let media = self.ops.get(call.op).and_then(|op| op.body.as_ref()).and_then(|body| body.medias.get(*media));
        let Some(generator) = media.and_then(|media| media.generator.as_ref()) else { return call.clone() };
        let number = self.next_number();
        call.with_value(another(value, &pointer, number, |trial| generator.allows(trial)))
    }

    /// The same request with other texts wherever that leaves it as valid as it was: what is to be unique is so then. The
    /// place `keep` and all below it stay.
    pub(super) fn varied(&self, call: &Call, number: u64, keep: &str) -> Call {
        let Payload::Value(media, value) = &call.payload else { return call.clone() };
        let generator = self
            .ops
            .get(call.op)
            .and_then(|op| op.body.as_ref())
            .and_then(|body| body.medias.get(*media))
            .and_then(|media| media.generator.as_ref());
        let Some(generator) = generator else { return call.clone() };
        let (own, shared) = (self.own_identity(call.op, value), self.path_identity(call.op, value));
        let errors = |value: &Value| generator.validator().iter_errors(value).take(5).count();
        let before = errors(value);
        let mut changed = value.clone();
        let mut all = Vec::new();
        fields(value, "", &mut all, 0);
        for pointer in all {
            if own.as_ref() == Some(&pointer) && pointer != keep {
                changed = another(&changed, &pointer, number, |trial| errors(trial) == before);
                continue;
            }
            let kept = !keep.is_empty()
                && (pointer == keep || pointer.starts_with(&format!("{keep}/")) || keep.starts_with(&format!("{pointer}/")));
            if kept || self.collection_for(&pointer).is_some() || shared.as_ref() == Some(&pointer) {
                continue;
            }
            let Some(Value::String(text)) = changed.pointer(&pointer).cloned() else { continue };
            for candidate in other_texts(&text, number) {
                let mut trial = changed.clone();
                if let Some(place) = trial.pointer_mut(&pointer) {
                    *place = Value::String(candidate);
                }
                if errors(&trial) == before {
                    changed = trial;
                    break;
                }
            }
        }
        call.with_value(changed)
    }
}

/// An example of the document where there is a valid one, else an ordinary value.
fn ordinary(examples: &[Value], generator: Option<&Generator>) -> Option<Value> {
    let Some(generator) = generator else { return examples.first().cloned() };
    examples.iter().find(|example| generator.allows(example)).cloned().or_else(|| generator.ordinary())
}

/// A value with another scalar at a pointer, as far as that is `right`.
fn another(value: &Value, pointer: &str, number: u64, right: impl Fn(&Value) -> bool) -> Value {
    let candidates: Vec<Value> = match value.pointer(pointer) {
        Some(Value::String(text)) => other_texts(text, number).into_iter().map(Value::String).collect(),
        Some(Value::Number(_)) => {
            [LOW + number, number % LOW, number % 10_000, number % 1000, number % 100].map(Value::from).to_vec()
        }
        _ => Vec::new(),
    };
    let put = |candidate: Value| {
        let mut changed = value.clone();
        *changed.pointer_mut(pointer)? = candidate;
        Some(changed)
    };
    candidates.into_iter().filter_map(put).find(|changed| right(changed)).unwrap_or_else(|| value.clone())
}

/// The pointers of all scalars of a value.
fn fields(value: &Value, at: &str, all: &mut Vec<String>, depth: usize) {
    if depth > 6 || all.len() > 300 {
        return;
    }
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| fields(value, &format!("{at}/{}", escape(name)), all, depth + 1))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| fields(value, &format!("{at}/{index}"), all, depth + 1))
        }
        _ => all.push(at.to_owned()),
    }
}

/// Texts that are like another and not the same.
fn other_texts(text: &str, number: u64) -> Vec<String> {
    let mut chance = Chance::of(number, text);
    let mut all = Vec::new();
    if let Some((name, host)) = text.split_once('@') {
        all.push(format!("{name}{number}@{host}"));
    }
    // Digits and letters replaced by others of their kind keep most patterns and formats.
    let mut like = |digits: bool| -> String {
        text.chars()
            .map(|c| match c {
                '0'..='9' if digits => char::from(b'1' + u8::try_from(chance.below(9)).unwrap_or(0)),
                'a'..='f' if !digits || text.len() == 36 => char::from(b'a' + u8::try_from(chance.below(6)).unwrap_or(0)),
                'a'..='z' if !digits => char::from(b'a' + u8::try_from(chance.below(26)).unwrap_or(0)),
                'A'..='Z' => char::from(b'A' + u8::try_from(chance.below(26)).unwrap_or(0)),
                other => other,
            })
            .collect()
    };
    let (digits, letters) = (like(true), like(false));
    all.extend([format!("{text} {number}"), format!("{text}{number}"), digits, letters]);
    all
}
