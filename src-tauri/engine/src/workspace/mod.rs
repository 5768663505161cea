//! The workspace folder: integration files, environments, and what becomes of them.
