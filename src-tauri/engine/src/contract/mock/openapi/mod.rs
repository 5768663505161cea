//! A mock of an OpenAPI or Swagger document.

mod compile;
mod input;
mod render;
mod resources;
mod state;

use std::{cell::OnceCell, rc::Rc};

use patchbay_contracts::sample::Faults;
use serde_json::{Value, json};
use url::Url;

pub(super) use self::render::identity_name;
use self::{
    compile::{Op, Reply, ReplyMedia},
    render::Draft,
    state::{Collection, State, collections},
};
use super::{
    credential::Credential,
    exchange::{Answer, Asked, Refusal, acceptance, decoded},
    routes::{Route, letters},
};
use crate::contract::{
    generate::{Generator, header_text, plain_text, shape_properties},
    openapi::{Api, Operation, ParameterPlace, SchemeKind},
    schema::escape,
};

/// A document that is served.
pub(super) struct Service {
    api: Api,
    entries: Vec<Entry>,
    collections: Vec<Collection>,
    /// The paths of the document's servers, below which the operations may be asked for as well.
    prefixes: Vec<String>,
    state: State,
    seed: Option<u64>,
    credential: Credential,
    faults: Faults,
    /// Where it answers, for the addresses in its answers.
    url: String,
}

/// An operation, made ready when it is first asked for.
struct Entry {
    route: Route,
    op: OnceCell<Rc<Op>>,
}

/// A request that was understood.
struct Call<'a> {
    op: &'a Op,
    index: usize,
    asked: &'a Asked,
    /// The parameters of the path, as they were sent.
    path: Vec<(String, String)>,
    body: Option<Value>,
}

impl Service {
    pub(super) fn new(api: Api, seed: Option<u64>, credential: Credential, faults: Faults, url: &str) -> Self {
        let entries = api.operations.iter().map(|operation| Entry { route: Route::new(&operation.path), op: OnceCell::new() });
        let paths = api
            .servers
            .iter()
            .chain(api.operations.iter().flat_map(|operation| &operation.servers))
            .map(|server| Url::parse(server).map_or_else(|_| server.clone(), |url| url.path().to_owned()));
        let mut prefixes: Vec<String> =
            paths.map(|path| path.trim_end_matches('/').to_owned()).filter(|path| path.starts_with('/')).collect();
        prefixes.sort();
        prefixes.dedup();
        Self {
            entries: entries.collect(),
            collections: collections(&api.operations),
            prefixes,
            state: State::default(),
            seed,
            credential,
            faults,
            url: url.to_owned(),
            api,
        }
    }

    fn op(&self, index: usize) -> Option<Rc<Op>> {
        let operation = self.api.operations.get(index)?;
        Some(Rc::clone(self.entries.get(index)?.op.get_or_init(|| Rc::new(Op::new(operation)))))
    }

    fn operation(&self, index: usize) -> Option<&Operation> {
        self.api.operations.get(index)
    }

    /// Answers a request.
    pub(super) fn answer(&mut self, asked: &Asked) -> Answer {
        let mut found = self.find(&asked.path);
        if found.is_empty() {
            let stripped = self
                .prefixes
                .iter()
                .filter_map(|prefix| asked.path.strip_prefix(prefix.as_str()))
                .filter(|rest| rest.starts_with('/'));
            found = stripped.map(|path| self.find(path)).find(|found| !found.is_empty()).unwrap_or_default();
        }
        let pairs = asked.pairs();
        found.retain(|(index, _)| self.entries.get(*index).is_some_and(|entry| entry.route.asks(&pairs)));
        let method = |index: usize| self.operation(index).map_or("", |operation| operation.method.as_str());
        let of = |wanted: &str| found.iter().find(|(index, _)| method(*index) == wanted).cloned();
        let head = asked.method == "HEAD";
        let chosen = of(&asked.method).or_else(|| of("GET").filter(|_| head));
        let Some((index, path)) = chosen else {
            let mut allowed: Vec<&str> = found.iter().map(|(index, _)| method(*index)).chain(["OPTIONS"]).collect();
            if allowed.contains(&"GET") {
                allowed.push("HEAD");
            }
            allowed.sort_unstable();
            allowed.dedup();
            let allowed = allowed.join(", ");
            return match (found.is_empty(), asked.method.as_str()) {
                (true, _) => {
                    let detail = format!("The contract has no path {}", asked.path);
                    Answer::problem(&Refusal::not_found(detail), 404)
                }
                (false, "OPTIONS") => Answer::empty(204).with("allow", allowed),
                (false, _) => {
                    let detail = format!("The contract has no {} {}", asked.method, asked.path);
                    Answer::problem(&Refusal::new(&[405], "Method not allowed", detail), 405).with("allow", allowed)
                }
            };
        };
        let Some(op) = self.op(index) else { return Answer::empty(500) };
        let mut call = Call { op: &op, index, asked, path, body: None };
        let outcome = self.checked(&mut call).and_then(|()| self.carried_out(&call));
        let mut answer = match outcome {
            Ok(answer) => answer,
            Err(refusal) => self.refused(&op, &refusal, asked),
        };
        if head {
            answer.body.clear();
        }
        answer
    }

    /// The operations whose path it is, the likeliest first.
    fn find(&self, path: &str) -> Vec<(usize, Vec<(String, String)>)> {
        let all = self.entries.iter().enumerate();
        let mut found: Vec<_> =
            all.filter_map(|(index, entry)| Some((index, entry.route.values(path)?, entry.route.rank()))).collect();
        found.sort_by_key(|(_, _, rank)| *rank);
        found.into_iter().map(|(index, values, _)| (index, values)).collect()
    }

    /// Judges what a request says.
    fn checked(&self, call: &mut Call<'_>) -> Result<(), Refusal> {
        self.authorised(call)?;
        input::parameters(call.op, call.asked, &call.path)?;
        call.body = input::body(call.op, call.asked)?;
        Ok(())
    }

    /// One of the documented ways to authenticate is enough.
    fn authorised(&self, call: &Call<'_>) -> Result<(), Refusal> {
        let Some(operation) = self.operation(call.index) else { return Ok(()) };
        let open = operation.security.is_empty() || operation.security.iter().any(Vec::is_empty);
        if open {
            return Ok(());
        }
        let holds = |name: &String| {
            let scheme = self.api.schemes.iter().find(|scheme| scheme.name == *name);
            let asked = call.asked;
            match scheme.map(|scheme| &scheme.kind) {
                Some(SchemeKind::ApiKey { name, place }) => {
                    let given = match place {
                        ParameterPlace::Header => asked.header(name).map(str::to_owned),
                        ParameterPlace::Cookie => asked.cookie(name).map(decoded),
                        _ => asked.pairs().into_iter().find(|(known, _)| known == name).map(|(_, value)| value),
                    };
                    self.credential.is_key(given.as_deref())
                }
                Some(SchemeKind::Http { scheme }) if scheme == "basic" => self.credential.is_basic(asked.header("authorization")),
                Some(SchemeKind::Http { .. } | SchemeKind::OAuth2 | SchemeKind::OpenIdConnect) => {
                    self.credential.is_bearer(asked.header("authorization"))
                }
                // Nothing of it can be seen here.
                Some(SchemeKind::MutualTls | SchemeKind::Other) | None => true,
            }
        };
        let enough = operation.security.iter().any(|way| way.iter().all(|(name, _)| holds(name)));
        if enough && !self.faults.expired_token {
            return Ok(());
        }
        let names: Vec<&str> = operation.security.iter().flatten().map(|(name, _)| name.as_str()).collect();
        let detail = format!("A credential is required ({}), and none that is known was given", names.join(" or "));
        Err(Refusal::new(&[401, 403], "Unauthorized", detail))
    }

    /// Answers why it can't be done, in the form that is documented.
    fn refused(&self, op: &Op, refusal: &Refusal, asked: &Asked) -> Answer {
        let status = op.pick(refusal.statuses);
        // A reason is told in whatever form there is for it.
        let media = op.reply(status).and_then(|reply| choose(reply, asked).or(reply.medias.first()));
        let mut answer = match media {
            Some(media) => {
                let sample = media.sample(None, &op.label);
                let value = render::error(sample, media.generator.as_ref(), refusal, status);
                Answer::typed(status, &media.name, render::written(&value, &media.name))
            }
            None => Answer::problem(refusal, status),
        };
        if status == 401 {
            answer = answer.with("www-authenticate", "Bearer realm=\"mock\"");
        }
        headers(op, status, None, &mut answer);
        answer
    }

    /// Answers as a service does that has done what it was asked.
    fn succeeded(
        &self,
        call: &Call<'_>,
        status: u16,
        value: impl FnOnce(&ReplyMedia) -> Value,
        location: Option<&str>,
    ) -> Result<Answer, Refusal> {
        let op = call.op;
        let status = if self.faults.wrong_status { other_status(op, status) } else { status };
        let mut answer = Answer::empty(status);
        // A wrong status still has the body of the right one.
        let reply = op.reply(status).or_else(|| op.replies.first());
        if let Some(reply) = reply.filter(|reply| !reply.medias.is_empty() && !matches!(status, 204 | 205 | 304)) {
            let Some(media) = choose(reply, call.asked) else {
                let named: Vec<&str> = reply.medias.iter().map(|media| media.name.as_str()).collect();
                let detail = format!("Only {} can be answered", named.join(" and "));
                return Err(Refusal::new(&[406], "Not acceptable", detail));
            };
            let value = self.spoilt(value(media), media);
            answer = Answer::typed(status, &media.name, render::written(&value, &media.name));
        }
        if let Some(location) = location {
            answer = answer.with("location", location);
        }
        headers(op, status, location, &mut answer);
        Ok(answer)
    }

    /// A sample for an answer, with what the request's path says put in.
    fn sample(&self, call: &Call<'_>, media: &ReplyMedia) -> Value {
        let sample = media.sample(self.seed, &call.op.label).clone();
        let mut draft = Draft::new(sample, media.generator.as_ref());
        if let (Some(Value::Object(sent)), true) = (&call.body, draft.value.is_object()) {
            draft.overlay(sent);
        }
        if draft.value.is_object() {
            let mut names: Vec<&(String, String)> = call.path.iter().collect();
            names.reverse();
            for (index, (name, raw)) in names.into_iter().enumerate() {
                // What is last identifies what is answered; what is before it, what that belongs to.
                let own = call.asked.path.trim_end_matches('/').ends_with(raw.as_str()) && index == 0;
                let text = decoded(raw);
                if own && draft.identify(&text, name, "") {
                    continue;
                }
                let known =
                    draft.value.as_object().and_then(|members| members.keys().find(|key| letters(key) == letters(name)).cloned());
                if let Some(key) = known {
                    let pointer = format!("/{}", escape(&key));
                    let _ = draft.put(&pointer, Value::String(text.clone()))
                        || text.parse::<i64>().is_ok_and(|number| draft.put(&pointer, number.into()));
                }
            }
        }
        draft.value
    }

    /// Does to a value what the faults say.
    fn spoilt(&self, mut value: Value, media: &ReplyMedia) -> Value {
        if !self.faults.type_change && !self.faults.missing_field {
            return value;
        }
        let root = media.schema().clone();
        // In a list, it is its first element that is wrong.
        let list = value.as_array().is_some_and(|items| !items.is_empty());
        let schema = if list {
            crate::contract::generate::shape_items(&root, &root).into_iter().next().unwrap_or(json!(true))
        } else {
            root.clone()
        };
        let target = if list { value.get_mut(0) } else { Some(&mut value) };
        let Some(Value::Object(members)) = target else { return value };
        let described: Vec<String> = shape_properties(&schema, &root)
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| members.contains_key(name))
            .collect();
        if self.faults.missing_field {
            let required = |name: &&String| requires(&schema, &root, name);
            if let Some(name) = described.iter().find(required).or(described.first()) {
                members.shift_remove(name);
            }
        }
        if self.faults.type_change
            && let Some(value) = described
                .iter()
                .rev()
                .find_map(|name| members.get(name).filter(|value| !value.is_null()).map(|_| name))
                .and_then(|name| members.get_mut(name))
        {
            *value = match &*value {
                Value::String(_) => json!(12345),
                other => Value::String(plain_text(other)),
            };
        }
        value
    }
}

/// The documented headers of an answer.
fn headers(op: &Op, status: u16, location: Option<&str>, answer: &mut Answer) {
    let Some(reply) = op.reply(status) else { return };
    for (header, generator) in &reply.headers {
        let name = header.name.to_ascii_lowercase();
        if answer.headers.iter().any(|(known, _)| *known == name)
            || name == "content-length"
            || name == "location" && location.is_some()
        {
            continue;
        }
        let value = match generator {
            Some(generator) => generator.ordinary().map(|value| header_text(&value, header.explode)),
            None => Some("mock".to_owned()),
        };
        let value = value.filter(|value| value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)));
        if let Some(value) = value {
            answer.headers.push((name, value));
        }
    }
}

fn requires(schema: &Value, root: &Value, name: &str) -> bool {
    let Ok(generator) = Generator::new(&with_definitions(schema, root)) else { return false };
    let Some(Value::Object(mut members)) = generator.ordinary() else { return false };
    members.shift_remove(name);
    !generator.allows(&Value::Object(members))
}

fn with_definitions(schema: &Value, root: &Value) -> Value {
    let mut schema = schema.clone();
    if let (Value::Object(members), Some(definitions)) = (&mut schema, root.get("$defs")) {
        members.insert("$defs".to_owned(), definitions.clone());
    }
    schema
}

/// The form of an answer that a request takes best; JSON among equals.
fn choose<'r>(reply: &'r Reply, asked: &Asked) -> Option<&'r ReplyMedia> {
    let accept = asked.header("accept");
    let json = |media: &ReplyMedia| compile::BodyForm::of(&media.name) == compile::BodyForm::Json;
    let ranked = reply.medias.iter().rev().map(|media| ((acceptance(accept, &media.name), json(media)), media));
    ranked.filter(|((taken, _), _)| *taken > 0).max_by_key(|(rank, _)| *rank).map(|(_, media)| media)
}

/// A success that is not documented.
fn other_status(op: &Op, status: u16) -> u16 {
    [200, 201, 202, 203, 206, 207, 226].into_iter().find(|other| *other != status && op.reply(*other).is_none()).unwrap_or(status)
}
