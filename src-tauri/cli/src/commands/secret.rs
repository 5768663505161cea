//! `secret`.

use std::io::{IsTerminal, Read};

use patchbay_contracts::{
    Code, Problem,
    ipc::{Backend, ListSecrets, RemoveSecret, SetSecret},
    run::Verdict,
    secret::{SecretHome, Sensitive},
};
use patchbay_engine::Engine;

use crate::{
    Outcome,
    arguments::SecretCommand,
    output::{Out, table::Table},
};

/// A credential longer than this isn't one.
const LENGTH: u64 = 64 * 1024;

pub(super) async fn run(engine: &Engine, out: &Out, command: SecretCommand) -> Outcome {
    match command {
        SecretCommand::Set { name, hosts } => set(engine, out, name, hosts).await,
        SecretCommand::List => list(engine, out).await,
        SecretCommand::Remove { name } => {
            engine.remove_secret(RemoveSecret { name: name.clone() }).await?;
            out.result(&serde_json::json!({ "removed": name }), || format!("Removed {name}"));
            Ok(Verdict::Pass)
        }
    }
}

async fn set(engine: &Engine, out: &Out, name: String, hosts: Vec<String>) -> Outcome {
    let state = engine.credentials().state();
    if !state.available {
        // In a command that ends at once, memory would be a lie.
        return Err(Problem::new(Code::Keychain, format!("Secret `{name}` can't be kept"))
            .why(state.detail)
            .next("Start a Secret Service, or set the variable PATCHBAY_SECRET_<NAME> where the command runs"));
    }
    let value = read()?;
    let info = engine.set_secret(SetSecret { name, value, hosts }).await?;
    out.result(&info, || format!("{} is in the keychain, and may go to {}", info.name, info.hosts.join(", ")));
    Ok(Verdict::Pass)
}

/// The value from standard input; a single newline at its end is the shell's, not the value's.
fn read() -> Result<Sensitive<String>, Problem> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        eprintln!("Type the value, then Enter and Ctrl-D. It is shown while you type; a pipe shows nothing.");
    }
    let mut value = String::new();
    input.by_ref().take(LENGTH + 1).read_to_string(&mut value).map_err(|error| {
        Problem::new(Code::InvalidInput, "The value can't be read from standard input").why(error.to_string())
    })?;
    if value.len() as u64 > LENGTH {
        return Err(Problem::new(Code::TooLarge, format!("A secret has at most {LENGTH} bytes")));
    }
    if value.ends_with('\n') {
        value.pop();
        if value.ends_with('\r') {
            value.pop();
        }
    }
    if value.is_empty() {
        return Err(Problem::new(Code::InvalidInput, "The value is empty")
            .next("Pipe it in: printf %s \"$TOKEN\" | patchbay secret set NAME"));
    }
    Ok(Sensitive::new(value))
}

async fn list(engine: &Engine, out: &Out) -> Outcome {
    let all = engine.secrets(ListSecrets {}).await?;
    out.result(&all, || {
        if all.is_empty() {
            return "No secrets yet.\nNext: patchbay secret set NAME --host HOST".to_owned();
        }
        let mut table = Table::new(&["name", "kept in", "may go to", "used by"]);
        for one in &all {
            let home = match one.home {
                SecretHome::Keychain => "keychain",
                SecretHome::Environment => "environment",
                SecretHome::Memory => "memory",
                SecretHome::Missing => "nowhere: has no value",
            };
            table.row([one.name.clone(), home.to_owned(), one.hosts.join(", "), one.used_by.join(", ")]);
        }
        table.text()
    });
    Ok(Verdict::Pass)
}
