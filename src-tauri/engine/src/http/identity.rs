//! What an integration's file says of TLS, read from where it lies: issuers and the client's certificate from files beside
//! it, the key from the secrets.
//!
//! Files are read anew for each exchange of a probe or check and once for each run that keeps its connections, so that a
//! renewed certificate is used from the next one on. A key is bound to hosts as every secret is. At the integration's own
//! address a key that isn't bound is an error, before anything is connected; anywhere else the certificate stays behind.

use std::sync::Arc;

use patchbay_contracts::{
    Code, Problem,
    integration::{Integration, Tls},
};
use rustls::{
    RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    sign::CertifiedKey,
};
use url::Url;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Context, address::address, failure::date, send::authority};
use crate::{
    Result,
    contract::Schemas,
    definition::Positions,
    secrets::template::{Scope, fill_plain},
};

/// The largest file of certificates, in bytes. A list of all public issuers has a quarter of it.
const LARGEST: u64 = 1 << 20;

/// How an integration's connections are secured.
pub struct TlsSettings {
    integration: String,
    tls: Tls,
    schemas: Schemas,
    positions: Option<Positions>,
    /// The address of the integration itself, to which the certificate belongs; none where it isn't known.
    home: Option<Url>,
}

impl std::fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsSettings").field("integration", &self.integration).field("tls", &self.tls).finish_non_exhaustive()
    }
}

/// What the files and the secret hold. It has no `Debug` and nothing that could write it out: the key is in it.
#[derive(Default)]
pub(super) struct Prepared {
    /// Issuers that are trusted besides those of this machine.
    pub(super) issuers: Vec<CertificateDer<'static>>,
    /// What a server is shown that asks who calls.
    pub(super) identity: Option<Identity>,
    /// Why the certificate stays behind.
    pub(super) withheld: Option<String>,
}

/// A client's certificate with its key.
pub(super) struct Identity {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) subject: String,
    pub(super) issuer: String,
}

impl TlsSettings {
    /// Those of an integration, whose files lie where `schemas` says; none where it has none.
    pub(super) fn of(
        integration: &Integration,
        schemas: &Schemas,
        positions: Option<&Positions>,
        scope: &Scope,
    ) -> Option<Arc<Self>> {
        let tls = integration.tls.clone().filter(|tls| *tls != Tls::default())?;
        let base = integration.base_url.as_deref().unwrap_or("${env:base_url}");
        let home = fill_plain(base, scope).and_then(|text| address(&text)).ok();
        let (schemas, positions) = (schemas.clone(), positions.cloned());
        Some(Arc::new(Self { integration: integration.name.clone(), tls, schemas, positions, home }))
    }

    /// Whether the client's certificate is shown to `target`: always at the integration's own address, elsewhere only where
    /// the key's secret is bound to that host.
    pub(super) async fn shows(&self, context: &Context, target: &Url) -> bool {
        let (Some(secret), Some(home)) = (self.tls.key_secret(), &self.home) else { return false };
        target.scheme() == "https" && context.secrets.may_follow(secret, home, target).await
    }

    /// All that a connection to `target` needs.
    ///
    /// # Errors
    /// [`Code::SecretHost`], [`Code::SecretMissing`] and [`Code::Keychain`] for the key's secret; [`Code::InvalidDefinition`]
    /// for a file or a key that can't be used, or a certificate that is not valid now. None of them is one of the codes that
    /// speak of the service: nothing was sent to it.
    pub(super) async fn prepared(&self, context: &Context, target: &Url) -> Result<Prepared> {
        let mut prepared = Prepared::default();
        if let Some(file) = &self.tls.ca {
            prepared.issuers = self.certificates("ca", file).await?;
            self.usable_issuers(file, &prepared.issuers)?;
        }
        let (Some(file), Some(secret)) = (&self.tls.certificate, self.tls.key_secret()) else { return Ok(prepared) };
        if !self.shows(context, target).await {
            let to = authority(target);
            prepared.withheld = Some(format!("its key, the secret `{secret}`, is not bound to {to}"));
            return Ok(prepared);
        }
        let key =
            context.secrets.value_for(secret, target).await.map_err(|problem| self.at("key", about(problem, secret, target)))?;
        let chain = self.certificates("certificate", file).await?;
        let key = private_key(key.expose(), secret).map_err(|problem| self.at("key", problem))?;
        prepared.identity = Some(self.identity(context, file, chain, key, secret)?);
        Ok(prepared)
    }

    fn identity(
        &self,
        context: &Context,
        file: &str,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        secret: &str,
    ) -> Result<Identity> {
        let unfit = |what: String| self.at("key", Problem::new(Code::InvalidDefinition, what));
        let signing = provider().key_provider.load_private_key(key).map_err(|_| {
            unfit(format!("The private key in the secret `{secret}` can't be used"))
                .why("it is damaged, or of a kind that Patchbay does not sign with")
                .next("Use RSA of 2048 to 8192 bits, ECDSA with P-256 or P-384, or Ed25519")
        })?;
        let unreadable = || self.unreadable("certificate", file, "its first certificate is damaged");
        let own = chain.first().and_then(|der| X509Certificate::from_der(der).ok()).ok_or_else(unreadable)?.1;
        self.valid_now(context, file, &own)?;
        let (subject, issuer) = (own.subject().to_string(), own.issuer().to_string());
        // rustls compares them too, and reads no certificates of version 1, which `openssl x509 -req` makes.
        if signing.public_key().is_some_and(|public| *public != *own.public_key().raw) {
            return Err(unfit(format!("The key in the secret `{secret}` does not belong to the certificate in `{file}`"))
                .why(format!("the first certificate of the file, {subject}, has another key"))
                .next(
                    "Set the secret to the key that the certificate was made for; the client's own certificate stands first in \
                     the file",
                ));
        }
        Ok(Identity { key: Arc::new(CertifiedKey::new(chain, signing)), subject, issuer })
    }

    fn valid_now(&self, context: &Context, file: &str, own: &X509Certificate<'_>) -> Result<()> {
        let now = context.ports.clock.now();
        let (from, to) = (own.validity().not_before.timestamp(), own.validity().not_after.timestamp());
        let (from, to) = (from.saturating_mul(1000), to.saturating_mul(1000));
        let problem = |what: &str| {
            self.at("certificate", Problem::new(Code::InvalidDefinition, format!("The client certificate in `{file}` {what}")))
        };
        if now > to {
            return Err(problem("has expired")
                .why(format!("it was valid until {}", date(to)))
                .next(format!("Have it renewed by its issuer, {}, and put the new one into the file", own.issuer())));
        }
        if now < from {
            return Err(problem("is not valid yet")
                .why(format!("it is valid from {}", date(from)))
                .next("Check this machine's clock, and whether it is the right file"));
        }
        Ok(())
    }

    /// Each of the file's certificates has to be one that can be trusted: one that is passed over would be missed later,
    /// where nobody sees why.
    fn usable_issuers(&self, file: &str, issuers: &[CertificateDer<'static>]) -> Result<()> {
        let mut store = RootCertStore::empty();
        for (number, issuer) in issuers.iter().enumerate() {
            if store.add(issuer.clone()).is_err() {
                return Err(self.unreadable("ca", file, &format!("its certificate number {} is damaged", number + 1)));
            }
        }
        Ok(())
    }

    async fn certificates(&self, field: &str, file: &str) -> Result<Vec<CertificateDer<'static>>> {
        let (schemas, name) = (self.schemas.clone(), file.to_owned());
        let read = tokio::task::spawn_blocking(move || schemas.bytes_beside(&name, LARGEST));
        let bytes = read.await.map_err(Problem::internal)?.map_err(|problem| self.at(field, problem))?;
        let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
        match found {
            Ok(found) if !found.is_empty() => Ok(found),
            Ok(_) if contains(&bytes, b"-----BEGIN") => Err(self.unreadable(field, file, "no certificate is in it")),
            Ok(_) => Err(self.unreadable(field, file, "it is not in PEM: no line says BEGIN CERTIFICATE")),
            Err(_) => Err(self.unreadable(field, file, "its PEM is damaged: a part has no end, or is no base64")),
        }
    }

    fn unreadable(&self, field: &str, file: &str, why: &str) -> Problem {
        let what = format!("The file `{file}` has no certificates that can be used");
        let problem = Problem::new(Code::InvalidDefinition, what).why(why);
        let next = match field {
            "ca" => "Put the issuer's certificate into it, in PEM",
            _ => "Put the client's certificate into it, in PEM, and behind it those that lead to its issuer",
        };
        self.at(field, problem.next(format!("{next}; from DER: openssl x509 -inform der -in FILE")))
    }

    /// The same with its place in the integration's file.
    fn at(&self, field: &str, mut problem: Problem) -> Problem {
        if let Some(positions) = &self.positions {
            problem.place = positions.place(&format!("/integration/tls/{field}"));
        }
        problem
    }
}

fn provider() -> CryptoProvider {
    ring::default_provider()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// What is wrong with the key's secret, said of a key.
fn about(problem: Problem, secret: &str, target: &Url) -> Problem {
    match problem.code {
        Code::SecretHost => Problem {
            what: format!("The client certificate was not shown to {}", authority(target)),
            why: format!("its key is the secret `{secret}`, and {}", problem.why),
            ..problem
        },
        Code::SecretMissing => {
            let host = target.host_str().unwrap_or("HOST");
            let set = format!("Set it with `patchbay secret set {secret} --host {host} < client.key`");
            problem.next(format!("{set}, or in the variable {}", crate::secrets::environment_name(secret)))
        }
        _ => problem,
    }
}

/// The key of a secret. What is wrong with it is told without a word of it.
fn private_key(text: &str, secret: &str) -> Result<PrivateKeyDer<'static>> {
    let again = format!("`patchbay secret set {secret} < client.key`");
    let wrong = |why: &str, next: String| {
        Err(Problem::new(Code::InvalidDefinition, format!("The secret `{secret}` is no private key that can be used"))
            .why(why)
            .next(next))
    };
    if text.contains("ENCRYPTED PRIVATE KEY") || text.contains("4,ENCRYPTED") {
        let next = format!(
            "Take the passphrase off on the way into the keychain: openssl pkey -in client.key | patchbay secret set {secret}"
        );
        return wrong("a passphrase is on it, and in a run nobody could type it", next);
    }
    match PrivateKeyDer::from_pem_slice(text.as_bytes()) {
        Ok(key) => Ok(key),
        Err(pem::Error::NoItemsFound) if text.contains("-----BEGIN CERTIFICATE") => {
            wrong("it holds a certificate and no key", format!("Set it to the key: {again}"))
        }
        Err(pem::Error::NoItemsFound) => {
            wrong("it is not in PEM: no line of it begins a private key", format!("Set it from the key's file: {again}"))
        }
        Err(_) => wrong(
            "its PEM is damaged: the end is missing, or its line breaks were lost",
            format!("Set it from the key's file, whole: {again}"),
        ),
    }
}
