//! The service with one deliberate fault, or its clean twin, as a process of its own.

use crate::failure::{About, Failure, Outcome};
use crate::paths::program;
use crate::process::output;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const NAME: &str = "faulty_service";

/// The list of faults, and what opens the service.
pub struct Card {
    /// Each with `number`, `name`, `kind`, `operation`, `sentence` and `check`.
    pub faults: Vec<Value>,
    /// The bearer token.
    pub token: String,
    /// The API key.
    pub key: String,
}

impl Card {
    /// Asks the service's own program.
    pub fn read() -> Outcome<Self> {
        let program = program("release", NAME);
        let text = output(Command::new(&program).arg("--list"));
        let list: Value = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let word = |name: &str| list[name].as_str().map(str::to_owned);
        match (list["faults"].as_array(), word("token"), word("key")) {
            (Some(faults), Some(token), Some(key)) => Ok(Self { faults: faults.clone(), token, key }),
            _ => Err(Failure::cannot(format!("`{} --list` gave no list of faults. Leave out --no-build.", program.display()))),
        }
    }
}

/// A running service. It ends when this is dropped, and also when xtask itself is gone, since its standard input ends then.
pub struct Twin {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    child: Child,
}

impl Twin {
    /// Starts the service with the fault of that number, or without any.
    pub fn start(fault: Option<u64>) -> Outcome<Self> {
        let mut command = Command::new(program("release", NAME));
        command.arg("--attended");
        if let Some(fault) = fault {
            command.args(["--fault", &fault.to_string()]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let child = command.spawn().about(|| format!("start {NAME}"))?;
        let mut twin = Self { url: String::new(), child };
        if let Some(stdout) = twin.child.stdout.take() {
            // It says nothing after its address, so nobody has to go on reading.
            BufReader::new(stdout).read_line(&mut twin.url).about(|| format!("read the address of {NAME}"))?;
        }
        twin.url = twin.url.trim().to_owned();
        match twin.url.starts_with("http://127.0.0.1:") {
            true => Ok(twin),
            false => Err(Failure::cannot(format!("{NAME} did not say where it is."))),
        }
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
