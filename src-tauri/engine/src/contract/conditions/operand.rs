//! The operands of a condition, as they are written.

use patchbay_contracts::Problem;

use super::wrong;
use crate::{Result, utils::nearest::nearest};

/// Placeholders that can be judged from one exchange over HTTP.
const PLACEHOLDERS: [&str; 7] =
    ["[STATUS]", "[RESPONSE_TIME]", "[BODY]", "[HEADER]", "[CONNECTED]", "[CERTIFICATE_EXPIRATION]", "[IP]"];
/// Placeholders of Gatus that can't, and why.
const UNSUPPORTED: [(&str, &str); 3] = [
    ("[DOMAIN_EXPIRATION]", "the expiry of a domain is asked from a WHOIS server, which Patchbay doesn't call"),
    ("[DNS_RCODE]", "it belongs to checks of DNS servers, and this is an exchange over HTTP"),
    ("[CONTEXT]", "captured values are written as ${name}"),
];
const FUNCTIONS: [&str; 5] = ["len", "has", "age", "pat", "any"];

/// One side of a condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    /// A text, number or duration as it stands.
    Literal(String),
    /// `pat(…)`: a pattern with `*`, `?` and `[a-z]`.
    Pattern(String),
    /// `any(a, b)`.
    Any(Vec<String>),
    /// Something that came back.
    Reading(Reading),
}

/// A placeholder, and what is made of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    pub(super) text: String,
    pub(crate) function: Function,
    pub(crate) source: Source,
}

/// What is made of a placeholder's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    /// The value itself.
    Itself,
    /// Its length: elements, members or characters.
    Len,
    /// Whether it is there.
    Has,
    /// The time since the moment that it names.
    Age,
}

/// What a placeholder stands for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    Status,
    ResponseTime,
    Ip,
    Connected,
    CertificateExpiration,
    Header(String),
    Body(Vec<Step>),
}

/// A step into a JSON body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A member of an object.
    Key(String),
    /// An element of a list.
    Index(usize),
    /// Every element of a list.
    Each,
}

impl Operand {
    /// The function's name for `pat` and `any`.
    pub(super) fn matcher(&self) -> Option<&'static str> {
        match self {
            Self::Pattern(_) => Some("pat"),
            Self::Any(_) => Some("any"),
            Self::Literal(_) | Self::Reading(_) => None,
        }
    }

    /// Whether it looks at what came back.
    pub(super) fn reads(&self) -> bool {
        matches!(self, Self::Reading(_))
    }

    /// Whether it looks at the body.
    pub(super) fn reads_body(&self) -> bool {
        matches!(self, Self::Reading(Reading { source: Source::Body(_), .. }))
    }

    /// The texts in it that stand as they are.
    pub(super) fn literals(&self) -> Vec<&str> {
        match self {
            Self::Literal(text) | Self::Pattern(text) => vec![text],
            Self::Any(all) => all.iter().map(String::as_str).collect(),
            Self::Reading(_) => Vec::new(),
        }
    }

    /// The path up to the first `[*]`.
    pub(super) fn wildcard(&self) -> Option<&[Step]> {
        let Self::Reading(Reading { source: Source::Body(path), .. }) = self else { return None };
        path.iter().position(|step| *step == Step::Each).map(|at| &path[..at])
    }

    /// Puts an index where the first `[*]` stands; says whether there was one.
    pub(super) fn fix_wildcard(&mut self, index: usize) -> bool {
        let Self::Reading(Reading { source: Source::Body(path), .. }) = self else { return false };
        let Some(step) = path.iter_mut().find(|step| **step == Step::Each) else { return false };
        *step = Step::Index(index);
        true
    }

    pub(super) fn filled(&self, fill: &impl Fn(&str) -> Result<String>) -> Result<Self> {
        Ok(match self {
            Self::Literal(text) => Self::Literal(fill(text)?),
            Self::Pattern(text) => Self::Pattern(fill(text)?),
            Self::Any(all) => Self::Any(all.iter().map(|text| fill(text)).collect::<Result<_>>()?),
            Self::Reading(_) => self.clone(),
        })
    }
}

/// Understands one side; `whole` is the condition, for the message.
pub(super) fn parse(whole: &str, text: &str) -> Result<Operand> {
    if let Some((name, inner)) = call(text) {
        return match name {
            "pat" => Ok(Operand::Pattern(inner.trim().to_owned())),
            "any" => Ok(Operand::Any(inner.split(',').map(|option| option.trim().to_owned()).collect())),
            "len" => reading(whole, text, inner, Function::Len),
            "has" => reading(whole, text, inner, Function::Has),
            "age" => age(whole, text, inner),
            // A literal may well have parentheses; around a placeholder they can only be meant as a function.
            _ if inner.trim_start().starts_with('[') => Err(unknown(whole, &format!("{name}(…)"), name, &FUNCTIONS)),
            _ => Ok(Operand::Literal(text.to_owned())),
        };
    }
    match placeholder_name(text) {
        Some(_) => reading(whole, text, text, Function::Itself),
        None => Ok(Operand::Literal(text.to_owned())),
    }
}

/// The placeholder that a literal was probably meant to be: `STATUS` for `[STATUS]`.
pub(super) fn nearest_to_literal(operand: &Operand) -> Option<String> {
    let Operand::Literal(text) = operand else { return None };
    let bare = text.trim_matches(['[', ']']).to_ascii_uppercase();
    let name = bare.split(['.', '[']).next()?;
    let names = PLACEHOLDERS.map(|placeholder| placeholder.trim_matches(['[', ']']));
    nearest(name, names).map(|name| format!("[{name}]"))
}

/// `name(inner)`.
fn call(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once('(')?;
    let inner = rest.strip_suffix(')')?;
    (!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')).then_some((name, inner))
}

/// `[NAME]` at the start of a text, in capitals.
fn placeholder_name(text: &str) -> Option<String> {
    let rest = text.strip_prefix('[')?;
    let name = &rest[..rest.find(']')?];
    let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_' || b == b'-');
    named.then(|| format!("[{}]", name.to_ascii_uppercase()))
}

fn age(whole: &str, text: &str, inner: &str) -> Result<Operand> {
    if inner.contains(',') {
        return Err(wrong(whole, "age(…) with a layout of its own isn't supported")
            .next("Leave the layout out; HTTP dates, RFC 3339 and Unix time are understood"));
    }
    let operand = reading(whole, text, inner, Function::Age)?;
    match &operand {
        Operand::Reading(Reading { source: Source::Body(_) | Source::Header(_), .. }) => Ok(operand),
        _ => Err(wrong(whole, "age(…) takes a moment from [BODY] or [HEADER]")),
    }
}

fn reading(whole: &str, text: &str, inner: &str, function: Function) -> Result<Operand> {
    let inner = inner.trim();
    let Some(name) = placeholder_name(inner) else {
        return Err(wrong(whole, format!("`{inner}` is not a placeholder")).next("Put one in, such as len([BODY].items) > 0"));
    };
    // Capitals don't change the length of an ASCII name.
    let rest = &inner[name.len()..];
    let source = match name.as_str() {
        "[BODY]" => Source::Body(path(whole, rest)?),
        "[HEADER]" => match rest.strip_prefix('.') {
            Some(header) if !header.is_empty() => Source::Header(header.to_owned()),
            _ => return Err(wrong(whole, "[HEADER] needs the header's name").next("Write [HEADER].Content-Type")),
        },
        simple => {
            let source = match simple {
                "[STATUS]" => Source::Status,
                "[RESPONSE_TIME]" => Source::ResponseTime,
                "[IP]" => Source::Ip,
                "[CONNECTED]" => Source::Connected,
                "[CERTIFICATE_EXPIRATION]" => Source::CertificateExpiration,
                _ => return Err(unsupported(whole, simple)),
            };
            if !rest.is_empty() {
                return Err(wrong(whole, format!("`{rest}` can't follow {simple}")).next("Only [BODY] and [HEADER] have parts"));
            }
            source
        }
    };
    Ok(Operand::Reading(Reading { text: text.to_owned(), function, source }))
}

fn unsupported(whole: &str, name: &str) -> Problem {
    match UNSUPPORTED.iter().find(|(known, _)| *known == name) {
        Some((_, why)) => wrong(whole, format!("{name} is not supported: {why}")),
        None => unknown(whole, name, name, &PLACEHOLDERS),
    }
}

fn unknown(whole: &str, shown: &str, name: &str, known: &[&str]) -> Problem {
    let problem = wrong(whole, format!("{shown} is unknown"));
    match nearest(name, known.iter().copied()) {
        Some(near) => problem.next(format!("Did you mean {near}?")),
        None => problem.next(format!("Known are {}", known.join(", "))),
    }
}

/// `.data[0].id` or `[0].id`, in Gatus's own path notation: keys between dots, indices in brackets.
pub(super) fn path(whole: &str, text: &str) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(bracket) = rest.strip_prefix('[') {
            let Some((index, after)) = bracket.split_once(']') else {
                return Err(wrong(whole, format!("`[` is not closed in {text}")));
            };
            steps.push(match index {
                "*" => Step::Each,
                digits => Step::Index(digits.parse().map_err(|_| {
                    wrong(whole, format!("`[{digits}]` is not an index")).next("Write a number from 0, or [*] for every element")
                })?),
            });
            rest = after;
        } else {
            let key = rest.strip_prefix('.').unwrap_or(rest);
            let end = key.find(['.', '[']).unwrap_or(key.len());
            if end == 0 || key.len() == rest.len() && !steps.is_empty() {
                return Err(wrong(whole, format!("a name is missing in {text}")));
            }
            if key.len() == rest.len() {
                return Err(wrong(whole, format!("`{rest}` can't follow [BODY]")).next("Write [BODY].name or [BODY][0]"));
            }
            steps.push(Step::Key(key[..end].to_owned()));
            rest = &key[end..];
        }
    }
    Ok(steps)
}
