//! TLS: sessions that are taken up again, certificates of clients, and bodies that are longer than a buffer.

use std::{
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use patchbay_contracts::integration::{LoadSpec, Protocol};
use patchbay_load::Target;
use patchbay_tests::load::{closed, failures, open, run, target, trusting};
use rustls::{
    ClientConfig, HandshakeKind, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
};

use crate::lab::{State, alone, good, serve};

/// A server for `localhost` that counts its handshakes.
struct Secure {
    address: std::net::SocketAddr,
    /// What a client must trust to speak to it.
    roots: RootCertStore,
    state: Arc<State>,
    full: Arc<AtomicU64>,
    resumed: Arc<AtomicU64>,
}

struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

fn identity(name: &str) -> Identity {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    Identity { certificate: made.cert.der().clone(), key: PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into()) }
}

fn roots(of: &Identity) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(of.certificate.clone()).unwrap();
    roots
}

impl Secure {
    /// It asks for the certificate of this client, where there is one, and speaks these protocols.
    fn start(client: Option<&Identity>, version: &'static rustls::SupportedProtocolVersion) -> Self {
        let own = identity("localhost");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&[version]).unwrap();
        let builder = match client {
            None => builder.with_no_client_auth(),
            Some(client) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(client)), provider).build().unwrap();
                builder.with_client_cert_verifier(verifier)
            }
        };
        let config = Arc::new(builder.with_single_cert(vec![own.certificate.clone()], own.key.clone_key()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            roots: roots(&own),
            state: Arc::default(),
            full: Arc::default(),
            resumed: Arc::default(),
        };
        let (state, full, resumed) = (Arc::clone(&server.state), Arc::clone(&server.full), Arc::clone(&server.resumed));
        thread::spawn(move || {
            for stream in listener.incoming().take(100_000).flatten() {
                let (config, state) = (Arc::clone(&config), Arc::clone(&state));
                let (full, resumed) = (Arc::clone(&full), Arc::clone(&resumed));
                thread::spawn(move || {
                    if let Some(stream) = shake_hands(stream, config, &full, &resumed) {
                        serve(stream, &state, &|_: &str| good("hello"));
                    }
                });
            }
        });
        server
    }

    fn target(&self) -> Target {
        Target { host: "localhost".into(), tls: Some(trusting(self.roots.clone())), ..target(self.address) }
    }

    fn handshakes(&self) -> (u64, u64) {
        (self.full.load(Ordering::Relaxed), self.resumed.load(Ordering::Relaxed))
    }
}

fn shake_hands(
    mut stream: TcpStream,
    config: Arc<ServerConfig>,
    full: &AtomicU64,
    resumed: &AtomicU64,
) -> Option<StreamOwned<ServerConnection, TcpStream>> {
    let _ = stream.set_nodelay(true);
    let mut session = ServerConnection::new(config).unwrap();
    while session.is_handshaking() {
        session.complete_io(&mut stream).ok()?;
    }
    match session.handshake_kind() {
        Some(HandshakeKind::Resumed) => resumed.fetch_add(1, Ordering::Relaxed),
        _ => full.fetch_add(1, Ordering::Relaxed),
    };
    Some(StreamOwned::new(session, stream))
}

#[test]
fn sessions_are_taken_up_again_unless_told_otherwise() {
    let _alone = alone();
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        for reuse in [true, false] {
            let server = Secure::start(None, version);
            let spec = LoadSpec { keep_alive: false, session_reuse: reuse, iterations: Some(60), ..closed(2, 30_000) };
            let report = run(&server.target(), &spec);
            assert_eq!((report.totals.answered, report.totals.failed), (60, 0), "{:?}", report.errors);
            let (full, resumed) = server.handshakes();
            println!("{version:?}, reuse {reuse}: {full} full, {resumed} resumed");
            if reuse {
                assert!(full <= 6 && resumed >= 54, "{version:?}: {full} full, {resumed} resumed");
            } else {
                assert!(resumed == 0 && full >= 60, "{version:?}: {full} full, {resumed} resumed");
            }
            assert!(report.phases.tls.count >= 60 && report.phases.tls.p50_ms > 0.0, "{:?}", report.phases);
        }
    }
}

#[test]
fn clients_show_their_certificate() {
    let _alone = alone();
    let friend = identity("friend");
    let server = Secure::start(Some(&friend), &rustls::version::TLS13);
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap();
    let known = builder
        .with_root_certificates(server.roots.clone())
        .with_client_auth_cert(vec![friend.certificate.clone()], friend.key.clone_key())
        .unwrap();
    let target = Target { tls: Some(Arc::new(known)), ..server.target() };
    let report = run(&target, &LoadSpec { iterations: Some(50), ..closed(4, 20_000) });
    assert_eq!((report.totals.answered, report.totals.failed), (50, 0), "{:?}", report.errors);

    let report = run(&server.target(), &closed(2, 500));
    assert_eq!(report.totals.answered, 0);
    assert!(failures(&report, "tls") > 0, "{:?}", report.errors);
    let told = report.errors.iter().any(|error| error.kind == "tls" && error.example.to_lowercase().contains("certificate"));
    assert!(told, "{:?}", report.errors);
}

#[test]
fn a_body_may_be_longer_than_the_buffers_of_tls() {
    let _alone = alone();
    let server = Secure::start(None, &rustls::version::TLS13);
    for spec in [closed(2, 20_000), open(200.0, 20_000)] {
        let target = Target { method: "PUT".into(), body: vec![b'x'; 2_000_000], ..server.target() };
        let before = server.state.body_bytes.load(Ordering::Relaxed);
        let report = run(&target, &LoadSpec { iterations: Some(20), ..spec });
        assert_eq!((report.totals.answered, report.totals.failed), (20, 0), "{:?}", report.errors);
        assert_eq!(server.state.body_bytes.load(Ordering::Relaxed) - before, 40_000_000);
    }
}

#[test]
fn a_service_that_agrees_on_nothing_does_not_speak_http_2() {
    let _alone = alone();
    let server = Secure::start(None, &rustls::version::TLS13);
    let report = run(&server.target(), &LoadSpec { protocol: Protocol::Http2, ..closed(2, 400) });
    assert_eq!(report.totals.answered, 0);
    assert!(report.errors[0].example.contains("does not speak HTTP/2"), "{:?}", report.errors);
}
