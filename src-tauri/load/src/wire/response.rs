//! An HTTP/1.1 response as it comes in: where it ends, its status, and whether the connection can be used again
//! (RFC 9112). The body is thrown away, but where somebody looks into it.

use std::mem::MaybeUninit;

use super::Kept;
use crate::failure::{Failure, Kind};

/// The most bytes that a head may have, and the trailers after a chunked body.
const LONGEST_HEAD: usize = 64 * 1024;
/// The most header lines.
const MOST_HEADERS: usize = 128;
/// The most bytes on the line in front of a chunk.
const LONGEST_CHUNK_LINE: usize = 4 * 1024;

/// The state of one response; used again for the next one on the connection.
#[derive(Debug)]
pub(crate) struct Response {
    stage: Stage,
    /// The part of a head that came without its end.
    head: Vec<u8>,
    status: u16,
    keep: bool,
    /// Whether any byte has come.
    begun: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Head,
    /// So many bytes of body are to come.
    Sized(u64),
    UntilClose,
    /// The line in front of a chunk.
    ChunkLine(ChunkLine),
    /// So many bytes of the chunk are to come.
    Chunk(u64),
    /// The line end after a chunk; whether its CR was seen.
    ChunkEnd(bool),
    /// The trailers: bytes in all, bytes on this line.
    Trailers(usize, usize),
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct ChunkLine {
    size: u64,
    digits: u8,
    /// Bytes on the line so far.
    length: usize,
    /// The digits are over, and what follows up to the line's end is an extension.
    extension: bool,
    /// The CR was seen.
    ending: bool,
}

impl Response {
    pub(crate) const fn new() -> Self {
        Self { stage: Stage::Head, head: Vec::new(), status: 0, keep: false, begun: false }
    }

    /// Makes ready for the next response.
    pub(crate) fn reset(&mut self) {
        self.stage = Stage::Head;
        self.head.clear();
        self.begun = false;
    }

    /// The status, once the response is complete.
    pub(crate) const fn status(&self) -> u16 {
        self.status
    }

    /// Whether the connection may be used again, once the response is complete.
    pub(crate) const fn keeps_connection(&self) -> bool {
        self.keep
    }

    /// Whether any byte has come.
    pub(crate) const fn has_begun(&self) -> bool {
        self.begun
    }

    /// Takes bytes in and returns how many of them were the response's, and whether it is complete. Where it isn't, all
    /// were. Header lines and body go into `kept`, where they are wanted.
    pub(crate) fn feed(&mut self, bytes: &[u8], to_head: bool, mut kept: Option<&mut Kept>) -> Result<(usize, bool), Failure> {
        let mut used = 0;
        self.begun |= !bytes.is_empty();
        while used < bytes.len() && self.stage != Stage::Done {
            used += self.step(&bytes[used..], to_head, kept.as_deref_mut())?;
        }
        Ok((used, self.stage == Stage::Done))
    }

    /// Takes note that the other side has closed; the response is complete, or it is a failure.
    pub(crate) fn end(&mut self) -> Result<(), Failure> {
        match self.stage {
            Stage::UntilClose | Stage::Done => {
                self.stage = Stage::Done;
                Ok(())
            }
            _ if self.begun => Err(Failure::new(Kind::Closed, "the connection was closed in the middle of the response")),
            _ => Err(Failure::new(Kind::Closed, "the connection was closed before any byte of the response")),
        }
    }

    fn step(&mut self, bytes: &[u8], to_head: bool, kept: Option<&mut Kept>) -> Result<usize, Failure> {
        match self.stage {
            Stage::Head => self.step_head(bytes, to_head, kept),
            Stage::Sized(left) => {
                let taken = left.min(bytes.len() as u64);
                keep(kept, &bytes[..taken as usize]);
                self.stage = if taken == left { Stage::Done } else { Stage::Sized(left - taken) };
                Ok(taken as usize)
            }
            Stage::Chunk(left) => {
                let taken = left.min(bytes.len() as u64);
                keep(kept, &bytes[..taken as usize]);
                self.stage = if taken == left { Stage::ChunkEnd(false) } else { Stage::Chunk(left - taken) };
                Ok(taken as usize)
            }
            Stage::UntilClose => {
                keep(kept, bytes);
                Ok(bytes.len())
            }
            Stage::ChunkLine(line) => {
                self.stage = line.step(bytes[0])?;
                Ok(1)
            }
            Stage::ChunkEnd(ending) => {
                self.stage = match (bytes[0], ending) {
                    (b'\r', false) => Stage::ChunkEnd(true),
                    (b'\n', true) => Stage::ChunkLine(ChunkLine::default()),
                    _ => return Err(Failure::parse("a chunk is longer than it said")),
                };
                Ok(1)
            }
            Stage::Trailers(all, line) => {
                if all == LONGEST_HEAD {
                    return Err(Failure::parse("the trailers are longer than 64 KiB"));
                }
                self.stage = match bytes[0] {
                    b'\n' if line == 0 => Stage::Done,
                    b'\n' => Stage::Trailers(all + 1, 0),
                    b'\r' => Stage::Trailers(all + 1, line),
                    _ => Stage::Trailers(all + 1, line + 1),
                };
                Ok(1)
            }
            Stage::Done => Ok(0),
        }
    }

    fn step_head(&mut self, bytes: &[u8], to_head: bool, kept: Option<&mut Kept>) -> Result<usize, Failure> {
        // Most heads come whole, and need not be copied.
        if self.head.is_empty() {
            if let Some(length) = self.parse_head(bytes, to_head, kept)? {
                return Ok(length);
            }
            self.append_to_head(bytes)?;
            return Ok(bytes.len());
        }
        let before = self.head.len();
        self.append_to_head(bytes)?;
        // Parsing again from the start is only worth it where the end is there; a head that drips in byte by byte would
        // otherwise cost the square of its length.
        let Some(end) = end_of_head(&self.head, before.saturating_sub(3)) else { return Ok(bytes.len()) };
        let head = std::mem::take(&mut self.head);
        let length = self.parse_head(&head[..end], to_head, kept);
        self.head = head;
        self.head.clear();
        match length? {
            Some(length) => Ok(length.saturating_sub(before)),
            None => Err(Failure::parse("the head of the response has an empty line in its middle")),
        }
    }

    fn append_to_head(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let room = LONGEST_HEAD - self.head.len();
        let taken = &bytes[..bytes.len().min(room)];
        self.head.extend_from_slice(taken);
        // A head that ends within the room is fine, whatever follows it.
        if taken.len() < bytes.len() && end_of_head(&self.head, 0).is_none() {
            return Err(Failure::parse("the head of the response is longer than 64 KiB"));
        }
        Ok(())
    }

    /// Parses a head and sets up for its body; nothing where it isn't complete.
    fn parse_head(&mut self, bytes: &[u8], to_head: bool, kept: Option<&mut Kept>) -> Result<Option<usize>, Failure> {
        let mut headers = [const { MaybeUninit::uninit() }; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut []);
        let length =
            match httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut response, bytes, &mut headers)? {
                httparse::Status::Complete(length) => length,
                httparse::Status::Partial => return Ok(None),
            };
        let status = response.code.unwrap_or_default();
        if status == 101 || status < 100 {
            return Err(Failure::parse("the status is not that of an answer to this request"));
        }
        if status < 200 {
            // An interim response; the real one follows.
            return Ok(Some(length));
        }
        let framing = Framing::read(response.version == Some(1), response.headers)?;
        if let Some(kept) = kept {
            let text = |header: &httparse::Header<'_>| String::from_utf8_lossy(header.value).into_owned();
            kept.headers.extend(response.headers.iter().map(|header| (header.name.to_owned(), text(header))));
        }
        self.status = status;
        self.keep = framing.keep;
        self.stage = if to_head || status == 204 || status == 304 {
            Stage::Done
        } else if framing.chunked {
            Stage::ChunkLine(ChunkLine::default())
        } else {
            match framing.length {
                Some(0) => Stage::Done,
                Some(length) => Stage::Sized(length),
                None => {
                    self.keep = false;
                    Stage::UntilClose
                }
            }
        };
        Ok(Some(length))
    }
}

fn keep(kept: Option<&mut Kept>, bytes: &[u8]) {
    if let Some(kept) = kept {
        kept.push(bytes);
    }
}

impl ChunkLine {
    fn step(mut self, byte: u8) -> Result<Stage, Failure> {
        self.length += 1;
        if self.length > LONGEST_CHUNK_LINE {
            return Err(Failure::parse("the line in front of a chunk is longer than 4 KiB"));
        }
        match byte {
            b'\n' if self.ending && self.digits > 0 => {
                return Ok(if self.size == 0 { Stage::Trailers(0, 0) } else { Stage::Chunk(self.size) });
            }
            b'\r' if !self.ending => self.ending = true,
            _ if self.ending => return Err(Failure::parse("the line in front of a chunk doesn't end as it should")),
            _ if self.extension => {}
            b';' | b' ' | b'\t' if self.digits > 0 => self.extension = true,
            _ => {
                let Some(digit) = (byte as char).to_digit(16).filter(|_| self.digits < 16) else {
                    return Err(Failure::parse("the size of a chunk is not a hexadecimal number"));
                };
                self.size = self.size << 4 | u64::from(digit);
                self.digits += 1;
            }
        }
        Ok(Stage::ChunkLine(self))
    }
}

/// What the header lines say of the body and the connection.
struct Framing {
    chunked: bool,
    length: Option<u64>,
    keep: bool,
}

impl Framing {
    fn read(is_1_1: bool, headers: &[httparse::Header<'_>]) -> Result<Self, Failure> {
        let mut framing = Self { chunked: false, length: None, keep: is_1_1 };
        let mut encoded = false;
        for header in headers {
            // The lengths tell the names apart without looking at most of them.
            match header.name.len() {
                10 if header.name.eq_ignore_ascii_case("connection") => {
                    for word in words(header.value) {
                        if word.eq_ignore_ascii_case(b"close") {
                            framing.keep = false;
                        } else if word.eq_ignore_ascii_case(b"keep-alive") && !is_1_1 {
                            framing.keep = true;
                        }
                    }
                }
                14 if header.name.eq_ignore_ascii_case("content-length") => {
                    for word in words(header.value) {
                        let length = decimal(word).ok_or(Failure::parse("the content length is not a number"))?;
                        if framing.length.is_some_and(|before| before != length) {
                            return Err(Failure::parse("there are two content lengths, and they differ"));
                        }
                        framing.length = Some(length);
                    }
                }
                17 if header.name.eq_ignore_ascii_case("transfer-encoding") => {
                    encoded = true;
                    framing.chunked = words(header.value).last().is_some_and(|last| last.eq_ignore_ascii_case(b"chunked"));
                }
                _ => {}
            }
        }
        if encoded {
            // The encoding overrides a length, and such a connection is not to be trusted further (RFC 9112, 6.3).
            framing.keep &= framing.length.is_none();
            framing.length = None;
        }
        Ok(framing)
    }
}

fn words(value: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii)
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, &byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// Where the empty line ends that ends a head, looking from `from` on.
fn end_of_head(head: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(next) = head[at..].iter().position(|&byte| byte == b'\n') {
        at += next + 1;
        match &head[at..] {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
    None
}
