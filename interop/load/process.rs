//! What the kernel says about a process and the machine.

use std::fs;
use std::time::Duration;

/// The CPU time of a process, of the threads that have ended too: user and system, in hundredths of a second.
pub(crate) fn cpu(id: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).expect("the process runs");
    // The name before may have blanks in it.
    let behind_name = text.rsplit(')').next().unwrap_or_default();
    let times = behind_name.split_ascii_whitespace().skip(11).take(2);
    let ticks: u64 = times.filter_map(|time| time.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

/// A process, its children, and theirs.
pub(crate) fn family(id: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{id}/task")).expect("the process runs");
    let lists = threads
        .filter_map(Result::ok)
        .map(|thread| fs::read_to_string(thread.path().join("children")).unwrap_or_default());
    let children: Vec<u32> = lists
        .flat_map(|list| list.split_ascii_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>())
        .collect();
    let families = children.into_iter().flat_map(family);
    std::iter::once(id).chain(families).collect()
}

/// The memory of a process, its share of what it shares included, in KiB.
pub(crate) fn pss(id: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).expect("the process runs");
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).expect("the kernel counts shares");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// How much the cores were idle, to tell a quiet machine from a busy one.
pub(crate) struct Idle {
    idle: f64,
    all: f64,
}

/// The machine's idle time and all time, so far.
pub(crate) fn idle_share() -> Idle {
    let text = fs::read_to_string("/proc/stat").expect("the kernel counts");
    let line = text.lines().next().unwrap_or_default();
    let times: Vec<f64> =
        line.split_ascii_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    Idle { idle: times.get(3).copied().unwrap_or_default(), all: times.iter().take(8).sum() }
}

impl Idle {
    /// Idle time since `earlier`, in percent of all time.
    pub(crate) fn since(&self, earlier: &Idle) -> f64 {
        (self.idle - earlier.idle) / (self.all - earlier.all) * 100.0
    }
}
