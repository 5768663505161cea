//! Opens the window.
pub fn run(_: &[&str]) -> crate::failure::Outcome {
    Err(crate::failure::Failure::cannot("not yet"))
}
