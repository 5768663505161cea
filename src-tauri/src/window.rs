//! The window, and the two commands that its page may call.

use std::sync::Arc;

use patchbay_contracts::{Problem, ipc};
use patchbay_engine::{Engine, Result};
use serde_json::Value;
use tauri::{State, WebviewUrl, WebviewWindowBuilder, ipc::Channel};
use tokio::sync::broadcast::error::RecvError;

/// The engine, or why there is none.
type Held = Arc<Result<Engine>>;

/// Carries out one of the commands that [`ipc`] declares.
#[tauri::command]
async fn call(engine: State<'_, Held>, name: String, arguments: Value) -> std::result::Result<Value, Problem> {
    match engine.inner().as_ref() {
        Ok(engine) => ipc::dispatch(engine, &name, arguments).await,
        Err(problem) => Err(problem.clone()),
    }
}

/// Sends the backend's events down `channel` until the page goes away.
#[tauri::command]
fn subscribe(engine: State<'_, Held>, channel: Channel<ipc::Event>) {
    let Ok(engine) = engine.inner().as_ref() else { return };
    let mut events = engine.events();
    tauri::async_runtime::spawn(async move {
        loop {
            match events.recv().await {
                Ok(event) => {
                    if channel.send(event).is_err() {
                        return;
                    }
                }
                // A page that fell behind asks again for what it shows; the lost events were only hints to do so.
                Err(RecvError::Lagged(_)) => {
                    if channel.send(ipc::Event::WorkspaceChanged).is_err() {
                        return;
                    }
                }
                Err(RecvError::Closed) => return,
            }
        }
    });
}

/// Opens the window and returns when it is closed.
pub(crate) fn open(engine: Held) -> tauri::Result<()> {
    let title = match engine.as_ref() {
        Ok(engine) => format!("{} – Patchbay", engine.title()),
        Err(_) => "Patchbay".to_owned(),
    };
    tauri::Builder::default()
        .manage(engine)
        .invoke_handler(tauri::generate_handler![call, subscribe])
        .setup(move |app| {
            WebviewWindowBuilder::new(app, "main", WebviewUrl::default())
                .title(title)
                .inner_size(1280.0, 820.0)
                .min_inner_size(760.0, 520.0)
                .build()?;
            Ok(())
        })
        .run(tauri::generate_context!())
}

/// Whether there is anything to open a window on. Asked first, since GTK ends the process where there is not.
pub(crate) fn display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}
