//! What the references of requests stand for while k6 runs.

use std::collections::BTreeMap;

use patchbay_contracts::{Code, Problem};

use super::{
    js::{self, Text},
    unsupported,
};
use crate::{
    Result,
    http::{Context, pieces},
    secrets::{
        environment_name,
        template::{self, Scope},
    },
    utils::nearest::nearest,
};

/// Chooses the function that a reference goes through by the text before it.
type Chooses<'a> = dyn Fn(&str) -> Option<&'static str> + 'a;

/// References of one text or request are numbered up to here.
const MOST_MARKS: usize = 1000;

/// Values that are made anew for each request or iteration, and what makes them.
const GENERATED: [(&str, &str); 5] = [
    ("uuid", "v.uuid"),
    ("iteration", "v.iteration"),
    ("user", "v.user"),
    ("unix_ms", "Date.now()"),
    ("random", "Math.floor(Math.random() * 1e9)"),
];

/// The names that requests may refer to, and the secrets that they do refer to.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    captured: Vec<String>,
    /// Each column with its file's place.
    columns: Vec<(String, usize)>,
    /// The secrets' variables, each with the name of its secret.
    secrets: BTreeMap<String, String>,
}

impl Values {
    pub(super) fn capture(&mut self, name: &str) {
        if !self.captured.iter().any(|known| known == name) {
            self.captured.push(name.to_owned());
        }
    }

    pub(super) fn column(&mut self, name: &str, feed: usize) {
        if !self.columns.iter().any(|(known, _)| known == name) {
            self.columns.push((name.to_owned(), feed));
        }
    }

    /// Forgets what was captured and read since `outer`; the secrets stay.
    pub(super) fn back_to(&mut self, outer: &Self) {
        self.captured.clone_from(&outer.captured);
        self.columns.clone_from(&outer.columns);
    }

    /// The variables of all secrets so far.
    pub(super) fn variables(&self) -> Vec<String> {
        self.secrets.keys().cloned().collect()
    }

    /// The expression for `${secret:NAME}`.
    pub(super) fn secret(&mut self, name: &str) -> Result<String> {
        let variable = environment_name(name);
        let known = self.secrets.entry(variable.clone()).or_insert_with(|| name.to_owned());
        if known != name {
            return Err(unsupported(format!("The secrets `{known}` and `{name}` can't be told apart by k6"))
                .why(format!("both would come from the variable {variable}"))
                .next("Give one of them another name"));
        }
        Ok(format!("secret({})", js::string(&variable)))
    }

    /// The expression for a reference, which begins with `${` and is no variable of the environment.
    fn expression(&mut self, reference: &str, scope: &Scope) -> Result<String> {
        let name = reference.trim_start_matches("${").trim_end_matches('}');
        if let Some(secret) = name.strip_prefix("secret:") {
            return self.secret(secret);
        }
        if self.captured.iter().any(|known| known == name) {
            return Ok(format!("v.captured[{}]", js::string(name)));
        }
        if let Some((_, feed)) = self.columns.iter().find(|(known, _)| known == name) {
            return Ok(format!("v.rows[{feed}][{}]", js::string(name)));
        }
        if let Some((_, made)) = GENERATED.iter().find(|(known, _)| *known == name) {
            return Ok((*made).to_owned());
        }
        let known = self.captured.iter().chain(self.columns.iter().map(|(name, _)| name)).map(String::as_str);
        let problem = Problem::new(Code::VariableMissing, format!("Nothing that the load plan calls captures `{name}`"));
        Err(if (scope.variables)(scope.integration.as_deref(), name).is_some() {
            problem.next(format!("There is a variable of that name: write ${{env:{name}}}"))
        } else if let Some(near) = nearest(name, known.chain(GENERATED.iter().map(|(name, _)| *name))) {
            problem.next(format!("Did you mean ${{{near}}}?"))
        } else {
            problem.next("Capture it in the setup or earlier in the chain, or add a data file with a column of that name")
        })
    }

    /// A text with its variables filled in, and the rest as it is known while k6 runs.
    pub(super) fn text(&mut self, text: &str, context: &Context, escape: Option<&'static str>) -> Result<Text> {
        template::check(text)?;
        let mut made = Text::default();
        for piece in pieces(text) {
            if is_runtime(piece) {
                let expression = self.expression(piece, &context.scope)?;
                made.push_value(&expression, escape);
            } else {
                made.push(&template::fill_plain(piece, &context.scope)?);
            }
        }
        Ok(made)
    }
}

/// Whether a piece of a text is a reference that is known only while k6 runs.
pub(super) fn is_runtime(piece: &str) -> bool {
    piece.starts_with("${") && !piece.starts_with("${env:")
}

/// Stand-ins for references: a request is made with them by the same code that makes it for Patchbay's own runs, and
/// where they come out again, their references stand.
#[derive(Debug, Default)]
pub(super) struct Marks {
    prefix: String,
    /// Each with its expression and the function that makes its value fit.
    known: Vec<(String, Option<&'static str>)>,
}

impl Marks {
    /// Marks that aren't in any of these texts. They have digits only: they can stand wherever a value can, also for a
    /// number in JSON, and no encoding changes them.
    pub(super) fn apart_from(texts: &[&str]) -> Result<Self> {
        let mut free = (0..100_u64).map(|attempt| format!("7{:014}", 90_715_530_186_249 - attempt * 1_000_003));
        let free = free.find(|prefix| !texts.iter().any(|text| text.contains(prefix.as_str())));
        let prefix = free.ok_or_else(|| Problem::internal("no text was free for stand-ins"))?;
        Ok(Self { prefix, known: Vec::new() })
    }

    /// The text with a mark in place of each reference that is known only while k6 runs.
    pub(super) fn put(
        &mut self,
        text: &str,
        values: &mut Values,
        context: &Context,
        escape: Option<&'static str>,
    ) -> Result<String> {
        template::check(text)?;
        let mut marked = String::new();
        for piece in pieces(text) {
            if is_runtime(piece) {
                let expression = values.expression(piece, &context.scope)?;
                marked.push_str(&self.mark(expression, escape)?);
            } else {
                marked.push_str(piece);
            }
        }
        Ok(marked)
    }

    /// A mark for an expression.
    pub(super) fn mark(&mut self, expression: String, escape: Option<&'static str>) -> Result<String> {
        if self.known.len() == MOST_MARKS {
            return Err(unsupported(format!("A request has more than {MOST_MARKS} references")));
        }
        self.known.push((expression, escape));
        Ok(format!("{}{:03}", self.prefix, self.known.len() - 1))
    }

    /// The text with the references where their marks stand. `escape` chooses the function by what is before the mark;
    /// without it each has its own.
    pub(super) fn take(&self, text: &str, escape: Option<&Chooses>) -> Text {
        let mut made = Text::default();
        let (mut from, mut at) = (0, 0);
        while let Some(found) = text[at..].find(&self.prefix) {
            let start = at + found;
            let end = start + self.prefix.len() + 3;
            let known = text.get(end - 3..end).and_then(|digits| digits.parse::<usize>().ok()).and_then(|i| self.known.get(i));
            let Some((expression, own)) = known else {
                at = start + 1;
                continue;
            };
            made.push(&text[from..start]);
            made.push_value(expression, escape.map_or(*own, |choose| choose(&text[..start])));
            from = end;
            at = end;
        }
        made.push(&text[from..]);
        made
    }

    /// The text as people read it, with `…` where something is filled in.
    pub(super) fn shown(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for index in (0..self.known.len()).rev() {
            shown = shown.replace(&format!("{}{index:03}", self.prefix), "…");
        }
        shown
    }
}
