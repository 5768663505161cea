//! Protocols. An executor knows connections, streams and requests; what travels on a connection is a [`Carrier`]'s own
//! affair. A new protocol is one more carrier, and touches neither pacing nor figures.

pub(crate) mod connection;
mod file;
mod http1;
mod http2;
mod output;
pub(crate) mod receiving;
mod response;
mod websocket;

use std::sync::Arc;

use patchbay_contracts::{Code, Problem, integration::Protocol};
use rustls::{ClientConfig, pki_types::ServerName};

use self::file::FileBody;
pub(crate) use self::output::{Output, Traffic};
use crate::{
    failure::Failure,
    script::{
        Body, Feed, Script, Step,
        template::{Template, Values},
    },
    target,
};

/// One protocol on one connection. It carries the requests of as many virtual users as it has streams.
pub(crate) trait Carrier {
    /// Goes out as soon as the transport stands. Says whether requests may follow at once; where they may not, an
    /// [`Event::Opened`] comes later.
    fn open(&mut self, wire: &Wire, out: &mut Output<'_>) -> Result<bool, Failure>;

    /// Sends a request on a stream that has none under way.
    fn send(&mut self, stream: usize, request: Request<'_>, wire: &Wire, out: &mut Output<'_>) -> Result<(), Failure>;

    /// The connection takes bytes again.
    fn resume(&mut self, out: &mut Output<'_>) -> Result<(), Failure>;

    /// Takes bytes in, and says what they mean.
    fn receive(&mut self, bytes: &[u8], wire: &Wire, out: &mut Output<'_>, events: &mut Vec<Event>) -> Result<(), Failure>;

    /// The other side has closed. Says what that ends; a failure is that of all streams with a request under way.
    fn end(&mut self, events: &mut Vec<Event>) -> Result<(), Failure>;

    /// Gives the request on a stream up; says whether the connection can go on without it.
    fn cancel(&mut self, stream: usize, out: &mut Output<'_>) -> bool;

    /// The last answer on a stream, where its step has somebody who looks into it.
    fn answer(&self, stream: usize) -> Option<&Kept>;
}

/// What of an answer is kept for somebody to look into.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) cut: bool,
}

impl Kept {
    pub(crate) fn clear(&mut self) {
        self.headers.clear();
        self.body.clear();
        self.cut = false;
    }

    /// Keeps a piece of the body, as far as there is room.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let room = crate::script::LONGEST_BODY - self.body.len();
        self.body.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.cut |= bytes.len() > room;
    }
}

/// What came of bytes.
#[derive(Debug)]
pub(crate) enum Event {
    /// TCP stands.
    Connected,
    /// TLS stands.
    Secured,
    /// Requests may be sent.
    Opened,
    /// The first byte of an answer is there, and the last is not.
    Began {
        /// On which stream.
        stream: usize,
    },
    /// An answer is complete.
    Answered {
        /// On which stream.
        stream: usize,
        /// The status; 0 for a protocol without one.
        status: u16,
        /// Whether the other side sent more than the answer.
        excess: bool,
        /// Whether the connection can be used again.
        keep: bool,
    },
    /// A request failed, and the connection goes on.
    Failed {
        /// On which stream.
        stream: usize,
        /// Why.
        failure: Failure,
    },
    /// No further request may be sent on this connection.
    Closing,
}

/// A request to be sent.
pub(crate) struct Request<'a> {
    /// Its place in the script.
    pub(crate) step: usize,
    /// What its values are; nothing where no step has any.
    pub(crate) values: Option<&'a mut Values>,
}

impl Request<'_> {
    /// Appends a part of it with its values.
    fn render(&mut self, template: &Template, feeds: &[Feed], into: &mut Vec<u8>) {
        match &mut self.values {
            Some(values) => template.render(values, feeds, into),
            None => into.extend(template.texts().flatten()),
        }
    }
}

/// What is the same for all connections of a run.
pub(crate) struct Wire {
    pub(crate) protocol: Protocol,
    pub(crate) steps: Vec<Prepared>,
    pub(crate) feeds: Vec<Feed>,
    /// Streams on each connection.
    pub(crate) streams: usize,
    pub(crate) keep_alive: bool,
    /// TLS, and the name that the certificate must have.
    pub(crate) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// `Host` or `:authority`.
    pub(crate) authority: String,
}

/// A step, with its bytes prepared as far as they can be.
pub(crate) struct Prepared {
    pub(crate) step: Step,
    /// The whole request, where it is the same each time.
    pub(crate) fixed: Option<Vec<u8>>,
    /// Whether answers have no body since the request is a HEAD.
    pub(crate) to_head: bool,
    /// Whether answers are kept for somebody to look into.
    pub(crate) keeps: bool,
}

impl Wire {
    /// Prepares a script for a protocol.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] for a host that no certificate can have.
    pub(crate) fn new(
        script: &Script,
        protocol: Protocol,
        streams: usize,
        keep_alive: bool,
        session_reuse: bool,
    ) -> Result<Self, Problem> {
        if protocol == Protocol::WebSocket {
            check_messages(script)?;
        }
        let tls = tls(script, protocol, session_reuse)?;
        let mut wire = Self {
            protocol,
            steps: Vec::new(),
            feeds: script.feeds.clone(),
            streams,
            keep_alive,
            tls,
            authority: target::authority(&script.host, script.port, script.tls.is_some()),
        };
        wire.steps = script.steps.iter().map(|step| wire.prepare(step)).collect();
        Ok(wire)
    }

    fn prepare(&self, step: &Step) -> Prepared {
        let fixed = step.is_fixed().then(|| match self.protocol {
            Protocol::Http1 => http1::fixed(step, self),
            Protocol::Http2 => http2::fixed_head(step, self),
            Protocol::WebSocket => step.fixed_body(),
        });
        Prepared { step: step.clone(), fixed, to_head: step.method == "HEAD", keeps: step.inspect.is_some() }
    }

    /// A connection's side of the protocol.
    pub(crate) fn carrier(&self) -> Box<dyn Carrier> {
        match self.protocol {
            Protocol::Http1 => Box::new(http1::Http1::new()),
            Protocol::Http2 => Box::new(http2::Http2::new(self.streams)),
            Protocol::WebSocket => Box::new(websocket::WebSocket::new()),
        }
    }
}

/// Whether the steps of a script can be messages of one WebSocket.
fn check_messages(script: &Script) -> Result<(), Problem> {
    let bad = |what: &str| Err(Problem::new(Code::InvalidInput, what));
    if script.steps.iter().any(|step| matches!(step.body, Body::File { .. })) {
        return bad("A message of a WebSocket can't be read from a file");
    }
    let path = |step: &Step| step.path.fixed_bytes();
    if script.steps.iter().any(|step| !step.path.is_fixed() || path(step) != path(&script.steps[0])) {
        return bad("All messages of a WebSocket go to one address, which is the same for each user");
    }
    Ok(())
}

fn tls(
    script: &Script,
    protocol: Protocol,
    session_reuse: bool,
) -> Result<Option<(Arc<ClientConfig>, ServerName<'static>)>, Problem> {
    let Some(config) = &script.tls else { return Ok(None) };
    let name = ServerName::try_from(script.host.clone()).map_err(|_| {
        Problem::new(Code::InvalidInput, format!("`{}` is no host name that a certificate could have", script.host))
    })?;
    let mut config = ClientConfig::clone(config);
    config.alpn_protocols = match protocol {
        Protocol::Http2 => vec![b"h2".to_vec()],
        Protocol::Http1 | Protocol::WebSocket => vec![b"http/1.1".to_vec()],
    };
    config.resumption =
        if session_reuse { rustls::client::Resumption::in_memory_sessions(16) } else { rustls::client::Resumption::disabled() };
    Ok(Some((Arc::new(config), name)))
}
