//! What a contract run was made of: an integration, a document held against a service, or files by themselves.

use serde::{Deserialize, Serialize};

use super::ContractOptions;

/// What a contract run was made of, so that it can be made again. Credentials in it are references: `${secret:NAME}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ContractSubject {
    /// An integration of the workspace, with the document that its file names.
    Integration {
        /// Its name.
        name: String,
    },
    /// A document that belongs to no integration, held against a service.
    Document {
        /// The file or its address.
        source: String,
        /// How it was verified.
        options: Box<ContractOptions>,
    },
    /// Files, with no service called.
    Files {
        /// Which ones, and by what.
        check: Box<FileCheck>,
    },
}

/// Files to be checked, with no service called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileCheck {
    /// By what.
    pub by: CheckedBy,
    /// Files and folders, each by its path: from the workspace's folder, or else from the current one. Documents that are
    /// held to a JSON Schema may be addresses as well.
    pub files: Vec<String>,
    /// What of it counts: `only`, `skip`, `warn`, `accepted`, and whether references to other addresses are fetched. The
    /// rest is about services and means nothing here.
    #[serde(default)]
    pub options: ContractOptions,
}

/// By what files are checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum CheckedBy {
    /// Each file, in JSON or YAML, is one document held to a JSON Schema.
    JsonSchema {
        /// The schema: a file or an address.
        schema: String,
        /// `4`, `6`, `7`, `2019-09` or `2020-12`; without it, what `$schema` says.
        #[serde(default)]
        draft: Option<String>,
        /// Whether formats are judged in every draft; from 2019-09 on they are remarks otherwise.
        #[serde(default)]
        formats: bool,
    },
    /// The messages of all files are one stream, held to a message contract, an AsyncAPI document or a JSON Schema.
    Messages {
        /// The contract: a file or an address.
        contract: String,
        /// The envelope, in place of the contract's own: `patchbay`, `cloudevents`, `none` or `auto`.
        #[serde(default)]
        envelope: Option<String>,
        /// How many messages are remembered to find duplicates and causes.
        #[serde(default)]
        window: Option<usize>,
    },
    /// Each file is one case `{expected, actual}` of the Pact specification.
    PactCases {
        /// The version of the specification: `1`, `1.1`, `2`, `3` or `4`.
        specification: String,
        /// What the cases are about, `request`, `response` or `message`; recognised by what stands in them without it.
        #[serde(default)]
        part: Option<String>,
    },
}

impl CheckedBy {
    /// The file or the address of what is checked by; a Pact case needs none.
    pub fn contract(&self) -> Option<&str> {
        match self {
            Self::JsonSchema { schema, .. } => Some(schema),
            Self::Messages { contract, .. } => Some(contract),
            Self::PactCases { .. } => None,
        }
    }

    /// What one result is about, as in `3 files`.
    pub const fn noun(&self) -> &'static str {
        match self {
            Self::JsonSchema { .. } => "file",
            Self::Messages { .. } => "part",
            Self::PactCases { .. } => "case",
        }
    }
}

impl FileCheck {
    /// The check in a few words, which tell it from others: `a.json and 2 more by order.schema.json`.
    pub fn label(&self) -> String {
        let files = match self.files.as_slice() {
            [] => "no files".to_owned(),
            [one] => one.clone(),
            [first, rest @ ..] => format!("{first} and {} more", rest.len()),
        };
        match (&self.by, self.by.contract()) {
            (_, Some(contract)) => format!("{files} by {contract}"),
            (CheckedBy::PactCases { specification, .. }, _) => format!("{files} by Pact {specification}"),
            (_, None) => files,
        }
    }
}

impl ContractSubject {
    /// The target of the jobs that run it.
    pub fn target(&self) -> String {
        match self {
            Self::Integration { name } => name.clone(),
            Self::Document { source, .. } => source.clone(),
            Self::Files { check } => check.label(),
        }
    }

    /// What one result is about, as in `3 operations`.
    pub const fn noun(&self) -> &'static str {
        match self {
            Self::Integration { .. } | Self::Document { .. } => "operation",
            Self::Files { check } => check.by.noun(),
        }
    }
}
