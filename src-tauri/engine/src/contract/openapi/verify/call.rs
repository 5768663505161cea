//! A request to an operation: values for its parameters, a body and a credential, written as they go over the wire.

use patchbay_contracts::{
    integration::{ApiKeyPlace, Auth, AuthSpec},
    probe::ProbeRequest,
    units::Span,
};
use serde_json::{Value, json};

use super::plan::{BodyMedia, Form, In, Op, Param, Scheme};
use crate::contract::generate::{
    Style, content, form, header_text, kind_of, multipart, path_text, plain_text, query_pairs, scalar_read, shape_items,
    shape_properties, types_of,
};

/// What stands between the parts of a multipart body.
const BOUNDARY: &str = "patchbay-part";
/// The depth from which on whatever is nested is a text.
const FLAT: usize = 16;
/// A credential that nobody was ever given.
const WRONG: &str = "patchbay-wrong-credential";

/// A request that is to be made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    /// The index of the operation.
    pub(super) op: usize,
    /// A value for each parameter, in their order; none for one that is left out.
    pub(super) params: Vec<Option<Value>>,
    pub(super) payload: Payload,
    pub(super) credential: Credential,
    /// The media type that is asked for, where it matters.
    pub(super) accept: Option<String>,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Payload {
    None,
    /// A value in the form of the media type with this index.
    Value(usize, Value),
    /// Text as it stands, with its media type.
    Raw(String, String),
}

/// How a request authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credential {
    /// As a person said.
    Given,
    /// Not at all.
    None,
    /// Of the same kind, and wrong.
    Wrong,
    /// All but the one with this number of those that are asked for together.
    Lacking(usize),
    /// All, that one wrong.
    Mistaken(usize),
}

/// What all requests of a run share.
#[derive(Debug, Clone)]
pub(super) struct Common {
    /// The address, without a slash at its end.
    pub(super) base: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) auth: Option<AuthSpec>,
}

impl Call {
    /// The body's value.
    pub(super) fn value(&self) -> Option<&Value> {
        match &self.payload {
            Payload::Value(_, value) => Some(value),
            _ => None,
        }
    }

    /// The same with another body's value.
    pub(super) fn with_value(&self, value: Value) -> Self {
        let payload = match &self.payload {
            Payload::Value(media, _) => Payload::Value(*media, value),
            other => other.clone(),
        };
        Self { payload, ..self.clone() }
    }

    /// The values of its headers that were made up here, and are nobody's credential whatever their names say.
    pub(super) fn made_up(&self, op: &Op) -> Vec<String> {
        let own = |place: In| op.params.iter().zip(&self.params).filter(move |(param, _)| param.place == place);
        let text = |(param, value): (&Param, &Option<Value>)| value.as_ref().map(|value| header_value(param, value));
        let mut all: Vec<String> = own(In::Header).filter_map(text).collect();
        let cookie = |(param, value): (&Param, &Option<Value>)| Some(format!("{}={}", param.name, text((param, value))?));
        all.push(own(In::Cookie).filter_map(cookie).collect::<Vec<_>>().join("; "));
        all
    }

    /// The path with its parameters filled in.
    pub(super) fn path(&self, op: &Op) -> String {
        // What follows a `#` only tells operations apart in the document; nobody is sent it.
        let mut path = op.path.split('#').next().unwrap_or_default().to_owned();
        for (param, value) in op.params.iter().zip(&self.params).filter(|(param, _)| param.place == In::Path) {
            let text = path_text(&param.name, value.as_ref().unwrap_or(&Value::Null), param.style, param.explode);
            path = path.replace(&format!("{{{}}}", param.name), &text);
        }
        path
    }

    /// The request as it is sent.
    pub(super) fn request(&self, op: &Op, common: &Common) -> ProbeRequest {
        let mut headers: Vec<(String, String)> = common.headers.clone();
        let (mut query, mut cookies) = (Vec::new(), Vec::new());
        for (param, value) in op.params.iter().zip(&self.params) {
            let Some(value) = value else { continue };
            match param.place {
                In::Path => {}
                In::Query if param.json => {
                    query.extend(query_pairs(&param.name, &Value::String(content(value)), param.style, true, false))
                }
                In::Query => query.extend(query_pairs(&param.name, value, param.style, param.explode, param.reserved)),
                In::Header => headers.push((param.name.clone(), literal(&header_value(param, value)))),
                In::Cookie => cookies.push(format!("{}={}", param.name, literal(&header_value(param, value)))),
            }
        }
        let auth = self.authenticate(op, common, &mut query, &mut cookies, &mut headers);
        if !cookies.is_empty() {
            headers.push(("Cookie".to_owned(), cookies.join("; ")));
        }
        if let Some(accept) = &self.accept {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("accept"));
            headers.push(("Accept".to_owned(), literal(accept)));
        }
        let body = self.body(op, &mut headers);
        let mut url = format!("{}{}", common.base, literal(&self.path(op)));
        if !query.is_empty() {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&literal(&query.join("&")));
        }
        ProbeRequest {
            method: op.method,
            url,
            headers,
            auth: auth.map(Auth::Spec),
            body,
            timeout: None::<Span>,
            ..ProbeRequest::default()
        }
    }

    fn body(&self, op: &Op, headers: &mut Vec<(String, String)>) -> Option<String> {
        let mut typed = |media_type: String| {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
            headers.push(("Content-Type".to_owned(), media_type));
        };
        match &self.payload {
            Payload::None => None,
            Payload::Raw(text, media_type) => {
                typed(media_type.clone());
                Some(literal(text))
            }
            Payload::Value(index, value) => {
                let media = op.body.as_ref()?.medias.get(*index)?;
                let concrete = if media.name.contains('*') { "application/json" } else { &media.name };
                let text = match media.form {
                    Form::Json => content(value),
                    Form::Urlencoded => form_text(media, value),
                    Form::Multipart => {
                        typed(format!("multipart/form-data; boundary={BOUNDARY}"));
                        return Some(literal(&multipart(
                            value,
                            &files(media.generator.as_ref().map(|generator| generator.schema())),
                            BOUNDARY,
                        )));
                    }
                    Form::Text => plain_text(value),
                };
                typed(concrete.to_owned());
                Some(literal(&text))
            }
        }
    }

    /// How the request authenticates: as the operation asks, with what the person gave.
    fn authenticate(
        &self,
        op: &Op,
        common: &Common,
        query: &mut Vec<String>,
        cookies: &mut Vec<String>,
        headers: &mut Vec<(String, String)>,
    ) -> Option<AuthSpec> {
        let meant: Vec<&Scheme> = match self.credential {
            Credential::Given => Vec::new(),
            Credential::None | Credential::Wrong => op.security.iter().flatten().collect(),
            Credential::Lacking(index) | Credential::Mistaken(index) => {
                op.security.iter().flatten().skip(index).take(1).collect()
            }
        };
        // A credential may also be among the headers that a person gave.
        let keys: Vec<&str> = meant.iter().filter_map(|scheme| scheme.header()).collect();
        headers.retain(|(name, _)| !keys.iter().any(|key| name.eq_ignore_ascii_case(key)));
        let given = op.security.iter().flatten().find(|scheme| fits(scheme, common.auth.as_ref()));
        let scheme = given.or_else(|| op.security.iter().flatten().next());
        match self.credential {
            Credential::None => return Some(AuthSpec::None),
            Credential::Wrong => return wrong(scheme?, query, cookies),
            Credential::Lacking(_) if meant.contains(&given?) => return Some(AuthSpec::None),
            Credential::Mistaken(_) if meant.contains(&given?) => return wrong(scheme?, query, cookies),
            // The one that is wrong is a header of its own beside what the person gave.
            Credential::Mistaken(_) => headers.extend(keys.iter().map(|key| ((*key).to_owned(), WRONG.to_owned()))),
            Credential::Lacking(_) | Credential::Given => {}
        }
        match (&common.auth, scheme) {
            (Some(AuthSpec::ApiKey { value, .. }), Some(Scheme::Key { name, place: In::Cookie })) => {
                cookies.push(format!("{name}={value}"));
                None
            }
            (Some(AuthSpec::ApiKey { value, .. }), Some(Scheme::Key { name, place })) => {
                let place = if *place == In::Query { ApiKeyPlace::Query } else { ApiKeyPlace::Header };
                Some(AuthSpec::ApiKey { name: name.clone(), value: value.clone(), place })
            }
            (auth, _) => auth.clone(),
        }
    }
}

/// A credential of a scheme that nobody was given.
fn wrong(scheme: &Scheme, query: &mut Vec<String>, cookies: &mut Vec<String>) -> Option<AuthSpec> {
    match scheme {
        Scheme::Bearer | Scheme::Other => Some(AuthSpec::Bearer { token: WRONG.to_owned() }),
        Scheme::Basic => Some(AuthSpec::Basic { username: "patchbay".to_owned(), password: WRONG.to_owned() }),
        Scheme::Key { name, place } => keyed(name, *place, WRONG, query, cookies),
    }
}

/// Whether what a person gave is what a scheme asks for.
fn fits(scheme: &Scheme, auth: Option<&AuthSpec>) -> bool {
    matches!(
        (scheme, auth),
        (Scheme::Bearer, Some(AuthSpec::Bearer { .. }))
            | (Scheme::Basic, Some(AuthSpec::Basic { .. }))
            | (Scheme::Key { .. }, Some(AuthSpec::ApiKey { .. }))
    )
}

fn keyed(name: &str, place: In, value: &str, query: &mut Vec<String>, cookies: &mut Vec<String>) -> Option<AuthSpec> {
    match place {
        In::Query => {
            query.extend(query_pairs(name, &Value::String(value.to_owned()), crate::contract::generate::Style::Form, true, false))
        }
        In::Cookie => cookies.push(format!("{name}={value}")),
        In::Path | In::Header => {
            return Some(AuthSpec::ApiKey { name: name.to_owned(), value: value.to_owned(), place: ApiKeyPlace::Header });
        }
    }
    Some(AuthSpec::None)
}

fn header_value(param: &Param, value: &Value) -> String {
    if param.json { content(value) } else { header_text(value, param.explode) }
}

/// A form, its fields in the styles that the document gives them.
pub(super) fn form_text(media: &BodyMedia, value: &Value) -> String {
    let Value::Object(members) = value else { return form(value) };
    let written = |(name, value): (&String, &Value)| {
        let text = match media.style(name) {
            Some((style, explode)) => query_pairs(name, value, style, explode, false).unwrap_or_default(),
            None => form(&json!({ name: value })),
        };
        (!text.is_empty()).then_some(text)
    };
    members.iter().filter_map(written).collect::<Vec<_>>().join("&")
}

/// The members of a multipart body that are files.
fn files(schema: Option<&Value>) -> Vec<String> {
    let properties = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    let file = |schema: &Value| {
        schema.get("format").is_some_and(|format| format == "binary") || schema.get("contentMediaType").is_some()
    };
    properties.into_iter().flatten().filter(|(_, schema)| file(schema)).map(|(name, _)| name.clone()).collect()
}

/// A text in which nothing is a reference to be filled in.
pub(super) fn literal(text: &str) -> String {
    text.replace("${", "$${")
}

/// A parameter's value as the service will read it: everything but JSON arrives as text, of which a number can be read
/// where the schema asks for one.
pub(super) fn as_read(param: &Param, value: &Value) -> Value {
    if param.json {
        return value.clone();
    }
    let schema = param.generator.as_ref().map_or(&Value::Null, |generator| generator.schema());
    // Only in brackets is there anything within a member; elsewhere it is written as its JSON.
    read(value, schema, schema, if param.style == Style::DeepObject { 0 } else { FLAT })
}

fn read(value: &Value, schema: &Value, root: &Value, depth: usize) -> Value {
    if depth > FLAT + 8 {
        return value.clone();
    }
    match value {
        // Where there is to be something within a member, a service may well read the JSON.
        Value::Object(_) | Value::Array(_) if depth > FLAT => {
            let wanted = types_of(schema, root).iter().any(|kind| kind == kind_of(value));
            if wanted { value.clone() } else { scalar_read(&plain_text(value), schema, root) }
        }
        Value::Array(items) => {
            let item = item_of(schema, root);
            // An object or a list within a list is written as its JSON, which is a text like any other.
            let element = |value: &Value| match value {
                Value::Object(_) | Value::Array(_) => scalar_read(&plain_text(value), &item, root),
                scalar => read(scalar, &item, root, depth + 1),
            };
            Value::Array(items.iter().map(element).collect())
        }
        Value::Object(members) => {
            let described = shape_properties(schema, root);
            let inner = |name: &str| described.iter().find(|(known, _)| known == name).map_or(&Value::Null, |(_, schema)| schema);
            members.iter().map(|(name, value)| (name.clone(), read(value, inner(name), root, depth + 1))).collect()
        }
        // One of a list is written as the one by itself.
        scalar if types_of(schema, root).iter().all(|kind| kind == "array") => {
            Value::Array(vec![scalar_read(&plain_text(scalar), &item_of(schema, root), root)])
        }
        scalar => scalar_read(&plain_text(scalar), schema, root),
    }
}

/// The schema of a list's elements.
fn item_of(schema: &Value, root: &Value) -> Value {
    shape_items(schema, root).into_iter().next().unwrap_or_default()
}
