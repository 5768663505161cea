//! How a request shows who sends it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Code, Problem};

/// How a request shows who sends it.
///
/// Written as a mapping with a `type`, or as the type alone; then the credential is the secret
/// `<integration>-token`, `<integration>-password` or `<integration>-api-key`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Auth {
    /// The type alone.
    Kind(AuthKind),
    /// With its particulars.
    Spec(AuthSpec),
}

/// The ways to authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// Without.
    None,
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer,
    /// `Authorization: Basic …` (RFC 7617).
    Basic,
    /// A key in a header or in the query.
    ApiKey,
}

/// A way to authenticate with its particulars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum AuthSpec {
    /// Without.
    None,
    /// `Authorization: Bearer …`.
    Bearer {
        /// The token, by reference: `${secret:NAME}`.
        token: String,
    },
    /// `Authorization: Basic …`.
    Basic {
        /// The user.
        username: String,
        /// The password, by reference: `${secret:NAME}`.
        password: String,
    },
    /// A key in a header or in the query.
    ApiKey {
        /// The header or query parameter; `X-API-Key` without it.
        #[serde(default = "api_key_header")]
        name: String,
        /// The key, by reference: `${secret:NAME}`.
        value: String,
        /// Where it goes.
        #[serde(default, rename = "in")]
        place: ApiKeyPlace,
    },
}

fn api_key_header() -> String {
    "X-API-Key".to_owned()
}

/// Where an API key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApiKeyPlace {
    /// A header.
    #[default]
    Header,
    /// The query.
    Query,
}

impl Auth {
    /// What `--auth KIND:VALUE` means: `bearer:TOKEN`, `basic:USER:PASSWORD`, `api_key:VALUE`, `api_key:HEADER=VALUE`,
    /// `api_key:?PARAMETER=VALUE` for one in the query, or `none`. Values may be references such as `${secret:NAME}`.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] with the forms that there are. The text is not repeated, since it may hold a credential.
    pub fn from_flag(text: &str) -> Result<Self, Problem> {
        let wrong = |what: &str| {
            Problem::new(Code::InvalidInput, what)
                .next("Write bearer:TOKEN, basic:USER:PASSWORD, api_key:VALUE, api_key:HEADER=VALUE or api_key:?PARAMETER=VALUE")
        };
        let (kind, value) = text.split_once(':').unwrap_or((text, ""));
        if kind != "none" && value.is_empty() {
            return Err(wrong("The authentication has no value"));
        }
        let spec = match kind {
            "none" => AuthSpec::None,
            "bearer" => AuthSpec::Bearer { token: value.to_owned() },
            "basic" => {
                // A reference holds a colon of its own, and a user name can't.
                let (user, password) =
                    split_outside(value, ':').ok_or_else(|| wrong("The basic authentication has no password"))?;
                AuthSpec::Basic { username: user.to_owned(), password: password.to_owned() }
            }
            "api_key" | "api-key" | "apikey" => match split_outside(value, '=') {
                Some((name, value)) => {
                    let (name, place) = match name.strip_prefix('?') {
                        Some(name) => (name, ApiKeyPlace::Query),
                        None => (name, ApiKeyPlace::Header),
                    };
                    AuthSpec::ApiKey { name: name.to_owned(), value: value.to_owned(), place }
                }
                None => AuthSpec::ApiKey { name: api_key_header(), value: value.to_owned(), place: ApiKeyPlace::Header },
            },
            _ => return Err(wrong("There is no such kind of authentication")),
        };
        Ok(Self::Spec(spec))
    }
}

/// The two sides of the first `mark` that stands outside of `${…}`; `None` where there is none, or nothing before it.
fn split_outside(text: &str, mark: char) -> Option<(&str, &str)> {
    let mut inside = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' if text[..at].ends_with('$') => inside = true,
            '}' => inside = false,
            _ if letter == mark && !inside && at > 0 => return Some((&text[..at], &text[at + mark.len_utf8()..])),
            _ => {}
        }
    }
    None
}
