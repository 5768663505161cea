//! Patchbay's window. It translates between the page and the engine, and does nothing else.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod arguments;
mod window;

use std::{process::ExitCode, sync::Arc};

use arguments::{Arguments, Start};
use patchbay_contracts::workspace::LogLevel;
use patchbay_engine::{Engine, engine::Config, log, secrets::guard_panics};

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args_os().skip(1)) {
        Ok(Start::Open(arguments)) => arguments,
        Ok(Start::Say(text)) => {
            println!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(text) => {
            eprintln!("{text}");
            return ExitCode::from(2);
        }
    };
    if !window::display() {
        eprintln!("There is no display to open a window on. The command `patchbay` does all of it without one.");
        return ExitCode::from(3);
    }
    log::install(LogLevel::Warn);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("The program can't start its threads: {error}");
            return ExitCode::from(3);
        }
    };
    tauri::async_runtime::set(runtime.handle().clone());
    // A window that can't work still opens, and says why.
    let engine = runtime.block_on(Engine::open(Config {
        workspace: arguments.workspace,
        database: arguments.database,
        environment: arguments.environment,
        attended: true,
        ..Config::default()
    }));
    if let Ok(engine) = &engine {
        guard_panics(engine.credentials().redactor());
    }
    let engine = Arc::new(engine);
    let closing = Arc::clone(&engine);
    let outcome = window::open(engine);
    if let Ok(engine) = &*closing {
        runtime.block_on(engine.close());
    }
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The window can't be opened: {error}");
            ExitCode::from(3)
        }
    }
}
