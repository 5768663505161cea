//! Credentials: where they lie, where they may go, and that they come out nowhere else.

mod binding;
mod keeping;
mod log;
mod os;
mod redactor;
mod references;

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Command, Output},
    sync::{Arc, Mutex},
    time::Instant,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use patchbay_contracts::{
    Code, Problem,
    secret::{KeychainState, SecretHome, SecretInfo, Sensitive},
};
use patchbay_engine::{
    Result,
    ports::Keychain,
    secrets::{
        Redactor, Secrets, environment_name,
        hosts::{self, HostPattern},
        keychain,
        template::{self, Scope},
    },
};
use patchbay_tests::encodings;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use url::Url;

fn url(text: &str) -> Url {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn sensitive(value: &str) -> Sensitive<String> {
    Sensitive::new(value.to_owned())
}

fn knowing(values: &[(&str, &str)]) -> Redactor {
    let redactor = Redactor::default();
    for (name, value) in values {
        redactor.learn(name, value);
    }
    redactor
}

/// Secrets in memory, with the given variables of the process.
fn with_environment(variables: &[(&str, &str)]) -> Secrets {
    let variables: BTreeMap<String, String> = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Secrets::new(keychain::memory(), move |name| variables.get(name).cloned())
}

fn helper(arguments: &[&str], prepare: impl FnOnce(&mut Command)) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secrets_helper"));
    command.args(arguments);
    prepare(&mut command);
    command.output().unwrap()
}
