//! Starts the page.

fn main() {
    patchbay_frontend::start();
}
