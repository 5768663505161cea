//! Pact: consumer contracts, versions 1 to 4 of its specification, matched by the field's own crates.
//!
//! Those crates take files at their word: they panic on a status that is no number or a header without a value. Everything
//! passes [`tame`] first, and what still goes wrong inside of them becomes a problem and no end of the program.

mod broker;
mod case;
mod exchange;
mod interactions;
mod judging;
mod matching;
mod mismatch;
mod source;
mod states;
mod tame;
mod verify;

pub(in crate::contract) use self::case::judge_case;
pub use self::{
    case::read_case,
    matching::{Matched, PactSpecification, Part, match_case, specification},
    source::{PactFile, Source},
    verify::verify,
};
