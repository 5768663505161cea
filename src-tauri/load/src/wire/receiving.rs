//! Reading from a socket, and when the system had received what was read.
//!
//! A thread that waits for an answer is woken some time after it came: tens of microseconds on a virtual machine, more where
//! processors are busy. That isn't the service's doing, so on Linux the kernel is asked to note when it received each piece
//! (`SO_TIMESTAMPNS`, socket(7)), and elsewhere the time of reading has to do.

use std::{
    io,
    time::{SystemTime, UNIX_EPOCH},
};

use mio::net::TcpStream;

/// Now by the clock that the system notes such times by, in nanoseconds since 1970.
pub(crate) fn wall_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// Asks the system to note when it receives what comes on this socket. Where it won't, the time of reading has to do.
#[cfg(target_os = "linux")]
pub(super) fn note_times(socket: &TcpStream) {
    let _ = nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::ReceiveTimestampns, &true);
}

#[cfg(not(target_os = "linux"))]
pub(super) const fn note_times(_: &TcpStream) {}

/// Room for one note of a time, aligned as the system writes it.
#[cfg(target_os = "linux")]
#[repr(align(8))]
struct Room([u8; 64]);

/// A socket that is read from, and when the last of what was read was received.
pub(super) struct Receiving<'a> {
    pub(super) socket: &'a mut TcpStream,
    /// In nanoseconds since 1970; nothing where the system didn't say.
    pub(super) came: &'a mut Option<u64>,
}

#[cfg(target_os = "linux")]
impl io::Read for Receiving<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use std::os::fd::AsRawFd;

        use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

        let mut room = Room([0; 64]);
        let mut pieces = [io::IoSliceMut::new(buffer)];
        let message = recvmsg::<()>(self.socket.as_raw_fd(), &mut pieces, Some(&mut room.0), MsgFlags::empty())?;
        *self.came = message.cmsgs().ok().and_then(|mut notes| {
            notes.find_map(|note| match note {
                ControlMessageOwned::ScmTimestampns(time) => {
                    let seconds = u64::try_from(time.tv_sec()).ok()?;
                    seconds.checked_mul(1_000_000_000)?.checked_add(u64::try_from(time.tv_nsec()).ok()?)
                }
                _ => None,
            })
        });
        Ok(message.bytes)
    }
}

#[cfg(not(target_os = "linux"))]
impl io::Read for Receiving<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        *self.came = None;
        self.socket.read(buffer)
    }
}
