//! Load plans handed to k6, and its results taken back into the history.

use std::{
    io::{Read, Write},
    path::Path,
};

use patchbay_contracts::{
    Code, Problem,
    integration::LoadSpec,
    run::{Report, RunSummary},
};

use super::{Engine, Subject};
use crate::{
    Result,
    k6::{self, Exported, Files, Format},
};

impl Engine {
    /// A load plan as a script for k6 or as a manifest for k6-operator, in which so many pods share the load.
    ///
    /// # Errors
    /// As for [`k6::export`].
    pub async fn export_load_of(
        &self,
        subject: Subject,
        spec: &LoadSpec,
        format: Format,
        parallelism: Option<u32>,
    ) -> Result<Exported> {
        let Subject { mut definition, schemas, file, .. } = subject;
        definition.base_url = Some(self.base_url(&definition)?);
        let context = self.context(Some(&definition.name));
        let files = self.files_of(&file);
        let source = k6::Source { context: &context, definition: &definition, schemas: &schemas, files: &files };
        k6::export(source, spec, format, parallelism).await
    }

    /// Reads the summary that k6 wrote of a load plan, and stores it as a run.
    ///
    /// # Errors
    /// As for [`k6::read_summary`], and where the file can't be read or the run can't be stored.
    pub async fn import_load_of(&self, subject: Subject, spec: &LoadSpec, summary: &Path) -> Result<RunSummary> {
        let text = read(summary)?;
        let Subject { mut definition, schemas, file, .. } = subject;
        definition.base_url = Some(self.base_url(&definition)?);
        let context = self.context(Some(&definition.name));
        let files = self.files_of(&file);
        let source = k6::Source { context: &context, definition: &definition, schemas: &schemas, files: &files };
        let report = k6::read_summary(source, spec, &text, self.now()).await?;
        let duration = report.duration_ms;
        self.keep(&Report::Load(report), duration).await
    }

    /// Files beside an integration of the workspace, or beside a file from anywhere.
    fn files_of(&self, file: &str) -> Files {
        let workspace = self.0.workspace.dir();
        if workspace.join(file).is_file() {
            return Files::within(workspace, file);
        }
        let path = Path::new(file);
        match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) if path.is_file() => Files::within(folder, &name.to_string_lossy()),
            _ => Files::within(workspace, "-"),
        }
    }

    /// Writes an exported plan into the workspace's `reports` folder; gives the file.
    pub(super) fn write_load(&self, integration: &str, exported: &Exported, format: Format) -> Result<String> {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let name: String = integration.chars().map(plain).collect();
        let file = self.0.workspace.dir().join("reports").join(format!("load-{name}-k6.{}", format.ending()));
        write(&file, &exported.text)?;
        Ok(file.display().to_string())
    }
}

fn read(summary: &Path) -> Result<String> {
    let cannot = |error: std::io::Error| {
        Problem::new(Code::InvalidInput, format!("The summary {} can't be read", summary.display())).why(error.to_string())
    };
    let file = std::fs::File::open(summary).map_err(cannot)?;
    let mut text = String::new();
    file.take(k6::LARGEST_SUMMARY + 1).read_to_string(&mut text).map_err(cannot)?;
    if text.len() as u64 > k6::LARGEST_SUMMARY {
        return Err(Problem::new(Code::TooLarge, format!("The summary {} is too large", summary.display()))
            .why(format!("at most {} MiB are read", k6::LARGEST_SUMMARY >> 20)));
    }
    Ok(text)
}

/// Writes a script or a manifest, whole or not at all; folders on the way are made.
///
/// # Errors
/// [`Code::Workspace`] where it can't be written.
pub fn write(file: &Path, text: &str) -> Result<()> {
    let cannot = |error: std::io::Error| {
        Problem::new(Code::Workspace, format!("The load plan can't be written to {}", file.display())).why(error.to_string())
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let mut temporary = crate::report::readable().tempfile_in(folder).map_err(cannot)?;
    temporary.write_all(text.as_bytes()).map_err(cannot)?;
    temporary.persist(file).map_err(|error| cannot(error.error))?;
    Ok(())
}
