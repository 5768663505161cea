//! Links of the document: what an answer says of where to go next, by runtime expressions.

use patchbay_contracts::{contract::Check, integration::Method};
use serde_json::{Value, json};

use super::{
    call::{Call, Payload},
    judge::{Finding, Kind},
    plan::{Form, In, Link, Op, anonymous},
    run::{Outcome, Run},
    trial::Trial,
};
use crate::{
    contract::generate::{plain_text, shape_properties},
    http::Exchanged,
};

impl Run {
    /// Follows the links that the document describes for this answer.
    pub(super) async fn follow(&self, trial: &Trial, outcome: &Outcome) {
        for finding in self.linked(trial, outcome, None).await {
            let again = Trial { read_back: false, ..trial.clone() };
            self.blamed(trial.call.op, Check::Link, finding, outcome.sent().map(|sent| (sent, outcome.status)), Some(again));
        }
    }

    /// What following the links shows, or only the one with a name: none of one that leads where it should.
    pub(super) async fn linked(&self, trial: &Trial, outcome: &Outcome, only: Option<&str>) -> Vec<Option<Finding>> {
        let (Some(op), Some(exchanged), Some(status)) = (self.ops.get(trial.call.op), &outcome.exchanged, outcome.status) else {
            return Vec::new();
        };
        let Some(answer) = op.answer(status) else { return Vec::new() };
        let mut links: Vec<&Link> = answer.links.iter().filter(|link| only.is_none_or(|only| link.name == only)).collect();
        // What one of them deletes, the others can't lead to.
        links.sort_by_key(|link| self.ops.get(link.target).is_some_and(|target| target.method == Method::Delete));
        let mut all = Vec::new();
        for link in links.into_iter().filter(|link| self.may_follow(link, trial, outcome)) {
            match self.leading(link, trial, exchanged) {
                // What the document asks of a request that has no such thing is no fault of the answer.
                Err(expression) if expression.contains("$request.") => self.unfollowed(trial, link, &expression),
                Err(expression) if may_lack(op, outcome, &expression) => {}
                Err(expression) => all.push(Some(Finding {
                    pointer: String::new(),
                    expected: Some(json!(expression)),
                    ..Finding::new(
                        Check::Link,
                        link.name.as_str(),
                        &link.pointer,
                        format!("The link {} can't be followed: {expression} leads to nothing", link.name),
                    )
                })),
                Ok(None) => {}
                Ok(Some(call)) => all.extend(self.followed(link, call).await),
            }
        }
        all
    }

    /// Whether following a link does nothing to what was not made here.
    fn may_follow(&self, link: &Link, trial: &Trial, outcome: &Outcome) -> bool {
        let Some(target) = self.ops.get(link.target) else { return false };
        let own = trial.instance.as_ref().is_some_and(|instance| instance.collection.is_some());
        match target.method {
            // What the request is about is still needed by those that come after it.
            Method::Delete => outcome.made.is_some(),
            _ => target.reads() || outcome.made.is_some() || own || !target.path.contains('{'),
        }
    }

    /// Notes a link whose expression is about something that requests to its operation don't have.
    fn unfollowed(&self, trial: &Trial, link: &Link, expression: &str) {
        let Some(op) = self.ops.get(trial.call.op) else { return };
        let Some(source) = expression.strip_prefix("$request.") else { return };
        let described = match source.split_once('.') {
            Some(("path" | "query" | "header", name)) => op.params.iter().any(|param| param.name.eq_ignore_ascii_case(name)),
            _ => op.body.is_some(),
        };
        // One that only this request lacks may be there in others.
        if !described
            && op.judges(Check::Link)
            && let Some(mut ledger) = self.ledgers.of(trial.call.op)
        {
            let why = format!(
                "The link {} can't be followed: {expression} is about something that no request to {} has. Correct the link",
                link.name, op.label
            );
            ledger.open(Check::Link, why);
        }
    }

    /// The request that a link leads to; an error names the expression that leads to nothing.
    fn leading(&self, link: &Link, trial: &Trial, exchanged: &Exchanged) -> Result<Option<Call>, String> {
        let Some(target) = self.ops.get(link.target) else { return Ok(None) };
        let Some(mut call) = self.base(link.target, None, false) else { return Ok(None) };
        for (name, given) in &link.parameters {
            let value = self.evaluated(given, trial, exchanged).ok_or_else(|| plain_text(given))?;
            let (place, bare) = match name.split_once('.') {
                Some((place, bare)) if matches!(place, "path" | "query" | "header" | "cookie") => (Some(place), bare),
                _ => (None, name.as_str()),
            };
            let at = target.params.iter().position(|param| {
                let same = match param.place {
                    In::Path => "path",
                    In::Query => "query",
                    In::Header => "header",
                    In::Cookie => "cookie",
                };
                param.name == bare && place.is_none_or(|place| place == same)
            });
            if let Some(place) = at.and_then(|at| call.params.get_mut(at)) {
                *place = Some(value);
            }
        }
        if let Some(body) = &link.body {
            let value = self.evaluated(body, trial, exchanged).ok_or_else(|| plain_text(body))?;
            call.payload = Payload::Value(0, value);
        }
        Ok(Some(call))
    }

    /// Whether a link led somewhere; the outer none where that can't be said.
    async fn followed(&self, link: &Link, call: Call) -> Option<Option<Finding>> {
        let target = self.ops.get(link.target)?;
        let trial = Trial { kind: Kind::Unknown, firm: false, read_back: false, ..Trial::valid(call, &target.pointer) };
        let outcome = self.assess(&trial).await;
        let status = outcome.status?;
        // What belongs to a resource may not be there yet; the resource itself is.
        let itself = target.method == Method::Get
            && self.collections.iter().any(|collection| anonymous(&collection.item) == anonymous(&target.path));
        let missing = matches!(status, 404 | 410) && (itself || !target.names(status));
        let wrong = missing || matches!(status, 400 | 405 | 422) && target.body.is_none() || status >= 500;
        Some(wrong.then(|| Finding {
            expected: Some(json!("an answer other than 4xx and 5xx")),
            actual: Some(json!(status)),
            ..Finding::new(
                Check::Link,
                link.name.as_str(),
                &link.pointer,
                format!("The link {} leads to {}, which answers {status}", link.name, target.label),
            )
        }))
    }

    /// The value of a runtime expression (OpenAPI, "Runtime Expressions"), of a text with such expressions in braces, or of
    /// a constant.
    fn evaluated(&self, given: &Value, trial: &Trial, exchanged: &Exchanged) -> Option<Value> {
        let Value::String(text) = given else { return Some(given.clone()) };
        if text.starts_with('$') {
            return self.expression(text, trial, exchanged);
        }
        let mut filled = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("{$") {
            let (expression, after) = after.split_once('}')?;
            filled.push_str(before);
            filled.push_str(&plain_text(&self.expression(&format!("${expression}"), trial, exchanged)?));
            rest = after;
        }
        filled.push_str(rest);
        Some(Value::String(filled))
    }

    fn expression(&self, text: &str, trial: &Trial, exchanged: &Exchanged) -> Option<Value> {
        let op = self.ops.get(trial.call.op)?;
        let answer = exchanged.answer.as_ref()?;
        let param = |place: In, name: &str| {
            let at = op.params.iter().position(|param| {
                param.place == place && (param.name == name || place == In::Header && param.name.eq_ignore_ascii_case(name))
            })?;
            trial.call.params.get(at)?.clone()
        };
        let some = |value: Option<&Value>| value.filter(|value| !value.is_null()).cloned();
        match text {
            "$url" => return Some(Value::String(exchanged.url().to_string())),
            "$method" => return Some(json!(op.method.as_str())),
            "$statusCode" => return Some(json!(answer.status)),
            "$response.body" => return some(answer.body.json.as_ref()),
            "$request.body" => return some(trial.call.value()),
            _ => {}
        }
        if let Some(pointer) = text.strip_prefix("$response.body#") {
            return some(answer.body.json.as_ref()?.pointer(pointer));
        }
        if let Some(pointer) = text.strip_prefix("$request.body#") {
            return some(trial.call.value()?.pointer(pointer));
        }
        if let Some(name) = text.strip_prefix("$response.header.") {
            return answer.header(name).map(Value::String);
        }
        let (place, name) = [("$request.path.", In::Path), ("$request.query.", In::Query), ("$request.header.", In::Header)]
            .into_iter()
            .find_map(|(front, place)| text.strip_prefix(front).map(|name| (place, name)))?;
        param(place, name)
    }
}

/// Whether an answer may lack what an expression names: its schema describes it and does without it.
fn may_lack(op: &Op, outcome: &Outcome, expression: &str) -> bool {
    let (Some(pointer), Some(body)) = (expression.strip_prefix("$response.body#"), outcome.body()) else { return false };
    let answer = outcome.status.and_then(|status| op.answer(status));
    let media = answer.and_then(|answer| answer.medias.iter().find(|media| Form::of(&media.name) == Form::Json));
    let Some(generator) = media.and_then(|media| media.generator.as_ref()) else { return false };
    let name = pointer.split('/').nth(1).unwrap_or_default().replace("~1", "/").replace("~0", "~");
    generator.allows(body) && shape_properties(generator.schema(), generator.schema()).iter().any(|(known, _)| *known == name)
}
