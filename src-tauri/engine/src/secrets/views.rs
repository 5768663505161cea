//! Readings of a text with one kind of escape taken out, which know where each of their bytes came from.
//!
//! A secret may come back from a service in any of its encoded forms: `p%61ss`, `p\u0061ss`, `p&#97;ss`. There are too
//! many of them to list, so a text is searched as it stands and once more in each reading.

/// A reading of some bytes.
pub(super) struct View {
    /// The bytes with the escapes taken out.
    pub bytes: Vec<u8>,
    /// Where the distance to the source changes: an offset here and the offset there, both ascending.
    steps: Vec<(u32, u32)>,
}

impl View {
    /// The offset in the source of the byte at `offset` here. The end maps to the end.
    pub fn source(&self, offset: usize) -> usize {
        let after = self.steps.partition_point(|(here, _)| *here as usize <= offset);
        match after.checked_sub(1).and_then(|last| self.steps.get(last)) {
            Some((here, there)) => *there as usize + (offset - *here as usize),
            None => offset,
        }
    }

    fn step(&mut self, there: usize) {
        // The callers never read more than a `u32` can count.
        let step = (self.bytes.len() as u32, there as u32);
        if self.steps.last() != Some(&step) {
            self.steps.push(step);
        }
    }
}

/// One kind of escape: what the bytes at the front stand for and how many they are, or nothing where they are no escape.
type Escape = fn(&[u8]) -> Option<(char, usize)>;

/// The readings that are tried, each with the byte that its escapes begin with.
pub(super) const READINGS: [(u8, Escape); 3] = [(b'%', percent), (b'\\', json), (b'&', html)];

/// The reading of `source` without one kind of escape; none where it has no such escape, or is beyond counting.
pub(super) fn read(source: &[u8], begins: u8, escape: Escape) -> Option<View> {
    if u32::try_from(source.len()).is_err() {
        return None;
    }
    let mut view = View { bytes: Vec::new(), steps: Vec::new() };
    let mut from = 0;
    let mut at = 0;
    while let Some(found) = source.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == begins)) {
        at += found;
        let Some((stands_for, length)) = escape(&source[at..]) else {
            at += 1;
            continue;
        };
        view.bytes.extend_from_slice(&source[from..at]);
        view.step(at);
        match (begins, u8::try_from(u32::from(stands_for))) {
            // A percent escape is a byte of UTF-8, not a character.
            (b'%', Ok(byte)) => view.bytes.push(byte),
            _ => view.bytes.extend_from_slice(stands_for.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        at += length;
        from = at;
        view.step(at);
    }
    if view.steps.is_empty() {
        return None;
    }
    view.bytes.extend_from_slice(&source[from..]);
    Some(view)
}

/// The reading of a form (application/x-www-form-urlencoded), in which `+` is a space; none where there is no `+`.
pub(super) fn read_form(source: &[u8]) -> Option<View> {
    if !source.contains(&b'+') {
        return None;
    }
    let spaced: Vec<u8> = source.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Some(read(&spaced, b'%', percent).unwrap_or(View { bytes: spaced, steps: Vec::new() }))
}

/// RFC 3986, 2.1, with digits in either case.
fn percent(at: &[u8]) -> Option<(char, usize)> {
    let byte = hex(at.get(1..3)?)?;
    Some((char::from_u32(byte)?, 3))
}

/// RFC 8259, 7, surrogate pairs included.
fn json(at: &[u8]) -> Option<(char, usize)> {
    let simple = match at.get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let high = hex(at.get(2..6)?)?;
            if let Some(character) = char::from_u32(high) {
                return Some((character, 6));
            }
            let low = at.get(6..8).filter(|next| *next == b"\\u").and_then(|_| hex(at.get(8..12)?))?;
            let pair = char::decode_utf16([u16::try_from(high).ok()?, u16::try_from(low).ok()?]).next()?.ok()?;
            return Some((pair, 12));
        }
        _ => return None,
    };
    Some((simple, 2))
}

/// The five entities that every escaper of HTML and XML writes, and numeric references.
fn html(at: &[u8]) -> Option<(char, usize)> {
    const NAMED: [(&[u8], char); 5] = [(b"&amp;", '&'), (b"&lt;", '<'), (b"&gt;", '>'), (b"&quot;", '"'), (b"&apos;", '\'')];
    if let Some((name, character)) = NAMED.iter().find(|(name, _)| at.starts_with(name)) {
        return Some((*character, name.len()));
    }
    // The longest reference has seven digits: `&#1114111;`.
    let end = at.iter().take(12).position(|byte| *byte == b';')?;
    let digits = at.get(..end)?.strip_prefix(b"&#")?;
    let number = match digits.strip_prefix(b"x").or_else(|| digits.strip_prefix(b"X")) {
        Some(digits) => hex(digits)?,
        None => std::str::from_utf8(digits).ok()?.parse().ok()?,
    };
    Some((char::from_u32(number)?, end + 1))
}

fn hex(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
