//! Another process that works with secrets, for what can't be seen from within one.
//!
//! `secrets_helper state` prints the state of the OS keychain as JSON. `secrets_helper keep NAME VALUE` sets a secret in
//! the OS keychain and prints where it lies. `secrets_helper read NAME URL` prints the value that may be sent to the
//! address, or the problem. `secrets_helper panic VALUE` learns a value, guards panics, and panics with it, with
//! `panic-thread` in a thread of its own. Arguments are no place for secrets;
//! these are made up.

use patchbay_contracts::secret::Sensitive;
use patchbay_engine::secrets::{Redactor, Secrets, guard_panics, keychain};

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let secrets = || Secrets::new(keychain::os(), |name| std::env::var(name).ok());
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[1..] {
        ["state"] => println!("{}", serde_json::to_string(&secrets().state()).expect("a state is JSON")),
        ["keep", name, value] => {
            let secrets = secrets();
            let kept = secrets.set(name, Sensitive::new(value.to_owned()), vec!["127.0.0.1".to_owned()]).await;
            let target = "http://127.0.0.1/".parse().expect("it is an address");
            let back = secrets.value_for(name, &target).await.expect("what was set can be read");
            assert_eq!(back.expose(), value);
            println!("{}", serde_json::to_string(&kept.expect("it is set")).expect("it is JSON"));
        }
        ["read", name, url] => match secrets().value_for(name, &url.parse().expect("it is an address")).await {
            Ok(value) => println!("{}", value.expose()),
            Err(problem) => println!("{}", serde_json::to_string(&problem).expect("a problem is JSON")),
        },
        [kind @ ("panic" | "panic-thread"), value] => {
            let redactor = Redactor::default();
            guard_panics(redactor.clone());
            redactor.learn("orders-token", value);
            let value = value.to_owned();
            if kind == "panic" {
                panic!("the header was Bearer {value}, over two\nlines");
            }
            let thread = std::thread::Builder::new().name(format!("worker for {value}"));
            let ended = thread.spawn(move || panic!("{}", value)).expect("a thread starts").join();
            assert!(ended.is_err());
        }
        _ => panic!("usage: secrets_helper state | keep NAME VALUE | read NAME URL | panic VALUE | panic-thread VALUE"),
    }
}
