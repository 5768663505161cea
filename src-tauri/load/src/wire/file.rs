//! Bodies that are read from a file as they go out.

use std::{fs::File, sync::Arc};

use crate::failure::{Failure, Kind};

/// What of a file is still to go out.
pub(super) struct FileBody {
    pub(super) file: Arc<File>,
    /// The next byte.
    pub(super) at: u64,
    pub(super) end: u64,
}

impl FileBody {
    /// Reads the next piece, at most so long; a file that has become shorter fails the request.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, Failure> {
        let wanted = into.len().min(usize::try_from(self.end - self.at).unwrap_or(usize::MAX));
        let taken = read_at(&self.file, &mut into[..wanted], self.at)?;
        if taken == 0 {
            return Err(Failure::new(Kind::Local, "the file of the body has become shorter"));
        }
        self.at += taken as u64;
        Ok(taken)
    }
}

#[cfg(unix)]
fn read_at(file: &std::fs::File, into: &mut [u8], at: u64) -> std::io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, at)
}

#[cfg(windows)]
fn read_at(file: &std::fs::File, into: &mut [u8], at: u64) -> std::io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, into, at)
}
