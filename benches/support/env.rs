//! The environment of the measurements: a program with a database of its own, and the stand-ins.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use livestream_bot::crypto::vault::Vault;
use livestream_bot::demo::slack::{self, Invocation, Slack};
use livestream_bot::demo::zoom::{self, Fault, Zoom};
use livestream_bot::postgres::Server;
use secrecy::SecretString;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

use crate::process::Process;
use crate::replica::{self, free_port};

/// How many commands a replica executes at a time.
pub(crate) const CONCURRENCY: usize = 32;
/// How long a replica waits for Zoom, in seconds.
pub(crate) const ZOOM_TIMEOUT: u8 = 10;
/// The Zoom account of the one who types the commands.
const ZOOM_USER: &str = "zoom-0";

/// A program, its database, and a Slack and a Zoom of its own.
pub(crate) struct BenchEnv {
    pub(crate) server: Arc<Server>,
    pub(crate) slack: Slack,
    pub(crate) zoom: Zoom,
    pub(crate) program: PathBuf,
    database: String,
    keys: SecretString,
}

impl BenchEnv {
    /// The program itself makes the tables, and imports the one who types the commands.
    pub(crate) async fn new(server: &Arc<Server>, program: &Path, database: &str) -> Self {
        server.create_database(database).await.expect("a database");
        let env = Self {
            server: Arc::clone(server),
            slack: Slack::start().await.expect("a stand-in for Slack"),
            zoom: Zoom::start().await.expect("a stand-in for Zoom"),
            program: program.to_owned(),
            database: database.to_owned(),
            keys: Vault::generate_keys(),
        };
        let tokens = env.zoom.authorize(ZOOM_USER, zoom::SCOPE);
        env.import(&link("U0", ZOOM_USER, &tokens));
        env
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        self.server.options(&self.database)
    }

    /// A session whose statements `pg_stat_statements` does not count.
    pub(crate) async fn connect(&self) -> PgConnection {
        let options = self.options();
        let options = options.options([("pg_stat_statements.track", "none")]);
        options.connect().await.expect("a session")
    }

    /// The program with this subcommand.
    fn command(&self, subcommand: &str) -> Command {
        let settings = replica::command(
            subcommand,
            &self.options(),
            &self.slack,
            &self.zoom,
            &self.keys,
        );
        let values = settings.get_envs();
        let mut command = Command::new(&self.program);
        command
            .args(settings.get_args())
            .env_clear()
            .envs(values.filter_map(|(name, value)| Some((name, value?))))
            .env("RUST_LOG", "off")
            .stdin(Stdio::null());
        command
    }

    /// Has the program import these lines.
    pub(crate) fn import(&self, lines: &str) {
        let mut command = self.command("import-links");
        let importing = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        let mut importing = importing.expect("the program");
        let mut input = importing.stdin.take().expect("its input");
        input.write_all(lines.as_bytes()).expect("a written file");
        drop(input);
        let ended = importing.wait().expect("an exit status");
        assert!(ended.success(), "importing links ended with {ended}");
    }

    /// The program that serves on this port, and waits so many seconds for Zoom.
    pub(crate) fn serve(&self, port: u16, zoom_timeout: u8) -> Command {
        let mut command = self.command("serve");
        command
            .env("LISTEN_ADDR", format!("127.0.0.1:{port}"))
            .env("ZOOM_TIMEOUT", zoom_timeout.to_string());
        command
    }

    /// Starts the program.
    pub(crate) async fn start_program(&self, zoom_timeout: u8) -> Process {
        let port = free_port();
        Process::start(self.serve(port, zoom_timeout), port).await
    }

    /// Starts of as many meetings, each of which is running and was never started before.
    pub(crate) fn starts(&self, count: usize) -> Vec<Invocation> {
        static MEETING: AtomicI64 = AtomicI64::new(700_000_000);
        let start = |_| {
            let meeting = MEETING.fetch_add(1, Ordering::Relaxed);
            self.zoom.schedule(meeting, ZOOM_USER, None);
            self.zoom.begin(meeting);
            self.slack.type_command("U0", &format!("start {meeting}"))
        };
        (0..count).map(start).collect()
    }

    /// Makes Zoom leave the next requests unanswered.
    pub(crate) fn stall_zoom(&self, requests: usize) {
        for _ in 0..requests {
            self.zoom.fail_next(Fault::Hang);
        }
    }

    /// Waits until every outcome is delivered, or cannot be.
    pub(crate) async fn wait_for_delivery(&self) {
        let mut db = self.connect().await;
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let open = "select exists (select from command where delivered_at is null and delivery_error is null)";
        while sqlx::query_scalar(open)
            .fetch_one(&mut db)
            .await
            .expect("a row")
        {
            ticks.tick().await;
        }
    }

    /// Deletes all commands and jobs, and has Zoom answer again.
    pub(crate) async fn clear(&self) {
        self.zoom.clear_faults();
        let mut db = self.connect().await;
        for clear in [
            "delete from command; delete from graphile_worker._private_jobs",
            "vacuum command, graphile_worker._private_jobs",
        ] {
            let cleared = sqlx::raw_sql(clear).execute(&mut db).await;
            cleared.expect("a successful statement");
        }
    }
}

/// A line that links a person of the workspace, for `import-links`.
pub(crate) fn link(user: &str, zoom_user: &str, tokens: &zoom::Tokens) -> String {
    let line = json!({
        "team_id": slack::TEAM, "user_id": user, "zoom_user_id": zoom_user,
        "zoom_account_id": "acme", "email": format!("{zoom_user}@acme.example"),
        "scope": tokens.scope, "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token, "expires_at": Utc::now() + TimeDelta::hours(1),
    });
    format!("{line}\n")
}
