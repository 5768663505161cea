//! The books of a worker: each event is entered once, and the sums go to the coordinator ten times a second.

use std::sync::mpsc::{Receiver, Sender};

use patchbay_contracts::Problem;

use crate::{
    failure::{Failure, Kind},
    plan::Plan,
    wire::Traffic,
    worker::tally::{Example, STATUSES, Tally},
};

/// How often the sums are handed over, in nanoseconds.
pub(crate) const TICK: u64 = 100_000_000;

/// Answers of so many nanoseconds after the end still belong to the last second of the run.
const AFTERMATH: u64 = 500_000_000;

const SECOND: u64 = 1_000_000_000;

/// The most tallies that a worker has under way. Where the coordinator doesn't keep up, the worker goes on with the one
/// that it has, so nothing is lost but the resolution of the timeline.
const MOST_TALLIES: usize = 32;

/// Sums from one worker.
pub(crate) struct Part {
    pub(crate) worker: usize,
    pub(crate) tally: Box<Tally>,
}

/// The books of a worker.
pub(crate) struct Ledger<'a> {
    plan: &'a Plan,
    worker: usize,
    measured_from: u64,
    end: u64,
    tally: Box<Tally>,
    made: usize,
    parts: Sender<Part>,
    /// Tallies that come back for another use.
    spare: Receiver<Box<Tally>>,
    next_tick: u64,
    told: [bool; Kind::ALL.len()],
    told_statuses: Box<[bool; STATUSES]>,
}

impl<'a> Ledger<'a> {
    pub(crate) fn new(plan: &'a Plan, worker: usize, parts: Sender<Part>, spare: Receiver<Box<Tally>>) -> Result<Self, Problem> {
        Ok(Self {
            worker,
            measured_from: plan.measured_from,
            end: plan.end,
            plan,
            tally: Box::new(Tally::new(plan)?),
            made: 1,
            parts,
            spare,
            next_tick: TICK,
            told: [false; Kind::ALL.len()],
            told_statuses: Box::new([false; STATUSES]),
        })
    }

    pub(crate) const fn next_tick(&self) -> u64 {
        self.next_tick
    }

    pub(crate) const fn is_measured(&self, began: u64) -> bool {
        began >= self.measured_from
    }

    pub(crate) fn sent(&mut self, step: usize, began: u64) {
        let measured = self.is_measured(began);
        self.tally.counts[usize::from(measured)].sent += 1;
        if measured && let Some(step) = self.tally.steps.get_mut(step) {
            step.sent += 1;
        }
    }

    /// Enters an iteration that begins.
    pub(crate) fn begun(&mut self, began: u64) {
        self.tally.counts[usize::from(self.is_measured(began))].begun += 1;
    }

    /// Enters an iteration that came to its end.
    pub(crate) fn iterated(&mut self, began: u64) {
        self.tally.counts[usize::from(self.is_measured(began))].iterations += 1;
    }

    pub(crate) fn traffic(&mut self, now: u64, traffic: Traffic) {
        let counts = &mut self.tally.counts[usize::from(self.is_measured(now))];
        counts.received_bytes += traffic.received;
        counts.sent_bytes += traffic.sent;
    }

    /// Enters a TCP handshake, with what it took.
    pub(crate) fn connected(&mut self, took: u64) {
        self.tally.connects += 1;
        self.tally.connecting.saturating_record(took);
    }

    /// Enters a TLS handshake, with what it took.
    pub(crate) fn secured(&mut self, took: u64) {
        self.tally.securing.saturating_record(took);
    }

    pub(crate) fn lag(&mut self, intended: u64, now: u64) {
        if self.is_measured(intended) {
            self.tally.lag.saturating_record(now - intended);
        }
    }

    /// Enters an answer: its step, when its request began, what its first byte took, its status and whether that is no
    /// failure.
    #[allow(clippy::too_many_arguments, reason = "each is a figure of one answer, and it is called in one place")]
    pub(crate) fn answered(
        &mut self,
        step: usize,
        began: u64,
        first_byte: u64,
        status: u16,
        taken: bool,
        excess: bool,
        now: u64,
    ) {
        let measured = self.is_measured(began);
        let took = now.saturating_sub(began);
        let in_time = u64::from(now >= self.measured_from && now < self.end);
        let tally = &mut *self.tally;
        let counts = &mut tally.counts[usize::from(measured)];
        counts.answered += 1;
        counts.refused += u64::from(!taken);
        tally.latency[usize::from(measured)].saturating_record(took);
        tally.in_time += in_time;
        tally.excess += u64::from(excess);
        if !measured {
            return;
        }
        tally.first_byte.saturating_record(first_byte);
        if let Some(step) = tally.steps.get_mut(step) {
            step.answered += 1;
            step.failed += u64::from(!taken);
            step.in_time += in_time;
            step.latency.saturating_record(took);
        }
        // A status that isn't one was refused by the parser, which takes three digits.
        let place = usize::from(status).min(STATUSES - 1);
        tally.statuses[place] += 1;
        if !taken {
            tally.bad_statuses[place] += 1;
            if !self.told_statuses[place] {
                self.told_statuses[place] = true;
                let text = format!("the answer to the request of {}, after {}", moment(began), span(took));
                tally.examples.push(Example { kind: Err(status), text });
            }
        }
    }

    /// Enters that an answer, which was entered before, was not as expected.
    pub(crate) fn failed_assertion(&mut self, step: usize, began: u64, why: &str) {
        let measured = self.is_measured(began);
        self.tally.counts[usize::from(measured)].errors[Kind::Assertion as usize] += 1;
        if !measured {
            return;
        }
        if let Some(step) = self.tally.steps.get_mut(step) {
            step.failed += 1;
        }
        self.tell(Kind::Assertion, began, why);
    }

    /// Enters a failure without an answer. One that was given up counts as having taken at least as long as it waited.
    pub(crate) fn failed(&mut self, step: usize, began: u64, failure: &Failure, now: u64) {
        let measured = self.is_measured(began);
        let waited = now.saturating_sub(began);
        self.tally.counts[usize::from(measured)].errors[failure.kind as usize] += 1;
        if failure.is_timeout() {
            self.tally.latency[usize::from(measured)].saturating_record(waited);
        } else {
            self.tally.counts[usize::from(measured)].lost_nanos += waited;
        }
        if !measured {
            return;
        }
        if let Some(step) = self.tally.steps.get_mut(step) {
            step.failed += 1;
            step.unmet += 1;
            if failure.is_timeout() {
                step.latency.saturating_record(waited);
            }
        }
        self.tell(failure.kind, began, failure);
    }

    /// Keeps the first failure of a kind as an example.
    fn tell(&mut self, kind: Kind, began: u64, why: impl std::fmt::Display) {
        if !self.told[kind as usize] {
            self.told[kind as usize] = true;
            let text = format!("{why} (the request of {})", moment(began));
            self.tally.examples.push(Example { kind: Ok(kind), text });
        }
    }

    /// Enters an arrival that waited too long for a connection.
    pub(crate) fn dropped(&mut self, intended: u64, now: u64) {
        let measured = usize::from(self.is_measured(intended));
        self.tally.counts[measured].dropped += 1;
        self.tally.latency[measured].saturating_record(now.saturating_sub(intended));
    }

    /// Enters that the generator stood still for so many nanoseconds.
    pub(crate) fn stalled(&mut self, now: u64, nanos: u64) {
        if self.is_measured(now) {
            self.tally.stalls.count += 1;
            self.tally.stalls.longest = self.tally.stalls.longest.max(nanos);
        }
    }

    /// Hands the sums over, if it is time.
    pub(crate) fn tick(&mut self, now: u64, in_flight: u64, open: u64) -> Result<(), Problem> {
        if now < self.next_tick {
            return Ok(());
        }
        self.next_tick = (now / TICK + 1) * TICK;
        self.hand_over(now, in_flight, open)
    }

    fn hand_over(&mut self, now: u64, in_flight: u64, open: u64) -> Result<(), Problem> {
        let mut next = match self.spare.try_recv() {
            Ok(spare) => spare,
            Err(_) if self.made < MOST_TALLIES => {
                self.made += 1;
                Box::new(Tally::new(self.plan)?)
            }
            Err(_) => return Ok(()),
        };
        next.second = self.second(now);
        self.tally.reached = next.second;
        self.tally.in_flight = in_flight;
        self.tally.open = open;
        let tally = std::mem::replace(&mut self.tally, next);
        // Without a coordinator there is nobody left to count for; it tells its workers to stop as it goes.
        let _ = self.parts.send(Part { worker: self.worker, tally });
        Ok(())
    }

    /// Hands over what there is at the end.
    pub(crate) fn close(mut self, in_flight: u64) {
        self.tally.reached = u32::MAX;
        self.tally.open = 0;
        self.tally.in_flight = in_flight;
        let _ = self.parts.send(Part { worker: self.worker, tally: self.tally });
    }

    /// The second of the run that a moment belongs to, from 0.
    fn second(&self, now: u64) -> u32 {
        let aftermath = now >= self.end && now < self.end + AFTERMATH;
        let moment = if aftermath { self.end - 1 } else { now };
        u32::try_from(moment / SECOND).unwrap_or(u32::MAX - 1)
    }
}

/// A moment of the run in words.
fn moment(nanos: u64) -> String {
    format!("{:.3}s", nanos as f64 / 1e9)
}

fn span(nanos: u64) -> String {
    crate::thresholds::milliseconds(nanos as f64 / 1e6)
}
