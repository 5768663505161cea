//! The request that an endpoint of an integration describes.

use patchbay_contracts::{
    Code, Problem,
    integration::{Auth, AuthKind, AuthSpec, Endpoint, Integration, Method, RequestSpec},
    probe::ProbeRequest,
};
use percent_encoding::utf8_percent_encode;
use serde_json::Value;

use super::outgoing::{SEGMENT, pieces};
use crate::{
    Result,
    contract::{
        Schemas,
        schema::{example, expand},
    },
    utils::nearest::nearest,
};

/// The request that an endpoint describes, its references not yet filled in: `base_url` and the path with its parameters,
/// the query, headers (those of the endpoint over those of the integration), authentication, and the body; where none is
/// given, one made from the request schema.
///
/// Without a `base_url` it is `${env:base_url}`. An authentication that is written as its type alone uses the secrets
/// `<integration>-token`, `<integration>-password` or `<integration>-api-key`, and for `basic` the user
/// `${env:username}`. An idempotency key is the reference `${uuid}`, which [`send`](super::send) fills in.
///
/// # Errors
/// [`Code::InvalidDefinition`] for a parameter of the path without a value, and for a request schema that can't be read.
/// A schema that refers to a file needs [`request_with`].
pub fn request_for(integration: &Integration, endpoint: &Endpoint) -> Result<ProbeRequest> {
    request_with(integration, endpoint, &Schemas::closed())
}

/// The same as [`request_for`], with the files that schemas may refer to.
///
/// # Errors
/// As for [`request_for`].
pub fn request_with(integration: &Integration, endpoint: &Endpoint, schemas: &Schemas) -> Result<ProbeRequest> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in integration.headers.iter().chain(&endpoint.headers) {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        headers.push((name.clone(), value.clone()));
    }
    let default = RequestSpec::default();
    let spec = endpoint.request.as_ref().unwrap_or(&default);
    let body = body(integration, endpoint, spec, schemas)?;
    if let Some((_, media_type)) = &body {
        let media_type = spec.content_type.as_deref().or(*media_type);
        if let Some(media_type) = media_type
            && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            headers.push(("Content-Type".to_owned(), media_type.to_owned()));
        }
    }
    if spec.idempotency_key && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("idempotency-key")) {
        headers.push(("Idempotency-Key".to_owned(), "${uuid}".to_owned()));
    }
    let auth = match endpoint.auth.as_ref().or(integration.auth.as_ref()) {
        None => None,
        Some(Auth::Spec(spec)) => Some(Auth::Spec(spec.clone())),
        Some(Auth::Kind(kind)) => Some(Auth::Spec(spelled_out(*kind, Some(&integration.name))?)),
    };
    Ok(ProbeRequest {
        integration: Some(integration.name.clone()),
        endpoint: Some(endpoint.label()),
        method: endpoint.method,
        url: url(integration, endpoint)?,
        query: endpoint.query.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect(),
        headers,
        auth,
        body: body.map(|(body, _)| body),
        timeout: integration.error_handling.timeout,
        follow_redirects: false,
        accept_invalid_certificate: false,
    })
}

/// What the names of an integration's customary secrets begin with. They allow less than the name of an integration.
pub(super) fn secret_stem(integration: &str) -> String {
    integration
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' })
        .take(54)
        .collect()
}

/// An authentication that is written as its type alone, with the customary secrets.
pub(crate) fn spelled_out(kind: AuthKind, integration: Option<&str>) -> Result<AuthSpec> {
    if kind == AuthKind::None {
        return Ok(AuthSpec::None);
    }
    let Some(integration) = integration else {
        return Err(Problem::new(Code::InvalidInput, "The authentication names no secret")
            .why("only an integration has secrets that need no name")
            .next("Name the secret, such as ${secret:orders-token}"));
    };
    let stem = secret_stem(integration);
    let secret = |suffix: &str| format!("${{secret:{stem}-{suffix}}}");
    Ok(match kind {
        AuthKind::None => AuthSpec::None,
        AuthKind::Bearer => AuthSpec::Bearer { token: secret("token") },
        AuthKind::Basic => AuthSpec::Basic { username: "${env:username}".to_owned(), password: secret("password") },
        AuthKind::ApiKey => {
            AuthSpec::ApiKey { name: "X-API-Key".to_owned(), value: secret("api-key"), place: Default::default() }
        }
    })
}

/// The whole address: a whole one in the path stands for itself.
fn url(integration: &Integration, endpoint: &Endpoint) -> Result<String> {
    let path = with_parameters(endpoint)?;
    let scheme = path.split_once("://").map(|(scheme, _)| scheme);
    if scheme.is_some_and(|scheme| matches!(scheme, "http" | "https")) || path.starts_with("${env:") {
        return Ok(path);
    }
    let base = integration.base_url.as_deref().unwrap_or("${env:base_url}");
    if path.is_empty() {
        return Ok(base.to_owned());
    }
    let base = base.trim_end_matches('/');
    let slash = if path.starts_with(['/', '?']) { "" } else { "/" };
    Ok(format!("{base}{slash}{path}"))
}

/// The path with its `{parameters}` filled in. Whatever a value holds, it stays one part of the path.
fn with_parameters(endpoint: &Endpoint) -> Result<String> {
    let mut path = String::new();
    // References have braces as well, and are left for later.
    for piece in pieces(&endpoint.path) {
        if piece.starts_with("${") {
            path.push_str(piece);
            continue;
        }
        let mut rest = piece;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            path.push_str(before);
            let Some(value) = endpoint.params.get(name) else {
                return Err(missing(endpoint, name));
            };
            for part in pieces(&value.0) {
                if part.starts_with("${") {
                    path.push_str(part);
                } else {
                    path.push_str(&segment(part));
                }
            }
            rest = after;
        }
        path.push_str(rest);
    }
    Ok(path)
}

/// A text as one part of a path.
fn segment(text: &str) -> String {
    match text {
        "." | ".." => text.replace('.', "%252E"),
        text => utf8_percent_encode(text, SEGMENT).to_string(),
    }
}

fn missing(endpoint: &Endpoint, name: &str) -> Problem {
    let problem =
        Problem::new(Code::InvalidDefinition, format!("The path of `{}` has no value for {{{name}}}", endpoint.label()));
    match nearest(name, endpoint.params.keys().map(String::as_str)) {
        Some(near) => problem.next(format!("Did you mean {{{near}}}?")),
        None => problem.next(format!("Add it: params: {{ {name}: … }}, or write ${{{name}}} for a captured value")),
    }
}

/// The largest file that is sent as the body of one exchange, in bytes. Under load there is no such bound.
const LARGEST_FILE: u64 = 16 << 20;

/// A body from a file beside the definition. What stands in it is sent as it is, references included.
fn from_file(name: &str, schemas: &Schemas) -> Result<(String, Option<&'static str>)> {
    let cannot = |why: String| Problem::new(Code::InvalidInput, format!("The body's file `{name}` can't be read")).why(why);
    let path = schemas.beside(name).ok_or_else(|| cannot("the definition lies in no folder".to_owned()))?;
    let length = std::fs::metadata(&path).map_err(|error| cannot(error.to_string()))?.len();
    if length > LARGEST_FILE {
        return Err(cannot(format!("it has {length} bytes, and at most {LARGEST_FILE} are sent but under load")));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => cannot("it is no text, which can be sent under load only".to_owned()),
        _ => cannot(error.to_string()),
    })?;
    Ok((text.replace("${", "$${"), Some("application/octet-stream")))
}

/// The body, and the media type that it has by itself.
fn body(
    integration: &Integration,
    endpoint: &Endpoint,
    spec: &RequestSpec,
    schemas: &Schemas,
) -> Result<Option<(String, Option<&'static str>)>> {
    const JSON: Option<&str> = Some("application/json");
    if let Some(name) = &spec.file {
        return from_file(name, schemas).map(Some);
    }
    match &spec.body {
        Some(Value::Null) | None => {}
        Some(Value::String(text)) => return Ok(Some((text.clone(), None))),
        Some(value) => return Ok(Some((value.to_string(), JSON))),
    }
    let takes_body = matches!(endpoint.method, Method::Post | Method::Put | Method::Patch | Method::Query);
    // A schema of the endpoint's own is about a body of its own; the one of the whole contract is not about a GET.
    let schema = endpoint.request_schema.as_ref().or(integration.request_schema.as_ref().filter(|_| takes_body));
    match schema {
        Some(schema) if spec.body.is_none() => {
            let value = example(&schemas.inlined(expand(schema)?)?);
            // A dollar sign in an example is meant as it stands.
            Ok(Some((value.to_string().replace("${", "$${"), JSON)))
        }
        _ => Ok(None),
    }
}
