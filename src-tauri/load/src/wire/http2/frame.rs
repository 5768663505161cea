//! The frames of HTTP/2 (RFC 9113, 4 and 6).

/// The length of the head of a frame.
pub(super) const HEAD: usize = 9;
/// The longest payload, which we leave as it is by default.
pub(super) const LONGEST: usize = 16_384;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

/// `END_STREAM`, and `ACK` of settings and pings.
pub(super) const END: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
pub(super) const PADDED: u8 = 8;
pub(super) const PRIORITY: u8 = 32;

/// The head of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) length: usize,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl Head {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let head = bytes.first_chunk::<HEAD>()?;
        Some(Self {
            length: usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]),
            kind: head[3],
            flags: head[4],
            stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & 0x7fff_ffff,
        })
    }

    pub(super) const fn is(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// Appends the head of a frame.
pub(super) fn head(length: usize, kind: u8, flags: u8, stream: u32, into: &mut Vec<u8>) {
    // No frame of ours is longer than 16 KiB.
    let length = (length as u32).to_be_bytes();
    into.extend_from_slice(&[length[1], length[2], length[3], kind, flags]);
    into.extend_from_slice(&stream.to_be_bytes());
}

/// A big-endian number of four bytes there.
pub(super) fn number(payload: &[u8], at: usize) -> Option<u32> {
    payload.get(at..at + 4)?.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))
}
