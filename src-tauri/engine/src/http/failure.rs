//! Why an exchange failed, told from the errors' types and from the phase in which it was, never from their texts.

use std::{error::Error, io, time::Duration};

use patchbay_contracts::{Code, Problem, units::Span};
use rustls::CertificateError;
use url::Url;

use super::{
    address::is_loopback,
    caller::Asked,
    marks::{LookupFailed, Marks, Phase},
    tls::Seen,
};

/// An error of the client, in the words of the person who sent the request.
pub(super) fn explain(error: &reqwest::Error, url: &Url, marks: &Marks, seen: &Seen) -> Problem {
    let chain = Chain::of(error);
    let place = place(url);
    if let Some(failed) = chain.lookup {
        return dns(failed, url, marks);
    }
    if let Some(fault) = &seen.fault
        && marks.phase() == Phase::Tls
    {
        return certificate(fault, url, seen);
    }
    if let Some(error) = chain.tls {
        return tls(error, &place, &seen.asked);
    }
    if let Some(problem) = chain.told(url, marks.phase()) {
        return about_caller(problem, &place, marks.phase(), &seen.asked);
    }
    let why = chain.last.to_string();
    match marks.phase() {
        Phase::Dns => Problem::new(Code::Dns, format!("The name {} can't be looked up", host(url))).why(why),
        Phase::Connect => Problem::new(Code::Unreachable, format!("{place} can't be reached")).why(why),
        Phase::Tls => Problem::new(Code::Tls, format!("The TLS handshake with {place} failed")).why(why),
        Phase::FirstByte | Phase::Download => bad_response(&place, why),
    }
}

/// The same for a connection that is kept, of which less is known: whether it was in the middle of a body.
pub(super) fn pooled(error: &reqwest::Error, url: &Url, body: bool, asked: &Asked) -> Problem {
    let chain = Chain::of(error);
    let place = place(url);
    let phase = match (body, error.is_connect()) {
        (true, _) => Phase::Download,
        (false, true) => Phase::Connect,
        (false, false) => Phase::FirstByte,
    };
    if error.is_connect() && error.is_timeout() {
        return Problem::new(Code::Timeout, format!("{place} does not answer"))
            .why("the time ran out while connecting")
            .next("Check that the service runs there and that no firewall drops the packets");
    }
    if let Some(error) = chain.tls {
        return tls(error, &place, asked);
    }
    if let Some(problem) = chain.told(url, phase) {
        return about_caller(problem, &place, phase, asked);
    }
    let why = chain.last.to_string();
    match phase {
        Phase::Connect => Problem::new(Code::Unreachable, format!("{place} can't be reached")).why(why),
        _ => bad_response(&place, why),
    }
}

/// It took longer than allowed.
pub(super) fn timed_out(allowed: Duration, url: &Url, phase: Phase) -> Problem {
    let allowed = Span(allowed);
    let next = match phase {
        Phase::Dns => "Check the network and the name server",
        Phase::Connect => "Check that the service runs there and that no firewall drops the packets",
        Phase::Tls => "Check that the service speaks TLS on that port",
        Phase::FirstByte => "Look into the service: it took the request and did not answer. A longer timeout may help",
        Phase::Download => "A longer timeout may help; the part that came is kept",
    };
    Problem::new(Code::Timeout, format!("{} took longer than {allowed}", place(url)))
        .why(format!("the time ran out while {}", gerund(phase)))
        .next(next)
}

fn gerund(phase: Phase) -> String {
    match phase {
        Phase::Tls => format!("in {}", phase.doing()),
        _ => phase.doing().to_owned(),
    }
}

/// What an error and its sources hold, as far as it decides something.
struct Chain<'a> {
    lookup: Option<&'a LookupFailed>,
    tls: Option<&'a rustls::Error>,
    hyper: Option<&'a hyper::Error>,
    io: Option<&'a io::Error>,
    last: &'a (dyn Error + 'static),
}

impl<'a> Chain<'a> {
    fn of(error: &'a (dyn Error + 'static)) -> Self {
        let mut chain = Self { lookup: None, tls: None, hyper: None, io: None, last: error };
        let mut next = Some(error);
        while let Some(error) = next {
            chain.last = error;
            chain.lookup = chain.lookup.or_else(|| error.downcast_ref());
            chain.tls = chain.tls.or_else(|| error.downcast_ref());
            chain.hyper = chain.hyper.or_else(|| error.downcast_ref());
            next = error.source();
            if let Some(io) = error.downcast_ref::<io::Error>() {
                // The innermost says it best, and what it wraps is not among its sources.
                chain.io = Some(io);
                if let Some(inner) = io.get_ref() {
                    next = Some(inner);
                }
            }
        }
        chain
    }

    /// What HTTP and the operating system say of it.
    fn told(&self, url: &Url, phase: Phase) -> Option<Problem> {
        let protocol = self.hyper.and_then(|hyper| protocol(hyper, url, phase));
        protocol.or_else(|| self.io.and_then(|error| system(error, url, phase)))
    }
}

/// A server that wants a certificate of the client may close the connection, or its alert is lost behind a reset.
fn about_caller(problem: Problem, place: &str, phase: Phase, asked: &Asked) -> Problem {
    let early = matches!(phase, Phase::Connect | Phase::Tls | Phase::FirstByte);
    if problem.code == Code::Reset && early { asked.closed(problem, place) } else { problem }
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

/// `host:port`.
fn place(url: &Url) -> String {
    format!("{}:{}", host(url), url.port_or_known_default().unwrap_or_default())
}

fn dns(failed: &LookupFailed, url: &Url, marks: &Marks) -> Problem {
    let name = marks.looked_up().unwrap_or_else(|| host(url).to_owned());
    let why = match &failed.source {
        Some(error) => error.to_string(),
        None => "the name exists and has no address".to_owned(),
    };
    let problem = Problem::new(Code::Dns, format!("The name {name} can't be looked up")).why(why);
    if name == host(url) {
        problem.next("Check the spelling, and whether this machine is on the network that knows the name")
    } else {
        problem.next("It is the proxy's name: check the settings HTTP_PROXY and HTTPS_PROXY")
    }
}

/// Errors of the operating system.
fn system(error: &io::Error, url: &Url, phase: Phase) -> Option<Problem> {
    use io::ErrorKind as Kind;
    let place = place(url);
    let port = url.port_or_known_default().unwrap_or_default();
    let problem = match error.kind() {
        Kind::ConnectionRefused => {
            let next = if is_loopback(url) {
                format!("Start the service, or correct the port: nothing on this machine listens on {port}")
            } else {
                format!("Check that the service runs and listens on port {port}, and that it may be called from here")
            };
            Problem::new(Code::Refused, format!("{place} refuses connections")).why("nothing listens on that port").next(next)
        }
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof | Kind::NotConnected => {
            reset(&place, url, phase, &error.to_string())
        }
        Kind::NetworkUnreachable | Kind::HostUnreachable | Kind::NetworkDown | Kind::AddrNotAvailable => {
            Problem::new(Code::Unreachable, format!("{place} can't be reached"))
                .why(error.to_string())
                .next("Check the network, the VPN and the address")
        }
        Kind::PermissionDenied => Problem::new(Code::Unreachable, format!("{place} can't be reached"))
            .why("this machine's own firewall or policy forbids the connection")
            .next("Allow it there, or choose another port"),
        Kind::TimedOut => Problem::new(Code::Timeout, format!("{place} does not answer"))
            .why(format!("the system gave up while {}", gerund(phase)))
            .next("Check that the service runs there and that no firewall drops the packets"),
        Kind::InvalidData | Kind::InvalidInput => bad_response(&place, error.to_string()),
        _ => return None,
    };
    Some(problem)
}

/// Errors in what HTTP itself allows.
fn protocol(error: &hyper::Error, url: &Url, phase: Phase) -> Option<Problem> {
    let place = place(url);
    if error.is_parse_too_large() {
        return Some(
            Problem::new(Code::TooLarge, format!("The head of the answer from {place} is too large"))
                .why("it has more header fields or bytes than are taken in")
                .next("Look at what the service puts into its headers"),
        );
    }
    if error.is_parse() {
        let next = match url.scheme() {
            "http" => "If the service speaks TLS on that port, write https:// in the address",
            _ => "Check what answers on that port",
        };
        return Some(bad_response(&place, format!("what came is not an HTTP answer ({error})")).next(next));
    }
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return Some(reset(&place, url, phase, "the connection was closed before the answer was whole"));
    }
    None
}

fn reset(place: &str, url: &Url, phase: Phase, why: &str) -> Problem {
    let (what, next) = match phase {
        Phase::Tls => (
            format!("{place} closed the connection during the TLS handshake"),
            "Check that the service speaks TLS on that port; if it doesn't, write http:// in the address",
        ),
        Phase::Download => (
            format!("{place} closed the connection before the body was whole"),
            "Look into the service's log; the part that came is kept",
        ),
        _ if url.scheme() == "http" => (
            format!("{place} closed the connection without an answer"),
            "Look into the service's log; if it speaks TLS on that port, write https:// in the address",
        ),
        _ => (format!("{place} closed the connection without an answer"), "Look into the service's log"),
    };
    Problem::new(Code::Reset, what).why(why).next(next)
}

fn bad_response(place: &str, why: String) -> Problem {
    Problem::new(Code::BadResponse, format!("{place} answered with something that HTTP does not allow")).why(why)
}

fn tls(error: &rustls::Error, place: &str, asked: &Asked) -> Problem {
    use rustls::{AlertDescription, Error as Tls};
    if let Tls::AlertReceived(alert) = error
        && let Some(problem) = asked.refused(*alert, place)
    {
        return problem;
    }
    let problem = Problem::new(Code::Tls, format!("The TLS handshake with {place} failed"));
    match error {
        Tls::InvalidMessage(_) => problem
            .why("what came is not TLS")
            .next("The service probably speaks plain HTTP on that port: write http:// in the address"),
        Tls::AlertReceived(AlertDescription::UnrecognisedName) => {
            problem.why("the server does not know the name that was asked for").next("Check the host in the address")
        }
        Tls::AlertReceived(alert) => problem.why(format!("the server refused: {alert:?}")).next("Look into the server's log"),
        Tls::PeerIncompatible(_) => problem
            .why(error.to_string())
            .next("The server probably speaks only old versions of TLS; Patchbay speaks 1.2 and 1.3"),
        _ => problem.why(error.to_string()),
    }
}

/// A moment in milliseconds, for people.
pub(super) fn date(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map_or_else(|_| "an unreadable date".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// Why a certificate isn't valid, precisely.
pub(super) fn certificate(fault: &CertificateError, url: &Url, seen: &Seen) -> Problem {
    let place = place(url);
    let problem = Problem::new(Code::Certificate, format!("The certificate of {place} is not valid"));
    let certificate = seen.certificate.as_ref();
    match fault {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => problem
            .why(match certificate {
                Some(certificate) => format!("it expired on {}", date(certificate.not_after)),
                None => "it has expired".to_owned(),
            })
            .next("Renew it on the server; if the date looks right, check this machine's clock"),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => problem
            .why(match certificate {
                Some(certificate) => format!("it is valid only from {}", date(certificate.not_before)),
                None => "it is not valid yet".to_owned(),
            })
            .next("Check this machine's clock, and the certificate on the server"),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let names = certificate.map(|certificate| certificate.names.join(", ")).unwrap_or_default();
            let why = match names.as_str() {
                "" => format!("it names no host, and {} is called", host(url)),
                names => format!("it is for {names}, and {} is called", host(url)),
            };
            problem.why(why).next("Call the service by a name that the certificate has, or have that name put into it")
        }
        CertificateError::UnknownIssuer if seen.no_roots => problem
            .why("this machine has no list of trusted certificate authorities")
            .next("Install the system's CA certificates, or name a file with them in SSL_CERT_FILE"),
        // The library has a fault of its own for an authority's certificate that a server shows as its own. Such
        // certificates are what `openssl req -x509` makes.
        CertificateError::UnknownIssuer | CertificateError::Other(_) if seen.self_signed => problem
            .why("it is self-signed: nobody but the server itself vouches for it")
            .next("If that is intended, accept it for this request, or name it as `tls: { ca: … }` in the integration's file"),
        CertificateError::Other(_) if seen.is_authority => problem
            .why("it is an authority's own certificate, made to sign others and not for a server")
            .next("Give the server a certificate of its own, signed by that authority"),
        CertificateError::UnknownIssuer => problem
            .why(match certificate {
                Some(certificate) => format!("its issuer, {}, is not trusted on this machine", certificate.issuer),
                None => "its issuer is not trusted on this machine".to_owned(),
            })
            .next(
                "Name the issuer's certificate as `tls: { ca: … }` in the integration's file, or add it to this machine's trusted \
                 certificates; the server may also lack an intermediate one",
            ),
        CertificateError::Revoked => problem.why("its issuer revoked it").next("Replace it on the server"),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            problem.why("it was not issued for servers").next("Replace it on the server")
        }
        CertificateError::BadEncoding => problem.why("it can't be read").next("Replace it on the server"),
        CertificateError::BadSignature => problem.why("its signature is wrong").next("Replace it on the server"),
        other => problem.why(other.to_string()).next("Replace it on the server"),
    }
}
