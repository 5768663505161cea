//! What Swagger 2.0 writes in another way: bodies and forms as parameters, media types and servers for the whole document.

use serde_json::{Map, Value, json};

use super::{
    Media, ParameterPlace, RequestBody,
    operation::{flag, text},
    read::Reader,
};
use crate::{
    Result,
    contract::document::{Base, Bundle, escape, join},
};

/// The key at the root under which the schema of each operation's form is put, by the operation's pointer.
const FORMS: &str = "x-patchbay-forms";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

/// Makes a schema of the form parameters of each operation, so that a form is a body like any other.
pub(super) fn forms(bundle: &mut Bundle) {
    let mut forms = Map::new();
    let mut origins = Vec::new();
    let items = bundle.root.get("paths").and_then(Value::as_object).into_iter().flat_map(Map::keys);
    let items: Vec<String> = items.filter_map(|path| bundle.resolve(&join("/paths", path))).collect();
    for item in items {
        for method in ["post", "put", "patch", "delete", "get", "options", "head"] {
            let operation = format!("{item}/{method}");
            if bundle.root.pointer(&operation).is_none() {
                continue;
            }
            let (mut properties, mut required) = (Map::new(), Vec::new());
            let form = format!("/{FORMS}/{}", escape(&operation));
            for at in [&item, &operation] {
                let count = bundle.root.pointer(&format!("{at}/parameters")).and_then(Value::as_array).map_or(0, Vec::len);
                for pointer in (0..count).filter_map(|index| bundle.resolve(&format!("{at}/parameters/{index}"))) {
                    let Some(Value::Object(parameter)) = bundle.root.pointer(&pointer) else { continue };
                    let Some(name) = text(parameter, "name") else { continue };
                    if parameter.get("in").and_then(Value::as_str) != Some("formData") {
                        continue;
                    }
                    required.retain(|known| *known != name);
                    if flag(parameter, "required") {
                        required.push(name.clone());
                    }
                    origins.push((join(&format!("{form}/properties"), &name), pointer.clone()));
                    properties.insert(name, Value::Object(parameter.clone()));
                }
            }
            if !properties.is_empty() {
                origins.push((form, operation.clone()));
                forms.insert(operation, json!({ "type": "object", "properties": properties, "required": required }));
            }
        }
    }
    if let (false, Value::Object(root)) = (forms.is_empty(), &mut bundle.root) {
        root.insert(FORMS.to_owned(), Value::Object(forms));
        bundle.moved(origins);
    }
}

/// The addresses of `schemes`, `host` and `basePath`; what is missing is that of the document's own address.
pub(super) fn servers(root: &Value, base: &Base) -> Vec<String> {
    let text = |key: &str| root.get(key).and_then(Value::as_str);
    let own = match base {
        Base::Address(url) => Some(url),
        _ => None,
    };
    let own_host = || own.map(|url| &url[url::Position::BeforeHost..url::Position::AfterPort]);
    let path = text("basePath").unwrap_or_default().trim_end_matches('/');
    let Some(host) = text("host").or_else(own_host) else {
        return if path.is_empty() { Vec::new() } else { vec![path.to_owned()] };
    };
    let schemes: Vec<&str> =
        root.get("schemes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let schemes = if schemes.is_empty() { vec![own.map_or("http", |url| url.scheme())] } else { schemes };
    let http = schemes.into_iter().filter(|scheme| matches!(*scheme, "http" | "https"));
    http.map(|scheme| format!("{scheme}://{host}{path}")).collect()
}

/// `collectionFormat` in the words of OpenAPI 3.
pub(super) fn style(value: &Map<String, Value>, place: ParameterPlace) -> (String, bool) {
    let default = if place == ParameterPlace::Query { "form" } else { "simple" };
    let (style, explode) = match value.get("collectionFormat").and_then(Value::as_str) {
        Some("ssv") => ("spaceDelimited", false),
        Some("tsv") => ("tabDelimited", false),
        Some("pipes") => ("pipeDelimited", false),
        Some("multi") => ("form", true),
        _ => (default, false),
    };
    (style.to_owned(), explode)
}

impl Reader<'_> {
    /// The body of an operation, from its body parameter or its form parameters.
    pub(super) fn swagger_body(&self, item: &str, operation: &str, value: &Map<String, Value>) -> Result<Option<RequestBody>> {
        let consumes = self.media_types(value, "consumes");
        // An operation's own body replaces that of the path.
        let mut pointers = self.parameter_pointers(operation);
        pointers.extend(self.parameter_pointers(item));
        let parameters: Vec<(&String, &Map<String, Value>)> =
            pointers.iter().filter_map(|pointer| Some((pointer, self.root().pointer(pointer)?.as_object()?))).collect();
        let place = |parameter: &Map<String, Value>| parameter.get("in").and_then(Value::as_str).map(str::to_owned);
        let form: Vec<_> = parameters.iter().filter(|(_, parameter)| place(parameter).as_deref() == Some("formData")).collect();
        if let Some((pointer, parameter)) = parameters.iter().find(|(_, parameter)| place(parameter).as_deref() == Some("body")) {
            if !form.is_empty() {
                let why = "it has a body and form parameters, and only one of them can be sent";
                return Err(self.mistake(pointer, "The operation has two bodies", why, "Take one of them away"));
            }
            let media_types = if consumes.is_empty() { vec!["application/json".to_owned()] } else { consumes };
            let media = |media_type: String| Media {
                media_type,
                schema: parameter.contains_key("schema").then(|| self.schema(format!("{pointer}/schema"))),
                examples: self.examples(pointer),
                encoding: None,
                pointer: (*pointer).clone(),
            };
            let content = media_types.into_iter().map(media).collect();
            return Ok(Some(RequestBody { required: flag(parameter, "required"), content, pointer: (*pointer).clone() }));
        }
        let Some((first, _)) = form.first() else { return Ok(None) };
        let file = form.iter().any(|(_, parameter)| parameter.get("type").and_then(Value::as_str) == Some("file"));
        let mut media_types: Vec<String> = consumes.into_iter().filter(|name| name == FORM || name == MULTIPART).collect();
        if file {
            // A file can't be sent in any other way.
            media_types = vec![MULTIPART.to_owned()];
        } else if media_types.is_empty() {
            media_types.push(FORM.to_owned());
        }
        let schema = format!("/{FORMS}/{}", escape(operation));
        let encoding: Map<String, Value> = form
            .iter()
            .filter_map(|(_, parameter)| {
                let name = text(parameter, "name")?;
                let (style, explode) = style(parameter, ParameterPlace::Query);
                parameter.contains_key("collectionFormat").then(|| (name, json!({ "style": style, "explode": explode })))
            })
            .collect();
        let media = |media_type: String| Media {
            media_type,
            schema: Some(self.schema(schema.clone())),
            examples: Vec::new(),
            encoding: (!encoding.is_empty()).then(|| Value::Object(encoding.clone())),
            pointer: (*first).clone(),
        };
        Ok(Some(RequestBody {
            required: form.iter().any(|(_, parameter)| flag(parameter, "required")),
            content: media_types.into_iter().map(media).collect(),
            pointer: (*first).clone(),
        }))
    }

    /// The bodies of a response: its schema in each media type that the operation produces.
    pub(super) fn swagger_content(&self, operation: &str, response: &str, value: &Map<String, Value>) -> Vec<Media> {
        if !value.contains_key("schema") {
            return Vec::new();
        }
        let own = self.root().pointer(operation).and_then(Value::as_object);
        let produces = own.map(|operation| self.media_types(operation, "produces")).unwrap_or_default();
        let media_types = if produces.is_empty() { vec!["application/json".to_owned()] } else { produces };
        let examples = value.get("examples").and_then(Value::as_object);
        let media = |media_type: String| {
            let example =
                examples.and_then(|examples| examples.get(&media_type)).map(|value| ("example".to_owned(), value.clone()));
            let mut all: Vec<_> = example.into_iter().collect();
            if all.is_empty() {
                all = self.examples(response).into_iter().filter(|(name, _)| name == "schema").collect();
            }
            let schema = Some(self.schema(format!("{response}/schema")));
            Media { media_type, schema, examples: all, encoding: None, pointer: response.to_owned() }
        };
        media_types.into_iter().map(media).collect()
    }

    /// `consumes` or `produces`: the operation's own, or else the document's.
    fn media_types(&self, operation: &Map<String, Value>, key: &str) -> Vec<String> {
        let all = operation.get(key).or_else(|| self.root().get(key)).and_then(Value::as_array);
        all.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }
}
