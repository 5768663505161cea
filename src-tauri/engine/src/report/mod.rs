//! Reports as files: HTML, JSON, JUnit XML, SARIF, CSV.

mod contract;
pub mod csv;
mod html;
pub mod junit;
mod load;
mod page;
pub mod sarif;

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use patchbay_contracts::{Code, Problem, run::Run};

use crate::Result;

/// What a report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One page without anything from outside, plots included.
    Html,
    /// The run as the command line prints it under `--json`.
    Json,
    /// The JUnit XML that pipelines read: a test case for each check or threshold.
    Junit,
    /// SARIF 2.1.0, which code review tools read: a result for each check that did not hold, at its line of the contract.
    Sarif,
    /// The timeline of a load run, one line a second.
    Csv,
}

impl Format {
    /// The format of that name.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] with the names that there are.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "html" => Ok(Self::Html),
            "json" => Ok(Self::Json),
            "junit" | "xml" => Ok(Self::Junit),
            "sarif" => Ok(Self::Sarif),
            "csv" => Ok(Self::Csv),
            _ => Err(Problem::new(Code::InvalidInput, format!("There is no report of the kind `{name}`"))
                .next("There are html, json, junit, sarif and csv")),
        }
    }

    /// The format that a file's ending asks for.
    ///
    /// # Errors
    /// As [`named`](Self::named).
    pub fn of_file(file: &Path) -> Result<Self> {
        Self::named(file.extension().and_then(|ending| ending.to_str()).unwrap_or_default())
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Json => "json",
            Self::Junit => "xml",
            Self::Sarif => "sarif",
            Self::Csv => "csv",
        }
    }
}

/// A name for a run's report: `contract-orders-42.html`.
pub fn file_name(run: &Run, format: Format) -> PathBuf {
    let about = run.summary.integration.as_deref().unwrap_or("ad-hoc");
    let about: String = about.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    format!("{}-{about}-{}.{}", run.summary.kind.as_str(), run.summary.id, format.ending()).into()
}

/// The report as text.
///
/// # Errors
/// [`Code::InvalidInput`] where a run of this kind has no such report.
pub fn render(run: &Run, format: Format) -> Result<String> {
    match format {
        Format::Html => Ok(html::render(run)),
        Format::Json => serde_json::to_string_pretty(run).map(|text| text + "\n").map_err(Problem::internal),
        Format::Junit => junit::render(run),
        Format::Sarif => sarif::render(run),
        Format::Csv => csv::render(run),
    }
}

/// Writes the report to `file`, whole or not at all; folders on the way are made.
///
/// # Errors
/// [`Code::Workspace`] where the file can't be written; what [`render`] says.
pub fn write(file: &Path, run: &Run, format: Format) -> Result<()> {
    let text = render(run, format)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let cannot = |error: std::io::Error| {
        Problem::new(Code::Workspace, format!("The report can't be written to {}", file.display())).why(error.to_string())
    };
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let mut temporary = readable().tempfile_in(folder).map_err(cannot)?;
    temporary.write_all(text.as_bytes()).map_err(cannot)?;
    temporary.persist(file).map_err(|error| cannot(error.error))?;
    Ok(())
}

/// A report is made to be handed on: others may read it, as far as the person's own mask allows.
pub(crate) fn readable() -> tempfile::Builder<'static, 'static> {
    #[allow(unused_mut, reason = "only Unix has modes")]
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}
