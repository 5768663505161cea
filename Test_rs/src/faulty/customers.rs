//! Customers.

use serde_json::{Value, json};

use super::{
    answers::Answer,
    requests::Call,
    store::{Store, text},
};

/// A new customer.
pub fn create(store: &mut Store, call: &Call, fault: &str) -> Answer {
    if fault == "unicode-name-500" && !text(&call.body["name"]).is_ascii() {
        return Answer::broken();
    }
    if fault == "missing-contact-500" && call.body.get("contact").is_none() {
        return Answer::broken();
    }
    let chosen = call.body["id"].as_str().filter(|_| fault == "client-chosen-id").map(str::to_owned);
    let id = chosen.unwrap_or_else(|| store.next_id("0c"));
    let customer = complete(&call.body, &id, &store.now());
    if fault != "created-customer-unreadable" {
        store.customers.insert(id.clone(), customer.clone());
    }
    let status = if fault == "customer-created-200" { 200 } else { 201 };
    Answer::json(status, &shown(&customer)).with("location", format!("/customers/{id}"))
}

/// One customer.
pub fn read(store: &Store, call: &Call, fault: &str) -> Answer {
    let Some(customer) = store.customers.get(call.text("customerId")) else { return Answer::missing("customer") };
    let mut shown = if fault == "password-shown" { customer.clone() } else { shown(customer) };
    if fault == "customer-extra-field" {
        shown["riskScore"] = json!(12);
    }
    let mut answer = Answer::json(200, &shown);
    if fault == "name-latin-1" && !text(&shown["name"]).is_ascii() {
        answer.body = latin_1(&shown.to_string());
    }
    answer
}

/// Puts another customer in the place of one.
pub fn replace(store: &mut Store, call: &Call, fault: &str) -> Answer {
    let Some(former) = store.customers.get_mut(call.text("customerId")) else { return Answer::missing("customer") };
    let customer = complete(&call.body, text(&former["id"]), text(&former["createdAt"]));
    if fault != "customer-update-lost" {
        *former = customer.clone();
    }
    Answer::json(200, &shown(&customer))
}

fn complete(input: &Value, id: &str, created: &str) -> Value {
    let mut customer = input.clone();
    customer["id"] = json!(id);
    customer["createdAt"] = json!(created);
    if customer.get("nickname").is_none() {
        customer["nickname"] = Value::Null;
    }
    customer
}

fn shown(customer: &Value) -> Value {
    let mut customer = customer.clone();
    if let Some(fields) = customer.as_object_mut() {
        fields.shift_remove("password");
    }
    customer
}

/// Letters that Latin-1 has become one byte each; others stay as they are.
fn latin_1(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for letter in text.chars() {
        match u8::try_from(letter) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend_from_slice(letter.to_string().as_bytes()),
        }
    }
    bytes
}
