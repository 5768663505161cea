//! From the model of a document to the operations of a run: schemas compiled, links resolved, choices made.

use std::time::Duration;

use patchbay_contracts::{
    Problem,
    contract::{Check, ContractOptions},
    integration::Method,
    units::Span,
};
use serde_json::Value;

use super::plan::{Answer, AnswerMedia, Asked, Body, BodyMedia, Form, HeaderSpec, In, Link, Op, Param, Scheme};
use crate::contract::{
    generate::{Generator, Style},
    judged,
    openapi::{Api, Direction, Header, Media, Operation, Parameter, ParameterPlace, Response, Schema, SchemeKind, StatusKey},
    wanted,
};

/// The most operations of a run.
const MOST: usize = 2000;
/// Headers that have a rule of their own, so that no parameter describes them (OpenAPI 3.1.1, 4.8.12.1).
const IGNORED: [&str; 3] = ["accept", "content-type", "authorization"];

/// The operations that are to be judged, and what of them can't be.
pub(super) struct Compiled {
    pub(super) ops: Vec<Op>,
    pub(super) problems: Vec<Problem>,
    /// Whether there are more operations than a run takes.
    pub(super) cut: bool,
}

pub(super) fn compile(api: &Api, options: &ContractOptions) -> Compiled {
    let mut compiler = Compiler { api, problems: Vec::new() };
    // Those that nobody chose are still of use: they make what the chosen ones are about.
    let all: Vec<&Operation> = api.operations.iter().take(MOST).collect();
    // That a service can't be reached is never left out in silence.
    let off: Vec<Check> =
        Check::ALL.iter().copied().filter(|check| *check != Check::Reachable && !judged(options, *check)).collect();
    let mut ops: Vec<Op> = Vec::new();
    for operation in &all {
        let label = operation.label();
        let names: Vec<&str> = [label.as_str(), &operation.path]
            .into_iter()
            .chain(operation.id.as_deref())
            .chain(operation.tags.iter().map(String::as_str))
            .collect();
        let op = compiler.operation(operation, &all);
        ops.extend(op.map(|op| Op { off: off.clone(), chosen: wanted(options, &names), ..op }));
    }
    let cut = api.operations.len() > MOST;
    Compiled { ops, problems: compiler.problems, cut }
}

struct Compiler<'a> {
    api: &'a Api,
    problems: Vec<Problem>,
}

impl Compiler<'_> {
    fn operation(&mut self, operation: &Operation, all: &[&Operation]) -> Option<Op> {
        let method = Method::named(&operation.method)?;
        let latency = self.latency(&operation.pointer);
        let params = operation.parameters.iter().filter(|param| {
            param.place != ParameterPlace::Header || !IGNORED.contains(&param.name.to_ascii_lowercase().as_str())
        });
        let params: Vec<Param> = params.map(|param| self.parameter(param)).collect();
        let body = operation.body.as_ref().map(|body| Body {
            required: body.required,
            medias: json_first(body.content.iter().map(|media| self.body_media(media)).collect()),
            pointer: body.pointer.clone(),
        });
        Some(Op {
            label: operation.label(),
            method,
            path: operation.path.clone(),
            pointer: operation.pointer.clone(),
            params,
            body: body.filter(|body| !body.medias.is_empty()),
            answers: operation.responses.iter().map(|response| self.answer(response, all)).collect(),
            security: operation.security.iter().map(|way| way.iter().map(|(name, _)| self.scheme(name)).collect()).collect(),
            latency,
            off: Vec::new(),
            chosen: true,
        })
    }

    /// The longest that an answer may take: of the operation, its path, or the whole document.
    fn latency(&self, pointer: &str) -> Option<Duration> {
        const KEYS: [&str; 3] = ["x-patchbay-latency", "x-latency", "x-max-latency"];
        let path = pointer.rsplit_once('/').map_or("", |(path, _)| path);
        let found = |at: &str| {
            self.api.root().pointer(at).and_then(|fields| KEYS.iter().find_map(|key| fields.get(*key))).and_then(latency)
        };
        [pointer, path, ""].into_iter().find_map(found)
    }

    fn generator(&mut self, schema: Option<&Schema>, direction: Direction) -> Option<Generator> {
        let schema = schema?;
        match Generator::new(&schema.json_schema(direction)) {
            Ok(generator) => Some(generator),
            Err(problem) => {
                let place = problem.place.clone().or_else(|| self.api.place(schema.pointer()));
                let problem = Problem { place, ..problem };
                if !self.problems.contains(&problem) {
                    self.problems.push(problem);
                }
                None
            }
        }
    }

    fn parameter(&mut self, param: &Parameter) -> Param {
        let place = place(param.place);
        Param {
            name: param.name.clone(),
            place,
            required: param.required || place == In::Path,
            style: style(&param.style),
            explode: param.explode,
            reserved: param.allow_reserved,
            json: param.media_type.as_deref().is_some_and(|media| Form::of(media) == Form::Json),
            generator: self.generator(param.schema.as_ref(), Direction::Request),
            examples: param.examples.clone(),
            pointer: param.pointer.clone(),
        }
    }

    fn body_media(&mut self, media: &Media) -> BodyMedia {
        BodyMedia {
            form: Form::of(&media.media_type),
            name: media.media_type.clone(),
            generator: self.generator(media.schema.as_ref(), Direction::Request),
            examples: media.examples.iter().map(|(_, value)| value.clone()).collect(),
            asked: Asked { pointer: media.pointer.clone(), schema: media.schema.clone() },
            styles: media.encoding.as_ref().map(styles).unwrap_or_default(),
        }
    }

    fn answer(&mut self, response: &Response, all: &[&Operation]) -> Answer {
        let status = match response.status {
            StatusKey::Code(code) => code.to_string(),
            StatusKey::Range(hundred) => format!("{hundred}XX"),
            StatusKey::Default => "default".to_owned(),
        };
        let medias: Vec<AnswerMedia> = response
            .content
            .iter()
            .map(|media| AnswerMedia {
                name: media.media_type.clone(),
                generator: self.generator(media.schema.as_ref(), Direction::Response),
                asked: Asked { pointer: media.pointer.clone(), schema: media.schema.clone() },
            })
            .collect();
        // The media type has a check of its own.
        let headers = response.headers.iter().filter(|header| !header.name.eq_ignore_ascii_case("content-type"));
        let headers: Vec<HeaderSpec> = headers.map(|header| self.header(header)).collect();
        let links = response.links.iter().filter_map(|link| {
            let target = all.iter().position(|operation| match (&link.operation_id, &link.operation_pointer) {
                (Some(id), _) => operation.id.as_ref() == Some(id),
                (None, Some(pointer)) => operation.pointer == *pointer,
                (None, None) => false,
            })?;
            Some(Link {
                name: link.name.clone(),
                target,
                parameters: link.parameters.iter().cloned().collect(),
                body: link.body.clone(),
                pointer: link.pointer.clone(),
            })
        });
        Answer { status, headers, medias, links: links.collect(), pointer: response.pointer.clone() }
    }

    fn header(&mut self, header: &Header) -> HeaderSpec {
        HeaderSpec {
            name: header.name.clone(),
            required: header.required,
            explode: header.explode,
            generator: self.generator(header.schema.as_ref(), Direction::Response),
            asked: Asked { pointer: header.pointer.clone(), schema: header.schema.clone() },
        }
    }

    fn scheme(&self, name: &str) -> Scheme {
        let Some(scheme) = self.api.schemes.iter().find(|scheme| scheme.name == name) else { return Scheme::Other };
        match &scheme.kind {
            SchemeKind::ApiKey { name, place: at } => Scheme::Key { name: name.clone(), place: place(*at) },
            SchemeKind::Http { scheme } if scheme == "basic" => Scheme::Basic,
            SchemeKind::Http { .. } | SchemeKind::OAuth2 | SchemeKind::OpenIdConnect => Scheme::Bearer,
            _ => Scheme::Other,
        }
    }
}

fn place(place: ParameterPlace) -> In {
    match place {
        ParameterPlace::Path => In::Path,
        ParameterPlace::Query => In::Query,
        ParameterPlace::Header => In::Header,
        ParameterPlace::Cookie => In::Cookie,
    }
}

fn style(name: &str) -> Style {
    match name {
        "matrix" => Style::Matrix,
        "label" => Style::Label,
        "spaceDelimited" => Style::SpaceDelimited,
        "pipeDelimited" => Style::PipeDelimited,
        "tabDelimited" => Style::TabDelimited,
        "deepObject" => Style::DeepObject,
        "simple" => Style::Simple,
        _ => Style::Form,
    }
}

/// The fields of a form to which the document gives a style (OpenAPI 3.0.4, 4.8.15.1).
fn styles(encoding: &Value) -> Vec<(String, Style, bool)> {
    let own = |(name, field): (&String, &Value)| {
        let (named, explode) = (field.get("style").and_then(Value::as_str), field.get("explode").and_then(Value::as_bool));
        (named.is_some() || explode.is_some()).then(|| {
            let style = style(named.unwrap_or("form"));
            (name.clone(), style, explode.unwrap_or(style == Style::Form))
        })
    };
    encoding.as_object().into_iter().flatten().filter_map(own).collect()
}

/// JSON before anything else: most can be said in it, and in a text least.
fn json_first(mut medias: Vec<BodyMedia>) -> Vec<BodyMedia> {
    medias.sort_by_key(|media| (media.form != Form::Json, media.form == Form::Text));
    medias
}

/// `500ms`, `2s`, or a number of milliseconds.
fn latency(value: &Value) -> Option<Duration> {
    match value {
        Value::String(text) => text.parse::<Span>().ok().map(|span| span.0),
        Value::Number(ms) => ms.as_u64().map(Duration::from_millis),
        _ => None,
    }
}
