//! Bytes on their way out: as many as the connection takes at once, the rest when it takes more.

use std::io::{self, ErrorKind, Write};

use mio::net::TcpStream;
use rustls::ClientConnection;

use crate::failure::Failure;

/// Bytes of the protocol, without those of TLS.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Traffic {
    pub(crate) received: u64,
    pub(crate) sent: u64,
}

/// A socket, with TLS or without.
pub(crate) enum Transport {
    None,
    Plain(TcpStream),
    Tls(TcpStream, Box<ClientConnection>),
}

/// Takes bytes for a connection.
pub(crate) struct Output<'a> {
    pub(super) transport: &'a mut Transport,
    /// What the connection didn't take yet.
    pub(super) unsent: &'a mut Vec<u8>,
    pub(super) traffic: &'a mut Traffic,
}

impl Output<'_> {
    /// Sends bytes, or keeps them until they can be sent.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.traffic.sent += bytes.len() as u64;
        match &mut *self.transport {
            Transport::None => Ok(()),
            Transport::Plain(socket) => {
                let mut taken = 0;
                if self.unsent.is_empty() {
                    taken = write_some(socket, bytes)?;
                }
                self.unsent.extend_from_slice(&bytes[taken..]);
                Ok(())
            }
            Transport::Tls(socket, session) => {
                // The session takes all in and hands out what the socket takes.
                session.writer().write_all(bytes)?;
                flush_session(session, socket)
            }
        }
    }

    /// The protocol that was agreed on within TLS; empty where none was, nothing without TLS.
    pub(crate) fn alpn(&self) -> Option<&[u8]> {
        match &*self.transport {
            Transport::Tls(_, session) => Some(session.alpn_protocol().unwrap_or_default()),
            _ => None,
        }
    }

    /// Whether all bytes went out.
    pub(crate) fn is_drained(&self) -> bool {
        match &*self.transport {
            Transport::Tls(_, session) => !session.wants_write(),
            _ => self.unsent.is_empty(),
        }
    }

    /// Sends what was kept.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        match &mut *self.transport {
            Transport::None => Ok(()),
            Transport::Plain(socket) => {
                if !self.unsent.is_empty() {
                    let taken = write_some(socket, self.unsent)?;
                    self.unsent.drain(..taken);
                }
                Ok(())
            }
            Transport::Tls(socket, session) => flush_session(session, socket),
        }
    }
}

fn write_some(socket: &mut TcpStream, bytes: &[u8]) -> Result<usize, Failure> {
    let mut taken = 0;
    while taken < bytes.len() {
        match socket.write(&bytes[taken..]) {
            Ok(0) => return Err(io::Error::from(ErrorKind::WriteZero).into()),
            Ok(count) => taken += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(taken)
}

pub(super) fn flush_session(session: &mut ClientConnection, socket: &mut TcpStream) -> Result<(), Failure> {
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
