//! The real program's demo, as people start it.

use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::executable::program;

/// A demo that is ready.
pub(crate) struct Demo {
    child: Child,
    /// Where the playground is.
    pub(crate) url: String,
}

impl Demo {
    pub(crate) async fn start(data: &Path) -> Self {
        let mut child = command(data, 0).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let line = lines.next_line().await.expect("text").expect("a line");
        let url = line.strip_prefix("The playground is at ");
        let url = url.unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { child, url }
    }

    /// Ends it by a signal: by Ctrl-C's in good order, by none other.
    pub(crate) async fn end(mut self, signal: Signal) {
        let pid = self.child.id().expect("it runs");
        let pid = Pid::from_raw(pid.try_into().expect("a process's number"));
        signal::kill(pid, signal).expect("signalled");
        let status = self.child.wait().await.expect("it ends");
        assert_eq!(status.success(), signal == Signal::SIGINT, "{status}");
    }
}

/// The demo at this port; 0 is any.
pub(crate) fn command(data: &Path, port: u16) -> Command {
    let mut command = Command::new(program());
    command
        .args(["demo", "--port", &port.to_string()])
        .env("DATA_DIR", data)
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}
