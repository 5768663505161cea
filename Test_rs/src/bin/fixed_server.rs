//! A server that gives every request the same twelve bytes, for the benchmark of load generators.
//!
//! `fixed_server [--port PORT] [--attended]` serves HTTP/1.1 on loopback until it is ended and prints its address first; port
//! 0, which is the default, is any free one. With `--attended` it also ends when its standard input does.
//!
//! What is measured is the client, so the server must cost less than any client does: one thread, one `read` and one `write`
//! for what came, and no look at a request beyond the empty line that ends its head. So a request may have no body, and
//! `Connection: close` is not obeyed.

#[cfg(target_os = "linux")]
fn main() {
    let error = linux::main();
    eprintln!("fixed_server can't go on: {error}");
    std::process::exit(3);
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("fixed_server is for Linux, as is the benchmark that it serves.");
    std::process::exit(3);
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        io::{Error, Result, Write as _},
        net::TcpListener,
    };

    use rustix::{
        buffer::spare_capacity,
        event::epoll::{self, EventData, EventFlags},
        fd::{AsRawFd as _, OwnedFd},
        io::Errno,
        net::SocketFlags,
        process::{Resource, Rlimit, getrlimit, setrlimit},
    };

    const USAGE: &str = "usage: fixed_server [--port PORT] [--attended]";
    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello world\n";
    /// How many answers one `write` can take.
    const AT_ONCE: usize = 1024;
    /// Ten thousand clients that connect at once shall not wait for a second try.
    const BACKLOG: i32 = 16_384;
    /// No connection has this number, since descriptors are never negative.
    const LISTENER: u64 = u64::MAX;

    /// Reads the arguments and serves. Gives back why it could not go on.
    pub fn main() -> Error {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let mut port = 0_u16;
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--attended" => drop(std::thread::spawn(end_with_input)),
                "--port" => port = words.next().and_then(|number| number.parse().ok()).expect(USAGE),
                _ => panic!("{USAGE}"),
            }
        }
        serve(port).err().unwrap_or_else(|| Error::other("it ended"))
    }

    /// Whoever started the server may be killed, and its end of the pipe is gone then.
    fn end_with_input() {
        // An input that can't be read is as good as one that ended.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        std::process::exit(0);
    }

    fn serve(port: u16) -> Result<()> {
        let most = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })?;
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        // A second call changes the length of the queue, which the standard library chose. The kernel has a limit of its own.
        rustix::net::listen(&listener, BACKLOG)?;
        listener.set_nonblocking(true)?;
        // Connections inherit it.
        rustix::net::sockopt::set_tcp_nodelay(&listener, true)?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        println!("http://{}", listener.local_addr()?);
        std::io::stdout().flush()?;

        let answers = ANSWER.repeat(AT_ONCE);
        let mut input = vec![0; 64 * 1024];
        let mut events = Vec::with_capacity(1024);
        // By descriptor, which the kernel keeps small.
        let mut connections: Vec<Option<Connection>> = Vec::new();
        loop {
            match epoll::wait(&epoll, spare_capacity(&mut events), None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in events.drain(..) {
                let number = event.data.u64();
                if number == LISTENER {
                    accept(&listener, &epoll, &mut connections)?;
                    continue;
                }
                let Some(place) = usize::try_from(number).ok().and_then(|number| connections.get_mut(number)) else { continue };
                let Some(connection) = place else { continue };
                let waited = connection.owed > 0;
                let goes_on = connection.go_on(&mut input, &answers);
                let waits = connection.owed > 0;
                if !goes_on {
                    // Closing it takes it out of the epoll set too.
                    *place = None;
                } else if waited != waits {
                    let wanted = if waits { EventFlags::OUT } else { EventFlags::IN };
                    epoll::modify(&epoll, &connection.socket, EventData::new_u64(number), wanted)?;
                }
            }
        }
    }

    /// Takes in everybody who waits to connect.
    fn accept(listener: &TcpListener, epoll: &OwnedFd, connections: &mut Vec<Option<Connection>>) -> Result<()> {
        loop {
            let socket = match rustix::net::accept_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
                Ok(socket) => socket,
                Err(Errno::WOULDBLOCK) => return Ok(()),
                Err(Errno::CONNABORTED | Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            let number = socket.as_raw_fd();
            epoll::add(epoll, &socket, EventData::new_u64(u64::try_from(number).map_err(Error::other)?), EventFlags::IN)?;
            let number = usize::try_from(number).map_err(Error::other)?;
            if connections.len() <= number {
                connections.resize_with(number + 1, || None);
            }
            connections[number] = Some(Connection { socket, matched: 0, owed: 0 });
        }
    }

    struct Connection {
        socket: OwnedFd,
        /// How much of the end of a head the last bytes were: 0 to 3 bytes of CR LF CR LF.
        matched: u8,
        /// Bytes of answers that are not written yet. While there are any, nothing is read.
        owed: usize,
    }

    impl Connection {
        /// Reads what came and answers it, or writes what is still owed. Says whether the connection lives on.
        fn go_on(&mut self, input: &mut [u8], answers: &[u8]) -> bool {
            if self.owed == 0 {
                match rustix::io::read(&self.socket, &mut *input) {
                    Ok(0) => return false,
                    Ok(count) => self.owed = ANSWER.len() * self.heads(&input[..count]),
                    Err(Errno::AGAIN | Errno::INTR) => return true,
                    Err(_) => return false,
                }
            }
            while self.owed > 0 {
                // All answers are alike, so what is owed tells where in an answer the last write stopped.
                let done = (ANSWER.len() - self.owed % ANSWER.len()) % ANSWER.len();
                let end = answers.len().min(done + self.owed);
                match rustix::io::write(&self.socket, &answers[done..end]) {
                    Ok(count) => self.owed -= count,
                    Err(Errno::AGAIN) => return true,
                    Err(Errno::INTR) => {}
                    Err(_) => return false,
                }
            }
            true
        }

        /// How many heads end in `bytes`.
        fn heads(&mut self, bytes: &[u8]) -> usize {
            let mut count = 0;
            for byte in bytes {
                self.matched = match (self.matched, byte) {
                    (0 | 2, b'\r') | (1, b'\n') => self.matched + 1,
                    (3, b'\n') => {
                        count += 1;
                        0
                    }
                    (_, b'\r') => 1,
                    _ => 0,
                };
            }
            count
        }
    }
}
