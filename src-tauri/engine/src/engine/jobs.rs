//! Work that takes a while: it tells how far it is, and it can be cancelled.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use patchbay_contracts::{
    Code, Problem,
    contract::{ContractReport, ContractSubject},
    ipc::Event,
    load::LoadReport,
    probe::ProbeReport,
    run::{Finished, Job, JobId, Progress, Report, RunKind, RunSummary, Verdict},
};
use tokio::{sync::broadcast::error::RecvError, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Engine, lock};
use crate::Result;

/// How long the end of the program waits for cancelled jobs to keep what they have.
const FAREWELL: Duration = Duration::from_secs(5);

/// The jobs under way.
#[derive(Default)]
pub(super) struct Jobs {
    last: AtomicU64,
    running: Mutex<BTreeMap<JobId, (Job, CancellationToken)>>,
    tasks: TaskTracker,
}

impl Jobs {
    pub(super) fn list(&self) -> Vec<Job> {
        lock(&self.running).values().map(|(job, _)| job.clone()).collect()
    }

    pub(super) fn cancel(&self, id: JobId) -> Result<()> {
        match lock(&self.running).get(&id) {
            Some((_, cancel)) => {
                cancel.cancel();
                Ok(())
            }
            None => Err(Problem::new(Code::NotFound, format!("Job {id} is not under way")).why("It has ended, or never began")),
        }
    }

    pub(super) async fn end_all(&self) {
        for (_, cancel) in lock(&self.running).values() {
            cancel.cancel();
        }
        self.tasks.close();
        // A job that does not end in this time is lost with the program; the database holds all that was stored before.
        let _ = tokio::time::timeout(FAREWELL, self.tasks.wait()).await;
    }
}

/// The two ends that a job's work is given.
pub(super) struct Reins {
    pub(super) id: JobId,
    pub(super) cancel: CancellationToken,
}

impl Engine {
    /// Starts work whose report is stored when it ends.
    pub(super) fn start<W, F>(&self, kind: RunKind, target: String, work: W) -> Job
    where
        W: FnOnce(Self, Reins) -> F,
        F: Future<Output = Result<Report>> + Send + 'static,
    {
        let id = self.0.jobs.last.fetch_add(1, Ordering::Relaxed) + 1;
        let job = Job { id, kind, target, at: self.now(), metrics: None };
        let cancel = CancellationToken::new();
        lock(&self.0.jobs.running).insert(id, (job.clone(), cancel.clone()));
        let working = work(self.clone(), Reins { id, cancel });
        let engine = self.clone();
        self.0.jobs.tasks.spawn(async move {
            let finished = match engine.finish(working).await {
                Ok(run) => Finished::Stored { run },
                Err(problem) => Finished::Failed { problem },
            };
            lock(&engine.0.jobs.running).remove(&id);
            engine.tell(Event::Finished { job: id, finished });
        });
        job
    }

    async fn finish(&self, working: impl Future<Output = Result<Report>>) -> Result<RunSummary> {
        let began = Instant::now();
        let report = working.await?;
        self.keep(&report, began.elapsed().as_secs_f64() * 1e3).await
    }

    /// Waits for the job that `start` begins, hands its progress to `progress`, and gives the stored run. Cancelled by
    /// `cancel`, a job still keeps what it has.
    ///
    /// # Errors
    /// What kept the job from a result.
    pub async fn wait_for<F: Future<Output = Result<Job>>>(
        &self,
        start: F,
        cancel: &CancellationToken,
        mut progress: impl FnMut(Progress),
    ) -> Result<RunSummary> {
        // Listens before it starts, so that the end of a quick job isn't missed.
        let mut events = self.events();
        let job = start.await?;
        let mut cancelled = false;
        loop {
            let event = tokio::select! {
                () = cancel.cancelled(), if !cancelled => {
                    cancelled = true;
                    // Where it has ended by itself, its end is already among the events.
                    let _ = self.0.jobs.cancel(job.id);
                    continue;
                }
                event = events.recv() => event,
            };
            match event {
                Ok(Event::Progress { job: id, progress: news }) if id == job.id => progress(news),
                Ok(Event::Finished { job: id, finished }) if id == job.id => {
                    return match finished {
                        Finished::Stored { run } => Ok(run),
                        Finished::Failed { problem } => Err(problem),
                    };
                }
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Err(Problem::internal("the events ended before the job did")),
            }
        }
    }
}

/// One line on what a run found.
pub fn headline(report: &Report) -> String {
    match report {
        Report::Probe(probe) => probe_headline(probe),
        Report::Contract(contract) => contract_headline(contract),
        Report::Load(load) => load_headline(load),
    }
}

fn probe_headline(probe: &ProbeReport) -> String {
    let request = format!("{} {}", probe.request.method, probe.request.url);
    match (&probe.response, &probe.problem) {
        (Some(response), _) => format!("{} {} in {} · {request}", response.status, response.reason, ms(probe.timing.total_ms)),
        (None, Some(problem)) => format!("{} · {request}", problem.what),
        (None, None) => request,
    }
}

fn contract_headline(contract: &ContractReport) -> String {
    let total = contract.endpoints.len();
    let count = |verdict| contract.endpoints.iter().filter(|endpoint| endpoint.verdict == verdict).count();
    let holding = count(Verdict::Pass);
    let mut text = match &contract.subject {
        Some(ContractSubject::Files { check }) => {
            let noun = check.by.noun();
            match check.by.contract() {
                Some(_) => format!("{holding} of {total} {noun}s hold to {}", contract.file),
                None => format!("{holding} of {total} {noun}s match"),
            }
        }
        _ => format!("{holding} of {total} endpoints hold"),
    };
    if let Some(first) = contract.endpoints.iter().find(|endpoint| endpoint.verdict == Verdict::Fail) {
        let why = first.checks.iter().find(|check| check.verdict == Verdict::Fail).map_or("", |check| check.message.as_str());
        text.push_str(&format!(" · {}: {why}", first.endpoint));
    }
    text
}

fn load_headline(load: &LoadReport) -> String {
    format!(
        "{} answers, {:.0}/s, p95 {}, {:.2}% errors",
        load.totals.answered,
        load.totals.rate,
        ms(load.latency.p95_ms),
        load.totals.error_share * 100.0
    )
}

fn ms(value: f64) -> String {
    if value >= 1000.0 { format!("{:.2} s", value / 1e3) } else { format!("{value:.1} ms") }
}
