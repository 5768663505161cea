//! All that is tried of one operation: valid input at its boundaries, input that is broken in one place, no credential.

use patchbay_contracts::{contract::Check, integration::Method};
use serde_json::{Value, json};

use super::{
    call::{Call, Credential, Payload, as_read},
    judge::Kind,
    plan::{Body, BodyMedia, Form, In, Op, Param},
    resources::Instance,
    run::{READ_ONLY, Run},
    trial::Trial,
    written::{broken_as_written, can_be_sent, firm, is_absent, is_flat, sure, sure_body},
};
use crate::contract::{
    generate::{Case, Chance, Generator, plain_text, shape_properties, types_of},
    schema::escape,
};

/// The most valid and broken bodies of an operation, and how many of the valid ones are random.
const BODIES: (usize, usize, usize) = (70, 110, 8);
/// The same for each parameter.
const VALUES: (usize, usize, usize) = (14, 16, 2);
/// The most deletions of an operation: each takes a resource.
const DELETIONS: usize = 4;
/// Below this, a number may well be an identity that is in use.
const LOW: u64 = 1_000_000;
/// Media types that no service takes for JSON.
const OTHER_TYPE: &str = "text/plain";

/// Everything that is to be tried of an operation after the ordinary request, in its order.
pub(super) fn trials(run: &Run, base: &Call, instance: Option<&Instance>) -> Vec<Trial> {
    let Some(op) = run.ops.get(base.op) else { return Vec::new() };
    let mut all = Vec::new();
    let valid = |call: Call| Trial { instance: instance.cloned(), ..Trial::valid(call, &op.pointer) };
    let whole = run.base(base.op, instance, true).filter(|whole| whole != base).map(|whole| run.identified(&whole));
    if let Some(whole) = whole.filter(|whole| whole != base) {
        all.push(Trial { keyword: "properties", what: "All parameters are there".to_owned(), ..valid(whole) });
    }
    if let Some(body) = &op.body {
        all.extend(bodies(run, op, body, base, instance));
    }
    for (index, param) in op.params.iter().enumerate() {
        all.extend(values(run, op, param, index, base, instance));
    }
    all.extend(accepting(op, base, instance));
    if op.method == Method::Delete {
        let firm = |trial: &Trial| trial.kind == Kind::Valid;
        let mut valid = 0;
        all.retain(|trial| {
            valid += usize::from(firm(trial));
            !firm(trial) || valid <= DELETIONS
        });
    }
    all
}

/// Each media type that a success is documented in, asked for by itself. A service that has but one of them says so with it,
/// or with 406 (RFC 9110, 12.5.1); what comes is judged as what it says that it is.
fn accepting(op: &Op, base: &Call, instance: Option<&Instance>) -> Vec<Trial> {
    if op.method == Method::Delete {
        return Vec::new();
    }
    let succeeding = op.answers.iter().filter(|answer| matches!(answer.status.chars().next(), Some('2')));
    let mut all: Vec<Trial> = Vec::new();
    for answer in succeeding.filter(|answer| answer.medias.len() > 1) {
        for media in &answer.medias {
            let accept = media.name.split(';').next().unwrap_or_default().trim().to_owned();
            if accept.is_empty() || all.iter().any(|trial| trial.call.accept.as_ref() == Some(&accept)) {
                continue;
            }
            all.push(Trial {
                firm: false,
                keyword: "accept",
                what: format!("{accept} is asked for"),
                instance: instance.cloned(),
                ..Trial::valid(Call { accept: Some(accept), ..base.clone() }, &media.asked.pointer)
            });
        }
    }
    all
}

fn bodies(run: &Run, op: &Op, body: &Body, base: &Call, instance: Option<&Instance>) -> Vec<Trial> {
    let mut all = Vec::new();
    for (index, media) in body.medias.iter().enumerate() {
        if index == 0 {
            all.extend(generated(run, op, media, base, instance));
        } else if let Some(value) = run.body_value(media) {
            let call = Call { payload: Payload::Value(index, value), ..base.clone() };
            let what = format!("It is sent as {}", media.name);
            all.push(Trial {
                keyword: "content",
                what,
                firm: sure_body(op, &call),
                asked: media.asked.part(""),
                instance: instance.cloned(),
                ..Trial::valid(call, &op.pointer)
            });
        }
        for example in media.examples.iter().take(5) {
            if media.takes(example) && (media.generator.is_some() || !media.is_plain()) {
                let mut call = Call { payload: Payload::Value(index, example.clone()), ..base.clone() };
                run.refer(&mut call);
                call = run.identified(&call);
                if let Some(instance) = instance {
                    run.lead(&mut call, instance);
                }
                all.push(Trial {
                    keyword: "example",
                    what: "It is an example of the contract".to_owned(),
                    asked: media.asked.part(""),
                    instance: instance.cloned(),
                    ..Trial::valid(call, &op.pointer)
                });
            }
        }
    }
    all.extend(odd(op, body, base, instance));
    all.extend(read_only(op, body, base, instance));
    all
}

/// Requests with a field that is only ever read, of a value that a service would not come upon by itself.
fn read_only(op: &Op, body: &Body, base: &Call, instance: Option<&Instance>) -> Vec<Trial> {
    let media = body.medias.first();
    let (Some(media), Some(generator), Some(Value::Object(members))) =
        (media, media.and_then(|media| media.generator.as_ref()), base.value())
    else {
        return Vec::new();
    };
    let answered = op.answers.iter().filter(|answer| answer.status.starts_with('2')).flat_map(|answer| &answer.medias);
    let answered: Vec<&Value> = answered.filter_map(|media| media.generator.as_ref()).map(Generator::schema).collect();
    let mut all = Vec::new();
    for (name, schema) in shape_properties(generator.schema(), generator.schema()) {
        if schema.get("readOnly") != Some(&Value::Bool(true)) || schema.get("not").is_none() {
            continue;
        }
        let described = answered.iter().find_map(|root| {
            shape_properties(root, root).into_iter().find(|(known, _)| *known == name).map(|(_, schema)| (schema, *root))
        });
        let Some(value) = described.and_then(|(schema, root)| unlikely(&schema, root)) else { continue };
        let mut members = members.clone();
        members.insert(name.clone(), value);
        let pointer = format!("/{}", escape(&name));
        all.push(Trial {
            kind: Kind::Odd,
            asked: media.asked.part(&format!("/properties{pointer}")),
            pointer,
            keyword: READ_ONLY,
            what: format!("{name} is sent, which is only ever read"),
            instance: instance.cloned(),
            ..Trial::valid(Call { payload: Payload::Value(0, Value::Object(members)), ..base.clone() }, &op.pointer)
        });
    }
    all
}

/// A value of a schema that no service would choose; none where there are few to choose from.
fn unlikely(schema: &Value, root: &Value) -> Option<Value> {
    let kinds = types_of(schema, root);
    let generator =
        Generator::new(&json!({ "allOf": [schema], "$defs": root.get("$defs").cloned().unwrap_or_else(|| json!({})) })).ok()?;
    let texts = ["3f2504e0-4f89-41d3-9a0c-0305e82c3301", "1999-12-31T23:59:59Z", "1999-12-31", "chosen-by-the-client"];
    let candidates = texts.iter().map(|text| json!(text)).chain([json!(987_654)]);
    let wanted = |value: &Value| match value {
        Value::String(_) => kinds.iter().any(|kind| kind == "string"),
        _ => kinds.iter().any(|kind| matches!(kind.as_str(), "integer" | "number")),
    };
    candidates.into_iter().filter(wanted).find(|value| generator.allows(value))
}

fn generated(run: &Run, op: &Op, media: &BodyMedia, base: &Call, instance: Option<&Instance>) -> Vec<Trial> {
    let Some(generator) = &media.generator else { return Vec::new() };
    let mut chance = Chance::of(run.seed, &op.label);
    let mut all = Vec::new();
    let (most, broken, random) = BODIES;
    let references = base.value().map(|value| run.references(value)).unwrap_or_default();
    // Two resources that go by the same name would be one, and another operation may be about it.
    let own = base.value().and_then(|value| run.own_identity(base.op, value).or_else(|| run.path_identity(base.op, value)));
    let kept: Vec<String> = references.iter().cloned().chain(own.clone()).collect();
    for case in generator.valid(&mut chance, most, random) {
        let value = settled(run, base, &case, &kept, true);
        // What refers to something that may not be there can be refused for that.
        let dangling =
            references.iter().any(|pointer| value.pointer(pointer) != base.value().and_then(|base| base.pointer(pointer)));
        if !media.writes(&value) {
            continue;
        }
        let call = Call { payload: Payload::Value(0, value), ..base.clone() };
        let renamed = op.method != Method::Post && own.as_ref() == Some(&case.pointer);
        let firm = !case.strange && !dangling && !renamed && sure_body(op, &call);
        all.push(Trial {
            firm,
            strange: case.strange,
            // A boundary of what identifies may be deleted by another operation that tries it at the same time.
            read_back: !case.strange && own.as_ref() != Some(&case.pointer),
            ..special(&case, call, media, Kind::Valid, instance)
        });
    }
    for case in generator.negative(broken) {
        let value = settled(run, base, &case, &kept, false);
        if !broken_as_written(media, generator, &case.pointer, &value) {
            continue;
        }
        let call = Call { payload: Payload::Value(0, value), ..base.clone() };
        all.push(special(&case, call, media, Kind::Negative, instance));
    }
    all
}

/// The value of a case within the ordinary body, where that is as valid as the case itself: the rest is then what the
/// document's own examples have, and refers to what exists.
fn settled(run: &Run, base: &Call, case: &Case, references: &[String], valid: bool) -> Value {
    let generator = run
        .ops
        .get(base.op)
        .and_then(|op| op.body.as_ref())
        .and_then(|body| body.medias.first())
        .and_then(|media| media.generator.as_ref());
    let fits = |value: &Value| generator.is_some_and(|generator| generator.allows(value)) == valid;
    let mut value = case.value.clone();
    let name = case.pointer.split('/').nth(1);
    if let (Some(Value::Object(ordinary)), Some(name), Value::Object(members)) = (base.value(), name, &case.value) {
        let name = name.replace("~1", "/").replace("~0", "~");
        let mut moved = ordinary.clone();
        match members.get(&name) {
            Some(special) => moved.insert(name, special.clone()),
            None => moved.shift_remove(&name),
        };
        let moved = Value::Object(moved);
        if fits(&moved) {
            value = moved;
        }
    }
    for pointer in references {
        let about = case.pointer == *pointer || pointer.starts_with(&format!("{}/", case.pointer)) && !case.pointer.is_empty();
        let known = base.value().and_then(|base| base.pointer(pointer)).cloned();
        if let (false, Some(known)) = (about, known) {
            let mut referring = value.clone();
            if let Some(place) = referring.pointer_mut(pointer) {
                *place = known;
            }
            if fits(&referring) {
                value = referring;
            }
        }
    }
    value
}

fn special(case: &Case, call: Call, media: &BodyMedia, kind: Kind, instance: Option<&Instance>) -> Trial {
    let asked = media.asked.part(&keyword_path(media.generator.as_ref().map(|generator| generator.schema()), case));
    Trial {
        kind,
        pointer: case.pointer.clone(),
        keyword: case.keyword,
        hint: case.hint,
        what: if case.pointer.is_empty() { format!("The body {}", case.what) } else { format!("{} {}", case.pointer, case.what) },
        instance: instance.cloned(),
        ..Trial::valid(call, &asked)
    }
}

/// The path within a schema to the keyword that a case is about, as an evaluation takes it.
fn keyword_path(schema: Option<&Value>, case: &Case) -> String {
    let root = schema.unwrap_or(&Value::Null);
    let (mut at, mut schema) = followed(String::new(), root, root);
    for part in case.pointer.split('/').skip(1) {
        let name = part.replace("~1", "/").replace("~0", "~");
        let next = schema
            .get("properties")
            .and_then(|all| all.get(&name))
            .map(|next| (format!("{at}/properties/{}", escape(&name)), next));
        let next = next.or_else(|| schema.get("items").map(|next| (format!("{at}/items"), next)));
        let Some((step, inner)) = next else { break };
        (at, schema) = followed(step, inner, root);
    }
    if schema.get(case.keyword).is_some() { format!("{at}/{}", case.keyword) } else { at }
}

/// The path and the schema behind references.
fn followed<'a>(mut at: String, mut schema: &'a Value, root: &'a Value) -> (String, &'a Value) {
    for _ in 0..16 {
        let reference = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        let pointer = reference.map(|pointer| percent_encoding::percent_decode_str(pointer).decode_utf8_lossy().into_owned());
        let Some(target) = pointer.and_then(|pointer| root.pointer(&pointer)) else { break };
        at.push_str("/$ref");
        schema = target;
    }
    (at, schema)
}

/// Requests that are no sensible ones at all.
fn odd(op: &Op, body: &Body, base: &Call, instance: Option<&Instance>) -> Vec<Trial> {
    let Some(media) = body.medias.first() else { return Vec::new() };
    let trial = |payload: Payload, keyword, what: &str| Trial {
        kind: Kind::Odd,
        keyword,
        what: what.to_owned(),
        instance: instance.cloned(),
        ..Trial::valid(Call { payload, ..base.clone() }, &body.pointer)
    };
    let mut all = Vec::new();
    if media.form == Form::Json {
        let text = base.value().map_or_else(|| "{}".to_owned(), Value::to_string);
        let name = if media.name.contains('*') { "application/json" } else { &media.name };
        let cut = &text[..text.floor_char_boundary(text.len().saturating_sub(1))];
        all.push(trial(Payload::Raw(cut.to_owned(), name.to_owned()), "malformed", "The body is JSON that breaks off"));
        all.push(trial(Payload::Raw("{not json".to_owned(), name.to_owned()), "malformed", "The body is no JSON"));
        let wild = body.medias.iter().any(|media| media.name.contains('*') || media.name.starts_with("text/"));
        if !wild {
            // Services that know but one media type often don't look; one that announces to refuse others does.
            let hint = !op.answers.iter().any(|answer| answer.status == "415");
            let typed = trial(Payload::Raw(text, OTHER_TYPE.to_owned()), "content-type", "The body is sent as text/plain");
            all.push(Trial { hint, ..typed });
        }
    }
    if body.required {
        all.push(trial(Payload::None, "body", "There is no body, and one is required"));
    }
    all
}

fn values(run: &Run, op: &Op, param: &Param, index: usize, base: &Call, instance: Option<&Instance>) -> Vec<Trial> {
    let Some(generator) = &param.generator else { return Vec::new() };
    let mut chance = Chance::of(run.seed, &format!("{} {}", op.label, param.name));
    let place = match param.place {
        In::Path => "path",
        In::Query => "query",
        In::Header => "header",
        In::Cookie => "cookie",
    };
    let pointer = format!("{place}.{}", param.name);
    let with = |value: Option<Value>| {
        let mut call = base.clone();
        if let Some(place) = call.params.get_mut(index) {
            *place = value;
        }
        call
    };
    let trial = |case: &Case, kind| Trial {
        kind,
        pointer: pointer.clone(),
        keyword: case.keyword,
        what: format!("the {place} parameter {}{} {}", param.name, case.pointer, case.what),
        read_back: false,
        hint: case.hint,
        instance: instance.cloned(),
        ..Trial::valid(with(Some(case.value.clone())), &param.pointer)
    };
    let (most, broken, random) = VALUES;
    let mut all = Vec::new();
    // A low number may be the identity of what another operation is tried on.
    let harmless = |case: &Case| param.place != In::Path || op.reads() || case.value.as_u64().is_none_or(|id| id >= LOW);
    let valid = generator.valid(&mut chance, most, random);
    // What isn't written is not there, and is missed where it is required.
    let there = |case: &Case| !param.required || !is_absent(param, &case.value);
    for case in valid.iter().filter(|case| can_be_sent(param, &case.value) && there(case) && harmless(case)) {
        let kind = if param.place == In::Path { Kind::Unknown } else { Kind::Valid };
        all.push(Trial { firm: !case.strange && firm(param, &case.value), strange: case.strange, ..trial(case, kind) });
    }
    let negative = generator.negative(broken * 2).into_iter().filter(|case| can_be_sent(param, &case.value));
    let negative = negative.filter(|case| {
        !matches!(case.value, Value::Null)
            && !generator.allows(&as_read(param, &case.value))
            && sure(param, &case.value)
            && (param.required || !is_absent(param, &case.value))
            && is_flat(param, &case.pointer)
    });
    let mut texts = std::collections::HashSet::new();
    let negative = negative.filter(|case| texts.insert(plain_text(&case.value)));
    all.extend(negative.take(broken).map(|case| trial(&case, Kind::Negative)));
    if param.required && param.place != In::Path {
        all.push(Trial {
            kind: Kind::Negative,
            pointer,
            keyword: "required",
            what: format!("the {place} parameter {} is missing, and it is required", param.name),
            instance: instance.cloned(),
            ..Trial::valid(with(None), &param.pointer)
        });
    }
    all
}

/// Requests without a credential and with a wrong one, where the document asks for one.
pub(super) fn strangers(op: &Op, base: &Call, instance: Option<&Instance>) -> Vec<Trial> {
    let other = op.security.iter().flatten().all(|scheme| *scheme == super::plan::Scheme::Other);
    if !op.secured() || !op.judges(Check::AuthIgnored) || other {
        return Vec::new();
    }
    let trial = |credential, keyword, what: String| Trial {
        kind: Kind::Stranger,
        keyword,
        what,
        read_back: false,
        instance: instance.cloned(),
        ..Trial::valid(Call { credential, ..base.clone() }, &format!("{}/security", op.pointer))
    };
    let mut all = vec![
        trial(Credential::None, "none", "without a credential".to_owned()),
        trial(Credential::Wrong, "wrong", "with a wrong credential".to_owned()),
    ];
    // Where several are asked for together, each one is.
    if let [together] = op.security.as_slice()
        && together.len() > 1
    {
        for index in 0..together.len() {
            all.push(trial(Credential::Lacking(index), "one", "without one of the credentials".to_owned()));
            all.push(trial(Credential::Mistaken(index), "one wrong", "with one of the credentials wrong".to_owned()));
        }
    }
    all
}
