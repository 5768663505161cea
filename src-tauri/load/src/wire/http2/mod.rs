//! HTTP/2 (RFC 9113): several requests at once on a connection. Pushes are refused, no table of headers is kept on either
//! side, and windows are opened so wide that answers never wait for them.

mod frame;
mod hpack;

use std::io::Write;

use super::{Carrier, Event, FileBody, Kept, Output, Request, Wire};
use crate::{
    failure::{Failure, Kind},
    script::{Body, Step, template::Template},
};
use frame::{Head, head};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The widest window (RFC 9113, 6.9.1).
const WIDEST: u32 = 0x7fff_ffff;
/// What a window is where nobody says otherwise.
const USUAL_WINDOW: i64 = 65_535;
/// The window of the connection is opened again when so much of it was used.
const REFILL: u64 = 1 << 29;
/// The most bytes of headers of one answer.
const LONGEST_HEADERS: usize = 64 * 1024;
/// The code of a stream that nobody wants any more (RFC 9113, 7).
const CANCEL: u32 = 8;
/// The last identifier that a stream may have, some way off.
const LAST_STREAM: u32 = 0x7fff_0000;

/// A connection's side of it.
pub(crate) struct Http2 {
    streams: Vec<Stream>,
    next_id: u32,
    /// The other side has sent its settings.
    greeted: bool,
    /// What came of a frame without its end.
    inbox: Vec<u8>,
    /// The headers that came without their end, with the flags of their first frame.
    block: Vec<u8>,
    block_of: Option<(u32, bool)>,
    /// Bytes that were used of the window that we gave.
    used: u64,
    /// What the other side lets us send, on the connection and at first on a stream.
    window: i64,
    stream_window: i64,
    longest: usize,
    scratch: Vec<u8>,
}

/// A stream, or the place for one.
#[derive(Default)]
struct Stream {
    /// 0 where there is none.
    id: u32,
    step: usize,
    status: u16,
    begun: bool,
    window: i64,
    /// What is still to go out.
    body: Pending,
    kept: Kept,
}

/// A body on its way out.
#[derive(Default)]
enum Pending {
    #[default]
    None,
    Bytes(Vec<u8>, usize),
    File(FileBody),
}

impl Http2 {
    pub(crate) fn new(streams: usize) -> Self {
        Self {
            streams: (0..streams).map(|_| Stream::default()).collect(),
            next_id: 1,
            greeted: false,
            inbox: Vec::new(),
            block: Vec::new(),
            block_of: None,
            used: 0,
            window: USUAL_WINDOW,
            stream_window: USUAL_WINDOW,
            longest: frame::LONGEST,
            scratch: Vec::new(),
        }
    }

    /// The place of a stream; nothing for one that is over, and for the connection, whose identifier is 0 as that of an
    /// empty place is.
    fn place(&self, id: u32) -> Option<usize> {
        self.streams.iter().position(|stream| stream.id == id && id != 0)
    }

    /// Sends what of the bodies fits into the windows.
    fn send_bodies(&mut self, out: &mut Output<'_>) -> Result<(), Failure> {
        for place in 0..self.streams.len() {
            while self.send_piece(place, out)? {}
        }
        Ok(())
    }

    /// Sends one frame of a body; says whether there may be another.
    fn send_piece(&mut self, place: usize, out: &mut Output<'_>) -> Result<bool, Failure> {
        let stream = &mut self.streams[place];
        let left = match &stream.body {
            Pending::None => return Ok(false),
            Pending::Bytes(bytes, at) => bytes.len() - at,
            Pending::File(body) => usize::try_from(body.end - body.at).unwrap_or(usize::MAX),
        };
        let window = usize::try_from(self.window.min(stream.window)).unwrap_or(0);
        let wanted = left.min(window).min(self.longest);
        if wanted == 0 || !out.is_drained() {
            return Ok(false);
        }
        self.scratch.clear();
        let (id, last) = (stream.id, wanted == left);
        let taken = match &mut stream.body {
            Pending::None => 0,
            Pending::Bytes(bytes, at) => {
                head(wanted, frame::DATA, if last { frame::END } else { 0 }, id, &mut self.scratch);
                self.scratch.extend_from_slice(&bytes[*at..*at + wanted]);
                *at += wanted;
                wanted
            }
            Pending::File(body) => {
                self.scratch.resize(frame::HEAD + wanted, 0);
                let taken = body.read(&mut self.scratch[frame::HEAD..])?;
                self.scratch.truncate(frame::HEAD + taken);
                let mut own = Vec::with_capacity(frame::HEAD);
                head(taken, frame::DATA, if body.at == body.end { frame::END } else { 0 }, id, &mut own);
                self.scratch[..frame::HEAD].copy_from_slice(&own);
                taken
            }
        };
        self.window -= taken as i64;
        stream.window -= taken as i64;
        if taken == left {
            stream.body = Pending::None;
        }
        out.write(&self.scratch)?;
        Ok(true)
    }

    /// Takes one frame in.
    fn frame(
        &mut self,
        own: Head,
        payload: &[u8],
        wire: &Wire,
        out: &mut Output<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        if self.block_of.is_some() && own.kind != frame::CONTINUATION {
            return Err(Failure::parse("headers were interrupted by another frame"));
        }
        match own.kind {
            frame::DATA => self.data(own, payload, wire, out, events),
            frame::HEADERS => {
                let payload = unpadded(own, payload)?;
                let skipped = if own.is(frame::PRIORITY) { 5 } else { 0 };
                let block = payload.get(skipped..).ok_or(Failure::parse("a frame of headers is too short"))?;
                self.headers(own, own.is(frame::END), block, wire, events)
            }
            frame::CONTINUATION => match self.block_of {
                Some((id, end)) if id == own.stream => self.headers(own, end, payload, wire, events),
                _ => Err(Failure::parse("headers go on that never began")),
            },
            frame::RST_STREAM => {
                let Some(place) = self.place(own.stream) else { return Ok(()) };
                self.streams[place].id = 0;
                self.streams[place].body = Pending::None;
                let failure = Failure::new(Kind::Reset, "the service reset the stream");
                events.push(Event::Failed { stream: place, failure });
                Ok(())
            }
            frame::SETTINGS => self.settings(own, payload, out, events),
            frame::PING if !own.is(frame::END) => {
                let mut answer = Vec::with_capacity(frame::HEAD + payload.len());
                head(payload.len(), frame::PING, frame::END, 0, &mut answer);
                answer.extend_from_slice(payload);
                out.write(&answer)
            }
            frame::GOAWAY => {
                let last = frame::number(payload, 0).unwrap_or(0) & WIDEST;
                events.push(Event::Closing);
                for (place, stream) in self.streams.iter_mut().enumerate().filter(|(_, stream)| stream.id > last) {
                    stream.id = 0;
                    stream.body = Pending::None;
                    let failure = Failure::new(Kind::Closed, "the service closed the connection without taking the request");
                    events.push(Event::Failed { stream: place, failure });
                }
                Ok(())
            }
            frame::WINDOW_UPDATE => {
                let more = i64::from(frame::number(payload, 0).unwrap_or(0) & WIDEST);
                if own.stream == 0 {
                    self.window += more;
                } else if let Some(place) = self.place(own.stream) {
                    self.streams[place].window += more;
                }
                self.send_bodies(out)
            }
            frame::PUSH_PROMISE => Err(Failure::parse("the service pushes, and was asked not to")),
            // Pings that come back, priorities, and what is not known (RFC 9113, 4.1).
            _ => Ok(()),
        }
    }

    fn settings(&mut self, own: Head, payload: &[u8], out: &mut Output<'_>, events: &mut Vec<Event>) -> Result<(), Failure> {
        if own.is(frame::END) {
            return Ok(());
        }
        for setting in payload.chunks_exact(6) {
            let value = frame::number(setting, 2).unwrap_or(0);
            match u16::from_be_bytes([setting[0], setting[1]]) {
                3 if (value as usize) < self.streams.len() => {
                    return Err(Failure::new(
                        Kind::Other,
                        "the service allows fewer requests at once on a connection than asked for",
                    ));
                }
                4 => {
                    let change = i64::from(value) - self.stream_window;
                    self.stream_window += change;
                    for stream in self.streams.iter_mut().filter(|stream| stream.id != 0) {
                        stream.window += change;
                    }
                }
                5 => self.longest = (value as usize).clamp(frame::LONGEST, 1 << 20),
                _ => {}
            }
        }
        let mut answer = Vec::with_capacity(frame::HEAD);
        head(0, frame::SETTINGS, frame::END, 0, &mut answer);
        out.write(&answer)?;
        if !self.greeted {
            self.greeted = true;
            events.push(Event::Opened);
        }
        self.send_bodies(out)
    }

    fn headers(&mut self, own: Head, end: bool, block: &[u8], wire: &Wire, events: &mut Vec<Event>) -> Result<(), Failure> {
        if self.block.len() + block.len() > LONGEST_HEADERS {
            return Err(Failure::parse("the head of the response is longer than 64 KiB"));
        }
        if !own.is(frame::END_HEADERS) {
            self.block.extend_from_slice(block);
            self.block_of = Some((own.stream, end));
            return Ok(());
        }
        self.block_of = None;
        let joined;
        let block = if self.block.is_empty() {
            block
        } else {
            self.block.extend_from_slice(block);
            joined = std::mem::take(&mut self.block);
            &joined
        };
        let Some(place) = self.place(own.stream) else { return Ok(()) };
        let stream = &mut self.streams[place];
        let keep = wire.steps[stream.step].keeps && stream.status < 200;
        let status = hpack::decode(block, keep.then_some(&mut stream.kept.headers))?;
        if stream.status < 200 {
            stream.status = status.ok_or(Failure::parse("the response has no status"))?;
            if stream.status < 200 {
                // An interim response; the real one follows.
                stream.kept.clear();
                return Ok(());
            }
        }
        self.went_on(place, end, wire, events);
        Ok(())
    }

    fn data(
        &mut self,
        own: Head,
        payload: &[u8],
        wire: &Wire,
        out: &mut Output<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        self.used += own.length as u64;
        if self.used >= REFILL {
            let mut update = Vec::with_capacity(frame::HEAD + 4);
            head(4, frame::WINDOW_UPDATE, 0, 0, &mut update);
            update.extend_from_slice(&(self.used as u32).to_be_bytes());
            out.write(&update)?;
            self.used = 0;
        }
        let Some(place) = self.place(own.stream) else { return Ok(()) };
        let stream = &mut self.streams[place];
        if stream.status < 200 {
            return Err(Failure::parse("a body came before its headers"));
        }
        if wire.steps[stream.step].keeps {
            stream.kept.push(unpadded(own, payload)?);
        }
        self.went_on(place, own.is(frame::END), wire, events);
        Ok(())
    }

    /// Something of an answer came, maybe the last of it.
    fn went_on(&mut self, place: usize, end: bool, wire: &Wire, events: &mut Vec<Event>) {
        let exhausted = self.next_id > LAST_STREAM;
        let stream = &mut self.streams[place];
        if end {
            stream.id = 0;
            // What is answered before it is out need not go out any more.
            stream.body = Pending::None;
            if exhausted {
                events.push(Event::Closing);
            }
            events.push(Event::Answered {
                stream: place,
                status: stream.status,
                excess: false,
                keep: wire.keep_alive && !exhausted,
            });
        } else if !stream.begun {
            events.push(Event::Began { stream: place });
        }
        stream.begun = true;
    }
}

impl Carrier for Http2 {
    fn open(&mut self, _: &Wire, out: &mut Output<'_>) -> Result<bool, Failure> {
        if out.alpn().is_some_and(|agreed| agreed != b"h2") {
            return Err(Failure::new(Kind::Other, "the service does not speak HTTP/2 (it chose another protocol within TLS)"));
        }
        let mut bytes = PREFACE.to_vec();
        // No table of headers, no pushes, and windows as wide as they can be.
        let settings = [(1_u16, 0_u32), (2, 0), (4, WIDEST)];
        head(settings.len() * 6, frame::SETTINGS, 0, 0, &mut bytes);
        for (name, value) in settings {
            bytes.extend_from_slice(&name.to_be_bytes());
            bytes.extend_from_slice(&value.to_be_bytes());
        }
        head(4, frame::WINDOW_UPDATE, 0, 0, &mut bytes);
        bytes.extend_from_slice(&(WIDEST - USUAL_WINDOW as u32).to_be_bytes());
        out.write(&bytes)?;
        Ok(false)
    }

    fn send(&mut self, place: usize, request: Request<'_>, wire: &Wire, out: &mut Output<'_>) -> Result<(), Failure> {
        let prepared = &wire.steps[request.step];
        let id = self.next_id;
        self.next_id += 2;
        let stream = &mut self.streams[place];
        stream.id = id;
        stream.step = request.step;
        stream.status = 0;
        stream.begun = false;
        stream.window = self.stream_window;
        stream.kept.clear();
        let step = &prepared.step;
        let mut values = request.values;
        let mut render = |template: &Template, into: &mut Vec<u8>| match &mut values {
            Some(values) => template.render(values, &wire.feeds, into),
            None => into.extend(template.texts().flatten()),
        };
        let mut body = Vec::new();
        let length = match &step.body {
            Body::Bytes(template) => {
                render(template, &mut body);
                body.len() as u64
            }
            Body::File { length, .. } => *length,
        };
        let made;
        let block = match &prepared.fixed {
            Some(block) => block,
            None => {
                made = block_of(step, wire, length, &mut render);
                &made
            }
        };
        let end = if length == 0 { frame::END } else { 0 };
        self.scratch.clear();
        let mut pieces = block.chunks(frame::LONGEST).peekable();
        let (mut kind, mut flags) = (frame::HEADERS, end);
        while let Some(piece) = pieces.next() {
            let last = if pieces.peek().is_none() { frame::END_HEADERS } else { 0 };
            head(piece.len(), kind, flags | last, id, &mut self.scratch);
            self.scratch.extend_from_slice(piece);
            (kind, flags) = (frame::CONTINUATION, 0);
        }
        // A short body goes out with its headers.
        let fits = i64::try_from(body.len()).is_ok_and(|length| length <= self.window.min(stream.window));
        if !body.is_empty() && body.len() <= frame::LONGEST && fits {
            head(body.len(), frame::DATA, frame::END, id, &mut self.scratch);
            self.scratch.extend_from_slice(&body);
            self.window -= body.len() as i64;
            stream.window -= body.len() as i64;
            return out.write(&self.scratch);
        }
        stream.body = match &step.body {
            _ if length == 0 => Pending::None,
            Body::Bytes(_) => Pending::Bytes(body, 0),
            Body::File { file, length } => Pending::File(FileBody { file: file.clone(), at: 0, end: *length }),
        };
        out.write(&self.scratch)?;
        while self.send_piece(place, out)? {}
        Ok(())
    }

    fn resume(&mut self, out: &mut Output<'_>) -> Result<(), Failure> {
        self.send_bodies(out)
    }

    fn receive(&mut self, bytes: &[u8], wire: &Wire, out: &mut Output<'_>, events: &mut Vec<Event>) -> Result<(), Failure> {
        let inbox = std::mem::take(&mut self.inbox);
        let joined = if inbox.is_empty() { None } else { Some([inbox.as_slice(), bytes].concat()) };
        let mut rest = joined.as_deref().unwrap_or(bytes);
        if !self.greeted && rest.starts_with(b"HTTP/1") {
            return Err(Failure::parse("the service answered with HTTP/1.1 and does not speak HTTP/2 here"));
        }
        while let Some(own) = Head::read(rest) {
            if own.length > frame::LONGEST {
                return Err(Failure::parse("a frame is longer than it may be, or the service does not speak HTTP/2"));
            }
            let whole = frame::HEAD + own.length;
            if rest.len() < whole {
                break;
            }
            self.frame(own, &rest[frame::HEAD..whole], wire, out, events)?;
            rest = &rest[whole..];
        }
        self.inbox = rest.to_vec();
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<Event>) -> Result<(), Failure> {
        match self.streams.iter().find(|stream| stream.id != 0) {
            None => Ok(()),
            Some(stream) if stream.begun => {
                Err(Failure::new(Kind::Closed, "the connection was closed in the middle of the response"))
            }
            Some(_) => Err(Failure::new(Kind::Closed, "the connection was closed before any byte of the response")),
        }
    }

    fn cancel(&mut self, place: usize, out: &mut Output<'_>) -> bool {
        let stream = &mut self.streams[place];
        let mut reset = Vec::with_capacity(frame::HEAD + 4);
        head(4, frame::RST_STREAM, 0, stream.id, &mut reset);
        reset.extend_from_slice(&CANCEL.to_be_bytes());
        stream.id = 0;
        stream.body = Pending::None;
        out.write(&reset).is_ok()
    }

    fn answer(&self, stream: usize) -> Option<&Kept> {
        self.streams.get(stream).map(|stream| &stream.kept)
    }
}

/// A payload without its padding.
fn unpadded(own: Head, payload: &[u8]) -> Result<&[u8], Failure> {
    if !own.is(frame::PADDED) {
        return Ok(payload);
    }
    let (&padding, rest) = payload.split_first().ok_or(Failure::parse("a padded frame is empty"))?;
    let length = rest.len().checked_sub(usize::from(padding));
    length.map(|length| &rest[..length]).ok_or(Failure::parse("a frame has more padding than bytes"))
}

/// The header block of a step without values.
pub(super) fn fixed_head(step: &Step, wire: &Wire) -> Vec<u8> {
    let length = step.fixed_body().len() as u64;
    block_of(step, wire, length, &mut |template, into| into.extend(template.texts().flatten()))
}

fn block_of(step: &Step, wire: &Wire, length: u64, render: &mut dyn FnMut(&Template, &mut Vec<u8>)) -> Vec<u8> {
    let mut block = Vec::new();
    let mut text = Vec::new();
    let has = |name: &str| step.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    hpack::encode(b":method", step.method.as_bytes(), &mut block);
    hpack::encode(b":scheme", if wire.tls.is_some() { b"https" } else { b"http" }, &mut block);
    let authority = step.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
    match authority {
        Some((_, value)) => {
            render(value, &mut text);
            hpack::encode(b":authority", &text, &mut block);
        }
        None => hpack::encode(b":authority", wire.authority.as_bytes(), &mut block),
    }
    text.clear();
    render(&step.path, &mut text);
    hpack::encode(b":path", &text, &mut block);
    if !has("user-agent") {
        hpack::encode(b"user-agent", crate::target::USER_AGENT.as_bytes(), &mut block);
    }
    for (name, value) in &step.headers {
        let name = name.to_ascii_lowercase();
        // What belongs to a connection of HTTP/1.1 has no place here (RFC 9113, 8.2.2).
        if matches!(name.as_str(), "host" | "connection" | "keep-alive" | "proxy-connection" | "upgrade") {
            continue;
        }
        text.clear();
        render(value, &mut text);
        hpack::encode(name.as_bytes(), &text, &mut block);
    }
    if step.has_body() && !has("content-length") {
        text.clear();
        // Writing into memory can't fail.
        drop(write!(text, "{length}"));
        hpack::encode(b"content-length", &text, &mut block);
    }
    block
}
