//! One thing that is tried: a request, what is special about it, and what follows from that.

use super::{call::Call, judge::Kind, resources::Instance};

/// A request with its purpose.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    pub(super) call: Call,
    pub(super) kind: Kind,
    /// Where it is special: a JSON pointer into the body, or `query.limit`.
    pub(super) pointer: String,
    /// The keyword that its speciality is about.
    pub(super) keyword: &'static str,
    /// Its speciality as a sentence.
    pub(super) what: String,
    /// Where the document says so.
    pub(super) asked: String,
    /// Whether a refusal of it, where it is valid, is a failure.
    pub(super) firm: bool,
    /// Valid by the letter, and such that only a service that breaks over it is to blame.
    pub(super) strange: bool,
    /// Invalid in a way that many services put up with on purpose.
    pub(super) hint: bool,
    /// Whether what was written is read again and compared.
    pub(super) read_back: bool,
    /// What the path leads to, where that was made here.
    pub(super) instance: Option<Instance>,
}

impl Trial {
    /// An ordinary valid request.
    pub(super) fn valid(call: Call, asked: &str) -> Self {
        Self {
            call,
            kind: Kind::Valid,
            pointer: String::new(),
            keyword: "ordinary",
            what: "The request is an ordinary one".to_owned(),
            asked: asked.to_owned(),
            firm: true,
            strange: false,
            hint: false,
            read_back: true,
            instance: None,
        }
    }
}
