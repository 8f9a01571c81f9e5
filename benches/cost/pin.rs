//! Who runs on which core, where `taskset` can say so.

use std::process::{Command, Stdio};

use crate::env::{BenchEnv, ZOOM_TIMEOUT};
use crate::postgres::Postgres;
use crate::process::Process;
use crate::replica::free_port;

/// The core of what is measured.
const MEASURED: &str = "0";
/// The core of PostgreSQL, the load and the stand-ins.
const OTHERS: &str = "1";

/// While it lives, PostgreSQL and this process run on one core, and what is started by it on the
/// other.
pub(crate) struct Pinned {
    others: Vec<u32>,
    is_possible: bool,
}

impl Pinned {
    pub(crate) fn new(postgres: &Postgres) -> Self {
        let mut others = postgres.children();
        others.extend([postgres.postmaster(), std::process::id()]);
        let is_possible = others.iter().all(|pid| pin(*pid, OTHERS));
        if !is_possible {
            println!("taskset cannot pin processes: everything runs on all cores");
        }
        Self {
            others,
            is_possible,
        }
    }

    /// Starts a program that listens on this port on the core of what is measured.
    pub(crate) async fn start(&self, command: Command, port: u16) -> Process {
        if !self.is_possible {
            return Process::start(command, port).await;
        }
        let values = command.get_envs();
        let mut pinned = Command::new("taskset");
        pinned
            .args(["-c", MEASURED])
            .arg(command.get_program())
            .args(command.get_args())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .envs(values.filter_map(|(name, value)| Some((name, value?))))
            .stdin(Stdio::null());
        Process::start(pinned, port).await
    }

    pub(crate) async fn start_program(&self, env: &BenchEnv) -> Process {
        let port = free_port();
        self.start(env.serve(port, ZOOM_TIMEOUT), port).await
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if self.is_possible {
            for pid in &self.others {
                pin(*pid, &format!("{MEASURED},{OTHERS}"));
            }
        }
    }
}

/// Whether the process and all its threads run on these cores from now on.
fn pin(pid: u32, cores: &str) -> bool {
    let mut taskset = Command::new("taskset");
    taskset.args(["-a", "-p", "-c", cores, &pid.to_string()]);
    let pinned = taskset.stdout(Stdio::null()).stderr(Stdio::null()).status();
    pinned.is_ok_and(|status| status.success())
}
