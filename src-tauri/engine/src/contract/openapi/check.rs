//! Schemas that nothing can fit.

use patchbay_contracts::{Code, Problem};
use serde_json::{Map, Value};

use super::Dialect;
use crate::contract::document::Bundle;

/// Marks schemas whose limits contradict each other, so that what needs one of them is told as a problem.
pub(super) fn contradictions(bundle: &mut Bundle, dialect: Dialect) {
    let mut found = Vec::new();
    bundle.each_object(&mut |map, pointer| {
        if let Some(what) = contradiction(map, dialect) {
            found.push((pointer.to_owned(), what));
        }
    });
    for (pointer, (lower, upper)) in found {
        let problem = Problem::new(Code::InvalidDefinition, format!("A schema asks for `{lower}` above `{upper}`"))
            .why("no value can fit both")
            .next("Correct one of the two");
        let place = bundle.place(&format!("{pointer}/{lower}"));
        bundle.break_at(pointer, Problem { place, ..problem });
    }
}

fn contradiction(map: &Map<String, Value>, dialect: Dialect) -> Option<(&'static str, &'static str)> {
    let number = |key: &str| map.get(key).and_then(Value::as_f64);
    let above = |lower: &'static str, upper: &'static str| (number(lower)? > number(upper)?).then_some((lower, upper));
    let not_below = |lower: &'static str, upper: &'static str| (number(lower)? >= number(upper)?).then_some((lower, upper));
    let counted = || {
        above("minLength", "maxLength")
            .or_else(|| above("minItems", "maxItems"))
            .or_else(|| above("minProperties", "maxProperties"))
    };
    let exclusive = ["exclusiveMinimum", "exclusiveMaximum"].iter().any(|key| map.get(*key) == Some(&Value::Bool(true)));
    let valued = || match dialect {
        Dialect::OpenApi31 => above("minimum", "maximum")
            .or_else(|| not_below("exclusiveMinimum", "maximum"))
            .or_else(|| not_below("minimum", "exclusiveMaximum"))
            .or_else(|| not_below("exclusiveMinimum", "exclusiveMaximum")),
        _ if exclusive => not_below("minimum", "maximum"),
        _ => above("minimum", "maximum"),
    };
    counted().or_else(valued)
}
