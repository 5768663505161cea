//! The sample service's description of itself.

use serde_json::{Value, json};

/// The OpenAPI 3.1 document.
pub(super) fn document() -> Value {
    let order = json!({ "$ref": "#/components/schemas/Order" });
    let answer = |description: &str, schema: &Value| json!({ "description": description, "content": { "application/json": { "schema": schema } } });
    let error = answer("What went wrong", &json!({ "$ref": "#/components/schemas/Error" }));
    let id = json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" }, "example": "42" });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Patchbay sample orders",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A small orders API to try Patchbay on."
        },
        "security": [{ "token": [] }],
        "paths": {
            "/health": { "get": {
                "operationId": "health", "security": [],
                "responses": { "200": answer("The service is up", &json!({ "$ref": "#/components/schemas/Health" })) }
            } },
            "/api/v1/orders": {
                "get": {
                    "operationId": "listOrders",
                    "parameters": [{ "name": "limit", "in": "query", "schema": { "type": "integer", "minimum": 0 } }],
                    "responses": { "200": answer("The newest orders", &json!({ "$ref": "#/components/schemas/Orders" })), "401": error }
                },
                "post": {
                    "operationId": "createOrder",
                    "requestBody": { "required": true, "content": { "application/json": {
                        "schema": { "$ref": "#/components/schemas/NewOrder" },
                        "example": { "amount": 99.99, "currency": "USD" }
                    } } },
                    "responses": { "201": answer("The order was created", &order), "401": error, "422": error }
                }
            },
            "/api/v1/orders/{id}": {
                "parameters": [id],
                "get": { "operationId": "readOrder", "responses": { "200": answer("The order", &order), "401": error, "404": error } },
                "delete": {
                    "operationId": "deleteOrder",
                    "responses": { "204": { "description": "The order is gone" }, "401": error, "404": error }
                }
            }
        },
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": {
                "Order": {
                    "type": "object", "required": ["id", "status", "amount", "currency", "created_at"],
                    "properties": {
                        "id": { "type": "string" }, "status": { "type": "string", "enum": ["created"] },
                        "amount": { "type": "number", "exclusiveMinimum": 0 },
                        "currency": { "type": "string", "pattern": "^[A-Z]{3}$" }, "created_at": { "type": "integer" }
                    }
                },
                "NewOrder": {
                    "type": "object", "required": ["amount", "currency"],
                    "properties": {
                        "amount": { "type": "number", "exclusiveMinimum": 0 },
                        "currency": { "type": "string", "pattern": "^[A-Z]{3}$" }
                    }
                },
                "Orders": {
                    "type": "object", "required": ["orders", "total"],
                    "properties": {
                        "orders": { "type": "array", "items": { "$ref": "#/components/schemas/Order" } },
                        "total": { "type": "integer" }
                    }
                },
                "Health": {
                    "type": "object", "required": ["status"],
                    "properties": { "status": { "type": "string" }, "orders": { "type": "integer" } }
                },
                "Error": {
                    "type": "object", "required": ["error"],
                    "properties": { "error": {
                        "type": "object", "required": ["code", "message"],
                        "properties": { "code": { "type": "string" }, "message": { "type": "string" } }
                    } }
                }
            }
        }
    })
}
