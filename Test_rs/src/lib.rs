//! What the tests of Patchbay share: servers, fixtures and drivers, by subject.

pub mod contract;
pub mod definitions;
pub mod echo;
pub mod encodings;
pub mod faulty;
pub mod http;
pub mod library;
pub mod load;
pub mod messages;
pub mod metrics;
pub mod monitor;
pub mod mutual;
pub mod pacts;
pub mod peers;
pub mod program;
pub mod results;
#[cfg(target_os = "linux")]
pub mod window;
pub mod workspaces;

/// A port of the loopback address that nothing listens on.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
