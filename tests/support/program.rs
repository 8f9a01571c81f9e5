//! The real program, and the environment that it runs in.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};

use livestream_bot::config::Config;
use livestream_bot::demo::slack::{self, Slack};
use livestream_bot::demo::zoom::Zoom;
use livestream_bot::demo::{self, DANA};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use super::database;
use super::fixtures::MEETING;
use super::must_end::MustEnd;
use super::replica::{self, Link};

/// The status of a program that cannot work until its settings, or what they name, are corrected.
pub(crate) const EX_CONFIG: i32 = 78;

/// Stand-ins and a database, which outlive the program that uses them. The test must call
/// [`end`](Self::end).
pub(crate) struct ProgramEnv {
    pub(crate) slack: Slack,
    pub(crate) zoom: Zoom,
    pub(crate) config: Config,
    pub(crate) database: PgConnectOptions,
    /// Whether the database is one of [`database`].
    owns_database: bool,
    must_end: MustEnd,
}

/// A running program that serves.
pub(crate) struct Service {
    child: tokio::process::Child,
    pub(crate) url: String,
    log: tokio::task::JoinHandle<String>,
}

impl ProgramEnv {
    /// Over a database of its own.
    pub(crate) async fn new() -> Self {
        Self::start(database::create().await, true).await
    }

    /// The same over a database that is migrated already, and that is not dropped at the end.
    pub(crate) async fn over(database: PgConnectOptions) -> Self {
        Self::start(database, false).await
    }

    async fn start(database: PgConnectOptions, owns_database: bool) -> Self {
        let (slack, zoom) = (
            Slack::start().await.expect("a stand-in for Slack"),
            Zoom::start().await.expect("a stand-in for Zoom"),
        );
        let config =
            demo::config(&slack, &zoom, "http://127.0.0.1:1").expect("a valid configuration");
        zoom.schedule(MEETING, DANA.zoom, None);
        zoom.begin(MEETING);
        let link = Link {
            team: slack::TEAM,
            user: DANA.slack,
            zoom_user: DANA.zoom,
            email: DANA.email,
        };
        link.import(&database, &zoom, &config.token_keys).await;
        Self {
            slack,
            zoom,
            config,
            database,
            owns_database,
            must_end: MustEnd::new("program's environment"),
        }
    }

    /// The program with this subcommand and the settings for this environment.
    pub(crate) fn command(&self, subcommand: &str) -> Command {
        let mut command = replica::command(
            subcommand,
            &self.database,
            &self.slack,
            &self.zoom,
            &self.config.token_keys,
        );
        let secrets = format!("an-older-secret,{}", slack::SIGNING_SECRET);
        command
            .env("SLACK_SIGNING_SECRET", secrets)
            .env("RUST_LOG", "debug");
        command
    }

    /// Starts `serve`.
    pub(crate) async fn serve(&self) -> Service {
        Service::start(self.command("serve")).await
    }

    /// To be called when no program runs any more. Fails the test if a job is left in the queue, or
    /// if Slack rejected a message.
    pub(crate) async fn end(self) {
        let mut db = self.database.connect().await;
        let left = jobs_left(db.as_mut().expect("a database connection")).await;
        assert_eq!(left, [], "jobs are left in the queue");
        drop(db);
        for posted in self.slack.posted() {
            posted.message.expect("a message that Slack accepts");
        }
        if self.owns_database {
            database::drop(&self.database).await;
        }
        self.must_end.ended();
    }
}

/// The jobs in the queue with what failed of them: without those that show a stream, which go on
/// after a restart, and those that only look whether a command was told that was.
async fn jobs_left(db: &mut PgConnection) -> Vec<(String, Option<String>)> {
    sqlx::query_as(
        "select identifier, last_error from graphile_worker._private_jobs as job
        join graphile_worker._private_tasks as task on task.id = job.task_id
        where identifier <> 'show_stream' and not (identifier = 'run_command' and exists (
            select from command where key = 'run_command ' || command_id and delivered_at is not null
        ))
            -- One that another replaced while it ran is never run again.
            and not (key is null and attempts >= max_attempts)",
    )
    .fetch_all(db)
    .await
    .expect("a list")
}

impl Service {
    /// Starts the program, and waits until it logs its address.
    pub(crate) async fn start(command: Command) -> Self {
        let mut command = tokio::process::Command::from(command);
        command.stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("a process");
        let mut stderr = BufReader::new(child.stderr.take().expect("a piped stderr"));
        let mut log = String::new();
        let address: SocketAddr = loop {
            let start = log.len();
            assert!(
                stderr.read_line(&mut log).await.expect("a log") > 0,
                "the program ended early:\n{log}"
            );
            let line = &log[start..];
            if let Some((_, address)) = line.trim_end().split_once("serving address=") {
                break address.parse().expect("a socket address");
            }
        };
        let log = tokio::spawn(async move {
            stderr.read_to_string(&mut log).await.expect("a log");
            log
        });
        Self {
            child,
            url: format!("http://{address}"),
            log,
        }
    }

    /// Kills the program, as a power failure would. Returns its log.
    pub(crate) async fn kill(mut self) -> String {
        self.child
            .kill()
            .await
            .expect("a process that can be killed");
        self.log.await.expect("a log")
    }

    /// Stops the program with SIGTERM, as an operator would. Returns its log.
    pub(crate) async fn terminate(mut self) -> String {
        let pid = self.child.id().expect("a running process");
        kill(
            Pid::from_raw(pid.try_into().expect("a process ID")),
            Signal::SIGTERM,
        )
        .expect("a signal that is sent");
        let status = self.child.wait().await.expect("an exit status");
        let log = self.log.await.expect("a log");
        assert!(status.success(), "{log}");
        log
    }
}

/// Runs a command with this input to its end.
pub(crate) fn run_with_input(command: &mut Command, input: impl AsRef<[u8]>) -> Output {
    let command = command
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child: Child = command.spawn().expect("a process");
    child
        .stdin
        .take()
        .expect("a piped input")
        .write_all(input.as_ref())
        .expect("a complete write");
    child.wait_with_output().expect("an exit status")
}

/// Output as text.
pub(crate) fn lossy_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
