//! Helpers with no home of their own, by subject.

pub mod folders;
pub mod limit;
pub mod nearest;
pub mod pattern;

pub use nearest::nearest;
