//! The operations of a document, with everything made ready that each request needs.

use std::cell::OnceCell;

use serde_json::{Value, json};

use crate::contract::{
    generate::{Chance, Generator, shape_properties},
    openapi::{Direction, Header, Media, Operation, ParameterPlace, Response, Schema, StatusKey, media_for},
};

/// An operation.
pub(super) struct Op {
    pub(super) label: String,
    pub(super) params: Vec<Param>,
    pub(super) body: Option<Body>,
    pub(super) replies: Vec<Reply>,
}

/// A parameter.
pub(super) struct Param {
    pub(super) name: String,
    pub(super) place: ParameterPlace,
    pub(super) required: bool,
    pub(super) style: String,
    pub(super) explode: bool,
    pub(super) json: bool,
    pub(super) allow_empty: bool,
    /// None where its schema can't be used.
    pub(super) generator: Option<Generator>,
}

/// What is sent.
pub(super) struct Body {
    pub(super) required: bool,
    pub(super) medias: Vec<BodyMedia>,
    documented: Vec<Media>,
}

/// One form of what is sent.
pub(super) struct BodyMedia {
    pub(super) name: String,
    pub(super) generator: Option<Generator>,
    /// The fields of a form that are written in a style of their own, as parameters of a query are.
    pub(super) fields: Vec<Param>,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyForm {
    Json,
    Urlencoded,
    Multipart,
    Text,
}

impl BodyForm {
    pub(super) fn of(media_type: &str) -> Self {
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-www-form-urlencoded" => Self::Urlencoded,
            "multipart/form-data" => Self::Multipart,
            json if json.ends_with("/json") || json.ends_with("+json") => Self::Json,
            _ => Self::Text,
        }
    }
}

/// What is answered.
pub(super) struct Reply {
    pub(super) key: StatusKey,
    pub(super) medias: Vec<ReplyMedia>,
    pub(super) headers: Vec<(Header, Option<Generator>)>,
    /// The headers that links of the document lead on with, each with the parameter that it is put into.
    pub(super) leading: Vec<(String, String)>,
}

/// One form of what is answered.
pub(super) struct ReplyMedia {
    /// As it is answered: without wildcards.
    pub(super) name: String,
    pub(super) generator: Option<Generator>,
    pub(super) examples: Vec<Value>,
    sample: OnceCell<Value>,
}

impl Op {
    /// What a request to it needs.
    pub(super) fn new(operation: &Operation) -> Self {
        let params = operation.parameters.iter().map(|parameter| Param {
            name: parameter.name.clone(),
            place: parameter.place,
            required: parameter.required,
            style: parameter.style.clone(),
            explode: parameter.explode,
            json: parameter.media_type.as_deref().is_some_and(|media| BodyForm::of(media) == BodyForm::Json),
            allow_empty: parameter.allow_empty,
            generator: generator(parameter.schema.as_ref(), Direction::Request),
        });
        let body = operation.body.as_ref().map(|body| Body {
            required: body.required,
            medias: body
                .content
                .iter()
                .map(|media| {
                    let generator = generator(media.schema.as_ref(), Direction::Request);
                    BodyMedia { name: media.media_type.clone(), fields: fields(media, generator.as_ref()), generator }
                })
                .collect(),
            documented: body.content.clone(),
        });
        Self {
            label: operation.label(),
            params: params.collect(),
            body,
            replies: operation.responses.iter().map(reply).collect(),
        }
    }

    /// What is documented for a status: the code itself, else its range, else the default.
    pub(super) fn reply(&self, status: u16) -> Option<&Reply> {
        let found = |key: StatusKey| self.replies.iter().find(|reply| reply.key == key);
        let range = u8::try_from(status / 100).map(StatusKey::Range).ok().and_then(found);
        found(StatusKey::Code(status)).or(range).or_else(|| found(StatusKey::Default))
    }

    /// Whether a status is documented by its own code.
    pub(super) fn names(&self, status: u16) -> bool {
        self.replies.iter().any(|reply| reply.key == StatusKey::Code(status))
    }

    /// The first of some statuses that is documented by its own code, else the first one.
    pub(super) fn pick(&self, statuses: &[u16]) -> u16 {
        let named = statuses.iter().copied().find(|status| self.names(*status));
        named.or_else(|| statuses.first().copied()).unwrap_or(400)
    }

    /// The status of a success, those that are usual for the method first.
    pub(super) fn success(&self, usual: &[u16]) -> u16 {
        if let Some(status) = usual.iter().copied().find(|status| self.names(*status)) {
            return status;
        }
        let codes = self.replies.iter().filter_map(|reply| match reply.key {
            StatusKey::Code(code) if (200..400).contains(&code) => Some(code),
            StatusKey::Range(2) => Some(200),
            _ => None,
        });
        let named = |reply: &Reply| match reply.key {
            StatusKey::Code(code) => Some(code),
            StatusKey::Range(hundred) => Some(u16::from(hundred) * 100),
            StatusKey::Default => None,
        };
        let default = self.replies.iter().any(|reply| reply.key == StatusKey::Default);
        // What documents no success can't have any.
        codes.min().or_else(|| self.replies.iter().filter_map(named).filter(|_| !default).min()).unwrap_or(200)
    }
}

impl Body {
    /// What is documented for a content type.
    pub(super) fn media_for(&self, content_type: &str) -> Option<&BodyMedia> {
        let found = media_for(&self.documented, content_type)?;
        self.medias.iter().find(|media| media.name == found.media_type)
    }
}

/// The fields of a form to which the document gives a style (OpenAPI 3.0.4, 4.8.15.1).
fn fields(media: &Media, generator: Option<&Generator>) -> Vec<Param> {
    let Some(root) = generator.map(Generator::schema) else { return Vec::new() };
    let described = shape_properties(root, root);
    let field = |(name, field): (&String, &Value)| {
        let (style, explode) = (field.get("style").and_then(Value::as_str), field.get("explode").and_then(Value::as_bool));
        if style.is_none() && explode.is_none() {
            return None;
        }
        let (_, schema) = described.iter().find(|(known, _)| known == name)?;
        let definitions = root.get("$defs").cloned().unwrap_or_else(|| json!({}));
        let style = style.unwrap_or("form").to_owned();
        Some(Param {
            name: name.clone(),
            place: ParameterPlace::Query,
            required: false,
            explode: explode.unwrap_or(style == "form"),
            style,
            json: false,
            allow_empty: false,
            generator: Generator::new(&json!({ "allOf": [schema], "$defs": definitions })).ok(),
        })
    };
    media.encoding.as_ref().and_then(Value::as_object).into_iter().flatten().filter_map(field).collect()
}

fn reply(response: &Response) -> Reply {
    Reply {
        key: response.status,
        medias: response
            .content
            .iter()
            .map(|media| ReplyMedia {
                name: concrete(&media.media_type),
                generator: generator(media.schema.as_ref(), Direction::Response),
                examples: media.examples.iter().map(|(_, value)| value.clone()).collect(),
                sample: OnceCell::new(),
            })
            .collect(),
        headers: response
            .headers
            .iter()
            .map(|header| (header.clone(), generator(header.schema.as_ref(), Direction::Response)))
            .collect(),
        leading: response
            .links
            .iter()
            .flat_map(|link| &link.parameters)
            .filter_map(|(name, value)| {
                let header = value.as_str()?.strip_prefix("$response.header.")?;
                let bare = name.strip_prefix("path.").unwrap_or(name);
                Some((header.to_ascii_lowercase(), bare.to_owned()))
            })
            .collect(),
    }
}

fn generator(schema: Option<&Schema>, direction: Direction) -> Option<Generator> {
    Generator::new(&schema?.json_schema(direction)).ok()
}

/// A media type that can be answered, where wildcards stand for JSON or text.
fn concrete(media_type: &str) -> String {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    match essence {
        "*/*" | "application/*" | "*" | "" => "application/json".to_owned(),
        wild if wild.contains("*+") => wild.replace("*+", "vnd.mock+"),
        wild if wild.ends_with("/*") => wild.replace("/*", "/plain"),
        _ => media_type.trim().to_owned(),
    }
}

impl ReplyMedia {
    /// What is answered where nothing else is known: the document's example where it has one that fits, else what the
    /// schema asks for. The same for the same seed.
    pub(super) fn sample(&self, seed: Option<u64>, label: &str) -> &Value {
        self.sample.get_or_init(|| {
            let Some(generator) = &self.generator else {
                return self.examples.first().cloned().unwrap_or(Value::Null);
            };
            if let Some(example) = self.examples.iter().find(|example| generator.allows(example)) {
                return example.clone();
            }
            let random = seed.and_then(|seed| {
                let mut chance = Chance::of(seed, label);
                generator.valid(&mut chance, 12, 4).into_iter().rev().find(|case| case.keyword == "random" && !case.strange)
            });
            random.map(|case| case.value).or_else(|| generator.ordinary()).unwrap_or(Value::Null)
        })
    }

    /// Whether a value may be answered.
    pub(super) fn allows(&self, value: &Value) -> bool {
        self.generator.as_ref().is_none_or(|generator| generator.allows(value))
    }

    /// The schema, as its own document.
    pub(super) fn schema(&self) -> &Value {
        self.generator.as_ref().map_or(&Value::Bool(true), Generator::schema)
    }
}
