//! The demo of the real program, as people start it.

use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::executable::program;

/// A running demo.
pub(crate) struct Demo {
    child: Child,
    /// The address of the playground.
    pub(crate) url: String,
}

impl Demo {
    /// One in which nothing has happened yet.
    pub(crate) async fn start(data: &Path) -> Self {
        Self::run(command(data, 0).arg("--empty")).await
    }

    /// One that opens on its story, as people see it.
    pub(crate) async fn start_with_story(data: &Path) -> Self {
        Self::run(&mut command(data, 0)).await
    }

    async fn run(command: &mut Command) -> Self {
        let mut child = command.spawn().expect("a running process");
        let mut lines = BufReader::new(child.stdout.take().expect("a piped output")).lines();
        let line = lines
            .next_line()
            .await
            .expect("valid UTF-8")
            .expect("a line");
        let url = line.strip_prefix("The playground is at ");
        let url = url.unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { child, url }
    }

    /// Ends the demo by a signal. It must exit successfully after SIGINT, and after no other signal.
    pub(crate) async fn end(mut self, signal: Signal) {
        let pid = self.child.id().expect("a running process");
        let pid = Pid::from_raw(pid.try_into().expect("a process ID"));
        signal::kill(pid, signal).expect("a signal that is sent");
        let status = self.child.wait().await.expect("an exit status");
        assert_eq!(status.success(), signal == Signal::SIGINT, "{status}");
    }
}

/// The command that starts the demo at this port; 0 is any.
pub(crate) fn command(data: &Path, port: u16) -> Command {
    let mut command = Command::new(program());
    command
        .args(["demo", "--port", &port.to_string()])
        .env("DATA_DIR", data)
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}
