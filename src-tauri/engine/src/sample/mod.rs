//! The bundled sample service: a small orders API with bearer auth, an OpenAPI document and Prometheus metrics, which
//! can be told to misbehave. It listens on loopback only.

mod api;
mod faults;
mod figures;
mod openapi;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use patchbay_contracts::{Code, Problem, sample::Faults};
use serde::Serialize;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{Result, ports::Ports};
use figures::Figures;

/// The token that the sample service takes unless it is given another. It guards nothing, and so is no secret.
pub const TOKEN: &str = "patchbay-sample";

/// The port that is tried first, so that a registered sample service is found again.
pub const PORT: u16 = 8617;

/// The running service. It stops when this is dropped.
#[derive(Debug)]
pub struct Sample {
    address: SocketAddr,
    state: Arc<State>,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

impl Sample {
    /// Starts the service on `port` of the loopback address; 0 takes any free port.
    ///
    /// # Errors
    /// [`Code::InUse`] where the port is taken, [`Code::Unsupported`] where the system refuses to listen.
    pub async fn start(ports: &Ports, port: u16, token: &str, faults: Faults) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| cannot_listen(port, &error))?;
        let address = listener.local_addr().map_err(|error| cannot_listen(port, &error))?;
        let state = Arc::new(State::new(ports.clone(), token.to_owned(), faults));
        let stop = CancellationToken::new();
        let service = api::router(Arc::clone(&state));
        let stopped = stop.clone();
        let server = tokio::spawn(async move {
            // A stalled request would hold a graceful stop for ever: the listener and its connections just end.
            tokio::select! {
                () = stopped.cancelled() => {}
                _ = axum::serve(listener, service) => {}
            }
        });
        Ok(Self { address, state, stop, server })
    }

    /// Starts the service on [`PORT`], or on any free port where that one is taken.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_anywhere(ports: &Ports, token: &str) -> Result<Self> {
        match Self::start(ports, PORT, token, Faults::default()).await {
            Err(problem) if problem.code == Code::InUse => Self::start(ports, 0, token, Faults::default()).await,
            other => other,
        }
    }

    /// Where it answers: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it does wrong.
    pub fn faults(&self) -> Faults {
        self.state.lock().faults.clone()
    }

    /// Tells it what to do wrong, from the next request on.
    pub fn set_faults(&self, faults: Faults) {
        self.state.lock().faults = faults;
    }

    /// Waits until it ends, which it does only by [`stop`](Self::stop).
    pub async fn ended(&mut self) {
        // The task can't panic past here in a way that matters: it has ended either way.
        let _ = (&mut self.server).await;
    }

    /// Stops it and closes its connections.
    pub fn stop(&self) {
        self.stop.cancel();
        self.server.abort();
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        self.stop();
    }
}

fn cannot_listen(port: u16, error: &std::io::Error) -> Problem {
    let code = if error.kind() == std::io::ErrorKind::AddrInUse { Code::InUse } else { Code::Unsupported };
    Problem::new(code, format!("The sample service can't listen on 127.0.0.1:{port}"))
        .why(error.to_string())
        .next("Choose another port, or 0 for any that is free")
}

/// An order as the API shows it.
#[derive(Debug, Clone, Serialize)]
struct Order {
    id: String,
    status: &'static str,
    amount: f64,
    currency: String,
    created_at: i64,
}

/// The most orders that are kept; the oldest go first, so that a load test can't fill the memory.
const ORDERS: usize = 10_000;

#[derive(Debug)]
struct Inner {
    orders: BTreeMap<u64, Order>,
    next: u64,
    faults: Faults,
    figures: Figures,
}

struct State {
    ports: Ports,
    token: String,
    inner: Mutex<Inner>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl State {
    fn new(ports: Ports, token: String, faults: Faults) -> Self {
        let now = ports.clock.now();
        let mut inner = Inner { orders: BTreeMap::new(), next: 42, faults, figures: Figures::default() };
        for (amount, currency) in [(99.99, "USD"), (12.5, "EUR"), (250.0, "GBP")] {
            inner.add(amount, currency.to_owned(), now);
        }
        Self { ports, token, inner: Mutex::new(inner) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn add(&mut self, amount: f64, currency: String, now: i64) -> Order {
        let number = self.next;
        self.next += 1;
        let order = Order { id: number.to_string(), status: "created", amount, currency, created_at: now };
        self.orders.insert(number, order.clone());
        while self.orders.len() > ORDERS {
            self.orders.pop_first();
        }
        order
    }
}

/// The name under which the sample service is registered.
pub const NAME: &str = "sample-orders";

/// The secret that holds its token.
pub const SECRET: &str = "sample-token";

/// Its integration file, for the service at `url`.
pub fn definition(url: &str) -> String {
    include_str!("definition.yaml").replace("{url}", url)
}
