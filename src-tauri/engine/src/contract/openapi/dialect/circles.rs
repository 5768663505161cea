//! Schemas that consist of themselves: `A` is all of `A`. Nothing could be judged by one, and judging would never end.

use std::collections::{HashMap, HashSet};

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::contract::document::unescape;

/// Takes out the references by which a definition consists of itself. One that contains itself, as a property or an
/// element, stays as it is.
pub(in super::super) fn cut(definitions: &mut Map<String, Value>) {
    let mut edges: HashMap<String, Vec<String>> = HashMap::new();
    for (name, definition) in definitions.iter_mut() {
        let mut targets = Vec::new();
        in_place(definition, &mut |reference| {
            targets.extend(name_of(reference));
            false
        });
        edges.insert(name.clone(), targets);
    }
    let mut names: Vec<&String> = edges.keys().collect();
    names.sort();
    let (mut done, mut back) = (HashSet::new(), HashSet::new());
    for name in names {
        // A walk in depth without recursion: each step is a name and how many of its targets were looked at.
        let mut path: Vec<(&str, usize)> = vec![(name, 0)];
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            match edges.get(at).and_then(|targets| targets.get(*next)) {
                Some(target) if !done.contains(at) => {
                    *next += 1;
                    if path.iter().any(|(step, _)| step == target) {
                        back.insert((at.to_owned(), target.clone()));
                    } else if !done.contains(target.as_str()) {
                        path.push((target, 0));
                    }
                }
                _ => {
                    done.insert(at);
                    path.pop();
                }
            }
        }
    }
    for (name, definition) in definitions.iter_mut() {
        in_place(definition, &mut |reference| name_of(reference).is_some_and(|target| back.contains(&(name.clone(), target))));
    }
}

/// Calls `drop` with each reference that judges the very value that the schema judges, and takes it out where told so.
fn in_place(schema: &mut Value, drop: &mut impl FnMut(&str) -> bool) {
    let Value::Object(map) = schema else { return };
    if let Some(Value::String(reference)) = map.get("$ref")
        && drop(reference)
    {
        map.shift_remove("$ref");
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        if let Some(Value::Array(parts)) = map.get_mut(key) {
            parts.iter_mut().for_each(|part| in_place(part, drop));
        }
    }
    for key in ["not", "if", "then", "else"] {
        if let Some(part) = map.get_mut(key) {
            in_place(part, drop);
        }
    }
    if let Some(Value::Object(parts)) = map.get_mut("dependentSchemas") {
        parts.values_mut().for_each(|part| in_place(part, drop));
    }
}

fn name_of(reference: &str) -> Option<String> {
    let decoded = percent_decode_str(reference.strip_prefix("#/$defs/")?).decode_utf8().ok()?;
    Some(unescape(&decoded).into_owned())
}
