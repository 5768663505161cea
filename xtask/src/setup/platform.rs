//! What the packages are called on each system, and how to ask which of them are there.

use super::{Need, windows};
use crate::failure::{Failure, Outcome};
use crate::process::{find, output, run};
use std::collections::HashSet;
use std::process::{Command, Stdio};

/// A family of systems with one package manager.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Platform {
    /// Debian, Ubuntu and what derives from them. The one that the project's own tests run on.
    Debian,
    /// Fedora and its relatives.
    Fedora,
    /// Arch Linux and its relatives.
    Arch,
    /// openSUSE.
    Suse,
    /// macOS, where the system brings the web view and the keychain.
    MacOs,
    /// Windows, likewise.
    Windows,
    /// A system that set-up does not know.
    Other,
}

impl Platform {
    /// Those that set-up knows, by the word for each on the command line.
    pub const NAMED: [(&str, Platform); 6] = [
        ("debian", Platform::Debian),
        ("fedora", Platform::Fedora),
        ("arch", Platform::Arch),
        ("suse", Platform::Suse),
        ("macos", Platform::MacOs),
        ("windows", Platform::Windows),
    ];

    /// By the package manager rather than by the name, of which there are many more.
    pub fn detect() -> Self {
        if cfg!(target_os = "macos") {
            return Platform::MacOs;
        }
        if cfg!(windows) {
            return Platform::Windows;
        }
        let known =
            [("dpkg-query", Platform::Debian), ("dnf", Platform::Fedora), ("pacman", Platform::Arch), ("zypper", Platform::Suse)];
        known.iter().find(|(program, _)| find(program).is_some()).map_or(Platform::Other, |(_, platform)| *platform)
    }

    /// For messages.
    pub fn name(self) -> &'static str {
        match self {
            Platform::Debian => "Debian or a relative",
            Platform::Fedora => "Fedora or a relative",
            Platform::Arch => "Arch Linux or a relative",
            Platform::Suse => "openSUSE",
            Platform::MacOs => "macOS",
            Platform::Windows => "Windows",
            Platform::Other => "a system that set-up does not know",
        }
    }

    /// The packages for `need`. Where a name differs between releases, the names stand side by side: `old|new`.
    fn packages(self, need: Need) -> &'static [&'static str] {
        match (self, need) {
            (Platform::Debian, Need::Build) => &[
                "gcc",
                "libc6-dev",
                "pkg-config|pkgconf",
                "libwebkit2gtk-4.1-dev",
                "libsoup-3.0-dev",
                "librsvg2-dev",
                "libayatana-appindicator3-dev",
                "libxdo-dev",
                "libdbus-1-dev",
            ],
            (Platform::Debian, Need::PageCompiler) => &["rustc-web", "cargo-web", "rust-web-src"],
            (Platform::Debian, Need::Window) => &[
                "webkit2gtk-driver|webkitgtk-webdriver",
                "xvfb",
                "dbus",
                "gnome-keyring",
                "libsecret-tools",
                "fonts-dejavu-core",
            ],
            // Python brings k6, as a package of its own.
            (Platform::Debian, Need::Servers) => &["nginx", "prometheus", "prometheus-node-exporter", "python3-venv"],
            (Platform::Debian, Need::Drawing) => &["librsvg2-bin"],

            // Fedora and openSUSE name packages after programs and libraries in many ways, but let a file be asked for.
            // WebKit's driver comes with the library for GTK 4 there, and drives the one for GTK 3 as well.
            (Platform::Fedora, Need::Build) => &[
                "gcc",
                "pkgconf-pkg-config",
                "webkit2gtk4.1-devel",
                "libsoup3-devel",
                "librsvg2-devel",
                "libappindicator-gtk3-devel",
                "libxdo-devel",
                "dbus-devel",
            ],
            (Platform::Fedora, Need::PageCompiler) => &["rust-std-static-wasm32-unknown-unknown"],
            (Platform::Fedora, Need::Window) => &[
                "/usr/bin/WebKitWebDriver",
                "xorg-x11-server-Xvfb",
                "dbus-daemon",
                "dbus-tools",
                "gnome-keyring",
                "libsecret",
                "dejavu-sans-fonts",
            ],
            (Platform::Fedora, Need::Servers) => &["nginx", "/usr/bin/prometheus", "/usr/bin/node_exporter", "python3"],
            (Platform::Fedora, Need::Drawing) => &["librsvg2-tools"],

            (Platform::Arch, Need::Build) => {
                &["gcc", "pkgconf", "webkit2gtk-4.1", "libsoup3", "librsvg", "libappindicator-gtk3", "xdotool", "dbus"]
            }
            (Platform::Arch, Need::PageCompiler) => &["rust-wasm"],
            (Platform::Arch, Need::Window) => {
                &["webkitgtk-6.0", "xorg-server-xvfb", "dbus", "gnome-keyring", "libsecret", "ttf-dejavu"]
            }
            (Platform::Arch, Need::Servers) => &["nginx", "prometheus", "prometheus-node-exporter", "python"],
            (Platform::Arch, Need::Drawing) => &["librsvg"],

            (Platform::Suse, Need::Build) => &[
                "gcc",
                "pkgconf-pkg-config",
                "webkit2gtk3-devel",
                "libsoup-devel",
                "librsvg-devel",
                "libappindicator3-devel",
                "xdotool-devel",
                "dbus-1-devel",
            ],
            (Platform::Suse, Need::Window) => &[
                "/usr/bin/WebKitWebDriver",
                "xorg-x11-server-Xvfb",
                "/usr/bin/dbus-daemon",
                "/usr/bin/dbus-send",
                "gnome-keyring",
                "/usr/bin/secret-tool",
                "dejavu-fonts",
            ],
            (Platform::Suse, Need::Servers) => &["nginx", "/usr/bin/prometheus", "/usr/bin/node_exporter", "python3"],
            (Platform::Suse, Need::Drawing) => &["/usr/bin/rsvg-convert"],

            (Platform::MacOs, Need::Servers) => &["nginx", "prometheus", "node_exporter", "python"],
            (Platform::MacOs, Need::Drawing) => &["librsvg"],

            (Platform::Windows, Need::Build) => &[windows::COMPILER, windows::WEB_VIEW],
            (Platform::MacOs | Platform::Windows | Platform::Other, _) | (_, Need::PageCompiler) => &[],
        }
    }

    /// What there is to do for `needs` on a machine that has nothing yet, as lines to read or to paste.
    pub fn instructions(self, needs: &[Need]) -> Vec<String> {
        let mut lines = Vec::new();
        for need in needs {
            let packages: Vec<&str> = self.packages(*need).iter().map(|entry| entry.split('|').next().unwrap_or(entry)).collect();
            let mut commands = match self.installer() {
                Some(installer) if !packages.is_empty() => vec![format!("{} {}", installer.join(" "), packages.join(" "))],
                _ => packages.iter().map(|package| (*package).to_owned()).collect(),
            };
            match (self, need) {
                (Platform::MacOs, Need::Build) => commands.push(DEVELOPER_TOOLS.join(" ")),
                (Platform::Windows, Need::Servers) => commands.push(windows::SERVERS.to_owned()),
                (Platform::MacOs | Platform::Windows, Need::Window) => {
                    commands.push("no packages: WebKit's driver exists on Linux only, so window tests are left out".to_owned());
                }
                _ => {}
            }
            if commands.is_empty() {
                commands.push("nothing that set-up knows of".to_owned());
            }
            lines.extend(commands.into_iter().map(|command| format!("{}: {command}", need.purpose())));
        }
        lines
    }

    /// What of `needs` is not installed, as names to give to the package manager.
    ///
    /// On a system that set-up does not know this is nothing: the build itself then says what it lacks.
    pub fn missing(self, needs: &[Need]) -> Outcome<Vec<String>> {
        if self == Platform::MacOs && needs.contains(&Need::Build) {
            developer_tools()?;
        }
        if self == Platform::Windows {
            return Ok(if needs.contains(&Need::Build) { windows::missing() } else { Vec::new() });
        }
        let wanted: Vec<&str> = needs.iter().flat_map(|need| self.packages(*need)).copied().collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<&str> = wanted.iter().flat_map(|entry| entry.split('|')).collect();
        let installed = self.installed(&names);
        let absent = wanted.iter().filter(|entry| !entry.split('|').any(|name| installed.contains(name)));
        Ok(absent.map(|entry| self.choose(entry).to_owned()).collect())
    }

    fn installed(self, names: &[&str]) -> HashSet<String> {
        let query: &[&str] = match self {
            Platform::Debian => &["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package}\n"],
            Platform::Fedora | Platform::Suse => {
                let provided = |name: &&&str| output(Command::new("rpm").args(["-q", "--whatprovides", name])).is_some();
                return names.iter().filter(provided).map(|name| (*name).to_owned()).collect();
            }
            Platform::Arch => &["pacman", "-Qq"],
            Platform::MacOs => &["brew", "list", "--formula", "-1"],
            Platform::Windows | Platform::Other => return HashSet::new(),
        };
        let mut command = Command::new(query[0]);
        command.args(&query[1..]).stderr(Stdio::null());
        if self != Platform::MacOs {
            command.args(names);
        }
        // Each of these exits non-zero when one name of several is not installed, and still prints the others.
        let Ok(answer) = command.output() else { return HashSet::new() };
        String::from_utf8_lossy(&answer.stdout)
            .lines()
            // Debian keeps a removed package's name, with a state whose second letter is not `i` for installed.
            .filter(|line| self != Platform::Debian || line.as_bytes().get(1) == Some(&b'i'))
            .filter_map(|line| line.split_whitespace().last())
            .map(str::to_owned)
            .collect()
    }

    /// Of names that stand side by side, the one that this release has.
    fn choose(self, entry: &str) -> &str {
        let mut names = entry.split('|');
        let first = names.next().unwrap_or(entry);
        if self != Platform::Debian || !entry.contains('|') {
            return first;
        }
        let offered = |name: &&str| output(Command::new("apt-cache").args(["show", name])).is_some();
        std::iter::once(first).chain(names).find(offered).unwrap_or(first)
    }

    /// The command that installs, before the names of the packages.
    pub fn installer(self) -> Option<&'static [&'static str]> {
        match self {
            Platform::Debian => Some(&["apt-get", "install", "-y", "--no-install-recommends"]),
            Platform::Fedora => Some(&["dnf", "install", "-y"]),
            Platform::Arch => Some(&["pacman", "-S", "--needed", "--noconfirm"]),
            Platform::Suse => Some(&["zypper", "--non-interactive", "install"]),
            Platform::MacOs => Some(&["brew", "install"]),
            Platform::Windows | Platform::Other => None,
        }
    }
}

/// Apple's own installer of a compiler and a linker. It opens a window and comes back at once.
const DEVELOPER_TOOLS: [&str; 2] = ["xcode-select", "--install"];

fn developer_tools() -> Outcome {
    if output(Command::new("xcode-select").arg("-p")).is_some() {
        return Ok(());
    }
    run(Command::new(DEVELOPER_TOOLS[0]).arg(DEVELOPER_TOOLS[1]))?;
    Err(Failure::cannot("Apple's developer tools are being installed in a window. Start again when it has finished."))
}
