//! The servers that are put under load, each on its own core and with the same twelve bytes as its answer.

use super::measured::{SERVER_CORE, pinned};
use crate::bench::folder;
use crate::failure::{About, Failure, Outcome};
use crate::paths::program;
use crate::process::find;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const FIXED: &str = "fixed_server";

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Our own, which costs next to nothing.
    Fixed,
    /// nginx with one worker.
    Nginx,
    /// The same, speaking HTTP/2 in clear text from the first byte.
    NginxHttp2,
}

impl Kind {
    /// For a person.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "HTTP/1.1, fixed answer",
            Self::Nginx => "HTTP/1.1, nginx",
            Self::NginxHttp2 => "HTTP/2, nginx",
        }
    }
}

/// A running server. It ends when this is dropped, and also when xtask itself is gone.
pub struct Server {
    /// `http://127.0.0.1:PORT/`.
    pub url: String,
    child: Child,
}

impl Server {
    /// Starts one, and waits until it answers.
    pub fn start(kind: Kind) -> Outcome<Self> {
        match kind {
            Kind::Fixed => fixed(),
            Kind::Nginx => nginx(""),
            Kind::NginxHttp2 => nginx(" http2"),
        }
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(command: &mut Command) -> Outcome<Child> {
    command.spawn().about(|| format!("start {}", crate::process::line(command)))
}

fn fixed() -> Outcome<Server> {
    let program = program("release", FIXED);
    if !program.is_file() {
        return Err(Failure::cannot(format!("{} is missing. Leave out --no-build.", program.display())));
    }
    let mut command = pinned(SERVER_CORE, &program);
    command.arg("--attended").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Server { url: String::new(), child: spawn(&mut command)? };
    if let Some(stdout) = server.child.stdout.take() {
        // It says nothing after its address, so nobody has to go on reading.
        BufReader::new(stdout).read_line(&mut server.url).about(|| format!("read the address of {FIXED}"))?;
    }
    server.url = format!("{}/", server.url.trim());
    match server.url.starts_with("http://127.0.0.1:") {
        true => Ok(server),
        false => Err(Failure::cannot(format!("{FIXED} did not say where it is."))),
    }
}

/// Where nginx is. Debian keeps it where only root's PATH leads.
pub fn nginx_program() -> Option<PathBuf> {
    find("nginx").or_else(|| Some(PathBuf::from("/usr/sbin/nginx")).filter(|path| path.is_file()))
}

fn nginx(protocol: &str) -> Outcome<Server> {
    let program = nginx_program().ok_or_else(|| Failure::cannot("nginx is missing. `cargo xtask setup` installs it."))?;
    let place = folder().join("work/nginx");
    std::fs::create_dir_all(&place).about(|| format!("make the folder {}", place.display()))?;
    let port = free_port().about(|| "find a free port".to_owned())?;
    let file = place.join("nginx.conf");
    std::fs::write(&file, configuration(&place, port, protocol)).about(|| format!("write {}", file.display()))?;
    let mut command = pinned(SERVER_CORE, &program);
    command.arg("-p").arg(&place).arg("-c").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut server = Server { url: format!("http://127.0.0.1:{port}/"), child: spawn(&mut command)? };
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let ended = server.child.try_wait().is_ok_and(|status| status.is_some());
        if ended || Instant::now() >= deadline {
            let by_hand = crate::process::line(&command);
            return Err(Failure::cannot(format!("nginx does not listen. To see why, start it by hand: {by_hand}")));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(server)
}

/// One worker, in the process that was started, so that its figures are all there is. Connections are kept for as many
/// requests as come.
fn configuration(place: &Path, port: u16, protocol: &str) -> String {
    let place = place.display();
    format!(
        "daemon off; master_process off; worker_processes 1; pid {place}/nginx.pid; error_log {place}/error.log crit;
events {{ worker_connections 16384; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; tcp_nodelay on;
  client_body_temp_path {place}/b; proxy_temp_path {place}/p; fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u;
  scgi_temp_path {place}/s;
  server {{
    listen 127.0.0.1:{port} backlog=16384{protocol};
    location / {{ default_type text/plain; return 200 'hello world\\n'; }}
  }}
}}
"
    )
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
