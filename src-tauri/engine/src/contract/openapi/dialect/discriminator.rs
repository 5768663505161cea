//! The discriminator: a property that names the schema to judge by (OpenAPI 3.0.4, 4.8.25; Swagger 2.0, Schema Object).

use serde_json::{Map, Value, json};

use super::{Converter, Dialect, Key};
use crate::contract::document::{join, unescape};

/// The property, and the schema that each of its values names.
struct Choice {
    property: String,
    options: Vec<(String, String)>,
}

impl Converter<'_> {
    /// Lets the named schema judge. Without the discriminator, `oneOf` asks the same in a roundabout way, and inheritance by
    /// `allOf` would not be judged at all.
    pub(super) fn discriminate(&mut self, at: &str, map: &Map<String, Value>, out: &mut Map<String, Value>) {
        let Some(Choice { property, options }) = self.choice(at, map) else { return };
        let listed = ["oneOf", "anyOf"].into_iter().find(|key| map.contains_key(*key));
        if let Some(key) = listed {
            out.shift_remove(key);
        }
        if self.key.base && at == self.key.pointer {
            // What it is the base of was chosen already.
            return;
        }
        let names: Vec<&String> = options.iter().map(|(name, _)| name).collect();
        let nullable = out.get("type").is_some_and(|types| types.as_array().is_some_and(|all| all.contains(&json!("null"))));
        let types = if nullable { json!(["object", "null"]) } else { json!("object") };
        let mut parts = match out.shift_remove("allOf") {
            Some(Value::Array(parts)) => parts,
            _ => Vec::new(),
        };
        parts.push(json!({ "type": types, "required": [property], "properties": { property.as_str(): { "enum": names } } }));
        for (name, target) in &options {
            // A schema that names itself is judged by what stands here.
            if target == at {
                continue;
            }
            let base = self.has_choice(target);
            let reference = self.refer(Key { pointer: target.clone(), base });
            let named = json!({ "required": [property], "properties": { property.as_str(): { "const": name } } });
            parts.push(json!({ "if": named, "then": { "$ref": reference } }));
        }
        out.insert("allOf".to_owned(), Value::Array(parts));
    }

    /// Whether what is converted now is one of those that a schema's discriminator chooses from.
    pub(super) fn is_base(&self, target: &str) -> bool {
        let Some(Value::Object(map)) = self.root().pointer(target) else { return false };
        self.choice(target, map).is_some_and(|choice| choice.options.iter().any(|(_, option)| *option == self.key.pointer))
    }

    fn has_choice(&self, pointer: &str) -> bool {
        self.root().pointer(pointer).and_then(Value::as_object).is_some_and(|map| self.choice(pointer, map).is_some())
    }

    fn choice(&self, at: &str, map: &Map<String, Value>) -> Option<Choice> {
        let discriminator = map.get("discriminator")?;
        let property = match self.shared.dialect {
            Dialect::Swagger2 => discriminator.as_str()?,
            _ => discriminator.get("propertyName")?.as_str()?,
        };
        let mut options: Vec<(String, String)> = Vec::new();
        let mut add = |name: String, target: String| {
            if !options.iter().any(|(known, _)| *known == name) {
                options.push((name, target));
            }
        };
        for (name, written) in discriminator.get("mapping").and_then(Value::as_object).into_iter().flatten() {
            let named = || Some(join("/components/schemas", written.as_str()?)).filter(|at| self.root().pointer(at).is_some());
            let mapped = self.target(&join(&format!("{at}/discriminator/mapping"), name)).map(str::to_owned);
            if let Some(target) = mapped.or_else(named) {
                add(name.clone(), target);
            }
        }
        match ["oneOf", "anyOf"].into_iter().find_map(|key| Some((key, map.get(key)?.as_array()?))) {
            Some((key, listed)) => {
                for (index, option) in listed.iter().enumerate() {
                    // A schema without a name can't be named (OpenAPI 3.0.4, 4.8.25.2).
                    option.get("$ref")?;
                    let target = self.target(&format!("{at}/{key}/{index}"))?;
                    add(last(target), target.to_owned());
                }
            }
            None => {
                let mut children = self.shared.descendants(at);
                children.sort();
                for child in children {
                    add(last(&child), child);
                }
                add(last(at), at.to_owned());
                // It alone is no choice.
                if let [_] = options.as_slice() {
                    return None;
                }
            }
        }
        Some(Choice { property: property.to_owned(), options })
    }
}

fn last(pointer: &str) -> String {
    unescape(pointer.rsplit('/').next().unwrap_or_default()).into_owned()
}
