//! Helpers with no home of their own, by subject.
