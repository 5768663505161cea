//! How a connection goes from one state to the next, and which requests it carries.

use mio::Token;

use super::{
    Worker,
    connection::{Outcome, Readiness, State, Traffic},
};
use crate::failure::{Failure, Kind};

/// How many connections may be on their way at once, so that a large number doesn't overrun the queue of the service.
const MOST_CONNECTING: u64 = 256;
/// The rest after a first failure, in nanoseconds; it doubles with each further one …
const REST: u64 = 10_000_000;
/// … so many times.
const DOUBLINGS: u32 = 6;
/// The time between two attempts of resting connections, in nanoseconds, which leaves a thousand a second.
const BETWEEN_RETRIES: u64 = 1_000_000;

const NO_CONNECTION: Failure = Failure::new(Kind::ConnectTimeout, "no connection within the time-out");
const NO_RESPONSE: Failure = Failure::new(Kind::ResponseTimeout, "no complete response within the time-out");

impl Worker<'_> {
    /// Opens as many connections as are wanted and allowed: all of them in a closed workload, one for each arrival that
    /// waits in an open one.
    pub(super) fn open_more(&mut self, now: u64) {
        while self.connecting < MOST_CONNECTING && self.wants_connection(now) {
            let Some(index) = self.vacant.pop() else { return };
            self.connect(index, now);
        }
    }

    fn wants_connection(&self, now: u64) -> bool {
        match &self.arrivals {
            None => now < self.plan.end,
            Some(arrivals) => now >= self.connect_after && arrivals.waiting() > self.connecting,
        }
    }

    fn connect(&mut self, index: usize, now: u64) {
        let plan = self.plan;
        let connection = &mut self.connections[index];
        let address = plan.addresses[(self.preferred + connection.tried) % plan.addresses.len()];
        connection.began = now;
        match connection.connect(&plan.wire, address, self.poll.registry(), Token(index)) {
            Ok(()) => {
                self.connecting += 1;
                self.look_at(index, now + plan.timeout);
            }
            Err(failure) => self.connect_failed(index, &failure, now),
        }
    }

    /// Sees to a connection at a later time.
    fn look_at(&mut self, index: usize, due: u64) {
        self.connections[index].due = due;
        self.next_look = self.next_look.min(due);
    }

    /// Looks for what took too long, and for those that have rested.
    pub(super) fn look(&mut self, now: u64) {
        if now < self.next_look {
            return;
        }
        self.next_look = u64::MAX;
        for index in 0..self.connections.len() {
            let connection = &mut self.connections[index];
            if connection.due > now {
                self.next_look = self.next_look.min(connection.due);
                continue;
            }
            connection.due = u64::MAX;
            match connection.state {
                State::Resting => {
                    connection.state = State::Closed;
                    self.vacant.push(index);
                }
                State::Connecting => self.failed(index, &NO_CONNECTION, now),
                State::Busy => self.failed(index, &NO_RESPONSE, now),
                State::Closed | State::Idle => {}
            }
        }
    }

    /// Goes on with a connection after an event.
    pub(super) fn go_on(&mut self, index: usize, ready: Readiness) {
        let mut traffic = Traffic::default();
        let connection = &mut self.connections[index];
        let outcome = connection.advance(&self.plan.wire, ready, &mut self.buffer, &mut traffic);
        if matches!(outcome, Outcome::Pending) && traffic.received + traffic.sent == 0 {
            return;
        }
        let now = self.now();
        self.ledger.traffic(now, traffic);
        match outcome {
            Outcome::Pending => {}
            Outcome::More => self.unfinished.push(index),
            Outcome::Ready => self.connected(index, now),
            Outcome::Answered { keep, excess } => self.answered(index, keep, excess, now),
            Outcome::Gone => self.gone(index),
            Outcome::Failed(failure) => self.failed(index, &failure, now),
        }
    }

    fn connected(&mut self, index: usize, now: u64) {
        self.connecting -= 1;
        self.connect_failures = 0;
        self.connect_after = 0;
        self.ledger.connected();
        let connection = &mut self.connections[index];
        self.preferred = (self.preferred + connection.tried) % self.plan.addresses.len();
        connection.tried = 0;
        self.give_work(index, now);
    }

    /// Gives a connection its next request, or lets it wait for one.
    fn give_work(&mut self, index: usize, now: u64) {
        match &mut self.arrivals {
            None if now < self.plan.end => self.begin(index, now, now),
            None => self.connections[index].close(),
            Some(arrivals) => {
                if let Some(intended) = arrivals.take() {
                    return self.begin(index, intended, now);
                }
                let connection = &mut self.connections[index];
                connection.state = State::Idle;
                connection.due = u64::MAX;
                self.idle.push(index);
            }
        }
    }

    /// Sends a request that began, for the figures, at that time.
    pub(super) fn begin(&mut self, index: usize, began: u64, now: u64) {
        self.connections[index].began = began;
        self.look_at(index, now + self.plan.timeout);
        self.busy += 1;
        self.ledger.sent(began);
        let mut traffic = Traffic::default();
        let sent = self.connections[index].send(&self.plan.wire, &mut traffic);
        self.ledger.traffic(now, traffic);
        if let Err(failure) = sent {
            self.failed(index, &failure, now);
        }
    }

    fn answered(&mut self, index: usize, keep: bool, excess: bool, now: u64) {
        self.busy -= 1;
        let connection = &mut self.connections[index];
        connection.failures = 0;
        self.ledger.answered(connection.began, connection.status(), excess, now);
        if keep {
            self.give_work(index, now);
        } else {
            connection.close();
            self.vacant.push(index);
        }
    }

    /// An idle connection was closed by the service.
    fn gone(&mut self, index: usize) {
        if let Some(place) = self.idle.iter().position(|&idle| idle == index) {
            self.idle.swap_remove(place);
        }
        self.connections[index].close();
        self.vacant.push(index);
    }

    fn failed(&mut self, index: usize, failure: &Failure, now: u64) {
        let connection = &mut self.connections[index];
        match connection.state {
            State::Busy => {
                let began = connection.began;
                connection.close();
                connection.failures += 1;
                self.busy -= 1;
                self.ledger.failed(began, failure, now);
                // An open workload is held back by its rate, and the first failure after an answer may be a chance.
                if self.arrivals.is_some() || self.connections[index].failures == 1 {
                    self.vacant.push(index);
                } else {
                    self.rest(index, now);
                }
            }
            State::Connecting => {
                self.connecting -= 1;
                self.connect_failed(index, failure, now);
            }
            State::Idle => self.gone(index),
            State::Closed | State::Resting => {}
        }
    }

    fn connect_failed(&mut self, index: usize, failure: &Failure, now: u64) {
        let connection = &mut self.connections[index];
        let began = connection.began;
        connection.close();
        if failure.kind != Kind::Local && connection.tried + 1 < self.plan.addresses.len() {
            // The host has another address.
            connection.tried += 1;
            self.vacant.push(index);
            return;
        }
        connection.tried = 0;
        if self.arrivals.is_none() {
            connection.failures += 1;
            self.ledger.failed(began, failure, now);
            self.rest(index, now);
        } else {
            self.vacant.push(index);
            self.connect_after = now + rest(self.connect_failures);
            self.connect_failures += 1;
            self.fail_arrivals(failure, now);
        }
    }

    /// Fails the arrival that a connection was meant for. Where there is no other connection, nor one on its way, the
    /// failure stands for all that wait: each of them would have met the same, and trying it anew for each would only
    /// be an attack.
    fn fail_arrivals(&mut self, failure: &Failure, now: u64) {
        let Some(arrivals) = &mut self.arrivals else { return };
        let alone = self.busy == 0 && self.idle.is_empty() && self.connecting == 0;
        let count = if alone { arrivals.waiting() } else { arrivals.waiting().min(1) };
        for intended in (0..count).filter_map(|_| arrivals.take()) {
            self.ledger.failed(intended, failure, now);
        }
    }

    /// Leaves a place without a connection for a while, longer after each failure.
    fn rest(&mut self, index: usize, now: u64) {
        let connection = &mut self.connections[index];
        connection.state = State::Resting;
        let due = (now + rest(connection.failures - 1)).max(self.last_retry + BETWEEN_RETRIES);
        self.last_retry = due;
        self.look_at(index, due);
    }
}

const fn rest(failures: u32) -> u64 {
    REST << if failures < DOUBLINGS { failures } else { DOUBLINGS }
}
