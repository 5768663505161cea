//! A service on loopback with one deliberate fault, or its clean twin, for the benchmark of contract tests.
//!
//! `faulty_service [--port PORT] [--fault NUMBER]` serves until it is ended and prints its address first; port 0, which
//! is the default, is any free one. `faulty_service --list` prints the list of faults, the token and the key as JSON.

use std::io::Write as _;

use patchbay_tests::faulty::{
    faults::{FAULTS, numbered},
    requests::{KEY, TOKEN},
    service,
};

const USAGE: &str = "usage: faulty_service [--port PORT] [--fault NUMBER] | faulty_service --list";

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (mut port, mut fault) = (0_u16, None);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match (word.as_str(), words.next()) {
            ("--list", None) => {
                println!("{}", serde_json::json!({"token": TOKEN, "key": KEY, "faults": FAULTS}));
                return;
            }
            ("--port", Some(number)) => port = number.parse().expect(USAGE),
            ("--fault", Some(number)) => fault = Some(number.parse().ok().and_then(numbered).expect("no fault has that number")),
            _ => panic!("{USAGE}"),
        }
    }
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
    println!("http://{}", listener.local_addr().expect("it is bound"));
    std::io::stdout().flush().expect("somebody listens");
    axum::serve(listener, service(fault)).await.expect("it serves until it is ended");
}
