//! Fills in the references of a text: `${env:NAME}`, `${secret:NAME}` and `${NAME}`.
//!
//! `$${` stands for `${` itself, and any other `$` for itself. What is filled in is not looked at again, so that a value
//! which a service gave can't name a secret.

use std::sync::Arc;

use patchbay_contracts::{Code, Problem, probe::Variables, secret::Sensitive};
use url::Url;

use super::{Secrets, valid_name};
use crate::{Result, utils::nearest};

/// The most that a text may grow to, in bytes.
const LONGEST: usize = 64 << 20;

/// Looks a variable up: the integration that asks, if there is one, and the name.
pub type Lookup = Arc<dyn Fn(Option<&str>, &str) -> Option<String> + Send + Sync>;

/// What a text may refer to, secrets aside.
#[derive(Clone)]
pub struct Scope {
    /// The integration that the text belongs to.
    pub integration: Option<String>,
    /// The variables of the chosen environment.
    pub variables: Lookup,
    /// The names of variables that are known, to suggest one where another is mistyped; may be empty.
    pub names: Vec<String>,
    /// Values captured from earlier answers.
    pub captured: Variables,
}

impl Scope {
    /// A scope in which nothing has been captured.
    pub fn new(
        integration: Option<String>,
        variables: impl Fn(Option<&str>, &str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self { integration, variables: Arc::new(variables), names: Vec::new(), captured: Variables::new() }
    }
}

impl Default for Scope {
    /// A scope without variables.
    fn default() -> Self {
        Self::new(None, |_, _| None)
    }
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Captured values may be session tokens.
        f.debug_struct("Scope").field("integration", &self.integration).field("captured", &self.captured.len()).finish()
    }
}

/// A text with its references filled in.
#[derive(Debug, Clone)]
pub struct Filled {
    /// As it is sent.
    pub value: Sensitive<String>,
    /// As it may be shown: with `‹secret:NAME›` in place of each secret.
    pub shown: String,
    /// The secrets that it holds, each once, in their order.
    pub secrets: Vec<String>,
}

/// A stretch of a text.
#[derive(Debug, PartialEq, Eq)]
enum Part<'a> {
    Text(&'a str),
    Variable(&'a str),
    Secret(&'a str),
    Captured(&'a str),
}

/// Fills a text in for `target`, the address that it will be sent to. Each secret that it names must be bound to that
/// host.
///
/// # Errors
/// [`Code::InvalidDefinition`] for a reference that can't be read; [`Code::VariableMissing`] with the nearest known name
/// for a variable or a captured value that isn't there; [`Code::SecretMissing`], [`Code::SecretHost`] and
/// [`Code::Keychain`] as for [`Secrets::value_for`]; [`Code::TooLarge`] beyond 64 MiB.
pub async fn fill(text: &str, scope: &Scope, secrets: &Secrets, target: &Url) -> Result<Filled> {
    let mut value = String::with_capacity(text.len());
    let mut shown = String::with_capacity(text.len());
    let mut named: Vec<String> = Vec::new();
    for part in parts(text)? {
        let plain;
        let (real, visible) = match part {
            Part::Secret(name) => {
                let secret = secrets.value_for(name, target).await?;
                if !named.iter().any(|known| known == name) {
                    named.push(name.to_owned());
                }
                value.push_str(secret.expose());
                shown.push_str("‹secret:");
                shown.push_str(name);
                shown.push('›');
                continue;
            }
            Part::Text(text) => (text, text),
            Part::Variable(name) => {
                plain = scope.variable(name)?;
                (plain.as_str(), plain.as_str())
            }
            Part::Captured(name) => {
                let captured = scope.captured(name)?;
                (captured, captured)
            }
        };
        value.push_str(real);
        shown.push_str(visible);
        bounded(&value)?;
    }
    bounded(&value)?;
    // A variable or a captured value may hold a secret as well.
    let shown = secrets.redactor().text(&shown);
    Ok(Filled { value: Sensitive::new(value), shown, secrets: named })
}

/// Fills in a text that is shown and kept as it is, such as an address, and so can't hold a secret.
///
/// # Errors
/// As for [`fill`]; [`Code::InvalidDefinition`] where the text names a secret.
pub fn fill_plain(text: &str, scope: &Scope) -> Result<String> {
    let mut value = String::with_capacity(text.len());
    for part in parts(text)? {
        match part {
            Part::Text(text) => value.push_str(text),
            Part::Variable(name) => value.push_str(&scope.variable(name)?),
            Part::Captured(name) => value.push_str(scope.captured(name)?),
            Part::Secret(name) => {
                return Err(Problem::new(Code::InvalidDefinition, format!("The secret `{name}` can't stand here"))
                    .why("an address is shown and kept in reports, and it decides where secrets may go")
                    .next("Put the secret into `auth`, a header, a query parameter or the body"));
            }
        }
        bounded(&value)?;
    }
    Ok(value)
}

/// The secrets that a text names, each once, in their order. References that can't be read are passed over.
pub fn secrets_in(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for part in split(text) {
        if let Ok(Part::Secret(name)) = part
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

/// Whether all references of a text can be read, without looking at what they name.
///
/// # Errors
/// [`Code::InvalidDefinition`] for the first that can't.
pub fn check(text: &str) -> Result<()> {
    parts(text).map(drop)
}

impl Scope {
    fn variable(&self, name: &str) -> Result<String> {
        (self.variables)(self.integration.as_deref(), name).ok_or_else(|| {
            missing(format!("The variable `{name}` has no value"), nearest(name, self.names.iter().map(String::as_str)), "env:")
                .next(format!("Set `{name}` in the chosen environment of patchbay.yaml, or as a variable of the process"))
        })
    }

    fn captured(&self, name: &str) -> Result<&str> {
        self.captured.get(name).map(String::as_str).ok_or_else(|| {
            let variable = (self.variables)(self.integration.as_deref(), name).is_some();
            let problem =
                missing(format!("Nothing was captured as `{name}`"), nearest(name, self.captured.keys().map(String::as_str)), "");
            if variable {
                problem.next(format!("There is a variable of that name: write ${{env:{name}}}"))
            } else {
                problem.next(format!(
                    "Add `capture: {{ {name}: … }}` to an earlier endpoint, or write ${{env:{name}}} for a variable"
                ))
            }
        })
    }
}

fn missing(what: String, near: Option<&str>, prefix: &str) -> Problem {
    let problem = Problem::new(Code::VariableMissing, what);
    match near {
        Some(near) => problem.why(format!("did you mean ${{{prefix}{near}}}?")),
        None => problem,
    }
}

fn bounded(value: &str) -> Result<()> {
    if value.len() > LONGEST {
        return Err(Problem::new(Code::TooLarge, format!("A text grew over {} MiB when it was filled in", LONGEST >> 20)));
    }
    Ok(())
}

fn parts(text: &str) -> Result<Vec<Part<'_>>> {
    split(text).into_iter().collect()
}

/// All parts, with a problem in place of each reference that can't be read.
fn split(text: &str) -> Vec<Result<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            // `$${`: the first dollar sign says that the rest is meant as it stands.
            parts.push(Ok(Part::Text(&rest[..at - 1])));
            parts.push(Ok(Part::Text("${")));
            rest = &rest[at + 2..];
            continue;
        }
        parts.push(Ok(Part::Text(&rest[..at])));
        let inside = &rest[at + 2..];
        // A name holds no line break and no brace, and none is longer than this.
        let end = inside.char_indices().take(200).find(|(_, c)| matches!(c, '}' | '{' | '\n')).filter(|(_, c)| *c == '}');
        let Some((end, _)) = end else {
            parts.push(Err(bad("A `${` is not closed").next("Write ${NAME}, or $${ for the two characters themselves")));
            rest = inside;
            continue;
        };
        parts.push(reference(&inside[..end]));
        rest = &inside[end + 1..];
    }
    parts.push(Ok(Part::Text(rest)));
    parts
}

fn reference(inside: &str) -> Result<Part<'_>> {
    match inside.split_once(':') {
        Some(("env", name)) if is_variable(name) => Ok(Part::Variable(name)),
        Some(("secret", name)) => {
            valid_name(name).map(|()| Part::Secret(name)).map_err(|problem| bad(problem.what).next(problem.next))
        }
        Some(("env", _)) => Err(bad(format!("`${{{inside}}}` names no variable")).next("Write ${env:NAME}, without spaces")),
        Some((kind, name)) => {
            let near = nearest(kind, ["env", "secret"]).map(|near| format!("did you mean ${{{near}:{name}}}?"));
            Err(bad(format!("`${{{inside}}}` is of no known kind"))
                .why(near.unwrap_or_default())
                .next("Write ${env:NAME}, ${secret:NAME}, or ${NAME} for a captured value"))
        }
        None if is_variable(inside) => Ok(Part::Captured(inside)),
        None => Err(bad(format!("`${{{inside}}}` is no name"))
            .next("Write ${NAME}, without spaces, or $${ for the two characters themselves")),
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '$' | '{' | '}' | '"' | '\''))
}

fn bad(what: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidDefinition, what)
}
