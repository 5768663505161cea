//! Services on loopback that answer exactly as a script says, over plain TCP or TLS, and what a request needs besides.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use patchbay_contracts::{probe::ProbeRequest, secret::Sensitive};
use patchbay_engine::{
    http::Context,
    ports::{Dice, Ports, SystemClock},
    secrets::{Secrets, keychain, template::Scope},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// A request as it came in.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// `POST`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

impl Received {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What a script does next.
#[derive(Debug, Clone)]
pub enum Step {
    /// Sends bytes.
    Send(Vec<u8>),
    /// Waits.
    Wait(Duration),
    /// Sends the bytes again and again until the other side is gone.
    Forever(Vec<u8>),
    /// Never does anything again.
    Hold,
    /// Resets the connection.
    Reset,
}

/// A whole answer with its length.
pub fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<Step> {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    vec![Step::Send(bytes)]
}

/// An answer with a JSON body.
pub fn json(status: &str, body: &str) -> Vec<Step> {
    answer(status, "content-type: application/json\r\n", body)
}

/// A service on loopback; gone when dropped.
pub struct Server {
    /// `http://127.0.0.1:PORT`, or `https://…`.
    pub url: String,
    /// Its port.
    pub port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// All requests so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no script panics").clone()
    }
}

/// Answers each request by a script, which is told how many came before.
pub async fn serve(script: impl Fn(&Received, usize) -> Vec<Step> + Send + Sync + 'static) -> Server {
    start("http", script, |stream: TcpStream| async move { Some(stream) }).await
}

/// The same over TLS.
pub async fn serve_tls(config: ServerConfig, script: impl Fn(&Received, usize) -> Vec<Step> + Send + Sync + 'static) -> Server {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    start("https", script, move |stream| {
        let acceptor = acceptor.clone();
        async move { acceptor.accept(stream).await.ok() }
    })
    .await
}

/// Does the steps of a script on each connection without waiting for a request.
pub async fn serve_raw(steps: Vec<Step>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has ports");
    let port = listener.local_addr().expect("it is bound").port();
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let steps = steps.clone();
            tokio::spawn(async move { act(&mut stream, steps).await });
        }
    });
    Server { url: format!("http://127.0.0.1:{port}"), port, received: Arc::default(), task }
}

async fn start<S, F>(
    scheme: &str,
    script: impl Fn(&Received, usize) -> Vec<Step> + Send + Sync + 'static,
    wrap: impl Fn(TcpStream) -> F + Send + Sync + 'static,
) -> Server
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = Option<S>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has ports");
    let port = listener.local_addr().expect("it is bound").port();
    let received = Arc::new(Mutex::new(Vec::new()));
    let script = Arc::new(script);
    let seen = Arc::clone(&received);
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (script, seen) = (Arc::clone(&script), Arc::clone(&seen));
            let wrapped = wrap(stream);
            tokio::spawn(async move {
                let Some(mut stream) = wrapped.await else { return };
                while let Some(request) = read(&mut stream).await {
                    let count = {
                        let mut seen = seen.lock().expect("no script panics");
                        seen.push(request.clone());
                        seen.len() - 1
                    };
                    if !act(&mut stream, script(&request, count)).await {
                        return;
                    }
                }
            });
        }
    });
    Server { url: format!("{scheme}://127.0.0.1:{port}"), port, received, task }
}

/// Does the steps; says whether the connection is still of use. An answer without a length is ended by closing it.
async fn act(stream: &mut (impl AsyncWrite + Unpin), steps: Vec<Step>) -> bool {
    for step in steps {
        let done = match step {
            Step::Send(bytes) => stream.write_all(&bytes).await,
            Step::Wait(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
            Step::Forever(bytes) => loop {
                if let Err(error) = stream.write_all(&bytes).await {
                    break Err(error);
                }
            },
            Step::Hold => std::future::pending().await,
            Step::Reset => return false,
        };
        if done.is_err() || stream.flush().await.is_err() {
            return false;
        }
    }
    // Every client of these tests uses a connection once.
    let _ = stream.shutdown().await;
    false
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut request = Received { method: first.next()?.to_owned(), path: first.next()?.to_owned(), headers, body: String::new() };
    let length: usize = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    while bytes.len() < end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    request.body = String::from_utf8_lossy(&bytes[end + 4..end + 4 + length]).into_owned();
    Some(request)
}

/// A context with an empty keychain in memory.
pub fn context() -> Context {
    context_with(Scope::default())
}

/// The same with a scope.
pub fn context_with(scope: Scope) -> Context {
    let keychain = keychain::memory();
    let secrets = Secrets::new(Arc::clone(&keychain), |_| None);
    let ports = Ports { clock: Arc::new(SystemClock::default()), random: Arc::new(Dice::seeded(1)), keychain };
    Context::new(ports, secrets, scope)
}

/// Sets a secret, bound to hosts.
pub async fn secret(context: &Context, name: &str, value: &str, hosts: &[&str]) {
    let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
    context.secrets.set(name, Sensitive::new(value.to_owned()), hosts).await.expect("memory takes every secret");
}

/// A GET of an address.
pub fn get(url: impl Into<String>) -> ProbeRequest {
    ProbeRequest { url: url.into(), ..ProbeRequest::default() }
}

/// A port of loopback on which nothing listens.
pub async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has ports");
    listener.local_addr().expect("it is bound").port()
}

/// An authority of the tests' own.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Default for Authority {
    fn default() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("no name can be wrong");
        params.distinguished_name.push(rcgen::DnType::CommonName, "Patchbay Test Authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("ring makes keys");
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("the parameters are sound") }
    }
}

impl Authority {
    /// Its certificate.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A server's configuration with a certificate for `names`, valid between two years.
    pub fn server(&self, names: &[&str], years: (i32, i32)) -> ServerConfig {
        let (params, key) = leaf(names, years);
        let certificate = params.signed_by(&key, &self.issuer).expect("the parameters are sound");
        config(certificate.der().clone(), &key)
    }
}

/// A server's configuration with a certificate that is signed by its own key.
pub fn self_signed(names: &[&str], years: (i32, i32)) -> ServerConfig {
    let (params, key) = leaf(names, years);
    let certificate = params.self_signed(&key).expect("the parameters are sound");
    config(certificate.der().clone(), &key)
}

/// The same with a certificate that says it may sign others, as `openssl req -x509` makes them.
pub fn self_signed_authority(names: &[&str], years: (i32, i32)) -> ServerConfig {
    let (mut params, key) = leaf(names, years);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).expect("the parameters are sound");
    config(certificate.der().clone(), &key)
}

fn leaf(names: &[&str], (from, to): (i32, i32)) -> (CertificateParams, KeyPair) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("the names are sound");
    params.distinguished_name.push(rcgen::DnType::CommonName, "Patchbay Test Server");
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
    (params, KeyPair::generate().expect("ring makes keys"))
}

fn config(certificate: rustls::pki_types::CertificateDer<'static>, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("rcgen writes PKCS #8");
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("the key fits the certificate");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}
