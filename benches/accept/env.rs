//! The environment of the measurements: PostgreSQL, the stand-ins, and the processes measured.

use std::process::Stdio;
use std::time::Duration;

use livestream_bot::crypto::vault::Vault;
use livestream_bot::demo::slack::{self, Slack};
use livestream_bot::demo::zoom::{Fault, Zoom};
use livestream_bot::postgres::{Durability, Server};
use livestream_bot::{db, serve};
use secrecy::SecretString;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::executable::program;
use crate::replica::{self, Link, database_url, free_port};

/// How many commands a replica executes at a time.
pub(crate) const CONCURRENCY: usize = 32;
/// How long a replica waits for Zoom, in seconds.
pub(crate) const ZOOM_TIMEOUT: u8 = 10;

/// What the program and the bare handler share.
pub(crate) struct BenchEnv {
    pub(crate) server: Server,
    pub(crate) slack: Slack,
    pub(crate) zoom: Zoom,
    keys: SecretString,
    _data_dir: TempDir,
}

/// A process that accepts commands.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
}

impl Process {
    /// Waits until the process listens.
    async fn wait_for(child: Child, port: u16) -> Self {
        let mut ticks = tokio::time::interval(Duration::from_millis(1));
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            ticks.tick().await;
        }
        Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
        }
    }

    /// The processor time of all its threads so far.
    pub(crate) fn cpu(&self) -> Duration {
        let pid = self.child.id().expect("a running process");
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("a list of threads");
        let times = threads.filter_map(|thread| {
            let path = thread.ok()?.path().join("schedstat");
            let numbers = std::fs::read_to_string(path).ok()?;
            numbers.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(times.sum())
    }

    /// The resident memory, in MiB.
    pub(crate) fn memory(&self) -> f64 {
        let pid = self.child.id().expect("a running process");
        let status =
            std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().split(' ').next());
        let kibibytes: f64 = kibibytes
            .and_then(|number| number.parse().ok())
            .expect("a number");
        kibibytes / 1024.0
    }

    pub(crate) async fn kill(mut self) {
        self.child
            .kill()
            .await
            .expect("a process that can be killed");
    }
}

impl BenchEnv {
    pub(crate) async fn new() -> Self {
        let data_dir = tempfile::tempdir().expect("a temporary directory");
        let server = Server::start(program(), data_dir.path(), Durability::Durable).await;
        let server = server.expect("a PostgreSQL server");
        server.create_database("bench").await.expect("a database");
        let (slack, zoom) = (
            Slack::start().await.expect("a stand-in for Slack"),
            Zoom::start().await.expect("a stand-in for Zoom"),
        );
        let keys = Vault::generate_keys();
        let pool = db::pool(server.options("bench"));
        serve::migrate(&pool).await.expect("a migrated database");
        pool.close().await;
        let link = Link {
            team: slack::TEAM,
            user: "U0",
            zoom_user: "zoom-0",
            email: "0@acme.example",
        };
        link.import(&server.options("bench"), &zoom, &keys).await;
        Self {
            server,
            slack,
            zoom,
            keys,
            _data_dir: data_dir,
        }
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        self.server.options("bench")
    }

    /// Starts the program, which waits so many seconds for Zoom.
    pub(crate) async fn start_program(&self, zoom_timeout: u8) -> Process {
        let port = free_port();
        let command = replica::command(
            "serve",
            &self.options(),
            &self.slack,
            &self.zoom,
            &self.keys,
        );
        let child = Command::from(command)
            .env("LISTEN_ADDR", format!("127.0.0.1:{port}"))
            .env("ZOOM_TIMEOUT", zoom_timeout.to_string())
            .env("RUST_LOG", "off")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        Process::wait_for(child.expect("the program"), port).await
    }

    /// Starts the bare handler.
    pub(crate) async fn start_bare(&self) -> Process {
        let port = free_port();
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["bare", &port.to_string(), &database_url(&self.options())])
            .kill_on_drop(true)
            .spawn();
        Process::wait_for(child.expect("the bare handler"), port).await
    }

    /// Makes Zoom leave the next requests unanswered.
    pub(crate) fn stall_zoom(&self, requests: usize) {
        for _ in 0..requests {
            self.zoom.fail_next(Fault::Hang);
        }
    }

    /// Waits until every outcome is delivered, or cannot be.
    pub(crate) async fn wait_for_delivery(&self) {
        let pool = db::pool(self.options());
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        let open = "select exists (select from command where delivered_at is null and delivery_error is null)";
        while sqlx::query_scalar(open)
            .fetch_one(&pool)
            .await
            .expect("a row")
        {
            ticks.tick().await;
        }
        pool.close().await;
    }

    /// How many commands are unfinished.
    pub(crate) async fn unfinished_commands(&self) -> i64 {
        let pool = db::pool(self.options());
        let count = sqlx::query_scalar("select count(*) from command where finished_at is null");
        let count = count.fetch_one(&pool).await.expect("a count");
        pool.close().await;
        count
    }

    /// Deletes all commands and jobs.
    pub(crate) async fn clear(&self) {
        let pool = db::pool(self.options());
        let clear = "delete from command; delete from graphile_worker._private_jobs";
        sqlx::raw_sql(clear).execute(&pool).await.expect("a delete");
        pool.close().await;
    }
}
