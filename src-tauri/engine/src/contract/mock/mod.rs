//! A mock of a contract: a service on loopback that answers as the contract says, for as long as the real one isn't there.
//!
//! Examples come first, and bodies that are made fit their schemas. What it is sent is validated, what the contract protects
//! asks for a credential, and resources are remembered. The same seed gives the same bodies. A mock of a contract passes the
//! verification of that contract.

mod credential;
mod documents;
mod endpoints;
mod exchange;
mod openapi;
mod pact;
mod routes;

use std::{
    collections::VecDeque,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State as Shared},
    http::{HeaderName, HeaderValue, StatusCode},
    response::Response,
};
use patchbay_contracts::{
    Code, Problem,
    contract::ContractKind,
    integration::{Auth, AuthSpec},
    mock::{MockRequest, MockState},
    sample::Faults,
    secret::Sensitive,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use url::Url;

use self::{
    credential::Credential,
    exchange::{Answer, Asked, Refusal},
};
use super::{document::Document, openapi::Api};
use crate::{Result, http::Context, secrets::template::fill};

/// The most bytes of a body that is taken in.
const MAX_BODY: usize = 10 * 1024 * 1024;
/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a stalled request is held.
const STALL: Duration = Duration::from_secs(600);
/// How many requests are kept in mind.
const REQUESTS: usize = 1_000;
/// How many requests may wait for their answer.
const WAITING: usize = 1_024;

/// How a contract is served.
#[derive(Debug, Clone, Default)]
pub struct MockOptions {
    /// The port; 0 for any that is free.
    pub port: u16,
    /// The address to listen on; loopback without it.
    pub host: Option<IpAddr>,
    /// What bodies are made from where the contract has no example; without it the plainest ones are made.
    pub seed: Option<u64>,
    /// What it does wrong.
    pub faults: Faults,
    /// The credential that it takes; without it, one is made up. Values may be references: `${secret:NAME}`.
    pub auth: Option<Auth>,
}

/// A contract that is served. It stops when this is dropped.
#[derive(Debug)]
pub struct Mock {
    address: SocketAddr,
    state: Arc<State>,
    stop: CancellationToken,
    server: JoinHandle<()>,
    credential: Sensitive<String>,
    notes: Vec<Problem>,
}

/// What the server and its owner share.
struct State {
    file: String,
    kind: ContractKind,
    context: Context,
    faults: Mutex<Faults>,
    seen: Mutex<VecDeque<MockRequest>>,
    asking: mpsc::Sender<(Asked, oneshot::Sender<Answer>)>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("file", &self.file).finish_non_exhaustive()
    }
}

/// A contract of one kind or another.
enum Served {
    Openapi(Box<openapi::Service>),
    Endpoints(Box<endpoints::Service>),
    Pact(Box<pact::Service>),
    Documents(Box<documents::Service>),
}

impl Mock {
    /// Serves a contract.
    ///
    /// # Errors
    /// [`Code::InvalidDefinition`] where the contract can't be used, [`Code::InUse`] where the port is taken, and
    /// [`Code::Unsupported`] where the system refuses to listen; for the credential, those of its references.
    pub async fn start(context: &Context, document: &Document, options: MockOptions) -> Result<Self> {
        let host = options.host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let wanted = SocketAddr::new(host, options.port);
        let listener = TcpListener::bind(wanted).await.map_err(|error| cannot_listen(wanted, &error))?;
        let address = listener.local_addr().map_err(|error| cannot_listen(wanted, &error))?;
        let url = format!("http://{address}");
        let given = match &options.auth {
            Some(auth) => Some(credential(context, auth, &url).await?),
            None => None,
        };
        let made = match options.seed {
            Some(seed) => format!("mock-{seed:016x}"),
            None => format!("mock-{:032x}", context.ports.random.bits()),
        };
        let (user, secret) = given.clone().unwrap_or((None, made));
        let taken = Credential::new(user.clone(), secret.clone());
        let own = given.map(|(user, secret)| Credential::new(user, secret));
        let (asking, requests) = mpsc::channel(WAITING);
        let notes = serve(context, document, &options, (taken, own), &url, requests).await?;
        let state = Arc::new(State {
            file: document.file.clone(),
            kind: document.kind,
            context: context.clone(),
            faults: Mutex::new(options.faults),
            seen: Mutex::default(),
            asking,
        });
        let stop = CancellationToken::new();
        let service = axum::Router::new().fallback(handle).with_state(Arc::clone(&state));
        let stopped = stop.clone();
        let server = tokio::spawn(async move {
            // A stalled request would hold a graceful stop for ever: the listener and its connections just end.
            tokio::select! {
                () = stopped.cancelled() => {}
                _ = axum::serve(listener, service) => {}
            }
        });
        Ok(Self { address, state, stop, server, credential: Sensitive::new(secret), notes })
    }

    /// Where it answers: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The credential that it takes: as a bearer token, a key or a password.
    pub const fn credential(&self) -> &Sensitive<String> {
        &self.credential
    }

    /// Parts of the contract that can't be served.
    pub fn problems(&self) -> &[Problem] {
        &self.notes
    }

    /// The requests that came, the last 1,000 of them.
    pub fn requests(&self) -> Vec<MockRequest> {
        lock(&self.state.seen).iter().cloned().collect()
    }

    /// What it is and does, for a list.
    pub fn shown(&self, id: u64) -> MockState {
        MockState {
            id,
            file: self.state.file.clone(),
            kind: self.state.kind,
            url: self.url(),
            faults: lock(&self.state.faults).clone(),
            requests: self.requests(),
            problems: self.notes.clone(),
        }
    }

    /// Waits until it ends, which it does only by [`stop`](Self::stop).
    pub async fn ended(&mut self) {
        // However the task ended, it has.
        let _ = (&mut self.server).await;
    }

    /// Stops it and closes its connections.
    pub fn stop(&self) {
        self.stop.cancel();
        self.server.abort();
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.stop();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Problem {
    let code = if error.kind() == std::io::ErrorKind::AddrInUse { Code::InUse } else { Code::Unsupported };
    Problem::new(code, format!("The mock can't listen on {address}"))
        .why(error.to_string())
        .next("Choose another port, or 0 for any that is free")
}

/// The user and the secret of a credential.
async fn credential(context: &Context, auth: &Auth, url: &str) -> Result<(Option<String>, String)> {
    let target = Url::parse(url).map_err(Problem::internal)?;
    let value = async |text: &str| {
        Ok::<_, Problem>(fill(text, &context.scope, &context.secrets, &target).await?.value.expose().to_owned())
    };
    match auth {
        Auth::Spec(AuthSpec::Bearer { token }) => Ok((None, value(token).await?)),
        Auth::Spec(AuthSpec::ApiKey { value: key, .. }) => Ok((None, value(key).await?)),
        Auth::Spec(AuthSpec::Basic { username, password }) => Ok((Some(value(username).await?), value(password).await?)),
        Auth::Spec(AuthSpec::None) | Auth::Kind(_) => {
            Err(Problem::new(Code::InvalidInput, "The credential has no value").next("Write KIND:VALUE, such as bearer:secret"))
        }
    }
}

/// Starts the thread that makes the answers; gives the parts of the contract that can't be served. Schemas can take long
/// to work on, and keep nothing else waiting there.
async fn serve(
    context: &Context,
    document: &Document,
    options: &MockOptions,
    (taken, own): (Credential, Option<Credential>),
    url: &str,
    requests: mpsc::Receiver<(Asked, oneshot::Sender<Answer>)>,
) -> Result<Vec<Problem>> {
    let (told, ready) = oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    let (context, document, options, url) = (context.clone(), document.clone(), options.clone(), url.to_owned());
    let work = move || {
        runtime.block_on(async move {
            match read(&context, &document, &options, taken, own, &url).await {
                Ok((served, problems)) => {
                    // Nobody waits for it where the start was given up.
                    let _ = told.send(Ok(problems));
                    answer_all(served, requests).await;
                }
                Err(problem) => {
                    let _ = told.send(Err(problem));
                }
            }
        });
    };
    std::thread::Builder::new()
        .name("mock".to_owned())
        // Schemas refer to each other, and are followed into their depth.
        .stack_size(16 * 1024 * 1024)
        .spawn(work)
        .map_err(|error| Problem::new(Code::Unsupported, "The mock can't start its thread").why(error.to_string()))?;
    ready.await.map_err(|_| Problem::internal("the mock ended before it began"))?
}

async fn read(
    context: &Context,
    document: &Document,
    options: &MockOptions,
    taken: Credential,
    own: Option<Credential>,
    url: &str,
) -> Result<(Served, Vec<Problem>)> {
    let faults = options.faults.clone();
    Ok(match document.kind {
        ContractKind::Openapi | ContractKind::Swagger => {
            let api = Api::read(context, document).await?;
            let problems = api.problems.clone();
            (Served::Openapi(Box::new(openapi::Service::new(api, options.seed, taken, faults, url))), problems)
        }
        ContractKind::Patchbay => (Served::Endpoints(Box::new(endpoints::Service::new(document, own, faults)?)), Vec::new()),
        ContractKind::Pact => (Served::Pact(Box::new(pact::Service::new(document)?)), Vec::new()),
        ContractKind::Asyncapi | ContractKind::Messages | ContractKind::JsonSchema => {
            let (service, problems) = documents::Service::new(context, document, options.seed).await?;
            (Served::Documents(Box::new(service)), problems)
        }
    })
}

async fn answer_all(mut served: Served, mut requests: mpsc::Receiver<(Asked, oneshot::Sender<Answer>)>) {
    while let Some((asked, answered)) = requests.recv().await {
        let answer = match &mut served {
            Served::Openapi(service) => service.answer(&asked),
            Served::Endpoints(service) => service.answer(&asked),
            Served::Pact(service) => service.answer(&asked).await,
            Served::Documents(service) => service.answer(&asked),
        };
        // The client may be gone by now.
        let _ = answered.send(answer);
    }
}

/// Takes a request in, does what the faults say, and has it answered.
async fn handle(Shared(state): Shared<Arc<State>>, request: Request) -> Response {
    let began = state.context.ports.clock.elapsed();
    let at = state.context.ports.clock.now();
    let (method, target) = (request.method().as_str().to_owned(), request.uri().to_string());
    let answer = answered(&state, request).await;
    let took = state.context.ports.clock.elapsed().saturating_sub(began);
    let redactor = state.context.secrets.redactor();
    let shown: String = target.chars().take(2_000).collect();
    let seen =
        MockRequest { at, method, path: redactor.text(&shown), status: answer.status, duration_ms: took.as_secs_f64() * 1e3 };
    {
        let mut all = lock(&state.seen);
        if all.len() >= REQUESTS {
            all.pop_front();
        }
        all.push_back(seen);
    }
    response(answer)
}

async fn answered(state: &State, request: Request) -> Answer {
    let faults = lock(&state.faults).clone();
    if let Some(latency) = faults.latency {
        tokio::time::sleep(latency.0).await;
    }
    if faults.stall {
        // Long enough for any client to give up, and not for ever, so that connections can't pile up without end.
        tokio::time::sleep(STALL).await;
    }
    if faults.errors.is_some_and(|share| state.context.ports.random.unit() < share.0) {
        return Answer::problem(&Refusal::new(&[500], "Internal error", "It failed, as it was told to"), 500);
    }
    let (parts, body) = request.into_parts();
    let body = match tokio::time::timeout(PATIENCE, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let detail = format!("The body broke off, or has more than {MAX_BODY} bytes");
            return Answer::problem(&Refusal::new(&[413], "Too large", detail), 413);
        }
        Err(_) => return Answer::problem(&Refusal::new(&[408], "Too slow", "The body did not come in time"), 408),
    };
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let asked = Asked {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers.iter().map(header).collect(),
        body,
    };
    let (tell, told) = oneshot::channel();
    let failed = || Answer::problem(&Refusal::new(&[500], "Internal error", "The mock has ended"), 500);
    if state.asking.send((asked, tell)).await.is_err() {
        return failed();
    }
    told.await.unwrap_or_else(|_| failed())
}

fn response(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
