//! Programs on a core of their own, watched from their start to their end.

use super::proc;
use crate::failure::{About, Outcome};
use crate::process::line;
use rustix::fd::OwnedFd;
use rustix::process::{Pid, Resource, Rlimit, WaitId, WaitIdOptions, getrlimit, setrlimit, waitid};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The core of the servers, and of this program.
pub const SERVER_CORE: usize = 0;
/// The core of the load generator that is measured, and of nothing else.
pub const CLIENT_CORE: usize = 1;

/// What one run of a load generator has to keep to.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long it is meant to put load on the server.
    pub seconds: u64,
    /// When it is ended if it has not ended itself.
    pub patience: Duration,
    /// The memory beyond which it is ended, in bytes.
    pub memory: u64,
}

impl Limits {
    /// Load for so many seconds, half a minute more for everything else, and half the memory that is free.
    pub fn of(seconds: u64) -> Self {
        let memory = proc::available().map_or(u64::MAX, |bytes| bytes / 2);
        Self { seconds, patience: Duration::from_secs(seconds + 30), memory }
    }
}

/// What one run used.
#[derive(Debug, Clone, Default)]
pub struct Used {
    /// The exit status, or nothing if it was ended.
    pub status: Option<i32>,
    /// Why it was ended, if it was.
    pub cut: Option<&'static str>,
    /// Seconds from its start to its end.
    pub wall: f64,
    /// Seconds of a processor, user and system, from its start to its end.
    pub processor: f64,
    /// The most that it had in memory, in bytes.
    pub peak: u64,
    /// How much of its core it used in the middle of the run, from 0 to 1: without its start, and without its report.
    pub client_share: f64,
    /// How much of its core the server used in that time.
    pub server_share: f64,
    /// How much of the two cores something else used in that time, as a share of one core.
    pub other_share: f64,
    /// How many connections the server had open at the end of that time.
    pub connections: usize,
    /// What it had in memory, in bytes, after each second.
    pub resident: Vec<u64>,
    /// How many bytes it drew on its terminal, if it was given one.
    pub drawn: u64,
    /// What it printed.
    pub stdout: String,
}

/// `program`, to be started on that core, and to end when this program does.
pub fn pinned(core: usize, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &core.to_string(), "setpriv", "--pdeathsig", "KILL"]).arg(program);
    command
}

/// Leaves the client's core to the client, and lets this program and all that it starts open as many files as they may.
pub fn make_room() -> Outcome {
    let mut cores = CpuSet::new();
    cores.set(SERVER_CORE);
    sched_setaffinity(None, &cores).about(|| format!("go to core {SERVER_CORE}"))?;
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).about(|| "raise the limit of open files".to_owned())
}

/// Runs `command` against the process `server`, with its output in files under `folder`, or its standard error on a terminal.
pub fn run(mut command: Command, terminal: bool, folder: &Path, server: u32, limits: Limits) -> Outcome<Used> {
    let output = |name: &str| File::create(folder.join(name)).about(|| format!("write into {}", folder.display()));
    command.stdin(Stdio::null()).stdout(output("stdout.txt")?).stderr(output("stderr.txt")?).current_dir(folder);
    let drawing = if terminal { Some(draw(&mut command)?) } else { None };
    let idle = proc::descriptors(server);
    let started = Instant::now();
    let mut child = command.spawn().about(|| format!("start {}", line(&command)))?;
    // The terminal counts as closed when nobody has its other end any more, and the command still holds it.
    drop(command);
    let (process, pid) = (child.id(), Pid::from_child(&child));
    let mut used = Used::default();
    let mut window = Window::new(process, server, limits.seconds);
    // What has ended keeps its figures until it is waited for.
    let flags = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    while waitid(WaitId::Pid(pid), flags).about(|| "wait for a load generator".to_owned())?.is_none() {
        let memory = proc::memory(process).unwrap_or_default();
        used.peak = used.peak.max(memory.peak);
        let elapsed = started.elapsed();
        if elapsed.as_secs() > used.resident.len() as u64 && memory.now > 0 {
            used.resident.push(memory.now);
        }
        if window.look(elapsed.as_secs_f64()) {
            used.connections = proc::descriptors(server).saturating_sub(idle);
        }
        let late = (elapsed >= limits.patience).then_some("took too long");
        used.cut = used.cut.or(late).or_else(|| (memory.now > limits.memory).then_some("took too much memory"));
        if used.cut.is_some() {
            // It may have ended just now, which is as good.
            let _ = child.kill();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    used.wall = started.elapsed().as_secs_f64();
    used.processor = proc::processor_seconds(process).unwrap_or(0.0);
    used.status = child.wait().about(|| "wait for a load generator".to_owned())?.code();
    [used.client_share, used.server_share, used.other_share] = window.shares();
    used.drawn = drawing.and_then(|thread| thread.join().ok()).unwrap_or(0);
    let stdout = std::fs::read(folder.join("stdout.txt")).about(|| "read what a load generator printed".to_owned())?;
    used.stdout = String::from_utf8_lossy(&stdout).into_owned();
    Ok(used)
}

/// The middle of a run, in which both sides do nothing but their work.
struct Window {
    processes: [u32; 2],
    from: f64,
    to: f64,
    first: Option<Look>,
    last: Option<Look>,
}

/// When, and how many seconds the client, the server and everything else on their cores had used by then.
struct Look {
    at: f64,
    used: [f64; 3],
}

impl Window {
    fn new(client: u32, server: u32, seconds: u64) -> Self {
        Self { processes: [client, server], from: seconds as f64 * 0.25, to: seconds as f64 * 0.9, first: None, last: None }
    }

    /// Looks if it is time, and says whether that was the second and last look.
    fn look(&mut self, elapsed: f64) -> bool {
        if self.first.is_none() && elapsed >= self.from {
            self.first = Some(self.now(elapsed));
        }
        let last = self.last.is_none() && elapsed >= self.to;
        if last {
            self.last = Some(self.now(elapsed));
        }
        last
    }

    fn now(&self, at: f64) -> Look {
        let [client, server] = self.processes.map(|process| proc::processor_seconds(process).unwrap_or(0.0));
        let cores = [SERVER_CORE, CLIENT_CORE];
        let busy = cores.len() as f64 * at - proc::idle_seconds(&cores).unwrap_or(0.0);
        Look { at, used: [client, server, busy - client - server] }
    }

    fn shares(&self) -> [f64; 3] {
        let (Some(first), Some(last)) = (&self.first, &self.last) else { return [0.0; 3] };
        [0, 1, 2].map(|part| ((last.used[part] - first.used[part]) / (last.at - first.at)).max(0.0))
    }
}

/// Gives `command` a terminal as its standard error, and counts what is drawn on it.
fn draw(command: &mut Command) -> Outcome<JoinHandle<u64>> {
    let (ours, theirs) = terminal().about(|| "open a terminal".to_owned())?;
    command.stderr(theirs).env("TERM", "xterm-256color");
    Ok(std::thread::spawn(move || {
        let (mut ours, mut drawn, mut bytes) = (File::from(ours), 0, [0; 4096]);
        // Linux ends a terminal that nobody has open with an error.
        while let Ok(count @ 1..) = std::io::Read::read(&mut ours, &mut bytes) {
            drawn += count as u64;
        }
        drawn
    }))
}

fn terminal() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = openpt(flags)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let theirs = ioctl_tiocgptpeer(&ours, flags)?;
    Ok((ours, theirs))
}
