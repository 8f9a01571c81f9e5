//! One data folder of one major version, and its server.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::postgres::home::{Home, is_free};
use crate::postgres::installation::{Installation, OLDEST_MAJOR, installations};
use crate::postgres::options::{Durability, PORT, SUPERUSER};
use crate::postgres::socket_dir;

/// How long a server may take to start.
pub(super) const START_WITHIN: Duration = Duration::from_mins(1);

/// One data folder of one major version.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) home: Home,
    pub(super) data: PathBuf,
    /// Where the server's socket is.
    pub(super) socket_dir: PathBuf,
    pub(super) installation: Installation,
    durability: Durability,
}

impl Cluster {
    /// The cluster that stands here already, or one for the newest server.
    pub(super) fn find(
        home: Home,
        socket_dir: PathBuf,
        durability: Durability,
    ) -> anyhow::Result<Self> {
        let name = match durability {
            Durability::Durable => "",
            Durability::Throwaway => "throwaway-",
        };
        let installations = installations(&home.dir);
        let data = |major: u32| home.clusters.join(format!("{name}{major}"));
        let newest = installations
            .first()
            .context("there is no PostgreSQL server on this machine")?;
        let standing = installations
            .iter()
            .find(|installation| data(installation.major).exists());
        if standing.is_none()
            && let Some(orphan) = (OLDEST_MAJOR..100).find(|major| data(*major).exists())
        {
            bail!(
                "{} was made by PostgreSQL {orphan}, which is gone. Install it again, or move the data over with \
                 pg_upgrade, or move the folder away to begin empty",
                data(orphan).display()
            );
        }
        let installation = standing.unwrap_or(newest).clone();
        Ok(Self {
            data: data(installation.major),
            socket_dir,
            installation,
            durability,
            home,
        })
    }

    /// Called under the `start` lock, so by one process at a time.
    pub(super) fn ensure_running(&self, program: &Path) -> anyhow::Result<()> {
        let log_path = self.home.dir.join("supervisor.log");
        let deadline = Instant::now() + START_WITHIN;
        let mut child: Option<Child> = None;
        while !self.answers() || child.is_none() && !self.is_supervised()? {
            let has_ended = match &mut child {
                Some(child) => child.try_wait()?.is_some(),
                None => false,
            };
            if has_ended || Instant::now() > deadline {
                let said = std::fs::read_to_string(&log_path).unwrap_or_default();
                bail!(
                    "PostgreSQL did not start; {} says:\n{}",
                    log_path.display(),
                    said.trim()
                );
            }
            // One that was about to end may have ended while we waited.
            if child.is_none() && !self.is_supervised()? {
                child = Some(self.spawn_supervisor(program, File::create(&log_path)?)?);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn is_supervised(&self) -> anyhow::Result<bool> {
        let supervisor = self.home.lock_file("supervisor")?;
        Ok(!is_free(&supervisor)?)
    }

    fn spawn_supervisor(&self, program: &Path, log: File) -> anyhow::Result<Child> {
        let mut command = Command::new(program);
        command.arg("postgres").arg(&self.home.data_dir);
        if self.durability == Durability::Throwaway {
            command.arg("--throwaway");
        }
        // In a group of its own, so that Ctrl-C does not reach it.
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        command
            .spawn()
            .context("starting the supervisor of PostgreSQL")
    }

    /// Whether the server takes connections. Its socket appears a moment before it
    /// does, but who connects then is told "starting up", which is no refusal to wait.
    pub(super) fn answers(&self) -> bool {
        socket_dir::answers(&self.socket_dir)
            && std::fs::read_to_string(self.data.join("postmaster.pid")).is_ok_and(|file| {
                file.lines()
                    .nth(7)
                    .is_some_and(|status| status.trim() == "ready")
            })
    }

    pub(super) fn start_server(&self) -> anyhow::Result<()> {
        if !self.data.exists() {
            self.create()?;
        }
        let mut options = format!(
            "-k '{}' -p {PORT} -c listen_addresses='' -c max_connections=200",
            self.socket_dir.display()
        );
        if self.durability == Durability::Throwaway {
            options.push_str(" -c fsync=off -c synchronous_commit=off -c full_page_writes=off");
        }
        let log = self.data.with_extension("log");
        self.run("pg_ctl", |command| {
            command
                .args(["start", "-w", "-t", "60", "-o", &options, "-l"])
                .arg(&log)
                .arg("-D")
                .arg(&self.data)
        })
        .with_context(|| format!("see {}", log.display()))
    }

    pub(super) fn stop_server(&self) -> anyhow::Result<()> {
        self.run("pg_ctl", |command| {
            command
                .args(["stop", "-w", "-m", "fast", "-D"])
                .arg(&self.data)
        })?;
        socket_dir::remove(&self.socket_dir);
        Ok(())
    }

    /// Made beside its place and moved there whole.
    fn create(&self) -> anyhow::Result<()> {
        let unfinished = self.data.with_extension("new");
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished)?;
        }
        self.run("initdb", |command| {
            if self.durability == Durability::Throwaway {
                command.arg("--no-sync");
            }
            command
                .args([
                    "-U",
                    SUPERUSER,
                    "-A",
                    "trust",
                    "-E",
                    "UTF8",
                    "--no-locale",
                    "-D",
                ])
                .arg(&unfinished)
        })?;
        Ok(std::fs::rename(unfinished, &self.data)?)
    }

    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.installation.bin.join(program));
        // The server keeps what it is given: nobody's pipes, no settings of this shell.
        command
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some(account) = &self.home.account {
            command.uid(account.uid.as_raw()).gid(account.gid.as_raw());
        }
        command
    }

    fn run(
        &self,
        program: &str,
        arguments: impl Fn(&mut Command) -> &mut Command,
    ) -> anyhow::Result<()> {
        let mut command = self.command(program);
        arguments(&mut command);
        let status = command
            .status()
            .with_context(|| format!("running {program}"))?;
        ensure!(status.success(), "{program} ended with {status}");
        Ok(())
    }
}
