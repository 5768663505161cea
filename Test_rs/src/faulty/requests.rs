//! What the service makes of a request before it does anything: all of it is checked by the document.

use axum::http::{HeaderMap, Uri, header};
use jsonschema::Validator;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::schemas::{Direction, meaning};

/// The token that is good from the start.
pub const TOKEN: &str = "faulty-service-token";
/// The API key that is good.
pub const KEY: &str = "faulty-service-key";

/// Why a request is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// A word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
    /// The methods that there are, for a 405.
    pub allow: Option<String>,
}

impl Refusal {
    /// A refusal without more to it.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), allow: None }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(422, "invalid", message)
    }
}

/// A request that keeps to the document.
#[derive(Debug, Default)]
pub struct Call {
    /// The operation's id.
    pub operation: String,
    /// Path, query and header parameters by name, with defaults filled in.
    pub parameters: Map<String, Value>,
    /// The body, or null.
    pub body: Value,
}

impl Call {
    /// A parameter that is a text, or an empty one.
    pub fn text(&self, name: &str) -> &str {
        self.parameters.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A parameter that is a number, or 0.
    pub fn number(&self, name: &str) -> usize {
        self.parameters.get(name).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
    }
}

/// One operation of the document, ready to check requests.
pub struct Operation {
    id: String,
    method: String,
    segments: Vec<String>,
    bearer: bool,
    key: bool,
    parameters: Vec<Parameter>,
    body: Option<(String, Validator)>,
}

struct Parameter {
    name: String,
    place: String,
    required: bool,
    kind: String,
    default: Option<Value>,
    rule: Validator,
}

/// All operations of the document. `fault` is the name of the fault that loosens what is checked.
///
/// # Panics
/// When the document's own schemas are none.
pub fn operations(document: &Value, fault: &str) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            all.push(Operation::new(document, path, method, operation, fault));
        }
    }
    all
}

impl Operation {
    fn new(document: &Value, path: &str, method: &str, operation: &Value, fault: &str) -> Self {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        let security = operation.get("security").unwrap_or(&document["security"]);
        let needs = |name: &str| security.as_array().into_iter().flatten().any(|scheme| scheme.get(name).is_some());
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let contents = operation["requestBody"]["content"].as_object();
        let body = contents.and_then(|contents| contents.iter().next()).map(|(media, content)| {
            let mut schema = meaning(&content["schema"], document, Direction::Request);
            loosen_body(fault, &id, &mut schema);
            (media.clone(), rule(&schema))
        });
        Self {
            method: method.to_uppercase(),
            segments: path.split('/').skip(1).map(str::to_owned).collect(),
            bearer: needs("bearer"),
            key: needs("key"),
            parameters: parameters.map(|parameter| Parameter::new(document, parameter, fault)).collect(),
            body,
            id,
        }
    }

    fn matches(&self, segments: &[&str]) -> bool {
        self.segments.len() == segments.len()
            && self.segments.iter().zip(segments).all(|(known, given)| match known.starts_with('{') {
                true => !given.is_empty(),
                false => known == given,
            })
    }
}

impl Parameter {
    fn new(document: &Value, parameter: &Value, fault: &str) -> Self {
        let text = |name: &str| parameter[name].as_str().unwrap_or_default().to_owned();
        let mut schema = meaning(&parameter["schema"], document, Direction::Request);
        if fault == "status-filter-enum" && parameter["name"] == "status" {
            schema = json!({"type": "string"});
        }
        Self {
            name: text("name"),
            place: text("in"),
            required: parameter["required"] == true,
            kind: schema["type"].as_str().unwrap_or_default().to_owned(),
            default: schema.get("default").cloned(),
            rule: rule(&schema),
        }
    }

    fn value(&self, given: &[String]) -> Result<Option<Value>, Refusal> {
        let value = match (given, self.kind.as_str()) {
            ([], _) if self.required => return Err(Refusal::invalid(format!("`{}` is missing.", self.name))),
            ([], _) => return Ok(self.default.clone()),
            (all, "array") => json!(all),
            ([one], "integer") => whole(one),
            ([one], _) => json!(one),
            _ => return Err(Refusal::invalid(format!("`{}` is there more than once.", self.name))),
        };
        match self.rule.is_valid(&value) {
            true => Ok(Some(value)),
            false => Err(Refusal::invalid(format!("`{}` breaks a rule.", self.name))),
        }
    }
}

/// A whole number in digits; anything else stays a text, which is no whole number.
fn whole(text: &str) -> Value {
    let digits = text.strip_prefix('-').unwrap_or(text);
    match text.parse::<i64>() {
        Ok(number) if digits.bytes().all(|byte| byte.is_ascii_digit()) => json!(number),
        _ => json!(text),
    }
}

fn rule(schema: &Value) -> Validator {
    jsonschema::draft202012::options().should_validate_formats(true).build(schema).expect("the document's schemas are schemas")
}

fn loosen_body(fault: &str, operation: &str, schema: &mut Value) {
    match (fault, operation) {
        ("quantity-limit", "createOrder") => {
            schema["properties"]["items"]["items"]["properties"]["quantity"] = json!({"type": "integer", "minimum": 1});
        }
        ("export-format-optional", "createExport") => schema["required"] = json!([]),
        ("priority-as-text", "updateOrder") => {
            let text = json!({"type": "string", "pattern": "^[1-5]$"});
            let number = schema["properties"]["priority"].clone();
            schema["properties"]["priority"] = json!({"anyOf": [number, text]});
        }
        ("client-chosen-id", "createCustomer") => {
            schema["properties"]["id"] = json!({"type": "string", "format": "uuid"});
        }
        _ => {}
    }
}

/// The operation for a request, and the request as the operation sees it.
///
/// # Errors
/// The first of: no such path, no such method, no credential, a bad parameter, a bad body.
pub fn check(
    operations: &[Operation],
    (method, uri, headers): (&str, &Uri, &HeaderMap),
    body: Option<&[u8]>,
    (fault, tokens): (&str, &[String]),
) -> Result<Call, Refusal> {
    let segments: Vec<&str> = uri.path().split('/').skip(1).collect();
    let there: Vec<&Operation> = operations.iter().filter(|operation| operation.matches(&segments)).collect();
    if there.is_empty() {
        return Err(Refusal::new(404, "not_found", "There is nothing at this address."));
    }
    let unrouted = |operation: &Operation| fault == "head-not-routed" && operation.method == "HEAD";
    let methods: Vec<&&Operation> = there.iter().filter(|operation| !unrouted(operation)).collect();
    let Some(operation) = methods.iter().find(|operation| operation.method == method) else {
        let names: Vec<&str> = methods.iter().map(|operation| operation.method.as_str()).collect();
        let refusal = Refusal::new(405, "method_not_allowed", "There is no such method here.");
        return Err(Refusal { allow: Some(names.join(", ")), ..refusal });
    };
    authorise(operation, headers, fault, tokens)?;
    let mut call = Call { operation: operation.id.clone(), ..Call::default() };
    let query = query(operation, uri.query().unwrap_or_default())?;
    for parameter in &operation.parameters {
        let given = match parameter.place.as_str() {
            "path" => vec![path(operation, &segments, &parameter.name)?],
            "query" => query.iter().filter(|(name, _)| *name == parameter.name).map(|(_, value)| value.clone()).collect(),
            _ => header_values(headers, &parameter.name)?,
        };
        if let Some(value) = parameter.value(&given)? {
            call.parameters.insert(parameter.name.clone(), value);
        }
    }
    if let Some((media, rule)) = &operation.body {
        call.body = read_body(media, headers, body, fault == "malformed-json-500" && operation.id == "createOrder")?;
        if let Some(error) = rule.iter_errors(&call.body).next() {
            let place = error.instance_path().to_string();
            return Err(Refusal::invalid(format!("The body breaks a rule at `{}`.", place.chars().take(80).collect::<String>())));
        }
        settle(&mut call.body);
    }
    Ok(call)
}

fn authorise(operation: &Operation, headers: &HeaderMap, fault: &str, tokens: &[String]) -> Result<(), Refusal> {
    let refusal = |what: &str| Err(Refusal::new(401, "unauthorised", format!("The {what} is missing or wrong.")));
    let given = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let open = fault == "export-without-token" && operation.id == "getExport";
    if operation.bearer && !open {
        let token = given("authorization").and_then(|value| value.split_once(' '));
        let known = |token: &str| token == TOKEN || tokens.iter().any(|known| known == token) || fault == "any-token";
        if !token.is_some_and(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && known(token.trim())) {
            return refusal("token");
        }
    }
    if operation.key && fault != "any-key" && given("x-api-key") != Some(KEY) {
        return refusal("API key");
    }
    Ok(())
}

fn path(operation: &Operation, segments: &[&str], name: &str) -> Result<String, Refusal> {
    let hole = format!("{{{name}}}");
    let at = operation.segments.iter().position(|segment| *segment == hole);
    let raw = at.and_then(|at| segments.get(at)).copied().unwrap_or_default();
    decoded(raw)
}

fn decoded(raw: &str) -> Result<String, Refusal> {
    let text = percent_decode_str(raw).decode_utf8();
    text.map(|text| text.into_owned()).map_err(|_| Refusal::invalid("The address is not UTF-8."))
}

fn query(operation: &Operation, raw: &str) -> Result<Vec<(String, String)>, Refusal> {
    let mut pairs = Vec::new();
    for piece in raw.split('&').filter(|piece| !piece.is_empty()) {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let (name, value) = (decoded(&name.replace('+', " "))?, decoded(&value.replace('+', " "))?);
        if !operation.parameters.iter().any(|known| known.place == "query" && known.name == name) {
            return Err(Refusal::invalid("There is a query parameter that nobody knows."));
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

fn header_values(headers: &HeaderMap, name: &str) -> Result<Vec<String>, Refusal> {
    let values = headers.get_all(name).iter().map(|value| value.to_str().map(str::to_owned));
    values.collect::<Result<_, _>>().map_err(|_| Refusal::invalid(format!("The header {name} is not ASCII.")))
}

fn read_body(media: &str, headers: &HeaderMap, body: Option<&[u8]>, fragile: bool) -> Result<Value, Refusal> {
    let Some(body) = body else { return Err(Refusal::new(413, "too_large", "The body has more than a mebibyte.")) };
    let given = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let given = given.map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    if given.is_none() && body.is_empty() {
        return Err(Refusal::new(400, "malformed", "The body is missing."));
    }
    if given.as_deref() != Some(media) {
        return Err(Refusal::new(415, "wrong_type", format!("The content type must be {media}.")));
    }
    if media == "application/json" {
        return serde_json::from_slice(body).map_err(|_| match fragile {
            true => Refusal::new(500, "internal", "Something went wrong."),
            false => Refusal::new(400, "malformed", "The body is not JSON."),
        });
    }
    let malformed = || Refusal::new(400, "malformed", "The body is not a form in UTF-8.");
    let mut fields = Map::new();
    for piece in std::str::from_utf8(body).map_err(|_| malformed())?.split('&').filter(|piece| !piece.is_empty()) {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let plain = |text: &str| decoded(&text.replace('+', " ")).map_err(|_| malformed());
        if fields.insert(plain(name)?, json!(plain(value)?)).is_some() {
            return Err(Refusal::invalid("A field of the form is there more than once."));
        }
    }
    Ok(Value::Object(fields))
}

/// Whole numbers written as `2.0` become `2`, so that what is answered has the one form.
fn settle(value: &mut Value) {
    match value {
        Value::Number(number) if !number.is_i64() && !number.is_u64() => {
            if let Some(float) = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15) {
                *value = json!(float as i64);
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(settle),
        Value::Object(fields) => fields.values_mut().for_each(settle),
        _ => {}
    }
}
