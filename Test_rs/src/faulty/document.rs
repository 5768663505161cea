//! The OpenAPI document of the clean service. The service checks what it is sent by this very document.

use serde_json::{Map, Value, json};

use super::{
    schemas::{category, components, dialect, order_status, sku, tag, uuid},
    store::{KNOWN_CUSTOMER, KNOWN_EXPORT, KNOWN_ORDER, KNOWN_SKU, OTHER_ORDER},
};

/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 1 << 20;

/// The document as OpenAPI 3.0.
pub fn openapi_3_0() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Orders of a small shop",
            "version": "1.4.0",
            "description": "Query parameters that are not listed here are refused. Every answer comes within one second."
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": paths(),
        "components": {
            "schemas": components(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}
            },
            "responses": refusals()
        }
    })
}

/// The same as OpenAPI 3.1.
pub fn openapi_3_1() -> Value {
    let mut document = modern(&openapi_3_0());
    document["openapi"] = json!("3.1.0");
    document
}

fn modern(value: &Value) -> Value {
    match value {
        Value::Object(_) => match dialect(value) {
            Value::Object(fields) => Value::Object(fields.iter().map(|(name, field)| (name.clone(), modern(field))).collect()),
            other => other,
        },
        Value::Array(elements) => Value::Array(elements.iter().map(modern).collect()),
        other => other.clone(),
    }
}

fn refusals() -> Value {
    let mut all = Map::new();
    for (status, name, why) in [
        ("400", "Malformed", "The body is not what its content type says."),
        ("401", "Unauthorised", "The credential is missing or wrong."),
        ("404", "NotFound", "There is no such thing."),
        ("413", "TooLarge", "The body has more than a mebibyte."),
        ("415", "WrongType", "The content type is none that is taken here."),
        ("422", "Invalid", "A parameter or the body breaks a rule of this document."),
    ] {
        let mut response = json!({"description": why, "content": {"application/json": {"schema": reference("Problem")}}});
        if status == "401" {
            response["headers"] = json!({"WWW-Authenticate": {"required": true, "schema": {"type": "string"}}});
        }
        all.insert(name.to_owned(), response);
    }
    Value::Object(all)
}

fn paths() -> Value {
    json!({
        "/health": {"get": health()},
        "/login": {"post": login()},
        "/orders": {"get": list_orders(), "post": create_order()},
        "/orders/{orderId}": {
            "get": operation("getOrder", "One order", &[order_id()], None, &[("200", answer("Order"))], &["401", "404", "422"]),
            "patch": update_order(),
            "delete": operation("deleteOrder", "Delete an order", &[order_id()], None,
                &[("204", json!({"description": "It is gone."}))], &["401", "404", "422"]),
        },
        "/orders/{orderId}/receipt": {"get": receipt()},
        "/customers": {"post": create_customer()},
        "/customers/{customerId}": {
            "get": operation("getCustomer", "One customer", &[customer_id()], None, &[("200", answer("Customer"))],
                &["401", "404", "422"]),
            "put": operation("replaceCustomer", "Replace a customer", &[customer_id()],
                Some(body("application/json", "Customer", customer_example())), &[("200", answer("Customer"))],
                &["400", "401", "404", "413", "415", "422"]),
        },
        "/products": {"get": search_products()},
        "/products/{sku}": {
            "get": operation("getProduct", "One product", &[product_sku()], None, &[("200", tagged(answer("Product")))],
                &["401", "404", "422"]),
            "head": head_product(),
            "put": put_product(),
        },
        "/exports": {"post": create_export()},
        "/exports/{exportId}": {"get": operation("getExport", "How far an export is", &[path("exportId", &uuid(), KNOWN_EXPORT)],
            None, &[("200", answer("Export"))], &["401", "404", "422"])},
    })
}

fn health() -> Value {
    let mut operation = operation("getHealth", "Whether the service is up", &[], None, &[("200", answer("Health"))], &["422"]);
    operation["security"] = json!([]);
    operation
}

fn login() -> Value {
    let form = body("application/x-www-form-urlencoded", "Credentials", json!({"username": "ada", "password": "correct-horse"}));
    let refused = ["400", "401", "413", "415", "422"];
    let mut operation =
        operation("login", "A token for a name and a password", &[], Some(form), &[("200", answer("Token"))], &refused);
    operation["security"] = json!([]);
    operation
}

fn list_orders() -> Value {
    let parameters = [
        query("limit", json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 20})),
        query("offset", json!({"type": "integer", "minimum": 0, "maximum": 10000, "default": 0})),
        query("status", order_status()),
        query("createdAfter", json!({"type": "string", "format": "date-time"})),
    ];
    let mut list = answer("OrderList");
    list["headers"] = json!({
        "X-Total-Count": {"required": true, "schema": {"type": "integer", "minimum": 0}}
    });
    operation("listOrders", "Orders, oldest first", &parameters, None, &[("200", list)], &["401", "422"])
}

fn create_order() -> Value {
    let request_id = json!({"name": "X-Request-Id", "in": "header", "required": true, "schema": uuid(),
        "example": "7f1f3c8e-0b5a-4d5e-9a49-0c5d2a1b3c4d", "description": "Sent back, to find the request in logs."});
    let created = json!({
        "description": "The new order.",
        "headers": {
            "Location": {"required": true, "schema": {"type": "string", "format": "uri-reference"}},
            "X-Request-Id": {"required": true, "schema": uuid()}
        },
        "content": {"application/json": {"schema": reference("Order")}},
        "links": {
            "read": link("getOrder", "orderId"),
            "change": link("updateOrder", "orderId"),
            "delete": link("deleteOrder", "orderId"),
            "receipt": link("getReceipt", "orderId"),
        }
    });
    let example = json!({
        "customerId": KNOWN_CUSTOMER, "currency": "EUR", "priority": 2, "note": "Ring twice.",
        "items": [{"sku": KNOWN_SKU, "quantity": 2, "unitPriceCents": 1250}]
    });
    let input = body("application/json", "OrderInput", example);
    let refused = ["400", "401", "413", "415", "422"];
    operation("createOrder", "Place an order", &[request_id], Some(input), &[("201", created)], &refused)
}

fn update_order() -> Value {
    let input = body("application/json", "OrderPatch", json!({"priority": 4, "note": "Leave it at the door."}));
    let refused = ["400", "401", "404", "413", "415", "422"];
    let summary = "Change an order: fields that are left out stay as they are";
    operation("updateOrder", summary, &[order_id()], Some(input), &[("200", answer("Order"))], &refused)
}

fn receipt() -> Value {
    let text = json!({"description": "A text for people.", "content": {"text/plain": {"schema": {"type": "string"}}}});
    let order = path("orderId", &uuid(), OTHER_ORDER);
    operation("getReceipt", "The receipt of an order", &[order], None, &[("200", text)], &["401", "404", "422"])
}

fn create_customer() -> Value {
    let created = json!({
        "description": "The new customer.",
        "headers": {"Location": {"required": true, "schema": {"type": "string", "format": "uri-reference"}}},
        "content": {"application/json": {"schema": reference("Customer")}},
        "links": {"read": link("getCustomer", "customerId"), "replace": link("replaceCustomer", "customerId")}
    });
    let input = body("application/json", "Customer", customer_example());
    let refused = ["400", "401", "413", "415", "422"];
    operation("createCustomer", "Register a customer", &[], Some(input), &[("201", created)], &refused)
}

fn search_products() -> Value {
    let parameters = [
        query("q", json!({"type": "string", "minLength": 1, "maxLength": 50})),
        query("category", category()),
        query("tag", json!({"type": "array", "maxItems": 5, "items": tag()})),
        query("sort", json!({"type": "string", "enum": ["name", "-name", "price", "-price"]})),
        query("page", json!({"type": "integer", "minimum": 1, "maximum": 1000, "default": 1})),
        query("pageSize", json!({"type": "integer", "minimum": 1, "maximum": 50, "default": 10})),
    ];
    operation(
        "searchProducts",
        "Products, a page at a time",
        &parameters,
        None,
        &[("200", answer("ProductPage"))],
        &["401", "422"],
    )
}

fn head_product() -> Value {
    // An answer to HEAD has no body, so nothing here has a schema of one.
    let bare = |why: &str| json!({"description": why});
    let mut operation = operation(
        "headProduct",
        "Whether there is such a product",
        &[product_sku()],
        None,
        &[("200", tagged(bare("It is there.")))],
        &[],
    );
    operation["responses"]["401"] = bare("The credential is missing or wrong.");
    operation["responses"]["404"] = bare("There is no such product.");
    operation["responses"]["422"] = bare("The number is none.");
    operation
}

fn put_product() -> Value {
    let example = json!({
        "kind": "physical", "name": "Hammer", "category": "tools", "tags": ["steel"], "weightGrams": 800,
        "price": {"amountCents": 1999, "currency": "EUR"}
    });
    let input = body("application/json", "ProductInput", example);
    let good = [("200", answer("Product")), ("201", answer("Product"))];
    let refused = ["400", "401", "413", "415", "422"];
    let mut operation = operation("putProduct", "Add a product or replace it", &[product_sku()], Some(input), &good, &refused);
    operation["security"] = json!([{"bearer": [], "key": []}]);
    operation
}

fn create_export() -> Value {
    let accepted = json!({
        "description": "It will be made.",
        "headers": {
            "Location": {"required": true, "schema": {"type": "string", "format": "uri-reference"}},
            "Retry-After": {"required": true, "schema": {"type": "integer", "minimum": 0}}
        },
        "content": {"application/json": {"schema": reference("Export")}},
        "links": {"follow": link("getExport", "exportId")}
    });
    let example = json!({"format": "csv", "from": "2026-01-01", "to": "2026-01-31"});
    let input = body("application/json", "ExportInput", example);
    let refused = ["400", "401", "413", "415", "422"];
    operation("createExport", "Start an export of all orders", &[], Some(input), &[("202", accepted)], &refused)
}

fn operation(
    id: &str,
    summary: &str,
    parameters: &[Value],
    body: Option<Value>,
    answers: &[(&str, Value)],
    refused: &[&str],
) -> Value {
    let mut responses = Map::new();
    for (status, answer) in answers {
        responses.insert((*status).to_owned(), answer.clone());
    }
    for status in refused {
        let name = match *status {
            "400" => "Malformed",
            "401" => "Unauthorised",
            "404" => "NotFound",
            "413" => "TooLarge",
            "415" => "WrongType",
            _ => "Invalid",
        };
        responses.insert((*status).to_owned(), json!({"$ref": format!("#/components/responses/{name}")}));
    }
    let mut operation = json!({"operationId": id, "summary": summary, "x-latency": "1s", "responses": responses});
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    if let Some(body) = body {
        operation["requestBody"] = body;
    }
    operation
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn answer(schema: &str) -> Value {
    json!({"description": "As asked.", "content": {"application/json": {"schema": reference(schema)}}})
}

fn tagged(mut answer: Value) -> Value {
    answer["headers"] = json!({"ETag": {"required": true, "schema": {"type": "string", "minLength": 3}}});
    answer
}

fn body(media: &str, schema: &str, example: Value) -> Value {
    json!({"required": true, "content": {media: {"schema": reference(schema), "example": example}}})
}

fn customer_example() -> Value {
    json!({
        "name": "Ada Byron", "email": "ada@example.com", "password": "correct-horse", "nickname": null,
        "contact": {"type": "phone", "number": "+4930123456"},
        "addresses": [{"street": "Hauptstr. 1", "city": "Berlin", "postalCode": "10115", "country": "DE"}]
    })
}

fn link(operation: &str, parameter: &str) -> Value {
    json!({"operationId": operation, "parameters": {parameter: "$response.body#/id"}})
}

fn query(name: &str, schema: Value) -> Value {
    json!({"name": name, "in": "query", "required": false, "schema": schema})
}

fn path(name: &str, schema: &Value, example: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "schema": schema, "example": example})
}

fn order_id() -> Value {
    path("orderId", &uuid(), KNOWN_ORDER)
}

fn customer_id() -> Value {
    path("customerId", &uuid(), KNOWN_CUSTOMER)
}

fn product_sku() -> Value {
    path("sku", &sku(), KNOWN_SKU)
}
