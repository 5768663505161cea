//! What went wrong, in the one shape that every part of Patchbay uses.

use serde::{Deserialize, Serialize};

/// What kind of thing went wrong. Programs decide by this, never by the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The arguments of a command make no sense.
    InvalidInput,
    /// An integration file or another definition has a mistake.
    InvalidDefinition,
    /// There is nothing by that name.
    NotFound,
    /// The name is taken.
    AlreadyExists,
    /// The text was changed by someone else since it was read.
    Conflict,
    /// The workspace folder is missing, unreadable or not writable.
    Workspace,
    /// Another copy of Patchbay holds the workspace, or a port is taken.
    InUse,
    /// The results database can't be opened or written.
    Database,
    /// The results database was written by a newer Patchbay.
    DatabaseTooNew,
    /// The OS keychain can't be reached or refuses.
    Keychain,
    /// A secret that a definition names has no value.
    SecretMissing,
    /// A secret was about to be sent to a host that it isn't bound to.
    SecretHost,
    /// A variable of the environment has no value.
    VariableMissing,
    /// The host name can't be resolved.
    Dns,
    /// The host refuses connections on that port.
    Refused,
    /// The connection was reset or closed too early.
    Reset,
    /// The host or the network can't be reached.
    Unreachable,
    /// It took longer than allowed.
    Timeout,
    /// The TLS handshake failed for a reason other than the certificate.
    Tls,
    /// The certificate isn't valid for this host, now, or from a known issuer.
    Certificate,
    /// What came isn't what the protocol allows.
    BadResponse,
    /// What came is larger than the bound.
    TooLarge,
    /// Redirects go in circles or never end.
    Redirects,
    /// Somebody has to agree first.
    NeedsConfirmation,
    /// Stopped on request.
    Cancelled,
    /// This build or this machine can't do it.
    Unsupported,
    /// A defect in Patchbay.
    Internal,
}

/// A place in a text file. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file, relative to the workspace where it lies inside.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// An error: a code, what happened, why, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The kind.
    pub code: Code,
    /// What happened, as a sentence without a full stop.
    pub what: String,
    /// Why, where it's known; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What the person can do next; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub next: String,
    /// Where in a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

impl Problem {
    /// A problem with only its code and what happened.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self { code, what: what.into(), why: String::new(), next: String::new(), place: None }
    }

    /// The same with its reason.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// The same with what to do next.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    /// The same with its place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// A defect of Patchbay's own.
    pub fn internal(why: impl std::fmt::Display) -> Self {
        Self::new(Code::Internal, "Patchbay made a mistake")
            .why(why.to_string())
            .next("Please report this with what you did just before")
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.what)?;
        if !self.why.is_empty() {
            write!(f, ": {}", self.why)?;
        }
        if !self.next.is_empty() {
            write!(f, ". {}", self.next)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}
