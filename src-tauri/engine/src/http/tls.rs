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
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

use super::marks::Marks;
use crate::{Code, Problem, Result};

/// The certificates that this machine trusts, read once: it takes tens of milliseconds.
struct Roots {
    provider: Arc<CryptoProvider>,
    verifier: Option<Arc<WebPkiServerVerifier>>,
    issuers: usize,
}

fn roots() -> &'static Roots {
    static ROOTS: OnceLock<Roots> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let provider = Arc::new(ring::default_provider());
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let issuers = store.len();
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider)).build().ok();
        Roots { provider, verifier, issuers }
    })
}

/// How many issuers this machine trusts.
pub(super) fn issuers() -> usize {
    roots().issuers
}

/// A configuration that trusts whom this machine trusts, and keeps sessions for later connections.
pub(super) async fn trusting() -> Result<ClientConfig> {
    let roots = tokio::task::spawn_blocking(roots).await.map_err(Problem::internal)?;
    let verifier = roots.verifier.clone().ok_or_else(|| {
        Problem::new(Code::Tls, "This machine trusts no issuer of certificates")
            .next("Install the system's CA certificates (Debian: ca-certificates)")
    })?;
    Ok(ClientConfig::builder_with_provider(Arc::clone(&roots.provider))
        .with_safe_default_protocol_versions()
        .map_err(Problem::internal)?
        .with_webpki_verifier(verifier)
        .with_no_client_auth())
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
    /// Whether this machine trusts anybody at all.
    pub(super) no_roots: bool,
}

/// Verifies as usual, and keeps what it saw.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    accept: bool,
    seen: Arc<Mutex<Seen>>,
}

impl Watch {
    /// With `accept`, a bad certificate passes, and is kept as such.
    pub(super) fn new(accept: bool) -> Self {
        Self { accept, seen: Arc::default() }
    }

    /// What was seen so far.
    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The client's configuration for one exchange.
    pub(super) async fn config(&self, marks: &Marks) -> Result<ClientConfig> {
        let roots = tokio::task::spawn_blocking(roots).await.map_err(Problem::internal)?;
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&roots.provider))
            .with_safe_default_protocol_versions()
            .map_err(Problem::internal)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(self.clone()))
            .with_no_client_auth();
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
        let verdict = match &roots().verifier {
            Some(verifier) => verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now),
            None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        };
        let fault = match &verdict {
            Err(Error::InvalidCertificate(fault)) => Some(fault.clone()),
            _ => None,
        };
        let mut seen = describe(end_entity, verdict.is_ok());
        let accepted = self.accept && fault.is_some();
        (seen.fault, seen.no_roots) = (fault, roots().verifier.is_none());
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
        verify_tls12_signature(message, cert, dss, &roots().provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        self.note("TLSv1.3");
        verify_tls13_signature(message, cert, dss, &roots().provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        roots().provider.signature_verification_algorithms.supported_schemes()
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
