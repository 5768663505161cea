//! How a command of xtask ends when it does not succeed.

/// What happened, why and what to do, with the exit status that goes with it.
#[derive(Debug)]
pub struct Failure {
    /// Shown after `error:`. Empty when a program that was started has said all there is to say.
    pub message: String,
    /// 1 a check did not hold, 2 bad usage, 3 it could not be carried out; or the status of the program that failed.
    pub exit: u8,
}

/// What every command of xtask gives back.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// Something is missing or broken, so the work could not be carried out.
    pub fn cannot(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: 3 }
    }

    /// The command line was not understood.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: 2 }
    }
}

/// Gives an I/O error the subject that it lacks by itself.
pub trait About<T> {
    /// `what` reads as the object of "could not": `read frontend/index.html`.
    fn about(self, what: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: std::fmt::Display> About<T> for Result<T, E> {
    fn about(self, what: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| Failure::cannot(format!("could not {}: {error}", what())))
    }
}
