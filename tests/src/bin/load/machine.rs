//! What the system says of a process: CPU time and resident memory.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// Ticks a second of `/proc`, the same on every Linux.
const TICKS: u64 = 100;

/// CPU time of a process with all its threads, to a hundredth of a second.
pub fn cpu(process: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name of the program may have spaces; it ends with the last bracket.
    let (_, fields) = stat.rsplit_once(')').context("a line of /proc")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<u64>().ok());
    let all = ticks(11).context("user time")? + ticks(12).context("system time")?;
    Ok(Duration::from_millis(all * 1_000 / TICKS))
}

/// CPU time of the thread that asks.
pub fn cpu_of_thread() -> Result<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next().context("a time")?.parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

/// Resident memory in MB (10^6 bytes).
pub fn resident(process: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: f64 =
        line.and_then(|rest| rest.split_whitespace().next()).context("resident memory")?.parse()?;
    Ok(kilobytes * 1_024.0 / 1e6)
}
