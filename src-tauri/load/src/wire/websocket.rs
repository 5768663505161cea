//! WebSocket (RFC 6455): a message is the request, and the next message that comes is its answer.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::{RngExt, SeedableRng, rngs::SmallRng};

use super::{Carrier, Event, Kept, Output, Request, Wire};
use crate::{
    failure::{Failure, Kind},
    script::Body,
};

/// What is joined to the key (RFC 6455, 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The most bytes of the answer to the upgrade.
const LONGEST_HEAD: usize = 64 * 1024;
/// The longest control frame's payload.
const LONGEST_CONTROL: usize = 125;

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A connection's side of it.
pub(crate) struct WebSocket {
    key: String,
    open: bool,
    busy: bool,
    step: usize,
    /// Of the upgrade's answer, then of a frame's head or a control frame.
    inbox: Vec<u8>,
    frame: Option<Frame>,
    kept: Kept,
    begun: bool,
    scratch: Vec<u8>,
    /// Masks keep proxies from being fooled; they are no secret.
    masks: SmallRng,
}

/// A frame of a message of which bytes are still to come.
#[derive(Clone, Copy)]
struct Frame {
    left: u64,
    last: bool,
}

impl WebSocket {
    pub(crate) fn new() -> Self {
        // Another sequence for each connection, since the key is to be another for each (RFC 6455, 4.1).
        static MADE: AtomicU64 = AtomicU64::new(0);
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
        let mut masks = SmallRng::seed_from_u64(time ^ MADE.fetch_add(1, Ordering::Relaxed).rotate_left(40));
        let key: [u8; 16] = masks.random();
        Self {
            key: STANDARD.encode(key),
            open: false,
            busy: false,
            step: 0,
            inbox: Vec::new(),
            frame: None,
            kept: Kept::default(),
            begun: false,
            scratch: Vec::new(),
            masks,
        }
    }

    /// Sends a frame of ours, masked as those of clients are.
    fn write(&mut self, opcode: u8, payload: &[u8], out: &mut Output<'_>) -> Result<(), Failure> {
        let mask: [u8; 4] = self.masks.random();
        self.scratch.clear();
        self.scratch.push(0x80 | opcode);
        match payload.len() {
            length @ 0..=125 => self.scratch.push(0x80 | length as u8),
            length @ 126..=0xffff => {
                self.scratch.push(0x80 | 126);
                self.scratch.extend_from_slice(&(length as u16).to_be_bytes());
            }
            length => {
                self.scratch.push(0x80 | 127);
                self.scratch.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        self.scratch.extend_from_slice(&mask);
        self.scratch.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        out.write(&self.scratch)
    }

    /// Takes the answer to the upgrade in; gives what follows it, once it is whole.
    fn upgraded(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        self.inbox.extend_from_slice(bytes);
        let mut headers = [httparse::EMPTY_HEADER; 128];
        let mut response = httparse::Response::new(&mut headers);
        let length = match response.parse(&self.inbox)? {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial if self.inbox.len() > LONGEST_HEAD => {
                return Err(Failure::parse("the head of the response is longer than 64 KiB"));
            }
            httparse::Status::Partial => return Ok(None),
        };
        if response.code != Some(101) {
            return Err(Failure::parse("the service did not take up the WebSocket (its answer is not 101)"));
        }
        let wanted = accept(&self.key);
        let accepted = response.headers.iter().any(|header| {
            header.name.eq_ignore_ascii_case("sec-websocket-accept") && header.value.trim_ascii() == wanted.as_bytes()
        });
        if !accepted {
            return Err(Failure::parse("the service's answer to the WebSocket's key is wrong"));
        }
        self.open = true;
        let inbox = std::mem::take(&mut self.inbox);
        Ok(Some(inbox[length..].to_vec()))
    }

    /// Takes frames in.
    fn frames(&mut self, mut bytes: &[u8], wire: &Wire, out: &mut Output<'_>, events: &mut Vec<Event>) -> Result<(), Failure> {
        while !bytes.is_empty() {
            if let Some(frame) = &mut self.frame {
                let taken = usize::try_from(frame.left).unwrap_or(usize::MAX).min(bytes.len());
                frame.left -= taken as u64;
                if wire.steps[self.step].keeps {
                    self.kept.push(&bytes[..taken]);
                }
                bytes = &bytes[taken..];
                self.message_went_on(wire, events);
                continue;
            }
            // The head is at most 10 bytes long, and a control frame 127.
            self.inbox.push(bytes[0]);
            bytes = &bytes[1..];
            self.head(wire, out, events)?;
        }
        Ok(())
    }

    /// A head, or a control frame, once it is whole.
    fn head(&mut self, wire: &Wire, out: &mut Output<'_>, events: &mut Vec<Event>) -> Result<(), Failure> {
        let [first, second, rest @ ..] = self.inbox.as_slice() else { return Ok(()) };
        let (opcode, last) = (first & 0x0f, first & 0x80 != 0);
        if first & 0x70 != 0 || second & 0x80 != 0 {
            return Err(Failure::parse("a frame has bits that were not agreed on"));
        }
        let (length, used) = match second & 0x7f {
            126 if rest.len() < 2 => return Ok(()),
            126 => (u64::from(u16::from_be_bytes([rest[0], rest[1]])), 2),
            127 => match rest.first_chunk::<8>() {
                None => return Ok(()),
                Some(length) => (u64::from_be_bytes(*length), 8),
            },
            length => (u64::from(length), 0),
        };
        if opcode < CLOSE {
            self.inbox.clear();
            if !self.busy {
                return Err(Failure::parse("a message came that answers no request"));
            }
            self.frame = Some(Frame { left: length, last });
            self.message_went_on(wire, events);
            return Ok(());
        }
        if length as usize > LONGEST_CONTROL || !last {
            return Err(Failure::parse("a control frame is longer than it may be"));
        }
        let length = length as usize;
        if rest.len() < used + length {
            return Ok(());
        }
        let payload = rest[used..used + length].to_vec();
        self.inbox.clear();
        match opcode {
            PING => self.write(PONG, &payload, out),
            CLOSE => {
                events.push(Event::Closing);
                self.write(CLOSE, &payload, out)
            }
            _ => Ok(()),
        }
    }

    fn message_went_on(&mut self, wire: &Wire, events: &mut Vec<Event>) {
        let Some(frame) = self.frame else { return };
        if frame.left > 0 {
            if !self.begun {
                events.push(Event::Began { stream: 0 });
            }
            self.begun = true;
            return;
        }
        self.frame = None;
        self.begun = true;
        if frame.last {
            self.busy = false;
            events.push(Event::Answered { stream: 0, status: 0, excess: false, keep: wire.keep_alive });
        }
    }
}

/// The answer that proves that a key was understood.
fn accept(key: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{GUID}").as_bytes());
    STANDARD.encode(digest)
}

impl Carrier for WebSocket {
    fn open(&mut self, wire: &Wire, out: &mut Output<'_>) -> Result<bool, Failure> {
        let step = &wire.steps[0].step;
        let mut bytes = b"GET ".to_vec();
        bytes.extend(step.path.texts().flatten());
        let mut line = |text: &str| bytes.extend_from_slice(text.as_bytes());
        line(" HTTP/1.1\r\n");
        if !step.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            line(&format!("Host: {}\r\n", wire.authority));
        }
        line("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
        line(&format!("Sec-WebSocket-Key: {}\r\n", self.key));
        for (name, value) in &step.headers {
            if !matches!(name.to_ascii_lowercase().as_str(), "content-type" | "content-length" | "accept-encoding") {
                bytes.extend_from_slice(format!("{name}: ").as_bytes());
                bytes.extend(value.texts().flatten());
                bytes.extend_from_slice(b"\r\n");
            }
        }
        bytes.extend_from_slice(b"\r\n");
        out.write(&bytes)?;
        Ok(false)
    }

    fn send(&mut self, _: usize, request: Request<'_>, wire: &Wire, out: &mut Output<'_>) -> Result<(), Failure> {
        let prepared = &wire.steps[request.step];
        self.step = request.step;
        self.busy = true;
        self.begun = false;
        self.kept.clear();
        let made;
        let body = match (&prepared.fixed, &prepared.step.body, request.values) {
            (Some(bytes), _, _) => bytes,
            (None, Body::Bytes(template), Some(values)) => {
                let mut bytes = Vec::new();
                template.render(values, &wire.feeds, &mut bytes);
                made = bytes;
                &made
            }
            _ => return Err(Failure::new(Kind::Other, "a message can't be read from a file")),
        };
        let opcode = if std::str::from_utf8(body).is_ok() { TEXT } else { BINARY };
        self.write(opcode, body, out)
    }

    fn resume(&mut self, _: &mut Output<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn receive(&mut self, bytes: &[u8], wire: &Wire, out: &mut Output<'_>, events: &mut Vec<Event>) -> Result<(), Failure> {
        if self.open {
            return self.frames(bytes, wire, out, events);
        }
        let Some(rest) = self.upgraded(bytes)? else { return Ok(()) };
        events.push(Event::Opened);
        self.frames(&rest, wire, out, events)
    }

    fn end(&mut self, _: &mut Vec<Event>) -> Result<(), Failure> {
        match self.busy {
            false => Ok(()),
            true if self.begun => Err(Failure::new(Kind::Closed, "the connection was closed in the middle of the response")),
            true => Err(Failure::new(Kind::Closed, "the connection was closed before any byte of the response")),
        }
    }

    fn cancel(&mut self, _: usize, _: &mut Output<'_>) -> bool {
        false
    }

    fn answer(&self, _: usize) -> Option<&Kept> {
        Some(&self.kept)
    }
}
