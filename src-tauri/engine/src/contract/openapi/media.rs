//! Media types, and which documented one an actual one is.

use serde_json::Value;

use super::Schema;

/// A body in one media type.
#[derive(Debug, Clone)]
pub struct Media {
    /// As it is documented; may hold wildcards.
    pub media_type: String,
    /// What the body may be.
    pub schema: Option<Schema>,
    /// Examples, each with its name.
    pub examples: Vec<(String, Value)>,
    /// How each property of a form is written, as the document has it.
    pub encoding: Option<Value>,
    /// Where it stands.
    pub pointer: String,
}

/// The documented media type that fits an actual content type best: the same with the same parameters, the same, one with
/// a wildcard and a suffix (`application/*+json`), one of the same type (`application/*`), any (`*/*`).
pub fn media_for<'m>(content: &'m [Media], content_type: &str) -> Option<&'m Media> {
    let actual = Type::of(content_type);
    let fit = |media: &Media| Type::of(&media.media_type).covers(&actual);
    // Among equals the first one counts.
    content.iter().rev().filter_map(|media| Some((fit(media)?, media))).max_by_key(|(fit, _)| *fit).map(|(_, media)| media)
}

/// A media type in its parts, in lower case.
struct Type {
    main: String,
    sub: String,
    parameters: Vec<(String, String)>,
}

impl Type {
    fn of(text: &str) -> Self {
        let mut parts = text.split(';');
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let (main, sub) = essence.split_once('/').unwrap_or((&essence, ""));
        let parameters = parts.filter_map(|part| {
            let (name, value) = part.split_once('=')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').to_ascii_lowercase()))
        });
        Self { main: main.trim().to_owned(), sub: sub.trim().to_owned(), parameters: parameters.collect() }
    }

    /// How well this documented type fits an actual one.
    fn covers(&self, actual: &Self) -> Option<u8> {
        // A documented parameter such as `version=2` tells types apart; one that isn't documented, or a charset, does not.
        let told = |(name, value): &(String, String)| {
            name == "charset" || actual.parameters.iter().any(|(other, found)| other == name && found == value)
        };
        if !self.parameters.iter().all(told) {
            return None;
        }
        let suffix = self
            .sub
            .strip_prefix("*+")
            .is_some_and(|suffix| actual.sub == suffix || actual.sub.rsplit_once('+').is_some_and(|(_, found)| found == suffix));
        let same_main = self.main == actual.main;
        Some(match () {
            () if same_main && self.sub == actual.sub => 4 + u8::from(!self.parameters.is_empty()),
            () if same_main && suffix => 3,
            () if same_main && self.sub == "*" => 2,
            () if self.main == "*" && matches!(self.sub.as_str(), "*" | "") => 1,
            () => return None,
        })
    }
}
