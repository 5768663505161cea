//! What a mock remembers: resources by their path, as far as the document's paths tell what is a resource.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::contract::{
    mock::routes::{anonymous, letters},
    openapi::Operation,
};

/// The most resources that are kept; the oldest go first.
const MOST: usize = 10_000;

/// Resources of one kind: what is at `/orders/{id}`.
#[derive(Debug, Clone)]
pub(super) struct Collection {
    /// The path of a resource without names.
    pub(super) item: String,
    /// The path of all of them without names.
    pub(super) parent: String,
    /// The parameter that identifies, as the document calls it.
    pub(super) parameter: String,
    /// What one is called: `order`.
    pub(super) noun: String,
    /// The operations that make one, give all, and give one.
    pub(super) create: Option<usize>,
    pub(super) list: Option<usize>,
    pub(super) read: Option<usize>,
    /// Identities that the document gives as examples.
    pub(super) examples: Vec<Value>,
}

/// The kinds of resources of a document.
pub(super) fn collections(operations: &[Operation]) -> Vec<Collection> {
    let mut all: IndexMap<String, Collection> = IndexMap::new();
    for (index, operation) in operations.iter().enumerate() {
        let path = operation.path.trim_end_matches('/');
        let Some((before, last)) = path.rsplit_once('/') else { continue };
        let Some(parameter) = last.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else { continue };
        if parameter.contains(['{', '}']) {
            continue;
        }
        let parent = anonymous(before);
        let of_parent =
            |method: &str| operations.iter().position(|other| other.method == method && anonymous(&other.path) == parent);
        let noun = before.rsplit('/').find(|segment| !segment.contains('{')).unwrap_or_default();
        let collection = all.entry(anonymous(path)).or_insert_with(|| Collection {
            item: anonymous(path),
            create: of_parent("POST"),
            list: of_parent("GET"),
            read: None,
            parent: parent.clone(),
            parameter: parameter.to_owned(),
            noun: singular(&letters(noun)),
            examples: Vec::new(),
        });
        if operation.method == "GET" {
            collection.read = Some(index);
        }
        let own = operation.parameters.iter().filter(|known| known.name == parameter);
        collection.examples.extend(own.flat_map(|known| known.examples.iter().cloned()));
    }
    all.into_values().collect()
}

fn singular(noun: &str) -> String {
    if let Some(stem) = noun.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if noun.ends_with(ending) {
            return noun[..noun.len() - 2].to_owned();
        }
    }
    noun.strip_suffix('s').filter(|stem| !stem.ends_with('s')).unwrap_or(noun).to_owned()
}

/// The resources that there are.
#[derive(Debug, Default)]
pub(super) struct State {
    resources: IndexMap<String, Map<String, Value>>,
    gone: HashSet<String>,
    /// Kinds of resources, within their parents, whose examples have been put in.
    pub(super) seeded: HashSet<String>,
    next: HashMap<String, u64>,
}

impl State {
    pub(super) fn get(&self, path: &str) -> Option<&Map<String, Value>> {
        self.resources.get(path)
    }

    pub(super) fn is_gone(&self, path: &str) -> bool {
        self.gone.contains(path)
    }

    pub(super) fn put(&mut self, path: String, resource: Map<String, Value>) {
        self.gone.remove(&path);
        self.resources.insert(path, resource);
        if self.resources.len() > MOST {
            self.resources.shift_remove_index(0);
        }
    }

    pub(super) fn remove(&mut self, path: &str) {
        // What was within it is gone with it.
        let below = format!("{path}/");
        self.resources.retain(|known, _| known != path && !known.starts_with(&below));
        if self.gone.len() < MOST {
            self.gone.insert(path.to_owned());
        }
    }

    /// All resources directly below a path, the oldest first.
    pub(super) fn below(&self, parent: &str) -> Vec<Map<String, Value>> {
        let front = format!("{parent}/");
        let own = self.resources.iter().filter(|(path, _)| path.strip_prefix(&front).is_some_and(|rest| !rest.contains('/')));
        own.map(|(_, resource)| resource.clone()).collect()
    }

    /// The next number below a path.
    pub(super) fn number(&mut self, parent: &str) -> u64 {
        if self.next.len() > MOST {
            self.next.clear();
        }
        let next = self.next.entry(parent.to_owned()).or_insert(1000);
        *next += 1;
        *next
    }
}
