//! Health checks and scrapes at their intervals.
