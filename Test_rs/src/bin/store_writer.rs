//! Writes into a results database until it is killed, and says what was acknowledged.
//!
//! `store_writer write DATABASE ROUND` writes runs, health checks and scrapes without end, and prints a line for each
//! after the store has acknowledged it. `store_writer open DATABASE` opens the database and prints `ok`, or the problem
//! as JSON.

use std::io::Write as _;

use patchbay_engine::store::Store;
use patchbay_tests::results::{self, Acknowledged};

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[1..] {
        ["write", database, round] => write(database, round.parse().expect("the round is a number")).await,
        ["open", database] => match Store::open(database).await {
            Ok(_) => println!("ok"),
            Err(problem) => println!("{}", serde_json::to_string(&problem).expect("a problem is JSON")),
        },
        _ => panic!("usage: store_writer write DATABASE ROUND | open DATABASE"),
    }
}

async fn write(database: &str, round: i64) {
    let store = Store::open(database).await.expect("the database opens after every kill");
    for n in 0.. {
        let at = results::START + round * 1_000_000 + n;
        let acknowledged = match n % 4 {
            0 => {
                // Large ones too, whose pages don't fit into one write.
                let report = results::probe(Some("orders"), 200, if n % 32 == 16 { 300_000 } else { 200 });
                let run = store.add_run(&report, 1.0, format!("round {round} result {n}")).await.expect("a run is stored");
                Acknowledged::Run(run.id, run.headline)
            }
            1 | 2 => {
                store.add_check(&results::check("orders", at, true)).await.expect("a check is stored");
                Acknowledged::Check(at)
            }
            _ => {
                let samples = 200;
                store.add_scrape("orders", &results::scrape(at, samples, at as f64)).await.expect("a scrape is stored");
                Acknowledged::Scrape(at, samples)
            }
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", acknowledged.line()).and_then(|()| out.flush()).expect("the test listens");
    }
}
