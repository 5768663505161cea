//! A thread of its own with its own connections and its own poll. Workers share nothing while they work; their sums go
//! to the coordinator over a channel.

pub(crate) mod arrivals;
pub(crate) mod connection;
mod flow;
pub(crate) mod ledger;
pub(crate) mod tally;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use mio::{Events, Poll};
use patchbay_contracts::Problem;

use self::{
    arrivals::Arrivals,
    connection::{Connection, Readiness, State},
    ledger::Ledger,
};
use crate::{pacing::Pacer, plan::Plan, utils::cpu};

/// Events that are taken from the poll at once.
const EVENTS: usize = 1024;
/// What is read at once.
const BUFFER: usize = 64 * 1024;
/// A loop that is later than this was held up, and not by waiting for the service; in nanoseconds.
pub(crate) const STALL: u64 = 100_000_000;

/// What tells a worker to stop before its time.
#[derive(Clone, Copy)]
pub(crate) struct Stop<'a> {
    /// The person did.
    pub(crate) cancel: &'a AtomicBool,
    /// The coordinator or another worker came to grief.
    pub(crate) abandon: &'a AtomicBool,
}

impl Stop<'_> {
    fn is_set(self) -> bool {
        self.cancel.load(Ordering::Relaxed) || self.abandon.load(Ordering::Relaxed)
    }
}

/// How a worker came out, apart from what it counted.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    /// When it stopped, in nanoseconds of the run.
    pub(crate) at: u64,
    /// How long each of those had waited that were never answered.
    pub(crate) unanswered: Vec<u64>,
    /// How many of those had not even a connection.
    pub(crate) unconnected: u64,
    /// Arrivals that were never started.
    pub(crate) backlog: Option<Arrivals>,
    /// How busy it was until the end of the run.
    pub(crate) effort: Effort,
}

/// How busy a worker was.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Effort {
    /// Elapsed time in seconds.
    pub(crate) seconds: f64,
    /// Of it, waiting for events or the next arrival.
    pub(crate) waiting: f64,
    /// Processor time in seconds, where the system tells.
    pub(crate) processor: Option<f64>,
}

/// A worker while it works. All times are nanoseconds of the run, by the monotonic clock.
pub(crate) struct Worker<'a> {
    plan: &'a Plan,
    stop: Stop<'a>,
    origin: Instant,
    poll: Poll,
    pacer: Pacer,
    ledger: Ledger,
    buffer: Box<[u8]>,
    connections: Vec<Connection>,
    /// Places without a connection that may have one.
    vacant: Vec<usize>,
    /// Connections that wait for an arrival; the one that was used last is used first.
    idle: Vec<usize>,
    /// Connections with more to read although no event will say so.
    unfinished: Vec<usize>,
    connecting: u64,
    busy: u64,
    /// The address that worked last.
    preferred: usize,
    arrivals: Option<Arrivals>,
    /// When some connection's `due` is over at the earliest.
    next_look: u64,
    /// When the last of the resting connections may try again.
    last_retry: u64,
    /// No connection is opened for an arrival before.
    connect_after: u64,
    /// Connections that failed for arrivals since the last that didn't.
    connect_failures: u32,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(plan: &'a Plan, index: usize, origin: Instant, stop: Stop<'a>, ledger: Ledger) -> Result<Self, Problem> {
        let poll = Poll::new().map_err(|error| no_poll(&error))?;
        let share = plan.connections as usize / plan.threads + usize::from(index < plan.connections as usize % plan.threads);
        Ok(Self {
            pacer: Pacer::new(&poll),
            poll,
            plan,
            stop,
            origin,
            ledger,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            connections: (0..share).map(|_| Connection::new()).collect(),
            vacant: (0..share).rev().collect(),
            idle: Vec::with_capacity(share),
            unfinished: Vec::new(),
            connecting: 0,
            busy: 0,
            preferred: 0,
            arrivals: plan.rate.map(|rate| Arrivals::new(rate, index, plan.threads, plan.end)),
            next_look: u64::MAX,
            last_retry: 0,
            connect_after: 0,
            connect_failures: 0,
        })
    }

    /// Works until the end of the run, or until it is told to stop.
    pub(crate) fn run(mut self) -> Result<Ending, Problem> {
        let mut events = Events::with_capacity(EVENTS);
        thread::sleep(self.origin.saturating_duration_since(Instant::now()));
        let mut effort = Watch::new(self.plan.end);
        let mut woken = self.now();
        loop {
            let now = self.now();
            self.ledger.tick(now, self.busy)?;
            self.look(now);
            self.arrive(now);
            self.open_more(now);
            effort.note(now);
            if self.stop.is_set() || self.is_finished(now) {
                return Ok(self.finish(now, effort.read(now)));
            }
            let (until, exact) = self.next_moment(now);
            let before = self.now();
            if before > woken + STALL {
                self.ledger.stalled(before, before - woken);
            }
            self.pacer.wait(&mut self.poll, &mut events, until.saturating_sub(before), exact).map_err(|error| no_poll(&error))?;
            woken = self.now();
            effort.waited += woken - before;
            if woken > until.max(before) + STALL {
                self.ledger.stalled(woken, woken - until.max(before));
            }
            for event in &events {
                let ready = Readiness {
                    readable: event.is_readable() || event.is_error(),
                    writable: event.is_writable() || event.is_error(),
                    read_closed: event.is_read_closed(),
                };
                // The timer's token is no connection's.
                if event.token().0 < self.connections.len() {
                    self.go_on(event.token().0, ready);
                }
            }
            for _ in 0..self.unfinished.len() {
                let index = self.unfinished.remove(0);
                self.go_on(index, Readiness::ANY);
            }
        }
    }

    fn now(&self) -> u64 {
        // 64 bits of nanoseconds are 584 years.
        Instant::now().saturating_duration_since(self.origin).as_nanos() as u64
    }

    /// Sees which arrivals are due, starts them on idle connections, and gives up those that waited too long.
    fn arrive(&mut self, now: u64) {
        let Some(arrivals) = &mut self.arrivals else { return };
        while let Some(intended) = arrivals.notice(now) {
            self.ledger.lag(intended, now);
        }
        while let Some(arrivals) = &mut self.arrivals
            && arrivals.waiting() > 0
            && let Some(index) = self.idle.pop()
        {
            if let Some(intended) = arrivals.take() {
                let now = self.now();
                self.begin(index, intended, now);
            }
        }
        let Some(arrivals) = &mut self.arrivals else { return };
        while arrivals.oldest().is_some_and(|oldest| oldest + self.plan.timeout < now) {
            if let Some(intended) = arrivals.take() {
                self.ledger.dropped(intended, now);
            }
        }
    }

    /// When there is something to do at the latest, and whether that is to the microsecond.
    fn next_moment(&self, now: u64) -> (u64, bool) {
        if !self.unfinished.is_empty() {
            return (now, false);
        }
        let end = if now < self.plan.end { self.plan.end } else { self.plan.end + self.plan.grace };
        let mut until = self.ledger.next_tick().min(self.next_look).min(end);
        let Some(arrivals) = &self.arrivals else { return (until, false) };
        if let Some(oldest) = arrivals.oldest() {
            until = until.min(oldest + self.plan.timeout + 1);
            if !self.vacant.is_empty() && self.connect_after > now {
                until = until.min(self.connect_after);
            }
        }
        match arrivals.next() {
            Some(next) if next < until => (next, true),
            _ => (until, false),
        }
    }

    /// Whether nothing more is to come, or it was waited for long enough.
    fn is_finished(&self, now: u64) -> bool {
        if now < self.plan.end {
            return false;
        }
        let quiet = self.busy == 0
            && match &self.arrivals {
                None => self.connecting == 0,
                Some(arrivals) => arrivals.waiting() == 0,
            };
        quiet || now >= self.plan.end + self.plan.grace
    }

    fn finish(self, now: u64, effort: Effort) -> Ending {
        let mut unanswered = Vec::new();
        let mut unconnected = 0;
        for connection in &self.connections {
            match connection.state {
                State::Busy => unanswered.push(now.saturating_sub(connection.began)),
                // In a closed workload a request waits for each of these, in an open one they are in the backlog.
                State::Connecting if self.arrivals.is_none() => {
                    unanswered.push(now.saturating_sub(connection.began));
                    unconnected += 1;
                }
                _ => {}
            }
        }
        self.ledger.close(0);
        Ending { at: now, unanswered, unconnected, backlog: self.arrivals, effort }
    }
}

/// Measures how busy a worker is until the end of the run; what it waits for after that says nothing.
struct Watch {
    end: u64,
    waited: u64,
    processor_before: Option<Duration>,
    read: Option<Effort>,
}

impl Watch {
    fn new(end: u64) -> Self {
        Self { end, waited: 0, processor_before: cpu::thread_time(), read: None }
    }

    fn note(&mut self, now: u64) {
        if now >= self.end && self.read.is_none() {
            self.read = Some(self.read(now));
        }
    }

    fn read(&self, now: u64) -> Effort {
        let processor = cpu::thread_time().zip(self.processor_before).map(|(after, before)| (after - before).as_secs_f64());
        self.read.unwrap_or(Effort { seconds: now as f64 / 1e9, waiting: self.waited as f64 / 1e9, processor })
    }
}

fn no_poll(error: &std::io::Error) -> Problem {
    Problem::new(patchbay_contracts::Code::Unsupported, "The operating system can't watch the connections")
        .why(error.to_string())
        .next("Close other programs, or ask for fewer connections")
}
