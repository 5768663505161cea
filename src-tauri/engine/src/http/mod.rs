//! One HTTP exchange, with its timing.
//!
//! [`send`] makes an exchange and tells all of it: each phase's time, the certificate, the body, the redirects, and where
//! it failed, why. [`understand`] reads what a person typed or pasted; [`request_for`] makes the request that an endpoint
//! of an integration describes. Everything that leaves this module went through the redactor.

mod address;
mod body;
mod caller;
mod curl_line;
mod exchange;
mod failure;
mod from_endpoint;
mod identity;
mod marks;
mod outgoing;
mod pool;
mod ready;
mod redirect;
mod retry;
mod send;
mod tls;
mod understand;

use std::sync::Arc;

use patchbay_contracts::integration::Integration;

use crate::{
    contract::Schemas,
    definition::Positions,
    ports::Ports,
    secrets::{Secrets, template::Scope},
};

pub use self::{
    address::address,
    from_endpoint::{request_for, request_with},
    identity::TlsSettings,
    ready::{Ready, ready, root_certificates, short_secret, tls_config},
    retry::{Attempts, delay_before, send_with_retries},
    send::send,
    understand::{Extracted, UnderstoodWithSecrets, understand},
};
pub(crate) use self::{
    from_endpoint::spelled_out,
    outgoing::{filled_body, in_literal, pieces},
    pool::{Answer, Exchanged, Pool},
    retry::send_spaced_unredacted,
    send::{send_unredacted as send_plain, with_uuid},
    understand::{is_credential, is_credential_field},
};

/// What an exchange needs to know and to ask.
#[derive(Clone)]
pub struct Context {
    /// Time and chance.
    pub ports: Ports,
    /// Credentials.
    pub secrets: Secrets,
    /// What the references of a request stand for.
    pub scope: Scope,
    /// How connections of the integration are secured that the exchange is for, where its file says so.
    pub tls: Option<Arc<TlsSettings>>,
}

impl Context {
    /// With nothing of TLS but what this machine does for each connection.
    pub fn new(ports: Ports, secrets: Secrets, scope: Scope) -> Self {
        Self { ports, secrets, scope, tls: None }
    }

    /// The same for an integration, whose connections are secured as its file says. The files that it names lie where
    /// `schemas` says; `positions` tell where they are named.
    #[must_use]
    pub fn secured_for(mut self, integration: &Integration, schemas: &Schemas, positions: Option<&Positions>) -> Self {
        self.tls = TlsSettings::of(integration, schemas, positions, &self.scope);
        self
    }
}

/// How much of an answer is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The most bytes of a body, before and after decompression.
    pub body: u64,
    /// The most header fields.
    pub headers: usize,
    /// The most redirects that are followed.
    pub redirects: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { body: 10 * 1024 * 1024, headers: 200, redirects: 10 }
    }
}
