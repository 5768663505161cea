//! HTTP/1.1: one request after the other on a connection.

use std::io::Write;

use super::{Carrier, Event, FileBody, Kept, Output, Request, Wire, response::Response};
use crate::{
    failure::Failure,
    script::{Body, Step, template::Template},
};

/// What is read from a file at once.
const PIECE: usize = 64 * 1024;

/// A connection's side of it.
pub(crate) struct Http1 {
    response: Response,
    busy: bool,
    step: usize,
    /// What of a file is still to go out.
    file: Option<FileBody>,
    /// Of the last answer, where somebody looks into it.
    kept: Kept,
    /// Where a request is put together.
    scratch: Vec<u8>,
}

impl Http1 {
    pub(crate) const fn new() -> Self {
        Self {
            response: Response::new(),
            busy: false,
            step: 0,
            file: None,
            kept: Kept { headers: Vec::new(), body: Vec::new(), cut: false },
            scratch: Vec::new(),
        }
    }

    /// Sends what of the file goes out at once.
    fn send_file(&mut self, out: &mut Output<'_>) -> Result<(), Failure> {
        while let Some(body) = &mut self.file
            && out.is_drained()
        {
            self.scratch.resize(PIECE, 0);
            let taken = body.read(&mut self.scratch)?;
            out.write(&self.scratch[..taken])?;
            if body.at == body.end {
                self.file = None;
            }
        }
        Ok(())
    }
}

impl Carrier for Http1 {
    fn open(&mut self, _: &Wire, _: &mut Output<'_>) -> Result<bool, Failure> {
        Ok(true)
    }

    fn send(&mut self, _: usize, mut request: Request<'_>, wire: &Wire, out: &mut Output<'_>) -> Result<(), Failure> {
        let prepared = &wire.steps[request.step];
        self.step = request.step;
        self.busy = true;
        self.response.reset();
        self.kept.clear();
        if let Some(bytes) = &prepared.fixed {
            return out.write(bytes);
        }
        self.scratch.clear();
        let step = &prepared.step;
        let mut body = Vec::new();
        let mut render = |template: &Template, into: &mut Vec<u8>| request.render(template, &wire.feeds, into);
        let length = match &step.body {
            Body::Bytes(template) => {
                render(template, &mut body);
                body.len() as u64
            }
            Body::File { length, .. } => *length,
        };
        head(step, wire, length, &mut render, &mut self.scratch);
        self.scratch.extend_from_slice(&body);
        out.write(&self.scratch)?;
        if let Body::File { file, length } = &step.body {
            self.file = Some(FileBody { file: file.clone(), at: 0, end: *length }).filter(|body| body.end > 0);
            return self.send_file(out);
        }
        Ok(())
    }

    fn resume(&mut self, out: &mut Output<'_>) -> Result<(), Failure> {
        self.send_file(out)
    }

    fn receive(&mut self, bytes: &[u8], wire: &Wire, out: &mut Output<'_>, events: &mut Vec<Event>) -> Result<(), Failure> {
        if !self.busy {
            return Err(Failure::parse("bytes came that belong to no request"));
        }
        let prepared = &wire.steps[self.step];
        let begun = self.response.has_begun();
        let keep = prepared.keeps.then_some(&mut self.kept);
        let (used, done) = self.response.feed(bytes, prepared.to_head, keep)?;
        if !done {
            if !begun {
                events.push(Event::Began { stream: 0 });
            }
            return Ok(());
        }
        self.busy = false;
        let excess = used < bytes.len();
        // A request that was answered before it was out can't be finished any more.
        let whole = self.file.take().is_none() && out.is_drained();
        let keep = self.response.keeps_connection() && whole && !excess && wire.keep_alive;
        events.push(Event::Answered { stream: 0, status: self.response.status(), excess, keep });
        Ok(())
    }

    fn end(&mut self, events: &mut Vec<Event>) -> Result<(), Failure> {
        if !self.busy {
            return Ok(());
        }
        self.response.end()?;
        self.busy = false;
        events.push(Event::Answered { stream: 0, status: self.response.status(), excess: false, keep: false });
        Ok(())
    }

    fn cancel(&mut self, _: usize, _: &mut Output<'_>) -> bool {
        false
    }

    fn answer(&self, _: usize) -> Option<&Kept> {
        Some(&self.kept)
    }
}

/// The whole request of a step without values.
pub(super) fn fixed(step: &Step, wire: &Wire) -> Vec<u8> {
    let body = step.fixed_body();
    let mut bytes = Vec::new();
    head(step, wire, body.len() as u64, &mut |template, into| into.extend(template.texts().flatten()), &mut bytes);
    bytes.extend_from_slice(&body);
    bytes
}

/// The request line and the header lines, the empty one included.
fn head(step: &Step, wire: &Wire, length: u64, render: &mut dyn FnMut(&Template, &mut Vec<u8>), bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(step.method.as_bytes());
    bytes.push(b' ');
    render(&step.path, bytes);
    bytes.extend_from_slice(b" HTTP/1.1\r\n");
    let has = |name: &str| step.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let mut line = |name: &str, value: &str| {
        for part in [name, ": ", value, "\r\n"] {
            bytes.extend_from_slice(part.as_bytes());
        }
    };
    if !has("host") {
        line("Host", &wire.authority);
    }
    if !has("user-agent") {
        line("User-Agent", crate::target::USER_AGENT);
    }
    if !wire.keep_alive && !has("connection") {
        line("Connection", "close");
    }
    for (name, value) in &step.headers {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        render(value, bytes);
        bytes.extend_from_slice(b"\r\n");
    }
    if step.has_body() && !has("content-length") {
        // Writing into memory can't fail.
        drop(write!(bytes, "Content-Length: {length}\r\n"));
    }
    bytes.extend_from_slice(b"\r\n");
}
