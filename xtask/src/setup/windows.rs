//! What Windows has to bring along, which no package manager of its own installs for everybody.
//!
//! Only names things. Visual Studio's installer is several gigabytes of somebody's disk, and asks what to take itself.

use crate::process::{find, output};
use std::process::Command;

/// The compiler and linker that Rust's usual toolchain on Windows wants, and the command that gets them.
pub const COMPILER: &str = "winget install --exact --id Microsoft.VisualStudio.2022.BuildTools --override \
    \"--wait --passive --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended\"";

/// The web view. Windows 11 comes with it, and Windows 10 gets it with Edge.
pub const WEB_VIEW: &str = "winget install --exact --id Microsoft.EdgeWebView2Runtime";

/// What is said of the servers.
pub const SERVERS: &str =
    "nginx, prometheus, windows_exporter and Python from their makers' archives, unpacked into a folder of PATH";

/// Where each installation of Visual Studio 2017 or later registers itself.
const VISUAL_STUDIO: &str = r"C:\Program Files (x86)\Microsoft Visual Studio\Installer\vswhere.exe";

/// Where the web view's updater notes which version is installed, for everybody or for one person.
/// As in Microsoft's "Distribute your app and the WebView2 Runtime".
const WEB_VIEW_KEYS: [&str; 3] = [
    r"HKLM\SOFTWARE\WOW6432Node\Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}",
    r"HKLM\SOFTWARE\Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}",
    r"HKCU\Software\Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}",
];

/// The commands that get what is not there.
pub fn missing() -> Vec<String> {
    let component = "Microsoft.VisualStudio.Component.VC.Tools.x86.x64";
    let query = ["-latest", "-products", "*", "-requires", component, "-property", "installationPath"];
    let visual_studio = output(Command::new(VISUAL_STUDIO).args(query)).is_some_and(|folder| !folder.is_empty());
    // A shell of Visual Studio has the linker in its PATH, and the toolchain for MinGW brings a linker of its own.
    let compiler = visual_studio || find("link").is_some() || find("gcc").is_some();
    let web_view = WEB_VIEW_KEYS.iter().any(|key| output(Command::new("reg").args(["query", key, "/v", "pv"])).is_some());
    let found = [(compiler, COMPILER), (web_view, WEB_VIEW)];
    found.iter().filter(|(there, _)| !there).map(|(_, command)| (*command).to_owned()).collect()
}
