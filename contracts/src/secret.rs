//! Credentials, as far as anything outside the keychain may know of them.

use serde::{Deserialize, Serialize};

/// A value that can't be printed. Only the page can serialise it, on its way into the backend; nothing native can.
#[derive(Clone, PartialEq, Eq)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, where it is used and nowhere else.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> std::fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹sensitive›")
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sensitive<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

#[cfg(target_arch = "wasm32")]
impl<T: Serialize> Serialize for Sensitive<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Where a secret's value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretHome {
    /// The OS keychain.
    Keychain,
    /// The process environment, `PATCHBAY_SECRET_<NAME>`.
    Environment,
    /// Memory, until Patchbay closes.
    Memory,
    /// Nowhere: a definition names it, and it has no value.
    Missing,
}

/// A secret without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretInfo {
    /// Its name, as in `${secret:NAME}`.
    pub name: String,
    /// The hosts that it may be sent to: `host`, `host:port` or `*.domain`. Empty: none yet.
    pub hosts: Vec<String>,
    /// Where its value lies.
    pub home: SecretHome,
    /// The integrations that name it.
    pub used_by: Vec<String>,
}

/// Whether credentials can be kept on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeychainState {
    /// Whether values outlive the program.
    pub available: bool,
    /// What kind of keychain, or why there is none.
    pub detail: String,
}
