//! The command `patchbay`, run as its user runs it.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// The command's file, as the test command of the project builds it.
///
/// # Panics
/// Without `PATCHBAY_BIN`: the test can't be left out in silence.
pub fn binary() -> PathBuf {
    std::env::var_os("PATCHBAY_BIN")
        .map_or_else(|| panic!("PATCHBAY_BIN is not set: run the tests with `cargo xtask test`"), PathBuf::from)
}

/// A workspace in a folder of its own, and a home beside it.
pub struct Desk {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// What a command came to.
#[derive(Debug)]
pub struct Ran {
    /// The exit status.
    pub status: i32,
    /// What it printed.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

impl Ran {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }

    /// The same, with this exit status.
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, status, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The same, where a load run held, or this busy machine kept it from being judged: then it says so and exits with 3.
    pub fn held_or_was_held_up(self) -> Self {
        let held_up = self.status == 3 && self.stdout.contains("inconclusive");
        assert!(self.status == 0 || held_up, "exit status {}\nstdout:\n{}\nstderr:\n{}", self.status, self.stdout, self.stderr);
        self
    }

    /// The one JSON document on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not one JSON document: {error}\n{}\n{}", self.stdout, self.stderr))
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

impl Desk {
    /// An empty workspace.
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        for name in ["workspace", "home"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        Self { folder, variables: Vec::new() }
    }

    /// The workspace.
    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    /// The folder around the workspace.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Sets a variable for the commands to come.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Writes a file into the workspace.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.workspace().join(name), text).expect("a file in the workspace");
    }

    /// The command with these words, ready to start.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(words).current_dir(self.workspace());
        // Only what it is told: no workspace, filter or proxy of the person who runs the tests.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("PATCHBAY_") || name.to_lowercase().ends_with("_proxy") {
                command.env_remove(name);
            }
        }
        command.env("HOME", self.folder.path().join("home")).env("PATCHBAY_WORKSPACE", self.workspace());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub fn run(&self, words: &[&str]) -> Ran {
        Ran::from(self.command(words).output().expect("the command starts"))
    }

    /// Runs the command with a text on its standard input.
    pub fn feed(&self, words: &[&str], input: &str) -> Ran {
        let mut child = self
            .command(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
        Ran::from(child.wait_with_output().expect("the command ends"))
    }

    /// Starts the sample service on a free port.
    pub fn sample(&self, words: &[&str]) -> RunningSample {
        let mut all = vec!["sample", "--port", "0", "--json", "--for", "5m"];
        all.extend(words);
        let mut child = self.command(&all).stdout(Stdio::piped()).spawn().expect("the command starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut document = String::new();
        while serde_json::from_str::<Value>(&document).is_err() {
            document.push_str(&lines.next().expect("the service says where it is").expect("it is text"));
        }
        let document: Value = serde_json::from_str(&document).expect("it was JSON just now");
        RunningSample { url: document["url"].as_str().expect("a url").to_owned(), child }
    }
}

/// A sample service in a process of its own. It ends when this is dropped.
pub struct RunningSample {
    /// Where it answers.
    pub url: String,
    child: Child,
}

impl Drop for RunningSample {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
