//! What the figures of a run can and can't vouch for, in words.

use patchbay_contracts::{run::Verdict, units::Span};

use super::{Findings, is_busy};
use crate::{
    failure::Kind,
    sums::quantiles,
    thresholds::{milliseconds, too_few},
};

/// Little's law holds for what was counted rightly. What is under way at the edges of the measured time leaves a little.
const LARGEST_RESIDUAL: f64 = 0.1;

impl Findings<'_> {
    /// All notes, the gravest first.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        self.nothing_answered(&mut notes);
        self.generator(&mut notes);
        self.cancelled(&mut notes);
        if let Some(breach) = &self.breach {
            notes.push(format!("The run was ended early, since a threshold could not be held any more: {breach}."));
        }
        self.offered(&mut notes);
        self.never_answered(&mut notes);
        self.given_up(&mut notes);
        self.samples(&mut notes);
        self.excess(&mut notes);
        notes.extend(self.plan.notes.iter().cloned());
        notes.push(self.means());
        notes
    }

    fn nothing_answered(&self, notes: &mut Vec<String>) {
        if self.totals.answered > 0 {
            return;
        }
        let first =
            self.sums.examples.first().map(|example| format!(" The first failure: {}.", example.text)).unwrap_or_default();
        notes.push(match self.totals.failed {
            0 => "Nothing was answered.".to_owned(),
            failed => format!("Nothing was answered; all of {failed} attempts failed.{first}"),
        });
        if self.sums.counts.errors[Kind::Refused as usize] > 0 {
            notes.push(
                "Refused connections were tried again after a rest of 10ms to 640ms, not at once; a refusal stands for all \
                 arrivals that waited for that connection."
                    .to_owned(),
            );
        }
    }

    fn generator(&self, notes: &mut Vec<String>) {
        let stalls = self.sums.stalls;
        if stalls.count > 0 {
            let times = if stalls.count == 1 { "once".to_owned() } else { format!("{} times", stalls.count) };
            notes.push(format!(
                "The generator itself stood still {times}, for {} at the longest, so latencies are too long by up to that, and \
                 what the service did meanwhile wasn't seen. That is this machine's doing, not the service's.",
                milliseconds(stalls.longest as f64 / 1e6)
            ));
        }
        let lag = quantiles(&self.sums.lag);
        if lag.p99_ms * 1e6 > super::LARGEST_LAG as f64 {
            notes.push(format!(
                "The generator came too late to its requests (99% within {}, {} at the longest){}, so the load wasn't offered \
                 as evenly as asked for. That is this machine's doing, not the service's.",
                milliseconds(lag.p99_ms),
                milliseconds(lag.max_ms),
                self.processor_share()
            ));
        }
        if super::fell_short_by_itself(self.plan, self.sums, self.endings) {
            notes.push(format!(
                "The generator was busy nearly all the time{} and sent {} requests where more were due, so it may be what set the \
                 limit, not the service.",
                self.processor_share(),
                self.totals.sent
            ));
        }
        if self.sums.counts.errors[Kind::Local as usize] > 0 {
            notes.push(
                "This machine ran out of ports, sockets or memory for connections, which is no fault of the service. Use fewer \
                 connections, a lower rate, or a service that keeps its connections open."
                    .to_owned(),
            );
        }
        if self.figures.doubts.generator_busy {
            notes.push(format!(
                "The generator was the bottleneck: it was busy all the time{}. The service could do more than this, and latencies \
                 are longer than the service's own.",
                self.processor_share()
            ));
        }
        if let Some(residual) = self.generator.littles_law_residual.filter(|residual| *residual > LARGEST_RESIDUAL)
            && self.latency.mean() / 1e9 < self.figures.seconds * LARGEST_RESIDUAL
        {
            notes.push(format!(
                "By Little's law the number of requests under way is the rate times the mean latency. Observed were {:.2}, which \
                 is off by {:.0}%, so some of the figures don't fit each other.",
                self.generator.concurrency,
                residual * 100.0
            ));
        }
        if (self.figures.doubts.generator_late || self.figures.doubts.generator_busy) && self.verdict == Verdict::Inconclusive {
            notes.push("The run is inconclusive and passes nothing: the figures aren't those of the service alone.".to_owned());
        }
    }

    /// How much of a processor the busiest thread used.
    fn processor_share(&self) -> String {
        let share = |ending: &crate::worker::Ending| Some(ending.effort.processor? / ending.effort.seconds.max(1e-9));
        match self.endings.iter().filter_map(share).max_by(f64::total_cmp) {
            Some(share) => format!(" with {:.0}% of a processor", share * 100.0),
            None => String::new(),
        }
    }

    fn cancelled(&self, notes: &mut Vec<String>) {
        if self.figures.doubts.cancelled {
            notes.push(format!(
                "The run was cancelled; the figures are those of the {} that were measured.",
                milliseconds(self.figures.seconds * 1e3)
            ));
        }
    }

    /// Whether the asked-for rate was reached, where the generator isn't to blame.
    fn offered(&self, notes: &mut Vec<String>) {
        let Some(rate) = self.plan.target_rate() else { return };
        if self.totals.dropped > 0 {
            notes.push(format!(
                "{} arrivals were dropped since none of the {} connections became free for them in time; the time that they \
                 waited counts as a lower bound of their latency.",
                self.totals.dropped, self.plan.connections
            ));
        }
        let sent = self.sums.counts.begun as f64 / self.figures.seconds.max(1e-9);
        if sent < rate * 0.99
            && !self.figures.doubts.generator_late
            && self.figures.sent > 0
            && rate * self.figures.seconds > 100.0
        {
            notes.push(format!(
                "Of the {rate:.1}/s that were asked for, {sent:.1}/s could be sent; the service was the bottleneck."
            ));
        }
    }

    fn never_answered(&self, notes: &mut Vec<String>) {
        if self.totals.unanswered == 0 {
            return;
        }
        let unconnected: u64 = self.endings.iter().map(|ending| ending.unconnected).sum();
        let of_them =
            if unconnected > 0 { format!(" ({unconnected} of them still waited for their connection)") } else { String::new() };
        let waited = self.endings.iter().map(|ending| ending.at.saturating_sub(ending.until)).max().unwrap_or_default();
        let when = if self.figures.doubts.cancelled {
            "by then".to_owned()
        } else if waited < self.plan.grace {
            format!("when the run was ended, {} after the last was due", milliseconds(waited as f64 / 1e6))
        } else {
            format!("{} after the end", Span(std::time::Duration::from_nanos(self.plan.grace)))
        };
        notes.push(format!(
            "{} requests had no answer {when}{of_them}. The time that they had waited counts as a lower bound of their latency, \
             where it was no less than the median.",
            self.totals.unanswered
        ));
    }

    fn given_up(&self, notes: &mut Vec<String>) {
        let errors = &self.sums.counts.errors;
        let kinds = [Kind::ConnectTimeout, Kind::TlsTimeout, Kind::ResponseTimeout, Kind::DownloadTimeout];
        let given_up: u64 = kinds.into_iter().map(|kind| errors[kind as usize]).sum();
        if given_up > 0 {
            notes.push(format!(
                "{given_up} requests were given up after {}; they count with the time that they waited, and would have taken longer.",
                Span(std::time::Duration::from_nanos(self.plan.timeout))
            ));
        }
    }

    /// Which percentiles have too few samples to mean anything.
    fn samples(&self, notes: &mut Vec<String>) {
        let samples = self.latency.len();
        let few: Vec<&str> = [("p75", 0.75), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999)]
            .into_iter()
            .filter(|&(_, quantile)| too_few(samples, quantile).is_some())
            .map(|(name, _)| name)
            .collect();
        if samples > 0 && !few.is_empty() {
            notes.push(format!("{samples} samples are too few for {}: there it is the slowest of all.", few.join(" and ")));
        }
    }

    fn excess(&self, notes: &mut Vec<String>) {
        if self.sums.excess > 0 {
            notes.push(format!(
                "{} answers had more bytes than they said; their connections were closed, since what follows can't be told from \
                 the next answer.",
                self.sums.excess
            ));
        }
    }

    /// With what the requests were sent.
    fn means(&self) -> String {
        let threads = if self.plan.threads == 1 { "1 thread".to_owned() } else { format!("{} threads", self.plan.threads) };
        let connections = self.plan.connections;
        let busy = self.endings.iter().filter(|ending| is_busy(self.plan, &ending.effort)).count();
        let load = if busy > 0 { format!(", {busy} of them busy throughout") } else { String::new() };
        match &self.plan.rate {
            Some(_) => format!("Sent by {threads} over up to {connections} connections."),
            None => format!("Sent by {threads}{load} over {connections} connections."),
        }
    }
}
