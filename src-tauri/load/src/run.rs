//! Starts the workers, adds up what they hand over, tells how far they are, and waits for them.

use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, ScopedJoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use patchbay_contracts::{
    Code, Problem,
    integration::LoadSpec,
    load::{LoadProgress, LoadReport},
};

use crate::{
    plan::Plan,
    report,
    script::Script,
    sums::{Sums, quantiles},
    worker::{
        Ending, Stop, Worker,
        ledger::{Ledger, Part},
        shared::Shared,
        tally::Tally,
    },
};

/// The workers set themselves up in this time, so that all begin at once.
const SET_UP: Duration = Duration::from_millis(10);
/// The least time between two reports of progress.
const BETWEEN_PROGRESS: Duration = Duration::from_millis(100);

/// Puts a service under load, and returns when it is over or was cancelled. Blocks; the requests are sent by threads of
/// its own. `cancel` is looked at ten times a second. `progress` is called on the calling thread, at most ten times a second.
///
/// May raise this process's soft limit of open files, up to the hard one, where there are many connections.
///
/// # Errors
/// [`Code::InvalidInput`] where the target or what is asked for makes no sense, [`Code::Unsupported`] where this machine
/// can't open that many connections, [`Code::Dns`] where the host can't be resolved. Whatever goes wrong with single
/// requests is in the report.
pub fn run(
    script: impl Into<Script>,
    spec: &LoadSpec,
    cancel: &AtomicBool,
    progress: &mut dyn FnMut(LoadProgress),
) -> Result<LoadReport, Problem> {
    let plan = Plan::new(script.into(), spec)?;
    let shared = Shared::new(&plan);
    let mut sums = Sums::new(&plan)?;
    let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    let origin = Instant::now() + SET_UP;
    let abandon = AtomicBool::new(false);
    let mut breach = None;
    let endings = thread::scope(|scope| {
        // Where the progress callback panics, the workers stop, and the scope ends.
        let _guard = SetOnDrop(&abandon);
        let (parts, received) = mpsc::channel();
        let mut workers = Vec::new();
        let mut spares = Vec::new();
        for index in 0..plan.threads {
            let (parts, plan, shared) = (parts.clone(), &plan, &shared);
            let stop = Stop { cancel, abandon: &abandon };
            let (spare, spare_received) = mpsc::channel();
            spares.push(spare);
            let work = move || work(plan, shared, index, origin, stop, parts, spare_received);
            let worker = thread::Builder::new().name(format!("load-{index}")).spawn_scoped(scope, work);
            workers.push(worker.map_err(|error| {
                Problem::new(Code::Unsupported, "A thread to send the requests can't be started").why(error.to_string())
            })?);
        }
        drop(parts);
        breach = follow(&plan, &mut sums, origin, &received, &spares, &abandon, progress)?;
        join(workers)
    })?;
    let cut = report::Cut { cancelled: cancel.load(Ordering::Relaxed), breach };
    report::build(&plan, sums, &endings, at, cut)
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn work(
    plan: &Plan,
    shared: &Shared,
    index: usize,
    origin: Instant,
    stop: Stop<'_>,
    parts: Sender<Part>,
    spare: Receiver<Box<Tally>>,
) -> Result<Ending, Problem> {
    let result = Ledger::new(plan, index, parts, spare)
        .and_then(|ledger| Worker::new(plan, shared, index, origin, stop, ledger))
        .and_then(Worker::run);
    if result.is_err() {
        // What the others do alone isn't what was asked for.
        stop.abandon.store(true, Ordering::Relaxed);
    }
    result
}

/// Takes in what the workers hand over until the last of them is done. Gives the threshold whose breach ended the run.
fn follow(
    plan: &Plan,
    sums: &mut Sums,
    origin: Instant,
    parts: &Receiver<Part>,
    spares: &[Sender<Box<Tally>>],
    abandon: &AtomicBool,
    progress: &mut dyn FnMut(LoadProgress),
) -> Result<Option<String>, Problem> {
    let mut breach = None;
    let mut told_slices = 0;
    let mut next = origin + BETWEEN_PROGRESS;
    loop {
        match parts.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(part) => {
                let worker = part.worker;
                let tally = sums.add(part)?;
                // A worker that is done takes none back.
                let _ = spares[worker].send(tally);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(breach),
        }
        if Instant::now() >= next {
            let elapsed = Instant::now().saturating_duration_since(origin).as_secs_f64();
            let measured = elapsed.min(plan.end as f64 / 1e9) - plan.measured_from as f64 / 1e9;
            progress(LoadProgress {
                elapsed_ms: elapsed * 1e3,
                total_ms: plan.end as f64 / 1e6,
                totals: sums.totals(measured, plan.target_rate()),
                latency: quantiles(&sums.latency),
                errors: report::errors(sums),
                new_slices: sums.slices[told_slices..].to_vec(),
            });
            told_slices = sums.slices.len();
            if breach.is_none() && plan.abort_after.is_some_and(|after| elapsed * 1e9 >= after as f64) {
                breach = report::breached(plan, sums, measured);
                if breach.is_some() {
                    abandon.store(true, Ordering::Relaxed);
                }
            }
            // From after the call, so that one that takes long isn't followed by the next at once.
            next = Instant::now() + BETWEEN_PROGRESS;
        }
    }
}

fn join(workers: Vec<ScopedJoinHandle<'_, Result<Ending, Problem>>>) -> Result<Vec<Ending>, Problem> {
    workers
        .into_iter()
        .map(|worker| worker.join().unwrap_or_else(|_| Err(Problem::internal("a thread of the load generator panicked"))))
        .collect()
}
