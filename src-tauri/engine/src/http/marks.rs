//! When the phases of an exchange began and ended, seen from inside the client.
//!
//! The client tells none of this, so that it is watched where it asks: the lookup of the name, the whole connect from
//! the layer around it, and the start of TLS from the session store, which is asked when the first message is made.

use std::{
    fmt,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use patchbay_contracts::probe::Waterfall;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::{
    NamedGroup,
    client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue},
    pki_types::ServerName,
};
use tower::{Layer, Service};

use crate::ports::Clock;

/// What an exchange is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Dns,
    Connect,
    Tls,
    FirstByte,
    Download,
}

impl Phase {
    /// As a part of a sentence.
    pub(super) const fn doing(self) -> &'static str {
        match self {
            Self::Dns => "looking the name up",
            Self::Connect => "connecting",
            Self::Tls => "the TLS handshake",
            Self::FirstByte => "waiting for the first byte of the answer",
            Self::Download => "downloading the body",
        }
    }
}

/// The moments of one exchange, as time since the clock's start.
#[derive(Debug, Clone, Default)]
struct Times {
    began: Duration,
    lookup_began: Option<Duration>,
    lookup_ended: Option<Duration>,
    looked_up: Option<String>,
    tls_began: Option<Duration>,
    connected: Option<Duration>,
    first_byte: Option<Duration>,
    ended: Option<Duration>,
}

/// Collects the moments. Clones are the same ones.
#[derive(Clone)]
pub(super) struct Marks {
    clock: Arc<dyn Clock>,
    times: Arc<Mutex<Times>>,
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Marks").field(&*self.times()).finish()
    }
}

impl Marks {
    /// The exchange begins now.
    pub(super) fn begin(clock: Arc<dyn Clock>) -> Self {
        let times = Times { began: clock.elapsed(), ..Times::default() };
        Self { clock, times: Arc::new(Mutex::new(times)) }
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self, set: impl FnOnce(&mut Times, Duration)) {
        let now = self.clock.elapsed();
        set(&mut self.times(), now);
    }

    /// The exchange begins only now: what came before was preparation, and no part of it.
    pub(super) fn begin_again(&self) {
        self.mark(|times, now| times.began = now);
    }

    /// The head of the answer is there.
    pub(super) fn first_byte(&self) {
        self.mark(|times, now| times.first_byte = Some(now));
    }

    /// The exchange is over, one way or the other.
    pub(super) fn end(&self) {
        self.mark(|times, now| {
            times.ended.get_or_insert(now);
        });
    }

    /// What the exchange is doing, or was doing when it ended.
    pub(super) fn phase(&self) -> Phase {
        let times = self.times();
        match *times {
            Times { first_byte: Some(_), .. } => Phase::Download,
            Times { connected: Some(_), .. } => Phase::FirstByte,
            Times { tls_began: Some(_), .. } => Phase::Tls,
            Times { lookup_began: Some(_), lookup_ended: None, .. } => Phase::Dns,
            _ => Phase::Connect,
        }
    }

    /// The name that was looked up: the proxy's, where there is one.
    pub(super) fn looked_up(&self) -> Option<String> {
        self.times().looked_up.clone()
    }

    /// Where the time went. A phase in which the exchange failed counts up to the failure.
    pub(super) fn waterfall(&self) -> Waterfall {
        let times = self.times();
        let ended = times.ended.unwrap_or_else(|| self.clock.elapsed());
        let ms = |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64() * 1e3;
        let dialled = times.lookup_ended.unwrap_or(times.began);
        let connecting = times.lookup_began.is_none() || times.lookup_ended.is_some();
        Waterfall {
            dns_ms: times.lookup_began.map(|began| ms(began, times.lookup_ended.unwrap_or(ended))),
            connect_ms: connecting.then(|| ms(dialled, times.tls_began.or(times.connected).unwrap_or(ended))),
            tls_ms: times.tls_began.map(|began| ms(began, times.connected.unwrap_or(ended))),
            first_byte_ms: times.connected.map(|connected| ms(connected, times.first_byte.unwrap_or(ended))),
            download_ms: times.first_byte.map(|first| ms(first, ended)),
            total_ms: ms(times.began, ended),
        }
    }
}

/// A name that was looked up without success.
#[derive(Debug)]
pub(super) struct LookupFailed {
    /// What the system says; none where it knows the name and no address.
    pub(super) source: Option<std::io::Error>,
}

impl fmt::Display for LookupFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(error) => write!(f, "{error}"),
            None => f.write_str("the name has no address"),
        }
    }
}

impl std::error::Error for LookupFailed {}

/// The system's resolver, watched.
impl Resolve for Marks {
    fn resolve(&self, name: Name) -> Resolving {
        let marks = self.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            marks.mark(|times, now| {
                times.lookup_began = Some(now);
                times.looked_up = Some(host.clone());
            });
            let found = tokio::net::lookup_host((host, 0)).await;
            let addresses: Vec<SocketAddr> = found.map_err(|error| LookupFailed { source: Some(error) })?.collect();
            if addresses.is_empty() {
                return Err(LookupFailed { source: None }.into());
            }
            marks.mark(|times, now| times.lookup_ended = Some(now));
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// A session store that keeps no sessions, so that each handshake is whole, and notes when it is first asked for one.
impl ClientSessionStore for Marks {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.mark(|times, now| {
            times.tls_began.get_or_insert(now);
        });
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {}

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.kx_hint(name);
        None
    }
}

/// Notes the end of the whole connect, TLS included.
impl<S> Layer<S> for Marks {
    type Service = Watched<S>;

    fn layer(&self, inner: S) -> Watched<S> {
        Watched { inner, marks: self.clone() }
    }
}

/// A connector that is watched.
#[derive(Clone)]
pub(super) struct Watched<S> {
    inner: S,
    marks: Marks,
}

impl<S, R> Service<R> for Watched<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let connecting = self.inner.call(request);
        let marks = self.marks.clone();
        Box::pin(async move {
            let connected = connecting.await?;
            marks.mark(|times, now| times.connected = Some(now));
            Ok(connected)
        })
    }
}
