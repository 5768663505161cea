//! The list of the deliberate faults, which the service, its test and the benchmark share.

use serde::Serialize;

/// One deliberate fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// From 1, without gaps. `--fault NUMBER` switches it on.
    pub number: u32,
    /// A short name, by which the service's own code knows it.
    pub name: &'static str,
    /// What kind of mistake it is.
    pub kind: &'static str,
    /// The operation that shows it, as the document has it.
    pub operation: &'static str,
    /// One sentence on what happens.
    pub sentence: &'static str,
    /// The check of Patchbay's vocabulary that is there to find it.
    pub check: &'static str,
}

/// The fault of that number.
pub fn numbered(number: u32) -> Option<&'static Fault> {
    FAULTS.iter().find(|fault| fault.number == number)
}

macro_rules! faults {
    ($($number:literal $name:literal, $kind:literal, $operation:literal, $check:literal: $sentence:literal;)*) => {
        /// All of them.
        pub const FAULTS: &[Fault] = &[$(Fault {
            number: $number, name: $name, kind: $kind, operation: $operation, sentence: $sentence, check: $check,
        }),*];
    };
}

faults! {
    1 "order-total-is-text", "wrong type of a field", "GET /orders/{orderId}", "response-schema":
        "`totalCents` is a text in place of a number.";
    2 "created-at-missing", "missing required field", "POST /orders", "response-schema":
        "The answer to a creation lacks the required `createdAt`.";
    3 "customer-extra-field", "field that the schema forbids", "GET /customers/{customerId}", "undocumented-field":
        "An internal `riskScore` comes along, where the schema forbids further fields.";
    4 "order-updated-null", "null where it isn't allowed", "GET /orders/{orderId}", "response-schema":
        "`updatedAt` is null for an order that nobody has changed yet.";
    5 "status-misspelt", "value outside of an enum", "PATCH /orders/{orderId}", "response-schema":
        "An order that is cancelled is answered with the status `canceled`.";
    6 "export-date-format", "malformed date", "GET /exports/{exportId}", "response-schema":
        "`finishedAt` has a blank in place of the T of RFC 3339.";
    7 "customer-created-200", "undocumented status", "POST /customers", "status":
        "A creation is answered with 200, and the document knows 201 only.";
    8 "receipt-as-html", "wrong content type", "GET /orders/{orderId}/receipt", "content-type":
        "The receipt is announced as text/html in place of text/plain.";
    9 "total-count-missing", "missing required response header", "GET /orders", "header":
        "The header X-Total-Count is not sent.";
    10 "location-wrong", "Location that leads nowhere", "POST /orders", "unreadable-after-create":
        "The header Location of a new order has `/order/` in place of `/orders/`.";
    11 "empty-note-500", "server error on an empty text", "PATCH /orders/{orderId}", "server-error":
        "An empty note brings the service down with a 500.";
    12 "limit-boundary-500", "server error on a boundary", "GET /orders", "server-error":
        "The largest `limit` that is allowed, 100, is answered with 500.";
    13 "unicode-name-500", "server error on Unicode", "POST /customers", "server-error":
        "A name with a letter beyond ASCII is answered with 500.";
    14 "missing-contact-500", "server error on a missing optional field", "POST /customers", "server-error":
        "A customer without the optional `contact` is answered with 500.";
    15 "long-note-refused", "valid input refused", "PATCH /orders/{orderId}", "valid-rejected":
        "A note of more than 255 characters is refused, and the document allows 500.";
    16 "malformed-json-500", "server error on malformed JSON", "POST /orders", "server-error":
        "A body that isn't JSON is answered with 500 in place of 400.";
    17 "two-tags-500", "server error on an extra query value", "GET /products", "server-error":
        "A second `tag` in the query is answered with 500.";
    18 "quantity-limit", "limit not enforced", "POST /orders", "invalid-accepted":
        "A quantity above the largest, 1000, is accepted.";
    19 "status-filter-enum", "enum not enforced", "GET /orders", "invalid-accepted":
        "A filter by a status that doesn't exist is answered with 200.";
    20 "export-format-optional", "required field not enforced", "POST /exports", "invalid-accepted":
        "An export without the required `format` is accepted.";
    21 "priority-as-text", "type not enforced", "PATCH /orders/{orderId}", "invalid-accepted":
        "A priority that is a text, such as \"3\", is accepted as a number.";
    22 "export-without-token", "authentication ignored on one operation", "GET /exports/{exportId}", "auth-ignored":
        "An export can be read without any token.";
    23 "any-token", "wrong token accepted", "GET /orders", "auth-ignored":
        "Any bearer token will do, on all operations.";
    24 "any-key", "API key ignored", "PUT /products/{sku}", "auth-ignored":
        "A product can be changed with a wrong API key, and without one.";
    25 "deleted-order-readable", "deleted resource still readable", "DELETE /orders/{orderId}", "readable-after-delete":
        "A deleted order leaves the list, and can still be read by its id.";
    26 "created-customer-unreadable", "created resource not readable", "POST /customers", "unreadable-after-create":
        "A new customer is answered with 201 and can't be read after that.";
    27 "created-order-changed", "created resource has another value", "POST /orders", "unreadable-after-create":
        "The priority that was sent is answered, and kept as the default.";
    28 "customer-update-lost", "update not kept", "PUT /customers/{customerId}", "change-not-kept":
        "A change is answered as if it were made, and the next read shows the former customer.";
    29 "patch-drops-note", "PATCH drops other fields", "PATCH /orders/{orderId}", "change-not-kept":
        "A change that doesn't name the note makes it null.";
    30 "export-link-dead", "link that leads nowhere", "POST /exports", "link":
        "The id of a new export is another than the one under which it can be read.";
    31 "password-shown", "field that is only ever written is shown", "GET /customers/{customerId}", "undocumented-field":
        "The customer's password is in the answer.";
    32 "client-chosen-id", "field that is only ever read is accepted", "POST /customers", "invalid-accepted":
        "An `id` that the client sends is taken over.";
    33 "page-too-long", "list longer than its limit", "GET /products", "response-schema":
        "A page has one product more than was asked for: 51 where 50 is the most.";
    34 "wrong-kind", "wrong discriminator", "GET /products", "response-schema":
        "A digital product says that it is physical.";
    35 "nested-quantity-text", "wrong element of a nested array", "GET /orders", "response-schema":
        "The second item of an order in the list has its quantity as a text.";
    36 "head-not-routed", "HEAD differs from GET", "HEAD /products/{sku}", "status":
        "HEAD is answered with 405, where GET is answered with 200.";
    37 "health-slow", "slower than the documented limit", "GET /health", "latency":
        "The answer takes 1.5 seconds, and the document promises one.";
    38 "list-cut-off", "truncated JSON", "GET /orders", "response-schema":
        "The list of shipped orders ends in the middle of its JSON.";
    39 "name-latin-1", "invalid UTF-8", "GET /customers/{customerId}", "response-schema":
        "A name beyond ASCII is sent in Latin-1, in a JSON body.";
    40 "not-found-body", "error body not as documented", "GET /orders/{orderId}", "response-schema":
        "An order that doesn't exist is answered with another error body than the one documented.";
}
