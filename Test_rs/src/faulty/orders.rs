//! Orders.

use serde_json::{Value, json};

use super::{
    answers::Answer,
    requests::{Call, Refusal},
    store::{Store, text, total},
};

/// A part of the list.
pub fn list(store: &Store, call: &Call, fault: &str) -> Answer {
    let (limit, offset, status) = (call.number("limit"), call.number("offset"), call.text("status"));
    if fault == "limit-boundary-500" && limit == 100 {
        return Answer::broken();
    }
    let after = call.text("createdAfter").parse::<jiff::Timestamp>().ok();
    let fits = |order: &&Value| {
        let created = text(&order["createdAt"]).parse::<jiff::Timestamp>().ok();
        let late = after.is_none() || created > after;
        let known = ["open", "paid", "shipped", "cancelled"].contains(&status);
        late && (!known || order["status"] == status)
    };
    let found: Vec<&Value> = store.orders.values().filter(fits).collect();
    let mut items: Vec<Value> = found.iter().skip(offset).take(limit).map(|order| (*order).clone()).collect();
    if fault == "nested-quantity-text" {
        for item in items.iter_mut().filter_map(|order| order["items"].get_mut(1)) {
            item["quantity"] = json!(item["quantity"].to_string());
        }
    }
    let mut answer = Answer::json(200, &json!({"items": items, "limit": limit, "offset": offset}));
    if fault == "list-cut-off" && status == "shipped" {
        answer.body.truncate(answer.body.len() / 2);
    }
    match fault {
        "total-count-missing" => answer,
        _ => answer.with("x-total-count", found.len().to_string()),
    }
}

/// A new order.
pub fn create(store: &mut Store, call: &Call, fault: &str) -> Answer {
    let id = store.next_id("0d");
    let mut order = call.body.clone();
    for (name, default) in
        [("note", Value::Null), ("priority", json!(3)), ("discountPercent", json!(0)), ("status", json!("open"))]
    {
        if order.get(name).is_none() {
            order[name] = default;
        }
    }
    order["id"] = json!(id);
    order["totalCents"] = json!(total(&order));
    order["createdAt"] = json!(store.now());
    order["updatedAt"] = json!(store.now());
    let mut kept = order.clone();
    if fault == "created-order-changed" {
        kept["priority"] = json!(3);
    }
    store.orders.insert(id.clone(), kept);
    if let (Some(fields), "created-at-missing") = (order.as_object_mut(), fault) {
        fields.shift_remove("createdAt");
    }
    let location = if fault == "location-wrong" { format!("/order/{id}") } else { format!("/orders/{id}") };
    Answer::json(201, &order).with("location", location).with("x-request-id", call.text("X-Request-Id"))
}

/// One order.
pub fn read(store: &Store, call: &Call, fault: &str) -> Answer {
    let id = call.text("orderId");
    let deleted = if fault == "deleted-order-readable" { store.deleted.get(id) } else { None };
    let Some(order) = store.orders.get(id).or(deleted) else {
        return match fault {
            "not-found-body" => Answer::json(404, &json!({"error": "order not found"})),
            _ => Answer::missing("order"),
        };
    };
    let mut order = order.clone();
    if fault == "order-total-is-text" {
        order["totalCents"] = json!(order["totalCents"].to_string());
    }
    if fault == "order-updated-null" && order["updatedAt"] == order["createdAt"] {
        order["updatedAt"] = Value::Null;
    }
    Answer::json(200, &order)
}

/// Changes the fields that are named.
pub fn change(store: &mut Store, call: &Call, fault: &str) -> Answer {
    let now = store.now();
    let Some(order) = store.orders.get_mut(call.text("orderId")) else { return Answer::missing("order") };
    let note = call.body.get("note").and_then(Value::as_str);
    if fault == "empty-note-500" && note == Some("") {
        return Answer::broken();
    }
    if fault == "long-note-refused" && note.is_some_and(|note| note.chars().count() > 255) {
        return Refusal::new(422, "invalid", "The body breaks a rule at `/note`.").into();
    }
    if fault == "patch-drops-note" {
        order["note"] = Value::Null;
    }
    for (name, value) in call.body.as_object().into_iter().flatten() {
        order[name.as_str()] = value.clone();
    }
    if let Some(Ok(number)) = order["priority"].as_str().map(str::parse::<u64>) {
        order["priority"] = json!(number);
    }
    order["totalCents"] = json!(total(order));
    order["updatedAt"] = json!(now);
    let mut order = order.clone();
    if fault == "status-misspelt" && order["status"] == "cancelled" {
        order["status"] = json!("canceled");
    }
    Answer::json(200, &order)
}

/// Deletes an order.
pub fn delete(store: &mut Store, call: &Call, fault: &str) -> Answer {
    let Some(order) = store.orders.shift_remove(call.text("orderId")) else { return Answer::missing("order") };
    if fault == "deleted-order-readable" {
        store.deleted.insert(call.text("orderId").to_owned(), order);
    }
    Answer::empty(204)
}

/// A receipt for people.
pub fn receipt(store: &Store, call: &Call, fault: &str) -> Answer {
    let Some(order) = store.orders.get(call.text("orderId")) else { return Answer::missing("order") };
    let body = format!("Order {}\nTotal {} cents {}\n", text(&order["id"]), order["totalCents"], text(&order["currency"]));
    let media = if fault == "receipt-as-html" { "text/html; charset=utf-8" } else { "text/plain; charset=utf-8" };
    Answer { status: 200, headers: Vec::new(), media, body: body.into_bytes() }
}
