//! A thread of its own with its own connections and its own poll. Workers share next to nothing while they work; their
//! sums go to the coordinator over a channel.

pub(crate) mod arrivals;
mod connecting;
mod effort;
mod flow;
pub(crate) mod ledger;
pub(crate) mod shared;
pub(crate) mod tally;
mod user;

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Instant,
};

use mio::{Events, Poll};
use patchbay_contracts::Problem;
use rand::{SeedableRng, rngs::SmallRng};

pub(crate) use self::effort::Effort;
use self::{
    arrivals::Arrivals,
    effort::Watch,
    ledger::Ledger,
    shared::Shared,
    user::{Activity, User},
};
use crate::{
    pacing::Pacer,
    plan::Plan,
    script::template::Values,
    wire::{
        Event,
        connection::{Connection, Readiness},
        receiving::wall_clock,
    },
};

/// Events that are taken from the poll at once.
const EVENTS: usize = 1024;
/// What is read at once.
const BUFFER: usize = 64 * 1024;
/// A loop that is later than this was held up, and not by waiting for the service; in nanoseconds.
pub(crate) const STALL: u64 = 100_000_000;
/// The longest wait, so that standing still isn't taken for a part of one; in nanoseconds.
const HEARTBEAT: u64 = 20_000_000;
/// How often to see whether there may be more connections while their number grows, in nanoseconds.
const GROWTH: u64 = 2_000_000;

/// What tells a worker to stop before its time.
#[derive(Clone, Copy)]
pub(crate) struct Stop<'a> {
    /// The person did.
    pub(crate) cancel: &'a AtomicBool,
    /// The coordinator or another worker came to grief, or a threshold can't be held any more.
    pub(crate) abandon: &'a AtomicBool,
}

impl Stop<'_> {
    fn is_set(self) -> bool {
        self.cancel.load(Ordering::Relaxed) || self.abandon.load(Ordering::Relaxed)
    }
}

/// A request that was never answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waited {
    pub(crate) step: usize,
    /// How long it had waited.
    pub(crate) nanos: u64,
}

/// How a worker came out, apart from what it counted.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    /// When it stopped, in nanoseconds of the run.
    pub(crate) at: u64,
    /// When no more iterations were due: the end of the run, or before, where there were no more to begin.
    pub(crate) until: u64,
    /// How long each of those had waited that were never answered.
    pub(crate) unanswered: Vec<Waited>,
    /// How many of those had not even a connection.
    pub(crate) unconnected: u64,
    /// Arrivals that were never started.
    pub(crate) backlog: Option<Arrivals>,
    /// The number of requests under way and of arrivals that waited, summed over the measured time; in nanoseconds.
    pub(crate) presence: u128,
    /// The same with the time after it, up to the last answer.
    pub(crate) whole_presence: u128,
    /// How busy it was until the end of the run.
    pub(crate) effort: Effort,
}

/// A worker while it works. All times are nanoseconds of the run, by the monotonic clock.
pub(crate) struct Worker<'a> {
    plan: &'a Plan,
    shared: &'a Shared,
    stop: Stop<'a>,
    origin: Instant,
    index: usize,
    poll: Poll,
    pacer: Pacer,
    ledger: Ledger<'a>,
    buffer: Box<[u8]>,
    connections: Vec<Connection>,
    /// The users of a connection stand one behind the other, as many as it has streams.
    users: Vec<User>,
    /// Places without a connection that may have one.
    vacant: Vec<usize>,
    /// Places whose user is in the middle of an iteration and needs its connection again.
    reopen: Vec<usize>,
    /// Users of an open workload that wait for an arrival; the one that worked last works first.
    idle: Vec<usize>,
    /// Users that think, by when they have thought.
    thinking: BinaryHeap<Reverse<(u64, usize)>>,
    /// Connections with more to read although no event will say so.
    unfinished: Vec<usize>,
    /// What came of one connection's bytes; kept for its room.
    events: Vec<Event>,
    connecting: u64,
    /// Connections that are open or on their way.
    live: u64,
    busy: u64,
    /// The address that worked last.
    preferred: usize,
    arrivals: Option<Arrivals>,
    /// No more iterations are due from then on.
    end: u64,
    /// When something's `due` is over at the earliest.
    next_look: u64,
    /// When the last of the resting connections may try again.
    last_retry: u64,
    /// What the wall clock showed when the run began, by the two clocks as they stood a moment ago; in nanoseconds since 1970.
    wall_origin: u64,
    /// No connection is opened for an arrival before.
    connect_after: u64,
    /// Connections that failed for arrivals since the last that didn't.
    connect_failures: u32,
    rng: SmallRng,
    presence: u128,
    whole_presence: u128,
    presence_until: u64,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        shared: &'a Shared,
        index: usize,
        origin: Instant,
        stop: Stop<'a>,
        ledger: Ledger<'a>,
    ) -> Result<Self, Problem> {
        let poll = Poll::new().map_err(|error| no_poll(&error))?;
        let share = share(plan.connections as usize, index, plan.threads);
        let has_values = plan.script.has_values();
        let user = |place: usize| {
            let number = (place * plan.threads + index + 1) as u64;
            let values = || Box::new(Values::new(plan.script.captures, plan.script.feeds.len(), plan.seed, number));
            User::new(has_values.then(values))
        };
        let arrivals =
            plan.rate.as_ref().map(|rate| Arrivals::new(rate, plan.spec.spacing, plan.seed, index, plan.threads, plan.end));
        Ok(Self {
            pacer: Pacer::new(&poll),
            poll,
            plan,
            shared,
            stop,
            origin,
            index,
            ledger,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            connections: (0..share).map(|_| Connection::new()).collect(),
            users: (0..share * plan.wire.streams).map(user).collect(),
            vacant: (0..share).rev().collect(),
            reopen: Vec::new(),
            idle: Vec::new(),
            thinking: BinaryHeap::new(),
            unfinished: Vec::new(),
            events: Vec::new(),
            connecting: 0,
            live: 0,
            busy: 0,
            preferred: 0,
            arrivals,
            end: plan.end,
            next_look: u64::MAX,
            last_retry: 0,
            wall_origin: 0,
            connect_after: 0,
            connect_failures: 0,
            rng: SmallRng::seed_from_u64(plan.seed ^ (index as u64).rotate_left(32)),
            presence: 0,
            whole_presence: 0,
            presence_until: plan.measured_from,
        })
    }

    /// Works until the end of the run, or until it is told to stop.
    pub(crate) fn run(mut self) -> Result<Ending, Problem> {
        let mut events = Events::with_capacity(EVENTS);
        thread::sleep(self.origin.saturating_duration_since(Instant::now()));
        let mut effort = Watch::new();
        let mut woken = self.now();
        loop {
            let now = self.now();
            self.ledger.tick(now, self.busy, self.live - self.connecting)?;
            self.look(now);
            self.wake(now);
            self.arrive(now);
            self.open_more(now);
            effort.note(now, self.end);
            if self.stop.is_set() || self.is_finished(now) {
                return Ok(self.finish(now, effort.read(now)));
            }
            let (until, exact) = self.next_moment(now);
            let before = self.now();
            let until = until.min(before + HEARTBEAT);
            if before > woken + STALL {
                self.ledger.stalled(before, before - woken);
            }
            self.pacer.wait(&mut self.poll, &mut events, until.saturating_sub(before), exact).map_err(|error| no_poll(&error))?;
            woken = self.now();
            // Anew each time, since the wall clock may be set.
            self.wall_origin = wall_clock().saturating_sub(woken);
            effort.waited(woken - before);
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

    /// Counts those that are there up to now. To be called before their number changes.
    fn account(&mut self, now: u64) {
        if now <= self.presence_until {
            return;
        }
        // Once all iterations were begun, arrivals that are still due wait for nothing.
        let wait = self.end == self.plan.end;
        let waiting = self.arrivals.as_ref().filter(|_| wait).map_or(0, Arrivals::waiting);
        let there = u128::from(self.busy + waiting);
        self.presence += there * u128::from(now.min(self.end).saturating_sub(self.presence_until));
        self.whole_presence += there * u128::from(now - self.presence_until);
        self.presence_until = now;
    }

    /// Sees which arrivals are due, starts them with idle users, and gives up those that waited too long.
    fn arrive(&mut self, now: u64) {
        if self.arrivals.is_none() {
            return;
        }
        self.account(now);
        let Some(arrivals) = &mut self.arrivals else { return };
        while let Some(intended) = arrivals.notice(now) {
            self.ledger.lag(intended, now);
            if self.ledger.is_measured(intended) {
                // It was there before anybody looked.
                self.presence += u128::from(now.min(self.end).saturating_sub(intended));
                self.whole_presence += u128::from(now - intended);
            }
        }
        while let Some(arrivals) = &mut self.arrivals
            && arrivals.waiting() > 0
            && now < self.end + self.plan.grace
            && let Some(user) = self.idle.pop()
        {
            let now = self.now();
            self.account(now);
            if let Some(intended) = self.arrivals.as_mut().and_then(Arrivals::take) {
                self.begin_iteration(user, intended, now);
            }
        }
        let Some(arrivals) = &mut self.arrivals else { return };
        while arrivals.oldest().is_some_and(|oldest| oldest + self.plan.timeout < now) {
            if let Some(intended) = arrivals.take() {
                self.ledger.dropped(intended, now);
            }
        }
    }

    /// Lets those go on that have thought.
    fn wake(&mut self, now: u64) {
        while let Some(&Reverse((due, user))) = self.thinking.peek()
            && due <= now
        {
            self.thinking.pop();
            if self.users[user].activity == Activity::Thinking {
                self.users[user].activity = Activity::Free;
                self.work(user, now);
            }
        }
    }

    /// When there is something to do at the latest, and whether that is to the microsecond.
    fn next_moment(&self, now: u64) -> (u64, bool) {
        if !self.unfinished.is_empty() {
            return (now, false);
        }
        let end = if now < self.end { self.end } else { self.end + self.plan.grace };
        let mut until = self.ledger.next_tick().min(self.next_look).min(end);
        if let Some(&Reverse((due, _))) = self.thinking.peek() {
            until = until.min(due);
        }
        if self.grows(now) {
            until = until.min(now + GROWTH);
        }
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
        if now < self.end {
            return false;
        }
        let underway = self.users.iter().any(|user| user.underway);
        let quiet = self.busy == 0
            && match &self.arrivals {
                None => self.connecting == 0 || self.end < self.plan.end,
                Some(arrivals) => arrivals.waiting() == 0 || self.end < self.plan.end,
            }
            && !underway;
        quiet || now >= self.end + self.plan.grace
    }

    fn finish(mut self, now: u64, effort: Effort) -> Ending {
        self.account(now);
        let mut unanswered = Vec::new();
        let mut unconnected = 0;
        for user in self.users.iter().filter(|user| user.activity == Activity::Busy) {
            unanswered.push(Waited { step: user.step, nanos: now.saturating_sub(user.began) });
        }
        let exhausted = self.end < self.plan.end && !self.stop.is_set();
        if self.arrivals.is_none() && !exhausted {
            // In a closed workload a request waits for each of these, in an open one they are in the backlog.
            for connection in self.connections.iter().filter(|connection| connection.state.is_underway()) {
                unanswered.push(Waited { step: 0, nanos: now.saturating_sub(connection.began) });
                unconnected += 1;
            }
        }
        self.ledger.close(0);
        let backlog = self.arrivals.filter(|_| !exhausted);
        let (presence, whole_presence) = (self.presence, self.whole_presence);
        Ending { at: now, until: self.end.min(now), unanswered, unconnected, backlog, presence, whole_presence, effort }
    }
}

/// The share of one worker of so many things.
fn share(count: usize, index: usize, workers: usize) -> usize {
    count / workers + usize::from(index < count % workers)
}

fn no_poll(error: &std::io::Error) -> Problem {
    Problem::new(patchbay_contracts::Code::Unsupported, "The operating system can't watch the connections")
        .why(error.to_string())
        .next("Close other programs, or ask for fewer connections")
}
