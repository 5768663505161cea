//! A manifest for k6-operator: the script in a ConfigMap, and the TestRun that starts it.

use std::fmt::Write;

use patchbay_contracts::{Code, Problem};

use super::{Exported, js, script::Script};
use crate::Result;

/// The most pods that share a load.
const MOST_PODS: u32 = 1000;
/// The largest script that a ConfigMap takes, with room for the rest of it: Kubernetes allows 1 MiB.
const LARGEST_SCRIPT: usize = 1_000_000;
/// The longest name of an object that pods are named after, with room for what k6-operator appends.
const LONGEST_NAME: usize = 40;

/// The number of pods that was asked for; one without a word.
pub(super) fn pods(asked: Option<u32>) -> Result<u32> {
    match asked.unwrap_or(1) {
        pods @ 1..=MOST_PODS => Ok(pods),
        pods => Err(Problem::new(Code::InvalidInput, format!("A load can't be shared by {pods} pods"))
            .why(format!("there are at least 1 and at most {MOST_PODS}"))),
    }
}

/// Writes the manifest of a script.
pub(super) fn write(name: &str, script: Script, pods: u32) -> Result<Exported> {
    let Script { text: script, mut notes, variables, http1 } = script;
    if script.len() > LARGEST_SCRIPT {
        return Err(Problem::new(Code::TooLarge, format!("The script has {} bytes, with its data files", script.len()))
            .why("a ConfigMap, which k6-operator has it from, takes 1 MiB")
            .next("Take a smaller data file, or export the script alone and put it on a volume"));
    }
    if pods > 1 {
        notes.push(format!(
            "Each of the {pods} pods does its share of the load and judges it by itself: bounds on counts and rates are divided \
             by {pods}, and each pod's summary is one of its share."
        ));
    }
    let object = object_name(name);
    let mut text = String::new();
    text.push_str(&comment(&format!(
        "The load plan of {name} for k6-operator, written by Patchbay {}.",
        env!("CARGO_PKG_VERSION")
    )));
    text.push_str("#\n# Start it:      kubectl apply -f FILE\n");
    text.push_str("# Its summary:   kubectl logs POD | grep '^{\"' > summary.json\n");
    text.push_str("# Read it back:  patchbay load NAME --from-k6 summary.json\n");
    if !variables.is_empty() {
        text.push_str("#\n# Secrets come from a Secret of the cluster, which is made once, with the values in place of …:\n");
        let literals: Vec<String> = variables.iter().map(|variable| format!("--from-literal={variable}=…")).collect();
        let _ = writeln!(text, "#   kubectl create secret generic {object} {}", literals.join(" "));
    }
    text.push_str("#\n# What is different from a run of Patchbay's own:\n");
    for note in &notes {
        text.push_str(&comment(&format!("- {note}")));
    }
    let _ = write!(
        text,
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {object}\ndata:\n  script.js: |\n{}---\n",
        indented(&script, 4)
    );
    let _ = write!(
        text,
        "apiVersion: k6.io/v1alpha1\nkind: TestRun\nmetadata:\n  name: {object}\nspec:\n  parallelism: {pods}\n  script:\n    \
         configMap:\n      name: {object}\n      file: script.js\n  arguments: --no-usage-report\n"
    );
    for role in ["initializer", "runner"] {
        let _ = write!(text, "  {role}:\n    env:\n      - name: PATCHBAY_SUMMARY\n        value: \"-\"\n");
        if http1 {
            text.push_str("      - name: GODEBUG\n        value: \"http2client=0\"\n");
        }
        for variable in &variables {
            let _ = write!(
                text,
                "      - name: {variable}\n        valueFrom:\n          secretKeyRef:\n            name: {object}\n            \
                 key: {variable}\n"
            );
        }
    }
    Ok(Exported { text, notes, variables })
}

/// Lines of comment in YAML.
fn comment(text: &str) -> String {
    js::comment(text, "", "  ").lines().map(|line| format!("#{}\n", line.trim_start_matches("//"))).collect()
}

/// A block of YAML; the script has line ends and characters that are shown, and nothing else.
fn indented(text: &str, by: usize) -> String {
    let mut block = String::with_capacity(text.len() + text.len() / 8);
    for line in text.lines() {
        if !line.is_empty() {
            block.extend(std::iter::repeat_n(' ', by));
            block.push_str(line);
        }
        block.push('\n');
    }
    block
}

/// A name as Kubernetes takes it: lower case, digits and hyphens, with a letter in front (RFC 1123).
fn object_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let own: String = name.chars().map(plain).take(LONGEST_NAME).collect();
    format!("patchbay-{}", own.trim_matches('-')).trim_end_matches('-').to_owned()
}
