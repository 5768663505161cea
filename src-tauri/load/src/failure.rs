//! What can go wrong with a request, in kinds that are counted.

use std::{fmt, io};

/// A kind of failure. Failures by status are told from the statuses and have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Refused,
    Reset,
    Unreachable,
    ConnectTimeout,
    ResponseTimeout,
    TlsTimeout,
    DownloadTimeout,
    Tls,
    Parse,
    Closed,
    Local,
    Assertion,
    Other,
}

impl Kind {
    pub(crate) const ALL: [Self; 13] = [
        Self::Refused,
        Self::Reset,
        Self::Unreachable,
        Self::ConnectTimeout,
        Self::ResponseTimeout,
        Self::TlsTimeout,
        Self::DownloadTimeout,
        Self::Tls,
        Self::Parse,
        Self::Closed,
        Self::Local,
        Self::Assertion,
        Self::Other,
    ];

    /// The name in a report.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Unreachable => "unreachable",
            Self::ConnectTimeout => "timeout connect",
            Self::ResponseTimeout => "timeout response",
            Self::TlsTimeout => "timeout tls",
            Self::DownloadTimeout => "timeout download",
            Self::Tls => "tls",
            Self::Parse => "parse",
            Self::Closed => "closed",
            Self::Local => "local",
            Self::Assertion => "assertion",
            Self::Other => "other",
        }
    }
}

/// A failure with what is known of it. Its text is only made for the first of each kind.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    detail: Detail,
}

#[derive(Debug)]
enum Detail {
    Words(&'static str),
    Io(io::Error),
    Tls(rustls::Error),
    Http(httparse::Error),
}

impl Failure {
    pub(crate) const fn new(kind: Kind, words: &'static str) -> Self {
        Self { kind, detail: Detail::Words(words) }
    }

    pub(crate) const fn parse(words: &'static str) -> Self {
        Self::new(Kind::Parse, words)
    }

    pub(crate) const fn is_timeout(&self) -> bool {
        matches!(self.kind, Kind::ConnectTimeout | Kind::TlsTimeout | Kind::ResponseTimeout | Kind::DownloadTimeout)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Detail::Words(words) => f.write_str(words),
            Detail::Io(error) => error.fmt(f),
            Detail::Tls(error) => error.fmt(f),
            Detail::Http(error) => write!(f, "the head of the response is not HTTP: {error}"),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as E;
        let kind = match error.kind() {
            _ if is_local(&error) => Kind::Local,
            E::ConnectionRefused => Kind::Refused,
            E::ConnectionReset | E::ConnectionAborted => Kind::Reset,
            E::BrokenPipe | E::UnexpectedEof | E::WriteZero => Kind::Closed,
            E::HostUnreachable | E::NetworkUnreachable | E::NetworkDown => Kind::Unreachable,
            // The operating system gave up on the connection; it does so only while connecting or where all is silent.
            E::TimedOut => Kind::Unreachable,
            _ => Kind::Other,
        };
        Self { kind, detail: Detail::Io(error) }
    }
}

impl From<rustls::Error> for Failure {
    fn from(error: rustls::Error) -> Self {
        Self { kind: Kind::Tls, detail: Detail::Tls(error) }
    }
}

impl From<httparse::Error> for Failure {
    fn from(error: httparse::Error) -> Self {
        Self { kind: Kind::Parse, detail: Detail::Http(error) }
    }
}

/// Whether this machine ran out of something, which is no fault of the service.
fn is_local(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        if let Some(code) = Errno::from_io_error(error)
            && [Errno::MFILE, Errno::NFILE, Errno::NOBUFS].contains(&code)
        {
            return true;
        }
    }
    #[cfg(windows)]
    {
        // WSAEMFILE and WSAENOBUFS of winsock2.h.
        if matches!(error.raw_os_error(), Some(10024 | 10055)) {
            return true;
        }
    }
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse | io::ErrorKind::OutOfMemory)
}
