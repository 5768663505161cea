//! What this machine has and lacks.

use patchbay_contracts::workspace::{DoctorReport, Finding};

use super::Engine;

impl Engine {
    pub(super) fn look_at_machine(&self) -> DoctorReport {
        let keychain = self.0.secrets.state();
        let entries = self.0.workspace.entries();
        let broken = entries.iter().filter(|entry| !entry.parsed.problems.is_empty()).count();
        let read_only = self.0.workspace.read_only();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let roots = crate::http::root_certificates();
        let display =
            !cfg!(target_os = "linux") || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
        let finding = |name: &str, ok: Option<bool>, found: String, next: &str| Finding {
            name: name.to_owned(),
            ok,
            found,
            next: if ok == Some(true) { String::new() } else { next.to_owned() },
        };
        DoctorReport {
            findings: vec![
                finding("Patchbay", Some(true), format!("{} on {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS), ""),
                finding(
                    "Workspace",
                    Some(read_only.is_none()),
                    self.0.workspace.dir().display().to_string(),
                    "Make the folder writable, or choose another with --workspace; results go to your own data folder meanwhile",
                ),
                finding(
                    "Integrations",
                    Some(broken == 0),
                    format!("{} files, {broken} with mistakes", entries.len()),
                    "`patchbay list` names each mistake with its place",
                ),
                finding("Database", Some(true), self.0.store.location().to_owned(), ""),
                finding(
                    "Keychain",
                    Some(keychain.available),
                    keychain.detail,
                    "Start a Secret Service (gnome-keyring, KWallet, KeePassXC), or set PATCHBAY_SECRET_<NAME> in the environment",
                ),
                finding(
                    "Root certificates",
                    Some(roots > 0),
                    format!("{roots} trusted issuers"),
                    "Install the system's CA certificates (Debian: ca-certificates)",
                ),
                finding("Processors", None, cores.to_string(), ""),
                finding(
                    "Display",
                    if display { Some(true) } else { None },
                    if display { "a window can be opened" } else { "none" }.to_owned(),
                    "The command line does all that the window does",
                ),
            ],
        }
    }
}
