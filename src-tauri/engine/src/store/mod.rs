//! Results, in SQLite.
