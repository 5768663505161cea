//! The options of curl that say what is sent, and those that don't.

use patchbay_contracts::{Code, Problem, units::Span};

use super::seconds;
use crate::Result;

/// A curl line by its options.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) urls: Vec<String>,
    pub(super) method: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) data: Vec<Data>,
    pub(super) query: Vec<String>,
    pub(super) form: Vec<(String, String)>,
    pub(super) cookies: Vec<String>,
    pub(super) get: bool,
    pub(super) head: bool,
    pub(super) upload: bool,
    pub(super) insecure: bool,
    pub(super) follow: bool,
    pub(super) user: Option<String>,
    pub(super) bearer: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) referer: Option<String>,
    pub(super) max_time: Option<Span>,
    pub(super) ignored: Vec<String>,
}

/// A piece of a body.
#[derive(Debug)]
pub(super) enum Data {
    Text(String),
    Json(String),
}

impl Data {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Json(text) => text,
        }
    }
}

/// What an option does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Method,
    Header,
    Data,
    DataRaw,
    DataEncoded,
    Json,
    Form,
    FormRaw,
    Get,
    Head,
    User,
    Bearer,
    Cookie,
    Agent,
    Referer,
    Range,
    Url,
    UrlQuery,
    Insecure,
    Follow,
    MaxTime,
    Upload,
    /// Ends this request and begins another.
    Next,
    /// Only about what curl shows; nothing is lost without it.
    Quiet,
    /// Has no meaning here.
    Ignored,
    /// Has no meaning here, and takes a value.
    IgnoredWithValue,
}

impl Does {
    const fn takes_value(self) -> bool {
        !matches!(self, Self::Get | Self::Head | Self::Insecure | Self::Follow | Self::Next | Self::Quiet | Self::Ignored)
    }
}

/// Long names, short ones (a blank where there is none) and what they do, from `curl --help all`.
const OPTIONS: &[(&str, char, Does)] = &[
    ("request", 'X', Does::Method),
    ("header", 'H', Does::Header),
    ("data", 'd', Does::Data),
    ("data-ascii", ' ', Does::Data),
    ("data-raw", ' ', Does::DataRaw),
    ("data-binary", ' ', Does::Data),
    ("data-urlencode", ' ', Does::DataEncoded),
    ("json", ' ', Does::Json),
    ("form", 'F', Does::Form),
    ("form-string", ' ', Does::FormRaw),
    ("get", 'G', Does::Get),
    ("head", 'I', Does::Head),
    ("user", 'u', Does::User),
    ("oauth2-bearer", ' ', Does::Bearer),
    ("cookie", 'b', Does::Cookie),
    ("user-agent", 'A', Does::Agent),
    ("referer", 'e', Does::Referer),
    ("range", 'r', Does::Range),
    ("url", ' ', Does::Url),
    ("url-query", ' ', Does::UrlQuery),
    ("insecure", 'k', Does::Insecure),
    ("location", 'L', Does::Follow),
    ("location-trusted", ' ', Does::Follow),
    ("max-time", 'm', Does::MaxTime),
    ("upload-file", 'T', Does::Upload),
    ("next", ':', Does::Next),
    ("silent", 's', Does::Quiet),
    ("show-error", 'S', Does::Quiet),
    ("verbose", 'v', Does::Quiet),
    ("include", 'i', Does::Quiet),
    ("show-headers", ' ', Does::Quiet),
    ("fail", 'f', Does::Quiet),
    ("fail-with-body", ' ', Does::Quiet),
    ("fail-early", ' ', Does::Quiet),
    ("no-buffer", 'N', Does::Quiet),
    ("globoff", 'g', Does::Quiet),
    ("disable", 'q', Does::Quiet),
    ("progress-bar", '#', Does::Quiet),
    ("no-progress-meter", ' ', Does::Quiet),
    ("compressed", ' ', Does::Quiet),
    ("basic", ' ', Does::Quiet),
    ("output", 'o', Does::IgnoredWithValue),
    ("output-dir", ' ', Does::IgnoredWithValue),
    ("write-out", 'w', Does::IgnoredWithValue),
    ("dump-header", 'D', Does::IgnoredWithValue),
    ("cookie-jar", 'c', Does::IgnoredWithValue),
    ("proxy", 'x', Does::IgnoredWithValue),
    ("proxy-user", 'U', Does::IgnoredWithValue),
    ("proxy-header", ' ', Does::IgnoredWithValue),
    ("preproxy", ' ', Does::IgnoredWithValue),
    ("noproxy", ' ', Does::IgnoredWithValue),
    ("socks5", ' ', Does::IgnoredWithValue),
    ("socks5-hostname", ' ', Does::IgnoredWithValue),
    ("cacert", ' ', Does::IgnoredWithValue),
    ("capath", ' ', Does::IgnoredWithValue),
    ("cert", 'E', Does::IgnoredWithValue),
    ("cert-type", ' ', Does::IgnoredWithValue),
    ("key", ' ', Does::IgnoredWithValue),
    ("key-type", ' ', Does::IgnoredWithValue),
    ("pass", ' ', Does::IgnoredWithValue),
    ("pinnedpubkey", ' ', Does::IgnoredWithValue),
    ("ciphers", ' ', Does::IgnoredWithValue),
    ("tls13-ciphers", ' ', Does::IgnoredWithValue),
    ("curves", ' ', Does::IgnoredWithValue),
    ("tls-max", ' ', Does::IgnoredWithValue),
    ("connect-timeout", ' ', Does::IgnoredWithValue),
    ("expect100-timeout", ' ', Does::IgnoredWithValue),
    ("keepalive-time", ' ', Does::IgnoredWithValue),
    ("happy-eyeballs-timeout-ms", ' ', Does::IgnoredWithValue),
    ("retry", ' ', Does::IgnoredWithValue),
    ("retry-delay", ' ', Does::IgnoredWithValue),
    ("retry-max-time", ' ', Does::IgnoredWithValue),
    ("max-redirs", ' ', Does::IgnoredWithValue),
    ("max-filesize", ' ', Does::IgnoredWithValue),
    ("limit-rate", ' ', Does::IgnoredWithValue),
    ("rate", ' ', Does::IgnoredWithValue),
    ("speed-limit", 'Y', Does::IgnoredWithValue),
    ("speed-time", 'y', Does::IgnoredWithValue),
    ("continue-at", 'C', Does::IgnoredWithValue),
    ("time-cond", 'z', Does::IgnoredWithValue),
    ("config", 'K', Does::IgnoredWithValue),
    ("resolve", ' ', Does::IgnoredWithValue),
    ("connect-to", ' ', Does::IgnoredWithValue),
    ("interface", ' ', Does::IgnoredWithValue),
    ("local-port", ' ', Does::IgnoredWithValue),
    ("dns-servers", ' ', Does::IgnoredWithValue),
    ("doh-url", ' ', Does::IgnoredWithValue),
    ("unix-socket", ' ', Does::IgnoredWithValue),
    ("abstract-unix-socket", ' ', Does::IgnoredWithValue),
    ("request-target", ' ', Does::IgnoredWithValue),
    ("aws-sigv4", ' ', Does::IgnoredWithValue),
    ("proto", ' ', Does::IgnoredWithValue),
    ("proto-default", ' ', Does::IgnoredWithValue),
    ("proto-redir", ' ', Does::IgnoredWithValue),
    ("quote", 'Q', Does::IgnoredWithValue),
    ("ftp-port", 'P', Does::IgnoredWithValue),
    ("telnet-option", 't', Does::IgnoredWithValue),
    ("trace", ' ', Does::IgnoredWithValue),
    ("trace-ascii", ' ', Does::IgnoredWithValue),
    ("stderr", ' ', Does::IgnoredWithValue),
    ("netrc-file", ' ', Does::IgnoredWithValue),
    ("parallel-max", ' ', Does::IgnoredWithValue),
    ("variable", ' ', Does::IgnoredWithValue),
    ("etag-save", ' ', Does::IgnoredWithValue),
    ("etag-compare", ' ', Does::IgnoredWithValue),
];

/// Reads the words behind `curl`.
pub(super) fn read(words: impl Iterator<Item = String>) -> Result<Line> {
    let mut line = Line::default();
    let mut words = words;
    let mut options_ended = false;
    while let Some(word) = words.next() {
        if options_ended || !word.starts_with('-') || word == "-" {
            line.urls.push(word);
        } else if word == "--" {
            options_ended = true;
        } else if let Some(name) = word.strip_prefix("--") {
            let (name, attached) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (name, None),
            };
            let does = OPTIONS.iter().find(|(long, ..)| *long == name).map_or(Does::Ignored, |(.., does)| *does);
            let value = if does.takes_value() { Some(value(&word, attached, &mut words)?) } else { None };
            if does == Does::Next {
                line.ignored.extend(std::iter::once(word).chain(words));
                return Ok(line);
            }
            line.apply(does, &word, value);
        } else {
            line.short(&word, &mut words)?;
        }
    }
    Ok(line)
}

fn value(option: &str, attached: Option<String>, words: &mut impl Iterator<Item = String>) -> Result<String> {
    attached.or_else(|| words.next()).ok_or_else(|| {
        Problem::new(Code::InvalidInput, format!("The option {option} of the curl line lacks its value"))
            .next("Paste the whole line")
    })
}

impl Line {
    /// A word of short options: several that take no value, and at the end perhaps one that does (`-sSLo file`, `-XPOST`).
    fn short(&mut self, word: &str, words: &mut impl Iterator<Item = String>) -> Result<()> {
        for (at, letter) in word.char_indices().skip(1) {
            let does = OPTIONS.iter().find(|(_, short, _)| *short == letter).map_or(Does::Ignored, |(.., does)| *does);
            let option = format!("-{letter}");
            if does.takes_value() {
                let rest = &word[at + letter.len_utf8()..];
                let attached = (!rest.is_empty()).then(|| rest.to_owned());
                let value = value(&option, attached, words)?;
                self.apply(does, &option, Some(value));
                return Ok(());
            }
            self.apply(does, &option, None);
        }
        Ok(())
    }

    fn apply(&mut self, does: Does, option: &str, value: Option<String>) {
        let value = value.unwrap_or_default();
        match does {
            Does::Method => self.method = Some(value),
            Does::Header => self.header(value),
            Does::Data if value.starts_with('@') => self.file(option, &value),
            Does::Data | Does::DataRaw => self.data.push(Data::Text(value)),
            Does::DataEncoded => match encoded(&value) {
                Some(text) => self.data.push(Data::Text(text)),
                None => self.file(option, &value),
            },
            Does::Json if value.starts_with('@') => self.file(option, &value),
            Does::Json => self.data.push(Data::Json(value)),
            Does::Form | Does::FormRaw => self.form(option, &value, does == Does::Form),
            Does::Get => self.get = true,
            Does::Head => self.head = true,
            Does::User => self.user = Some(value),
            Does::Bearer => self.bearer = Some(value),
            // Without `=` it is the name of a file with cookies.
            Does::Cookie if value.contains('=') => self.cookies.push(value.trim_end_matches([';', ' ']).to_owned()),
            Does::Cookie => self.file(option, &value),
            Does::Agent => self.agent = Some(value),
            Does::Referer => self.referer = Some(value.trim_end_matches(";auto").to_owned()),
            Does::Range => self.headers.push(("Range".to_owned(), format!("bytes={value}"))),
            Does::Url => self.urls.push(value),
            Does::UrlQuery => match value.strip_prefix('+').map(str::to_owned).or_else(|| encoded(&value)) {
                Some(text) => self.query.push(text),
                None => self.file(option, &value),
            },
            Does::Insecure => self.insecure = true,
            Does::Follow => self.follow = true,
            Does::MaxTime => match seconds(&value) {
                Some(span) => self.max_time = Some(span),
                None => self.ignored.push(format!("{option} {value}")),
            },
            Does::Upload => {
                self.upload = true;
                self.file(option, &value);
            }
            Does::Quiet | Does::Next => {}
            Does::Ignored => self.ignored.push(option.to_owned()),
            // The value may hold a password.
            Does::IgnoredWithValue if matches!(option, "-U" | "--proxy-user" | "--pass" | "-x" | "--proxy" | "-E" | "--cert") => {
                self.ignored.push(option.to_owned());
            }
            Does::IgnoredWithValue => self.ignored.push(format!("{option} {value}")),
        }
    }

    fn file(&mut self, option: &str, value: &str) {
        self.ignored.push(format!("{option} {value} (files are not read)"));
    }

    /// `Name: value`; `Name;` for an empty value; `Name:` takes a header of curl's own away.
    fn header(&mut self, text: String) {
        match text.split_once(':') {
            Some((name, value)) if !value.trim().is_empty() => {
                self.headers.push((name.trim().to_owned(), value.trim().to_owned()))
            }
            None if text.ends_with(';') => self.headers.push((text.trim_end_matches(';').trim().to_owned(), String::new())),
            None if text.starts_with('@') => self.file("-H", &text),
            _ => self.ignored.push(format!("-H {text}")),
        }
    }

    fn form(&mut self, option: &str, text: &str, files: bool) {
        let Some((name, value)) = text.split_once('=') else {
            self.ignored.push(format!("{option} {text}"));
            return;
        };
        if files && value.starts_with(['@', '<']) {
            self.file(option, text);
            return;
        }
        // `;type=text/plain` describes the part and is no part of it.
        let value = if files { value.split(";type=").next().unwrap_or(value).trim_matches('"') } else { value };
        self.form.push((name.to_owned(), value.to_owned()));
    }
}

/// `content`, `=content` or `name=content`, its content percent-encoded; none for a file (`@file`, `name@file`).
fn encoded(text: &str) -> Option<String> {
    // As `--data-urlencode` does it: a blank is %20 and not a plus.
    let encode = |text: &str| percent_encoding::utf8_percent_encode(text, ENCODED).to_string();
    match text.find(['=', '@']) {
        None => Some(encode(text)),
        Some(at) if text[at..].starts_with('@') => None,
        Some(0) => Some(encode(&text[1..])),
        Some(at) => Some(format!("{}={}", &text[..at], encode(&text[at + 1..]))),
    }
}

const ENCODED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
