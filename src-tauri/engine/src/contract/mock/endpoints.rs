//! A mock of an integration file of Patchbay's own: each endpoint answers what it expects.

use std::{cell::OnceCell, collections::HashMap};

use indexmap::IndexMap;
use patchbay_contracts::{
    Code, Problem,
    integration::{Auth, AuthKind, AuthSpec, BodySchema, Endpoint, Integration, IntegrationFile, StatusPattern},
    sample::Faults,
};
use regex::Regex;
use serde_json::{Value, json};

use super::{
    credential::Credential,
    exchange::{Answer, Asked, Refusal, decoded},
    routes::Route,
};
use crate::{
    Result,
    contract::{
        Schemas,
        conditions::{Step, parse_path, walk},
        document::{Base, Document},
        generate::{Generator, plain_text},
        schema::expand,
        validate,
    },
};

/// The longest list that a condition on a length makes.
const LONGEST: usize = 1_000;

/// An integration that is served.
pub(super) struct Service {
    integration: Integration,
    schemas: Schemas,
    entries: Vec<Entry>,
    /// How often each operation was asked for, since the same one may be asked for twice and expect something else.
    turns: HashMap<String, usize>,
    /// What was captured last.
    captured: IndexMap<String, String>,
    /// The credential that was given; without one any of the right kind is taken.
    credential: Option<Credential>,
    faults: Faults,
    next: u64,
}

struct Entry {
    route: Route,
    query: Vec<(String, String)>,
    answered: OnceCell<Option<Generator>>,
    sent: OnceCell<Option<Generator>>,
}

impl Service {
    /// Reads an integration file.
    ///
    /// # Errors
    /// [`Code::InvalidDefinition`] where it has a mistake or no endpoint.
    pub(super) fn new(document: &Document, credential: Option<Credential>, faults: Faults) -> Result<Self> {
        let file: IntegrationFile = serde_json::from_value(document.value.clone()).map_err(|_| {
            Problem::new(Code::InvalidDefinition, format!("{} has a mistake", document.file))
                .next("`patchbay contract lint` names it with its place")
        })?;
        let integration = file.integration;
        if integration.endpoints.is_empty() {
            return Err(Problem::new(Code::InvalidDefinition, format!("{} has no endpoint to serve", document.file)));
        }
        let schemas = match &document.base {
            Base::File { file, within } => {
                let relative = file.strip_prefix(within).unwrap_or(file).to_string_lossy().into_owned();
                Schemas::within(within, &relative)
            }
            _ => Schemas::closed(),
        };
        let entries = integration.endpoints.iter().map(entry).collect();
        Ok(Self {
            integration,
            schemas,
            entries,
            turns: HashMap::new(),
            captured: IndexMap::new(),
            credential,
            faults,
            next: 1000,
        })
    }

    /// Answers a request.
    pub(super) fn answer(&mut self, asked: &Asked) -> Answer {
        let mut found: Vec<(usize, Vec<(String, String)>)> = self
            .entries
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| Some((index, entry.route.values(&asked.path)?)))
            .collect();
        found.sort_by_key(|(index, _)| self.entries.get(*index).map(|entry| entry.route.rank()));
        let method = |index: usize| self.integration.endpoints.get(index).map_or("", |endpoint| endpoint.method.as_str());
        let of_method: Vec<_> = found
            .iter()
            .filter(|(index, _)| method(*index) == asked.method || asked.method == "HEAD" && method(*index) == "GET")
            .cloned()
            .collect();
        if of_method.is_empty() {
            let mut allowed: Vec<&str> = found.iter().map(|(index, _)| method(*index)).chain(["OPTIONS"]).collect();
            allowed.sort_unstable();
            allowed.dedup();
            return match (found.is_empty(), asked.method.as_str()) {
                (true, _) => Answer::problem(&Refusal::not_found(format!("The contract has no path {}", asked.path)), 404),
                (false, "OPTIONS") => Answer::empty(204).with("allow", allowed.join(", ")),
                (false, _) => {
                    let detail = format!("The contract has no {} {}", asked.method, asked.path);
                    Answer::problem(&Refusal::new(&[405], "Method not allowed", detail), 405).with("allow", allowed.join(", "))
                }
            };
        }
        let (index, path) = self.turn(asked, of_method);
        let mut answer = match self.served(index, &path, asked) {
            Ok(answer) => answer,
            Err(refusal) => {
                let answer = Answer::problem(&refusal, refusal.status());
                if refusal.status() == 401 { answer.with("www-authenticate", "Bearer realm=\"mock\"") } else { answer }
            }
        };
        if asked.method == "HEAD" {
            answer.body.clear();
        }
        answer
    }

    /// Of the endpoints that a request may be for, the one whose turn it is: those whose query and body are as they send
    /// come first, and equal ones take turns in the order of the file.
    fn turn(&mut self, asked: &Asked, candidates: Vec<(usize, Vec<(String, String)>)>) -> (usize, Vec<(String, String)>) {
        let body: Option<Value> = serde_json::from_slice(&asked.body).ok();
        let pairs = asked.pairs();
        let score = |index: usize| {
            let (Some(entry), Some(endpoint)) = (self.entries.get(index), self.integration.endpoints.get(index)) else {
                return (0, 0, 0);
            };
            let given: Vec<(String, String)> = endpoint
                .query
                .iter()
                .map(|(name, value)| (name.clone(), value.0.clone()))
                .chain(entry.query.iter().cloned())
                .collect();
            let query = given.iter().filter(|pair| pairs.contains(pair)).count();
            let own = endpoint.request.as_ref().and_then(|request| request.body.as_ref());
            let same = i32::from(own.is_some() && own == body.as_ref());
            (
                i32::try_from(query).unwrap_or(0) - i32::from(query < given.len()),
                same,
                -i32::try_from(entry.route.names.len()).unwrap_or(0),
            )
        };
        let best = candidates.iter().map(|(index, _)| score(*index)).max().unwrap_or_default();
        let equal: Vec<_> = candidates.iter().filter(|(index, _)| score(*index) == best).cloned().collect();
        let key = format!("{} {}", asked.method, equal.first().map_or(0, |(index, _)| *index));
        let turn = self.turns.entry(key).or_default();
        let chosen = equal.get(*turn % equal.len().max(1)).cloned();
        *turn += 1;
        chosen.or_else(|| candidates.into_iter().next()).unwrap_or_default()
    }

    fn served(&mut self, index: usize, path: &[(String, String)], asked: &Asked) -> std::result::Result<Answer, Refusal> {
        let Some(endpoint) = self.integration.endpoints.get(index).cloned() else { return Ok(Answer::empty(404)) };
        self.authorised(&endpoint, asked)?;
        self.judged(index, &endpoint, asked)?;
        let expect = endpoint.expect.clone().unwrap_or_default();
        let mut status = expect.status.as_ref().map_or(200, first_status);
        if self.faults.wrong_status {
            let fits =
                |status: u16| expect.status.as_ref().map_or((200..300).contains(&status), |pattern| pattern.matches(status));
            status = [200, 201, 202, 404].into_iter().find(|other| !fits(*other)).unwrap_or(500);
        }
        let mut answer = Answer::empty(status);
        if !matches!(status, 204 | 205 | 304) {
            let body = self.body(index, &endpoint, path, &expect.conditions);
            if !body.is_null() {
                answer = Answer::json(status, &body);
            }
        }
        for (name, value) in &expect.headers {
            let text = value.0.clone();
            let name = name.to_ascii_lowercase();
            if text == "*" && answer.headers.iter().any(|(known, _)| *known == name) {
                continue;
            }
            answer.headers.retain(|(known, _)| *known != name);
            answer = answer.with(&name, if text == "*" { "mock".to_owned() } else { text });
        }
        for condition in &expect.conditions {
            let header = condition.strip_prefix("[HEADER].").and_then(|rest| rest.split_once(" == "));
            if let Some((name, value)) = header {
                let (name, value) = (name.to_ascii_lowercase(), literal(value));
                answer.headers.retain(|(known, _)| *known != name);
                answer = answer.with(&name, value);
            }
        }
        self.capture(&endpoint, path, &mut answer);
        Ok(answer)
    }

    fn authorised(&self, endpoint: &Endpoint, asked: &Asked) -> std::result::Result<(), Refusal> {
        let refused = |what: &str| {
            Err(Refusal::new(&[401], "Unauthorized", format!("{what} is required, and none that is known was given")))
        };
        let header = asked.header("authorization");
        let scheme = |wanted: &str| {
            header
                .and_then(|header| header.trim().split_once(' '))
                .is_some_and(|(scheme, rest)| scheme.eq_ignore_ascii_case(wanted) && !rest.trim().is_empty())
        };
        let bearer = || self.credential.as_ref().map_or_else(|| scheme("bearer"), |known| known.is_bearer(header));
        let basic = || self.credential.as_ref().map_or_else(|| scheme("basic"), |known| known.is_basic(header));
        let key = |name: &str| {
            let in_query = asked.pairs().into_iter().find(|(known, _)| known == name).map(|(_, value)| value);
            let given = asked.header(name).map(str::to_owned).or(in_query);
            self.credential
                .as_ref()
                .map_or_else(|| given.as_deref().is_some_and(|given| !given.is_empty()), |known| known.is_key(given.as_deref()))
        };
        if self.faults.expired_token {
            return refused("A credential that has not expired");
        }
        match endpoint.auth.as_ref().or(self.integration.auth.as_ref()) {
            Some(Auth::Spec(AuthSpec::Bearer { .. }) | Auth::Kind(AuthKind::Bearer)) if !bearer() => refused("A bearer token"),
            Some(Auth::Spec(AuthSpec::Basic { .. }) | Auth::Kind(AuthKind::Basic)) if !basic() => {
                refused("A user with a password")
            }
            Some(Auth::Spec(AuthSpec::ApiKey { name, .. })) if !key(name) => refused("A key"),
            Some(Auth::Kind(AuthKind::ApiKey)) if !key("X-API-Key") => refused("A key"),
            _ => Ok(()),
        }
    }

    /// Holds the body that was sent to its schema.
    fn judged(&self, index: usize, endpoint: &Endpoint, asked: &Asked) -> std::result::Result<(), Refusal> {
        let inherited =
            self.integration.request_schema.as_ref().filter(|_| matches!(asked.method.as_str(), "POST" | "PUT" | "PATCH"));
        let Some(schema) = endpoint.request_schema.as_ref().or(inherited) else { return Ok(()) };
        let Some(entry) = self.entries.get(index) else { return Ok(()) };
        let Some(generator) = entry.sent.get_or_init(|| self.generator(schema)) else { return Ok(()) };
        let body: Value = serde_json::from_slice(&asked.body)
            .map_err(|error| Refusal::invalid(format!("The body is not JSON: {error}")).at(""))?;
        match validate::deviations(generator.validator(), &body, asked.body.len() as u64).into_iter().next() {
            None => Ok(()),
            Some(deviation) => Err(Refusal::invalid(deviation.message).at(deviation.pointer)),
        }
    }

    fn generator(&self, schema: &BodySchema) -> Option<Generator> {
        let expanded = expand(schema).and_then(|schema| self.schemas.inlined(schema)).ok()?;
        Generator::new(&expanded).ok()
    }

    /// A body that its schema and its conditions ask for.
    fn body(&mut self, index: usize, endpoint: &Endpoint, path: &[(String, String)], conditions: &[String]) -> Value {
        self.next += 1;
        let schema = endpoint.response_schema.as_ref().or(self.integration.response_schema.as_ref());
        let sample = schema.and_then(|schema| {
            let entry = self.entries.get(index)?;
            let generator = entry.answered.get_or_init(|| self.generator(schema)).as_ref()?;
            generator.ordinary()
        });
        let reads_body = conditions.iter().any(|condition| condition.contains("[BODY]"))
            || endpoint.capture.values().any(|from| from.starts_with('$') || from.starts_with("[BODY]"));
        let mut body = sample.unwrap_or_else(|| if reads_body || schema.is_some() { json!({}) } else { Value::Null });
        let allows = |value: &Value| {
            let generator = self.entries.get(index).and_then(|entry| entry.answered.get()).and_then(Option::as_ref);
            generator.is_none_or(|generator| generator.allows(value))
        };
        // What the path says of a resource is what is answered of it.
        if let (Some((name, raw)), Value::Object(members)) = (path.last(), &body) {
            let names: Vec<String> = members.keys().cloned().collect();
            if let Some(key) = super::openapi::identity_name(&names, name, "") {
                body = put_typed(&body, &[Step::Key(key)], &decoded(raw), &allows);
            }
        }
        let created = endpoint.method == patchbay_contracts::integration::Method::Post;
        for from in endpoint.capture.values().filter(|from| from.starts_with('$') || from.starts_with("[BODY]")) {
            let steps = from.strip_prefix('$').or_else(|| from.strip_prefix("[BODY]")).and_then(parse_path).unwrap_or_default();
            let there = walk(&steps, &body).is_some_and(|value| !value.is_null());
            if !steps.is_empty() && (created || !there) {
                body = put_typed(&body, &steps, &self.next.to_string(), &allows);
            }
        }
        for condition in conditions {
            body = self.met(condition, body, path, &allows);
        }
        if self.faults.missing_field
            && let Value::Object(members) = &mut body
        {
            let first = members.keys().next().cloned().unwrap_or_default();
            members.shift_remove(&first);
        }
        if self.faults.type_change
            && let Some((_, value)) = body.as_object_mut().and_then(|members| members.iter_mut().next_back())
        {
            *value = if value.is_string() { json!(12345) } else { Value::String(plain_text(value)) };
        }
        body
    }

    /// A body for which a condition holds, as far as it says what the body is.
    fn met(&self, condition: &str, body: Value, path: &[(String, String)], allows: &impl Fn(&Value) -> bool) -> Value {
        let pattern = Regex::new(r"^(len\(|has\()?\[BODY\]([^\s)]*)\)? (==|!=|<=|>=|<|>) (.+)$").ok();
        let Some(found) = pattern.as_ref().and_then(|pattern| pattern.captures(condition.trim())) else { return body };
        let function = found.get(1).map_or("", |function| function.as_str());
        let (Some(steps), sign) = (parse_path(&found[2]), &found[3]) else { return body };
        if steps.contains(&Step::Each) {
            return body;
        }
        let text = self.filled(&literal(&found[4]), path);
        match (function, sign) {
            ("len(", sign) => {
                let wanted = text.parse::<usize>().unwrap_or(1);
                let length = if sign == ">" {
                    wanted.saturating_add(1)
                } else if sign == "<" {
                    wanted.saturating_sub(1)
                } else {
                    wanted
                };
                let length = length.min(LONGEST);
                let list = match walk(&steps, &body) {
                    Some(Value::String(known)) => {
                        Value::String(known.chars().chain(std::iter::repeat('x')).take(length).collect())
                    }
                    Some(Value::Array(known)) => {
                        let filler = known.first().cloned().unwrap_or_else(|| json!({}));
                        known.iter().cloned().chain(std::iter::repeat(filler)).take(length).collect()
                    }
                    _ => Value::Array(vec![json!({}); length]),
                };
                put(&body, &steps, list)
            }
            ("has(", "==") if text == "true" && walk(&steps, &body).is_none() => {
                put(&body, &steps, Value::String("mock".to_owned()))
            }
            ("", "==") => put_typed(&body, &steps, &text, allows),
            ("", ">" | ">=" | "<" | "<=") => {
                let by = if sign.starts_with('>') { 1.0 } else { -1.0 };
                let holds = walk(&steps, &body).and_then(Value::as_f64).zip(text.parse::<f64>().ok());
                let fine = holds.is_some_and(|(is, limit)| match sign {
                    ">" => is > limit,
                    ">=" => is >= limit,
                    "<" => is < limit,
                    _ => is <= limit,
                });
                match text.parse::<f64>() {
                    Ok(limit) if !fine => put_typed(&body, &steps, &(limit + by).to_string(), allows),
                    _ => body,
                }
            }
            _ => body,
        }
    }

    /// A text with the references in it filled in: by the path of this request, else by what was captured.
    fn filled(&self, text: &str, path: &[(String, String)]) -> String {
        let mut filled = text.to_owned();
        for (name, raw) in path {
            filled = filled.replace(&format!("${{{name}}}"), &decoded(raw));
        }
        for (name, value) in &self.captured {
            filled = filled.replace(&format!("${{{name}}}"), value);
        }
        filled
    }

    /// Keeps what later endpoints need, and adds headers that are captured.
    fn capture(&mut self, endpoint: &Endpoint, path: &[(String, String)], answer: &mut Answer) {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        for (name, from) in &endpoint.capture {
            let value = if let Some(header) = from.strip_prefix("header:") {
                let header = header.trim().to_ascii_lowercase();
                if !answer.headers.iter().any(|(known, _)| *known == header) {
                    let text = if header == "location" {
                        format!("{}/{}", endpoint.path.trim_end_matches('/'), self.next)
                    } else {
                        self.next.to_string()
                    };
                    answer.headers.push((header.clone(), self.filled(&text, path)));
                }
                answer.headers.iter().find(|(known, _)| *known == header).map(|(_, value)| value.clone())
            } else {
                let steps = from.strip_prefix('$').or_else(|| from.strip_prefix("[BODY]")).and_then(parse_path);
                steps.and_then(|steps| walk(&steps, &body).map(plain_text))
            };
            if let Some(value) = value {
                self.captured.insert(name.clone(), value);
            }
        }
    }
}

fn entry(endpoint: &Endpoint) -> Entry {
    // `${name}` is a parameter as `{name}` is; a whole address is its path.
    let path = endpoint.path.replace("${", "{");
    let path = match path.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]).to_owned(),
        None => path,
    };
    let (path, query) = path.split_once('?').map_or((path.as_str(), ""), |(path, query)| (path, query));
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Entry { route: Route::new(&path), query, answered: OnceCell::new(), sent: OnceCell::new() }
}

fn first_status(pattern: &StatusPattern) -> u16 {
    match pattern {
        StatusPattern::Code(code) => *code,
        StatusPattern::Class(class) => class.to_ascii_lowercase().replace('x', "0").parse().unwrap_or(200),
        StatusPattern::Any(all) => all.first().map_or(200, first_status),
    }
}

/// A text that the right side of a condition stands for.
fn literal(text: &str) -> String {
    let inner = |name: &str| text.trim().strip_prefix(name).and_then(|rest| rest.strip_suffix(')'));
    if let Some(any) = inner("any(") {
        return any.split(',').next().unwrap_or_default().trim().to_owned();
    }
    if let Some(pattern) = inner("pat(") {
        return pattern.replace(['*', '?'], "x");
    }
    text.trim().to_owned()
}

/// The same value with another one at a path, the objects and lists on the way made where they are missing.
fn put(body: &Value, steps: &[Step], value: Value) -> Value {
    let mut body = body.clone();
    let mut at = &mut body;
    for step in steps {
        match step {
            Step::Key(name) => {
                if !at.is_object() {
                    *at = json!({});
                }
                let Value::Object(members) = at else { return body };
                at = members.entry(name.clone()).or_insert(Value::Null);
            }
            Step::Index(index) if *index < LONGEST => {
                if !at.is_array() {
                    *at = json!([]);
                }
                let Value::Array(items) = at else { return body };
                let filler = items.last().cloned().unwrap_or(Value::Null);
                while items.len() <= *index {
                    items.push(filler.clone());
                }
                let Some(item) = items.get_mut(*index) else { return body };
                at = item;
            }
            _ => return body,
        }
    }
    *at = value;
    body
}

/// The same with a text read as the type that the schema allows there, or as what it looks like.
fn put_typed(body: &Value, steps: &[Step], text: &str, allows: &impl Fn(&Value) -> bool) -> Value {
    let parsed = serde_json::from_str::<Value>(text).ok().filter(|value| !value.is_object() && !value.is_array());
    let string = Value::String(text.to_owned());
    let mut candidates = vec![string.clone()];
    candidates.extend(parsed);
    if walk(steps, body).is_none_or(|value| !value.is_string()) {
        candidates.reverse();
    }
    let tried = candidates.iter().map(|value| put(body, steps, value.clone()));
    tried
        .into_iter()
        .find(|value| allows(value))
        .unwrap_or_else(|| put(body, steps, candidates.into_iter().next().unwrap_or(string)))
}
