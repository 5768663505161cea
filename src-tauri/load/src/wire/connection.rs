//! One connection: TCP, TLS, and the bytes of a protocol in both directions. It does the I/O and says what came of it; the
//! worker counts and decides.

use std::{
    io::{self, ErrorKind, Read},
    net::SocketAddr,
    sync::Arc,
};

use mio::{Interest, Registry, Token, net::TcpStream};
use rustls::ClientConnection;

use super::{
    Carrier, Event, Kept, Output, Request, Traffic, Wire,
    output::{Transport, flush_session},
    receiving::{self, Receiving},
};
use crate::failure::{Failure, Kind};

/// How many times a whole buffer is read for one connection before the others have their turn.
const READS_IN_A_ROW: usize = 16;

/// On Windows the next event only comes once a read has found nothing; elsewhere a read that doesn't fill the buffer
/// says as much.
const READ_UNTIL_NOTHING: bool = cfg!(windows);

/// What a connection is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// There is none.
    Closed,
    /// There is none, and there shall be none for a while since the last one failed.
    Resting,
    /// The TCP handshake is under way.
    Connecting,
    /// The TLS handshake is under way.
    Securing,
    /// The protocol's own handshake is under way.
    Opening,
    /// Requests may be sent.
    Ready,
}

impl State {
    /// Whether it is on its way to being ready.
    pub(crate) const fn is_underway(self) -> bool {
        matches!(self, Self::Connecting | Self::Securing | Self::Opening)
    }
}

/// What an event said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Readiness {
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The other side has closed its half; the end can be read now, behind what it sent before.
    pub(crate) read_closed: bool,
}

impl Readiness {
    /// Try everything.
    pub(crate) const ANY: Self = Self { readable: true, writable: true, read_closed: false };
}

/// How a connection stands after an event.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It goes on.
    Pending,
    /// There is more to read, and it was others' turn.
    More,
    /// It was closed by the other side while nothing was under way, as it may be.
    Gone,
    /// It failed, and with it all that was under way.
    Failed(Failure),
}

/// A connection, or the place for one.
pub(crate) struct Connection {
    pub(crate) state: State,
    /// When to look at it although nothing happened: a time-out, or the end of a rest. In nanoseconds of the run.
    pub(crate) due: u64,
    /// When it began to connect, or when the last step of that was done.
    pub(crate) began: u64,
    /// Failures since the last answer.
    pub(crate) failures: u32,
    /// How many addresses were tried in vain in this attempt.
    pub(crate) tried: usize,
    /// Requests under way.
    pub(crate) busy: usize,
    /// No further request may be sent on it.
    pub(crate) closing: bool,
    /// When the system had received what was read last, in nanoseconds since 1970, where it says so.
    pub(crate) came: Option<u64>,
    transport: Transport,
    unsent: Vec<u8>,
    carrier: Option<Box<dyn Carrier>>,
}

impl Connection {
    pub(crate) const fn new() -> Self {
        Self {
            state: State::Closed,
            due: u64::MAX,
            began: 0,
            failures: 0,
            tried: 0,
            busy: 0,
            closing: false,
            came: None,
            transport: Transport::None,
            unsent: Vec::new(),
            carrier: None,
        }
    }

    /// Begins to connect.
    pub(crate) fn connect(&mut self, wire: &Wire, address: SocketAddr, registry: &Registry, token: Token) -> Result<(), Failure> {
        let mut socket = TcpStream::connect(address)?;
        // Small requests mustn't wait for the answer to the ones before. Where it can't be set, they do, and that's all.
        let _ = socket.set_nodelay(true);
        receiving::note_times(&socket);
        registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        self.transport = match &wire.tls {
            None => Transport::Plain(socket),
            Some((config, name)) => {
                let mut session = ClientConnection::new(Arc::clone(config), name.clone())?;
                // A request is handed over whole, however long it is; the usual limit would take it for a broken connection.
                session.set_buffer_limit(None);
                Transport::Tls(socket, Box::new(session))
            }
        };
        self.carrier = Some(wire.carrier());
        self.state = State::Connecting;
        self.closing = false;
        Ok(())
    }

    /// Closes, if it is open. Closing a socket takes it off the poll as well.
    pub(crate) fn close(&mut self) {
        self.transport = Transport::None;
        self.carrier = None;
        self.unsent = Vec::new();
        self.state = State::Closed;
        self.due = u64::MAX;
        self.busy = 0;
    }

    /// Sends a request, or as much of it as goes out at once.
    pub(crate) fn send(
        &mut self,
        stream: usize,
        request: Request<'_>,
        wire: &Wire,
        traffic: &mut Traffic,
    ) -> Result<(), Failure> {
        let (Some(carrier), mut out) = self.parts(traffic) else { return Ok(()) };
        carrier.send(stream, request, wire, &mut out)
    }

    /// Gives the request on a stream up; says whether the connection can go on without it.
    pub(crate) fn cancel(&mut self, stream: usize, traffic: &mut Traffic) -> bool {
        let (Some(carrier), mut out) = self.parts(traffic) else { return false };
        carrier.cancel(stream, &mut out)
    }

    /// The last answer on a stream, as far as it was kept.
    pub(crate) fn answer(&self, stream: usize) -> Option<&Kept> {
        self.carrier.as_ref()?.answer(stream)
    }

    fn parts<'a>(&'a mut self, traffic: &'a mut Traffic) -> (Option<&'a mut Box<dyn Carrier>>, Output<'a>) {
        let out = Output { transport: &mut self.transport, unsent: &mut self.unsent, traffic };
        (self.carrier.as_mut(), out)
    }

    /// Goes on after an event.
    pub(crate) fn advance(
        &mut self,
        wire: &Wire,
        ready: Readiness,
        buffer: &mut [u8],
        traffic: &mut Traffic,
        events: &mut Vec<Event>,
    ) -> Outcome {
        if self.state == State::Connecting {
            match self.finish_connecting() {
                Ok(true) => {}
                Ok(false) => return Outcome::Pending,
                Err(failure) => return Outcome::Failed(failure),
            }
            events.push(Event::Connected);
            self.state = State::Securing;
            if matches!(self.transport, Transport::Plain(_))
                && let Err(failure) = self.open(wire, traffic, events)
            {
                return Outcome::Failed(failure);
            }
        }
        if ready.writable
            && let Err(failure) = self.flush(traffic)
        {
            // The other side may have answered before it closed, for instance to refuse a large body.
            return match self.read(wire, true, buffer, traffic, events) {
                Outcome::Pending | Outcome::Gone if events.is_empty() => Outcome::Failed(failure),
                outcome => outcome,
            };
        }
        if ready.readable || ready.read_closed {
            return self.read(wire, ready.read_closed, buffer, traffic, events);
        }
        Outcome::Pending
    }

    /// Whether the TCP handshake is over.
    fn finish_connecting(&mut self) -> Result<bool, Failure> {
        let (Transport::Plain(socket) | Transport::Tls(socket, _)) = &self.transport else { return Ok(false) };
        if let Some(error) = socket.take_error()? {
            return Err(error.into());
        }
        match socket.peer_addr() {
            // Where nobody listens on a port that is also handed out to clients, a socket can come to connect to itself.
            Ok(peer) if peer.ip().is_loopback() && socket.local_addr().is_ok_and(|own| own == peer) => {
                Err(io::Error::from(ErrorKind::ConnectionRefused).into())
            }
            Ok(_) => Ok(true),
            Err(error) if is_not_yet(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The transport stands; the protocol begins.
    fn open(&mut self, wire: &Wire, traffic: &mut Traffic, events: &mut Vec<Event>) -> Result<(), Failure> {
        self.state = State::Opening;
        let (Some(carrier), mut out) = self.parts(traffic) else { return Ok(()) };
        if carrier.open(wire, &mut out)? {
            events.push(Event::Opened);
        }
        Ok(())
    }

    fn flush(&mut self, traffic: &mut Traffic) -> Result<(), Failure> {
        let (carrier, mut out) = self.parts(traffic);
        out.flush()?;
        match carrier {
            Some(carrier) if out.is_drained() => carrier.resume(&mut out),
            _ => Ok(()),
        }
    }

    fn read(
        &mut self,
        wire: &Wire,
        read_closed: bool,
        buffer: &mut [u8],
        traffic: &mut Traffic,
        events: &mut Vec<Event>,
    ) -> Outcome {
        match self.transport {
            Transport::None => Outcome::Pending,
            Transport::Plain(_) => self.read_plain(wire, read_closed, buffer, traffic, events),
            Transport::Tls(..) => self.read_tls(wire, buffer, traffic, events),
        }
    }

    fn read_plain(
        &mut self,
        wire: &Wire,
        read_closed: bool,
        buffer: &mut [u8],
        traffic: &mut Traffic,
        events: &mut Vec<Event>,
    ) -> Outcome {
        for _ in 0..READS_IN_A_ROW {
            let Transport::Plain(socket) = &mut self.transport else { return Outcome::Pending };
            let mut receiving = Receiving { socket, came: &mut self.came };
            let count = match receiving.read(buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Outcome::Pending,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return self.broken(error.into()),
            };
            if count == 0 {
                return self.ended(events);
            }
            traffic.received += count as u64;
            if let Err(failure) = self.take_in(wire, &buffer[..count], traffic, events) {
                return self.broken(failure);
            }
            if count < buffer.len() && !READ_UNTIL_NOTHING {
                if !read_closed {
                    return Outcome::Pending;
                }
                // What the other side closed right after its answer is of no use for the next request.
                self.closing = true;
            }
        }
        Outcome::More
    }

    fn read_tls(&mut self, wire: &Wire, buffer: &mut [u8], traffic: &mut Traffic, events: &mut Vec<Event>) -> Outcome {
        for _ in 0..READS_IN_A_ROW {
            let Transport::Tls(socket, session) = &mut self.transport else { return Outcome::Pending };
            let ended = match session.read_tls(&mut Receiving { socket, came: &mut self.came }) {
                Ok(count) => count == 0,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Outcome::Pending,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return self.broken(error.into()),
            };
            if let Err(error) = session.process_new_packets() {
                // The alert tells the other side why; whether it arrives changes nothing here.
                let _ = flush_session(session, socket);
                return Outcome::Failed(error.into());
            }
            if let Err(failure) = flush_session(session, socket) {
                return Outcome::Failed(failure);
            }
            if self.state == State::Securing {
                if ended {
                    return Outcome::Failed(Failure::new(Kind::Tls, "the connection was closed during the TLS handshake"));
                }
                if session.is_handshaking() {
                    continue;
                }
                events.push(Event::Secured);
                if let Err(failure) = self.open(wire, traffic, events) {
                    return Outcome::Failed(failure);
                }
            }
            match self.drain_session(wire, buffer, traffic, events) {
                Outcome::Pending if ended => return self.ended(events),
                Outcome::Pending => {}
                outcome => return outcome,
            }
        }
        Outcome::More
    }

    /// Takes the decrypted bytes in that are there.
    fn drain_session(&mut self, wire: &Wire, buffer: &mut [u8], traffic: &mut Traffic, events: &mut Vec<Event>) -> Outcome {
        loop {
            let Transport::Tls(_, session) = &mut self.transport else { return Outcome::Pending };
            match session.reader().read(buffer) {
                Ok(0) => return self.ended(events),
                Ok(count) => {
                    traffic.received += count as u64;
                    if let Err(failure) = self.take_in(wire, &buffer[..count], traffic, events) {
                        return self.broken(failure);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Outcome::Pending,
                // The end came without TLS's own word for it, so a body that lasts until the end may be cut off.
                Err(error) => return self.broken(error.into()),
            }
        }
    }

    fn take_in(&mut self, wire: &Wire, bytes: &[u8], traffic: &mut Traffic, events: &mut Vec<Event>) -> Result<(), Failure> {
        let (Some(carrier), mut out) = self.parts(traffic) else { return Ok(()) };
        carrier.receive(bytes, wire, &mut out, events)
    }

    /// The other side has closed.
    fn ended(&mut self, events: &mut Vec<Event>) -> Outcome {
        if self.state != State::Ready {
            return Outcome::Failed(Failure::new(Kind::Closed, "the connection was closed while it was made"));
        }
        match self.carrier.as_mut().map(|carrier| carrier.end(events)) {
            Some(Err(failure)) if self.busy > 0 => Outcome::Failed(failure),
            _ => Outcome::Gone,
        }
    }

    /// An idle connection may break; nobody has lost anything by it.
    fn broken(&self, failure: Failure) -> Outcome {
        if self.state == State::Ready && self.busy == 0 { Outcome::Gone } else { Outcome::Failed(failure) }
    }
}

/// Whether an address of the other side is missing only because the handshake goes on.
fn is_not_yet(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotConnected || error.kind() == ErrorKind::InvalidInput
}
