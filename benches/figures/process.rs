//! What Linux counts of this process, and of the PostgreSQL server that it started.

use std::fs;
use std::time::Duration;

/// Reported by `getconf CLK_TCK` on every Linux that Rust runs on.
const TICKS_A_SECOND: u32 = 100;
/// Of a process's statistics behind its name: user and system time, and those of ended children.
const OWN: std::ops::Range<usize> = 11..13;
const WITH_CHILDREN: std::ops::Range<usize> = 11..15;

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Fields of `stat` behind the name, which may itself hold blanks.
fn ticks(process: &str, fields: std::ops::Range<usize>) -> Duration {
    let stat = text(&format!("/proc/{process}/stat"));
    let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
    let fields = behind
        .split_whitespace()
        .skip(fields.start)
        .take(fields.len());
    let ticks: u32 = fields.filter_map(|field| field.parse::<u32>().ok()).sum();
    Duration::from_secs(1) * ticks / TICKS_A_SECOND
}

/// CPU time of this process, ended threads included; in steps of 10 ms.
pub(crate) fn cpu() -> Duration {
    ticks("self", OWN)
}

/// CPU time of the threads of this process that work for SQLite.
pub(crate) fn sqlite_cpu() -> Duration {
    let threads = fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let names = threads.map(|thread| thread.path().display().to_string());
    let working = names.filter(|thread| text(&format!("{thread}/comm")).starts_with("sqlx-sqlite"));
    working
        .map(|thread| on_cpu(&format!("{thread}/schedstat")))
        .sum()
}

/// CPU time of this thread.
pub(crate) fn thread_cpu() -> Duration {
    on_cpu("/proc/thread-self/schedstat")
}

fn on_cpu(schedstat: &str) -> Duration {
    let nanoseconds = text(schedstat)
        .split_whitespace()
        .next()
        .and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

/// CPU time of the PostgreSQL server that this process started, with its children.
pub(crate) fn postgres_cpu() -> Duration {
    let folder = samples::postgres::data_folder();
    let file = folder.and_then(|data| fs::read_to_string(data.join("postmaster.pid")).ok());
    let Some(server) = file.as_deref().and_then(|file| file.lines().next()) else {
        return Duration::ZERO;
    };
    let children = text(&format!("/proc/{server}/task/{server}/children"));
    ticks(server, WITH_CHILDREN)
        + children
            .split_whitespace()
            .map(|child| ticks(child, OWN))
            .sum::<Duration>()
}

/// From here on [`peak`] counts anew.
pub(crate) fn forget_peak() {
    // Refused only by kernels without the feature; then the peak is that of the whole process.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// Most memory that was resident at once, in MiB.
pub(crate) fn peak() -> u64 {
    let status = text("/proc/self/status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0)
        / 1024
}

/// How busy the machine is: runnable processes, mean of the last minute.
pub(crate) fn load() -> String {
    text("/proc/loadavg")
        .split_whitespace()
        .next()
        .unwrap_or("?")
        .to_owned()
}
