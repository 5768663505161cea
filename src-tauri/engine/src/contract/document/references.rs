//! References of a document, followed and checked, and all that they lead to put into one self-contained value.
//!
//! `$ref` is a JSON pointer (RFC 6901) behind a relative reference (RFC 3986). Files may be read below the document's folder
//! or its workspace, addresses only where fetching was asked for. Another document is bundled whole, under a key of its own
//! at the root, so that a pointer into it differs from one into the original only by its beginning.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use patchbay_contracts::{Code, Place, Problem};
use serde_json::{Map, Value};

use super::{
    Document, MAX_BYTES,
    pointer::{escape, fragment, of_fragment, unescape},
};
use crate::{Result, definition::syntax, http::Context};

mod circles;
mod find;
mod load;

pub(in crate::contract) use self::load::{allowed, refused, shown_as};

/// The key at the root under which other documents are bundled.
pub const BUNDLED: &str = "x-patchbay-bundled";
/// The most other documents that are read for one.
const MAX_DOCUMENTS: usize = 500;
/// The most bytes that they may have together.
const MAX_TOTAL: usize = 4 * MAX_BYTES;
/// The most references that are followed.
const MAX_REFERENCES: usize = 200_000;

/// A reference that leads somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The pointer, in the bundled value, of the object that holds the `$ref`.
    pub at: String,
    /// The pointer, in the bundled value, of what it refers to.
    pub target: String,
}

/// A document with all that it refers to.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The whole; each `$ref` in it that leads anywhere is a local one.
    pub root: Value,
    /// What is wrong with the documents and their references, each with its place.
    pub problems: Vec<Problem>,
    /// Each reference, in the order of `at`.
    pub references: Vec<Reference>,
    /// References that lead nowhere, by where they stand.
    broken: BTreeMap<String, Problem>,
    /// The documents, by their number under [`BUNDLED`]; the first one is the root itself.
    documents: Vec<Arc<Document>>,
    /// Where parts come from that were put together from others, by their pointer.
    moved: BTreeMap<String, String>,
    /// Why other documents could not be read, by their path or address.
    unread: HashMap<String, Problem>,
    /// A circle of nothing but references.
    circle: Option<Problem>,
}

impl Document {
    /// Follows all references, and bundles what they lead to. Never fails: what leads nowhere is a problem of the bundle,
    /// and the rest stays as it is.
    pub async fn bundle(&self, context: &Context) -> Bundle {
        let mut bundling = Bundling::of(self);
        while let Some((document, pointer)) = bundling.waiting.pop() {
            bundling.visit(context, document, &pointer).await;
        }
        bundling.finish()
    }
}

impl Bundle {
    /// The place of a pointer into the bundled value, in the document that it came from.
    pub fn place(&self, pointer: &str) -> Option<Place> {
        if let Some((moved, origin)) = self.ancestor_moved(pointer) {
            return self.place(&format!("{origin}{}", pointer.get(moved..).unwrap_or_default()));
        }
        let (document, pointer) = self.origin(pointer);
        document?.place(pointer)
    }

    /// How much of a pointer stands for a part that came from elsewhere, and from where.
    fn ancestor_moved(&self, pointer: &str) -> Option<(usize, &str)> {
        let mut at = pointer;
        while !self.moved.is_empty() && !at.is_empty() {
            if let Some(origin) = self.moved.get(at) {
                return Some((at.len(), origin));
            }
            at = at.rsplit_once('/').map_or("", |(before, _)| before);
        }
        None
    }

    /// Tells where parts come from that were put together from others: their pointers, and those of what they were.
    pub(crate) fn moved(&mut self, parts: impl IntoIterator<Item = (String, String)>) {
        self.moved.extend(parts);
    }

    /// What the reference at a pointer leads to, one step.
    pub(crate) fn target(&self, at: &str) -> Option<&str> {
        let found = self.references.binary_search_by(|reference| reference.at.as_str().cmp(at)).ok()?;
        self.references.get(found).map(|reference| reference.target.as_str())
    }

    /// Why judging by a schema in it would never end: one consists of itself. One that contains itself, as a property or an
    /// element, does not.
    pub(crate) fn endless(&self) -> Option<Problem> {
        if let Some(problem) = &self.circle {
            return Some(problem.clone());
        }
        let reference = circles::endless(&self.references)?;
        let problem = Problem::new(Code::InvalidDefinition, "The schema consists of itself")
            .why("judging by it would never end")
            .next("Let the reference lead to a part of it, or take it away");
        Some(Problem { place: self.place(&format!("{}/$ref", reference.at)), ..problem })
    }

    /// The first reference that leads nowhere.
    pub(crate) fn first_broken(&self) -> Option<&Problem> {
        self.broken.values().next()
    }

    /// Why a document could not be read.
    pub(crate) fn unread(&self, address: &str) -> Option<&Problem> {
        self.unread.get(address)
    }

    /// The document that was read from an address.
    pub(crate) fn fetched(&self, address: &str) -> Option<&Document> {
        let found =
            self.documents.iter().find(|document| matches!(&document.base, super::Base::Address(url) if url.as_str() == address));
        found.map(|document| &**document)
    }

    /// Calls `each` with every object that may hold keywords, and its pointer.
    pub(crate) fn each_object(&self, each: &mut impl FnMut(&Map<String, Value>, &str)) {
        find::walk(&self.root, "", false, each);
        for (number, document) in self.root.get(BUNDLED).and_then(Value::as_object).into_iter().flatten() {
            find::walk(document, &format!("/{BUNDLED}/{number}"), false, each);
        }
    }

    /// Lets nothing be used that holds what stands at a pointer.
    pub(crate) fn break_at(&mut self, pointer: String, problem: Problem) {
        self.broken.insert(pointer, problem);
    }

    /// The file, and the pointer in it, of a pointer into the bundled value.
    pub fn source<'p>(&self, pointer: &'p str) -> (&str, &'p str) {
        let (document, pointer) = self.origin(pointer);
        (document.map_or("", |document| &document.file), pointer)
    }

    fn origin<'p>(&self, pointer: &'p str) -> (Option<&Document>, &'p str) {
        let within =
            pointer.strip_prefix('/').and_then(|rest| rest.strip_prefix(BUNDLED)).and_then(|rest| rest.strip_prefix('/'));
        let (number, rest) = match within {
            Some(within) => {
                let end = within.find('/').unwrap_or(within.len());
                (within[..end].parse().unwrap_or_default(), &within[end..])
            }
            None => (0, pointer),
        };
        (self.documents.get(number).map(|document| &**document), rest)
    }

    /// Where the references at a pointer end: at the pointer itself where none stands there. `None` where one is broken.
    pub fn resolve(&self, pointer: &str) -> Option<String> {
        let mut at = pointer.to_owned();
        // Circles of nothing but references are broken, so this ends.
        loop {
            if self.broken.contains_key(&at) {
                return None;
            }
            match self.target(&at) {
                Some(target) => at = target.to_owned(),
                None => return Some(at),
            }
        }
    }

    /// The problem of a reference that stands below a pointer, or below anything that it refers to.
    pub fn broken_below(&self, pointer: &str) -> Option<&Problem> {
        if self.broken.is_empty() {
            return None;
        }
        let mut waiting = vec![pointer];
        let mut seen = HashSet::new();
        while let Some(at) = waiting.pop() {
            if !seen.insert(at) {
                continue;
            }
            let mut broken = self.broken.range(at.to_owned()..).take_while(|(found, _)| found.starts_with(at));
            if let Some((_, problem)) = broken.find(|(found, _)| is_below(found, at)) {
                return Some(problem);
            }
            let first = self.references.partition_point(|reference| reference.at.as_str() < at);
            let below = self.references.iter().skip(first).take_while(|reference| reference.at.starts_with(at));
            waiting.extend(below.filter(|reference| is_below(&reference.at, at)).map(|reference| reference.target.as_str()));
        }
        None
    }
}

/// Whether a pointer leads into what another one leads to, or to the same.
pub(crate) fn is_below(pointer: &str, ancestor: &str) -> bool {
    pointer.strip_prefix(ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A bundle that is being made.
struct Bundling {
    documents: Vec<Arc<Document>>,
    /// The number of each document, by the path or address that it was read from; problems where it could not be.
    known: HashMap<String, std::result::Result<usize, Problem>>,
    /// Named schemas (`$anchor`, `$id`) of each document.
    names: HashMap<usize, HashMap<String, String>>,
    /// What is still to be looked through: a document's number and a pointer in it.
    waiting: Vec<(usize, String)>,
    visited: HashSet<(usize, String)>,
    /// Where references stand in their documents, and where they lead.
    found: BTreeMap<(usize, String), Outcome>,
    bytes: usize,
}

/// What a reference came to.
struct Outcome {
    /// The text of the reference to be rewritten: that of `$ref`, or of an entry of a discriminator's mapping.
    text: String,
    /// The document and the pointer in it.
    target: std::result::Result<(usize, String), Problem>,
}

impl Bundling {
    fn of(document: &Document) -> Self {
        Self {
            known: load::key_of(&document.base).map(|key| (key, Ok(0))).into_iter().collect(),
            documents: vec![Arc::new(document.clone())],
            names: HashMap::new(),
            waiting: vec![(0, String::new())],
            visited: HashSet::new(),
            found: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// Looks through a part of a document.
    async fn visit(&mut self, context: &Context, number: usize, pointer: &str) {
        if !self.visited.insert((number, pointer.to_owned())) {
            return;
        }
        let Some(document) = self.documents.get(number).map(Arc::clone) else { return };
        for found in find::references(&document.value, pointer) {
            let at = (number, found.at.clone());
            if self.found.contains_key(&at) {
                continue;
            }
            let target = if self.found.len() >= MAX_REFERENCES {
                Err(Problem::new(Code::TooLarge, "The contract has more references than are followed")
                    .why(format!("at most {MAX_REFERENCES} are"))
                    .next("Split it into several contracts"))
            } else {
                self.lead(context, number, &document, &found.reference).await
            };
            if let Ok((number, pointer)) = &target
                && *number != 0
            {
                // All of the first document is looked through anyway.
                self.waiting.push((*number, pointer.clone()));
            }
            let target = target.map_err(|problem| Problem { place: document.place(&found.text), ..problem });
            self.found.insert(at, Outcome { text: found.text, target });
        }
    }

    /// Where a reference in a document leads.
    async fn lead(&mut self, context: &Context, from: usize, document: &Document, reference: &str) -> Result<(usize, String)> {
        let shown = syntax::short(reference);
        let (target, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let number = if target.is_empty() {
            from
        } else if let Some(pointer) = self.names_of(from).get(target).filter(|_| fragment.is_empty()) {
            return Ok((from, pointer.clone()));
        } else {
            self.document(context, document, target, &shown).await?
        };
        let pointer = match of_fragment(fragment) {
            Some(pointer) => pointer,
            None => self.names_of(number).get(&format!("#{fragment}")).cloned().ok_or_else(|| missing(&shown, &document.file))?,
        };
        let Some(other) = self.documents.get(number) else { return Err(Problem::internal("a document that is not there")) };
        match other.value.pointer(&pointer) {
            Some(_) => Ok((number, pointer)),
            None => Err(missing(&shown, &other.file).why(last_known(&other.value, &pointer, &other.file))),
        }
    }

    fn names_of(&mut self, number: usize) -> &HashMap<String, String> {
        let documents = &self.documents;
        self.names
            .entry(number)
            .or_insert_with(|| documents.get(number).map(|document| find::names(&document.value)).unwrap_or_default())
    }

    fn finish(mut self) -> Bundle {
        let circle = self.circles();
        let unread = self.known.drain().filter_map(|(key, known)| Some((key, known.err()?))).collect();
        let prefix = |number: usize| if number == 0 { String::new() } else { format!("/{BUNDLED}/{number}") };
        let mut values: Vec<Value> = self.documents.iter().map(|document| document.value.clone()).collect();
        let (mut references, mut broken) = (Vec::new(), BTreeMap::new());
        let mut problems: Vec<Problem> = self.documents.iter().flat_map(|document| document.problems.iter().cloned()).collect();
        for ((number, at), Outcome { text, target }) in self.found {
            let at = format!("{}{at}", prefix(number));
            match target {
                Ok((to, pointer)) => {
                    let target = format!("{}{pointer}", prefix(to));
                    let written = values.get_mut(number).and_then(|value| value.pointer_mut(&text));
                    if let Some(written) = written {
                        *written = Value::String(fragment(&target));
                    }
                    references.push(Reference { at, target });
                }
                Err(problem) => {
                    problems.push(problem.clone());
                    broken.insert(at, problem);
                }
            }
        }
        references.sort_by(|one, other| one.at.cmp(&other.at));
        let mut values = values.into_iter();
        let mut root = values.next().unwrap_or_default();
        let others: Map<String, Value> = values.enumerate().map(|(index, value)| ((index + 1).to_string(), value)).collect();
        if let (false, Value::Object(root)) = (others.is_empty(), &mut root) {
            root.insert(BUNDLED.to_owned(), Value::Object(others));
        }
        Bundle { root, problems, references, broken, documents: self.documents, moved: BTreeMap::new(), unread, circle }
    }

    /// Finds references that lead only to each other; gives the first one's problem.
    fn circles(&mut self) -> Option<Problem> {
        let mut ends: HashSet<(usize, String)> = HashSet::new();
        let mut circular = Vec::new();
        for start in self.found.keys() {
            let mut path = Vec::new();
            let mut on_path = HashSet::new();
            let mut at = start.clone();
            while !ends.contains(&at) && on_path.insert(at.clone()) {
                path.push(at.clone());
                match self.found.get(&at).map(|outcome| &outcome.target) {
                    Some(Ok(next)) => at = next.clone(),
                    _ => break,
                }
            }
            // Whether the walk ended where it had already been.
            if self.found.get(&at).is_some_and(|outcome| outcome.target.is_ok()) && !ends.contains(&at) {
                let first = path.iter().position(|step| *step == at).unwrap_or_default();
                circular.extend(path.iter().skip(first).cloned());
            }
            ends.extend(path);
        }
        let mut first = None;
        for at in circular {
            let document = self.documents.get(at.0);
            let Some(outcome) = self.found.get_mut(&at) else { continue };
            let problem = Problem::new(Code::InvalidDefinition, "The reference leads back to itself")
                .why("following it never comes to anything but references")
                .next("Let one of them refer to what is meant");
            let problem = Problem { place: document.and_then(|document| document.place(&outcome.text)), ..problem };
            first.get_or_insert_with(|| problem.clone());
            outcome.target = Err(problem);
        }
        first
    }
}

fn missing(reference: &str, file: &str) -> Problem {
    Problem::new(Code::InvalidDefinition, format!("The reference `{reference}` leads nowhere"))
        .why(format!("nothing of that name is in {file}"))
        .next("Correct the reference, or add what it refers to")
}

/// How far a pointer can be followed, and which key was most likely meant.
fn last_known(root: &Value, pointer: &str, file: &str) -> String {
    let mut value = root;
    let mut known = String::new();
    for part in pointer.split('/').skip(1) {
        let key = unescape(part);
        let next = match value {
            Value::Object(map) => map.get(&*key),
            Value::Array(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => None,
        };
        let Some(next) = next else {
            let at = if known.is_empty() { "the top".to_owned() } else { syntax::short(&known) };
            let near = value.as_object().and_then(|map| crate::utils::nearest(&key, map.keys().map(String::as_str)));
            let hint = near.map(|near| format!(", but `{}` is", syntax::short(near))).unwrap_or_default();
            return format!("`{}` is not at {at} of {file}{hint}", syntax::short(&key));
        };
        value = next;
        known = format!("{known}/{}", escape(&key));
    }
    String::new()
}
