//! What the window shows on its first start, on the command line: register a service, probe it, hold it to its contract,
//! put it under load, check its health, and leave a report.

use crate::failure::{About, Failure, Outcome};
use crate::paths::target;
use crate::process::{line, say, shown};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The integration that `patchbay sample` registers.
const INTEGRATION: &str = "sample-orders";

/// Takes the tour with the program `patchbay`, in a workspace of its own that stays for reading.
pub fn take(patchbay: &Path) -> Outcome {
    let workspace = target().join("tour");
    let _ = fs::remove_dir_all(&workspace);
    fs::create_dir_all(&workspace).about(|| format!("make the folder {}", shown(&workspace)))?;
    let tour = Tour { patchbay: patchbay.to_path_buf(), workspace };
    tour.holds(&["init"])?;
    let _sample = tour.start_sample()?;
    tour.holds(&["list"])?;
    tour.holds(&["probe", &format!("{INTEGRATION}/create order")])?;
    tour.holds(&["contract", "test", INTEGRATION])?;
    tour.holds(&["load", &format!("{INTEGRATION}/health"), "--rate", "100/s", "--duration", "5s"])?;
    tour.holds(&["monitor", "--once"])?;
    tour.holds(&["history"])?;
    let report = tour.report("load", "load.html")?;
    tour.report("contract", "contract.html")?;
    say(&format!("the report with its plots is {}", shown(&report)));
    say(&format!("the workspace with everything stays in {}", shown(&tour.workspace)));
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
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.patchbay);
        let database = format!("sqlite:{}", self.workspace.join("patchbay.db").display());
        command.arg("--workspace").arg(&self.workspace).args(["--db", &database]).args(arguments);
        crate::process::forget_own_build(&mut command);
        command
    }

    /// Shows a command as a person would type it in the workspace, before it runs.
    fn show(&self, arguments: &[&str]) {
        let mut typed = Command::new("patchbay");
        eprintln!("\n$ {}", line(typed.args(arguments)));
    }

    /// Runs one step of the tour, each of which holds against a healthy service.
    fn holds(&self, arguments: &[&str]) -> Outcome {
        self.show(arguments);
        let status = self.command(arguments).status().about(|| format!("start {}", shown(&self.patchbay)))?;
        if status.success() {
            return Ok(());
        }
        let exit = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
        Err(Failure { message: format!("this step of the tour ended with {status}; what it wrote above says why"), exit })
    }

    fn start_sample(&self) -> Outcome<Sample> {
        let arguments = ["--json", "sample", "--port", "0"];
        self.show(&arguments);
        let mut command = self.command(&arguments);
        let mut sample = command.stdout(Stdio::piped()).spawn().map(Sample).about(|| "start the sample".to_owned())?;
        let mut said = String::new();
        if let Some(stdout) = sample.0.stdout.as_mut() {
            BufReader::new(stdout).read_line(&mut said).about(|| "read what the sample service said".to_owned())?;
        }
        print!("{said}");
        if said.contains("http://") {
            return Ok(sample);
        }
        Err(Failure::cannot("the sample service did not say where it answers; what it wrote above says why"))
    }

    /// Writes the report of the newest run of `kind`.
    fn report(&self, kind: &str, file: &str) -> Outcome<PathBuf> {
        let history = self.command(&["--json", "history"]).output().about(|| "list the runs".to_owned())?;
        let runs: Value = serde_json::from_slice(&history.stdout).about(|| "read the list of the runs".to_owned())?;
        let runs = runs.as_array().or_else(|| runs.get("runs")?.as_array()).cloned().unwrap_or_default();
        let newest = runs.iter().filter(|run| run["kind"] == kind).filter_map(|run| run["id"].as_i64()).max();
        let id = newest.ok_or_else(|| Failure::cannot(format!("the tour left no {kind} run to report on")))?;
        let path = self.workspace.join(file);
        self.holds(&["report", &id.to_string(), "-o", &path.display().to_string()])?;
        Ok(path)
    }
}
