//! Texts: lengths, formats and patterns.

use serde_json::Value;

use super::{
    Case, Chance, Generator, formats,
    pattern::{Way, looks_around, matching},
    shapes::{Shape, count},
};

/// The longest text that is made to reach a `maxLength`, in characters.
const LONGEST: usize = 5000;
/// What is put behind where a pattern that looks around asks for nothing itself.
const FURTHER: [&str; 6] = ["aA1!bB2?", "aA1bB2cC", "abcdefgh", "ABCDEFGH", "12345678", "a"];
/// How many texts are tried for a pattern that looks around.
const AROUND: usize = 200;
/// What texts without a format are made of; some take two, three and four bytes.
const LETTERS: [char; 12] = ['a', 'b', 'c', 'n', 'o', 't', 'e', 's', 'é', 'ß', '日', '🙂'];

impl Generator {
    /// An ordinary text.
    pub(super) fn plain_text(&self, shape: &Shape) -> Option<String> {
        let (least, most) = lengths(shape);
        let format = shape.get("format").and_then(Value::as_str).unwrap_or_default();
        if let Some(text) = formats::valid(format).iter().find(|text| within(text, least, most)) {
            return Some((*text).to_owned());
        }
        if let Some(pattern) = shape.get("pattern").and_then(Value::as_str) {
            return self.by_pattern(pattern, least, most, None);
        }
        if least > LONGEST {
            self.note(format!("A text of {least} characters is asked for, and at most {LONGEST} are made"));
            return None;
        }
        let text = match format {
            "uri" | "url" => "https://example.com/",
            _ => "text",
        };
        Some(fitted(text, least, most))
    }

    /// A text of a pattern that has the length; a note where none can be made.
    fn by_pattern(&self, pattern: &str, least: usize, most: Option<usize>, chance: Option<&mut Chance>) -> Option<String> {
        let around = looks_around(pattern);
        let fits = |text: &String| within(text, least, most) && (!around || self.matches(pattern, text));
        if let Some(chance) = chance {
            return matching(pattern, Way::Short, Some(chance)).filter(fits);
        }
        let found = [Way::Short, Way::Long(least.max(8)), Way::Long(most.unwrap_or(64).min(LONGEST)), Way::Long(least)]
            .into_iter()
            .filter_map(|way| matching(pattern, way, None))
            .find(|text| fits(text) && !text.is_empty())
            .or_else(|| matching(pattern, Way::Short, None).filter(fits))
            .or_else(|| {
                matching(pattern, Way::Short, None)
                    .map(|text| fitted(&text, least, most))
                    .filter(|text| self.matches(pattern, text))
            })
            .or_else(|| {
                // What an expression looks for around a place is met by chance.
                let mut chance = Chance::of(0, pattern);
                let mut made = (0..AROUND).filter_map(|_| matching(pattern, Way::Short, Some(&mut chance)));
                made.find(|text| around && fits(text))
            })
            .or_else(|| {
                // An expression that only looks takes whatever there is.
                let front = matching(pattern, Way::Short, None).filter(|_| around)?;
                FURTHER.iter().map(|further| format!("{front}{further}")).find(fits)
            });
        if found.is_none() {
            self.note(format!("No text could be made for the pattern {pattern}"));
        }
        found
    }

    pub(super) fn text_edges(&self, shape: &Shape) -> Vec<Case> {
        let (least, most) = lengths(shape);
        let format = shape.get("format").and_then(Value::as_str).unwrap_or_default();
        let text = |text: String, keyword, what: String| Case::new(Value::String(text), keyword, what);
        let known = formats::valid(format);
        if !known.is_empty() {
            return known.iter().map(|value| text((*value).to_owned(), "format", format!("is the {format} {value}"))).collect();
        }
        if let Some(pattern) = shape.get("pattern").and_then(Value::as_str) {
            let ways = [
                (Way::Short, "is the shortest text of the pattern"),
                (Way::Long(most.unwrap_or(40).min(LONGEST)), "is the longest text of the pattern"),
            ];
            return ways
                .into_iter()
                .filter_map(|(way, what)| matching(pattern, way, None).map(|value| text(value, "pattern", what.to_owned())))
                .collect();
        }
        let mut cases = Vec::new();
        if least == 0 {
            cases.push(text(String::new(), "minLength", "is empty".to_owned()));
        } else if least <= LONGEST {
            cases.push(text("a".repeat(least), "minLength", format!("has {least} characters, the fewest that are allowed")));
        }
        match most {
            Some(most) if most <= LONGEST => {
                cases.push(text("a".repeat(most), "maxLength", format!("has {most} characters, the most that are allowed")));
                let broad =
                    text("é".repeat(most), "maxLength", format!("has {most} characters of two bytes, the most that are allowed"));
                cases.push(broad);
            }
            _ => cases.push(text("a".repeat(least.max(2000)), "maxLength", "is long".to_owned()).strange()),
        }
        for (value, what) in [
            ("Ünï日本🙂", "has characters of several bytes"),
            ("O'Neil \"x\" <b>&amp; 100% \\ ; --", "has characters that mean something elsewhere"),
        ] {
            cases.push(text(fitted(value, least, most), "type", what.to_owned()));
        }
        for (value, what) in [("a\u{0}b", "has a NUL character"), ("   ", "is blank"), ("a\nb\tc", "has a line break")] {
            cases.push(text(fitted(value, least, most), "type", what.to_owned()).strange());
        }
        cases
    }

    pub(super) fn random_text(&self, shape: &Shape, chance: &mut Chance) -> Option<String> {
        let (least, most) = lengths(shape);
        let format = shape.get("format").and_then(Value::as_str).unwrap_or_default();
        match format {
            "uuid" => return Some(uuid(chance)),
            "date" => return Some(date(chance)),
            "date-time" => {
                return Some(format!(
                    "{}T{:02}:{:02}:{:02}Z",
                    date(chance),
                    chance.below(24),
                    chance.below(60),
                    chance.below(60)
                ));
            }
            "email" => return Some(format!("user{}@example.com", chance.below(1_000_000))),
            _ => {}
        }
        if let Some(known) = chance.pick(formats::valid(format)) {
            return Some((*known).to_owned());
        }
        if let Some(pattern) = shape.get("pattern").and_then(Value::as_str) {
            return (0..5)
                .find_map(|_| self.by_pattern(pattern, least, most, Some(chance)))
                .or_else(|| self.by_pattern(pattern, least, most, None));
        }
        let span = most.unwrap_or(least + 20).min(least + 40).saturating_sub(least);
        // A blank at an end is often trimmed, and an empty text is a case of its own.
        let length = (least + usize::try_from(chance.below(span as u64 + 1)).unwrap_or(0)).max(1).min(most.unwrap_or(usize::MAX));
        Some((0..length.min(LONGEST)).filter_map(|_| chance.pick(&LETTERS).copied()).collect())
    }

    pub(super) fn wrong_texts(&self, shape: &Shape) -> Vec<Case> {
        let (least, most) = lengths(shape);
        let mut cases = Vec::new();
        let base = self.plain_text(shape).unwrap_or_default();
        let size = base.chars().count();
        if least > 0 {
            let short: String = base.chars().take(least - 1).collect();
            cases.push(Case::new(
                Value::String(short),
                "minLength",
                format!("has {} characters, and at least {least} are asked for", (least - 1).min(size)),
            ));
        }
        if let Some(most) = most.filter(|most| *most < LONGEST) {
            let long: String = match shape.get("pattern").and_then(Value::as_str) {
                Some(pattern) => matching(pattern, Way::Long(most + 1), None).filter(|text| text.chars().count() > most),
                None => None,
            }
            .unwrap_or_else(|| base.chars().chain(std::iter::repeat('a')).take(most + 1).collect());
            cases.push(Case::new(
                Value::String(long),
                "maxLength",
                format!("has more than the {most} characters that are allowed"),
            ));
        }
        let format = shape.get("format").and_then(Value::as_str).unwrap_or_default();
        for (value, what) in formats::invalid(format) {
            let hint = matches!(format, "uri" | "iri" | "hostname" | "duration");
            let case = Case::new(Value::String((*value).to_owned()), "format", format!("is `{value}`, {what}"));
            cases.push(Case { hint, ..case });
        }
        if let Some(pattern) = shape.get("pattern").and_then(Value::as_str) {
            let tries = ["!", "a", "0", "A", "", "???", "not matching", "日本"];
            let broken = [format!("{base}!"), format!("!{base}"), base.to_lowercase(), base.to_uppercase()];
            let cut: String = base.chars().take(size.saturating_sub(1)).collect();
            let alike = |text: &&String| within(text, least, most) && **text != base;
            let alike: Vec<&String> = broken.iter().chain([&cut]).filter(alike).collect();
            let others = tries.iter().map(|text| fitted(text, least, most));
            for value in alike.into_iter().cloned().chain(others).filter(|value| !self.matches(pattern, value)).take(3) {
                cases.push(Case::new(
                    Value::String(value.clone()),
                    "pattern",
                    format!("is `{value}`, which does not match the pattern {pattern}"),
                ));
            }
        }
        cases
    }

    fn matches(&self, pattern: &str, text: &str) -> bool {
        let schema = serde_json::json!({ "pattern": pattern });
        jsonschema::options().build(&schema).is_ok_and(|validator| validator.is_valid(&Value::String(text.to_owned())))
    }
}

/// `minLength` and `maxLength`, in characters.
fn lengths(shape: &Shape) -> (usize, Option<usize>) {
    (count(shape, "minLength").unwrap_or(0), count(shape, "maxLength"))
}

fn within(text: &str, least: usize, most: Option<usize>) -> bool {
    let length = text.chars().count();
    length >= least && most.is_none_or(|most| length <= most)
}

/// A text cut or drawn out to a length.
fn fitted(text: &str, least: usize, most: Option<usize>) -> String {
    let mut text: String = text.chars().take(most.unwrap_or(usize::MAX)).collect();
    let length = text.chars().count();
    text.extend(std::iter::repeat_n('x', least.min(LONGEST).saturating_sub(length)));
    text
}

/// A UUID of version 4 (RFC 9562, 5.4).
fn uuid(chance: &mut Chance) -> String {
    let bits =
        (u128::from(chance.next()) << 64 | u128::from(chance.next())) & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn date(chance: &mut Chance) -> String {
    format!("{}-{:02}-{:02}", 1990 + chance.below(45), 1 + chance.below(12), 1 + chance.below(28))
}
