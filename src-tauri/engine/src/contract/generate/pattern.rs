//! Texts that match a regular expression, built along its syntax tree.

use regex_syntax::{
    ParserBuilder,
    hir::{Class, Hir, HirKind},
};

use super::Chance;

/// The longest text that is built, in characters.
const LONGEST: usize = 2000;
/// How much more than the least a repetition without an end is drawn out.
const FURTHER: u32 = 4;

/// How groups begin that only look ahead or behind.
const LOOKS: [&str; 4] = ["(?=", "(?!", "(?<=", "(?<!"];
/// How a text is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// As short as possible.
    Short,
    /// With repetitions drawn out, up to so many characters.
    Long(usize),
}

/// A text that matches; none where the expression has what no such building can honour: references back. Anchors are taken
/// to be at the ends, what looks around is left out, and a validator must have the last word.
pub(super) fn matching(pattern: &str, way: Way, chance: Option<&mut Chance>) -> Option<String> {
    let hir = ParserBuilder::new().utf8(true).unicode(true).nest_limit(50).build().parse(&plainer(pattern)).ok()?;
    let mut text = String::new();
    let mut build = Build { way, chance };
    build.put(&hir, &mut text)?;
    Some(text)
}

/// ECMAScript's notation as far as it differs: `\/` and `\-` outside of classes are only the character, `\d` is ASCII.
fn plainer(pattern: &str) -> String {
    let mut plain = String::with_capacity(pattern.len());
    let pattern = without_looks(pattern);
    let mut chars = pattern.chars();
    let mut class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('/') => plain.push('/'),
                Some('d') if class => plain.push_str("0-9"),
                Some('d') => plain.push_str("[0-9]"),
                Some('w') if class => plain.push_str("A-Za-z0-9_"),
                Some('w') => plain.push_str("[A-Za-z0-9_]"),
                Some('s') if !class => plain.push(' '),
                Some(other) => {
                    plain.push('\\');
                    plain.push(other);
                }
                None => plain.push('\\'),
            },
            '[' if class => plain.push_str("\\["),
            '[' => {
                class = true;
                plain.push('[');
            }
            ']' => {
                class = false;
                plain.push(']');
            }
            other => plain.push(other),
        }
    }
    plain
}

/// Whether an expression looks ahead or behind somewhere.
pub(super) fn looks_around(pattern: &str) -> bool {
    LOOKS.iter().any(|look| pattern.contains(look))
}

/// An expression without the groups that only look ahead or behind.
fn without_looks(pattern: &str) -> String {
    if !looks_around(pattern) {
        return pattern.to_owned();
    }
    let mut plain = String::with_capacity(pattern.len());
    let (mut rest, mut class, mut depth) = (pattern, false, 0_u32);
    while let Some(c) = rest.chars().next() {
        let look = depth == 0 && !class && LOOKS.iter().any(|look| rest.starts_with(look));
        let taken = if c == '\\' { c.len_utf8() + rest.chars().nth(1).map_or(0, char::len_utf8) } else { c.len_utf8() };
        match c {
            '[' => class = true,
            ']' => class = false,
            '(' if look => depth = 1,
            '(' if depth > 0 && !class => depth += 1,
            _ => {}
        }
        if depth == 0 {
            plain.push_str(&rest[..taken]);
        } else if c == ')' && !class {
            depth -= 1;
        }
        rest = &rest[taken..];
    }
    plain
}

struct Build<'a> {
    way: Way,
    chance: Option<&'a mut Chance>,
}

impl Build<'_> {
    fn put(&mut self, hir: &Hir, text: &mut String) -> Option<()> {
        if text.chars().count() > LONGEST {
            return None;
        }
        match hir.kind() {
            HirKind::Empty => Some(()),
            HirKind::Literal(literal) => {
                text.push_str(std::str::from_utf8(&literal.0).ok()?);
                Some(())
            }
            HirKind::Class(class) => {
                text.push(self.one_of(class)?);
                Some(())
            }
            HirKind::Look(look) => {
                use regex_syntax::hir::Look::{End, EndLF, Start, StartLF};
                matches!(look, Start | End | StartLF | EndLF).then_some(())
            }
            HirKind::Repetition(repetition) => {
                let least = repetition.min;
                let most =
                    repetition.max.unwrap_or(least.saturating_add(LONGEST as u32)).min(least.saturating_add(LONGEST as u32));
                let times = match (self.way, &mut self.chance) {
                    (Way::Short, None) => least,
                    (Way::Long(room), None) => {
                        let each = repetition.sub.properties().minimum_len().unwrap_or(1).max(1);
                        let left = room.saturating_sub(text.chars().count()) / each;
                        most.min(u32::try_from(left).unwrap_or(u32::MAX)).max(least)
                    }
                    (_, Some(chance)) => {
                        let span = u64::from(most.min(least.saturating_add(FURTHER)) - least) + 1;
                        least + u32::try_from(chance.below(span)).unwrap_or(0)
                    }
                };
                (0..times).try_for_each(|_| self.put(&repetition.sub, text))
            }
            HirKind::Capture(capture) => self.put(&capture.sub, text),
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.put(part, text)),
            HirKind::Alternation(parts) => {
                let part = match &mut self.chance {
                    Some(chance) => chance.pick(parts)?,
                    None => parts.first()?,
                };
                self.put(part, text)
            }
        }
    }

    /// A character of a class, a readable one if there is any.
    fn one_of(&mut self, class: &Class) -> Option<char> {
        const LIKED: &[char] = &['a', 'A', '1', '0', 'b', 'B', 'x', 'X', 'z', '-', '_', '.', ' ', 'é'];
        let Class::Unicode(class) = class else {
            let Class::Bytes(bytes) = class else { return None };
            return bytes.ranges().first().map(|range| char::from(range.start())).filter(char::is_ascii);
        };
        let has = |c: char| class.ranges().iter().any(|range| range.start() <= c && c <= range.end());
        if let Some(chance) = &mut self.chance {
            let readable: Vec<char> = (' '..='~').filter(|c| has(*c)).collect();
            if let Some(c) = chance.pick(&readable) {
                return Some(*c);
            }
        }
        LIKED
            .iter()
            .copied()
            .find(|c| has(*c))
            .or_else(|| (' '..='~').find(|c| has(*c)))
            .or_else(|| class.ranges().first().map(|range| range.start()))
    }
}
