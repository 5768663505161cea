//! The geometry of charts, for the window and for exported reports.
