//! What a load run shows and leaves behind: the form, the report's words, its files, and its figures while it goes on.

mod form;
mod metrics;
mod report;
#[cfg(target_os = "linux")]
mod terminal;
