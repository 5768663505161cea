//! Installs packages, having said which, and on a person's own machine only after asking.

use super::platform::Platform;
use crate::failure::{About, Failure, Outcome};
use crate::process::{find, output, run, say};
use std::io::{IsTerminal, Write};
use std::process::Command;

/// Packages bring services that start by themselves, now and at each boot. Patchbay's tests start their own instances on
/// free ports, so the packages' services are kept from starting, unless the machine already has a policy of its own.
const INSTALL_ON_DEBIAN: &str = r#"
set -e
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
fi
apt-get update -qq || echo 'xtask: the package lists could not be refreshed; going on with those that are here' >&2
apt-get install -y --no-install-recommends "$@"
if [ -d /run/systemd/system ]; then
    for package in "$@"; do
        case "$package" in nginx|prometheus|prometheus-node-exporter) systemctl disable --quiet "$package" || true ;; esac
    done
fi
"#;

/// Installs `missing`, or fails with the command that would.
pub fn install(platform: &Platform, missing: &[String]) -> Outcome {
    if missing.is_empty() {
        return Ok(());
    }
    let Some(installer) = platform.installer() else {
        let names = missing.join("\n    ");
        return Err(Failure::cannot(format!(
            "set-up doesn't install anything by itself on this system. It lacks\n\n    {names}\n"
        )));
    };
    let as_typed = format!("{} {}", installer.join(" "), missing.join(" "));
    if *platform == Platform::MacOs {
        agree(&as_typed)?;
        return run(Command::new(installer[0]).args(&installer[1..]).args(missing));
    }
    let root = output(Command::new("id").arg("-u")).is_some_and(|id| id == "0");
    let mut command = if root {
        say(&format!("installing what is missing: {as_typed}"));
        Command::new("env")
    } else {
        if find("sudo").is_none() {
            return Err(Failure::cannot(format!("packages are missing, and there is no sudo. As root: {as_typed}")));
        }
        agree(&format!("sudo {as_typed}"))?;
        Command::new("sudo")
    };
    if *platform == Platform::Debian {
        command.args(["sh", "-c", INSTALL_ON_DEBIAN, "xtask-setup"]);
    } else {
        command.args(installer);
    }
    run(command.args(missing))
}

/// Asks before changing a person's machine. Without anybody to ask, says what to type and stops.
fn agree(command: &str) -> Outcome {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::cannot(format!("packages are missing. Install them with\n\n    {command}\n")));
    }
    eprint!("xtask: packages are missing. Run `{command}`? [y/N] ");
    std::io::stderr().flush().about(|| "ask".to_owned())?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).about(|| "read the answer".to_owned())?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(Failure::cannot(format!("nothing was installed. When you want it: {command}")))
}
