//! Schemas that consist of themselves: `A` is all of `B`, and `B` is one of `A`.

use std::collections::{HashMap, HashSet};

use super::Reference;

/// Keywords whose schema judges the same value as the one that they stand in; a list or a map of schemas has one part more.
const ALONE: [&str; 4] = ["not", "if", "then", "else"];
const LISTED: [&str; 4] = ["allOf", "anyOf", "oneOf", "dependentSchemas"];

/// A reference that leads back to itself by nothing but schemas that judge the same value.
pub(super) fn endless(references: &[Reference]) -> Option<&Reference> {
    let mut owners: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, reference) in references.iter().enumerate() {
        let mut at = Some(reference.at.as_str());
        while let Some(owner) = at {
            owners.entry(owner).or_default().push(index);
            at = around(owner);
        }
    }
    let mut done = HashSet::new();
    for start in 0..references.len() {
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        let mut on_path = HashSet::from([start]);
        while let Some((index, next)) = path.last_mut() {
            let index = *index;
            let reference = references.get(index)?;
            let following = owners.get(reference.target.as_str()).and_then(|all| all.get(*next)).copied();
            *next += 1;
            match following {
                Some(following) if !done.contains(&index) => {
                    if on_path.contains(&following) {
                        return references.get(following);
                    }
                    if !done.contains(&following) {
                        on_path.insert(following);
                        path.push((following, 0));
                    }
                }
                _ => {
                    done.insert(index);
                    on_path.remove(&index);
                    path.pop();
                }
            }
        }
    }
    None
}

/// The schema that a pointer's schema is a part of, where both judge the same value.
fn around(pointer: &str) -> Option<&str> {
    let (before, last) = pointer.rsplit_once('/')?;
    if ALONE.contains(&last) {
        return Some(before);
    }
    let (around, keyword) = before.rsplit_once('/')?;
    LISTED.contains(&keyword).then_some(around)
}
