//! Servers that log when they answered, and runs that are repeated where the generator itself says that they prove nothing.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    rc::Rc,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use patchbay_contracts::load::LoadReport;
use patchbay_load::{
    hdr,
    script::{
        Body, Order, Script, Step,
        template::{Escape, Part, Source, Template},
    },
};

static ALONE: Mutex<()> = Mutex::new(());

/// Keeps the tests of this binary from running at once.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    // A test that failed leaves nothing behind that another could trip over.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts this thread, and those that it starts from now on, on one processor, so that server and generator don't displace each
/// other: the kernel wakes a server on the processor of who sent it something, and may leave it there for milliseconds. Where
/// there is only one processor, or the system knows nothing of the kind, nothing happens.
fn stay_on(processor: usize) {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
        static ALL: OnceLock<Option<CpuSet>> = OnceLock::new();
        let all = ALL.get_or_init(|| sched_getaffinity(None).ok()).as_ref();
        let theirs = all.and_then(|all| (0..CpuSet::MAX_CPU).filter(|place| all.is_set(*place)).nth(processor));
        if let Some(theirs) = theirs {
            let mut one = CpuSet::new();
            one.set(theirs);
            let _ = sched_setaffinity(None, &one);
        }
    }
}

/// Has the threads of a server, which this makes, on the first processor, and those that are started later on the second.
pub(crate) fn apart<T>(server: impl FnOnce() -> T) -> T {
    stay_on(0);
    let server = server();
    stay_on(1);
    server
}

/// How often an experiment is tried.
const ATTEMPTS: usize = 10;
/// A run whose 99th percentile of lag is above this, in milliseconds, shows this machine and not the service.
const MOST_LAG_MS: f64 = 1.0;

/// Why a run proves nothing, by what its generator says of itself.
fn spoiled(report: &LoadReport, most_lag_ms: f64) -> Result<(), String> {
    let lag = report.schedule_lag.map_or(0.0, |lag| lag.p99_ms);
    let generator = &report.generator;
    if generator.bottleneck || generator.stalls > 0 || lag > most_lag_ms {
        let (bottleneck, stalls) = (generator.bottleneck, generator.stalls);
        return Err(format!("bottleneck: {bottleneck}, stalls: {stalls}, lag of 99%: {lag} ms; {:?}", report.notes));
    }
    Ok(())
}

/// Repeats a run until its generator doesn't hold it for spoiled.
pub(crate) fn vouched<T>(experiment: impl FnMut() -> (LoadReport, T)) -> (LoadReport, T) {
    repeated(|report, _| spoiled(report, f64::INFINITY), experiment)
}

/// Repeats an experiment until its generator was on time and it comes out as it should. What the machine does in between can
/// spoil one; a generator that measures wrongly spoils them all.
pub(crate) fn shown<T>(
    judge: impl Fn(&LoadReport, &T) -> Result<(), String>,
    experiment: impl FnMut() -> (LoadReport, T),
) -> (LoadReport, T) {
    repeated(|report, found| spoiled(report, MOST_LAG_MS).and_then(|()| judge(report, found)), experiment)
}

fn repeated<T>(
    judge: impl Fn(&LoadReport, &T) -> Result<(), String>,
    mut experiment: impl FnMut() -> (LoadReport, T),
) -> (LoadReport, T) {
    let mut reasons = Vec::new();
    for _ in 0..ATTEMPTS {
        let (report, found) = experiment();
        match judge(&report, &found) {
            Ok(()) => return (report, found),
            Err(reason) => {
                println!("once more, since {reason}");
                reasons.push(reason);
            }
        }
    }
    panic!("in none of {ATTEMPTS} attempts did it come out as it should: {reasons:#?}");
}

/// The number of the iteration stands in the address, so that a server can tell which arrival it has before it.
pub(crate) fn numbered(address: SocketAddr) -> Script {
    let parts = vec![Part::Text(b"/?n=".to_vec()), Part::Value(Source::Iteration, Escape::Address)];
    Script { steps: vec![step("numbered", Template::new(parts))], ..script(address) }
}

/// A script without steps.
pub(crate) fn script(address: SocketAddr) -> Script {
    Script {
        name: "a service".into(),
        host: address.ip().to_string(),
        port: address.port(),
        tls: None,
        steps: Vec::new(),
        order: Order::Mix,
        captures: 0,
        captured: Vec::new(),
        feeds: Vec::new(),
    }
}

/// A GET.
pub(crate) fn step(name: &str, path: Template) -> Step {
    Step {
        name: name.into(),
        shown: format!("GET {name}"),
        weight: 1,
        method: "GET".into(),
        path,
        headers: Vec::new(),
        body: Body::Bytes(Template::default()),
        accepts: Vec::new(),
        inspect: None,
    }
}

/// A GET of a fixed path.
pub(crate) fn get(path: &str) -> Step {
    step(path, Template::fixed(path.as_bytes()))
}

/// A request that a server answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Served {
    /// The number of the iteration, from 1.
    pub(crate) number: u64,
    pub(crate) came: Instant,
    /// Right before the answer went out.
    pub(crate) done: Instant,
}

/// A server that logs when each request came and when its answer went out.
pub(crate) struct Logging {
    pub(crate) address: SocketAddr,
    log: Arc<Mutex<Vec<Served>>>,
    stop: Arc<AtomicBool>,
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

impl Logging {
    /// Each connection has a thread of its own; `serve` takes as long as the service does, and is told the number of the
    /// request and how long after the first one it came.
    pub(crate) fn parallel(serve: impl Fn(u64, Duration) + Send + Sync + 'static) -> Self {
        let serve = Arc::new(serve);
        let first = Arc::new(Mutex::new(None));
        Self::start(move |mut stream, log| {
            while let Some(number) = read_number(&mut stream) {
                let came = Instant::now();
                let since = came - *first.lock().unwrap().get_or_insert(came);
                serve(number, since);
                let done = Instant::now();
                if stream.write_all(ANSWER).is_err() {
                    return;
                }
                log.lock().unwrap().push(Served { number, came, done });
            }
        })
    }

    /// One server for all connections, first come, first served; each request takes the time that `service` says. It has one
    /// thread, so that on two cores the generator has the other one.
    pub(crate) fn single(mut service: impl FnMut(u64) -> Duration + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (log, stop) = (Arc::<Mutex<Vec<Served>>>::default(), Arc::new(AtomicBool::new(false)));
        let (own, stopped) = (Arc::clone(&log), Arc::clone(&stop));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let tasks = tokio::task::LocalSet::new();
            tasks.block_on(&runtime, async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let (queue, mut requests) = tokio::sync::mpsc::unbounded_channel::<(Rc<tokio::net::TcpStream>, u64, Instant)>();
                tokio::task::spawn_local(async move {
                    let mut free = Instant::now();
                    while let Some((stream, number, came)) = requests.recv().await {
                        // By what the queue says and not by when this task woke, so that no delay adds up.
                        free = free.max(came) + service(number);
                        while Instant::now() < free {
                            // Meanwhile others may come, and have their place in the queue.
                            tokio::task::yield_now().await;
                        }
                        let done = Instant::now();
                        let _ = stream.try_write(ANSWER);
                        own.lock().unwrap().push(Served { number, came, done });
                    }
                });
                while let Ok((stream, _)) = listener.accept().await {
                    if stopped.load(Ordering::Relaxed) {
                        return;
                    }
                    let _ = stream.set_nodelay(true);
                    let (stream, queue) = (Rc::new(stream), queue.clone());
                    tokio::task::spawn_local(async move {
                        while let Some(number) = next_number(&stream).await {
                            if queue.send((Rc::clone(&stream), number, Instant::now())).is_err() {
                                return;
                            }
                        }
                    });
                }
            });
        });
        Self { address, log, stop }
    }

    fn start(serve: impl Fn(TcpStream, &Mutex<Vec<Served>>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (log, stop) = (Arc::<Mutex<Vec<Served>>>::default(), Arc::new(AtomicBool::new(false)));
        let (own, stopped) = (Arc::clone(&log), Arc::clone(&stop));
        let serve = Arc::new(serve);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let _ = stream.set_nodelay(true);
                let (serve, log) = (Arc::clone(&serve), Arc::clone(&own));
                thread::spawn(move || serve(stream, &log));
            }
        });
        Self { address, log, stop }
    }

    pub(crate) fn served(&self) -> Vec<Served> {
        self.log.lock().unwrap().clone()
    }

    /// The latency of each request from the moment that it was due, in milliseconds and in rising order, by this server's
    /// own clock; `due` is in seconds of the run, by the number of the iteration. When the run began isn't known here: the
    /// request that came soonest after it was due is taken to have come at once.
    pub(crate) fn latencies(&self, due: impl Fn(u64) -> f64) -> Vec<f64> {
        let served = self.served();
        let base = served.iter().map(|one| one.came).min().unwrap();
        let at = |moment: Instant| (moment - base).as_secs_f64();
        let origin = served.iter().map(|one| at(one.came) - due(one.number)).min_by(f64::total_cmp).unwrap();
        let mut all: Vec<f64> = served.iter().map(|one| (at(one.done) - origin - due(one.number)) * 1e3).collect();
        all.sort_by(f64::total_cmp);
        all
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

/// Reads a request without a body, and gives its number; nothing at the end.
fn read_number(stream: &mut TcpStream) -> Option<u64> {
    let mut bytes = Vec::new();
    let mut piece = [0; 1024];
    while !bytes.ends_with(b"\r\n\r\n") {
        let count = stream.read(&mut piece).ok().filter(|&count| count > 0)?;
        bytes.extend_from_slice(&piece[..count]);
    }
    Some(number(bytes))
}

/// The same without blocking.
async fn next_number(stream: &tokio::net::TcpStream) -> Option<u64> {
    let mut bytes = Vec::new();
    let mut piece = [0; 1024];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.readable().await.ok()?;
        match stream.try_read(&mut piece) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            _ => return None,
        }
    }
    Some(number(bytes))
}

fn number(request: Vec<u8>) -> u64 {
    let text = String::from_utf8(request).unwrap();
    let number = text.split_once("n=").and_then(|(_, rest)| rest.split(' ').next()).and_then(|number| number.parse().ok());
    number.unwrap_or(0)
}

/// Sleeps, and spins for the last stretch, which sleeping would miss.
pub(crate) fn wait_until(moment: Instant) {
    const SPUN: Duration = Duration::from_micros(200);
    let left = moment.saturating_duration_since(Instant::now());
    if left > SPUN {
        thread::sleep(left - SPUN);
    }
    while Instant::now() < moment {
        std::hint::spin_loop();
    }
}

/// The value below which this share of them lies, by the nearest rank.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// Holds percentiles to the truth, within the greater of 1% and 100 µs.
pub(crate) fn agree(report: &LoadReport, truth: &[f64], shares: &[f64]) -> Result<(), String> {
    let measured = hdr::read(&report.hdr).unwrap();
    let mut off = Vec::new();
    for &share in shares {
        let (ours, theirs) = (measured.value_at_quantile(share) as f64 / 1e6, quantile(truth, share));
        println!("p{}: measured {ours:.3} ms, served {theirs:.3} ms", share * 100.0);
        if (ours - theirs).abs() > (theirs * 0.01).max(0.1) {
            off.push(format!("p{}: measured {ours} ms, and the server logged {theirs} ms", share * 100.0));
        }
    }
    if off.is_empty() { Ok(()) } else { Err(format!("{off:?}; lag {:?}", report.schedule_lag)) }
}

/// A server that only counts, for runs whose figures are counts.
pub(crate) struct Counting {
    pub(crate) address: SocketAddr,
    pub(crate) state: Arc<State>,
    stop: Arc<AtomicBool>,
}

/// What a counting server saw.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) requests: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) open: AtomicU64,
    pub(crate) most_open: AtomicU64,
    /// When each connection came.
    pub(crate) accepts: Mutex<Vec<Instant>>,
    /// When each request came, and its head.
    pub(crate) heads: Mutex<Vec<(Instant, String)>>,
    /// Bytes of bodies.
    pub(crate) body_bytes: AtomicU64,
}

impl State {
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    pub(crate) fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    pub(crate) fn heads(&self) -> Vec<(Instant, String)> {
        self.heads.lock().unwrap().clone()
    }

    /// The addresses of the requests, in the order in which they came.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.heads().iter().map(|(_, head)| head.split(' ').nth(1).unwrap_or_default().to_owned()).collect()
    }
}

/// What a counting server answers to a head.
type Answering = dyn Fn(&str) -> Vec<u8> + Send + Sync;

impl Counting {
    pub(crate) fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (state, stop) = (Arc::<State>::default(), Arc::new(AtomicBool::new(false)));
        let (own, stopped) = (Arc::clone(&state), Arc::clone(&stop));
        let answer: Arc<Answering> = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let _ = stream.set_nodelay(true);
                let (state, answer) = (Arc::clone(&own), Arc::clone(&answer));
                state.accepted.fetch_add(1, Ordering::Relaxed);
                state.accepts.lock().unwrap().push(Instant::now());
                let open = state.open.fetch_add(1, Ordering::Relaxed) + 1;
                state.most_open.fetch_max(open, Ordering::Relaxed);
                thread::spawn(move || {
                    serve(stream, &state, &*answer);
                    state.open.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Self { address, state, stop }
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

/// Serves a connection to its end.
pub(crate) fn serve(mut stream: impl Read + Write, state: &State, answer: &Answering) {
    let mut buffer = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            match stream.read(&mut piece) {
                Ok(count) if count > 0 => buffer.extend_from_slice(&piece[..count]),
                _ => return,
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
        let length =
            head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        let mut body: usize = buffer.len() - end;
        buffer.clear();
        while body < length {
            match stream.read(&mut piece) {
                Ok(count) if count > 0 => body += count,
                _ => return,
            }
        }
        state.body_bytes.fetch_add(body as u64, Ordering::Relaxed);
        state.requests.fetch_add(1, Ordering::Relaxed);
        state.heads.lock().unwrap().push((Instant::now(), head.clone()));
        if stream.write_all(&answer(&head)).is_err() || stream.flush().is_err() || head.contains("Connection: close") {
            return;
        }
    }
}

/// A good answer with this body.
pub(crate) fn good(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
