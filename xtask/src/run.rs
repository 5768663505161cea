//! Opens the window, or takes its tour on the command line where there is no display.

use crate::dist;
use crate::failure::Outcome;
use crate::paths::program;
use crate::process::{cargo, run as run_command, say, timed};
use crate::setup::{self, Need};
use crate::tour;
use std::process::Command;

/// The one that the tests use too, so that neither builds the other's tree again. A release takes twice as long to build,
/// and what needs its speed, the load generator, is optimised in this one as well.
const PROFILE: &str = "dev";

/// Sets up, builds what has changed, and opens the window with `arguments`.
pub fn run(arguments: &[&str]) -> Outcome {
    setup::ensure(&[Need::Build])?;
    dist::build()?;
    timed("building Patchbay", || {
        let packages = ["--package", "patchbay-desktop", "--package", "patchbay-cli"];
        run_command(cargo().args(["build", "--locked", "--profile", PROFILE]).args(packages))
    })?;
    if !has_display() {
        say("there is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so this is the command line's tour");
        return tour::take(&program(PROFILE, "patchbay"));
    }
    open(Command::new(program(PROFILE, "patchbay-desktop")).args(arguments))
}

fn has_display() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("WAYLAND_DISPLAY") || set("DISPLAY")
}

/// Gives this process over to the window, so that a signal reaches the window itself.
#[cfg(unix)]
fn open(window: &mut Command) -> Outcome {
    use crate::failure::Failure;
    use std::os::unix::process::CommandExt;
    crate::process::forget_own_build(window);
    let error = window.exec();
    Err(Failure::cannot(format!("could not open the window: {error}")))
}

#[cfg(not(unix))]
fn open(window: &mut Command) -> Outcome {
    run_command(window)
}
