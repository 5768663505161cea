//! What a person pasted, at a glance. The backend reads it for good; this only says what it will be read as.

/// What a text looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    /// Nothing is there.
    Empty,
    /// An address.
    Address,
    /// A curl line.
    Curl,
    /// The text of an integration file.
    File,
    /// None of these.
    Unknown,
}

impl Looks {
    /// What will come of it, for a hint.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Empty => "An address, a curl line, or the text of an integration file.",
            Self::Address => "An address. Its path becomes the first endpoint and the health check.",
            Self::Curl => "A curl line. Credentials in it go into the keychain, and the file only names them.",
            Self::File => "The text of an integration file. It is kept as it stands.",
            Self::Unknown => {
                "This looks like neither of them. An address begins with http:// or https://, a curl line with curl, and a file has integration: at its top."
            }
        }
    }
}

/// What a text looks like.
pub fn looks(text: &str) -> Looks {
    let text = text.trim();
    let begins = |prefix: &str| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if text.is_empty() {
        Looks::Empty
    } else if begins("curl ") || begins("curl.exe ") || text.starts_with("$ curl ") {
        Looks::Curl
    } else if text.lines().any(|line| line.trim_end() == "integration:" || line.starts_with("integration: ")) {
        Looks::File
    } else if !text.contains(char::is_whitespace) && (begins("http://") || begins("https://") || bare_host(text)) {
        Looks::Address
    } else {
        Looks::Unknown
    }
}

/// A host without a scheme: `localhost:8080/health`, `api.example.org`.
fn bare_host(text: &str) -> bool {
    let host = text.split(['/', '?']).next().unwrap_or_default();
    let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
    let named = name == "localhost" || name.contains('.') && !name.starts_with('.') && !name.ends_with('.');
    named
        && name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '-'))
        && port.chars().all(|digit| digit.is_ascii_digit())
}
