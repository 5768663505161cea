//! A virtual user: what it is at, and which request it has under way.

use crate::script::template::Values;

/// What a user is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    /// It waits for a connection or for work.
    Free,
    /// Its request is under way.
    Busy,
    /// It thinks before its next request.
    Thinking,
}

/// A virtual user. Each has a stream of a connection to itself.
pub(crate) struct User {
    pub(crate) activity: Activity,
    /// When its request began for the figures: the intended time in an open workload, that of the send in a closed one.
    pub(crate) began: u64,
    /// When it went out.
    pub(crate) sent: u64,
    /// When the first byte of the answer came; 0 where none did yet.
    pub(crate) first_byte: u64,
    /// When it is given up.
    pub(crate) due: u64,
    /// Which request it is.
    pub(crate) step: usize,
    /// Whether it is in the middle of an iteration, so that its next request is `step`.
    pub(crate) underway: bool,
    /// What differs from request to request, where anything does.
    pub(crate) values: Option<Box<Values>>,
}

impl User {
    pub(crate) const fn new(values: Option<Box<Values>>) -> Self {
        Self { activity: Activity::Free, began: 0, sent: 0, first_byte: 0, due: u64::MAX, step: 0, underway: false, values }
    }
}
