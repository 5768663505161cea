//! What the service keeps: in memory, the same at each start.

use serde_json::{Map, Value, json};

/// An order that is there from the start, with two items and a note.
pub const KNOWN_ORDER: &str = "0d000001-0000-4000-8000-000000000001";
/// Another order that is there from the start, since what calls operations in their order deletes the first one.
pub const OTHER_ORDER: &str = "0d000001-0000-4000-8000-000000000002";
/// A customer who is there from the start, with a letter beyond ASCII in her name.
pub const KNOWN_CUSTOMER: &str = "0c000001-0000-4000-8000-000000000001";
/// An export that is done from the start.
pub const KNOWN_EXPORT: &str = "0e000001-0000-4000-8000-000000000001";
/// A product that is there from the start.
pub const KNOWN_SKU: &str = "TOL-0001";

/// All that is kept. Values have the form of the document's answers, customers with their password besides.
#[derive(Debug, Default)]
pub struct Store {
    /// By id, in the order in which they came.
    pub orders: Map<String, Value>,
    /// Orders that were deleted.
    pub deleted: Map<String, Value>,
    /// By id.
    pub customers: Map<String, Value>,
    /// By number.
    pub products: Map<String, Value>,
    /// By id.
    pub exports: Map<String, Value>,
    /// Tokens that a login gave.
    pub tokens: Vec<String>,
    /// Requests so far, the service's only clock.
    pub requests: u64,
    made: u64,
}

impl Store {
    /// Five customers, thirty orders, sixty products and one export.
    pub fn seeded() -> Self {
        let mut store = Self::default();
        for n in 0..5 {
            let id = store.next_id("0c");
            store.customers.insert(id.clone(), seeded_customer(&id, n));
        }
        store.made = 0;
        for n in 0..30_usize {
            let id = store.next_id("0d");
            store.orders.insert(id.clone(), seeded_order(&id, n));
        }
        for n in 0..60_usize {
            let product = seeded_product(n);
            store.products.insert(text(&product["sku"]).to_owned(), product);
        }
        store.exports.insert(
            KNOWN_EXPORT.to_owned(),
            json!({"id": KNOWN_EXPORT, "state": "done", "format": "csv", "progress": 100,
                "finishedAt": moment(60), "resultUrl": "https://files.example.com/exports/1.csv"}),
        );
        store
    }

    /// An identifier that nothing else has. `prefix` is two hexadecimal digits that tell kinds apart.
    pub fn next_id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}000001-0000-4000-8000-{:012x}", self.made)
    }

    /// The time by the service's own clock, which goes on by a second with each request.
    pub fn now(&self) -> String {
        moment(3600 + self.requests)
    }
}

/// `seconds` after the start of the service's own time, in RFC 3339.
pub fn moment(seconds: u64) -> String {
    let start = jiff::Timestamp::constant(1_767_225_600, 0);
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX).min(1_000_000_000);
    (start + jiff::SignedDuration::from_secs(seconds)).to_string()
}

/// The text of a value that is one.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What an order comes to: its items, less the discount.
pub fn total(order: &Value) -> u64 {
    let items = order["items"].as_array().into_iter().flatten();
    // A fault lets any quantity through.
    let price =
        |item: &Value| item["quantity"].as_u64().unwrap_or(0).saturating_mul(item["unitPriceCents"].as_u64().unwrap_or(0));
    let sum = items.map(price).fold(0_u64, u64::saturating_add);
    let discount = order["discountPercent"].as_f64().unwrap_or(0.0);
    (sum as f64 * (100.0 - discount) / 100.0).floor() as u64
}

fn seeded_customer(id: &str, n: usize) -> Value {
    let names = ["Zoë Brandt", "Ada Byron", "Lin Wei", "Omar Haddad", "Ines Duarte"];
    let mails = ["zoe", "ada", "lin", "omar", "ines"];
    json!({
        "id": id, "createdAt": moment(n as u64), "name": names[n], "nickname": null,
        "email": format!("{}@example.com", mails[n]), "password": "a-kept-secret",
        "addresses": [{"street": "Hauptstr. 1", "city": "Berlin", "postalCode": "10115", "country": "DE"}],
        "contact": {"type": "phone", "number": "+4930123456"},
    })
}

fn seeded_order(id: &str, n: usize) -> Value {
    let states = ["open", "paid", "shipped", "cancelled"];
    let item = |sku: usize, quantity: u64| json!({"sku": format!("TOL-{sku:04}"), "quantity": quantity, "unitPriceCents": 1250});
    let mut order = json!({
        "id": id, "customerId": KNOWN_CUSTOMER, "currency": "EUR", "items": [item(1, 2), item(4, 1)],
        "note": "Ring twice.", "priority": 1 + n % 5, "discountPercent": 0, "status": states[n % 4],
        "totalCents": 0, "createdAt": moment(n as u64), "updatedAt": moment(n as u64),
    });
    order["totalCents"] = json!(total(&order));
    order
}

fn seeded_product(n: usize) -> Value {
    let (kind, prefix, category) =
        [("physical", "TOL", "tools"), ("physical", "BKS", "books"), ("digital", "MUS", "music")][n % 3];
    let mut product = json!({
        "kind": kind, "name": format!("Article {}", n + 1), "category": category,
        "price": {"amountCents": 500 + 10 * n, "currency": "EUR"},
        "tags": if n.is_multiple_of(2) { json!(["new", "sale"]) } else { json!(["sale"]) },
        "sku": format!("{prefix}-{:04}", n + 1),
    });
    if kind == "physical" {
        product["weightGrams"] = json!(100 + n);
    } else {
        product["downloadUrl"] = json!(format!("https://files.example.com/{}", n + 1));
    }
    product
}
