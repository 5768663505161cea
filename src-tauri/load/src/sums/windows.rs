//! The measured time in parts: histograms of even stretches, for comparisons between runs, and the stretches that
//! thresholds over windows are judged by.

use hdrhistogram::Histogram;
use patchbay_contracts::{Problem, load::ThresholdResult, run::Verdict, units::Span};

use super::OpenSlice;
use crate::{
    figures::{Doubts, Figures},
    hdr,
    plan::Plan,
    thresholds::Threshold,
    worker::tally::{Counts, StepTally, histogram},
};

/// The most stretches of a run. Where there would be more, each two become one.
pub(crate) const MOST: usize = 60;

/// The parts of a run.
pub(crate) struct Windows {
    /// Histograms of stretches that are over, encoded: whole they would take most of the memory.
    closed: Vec<Vec<u8>>,
    /// How many seconds make a stretch.
    seconds: u32,
    open: Histogram<u64>,
    held: u32,
    judged: Vec<Judged>,
    /// When no more requests are due, in nanoseconds of the run.
    end: u64,
}

/// A threshold over windows.
struct Judged {
    threshold: Threshold,
    seconds: u32,
    held: u32,
    counts: Counts,
    latency: Histogram<u64>,
    step: Option<StepTally>,
    worst: Option<ThresholdResult>,
}

impl Windows {
    pub(crate) fn new(plan: &Plan) -> Result<Self, Problem> {
        let longest = plan.longest_latency();
        let mut judged = Vec::new();
        for threshold in &plan.thresholds {
            let Some(over) = threshold.over() else { continue };
            judged.push(Judged {
                threshold: threshold.clone(),
                seconds: u32::try_from(over.0.as_secs()).unwrap_or(u32::MAX).max(1),
                held: 0,
                counts: Counts::default(),
                latency: histogram(longest)?,
                step: threshold.step().map(|_| StepTally::new(longest)).transpose()?,
                worst: None,
            });
        }
        Ok(Self { closed: Vec::new(), seconds: 1, open: histogram(longest)?, held: 0, judged, end: plan.end })
    }

    /// Whether steps are wanted by themselves.
    pub(crate) fn wants_steps(&self) -> bool {
        self.judged.iter().any(|judged| judged.step.is_some())
    }

    /// Adds a second that is over.
    pub(crate) fn add(&mut self, second: u32, slice: &OpenSlice) -> Result<(), Problem> {
        self.open.add(&slice.latency).map_err(Problem::internal)?;
        self.held += 1;
        if self.held == self.seconds {
            self.close()?;
        }
        let is_whole = (u64::from(second) + 1) * 1_000_000_000 <= self.end;
        for judged in &mut self.judged {
            // After the end only what is still to come is counted, and where nothing comes there is nothing to judge.
            if is_whole || !judged.threshold.is_amount() && slice.counts.has_any() {
                judged.add(second, slice)?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Problem> {
        self.closed.push(hdr::encode(&self.open)?);
        self.open.reset();
        self.held = 0;
        if self.closed.len() > MOST {
            let pairs: Result<Vec<_>, Problem> = self
                .closed
                .chunks(2)
                .map(|pair| {
                    let mut sum = hdr::decode(&pair[0])?;
                    if let Some(other) = pair.get(1) {
                        sum.add(hdr::decode(other)?).map_err(Problem::internal)?;
                    }
                    hdr::encode(&sum)
                })
                .collect();
            self.closed = pairs?;
            self.seconds *= 2;
        }
        Ok(())
    }

    /// The stretches that are over, encoded as text.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.closed.iter().map(|bytes| hdr::text(bytes)).collect()
    }

    /// How the thresholds over windows stand, in the order of the plan; nothing for one of which no window is over.
    pub(crate) fn results(&self) -> impl Iterator<Item = Option<&ThresholdResult>> {
        self.judged.iter().map(|judged| judged.worst.as_ref())
    }
}

impl Judged {
    fn add(&mut self, second: u32, slice: &OpenSlice) -> Result<(), Problem> {
        match (&mut self.step, self.threshold.step()) {
            (Some(sum), Some(place)) => {
                if let Some(step) = slice.steps.get(place) {
                    sum.add(step)?;
                }
            }
            _ => {
                self.counts.add(&slice.counts);
                self.latency.add(&slice.latency).map_err(Problem::internal)?;
            }
        }
        self.held += 1;
        if self.held < self.seconds {
            return Ok(());
        }
        let figures = self.figures();
        let mut result = self.threshold.judge(&figures, &figures.latency);
        let from = (second + 1).saturating_sub(self.seconds);
        result.actual = format!("{}, from {} to {}", result.actual, Span::secs(from.into()), Span::secs((second + 1).into()));
        if self.worst.as_ref().is_none_or(|worst| badness(result.verdict) > badness(worst.verdict)) {
            self.worst = Some(result);
        }
        self.held = 0;
        self.counts = Counts::default();
        self.latency.reset();
        if let Some(step) = &mut self.step {
            step.clear();
        }
        Ok(())
    }

    fn figures(&self) -> Figures {
        let seconds = f64::from(self.seconds);
        match &self.step {
            Some(step) => Figures::of_step(step, Vec::new(), seconds, Doubts::default()),
            None => Figures {
                latency: self.latency.clone(),
                waited: Vec::new(),
                sent: self.counts.sent,
                answered: self.counts.answered,
                failed: self.counts.failed(),
                ended: self.counts.answered + self.counts.unmet() + self.counts.dropped,
                dropped: self.counts.dropped,
                answered_in_time: self.counts.answered,
                seconds,
                doubts: Doubts::default(),
            },
        }
    }
}

const fn badness(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass => 0,
        Verdict::Inconclusive => 1,
        Verdict::Fail => 2,
    }
}
