//! The one thing that a shell holds.

/// The engine.
#[derive(Debug)]
pub struct Engine {}
