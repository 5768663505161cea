//! What a process uses, as the kernel tells it under `/proc`. See proc_pid_stat(5) and proc_pid_status(5).

use std::fs;

/// What a process has in memory, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Memory {
    /// Now.
    pub now: u64,
    /// At most until now.
    pub peak: u64,
}

/// The user and system seconds of a process with all its threads, and of the children that it has waited for.
///
/// A process that has ended and is not waited for yet tells it too. It is exact to a hundredth of a second.
pub fn processor_seconds(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The program's name is in brackets and may hold anything, so fields are counted from behind it. The first is the
    // third of the manual; utime, stime, cutime and cstime are its 14th to 17th.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11..15)?.iter().map(|field| field.parse::<u64>().ok()).sum::<Option<u64>>()?;
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The seconds that these cores had nothing to do, all together, since the machine started. The kernel measures them, and
/// only samples what a core is busy with.
pub fn idle_seconds(cores: &[usize]) -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let idle = |core: &usize| -> Option<u64> {
        let name = format!("cpu{core} ");
        let line = stat.lines().find_map(|line| line.strip_prefix(&name))?;
        // user, nice, system, idle, iowait, and more.
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields.get(3..5)?.iter().map(|field| field.parse::<u64>().ok()).sum()
    };
    let ticks: u64 = cores.iter().map(idle).sum::<Option<u64>>()?;
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The memory of a process; nothing once it has ended.
pub fn memory(process: u32) -> Option<Memory> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    Some(Memory { now: kilobytes(&status, "VmRSS:")?, peak: kilobytes(&status, "VmHWM:")? })
}

/// How much memory programs could still take, in bytes.
pub fn available() -> Option<u64> {
    kilobytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")
}

/// How many descriptors a process has open.
pub fn descriptors(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd")).map_or(0, Iterator::count)
}

/// The line `NAME  123 kB` in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|count| count * 1024)
}
