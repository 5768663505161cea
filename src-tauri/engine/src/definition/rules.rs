//! Mistakes that no schema can tell: a name that nothing bears, a value that is used before it is captured, a credential
//! in plain. They are looked for in the plain value, so that a mistake of form elsewhere in the file hides none of them.

mod credentials;
mod tls;

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

use patchbay_contracts::{
    Code, Problem,
    integration::BodySchema,
    units::{Rate, Span},
};
use serde_json::Value;

use super::{
    MAX_DEPTH, MAX_PROBLEMS, Positions,
    references::{Reference, references},
    syntax::short,
};
use crate::{
    contract::{Schemas, conditions},
    utils::nearest,
};

/// The longest path of an endpoint, in bytes. Servers commonly refuse longer ones.
const MAX_PATH: usize = 8192;

/// The rules at work on one file.
pub struct Rules<'a> {
    value: &'a Value,
    positions: &'a Positions,
    name: &'a str,
    problems: Vec<Problem>,
}

/// An endpoint as far as it can be read.
struct Seen<'a> {
    pointer: String,
    value: &'a Value,
    name: Option<&'a str>,
    path: &'a str,
    label: String,
}

/// All mistakes of the file's value.
pub fn problems(value: &Value, positions: &Positions) -> Vec<Problem> {
    let name = value.pointer("/integration/name").and_then(Value::as_str).unwrap_or_default();
    let mut rules = Rules { value, positions, name, problems: Vec::new() };
    rules.run();
    rules.problems
}

impl<'a> Rules<'a> {
    fn run(&mut self) {
        self.name();
        self.addresses();
        let endpoints = self.endpoints();
        self.unique(&endpoints);
        self.captures(&endpoints);
        for endpoint in &endpoints {
            self.path(endpoint);
            self.conditions(&format!("{}/expect/conditions", endpoint.pointer));
        }
        self.conditions("/integration/health/conditions");
        self.thresholds();
        self.named_endpoint("health", &endpoints);
        self.named_endpoint("load", &endpoints);
        self.load_endpoints(&endpoints);
        self.credentials(&endpoints);
        self.tls();
        self.amounts();
        self.schemas(&endpoints);
    }

    fn text(&self, pointer: &str) -> Option<&'a str> {
        self.value.pointer(pointer).and_then(Value::as_str)
    }

    fn report(&mut self, pointer: &str, what: impl Into<String>, why: impl Into<String>, next: impl Into<String>) {
        let mut problem = Problem::new(Code::InvalidDefinition, what).why(why).next(next);
        problem.place = self.positions.place(pointer);
        self.problems.push(problem);
    }

    /// A problem that another part of the engine found in a text of the file.
    fn adopt(&mut self, pointer: &str, mut problem: Problem) {
        problem.code = Code::InvalidDefinition;
        problem.place = self.positions.place(pointer);
        self.problems.push(problem);
    }

    fn endpoints(&self) -> Vec<Seen<'a>> {
        let list = self.value.pointer("/integration/endpoints").and_then(Value::as_array);
        let seen = list.into_iter().flatten().enumerate().map(|(i, value)| {
            let field = |name: &str| value.get(name).and_then(Value::as_str);
            let (name, path) = (field("name"), field("path").unwrap_or_default());
            let label = name.map_or_else(|| format!("{} {path}", field("method").unwrap_or("GET")), str::to_owned);
            Seen { pointer: format!("/integration/endpoints/{i}"), value, name, path, label }
        });
        seen.collect()
    }

    fn name(&mut self) {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
        if let Some(bad) = self.name.chars().find(|c| !fits(*c)) {
            let shown = bad.escape_default();
            self.report(
                "/integration/name",
                format!("The name can't hold `{shown}`"),
                "letters, digits, `-`, `_`, `.` and spaces are allowed",
                "",
            );
        } else if !self.name.is_empty() && (self.name.trim() != self.name || self.name.trim_matches('.').is_empty()) {
            self.report(
                "/integration/name",
                "The name can't be told from others",
                "it begins or ends with a blank, or is all dots",
                "",
            );
        }
    }

    /// `base_url` and the address of the metrics.
    fn addresses(&mut self) {
        for (pointer, relative) in [("/integration/base_url", false), ("/integration/metrics/url", true)] {
            let Some(text) = self.text(pointer) else { continue };
            if self.templates(pointer, text, &BTreeMap::new(), None)
                || text.starts_with("${")
                || (relative && text.starts_with('/'))
            {
                continue;
            }
            let field = pointer.rsplit('/').next().unwrap_or_default();
            self.address(pointer, field, text);
        }
    }

    fn address(&mut self, pointer: &str, field: &str, text: &str) {
        // References are no address yet; a letter in their place shows whether the rest is one.
        let filled = references(text).filled("x");
        match url::Url::parse(&filled) {
            Ok(url) if !matches!(url.scheme(), "http" | "https") || !url.has_host() => {
                let why = format!("\"{field}\" begins with `{}:`, and http and https are known", short(url.scheme()));
                self.report(
                    pointer,
                    format!("\"{field}\" is not an address that can be called"),
                    why,
                    "Begin it with http:// or https://",
                );
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                self.plain_credential(pointer, "an address with a user or a password in it", "password");
            }
            Ok(_) => {}
            Err(error) => {
                self.report(
                    pointer,
                    format!("\"{field}\" is not an address"),
                    error.to_string(),
                    "Write it whole, such as https://api.example.com",
                );
            }
        }
    }

    fn unique(&mut self, endpoints: &[Seen<'a>]) {
        let mut first: BTreeMap<&str, &Seen<'a>> = BTreeMap::new();
        for endpoint in endpoints {
            match first.get(endpoint.label.as_str()) {
                None => {
                    first.insert(&endpoint.label, endpoint);
                }
                Some(other) => {
                    let line = self.positions.place(&other.pointer).map_or(0, |place| place.line);
                    let (pointer, next) = match endpoint.name {
                        Some(_) => (format!("{}/name", endpoint.pointer), "Give one of them another name"),
                        None => (endpoint.pointer.clone(), "Give both a `name`, so that they can be told apart"),
                    };
                    let what = format!("Two endpoints are called \"{}\"", short(&endpoint.label));
                    self.report(&pointer, what, format!("the other one begins on line {line}"), next);
                }
            }
        }
    }

    /// What `${…}` names in each endpoint, and whether it is there by then.
    fn captures(&mut self, endpoints: &[Seen<'a>]) {
        let mut captured: BTreeMap<String, usize> = BTreeMap::new();
        for (i, endpoint) in endpoints.iter().enumerate() {
            for (name, from) in endpoint.value.get("capture").and_then(Value::as_object).into_iter().flatten() {
                captured.entry(name.clone()).or_insert(i);
                let pointer = format!("{}/capture/{}", endpoint.pointer, escape(name));
                let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
                if name.is_empty() || !name.chars().all(fits) {
                    let what = format!("\"{}\" can't name a captured value", short(name));
                    self.report(&pointer, what, "letters, digits, `_`, `-` and `.` are allowed", "");
                }
                if let Some(from) = from.as_str().filter(|from| !captures(from)) {
                    self.report(
                        &pointer,
                        format!("\"{}\" does not say where the value is", short(from)),
                        "expected a path into the body such as `$.id`, or `header:Location`",
                        "",
                    );
                }
            }
        }
        for part in ["headers", "auth"] {
            let pointer = format!("/integration/{part}");
            if let Some(value) = self.value.pointer(&pointer) {
                self.walk(&pointer, value, &captured, None, 0);
            }
        }
        for (i, endpoint) in endpoints.iter().enumerate() {
            for part in ["path", "params", "query", "headers", "auth", "request", "expect"] {
                if let Some(value) = endpoint.value.get(part) {
                    self.walk(&format!("{}/{part}", endpoint.pointer), value, &captured, Some(i), 0);
                }
            }
        }
    }

    fn walk(&mut self, pointer: &str, value: &Value, captured: &BTreeMap<String, usize>, endpoint: Option<usize>, depth: usize) {
        match value {
            Value::String(text) => {
                self.templates(pointer, text, captured, endpoint);
            }
            Value::Array(items) if depth < 64 => {
                for (i, item) in items.iter().enumerate() {
                    self.walk(&format!("{pointer}/{i}"), item, captured, endpoint, depth + 1);
                }
            }
            Value::Object(fields) if depth < 64 => {
                for (name, field) in fields {
                    self.walk(&format!("{pointer}/{}", escape(name)), field, captured, endpoint, depth + 1);
                }
            }
            _ => {}
        }
    }

    /// Checks each `${…}` of a text; `endpoint` is the one that the text belongs to. Whether there was a mistake.
    fn templates(&mut self, pointer: &str, text: &str, captured: &BTreeMap<String, usize>, endpoint: Option<usize>) -> bool {
        let before = self.problems.len();
        for reference in references(text).found {
            match reference {
                Reference::Environment(name) | Reference::Secret(name) if !name.is_empty() => {}
                Reference::Environment(_) | Reference::Secret(_) => {
                    self.report(
                        pointer,
                        "A reference names nothing",
                        "after the colon comes a name",
                        "Write ${env:NAME} or ${secret:NAME}",
                    );
                }
                Reference::Unclosed => {
                    self.report(
                        pointer,
                        "A reference is not closed",
                        "`${` has no `}`",
                        "Close it, or write `$${` for the characters themselves",
                    );
                }
                Reference::Unknown(kind) => {
                    let next = nearest(&kind, ["env", "secret"]).map(|near| format!("Did you mean \"{near}\"?"));
                    let what = format!("Unknown reference `${{{}:…}}`", short(&kind));
                    self.report(
                        pointer,
                        what,
                        "expected ${env:NAME}, ${secret:NAME}, or ${NAME} for a captured value",
                        next.unwrap_or_default(),
                    );
                }
                Reference::Captured(name) => self.captured(pointer, &name, captured, endpoint),
            }
        }
        self.problems.len() > before
    }

    fn captured(&mut self, pointer: &str, name: &str, captured: &BTreeMap<String, usize>, endpoint: Option<usize>) {
        if self.problems.len() > MAX_PROBLEMS {
            return;
        }
        let shown = short(name);
        match (captured.get(name), endpoint) {
            (Some(by), Some(used)) if *by >= used => {
                let why = if *by == used {
                    "the endpoint itself captures it, from the answer"
                } else {
                    "an endpoint further down captures it"
                };
                self.report(
                    pointer,
                    format!("`${{{shown}}}` is used before it is captured"),
                    format!("{why}, and endpoints are called in the order of the file"),
                    "Move the endpoint that captures it up",
                );
            }
            (Some(_), _) => {}
            // The columns of a data file are known when it is read.
            (None, _) if self.has_data() || crate::load::COMPUTED_NAMES.contains(&name) => {}
            (None, _) => {
                let next = match nearest(name, captured.keys().map(String::as_str)) {
                    Some(near) => format!("Did you mean `${{{near}}}`?"),
                    None => {
                        format!("Capture it in an earlier endpoint, or write ${{env:{shown}}} for a variable of the environment")
                    }
                };
                self.report(pointer, format!("`${{{shown}}}` is captured nowhere"), "", next);
            }
        }
    }

    /// Whether a load run has values from files.
    fn has_data(&self) -> bool {
        self.value.pointer("/integration/load/data").and_then(Value::as_array).is_some_and(|files| !files.is_empty())
    }

    fn path(&mut self, endpoint: &Seen<'a>) {
        let path = endpoint.path;
        let pointer = format!("{}/path", endpoint.pointer);
        if self.problems.len() > MAX_PROBLEMS {
            return;
        }
        if path.len() > MAX_PATH {
            return self.report(&pointer, "The path is too long", format!("at most {MAX_PATH} bytes are allowed"), "");
        }
        if endpoint.value.get("path").is_some_and(Value::is_string) {
            let whole = path.starts_with("http://") || path.starts_with("https://");
            if whole {
                self.address(&pointer, "path", path);
            } else if !path.starts_with('/') && !path.starts_with("${") {
                self.report(
                    &pointer,
                    "The path does not begin with `/`",
                    "expected a path under `base_url`, or a whole address",
                    format!("Write /{}", short(path)),
                );
            }
        }
        let given: BTreeSet<&str> = endpoint
            .value
            .get("params")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect();
        let asked = parameters(path);
        for name in asked.iter().filter(|name| !given.contains(*name)) {
            let next = match nearest(name, given.iter().copied().filter(|given| !asked.contains(given))) {
                Some(near) => format!("\"params\" has \"{near}\": give both the same name"),
                None => format!("Add params: {{ {name}: … }}"),
            };
            self.report(
                &pointer,
                format!("The path's parameter `{{{}}}` has no value", short(name)),
                "\"params\" does not name it",
                next,
            );
        }
        for name in given.iter().filter(|name| !asked.contains(*name)) {
            let near = nearest(name, asked.iter().copied().filter(|asked| !given.contains(asked)));
            if near.is_none() {
                let pointer = format!("{}/params/{}", endpoint.pointer, escape(name));
                self.report(
                    &pointer,
                    format!("The path has no parameter `{{{}}}`", short(name)),
                    format!("it is {}", short(path)),
                    "Take the value away, or put the parameter into the path",
                );
            }
        }
    }

    fn named_endpoint(&mut self, part: &str, endpoints: &[Seen<'a>]) {
        let Some(section) = self.value.pointer(&format!("/integration/{part}")).filter(|section| section.is_object()) else {
            return;
        };
        let pointer = format!("/integration/{part}/endpoint");
        let Some(wanted) = section.get("endpoint").and_then(Value::as_str) else {
            if endpoints.is_empty() && section.get("endpoint").is_none() {
                let what = format!("\"{part}\" has no endpoint to call");
                self.report(&format!("/integration/{part}"), what, "the file defines none", "Add one under \"endpoints\"");
            }
            return;
        };
        self.known_endpoint(&pointer, wanted, endpoints);
    }

    /// The endpoints that a load run names in its lists.
    fn load_endpoints(&mut self, endpoints: &[Seen<'a>]) {
        for (list, field) in [("mix", "/endpoint"), ("chain", ""), ("setup", ""), ("teardown", "")] {
            let items = self.value.pointer(&format!("/integration/load/{list}")).and_then(Value::as_array);
            for place in 0..items.map_or(0, Vec::len) {
                let pointer = format!("/integration/load/{list}/{place}{field}");
                if let Some(wanted) = self.text(&pointer) {
                    self.known_endpoint(&pointer, wanted, endpoints);
                }
            }
        }
    }

    fn known_endpoint(&mut self, pointer: &str, wanted: &str, endpoints: &[Seen<'a>]) {
        let known = |endpoint: &Seen<'_>| endpoint.label == wanted || endpoint.path == wanted;
        let by_method = |endpoint: &Seen<'_>| {
            let method = endpoint.value.get("method").and_then(Value::as_str).unwrap_or("GET");
            format!("{method} {}", endpoint.path) == wanted
        };
        if endpoints.iter().any(|endpoint| known(endpoint) || by_method(endpoint)) {
            return;
        }
        let labels: Vec<&str> = endpoints.iter().map(|endpoint| endpoint.label.as_str()).collect();
        let next = nearest(wanted, labels.iter().copied()).map(|near| format!("Did you mean \"{near}\"?"));
        let expected = if labels.is_empty() {
            "the file defines none".to_owned()
        } else {
            format!("expected one of {}", short_list(&labels))
        };
        self.report(pointer, format!("No endpoint is called \"{}\"", short(wanted)), expected, next.unwrap_or_default());
    }

    /// Quantities that are well written and can't be meant.
    fn amounts(&mut self) {
        for pointer in ["/integration/health/interval", "/integration/metrics/interval"] {
            if let Some(span) = self.span(pointer).filter(|span| span.0.as_millis() < 1000) {
                self.report(
                    pointer,
                    format!("An interval of {span} is too short"),
                    "at least 1s is allowed, so that a check can't flood the service",
                    "",
                );
            }
        }
        let waits = ["health/timeout", "error_handling/timeout", "load/timeout", "load/duration"];
        for pointer in waits.map(|part| format!("/integration/{part}")) {
            if self.span(&pointer).is_some_and(|span| span.0.is_zero()) {
                self.report(&pointer, "Nothing can be done in no time", "expected more than 0s", "");
            }
        }
        let load = self.value.pointer("/integration/load");
        let rate = load.and_then(|load| load.get("rate"));
        if rate.and_then(Value::as_str).and_then(|text| text.parse::<Rate>().ok()).is_some_and(|rate| rate.hertz() <= 0.0) {
            self.report("/integration/load/rate", "A rate of nothing sends nothing", "expected more than 0/s", "");
        }
        let executor = load.and_then(|load| load.get("executor")).and_then(Value::as_str);
        if executor == Some("constant-arrival-rate") && rate.is_none_or(Value::is_null) {
            self.report(
                "/integration/load/executor",
                "An arrival rate is asked for and none is given",
                "\"rate\" is missing",
                "Add rate: 100/s, say",
            );
        }
    }

    fn span(&self, pointer: &str) -> Option<Span> {
        self.text(pointer)?.parse().ok()
    }

    fn conditions(&mut self, pointer: &str) {
        let list = self.value.pointer(pointer).and_then(Value::as_array);
        for (i, text) in list.into_iter().flatten().enumerate() {
            if let Some(Err(problem)) = text.as_str().map(conditions::parse) {
                self.adopt(&format!("{pointer}/{i}"), problem);
            }
        }
    }

    fn thresholds(&mut self) {
        let list = self.value.pointer("/integration/load/thresholds").and_then(Value::as_array);
        for (i, text) in list.into_iter().flatten().enumerate() {
            if let Some(Err(problem)) = text.as_str().map(patchbay_load::thresholds::parse) {
                self.adopt(&format!("/integration/load/thresholds/{i}"), problem);
            }
        }
    }

    /// Schemas that refer to no file; the others are checked where the folder is known.
    fn schemas(&mut self, endpoints: &[Seen<'a>]) {
        let parts = iter::once("/integration").chain(endpoints.iter().map(|endpoint| endpoint.pointer.as_str()));
        for pointer in parts.flat_map(|part| ["request_schema", "response_schema"].map(|field| format!("{part}/{field}"))) {
            let Some(schema) = self.value.pointer(&pointer).filter(|schema| !schema.is_null()) else { continue };
            if schema_files(schema).is_empty()
                && let Err(problem) = Schemas::closed().check(&BodySchema(schema.clone()))
            {
                self.adopt(&pointer, problem);
            }
        }
    }
}

/// Whether an expression says where in an answer a value is.
fn captures(expression: &str) -> bool {
    let expression = expression.trim();
    expression == "status" || ["$", "[BODY]", "header:"].iter().any(|start| expression.starts_with(start))
}

/// The files that a schema refers to: each `$ref` that leads out of it, as it is written.
pub fn schema_files(schema: &Value) -> Vec<String> {
    fn collect(value: &Value, depth: usize, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) if depth < MAX_DEPTH => {
                for (name, field) in fields {
                    match field {
                        Value::String(target) if name == "$ref" && !target.starts_with('#') => found.push(target.clone()),
                        // What stands there is data, and a `$ref` in it means nothing.
                        _ if matches!(name.as_str(), "const" | "enum" | "default" | "examples") => {}
                        _ => collect(field, depth + 1, found),
                    }
                }
            }
            Value::Array(items) if depth < MAX_DEPTH => items.iter().for_each(|item| collect(item, depth + 1, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(schema, 0, &mut found);
    found
}

/// The `{parameters}` of a path; a `${reference}` is none.
fn parameters(path: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = path;
    while let Some(open) = rest.find('{') {
        let Some(close) = rest[open..].find('}').map(|close| open + close) else { break };
        if !rest[..open].ends_with('$') {
            let name = &rest[open + 1..close];
            if !found.contains(&name) {
                found.push(name);
            }
        }
        rest = &rest[close + 1..];
    }
    found
}

fn short_list(names: &[&str]) -> String {
    const MOST: usize = 12;
    let mut shown: Vec<String> = names.iter().take(MOST).map(|name| short(name)).collect();
    if names.len() > MOST {
        shown.push(format!("and {} more", names.len() - MOST));
    }
    shown.join(", ")
}

/// A key as a part of a JSON pointer (RFC 6901).
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
