//! Puts both programs, built for release, into one archive.

use crate::dist;
use crate::failure::{About, Failure, Outcome};
use crate::paths::{program, root, target};
use crate::process::{cargo, output, run, say, shown, timed};
use crate::setup::{self, Need};
use std::fs;
use std::process::Command;

/// What goes beside the programs, from the top of the repository.
const COMPANIONS: [&str; 4] = ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "icons/icon.png"];

/// Writes `target/package/patchbay-<version>-<target>.tar.gz`.
pub fn package() -> Outcome {
    setup::ensure(&[Need::Build])?;
    dist::build()?;
    timed("building for release", || {
        run(cargo().args(["build", "--locked", "--release", "--package", "patchbay-desktop", "--package", "patchbay-cli"]))
    })?;
    let name = format!("patchbay-{}-{}", env!("CARGO_PKG_VERSION"), host()?);
    let package = target().join("package");
    let folder = package.join(&name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).about(|| format!("make the folder {}", shown(&folder)))?;
    let programs = ["patchbay", "patchbay-desktop"].map(|name| program("release", name));
    for file in programs.into_iter().chain(COMPANIONS.map(|name| root().join(name))) {
        let place = folder.join(file.file_name().unwrap_or_default());
        fs::copy(&file, &place).about(|| format!("copy {} into the package", shown(&file)))?;
    }
    let archive = package.join(format!("{name}.tar.gz"));
    // Each of the three systems brings a tar that knows these options.
    run(Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(&package).arg(&name))?;
    say(&format!("the package is {}", shown(&archive)));
    Ok(())
}

fn host() -> Outcome<String> {
    let host = output(Command::new("rustc").args(["--print", "host-tuple"]));
    host.ok_or_else(|| Failure::cannot("`rustc --print host-tuple` gave no answer, so the package can't be named."))
}
