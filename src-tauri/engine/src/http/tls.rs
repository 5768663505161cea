//! TLS with an eye on the certificate: what the server showed, whether it is valid, and if not, why not.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use patchbay_contracts::probe::Certificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use url::Url;
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

use super::{
    Context,
    caller::{Asked, Caller},
    identity::Prepared,
    marks::Marks,
    send::authority,
};
use crate::{Code, Problem, Result};

/// The certificates that this machine trusts, read once: it takes tens of milliseconds.
struct Roots {
    provider: Arc<CryptoProvider>,
    store: RootCertStore,
    verifier: Option<Arc<WebPkiServerVerifier>>,
}

fn roots() -> &'static Roots {
    static ROOTS: OnceLock<Roots> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let provider = Arc::new(ring::default_provider());
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let verifier = verifier(store.clone(), &provider);
        Roots { provider, store, verifier }
    })
}

/// None where nobody is trusted.
fn verifier(store: RootCertStore, provider: &Arc<CryptoProvider>) -> Option<Arc<WebPkiServerVerifier>> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider)).build().ok()
}

/// How many issuers this machine trusts.
pub(super) fn issuers() -> usize {
    roots().store.len()
}

/// How connections to one address are secured: who is trusted, and who is said to call.
#[derive(Debug, Clone)]
pub(super) struct Secured {
    provider: Arc<CryptoProvider>,
    verifier: Option<Arc<WebPkiServerVerifier>>,
    caller: Arc<Caller>,
}

impl Secured {
    /// As this machine does it, and the integration that the context is of.
    ///
    /// # Errors
    /// Files and secrets that the integration names and that can't be used, before anything is connected.
    pub(super) async fn to(context: &Context, target: &Url) -> Result<Self> {
        let roots = tokio::task::spawn_blocking(roots).await.map_err(Problem::internal)?;
        let provider = Arc::clone(&roots.provider);
        let settings = context.tls.as_ref().filter(|_| target.scheme() == "https");
        let Prepared { issuers, identity, withheld } = match settings {
            Some(settings) => settings.prepared(context, target).await?,
            None => Prepared::default(),
        };
        let verifier = if issuers.is_empty() {
            roots.verifier.clone()
        } else {
            let mut store = roots.store.clone();
            store.add_parsable_certificates(issuers);
            verifier(store, &provider)
        };
        Ok(Self { provider, verifier, caller: Arc::new(Caller::new(identity, withheld)) })
    }

    /// A configuration that verifies as usual and keeps sessions for later connections.
    pub(super) fn config(&self) -> Result<ClientConfig> {
        let verifier = self.verifier.clone().ok_or_else(|| {
            Problem::new(Code::Tls, "This machine trusts no issuer of certificates")
                .next("Install the system's CA certificates (Debian: ca-certificates)")
        })?;
        Ok(ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(Problem::internal)?
            .with_webpki_verifier(verifier)
            .with_client_cert_resolver(self.caller.clone()))
    }

    /// The same with no certificate to show, for other addresses.
    pub(super) fn without_identity(&self) -> Self {
        let withheld = "it belongs to another address".to_owned();
        Self { caller: Arc::new(Caller::new(None, Some(withheld))), ..self.clone() }
    }

    /// Whether there is a certificate that may be shown.
    pub(super) fn has_identity(&self) -> bool {
        self.caller.has_identity()
    }

    /// A sentence where the integration's certificate was not shown to `target`.
    pub(super) fn remark(&self, target: &Url) -> Option<String> {
        let withheld = self.caller.withheld()?;
        Some(format!("The client certificate was not shown to {}: {withheld}", authority(target)))
    }

    /// What became of the server's question who calls.
    pub(super) fn asked(&self) -> Asked {
        self.caller.asked()
    }
}

/// What was seen of a server's certificate.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// What it says of itself; none where it can't be read.
    pub(super) certificate: Option<Certificate>,
    /// Why it isn't valid.
    pub(super) fault: Option<CertificateError>,
    /// Whether it is signed by its own key.
    pub(super) self_signed: bool,
    /// Whether it is an authority's own certificate, made to sign others.
    pub(super) is_authority: bool,
    /// Whether nobody at all is trusted.
    pub(super) no_roots: bool,
    /// What became of the server's question who calls.
    pub(super) asked: Asked,
}

/// Verifies as usual, and keeps what it saw.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    accept: bool,
    secured: Secured,
    seen: Arc<Mutex<Seen>>,
}

impl Watch {
    /// With `accept`, a bad certificate passes, and is kept as such.
    pub(super) fn new(accept: bool, secured: Secured) -> Self {
        Self { accept, secured, seen: Arc::default() }
    }

    /// What was seen so far.
    pub(super) fn seen(&self) -> Seen {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Seen { asked: self.secured.asked(), ..seen }
    }

    /// The client's configuration for one exchange.
    pub(super) fn config(&self, marks: &Marks) -> Result<ClientConfig> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.secured.provider))
            .with_safe_default_protocol_versions()
            .map_err(Problem::internal)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(self.clone()))
            .with_client_cert_resolver(self.secured.caller.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.resumption = Resumption::store(Arc::new(marks.clone()));
        Ok(config)
    }

    fn note(&self, protocol: &str) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(certificate) = &mut seen.certificate {
            certificate.protocol = Some(protocol.to_owned());
        }
    }
}

impl ServerCertVerifier for Watch {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, Error> {
        let verdict = match &self.secured.verifier {
            Some(verifier) => verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now),
            None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        };
        let fault = match &verdict {
            Err(Error::InvalidCertificate(fault)) => Some(fault.clone()),
            _ => None,
        };
        let mut seen = describe(end_entity, verdict.is_ok());
        let accepted = self.accept && fault.is_some();
        (seen.fault, seen.no_roots) = (fault, self.secured.verifier.is_none());
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        if accepted { Ok(ServerCertVerified::assertion()) } else { verdict }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        self.note("TLSv1.2");
        verify_tls12_signature(message, cert, dss, &self.secured.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        self.note("TLSv1.3");
        verify_tls13_signature(message, cert, dss, &self.secured.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.secured.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What a certificate says of itself.
fn describe(der: &CertificateDer<'_>, valid: bool) -> Seen {
    let Ok((_, x509)) = X509Certificate::from_der(der) else {
        return Seen::default();
    };
    let certificate = Certificate {
        subject: x509.subject().to_string(),
        issuer: x509.issuer().to_string(),
        names: names(&x509),
        not_before: x509.validity().not_before.timestamp().saturating_mul(1000),
        not_after: x509.validity().not_after.timestamp().saturating_mul(1000),
        protocol: None,
        valid,
    };
    Seen {
        certificate: Some(certificate),
        self_signed: x509.subject() == x509.issuer(),
        is_authority: x509.is_ca(),
        ..Seen::default()
    }
}

/// The most names of a certificate that are kept.
const MOST_NAMES: usize = 200;

fn names(x509: &X509Certificate<'_>) -> Vec<String> {
    let alternatives = x509.extensions().iter().filter_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
        _ => None,
    });
    alternatives
        .flatten()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
                Ok(v4) => Some(std::net::Ipv4Addr::from(v4).to_string()),
                Err(_) => <[u8; 16]>::try_from(*bytes).ok().map(|v6| std::net::Ipv6Addr::from(v6).to_string()),
            },
            _ => None,
        })
        .take(MOST_NAMES)
        .collect()
}
