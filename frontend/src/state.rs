//! What all pages share: what the backend last said of the program, the integrations and the jobs, and the notices.

use std::{
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use patchbay_contracts::{
    Problem, Timestamp,
    ipc::Event,
    load::{LoadProgress, LoadSlice},
    run::{Finished, Job, JobId, Progress},
    sample::SampleState,
    workspace::{AppState, IntegrationSummary},
};
use yew::{AttrValue, Reducible};

use crate::utils::matrix::{Judged, merged};

/// What the backend last said, and how often each part of it changed since. Pages give the counts to their queries, so
/// that these are asked anew when something came to pass.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Data {
    /// The program; none until the first answer.
    pub app: Option<Rc<AppState>>,
    /// The integrations; none until the first answer.
    pub integrations: Option<Rc<Vec<IntegrationSummary>>>,
    /// The sample service.
    pub sample: Rc<SampleState>,
    /// Why the program or the integrations could not be had.
    pub problem: Option<Problem>,
    /// How often the files changed.
    pub workspace_changes: u64,
    /// How often a run was stored.
    pub run_changes: u64,
    health_changes: BTreeMap<String, u64>,
    scrapes: BTreeMap<String, u64>,
}

/// A change to [`Data`].
pub enum Change {
    /// The program is so now.
    App(Box<AppState>),
    /// The integrations are so now.
    Integrations(Vec<IntegrationSummary>),
    /// The sample service is so now.
    Sample(SampleState),
    /// They could not be had.
    Failed(Problem),
    /// The backend said so.
    Heard(Event),
}

impl Data {
    /// How often the health of an integration changed.
    pub fn health_changes(&self, integration: &str) -> u64 {
        self.health_changes.get(integration).copied().unwrap_or_default()
    }

    /// How often the health of any integration changed.
    pub fn all_health_changes(&self) -> u64 {
        self.health_changes.values().sum()
    }

    /// How often the metrics of an integration were scraped.
    pub fn scrapes(&self, integration: &str) -> u64 {
        self.scrapes.get(integration).copied().unwrap_or_default()
    }

    /// An integration's line in the list.
    pub fn integration(&self, name: &str) -> Option<&IntegrationSummary> {
        self.integrations.as_ref()?.iter().find(|integration| integration.name == name)
    }
}

impl Reducible for Data {
    type Action = Change;

    fn reduce(self: Rc<Self>, change: Change) -> Rc<Self> {
        let mut next = (*self).clone();
        match change {
            Change::App(app) => {
                next.app = Some(Rc::from(app));
                next.problem = None;
            }
            Change::Integrations(integrations) => {
                next.integrations = Some(Rc::new(integrations));
                next.problem = None;
            }
            Change::Sample(sample) => next.sample = Rc::new(sample),
            Change::Failed(problem) => next.problem = Some(problem),
            Change::Heard(event) => match event {
                Event::WorkspaceChanged => next.workspace_changes += 1,
                Event::HealthChanged { integration } => *next.health_changes.entry(integration).or_default() += 1,
                Event::Scraped { integration } => *next.scrapes.entry(integration).or_default() += 1,
                Event::RunStored { .. } => next.run_changes += 1,
                Event::SampleChanged { sample } => next.sample = Rc::new(sample),
                Event::Progress { .. } | Event::Finished { .. } | Event::Notice { .. } => return self,
            },
        }
        Rc::new(next)
    }
}

/// The newest results of a contract run, and the newest seconds of a load run, that are kept for a page opened late.
const KEPT: usize = 4_000;
/// How many jobs that have ended are kept.
const ENDED: usize = 20;

/// Jobs of this session, by number.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Jobs {
    /// Those that are under way and the last that ended.
    pub all: BTreeMap<JobId, Live>,
}

/// A job as far as it has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// What was started; none where its progress arrived before the reply that told of it.
    pub job: Option<Job>,
    /// Contract: how many endpoints were judged, of how many.
    pub judged: Option<(usize, usize)>,
    /// Contract: the results so far.
    pub results: Rc<Vec<Judged>>,
    /// Load: the newest figures, without their seconds.
    pub load: Option<LoadProgress>,
    /// Load: the seconds so far.
    pub slices: VecDeque<LoadSlice>,
    /// How it ended.
    pub finished: Option<Finished>,
}

impl Live {
    fn new() -> Self {
        Self { job: None, judged: None, results: Rc::default(), load: None, slices: VecDeque::new(), finished: None }
    }

    /// How far it is, from 0 to 1, where that's known.
    pub fn share(&self) -> Option<f64> {
        if let Some((done, total)) = self.judged.filter(|(_, total)| *total > 0) {
            return Some(done as f64 / total as f64);
        }
        self.load.as_ref().filter(|load| load.total_ms > 0.0).map(|load| (load.elapsed_ms / load.total_ms).clamp(0.0, 1.0))
    }
}

/// A change to [`Jobs`].
pub enum JobChange {
    /// The backend says that these are under way.
    UnderWay(Vec<Job>),
    /// This one was started.
    Started(Job),
    /// The backend said so.
    Heard(Box<Event>),
}

impl Jobs {
    fn live(&mut self, id: JobId) -> &mut Live {
        self.all.entry(id).or_insert_with(Live::new)
    }

    /// The jobs under way, newest first.
    pub fn under_way(&self) -> impl Iterator<Item = (JobId, &Live)> {
        self.all.iter().rev().filter(|(_, live)| live.finished.is_none()).map(|(id, live)| (*id, live))
    }
}

impl Reducible for Jobs {
    type Action = JobChange;

    fn reduce(self: Rc<Self>, change: JobChange) -> Rc<Self> {
        let mut next = (*self).clone();
        match change {
            JobChange::UnderWay(jobs) => {
                for job in jobs {
                    let id = job.id;
                    next.live(id).job = Some(job);
                }
            }
            JobChange::Started(job) => {
                let id = job.id;
                next.live(id).job = Some(job);
            }
            JobChange::Heard(event) => match *event {
                Event::Progress { job, progress } => {
                    let live = next.live(job);
                    match progress {
                        Progress::Contract(progress) => {
                            live.judged = Some((progress.done, progress.total));
                            let news: Vec<Judged> =
                                progress.results.into_iter().map(|result| Judged::new(result, None)).collect();
                            let mut all = merged(&live.results, &news);
                            all.truncate(KEPT);
                            live.results = Rc::new(all);
                        }
                        Progress::Load(mut progress) => {
                            live.slices.extend(std::mem::take(&mut progress.new_slices));
                            let surplus = live.slices.len().saturating_sub(KEPT);
                            live.slices.drain(..surplus);
                            live.load = Some(*progress);
                        }
                    }
                }
                Event::Finished { job, finished } => {
                    next.live(job).finished = Some(finished);
                    let ended: Vec<JobId> =
                        next.all.iter().filter(|(_, live)| live.finished.is_some()).map(|(id, _)| *id).collect();
                    for id in ended.iter().take(ended.len().saturating_sub(ENDED)) {
                        next.all.remove(id);
                    }
                }
                _ => return self,
            },
        }
        Rc::new(next)
    }
}

/// Something to tell, at the edge of the window.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// It worked; gone by itself after a while.
    Done(AttrValue),
    /// It worked and can be taken back.
    Undoable(AttrValue),
    /// It did not; stays until it's dismissed.
    Failed(Problem),
}

/// The notices that are shown, oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Notices {
    /// Each with its number and when it came.
    pub shown: Vec<(u64, Timestamp, Notice)>,
    next: u64,
}

/// A change to [`Notices`].
pub enum NoticeChange {
    /// One more.
    Show(Notice, Timestamp),
    /// Away with that number.
    Dismiss(u64),
}

/// How many notices stand at once; the oldest makes room.
const NOTICES: usize = 5;

impl Reducible for Notices {
    type Action = NoticeChange;

    fn reduce(self: Rc<Self>, change: NoticeChange) -> Rc<Self> {
        let mut next = (*self).clone();
        match change {
            NoticeChange::Show(notice, at) => {
                // The same again, such as a keychain that refuses each time, is told once; and there is one undo only.
                next.shown.retain(|(_, _, shown)| {
                    *shown != notice && !matches!((shown, &notice), (Notice::Undoable(_), Notice::Undoable(_)))
                });
                next.shown.push((next.next, at, notice));
                next.next += 1;
                let surplus = next.shown.len().saturating_sub(NOTICES);
                next.shown.drain(..surplus);
            }
            NoticeChange::Dismiss(id) => next.shown.retain(|(shown, _, _)| *shown != id),
        }
        Rc::new(next)
    }
}
