//! The body of an answer: taken in up to a bound, decompressed here so that the headers stay whole and both sizes are
//! known, and told apart into JSON, text and bytes.

use std::io::{self, Write};

use patchbay_contracts::probe::Body;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use serde_json::Value;

/// How many bytes of a binary body are shown.
const HEX: usize = 512;
/// The most encodings that may lie over each other.
const MOST_CODINGS: usize = 3;
/// Texts beyond this size are not tried as JSON unless their media type says so.
const GUESSED: usize = 1024 * 1024;

/// Why a body isn't whole, as far as the body itself can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is larger than the bound.
    TooLarge,
    /// The compressed data is damaged or ends too early.
    Damaged,
}

/// A body that comes in.
pub(super) struct Intake {
    bound: u64,
    wire: u64,
    decoder: Option<Box<dyn Decoder>>,
    /// Encodings that can't be taken off.
    unknown: Option<String>,
    fault: Option<Fault>,
}

/// Bytes, up to a bound.
struct Sink {
    bytes: Vec<u8>,
    bound: usize,
    full: bool,
}

impl Sink {
    fn new(bound: usize) -> Self {
        Self { bytes: Vec::new(), bound, full: false }
    }
}

impl Write for Sink {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let room = self.bound - self.bytes.len();
        self.bytes.extend_from_slice(&buffer[..buffer.len().min(room)]);
        if buffer.len() > room {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Something that takes an encoding off and passes the rest on, with the sink at its end.
trait Decoder: Send {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Says that nothing more comes.
    fn finish(&mut self) -> io::Result<()>;
    fn sink(&mut self) -> &mut Sink;
}

impl Decoder for Sink {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn sink(&mut self) -> &mut Sink {
        self
    }
}

/// A decoder as a writer, to stand behind another.
struct Next(Box<dyn Decoder>);

impl Write for Next {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.put(buffer)?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Decoder for flate2::write::MultiGzDecoder<Next> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.try_finish()?;
        self.get_mut().0.finish()
    }

    fn sink(&mut self) -> &mut Sink {
        self.get_mut().0.sink()
    }
}

impl Decoder for brotli::DecompressorWriter<Next> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.close()?;
        self.get_mut().0.finish()
    }

    fn sink(&mut self) -> &mut Sink {
        self.get_mut().0.sink()
    }
}

/// `deflate`, which is zlib by the standard (RFC 9110, 8.4.1.2) and bare deflate from some servers: the first two bytes
/// tell.
enum Deflate {
    Undecided(Vec<u8>, Next),
    Zlib(flate2::write::ZlibDecoder<Next>),
    Bare(flate2::write::DeflateDecoder<Next>),
}

impl Decoder for Deflate {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Zlib(decoder) => decoder.write_all(bytes),
            Self::Bare(decoder) => decoder.write_all(bytes),
            Self::Undecided(head, next) => {
                head.extend_from_slice(bytes);
                let Some(&[first, second]) = head.first_chunk::<2>() else { return Ok(()) };
                let head = std::mem::take(head);
                let next = Next(std::mem::replace(&mut next.0, Box::new(Sink::new(0))));
                *self = if first & 0x0f == 8 && u16::from_be_bytes([first, second]).is_multiple_of(31) {
                    Self::Zlib(flate2::write::ZlibDecoder::new(next))
                } else {
                    Self::Bare(flate2::write::DeflateDecoder::new(next))
                };
                self.put(&head)
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Undecided(head, next) if head.is_empty() => next.0.finish(),
            Self::Undecided(..) => Err(io::ErrorKind::UnexpectedEof.into()),
            Self::Zlib(decoder) => {
                decoder.try_finish()?;
                decoder.get_mut().0.finish()
            }
            Self::Bare(decoder) => {
                decoder.try_finish()?;
                decoder.get_mut().0.finish()
            }
        }
    }

    fn sink(&mut self) -> &mut Sink {
        match self {
            Self::Undecided(_, next) => next.0.sink(),
            Self::Zlib(decoder) => decoder.get_mut().0.sink(),
            Self::Bare(decoder) => decoder.get_mut().0.sink(),
        }
    }
}

impl Intake {
    /// For a body with these headers and at most `bound` bytes before and after decompression.
    pub(super) fn new(headers: &HeaderMap, bound: u64) -> Self {
        let size = usize::try_from(bound).unwrap_or(usize::MAX);
        let mut decoder: Box<dyn Decoder> = Box::new(Sink::new(size));
        let text = headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
        let codings: Vec<String> = text
            .split(',')
            .map(|coding| coding.trim().to_ascii_lowercase())
            .filter(|coding| !coding.is_empty() && coding != "identity")
            .collect();
        let known = |coding: &String| matches!(coding.as_str(), "gzip" | "x-gzip" | "deflate" | "br");
        let mut unknown = None;
        if codings.len() > MOST_CODINGS || !codings.iter().all(known) {
            unknown = Some(codings.join(", "));
        } else {
            // They were put on in this order; the innermost stands next to the sink.
            for coding in &codings {
                let next = Next(decoder);
                decoder = match coding.as_str() {
                    "deflate" => Box::new(Deflate::Undecided(Vec::new(), next)),
                    "br" => Box::new(brotli::DecompressorWriter::new(next, 4096)),
                    _ => Box::new(flate2::write::MultiGzDecoder::new(next)),
                };
            }
        }
        Self { bound, wire: 0, decoder: Some(decoder), unknown, fault: None }
    }

    /// Takes bytes in; says whether more may come.
    pub(super) fn put(&mut self, bytes: &[u8]) -> bool {
        let room = self.bound.saturating_sub(self.wire);
        self.wire += bytes.len() as u64;
        let within = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        if let Some(decoder) = &mut self.decoder
            && decoder.put(&bytes[..within]).is_err()
        {
            self.fault = Some(if decoder.sink().full { Fault::TooLarge } else { Fault::Damaged });
        }
        // Compressed data can go on for ever without a byte of content in it.
        if within < bytes.len() {
            self.fault.get_or_insert(Fault::TooLarge);
        }
        self.fault.is_none()
    }

    /// The encodings that could not be taken off.
    pub(super) fn unknown_coding(&self) -> Option<&str> {
        self.unknown.as_deref()
    }

    /// The body, and why it isn't whole. `complete` says whether the connection delivered all of it. `clean` takes
    /// secrets out of bytes that are shown in hexadecimal, where nobody could find them later; text and JSON still hold
    /// them.
    pub(super) fn finish(
        mut self,
        headers: &HeaderMap,
        complete: bool,
        clean: impl Fn(&[u8]) -> Vec<u8>,
    ) -> (Body, Option<Fault>) {
        let mut bytes = Vec::new();
        if let Some(mut decoder) = self.decoder.take() {
            // A body that was cut off has no proper end; that it was cut off is told already.
            if self.fault.is_none() && self.wire > 0 && decoder.finish().is_err() {
                let fault = if decoder.sink().full { Fault::TooLarge } else { Fault::Damaged };
                if complete || fault == Fault::TooLarge {
                    self.fault = Some(fault);
                }
            }
            bytes = std::mem::take(&mut decoder.sink().bytes);
        }
        let truncated = self.fault.is_some() || !complete;
        let (media_type, charset) = media_type(headers);
        let size = bytes.len() as u64;
        let opaque = self.unknown.is_some();
        let text = if opaque { None } else { as_text(&bytes, &media_type, charset.as_deref(), truncated) };
        let json = text.as_deref().filter(|_| !truncated).and_then(|text| as_json(text, &media_type));
        let hex = (text.is_none() && !bytes.is_empty()).then(|| hex(&clean(&bytes)));
        (Body { media_type, wire_bytes: self.wire, bytes: size, text, json, hex, truncated }, self.fault)
    }
}

/// The media type without parameters, in lower case, and the charset.
fn media_type(headers: &HeaderMap) -> (String, Option<String>) {
    let value = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default();
    let mut parts = value.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.eq_ignore_ascii_case("charset").then(|| value.trim_matches('"').to_ascii_lowercase())
    });
    (media_type, charset)
}

/// Whether a media type says JSON.
pub(super) fn says_json(media_type: &str) -> bool {
    media_type.ends_with("/json") || media_type.ends_with("+json")
}

fn says_text(media_type: &str) -> bool {
    const TEXTS: [&str; 9] = [
        "application/xml",
        "application/javascript",
        "application/x-www-form-urlencoded",
        "application/yaml",
        "application/x-yaml",
        "application/toml",
        "application/graphql",
        "application/x-ndjson",
        "application/openmetrics-text",
    ];
    media_type.starts_with("text/") || says_json(media_type) || media_type.ends_with("+xml") || TEXTS.contains(&media_type)
}

/// The bytes as text, where they are text.
fn as_text(bytes: &[u8], media_type: &str, charset: Option<&str>, truncated: bool) -> Option<String> {
    if bytes.is_empty() {
        return None;
    }
    if matches!(charset, Some("iso-8859-1" | "latin1" | "latin-1" | "iso_8859-1" | "us-ascii")) {
        return Some(bytes.iter().map(|byte| char::from(*byte)).collect());
    }
    if says_text(media_type) {
        return Some(String::from_utf8_lossy(bytes).into_owned());
    }
    // Nobody said that it is text. It is, if it reads as one and has none of the characters that only binary data has.
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // A bound cuts where it falls, possibly within a character.
        Err(error) if truncated && error.error_len().is_none() => std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let binary = text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{1b}'));
    (!binary).then(|| text.to_owned())
}

/// The text as JSON, where it is JSON. Nesting is bounded by the parser, at 128.
fn as_json(text: &str, media_type: &str) -> Option<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let looks = || text.len() <= GUESSED && text.trim_start().starts_with(['{', '[']);
    let markup = media_type.ends_with("html") || media_type.ends_with("xml");
    if says_json(media_type) || !markup && looks() { serde_json::from_str(text).ok() } else { None }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(HEX * 3);
    for (index, byte) in bytes.iter().take(HEX).enumerate() {
        if index > 0 {
            text.push(if index % 16 == 0 { '\n' } else { ' ' });
        }
        // Writing to a text can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
