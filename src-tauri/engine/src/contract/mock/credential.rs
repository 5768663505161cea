//! The one credential that a mock takes.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// What is taken in every form that a contract declares: as a bearer token, as a key, or as a password.
#[derive(Clone)]
pub(super) struct Credential {
    secret: String,
    /// The user, where one was given; any without.
    user: Option<String>,
}

impl Credential {
    pub(super) const fn new(user: Option<String>, secret: String) -> Self {
        Self { secret, user }
    }

    /// Whether a key is the one.
    pub(super) fn is_key(&self, given: Option<&str>) -> bool {
        given == Some(self.secret.as_str())
    }

    /// Whether an `Authorization` header has it as a bearer token, or in another scheme with one word.
    pub(super) fn is_bearer(&self, header: Option<&str>) -> bool {
        let given = header.and_then(|header| header.trim().split_once(' ')).map(|(_, token)| token.trim());
        self.is_key(given)
    }

    /// Whether an `Authorization` header has it as a password (RFC 7617).
    pub(super) fn is_basic(&self, header: Option<&str>) -> bool {
        let encoded =
            header.and_then(|header| header.trim().split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
        let text =
            encoded.and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
        text.as_deref()
            .and_then(|text| text.split_once(':'))
            .is_some_and(|(user, password)| self.user.as_deref().is_none_or(|known| known == user) && password == self.secret)
    }
}
