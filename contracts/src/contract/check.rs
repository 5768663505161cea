//! What contract runs judge: the names, and how much each weighs.

use serde::{Deserialize, Serialize};

/// How much a check weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It is shown, and fails no run.
    Warning,
    /// It fails the run.
    #[default]
    Error,
}

impl Severity {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

macro_rules! checks {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $severity:ident;)*) => {
        /// What was judged.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Check {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $variant,)*
        }

        impl Check {
            /// All of them, in the order in which a matrix shows them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name, by which it is turned off and accepted.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// One sentence on what it asks.
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),+).trim_ascii(),)*
                }
            }

            /// How much it weighs unless somebody says otherwise.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$variant => Severity::$severity,)*
                }
            }
        }
    };
}

checks! {
    /// A file is there and can be read as what it is meant to be.
    Readable = "readable", Error;
    /// A document fits the JSON Schema that it is held to.
    Schema = "schema", Error;
    /// The service could be called and answered.
    Reachable = "reachable", Error;
    /// The status is one that the contract names for this answer.
    Status = "status", Error;
    /// No request, however odd, is answered with a 5xx.
    ServerError = "server-error", Error;
    /// The media type is one that the contract names for this answer.
    ContentType = "content-type", Error;
    /// A header is there and as the contract says.
    Header = "header", Error;
    /// The request body fits its schema, before it is sent.
    RequestSchema = "request-schema", Error;
    /// The response body fits its schema.
    ResponseSchema = "response-schema", Error;
    /// The answer has no field that the schema forbids or that is only ever written.
    UndocumentedField = "undocumented-field", Error;
    /// A condition in Gatus's grammar.
    Condition = "condition", Error;
    /// The time that it took.
    Latency = "latency", Error;
    /// A value to be captured for later endpoints.
    Capture = "capture", Error;
    /// Input that the contract calls invalid is refused.
    InvalidAccepted = "invalid-accepted", Error;
    /// Input that the contract calls valid is taken.
    ValidRejected = "valid-rejected", Error;
    /// Without a credential, or with a wrong one, what the contract protects is refused.
    AuthIgnored = "auth-ignored", Error;
    /// What was created can be read, and is what was sent.
    UnreadableAfterCreate = "unreadable-after-create", Error;
    /// What was changed reads as it was changed.
    ChangeNotKept = "change-not-kept", Error;
    /// What was deleted is gone.
    ReadableAfterDelete = "readable-after-delete", Error;
    /// A link of the contract leads to an operation that answers as documented.
    Link = "link", Error;
    /// The provider can be brought into the state that an interaction starts from.
    ProviderState = "provider-state", Error;
    /// The method is the one expected.
    Method = "method", Error;
    /// The path is the one expected.
    Path = "path", Error;
    /// The query is the one expected.
    Query = "query", Error;
    /// The body matches what is expected.
    Body = "body", Error;
    /// The metadata of a message matches what is expected.
    Metadata = "metadata", Error;
    /// A message has the envelope that the contract asks for.
    Envelope = "envelope", Error;
    /// The payload of a message fits the schema of its type and version.
    Payload = "payload", Error;
    /// Each message has an id of its own.
    Duplicate = "duplicate", Error;
    /// What caused a message came before it.
    Causation = "causation", Error;
    /// The clocks of messages agree with the order in which they came.
    Order = "order", Warning;
}

impl Check {
    /// The check of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|check| check.as_str() == name)
    }
}
