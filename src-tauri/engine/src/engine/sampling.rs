//! The sample service, as the engine runs it.

use patchbay_contracts::{
    Code, Problem,
    ipc::Event,
    sample::{Faults, SampleState},
    secret::Sensitive,
    workspace::Edit,
};

use super::Engine;
use crate::{
    Result,
    sample::{NAME, SECRET, Sample, TOKEN, definition},
};

impl Engine {
    pub(super) async fn sample_state(&self) -> SampleState {
        let sample = self.0.sample.lock().await;
        SampleState {
            url: sample.as_ref().map(Sample::url),
            faults: sample.as_ref().map(Sample::faults).unwrap_or_default(),
            registered: self.0.workspace.entry(NAME).is_ok(),
        }
    }

    pub(super) async fn start_the_sample(&self) -> Result<SampleState> {
        let url = {
            let mut sample = self.0.sample.lock().await;
            match sample.as_ref() {
                Some(running) => running.url(),
                None => sample.insert(Sample::start_anywhere(&self.0.ports, TOKEN).await?).url(),
            }
        };
        self.register_sample(&url).await?;
        Ok(self.sample_changed().await)
    }

    /// Registers the sample service at `url` in this workspace, or points its file there, and keeps its token.
    ///
    /// # Errors
    /// Where the file or the credential can't be written.
    pub async fn register_sample(&self, url: &str) -> Result<()> {
        self.0.secrets.set(SECRET, Sensitive::new(TOKEN.to_owned()), vec!["127.0.0.1".to_owned()]).await?;
        match self.0.workspace.entry(NAME) {
            Ok(entry) => {
                let pointed = entry.parsed.definition.as_ref().and_then(|definition| definition.base_url.as_deref());
                if pointed != Some(url) {
                    let edit = Edit { pointer: "/integration/base_url".to_owned(), value: url.into() };
                    self.0.workspace.edit(NAME, &[edit])?;
                }
            }
            Err(problem) if problem.code == Code::NotFound => {
                self.0.workspace.add(Some(NAME), &definition(url))?;
            }
            Err(problem) => return Err(problem),
        }
        self.workspace_changed();
        Ok(())
    }

    pub(super) async fn stop_the_sample(&self) -> SampleState {
        self.0.sample.lock().await.take();
        self.sample_changed().await
    }

    pub(super) async fn set_sample_faults(&self, faults: Faults) -> Result<SampleState> {
        match self.0.sample.lock().await.as_ref() {
            Some(sample) => sample.set_faults(faults),
            None => {
                return Err(Problem::new(Code::NotFound, "The sample service isn't running").next("Start it first"));
            }
        }
        Ok(self.sample_changed().await)
    }

    async fn sample_changed(&self) -> SampleState {
        let sample = self.sample_state().await;
        self.tell(Event::SampleChanged { sample: sample.clone() });
        sample
    }
}
