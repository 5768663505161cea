//! What the tests of Patchbay share: servers, fixtures and drivers, by subject.

pub mod definitions;
pub mod encodings;
pub mod http;
pub mod load;
pub mod metrics;
pub mod monitor;
pub mod results;
pub mod workspaces;
