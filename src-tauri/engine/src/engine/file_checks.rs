//! Checks of files, as the engine runs them.

use std::path::{Path, PathBuf};

use patchbay_contracts::{
    contract::FileCheck,
    run::{Job, Report, RunKind},
};

use super::{Engine, contracts::Listener};
use crate::{
    Result,
    contract::files::{self, located},
};

impl Engine {
    /// Starts a check of files, with no service called.
    ///
    /// # Errors
    /// Slips in what is asked for: a draft, an envelope or a version that there isn't, no file. What is wrong with the contract
    /// ends the job, and what is wrong with a file is in its result.
    pub async fn start_file_check_of(&self, check: FileCheck) -> Result<Job> {
        files::check_request(&check)?;
        let context = self.context(None);
        Ok(self.start(RunKind::Contract, check.label(), |engine, reins| async move {
            let mut listener = Listener::new(engine.clone(), reins.id);
            let workspace = engine.workspace().dir();
            let mut report = files::check(&context, &check, workspace, &reins.cancel, |news| listener.hear(news)).await?;
            let beside = beside(&check, workspace);
            engine.finish_contract(&mut report, &check.options, check.options.accepted.as_deref(), &beside)?;
            Ok(Report::Contract(report))
        }))
    }
}

/// What accepted failures are written down beside: the contract, or the first file where there is none.
fn beside(check: &FileCheck, workspace: &Path) -> PathBuf {
    let named = check.by.contract().or(check.files.first().map(String::as_str)).unwrap_or_default();
    if named.contains("://") {
        return PathBuf::from(named);
    }
    let path = located(named, workspace);
    if path.is_dir() { path.join("cases") } else { path }
}
