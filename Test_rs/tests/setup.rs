//! Set-up on systems other than the one that the tests run on: what `cargo xtask setup` names and what it would install.
//!
//! There is no Fedora, Arch or openSUSE here, so their package managers are stand-ins: scripts that know a few packages
//! and write down how they were called. What is real is the program that asks them. Debian's is not among these, since
//! the test command itself sets this machine up with it.
#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// The program behind `cargo xtask`, as the test command hands it on.
fn xtask() -> Command {
    let program = std::env::var_os("PATCHBAY_XTASK");
    Command::new(program.expect("PATCHBAY_XTASK is set: the tests are run with `cargo xtask test`"))
}

/// A machine whose PATH leads to stand-ins alone.
struct Machine {
    folder: TempDir,
}

struct Answer {
    status: i32,
    said: String,
}

impl Machine {
    /// With the standard library for the page, so that only packages are in question.
    fn new() -> Self {
        let machine = Self { folder: TempDir::new().expect("a folder") };
        let library = machine.folder.path().display().to_string();
        machine.program("rustc", &format!("echo '{library}'"));
        machine
    }

    /// A stand-in named `name` that runs `script`.
    fn program(&self, name: &str, script: &str) {
        let file = self.folder.path().join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("a stand-in");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it may be run");
    }

    /// A stand-in that writes down what it is asked to do.
    fn recorded(&self, name: &str) {
        self.program(name, &format!("echo \"{name} $*\" >> '{}'", self.record().display()));
    }

    /// The person is root, or is not.
    fn user(&self, number: u32) {
        self.program("id", &format!("echo {number}"));
    }

    /// `env` of the machine itself, through which set-up starts what root runs.
    fn env(&self) {
        self.program("env", "exec \"$@\"");
    }

    fn record(&self) -> PathBuf {
        self.folder.path().join("record")
    }

    fn done(&self) -> String {
        fs::read_to_string(self.record()).unwrap_or_default()
    }

    fn set_up(&self, words: &[&str]) -> Answer {
        let mut command = xtask();
        command.arg("setup").args(words).env("PATH", self.folder.path()).stdin(Stdio::null());
        let output = command.output().expect("xtask runs");
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Answer { status: output.status.code().unwrap_or(-1), said }
    }
}

/// `rpm` with these installed.
fn rpm(machine: &Machine, installed: &[&str]) {
    machine.program("rpm", &format!("case \"$3\" in {}) echo \"$3\" ;; *) exit 1 ;; esac", installed.join("|")));
}

const ON_FEDORA: [&str; 6] = ["gcc", "pkgconf-pkg-config", "webkit2gtk4.1-devel", "libsoup3-devel", "librsvg2-devel", "nginx"];

#[test]
fn fedora_is_told_by_dnf_and_only_what_is_missing_is_installed() {
    let machine = Machine::new();
    rpm(&machine, &ON_FEDORA);
    machine.recorded("dnf");
    machine.user(0);
    machine.env();

    let check = machine.set_up(&["--check"]);
    assert_eq!(check.status, 1, "{}", check.said);
    assert!(check.said.contains("this is Fedora or a relative"), "{}", check.said);
    let lacks = "building the programs: lacks libappindicator-gtk3-devel libxdo-devel dbus-devel\n";
    assert!(check.said.contains(lacks), "{}", check.said);
    assert_eq!(machine.done(), "", "a check changes nothing");

    let done = machine.set_up(&[]);
    assert_eq!(done.status, 0, "{}", done.said);
    assert_eq!(
        machine.done(),
        "dnf install -y libappindicator-gtk3-devel libxdo-devel dbus-devel /usr/bin/WebKitWebDriver \
         xorg-x11-server-Xvfb dbus-daemon dbus-tools gnome-keyring libsecret dejavu-sans-fonts /usr/bin/prometheus \
         /usr/bin/node_exporter python3\n"
    );
    let said = "installing what is missing: dnf install -y libappindicator-gtk3-devel";
    assert!(done.said.contains(said), "it says what it does: {}", done.said);
}

#[test]
fn somebody_who_is_not_root_and_can_not_be_asked_is_given_the_command() {
    let machine = Machine::new();
    rpm(&machine, &ON_FEDORA);
    machine.recorded("dnf");
    machine.recorded("sudo");
    machine.user(1000);

    let stopped = machine.set_up(&[]);
    assert_eq!(stopped.status, 3, "{}", stopped.said);
    assert!(stopped.said.contains("    sudo dnf install -y libappindicator-gtk3-devel libxdo-devel"), "{}", stopped.said);
    assert_eq!(machine.done(), "", "nothing is done without an answer");
}

#[test]
fn without_sudo_the_command_is_one_for_root() {
    let machine = Machine::new();
    rpm(&machine, &ON_FEDORA);
    machine.recorded("dnf");
    machine.user(1000);

    let stopped = machine.set_up(&[]);
    assert_eq!(stopped.status, 3, "{}", stopped.said);
    assert!(stopped.said.contains("there is no sudo. As root: dnf install -y"), "{}", stopped.said);
}

#[test]
fn a_complete_machine_is_left_alone() {
    let machine = Machine::new();
    machine.program("rpm", "exit 0");
    machine.recorded("dnf");
    machine.user(0);

    let done = machine.set_up(&[]);
    assert_eq!((done.status, machine.done().as_str()), (0, ""), "{}", done.said);
    let check = machine.set_up(&["--check"]);
    assert_eq!(check.status, 0, "{}", check.said);
}

#[test]
fn arch_is_told_by_pacman() {
    let machine = Machine::new();
    // The query is `pacman -Qq NAMES`, which fails for those it lacks and lists the others.
    let pacman = format!(
        "if [ \"$1\" = -Qq ]; then echo gcc; echo nginx; exit 1; fi\necho \"pacman $*\" >> '{}'",
        machine.record().display()
    );
    machine.program("pacman", &pacman);
    machine.user(0);
    machine.env();

    let done = machine.set_up(&[]);
    assert_eq!(done.status, 0, "{}", done.said);
    assert_eq!(
        machine.done(),
        "pacman -S --needed --noconfirm pkgconf webkit2gtk-4.1 libsoup3 librsvg libappindicator-gtk3 xdotool dbus \
         webkitgtk-6.0 xorg-server-xvfb dbus gnome-keyring libsecret ttf-dejavu prometheus prometheus-node-exporter python\n"
    );
}

#[test]
fn opensuse_is_told_by_zypper() {
    let machine = Machine::new();
    rpm(&machine, &["gcc"]);
    machine.recorded("zypper");
    machine.user(0);
    machine.env();

    let done = machine.set_up(&[]);
    assert_eq!(done.status, 0, "{}", done.said);
    let begins = "zypper --non-interactive install pkgconf-pkg-config webkit2gtk3-devel libsoup-devel librsvg-devel";
    assert!(machine.done().starts_with(begins), "{}", machine.done());
}

#[test]
fn an_installation_that_fails_ends_set_up_with_its_status() {
    let machine = Machine::new();
    rpm(&machine, &ON_FEDORA);
    machine.program("dnf", "exit 7");
    machine.user(0);
    machine.env();

    let stopped = machine.set_up(&[]);
    assert_eq!(stopped.status, 7, "{}", stopped.said);
    assert!(stopped.said.contains("ended with exit status: 7"), "{}", stopped.said);
}

#[test]
fn a_system_that_set_up_does_not_know_is_left_to_the_build() {
    let machine = Machine::new();
    let check = machine.set_up(&["--check"]);
    assert!(check.said.contains("this is a system that set-up does not know"), "{}", check.said);
}

#[test]
fn every_system_s_needs_can_be_asked_for() {
    let machine = Machine::new();
    let on = |system: &str| {
        let answer = machine.set_up(&["--on", system]);
        assert_eq!(answer.status, 0, "{}", answer.said);
        answer.said
    };
    for (system, words) in [
        ("debian", ["apt-get install -y --no-install-recommends gcc", "libwebkit2gtk-4.1-dev", "webkit2gtk-driver"]),
        ("fedora", ["dnf install -y gcc", "webkit2gtk4.1-devel", "/usr/bin/WebKitWebDriver"]),
        ("arch", ["pacman -S --needed --noconfirm gcc", "webkit2gtk-4.1", "webkitgtk-6.0"]),
        ("suse", ["zypper --non-interactive install gcc", "webkit2gtk3-devel", "/usr/bin/WebKitWebDriver"]),
        ("macos", ["xcode-select --install", "brew install nginx prometheus node_exporter", "window tests are left out"]),
        ("windows", ["Microsoft.VisualStudio.2022.BuildTools", "Microsoft.EdgeWebView2Runtime", "window tests are left out"]),
    ] {
        let said = on(system);
        for word in words.into_iter().chain(["building the page: "]) {
            assert!(said.contains(word), "{system} lacks `{word}` in\n{said}");
        }
        assert_eq!(said.matches("window tests: ").count(), 1, "{said}");
    }
}

#[test]
fn an_unknown_system_is_refused_with_those_that_are_known() {
    let machine = Machine::new();
    let refused = machine.set_up(&["--on", "solaris"]);
    assert_eq!(refused.status, 2, "{}", refused.said);
    let known = "no system `solaris`. Those that it knows: debian, fedora, arch, suse, macos, windows.";
    assert!(refused.said.contains(known), "{}", refused.said);
}
