//! One connection: connecting, the TLS handshake, a request out, a response in. It does the I/O and says what came of it;
//! the worker counts and decides.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::SocketAddr,
    sync::Arc,
};

use mio::{Interest, Registry, Token, net::TcpStream};
use rustls::{ClientConfig, ClientConnection, pki_types::ServerName};

use crate::{
    failure::{Failure, Kind},
    response::Response,
};

/// How many times a whole buffer is read for one connection before the others have their turn.
const READS_IN_A_ROW: usize = 16;

/// On Windows the next event only comes once a read has found nothing; elsewhere a read that doesn't fill the buffer
/// says as much.
const READ_UNTIL_NOTHING: bool = cfg!(windows);

/// What is the same for all connections of a run.
pub(crate) struct Wire {
    /// The bytes of the request.
    pub(crate) request: Vec<u8>,
    /// Whether responses have no body since the request is a HEAD.
    pub(crate) to_head: bool,
    /// TLS, and the name that the certificate must have.
    pub(crate) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

/// What a connection is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// There is none.
    Closed,
    /// There is none, and there shall be none for a while since the last one failed.
    Resting,
    /// The TCP or TLS handshake is under way.
    Connecting,
    /// Ready for a request.
    Idle,
    /// A request is out, or on its way out.
    Busy,
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

/// What came of an event.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Nothing that ends anything.
    Pending,
    /// There is more to read, and it was others' turn.
    More,
    /// The handshakes are done.
    Ready,
    /// The response is complete.
    Answered {
        /// Whether the connection can be used again.
        keep: bool,
        /// Whether the other side sent more than the response.
        excess: bool,
    },
    /// An idle connection was closed by the other side, as it may be.
    Gone,
    /// It failed.
    Failed(Failure),
}

/// Bytes of HTTP, without those of TLS.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Traffic {
    pub(crate) received: u64,
    pub(crate) sent: u64,
}

enum Transport {
    None,
    Plain(TcpStream),
    Tls(TcpStream, Box<ClientConnection>),
}

/// A connection, or the place for one.
pub(crate) struct Connection {
    pub(crate) state: State,
    /// When to look at it although nothing happened: a time-out, or the end of a rest. In nanoseconds of the run.
    pub(crate) due: u64,
    /// When its request began for the figures: the intended time in an open workload, that of the send in a closed one.
    pub(crate) began: u64,
    /// Failures since the last answer.
    pub(crate) failures: u32,
    /// How many addresses were tried in vain in this attempt.
    pub(crate) tried: usize,
    transport: Transport,
    response: Response,
    /// How many bytes of the request went out.
    written: usize,
}

impl Connection {
    pub(crate) const fn new() -> Self {
        Self {
            state: State::Closed,
            due: u64::MAX,
            began: 0,
            failures: 0,
            tried: 0,
            transport: Transport::None,
            response: Response::new(),
            written: 0,
        }
    }

    /// The status of the response that is complete.
    pub(crate) const fn status(&self) -> u16 {
        self.response.status()
    }

    /// Begins to connect.
    pub(crate) fn connect(&mut self, wire: &Wire, address: SocketAddr, registry: &Registry, token: Token) -> Result<(), Failure> {
        let mut socket = TcpStream::connect(address)?;
        // Small requests mustn't wait for the answer to the ones before. Where it can't be set, they do, and that's all.
        let _ = socket.set_nodelay(true);
        registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        self.transport = match &wire.tls {
            None => Transport::Plain(socket),
            Some((config, name)) => {
                let session = ClientConnection::new(Arc::clone(config), name.clone())?;
                Transport::Tls(socket, Box::new(session))
            }
        };
        self.state = State::Connecting;
        Ok(())
    }

    /// Closes, if it is open. Closing a socket takes it off the poll as well.
    pub(crate) fn close(&mut self) {
        self.transport = Transport::None;
        self.state = State::Closed;
        self.due = u64::MAX;
    }

    /// Sends the request, or as much of it as goes out at once.
    pub(crate) fn send(&mut self, wire: &Wire, traffic: &mut Traffic) -> Result<(), Failure> {
        self.state = State::Busy;
        self.written = 0;
        self.response.reset();
        if let Transport::Tls(_, session) = &mut self.transport {
            // The session takes all in and hands out what the socket takes.
            session.writer().write_all(&wire.request)?;
            self.written = wire.request.len();
            traffic.sent += self.written as u64;
        }
        self.flush(wire, traffic)
    }

    /// Goes on after an event.
    pub(crate) fn advance(&mut self, wire: &Wire, ready: Readiness, buffer: &mut [u8], traffic: &mut Traffic) -> Outcome {
        if self.state == State::Connecting
            && let Some(outcome) = self.finish_connecting()
        {
            return outcome;
        }
        if ready.writable
            && let Err(failure) = self.flush(wire, traffic)
        {
            // The other side may have answered before it closed, for instance to refuse a large body.
            return match self.read(wire, true, buffer, traffic) {
                Outcome::Pending | Outcome::Gone => Outcome::Failed(failure),
                outcome => outcome,
            };
        }
        if ready.readable || ready.read_closed {
            return self.read(wire, ready.read_closed, buffer, traffic);
        }
        Outcome::Pending
    }

    /// Nothing where the TCP handshake is over and TLS is to go on.
    fn finish_connecting(&mut self) -> Option<Outcome> {
        let (Transport::Plain(socket) | Transport::Tls(socket, _)) = &self.transport else {
            return Some(Outcome::Pending);
        };
        match socket.take_error() {
            Ok(None) => {}
            Ok(Some(error)) | Err(error) => return Some(Outcome::Failed(error.into())),
        }
        match socket.peer_addr() {
            // Where nobody listens on a port that is also handed out to clients, a socket can come to connect to itself.
            Ok(peer) if peer.ip().is_loopback() && socket.local_addr().is_ok_and(|own| own == peer) => {
                Some(Outcome::Failed(io::Error::from(ErrorKind::ConnectionRefused).into()))
            }
            Ok(_) if matches!(self.transport, Transport::Plain(_)) => Some(Outcome::Ready),
            Ok(_) => None,
            Err(error) if is_not_yet(&error) => Some(Outcome::Pending),
            Err(error) => Some(Outcome::Failed(error.into())),
        }
    }

    fn flush(&mut self, wire: &Wire, traffic: &mut Traffic) -> Result<(), Failure> {
        match &mut self.transport {
            Transport::None => {}
            Transport::Plain(socket) => {
                while self.state == State::Busy && self.written < wire.request.len() {
                    match socket.write(&wire.request[self.written..]) {
                        Ok(0) => return Err(io::Error::from(ErrorKind::WriteZero).into()),
                        Ok(count) => {
                            self.written += count;
                            traffic.sent += count as u64;
                        }
                        Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            Transport::Tls(socket, session) => flush_session(session, socket)?,
        }
        Ok(())
    }

    fn read(&mut self, wire: &Wire, read_closed: bool, buffer: &mut [u8], traffic: &mut Traffic) -> Outcome {
        match self.transport {
            Transport::None => Outcome::Pending,
            Transport::Plain(_) => self.read_plain(wire, read_closed, buffer, traffic),
            Transport::Tls(..) => self.read_tls(wire, buffer, traffic),
        }
    }

    fn read_plain(&mut self, wire: &Wire, read_closed: bool, buffer: &mut [u8], traffic: &mut Traffic) -> Outcome {
        for _ in 0..READS_IN_A_ROW {
            let Transport::Plain(socket) = &mut self.transport else { return Outcome::Pending };
            let count = match socket.read(buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Outcome::Pending,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) if self.state == State::Idle => return Outcome::Gone,
                Err(error) => return Outcome::Failed(error.into()),
            };
            if count == 0 {
                return self.ended();
            }
            traffic.received += count as u64;
            let drained = count < buffer.len() && !READ_UNTIL_NOTHING;
            match self.take_in(wire, &buffer[..count]) {
                Outcome::Pending if drained && !read_closed => return Outcome::Pending,
                Outcome::Pending => {}
                // What the other side closed right after its answer is of no use for the next request.
                Outcome::Answered { keep, excess } => return Outcome::Answered { keep: keep && !read_closed, excess },
                outcome => return outcome,
            }
        }
        Outcome::More
    }

    fn read_tls(&mut self, wire: &Wire, buffer: &mut [u8], traffic: &mut Traffic) -> Outcome {
        for _ in 0..READS_IN_A_ROW {
            let Transport::Tls(socket, session) = &mut self.transport else { return Outcome::Pending };
            let ended = match session.read_tls(socket) {
                Ok(count) => count == 0,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Outcome::Pending,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) if self.state == State::Idle => return Outcome::Gone,
                Err(error) => return Outcome::Failed(error.into()),
            };
            if let Err(error) = session.process_new_packets() {
                // The alert tells the other side why; whether it arrives changes nothing here.
                let _ = flush_session(session, socket);
                return Outcome::Failed(error.into());
            }
            if let Err(failure) = flush_session(session, socket) {
                return Outcome::Failed(failure);
            }
            if self.state == State::Connecting {
                if ended {
                    return Outcome::Failed(Failure::new(Kind::Tls, "the connection was closed during the TLS handshake"));
                }
                if !session.is_handshaking() {
                    return Outcome::Ready;
                }
                continue;
            }
            match self.drain_session(wire, buffer, traffic) {
                Outcome::Pending if ended => return self.ended(),
                Outcome::Pending => {}
                outcome => return outcome,
            }
        }
        Outcome::More
    }

    /// Takes the decrypted bytes in that are there.
    fn drain_session(&mut self, wire: &Wire, buffer: &mut [u8], traffic: &mut Traffic) -> Outcome {
        loop {
            let Transport::Tls(_, session) = &mut self.transport else { return Outcome::Pending };
            match session.reader().read(buffer) {
                Ok(0) => return self.ended(),
                Ok(count) => {
                    traffic.received += count as u64;
                    match self.take_in(wire, &buffer[..count]) {
                        Outcome::Pending => {}
                        outcome => return outcome,
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Outcome::Pending,
                // The end came without TLS's own word for it, so a body that lasts until the end may be cut off.
                Err(_) if self.state == State::Idle => return Outcome::Gone,
                Err(error) => return Outcome::Failed(error.into()),
            }
        }
    }

    fn take_in(&mut self, wire: &Wire, bytes: &[u8]) -> Outcome {
        if self.state != State::Busy {
            return Outcome::Failed(Failure::parse("bytes came that belong to no request"));
        }
        match self.response.feed(bytes, wire.to_head) {
            Ok((used, true)) => {
                let excess = used < bytes.len();
                // A request that was answered before it was out can't be finished any more.
                let whole = self.written == wire.request.len();
                Outcome::Answered { keep: self.response.keeps_connection() && whole && !excess, excess }
            }
            Ok((_, false)) => Outcome::Pending,
            Err(failure) => Outcome::Failed(failure),
        }
    }

    /// The other side has closed.
    fn ended(&mut self) -> Outcome {
        match self.state {
            State::Busy => match self.response.end() {
                Ok(()) => Outcome::Answered { keep: false, excess: false },
                Err(failure) => Outcome::Failed(failure),
            },
            State::Connecting => Outcome::Failed(Failure::new(Kind::Closed, "the connection was closed while it was made")),
            State::Closed | State::Resting | State::Idle => Outcome::Gone,
        }
    }
}

fn flush_session(session: &mut ClientConnection, socket: &mut TcpStream) -> Result<(), Failure> {
    while session.wants_write() {
        match session.write_tls(socket) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether an address of the other side is missing only because the handshake goes on.
fn is_not_yet(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotConnected || error.kind() == ErrorKind::InvalidInput
}
