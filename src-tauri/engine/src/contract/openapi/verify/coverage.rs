//! How much of what the document describes was seen.

use std::collections::{BTreeSet, HashSet};

use patchbay_contracts::contract::OperationCoverage;
use serde_json::Value;

use super::plan::Op;
use crate::contract::{generate::shape_properties, schema::escape};

/// How deep the fields of an answer are counted.
const DEEPEST: usize = 6;
/// The most fields of one operation that are counted.
const MOST: usize = 500;
/// The most unseen fields that are named.
const NAMED: usize = 100;

/// What was seen of an operation.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    statuses: BTreeSet<String>,
    fields: HashSet<String>,
    called: bool,
}

impl Seen {
    pub(super) fn answer(&mut self, op: &Op, status: u16, body: Option<&Value>) {
        self.called = true;
        let Some(spec) = op.answer(status) else { return };
        self.statuses.insert(spec.status.clone());
        if let Some(body) = body {
            came(body, &format!("{} ", spec.status), &mut self.fields, 0);
        }
    }

    /// The figures. Fields are counted by status and pointer; they are shown by pointer.
    pub(super) fn coverage(&self, op: &Op) -> OperationCoverage {
        let mut described = Vec::new();
        for answer in &op.answers {
            for media in &answer.medias {
                if let Some(generator) = &media.generator {
                    let schema = generator.schema();
                    fields(schema, schema, &format!("{} ", answer.status), &mut described, 0);
                }
            }
        }
        described.sort();
        described.dedup();
        let (seen, unseen): (Vec<&String>, Vec<&String>) = described.iter().partition(|field| self.fields.contains(*field));
        let pointer = |field: &&String| field.split_once(' ').map_or_else(String::new, |(_, pointer)| pointer.to_owned());
        let known: HashSet<String> = seen.iter().map(pointer).collect();
        let mut names: Vec<String> = unseen.iter().map(pointer).filter(|name| !known.contains(name)).collect();
        names.sort();
        names.dedup();
        names.truncate(NAMED);
        let (statuses_seen, statuses_unseen) =
            op.answers.iter().map(|answer| answer.status.clone()).partition(|status| self.statuses.contains(status));
        OperationCoverage {
            operation: op.label.clone(),
            called: self.called,
            statuses_seen,
            statuses_unseen,
            fields_seen: u32::try_from(known.len()).unwrap_or(u32::MAX),
            fields_unseen: names,
        }
    }
}

/// The pointers of all members that came, with `*` for elements.
fn came(value: &Value, at: &str, all: &mut HashSet<String>, depth: usize) {
    if depth > DEEPEST || all.len() > MOST * 4 {
        return;
    }
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let pointer = format!("{at}/{}", escape(name));
                came(value, &pointer, all, depth + 1);
                all.insert(pointer);
            }
        }
        Value::Array(items) => items.iter().take(50).for_each(|item| came(item, &format!("{at}/*"), all, depth + 1)),
        _ => {}
    }
}

/// The pointers of all members that a schema describes.
fn fields(schema: &Value, root: &Value, at: &str, all: &mut Vec<String>, depth: usize) {
    if depth > DEEPEST || all.len() > MOST {
        return;
    }
    for (name, schema) in shape_properties(schema, root) {
        let hidden = schema == Value::Bool(false) || schema.get("writeOnly") == Some(&Value::Bool(true));
        if !hidden {
            let pointer = format!("{at}/{}", escape(&name));
            fields(&schema, root, &pointer, all, depth + 1);
            all.push(pointer);
        }
    }
    for items in crate::contract::generate::shape_items(schema, root) {
        fields(&items, root, &format!("{at}/*"), all, depth + 1);
    }
}
