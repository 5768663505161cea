//! The page inside Patchbay's window. It knows the backend only by `patchbay_contracts::ipc`, and has no behaviour of
//! its own beyond showing and asking.

mod app;
mod chart;
mod components;
mod hooks;
mod ipc;
pub mod keys;
mod pages;
mod reports;
pub mod route;
mod shell;
mod state;
pub mod utils;

/// Draws the application into the page's body.
pub fn start() {
    yew::Renderer::<app::App>::new().render();
}
