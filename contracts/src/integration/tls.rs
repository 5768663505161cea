//! How connections over TLS are secured, beyond what this machine does for each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How connections over TLS are secured: who is trusted, and what is shown to a service that asks who calls.
///
/// The client's certificate is shown to the host of `base_url`, and to no other unless the key's secret is bound to it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The file with the certificates of private issuers in PEM, relative to this one. They are trusted besides those of
    /// this machine, for this integration only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// The file with the client's certificate in PEM, relative to this one; behind it stand those that lead to its issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The certificate's private key in PEM, by reference: `${secret:NAME}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Tls {
    /// The name of the secret that holds the key.
    pub fn key_secret(&self) -> Option<&str> {
        self.key.as_deref().and_then(secret_of)
    }
}

/// The name in a text that is one reference to a secret and nothing else.
pub fn secret_of(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix("${secret:")?.strip_suffix('}')?;
    (!name.is_empty() && !name.contains(['$', '{', '}'])).then_some(name)
}
