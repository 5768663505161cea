//! Whether a service holds to its contract.
