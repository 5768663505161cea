//! Holds the repository to the rules that it sets itself: how long things are, where tests stand, which crate knows
//! which, what may come in from outside. A rule is a function from a text or a tree to what it found, and beside each
//! use of a rule stands a test that shows it finding something.

mod crates;
mod text;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crates::Reach;
use serde_json::json;
use text::Rule;

/// What stands at the top of the repository. What `.gitignore` names there may stand beside it.
const TOP: [&str; 22] = [
    ".cargo",
    ".ci",
    ".editorconfig",
    ".git",
    ".gitattributes",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "Test_rs",
    "contracts",
    "deny.toml",
    "frontend",
    "icons",
    "rustfmt.toml",
    "src-tauri",
    "xtask",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate stands in a folder of the repository").to_path_buf()
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name} can't be read: {error}"))
}

/// Every file with the ending `ending` in our folders, by its path from the top.
fn files(ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = ["contracts", "src-tauri", "frontend", "Test_rs", "xtask"].map(|name| root().join(name)).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|own| own == ending) {
                found.push(path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

fn nothing_found(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

fn no_source_breaks(rule: Rule) {
    let sources = files("rs");
    assert!(sources.len() > 40, "only {} files were found, so this test looks in the wrong place", sources.len());
    nothing_found(sources.iter().flat_map(|file| rule(file, &read(file))).collect());
}

/// `rule` finds something `times` times in `text`, if it stood in an ordinary crate.
#[track_caller]
fn check(rule: Rule, text: &str, times: usize) {
    let found = rule("src-tauri/engine/src/some.rs", text);
    assert_eq!(found.len(), times, "in {text:?} it found {found:?}");
}

#[test]
fn no_file_is_too_long() {
    check(text::long_file, &"//\n".repeat(600), 0);
    check(text::long_file, &"//\n".repeat(601), 1);
    no_source_breaks(text::long_file);
    let styles = files("css");
    assert!(styles.len() > 5, "only {} style sheets were found, so this test looks in the wrong place", styles.len());
    nothing_found(styles.iter().flat_map(|file| text::long_file(file, &read(file))).collect());
}

#[test]
fn no_body_is_too_long() {
    let lines = |count: usize| "let a = 1;\n".repeat(count);
    let rule: Rule = text::long_bodies;
    check(rule, &format!("fn a() {{\n{}}}", lines(150)), 0);
    check(rule, &format!("fn a() {{\n{}}}", lines(151)), 1);
    check(rule, &format!("impl A {{ async fn a() {{\n{}}} }}", lines(151)), 1);
    check(rule, &format!("trait A {{ fn a() {{\n{}}} fn b(); }}", lines(151)), 1);
    check(rule, &format!("mod m {{ fn a() {{ fn b() {{\n{}}} }} }}", lines(151)), 2);
    no_source_breaks(rule);
}

#[test]
fn tests_stand_in_their_folder() {
    let rule: Rule = text::misplaced_tests;
    check(rule, "#[test] fn a() {}", 1);
    check(rule, "#[tokio::test(flavor = \"multi_thread\")] async fn a() {}", 1);
    check(rule, "#[cfg(test)] mod tests { #[test] fn a() {} }", 2);
    check(rule, "#[cfg_attr(all(unix, test), allow(dead_code))] fn a() {}", 1);
    check(rule, "#![cfg(test)]", 1);
    check(rule, "/// A #[test] in words.\n#[cfg(unix)] #[derive(Debug)] struct A; fn b() { vec![test]; }", 0);
    no_source_breaks(rule);
}

#[test]
fn nothing_panics_without_a_reason() {
    let rule: Rule = text::panics;
    check(rule, "fn a() { b.unwrap(); }", 1);
    check(rule, "fn a() { html! { <p>{ b.unwrap() }</p> } }", 1);
    check(rule, "fn a() { b.expect(\"works\"); }", 1);
    check(rule, "fn a() { b.expect(\"a constant that parses\"); c.unwrap_or(1); d.expect(Token::Comma); }", 0);
    check(rule, "// .unwrap()\nfn a() { \".unwrap()\"; }", 0);
    no_source_breaks(rule);
}

#[test]
fn nothing_is_left_unfinished() {
    let rule: Rule = text::unfinished;
    check(rule, "fn a() { todo!() }", 1);
    check(rule, "fn a() { b(|| unimplemented!(\"later\")); dbg!(1); }", 2);
    check(rule, concat!("// FIX", "ME: later"), 1);
    check(rule, "fn a() { let todo = \"todo!()\"; }", 0);
    no_source_breaks(rule);
}

#[test]
fn every_crate_knows_only_whom_it_may() {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let check = |name: &str, direct: &[&str], all: &[&str], times: usize| {
        let mut reaches: BTreeMap<String, Reach> =
            ["patchbay-contracts", "patchbay-engine", "patchbay-cli"].map(|ours| (ours.to_owned(), Reach::default())).into();
        reaches.insert(name.to_owned(), Reach { direct: set(direct), all: set(all) });
        let found = crates::wrong_arrows(&reaches);
        assert_eq!(found.len(), times, "{name} with {direct:?} and {all:?}: {found:?}");
    };
    check("patchbay-engine", &["patchbay-contracts", "serde"], &["patchbay-contracts", "serde", "tokio"], 0);
    check("patchbay-contracts", &["patchbay-engine"], &["patchbay-engine"], 1);
    check("patchbay-tests", &["patchbay-cli"], &["patchbay-cli", "clap"], 2);
    check("patchbay-load", &["patchbay-contracts"], &["patchbay-contracts", "sqlx"], 1);
    check("patchbay-new", &[], &[], 1);

    let reaches = crates::reaches(&crates::metadata());
    assert!(reaches["patchbay-desktop"].all.contains("patchbay-load"), "what a crate reaches through others is missing");
    nothing_found(crates::wrong_arrows(&reaches));
}

#[test]
fn what_comes_in_is_welcome() {
    let allowed: BTreeSet<String> = ["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
    for (expression, welcome) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND Zlib", true),
        ("(MIT AND GPL-3.0) OR BSD-2-Clause", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0", false),
    ] {
        assert_eq!(crates::acceptable(expression, &allowed), welcome, "{expression}");
    }
    let package = |id: &str, source: &str| json!({ "id": id, "name": id, "license": "MIT", "source": source });
    let of = |packages: &[serde_json::Value]| json!({ "workspace_members": ["ours"], "packages": packages });
    let one = package("one", "registry+https://example.test/a");
    assert_eq!(crates::unwelcome(&of(&[package("ours", ""), one.clone()]), &allowed).len(), 0);
    assert_eq!(crates::unwelcome(&of(&[package("fork", "git+https://example.test/b")]), &allowed).len(), 1);
    assert_eq!(crates::unwelcome(&of(&[one.clone(), package("two", "registry+https://example.test/b")]), &allowed).len(), 1);

    let deny: toml::Table = read("deny.toml").parse().expect("deny.toml is TOML");
    let list = deny["licenses"]["allow"].as_array().expect("deny.toml lists the licences that are allowed");
    let allowed = list.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
    nothing_found(crates::unwelcome(&crates::metadata(), &allowed));
}

#[test]
fn the_top_of_the_repository_has_what_belongs_there() {
    let ignored = read(".gitignore");
    let may_stand = |name: &str| {
        let plain = ignored.lines().map(|line| line.trim_matches('/'));
        TOP.contains(&name) || plain.into_iter().any(|line| line == name)
    };
    assert!(may_stand("target") && !may_stand("scratch"), "the rule tells nothing apart");
    let names = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    nothing_found(
        names
            .filter(|name| !may_stand(name))
            .map(|name| format!("`{name}` has no place at the top of the repository."))
            .collect(),
    );
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let takes = |manifest: &str| {
        let table: toml::Table = manifest.parse().expect("cargo reads this manifest, so it is TOML");
        table.get("lints").is_some_and(|lints| lints["workspace"].as_bool() == Some(true))
    };
    assert!(!takes("[package]\nname = \"a\"") && takes("[lints]\nworkspace = true"), "the rule tells nothing apart");
    let without = files("toml").into_iter().filter(|file| file.ends_with("/Cargo.toml") && !takes(&read(file)));
    nothing_found(without.map(|file| format!("{file} lacks `[lints] workspace = true`.")).collect());
}

#[test]
fn the_page_and_its_binder_speak_of_one_version() {
    let lock: toml::Table = read("Cargo.lock").parse().expect("Cargo.lock is TOML");
    let packages = lock["package"].as_array().expect("Cargo.lock lists packages");
    let versions = |name: &str| -> Vec<&str> {
        packages.iter().filter(|package| package["name"].as_str() == Some(name)).filter_map(|p| p["version"].as_str()).collect()
    };
    let bound = versions("wasm-bindgen");
    assert_eq!(bound.len(), 1, "the page can be bound to one wasm-bindgen only, and Cargo.lock has {bound:?}");
    assert_eq!(bound, versions("wasm-bindgen-cli-support"), "xtask refuses to bind a page that was built with another version");
}
