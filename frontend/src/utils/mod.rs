//! Helpers with no home of their own, by subject. All but [`clock`] and [`dom`] are plain functions.

pub mod clock;
pub mod curl;
pub mod dom;
pub mod search;
pub mod text;
pub mod yaml;
