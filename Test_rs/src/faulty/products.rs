//! Products.

use serde_json::{Value, json};

use super::{
    answers::{Answer, tag},
    requests::Call,
    store::{Store, text},
};

/// A page of those that fit.
pub fn search(store: &Store, call: &Call, fault: &str) -> Answer {
    let tags: Vec<&str> = call.parameters.get("tag").and_then(Value::as_array).into_iter().flatten().map(text).collect();
    if fault == "two-tags-500" && tags.len() > 1 {
        return Answer::broken();
    }
    let (words, category) = (call.text("q").to_lowercase(), call.text("category"));
    let fits = |product: &&Value| {
        let tagged = |wanted: &&str| product["tags"].as_array().is_some_and(|tags| tags.iter().any(|tag| tag == wanted));
        text(&product["name"]).to_lowercase().contains(&words)
            && (category.is_empty() || product["category"] == category)
            && tags.iter().all(tagged)
    };
    let mut found: Vec<&Value> = store.products.values().filter(fits).collect();
    let price = |product: &Value| product["price"]["amountCents"].as_u64();
    match call.text("sort") {
        "name" => found.sort_by_key(|product| text(&product["name"])),
        "-name" => found.sort_by_key(|product| std::cmp::Reverse(text(&product["name"]))),
        "price" => found.sort_by_key(|product| price(product)),
        "-price" => found.sort_by_key(|product| std::cmp::Reverse(price(product))),
        _ => {}
    }
    let (page, size) = (call.number("page"), call.number("pageSize"));
    let taken = if fault == "page-too-long" { size + 1 } else { size };
    let mut items: Vec<Value> =
        found.iter().skip((page.max(1) - 1) * size).take(taken).map(|product| (*product).clone()).collect();
    if fault == "wrong-kind" {
        for product in items.iter_mut().filter(|product| product["kind"] == "digital") {
            product["kind"] = json!("physical");
        }
    }
    Answer::json(200, &json!({"items": items, "page": page, "pageSize": size, "total": found.len()}))
}

/// One product.
pub fn read(store: &Store, call: &Call) -> Answer {
    match store.products.get(call.text("sku")) {
        Some(product) => Answer::json(200, product).with("etag", tag(product)),
        None => Answer::missing("product"),
    }
}

/// Adds a product or replaces it.
pub fn put(store: &mut Store, call: &Call) -> Answer {
    let mut product = call.body.clone();
    product["sku"] = json!(call.text("sku"));
    match store.products.insert(call.text("sku").to_owned(), product.clone()) {
        Some(_) => Answer::json(200, &product),
        None => Answer::json(201, &product),
    }
}
