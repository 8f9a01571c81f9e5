//! What the process takes of the machine, under the names that all programs have for it:
//! <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>.
//!
//! Written here rather than counted like the rest, whose counters are whole numbers: a service
//! that idles takes a few hundredths of a second of processor time a minute.

use std::fmt::Write;
use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage};
use nix::sys::time::TimeVal;

/// Since the epoch.
static STARTED: OnceLock<Duration> = OnceLock::new();

/// Notes that the process has started now.
pub(super) fn started() {
    let now = SystemTime::UNIX_EPOCH.elapsed();
    let _ = STARTED.set(now.unwrap_or_default());
}

/// In Prometheus' text format. What the system does not tell is left out.
pub(super) fn render() -> String {
    let mut text = String::new();
    let mut add = |name: &str, kind: &str, help: &str, value: String| {
        let _ = write!(
            text,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n\n"
        );
    };
    if let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) {
        let seconds = seconds(usage.user_time()) + seconds(usage.system_time());
        let help = "Processor time that the process took, in the system and outside of it.";
        add(
            "process_cpu_seconds_total",
            "counter",
            help,
            seconds.to_string(),
        );
    }
    if let Some(started) = STARTED.get() {
        let help = "When the process started, since the Unix epoch.";
        let value = started.as_secs_f64().to_string();
        add("process_start_time_seconds", "gauge", help, value);
    }
    // Linux and macOS list them there, with the one that reads the list.
    if let Ok(files) = fs::read_dir("/dev/fd") {
        let count = files.count().saturating_sub(1);
        add(
            "process_open_fds",
            "gauge",
            "Open files and connections.",
            count.to_string(),
        );
    }
    if let Ok((limit, _)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let help = "How many files and connections may be open.";
        add("process_max_fds", "gauge", help, limit.to_string());
    }
    // `proc_pid_status(5)`, on Linux alone.
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        for (field, name, help) in [
            (
                "VmRSS:",
                "process_resident_memory_bytes",
                "Memory that the process occupies.",
            ),
            (
                "VmSize:",
                "process_virtual_memory_bytes",
                "Memory that the process may address.",
            ),
        ] {
            if let Some(bytes) = bytes(&status, field) {
                add(name, "gauge", help, bytes.to_string());
            }
        }
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "below 2^52 for a long time")]
fn seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}

/// A field such as `VmRSS:     25600 kB`.
fn bytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of a metric in the text of [`render`].
    fn value(name: &str) -> f64 {
        let text = render();
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.expect("a value").parse().expect("a number")
    }

    #[test]
    fn what_the_process_takes_is_what_the_system_says() {
        started();
        let files: Vec<_> = (0..64)
            .map(|_| fs::File::open("/dev/null").expect("a file"))
            .collect();
        assert!(value("process_open_fds") >= 64.0);
        assert!(value("process_max_fds") >= value("process_open_fds"));
        drop(files);
        let before = value("process_cpu_seconds_total");
        while value("process_cpu_seconds_total") < before + 0.02 {}
        let since = SystemTime::UNIX_EPOCH.elapsed().expect("after the epoch");
        let age = since.as_secs_f64() - value("process_start_time_seconds");
        assert!((0.0..600.0).contains(&age), "{age}");
        if cfg!(target_os = "linux") {
            let resident = value("process_resident_memory_bytes");
            assert!(resident > 1024.0 * 1024.0, "{resident}");
            assert!(resident < value("process_virtual_memory_bytes"));
        }
    }
}
