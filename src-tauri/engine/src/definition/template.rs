//! The text of a new integration file, commented so that a person can go on from there.

use patchbay_contracts::{
    Code, Problem,
    integration::{ApiKeyPlace, Auth, AuthKind, AuthSpec},
    probe::ProbeRequest,
};
use serde_json::Value;
use url::Url;

use super::{
    check::holds_secret,
    references::{Reference, references},
    syntax::short,
    write::{self, scalar},
};
use crate::Result;

/// The longest body that is written into a file, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// The integration file for an address: its one endpoint, and a health check of it every 30 seconds; for an address that
/// ends in `/metrics` the metrics instead. `name` is made from the host where it isn't given.
///
/// # Errors
/// [`Code::InvalidInput`] where it is no http or https address.
pub fn from_url(address: &str, name: Option<&str>) -> Result<String> {
    from_request(&ProbeRequest { url: address.trim().to_owned(), ..ProbeRequest::default() }, name)
}

/// The integration file for a request, such as a curl line that was understood. Credentials are named, never written:
/// what stands in plain in the address or in a header becomes a `${secret:…}` of a fitting name.
///
/// # Errors
/// As [`from_url`].
pub fn from_request(request: &ProbeRequest, name: Option<&str>) -> Result<String> {
    let url = address(&request.url)?;
    let name = name.map(str::trim).filter(|name| !name.is_empty()).map_or_else(|| name_of(&url), str::to_owned);
    let host = url.host_str().unwrap_or_default();
    let mut lines = vec![
        "# yaml-language-server: $schema=.patchbay/integration.schema.json".to_owned(),
        format!("# {} as Patchbay found it. Everything here can be changed; the window follows.", short(host)),
        "integration:".to_owned(),
        format!("  name: {}", scalar(&name, false, None)),
        format!("  base_url: {}", scalar(&origin(&url), false, None)),
    ];
    let plain_user = !url.username().is_empty() || url.password().is_some();
    let auth = request.auth.clone().or_else(|| plain_user.then_some(Auth::Kind(AuthKind::Basic)));
    lines.extend(auth_lines(auth.as_ref(), &name, &url));
    let simple = request.method.as_str() == "GET" && request.body.is_none();
    if simple && url.path().trim_end_matches('/').ends_with("/metrics") {
        metrics(&mut lines, &url);
    } else {
        lines.push(String::new());
        lines.extend(endpoint(request, &url, &name));
        // Only a request that changes nothing is repeated unasked.
        if matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS") {
            lines.extend(HEALTH.iter().map(|line| (*line).to_owned()));
        } else {
            lines.extend(NO_HEALTH.iter().map(|line| (*line).to_owned()));
        }
        lines.extend(MORE.iter().map(|line| (*line).to_owned()));
    }
    Ok(lines.join("\n") + "\n")
}

const HEALTH: &[&str] = &[
    "",
    "  # The check that runs while the window is open, or under `patchbay monitor`.",
    "  health:",
    "    interval: 30s",
    "    conditions: [\"[STATUS] < 400\"]",
];

const NO_HEALTH: &[&str] = &[
    "",
    "  # A health check repeats a request all day, and this one changes something. Add an endpoint that only reads, then:",
    "  # health: { interval: 30s, endpoint: …, conditions: [\"[STATUS] < 400\"] }",
];

const MORE: &[&str] = &[
    "",
    "  # What to hold it to, and how to put it under load:",
    "  # slo: { availability: 99.9%, latency_p95: 500ms }",
    "  # load: { connections: 10, duration: 30s, thresholds: [\"p95 < 500ms\", \"errors < 1%\"] }",
];

fn address(text: &str) -> Result<Url> {
    let refuse = |why: String| {
        Err(Problem::new(Code::InvalidInput, "That is not an address that can be called")
            .why(why)
            .next("Write it whole, such as https://api.example.com/health"))
    };
    if text.len() > 8192 {
        return refuse("it is longer than 8192 bytes".to_owned());
    }
    // `localhost:8080/health` means a host, and would be read as a scheme.
    let whole = if text.contains("://") || text.starts_with("${") { text.to_owned() } else { format!("http://{text}") };
    match Url::parse(&whole) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            refuse(format!("it begins with `{}:`, and http and https are known", short(url.scheme())))
        }
        Ok(url) if url.host_str().is_none_or(str::is_empty) => refuse("it has no host".to_owned()),
        Ok(url) => Ok(url),
        Err(error) => refuse(error.to_string()),
    }
}

fn origin(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// `api.example.com` becomes `api-example`, `localhost:9090` `localhost-9090`, `10.0.0.1` stays.
fn name_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let is_name = matches!(url.host(), Some(url::Host::Domain(_)));
    let host = host.strip_prefix("www.").unwrap_or(host).trim_matches(['[', ']']);
    let base = match host.rsplit_once('.') {
        Some((rest, _)) if is_name => rest.replace('.', "-"),
        _ => host.replace(':', "-"),
    };
    let base: String = base.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')).take(80).collect();
    let base = base.trim_matches(['-', '.']);
    let base = if base.is_empty() { "service" } else { base };
    match url.port() {
        Some(port) => format!("{base}-{port}"),
        None => base.to_owned(),
    }
}

fn names_secret(text: &str) -> bool {
    references(text).found.iter().any(|found| matches!(found, Reference::Secret(_)))
}

/// The reference to write for a credential: its own, or one of a fitting name.
fn credential(text: &str, name: &str, kind: &str) -> String {
    if names_secret(text) { text.to_owned() } else { format!("${{secret:{}}}", secret_name(name, kind)) }
}

fn secret_name(name: &str, kind: &str) -> String {
    let base: String = name.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect();
    format!("{base}-{kind}")
}

fn auth_lines(auth: Option<&Auth>, name: &str, url: &Url) -> Vec<String> {
    let spec = match auth {
        None | Some(Auth::Kind(AuthKind::None) | Auth::Spec(AuthSpec::None)) => return Vec::new(),
        Some(Auth::Spec(spec)) => spec.clone(),
        Some(Auth::Kind(AuthKind::Bearer)) => AuthSpec::Bearer { token: String::new() },
        Some(Auth::Kind(AuthKind::ApiKey)) => {
            AuthSpec::ApiKey { name: "X-API-Key".to_owned(), value: String::new(), place: ApiKeyPlace::Header }
        }
        Some(Auth::Kind(AuthKind::Basic)) => {
            let user = percent_encoding::percent_decode_str(url.username()).decode_utf8_lossy().into_owned();
            AuthSpec::Basic { username: user, password: String::new() }
        }
    };
    let fields = match &spec {
        AuthSpec::None => return Vec::new(),
        AuthSpec::Bearer { token } => vec![("type", "bearer".to_owned()), ("token", credential(token, name, "token"))],
        AuthSpec::Basic { username, password } => vec![
            ("type", "basic".to_owned()),
            ("username", username.clone()),
            ("password", credential(password, name, "password")),
        ],
        AuthSpec::ApiKey { name: header, value, place } => {
            let place = if *place == ApiKeyPlace::Query { "query" } else { "header" };
            vec![
                ("type", "api_key".to_owned()),
                ("name", header.clone()),
                ("value", credential(value, name, "api-key")),
                ("in", place.to_owned()),
            ]
        }
    };
    let used: Vec<String> = fields
        .iter()
        .flat_map(|(_, text)| references(text).found)
        .filter_map(|found| match found {
            Reference::Secret(name) => Some(name),
            _ => None,
        })
        .collect();
    let fields: Vec<String> = fields.iter().map(|(key, text)| format!("{key}: {}", scalar(text, true, None))).collect();
    let hint = used.first().map(|name| format!("  # Its value lies in the keychain: `patchbay secret set {name}`.")).into_iter();
    hint.chain([format!("  auth: {{ {} }}", fields.join(", "))]).collect()
}

fn metrics(lines: &mut Vec<String>, url: &Url) {
    let path = path_of(url);
    lines.extend([
        String::new(),
        "  # Prometheus metrics, stored and drawn.".to_owned(),
        "  metrics:".to_owned(),
        format!("    url: {}", scalar(&path, false, None)),
        "    interval: 15s".to_owned(),
        String::new(),
        "  # An endpoint to check makes a health check possible:".to_owned(),
        "  # endpoints: [{ name: alive, path: /health }]".to_owned(),
        "  # health: { interval: 30s, conditions: [\"[STATUS] < 400\"] }".to_owned(),
    ]);
}

/// The path with its query, so written that nothing in it is taken for a parameter or a reference.
fn path_of(url: &Url) -> String {
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    literal(&format!("{}{query}", url.path()))
}

/// A text without meaning for references: `${` stands for itself where it isn't one of Patchbay's.
fn literal(text: &str) -> String {
    let known = references(text).found.iter().all(|found| matches!(found, Reference::Environment(_) | Reference::Secret(_)));
    if known { text.to_owned() } else { text.replace("${", "$${") }
}

fn literal_in(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(literal(&text)),
        Value::Array(items) => items.into_iter().map(literal_in).collect(),
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(key, value)| (key, literal_in(value))).collect()),
        other => other,
    }
}

fn endpoint(request: &ProbeRequest, url: &Url, name: &str) -> Vec<String> {
    let query: Vec<(String, String)> = url
        .query_pairs()
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .chain(request.query.iter().cloned())
        .collect();
    // A mapping can't hold a name twice, and the address can.
    let twice = query.iter().enumerate().any(|(i, (key, _))| query[..i].iter().any(|(other, _)| other == key));
    let whole = twice && request.query.is_empty() && !query.iter().any(|(key, _)| holds_secret(key));
    let path = if whole { path_of(url) } else { literal(url.path()) }.replace('{', "%7B").replace('}', "%7D");
    let mut lines = vec![
        "  endpoints:".to_owned(),
        format!("    - method: {}", request.method),
        format!("      path: {}", scalar(&path, false, None)),
    ];
    let hide = |key: &str, value: &str| {
        if holds_secret(key) && !names_secret(value) {
            let kind = if key.to_ascii_lowercase().contains("key") { "api-key" } else { "token" };
            // What stands before a blank is the scheme: `Bearer …`, `Token …`.
            let scheme = value.split_once(' ').map(|(scheme, _)| format!("{scheme} ")).unwrap_or_default();
            let scheme = if key.to_ascii_lowercase().ends_with("authorization") { scheme } else { String::new() };
            format!("{scheme}${{secret:{}}}", secret_name(name, kind))
        } else {
            literal(value)
        }
    };
    if !whole {
        lines.extend(fields("query", &query, hide));
    }
    let fixed =
        |key: &str| ["host", "content-length", "connection", "content-type"].iter().any(|fixed| key.eq_ignore_ascii_case(fixed));
    let headers: Vec<(String, String)> = request.headers.iter().filter(|(key, _)| !fixed(key)).cloned().collect();
    lines.extend(fields("headers", &headers, hide));
    let media_type = request.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case("content-type")).map(|(_, value)| value);
    let body = request.body.as_deref().filter(|body| !body.is_empty());
    if let Some(body) = body.filter(|body| body.len() > MAX_BODY) {
        lines.push(format!(
            "      # The body of {} bytes was left out; bodies of up to {MAX_BODY} bytes fit in here.",
            body.len()
        ));
    } else if let Some(body) = body {
        lines.push("      request:".to_owned());
        if let Some(media_type) = media_type {
            lines.push(format!("        content_type: {}", scalar(media_type, false, None)));
        }
        let json: Option<Value> = serde_json::from_str(body).ok().filter(|json: &Value| json.is_object() || json.is_array());
        let value = json.map_or_else(|| Value::String(literal(body)), literal_in);
        lines.extend(write::indented(write::entry("body", &value, 2), 8));
    }
    lines.push("      # expect: { status: 200, latency: 500ms, conditions: [\"[BODY].status == ok\"] }".to_owned());
    lines
}

/// A mapping of names to texts; of a name that stands there twice the last value counts, as a mapping can hold one.
fn fields(part: &str, pairs: &[(String, String)], shown: impl Fn(&str, &str) -> String) -> Vec<String> {
    let mut kept: Vec<(&String, String)> = Vec::new();
    for (key, value) in pairs {
        let value = shown(key, value);
        match kept.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            Some(known) => known.1 = value,
            None => kept.push((key, value)),
        }
    }
    if kept.is_empty() {
        return Vec::new();
    }
    let lines = kept.iter().map(|(key, value)| format!("        {}: {}", scalar(key, false, None), scalar(value, false, None)));
    std::iter::once(format!("      {part}:")).chain(lines).collect()
}
