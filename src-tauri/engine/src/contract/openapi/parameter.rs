//! Parameters, those of a path and of an operation together.

use serde_json::{Map, Value};

use super::{
    Parameter, ParameterPlace,
    operation::{flag, text},
    read::Reader,
};
use crate::Result;

impl Reader<'_> {
    /// The parameters of an operation. One of its own replaces that of the path with the same name and place.
    pub(super) fn parameters(&mut self, item: &str, operation: &str, path: &str) -> Result<Vec<Parameter>> {
        let mut parameters: Vec<Parameter> = Vec::new();
        for pointer in self.parameter_pointers(item).into_iter().chain(self.parameter_pointers(operation)) {
            let Some(found) = self.parameter(&pointer)? else { continue };
            match parameters.iter_mut().find(|known| known.name == found.name && known.place == found.place) {
                Some(known) => *known = found,
                None => parameters.push(found),
            }
        }
        let names = template_names(path);
        let is_there =
            |name: &str| parameters.iter().any(|parameter| parameter.place == ParameterPlace::Path && parameter.name == name);
        if let Some(missing) = names.iter().find(|name| !is_there(name)) {
            let what = format!("The path has `{{{missing}}}`, and no parameter describes it");
            let next = "Add a parameter of that name with `in: path`, or correct the name";
            return Err(self.mistake(operation, &what, "nothing tells what to put in its place", next));
        }
        for parameter in parameters.iter().filter(|parameter| parameter.place == ParameterPlace::Path) {
            if !names.contains(&parameter.name.as_str()) {
                let what = format!("The parameter `{}` has no place in `{path}`", parameter.name);
                self.tell(&parameter.pointer, &what, "no `{…}` of the path has its name", "Correct the name, or take it away");
            }
        }
        parameters.retain(|parameter| parameter.place != ParameterPlace::Path || names.contains(&parameter.name.as_str()));
        Ok(parameters)
    }

    /// Where the parameters of a path or an operation end up, references followed.
    pub(super) fn parameter_pointers(&self, at: &str) -> Vec<String> {
        let count = self.root().pointer(&format!("{at}/parameters")).and_then(Value::as_array).map_or(0, Vec::len);
        (0..count).filter_map(|index| self.bundle().resolve(&format!("{at}/parameters/{index}"))).collect()
    }

    /// A parameter; none where it belongs to the body.
    fn parameter(&self, pointer: &str) -> Result<Option<Parameter>> {
        let Some(Value::Object(value)) = self.root().pointer(pointer) else {
            return Err(self.mistake(pointer, "A parameter can't be read", "a mapping is expected", "Write it as one"));
        };
        let Some(name) = text(value, "name") else {
            return Err(self.mistake(pointer, "A parameter has no name", "`name` is missing", "Add its name"));
        };
        let place = match value.get("in").and_then(Value::as_str).unwrap_or_default() {
            "path" => ParameterPlace::Path,
            "query" => ParameterPlace::Query,
            "header" => ParameterPlace::Header,
            "cookie" if !self.swagger() => ParameterPlace::Cookie,
            "body" | "formData" if self.swagger() => return Ok(None),
            other => {
                let allowed =
                    if self.swagger() { "path, query, header, body or formData" } else { "path, query, header or cookie" };
                let what = format!("The parameter `{name}` goes nowhere that is known");
                let found = crate::definition::syntax::short(other);
                let why = if found.is_empty() { "`in` is missing".to_owned() } else { format!("`in` is `{found}`") };
                return Err(self.mistake(&format!("{pointer}/in"), &what, &why, &format!("Write {allowed}")));
            }
        };
        // These fields are told elsewhere, and a parameter for them is to be ignored (OpenAPI 3.0.4, 4.8.12).
        const TOLD: [&str; 3] = ["accept", "content-type", "authorization"];
        if place == ParameterPlace::Header && TOLD.iter().any(|told| name.eq_ignore_ascii_case(told)) {
            return Ok(None);
        }
        let content = self.content(pointer).into_iter().next();
        let (style, explode) = if self.swagger() { super::swagger::style(value, place) } else { style(value, place) };
        let mut examples: Vec<Value> = self.examples(pointer).into_iter().map(|(_, value)| value).collect();
        let schema = if self.swagger() {
            Some(self.schema(pointer.to_owned()))
        } else if value.contains_key("schema") {
            Some(self.schema(format!("{pointer}/schema")))
        } else {
            content.as_ref().and_then(|media| media.schema.clone())
        };
        if examples.is_empty() {
            examples.extend(content.iter().flat_map(|media| media.examples.iter().map(|(_, value)| value.clone())));
        }
        Ok(Some(Parameter {
            required: place == ParameterPlace::Path || flag(value, "required"),
            style,
            explode,
            allow_reserved: flag(value, "allowReserved"),
            allow_empty: flag(value, "allowEmptyValue"),
            schema,
            media_type: content.map(|media| media.media_type),
            examples,
            pointer: pointer.to_owned(),
            deprecated: flag(value, "deprecated"),
            name,
            place,
        }))
    }
}

/// How a parameter is written, and whether its elements stand alone; defaults by place (OpenAPI 3.0.4, 4.8.12.2).
fn style(value: &Map<String, Value>, place: ParameterPlace) -> (String, bool) {
    let default = match place {
        ParameterPlace::Query | ParameterPlace::Cookie => "form",
        ParameterPlace::Path | ParameterPlace::Header => "simple",
    };
    let style = text(value, "style").unwrap_or_else(|| default.to_owned());
    let explode = value.get("explode").and_then(Value::as_bool).unwrap_or(style == "form");
    (style, explode)
}

/// The names between the braces of a path.
fn template_names(path: &str) -> Vec<&str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name)).collect()
}
