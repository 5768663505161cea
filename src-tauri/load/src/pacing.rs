//! Waiting for events and for the next arrival, whichever comes first, to within some microseconds.
//!
//! The time-out of a poll is in whole milliseconds. So on Linux a timer of the kernel's ends the wait shortly before an
//! arrival is due, elsewhere a shorter time-out does, and the rest is spent polling without waiting.

use std::{
    cell::Cell,
    io, thread,
    time::{Duration, Instant},
};

use mio::{Events, Poll};

/// How long before an arrival the timer goes off at the latest and at the soonest, in nanoseconds. In between it follows how
/// late this machine wakes up, which takes a virtual one several times as long. A wait of less than twice that isn't worth
/// going to sleep for.
const LEAST_MARGIN: u64 = 30_000;
const MOST_MARGIN: u64 = 200_000;

/// Waits on a poll.
pub(crate) struct Pacer {
    #[cfg(target_os = "linux")]
    timer: Option<std::os::fd::OwnedFd>,
    /// How long before an arrival to wake up.
    margin: Cell<u64>,
}

/// The token of the timer's events, which nobody needs to look at.
#[cfg(target_os = "linux")]
const TIMER: mio::Token = mio::Token(usize::MAX);

impl Pacer {
    /// Sets up a timer on the poll where there is one to be had.
    pub(crate) fn new(poll: &Poll) -> Self {
        #[cfg(target_os = "linux")]
        {
            Self { timer: linux_timer(poll).ok(), margin: Cell::new(LEAST_MARGIN) }
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = poll;
            Self { margin: Cell::new(LEAST_MARGIN) }
        }
    }

    /// Waits for events for at most so many nanoseconds. An exact wait ends no later than that, and may end earlier.
    pub(crate) fn wait(&self, poll: &mut Poll, events: &mut Events, nanos: u64, exact: bool) -> io::Result<()> {
        let timeout = if nanos == 0 {
            Duration::ZERO
        } else if exact {
            self.exact_timeout(nanos)
        } else {
            Duration::from_nanos(nanos)
        };
        if exact && timeout.is_zero() {
            // Whoever waits for this processor goes first. Often it is the service itself: the kernel wakes it on the processor
            // of the thread that sent it something, in the belief that this one will sleep now.
            thread::yield_now();
        }
        let began = Instant::now();
        let outcome = poll.poll(events, Some(timeout));
        if exact && !timeout.is_zero() {
            self.learn(nanos, began.elapsed());
        }
        match outcome {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            other => other,
        }
    }

    /// Takes in how late a wait ended, so that the next one is begun to end by so much sooner.
    fn learn(&self, nanos: u64, took: Duration) {
        let margin = self.margin.get();
        let late = (took.as_nanos() as u64).checked_sub(nanos - margin);
        // An event of a connection may end it sooner, and says nothing.
        if let Some(late) = late {
            let wanted = (late + late / 4).max(margin - margin / 64);
            self.margin.set(wanted.clamp(LEAST_MARGIN, MOST_MARGIN));
        }
    }

    fn exact_timeout(&self, nanos: u64) -> Duration {
        let margin = self.margin.get();
        if nanos < 2 * margin {
            return Duration::ZERO;
        }
        #[cfg(target_os = "linux")]
        if let Some(timer) = &self.timer
            && arm(timer, nanos - margin).is_ok()
        {
            // The timer comes first; the time-out only guards against one that doesn't.
            return Duration::from_nanos(nanos);
        }
        // The poll rounds up to a millisecond, and is late by a part of one.
        Duration::from_millis((nanos / 1_000_000).saturating_sub(1))
    }
}

#[cfg(target_os = "linux")]
fn linux_timer(poll: &Poll) -> io::Result<std::os::fd::OwnedFd> {
    use std::os::fd::AsRawFd;

    use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};

    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
    poll.registry().register(&mut mio::unix::SourceFd(&timer.as_raw_fd()), TIMER, mio::Interest::READABLE)?;
    Ok(timer)
}

/// Lets the timer go off once. Setting it anew also takes back an expiry that nobody read.
#[cfg(target_os = "linux")]
fn arm(timer: &std::os::fd::OwnedFd, nanos: u64) -> io::Result<()> {
    use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};

    let once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let after = Timespec { tv_sec: (nanos / 1_000_000_000) as i64, tv_nsec: (nanos % 1_000_000_000) as _ };
    timerfd_settime(timer, TimerfdTimerFlags::empty(), &Itimerspec { it_interval: once, it_value: after })?;
    Ok(())
}
