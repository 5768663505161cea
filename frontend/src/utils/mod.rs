//! Helpers with no home of their own, by subject. All but [`clock`] and [`dom`] are plain functions over plain data.

pub mod clock;
pub mod compare;
pub mod curl;
pub mod difference;
pub mod dom;
pub mod edits;
pub mod families;
pub mod find;
pub mod hosts;
pub mod input;
pub mod load_draft;
pub mod matrix;
pub mod order;
pub mod search;
pub mod text;
pub mod yaml;
