//! Changes to single places of a YAML text that leave every other character alone: comments, the order of keys, quotes
//! and indentation. A change is worked out on the tree's places, made in the text, and then proved: the new text must
//! read as the old value with just that change, or nothing is changed.

mod editor;

use std::{ops::Range, sync::Arc};

use patchbay_contracts::{Code, Problem, workspace::Edit};
use serde_json::{Map, Value};

use super::{
    syntax::short,
    tree::{self, Kind, Node},
    write,
};
use crate::Result;
use editor::Editor;

/// A value is changed piece by piece up to so many pieces, and replaced as a whole beyond.
const MAX_PIECES: usize = 200;

/// Makes the changes, in order. A value that is equal to the one that is there changes nothing; a mapping or list is
/// changed where it differs; `null` takes a place out; missing mappings on the way are made.
///
/// # Errors
/// [`Code::InvalidDefinition`] where the text is no sound YAML, [`Code::InvalidInput`] where a pointer leads through
/// something that is no mapping or list, or through an alias.
pub fn edit(text: &str, edits: &[Edit]) -> Result<String> {
    let mut text = text.to_owned();
    for edit in edits {
        let parts = parts(&edit.pointer)?;
        if edit.value.is_null() {
            text = change(&text, &parts, None)?;
            continue;
        }
        let mut pieces = Vec::new();
        match read(&text)?.as_deref().and_then(|root| find(root, &parts)) {
            Some(node) => plan(node, &parts, &edit.value, &mut pieces),
            None => pieces.push((parts.clone(), Some(edit.value.clone()))),
        }
        if pieces.len() > MAX_PIECES {
            pieces = vec![(parts, Some(edit.value.clone()))];
        }
        for (parts, value) in pieces {
            text = change(&text, &parts, value.as_ref())?;
        }
    }
    Ok(text)
}

fn parts(pointer: &str) -> Result<Vec<String>> {
    match pointer.strip_prefix('/') {
        Some(rest) => Ok(rest.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect()),
        None => {
            Err(refuse(format!("`{}` is no place in the file", short(pointer))).next("A place is written like /integration/name"))
        }
    }
}

fn refuse(what: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidInput, what)
}

fn read(text: &str) -> Result<Option<Arc<Node>>> {
    let tree = tree::read("", text.as_bytes());
    match tree.problems.into_iter().next() {
        None => Ok(tree.root),
        Some(problem) => Err(problem.next("Correct this in the text first")),
    }
}

fn find<'n>(root: &'n Node, parts: &[String]) -> Option<&'n Node> {
    parts.iter().try_fold(root, |node, part| match &node.kind {
        Kind::Map { .. } => node.entry(part).map(|entry| &*entry.value),
        Kind::List { .. } => part.parse().ok().and_then(|index| node.item(index)).map(|item| &**item),
        _ => None,
    })
}

/// The changes that make `node` equal to `value`, each as small as can be.
fn plan(node: &Node, at: &[String], value: &Value, pieces: &mut Vec<(Vec<String>, Option<Value>)>) {
    let under = |part: String| at.iter().cloned().chain([part]).collect::<Vec<_>>();
    match (&node.kind, value) {
        _ if node.value() == *value => {}
        (Kind::Map { entries, .. }, Value::Object(wanted)) if !entries.is_empty() && !wanted.is_empty() => {
            for (key, wanted) in wanted {
                match node.entry(key) {
                    Some(entry) => plan(&entry.value, &under(key.clone()), wanted, pieces),
                    None => pieces.push((under(key.clone()), Some(wanted.clone()))),
                }
            }
            let gone = entries.iter().filter(|entry| !wanted.contains_key(&entry.key));
            pieces.extend(gone.map(|entry| (under(entry.key.clone()), None)));
        }
        (Kind::List { items, .. }, Value::Array(wanted)) if !items.is_empty() && !wanted.is_empty() => {
            let same = |(item, wanted): &(&Arc<Node>, &Value)| item.value() == **wanted;
            let head = items.iter().zip(wanted).take_while(same).count();
            let shorter = items.len().min(wanted.len());
            // Items that are left behind a gap stay as they are; where some are to be added, that is at the end.
            let tail = if items.len() >= wanted.len() {
                items.iter().rev().zip(wanted.iter().rev()).take(shorter - head).take_while(same).count()
            } else {
                0
            };
            let both = shorter - head - tail;
            for i in head..head + both {
                plan(&items[i], &under(i.to_string()), &wanted[i], pieces);
            }
            let gone = head + both..items.len() - tail;
            pieces.extend(gone.rev().filter(|_| items.len() > wanted.len()).map(|i| (under(i.to_string()), None)));
            let added = wanted.iter().skip(items.len());
            pieces.extend(added.map(|value| (under("-".to_owned()), Some(value.clone()))));
        }
        _ => pieces.push((at.to_vec(), Some(value.clone()))),
    }
}

/// One change, proved.
fn change(text: &str, parts: &[String], value: Option<&Value>) -> Result<String> {
    let root = read(text)?;
    let before = root.as_ref().map_or(Value::Null, |root| root.value());
    let mut expected = before.clone();
    apply(&mut expected, parts, value)?;
    if expected == before {
        return Ok(text.to_owned());
    }
    let patches = match &root {
        Some(root) => Editor { text, root, step: step(root) }.patches(parts, value)?,
        None => {
            let lead = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            let lines = write::block(&expected, 2).join("\n");
            vec![(text.len()..text.len(), format!("{lead}{lines}\n"))]
        }
    };
    let changed = patched(text, patches)?;
    let after = tree::read("", changed.as_bytes());
    if after.problems.is_empty() && after.root.is_some_and(|root| root.value() == expected) {
        return Ok(changed);
    }
    if text.contains(['&', '*']) {
        return Err(refuse("The place can't be changed on its own")
            .why("an alias or an anchor is near it")
            .next("Change it in the text"));
    }
    Err(Problem::internal("a change to a file would have changed more than was asked for; nothing was changed"))
}

/// The change on the plain value, as what must come out.
fn apply(target: &mut Value, parts: &[String], value: Option<&Value>) -> Result<()> {
    let Some((part, rest)) = parts.split_first() else {
        *target = value.cloned().unwrap_or(Value::Null);
        return Ok(());
    };
    if target.is_null() && value.is_some() {
        *target = if part == "-" { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
    }
    match target {
        Value::Object(fields) => match (fields.contains_key(part), value) {
            (false, None) => Ok(()),
            (true, None) if rest.is_empty() => {
                fields.shift_remove(part);
                Ok(())
            }
            _ => apply(fields.entry(part.clone()).or_insert(Value::Null), rest, value),
        },
        Value::Array(items) => {
            let index = if part == "-" { Some(items.len()) } else { part.parse().ok() };
            match index.filter(|index| *index <= items.len()) {
                Some(index) if index < items.len() && rest.is_empty() && value.is_none() => {
                    items.remove(index);
                    Ok(())
                }
                Some(index) if index == items.len() && value.is_none() => Ok(()),
                Some(index) => {
                    if index == items.len() {
                        items.push(Value::Null);
                    }
                    apply(&mut items[index], rest, value)
                }
                None => {
                    Err(refuse(format!("The list has no place \"{}\"", short(part))).why(format!("it has {} items", items.len())))
                }
            }
        }
        _ if value.is_none() => Ok(()),
        _ => {
            Err(refuse(format!("There is no place for \"{}\"", short(part)))
                .why("what stands above it is no mapping and no list"))
        }
    }
}

fn patched(text: &str, mut patches: Vec<(Range<usize>, String)>) -> Result<String> {
    // Of two at one place, the one that was asked for first goes first.
    patches.sort_by_key(|(range, _)| range.start);
    let mut changed = String::with_capacity(text.len() + 64);
    let mut at = 0;
    // New lines end as those of the file do.
    let crlf = text.contains("\r\n");
    for (range, with) in patches {
        let kept = text.get(at..range.start).ok_or_else(|| Problem::internal("two changes of a text overlap"))?;
        changed.push_str(kept);
        changed.push_str(&if crlf { with.replace('\n', "\r\n") } else { with });
        at = range.end;
    }
    changed.push_str(text.get(at..).unwrap_or_default());
    Ok(changed)
}

/// By how much the file indents: as its first mapping in a mapping does.
fn step(root: &Node) -> usize {
    let inner = match &root.kind {
        Kind::Map { entries, flow: false } => entries.iter().find_map(|entry| match &entry.value.kind {
            Kind::Map { entries, flow: false } => entries.first().map(|inner| inner.column.saturating_sub(entry.column) as usize),
            _ => None,
        }),
        _ => None,
    };
    inner.filter(|step| (1..=8).contains(step)).unwrap_or(2)
}

/// A value with the mappings and lists that lead to it.
fn wrapped(parts: &[String], value: Value) -> Value {
    parts.iter().rev().fold(value, |value, part| {
        if part == "-" { Value::Array(vec![value]) } else { Value::Object(Map::from_iter([(part.clone(), value)])) }
    })
}
