//! The load generator against real servers on the loopback interface: what it counts, what it measures, and what it
//! admits not to know.

mod failing;
mod framing;
mod honesty;
mod thresholds;
mod workloads;
