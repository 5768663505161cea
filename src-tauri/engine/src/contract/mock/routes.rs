//! Which path of a contract a request's path is.

use regex::Regex;

/// A path with its parameters, such as `/orders/{id}`.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pattern: Option<Regex>,
    pub(super) names: Vec<String>,
    /// How much of it is not a parameter.
    literal: usize,
    /// What its query must have, where the path itself says so.
    query: Vec<(String, String)>,
}

impl Route {
    /// A route for a path in which parameters stand in braces.
    pub(super) fn new(path: &str) -> Self {
        // What follows a `#` only tells operations apart in the document; nobody is sent it.
        let path = path.split('#').next().unwrap_or_default();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query: Vec<(String, String)> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().filter(|(_, value)| !value.contains('{')).collect();
        let mut names = Vec::new();
        let mut pattern = String::from("^");
        let mut rest = path;
        let mut literal = 0;
        while let Some((before, name, after)) =
            rest.split_once('{').and_then(|(before, rest)| rest.split_once('}').map(|(name, after)| (before, name, after)))
        {
            pattern.push_str(&regex::escape(before));
            // A whole segment is taken as it is; within one, as little as will do.
            pattern.push_str(if before.ends_with('/') && (after.is_empty() || after.starts_with('/')) {
                "([^/]+)"
            } else {
                "([^/]+?)"
            });
            literal += before.len();
            names.push(name.trim_start_matches(['+', '$']).to_owned());
            rest = after;
        }
        literal += rest.len();
        pattern.push_str(&regex::escape(rest.trim_end_matches('/')));
        pattern.push_str("/?$");
        // A path of millions of bytes makes no pattern, and then nothing leads to it.
        Self { pattern: Regex::new(&pattern).ok(), names, literal, query }
    }

    /// Whether a query has what the path says that it must have.
    pub(super) fn asks(&self, pairs: &[(String, String)]) -> bool {
        self.query.iter().all(|pair| pairs.contains(pair))
    }

    /// The values of the parameters, as they were sent, where the path is this one.
    pub(super) fn values(&self, path: &str) -> Option<Vec<(String, String)>> {
        let found = self.pattern.as_ref()?.captures(path)?;
        let values = found.iter().skip(1).map(|value| value.map_or("", |value| value.as_str()).to_owned());
        Some(self.names.iter().cloned().zip(values).collect())
    }

    /// Those that say more come first: fewer parameters, then more text.
    pub(super) fn rank(&self) -> (usize, std::cmp::Reverse<usize>) {
        (self.names.len(), std::cmp::Reverse(self.literal))
    }
}

/// A path with the names of its parameters left out.
pub(super) fn anonymous(path: &str) -> String {
    let mut parts = path.trim_end_matches('/').split('{');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str("{}");
        text.push_str(part.split_once('}').map_or("", |(_, rest)| rest));
    }
    text
}

/// The letters and digits of a name, in lower case.
pub(super) fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}
