//! Finding something in a JSON document.

use serde_json::Value;

/// How many finds are enough.
const ENOUGH: usize = 200;
/// How many values are looked at, so that a huge document does not hold up the page.
const BOUND: usize = 500_000;
/// How much of a value is shown beside its place, in characters.
const SHOWN: usize = 160;

/// What was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// The JSON pointer (RFC 6901) of each, and the beginning of its value.
    pub places: Vec<(String, String)>,
    /// Whether there may be more.
    pub more: bool,
}

/// The members whose name, and the texts, numbers and words whose value, contain `wanted` in any case of letters.
pub fn find(document: &Value, wanted: &str) -> Found {
    let wanted = wanted.trim().to_lowercase();
    let mut found = Found::default();
    if wanted.is_empty() {
        return found;
    }
    // A list of what is still to be looked at in place of a recursion, whose depth the document would decide.
    let mut waiting: Vec<(String, bool, &Value)> = vec![(String::new(), false, document)];
    let mut looked = 0;
    while let Some((pointer, named, value)) = waiting.pop() {
        looked += 1;
        if found.places.len() >= ENOUGH || looked > BOUND {
            found.more = true;
            break;
        }
        let holds = match value {
            Value::Array(list) => {
                let members = list.iter().enumerate().rev();
                waiting.extend(members.map(|(at, member)| (format!("{pointer}/{at}"), false, member)));
                false
            }
            Value::Object(members) => {
                let next = members.iter().rev().map(|(name, member)| {
                    let part = name.replace('~', "~0").replace('/', "~1");
                    (format!("{pointer}/{part}"), name.to_lowercase().contains(&wanted), member)
                });
                waiting.extend(next);
                false
            }
            Value::String(text) => text.to_lowercase().contains(&wanted),
            other => other.to_string().contains(&wanted),
        };
        if named || holds {
            let shown = match value {
                Value::Array(list) => format!("[…] {}", list.len()),
                Value::Object(members) => format!("{{…}} {}", members.len()),
                other => other.to_string().chars().take(SHOWN).collect(),
            };
            found.places.push((pointer, shown));
        }
    }
    found
}
