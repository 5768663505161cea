//! Input made from a JSON Schema: valid values at its boundaries and at random, and values that break it in one place.
//!
//! The schema is self-contained (2020-12, with `$defs` of its own) and may refer to itself. The same schema and seed give
//! the same cases on every machine. Depth, size and effort are bounded, and every case is held against the schema before
//! it is given out: a valid one validates, and a broken one doesn't.

mod chance;
mod edges;
mod formats;
mod numbers;
mod parameters;
mod pattern;
mod shapes;
mod shrink;
mod texts;
mod values;
mod wrong;

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use patchbay_contracts::{Code, Problem};
use serde_json::{Value, json};

use crate::Result;

pub(in crate::contract) use self::parameters::scalar_read;
pub use self::{
    chance::Chance,
    parameters::{Style, content, deep_object, form, header_text, multipart, path_text, plain_text, query_pairs},
    shrink::{candidates, shrink},
};

/// How much work one list of cases may take, in schemas looked at.
const STEPS: u32 = 40_000;
/// How many members are taken out of a value that is not valid with them.
const MENDED: usize = 40;
/// The most bytes of a value that is generated.
const LARGEST: usize = 64 * 1024;

/// A value to be sent, and what is special about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The value.
    pub value: Value,
    /// Where its speciality is, as a JSON pointer.
    pub pointer: String,
    /// The keyword of the schema that it is about: `minimum`, `required`; `example` and `random` are not about one.
    pub keyword: &'static str,
    /// The speciality as a sentence's end: `is 0, below the minimum of 1`.
    pub what: String,
    /// Valid by the letter, and such that a service may well have reasons of its own against it: a text of thousands of
    /// characters, control characters. A refusal says nothing.
    pub strange: bool,
    /// Invalid by a format that many take as a hint to people: an address of a page, the name of a host.
    pub hint: bool,
}

impl Case {
    pub(super) fn new(value: Value, keyword: &'static str, what: impl Into<String>) -> Self {
        Self { value, pointer: String::new(), keyword, what: what.into(), strange: false, hint: false }
    }

    pub(super) fn strange(mut self) -> Self {
        self.strange = true;
        self
    }

    /// The pointer and the speciality as a sentence.
    pub fn sentence(&self) -> String {
        let place = if self.pointer.is_empty() { "The value" } else { &self.pointer };
        format!("{place} {}", self.what)
    }
}

/// Makes values for one schema.
pub struct Generator {
    schema: Value,
    validator: jsonschema::Validator,
    steps: AtomicU32,
    notes: Mutex<Vec<String>>,
    /// Which examples are as their own schemas ask.
    held: Mutex<HashMap<String, bool>>,
}

impl std::fmt::Debug for Generator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generator").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// A validator that judges formats too, those that OpenAPI adds included.
///
/// # Errors
/// [`Code::InvalidDefinition`] where the schema isn't one.
pub fn validator(schema: &Value) -> Result<jsonschema::Validator> {
    let mut options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true);
    for (name, judge) in formats::OPENAPI {
        options = options.with_format(*name, judge);
    }
    options.build(schema).map_err(|error| {
        Problem::new(Code::InvalidDefinition, "The schema is not a valid JSON Schema").why(match error.instance_path().as_str() {
            "" => error.to_string(),
            pointer => format!("at {pointer}: {error}"),
        })
    })
}

impl Generator {
    /// For a schema that is its own document.
    ///
    /// # Errors
    /// [`Code::InvalidDefinition`] where the schema isn't one, or refers to what isn't there.
    pub fn new(schema: &Value) -> Result<Self> {
        let mut schema = schema.clone();
        formats::bound_integers(&mut schema, 0);
        let validator = validator(&schema)?;
        Ok(Self { schema, validator, steps: AtomicU32::new(STEPS), notes: Mutex::default(), held: Mutex::default() })
    }

    /// The schema, with the limits that its integer formats mean.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// Whether a value is as the schema asks.
    pub fn allows(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// The validator itself.
    pub fn validator(&self) -> &jsonschema::Validator {
        &self.validator
    }

    /// What could not be generated, and why.
    pub fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An ordinary valid value: an example where there is one, else with all properties. None where no valid one is found.
    pub fn ordinary(&self) -> Option<Value> {
        self.begin();
        let given = self.examples().into_iter().map(|case| case.value);
        let made = [values::Fill::All, values::Fill::Required];
        let made = made.into_iter().filter_map(|fill| self.mended(self.plain(&self.schema, fill, 0)?));
        // A schema that says only what it is not is met by trying.
        let others = [json!("text"), json!(1), json!(true), Value::Null, json!([]), json!({})];
        given.chain(made).chain(others).find(|value| self.allows(value))
    }

    /// The same without those members that are at fault, where it can be valid without them.
    fn mended(&self, mut value: Value) -> Option<Value> {
        for _ in 0..MENDED {
            let fault = self.validator.iter_errors(&value).next().map(|error| error.instance_path().as_str().to_owned());
            let Some(fault) = fault else { return Some(value) };
            let (parent, key) = fault.rsplit_once('/')?;
            let key = key.replace("~1", "/").replace("~0", "~");
            match value.pointer_mut(parent)? {
                Value::Object(members) => members.shift_remove(&key).map(|_| ())?,
                Value::Array(items) => {
                    key.parse::<usize>().ok().filter(|index| *index < items.len()).map(|index| items.remove(index)).map(|_| ())?
                }
                _ => return None,
            }
        }
        None
    }

    /// Valid values, at most `most` and each once: examples, the smallest, the whole, then one boundary at a time, the
    /// outer ones first, and `random` random ones from `chance`.
    pub fn valid(&self, chance: &mut Chance, most: usize, random: usize) -> Vec<Case> {
        self.begin();
        let mut cases = self.examples();
        for (fill, keyword, what) in
            [(values::Fill::All, "properties", "is whole"), (values::Fill::Required, "required", "has only what is required")]
        {
            cases.extend(self.plain(&self.schema, fill, 0).map(|value| Case::new(value, keyword, what)));
        }
        cases.extend(self.ordinary().map(|value| Case::new(value, "properties", "is ordinary")));
        cases.extend(outer_first(self.edges(&self.schema, 0)));
        let mut cases = self.kept(cases, most.saturating_sub(random), true);
        self.begin();
        // A random value may repeat an earlier one, and a narrow schema has few values at all.
        let randoms = (0..random.saturating_mul(3)).filter_map(|_| self.random(&self.schema, chance, 0));
        let randoms: Vec<Case> = randoms.map(|value| Case::new(value, "random", "is random")).collect();
        let known: HashSet<String> = cases.iter().map(|case| case.value.to_string()).collect();
        let fresh =
            self.kept(randoms, random + cases.len(), true).into_iter().filter(|case| !known.contains(&case.value.to_string()));
        cases.extend(fresh.take(random).collect::<Vec<_>>());
        cases
    }

    /// Values that break the schema in one place each, at most `most`, the outer places first.
    pub fn negative(&self, most: usize) -> Vec<Case> {
        self.begin();
        let cases = outer_first(self.wrong(&self.schema, 0));
        self.kept(cases, most, false)
    }

    fn begin(&self) {
        self.steps.store(STEPS, Ordering::Relaxed);
    }

    /// Counts a step; false once there were too many.
    fn step(&self) -> bool {
        let left = self.steps.load(Ordering::Relaxed);
        self.steps.store(left.saturating_sub(1), Ordering::Relaxed);
        left > 0
    }

    fn note(&self, note: String) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() < 20 && !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// Each case once, those that are as they should be.
    fn kept(&self, cases: Vec<Case>, most: usize, valid: bool) -> Vec<Case> {
        let mut seen = HashSet::new();
        let fits = |case: &Case| {
            let text = case.value.to_string();
            text.len() <= LARGEST && self.allows(&case.value) == valid && seen.insert(text)
        };
        cases.into_iter().filter(fits_once(fits)).take(most).collect()
    }

    /// What the schema itself names as examples.
    fn examples(&self) -> Vec<Case> {
        shapes::given(&self.schema, &self.schema)
            .into_iter()
            .map(|value| Case::new(value, "example", "is an example of the contract"))
            .collect()
    }
}

/// A test with a memory, as `filter` takes it.
fn fits_once<T>(mut test: impl FnMut(&T) -> bool) -> impl FnMut(&T) -> bool {
    move |item| test(item)
}

/// The same cases, those of outer places before those of inner ones.
fn outer_first(mut cases: Vec<Case>) -> Vec<Case> {
    cases.sort_by_key(|case| case.pointer.matches('/').count());
    cases
}

/// The types that a schema allows in any of its alternatives; all of them where it doesn't say.
pub fn types_of(schema: &Value, root: &Value) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for shape in shapes::shapes(schema, root) {
        let mut kinds = shapes::types(&shape);
        if kinds.is_empty() {
            let values = shape.get("enum").and_then(Value::as_array).cloned().unwrap_or_default();
            let values = values.into_iter().chain(shape.get("const").cloned());
            kinds = values.map(|value| kind_of(&value).to_owned()).collect();
        }
        if kinds.is_empty() {
            kinds = ["string", "number", "boolean", "null", "array", "object"].map(str::to_owned).to_vec();
        }
        all.extend(kinds);
    }
    all
}

/// The type of a value.
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The properties that a schema describes in any of its alternatives.
pub fn shape_properties(schema: &Value, root: &Value) -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = Vec::new();
    for shape in shapes::shapes(schema, root) {
        for (name, schema) in shapes::properties(&shape) {
            if !all.iter().any(|(known, _)| known == name) {
                all.push((name.clone(), schema.clone()));
            }
        }
    }
    all
}

/// The schemas of elements that a schema describes in any of its alternatives.
pub fn shape_items(schema: &Value, root: &Value) -> Vec<Value> {
    shapes::shapes(schema, root)
        .iter()
        .filter_map(|shape| shape.get("items"))
        .filter(|items| items.is_object())
        .cloned()
        .collect()
}
