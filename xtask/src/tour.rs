//! What a first look at the window shows, on the command line: register a service, probe it, hold it to its contract, put
//! it under load, check its health, and leave a report.

use crate::failure::{About, Failure, Outcome};
use crate::paths::target;
use crate::process::{forget_own_build, line, say, shown};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// The integration that `patchbay sample --register` adds.
const INTEGRATION: &str = "sample-orders";

/// The report that is worth opening, with the plots of the load run.
const REPORT: &str = "load.html";

/// The token that the sample service takes, which guards nothing, for a machine without a keychain.
const TOKEN: (&str, &str) = ("PATCHBAY_SECRET_SAMPLE_TOKEN", "patchbay-sample");

/// It opens a database and a port, which takes a moment on a busy machine.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// Takes the tour with the program `patchbay`, in a workspace of its own that stays for reading.
pub fn take(patchbay: &Path) -> Outcome {
    let workspace = target().join("tour");
    let _ = fs::remove_dir_all(&workspace);
    fs::create_dir_all(&workspace).about(|| format!("make the folder {}", shown(&workspace)))?;
    let tour = Tour { patchbay: patchbay.to_path_buf(), workspace };
    tour.step(&["init"])?;
    let _sample = tour.start_sample()?;
    let endpoint = format!("{INTEGRATION}/health");
    tour.step(&["list"])?;
    tour.step(&["probe", &endpoint])?;
    tour.step(&["contract", "test", INTEGRATION])?;
    tour.judged(&["load", &endpoint, "--rate", "200/s", "--duration", "5s", "--threshold", "p95 < 500ms"])?;
    tour.step(&["report", "last", "-o", REPORT])?;
    tour.step(&["monitor", "--once", INTEGRATION])?;
    tour.step(&["history"])?;
    eprintln!();
    say(&format!("the report with its plots is {}", shown(&tour.workspace.join(REPORT))));
    say(&format!("its workspace stays in {}; the next tour makes it anew", shown(&tour.workspace)));
    Ok(())
}

struct Tour {
    patchbay: PathBuf,
    workspace: PathBuf,
}

/// The sample service, which ends with the tour.
struct Sample(Child);

impl Drop for Sample {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Tour {
    /// A command in the workspace, shown as a person there would type it.
    fn command(&self, arguments: &[&str]) -> Command {
        eprintln!("\n$ {}", line(Command::new("patchbay").args(arguments)));
        let mut command = Command::new(&self.patchbay);
        command.args(arguments).current_dir(&self.workspace).env_remove("PATCHBAY_WORKSPACE").env(TOKEN.0, TOKEN.1);
        forget_own_build(&mut command);
        command
    }

    /// Runs a step that has to succeed. The sample service does nothing wrong, so every verdict on it is a pass.
    fn step(&self, arguments: &[&str]) -> Outcome {
        match self.exit(arguments)? {
            0 => Ok(()),
            exit => Err(Failure { message: format!("this step ended with {exit}. What it wrote above says why."), exit }),
        }
    }

    /// Runs a step whose figures depend on what else this machine does at the time, and goes on whatever they are.
    fn judged(&self, arguments: &[&str]) -> Outcome {
        match self.exit(arguments)? {
            0 => Ok(()),
            1 | 3 => {
                say("the figures are what this machine gave while it was busy; the tour goes on");
                Ok(())
            }
            exit => Err(Failure { message: format!("this step ended with {exit}. What it wrote above says why."), exit }),
        }
    }

    fn exit(&self, arguments: &[&str]) -> Outcome<u8> {
        let status = self.command(arguments).status().about(|| format!("start {}", shown(&self.patchbay)))?;
        Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
    }

    fn start_sample(&self) -> Outcome<Sample> {
        let mut command = self.command(&["sample", "--port", "0", "--register"]);
        let mut child = command.stdout(Stdio::piped()).spawn().about(|| format!("start {}", shown(&self.patchbay)))?;
        let stdout = child.stdout.take();
        let sample = Sample(child);
        let (send, said) = mpsc::channel();
        std::thread::spawn(move || {
            let lines = stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines());
            lines.map_while(Result::ok).try_for_each(|line| send.send(line))
        });
        // It says where it answers once it does. The lines after the first come with it, so a short silence ends them.
        let Ok(mut line) = said.recv_timeout(START_PATIENCE) else {
            return Err(Failure::cannot("the sample service did not start. What it wrote above says why."));
        };
        loop {
            println!("{line}");
            match said.recv_timeout(Duration::from_millis(200)) {
                Ok(next) => line = next,
                Err(_) => return Ok(sample),
            }
        }
    }
}
