//! How connections come and go: when they are opened, what becomes of those that fail, and what takes too long.

use mio::Token;

use super::{Worker, share, user::Activity};
use crate::{
    failure::{Failure, Kind},
    wire::{Traffic, connection::State},
};

/// How many connections may be on their way at once, so that a large number doesn't overrun the queue of the service.
const MOST_CONNECTING: u64 = 256;
/// The rest after a first failure, in nanoseconds; it doubles with each further one …
const REST: u64 = 10_000_000;
/// … so many times.
const DOUBLINGS: u32 = 6;
/// The time between two attempts of resting connections, in nanoseconds, which leaves a thousand a second.
const BETWEEN_RETRIES: u64 = 1_000_000;

const NO_CONNECTION: Failure = Failure::new(Kind::ConnectTimeout, "no connection within the time-out");
const NO_TLS: Failure = Failure::new(Kind::TlsTimeout, "no TLS handshake within the time-out");
const NO_RESPONSE: Failure = Failure::new(Kind::ResponseTimeout, "no byte of a response within the time-out");
const HALF_A_RESPONSE: Failure =
    Failure::new(Kind::DownloadTimeout, "the response began and was not complete within the time-out");

impl Worker<'_> {
    /// How many connections this worker may have now.
    fn allowed(&self, now: u64) -> u64 {
        let plan = self.plan;
        let mut allowed = plan.allowed.at(now).floor() as usize;
        if let Some(rate) = plan.connect_rate {
            allowed = allowed.min(1 + (rate * now as f64 / 1e9) as usize);
        }
        share(allowed, self.index, plan.threads).min(self.connections.len()) as u64
    }

    /// Whether there may be more connections soon than there may be now.
    pub(super) fn grows(&self, now: u64) -> bool {
        let ramps = self.plan.spec.executor.is_ramping() && self.arrivals.is_none();
        let held_back = self.plan.connect_rate.is_some() && self.live < self.connections.len() as u64;
        now < self.end && (ramps || held_back)
    }

    /// Whether there are more connections than there may be, so that this one is to go.
    pub(super) fn is_too_many(&self, now: u64) -> bool {
        self.plan.spec.executor.is_ramping() && self.arrivals.is_none() && self.live - self.leaving() > self.allowed(now)
    }

    /// Connections that are closed as soon as nothing is under way on them.
    fn leaving(&self) -> u64 {
        if self.plan.wire.streams == 1 {
            return 0;
        }
        self.connections.iter().filter(|connection| connection.state == State::Ready && connection.closing).count() as u64
    }

    /// Opens as many connections as are wanted and allowed: all of them in a closed workload, one for each arrival that
    /// waits in an open one.
    pub(super) fn open_more(&mut self, now: u64) {
        while self.connecting < MOST_CONNECTING && self.wants_connection(now) {
            let Some(index) = self.reopen.pop().or_else(|| self.vacant.pop()) else { return };
            self.connect(index, now);
        }
    }

    fn wants_connection(&self, now: u64) -> bool {
        if self.live >= self.allowed(now) {
            return false;
        }
        match &self.arrivals {
            // What began comes to its end also after the last iteration has begun.
            None => now < self.end || !self.reopen.is_empty(),
            Some(arrivals) => {
                let waiting = if now < self.end || self.end == self.plan.end { arrivals.waiting() } else { 0 };
                let users = self.connecting * self.plan.wire.streams as u64;
                now >= self.connect_after && waiting + self.reopen.len() as u64 > users
            }
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
                self.live += 1;
                connection.due = now + plan.timeout;
                self.next_look = self.next_look.min(now + plan.timeout);
            }
            Err(failure) => self.connect_failed(index, &failure, now),
        }
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
                State::Connecting | State::Opening => self.broke(index, &NO_CONNECTION, now),
                State::Securing => self.broke(index, &NO_TLS, now),
                State::Closed | State::Ready => {}
            }
        }
        for user in 0..self.users.len() {
            if self.users[user].activity != Activity::Busy {
                continue;
            }
            if self.users[user].due > now {
                self.next_look = self.next_look.min(self.users[user].due);
                continue;
            }
            let failure = if self.users[user].first_byte > 0 { &HALF_A_RESPONSE } else { &NO_RESPONSE };
            self.gave_up(user, failure, now);
        }
    }

    /// A request took too long. The connection goes with it where the protocol can't go on without its answer.
    fn gave_up(&mut self, user: usize, failure: &Failure, now: u64) {
        let streams = self.plan.wire.streams;
        let (index, stream) = (user / streams, user % streams);
        let mut traffic = Traffic::default();
        if streams > 1 && self.connections[index].cancel(stream, &mut traffic) {
            self.lost(user, failure, now);
            self.connections[index].busy -= 1;
            self.next(user, now);
        } else {
            self.broke(index, failure, now);
        }
    }

    /// A connection was closed by the service while nothing was under way, or is of no more use.
    pub(super) fn gone(&mut self, index: usize) {
        let streams = self.plan.wire.streams;
        let users = index * streams..(index + 1) * streams;
        if self.arrivals.is_some() {
            self.idle.retain(|user| !users.contains(user));
        }
        self.live -= 1;
        self.connections[index].close();
        // A user that is in the middle of something needs a connection again.
        if users.clone().any(|user| self.users[user].underway) {
            self.reopen.push(index);
        } else {
            self.vacant.push(index);
        }
    }

    /// A connection failed, and with it all that was under way on it.
    pub(super) fn broke(&mut self, index: usize, failure: &Failure, now: u64) {
        let state = self.connections[index].state;
        if state.is_underway() {
            self.connecting -= 1;
            self.live -= 1;
            return self.connect_failed(index, failure, now);
        }
        if state != State::Ready {
            return;
        }
        let streams = self.plan.wire.streams;
        let mut failed = 0;
        for user in index * streams..(index + 1) * streams {
            if self.users[user].activity == Activity::Busy {
                self.lost(user, failure, now);
                failed += 1;
            }
        }
        if failed == 0 {
            return self.gone(index);
        }
        self.connections[index].failures += 1;
        // An open workload is held back by its rate, and the first failure after an answer may be a chance.
        let rests = self.arrivals.is_none() && self.connections[index].failures > 1;
        self.gone(index);
        if rests {
            self.vacant.retain(|place| *place != index);
            self.reopen.retain(|place| *place != index);
            self.rest(index, now);
        }
    }

    /// A user's request failed without an answer, and its iteration with it.
    pub(super) fn lost(&mut self, user: usize, failure: &Failure, now: u64) {
        self.account(now);
        self.busy -= 1;
        let user = &mut self.users[user];
        user.activity = Activity::Free;
        user.underway = false;
        self.ledger.failed(user.step, user.began, failure, now);
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
        let streams = self.plan.wire.streams;
        if self.arrivals.is_none() {
            connection.failures += 1;
            let step = self.users[index * streams].step;
            for user in index * streams..(index + 1) * streams {
                self.users[user].underway = false;
            }
            self.ledger.failed(step, began, failure, now);
            self.rest(index, now);
            return;
        }
        self.vacant.push(index);
        self.connect_after = now + rest(self.connect_failures);
        self.connect_failures += 1;
        let mut stranded = false;
        for user in &mut self.users[index * streams..(index + 1) * streams] {
            if std::mem::take(&mut user.underway) {
                stranded = true;
                self.ledger.failed(user.step, now, failure, now);
            }
        }
        if !stranded {
            self.fail_arrivals(failure, now);
        }
    }

    /// Fails the arrival that a connection was meant for. Where there is no other connection, nor one on its way, the
    /// failure stands for all that wait: each of them would have met the same, and trying it anew for each would only
    /// be an attack.
    fn fail_arrivals(&mut self, failure: &Failure, now: u64) {
        self.account(now);
        let Some(arrivals) = &mut self.arrivals else { return };
        let alone = self.busy == 0 && self.idle.is_empty() && self.connecting == 0;
        let count = if alone { arrivals.waiting() } else { arrivals.waiting().min(1) };
        for intended in (0..count).filter_map(|_| arrivals.take()) {
            self.ledger.failed(0, intended, failure, now);
        }
    }

    /// Leaves a place without a connection for a while, longer after each failure.
    fn rest(&mut self, index: usize, now: u64) {
        let connection = &mut self.connections[index];
        connection.state = State::Resting;
        let due = (now + rest(connection.failures - 1)).max(self.last_retry + BETWEEN_RETRIES);
        self.last_retry = due;
        connection.due = due;
        self.next_look = self.next_look.min(due);
    }
}

const fn rest(failures: u32) -> u64 {
    REST << if failures < DOUBLINGS { failures } else { DOUBLINGS }
}
