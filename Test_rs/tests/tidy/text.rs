//! The rules that one source file can break by itself.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::visit::Visit;

const LONGEST_FILE: usize = 600;
const LONGEST_BODY: usize = 150;

/// Macros that mark work that isn't done.
const UNFINISHED_MACROS: [&str; 3] = ["todo", "unimplemented", "dbg"];

/// Words that mark work that isn't done, in pieces, since this file is held to the rule too.
const UNFINISHED_WORDS: [&str; 2] = [concat!("FIX", "ME"), concat!("TO", "DO")];

/// From a file's path and text to what is wrong with it, a sentence each.
pub type Rule = fn(&str, &str) -> Vec<String>;

/// No file is longer than can be read at one sitting.
pub fn long_file(file: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    if lines <= LONGEST_FILE {
        return Vec::new();
    }
    vec![format!("{file} has {lines} lines; {LONGEST_FILE} are the most. Move one of its subjects to a file of its own.")]
}

/// No function's body is longer than a few screens.
pub fn long_bodies(file: &str, text: &str) -> Vec<String> {
    let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{file} can't be parsed: {error}"));
    let mut bodies = Bodies { file, found: Vec::new() };
    bodies.visit_file(&parsed);
    bodies.found
}

struct Bodies<'a> {
    file: &'a str,
    found: Vec<String>,
}

impl Bodies<'_> {
    fn look(&mut self, name: &syn::Ident, body: &syn::Block) {
        let (open, close) = (body.brace_token.span.open().start().line, body.brace_token.span.close().start().line);
        let lines = (close - open).saturating_sub(1);
        if lines > LONGEST_BODY {
            let file = self.file;
            self.found.push(format!(
                "{file}:{open}: the body of `{name}` has {lines} lines; {LONGEST_BODY} are the most. Give its steps names."
            ));
        }
    }
}

impl<'ast> Visit<'ast> for Bodies<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.look(&function.sig.ident, &function.block);
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.look(&function.sig.ident, &function.block);
        syn::visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.look(&function.sig.ident, body);
        }
        syn::visit::visit_trait_item_fn(self, function);
    }
}

/// No `.unwrap()` at all, and no `.expect("…")` without a reason, in code that a user runs.
pub fn panics(file: &str, text: &str) -> Vec<String> {
    if ["Test_rs/", "xtask/"].iter().any(|folder| file.starts_with(folder)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    each_run(tokens(file, text), &mut |run| {
        for call in run.windows(3) {
            let [dot, TokenTree::Ident(method), TokenTree::Group(arguments)] = call else { continue };
            if !is_sign(dot, '.') || arguments.delimiter() != Delimiter::Parenthesis {
                continue;
            }
            let line = line(method.span());
            if method == "unwrap" && arguments.stream().is_empty() {
                found.push(format!("{file}:{line}: `.unwrap()` ends the program without a reason. Return the error."));
            }
            // A parser's own `expect(token)` takes no text, and is none of this rule's business.
            let reason = arguments.stream().into_iter().next().map(|token| token.to_string()).unwrap_or_default();
            if method == "expect" && reason.starts_with('"') && reason.split_whitespace().count() < 3 {
                found.push(format!("{file}:{line}: `.expect(…)` has to say in a few words why it can't fail."));
            }
        }
    });
    found
}

/// Nothing is left unfinished.
pub fn unfinished(file: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    each_run(tokens(file, text), &mut |run| {
        for call in run.windows(3) {
            let [TokenTree::Ident(name), sign, TokenTree::Group(_)] = call else { continue };
            if is_sign(sign, '!') && UNFINISHED_MACROS.iter().any(|unfinished| name == unfinished) {
                found.push(format!("{file}:{}: `{name}!` is left in. Finish it or take it out.", line(name.span())));
            }
        }
    });
    for (number, line) in text.lines().enumerate() {
        if let Some(word) = UNFINISHED_WORDS.iter().find(|word| line.contains(**word)) {
            found.push(format!("{file}:{}: `{word}` is left in. Do it, or file an issue.", number + 1));
        }
    }
    found
}

/// No test, and nothing that exists only for tests, outside the one folder for them.
pub fn misplaced_tests(file: &str, text: &str) -> Vec<String> {
    if file.starts_with("Test_rs/") {
        return Vec::new();
    }
    let mut found = Vec::new();
    each_run(tokens(file, text), &mut |run| {
        for (at, token) in run.iter().enumerate() {
            let TokenTree::Group(brackets) = token else { continue };
            let before = |back: usize, sign| at >= back && is_sign(&run[at - back], sign);
            let attribute = before(1, '#') || before(1, '!') && before(2, '#');
            if attribute && makes_a_test(brackets.stream()) {
                let line = line(brackets.span_open());
                found.push(format!("{file}:{line}: a test, or code for tests only. Tests stand in Test_rs/."));
            }
        }
    });
    found
}

/// Whether an attribute is `test`, some runtime's `x::test`, or a `cfg` that asks for tests.
fn makes_a_test(attribute: TokenStream) -> bool {
    let words: Vec<TokenTree> = attribute.into_iter().collect();
    let named = |token: &TokenTree, name: &str| matches!(token, TokenTree::Ident(ident) if ident == name);
    let path = words.iter().take_while(|token| !matches!(token, TokenTree::Group(_)));
    if path.last().is_some_and(|last| named(last, "test")) {
        return true;
    }
    let conditional = words.first().is_some_and(|first| named(first, "cfg") || named(first, "cfg_attr"));
    let mut asks = false;
    if let (true, Some(TokenTree::Group(condition))) = (conditional, words.get(1)) {
        each_run(condition.stream(), &mut |run| asks |= run.iter().any(|token| named(token, "test")));
    }
    asks
}

// Words are looked for among tokens and not in the syntax, since the inside of a macro is nothing but tokens.

fn tokens(file: &str, text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|error| panic!("{file} can't be read as tokens: {error}"))
}

/// Calls `look` with every run of tokens inside one pair of brackets.
fn each_run(tokens: TokenStream, look: &mut impl FnMut(&[TokenTree])) {
    let run: Vec<TokenTree> = tokens.into_iter().collect();
    look(&run);
    for token in run {
        if let TokenTree::Group(group) = token {
            each_run(group.stream(), look);
        }
    }
}

fn is_sign(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

fn line(span: Span) -> usize {
    span.start().line
}
