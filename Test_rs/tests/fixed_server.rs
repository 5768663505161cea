//! The server of the benchmark of load generators: it answers each request once, however requests arrive.
#![cfg(target_os = "linux")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello world\n";
const REQUEST: &str = "GET /some/path HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n";

/// The server in a process of its own. It ends when this is dropped.
struct Server {
    address: String,
    child: Child,
}

impl Server {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fixed_server"))
            .arg("--attended")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut address = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut address).expect("it says where it is");
        let address = address.trim().strip_prefix("http://").expect("an address").to_owned();
        Self { address, child }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        stream.set_nodelay(true).expect("an option that every system has");
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next `count` answers are there and right, and nothing comes after them.
#[track_caller]
fn answers(stream: &mut TcpStream, count: usize) {
    let mut came = vec![0; ANSWER.len() * count];
    stream.read_exact(&mut came).expect("all answers");
    assert!(came == ANSWER.repeat(count).as_bytes(), "an answer is not what it should be");
    stream.set_nonblocking(true).expect("an option that every system has");
    let more = stream.read(&mut [0]);
    stream.set_nonblocking(false).expect("an option that every system has");
    assert_eq!(more.expect_err("more came than was asked for").kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn one_connection_is_kept_for_many_requests() {
    let server = Server::start();
    let mut stream = server.connect();
    for _ in 0..10 {
        stream.write_all(REQUEST.as_bytes()).expect("it reads");
        answers(&mut stream, 1);
    }
}

#[test]
fn a_request_may_come_in_pieces() {
    let server = Server::start();
    let mut stream = server.connect();
    // A lone CR and a single end of a line are no end of a head.
    for piece in
        ["GET / HTTP/1.1\r", "\nHost: x\r\r\nA: b", "\r\n\r", "\nGET / HTTP/1.1\r\n\r\nGET /", " HTTP/1.1\r\n", "\r", "\n"]
    {
        stream.write_all(piece.as_bytes()).expect("it reads");
        std::thread::sleep(Duration::from_millis(20));
    }
    answers(&mut stream, 3);
}

#[test]
fn requests_need_not_wait_for_answers() {
    let server = Server::start();
    let mut stream = server.connect();
    stream.write_all(REQUEST.repeat(1000).as_bytes()).expect("it reads");
    answers(&mut stream, 1000);
    // So much that neither side's buffers hold it while nobody reads.
    let count = 200_000;
    let mut writer = stream.try_clone().expect("a second handle");
    let writing = std::thread::spawn(move || writer.write_all(REQUEST.repeat(count).as_bytes()));
    std::thread::sleep(Duration::from_millis(200));
    answers(&mut stream, count);
    writing.join().expect("the thread ends").expect("it reads");
}

#[test]
fn two_thousand_connections_are_open_at_once() {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).expect("the limit may be used up");
    let server = Server::start();
    let mut streams: Vec<TcpStream> = (0..2000).map(|_| server.connect()).collect();
    for _ in 0..2 {
        for stream in &mut streams {
            stream.write_all(REQUEST.as_bytes()).expect("it reads");
        }
        for stream in &mut streams {
            answers(stream, 1);
        }
    }
}

#[test]
fn it_ends_with_whoever_started_it() {
    let mut server = Server::start();
    drop(server.child.stdin.take());
    assert!(server.child.wait().expect("it was started here").success());
}
