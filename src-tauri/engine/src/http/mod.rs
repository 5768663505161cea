//! One HTTP exchange, with its timing.
