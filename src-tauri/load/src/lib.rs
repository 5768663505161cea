//! Patchbay's load generator: HTTP/1.1, HTTP/2 and WebSocket over plain or TLS sockets, from threads of its own with a poll of
//! their own. Knows no database, no keychain and no asynchronous runtime.
//!
//! # Workloads
//! A [`script::Script`] says what virtual users do: one request, several by weight, or a chain of them. In a closed workload
//! (`constant-connections`, `ramping-connections`) each user sends its next request when the last was answered; a latency
//! runs from the send, and the time to connect isn't in it. In an open one (`constant-arrival-rate`,
//! `ramping-arrival-rate`) iterations are due at even or at random intervals, whatever the service does; the latency of an
//! iteration's first request runs from the moment that it was due, so what it waited for a free connection, or for one to be
//! opened, is in it. An arrival that finds all connections taken waits for as long as a request may take (`timeout`), and is
//! then dropped, and counted as dropped.
//!
//! # Protocols
//! What travels on a connection is a carrier's own affair. Pacing, figures and verdicts know requests, streams and answers
//! only, so another protocol is one more carrier.
//!
//! # Time
//! All times are of the monotonic clock. A response is complete with its last byte, at the time at which the system received
//! it; where the system doesn't say (it does on Linux), when it was read. The next arrival is awaited by a
//! timer of the kernel's on Linux and by polling for the last millisecond elsewhere, so it is noticed within some
//! microseconds; how late the generator was all the same is in the report as the schedule lag.
//!
//! # The end
//! At the end of the duration no more requests are due. Those in flight, and arrivals that still wait for a connection,
//! are awaited for the grace (5 s by default) or as long as a request may take, whichever is shorter. What is then not
//! answered is counted. The time that it had waited is a lower bound of its latency, and goes into the figures where it
//! is no less than the median; a younger one says nothing of the service. A request that was given up after `timeout`
//! counts with the time that it waited. A run that is cancelled awaits nothing.
//!
//! # Threads
//! One thread, and one more for each further 128 users of a closed workload or 20 000 iterations a second of an open one, but
//! no more than there are cores. Connections are divided evenly between them.
//!
//! # What isn't done
//! Redirects aren't followed, cookies aren't kept, bodies aren't decoded: a request is sent as it is, and the status of
//! its answer is counted, with what somebody looks into it for. The host is resolved once, before the start; where it has several addresses and one can't be
//! connected to, the next is tried.

pub mod compare;
mod curve;
mod failure;
pub mod figures;
pub mod hdr;
mod pacing;
mod plan;
mod report;
mod run;
pub mod script;
mod sums;
mod target;
pub mod thresholds;
mod utils;
mod wire;
mod worker;

pub use plan::{
    DEFAULT_CONNECTION_CAP, DEFAULT_CONNECTIONS, DEFAULT_DURATION, DEFAULT_GRACE, DEFAULT_TIMEOUT, HIGHEST_RATE, MOST_CONNECTIONS,
};
pub use run::run;
pub use target::Target;
