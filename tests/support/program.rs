//! The real program, and what it needs around it.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};

use livestream_bot::account::import;
use livestream_bot::config::Config;
use livestream_bot::crypto::vault::Vault;
use livestream_bot::db;
use livestream_bot::demo::slack::{self, Slack};
use livestream_bot::demo::zoom::{self, Zoom};
use livestream_bot::demo::{self, DANA};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use super::database;
use super::executable::program;
use super::fixtures::MEETING;
use super::must_end::MustEnd;
use super::world::count_jobs;

/// Stand-ins and a database that outlive the program between them. Its test must
/// [end](Self::end) it.
pub(crate) struct ProgramEnv {
    pub(crate) slack: Slack,
    pub(crate) zoom: Zoom,
    pub(crate) config: Config,
    pub(crate) database: PgConnectOptions,
    /// Whether the database is one of [`database`].
    owns_database: bool,
    must_end: MustEnd,
}

/// The program, serving.
pub(crate) struct Service {
    child: tokio::process::Child,
    pub(crate) url: String,
    log: tokio::task::JoinHandle<String>,
}

impl ProgramEnv {
    pub(crate) async fn new() -> Self {
        Self::start(database::create().await, true).await
    }

    /// The same over a migrated database, which is not dropped at the end.
    pub(crate) async fn over(database: PgConnectOptions) -> Self {
        Self::start(database, false).await
    }

    async fn start(database: PgConnectOptions, owns_database: bool) -> Self {
        let (slack, zoom) = (
            Slack::start().await.expect("Slack"),
            Zoom::start().await.expect("Zoom"),
        );
        let config = demo::config(&slack, &zoom, "http://127.0.0.1:1").expect("settings");
        let tokens = zoom.authorize(DANA.zoom, zoom::SCOPE);
        zoom.schedule(MEETING, DANA.zoom, None);
        zoom.begin(MEETING);
        let line = json!({
            "team_id": slack::TEAM, "user_id": DANA.slack, "zoom_user_id": DANA.zoom, "zoom_account_id": "acme",
            "email": DANA.email, "scope": tokens.scope, "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token, "expires_at": "2099-01-01T00:00:00Z",
        });
        let pool = db::pool(database.clone());
        let vault = Vault::from_keys(&config.token_keys).expect("a vault");
        import::links(&pool, &vault, line.to_string().as_bytes())
            .await
            .expect("Dana's link");
        pool.close().await;
        Self {
            slack,
            zoom,
            config,
            database,
            owns_database,
            must_end: MustEnd::new("program's environment"),
        }
    }

    pub(crate) fn database_url(&self) -> String {
        // A socket's folder goes into the query; the URL's own host is not used then.
        let mut url = self.database.to_url_lossy();
        if let Some(socket) = self.database.get_socket() {
            url.set_host(Some("localhost")).expect("a host");
            url.query_pairs_mut()
                .clear()
                .append_pair("host", &socket.to_string_lossy());
        }
        url.to_string()
    }

    pub(crate) fn command(&self, subcommand: &str) -> Command {
        let mut command = command_without_settings(subcommand);
        command
            .env("DATABASE_URL", self.database_url())
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("RUST_LOG", "debug")
            .env(
                "SLACK_SIGNING_SECRET",
                format!("an older one,{}", slack::SIGNING_SECRET),
            )
            .env("SLACK_RESPONSE_ORIGINS", self.slack.url())
            .env("ZOOM_CLIENT_ID", zoom::CLIENT_ID)
            .env("ZOOM_CLIENT_SECRET", zoom::CLIENT_SECRET)
            .env("ZOOM_URL", self.zoom.url())
            .env("ZOOM_API_URL", self.zoom.url())
            .env("TOKEN_KEYS", self.config.token_keys.expose_secret());
        command
    }

    pub(crate) async fn serve(&self) -> Service {
        Service::start(self.command("serve")).await
    }

    /// To be called when no program runs any more. Fails the test if a job is left in the
    /// queue, or if Slack refused a message.
    pub(crate) async fn end(self) {
        let mut db = self.database.connect().await;
        let left = count_jobs(db.as_mut().expect("a database connection")).await;
        assert_eq!(left, 0, "jobs are left in the queue");
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

impl Service {
    /// Starts it, and waits until it says where it serves.
    pub(crate) async fn start(command: Command) -> Self {
        let mut command = tokio::process::Command::from(command);
        command.stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the program");
        let mut log = BufReader::new(child.stderr.take().expect("its log"));
        let mut said = String::new();
        let address: SocketAddr = loop {
            let start = said.len();
            assert!(
                log.read_line(&mut said).await.expect("its log") > 0,
                "it ended early:\n{said}"
            );
            let line = &said[start..];
            if let Some((_, address)) = line.trim_end().split_once("serving address=") {
                break address.parse().expect("an address");
            }
        };
        let log = tokio::spawn(async move {
            log.read_to_string(&mut said).await.expect("its log");
            said
        });
        Self {
            child,
            url: format!("http://{address}"),
            log,
        }
    }

    /// As the machine's power switch would.
    pub(crate) async fn kill(mut self) -> String {
        self.child.kill().await.expect("killed");
        self.log.await.expect("its log")
    }

    /// As an operator would.
    pub(crate) async fn terminate(mut self) -> String {
        let pid = self.child.id().expect("it runs");
        kill(
            Pid::from_raw(pid.try_into().expect("a pid")),
            Signal::SIGTERM,
        )
        .expect("signalled");
        let status = self.child.wait().await.expect("it ends");
        let log = self.log.await.expect("its log");
        assert!(status.success(), "{log}");
        log
    }
}

/// The program without any setting.
pub(crate) fn command_without_settings(subcommand: &str) -> Command {
    let mut command = Command::new(program());
    command.arg(subcommand).env_clear().stdin(Stdio::null());
    command
}

pub(crate) fn run_with_input(command: &mut Command, input: &str) -> Output {
    let command = command
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child: Child = command.spawn().expect("the program");
    child
        .stdin
        .take()
        .expect("its input")
        .write_all(input.as_bytes())
        .expect("written");
    child.wait_with_output().expect("it ends")
}

pub(crate) fn lossy_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
