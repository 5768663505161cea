//! One case of the specification's form: what is expected, what came, and whether they match.

use std::panic::RefUnwindSafe;

use pact_matching::{Mismatch, match_message, match_request, match_response};
pub use pact_models::PactSpecification;
use pact_models::{
    http_parts::HttpPart,
    interaction::{Interaction, http_interaction_from_json, message_interaction_from_json},
    pact::Pact,
    sync_pact::RequestResponsePact,
};
use patchbay_contracts::{
    Code, Problem,
    contract::{Check, CheckResult},
    run::Verdict,
};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    mismatch::{self, Bodies},
    tame,
};
use crate::Result;

/// An interaction of any kind, as the crates hand them around.
pub(super) type AnyInteraction = Box<dyn Interaction + Send + Sync + RefUnwindSafe>;

/// What a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// An HTTP request: more than is expected may not come.
    Request,
    /// An HTTP response: more than is expected may come.
    Response,
    /// A message.
    Message,
}

impl Part {
    /// The part of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Request, Self::Response, Self::Message].into_iter().find(|part| part.as_str() == name)
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Message => "message",
        }
    }
}

/// Whether what came is what was expected.
#[derive(Debug, Clone, Serialize)]
pub struct Matched {
    /// What the case was taken for.
    pub kind: Part,
    /// Whether it matches.
    pub matches: bool,
    /// Why it doesn't, ordered by what is judged and where.
    pub mismatches: Vec<CheckResult>,
}

/// The version of the specification that a text names: `1`, `1.1`, `2`, `3`, `4`, with or without `V` and further zeros.
///
/// # Errors
/// [`Code::InvalidInput`] with the versions that there are.
pub fn specification(text: &str) -> Result<PactSpecification> {
    let bare = text.trim().trim_start_matches(['v', 'V']);
    match bare.strip_suffix(".0").map_or(bare, |bare| bare.strip_suffix(".0").unwrap_or(bare)) {
        "1" => Ok(PactSpecification::V1),
        "1.1" => Ok(PactSpecification::V1_1),
        "2" => Ok(PactSpecification::V2),
        "3" => Ok(PactSpecification::V3),
        "4" => Ok(PactSpecification::V4),
        _ => Err(Problem::new(Code::InvalidInput, format!("There is no version {text} of the Pact specification"))
            .next("Give one of 1, 1.1, 2, 3 and 4")),
    }
}

/// Judges one case `{expected, actual}`, by the rules of a version of the specification. Without a kind, the case is
/// recognised by what stands in it; one of headers and a body only is taken for a response.
///
/// # Errors
/// [`Code::InvalidDefinition`] where the case or a part of it can't be read, with what and where.
pub async fn match_case(case: &Value, spec: PactSpecification, kind: Option<Part>) -> Result<Matched> {
    let side = |name: &str| {
        case.get(name).filter(|side| side.is_object()).ok_or_else(|| {
            Problem::new(Code::InvalidDefinition, format!("The case has no object `{name}`"))
                .next("A case is {\"expected\": {…}, \"actual\": {…}}")
        })
    };
    let (expected, actual) = (side("expected")?, side("actual")?);
    let kind = kind.unwrap_or_else(|| recognise(expected, actual));
    for (name, side) in [("expected", expected), ("actual", actual)] {
        tame::part(side).map_err(|mistake| mistake.below(&format!("/{name}")).problem("The case"))?;
    }
    if kind == Part::Message && !matches!(spec, PactSpecification::V3 | PactSpecification::V4) {
        return Err(Problem::new(Code::InvalidInput, "The case is a message, and version 3 of Pact is the first with messages")
            .next("Give --spec 3 or --spec 4, or --kind request or response"));
    }
    let (found, bodies) = tame::caught("The case", async {
        let expected = interaction(expected, &spec, kind).map_err(|why| unreadable("expected", why))?;
        let actual = interaction(actual, &spec, kind).map_err(|why| unreadable("actual", why))?;
        compare(kind, expected, actual).await
    })
    .await??;
    let mut mismatches = mismatch::checks(found, &bodies);
    if spec == PactSpecification::V1 && kind == Part::Request && mismatches.iter().all(|mismatch| mismatch.check != Check::Query)
    {
        mismatches.extend(query_as_text(expected, actual));
    }
    Ok(Matched { kind, matches: mismatches.is_empty(), mismatches })
}

fn unreadable(side: &str, why: String) -> Problem {
    Problem::new(Code::InvalidDefinition, format!("The case can't be read: `{side}` is malformed")).why(why)
}

fn recognise(expected: &Value, actual: &Value) -> Part {
    let has = |name: &str| expected.get(name).is_some() || actual.get(name).is_some();
    if ["contents", "metaData", "metadata"].into_iter().any(has) {
        Part::Message
    } else if has("status") {
        Part::Response
    } else if ["method", "path", "query"].into_iter().any(has) {
        Part::Request
    } else {
        Part::Response
    }
}

/// The part as an interaction of the crates'; their errors are texts.
fn interaction(part: &Value, spec: &PactSpecification, kind: Part) -> std::result::Result<AnyInteraction, String> {
    match kind {
        Part::Request => http_interaction_from_json("", &json!({ "type": "Synchronous/HTTP", "request": part }), spec),
        Part::Response => http_interaction_from_json("", &json!({ "type": "Synchronous/HTTP", "response": part }), spec),
        Part::Message => message_interaction_from_json("", &as_message(part, spec), spec),
    }
    .map_err(|error| error.to_string())
}

/// A message as the crates read it: version 4 says `metadata` for what version 3 calls `metaData`, and its rules for the
/// contents are looked up under the name that version 3 has for them.
pub(super) fn as_message(part: &Value, spec: &PactSpecification) -> Value {
    let mut message = part.clone();
    let Some(map) = message.as_object_mut() else { return message };
    if *spec == PactSpecification::V4 {
        map.insert("type".to_owned(), "Asynchronous/Messages".into());
        if !map.contains_key("metadata")
            && let Some(metadata) = map.remove("metaData")
        {
            map.insert("metadata".to_owned(), metadata);
        }
    }
    if let Some(Value::Object(rules)) = map.get_mut("matchingRules") {
        for name in ["contents", "content"] {
            if !rules.contains_key("body")
                && let Some(of_contents) = rules.remove(name)
            {
                rules.insert("body".to_owned(), of_contents);
            }
        }
    }
    message
}

/// Holds what came against what is expected, and gives both bodies where they are JSON.
pub(super) async fn compare(kind: Part, expected: AnyInteraction, actual: AnyInteraction) -> Result<(Vec<Mismatch>, Bodies)> {
    let pact = || RequestResponsePact::default().boxed();
    let http = |interaction: &AnyInteraction| interaction.as_v4_http().ok_or_else(|| Problem::internal("no HTTP interaction"));
    match kind {
        Part::Request => {
            let mut asked = http(&expected)?;
            let bodies = bodies(&mut asked.request, &http(&actual)?.request);
            let came = http(&actual)?.request;
            let result = match_request(asked.request.clone(), came, &pact(), &asked.boxed()).await;
            Ok((result.map_err(Problem::internal)?.mismatches(), bodies))
        }
        Part::Response => {
            let mut asked = http(&expected)?;
            let bodies = bodies(&mut asked.response, &http(&actual)?.response);
            let came = http(&actual)?.response;
            let result = match_response(asked.response.clone(), came, &pact(), &asked.boxed()).await;
            Ok((result.map_err(Problem::internal)?, bodies))
        }
        Part::Message => {
            let came = actual.as_message().ok_or_else(|| Problem::internal("no message"))?;
            let (asked, bodies) = match expected.as_v4_async_message().filter(|_| expected.is_v4()) {
                Some(mut asked) => {
                    let bodies = bodies(&mut asked.contents, &came);
                    (asked.boxed(), bodies)
                }
                None => {
                    let mut asked = expected.as_message().ok_or_else(|| Problem::internal("no message"))?;
                    let bodies = bodies(&mut asked, &came);
                    (asked.boxed(), bodies)
                }
            };
            Ok((match_message(&asked, &actual, &pact()).await, bodies))
        }
    }
}

/// Both bodies as JSON, for showing; and the rules of the expected one made ready where it is XML.
fn bodies(expected: &mut impl HttpPart, actual: &impl HttpPart) -> Bodies {
    if expected.content_type().is_some_and(|content_type| content_type.is_xml()) {
        tame::rules_on_texts(expected.matching_rules_mut());
    }
    let json = |part: &dyn HttpPart| part.body().value().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Bodies { expected: json(expected), actual: json(actual) }
}

/// Version 1 compares queries as texts: order counts, and so does a stray `&`. The crate compares parameters.
fn query_as_text(expected: &Value, actual: &Value) -> Option<CheckResult> {
    let query = |side: &Value| side.get("query").and_then(Value::as_str).unwrap_or_default().to_owned();
    let decoded = |query: &str| percent_decode_str(query).collect::<Vec<u8>>();
    let (asked, came) = (query(expected), query(actual));
    (decoded(&asked) != decoded(&came)).then(|| CheckResult {
        expected: Some(asked.into()),
        actual: Some(came.into()),
        ..CheckResult::new(Check::Query, Verdict::Fail, "The queries are not the same text, which version 1 asks for")
    })
}
