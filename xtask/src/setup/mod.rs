//! Finds out what this machine lacks, and installs it.
//!
//! Each start asks the package database again, which takes a few milliseconds, in place of remembering an answer that
//! may have become wrong.

mod install;
mod platform;
mod windows;

use crate::failure::{Failure, Outcome};
use crate::process::say;
use crate::wasm;
use platform::Platform;

/// What a machine has to bring along, by what it is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// Building the two programs and the page.
    Build,
    /// A second Rust compiler that brings the sources of its standard library, for the page, where rustup can't help.
    PageCompiler,
    /// Driving the window in a test: a display, a session bus, a keychain, and a WebDriver.
    Window,
    /// The real servers that tests hold Patchbay against.
    Servers,
    /// Rendering the icon.
    Drawing,
}

impl Need {
    /// What `run` and `test` together need. The page's compiler is decided on the way, and the icon is committed.
    pub const ALL: [Need; 3] = [Need::Build, Need::Window, Need::Servers];

    fn purpose(self) -> &'static str {
        match self {
            Need::Build => "building the programs",
            Need::PageCompiler => "building the page",
            Need::Window => "window tests",
            Need::Servers => "tests against real servers",
            Need::Drawing => "rendering the icon",
        }
    }
}

/// Sees to it that everything for `needs` is there, or fails with what is missing and how to get it.
pub fn ensure(needs: &[Need]) -> Outcome {
    let platform = Platform::detect();
    let mut missing = platform.missing(needs)?;
    let page = needs.contains(&Need::Build);
    if page && wasm::find_way().is_none() && !wasm::add_target() {
        missing.extend(platform.missing(&[Need::PageCompiler])?);
    }
    install::install(&platform, &missing)?;
    if page && wasm::find_way().is_none() {
        return Err(Failure::cannot(wasm::ADVICE));
    }
    Ok(())
}

/// Prints what `system` needs, for a person who prepares another machine, or an image of one.
pub fn describe(system: &str) -> Outcome {
    let Some((_, platform)) = Platform::NAMED.iter().find(|(name, _)| *name == system) else {
        let known = Platform::NAMED.map(|(name, _)| name).join(", ");
        return Err(Failure::usage(format!("set-up knows no system `{system}`. Those that it knows: {known}.")));
    };
    for line in platform.instructions(&Need::ALL) {
        println!("{line}");
    }
    println!("{}: {}", Need::PageCompiler.purpose(), wasm::ADVICE);
    Ok(())
}

/// Says what is missing, without changing anything.
pub fn report() -> Outcome {
    let platform = Platform::detect();
    say(&format!("this is {}", platform.name()));
    let mut complete = true;
    for need in Need::ALL {
        let missing = platform.missing(&[need])?;
        complete &= missing.is_empty();
        let finding = if missing.is_empty() { "complete".to_owned() } else { format!("lacks {}", missing.join(" ")) };
        say(&format!("{}: {finding}", need.purpose()));
    }
    match wasm::find_way() {
        Some(way) => say(&format!("{}: {}", Need::PageCompiler.purpose(), way.description())),
        None => {
            complete = false;
            say(wasm::ADVICE);
        }
    }
    let unfinished = "something is missing; `cargo xtask setup` installs it.";
    if complete { Ok(()) } else { Err(Failure { message: unfinished.to_owned(), exit: 1 }) }
}
