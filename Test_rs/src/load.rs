//! A server with a will of its own, one plain thread a connection, and targets that point to it.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use patchbay_contracts::{
    integration::{Executor, LoadSpec},
    load::LoadReport,
    units::{Rate, Span},
};
use patchbay_load::{Target, script::Script};
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};

/// What the server does with a request.
pub enum Reply {
    /// Sends these bytes and waits for the next request.
    Bytes(Vec<u8>),
    /// Sends these bytes one at a time, with pauses so that they don't travel together, and waits for the next request.
    Dripped(Vec<u8>),
    /// Sends these bytes and closes.
    Last(Vec<u8>),
    /// Says nothing until the client closes.
    Silence,
    /// Sends these bytes again and again until the client closes.
    Endless(Vec<u8>),
}

/// A request as the server sees it.
pub struct Seen {
    /// From 0, over all connections.
    pub number: u64,
    /// Since the server's first request.
    pub at: Duration,
    /// Request line, headers and body.
    pub bytes: Vec<u8>,
}

type Behaviour = dyn Fn(&Seen) -> Reply + Send + Sync;

/// What the server remembers.
#[derive(Default)]
pub struct Log {
    /// Requests that came whole.
    pub requests: AtomicU64,
    /// Connections that were accepted.
    pub connections: AtomicU64,
    /// How long the behaviour took for each request, where it is kept.
    pub took: Mutex<Vec<Duration>>,
}

/// A running server; it stops taking connections when dropped.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it remembers.
    pub log: Arc<Log>,
    stop: Arc<AtomicBool>,
    tls: Option<Arc<ClientConfig>>,
}

impl Server {
    /// A plain server.
    pub fn start(behaviour: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(None, None, behaviour)
    }

    /// A server with a certificate for `localhost` of its own making, which its targets trust.
    pub fn start_tls(behaviour: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        Self::with(Some(Arc::new(server)), Some(trusting(roots)), behaviour)
    }

    fn with(
        server: Option<Arc<ServerConfig>>,
        tls: Option<Arc<ClientConfig>>,
        behaviour: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (log, stop) = (Arc::new(Log::default()), Arc::new(AtomicBool::new(false)));
        let (log_, stop_) = (Arc::clone(&log), Arc::clone(&stop));
        thread::spawn(move || {
            let behaviour: Arc<Behaviour> = Arc::new(behaviour);
            let first = Arc::new(OnceLock::new());
            for stream in listener.incoming() {
                if stop_.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (behaviour, log, first) = (Arc::clone(&behaviour), Arc::clone(&log_), Arc::clone(&first));
                let server = server.clone();
                log.connections.fetch_add(1, Ordering::Relaxed);
                thread::spawn(move || {
                    let _ = stream.set_nodelay(true);
                    match server {
                        None => serve(stream, &*behaviour, &log, &first),
                        Some(config) => {
                            let session = ServerConnection::new(config).unwrap();
                            serve(StreamOwned::new(session, stream), &*behaviour, &log, &first);
                        }
                    }
                });
            }
        });
        Self { address, log, stop, tls }
    }

    /// A GET of this server's root.
    pub fn target(&self) -> Target {
        let mut target = target(self.address);
        if let Some(tls) = &self.tls {
            target.tls = Some(Arc::clone(tls));
            target.host = "localhost".into();
        }
        target
    }

    /// Requests that came whole.
    pub fn requests(&self) -> u64 {
        self.log.requests.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut stream: impl Read + Write, behaviour: &Behaviour, log: &Log, first: &OnceLock<Instant>) {
    let mut buffer = Vec::new();
    while let Some(bytes) = read_request(&mut stream, &mut buffer) {
        let at = first.get_or_init(Instant::now).elapsed();
        let number = log.requests.fetch_add(1, Ordering::Relaxed);
        let began = Instant::now();
        let reply = behaviour(&Seen { number, at, bytes });
        if let Ok(mut took) = log.took.lock()
            && took.len() < 100_000
        {
            took.push(began.elapsed());
        }
        let gone = match reply {
            Reply::Bytes(bytes) => stream.write_all(&bytes).is_err(),
            Reply::Dripped(bytes) => bytes.iter().any(|byte| {
                thread::sleep(Duration::from_micros(200));
                stream.write_all(&[*byte]).is_err()
            }),
            Reply::Last(bytes) => {
                let _ = stream.write_all(&bytes);
                let _ = stream.flush();
                true
            }
            Reply::Silence => {
                while matches!(stream.read(&mut [0; 1024]), Ok(count) if count > 0) {}
                true
            }
            Reply::Endless(bytes) => {
                while stream.write_all(&bytes).is_ok() {}
                true
            }
        };
        if gone || stream.flush().is_err() {
            return;
        }
    }
}

/// Reads one request with its body, by its content length.
fn read_request(stream: &mut impl Read, buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    let mut piece = [0; 16 * 1024];
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0_usize);
            if buffer.len() >= end + 4 + length {
                return Some(buffer.drain(..end + 4 + length).collect());
            }
        }
        let count = stream.read(&mut piece).ok().filter(|&count| count > 0)?;
        buffer.extend_from_slice(&piece[..count]);
    }
}

/// The usual good answer.
pub fn ok() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".to_vec()
}

/// An empty answer with a status.
pub fn status(status: u16) -> Vec<u8> {
    format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

/// TLS that trusts these roots.
pub fn trusting(roots: RootCertStore) -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// A plain GET of the root there.
pub fn target(address: SocketAddr) -> Target {
    Target {
        name: "a service".into(),
        shown: format!("GET http://{address}/"),
        method: "GET".into(),
        host: address.ip().to_string(),
        port: address.port(),
        path: "/".into(),
        headers: Vec::new(),
        body: Vec::new(),
        tls: None,
    }
}

/// A closed workload.
pub fn closed(connections: u32, ms: u64) -> LoadSpec {
    LoadSpec { connections: Some(connections), duration: Some(Span::millis(ms)), ..LoadSpec::default() }
}

/// An open workload of so many requests a second.
pub fn open(rate: f64, ms: u64) -> LoadSpec {
    LoadSpec {
        executor: Executor::ConstantArrivalRate,
        rate: Some(Rate::per_second(rate)),
        duration: Some(Span::millis(ms)),
        ..LoadSpec::default()
    }
}

/// Runs it to its end.
pub fn run(script: impl Into<Script>, spec: &LoadSpec) -> LoadReport {
    patchbay_load::run(script, spec, &AtomicBool::new(false), &mut |_| {}).unwrap()
}

/// How many failures of a kind there were.
pub fn failures(report: &LoadReport, kind: &str) -> u64 {
    report.errors.iter().find(|error| error.kind == kind).map_or(0, |error| error.count)
}
