//! The workspace: a folder of integration files, and what the program knows of each.

use serde::{Deserialize, Serialize};

use crate::{
    Problem, Timestamp,
    health::{Incident, Status},
    integration::Integration,
    secret::KeychainState,
};

/// An integration in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntegrationSummary {
    /// Its name; the file's name where the file can't be read.
    pub name: String,
    /// Its file, relative to the workspace.
    pub file: String,
    /// The kind of system.
    pub system: String,
    /// The address in the chosen environment; empty where it isn't known.
    pub base_url: String,
    /// How it does.
    pub status: Status,
    /// Since when.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// The time of the last check.
    #[serde(default)]
    pub last_check: Option<Timestamp>,
    /// Latency of the last checks, oldest first, at most 60: time, and milliseconds where there was an answer.
    #[serde(default)]
    pub latency: Vec<(Timestamp, Option<f64>)>,
    /// The share of the last hour's checks that failed; `None` without any.
    #[serde(default)]
    pub error_share: Option<f64>,
    /// Whether a health check is defined and enabled.
    pub watched: bool,
    /// The last contract verdict.
    #[serde(default)]
    pub contract: Option<crate::run::Verdict>,
    /// Mistakes in its file, and why checks can't run.
    #[serde(default)]
    pub problems: Vec<Problem>,
}

/// An integration whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntegrationDetail {
    /// Its line in the list.
    pub summary: IntegrationSummary,
    /// What the file defines; none where it can't be read.
    pub definition: Option<Integration>,
    /// The file as it stands.
    pub text: String,
    /// A mark of that text, given back when saving so that nobody's change is lost.
    pub revision: String,
    /// The incident that is open.
    #[serde(default)]
    pub incident: Option<Incident>,
}

/// A change to one place of an integration file, which keeps comments and the order of keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// The JSON pointer of the place, such as `/integration/health/interval`. `/-` at the end of a list appends.
    pub pointer: String,
    /// The new value; `null` takes the place out.
    pub value: serde_json::Value,
}

/// What came of a change to a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// The integration.
    pub name: String,
    /// The file.
    pub file: String,
    /// The text as it stands now.
    pub text: String,
    /// Its mark.
    pub revision: String,
    /// Mistakes that the new text has; it was saved all the same, and the integration is shown with them.
    pub problems: Vec<Problem>,
}

/// What the program is and has, for the header and the settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppState {
    /// The program's version.
    pub version: String,
    /// The workspace folder.
    pub workspace: String,
    /// The database.
    pub database: String,
    /// The chosen environment.
    pub environment: String,
    /// All that the workspace defines.
    pub environments: Vec<String>,
    /// Whether credentials can be kept.
    pub keychain: KeychainState,
    /// Whether the workspace can be written; the reason where it can't.
    #[serde(default)]
    pub read_only: Option<Problem>,
    /// What is wrong with the workspace itself, such as a mistake in `patchbay.yaml`.
    #[serde(default)]
    pub problems: Vec<Problem>,
    /// Whether checks run.
    pub monitoring: bool,
    /// What the last change was, where it can be undone.
    #[serde(default)]
    pub undo: Option<String>,
    /// How the window looks.
    pub settings: Settings,
}

/// What a person set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Light, dark, or the system's.
    pub theme: Theme,
    /// Days for which results and metrics are kept.
    pub keep_days: u32,
    /// Whether checks run while the window is open.
    pub monitor: bool,
    /// Hosts that are neither loopback nor private and that somebody agreed to put under load.
    #[serde(default)]
    pub load_hosts: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { theme: Theme::System, keep_days: 30, monitor: true, load_hosts: Vec::new() }
    }
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the system.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// A line of the program's own log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// When.
    pub at: Timestamp,
    /// How grave.
    pub level: LogLevel,
    /// What part of the program.
    pub target: String,
    /// What it did.
    pub text: String,
}

/// How grave a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are customary")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// What this machine has and lacks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DoctorReport {
    /// Each thing that was looked at.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub name: String,
    /// Whether it is as it should be; `None` where it does not matter here.
    pub ok: Option<bool>,
    /// What was found.
    pub found: String,
    /// What to do about it.
    #[serde(default)]
    pub next: String,
}
