//! The rules about what depends on what, and what may come in from outside.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

/// Which of our crates each crate may depend on, and which foreign crates it must not reach, even through others.
const ARROWS: [(&str, &[&str], &[&str]); 8] = [
    ("patchbay-contracts", &[], &["tokio", "reqwest", "sqlx", "tauri", "clap", "keyring"]),
    ("patchbay-load", &["patchbay-contracts"], &["sqlx", "keyring", "reqwest", "tauri", "clap"]),
    ("patchbay-engine", &["patchbay-contracts", "patchbay-load"], &["tauri", "clap"]),
    ("patchbay-cli", &["patchbay-contracts", "patchbay-engine"], &["tauri"]),
    ("patchbay-desktop", &["patchbay-contracts", "patchbay-engine"], &["clap"]),
    ("patchbay-frontend", &["patchbay-contracts"], &["reqwest", "sqlx", "tauri", "clap", "keyring"]),
    ("patchbay-tests", &["patchbay-contracts", "patchbay-engine", "patchbay-frontend", "patchbay-load"], &["tauri", "clap"]),
    ("xtask", &[], &["tokio"]),
];

/// What one crate depends on.
#[derive(Default)]
pub struct Reach {
    /// By its own manifest, of any kind.
    pub direct: BTreeSet<String>,
    /// In a build, through others too.
    pub all: BTreeSet<String>,
}

/// The whole tree of dependencies: of every platform where those are or can be fetched, else of this one.
pub fn metadata() -> Value {
    let ask = |more: &[&str]| -> Option<Value> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["metadata", "--format-version", "1", "--locked"]).args(more).current_dir(crate::root());
        let output = command.output().expect("cargo runs this test, so it can be started");
        output.status.success().then(|| serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON"))
    };
    let host = || {
        let printed = Command::new("rustc").args(["--print", "host-tuple"]).output().ok()?;
        Some(String::from_utf8_lossy(&printed.stdout).trim().to_owned())
    };
    ask(&["--offline"])
        .or_else(|| ask(&[]))
        .or_else(|| ask(&["--offline", "--filter-platform", &host()?]))
        .expect("`cargo metadata --locked` answers where the workspace builds. Does Cargo.lock fit the manifests?")
}

/// Our crates, each with what it depends on.
pub fn reaches(metadata: &Value) -> BTreeMap<String, Reach> {
    let names: BTreeMap<&str, &str> =
        list(&metadata["packages"]).iter().map(|package| (text(&package["id"]), text(&package["name"]))).collect();
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        // A kind of null is a dependency of the program, and not of its tests or its build script.
        let built_in = |edge: &&Value| list(&edge["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
        next.insert(text(&node["id"]), list(&node["deps"]).iter().filter(built_in).map(|edge| text(&edge["pkg"])).collect());
    }
    let members: BTreeSet<&str> = list(&metadata["workspace_members"]).iter().map(text).collect();
    let ours = list(&metadata["packages"]).iter().filter(|package| members.contains(text(&package["id"])));
    ours.map(|package| {
        let direct = list(&package["dependencies"]).iter().map(|edge| text(&edge["name"]).to_owned()).collect();
        let mut all = BTreeSet::new();
        let mut open = vec![text(&package["id"])];
        while let Some(id) = open.pop() {
            for other in next.get(id).into_iter().flatten() {
                if all.insert(names[other].to_owned()) {
                    open.push(other);
                }
            }
        }
        (text(&package["name"]).to_owned(), Reach { direct, all })
    })
    .collect()
}

/// Every crate knows only those that it is meant to know.
pub fn wrong_arrows(reaches: &BTreeMap<String, Reach>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, reach) in reaches {
        let Some((_, ours, never)) = ARROWS.iter().find(|(known, ..)| known == name) else {
            found.push(format!("{name} is a new crate: say in ARROWS of Test_rs/tests/tidy/crates.rs what it may know."));
            continue;
        };
        for other in reach.direct.iter().filter(|other| reaches.contains_key(*other) && !ours.contains(&other.as_str())) {
            found.push(format!("{name} depends on {other}, which is not among the crates that it may know."));
        }
        for foreign in never.iter().filter(|foreign| reach.all.contains(**foreign)) {
            found.push(format!("{name} reaches {foreign}, which it is to know nothing of. Move that to another crate."));
        }
    }
    found
}

/// Every package from outside has a licence on the list and comes from the one registry.
pub fn unwelcome(metadata: &Value, allowed: &BTreeSet<String>) -> Vec<String> {
    let members: BTreeSet<&str> = list(&metadata["workspace_members"]).iter().map(text).collect();
    let foreign = || list(&metadata["packages"]).iter().filter(|package| !members.contains(text(&package["id"])));
    let mut found = Vec::new();
    let mut registries = BTreeSet::new();
    for package in foreign() {
        let (name, licence, source) = (text(&package["name"]), text(&package["license"]), text(&package["source"]));
        if !acceptable(licence, allowed) {
            found.push(format!("{name} is under `{licence}`, which the list in deny.toml does not have."));
        }
        if source.starts_with("registry+") {
            registries.insert(source);
        } else {
            found.push(format!("{name} comes from `{source}` and not from the registry."));
        }
    }
    if registries.len() > 1 {
        found.push(format!("packages come from more than one registry: {registries:?}"));
    }
    found
}

/// Whether an SPDX expression can be met with licences of `allowed` alone.
/// <https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/>
pub fn acceptable(expression: &str, allowed: &BTreeSet<String>) -> bool {
    // Some old crates write a slash for OR. An exception belongs to the licence before it.
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ").replace(" WITH ", "+WITH+");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    any_of(&words, &mut at, allowed) && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut holds = all_of(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        holds |= all_of(words, at, allowed);
    }
    holds
}

fn all_of(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut holds = one_licence(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        holds &= one_licence(words, at, allowed);
    }
    holds
}

fn one_licence(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let word = words.get(*at).copied().unwrap_or_default();
    *at += 1;
    if word != "(" {
        return allowed.contains(&word.replace("+WITH+", " WITH "));
    }
    let holds = any_of(words, at, allowed);
    *at += 1; // the closing bracket
    holds
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
