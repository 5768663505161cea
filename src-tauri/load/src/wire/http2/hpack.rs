//! Header compression (RFC 7541), as far as a client needs it that lets the other side keep no table of its own making:
//! every block can be read by itself.

use std::sync::LazyLock;

use crate::failure::Failure;

/// The lengths in bits of the Huffman codes of all bytes and of the end (RFC 7541, appendix B). The code is canonical, so
/// the lengths tell the codes.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// The static table's names (RFC 7541, appendix A), from index 1 on, and the values of those that have one.
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// Where `:status` begins in the static table, and where it ends.
const STATUS: std::ops::RangeInclusive<usize> = 8..=14;

/// Appends a field that nobody is to remember.
pub(super) fn encode(name: &[u8], value: &[u8], into: &mut Vec<u8>) {
    let known = |with_value: bool| {
        STATIC.iter().position(|(own, its)| own.as_bytes() == name && (!with_value || !its.is_empty() && its.as_bytes() == value))
    };
    if let Some(place) = known(true) {
        integer(place + 1, 7, 0x80, into);
        return;
    }
    match known(false) {
        Some(place) => integer(place + 1, 4, 0, into),
        None => {
            integer(0, 4, 0, into);
            integer(name.len(), 7, 0, into);
            into.extend_from_slice(name);
        }
    }
    integer(value.len(), 7, 0, into);
    into.extend_from_slice(value);
}

/// An integer with a prefix of so many bits, behind these first bits (RFC 7541, 5.1).
fn integer(value: usize, bits: u32, first: u8, into: &mut Vec<u8>) {
    let most = (1_usize << bits) - 1;
    if value < most {
        into.push(first | value as u8);
        return;
    }
    into.push(first | most as u8);
    let mut rest = value - most;
    while rest >= 128 {
        into.push((rest & 127) as u8 | 128);
        rest >>= 7;
    }
    into.push(rest as u8);
}

/// Reads a block, calls `field` with each name and value where they are wanted, and gives the status.
pub(super) fn decode(block: &[u8], mut fields: Option<&mut Vec<(String, String)>>) -> Result<Option<u16>, Failure> {
    let mut bytes = block;
    let mut status = None;
    while let Some(&first) = bytes.first() {
        if first & 0x80 != 0 {
            let index = take_integer(&mut bytes, 7)?;
            let Some((name, value)) = index.checked_sub(1).and_then(|place| STATIC.get(place)) else { return Err(unknown()) };
            if STATUS.contains(&index) {
                status = value.parse().ok();
            }
            if let Some(fields) = fields.as_deref_mut().filter(|_| !name.starts_with(':')) {
                fields.push(((*name).to_owned(), (*value).to_owned()));
            }
            continue;
        }
        if first & 0xe0 == 0x20 {
            // The other side says how large its table is; it was asked to have none.
            take_integer(&mut bytes, 5)?;
            continue;
        }
        let index = take_integer(&mut bytes, if first & 0xc0 == 0x40 { 6 } else { 4 })?;
        let literal = if index == 0 { Some(take_text(&mut bytes)?) } else { None };
        let value = take_text(&mut bytes)?;
        let name_is_status = STATUS.contains(&index) || literal.as_ref().is_some_and(|name| name.is(b":status"));
        if name_is_status {
            status = Some(value.number().ok_or(Failure::parse("the status is not a number of three digits"))?);
        } else if let Some(fields) = fields.as_deref_mut() {
            let name = match (&literal, index.checked_sub(1).and_then(|place| STATIC.get(place))) {
                (Some(name), _) => name.decoded()?,
                (None, Some((name, _))) => (*name).to_owned(),
                (None, None) => return Err(unknown()),
            };
            fields.push((name, value.decoded()?));
        } else if index > STATIC.len() {
            return Err(unknown());
        }
    }
    Ok(status)
}

const fn unknown() -> Failure {
    Failure::parse("a header refers to a table that the service was asked not to keep")
}

const fn cut() -> Failure {
    Failure::parse("a header block ends in the middle of a field")
}

fn take_integer(bytes: &mut &[u8], bits: u32) -> Result<usize, Failure> {
    let (&first, mut rest) = bytes.split_first().ok_or(cut())?;
    let most = (1_usize << bits) - 1;
    let mut value = usize::from(first) & most;
    if value == most {
        let mut shift = 0;
        loop {
            let (&next, behind) = rest.split_first().ok_or(cut())?;
            rest = behind;
            if shift > 21 {
                return Err(Failure::parse("a number in a header block is too large"));
            }
            value += usize::from(next & 127) << shift;
            shift += 7;
            if next & 128 == 0 {
                break;
            }
        }
    }
    *bytes = rest;
    Ok(value)
}

/// A text as it stands in a block.
struct Text<'a> {
    coded: bool,
    bytes: &'a [u8],
}

fn take_text<'a>(bytes: &mut &'a [u8]) -> Result<Text<'a>, Failure> {
    let coded = bytes.first().ok_or(cut())? & 0x80 != 0;
    let length = take_integer(bytes, 7)?;
    if length > bytes.len() {
        return Err(cut());
    }
    let (text, rest) = bytes.split_at(length);
    *bytes = rest;
    Ok(Text { coded, bytes: text })
}

impl Text<'_> {
    fn is(&self, plain: &[u8]) -> bool {
        if self.coded { huffman(self.bytes).is_some_and(|text| text == plain) } else { self.bytes == plain }
    }

    fn number(&self) -> Option<u16> {
        let digits = if self.coded { huffman(self.bytes)? } else { self.bytes.to_vec() };
        if digits.len() != 3 {
            return None;
        }
        std::str::from_utf8(&digits).ok()?.parse().ok()
    }

    fn decoded(&self) -> Result<String, Failure> {
        let bytes = if self.coded {
            huffman(self.bytes).ok_or(Failure::parse("a header is not in HPACK's Huffman code"))?
        } else {
            self.bytes.to_vec()
        };
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// For each length in bits: the first code of that length, and the symbols in order.
static CODES: LazyLock<Vec<(u32, Vec<u16>)>> = LazyLock::new(|| {
    let mut codes = Vec::new();
    let mut next = 0_u32;
    for length in 0..=30_u8 {
        next <<= 1;
        let symbols: Vec<u16> = (0_u16..).zip(LENGTHS).filter(|&(_, its)| its == length).map(|(symbol, _)| symbol).collect();
        let first = next;
        next += symbols.len() as u32;
        codes.push((first, symbols));
    }
    codes
});

/// Decodes a text; nothing where it is in no such code.
fn huffman(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(bytes.len() * 2);
    let (mut code, mut length) = (0_u32, 0_usize);
    for bit in bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)) {
        code = code << 1 | u32::from(bit);
        length += 1;
        let (first, symbols) = CODES.get(length)?;
        if let Some(symbol) = code.checked_sub(*first).and_then(|place| symbols.get(place as usize)) {
            // The end is never written out.
            text.push(u8::try_from(*symbol).ok()?);
            (code, length) = (0, 0);
        }
    }
    // What is left over is the beginning of the end's code, which is all ones, and less than a byte of it.
    (length < 8 && code == (1 << length) - 1).then_some(text)
}
