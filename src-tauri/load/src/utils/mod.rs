//! Helpers with no home of their own.

pub(crate) mod cpu;
pub(crate) mod files;
