//! See Cargo.toml.
pub mod figures;
pub mod thresholds;
