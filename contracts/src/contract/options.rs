//! How a contract run is made.

use serde::{Deserialize, Serialize};

use crate::{integration::Auth, units::Span};

/// What a person may choose of a contract run. The default is what the contract and the program say.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ContractOptions {
    /// The address to call, in place of the contract's own.
    pub url: Option<String>,
    /// How to authenticate. Credentials are references: `${secret:NAME}`.
    pub auth: Option<Auth>,
    /// Headers sent with every request; values may hold references.
    pub headers: Vec<(String, String)>,
    /// What generated requests are made from; the same seed makes the same requests.
    pub seed: Option<u64>,
    /// Only these: names of checks, or of operations with `*` for any text.
    pub only: Vec<String>,
    /// Not these: names of checks, or of operations with `*` for any text.
    pub skip: Vec<String>,
    /// Checks that are shown and fail no run.
    pub warn: Vec<String>,
    /// The longest that the whole run may take.
    pub budget: Option<Span>,
    /// The file of accepted failures; without it, `accepted.yaml` beside the contract where there is one.
    pub accepted: Option<String>,
    /// Whether references to other addresses are fetched.
    pub fetch: bool,
    /// What only Pact knows.
    pub pact: PactOptions,
}

/// What a person may choose of a Pact verification.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PactOptions {
    /// Where provider states are changed: an address that is sent a POST, or `command:` and a command line.
    pub states: Option<String>,
    /// Whether states are taken down after each interaction.
    pub tear_down: bool,
    /// The provider, where the source is a broker.
    pub provider: Option<String>,
    /// Only the pacts of these consumers.
    pub consumers: Vec<String>,
    /// How to authenticate with the broker.
    pub broker_auth: Option<Auth>,
    /// The version of the provider under which results are published; without it, nothing is published.
    pub publish: Option<String>,
    /// The branch of the provider.
    pub branch: Option<String>,
    /// Whether pending pacts may fail without failing the run.
    pub pending: bool,
    /// From which day on work-in-progress pacts are taken in, such as `2026-01-31`.
    pub wip_since: Option<String>,
    /// Where messages come from: an address that is sent a POST with the description and the states.
    pub messages: Option<String>,
}
