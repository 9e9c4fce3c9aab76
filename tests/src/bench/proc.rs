//! What Linux says of a process.

use std::{fs, io, path::Path, time::Duration};

/// A kernel that keeps no finer account counts in ticks of a hundredth of a second.
const TICK: Duration = Duration::from_millis(10);

/// The CPU that a process has used, user and system together.
///
/// To the nanosecond, as the sum over its threads, where the kernel keeps that account; else in ticks.
/// The work of threads that have ended is in ticks only; the functions keep theirs.
///
/// # Errors
/// It is gone, or this is no Linux.
pub fn cpu(pid: u32) -> io::Result<Duration> {
    let folder = format!("/proc/{pid}");
    match threads(&Path::new(&folder).join("task")) {
        Ok(Some(used)) => Ok(used),
        _ => {
            let stat = fs::read_to_string(format!("{folder}/stat"))?;
            of_stat(&stat).ok_or_else(|| io::Error::other("a line of stat that makes no sense"))
        }
    }
}

/// The sum over all threads; none where the kernel does not say.
fn threads(folder: &Path) -> io::Result<Option<Duration>> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(folder)? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let Some(used) = of_schedstat(&text) else {
            return Ok(None);
        };
        sum += used;
    }
    Ok(Some(sum))
}

/// The memory that a process has in RAM, in bytes.
///
/// # Errors
/// It is gone, or this is no Linux.
pub fn resident(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    of_status(&status).ok_or_else(|| io::Error::other("a status without VmRSS"))
}

/// `<ns on a CPU> <ns waiting for one> <turns>`.
fn of_schedstat(text: &str) -> Option<Duration> {
    let on_cpu = text.split_whitespace().next()?;
    on_cpu.parse().ok().map(Duration::from_nanos)
}

/// `<pid> (<name>) <state> …`: the 14th and 15th are user and system time. The name may have anything
/// in it, a parenthesis too.
fn of_stat(text: &str) -> Option<Duration> {
    let (_, after_name) = text.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some(TICK * (ticks()? + ticks()?))
}

/// `VmRSS:     1234 kB`.
fn of_status(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_proc() {
        let used = of_schedstat("431200 839475 2\n");
        assert_eq!(used, Some(Duration::from_nanos(431_200)));
        assert_eq!(of_schedstat(""), None);
        let stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 999 0 0 0 17 8 0 0 20 0 5 0 777";
        assert_eq!(of_stat(stat), Some(Duration::from_millis(250)));
        assert_eq!(of_stat("42 (a) S 1"), None);
        let status = "Name:\tbootstrap\nVmPeak:\t  9 kB\nVmRSS:\t    5120 kB\nThreads:\t1\n";
        assert_eq!(of_status(status), Some(5 * 1024 * 1024));
        assert_eq!(of_status("Name:\tgone\n"), None);
    }

    #[test]
    fn this_process_has_used_some_of_both() {
        let own = std::process::id();
        let before = cpu(own).expect("Linux");
        let mut sum = 0_u64;
        while cpu(own).expect("Linux") < before + TICK {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(resident(own).expect("Linux") > 1024 * 1024);
        assert!(cpu(u32::MAX).is_err() && resident(u32::MAX).is_err());
    }
}
