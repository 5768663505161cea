//! Health checks and scrapes at their intervals, and what they say.
//!
//! [`check()`] makes one health check and [`record()`] stores it; [`Monitor`] does both for every integration of the
//! workspace, again and again. [`status()`], [`summary()`] and [`history()`] tell from what is stored how an integration
//! does. Time in which nobody looked, because the machine slept or the program did not run, is *unobserved*: neither up
//! nor down.

pub mod figures;
pub mod schedule;

mod check;
mod history;
mod pace;
mod run;
mod standing;

pub use check::{DEFAULT_CONDITION, carried_out, check, check_with};
pub use history::history;
pub use pace::{interval, pace, timeout};
pub use run::{Monitor, MonitorEvent, Parts};
pub use standing::{Standing, Summary, cause, record, standing, status, summary};
