//! What outlives the replicas: PostgreSQL, the stand-ins, and the people who are linked.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use livestream_bot::crypto::vault::Vault;
use livestream_bot::demo::slack::{self, Role, Slack};
use livestream_bot::demo::zoom::{self, Zoom};
use livestream_bot::postgres::{Durability, Server};
use livestream_bot::{db, serve};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use rand::SeedableRng;
use rand::rngs::StdRng;
use secrecy::SecretString;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use crate::browsers::Browser;
use crate::destinations;
use crate::executable::program;
use crate::postgres::{DatabaseProxy, data_dir};
use crate::rehearsals::rehearsed_meeting;
use crate::replica::{self, Link, free_port};

pub(crate) const PEOPLE: usize = 10;
/// Meetings of each person: few, so that commands often wait for others of the same meeting.
pub(crate) const MEETINGS: usize = 3;
/// Who types in a workspace of its own, where the app is not installed,
/// besides the people of the first.
pub(crate) const NEIGHBOURS: usize = 3;
/// The time limit of the replicas on Zoom's answers.
pub(crate) const ZOOM_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a replica may take to start.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// The environment of the campaign, with its two replicas.
pub(crate) struct CampaignEnv {
    pub(crate) postgres: Postgres,
    pub(crate) slack: Slack,
    pub(crate) zoom: Zoom,
    keys: SecretString,
    pub(crate) replicas: [Mutex<Child>; 2],
    pub(crate) ports: [u16; 2],
    /// How many access tokens expired early, on both sides.
    pub(crate) expiries: AtomicUsize,
    /// What the replicas log.
    logs: TempDir,
}

/// A durable PostgreSQL server for the campaign alone.
pub(crate) struct Postgres {
    server: Server,
    /// How the replicas reach the server.
    pub(crate) proxy: DatabaseProxy,
    _data_dir: TempDir,
}

impl CampaignEnv {
    pub(crate) async fn new() -> Self {
        let postgres = Postgres::start().await;
        let slack = Slack::start().await.expect("a stand-in for Slack");
        let zoom = Zoom::start().await.expect("a stand-in for Zoom");
        let keys = Vault::generate_keys();
        let pool = db::pool(postgres.options());
        serve::migrate(&pool).await.expect("a migrated database");
        destinations::keep(&pool, &keys).await;
        pool.close().await;
        slack.set_person(destinations::ADMIN, Role::Admin);
        for person in 0..PEOPLE {
            let shown = (0..MEETINGS).map(|meeting| meeting_number(person, meeting));
            for number in shown.chain([rehearsed_meeting(person)]) {
                zoom.schedule(number, &format!("zoom-{person}"), None);
                zoom.begin(number);
            }
        }
        for neighbour in 0..NEIGHBOURS {
            let number = neighbours_meeting(neighbour);
            zoom.schedule(number, &format!("zoom-v{neighbour}"), None);
            zoom.begin(number);
        }
        let ports = [free_port(), free_port()];
        let logs = TempDir::new().expect("a directory");
        let replicas = [0, 1].map(|index| {
            let child = start_replica(&postgres, &slack, &zoom, &keys, ports, index, &logs);
            Mutex::new(child)
        });
        let env = Self {
            postgres,
            slack,
            zoom,
            keys,
            replicas,
            ports,
            expiries: AtomicUsize::new(0),
            logs,
        };
        for person in 0..PEOPLE {
            env.link(person).await;
        }
        for neighbour in 0..NEIGHBOURS {
            let (user, zoom_user) = (format!("W{neighbour}"), format!("zoom-v{neighbour}"));
            env.import(slack::ORG_OTHER.team, &user, &zoom_user).await;
        }
        for port in ports {
            wait_for_listener(port).await;
        }
        env.install().await;
        env
    }

    /// Links a person, or links them again.
    pub(crate) async fn link(&self, person: usize) {
        let (user, zoom_user) = (format!("U{person}"), format!("zoom-{person}"));
        self.import(slack::TEAM, &user, &zoom_user).await;
    }

    async fn import(&self, team: &str, user: &str, zoom_user: &str) {
        let link = Link {
            team,
            user,
            zoom_user,
            email: &format!("{user}@acme.example"),
        };
        let database = self.postgres.options();
        link.import(&database, &self.zoom, &self.keys).await;
    }

    /// Zoom refuses this user's access token from now on, and the replicas know that it expired.
    pub(crate) async fn expire(&self, zoom_user: &str) {
        self.expire_early(zoom_user);
        let mut db = self.postgres.options().connect().await;
        let db = db.as_mut().expect("a connection");
        let expired =
            sqlx::query("update zoom_grant set expires_at = now() where zoom_user_id = $1");
        let expired = expired.bind(zoom_user).execute(db).await;
        expired.expect("an update");
    }

    /// Zoom refuses this user's access token before its time.
    pub(crate) fn expire_early(&self, zoom_user: &str) {
        self.expiries.fetch_add(1, Ordering::Relaxed);
        self.zoom.expire_access_token(zoom_user);
    }

    /// The address of a replica.
    pub(crate) fn url(&self, index: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[index])
    }

    /// Adds the app to the workspace, so that it can post messages by itself.
    pub(crate) async fn install(&self) {
        let mut browser = Browser::new(self, StdRng::seed_from_u64(0), 0.0);
        assert!(browser.install().await, "the app is not installed");
        let token = self.slack.bot_token(slack::TEAM);
        assert!(token.is_some(), "there is no bot token");
    }

    /// Everything that was logged so far.
    pub(crate) fn log(&self) -> String {
        let read = |index| fs::read(log_path(&self.logs, index)).expect("a log");
        let logs = [0, 1].map(|index| String::from_utf8_lossy(&read(index)).into_owned());
        logs.concat()
    }

    /// Starts one of the two replicas.
    pub(crate) fn start(&self, index: usize) -> Child {
        start_replica(
            &self.postgres,
            &self.slack,
            &self.zoom,
            &self.keys,
            self.ports,
            index,
            &self.logs,
        )
    }
}

impl Postgres {
    async fn start() -> Self {
        let data_dir = data_dir();
        let server = Server::start(program(), data_dir.path(), Durability::Durable).await;
        let server = server.expect("a PostgreSQL server");
        let created = server.create_database("campaign").await;
        created.expect("a database");
        let proxy = DatabaseProxy::start(&server.options("campaign")).await;
        Self {
            server,
            proxy,
            _data_dir: data_dir,
        }
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        self.server.options("campaign")
    }

    /// Kills one of the server's processes. PostgreSQL then assumes that its shared memory is
    /// corrupt, ends all connections, and recovers from its log.
    pub(crate) async fn crash(&self) {
        let mut db = self.options().connect().await.expect("a connection");
        let pid: i32 = sqlx::query_scalar("select pg_backend_pid()")
            .fetch_one(&mut db)
            .await
            .expect("a process ID");
        signal::kill(Pid::from_raw(pid), Signal::SIGKILL).expect("a signal that is sent");
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        while self.options().connect().await.is_err() {
            ticks.tick().await;
        }
    }
}

pub(crate) fn meeting_number(person: usize, meeting: usize) -> i64 {
    let index = i64::try_from(person * MEETINGS + meeting).expect("a small number");
    800_000_000 + index
}

/// The meeting of somebody in the other workspace.
pub(crate) fn neighbours_meeting(neighbour: usize) -> i64 {
    let index = i64::try_from(neighbour).expect("a small number");
    900_000_000 + index
}

fn start_replica(
    postgres: &Postgres,
    slack: &Slack,
    zoom: &Zoom,
    keys: &SecretString,
    ports: [u16; 2],
    index: usize,
    logs: &TempDir,
) -> Child {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log_path(logs, index))
        .expect("a log");
    let command = replica::command("serve", &postgres.proxy.options, slack, zoom, keys);
    Command::from(command)
        .env("LISTEN_ADDR", format!("127.0.0.1:{}", ports[index]))
        // Browsers come back to either replica; see `browsers.rs`.
        .env("PUBLIC_URL", format!("http://127.0.0.1:{}", ports[0]))
        .env("SLACK_URL", slack.url())
        .env("SLACK_CLIENT_ID", slack::CLIENT_ID)
        .env("SLACK_CLIENT_SECRET", slack::CLIENT_SECRET)
        .env("ZOOM_WEBHOOK_SECRET", zoom::WEBHOOK_SECRET)
        .env("ZOOM_TIMEOUT", ZOOM_TIMEOUT.as_secs().to_string())
        .env("RUST_LOG", "info")
        .stdout(log.try_clone().expect("a log"))
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .expect("a replica")
}

fn log_path(logs: &TempDir, index: usize) -> PathBuf {
    logs.path().join(format!("replica-{index}.log"))
}

/// Waits until somebody listens on this port.
pub(crate) async fn wait_for_listener(port: u16) {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let connected = async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            ticks.tick().await;
        }
    };
    let connected = tokio::time::timeout(STARTS_WITHIN, connected).await;
    connected.expect("a replica that listens");
}
