//! Compiles the page to WebAssembly, with whichever compiler this machine has for it.

use crate::failure::{Failure, Outcome};
use crate::paths;
use crate::process::{cargo, find, forget_own_build, output, run, say};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "wasm-release";
const PACKAGE: &str = "patchbay-frontend";

/// The oldest compiler that builds the workspace, as in `rust-version` of Cargo.toml.
const OLDEST_COMPILER: &str = env!("CARGO_PKG_RUST_VERSION");

/// Longer than the download takes on a slow line, shorter than a person waits for a network that never answers.
const RUSTUP_PATIENCE: Duration = Duration::from_secs(90);

/// Shown when there is no way to build the page.
pub const ADVICE: &str = "nothing on this machine compiles Rust to WebAssembly, which the page is written in. With \
    rustup: `rustup target add wasm32-unknown-unknown`. On Debian without access to rustup's server: \
    `apt-get install rustc-web cargo-web rust-web-src`. With Fedora's own Rust: \
    `dnf install rust-std-static-wasm32-unknown-unknown`; with Arch's: `pacman -S rust-wasm`. Elsewhere: the system's \
    package with the standard library for wasm32-unknown-unknown.";

/// A way to compile for WebAssembly.
pub enum Way {
    /// The toolchain in use has the standard library for it.
    InstalledTarget,
    /// The system's own compiler, which brings the sources of its standard library, builds that too.
    SystemCompiler {
        /// Links WebAssembly. The system's compiler comes without one.
        linker: PathBuf,
    },
}

impl Way {
    /// For messages.
    pub fn description(&self) -> String {
        match self {
            Way::InstalledTarget => format!("the toolchain's own {TARGET}"),
            Way::SystemCompiler { linker } => format!("the system's Rust compiler, linking with {}", linker.display()),
        }
    }
}

/// The first way that works without installing anything.
pub fn find_way() -> Option<Way> {
    let library = output(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]));
    if library.is_some_and(|folder| Path::new(&folder).is_dir()) {
        return Some(Way::InstalledTarget);
    }
    if system_compiler_fits() { linker().map(|linker| Way::SystemCompiler { linker }) } else { None }
}

/// Asks rustup for the target. Says whether it is there now.
pub fn add_target() -> bool {
    if find("rustup").is_none() {
        return false;
    }
    say(&format!("rustup target add {TARGET}"));
    let mut command = Command::new("rustup");
    command.args(["target", "add", TARGET]).env("RUSTUP_MAX_RETRIES", "0").env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    let added = finishes_within(&mut command, RUSTUP_PATIENCE);
    if !added {
        say("rustup could not add it, so another compiler has to build the page");
    }
    added
}

/// Compiles the page and gives the path of the compiled module.
pub fn compile() -> Outcome<PathBuf> {
    let way = find_way().ok_or_else(|| Failure::cannot(ADVICE))?;
    say(&format!("compiling the page with {}", way.description()));
    // Another compiler may build it, and the two would throw out each other's work in one folder.
    let folder = paths::target().join("wasm");
    let mut command = match &way {
        Way::InstalledTarget => cargo(),
        Way::SystemCompiler { linker } => system_cargo(linker),
    };
    command.args(["build", "--locked", "--target", TARGET, "--profile", PROFILE, "--package", PACKAGE]);
    if matches!(way, Way::SystemCompiler { .. }) {
        command.arg("-Zbuild-std=std,panic_abort");
    }
    run(command.env("CARGO_TARGET_DIR", &folder))?;
    Ok(folder.join(TARGET).join(PROFILE).join(format!("{PACKAGE}.wasm")))
}

/// Debian's second compiler, packaged for its browsers, which is newer than the distribution's first one.
fn system_cargo(linker: &Path) -> Command {
    let mut command = Command::new("/usr/bin/cargo");
    command.current_dir(paths::root());
    forget_own_build(&mut command);
    // The library path that rustup sets would hand this compiler the libraries of the other.
    command.env_remove("LD_LIBRARY_PATH").env_remove("RUSTUP_TOOLCHAIN");
    command.env("RUSTC", "/usr/bin/rustc").env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    // Building the standard library is still an unstable feature of cargo.
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}

fn system_compiler_fits() -> bool {
    let version = |program: &str| -> Option<String> {
        let printed = output(Command::new(program).arg("--version").env_remove("LD_LIBRARY_PATH"))?;
        Some(printed.split_whitespace().nth(1)?.to_owned())
    };
    let Some(compiler) = version("/usr/bin/rustc") else { return false };
    let same = version("/usr/bin/cargo").is_some_and(|cargo| numbers(&cargo) == numbers(&compiler));
    let sysroot = output(Command::new("/usr/bin/rustc").args(["--print", "sysroot"]).env_remove("LD_LIBRARY_PATH"));
    let sources = sysroot.map(|folder| Path::new(&folder).join("lib/rustlib/src/rust/library/Cargo.lock"));
    same && numbers(&compiler) >= numbers(OLDEST_COMPILER) && sources.is_some_and(|file| file.is_file())
}

/// The first two numbers of a version.
fn numbers(version: &str) -> [u32; 2] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    [parts.next().unwrap_or(0), parts.next().unwrap_or(0)]
}

/// A linker for WebAssembly: the toolchain's own, else LLVM's, of which the newest.
fn linker() -> Option<PathBuf> {
    if let Some(library) = output(Command::new("rustc").args(["--print", "target-libdir"])) {
        let own = Path::new(&library).with_file_name("bin").join("rust-lld");
        if own.is_file() {
            return Some(own);
        }
    }
    (14..40).rev().find_map(|version| find(&format!("wasm-ld-{version}"))).or_else(|| find("wasm-ld"))
}

fn finishes_within(command: &mut Command, patience: Duration) -> bool {
    let Ok(mut child) = command.spawn() else { return false };
    let started = Instant::now();
    while started.elapsed() < patience {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(Duration::from_millis(50)),
            Err(_) => return false,
        }
    }
    // It gave no answer in time. What it has begun, rustup itself cleans up at its next start.
    let _ = child.kill();
    let _ = child.wait();
    false
}
