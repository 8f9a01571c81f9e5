//! What everybody who is measured stands on.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use livestream_bot::account::import;
use livestream_bot::crypto::vault::Vault;
use livestream_bot::demo::slack::{self, Slack};
use livestream_bot::demo::zoom::{self, Fault, Zoom};
use livestream_bot::postgres::{Durability, Server};
use livestream_bot::{db, serve};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// How many commands a replica carries out at a time.
pub(crate) const CONCURRENCY: usize = 32;
/// How many seconds a replica waits for Zoom.
pub(crate) const PATIENCE: u8 = 10;

/// What the program and the bare handler share.
pub(crate) struct Ground {
    pub(crate) server: Server,
    pub(crate) slack: Slack,
    pub(crate) zoom: Zoom,
    keys: SecretString,
    _folder: tempfile::TempDir,
}

/// A process that takes commands.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
}

impl Process {
    async fn answers(child: Child, port: u16) -> Self {
        let mut ticks = tokio::time::interval(Duration::from_millis(1));
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            ticks.tick().await;
        }
        Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
        }
    }

    /// Processor time so far, of all its threads.
    pub(crate) fn cpu(&self) -> Duration {
        let pid = self.child.id().expect("it runs");
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("its threads");
        let times = threads.filter_map(|thread| {
            let path = thread.ok()?.path().join("schedstat");
            let numbers = std::fs::read_to_string(path).ok()?;
            numbers.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(times.sum())
    }

    /// Resident memory, in MiB.
    pub(crate) fn memory(&self) -> f64 {
        let pid = self.child.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its numbers");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().split(' ').next());
        let kibibytes: f64 = kibibytes
            .and_then(|number| number.parse().ok())
            .expect("a number");
        kibibytes / 1024.0
    }

    pub(crate) async fn end(mut self) {
        self.child.kill().await.expect("killed");
    }
}

impl Ground {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(program(), folder.path(), Durability::Durable).await;
        let server = server.expect("PostgreSQL");
        server.create_database("bench").await.expect("a database");
        let (slack, zoom) = (
            Slack::start().await.expect("Slack"),
            Zoom::start().await.expect("Zoom"),
        );
        let keys = Vault::generate_keys();
        let pool = db::pool(server.options("bench"));
        serve::migrate(&pool).await.expect("migrated");
        let tokens = zoom.authorize("zoom-0", zoom::SCOPE);
        let line = json!({
            "team_id": slack::TEAM, "user_id": "U0", "zoom_user_id": "zoom-0", "zoom_account_id": "acme",
            "email": "0@acme.example", "scope": tokens.scope, "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token, "expires_at": "2099-01-01T00:00:00Z",
        });
        let vault = Vault::from_keys(&keys).expect("keys");
        let imported = import::links(&pool, &vault, line.to_string().as_bytes()).await;
        imported.expect("a link");
        pool.close().await;
        Self {
            server,
            slack,
            zoom,
            keys,
            _folder: folder,
        }
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        self.server.options("bench")
    }

    fn url(&self) -> String {
        let options = self.options();
        let socket = options.get_socket().expect("it is reached by a socket");
        let user = options.get_username();
        format!(
            "postgres://{user}@localhost/bench?host={}",
            socket.display()
        )
    }

    /// The program; Zoom and Slack may take so many seconds to answer it.
    pub(crate) async fn program(&self, patience: u8) -> Process {
        let port = free_port();
        let child = Command::new(program())
            .arg("serve")
            .env_clear()
            .env("DATABASE_URL", self.url())
            .env("LISTEN_ADDR", format!("127.0.0.1:{port}"))
            .env("SLACK_SIGNING_SECRET", slack::SIGNING_SECRET)
            .env("SLACK_RESPONSE_ORIGINS", self.slack.url())
            .env("ZOOM_CLIENT_ID", zoom::CLIENT_ID)
            .env("ZOOM_CLIENT_SECRET", zoom::CLIENT_SECRET)
            .env("ZOOM_URL", self.zoom.url())
            .env("ZOOM_API_URL", self.zoom.url())
            .env("ZOOM_TIMEOUT", patience.to_string())
            .env("TOKEN_KEYS", self.keys.expose_secret())
            .env("RUST_LOG", "off")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        Process::answers(child.expect("the program"), port).await
    }

    pub(crate) async fn bare(&self) -> Process {
        let port = free_port();
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["bare", &port.to_string(), &self.url()])
            .kill_on_drop(true)
            .spawn();
        Process::answers(child.expect("the bare handler"), port).await
    }

    /// Zoom will not answer the next so many requests.
    pub(crate) fn hold_up(&self, requests: usize) {
        for _ in 0..requests {
            self.zoom.fail_next(Fault::Hang);
        }
    }

    /// Waits until every command has been told.
    pub(crate) async fn done(&self) {
        let pool = db::pool(self.options());
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        let open = "select exists (select from command where delivered_at is null and delivery_error is null)";
        while sqlx::query_scalar(open)
            .fetch_one(&pool)
            .await
            .expect("an answer")
        {
            ticks.tick().await;
        }
        pool.close().await;
    }

    /// How many commands are under way.
    pub(crate) async fn under_way(&self) -> i64 {
        let pool = db::pool(self.options());
        let count = sqlx::query_scalar("select count(*) from command where finished_at is null");
        let count = count.fetch_one(&pool).await.expect("a count");
        pool.close().await;
        count
    }

    /// Nothing is left to do.
    pub(crate) async fn clear(&self) {
        let pool = db::pool(self.options());
        let clear = "delete from command; delete from graphile_worker._private_jobs";
        sqlx::raw_sql(clear).execute(&pool).await.expect("cleared");
        pool.close().await;
    }
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_livestream-bot"))
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}
