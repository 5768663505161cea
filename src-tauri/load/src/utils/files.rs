//! The limit of open files, of which each connection takes one.

/// What the rest of the program may need while a run goes on.
const SPARE: u64 = 64;

/// Sees to it that so many more connections can be open, raising the soft limit of this process where it may, and
/// returns for how many there is room; no more than were asked for.
pub(crate) fn make_room_for(connections: u32) -> u32 {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let taken = open_now() + SPARE;
        let needed = u64::from(connections) + taken;
        let mut limit = getrlimit(Resource::Nofile);
        // No limit is given as nothing.
        if limit.current.is_some_and(|current| current < needed) {
            let raised = Rlimit { current: Some(limit.maximum.map_or(needed, |most| most.min(needed))), maximum: limit.maximum };
            if raised.current > limit.current && setrlimit(Resource::Nofile, raised).is_ok() {
                limit = raised;
            }
        }
        let room = limit.current.map_or(u64::MAX, |current| current.saturating_sub(taken));
        u32::try_from(room).unwrap_or(u32::MAX).min(connections)
    }
    #[cfg(not(unix))]
    {
        connections
    }
}

/// How many files are open; a guess where the system doesn't tell.
#[cfg(unix)]
fn open_now() -> u64 {
    let listed = std::fs::read_dir("/proc/self/fd").or_else(|_| std::fs::read_dir("/dev/fd"));
    listed.map_or(SPARE, |entries| entries.count() as u64)
}
