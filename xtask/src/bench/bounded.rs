//! Programs that are given a certain time and no more.

use crate::failure::{About, Outcome};
use crate::process::line;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How a program ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// Its exit status, or nothing if it was ended for taking too long, or by a signal.
    pub status: Option<i32>,
    /// How long it ran.
    pub took: Duration,
    /// Whether it was ended for taking too long.
    pub late: bool,
    /// What it printed.
    pub stdout: String,
}

/// Runs `command` with its output in files under `folder`, and ends it after `patience`.
pub fn run(command: &mut Command, folder: &Path, patience: Duration) -> Outcome<Ended> {
    let output = |name: &str| File::create(folder.join(name)).about(|| format!("write into {}", folder.display()));
    command.stdin(Stdio::null()).stdout(output("stdout.txt")?).stderr(output("stderr.txt")?).current_dir(folder);
    let started = Instant::now();
    let mut child = command.spawn().about(|| format!("start {}", line(command)))?;
    let mut late = false;
    let status = loop {
        if let Some(status) = child.try_wait().about(|| format!("wait for {}", line(command)))? {
            break status.code();
        }
        if started.elapsed() >= patience {
            late = true;
            // It may have ended just now, which is as good.
            let _ = child.kill();
            let _ = child.wait();
            break None;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let took = started.elapsed();
    let stdout = std::fs::read(folder.join("stdout.txt")).about(|| format!("read what {} printed", line(command)))?;
    Ok(Ended { status, took, late, stdout: String::from_utf8_lossy(&stdout).into_owned() })
}
