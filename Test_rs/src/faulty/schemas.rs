//! The schemas of the document, and what they mean as JSON Schema.

use serde_json::{Map, Value, json};

/// `#/components/schemas` of the OpenAPI 3.0 document.
pub fn components() -> Value {
    json!({
        "Problem": object(json!({
            "code": {"type": "string", "pattern": "^[a-z_]+$"},
            "message": {"type": "string", "minLength": 1},
        }), &["code", "message"]),
        "Health": object(json!({
            "status": {"type": "string", "enum": ["up"]},
            "version": {"type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$"},
            "requests": {"type": "integer", "format": "int64", "minimum": 0},
        }), &["status", "version", "requests"]),
        "Credentials": object(json!({
            "username": {"type": "string", "minLength": 1, "maxLength": 50, "example": "ada"},
            "password": {"type": "string", "minLength": 8, "maxLength": 64, "example": "correct-horse"},
        }), &["username", "password"]),
        "Token": object(json!({
            "token": {"type": "string", "minLength": 1},
            "tokenType": {"type": "string", "enum": ["Bearer"]},
            "expiresAt": {"type": "string", "format": "date-time"},
        }), &["token", "tokenType", "expiresAt"]),
        "OrderItem": order_item(),
        "OrderInput": order_input(),
        "OrderPatch": order_patch(),
        "Order": order(),
        "OrderList": object(json!({
            "items": {"type": "array", "maxItems": 100, "items": {"$ref": "#/components/schemas/Order"}},
            "limit": {"type": "integer", "minimum": 1, "maximum": 100},
            "offset": {"type": "integer", "minimum": 0, "maximum": 10000},
        }), &["items", "limit", "offset"]),
        "Address": address(),
        "EmailContact": object(json!({
            "type": {"type": "string", "enum": ["email"]},
            "email": {"type": "string", "format": "email", "maxLength": 100},
        }), &["type", "email"]),
        "PhoneContact": object(json!({
            "type": {"type": "string", "enum": ["phone"]},
            "number": {"type": "string", "pattern": "^\\+[0-9]{6,14}$"},
        }), &["type", "number"]),
        "Customer": customer(),
        "Price": object(json!({
            "amountCents": {"type": "integer", "format": "int64", "minimum": 0, "maximum": 10_000_000},
            "currency": {"type": "string", "enum": ["EUR", "USD", "GBP"]},
        }), &["amountCents", "currency"]),
        "PhysicalInput": product("physical", false),
        "DigitalInput": product("digital", false),
        "ProductInput": one_of("kind", &[("physical", "PhysicalInput"), ("digital", "DigitalInput")]),
        "PhysicalProduct": product("physical", true),
        "DigitalProduct": product("digital", true),
        "Product": one_of("kind", &[("physical", "PhysicalProduct"), ("digital", "DigitalProduct")]),
        "ProductPage": object(json!({
            "items": {"type": "array", "maxItems": 50, "items": {"$ref": "#/components/schemas/Product"}},
            "page": {"type": "integer", "minimum": 1, "maximum": 1000},
            "pageSize": {"type": "integer", "minimum": 1, "maximum": 50},
            "total": {"type": "integer", "minimum": 0},
        }), &["items", "page", "pageSize", "total"]),
        "ExportInput": object(json!({
            "format": {"type": "string", "enum": ["csv", "json"]},
            "from": {"type": "string", "format": "date"},
            "to": {"type": "string", "format": "date"},
        }), &["format"]),
        "Export": object(json!({
            "id": uuid(),
            "state": {"type": "string", "enum": ["queued", "running", "done"]},
            "format": {"type": "string", "enum": ["csv", "json"]},
            "progress": {"type": "integer", "minimum": 0, "maximum": 100},
            "finishedAt": {"type": "string", "format": "date-time", "nullable": true},
            "resultUrl": {"type": "string", "format": "uri", "nullable": true},
        }), &["id", "state", "format", "progress", "finishedAt", "resultUrl"]),
    })
}

fn order_item() -> Value {
    object(
        json!({
            "sku": sku(),
            "quantity": {"type": "integer", "minimum": 1, "maximum": 1000},
            "unitPriceCents": {"type": "integer", "format": "int64", "minimum": 0, "maximum": 1_000_000},
        }),
        &["sku", "quantity", "unitPriceCents"],
    )
}

fn order_fields() -> Value {
    json!({
        "currency": {"type": "string", "enum": ["EUR", "USD", "GBP"]},
        "items": {"type": "array", "minItems": 1, "maxItems": 20, "items": {"$ref": "#/components/schemas/OrderItem"}},
        "note": {"type": "string", "maxLength": 500, "nullable": true},
        "priority": {"type": "integer", "minimum": 1, "maximum": 5, "default": 3},
        "discountPercent": {"type": "number", "minimum": 0, "maximum": 100, "exclusiveMaximum": true, "default": 0},
        "customerId": uuid(),
    })
}

fn order_input() -> Value {
    object(order_fields(), &["customerId", "currency", "items"])
}

fn order_patch() -> Value {
    let Value::Object(fields) = order_fields() else { return Value::Null };
    let kept = ["note", "priority", "discountPercent"];
    let mut properties: Map<String, Value> = fields.into_iter().filter(|(name, _)| kept.contains(&name.as_str())).collect();
    for field in properties.values_mut().filter_map(Value::as_object_mut) {
        // A change that leaves a field out leaves it as it is.
        field.shift_remove("default");
    }
    properties.insert("status".to_owned(), order_status());
    let mut schema = object(Value::Object(properties), &[]);
    schema["minProperties"] = json!(1);
    schema
}

fn order() -> Value {
    let mut properties = order_fields();
    for (name, schema) in [
        ("id", uuid()),
        ("status", order_status()),
        ("totalCents", json!({"type": "integer", "format": "int64", "minimum": 0})),
        ("createdAt", json!({"type": "string", "format": "date-time"})),
        ("updatedAt", json!({"type": "string", "format": "date-time"})),
    ] {
        properties[name] = schema;
    }
    let required: Vec<String> = properties.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    object(properties, &required.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The states that an order can be in.
pub fn order_status() -> Value {
    json!({"type": "string", "enum": ["open", "paid", "shipped", "cancelled"]})
}

fn address() -> Value {
    object(
        json!({
            "street": {"type": "string", "minLength": 1, "maxLength": 100},
            "city": {"type": "string", "minLength": 1, "maxLength": 60},
            "postalCode": {"type": "string", "pattern": "^[0-9]{5}$"},
            "country": {"type": "string", "enum": ["DE", "FR", "GB", "US"]},
        }),
        &["street", "city", "postalCode", "country"],
    )
}

fn customer() -> Value {
    object(
        json!({
            "id": {"type": "string", "format": "uuid", "readOnly": true},
            "createdAt": {"type": "string", "format": "date-time", "readOnly": true},
            "name": {"type": "string", "minLength": 1, "maxLength": 100},
            "nickname": {"type": "string", "maxLength": 40, "nullable": true},
            "email": {"type": "string", "format": "email", "maxLength": 100},
            "password": {"type": "string", "minLength": 8, "maxLength": 64, "writeOnly": true},
            "addresses": {"type": "array", "maxItems": 5, "items": {"$ref": "#/components/schemas/Address"}},
            "contact": one_of("type", &[("email", "EmailContact"), ("phone", "PhoneContact")]),
        }),
        &["id", "createdAt", "name", "email", "password", "addresses"],
    )
}

fn product(kind: &str, with_sku: bool) -> Value {
    let mut properties = json!({
        "kind": {"type": "string", "enum": [kind]},
        "name": {"type": "string", "minLength": 1, "maxLength": 80},
        "category": category(),
        "price": {"$ref": "#/components/schemas/Price"},
        "tags": {"type": "array", "maxItems": 10, "items": tag()},
    });
    let mut required = vec!["kind", "name", "category", "price", "tags"];
    if kind == "physical" {
        properties["weightGrams"] = json!({"type": "integer", "minimum": 1, "maximum": 100_000});
        required.push("weightGrams");
    } else {
        properties["downloadUrl"] = json!({"type": "string", "format": "uri", "maxLength": 200});
        required.push("downloadUrl");
    }
    if with_sku {
        properties["sku"] = sku();
        required.push("sku");
    }
    object(properties, &required)
}

/// Where products belong.
pub fn category() -> Value {
    json!({"type": "string", "enum": ["books", "tools", "music"]})
}

/// A word that products are found by.
pub fn tag() -> Value {
    json!({"type": "string", "pattern": "^[a-z]{1,20}$"})
}

/// The number of a product.
pub fn sku() -> Value {
    json!({"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"})
}

/// An identifier.
pub fn uuid() -> Value {
    json!({"type": "string", "format": "uuid"})
}

fn object(properties: Value, required: &[&str]) -> Value {
    let mut schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn one_of(property: &str, kinds: &[(&str, &str)]) -> Value {
    let reference = |name: &str| format!("#/components/schemas/{name}");
    let choices: Vec<Value> = kinds.iter().map(|(_, name)| json!({"$ref": reference(name)})).collect();
    let mapping: Map<String, Value> = kinds.iter().map(|(kind, name)| ((*kind).to_owned(), json!(reference(name)))).collect();
    json!({"oneOf": choices, "discriminator": {"propertyName": property, "mapping": mapping}})
}

/// In which direction a body goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the service: fields that are only ever read are none of its fields.
    Request,
    /// From the service: fields that are only ever written are none of its fields.
    Response,
}

/// The JSON Schema (2020-12) of an OpenAPI 3.0 schema, with its references filled in: the document has no recursive ones.
pub fn meaning(schema: &Value, document: &Value, direction: Direction) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).cloned().unwrap_or_default();
        return meaning(&target, document, direction);
    }
    let mut schema = dialect(schema);
    let hidden = if direction == Direction::Request { "readOnly" } else { "writeOnly" };
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let names: Vec<String> =
            properties.iter().filter(|(_, field)| field[hidden] == true).map(|(name, _)| name.clone()).collect();
        properties.retain(|name, _| !names.contains(name));
        for field in properties.values_mut() {
            *field = meaning(field, document, direction);
        }
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|name| !names.iter().any(|gone| name == gone));
        }
    }
    if let Some(items) = schema.get_mut("items") {
        *items = meaning(items, document, direction);
    }
    for choice in schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
        *choice = meaning(choice, document, direction);
    }
    schema
}

/// One level of a 3.0 schema in the words of 3.1, which are those of JSON Schema.
pub fn dialect(schema: &Value) -> Value {
    let mut schema = schema.clone();
    let Some(fields) = schema.as_object_mut() else { return schema };
    if fields.shift_remove("nullable") == Some(Value::Bool(true)) {
        let kind = fields.get("type").cloned().unwrap_or_default();
        fields.insert("type".to_owned(), json!([kind, "null"]));
    }
    if fields.shift_remove("exclusiveMaximum") == Some(Value::Bool(true))
        && let Some(maximum) = fields.shift_remove("maximum")
    {
        fields.insert("exclusiveMaximum".to_owned(), maximum);
    }
    schema
}
