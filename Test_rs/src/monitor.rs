//! For what watches: a clock that can be moved, a service whose answers change, and a workspace in a folder of its own.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Request, Response},
};
use patchbay_contracts::{Timestamp, integration::Integration};
use patchbay_engine::{
    definition,
    http::Context,
    monitor::{Monitor, MonitorEvent, Parts},
    ports::{Clock, Dice, Ports, SystemClock},
    secrets::{Secrets, keychain, template::Scope},
    store::Store,
    workspace::Workspace,
};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A clock that runs like the machine's and can be moved forward.
#[derive(Default)]
pub struct MovableClock {
    real: SystemClock,
    wall_ms: AtomicI64,
    elapsed_ms: AtomicI64,
}

impl MovableClock {
    /// The machine sleeps: the time of day goes on, the elapsed time does not.
    pub fn sleep(&self, time: Duration) {
        self.wall_ms.fetch_add(time.as_millis() as i64, Ordering::SeqCst);
    }

    /// Time passes.
    pub fn pass(&self, time: Duration) {
        self.elapsed_ms.fetch_add(time.as_millis() as i64, Ordering::SeqCst);
        self.sleep(time);
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        self.real.now() + self.wall_ms.load(Ordering::SeqCst)
    }

    fn elapsed(&self) -> Duration {
        self.real.elapsed() + Duration::from_millis(self.elapsed_ms.load(Ordering::SeqCst).unsigned_abs())
    }
}

/// What the service answers.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The content type.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// How long it takes over it.
    pub delay: Duration,
}

impl Answer {
    /// An answer with that status and no body.
    pub fn status(status: u16) -> Self {
        Self { status, content_type: "text/plain", body: Vec::new(), delay: Duration::ZERO }
    }

    /// A success with that body.
    pub fn body(content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { content_type, body: body.into(), ..Self::status(200) }
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same after a while.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

type Script = dyn Fn(&str) -> Answer + Send + Sync;

/// A service on the loopback that answers what it is told to.
#[derive(Clone)]
pub struct Service {
    /// Its address.
    pub url: String,
    script: Arc<Mutex<Arc<Script>>>,
    /// Requests that came.
    pub requests: Arc<AtomicUsize>,
    under_way: Arc<AtomicUsize>,
    /// The most requests that were under way at once.
    pub most_at_once: Arc<AtomicUsize>,
    /// The headers of the last request.
    pub last_headers: Arc<Mutex<Vec<(String, String)>>>,
}

impl Service {
    /// Starts one that answers 200.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port of the loopback is free");
        let address = listener.local_addr().expect("a bound listener has an address");
        let script: Arc<Script> = Arc::new(|_| Answer::status(200));
        let service = Self {
            url: format!("http://{address}"),
            script: Arc::new(Mutex::new(script)),
            requests: Arc::default(),
            under_way: Arc::default(),
            most_at_once: Arc::default(),
            last_headers: Arc::default(),
        };
        let router = Router::new().fallback(answer).with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        service
    }

    /// From now on answers so, by the path.
    pub fn answer(&self, script: impl Fn(&str) -> Answer + Send + Sync + 'static) {
        *self.script.lock().expect("no script panics") = Arc::new(script);
    }
}

async fn answer(State(service): State<Service>, request: Request<Body>) -> Response<Body> {
    service.requests.fetch_add(1, Ordering::SeqCst);
    let now = service.under_way.fetch_add(1, Ordering::SeqCst) + 1;
    service.most_at_once.fetch_max(now, Ordering::SeqCst);
    *service.last_headers.lock().expect("no one panics here") = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let script = Arc::clone(&service.script.lock().expect("no script panics"));
    let answer = script(request.uri().path());
    tokio::time::sleep(answer.delay).await;
    service.under_way.fetch_sub(1, Ordering::SeqCst);
    Response::builder()
        .status(answer.status)
        .header("content-type", answer.content_type)
        .body(Body::from(answer.body))
        .expect("the answer is well-formed")
}

/// A workspace, a store and a clock.
pub struct Bench {
    /// The clock.
    pub clock: Arc<MovableClock>,
    /// All that a monitor needs.
    pub parts: Parts,
    folder: TempDir,
}

impl Bench {
    /// With these integrations: the text below `integration:` of each, `URL` in it standing for the service's address.
    pub async fn new(service: &Service, integrations: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        for (i, text) in integrations.iter().enumerate() {
            write(&folder, service, &format!("{i}.yaml"), text);
        }
        let clock = Arc::new(MovableClock::default());
        let ports = Ports { clock: clock.clone(), random: Arc::new(Dice::seeded(7)), keychain: keychain::memory() };
        let secrets = Secrets::new(ports.keychain.clone(), |_| None);
        let store = Store::open(":memory:").await.expect("a database in memory opens");
        let workspace = Workspace::open(folder.path()).expect("the folder is there");
        for entry in workspace.entries() {
            assert_eq!(entry.parsed.problems, [], "{}", entry.file);
        }
        Self { clock, parts: Parts { ports, store, workspace, secrets }, folder }
    }

    /// Writes an integration file, and has the workspace read it.
    pub fn write(&self, service: &Service, file: &str, text: &str) {
        write(&self.folder, service, file, text);
        self.parts.workspace.reload();
    }

    /// Removes an integration file.
    pub fn remove(&self, file: &str) {
        std::fs::remove_file(self.folder.path().join(file)).expect("the file is there");
        self.parts.workspace.reload();
    }

    /// Starts the monitor, and gives what it tells.
    pub fn start(&self) -> (Monitor, Told) {
        let (sender, receiver) = unbounded_channel();
        let monitor = Monitor::start(self.parts.clone(), move |event| {
            // Nobody listens any more at the end of a test.
            let _ = sender.send(event);
        });
        (monitor, Told(receiver))
    }

    /// The definition of that name.
    pub fn definition(&self, name: &str) -> Integration {
        let entry = self.parts.workspace.entry(name).expect("the test wrote it");
        entry.parsed.definition.clone().expect("the test wrote it without mistakes")
    }

    /// What an exchange may refer to.
    pub fn context(&self) -> Context {
        Context::new(self.parts.ports.clone(), self.parts.secrets.clone(), Scope::default())
    }
}

fn write(folder: &TempDir, service: &Service, file: &str, text: &str) {
    let indented: String = text.replace("URL", &service.url).lines().map(|line| format!("  {line}\n")).collect();
    std::fs::write(folder.path().join(file), format!("integration:\n{indented}")).expect("the folder can be written");
}

/// The definition with this text below `integration:`.
pub fn definition(text: &str) -> Integration {
    let indented: String = text.lines().map(|line| format!("  {line}\n")).collect();
    let parsed = definition::parse("test.yaml", format!("integration:\n{indented}").as_bytes());
    assert_eq!(parsed.problems, [], "{text}");
    parsed.definition.expect("a text without mistakes has a definition")
}

/// What a monitor tells.
pub struct Told(UnboundedReceiver<MonitorEvent>);

impl Told {
    /// The next event that `wanted` makes something of. Others are passed over.
    pub async fn until<T>(&mut self, what: &str, mut wanted: impl FnMut(&MonitorEvent) -> Option<T>) -> T {
        let mut passed = Vec::new();
        let found = tokio::time::timeout(Duration::from_secs(30), async {
            loop {
                let event = self.0.recv().await.expect("the monitor runs");
                if let Some(found) = wanted(&event) {
                    return found;
                }
                passed.push(event);
            }
        });
        match found.await {
            Ok(found) => found,
            Err(_) => panic!("{what} was not told within 30 seconds; this was: {passed:#?}"),
        }
    }

    /// All that was told so far.
    pub fn so_far(&mut self) -> Vec<MonitorEvent> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}
