//! What a server is told that asks who calls, and what became of it.

use std::sync::{Arc, Mutex, PoisonError};

use patchbay_contracts::{Code, Problem};
use rustls::{AlertDescription, SignatureScheme, client::ResolvesClientCert, sign::CertifiedKey};
use x509_parser::prelude::{FromDer, X509Name};

use super::identity::Identity;

/// The most issuers of a server's list that are kept.
const MOST_ISSUERS: usize = 20;
/// The most of an issuer's name that is kept, in bytes.
const LONGEST_ISSUER: usize = 200;

/// Shows the client's certificate to a server that asks for one, and remembers that it was asked.
pub(super) struct Caller {
    identity: Option<Identity>,
    withheld: Option<String>,
    asked: Mutex<Option<Question>>,
}

/// What a server said when it asked.
#[derive(Debug, Clone, Default)]
struct Question {
    /// The issuers that it takes, as far as it names them.
    issuers: Vec<String>,
    /// Whether the key can sign in a way that it takes.
    signs: bool,
}

/// What is known of it when an exchange has failed.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    question: Option<Question>,
    /// Subject and issuer of what it was shown.
    shown: Option<(String, String)>,
    withheld: Option<String>,
}

impl std::fmt::Debug for Caller {
    // The key is in it, and configurations of TLS can be printed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Caller")
    }
}

impl Caller {
    /// With what there is to show, and else the reason why it stays behind.
    pub(super) fn new(identity: Option<Identity>, withheld: Option<String>) -> Self {
        Self { identity, withheld, asked: Mutex::default() }
    }

    /// Whether there is a certificate to show.
    pub(super) const fn has_identity(&self) -> bool {
        self.identity.is_some()
    }

    /// Why there is none, where there could be one.
    pub(super) fn withheld(&self) -> Option<&str> {
        self.withheld.as_deref()
    }

    /// What is known by now.
    pub(super) fn asked(&self) -> Asked {
        Asked {
            question: self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            shown: self.identity.as_ref().map(|identity| (identity.subject.clone(), identity.issuer.clone())),
            withheld: self.withheld.clone(),
        }
    }
}

impl ResolvesClientCert for Caller {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let issuers = issuers.iter().take(MOST_ISSUERS).filter_map(|der| {
            let name = X509Name::from_der(der).ok()?.1.to_string();
            Some(name[..name.floor_char_boundary(LONGEST_ISSUER)].to_owned())
        });
        let signs = self.identity.as_ref().is_some_and(|identity| identity.key.key.choose_scheme(schemes).is_some());
        let question = Question { issuers: issuers.collect(), signs };
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(question);
        self.identity.as_ref().map(|identity| Arc::clone(&identity.key))
    }

    fn has_certs(&self) -> bool {
        self.identity.is_some()
    }
}

impl Asked {
    /// Why a server that asked broke the handshake off with this alert; nothing where it is about something else.
    pub(super) fn refused(&self, alert: AlertDescription, place: &str) -> Option<Problem> {
        use AlertDescription as Alert;
        let about_us = matches!(
            alert,
            Alert::CertificateRequired
                | Alert::NoCertificate
                | Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::CertificateUnobtainable
                | Alert::UnknownCA
                | Alert::AccessDenied
        );
        // These are sent for other reasons as well, unless a certificate is what was just asked for.
        let perhaps = matches!(alert, Alert::HandshakeFailure | Alert::DecryptError | Alert::IllegalParameter);
        let Some(question) = &self.question else {
            return (alert == Alert::CertificateRequired).then(|| self.none_shown(&Question::default(), place));
        };
        if !about_us && !perhaps {
            return None;
        }
        let Some((subject, issuer)) = &self.shown else { return Some(self.none_shown(question, place)) };
        if !question.signs {
            return Some(
                refused(place)
                    .why("the client's key can't sign in any of the ways that the server takes")
                    .next("Have a certificate made for a key of another kind: RSA, or ECDSA with P-256"),
            );
        }
        let takes = takes(question);
        let (why, next) = match alert {
            Alert::UnknownCA => (
                format!("it does not know the issuer of {subject}: {issuer}{takes}"),
                "Have the certificate issued by one that the server takes, or put those that lead to its issuer behind it in the file",
            ),
            Alert::CertificateExpired => {
                (format!("it holds that {subject} is not valid now"), "Compare the server's clock with the certificate's dates")
            }
            Alert::CertificateRevoked => (format!("the issuer revoked {subject}"), "Have a new one issued"),
            Alert::UnsupportedCertificate => {
                (format!("it does not take {subject} for a client's"), "Have one issued that is meant for clients (clientAuth)")
            }
            Alert::AccessDenied => (format!("it knows {subject} and does not let it in"), "Have the server allow this client"),
            other => {
                (format!("it was shown {subject}, issued by {issuer}, and said {other:?}{takes}"), "Look into the server's log")
            }
        };
        Some(refused(place).why(why).next(next))
    }

    /// A sentence where a server that asked in vain answers all the same, with a refusal: nginx does.
    pub(super) fn remark(&self, status: u16) -> Option<String> {
        let question =
            self.question.as_ref().filter(|_| self.shown.is_none() && matches!(status, 400 | 401 | 403 | 495 | 496))?;
        Some(format!("The server asked for a client certificate, and none was shown{}", takes(question)))
    }

    /// The server closed the connection right behind the handshake, without a word, or with one that was lost on the way.
    pub(super) fn closed(&self, problem: Problem, place: &str) -> Problem {
        let Some(question) = &self.question else { return problem };
        let Some((subject, _)) = &self.shown else { return self.none_shown(question, place) };
        // It may have any other reason as well.
        let why = format!("{}; it had asked for a client certificate and was shown {subject}", problem.why);
        problem.why(why).next("Look into the server's log: it may have refused the certificate")
    }

    fn none_shown(&self, question: &Question, place: &str) -> Problem {
        let takes = takes(question);
        let problem = Problem::new(Code::Tls, format!("{place} asks for a client certificate"));
        match &self.withheld {
            Some(withheld) => problem
                .why(format!("the integration's was not shown there: {withheld}{takes}"))
                .next("If it belongs there, add the host to the hosts of the secret"),
            None => problem
                .why(format!("none was shown{takes}"))
                .next("Name one in the integration's file: tls: { certificate: client.pem, key: \"${secret:NAME}\" }"),
        }
    }
}

fn refused(place: &str) -> Problem {
    Problem::new(Code::Tls, format!("{place} refuses the client certificate"))
}

/// The issuers that a server takes, as the end of a sentence.
fn takes(question: &Question) -> String {
    match question.issuers.as_slice() {
        [] => String::new(),
        issuers => format!("; it takes those of {}", issuers.join(" and of ")),
    }
}
