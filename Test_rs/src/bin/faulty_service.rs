//! A service on loopback with one deliberate fault, or its clean twin, for the benchmark of contract tests.
//!
//! `faulty_service [--port PORT] [--fault NUMBER] [--attended]` serves until it is ended and prints its address first; port
//! 0, which is the default, is any free one. With `--attended` it also ends when its standard input does. `faulty_service --list` prints the list of faults, the token and the key as JSON.

use std::io::Write as _;

use patchbay_tests::faulty::{
    faults::{FAULTS, numbered},
    requests::{KEY, TOKEN},
    service,
};

const USAGE: &str = "usage: faulty_service [--port PORT] [--fault NUMBER] [--attended] | faulty_service --list";

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (mut port, mut fault) = (0_u16, None);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "--attended" {
            std::thread::spawn(end_with_input);
            continue;
        }
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

/// Whoever started the service may be killed, and its end of the pipe is gone then.
fn end_with_input() {
    // An input that can't be read is as good as one that ended.
    let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
    std::process::exit(0);
}
