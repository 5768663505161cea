//! An answer held against what the document says of it.

use patchbay_contracts::contract::{Check, Severity};
use serde_json::{Value, json};

use super::plan::{Answer, AnswerMedia, HeaderSpec, Op};
use crate::{
    contract::{
        generate::{Generator, scalar_read},
        validate::{self, bounded},
    },
    http::{self, Exchanged},
};

/// Something that isn't as the document says.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) check: Check,
    pub(super) severity: Severity,
    /// Into the body, or to what was sent.
    pub(super) pointer: String,
    /// What tells it from others of the same check and pointer.
    pub(super) keyword: String,
    pub(super) message: String,
    pub(super) expected: Option<Value>,
    pub(super) actual: Option<Value>,
    /// The JSON pointer in the document.
    pub(super) asked: String,
}

impl Finding {
    pub(super) fn new(check: Check, keyword: impl Into<String>, asked: &str, message: impl Into<String>) -> Self {
        Self {
            check,
            severity: check.severity(),
            pointer: String::new(),
            keyword: keyword.into(),
            message: message.into(),
            expected: None,
            actual: None,
            asked: asked.to_owned(),
        }
    }

    /// What makes two findings one: the elements of a list are alike.
    pub(super) fn key(&self) -> (Check, String, String) {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let pointer: Vec<&str> = self.pointer.split('/').map(|part| if digits(part) { "*" } else { part }).collect();
        (self.check, pointer.join("/"), self.keyword.clone())
    }
}

/// How a request stands to the document, as far as it changes what may be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Valid throughout; what the path leads to is known to be there.
    Valid,
    /// Valid, and the path may lead to what isn't there.
    Unknown,
    /// Broken in one place of its parameters or its body.
    Negative,
    /// No sensible request at all: no JSON, another media type. Documents seldom say what is answered then.
    Odd,
    /// Without a credential, or with a wrong one.
    Stranger,
}

/// What was judged, and what was found.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) checks: Vec<Check>,
    pub(super) findings: Vec<Finding>,
}

impl Judged {
    fn passed(&mut self, check: Check) {
        if !self.checks.contains(&check) {
            self.checks.push(check);
        }
    }

    fn found(&mut self, finding: Finding) {
        self.passed(finding.check);
        self.findings.push(finding);
    }
}

/// Judges an answer by itself: everything but whether it was right to accept or to refuse.
pub(super) fn judge(op: &Op, exchanged: &Exchanged, kind: Kind) -> Judged {
    let mut judged = Judged::default();
    let Some(answer) = &exchanged.answer else { return judged };
    let status = answer.status;
    let spec = op.answer(status);
    server_error(op, status, kind, &mut judged);
    let documented = status_check(op, status, kind, &mut judged);
    if let Some(limit) = op.latency {
        judged.passed(Check::Latency);
        if exchanged.took > limit {
            let ms = exchanged.took.as_millis();
            let finding = Finding {
                expected: Some(json!(format!("{}ms", limit.as_millis()))),
                actual: Some(json!(format!("{ms}ms"))),
                ..Finding::new(
                    Check::Latency,
                    "latency",
                    &op.pointer,
                    format!("It took {ms} ms, and at most {} ms are promised", limit.as_millis()),
                )
            };
            judged.found(finding);
        }
    }
    if let Some(spec) = spec.filter(|_| documented) {
        headers(spec, answer, &mut judged);
        body(op, spec, exchanged, answer, kind, &mut judged);
    }
    judged
}

fn server_error(op: &Op, status: u16, kind: Kind, judged: &mut Judged) {
    judged.passed(Check::ServerError);
    // What the document itself announces is no surprise: 503 while something is being set up, 501 for what is not there yet.
    let announced = op.answers.iter().any(|answer| answer.about(status) >= 2);
    if status >= 500 && !(announced && status != 500) {
        let said = match kind {
            Kind::Valid | Kind::Unknown => "a valid request",
            Kind::Negative => "an invalid request, which is to be refused with a 4xx",
            Kind::Odd => "a malformed request, which is to be refused with a 4xx",
            Kind::Stranger => "a request without a proper credential",
        };
        judged.found(Finding {
            actual: Some(json!(status)),
            expected: Some(json!("no 5xx")),
            ..Finding::new(
                Check::ServerError,
                "5xx",
                &op.pointer,
                format!("{said} is answered with {status}", said = upper(said)),
            )
        });
    }
}

fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Whether the status is a documented one.
fn status_check(op: &Op, status: u16, kind: Kind, judged: &mut Judged) -> bool {
    // What has gone wrong inside is told by its own check; a rate limit and a proxy in between have statuses of their own.
    if status >= 500 || matches!(status, 429 | 407 | 431) {
        return op.names(status);
    }
    if op.names(status) {
        judged.passed(Check::Status);
        return true;
    }
    let names_any = |all: &[u16]| all.iter().any(|status| op.names(*status));
    let natural = match (kind, status) {
        // Where the document says nothing of refusing, nothing is guessed of how it is done.
        (Kind::Odd, 400..500) | (Kind::Stranger, 401 | 403) => true,
        (Kind::Stranger, 404) => !names_any(&[401, 403]),
        (Kind::Unknown | Kind::Negative, 404) => op.path.contains('{'),
        (Kind::Negative, 400 | 413 | 414 | 422) => !names_any(&[400, 422]),
        (_, 304 | 412 | 428 | 406 | 415) => true,
        (_, 401 | 403) => op.secured() && !names_any(&[401, 403]),
        _ => false,
    };
    if natural {
        return false;
    }
    let named: Vec<&str> = op.answers.iter().map(|answer| answer.status.as_str()).collect();
    judged.found(Finding {
        expected: Some(json!(named)),
        actual: Some(json!(status)),
        ..Finding::new(
            Check::Status,
            status.to_string(),
            &format!("{}/responses", op.pointer),
            format!("The status is {status}, and the contract names {}", named.join(", ")),
        )
    });
    false
}

fn headers(spec: &Answer, answer: &http::Answer, judged: &mut Judged) {
    for header in &spec.headers {
        match answer.header(&header.name) {
            None if header.required => judged.found(Finding {
                pointer: String::new(),
                expected: Some(json!({ "required": header.name })),
                ..Finding::new(
                    Check::Header,
                    header.name.as_str(),
                    &header.asked.pointer,
                    format!("The header {} did not come", header.name),
                )
            }),
            None => {}
            Some(text) => header_value(header, &text, judged),
        }
    }
}

fn header_value(header: &HeaderSpec, text: &str, judged: &mut Judged) {
    judged.passed(Check::Header);
    let Some(generator) = &header.generator else { return };
    let value = header_read(text, generator, header.explode);
    if let Some(deviation) = validate::deviations(generator.validator(), &value, text.len() as u64).into_iter().next() {
        let keyword = format!("{} {}", header.name, deviation.keyword);
        judged.found(Finding {
            expected: Some(deviation.expected),
            actual: Some(bounded(&Value::String(text.to_owned()))),
            ..Finding::new(
                Check::Header,
                keyword,
                &header.asked.part(&deviation.schema),
                format!("The header {} is `{}`: {}", header.name, cut(text), deviation.message.replacen("The body", "it", 1)),
            )
        });
    }
}

/// A header's text as its schema means it: a list's elements are separated by commas.
fn header_read(text: &str, generator: &Generator, explode: bool) -> Value {
    let schema = generator.schema();
    let kinds = crate::contract::generate::types_of(schema, schema);
    let whole = |kind: &str| kinds.iter().all(|known| known == kind);
    if whole("array") {
        let item = schema.get("items").unwrap_or(&Value::Null);
        return text.split(',').map(|part| scalar_read(part.trim(), item, schema)).collect();
    }
    if whole("object") {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let pairs: Vec<(&str, &str)> = match explode {
            true => parts.iter().filter_map(|part| part.split_once('=')).collect(),
            false => parts.chunks_exact(2).filter_map(|pair| pair.first().copied().zip(pair.get(1).copied())).collect(),
        };
        let inner = |name: &str| schema.get("properties").and_then(|all| all.get(name)).unwrap_or(&Value::Null);
        return pairs.into_iter().map(|(name, value)| (name.to_owned(), scalar_read(value, inner(name), schema))).collect();
    }
    scalar_read(text, schema, schema)
}

fn body(op: &Op, spec: &Answer, exchanged: &Exchanged, answer: &http::Answer, kind: Kind, judged: &mut Judged) {
    use patchbay_contracts::integration::Method;
    if spec.medias.is_empty()
        || op.method == Method::Head
        || matches!(answer.status, 204 | 205 | 304)
        || kind == Kind::Odd && !(200..300).contains(&answer.status) && answer.body.bytes == 0
    {
        return;
    }
    let body = &answer.body;
    if body.bytes == 0 && exchanged.problem.is_none() {
        // A schema that is about nothing asks for nothing.
        if spec.medias.iter().any(|media| media.generator.is_some()) {
            judged.found(Finding {
                actual: Some(Value::Null),
                ..Finding::new(
                    Check::ResponseSchema,
                    "body",
                    &spec.pointer,
                    format!("The answer {} has no body, and the contract describes one", answer.status),
                )
            });
        }
        return;
    }
    let named: Vec<&str> = spec.medias.iter().map(|media| media.name.as_str()).collect();
    let whole = answer.header("content-type").unwrap_or_default();
    let fitting = spec.medias.iter().rev().filter(|media| media_fits(&media.name, &body.media_type));
    let fitting = fitting.max_by_key(|media| (specific(&media.name), with_parameters(&media.name, &whole)));
    let Some(media) = fitting else {
        let found = if body.media_type.is_empty() { "no content type".to_owned() } else { body.media_type.clone() };
        judged.found(Finding {
            expected: Some(json!(named)),
            actual: Some(Value::String(found.clone())),
            ..Finding::new(
                Check::ContentType,
                body.media_type.as_str(),
                &format!("{}/content", spec.pointer),
                format!("The answer {} has {found}, and the contract names {}", answer.status, named.join(", ")),
            )
        });
        return;
    };
    judged.passed(Check::ContentType);
    if exchanged.problem.is_some() || body.truncated {
        return;
    }
    schema(media, answer, judged);
}

/// Whether a media type is the one that a document names, which may end in a wildcard. Parameters don't count.
fn media_fits(named: &str, came: &str) -> bool {
    let essence = |text: &str| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (named, came) = (essence(named), essence(came));
    let (kind, form) = came.split_once('/').unwrap_or((&came, ""));
    match named.split_once('/') {
        Some(("*", "*")) => true,
        Some((own, "*")) => own == kind,
        Some((own, wild)) if wild.starts_with("*+") => own == kind && (form == &wild[2..] || form.ends_with(&wild[1..])),
        _ => named == came,
    }
}

/// Whether a content type has all the parameters that a documented one has: they tell two of the same name apart.
fn with_parameters(named: &str, came: &str) -> bool {
    let parameters = |text: &str| -> Vec<String> {
        text.split(';').skip(1).map(|part| part.replace([' ', '"'], "").to_ascii_lowercase()).collect()
    };
    let came = parameters(came);
    parameters(named).iter().all(|parameter| came.contains(parameter))
}

fn specific(named: &str) -> usize {
    if named.contains('*') { 0 } else { 1 }
}

fn schema(media: &AnswerMedia, answer: &http::Answer, judged: &mut Judged) {
    let Some(generator) = &media.generator else { return };
    let body = &answer.body;
    let says_json = super::plan::Form::of(&body.media_type) == super::plan::Form::Json;
    // JSON is UTF-8 (RFC 8259, 8.1). What isn't was replaced by a character of another length.
    let latin = answer
        .header("content-type")
        .is_some_and(|text| text.to_ascii_lowercase().contains("charset=") && !text.to_ascii_lowercase().contains("utf-8"));
    if says_json && !latin && body.text.as_ref().is_some_and(|text| text.len() as u64 != body.bytes) {
        judged.found(Finding {
            expected: Some(json!("UTF-8")),
            actual: body.text.as_ref().map(|text| bounded(&Value::String(text.clone()))),
            ..Finding::new(
                Check::ResponseSchema,
                "utf-8",
                &media.asked.part(""),
                "The body says that it is JSON and is not UTF-8",
            )
        });
        return;
    }
    let parsed;
    let value = match (&body.json, &body.text) {
        (Some(json), _) => json,
        (None, Some(text)) if says_json => match serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}')) {
            Ok(json) => {
                parsed = json;
                &parsed
            }
            Err(error) => {
                judged.found(Finding {
                    actual: Some(bounded(&Value::String(text.clone()))),
                    expected: Some(json!("JSON")),
                    ..Finding::new(
                        Check::ResponseSchema,
                        "json",
                        &media.asked.part(""),
                        format!("The body says that it is JSON and isn't: {error}"),
                    )
                });
                return;
            }
        },
        (None, Some(text)) => {
            // Of XML and the like a schema says little that could be judged; of plain text it may.
            if !body.media_type.starts_with("text/plain") {
                return;
            }
            parsed = scalar_read(text, generator.schema(), generator.schema());
            &parsed
        }
        (None, None) => return,
    };
    judged.passed(Check::ResponseSchema);
    for deviation in validate::deviations(generator.validator(), value, body.bytes) {
        // A property that is only ever written is forbidden by `not: {}` in its place.
        let written = deviation.keyword == "not" && deviation.expected == json!({ "not": {} });
        let forbidden =
            written || matches!(deviation.keyword.as_str(), "additionalProperties" | "unevaluatedProperties" | "falseSchema");
        let message = if written {
            format!("{} is only ever written, and must not be answered", deviation.pointer)
        } else {
            deviation.message
        };
        let check = if forbidden { Check::UndocumentedField } else { Check::ResponseSchema };
        judged.found(Finding {
            pointer: deviation.pointer,
            expected: Some(deviation.expected),
            actual: deviation.actual,
            ..Finding::new(check, deviation.keyword, &media.asked.part(&deviation.schema), message)
        });
    }
    if !judged.findings.iter().any(|finding| finding.check == Check::UndocumentedField) {
        judged.passed(Check::UndocumentedField);
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(120)]
}
