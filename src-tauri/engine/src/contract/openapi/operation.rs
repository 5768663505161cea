//! Operations: what they are sent and what they answer.

use patchbay_contracts::Problem;
use serde_json::{Map, Value};

use super::{
    Header, Link, Media, Operation, RequestBody, Response, Scheme, StatusKey,
    read::{MAX_OPERATIONS, Reader},
};
use crate::{
    Result,
    contract::document::{Base, join},
};

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

impl Reader<'_> {
    /// All operations that can be used; the others become problems.
    pub(super) fn operations(&mut self, schemes: &[Scheme], base: &Base) -> Vec<Operation> {
        let Some(Value::Object(paths)) = self.root().get("paths") else { return Vec::new() };
        let global = self.security("/security", schemes).unwrap_or_default();
        let mut operations = Vec::new();
        for path in paths.keys().filter(|path| !path.starts_with("x-")) {
            let written = join("/paths", path);
            let Some((at, Value::Object(item))) = self.resolve(&written) else {
                self.broken.push(path.clone());
                // A reference that leads nowhere is told already.
                if self.bundle().broken_below(&written).is_none() {
                    let what = format!("`{path}` can't be read");
                    self.tell(&written, &what, "a mapping of methods is expected", "Write each method with its operation");
                }
                continue;
            };
            if !path.starts_with('/') {
                self.tell(&written, &format!("`{path}` is not a path"), "a path begins with `/`", "Write a `/` before it");
            }
            for method in item.keys().filter(|key| METHODS.contains(&key.as_str())) {
                if operations.len() >= MAX_OPERATIONS {
                    let why = format!("at most {MAX_OPERATIONS} are");
                    self.tell(&written, "The document has more operations than are read", &why, "Split it");
                    return operations;
                }
                match self.operation(path, method, &at, schemes, &global, base) {
                    Ok(operation) => operations.push(operation),
                    Err(problem) => {
                        let label = format!("{} {path}", method.to_uppercase());
                        let what = format!("`{label}` can't be used: {}", lower_first(&problem.what));
                        self.broken.push(label);
                        self.problems.push(Problem { what, ..problem });
                    }
                }
            }
        }
        operations
    }

    fn operation(
        &mut self,
        path: &str,
        method: &str,
        item: &str,
        schemes: &[Scheme],
        global: &[Vec<(String, Vec<String>)>],
        base: &Base,
    ) -> Result<Operation> {
        let pointer = format!("{item}/{method}");
        let Some(Value::Object(operation)) = self.root().pointer(&pointer) else {
            return Err(self.mistake(
                &pointer,
                "It is not an operation",
                "a mapping is expected",
                "Describe it, or take it away",
            ));
        };
        let broken = |pointer: &str| self.bundle().broken_below(pointer).cloned();
        if let Some(problem) = broken(&pointer).or_else(|| broken(&format!("{item}/parameters"))) {
            return Err(problem);
        }
        let parameters = self.parameters(item, &pointer, path)?;
        let body = if self.swagger() { self.swagger_body(item, &pointer, operation)? } else { self.body(&pointer) };
        let responses = self.responses(&pointer);
        let security = self.security(&format!("{pointer}/security"), schemes).unwrap_or_else(|| global.to_vec());
        let servers = [pointer.as_str(), item].into_iter().map(|at| self.servers(at, base)).find(|servers| !servers.is_empty());
        let tags = operation.get("tags").and_then(Value::as_array).into_iter().flatten();
        Ok(Operation {
            method: method.to_uppercase(),
            path: path.to_owned(),
            id: text(operation, "operationId"),
            tags: tags.filter_map(Value::as_str).map(str::to_owned).collect(),
            deprecated: flag(operation, "deprecated"),
            servers: servers.unwrap_or_default(),
            parameters,
            body,
            responses,
            security,
            pointer,
        })
    }

    fn body(&self, operation: &str) -> Option<RequestBody> {
        let (pointer, value) = self.resolve(&format!("{operation}/requestBody"))?;
        let body = value.as_object()?;
        Some(RequestBody { required: flag(body, "required"), content: self.content(&pointer), pointer })
    }

    /// The `content` of a body, a response, a parameter or a header.
    pub(super) fn content(&self, at: &str) -> Vec<Media> {
        let at = format!("{at}/content");
        let Some(Value::Object(all)) = self.root().pointer(&at) else { return Vec::new() };
        let media = |media_type: &String| {
            let (pointer, value) = self.resolve(&join(&at, media_type))?;
            let media = value.as_object()?;
            let schema = media.contains_key("schema").then(|| self.schema(format!("{pointer}/schema")));
            Some(Media {
                media_type: media_type.clone(),
                schema,
                examples: self.examples(&pointer),
                encoding: media.get("encoding").cloned(),
                pointer,
            })
        };
        all.keys().filter_map(media).collect()
    }

    /// The examples of a body or a parameter, each with its name; those of its schema where it has none.
    pub(super) fn examples(&self, at: &str) -> Vec<(String, Value)> {
        let Some(Value::Object(map)) = self.root().pointer(at) else { return Vec::new() };
        let mut examples = Vec::new();
        for name in map.get("examples").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
            let example = self.resolve(&join(&format!("{at}/examples"), name));
            // One with `externalValue` stands elsewhere and is not fetched.
            if let Some(value) = example.and_then(|(_, example)| example.get("value")) {
                examples.push((name.clone(), value.clone()));
            }
        }
        for key in ["example", "x-example"] {
            examples.extend(map.get(key).map(|value| ("example".to_owned(), value.clone())));
        }
        if examples.is_empty() {
            let schema = self.resolve(&format!("{at}/schema")).and_then(|(_, schema)| schema.as_object());
            let own = schema.and_then(|schema| schema.get("example").or_else(|| schema.get("examples")?.as_array()?.first()));
            examples.extend(own.map(|value| ("schema".to_owned(), value.clone())));
        }
        examples
    }

    fn responses(&mut self, operation: &str) -> Vec<Response> {
        let at = format!("{operation}/responses");
        let Some(Value::Object(all)) = self.root().pointer(&at) else { return Vec::new() };
        let mut responses = Vec::new();
        for key in all.keys().filter(|key| !key.starts_with("x-")) {
            let written = join(&at, key);
            let Some(status) = status(key) else {
                let what = format!("`{key}` is not a status");
                self.tell(
                    &written,
                    &what,
                    "a code, a range such as 2XX, or `default` is expected",
                    "Correct it, or take it away",
                );
                continue;
            };
            let Some((pointer, Value::Object(response))) = self.resolve(&written) else { continue };
            let content =
                if self.swagger() { self.swagger_content(operation, &pointer, response) } else { self.content(&pointer) };
            responses.push(Response { status, headers: self.headers(&pointer), content, links: self.links(&pointer), pointer });
        }
        responses
    }

    fn headers(&self, response: &str) -> Vec<Header> {
        let at = format!("{response}/headers");
        let Some(Value::Object(all)) = self.root().pointer(&at) else { return Vec::new() };
        let header = |name: &String| {
            let (pointer, value) = self.resolve(&join(&at, name))?;
            let header = value.as_object()?;
            // Content-Type is told by the media types (OpenAPI 3.0.4, 4.8.17).
            if name.eq_ignore_ascii_case("content-type") {
                return None;
            }
            let schema = if self.swagger() {
                header.contains_key("type").then(|| self.schema(pointer.clone()))
            } else if header.contains_key("schema") {
                Some(self.schema(format!("{pointer}/schema")))
            } else {
                self.content(&pointer).into_iter().next().and_then(|media| media.schema)
            };
            let (required, explode) = (flag(header, "required"), flag(header, "explode"));
            Some(Header { name: name.clone(), required, explode, schema, pointer })
        };
        all.keys().filter_map(header).collect()
    }

    fn links(&self, response: &str) -> Vec<Link> {
        let at = format!("{response}/links");
        let Some(Value::Object(all)) = self.root().pointer(&at) else { return Vec::new() };
        let link = |name: &String| {
            let (pointer, value) = self.resolve(&join(&at, name))?;
            let link = value.as_object()?;
            let parameters = link.get("parameters").and_then(Value::as_object).into_iter().flatten();
            let reference = link.get("operationRef").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
            let decoded = reference.map(|pointer| percent_encoding::percent_decode_str(pointer).decode_utf8_lossy().into_owned());
            Some(Link {
                name: name.clone(),
                operation_id: text(link, "operationId"),
                operation_pointer: decoded,
                parameters: parameters.map(|(name, value)| (name.clone(), value.clone())).collect(),
                body: link.get("requestBody").cloned(),
                pointer,
            })
        };
        all.keys().filter_map(link).collect()
    }
}

/// `200`, `2XX` or `default`.
fn status(key: &str) -> Option<StatusKey> {
    if key == "default" {
        return Some(StatusKey::Default);
    }
    let bytes = key.as_bytes();
    match bytes {
        [first @ b'1'..=b'5', b'X' | b'x', b'X' | b'x'] => Some(StatusKey::Range(first - b'0')),
        [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9'] => key.parse().ok().map(StatusKey::Code),
        _ => None,
    }
}

pub(super) fn text(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key).and_then(Value::as_str).map(str::to_owned)
}

pub(super) fn flag(map: &Map<String, Value>, key: &str) -> bool {
    map.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
