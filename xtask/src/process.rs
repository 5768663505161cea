//! Other programs: finding them, starting them, and saying so.

use crate::failure::{About, Failure, Outcome};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Says what is done next. On standard error, as all that xtask says of itself.
pub fn say(message: &str) {
    eprintln!("xtask: {message}");
}

/// Says `what`, does it, and says how long it took if that was long enough to notice.
pub fn timed<T>(what: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    say(what);
    let started = Instant::now();
    let outcome = work()?;
    let seconds = started.elapsed().as_secs_f64();
    if seconds >= 1.0 {
        say(&format!("{what}: took {seconds:.1} s"));
    }
    Ok(outcome)
}

/// Where `name` is in the PATH, if anywhere.
pub fn find(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(&file)).find(|path| path.is_file())
}

/// Runs `command` with its output passed through, and fails with its exit status if it fails.
pub fn run(command: &mut Command) -> Outcome {
    let status = command.status().about(|| format!("start {}", line(command)))?;
    if status.success() {
        return Ok(());
    }
    let exit = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Err(Failure { message: format!("`{}` ended with {status}.", line(command)), exit })
}

/// The standard output of `command` without the white space around it, or nothing if it could not be had.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// `command` as a person would type it.
pub fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words
        .iter()
        .map(|word| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
            if !word.is_empty() && word.chars().all(plain) { word.clone() } else { format!("'{word}'") }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// The toolchain's cargo in the top of the repository.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(crate::paths::root());
    forget_own_build(&mut command);
    command
}

/// Takes out what `cargo run` set for xtask itself. Build scripts look at some of it, and would otherwise run again
/// each time a build is started now through xtask and now by hand.
pub fn forget_own_build(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let own = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
        if own.iter().any(|prefix| name.starts_with(prefix)) || name == "OUT_DIR" {
            command.env_remove(name.as_ref());
        }
    }
    // The compiler's libraries are for xtask's own sake only. A window is to find the system's.
    if let Some(libraries) = std::env::var_os("LD_LIBRARY_PATH") {
        let built = crate::paths::target();
        let foreign = |folder: &PathBuf| {
            let compiler = folder.components().any(|part| part.as_os_str() == "rustlib" || part.as_os_str() == "toolchains");
            !compiler && !folder.starts_with(&built)
        };
        let kept: Vec<PathBuf> = std::env::split_paths(&libraries).filter(foreign).collect();
        match std::env::join_paths(&kept) {
            Ok(kept) if !kept.is_empty() => command.env("LD_LIBRARY_PATH", kept),
            _ => command.env_remove("LD_LIBRARY_PATH"),
        };
    }
}

/// A path as it reads best in a message: from the top of the repository, if it is inside.
pub fn shown(path: &Path) -> String {
    path.strip_prefix(crate::paths::root()).unwrap_or(path).display().to_string()
}
