//! The command `patchbay`: the whole engine without a window.
//!
//! Standard output carries the result, standard error progress and messages. The exit status is 0 where it holds, 1
//! where it does not, 2 on bad usage or bad input, 3 where it could not be carried out.

mod arguments;
mod commands;
mod output;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::{CommandFactory, Parser, error::ErrorKind};
use output::Out;
use patchbay_contracts::{Code, Problem, run::Verdict, workspace::LogLevel};

/// What a command came to: whether what it looked at holds.
type Outcome = Result<Verdict, Problem>;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // A closed standard output is no reason to fail.
            let _ = error.print();
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return ExitCode::from(if asked { 0 } else { 2 });
        }
    };
    if let Command::Completions { shell } = arguments.command {
        clap_complete::generate(shell, &mut Arguments::command(), "patchbay", &mut std::io::stdout());
        return ExitCode::SUCCESS;
    }
    patchbay_engine::log::install(match arguments.verbose {
        0 => LogLevel::Error,
        1 => LogLevel::Info,
        2 => LogLevel::Debug,
        _ => LogLevel::Trace,
    });
    let out = Out::new(arguments.json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            out.problem(&Problem::new(Code::Unsupported, "The program can't start its threads").why(error.to_string()));
            return ExitCode::from(3);
        }
    };
    let outcome = runtime.block_on(commands::carry_out(arguments, &out));
    runtime.shutdown_background();
    ExitCode::from(match outcome {
        Ok(Verdict::Pass) => 0,
        Ok(Verdict::Fail) => 1,
        Ok(Verdict::Inconclusive) => 3,
        Err(problem) => {
            out.problem(&problem);
            status_of(problem.code)
        }
    })
}

/// Bad input is the caller's to mend, everything else the machine's or the network's.
fn status_of(code: Code) -> u8 {
    match code {
        Code::InvalidInput
        | Code::InvalidDefinition
        | Code::NotFound
        | Code::AlreadyExists
        | Code::Conflict
        | Code::Workspace
        | Code::VariableMissing
        | Code::SecretMissing
        | Code::SecretHost
        | Code::NeedsConfirmation => 2,
        _ => 3,
    }
}
