//! Keeps secrets out of what the program writes about itself: its log and its panics.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::{self, Write},
    panic::PanicHookInfo,
};

use tracing_subscriber::fmt::MakeWriter;

use super::Redactor;

impl Redactor {
    /// A writer for `tracing_subscriber` that hands each event on without secrets, those included that are learnt later.
    pub fn writer<W>(&self, inner: W) -> Redacted<W> {
        Redacted { inner, redactor: self.clone() }
    }
}

/// Makes writers whose text passes a [`Redactor`].
#[derive(Debug, Clone)]
pub struct Redacted<W> {
    inner: W,
    redactor: Redactor,
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Redacted<W> {
    type Writer = RedactedEvent<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        RedactedEvent { inner: self.inner.make_writer(), redactor: self.redactor.clone(), pending: Vec::new() }
    }

    fn make_writer_for(&'a self, meta: &tracing::Metadata<'_>) -> Self::Writer {
        RedactedEvent { inner: self.inner.make_writer_for(meta), redactor: self.redactor.clone(), pending: Vec::new() }
    }
}

/// Collects one event, and writes it without secrets when it is flushed or dropped: a secret may come in two pieces.
#[derive(Debug)]
pub struct RedactedEvent<W: Write> {
    inner: W,
    redactor: Redactor,
    pending: Vec<u8>,
}

impl<W: Write> Write for RedactedEvent<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.pending.is_empty() {
            let clean = self.redactor.bytes(&self.pending);
            self.pending.clear();
            self.inner.write_all(&clean)?;
        }
        self.inner.flush()
    }
}

impl<W: Write> Drop for RedactedEvent<W> {
    fn drop(&mut self) {
        // A log that can't be written has nobody left to tell.
        let _ = self.flush();
    }
}

/// Replaces the panic hook by one that writes the message to standard error without secrets. With `RUST_BACKTRACE` set
/// it adds the backtrace, which holds no values.
pub fn guard_panics(redactor: Redactor) {
    std::panic::set_hook(Box::new(move |panic| {
        let text = redactor.text_at_once(&describe(panic)).unwrap_or_else(|| {
            // The lock is taken, perhaps by the very thread that panics. The place is safe to say; the message may not be.
            format!("Patchbay made a mistake at {}", place(panic))
        });
        let mut stderr = io::stderr().lock();
        let _ = writeln!(stderr, "{text}");
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            let _ = writeln!(stderr, "{trace}");
        }
    }));
}

fn describe(panic: &PanicHookInfo<'_>) -> String {
    let message = panic
        .payload()
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.payload().downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let thread = std::thread::current();
    format!("Patchbay made a mistake in thread {} at {}: {message}", thread.name().unwrap_or("without a name"), place(panic))
}

fn place(panic: &PanicHookInfo<'_>) -> String {
    panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string)
}
