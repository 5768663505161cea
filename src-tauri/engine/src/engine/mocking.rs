//! Mocks, as the engine runs them.

use std::path::Path;

use patchbay_contracts::{Code, Problem, mock::MockState};

use super::{Engine, lock};
use crate::{
    Result,
    contract::{
        document,
        mock::{Mock, MockOptions},
    },
};

/// How many mocks may run at once.
const MOST: usize = 32;

/// The mocks that run.
#[derive(Default)]
pub(super) struct Mocks {
    next: u64,
    running: Vec<(u64, Mock)>,
}

impl Engine {
    /// Serves a contract: a file, an address, or the integration of that name. `fetch` allows references to other addresses.
    ///
    /// # Errors
    /// Where the contract can't be read or served.
    pub async fn mock(&self, contract: &str, fetch: bool, options: MockOptions) -> Result<Mock> {
        let context = self.context(None);
        let workspace = self.0.workspace.dir();
        // A file says what it is; a name is one only where there is no such file.
        let path = workspace.join(contract);
        let source = match self.0.workspace.entry(contract) {
            Ok(entry) if !Path::new(contract).is_file() => workspace.join(&entry.file).display().to_string(),
            _ if !Path::new(contract).is_file() && path.is_file() => path.display().to_string(),
            _ => contract.to_owned(),
        };
        let document = document::open(&context, &source, fetch).await?.in_workspace(workspace);
        Mock::start(&context, &document, options).await
    }

    pub(super) async fn start_mock_of(&self, contract: &str, options: MockOptions) -> Result<MockState> {
        if lock(&self.0.mocks).running.len() >= MOST {
            return Err(Problem::new(Code::InvalidInput, format!("{MOST} mocks run already")).next("Stop one first"));
        }
        let mock = self.mock(contract, false, options).await?;
        let mut mocks = lock(&self.0.mocks);
        mocks.next += 1;
        let id = mocks.next;
        let shown = mock.shown(id);
        mocks.running.push((id, mock));
        Ok(shown)
    }

    pub(super) fn stop_the_mock(&self, id: u64) -> Result<Vec<MockState>> {
        let before = lock(&self.0.mocks).running.len();
        lock(&self.0.mocks).running.retain(|(known, _)| *known != id);
        if lock(&self.0.mocks).running.len() == before {
            return Err(Problem::new(Code::NotFound, format!("No mock with the number {id} runs")));
        }
        Ok(self.mock_states())
    }

    pub(super) fn mock_states(&self) -> Vec<MockState> {
        lock(&self.0.mocks).running.iter().map(|(id, mock)| mock.shown(*id)).collect()
    }
}
