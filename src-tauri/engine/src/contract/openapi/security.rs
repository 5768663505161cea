//! How an API can be authenticated with.

use serde_json::{Map, Value};

use super::{ParameterPlace, Together, read::Reader};
use crate::contract::document::join;

/// A security scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// Its name in the document.
    pub name: String,
    /// What it is.
    pub kind: SchemeKind,
    /// Where it stands.
    pub pointer: String,
}

/// What a security scheme is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemeKind {
    /// A key in a query parameter, a header or a cookie.
    ApiKey {
        /// The parameter's name.
        name: String,
        /// Where it goes.
        place: ParameterPlace,
    },
    /// `Authorization` with a scheme, in lower case: `basic`, `bearer`.
    Http {
        /// The scheme.
        scheme: String,
    },
    /// OAuth 2: a bearer token.
    OAuth2,
    /// OpenID Connect: a bearer token.
    OpenIdConnect,
    /// A certificate of the client.
    MutualTls,
    /// Something that isn't known.
    Other,
}

impl Reader<'_> {
    /// The schemes of the document.
    pub(super) fn schemes(&self) -> Vec<Scheme> {
        let at = if self.swagger() { "/securityDefinitions" } else { "/components/securitySchemes" };
        let Some(Value::Object(all)) = self.root().pointer(at) else { return Vec::new() };
        let scheme = |name: &String| {
            let pointer = self.bundle().resolve(&join(at, name))?;
            let value = self.root().pointer(&pointer)?.as_object()?;
            Some(Scheme { name: name.clone(), kind: kind(value), pointer })
        };
        all.keys().filter_map(scheme).collect()
    }

    /// The alternatives of a `security`, where it is one. Names of schemes that aren't there are told.
    pub(super) fn security(&mut self, pointer: &str, schemes: &[Scheme]) -> Option<Vec<Together>> {
        let alternatives = self.root().pointer(pointer)?.as_array()?.clone();
        let mut security = Vec::new();
        for (index, alternative) in alternatives.iter().enumerate() {
            let mut together = Vec::new();
            for (name, scopes) in alternative.as_object().into_iter().flatten() {
                if !schemes.iter().any(|scheme| scheme.name == *name) {
                    let at = join(&format!("{pointer}/{index}"), name);
                    let known = schemes.iter().map(|scheme| scheme.name.as_str());
                    let next = match crate::utils::nearest(name, known) {
                        Some(near) => format!("It was perhaps meant to be `{near}`"),
                        None => "Describe it among the security schemes".to_owned(),
                    };
                    self.tell(&at, &format!("The security scheme `{name}` is not described"), "no scheme has that name", &next);
                }
                let scopes = scopes.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
                together.push((name.clone(), scopes.collect()));
            }
            security.push(together);
        }
        Some(security)
    }
}

fn kind(value: &Map<String, Value>) -> SchemeKind {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "apiKey" => match text("in") {
            "query" => SchemeKind::ApiKey { name: text("name").to_owned(), place: ParameterPlace::Query },
            "header" => SchemeKind::ApiKey { name: text("name").to_owned(), place: ParameterPlace::Header },
            "cookie" => SchemeKind::ApiKey { name: text("name").to_owned(), place: ParameterPlace::Cookie },
            _ => SchemeKind::Other,
        },
        "http" => SchemeKind::Http { scheme: text("scheme").to_ascii_lowercase() },
        // Swagger's own word.
        "basic" => SchemeKind::Http { scheme: "basic".to_owned() },
        "oauth2" => SchemeKind::OAuth2,
        "openIdConnect" => SchemeKind::OpenIdConnect,
        "mutualTLS" => SchemeKind::MutualTls,
        _ => SchemeKind::Other,
    }
}
