//! A body held against its schema: every deviation with its place in the body, what is asked and what came.

use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::{Value, json};

use super::schema::escape;

/// The most deviations that are listed.
const MOST: usize = 100;
/// Bodies beyond this size are judged up to the first deviation: a hostile one could have millions.
const LARGE: u64 = 1024 * 1024;
/// The most bytes of a value that a report holds.
const SHOWN: usize = 4096;

/// One way in which a body is not as its schema asks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Deviation {
    /// Where, as a JSON pointer into the body.
    pub(super) pointer: String,
    /// The sentence.
    pub(super) message: String,
    /// The part of the schema that asks for something else.
    pub(super) expected: Value,
    /// What is there; none where nothing is.
    pub(super) actual: Option<Value>,
    /// Where the schema asks it, as a JSON pointer into the schema.
    pub(super) schema: String,
    /// The keyword that asks.
    pub(super) keyword: String,
}

/// All deviations of a body of so many bytes, at most 100.
pub(super) fn deviations(validator: &jsonschema::Validator, body: &Value, bytes: u64) -> Vec<Deviation> {
    const WHOLE: &str = "The body";
    if bytes > LARGE {
        return validator.validate(body).err().iter().map(|error| deviation(error, WHOLE)).collect();
    }
    validator.iter_errors(body).take(MOST).map(|error| deviation(&error, WHOLE)).collect()
}

/// A deviation in words. `whole` is what is judged, as a sentence begins with it: "The body".
pub(super) fn deviation(error: &ValidationError<'_>, whole: &str) -> Deviation {
    let at = error.instance_path().as_str().to_owned();
    let (pointer, actual) = match error.kind() {
        // What is missing is looked for where it should be.
        Kind::Required { property } => (format!("{at}/{}", escape(property.as_str().unwrap_or_default())), None),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } if unexpected.len() == 1 => {
            (format!("{at}/{}", escape(&unexpected[0])), error.instance().get(&unexpected[0]).map(bounded))
        }
        _ => (at, Some(bounded(error.instance()))),
    };
    Deviation {
        message: format!("{} {}", if pointer.is_empty() { whole } else { &pointer }, sentence(error)),
        expected: expected(error),
        actual,
        schema: error.evaluation_path().as_str().to_owned(),
        keyword: error.kind().keyword().to_owned(),
        pointer,
    }
}

/// What is wrong, as the rest of a sentence that begins with the place.
fn sentence(error: &ValidationError<'_>) -> String {
    let found = describe(error.instance());
    match error.kind() {
        Kind::Type { kind } => format!("is {found}, and {} is expected", types(kind)),
        Kind::Required { .. } => "is missing".to_owned(),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => match unexpected.as_slice() {
            [_] => "is not allowed here".to_owned(),
            several => format!("has members that are not allowed: {}", several.join(", ")),
        },
        Kind::AdditionalItems { limit } => format!("has more than the {limit} elements that are allowed"),
        Kind::UnevaluatedItems { .. } => "has elements that are not allowed".to_owned(),
        Kind::Enum { options } => format!("is {found}, and one of {} is expected", list(options)),
        Kind::Constant { expected_value } => format!("is {found}, and {} is expected", cut(&expected_value.to_string())),
        Kind::Format { format } => format!("is {found}, which is not {}", a_format(format)),
        Kind::Pattern { pattern } => format!("is {found}, which does not match the pattern {pattern}"),
        Kind::Minimum { limit } => format!("is {found}, and at least {limit} is expected"),
        Kind::Maximum { limit } => format!("is {found}, and at most {limit} is expected"),
        Kind::ExclusiveMinimum { limit } => format!("is {found}, and more than {limit} is expected"),
        Kind::ExclusiveMaximum { limit } => format!("is {found}, and less than {limit} is expected"),
        Kind::MultipleOf { multiple_of } => format!("is {found}, and a multiple of {multiple_of} is expected"),
        Kind::MinLength { limit } => format!("is {found}, and at least {limit} characters are expected"),
        Kind::MaxLength { limit } => format!("is {found}, and at most {limit} characters are expected"),
        Kind::MinItems { limit } => format!("is {found}, and at least {limit} elements are expected"),
        Kind::MaxItems { limit } => format!("is {found}, and at most {limit} elements are expected"),
        Kind::MinProperties { limit } => format!("is {found}, and at least {limit} members are expected"),
        Kind::MaxProperties { limit } => format!("is {found}, and at most {limit} members are expected"),
        Kind::UniqueItems => "has equal elements, and each must be there once".to_owned(),
        Kind::Contains => "has no element of the kind that is expected".to_owned(),
        Kind::FalseSchema => "is not allowed here".to_owned(),
        Kind::Not { .. } => format!("is {found}, which is what it must not be"),
        Kind::PropertyNames { error } => format!("has a member whose name {}", sentence(error)),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            let ways: Vec<String> = context.iter().take(5).filter_map(|errors| errors.first()).map(alternative).collect();
            format!("fits none of the {} alternatives: {}", context.len(), ways.join("; "))
        }
        Kind::OneOfMultipleValid { .. } => "fits more than one of the alternatives, and exactly one is expected".to_owned(),
        Kind::BacktrackLimitExceeded { .. } => format!("is {found}, and the pattern takes too long to match"),
        _ => format!("is not as the schema asks: {error}"),
    }
}

fn alternative(error: &ValidationError<'static>) -> String {
    match error.kind() {
        Kind::Required { property } => {
            format!("{}/{} is missing", error.instance_path().as_str(), escape(property.as_str().unwrap_or_default()))
        }
        _ => match error.instance_path().as_str() {
            "" => sentence(error),
            pointer => format!("{pointer} {}", sentence(error)),
        },
    }
}

/// The keyword that asks, with its value.
fn expected(error: &ValidationError<'_>) -> Value {
    let keyword = error.kind().keyword();
    match error.kind() {
        Kind::Type { kind } => {
            let mut names = type_names(kind);
            match names.len() {
                1 => json!({ "type": names.remove(0) }),
                _ => json!({ "type": names }),
            }
        }
        Kind::Required { property } => json!({ "required": [property] }),
        Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } | Kind::UnevaluatedItems { .. } => {
            json!({ keyword: false })
        }
        Kind::Enum { options } => json!({ "enum": bounded(options) }),
        Kind::Constant { expected_value } => json!({ "const": bounded(expected_value) }),
        Kind::Format { format } => json!({ "format": format }),
        Kind::Pattern { pattern } => json!({ "pattern": pattern }),
        Kind::Minimum { limit }
        | Kind::Maximum { limit }
        | Kind::ExclusiveMinimum { limit }
        | Kind::ExclusiveMaximum { limit } => {
            json!({ keyword: limit })
        }
        Kind::MultipleOf { multiple_of } => json!({ keyword: multiple_of }),
        Kind::MinLength { limit }
        | Kind::MaxLength { limit }
        | Kind::MinItems { limit }
        | Kind::MaxItems { limit }
        | Kind::MinProperties { limit }
        | Kind::MaxProperties { limit } => json!({ keyword: limit }),
        Kind::UniqueItems => json!({ keyword: true }),
        Kind::Not { schema } => json!({ "not": bounded(schema) }),
        Kind::FalseSchema => Value::Bool(false),
        _ => Value::String(keyword.to_owned()),
    }
}

fn type_names(kind: &TypeKind) -> Vec<String> {
    match kind {
        TypeKind::Single(kind) => vec![kind.to_string()],
        TypeKind::Multiple(kinds) => kinds.iter().map(|kind| kind.to_string()).collect(),
    }
}

fn types(kind: &TypeKind) -> String {
    let names: Vec<&str> = type_names(kind)
        .iter()
        .map(|name| match name.as_str() {
            "string" => "a text",
            "number" => "a number",
            "integer" => "a whole number",
            "boolean" => "true or false",
            "object" => "an object",
            "array" => "a list",
            _ => "null",
        })
        .collect();
    names.join(" or ")
}

fn a_format(format: &str) -> String {
    match format {
        "email" => "an e-mail address".to_owned(),
        "uuid" => "a UUID".to_owned(),
        "date" => "a date such as 2026-01-31".to_owned(),
        "date-time" => "a date and time such as 2026-01-31T12:30:00Z".to_owned(),
        "uri" => "a whole address such as https://example.com/".to_owned(),
        other => format!("of the format {other}"),
    }
}

/// A value as a part of a sentence.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.is_empty() => "an empty text".to_owned(),
        Value::String(text) => format!("the text {}", cut(&Value::String(text.clone()).to_string())),
        Value::Array(all) => match all.len() {
            0 => "an empty list".to_owned(),
            count => format!("a list of {count}"),
        },
        Value::Object(all) if all.is_empty() => "an empty object".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

fn list(options: &Value) -> String {
    let all = options.as_array().map(|all| all.iter().map(Value::to_string).collect::<Vec<_>>().join(", "));
    cut(&all.unwrap_or_default())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The value itself, or the start of its text where it is large.
pub(super) fn bounded(value: &Value) -> Value {
    // Small scalars, which most values are, needn't be written out to be measured.
    if matches!(value, Value::Null | Value::Bool(_) | Value::Number(_)) {
        return value.clone();
    }
    let text = value.to_string();
    if text.len() <= SHOWN { value.clone() } else { Value::String(format!("{}…", &text[..text.floor_char_boundary(SHOWN)])) }
}
