//! What virtual users do: the requests, in which order, what is different in each of them, and what is taken from answers.

pub mod template;

use std::{fmt, fs::File, sync::Arc};

use patchbay_contracts::{Code, Problem};

use crate::target::{self, Target};

use self::template::{Template, Values};

/// What the virtual users of a run do. All of it goes to one host.
#[derive(Clone)]
pub struct Script {
    /// The integration or the address, for the report.
    pub name: String,
    /// The host's name or address; an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// TLS with its roots and client certificates, for https; ALPN is set here. Nothing for http.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// The requests.
    pub steps: Vec<Step>,
    /// How they follow each other.
    pub order: Order,
    /// How many values are captured from answers.
    pub captures: usize,
    /// What captured values are before anything was captured, such as those of the setup.
    pub captured: Vec<(usize, Arc<[u8]>)>,
    /// Values from files.
    pub feeds: Vec<Feed>,
}

/// How the requests of a script follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Each iteration is one request, chosen by weight.
    Mix,
    /// Each iteration is all of them, one after the other.
    Chain,
}

/// One request. It may hold secrets, so its `Debug` shows none of it but [`Step::shown`].
#[derive(Clone)]
pub struct Step {
    /// The endpoint, for the report.
    pub name: String,
    /// `GET http://…`, with secrets as `‹secret:NAME›`, for the report.
    pub shown: String,
    /// How often it is chosen, beside the others of a mix; at least 1.
    pub weight: u32,
    /// The method, such as `GET`.
    pub method: String,
    /// Path and query as they go out, percent-encoded; begins with `/`.
    pub path: Template,
    /// Header lines. `Host`, `User-Agent` and `Content-Length` are added where they are missing.
    pub headers: Vec<(String, Template)>,
    /// The body.
    pub body: Body,
    /// The statuses that are no failure, from and to; those below 400 where there are none.
    pub accepts: Vec<(u16, u16)>,
    /// Looks into answers, where something is to be checked or captured.
    pub inspect: Option<Arc<dyn Inspect>>,
}

/// The body of a request.
#[derive(Clone)]
pub enum Body {
    /// These bytes.
    Bytes(Template),
    /// A file, which is read anew for each request, piece by piece.
    File {
        /// Open for reading.
        file: Arc<File>,
        /// Its length in bytes.
        length: u64,
    },
}

/// Looks into answers.
pub trait Inspect: Send + Sync {
    /// Checks an answer, and sets the values that are captured from it.
    ///
    /// # Errors
    /// What does not hold, in words. The request then counts as failed.
    fn inspect(&self, answer: &Answer<'_>, values: &mut Values) -> Result<(), String>;
}

/// An answer, as far as it can be looked into.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The status; 0 for a protocol without one.
    pub status: u16,
    /// Header lines, in their order.
    pub headers: &'a [(String, String)],
    /// The body, cut at [`LONGEST_BODY`].
    pub body: &'a [u8],
    /// Whether the body was longer.
    pub cut: bool,
    /// From the send to the last byte, in nanoseconds.
    pub took: u64,
}

/// The longest body that is kept for looking into, in bytes.
pub const LONGEST_BODY: usize = 1 << 20;

/// A file's values: rows of columns.
#[derive(Debug, Clone)]
pub struct Feed {
    /// The rows, each with the same number of columns.
    pub rows: Arc<Vec<Vec<Arc<[u8]>>>>,
    /// Which row an iteration takes.
    pub order: patchbay_contracts::integration::FeedOrder,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("name", &self.name).field("steps", &self.steps).finish_non_exhaustive()
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step").field("name", &self.name).field("shown", &self.shown).finish_non_exhaustive()
    }
}

impl Step {
    /// Whether an answer with this status is no failure.
    pub(crate) fn takes(&self, status: u16) -> bool {
        if self.accepts.is_empty() {
            return status < 400;
        }
        self.accepts.iter().any(|&(from, to)| (from..=to).contains(&status))
    }

    /// Whether each of its requests is the same.
    pub(crate) fn is_fixed(&self) -> bool {
        let body = match &self.body {
            Body::Bytes(template) => template.is_fixed(),
            Body::File { .. } => false,
        };
        body && self.path.is_fixed() && self.headers.iter().all(|(_, value)| value.is_fixed())
    }

    /// The bytes of a body that is the same each time; none for a file.
    pub(crate) fn fixed_body(&self) -> Vec<u8> {
        match &self.body {
            Body::Bytes(template) => template.fixed_bytes(),
            Body::File { .. } => Vec::new(),
        }
    }

    /// Whether a request to it has a body, or says that it has none.
    pub(crate) fn has_body(&self) -> bool {
        let empty = match &self.body {
            Body::Bytes(template) => template.is_empty(),
            Body::File { .. } => false,
        };
        !empty || matches!(self.method.as_str(), "POST" | "PUT" | "PATCH")
    }
}

impl Script {
    /// Checks what could not go out.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] where a part has bytes that it can't have; the part isn't shown, since it may be secret.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        if self.steps.is_empty() {
            return Err(Problem::new(Code::InvalidInput, "There is no request to send"));
        }
        if self.steps.iter().any(|step| step.weight == 0) {
            return Err(Problem::new(Code::InvalidInput, "A weight of 0 leaves the endpoint out")
                .next("Take it out of the mix, or give it a weight of at least 1"));
        }
        if let Some(empty) = self.feeds.iter().position(|feed| feed.rows.is_empty()) {
            return Err(Problem::new(Code::InvalidInput, format!("The data file number {} has no rows", empty + 1)));
        }
        self.steps.iter().try_for_each(|step| target::check(step, &self.host))
    }

    /// Whether anything differs from request to request.
    pub(crate) fn has_values(&self) -> bool {
        self.steps.iter().any(|step| !step.is_fixed() || step.inspect.is_some())
    }
}

impl From<&Target> for Script {
    fn from(target: &Target) -> Self {
        Self {
            name: target.name.clone(),
            host: target.host.clone(),
            port: target.port,
            tls: target.tls.clone(),
            steps: vec![Step {
                name: target.shown.clone(),
                shown: target.shown.clone(),
                weight: 1,
                method: target.method.clone(),
                path: Template::fixed(target.path.as_bytes()),
                headers: target.headers.iter().map(|(name, value)| (name.clone(), Template::fixed(value.as_bytes()))).collect(),
                body: Body::Bytes(Template::fixed(&target.body)),
                accepts: Vec::new(),
                inspect: None,
            }],
            order: Order::Mix,
            captures: 0,
            captured: Vec::new(),
            feeds: Vec::new(),
        }
    }
}

impl From<&Script> for Script {
    fn from(script: &Script) -> Self {
        script.clone()
    }
}
