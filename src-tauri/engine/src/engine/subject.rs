//! What a contract run or a load run is about: an integration of the workspace, or a file from anywhere.

use std::{path::Path, sync::Arc};

use patchbay_contracts::{
    Code, Problem,
    integration::{Integration, LoadOptions, LoadSpec},
    ipc::Event,
    load::LoadReport,
    run::{Job, Progress, Report, RunKind},
};

use super::Engine;
use crate::{
    Result,
    contract::Schemas,
    definition::{self, Parsed},
    load, load_metrics,
};

/// An integration, with the file that it stands in.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The file, relative to the workspace where it lies inside.
    pub file: String,
    /// What the file defines.
    pub definition: Integration,
    pub(super) parsed: Arc<Parsed>,
    pub(super) schemas: Schemas,
}

impl Subject {
    /// An integration from the text of a file that need not lie in a workspace. Its schemas may refer to files beside it.
    ///
    /// # Errors
    /// The first mistake that keeps it from being used.
    pub fn read(file: &str, text: &str) -> Result<Self> {
        let path = Path::new(file);
        let schemas = match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) if path.is_file() => Schemas::within(folder, &name.to_string_lossy()),
            _ => Schemas::closed(),
        };
        Self::new(file, Arc::new(definition::parse(file, text.as_bytes())), schemas)
    }

    fn new(file: &str, parsed: Arc<Parsed>, schemas: Schemas) -> Result<Self> {
        match &parsed.definition {
            Some(definition) => Ok(Self { file: file.to_owned(), definition: definition.clone(), parsed, schemas }),
            None => Err(parsed
                .problems
                .first()
                .cloned()
                .unwrap_or_else(|| Problem::new(Code::InvalidDefinition, format!("`{file}` can't be read")))),
        }
    }
}

impl Engine {
    /// The integration of that name in the workspace.
    ///
    /// # Errors
    /// [`Code::NotFound`] with the nearest name, or the first mistake that keeps its file from being used.
    pub fn subject(&self, name: &str) -> Result<Subject> {
        let entry = self.0.workspace.entry(name)?;
        let schemas = Schemas::within(self.0.workspace.dir(), &entry.file);
        Subject::new(&entry.file, entry.parsed, schemas)
    }

    /// The integration of that name, with its address in the chosen environment filled in.
    pub(super) fn placed(&self, name: &str) -> Result<Subject> {
        let mut subject = self.subject(name)?;
        subject.definition.base_url = Some(self.base_url(&subject.definition)?);
        Ok(subject)
    }

    /// Starts a load run.
    ///
    /// # Errors
    /// A plan that can't be carried out, or a credential or variable that is missing.
    pub async fn start_load_of(&self, subject: Subject, spec: LoadSpec, options: LoadOptions) -> Result<Job> {
        let Subject { file, mut definition, schemas, parsed } = subject;
        let address = self.base_url(&definition)?;
        definition.base_url = Some(address.clone());
        load::within_limits(&definition, &spec)?;
        self.confirm_load(&address, &spec, options.confirmed).await?;
        let before = match options.baseline {
            Some(number) => Some((number, self.load_report(number).await?)),
            None => None,
        };
        let context = self.context_of(&definition, &schemas, &parsed.positions);
        let file = self.workspace().dir().join(file);
        let folder = file.parent().unwrap_or(Path::new("."));
        let plan = load::plan(&context, &definition, &schemas, folder, spec).await?;
        let exposed = load_metrics::Exposed::start_where_asked(options.metrics_port, &definition.name).await?;
        let metrics = exposed.as_ref().map(load_metrics::Exposed::url);
        let job = self.start(RunKind::Load, definition.name.clone(), |engine, reins| async move {
            let report = load::run(plan, reins.cancel, move |news| {
                if let Some(exposed) = &exposed {
                    exposed.take(&news);
                }
                engine.tell(Event::Progress { job: reins.id, progress: Progress::Load(Box::new(news)) });
            });
            let mut report = report.await?;
            report.comparison = before.map(|(number, before)| patchbay_load::compare::compare(number, &before, &report));
            Ok(Report::Load(report))
        });
        Ok(Job { metrics, ..job })
    }

    /// Asks, once for each host, before one is put under load that is neither loopback nor private.
    async fn confirm_load(&self, address: &str, spec: &LoadSpec, confirmed: bool) -> Result<()> {
        let (address, spec) = (address.to_owned(), spec.clone());
        let asked = tokio::task::spawn_blocking(move || load::needs_confirmation(&address, &spec)).await;
        let Some((host, question)) = asked.map_err(Problem::internal)? else { return Ok(()) };
        let mut settings = self.settings();
        if settings.load_hosts.contains(&host) {
            return Ok(());
        }
        if !confirmed {
            return Err(question);
        }
        settings.load_hosts.push(host);
        self.0.store.save_settings(&settings).await?;
        self.set_settings(settings);
        Ok(())
    }

    /// The report of a stored load run.
    async fn load_report(&self, number: i64) -> Result<LoadReport> {
        match self.0.store.run(number).await?.report {
            Report::Load(report) => Ok(report),
            _ => Err(Problem::new(Code::InvalidInput, format!("Run {number} is no load run"))
                .next("`patchbay history --kind load` lists those")),
        }
    }
}
