//! The processes that are measured.

use std::process::Stdio;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// A process that accepts commands.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
}

impl Process {
    /// Starts a program, and waits until it listens on this port.
    pub(crate) async fn start(command: std::process::Command, port: u16) -> Self {
        let child = Command::from(command)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let mut ticks = tokio::time::interval(Duration::from_millis(1));
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            ticks.tick().await;
        }
        Self {
            child: child.expect("the program"),
            url: format!("http://127.0.0.1:{port}"),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("a running process")
    }

    /// The processor time of all its threads so far.
    pub(crate) fn cpu(&self) -> Duration {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid()));
        let threads = threads.expect("a list of threads");
        let times = threads.filter_map(|thread| {
            let path = thread.ok()?.path().join("schedstat");
            let numbers = std::fs::read_to_string(path).ok()?;
            numbers.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(times.sum())
    }

    pub(crate) async fn kill(mut self) {
        let killed = self.child.kill().await;
        killed.expect("a process that can be killed");
    }
}
