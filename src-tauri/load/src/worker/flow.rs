//! How a virtual user goes from one request to the next.

use std::cmp::Reverse;

use rand::RngExt;

use super::{Worker, user::Activity};
use crate::{
    script::{Answer, Order},
    wire::{
        Event, Request, Traffic,
        connection::{Outcome, Readiness, State},
    },
};

impl Worker<'_> {
    /// Goes on with a connection after an event.
    pub(super) fn go_on(&mut self, index: usize, ready: Readiness) {
        let mut traffic = Traffic::default();
        let mut events = std::mem::take(&mut self.events);
        let connection = &mut self.connections[index];
        let outcome = connection.advance(&self.plan.wire, ready, &mut self.buffer, &mut traffic, &mut events);
        if matches!(outcome, Outcome::Pending) && events.is_empty() && traffic.received + traffic.sent == 0 {
            self.events = events;
            return;
        }
        let now = self.now();
        self.ledger.traffic(now, traffic);
        if matches!(outcome, Outcome::Gone | Outcome::Failed(_)) || events.iter().any(|event| matches!(event, Event::Closing)) {
            // What is answered and closed at once is of no use for the next request.
            self.connections[index].closing = true;
        }
        for event in events.drain(..) {
            self.happened(index, event, now);
        }
        self.events = events;
        match outcome {
            Outcome::Pending => {}
            Outcome::More => self.unfinished.push(index),
            Outcome::Gone if self.connections[index].state == State::Ready => self.gone(index),
            Outcome::Gone => {}
            Outcome::Failed(failure) => self.broke(index, &failure, now),
        }
    }

    fn happened(&mut self, index: usize, event: Event, now: u64) {
        let first = index * self.plan.wire.streams;
        match event {
            Event::Connected => self.ledger.connected(now - std::mem::replace(&mut self.connections[index].began, now)),
            Event::Secured => self.ledger.secured(now - self.connections[index].began),
            Event::Opened => self.opened(index, now),
            Event::Began { stream } => self.users[first + stream].first_byte = self.came(index, now),
            Event::Answered { stream, status, excess, keep } => {
                self.connections[index].closing |= !keep;
                self.answered(first + stream, status, excess, now);
            }
            Event::Failed { stream, failure } => {
                self.connections[index].busy -= 1;
                self.lost(first + stream, &failure, now);
                self.next(first + stream, now);
            }
            Event::Closing => self.leave(index),
        }
    }

    /// When the system had received what was read last on a connection; where it doesn't say, now.
    fn came(&self, index: usize, now: u64) -> u64 {
        let came = self.connections[index].came.and_then(|came| came.checked_sub(self.wall_origin));
        came.map_or(now, |came| came.min(now))
    }

    /// No further request may go out on a connection: it is closed once nothing is under way on it.
    fn leave(&mut self, index: usize) {
        self.connections[index].closing = true;
        if self.connections[index].state == State::Ready && self.connections[index].busy == 0 {
            self.gone(index);
        } else if self.arrivals.is_some() {
            let streams = self.plan.wire.streams;
            self.idle.retain(|user| user / streams != index);
        }
    }

    fn opened(&mut self, index: usize, now: u64) {
        self.connecting -= 1;
        self.connect_failures = 0;
        self.connect_after = 0;
        let connection = &mut self.connections[index];
        connection.state = State::Ready;
        connection.due = u64::MAX;
        self.preferred = (self.preferred + connection.tried) % self.plan.addresses.len();
        connection.tried = 0;
        let streams = self.plan.wire.streams;
        for user in index * streams..(index + 1) * streams {
            if self.users[user].activity == Activity::Free {
                self.work(user, now);
            }
        }
    }

    /// Gives a free user its next request, or lets it wait for one.
    pub(super) fn work(&mut self, user: usize, now: u64) {
        let index = user / self.plan.wire.streams;
        let connection = &self.connections[index];
        if connection.state != State::Ready || connection.closing {
            return;
        }
        if self.users[user].underway {
            return self.send(user, now, now);
        }
        if self.arrivals.is_none() {
            if now < self.end && !self.is_too_many(now) {
                self.begin_iteration(user, now, now);
            } else if now < self.end {
                self.leave(index);
            }
            return;
        }
        self.account(now);
        match self.arrivals.as_mut().and_then(super::Arrivals::take) {
            Some(intended) => self.begin_iteration(user, intended, now),
            None => self.idle.push(user),
        }
    }

    /// Begins an iteration that was due at that time.
    pub(super) fn begin_iteration(&mut self, user: usize, began: u64, now: u64) {
        if !self.shared.take(self.plan, self.users[user].values.as_deref_mut()) {
            // All that there was to do was begun; what is under way comes to its end.
            self.account(now);
            self.end = self.end.min(now);
            return;
        }
        self.ledger.begun(began);
        let script = &self.plan.script;
        self.users[user].step = match script.order {
            Order::Mix if script.steps.len() > 1 => self.choose(),
            Order::Mix | Order::Chain => 0,
        };
        self.users[user].underway = true;
        self.send(user, began, now);
    }

    /// One of the steps, by weight.
    fn choose(&mut self) -> usize {
        let steps = &self.plan.script.steps;
        let all: u64 = steps.iter().map(|step| u64::from(step.weight)).sum();
        let mut drawn = self.rng.random_range(0..all.max(1));
        for (place, step) in steps.iter().enumerate() {
            match drawn.checked_sub(u64::from(step.weight)) {
                Some(rest) => drawn = rest,
                None => return place,
            }
        }
        0
    }

    /// Sends a user's next request, which began, for the figures, at that time.
    fn send(&mut self, user: usize, began: u64, now: u64) {
        self.account(now);
        let streams = self.plan.wire.streams;
        let (index, stream) = (user / streams, user % streams);
        let own = &mut self.users[user];
        own.activity = Activity::Busy;
        own.began = began;
        own.sent = now;
        own.first_byte = 0;
        own.due = now + self.plan.timeout;
        self.next_look = self.next_look.min(own.due);
        self.busy += 1;
        self.ledger.sent(own.step, began);
        if let Some(values) = &mut own.values {
            values.next_request();
        }
        let request = Request { step: own.step, values: own.values.as_deref_mut() };
        let mut traffic = Traffic::default();
        self.connections[index].busy += 1;
        let sent = self.connections[index].send(stream, request, &self.plan.wire, &mut traffic);
        self.ledger.traffic(now, traffic);
        if let Err(failure) = sent {
            self.broke(index, &failure, now);
        }
    }

    fn answered(&mut self, user: usize, status: u16, excess: bool, now: u64) {
        self.account(now);
        let streams = self.plan.wire.streams;
        let (index, stream) = (user / streams, user % streams);
        self.busy -= 1;
        // It was gone before anybody looked.
        let came = self.came(index, now).max(self.users[user].sent);
        let counted_from = came.max(self.plan.measured_from);
        self.presence = self.presence.saturating_sub(u128::from(now.min(self.end).saturating_sub(counted_from)));
        self.whole_presence = self.whole_presence.saturating_sub(u128::from(now.saturating_sub(counted_from)));
        let connection = &mut self.connections[index];
        connection.failures = 0;
        connection.busy -= 1;
        let plan = self.plan;
        let own = &mut self.users[user];
        own.activity = Activity::Free;
        let step = &plan.script.steps[own.step];
        let taken = step.takes(status);
        let asserted = match (&step.inspect, connection.answer(stream), &mut own.values) {
            (Some(inspect), Some(kept), Some(values)) if taken => {
                let answer = Answer {
                    status,
                    headers: &kept.headers,
                    body: &kept.body,
                    cut: kept.cut,
                    took: came.saturating_sub(own.sent),
                };
                inspect.inspect(&answer, values)
            }
            _ => Ok(()),
        };
        let first_byte = if own.first_byte > 0 { own.first_byte } else { came };
        self.ledger.answered(own.step, own.began, first_byte.saturating_sub(own.sent), status, taken, excess, came);
        let held = taken && asserted.is_ok();
        if let Err(why) = asserted {
            self.ledger.failed_assertion(own.step, own.began, &why);
        }
        if held && plan.script.order == Order::Chain && own.step + 1 < plan.script.steps.len() {
            own.step += 1;
        } else {
            own.underway = false;
            self.ledger.iterated(own.began);
        }
        self.next(user, now);
    }

    /// A user has come to the end of a request: it thinks, goes on, or its connection is closed.
    pub(super) fn next(&mut self, user: usize, now: u64) {
        let index = user / self.plan.wire.streams;
        if self.connections[index].closing {
            if self.connections[index].busy == 0 && self.connections[index].state == State::Ready {
                self.think(user, now);
                self.gone(index);
            }
            return;
        }
        if !self.think(user, now) {
            self.work(user, now);
        }
    }

    /// Lets a user think, where it is to.
    fn think(&mut self, user: usize, now: u64) -> bool {
        let Some((from, to)) = self.plan.think else { return false };
        // In an open workload the arrivals make the pauses between iterations.
        if self.arrivals.is_some() && !self.users[user].underway {
            return false;
        }
        let due = now + self.rng.random_range(from..=to);
        self.users[user].activity = Activity::Thinking;
        self.thinking.push(Reverse((due, user)));
        true
    }
}
