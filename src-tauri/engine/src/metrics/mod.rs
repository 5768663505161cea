//! Prometheus metrics: read, stored, and made into lines.
