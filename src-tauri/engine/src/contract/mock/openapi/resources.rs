//! What a request does to the resources that the mock remembers.

use serde_json::{Map, Value};

use super::{
    Call, Service,
    compile::{BodyForm, Op, ReplyMedia},
    input::scalar,
    render::{Draft, identity_name, identity_of, list},
    state::Collection,
};
use crate::contract::{
    generate::{Chance, plain_text},
    mock::{
        exchange::{Answer, Refusal, decoded},
        routes::{anonymous, letters},
    },
};

/// How many identities are tried for a new resource.
const TRIES: u64 = 20;

/// What a request's path is about.
enum Subject {
    /// All resources of a kind, whose parent is this path.
    All(Collection, String),
    /// One resource, at this path.
    One(Collection, String),
    /// Something else that can be written and read, at this path.
    Document(String),
}

impl Service {
    /// Does what a request asks for, and answers.
    pub(super) fn carried_out(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        self.ancestors(call)?;
        let method = self.operation(call.index).map_or_else(String::new, |operation| operation.method.clone());
        match (self.subject(call), method.as_str()) {
            (Some(Subject::All(collection, parent)), "POST") if collection.create == Some(call.index) => {
                self.create(call, &collection, &parent)
            }
            (Some(Subject::All(collection, parent)), "GET") => self.all(call, &collection, &parent),
            (Some(Subject::One(collection, path)), "GET" | "HEAD") => self.one(call, &collection, &path),
            (Some(Subject::One(collection, path)), "PUT" | "PATCH") => {
                self.change(call, Some(&collection), &path, method == "PATCH")
            }
            (Some(Subject::One(collection, path)), "DELETE") => self.delete(call, &collection, &path),
            (Some(Subject::Document(path)), "PUT" | "PATCH") => self.change(call, None, &path, method == "PATCH"),
            (Some(Subject::Document(path)), "GET" | "HEAD") => {
                let known = self.state.get(&path).cloned();
                self.succeeded(call, call.op.success(&[200]), |media| self.shown(call, media, known.as_ref(), None), None)
            }
            (_, method) => {
                let usual: &[u16] = match method {
                    "POST" => &[200, 201, 202, 204],
                    "DELETE" => &[204, 200, 202],
                    _ => &[200],
                };
                self.succeeded(call, call.op.success(usual), |media| self.sample(call, media), None)
            }
        }
    }

    fn subject(&self, call: &Call<'_>) -> Option<Subject> {
        let operation = self.operation(call.index)?;
        let own = anonymous(&operation.path);
        let path = concrete(&operation.path, &call.path);
        if let Some(collection) = self.collections.iter().find(|collection| collection.item == own) {
            return Some(Subject::One(collection.clone(), path));
        }
        let of_parent = self.collections.iter().filter(|collection| collection.parent == own);
        if let Some(collection) = of_parent.max_by_key(|collection| collection.create.is_some()) {
            return Some(Subject::All(collection.clone(), path));
        }
        let written =
            |method: &str| self.api.operations.iter().any(|other| other.method == method && other.path == operation.path);
        (written("GET") && (written("PUT") || written("PATCH"))).then_some(Subject::Document(path))
    }

    /// What a path lies within must be there.
    fn ancestors(&mut self, call: &Call<'_>) -> Result<(), Refusal> {
        let Some(operation) = self.operation(call.index) else { return Ok(()) };
        let (template, mut above) = (operation.path.clone(), Vec::new());
        for (at, _) in template.match_indices('/').skip(1) {
            let front = &template[..at];
            if let Some(collection) = self.collections.iter().find(|collection| collection.item == anonymous(front)) {
                above.push((collection.clone(), concrete(front, &call.path)));
            }
        }
        for (collection, path) in above {
            self.there(&collection, &path)?;
        }
        Ok(())
    }

    /// Whether a resource is there. Where the document has a way to make one, only what was made, or given as an example,
    /// is; otherwise everything that was not deleted.
    fn there(&mut self, collection: &Collection, path: &str) -> Result<(), Refusal> {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.seed(collection, parent);
        let id = path.rsplit('/').next().unwrap_or_default();
        let known = self.state.get(path).is_some();
        let example = collection.examples.iter().any(|example| plain_text(example) == id);
        if known || !self.state.is_gone(path) && (collection.create.is_none() || example) {
            return Ok(());
        }
        Err(Refusal::not_found(format!(
            "There is no {} {id}",
            if collection.noun.is_empty() { "resource" } else { &collection.noun }
        )))
    }

    /// Puts in what the document gives as examples, or one that is made, so that there is something to read.
    fn seed(&mut self, collection: &Collection, parent: &str) {
        if collection.create.is_none() || collection.parent.contains('{') || !self.state.seeded.insert(collection.item.clone()) {
            return;
        }
        let example = |index: Option<usize>| {
            let op = self.op(index?)?;
            let reply = op.reply(op.success(&[200]))?;
            let media = reply.medias.iter().find(|media| BodyForm::of(&media.name) == BodyForm::Json)?;
            let given = media.examples.iter().find(|example| media.allows(example)).cloned();
            Some((given.is_some(), given.unwrap_or_else(|| media.sample(self.seed, &op.label).clone())))
        };
        let items: Vec<Value> = match (example(collection.list), example(collection.read)) {
            (Some((true, Value::Array(items))), _) => items,
            (Some((true, Value::Object(members))), _) if members.values().any(Value::is_array) => {
                members.into_iter().filter_map(|(_, value)| value.as_array().cloned()).next().unwrap_or_default()
            }
            (_, Some((_, one))) => vec![one],
            _ => Vec::new(),
        };
        for item in items {
            let Some(resource) = unwrapped(item, collection) else { continue };
            if let Some(id) = identity_of(&resource, &collection.parameter, &collection.noun) {
                self.state.put(format!("{parent}/{}", segment(&id)), resource);
            }
        }
    }

    /// A resource in the form that an answer has.
    fn shown(
        &self,
        call: &Call<'_>,
        media: &ReplyMedia,
        known: Option<&Map<String, Value>>,
        identity: Option<(&Collection, &str)>,
    ) -> Value {
        let mut draft = Draft::new(media.sample(self.seed, &call.op.label).clone(), media.generator.as_ref());
        if !draft.value.is_object() {
            return draft.value;
        }
        if let Some(known) = known {
            draft.overlay(known);
        }
        if let Some((collection, id)) = identity {
            draft.identify(id, &collection.parameter, &collection.noun);
        }
        draft.value
    }

    fn create(&mut self, call: &Call<'_>, collection: &Collection, parent: &str) -> Result<Answer, Refusal> {
        self.seed(collection, parent);
        let sent = match &call.body {
            Some(Value::Object(sent)) => sent.clone(),
            _ => Map::new(),
        };
        let status = call.op.success(&[201, 200, 202, 204]);
        let id = self.identity(call, collection, parent, &sent, status)?;
        let mut resource = self.template(call.op, collection, status);
        resource.extend(sent);
        // What was sent stays as it is, even where nobody can be led to it.
        let nameless = names_itself(&call.body, collection).is_some_and(|name| name != id);
        let mut draft = Draft::new(Value::Object(resource), None);
        if !nameless {
            draft.identify(&id, &collection.parameter, &collection.noun);
        }
        let Value::Object(mut resource) = draft.value else { return Ok(Answer::empty(status)) };
        if !nameless && identity_of(&resource, &collection.parameter, &collection.noun).is_none() {
            resource.insert(collection.parameter.clone(), Value::String(id.clone()));
        }
        let path = format!("{parent}/{}", segment(&id));
        self.state.put(path.clone(), resource.clone());
        let location = format!("{}{path}", self.url);
        let location = collection.read.is_some().then_some(location.as_str());
        let identity = (!nameless).then_some((collection, id.as_str()));
        let mut answer = self.succeeded(call, status, |media| self.shown(call, media, Some(&resource), identity), location)?;
        for (name, parameter) in call.op.reply(status).into_iter().flat_map(|reply| &reply.leading) {
            if letters(parameter) == letters(&collection.parameter)
                && let Some((_, value)) = answer.headers.iter_mut().find(|(known, _)| known == name)
            {
                value.clone_from(&id);
            }
        }
        Ok(answer)
    }

    /// What the service itself adds to a new resource: what its reading, or the answer to its making, shows.
    fn template(&self, op: &Op, collection: &Collection, status: u16) -> Map<String, Value> {
        let sample = |op: &Op, status: u16| {
            let reply = op.reply(status)?;
            let media = reply.medias.iter().find(|media| BodyForm::of(&media.name) == BodyForm::Json)?;
            unwrapped(media.sample(self.seed, &op.label).clone(), collection)
        };
        let mut all = sample(op, status).unwrap_or_default();
        if let Some(read) = collection.read.and_then(|index| self.op(index)) {
            all.extend(sample(&read, read.success(&[200])).unwrap_or_default());
        }
        all
    }

    /// An identity for a new resource: the one that it was sent with, or one that the path's parameter and the answer allow.
    fn identity(
        &mut self,
        call: &Call<'_>,
        collection: &Collection,
        parent: &str,
        sent: &Map<String, Value>,
        status: u16,
    ) -> Result<String, Refusal> {
        let item = self.api.operations.iter().position(|operation| anonymous(&operation.path) == collection.item);
        let item = collection.read.or(item).and_then(|index| self.op(index));
        let param = item.as_ref().and_then(|op| op.params.iter().find(|param| param.name == collection.parameter));
        let generator = param.and_then(|param| param.generator.as_ref());
        let seed = self.seed.unwrap_or_default();
        let fits_path = |id: &str| {
            generator.is_none_or(|generator| {
                let schema = generator.schema();
                generator.allows(&scalar(id, schema, schema)) || generator.allows(&Value::String(id.to_owned()))
            })
        };
        let json = |media: &&ReplyMedia| BodyForm::of(&media.name) == BodyForm::Json;
        let media = call.op.reply(status).and_then(|reply| reply.medias.iter().find(json));
        let fits_answer = |id: &str| {
            media.is_none_or(|media| {
                let mut draft = Draft::new(media.sample(self.seed, &call.op.label).clone(), media.generator.as_ref());
                let there = draft.identity_pointer(&collection.parameter, &collection.noun).is_some();
                !there || draft.identify(id, &collection.parameter, &collection.noun)
            })
        };
        // What the answer doesn't know by the same name is no identity of the service's own.
        let known = |name: &String| {
            media.is_none_or(|media| {
                let draft = Draft::new(media.sample(self.seed, &call.op.label).clone(), media.generator.as_ref());
                let pointer = draft.identity_pointer(&collection.parameter, &collection.noun);
                pointer.is_none_or(|pointer| pointer.rsplit('/').next().is_some_and(|last| letters(last) == letters(name)))
            })
        };
        let names: Vec<String> = sent.keys().cloned().collect();
        let named = identity_name(&names, &collection.parameter, &collection.noun).filter(known).is_some();
        let free = |id: &str| self.state.get(&format!("{parent}/{}", segment(id))).is_none();
        let own =
            identity_of(sent, &collection.parameter, &collection.noun).filter(|id| named && fits_path(id) && fits_answer(id));
        if let Some(id) = own {
            // What is there already is refused where the document says so, and else it is replaced.
            if !free(&id) && call.op.names(409) {
                return Err(Refusal::new(&[409], "Conflict", format!("There is a {} {id} already", collection.noun)));
            }
            return Ok(id);
        }
        let mut tried = Vec::new();
        let mut chance = Chance::of(seed, parent);
        let random: Vec<String> = generator.map_or_else(Vec::new, |generator| {
            let cases = generator.valid(&mut chance, 60, 40).into_iter().rev();
            cases
                .map(|case| plain_text(&case.value))
                .filter(|text| !text.is_empty() && !text.contains(['/', '?', '#', '%']))
                .collect()
        });
        // One that was deleted is never given to another: who read it before would take the one for the other.
        let base = self.state.number(parent);
        let new = |id: &str| {
            let path = format!("{parent}/{}", segment(id));
            self.state.get(&path).is_none() && !self.state.is_gone(&path)
        };
        for count in base..base + TRIES {
            tried.extend([
                count.to_string(),
                uuid(seed, parent, count),
                count.saturating_sub(1000).to_string(),
                format!("mock-{count}"),
            ]);
        }
        // Where paths take but a few, one that they don't take is better than one that somebody else has been given.
        let few: Vec<String> = (1..=TRIES).map(|number| number.to_string()).collect();
        let fits = |id: &&String| fits_path(id) && fits_answer(id);
        let candidates = || tried.iter().chain(&few).chain(&random);
        let found = candidates().find(|id| new(id) && fits(id)).or_else(|| candidates().find(|id| new(id) && fits_answer(id)));
        let found = found.or_else(|| candidates().find(fits)).cloned();
        Ok(found.unwrap_or_else(|| self.state.number(parent).to_string()))
    }

    fn all(&mut self, call: &Call<'_>, collection: &Collection, parent: &str) -> Result<Answer, Refusal> {
        self.seed(collection, parent);
        let mut items = self.state.below(parent);
        let limits = ["limit", "per_page", "pageSize", "page_size", "perPage", "size", "maxResults"];
        let limit = call.asked.pairs().into_iter().find(|(name, _)| limits.contains(&name.as_str()));
        if let Some(limit) = limit.and_then(|(_, value)| value.parse::<usize>().ok()) {
            items.truncate(limit);
        }
        let made = collection.create.is_some() || !items.is_empty();
        let label = (collection.parameter.as_str(), collection.noun.as_str());
        let value = |media: &ReplyMedia| {
            let sample = self.sample(call, media);
            if made { list(&sample, &items, media, label).unwrap_or(sample) } else { sample }
        };
        self.succeeded(call, call.op.success(&[200]), value, None)
    }

    fn one(&mut self, call: &Call<'_>, collection: &Collection, path: &str) -> Result<Answer, Refusal> {
        self.there(collection, path)?;
        let id = last(path);
        let known = self.state.get(path).cloned();
        self.succeeded(
            call,
            call.op.success(&[200]),
            |media| self.shown(call, media, known.as_ref(), Some((collection, &id))),
            None,
        )
    }

    fn change(&mut self, call: &Call<'_>, collection: Option<&Collection>, path: &str, partly: bool) -> Result<Answer, Refusal> {
        let mut usual: &[u16] = &[200, 204, 202, 201];
        if let Some(collection) = collection
            && let Err(missing) = self.there(collection, path)
        {
            // A PUT may make what isn't there, where the document says so.
            if partly || !call.op.names(201) || self.state.is_gone(path) && !call.op.names(201) {
                return Err(missing);
            }
            usual = &[201];
        }
        let before = self.state.get(path).cloned();
        let mut resource = match (before, collection) {
            (Some(before), _) => before,
            (None, Some(collection)) => self.template(call.op, collection, call.op.success(usual)),
            (None, None) => Map::new(),
        };
        let patch = call.body.clone().unwrap_or(Value::Null);
        if let Value::Object(sent) = patch {
            if partly {
                merge(&mut resource, sent, 0);
            } else {
                resource.extend(sent);
            }
        }
        let id = last(path);
        if let Some(collection) = collection {
            let mut draft = Draft::new(Value::Object(resource), None);
            draft.identify(&id, &collection.parameter, &collection.noun);
            resource = draft.value.as_object().cloned().unwrap_or_default();
        }
        self.state.put(path.to_owned(), resource.clone());
        let identity = collection.map(|collection| (collection, id.as_str()));
        self.succeeded(call, call.op.success(usual), |media| self.shown(call, media, Some(&resource), identity), None)
    }

    fn delete(&mut self, call: &Call<'_>, collection: &Collection, path: &str) -> Result<Answer, Refusal> {
        self.there(collection, path)?;
        let known = self.state.get(path).cloned();
        self.state.remove(path);
        let id = last(path);
        let status = call.op.success(&[204, 200, 202]);
        self.succeeded(call, status, |media| self.shown(call, media, known.as_ref(), Some((collection, &id))), None)
    }
}

/// The name that a new resource was sent with, by the name of the path's own parameter.
fn names_itself(body: &Option<Value>, collection: &Collection) -> Option<String> {
    let members = body.as_ref()?.as_object()?;
    let (_, value) = members.iter().find(|(name, _)| letters(name) == letters(&collection.parameter))?;
    matches!(value, Value::String(_) | Value::Number(_)).then(|| plain_text(value))
}

/// A JSON Merge Patch (RFC 7396).
fn merge(resource: &mut Map<String, Value>, patch: Map<String, Value>, depth: usize) {
    for (name, value) in patch {
        match (value, resource.get_mut(&name)) {
            (Value::Null, _) => {
                resource.insert(name, Value::Null);
            }
            (Value::Object(inner), Some(Value::Object(known))) if depth < 64 => merge(known, inner, depth + 1),
            (value, _) => {
                resource.insert(name, value);
            }
        }
    }
}

/// A path with the values of its parameters.
fn concrete(template: &str, values: &[(String, String)]) -> String {
    let mut path = template.trim_end_matches('/').to_owned();
    for (name, raw) in values {
        path = path.replace(&format!("{{{name}}}"), &segment(&decoded(raw)));
    }
    path
}

/// An identity as a segment of a path.
fn segment(id: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@').remove(b':');
    utf8_percent_encode(id, SEGMENT).to_string()
}

fn last(path: &str) -> String {
    decoded(path.rsplit('/').next().unwrap_or_default())
}

/// The resource in an answer, which may stand in an envelope: `{ "data": { … } }`.
fn unwrapped(value: Value, collection: &Collection) -> Option<Map<String, Value>> {
    let Value::Object(members) = value else { return None };
    if identity_of(&members, &collection.parameter, &collection.noun).is_some() {
        return Some(members);
    }
    let mut inner = members.values().filter_map(Value::as_object);
    let found = inner.find(|inner| identity_of(inner, &collection.parameter, &collection.noun).is_some()).cloned();
    Some(found.unwrap_or(members))
}

/// A UUID of version 4 by its form, the same for the same seed.
fn uuid(seed: u64, purpose: &str, number: u64) -> String {
    let mut chance = Chance::of(seed ^ number, purpose);
    let high = (u128::from((chance.unit() * (1_u64 << 53) as f64) as u64)) << 64
        | u128::from((chance.unit() * (1_u64 << 53) as f64) as u64) << 8;
    let bits = (high & !(0xf << 76) & !(0x3 << 62)) | 0x4 << 76 | 0x2 << 62 | u128::from(number) & 0xff;
    let text = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}
