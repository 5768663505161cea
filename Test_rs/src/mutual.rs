//! Services on loopback that ask their callers for certificates, and certificates to show them.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use patchbay_contracts::{
    contract::ContractReport,
    ipc::{Backend, EndpointRequest, Event, GetRun, SendProbe, StartContract, StartLoad},
    load::LoadReport,
    probe::ProbeReport,
    run::{Finished, Job, Report},
    secret::Sensitive,
};
use patchbay_engine::{
    Engine,
    engine::Config,
    ports::{Dice, Ports, SystemClock},
    secrets::keychain,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{
    HandshakeKind, RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tempfile::TempDir;
use tokio::sync::broadcast;

/// An authority with a name of its own.
pub struct Issuer(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, both in PEM.
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// The key.
    pub key: String,
    der: CertificateDer<'static>,
}

/// Years in which a certificate is valid.
pub const VALID: (i32, i32) = (2020, 2090);

impl Issuer {
    /// An authority called so.
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("no name can be wrong");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("ring makes keys");
        Self(CertifiedIssuer::self_signed(params, key).expect("the parameters are sound"))
    }

    /// Its certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for these hosts, or for a client called so.
    pub fn issue(&self, name: &str, hosts: &[&str], (from, to): (i32, i32)) -> Pair {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).expect("the names are sound");
        params.distinguished_name.push(DnType::CommonName, name);
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        let key = KeyPair::generate().expect("ring makes keys");
        let certificate = params.signed_by(&key, &self.0).expect("the parameters are sound");
        Pair { certificate: certificate.pem(), key: key.serialize_pem(), der: certificate.der().clone() }
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.0.der().to_vec())).expect("an authority");
        Arc::new(roots)
    }
}

/// Whether a service wants to know who calls.
#[derive(Clone, Copy)]
pub enum Asks<'a> {
    /// It doesn't ask.
    No,
    /// It asks, and is content without an answer.
    Perhaps(&'a Issuer),
    /// Who shows no certificate of this issuer is turned away.
    Always(&'a Issuer),
}

/// A request, and the certificate that the connection was made with.
#[derive(Debug, Clone)]
pub struct Call {
    /// `GET /path`.
    pub line: String,
    client: Option<CertificateDer<'static>>,
}

impl Call {
    /// Whether the connection was made with this certificate.
    pub fn is_by(&self, pair: &Pair) -> bool {
        self.client.as_ref() == Some(&pair.der)
    }

    /// Whether nobody said who calls.
    pub const fn is_anonymous(&self) -> bool {
        self.client.is_none()
    }
}

#[derive(Default)]
struct Log {
    calls: Mutex<Vec<Call>>,
    connections: AtomicU64,
    full: AtomicU64,
    resumed: AtomicU64,
}

type Answers = dyn Fn(&str) -> String + Send + Sync;

/// A service over TLS on `localhost` and `127.0.0.1`, whose certificate is the issuer's; gone when dropped.
pub struct Mutual {
    /// Its port.
    pub port: u16,
    log: Arc<Log>,
    stop: Arc<AtomicBool>,
}

impl Mutual {
    /// With each version of TLS, answering `answers` for a request line such as `GET /path`: a whole head without its end, a
    /// blank line, and the body.
    pub fn start(issuer: &Issuer, asks: Asks<'_>, answers: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::with(issuer, asks, rustls::ALL_VERSIONS, answers)
    }

    /// The same with these versions alone.
    pub fn with(
        issuer: &Issuer,
        asks: Asks<'_>,
        versions: &[&'static SupportedProtocolVersion],
        answers: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        let own = issuer.issue("Patchbay Test Service", &["localhost", "127.0.0.1"], VALID);
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions).expect("both");
        let verifier = |clients: &Issuer| WebPkiClientVerifier::builder_with_provider(clients.roots(), Arc::clone(&provider));
        let builder = match asks {
            Asks::No => builder.with_no_client_auth(),
            Asks::Perhaps(clients) => {
                let verifier = verifier(clients).allow_unauthenticated().build().expect("an issuer");
                builder.with_client_cert_verifier(verifier)
            }
            Asks::Always(clients) => builder.with_client_cert_verifier(verifier(clients).build().expect("an issuer")),
        };
        let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).expect("rcgen writes PEM");
        let mut config = builder.with_single_cert(vec![own.der], key).expect("the key fits the certificate");
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
        let port = listener.local_addr().expect("it is bound").port();
        let (log, stop) = (Arc::new(Log::default()), Arc::new(AtomicBool::new(false)));
        let server = Self { port, log: Arc::clone(&log), stop: Arc::clone(&stop) };
        let answers: Arc<Answers> = Arc::new(answers);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let (config, log, answers) = (Arc::clone(&config), Arc::clone(&log), Arc::clone(&answers));
                thread::spawn(move || serve(stream, config, &log, &*answers));
            }
        });
        server
    }

    /// Its address by this name.
    pub fn url(&self, host: &str) -> String {
        format!("https://{host}:{}", self.port)
    }

    /// The requests that came.
    pub fn calls(&self) -> Vec<Call> {
        self.log.calls.lock().expect("no thread panics").clone()
    }

    /// Connections that were begun.
    pub fn connections(&self) -> u64 {
        self.log.connections.load(Ordering::Relaxed)
    }

    /// Handshakes that were whole, and those that took a session up again.
    pub fn handshakes(&self) -> (u64, u64) {
        (self.log.full.load(Ordering::Relaxed), self.log.resumed.load(Ordering::Relaxed))
    }
}

impl Drop for Mutual {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(mut stream: TcpStream, config: Arc<ServerConfig>, log: &Log, answers: &Answers) {
    log.connections.fetch_add(1, Ordering::Relaxed);
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
    let mut session = ServerConnection::new(config).expect("the configuration is sound");
    while session.is_handshaking() {
        if session.complete_io(&mut stream).is_err() {
            // What says why it was refused is written by now, or is lost with the connection, as it is of other servers.
            return;
        }
    }
    match session.handshake_kind() {
        Some(HandshakeKind::Resumed) => log.resumed.fetch_add(1, Ordering::Relaxed),
        _ => log.full.fetch_add(1, Ordering::Relaxed),
    };
    let client = session.peer_certificates().and_then(|chain| chain.first()).map(|der| der.clone().into_owned());
    let mut stream = StreamOwned::new(session, stream);
    let mut buffer: Vec<u8> = Vec::new();
    let mut piece = [0; 8192];
    loop {
        while let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            buffer.drain(..end + 4);
            let line = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
            log.calls.lock().expect("no thread panics").push(Call { line: line.clone(), client: client.clone() });
            let answer = answers(&line);
            let (head, body) = answer.split_once("\n\n").unwrap_or((&answer, ""));
            let head = head.replace('\n', "\r\n");
            let sent = write!(stream, "HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            if sent.is_err() || stream.flush().is_err() {
                return;
            }
        }
        match stream.read(&mut piece) {
            Ok(count) if count > 0 => buffer.extend_from_slice(&piece[..count]),
            _ => return,
        }
    }
}

/// An answer with a JSON body.
pub fn json(body: &str) -> String {
    format!("200 OK\ncontent-type: application/json\n\n{body}")
}

/// An engine over a workspace of its own, with a keychain in memory.
pub struct Office {
    /// The engine.
    pub engine: Engine,
    events: broadcast::Receiver<Event>,
    folder: TempDir,
}

impl Office {
    /// With these files.
    pub async fn open(files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().expect("a folder");
        let ports =
            Ports { clock: Arc::new(SystemClock::default()), random: Arc::new(Dice::seeded(1)), keychain: keychain::memory() };
        for (file, text) in files {
            write(folder.path(), file, text);
        }
        let config = Config { workspace: Some(folder.path().to_owned()), ports: Some(ports), ..Config::default() };
        let engine = Engine::open(config).await.expect("it opens");
        let events = engine.events();
        Self { engine, events, folder }
    }

    /// The workspace folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into it.
    pub fn write(&self, file: &str, text: &str) {
        write(self.folder.path(), file, text);
        self.engine.workspace().reload();
    }

    /// Sets a secret, bound to hosts.
    pub async fn secret(&self, name: &str, value: &str, hosts: &[&str]) {
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        self.engine.credentials().set(name, Sensitive::new(value.to_owned()), hosts).await.expect("memory takes every secret");
    }

    /// Probes an endpoint, and follows redirects.
    pub async fn probe(&self, integration: &str, endpoint: &str) -> ProbeReport {
        let asked = EndpointRequest { integration: integration.into(), endpoint: Some(endpoint.into()) };
        let mut request = self.engine.endpoint_request(asked).await.expect("the definition is sound");
        request.follow_redirects = true;
        match self.engine.probe(SendProbe { request }).await.expect("a report, whatever came").report {
            Report::Probe(report) => report,
            other => panic!("no probe: {other:?}"),
        }
    }

    /// A contract run.
    pub async fn contract(&mut self, integration: &str) -> ContractReport {
        let asked = StartContract { integration: integration.into(), options: Default::default() };
        let job = self.engine.start_contract(asked).await.expect("it starts");
        match self.report(job).await {
            Report::Contract(report) => report,
            other => panic!("no contract run: {other:?}"),
        }
    }

    /// A load run as the file says.
    pub async fn load(&mut self, integration: &str) -> LoadReport {
        let spec = self.engine.subject(integration).expect("it").definition.load.unwrap_or_default();
        let asked = StartLoad { integration: integration.into(), spec, options: Default::default() };
        let job = self.engine.start_load(asked).await.expect("it starts");
        match self.report(job).await {
            Report::Load(report) => report,
            other => panic!("no load run: {other:?}"),
        }
    }

    async fn report(&mut self, started: Job) -> Report {
        let ended = async {
            loop {
                if let Event::Finished { job, finished } = self.events.recv().await.expect("the engine lives")
                    && job == started.id
                {
                    return finished;
                }
            }
        };
        match tokio::time::timeout(Duration::from_secs(60), ended).await.expect("the job ends") {
            Finished::Stored { run } => self.engine.run(GetRun { id: run.id }).await.expect("it is stored").report,
            Finished::Failed { problem } => panic!("{problem}"),
        }
    }
}

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}
